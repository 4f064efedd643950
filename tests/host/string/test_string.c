/* SPDX-License-Identifier: BSD-2-Clause */
/* lib/string.c under other names, against the C library; lib/strutil.c as it is. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <hv/string.h>

#define FUNCTION(ret, name, ...) ret own_##name(__VA_ARGS__)
FUNCTION(void *, memcpy, void *restrict dst, const void *restrict src, size_t n);
FUNCTION(void *, memmove, void *dst, const void *src, size_t n);
FUNCTION(void *, memset, void *dst, int c, size_t n);
FUNCTION(int, memcmp, const void *a, const void *b, size_t n);
FUNCTION(void *, memchr, const void *s, int c, size_t n);
FUNCTION(size_t, strlen, const char *s);
FUNCTION(size_t, strnlen, const char *s, size_t max);
FUNCTION(int, strcmp, const char *a, const char *b);
FUNCTION(int, strncmp, const char *a, const char *b, size_t n);
FUNCTION(char *, strchr, const char *s, int c);

#define memcpy own_memcpy
#define memmove own_memmove
#define memset own_memset
#define memcmp own_memcmp
#define memchr own_memchr
#define strlen own_strlen
#define strnlen own_strnlen
#define strcmp own_strcmp
#define strncmp own_strncmp
#define strchr own_strchr
#include "../../../hypervisor/lib/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef memchr
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr

#define AREA 512

static u8 ours[AREA], theirs[AREA], source[AREA];

static void areas_fill(void)
{
	for (size_t i = 0; i < AREA; i++) {
		source[i] = (u8)rand();
		ours[i] = theirs[i] = (u8)rand();
	}
}

static void test_memcpy(void **state)
{
	(void)state;
	for (size_t n = 0; n < 200; n++)
		for (size_t offset = 0; offset < 9; offset++) {
			areas_fill();
			assert_ptr_equal(own_memcpy(ours + 32 + offset, source + 3, n), ours + 32 + offset);
			memcpy(theirs + 32 + offset, source + 3, n);
			assert_memory_equal(ours, theirs, AREA);
		}
}

static void test_memmove_overlapping(void **state)
{
	(void)state;
	for (size_t n = 0; n < 150; n++)
		for (int shift = -40; shift <= 40; shift++) {
			areas_fill();
			own_memmove(ours + 100 + shift, ours + 100, n);
			memmove(theirs + 100 + shift, theirs + 100, n);
			assert_memory_equal(ours, theirs, AREA);
		}
}

static void test_memset(void **state)
{
	(void)state;
	for (size_t n = 0; n < 200; n++)
		for (size_t offset = 0; offset < 9; offset++) {
			areas_fill();
			assert_ptr_equal(own_memset(ours + offset, 0x1a5, n), ours + offset);
			memset(theirs + offset, 0xa5, n);
			assert_memory_equal(ours, theirs, AREA);
		}
}

static int sign(int v)
{
	return (v > 0) - (v < 0);
}

static void test_memcmp_memchr(void **state)
{
	(void)state;
	for (size_t n = 0; n < 60; n++)
		for (size_t at = 0; at < 70; at++) {
			areas_fill();
			memcpy(ours, source, AREA);
			ours[at] ^= 0x81;
			assert_int_equal(sign(own_memcmp(ours, source, n)), sign(memcmp(ours, source, n)));
			assert_ptr_equal(own_memchr(source, source[at], n), memchr(source, source[at], n));
		}
}

static void test_strings(void **state)
{
	static const char *const samples[] = { "", "a", "ab", "abc", "abd", "b", "\xff", "aab", "aaab", "abcabc", "cab" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		const char *a = samples[i];

		assert_int_equal(own_strlen(a), strlen(a));
		for (size_t n = 0; n < 5; n++)
			assert_int_equal(own_strnlen(a, n), strnlen(a, n));
		for (int c = 0; c < 256; c++)
			assert_ptr_equal(own_strchr(a, c), strchr(a, c));
		for (size_t k = 0; k < ARRAY_SIZE(samples); k++) {
			const char *b = samples[k];

			assert_int_equal(sign(own_strcmp(a, b)), sign(strcmp(a, b)));
			for (size_t n = 0; n < 5; n++)
				assert_int_equal(sign(own_strncmp(a, b, n)), sign(strncmp(a, b, n)));
		}
	}
}

static void test_strlcpy(void **state)
{
	char buf[4] = "zzz";

	(void)state;
	assert_int_equal(strlcpy(buf, "abcdef", sizeof(buf)), 6);
	assert_string_equal(buf, "abc");
	assert_int_equal(strlcpy(buf, "xy", sizeof(buf)), 2);
	assert_string_equal(buf, "xy");
	assert_int_equal(strlcpy(buf, "abc", 0), 3);
	assert_string_equal(buf, "xy");
	assert_true(str_starts_with("prefix", "pre"));
	assert_true(str_starts_with("prefix", ""));
	assert_false(str_starts_with("pre", "prefix"));
}

static void test_str_to_u64(void **state)
{
	static const struct {
		const char *text;
		unsigned int base;
		int result;
		u64 val;
		size_t used;
	} cases[] = {
		{ "0", 0, 0, 0, 1 }, { "12x", 0, 0, 12, 2 }, { "0x1Fg", 0, 0, 0x1f, 4 }, { "017", 0, 0, 15, 3 },
		{ "08", 0, 0, 0, 1 }, { "0x", 0, 0, 0, 1 }, { "0xg", 16, 0, 0, 1 }, { "ff", 16, 0, 255, 2 },
		{ "0xff", 16, 0, 255, 4 }, { "zz", 36, 0, 35 * 36 + 35, 2 }, { "101", 2, 0, 5, 3 },
		{ "18446744073709551615", 0, 0, UINT64_MAX, 20 }, { "18446744073709551616", 0, -ERANGE, 0, 0 },
		{ "99999999999999999999999", 10, -ERANGE, 0, 0 }, { "", 0, -EINVAL, 0, 0 },
		{ "-1", 0, -EINVAL, 0, 0 }, { " 1", 0, -EINVAL, 0, 0 }, { "x", 10, -EINVAL, 0, 0 },
		{ "2", 2, -EINVAL, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *end = NULL;
		u64 val = 77;

		assert_int_equal(str_to_u64(cases[i].text, &end, cases[i].base, &val), cases[i].result);
		assert_ptr_equal(end, cases[i].text + cases[i].used);
		assert_int_equal(val, cases[i].result == 0 ? cases[i].val : 77);
	}
}

static void test_little_endian(void **state)
{
	static const u8 bytes[] = { 0, 1, 2, 3, 0x84, 5, 6, 7, 0x88 };

	(void)state;
	assert_int_equal(get_le16(bytes + 3), 0x8403);
	assert_int_equal(get_le32(bytes + 1), 0x84030201);
	assert_true(get_le64(bytes + 1) == 0x8807060584030201UL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memcpy), cmocka_unit_test(test_memmove_overlapping),
		cmocka_unit_test(test_memset), cmocka_unit_test(test_memcmp_memchr),
		cmocka_unit_test(test_strings), cmocka_unit_test(test_strlcpy),
		cmocka_unit_test(test_str_to_u64), cmocka_unit_test(test_little_endian),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
