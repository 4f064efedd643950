/* SPDX-License-Identifier: BSD-2-Clause */
/* mmu_update and update_va_mapping: what entries may be, and who may change whose. */
#include "fixture.h"
#include <hv/rangeset.h>

static void test_l1_flags(void **state)
{
	u32 page = sim_alloc_page(d), at = sim_alloc_page(d);
	u64 p = entry_address(d, at);

	(void)state;
	/* The user bit is added, the global bit dropped; all that is the guest's stays. */
	assert_int_equal(update(v, p, entry(d, page, 0x101 | PTE_NX | 0xe00 | 7UL << 56)), 0);
	assert_int_equal(*entry_of(d, at), entry(d, page, 0x5 | PTE_NX | 0xe00 | 7UL << 56));
	assert_int_equal(frame_at(page)->refs & FRAME_REFS, 3);
	assert_int_equal(frame_type_count(frame_at(page)), 1);
	/* Writable. */
	assert_int_equal(update(v, p, entry(d, page, RW)), 0);
	assert_int_equal(frame_at(page)->refs & FRAME_REFS, 2);
	assert_int_equal(frame_type_count(frame_at(page)), 2);
	/* Memory types are kept; memory that was written with another one is noted. */
	assert_false(frame_at(page)->type & FRAME_TYPE_UNCACHED);
	assert_int_equal(update(v, p, entry(d, page, RW | PTE_PCD | PTE_PWT | PTE_PAT)), 0);
	assert_int_equal(*entry_of(d, at), entry(d, page, RW | PTE_PCD | PTE_PWT | PTE_PAT));
	assert_true(frame_at(page)->type & FRAME_TYPE_UNCACHED);
	/* What is not present is no business of ours. */
	assert_int_equal(update(v, p, 0xfffffffffffffffe), 0);
	assert_int_equal(*entry_of(d, at), 0xfffffffffffffffe);
	assert_int_equal(frame_type_count(frame_at(page)), 1);
	assert_int_equal(update(v, p, entry(d, at, RW)), 0);
	sim_check();
}

static void test_preserve(void **state)
{
	u32 page = sim_alloc_page(d), at = sim_alloc_page(d);
	u64 p = entry_address(d, at);

	(void)state;
	assert_int_equal(update(v, p, entry(d, page, 0x7)), 0);
	*entry_of(d, at) |= PTE_ACCESSED | PTE_DIRTY;
	assert_int_equal(update(v, p | MMU_PT_UPDATE_PRESERVE_AD, entry(d, page, 0x5)), 0);
	assert_int_equal(*entry_of(d, at), entry(d, page, 0x5 | PTE_ACCESSED | PTE_DIRTY));
	assert_int_equal(update(v, p | MMU_PT_UPDATE_PRESERVE_AD, 0), 0);
	assert_int_equal(*entry_of(d, at), PTE_ACCESSED | PTE_DIRTY);
	assert_int_equal(update(v, p | MMU_PT_UPDATE_NO_TRANSLATE, entry(d, page, 0x5)), 0);
	assert_int_equal(*entry_of(d, at), entry(d, page, 0x5));
}

static void refused(u64 p, u64 val, long error)
{
	u64 before = p < (u64)SIM_FRAMES << PAGE_SHIFT ? *(u64 *)(void *)(sim_direct_map + (p & ~7UL)) : 0;

	assert_int_equal(update(v, p, val), error);
	if (p < (u64)SIM_FRAMES << PAGE_SHIFT)
		assert_int_equal(*(u64 *)(void *)(sim_direct_map + (p & ~7UL)), before);
	sim_check();
}

static void test_l1_refused(void **state)
{
	u32 at = sim_alloc_page(d), table = sim_table(d, 1, SIM_GUEST_BASE), segdesc = sim_alloc_page(d);
	u64 p = entry_address(d, at);
	void *own = page_alloc();

	(void)state;
	/* Page tables and descriptors may be seen, and not written; not even the table that the entry is in. */
	refused(p, entry(d, table, RW), -EINVAL);
	refused(p, entry(d, sim_table(d, 4, 0), RW), -EINVAL);
	assert_int_equal(update(v, p, entry(d, table, RO)), 0);
	assert_int_equal(va_set(v, segdesc, entry(d, segdesc, RO), UVMF_INVLPG | UVMF_ALL), 0);
	assert_true(frame_get(frame_at(segdesc), d));
	assert_int_equal(frame_type_get(v, frame_at(segdesc), FRAME_SEGDESC), 0);
	assert_int_equal(update(v, p, entry(d, segdesc, RW)), -EINVAL);
	assert_int_equal(update(v, mfn_of(segdesc) << PAGE_SHIFT, 0), -EINVAL);
	frame_type_put(v, frame_at(segdesc), FRAME_SEGDESC);
	frame_put(frame_at(segdesc));
	assert_int_equal(update(v, p, entry(d, segdesc, RW)), 0);
	/* Other domains' and the hypervisor's memory, and what is no memory at all. */
	refused(p, entry(control, 3, RW), -EINVAL);
	refused(p, entry(control, 3, RO), -EINVAL);
	refused(p, virt_mfn(own).v << PAGE_SHIFT | RW, -EINVAL);
	refused(p, virt_mfn(own).v << PAGE_SHIFT | RO, -EINVAL);
	refused(p, (u64)SIM_FRAMES << PAGE_SHIFT | RO, -EPERM);
	refused(p, PTE_ADDRESS | RW, -EPERM);
	refused(p, 0UL | RW, -EPERM);
	page_free(own);
	/* Places that are no entries. */
	refused(p | 4, entry(d, at, RW), -EINVAL);
	refused((u64)SIM_FRAMES << PAGE_SHIFT, entry(d, at, RW), -EINVAL);
	refused(0xfffffffffffff000, entry(d, at, RW), -EINVAL);
	refused(entry_address(control, 3), 0, -EINVAL);
}

static void test_shared_info(void **state)
{
	u32 at = sim_alloc_page(d);
	u64 shared = virt_mfn(d->shared).v << PAGE_SHIFT, p = entry_address(d, at);

	(void)state;
	assert_int_equal(update(v, p, shared | RW), 0);
	assert_int_equal(frame_type_count(frame_of(virt_mfn(d->shared))), 2);
	assert_int_equal(ext(v, MMUEXT_PIN_L1_TABLE, virt_mfn(d->shared).v, 0), -EINVAL);
	assert_int_equal(update(v, p, 0), 0);
	refused(p, virt_mfn(control->shared).v << PAGE_SHIFT | RO, -EINVAL);
}

static void test_io_memory(void **state)
{
	u32 at = sim_alloc_page(d), at0 = sim_alloc_page(control);
	u64 io = SIM_HOLE_FIRST + 4, p = entry_address(d, at), p0 = entry_address(control, at0);

	(void)state;
	refused(p, io << PAGE_SHIFT | RW, -EPERM);
	assert_int_equal(rangeset_add(d->iomem, io, io + 1), 0);
	assert_int_equal(update(v, p, io << PAGE_SHIFT | RW | PTE_PCD), 0);
	refused(p, (io + 2) << PAGE_SHIFT | RO, -EPERM);
	/* DOMID_IO: only I/O memory, with the caller's permissions. */
	assert_int_equal(update_foreign(v, p, (io + 1) << PAGE_SHIFT | RO, DOMID_IO), 0);
	assert_int_equal(update_foreign(v, p, (io + 2) << PAGE_SHIFT | RO, DOMID_IO), -EPERM);
	assert_int_equal(update_foreign(v, p, entry(d, at, RO), DOMID_IO), -EINVAL);
	assert_int_equal(update_foreign(v, p, 0, DOMID_IO), 0);
	/* The privileged domain maps with the permission of the domain that it names. */
	assert_int_equal(update_foreign(c, p0, io << PAGE_SHIFT | RO, d->id), 0);
	assert_int_equal(update_foreign(c, p0, (io + 2) << PAGE_SHIFT | RO, d->id), -EPERM);
	assert_int_equal(update(c, p0, io << PAGE_SHIFT | RO), -EPERM);
	assert_int_equal(rangeset_add(control->iomem, 0, 1UL << 40), 0);
	assert_int_equal(update(c, p0, (u64)SIM_FRAMES << PAGE_SHIFT | RW), 0);
	assert_int_equal(update(c, p0, 0), 0);
}

static void test_upper_tables(void **state)
{
	u32 data = sim_alloc_page(d);
	u32 l1 = table_page((s64[]){ 0, (s64)entry(d, data, RW), 511, (s64)entry(d, data, RO), -1 });
	u32 l2 = table_page((s64[]){ 5, (s64)entry(d, l1, RW), -1 });
	u64 p3 = (mfn_of(sim_table(d, 3, 0)) << PAGE_SHIFT) + 300 * 8;
	u64 p2 = (mfn_of(sim_table(d, 2, 0)) << PAGE_SHIFT) + 100 * 8;
	u64 p4 = mfn_of(sim_table(d, 4, 0)) << PAGE_SHIFT, val;

	(void)state;
	/* Hung in, they are validated; taken out, everything is given back. */
	assert_int_equal(update(v, p3, entry(d, l2, 0x3)), 0);
	assert_int_equal(sim_page(d, sim_table(d, 3, 0))[300], entry(d, l2, 0x7));
	assert_int_equal(frame_type(frame_at(l2)), FRAME_L2);
	assert_int_equal(frame_type(frame_at(l1)), FRAME_L1);
	assert_int_equal(frame_type_count(frame_at(data)), 2);
	assert_int_equal(update(v, p2, entry(d, l1, RW)), 0);
	assert_int_equal(frame_type_count(frame_at(l1)), 2);
	assert_true(sim_load(v, SIM_GUEST_BASE + (100UL << 21), &val));
	sim_check();
	/* Wrong levels, large pages, itself, foreign tables, no memory. */
	refused(p3, entry(d, l1, RW), -EINVAL);
	refused(p2, entry(d, l2, RW), -EINVAL);
	refused(p2, entry(d, l1, RW | PTE_SIZE), -EINVAL);
	refused(p3, entry(d, l2, RW | PTE_SIZE), -EINVAL);
	refused(p4, entry(d, sim_table(d, 3, 0), RW | PTE_SIZE), -EINVAL);
	refused(p4 + 8, entry(d, sim_table(d, 4, 0), RW), -EINVAL);
	refused(p2 & PAGE_MASK, entry(d, sim_table(d, 2, 0), RO), -EINVAL);
	refused(p2, entry(control, sim_table(control, 1, SIM_GUEST_BASE), RW), -EINVAL);
	refused(p2, (u64)SIM_FRAMES << PAGE_SHIFT | RW, -EINVAL);
	refused(p2, PTE_ADDRESS | RW, -EINVAL);
	refused(p2, (u64)SIM_HOLE_FIRST << PAGE_SHIFT | RW, -EINVAL);
	refused(p2, entry(d, data, RW), -EINVAL);
	/* The hypervisor's part of the root. */
	for (u32 i = HV_L4_FIRST; i <= HV_L4_LAST; i++) {
		refused(p4 + i * 8, 0, -EPERM);
		refused(p4 + i * 8, entry(d, sim_table(d, 3, 0), RW), -EPERM);
	}
	assert_int_equal(update(v, p4 + 255 * 8, entry(d, sim_table(d, 3, 0), RW)), 0);
	assert_int_equal(update(v, p4 + 255 * 8, 0), 0);
	assert_int_equal(update(v, p2, 0), 0);
	assert_int_equal(update(v, p3, 0), 0);
	assert_true(frame_type_drained(d));
	assert_int_equal(state_of(l2), FRAME_STATE_NONE);
	assert_int_equal(state_of(l1), FRAME_STATE_NONE);
	assert_int_equal(frame_type_count(frame_at(data)), 1);
	/* They are memory again. */
	assert_int_equal(va_set(v, l1, entry(d, l1, RW), 0), 0);
}

static void test_bad_tables(void **state)
{
	u32 data = sim_alloc_page(d), good, bad, l2;
	u64 p2 = (mfn_of(sim_table(d, 2, 0)) << PAGE_SHIFT) + 100 * 8, p3 = (mfn_of(sim_table(d, 3, 0)) << PAGE_SHIFT) + 300 * 8;

	(void)state;
	/* One bad entry at the end: nothing of what came before it is kept. */
	good = table_page((s64[]){ 0, (s64)entry(d, data, RW), -1 });
	bad = table_page((s64[]){ 0, (s64)entry(d, data, RW), 1, (s64)entry(d, data, RO), 511, (s64)entry(control, 1, RO), -1 });
	refused(p2, entry(d, bad, RW), -EINVAL);
	assert_int_equal(state_of(bad), FRAME_STATE_NONE);
	assert_int_equal(frame_type_count(frame_at(data)), 1);
	l2 = table_page((s64[]){ 0, (s64)entry(d, good, RW), 7, (s64)entry(d, bad, RW), -1 });
	refused(p3, entry(d, l2, RW), -EINVAL);
	assert_int_equal(frame_type(frame_at(good)), FRAME_NONE);
	/* A table that is still writable somewhere. */
	bad = sim_alloc_page(d);
	refused(p2, entry(d, bad, RW), -EINVAL);
	/* One that maps itself for writing; for reading it may. */
	bad = sim_alloc_page(d);
	assert_true(sim_store(v, sim_va(bad), entry(d, bad, RW)));
	assert_int_equal(va_set(v, bad, entry(d, bad, RO), 0), 0);
	refused(p2, entry(d, bad, RW), -EINVAL);
	assert_int_equal(va_set(v, bad, entry(d, bad, RW), 0), 0);
	assert_true(sim_store(v, sim_va(bad), entry(d, bad, RO)));
	assert_int_equal(va_set(v, bad, entry(d, bad, RO), 0), 0);
	assert_int_equal(update(v, p2, entry(d, bad, RW)), 0);
	assert_int_equal(update(v, p2, 0), 0);
}

static void test_plain_memory(void **state)
{
	u32 page = sim_alloc_page(d);

	(void)state;
	assert_int_equal(update(v, (mfn_of(page) << PAGE_SHIFT) + 16, 0x1234), 0);
	assert_int_equal(sim_page(d, page)[2], 0x1234);
	assert_int_equal(update(v, (mfn_of(page) << PAGE_SHIFT) + 16 + MMU_PT_UPDATE_PRESERVE_AD, 0x1), 0);
	assert_int_equal(sim_page(d, page)[2], 0x21);
	refused(sim_mfn(control, 3).v << PAGE_SHIFT, 1, -EINVAL);
	refused((u64)SIM_HOLE_FIRST << PAGE_SHIFT, 1, -EINVAL);
	refused(0, 1, -EINVAL);
}

static void test_machphys(void **state)
{
	u32 page = sim_alloc_page(d);
	u64 p = mfn_of(page) << PAGE_SHIFT | MMU_MACHPHYS_UPDATE;

	(void)state;
	assert_int_equal(update(v, p, 4711), 0);
	assert_int_equal(m2p_get(sim_mfn(d, page)), 4711);
	assert_int_equal(update(v, sim_mfn(control, 3).v << PAGE_SHIFT | MMU_MACHPHYS_UPDATE, 1), -EINVAL);
	assert_int_equal(m2p_get(sim_mfn(control, 3)), 3);
	assert_int_equal(update(v, (u64)SIM_HOLE_FIRST << PAGE_SHIFT | MMU_MACHPHYS_UPDATE, 1), -EINVAL);
	assert_int_equal(update(v, (u64)SIM_FRAMES << PAGE_SHIFT | MMU_MACHPHYS_UPDATE, 1), -EINVAL);
	assert_int_equal(update_foreign(v, p, 1, DOMID_IO), -EINVAL);
	/* A domain builder does it for another. */
	assert_int_equal(update_foreign(c, p, 815, d->id), 0);
	assert_int_equal(m2p_get(sim_mfn(d, page)), 815);
	assert_int_equal(update(c, p, 816), -EINVAL);
	assert_int_equal(update_foreign(v, p, 1, control->id), -EPERM);
}

static void test_foreign(void **state)
{
	u32 at = sim_alloc_page(control), page = sim_alloc_page(d), mine = sim_alloc_page(d), l1 = sim_table(d, 1, SIM_GUEST_BASE);
	u64 p = entry_address(control, at), mark = 0xfeed;
	mfn_t where;

	(void)state;
	assert_true(sim_store(v, sim_va(page), mark));
	/* Only who may, and only frames of the domain that was named. */
	assert_int_equal(update_foreign(v, entry_address(d, mine), entry(control, 3, RO), control->id), -EPERM);
	assert_int_equal(update_foreign(c, p, entry(d, page, RO), 5), -ESRCH);
	assert_int_equal(update_foreign(c, p, entry(d, page, RO), DOMID_INVALID), -ESRCH);
	assert_int_equal(update(c, p, entry(d, page, RO)), -EINVAL);
	assert_int_equal(update_foreign(c, p, entry(control, 3, RO), d->id), -EINVAL);
	assert_int_equal(update_foreign(c, p, entry(d, l1, RW), d->id), -EINVAL);
	assert_int_equal(update_foreign(c, p, entry(d, l1, RO), d->id), 0);
	assert_int_equal(update_foreign(c, p, entry(d, page, RW), d->id), 0);
	assert_true(frame_at(page)->type & FRAME_TYPE_FOREIGN);
	sim_run(c, 2);
	tlb_flush_local();
	assert_true(sim_access(c, sim_va(at), true, &where));
	assert_int_equal(where.v, mfn_of(page));
	sim_check();
	/* While it is mapped there it cannot become a table here. */
	sim_run(v, 0);
	assert_int_equal(va_set(v, page, 0, UVMF_INVLPG | UVMF_ALL), 0);
	assert_int_equal(ext(v, MMUEXT_PIN_L1_TABLE, mfn_of(page), 0), -EINVAL);
	/* Afterwards it can, and the other domain's CPU has lost its translation. */
	assert_int_equal(update(c, p, 0), 0);
	assert_true(sim_access(c, sim_va(at), true, &where));
	sim_run(v, 0);
	assert_true(sim_store(v, sim_va(mine), 0));
	assert_int_equal(update(v, mfn_of(page) << PAGE_SHIFT, 0), 0);
	assert_int_equal(ext(v, MMUEXT_PIN_L1_TABLE, mfn_of(page), 0), 0);
	sim_check();
	sim_run(c, 2);
	assert_false(sim_access(c, sim_va(at), true, &where));
	/* A table with foreign entries keeps them, but cannot be validated again. */
	assert_int_equal(update_foreign(c, p, entry(d, mine, RO), d->id), 0);
	assert_int_equal(update(c, p, 0), 0);
}

static void test_foreign_tables(void **state)
{
	u32 at = sim_alloc_page(d), page = sim_alloc_page(d), l1;
	u32 pfd = ((u32)d->id + 1) << 16;
	u64 p = entry_address(d, at);

	(void)state;
	/* Page tables of another domain, with its own frames or ours. */
	assert_int_equal(update_foreign(c, p, entry(d, page, RW), pfd | d->id), 0);
	assert_int_equal(*entry_of(d, at), entry(d, page, RW));
	assert_int_equal(update_foreign(c, p, entry(d, page, RW), pfd | DOMID_SELF), -EINVAL);
	assert_int_equal(update_foreign(c, p, entry(control, 3, RO), pfd | DOMID_SELF), 0);
	assert_int_equal(update_foreign(c, p, 0, pfd | d->id), 0);
	assert_int_equal(update_foreign(c, p, 0, DOMID_SELF), -EINVAL);
	assert_int_equal(update_foreign(v, entry_address(control, 3), 0, 1u << 16 | DOMID_SELF), -EPERM);
	assert_int_equal(update_foreign(c, p, 0, 6u << 16 | DOMID_SELF), -ESRCH);
	/* Tables are validated by their owner's rules. */
	l1 = table_page((s64[]){ 0, (s64)entry(d, page, RW), -1 });
	assert_int_equal(update_foreign(c, (mfn_of(sim_table(d, 2, 0)) << PAGE_SHIFT) + 800, entry(d, l1, RW), pfd | d->id), 0);
	assert_int_equal(frame_type(frame_at(l1)), FRAME_L1);
	assert_int_equal(update_foreign(c, (mfn_of(sim_table(d, 2, 0)) << PAGE_SHIFT) + 800, 0, pfd | d->id), 0);
	assert_int_equal(state_of(l1), FRAME_STATE_NONE);
	/* Not of a domain that is going. */
	d->life = DOMAIN_DYING;
	assert_int_equal(update_foreign(c, p, 0, pfd | d->id), -ESRCH);
	assert_int_equal(update_foreign(c, entry_address(control, 3), entry(d, page, RO), d->id), -ESRCH);
	d->life = DOMAIN_LIVE;
	/* A device model may as well. */
	d->privileged = false;
	control->privileged = false;
	assert_int_equal(update_foreign(c, p, 0, pfd | d->id), -EPERM);
	control->target = d;
	assert_int_equal(update_foreign(c, p, 0, pfd | d->id), 0);
	control->target = NULL;
	control->privileged = true;
}

static void test_hypervisor_pages(void **state)
{
	u32 at = sim_alloc_page(control);
	u64 p = entry_address(control, at);
	void *page = page_alloc(), *own = page_alloc();
	struct frame *f = frame_of(virt_mfn(page));

	(void)state;
	/* As the machine-to-physical table is at boot. */
	f->flags |= FRAME_SHARED;
	frame_type_share(f, false);
	f->refs = FRAME_ALLOC | 1;
	assert_int_equal(update_foreign(c, p, virt_mfn(page).v << PAGE_SHIFT | RO, DOMID_XEN), 0);
	assert_int_equal(update_foreign(c, p, virt_mfn(page).v << PAGE_SHIFT | RW, DOMID_XEN), -EINVAL);
	assert_int_equal(update_foreign(c, p, virt_mfn(own).v << PAGE_SHIFT | RO, DOMID_XEN), -EINVAL);
	assert_int_equal(update_foreign(c, p, entry(d, 3, RO), DOMID_XEN), -EINVAL);
	assert_int_equal(update(c, p, virt_mfn(page).v << PAGE_SHIFT | RO), -EINVAL);
	assert_int_equal(update_foreign(v, entry_address(d, 3), virt_mfn(page).v << PAGE_SHIFT | RO, DOMID_XEN), -EPERM);
	/* A frame whose domain has gone has no owner but us; it is not for mapping. */
	assert_true(frame_get(frame_at(4), d));
	frame_at(4)->owner = DOMID_XEN;
	assert_int_equal(update_foreign(c, p, entry(d, 4, RO), DOMID_XEN), -EINVAL);
	frame_at(4)->owner = d->id;
	frame_put(frame_at(4));
	assert_int_equal(update(c, p, 0), 0);
	assert_true(frame_type_unshare(f));
	f->refs = 0;
	f->type = 0;
	f->flags &= (u8)~FRAME_SHARED;
	page_free(page);
	page_free(own);
}

#define BATCH 200u

static void test_batch(void **state)
{
	gva_t list = sim_alloc(d, BATCH * sizeof(struct mmu_update)), done = sim_alloc(d, 8);
	u32 page = sim_alloc_page(d), l1 = table_page((s64[]){ -1 });
	struct mmu_update u;
	u64 val;

	(void)state;
	assert_int_equal(ext(v, MMUEXT_PIN_L1_TABLE, mfn_of(l1), 0), 0);
	for (u32 every = 0; every <= 3; every++) {
		for (u32 i = 0; i < BATCH; i++) {
			u.ptr = (mfn_of(l1) << PAGE_SHIFT) + i * 8;
			u.val = every & 1 ? 0 : entry(d, page, i & 1 ? RW : RO);
			assert_int_equal(guest_array_out(v, list, i, &u), 0);
		}
		sim_preempt_every(every);
		assert_int_equal(sim_call(v, do_mmu_update, list, BATCH, done, DOMID_SELF, 0, 0), 0);
		assert_true(sim_load(v, done, &val));
		assert_int_equal((u32)val, BATCH);
		assert_int_equal(frame_type_count(frame_at(page)), every & 1 ? 1 : 1 + BATCH / 2);
		sim_check();
	}
	assert_true(sim_preempt_said > 0);
	sim_preempt_every(1);
	/* The one that fails ends it; those before it are done, and counted. */
	u.ptr = entry_address(control, 0);
	assert_int_equal(guest_array_out(v, list, 150, &u), 0);
	assert_int_equal(sim_call(v, do_mmu_update, list, BATCH, done, DOMID_SELF, 0, 0), -EINVAL);
	assert_true(sim_load(v, done, &val));
	assert_int_equal((u32)val, 150);
	/* Nothing to do; no list; no place for the count. */
	assert_int_equal(sim_call(v, do_mmu_update, 0, 0, done, DOMID_SELF, 0, 0), 0);
	assert_true(sim_load(v, done, &val));
	assert_int_equal((u32)val, 0);
	assert_int_equal(sim_call(v, do_mmu_update, HV_VIRT_START, 1, done, DOMID_SELF, 0, 0), -EFAULT);
	assert_int_equal(sim_call(v, do_mmu_update, sim_va(PAGES), 1, 0, DOMID_SELF, 0, 0), -EFAULT);
	assert_int_equal(sim_call(v, do_mmu_update, list, 1, HV_VIRT_START, DOMID_SELF, 0, 0), -EFAULT);
	sim_preempt_every(0);
}

/* Tables that go when their entry is replaced, with preemption at every chance. */
static void test_preempted_replacement(void **state)
{
	u32 data = sim_alloc_page(d), l1[6], l2;
	u64 p3 = (mfn_of(sim_table(d, 3, 0)) << PAGE_SHIFT) + 300 * 8;
	s64 entries[13];

	(void)state;
	for (u32 i = 0; i < 6; i++) {
		l1[i] = table_page((s64[]){ i, (s64)entry(d, data, RW), -1 });
		entries[2 * i] = i;
		entries[2 * i + 1] = (s64)entry(d, l1[i], RW);
	}
	entries[12] = -1;
	l2 = table_page(entries);
	sim_preempt_every(1);
	for (u32 round = 0; round < 2; round++) {
		sim_preempt_said = 0;
		assert_int_equal(update(v, p3, entry(d, l2, RW)), 0);
		assert_true(sim_preempt_said >= 5);
		assert_int_equal(frame_type_count(frame_at(data)), 7);
		sim_preempt_said = 0;
		assert_int_equal(update(v, p3, 0), 0);
		assert_true(sim_preempt_said >= 5);
		assert_int_equal(frame_type_count(frame_at(data)), 1);
		assert_true(frame_type_drained(d));
		sim_check();
	}
	sim_preempt_every(0);
}

/* --- update_va_mapping --- */

static void test_va_flush(void **state)
{
	u32 at = sim_alloc_page(d), page = sim_alloc_page(d);
	gva_t mask = sim_alloc(d, 8);
	u64 val = entry(d, page, RW), word;

	(void)state;
#define FLUSHED(flags, full, pages, other) do { \
	sim_counts.flush_full = sim_counts.flush_page = sim_counts.ipis = 0; \
	assert_int_equal(va_set(v, at, val, (flags)), 0); \
	assert_int_equal(sim_counts.flush_full, full); \
	assert_int_equal(sim_counts.flush_page, pages); \
	assert_int_equal(sim_counts.ipis, other); } while (0)
	FLUSHED(UVMF_NONE, 0, 0, 0);
	FLUSHED(UVMF_INVLPG | UVMF_LOCAL, 0, 1, 0);
	FLUSHED(UVMF_TLB_FLUSH | UVMF_LOCAL, 1, 0, 0);
	FLUSHED(UVMF_INVLPG | UVMF_ALL, 0, 2, 1);
	FLUSHED(UVMF_TLB_FLUSH | UVMF_ALL, 2, 0, 1);
	FLUSHED(UVMF_NONE | UVMF_ALL, 0, 0, 0);
	assert_true(sim_store(v, mask, 2));
	FLUSHED(UVMF_INVLPG | UVMF_MULTI | mask, 0, 1, 1);
	assert_true(sim_store(v, mask, 3));
	FLUSHED(UVMF_TLB_FLUSH | UVMF_MULTI | mask, 2, 0, 1);
	assert_true(sim_store(v, mask, ~3UL));
	FLUSHED(UVMF_TLB_FLUSH | UVMF_MULTI | mask, 0, 0, 0);
	/* A vCPU that does not run has no translations. */
	sim_deschedule(w);
	sim_run(v, 0);
	assert_true(sim_store(v, mask, 2));
	FLUSHED(UVMF_TLB_FLUSH | UVMF_MULTI | mask, 0, 0, 0);
	assert_int_equal(va_set(v, at, val, UVMF_FLUSHTYPE_MASK), -EINVAL);
	assert_int_equal(va_set(v, at, val, UVMF_INVLPG | UVMF_MULTI | 0x1000), -EFAULT);
	/* The guest gets what it asked for. */
	assert_true(sim_load(v, sim_va(at), &word));
	assert_int_equal(va_set(v, at, 0, UVMF_NONE), 0);
	assert_true(sim_load(v, sim_va(at), &word));
	assert_int_equal(va_set(v, at, 0, UVMF_INVLPG), 0);
	assert_false(sim_load(v, sim_va(at), &word));
}

static void test_va_refused(void **state)
{
	u32 at = sim_alloc_page(d), at0 = sim_alloc_page(control);
	u64 val = entry(d, at, RW);

	(void)state;
	assert_int_equal(sim_call(v, do_update_va_mapping, HV_VIRT_START, val, 0, 0, 0, 0), -EINVAL);
	assert_int_equal(sim_call(v, do_update_va_mapping, 1UL << 47, val, 0, 0, 0, 0), -EINVAL);
	assert_int_equal(sim_call(v, do_update_va_mapping, 0x1000, val, 0, 0, 0, 0), -EINVAL);
	assert_int_equal(sim_call(v, do_update_va_mapping, SIM_GUEST_BASE + (1UL << 30), val, 0, 0, 0, 0), -EINVAL);
	assert_int_equal(sim_call(v, do_update_va_mapping, SIM_GUEST_BASE + (1UL << 21), val, 0, 0, 0, 0), -EINVAL);
	assert_int_equal(va_set(v, at, entry(control, 1, RO), 0), -EINVAL);
	assert_int_equal(va_set(v, at, entry(d, sim_table(d, 1, SIM_GUEST_BASE), RW), 0), -EINVAL);
	/* Of other domains. */
	assert_int_equal(sim_call(v, do_update_va_mapping_otherdomain, sim_va(at), entry(control, 1, RO), 0, 0, 0, 0), -EPERM);
	assert_int_equal(sim_call(v, do_update_va_mapping_otherdomain, sim_va(at), val, 0, DOMID_IO, 0, 0), -EPERM);
	assert_int_equal(sim_call(v, do_update_va_mapping_otherdomain, sim_va(at), val, 0, DOMID_SELF, 0, 0), 0);
	sim_run(c, 2);
	assert_int_equal(sim_call(c, do_update_va_mapping_otherdomain, sim_va(at0), entry(d, 3, RW), 0, d->id, 0, 0), 0);
	assert_int_equal(*entry_of(control, at0), entry(d, 3, RW));
	assert_int_equal(sim_call(c, do_update_va_mapping_otherdomain, sim_va(at0), entry(d, 3, RW), 0, DOMID_IO, 0, 0), -EINVAL);
	assert_int_equal(sim_call(c, do_update_va_mapping_otherdomain, sim_va(at0), 0, 0, 9, 0, 0), -ESRCH);
	assert_int_equal(sim_call(c, do_update_va_mapping_otherdomain, sim_va(at0), 0, UVMF_INVLPG, d->id, 0, 0), 0);
}

int update_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_l1_flags), TEST(test_preserve), TEST(test_l1_refused), TEST(test_shared_info), TEST(test_io_memory),
		TEST(test_upper_tables), TEST(test_bad_tables), TEST(test_plain_memory), TEST(test_machphys), TEST(test_foreign),
		TEST(test_foreign_tables), TEST(test_hypervisor_pages), TEST(test_batch), TEST(test_preempted_replacement),
		TEST(test_va_flush), TEST(test_va_refused),
	};

	return cmocka_run_group_tests_name("updates", tests, NULL, NULL);
}
