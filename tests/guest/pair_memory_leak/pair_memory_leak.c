/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that was another domain's comes without its contents. */
#include <guest/guest.h>
#include <xen/memory.h>

#define BATCH  256
#define SECRET 0x0ddba11c0ffee000UL

enum { GONE = 1, FILLED };

static xen_pfn_t list[BATCH];

static long reserve(unsigned int cmd, unsigned int n)
{
	struct xen_memory_reservation res = { .nr_extents = n, .domid = DOMID_SELF };

	set_xen_guest_handle(res.extent_start, list);
	return HYPERVISOR_memory_op(cmd, &res);
}

/* All that the tables do not map, which is most of it. */
static void fill(void)
{
	u64 *window = page_alloc(), pfn, filled = 0;
	unsigned int i;

	for (pfn = start_info->nr_pages - 4 * BATCH; pfn < start_info->nr_pages; pfn++) {
		if (!require(va_map(window, mfn_pte(pfn_mfn(pfn), PTE_KERNEL))))
			return;
		for (i = 0; i < PAGE_SIZE / 8; i++)
			window[i] = SECRET + i;
		filled++;
	}
	require(va_map(window, mfn_pte(va_mfn(window), PTE_KERNEL)));
	expect_eq(filled, 4 * BATCH);
	group_post(FILLED, 1);
	for (;;)
		HYPERVISOR_sched_op(SCHEDOP_yield, NULL);
}

static void look(void)
{
	u64 *window = page_alloc(), *p2m = (u64 *)start_info->mfn_list, first = start_info->nr_pages - 4 * BATCH;
	unsigned int round, i, k, secrets = 0, other = 0;

	for (round = 0; round < 4; round++) {
		for (i = 0; i < BATCH; i++)
			list[i] = p2m[first + round * BATCH + i];
		if (!expect_eq(reserve(XENMEM_decrease_reservation, BATCH), BATCH))
			return;
	}
	expect(group_wait(FILLED));
	expect(group_ask(GROUP_DESTROY, 1));
	time_spin(20 * MS);
	for (round = 0; round < 4; round++) {
		for (i = 0; i < BATCH; i++)
			list[i] = first + round * BATCH + i;
		if (!expect_eq(reserve(XENMEM_populate_physmap, BATCH), BATCH))
			return;
		for (i = 0; i < BATCH; i++) {
			p2m[first + round * BATCH + i] = list[i];
			if (!expect_eq(va_map(window, mfn_pte(list[i], PTE_KERNEL)), 0))
				return;
			for (k = 0; k < PAGE_SIZE / 8; k++) {
				secrets += window[k] >> 12 == SECRET >> 12;
				other += window[k] != 0;
			}
		}
	}
	require(va_map(window, mfn_pte(va_mfn(window), PTE_KERNEL)));
	expect_msg(secrets == 0, "%u words of the other's", secrets);
	(void)other;
}

void guest_main(void)
{
	test_begin("memory of the dead");
	if (!require(group_join()))
		return;
	if (group_role() == 1)
		fill();
	else
		look();
}
