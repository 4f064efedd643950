/* SPDX-License-Identifier: BSD-2-Clause */
/* Small objects over the real heap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <hv/string.h>
#include "../sim_mm/glue.h"

static int start(void **state)
{
	(void)state;
	glue_nodes = 1;
	glue_frames_kept = 0;
	sim_start(1);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	sim_stop();
	return 0;
}

static void test_sizes(void **state)
{
	(void)state;
	for (size_t size = 0; size <= 3 * PAGE_SIZE; size += size < 3000 ? 7 : 131) {
		u8 *p[5];

		for (u32 i = 0; i < 5; i++) {
			p[i] = hv_alloc(size);
			assert_non_null(p[i]);
			assert_int_equal((u64)p[i] % 16, 0);
			if (size >= 64)
				assert_int_equal((u64)p[i] % 64, 0);
			for (size_t k = 0; k < size; k++)
				assert_int_equal(p[i][k], 0);
			memset(p[i], 0xff, size);
		}
		for (u32 i = 0; i < 5; i++)
			hv_free(p[i * 3 % 5]);
		assert_int_equal(heap_free_frames(), heap_total_frames());
	}
	hv_free(NULL);
	page_free(NULL);
}

static void test_large(void **state)
{
	u64 all = heap_free_frames();
	u8 *p = hv_alloc(5 * PAGE_SIZE + 1), *q = hv_alloc(1 << 20);

	(void)state;
	/* No more than the pages that are needed. */
	assert_int_equal(heap_free_frames(), all - 6 - 256);
	memset(p, 1, 5 * PAGE_SIZE + 1);
	memset(q, 1, 1 << 20);
	hv_free(p);
	hv_free(q);
	assert_null(hv_alloc((1 << 20) + 1));
	assert_null(hv_alloc(SIZE_MAX));
	assert_int_equal(heap_free_frames(), all);
}

static void test_many(void **state)
{
	static struct { u8 *p; size_t size; u8 with; } live[2000];
	u32 seed = 99;

	(void)state;
	for (u32 step = 0; step < 100000; step++) {
		u32 i;

		seed = seed * 1664525 + 1013904223;
		i = (seed >> 7) % 2000;
		if (live[i].p) {
			for (size_t k = 0; k < live[i].size; k++)
				assert_int_equal(live[i].p[k], live[i].with);
			hv_free(live[i].p);
			live[i].p = NULL;
			continue;
		}
		live[i].size = (seed >> 20) % 400 ? (seed >> 20) % 400 : (seed >> 16) % 9000;
		live[i].p = hv_alloc(live[i].size);
		assert_non_null(live[i].p);
		live[i].with = (u8)(step | 1);
		memset(live[i].p, live[i].with, live[i].size);
	}
	for (u32 i = 0; i < 2000; i++) {
		hv_free(live[i].p);
		live[i].p = NULL;
	}
}

static void test_exhaust(void **state)
{
	u32 count = 0;
	void **list = NULL, **p;

	(void)state;
	while ((p = hv_alloc(2048)) != NULL) {
		*p = list;
		list = p;
		count++;
	}
	assert_int_equal(count, heap_total_frames() * 2);
	assert_null(hv_alloc(16));
	assert_null(page_alloc());
	while (list) {
		p = list;
		list = *p;
		hv_free(p);
	}
	p = page_alloc();
	assert_non_null(p);
	page_free(p);
}

static void bad_free(void *p)
{
	hv_free(p);
}

static void test_bad_free(void **state)
{
	u8 *p = hv_alloc(100), *page = page_alloc();

	(void)state;
	assert_true(sim_catch_bug(bad_free, p + 16));
	assert_true(sim_catch_bug(bad_free, page));
	hv_free(p);
	page_free(page);
	assert_true(sim_catch_bug(bad_free, p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sizes, start, stop),
		cmocka_unit_test_setup_teardown(test_large, start, stop),
		cmocka_unit_test_setup_teardown(test_many, start, stop),
		cmocka_unit_test_setup_teardown(test_exhaust, start, stop),
		cmocka_unit_test_setup_teardown(test_bad_free, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
