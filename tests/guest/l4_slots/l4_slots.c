/* SPDX-License-Identifier: BSD-2-Clause */
/* The top-level table: the hypervisor's slots, entries that lead back into the table, and roots that are not good. */
#include <guest/guest.h>

#define FIRST 256
#define LAST  271

static struct trap_record rec;

static void do_read(void *arg)
{
	(void)READ_ONCE(*(u64 *)arg);
}

static void do_write(void *arg)
{
	WRITE_ONCE(*(u64 *)arg, 0);
}

static void test_reserved(void)
{
	u64 *page = page_alloc();
	const u64 *l3 = (const u64 *)((u64)pte_find_in(kernel_root(), VIRT_BASE, 3) & PAGE_MASK);
	unsigned int slot;

	test_begin("the hypervisor's slots");
	for (slot = FIRST; slot <= LAST; slot++) {
		expect(mmu_update_one(entry_maddr(kernel_root() + slot), 0) < 0);
		expect(mmu_update_one(entry_maddr(kernel_root() + slot), mfn_pte(va_mfn(l3), PTE_TABLE)) < 0);
		expect(mmu_update_one(entry_maddr(kernel_root() + slot), mfn_pte(va_mfn(page), PTE_TABLE)) < 0);
		/* What is mapped there cannot be written, and nothing there is a table of ours. */
		expect(trap_catch(&rec, do_write, (void *)(0xffff000000000000UL | (u64)slot << 39)));
		expect(HYPERVISOR_update_va_mapping(0xffff000000000000UL | (u64)slot << 39,
						    mfn_pte(va_mfn(page), PTE_KERNEL), 0) < 0);
	}
	page_free(page);
}

/* What the kernel put into the reserved slots of a new root is not what is used. */
static void test_garbage(void)
{
	u64 *root = page_alloc(), *page = page_alloc(), old = va_mfn(kernel_root());
	unsigned int slot;

	test_begin("garbage in reserved slots");
	memcpy(root, kernel_root(), PAGE_SIZE);
	for (slot = FIRST; slot <= LAST; slot++)
		root[slot] = mfn_pte(va_mfn(page), PTE_TABLE);
	if (!expect_eq(table_pin(root, 4), 0))
		return;
	expect_eq(mmuext_mfn(MMUEXT_NEW_BASEPTR, va_mfn(root)), 0);
	expect_eq(mfn_pfn(va_mfn(page)), va_pfn(page));
	expect(trap_catch(&rec, do_write, (void *)MACH2PHYS_VIRT_START));
	expect(trap_catch(&rec, do_write, (void *)(HYPERVISOR_VIRT_END - 8)));
	expect_eq(mmuext_mfn(MMUEXT_NEW_BASEPTR, old), 0);
	expect_eq(table_unpin(root), 0);
	page_free(root);
	page_free(page);
}

static void test_self(void)
{
	u64 *root = page_alloc();
	u64 self = va_mfn(kernel_root());
	const u64 *entry = kernel_root() + 300;
	int ret;

	test_begin("a table that contains itself");
	/* Writable: never. Read-only: a hypervisor may allow it, but then it stays read-only. */
	expect(mmu_update_one(entry_maddr(entry), mfn_pte(self, PTE_TABLE)) < 0);
	expect_eq(*entry, 0);
	ret = mmu_update_one(entry_maddr(entry), mfn_pte(self, PTE_P | PTE_US | PTE_A));
	if (ret == 0) {
		expect(!(*entry & PTE_RW));
		expect(mmu_update_one(entry_maddr(entry), mfn_pte(self, PTE_TABLE)) < 0);
		expect_eq(mmu_update_one(entry_maddr(entry), 0), 0);
	}
	root[300] = mfn_pte(va_mfn(root), PTE_TABLE);
	expect(table_pin(root, 4) < 0);
	root[300] = mfn_pte(self, PTE_TABLE);
	expect(table_pin(root, 4) < 0);
	/* The L4 as an L3, an L2, an L1. */
	memset(root, 0, PAGE_SIZE);
	root[0] = mfn_pte(self, PTE_TABLE);
	expect(table_pin(root, 3) < 0);
	expect(table_pin(root, 2) < 0);
	expect(table_pin(root, 1) < 0);
	root[0] = 0;
	page_free(root);
}

static void test_roots(void)
{
	u64 *page = page_alloc(), *l1 = page_alloc();

	test_begin("roots that are not good");
	require(table_pin(l1, 1));
	expect(mmuext_mfn(MMUEXT_NEW_BASEPTR, va_mfn(page)) < 0);
	expect(mmuext_mfn(MMUEXT_NEW_BASEPTR, va_mfn(l1)) < 0);
	expect(mmuext_mfn(MMUEXT_NEW_BASEPTR, 0xfffffffffUL) < 0);
	expect(mmuext_mfn(MMUEXT_NEW_BASEPTR, ~0UL) < 0);
	expect(mmuext_mfn(MMUEXT_NEW_USER_BASEPTR, va_mfn(page)) < 0);
	expect(mmuext_mfn(MMUEXT_NEW_USER_BASEPTR, va_mfn(l1)) < 0);
	expect_eq(mmuext_mfn(MMUEXT_NEW_USER_BASEPTR, 0), 0);
	expect_eq(mmuext_mfn(MMUEXT_NEW_USER_BASEPTR, va_mfn(kernel_root())), 0);
	expect_eq(mmuext_mfn(MMUEXT_NEW_USER_BASEPTR, 0), 0);
	expect(!trap_catch(&rec, do_read, page));
	require(table_unpin(l1));
	page_free(page);
	page_free(l1);
}

void guest_main(void)
{
	test_reserved();
	test_garbage();
	test_self();
	test_roots();
}
