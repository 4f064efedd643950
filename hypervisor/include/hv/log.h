/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages, and stopping loudly. All of this may be called in any context and on any CPU, before any other subsystem is up
 * and with any lock held (the console's lock is the leaf of the order). A message is one line or more; each begins with
 * "(argon) " on the console, and a missing newline at the end is added.
 */
#ifndef HV_LOG_H
#define HV_LOG_H

#include <hv/compiler.h>
#include <hv/types.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/* Printed if loglvl= allows it. */
void log_print(enum log_level level, const char *fmt, ...) format_like(2, 3);
#define log_err(...) log_print(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_print(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_print(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_print(LOG_DEBUG, __VA_ARGS__)

/* Printed whatever the level: the banner, what a debug key asked for. */
void log_always(const char *fmt, ...) format_like(1, 2);

/* About what a guest did: anything that a guest can cause goes here; guest_loglvl= and a rate limit hold it down. */
void log_guest(enum log_level level, const char *fmt, ...) format_like(2, 3);

/*
 * Prints the message, stops the other CPUs, dumps state, and reboots or halts, all but the first through struct panic_ops.
 * Takes over the console lock by force. A second panic on the way prints its message and ends at once.
 */
noreturn_fn cold_fn void panic(const char *fmt, ...) format_like(1, 2);

/* What panic cannot know. Members may be NULL; "end" must not return. */
struct panic_ops {
	void (*stop_others)(void);
	void (*dump)(void);      /* registers, stack, who ran */
	void (*end)(void);       /* reboot or halt, as noreboot says */
};
/* Called by boot before the first code that may panic; ops must live for ever. */
void panic_install(const struct panic_ops *ops);
/* Is a panic on its way? (For output paths that must not wait for anything then.) */
bool panic_in_progress(void);

/* A hypervisor bug: never a reaction to guest input. */
noreturn_fn cold_fn void bug_report(const char *what, const char *file, unsigned int line);
#define BUG() bug_report("unreachable", __FILE__, __LINE__)
#define BUG_ON(cond) \
	do { \
		if (unlikely(cond)) \
			bug_report(#cond, __FILE__, __LINE__); \
	} while (0)
/* Checked in debug builds (and in host tests); the condition is compiled always and has no side effect. */
#define ASSERT(cond) \
	do { \
		if (ARGON_DEBUG) \
			BUG_ON(!(cond)); \
	} while (0)

/* Gives the log a clock, for time stamps and the rate limit; until then there are neither. */
void log_clock_set(ns_t (*now)(void));

#endif
