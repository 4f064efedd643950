/* SPDX-License-Identifier: BSD-2-Clause */
/* The frame allocator, page offlining, claims. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <hv/acpi.h>
#include <hv/errno.h>
#include <hv/string.h>
#include <hv/tlb.h>
#include <xen/sysctl.h>
#include "../sim_mm/glue.h"

static int start(void **state)
{
	(void)state;
	glue_nodes = 1;
	glue_frames_kept = 0;
	sim_start(2);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	sim_stop();
	return 0;
}

static void fill(struct frame *f, unsigned int order, u8 with)
{
	memset(mfn_virt(frame_mfn(f)), with, PAGE_SIZE << order);
}

static bool filled(struct frame *f, unsigned int order, u8 with)
{
	const u8 *p = mfn_virt(frame_mfn(f));

	for (u64 i = 0; i < PAGE_SIZE << order; i++)
		if (p[i] != with)
			return false;
	return true;
}

static void test_all_orders(void **state)
{
	u64 free = heap_free_frames();

	(void)state;
	assert_int_equal(free, heap_total_frames());
	for (unsigned int order = 0; order <= 13; order++) {
		struct frame *f = frames_alloc(order, ALLOC_ZERO);

		if (order == 13) {
			/* 64 MiB with a hole: 32 MiB in a row are there once. */
			assert_non_null(f);
			assert_null(frames_alloc(order, 0));
		}
		assert_non_null(f);
		assert_int_equal(frame_mfn(f).v & ((1u << order) - 1), 0);
		assert_int_equal(heap_free_frames(), free - (1u << order));
		assert_true(filled(f, order, 0));
		fill(f, order, 0xa5);
		glue_heap_check();
		frames_free(f, order);
		glue_heap_check();
	}
	assert_null(frames_alloc(14, 0));
	assert_null(frames_alloc(FRAME_ORDER_MAX + 1, 0));
	assert_int_equal(heap_free_frames(), free);
}

/* Takes everything as single frames, gives back in another order, and then has large blocks again. */
static void test_exhaust_and_merge(void **state)
{
	u64 count = heap_free_frames();
	struct frame **all = calloc(count, sizeof(*all));

	(void)state;
	for (u64 i = 0; i < count; i++) {
		all[i] = frames_alloc(0, 0);
		assert_non_null(all[i]);
	}
	assert_null(frames_alloc(0, 0));
	assert_int_equal(heap_free_frames(), 0);
	for (u64 i = 0; i < count; i++)
		frames_free(all[i * 7919 % count], 0);
	glue_heap_check();
	all[0] = frames_alloc(13, 0);
	assert_non_null(all[0]);
	frames_free(all[0], 13);
	free(all);
}

static void test_random(void **state)
{
	struct { struct frame *f; unsigned int order; u8 with; } live[300] = { 0 };
	u32 seed = 12345;

	(void)state;
	for (u32 step = 0; step < 30000; step++) {
		u32 i, flags;

		seed = seed * 1664525 + 1013904223;
		i = (seed >> 8) % 300;
		if (live[i].f) {
			if (live[i].order < 4)
				assert_true(filled(live[i].f, live[i].order, live[i].with));
			frames_free(live[i].f, live[i].order);
			live[i].f = NULL;
			continue;
		}
		live[i].order = (seed >> 20) % 8 ? (seed >> 20) % 3 : (seed >> 24) % 9;
		flags = (seed & 1 ? ALLOC_ZERO : 0) | (seed & 0x30 ? 0 : ALLOC_BITS(24 + (seed & 3)));
		live[i].f = frames_alloc(live[i].order, flags);
		if (!live[i].f)
			continue;
		if (flags & ALLOC_ZERO)
			assert_true(filled(live[i].f, live[i].order, 0));
		if (flags >> 24)
			assert_true(mfn_paddr(frame_mfn(live[i].f)).v + (PAGE_SIZE << live[i].order) <= 1UL << (flags >> 24));
		live[i].with = (u8)step;
		if (live[i].order < 4)
			fill(live[i].f, live[i].order, live[i].with);
		if (step % 500 == 0)
			glue_heap_check();
	}
	for (u32 i = 0; i < 300; i++)
		if (live[i].f)
			frames_free(live[i].f, live[i].order);
}

static void test_parts(void **state)
{
	struct frame *f = frames_alloc(4, 0);

	(void)state;
	assert_non_null(f);
	frames_free(f + 8, 3);
	frames_free(f + 1, 0);
	frames_free(f + 2, 1);
	glue_heap_check();
	frames_free(f, 0);
	frames_free(f + 4, 2);
}

static void test_address_bits(void **state)
{
	(void)state;
	/* Below 1 MiB there are 160 frames without frame 0, in every size up to 32. */
	for (u32 i = 0; i < 159; i++)
		assert_non_null(frames_alloc(0, ALLOC_BITS(20)));
	assert_null(frames_alloc(0, ALLOC_BITS(20)));
	assert_null(frames_alloc(0, ALLOC_BITS(12)));
	assert_null(frames_alloc(0, ALLOC_BITS(1)));
	/* Without a limit low memory is the last to go: the top of memory comes first. */
	assert_true(frame_mfn(frames_alloc(0, 0)).v >= SIM_FRAMES / 2);
	assert_true(frame_mfn(frames_alloc(0, ALLOC_DMA32)).v >= SIM_FRAMES / 2);
	glue_frames_kept = 161;
}

static int start_nodes(void **state)
{
	(void)state;
	glue_frames_kept = 0;
	glue_nodes = 4;
	sim_start(2);
	return 0;
}

static void test_nodes(void **state)
{
	struct frame *f[4];

	(void)state;
	for (u32 i = 0; i < 4; i++) {
		f[i] = frames_alloc(3, ALLOC_NODE(i));
		assert_int_equal(heap_node_of(frame_mfn(f[i])), i);
	}
	assert_int_equal(heap_free_frames_node(1), heap_total_frames_node(1) - 8);
	assert_int_equal(heap_free_frames_node(4), 0);
	/* Blocks do not reach over a border, and a full node is followed by its neighbours. */
	for (u32 i = 0; i < heap_total_frames_node(3) - 8; i++)
		assert_non_null(frames_alloc(0, ALLOC_NODE(3) | ALLOC_NODE_ONLY));
	assert_null(frames_alloc(0, ALLOC_NODE(3) | ALLOC_NODE_ONLY));
	assert_int_equal(heap_node_of(frame_mfn(frames_alloc(0, ALLOC_NODE(3)))), 2);
	assert_null(frames_alloc(0, ALLOC_NODE(4) | ALLOC_NODE_ONLY));
	assert_null(frames_alloc(13, 0));
	assert_non_null(frames_alloc(11, ALLOC_NODE(60)));
	glue_heap_check();
	glue_frames_kept = 4 * 8 + heap_total_frames_node(3) - 8 + 1 + 2048;
}

static void test_prepare(void **state)
{
	u32 steps = 0;
	struct frame *f = frames_alloc(13, 0), *g;
	int rc;

	(void)state;
	fill(f, 13, 0x55);
	frames_free(f, 13);
	assert_int_equal(heap_prepare(NULL, 4, 0), 0);
	while ((rc = heap_prepare(NULL, 10, 0)) == -ERESTART)
		steps++;
	assert_int_equal(rc, 0);
	assert_int_equal(steps, 1024 / HEAP_CLEAR_STEP - 1);
	glue_heap_check();
	/* Nothing is cleared twice: what was prepared is what we get. */
	g = frames_alloc(10, 0);
	assert_true(filled(g, 10, 0));
	frames_free(g, 10);
	assert_int_equal(heap_prepare(NULL, 14, 0), -ENOMEM);
}

/* Allocates everything, single frame by single frame, and gives it back; how many CPUs were flushed when frame n came. */
static u64 flushes_for(u64 n)
{
	u64 count = 0, flushes = 0, max = heap_free_frames();
	struct frame **all = calloc(max, sizeof(*all));

	for (u64 i = 0; i < max; i++) {
		sim_counts.flush_full = 0;
		all[count++] = frames_alloc(0, 0);
		if (frame_mfn(all[i]).v == n)
			flushes = sim_counts.flush_full;
		else
			assert_int_equal(sim_counts.flush_full, 0);
	}
	while (count > 0)
		frames_free(all[--count], 0);
	free(all);
	return flushes;
}

/* A frame comes back only after every CPU that may have a translation of it has flushed. */
static void test_stamps(void **state)
{
	struct frame *f = frames_alloc(0, 0);
	u64 n = frame_mfn(f).v;

	(void)state;
	f->tlb_stamp = tlb_stamp_now();
	frames_free(f, 0);
	assert_int_equal(flushes_for(n), 2);
	assert_int_equal(flushes_for(n), 0);
	/* Merged into a block, the stamp is the block's. */
	f = frames_alloc(0, 0);
	f->tlb_stamp = tlb_stamp_now();
	frames_free(f, 0);
	sim_counts.flush_full = 0;
	f = frames_alloc(13, 0);
	assert_int_equal(sim_counts.flush_full, 2);
	frames_free(f, 13);
}

static void test_offline(void **state)
{
	struct frame *f = frames_alloc(0, 0);
	mfn_t used = frame_mfn(f);
	u64 free = heap_free_frames();
	u32 status;

	(void)state;
	assert_int_equal(heap_frame_offline(used, false, &status), -EPERM);
	assert_true(status & PG_OFFLINE_FAILED);
	assert_true(status & PG_OFFLINE_XENPAGE);
	assert_int_equal(heap_frame_offline(mfn(SIM_HOLE_FIRST), false, &status), -EINVAL);
	assert_int_equal(heap_frame_offline(mfn(~0UL), false, &status), -EINVAL);
	/* In the middle of free blocks, and one that waits as a single. */
	frames_free(f, 0);
	free++;
	for (u64 n = used.v - 3; n <= used.v; n++) {
		assert_int_equal(heap_frame_offline(mfn(n), n & 1, &status), 0);
		assert_int_equal(status & ~PG_OFFLINE_BROKEN, PG_OFFLINE_OFFLINED);
		assert_int_equal(heap_free_frames(), --free);
		glue_heap_check();
	}
	assert_int_equal(heap_frame_offline(used, false, &status), 0);
	assert_int_equal(heap_free_frames(), free);
	assert_true(heap_frame_offline_status(used) & PG_OFFLINE_STATUS_OFFLINED);
	assert_int_equal(heap_frame_offline_status(mfn(used.v - 9)), PG_OFFLINE_STATUS_ONLINE);
	for (u64 n = used.v - 3; n <= used.v; n++)
		assert_int_equal(heap_frame_online(mfn(n), &status), n & 1 ? -EINVAL : 0);
	assert_int_equal(heap_frame_online(mfn(5), &status), -EINVAL);
	assert_int_equal(heap_free_frames(), free + 2);
}

static void bad_free(void *f)
{
	frames_free(f, 0);
}

static void test_double_free(void **state)
{
	struct frame *f = frames_alloc(0, 0);

	(void)state;
	frames_free(f, 0);
	assert_true(sim_catch_bug(bad_free, f));
	assert_true(sim_catch_bug(bad_free, frame_of(mfn(SIM_HOLE_FIRST))));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all_orders, start, stop),
		cmocka_unit_test_setup_teardown(test_exhaust_and_merge, start, stop),
		cmocka_unit_test_setup_teardown(test_random, start, stop),
		cmocka_unit_test_setup_teardown(test_parts, start, stop),
		cmocka_unit_test_setup_teardown(test_address_bits, start, stop),
		cmocka_unit_test_setup_teardown(test_nodes, start_nodes, stop),
		cmocka_unit_test_setup_teardown(test_prepare, start, stop),
		cmocka_unit_test_setup_teardown(test_stamps, start, stop),
		cmocka_unit_test_setup_teardown(test_offline, start, stop),
		cmocka_unit_test_setup_teardown(test_double_free, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
