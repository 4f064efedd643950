/* SPDX-License-Identifier: BSD-2-Clause */
/* Scheduling: set-up of CPUs, domains and vCPUs, and the parameters that an administrator changes. */
#include "sched_private.h"
#include <hv/cmdline.h>
#include <hv/cpu.h>
#include <hv/errno.h>
#include <hv/frame.h>
#include <hv/log.h>
#include <hv/softirq.h>
#include <hv/string.h>
#include <hv/time.h>
#include <hv/trace.h>
#include <xen/sysctl.h>

#define DEFAULT_WEIGHT 256u
#define WEIGHT_MAX 65535u

static char opt_sched[16];
BOOT_OPTION_STRING("sched", opt_sched, "Scheduler of the default CPU pool: credit2 (default), credit, null.");
static u64 opt_ratelimit_us = 1000;
BOOT_OPTION_U64("sched_ratelimit_us", opt_ratelimit_us, "Least time that a vCPU runs before another one preempts it.");

static const struct sched_policy *const policies[] = { &sched_policy_credit2, &sched_policy_credit, &sched_policy_null };

const struct sched_policy *sched_policy_find(u32 id)
{
	for (size_t i = 0; i < ARRAY_SIZE(policies); i++)
		if (policies[i]->id == id)
			return policies[i];
	return NULL;
}

const struct sched_policy *sched_policy_named(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(policies); i++)
		if (strcmp(policies[i]->name, name) == 0)
			return policies[i];
	return NULL;
}

static bool ratelimit_ok(u64 us)
{
	return us == 0 || (us >= XEN_SYSCTL_SCHED_RATELIMIT_MIN && us <= XEN_SYSCTL_SCHED_RATELIMIT_MAX);
}

u64 sched_ratelimit_default(void)
{
	return opt_ratelimit_us * 1000;
}

void sched_init(void)
{
	const struct sched_policy *policy = sched_policy_named(opt_sched[0] ? opt_sched : "credit2");

	if (!policy) {
		log_warn("sched=%s: no such scheduler; using credit2", opt_sched);
		policy = &sched_policy_credit2;
	}
	if (!ratelimit_ok(opt_ratelimit_us)) {
		log_warn("sched_ratelimit_us=%lu is out of range; using 1000", opt_ratelimit_us);
		opt_ratelimit_us = 1000;
	}
	cpupool_init(policy);
}

static void slice_ended(void *arg)
{
	struct sched_cpu *sc = arg;

	softirq_raise(sc->cpu, SOFTIRQ_SCHEDULE);
}

int sched_cpu_up(unsigned int cpu)
{
	struct vcpu *idle = idle_vcpu(cpu);
	struct sched_cpu *sc = sched_cpus[cpu];
	struct cpupool *pool = cpupool_find(0);

	if (!idle)
		return -ENOMEM;
	if (!sc) {
		sc = hv_alloc(sizeof(*sc));
		if (!sc)
			return -ENOMEM;
		sc->cpu = cpu;
		sc->queue.id = cpu;
		spin_init(&sc->queue.lock, LOCK_SCHED);
		tree_init(&sc->queue.shared);
		tree_init(&sc->pinned);
		timer_init(&sc->slice, slice_ended, sc, cpu);
	}
	/* It was given to another CPU if this one was offline. */
	timer_migrate(&sc->slice, cpu);
	trace_cpu_init(cpu);
	sc->loaded = idle;
	__atomic_store_n(&sched_cpus[cpu], sc, __ATOMIC_RELEASE);
	return cpupool_cpu_insert(pool, cpu);
}

int sched_cpu_down(unsigned int cpu)
{
	struct sched_cpu *sc = sched_cpus[cpu];
	int rc;

	/* The slice timer is left to timer_cpu_drain: where it fires does not matter. */
	rc = sc->rq ? cpupool_cpu_take(sc->rq->pool, cpu) : 0;
	return rc == -ERESTART ? -EBUSY : rc;
}

int sched_domain_init(struct domain *d, u32 cpupool)
{
	struct cpupool *pool = cpupool_find(cpupool);
	struct sched_domain *sd;

	if (!pool || !pool->nr_cpus)
		return -EINVAL;
	sd = hv_alloc(sizeof(*sd));
	if (!sd)
		return -ENOMEM;
	sd->domain = d;
	sd->pool = pool;
	sd->weight = DEFAULT_WEIGHT;
	cap_init(sd);
	d->sched = sd;
	d->cpupool = cpupool;
	__atomic_fetch_add(&pool->nr_domains, 1, __ATOMIC_SEQ_CST);
	return 0;
}

void sched_domain_free(struct domain *d)
{
	cap_destroy(d->sched);
	__atomic_fetch_sub(&d->sched->pool->nr_domains, 1, __ATOMIC_SEQ_CST);
	hv_free(d->sched);
	d->sched = NULL;
}

static void weight_set(struct sched_vcpu *sv, u32 weight)
{
	sv->weight = weight;
	sv->rate = (65536ul << 8) / weight;
}

int sched_vcpu_init(struct vcpu *v)
{
	struct sched_vcpu *sv = hv_alloc(sizeof(*sv));
	struct cpupool *pool = v->domain->sched->pool;
	struct run_queue *rq;

	if (!sv)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(v->hard_affinity.bits); i++)
		v->hard_affinity.bits[i] = v->soft_affinity.bits[i] = ~0ul;
	sv->vcpu = v;
	sv->home = MAX_CPUS;
	sv->slept = time_now();
	tree_node_init(&sv->node);
	list_init(&sv->parked_link);
	weight_set(sv, v->domain->sched->weight);
	rq = sched_cpus[v->cpu]->rq;
	if (!rq || rq->pool != pool)
		rq = sched_cpus[cpumask_next(&pool->cpus, 0)]->rq;
	spin_lock(&rq->lock);
	sv->rq = rq;
	sv->vtime = rq->vtime_max;
	sched_allowed_update(sv);
	v->sched = sv;
	spin_unlock(&rq->lock);
	return 0;
}

void sched_vcpu_free(struct vcpu *v)
{
	struct sched_vcpu *sv = v->sched;
	struct sched_domain *sd = v->domain->sched;
	struct run_queue *rq;

	/* So that it does not wake a vCPU that is gone. Only a domain that is going has vCPUs freed. */
	timer_kill(&sd->refill);
	rq = sched_lock(sv);
	sd->pool->policy->leave(rq, sv);
	v->sched = NULL;
	spin_unlock(&rq->lock);
	hv_free(sv);
}

unsigned int sched_first_cpu(struct domain *d, u32 id)
{
	struct cpupool *pool = d->sched->pool;
	unsigned int cpu = cpumask_next(&pool->cpus, 0), nth = id % pool->nr_cpus;

	while (nth--)
		cpu = cpumask_next(&pool->cpus, cpu + 1);
	return cpu;
}

ns_t sched_idle_time(unsigned int cpu)
{
	struct sched_cpu *sc = cpu < MAX_CPUS ? sched_cpus[cpu] : NULL;
	struct vcpu_runstate_info rs;
	struct run_queue *rq;
	ns_t now;

	if (!sc)
		return 0;
	rq = sched_cpu_lock(sc);
	rs = idle_domain->vcpu[cpu]->runstate;
	if (rq)
		spin_unlock(&rq->lock);
	now = time_now();
	if (rs.state == RUNSTATE_running && now > rs.state_entry_time)
		rs.time[RUNSTATE_running] += now - rs.state_entry_time;
	return rs.time[RUNSTATE_running];
}

int sched_id(u32 cpupool)
{
	struct cpupool *pool = cpupool_find(cpupool);

	return pool ? (int)pool->policy->id : -ENOENT;
}

int sched_params_get(struct domain *d, struct sched_params *p)
{
	if (d->sched->pool->policy == &sched_policy_null)
		return -EINVAL;
	p->weight = d->sched->weight;
	p->cap = d->sched->cap;
	return 0;
}

int sched_params_set(struct domain *d, const struct sched_params *p)
{
	struct vcpu *v;

	if (d->sched->pool->policy == &sched_policy_null)
		return -EINVAL;
	if (p->weight == 0 || p->weight > WEIGHT_MAX || p->cap > d->max_vcpus * 100)
		return -EINVAL;
	d->sched->weight = p->weight;
	for_each_vcpu(d, v) {
		struct run_queue *rq = sched_lock(v->sched);

		if (v->sched->state != SCHED_OFF)
			rq->weight += p->weight - v->sched->weight;
		weight_set(v->sched, p->weight);
		spin_unlock(&rq->lock);
	}
	if (p->cap != d->sched->cap)
		cap_set(d->sched, p->cap);
	return 0;
}

int sched_pool_params_get(u32 cpupool, struct sched_pool_params *p)
{
	struct cpupool *pool = cpupool_find(cpupool);

	if (!pool)
		return -ENOENT;
	p->slice_ms = (u32)(pool->slice / 1000000);
	p->ratelimit_us = (u32)(pool->ratelimit / 1000);
	return 0;
}

int sched_pool_params_set(u32 cpupool, const struct sched_pool_params *p)
{
	struct cpupool *pool = cpupool_find(cpupool);

	if (!pool)
		return -ENOENT;
	if (!ratelimit_ok(p->ratelimit_us) || p->slice_ms < XEN_SYSCTL_CSCHED_TSLICE_MIN ||
	    p->slice_ms > XEN_SYSCTL_CSCHED_TSLICE_MAX || p->ratelimit_us > p->slice_ms * 1000)
		return -EINVAL;
	pool->slice = p->slice_ms * 1000000ul;
	pool->ratelimit = p->ratelimit_us * 1000ul;
	return 0;
}
