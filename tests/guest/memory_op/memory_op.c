/* SPDX-License-Identifier: BSD-2-Clause */
/* memory_op: pages given back and taken, exchanged for pages in a row, limits, the tables and maps that it describes. */
#include <guest/guest.h>
#include <xen/memory.h>

#define PAGES 32

static void *page[PAGES];
static xen_pfn_t frames[PAGES], out[PAGES];

static struct xen_memory_reservation reservation(unsigned long n, xen_pfn_t *list)
{
	struct xen_memory_reservation r = { .nr_extents = n, .domid = DOMID_SELF };

	set_xen_guest_handle(r.extent_start, list);
	return r;
}

static long reserve(unsigned int op, unsigned long n, xen_pfn_t *list)
{
	struct xen_memory_reservation r = reservation(n, list);

	return HYPERVISOR_memory_op(op, &r);
}

static long current_pages(void)
{
	struct xen_memory_domain d = { .domid = DOMID_SELF };

	return HYPERVISOR_memory_op(XENMEM_current_reservation, &d);
}

/* Takes pages from the pool and their mappings away; their frames are in frames[]. */
static void pages_unmap(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		page[i] = page_alloc();
		*(u64 *)page[i] = 0x1234;
		frames[i] = va_mfn(page[i]);
		expect_eq(va_map(page[i], 0), 0);
	}
}

/* Maps a page's frame, which may be another one than before. */
static void page_map(void *p, u64 mfn)
{
	((xen_pfn_t *)start_info->mfn_list)[va_pfn(p)] = mfn;
	expect_eq(va_map(p, mfn_pte(mfn, PTE_KERNEL)), 0);
}

static void pages_map(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		page_map(page[i], frames[i]);
		page_free(page[i]);
	}
}

static void test_balloon(void)
{
	long had = current_pages();
	u64 sum = 0;

	test_begin("give back and take");
	expect(had > PAGES);
	pages_unmap(PAGES);
	expect_eq(reserve(XENMEM_decrease_reservation, PAGES, frames), PAGES);
	expect_eq(current_pages(), had - PAGES);
	/* What was given back cannot be mapped any more, or given again. */
	expect(va_map(page[0], mfn_pte(frames[0], PTE_KERNEL)) < 0);
	expect_eq(reserve(XENMEM_decrease_reservation, 1, frames), 0);
	for (unsigned int i = 0; i < PAGES; i++)
		frames[i] = va_pfn(page[i]);
	expect_eq(reserve(XENMEM_populate_physmap, PAGES, frames), PAGES);
	expect_eq(current_pages(), had);
	for (unsigned int i = 0; i < PAGES; i++) {
		expect_eq(mfn_pfn(frames[i]), va_pfn(page[i]));
		page_map(page[i], frames[i]);
		for (unsigned int k = 0; k < PAGE_SIZE / 8; k++)
			sum |= ((u64 *)page[i])[k];
		page_free(page[i]);
	}
	/* Our own old contents at most. */
	expect(sum == 0 || sum == 0x1234);
}

static void test_mapped(void)
{
	void *p = page_alloc();
	xen_pfn_t mfn = va_mfn(p), pfn = va_pfn(p);
	long had = current_pages();

	test_begin("give back a mapped page");
	*(u64 *)p = 77;
	expect_eq(reserve(XENMEM_decrease_reservation, 1, &mfn), 1);
	expect_eq(*(u64 *)p, 77);
	expect_eq(current_pages(), had);
	expect_eq(va_map(p, 0), 0);
	expect_eq(current_pages(), had - 1);
	expect_eq(reserve(XENMEM_populate_physmap, 1, &pfn), 1);
	page_map(p, pfn);
	page_free(p);
}

static void test_exchange(void)
{
	struct xen_memory_exchange x = { .in = reservation(PAGES, frames), .out = reservation(1, out) };
	long had = current_pages();

	test_begin("exchange");
	pages_unmap(PAGES);
	out[0] = va_pfn(page[0]);
	x.out.extent_order = 5;
	x.out.mem_flags = XENMEMF_address_bits(32);
	expect_eq(HYPERVISOR_memory_op(XENMEM_exchange, &x), 0);
	expect_eq(x.nr_exchanged, PAGES);
	expect_eq(out[0] % PAGES, 0);
	expect(out[0] < 1UL << 20);
	expect_eq(mfn_pfn(out[0] + 5), va_pfn(page[0]) + 5);
	expect_eq(current_pages(), had);
	/* And single frames again. */
	x = (struct xen_memory_exchange){ .in = reservation(1, out), .out = reservation(PAGES, frames) };
	x.in.extent_order = 5;
	for (unsigned int i = 0; i < PAGES; i++)
		frames[i] = va_pfn(page[i]);
	expect_eq(HYPERVISOR_memory_op(XENMEM_exchange, &x), 0);
	expect_eq(x.nr_exchanged, 1);
	pages_map(PAGES);
	/* One that is still mapped stops it, and nothing has changed. */
	pages_unmap(2);
	expect_eq(va_map(page[1], mfn_pte(frames[1], PTE_KERNEL)), 0);
	x = (struct xen_memory_exchange){ .in = reservation(2, frames), .out = reservation(1, out) };
	x.out.extent_order = 1;
	expect(HYPERVISOR_memory_op(XENMEM_exchange, &x) < 0);
	expect_eq(x.nr_exchanged, 0);
	expect_eq(mfn_pfn(frames[0]), va_pfn(page[0]));
	pages_map(2);
}

static void test_refused(void)
{
	struct xen_memory_reservation r = reservation(1, frames);
	long had = current_pages();

	test_begin("refused");
	frames[0] = ~0UL;
	expect_eq(reserve(XENMEM_decrease_reservation, 1, frames), 0);
	frames[0] = start_info->shared_info >> PAGE_SHIFT;
	expect_eq(reserve(XENMEM_decrease_reservation, 1, frames), 0);
	expect(reserve(XENMEM_populate_physmap, 1, (void *)8) <= 0);
	expect(HYPERVISOR_memory_op(XENMEM_populate_physmap, (void *)0xffff820000000000UL) <= 0);
	r.extent_order = 40;
	expect(HYPERVISOR_memory_op(XENMEM_populate_physmap, &r) <= 0);
	r.extent_order = 0;
	r.domid = 1234;
	expect(HYPERVISOR_memory_op(XENMEM_populate_physmap, &r) <= 0);
	expect_eq(HYPERVISOR_memory_op(8, NULL), -XEN_ENOSYS);
	expect_eq(current_pages(), had);
}

static void test_tables(void)
{
	struct xen_machphys_mapping m = { 0 };
	struct xen_machphys_mfn_list list = { .max_extents = PAGES };
	long top = HYPERVISOR_memory_op(XENMEM_maximum_ram_page, NULL);
	void *p = page_alloc();

	test_begin("machine to physical table");
	expect_eq(HYPERVISOR_memory_op(XENMEM_machphys_mapping, &m), 0);
	expect(m.v_start < m.v_end);
	expect(m.max_mfn >= va_mfn(p));
	expect(top >= (long)va_mfn(p));
	set_xen_guest_handle(list.extent_start, frames);
	expect_eq(HYPERVISOR_memory_op(XENMEM_machphys_mfn_list, &list), 0);
	expect(list.nr_extents > 0);
	expect_eq(list.nr_extents, top / (512 * 512) + 1);
	expect(frames[0] != 0);
	page_free(p);
}

static void test_machine_map(void)
{
	static struct { u64 addr, size; u32 type; } __attribute__((packed)) e[128];
	struct xen_memory_map map = { .nr_entries = 128 };
	u64 ram = 0;

	test_begin("machine memory map");
	set_xen_guest_handle(map.buffer, e);
	expect_eq(HYPERVISOR_memory_op(XENMEM_machine_memory_map, &map), 0);
	expect(map.nr_entries > 2);
	for (unsigned int i = 0; i < map.nr_entries; i++)
		ram += e[i].type == 1 ? e[i].size : 0;
	expect(ram > 64UL << 20);
}

void guest_main(void)
{
	test_balloon();
	test_mapped();
	test_exchange();
	test_refused();
	test_tables();
	test_machine_map();
}
