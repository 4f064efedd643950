/* SPDX-License-Identifier: BSD-2-Clause */
/* Scheduler: which vCPU runs on a CPU. Policies are ops tables (credit2-like weighted fair, null); cpupools group CPUs. */
#ifndef HV_SCHED_H
#define HV_SCHED_H

#include <hv/types.h>
#include <hv/compiler.h>
#include <hv/cpumask.h>
#include <xen/vcpu.h>

struct vcpu;
struct domain;
struct regs;

/* Boot, after domains_init: the default pool and policy (option sched=). */
void sched_init(void);
/*
 * Each CPU, before or as it comes up: makes its idle vCPU and puts it into the pool. 0 or -ENOMEM. From then on vCPUs may be placed on it, so it
 * has to reach schedule() soon.
 */
int sched_cpu_up(unsigned int cpu) must_check;
/* Off-lining, called on another CPU while this one still runs: moves its vCPUs away and waits until it idles. 0, or -EBUSY: its pool needs it. */
int sched_cpu_down(unsigned int cpu) must_check;
int sched_domain_init(struct domain *d, u32 cpupool) must_check;
void sched_domain_free(struct domain *d);
/* v->cpu says where it should start. */
int sched_vcpu_init(struct vcpu *v) must_check;
void sched_vcpu_free(struct vcpu *v);
/* A CPU of d's pool for its vCPU number id to start on: spreads them. */
unsigned int sched_first_cpu(struct domain *d, u32 id);

/* v has become (or may have become) runnable / must stop. Any context below LOCK_SCHED. */
void vcpu_wake(struct vcpu *v);
void vcpu_sleep_nosync(struct vcpu *v);
/* ... and waits until it does not run any more. */
void vcpu_sleep_sync(struct vcpu *v);
/* Clears VPF_BLOCKED / VPF_POLL and wakes: an event arrived. */
void vcpu_unblock(struct vcpu *v);
/* Makes a running vCPU notice new pending events or work (IPI if it runs elsewhere). */
void vcpu_kick(struct vcpu *v);
/* The actor blocks until an event is pending and unmasked. */
void vcpu_block(struct vcpu *v);
void vcpu_yield(struct vcpu *v);
/*
 * Affinity; moves v if it must. 0 or -EINVAL (no CPU of the pool is in it; soft: any is fine). A hard affinity whose CPUs have all left the pool since
 * counts as all CPUs until one comes back. No lock of LOCK_SCHED or above held.
 */
int vcpu_affinity_set_hard(struct vcpu *v, const struct cpumask *m) must_check;
void vcpu_affinity_set_soft(struct vcpu *v, const struct cpumask *m);
/* The CPUs that v may really be run on. */
void vcpu_affinity_effective(struct vcpu *v, struct cpumask *out);
/* d->node_affinity has changed. */
void sched_node_affinity_changed(struct domain *d);

/*
 * End of exit work with SOFTIRQ_SCHEDULE pending: picks the next vCPU for this CPU and switches to it (context_switch) when it differs.
 * Returns with info->current and info->regs those of the chosen vCPU; while there is none it runs softirqs and idles (cpu_idle), with the idle
 * vCPU or one that is blocked as the current one. Clears SOFTIRQ_SCHEDULE. No lock held.
 */
void schedule(unsigned int cpu);
/* The same without idling: false when there is nothing to run on this CPU. */
bool schedule_try(unsigned int cpu);
/* arch/x86/cpu/context.c: moves CPU state from prev to next, both on this CPU. */
void context_switch(struct vcpu *prev, struct vcpu *next);

/* Run states and time accounting: RUNSTATE_*; LOCK_SCHED held. */
void vcpu_runstate_change(struct vcpu *v, u32 state, ns_t now);
void vcpu_runstate_get(struct vcpu *v, struct vcpu_runstate_info *out);
/* CPU time used in ns, for getdomaininfo. */
ns_t vcpu_cpu_time(struct vcpu *v);
/* Debug key: pools and run queues. */
void sched_dump(void);
/* Time that a CPU has been idle. */
ns_t sched_idle_time(unsigned int cpu);

/* --- control (control lock held) --- */
struct sched_params {
	u32 weight, cap;		/* 1 to 65535; percent of a CPU, 0 = no cap */
};
/* XEN_SCHEDULER_* of a pool; the default pool's for XEN_SYSCTL_sched_id. -ENOENT: no such pool. */
int sched_id(u32 cpupool);
/* A domain's weight and cap. -EINVAL: out of range, or the domain's scheduler has none. */
int sched_params_get(struct domain *d, struct sched_params *p) must_check;
int sched_params_set(struct domain *d, const struct sched_params *p) must_check;
/* A pool's parameters. -ENOENT, -EINVAL. */
struct sched_pool_params {
	u32 slice_ms, ratelimit_us;	/* ratelimit 0 = off */
};
int sched_pool_params_get(u32 cpupool, struct sched_pool_params *p) must_check;
int sched_pool_params_set(u32 cpupool, const struct sched_pool_params *p) must_check;

#define CPUPOOL_NONE 0xffffffffu
struct cpupool_info {
	u32 id, sched_id, domains;
	struct cpumask cpus;
};
/* id CPUPOOL_NONE chooses one. The new id, or -EEXIST, -EINVAL (scheduler), -ENOMEM. */
int cpupool_create(u32 id, u32 sched_id) must_check;
/* 0, -ENOENT, -EBUSY (CPUs or domains in it). */
int cpupool_destroy(u32 id) must_check;
/* The first pool with that id or a greater one; false when there is none. */
bool cpupool_next(u32 from, struct cpupool_info *out);
/* 0, -ENOENT, -EINVAL, -EBUSY (in a pool already / its last CPU while there are domains), -ERESTART (called on that CPU: try again). */
int cpupool_cpu_add(u32 id, unsigned int cpu) must_check;
int cpupool_cpu_remove(u32 id, unsigned int cpu) must_check;
/* Online CPUs in no pool. */
struct cpumask cpupool_free_cpus(void);
/* Moves a domain that is not the actor's. 0, -ENOENT, -EBUSY (no CPU there). */
int cpupool_domain_move(struct domain *d, u32 id) must_check;

#endif
