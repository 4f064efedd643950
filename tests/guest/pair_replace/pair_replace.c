/* SPDX-License-Identifier: BSD-2-Clause */
/* unmap_and_replace between two domains: the entry moves, and what does not fit is refused. */
#include <guest/guest.h>

enum { REF = 1, DONE };

static int replace(void *at, void *by, grant_handle_t handle)
{
	struct gnttab_unmap_and_replace op = { .host_addr = (u64)at, .new_addr = (u64)by, .handle = handle };
	long ret = HYPERVISOR_grant_table_op(GNTTABOP_unmap_and_replace, &op, 1);

	return ret ? (int)ret : op.status;
}

static void taker(void)
{
	u64 *window = page_alloc(), *spare = page_alloc();
	grant_handle_t handle;
	u64 mfn = va_mfn(spare);

	*spare = 0x5e1f;
	expect(group_wait(REF));
	if (!expect_eq(grant_map(group_domain(0), (grant_ref_t)group_look(REF), window, false, &handle), GNTST_okay))
		return;
	expect_eq(*window, 0x6);
	test_begin("refused");
	expect(replace(window, spare, handle + 1) < 0);
	expect(replace(spare, window, handle) < 0);
	expect(replace((void *)HYPERVISOR_VIRT_START, spare, handle) < 0);
	expect(replace(window, (void *)HYPERVISOR_VIRT_START, handle) < 0);
	expect(replace(window, (void *)0x800000000000UL, handle) < 0);
	if (!expect_msg(*pte_find(window) & PTE_P, "the mapping is gone after an error")) {
		group_post(DONE, 1);
		return;
	}
	expect_eq(*window, 0x6);
	test_begin("replaced");
	if (expect_eq(replace(window, spare, handle), GNTST_okay)) {
		flush_page(window);
		expect_eq(pte_mfn(*pte_find(window)), mfn);
		expect_eq(*window, 0x5e1f);
		expect(!(*pte_find(spare) & PTE_P));
	}
	expect(replace(window, spare, handle) < 0);
	group_post(DONE, 1);
}

static void giver(void)
{
	u64 *page = page_alloc();

	*page = 0x6;
	if (!require(grant_init()))
		return;
	group_post(REF, (u64)grant_give(group_domain(1), va_mfn(page), false));
	expect(group_wait(DONE));
	expect(grant_take_back((grant_ref_t)group_look(REF)));
	memset(page, 0, PAGE_SIZE);
	expect_eq(table_pin(page, 1), 0);
}

void guest_main(void)
{
	test_begin("set up");
	if (!require(group_join()))
		return;
	if (group_role() == 0)
		giver();
	else
		taker();
}
