/* SPDX-License-Identifier: BSD-2-Clause */
/* Replies to calls that fail half-way: lists are written as far as they were done, and not behind. */
#include <guest/guest.h>
#include <xen/memory.h>

#define MARK 0xa5a5a5a5a5a5a5a5UL

static xen_pfn_t list[64];

void guest_main(void)
{
	struct xen_memory_reservation res = { .nr_extents = 4, .domid = DOMID_SELF };
	struct xen_machphys_mfn_list mfns = { .max_extents = 1 };
	struct gnttab_setup_table setup = { .dom = DOMID_SELF, .nr_frames = 2 };
	struct gnttab_get_status_frames status = { .dom = DOMID_SELF, .nr_frames = 60 };
	u64 *p2m = (u64 *)start_info->mfn_list;
	unsigned int i;
	long ret;

	test_begin("lists");
	for (i = 0; i < ARRAY_SIZE(list); i++)
		list[i] = MARK;
	/* Two frames given back, four asked for: two come. */
	list[0] = p2m[start_info->nr_pages - 1];
	list[1] = p2m[start_info->nr_pages - 2];
	res.nr_extents = 2;
	set_xen_guest_handle(res.extent_start, list);
	expect_eq(HYPERVISOR_memory_op(XENMEM_decrease_reservation, &res), 2);
	for (i = 0; i < 4; i++)
		list[i] = start_info->nr_pages - 1 - i;
	res.nr_extents = 4;
	ret = HYPERVISOR_memory_op(XENMEM_populate_physmap, &res);
	expect_eq(ret, 2);
	expect_eq(mfn_pfn(list[0]), start_info->nr_pages - 1);
	expect_eq(mfn_pfn(list[1]), start_info->nr_pages - 2);
	expect_eq(list[2], start_info->nr_pages - 3);
	expect_eq(list[4], MARK);
	test_begin("as many as there is room for");
	list[0] = list[1] = MARK;
	set_xen_guest_handle(mfns.extent_start, list);
	expect_eq(HYPERVISOR_memory_op(XENMEM_machphys_mfn_list, &mfns), 0);
	expect_eq(mfns.nr_extents, 1);
	expect_eq(list[1], MARK);
	list[2] = MARK;
	set_xen_guest_handle(setup.frame_list, list);
	expect_eq(HYPERVISOR_grant_table_op(GNTTABOP_setup_table, &setup, 1), 0);
	expect_eq(setup.status, GNTST_okay);
	expect(list[0] != MARK && list[1] != MARK);
	expect_eq(list[2], MARK);
	/* No status frames without version 2; not more than there are. */
	list[0] = MARK;
	set_xen_guest_handle(status.frame_list, (u64 *)list);
	HYPERVISOR_grant_table_op(GNTTABOP_get_status_frames, &status, 1);
	expect(status.status < 0);
	expect_eq(list[0], MARK);
}
