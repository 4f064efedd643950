/* SPDX-License-Identifier: BSD-2-Clause */
/* What types a page can have at once: every pair of uses, of which at most one may be a table, descriptors or writable. */
#include <guest/guest.h>

enum use { WRITABLE, READABLE, L1, L2, L3, L4, GDT, USES };
static const char *const names[] = { "writable", "readable", "L1", "L2", "L3", "L4", "GDT" };

static u64 *page, *window;

static bool take(enum use use)
{
	xen_pfn_t frame = va_mfn(page);

	if (use <= READABLE)
		return va_map(window, mfn_pte(frame, use == WRITABLE ? PTE_KERNEL : PTE_READONLY)) == 0;
	if (use <= L4)
		return mmuext_mfn(MMUEXT_PIN_L1_TABLE + use - L1, frame) == 0;
	return HYPERVISOR_set_gdt(&frame, 512) == 0;
}

static void drop(enum use use)
{
	xen_pfn_t frame = va_mfn(page);

	if (use == L4) {
		/* The hypervisor's entries are in it now. */
		expect_eq(mmuext_mfn(MMUEXT_UNPIN_TABLE, frame), 0);
		expect_eq(mmuext_mfn(MMUEXT_CLEAR_PAGE, frame), 0);
	} else if (use <= READABLE) {
		expect_eq(va_map(window, mfn_pte(va_mfn(window), PTE_KERNEL)), 0);
	} else if (use < L4) {
		expect_eq(mmuext_mfn(MMUEXT_UNPIN_TABLE, frame), 0);
	} else {
		expect_eq(HYPERVISOR_set_gdt(&frame, 0), 0);
	}
}

void guest_main(void)
{
	enum use a, b;
	unsigned int round;

	page = page_alloc();
	window = page_alloc();
	test_begin("one use after another");
	require(page_protect(page, false));
	for (round = 0; round < 3; round++)
		for (a = WRITABLE; a < USES; a++) {
			if (expect_msg(take(a), "%s, round %u", names[a], round))
				drop(a);
		}
	test_begin("two uses at once");
	for (a = WRITABLE; a < USES; a++)
		for (b = WRITABLE; b < USES; b++) {
			bool both = a == READABLE || b == READABLE;

			if (a == b || !take(a))
				continue;
			/* Both use the window. */
			if (a <= READABLE && b <= READABLE) {
				drop(a);
				continue;
			}
			if (take(b)) {
				expect_msg(both, "%s and %s", names[a], names[b]);
				drop(b);
			} else {
				expect_msg(!both, "%s, then not %s", names[a], names[b]);
			}
			drop(a);
		}
	expect_eq(page_protect(page, true), 0);
}
