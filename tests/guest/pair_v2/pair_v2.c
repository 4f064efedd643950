/* SPDX-License-Identifier: BSD-2-Clause */
/* Version 2 of the grant table between two domains: use shows in the status words, and the version cannot change meanwhile. */
#include <guest/guest.h>

enum { READY = 1, MAPPED, CHECKED, UNMAPPED };

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
	return expect_eq(version_set(2), 0) && expect_eq(HYPERVISOR_grant_table_op(GNTTABOP_setup_table, &table, 1), 0) &&
	       expect_eq(HYPERVISOR_grant_table_op(GNTTABOP_get_status_frames, &st, 1), 0) &&
	       expect_eq(va_map(table_page, mfn_pte(frame, PTE_KERNEL)), 0) &&
	       expect_eq(va_map(status_page, mfn_pte(frames[0], PTE_KERNEL)), 0);
}

static void giver(void)
{
	u64 *page = page_alloc();

	*page = 0x2222;
	if (!setup())
		return;
	entries[30].full_page.frame = va_mfn(page);
	entries[30].hdr.domid = group_domain(1);
	entries[30].hdr.flags = GTF_permit_access;
	group_post(READY, 1);
	expect(group_wait(MAPPED));
	expect_eq(status[30], GTF_reading | GTF_writing);
	expect(version_set(1) < 0);
	/* Scribbling on the status words harms nobody but this domain. */
	status[30] = 0;
	entries[30].hdr.flags = 0;
	entries[30].full_page.frame = ~0UL;
	group_post(CHECKED, 1);
	expect(group_wait(UNMAPPED));
	expect_eq(*page, 0x2223);
	expect_eq(status[30], 0);
}

static void taker(void)
{
	u64 *window = page_alloc();
	grant_handle_t handle, second;

	expect(group_wait(READY));
	expect(grant_map(group_domain(0), 31, window, true, &handle) < 0);
	if (expect_eq(grant_map(group_domain(0), 30, window, false, &handle), GNTST_okay)) {
		expect_eq(*window, 0x2222);
		group_post(MAPPED, 1);
		expect(group_wait(CHECKED));
		*window = 0x2223;
		expect(grant_map(group_domain(0), 31, page_alloc(), true, &second) < 0);
		expect_eq(grant_unmap(window, handle), 0);
		expect(grant_map(group_domain(0), 30, window, true, &handle) < 0);
	}
	group_post(UNMAPPED, 1);
}

void guest_main(void)
{
	test_begin("version 2");
	if (!require(group_join()))
		return;
	if (group_role() == 0)
		giver();
	else
		taker();
}
