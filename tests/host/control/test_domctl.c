/* SPDX-License-Identifier: BSD-2-Clause */
/* domctl about whole domains: who may, what is refused, what comes back. */
#include <hv/features.h>
#include <hv/frame.h>
#include <hv/policy.h>
#include <hv/pv.h>
#include <hv/rangeset.h>
#include <hv/time.h>
#include <xen/physdev.h>
#include "tests.h"

static long domctl(u32 cmd, domid_t id, struct xen_domctl *op)
{
	return kit_domctl(kit_v0, cmd, id, op);
}

static void test_who_may(void **state)
{
	struct xen_domctl op = { 0 };
	u64 args[6] = { 0 };
	gva_t at;

	(void)state;
	assert_int_equal(kit_domctl(kit_v1, XEN_DOMCTL_getdomaininfo, 1, &op), -EPERM);
	assert_int_equal(full_hypercall(kit_v0, __HYPERVISOR_domctl, KIT_UNMAPPED, 0, 0, 0, 0), -EFAULT);
	assert_int_equal(full_hypercall(kit_v0, __HYPERVISOR_domctl, KIT_FORBIDDEN, 0, 0, 0, 0), -EFAULT);
	op = (struct xen_domctl){ .cmd = XEN_DOMCTL_getdomaininfo, .interface_version = XEN_DOMCTL_INTERFACE_VERSION - 1 };
	at = kit_put(kit_v0, &op, sizeof(op));
	assert_int_equal(full_hypercall(kit_v0, __HYPERVISOR_domctl, at, 0, 0, 0, 0), -EACCES);
	for (u32 cmd = 0; cmd < 1100; cmd++) {
		op = (struct xen_domctl){ 0 };
		/* No command crashes on a structure of zeroes for a domain that is not there. */
		if (cmd != XEN_DOMCTL_createdomain && cmd != XEN_DOMCTL_getdomaininfo) {
			long rc = domctl(cmd, 77, &op);

			assert_true(rc == -ESRCH || rc == -ENOSYS);
		}
	}
	assert_int_equal(domctl(0xffffffff, 1, &op), -ENOSYS);
	assert_int_equal(domctl(XEN_DOMCTL_gethvmcontext, 1, &op), -EOPNOTSUPP);
	/* Not on oneself. */
	assert_int_equal(domctl(XEN_DOMCTL_destroydomain, 0, &op), -EINVAL);
	assert_int_equal(domctl(XEN_DOMCTL_pausedomain, DOMID_SELF, &op), -EINVAL);
	assert_int_equal(domctl(XEN_DOMCTL_setvcpucontext, DOMID_SELF, &op), -EINVAL);
	/* The lock of the control calls is held by another CPU: try again. */
	op = (struct xen_domctl){ .cmd = XEN_DOMCTL_getdomaininfo, .interface_version = XEN_DOMCTL_INTERFACE_VERSION, .domain = 1 };
	args[0] = kit_put(kit_v0, &op, sizeof(op));
	sim_cpu_switch(1);
	assert_true(control_lock());
	sim_cpu_switch(0);
	assert_int_equal(sim_call_limited(kit_v0, do_domctl, args, 3), -ERESTART);
	sim_cpu_switch(1);
	control_unlock();
}

static void test_info(void **state)
{
	struct xen_domctl op = { 0 };
	struct xen_domctl_getdomaininfo *i = &op.u.getdomaininfo;

	(void)state;
	assert_int_equal(domctl(XEN_DOMCTL_getdomaininfo, 1, &op), 0);
	assert_int_equal(op.domain, 1);
	assert_int_equal(i->tot_pages, KIT_GUEST_PAGES);
	assert_int_equal(i->nr_online_vcpus, 2);
	assert_int_equal(i->max_vcpu_id, 1);
	assert_int_equal(i->shared_info_frame, virt_mfn(kit_guest->shared).v);
	assert_int_equal(i->flags, XEN_DOMINF_running);
	/* The next one there is; and none. */
	op = (struct xen_domctl){ 0 };
	assert_int_equal(domctl(XEN_DOMCTL_getdomaininfo, 2, &op), -ESRCH);
	assert_int_equal(domctl(XEN_DOMCTL_getdomaininfo, DOMID_SELF, &op), 0);
	assert_int_equal(op.domain, 0);
	/* Each state is seen. */
	assert_int_equal(domctl(XEN_DOMCTL_pausedomain, 1, &op), 0);
	assert_int_equal(domctl(XEN_DOMCTL_setdebugging, 1, &(struct xen_domctl){ .u.setdebugging.enable = 1 }), 0);
	assert_int_equal(domctl(XEN_DOMCTL_getdomaininfo, 1, &op), 0);
	assert_int_equal(i->flags, XEN_DOMINF_paused | XEN_DOMINF_debugged);
	assert_int_equal(domctl(XEN_DOMCTL_unpausedomain, 1, &op), 0);
	assert_int_equal(kit_call(kit_v1, sched_op, SCHEDOP_block, 0, 0), 0);
	assert_int_equal(kit_call(kit_guest->vcpu[1], sched_op, SCHEDOP_block, 0, 0), 0);
	assert_int_equal(domctl(XEN_DOMCTL_getdomaininfo, 1, &op), 0);
	assert_true(i->flags & XEN_DOMINF_blocked);
	domain_shutdown(kit_guest, SHUTDOWN_crash);
	assert_int_equal(domctl(XEN_DOMCTL_getdomaininfo, 1, &op), 0);
	assert_true(i->flags & XEN_DOMINF_shutdown);
	assert_int_equal(i->flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask, SHUTDOWN_crash);
}

static void test_properties(void **state)
{
	struct xen_domctl op = { 0 };

	(void)state;
	for (u32 i = 0; i < 16; i++)
		op.u.setdomainhandle.handle[i] = (u8)(i * 3);
	assert_int_equal(domctl(XEN_DOMCTL_setdomainhandle, 1, &op), 0);
	assert_memory_equal(kit_guest->handle, op.u.setdomainhandle.handle, 16);
	op = (struct xen_domctl){ .u.max_mem.max_memkb = 40 };
	assert_int_equal(domctl(XEN_DOMCTL_max_mem, 1, &op), 0);
	assert_int_equal(kit_guest->memory.max, 10);
	op = (struct xen_domctl){ .u.settimeoffset.time_offset_seconds = -3600 };
	assert_int_equal(domctl(XEN_DOMCTL_settimeoffset, 1, &op), 0);
	assert_int_equal(kit_guest->wallclock_offset, -3600);
	op = (struct xen_domctl){ .u.address_size.size = 32 };
	assert_int_equal(domctl(XEN_DOMCTL_set_address_size, 1, &op), -EOPNOTSUPP);
	op.u.address_size.size = 64;
	assert_int_equal(domctl(XEN_DOMCTL_set_address_size, 1, &op), 0);
	op.u.address_size.size = 0;
	assert_int_equal(domctl(XEN_DOMCTL_get_address_size, 1, &op), 0);
	assert_int_equal(op.u.address_size.size, 64);
	op = (struct xen_domctl){ .u.set_virq_handler.virq = VIRQ_TIMER };
	assert_int_equal(domctl(XEN_DOMCTL_set_virq_handler, 1, &op), -EINVAL);
	op.u.set_virq_handler.virq = 1000;
	assert_int_equal(domctl(XEN_DOMCTL_set_virq_handler, 1, &op), -EINVAL);
	op.u.set_virq_handler.virq = VIRQ_CONSOLE;
	assert_int_equal(domctl(XEN_DOMCTL_set_virq_handler, 1, &op), 0);
	op = (struct xen_domctl){ .u.set_target.target = 99 };
	assert_int_equal(domctl(XEN_DOMCTL_set_target, 1, &op), -ESRCH);
	op.u.set_target.target = 1;
	assert_int_equal(domctl(XEN_DOMCTL_set_target, 1, &op), -EINVAL);
	op.u.set_target.target = 0;
	assert_int_equal(domctl(XEN_DOMCTL_set_target, 1, &op), 0);
	assert_int_equal(domctl(XEN_DOMCTL_set_target, 1, &op), -EINVAL);
	op = (struct xen_domctl){ .u.sendtrigger = { XEN_DOMCTL_SENDTRIGGER_RESET, 0 } };
	assert_int_equal(domctl(XEN_DOMCTL_sendtrigger, 1, &op), -ENOSYS);
	op.u.sendtrigger = (struct xen_domctl_sendtrigger){ XEN_DOMCTL_SENDTRIGGER_NMI, 5 };
	assert_int_equal(domctl(XEN_DOMCTL_sendtrigger, 1, &op), -ESRCH);
	op.u.sendtrigger.vcpu = 0;
	assert_int_equal(domctl(XEN_DOMCTL_sendtrigger, 1, &op), 0);
	op = (struct xen_domctl){ .u.max_vcpus.max = 3 };
	assert_int_equal(domctl(XEN_DOMCTL_max_vcpus, 1, &op), -EINVAL);
	op.u.max_vcpus.max = 2;
	assert_int_equal(domctl(XEN_DOMCTL_max_vcpus, 1, &op), 0);
}

static void test_nodes(void **state)
{
	struct xen_domctl op = { 0 };

	(void)state;
	op.u.nodeaffinity.nodemap = bitmap_of(0);
	assert_int_equal(domctl(XEN_DOMCTL_setnodeaffinity, 1, &op), -EINVAL);
	op.u.nodeaffinity.nodemap.bitmap.p = (void *)KIT_UNMAPPED;
	assert_int_equal(domctl(XEN_DOMCTL_setnodeaffinity, 1, &op), -EFAULT);
	assert_int_equal(domctl(XEN_DOMCTL_getnodeaffinity, 1, &op), -EFAULT);
	op.u.nodeaffinity.nodemap = bitmap_of(5);
	assert_int_equal(domctl(XEN_DOMCTL_setnodeaffinity, 1, &op), 0);
	op.u.nodeaffinity.nodemap = bitmap_of(0);
	assert_int_equal(domctl(XEN_DOMCTL_getnodeaffinity, 1, &op), 0);
	assert_int_equal(bitmap_value(&op.u.nodeaffinity.nodemap), 5);
	/* A map of fewer bits, and of more than there can be. */
	op.u.nodeaffinity.nodemap.nr_bits = 1;
	assert_int_equal(domctl(XEN_DOMCTL_getnodeaffinity, 1, &op), 0);
	assert_int_equal(bitmap_value(&op.u.nodeaffinity.nodemap) & 0xff, 1);
	op.u.nodeaffinity.nodemap.bitmap.p = (void *)kit_room(kit_v0, 2 * PAGE_SIZE);
	op.u.nodeaffinity.nodemap.nr_bits = 0xffffffff;
	assert_int_equal(domctl(XEN_DOMCTL_getnodeaffinity, 1, &op), 0);
	assert_int_equal(bitmap_value(&op.u.nodeaffinity.nodemap), 5);
}

static void test_hypercall_page(void **state)
{
	u32 pfn = kit_page(kit_guest);
	struct xen_domctl op = { .u.hypercall_init.gmfn = ~0UL };

	(void)state;
	assert_int_equal(domctl(XEN_DOMCTL_hypercall_init, 1, &op), -EINVAL);
	op.u.hypercall_init.gmfn = sim_mfn(dom0, 3).v;
	assert_int_equal(domctl(XEN_DOMCTL_hypercall_init, 1, &op), -EINVAL);
	op.u.hypercall_init.gmfn = sim_mfn(kit_guest, sim_table(kit_guest, 1, sim_va(0))).v;
	assert_int_equal(domctl(XEN_DOMCTL_hypercall_init, 1, &op), -EINVAL);
	op.u.hypercall_init.gmfn = virt_mfn(kit_guest->grants).v;
	assert_int_equal(domctl(XEN_DOMCTL_hypercall_init, 1, &op), -EINVAL);
	op.u.hypercall_init.gmfn = sim_mfn(kit_guest, pfn).v;
	assert_int_equal(domctl(XEN_DOMCTL_hypercall_init, 1, &op), 0);
	/* Stub n: 32 bytes, with the number in it, and not the same as the next. */
	for (u32 n = 0; n < 64; n++) {
		const u8 *stub = (const u8 *)sim_page(kit_guest, pfn) + 32 * n;

		assert_int_not_equal(stub[0], 0);
		if (n != __HYPERVISOR_iret && n != 0)
			assert_memory_not_equal(stub, stub - 32, 32);
	}
}

static void test_permissions(void **state)
{
	struct xen_domctl op = { 0 };

	(void)state;
	assert_int_equal(rangeset_add(dom0->iomem, 0xf0000, 0xf00ff), 0);
	assert_int_equal(rangeset_add(dom0->ioports, 0x300, 0x3ff), 0);
	op.u.iomem_permission = (struct xen_domctl_iomem_permission){ .first_mfn = 0xf0000, .nr_mfns = 0x10, .allow_access = 1 };
	assert_int_equal(domctl(XEN_DOMCTL_iomem_permission, 1, &op), 0);
	assert_true(rangeset_contains(kit_guest->iomem, 0xf0000, 0xf000f));
	assert_false(rangeset_contains(kit_guest->iomem, 0xf0010, 0xf0010));
	op.u.iomem_permission.nr_mfns = 0;
	assert_int_equal(domctl(XEN_DOMCTL_iomem_permission, 1, &op), -EINVAL);
	op.u.iomem_permission.nr_mfns = ~0UL;
	assert_int_equal(domctl(XEN_DOMCTL_iomem_permission, 1, &op), -EINVAL);
	/* More than dom0 has itself. */
	op.u.iomem_permission.nr_mfns = 0x101;
	assert_int_equal(domctl(XEN_DOMCTL_iomem_permission, 1, &op), -EPERM);
	op.u.iomem_permission = (struct xen_domctl_iomem_permission){ .first_mfn = 0xf0004, .nr_mfns = 1 };
	assert_int_equal(domctl(XEN_DOMCTL_iomem_permission, 1, &op), 0);
	assert_false(rangeset_contains(kit_guest->iomem, 0xf0004, 0xf0004));
	assert_true(rangeset_contains(kit_guest->iomem, 0xf0005, 0xf000f));
	op = (struct xen_domctl){ .u.ioport_permission = { .first_port = 0xffff, .nr_ports = 2, .allow_access = 1 } };
	assert_int_equal(domctl(XEN_DOMCTL_ioport_permission, 1, &op), -EINVAL);
	op.u.ioport_permission = (struct xen_domctl_ioport_permission){ .first_port = 0x300, .nr_ports = 8, .allow_access = 1 };
	assert_int_equal(domctl(XEN_DOMCTL_ioport_permission, 1, &op), 0);
	assert_true(rangeset_contains(kit_guest->ioports, 0x300, 0x307));
	op = (struct xen_domctl){ .u.irq_permission = { .pirq = 6, .allow_access = 1 } };
	assert_int_equal(domctl(XEN_DOMCTL_irq_permission, 1, &op), -EINVAL);
	assert_int_equal(rangeset_add(dom0->irqs, 0, 23), 0);
	assert_int_equal(kit_op(kit_v0, __HYPERVISOR_physdev_op, PHYSDEVOP_map_pirq,
				&(struct physdev_map_pirq){ .domid = DOMID_SELF, .type = MAP_PIRQ_TYPE_GSI, .index = 6, .pirq = 6 },
				sizeof(struct physdev_map_pirq)), 0);
	assert_int_equal(domctl(XEN_DOMCTL_irq_permission, 1, &op), 0);
	assert_true(rangeset_contains(kit_guest->irqs, 6, 6));
	op.u.irq_permission.allow_access = 0;
	assert_int_equal(domctl(XEN_DOMCTL_irq_permission, 1, &op), 0);
	assert_false(rangeset_contains(kit_guest->irqs, 6, 6));
	assert_int_equal(rangeset_remove(dom0->irqs, 6, 6), 0);
	assert_int_equal(domctl(XEN_DOMCTL_irq_permission, 1, &op), -EPERM);
}

static void test_page_info(void **state)
{
	u64 list[8] = { sim_mfn(kit_guest, 3).v, sim_mfn(dom0, 3).v, ~0UL, sim_mfn(kit_guest, sim_table(kit_guest, 1, sim_va(0))).v,
		sim_mfn(kit_guest, sim_table(kit_guest, 2, sim_va(0))).v, sim_mfn(kit_guest, sim_table(kit_guest, 3, sim_va(0))).v,
		kit_v1->pv->kernel_root.v, 0 };
	struct mmuext_op pin = { .cmd = MMUEXT_PIN_L4_TABLE, .arg1.mfn = list[6] };
	struct xen_domctl op = { .u.getpageframeinfo3.num = 1025 };

	(void)state;
	assert_int_equal(domctl(XEN_DOMCTL_getpageframeinfo3, 1, &op), -E2BIG);
	op.u.getpageframeinfo3.num = 8;
	op.u.getpageframeinfo3.array.p = (void *)KIT_UNMAPPED;
	assert_int_equal(domctl(XEN_DOMCTL_getpageframeinfo3, 1, &op), -EFAULT);
	assert_int_equal(full_hypercall(kit_v1, __HYPERVISOR_mmuext_op, kit_put(kit_v1, &pin, sizeof(pin)), 1, 0, DOMID_SELF, 0), 0);
	op.u.getpageframeinfo3.array.p = (void *)kit_put(kit_v0, list, sizeof(list));
	assert_int_equal(domctl(XEN_DOMCTL_getpageframeinfo3, 1, &op), 0);
	kit_get(kit_v0, list, (gva_t)op.u.getpageframeinfo3.array.p, sizeof(list));
	assert_int_equal(list[0], XEN_DOMCTL_PFINFO_NOTAB);
	assert_int_equal(list[1], XEN_DOMCTL_PFINFO_XTAB);
	assert_int_equal(list[2], XEN_DOMCTL_PFINFO_XTAB);
	assert_int_equal(list[3], XEN_DOMCTL_PFINFO_L1TAB);
	assert_int_equal(list[4], XEN_DOMCTL_PFINFO_L2TAB);
	assert_int_equal(list[5], XEN_DOMCTL_PFINFO_L3TAB);
	assert_int_equal(list[6], XEN_DOMCTL_PFINFO_L4TAB | XEN_DOMCTL_PFINFO_LPINTAB);
	assert_int_equal(list[7], XEN_DOMCTL_PFINFO_XTAB);
	op = (struct xen_domctl){ .u.cacheflush = { .start_pfn = 4, .nr_pfns = ~0UL } };
	assert_int_equal(domctl(XEN_DOMCTL_cacheflush, 1, &op), -EINVAL);
	op.u.cacheflush.nr_pfns = 10;
	assert_int_equal(domctl(XEN_DOMCTL_cacheflush, 1, &op), 0);
}

static void test_policy(void **state)
{
	struct xen_domctl op = { 0 }, fresh = { .u.createdomain = { .max_vcpus = 1 } };
	struct xen_domctl_cpu_policy *p = &op.u.cpu_policy;
	struct xen_cpuid_leaf *leaves = calloc(CPU_POLICY_LEAVES, sizeof(*leaves));
	gva_t at = sim_alloc(dom0, 2 * PAGE_SIZE), msrs = kit_room(kit_v0, 64);
	u32 nr;

	(void)state;
	assert_int_equal(domctl(XEN_DOMCTL_get_cpu_policy, 1, &op), -ENOBUFS);
	nr = p->nr_leaves;
	assert_true(nr > 10 && nr <= CPU_POLICY_LEAVES);
	p->nr_leaves = CPU_POLICY_LEAVES;
	p->nr_msrs = CPU_POLICY_MSRS;
	p->leaves.p = (void *)KIT_UNMAPPED;
	p->msrs.p = (void *)msrs;
	assert_int_equal(domctl(XEN_DOMCTL_get_cpu_policy, 1, &op), -EFAULT);
	p->nr_leaves = CPU_POLICY_LEAVES;
	p->nr_msrs = CPU_POLICY_MSRS;
	p->leaves.p = (void *)at;
	assert_int_equal(domctl(XEN_DOMCTL_get_cpu_policy, 1, &op), 0);
	assert_int_equal(p->nr_leaves, nr);
	/* One that has run keeps what it has. */
	kit_guest->created = true;
	assert_int_equal(domctl(XEN_DOMCTL_set_cpu_policy, 1, &op), -EEXIST);
	assert_int_equal(domctl(XEN_DOMCTL_createdomain, 9, &fresh), 0);
	assert_int_equal(domctl(XEN_DOMCTL_set_cpu_policy, 9, &op), 0);
	p->nr_leaves = CPU_POLICY_LEAVES + 1;
	assert_int_equal(domctl(XEN_DOMCTL_set_cpu_policy, 9, &op), -E2BIG);
	p->nr_leaves = nr;
	p->leaves.p = (void *)KIT_UNMAPPED;
	assert_int_equal(domctl(XEN_DOMCTL_set_cpu_policy, 9, &op), -EFAULT);
	/* A leaf that there is not; features that the machine does not have are left out. */
	kit_get(kit_v0, leaves, at, nr * sizeof(*leaves));
	leaves[0].leaf = 0x12345;
	p->nr_leaves = 1;
	p->nr_msrs = 0;
	p->leaves.p = (void *)kit_put(kit_v0, leaves, sizeof(leaves[0]));
	assert_int_equal(domctl(XEN_DOMCTL_set_cpu_policy, 9, &op), -ERANGE);
	assert_int_equal(p->err_leaf, 0x12345);
	leaves[0] = (struct xen_cpuid_leaf){ .leaf = 7, .subleaf = 0, .b = ~0u };
	p->leaves.p = (void *)kit_put(kit_v0, leaves, sizeof(leaves[0]));
	assert_int_equal(domctl(XEN_DOMCTL_set_cpu_policy, 9, &op), 0);
	p->nr_leaves = CPU_POLICY_LEAVES;
	p->nr_msrs = CPU_POLICY_MSRS;
	p->leaves.p = (void *)at;
	p->msrs.p = (void *)msrs;
	assert_int_equal(domctl(XEN_DOMCTL_get_cpu_policy, 9, &op), 0);
	kit_get(kit_v0, leaves, at, p->nr_leaves * sizeof(*leaves));
	for (u32 i = 0; i < p->nr_leaves; i++)
		if (leaves[i].leaf == 7 && leaves[i].subleaf == 0)
			assert_int_equal(leaves[i].b & ~cpuid_host(7, 0).b, 0);
	free(leaves);
}

static void test_tsc(void **state)
{
	struct xen_domctl op = { .u.tsc_info = { .tsc_mode = 9 } };

	(void)state;
	assert_int_equal(domctl(XEN_DOMCTL_settscinfo, 1, &op), -EINVAL);
	op.u.tsc_info = (struct xen_domctl_tsc_info){ .tsc_mode = 1, .gtsc_khz = 2000000, .elapsed_nsec = 5000000000UL, .incarnation = 3 };
	assert_int_equal(domctl(XEN_DOMCTL_settscinfo, 1, &op), 0);
	assert_true(kit_guest->vtsc);
	full_time(1000);
	op = (struct xen_domctl){ 0 };
	assert_int_equal(domctl(XEN_DOMCTL_gettscinfo, 1, &op), 0);
	assert_int_equal(op.u.tsc_info.tsc_mode, 1);
	assert_int_equal(op.u.tsc_info.gtsc_khz, 2000000);
	assert_in_range(op.u.tsc_info.elapsed_nsec, 5000001000UL, 5000002000UL);
	assert_true(full_current(2) == kit_v1);
}

/* Any bytes for any command. */
static void test_random_commands(void **state)
{
	u64 seed = 1;
	u32 refused = 0;

	(void)state;
	for (u32 i = 0; i < 6000; i++) {
		struct xen_domctl op;
		u32 cmd;

		for (u32 k = 0; k < sizeof(op.u); k++) {
			seed = seed * 6364136223846793005UL + 1442695040888963407UL;
			((u8 *)&op.u)[k] = seed >> 60 > 4 ? 0 : (u8)(seed >> 40);
		}
		cmd = (u32)(seed >> 33) % 90;
		if (cmd == XEN_DOMCTL_createdomain || cmd == XEN_DOMCTL_destroydomain)
			continue;
		refused += domctl(cmd, seed >> 50 & 1, &op) < 0;
		if (i % 64 == 0)
			sim_check();
		while (kit_guest->controller_pause_count > 3)
			(void)domctl(XEN_DOMCTL_unpausedomain, 1, &op);
	}
	assert_true(refused > 1000);
}

int domctl_tests(void)
{
	const struct CMUnitTest tests[] = {
		T(test_who_may), T(test_info), T(test_properties), T(test_nodes), T(test_hypercall_page), T(test_permissions),
		T(test_page_info), T(test_policy), T(test_tsc), T(test_random_commands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
