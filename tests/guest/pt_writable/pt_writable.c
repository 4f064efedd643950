/* SPDX-License-Identifier: BSD-2-Clause */
/* No page is a page table and writable at once: every way to make it so is refused, and stores to a table do not get through. */
#include <guest/guest.h>

static struct trap_record rec;
static u64 *page, *window;

static void do_store(void *arg)
{
	WRITE_ONCE(*(u64 *)arg, mfn_pte(va_mfn(kernel_root()), PTE_KERNEL | PTE_US));
}

static void do_store_byte(void *arg)
{
	*(volatile u8 *)arg = 0x67;
}

static void do_store_string(void *arg)
{
	memset(arg, 0xff, 16);
}

static u64 table_mfn(unsigned int level)
{
	return va_mfn((void *)((u64)pte_find_in(kernel_root(), (u64)page, level) & PAGE_MASK));
}

static void test_live_tables(void)
{
	unsigned int level;

	test_begin("tables that are in use");
	for (level = 1; level <= 4; level++) {
		u64 mfn = table_mfn(level), pte = mfn_pte(mfn, PTE_KERNEL);

		expect(va_map(window, pte) < 0);
		expect(va_map(pfn_va(mfn_pfn(mfn)), pte) < 0);
		expect(mmu_update_one(pte_maddr(window), pte) < 0);
		expect(mmu_update_one(pte_maddr(window) | MMU_PT_UPDATE_PRESERVE_AD, pte) < 0);
		expect(mmu_update_one(pte_maddr(window) | MMU_PT_UPDATE_NO_TRANSLATE, pte) < 0);
		expect(HYPERCALL4(update_va_mapping_otherdomain, window, pte, 0, 0) < 0);
		expect(mmuext_mfn(MMUEXT_CLEAR_PAGE, mfn) < 0);
		/* Read-only is allowed. */
		expect_eq(va_map(window, mfn_pte(mfn, PTE_READONLY)), 0);
		expect(!(*pte_find(window) & PTE_RW));
	}
	expect_eq(va_map(window, mfn_pte(va_mfn(window), PTE_KERNEL)), 0);
}

/* A store to an entry is refused or made as a checked update: the entry never holds what it must not. */
static void test_stores(void)
{
	unsigned int level;

	test_begin("stores to tables");
	for (level = 1; level <= 4; level++) {
		const u64 *entry = pte_find_in(kernel_root(), (u64)page, level);
		u64 before = *entry;

		if (expect(trap_catch(&rec, do_store, (void *)entry)))
			expect_eq(rec.vector, TRAP_PAGE_FAULT);
		expect_eq(*entry, before);
	}
	trap_catch(&rec, do_store_string, (void *)pte_find_in(kernel_root(), (u64)page, 2));
	trap_catch(&rec, do_store_byte, (void *)pte_find_in(kernel_root(), (u64)page, 2));
	WRITE_ONCE(*page, 1);
	expect(*pte_find_in(kernel_root(), (u64)page, 2) & PTE_P);
}

static void test_new_tables(void)
{
	u64 *l1 = page_alloc(), *l2 = page_alloc(), *l3 = page_alloc();

	test_begin("new tables");
	/* Writable somewhere else: it cannot become one. */
	expect_eq(va_map(window, mfn_pte(va_mfn(l1), PTE_KERNEL)), 0);
	require(page_protect(l1, false));
	expect(mmuext_mfn(MMUEXT_PIN_L1_TABLE, va_mfn(l1)) < 0);
	expect_eq(va_map(window, mfn_pte(va_mfn(window), PTE_KERNEL)), 0);
	expect_eq(mmuext_mfn(MMUEXT_PIN_L1_TABLE, va_mfn(l1)), 0);
	/* A chain that ends in a table of the wrong level. */
	l2[0] = mfn_pte(va_mfn(l1), PTE_TABLE);
	l3[0] = mfn_pte(va_mfn(l1), PTE_TABLE);
	expect(table_pin(l3, 3) < 0);
	expect_eq(table_pin(l2, 2), 0);
	l3[0] = mfn_pte(va_mfn(l2), PTE_TABLE);
	l3[1] = mfn_pte(va_mfn(l3), PTE_TABLE);
	expect(table_pin(l3, 3) < 0);
	l3[1] = mfn_pte(va_mfn(kernel_root()), PTE_TABLE);
	expect(table_pin(l3, 3) < 0);
	l3[1] = mfn_pte(0xfffffffffUL, PTE_TABLE);
	expect(table_pin(l3, 3) < 0);
	l3[1] = mfn_pte(va_mfn(l2), PTE_TABLE | PTE_PSE);
	expect(table_pin(l3, 3) < 0);
	l3[1] = mfn_pte(va_mfn(l2), PTE_TABLE);
	expect_eq(table_pin(l3, 3), 0);
	/* Still referred to from above after its own pin has gone. */
	expect_eq(mmuext_mfn(MMUEXT_UNPIN_TABLE, va_mfn(l2)), 0);
	expect_eq(mmuext_mfn(MMUEXT_UNPIN_TABLE, va_mfn(l1)), 0);
	expect(page_protect(l1, true) < 0);
	expect(page_protect(l2, true) < 0);
	expect_eq(table_unpin(l3), 0);
	expect_eq(page_protect(l1, true), 0);
	expect_eq(page_protect(l2, true), 0);
	l2[0] = l3[0] = l3[1] = 0;
	page_free(l1);
	page_free(l2);
	page_free(l3);
}

void guest_main(void)
{
	page = page_alloc();
	window = page_alloc();
	test_live_tables();
	test_stores();
	test_new_tables();
}
