/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages: thresholds, the rate limit, prefixes, and panic. */
#include <hv/cpu.h>
#include <hv/format.h>
#include <hv/log.h>
#include <hv/string.h>
#include <stdarg.h>
#include "internal.h"

/* At most so many messages of a class go through the rate limit in each period. */
#define RATE_BURST 20U
#define RATE_PERIOD (5UL * 1000 * 1000 * 1000)
/* How long a CPU that panics second waits to be stopped by the first: a few seconds. */
#define PANIC_WAIT_ROUNDS (1UL << 28)

struct rate {
	ns_t period_start;
	u32 admitted, held_back;
};

/* Guarded by the console lock. */
static struct rate rates[LOG_CLASS_COUNT];

/* Set once at boot, before other CPUs run. */
static ns_t (*clock_now)(void);
static const struct panic_ops *panic_ops;

/* Panics begun; atomic. */
static u32 panics;
/* A CPU's stack serves as its name here: struct cpu_info may be what is broken. */
static uintptr_t panic_stack;

void log_clock_set(ns_t (*now)(void))
{
	clock_now = now;
}

static void emit(void *ctx, const char *text, size_t len)
{
	(void)ctx;
	console_emit(text, len);
}

static void emit_formatted(const char *fmt, ...) format_like(1, 2);
static void emit_formatted(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	hv_vformat(emit, NULL, fmt, args);
	va_end(args);
}

void log_prefix(void)
{
	ns_t now;

	console_emit("(argon) ", 8);
	if (log_stamp == LOG_STAMP_NONE || clock_now == NULL)
		return;
	now = clock_now();
	if (log_stamp == LOG_STAMP_BOOT)
		emit_formatted("[%6lu.%06lu] ", now / 1000000000, now / 1000 % 1000000);
	else
		emit_formatted("[%016lx] ", now);
}

static bool rate_admit(struct rate *rate)
{
	ns_t now;

	if (clock_now == NULL)
		return true;
	now = clock_now();
	if (now - rate->period_start >= RATE_PERIOD) {
		rate->period_start = now;
		rate->admitted = 0;
		if (rate->held_back > 0) {
			console_line_begin();
			log_prefix();
			emit_formatted("%u messages were held back by the rate limit\n", rate->held_back);
			rate->held_back = 0;
		}
	}
	if (rate->admitted >= RATE_BURST) {
		rate->held_back++;
		return false;
	}
	rate->admitted++;
	return true;
}

bool log_admit(enum log_class class, int level)
{
	const struct log_threshold *t = &log_thresholds[class];

	if (level <= t->always)
		return true;
	return level <= t->limited && rate_admit(&rates[class]);
}

/* Puts the prefix in front of each line; newlines inside a message begin further ones. */
struct line_writer {
	bool fresh;
};

static void line_emit(void *ctx, const char *text, size_t len)
{
	struct line_writer *w = ctx;

	while (len > 0) {
		const char *newline = memchr(text, '\n', len);
		size_t n = newline == NULL ? len : (size_t)(newline - text) + 1;

		if (w->fresh)
			log_prefix();
		console_emit(text, n);
		w->fresh = newline != NULL;
		text += n;
		len -= n;
	}
}

static void message_write(const char *fmt, va_list args) format_like(1, 0);
static void message_write(const char *fmt, va_list args)
{
	struct line_writer w = { .fresh = true };

	console_line_begin();
	hv_vformat(line_emit, &w, fmt, args);
	if (!w.fresh)
		console_emit("\n", 1);
}

static void message_print(enum log_class class, int level, const char *fmt, va_list args) format_like(3, 0);
static void message_print(enum log_class class, int level, const char *fmt, va_list args)
{
	bool locked = console_lock();

	if (log_admit(class, level))
		message_write(fmt, args);
	console_unlock(locked);
}

void log_print(enum log_level level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	message_print(LOG_CLASS_HOST, (int)level, fmt, args);
	va_end(args);
}

void log_guest(enum log_level level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	message_print(LOG_CLASS_GUEST, (int)level, fmt, args);
	va_end(args);
}

void log_always(const char *fmt, ...)
{
	va_list args;
	bool locked = console_lock();

	va_start(args, fmt);
	message_write(fmt, args);
	va_end(args);
	console_unlock(locked);
}

void panic_install(const struct panic_ops *ops)
{
	panic_ops = ops;
	panics = 0;
}

bool panic_in_progress(void)
{
	return __atomic_load_n(&panics, __ATOMIC_RELAXED) != 0;
}

static noreturn_fn void panic_end(void)
{
	console_flush();
	if (panic_ops != NULL && panic_ops->end != NULL)
		panic_ops->end();
	/* Nobody has said yet how to stop; in a host test that is a crash, on the machine the message stays on the screen. */
	if (__STDC_HOSTED__)
		__builtin_trap();
	for (;;)
		__builtin_ia32_pause();
}

void panic(const char *fmt, ...)
{
	uintptr_t stack = (uintptr_t)__builtin_frame_address(0) >> STACK_SHIFT;
	bool first = __atomic_fetch_add(&panics, 1, __ATOMIC_SEQ_CST) == 0;
	va_list args;

	if (first)
		panic_stack = stack;
	else if (stack != panic_stack)
		for (unsigned long i = 0; i < PANIC_WAIT_ROUNDS; i++)
			__builtin_ia32_pause();
	log_always("**************************************** panic:");
	va_start(args, fmt);
	message_write(fmt, args);
	va_end(args);
	if (first && panic_ops != NULL) {
		if (panic_ops->stop_others != NULL)
			panic_ops->stop_others();
		if (panic_ops->dump != NULL)
			panic_ops->dump();
	}
	panic_end();
}

void bug_report(const char *what, const char *file, unsigned int line)
{
	panic("This is a bug in the hypervisor: %s (%s:%u)", what, file, line);
}
