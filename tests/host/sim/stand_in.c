/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Weak stand-ins for modules that a test does not link: the least that lets others run. A real module's functions replace them.
 */
#include <stdlib.h>
#include <hv/errno.h>
#include <hv/event.h>
#include <hv/features.h>
#include <hv/frame.h>
#include <hv/grant.h>
#include <hv/log.h>
#include <hv/pv.h>
#include <hv/rangeset.h>
#include <hv/sched.h>
#include <hv/softirq.h>
#include <hv/string.h>
#include <hv/time.h>
#include <hv/timer.h>
#include "sim_private.h"

#define STAND_IN __attribute__((weak))

STAND_IN void sim_power_on(void)
{
}

STAND_IN void sim_domain_ready(struct domain *d)
{
	(void)d;
}

/* A CPU without features and without flaws. */
STAND_IN bool cpu_feature[CPU_FEATURES];

STAND_IN void xpti_load(const struct vcpu *v, mfn_t root)
{
	(void)v;
	(void)root;
}

STAND_IN void xpti_root_changed(const struct domain *d, mfn_t root)
{
	(void)d;
	(void)root;
}

STAND_IN void xpti_slot_refresh(unsigned int index)
{
	(void)index;
}

STAND_IN void event_pages_hold(struct domain *d)
{
	(void)d;
}

STAND_IN u32 grant_writers_mark(struct domain *d, u32 from, u32 count)
{
	(void)d;
	(void)from;
	(void)count;
	return 0;
}

/* --- scheduler: only counts --- */

STAND_IN void vcpu_wake(struct vcpu *v)
{
	(void)v;
	sim_counts.wakes++;
}

STAND_IN void vcpu_sleep_nosync(struct vcpu *v)
{
	(void)v;
}

STAND_IN void vcpu_sleep_sync(struct vcpu *v)
{
	sim_deschedule(v);
}

STAND_IN void vcpu_unblock(struct vcpu *v)
{
	__atomic_fetch_and(&v->pause_flags, ~(VPF_BLOCKED | VPF_POLL), __ATOMIC_SEQ_CST);
	sim_counts.unblocks++;
}

STAND_IN void vcpu_kick(struct vcpu *v)
{
	(void)v;
	sim_counts.vcpu_kicks++;
}

STAND_IN void vcpu_block(struct vcpu *v)
{
	__atomic_fetch_or(&v->pause_flags, VPF_BLOCKED, __ATOMIC_SEQ_CST);
	sim_counts.blocks++;
}

STAND_IN void vcpu_yield(struct vcpu *v)
{
	(void)v;
	sim_counts.yields++;
}

/* --- events --- */

STAND_IN void event_send_virq(struct vcpu *v, u32 virq)
{
	(void)v;
	(void)virq;
	sim_counts.virqs++;
}

STAND_IN void event_send_global_virq(u32 virq)
{
	(void)virq;
	sim_counts.virqs++;
}

/* --- time --- */

STAND_IN ns_t time_now(void)
{
	return sim_clock;
}

void timer_hw_set(ns_t deadline)
{
	sim_cpu[sim_cpu_nr].timer_deadline = deadline;
}

#define STAND_IN_TIMERS 64
static struct timer *stand_in_timer[STAND_IN_TIMERS];

STAND_IN void timer_init(struct timer *t, void (*fn)(void *arg), void *arg, unsigned int cpu)
{
	*t = (struct timer){ .fn = fn, .arg = arg, .cpu = cpu };
}

STAND_IN void timer_stop(struct timer *t)
{
	if (t->slot)
		stand_in_timer[t->slot - 1] = NULL;
	t->slot = 0;
}

STAND_IN void timer_kill(struct timer *t)
{
	timer_stop(t);
}

STAND_IN void timer_set(struct timer *t, ns_t expires)
{
	timer_stop(t);
	t->expires = expires;
	for (u32 i = 0; i < STAND_IN_TIMERS; i++)
		if (!stand_in_timer[i]) {
			stand_in_timer[i] = t;
			t->slot = i + 1;
			return;
		}
	sim_fail("too many timers");
}

STAND_IN void timer_migrate(struct timer *t, unsigned int cpu)
{
	t->cpu = cpu;
}

STAND_IN void sim_clock_advance(ns_t by)
{
	unsigned int here = sim_cpu_nr;

	sim_clock += by;
	for (unsigned int cpu = 0; cpu < SIM_CPUS; cpu++) {
		if (!cpu_online(cpu))
			continue;
		sim_cpu_nr = cpu;
		if (sim_cpu[cpu].timer_deadline && sim_cpu[cpu].timer_deadline <= sim_clock) {
			sim_cpu[cpu].timer_deadline = 0;
			softirq_raise(cpu, SOFTIRQ_TIMER);
		}
		softirq_run(cpu);
		for (u32 i = 0; i < STAND_IN_TIMERS; i++) {
			struct timer *t = stand_in_timer[i];

			if (!t || t->cpu != cpu || t->expires > sim_clock)
				continue;
			timer_stop(t);
			t->fn(t->arg);
		}
	}
	sim_cpu_nr = here;
}

/* --- range sets: a short list --- */

#define STAND_IN_RANGES 16
struct rangeset {
	u32 n;
	u64 first[STAND_IN_RANGES], last[STAND_IN_RANGES];
};

STAND_IN struct rangeset *rangeset_create(void)
{
	return calloc(1, sizeof(struct rangeset));
}

STAND_IN void rangeset_free(struct rangeset *r)
{
	free(r);
}

STAND_IN int rangeset_add(struct rangeset *r, u64 first, u64 last)
{
	if (last < first)
		return -EINVAL;
	if (r->n == STAND_IN_RANGES)
		return -ENOSPC;
	r->first[r->n] = first;
	r->last[r->n++] = last;
	return 0;
}

STAND_IN int rangeset_remove(struct rangeset *r, u64 first, u64 last)
{
	for (u32 i = 0; i < r->n; i++)
		if (r->first[i] == first && r->last[i] == last) {
			r->first[i] = r->first[--r->n];
			r->last[i] = r->last[r->n];
			return 0;
		}
	return 0;
}

STAND_IN bool rangeset_contains(struct rangeset *r, u64 first, u64 last)
{
	for (u32 i = 0; r && i < r->n; i++)
		if (first >= r->first[i] && last <= r->last[i])
			return true;
	return false;
}

STAND_IN bool rangeset_overlaps(struct rangeset *r, u64 first, u64 last)
{
	for (u32 i = 0; r && i < r->n; i++)
		if (first <= r->last[i] && last >= r->first[i])
			return true;
	return false;
}

STAND_IN bool rangeset_empty(struct rangeset *r)
{
	return r->n == 0;
}
