/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Types of frames: one atomic word each, one table of transitions. Nobody takes a lock for it: a CPU that has moved a word to
 * VALIDATING, or a page table off its owner's list in INVALIDATING, is the only one that works on that frame.
 *
 * Why nothing is stale: a reference of a type goes only after the entry that it stood for was cleared. The last one notes the time
 * (tlb_stamp) before it goes. When the frame gets another type, the CPUs that may have used the old entries and have not flushed since
 * then are flushed. That holds for translations, and for page tables that processors have cached as such.
 */
#include <hv/bug.h>
#include <hv/cpu.h>
#include <hv/dirty_log.h>
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/frame.h>
#include <hv/frame_type.h>
#include <hv/softirq.h>
#include <hv/tlb.h>

/* Page tables that a caller who cannot be preempted invalidates for others before it gives up. */
#define PATIENCE 8
#define CACHE_LINE 64u

const struct frame_type_ops *frame_type_ops;

#define ROW(get, other, put, last, done, fail, preempt) { \
	[FRAME_EVENT_GET] = get, [FRAME_EVENT_GET_OTHER] = other, [FRAME_EVENT_PUT] = put, [FRAME_EVENT_PUT_LAST] = last, \
	[FRAME_EVENT_DONE] = done, [FRAME_EVENT_FAIL] = fail, [FRAME_EVENT_PREEMPT] = preempt }
#define T(a, s) { FRAME_ACTION_##a, FRAME_STATE_##s }
#define NEVER { FRAME_ACTION_BUG, FRAME_STATE_NONE }

static const struct frame_transition transitions[FRAME_STATES][FRAME_EVENTS] = {
	[FRAME_STATE_NONE] = ROW(T(BEGIN, VALIDATING), T(BEGIN, VALIDATING), NEVER, NEVER, NEVER, NEVER, NEVER),
	[FRAME_STATE_VALIDATING] = ROW(T(WAIT, VALIDATING), T(REFUSE, VALIDATING), NEVER, NEVER,
				       T(STATE, VALID), T(STATE, INVALIDATING), T(STATE, PARTIAL)),
	[FRAME_STATE_VALID] = ROW(T(COUNT, VALID), T(REFUSE, VALID), T(COUNT, VALID), T(STATE, INVALIDATING),
				  NEVER, NEVER, NEVER),
	[FRAME_STATE_PARTIAL] = ROW(T(RESUME, VALIDATING), T(UNWIND, INVALIDATING), NEVER, NEVER, NEVER, NEVER, NEVER),
	[FRAME_STATE_INVALIDATING] = ROW(T(HELP, INVALIDATING), T(HELP, INVALIDATING), NEVER, NEVER,
					 T(STATE, NONE), NEVER, NEVER),
};

struct frame_transition frame_transition(enum frame_state state, enum frame_event event)
{
	return transitions[state][event];
}

static bool word_change(struct frame *f, u64 *old, u64 new)
{
	return __atomic_compare_exchange_n(&f->type, old, new, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

/* The state changes by an event that only the CPU that works on the frame can cause; flags that others may set are kept. */
static void state_change(struct frame *f, enum frame_event event, enum frame_type t, u32 count)
{
	u64 word = READ_ONCE(f->type), new;
	struct frame_transition step = transitions[frame_word_state(word)][event];

	BUG_ON(step.action != FRAME_ACTION_STATE);
	do {
		new = frame_word(t, (enum frame_state)step.next, step.next == FRAME_STATE_NONE ? 0 : f->owner) |
		      (word & (FRAME_TYPE_FOREIGN | FRAME_TYPE_UNCACHED)) | (u64)count << FRAME_TYPE_COUNT_SHIFT;
	} while (!word_change(f, &word, new));
	/* Pairs with frame_type_owner_set: whoever of the two comes second sees what the other did. */
	if (unlikely(step.next != FRAME_STATE_NONE && READ_ONCE(f->owner) != (u16)(new >> FRAME_TYPE_OWNER_SHIFT)))
		frame_type_owner_set(f, READ_ONCE(f->owner));
}

void frame_type_owner_set(struct frame *f, u16 owner)
{
	u64 word = READ_ONCE(f->type), new;

	__atomic_store_n(&f->owner, owner, __ATOMIC_SEQ_CST);
	do {
		if (frame_word_state(word) == FRAME_STATE_NONE)
			return;
		new = (word & ((1UL << FRAME_TYPE_OWNER_SHIFT) - 1)) | (u64)owner << FRAME_TYPE_OWNER_SHIFT;
	} while (!word_change(f, &word, new));
}

/* --- before a frame changes type --- */

static void translations_flush(const struct frame *f, u64 was)
{
	const struct domain *d;
	struct cpumask mask;

	if (tlb_stamp_clean(f->tlb_stamp))
		return;
	/* Only the owner's CPUs have used the entries, unless others had them too. */
	d = was & FRAME_TYPE_FOREIGN ? NULL : frame_owner(f);
	mask = d ? d->dirty_cpus : cpu_online_map;
	tlb_stamp_filter(&mask, f->tlb_stamp);
	if (!cpumask_empty(&mask))
		tlb_flush_mask(&mask);
}

/* What the guest wrote through an uncached mapping may lie behind a stale cache line, so that we would validate something else. */
static void cache_flush(const struct frame *f)
{
	const u8 *p = frame_map(frame_mfn(f));

	for (u32 i = 0; i < PAGE_SIZE; i += CACHE_LINE)
		__asm__ volatile("clflush %0" : : "m"(p[i]));
	__asm__ volatile("mfence" : : : "memory");
	frame_unmap(p);
}

static void type_change(struct frame *f, u64 was)
{
	translations_flush(f, was);
	if (was & FRAME_TYPE_UNCACHED)
		cache_flush(f);
	if (was & (FRAME_TYPE_FOREIGN | FRAME_TYPE_UNCACHED))
		__atomic_fetch_and(&f->type, ~(u64)(FRAME_TYPE_FOREIGN | FRAME_TYPE_UNCACHED), __ATOMIC_SEQ_CST);
}

/* --- validation --- */

/* f is this CPU's, INVALIDATING, its entries hold nothing any more. */
static void invalidated(struct frame *f, enum frame_type last)
{
	f->aux = 0;
	state_change(f, FRAME_EVENT_DONE, last, 0);
	frame_put(f);
}

/*
 * The partial validation of f, which is this CPU's (INVALIDATING), is undone. The word goes on saying what the frame was last: it never
 * came into use this time, but processors may remember it as a table of the same type from before.
 */
static void unwind(struct vcpu *actor, struct frame *f, enum frame_type t)
{
	frame_type_ops->invalidate(actor, f, t, f->aux);
	invalidated(f, t);
}

static bool type_has_ops(enum frame_type t)
{
	return frame_type_is_table(t) || t == FRAME_SEGDESC;
}

/* f is this CPU's (VALIDATING). */
static int validate(struct vcpu *actor, struct frame *f, enum frame_type t)
{
	const struct domain *d;
	int rc = 0;

	if (type_has_ops(t))
		rc = frame_type_ops->validate(actor, f, t);
	if (likely(rc == 0)) {
		f->aux = 0;
		state_change(f, FRAME_EVENT_DONE, t, 1);
		return 0;
	}
	if (rc == -ERESTART) {
		state_change(f, FRAME_EVENT_PREEMPT, t, 0);
		/* Teardown looks for such frames once: it has seen this one, or we see that it has begun. */
		d = frame_owner(f);
		if (unlikely(!d || READ_ONCE(d->life) != DOMAIN_LIVE))
			(void)frame_type_abandon(actor, f);
		return -ERESTART;
	}
	state_change(f, FRAME_EVENT_FAIL, t, 0);
	unwind(actor, f, t);
	return rc;
}

/* From NONE. The word as a whole takes a general reference; the caller holds one, so this fails only when there are too many. */
static int begin(struct vcpu *actor, struct frame *f, u64 was, enum frame_type t)
{
	enum frame_type last = frame_word_type(was);
	bool plain = !type_has_ops(t) && (last == t || last == FRAME_NONE);
	u64 new = frame_word(t, plain ? FRAME_STATE_VALID : FRAME_STATE_VALIDATING, f->owner) | (plain ? FRAME_TYPE_ONE : 0) |
		  (was & (FRAME_TYPE_FOREIGN | FRAME_TYPE_UNCACHED));

	if (unlikely(!frame_get(f, NULL)))
		return -EINVAL;
	if (unlikely(!word_change(f, &was, new))) {
		frame_put(f);
		return -EAGAIN;
	}
	if (likely(plain)) {
		if (unlikely(READ_ONCE(f->owner) != (u16)(new >> FRAME_TYPE_OWNER_SHIFT)))
			frame_type_owner_set(f, READ_ONCE(f->owner));
		return 0;
	}
	if (last != t && last != FRAME_NONE)
		type_change(f, was);
	f->aux = 0;
	return validate(actor, f, t);
}

static int add_reference(struct frame *f, u64 word)
{
	if (word & FRAME_TYPE_GUARD)
		return -EINVAL;
	return word_change(f, &word, word + FRAME_TYPE_ONE) ? 0 : -EAGAIN;
}

static int resume(struct vcpu *actor, struct frame *f, u64 word, enum frame_type t)
{
	if (!word_change(f, &word, (word & ~frame_word(0, (enum frame_state)7, 0)) | frame_word(0, FRAME_STATE_VALIDATING, 0)))
		return -EAGAIN;
	return validate(actor, f, t);
}

/* Takes a half validated frame over to undo it. */
static bool claim_partial(struct frame *f, u64 word)
{
	return word_change(f, &word, (word & ~frame_word(0, (enum frame_state)7, 0)) |
			   frame_word(0, FRAME_STATE_INVALIDATING, 0));
}

/* One attempt; -EAGAIN: look again. */
static int get_once(struct vcpu *actor, struct frame *f, enum frame_type t, bool *waited)
{
	u64 word = READ_ONCE(f->type);
	enum frame_type now = frame_word_type(word);
	struct frame_transition step;

	step = transitions[frame_word_state(word)][now == t ? FRAME_EVENT_GET : FRAME_EVENT_GET_OTHER];
	switch ((enum frame_action)step.action) {
	case FRAME_ACTION_COUNT:
		return add_reference(f, word);
	case FRAME_ACTION_BEGIN:
		return begin(actor, f, word, t);
	case FRAME_ACTION_RESUME:
		return resume(actor, f, word, t);
	case FRAME_ACTION_UNWIND:
		if (claim_partial(f, word))
			unwind(actor, f, now);
		return -EAGAIN;
	case FRAME_ACTION_WAIT:
	case FRAME_ACTION_HELP:
		*waited = true;
		return -EAGAIN;
	case FRAME_ACTION_REFUSE:
		return -EINVAL;
	case FRAME_ACTION_STATE:
	case FRAME_ACTION_BUG:
	default:
		BUG();
	}
}

/* --- page tables without references --- */

/* Where a page table waits when its owner has gone meanwhile. */
static struct domain *list_domain(const struct frame *f)
{
	struct domain *d = frame_owner(f);

	return d ? d : dom_xen;
}

static void doomed_add(struct frame *f)
{
	struct domain *d = list_domain(f);

	spin_lock(&d->memory.lock);
	f->aux = d->memory.doomed;
	d->memory.doomed = (u32)frame_mfn(f).v;
	spin_unlock(&d->memory.lock);
}

static struct frame *doomed_take(struct domain *d)
{
	struct frame *f = NULL;

	spin_lock(&d->memory.lock);
	if (d->memory.doomed) {
		f = frame_of(mfn(d->memory.doomed));
		d->memory.doomed = f->aux;
	}
	spin_unlock(&d->memory.lock);
	return f;
}

static void doomed_end(struct vcpu *actor, struct frame *f)
{
	enum frame_type t = frame_word_type(f->type);

	frame_type_ops->invalidate(actor, f, t, PAGE_SIZE / sizeof(u64));
	invalidated(f, t);
}

int frame_type_drain(struct vcpu *actor, struct domain *d)
{
	struct frame *f;

	if (!d)
		d = dom_xen;
	while (!frame_type_drained(d)) {
		f = doomed_take(d);
		if (!f)
			return 0;
		doomed_end(actor, f);
		if (!frame_type_drained(d) && preempt_needed())
			return -ERESTART;
	}
	return 0;
}

#define MARKS (FRAME_TYPE_FOREIGN | FRAME_TYPE_UNCACHED)

/* The same as below for memory, and short: the frame is this CPU's between the two changes, and nobody else changes such a word. */
static bool put_last_writable(struct frame *f)
{
	u64 word = READ_ONCE(f->type), owner = word >> FRAME_TYPE_OWNER_SHIFT;

	if ((word & ~(u64)MARKS) != (frame_word(FRAME_WRITABLE, FRAME_STATE_VALID, (u16)owner) | FRAME_TYPE_ONE))
		return false;
	if (unlikely(!word_change(f, &word, frame_word(FRAME_WRITABLE, FRAME_STATE_INVALIDATING, (u16)owner) | (word & MARKS))))
		return false;
	WRITE_ONCE(f->tlb_stamp, tlb_stamp_now());
	/* frame_type_owner_set may change the owner in the word meanwhile: without a type the word names none. */
	__atomic_store_n(&f->type, frame_word(FRAME_WRITABLE, FRAME_STATE_NONE, 0) | (word & MARKS), __ATOMIC_RELEASE);
	frame_put(f);
	return true;
}

void frame_type_put_last(struct vcpu *actor, struct frame *f)
{
	u64 word = READ_ONCE(f->type), new;
	enum frame_type t;
	bool last;

	(void)actor;
	if (likely(put_last_writable(f)))
		return;
	word = READ_ONCE(f->type);
	do {
		enum frame_event event = frame_word_count(word) > 1 ? FRAME_EVENT_PUT : FRAME_EVENT_PUT_LAST;
		struct frame_transition step = transitions[frame_word_state(word)][event];

		t = frame_word_type(word);
		last = event == FRAME_EVENT_PUT_LAST;
		BUG_ON(step.action == FRAME_ACTION_BUG || (last && (word & FRAME_TYPE_PINNED)));
		new = last ? frame_word(t, (enum frame_state)step.next, (u16)(word >> FRAME_TYPE_OWNER_SHIFT)) |
			(word & (FRAME_TYPE_FOREIGN | FRAME_TYPE_UNCACHED)) : word - FRAME_TYPE_ONE;
	} while (!word_change(f, &word, new));
	if (!last)
		return;
	/* The frame is ours, so this is later than every put, and nobody can see the type as free before. */
	WRITE_ONCE(f->tlb_stamp, tlb_stamp_now());
	if (!frame_type_is_table(t)) {
		invalidated(f, t);
		return;
	}
	if (unlikely(f->aux))
		frame_type_ops->retire(f);
	doomed_add(f);
}

/* --- the contract --- */

int frame_type_get(struct vcpu *actor, struct frame *f, enum frame_type t)
{
	for (;;) {
		bool waited = false;
		int rc = get_once(actor, f, t, &waited);

		if (likely(rc != -EAGAIN))
			return rc;
		if (!waited)
			continue;
		rc = frame_type_drain(actor, list_domain(f));
		if (rc)
			return rc;
		/* Another CPU is at it. It stops when it is preempted, and so do we. */
		spin_poll();
		if (preempt_needed())
			return -ERESTART;
	}
}

void frame_type_put(struct vcpu *actor, struct frame *f, enum frame_type t)
{
	ASSERT(frame_word_type(READ_ONCE(f->type)) == t);
	(void)t;
	frame_type_drop(actor, f);
}

enum frame_type frame_type(const struct frame *f)
{
	u64 word = READ_ONCE(f->type);

	return frame_word_state(word) == FRAME_STATE_VALID ? frame_word_type(word) : FRAME_NONE;
}

u32 frame_type_count(const struct frame *f)
{
	return frame_word_count(READ_ONCE(f->type));
}

bool frame_type_pinned(const struct frame *f)
{
	return READ_ONCE(f->type) & FRAME_TYPE_PINNED;
}

/* Without preemption: what waits for invalidation is helped along, but not for ever. */
static bool get_writable_slow(struct vcpu *actor, struct frame *f)
{
	u32 patience = PATIENCE;

	lock_assert_below(LOCK_DOMFRAMES);
	for (;;) {
		bool waited = false;
		int rc = get_once(actor, f, FRAME_WRITABLE, &waited);
		struct frame *other;

		if (rc != -EAGAIN)
			return rc == 0;
		if (!waited)
			continue;
		other = doomed_take(list_domain(f));
		if (other) {
			if (patience-- == 0) {
				doomed_add(other);
				return false;
			}
			doomed_end(actor, other);
		}
		/* Else another CPU does so at this moment, or flushes TLBs: short. */
		spin_poll();
	}
}

bool frame_get_writable(struct vcpu *actor, struct frame *f, const struct domain *d)
{
	bool ok;

	if (likely(d && frame_type_try_get(f, frame_type_key(FRAME_WRITABLE, d->id))))
		return true;
	if (!frame_get(f, d))
		return false;
	ok = get_writable_slow(actor, f);
	frame_put(f);
	return ok;
}

void frame_put_writable(struct frame *f)
{
	dirty_log_mark(f);
	frame_type_drop(NULL, f);
}

/* --- pins --- */

static bool pin_drop(struct vcpu *actor, struct frame *f)
{
	if (!(__atomic_fetch_and(&f->type, ~(u64)FRAME_TYPE_PINNED, __ATOMIC_SEQ_CST) & FRAME_TYPE_PINNED))
		return false;
	dirty_log_mark(f);
	frame_type_drop(actor, f);
	return true;
}

int frame_type_pin(struct vcpu *actor, struct frame *f, enum frame_type t)
{
	int rc = frame_type_get(actor, f, t);
	const struct domain *d;

	if (rc)
		return rc;
	if (__atomic_fetch_or(&f->type, FRAME_TYPE_PINNED, __ATOMIC_SEQ_CST) & FRAME_TYPE_PINNED) {
		frame_type_drop(actor, f);
		return -EBUSY;
	}
	/* Teardown looks for pins once: it has seen this one, or we see that it has begun. */
	d = frame_owner(f);
	if (unlikely(!d || READ_ONCE(d->life) != DOMAIN_LIVE)) {
		pin_drop(actor, f);
		return -EINVAL;
	}
	/* Whoever saves the domain wants to know. */
	dirty_log_mark(f);
	return 0;
}

int frame_type_unpin(struct vcpu *actor, struct frame *f)
{
	return pin_drop(actor, f) ? 0 : -EINVAL;
}

bool frame_type_abandon(struct vcpu *actor, struct frame *f)
{
	bool did = pin_drop(actor, f);
	u64 word = READ_ONCE(f->type);

	if (frame_word_state(word) != FRAME_STATE_PARTIAL || !claim_partial(f, word))
		return did;
	unwind(actor, f, frame_word_type(word));
	return true;
}

/* --- the hypervisor's own pages --- */

void frame_type_share(struct frame *f, bool writable)
{
	BUG_ON(frame_word_state(f->type) != FRAME_STATE_NONE);
	f->type = frame_word(writable ? FRAME_WRITABLE : FRAME_READONLY, FRAME_STATE_VALID, f->owner) | FRAME_TYPE_ONE |
		  (f->type & (FRAME_TYPE_FOREIGN | FRAME_TYPE_UNCACHED));
}

bool frame_type_unshare(struct frame *f)
{
	u64 word = READ_ONCE(f->type);

	while (frame_word_count(word) == 1)
		if (word_change(f, &word, frame_word(frame_word_type(word), FRAME_STATE_NONE, 0) |
				(word & (FRAME_TYPE_FOREIGN | FRAME_TYPE_UNCACHED))))
			return true;
	return false;
}

void frame_type_share_end(struct frame *f)
{
	/* From now on the word holds a general reference like any other's. */
	__atomic_fetch_add(&f->refs, 1, __ATOMIC_SEQ_CST);
	frame_type_drop(NULL, f);
}
