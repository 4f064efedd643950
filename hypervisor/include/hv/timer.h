/* SPDX-License-Identifier: BSD-2-Clause */
/* One-shot timers, a queue per CPU. Expired ones run in SOFTIRQ_TIMER with no lock held. */
#ifndef HV_TIMER_H
#define HV_TIMER_H

#include <hv/types.h>
#include <hv/compiler.h>

struct timer {
	ns_t expires;
	void (*fn)(void *arg);
	void *arg;
	u32 cpu;		/* queue it belongs to */
	u32 slot;		/* position in that queue's heap + 1; 0 = not armed */
	struct timer *next;	/* list of armed timers for which the heap had no memory */
};

void timer_init(struct timer *t, void (*fn)(void *arg), void *arg, unsigned int cpu);
/*
 * Arms or re-arms; a time in the past fires at once (in SOFTIRQ_TIMER of t->cpu). Any context below LOCK_TIMER. The hardware is
 * programmed only when the CPU's earliest time changes.
 */
void timer_set(struct timer *t, ns_t expires);
/* Disarms. After return fn may still be running on t->cpu. */
void timer_stop(struct timer *t);
/* Disarms and waits until fn is not running. Not from fn, and with no lock held that fn takes. */
void timer_kill(struct timer *t);
/* Moves to another CPU's queue (armed or not). */
void timer_migrate(struct timer *t, unsigned int cpu);
static inline bool timer_armed(const struct timer *t)
{
	return t->slot != 0;
}
/* Moves every timer of a CPU that goes offline to another. */
void timer_cpu_drain(unsigned int from, unsigned int to);
/* Boot: the queue of a CPU; registers SOFTIRQ_TIMER with the first. Again after an off-lining is fine. 0 or -ENOMEM. */
int timer_cpu_init(unsigned int cpu) must_check;
/* Debug key: armed timers of each CPU. */
void timer_dump(void);

#endif
