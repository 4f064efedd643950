/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests.h"

#define RUN(group) _cmocka_run_group_tests(#group, group##_tests, group##_test_count, NULL, NULL)

int main(void)
{
	return RUN(tree) + RUN(request) + RUN(ring) + RUN(journal);
}
