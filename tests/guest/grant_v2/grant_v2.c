/* SPDX-License-Identifier: BSD-2-Clause */
/* Grant tables of version 2: switching, the status frames, whole pages and parts of them. */
#include <guest/guest.h>

static u8 table_page[PAGE_SIZE] PAGE_ALIGNED, status_page[PAGE_SIZE] PAGE_ALIGNED;
static volatile union grant_entry_v2 *entries = (volatile union grant_entry_v2 *)table_page;
static volatile u16 *status = (volatile u16 *)status_page;

static long version_set(u32 version)
{
	struct gnttab_set_version op = { .version = version };

	return HYPERVISOR_grant_table_op(GNTTABOP_set_version, &op, 1);
}

static bool setup(void)
{
	u64 frames[8] = { 0 };
	xen_pfn_t frame = 0;
	struct gnttab_setup_table table = { .dom = DOMID_SELF, .nr_frames = 1 };
	struct gnttab_get_status_frames st = { .dom = DOMID_SELF, .nr_frames = 1 };

	set_xen_guest_handle(table.frame_list, &frame);
	set_xen_guest_handle(st.frame_list, frames);
	if (!expect_eq(HYPERVISOR_grant_table_op(GNTTABOP_setup_table, &table, 1), 0) ||
	    !expect_eq(HYPERVISOR_grant_table_op(GNTTABOP_get_status_frames, &st, 1), 0) || !expect_eq(st.status, GNTST_okay))
		return false;
	return expect_eq(va_map(table_page, mfn_pte(frame, PTE_KERNEL)), 0) &&
	       expect_eq(va_map(status_page, mfn_pte(frames[0], PTE_KERNEL)), 0);
}

static void test_map(void)
{
	u64 *mine = page_alloc(), *window = page_alloc();
	grant_handle_t handle = 0;

	test_begin("map");
	*mine = 0x1234;
	entries[20].full_page.frame = va_mfn(mine);
	entries[20].hdr.domid = 0;
	entries[20].hdr.flags = GTF_permit_access;
	expect_eq(grant_map(0, 20, window, false, &handle), GNTST_okay);
	expect_eq(*window, 0x1234);
	/* What is in use shows in the status, not in the entry. */
	expect_eq(status[20], GTF_reading | GTF_writing);
	expect_eq(entries[20].hdr.flags, GTF_permit_access);
	expect_eq(grant_unmap(window, handle), 0);
	expect_eq(status[20], 0);
	entries[20].hdr.flags = GTF_permit_access | GTF_readonly;
	expect(grant_map(0, 20, window, false, &handle) < 0);
	expect_eq(status[20], 0);
	entries[20].hdr.flags = 0;
	expect(grant_map(0, 20, window, true, &handle) < 0);
	/* A frame number behind everything. */
	entries[20].full_page.frame = ~0UL;
	entries[20].hdr.flags = GTF_permit_access;
	expect(grant_map(0, 20, window, true, &handle) < 0);
	entries[20].hdr.flags = 0;
	page_free(mine);
	page_free(window);
}

static void test_part(void)
{
	u8 *mine = page_alloc(), *to = page_alloc();
	grant_handle_t handle = 0;
	struct gnttab_copy op = {
		.source = { .u.ref = 21, .domid = 0, .offset = 100 },
		.dest = { .u.gmfn = va_mfn(to), .domid = DOMID_SELF },
		.len = 50,
		.flags = GNTCOPY_source_gref,
	};

	test_begin("parts of pages");
	memset(mine, 0x77, PAGE_SIZE);
	entries[21].sub_page.frame = va_mfn(mine);
	entries[21].sub_page.page_off = 100;
	entries[21].sub_page.length = 50;
	entries[21].hdr.domid = 0;
	entries[21].hdr.flags = GTF_permit_access | GTF_sub_page;
	/* Copied within its bounds, never mapped. */
	expect(grant_map(0, 21, to, true, &handle) < 0);
	HYPERVISOR_grant_table_op(GNTTABOP_copy, &op, 1);
	expect_eq(op.status, GNTST_okay);
	expect_eq(to[49], 0x77);
	expect_eq(to[50], 0);
	op.len = 51;
	HYPERVISOR_grant_table_op(GNTTABOP_copy, &op, 1);
	expect(op.status < 0);
	op.source.offset = 99;
	op.len = 10;
	HYPERVISOR_grant_table_op(GNTTABOP_copy, &op, 1);
	expect(op.status < 0);
	/* Bounds that lie. */
	entries[21].sub_page.page_off = 4000;
	entries[21].sub_page.length = 0xffff;
	op.source.offset = 4000;
	op.len = 200;
	HYPERVISOR_grant_table_op(GNTTABOP_copy, &op, 1);
	expect(op.status < 0);
	entries[21].hdr.flags = 0;
	page_free(mine);
	page_free(to);
}

static void test_versions(void)
{
	test_begin("back to version 1");
	expect(version_set(3) < 0);
	expect(version_set(0) < 0);
	/* The status frames are mapped: they have to go first. */
	require(va_map(status_page, mfn_pte(va_mfn(status_page), PTE_KERNEL)));
	require(va_map(table_page, mfn_pte(va_mfn(table_page), PTE_KERNEL)));
	expect_eq(version_set(1), 0);
	expect_eq(grant_init(), 0);
	expect_eq(version_set(1), 0);
}

void guest_main(void)
{
	test_begin("set up");
	if (!expect_eq(version_set(2), 0) || !setup())
		return;
	test_map();
	test_part();
	test_versions();
}
