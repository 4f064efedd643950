/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables that contain tables of their own level, to any depth: refused, or bounded and never writable. */
#include <guest/guest.h>

#define DEPTH 40

static u64 *chain[DEPTH];

static void test_self(void)
{
	unsigned int level;

	test_begin("a table that contains itself");
	for (level = 2; level <= 4; level++) {
		u64 *t = page_alloc();

		t[300] = mfn_pte(va_mfn(t), PTE_TABLE);
		expect_msg(table_pin(t, level) < 0, "level %u, writable", level);
		t[300] = mfn_pte(va_mfn(t), PTE_P | PTE_US | PTE_A);
		if (table_pin(t, level) == 0) {
			expect(mmu_update_one(entry_maddr(t + 300), mfn_pte(va_mfn(t), PTE_TABLE)) < 0);
			expect_eq(mmu_update_one(entry_maddr(t + 300), 0), 0);
			expect_eq(table_unpin(t), 0);
		}
		memset(t, 0, PAGE_SIZE);
		/* As an L1 it may show itself, read-only. */
		expect_eq(table_pin(t, 1), 0);
		expect_eq(table_unpin(t), 0);
		page_free(t);
	}
}

/* Each contains the one before it as if that were of the level below. */
static void test_chain(void)
{
	unsigned int level, i, made;

	test_begin("a chain of tables of one level");
	for (i = 0; i < DEPTH; i++)
		chain[i] = page_alloc();
	for (level = 2; level <= 4; level++) {
		for (made = 0; made < DEPTH; made++) {
			memset(chain[made], 0, PAGE_SIZE);
			if (made)
				chain[made][300] = mfn_pte(va_mfn(chain[made - 1]), PTE_P | PTE_US | PTE_A);
			if (table_pin(chain[made], level) < 0)
				break;
		}
		expect_msg(made < DEPTH && made >= 1, "level %u: a chain of %u", level, made);
		for (i = made; i-- > 0;) {
			if (i)
				expect_eq(mmu_update_one(entry_maddr(chain[i] + 300), 0), 0);
			expect_eq(table_unpin(chain[i]), 0);
		}
	}
	for (i = 0; i < DEPTH; i++)
		memset(chain[i], 0, PAGE_SIZE);
}

/* A ring: a has b, b gets a. */
static void test_ring(void)
{
	unsigned int level;

	test_begin("a ring of two");
	for (level = 2; level <= 4; level++) {
		u64 *a = chain[0], *b = chain[1];

		expect_eq(table_pin(a, level), 0);
		expect_eq(table_pin(b, level), 0);
		if (mmu_update_one(entry_maddr(a + 300), mfn_pte(va_mfn(b), PTE_P | PTE_US)) == 0) {
			expect_msg(mmu_update_one(entry_maddr(b + 300), mfn_pte(va_mfn(a), PTE_P | PTE_US)) < 0, "level %u", level);
			expect_eq(mmu_update_one(entry_maddr(a + 300), 0), 0);
		}
		expect_eq(table_unpin(a), 0);
		expect_eq(table_unpin(b), 0);
		memset(a, 0, PAGE_SIZE);
		memset(b, 0, PAGE_SIZE);
	}
}

void guest_main(void)
{
	test_self();
	test_chain();
	test_ring();
}
