/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System time from the TSC. Each CPU has a line (struct time_scale) from its TSC to system time. As long as all TSCs run alike
 * they are the same line, and time_now is monotonic over CPUs by itself. If a CPU's TSC is found to differ, its line is
 * moved so that it agrees with CPU 0's as well as can be measured, and a common last value keeps time_now monotonic.
 * If TSCs are not constant (no invariant TSC and not under a hypervisor), lines are corrected every second against a
 * platform clock.
 */
#include <hv/time.h>
#include <hv/acpi.h>
#include <hv/cmdline.h>
#include <hv/cpu.h>
#include <hv/errno.h>
#include <hv/features.h>
#include <hv/irq.h>
#include <hv/lock.h>
#include <hv/log.h>
#include <hv/smp.h>
#include <hv/softirq.h>
#include <hv/string.h>
#include <hv/timer.h>
#include <hv/x86.h>
#include "clocksource.h"
#include "lapic.h"
#include "tsc.h"

#define NANOSECOND_HZ 1000000000ULL
/* Longest time that hardware is programmed for: it then fires early, and is programmed again. */
#define DELTA_MAX (1ULL << 40)
#define SYNC_ROUNDS 16
#define RECALIBRATE_PERIOD 1000000000ULL

/*
 * A line with its ratio once more as a 64-bit fixed-point number, which takes one multiplication. Both are exactly the same number:
 * the TSC runs at more than 62.5 MHz, so that the ratio's shift is at most 4.
 */
#define FRACTION 60
struct cpu_line {
	struct time_scale scale;
	u64 mul;			/* ratio * 2^FRACTION */
};
static struct cpu_line cpu_line[MAX_CPUS];	/* written by the CPU itself (CPU 0 for all, at boot) */
static bool tsc_common = true;			/* all lines are the same */
static bool tsc_constant;
static ns_t last_time;				/* highest time_now while not tsc_common */
static u64 tsc_hz;
static struct time_ratio ns_tsc_ratio;
#define TIMER_FRACTION 30
static u64 ns_timer_mul;			/* to ticks of the timer, or of the TSC if it takes deadlines; * 2^TIMER_FRACTION */

static const struct clock_source *reference;	/* what to correct by, if not tsc_constant */
static struct timer recalibrate_timer[MAX_CPUS];
static struct spinlock reference_lock = SPINLOCK(LOCK_TIME);
static u64 reference_last, reference_ticks;	/* last raw value, and ticks since boot */
static struct time_ratio reference_ratio;

static bool option_tsc_stable;
static bool option_tsc_unstable;

static int option_tsc(const char *value)
{
	/* Only what this hypervisor can heed; "skewed" asks for the mode that assumes nothing. */
	static const struct {
		const char *name;
		bool *flag;
	} known[] = { { "stable:socket", &option_tsc_stable }, { "unstable", &option_tsc_unstable },
		      { "skewed", &option_tsc_unstable } };

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strcmp(value, known[i].name) == 0) {
			*known[i].flag = true;
			return 0;
		}
	}
	return -EINVAL;
}
BOOT_OPTION_CUSTOM("tsc", option_tsc, "stable:socket: trust the TSC; unstable, skewed: correct it by a platform clock.");

/* a * b / 2^shift. */
#define MUL_SHIFT(a, b, shift) ({ \
	u64 low_ = (a), high_; \
	__asm__("mulq %2\n\tshrdq %3, %1, %0" : "+a"(low_), "=&d"(high_) : "rm"((u64)(b)), "i"(shift) : "cc"); \
	low_; \
})

static void line_set(struct cpu_line *l, struct time_scale scale)
{
	l->scale = scale;
	l->mul = (u64)scale.ratio.mul << (FRACTION - 32 + scale.ratio.shift);
}

static inline ns_t line_apply(const struct cpu_line *l, u64 tsc)
{
	tsc -= l->scale.tsc;
	/* A CPU that is a little behind the base must not see a time far in the future. */
	if (unlikely((s64)tsc < 0))
		return l->scale.ns;
	return l->scale.ns + MUL_SHIFT(tsc, l->mul, FRACTION);
}

/* Not executed before what comes earlier in the program. */
static inline u64 tsc_read(void)
{
	__asm__ volatile("lfence" : : : "memory");
	return rdtsc();
}

/* Time by this CPU's line, never less than anyone has seen before. */
static noinline_fn ns_t time_guarded(void)
{
	ns_t now = line_apply(&cpu_line[this_cpu()], tsc_read());
	ns_t last = __atomic_load_n(&last_time, __ATOMIC_RELAXED);

	do {
		if (now <= last)
			return last;
	} while (!__atomic_compare_exchange_n(&last_time, &last, now, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return now;
}

ns_t time_now(void)
{
	if (likely(tsc_common))
		return line_apply(&cpu_line[0], tsc_read());
	return time_guarded();
}

u64 tsc_khz(void)
{
	return tsc_hz / 1000;
}

ns_t tsc_to_ns(u64 tsc)
{
	return line_apply(&cpu_line[this_cpu()], tsc);
}

u64 ns_to_tsc(ns_t ns)
{
	return time_ratio_apply(ns_tsc_ratio, ns);
}

void time_scale_get(struct time_scale *scale, bool *stable)
{
	*scale = cpu_line[this_cpu()].scale;
	*stable = tsc_common;
}

bool tsc_reliable(void)
{
	return tsc_constant && tsc_common;
}

static cold_fn void timer_hw_off(void)
{
	if (lapic_timer_is_deadline())
		lapic_timer_deadline(0);
	else
		lapic_timer_start(0);
}

/* This is part of each set_timer_op: it counts instructions. */
void timer_hw_set(ns_t deadline)
{
	u64 tsc, ticks;
	ns_t now, delta;

	if (unlikely(!deadline)) {
		timer_hw_off();
		return;
	}
	tsc = rdtsc();
	now = likely(tsc_common) ? line_apply(&cpu_line[0], tsc) : time_guarded();
	if (unlikely(deadline <= now)) {
		softirq_raise(this_cpu(), SOFTIRQ_TIMER);
		return;
	}
	/* One tick more: it must not fire before the time. */
	delta = MIN(deadline - now, DELTA_MAX);
	ticks = MUL_SHIFT(delta, ns_timer_mul, TIMER_FRACTION) + 1;
	if (lapic_timer_is_deadline())
		lapic_timer_deadline(tsc + ticks);
	else
		lapic_timer_start(ticks > ~0u ? ~0u : (u32)ticks);
}

/* --- Are two TSCs the same? --- */

struct sync {
	u64 remote;			/* what CPU 0 read */
	u32 arrived;			/* CPUs at the start of the duel */
	u32 turn;			/* 1 while someone is inside */
	u64 last;			/* highest value read by anyone */
	u64 warp;			/* largest step backwards */
};

static void sync_read(void *arg)
{
	struct sync *s = arg;

	s->remote = tsc_read();
}

/* Both CPUs read in turns; whoever reads less than the other did before it has found a difference. */
static void sync_duel(void *arg)
{
	struct sync *s = arg;

	__atomic_fetch_add(&s->arrived, 1, __ATOMIC_SEQ_CST);
	for (u32 i = 0; i < 100000 && __atomic_load_n(&s->arrived, __ATOMIC_SEQ_CST) < 2; i++)
		cpu_relax();
	for (u32 i = 0; i < 500; i++) {
		u64 tsc;

		while (__atomic_exchange_n(&s->turn, 1, __ATOMIC_ACQUIRE))
			cpu_relax();
		tsc = tsc_read();
		if (tsc < s->last)
			s->warp = MAX(s->warp, s->last - tsc);
		else
			s->last = tsc;
		__atomic_store_n(&s->turn, 0, __ATOMIC_RELEASE);
	}
}

/*
 * Compares this CPU's TSC with CPU 0's, which answers by IPI. Returns true if they agree; *offset is then 0, else what to add to
 * this one to get CPU 0's.
 */
static bool sync_check(unsigned int cpu, s64 *offset)
{
	const struct cpumask first = cpumask_of(0), other = cpumask_of(cpu);
	const struct cpumask both = cpumask_or(&first, &other);
	struct sync s = { 0 };
	bool agree = true;
	u64 best = ~0ULL;

	*offset = 0;
	for (int i = 0; i < SYNC_ROUNDS; i++) {
		u64 before = tsc_read(), after;

		smp_call(&first, sync_read, &s);
		after = tsc_read();
		/* CPU 0 read in between, so its value lies in between if the TSCs agree. */
		if (s.remote < before || s.remote > after)
			agree = false;
		if (after - before < best) {
			best = after - before;
			*offset = (s64)(s.remote - (before + best / 2));
		}
	}
	smp_call(&both, sync_duel, &s);
	if (s.warp)
		agree = false;
	if (agree)
		*offset = 0;
	else
		log_warn("CPU%u: TSC differs from CPU0's by %lld ticks (went back by %llu); corrected", cpu,
			 (long long)*offset, (unsigned long long)s.warp);
	return agree;
}

/* --- Correction by a platform clock, for TSCs that are not constant --- */

/* Nanoseconds since time_init by the reference clock; it must be asked more often than it wraps. */
static ns_t reference_now(void)
{
	u64 raw;
	ns_t ns;

	spin_lock(&reference_lock);
	raw = reference->read();
	reference_ticks += (raw - reference_last) & reference->mask;
	reference_last = raw;
	ns = time_ratio_apply(reference_ratio, reference_ticks);
	spin_unlock(&reference_lock);
	return ns;
}

/*
 * Bends this CPU's line so that it meets the reference a period from now, without a step: time is continuous and
 * never runs backwards.
 */
static void recalibrate(void *arg)
{
	static struct { u64 tsc; ns_t ns; } previous[MAX_CPUS];
	unsigned int cpu = this_cpu();
	struct cpu_line *line = &cpu_line[cpu];
	u64 tsc = tsc_read();
	ns_t mine = line_apply(line, tsc), right = reference_now();
	u64 ticks = tsc - previous[cpu].tsc;
	ns_t elapsed = right - previous[cpu].ns;
	s64 ahead = (s64)(mine - right);

	/* The CPU went offline and its timers elsewhere: it begins anew when it comes back. */
	if ((uintptr_t)arg != cpu)
		return;
	if (previous[cpu].tsc && elapsed > RECALIBRATE_PERIOD / 2 && elapsed < 4 * RECALIBRATE_PERIOD && ticks >> 40 == 0) {
		s64 limit = (s64)RECALIBRATE_PERIOD / 2;
		u64 aim = elapsed - (u64)MAX(MIN(ahead, limit), -limit);

		/* ticks took `elapsed`; the next as many are to be worth `aim`. */
		line_set(line, (struct time_scale){ tsc, mine, time_ratio_make(ticks, aim) });
	}
	previous[cpu].tsc = tsc;
	previous[cpu].ns = right;
	timer_set(&recalibrate_timer[cpu], time_now() + RECALIBRATE_PERIOD);
}

/* --- Set-up --- */

static u64 cpuid_tsc_hz(void)
{
	struct cpuid_leaf top = cpuid_host(0, 0), ratio;

	if (top.a < 0x15)
		return 0;
	ratio = cpuid_host(0x15, 0);
	return ratio.a && ratio.b && ratio.c ? frequency((u64)ratio.c, ratio.a, ratio.b) : 0;
}

/* Once a CPU is up and answers IPIs: is its TSC like the others? */
static void time_softirq(unsigned int cpu)
{
	static bool checked[MAX_CPUS];
	s64 offset;

	if (!checked[cpu]) {
		checked[cpu] = true;
		if (cpu != 0 && !sync_check(cpu, &offset)) {
			cpu_line[cpu].scale.tsc -= (u64)offset;
			tsc_common = false;
		}
	}
	if (!tsc_constant && reference) {
		struct timer *t = &recalibrate_timer[cpu];

		if (t->fn)
			timer_migrate(t, cpu);
		else
			timer_init(t, recalibrate, (void *)(uintptr_t)cpu, cpu);
		recalibrate(t->arg);
	}
}

static void time_measure(void)
{
	u64 apic_hz = 0, exact = cpuid_tsc_hz();
	const struct clock_source *clock;

	for (unsigned int n = 0; (clock = clock_source_find(n)) != NULL; n++) {
		if (tsc_measure(clock, &tsc_hz, &apic_hz) == 0)
			break;
		log_warn("clock %s does not run", clock->name);
	}
	if (!clock)
		panic("no clock runs that the CPU could be measured with (tried HPET, ACPI timer, 8254)");
	/* What the CPU says of itself is exact, unless it is plainly wrong. */
	if (exact && exact - tsc_hz + tsc_hz / 512 < tsc_hz / 256)
		tsc_hz = exact;
	else
		exact = 0;
	ns_tsc_ratio = time_ratio_make(NANOSECOND_HZ, tsc_hz);
	ns_timer_mul = ((lapic_timer_is_deadline() ? tsc_hz : apic_hz) << TIMER_FRACTION) / NANOSECOND_HZ;
	/* Every clock but a 64-bit one wraps within seconds; 24 bits of the ACPI timer are enough for a period of one second. */
	if (clock->hz < clock->mask / 4)
		reference = clock;
	log_info("TSC %lu.%03lu MHz by %s, APIC timer %lu.%03lu MHz", (unsigned long)(tsc_hz / 1000000),
		 (unsigned long)(tsc_hz / 1000 % 1000), exact ? "CPUID" : clock->name, (unsigned long)(apic_hz / 1000000),
		 (unsigned long)(apic_hz / 1000 % 1000));
}

void tsc_init(void)
{
	struct time_scale line = { 0 };

	time_measure();
	/* An emulator's or a hypervisor's TSC is constant though it seldom says so. */
	tsc_constant = option_tsc_stable || (!option_tsc_unstable && (cpu_has(CPU_INVARIANT_TSC) ||
								      (cpuid_host(1, 0).c >> 31 & 1)));
	if (!tsc_constant) {
		tsc_common = false;
		log_warn("TSC is not constant: %s", reference ? "corrected by a platform clock" :
			 "and there is no clock to correct it by, time will drift");
	}
	line.ratio = time_ratio_make(tsc_hz, NANOSECOND_HZ);
	if (reference) {
		reference_last = reference->read();
		reference_ratio = time_ratio_make(reference->hz, NANOSECOND_HZ);
	}
	line.tsc = rdtsc();
	for (unsigned int cpu = 0; cpu < MAX_CPUS; cpu++)
		line_set(&cpu_line[cpu], line);
	softirq_register(SOFTIRQ_TIME, time_softirq);
}

void tsc_init_cpu(void)
{
	unsigned int cpu = this_cpu();

	/* It may have been off and on again since its line was drawn. */
	if (!tsc_constant && reference)
		line_set(&cpu_line[cpu], (struct time_scale){ tsc_read(), reference_now(), cpu_line[0].scale.ratio });
	softirq_raise(cpu, SOFTIRQ_TIME);
}
