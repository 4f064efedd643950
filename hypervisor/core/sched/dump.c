/* SPDX-License-Identifier: BSD-2-Clause */
/* Debug key: pools, run queues and what waits in them. */
#include "sched_private.h"
#include <hv/log.h>
#include <hv/time.h>

/* vCPUs printed of each queue. */
#define DUMP_WAITING 32u

static void dump_waiting(const struct tree *tree)
{
	struct tree_node *n;
	u32 count = 0;

	tree_for_each(n, tree) {
		const struct sched_vcpu *sv = fair_vcpu(n);

		if (count++ == DUMP_WAITING) {
			log_always("    ...");
			return;
		}
		log_always("    d%uv%u waits, virtual time %lx, weight %lu", sv->vcpu->domain->id, sv->vcpu->id, sv->vtime,
			   sv->weight);
	}
}

static void dump_cpu(const struct sched_cpu *sc, ns_t now)
{
	const struct sched_vcpu *curr = sc->curr;
	const struct vcpu *loaded = sc->loaded;

	if (curr)
		log_always("  CPU %u runs d%uv%u for %lu us, virtual time %lx", sc->cpu, curr->vcpu->domain->id,
			   curr->vcpu->id, (now - sc->run_since) / 1000, curr->vtime);
	else if (!loaded->is_idle)
		log_always("  CPU %u is idle, d%uv%u is loaded", sc->cpu, loaded->domain->id, loaded->id);
	else
		log_always("  CPU %u is idle", sc->cpu);
	dump_waiting(&sc->pinned);
}

static void dump_queue(struct run_queue *rq, ns_t now)
{
	unsigned int cpu;

	spin_lock(&rq->lock);
	log_always(" queue %u: %u CPUs, %u run, %u wait, weight %lu, virtual time %lx", rq->id, rq->nr_cpus, rq->nr_running,
		   rq->nr_waiting, rq->weight, rq->vtime_max);
	for_each_cpu(cpu, &rq->cpus)
		dump_cpu(sched_cpus[cpu], now);
	dump_waiting(&rq->shared);
	spin_unlock(&rq->lock);
}

void sched_dump(void)
{
	const struct cpupool *pool;
	unsigned int cpu;

	/* Without the control lock: pools do not change while one looks at them for debugging, or so one hopes; queues are static. */
	for (pool = cpupools; pool; pool = pool->next) {
		log_always("pool %u: %s, %u CPUs, %u domains, turn %lu ms, least time %lu us", pool->id, pool->policy->name,
			   pool->nr_cpus, pool->nr_domains, pool->slice / 1000000, pool->ratelimit / 1000);
		for_each_cpu(cpu, &pool->cpus) {
			struct run_queue *rq = READ_ONCE(sched_cpus[cpu]->rq);

			if (rq && cpumask_next(&rq->cpus, 0) == cpu)
				dump_queue(rq, time_now());
		}
	}
}
