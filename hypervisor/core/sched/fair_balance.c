/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Weighted-fair scheduling over several run queues: where a vCPU goes when it wakes up, what an idle CPU takes from other
 * queues, and how queues that progress at different speeds are evened out.
 *
 * The last works by progress, the virtual time that a queue has served. A queue that lags behind another by more than a turn gives its first
 * waiting vCPU away, which takes the lag along as a claim. Over a longer time each vCPU so gets its share of the whole pool,
 * also when the numbers do not come out even (four vCPUs on three queues: they take turns to be the ones that share).
 */
#include "sched_private.h"
#include <hv/cpu.h>
#include <hv/perf.h>
#include <hv/time.h>

#define MSEC 1000000ul
#define BALANCE_PERIOD (20 * MSEC)
/* Lag, in time of the vCPU that would move, from which on it does; and the most that is remembered. */
#define LAG_MOVE (20 * MSEC)
#define LAG_MAX (100 * MSEC)

/* Calls that follow visit each run queue of a pool once; racy, so a queue that comes or goes may be missed. */
static struct run_queue *queue_next(const struct cpupool *pool, unsigned int *cpu)
{
	for (*cpu = cpumask_next(&pool->cpus, *cpu); *cpu < MAX_CPUS; *cpu = cpumask_next(&pool->cpus, *cpu + 1)) {
		struct run_queue *rq = READ_ONCE(sched_cpus[*cpu]->rq);

		if (rq && rq->pool == pool && cpumask_next(&rq->cpus, 0) == *cpu) {
			++*cpu;
			return rq;
		}
	}
	return NULL;
}

/* The queue of a CPU, if it is in one. */
static struct run_queue *queue_of(unsigned int cpu)
{
	return cpu < MAX_CPUS ? READ_ONCE(sched_cpus[cpu]->rq) : NULL;
}

static bool queue_intersects(const struct run_queue *rq, const struct cpumask *m)
{
	struct cpumask both = cpumask_and(&rq->cpus, m);

	return !cpumask_empty(&both);
}

/* Of the queues with a CPU in m, the one with the least weight on a CPU. */
static struct run_queue *queue_least(const struct cpupool *pool, const struct cpumask *m)
{
	struct run_queue *rq, *best = NULL;
	unsigned int cpu = 0;

	while ((rq = queue_next(pool, &cpu)) != NULL) {
		if (!rq->nr_cpus || !queue_intersects(rq, m))
			continue;
		/* weight / nr_cpus, without the division. */
		if (!best || READ_ONCE(rq->weight) * best->nr_cpus < READ_ONCE(best->weight) * rq->nr_cpus)
			best = rq;
	}
	return best;
}

static struct run_queue *place_idle(const struct sched_vcpu *sv, const struct cpumask *idle)
{
	struct cpumask m = cpumask_and(idle, &sv->preferred);
	unsigned int cpu;

	if (cpumask_empty(&m))
		m = *idle;
	if (queue_intersects(sv->rq, &m))
		return sv->rq;
	/* Elsewhere: rather on the node where it was. */
	for_each_cpu(cpu, &m)
		if (cpu_topology[cpu].node == cpu_topology[sv->vcpu->cpu].node)
			return queue_of(cpu);
	return queue_of(cpumask_next(&m, 0));
}

struct run_queue *fair_place(struct sched_vcpu *sv)
{
	struct run_queue *rq = sv->rq, *to = NULL;
	const struct cpupool *pool = rq->pool;
	struct cpumask idle;

	if (likely(pool->nr_queues == 1 && rq->nr_cpus))
		return rq;
	idle = cpumask_and(&pool->idle, &sv->allowed);
	if (!cpumask_empty(&idle))
		to = place_idle(sv, &idle);
	if (!to && rq->nr_cpus && queue_intersects(rq, &sv->preferred))
		to = rq;
	if (!to)
		to = queue_least(pool, &sv->preferred);
	if (!to)
		to = queue_least(pool, &pool->cpus);
	return to;
}

/* Takes a waiting vCPU out of its queue (locked) and makes it belong to another one. */
static void vcpu_take(struct run_queue *from, struct run_queue *to, struct sched_vcpu *sv, ns_t now)
{
	fair_dequeue(from, sv);
	sv->state = SCHED_OFF;
	sv->slept = now;
	fair_requeue(from, to, sv);
	WRITE_ONCE(sv->rq, to);
}

/* The first vCPU of the shared tree that may run on one of the CPUs, rather one that prefers to. */
static struct sched_vcpu *movable(const struct run_queue *rq, const struct cpumask *cpus)
{
	struct sched_vcpu *any = NULL;
	struct tree_node *n;

	tree_for_each(n, &rq->shared) {
		struct sched_vcpu *sv = fair_vcpu(n);
		struct cpumask m = cpumask_and(&sv->preferred, cpus);

		if (!cpumask_empty(&m))
			return sv;
		m = cpumask_and(&sv->allowed, cpus);
		if (!any && !cpumask_empty(&m))
			any = sv;
	}
	return any;
}

bool fair_steal(struct sched_cpu *sc)
{
	struct run_queue *own = READ_ONCE(sc->rq), *rq;
	struct cpumask me = cpumask_of(sc->cpu);
	struct cpupool *pool;
	unsigned int cpu = 0;

	if (!own)
		return false;
	pool = own->pool;
	while ((rq = queue_next(pool, &cpu)) != NULL) {
		struct sched_vcpu *sv = NULL;
		ns_t now = time_now();

		if (rq == own || __atomic_load_n(&rq->nr_waiting, __ATOMIC_SEQ_CST) == 0)
			continue;
		spin_lock(&rq->lock);
		if (rq->pool == pool)
			sv = movable(rq, &me);
		if (sv)
			vcpu_take(rq, own, sv, now);
		spin_unlock(&rq->lock);
		if (sv) {
			perf_count(sc->cpu, PERF_STEAL);
			own = sched_lock(sv);
			sched_enqueue_unlock(own, sv, now);
			return true;
		}
	}
	return false;
}

/* How far the progress of rq is ahead of `mine`; it is held near it. Locks rq. */
static s64 queue_ahead(struct run_queue *rq, u64 mine, s64 limit, ns_t now)
{
	s64 ahead;

	spin_lock(&rq->lock);
	fair_refresh(rq, now);
	ahead = vtime_diff(rq->vtime_max - rq->base, mine);
	/* With an idle CPU, its progress means nothing; and what is long past is forgotten. */
	if (rq->nr_running < rq->nr_cpus) {
		rq->base = rq->vtime_max - mine;
		ahead = 0;
	} else if (ahead > limit) {
		rq->base += (u64)(ahead - limit);
		ahead = limit;
	} else if (ahead < -limit) {
		rq->base -= (u64)(-limit - ahead);
		ahead = -limit;
	}
	spin_unlock(&rq->lock);
	return ahead;
}

/* Gives the first movable vCPU of rq to the queue `to`, which is ahead by so much. */
static void queue_give(struct sched_cpu *sc, struct run_queue *to, s64 ahead, ns_t now)
{
	struct run_queue *rq = sched_cpu_lock(sc);
	struct sched_vcpu *sv;

	if (!rq)
		return;
	sv = rq == to || rq->pool != to->pool ? NULL : movable(rq, &to->cpus);
	if (!sv || ahead < (s64)vtime_of(sv, LAG_MOVE)) {
		spin_unlock(&rq->lock);
		return;
	}
	perf_count(sc->cpu, PERF_BALANCE);
	vcpu_take(rq, to, sv, now);
	spin_unlock(&rq->lock);
	rq = sched_lock(sv);
	sched_enqueue_unlock(rq, sv, now);
}

void fair_balance(struct sched_cpu *sc, ns_t now)
{
	struct run_queue *own = READ_ONCE(sc->rq), *rq, *best = NULL;
	s64 most = 0, limit = 0;
	unsigned int cpu = 0;
	u64 mine;

	if (!own || READ_ONCE(own->nr_waiting) == 0 || now - READ_ONCE(own->balanced) < BALANCE_PERIOD)
		return;
	own = sched_cpu_lock(sc);
	if (!own)
		return;
	own->balanced = now;
	if (!tree_empty(&own->shared))
		limit = (s64)vtime_of(fair_vcpu(tree_first(&own->shared)), LAG_MAX);
	mine = own->vtime_max - own->base;
	spin_unlock(&own->lock);
	while (limit && (rq = queue_next(own->pool, &cpu)) != NULL) {
		s64 ahead = rq == own ? 0 : queue_ahead(rq, mine, limit, now);

		if (ahead > most) {
			most = ahead;
			best = rq;
		}
	}
	if (best)
		queue_give(sc, best, most, now);
}
