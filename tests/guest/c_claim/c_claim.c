/* SPDX-License-Identifier: BSD-2-Clause */
/* Claims: memory that is set aside for a domain; sums are right, others cannot have it, and it goes with the domain. */
#include <guest/domain.h>
#include <guest/guest.h>
#include <xen/memory.h>

static struct domain d, e;
static struct xen_domctl op;

static long claim(domid_t dom, u64 pages)
{
	struct xen_memory_reservation res = { .nr_extents = pages, .domid = dom };

	return HYPERVISOR_memory_op(XENMEM_claim_pages, &res);
}

static u64 outstanding(void)
{
	static struct xen_sysctl sys;

	return expect_eq(system_control(XEN_SYSCTL_physinfo, &sys), 0) ? sys.u.physinfo.outstanding_pages : 0;
}

static long populate(domid_t dom, u64 pfn, unsigned int n)
{
	static xen_pfn_t list[512];
	struct xen_memory_reservation res = { .nr_extents = n, .domid = dom };
	unsigned int i;

	for (i = 0; i < n; i++)
		list[i] = pfn + i;
	set_xen_guest_handle(res.extent_start, list);
	return HYPERVISOR_memory_op(XENMEM_populate_physmap, &res);
}

static void max_set(domid_t dom, u64 pages)
{
	op.u.max_mem.max_memkb = pages * 4;
	expect_eq(domain_control(XEN_DOMCTL_max_mem, dom, &op), 0);
}

void guest_main(void)
{
	struct xen_memory_reservation res = { .nr_extents = 10, .extent_order = 1 };
	u64 all = free_pages();

	test_begin("refused");
	expect_eq(domain_create(&d, &(struct domain_config){ .pages = 64 }), 0);
	expect_eq(domain_create(&e, &(struct domain_config){ .pages = 64 }), 0);
	all = free_pages();
	max_set(d.id, all + 1000);
	max_set(e.id, all + 1000);
	expect(claim(d.id, all + 10000) < 0);
	expect(claim(d.id, ~0UL) < 0);
	expect(claim(0x7000, 10) < 0);
	expect(claim(DOMID_XEN, 10) < 0);
	res.domid = d.id;
	expect(HYPERVISOR_memory_op(XENMEM_claim_pages, &res) < 0);
	expect_eq(outstanding(), 0);
	test_begin("a claim");
	expect_eq(claim(d.id, 64 + 1000), 0);
	expect_eq(outstanding(), 1000);
	/* Once at a time. */
	expect(claim(d.id, 2000) < 0);
	expect_eq(outstanding(), 1000);
	expect_eq(populate(d.id, 64, 100), 100);
	expect_eq(outstanding(), 900);
	test_begin("kept from others");
	expect(claim(e.id, 64 + all - 500) < 0);
	expect_eq(outstanding(), 900);
	expect_eq(claim(e.id, 64 + 100), 0);
	expect_eq(outstanding(), 1000);
	expect_eq(claim(e.id, 0), 0);
	expect_eq(outstanding(), 900);
	test_begin("gone with the domain");
	expect_eq(domain_destroy(&d), 0);
	expect(yield_until(outstanding() == 0, 5 * S));
	expect_eq(domain_destroy(&e), 0);
}
