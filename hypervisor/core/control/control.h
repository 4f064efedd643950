/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to core/control: HYPERVISOR_domctl and HYPERVISOR_sysctl. Every handler runs under the control lock, for a privileged actor. */
#ifndef CORE_CONTROL_CONTROL_H
#define CORE_CONTROL_CONTROL_H

#include <hv/control.h>
#include <hv/cpumask.h>
#include <hv/domain.h>
#include <xen/domctl.h>
#include <xen/sysctl.h>

/* Returns the hypercall's result; *out: the whole struct goes back to the guest (also with some errors). */
typedef long domctl_fn(struct vcpu *v, struct domain *d, struct xen_domctl *op, bool *out);
typedef long sysctl_fn(struct vcpu *v, struct xen_sysctl *op, bool *out);

domctl_fn domctl_create, domctl_destroy, domctl_pause, domctl_unpause, domctl_info, domctl_resume, domctl_max_vcpus;
domctl_fn domctl_max_mem, domctl_handle, domctl_debugging, domctl_time_offset, domctl_address_size_set;
domctl_fn domctl_address_size_get, domctl_hypercall_init, domctl_trigger, domctl_subscribe, domctl_virq_handler;
domctl_fn domctl_target, domctl_node_affinity_set, domctl_node_affinity_get;
domctl_fn domctl_vcpu_context_set, domctl_vcpu_context_get, domctl_vcpu_info, domctl_affinity_set, domctl_affinity_get;
domctl_fn domctl_ext_context_set, domctl_ext_context_get, domctl_xstate_set, domctl_xstate_get, domctl_msrs_set;
domctl_fn domctl_msrs_get;
domctl_fn domctl_irq_permission, domctl_iomem_permission, domctl_ioport_permission, domctl_page_info, domctl_cache_flush;
domctl_fn domctl_shadow, domctl_pool_get, domctl_pool_set;
domctl_fn domctl_sched, domctl_policy_set, domctl_policy_get, domctl_tsc_set, domctl_tsc_get;

sysctl_fn sysctl_read_console, sysctl_debug_keys, sysctl_perf_counters, sysctl_offline;
sysctl_fn sysctl_phys_info, sysctl_cpu_info, sysctl_cpu_topology, sysctl_numa_info, sysctl_pci_topology, sysctl_heap, sysctl_hotplug;
sysctl_fn sysctl_featureset, sysctl_levelling, sysctl_policy, sysctl_power_stats, sysctl_power_op;
sysctl_fn sysctl_domain_list, sysctl_sched_id, sysctl_sched_op, sysctl_pools;

/* Fills the record that getdomaininfo and getdomaininfolist give. */
void domain_info_fill(struct domain *d, struct xen_domctl_getdomaininfo *info);

/* Bit maps of the control interface: 0 or -EFAULT. Reading takes bits beyond nr_bits as 0, and ignores those beyond MAX_CPUS. */
int control_map_in(struct vcpu *v, struct cpumask *m, const struct xenctl_bitmap *map) must_check;
int control_map_out(struct vcpu *v, const struct xenctl_bitmap *map, const struct cpumask *m) must_check;

/* Address in a 64-bit guest handle. */
#define HANDLE(h) ((gva_t)(uintptr_t)(h).p)

#endif
