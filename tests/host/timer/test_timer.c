/* SPDX-License-Identifier: BSD-2-Clause */
/* Timers against a simple model: every armed timer fires once, in order, never early, and the hardware knows the earliest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <hv/softirq.h>
#include <hv/string.h>
#include <hv/time.h>
#include <hv/timer.h>
#include "../sim/sim.h"
#include "../sim/sim_private.h"

#define TIMERS 300
#define CPUS 4

static struct model {
	struct timer t;
	ns_t expires;		/* 0: not armed */
	u32 fired;
	ns_t again;		/* its function arms it again so much later */
} m[TIMERS];
static ns_t last_fired[SIM_CPUS];
static bool no_memory;

/* Queues stay for ever: their memory is not the simulated machine's to count. */
void *hv_alloc(size_t size)
{
	return no_memory ? NULL : calloc(1, size);
}

void hv_free(void *p)
{
	free(p);
}

static int start(void **state)
{
	(void)state;
	sim_start(CPUS);
	no_memory = false;
	memset(m, 0, sizeof(m));
	memset(last_fired, 0, sizeof(last_fired));
	for (unsigned int cpu = 0; cpu < CPUS; cpu++)
		assert_int_equal(timer_cpu_init(cpu), 0);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	for (u32 i = 0; i < TIMERS; i++)
		if (m[i].t.fn)
			timer_kill(&m[i].t);
	sim_stop();
	return 0;
}

static void fire(void *arg)
{
	struct model *x = arg;
	unsigned int cpu = this_cpu();

	assert_int_not_equal(x->expires, 0);
	assert_true(x->expires <= sim_clock);
	assert_false(timer_armed(&x->t));
	assert_int_equal(x->t.cpu, cpu);
	/* In order of time on one CPU. */
	assert_true(last_fired[cpu] <= x->expires);
	last_fired[cpu] = x->expires;
	x->fired++;
	x->expires = 0;
	if (x->again) {
		x->expires = sim_clock + x->again;
		timer_set(&x->t, x->expires);
	}
}

static void model_check(void)
{
	for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
		ns_t first = 0;

		for (u32 i = 0; i < TIMERS; i++)
			if (m[i].t.cpu == cpu && m[i].expires && (!first || m[i].expires < first))
				first = m[i].expires;
		/* A CPU other than the one that armed it is sent a soft interrupt and sets its hardware then. */
		sim_cpu_switch(cpu);
		softirq_run(cpu);
		/* It may be set too early, when another CPU stopped what it was set for. */
		if (first > sim_clock) {
			assert_true(sim_cpu[cpu].timer_deadline);
			assert_true(sim_cpu[cpu].timer_deadline <= first);
		}
	}
	for (u32 i = 0; i < TIMERS; i++)
		assert_int_equal(timer_armed(&m[i].t), m[i].expires != 0);
	sim_cpu_switch(0);
}

static void model_set(struct model *x, ns_t expires)
{
	timer_set(&x->t, expires);
	x->expires = expires;
}

static void advance(ns_t by)
{
	memset(last_fired, 0, sizeof(last_fired));
	sim_clock_advance(by);
	for (u32 i = 0; i < TIMERS; i++)
		assert_true(!m[i].expires || m[i].expires > sim_clock);
}

static void random_steps(u32 steps)
{
	for (u32 i = 0; i < TIMERS; i++)
		timer_init(&m[i].t, fire, &m[i], (unsigned int)rand() % CPUS);
	for (u32 n = 0; n < steps; n++) {
		struct model *x = &m[(u32)rand() % TIMERS];
		unsigned int cpu = (unsigned int)rand() % CPUS;

		sim_cpu_switch((unsigned int)rand() % CPUS);
		switch (rand() % 8) {
		case 0: case 1: case 2: case 3:
			model_set(x, sim_clock + 1 + (u32)rand() % 10000);
			break;
		case 4:
			timer_stop(&x->t);
			x->expires = 0;
			break;
		case 5:
			timer_migrate(&x->t, cpu);
			break;
		case 6:
			x->again = rand() % 2 ? 0 : 1 + (u32)rand() % 500;
			break;
		default:
			advance((u32)rand() % 300);
			break;
		}
		if (n % 16 == 0)
			model_check();
	}
}

static void test_random(void **state)
{
	u32 fired = 0;

	(void)state;
	srand(1);
	random_steps(20000);
	for (u32 i = 0; i < TIMERS; i++)
		fired += m[i].fired;
	assert_true(fired > 1000);
}

/* Queues have grown by now in the test before; new CPUs have not, and cannot. */
static void test_no_memory(void **state)
{
	(void)state;
	srand(2);
	no_memory = true;
	random_steps(5000);
	model_check();
}

static void test_past_fires_at_once(void **state)
{
	(void)state;
	advance(1000000);
	timer_init(&m[0].t, fire, &m[0], 0);
	model_set(&m[0], 5);
	assert_int_equal(m[0].fired, 0);
	advance(0);
	assert_int_equal(m[0].fired, 1);
	/* 0 is a time like others, though "off" to the hardware. */
	m[0].expires = 1;
	timer_set(&m[0].t, 0);
	advance(0);
	assert_int_equal(m[0].fired, 2);
}

static void test_hardware_off(void **state)
{
	(void)state;
	timer_init(&m[0].t, fire, &m[0], 0);
	model_set(&m[0], sim_clock + 100);
	assert_int_equal(sim_cpu[0].timer_deadline, sim_clock + 100);
	timer_stop(&m[0].t);
	m[0].expires = 0;
	assert_int_equal(sim_cpu[0].timer_deadline, 0);
}

static void test_drain(void **state)
{
	(void)state;
	for (u32 i = 0; i < 100; i++) {
		timer_init(&m[i].t, fire, &m[i], 1);
		model_set(&m[i], sim_clock + 1000 + i);
	}
	cpumask_clear(&cpu_online_map, 1);
	timer_cpu_drain(1, 0);
	advance(0);
	for (u32 i = 0; i < 100; i++)
		assert_int_equal(m[i].t.cpu, 0);
	advance(2000);
	for (u32 i = 0; i < 100; i++)
		assert_int_equal(m[i].fired, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_random, start, stop),
		cmocka_unit_test_setup_teardown(test_no_memory, start, stop),
		cmocka_unit_test_setup_teardown(test_past_fires_at_once, start, stop),
		cmocka_unit_test_setup_teardown(test_hardware_off, start, stop),
		cmocka_unit_test_setup_teardown(test_drain, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
