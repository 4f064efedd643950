/* SPDX-License-Identifier: BSD-2-Clause */
/* memory_op in the simulated machine, over the real heap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <hv/boot.h>
#include <hv/errno.h>
#include <hv/frame_type.h>
#include <hv/grant.h>
#include <hv/guest.h>
#include <hv/mm.h>
#include <hv/string.h>
#include <hv/tlb.h>
#include <xen/memory.h>
#include "../sim_mm/glue.h"

/* --- of other modules --- */

struct boot_info boot_info;
static mfn_t grant_frame[4];

mfn_t grant_table_frame(struct domain *d, u32 idx, bool status)
{
	(void)d;
	return idx < 4 && !status ? grant_frame[idx] : INVALID_MFN;
}

u32 grant_table_frames_max(struct domain *d, bool status)
{
	(void)d;
	return status ? 1 : 4;
}

u64 m2p_extents(void)
{
	return 3;
}

mfn_t m2p_extent(u64 n)
{
	return mfn(n == 1 ? 0 : 0x1000 + 512 * n);
}

/* --- set-up --- */

static struct domain *d0, *d1;
static struct vcpu *v;
static gva_t op_va, list_va, list2_va;
static u64 *list, *list2;

static int start(void **state)
{
	(void)state;
	glue_nodes = 1;
	glue_frames_kept = 0;
	sim_start(2);
	d0 = sim_domain(0, true, 1, 700);
	d1 = sim_domain(1, false, 2, 700);
	v = sim_run_vcpu(d1, 0);
	op_va = sim_alloc(d1, PAGE_SIZE);
	list_va = sim_alloc(d1, 2 * PAGE_SIZE);
	list2_va = sim_alloc(d1, 2 * PAGE_SIZE);
	list = malloc(8192);
	list2 = malloc(8192);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	free(list);
	free(list2);
	glue_heap_check();
	sim_stop();
	return 0;
}

/* Makes v a vCPU of dom0, with the same buffers. */
static void as_dom0(void)
{
	sim_deschedule(v);
	v = sim_run_vcpu(d0, 0);
	op_va = sim_alloc(d0, PAGE_SIZE);
	list_va = sim_alloc(d0, 2 * PAGE_SIZE);
	list2_va = sim_alloc(d0, 2 * PAGE_SIZE);
}

static void put(gva_t va, const void *p, size_t size)
{
	assert_int_equal(guest_copy_out(v, va, p, size), 0);
}

static void get(void *p, gva_t va, size_t size)
{
	assert_int_equal(guest_copy_in(v, p, va, size), 0);
}

static long call(u64 cmd, const void *op, size_t size)
{
	put(op_va, op, size);
	return sim_call(v, do_memory_op, cmd, op_va, 0, 0, 0, 0);
}

#define CALL(cmd, op) call((cmd), &(op), sizeof(op))

static struct xen_memory_reservation reservation(u64 extents, unsigned int order, unsigned int flags, domid_t id)
{
	return (struct xen_memory_reservation){ .extent_start = { (void *)list_va }, .nr_extents = extents, .extent_order = order,
		.mem_flags = flags, .domid = id };
}

static long populate(u64 first_pfn, u64 n, unsigned int order, unsigned int flags)
{
	struct xen_memory_reservation op = reservation(n, order, flags, DOMID_SELF);
	long rc;

	for (u64 i = 0; i < n && i < 1024; i++)
		list[i] = first_pfn + (i << (order & 31));
	put(list_va, list, MIN(n, 1024UL) * 8);
	rc = CALL(XENMEM_populate_physmap, op);
	get(list, list_va, MIN(n, 1024UL) * 8);
	return rc;
}

static long decrease(u64 n, unsigned int order)
{
	struct xen_memory_reservation op = reservation(n, order, 0, DOMID_SELF);

	put(list_va, list, n * 8);
	return CALL(XENMEM_decrease_reservation, op);
}

/* --- reservations --- */

static void test_populate_decrease(void **state)
{
	u64 pages = d1->memory.pages, free_frames = heap_free_frames();
	u64 was;

	(void)state;
	for (u32 every = 0; every < 4; every++) {
		sim_preempt_every(every);
		assert_int_equal(populate(0x10000, 300, 0, 0), 300);
		assert_int_equal(d1->memory.pages, pages + 300);
		for (u32 i = 0; i < 300; i++) {
			struct frame *f = frame_of(mfn(list[i]));
			u64 *p = mfn_virt(mfn(list[i]));

			assert_int_equal(f->owner, 1);
			assert_int_equal(f->refs, FRAME_ALLOC | 1);
			assert_int_equal(m2p_get(mfn(list[i])), 0x10000 + i);
			/* Zero, or what we had there ourselves. */
			for (u32 k = 0; k < 512; k++)
				assert_true(p[k] == 0 || p[k] == 0x5a5a5a5a5a5a5a5a);
			memset(p, 0x5a, PAGE_SIZE);
		}
		was = list[7];
		assert_int_equal(decrease(300, 0), 300);
		assert_int_equal(m2p_get(mfn(was)), M2P_INVALID);
		assert_int_equal(d1->memory.pages, pages);
		assert_int_equal(heap_free_frames(), free_frames);
		glue_heap_check();
	}
	assert_int_equal(populate(0, 0, 0, 0), 0);
	assert_int_equal(decrease(0, 0), 0);
}

/* No domain ever sees another one's contents, not even one that has the number of one that is gone. */
static void test_no_leak(void **state)
{
	struct domain *d2 = sim_domain(2, false, 1, 100);

	(void)state;
	for (u32 i = 0; i < 300; i++) {
		struct frame *f = domain_frames_alloc(i & 1 ? d2 : d0, 0, ALLOC_OWN);

		memset(mfn_virt(frame_mfn(f)), 0x77, PAGE_SIZE);
		list2[i] = frame_mfn(f).v;
	}
	for (u32 i = 0; i < 300; i++)
		assert_true(domain_frame_discard(i & 1 ? d2 : d0, frame_of(mfn(list2[i]))));
	d2->memory.serial = ~0UL;
	for (u32 round = 0; heap_free_frames() > 0; round++) {
		struct frame *f = domain_frames_alloc(round & 1 ? d1 : d2, 0, ALLOC_OWN);
		u64 *p = mfn_virt(frame_mfn(f));

		for (u32 k = 0; k < 512; k++)
			if (p[k])
				fail();
	}
}

static void test_increase(void **state)
{
	struct xen_memory_reservation op = reservation(5, 2, 0, DOMID_SELF);
	u64 pages = d1->memory.pages;

	(void)state;
	sim_preempt_every(1);
	assert_int_equal(CALL(XENMEM_increase_reservation, op), 5);
	get(list, list_va, 40);
	assert_int_equal(d1->memory.pages, pages + 20);
	assert_int_equal(m2p_get(mfn(list[4])), M2P_INVALID);
	assert_int_equal(list[4] & 3, 0);
	assert_int_equal(decrease(5, 2), 5);
	/* Without a list. */
	op.extent_start.p = NULL;
	assert_int_equal(CALL(XENMEM_increase_reservation, op), 5);
	assert_int_equal(d1->memory.pages, pages + 20);
}

static void test_large(void **state)
{
	struct frame *f = frames_alloc(12, 0);

	(void)state;
	/* Dirty memory, cleared in steps. */
	memset(mfn_virt(frame_mfn(f)), 0xff, PAGE_SIZE << 12);
	frames_free(f, 12);
	for (u32 every = 0; every < 3; every++) {
		sim_preempt_asked = 0;
		sim_preempt_every(every);
		assert_int_equal(populate(0, 3, 9, 0), 3);
		assert_true(every != 0 || sim_preempt_asked >= 3 * (512 / HEAP_CLEAR_STEP - 1));
		for (u32 i = 0; i < 3; i++) {
			u64 *p = mfn_virt(mfn(list[i]));

			assert_int_equal(list[i] & 511, 0);
			assert_int_equal(m2p_get(mfn(list[i] + 511)), i * 512 + 511);
			for (u32 k = 0; k < 512 * 512; k++)
				if (p[k])
					fail();
			memset(p, 0xff, PAGE_SIZE << 9);
		}
		assert_int_equal(decrease(3, 9), 3);
	}
	assert_int_equal(populate(0, 1, 10, 0), 0);
	assert_int_equal(decrease(1, 10), 0);
	as_dom0();
	assert_int_equal(populate(0, 1, 12, 0), 1);
	assert_int_equal(decrease(1, 12), 1);
	assert_int_equal(populate(0, 1, 13, 0), 0);
	assert_int_equal(populate(0, 1, ~0u, 0), 0);
}

static void test_limits(void **state)
{
	u64 pages = d1->memory.pages;

	(void)state;
	d1->memory.max = pages + 10;
	assert_int_equal(populate(0, 20, 0, 0), 10);
	assert_int_equal(d1->memory.pages, pages + 10);
	assert_int_equal(populate(0, 1, 0, 0), 0);
	assert_int_equal(populate(0, 1, 3, 0), 0);
	d1->memory.max = pages + 10 + 7;
	assert_int_equal(populate(0, 1, 3, 0), 0);
	d1->memory.max = SIM_FRAMES * 2;
	/* All there is: 1000 at a time. */
	while (populate(0, 1000, 0, 0) == 1000)
		;
	assert_int_equal(heap_free_frames(), 0);
	d1->life = DOMAIN_DYING;
	assert_int_equal(decrease(1, 0), 1);
	assert_int_equal(populate(0, 1, 0, 0), 0);
	d1->life = DOMAIN_LIVE;
	assert_int_equal(populate(0, 1, 0, 0), 1);
	/* No more frames than needed are touched: those that come back can be had. */
	assert_int_equal(populate(0, 1, 0, 0), 0);
}

static void test_flags(void **state)
{
	(void)state;
	for (u32 bits = 20; bits <= 26; bits++) {
		if (populate(0, 1, 0, XENMEMF_address_bits(bits)) != 1) {
			assert_true(bits == 20);
			continue;
		}
		assert_true(list[0] < 1UL << (bits - PAGE_SHIFT));
		assert_int_equal(decrease(1, 0), 1);
	}
	assert_int_equal(populate(0, 1, 0, XENMEMF_address_bits(12)), 0);
	assert_int_equal(populate(0, 1, 0, XENMEMF_address_bits(255)), 1);
	assert_int_equal(populate(0, 1, 0, XENMEMF_populate_on_demand), 0);
	assert_int_equal(populate(0, 1, 0, XENMEMF_node(0)), 1);
	assert_int_equal(populate(0, 1, 0, XENMEMF_exact_node(0)), 1);
	assert_int_equal(populate(0, 1, 0, XENMEMF_exact_node(1)), 0);
	assert_int_equal(populate(0, 1, 0, XENMEMF_node(1)), 1);
	assert_int_equal(populate(0, 1, 0, XENMEMF_exact_node(0) | XENMEMF_vnode), 1);
}

static void test_bad_lists(void **state)
{
	struct xen_memory_reservation op = reservation(4, 0, 0, DOMID_SELF);
	u64 pages = d1->memory.pages, free_frames = heap_free_frames();

	(void)state;
	op.extent_start.p = (void *)0x1000;
	assert_int_equal(CALL(XENMEM_populate_physmap, op), 0);
	op.extent_start.p = (void *)HV_VIRT_START;
	assert_int_equal(CALL(XENMEM_populate_physmap, op), 0);
	assert_int_equal(CALL(XENMEM_increase_reservation, op), 0);
	assert_int_equal(CALL(XENMEM_decrease_reservation, op), 0);
	/* A list whose end is not mapped, and one that cannot be written (page tables are mapped read-only). */
	op.extent_start.p = (void *)(sim_va(700) - 16);
	assert_int_equal(CALL(XENMEM_populate_physmap, op), 0);
	op.nr_extents = ~0UL;
	assert_int_equal(CALL(XENMEM_populate_physmap, op), -EINVAL);
	op.extent_order = 9;
	op.nr_extents = (~0UL >> 15) + 1;
	assert_int_equal(CALL(XENMEM_decrease_reservation, op), -EINVAL);
	assert_int_equal(sim_call(v, do_memory_op, XENMEM_populate_physmap, 0x1000, 0, 0, 0, 0), -EFAULT);
	assert_int_equal(sim_call(v, do_memory_op, XENMEM_populate_physmap, 0, 0, 0, 0, 0), -EFAULT);
	/* Made-up progress. */
	op = reservation(4, 0, 0, DOMID_SELF);
	assert_int_equal(CALL(XENMEM_populate_physmap | 5UL << 6, op), -EINVAL);
	assert_int_equal(CALL(XENMEM_populate_physmap | ~0UL << 6, op), -EINVAL);
	assert_int_equal(CALL(XENMEM_decrease_reservation | ~0UL << 6, op), -EINVAL);
	assert_int_equal(CALL(XENMEM_populate_physmap | 4UL << 6, op), 4);
	assert_int_equal(d1->memory.pages, pages);
	assert_int_equal(heap_free_frames(), free_frames);
	assert_int_equal(CALL(63, op), -ENOSYS);
	assert_int_equal(CALL(8, op), -ENOSYS);
}

static void test_permission(void **state)
{
	struct xen_memory_reservation op = reservation(1, 0, 0, 0);
	struct xen_memory_domain who = { .domid = 0 };

	(void)state;
	assert_int_equal(CALL(XENMEM_populate_physmap, op), -EPERM);
	assert_int_equal(CALL(XENMEM_decrease_reservation, op), -EPERM);
	assert_int_equal(CALL(XENMEM_current_reservation, who), -EPERM);
	assert_int_equal(CALL(XENMEM_claim_pages, op), -EPERM);
	who.domid = 77;
	assert_int_equal(CALL(XENMEM_maximum_reservation, who), -EPERM);
	who.domid = 1;
	assert_int_equal(CALL(XENMEM_current_reservation, who), d1->memory.pages);
	as_dom0();
	op = reservation(2, 0, 0, 1);
	list[0] = 0x100;
	list[1] = 0x200;
	put(list_va, list, 16);
	assert_int_equal(CALL(XENMEM_populate_physmap, op), 2);
	get(list, list_va, 16);
	assert_int_equal(frame_of(mfn(list[1]))->owner, 1);
	assert_int_equal(m2p_get(mfn(list[1])), 0x200);
	assert_int_equal(CALL(XENMEM_decrease_reservation, op), 2);
	op.domid = 77;
	assert_int_equal(CALL(XENMEM_populate_physmap, op), -ESRCH);
	who.domid = 1;
	assert_int_equal(CALL(XENMEM_current_reservation, who), d1->memory.pages);
	assert_int_equal(CALL(XENMEM_maximum_reservation, who), d1->memory.max);
	assert_int_equal(d1->refs, 1);
}

static void test_give_what_is_not_mine(void **state)
{
	u64 pages = d1->memory.pages, free_frames = heap_free_frames();
	const u64 bad[] = { 0, SIM_HOLE_FIRST, SIM_FRAMES, ~0UL, 1UL << 40, sim_mfn(d0, 5).v, virt_mfn(d1->shared).v,
		virt_mfn(d0->shared).v, frame_mfn(frames_alloc(0, 0)).v };

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		list[0] = bad[i];
		assert_int_equal(decrease(1, 0), 0);
	}
	frames_free(frame_of(mfn(bad[8])), 0);
	/* Twice the same; and an extent that is not all ours stays whole. */
	assert_int_equal(populate(0, 2, 0, 0), 2);
	list[1] = list[0];
	assert_int_equal(decrease(2, 0), 1);
	assert_int_equal(populate(0, 1, 4, 0), 1);
	list[1] = list[0] + 8;
	list2[0] = list[0];
	assert_int_equal(domain_frame_discard(d1, frame_of(mfn(list[0] + 5))), true);
	assert_int_equal(decrease(1, 4), 0);
	assert_int_equal(d1->memory.pages, pages + 1 + 15);
	assert_int_equal(d0->memory.pages, 700);
	assert_int_equal(heap_free_frames(), free_frames - 16);
}

/* A page that is still mapped, or a pinned table, is gone for the domain, but not free. */
static void test_give_what_is_in_use(void **state)
{
	u64 pages = d1->memory.pages, free_frames = heap_free_frames();
	u32 pfn = sim_alloc_page(d1);
	mfn_t m = sim_mfn(d1, pfn);
	struct frame *f = frame_of(m);

	(void)state;
	list[0] = m.v;
	assert_true(frame_get(f, d1));
	assert_int_equal(decrease(1, 0), 1);
	assert_int_equal(decrease(1, 0), 0);
	assert_int_equal(m2p_get(m), M2P_INVALID);
	assert_int_equal(d1->memory.pages, pages);
	assert_int_equal(heap_free_frames(), free_frames);
	assert_int_equal(f->owner, 1);
	sim_page(d1, sim_table(d1, 1, sim_va(pfn)))[pfn % 512] = 0;
	while ((READ_ONCE(f->refs) & FRAME_REFS) > 1)
		frame_type_put(v, f, FRAME_WRITABLE);
	frame_put(f);
	assert_int_equal(d1->memory.pages, pages - 1);
	assert_int_equal(heap_free_frames(), free_frames + 1);
}

/* Whoever gets a frame next cannot be reached through the old owner's TLB. */
static void test_stale_translations(void **state)
{
	u32 pfn = sim_alloc_page(d1);
	mfn_t m = sim_mfn(d1, pfn);
	struct frame *f = frame_of(m);

	(void)state;
	assert_true(sim_store(v, sim_va(pfn), 1));
	__atomic_store_n(&sim_page(d1, sim_table(d1, 1, sim_va(pfn)))[pfn % 512], 0, __ATOMIC_SEQ_CST);
	if (frame_type_count(f))
		frame_type_put(v, f, FRAME_WRITABLE);
	list[0] = m.v;
	assert_int_equal(decrease(1, 0), 1);
	do
		assert_int_equal(populate(0, 1, 0, 0), 1);
	while (list[0] != m.v);
	assert_false(sim_store(v, sim_va(pfn), 1));
}

/* --- exchange --- */

static struct xen_memory_exchange exchange(u64 in_n, unsigned int in_order, u64 out_n, unsigned int out_order, unsigned int flags)
{
	struct xen_memory_exchange x = { .in = reservation(in_n, in_order, 0, DOMID_SELF),
		.out = reservation(out_n, out_order, flags, DOMID_SELF) };

	x.out.extent_start.p = (void *)list2_va;
	put(list_va, list, in_n * 8);
	put(list2_va, list2, out_n * 8);
	return x;
}

static u64 exchanged(void)
{
	struct xen_memory_exchange x;

	get(&x, op_va, sizeof(x));
	return x.nr_exchanged;
}

static void test_exchange(void **state)
{
	struct xen_memory_exchange x;
	u64 pages = d1->memory.pages, free_frames = heap_free_frames();

	(void)state;
	for (u32 every = 0; every < 3; every++) {
		sim_preempt_every(every);
		assert_int_equal(populate(0x4000, 1024, 0, 0), 1024);
		list2[0] = 0x4000;
		list2[1] = 0x4200;
		x = exchange(1024, 0, 2, 9, XENMEMF_address_bits(25));
		d1->memory.max = d1->memory.pages;
		assert_int_equal(CALL(XENMEM_exchange, x), 0);
		d1->memory.max = SIM_FRAMES;
		assert_int_equal(exchanged(), 1024);
		get(list2, list2_va, 16);
		assert_int_equal(d1->memory.pages, pages + 1024);
		assert_int_equal(heap_free_frames(), free_frames - 1024);
		for (u32 i = 0; i < 2; i++) {
			assert_int_equal(list2[i] & 511, 0);
			assert_true(list2[i] + 511 < 1UL << 13);
			for (u32 k = 0; k < 512; k++) {
				assert_int_equal(m2p_get(mfn(list2[i] + k)), 0x4000 + 512 * i + k);
				assert_int_equal(frame_of(mfn(list2[i] + k))->owner, 1);
				assert_int_equal(*(u64 *)mfn_virt(mfn(list2[i] + k)), 0);
			}
		}
		assert_int_equal(m2p_get(mfn(list[9])) == M2P_INVALID || frame_of(mfn(list[9]))->owner == 1, 1);
		/* And back to single frames. */
		memcpy(list, list2, 16);
		for (u32 i = 0; i < 1024; i++)
			list2[i] = 0x8000 + i;
		x = exchange(2, 9, 1024, 0, 0);
		assert_int_equal(CALL(XENMEM_exchange, x), 0);
		assert_int_equal(exchanged(), 2);
		get(list, list2_va, 8192);
		for (u32 i = 0; i < 1024; i++)
			assert_int_equal(m2p_get(mfn(list[i])), 0x8000 + i);
		assert_int_equal(decrease(1024, 0), 1024);
		assert_int_equal(heap_free_frames(), free_frames);
	}
}

static void test_exchange_refused(void **state)
{
	struct xen_memory_exchange x;
	u64 pages, free_frames;

	(void)state;
	assert_int_equal(populate(0x4000, 512, 0, 0), 512);
	pages = d1->memory.pages;
	free_frames = heap_free_frames();
	list2[0] = 0x4000;
	/* One frame in the middle is somebody else's, in use, given twice, or no frame at all: nothing changes. */
	for (u32 kind = 0; kind < 5; kind++) {
		u64 keep = list[300];

		if (kind == 0)
			list[300] = sim_mfn(d0, 3).v;
		else if (kind == 1)
			assert_true(frame_get(frame_of(mfn(keep)), d1));
		else if (kind == 2)
			list[300] = list[0];
		else
			list[300] = kind == 3 ? ~0UL : SIM_HOLE_LAST;
		x = exchange(512, 0, 1, 9, 0);
		assert_true(CALL(XENMEM_exchange, x) < 0);
		assert_int_equal(exchanged(), 0);
		if (kind == 1)
			frame_put(frame_of(mfn(keep)));
		list[300] = keep;
		assert_int_equal(d1->memory.pages, pages);
		assert_int_equal(heap_free_frames(), free_frames);
		for (u32 i = 0; i < 512; i++) {
			assert_int_equal(m2p_get(mfn(list[i])), 0x4000 + i);
			assert_int_equal(frame_of(mfn(list[i]))->refs, FRAME_ALLOC | 1);
			assert_int_equal(frame_of(mfn(list[i]))->owner, 1);
			assert_int_equal(frame_of(mfn(list[i]))->type, 0);
		}
	}
	/* Shapes. */
	x = exchange(512, 0, 1, 8, 0);
	assert_int_equal(CALL(XENMEM_exchange, x), -EINVAL);
	x = exchange(256, 0, 1, 9, 0);
	assert_int_equal(CALL(XENMEM_exchange, x), -EINVAL);
	x = exchange(512, 0, 1, 9, 0);
	x.nr_exchanged = 5;
	assert_int_equal(CALL(XENMEM_exchange, x), -EINVAL);
	x.nr_exchanged = 1024;
	assert_int_equal(CALL(XENMEM_exchange, x), -EINVAL);
	x.nr_exchanged = 0;
	x.out.domid = 0;
	assert_int_equal(CALL(XENMEM_exchange, x), -EINVAL);
	x.in.domid = 0;
	assert_int_equal(CALL(XENMEM_exchange, x), -EPERM);
	x = exchange(1, 10, 1, 10, 0);
	assert_int_equal(CALL(XENMEM_exchange, x), -EPERM);
	x = exchange(512, 0, 1, 9, XENMEMF_address_bits(20));
	assert_int_equal(CALL(XENMEM_exchange, x), -ENOMEM);
	x = exchange(512, 0, 1, 9, XENMEMF_address_bits(3));
	assert_int_equal(CALL(XENMEM_exchange, x), -EINVAL);
	x = exchange(512, 0, 1, 9, 0);
	x.out.extent_start.p = (void *)0x1000;
	assert_int_equal(CALL(XENMEM_exchange, x), -EFAULT);
	x = exchange(512, 0, 1, 9, 0);
	x.in.extent_start.p = (void *)0x1000;
	assert_int_equal(CALL(XENMEM_exchange, x), -EFAULT);
	x.in.nr_extents = ~0UL;
	assert_int_equal(CALL(XENMEM_exchange, x), -EINVAL);
	assert_int_equal(d1->memory.pages, pages);
	assert_int_equal(heap_free_frames(), free_frames);
	x = exchange(0, 0, 0, 0, 0);
	assert_int_equal(CALL(XENMEM_exchange, x), 0);
}

/* --- numbers and maps --- */

static void test_numbers(void **state)
{
	struct xen_memory_domain who = { .domid = DOMID_SELF };
	struct xen_machphys_mapping mapping;
	struct xen_machphys_mfn_list m2p = { .max_extents = 10, .extent_start = { (void *)list_va } };

	(void)state;
	assert_int_equal(sim_call(v, do_memory_op, XENMEM_maximum_ram_page, 0, 0, 0, 0, 0), SIM_FRAMES - 1);
	assert_int_equal(sim_call(v, do_memory_op, XENMEM_get_sharing_freed_pages, 0, 0, 0, 0, 0), 0);
	d1->memory.max = ~0UL;
	assert_int_equal(CALL(XENMEM_maximum_reservation, who), INT64_MAX);
	d1->shared->arch.max_pfn = 0x1000;
	assert_int_equal(CALL(XENMEM_maximum_gpfn, who), 0xfff);
	assert_int_equal(CALL(XENMEM_machphys_mapping, mapping), 0);
	get(&mapping, op_va, sizeof(mapping));
	assert_true(mapping.v_start == 0xffff800000000000UL && mapping.v_end == 0xffff804000000000UL);
	assert_int_equal(mapping.max_mfn, SIM_FRAMES - 1);
	for (u32 every = 0; every < 2; every++) {
		sim_preempt_every(every);
		assert_int_equal(CALL(XENMEM_machphys_mfn_list, m2p), 0);
		get(&m2p, op_va, sizeof(m2p));
		assert_int_equal(m2p.nr_extents, 3);
		get(list, list_va, 24);
		assert_int_equal(list[0], 0x1000);
		assert_int_equal(list[1], 0);
		assert_int_equal(list[2], 0x1400);
	}
	m2p.max_extents = 1;
	assert_int_equal(CALL(XENMEM_machphys_mfn_list, m2p), 0);
	get(&m2p, op_va, sizeof(m2p));
	assert_int_equal(m2p.nr_extents, 1);
	assert_int_equal(CALL(XENMEM_machphys_compat_mfn_list, m2p), -EOPNOTSUPP);
}

static void test_maps(void **state)
{
	struct xen_memory_map map = { .nr_entries = 10, .buffer = { (void *)list_va } };
	struct e820_entry e[3] = { { 0, 0x1000, 1 }, { 0x1000, 0x2000, 2 }, { 0x100000, 0x300000, 1 } };
	struct xen_foreign_memory_map set = { .domid = 1, .map = { .nr_entries = 3 } };

	(void)state;
	assert_int_equal(CALL(XENMEM_memory_map, map), -ENOSYS);
	assert_int_equal(CALL(XENMEM_machine_memory_map, map), -EPERM);
	assert_int_equal(CALL(XENMEM_set_memory_map, set), -EPERM);
	memcpy(boot_info.e820, e, sizeof(e));
	boot_info.nr_e820 = 3;
	as_dom0();
	map.buffer.p = (void *)list_va;
	assert_int_equal(CALL(XENMEM_machine_memory_map, map), 0);
	get(&map, op_va, sizeof(map));
	assert_int_equal(map.nr_entries, 3);
	get(list, list_va, sizeof(e));
	assert_memory_equal(list, e, sizeof(e));
	map.buffer.p = NULL;
	map.nr_entries = 0;
	assert_int_equal(CALL(XENMEM_machine_memory_map, map), 0);
	get(&map, op_va, sizeof(map));
	assert_int_equal(map.nr_entries, 3);
	set.map.buffer.p = (void *)list_va;
	assert_int_equal(CALL(XENMEM_set_memory_map, set), 0);
	set.map.nr_entries = 129;
	assert_int_equal(CALL(XENMEM_set_memory_map, set), -E2BIG);
	set.map.nr_entries = 2;
	set.map.buffer.p = (void *)0x1000;
	assert_int_equal(CALL(XENMEM_set_memory_map, set), -EFAULT);
	set.map.buffer.p = (void *)list_va;
	assert_int_equal(CALL(XENMEM_set_memory_map, set), 0);
	set.domid = 9;
	assert_int_equal(CALL(XENMEM_set_memory_map, set), -ESRCH);
	sim_deschedule(v);
	v = sim_run_vcpu(d1, 0);
	op_va = sim_alloc(d1, PAGE_SIZE);
	list_va = sim_alloc(d1, PAGE_SIZE);
	map.buffer.p = (void *)list_va;
	map.nr_entries = 1;
	assert_int_equal(CALL(XENMEM_memory_map, map), 0);
	get(&map, op_va, sizeof(map));
	assert_int_equal(map.nr_entries, 1);
	map.nr_entries = 100;
	assert_int_equal(CALL(XENMEM_memory_map, map), 0);
	get(&map, op_va, sizeof(map));
	assert_int_equal(map.nr_entries, 2);
	get(list, list_va, 2 * sizeof(e[0]));
	assert_memory_equal(list, e, 2 * sizeof(e[0]));
	hv_free(d1->memory.map);
	d1->memory.map = NULL;
}

static void test_claim_and_pod(void **state)
{
	struct xen_memory_reservation op = { .domid = 1 };
	struct xen_pod_target pod = { .domid = 1, .target_pages = 10 };
	u64 free_frames = heap_free_frames();

	(void)state;
	as_dom0();
	op.nr_extents = d1->memory.pages + free_frames - 100;
	assert_int_equal(CALL(XENMEM_claim_pages, op), 0);
	assert_int_equal(heap_claimed_frames(), free_frames - 100);
	assert_int_equal(CALL(XENMEM_claim_pages, op), -EINVAL);
	/* dom0 gets only what is left; the domain with the claim gets its own. */
	assert_int_equal(populate(0, 1000, 0, 0), 100);
	assert_null(frames_alloc(0, 0));
	assert_non_null(domain_frames_alloc(d1, 3, 0));
	assert_int_equal(d1->memory.claim, free_frames - 108);
	op.nr_extents = 0;
	assert_int_equal(CALL(XENMEM_claim_pages, op), 0);
	assert_int_equal(heap_claimed_frames(), 0);
	op.nr_extents = SIM_FRAMES;
	assert_int_equal(CALL(XENMEM_claim_pages, op), -ENOMEM);
	op.nr_extents = d1->memory.max + 1;
	assert_int_equal(CALL(XENMEM_claim_pages, op), -EINVAL);
	op.nr_extents = 1;
	assert_int_equal(CALL(XENMEM_claim_pages, op), -EINVAL);
	op.extent_order = 1;
	assert_int_equal(CALL(XENMEM_claim_pages, op), -EINVAL);
	assert_int_equal(CALL(XENMEM_set_pod_target, pod), 0);
	get(&pod, op_va, sizeof(pod));
	assert_int_equal(pod.tot_pages, d1->memory.pages);
	assert_int_equal(pod.pod_entries, 0);
	pod.target_pages = d1->memory.max + 1;
	assert_int_equal(CALL(XENMEM_set_pod_target, pod), -EINVAL);
	assert_int_equal(CALL(XENMEM_get_pod_target, pod), 0);
}

/* --- physmap and resources --- */

static void test_physmap(void **state)
{
	struct xen_add_to_physmap op = { .domid = DOMID_SELF, .space = XENMAPSPACE_shared_info, .gpfn = 0x77 };
	struct xen_add_to_physmap_batch batch = { .domid = DOMID_SELF, .space = XENMAPSPACE_grant_table, .size = 5 };
	struct xen_remove_from_physmap rem = { .domid = DOMID_SELF };
	int errs[5];

	(void)state;
	for (u32 i = 0; i < 4; i++)
		grant_frame[i] = sim_mfn(d1, 20 + i);
	assert_int_equal(CALL(XENMEM_add_to_physmap, op), 0);
	assert_int_equal(m2p_get(virt_mfn(d1->shared)), 0x77);
	op.idx = 1;
	assert_int_equal(CALL(XENMEM_add_to_physmap, op), -EINVAL);
	op.space = XENMAPSPACE_gmfn;
	assert_int_equal(CALL(XENMEM_add_to_physmap, op), -EACCES);
	op.space = 99;
	assert_int_equal(CALL(XENMEM_add_to_physmap, op), -ENOSYS);
	op.space = XENMAPSPACE_grant_table;
	op.idx = 2;
	assert_int_equal(CALL(XENMEM_add_to_physmap, op), 0);
	assert_int_equal(m2p_get(grant_frame[2]), 0x77);
	op.idx = 0x100000002;
	assert_int_equal(CALL(XENMEM_add_to_physmap, op), -EINVAL);
	op.domid = 0;
	assert_int_equal(CALL(XENMEM_add_to_physmap, op), -EPERM);
	for (u32 i = 0; i < 5; i++) {
		list[i] = i;
		list2[i] = 0x500 + i;
	}
	put(list_va, list, 40);
	put(list2_va, list2, 40);
	batch.idxs.p = (void *)list_va;
	batch.gpfns.p = (void *)list2_va;
	batch.errs.p = (void *)(list_va + 1000);
	sim_preempt_every(1);
	assert_int_equal(CALL(XENMEM_add_to_physmap_batch, batch), 0);
	get(errs, list_va + 1000, sizeof(errs));
	for (u32 i = 0; i < 5; i++) {
		assert_int_equal(errs[i], i < 4 ? 0 : -EINVAL);
		if (i < 4)
			assert_int_equal(m2p_get(grant_frame[i]), 0x500 + i);
	}
	batch.u.res0 = 1;
	assert_int_equal(CALL(XENMEM_add_to_physmap_batch, batch), -EINVAL);
	rem.gpfn = grant_frame[3].v;
	assert_int_equal(CALL(XENMEM_remove_from_physmap, rem), 0);
	assert_int_equal(m2p_get(grant_frame[3]), M2P_INVALID);
	rem.gpfn = sim_mfn(d0, 1).v;
	assert_int_equal(CALL(XENMEM_remove_from_physmap, rem), -ENOENT);
	rem.gpfn = ~0UL;
	assert_int_equal(CALL(XENMEM_remove_from_physmap, rem), -ENOENT);
}

static void test_resources(void **state)
{
	struct xen_mem_acquire_resource op = { .domid = 1, .type = XENMEM_resource_grant_table };
	struct xen_reserved_device_memory_map rdm = { .flags = XENMEM_RDM_ALL, .nr_entries = 5 };

	(void)state;
	assert_int_equal(CALL(XENMEM_acquire_resource, op), -EPERM);
	assert_int_equal(CALL(XENMEM_reserved_device_memory_map, rdm), -EPERM);
	as_dom0();
	for (u32 i = 0; i < 4; i++)
		grant_frame[i] = sim_mfn(d1, 20 + i);
	assert_int_equal(CALL(XENMEM_acquire_resource, op), 0);
	get(&op, op_va, sizeof(op));
	assert_int_equal(op.nr_frames, 4);
	op.frame_list.p = (void *)list_va;
	op.frame = 1;
	op.nr_frames = 3;
	sim_preempt_every(1);
	assert_int_equal(CALL(XENMEM_acquire_resource, op), 0);
	get(list, list_va, 24);
	for (u32 i = 0; i < 3; i++)
		assert_int_equal(list[i], grant_frame[1 + i].v);
	op.nr_frames = 4;
	assert_int_equal(CALL(XENMEM_acquire_resource, op), -EINVAL);
	op.frame = ~0UL;
	assert_int_equal(CALL(XENMEM_acquire_resource, op), -EINVAL);
	op.type = XENMEM_resource_ioreq_server;
	assert_int_equal(CALL(XENMEM_acquire_resource, op), -EOPNOTSUPP);
	op.pad = 1;
	assert_int_equal(CALL(XENMEM_acquire_resource, op), -EINVAL);
	assert_int_equal(CALL(XENMEM_reserved_device_memory_map, rdm), 0);
	get(&rdm, op_va, sizeof(rdm));
	assert_int_equal(rdm.nr_entries, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_populate_decrease, start, stop),
		cmocka_unit_test_setup_teardown(test_no_leak, start, stop),
		cmocka_unit_test_setup_teardown(test_increase, start, stop),
		cmocka_unit_test_setup_teardown(test_large, start, stop),
		cmocka_unit_test_setup_teardown(test_limits, start, stop),
		cmocka_unit_test_setup_teardown(test_flags, start, stop),
		cmocka_unit_test_setup_teardown(test_bad_lists, start, stop),
		cmocka_unit_test_setup_teardown(test_permission, start, stop),
		cmocka_unit_test_setup_teardown(test_give_what_is_not_mine, start, stop),
		cmocka_unit_test_setup_teardown(test_give_what_is_in_use, start, stop),
		cmocka_unit_test_setup_teardown(test_stale_translations, start, stop),
		cmocka_unit_test_setup_teardown(test_exchange, start, stop),
		cmocka_unit_test_setup_teardown(test_exchange_refused, start, stop),
		cmocka_unit_test_setup_teardown(test_numbers, start, stop),
		cmocka_unit_test_setup_teardown(test_maps, start, stop),
		cmocka_unit_test_setup_teardown(test_claim_and_pod, start, stop),
		cmocka_unit_test_setup_teardown(test_physmap, start, stop),
		cmocka_unit_test_setup_teardown(test_resources, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
