/* SPDX-License-Identifier: BSD-2-Clause */
/* update_va_mapping: what it changes, how it flushes, and what it refuses. */
#include <guest/guest.h>

static long map(const void *va, u64 pte, u64 flags)
{
	return HYPERVISOR_update_va_mapping((u64)va, pte, flags);
}

static void test_remap(void)
{
	volatile u64 *a = page_alloc(), *b = page_alloc();
	u64 mfn_a = va_mfn((void *)a), mfn_b = va_mfn((void *)b);

	test_begin("remap a page");
	*a = 0xaaaa;
	*b = 0xbbbb;
	expect_eq(map((void *)a, mfn_pte(mfn_b, PTE_KERNEL), UVMF_INVLPG), 0);
	expect_eq(*a, 0xbbbb);
	*a = 0xcccc;
	expect_eq(*b, 0xcccc);
	expect_eq(pte_mfn(*pte_find((void *)a)), mfn_b);
	expect_eq(map((void *)a, mfn_pte(mfn_a, PTE_KERNEL), UVMF_TLB_FLUSH | UVMF_ALL), 0);
	expect_eq(*a, 0xaaaa);
	/* The hypervisor decides on privilege: the bit is set whatever the guest says. */
	expect(*pte_find((void *)a) & PTE_US);
	page_free((void *)a);
	page_free((void *)b);
}

static void test_flush_kinds(void)
{
	static u64 cpus = 1;
	void *page = page_alloc();
	u64 mfn = va_mfn(page);
	unsigned int i;
	const u64 flags[] = { UVMF_NONE, UVMF_TLB_FLUSH, UVMF_INVLPG, UVMF_TLB_FLUSH | UVMF_ALL, UVMF_INVLPG | UVMF_ALL,
			      UVMF_TLB_FLUSH | UVMF_MULTI | (u64)&cpus, UVMF_INVLPG | UVMF_MULTI | (u64)&cpus };

	test_begin("kinds of flush");
	for (i = 0; i < ARRAY_SIZE(flags); i++)
		expect_eq(map(page, mfn_pte(mfn, PTE_KERNEL), flags[i]), 0);
	page_free(page);
}

static void test_bits(void)
{
	void *page = page_alloc();
	u64 mfn = va_mfn(page), pte;

	test_begin("bits of the entry");
	expect_eq(map(page, mfn_pte(mfn, PTE_P | PTE_RW | PTE_SW0 | PTE_NX), UVMF_INVLPG), 0);
	pte = *pte_find(page);
	expect(pte & PTE_SW0);
	expect(pte & PTE_NX);
	expect(!(pte & (PTE_A | PTE_D)));
	WRITE_ONCE(*(u64 *)page, 1);
	expect((*pte_find(page) & (PTE_A | PTE_D)) == (PTE_A | PTE_D));
	/* An entry that is not present may hold anything. */
	expect_eq(map(page, 0x123456789000UL, UVMF_INVLPG), 0);
	expect_eq(*pte_find(page), 0x123456789000UL);
	expect_eq(map(page, mfn_pte(mfn, PTE_KERNEL), UVMF_INVLPG), 0);
	page_free(page);
}

static void test_refused(void)
{
	void *page = page_alloc(), *table = page_alloc();
	u64 mfn = va_mfn(page), before = *pte_find(page);

	test_begin("refused");
	/* A page table, writable. */
	require(table_pin(table, 1));
	expect(map(page, mfn_pte(va_mfn(table), PTE_KERNEL), UVMF_INVLPG) < 0);
	expect_eq(*pte_find(page), before);
	expect_eq(map(page, mfn_pte(va_mfn(table), PTE_READONLY), UVMF_INVLPG), 0);
	expect_eq(map(page, mfn_pte(mfn, PTE_KERNEL), UVMF_INVLPG), 0);
	expect(map(table, mfn_pte(va_mfn(table), PTE_KERNEL), UVMF_INVLPG) < 0);
	require(table_unpin(table));
	/* The kernel's own top-level table. */
	expect(map(page, mfn_pte(va_mfn(kernel_root()), PTE_KERNEL), UVMF_INVLPG) < 0);
	/* A frame that does not exist, and (as the M2P table itself) one of the hypervisor's. */
	expect(map(page, mfn_pte(0xffffffffUL, PTE_KERNEL), UVMF_INVLPG) < 0);
	/* Addresses without a table, in the hypervisor's area, and not canonical. */
	expect(map((void *)0x123456000UL, mfn_pte(mfn, PTE_KERNEL), UVMF_INVLPG) < 0);
	expect(map((void *)HYPERVISOR_VIRT_START, mfn_pte(mfn, PTE_KERNEL), UVMF_INVLPG) < 0);
	expect(map((void *)0x800000000000UL, mfn_pte(mfn, PTE_KERNEL), UVMF_INVLPG) < 0);
	expect_eq(pte_mfn(*pte_find(page)), mfn);
	WRITE_ONCE(*(u64 *)page, 5);
	page_free(page);
	page_free(table);
}

static void test_otherdomain(void)
{
	void *page = page_alloc();
	u64 pte = mfn_pte(va_mfn(page), PTE_KERNEL);

	test_begin("update_va_mapping_otherdomain");
	expect_eq(HYPERCALL4(update_va_mapping_otherdomain, page, pte, UVMF_INVLPG, DOMID_SELF), 0);
	expect(HYPERCALL4(update_va_mapping_otherdomain, page, pte, UVMF_INVLPG, 0x7e00) < 0);
	page_free(page);
}

void guest_main(void)
{
	test_remap();
	test_flush_kinds();
	test_bits();
	test_refused();
	test_otherdomain();
}
