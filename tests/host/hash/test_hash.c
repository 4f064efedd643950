/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xxHash against published values, CRCs against liblzma. xxHash is also checked through LZ4 and Zstandard frames in the
 * decompressor's test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <lzma.h>
#include <hv/compiler.h>
#include <hv/hash.h>

static void test_crc(void **state)
{
	static struct crc32_tables tables;
	u8 data[300];

	(void)state;
	crc32_tables_make(&tables);
	assert_true(crc32_update(0, "123456789", 9) == 0xcbf43926U);
	assert_true(crc64_update(0, "123456789", 9) == 0x995dc9bbdf1939faUL);
	for (size_t n = 0; n < sizeof(data); n++) {
		data[n] = (u8)rand();
		assert_true(crc32_update(0, data, n) == lzma_crc32(data, n, 0));
		assert_true(crc32_fast(&tables, data, n) == lzma_crc32(data, n, 0));
		assert_true(crc64_update(0, data, n) == lzma_crc64(data, n, 0));
		assert_true(crc32_update(crc32_update(0, data, n / 3), data + n / 3, n - n / 3) == crc32_update(0, data, n));
		assert_true(crc64_update(crc64_update(0, data, n / 3), data + n / 3, n - n / 3) == crc64_update(0, data, n));
	}
}

static void test_xxhash(void **state)
{
	/* Published vectors of XXH32 and XXH64 with seed 0. */
	static const char text[] = "Nobody inspects the spammish repetition";

	(void)state;
	assert_true(xxh32("", 0) == 0x02cc5d05U);
	assert_true(xxh64("", 0) == 0xef46db3751d8e999UL);
	assert_true(xxh32("abc", 3) == 0x32d153ffU);
	assert_true(xxh64("abc", 3) == 0x44bc2cf5ad770999UL);
	assert_true(xxh32(text, sizeof(text) - 1) == 0xe2293b2fU);
	assert_true(xxh64(text, sizeof(text) - 1) == 0xfbcea83c8a378bf1UL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crc), cmocka_unit_test(test_xxhash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
