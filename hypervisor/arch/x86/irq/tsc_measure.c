/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How fast the TSC and the APIC timer run. Both ends of the interval are taken as the best of some tries: the one in which least
 * time passed between the TSC readings around that of the clock; an SMI or a stop of the virtual machine then does not spoil it.
 */
#include <hv/errno.h>
#include <hv/x86.h>
#include "lapic.h"
#include "tsc.h"

#define MEASURE_FRACTION 25u		/* of a second: 40 ms */
#define TRIES 8
/* A clock that has not moved after so many reads is dead; the slowest (8254) moves in each. */
#define DEAD_READS 100000u

struct reading {
	u64 tsc, clock;
	u32 apic;
};

static struct reading reading_take(const struct clock_source *clock)
{
	struct reading best = { 0, 0, 0 };
	u64 best_gap = ~0ULL;

	for (int i = 0; i < TRIES; i++) {
		u64 before = rdtsc();
		u64 at = clock->read();
		u64 after = rdtsc();
		u32 apic = lapic_timer_count();
		u64 end = rdtsc();

		if (end - before < best_gap) {
			best_gap = end - before;
			best = (struct reading){ before + (after - before) / 2, at, apic };
		}
	}
	return best;
}

u64 frequency(u64 count, u64 ticks, u64 hz)
{
	/* count * hz may need more than 64 bits: ticks is small against hz, so take whole and rest apart. */
	u64 whole = count / ticks, rest = count % ticks;

	return whole * hz + (rest * hz + ticks / 2) / ticks;
}

int tsc_measure(const struct clock_source *clock, u64 *tsc_hz, u64 *apic_hz)
{
	u64 want = clock->hz / MEASURE_FRACTION, ticks;
	u32 dead = 0;
	u64 last;
	struct reading a, b;

	lapic_timer_enable(false);
	lapic_timer_start(~0u);
	a = reading_take(clock);
	last = a.clock;
	do {
		u64 now = clock->read();

		dead = now == last ? dead + 1 : 0;
		last = now;
		ticks = (now - a.clock) & clock->mask;
	} while (ticks < want && dead < DEAD_READS);
	b = reading_take(clock);
	lapic_timer_start(0);
	lapic_timer_enable(true);
	if (dead >= DEAD_READS)
		return -EIO;
	ticks = (b.clock - a.clock) & clock->mask;
	if (!ticks || b.tsc <= a.tsc)
		return -EIO;
	*tsc_hz = frequency(b.tsc - a.tsc, ticks, clock->hz);
	*apic_hz = frequency(a.apic - b.apic, ticks, clock->hz);
	return 0;
}
