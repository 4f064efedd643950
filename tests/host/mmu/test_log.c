/* SPDX-License-Identifier: BSD-2-Clause */
/* Logging of writes: what each operation of the control interface does, and that nothing written is missed. */
#include "fixture.h"
#include <hv/dirty_log.h>
#include <hv/regs.h>
#include <xen/domctl.h>
#include "../../../hypervisor/arch/x86/pv/mmu_mirror.h"

#define BYTES (PAGES / 8)

static gva_t buffer;		/* of control: the bit map */
static u8 bits[PAGES / 8 + 8];

static int start_log(void **state)
{
	start(state);
	buffer = sim_va(sim_alloc_page(control));
	return 0;
}
#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, start_log, stop)

/* By dom0's vCPU, again and again while it is preempted. */
static long shadow(struct xen_domctl_shadow_op *op)
{
	bool out = false;
	long rc;

	sim_run(c, 2);
	while ((rc = pv_shadow_op(c, d, op, &out)) == -ERESTART)
		;
	sim_run(d->vcpu[1], 1);
	sim_run(d->vcpu[0], 0);
	return rc;
}

static long simple(u32 cmd, u32 mode)
{
	struct xen_domctl_shadow_op op = { .op = cmd, .mode = mode };

	return shadow(&op);
}

static long log_on(void)
{
	return simple(XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY, 0);
}

static struct xen_domctl_shadow_op_stats read_bits(u32 cmd, u32 mode)
{
	struct xen_domctl_shadow_op op = { .op = cmd, .mode = mode, .pages = PAGES, .dirty_bitmap.p = (void *)buffer };

	assert_int_equal(shadow(&op), 0);
	assert_int_equal(op.pages, PAGES);
	memcpy(bits, sim_ptr(control, buffer), BYTES);
	return op.stats;
}

static void clean(void)
{
	(void)read_bits(XEN_DOMCTL_SHADOW_OP_CLEAN, 0);
}

static bool dirty(u32 pfn)
{
	return bits[pfn / 8] >> (pfn % 8) & 1;
}

static u32 dirty_count(void)
{
	u32 n = 0;

	for (u32 i = 0; i < PAGES; i++)
		n += dirty(i);
	return n;
}

static void test_life(void **state)
{
	struct xen_domctl_shadow_op op = { .op = XEN_DOMCTL_SHADOW_OP_GET_ALLOCATION };

	(void)state;
	assert_int_equal(simple(XEN_DOMCTL_SHADOW_OP_CLEAN, 0), -EINVAL);
	assert_int_equal(simple(XEN_DOMCTL_SHADOW_OP_OFF, 0), 0);
	assert_int_equal(simple(XEN_DOMCTL_SHADOW_OP_ENABLE, XEN_DOMCTL_SHADOW_ENABLE_REFCOUNT), -EINVAL);
	assert_int_equal(simple(XEN_DOMCTL_SHADOW_OP_ENABLE, 0), -EOPNOTSUPP);
	assert_int_equal(simple(3, 0), -EINVAL);
	assert_int_equal(simple(XEN_DOMCTL_SHADOW_OP_ENABLE, XEN_DOMCTL_SHADOW_ENABLE_LOG_DIRTY), 0);
	assert_int_equal(log_on(), -EINVAL);
	assert_true(d->logging);
	assert_int_equal(shadow(&op), 0);
	assert_true(op.mb > 0);
	sim_check();
	assert_int_equal(simple(XEN_DOMCTL_SHADOW_OP_OFF, 0), 0);
	assert_false(d->logging);
	assert_int_equal(dirty_logs, 0);
	/* The memory has gone back; and it can be had again. */
	assert_int_equal(shadow(&op), 0);
	assert_int_equal(op.mb, 0);
	assert_int_equal(log_on(), 0);
	sim_check();
}

/* Loads and stores of two vCPUs. */
static void test_stores(void **state)
{
	u32 a = sim_alloc_page(d), b = sim_alloc_page(d), read = sim_alloc_page(d);
	struct xen_domctl_shadow_op_stats s;
	u64 val;

	(void)state;
	assert_true(sim_store(v, sim_va(a), 1));
	assert_int_equal(log_on(), 0);
	clean();
	assert_true(sim_load(v, sim_va(read), &val) && sim_load(v, sim_va(a), &val));
	assert_true(sim_store(v, sim_va(a), 2));
	assert_true(sim_store(w, sim_va(b), 3));
	sim_check();
	s = read_bits(XEN_DOMCTL_SHADOW_OP_PEEK, 0);
	assert_true(dirty(a) && dirty(b) && !dirty(read));
	assert_int_equal(s.dirty_count, dirty_count());
	assert_true(s.fault_count > 0);
	clean();
	assert_true(dirty(a) && dirty(b) && !dirty(read));
	/* Through translations that were there when the page became clean. */
	assert_true(sim_store(v, sim_va(a), 4));
	clean();
	assert_true(dirty(a) && !dirty(b));
	clean();
	assert_int_equal(dirty_count(), 0);
	s = read_bits(XEN_DOMCTL_SHADOW_OP_PEEK, 0);
	assert_int_equal(s.dirty_count, 0);
	sim_check();
}

/* The guest's own entries get accessed and dirty bits, as by the processor, and that changes the table. */
static void test_accessed_dirty(void **state)
{
	u32 a = sim_alloc_page(d), table;
	u64 val;

	(void)state;
	assert_int_equal(log_on(), 0);
	assert_int_equal(va_set(v, a, entry(d, a, 0x7), UVMF_INVLPG), 0);
	table = sim_table(d, 1, sim_va(a));
	clean();
	assert_true(dirty(table));
	assert_int_equal(*entry_of(d, a) & 0x60, 0);
	assert_true(sim_load(v, sim_va(a), &val));
	assert_int_equal(*entry_of(d, a) & 0x60, 0x20);
	clean();
	assert_true(dirty(table) && !dirty(a));
	assert_true(sim_store(v, sim_va(a), 1));
	assert_int_equal(*entry_of(d, a) & 0x60, 0x60);
	clean();
	assert_true(dirty(table) && dirty(a));
	assert_true(sim_store(v, sim_va(a), 2));
	clean();
	assert_true(!dirty(table) && dirty(a));
	/* The guest takes the bits away: it is told again. */
	assert_int_equal(va_set(v, a, entry(d, a, 0x7), UVMF_INVLPG), 0);
	assert_true(sim_load(v, sim_va(a), &val));
	assert_int_equal(*entry_of(d, a) & 0x60, 0x20);
	sim_check();
}

/* What the guest's tables forbid stays forbidden, and the guest hears of it as if there were no mirrors. */
static void test_refused(void **state)
{
	u32 a = sim_alloc_page(d), b = sim_alloc_page(d), error;

	(void)state;
	assert_int_equal(log_on(), 0);
	assert_int_equal(va_set(v, a, entry(d, a, 0x5), UVMF_INVLPG), 0);
	assert_int_equal(va_set(v, b, 0, UVMF_INVLPG), 0);
	assert_false(sim_store(v, sim_va(a), 1));
	assert_false(sim_store(v, sim_va(b), 1));
	error = PFEC_WRITE | PFEC_USER;
	assert_false(mirror_fault(v, sim_va(a), &error));
	assert_int_equal(error, PFEC_WRITE | PFEC_USER | PFEC_PRESENT);
	assert_false(mirror_fault(v, sim_va(b), &error));
	assert_int_equal(error, PFEC_WRITE | PFEC_USER);
	assert_false(mirror_fault(v, HV_VIRT_START, &error));
	sim_check();
}

/* Page tables: each change, each change of type, pins. */
static void test_tables(void **state)
{
	u32 a = sim_alloc_page(d), l1, l2;

	(void)state;
	assert_int_equal(log_on(), 0);
	l1 = table_page((const s64[]){ 3, (s64)entry(d, a, RW), -1 });
	clean();
	assert_true(dirty(l1));
	assert_int_equal(ext(v, MMUEXT_PIN_L1_TABLE, mfn_of(l1), 0), 0);
	clean();
	assert_true(dirty(l1));
	assert_int_equal(update(v, mfn_of(l1) << PAGE_SHIFT, entry(d, a, RO)), 0);
	clean();
	assert_true(dirty(l1));
	l2 = table_page((const s64[]){ 7, (s64)entry(d, l1, RW), -1 });
	assert_int_equal(ext(v, MMUEXT_PIN_L2_TABLE, mfn_of(l2), 0), 0);
	clean();
	assert_true(dirty(l2));
	/* Used, so that they have mirrors; then taken apart. */
	assert_int_equal(update(v, sim_mfn(d, sim_table(d, 3, sim_va(0))).v << PAGE_SHIFT | 100 * 8, entry(d, l2, RW)), 0);
	assert_true(sim_store(v, sim_va(0) - (sim_va(0) & ((1UL << 39) - 1)) + (100UL << 30) + (7UL << 21) + (3UL << 12), 5));
	assert_true(frame_at(l1)->aux && frame_at(l2)->aux);
	clean();
	assert_true(dirty(a));
	sim_check();
	assert_int_equal(update(v, sim_mfn(d, sim_table(d, 3, sim_va(0))).v << PAGE_SHIFT | 100 * 8, 0), 0);
	assert_int_equal(ext(v, MMUEXT_UNPIN_TABLE, mfn_of(l2), 0), 0);
	assert_int_equal(ext(v, MMUEXT_UNPIN_TABLE, mfn_of(l1), 0), 0);
	assert_int_equal(frame_at(l2)->aux, 0);
	clean();
	assert_true(dirty(l1) && dirty(l2));
	sim_check();
}

/* What is written for the guest: page operations, replies to hypercalls, and frames that others may write. */
static void test_others(void **state)
{
	u32 a = sim_alloc_page(d), b = sim_alloc_page(d), held = sim_alloc_page(d), count = sim_alloc_page(d);
	struct mmu_update u = { entry_address(d, a), entry(d, a, RW) };
	u32 list = sim_alloc_page(d);

	(void)state;
	assert_int_equal(log_on(), 0);
	clean();
	assert_int_equal(va_set(v, a, entry(d, a, RO), UVMF_INVLPG), 0);
	assert_int_equal(ext(v, MMUEXT_CLEAR_PAGE, mfn_of(a), 0), 0);
	assert_int_equal(ext(v, MMUEXT_COPY_PAGE, mfn_of(b), mfn_of(a)), 0);
	clean();
	assert_true(dirty(a) && dirty(b));
	assert_int_equal(guest_copy_out(v, sim_va(list), &u, sizeof(u)), 0);
	clean();
	assert_int_equal(sim_call(v, do_mmu_update, sim_va(list), 1, sim_va(count), DOMID_SELF, 0, 0), 0);
	clean();
	assert_true(dirty(count) && !dirty(list) && dirty(sim_table(d, 1, sim_va(a))));
	/* The toolstack maps a page writable: it may write until logging ends, which the last round is told. */
	assert_int_equal(update_foreign(c, entry_address(control, held), entry(d, held, RW), d->id), 0);
	sim_run(v, 0);
	clean();
	assert_true(dirty(held));
	clean();
	assert_false(dirty(held));
	(void)read_bits(XEN_DOMCTL_SHADOW_OP_CLEAN, XEN_DOMCTL_SHADOW_LOGDIRTY_FINAL);
	assert_true(dirty(held));
	assert_int_equal(update_foreign(c, entry_address(control, held), entry(control, held, RW), DOMID_SELF), 0);
	sim_run(v, 0);
	/* The hypervisor lets go of a page. */
	assert_true(frame_get_writable(v, frame_at(b), d));
	clean();
	frame_put_writable(frame_at(b));
	clean();
	assert_true(dirty(b));
	/* Another page becomes this number. */
	assert_int_equal(update(v, mfn_of(b) << PAGE_SHIFT | MMU_MACHPHYS_UPDATE, 100), 0);
	clean();
	assert_true(dirty(100));
	assert_int_equal(update(v, mfn_of(b) << PAGE_SHIFT | MMU_MACHPHYS_UPDATE, b), 0);
	sim_check();
}

/* ... and what it had mapped before. */
static void test_mapped_before(void **state)
{
	u32 held, read;

	(void)state;
	/* Where control has nothing of its own. */
	(void)sim_alloc(d, 16 * PAGE_SIZE);
	held = sim_alloc_page(d);
	read = sim_alloc_page(d);
	assert_int_equal(update_foreign(c, entry_address(control, held), entry(d, held, RW), d->id), 0);
	assert_int_equal(update_foreign(c, entry_address(control, read), entry(d, read, RO), d->id), 0);
	sim_preempt_every(1);
	assert_int_equal(log_on(), 0);
	sim_preempt_every(0);
	clean();
	assert_true(sim_store(sim_run(c, 2), sim_va(held), 7));
	sim_run(v, 0);
	clean();
	assert_false(dirty(held));
	(void)read_bits(XEN_DOMCTL_SHADOW_OP_CLEAN, XEN_DOMCTL_SHADOW_LOGDIRTY_FINAL);
	assert_true(dirty(held) && !dirty(read));
	assert_int_equal(update_foreign(c, entry_address(control, held), entry(control, held, RW), DOMID_SELF), 0);
	assert_int_equal(update_foreign(c, entry_address(control, read), entry(control, read, RW), DOMID_SELF), 0);
	sim_check();
	/* Logging ends in the middle of looking for them. */
	assert_int_equal(simple(XEN_DOMCTL_SHADOW_OP_OFF, 0), 0);
	sim_preempt_every(1);
	for (u32 n = 0; n < 40; n++) {
		struct xen_domctl_shadow_op op = { .op = XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY };
		bool out;

		sim_run(c, 2);
		for (u32 k = 0; k < n; k++)
			(void)!pv_shadow_op(c, d, &op, &out);
		assert_int_equal(simple(XEN_DOMCTL_SHADOW_OP_OFF, 0), 0);
		sim_check();
	}
}

/* Numbers beyond those that can be logged count as dirty; half words; no buffer; a bad one. */
static void test_sizes(void **state)
{
	struct xen_domctl_shadow_op op = { .op = XEN_DOMCTL_SHADOW_OP_CLEAN, .pages = 13, .dirty_bitmap.p = (void *)buffer };
	u32 a = sim_alloc_page(d);

	(void)state;
	assert_int_equal(log_on(), 0);
	assert_true(sim_store(v, sim_va(a), 1));
	memset(sim_ptr(control, buffer), 0xee, 8);
	assert_int_equal(shadow(&op), 0);
	assert_int_equal(((u8 *)sim_ptr(control, buffer))[2], 0xee);
	assert_int_equal(((u8 *)sim_ptr(control, buffer))[1] >> 5, 0);
	/* What was not asked for is still there. */
	(void)read_bits(XEN_DOMCTL_SHADOW_OP_PEEK, 0);
	assert_true(a < 13 || dirty(a));
	op.dirty_bitmap.p = (void *)8;
	op.pages = PAGES;
	assert_true(sim_store(v, sim_va(a), 1));
	assert_int_equal(shadow(&op), -EFAULT);
	(void)read_bits(XEN_DOMCTL_SHADOW_OP_PEEK, 0);
	assert_true(dirty(a));
	op.dirty_bitmap.p = NULL;
	assert_int_equal(shadow(&op), 0);
	assert_true(op.stats.dirty_count > 0);
	(void)read_bits(XEN_DOMCTL_SHADOW_OP_PEEK, 0);
	assert_int_equal(dirty_count(), 0);
	op.pages = ~0UL;
	assert_int_equal(shadow(&op), -E2BIG);
	op.mode = 2;
	op.pages = PAGES;
	assert_int_equal(shadow(&op), -EINVAL);
}

/* The pool is used up: everything is dirty, once; the guest goes on, and tracking begins again. */
static void test_exhausted(void **state)
{
	u32 a = sim_alloc_page(d), b = sim_alloc_page(d);

	(void)state;
	assert_int_equal(pv_pool_set(d, 3), 0);
	assert_int_equal(log_on(), 0);
	assert_int_equal(d->mirror->total, 3);
	sim_run_vcpu(d, 1);
	sim_run_vcpu(d, 0);
	assert_true(sim_store(v, sim_va(a), 1));
	assert_true(d->mirror->overflow);
	assert_false(d->mirror->use);
	assert_true(sim_store(w, sim_va(b), 1));
	sim_check();
	assert_int_equal(read_bits(XEN_DOMCTL_SHADOW_OP_PEEK, 0).dirty_count, PAGES);
	assert_int_equal(dirty_count(), PAGES);
	/* More memory, and it works from the next clean on. */
	assert_int_equal(pv_pool_set(d, 16), 0);
	clean();
	assert_int_equal(dirty_count(), PAGES);
	assert_true(d->mirror->use);
	assert_true(sim_store(v, sim_va(a), 2));
	clean();
	assert_true(dirty(a) && !dirty(b));
	/* In use: not to be had back. */
	assert_int_equal(pv_pool_set(d, 0), -EBUSY);
	sim_check();
}

static gva_t va_of(unsigned int l3_slot, unsigned int l2_slot, unsigned int l1_slot)
{
	return (sim_va(0) & ~((1UL << 39) - 1)) + ((u64)l3_slot << 30) + ((u64)l2_slot << 21) + ((u64)l1_slot << PAGE_SHIFT);
}

/* A processor remembers the mirror of a table that has gone; its page becomes the mirror of another level. */
static void test_reused(void **state)
{
	u64 slot = sim_mfn(d, sim_table(d, 3, sim_va(0))).v << PAGE_SHIFT, l2_base = sim_mfn(d, sim_table(d, 2, sim_va(0))).v << PAGE_SHIFT;
	u32 a = sim_alloc_page(d), l1 = table_page((const s64[]){ 3, (s64)entry(d, a, RW), -1 });
	u32 other = table_page((const s64[]){ 3, (s64)entry(d, a, RW), -1 });
	u32 l2 = table_page((const s64[]){ 7, (s64)entry(d, other, RW), -1 }), page;
	unsigned int base_l3 = sim_va(0) >> 30 & 511;

	(void)state;
	assert_int_equal(pv_pool_set(d, 6), 0);
	/* Valid already, so that nothing but the pool has a reason to flush. */
	assert_int_equal(ext(v, MMUEXT_PIN_L2_TABLE, mfn_of(l2), 0), 0);
	assert_int_equal(update(v, l2_base + 9 * 8, entry(d, l1, RW)), 0);
	assert_int_equal(log_on(), 0);
	assert_true(sim_store(w, va_of(base_l3, 9, 3), 1));
	page = frame_at(l1)->aux;
	assert_true(page);
	assert_int_equal(update(v, l2_base + 9 * 8, 0), 0);
	assert_int_equal(frame_at(l1)->aux, 0);
	sim_check();
	/* What else is free is used first. */
	assert_int_equal(update(v, l2_base + 10 * 8, entry(d, other, RW)), 0);
	assert_true(sim_store(v, va_of(base_l3, 10, 3), 2));
	assert_int_equal(update(v, slot + 100 * 8, entry(d, l2, RW)), 0);
	assert_true(sim_store(v, va_of(100, 7, 3), 2));
	assert_false(d->mirror->overflow);
	sim_check();
	assert_int_equal(frame_at(l2)->aux, page);
}

static void test_no_memory(void **state)
{
	u32 a = sim_alloc_page(d);

	(void)state;
	for (u32 n = 1; n < 8; n++) {
		sim_fail_alloc(n);
		assert_int_equal(log_on(), -ENOMEM);
		assert_true(sim_alloc_failed());
		sim_fail_alloc(0);
		assert_false(d->logging);
		assert_true(sim_store(v, sim_va(a), n));
		assert_int_equal(simple(XEN_DOMCTL_SHADOW_OP_OFF, 0), 0);
	}
	assert_int_equal(pv_pool_set(d, 1UL << 21), -ENOMEM);
	assert_int_equal(log_on(), 0);
	sim_check();
}

/* Preempted in every place; and nobody else's operation comes between. */
static void test_preempted(void **state)
{
	struct xen_domctl_shadow_op op = { .op = XEN_DOMCTL_SHADOW_OP_CLEAN, .pages = 100000, .dirty_bitmap.p = (void *)buffer };
	struct xen_domctl_shadow_op peek = { .op = XEN_DOMCTL_SHADOW_OP_PEEK, .pages = 8, .dirty_bitmap.p = (void *)buffer };
	u32 a = sim_alloc_page(d), rounds = 0;
	bool out;
	long rc;

	(void)state;
	buffer = sim_alloc(control, 4 * PAGE_SIZE);
	op.dirty_bitmap.p = (void *)buffer;
	sim_preempt_every(1);
	assert_int_equal(log_on(), 0);
	assert_true(sim_store(v, sim_va(a), 1));
	sim_run(c, 2);
	while ((rc = pv_shadow_op(c, d, &op, &out)) == -ERESTART) {
		rounds++;
		assert_int_equal(pv_shadow_op(c, d, &peek, &out), -EBUSY);
		/* The guest does not wait. */
		assert_true(sim_store(sim_run(v, 0), sim_va(a), rounds));
		sim_check();
		sim_run(c, 2);
	}
	assert_int_equal(rc, 0);
	assert_true(rounds > 10);
	assert_int_equal(((u8 *)sim_ptr(control, buffer))[a / 8] >> (a % 8) & 1, 1);
	assert_int_equal(pv_shadow_op(c, d, &peek, &out), 0);
	/* Given up half way: it can still be ended. */
	assert_int_equal(pv_shadow_op(c, d, &op, &out), -ERESTART);
	assert_int_equal(simple(XEN_DOMCTL_SHADOW_OP_OFF, 0), 0);
	assert_int_equal(log_on(), 0);
	sim_check();
}

/* The domain dies while it is logged. */
static void test_teardown(void **state)
{
	u32 a = sim_alloc_page(d);

	(void)state;
	assert_int_equal(log_on(), 0);
	assert_true(sim_store(v, sim_va(a), 1));
	assert_true(sim_store(w, sim_va(a), 1));
	sim_preempt_every(2);
}

/* User mode has a root of its own. */
static void test_user_root(void **state)
{
	u32 root = sim_table(d, 4, sim_va(0)), a = sim_alloc_page(d);

	(void)state;
	assert_int_equal(ext(v, MMUEXT_NEW_USER_BASEPTR, mfn_of(root), 0), 0);
	assert_int_equal(log_on(), 0);
	clean();
	v->pv->kernel_mode = false;
	pv_cr3_load(v);
	assert_true(sim_store(v, sim_va(a), 1));
	v->pv->kernel_mode = true;
	pv_cr3_load(v);
	clean();
	assert_true(dirty(a));
	sim_check();
}

int log_tests(void)
{
	const struct CMUnitTest tests[] = {
		LOG_TEST(test_life), LOG_TEST(test_stores), LOG_TEST(test_accessed_dirty), LOG_TEST(test_refused),
		LOG_TEST(test_tables), LOG_TEST(test_others), LOG_TEST(test_mapped_before), LOG_TEST(test_sizes), LOG_TEST(test_exhausted),
		LOG_TEST(test_reused), LOG_TEST(test_no_memory), LOG_TEST(test_preempted), LOG_TEST(test_teardown), LOG_TEST(test_user_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
