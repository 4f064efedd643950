/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests. A kernel runs any number of them and ends with a verdict, the worst of all: success; skip (it cannot be tested
 * here); error (the test is wrong, or what it stands on); failure (the hypervisor is wrong). A kernel that ends without
 * the line "result: ..." has crashed.
 */
#ifndef GUEST_TEST_H
#define GUEST_TEST_H

#include <guest/types.h>

enum test_verdict { TEST_SUCCESS, TEST_SKIP, TEST_ERROR, TEST_FAILURE };

void test_begin(const char *name);
/* Ends the test that is under way, also implied by the next test_begin and by the end of guest_main. */
void test_end(void);
void test_skip(const char *why, ...) __attribute__((format(printf, 1, 2)));
void test_error(const char *what, ...) __attribute__((format(printf, 1, 2)));

/* A failure unless cond holds, with the text of the condition, or with a message. They return whether it does. */
#define expect(cond)		  test_expect((cond), __FILE__, __LINE__, "%s", #cond)
#define expect_msg(cond, fmt...)  test_expect((cond), __FILE__, __LINE__, fmt)
/* A failure unless the values are equal; prints both. */
#define expect_eq(got, want)	  test_expect_eq((s64)(got), (s64)(want), __FILE__, __LINE__, #got)
/* For what must hold before the test makes sense: an error unless the call returned 0 or more. */
#define require(call)		  test_require((s64)(call), __FILE__, __LINE__, #call)

bool test_expect(bool ok, const char *file, int line, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
bool test_expect_eq(s64 got, s64 want, const char *file, int line, const char *what);
bool test_require(s64 ret, const char *file, int line, const char *what);

/* Prints the result and ends the domain. */
_Noreturn void test_finish(void);

#endif
