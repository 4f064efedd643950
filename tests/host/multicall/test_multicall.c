/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of hypercalls: results, refusals, memory that ends inside of the list, preemption between and inside of entries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <hv/errno.h>
#include <xen/xen.h>
#include "../../../hypervisor/hypercall/hypercall_private.h"
#include "../sim/sim.h"

#define CALLS 20u

static u64 sum;

/* Adds its first argument to a sum and returns it. */
static long call_add(struct vcpu *v, u64 *args)
{
	(void)v;
	sum += args[0];
	return (long)args[0];
}

/* Does args[1] steps, and is preempted after each but the last. */
static long call_steps(struct vcpu *v, u64 *args)
{
	(void)v;
	sum++;
	args[0]++;
	return --args[1] ? -ERESTART : (long)args[0];
}

static long call_none(struct vcpu *v, u64 *args)
{
	(void)v;
	(void)args;
	return -ENOSYS;
}

enum { CALL_ADD = 1, CALL_STEPS = 2 };
hypercall_fn *const hypercall_table[HYPERCALLS] = {
	[0] = call_none, [CALL_ADD] = call_add, [CALL_STEPS] = call_steps, [3 ... 12] = call_none,
	[__HYPERVISOR_multicall] = do_multicall, [14 ... HYPERCALLS - 1] = call_none,
};

static struct vcpu *start(void)
{
	sim_start(1);
	sum = 0;
	return sim_run_vcpu(sim_domain(1, false, 1, 64), 0);
}

static struct multicall_entry *list_new(struct vcpu *v, gva_t *at, u32 n)
{
	struct multicall_entry *e;

	*at = sim_alloc(v->domain, n * sizeof(*e));
	e = sim_ptr(v->domain, *at);
	memset(e, 0, n * sizeof(*e));
	for (u32 i = 0; i < n; i++) {
		e[i].op = CALL_ADD;
		e[i].args[0] = i + 1;
		e[i].result = 77;
	}
	return e;
}

static void test_results(void **state)
{
	struct vcpu *v = start();
	struct multicall_entry *e;
	gva_t at;

	(void)state;
	e = list_new(v, &at, CALLS);
	e[3].op = 9;
	e[5].op = HYPERCALLS;
	e[6].op = ~0ul;
	e[7].op = __HYPERVISOR_multicall;
	e[7].args[0] = at;
	e[7].args[1] = 3;
	assert_int_equal(sim_call(v, do_multicall, at, CALLS, 0, 0, 0, 0), 0);
	for (u32 i = 0; i < CALLS; i++) {
		long want = i == 3 || i == 5 || i == 6 ? -ENOSYS : i == 7 ? -EINVAL : (long)i + 1;

		assert_int_equal((long)e[i].result, want);
		assert_int_equal(e[i].args[0], i == 7 ? at : i + 1);
	}
	assert_int_equal(sum, CALLS * (CALLS + 1) / 2 - 4 - 6 - 7 - 8);
	assert_int_equal(sim_call(v, do_multicall, at, 0, 0, 0, 0, 0), 0);
	assert_false(v->in_multicall);
	sim_stop();
}

/* What can be read is done, then the error. */
static void test_memory_ends(void **state)
{
	struct vcpu *v = start();
	struct multicall_entry *e;
	gva_t at;

	(void)state;
	assert_int_equal(sim_call(v, do_multicall, 0x1000, 1, 0, 0, 0, 0), -EFAULT);
	assert_int_equal(sim_call(v, do_multicall, 0xffff800000000000, 1, 0, 0, 0, 0), -EFAULT);
	assert_int_equal(sum, 0);
	while (sim_pages_left(v->domain) > 1)
		sim_alloc_page(v->domain);
	e = list_new(v, &at, PAGE_SIZE / sizeof(*e));
	/* The pages that follow are page tables, mapped read-only: results cannot be written there. */
	assert_int_equal(sim_call(v, do_multicall, at + PAGE_SIZE - 3 * sizeof(*e), 30, 0, 0, 0, 0), -EFAULT);
	assert_int_equal(e[61].result, 62);
	assert_int_equal(e[63].result, 64);
	assert_int_equal(sum, 62 + 63 + 64);
	assert_false(v->in_multicall);
	sim_stop();
}

static void test_preempted(void **state)
{
	(void)state;
	for (u32 every = 1; every < 4; every++) {
		struct vcpu *v = start();
		struct multicall_entry *e;
		gva_t at;

		e = list_new(v, &at, CALLS);
		sim_preempt_every(every);
		assert_int_equal(sim_call(v, do_multicall, at, CALLS, 0, 0, 0, 0), 0);
		assert_int_equal(sum, CALLS * (CALLS + 1) / 2);
		for (u32 i = 0; i < CALLS; i++)
			assert_int_equal(e[i].result, i + 1);
		sim_stop();
	}
}

static void test_preempted_inside(void **state)
{
	struct vcpu *v = start();
	struct multicall_entry *e;
	u64 args[6] = { 0 };
	gva_t at;

	(void)state;
	e = list_new(v, &at, 4);
	e[2].op = CALL_STEPS;
	e[2].args[0] = 100;
	e[2].args[1] = 5;
	args[0] = at;
	args[1] = 4;
	/* Once: it stands at that entry, which holds how far it got. */
	assert_int_equal(do_multicall(v, args), -ERESTART);
	assert_int_equal(args[0], at + 2 * sizeof(*e));
	assert_int_equal(args[1], 2);
	assert_int_equal(e[2].args[0], 101);
	assert_int_equal(e[2].args[1], 4);
	assert_int_equal(e[2].result, 77);
	assert_int_equal(sim_call_limited(v, do_multicall, args, 10), 0);
	assert_int_equal(e[2].result, 105);
	assert_int_equal(e[3].result, 4);
	assert_int_equal(sum, 1 + 2 + 5 + 4);
	sim_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_results),
		cmocka_unit_test(test_memory_ends),
		cmocka_unit_test(test_preempted),
		cmocka_unit_test(test_preempted_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
