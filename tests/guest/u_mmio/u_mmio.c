/* SPDX-License-Identifier: BSD-2-Clause */
/* Device memory from a domain that has none: interrupt controllers, video memory, PCI windows, the HPET; under every owner's name. */
#include <guest/guest.h>

static u64 *window;

static void refused(u64 mfn)
{
	static const u64 flags[] = { PTE_KERNEL, PTE_READONLY, PTE_KERNEL | PTE_PCD, PTE_READONLY | PTE_PCD | PTE_PWT,
				     PTE_KERNEL | PTE_US | PTE_NX };
	static const domid_t owners[] = { DOMID_SELF, DOMID_IO, DOMID_XEN, 0 };
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		for (k = 0; k < ARRAY_SIZE(owners); k++) {
			struct mmu_update req = { .ptr = pte_maddr(window), .val = mfn_pte(mfn, flags[i]) };
			unsigned int done = 0;

			expect_msg(HYPERVISOR_mmu_update(&req, 1, &done, owners[k]) < 0, "frame %lx, flags %lx, owner %x", mfn,
				   flags[i], owners[k]);
			expect_msg(HYPERCALL4(update_va_mapping_otherdomain, window, mfn_pte(mfn, flags[i]), UVMF_INVLPG,
					      owners[k]) < 0, "frame %lx, flags %lx, owner %x", mfn, flags[i], owners[k]);
		}
		expect_msg(va_map(window, mfn_pte(mfn, flags[i])) < 0, "frame %lx, flags %lx", mfn, flags[i]);
	}
	expect_eq(pte_mfn(*pte_find(window)), va_mfn(window));
}

void guest_main(void)
{
	static const u64 frames[] = { 0xa0, 0xb8, 0xbf, 0xc0, 0xe0, 0xf0, 0xff, 0xfec00, 0xfed00, 0xfed40, 0xfee00, 0xfeeff,
				      0xffc00, 0xfffff, 0xfd000, 0xfebf0, 0xc0000, 0xb0000, 0xe0000 };
	unsigned int i, bad = 0;
	u64 *table;

	window = page_alloc();
	test_begin("device memory");
	for (i = 0; i < ARRAY_SIZE(frames); i++)
		refused(frames[i]);
	test_begin("in a table that is made and pinned");
	table = page_alloc();
	for (i = 0; i < ARRAY_SIZE(frames); i++) {
		table[i] = mfn_pte(frames[i], PTE_KERNEL);
		bad += table_pin(table, 1) == 0;
		table[i] = mfn_pte(frames[i], PTE_READONLY | PTE_US);
		bad += table_pin(table, 1) == 0;
		table[i] = 0;
	}
	expect_eq(bad, 0);
	expect_eq(table_pin(table, 1), 0);
	test_begin("firmware's first page");
	/* The first megabyte is RAM and ROM that is not this domain's either. */
	for (i = 0; i < 256; i += 5)
		refused(i);
}
