/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of all counters: hypercalls by number, then the others. */
#include <hv/console.h>
#include <hv/hypercall.h>
#include <hv/log.h>
#include <hv/cpu.h>
#include <hv/perf.h>
#include <xen/xen.h>

static const char *const hypercall_names[HYPERCALLS] = {
	[__HYPERVISOR_set_trap_table] = "set_trap_table", [__HYPERVISOR_mmu_update] = "mmu_update",
	[__HYPERVISOR_set_gdt] = "set_gdt", [__HYPERVISOR_stack_switch] = "stack_switch",
	[__HYPERVISOR_set_callbacks] = "set_callbacks", [__HYPERVISOR_fpu_taskswitch] = "fpu_taskswitch",
	[__HYPERVISOR_sched_op_compat] = "sched_op_compat", [__HYPERVISOR_platform_op] = "platform_op",
	[__HYPERVISOR_set_debugreg] = "set_debugreg", [__HYPERVISOR_get_debugreg] = "get_debugreg",
	[__HYPERVISOR_update_descriptor] = "update_descriptor", [__HYPERVISOR_memory_op] = "memory_op",
	[__HYPERVISOR_multicall] = "multicall", [__HYPERVISOR_update_va_mapping] = "update_va_mapping",
	[__HYPERVISOR_set_timer_op] = "set_timer_op",
	[__HYPERVISOR_event_channel_op_compat] = "event_channel_op_compat",
	[__HYPERVISOR_xen_version] = "xen_version", [__HYPERVISOR_console_io] = "console_io",
	[__HYPERVISOR_physdev_op_compat] = "physdev_op_compat", [__HYPERVISOR_grant_table_op] = "grant_table_op",
	[__HYPERVISOR_vm_assist] = "vm_assist",
	[__HYPERVISOR_update_va_mapping_otherdomain] = "update_va_mapping_otherdomain",
	[__HYPERVISOR_iret] = "iret", [__HYPERVISOR_vcpu_op] = "vcpu_op",
	[__HYPERVISOR_set_segment_base] = "set_segment_base", [__HYPERVISOR_mmuext_op] = "mmuext_op",
	[__HYPERVISOR_xsm_op] = "xsm_op", [__HYPERVISOR_nmi_op] = "nmi_op", [__HYPERVISOR_sched_op] = "sched_op",
	[__HYPERVISOR_callback_op] = "callback_op", [__HYPERVISOR_event_channel_op] = "event_channel_op",
	[__HYPERVISOR_physdev_op] = "physdev_op", [__HYPERVISOR_hvm_op] = "hvm_op",
	[__HYPERVISOR_sysctl] = "sysctl", [__HYPERVISOR_domctl] = "domctl", [__HYPERVISOR_kexec_op] = "kexec_op",
	[__HYPERVISOR_arch_0] = "mca",
};

static const char *const names[PERF_COUNTERS] = {
	[PERF_SCHEDULE] = "schedule", [PERF_SWITCH] = "vcpu_switch", [PERF_IDLE] = "idle", [PERF_MOVE] = "vcpu_move",
	[PERF_STEAL] = "vcpu_steal", [PERF_BALANCE] = "vcpu_balance", [PERF_PARK] = "vcpu_park",
	[PERF_RESTART] = "hypercall_restart",
};

u32 perf_list_length(void)
{
	return HYPERCALLS + PERF_COUNTERS;
}

const char *perf_list_name(u32 n)
{
	if (n >= HYPERCALLS)
		return names[n - HYPERCALLS];
	return hypercall_names[n] ? hypercall_names[n] : "hypercall_unknown";
}

u64 perf_list_value(u32 n)
{
	unsigned int cpu;
	u64 sum = 0;

	if (n < HYPERCALLS)
		return hypercall_count(n);
	for_each_cpu(cpu, &cpu_present_map)
		sum += READ_ONCE(perf_counts[cpu][n - HYPERCALLS]);
	return sum;
}

void perf_list_reset(void)
{
	hypercall_count_reset();
	/* As there, a CPU that is counting at this moment may bring an old value back. */
	for (unsigned int cpu = 0; cpu < MAX_CPUS; cpu++)
		for (u32 c = 0; c < PERF_COUNTERS; c++)
			WRITE_ONCE(perf_counts[cpu][c], 0);
}

static void key_counters(char key)
{
	(void)key;
	for (u32 n = 0; n < perf_list_length(); n++)
		if (perf_list_value(n))
			log_always("%-30s %lu", perf_list_name(n), perf_list_value(n));
}

static void key_counters_reset(char key)
{
	(void)key;
	perf_list_reset();
	log_always("counters are at 0 again");
}

void hypercall_init(void)
{
	debug_key_register('p', "dump counters", key_counters);
	debug_key_register('P', "set counters to 0", key_counters_reset);
}
