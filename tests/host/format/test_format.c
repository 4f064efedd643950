/* SPDX-License-Identifier: BSD-2-Clause */
/* Every conversion against the C library's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <hv/format.h>

/* Formats are made up at run time here. */
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"

#define CHECK(fmt, ...) \
	do { \
		char a[200], b[200]; \
		int la = hv_snprintf(a, sizeof(a), fmt, __VA_ARGS__); \
		int lb = snprintf(b, sizeof(b), fmt, __VA_ARGS__); \
		assert_string_equal(a, b); \
		assert_int_equal(la, lb); \
	} while (0)

static const char *const flags[] = { "", "-", "0", "+", " ", "#", "-0", "#0", "+0", "-#", " 0" };
static const char *const widths[] = { "", "1", "5", "12", "30" };
static const char *const precisions[] = { "", ".", ".0", ".1", ".7", ".25" };

static bool flag_fits(const char *flag, char conv)
{
	if (strchr(flag, '#') != NULL)
		return strchr("xXo", conv) != NULL;
	if (strchr(flag, '+') != NULL || strchr(flag, ' ') != NULL)
		return conv == 'd' || conv == 'i';
	return true;
}

static void check_numbers(const char *fmt32, const char *fmt64)
{
	static const u64 values[] = { 0, 1, 7, 8, 9, 10, 255, 0x7fffffff, 0x80000000, 0xffffffff, 0x123456789abcdefUL,
				      0x7fffffffffffffffUL, 0x8000000000000000UL, UINT64_MAX };

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		CHECK(fmt32, (unsigned int)values[i]);
		CHECK(fmt64, (unsigned long)values[i]);
	}
}

static void test_numbers(void **state)
{
	static const char convs[] = "diuxXo";

	(void)state;
	for (size_t c = 0; c < strlen(convs); c++)
		for (size_t f = 0; f < ARRAY_SIZE(flags); f++)
			for (size_t w = 0; w < ARRAY_SIZE(widths); w++)
				for (size_t p = 0; p < ARRAY_SIZE(precisions); p++) {
					char fmt32[32], fmt64[32];

					if (!flag_fits(flags[f], convs[c]))
						continue;
					snprintf(fmt32, sizeof(fmt32), "<%%%s%s%s%c>", flags[f], widths[w],
						 precisions[p], convs[c]);
					snprintf(fmt64, sizeof(fmt64), "<%%%s%s%sl%c>", flags[f], widths[w],
						 precisions[p], convs[c]);
					check_numbers(fmt32, fmt64);
				}
}

static void test_lengths(void **state)
{
	(void)state;
	CHECK("%hhd %hhu %hd %hu", 0x1ff, 0x1ff, 0x1ffff, 0x1ffff);
	CHECK("%lld %llx %zu %jd %td", -5LL, 5ULL, (size_t)9, (intmax_t)-9, (ptrdiff_t)-3);
}

static void test_text(void **state)
{
	(void)state;
	CHECK("%s|%10s|%-10s|%.2s|%-10.2s|%10.0s|", "abc", "abc", "abc", "abc", "abc", "abc");
	CHECK("%c|%3c|%-3c|%%|", 'x', 'y', 'z');
	CHECK("%*d|%-*d|%*d|%.*s|%.*s|", 6, 1, 6, 2, -6, 3, 2, "abc", -1, "abc");
	CHECK("%p %20p %-20p|", (void *)0x1234, (void *)0xffff830000000000UL, (void *)1);
	CHECK("no conversion%s", "");
}

static void test_cut(void **state)
{
	char buf[8];

	(void)state;
	for (size_t size = 0; size <= sizeof(buf); size++) {
		memset(buf, 'Z', sizeof(buf));
		assert_int_equal(hv_snprintf(buf, size, "%s%d", "abcd", 123456), 10);
		for (size_t i = size; i < sizeof(buf); i++)
			assert_int_equal(buf[i], 'Z');
		if (size > 0)
			assert_int_equal(strlen(buf), size - 1);
	}
}

static void test_odd(void **state)
{
	char buf[32];
	const char *volatile none = NULL;
	const char *volatile bad = "%y", *volatile ends = "100%";

	(void)state;
	hv_snprintf(buf, sizeof(buf), "%s", none);
	assert_string_equal(buf, "(null)");
	hv_snprintf(buf, sizeof(buf), bad, 1);
	assert_string_equal(buf, "%?");
	hv_snprintf(buf, sizeof(buf), ends, 1);
	assert_string_equal(buf, "100%?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers), cmocka_unit_test(test_lengths), cmocka_unit_test(test_text),
		cmocka_unit_test(test_cut), cmocka_unit_test(test_odd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
