/* SPDX-License-Identifier: BSD-2-Clause */
/* A domain gives back nearly all it has and takes it again, in pieces of all orders: it gets no more than it had, and works after it. */
#include <guest/guest.h>
#include <xen/memory.h>

#define MAPPED 2048 /* the tables map the frames below */

static xen_pfn_t list[512];

static long reserve(unsigned int cmd, unsigned int n, unsigned int order)
{
	struct xen_memory_reservation res = { .nr_extents = n, .extent_order = order, .domid = DOMID_SELF };

	set_xen_guest_handle(res.extent_start, list);
	return HYPERVISOR_memory_op(cmd, &res);
}

static long current(void)
{
	return HYPERVISOR_memory_op(XENMEM_current_reservation, &(struct xen_memory_domain){ .domid = DOMID_SELF });
}

void guest_main(void)
{
	u64 *p2m = (u64 *)start_info->mfn_list, *page = page_alloc();
	u64 free = start_info->nr_pages - MAPPED, pfn;
	long before = current();
	unsigned int n, order;

	test_begin("give back");
	for (pfn = MAPPED; pfn < start_info->nr_pages; pfn += n) {
		for (n = 0; n < ARRAY_SIZE(list) && pfn + n < start_info->nr_pages; n++)
			list[n] = p2m[pfn + n];
		if (!expect_eq(reserve(XENMEM_decrease_reservation, n, 0), n))
			return;
	}
	expect_eq(current(), before - (long)free);
	test_begin("take in extents");
	for (order = 9, pfn = MAPPED; pfn < start_info->nr_pages;) {
		unsigned int k;

		list[0] = pfn;
		if (pfn + (1UL << order) > start_info->nr_pages || reserve(XENMEM_populate_physmap, 1, order) != 1) {
			if (!expect(order-- > 0))
				return;
			continue;
		}
		expect_eq(list[0] & ((1UL << order) - 1), 0);
		for (k = 0; k < 1U << order; k++) {
			p2m[pfn + k] = list[0] + k;
			if (mfn_pfn(list[0] + k) != pfn + k) {
				expect_eq(mfn_pfn(list[0] + k), pfn + k);
				return;
			}
		}
		pfn += 1UL << order;
	}
	expect_eq(current(), before);
	list[0] = start_info->nr_pages;
	expect(reserve(XENMEM_populate_physmap, 1, 0) <= 0);
	test_begin("all of it can be used");
	for (pfn = MAPPED; pfn < start_info->nr_pages; pfn++) {
		if (!expect_eq(va_map(page, mfn_pte(p2m[pfn], PTE_KERNEL)), 0))
			return;
		*page = pfn;
	}
	for (pfn = MAPPED; pfn < start_info->nr_pages; pfn++) {
		if (!expect_eq(va_map(page, mfn_pte(p2m[pfn], PTE_KERNEL)), 0) || !expect_eq(*page, pfn))
			return;
	}
	require(va_map(page, mfn_pte(va_mfn(page), PTE_KERNEL)));
}
