/* SPDX-License-Identifier: BSD-2-Clause */
/* Domains: making them, running them, ending them at every stage of their making. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <hv/frame.h>
#include <hv/pv.h>
#include <hv/sched.h>
#include <xen/physdev.h>
#include <xen/version.h>
#include "../full/kit.h"

static int start(void **state)
{
	(void)state;
	kit_start();
	return 0;
}

static int stop(void **state)
{
	(void)state;
	sim_stop();
	return 0;
}

static struct xen_domctl_createdomain config(void)
{
	return (struct xen_domctl_createdomain){
		.max_vcpus = 2, .max_evtchn_port = 1023, .max_grant_frames = 4, .max_maptrack_frames = 4, .grant_opts = 2,
	};
}

/* --- making --- */

static void test_create_refused(void **state)
{
	struct full_use use = full_use();
	u64 hash = full_hash();
	struct domain *d = NULL;

	(void)state;
	for (u32 i = 0; i < 14; i++) {
		struct xen_domctl_createdomain c = config();
		domid_t id = 7;
		int want = -EINVAL;

		switch (i) {
		case 0: c.flags = XEN_DOMCTL_CDF_hvm; break;
		case 1: c.flags = 1u << 31; break;
		case 2: c.max_vcpus = 0; break;
		case 3: c.max_vcpus = MAX_VCPUS + 1; break;
		case 4: c.iommu_opts = 2; break;
		case 5: c.iommu_opts = XEN_DOMCTL_IOMMU_no_sharept; break;
		case 6: c.grant_opts = 0x10; break;
		case 7: c.vmtrace_size = 4096; break;
		case 8: c.arch.misc_flags = 2; break;
		case 9: c.arch.emulation_flags = 1; break;
		case 10: c.cpupool_id = 5; break;
		case 11: id = DOMID_IO; break;
		case 12: id = 0x8000; break;
		default: id = 1; want = -EEXIST; break;
		}
		assert_int_equal(domain_create(id, &c, false, &d), want);
		assert_null(d);
		assert_int_equal(full_use().objects, use.objects);
		assert_int_equal(full_use().frames, use.frames);
		assert_true(full_hash() == hash);
	}
}

static void test_ids(void **state)
{
	struct xen_domctl op = { .u.createdomain = config() };
	domid_t first, second;

	(void)state;
	assert_int_equal(kit_domctl(kit_v0, XEN_DOMCTL_createdomain, 0, &op), 0);
	first = op.domain;
	assert_true(first > 1);
	op = (struct xen_domctl){ .u.createdomain = config() };
	assert_int_equal(kit_domctl(kit_v0, XEN_DOMCTL_createdomain, DOMID_INVALID, &op), 0);
	second = op.domain;
	assert_int_equal(second, first + 1);
	op = (struct xen_domctl){ .u.createdomain = config() };
	assert_int_equal(kit_domctl(kit_v0, XEN_DOMCTL_createdomain, first, &op), -EEXIST);
	op = (struct xen_domctl){ 0 };
	assert_int_equal(kit_domctl(kit_v0, XEN_DOMCTL_destroydomain, first, &op), 0);
	assert_null(domain_get_by_id(first));
	/* Gone, and its id free, but not the next to be given. */
	op = (struct xen_domctl){ .u.createdomain = config() };
	assert_int_equal(kit_domctl(kit_v0, XEN_DOMCTL_createdomain, 0, &op), 0);
	assert_int_equal(op.domain, second + 1);
	op = (struct xen_domctl){ .u.createdomain = config() };
	assert_int_equal(kit_domctl(kit_v0, XEN_DOMCTL_createdomain, first, &op), 0);
	assert_int_equal(op.domain, first);
}

/* --- ending, at every stage --- */

static struct domain *born;
static u32 born_pages[8];

static void stage_memory(void)
{
	born->memory.max = 64;
	for (u32 i = 0; i < 8; i++) {
		struct frame *f = domain_frames_alloc(born, 0, 0);

		assert_non_null(f);
		born_pages[i] = (u32)frame_mfn(f).v;
		m2p_set(frame_mfn(f), i);
	}
}

static void stage_vcpus(void)
{
	struct xen_domctl op = { .u.max_vcpus.max = 2 };

	assert_int_equal(kit_domctl(kit_v0, XEN_DOMCTL_max_vcpus, 9, &op), 0);
}

/* A root with the least in it, as vCPU context. */
static void stage_context(void)
{
	struct vcpu_guest_context *c = calloc(1, sizeof(*c));
	struct xen_domctl op = { 0 };

	/* Three tables above one page, pages 3 to 0. */
	for (u32 level = 1; level <= 3; level++)
		((u64 *)mfn_virt(mfn(born_pages[level])))[5] = (u64)born_pages[level - 1] << PAGE_SHIFT | (level == 1 ? 0x65 : 0x67);
	((u64 *)mfn_virt(mfn(born_pages[4])))[5] = (u64)born_pages[3] << PAGE_SHIFT | 0x67;
	c->flags = VGCF_in_kernel | VGCF_online;
	c->ctrlreg[3] = (u64)born_pages[4] << PAGE_SHIFT;
	c->user_regs.cs = c->user_regs.ss = FLAT_KERNEL_CS;
	c->gdt_ents = 512;
	c->gdt_frames[0] = born_pages[5];
	op.u.vcpucontext.ctxt.p = (void *)kit_put(kit_v0, c, sizeof(*c));
	assert_int_equal(kit_domctl(kit_v0, XEN_DOMCTL_setvcpucontext, 9, &op), 0);
	assert_true(born->vcpu[0]->initialised);
	free(c);
}

static void stage_pin(void)
{
	struct mmuext_op op = { .cmd = MMUEXT_PIN_L4_TABLE, .arg1.mfn = born_pages[4] };
	gva_t at = kit_put(kit_v0, &op, sizeof(op));

	assert_int_equal(full_hypercall(kit_v0, __HYPERVISOR_mmuext_op, at, 1, 0, 9, 0), 0);
}

static void stage_events(void)
{
	struct evtchn_alloc_unbound op = { .dom = 9, .remote_dom = 0 };

	assert_int_equal(kit_event(kit_v0, EVTCHNOP_alloc_unbound, &op, sizeof(op)), 0);
	(void)kit_port_bind(kit_v0, 9, op.port);
	assert_int_equal(kit_event(kit_v0, EVTCHNOP_alloc_unbound,
				   &(struct evtchn_alloc_unbound){ .dom = 9, .remote_dom = 1 }, sizeof(op)), 0);
}

static void stage_grants(void)
{
	struct gnttab_map_grant_ref map = { .flags = GNTMAP_host_map, .ref = 8, .dom = 9,
					    .host_addr = sim_va(kit_page(dom0)) };
	grant_entry_v1_t *e = NULL;
	struct gnttab_setup_table t = { .dom = 9, .nr_frames = 1 };
	gva_t list = kit_room(kit_v0, 64);
	u64 frame = 0;

	t.frame_list.p = (void *)list;
	assert_int_equal(kit_grant(kit_v0, GNTTABOP_setup_table, &t, sizeof(t)), 0);
	assert_int_equal(t.status, GNTST_okay);
	kit_get(kit_v0, &frame, list, sizeof(frame));
	e = (grant_entry_v1_t *)mfn_virt(mfn(frame)) + 8;
	*e = (grant_entry_v1_t){ .flags = GTF_permit_access, .domid = 0, .frame = born_pages[0] };
	/* Before its page tables have it read-only or not, it is writable by dom0. */
	map.flags |= GNTMAP_readonly;
	assert_int_equal(kit_grant(kit_v0, GNTTABOP_map_grant_ref, &map, sizeof(map)), 0);
	assert_int_equal(map.status, GNTST_okay);
}

static void stage_extras(void)
{
	struct xen_domctl op = { .u.set_virq_handler.virq = VIRQ_CONSOLE };
	struct xen_memory_reservation claim = { .nr_extents = 20, .domid = 9 };

	assert_int_equal(kit_domctl(kit_v0, XEN_DOMCTL_set_virq_handler, 9, &op), 0);
	op = (struct xen_domctl){ .u.set_target.target = 1 };
	assert_int_equal(kit_domctl(kit_v0, XEN_DOMCTL_set_target, 9, &op), 0);
	assert_int_equal(kit_memory(kit_v0, XENMEM_claim_pages, &claim, sizeof(claim)), 0);
}

static void stage_run(void)
{
	struct xen_domctl op = { 0 };

	assert_int_equal(kit_domctl(kit_v0, XEN_DOMCTL_unpausedomain, 9, &op), 0);
	sim_run(born->vcpu[0], 3);
	assert_true(full_current(3) == born->vcpu[0]);
	assert_int_equal(kit_vcpu_op(born->vcpu[0], VCPUOP_is_up, 0, 0), 1);
	sim_cpu_switch(0);
}

static void stage_pirq(void)
{
	struct physdev_map_pirq op = { .domid = 9, .type = MAP_PIRQ_TYPE_GSI, .index = 5, .pirq = 5 };
	struct xen_domctl p = { .u.irq_permission = { .pirq = 5, .allow_access = 1 } };

	(void)kit_op(kit_v0, __HYPERVISOR_physdev_op, PHYSDEVOP_map_pirq,
		     &(struct physdev_map_pirq){ .domid = DOMID_SELF, .type = MAP_PIRQ_TYPE_GSI, .index = 5, .pirq = 5 }, sizeof(op));
	(void)kit_domctl(kit_v0, XEN_DOMCTL_irq_permission, 9, &p);
	(void)kit_op(kit_v0, __HYPERVISOR_physdev_op, PHYSDEVOP_map_pirq, &op, sizeof(op));
}

static void (*const stages[])(void) = {
	stage_memory, stage_vcpus, stage_context, stage_pin, stage_events, stage_grants, stage_extras, stage_pirq, stage_run,
};

static void born_make(u32 upto)
{
	struct xen_domctl op = { .u.createdomain = config() };

	assert_int_equal(kit_domctl(kit_v0, XEN_DOMCTL_createdomain, 9, &op), 0);
	born = domain_peek(9);
	for (u32 i = 0; i < upto; i++)
		stages[i]();
	sim_check();
}

static void grants_unmap_all(void)
{
	for (u32 handle = 0; handle < 4; handle++) {
		struct gnttab_unmap_grant_ref op = { .handle = handle };

		/* The page-table entry went with the domain's frame only in name: dom0 takes it out. */
		op.host_addr = 0;
		(void)kit_grant(kit_v0, GNTTABOP_unmap_grant_ref, &op, sizeof(op));
	}
}

static void test_end_at_each_stage(void **state)
{
	(void)state;
	for (u32 preempt = 0; preempt < 2; preempt++)
		for (u32 upto = 0; upto <= ARRAY_SIZE(stages); upto++) {
			struct xen_domctl op = { 0 };
			struct full_use use;

			kit_start();
			use = full_use();
			born_make(upto);
			sim_preempt_every(preempt);
			assert_int_equal(kit_domctl(kit_v0, XEN_DOMCTL_destroydomain, 9, &op), 0);
			sim_preempt_every(0);
			if (preempt)
				assert_true(full_restarts > 4);
			assert_null(domain_get_by_id(9));
			op = (struct xen_domctl){ 0 };
			assert_int_equal(kit_domctl(kit_v0, XEN_DOMCTL_destroydomain, 9, &op), -ESRCH);
			sim_check();
			/* Without a mapping of dom0's nothing is left of it. */
			if (upto < 6)
				assert_int_equal(full_use().frames, use.frames);
			else
				grants_unmap_all();
			sim_check();
			sim_stop();
		}
}

/* Other hypercalls come between two steps of the end. */
static void test_end_interrupted(void **state)
{
	(void)state;
	for (u32 steps = 0; steps < 40; steps++) {
		struct xen_domctl op = { .cmd = XEN_DOMCTL_destroydomain, .interface_version = XEN_DOMCTL_INTERFACE_VERSION, .domain = 9 };
		u64 args[6] = { 0 };
		long rc;

		kit_start();
		born_make(ARRAY_SIZE(stages));
		args[0] = kit_put(kit_v0, &op, sizeof(op));
		sim_preempt_every(1);
		sim_cpu_switch(0);
		rc = sim_call_limited(kit_v0, do_domctl, args, steps);
		sim_preempt_every(0);
		full_settle();
		sim_check();
		if (rc == -ERESTART) {
			struct xen_domctl_getdomaininfo *info = &op.u.getdomaininfo;

			/* Nothing new can be hung on it. */
			op = (struct xen_domctl){ .u.set_target.target = 1 };
			assert_int_not_equal(kit_domctl(kit_v0, XEN_DOMCTL_set_target, 9, &op), 0);
			op = (struct xen_domctl){ .u.set_virq_handler.virq = VIRQ_DOM_EXC };
			assert_int_not_equal(kit_domctl(kit_v0, XEN_DOMCTL_set_virq_handler, 9, &op), 0);
			op = (struct xen_domctl){ .u.max_vcpus.max = 2 };
			assert_int_not_equal(kit_domctl(kit_v0, XEN_DOMCTL_max_vcpus, 9, &op), 0);
			op = (struct xen_domctl){ 0 };
			assert_int_equal(kit_domctl(kit_v0, XEN_DOMCTL_getdomaininfo, 9, &op), 0);
			assert_int_equal(op.domain, 9);
			assert_true(info->flags & XEN_DOMINF_dying);
			op = (struct xen_domctl){ 0 };
			assert_int_equal(kit_domctl(kit_v0, XEN_DOMCTL_destroydomain, 9, &op), 0);
		} else {
			assert_int_equal(rc, 0);
		}
		grants_unmap_all();
		sim_check();
		sim_stop();
	}
}

/* --- running --- */

static void test_pause(void **state)
{
	struct xen_domctl op = { 0 };

	(void)state;
	assert_int_equal(kit_domctl(kit_v0, XEN_DOMCTL_pausedomain, 1, &op), 0);
	assert_int_equal(kit_domctl(kit_v0, XEN_DOMCTL_pausedomain, 1, &op), 0);
	assert_null(full_current(2));
	assert_null(full_current(3));
	assert_int_equal(kit_domctl(kit_v0, XEN_DOMCTL_unpausedomain, 1, &op), 0);
	assert_null(full_current(2));
	assert_int_equal(kit_domctl(kit_v0, XEN_DOMCTL_unpausedomain, 1, &op), 0);
	assert_true(full_current(2) == kit_v1);
	assert_int_equal(kit_domctl(kit_v0, XEN_DOMCTL_unpausedomain, 1, &op), -EINVAL);
	assert_true(full_current(2) == kit_v1);
}

static void test_crash(void **state)
{
	u32 port;

	(void)state;
	port = kit_port_virq(kit_v0, VIRQ_DOM_EXC, 0);
	sim_cpu_switch(2);
	domain_crash(kit_v1, "a test wants it so %d", 5);
	full_settle();
	assert_true(kit_guest->is_shut_down);
	assert_int_equal(kit_guest->shutdown_code, SHUTDOWN_crash);
	assert_null(full_current(2));
	assert_null(full_current(3));
	assert_true(kit_port_pending(dom0, port));
	/* Twice changes nothing. */
	sim_cpu_switch(0);
	domain_crash(kit_guest->vcpu[1], "again");
	domain_shutdown(kit_guest, SHUTDOWN_poweroff);
	assert_int_equal(kit_guest->shutdown_code, SHUTDOWN_crash);
}

static void test_resume(void **state)
{
	struct sched_shutdown reason = { SHUTDOWN_suspend };
	struct xen_domctl op = { 0 };
	u32 port;

	(void)state;
	port = kit_port_unbound(kit_v1, 0);
	op.u.subscribe.port = port;
	assert_int_equal(kit_domctl(kit_v0, XEN_DOMCTL_subscribe, 1, &op), 0);
	port = kit_port_bind(kit_v0, 1, port);
	assert_int_equal(kit_sched(kit_v1, SCHEDOP_shutdown, &reason, sizeof(reason)), 0);
	assert_true(kit_guest->is_shut_down);
	assert_null(full_current(2));
	/* The toolstack is told by its port. */
	assert_true(kit_port_pending(dom0, port));
	op = (struct xen_domctl){ 0 };
	assert_int_equal(kit_domctl(kit_v0, XEN_DOMCTL_resumedomain, 1, &op), 0);
	assert_false(kit_guest->is_shut_down);
	full_settle();
	assert_true(full_current(2) == kit_v1);
	/* One that runs is left alone. */
	assert_int_equal(kit_domctl(kit_v0, XEN_DOMCTL_resumedomain, 1, &op), 0);
	assert_true(full_current(2) == kit_v1);
}

/* --- dom0's end is the machine's --- */

static u32 reason_now;
extern bool opt_noreboot;

static void dom0_ends(void *arg)
{
	(void)arg;
	domain_shutdown(dom0, reason_now);
}

static void test_dom0_ends(void **state)
{
	static const struct { u32 reason; enum full_end want, noreboot; } ends[] = {
		{ SHUTDOWN_poweroff, FULL_POWEROFF, FULL_POWEROFF }, { SHUTDOWN_reboot, FULL_RESTART, FULL_RESTART },
		{ SHUTDOWN_crash, FULL_RESTART, FULL_HALT }, { SHUTDOWN_watchdog, FULL_RESTART, FULL_HALT },
		{ SHUTDOWN_suspend, FULL_RESTART, FULL_HALT }, { 77, FULL_RESTART, FULL_HALT },
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(ends); i++)
		for (u32 k = 0; k < 2; k++) {
			kit_start();
			reason_now = ends[i].reason;
			opt_noreboot = k != 0;
			sim_cpu_switch(0);
			assert_int_equal(full_run(dom0_ends, NULL), k ? ends[i].noreboot : ends[i].want);
		}
	kit_start();
	sim_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_create_refused, start, stop),
		cmocka_unit_test_setup_teardown(test_ids, start, stop),
		cmocka_unit_test(test_end_at_each_stage),
		cmocka_unit_test(test_end_interrupted),
		cmocka_unit_test_setup_teardown(test_pause, start, stop),
		cmocka_unit_test_setup_teardown(test_crash, start, stop),
		cmocka_unit_test_setup_teardown(test_resume, start, stop),
		cmocka_unit_test(test_dom0_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
