/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "argon/reason.h"

static void set_and_get(void **state)
{
	(void)state;
	reason_clear();
	assert_string_equal(reason_get(), "");
	assert_int_equal(reason_set(ENOENT, "bridge %s does not exist", "br0"), -ENOENT);
	assert_string_equal(reason_get(), "bridge br0 does not exist");
	assert_int_equal(reason_prefix(-ENOENT, "vif %d: ", 0), -ENOENT);
	assert_string_equal(reason_get(), "vif 0: bridge br0 does not exist");
}

static void long_reasons_are_cut(void **state)
{
	char text[2000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	reason_set(EIO, "%s", text);
	assert_int_equal(strlen(reason_get()), 511);
	reason_prefix(-EIO, "disk: ");
	assert_int_equal(strlen(reason_get()), 511);
	assert_memory_equal(reason_get(), "disk: xxx", 9);
	reason_prefix(-EIO, "%s", text);
	assert_int_equal(strlen(reason_get()), 511);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_and_get),
		cmocka_unit_test(long_reasons_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
