/* SPDX-License-Identifier: BSD-2-Clause */
/* sysctl about schedulers and CPU pools. */
#include <hv/sched.h>
#include "tests.h"

static long pool(struct xen_sysctl_cpupool_op *p)
{
	struct xen_sysctl op = { .u.cpupool_op = *p };
	long rc = kit_sysctl(kit_v0, XEN_SYSCTL_cpupool_op, &op);

	*p = op.u.cpupool_op;
	return rc;
}

static long do_pool(u32 cmd, u32 id, u32 cpu, u32 domid, u32 sched)
{
	struct xen_sysctl_cpupool_op p = { .op = cmd, .cpupool_id = id, .cpu = cpu, .domid = domid, .sched_id = sched };

	return pool(&p);
}

static void test_sched_params(void **state)
{
	struct xen_sysctl op = { 0 };
	struct xen_sysctl_scheduler_op *s = &op.u.scheduler_op;

	(void)state;
	assert_int_equal(kit_sysctl(kit_v0, XEN_SYSCTL_sched_id, &op), 0);
	assert_int_equal(op.u.sched_id.sched_id, XEN_SCHEDULER_CREDIT2);
	memset(&op, 0, sizeof(op));
	s->sched_id = XEN_SCHEDULER_CREDIT;
	s->cmd = XEN_SYSCTL_SCHEDOP_getinfo;
	assert_int_equal(kit_sysctl(kit_v0, XEN_SYSCTL_scheduler_op, &op), -EINVAL);
	s->cpupool_id = 5;
	assert_int_equal(kit_sysctl(kit_v0, XEN_SYSCTL_scheduler_op, &op), -EINVAL);
	s->cpupool_id = 0;
	s->sched_id = XEN_SCHEDULER_CREDIT2;
	assert_int_equal(kit_sysctl(kit_v0, XEN_SYSCTL_scheduler_op, &op), 0);
	assert_int_equal(s->u.sched_credit2.ratelimit_us, 1000);
	s->cmd = XEN_SYSCTL_SCHEDOP_putinfo;
	s->u.sched_credit2.ratelimit_us = 50;
	assert_int_equal(kit_sysctl(kit_v0, XEN_SYSCTL_scheduler_op, &op), -EINVAL);
	s->u.sched_credit2.ratelimit_us = 500;
	assert_int_equal(kit_sysctl(kit_v0, XEN_SYSCTL_scheduler_op, &op), 0);
	s->cmd = 7;
	assert_int_equal(kit_sysctl(kit_v0, XEN_SYSCTL_scheduler_op, &op), -EINVAL);
	assert_int_equal(do_pool(99, 0, 0, 0, 0), -ENOSYS);
	/* The credit form has two numbers more. */
	assert_int_equal(do_pool(XEN_SYSCTL_CPUPOOL_OP_CREATE, 3, 0, 0, XEN_SCHEDULER_CREDIT), 0);
	memset(&op, 0, sizeof(op));
	s->cpupool_id = 3;
	s->sched_id = XEN_SCHEDULER_CREDIT;
	s->cmd = XEN_SYSCTL_SCHEDOP_putinfo;
	s->u.sched_credit.tslice_ms = 5;
	s->u.sched_credit.ratelimit_us = 6000;
	assert_int_equal(kit_sysctl(kit_v0, XEN_SYSCTL_scheduler_op, &op), -EINVAL);
	s->u.sched_credit.ratelimit_us = 0;
	assert_int_equal(kit_sysctl(kit_v0, XEN_SYSCTL_scheduler_op, &op), 0);
	assert_int_equal(s->u.sched_credit.tslice_ms, 5);
	assert_int_equal(do_pool(XEN_SYSCTL_CPUPOOL_OP_DESTROY, 3, 0, 0, 0), 0);
}

static void test_pools(void **state)
{
	struct xen_sysctl_cpupool_op p = { .op = XEN_SYSCTL_CPUPOOL_OP_CREATE, .cpupool_id = XEN_SYSCTL_CPUPOOL_PAR_ANY,
					   .sched_id = 77 };
	struct xen_domctl op = { 0 };
	u32 id;

	(void)state;
	assert_int_equal(pool(&p), -EINVAL);
	p.sched_id = XEN_SCHEDULER_CREDIT2;
	assert_int_equal(pool(&p), 0);
	id = p.cpupool_id;
	assert_int_equal(do_pool(XEN_SYSCTL_CPUPOOL_OP_CREATE, id, 0, 0, XEN_SCHEDULER_CREDIT2), -EEXIST);
	p = (struct xen_sysctl_cpupool_op){ .op = XEN_SYSCTL_CPUPOOL_OP_INFO, .cpupool_id = 1, .cpumap = bitmap_of(~0UL) };
	assert_int_equal(pool(&p), 0);
	assert_int_equal(p.cpupool_id, id);
	assert_int_equal(p.n_dom, 0);
	assert_int_equal(bitmap_value(&p.cpumap), 0);
	p.cpupool_id = id + 1;
	assert_int_equal(pool(&p), -ENOENT);
	/* No CPU is free, none there is. */
	assert_int_equal(do_pool(XEN_SYSCTL_CPUPOOL_OP_ADDCPU, id, XEN_SYSCTL_CPUPOOL_PAR_ANY, 0, 0), -EBUSY);
	assert_int_equal(do_pool(XEN_SYSCTL_CPUPOOL_OP_ADDCPU, id, 1000, 0, 0), -EINVAL);
	assert_int_equal(do_pool(XEN_SYSCTL_CPUPOOL_OP_RMCPU, 0, 77777, 0, 0), -EINVAL);
	assert_int_equal(do_pool(XEN_SYSCTL_CPUPOOL_OP_RMCPU, 17, XEN_SYSCTL_CPUPOOL_PAR_ANY, 0, 0), -ENOENT);
	assert_int_equal(do_pool(XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, id, 0, 1, 0), -EBUSY);
	assert_int_equal(do_pool(XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, id, 0, 0, 0), -EINVAL);
	assert_int_equal(do_pool(XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, id, 0, 50, 0), -ESRCH);
	assert_int_equal(do_pool(XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, id, 0, 0x10001, 0), -ESRCH);
	/* The last CPU is the one that "any" takes away. */
	assert_int_equal(do_pool(XEN_SYSCTL_CPUPOOL_OP_RMCPU, 0, XEN_SYSCTL_CPUPOOL_PAR_ANY, 0, 0), 0);
	p = (struct xen_sysctl_cpupool_op){ .op = XEN_SYSCTL_CPUPOOL_OP_FREEINFO, .cpumap = bitmap_of(0) };
	assert_int_equal(pool(&p), 0);
	assert_int_equal(bitmap_value(&p.cpumap), 1 << 3);
	assert_null(full_current(3));
	assert_int_equal(do_pool(XEN_SYSCTL_CPUPOOL_OP_ADDCPU, id, XEN_SYSCTL_CPUPOOL_PAR_ANY, 0, 0), 0);
	assert_int_equal(do_pool(XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, id, 0, 1, 0), 0);
	full_settle();
	full_time(20000000);
	/* Both vCPUs share its CPU now. */
	assert_true(full_current(3) && full_current(3)->domain == kit_guest);
	assert_null(full_current(2));
	assert_int_equal(do_pool(XEN_SYSCTL_CPUPOOL_OP_RMCPU, id, 3, 0, 0), -EBUSY);
	assert_int_equal(do_pool(XEN_SYSCTL_CPUPOOL_OP_DESTROY, id, 0, 0, 0), -EBUSY);
	assert_int_equal(kit_domctl(kit_v0, XEN_DOMCTL_getdomaininfo, 1, &op), 0);
	assert_int_equal(op.u.getdomaininfo.cpupool, id);
	assert_int_equal(do_pool(XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, 0, 0, 1, 0), 0);
	assert_int_equal(do_pool(XEN_SYSCTL_CPUPOOL_OP_RMCPU, id, 3, 0, 0), 0);
	assert_int_equal(do_pool(XEN_SYSCTL_CPUPOOL_OP_DESTROY, id, 0, 0, 0), 0);
	assert_int_equal(do_pool(XEN_SYSCTL_CPUPOOL_OP_ADDCPU, 0, 3, 0, 0), 0);
	full_settle();
	full_time(20000000);
	sim_run(kit_guest->vcpu[1], 3);
}

int pool_tests(void)
{
	const struct CMUnitTest tests[] = { T(test_sched_params), T(test_pools) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
