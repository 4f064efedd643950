/* SPDX-License-Identifier: BSD-2-Clause */
/* sysctl: the machine: CPUs, memory, nodes, features, power. */
#include <hv/acpi.h>
#include <hv/cpu.h>
#include <hv/errno.h>
#include <hv/frame.h>
#include <hv/guest.h>
#include <hv/policy.h>
#include <hv/power.h>
#include <hv/sched.h>
#include <hv/string.h>
#include <hv/time.h>
#include "control.h"

#define BITS_DMA32 32u

static u32 highest_cpu(void)
{
	u32 last = 0, cpu;

	for_each_cpu(cpu, &cpu_present_map)
		last = cpu;
	return last;
}

/* CPUs of CPU 0's core and cores of its socket: the machine is taken to be regular. */
static void topology_count(struct xen_sysctl_physinfo *p)
{
	const struct cpu_topology *t0 = &cpu_topology[0];
	u32 threads = 0, in_socket = 0, cpu;

	for_each_cpu(cpu, &cpu_online_map) {
		const struct cpu_topology *t = &cpu_topology[cpu];

		if (t->socket != t0->socket)
			continue;
		in_socket++;
		threads += t->core == t0->core;
	}
	p->threads_per_core = MAX(threads, 1u);
	p->cores_per_socket = MAX(in_socket / p->threads_per_core, 1u);
}

long sysctl_phys_info(struct vcpu *v, struct xen_sysctl *op, bool *out)
{
	struct xen_sysctl_physinfo *p = &op->u.physinfo;
	u32 words[CPU_FEATURE_WORDS];

	(void)v;
	memset(p, 0, sizeof(*p));
	topology_count(p);
	p->nr_cpus = cpumask_weight(&cpu_online_map);
	p->max_cpu_id = highest_cpu();
	p->nr_nodes = MAX(acpi_info.nodes, 1u);
	p->max_node_id = p->nr_nodes - 1;
	p->cpu_khz = (u32)tsc_khz();
	p->capabilities = XEN_SYSCTL_PHYSCAP_pv | XEN_SYSCTL_PHYSCAP_gnttab_v1 | XEN_SYSCTL_PHYSCAP_gnttab_v2;
	p->total_pages = heap_total_frames();
	p->free_pages = heap_free_frames();
	p->outstanding_pages = heap_claimed_frames();
	p->max_mfn = frame_limit - 1;
	if (!cpu_featureset_get(XEN_SYSCTL_cpu_featureset_host, words))
		memcpy(p->hw_cap, words, sizeof(p->hw_cap));
	*out = true;
	return 0;
}

long sysctl_cpu_info(struct vcpu *v, struct xen_sysctl *op, bool *out)
{
	struct xen_sysctl_getcpuinfo *g = &op->u.getcpuinfo;
	u32 n = MIN(g->max_cpus, highest_cpu() + 1);

	for (u32 cpu = 0; cpu < n; cpu++) {
		xen_sysctl_cpuinfo_t info = { .idletime = cpu_online(cpu) ? sched_idle_time(cpu) : 0 };

		if (guest_array_out(v, HANDLE(g->info), cpu, &info))
			return -EFAULT;
	}
	g->nr_cpus = n;
	*out = true;
	return 0;
}

long sysctl_cpu_topology(struct vcpu *v, struct xen_sysctl *op, bool *out)
{
	struct xen_sysctl_cputopoinfo *t = &op->u.cputopoinfo;
	u32 n = highest_cpu() + 1;

	*out = true;
	if (HANDLE(t->cputopo)) {
		n = MIN(n, t->num_cpus);
		for (u32 cpu = 0; cpu < n; cpu++) {
			xen_sysctl_cputopo_t c = { XEN_INVALID_CORE_ID, XEN_INVALID_SOCKET_ID, XEN_INVALID_NODE_ID };

			if (cpumask_test(&cpu_present_map, cpu))
				c = (xen_sysctl_cputopo_t){
					cpu_topology[cpu].core, cpu_topology[cpu].socket, cpu_topology[cpu].node,
				};
			if (guest_array_out(v, HANDLE(t->cputopo), cpu, &c))
				return -EFAULT;
		}
	}
	t->num_cpus = n;
	return 0;
}

long sysctl_numa_info(struct vcpu *v, struct xen_sysctl *op, bool *out)
{
	struct xen_sysctl_numainfo *ni = &op->u.numainfo;
	u32 nodes = MAX(acpi_info.nodes, 1u), n = nodes;

	*out = true;
	if (HANDLE(ni->meminfo) || HANDLE(ni->distance))
		n = MIN(n, ni->num_nodes);
	for (u32 i = 0; i < n; i++) {
		xen_sysctl_meminfo_t m = {
			.memsize = heap_total_frames_node(i) * PAGE_SIZE, .memfree = heap_free_frames_node(i) * PAGE_SIZE,
		};
		u32 distance[ACPI_MAX_NODES];

		for (u32 k = 0; k < n; k++)
			distance[k] = nodes == 1 ? 10 : acpi_info.distance[i][k];
		if (HANDLE(ni->meminfo) && guest_array_out(v, HANDLE(ni->meminfo), i, &m))
			return -EFAULT;
		if (HANDLE(ni->distance) && guest_copy_out(v, HANDLE(ni->distance) + (u64)i * n * 4, distance, n * 4))
			return -EFAULT;
	}
	ni->num_nodes = n;
	return 0;
}

/* Devices have no node of their own that static tables would tell. */
long sysctl_pci_topology(struct vcpu *v, struct xen_sysctl *op, bool *out)
{
	struct xen_sysctl_pcitopoinfo *t = &op->u.pcitopoinfo;
	u32 n = MIN(t->num_devs, 256u), node = XEN_INVALID_NODE_ID;

	for (u32 i = 0; i < n; i++)
		if (guest_array_out(v, HANDLE(t->nodes), i, &node))
			return -EFAULT;
	t->num_devs = n;
	*out = true;
	return 0;
}

long sysctl_heap(struct vcpu *v, struct xen_sysctl *op, bool *out)
{
	struct xen_sysctl_availheap *h = &op->u.availheap;
	u64 frames;

	(void)v;
	if (h->node != -1 && (u32)h->node >= MAX(acpi_info.nodes, 1u))
		frames = 0;
	else
		frames = h->node == -1 ? heap_free_frames() : heap_free_frames_node((u32)h->node);
	/* Widths below 4 GiB are answered from what is kept there for devices. */
	if (h->max_bitwidth && h->max_bitwidth <= BITS_DMA32)
		frames = MIN(frames, 1UL << (h->max_bitwidth > PAGE_SHIFT ? h->max_bitwidth - PAGE_SHIFT : 0));
	h->avail_bytes = frames * PAGE_SIZE;
	*out = true;
	return 0;
}

long sysctl_hotplug(struct vcpu *v, struct xen_sysctl *op, bool *out)
{
	(void)out;
	if (op->u.cpu_hotplug.cpu >= MAX_CPUS)
		return -EINVAL;
	/* The CPU that this runs on cannot take itself away while a vCPU needs the answer. */
	if (op->u.cpu_hotplug.op == XEN_SYSCTL_CPU_HOTPLUG_OFFLINE)
		return op->u.cpu_hotplug.cpu == v->cpu ? -EBUSY : cpu_down(op->u.cpu_hotplug.cpu);
	if (op->u.cpu_hotplug.op == XEN_SYSCTL_CPU_HOTPLUG_ONLINE)
		return cpu_up(op->u.cpu_hotplug.cpu);
	return -EOPNOTSUPP;
}

long sysctl_levelling(struct vcpu *v, struct xen_sysctl *op, bool *out)
{
	(void)v;
	op->u.cpu_levelling_caps.caps = 0;
	*out = true;
	return 0;
}

long sysctl_featureset(struct vcpu *v, struct xen_sysctl *op, bool *out)
{
	struct xen_sysctl_cpu_featureset *f = &op->u.cpu_featureset;
	u32 words[CPU_FEATURE_WORDS];
	long rc = 0;

	*out = true;
	if (HANDLE(f->features)) {
		u32 room = f->nr_features;

		rc = cpu_featureset_get(f->index, words);
		if (rc)
			return rc;
		if (guest_copy_out(v, HANDLE(f->features), words, MIN(room, CPU_FEATURE_WORDS) * sizeof(u32)))
			return -EFAULT;
		if (room < CPU_FEATURE_WORDS)
			rc = -ENOBUFS;
	}
	f->nr_features = CPU_FEATURE_WORDS;
	return rc;
}

long sysctl_policy(struct vcpu *v, struct xen_sysctl *op, bool *out)
{
	struct xen_sysctl_cpu_policy *p = &op->u.cpu_policy;
	const struct cpu_policy *policy = cpu_policy_system(p->index);
	u32 nr_leaves = CPU_POLICY_LEAVES, nr_msrs = CPU_POLICY_MSRS;
	struct xen_msr_entry msrs[CPU_POLICY_MSRS];
	struct xen_cpuid_leaf *leaves;
	long rc = 0;

	if (p->_rsvd || p->index > XEN_SYSCTL_cpu_policy_hvm_default)
		return -EINVAL;
	if (!policy)
		return -EOPNOTSUPP;
	*out = true;
	if (HANDLE(p->leaves) || HANDLE(p->msrs)) {
		leaves = hv_alloc(CPU_POLICY_LEAVES * sizeof(*leaves));
		if (!leaves)
			return -ENOMEM;
		nr_leaves = cpu_policy_leaves(policy, leaves);
		nr_msrs = cpu_policy_msrs(policy, msrs);
		if ((HANDLE(p->leaves) && p->nr_leaves < nr_leaves) || (HANDLE(p->msrs) && p->nr_msrs < nr_msrs))
			rc = -ENOBUFS;
		else if ((HANDLE(p->leaves) && guest_copy_out(v, HANDLE(p->leaves), leaves, nr_leaves * sizeof(*leaves))) ||
			 (HANDLE(p->msrs) && guest_copy_out(v, HANDLE(p->msrs), msrs, nr_msrs * sizeof(*msrs))))
			rc = -EFAULT;
		hv_free(leaves);
	}
	p->nr_leaves = nr_leaves;
	p->nr_msrs = nr_msrs;
	return rc;
}

/* Idle CPUs halt (C1), and frequencies are the firmware's business. */
long sysctl_power_stats(struct vcpu *v, struct xen_sysctl *op, bool *out)
{
	struct xen_sysctl_get_pmstat *p = &op->u.get_pmstat;

	(void)v;
	if (!cpu_online(p->cpuid))
		return -ENODEV;
	*out = true;
	if (p->type == PMSTAT_get_max_cx) {
		p->u.getcx.nr = 2;
		return 0;
	}
	if (p->type == PMSTAT_get_cxstat || p->type == PMSTAT_reset_cxstat) {
		p->u.getcx.nr = 0;
		p->u.getcx.nr_pc = p->u.getcx.nr_cc = 0;
		p->u.getcx.last = 1;
		p->u.getcx.idle_time = sched_idle_time(p->cpuid);
		return 0;
	}
	return -ENODEV;
}

long sysctl_power_op(struct vcpu *v, struct xen_sysctl *op, bool *out)
{
	(void)v;
	if (op->u.pm_op.cmd == XEN_SYSCTL_pm_op_get_max_cstate) {
		op->u.pm_op.u.get_max_cstate = 1;
		*out = true;
		return 0;
	}
	return -ENODEV;
}
