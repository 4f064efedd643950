/* SPDX-License-Identifier: BSD-2-Clause */
/* mmu_update: single and batched requests, kept accessed and dirty bits, the M2P table, and requests that fail. */
#include <guest/guest.h>

#define BATCH 64

static long update(struct mmu_update *reqs, unsigned int n, unsigned int *done)
{
	return HYPERVISOR_mmu_update(reqs, n, done, DOMID_SELF);
}

static void test_single(void)
{
	volatile u64 *a = page_alloc(), *b = page_alloc();
	u64 mfn_a = va_mfn((void *)a), mfn_b = va_mfn((void *)b), slot = pte_maddr((void *)a);

	test_begin("one entry");
	*b = 0xbbbb;
	expect_eq(mmu_update_one(slot, mfn_pte(mfn_b, PTE_KERNEL)), 0);
	flush_page((void *)a);
	expect_eq(*a, 0xbbbb);
	expect_eq(mmu_update_one(slot, 0), 0);
	expect_eq(*pte_find((void *)a), 0);
	expect_eq(mmu_update_one(slot, mfn_pte(mfn_a, PTE_KERNEL)), 0);
	*a = 1;
	page_free((void *)a);
	page_free((void *)b);
}

static void test_preserve(void)
{
	void *page = page_alloc();
	u64 mfn = va_mfn(page), slot = pte_maddr(page);

	test_begin("keep accessed and dirty");
	WRITE_ONCE(*(u64 *)page, 1);
	expect_eq(mmu_update_one(slot | MMU_PT_UPDATE_PRESERVE_AD, mfn_pte(mfn, PTE_P | PTE_RW)), 0);
	expect((*pte_find(page) & (PTE_A | PTE_D)) == (PTE_A | PTE_D));
	expect_eq(mmu_update_one(slot, mfn_pte(mfn, PTE_P | PTE_RW)), 0);
	expect(!(*pte_find(page) & (PTE_A | PTE_D)));
	expect_eq(mmu_update_one(slot | MMU_PT_UPDATE_PRESERVE_AD, mfn_pte(mfn, PTE_P | PTE_RW)), 0);
	expect(!(*pte_find(page) & (PTE_A | PTE_D)));
	page_free(page);
}

static void test_machphys(void)
{
	void *page = page_alloc();
	u64 mfn = va_mfn(page), pfn = va_pfn(page);

	test_begin("machine to physical");
	expect_eq(mmu_update_one(mfn << PAGE_SHIFT | MMU_MACHPHYS_UPDATE, 0x12345), 0);
	expect_eq(mfn_pfn(mfn), 0x12345);
	expect_eq(mmu_update_one(mfn << PAGE_SHIFT | MMU_MACHPHYS_UPDATE, pfn), 0);
	expect_eq(mfn_pfn(mfn), pfn);
	expect(mmu_update_one(0xffffffffUL << PAGE_SHIFT | MMU_MACHPHYS_UPDATE, 1) < 0);
	page_free(page);
}

static void test_batch(void)
{
	static struct mmu_update reqs[BATCH];
	u64 *pages[BATCH];
	unsigned int i, done, wrong = 0;

	test_begin("batch");
	for (i = 0; i < BATCH; i++) {
		pages[i] = page_alloc();
		reqs[i].ptr = pte_maddr(pages[i]);
		reqs[i].val = mfn_pte(va_mfn(pages[i]), PTE_READONLY);
	}
	done = 0;
	expect_eq(update(reqs, BATCH, &done), 0);
	expect_eq(done, BATCH);
	for (i = 0; i < BATCH; i++) {
		wrong += !!(*pte_find(pages[i]) & PTE_RW);
		reqs[i].val |= PTE_RW;
	}
	expect_eq(wrong, 0);
	/* The ones before a bad request are done, the ones after it are not. */
	reqs[10].val = mfn_pte(va_mfn(kernel_root()), PTE_KERNEL);
	done = 99;
	expect(update(reqs, BATCH, &done) < 0);
	expect_eq(done, 10);
	expect(*pte_find(pages[9]) & PTE_RW);
	expect(!(*pte_find(pages[10]) & PTE_RW));
	expect(!(*pte_find(pages[11]) & PTE_RW));
	reqs[10].val = mfn_pte(va_mfn(pages[10]), PTE_KERNEL);
	expect_eq(update(reqs, BATCH, &done), 0);
	expect_eq(done, BATCH);
	expect_eq(update(reqs, 0, &done), 0);
	expect_eq(update(reqs, BATCH, NULL), 0);
	for (i = 0; i < BATCH; i++)
		page_free(pages[i]);
}

/* A large page, a table at the wrong level, and making the tree grow and shrink. */
static void test_levels(void)
{
	u64 va = 0x10000000000UL;
	u64 *page = page_alloc(), *table = page_alloc();
	const u64 *l2;

	test_begin("higher levels");
	*page = 0x7777;
	require(root_map(kernel_root(), va, mfn_pte(va_mfn(page), PTE_KERNEL)));
	expect_eq(READ_ONCE(*(u64 *)va), 0x7777);
	l2 = pte_find_in(kernel_root(), va, 2);
	/* Another L1 in its place: the mapping goes. */
	require(page_protect(table, false));
	expect_eq(mmu_update_one(entry_maddr(l2 + 1), mfn_pte(va_mfn(table), PTE_TABLE)), 0);
	expect(page_protect(table, true) < 0);
	expect_eq(mmu_update_one(entry_maddr(l2 + 1), 0), 0);
	expect_eq(page_protect(table, true), 0);
	/* A table of level 1 cannot be one of level 2; a page that is writable cannot be a table. */
	expect(mmu_update_one(entry_maddr(pte_find_in(kernel_root(), va, 3)), *l2) < 0);
	expect(mmu_update_one(entry_maddr(l2 + 1), mfn_pte(va_mfn(table), PTE_TABLE)) < 0);
	/* 2 MiB pages are not for PV guests. */
	expect(mmu_update_one(entry_maddr(l2 + 1), (pfn_mfn(0) & ~511UL) << PAGE_SHIFT | PTE_TABLE | PTE_PSE) < 0);
	expect_eq(READ_ONCE(*(u64 *)va), 0x7777);
}

static void test_refused(void)
{
	void *page = page_alloc();
	u64 slot = pte_maddr(page), pte = *pte_find(page);

	test_begin("refused");
	expect_eq(mmu_update_one(slot | MMU_PT_UPDATE_NO_TRANSLATE, pte), 0);
	/* Not in a page table. */
	expect_eq(mmu_update_one(va_mfn(page) << PAGE_SHIFT, 0), 0);
	expect(mmu_update_one(0xffffffffUL << PAGE_SHIFT, pte) < 0);
	/* The hypervisor's part of the top-level table. */
	expect(mmu_update_one(entry_maddr(kernel_root() + 256), 0) < 0);
	expect(mmu_update_one(entry_maddr(kernel_root() + 271), pte) < 0);
	expect(HYPERVISOR_mmu_update(NULL, 1, NULL, DOMID_SELF) < 0);
	expect(HYPERVISOR_mmu_update((void *)HYPERVISOR_VIRT_START, 1, NULL, 0x7e00) < 0);
	page_free(page);
}

void guest_main(void)
{
	test_single();
	test_preserve();
	test_machphys();
	test_batch();
	test_levels();
	test_refused();
}
