/* SPDX-License-Identifier: BSD-2-Clause */
/* The fuzz target over random input: a few seconds of what tests/fuzz does for hours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "../../fuzz/mmu.c"
#include "tests.h"

#define INPUT 2000u

static void test_random(void **state)
{
	const char *first = getenv("MMU_SEED"), *count = getenv("MMU_RUNS");
	u32 seed = first ? (u32)atoi(first) : 1, runs = count ? (u32)atoi(count) : 300;
	static u8 data[INPUT];

	(void)state;
	for (u32 n = seed; n < seed + runs; n++) {
		srandom(n);
		for (u32 i = 0; i < sizeof(data); i++)
			data[i] = (u8)(random() >> 8);
		if (count)
			fprintf(stderr, "seed %u\n", n);
		LLVMFuzzerTestOneInput(data, sizeof(data));
	}
}

int random_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
