/* SPDX-License-Identifier: BSD-2-Clause */
/* HYPERVISOR_sysctl: one table, from command to handler. */
#include <hv/errno.h>
#include <hv/guest.h>
#include <hv/hypercall.h>
#include "control.h"

static long refuse(struct vcpu *v, struct xen_sysctl *op, bool *out)
{
	(void)v;
	(void)op;
	(void)out;
	return -EOPNOTSUPP;
}

#define OFF(n) [XEN_SYSCTL_##n] = refuse

static sysctl_fn *const table[] = {
	[XEN_SYSCTL_readconsole] = sysctl_read_console,
	[XEN_SYSCTL_physinfo] = sysctl_phys_info,
	[XEN_SYSCTL_sched_id] = sysctl_sched_id,
	[XEN_SYSCTL_perfc_op] = sysctl_perf_counters,
	[XEN_SYSCTL_getdomaininfolist] = sysctl_domain_list,
	[XEN_SYSCTL_debug_keys] = sysctl_debug_keys,
	[XEN_SYSCTL_getcpuinfo] = sysctl_cpu_info,
	[XEN_SYSCTL_availheap] = sysctl_heap,
	[XEN_SYSCTL_get_pmstat] = sysctl_power_stats,
	[XEN_SYSCTL_cpu_hotplug] = sysctl_hotplug,
	[XEN_SYSCTL_pm_op] = sysctl_power_op,
	[XEN_SYSCTL_page_offline_op] = sysctl_offline,
	[XEN_SYSCTL_cputopoinfo] = sysctl_cpu_topology,
	[XEN_SYSCTL_numainfo] = sysctl_numa_info,
	[XEN_SYSCTL_pcitopoinfo] = sysctl_pci_topology,
	[XEN_SYSCTL_cpupool_op] = sysctl_pools,
	[XEN_SYSCTL_scheduler_op] = sysctl_sched_op,
	[XEN_SYSCTL_get_cpu_levelling_caps] = sysctl_levelling,
	[XEN_SYSCTL_get_cpu_featureset] = sysctl_featureset,
	[XEN_SYSCTL_get_cpu_policy] = sysctl_policy,
	OFF(tbuf_op), OFF(lockprof_op), OFF(coverage_op), OFF(psr_cmt_op), OFF(psr_alloc), OFF(livepatch_op),
};

long do_sysctl(struct vcpu *v, u64 *args)
{
	struct xen_sysctl op;
	bool out = false;
	long rc;

	if (!is_privileged(v))
		return -EPERM;
	if (guest_copy_in(v, &op, args[0], sizeof(op)))
		return -EFAULT;
	if (op.interface_version != XEN_SYSCTL_INTERFACE_VERSION)
		return -EACCES;
	if (op.cmd >= ARRAY_SIZE(table) || !table[op.cmd])
		return -ENOSYS;
	if (!control_lock())
		return -ERESTART;
	rc = table[op.cmd](v, &op, &out);
	control_unlock();
	if (out && guest_copy_out(v, args[0], &op, sizeof(op)))
		rc = -EFAULT;
	return rc;
}
