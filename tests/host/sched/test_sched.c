/* SPDX-License-Identifier: BSD-2-Clause */
/* The scheduler over hours of simulated time: fairness, caps, latency, affinity, starvation, work conservation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <hv/cpu.h>
#include <hv/errno.h>
#include <xen/domctl.h>
#include "machine.h"

static void params(struct domain *d, u32 weight, u32 cap)
{
	struct sched_params p = { weight, cap };

	assert_int_equal(sched_params_set(d, &p), 0);
}

static ns_t domain_used(const struct domain *d)
{
	ns_t sum = 0;

	for (u32 i = 0; i < d->max_vcpus; i++) {
		const struct load *l = load_of(d->vcpu[i]);

		sum += l->used + (l->on_cpu ? clock_now - l->since : 0);
	}
	return sum;
}

static void assert_near(u64 got, u64 want, u64 percent, const char *what)
{
	u64 off = got > want ? got - want : want - got;

	if (off * 100 > want * percent) {
		print_error("%s: got %lu, want %lu within %lu%%\n", what, got, want, percent);
		fail();
	}
}

/* --- fairness --- */

/* Each domain has one vCPU that always runs; nobody's fair share is more than a CPU. */
static void fair_case(unsigned int cpus, unsigned int per_socket, unsigned int n, const u32 *weights, ns_t time, u64 percent)
{
	struct domain *d[200];
	u64 total = 0;

	machine_start(cpus, per_socket, "credit2");
	for (unsigned int i = 0; i < n; i++) {
		d[i] = domain_new(1, 0);
		params(d[i], weights[i], 0);
		load_start(d[i], 0, SEC, 0, false);
		total += weights[i];
	}
	machine_run(5 * SEC);
	machine_measure();
	machine_run(time);
	for (unsigned int i = 0; i < n; i++)
		assert_near(domain_used(d[i]), time / total * weights[i] * cpus, percent, "share");
	machine_stop();
}

static void test_fair_one_cpu(void **state)
{
	static const u32 equal[] = { 256, 256, 256 }, mixed[] = { 256, 512, 1024, 128 }, far[] = { 10, 65535 },
			 far3[] = { 10, 10000, 40000 };

	(void)state;
	fair_case(1, 1, 3, equal, 900 * SEC, 1);
	fair_case(1, 1, 4, mixed, 900 * SEC, 1);
	fair_case(1, 1, 3, far3, 3600 * SEC, 5);
	fair_case(1, 1, 2, far, 7200 * SEC, 25);
}

static void test_fair_many(void **state)
{
	u32 w[200];

	(void)state;
	random_seed(1);
	for (unsigned int i = 0; i < 200; i++)
		w[i] = 256;
	fair_case(2, 2, 3, w, 600 * SEC, 1);
	fair_case(16, 16, 40, w, 60 * SEC, 2);
	fair_case(64, 16, 200, w, 20 * SEC, 5);
	for (unsigned int i = 0; i < 200; i++)
		w[i] = 128 + random_below(512);
	fair_case(4, 4, 20, w, 300 * SEC, 2);
	fair_case(16, 16, 100, w, 60 * SEC, 3);
	fair_case(64, 16, 200, w, 30 * SEC, 6);
}

/* Numbers that do not come out even over several run queues. */
static void test_fair_queues(void **state)
{
	static const u32 equal[] = { 256, 256, 256, 256, 256, 256, 256 }, mixed[] = { 256, 300, 200, 350, 220 };

	(void)state;
	fair_case(3, 1, 4, equal, 600 * SEC, 3);
	fair_case(4, 2, 7, equal, 600 * SEC, 3);
	fair_case(2, 1, 3, equal, 600 * SEC, 3);
	fair_case(3, 1, 5, mixed, 600 * SEC, 5);
}

/* A vCPU whose weight is worth more than a CPU gets one, and the others share the rest; then it does not starve a newcomer. */
static void test_fair_more_than_one_cpu(void **state)
{
	struct domain *heavy, *a, *b, *late;

	(void)state;
	machine_start(2, 2, "credit2");
	heavy = domain_new(1, 0);
	a = domain_new(1, 0);
	b = domain_new(1, 0);
	params(heavy, 65535, 0);
	load_start(heavy, 0, SEC, 0, false);
	load_start(a, 0, SEC, 0, false);
	load_start(b, 0, SEC, 0, false);
	machine_run(600 * SEC);
	assert_near(domain_used(heavy), 600 * SEC, 1, "heavy");
	assert_near(domain_used(a), 300 * SEC, 1, "light");
	assert_near(domain_used(b), 300 * SEC, 1, "light");
	late = domain_new(1, 0);
	load_start(late, 0, SEC, 0, false);
	machine_measure();
	machine_run(60 * SEC);
	assert_near(domain_used(heavy), 60 * SEC, 1, "heavy");
	assert_near(domain_used(late), 20 * SEC, 5, "late");
	assert_near(domain_used(a), 20 * SEC, 5, "light");
	machine_stop();
}

/* Domains with several vCPUs: the weight is each vCPU's, as in credit2. One that sleeps half of the time does not lose what it asks for. */
static void test_fair_sleeper(void **state)
{
	struct domain *hogs[3], *s;

	(void)state;
	machine_start(1, 1, "credit2");
	for (int i = 0; i < 3; i++) {
		hogs[i] = domain_new(1, 0);
		load_start(hogs[i], 0, SEC, 0, false);
	}
	s = domain_new(1, 0);
	load_start(s, 0, 2 * MS, 10 * MS, true);
	machine_run(5 * SEC);
	machine_measure();
	machine_run(300 * SEC);
	/* It asks for a sixth of the CPU and a quarter is its own. */
	assert_near(domain_used(s), 300 * SEC / 6, 8, "sleeper");
	for (int i = 0; i < 3; i++)
		assert_near(domain_used(hogs[i]), 300 * SEC * 5 / 18, 4, "hog");
	machine_stop();
}

/* --- caps --- */

static void cap_case(unsigned int cpus, unsigned int vcpus, u32 cap, bool others, ns_t run, ns_t sleep)
{
	struct domain *d, *hog[8];

	machine_start(cpus, cpus, "credit2");
	d = domain_new(vcpus, 0);
	params(d, 256, cap);
	for (unsigned int i = 0; i < vcpus; i++)
		load_start(d, i, run, sleep, sleep != 0);
	for (unsigned int i = 0; others && i < cpus; i++) {
		hog[i] = domain_new(1, 0);
		load_start(hog[i], 0, SEC, 0, false);
	}
	machine_run(2 * SEC);
	machine_measure();
	machine_run(60 * SEC);
	assert_near(domain_used(d), 60 * SEC * cap / 100, 2, "cap");
	machine_stop();
}

static void test_cap(void **state)
{
	(void)state;
	for (u32 cap = 1; cap <= 100; cap += 9)
		cap_case(2, 1, cap, false, SEC, 0);
	cap_case(1, 1, 20, true, SEC, 0);
	cap_case(2, 2, 150, false, SEC, 0);
	cap_case(4, 8, 25, false, SEC, 0);
	cap_case(4, 4, 250, false, SEC, 0);
	cap_case(8, 8, 90, true, SEC, 0);
	cap_case(4, 6, 50, false, 3 * MS, 2 * MS);
}

static void test_cap_changes(void **state)
{
	struct domain *d;

	(void)state;
	machine_start(2, 2, "credit2");
	check_always = true;
	d = domain_new(2, 0);
	load_start(d, 0, SEC, 0, false);
	load_start(d, 1, SEC, 0, false);
	for (unsigned int i = 0; i < 200; i++) {
		params(d, 256, random_below(201));
		machine_run(random_below(40) * MS);
	}
	params(d, 256, 0);
	machine_measure();
	machine_run(10 * SEC);
	assert_near(domain_used(d), 20 * SEC, 1, "no cap");
	check_always = false;
	machine_stop();
}

/* --- latency and starvation --- */

static void test_latency(void **state)
{
	struct domain *d[12], *s;
	struct load *l;

	(void)state;
	machine_start(4, 4, "credit2");
	for (int i = 0; i < 12; i++) {
		d[i] = domain_new(1, 0);
		load_start(d[i], 0, SEC, 0, false);
	}
	s = domain_new(1, 0);
	l = load_start(s, 0, 200 * US, 10 * MS, true);
	machine_run(SEC);
	machine_measure();
	machine_run(100 * SEC);
	/* Preempts as soon as one has run for the least time. */
	assert_true(l->latency_count > 5000);
	assert_true(l->latency_max <= 1100 * US);
	assert_true(l->latency_sum / l->latency_count < 600 * US);
	machine_stop();
}

/* Many that wake up: each waits for the others at most. */
static void test_latency_many(void **state)
{
	struct domain *d, *s;
	ns_t worst = 0;

	(void)state;
	machine_start(8, 8, "credit2");
	d = domain_new(32, 0);
	for (unsigned int i = 0; i < 32; i++)
		load_start(d, i, SEC, 0, false);
	s = domain_new(64, 0);
	for (unsigned int i = 0; i < 64; i++)
		load_start(s, i, 100 * US, 5 * MS, true);
	machine_run(SEC);
	machine_measure();
	machine_run(60 * SEC);
	for (unsigned int i = 0; i < 64; i++)
		worst = MAX(worst, load_of(s->vcpu[i])->latency_max);
	for (unsigned int i = 0; i < 32; i++)
		assert_true(load_of(d->vcpu[i])->wait_max < 200 * MS);
	print_message("64 sleepers, 8 CPUs: worst wake-up latency %lu us\n", worst / US);
	assert_true(worst < 8 * MS);
	machine_stop();
}

static void test_starvation(void **state)
{
	struct domain *d[200];

	(void)state;
	random_seed(7);
	machine_start(8, 4, "credit2");
	for (int i = 0; i < 200; i++) {
		d[i] = domain_new(1, 0);
		params(d[i], 64 + random_below(1024), 0);
		if (i % 3 == 0)
			load_start(d[i], 0, MS * (1 + random_below(20)), MS * (1 + random_below(100)), true);
		else
			load_start(d[i], 0, SEC, 0, false);
	}
	machine_run(30 * SEC);
	machine_measure();
	machine_run(60 * SEC);
	for (int i = 0; i < 200; i++)
		assert_true(load_of(d[i]->vcpu[0])->wait_max < 5 * SEC);
	machine_stop();
}

/* --- affinity --- */

static struct cpumask random_mask(unsigned int cpus)
{
	struct cpumask m = cpumask_of(random_below(cpus));

	while (random_below(3))
		cpumask_set(&m, random_below(cpus));
	return m;
}

static void test_affinity_hard(void **state)
{
	struct domain *d;

	(void)state;
	random_seed(3);
	machine_start(8, 2, "credit2");
	check_always = true;
	d = domain_new(40, 0);
	for (unsigned int i = 0; i < 40; i++) {
		struct cpumask m = random_mask(8);

		assert_int_equal(vcpu_affinity_set_hard(d->vcpu[i], &m), 0);
		if (i % 2)
			load_start(d, i, SEC, 0, false);
		else
			load_start(d, i, 2 * MS, 5 * MS, true);
	}
	for (unsigned int i = 0; i < 1000; i++) {
		struct cpumask m = random_mask(8);

		machine_cpu(random_below(8));
		assert_int_equal(vcpu_affinity_set_hard(d->vcpu[random_below(40)], &m), 0);
		machine_run(random_below(10) * MS);
	}
	machine_measure();
	machine_run(20 * SEC);
	for (unsigned int i = 0; i < 40; i++)
		assert_true(load_of(d->vcpu[i])->wait_max < SEC);
	check_always = false;
	machine_stop();
}

/* Pinned vCPUs and free ones share one CPU fairly, even when the free ones had other CPUs before. */
static void test_affinity_pinned_and_free(void **state)
{
	struct cpumask cpu0 = cpumask_of(0);
	struct domain *pinned, *free1;

	(void)state;
	machine_start(2, 2, "credit2");
	pinned = domain_new(3, 0);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(vcpu_affinity_set_hard(pinned->vcpu[i], &cpu0), 0);
		load_start(pinned, i, SEC, 0, false);
	}
	free1 = domain_new(1, 0);
	load_start(free1, 0, SEC, 0, false);
	machine_run(600 * SEC);
	assert_near(domain_used(free1), 600 * SEC, 1, "free");
	assert_near(domain_used(pinned), 600 * SEC, 1, "pinned");
	assert_int_equal(cpupool_cpu_remove(0, 1), 0);
	machine_measure();
	machine_run(60 * SEC);
	assert_near(domain_used(free1), 15 * SEC, 10, "free on the CPU left");
	for (unsigned int i = 0; i < 3; i++)
		assert_near(load_of(pinned->vcpu[i])->used, 15 * SEC, 10, "pinned with it");
	machine_stop();
}

static void test_affinity_soft(void **state)
{
	struct cpumask low = cpumask_none();
	struct domain *d, *e;

	(void)state;
	for (unsigned int cpu = 0; cpu < 4; cpu++)
		cpumask_set(&low, cpu);
	machine_start(8, 4, "credit2");
	d = domain_new(4, 0);
	for (unsigned int i = 0; i < 4; i++) {
		vcpu_affinity_set_soft(d->vcpu[i], &low);
		load_start(d, i, 3 * MS, 3 * MS, true);
	}
	machine_run(SEC);
	for (unsigned int i = 0; i < 200; i++) {
		machine_run(7 * MS);
		for (unsigned int n = 0; n < 4; n++)
			assert_true(d->vcpu[n]->cpu < 4);
	}
	/* When it is crowded there, they go elsewhere. */
	e = domain_new(4, 0);
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(vcpu_affinity_set_hard(e->vcpu[i], &low), 0);
		load_start(e, i, SEC, 0, false);
	}
	machine_measure();
	machine_run(60 * SEC);
	assert_true(domain_used(e) > 225 * SEC);
	assert_true(domain_used(d) > 110 * SEC);
	machine_stop();
}

/* --- everything at once --- */

static void random_step(struct domain **d, unsigned int n, unsigned int cpus)
{
	struct domain *x = d[random_below(n)];
	struct vcpu *v = x->vcpu[random_below(x->max_vcpus)];
	struct cpumask m = random_mask(cpus);
	unsigned int cpu = random_below(cpus);
	u32 pool;
	int rc;

	machine_cpu(cpumask_next(&cpu_online_map, 0));
	switch (random_below(10)) {
	case 0:
		rc = vcpu_affinity_set_hard(v, &m);
		assert_true(rc == 0 || rc == -EINVAL);
		break;
	case 1:
		vcpu_affinity_set_soft(v, &m);
		break;
	case 2:
		params(x, 1 + random_below(1000), random_below(2) ? 0 : random_below(x->max_vcpus * 100));
		break;
	case 3:
		domain_pause(x);
		machine_run(random_below(3) * MS);
		domain_unpause(x);
		break;
	case 4:
		pool = random_below(2);
		rc = cpupool_cpu_remove(pool, cpu);
		assert_true(rc == 0 || rc == -EINVAL || rc == -EBUSY || rc == -ERESTART);
		if (rc == -ERESTART) {
			machine_run(0);
			machine_cpu(cpu ? 0 : 1);
			assert_int_equal(cpupool_cpu_remove(pool, cpu), 0);
		}
		break;
	case 5:
		rc = cpupool_cpu_add(random_below(2), cpu);
		assert_true(rc == 0 || rc == -EBUSY);
		break;
	case 6:
		rc = cpupool_domain_move(x, random_below(2));
		assert_true(rc == 0 || rc == -EBUSY);
		break;
	case 7:
		v->pause_flags |= VPF_DOWN;
		vcpu_sleep_nosync(v);
		machine_run(random_below(2) * MS);
		v->pause_flags &= ~VPF_DOWN;
		vcpu_wake(v);
		break;
	case 8:
		if (sched_cpus[v->cpu]->curr == v->sched) {
			machine_cpu(v->cpu);
			vcpu_yield(v);
		}
		break;
	default:
		x->node_affinity = random_below(4);
		sched_node_affinity_changed(x);
		break;
	}
}

static void anything(u64 seed, unsigned int cpus, unsigned int per_socket, const char *policy, u32 second)
{
	struct domain *d[6];

	random_seed(seed);
	machine_start(cpus, per_socket, policy);
	assert_int_equal(cpupool_create(1, second), 1);
	check_always = true;
	for (unsigned int i = 0; i < 6; i++) {
		d[i] = domain_new(1 + random_below(5), 0);
		for (unsigned int n = 0; n < d[i]->max_vcpus; n++)
			if (random_below(2))
				load_start(d[i], n, SEC, 0, false);
			else
				load_start(d[i], n, US * (1 + random_below(5000)), US * (1 + random_below(9000)), true);
	}
	for (unsigned int i = 0; i < 600; i++) {
		random_step(d, 6, cpus);
		machine_run(random_below(4000) * US);
	}
	check_always = false;
	machine_stop();
}

static void test_anything(void **state)
{
	(void)state;
	for (u64 seed = 1; seed <= 6; seed++) {
		anything(seed, 4, 2, "credit2", XEN_SCHEDULER_CREDIT);
		anything(seed, 8, 8, "credit", XEN_SCHEDULER_CREDIT2);
	}
}

/* --- the null policy --- */

static void test_null(void **state)
{
	struct domain *d;
	ns_t ran = 0;

	(void)state;
	machine_start(4, 4, "null");
	d = domain_new(6, 0);
	for (unsigned int i = 0; i < 6; i++)
		load_start(d, i, SEC, 0, false);
	machine_run(10 * SEC);
	/* Four have a CPU each, for good; two wait. */
	assert_near(domain_used(d), 40 * SEC, 1, "null");
	for (unsigned int i = 0; i < 6; i++) {
		const struct load *l = load_of(d->vcpu[i]);

		assert_true(l->switches <= 1);
		ran += l->on_cpu;
	}
	assert_int_equal(ran, 4);
	/* One goes down: one of those that wait gets its CPU. */
	for (unsigned int i = 0; i < 6; i++)
		if (load_of(d->vcpu[i])->on_cpu) {
			d->vcpu[i]->pause_flags |= VPF_DOWN;
			vcpu_sleep_nosync(d->vcpu[i]);
			break;
		}
	machine_measure();
	machine_run(10 * SEC);
	assert_near(domain_used(d), 40 * SEC, 1, "null");
	machine_stop();
}

static void test_pools(void **state)
{
	struct cpupool_info info;
	struct domain *d, *e;

	(void)state;
	machine_start(4, 4, "credit2");
	d = domain_new(4, 0);
	e = domain_new(2, 0);
	for (unsigned int i = 0; i < 4; i++)
		load_start(d, i, SEC, 0, false);
	for (unsigned int i = 0; i < 2; i++)
		load_start(e, i, SEC, 0, false);
	machine_run(SEC);
	assert_int_equal(cpupool_create(CPUPOOL_NONE, XEN_SCHEDULER_NULL), 1);
	assert_int_equal(cpupool_create(1, XEN_SCHEDULER_NULL), -EEXIST);
	assert_int_equal(cpupool_create(2, 77), -EINVAL);
	assert_int_equal(cpupool_domain_move(e, 1), -EBUSY);
	machine_cpu(3);
	assert_int_equal(cpupool_cpu_remove(0, 3), -ERESTART);
	machine_run(0);
	machine_cpu(0);
	assert_int_equal(cpupool_cpu_remove(0, 3), 0);
	assert_int_equal(cpupool_cpu_remove(0, 2), 0);
	assert_int_equal(cpupool_cpu_add(1, 3), 0);
	assert_int_equal(cpupool_cpu_add(1, 3), -EBUSY);
	assert_int_equal(cpupool_cpu_add(1, 2), 0);
	assert_int_equal(cpupool_domain_move(e, 1), 0);
	machine_measure();
	machine_run(10 * SEC);
	assert_near(domain_used(d), 20 * SEC, 1, "pool 0");
	assert_near(domain_used(e), 20 * SEC, 1, "pool 1");
	assert_true(cpupool_next(1, &info));
	assert_int_equal(info.domains, 1);
	assert_int_equal(cpumask_weight(&info.cpus), 2);
	assert_int_equal(cpupool_destroy(1), -EBUSY);
	assert_int_equal(cpupool_domain_move(e, 0), 0);
	assert_int_equal(cpupool_cpu_remove(1, 2), 0);
	assert_int_equal(cpupool_cpu_remove(1, 3), 0);
	assert_int_equal(cpupool_destroy(1), 0);
	assert_false(cpupool_next(1, &info));
	machine_run(SEC);
	machine_check();
	machine_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fair_one_cpu), cmocka_unit_test(test_fair_many),
		cmocka_unit_test(test_fair_queues), cmocka_unit_test(test_fair_more_than_one_cpu),
		cmocka_unit_test(test_fair_sleeper), cmocka_unit_test(test_cap),
		cmocka_unit_test(test_cap_changes), cmocka_unit_test(test_latency),
		cmocka_unit_test(test_latency_many), cmocka_unit_test(test_starvation),
		cmocka_unit_test(test_affinity_hard), cmocka_unit_test(test_affinity_pinned_and_free),
		cmocka_unit_test(test_affinity_soft), cmocka_unit_test(test_anything),
		cmocka_unit_test(test_null), cmocka_unit_test(test_pools),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
