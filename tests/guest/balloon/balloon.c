/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory given back and taken by the thousand: no page is lost, none comes twice, and no request is too big to refuse. */
#include <guest/guest.h>
#include <xen/memory.h>

#define PAGES 1500

static xen_pfn_t frames[PAGES], pfns[PAGES];

static long reservation(unsigned int cmd, xen_pfn_t *list, u64 n, unsigned int order)
{
	struct xen_memory_reservation op = { .nr_extents = n, .extent_order = order, .domid = DOMID_SELF };

	set_xen_guest_handle(op.extent_start, list);
	return HYPERVISOR_memory_op(cmd, &op);
}

static long current_pages(void)
{
	struct xen_memory_domain op = { .domid = DOMID_SELF };

	return HYPERVISOR_memory_op(XENMEM_current_reservation, &op);
}

/* Frames behind the first mapping: nothing maps them. */
static void test_cycles(void)
{
	u64 *p2m = (u64 *)start_info->mfn_list;
	u64 first = start_info->nr_pages - PAGES;
	long before = current_pages();
	unsigned int i, round, twice = 0;

	test_begin("give and take");
	for (round = 0; round < 4; round++) {
		for (i = 0; i < PAGES; i++)
			frames[i] = p2m[first + i];
		expect_eq(reservation(XENMEM_decrease_reservation, frames, PAGES, 0), PAGES);
		expect_eq(current_pages(), before - PAGES);
		/* A second time: they are gone. */
		expect_eq(reservation(XENMEM_decrease_reservation, frames, PAGES, 0), 0);
		for (i = 0; i < PAGES; i++)
			pfns[i] = first + i;
		expect_eq(reservation(XENMEM_populate_physmap, pfns, PAGES, 0), PAGES);
		expect_eq(current_pages(), before);
		for (i = 0; i < PAGES; i++) {
			p2m[first + i] = pfns[i];
			twice += mfn_pfn(pfns[i]) != first + i;
		}
		expect_eq(twice, 0);
	}
}

static void test_too_much(void)
{
	static const unsigned int orders[] = { 19, 32, 52, 63, 64, 0x7fffffff, 0xffffffff };
	xen_pfn_t one = 0;
	long before = current_pages();
	unsigned int i;

	test_begin("more than there is");
	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		one = start_info->nr_pages + 1000;
		expect(reservation(XENMEM_populate_physmap, &one, 1, orders[i]) <= 0);
		expect(reservation(XENMEM_increase_reservation, &one, 1, orders[i]) <= 0);
		one = 0;
		expect(reservation(XENMEM_decrease_reservation, &one, 1, orders[i]) <= 0);
	}
	expect(reservation(XENMEM_populate_physmap, &one, ~0UL, 0) <= 0);
	expect(reservation(XENMEM_decrease_reservation, &one, 1UL << 60, 0) <= 0);
	expect_eq(current_pages(), before);
	/* The list ends in a hole: what could be done is done and counted. */
	expect(reservation(XENMEM_decrease_reservation, (xen_pfn_t *)HYPERVISOR_VIRT_START, 10, 0) <= 0);
	expect_eq(current_pages(), before);
}

/* In use: mapped frames and tables do not go to others while they are seen. */
static void test_in_use(void)
{
	u64 *page = page_alloc();
	xen_pfn_t frame = va_mfn(kernel_root());
	long before = current_pages();

	test_begin("frames in use");
	/* Its contents are the domain's as long as it is mapped, whoever counts it. */
	*page = 0x5555;
	expect_eq(frame, va_mfn(kernel_root()));
	frame = va_mfn(page);
	reservation(XENMEM_decrease_reservation, &frame, 1, 0);
	expect_eq(READ_ONCE(*page), 0x5555);
	WRITE_ONCE(*page, 0x6666);
	expect_eq(READ_ONCE(*page), 0x6666);
	expect(current_pages() >= before - 1);
}

static void test_exchange(void)
{
	struct xen_memory_exchange op = {
		.in = { .nr_extents = 16, .domid = DOMID_SELF },
		.out = { .nr_extents = 1, .extent_order = 4, .domid = DOMID_SELF },
	};
	u64 *p2m = (u64 *)start_info->mfn_list;
	u64 first = start_info->nr_pages - 64;
	xen_pfn_t out = first;
	long before = current_pages(), ret;
	unsigned int i;

	test_begin("sixteen frames for one extent of sixteen");
	set_xen_guest_handle(op.in.extent_start, frames);
	set_xen_guest_handle(op.out.extent_start, &out);
	for (i = 0; i < 16; i++)
		frames[i] = p2m[first + i];
	ret = HYPERVISOR_memory_op(XENMEM_exchange, &op);
	if (expect_eq(ret, 0)) {
		expect_eq(op.nr_exchanged, 16);
		expect_eq(out & 15, 0);
		for (i = 0; i < 16; i++) {
			expect_eq(mfn_pfn(out + i), first + i);
			p2m[first + i] = out + i;
		}
	}
	expect_eq(current_pages(), before);
	/* Sums that do not match, twice the same frame, counts that overflow. */
	op.nr_exchanged = 0;
	op.out.nr_extents = 2;
	expect(HYPERVISOR_memory_op(XENMEM_exchange, &op) < 0);
	op.out.nr_extents = 1;
	for (i = 0; i < 16; i++)
		frames[i] = p2m[first];
	op.nr_exchanged = 0;
	expect(HYPERVISOR_memory_op(XENMEM_exchange, &op) < 0);
	op.in.nr_extents = 1UL << 60;
	op.out.nr_extents = 1UL << 56;
	op.nr_exchanged = 0;
	expect(HYPERVISOR_memory_op(XENMEM_exchange, &op) < 0);
	op.nr_exchanged = ~0UL;
	expect(HYPERVISOR_memory_op(XENMEM_exchange, &op) < 0);
	expect_eq(current_pages(), before);
}

void guest_main(void)
{
	test_cycles();
	test_too_much();
	test_exchange();
	test_in_use();
}
