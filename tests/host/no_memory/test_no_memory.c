/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory is short: for each hypercall in the table, the first allocation that it makes fails, then the second, and so on until it
 * makes no more. Each time the machine is as it was before if the hypercall says that it failed, and sound in any case; and
 * in the end nothing has been lost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <hv/frame.h>
#include <hv/pv.h>
#include <hv/rangeset.h>
#include <xen/physdev.h>
#include <xen/platform.h>
#include <xen/callback.h>
#include "../full/kit.h"
#include "../../../hypervisor/core/event/event.h"

struct call {
	const char *name;
	void (*prepare)(void);	/* NULL: nothing */
	long (*make)(void);
};

static u32 page_a, page_b, port_a;

static long domctl(u32 cmd, domid_t id, struct xen_domctl op)
{
	return kit_domctl(kit_v0, cmd, id, &op);
}

static long sysctl(u32 cmd, struct xen_sysctl op)
{
	return kit_sysctl(kit_v0, cmd, &op);
}

/* --- domctl and sysctl --- */

static long make_domain(void)
{
	return domctl(XEN_DOMCTL_createdomain, 9, (struct xen_domctl){ .u.createdomain = { .max_vcpus = 3, .max_evtchn_port = 255,
		.max_grant_frames = 4, .max_maptrack_frames = 4, .grant_opts = 2 } });
}

static long make_vcpus(void) { return domctl(XEN_DOMCTL_max_vcpus, 9, (struct xen_domctl){ .u.max_vcpus.max = 3 }); }
static void have_domain(void) { assert_int_equal(make_domain(), 0); }

static void have_vcpus(void)
{
	have_domain();
	assert_int_equal(make_vcpus(), 0);
}

static long make_end(void) { return domctl(XEN_DOMCTL_destroydomain, 9, (struct xen_domctl){ 0 }); }

static long make_context_get(void)
{
	struct xen_domctl op = { .u.vcpucontext.vcpu = 1 };

	op.u.vcpucontext.ctxt.p = (void *)kit_room(kit_v0, sizeof(struct vcpu_guest_context));
	return domctl(XEN_DOMCTL_getvcpucontext, 1, op);
}

static gva_t a_context(struct vcpu *v)
{
	static struct vcpu_guest_context c;

	memset(&c, 0, sizeof(c));
	c.flags = VGCF_in_kernel | VGCF_online;
	c.ctrlreg[3] = mfn_paddr(kit_v1->pv->kernel_root).v;
	c.user_regs.cs = c.user_regs.ss = FLAT_KERNEL_CS;
	return kit_put(v, &c, sizeof(c));
}

static long make_context_set(void)
{
	struct xen_domctl op = { .u.vcpucontext.vcpu = 1 };

	op.u.vcpucontext.ctxt.p = (void *)a_context(kit_v0);
	return domctl(XEN_DOMCTL_setvcpucontext, 1, op);
}

static long make_policy_get(void)
{
	struct xen_domctl op = { .u.cpu_policy = { .nr_leaves = 128, .nr_msrs = 2 } };

	op.u.cpu_policy.leaves.p = (void *)kit_room(kit_v0, 128 * 24);
	op.u.cpu_policy.msrs.p = (void *)kit_room(kit_v0, 64);
	return domctl(XEN_DOMCTL_get_cpu_policy, 1, op);
}

static long make_policy_set(void)
{
	struct xen_domctl op = { 0 };

	return domctl(XEN_DOMCTL_set_cpu_policy, 9, op);
}

static void have_ranges(void)
{
	have_domain();
	assert_int_equal(rangeset_add(dom0->iomem, 0xf0000, 0xf0fff), 0);
	assert_int_equal(rangeset_add(dom0->ioports, 0x100, 0xfff), 0);
}

static long make_iomem(void)
{
	return domctl(XEN_DOMCTL_iomem_permission, 9, (struct xen_domctl){ .u.iomem_permission = { .first_mfn = 0xf0000, .nr_mfns = 9,
		.allow_access = 1 } });
}

static long make_iomem_hole(void)
{
	return domctl(XEN_DOMCTL_iomem_permission, 9, (struct xen_domctl){ .u.iomem_permission = { .first_mfn = 0xf0003, .nr_mfns = 2 } });
}

static void have_iomem(void)
{
	have_ranges();
	assert_int_equal(make_iomem(), 0);
}

static long make_ioport(void)
{
	return domctl(XEN_DOMCTL_ioport_permission, 9, (struct xen_domctl){ .u.ioport_permission = { .first_port = 0x300, .nr_ports = 8,
		.allow_access = 1 } });
}

static long make_pool(void)
{
	return sysctl(XEN_SYSCTL_cpupool_op, (struct xen_sysctl){ .u.cpupool_op = { .op = XEN_SYSCTL_CPUPOOL_OP_CREATE, .cpupool_id = 4,
		.sched_id = XEN_SCHEDULER_CREDIT2 } });
}

static long make_system_policy(void)
{
	struct xen_sysctl op = { .u.cpu_policy = { .index = XEN_SYSCTL_cpu_policy_host, .nr_leaves = 128, .nr_msrs = 2 } };

	op.u.cpu_policy.leaves.p = (void *)kit_room(kit_v0, 128 * 24);
	return sysctl(XEN_SYSCTL_get_cpu_policy, op);
}

static long make_xstate_get(void)
{
	struct xen_domctl op = { 0 };

	op.u.vcpuextstate.size = 848;
	op.u.vcpuextstate.buffer.p = (void *)kit_room(kit_v0, 1024);
	return domctl(XEN_DOMCTL_getvcpuextstate, 1, op);
}

/* --- vCPUs, timers --- */

static void have_vcpu_off(void)
{
	assert_int_equal(domctl(XEN_DOMCTL_setvcpucontext, 1, (struct xen_domctl){ .u.vcpucontext.vcpu = 1 }), 0);
}

static long make_initialise(void) { return kit_vcpu_op(kit_v1, VCPUOP_initialise, 1, a_context(kit_v1)); }

static void have_pages(void)
{
	page_a = kit_page(kit_guest);
	page_b = kit_page(kit_guest);
}

static long make_info(void)
{
	struct vcpu_register_vcpu_info op = { .mfn = sim_mfn(kit_guest, page_a).v, .offset = 64 };

	return kit_vcpu_op(kit_v1, VCPUOP_register_vcpu_info, 0, kit_put(kit_v1, &op, sizeof(op)));
}

static long make_singleshot(void)
{
	struct vcpu_set_singleshot_timer op = { .timeout_abs_ns = sim_clock + 1000000000 };

	return kit_vcpu_op(kit_v1, VCPUOP_set_singleshot_timer, 0, kit_put(kit_v1, &op, sizeof(op)));
}

static long make_watchdog(void)
{
	struct sched_watchdog op = { .timeout = 10 };

	return kit_sched(kit_v1, SCHEDOP_watchdog, &op, sizeof(op));
}

static long make_gdt(void)
{
	u64 frame = sim_mfn(kit_guest, page_a).v;

	return kit_call(kit_v1, set_gdt, kit_put(kit_v1, &frame, 8), 512, 0);
}

/* --- events --- */

static long make_unbound(void)
{
	struct evtchn_alloc_unbound op = { .dom = DOMID_SELF, .remote_dom = 0 };

	return kit_event(kit_v1, EVTCHNOP_alloc_unbound, &op, sizeof(op));
}

static void have_full_ports(void)
{
	/* So many that the next one needs a new page of ports. */
	while (kit_guest->events->active % 128 != 127)
		assert_int_equal(make_unbound(), 0);
}

static void have_far_port(void)
{
	struct evtchn_alloc_unbound op = { .dom = DOMID_SELF, .remote_dom = 1 };

	assert_int_equal(kit_event(kit_v0, EVTCHNOP_alloc_unbound, &op, sizeof(op)), 0);
	port_a = op.port;
	have_full_ports();
}

static long make_bind(void)
{
	struct evtchn_bind_interdomain op = { .remote_dom = 0, .remote_port = port_a };

	return kit_event(kit_v1, EVTCHNOP_bind_interdomain, &op, sizeof(op));
}

static long make_virq(void)
{
	struct evtchn_bind_virq op = { .virq = VIRQ_TIMER };

	return kit_event(kit_v1, EVTCHNOP_bind_virq, &op, sizeof(op));
}

static long make_ipi(void)
{
	struct evtchn_bind_ipi op = { .vcpu = 1 };

	return kit_event(kit_v1, EVTCHNOP_bind_ipi, &op, sizeof(op));
}

static long make_map_pirq(void)
{
	struct physdev_map_pirq op = { .domid = DOMID_SELF, .type = MAP_PIRQ_TYPE_GSI, .index = 9, .pirq = 9 };

	return kit_op(kit_v0, __HYPERVISOR_physdev_op, PHYSDEVOP_map_pirq, &op, sizeof(op));
}

static void have_gsi(void) { assert_int_equal(rangeset_add(dom0->irqs, 0, 23), 0); }

static void have_pirq(void)
{
	have_gsi();
	assert_int_equal(make_map_pirq(), 0);
}

static long make_bind_pirq(void)
{
	struct evtchn_bind_pirq op = { .pirq = 9 };

	return kit_event(kit_v0, EVTCHNOP_bind_pirq, &op, sizeof(op));
}

static long make_eoi_map(void)
{
	struct physdev_pirq_eoi_gmfn op = { sim_mfn(kit_guest, page_a).v };

	return kit_op(kit_v1, __HYPERVISOR_physdev_op, PHYSDEVOP_pirq_eoi_gmfn_v2, &op, sizeof(op));
}

static long make_control_block(void)
{
	struct evtchn_init_control op = { .control_gfn = sim_mfn(kit_guest, page_a).v, .vcpu = 0 };

	return kit_event(kit_v1, EVTCHNOP_init_control, &op, sizeof(op));
}

static void have_control_block(void)
{
	have_pages();
	assert_int_equal(make_control_block(), 0);
}

static long make_array(void)
{
	struct evtchn_expand_array op = { .array_gfn = sim_mfn(kit_guest, page_b).v };

	return kit_event(kit_v1, EVTCHNOP_expand_array, &op, sizeof(op));
}

/* --- grants --- */

static long make_grant_table(void)
{
	struct gnttab_setup_table op = { .dom = DOMID_SELF, .nr_frames = 5 };
	long rc;

	op.frame_list.p = (void *)kit_room(kit_v1, 64);
	rc = kit_grant(kit_v1, GNTTABOP_setup_table, &op, sizeof(op));
	return rc ? rc : op.status;
}

static long make_version_2(void)
{
	struct gnttab_set_version op = { 2 };

	return kit_grant(kit_v1, GNTTABOP_set_version, &op, sizeof(op));
}

static void have_grant_table(void) { assert_int_equal(make_grant_table(), 0); }

static void have_version_2(void)
{
	have_grant_table();
	assert_int_equal(make_version_2(), 0);
}

static long make_bigger_v2(void)
{
	struct gnttab_setup_table op = { .dom = DOMID_SELF, .nr_frames = 40 };
	long rc;

	op.frame_list.p = (void *)kit_room(kit_v1, 512);
	rc = kit_grant(kit_v1, GNTTABOP_setup_table, &op, sizeof(op));
	return rc ? rc : op.status;
}

static void have_grant(void)
{
	have_pages();
	kit_grant_entry(kit_guest, 8, 0, page_a, false);
	page_b = kit_page(dom0);
}

static long make_map(void)
{
	struct gnttab_map_grant_ref op = { .flags = GNTMAP_host_map, .ref = 8, .dom = 1, .host_addr = sim_va(page_b) };
	long rc = kit_grant(kit_v0, GNTTABOP_map_grant_ref, &op, sizeof(op));

	return rc ? rc : op.status;
}

static long make_copy(void)
{
	struct gnttab_copy op = { .source.u.ref = 8, .source.domid = 1, .dest.domid = DOMID_SELF, .len = 64,
				  .flags = GNTCOPY_source_gref };
	long rc;

	op.dest.u.gmfn = sim_mfn(dom0, page_b).v;
	rc = kit_grant(kit_v0, GNTTABOP_copy, &op, sizeof(op));
	return rc ? rc : op.status;
}

/* --- memory --- */

static long reserve(u32 cmd, u32 n, domid_t id, struct vcpu *v)
{
	struct xen_memory_reservation op = { .nr_extents = n, .domid = id };
	u64 list[8] = { 0x1000, 0x1001, 0x1002, 0x1003, 0x1004 };
	long rc;

	op.extent_start.p = (void *)kit_put(v, list, sizeof(list));
	rc = kit_memory(v, cmd, &op, sizeof(op));
	/* How many it got: less than asked for is a success in part. */
	return rc;
}

static long make_populate(void) { return reserve(XENMEM_populate_physmap, 5, DOMID_SELF, kit_v1); }
static long make_increase(void) { return reserve(XENMEM_increase_reservation, 5, DOMID_SELF, kit_v1); }
static long make_populate_other(void) { return reserve(XENMEM_populate_physmap, 3, 1, kit_v0); }

static long make_exchange(void)
{
	struct xen_memory_exchange op = { .in = { .nr_extents = 2, .domid = DOMID_SELF }, .out = { .nr_extents = 2, .domid = DOMID_SELF } };
	u64 in[2] = { sim_mfn(kit_guest, page_a).v, sim_mfn(kit_guest, page_b).v }, out[2] = { page_a, page_b };
	long rc;

	op.in.extent_start.p = (void *)kit_put(kit_v1, in, sizeof(in));
	op.out.extent_start.p = (void *)kit_put(kit_v1, out, sizeof(out));
	rc = kit_memory(kit_v1, XENMEM_exchange, &op, sizeof(op));
	/* The structure says how far it got. */
	return op.nr_exchanged ? 0 : rc;
}

static void have_unmapped(void)
{
	have_pages();
	assert_int_equal(kit_call(kit_v1, update_va_mapping, sim_va(page_a), 0, UVMF_INVLPG), 0);
	assert_int_equal(kit_call(kit_v1, update_va_mapping, sim_va(page_b), 0, UVMF_INVLPG), 0);
}

static long make_map_set(void)
{
	struct e820 { u64 addr, size; u32 type; } __attribute__((packed)) e[2] = { { 0, 0x10000, 1 }, { 0x20000, 0x1000, 2 } };
	struct xen_foreign_memory_map op = { .domid = 1, .map.nr_entries = 2 };

	op.map.buffer.p = (void *)kit_put(kit_v0, e, sizeof(e));
	return kit_memory(kit_v0, XENMEM_set_memory_map, &op, sizeof(op));
}

static long make_claim(void)
{
	struct xen_memory_reservation op = { .nr_extents = 100, .domid = 1 };

	return kit_memory(kit_v0, XENMEM_claim_pages, &op, sizeof(op));
}

static long make_resource(void)
{
	struct xen_mem_acquire_resource op = { .domid = 1, .type = XENMEM_resource_grant_table, .nr_frames = 3 };

	op.frame_list.p = (void *)kit_room(kit_v0, 64);
	return kit_memory(kit_v0, XENMEM_acquire_resource, &op, sizeof(op));
}

/* --- others --- */

static long make_pminfo(void)
{
	struct xen_platform_op op = { .cmd = XENPF_set_processor_pminfo, .interface_version = XENPF_INTERFACE_VERSION };
	struct xen_processor_px px[2] = { { 3000, 90, 10, 10, 0, 0 }, { 2000, 90, 10, 10, 0, 0 } };

	op.u.set_pminfo.id = 1;
	op.u.set_pminfo.type = XEN_PM_PX;
	op.u.set_pminfo.u.perf.flags = XEN_PX_PSS;
	op.u.set_pminfo.u.perf.state_count = 2;
	op.u.set_pminfo.u.perf.states.p = (void *)kit_put(kit_v0, px, sizeof(px));
	return full_hypercall(kit_v0, __HYPERVISOR_platform_op, kit_put(kit_v0, &op, sizeof(op)), 0, 0, 0, 0);
}

static long make_microcode(void)
{
	struct xen_platform_op op = { .cmd = XENPF_microcode_update, .interface_version = XENPF_INTERFACE_VERSION };

	op.u.microcode.length = 512;
	op.u.microcode.data.p = (void *)kit_room(kit_v0, 512);
	return full_hypercall(kit_v0, __HYPERVISOR_platform_op, kit_put(kit_v0, &op, sizeof(op)), 0, 0, 0, 0);
}

static long make_pin(void)
{
	struct mmuext_op op = { .cmd = MMUEXT_PIN_L4_TABLE, .arg1.mfn = kit_v1->pv->kernel_root.v };

	return full_hypercall(kit_v1, __HYPERVISOR_mmuext_op, kit_put(kit_v1, &op, sizeof(op)), 1, 0, DOMID_SELF, 0);
}

static const struct call calls[] = {
	{ "createdomain", NULL, make_domain }, { "max_vcpus", have_domain, make_vcpus }, { "destroydomain", have_vcpus, make_end },
	{ "getvcpucontext", NULL, make_context_get }, { "setvcpucontext", NULL, make_context_set },
	{ "get_cpu_policy", NULL, make_policy_get }, { "set_cpu_policy", have_domain, make_policy_set },
	{ "iomem_permission", have_ranges, make_iomem }, { "iomem_permission, a hole", have_iomem, make_iomem_hole },
	{ "ioport_permission", have_ranges, make_ioport }, { "cpupool", NULL, make_pool },
	{ "sysctl get_cpu_policy", NULL, make_system_policy }, { "getvcpuextstate", NULL, make_xstate_get },
	{ "vcpu_op initialise", have_vcpu_off, make_initialise }, { "register_vcpu_info", have_pages, make_info },
	{ "singleshot timer", NULL, make_singleshot }, { "watchdog", NULL, make_watchdog }, { "set_gdt", have_unmapped, make_gdt },
	{ "alloc_unbound", have_full_ports, make_unbound }, { "bind_interdomain", have_far_port, make_bind },
	{ "bind_virq", have_full_ports, make_virq }, { "bind_ipi", have_full_ports, make_ipi },
	{ "map_pirq", have_gsi, make_map_pirq }, { "bind_pirq", have_pirq, make_bind_pirq }, { "pirq_eoi_gmfn", have_pages, make_eoi_map },
	{ "init_control", have_pages, make_control_block }, { "expand_array", have_control_block, make_array },
	{ "setup_table", NULL, make_grant_table }, { "set_version", NULL, make_version_2 },
	{ "set_version of a larger table", have_grant_table, make_version_2 }, { "setup_table, version 2", have_version_2, make_bigger_v2 },
	{ "map_grant_ref", have_grant, make_map }, { "grant copy", have_grant, make_copy },
	{ "populate_physmap", NULL, make_populate }, { "increase_reservation", NULL, make_increase },
	{ "populate_physmap of another domain", NULL, make_populate_other }, { "memory exchange", have_unmapped, make_exchange },
	{ "set_memory_map", NULL, make_map_set }, { "claim_pages", NULL, make_claim }, { "acquire_resource", NULL, make_resource },
	{ "set_processor_pminfo", NULL, make_pminfo }, { "microcode_update", NULL, make_microcode }, { "pin", NULL, make_pin },
};

/* What these have added to their tables stays for the next time. */
static bool keeps(const struct call *c)
{
	return c->make == make_map || c->make == make_copy || c->make == make_resource || c->make == make_exchange;
}

/* Returns how many allocations the call makes. */
static u32 call_try(const struct call *c)
{
	struct full_use use;
	u64 hash;

	full_xsave = true;
	kit_start();
	if (c->prepare)
		c->prepare();
	full_settle();
	sim_check();
	use = full_use();
	hash = full_hash();
	full_save();
	for (u32 n = 1;; n++) {
		bool failed;
		long rc;

		full_restore();
		sim_fail_alloc(n);
		rc = c->make();
		failed = sim_alloc_failed();
		sim_fail_alloc(0);
		if (rc < 0 && (full_hash() != hash ||
			       (!keeps(c) && (full_use().objects != use.objects || full_use().frames != use.frames))))
			fail_msg("%s, allocation %u failed: error %ld, and the state has changed (%ld objects, %ld frames more)", c->name, n,
				 rc, (long)(full_use().objects - use.objects), (long)(full_use().frames - use.frames));
		sim_check();
		full_objects_kept += strcmp(c->name, "set_processor_pminfo") == 0 && rc >= 0;
		sim_stop();
		full_objects_kept -= strcmp(c->name, "set_processor_pminfo") == 0 && rc >= 0;
		if (!failed) {
			/* With enough memory it does what it is for. */
			if (rc < 0 && c->make != make_microcode)
				fail_msg("%s: %ld", c->name, rc);
			return n - 1;
		}
		assert_true(n < 1000);
	}
}

static void test_calls(void **state)
{
	u32 allocations = 0;

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(calls); i++) {
		u32 n = call_try(&calls[i]);

		if (sim_log)
			fprintf(stderr, "%s: %u allocations\n", calls[i].name, n);
		allocations += n;
	}
	assert_true(allocations > 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_calls) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
