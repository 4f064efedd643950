/* SPDX-License-Identifier: BSD-2-Clause */
/* Grants of pages that are or become tables or descriptors of the giver: never writable for another while they are. */
#include <guest/guest.h>

enum { PAGE_REF = 1, TABLE_REF, MAPPED, CHECKED, AGAIN, DONE };

static void giver(void)
{
	u64 *page = page_alloc(), *table = page_alloc();
	xen_pfn_t frame = va_mfn(page);

	if (!require(grant_init()))
		return;
	require(table_pin(table, 1));
	group_post(TABLE_REF, (u64)grant_give(group_domain(1), va_mfn(table), false));
	group_post(PAGE_REF, (u64)grant_give(group_domain(1), va_mfn(page), false));
	expect(group_wait(MAPPED));
	/* The other can write to it now: no table, no descriptors. */
	expect_eq(page_protect(page, false), 0);
	expect(mmuext_mfn(MMUEXT_PIN_L1_TABLE, va_mfn(page)) < 0);
	expect(mmuext_mfn(MMUEXT_PIN_L4_TABLE, va_mfn(page)) < 0);
	expect(HYPERVISOR_set_gdt(&frame, 512) < 0);
	group_post(CHECKED, 1);
	expect(group_wait(AGAIN));
	/* And now it cannot any more. */
	expect_eq(mmuext_mfn(MMUEXT_PIN_L1_TABLE, va_mfn(page)), 0);
	group_post(AGAIN, 0);
	expect(group_wait(DONE));
	expect_eq(mmuext_mfn(MMUEXT_UNPIN_TABLE, va_mfn(page)), 0);
	expect_eq(page_protect(page, true), 0);
	expect_eq(table_unpin(table), 0);
}

static void taker(void)
{
	u64 *window = page_alloc();
	grant_handle_t handle;

	expect(group_wait(PAGE_REF));
	expect(grant_map(group_domain(0), (grant_ref_t)group_look(TABLE_REF), window, false, &handle) < 0);
	expect_eq(grant_map(group_domain(0), (grant_ref_t)group_look(PAGE_REF), window, false, &handle), GNTST_okay);
	group_post(MAPPED, 1);
	expect(group_wait(CHECKED));
	WRITE_ONCE(*window, 0);
	expect_eq(grant_unmap(window, handle), 0);
	group_post(AGAIN, 1);
	expect(yield_until(!group_look(AGAIN), 10 * S));
	expect(grant_map(group_domain(0), (grant_ref_t)group_look(PAGE_REF), window, false, &handle) < 0);
	/* To look at it is allowed. */
	if (grant_map(group_domain(0), (grant_ref_t)group_look(PAGE_REF), window, true, &handle) == GNTST_okay) {
		expect(va_map(window, mfn_pte(pte_mfn(*pte_find(window)), PTE_KERNEL)) < 0);
		expect_eq(grant_unmap(window, handle), 0);
	}
	group_post(DONE, 1);
}

void guest_main(void)
{
	test_begin("tables and grants");
	if (!require(group_join()))
		return;
	if (group_role() == 0)
		giver();
	else
		taker();
}
