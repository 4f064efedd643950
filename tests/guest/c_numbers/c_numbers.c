/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers of new domains: wanted ones, taken ones, reserved ones; limits and flags that cannot be. */
#include <guest/domain.h>
#include <guest/guest.h>

static struct xen_domctl op;

static void good(void)
{
	memset(&op, 0, sizeof(op));
	op.u.createdomain.handle[0] = 1;
	op.u.createdomain.max_vcpus = 1;
	op.u.createdomain.max_evtchn_port = 1023;
	op.u.createdomain.max_grant_frames = 4;
	op.u.createdomain.max_maptrack_frames = 4;
	op.u.createdomain.grant_opts = XEN_DOMCTL_GRANT_version(1);
}

static long create(domid_t wanted)
{
	long ret = domain_control(XEN_DOMCTL_createdomain, wanted, &op);
	domid_t made = op.domain;

	good();
	if (ret == 0) {
		expect(made != 0 && made < DOMID_FIRST_RESERVED);
		expect_eq(domain_control(XEN_DOMCTL_destroydomain, made, &op), 0);
		expect(yield_until(!domain_exists(made), 5 * S));
		good();
		return made;
	}
	return ret;
}

/* Version 0: a domain without a grant table. */
static void test_grants(void)
{
	xen_pfn_t frame;
	struct gnttab_setup_table setup = { .nr_frames = 1 };

	test_begin("no grants");
	good();
	op.u.createdomain.grant_opts = XEN_DOMCTL_GRANT_version(0);
	if (domain_control(XEN_DOMCTL_createdomain, 0, &op))
		return;
	setup.dom = op.domain;
	set_xen_guest_handle(setup.frame_list, &frame);
	expect(HYPERVISOR_grant_table_op(GNTTABOP_setup_table, &setup, 1) < 0 || setup.status < 0);
	expect_eq(domain_control(XEN_DOMCTL_destroydomain, setup.dom, &op), 0);
}

void guest_main(void)
{
	test_begin("numbers");
	good();
	expect_eq(create(77), 77);
	expect(create(0) > 0);
	expect(create(DOMID_FIRST_RESERVED - 1) > 0);
	expect(create(DOMID_SELF) > 0 || create(DOMID_SELF) == -XEN_EINVAL);
	good();
	expect_eq(domain_control(XEN_DOMCTL_createdomain, 99, &op), 0);
	good();
	expect_eq(domain_control(XEN_DOMCTL_createdomain, 99, &op), -XEN_EEXIST);
	expect_eq(domain_control(XEN_DOMCTL_destroydomain, 99, &op), 0);
	test_begin("refused");
	good();
	op.u.createdomain.max_vcpus = 0;
	expect(create(0) < 0);
	op.u.createdomain.max_vcpus = 1000000;
	expect(create(0) < 0);
	op.u.createdomain.grant_opts = XEN_DOMCTL_GRANT_version(3);
	expect(create(0) < 0);
	op.u.createdomain.grant_opts = ~0U;
	expect(create(0) < 0);
	op.u.createdomain.cpupool_id = 1234;
	expect(create(0) < 0);
	op.u.createdomain.flags = ~XEN_DOMCTL_CDF_MAX << 1;
	expect(create(0) < 0);
	op.u.createdomain.iommu_opts = ~0U;
	expect(create(0) < 0);
	op.u.createdomain.arch.emulation_flags = ~0U;
	expect(create(0) < 0);
	op.u.createdomain.arch.misc_flags = ~0U;
	expect(create(0) < 0);
	op.u.createdomain.vmtrace_size = 12345;
	expect(create(0) < 0);
	op.u.createdomain.max_grant_frames = 0x7fffffff;
	expect(create(0) < 0);
	op.u.createdomain.max_maptrack_frames = 0x7fffffff;
	expect(create(0) < 0);
	good();
	expect(create(0) > 0);
	test_grants();
}
