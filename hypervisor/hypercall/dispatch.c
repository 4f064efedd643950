/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypercall table and what entry code calls. */
#include "hypercall_private.h"
#include <hv/cpu.h>
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/guest.h>
#include <hv/perf.h>
#include <hv/regs.h>
#include <xen/xen.h>

/* Length of SYSCALL and of int $n. */
#define HYPERCALL_INSN_LEN 2

static long hypercall_none(struct vcpu *v, u64 *args)
{
	(void)v;
	(void)args;
	return -ENOSYS;
}

hypercall_fn *const hypercall_table[HYPERCALLS] = {
	[__HYPERVISOR_set_trap_table] = do_set_trap_table,
	[__HYPERVISOR_mmu_update] = do_mmu_update,
	[__HYPERVISOR_set_gdt] = do_set_gdt,
	[__HYPERVISOR_stack_switch] = do_stack_switch,
	[__HYPERVISOR_set_callbacks] = do_set_callbacks,
	[__HYPERVISOR_fpu_taskswitch] = do_fpu_taskswitch,
	[__HYPERVISOR_sched_op_compat] = do_sched_op_compat,
	[__HYPERVISOR_platform_op] = do_platform_op,
	[__HYPERVISOR_set_debugreg] = do_set_debugreg,
	[__HYPERVISOR_get_debugreg] = do_get_debugreg,
	[__HYPERVISOR_update_descriptor] = do_update_descriptor,
	[__HYPERVISOR_memory_op] = do_memory_op,
	[__HYPERVISOR_multicall] = do_multicall,
	[__HYPERVISOR_update_va_mapping] = do_update_va_mapping,
	[__HYPERVISOR_set_timer_op] = do_set_timer_op,
	[__HYPERVISOR_event_channel_op_compat] = do_event_channel_op_compat,
	[__HYPERVISOR_xen_version] = do_xen_version,
	[__HYPERVISOR_console_io] = do_console_io,
	[__HYPERVISOR_physdev_op_compat] = do_physdev_op_compat,
	[__HYPERVISOR_grant_table_op] = do_grant_table_op,
	[__HYPERVISOR_vm_assist] = do_vm_assist,
	[__HYPERVISOR_update_va_mapping_otherdomain] = do_update_va_mapping_otherdomain,
	/* Dispatched apart: it leaves a register frame and not a result. */
	[__HYPERVISOR_iret] = hypercall_none,
	[__HYPERVISOR_vcpu_op] = do_vcpu_op,
	[__HYPERVISOR_set_segment_base] = do_set_segment_base,
	[__HYPERVISOR_mmuext_op] = do_mmuext_op,
	[__HYPERVISOR_xsm_op] = do_xsm_op,
	[__HYPERVISOR_nmi_op] = do_nmi_op,
	[__HYPERVISOR_sched_op] = do_sched_op,
	[__HYPERVISOR_callback_op] = do_callback_op,
	[__HYPERVISOR_event_channel_op] = do_event_channel_op,
	[__HYPERVISOR_physdev_op] = do_physdev_op,
	[__HYPERVISOR_hvm_op] = do_hvm_op,
	[__HYPERVISOR_sysctl] = do_sysctl,
	[__HYPERVISOR_domctl] = do_domctl,
	[__HYPERVISOR_kexec_op] = do_kexec_op,
	[__HYPERVISOR_hypfs_op] = do_hypfs_op,
	[__HYPERVISOR_arch_0] = do_mca,
	/* Not offered: the old form of update_descriptor, profiling, transcendent memory, argo, PMU, device models. */
	[11] = hypercall_none,
	[__HYPERVISOR_xenoprof_op] = hypercall_none,
	[__HYPERVISOR_tmem_op ... __HYPERVISOR_hypfs_op - 1] = hypercall_none,
	[__HYPERVISOR_hypfs_op + 1 ... 47] = hypercall_none,
	[__HYPERVISOR_arch_1 ... HYPERCALLS - 1] = hypercall_none,
};

u64 hypercall_count(unsigned int nr)
{
	unsigned int cpu;
	u64 sum = 0;

	for_each_cpu(cpu, &cpu_present_map)
		if (cpu_info_of(cpu))
			sum += READ_ONCE(cpu_info_of(cpu)->hypercalls[nr]);
	return sum;
}

void hypercall_count_reset(void)
{
	/* A hypercall that is counted at this moment on another CPU may bring an old value back. */
	for (unsigned int cpu = 0; cpu < MAX_CPUS; cpu++)
		for (unsigned int nr = 0; nr < HYPERCALLS && cpu_info_of(cpu); nr++)
			WRITE_ONCE(cpu_info_of(cpu)->hypercalls[nr], 0);
}

/* r is the frame in this CPU's cpu_info: its counters are found from there. */
void hypercall_dispatch(struct vcpu *v, struct regs *r)
{
	u64 *counters = container_of(r, struct cpu_info, regs)->hypercalls;
	u64 nr = r->rax;
	long result;

	/* The most frequent one, with no register to be saved. */
	if (nr == __HYPERVISOR_iret) {
		counters[__HYPERVISOR_iret]++;
		do_iret(v, r->args);
		return;
	}
	if (unlikely(nr >= HYPERCALLS)) {
		r->rax = (u64)-ENOSYS;
		return;
	}
	/* Also under speculation. */
	nr &= HYPERCALLS - 1;
	counters[nr]++;
	result = hypercall_table[nr](v, r->args);
	if (unlikely(result == -ERESTART)) {
		perf_count(v->cpu, PERF_RESTART);
		r->rip -= HYPERCALL_INSN_LEN;
		/* So that a return by SYSRET, which takes rip from rcx, does the same. */
		if (r->vector == TRAP_SYSCALL)
			r->rcx = r->rip;
		return;
	}
	r->rax = (u64)result;
}
