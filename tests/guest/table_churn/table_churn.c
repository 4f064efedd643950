/* SPDX-License-Identifier: BSD-2-Clause */
/* Whole address spaces made, used and taken apart, as a kernel does for each process: no page stays behind. */
#include <guest/guest.h>

#define TREES 30

static u64 *page, *root, *l3, *l2, *l1[8];

static void tables_protect(bool writable)
{
	unsigned int i;

	expect_eq(page_protect(root, writable), 0);
	expect_eq(page_protect(l3, writable), 0);
	expect_eq(page_protect(l2, writable), 0);
	for (i = 0; i < ARRAY_SIZE(l1); i++)
		expect_eq(page_protect(l1[i], writable), 0);
}

static void tree_fill(void)
{
	unsigned int i, k;

	memcpy(root, kernel_root(), PAGE_SIZE);
	memset(root + 256, 0, 16 * sizeof(*root));
	root[5] = mfn_pte(va_mfn(l3), PTE_TABLE);
	l3[0] = mfn_pte(va_mfn(l2), PTE_TABLE);
	for (i = 0; i < ARRAY_SIZE(l1); i++) {
		l2[i] = mfn_pte(va_mfn(l1[i]), PTE_TABLE);
		for (k = 0; k < 512; k++)
			l1[i][k] = mfn_pte(va_mfn(page), k % 2 ? PTE_KERNEL : PTE_READONLY);
	}
}

static void test_trees(void)
{
	u64 va = 5UL << 39, old = va_mfn(kernel_root());
	unsigned int n;

	test_begin("address spaces");
	for (n = 0; n < TREES; n++) {
		tree_fill();
		tables_protect(false);
		if (!expect_eq(mmuext_mfn(MMUEXT_PIN_L4_TABLE, va_mfn(root)), 0))
			return;
		expect_eq(mmuext_mfn(MMUEXT_NEW_BASEPTR, va_mfn(root)), 0);
		WRITE_ONCE(*page, n);
		expect_eq(READ_ONCE(*(u64 *)(va + 4096)), n);
		WRITE_ONCE(*(u64 *)(va + (2UL << 20) + 4096), n + 1);
		expect_eq(*page, n + 1);
		/* Left in the middle of its use: it lives on until the vCPU has another. */
		expect_eq(mmuext_mfn(MMUEXT_UNPIN_TABLE, va_mfn(root)), 0);
		expect_eq(READ_ONCE(*(u64 *)(va + 8192)), n + 1);
		expect(page_protect(l1[0], true) < 0);
		expect_eq(mmuext_mfn(MMUEXT_NEW_BASEPTR, old), 0);
		tables_protect(true);
	}
	/* No reference is left, neither to the page nor to the tables: they may be anything. */
	memset(page, 0, PAGE_SIZE);
	expect_eq(table_pin(page, 4), 0);
	expect_eq(table_unpin(page), 0);
}

/* A tree that turns out to be bad in its last entry is undone as a whole. */
static void test_bad_tree(void)
{
	unsigned int n;

	test_begin("bad in the last entry");
	for (n = 0; n < TREES; n++) {
		tree_fill();
		l1[ARRAY_SIZE(l1) - 1][511] = mfn_pte(va_mfn(kernel_root()), PTE_KERNEL);
		tables_protect(false);
		expect(mmuext_mfn(MMUEXT_PIN_L4_TABLE, va_mfn(root)) < 0);
		if (page_protect(l2, true) == -XEN_EBUSY) {
			test_skip("tables of a tree that failed stay busy");
			return;
		}
		tables_protect(true);
	}
	memset(page, 0, PAGE_SIZE);
	expect_eq(table_pin(page, 1), 0);
	expect_eq(table_unpin(page), 0);
}

void guest_main(void)
{
	unsigned int i;

	page = page_alloc();
	root = page_alloc();
	l3 = page_alloc();
	l2 = page_alloc();
	for (i = 0; i < ARRAY_SIZE(l1); i++)
		l1[i] = page_alloc();
	test_trees();
	test_bad_tree();
}
