/* SPDX-License-Identifier: BSD-2-Clause */
/* Extended state, MSRs and CPU policies of a vCPU, read and set: sizes, bits that cannot be, and no bytes that were never written. */
#include <guest/domain.h>
#include <guest/guest.h>

static struct domain d;
static struct xen_domctl op;
static u8 buf[8192];

static long xstate(u32 cmd, u32 vcpu, u64 size, void *to)
{
	/* The mask of features stays what the hypervisor said before. */
	u64 mask = op.u.vcpuextstate.xfeature_mask;

	memset(&op.u, 0, sizeof(op.u));
	op.u.vcpuextstate.vcpu = vcpu;
	op.u.vcpuextstate.xfeature_mask = mask;
	op.u.vcpuextstate.size = size;
	set_xen_guest_handle(op.u.vcpuextstate.buffer, to);
	return domain_control(cmd, d.id, &op);
}

static void test_xstate(void)
{
	u64 size, *word = (u64 *)(void *)buf;

	test_begin("extended state");
	memset(&op.u, 0, sizeof(op.u));
	if (xstate(XEN_DOMCTL_getvcpuextstate, 0, 0, NULL) != 0) {
		test_skip("there is none");
		return;
	}
	size = op.u.vcpuextstate.size;
	expect(size > 16 && size < sizeof(buf));
	memset(buf, 0xa5, sizeof(buf));
	expect_eq(xstate(XEN_DOMCTL_getvcpuextstate, 0, size, buf), 0);
	expect_eq(buf[size], 0xa5);
	expect(xstate(XEN_DOMCTL_getvcpuextstate, 1, size, buf) < 0);
	expect(xstate(XEN_DOMCTL_getvcpuextstate, 0, 8, buf) < 0);
	expect(xstate(XEN_DOMCTL_getvcpuextstate, 0, size, (void *)HYPERVISOR_VIRT_START) < 0);
	/* XCR0 and its accumulated value come first. */
	word[0] = 1UL << 62;
	expect(xstate(XEN_DOMCTL_setvcpuextstate, 0, size, buf) < 0);
	word[0] = 4;
	word[1] = 7;
	expect(xstate(XEN_DOMCTL_setvcpuextstate, 0, size, buf) < 0);
	word[0] = 3;
	word[1] = 1UL << 50 | 3;
	expect(xstate(XEN_DOMCTL_setvcpuextstate, 0, size, buf) < 0);
	expect(xstate(XEN_DOMCTL_setvcpuextstate, 0, 8, buf) < 0);
	expect(xstate(XEN_DOMCTL_setvcpuextstate, 0, ~0UL, buf) < 0);
	expect(xstate(XEN_DOMCTL_setvcpuextstate, 9, size, buf) < 0);
	/* A header with reserved bits, and MXCSR with bits that fault. */
	memset(buf, 0, sizeof(buf));
	word[0] = word[1] = 3;
	word[2 + 64] = 1UL << 40;
	expect(xstate(XEN_DOMCTL_setvcpuextstate, 0, size, buf) < 0);
	word[2 + 64] = 3;
	word[2 + 66] = 1;
	expect(xstate(XEN_DOMCTL_setvcpuextstate, 0, size, buf) < 0);
}

static long msrs(u32 cmd, u32 vcpu, u32 count, void *to)
{
	memset(&op.u, 0, sizeof(op.u));
	op.u.vcpu_msrs.vcpu = vcpu;
	op.u.vcpu_msrs.msr_count = count;
	set_xen_guest_handle(op.u.vcpu_msrs.msrs, to);
	return domain_control(cmd, d.id, &op);
}

static void test_msrs(void)
{
	static const u32 bad[] = { 0xc0000080, 0xc0000082, 0x1b, 0x277, 0x174, 0xffffffff, 0x10, 0x3a };
	xen_domctl_vcpu_msr_t *list = (xen_domctl_vcpu_msr_t *)(void *)buf;
	unsigned int i;

	test_begin("MSRs");
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		memset(buf, 0, sizeof(buf));
		list[0].index = bad[i];
		list[0].value = HYPERVISOR_VIRT_START;
		expect_msg(msrs(XEN_DOMCTL_set_vcpu_msrs, 0, 1, list) < 0, "MSR %x", bad[i]);
	}
	expect(msrs(XEN_DOMCTL_set_vcpu_msrs, 5, 0, list) < 0);
	expect(msrs(XEN_DOMCTL_set_vcpu_msrs, 0, 0xffffffff, list) < 0);
	expect(msrs(XEN_DOMCTL_set_vcpu_msrs, 0, 4, (void *)HYPERVISOR_VIRT_START) < 0);
}

static void test_policy(void)
{
	static xen_cpuid_leaf_t leaves[256];
	static xen_msr_entry_t entries[16];
	xen_domctl_cpu_policy_t *p = &op.u.cpu_policy;
	unsigned int n, i;

	test_begin("CPU policy");
	memset(&op.u, 0, sizeof(op.u));
	memset(leaves, 0xa5, sizeof(leaves));
	set_xen_guest_handle(p->leaves, leaves);
	set_xen_guest_handle(p->msrs, entries);
	p->nr_leaves = ARRAY_SIZE(leaves);
	p->nr_msrs = ARRAY_SIZE(entries);
	expect_eq(domain_control(XEN_DOMCTL_get_cpu_policy, d.id, &op), 0);
	n = p->nr_leaves;
	if (!expect(n > 5 && n < ARRAY_SIZE(leaves) && p->nr_msrs <= ARRAY_SIZE(entries)))
		return;
	expect_eq(((u8 *)leaves)[n * sizeof(leaves[0])], 0xa5);
	/* Not enough room. */
	p->nr_leaves = 1;
	expect(domain_control(XEN_DOMCTL_get_cpu_policy, d.id, &op) < 0);
	/* SVM, VMX, MONITOR: not for PV, whoever asks. Refused or not there afterwards. */
	for (i = 0; i < n; i++)
		if (leaves[i].leaf == 1)
			leaves[i].c |= 1U << 5 | 1U << 3;
	p->nr_leaves = n;
	p->nr_msrs = 0;
	if (domain_control(XEN_DOMCTL_set_cpu_policy, d.id, &op) == 0) {
		p->nr_leaves = ARRAY_SIZE(leaves);
		p->nr_msrs = ARRAY_SIZE(entries);
		expect_eq(domain_control(XEN_DOMCTL_get_cpu_policy, d.id, &op), 0);
		for (i = 0; i < p->nr_leaves; i++)
			if (leaves[i].leaf == 1)
				expect(!(leaves[i].c & (1U << 5)));
	}
	p->nr_leaves = 0xffffffff;
	expect(domain_control(XEN_DOMCTL_set_cpu_policy, d.id, &op) < 0);
	p->nr_leaves = 4;
	set_xen_guest_handle(p->leaves, (void *)HYPERVISOR_VIRT_START);
	expect(domain_control(XEN_DOMCTL_set_cpu_policy, d.id, &op) < 0);
}

void guest_main(void)
{
	test_begin("set up");
	if (!expect_eq(domain_create(&d, &(struct domain_config){ .pages = 64 }), 0))
		return;
	test_xstate();
	test_msrs();
	test_policy();
	expect_eq(domain_destroy(&d), 0);
}
