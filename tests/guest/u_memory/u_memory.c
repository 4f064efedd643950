/* SPDX-License-Identifier: BSD-2-Clause */
/* memory_op from a domain without privileges: its limit, and operations that are for the tools. */
#define __XEN_TOOLS__ 1
#include <guest/guest.h>
#include <xen/memory.h>

static xen_pfn_t list[64];

static long reserve(unsigned int cmd, unsigned int n, unsigned int order)
{
	struct xen_memory_reservation res = { .nr_extents = n, .extent_order = order, .domid = DOMID_SELF };

	set_xen_guest_handle(res.extent_start, list);
	return HYPERVISOR_memory_op(cmd, &res);
}

static long pages(unsigned int cmd)
{
	return HYPERVISOR_memory_op(cmd, &(struct xen_memory_domain){ .domid = DOMID_SELF });
}

static void test_limit(void)
{
	long before = pages(XENMEM_current_reservation);
	unsigned int i, order;

	test_begin("not more than the limit");
	expect_eq(pages(XENMEM_maximum_reservation), before);
	for (order = 0; order < 20; order++) {
		for (i = 0; i < ARRAY_SIZE(list); i++)
			list[i] = start_info->nr_pages + i * 512;
		expect(reserve(XENMEM_populate_physmap, ARRAY_SIZE(list), order) <= 0);
		expect(reserve(XENMEM_increase_reservation, ARRAY_SIZE(list), order) <= 0);
	}
	expect_eq(pages(XENMEM_current_reservation), before);
}

static void test_tools(void)
{
	static u8 e820[20 * 128];
	struct xen_memory_reservation claim = { .nr_extents = 10, .domid = DOMID_SELF };
	struct xen_memory_map map = { .nr_entries = 128 };
	struct xen_foreign_memory_map foreign = { .domid = 0 };
	struct xen_add_to_physmap add = { .domid = 0, .space = XENMAPSPACE_shared_info };
	struct xen_remove_from_physmap remove = { .domid = 0, .gpfn = 1 };
	struct xen_mem_acquire_resource acquire = { .domid = 0, .type = XENMEM_resource_grant_table, .nr_frames = 1 };
	u32 cmd;

	test_begin("what the tools do");
	expect(HYPERVISOR_memory_op(XENMEM_claim_pages, &claim) < 0);
	set_xen_guest_handle(map.buffer, e820);
	expect_eq(HYPERVISOR_memory_op(XENMEM_machine_memory_map, &map), -XEN_EPERM);
	set_xen_guest_handle(foreign.map.buffer, e820);
	expect(HYPERVISOR_memory_op(XENMEM_set_memory_map, &foreign) < 0);
	expect(HYPERVISOR_memory_op(XENMEM_add_to_physmap, &add) < 0);
	expect(HYPERVISOR_memory_op(XENMEM_remove_from_physmap, &remove) < 0);
	set_xen_guest_handle(acquire.frame_list, list);
	expect(HYPERVISOR_memory_op(XENMEM_acquire_resource, &acquire) < 0);
	expect(HYPERVISOR_memory_op(XENMEM_get_pod_target, &(struct xen_pod_target){ .domid = 0 }) < 0);
	expect(HYPERVISOR_memory_op(XENMEM_set_pod_target, &(struct xen_pod_target){ .domid = 0, .target_pages = 1 }) < 0);
	for (cmd = 0; cmd < 40; cmd++) {
		if (cmd == XENMEM_maximum_ram_page || cmd == XENMEM_get_sharing_freed_pages ||
		    cmd == XENMEM_get_sharing_shared_pages)
			continue;
		expect_msg(HYPERVISOR_memory_op(cmd, (void *)HYPERVISOR_VIRT_START) <= 0, "operation %u", cmd);
		expect_msg(HYPERVISOR_memory_op(cmd, (void *)0x800000000000UL) <= 0, "operation %u", cmd);
	}
}

static void test_others(void)
{
	static const domid_t others[] = { 0, DOMID_XEN, DOMID_IO, DOMID_INVALID, DOMID_COW };
	unsigned int i;

	test_begin("figures of others");
	for (i = 0; i < ARRAY_SIZE(others); i++) {
		struct xen_memory_domain d = { .domid = others[i] };

		expect_msg(HYPERVISOR_memory_op(XENMEM_current_reservation, &d) < 0, "domain %x", others[i]);
		expect_msg(HYPERVISOR_memory_op(XENMEM_maximum_reservation, &d) < 0, "domain %x", others[i]);
		expect_msg(HYPERVISOR_memory_op(XENMEM_maximum_gpfn, &d) < 0, "domain %x", others[i]);
	}
}

void guest_main(void)
{
	test_limit();
	test_tools();
	test_others();
}
