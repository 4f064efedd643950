/* SPDX-License-Identifier: BSD-2-Clause */
/* Every frame of the machine, as a domain without privileges: what is not its own cannot be mapped, writable or not. */
#include <guest/guest.h>
#include <xen/memory.h>

#define BEHIND 0x2000

void guest_main(void)
{
	long top = HYPERVISOR_memory_op(XENMEM_maximum_ram_page, NULL);
	u64 *window = page_alloc(), mfn, p2m = 0, mine = 0, m2p = 0;
	unsigned int wrong = 0;

	test_begin("all of the machine's memory");
	if (!expect(top > 1000))
		return;
	for (mfn = 0; mfn < (u64)top + BEHIND; mfn += mfn < 512 ? 1 : 3) {
		u64 pfn = mfn <= (u64)top ? mfn_pfn(mfn) : ~0UL;
		/* The shared page is the domain's too, though not part of its memory. */
		bool own = (pfn < start_info->nr_pages && pfn_mfn(pfn) == mfn) || mfn == start_info->shared_info >> PAGE_SHIFT;

		if (own) {
			mine++;
			continue;
		}
		if (va_map(window, mfn_pte(mfn, PTE_KERNEL)) == 0 && wrong++ < 5)
			expect_msg(false, "frame %lx can be mapped", mfn);
		/* The machine-to-physical table's own frames may be read by everyone. */
		if (va_map(window, mfn_pte(mfn, PTE_READONLY)) == 0) {
			u64 entry = window[0], at;

			for (at = 0; at <= (u64)top / 512 && entry != machine_to_phys_mapping[at * 512]; at++)
				;
			m2p += at <= (u64)top / 512;
			p2m++;
		}
	}
	require(va_map(window, mfn_pte(va_mfn(window), PTE_KERNEL)));
	expect_msg(p2m == m2p && mfn_pfn(va_mfn(window)) == va_pfn(window), "%lu frames can be read, %lu are known", p2m, m2p);
	expect(mine > start_info->nr_pages / 8);
	/* The frame of the shared page is the domain's, and cannot become a table. */
	expect(mmuext_mfn(MMUEXT_PIN_L1_TABLE, start_info->shared_info >> PAGE_SHIFT) < 0);
}
