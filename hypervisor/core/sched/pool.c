/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPU pools: each has some CPUs, a scheduling policy and some domains. The control lock, which every caller of the functions
 * that change something holds (or boot, which is alone), protects the list of pools and who is in which.
 */
#include "sched_private.h"
#include <hv/cpu.h>
#include <hv/errno.h>
#include <hv/frame.h>
#include <hv/log.h>
#include <hv/softirq.h>
#include <hv/time.h>

/* CPUs that share a run queue at most: the lock is shared too. */
#define QUEUE_CPUS 16u
#define POOL_IDS 0x10000u

struct cpupool *cpupools;

struct cpupool *cpupool_find(u32 id)
{
	struct cpupool *pool;

	for (pool = cpupools; pool && pool->id < id; pool = pool->next)
		;
	return pool && pool->id == id ? pool : NULL;
}

/* A run queue for a CPU that joins the pool. There always is a free one: no more than one a CPU is in use. */
static struct run_queue *group_find(const struct cpupool *pool, unsigned int cpu)
{
	unsigned int other;

	if (pool->policy->shared_queues)
		for_each_cpu(other, &pool->cpus) {
			struct run_queue *rq = sched_cpus[other]->rq;

			if (rq && rq->nr_cpus < QUEUE_CPUS && cpu_topology[other].socket == cpu_topology[cpu].socket)
				return rq;
		}
	if (!sched_cpus[cpu]->queue.nr_cpus)
		return &sched_cpus[cpu]->queue;
	for (other = 0; other < MAX_CPUS; other++)
		if (sched_cpus[other] && !sched_cpus[other]->queue.nr_cpus)
			return &sched_cpus[other]->queue;
	BUG();
}

/* Looks again where the vCPUs of the pool belong. */
static void pool_reconsider(const struct cpupool *pool)
{
	struct domain *d;
	struct vcpu *v;
	domid_t id;

	for (id = 0; (d = domain_next(id)) != NULL; domain_put(d)) {
		id = (domid_t)(d->id + 1);
		if (d->cpupool == pool->id)
			for_each_vcpu(d, v)
				if (v->sched)
					sched_vcpu_reconsider(v->sched);
	}
}

int cpupool_cpu_insert(struct cpupool *pool, unsigned int cpu)
{
	struct sched_cpu *sc = sched_cpus[cpu];
	struct run_queue *rq;

	if (sc->rq)
		return -EBUSY;
	rq = group_find(pool, cpu);
	spin_lock(&rq->lock);
	if (rq->nr_cpus++ == 0) {
		rq->pool = pool;
		pool->nr_queues++;
	}
	cpumask_set(&rq->cpus, cpu);
	sc->vtime = rq->vtime_max;
	sc->curr = NULL;
	WRITE_ONCE(sc->rq, rq);
	cpumask_set(&pool->cpus, cpu);
	cpumask_set(&pool->idle, cpu);
	pool->nr_cpus++;
	spin_unlock(&rq->lock);
	pool_reconsider(pool);
	softirq_raise(cpu, SOFTIRQ_SCHEDULE);
	return 0;
}

int cpupool_cpu_take(struct cpupool *pool, unsigned int cpu)
{
	struct sched_cpu *sc = sched_cpus[cpu];
	struct run_queue *rq = sc->rq;

	if (!rq || rq->pool != pool)
		return -EINVAL;
	if (pool->nr_cpus == 1 && pool->nr_domains)
		return -EBUSY;
	/* From here on nothing new is placed on it. If this is started again, it goes on from where it was. */
	cpumask_clear(&pool->cpus, cpu);
	pool_reconsider(pool);
	softirq_raise(cpu, SOFTIRQ_SCHEDULE);
	if (cpu == this_cpu() && !READ_ONCE(sc->loaded)->is_idle)
		return -ERESTART;
	while (READ_ONCE(sc->curr) || !READ_ONCE(sc->loaded)->is_idle)
		spin_poll();
	spin_lock(&rq->lock);
	cpumask_clear(&rq->cpus, cpu);
	cpumask_clear(&pool->idle, cpu);
	if (--rq->nr_cpus == 0)
		pool->nr_queues--;
	WRITE_ONCE(sc->rq, NULL);
	pool->nr_cpus--;
	spin_unlock(&rq->lock);
	/* Those that belonged to this CPU's queue, without being in it, find another one. */
	pool_reconsider(pool);
	return 0;
}

static void pool_link(struct cpupool *pool)
{
	struct cpupool **at = &cpupools;

	while (*at && (*at)->id < pool->id)
		at = &(*at)->next;
	pool->next = *at;
	*at = pool;
}

static struct cpupool *pool_alloc(u32 id, const struct sched_policy *policy)
{
	struct cpupool *pool = hv_alloc(sizeof(*pool));

	if (!pool)
		return NULL;
	pool->id = id;
	pool->policy = policy;
	pool->ratelimit = sched_ratelimit_default();
	pool->slice = 10000000;
	pool_link(pool);
	return pool;
}

void cpupool_init(const struct sched_policy *policy)
{
	if (!pool_alloc(0, policy))
		panic("no memory for the scheduler");
}

int cpupool_create(u32 id, u32 sched_id)
{
	const struct sched_policy *policy = sched_policy_find(sched_id);

	if (!policy)
		return -EINVAL;
	if (id == CPUPOOL_NONE)
		for (id = 0; cpupool_find(id); id++)
			;
	else if (cpupool_find(id))
		return -EEXIST;
	if (id >= POOL_IDS)
		return -EINVAL;
	return pool_alloc(id, policy) ? (int)id : -ENOMEM;
}

int cpupool_destroy(u32 id)
{
	struct cpupool **at = &cpupools, *pool = cpupool_find(id);

	if (!pool)
		return -ENOENT;
	if (id == 0 || pool->nr_cpus || pool->nr_domains)
		return -EBUSY;
	while (*at != pool)
		at = &(*at)->next;
	*at = pool->next;
	hv_free(pool);
	return 0;
}

bool cpupool_next(u32 from, struct cpupool_info *out)
{
	struct cpupool *pool;

	for (pool = cpupools; pool && pool->id < from; pool = pool->next)
		;
	if (!pool)
		return false;
	*out = (struct cpupool_info){ .id = pool->id, .sched_id = pool->policy->id, .domains = pool->nr_domains,
				      .cpus = pool->cpus };
	return true;
}

int cpupool_cpu_add(u32 id, unsigned int cpu)
{
	struct cpupool *pool = cpupool_find(id);

	if (!pool)
		return -ENOENT;
	return cpu_online(cpu) && sched_cpus[cpu] ? cpupool_cpu_insert(pool, cpu) : -EINVAL;
}

int cpupool_cpu_remove(u32 id, unsigned int cpu)
{
	struct cpupool *pool = cpupool_find(id);

	if (!pool)
		return -ENOENT;
	return cpu < MAX_CPUS && sched_cpus[cpu] ? cpupool_cpu_take(pool, cpu) : -EINVAL;
}

struct cpumask cpupool_free_cpus(void)
{
	struct cpumask m = cpumask_none();
	unsigned int cpu;

	for_each_cpu(cpu, &cpu_online_map)
		if (sched_cpus[cpu] && !sched_cpus[cpu]->rq)
			cpumask_set(&m, cpu);
	return m;
}

static void vcpu_detach(struct sched_vcpu *sv)
{
	struct run_queue *rq = sched_lock(sv);

	sv->vcpu->domain->sched->pool->policy->leave(rq, sv);
	spin_unlock(&rq->lock);
}

/* Takes a vCPU, which is not queued and not running, over to the pool that its domain now belongs to. */
static void vcpu_attach(struct sched_vcpu *sv, struct cpupool *pool)
{
	struct run_queue *from = sched_lock(sv), *to = sched_cpus[cpumask_next(&pool->cpus, 0)]->rq;

	sv->vtime = to->vtime_max;
	sv->slept = time_now();
	WRITE_ONCE(sv->rq, to);
	spin_unlock(&from->lock);
	/* Affinity was about the CPUs of the old pool. */
	for (size_t i = 0; i < ARRAY_SIZE(sv->vcpu->hard_affinity.bits); i++)
		sv->vcpu->hard_affinity.bits[i] = sv->vcpu->soft_affinity.bits[i] = ~0ul;
	sched_vcpu_reconsider(sv);
}

int cpupool_domain_move(struct domain *d, u32 id)
{
	struct cpupool *pool = cpupool_find(id), *old = d->sched->pool;
	struct vcpu *v;

	if (!pool)
		return -ENOENT;
	if (pool == old)
		return 0;
	if (!pool->nr_cpus)
		return -EBUSY;
	domain_pause(d);
	for_each_vcpu(d, v)
		vcpu_detach(v->sched);
	d->sched->pool = pool;
	d->cpupool = id;
	for_each_vcpu(d, v)
		vcpu_attach(v->sched, pool);
	__atomic_fetch_sub(&old->nr_domains, 1, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&pool->nr_domains, 1, __ATOMIC_SEQ_CST);
	domain_unpause(d);
	return 0;
}
