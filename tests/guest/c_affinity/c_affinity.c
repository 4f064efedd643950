/* SPDX-License-Identifier: BSD-2-Clause */
/* Affinity and scheduling parameters: what is set is what is read, what cannot be is refused, and the domain runs where it may. */
#include <guest/domain.h>
#include <guest/guest.h>

static struct domain d;
static struct xen_domctl op;

static long affinity(u32 cmd, u32 vcpu, u32 flags, u64 *mask)
{
	memset(&op.u, 0, sizeof(op.u));
	op.u.vcpuaffinity.vcpu = vcpu;
	op.u.vcpuaffinity.flags = flags;
	set_xen_guest_handle(op.u.vcpuaffinity.cpumap_hard.bitmap, (u8 *)mask);
	op.u.vcpuaffinity.cpumap_hard.nr_bits = 64;
	set_xen_guest_handle(op.u.vcpuaffinity.cpumap_soft.bitmap, (u8 *)mask);
	op.u.vcpuaffinity.cpumap_soft.nr_bits = 64;
	return domain_control(cmd, d.id, &op);
}

static u32 where(void)
{
	memset(&op.u, 0, sizeof(op.u));
	expect_eq(domain_control(XEN_DOMCTL_getvcpuinfo, d.id, &op), 0);
	return op.u.getvcpuinfo.cpu;
}

static void test_affinity(void)
{
	unsigned int cpu;
	u64 mask;

	test_begin("affinity");
	for (cpu = 0; cpu < 4; cpu++) {
		mask = 1UL << cpu;
		expect_eq(affinity(XEN_DOMCTL_setvcpuaffinity, 0, XEN_VCPUAFFINITY_HARD, &mask), 0);
		expect(yield_until(where() == cpu, 5 * S));
		mask = 0;
		expect_eq(affinity(XEN_DOMCTL_getvcpuaffinity, 0, XEN_VCPUAFFINITY_HARD, &mask), 0);
		expect_eq(mask & 0xf, 1UL << cpu);
	}
	mask = 0;
	expect(affinity(XEN_DOMCTL_setvcpuaffinity, 0, XEN_VCPUAFFINITY_HARD, &mask) < 0);
	/* CPUs that there are not. */
	mask = 0xff00;
	expect(affinity(XEN_DOMCTL_setvcpuaffinity, 0, XEN_VCPUAFFINITY_HARD, &mask) < 0);
	mask = 0xf;
	expect(affinity(XEN_DOMCTL_setvcpuaffinity, 1, XEN_VCPUAFFINITY_HARD, &mask) < 0);
	expect(affinity(XEN_DOMCTL_setvcpuaffinity, 0xffffffff, XEN_VCPUAFFINITY_HARD, &mask) < 0);
	expect(affinity(XEN_DOMCTL_setvcpuaffinity, 0, 0, &mask) < 0);
	expect(affinity(XEN_DOMCTL_setvcpuaffinity, 0, XEN_VCPUAFFINITY_HARD, (u64 *)HYPERVISOR_VIRT_START) < 0);
	expect_eq(where(), 3);
	mask = 0xf;
	expect_eq(affinity(XEN_DOMCTL_setvcpuaffinity, 0, XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT, &mask), 0);
}

static long sched(u32 id, u32 cmd, u16 weight, u16 cap)
{
	memset(&op.u, 0, sizeof(op.u));
	op.u.scheduler_op.sched_id = id;
	op.u.scheduler_op.cmd = cmd;
	op.u.scheduler_op.u.credit2.weight = weight;
	op.u.scheduler_op.u.credit2.cap = cap;
	return domain_control(XEN_DOMCTL_scheduler_op, d.id, &op);
}

static void test_weights(void)
{
	test_begin("weights");
	expect_eq(sched(XEN_SCHEDULER_CREDIT2, XEN_DOMCTL_SCHEDOP_putinfo, 512, 50), 0);
	expect_eq(sched(XEN_SCHEDULER_CREDIT2, XEN_DOMCTL_SCHEDOP_getinfo, 0, 0), 0);
	expect_eq(op.u.scheduler_op.u.credit2.weight, 512);
	expect_eq(op.u.scheduler_op.u.credit2.cap, 50);
	expect(sched(XEN_SCHEDULER_RTDS, XEN_DOMCTL_SCHEDOP_putinfo, 512, 0) < 0);
	expect(sched(0xffffffff, XEN_DOMCTL_SCHEDOP_getinfo, 0, 0) < 0);
	expect(sched(XEN_SCHEDULER_CREDIT2, 99, 0, 0) < 0);
	expect_eq(sched(XEN_SCHEDULER_CREDIT2, XEN_DOMCTL_SCHEDOP_putinfo, 256, 0), 0);
}

void guest_main(void)
{
	if (!(start_info->flags & SIF_INITDOMAIN))
		for (;;)
			__asm__ volatile("pause");
	test_begin("set up");
	if (!expect_eq(child_start(&d, &(struct domain_config){ 0 }, ""), 0))
		return;
	test_affinity();
	test_weights();
	expect_eq(domain_destroy(&d), 0);
}
