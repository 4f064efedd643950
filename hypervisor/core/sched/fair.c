/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Weighted-fair scheduling. Each vCPU has a virtual time that grows with the time it runs, the slower the greater its weight;
 * a CPU runs the one with the smallest. A vCPU that slept is not given all the time it did not ask for: its virtual time is
 * brought to a little before that of those it competes with, which is enough to run at once.
 *
 * Virtual time is in 1/256 ns for a weight of 65536; it wraps round, and only differences between vCPUs of one queue that are not
 * asleep for long have a meaning.
 */
#include "sched_private.h"
#include <hv/cpu.h>
#include <hv/time.h>
#include <xen/domctl.h>

#define MSEC 1000000ul
/* How far one may run ahead of those that wait when they are few. */
#define LEAD_MAX (4 * MSEC)
/* Not worth a timer. */
#define TURN_MIN (MSEC / 20)
/* Together, those that wait for a CPU get a turn in about this time. */
#define ROUND (12 * MSEC)
/* What a vCPU that wakes up gains over those that run, as time of a vCPU of the default weight, and what it must gain to preempt. */
#define WAKE_BONUS (3 * MSEC)
#define WAKE_MARGIN (1 * MSEC)
/* After so long, sleep has wiped out whatever the vCPU owed. */
#define SLEEP_FORGET (1000 * MSEC)
/* A vCPU that could not use all of its share, for lack of CPUs that it may run on, keeps a claim to this much of others' time. */
#define CLAIM_MAX (20 * MSEC)
/* What it may be behind or ahead when it comes to another queue. */
#define REQUEUE_MAX (50 * MSEC)
/* Longest time that is charged at once, so that the product below does not overflow. */
#define CHARGE_MAX (10000 * MSEC)
/* Virtual times of a queue's CPUs are brought up to date for a wake-up when they are older than this. */
#define REFRESH_PERIOD (1 * MSEC)
/* Sleep shorter than this leaves the virtual time as it is. */
#define SLEEP_SHORT (MSEC / 2)
#define DEFAULT_WEIGHT 256ul

/* ns of a vCPU of the default weight as virtual time. */
static u64 vtime_default(ns_t ns)
{
	return ns * (65536 / DEFAULT_WEIGHT);
}

static bool fair_less(const struct tree_node *a, const struct tree_node *b)
{
	return vtime_diff(fair_vcpu(a)->vtime, fair_vcpu(b)->vtime) < 0;
}

/* The first waiting vCPU of the shared tree that this CPU may run. */
static struct sched_vcpu *fair_first_shared(const struct sched_cpu *sc, const struct run_queue *rq)
{
	struct tree_node *n;

	/* Those that may not run here are passed over: few, since most vCPUs may run on all CPUs or on one. */
	tree_for_each(n, &rq->shared) {
		struct sched_vcpu *sv = fair_vcpu(n);

		if (sv->any_cpu || cpumask_test(&sv->allowed, sc->cpu))
			return sv;
	}
	return NULL;
}

/* The waiting vCPU that this CPU should run, or NULL. */
static struct sched_vcpu *fair_first(const struct sched_cpu *sc, const struct run_queue *rq)
{
	struct sched_vcpu *pinned = fair_vcpu(tree_first(&sc->pinned)), *shared = fair_first_shared(sc, rq);

	if (!pinned || !shared)
		return pinned ? pinned : shared;
	return vtime_diff(shared->vtime, pinned->vtime) < 0 ? shared : pinned;
}

static struct tree *fair_tree(struct run_queue *rq, const struct sched_vcpu *sv)
{
	return sv->single < MAX_CPUS ? &sched_cpus[sv->single]->pinned : &rq->shared;
}

/*
 * The furthest virtual time among the CPUs it may run on: then one of them at least serves it as if it had been there all
 * along, and it does not starve the others there. An idle CPU has no time of its own.
 */
u64 fair_reference(const struct run_queue *rq, const struct sched_vcpu *sv)
{
	struct cpumask m;
	unsigned int cpu;
	u64 ref = 0;
	bool found = false;

	if (sv->any_cpu)
		return rq->vtime_max;
	m = cpumask_and(&sv->allowed, &rq->cpus);
	for_each_cpu(cpu, &m) {
		const struct sched_cpu *sc = sched_cpus[cpu];

		if (!sc->curr)
			return rq->vtime_max;
		if (!found || vtime_diff(sc->vtime, ref) > 0)
			ref = sc->vtime;
		found = true;
	}
	return found ? ref : rq->vtime_max;
}

/* sc runs sv while first (NULL: nobody) waits: its virtual time is that of the one that is behind. */
static void cpu_vtime_advance(struct run_queue *rq, struct sched_cpu *sc, const struct sched_vcpu *sv,
			      const struct sched_vcpu *first)
{
	u64 vtime = first && vtime_diff(first->vtime, sv->vtime) < 0 ? first->vtime : sv->vtime;

	if (!sc->curr || vtime_diff(vtime, sc->vtime) > 0)
		sc->vtime = vtime;
	if (vtime_diff(sc->vtime, rq->vtime_max) > 0)
		rq->vtime_max = sc->vtime;
}

static void vtime_at_least(struct sched_vcpu *sv, u64 vtime)
{
	if (vtime_diff(sv->vtime, vtime) < 0)
		sv->vtime = vtime;
}

/* Brings the virtual times of the CPUs up to date: nothing else does while they run one vCPU each undisturbed. */
void fair_refresh(struct run_queue *rq, ns_t now)
{
	unsigned int cpu;

	if (now - rq->refreshed < REFRESH_PERIOD)
		return;
	rq->refreshed = now;
	for_each_cpu(cpu, &rq->cpus) {
		struct sched_cpu *sc = sched_cpus[cpu];

		if (!sc->curr)
			continue;
		fair_charge(sc, sc->curr, now);
		cpu_vtime_advance(rq, sc, sc->curr, fair_first(sc, rq));
	}
}

/* Virtual time of a vCPU that joins those that compete. */
static void fair_join(struct run_queue *rq, struct sched_vcpu *sv, ns_t now)
{
	const struct sched_vcpu *first = fair_vcpu(tree_first(fair_tree(rq, sv)));
	u64 ref;

	fair_refresh(rq, now);
	ref = fair_reference(rq, sv) - vtime_default(WAKE_BONUS);
	if (now - sv->slept > SLEEP_FORGET)
		sv->vtime = ref;
	else if (now - sv->slept > SLEEP_SHORT)
		vtime_at_least(sv, ref);
	/* More than this ahead of the others it cannot have got by its own running. */
	if (first && vtime_diff(sv->vtime, first->vtime) > (s64)vtime_of(sv, CLAIM_MAX))
		sv->vtime = first->vtime + vtime_of(sv, CLAIM_MAX);
}

static void fair_stopped(struct run_queue *rq, struct sched_vcpu *sv, ns_t now)
{
	(void)rq;
	sv->slept = now;
}

/* An idle CPU among m, rather one where sv ran last or would like to run; MAX_CPUS if there is none. */
static unsigned int idle_cpu_for(const struct sched_vcpu *sv, const struct cpumask *idle, const struct cpumask *m)
{
	struct cpumask here = cpumask_and(idle, m), liked;

	if (cpumask_empty(&here))
		return MAX_CPUS;
	liked = cpumask_and(&here, &sv->preferred);
	if (!cpumask_empty(&liked))
		here = liked;
	if (cpumask_test(&here, sv->vcpu->cpu))
		return sv->vcpu->cpu;
	return cpumask_next(&here, 0);
}

/*
 * sv waits in rq, and every CPU that may run it runs another: stops the one whose vCPU is furthest ahead. If that is not worth it, it at
 * least gets an end to its turn.
 */
static void fair_preempt(struct run_queue *rq, const struct sched_vcpu *sv)
{
	struct cpumask m = cpumask_and(&sv->allowed, &rq->cpus);
	struct sched_cpu *best = NULL;
	s64 most = 0;
	unsigned int cpu;

	for_each_cpu(cpu, &m) {
		struct sched_cpu *sc = sched_cpus[cpu];
		s64 ahead;

		/* One that was asked to look again will do so soon. */
		if (!sc->curr || sc->tickled)
			continue;
		ahead = vtime_diff(sc->curr->vtime, sv->vtime);
		if (!best || ahead > most || (ahead == most && cpu == sv->vcpu->cpu)) {
			most = ahead;
			best = sc;
		}
	}
	if (!best)
		return;
	if (most > (s64)vtime_default(WAKE_MARGIN))
		best->preempt = true;
	else if (timer_armed(&best->slice))
		return;
	sched_tickle(best);
}

void fair_enqueue(struct run_queue *rq, struct sched_vcpu *sv, ns_t now)
{
	struct cpumask idle;
	unsigned int cpu;

	fair_join(rq, sv, now);
	sv->state = SCHED_QUEUED;
	rq->weight += sv->weight;
	tree_insert(fair_tree(rq, sv), &sv->node, fair_less);
	__atomic_store_n(&rq->nr_waiting, rq->nr_waiting + 1, __ATOMIC_SEQ_CST);
	/* A CPU that goes idle sets its bit before it looks for vCPUs that wait: one of the two sees the other. */
	idle = cpumask_and(&rq->pool->idle, &sv->allowed);
	cpu = idle_cpu_for(sv, &idle, &rq->cpus);
	if (cpu == MAX_CPUS)
		cpu = cpumask_next(&idle, 0);	/* of another queue: it comes and takes it (fair_steal) */
	if (cpu < MAX_CPUS) {
		cpumask_clear(&rq->pool->idle, cpu);
		sched_tickle(sched_cpus[cpu]);
	} else {
		fair_preempt(rq, sv);
	}
}

void fair_dequeue(struct run_queue *rq, struct sched_vcpu *sv)
{
	tree_remove(fair_tree(rq, sv), &sv->node);
	WRITE_ONCE(rq->nr_waiting, rq->nr_waiting - 1);
	rq->weight -= sv->weight;
}

/* sv runs while other waits. */
static void claim_limit(struct sched_vcpu *sv, const struct sched_vcpu *other)
{
	if (other)
		vtime_at_least(sv, other->vtime - vtime_of(other, CLAIM_MAX));
}

void fair_charge(struct sched_cpu *sc, struct sched_vcpu *sv, ns_t now)
{
	struct sched_domain *sd = sv->vcpu->domain->sched;
	ns_t used;

	if (now <= sv->charged)
		return;
	used = now - sv->charged;
	sv->charged = now;
	sv->vtime += vtime_of(sv, MIN(used, CHARGE_MAX));
	if (sd->cap)
		cap_charge(sd, used);
	/*
	 * Of each kind apart: pinned vCPUs and others meet only on single CPUs, and may have drifted apart. Those behind must not keep the
	 * others away for long.
	 */
	claim_limit(sv, fair_vcpu(tree_first(&sc->pinned)));
	claim_limit(sv, fair_first_shared(sc, sc->rq));
}

/* How far ahead of the first one waiting the running one may get. */
static ns_t fair_lead(const struct run_queue *rq)
{
	ns_t share = ROUND * rq->nr_cpus / (rq->nr_cpus + rq->nr_waiting);

	return MIN(MAX(share, rq->pool->ratelimit), LEAD_MAX);
}

/* When the turn of cur, which is chosen, ends if first waits for it. */
static ns_t fair_turn_end(const struct sched_cpu *sc, const struct run_queue *rq, const struct sched_vcpu *cur,
			  const struct sched_vcpu *first, ns_t now)
{
	s64 left = vtime_diff(first->vtime, cur->vtime) + (s64)vtime_of(cur, fair_lead(rq));
	ns_t since = sc->curr == cur ? sc->run_since : now;
	ns_t turn = rq->pool->slice;

	if (sc->curr == cur && sc->preempt)
		turn = 0;
	else if (left < (s64)vtime_of(cur, turn))
		turn = left > 0 ? ((u64)left << 8) / cur->rate : 0;
	return MAX(now + MAX(turn, TURN_MIN), since + rq->pool->ratelimit);
}

/* Shall cur, which could go on, be chosen although first waits? */
static bool fair_keeps(const struct sched_cpu *sc, const struct run_queue *rq, const struct sched_vcpu *cur,
		       const struct sched_vcpu *first, ns_t now)
{
	s64 ahead = vtime_diff(cur->vtime, first->vtime);

	if (sc->curr != cur)
		return ahead <= 0;
	if (cur->yielded)
		return false;
	if (now < sc->run_since + rq->pool->ratelimit)
		return true;
	return ahead < (sc->preempt ? 0 : (s64)vtime_of(cur, fair_lead(rq)));
}

static struct sched_vcpu *fair_choose(struct sched_cpu *sc, struct run_queue *rq, struct sched_vcpu *cur, ns_t now)
{
	struct sched_vcpu *first = fair_first(sc, rq);

	if (cur && (!first || fair_keeps(sc, rq, cur, first, now)))
		return cur;
	if (first)
		fair_dequeue(rq, first);
	return first;
}

/* An idle CPU was woken for one vCPU and took another: that one finds an idle CPU too, if there is one more. */
static void fair_wake_idle(const struct run_queue *rq)
{
	struct tree_node *n;

	tree_for_each(n, &rq->shared) {
		struct cpumask idle = cpumask_and(&rq->pool->idle, &fair_vcpu(n)->allowed);
		unsigned int cpu = idle_cpu_for(fair_vcpu(n), &idle, &rq->pool->cpus);

		if (cpu < MAX_CPUS) {
			cpumask_clear(&rq->pool->idle, cpu);
			sched_tickle(sched_cpus[cpu]);
		}
	}
}

static struct sched_vcpu *fair_pick(struct sched_cpu *sc, struct sched_vcpu *cur, ns_t now, ns_t *until)
{
	struct run_queue *rq = sc->rq;
	struct sched_vcpu *next, *first;
	ns_t allowance = 0;

	/* Woken up where it was still loaded. */
	if (cur && cur->state == SCHED_OFF)
		fair_join(rq, cur, now);
	for (;;) {
		next = fair_choose(sc, rq, cur, now);
		if (!next)
			return NULL;
		if (!next->vcpu->domain->sched->cap)
			break;
		allowance = cap_allowance(next);
		if (allowance)
			break;
		/* It was parked, and is not runnable any more. */
		if (next == cur) {
			cur = NULL;
		} else {
			next->state = SCHED_OFF;
			fair_stopped(rq, next, now);
		}
	}
	first = fair_first(sc, rq);
	cpu_vtime_advance(rq, sc, next, first);
	/* What ran until now will wait, as soon as its state is saved. */
	if (cur && next != cur && (!first || vtime_diff(cur->vtime, first->vtime) < 0))
		first = cur;
	if (first)
		*until = fair_turn_end(sc, rq, next, first, now);
	if (allowance && (!*until || now + allowance < *until))
		*until = now + allowance;
	next->yielded = false;
	if (!sc->curr && !tree_empty(&rq->shared) && !cpumask_empty(&rq->pool->idle)) {
		cpumask_clear(&rq->pool->idle, sc->cpu);
		fair_wake_idle(rq);
	}
	return next;
}

void fair_requeue(struct run_queue *from, struct run_queue *to, struct sched_vcpu *sv)
{
	s64 limit = (s64)vtime_of(sv, REQUEUE_MAX);
	u64 ref = READ_ONCE(to->vtime_max);
	/* Measured from the bases, the queues' progress can be compared: what sv is behind or ahead there, it is here too. */
	s64 ahead = vtime_diff(sv->vtime - from->base + READ_ONCE(to->base), ref);

	/* The other queue's lock is not held: its virtual time may be a little old. */
	sv->vtime = ref + (u64)MIN(MAX(ahead, -limit), limit);
}

static void fair_leave(struct run_queue *rq, struct sched_vcpu *sv)
{
	(void)rq;
	cap_forget(sv);
}

#define FAIR_POLICY(policy_name, policy_id) { \
	.name = policy_name, \
	.id = policy_id, \
	.shared_queues = true, \
	.place = fair_place, \
	.enqueue = fair_enqueue, \
	.dequeue = fair_dequeue, \
	.charge = fair_charge, \
	.pick = fair_pick, \
	.stopped = fair_stopped, \
	.steal = fair_steal, \
	.balance = fair_balance, \
	.leave = fair_leave, \
	.requeue = fair_requeue, \
}

/* One algorithm under the two names that toolstacks ask for. */
const struct sched_policy sched_policy_credit2 = FAIR_POLICY("credit2", XEN_SCHEDULER_CREDIT2);
const struct sched_policy sched_policy_credit = FAIR_POLICY("credit", XEN_SCHEDULER_CREDIT);
