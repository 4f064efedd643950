/* SPDX-License-Identifier: BSD-2-Clause */
/* Scheduler: which vCPU runs on a CPU. Policies are ops tables (credit2-like weighted fair, null); cpupools group CPUs. */
#ifndef HV_SCHED_H
#define HV_SCHED_H

#include <hv/types.h>
#include <hv/cpumask.h>
#include <xen/vcpu.h>

struct vcpu;
struct domain;
struct regs;

/* Boot: the default pool and policy (option sched=); then each CPU as it comes up. */
void sched_init(void);
int sched_cpu_up(unsigned int cpu);
void sched_cpu_down(unsigned int cpu);
int sched_domain_init(struct domain *d, u32 cpupool);
void sched_domain_free(struct domain *d);
int sched_vcpu_init(struct vcpu *v);
void sched_vcpu_free(struct vcpu *v);

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
/* Affinity; moves v if it must. 0 or -EINVAL (no CPU left in the pool). */
int vcpu_affinity_set_hard(struct vcpu *v, const struct cpumask *m);
int vcpu_affinity_set_soft(struct vcpu *v, const struct cpumask *m);

/*
 * End of exit work with SOFTIRQ_SCHEDULE pending: picks the next vCPU for this CPU and switches to it (context_switch) when it differs.
 * Returns with info->current and info->regs those of the chosen vCPU; idles inside until one is runnable or a softirq is pending.
 */
void schedule(unsigned int cpu);
/* arch/x86/cpu/context.c: moves CPU state from prev to next, both on this CPU. */
void context_switch(struct vcpu *prev, struct vcpu *next);

/* Run states and time accounting: RUNSTATE_*; LOCK_SCHED held. */
void vcpu_runstate_change(struct vcpu *v, u32 state, ns_t now);
void vcpu_runstate_get(struct vcpu *v, struct vcpu_runstate_info *out);
/* CPU time used in ns, for getdomaininfo. */
ns_t vcpu_cpu_time(struct vcpu *v);

#endif
