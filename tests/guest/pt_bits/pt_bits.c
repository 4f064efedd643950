/* SPDX-License-Identifier: BSD-2-Clause */
/* Bits of page-table entries that a guest must not have: large pages, reserved and high bits, memory types, at every level. */
#include <guest/guest.h>

static u64 *page, *tables[4];

/* An entry in a table of a level, as a single update and when the table is pinned. */
static void refused(unsigned int level, u64 entry, const char *what)
{
	u64 *t = tables[level - 1];

	expect_msg(mmu_update_one(entry_maddr(t + 5), entry) < 0, "level %u, %s: %lx", level, what, entry);
	expect_eq(t[5], 0);
	if (level == 1)
		expect_msg(va_map(page, entry) < 0, "%s: %lx", what, entry);
}

void guest_main(void)
{
	unsigned int level, bit;

	page = page_alloc();
	test_begin("set up");
	for (level = 1; level <= 4; level++) {
		tables[level - 1] = page_alloc();
		if (!expect_eq(table_pin(tables[level - 1], level), 0))
			return;
	}
	test_begin("large pages");
	for (level = 2; level <= 4; level++) {
		u64 below = va_mfn(tables[level - 2]);

		refused(level, mfn_pte(va_mfn(page) & ~511UL, PTE_TABLE | PTE_PSE), "large page");
		refused(level, mfn_pte(0, PTE_TABLE | PTE_PSE), "large page at 0");
		refused(level, mfn_pte(below, PTE_TABLE | PTE_PSE), "large page and table");
		refused(level, mfn_pte(0xfee00 & ~511UL, PTE_TABLE | PTE_PSE), "large page of devices");
	}
	test_begin("addresses behind all memory");
	for (bit = 36; bit < 52; bit++) {
		refused(1, 1UL << bit | PTE_KERNEL, "address bit");
		refused(1, (va_mfn(page) << PAGE_SHIFT) | 1UL << bit | PTE_KERNEL, "address bit");
		for (level = 2; level <= 4; level++)
			refused(level, (va_mfn(tables[level - 2]) << PAGE_SHIFT) | 1UL << bit | PTE_TABLE, "address bit");
	}
	test_begin("the wrong level below");
	for (level = 2; level <= 4; level++)
		for (bit = 1; bit <= 4; bit++)
			if (bit != level - 1)
				refused(level, mfn_pte(va_mfn(tables[bit - 1]), PTE_TABLE), "level");
	refused(2, mfn_pte(va_mfn(page), PTE_TABLE), "a writable page");
	test_begin("good ones");
	for (level = 2; level <= 4; level++) {
		u64 good = mfn_pte(va_mfn(tables[level - 2]), PTE_TABLE | PTE_SW0 | 3UL << 10);

		expect_eq(mmu_update_one(entry_maddr(tables[level - 1] + 5), good), 0);
		/* Of a live table, the accessed bit may come and go; the frame and its level do not. */
		expect_eq(pte_mfn(tables[level - 1][5]), va_mfn(tables[level - 2]));
		expect_eq(mmu_update_one(entry_maddr(tables[level - 1] + 5), 0), 0);
	}
	/* Not present: what software puts there is its own, as long as it names no memory. */
	expect_eq(mmu_update_one(entry_maddr(tables[0] + 5), 0x7f0UL << 1), 0);
	expect_eq(mmu_update_one(entry_maddr(tables[0] + 5), 0), 0);
	for (level = 1; level <= 4; level++)
		expect_eq(table_unpin(tables[level - 1]), 0);
}
