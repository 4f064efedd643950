/* SPDX-License-Identifier: BSD-2-Clause */
/* Range sets against a bitmap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <hv/errno.h>
#include <hv/rangeset.h>
#include <hv/string.h>
#include "../sim/sim.h"

static int start(void **state)
{
	(void)state;
	sim_start(1);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	sim_stop();
	return 0;
}

static void test_edges(void **state)
{
	struct rangeset *r = rangeset_create();
	u64 first, last;

	(void)state;
	assert_true(rangeset_empty(r));
	assert_false(rangeset_next(r, 0, &first, &last));
	assert_int_equal(rangeset_add(r, 5, 4), -EINVAL);
	assert_int_equal(rangeset_remove(r, 5, 4), -EINVAL);
	assert_int_equal(rangeset_remove(r, 0, UINT64_MAX), 0);
	assert_int_equal(rangeset_add(r, 0, UINT64_MAX), 0);
	assert_true(rangeset_contains(r, 0, UINT64_MAX));
	assert_int_equal(rangeset_remove(r, 0, 0), 0);
	assert_int_equal(rangeset_remove(r, UINT64_MAX, UINT64_MAX), 0);
	assert_false(rangeset_contains(r, 0, 1));
	assert_true(rangeset_overlaps(r, 0, 1));
	assert_false(rangeset_overlaps(r, 0, 0));
	assert_true(rangeset_contains(r, 1, UINT64_MAX - 1));
	assert_int_equal(rangeset_add(r, UINT64_MAX, UINT64_MAX), 0);
	assert_int_equal(rangeset_add(r, 0, 0), 0);
	assert_true(rangeset_next(r, 7, &first, &last));
	assert_int_equal(first, 0);
	assert_true(last == UINT64_MAX);
	rangeset_free(r);
	rangeset_free(NULL);
}

static void compare(struct rangeset *r, const bool *map)
{
	u64 first = 0, last = 0, next = 0;
	bool there = rangeset_next(r, 0, &first, &last);

	for (u64 i = 0; i < 256; i++) {
		if (there && i > last) {
			next = last + 1;
			there = rangeset_next(r, next, &first, &last);
			/* Ranges that touch are one. */
			if (there)
				assert_true(first > next);
		}
		assert_int_equal(there && i >= first && i <= last, map[i]);
	}
	assert_int_equal(rangeset_empty(r), !memchr(map, 1, 256));
}

static void test_random(void **state)
{
	struct rangeset *r = rangeset_create();
	bool map[256] = { false };
	u32 seed = 1;

	(void)state;
	for (u32 step = 0; step < 20000; step++) {
		u64 first, last;
		bool all = true, any = false, add;

		seed = seed * 1664525 + 1013904223;
		first = seed >> 24;
		last = MIN(first + (seed >> 8) % 20, 255UL);
		add = seed >> 20 & 1;
		for (u64 i = first; i <= last; i++) {
			all = all && map[i];
			any = any || map[i];
		}
		assert_int_equal(rangeset_contains(r, first, last), all);
		assert_int_equal(rangeset_overlaps(r, first, last), any);
		if (step % 50 == 0) {
			/* Out of memory: nothing changes. (It may also not need any.) */
			sim_fail_alloc(1);
			if ((add ? rangeset_add(r, first, last) : rangeset_remove(r, first, last)) == -ENOMEM)
				;
			else
				memset(&map[first], add, last - first + 1);
			sim_fail_alloc(0);
		} else {
			assert_int_equal(add ? rangeset_add(r, first, last) : rangeset_remove(r, first, last), 0);
			memset(&map[first], add, last - first + 1);
		}
		compare(r, map);
	}
	rangeset_free(r);
}

static void test_full(void **state)
{
	struct rangeset *r = rangeset_create();

	(void)state;
	for (u64 i = 0; i < RANGESET_MAX; i++)
		assert_int_equal(rangeset_add(r, i * 2, i * 2), 0);
	assert_int_equal(rangeset_add(r, RANGESET_MAX * 2, RANGESET_MAX * 2), -ENOSPC);
	assert_false(rangeset_contains(r, RANGESET_MAX * 2, RANGESET_MAX * 2));
	rangeset_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_edges, start, stop),
		cmocka_unit_test_setup_teardown(test_random, start, stop),
		cmocka_unit_test_setup_teardown(test_full, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
