/* SPDX-License-Identifier: BSD-2-Clause */
/* CPU pools: made, filled, emptied; domains in them; and everything that must be refused. */
#include <guest/domain.h>
#include <guest/guest.h>

static struct xen_sysctl sys;
static struct domain d;

static long pool(u32 what, u32 id, u32 cpu, u32 dom)
{
	memset(&sys, 0, sizeof(sys));
	sys.u.cpupool_op.op = what;
	sys.u.cpupool_op.cpupool_id = id;
	sys.u.cpupool_op.cpu = cpu;
	sys.u.cpupool_op.domid = dom;
	sys.u.cpupool_op.sched_id = XEN_SCHEDULER_CREDIT2;
	return system_control(XEN_SYSCTL_cpupool_op, &sys);
}

static void test_refused(void)
{
	static const u32 numbers[] = { 77, 1000, 0x7fffffff, 0x80000000, 0xfffffffe };
	unsigned int i;

	test_begin("refused");
	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		expect(pool(XEN_SYSCTL_CPUPOOL_OP_DESTROY, numbers[i], 0, 0) < 0);
		expect(pool(XEN_SYSCTL_CPUPOOL_OP_ADDCPU, numbers[i], 1, 0) < 0);
		expect(pool(XEN_SYSCTL_CPUPOOL_OP_RMCPU, numbers[i], 1, 0) < 0);
		expect(pool(XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, numbers[i], 0, 0) < 0);
		expect(pool(XEN_SYSCTL_CPUPOOL_OP_ADDCPU, 0, numbers[i], 0) < 0);
		expect(pool(XEN_SYSCTL_CPUPOOL_OP_RMCPU, 0, numbers[i], 0) < 0);
		expect(pool(XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, 0, 0, numbers[i]) < 0);
		expect(pool(numbers[i], 0, 0, 0) < 0);
	}
	/* The first pool stays; a CPU that is in a pool is not added again. */
	expect(pool(XEN_SYSCTL_CPUPOOL_OP_DESTROY, 0, 0, 0) < 0);
	expect(pool(XEN_SYSCTL_CPUPOOL_OP_ADDCPU, 0, 1, 0) < 0);
}

static void test_use(void)
{
	u32 id;

	test_begin("a pool of one CPU");
	if (!expect_eq(pool(XEN_SYSCTL_CPUPOOL_OP_CREATE, XEN_SYSCTL_CPUPOOL_PAR_ANY, 0, 0), 0))
		return;
	id = sys.u.cpupool_op.cpupool_id;
	expect(id != 0);
	expect(pool(XEN_SYSCTL_CPUPOOL_OP_CREATE, id, 0, 0) < 0);
	/* No CPU, no domain. */
	expect(child_start(&d, &(struct domain_config){ .pool = id }, "") < 0);
	expect_eq(pool(XEN_SYSCTL_CPUPOOL_OP_RMCPU, 0, 3, 0), 0);
	expect_eq(pool(XEN_SYSCTL_CPUPOOL_OP_ADDCPU, id, 3, 0), 0);
	expect_eq(child_start(&d, &(struct domain_config){ .pool = id, .vcpus = 2 }, "stay"), 0);
	expect(pool(XEN_SYSCTL_CPUPOOL_OP_DESTROY, id, 0, 0) < 0);
	expect(pool(XEN_SYSCTL_CPUPOOL_OP_RMCPU, id, 3, 0) < 0);
	expect(pool(XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, 77, 0, d.id) < 0);
	/* There and back while it runs. */
	expect_eq(pool(XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, 0, 0, d.id), 0);
	time_spin(5 * MS);
	expect(!(domain_state(d.id) & (XEN_DOMINF_shutdown | XEN_DOMINF_dying)));
	expect_eq(pool(XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, id, 0, d.id), 0);
	expect_eq(domain_destroy(&d), 0);
	expect(yield_until(!domain_exists(d.id), 5 * S));
	expect_eq(pool(XEN_SYSCTL_CPUPOOL_OP_RMCPU, id, 3, 0), 0);
	expect_eq(pool(XEN_SYSCTL_CPUPOOL_OP_DESTROY, id, 0, 0), 0);
	expect(child_start(&d, &(struct domain_config){ .pool = id }, "") < 0);
	expect_eq(pool(XEN_SYSCTL_CPUPOOL_OP_ADDCPU, 0, 3, 0), 0);
}

void guest_main(void)
{
	if (!(start_info->flags & SIF_INITDOMAIN))
		for (;;)
			HYPERVISOR_sched_op(SCHEDOP_yield, NULL);
	test_refused();
	test_use();
}
