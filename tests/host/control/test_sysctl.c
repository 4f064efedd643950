/* SPDX-License-Identifier: BSD-2-Clause */
/* sysctl: the machine, its memory, its console, lists of domains. */
#include <hv/console.h>
#include <hv/cpu.h>
#include <hv/frame.h>
#include <hv/perf.h>
#include <hv/policy.h>
#include "tests.h"
#include "../../../hypervisor/drivers/console/internal.h"

static long sysctl(u32 cmd, struct xen_sysctl *op)
{
	return kit_sysctl(kit_v0, cmd, op);
}

static void test_who_may(void **state)
{
	struct xen_sysctl op = { 0 };
	u64 args[6] = { 0 };
	gva_t at;

	(void)state;
	assert_int_equal(kit_sysctl(kit_v1, XEN_SYSCTL_physinfo, &op), -EPERM);
	assert_int_equal(full_hypercall(kit_v0, __HYPERVISOR_sysctl, KIT_UNMAPPED, 0, 0, 0, 0), -EFAULT);
	op.interface_version = 1;
	at = kit_put(kit_v0, &op, sizeof(op));
	assert_int_equal(full_hypercall(kit_v0, __HYPERVISOR_sysctl, at, 0, 0, 0, 0), -EACCES);
	assert_int_equal(sysctl(0xffffffff, &op), -ENOSYS);
	assert_int_equal(sysctl(0, &op), -ENOSYS);
	assert_int_equal(sysctl(XEN_SYSCTL_tbuf_op, &op), -EOPNOTSUPP);
	/* Read-only memory for an answer. */
	op = (struct xen_sysctl){ .cmd = XEN_SYSCTL_sched_id, .interface_version = XEN_SYSCTL_INTERFACE_VERSION };
	at = sim_va(sim_table(dom0, 1, sim_va(0)));
	assert_int_equal(full_hypercall(kit_v0, __HYPERVISOR_sysctl, at, 0, 0, 0, 0), -EACCES);
	args[0] = kit_put(kit_v0, &op, sizeof(op));
	sim_cpu_switch(1);
	assert_true(control_lock());
	sim_cpu_switch(0);
	assert_int_equal(sim_call_limited(kit_v0, do_sysctl, args, 2), -ERESTART);
	sim_cpu_switch(1);
	control_unlock();
}

static void test_phys_info(void **state)
{
	struct xen_sysctl op = { 0 };

	(void)state;
	assert_int_equal(sysctl(XEN_SYSCTL_physinfo, &op), 0);
	assert_int_equal(op.u.physinfo.nr_cpus, 4);
	assert_int_equal(op.u.physinfo.max_cpu_id, 3);
	assert_int_equal(op.u.physinfo.nr_nodes, 1);
	assert_int_equal(op.u.physinfo.threads_per_core, 1);
	assert_int_equal(op.u.physinfo.cores_per_socket, 4);
	assert_int_equal(op.u.physinfo.max_mfn, KIT_FRAMES - 1);
	assert_int_equal(op.u.physinfo.free_pages, heap_free_frames());
	assert_true(op.u.physinfo.total_pages > op.u.physinfo.free_pages);
	op = (struct xen_sysctl){ .u.availheap.node = -1 };
	assert_int_equal(sysctl(XEN_SYSCTL_availheap, &op), 0);
	assert_int_equal(op.u.availheap.avail_bytes, heap_free_frames() * PAGE_SIZE);
	op.u.availheap.node = 0;
	assert_int_equal(sysctl(XEN_SYSCTL_availheap, &op), 0);
	assert_int_equal(op.u.availheap.avail_bytes, heap_free_frames() * PAGE_SIZE);
	op.u.availheap.node = 7;
	assert_int_equal(sysctl(XEN_SYSCTL_availheap, &op), 0);
	assert_int_equal(op.u.availheap.avail_bytes, 0);
	op.u.availheap = (struct xen_sysctl_availheap){ .node = -1, .max_bitwidth = 16 };
	assert_int_equal(sysctl(XEN_SYSCTL_availheap, &op), 0);
	assert_int_equal(op.u.availheap.avail_bytes, 16 * PAGE_SIZE);
	op.u.availheap = (struct xen_sysctl_availheap){ .node = -1, .max_bitwidth = 1 };
	assert_int_equal(sysctl(XEN_SYSCTL_availheap, &op), 0);
	assert_int_equal(op.u.availheap.avail_bytes, PAGE_SIZE);
}

static void test_cpus(void **state)
{
	struct xen_sysctl op = { .u.getcpuinfo.max_cpus = 100 };
	xen_sysctl_cpuinfo_t info[4];
	xen_sysctl_cputopo_t topo[6];

	(void)state;
	full_time(2000000);
	op.u.getcpuinfo.info.p = (void *)KIT_UNMAPPED;
	assert_int_equal(sysctl(XEN_SYSCTL_getcpuinfo, &op), -EFAULT);
	op.u.getcpuinfo.max_cpus = 100;
	op.u.getcpuinfo.info.p = (void *)kit_room(kit_v0, sizeof(info));
	assert_int_equal(sysctl(XEN_SYSCTL_getcpuinfo, &op), 0);
	assert_int_equal(op.u.getcpuinfo.nr_cpus, 4);
	op = (struct xen_sysctl){ 0 };
	assert_int_equal(sysctl(XEN_SYSCTL_cputopoinfo, &op), 0);
	assert_int_equal(op.u.cputopoinfo.num_cpus, 4);
	op.u.cputopoinfo.cputopo.p = (void *)KIT_UNMAPPED;
	assert_int_equal(sysctl(XEN_SYSCTL_cputopoinfo, &op), -EFAULT);
	cpumask_clear(&cpu_present_map, 2);
	op.u.cputopoinfo.num_cpus = 6;
	op.u.cputopoinfo.cputopo.p = (void *)kit_room(kit_v0, sizeof(topo));
	assert_int_equal(sysctl(XEN_SYSCTL_cputopoinfo, &op), 0);
	cpumask_set(&cpu_present_map, 2);
	kit_get(kit_v0, topo, (gva_t)op.u.cputopoinfo.cputopo.p, sizeof(topo));
	assert_int_equal(topo[3].core, 3);
	assert_int_equal(topo[2].core, XEN_INVALID_CORE_ID);
	assert_int_equal(((u8 *)&topo[4])[0], 0x5a);
	op = (struct xen_sysctl){ .u.cpu_hotplug = { .cpu = MAX_CPUS } };
	assert_int_equal(sysctl(XEN_SYSCTL_cpu_hotplug, &op), -EINVAL);
	op.u.cpu_hotplug = (struct xen_sysctl_cpu_hotplug){ .cpu = 0, .op = XEN_SYSCTL_CPU_HOTPLUG_OFFLINE };
	assert_int_equal(sysctl(XEN_SYSCTL_cpu_hotplug, &op), -EBUSY);
	op.u.cpu_hotplug = (struct xen_sysctl_cpu_hotplug){ .op = XEN_SYSCTL_CPU_HOTPLUG_SMT_ENABLE };
	assert_int_equal(sysctl(XEN_SYSCTL_cpu_hotplug, &op), -EOPNOTSUPP);
}

static void test_nodes(void **state)
{
	struct xen_sysctl op = { 0 };
	xen_sysctl_meminfo_t mem;
	u32 distance = 0, nodes[300];

	(void)state;
	assert_int_equal(sysctl(XEN_SYSCTL_numainfo, &op), 0);
	assert_int_equal(op.u.numainfo.num_nodes, 1);
	op.u.numainfo.meminfo.p = (void *)KIT_UNMAPPED;
	assert_int_equal(sysctl(XEN_SYSCTL_numainfo, &op), -EFAULT);
	op.u.numainfo.num_nodes = 5;
	op.u.numainfo.meminfo.p = (void *)kit_room(kit_v0, sizeof(mem));
	op.u.numainfo.distance.p = (void *)KIT_UNMAPPED;
	assert_int_equal(sysctl(XEN_SYSCTL_numainfo, &op), -EFAULT);
	op.u.numainfo.num_nodes = 5;
	op.u.numainfo.distance.p = (void *)kit_room(kit_v0, sizeof(distance));
	assert_int_equal(sysctl(XEN_SYSCTL_numainfo, &op), 0);
	assert_int_equal(op.u.numainfo.num_nodes, 1);
	kit_get(kit_v0, &mem, (gva_t)op.u.numainfo.meminfo.p, sizeof(mem));
	kit_get(kit_v0, &distance, (gva_t)op.u.numainfo.distance.p, sizeof(distance));
	assert_int_equal(mem.memfree, heap_free_frames() * PAGE_SIZE);
	assert_int_equal(distance, 10);
	op = (struct xen_sysctl){ .u.pcitopoinfo.num_devs = 300 };
	op.u.pcitopoinfo.nodes.p = (void *)KIT_UNMAPPED;
	assert_int_equal(sysctl(XEN_SYSCTL_pcitopoinfo, &op), -EFAULT);
	op.u.pcitopoinfo.num_devs = 300;
	op.u.pcitopoinfo.nodes.p = (void *)kit_room(kit_v0, sizeof(nodes));
	assert_int_equal(sysctl(XEN_SYSCTL_pcitopoinfo, &op), 0);
	assert_int_equal(op.u.pcitopoinfo.num_devs, 256);
	kit_get(kit_v0, nodes, (gva_t)op.u.pcitopoinfo.nodes.p, sizeof(nodes));
	assert_int_equal(nodes[255], XEN_INVALID_NODE_ID);
	assert_int_equal(nodes[256], 0x5a5a5a5a);
}

static void test_features(void **state)
{
	struct xen_sysctl op = { 0 };
	struct xen_sysctl_cpu_policy *p = &op.u.cpu_policy;
	u32 words[CPU_FEATURE_WORDS];

	(void)state;
	assert_int_equal(sysctl(XEN_SYSCTL_get_cpu_levelling_caps, &op), 0);
	assert_int_equal(op.u.cpu_levelling_caps.caps, 0);
	op = (struct xen_sysctl){ .u.cpu_featureset.index = XEN_SYSCTL_cpu_featureset_host };
	assert_int_equal(sysctl(XEN_SYSCTL_get_cpu_featureset, &op), 0);
	assert_int_equal(op.u.cpu_featureset.nr_features, CPU_FEATURE_WORDS);
	op.u.cpu_featureset.features.p = (void *)KIT_UNMAPPED;
	assert_int_equal(sysctl(XEN_SYSCTL_get_cpu_featureset, &op), -EFAULT);
	op.u.cpu_featureset.nr_features = 2;
	op.u.cpu_featureset.features.p = (void *)kit_room(kit_v0, sizeof(words));
	assert_int_equal(sysctl(XEN_SYSCTL_get_cpu_featureset, &op), -ENOBUFS);
	kit_get(kit_v0, words, (gva_t)op.u.cpu_featureset.features.p, sizeof(words));
	assert_int_equal(words[2], 0x5a5a5a5a);
	op.u.cpu_featureset.index = 99;
	assert_int_equal(sysctl(XEN_SYSCTL_get_cpu_featureset, &op), -EINVAL);
	op.u.cpu_featureset.index = XEN_SYSCTL_cpu_featureset_hvm;
	assert_int_equal(sysctl(XEN_SYSCTL_get_cpu_featureset, &op), -EOPNOTSUPP);
	op = (struct xen_sysctl){ .u.cpu_policy = { .index = XEN_SYSCTL_cpu_policy_host } };
	assert_int_equal(sysctl(XEN_SYSCTL_get_cpu_policy, &op), 0);
	assert_int_equal(p->nr_leaves, CPU_POLICY_LEAVES);
	p->leaves.p = (void *)KIT_UNMAPPED;
	assert_int_equal(sysctl(XEN_SYSCTL_get_cpu_policy, &op), -EFAULT);
	p->nr_leaves = 1;
	p->leaves.p = (void *)kit_room(kit_v0, CPU_POLICY_LEAVES * sizeof(struct xen_cpuid_leaf));
	assert_int_equal(sysctl(XEN_SYSCTL_get_cpu_policy, &op), -ENOBUFS);
	assert_true(p->nr_leaves > 10);
	p->msrs.p = (void *)kit_room(kit_v0, 64);
	assert_int_equal(sysctl(XEN_SYSCTL_get_cpu_policy, &op), 0);
	p->index = 17;
	assert_int_equal(sysctl(XEN_SYSCTL_get_cpu_policy, &op), -EINVAL);
	p->index = XEN_SYSCTL_cpu_policy_hvm_max;
	assert_int_equal(sysctl(XEN_SYSCTL_get_cpu_policy, &op), -EOPNOTSUPP);
}

static void test_power(void **state)
{
	struct xen_sysctl op = { .u.get_pmstat = { .type = PMSTAT_get_max_cx, .cpuid = 9 } };

	(void)state;
	assert_int_equal(sysctl(XEN_SYSCTL_get_pmstat, &op), -ENODEV);
	op.u.get_pmstat.cpuid = 1;
	assert_int_equal(sysctl(XEN_SYSCTL_get_pmstat, &op), 0);
	assert_int_equal(op.u.get_pmstat.u.getcx.nr, 2);
	op.u.get_pmstat.type = PMSTAT_get_cxstat;
	assert_int_equal(sysctl(XEN_SYSCTL_get_pmstat, &op), 0);
	op.u.get_pmstat.type = PMSTAT_get_max_px;
	assert_int_equal(sysctl(XEN_SYSCTL_get_pmstat, &op), -ENODEV);
	op = (struct xen_sysctl){ .u.pm_op.cmd = XEN_SYSCTL_pm_op_get_max_cstate };
	assert_int_equal(sysctl(XEN_SYSCTL_pm_op, &op), 0);
	assert_int_equal(op.u.pm_op.u.get_max_cstate, 1);
	op.u.pm_op.cmd = XEN_SYSCTL_pm_op_enable_turbo;
	assert_int_equal(sysctl(XEN_SYSCTL_pm_op, &op), -ENODEV);
}

static void test_console(void **state)
{
	struct xen_sysctl op = { .u.readconsole = { .count = 600 } };
	static char text[700], seen[700];
	gva_t at;

	(void)state;
	for (u32 i = 0; i < sizeof(text); i++)
		text[i] = i % 50 == 49 ? '\n' : (char)('a' + i % 26);
	at = kit_put(kit_v0, text, sizeof(text));
	op.u.readconsole.clear = 1;
	op.u.readconsole.count = 0xffff;
	op.u.readconsole.buffer.p = (void *)sim_alloc(dom0, 4 * PAGE_SIZE);
	(void)sysctl(XEN_SYSCTL_readconsole, &op);
	console_to_ring = true;
	assert_int_equal(kit_call(kit_v0, console_io, CONSOLEIO_write, sizeof(text), at), 0);
	op.u.readconsole = (struct xen_sysctl_readconsole){ .count = 600 };
	op.u.readconsole.buffer.p = (void *)KIT_UNMAPPED;
	assert_int_equal(sysctl(XEN_SYSCTL_readconsole, &op), -EFAULT);
	op.u.readconsole.buffer.p = (void *)kit_room(kit_v0, 700);
	op.u.readconsole.count = 600;
	assert_int_equal(sysctl(XEN_SYSCTL_readconsole, &op), 0);
	assert_int_equal(op.u.readconsole.count, 600);
	kit_get(kit_v0, seen, (gva_t)op.u.readconsole.buffer.p, 700);
	assert_memory_equal(seen, text, 600);
	assert_int_equal(seen[600], 0x5a);
	/* The rest, from there. */
	op.u.readconsole.incremental = 1;
	op.u.readconsole.count = 600;
	assert_int_equal(sysctl(XEN_SYSCTL_readconsole, &op), 0);
	assert_int_equal(op.u.readconsole.count, 100);
	op.u.readconsole.count = 600;
	assert_int_equal(sysctl(XEN_SYSCTL_readconsole, &op), 0);
	assert_int_equal(op.u.readconsole.count, 0);
}

static void test_counters(void **state)
{
	struct xen_sysctl op = { .u.perfc_op.cmd = 9 };
	struct xen_sysctl_perfc_op *p = &op.u.perfc_op;
	xen_sysctl_perfc_desc_t *desc;
	u32 *val, sysctls = 0;
	gva_t d = sim_alloc(dom0, 3 * PAGE_SIZE), v = sim_alloc(dom0, PAGE_SIZE);

	(void)state;
	assert_int_equal(sysctl(XEN_SYSCTL_perfc_op, &op), -EINVAL);
	p->cmd = XEN_SYSCTL_PERFCOP_query;
	assert_int_equal(sysctl(XEN_SYSCTL_perfc_op, &op), 0);
	assert_int_equal(p->nr_counters, perf_list_length());
	p->desc.p = (void *)d;
	p->val.p = (void *)KIT_UNMAPPED;
	assert_int_equal(sysctl(XEN_SYSCTL_perfc_op, &op), -EFAULT);
	p->val.p = (void *)v;
	assert_int_equal(sysctl(XEN_SYSCTL_perfc_op, &op), 0);
	val = sim_ptr(dom0, v);
	for (u32 i = 0; i < p->nr_counters; i++) {
		xen_sysctl_perfc_desc_t one;

		kit_get(kit_v0, &one, d + i * sizeof(*desc), sizeof(one));
		assert_int_equal(one.nr_vals, 1);
		if (!strcmp(one.name, "sysctl"))
			sysctls = val[i];
	}
	assert_int_equal(sysctls, 4);
	p->cmd = XEN_SYSCTL_PERFCOP_reset;
	assert_int_equal(sysctl(XEN_SYSCTL_perfc_op, &op), 0);
	for (u32 i = 0; i < p->nr_counters; i++)
		assert_int_equal(val[i], 0);
}

static void test_domain_list(void **state)
{
	struct xen_sysctl op = { .u.getdomaininfolist = { .max_domains = 8 } };
	struct xen_sysctl_getdomaininfolist *l = &op.u.getdomaininfolist;
	xen_domctl_getdomaininfo_t info[2];

	(void)state;
	l->buffer.p = (void *)KIT_UNMAPPED;
	assert_int_equal(sysctl(XEN_SYSCTL_getdomaininfolist, &op), -EFAULT);
	l->buffer.p = (void *)kit_room(kit_v0, sizeof(info));
	assert_int_equal(sysctl(XEN_SYSCTL_getdomaininfolist, &op), 0);
	assert_int_equal(l->num_domains, 2);
	kit_get(kit_v0, info, (gva_t)l->buffer.p, sizeof(info));
	assert_int_equal(info[0].domain, 0);
	assert_int_equal(info[1].domain, 1);
	assert_int_equal(info[1].tot_pages, KIT_GUEST_PAGES);
	l->first_domain = 1;
	l->max_domains = 1;
	assert_int_equal(sysctl(XEN_SYSCTL_getdomaininfolist, &op), 0);
	assert_int_equal(l->num_domains, 1);
	l->first_domain = 0xffff;
	assert_int_equal(sysctl(XEN_SYSCTL_getdomaininfolist, &op), 0);
	assert_int_equal(l->num_domains, 0);
}

static u32 offline(u32 cmd, u32 frame, long want)
{
	struct xen_sysctl op = { .u.page_offline = { .cmd = cmd, .start = frame, .end = frame } };
	u32 status = 0x5a5a5a5a;

	op.u.page_offline.status.p = (void *)kit_put(kit_v0, &status, sizeof(status));
	assert_int_equal(sysctl(XEN_SYSCTL_page_offline_op, &op), want);
	kit_get(kit_v0, &status, (gva_t)op.u.page_offline.status.p, sizeof(status));
	return status;
}

static void test_page_offline(void **state)
{
	struct xen_sysctl op = { .u.page_offline = { .cmd = sysctl_query_page_offline, .start = 5, .end = 4 } };
	struct frame *f = frames_alloc(0, 0);
	u32 n = (u32)frame_mfn(f).v;

	(void)state;
	frames_free(f, 0);
	assert_int_equal(sysctl(XEN_SYSCTL_page_offline_op, &op), -EINVAL);
	op.u.page_offline.end = 5 + 1024;
	assert_int_equal(sysctl(XEN_SYSCTL_page_offline_op, &op), -EINVAL);
	op.u.page_offline.end = 5;
	op.u.page_offline.status.p = (void *)KIT_UNMAPPED;
	assert_int_equal(sysctl(XEN_SYSCTL_page_offline_op, &op), -EFAULT);
	op.u.page_offline.cmd = 9;
	assert_int_equal(sysctl(XEN_SYSCTL_page_offline_op, &op), -EINVAL);
	assert_int_equal(offline(sysctl_query_page_offline, n, 0), PG_OFFLINE_STATUS_ONLINE);
	assert_true(offline(sysctl_page_offline, n, 0) & PG_OFFLINE_OFFLINED);
	assert_true(offline(sysctl_query_page_offline, n, 0) & PG_OFFLINE_STATUS_OFFLINED);
	assert_true(offline(sysctl_page_online, n, 0) & PG_ONLINE_ONLINED);
	assert_int_equal(offline(sysctl_query_page_offline, n, 0), PG_OFFLINE_STATUS_ONLINE);
}

/* The last frames that a number can name: the list ends there. */
static void test_page_offline_end(void **state)
{
	struct xen_sysctl op = { .u.page_offline = { .cmd = sysctl_query_page_offline, .start = 0xfffffff0, .end = 0xffffffff } };
	u32 status[32];

	(void)state;
	op.u.page_offline.status.p = (void *)kit_room(kit_v0, sizeof(status));
	(void)sysctl(XEN_SYSCTL_page_offline_op, &op);
	kit_get(kit_v0, status, (gva_t)op.u.page_offline.status.p, sizeof(status));
	assert_int_equal(status[16], 0x5a5a5a5a);
	/* And none at the other end of memory is touched. */
	op.u.page_offline.cmd = sysctl_page_offline;
	(void)sysctl(XEN_SYSCTL_page_offline_op, &op);
	assert_int_equal(heap_frame_offline_status(mfn(0x110)), PG_OFFLINE_STATUS_ONLINE);
}

static char keys_run[8];
static u32 keys_count;

static void key(char c)
{
	keys_run[keys_count++ % 8] = c;
}

static void test_keys(void **state)
{
	struct xen_sysctl op = { .u.debug_keys.nr_keys = 1 };

	(void)state;
	keys_count = 0;
	debug_key_register('%', "a test's", key);
	op.u.debug_keys.keys.p = (void *)KIT_UNMAPPED;
	assert_int_equal(sysctl(XEN_SYSCTL_debug_keys, &op), -EFAULT);
	op.u.debug_keys.nr_keys = 6;
	op.u.debug_keys.keys.p = (void *)kit_put(kit_v0, "%\x01\xff%~%", 6);
	assert_int_equal(sysctl(XEN_SYSCTL_debug_keys, &op), 0);
	assert_int_equal(keys_count, 3);
	assert_int_equal(keys_run[1], '%');
}

static char everything[] = "qd0rmMHegtTpPhi";

/* Each key prints something, in whatever state domains are, and changes nothing. */
static void test_keys_print(void **state)
{
	struct xen_sysctl op = { 0 };
	u64 before;

	(void)state;
	kit_grant_entry(kit_guest, 9, 0, 3, false);
	assert_int_equal(kit_grant(kit_v0, GNTTABOP_map_grant_ref, &(struct gnttab_map_grant_ref){ .flags = GNTMAP_host_map, .ref = 9,
		.dom = 1, .host_addr = sim_va(kit_page(dom0)) }, sizeof(struct gnttab_map_grant_ref)), 0);
	(void)kit_port_bind(kit_v0, 1, kit_port_unbound(kit_v1, 0));
	(void)kit_port_virq(kit_v1, VIRQ_TIMER, 0);
	(void)kit_port_ipi(kit_v1, 1);
	assert_int_equal(kit_call(kit_v1, set_timer_op, sim_clock + 1000000, 0, 0), 0);
	op.u.debug_keys.nr_keys = sizeof(everything) - 1;
	op.u.debug_keys.keys.p = (void *)kit_put(kit_v0, everything, sizeof(everything));
	(void)kit_room(kit_v0, sizeof(op));
	before = heap_free_frames();
	assert_int_equal(sysctl(XEN_SYSCTL_debug_keys, &op), 0);
	domain_shutdown(kit_guest, SHUTDOWN_crash);
	full_settle();
	assert_int_equal(sysctl(XEN_SYSCTL_debug_keys, &op), 0);
	assert_int_equal(heap_free_frames(), before);
}

static void restart(void *arg)
{
	(void)arg;
	(void)!debug_key_run('R');
}

static void test_key_restart(void **state)
{
	(void)state;
	kit_start();
	assert_int_equal(full_run(restart, NULL), FULL_RESTART);
}

int sysctl_tests(void)
{
	const struct CMUnitTest tests[] = {
		T(test_who_may), T(test_phys_info), T(test_cpus), T(test_nodes), T(test_features), T(test_power), T(test_console),
		T(test_counters), T(test_domain_list), T(test_page_offline), T(test_page_offline_end), T(test_keys),
		T(test_keys_print), cmocka_unit_test(test_key_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
