/* SPDX-License-Identifier: BSD-2-Clause */
/* The state machine of frame types, by itself: with validation that the test decides about. */
#include "fixture.h"

#define NEVER { FRAME_ACTION_BUG, FRAME_STATE_NONE }
#define A(a, s) { FRAME_ACTION_##a, FRAME_STATE_##s }

/* In the order of enum frame_event: get, get other, put, put last, done, fail, preempt. */
static const struct frame_transition expected[FRAME_STATES][FRAME_EVENTS] = {
	{ A(BEGIN, VALIDATING), A(BEGIN, VALIDATING), NEVER, NEVER, NEVER, NEVER, NEVER },
	{ A(WAIT, VALIDATING), A(REFUSE, VALIDATING), NEVER, NEVER, A(STATE, VALID), A(STATE, INVALIDATING), A(STATE, PARTIAL) },
	{ A(COUNT, VALID), A(REFUSE, VALID), A(COUNT, VALID), A(STATE, INVALIDATING), NEVER, NEVER, NEVER },
	{ A(RESUME, VALIDATING), A(UNWIND, INVALIDATING), NEVER, NEVER, NEVER, NEVER, NEVER },
	{ A(HELP, INVALIDATING), A(HELP, INVALIDATING), NEVER, NEVER, A(STATE, NONE), NEVER, NEVER },
};

static void test_table(void **state)
{
	(void)state;
	for (u32 s = 0; s < FRAME_STATES; s++)
		for (u32 e = 0; e < FRAME_EVENTS; e++) {
			struct frame_transition t = frame_transition((enum frame_state)s, (enum frame_event)e);

			if (t.action != expected[s][e].action || t.next != expected[s][e].next)
				fail_msg("state %u, event %u: action %u, state %u", s, e, t.action, t.next);
		}
}

/* --- validation on demand --- */

static int verdict;
static u32 verdict_aux, validated, invalidated, invalidated_entries;
static void (*during_validation)(struct frame *f);

static int fake_validate(struct vcpu *actor, struct frame *f, enum frame_type t)
{
	(void)actor;
	assert_int_equal(frame_word_state(f->type), FRAME_STATE_VALIDATING);
	assert_int_equal(frame_word_type(f->type), t);
	validated++;
	if (during_validation)
		during_validation(f);
	if (verdict)
		f->aux = verdict_aux;
	return verdict;
}

static void fake_invalidate(struct vcpu *actor, struct frame *f, enum frame_type t, u32 n)
{
	(void)actor;
	(void)t;
	assert_int_equal(frame_word_state(f->type), FRAME_STATE_INVALIDATING);
	invalidated++;
	invalidated_entries = n;
}

static const struct frame_type_ops fake_ops = { fake_validate, fake_invalidate, NULL };
static struct frame *f;

static int start_fake(void **state)
{
	start(state);
	/* A page that nobody maps. */
	f = domain_frames_alloc(d, 0, 0);
	frame_type_ops = &fake_ops;
	verdict = 0;
	verdict_aux = validated = invalidated = 0;
	during_validation = NULL;
	return 0;
}

static int stop_fake(void **state)
{
	frame_type_ops = &pv_frame_type_ops;
	sim_spin_hook = NULL;
	assert_true(domain_frame_release(d, f));
	return stop(state);
}

static void expect(enum frame_state s, enum frame_type t, u32 count, u32 refs)
{
	assert_int_equal(frame_word_state(f->type), s);
	assert_int_equal(frame_word_type(f->type), t);
	assert_int_equal(frame_word_count(f->type), count);
	assert_int_equal(f->refs, FRAME_ALLOC | refs);
}

static void test_life(void **state)
{
	(void)state;
	expect(FRAME_STATE_NONE, FRAME_NONE, 0, 1);
	assert_int_equal(frame_type_get(v, f, FRAME_L2), 0);
	expect(FRAME_STATE_VALID, FRAME_L2, 1, 2);
	assert_int_equal(frame_type(f), FRAME_L2);
	assert_int_equal(frame_type_get(v, f, FRAME_L2), 0);
	expect(FRAME_STATE_VALID, FRAME_L2, 2, 2);
	assert_int_equal(frame_type_count(f), 2);
	assert_int_equal(validated, 1);
	/* Another type has to wait until nobody needs this one. */
	assert_int_equal(frame_type_get(v, f, FRAME_L1), -EINVAL);
	assert_false(frame_get_writable(v, f, d));
	frame_type_put(v, f, FRAME_L2);
	expect(FRAME_STATE_VALID, FRAME_L2, 1, 2);
	frame_type_put(v, f, FRAME_L2);
	expect(FRAME_STATE_INVALIDATING, FRAME_L2, 0, 2);
	assert_int_equal(frame_type(f), FRAME_NONE);
	assert_int_equal(invalidated, 0);
	assert_int_equal(frame_type_drain(v, d), 0);
	assert_int_equal(invalidated, 1);
	assert_int_equal(invalidated_entries, 512);
	expect(FRAME_STATE_NONE, FRAME_L2, 0, 1);
	/* Plain types need no validation. */
	assert_true(frame_get_writable(v, f, d));
	expect(FRAME_STATE_VALID, FRAME_WRITABLE, 1, 2);
	assert_int_equal(frame_type_get(v, f, FRAME_L2), -EINVAL);
	frame_put_writable(f);
	expect(FRAME_STATE_NONE, FRAME_WRITABLE, 0, 1);
	assert_int_equal(validated, 1);
	/* Not of another domain. */
	assert_false(frame_get_writable(v, f, control));
	assert_true(frame_get_writable(v, f, NULL));
	frame_put_writable(f);
}

static void test_failure(void **state)
{
	(void)state;
	verdict = -EINVAL;
	verdict_aux = 7;
	assert_int_equal(frame_type_get(v, f, FRAME_L1), -EINVAL);
	assert_int_equal(invalidated_entries, 7);
	expect(FRAME_STATE_NONE, FRAME_L1, 0, 1);
}

static void test_preemption(void **state)
{
	(void)state;
	verdict = -ERESTART;
	verdict_aux = 30;
	assert_int_equal(frame_type_get(v, f, FRAME_L3), -ERESTART);
	expect(FRAME_STATE_PARTIAL, FRAME_L3, 0, 2);
	assert_int_equal(f->aux, 30);
	assert_int_equal(frame_type(f), FRAME_NONE);
	/* Another CPU goes on with it. */
	verdict_aux = 60;
	assert_int_equal(frame_type_get(w, f, FRAME_L3), -ERESTART);
	assert_int_equal(f->aux, 60);
	verdict = 0;
	assert_int_equal(frame_type_get(v, f, FRAME_L3), 0);
	expect(FRAME_STATE_VALID, FRAME_L3, 1, 2);
	frame_type_put(v, f, FRAME_L3);
	assert_int_equal(frame_type_drain(v, d), 0);
	/* Who wants it for something else undoes it. */
	verdict = -ERESTART;
	verdict_aux = 99;
	assert_int_equal(frame_type_get(v, f, FRAME_L3), -ERESTART);
	assert_true(frame_get_writable(v, f, d));
	assert_int_equal(invalidated_entries, 99);
	expect(FRAME_STATE_VALID, FRAME_WRITABLE, 1, 2);
	frame_put_writable(f);
	/* As does teardown. */
	assert_int_equal(frame_type_get(v, f, FRAME_L3), -ERESTART);
	assert_true(frame_type_abandon(v, f));
	expect(FRAME_STATE_NONE, FRAME_L3, 0, 1);
	assert_false(frame_type_abandon(v, f));
	/* It keeps the frame from being freed meanwhile. */
	assert_int_equal(frame_type_get(v, f, FRAME_L3), -ERESTART);
	assert_true(domain_frame_release(d, f));
	assert_int_equal(f->refs, 1);
	f->refs |= FRAME_ALLOC;
	f->refs++;
	assert_true(frame_type_abandon(v, f));
	/* A domain that dies leaves nothing behind. */
	d->life = DOMAIN_DYING;
	assert_int_equal(frame_type_get(v, f, FRAME_L3), -ERESTART);
	expect(FRAME_STATE_NONE, FRAME_L3, 0, 1);
	d->life = DOMAIN_LIVE;
}

/* --- other CPUs at the same time --- */

static long got;
static u32 spun;

static void try_same(struct frame *which)
{
	during_validation = NULL;
	sim_preempt_every(3);
	sim_cpu_switch(1);
	got = frame_type_get(w, which, FRAME_L2);
	sim_cpu_switch(0);
	sim_preempt_every(0);
}

static void try_other(struct frame *which)
{
	during_validation = NULL;
	sim_cpu_switch(1);
	got = frame_type_get(w, which, FRAME_L1);
	assert_false(frame_get_writable(w, which, d));
	sim_cpu_switch(0);
}

static void count_spin(void)
{
	spun++;
}

static void test_wait_for_validation(void **state)
{
	(void)state;
	/* Another CPU waits, but not longer than it may. */
	sim_spin_hook = count_spin;
	spun = 0;
	during_validation = try_same;
	assert_int_equal(frame_type_get(v, f, FRAME_L2), 0);
	assert_int_equal(got, -ERESTART);
	assert_int_equal(spun, 3);
	assert_int_equal(validated, 1);
	frame_type_put(v, f, FRAME_L2);
	assert_int_equal(frame_type_drain(v, d), 0);
	/* It does not wait to see whether it might become something else. */
	during_validation = try_other;
	assert_int_equal(frame_type_get(v, f, FRAME_L2), 0);
	assert_int_equal(got, -EINVAL);
	frame_type_put(v, f, FRAME_L2);
	assert_int_equal(frame_type_drain(v, d), 0);
}

static struct frame *spinner_frame;

/* The first CPU ends its work while the second one spins. */
static void finish_elsewhere(void)
{
	u64 word = spinner_frame->type;

	spun++;
	if (frame_word_state(word) == FRAME_STATE_VALIDATING)
		spinner_frame->type = frame_word(FRAME_L2, FRAME_STATE_VALID, d->id) | FRAME_TYPE_ONE;
	else
		spinner_frame->type = frame_word(FRAME_L2, FRAME_STATE_NONE, 0);
}

static void test_wait_ends(void **state)
{
	(void)state;
	sim_preempt_every(0);
	spinner_frame = f;
	spun = 0;
	sim_spin_hook = finish_elsewhere;
	f->type = frame_word(FRAME_L2, FRAME_STATE_VALIDATING, d->id);
	f->refs++;
	assert_int_equal(frame_type_get(v, f, FRAME_L2), 0);
	expect(FRAME_STATE_VALID, FRAME_L2, 2, 2);
	assert_int_equal(spun, 1);
	/* Invalidation by another CPU, which has taken it off the list. */
	f->type = frame_word(FRAME_L2, FRAME_STATE_INVALIDATING, d->id);
	f->refs--;
	assert_true(frame_get_writable(v, f, d));
	assert_int_equal(spun, 2);
	frame_put_writable(f);
}

static void test_help(void **state)
{
	struct frame *more[12];

	(void)state;
	/* Who wants a page table that waits for invalidation does what there is to do, or is preempted. */
	for (u32 i = 0; i < ARRAY_SIZE(more); i++) {
		more[i] = domain_frames_alloc(d, 0, 0);
		assert_int_equal(frame_type_get(v, more[i], FRAME_L1), 0);
	}
	for (u32 i = 0; i < ARRAY_SIZE(more); i++)
		frame_type_put(v, more[i], FRAME_L1);
	sim_preempt_every(1);
	assert_int_equal(frame_type_get(v, more[0], FRAME_L2), -ERESTART);
	assert_int_equal(invalidated, 1);
	/* Without preemption, up to a limit. */
	assert_false(frame_get_writable(v, more[0], d));
	assert_int_equal(invalidated, 9);
	assert_false(frame_type_drained(d));
	assert_true(frame_get_writable(v, more[0], d));
	assert_int_equal(invalidated, 12);
	assert_true(frame_type_drained(d));
	frame_put_writable(more[0]);
	sim_preempt_every(0);
	for (u32 i = 0; i < ARRAY_SIZE(more); i++)
		assert_true(domain_frame_release(d, more[i]));
}

static void test_limits(void **state)
{
	(void)state;
	assert_true(frame_get_writable(v, f, d));
	/* As if many million entries mapped it. */
	f->type += (u64)(FRAME_TYPE_COUNT_MAX - 1) * FRAME_TYPE_ONE;
	assert_int_equal(frame_type_get(v, f, FRAME_WRITABLE), 0);
	assert_int_equal(frame_type_get(v, f, FRAME_WRITABLE), -EINVAL);
	assert_false(frame_get_writable(v, f, d));
	frame_put_writable(f);
	frame_put_writable(f);
	f->type -= (u64)(FRAME_TYPE_COUNT_MAX - 2) * FRAME_TYPE_ONE;
	expect(FRAME_STATE_VALID, FRAME_WRITABLE, 1, 2);
	frame_put_writable(f);
	/* General references run out as well. */
	f->refs = FRAME_ALLOC | FRAME_REFS;
	assert_false(frame_get_writable(v, f, d));
	f->refs = FRAME_ALLOC | (FRAME_REFS - 1);
	assert_false(frame_get_writable(v, f, d));
	assert_int_equal(f->refs, FRAME_ALLOC | (FRAME_REFS - 1));
	f->refs = FRAME_ALLOC | 1;
}

static void test_pins(void **state)
{
	(void)state;
	assert_int_equal(frame_type_pin(v, f, FRAME_L4), 0);
	expect(FRAME_STATE_VALID, FRAME_L4, 1, 2);
	assert_true(frame_type_pinned(f));
	assert_int_equal(frame_type_pin(v, f, FRAME_L4), -EBUSY);
	assert_int_equal(frame_type_pin(v, f, FRAME_L3), -EINVAL);
	expect(FRAME_STATE_VALID, FRAME_L4, 1, 2);
	assert_int_equal(frame_type_unpin(v, f), 0);
	assert_int_equal(frame_type_unpin(v, f), -EINVAL);
	assert_int_equal(frame_type_drain(v, d), 0);
	expect(FRAME_STATE_NONE, FRAME_L4, 0, 1);
	/* Not when the domain is being torn down: the walk over its frames may have passed. */
	d->life = DOMAIN_DYING;
	assert_int_equal(frame_type_pin(v, f, FRAME_L4), -EINVAL);
	d->life = DOMAIN_LIVE;
	assert_false(frame_type_pinned(f));
	assert_int_equal(frame_type_drain(v, d), 0);
	/* Teardown takes pins away. */
	assert_int_equal(frame_type_pin(v, f, FRAME_L1), 0);
	assert_true(frame_type_abandon(v, f));
	assert_int_equal(frame_type_drain(v, d), 0);
	expect(FRAME_STATE_NONE, FRAME_L1, 0, 1);
}

static void test_shared_pages(void **state)
{
	void *page = page_alloc();
	struct frame *s = frame_of(virt_mfn(page));

	(void)state;
	frame_share(page, d, true);
	assert_true(frame_get_writable(v, s, d));
	assert_int_equal(frame_unshare(page, d), -EBUSY);
	frame_put_writable(s);
	assert_int_equal(frame_type_get(v, s, FRAME_L1), -EINVAL);
	assert_true(frame_get(s, d));
	assert_int_equal(frame_unshare(page, d), -EBUSY);
	frame_put(s);
	assert_int_equal(frame_unshare(page, d), 0);
	frame_share(page, d, false);
	assert_false(frame_get_writable(v, s, d));
	assert_int_equal(frame_type_get(v, s, FRAME_SEGDESC), -EINVAL);
	assert_int_equal(frame_type(s), FRAME_READONLY);
	assert_int_equal(frame_unshare(page, d), 0);
	assert_false(frame_get_writable(v, s, d));
	/* Given up while it is still mapped: it goes with the last mapping. */
	frame_share(page, d, true);
	assert_true(frame_get_writable(v, s, d));
	frame_share_end(page, d);
	assert_int_equal(frame_type_count(s), 1);
	assert_int_equal(s->refs, 1);
	assert_false(frame_get_writable(v, s, d));
	frame_put_writable(s);
	assert_int_equal(s->refs, 0);
}

static void test_owner_changes(void **state)
{
	(void)state;
	assert_true(frame_get_writable(v, f, d));
	frame_type_owner_set(f, 77);
	assert_int_equal(f->owner, 77);
	assert_false(frame_get_writable(v, f, d));
	assert_int_equal(f->type >> FRAME_TYPE_OWNER_SHIFT, 77);
	frame_type_owner_set(f, d->id);
	assert_true(frame_get_writable(v, f, d));
	frame_put_writable(f);
	frame_put_writable(f);
	frame_type_owner_set(f, 77);
	assert_false(frame_get_writable(v, f, d));
	frame_type_owner_set(f, d->id);
}

/* Words of frames that are not typed are never taken for types. */
static void test_other_words(void **state)
{
	void *page = page_alloc();
	struct frame *s = frame_of(virt_mfn(page));

	(void)state;
	for (u32 i = 0; i < 1u << 16; i++) {
		s->type = (u64)i << FRAME_TYPE_KEY_SHIFT | 0xff;
		for (u32 t = 0; t < FRAME_TYPES; t++)
			assert_false(frame_type_has_key(s, frame_type_key((enum frame_type)t, 0)));
	}
	s->type = 0;
	page_free(page);
}

/* --- translations are gone before a frame changes type --- */

static u64 flushes(void)
{
	u64 n = sim_counts.flush_full;

	sim_counts.flush_full = 0;
	return n;
}

static void test_flush(void **state)
{
	(void)state;
	(void)flushes();
	/* Never used: nothing to flush. The same type again: neither. */
	assert_true(frame_get_writable(v, f, d));
	frame_put_writable(f);
	assert_true(frame_get_writable(v, f, d));
	frame_put_writable(f);
	assert_int_equal(flushes(), 0);
	/* Another type: both CPUs of the domain. The third one has never run it. */
	assert_int_equal(frame_type_get(v, f, FRAME_L1), 0);
	assert_int_equal(flushes(), 2);
	frame_type_put(v, f, FRAME_L1);
	assert_int_equal(frame_type_drain(v, d), 0);
	/* A page table that processors may have cached becomes memory: the same. Who has flushed since is left alone. */
	tlb_flush_local();
	(void)flushes();
	assert_true(frame_get_writable(v, f, d));
	assert_int_equal(flushes(), 1);
	frame_put_writable(f);
	/* A table that was in use, then failed to become one again, may still be remembered by processors. */
	assert_int_equal(frame_type_get(v, f, FRAME_L2), 0);
	frame_type_put(v, f, FRAME_L2);
	assert_int_equal(frame_type_drain(v, d), 0);
	verdict = -EINVAL;
	assert_int_equal(frame_type_get(v, f, FRAME_L2), -EINVAL);
	verdict = -ERESTART;
	assert_int_equal(frame_type_get(v, f, FRAME_L2), -ERESTART);
	assert_true(frame_type_abandon(v, f));
	verdict = 0;
	(void)flushes();
	assert_true(frame_get_writable(v, f, d));
	assert_int_equal(flushes(), 2);
	frame_put_writable(f);
	/* Mapped by others: every CPU. */
	assert_true(frame_get_writable(v, f, d));
	frame_type_mark(f, FRAME_TYPE_FOREIGN);
	frame_put_writable(f);
	assert_int_equal(frame_type_get(v, f, FRAME_L1), 0);
	assert_int_equal(flushes(), 3);
	assert_false(f->type & FRAME_TYPE_FOREIGN);
	frame_type_put(v, f, FRAME_L1);
	assert_int_equal(frame_type_drain(v, d), 0);
	/* The mark survives as long as the type does. */
	assert_true(frame_get_writable(v, f, d));
	frame_type_mark(f, FRAME_TYPE_FOREIGN | FRAME_TYPE_UNCACHED);
	frame_put_writable(f);
	assert_true(frame_get_writable(v, f, d));
	assert_int_equal(f->type & (FRAME_TYPE_FOREIGN | FRAME_TYPE_UNCACHED), FRAME_TYPE_FOREIGN | FRAME_TYPE_UNCACHED);
	frame_put_writable(f);
	assert_int_equal(frame_type_get(v, f, FRAME_SEGDESC), 0);
	assert_int_equal(f->type & (FRAME_TYPE_FOREIGN | FRAME_TYPE_UNCACHED), 0);
	frame_type_put(v, f, FRAME_SEGDESC);
}

int type_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
#define FAKE(name) cmocka_unit_test_setup_teardown(name, start_fake, stop_fake)
		FAKE(test_life), FAKE(test_failure), FAKE(test_preemption), FAKE(test_wait_for_validation),
		FAKE(test_wait_ends), FAKE(test_help), FAKE(test_limits), FAKE(test_pins), FAKE(test_shared_pages),
		FAKE(test_owner_changes), FAKE(test_other_words), FAKE(test_flush),
	};

	return cmocka_run_group_tests_name("types", tests, NULL, NULL);
}
