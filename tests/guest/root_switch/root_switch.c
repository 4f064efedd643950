/* SPDX-License-Identifier: BSD-2-Clause */
/* Many address spaces, switched between all the time: each sees its own pages, and a table that goes leaves nothing behind. */
#include <guest/guest.h>

#define SPACES 12
#define PLACE  0x20000000000UL

static u64 *root[SPACES], *page[SPACES], *table[SPACES][3];
static u64 kernel;

static bool make(unsigned int s)
{
	unsigned int i;
	u64 below;

	root[s] = page_alloc();
	page[s] = page_alloc();
	*page[s] = 0x1000 + s;
	below = mfn_pte(va_mfn(page[s]), PTE_KERNEL);
	for (i = 0; i < 3; i++) {
		table[s][i] = page_alloc();
		table[s][i][0] = below;
		if (!require(page_protect(table[s][i], false)))
			return false;
		below = mfn_pte(va_mfn(table[s][i]), PTE_TABLE);
	}
	memcpy(root[s], kernel_root(), PAGE_SIZE);
	root[s][PLACE >> 39] = below;
	return expect_eq(table_pin(root[s], 4), 0);
}

static void drop(unsigned int s)
{
	unsigned int i;

	expect_eq(table_unpin(root[s]), 0);
	for (i = 0; i < 3; i++) {
		expect_eq(page_protect(table[s][i], true), 0);
		page_free(table[s][i]);
	}
	page_free(root[s]);
	page_free(page[s]);
}

void guest_main(void)
{
	unsigned int i, round, wrong = 0;

	test_begin("a dozen address spaces");
	kernel = va_mfn(kernel_root());
	for (i = 0; i < SPACES; i++)
		if (!make(i))
			return;
	for (round = 0; round < 50; round++)
		for (i = 0; i < SPACES; i++) {
			if (!expect_eq(mmuext_mfn(MMUEXT_NEW_BASEPTR, va_mfn(root[i])), 0))
				return;
			wrong += READ_ONCE(*(u64 *)PLACE) != 0x1000 + i + round * 100;
			WRITE_ONCE(*(u64 *)PLACE, 0x1000 + i + (round + 1) * 100);
		}
	expect_eq(wrong, 0);
	/* The one that is in use does not go. */
	expect_eq(mmuext_mfn(MMUEXT_UNPIN_TABLE, va_mfn(root[SPACES - 1])), 0);
	expect(page_protect(root[SPACES - 1], true) < 0);
	WRITE_ONCE(*(u64 *)PLACE, 5);
	expect_eq(mmuext_mfn(MMUEXT_PIN_L4_TABLE, va_mfn(root[SPACES - 1])), 0);
	test_begin("and gone");
	expect_eq(mmuext_mfn(MMUEXT_NEW_BASEPTR, kernel), 0);
	for (i = 0; i < SPACES; i++)
		drop(i);
	expect(!(kernel_root()[PLACE >> 39] & PTE_P));
}
