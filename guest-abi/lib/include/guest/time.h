/* SPDX-License-Identifier: BSD-2-Clause */
/* System time, in nanoseconds since the hypervisor started. */
#ifndef GUEST_TIME_H
#define GUEST_TIME_H

#include <guest/types.h>

#define US 1000UL
#define MS 1000000UL
#define S  1000000000UL

static inline u64 rdtsc(void)
{
	u32 lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (u64)hi << 32 | lo;
}

u64 time_now(void);
/* Seconds since 1970. */
u64 time_wall(void);
/* Asks for VIRQ_TIMER at that time; 0 takes it back. */
long timer_set(u64 deadline);
/* Spins for so long, or until cond holds; the second gives what cond was in the end. */
void time_spin(u64 ns);
#define spin_until(cond, ns)                                                                       \
	__extension__({                                                                            \
		u64 __end = time_now() + (ns);                                                     \
		while (!(cond) && time_now() < __end)                                              \
			__asm__ volatile("pause" ::: "memory");                                    \
		(cond);                                                                            \
	})

#endif
