/* SPDX-License-Identifier: BSD-2-Clause */
/* Which CPUs a vCPU may run on. */
#include "sched_private.h"
#include <hv/cpu.h>
#include <hv/errno.h>
#include <hv/string.h>
#include <hv/time.h>

static bool mask_equal(const struct cpumask *a, const struct cpumask *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* CPUs of the domain's NUMA nodes among m; m if there are none. */
static struct cpumask node_cpus(const struct domain *d, const struct cpumask *m)
{
	struct cpumask near = cpumask_none();
	unsigned int cpu;

	if (!d->node_affinity)
		return *m;
	for_each_cpu(cpu, m)
		if (cpu_topology[cpu].node < 64 && (d->node_affinity >> cpu_topology[cpu].node & 1))
			cpumask_set(&near, cpu);
	return cpumask_empty(&near) ? *m : near;
}

void sched_allowed_update(struct sched_vcpu *sv)
{
	const struct cpumask *cpus = &sv->vcpu->domain->sched->pool->cpus;
	const struct vcpu *v = sv->vcpu;

	sv->allowed = cpumask_and(&v->hard_affinity, cpus);
	if (cpumask_empty(&sv->allowed))
		sv->allowed = *cpus;
	sv->any_cpu = mask_equal(&sv->allowed, cpus);
	sv->single = cpumask_weight(&sv->allowed) == 1 ? cpumask_next(&sv->allowed, 0) : MAX_CPUS;
	sv->preferred = cpumask_and(&v->soft_affinity, &sv->allowed);
	if (cpumask_empty(&sv->preferred) || mask_equal(&sv->preferred, &sv->allowed))
		sv->preferred = node_cpus(v->domain, &sv->allowed);
}

/* Some run queue of the pool that is in use; there is one while the pool has CPUs. */
static struct run_queue *queue_any(const struct cpupool *pool)
{
	unsigned int cpu;

	for_each_cpu(cpu, &pool->cpus)
		if (sched_cpus[cpu]->rq)
			return sched_cpus[cpu]->rq;
	return NULL;
}

void sched_vcpu_reconsider(struct sched_vcpu *sv)
{
	struct run_queue *rq = sched_lock(sv), *to;
	ns_t now = time_now();

	if (sv->state == SCHED_QUEUED) {
		rq->pool->policy->dequeue(rq, sv);
		sv->state = SCHED_OFF;
		rq->pool->policy->stopped(rq, sv, now);
	}
	sched_allowed_update(sv);
	if (sv->vcpu->running) {
		if (!cpumask_test(&sv->allowed, sv->vcpu->cpu))
			sched_tickle(sched_cpus[sv->vcpu->cpu]);
	} else if (!rq->nr_cpus) {
		to = queue_any(sv->vcpu->domain->sched->pool);
		if (to)
			WRITE_ONCE(sv->rq, to);
		spin_unlock(&rq->lock);
		rq = sched_lock(sv);
	}
	sched_enqueue_unlock(rq, sv, now);
}

int vcpu_affinity_set_hard(struct vcpu *v, const struct cpumask *m)
{
	struct run_queue *rq = sched_lock(v->sched);
	struct cpumask left = cpumask_and(m, &rq->pool->cpus);
	bool ok = !cpumask_empty(&left);

	if (ok)
		v->hard_affinity = *m;
	spin_unlock(&rq->lock);
	if (!ok)
		return -EINVAL;
	sched_vcpu_reconsider(v->sched);
	return 0;
}

void vcpu_affinity_set_soft(struct vcpu *v, const struct cpumask *m)
{
	struct run_queue *rq = sched_lock(v->sched);

	v->soft_affinity = *m;
	spin_unlock(&rq->lock);
	sched_vcpu_reconsider(v->sched);
}

void vcpu_affinity_effective(struct vcpu *v, struct cpumask *out)
{
	struct run_queue *rq = sched_lock(v->sched);

	*out = v->sched->allowed;
	spin_unlock(&rq->lock);
}

void sched_node_affinity_changed(struct domain *d)
{
	struct vcpu *v;

	for_each_vcpu(d, v)
		sched_vcpu_reconsider(v->sched);
}
