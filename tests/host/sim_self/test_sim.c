/* SPDX-License-Identifier: BSD-2-Clause */
/* The simulated machine itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <hv/errno.h>
#include <hv/guest.h>
#include <hv/softirq.h>
#include <hv/string.h>
#include <hv/tlb.h>
#include "../sim/sim.h"

static int start(void **state)
{
	(void)state;
	sim_start(2);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	sim_stop();
	return 0;
}

static void test_guest_memory(void **state)
{
	struct domain *d = sim_domain(1, false, 2, 600);
	struct vcpu *v = sim_run_vcpu(d, 0);
	gva_t va = sim_alloc(d, 3 * PAGE_SIZE);
	char text[6000], back[6000];
	u64 word;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * 7);
	assert_int_equal(guest_copy_out(v, va + 100, text, sizeof(text)), 0);
	assert_int_equal(guest_copy_in(v, back, va + 100, sizeof(back)), 0);
	assert_memory_equal(text, back, sizeof(text));
	assert_memory_equal((char *)sim_ptr(d, va) + 100, text, 1000);
	assert_int_equal(guest_clear(v, va, 3 * PAGE_SIZE), 0);
	assert_int_equal(guest_read64(v, &word, va + 104), 0);
	assert_int_equal(word, 0);
	/* Page tables are mapped read-only; beyond the end there is nothing. */
	va = sim_va(sim_table(d, 4, SIM_GUEST_BASE));
	assert_int_equal(guest_read64(v, &word, va), 0);
	assert_int_equal(guest_write64(v, va, 1), -EFAULT);
	assert_int_equal(guest_read64(v, &word, sim_va(600)), -EFAULT);
	assert_int_equal(guest_read64(v, &word, HV_VIRT_START), -EFAULT);
	assert_int_equal(guest_read64(v, &word, 0), -EFAULT);
}

static void test_tlb_keeps_entries(void **state)
{
	struct domain *d = sim_domain(1, false, 2, 64);
	struct vcpu *v = sim_run_vcpu(d, 0);
	gva_t va = sim_alloc(d, PAGE_SIZE);
	u64 *l1 = sim_page(d, sim_table(d, 1, va)), old, val;
	u32 at = (u32)((va - SIM_GUEST_BASE) >> PAGE_SHIFT);

	(void)state;
	assert_true(sim_store(v, va, 42));
	old = l1[at];
	l1[at] = 0;
	assert_true(sim_load(v, va, &val));
	assert_int_equal(val, 42);
	tlb_flush_page_local(va);
	assert_false(sim_load(v, va, &val));
	l1[at] = old;
	assert_true(sim_load(v, va, &val));
	assert_int_equal(sim_counts.flush_page, 1);
}

static int calls;
static long restarting(struct vcpu *v, u64 *args)
{
	(void)v;
	calls++;
	while (args[0] > 0) {
		args[0]--;
		if (preempt_needed())
			return -ERESTART;
	}
	return (long)args[1];
}

static void test_restart(void **state)
{
	struct domain *d = sim_domain(0, true, 1, 64);
	struct vcpu *v = sim_run_vcpu(d, 0);

	(void)state;
	sim_preempt_every(0);
	sim_preempt_said = 0;
	calls = 0;
	assert_int_equal(sim_call(v, restarting, 10, 7, 0, 0, 0, 0), 7);
	assert_int_equal(calls, 1);
	sim_preempt_every(3);
	calls = 0;
	assert_int_equal(sim_call(v, restarting, 10, 7, 0, 0, 0, 0), 7);
	assert_int_equal(calls, 4);
	assert_int_equal(sim_preempt_said, 3);
}

static void test_alloc_failure(void **state)
{
	void *p;

	(void)state;
	sim_fail_alloc(2);
	p = hv_alloc(10);
	assert_non_null(p);
	assert_null(hv_alloc(10));
	assert_true(sim_alloc_failed());
	hv_free(p);
	p = page_alloc();
	assert_non_null(p);
	page_free(p);
}

static struct spinlock low = SPINLOCK(LOCK_DOMAIN), high = SPINLOCK(LOCK_HEAP);

static void test_locks(void **state)
{
	(void)state;
	spin_lock(&low);
	spin_lock(&high);
	assert_true(spin_is_locked(&low));
	spin_unlock(&high);
	spin_unlock(&low);
	assert_false(spin_is_locked(&low));
}

/* Each wrong way to take locks is noticed, as it is by debug builds. */
static struct spinlock equal = SPINLOCK(LOCK_HEAP);

static void order_wrong(void *arg)
{
	(void)arg;
	spin_lock(&high);
	spin_lock(&low);
}

static void order_equal(void *arg)
{
	(void)arg;
	spin_lock(&high);
	spin_lock(&equal);
}

static void order_nested(void *arg)
{
	(void)arg;
	spin_lock(&low);
	spin_lock(&high);
	spin_lock_nested(&equal);
	spin_unlock(&low);
	spin_unlock(&equal);
	spin_unlock(&high);
}

static void taken_twice(void *arg)
{
	(void)arg;
	spin_lock(&low);
	spin_lock_nested(&low);
}

static void not_held(void *arg)
{
	(void)arg;
	spin_unlock(&low);
}

static void preempt_with_lock(void *arg)
{
	struct spinlock event = SPINLOCK(LOCK_EVENT);

	(void)arg;
	spin_lock(&event);
	(void)preempt_needed();
}

static void test_lock_order(void **state)
{
	static const struct { void (*fn)(void *arg); bool wrong; } cases[] = {
		{ order_wrong, true }, { order_equal, true }, { taken_twice, true }, { not_held, true },
		{ preempt_with_lock, true }, { order_nested, false },
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		spin_init(&low, LOCK_DOMAIN);
		spin_init(&high, LOCK_HEAP);
		spin_init(&equal, LOCK_HEAP);
		assert_int_equal(sim_catch_bug(cases[i].fn, NULL), cases[i].wrong);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_guest_memory, start, stop),
		cmocka_unit_test_setup_teardown(test_tlb_keeps_entries, start, stop),
		cmocka_unit_test_setup_teardown(test_restart, start, stop),
		cmocka_unit_test_setup_teardown(test_alloc_failure, start, stop),
		cmocka_unit_test_setup_teardown(test_locks, start, stop),
		cmocka_unit_test_setup_teardown(test_lock_order, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
