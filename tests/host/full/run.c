/* SPDX-License-Identifier: BSD-2-Clause */
/* Power-on, scheduling, and the way of a vCPU into the hypervisor and out of it. */
#include <hv/console.h>
#include <hv/errno.h>
#include <hv/event.h>
#include <hv/features.h>
#include <hv/irq.h>
#include <hv/log.h>
#include <hv/mm.h>
#include <hv/policy.h>
#include <hv/pv.h>
#include <hv/sched.h>
#include <hv/softirq.h>
#include <hv/string.h>
#include <hv/time.h>
#include <hv/timer.h>
#include <hv/tlb.h>
#include <hv/x86.h>
#include <hv/boot.h>
#include <xen/domctl.h>
#include "../../../hypervisor/arch/x86/mm/heap.h"
#include "../../../hypervisor/core/sched/sched_private.h"
#include "../sim_mm/glue.h"
#include "full_private.h"

#define TURNS_MAX 100000u
#define WAITS_MAX 2000u
#define MS 1000000UL

u32 full_restarts;
SIM_KEPT bool full_xsave, full_xpti;
SIM_KEPT static enum full_end ended;
static u64 pool_at_start;

static void sim_spin(void);

/* --- power-on --- */

void sim_power_on(void)
{
	full_power_on(sizeof(struct domain));
}

/* In the order of boot_late (arch/x86/boot/phases.c). */
void sim_domains_start(void)
{
	struct xen_domctl_createdomain cfg = { .max_vcpus = 1 };
	struct domain *d;
	unsigned int cpu;
	int rc;

	sim_spin_hook = sim_spin;
	full_devices_start();
	for_each_cpu(cpu, &cpu_online_map)
		if (timer_cpu_init(cpu))
			sim_fail("timer_cpu_init");
	time_init();
	irq_init();
	cpu_policy_init();
	domains_init();
	sched_init();
	for_each_cpu(cpu, &cpu_online_map) {
		sim_cpu_nr = cpu;
		time_init_cpu();
		if (xpti_cpu_init(cpu))
			sim_fail("xpti_cpu_init");
		sim_cpu[cpu].info.current = idle_vcpu(cpu);
		if (sched_cpu_up(cpu))
			sim_fail("sched_cpu_up");
	}
	sim_cpu_nr = 0;
	debug_keys_init();
	hypercall_init();
	guest_ops_pv = &pv_guest_ops;
	/* What the first domain leaves behind stays for ever: part of the table of domains, a struct domain. */
	sim_holders = full_holders;
	full_settle();
	if (domain_create(500, &cfg, false, &d))
		sim_fail("first domain");
	do
		rc = domain_kill(&sim_idle, d);
	while (rc == -ERESTART);
	if (rc)
		sim_fail("first domain: %d", rc);
	domain_put(d);
	glue_frames_kept = heap.total - heap.free;
	full_objects_kept = full_objects - full_domain_structs;
	pool_at_start = full_pool_used;
}

struct vcpu *sim_idle_vcpu(unsigned int cpu)
{
	return cpu_online(cpu) ? idle_vcpu(cpu) : &sim_idle;
}

void sim_domain_ready(struct domain *d)
{
	struct vcpu *v;

	/* The table keeps it; the reference of domain_create goes. */
	domain_put(d);
	for_each_vcpu(d, v)
		vcpu_wake(v);
}

/* --- the end --- */

void sim_domains_stop(void)
{
	struct domain *d;
	domid_t from = 1;
	int rc;

	/* The hand that does this is on no CPU: none of them may have a vCPU loaded. */
	for (domid_t id = 0; (d = domain_next(id)) != NULL; domain_put(d)) {
		id = (domid_t)(d->id + 1);
		domain_pause_nosync(d);
	}
	full_settle();
	sim_cpu_nr = 0;
	/* dom0 is the last one. */
	while ((d = domain_next(from)) != NULL || (from && (d = domain_get_by_id(0)) != NULL)) {
		from = d->id;
		while ((rc = domain_kill(&sim_idle, d)) == -ERESTART)
			;
		if (rc)
			sim_fail("domain_kill of domain %u: %d", d->id, rc);
		domain_put(d);
	}
	dom0 = NULL;
}

void sim_objects_check(void)
{
	u64 kept = full_objects_kept;

	/* Pools beside the first are an administrator's. */
	for (const struct cpupool *p = cpupools->next; p; p = p->next)
		kept++;
	if (full_objects - full_domain_structs == kept)
		return;
	full_objects_list(pool_at_start);
	sim_fail("%ld small objects were not freed", (long)(full_objects - full_domain_structs - kept));
}

static noreturn_fn void machine_end(enum full_end how)
{
	ended = how;
	sim_leave();
}

void machine_restart(void) { machine_end(FULL_RESTART); }
void machine_poweroff(void) { machine_end(FULL_POWEROFF); }
void machine_halt(void) { machine_end(FULL_HALT); }

enum full_end full_run(void (*fn)(void *arg), void *arg)
{
	ended = FULL_BUG;
	return sim_catch_bug(fn, arg) ? ended : FULL_GOES_ON;
}

/* --- small objects --- */

void *hv_alloc(size_t size) { return full_object_alloc(size, sim_alloc_caller); }
void hv_free(void *p) { full_object_free(p); }

struct full_use full_use(void)
{
	return (struct full_use){ full_objects - full_domain_structs, heap.total - heap.free };
}

/* --- CPUs --- */

void context_switch(struct vcpu *prev, struct vcpu *next)
{
	struct cpu_info *info = cpu_info();

	if (!prev->is_idle) {
		prev->domain->ops->context_save(prev);
		prev->saved_regs = info->regs;
		prev->regs = &prev->saved_regs;
	}
	info->current = next;
	if (next->is_idle) {
		cr3_write(0);
	} else {
		info->regs = next->saved_regs;
		next->regs = &info->regs;
		cpumask_set(&next->domain->dirty_cpus, info->cpu);
		next->domain->ops->context_load(next, prev);
	}
	if (!prev->is_idle && prev->domain != next->domain)
		cpumask_clear(&prev->domain->dirty_cpus, info->cpu);
}

void cpu_idle(unsigned int cpu)
{
	sim_fail("CPU %u idles inside of the scheduler", cpu);
}

bool full_exit(unsigned int cpu)
{
	bool any = false;

	for (u32 turns = 0;; turns++) {
		struct cpu_info *info = cpu_info_of(cpu);
		u32 pending = READ_ONCE(info->softirq);

		if (turns == TURNS_MAX)
			sim_fail("CPU %u never gets back to its guest", cpu);
		if (pending & ~(1u << SOFTIRQ_SCHEDULE))
			softirq_run(cpu);
		else if (pending)
			(void)schedule_try(cpu);
		else if (info->current->is_idle || !info->current->domain->ops->exit_work(info->current, &info->regs))
			return any;
		any = true;
	}
}

void full_settle(void)
{
	unsigned int here = sim_cpu_nr, cpu;
	bool again = true;

	while (again) {
		again = false;
		for_each_cpu(cpu, &cpu_online_map) {
			sim_cpu_nr = cpu;
			again |= full_exit(cpu);
		}
	}
	sim_cpu_nr = here;
}

/* A CPU waits: the others, which are in their guests or idle, go on. Those that wait themselves do not. */
static void sim_spin(void)
{
	static bool waits[SIM_CPUS];
	static u32 spins;
	unsigned int here = sim_cpu_nr, cpu;
	bool any = false;

	waits[here] = true;
	for_each_cpu(cpu, &cpu_online_map)
		if (!waits[cpu]) {
			sim_cpu_nr = cpu;
			any |= full_exit(cpu);
		}
	sim_cpu_nr = here;
	waits[here] = false;
	spins = any ? 0 : spins + 1;
	if (spins > 1000)
		sim_fail("CPU %u waits for ever", here);
}

static ns_t next_deadline(void)
{
	ns_t first = 0;
	unsigned int cpu;

	for_each_cpu(cpu, &cpu_online_map) {
		ns_t t = sim_cpu[cpu].timer_deadline;

		if (t && (!first || t < first))
			first = t;
	}
	return first;
}

void full_time(ns_t by)
{
	ns_t end = sim_clock + by, next;
	unsigned int cpu;

	full_settle();
	while ((next = next_deadline()) != 0 && next <= end) {
		sim_clock = MAX(sim_clock, next);
		for_each_cpu(cpu, &cpu_online_map)
			if (sim_cpu[cpu].timer_deadline && sim_cpu[cpu].timer_deadline <= sim_clock) {
				sim_cpu[cpu].timer_deadline = 0;
				softirq_raise(cpu, SOFTIRQ_TIMER);
			}
		full_settle();
	}
	sim_clock = end;
}

void sim_clock_advance(ns_t by)
{
	full_time(by);
}

struct vcpu *full_current(unsigned int cpu)
{
	struct vcpu *v = sim_cpu[cpu].info.current;

	return sched_cpus[cpu]->curr && sched_cpus[cpu]->curr->vcpu == v ? v : NULL;
}

/* --- sim.h, where the scheduler decides --- */

void sim_deschedule(struct vcpu *v)
{
	(void)v;
}

struct vcpu *sim_run(struct vcpu *v, unsigned int cpu)
{
	struct cpumask here = cpumask_of(cpu);

	sim_cpu_switch(cpu);
	if (vcpu_affinity_set_hard(v, &here))
		sim_fail("vCPU %u of domain %u cannot run on CPU %u", v->id, v->domain->id, cpu);
	full_settle();
	for (u32 i = 0; full_current(cpu) != v; i++) {
		if (i == WAITS_MAX || !vcpu_runnable(v))
			sim_fail("vCPU %u of domain %u does not run", v->id, v->domain->id);
		full_time(MS);
	}
	sim_cpu_switch(cpu);
	return v;
}

/* Time passes until v runs; false when it cannot. */
static bool wait_for(struct vcpu *v)
{
	for (u32 i = 0; full_current(v->cpu) != v; i++) {
		if (!vcpu_runnable(v) || i == WAITS_MAX)
			return false;
		full_time(MS);
	}
	sim_cpu_switch(v->cpu);
	return true;
}

long full_hypercall(struct vcpu *v, unsigned int nr, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4)
{
	u64 args[6] = { a0, a1, a2, a3, a4 }, rip = 0x400000;
	struct regs *r;
	long rc;

	if (!wait_for(v))
		sim_fail("hypercall by a vCPU that does not run");
	r = v->regs;
	memcpy(r->args, args, sizeof(r->args));
	full_restarts = 0;
	for (;;) {
		r = v->regs;
		r->rax = nr;
		r->rip = rip + 2;
		lock_assert_below(LOCK_CONTROL);
		hypercall_dispatch(v, r);
		sim_locks_check_none();
		/* iret leaves other registers, and is never restarted. */
		if (v->regs->rip == rip + 2 || nr == __HYPERVISOR_iret)
			break;
		full_restarts++;
		full_settle();
		if (full_restarts > TURNS_MAX * 10)
			sim_fail("hypercall %u restarts for ever", nr);
		if (!wait_for(v))
			return -ERESTART;
	}
	rc = (long)v->regs->rax;
	full_settle();
	return rc;
}
