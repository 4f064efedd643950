/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_H
#define TESTS_H

#include "harness.h"

#define TEST(f) cmocka_unit_test_setup_teardown(f, store_setup, store_teardown)

extern const struct CMUnitTest request_tests[], ring_tests[], journal_tests[], tree_tests[];
extern const size_t request_test_count, ring_test_count, journal_test_count, tree_test_count;

#endif
