/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of every visit to the hypervisor: deferred work, the switch of vCPUs, idling. */
#include <hv/cpu.h>
#include <hv/domain.h>
#include <hv/features.h>
#include <hv/mm.h>
#include <hv/sched.h>
#include <hv/smp.h>
#include <hv/softirq.h>
#include <hv/tlb.h>
#include <hv/x86.h>

#include "cpu.h"

static void dirty_mark(struct domain *d, unsigned int cpu)
{
	if (!cpumask_test(&d->dirty_cpus, cpu))
		cpumask_set(&d->dirty_cpus, cpu);
}

void context_switch(struct vcpu *prev, struct vcpu *next)
{
	struct cpu_info *info = cpu_info();

	if (!prev->is_idle) {
		prev->domain->ops->context_save(prev);
		fpu_save(prev);
		prev->saved_regs = info->regs;
		prev->regs = &prev->saved_regs;
	}
	info->current = next;
	if (next->is_idle) {
		cr3_write(hv_root().v);
	} else {
		info->regs = next->saved_regs;
		next->regs = &info->regs;
		fpu_load(next);
		if (prev->domain != next->domain)
			speculation_switch();
		dirty_mark(next->domain, info->cpu);
		next->domain->ops->context_load(next, prev);
	}
	/* The new CR3 took prev's entries out of the TLB: they are not global. */
	if (!prev->is_idle && prev->domain != next->domain)
		cpumask_clear(&prev->domain->dirty_cpus, info->cpu);
}

/* Entry code calls this when something is pending on the way to the guest; the vCPU may be another one afterwards. */
void exit_work(void)
{
	struct cpu_info *info = cpu_info();
	unsigned int cpu = info->cpu;

	for (;;) {
		u32 pending = READ_ONCE(info->softirq);
		struct vcpu *v = info->current;

		if (pending & ~(1u << SOFTIRQ_SCHEDULE)) {
			softirq_run(cpu);
		} else if (pending || v->is_idle) {
			schedule(cpu);
		} else if (!v->domain->ops->exit_work(v, &info->regs)) {
			if (READ_ONCE(info->softirq) == 0)
				return;
		}
	}
}

void cpu_idle(unsigned int cpu)
{
	if (softirq_pending(cpu))
		return;
	cpu_offline_check(cpu);
	smp_answer();
	/* Interrupts are taken only after the instruction that follows STI: none gets lost between the look and HLT. */
	__asm__ volatile("sti\n\thlt\n\tcli" : : : "memory");
}

void cpu_run(void)
{
	struct cpu_info *info = cpu_info();

	exit_work();
	guest_enter(&info->regs);
}
