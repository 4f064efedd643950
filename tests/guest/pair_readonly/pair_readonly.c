/* SPDX-License-Identifier: BSD-2-Clause */
/* A grant that is read-only, between two domains: there is no way to write to it. */
#include <guest/guest.h>

enum { REF = 1, DONE };

static struct trap_record rec;
static u64 *window;

static void do_write(void *arg)
{
	WRITE_ONCE(*(u64 *)arg, 0xbad);
}

static void giver(void)
{
	u64 *page = page_alloc();

	*page = 0x600d;
	if (!require(grant_init()))
		return;
	group_post(REF, (u64)grant_give(group_domain(1), va_mfn(page), true));
	expect(group_wait(DONE));
	expect_eq(*page, 0x600d);
	expect(grant_take_back((grant_ref_t)group_look(REF)));
}

static void taker(void)
{
	grant_ref_t ref = (grant_ref_t)group_wait(REF);
	domid_t dom = group_domain(0);
	struct gnttab_copy copy = {
		.source = { .u.gmfn = va_mfn(page_alloc()), .domid = DOMID_SELF },
		.dest = { .u.ref = ref, .domid = dom },
		.len = 8,
		.flags = GNTCOPY_dest_gref,
	};
	grant_handle_t handle;
	u64 mfn;

	expect(grant_map(dom, ref, window, false, &handle) < 0);
	if (!expect_eq(grant_map(dom, ref, window, true, &handle), GNTST_okay))
		return;
	expect_eq(*window, 0x600d);
	if (expect(trap_catch(&rec, do_write, window)))
		expect_eq(rec.error & 3, 3);
	/* With the frame number, which the entry shows: still not writable, here or elsewhere. */
	mfn = pte_mfn(*pte_find(window));
	expect(va_map(window, mfn_pte(mfn, PTE_KERNEL)) < 0);
	expect(mmu_update_one(pte_maddr(window), mfn_pte(mfn, PTE_KERNEL)) < 0);
	expect(mmu_update_one(pte_maddr(window) | MMU_PT_UPDATE_PRESERVE_AD, mfn_pte(mfn, PTE_KERNEL)) < 0);
	expect(HYPERCALL4(update_va_mapping_otherdomain, window, mfn_pte(mfn, PTE_KERNEL), UVMF_INVLPG, dom) < 0);
	expect(mmuext_mfn(MMUEXT_CLEAR_PAGE, mfn) < 0);
	HYPERVISOR_grant_table_op(GNTTABOP_copy, &copy, 1);
	expect(copy.status < 0);
	expect(trap_catch(&rec, do_write, window));
	expect_eq(*window, 0x600d);
	expect_eq(grant_unmap(window, handle), 0);
}

void guest_main(void)
{
	test_begin("read-only");
	window = page_alloc();
	if (!require(group_join()))
		return;
	if (group_role() == 0) {
		giver();
	} else {
		taker();
		group_post(DONE, 1);
	}
}
