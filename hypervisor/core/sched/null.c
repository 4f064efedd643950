/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The null policy: each CPU is given to one vCPU, which has it for itself; there are no turns and no timers. A vCPU for which no CPU is
 * left waits until one is given up (its vCPU goes down or away).
 */
#include "sched_private.h"
#include <hv/softirq.h>
#include <hv/time.h>
#include <xen/domctl.h>

/* Whose each CPU is. Changed under null_lock, which is taken with a run queue's lock held. */
static struct sched_vcpu *null_owner[MAX_CPUS];
static struct spinlock null_lock = SPINLOCK(LOCK_SCHED);

static domid_t null_next(struct domain *d)
{
	domid_t id = (domid_t)(d->id + 1);

	domain_put(d);
	return id;
}

/* Wakes the vCPUs that found no CPU: one may be free now. */
static void null_retry(void *arg)
{
	struct domain *d;
	struct vcpu *v;

	(void)arg;
	for (domid_t id = 0; (d = domain_next(id)) != NULL; id = null_next(d))
		for_each_vcpu(d, v)
			if (v->sched->rq->pool->policy == &sched_policy_null && v->sched->home == MAX_CPUS)
				vcpu_wake(v);
}

static struct tasklet null_retry_tasklet = { .fn = null_retry };

/* A CPU of m that is nobody's: rather the present one. */
static unsigned int null_free_cpu(const struct sched_vcpu *sv, const struct cpumask *m)
{
	unsigned int cpu;

	if (cpumask_test(m, sv->vcpu->cpu) && !null_owner[sv->vcpu->cpu])
		return sv->vcpu->cpu;
	for_each_cpu(cpu, m)
		if (!null_owner[cpu])
			return cpu;
	return MAX_CPUS;
}

static struct run_queue *null_place(struct sched_vcpu *sv)
{
	unsigned int cpu;

	spin_lock_nested(&null_lock);
	if (sv->home < MAX_CPUS && !cpumask_test(&sv->allowed, sv->home)) {
		null_owner[sv->home] = NULL;
		sv->home = MAX_CPUS;
	}
	if (sv->home == MAX_CPUS) {
		cpu = null_free_cpu(sv, &sv->preferred);
		if (cpu == MAX_CPUS)
			cpu = null_free_cpu(sv, &sv->allowed);
		if (cpu < MAX_CPUS)
			null_owner[cpu] = sv;
		sv->home = cpu;
	}
	cpu = sv->home;
	spin_unlock(&null_lock);
	return cpu < MAX_CPUS ? READ_ONCE(sched_cpus[cpu]->rq) : NULL;
}

static void null_enqueue(struct run_queue *rq, struct sched_vcpu *sv, ns_t now)
{
	(void)now;
	sv->state = SCHED_QUEUED;
	rq->nr_waiting = 1;
	rq->weight += sv->weight;
	sched_tickle(sched_cpus[sv->home]);
}

static void null_dequeue(struct run_queue *rq, struct sched_vcpu *sv)
{
	rq->nr_waiting = 0;
	rq->weight -= sv->weight;
}

static void null_charge(struct sched_cpu *sc, struct sched_vcpu *sv, ns_t now)
{
	(void)sc;
	sv->charged = now;
}

static struct sched_vcpu *null_pick(struct sched_cpu *sc, struct sched_vcpu *cur, ns_t now, ns_t *until)
{
	struct sched_vcpu *owner = READ_ONCE(null_owner[sc->cpu]);

	(void)now;
	(void)until;
	if (!owner || owner->rq != sc->rq)
		return NULL;
	if (owner == cur)
		return cur;
	if (owner->state != SCHED_QUEUED)
		return NULL;
	null_dequeue(sc->rq, owner);
	return owner;
}

/* Gives the CPU of sv up, for the vCPUs that wait for one. */
static void null_release(struct sched_vcpu *sv)
{
	spin_lock_nested(&null_lock);
	if (sv->home < MAX_CPUS)
		null_owner[sv->home] = NULL;
	sv->home = MAX_CPUS;
	spin_unlock(&null_lock);
}

static void null_stopped(struct run_queue *rq, struct sched_vcpu *sv, ns_t now)
{
	(void)rq;
	sv->slept = now;
	if (READ_ONCE(sv->vcpu->pause_flags) & VPF_DOWN) {
		null_release(sv);
		tasklet_schedule(&null_retry_tasklet, sv->vcpu->cpu);
	}
}

static void null_leave(struct run_queue *rq, struct sched_vcpu *sv)
{
	(void)rq;
	null_release(sv);
	tasklet_schedule(&null_retry_tasklet, sv->vcpu->cpu);
}

const struct sched_policy sched_policy_null = {
	.name = "null",
	.id = XEN_SCHEDULER_NULL,
	.place = null_place,
	.enqueue = null_enqueue,
	.dequeue = null_dequeue,
	.charge = null_charge,
	.pick = null_pick,
	.stopped = null_stopped,
	.leave = null_leave,
};
