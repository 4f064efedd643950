/* SPDX-License-Identifier: BSD-2-Clause */
/* Pinning and the other operations of mmuext_op: validation of whole tables, types, base pointers, page helpers. */
#include <guest/guest.h>

static void test_l1(void)
{
	u64 *table = page_alloc(), *page = page_alloc();

	test_begin("pin an L1");
	table[0] = mfn_pte(va_mfn(page), PTE_KERNEL);
	table[5] = 0x1000; /* not present */
	expect(mmuext_mfn(MMUEXT_PIN_L1_TABLE, va_mfn(table)) < 0); /* still writable */
	expect_eq(table_pin(table, 1), 0);
	expect(mmuext_mfn(MMUEXT_PIN_L1_TABLE, va_mfn(table)) < 0); /* is pinned */
	expect(mmuext_mfn(MMUEXT_PIN_L2_TABLE, va_mfn(table)) < 0);
	expect(page_protect(table, true) < 0);
	/* It is a page table now: entries change by request only. */
	expect_eq(mmu_update_one(entry_maddr(table + 1), mfn_pte(va_mfn(page), PTE_READONLY)), 0);
	expect_eq(pte_mfn(table[1]), va_mfn(page));
	expect_eq(table_unpin(table), 0);
	expect(mmuext_mfn(MMUEXT_UNPIN_TABLE, va_mfn(table)) < 0); /* is not pinned */
	table[0] = 1;
	page_free(table);
	page_free(page);
}

static void test_invalid(void)
{
	u64 *table = page_alloc();

	test_begin("tables that are not valid");
	table[7] = mfn_pte(va_mfn(kernel_root()), PTE_KERNEL); /* a page table, writable */
	expect(table_pin(table, 1) < 0);
	table[7] = mfn_pte(0xffffffffUL, PTE_KERNEL); /* no such frame */
	expect(table_pin(table, 1) < 0);
	table[7] = mfn_pte(va_mfn(table), PTE_KERNEL); /* itself, writable */
	expect(table_pin(table, 1) < 0);
	table[7] = mfn_pte(va_mfn(table), PTE_READONLY); /* itself, read-only: allowed */
	expect_eq(table_pin(table, 1), 0);
	expect_eq(table_unpin(table), 0);
	table[7] = mfn_pte(va_mfn(table), PTE_TABLE);
	expect(table_pin(table, 2) < 0);
	table[7] = 0;
	table[8] = 1UL << 51 | PTE_P; /* reserved address bits */
	expect(table_pin(table, 1) < 0);
	table[8] = 0;
	expect_eq(table_pin(table, 1), 0);
	expect_eq(table_unpin(table), 0);
	page_free(table);
}

/* A second address space: the kernel's top-level entries in a new L4, which the vCPU then runs on. */
static void test_base_pointer(void)
{
	u64 *root = page_alloc(), *page = page_alloc();
	u64 va = 0x20000000000UL, old = va_mfn(kernel_root());

	test_begin("another address space");
	memcpy(root, kernel_root(), PAGE_SIZE);
	memset(root + 256, 0, 16 * sizeof(*root)); /* the hypervisor's */
	expect_eq(table_pin(root, 4), 0);
	*page = 0x4242;
	expect_eq(root_map(root, va, mfn_pte(va_mfn(page), PTE_KERNEL)), 0);
	expect_eq(mmuext_mfn(MMUEXT_NEW_BASEPTR, va_mfn(root)), 0);
	expect_eq(READ_ONCE(*(u64 *)va), 0x4242);
	expect_eq(READ_ONCE(*(u64 *)MACH2PHYS_VIRT_START), machine_to_phys_mapping[0]);
	/* In use: it cannot go away. */
	expect_eq(mmuext_mfn(MMUEXT_UNPIN_TABLE, va_mfn(root)), 0);
	expect(page_protect(root, true) < 0);
	expect_eq(mmuext_mfn(MMUEXT_PIN_L4_TABLE, va_mfn(root)), 0);
	expect_eq(mmuext_mfn(MMUEXT_NEW_BASEPTR, old), 0);
	expect(pte_find((void *)va) == NULL);
	expect_eq(table_unpin(root), 0);
	expect(mmuext_mfn(MMUEXT_NEW_BASEPTR, va_mfn(page)) < 0);
	page_free(root);
}

static void test_pages(void)
{
	u64 *a = page_alloc(), *b = page_alloc();
	struct mmuext_op op = { .cmd = MMUEXT_COPY_PAGE, .arg1.mfn = va_mfn(b), .arg2.src_mfn = va_mfn(a) };

	test_begin("clear and copy a page");
	memset(a, 0x5a, PAGE_SIZE);
	expect_eq(HYPERVISOR_mmuext_op(&op, 1, NULL, DOMID_SELF), 0);
	expect_eq(memcmp(a, b, PAGE_SIZE), 0);
	expect_eq(mmuext_mfn(MMUEXT_CLEAR_PAGE, va_mfn(a)), 0);
	expect_eq(a[0] | a[511], 0);
	expect(mmuext_mfn(MMUEXT_CLEAR_PAGE, va_mfn(kernel_root())) < 0);
	page_free(a);
	page_free(b);
}

static void test_flushes(void)
{
	static u64 cpus = 1;
	struct mmuext_op ops[4] = {
		{ .cmd = MMUEXT_TLB_FLUSH_LOCAL },
		{ .cmd = MMUEXT_INVLPG_ALL, .arg1.linear_addr = VIRT_BASE },
		{ .cmd = 99 },
		{ .cmd = MMUEXT_TLB_FLUSH_ALL },
	};
	unsigned int done = 0;

	test_begin("flushes and batches");
	expect_eq(mmuext_addr(MMUEXT_TLB_FLUSH_LOCAL, NULL), 0);
	expect_eq(mmuext_addr(MMUEXT_TLB_FLUSH_ALL, NULL), 0);
	expect_eq(mmuext_addr(MMUEXT_INVLPG_LOCAL, (void *)VIRT_BASE), 0);
	expect(HYPERVISOR_mmuext_op(ops, 4, &done, DOMID_SELF) < 0);
	expect_eq(done, 2);
	ops[2].cmd = MMUEXT_INVLPG_MULTI;
	ops[2].arg1.linear_addr = VIRT_BASE;
	set_xen_guest_handle(ops[2].arg2.vcpumask, &cpus);
	expect_eq(HYPERVISOR_mmuext_op(ops, 4, &done, DOMID_SELF), 0);
	expect_eq(done, 4);
}

void guest_main(void)
{
	test_l1();
	test_invalid();
	test_base_pointer();
	test_pages();
	test_flushes();
}
