/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Caps. A capped domain has a budget of CPU time that is filled up once a period. Running takes from it, also below zero: what was
 * overdrawn is missing in the next period, so that over a few periods the cap holds exactly, however many of the domain's
 * vCPUs ran at the same time. While there is nothing left, vCPUs that are about to run are parked.
 */
#include "sched_private.h"
#include <hv/cpu.h>
#include <hv/perf.h>
#include <hv/time.h>

#define PERIOD 10000000ul
/* Shortest time worth a switch. */
#define ALLOWANCE_MIN 50000ul

static s64 cap_full(const struct sched_domain *sd)
{
	return (s64)(sd->cap * (PERIOD / 100));
}

static void refill_arm(struct sched_domain *sd)
{
	sd->refill_idle = false;
	timer_set(&sd->refill, time_now() + PERIOD);
}

/* Adds a period's worth, up to the full budget. Returns what there was. */
static s64 budget_fill(struct sched_domain *sd)
{
	s64 old = __atomic_load_n(&sd->budget, __ATOMIC_RELAXED), full = cap_full(sd);

	while (!__atomic_compare_exchange_n(&sd->budget, &old, MIN(old + full, full), true, __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED))
		;
	return old;
}

/* Lets all parked vCPUs run again. cap_lock is held, and given up for each. */
static void unpark_all(struct sched_domain *sd)
{
	struct sched_vcpu *sv;

	while ((sv = list_first_entry(&sd->parked, struct sched_vcpu, parked_link)) != NULL) {
		list_remove(&sv->parked_link);
		sv->parked = false;
		__atomic_fetch_and(&sv->vcpu->pause_flags, ~VPF_PARKED, __ATOMIC_SEQ_CST);
		spin_unlock(&sd->cap_lock);
		vcpu_wake(sv->vcpu);
		spin_lock(&sd->cap_lock);
	}
}

/* Accounts for what the domain's vCPUs used that run at this moment: otherwise it would look unused. */
static void charge_all(struct domain *d)
{
	struct vcpu *v;

	for_each_vcpu(d, v) {
		struct run_queue *rq;

		if (READ_ONCE(v->sched->state) != SCHED_RUNNING)
			continue;
		rq = sched_lock(v->sched);
		if (v->sched->state == SCHED_RUNNING)
			rq->pool->policy->charge(sched_cpus[v->cpu], v->sched, time_now());
		spin_unlock(&rq->lock);
	}
}

static void refill_fired(void *arg)
{
	struct sched_domain *sd = arg;
	s64 old;

	charge_all(sd->domain);
	spin_lock(&sd->cap_lock);
	if (sd->cap == 0) {
		unpark_all(sd);
	} else {
		old = budget_fill(sd);
		/* Nothing was used: the next use starts the timer. */
		if (old >= cap_full(sd) && list_empty(&sd->parked))
			sd->refill_idle = true;
		else
			refill_arm(sd);
		if (__atomic_load_n(&sd->budget, __ATOMIC_RELAXED) > 0)
			unpark_all(sd);
	}
	spin_unlock(&sd->cap_lock);
}

ns_t cap_allowance(struct sched_vcpu *sv)
{
	struct sched_domain *sd = sv->vcpu->domain->sched;
	s64 budget = __atomic_load_n(&sd->budget, __ATOMIC_RELAXED);

	if (budget <= 0) {
		spin_lock_nested(&sd->cap_lock);
		budget = __atomic_load_n(&sd->budget, __ATOMIC_RELAXED);
		if (budget <= 0 && !sv->parked) {
			__atomic_fetch_or(&sv->vcpu->pause_flags, VPF_PARKED, __ATOMIC_SEQ_CST);
			perf_count(this_cpu(), PERF_PARK);
			sv->parked = true;
			list_add_tail(&sd->parked, &sv->parked_link);
		}
		spin_unlock(&sd->cap_lock);
		if (budget <= 0)
			return 0;
	}
	/* Others of the domain run too: all together should not use more than there is. */
	return MAX((ns_t)budget / (READ_ONCE(sd->nr_running) + 1), ALLOWANCE_MIN);
}

void cap_charge(struct sched_domain *sd, ns_t used)
{
	__atomic_fetch_sub(&sd->budget, (s64)used, __ATOMIC_RELAXED);
	if (unlikely(READ_ONCE(sd->refill_idle))) {
		spin_lock_nested(&sd->cap_lock);
		if (sd->refill_idle)
			refill_arm(sd);
		spin_unlock(&sd->cap_lock);
	}
}

void cap_forget(struct sched_vcpu *sv)
{
	struct sched_domain *sd = sv->vcpu->domain->sched;

	spin_lock_nested(&sd->cap_lock);
	if (sv->parked) {
		list_remove(&sv->parked_link);
		sv->parked = false;
		__atomic_fetch_and(&sv->vcpu->pause_flags, ~VPF_PARKED, __ATOMIC_SEQ_CST);
	}
	spin_unlock(&sd->cap_lock);
}

void cap_set(struct sched_domain *sd, u32 percent)
{
	spin_lock(&sd->cap_lock);
	sd->cap = percent;
	if (percent) {
		__atomic_store_n(&sd->budget, cap_full(sd), __ATOMIC_RELAXED);
		refill_arm(sd);
	}
	unpark_all(sd);
	spin_unlock(&sd->cap_lock);
}

void cap_init(struct sched_domain *sd)
{
	spin_init(&sd->cap_lock, LOCK_SCHED);
	list_init(&sd->parked);
	timer_init(&sd->refill, refill_fired, sd, 0);
}

void cap_destroy(struct sched_domain *sd)
{
	timer_kill(&sd->refill);
}
