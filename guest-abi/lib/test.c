/* SPDX-License-Identifier: BSD-2-Clause */
#include <guest/print.h>
#include <guest/start.h>
#include <guest/test.h>

static const char *const verdicts[] = { "success", "skip", "error", "failure" };
static const char *current;
static enum test_verdict verdict, worst;
static unsigned int count;

void test_begin(const char *name)
{
	test_end();
	current = name;
	verdict = TEST_SUCCESS;
}

void test_end(void)
{
	if (!current)
		return;
	print("test %s: %s\n", current, verdicts[verdict]);
	if (verdict > worst)
		worst = verdict;
	count++;
	current = NULL;
}

static void verdict_raise(enum test_verdict v)
{
	if (!current)
		current = "(none)";
	if (v > verdict)
		verdict = v;
}

void test_skip(const char *why, ...)
{
	va_list args;

	print("%s: skipped: ", current);
	va_start(args, why);
	vprint(why, args);
	va_end(args);
	print("\n");
	verdict_raise(TEST_SKIP);
}

void test_error(const char *what, ...)
{
	va_list args;

	print("%s: error: ", current);
	va_start(args, what);
	vprint(what, args);
	va_end(args);
	print("\n");
	verdict_raise(TEST_ERROR);
}

bool test_expect(bool ok, const char *file, int line, const char *fmt, ...)
{
	va_list args;

	if (ok)
		return true;
	print("%s: failed at %s:%d: ", current, file, line);
	va_start(args, fmt);
	vprint(fmt, args);
	va_end(args);
	print("\n");
	verdict_raise(TEST_FAILURE);
	return false;
}

bool test_expect_eq(s64 got, s64 want, const char *file, int line, const char *what)
{
	return test_expect(got == want, file, line, "%s is %ld (0x%lx), not %ld (0x%lx)", what, got, (u64)got, want,
			   (u64)want);
}

bool test_require(s64 ret, const char *file, int line, const char *what)
{
	if (ret >= 0)
		return true;
	test_error("%s:%d: %s gave %ld", file, line, what, ret);
	return false;
}

void test_finish(void)
{
	test_end();
	print("result: %s (%u tests)\n", verdicts[worst], count);
	guest_shutdown(SHUTDOWN_poweroff);
}
