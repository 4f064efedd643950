/* SPDX-License-Identifier: BSD-2-Clause */
/* dom0 keeps a page of a domain mapped while that is destroyed: the page stays, the domain stays a zombie, until the mapping goes. */
#include <guest/domain.h>
#include <guest/guest.h>

static struct domain d;

static void cycle(void)
{
	u64 *window = page_alloc(), *other = page_alloc(), *third = page_alloc();
	u64 mfn;

	if (!expect_eq(domain_create(&d, &(struct domain_config){ .pages = 64 }), 0))
		return;
	mfn = d.frames[7];
	expect_eq(window_open(window, d.id, mfn, PTE_KERNEL), 0);
	expect_eq(window_open(other, d.id, mfn, PTE_READONLY), 0);
	WRITE_ONCE(*window, 0xfeed);
	expect_eq(domain_destroy(&d), 0);
	expect_eq(READ_ONCE(*window), 0xfeed);
	expect_eq(READ_ONCE(*other), 0xfeed);
	/* Not one more mapping, from the zombie or as anybody's. */
	expect(va_map(third, mfn_pte(mfn, PTE_KERNEL)) < 0);
	expect(window_open(third, DOMID_IO, mfn, PTE_KERNEL) < 0);
	expect(window_open(third, d.id, mfn, PTE_KERNEL) < 0);
	expect_eq(window_close(third), 0);
	expect_eq(window_close(window), 0);
	expect_eq(READ_ONCE(*other), 0xfeed);
	expect_eq(window_close(other), 0);
	expect(yield_until(!domain_exists(d.id), 5 * S));
	page_free(window);
	page_free(other);
	page_free(third);
}

void guest_main(void)
{
	unsigned int i;
	u64 before;

	test_begin("a mapping that outlives its domain");
	cycle();
	before = free_pages();
	for (i = 0; i < 5; i++)
		cycle();
	expect_msg(yield_until(free_pages() >= before, 5 * S), "%lu pages free before, %lu after", before, free_pages());
}
