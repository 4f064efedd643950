/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What all schedulers share: waking, stopping, and the switch from one vCPU to another.
 *
 * A vCPU that blocks while nothing else can run stays loaded on its CPU, so that waking it costs no context switch. It is then
 * in state OFF with vcpu->running set, and only that CPU may run it again; the CPU lets go of it as soon as it runs
 * something else, or somebody waits for the vCPU to have stopped (vcpu_sleep_sync).
 */
#include "sched_private.h"
#include <hv/cpu.h>
#include <hv/errno.h>
#include <hv/event.h>
#include <hv/log.h>
#include <hv/perf.h>
#include <hv/smp.h>
#include <hv/softirq.h>
#include <hv/time.h>
#include <hv/trace.h>

struct sched_cpu *sched_cpus[MAX_CPUS];

struct run_queue *sched_lock(struct sched_vcpu *sv)
{
	for (;;) {
		struct run_queue *rq = READ_ONCE(sv->rq);

		spin_lock(&rq->lock);
		if (likely(rq == READ_ONCE(sv->rq)))
			return rq;
		spin_unlock(&rq->lock);
	}
}

struct run_queue *sched_cpu_lock(struct sched_cpu *sc)
{
	for (;;) {
		struct run_queue *rq = READ_ONCE(sc->rq);

		if (!rq)
			return NULL;
		spin_lock(&rq->lock);
		if (likely(rq == READ_ONCE(sc->rq)))
			return rq;
		spin_unlock(&rq->lock);
	}
}

void sched_tickle(struct sched_cpu *sc)
{
	sc->tickled = true;
	softirq_raise(sc->cpu, SOFTIRQ_SCHEDULE);
}

/* The state to report for a vCPU that does not run. */
static u32 runstate_of(const struct vcpu *v)
{
	if (vcpu_runnable(v) || (READ_ONCE(v->pause_flags) & VPF_PARKED))
		return RUNSTATE_runnable;
	return READ_ONCE(v->pause_flags) & (VPF_BLOCKED | VPF_POLL) ? RUNSTATE_blocked : RUNSTATE_offline;
}

void sched_enqueue_unlock(struct run_queue *rq, struct sched_vcpu *sv, ns_t now)
{
	struct vcpu *v = sv->vcpu;

	for (;;) {
		struct run_queue *to;

		/* Looked at again after each change of locks. */
		if (sv->state != SCHED_OFF || v->running || !vcpu_runnable(v))
			break;
		vcpu_runstate_change(v, RUNSTATE_runnable, now);
		to = rq->pool->policy->place(sv);
		if (!to)
			break;
		if (to == rq) {
			rq->pool->policy->enqueue(rq, sv, now);
			break;
		}
		if (rq->pool->policy->requeue)
			rq->pool->policy->requeue(rq, to, sv);
		WRITE_ONCE(sv->rq, to);
		spin_unlock(&rq->lock);
		rq = sched_lock(sv);
	}
	spin_unlock(&rq->lock);
}

void vcpu_wake(struct vcpu *v)
{
	struct sched_vcpu *sv = v->sched;
	ns_t now = time_now();
	struct run_queue *rq;

	if (unlikely(!sv))
		return;
	rq = sched_lock(sv);
	if (sv->state == SCHED_OFF && v->running && vcpu_runnable(v)) {
		/* Still loaded: its CPU takes it from there. */
		vcpu_runstate_change(v, RUNSTATE_runnable, now);
		softirq_raise(v->cpu, SOFTIRQ_SCHEDULE);
		spin_unlock(&rq->lock);
		return;
	}
	sched_enqueue_unlock(rq, sv, now);
}

void vcpu_sleep_nosync(struct vcpu *v)
{
	struct sched_vcpu *sv = v->sched;
	struct run_queue *rq;
	ns_t now;

	if (unlikely(!sv))
		return;
	now = time_now();
	rq = sched_lock(sv);
	if (vcpu_runnable(v)) {
		/* Nothing to do any more. */
	} else if (sv->state == SCHED_QUEUED) {
		rq->pool->policy->dequeue(rq, sv);
		sv->state = SCHED_OFF;
		rq->pool->policy->stopped(rq, sv, now);
		vcpu_runstate_change(v, runstate_of(v), now);
	} else if (v->running) {
		softirq_raise(v->cpu, SOFTIRQ_SCHEDULE);
	} else {
		vcpu_runstate_change(v, runstate_of(v), now);
	}
	spin_unlock(&rq->lock);
}

void vcpu_sleep_sync(struct vcpu *v)
{
	vcpu_sleep_nosync(v);
	while (__atomic_load_n(&v->running, __ATOMIC_ACQUIRE) && !vcpu_runnable(v))
		spin_poll();
}

void vcpu_unblock(struct vcpu *v)
{
	u32 old;

	if (!(READ_ONCE(v->pause_flags) & (VPF_BLOCKED | VPF_POLL)))
		return;
	old = __atomic_fetch_and(&v->pause_flags, ~(VPF_BLOCKED | VPF_POLL), __ATOMIC_SEQ_CST);
	if (old & VPF_POLL)
		__atomic_fetch_sub(&v->domain->poll_mask_count, 1, __ATOMIC_SEQ_CST);
	if (old & (VPF_BLOCKED | VPF_POLL))
		vcpu_wake(v);
}

void vcpu_kick(struct vcpu *v)
{
	unsigned int cpu = READ_ONCE(v->cpu);

	if (READ_ONCE(v->running) && cpu != this_cpu())
		smp_kick(cpu);
}

void vcpu_block(struct vcpu *v)
{
	__atomic_fetch_or(&v->pause_flags, VPF_BLOCKED, __ATOMIC_SEQ_CST);
	/* An event that came before the flag was set did not clear it. */
	if (event_pending(v))
		__atomic_fetch_and(&v->pause_flags, ~VPF_BLOCKED, __ATOMIC_SEQ_CST);
	else
		softirq_raise(v->cpu, SOFTIRQ_SCHEDULE);
}

void vcpu_yield(struct vcpu *v)
{
	struct sched_vcpu *sv = v->sched;

	/* Without the lock: a vCPU that comes to wait just now gets its turn anyway. */
	if (READ_ONCE(sv->rq->nr_waiting) == 0)
		return;
	sv->yielded = true;
	softirq_raise(v->cpu, SOFTIRQ_SCHEDULE);
}

/*
 * A vCPU that blocks may keep its CPU's registers and page tables while the CPU idles. Not if somebody waits for it to stop, if it is to run
 * elsewhere, or if the CPU is being taken out of its pool.
 */
static bool may_stay_loaded(const struct run_queue *rq, const struct vcpu *v)
{
	return !vcpu_runnable(v) && cpumask_test(&rq->pool->cpus, v->cpu) && !(READ_ONCE(v->pause_flags) & ~(VPF_BLOCKED | VPF_POLL)) && !READ_ONCE(v->pause_count) && !READ_ONCE(v->domain->pause_count);
}

static bool may_run_here(const struct sched_cpu *sc, const struct sched_vcpu *sv)
{
	return sv->rq == sc->rq && cpumask_test(&sv->allowed, sc->cpu) && vcpu_runnable(sv->vcpu);
}

/* Bookkeeping for what runs on sc from now on; curr is what ran, if anything. Run queue locked. */
static void current_change(struct sched_cpu *sc, struct run_queue *rq, struct sched_vcpu *next, ns_t now)
{
	struct sched_vcpu *curr = sc->curr;

	/* Whoever woke this CPU took it out of the idle ones, even if there turns out to be nothing to do. */
	if (next)
		cpumask_clear(&rq->pool->idle, sc->cpu);
	else
		cpumask_set(&rq->pool->idle, sc->cpu);
	if (curr == next)
		return;
	sc->preempt = false;
	if (curr) {
		rq->nr_running--;
		rq->weight -= curr->weight;
		__atomic_fetch_sub(&curr->vcpu->domain->sched->nr_running, 1, __ATOMIC_RELAXED);
		curr->state = SCHED_OFF;
		curr->yielded = false;
		rq->pool->policy->stopped(rq, curr, now);
		vcpu_runstate_change(curr->vcpu, runstate_of(curr->vcpu), now);
	} else {
		vcpu_runstate_change(idle_domain->vcpu[sc->cpu], RUNSTATE_runnable, now);
	}
	if (next) {
		rq->nr_running++;
		rq->weight += next->weight;
		__atomic_fetch_add(&next->vcpu->domain->sched->nr_running, 1, __ATOMIC_RELAXED);
		next->state = SCHED_RUNNING;
		next->charged = now;
		sc->run_since = now;
		vcpu_runstate_change(next->vcpu, RUNSTATE_running, now);
	} else {
		vcpu_runstate_change(idle_domain->vcpu[sc->cpu], RUNSTATE_running, now);
	}
	sc->curr = next;
}

/* Timers of a vCPU go where it runs, so that they interrupt that CPU. */
static void vcpu_timers_move(struct vcpu *v, unsigned int cpu)
{
	timer_migrate(&v->singleshot, cpu);
	timer_migrate(&v->periodic, cpu);
	timer_migrate(&v->poll, cpu);
}

/* The switch itself, with no lock held. prev may still be runnable: it is queued again when its state has been saved. */
static void switch_vcpus(struct sched_cpu *sc, struct vcpu *prev, struct vcpu *next, bool moved, ns_t now)
{
	perf_count(sc->cpu, PERF_SWITCH);
	trace_note(sc->cpu, now, TRACE_SWITCH, next, (u64)prev->domain->id << 16 | prev->id);
	if (!prev->is_idle)
		runstate_publish(prev);
	sc->loaded = next;
	context_switch(prev, next);
	if (!prev->is_idle) {
		struct run_queue *rq = sched_lock(prev->sched);

		__atomic_store_n(&prev->running, false, __ATOMIC_RELEASE);
		sched_enqueue_unlock(rq, prev->sched, time_now());
	}
	if (!next->is_idle) {
		if (moved) {
			perf_count(sc->cpu, PERF_MOVE);
			vcpu_timers_move(next, sc->cpu);
		}
		time_update_vcpu(next);
	}
}

static void slice_set(struct sched_cpu *sc, ns_t until)
{
	/* A timer that is too early is left alone: when it fires, the end of the turn is known better. */
	if (until && (!timer_armed(&sc->slice) || sc->slice.expires > until))
		timer_set(&sc->slice, until);
}

bool schedule_once(unsigned int cpu)
{
	struct sched_cpu *sc = sched_cpus[cpu];
	struct vcpu *prev = sc->loaded, *target;
	struct sched_vcpu *cur = prev->sched, *next = NULL;
	struct run_queue *rq;
	ns_t now = time_now(), until = 0;
	bool moved = false, changed;

	perf_count(cpu, PERF_SCHEDULE);
	__atomic_fetch_and(&cpu_info_of(cpu)->softirq, ~(1u << SOFTIRQ_SCHEDULE), __ATOMIC_SEQ_CST);
	rq = sched_cpu_lock(sc);
	if (rq) {
		sc->tickled = false;
		if (sc->curr)
			rq->pool->policy->charge(sc, sc->curr, now);
		/* Not while it is being taken out of its pool. */
		if (likely(cpumask_test(&rq->pool->cpus, cpu)))
			next = rq->pool->policy->pick(sc, cur && may_run_here(sc, cur) ? cur : NULL, now, &until);
		changed = sc->curr != next;
		current_change(sc, rq, next, now);
	} else {
		changed = false;
	}
	if (next) {
		target = next->vcpu;
		moved = target->cpu != cpu;
		target->cpu = cpu;
		target->running = true;
	} else {
		target = cur && rq && may_stay_loaded(rq, prev) ? prev : idle_domain->vcpu[cpu];
	}
	if (rq)
		spin_unlock(&rq->lock);
	slice_set(sc, until);
	if (target != prev)
		switch_vcpus(sc, prev, target, moved, now);
	else if (changed)
		trace_note(cpu, now, next ? TRACE_RESUME : TRACE_IDLE, target, 0);
	if (changed && !target->is_idle)
		runstate_publish(target);
	if (!next)
		perf_count(cpu, PERF_IDLE);
	return next != NULL;
}

/* Beside choosing: helps other CPUs of the pool, or looks for work there. True: there may be something to run now. */
static bool share_work(unsigned int cpu, bool idle)
{
	struct sched_cpu *sc = sched_cpus[cpu];
	struct run_queue *rq = READ_ONCE(sc->rq);

	if (!rq || READ_ONCE(rq->pool->nr_queues) < 2)
		return false;
	if (idle)
		return rq->pool->policy->steal && rq->pool->policy->steal(sc);
	if (rq->pool->policy->balance)
		rq->pool->policy->balance(sc, time_now());
	return false;
}

bool schedule_try(unsigned int cpu)
{
	while (!schedule_once(cpu))
		if (!share_work(cpu, true))
			return false;
	share_work(cpu, false);
	return true;
}

void schedule(unsigned int cpu)
{
	while (!schedule_try(cpu)) {
		softirq_run(cpu);
		if (!(softirq_pending(cpu) & (1u << SOFTIRQ_SCHEDULE)))
			cpu_idle(cpu);
	}
}
