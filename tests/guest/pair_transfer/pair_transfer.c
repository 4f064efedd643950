/* SPDX-License-Identifier: BSD-2-Clause */
/* GNTTABOP_transfer: a frame goes to the other or stays, whole; never half, and never one that is in use. */
#include <guest/guest.h>
#include <xen/memory.h>

enum { REF = 1, DONE };

static long current(void)
{
	return HYPERVISOR_memory_op(XENMEM_current_reservation, &(struct xen_memory_domain){ .domid = DOMID_SELF });
}

static int transfer(u64 mfn, domid_t dom, u64 ref)
{
	struct gnttab_transfer op = { .mfn = mfn, .domid = dom, .ref = (grant_ref_t)ref };
	long ret = HYPERVISOR_grant_table_op(GNTTABOP_transfer, &op, 1);

	return ret ? (int)ret : op.status;
}

static void sender(void)
{
	u64 *page = page_alloc(), mfn = va_mfn(page);
	long before = current();
	int ret;

	expect(group_wait(REF));
	/* Frames that are not ours, that are tables, that do not exist. */
	expect(transfer(0xfffffffff, group_domain(0), group_look(REF)) < 0);
	expect(transfer(0x100, group_domain(0), group_look(REF)) < 0);
	expect(transfer(va_mfn(kernel_root()), group_domain(0), group_look(REF)) < 0);
	expect(transfer(mfn, 0x7000, group_look(REF)) < 0);
	expect_eq(current(), before);
	expect_eq(*page, 0);
	test_begin("a transfer");
	require(va_map(page, 0));
	ret = transfer(mfn, group_domain(0), group_look(REF));
	/* Gone, or still there. */
	expect_eq(current(), ret == GNTST_okay ? before - 1 : before);
	if (ret != GNTST_okay) {
		expect_eq(va_map(page, mfn_pte(mfn, PTE_KERNEL)), 0);
		expect_eq(*page, 0);
	}
	group_post(DONE, ret == GNTST_okay ? 2 : 1);
}

static void receiver(void)
{
	long before;

	if (!require(grant_init()))
		return;
	/* Room for it. */
	before = current() - 1;
	{
		u64 *p2m = (u64 *)start_info->mfn_list;
		xen_pfn_t frame = p2m[start_info->nr_pages - 1];
		struct xen_memory_reservation res = { .nr_extents = 1, .domid = DOMID_SELF };

		set_xen_guest_handle(res.extent_start, &frame);
		expect_eq(HYPERVISOR_memory_op(XENMEM_decrease_reservation, &res), 1);
	}
	grant_table[20].domid = group_domain(1);
	grant_table[20].frame = (u32)(start_info->nr_pages - 1);
	grant_table[20].flags = GTF_accept_transfer;
	group_post(REF, 20);
	expect(group_wait(DONE));
	expect_eq(current(), group_look(DONE) == 2 ? before + 1 : before);
	expect_eq((grant_table[20].flags & GTF_transfer_completed) != 0, group_look(DONE) == 2);
}

void guest_main(void)
{
	test_begin("set up");
	if (!require(group_join()))
		return;
	if (group_role() == 0)
		receiver();
	else
		sender();
}
