/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames that are not the domain's own: other RAM, the hypervisor's, the interrupt controllers', and what has no domain. */
#include <guest/guest.h>
#include <xen/memory.h>

static u64 *window;

struct e820 {
	u64 addr, size;
	u32 type;
} __attribute__((packed));

static bool mine(u64 mfn)
{
	u64 pfn = mfn_pfn(mfn);

	return pfn < start_info->nr_pages && pfn_mfn(pfn) == mfn;
}

static int map_as(u64 mfn, u64 flags, domid_t dom)
{
	return (int)HYPERCALL4(update_va_mapping_otherdomain, window, mfn_pte(mfn, flags), UVMF_INVLPG, dom);
}

/* All RAM that is not ours, a frame of every hundred: neither readable nor writable, whoever's we say it is. */
static void test_ram(void)
{
	static struct e820 map[128];
	struct xen_memory_map op = { .nr_entries = 128 };
	unsigned int i, tried = 0;

	test_begin("RAM that is not ours");
	set_xen_guest_handle(op.buffer, map);
	if (!require(HYPERVISOR_memory_op(XENMEM_machine_memory_map, &op)))
		return;
	for (i = 0; i < op.nr_entries; i++) {
		u64 mfn = map[i].addr >> PAGE_SHIFT, end = (map[i].addr + map[i].size) >> PAGE_SHIFT;

		/* The first megabyte is for the firmware's tables. */
		for (mfn = mfn < 256 ? 256 : mfn; map[i].type == 1 && mfn < end; mfn += 101) {
			if (mfn >= (u64)HYPERVISOR_memory_op(XENMEM_maximum_ram_page, NULL) || mine(mfn))
				continue;
			tried++;
			expect_msg(va_map(window, mfn_pte(mfn, PTE_KERNEL)) < 0, "frame %lx, writable", mfn);
			expect_msg(va_map(window, mfn_pte(mfn, PTE_READONLY)) < 0 || mfn_pfn(mfn) > 1UL << 40,
				   "frame %lx, read-only", mfn);
			expect_msg(map_as(mfn, PTE_KERNEL, DOMID_IO) < 0, "frame %lx, as I/O", mfn);
			expect_msg(map_as(mfn, PTE_KERNEL, DOMID_XEN) < 0, "frame %lx, as the hypervisor's", mfn);
			expect(mmuext_mfn(MMUEXT_PIN_L1_TABLE, mfn) < 0);
			expect(mmuext_mfn(MMUEXT_CLEAR_PAGE, mfn) < 0);
			expect(mmu_update_one(mfn << PAGE_SHIFT, 0) < 0);
			expect(mmu_update_one(mfn << PAGE_SHIFT | MMU_MACHPHYS_UPDATE, 0) < 0);
			expect(HYPERVISOR_update_descriptor(mfn << PAGE_SHIFT, 0) < 0);
			expect(HYPERVISOR_set_gdt(&mfn, 1) < 0);
		}
	}
	expect_msg(tried > 100, "only %u frames tried", tried);
}

static void test_machphys(void)
{
	xen_pfn_t frames[4];
	struct xen_machphys_mfn_list list = { .max_extents = 4 };
	unsigned int i;

	test_begin("frames of the machine-to-physical table");
	set_xen_guest_handle(list.extent_start, frames);
	if (!require(HYPERVISOR_memory_op(XENMEM_machphys_mfn_list, &list)))
		return;
	for (i = 0; i < list.nr_extents; i++) {
		expect(va_map(window, mfn_pte(frames[i], PTE_KERNEL)) < 0);
		expect(map_as(frames[i], PTE_KERNEL, DOMID_XEN) < 0);
		expect(map_as(frames[i], PTE_KERNEL, DOMID_IO) < 0);
		/* Reading them is what the list is for. */
		expect_eq(map_as(frames[i], PTE_READONLY, DOMID_XEN), 0);
		expect(!(*pte_find(window) & PTE_RW));
		expect_eq(*window, ((const u64 *)machine_to_phys_mapping)[i * (2UL << 20) / 8]);
	}
	require(va_map(window, mfn_pte(va_mfn(window), PTE_KERNEL)));
}

static void test_devices(void)
{
	test_begin("interrupt controllers");
	expect(va_map(window, mfn_pte(0xfee00, PTE_KERNEL)) < 0);
	expect(map_as(0xfee00, PTE_KERNEL, DOMID_IO) < 0);
	expect(map_as(0xfee00, PTE_READONLY | PTE_PCD, DOMID_IO) < 0);
	/* The I/O APIC may be looked at. */
	if (va_map(window, mfn_pte(0xfec00, PTE_KERNEL)) == 0)
		expect(!(*pte_find(window) & PTE_RW));
	if (map_as(0xfec00, PTE_KERNEL, DOMID_IO) == 0)
		expect(!(*pte_find(window) & PTE_RW));
	/* The frame behind all addresses that this machine has. */
	expect(va_map(window, mfn_pte(0xffffffff0UL, PTE_KERNEL)) < 0);
	expect(map_as(0xffffffff0UL, PTE_KERNEL, DOMID_IO) < 0);
	/* Video memory is dom0's. */
	if (start_info->flags & SIF_INITDOMAIN)
		expect_eq(map_as(0xb8, PTE_KERNEL | PTE_PCD, DOMID_IO), 0);
	require(va_map(window, mfn_pte(va_mfn(window), PTE_KERNEL)));
	WRITE_ONCE(*window, 1);
}

static void test_domains(void)
{
	static const domid_t none[] = { 1, 1000, 0x7e00, 0x7fef, DOMID_COW, DOMID_INVALID, DOMID_IDLE };
	u64 pte = mfn_pte(va_mfn(window), PTE_KERNEL);
	struct mmu_update req = { .ptr = pte_maddr(window), .val = pte };
	struct mmuext_op op = { .cmd = MMUEXT_PIN_L1_TABLE, .arg1.mfn = va_mfn(window) };
	unsigned int i, done = 0;

	test_begin("domains that do not exist");
	for (i = 0; i < ARRAY_SIZE(none); i++) {
		expect_msg(map_as(va_mfn(window), PTE_KERNEL, none[i]) < 0, "domain %x", none[i]);
		expect(HYPERVISOR_mmu_update(&req, 1, &done, none[i]) < 0);
		expect(HYPERVISOR_mmuext_op(&op, 1, &done, none[i]) < 0);
		/* The page tables' owner in the upper half of the word. */
		expect(HYPERVISOR_mmu_update(&req, 1, &done, (none[i] + 1U) << 16 | DOMID_SELF) < 0);
	}
	WRITE_ONCE(*window, 2);
}

void guest_main(void)
{
	window = page_alloc();
	test_ram();
	test_machphys();
	test_devices();
	test_domains();
}
