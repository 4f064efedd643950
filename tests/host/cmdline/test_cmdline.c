/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <hv/cmdline.h>
#include <hv/errno.h>

static u64 number, size;
static bool flag, noreboot;
static char text[8];
static char custom[32];

static int custom_parse(const char *value)
{
	if (strcmp(value, "bad") == 0)
		return -EINVAL;
	strcpy(custom, value);
	return 0;
}

static const struct boot_option options[] = {
	{ .name = "number", .kind = BOOT_OPTION_KIND_U64, .var = &number },
	{ .name = "some_size", .kind = BOOT_OPTION_KIND_SIZE, .var = &size },
	{ .name = "flag", .kind = BOOT_OPTION_KIND_BOOL, .var = &flag },
	{ .name = "noreboot", .kind = BOOT_OPTION_KIND_BOOL, .var = &noreboot },
	{ .name = "text", .kind = BOOT_OPTION_KIND_STRING, .var = text, .size = sizeof(text) },
	{ .name = "custom", .kind = BOOT_OPTION_KIND_CUSTOM, .parse = custom_parse },
};

static char reports[1024];

static void report(const char *word, const char *why)
{
	size_t used = strlen(reports);

	snprintf(reports + used, sizeof(reports) - used, "%s: %s|", word, why);
}

static const char *parse(const char *line)
{
	number = 7;
	size = 8;
	flag = noreboot = false;
	strcpy(text, "-");
	strcpy(custom, "-");
	reports[0] = '\0';
	return cmdline_parse(line, options, ARRAY_SIZE(options), report);
}

static void test_kinds(void **state)
{
	(void)state;
	assert_null(parse("  number=0x10 some_size=4M\tflag text=abc custom=x,y noreboot=yes "));
	assert_string_equal(reports, "");
	assert_int_equal(number, 16);
	assert_int_equal(size, 4 << 20);
	assert_true(flag);
	assert_true(noreboot);
	assert_string_equal(text, "abc");
	assert_string_equal(custom, "x,y");
	parse("some-size=5 flag=1 no-flag no-custom");
	assert_string_equal(reports, "");
	assert_int_equal(size, 5 << 10);
	assert_false(flag);
	assert_string_equal(custom, "no");
	parse("custom noreboot");
	assert_string_equal(custom, "");
	assert_true(noreboot);
}

static void test_reports(void **state)
{
	(void)state;
	parse("bogus number=x number flag=maybe no-flag=1 no-number text=12345678 text=1234567 custom=bad no-such "
	      "bogus=1 some_size=1Q =3 number=9");
	assert_string_equal(reports,
			    "bogus: unknown option|number=x: malformed value|number: malformed value|"
			    "flag=maybe: malformed value|no-flag=1: this option cannot be negated so|"
			    "no-number: this option cannot be negated so|text=12345678: malformed value|"
			    "custom=bad: malformed value|no-such: unknown option|bogus=1: unknown option|"
			    "some_size=1Q: malformed value|=3: unknown option|");
	assert_int_equal(number, 9);
	assert_string_equal(text, "1234567");
	assert_int_equal(size, 8);
}

static void test_end(void **state)
{
	(void)state;
	assert_string_equal(parse("number=1 --  rest of=it number=2"), "rest of=it number=2");
	assert_int_equal(number, 1);
	assert_string_equal(parse("--"), "");
	assert_null(parse(""));
	assert_null(parse("number=1 --x"));
	assert_string_equal(reports, "--x: unknown option|");
}

static void test_quotes(void **state)
{
	(void)state;
	parse("custom=\"a b\"c \"number=3\" \"\" text=\"un closed");
	assert_string_equal(custom, "a bc");
	assert_int_equal(number, 3);
	assert_string_equal(reports, "text=un closed: malformed value|");
}

static void test_long(void **state)
{
	static char line[5000];

	(void)state;
	memset(line, 'x', sizeof(line) - 1);
	memcpy(line, "number=1 ", 9);
	memcpy(line + 700, " number=2 ", 10);
	memcpy(line + sizeof(line) - 12, " number=3", 9);
	parse(line);
	assert_int_equal(number, 2);
	assert_non_null(strstr(reports, "word too long"));
}

static void test_skip_image(void **state)
{
	(void)state;
	assert_string_equal(cmdline_skip_image("placeholder a b"), "a b");
	assert_string_equal(cmdline_skip_image(" /boot/vmlinuz root=/dev/sda"), "root=/dev/sda");
	assert_string_equal(cmdline_skip_image("placeholders a"), "placeholders a");
	assert_string_equal(cmdline_skip_image("root=/dev/sda"), "root=/dev/sda");
	assert_string_equal(cmdline_skip_image("/boot/x"), "");
	assert_string_equal(cmdline_skip_image(""), "");
}

static void test_values(void **state)
{
	static const struct {
		const char *text;
		u64 val;
	} sizes[] = { { "1", 1 << 10 }, { "1b", 1 }, { "3K", 3 << 10 }, { "2m", 2 << 20 }, { "0x2G", 2UL << 30 },
		      { "8T", 8UL << 40 }, { "010B", 8 }, { "0", 0 } };
	static const char *const bad[] = { "", "G", "1GB", "1 ", "-1", "99999999T", "0x", "1.5G" };
	bool val = true;
	u64 v = 5;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		assert_int_equal(option_size(sizes[i].text, &v), 0);
		assert_int_equal(v, sizes[i].val);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(option_size(bad[i], &v), -EINVAL);
	assert_int_equal(v, 0);
	assert_int_equal(option_u64("12k", &v), -EINVAL);
	assert_int_equal(option_bool("disable", &val), 0);
	assert_false(val);
	assert_int_equal(option_bool("On", &val), -EINVAL);
	assert_int_equal(option_item_bool("no-a_b", "a-b", &val), 1);
	assert_false(val);
	assert_int_equal(option_item_bool("a-b", "a-b", &val), 1);
	assert_true(val);
	assert_int_equal(option_item_bool("a-b=0", "a-b", &val), 1);
	assert_false(val);
	assert_int_equal(option_item_bool("a-b=x", "a-b", &val), -EINVAL);
	assert_int_equal(option_item_bool("a-bc", "a-b", &val), 0);
	assert_int_equal(option_item_bool("a", "a-b", &val), 0);
}

static void test_list(void **state)
{
	const char *p = "ab,,cdefgh,";
	char item[4];
	bool cut;

	(void)state;
	p = option_list_next(p, item, sizeof(item), &cut);
	assert_string_equal(item, "ab");
	p = option_list_next(p, item, sizeof(item), &cut);
	assert_string_equal(item, "");
	assert_false(cut);
	p = option_list_next(p, item, sizeof(item), &cut);
	assert_string_equal(item, "cde");
	assert_true(cut);
	assert_null(option_list_next(p, item, sizeof(item), &cut));
	assert_string_equal(item, "");
}

/* The registration macros compile, and refuse nothing that fits. */
static u64 m_number;
static bool m_flag;
static char m_text[4];
BOOT_OPTION_U64("m", m_number, "doc");
BOOT_OPTION_SIZE("ms", m_number, "doc");
BOOT_OPTION_BOOL("mb", m_flag, "doc");
BOOT_OPTION_STRING("mt", m_text, "doc");
BOOT_OPTION_CUSTOM("mc", custom_parse, "doc");

static void test_random(void **state)
{
	static const char alphabet[] = " \t\"=-,_nofagtexumbrs019--";
	char line[64];

	(void)state;
	for (int i = 0; i < 50000; i++) {
		size_t len = (size_t)rand() % (sizeof(line) - 1);

		for (size_t k = 0; k < len; k++)
			line[k] = alphabet[(size_t)rand() % (sizeof(alphabet) - 1)];
		line[len] = '\0';
		parse(line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds), cmocka_unit_test(test_reports), cmocka_unit_test(test_end),
		cmocka_unit_test(test_quotes), cmocka_unit_test(test_long), cmocka_unit_test(test_skip_image),
		cmocka_unit_test(test_values), cmocka_unit_test(test_list), cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
