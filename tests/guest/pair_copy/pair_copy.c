/* SPDX-License-Identifier: BSD-2-Clause */
/* Grant copies between two domains: from, to, both; bounds, read-only grants, page tables, and lists that fail in the middle. */
#include <guest/guest.h>

enum { READ_REF = 1, WRITE_REF, TABLE_REF, DONE };

static void giver(void)
{
	u8 *in = page_alloc(), *out = page_alloc();
	unsigned int i, wrong = 0;

	if (!require(grant_init()))
		return;
	for (i = 0; i < PAGE_SIZE; i++)
		in[i] = (u8)(i * 7);
	group_post(READ_REF, (u64)grant_give(group_domain(1), va_mfn(in), true));
	group_post(TABLE_REF, (u64)grant_give(group_domain(1), va_mfn(kernel_root()), false));
	group_post(WRITE_REF, (u64)grant_give(group_domain(1), va_mfn(out), false));
	expect(group_wait(DONE));
	for (i = 0; i < PAGE_SIZE; i++)
		wrong += out[i] != (i >= 100 && i < 300 ? 0x33 : i == 4095 ? 0x44 : 0);
	expect_eq(wrong, 0);
	for (i = READ_REF; i <= TABLE_REF; i++)
		expect(grant_take_back((grant_ref_t)group_look(i)));
}

static struct gnttab_copy op;

static int copy(void)
{
	op.status = 1;
	expect_eq(HYPERVISOR_grant_table_op(GNTTABOP_copy, &op, 1), 0);
	return op.status;
}

static void from_grant(u64 ref, u16 offset, void *to, u16 to_offset, u16 len)
{
	op = (struct gnttab_copy){
		.source = { .u.ref = (grant_ref_t)ref, .domid = group_domain(0), .offset = offset },
		.dest = { .u.gmfn = va_mfn(to), .domid = DOMID_SELF, .offset = to_offset },
		.len = len,
		.flags = GNTCOPY_source_gref,
	};
}

static void to_grant(u64 ref, u16 offset, void *from, u16 from_offset, u16 len)
{
	op = (struct gnttab_copy){
		.source = { .u.gmfn = va_mfn(from), .domid = DOMID_SELF, .offset = from_offset },
		.dest = { .u.ref = (grant_ref_t)ref, .domid = group_domain(0), .offset = offset },
		.len = len,
		.flags = GNTCOPY_dest_gref,
	};
}

static void taker(void)
{
	u8 *page = page_alloc(), *thirty = page_alloc();
	u64 mfn;

	if (!expect(group_wait(WRITE_REF)))
		return;
	memset(thirty, 0x33, PAGE_SIZE);
	thirty[5] = 0x44;
	from_grant(group_look(READ_REF), 10, page, 20, 50);
	expect_eq(copy(), GNTST_okay);
	expect(page[19] == 0 && page[20] == 70 && page[69] == (u8)(59 * 7) && page[70] == 0);
	to_grant(group_look(WRITE_REF), 100, thirty, 200, 200);
	expect_eq(copy(), GNTST_okay);
	to_grant(group_look(WRITE_REF), 4095, thirty, 5, 1);
	expect_eq(copy(), GNTST_okay);
	test_begin("refused");
	to_grant(group_look(READ_REF), 0, thirty, 0, 8);
	expect(copy() < 0);
	to_grant(group_look(TABLE_REF), 0, thirty, 0, 8);
	expect(copy() < 0);
	to_grant(group_look(WRITE_REF), 4000, thirty, 0, 97);
	expect_eq(copy(), GNTST_bad_copy_arg);
	from_grant(group_look(READ_REF), 4000, page, 0, 97);
	expect_eq(copy(), GNTST_bad_copy_arg);
	from_grant(group_look(READ_REF), 0, page, 4000, 97);
	expect_eq(copy(), GNTST_bad_copy_arg);
	from_grant(500, 0, page, 0, 8);
	expect(copy() < 0);
	/* By frame, of the other: that is for those who may map it. */
	from_grant(group_look(READ_REF), 0, page, 0, 8);
	mfn = va_mfn(kernel_root()) + 1;
	op.flags = 0;
	op.source.u.gmfn = mfn;
	expect(copy() < 0);
	/* To a page table of one's own. */
	from_grant(group_look(READ_REF), 0, kernel_root(), 0, 8);
	expect(copy() < 0);
	from_grant(group_look(READ_REF), 0, page, 0, 8);
	op.flags = 0xffff;
	expect(copy() < 0);
	expect(page[0] == 0 && page[4095] == 0);
	group_post(DONE, 1);
}

void guest_main(void)
{
	test_begin("copies");
	if (!require(group_join()))
		return;
	if (group_role() == 0)
		giver();
	else
		taker();
}
