/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of a domain, and translations that outlive what they were made for. */
#include "fixture.h"

static void stop_domain(void)
{
	struct vcpu *x;

	for_each_vcpu(d, x)
		sim_deschedule(x);
	d->life = DOMAIN_DYING;
}

static u32 relinquish(void)
{
	u32 calls = 1;

	sim_cpu_switch(2);
	while (pv_guest_ops.domain_relinquish(c, d) == -ERESTART) {
		calls++;
		sim_check();
	}
	return calls;
}

/* Pins, a validation given up, an invalidation given up, a granted page, tables that map each other. */
static void make_mess(void)
{
	u32 data = sim_alloc_page(d), l1[8], l2, l2b, at = sim_alloc_page(control);
	gva_t list = sim_alloc(d, 64);
	struct mmuext_op op = { .cmd = MMUEXT_PIN_L2_TABLE };
	u64 args[6] = { list, 1, 0, DOMID_SELF };
	s64 entries[17];

	for (u32 i = 0; i < 8; i++) {
		l1[i] = table_page((s64[]){ i, (s64)entry(d, data, RW), 300, (s64)entry(d, sim_table(d, 4, 0), RO), -1 });
		entries[2 * i] = i * 5;
		entries[2 * i + 1] = (s64)entry(d, l1[i], RW);
	}
	entries[16] = -1;
	l2 = table_page(entries);
	l2b = table_page(entries);
	assert_int_equal(ext(v, MMUEXT_PIN_L1_TABLE, mfn_of(l1[7]), 0), 0);
	/* l1[7] sees itself and the L2 that it is in. */
	assert_int_equal(update(v, mfn_of(l1[7]) << PAGE_SHIFT, entry(d, l1[7], RO)), 0);
	assert_int_equal(update(v, (mfn_of(l1[7]) << PAGE_SHIFT) + 8, entry(d, l2, RO)), 0);
	assert_int_equal(ext(v, MMUEXT_PIN_L2_TABLE, mfn_of(l2), 0), 0);
	assert_int_equal(ext(v, MMUEXT_PIN_L4_TABLE, mfn_of(sim_table(d, 4, 0)), 0), 0);
	assert_int_equal(ext(v, MMUEXT_NEW_USER_BASEPTR, mfn_of(sim_table(d, 4, 0)), 0), 0);
	assert_int_equal(update_foreign(c, entry_address(control, at), entry(d, data, RW), d->id), 0);
	sim_run(v, 0);
	/* Unpinned, and interrupted while its tables are invalidated. */
	op.cmd = MMUEXT_UNPIN_TABLE;
	op.arg1.mfn = mfn_of(l2);
	assert_int_equal(guest_copy_out(v, list, &op, sizeof(op)), 0);
	sim_preempt_every(1);
	assert_int_equal(sim_call_limited(v, do_mmuext_op, args, 2), -ERESTART);
	assert_false(frame_type_drained(d));
	/* Another one that takes some of the same tables up again, and is interrupted as well. */
	op.cmd = MMUEXT_PIN_L2_TABLE;
	op.arg1.mfn = mfn_of(l2b);
	assert_int_equal(guest_copy_out(v, list, &op, sizeof(op)), 0);
	assert_int_equal(sim_call_limited(v, do_mmuext_op, args, 8), -ERESTART);
	assert_int_equal(state_of(l2b), FRAME_STATE_PARTIAL);
	sim_check();
}

static void end_of_mess(u32 every)
{
	u32 calls;

	make_mess();
	stop_domain();
	sim_preempt_every(every);
	calls = relinquish();
	sim_preempt_every(0);
	assert_true(every == 0 ? calls == 1 : calls > 1);
	/* No page has a type but the one that dom0 maps, nor is one held but by its owner. */
	for (u32 i = 0; i < PAGES; i++)
		assert_true(state_of(i) == FRAME_STATE_NONE || (frame_type(frame_at(i)) == FRAME_WRITABLE && i < 10));
	sim_check();
}

static void test_teardown(void **state)
{
	(void)state;
	end_of_mess(0);
}

static void test_teardown_preempted(void **state)
{
	(void)state;
	end_of_mess(1);
}

/* The walk over a large domain stops now and then; frames go meanwhile. */
static void test_walk(void **state)
{
	struct frame *f[600];
	u32 n = 0;

	(void)state;
	for (u32 i = 0; i < 600; i++)
		f[i] = domain_frames_alloc(d, 0, 0);
	for (u32 i = 0; i < 600; i += 7)
		assert_int_equal(frame_type_pin(v, f[i], FRAME_L1), 0);
	stop_domain();
	sim_cpu_switch(2);
	sim_preempt_every(1);
	while (pv_guest_ops.domain_relinquish(c, d) == -ERESTART)
		if (n < 600) {
			if (!(f[n]->type & FRAME_TYPE_PINNED))
				assert_true(domain_frame_release(d, f[n]));
			n++;
		}
	sim_preempt_every(0);
	assert_true(n > 2);
	for (u32 i = 0; i < 600; i++)
		assert_true(f[i]->owner != d->id || frame_word_state(f[i]->type) == FRAME_STATE_NONE);
}

/* --- translations --- */

/* A page table that a processor remembers as such becomes memory. */
static void test_cached_table(void **state)
{
	u32 data = sim_alloc_page(d), l1 = table_page((s64[]){ 3, (s64)entry(d, data, RW), 4, (s64)entry(d, data, RW), -1 });
	u64 p2 = (mfn_of(sim_table(d, 2, 0)) << PAGE_SHIFT) + 100 * 8, word;
	gva_t far = SIM_GUEST_BASE + (100UL << 21);

	(void)state;
	assert_int_equal(update(v, p2, entry(d, l1, RW)), 0);
	sim_run(w, 1);
	assert_true(sim_load(w, far + 3 * PAGE_SIZE, &word));
	sim_run(v, 0);
	/* Taken out without a flush; w's processor still finds it, but it may not be written. */
	assert_int_equal(update(v, p2, 0), 0);
	assert_true(sim_load(w, far + 4 * PAGE_SIZE, &word));
	sim_check();
	assert_int_equal(va_set(v, l1, entry(d, l1, RW), 0), 0);
	assert_true(sim_store(v, sim_va(l1) + 5 * 8, entry(control, 3, RW)));
	assert_false(sim_load(w, far + 5 * PAGE_SIZE, &word));
	assert_false(sim_load(w, far + 4 * PAGE_SIZE, &word));
	sim_check();
}

/* Memory that another CPU can still write becomes a page table, a descriptor page, or another domain's. */
static void test_cached_page(void **state)
{
	u32 data = sim_alloc_page(d), page = sim_alloc_page(d), page2 = sim_alloc_page(d);
	struct frame *f;
	u64 gone;

	(void)state;
	assert_true(sim_store(w, sim_va(page), 1));
	assert_int_equal(va_set(v, page, 0, UVMF_INVLPG), 0);
	assert_true(sim_store(w, sim_va(page), entry(d, data, RO)));
	assert_int_equal(ext(v, MMUEXT_PIN_L1_TABLE, mfn_of(page), 0), 0);
	assert_false(sim_store(w, sim_va(page), 0));
	sim_check();
	assert_true(sim_store(w, sim_va(page2), 1));
	assert_int_equal(va_set(v, page2, 0, UVMF_INVLPG), 0);
	gone = mfn_of(page2);
	assert_true(sim_store(w, sim_va(page2), 2));
	assert_true(domain_frame_release(d, frame_of(mfn(gone))));
	sim_run(v, 0);
	do {
		f = domain_frames_alloc(control, 0, 0);
		assert_non_null(f);
		sim_check();
	} while (frame_mfn(f).v != gone);
	assert_false(sim_store(w, sim_va(page2), 3));
}

/* Taken from the domain and given back, as by an exchange that fails. */
static void test_stolen_page(void **state)
{
	u32 page = sim_alloc_page(d);

	(void)state;
	assert_true(sim_store(w, sim_va(page), 1));
	assert_int_equal(va_set(v, page, 0, UVMF_INVLPG), 0);
	assert_true(sim_store(w, sim_va(page), 0));
	assert_true(frame_get(frame_at(page), d));
	assert_int_equal(domain_frame_steal(d, frame_at(page)), 0);
	assert_int_equal(domain_frame_assign(d, frame_at(page), 0), 0);
	assert_int_equal(ext(v, MMUEXT_PIN_L1_TABLE, mfn_of(page), 0), 0);
	assert_false(sim_store(w, sim_va(page), 1));
	sim_check();
}

int teardown_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_teardown), TEST(test_teardown_preempted), TEST(test_walk), TEST(test_cached_table), TEST(test_cached_page),
		TEST(test_stolen_page),
	};

	return cmocka_run_group_tests_name("teardown", tests, NULL, NULL);
}
