/* SPDX-License-Identifier: BSD-2-Clause */
/* mmuext_op: pins, roots, flushes, pages; the roots of vCPUs. */
#include "fixture.h"
#include <hv/mm.h>
#include <hv/rangeset.h>

static void test_pin_l1(void **state)
{
	u32 data = sim_alloc_page(d), seen = sim_alloc_page(d);
	u32 l1 = table_page((s64[]){ 0, (s64)entry(d, data, RW), 1, (s64)entry(d, data, RO), 2, (s64)entry(d, data, 0x66), -1 });

	(void)state;
	(void)seen;
	assert_int_equal(ext(v, MMUEXT_PIN_L1_TABLE, mfn_of(l1), 0), 0);
	assert_int_equal(frame_type(frame_at(l1)), FRAME_L1);
	assert_true(frame_type_pinned(frame_at(l1)));
	assert_int_equal(frame_type_count(frame_at(data)), 2);
	assert_int_equal(ext(v, MMUEXT_PIN_L1_TABLE, mfn_of(l1), 0), -EBUSY);
	assert_int_equal(ext(v, MMUEXT_PIN_L2_TABLE, mfn_of(l1), 0), -EINVAL);
	sim_check();
	/* Changed while it is pinned and nowhere in use. */
	assert_int_equal(update(v, (mfn_of(l1) << PAGE_SHIFT) + 16, entry(d, data, RW)), 0);
	assert_int_equal(frame_type_count(frame_at(data)), 3);
	assert_int_equal(ext(v, MMUEXT_UNPIN_TABLE, mfn_of(l1), 0), 0);
	assert_int_equal(state_of(l1), FRAME_STATE_NONE);
	assert_int_equal(frame_type_count(frame_at(data)), 1);
	assert_int_equal(ext(v, MMUEXT_UNPIN_TABLE, mfn_of(l1), 0), -EINVAL);
}

static void test_pin_refused(void **state)
{
	u32 empty = table_page((s64[]){ -1 });

	(void)state;
	assert_int_equal(ext(v, MMUEXT_PIN_L1_TABLE, sim_mfn(control, 3).v, 0), -EINVAL);
	assert_int_equal(ext(v, MMUEXT_PIN_L1_TABLE, SIM_FRAMES, 0), -EINVAL);
	assert_int_equal(ext(v, MMUEXT_PIN_L1_TABLE, ~0UL, 0), -EINVAL);
	assert_int_equal(ext(v, MMUEXT_PIN_L1_TABLE, SIM_HOLE_FIRST, 0), -EINVAL);
	assert_int_equal(ext(v, MMUEXT_UNPIN_TABLE, sim_mfn(control, 3).v, 0), -EINVAL);
	assert_int_equal(ext(v, MMUEXT_UNPIN_TABLE, SIM_FRAMES, 0), -EINVAL);
	/* Writable as it is. */
	assert_int_equal(ext(v, MMUEXT_PIN_L1_TABLE, mfn_of(sim_alloc_page(d)), 0), -EINVAL);
	/* For another domain: who may. */
	assert_int_equal(ext_foreign(v, MMUEXT_PIN_L1_TABLE, sim_mfn(control, 3).v, 0, control->id), -EPERM);
	assert_int_equal(ext_foreign(c, MMUEXT_PIN_L1_TABLE, mfn_of(empty), 0, 9), -ESRCH);
	assert_int_equal(ext_foreign(c, MMUEXT_PIN_L1_TABLE, mfn_of(empty), 0, DOMID_SELF), -EINVAL);
	assert_int_equal(ext_foreign(c, MMUEXT_PIN_L4_TABLE, mfn_of(empty), 0, d->id), 0);
	assert_int_equal(frame_type(frame_at(empty)), FRAME_L4);
	assert_int_equal(ext_foreign(c, MMUEXT_NEW_BASEPTR, mfn_of(empty), 0, d->id), -EPERM);
	assert_int_equal(ext_foreign(c, MMUEXT_TLB_FLUSH_ALL, 0, 0, d->id), -EPERM);
	assert_int_equal(ext_foreign(c, MMUEXT_UNPIN_TABLE, mfn_of(empty), 0, d->id), 0);
	d->life = DOMAIN_DYING;
	assert_int_equal(ext_foreign(c, MMUEXT_PIN_L4_TABLE, mfn_of(empty), 0, d->id), -ESRCH);
	d->life = DOMAIN_LIVE;
}

/* A whole tree: pinned with preemption at every chance, by two vCPUs in turn; then the same backwards. */
static void test_pin_tree(void **state)
{
	u32 data = sim_alloc_page(d), l1[4], l2[2], l3, l4, restarts = 0;
	gva_t list = sim_alloc(d, 64);
	struct mmuext_op op = { .cmd = MMUEXT_PIN_L4_TABLE };
	u64 args[6] = { list, 1, 0, DOMID_SELF };
	long rc;

	(void)state;
	for (u32 i = 0; i < 4; i++)
		l1[i] = table_page((s64[]){ i, (s64)entry(d, data, RW), 500, (s64)entry(d, data, RO), -1 });
	for (u32 i = 0; i < 2; i++)
		l2[i] = table_page((s64[]){ 3, (s64)entry(d, l1[2 * i], RW), 4, (s64)entry(d, l1[2 * i + 1], RW), -1 });
	l3 = table_page((s64[]){ 0, (s64)entry(d, l2[0], RW), 511, (s64)entry(d, l2[1], RW), -1 });
	l4 = table_page((s64[]){ 0, (s64)entry(d, l3, RW), 256, 0x1234567, 271, (s64)entry(d, l3, RW), 300, (s64)entry(d, l3, RW), -1 });
	op.arg1.mfn = mfn_of(l4);
	assert_int_equal(guest_copy_out(v, list, &op, sizeof(op)), 0);
	sim_preempt_every(1);
	do {
		struct vcpu *who = restarts++ & 1 ? sim_run(w, 1) : sim_run(v, 0);

		rc = sim_call_limited(who, do_mmuext_op, args, 0);
		sim_check();
	} while (rc == -ERESTART && restarts < 100);
	assert_int_equal(rc, 0);
	assert_true(restarts > 4);
	assert_int_equal(frame_type_count(frame_at(l3)), 2);
	assert_int_equal(frame_type_count(frame_at(data)), 5);
	/* The hypervisor's entries are in place of what the guest wrote there. */
	assert_int_equal(sim_page(d, l4)[271], hv_l4_template()[271]);
	/* As address space of a vCPU, then unpinned: it stays until the vCPU leaves it. */
	sim_preempt_every(0);
	assert_int_equal(ext(w, MMUEXT_NEW_USER_BASEPTR, mfn_of(l4), 0), 0);
	sim_preempt_every(1);
	assert_int_equal(ext(v, MMUEXT_UNPIN_TABLE, mfn_of(l4), 0), 0);
	assert_int_equal(frame_type(frame_at(l4)), FRAME_L4);
	sim_preempt_said = 0;
	assert_int_equal(ext(w, MMUEXT_NEW_USER_BASEPTR, 0, 0), 0);
	assert_true(sim_preempt_said >= 5);
	assert_int_equal(state_of(l4), FRAME_STATE_NONE);
	assert_int_equal(state_of(l1[3]), FRAME_STATE_NONE);
	assert_int_equal(frame_type_count(frame_at(data)), 1);
	assert_true(frame_type_drained(d));
	sim_preempt_every(0);
}

/* The guest gives a preempted validation up, and uses the page for something else. */
static void test_abandoned(void **state)
{
	u32 data = sim_alloc_page(d), l1a = table_page((s64[]){ 0, (s64)entry(d, data, RW), -1 });
	u32 l1b = table_page((s64[]){ 0, (s64)entry(d, data, RW), -1 });
	u32 l2 = table_page((s64[]){ 0, (s64)entry(d, l1a, RW), 1, (s64)entry(d, l1b, RW), 2, (s64)entry(d, l1b, RW), -1 });
	gva_t list = sim_alloc(d, 64);
	struct mmuext_op op = { .cmd = MMUEXT_PIN_L2_TABLE, .arg1.mfn = mfn_of(l2) };
	u64 args[6] = { list, 1, 0, DOMID_SELF };

	(void)state;
	assert_int_equal(guest_copy_out(v, list, &op, sizeof(op)), 0);
	sim_preempt_every(1);
	assert_int_equal(sim_call_limited(v, do_mmuext_op, args, 0), -ERESTART);
	assert_int_equal(state_of(l2), FRAME_STATE_PARTIAL);
	assert_int_equal(frame_at(l2)->aux, 1);
	assert_int_equal(frame_type(frame_at(l1a)), FRAME_L1);
	sim_check();
	/* It cannot be changed meanwhile as if it were valid; this undoes it. */
	assert_int_equal(update(v, mfn_of(l2) << PAGE_SHIFT, 0), 0);
	assert_int_equal(state_of(l2), FRAME_STATE_NONE);
	assert_int_equal(state_of(l1a), FRAME_STATE_NONE);
	sim_check();
	/* Or it is given back to the hypervisor. */
	assert_int_equal(sim_call_limited(v, do_mmuext_op, args, 0), -ERESTART);
	assert_int_equal(state_of(l2), FRAME_STATE_PARTIAL);
	sim_preempt_every(0);
	assert_int_equal(va_set(v, l2, 0, UVMF_INVLPG | UVMF_ALL), 0);
	assert_true(domain_frame_release(d, frame_at(l2)));
	assert_int_equal(frame_at(l2)->owner, d->id);
	sim_check();
}

static void test_roots(void **state)
{
	u32 l4 = sim_table(d, 4, 0), other = sim_alloc_page(d);
	u64 cr3, word;

	(void)state;
	/* A second root with the same contents. */
	for (u32 i = 0; i < 512; i++)
		if (!l4_slot_reserved(i) && sim_page(d, l4)[i])
			assert_true(sim_store(v, sim_va(other) + i * 8, sim_page(d, l4)[i]));
	assert_int_equal(ext(v, MMUEXT_NEW_BASEPTR, mfn_of(other), 0), -EINVAL);
	assert_int_equal(va_set(v, other, entry(d, other, RO), UVMF_INVLPG | UVMF_ALL), 0);
	assert_int_equal(ext(v, MMUEXT_NEW_BASEPTR, mfn_of(other), 0), 0);
	assert_int_equal(v->pv->kernel_root.v, mfn_of(other));
	assert_int_equal(frame_type_count(frame_at(l4)), 1);	/* w's */
	assert_int_equal(sim_counts.cr3_loads > 0, true);
	assert_true(sim_load(v, sim_va(1), &word));
	cr3 = sim_counts.cr3_loads;
	assert_int_equal(ext(v, MMUEXT_NEW_BASEPTR, mfn_of(other), 0), 0);
	assert_int_equal(sim_counts.cr3_loads, cr3 + 1);
	/* User roots are loaded on the way to user mode. */
	assert_int_equal(ext(v, MMUEXT_NEW_USER_BASEPTR, mfn_of(l4), 0), 0);
	assert_int_equal(sim_counts.cr3_loads, cr3 + 1);
	assert_int_equal(frame_type_count(frame_at(l4)), 2);
	assert_int_equal(ext(v, MMUEXT_NEW_USER_BASEPTR, 0, 0), 0);
	assert_true(mfn_eq(v->pv->user_root, INVALID_MFN));
	assert_int_equal(ext(v, MMUEXT_NEW_BASEPTR, 0, 0), -EINVAL);
	assert_int_equal(ext(v, MMUEXT_NEW_BASEPTR, SIM_FRAMES, 0), -EINVAL);
	assert_int_equal(ext(v, MMUEXT_NEW_BASEPTR, SIM_HOLE_FIRST, 0), -EINVAL);
	assert_int_equal(ext(v, MMUEXT_NEW_BASEPTR, sim_mfn(control, sim_table(control, 4, 0)).v, 0), -EINVAL);
	assert_int_equal(ext(v, MMUEXT_NEW_BASEPTR, mfn_of(sim_table(d, 3, 0)), 0), -EINVAL);
	/* Of a vCPU that does not run: as when its context is set. */
	sim_deschedule(w);
	sim_run(c, 2);
	cr3 = sim_counts.cr3_loads;
	assert_int_equal(pv_root_set(c, w, sim_mfn(d, other), false), 0);
	assert_int_equal(sim_counts.cr3_loads, cr3);
	assert_int_equal(pv_root_pin(w, sim_mfn(d, other)), 0);
	assert_int_equal(pv_root_pin(w, mfn(SIM_FRAMES)), -EINVAL);
	assert_int_equal(pv_root_pin(w, sim_mfn(control, 0)), -EINVAL);
	sim_check();
}

/* The root is left, dropped and becomes memory: no CPU may go on using it. */
static void test_old_root(void **state)
{
	u32 l4 = sim_table(d, 4, 0), other = sim_alloc_page(d);
	u64 word;

	(void)state;
	sim_deschedule(w);
	assert_int_equal(pv_roots_drop(c, w), 0);
	sim_run(v, 0);
	for (u32 i = 0; i < 512; i++)
		if (!l4_slot_reserved(i) && sim_page(d, l4)[i])
			assert_true(sim_store(v, sim_va(other) + i * 8, sim_page(d, l4)[i]));
	assert_int_equal(va_set(v, other, entry(d, other, RO), UVMF_INVLPG | UVMF_ALL), 0);
	assert_true(sim_load(v, sim_va(3), &word));
	assert_int_equal(ext(v, MMUEXT_NEW_BASEPTR, mfn_of(other), 0), 0);
	assert_int_equal(state_of(l4), FRAME_STATE_NONE);
	assert_int_equal(va_set(v, l4, entry(d, l4, RW), 0), 0);
	assert_true(sim_store(v, sim_va(l4), 0x67));
	assert_true(sim_load(v, sim_va(3), &word));
	sim_check();
}

static void test_flushes(void **state)
{
	gva_t mask = sim_alloc(d, 8);

	(void)state;
#define FLUSHED(cmd, arg, full, pages, other) do { \
	sim_counts.flush_full = sim_counts.flush_page = sim_counts.ipis = 0; \
	assert_int_equal(ext(v, (cmd), (arg), mask), 0); \
	assert_int_equal(sim_counts.flush_full, full); \
	assert_int_equal(sim_counts.flush_page, pages); \
	assert_int_equal(sim_counts.ipis, other); } while (0)
	assert_true(sim_store(v, mask, 2));
	FLUSHED(MMUEXT_TLB_FLUSH_LOCAL, 0, 1, 0, 0);
	FLUSHED(MMUEXT_TLB_FLUSH_ALL, 0, 2, 0, 1);
	FLUSHED(MMUEXT_TLB_FLUSH_MULTI, 0, 1, 0, 1);
	FLUSHED(MMUEXT_INVLPG_LOCAL, 0x1000, 0, 1, 0);
	FLUSHED(MMUEXT_INVLPG_ALL, 0x1000, 0, 2, 1);
	FLUSHED(MMUEXT_INVLPG_MULTI, 0x1000, 0, 1, 1);
	FLUSHED(MMUEXT_INVLPG_LOCAL, HV_VIRT_START, 0, 0, 0);
	FLUSHED(MMUEXT_INVLPG_ALL, 1UL << 60, 0, 0, 0);
	assert_int_equal(ext(v, MMUEXT_INVLPG_MULTI, 0x1000, HV_VIRT_START), -EFAULT);
	assert_int_equal(ext(v, MMUEXT_TLB_FLUSH_MULTI, 0, sim_va(PAGES)), -EFAULT);
}

static void test_caches(void **state)
{
	(void)state;
	assert_int_equal(ext(v, MMUEXT_FLUSH_CACHE, 0, 0), -EACCES);
	assert_int_equal(rangeset_add(d->iomem, 5, 5), 0);
	assert_int_equal(ext(v, MMUEXT_FLUSH_CACHE, 0, 0), 0);
	assert_int_equal(sim_counts.wbinvd, 1);
	assert_int_equal(ext(c, MMUEXT_FLUSH_CACHE_GLOBAL, 0, 0), 0);
	assert_int_equal(sim_counts.wbinvd, 4);
}

static void test_pages(void **state)
{
	u32 a = sim_alloc_page(d), b = sim_alloc_page(d), table = sim_table(d, 1, SIM_GUEST_BASE);
	u64 word;

	(void)state;
	assert_true(sim_store(v, sim_va(a) + 4088, 77));
	assert_int_equal(ext(v, MMUEXT_COPY_PAGE, mfn_of(b), mfn_of(a)), 0);
	assert_true(sim_load(v, sim_va(b) + 4088, &word));
	assert_int_equal(word, 77);
	assert_int_equal(ext(v, MMUEXT_CLEAR_PAGE, mfn_of(b), 0), 0);
	assert_true(sim_load(v, sim_va(b) + 4088, &word));
	assert_int_equal(word, 0);
	/* Page tables may be copied from, and not written. */
	assert_int_equal(ext(v, MMUEXT_COPY_PAGE, mfn_of(b), mfn_of(table)), 0);
	assert_int_equal(ext(v, MMUEXT_COPY_PAGE, mfn_of(table), mfn_of(b)), -EINVAL);
	assert_int_equal(ext(v, MMUEXT_CLEAR_PAGE, mfn_of(table), 0), -EINVAL);
	assert_int_equal(ext(v, MMUEXT_CLEAR_PAGE, sim_mfn(control, 3).v, 0), -EINVAL);
	assert_int_equal(ext(v, MMUEXT_CLEAR_PAGE, SIM_FRAMES, 0), -EINVAL);
	assert_int_equal(ext(v, MMUEXT_CLEAR_PAGE, SIM_HOLE_FIRST, 0), -EINVAL);
	assert_int_equal(ext(v, MMUEXT_COPY_PAGE, mfn_of(b), sim_mfn(control, 3).v), -EINVAL);
	assert_int_equal(ext(v, MMUEXT_COPY_PAGE, sim_mfn(control, 3).v, mfn_of(b)), -EINVAL);
	assert_int_equal(ext(v, MMUEXT_COPY_PAGE, SIM_FRAMES, mfn_of(b)), -EINVAL);
	assert_int_equal(ext(v, MMUEXT_COPY_PAGE, mfn_of(b), ~0UL), -EINVAL);
	assert_int_equal(ext_foreign(c, MMUEXT_CLEAR_PAGE, mfn_of(b), 0, d->id), 0);
	assert_int_equal(ext_foreign(c, MMUEXT_COPY_PAGE, mfn_of(b), sim_mfn(control, 3).v, d->id), -EINVAL);
	assert_int_equal(sim_page(d, b)[0], 0);
	sim_check();
}

static void test_other_commands(void **state)
{
	(void)state;
	assert_int_equal(ext(v, MMUEXT_SET_LDT, 0x5000, 8), 0);
	assert_int_equal(v->pv->ldt_base, 0x5000);
	assert_int_equal(v->pv->ldt_entries, 8);
	assert_int_equal(ext(v, MMUEXT_SET_LDT, 0x5001, 8), -EINVAL);
	assert_int_equal(ext(v, MMUEXT_SET_LDT, 0, 8193), -EINVAL);
	assert_int_equal(ext(v, MMUEXT_SET_LDT, 0, 0), 0);
	assert_int_equal(ext(v, MMUEXT_MARK_SUPER, 512, 0), -EOPNOTSUPP);
	assert_int_equal(ext(v, MMUEXT_UNMARK_SUPER, 512, 0), -EOPNOTSUPP);
	assert_int_equal(ext(v, 14, 0, 0), -ENOSYS);
	assert_int_equal(ext(v, 21, 0, 0), -ENOSYS);
	assert_int_equal(ext(v, ~0u, 0, 0), -ENOSYS);
}

static void test_batch(void **state)
{
	gva_t list = sim_alloc(d, 10 * sizeof(struct mmuext_op)), done = sim_alloc(d, 8);
	struct mmuext_op op = { .cmd = MMUEXT_TLB_FLUSH_LOCAL };
	u64 val;

	(void)state;
	for (u32 i = 0; i < 10; i++)
		assert_int_equal(guest_array_out(v, list, i, &op), 0);
	sim_preempt_every(1);
	sim_preempt_said = 0;
	sim_counts.flush_full = 0;
	assert_int_equal(sim_call(v, do_mmuext_op, list, 10, done, DOMID_SELF, 0, 0), 0);
	assert_int_equal(sim_counts.flush_full, 10);
	assert_int_equal(sim_preempt_said, 9);
	assert_true(sim_load(v, done, &val));
	assert_int_equal((u32)val, 10);
	op.cmd = 14;
	assert_int_equal(guest_array_out(v, list, 4, &op), 0);
	assert_int_equal(sim_call(v, do_mmuext_op, list, 10, done, DOMID_SELF, 0, 0), -ENOSYS);
	assert_true(sim_load(v, done, &val));
	assert_int_equal((u32)val, 4);
	assert_int_equal(sim_call(v, do_mmuext_op, sim_va(PAGES) - 8, 1, done, DOMID_SELF, 0, 0), -EFAULT);
	assert_int_equal(sim_call(v, do_mmuext_op, list, 0, done, DOMID_SELF, 0, 0), 0);
	sim_preempt_every(0);
}

int ext_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pin_l1), TEST(test_pin_refused), TEST(test_pin_tree), TEST(test_abandoned), TEST(test_roots),
		TEST(test_old_root), TEST(test_flushes), TEST(test_caches), TEST(test_pages), TEST(test_other_commands), TEST(test_batch),
	};

	return cmocka_run_group_tests_name("extended operations", tests, NULL, NULL);
}
