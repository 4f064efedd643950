/* SPDX-License-Identifier: BSD-2-Clause */
/* memory_op by dom0 for a domain: limits, frames of others, lists that end early, and pages taken while the domain uses them. */
#include <guest/domain.h>
#include <guest/guest.h>
#include <xen/memory.h>

static struct domain d;
static struct xen_domctl op;
static xen_pfn_t list[256];

static long reserve(unsigned int cmd, domid_t dom, u64 n, unsigned int order)
{
	struct xen_memory_reservation res = { .nr_extents = n, .extent_order = order, .domid = dom };

	set_xen_guest_handle(res.extent_start, list);
	return HYPERVISOR_memory_op(cmd, &res);
}

static long pages(unsigned int cmd)
{
	return HYPERVISOR_memory_op(cmd, &(struct xen_memory_domain){ .domid = d.id });
}

static long max_set(u64 kib)
{
	op.u.max_mem.max_memkb = kib;
	return domain_control(XEN_DOMCTL_max_mem, d.id, &op);
}

static void test_limits(void)
{
	test_begin("limits");
	expect_eq(pages(XENMEM_current_reservation), 256);
	expect_eq(pages(XENMEM_maximum_reservation), 256);
	list[0] = 300;
	expect(reserve(XENMEM_populate_physmap, d.id, 1, 0) <= 0);
	expect_eq(max_set(260 * 4), 0);
	list[0] = 300;
	list[1] = 301;
	list[2] = 302;
	list[3] = 303;
	list[4] = 304;
	expect_eq(reserve(XENMEM_populate_physmap, d.id, 5, 0), 4);
	expect_eq(pages(XENMEM_current_reservation), 260);
	expect(reserve(XENMEM_decrease_reservation, d.id, 4, 0) == 4);
	expect_eq(pages(XENMEM_current_reservation), 256);
	expect_eq(max_set(256 * 4), 0);
}

static void test_frames(void)
{
	u64 *window = page_alloc();

	test_begin("frames of others");
	list[0] = va_mfn(window);
	expect(reserve(XENMEM_decrease_reservation, d.id, 1, 0) <= 0);
	list[0] = d.frames[5];
	expect(reserve(XENMEM_decrease_reservation, DOMID_SELF, 1, 0) <= 0);
	expect_eq(pages(XENMEM_current_reservation), 256);
	/* In use here: it goes when it is let go. */
	expect_eq(window_open(window, d.id, d.frames[5], PTE_KERNEL), 0);
	*window = 0x99;
	list[0] = d.frames[5];
	reserve(XENMEM_decrease_reservation, d.id, 1, 0);
	expect_eq(READ_ONCE(*window), 0x99);
	expect_eq(window_close(window), 0);
	expect_eq(pages(XENMEM_current_reservation), 255);
	expect(window_open(window, d.id, d.frames[5], PTE_KERNEL) < 0);
	page_free(window);
}

static void test_lists(void)
{
	static const domid_t nobody[] = { 0x7000, DOMID_XEN, DOMID_IO, DOMID_COW, DOMID_INVALID };
	struct xen_memory_reservation res = { .nr_extents = 4, .domid = d.id };
	unsigned int i;

	test_begin("lists");
	for (i = 0; i < ARRAY_SIZE(nobody); i++) {
		list[0] = 300;
		expect(reserve(XENMEM_populate_physmap, nobody[i], 1, 0) <= 0);
		expect(reserve(XENMEM_decrease_reservation, nobody[i], 1, 0) <= 0);
	}
	set_xen_guest_handle(res.extent_start, (xen_pfn_t *)HYPERVISOR_VIRT_START);
	expect(HYPERVISOR_memory_op(XENMEM_populate_physmap, &res) <= 0);
	set_xen_guest_handle(res.extent_start, (xen_pfn_t *)(HYPERVISOR_VIRT_START - 8));
	expect(HYPERVISOR_memory_op(XENMEM_populate_physmap, &res) <= 0);
	list[0] = ~0UL;
	expect(reserve(XENMEM_populate_physmap, d.id, 1, 0) <= 1);
	expect(pages(XENMEM_current_reservation) <= 256);
}

void guest_main(void)
{
	u64 before;

	test_begin("set up");
	before = free_pages();
	if (!expect_eq(domain_create(&d, &(struct domain_config){ .pages = 256 }), 0))
		return;
	test_limits();
	test_frames();
	test_lists();
	expect_eq(domain_destroy(&d), 0);
	expect(yield_until(!domain_exists(d.id), 5 * S));
	/* What a first domain costs for good is not much. */
	expect_msg(yield_until(free_pages() + 4 >= before, 5 * S), "%lu pages free before, %lu after", before, free_pages());
}
