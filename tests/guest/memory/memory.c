/* SPDX-License-Identifier: BSD-2-Clause */
/* memory_op: giving frames back and taking new ones, exchange, memory maps, and the M2P table's own frames. */
#include <guest/guest.h>
#include <xen/memory.h>

static long reservation(unsigned int cmd, xen_pfn_t *frames, u64 n, unsigned int order)
{
	struct xen_memory_reservation op = { .nr_extents = n, .extent_order = order, .domid = DOMID_SELF };

	set_xen_guest_handle(op.extent_start, frames);
	return HYPERVISOR_memory_op(cmd, &op);
}

static long current_pages(void)
{
	struct xen_memory_domain op = { .domid = DOMID_SELF };

	return HYPERVISOR_memory_op(XENMEM_current_reservation, &op);
}

static void test_give_and_take(void)
{
	u64 *pages[8];
	xen_pfn_t frames[8], again[8];
	u64 *p2m = (u64 *)start_info->mfn_list;
	long before = current_pages();
	unsigned int i;

	test_begin("give frames back and take new ones");
	expect(before > 0);
	for (i = 0; i < 8; i++) {
		pages[i] = page_alloc();
		frames[i] = va_mfn(pages[i]);
		/* Still mapped: it cannot go. */
		if (i == 0)
			expect_eq(reservation(XENMEM_decrease_reservation, frames, 1, 0), 0 + 1);
	}
	/* The first may still count while its mapping keeps it alive. */
	expect(current_pages() <= before);
	for (i = 0; i < 8; i++)
		require(va_map(pages[i], 0));
	expect_eq(reservation(XENMEM_decrease_reservation, frames + 1, 7, 0), 7);
	expect_eq(current_pages(), before - 8);
	/* Not its own any more. */
	expect(va_map(pages[3], mfn_pte(frames[3], PTE_KERNEL)) < 0);
	expect_eq(reservation(XENMEM_decrease_reservation, frames + 3, 1, 0), 0);
	for (i = 0; i < 8; i++)
		again[i] = va_pfn(pages[i]);
	expect_eq(reservation(XENMEM_populate_physmap, again, 8, 0), 8);
	expect_eq(current_pages(), before);
	for (i = 0; i < 8; i++) {
		expect_eq(mfn_pfn(again[i]), va_pfn(pages[i]));
		p2m[va_pfn(pages[i])] = again[i];
		expect_eq(va_map(pages[i], mfn_pte(again[i], PTE_KERNEL)), 0);
		page_free(pages[i]);
	}
}

static void test_exchange(void)
{
	u64 *page = page_alloc(), *p2m = (u64 *)start_info->mfn_list;
	xen_pfn_t in = va_mfn(page), out = va_pfn(page);
	struct xen_memory_exchange op = {
		.in = { .nr_extents = 1, .domid = DOMID_SELF },
		.out = { .nr_extents = 1, .domid = DOMID_SELF, .mem_flags = XENMEMF_address_bits(32) },
	};

	test_begin("exchange");
	set_xen_guest_handle(op.in.extent_start, &in);
	set_xen_guest_handle(op.out.extent_start, &out);
	require(va_map(page, 0));
	expect_eq(HYPERVISOR_memory_op(XENMEM_exchange, &op), 0);
	expect_eq(op.nr_exchanged, 1);
	expect(out < 1UL << 20);
	expect_eq(mfn_pfn(out), va_pfn(page));
	p2m[va_pfn(page)] = out;
	expect_eq(va_map(page, mfn_pte(out, PTE_KERNEL)), 0);
	page_free(page);
}

struct e820 {
	u64 addr, size;
	u32 type;
} __attribute__((packed));

static void test_maps(void)
{
	static struct e820 map[128];
	struct xen_memory_map op = { .nr_entries = 128 };
	u64 ram = 0;
	unsigned int i;
	long last;

	test_begin("memory maps");
	set_xen_guest_handle(op.buffer, map);
	expect_eq(HYPERVISOR_memory_op(XENMEM_machine_memory_map, &op), 0);
	expect(op.nr_entries > 2 && op.nr_entries <= 128);
	for (i = 0; i < op.nr_entries; i++)
		ram += map[i].type == 1 ? map[i].size >> PAGE_SHIFT : 0;
	expect(ram >= start_info->nr_pages);
	last = HYPERVISOR_memory_op(XENMEM_maximum_ram_page, NULL);
	expect(last > 0);
	for (i = 0; i < start_info->nr_pages; i += 64)
		expect(pfn_mfn(i) <= (u64)last);
	expect(HYPERVISOR_memory_op(XENMEM_memory_map, &op) == -XEN_ENOSYS || op.nr_entries > 0);
}

static void test_machphys(void)
{
	xen_pfn_t frames[16];
	struct xen_machphys_mfn_list list = { .max_extents = 16 };
	struct xen_machphys_mapping mapping;
	struct xen_memory_domain self = { .domid = DOMID_SELF };

	test_begin("machine-to-physical table");
	set_xen_guest_handle(list.extent_start, frames);
	expect_eq(HYPERVISOR_memory_op(XENMEM_machphys_mfn_list, &list), 0);
	expect(list.nr_extents >= 1);
	expect_eq(HYPERVISOR_memory_op(XENMEM_machphys_mapping, &mapping), 0);
	expect_eq(mapping.v_start, MACH2PHYS_VIRT_START);
	expect(mapping.v_end > mapping.v_start && mapping.v_end <= MACH2PHYS_VIRT_END);
	expect(HYPERVISOR_memory_op(XENMEM_maximum_reservation, &self) >= (long)start_info->nr_pages);
}

static void test_refused(void)
{
	xen_pfn_t frame = va_mfn(kernel_root());
	struct xen_memory_domain other = { .domid = 0x7e00 };
	long before = current_pages();

	test_begin("refused");
	/* A table in use: it stays what it is. */
	reservation(XENMEM_decrease_reservation, &frame, 0, 0);
	expect_eq(current_pages(), before);
	frame = 0xffffffff;
	expect_eq(reservation(XENMEM_decrease_reservation, &frame, 1, 0), 0);
	expect_eq(reservation(XENMEM_increase_reservation, &frame, 1, 40), 0);
	expect_eq(HYPERVISOR_memory_op(XENMEM_current_reservation, &other), -XEN_ESRCH);
	expect_eq(HYPERVISOR_memory_op(63, &other), -XEN_ENOSYS);
	expect_eq(HYPERVISOR_memory_op(XENMEM_current_reservation, NULL), -XEN_EFAULT);
}

void guest_main(void)
{
	test_give_and_take();
	test_exchange();
	test_maps();
	test_machphys();
	test_refused();
}
