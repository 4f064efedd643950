/* SPDX-License-Identifier: BSD-2-Clause */
/* Grant mappings in page tables: as the grant layer calls for them. */
#include "fixture.h"
#include <hv/grant.h>
#include <xen/grant_table.h>

static struct frame *granted;
static u32 page;	/* of control: what is granted to d */

/* The grant layer's own references. */
static void holders(void)
{
	sim_hold(frame_mfn(granted), true);
}

static int start_grant(void **state)
{
	start(state);
	page = sim_alloc_page(control);
	granted = frame_of(sim_mfn(control, page));
	assert_true(frame_get_writable(c, granted, control));
	sim_holders = holders;
	return 0;
}

static int stop_grant(void **state)
{
	frame_put_writable(granted);
	sim_holders = NULL;
	return stop(state);
}

static int map(u64 where, u32 flags)
{
	return pv_grant_host_ops.map(v, where, frame_mfn(granted), flags | GNTMAP_host_map);
}

static int unmap(u64 where, u64 other, u32 flags)
{
	return pv_grant_host_ops.unmap(v, where, other, frame_mfn(granted), flags | GNTMAP_host_map);
}

static void test_map(void **state)
{
	u32 at = sim_alloc_page(d), old = frame_type_count(frame_at(at));
	u64 gm = sim_mfn(control, page).v << PAGE_SHIFT, word;

	(void)state;
	/* What was there is dropped. */
	assert_int_equal(map(sim_va(at), 0), GNTST_okay);
	assert_int_equal(*entry_of(d, at), gm | RW);
	assert_int_equal(frame_type_count(frame_at(at)), old - 1);
	assert_int_equal(frame_type_count(granted), 3);
	assert_true(granted->type & FRAME_TYPE_FOREIGN);
	sim_check();
	tlb_flush_local();
	assert_true(sim_store(v, sim_va(at), 99));
	assert_true(sim_load(c, sim_va(page), &word));
	assert_int_equal(word, 99);
	assert_int_equal(unmap(sim_va(at), 0, 0), GNTST_okay);
	assert_int_equal(*entry_of(d, at), 0);
	assert_int_equal(frame_type_count(granted), 2);
	assert_int_equal(unmap(sim_va(at), 0, 0), GNTST_general_error);
	/* Read-only; by the entry's address; software bits. */
	assert_int_equal(map(entry_address(d, at), GNTMAP_contains_pte | GNTMAP_readonly | 5 << _GNTMAP_guest_avail0), GNTST_okay);
	assert_int_equal(*entry_of(d, at), gm | RO | 5 << 9);
	assert_int_equal(granted->refs & FRAME_REFS, 3);
	assert_int_equal(unmap(entry_address(d, at), 0, GNTMAP_contains_pte | GNTMAP_readonly), GNTST_okay);
	assert_int_equal(map(sim_va(at), GNTMAP_guest_avail_mask), GNTST_okay);
	assert_int_equal(*entry_of(d, at), gm | RW | 0xe00 | 0x7ffUL << 52);
	/* The guest overwrites it by other means: the entry's references go, the grant layer's stay. */
	assert_int_equal(update(v, entry_address(d, at), 0), 0);
	assert_int_equal(frame_type_count(granted), 2);
	assert_int_equal(unmap(sim_va(at), 0, 0), GNTST_general_error);
	sim_check();
}

static void test_map_refused(void **state)
{
	u32 at = sim_alloc_page(d);
	u64 before = *entry_of(d, at);

	(void)state;
	assert_int_equal(map(HV_VIRT_START, 0), GNTST_bad_virt_addr);
	assert_int_equal(map(0x1000, 0), GNTST_bad_virt_addr);
	assert_int_equal(map(sim_va(0) + (1UL << 30), 0), GNTST_bad_virt_addr);
	assert_int_equal(map(entry_address(d, at) + 4, GNTMAP_contains_pte), GNTST_bad_virt_addr);
	assert_int_equal(map((u64)SIM_FRAMES << PAGE_SHIFT, GNTMAP_contains_pte), GNTST_bad_virt_addr);
	assert_int_equal(map(entry_address(control, 3), GNTMAP_contains_pte), GNTST_bad_virt_addr);
	assert_int_equal(map(mfn_of(at) << PAGE_SHIFT, GNTMAP_contains_pte), GNTST_bad_virt_addr);
	assert_int_equal(map(mfn_of(sim_table(d, 2, 0)) << PAGE_SHIFT, GNTMAP_contains_pte | GNTMAP_readonly), GNTST_bad_virt_addr);
	assert_int_equal(unmap(0x1000, 0, 0), GNTST_general_error);
	assert_int_equal(unmap(sim_va(at), 0, 0), GNTST_general_error);
	assert_int_equal(unmap(entry_address(control, 3), 0, GNTMAP_contains_pte), GNTST_general_error);
	assert_int_equal(unmap(entry_address(d, at) + 1, 0, GNTMAP_contains_pte), GNTST_general_error);
	assert_int_equal(*entry_of(d, at), before);
	assert_int_equal(frame_type_count(granted), 2);
}

static void test_replace(void **state)
{
	u32 at = sim_alloc_page(d), spare = sim_alloc_page(d), l1;
	u64 was = *entry_of(d, spare);

	(void)state;
	assert_int_equal(map(sim_va(at), 0), GNTST_okay);
	/* The entry moves with what it holds. */
	assert_int_equal(unmap(sim_va(at), sim_va(at), 0), GNTST_general_error);
	assert_int_equal(unmap(sim_va(at), 0x1000, 0), GNTST_bad_virt_addr);
	assert_int_equal(unmap(sim_va(at), HV_VIRT_START, 0), GNTST_bad_virt_addr);
	assert_int_equal(frame_type_count(granted), 3);
	assert_int_equal(unmap(sim_va(at), sim_va(spare), 0), GNTST_okay);
	assert_int_equal(*entry_of(d, at), was);
	assert_int_equal(*entry_of(d, spare), 0);
	assert_int_equal(frame_type_count(granted), 2);
	assert_int_equal(frame_type_count(frame_at(spare)), 1);
	sim_check();
	/* From another table; and nothing is an entry too. */
	l1 = table_page((s64[]){ 0, (s64)was, -1 });
	assert_int_equal(update(v, (mfn_of(sim_table(d, 2, 0)) << PAGE_SHIFT) + 8, entry(d, l1, RW)), 0);
	assert_int_equal(map(sim_va(at), 0), GNTST_okay);
	assert_int_equal(unmap(sim_va(at), sim_va(512), 0), GNTST_okay);
	assert_int_equal(*entry_of(d, at), was);
	assert_int_equal(map(sim_va(at), 0), GNTST_okay);
	assert_int_equal(unmap(sim_va(at), sim_va(512), 0), GNTST_okay);
	assert_int_equal(*entry_of(d, at), 0);
	/* What does not map the frame is left alone, and so is the other. */
	assert_int_equal(va_set(v, spare, was, 0), 0);
	assert_int_equal(unmap(sim_va(at), sim_va(spare), 0), GNTST_general_error);
	assert_int_equal(*entry_of(d, spare), was);
	sim_check();
}

/* A table with a granted page is taken out of use: its references go with it, and it cannot come back as it is. */
static void test_table_goes(void **state)
{
	u32 l1 = table_page((s64[]){ -1 });
	u64 p = mfn_of(l1) << PAGE_SHIFT;

	(void)state;
	assert_int_equal(ext(v, MMUEXT_PIN_L1_TABLE, mfn_of(l1), 0), 0);
	assert_int_equal(map(p + 8, GNTMAP_contains_pte), GNTST_okay);
	assert_int_equal(map(p + 16, GNTMAP_contains_pte | GNTMAP_readonly), GNTST_okay);
	assert_int_equal(frame_type_count(granted), 3);
	assert_int_equal(ext(v, MMUEXT_UNPIN_TABLE, mfn_of(l1), 0), 0);
	assert_int_equal(frame_type_count(granted), 2);
	assert_int_equal(unmap(p + 8, 0, GNTMAP_contains_pte), GNTST_general_error);
	assert_int_equal(ext(v, MMUEXT_PIN_L1_TABLE, mfn_of(l1), 0), -EINVAL);
	sim_check();
}

/* An entry's address may name any frame: none but a table of the guest's is so much as touched. */
static void test_pte_of_others(void **state)
{
	struct frame *block = frames_alloc(3, 0);
	u64 m = frame_mfn(block).v, where[] = { m, m + 1, SIM_HOLE_FIRST + 3, 0, frame_limit - 1, frame_limit, 1UL << 40 };
	struct frame before = { 0 };

	(void)state;
	frames_free(block, 3);
	for (u32 i = 0; i < ARRAY_SIZE(where); i++) {
		u64 at = where[i] << PAGE_SHIFT | 0x40;

		if (where[i] < frame_limit)
			before = *frame_of(mfn(where[i]));
		assert_int_equal(pv_grant_host_ops.map(v, at, frame_mfn(granted), GNTMAP_host_map | GNTMAP_contains_pte), GNTST_bad_virt_addr);
		assert_int_equal(pv_grant_host_ops.unmap(v, at, 0, frame_mfn(granted), GNTMAP_host_map | GNTMAP_contains_pte),
				 GNTST_general_error);
		if (where[i] < frame_limit)
			assert_memory_equal(&before, frame_of(mfn(where[i])), sizeof(before));
	}
}

int grant_tests(void)
{
	const struct CMUnitTest tests[] = {
#define GRANT(name) cmocka_unit_test_setup_teardown(name, start_grant, stop_grant)
		GRANT(test_pte_of_others),
		GRANT(test_map), GRANT(test_map_refused), GRANT(test_replace), GRANT(test_table_goes),
	};

	return cmocka_run_group_tests_name("grants", tests, NULL, NULL);
}
