/* SPDX-License-Identifier: BSD-2-Clause */
/* The page-table engine, in the x86 format and in one that is laid out as EPT is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <hv/errno.h>
#include <hv/mm.h>
#include <hv/ptab.h>
#include <hv/string.h>
#include "../sim_mm/glue.h"

#define GIB (1UL << 30)
#define MIB (1UL << 20)

static u32 tables, tables_max;

static mfn_t table_alloc(void)
{
	struct frame *f = tables < tables_max ? frames_alloc(0, ALLOC_ZERO) : NULL;

	if (!f)
		return INVALID_MFN;
	tables++;
	return frame_mfn(f);
}

static struct ptab ptab_new(const struct ptab_format *format, u8 levels, u8 leaf_levels)
{
	return (struct ptab){ .format = format, .alloc = table_alloc, .root = INVALID_MFN, .levels = levels, .leaf_levels = leaf_levels };
}

static int start(void **state)
{
	(void)state;
	glue_nodes = 1;
	sim_start(1);
	tables = 0;
	tables_max = 10000;
	return 0;
}

static int stop(void **state)
{
	(void)state;
	glue_frames_kept = tables;
	sim_stop();
	return 0;
}

/* What a processor finds for va; and that every level above allows it. */
static u64 translate(struct ptab *pt, u64 va, unsigned int *level, u64 *attributes)
{
	u64 entry = ptab_lookup(pt, va, level);
	u64 size = ptab_level_size(*level);

	*attributes = entry & ~(pt->format->address & ~(size - 1));
	return entry ? (entry & pt->format->address & ~(size - 1)) + (va & (size - 1)) : ~0UL;
}

#define assert_maps(pt, va, pa, lvl, attr) \
	do { \
		unsigned int level_; \
		u64 attributes_; \
		assert_int_equal(translate((pt), (va), &level_, &attributes_), (pa)); \
		assert_int_equal(level_, (lvl)); \
		assert_int_equal(attributes_, (attr)); \
	} while (0)

static bool mapped(struct ptab *pt, u64 va)
{
	unsigned int level;

	return ptab_lookup(pt, va, &level) != 0;
}

#define X86_RW 0x8000000000000063UL
#define X86_RO 0x8000000000000061UL
#define PS 0x80UL

static void test_sizes(void **state)
{
	struct ptab pt = ptab_new(&ptab_x86, 4, 3);
	u64 va = DIRECT_MAP_START;

	(void)state;
	assert_false(mapped(&pt, va));
	assert_int_equal(ptab_map(&pt, va, paddr(0), 5 * GIB + 6 * MIB + 3 * PAGE_SIZE, PTAB_READ | PTAB_WRITE, CACHE_WB), 0);
	/* Root, one level 3, one level 2, one level 1. */
	assert_int_equal(tables, 4);
	assert_maps(&pt, va + 123456, 123456, 3, X86_RW | PS);
	assert_maps(&pt, va + 5 * GIB + 4 * MIB + 5, 5 * GIB + 4 * MIB + 5, 2, X86_RW | PS);
	assert_maps(&pt, va + 5 * GIB + 6 * MIB + 2 * PAGE_SIZE, 5 * GIB + 6 * MIB + 2 * PAGE_SIZE, 1, X86_RW);
	assert_false(mapped(&pt, va + 5 * GIB + 6 * MIB + 3 * PAGE_SIZE));
	assert_false(mapped(&pt, va + 512 * GIB));
	/* Addresses that do not suit large pages, and a machine without 1 GiB pages. */
	assert_int_equal(ptab_map(&pt, IOREMAP_START, paddr(PAGE_SIZE), 4 * MIB, PTAB_READ, CACHE_UC), 0);
	assert_maps(&pt, IOREMAP_START + 2 * MIB, 2 * MIB + PAGE_SIZE, 1, X86_RO | 0x18);
	pt = ptab_new(&ptab_x86, 4, 2);
	assert_int_equal(ptab_map(&pt, va, paddr(GIB), GIB, PTAB_READ | PTAB_EXEC | PTAB_USER | PTAB_GLOBAL, CACHE_WC), 0);
	assert_maps(&pt, va + 3 * MIB, GIB + 3 * MIB, 2, 0x1165 | PS);
}

/* Splitting keeps what it does not change, memory type and rights included. */
static void test_split(void **state)
{
	struct ptab pt = ptab_new(&ptab_x86, 4, 3);
	u64 va = DIRECT_MAP_START;

	(void)state;
	assert_int_equal(ptab_map(&pt, va, paddr(2 * GIB), GIB, PTAB_READ | PTAB_WRITE | PTAB_GLOBAL, CACHE_WP), 0);
	assert_maps(&pt, va, 2 * GIB, 3, X86_RW | 0x1108 | PS);
	assert_int_equal(ptab_map(&pt, va + 7 * PAGE_SIZE, paddr(0), PAGE_SIZE, PTAB_READ, CACHE_WB), 0);
	assert_maps(&pt, va + 7 * PAGE_SIZE, 0, 1, X86_RO);
	assert_maps(&pt, va + 8 * PAGE_SIZE + 1, 2 * GIB + 8 * PAGE_SIZE + 1, 1, X86_RW | 0x188);
	assert_maps(&pt, va + 6 * PAGE_SIZE, 2 * GIB + 6 * PAGE_SIZE, 1, X86_RW | 0x188);
	assert_maps(&pt, va + 2 * MIB, 2 * GIB + 2 * MIB, 2, X86_RW | 0x1108 | PS);
	assert_maps(&pt, va + GIB - 1, 3 * GIB - 1, 2, X86_RW | 0x1108 | PS);
	/* A larger mapping over tables uses them. */
	assert_int_equal(ptab_map(&pt, va, paddr(GIB), GIB, PTAB_READ, CACHE_WB), 0);
	assert_maps(&pt, va + 7 * PAGE_SIZE, GIB + 7 * PAGE_SIZE, 1, X86_RO);
	assert_maps(&pt, va + 2 * MIB, GIB + 2 * MIB, 2, X86_RO | PS);
}

static void test_unmap(void **state)
{
	struct ptab pt = ptab_new(&ptab_x86, 4, 3);
	u64 va = DIRECT_MAP_START;

	(void)state;
	assert_int_equal(ptab_unmap(&pt, va, GIB), 0);
	assert_int_equal(ptab_map(&pt, va, paddr(0), 3 * GIB, PTAB_READ, CACHE_WB), 0);
	assert_int_equal(ptab_unmap(&pt, va + GIB - 2 * MIB - PAGE_SIZE, GIB + 2 * PAGE_SIZE), 0);
	assert_true(mapped(&pt, va + GIB - 2 * MIB - PAGE_SIZE - 1));
	for (u64 a = GIB - 2 * MIB - PAGE_SIZE; a < 2 * GIB - 2 * MIB + PAGE_SIZE; a += PAGE_SIZE)
		assert_false(mapped(&pt, va + a));
	assert_maps(&pt, va + 2 * GIB - 2 * MIB + PAGE_SIZE, 2 * GIB - 2 * MIB + PAGE_SIZE, 1, X86_RO);
	assert_maps(&pt, va + 2 * GIB, 2 * GIB, 3, X86_RO | PS);
	assert_int_equal(ptab_unmap(&pt, 0, 1UL << 47), 0);
	assert_int_equal(ptab_unmap(&pt, 0xffff800000000000UL, 1UL << 47), 0);
	assert_false(mapped(&pt, va));
	assert_false(mapped(&pt, va + 2 * GIB));
}

static void test_entry(void **state)
{
	struct ptab pt = ptab_new(&ptab_x86, 4, 3);
	u64 *e = ptab_entry(&pt, WINDOWS_START + 5 * PAGE_SIZE);

	(void)state;
	assert_non_null(e);
	assert_int_equal(*e, 0);
	*e = 0x1234063;
	assert_maps(&pt, WINDOWS_START + 5 * PAGE_SIZE + 9, 0x1234009, 1, 0x63);
	assert_ptr_equal(ptab_entry(&pt, WINDOWS_START + 6 * PAGE_SIZE), e + 1);
}

static void test_out_of_memory(void **state)
{
	(void)state;
	for (tables_max = 0; tables_max < 4; tables_max++) {
		struct ptab pt = ptab_new(&ptab_x86, 4, 3);
		u32 before = tables;

		tables_max += before;
		assert_int_equal(ptab_map(&pt, DIRECT_MAP_START, paddr(0), PAGE_SIZE, PTAB_READ, CACHE_WB), -ENOMEM);
		assert_null(ptab_entry(&pt, DIRECT_MAP_START));
		assert_false(mapped(&pt, DIRECT_MAP_START));
		tables_max -= before;
	}
	tables_max = 10000;
}

/* Rights are bits to grant, an entry with none is absent, the memory type lies in the leaf, five levels. */
static const struct ptab_format ept = {
	.present = 7, .address = 0xffffffffff000UL, .leaf_mask = 0x80, .leaf_value = 0x80,
	.table = { 0, 0, 7, 7, 7, 7 },
	.leaf = { 0, 0, 0x80, 0x80, 0, 0 },
	.with = { 1, 2, 4, 0, 0 },
	.cache = { 6 << 3, 4 << 3, 0, 0, 1 << 3, 5 << 3 },
	.cache_large = { 6 << 3, 4 << 3, 0, 0, 1 << 3, 5 << 3 },
};

static void test_other_format(void **state)
{
	struct ptab pt = ptab_new(&ept, 5, 3);

	(void)state;
	assert_int_equal(ptab_map(&pt, 1UL << 50, paddr(0), 2 * GIB, PTAB_READ | PTAB_EXEC, CACHE_WB), 0);
	assert_int_equal(tables, 3);
	assert_maps(&pt, (1UL << 50) + 77, 77, 3, 0xb5);
	assert_int_equal(ptab_unmap(&pt, 1UL << 50, PAGE_SIZE), 0);
	assert_false(mapped(&pt, 1UL << 50));
	assert_maps(&pt, (1UL << 50) + PAGE_SIZE, PAGE_SIZE, 1, 0x35);
	assert_maps(&pt, (1UL << 50) + 2 * MIB, 2 * MIB, 2, 0xb5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sizes, start, stop),
		cmocka_unit_test_setup_teardown(test_split, start, stop),
		cmocka_unit_test_setup_teardown(test_unmap, start, stop),
		cmocka_unit_test_setup_teardown(test_entry, start, stop),
		cmocka_unit_test_setup_teardown(test_out_of_memory, start, stop),
		cmocka_unit_test_setup_teardown(test_other_format, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
