/* SPDX-License-Identifier: BSD-2-Clause */
/* Four vCPUs give pages back, take them, and map them while others do: no page is given twice, none is seen that has gone. */
#include <guest/guest.h>
#include <xen/memory.h>

#define PAGES  64
#define ROUNDS 150

static volatile unsigned int ended, twice, stale;
static u64 first;
static volatile u64 *p2m;

static long reserve(unsigned int cmd, xen_pfn_t *frame)
{
	struct xen_memory_reservation res = { .nr_extents = 1, .domid = DOMID_SELF };

	set_xen_guest_handle(res.extent_start, frame);
	return HYPERVISOR_memory_op(cmd, &res);
}

static u64 any(u64 *state)
{
	*state = *state * 6364136223846793005UL + 1442695040888963407UL;
	return *state >> 33;
}

static void work(void *arg)
{
	u64 state = 3 + (u64)arg;
	u64 *window = page_alloc();
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		u64 pfn = first + any(&state) % PAGES;
		xen_pfn_t frame = __atomic_exchange_n(&p2m[pfn], ~0UL, __ATOMIC_SEQ_CST), mfn = frame;

		/* Whoever has taken the number out of the list has the page; others may still try with an old number. */
		if (frame == ~0UL) {
			frame = p2m[first + any(&state) % PAGES];
			if (frame != ~0UL && va_map(window, mfn_pte(frame, PTE_KERNEL)) == 0)
				WRITE_ONCE(*window, 1);
			va_map(window, mfn_pte(va_mfn(window), PTE_KERNEL));
			continue;
		}
		if (reserve(XENMEM_decrease_reservation, &frame) != 1) {
			p2m[pfn] = mfn;
			continue;
		}
		twice += reserve(XENMEM_decrease_reservation, &mfn) == 1 && mfn_pfn(mfn) != pfn;
		frame = pfn;
		while (reserve(XENMEM_populate_physmap, &frame) != 1 && i++ < 100 * ROUNDS)
			HYPERVISOR_sched_op(SCHEDOP_yield, NULL);
		stale += mfn_pfn(frame) != pfn;
		p2m[pfn] = frame;
	}
	__atomic_add_fetch(&ended, 1, __ATOMIC_SEQ_CST);
}

void guest_main(void)
{
	unsigned int i, k, same = 0;
	long have;

	test_begin("four vCPUs");
	p2m = (volatile u64 *)start_info->mfn_list;
	first = start_info->nr_pages - PAGES;
	for (i = 1; i < 4; i++)
		require(vcpu_start(i, work, (void *)(u64)i));
	work(NULL);
	expect(yield_until(ended == 4, 25 * S));
	expect_eq(stale, 0);
	test_begin("afterwards");
	for (i = 0; i < PAGES; i++)
		for (k = 0; k < i; k++)
			same += p2m[first + i] == p2m[first + k];
	expect_eq(same, 0);
	have = HYPERVISOR_memory_op(XENMEM_current_reservation, &(struct xen_memory_domain){ .domid = DOMID_SELF });
	expect_eq(have, start_info->nr_pages);
}
