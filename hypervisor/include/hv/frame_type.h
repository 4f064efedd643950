/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The type word of a frame, and the fast paths over it. Everybody else uses hv/frame.h.
 *
 * Bits of frame->type:
 *	0	pinned: one of the references is the guest's pin
 *	1	foreign: a domain other than the owner has had it mapped writable, so any CPU's TLB may know it
 *	2	uncached: it has been mapped writable with a memory type other than write-back
 *	3-30	count of references
 *	31	guard: the count has overflowed into it; no more references are given out
 *	32-35	enum frame_type; in state NONE the type that the frame had last
 *	36-38	enum frame_state
 *	47	set: other users of the word (free frames, the hypervisor's own) leave it clear, so theirs are never taken for a type
 *	48-63	domid of the owner, except in state NONE
 * so that (word >> 31) equals frame_type_key() exactly when a reference of that type may be added.
 *
 * In every state but NONE the word as a whole holds one general reference of the frame (frames that are shared by
 * the hypervisor: their owner's).
 */
#ifndef HV_FRAME_TYPE_H
#define HV_FRAME_TYPE_H

#include <hv/types.h>
#include <hv/compiler.h>
#include <hv/frame.h>
#include <hv/lock.h>

#define FRAME_TYPE_PINNED 1u
#define FRAME_TYPE_FOREIGN 2u
#define FRAME_TYPE_UNCACHED 4u
#define FRAME_TYPE_ONE 8u
#define FRAME_TYPE_COUNT_SHIFT 3
#define FRAME_TYPE_COUNT_MAX ((1u << 28) - 1)
#define FRAME_TYPE_GUARD (1u << 31)
#define FRAME_TYPE_KEY_SHIFT 31
#define FRAME_TYPE_SHIFT 32
#define FRAME_STATE_SHIFT 36
#define FRAME_TYPE_MARK (1UL << 47)
#define FRAME_TYPE_OWNER_SHIFT 48

enum frame_state {
	FRAME_STATE_NONE,		/* no references */
	FRAME_STATE_VALIDATING,		/* a CPU makes it valid; it alone touches the frame */
	FRAME_STATE_VALID,		/* count > 0 */
	FRAME_STATE_PARTIAL,		/* validation was preempted: entries below frame->aux hold their references */
	FRAME_STATE_INVALIDATING,	/* the last reference has gone; what the entries of a page table hold is being dropped, or will be */
	FRAME_STATES,
};

enum frame_event {
	FRAME_EVENT_GET,		/* somebody wants a reference of the type that the word names */
	FRAME_EVENT_GET_OTHER,		/* ... of another type */
	FRAME_EVENT_PUT,		/* a reference that is not the last is given back */
	FRAME_EVENT_PUT_LAST,
	FRAME_EVENT_DONE,		/* validation or invalidation is complete */
	FRAME_EVENT_FAIL,		/* validation found something wrong */
	FRAME_EVENT_PREEMPT,		/* validation was preempted */
	FRAME_EVENTS,
};

enum frame_action {
	FRAME_ACTION_BUG,		/* cannot happen */
	FRAME_ACTION_COUNT,		/* change the count and nothing else */
	FRAME_ACTION_STATE,		/* change the state */
	FRAME_ACTION_BEGIN,		/* take the general reference, flush TLBs, validate from the first entry */
	FRAME_ACTION_RESUME,		/* validate from frame->aux on */
	FRAME_ACTION_UNWIND,		/* drop what the partial validation holds, then look again */
	FRAME_ACTION_WAIT,		/* another CPU is at it; look again */
	FRAME_ACTION_HELP,		/* invalidate what waits for it, then look again */
	FRAME_ACTION_REFUSE,
};

struct frame_transition {
	u8 action;	/* enum frame_action */
	u8 next;	/* enum frame_state */
};

/* The one table of transitions; pure. */
struct frame_transition frame_transition(enum frame_state state, enum frame_event event);

/* What makes a page table or descriptor page valid. Installed by boot (pv/ has the only one). */
struct frame_type_ops {
	/*
	 * Validates the entries of f from f->aux on and takes their references. 0; -EINVAL or another error; -ERESTART when preempted.
	 * Unless 0 is returned, f->aux is the number of entries that hold references.
	 */
	int (*validate)(struct vcpu *actor, struct frame *f, enum frame_type t);
	/* Drops the references of the first n entries. Bounded work: page tables that lose their last one only get listed. */
	void (*invalidate)(struct vcpu *actor, struct frame *f, enum frame_type t, u32 n);
	/* A valid page table whose aux is not 0 has lost its last reference; makes aux 0. */
	void (*retire)(struct frame *f);
};
extern const struct frame_type_ops *frame_type_ops;

static inline bool frame_type_is_table(enum frame_type t)
{
	return t >= FRAME_L1 && t <= FRAME_L4;
}

static inline enum frame_state frame_word_state(u64 word)
{
	return (enum frame_state)(word >> FRAME_STATE_SHIFT & 7);
}

static inline enum frame_type frame_word_type(u64 word)
{
	return (enum frame_type)(word >> FRAME_TYPE_SHIFT & 15);
}

static inline u32 frame_word_count(u64 word)
{
	return (u32)word >> FRAME_TYPE_COUNT_SHIFT;
}

/* The fields above the count, in place. */
static inline u64 frame_word(enum frame_type t, enum frame_state s, u16 owner)
{
	return (u64)t << FRAME_TYPE_SHIFT | (u64)s << FRAME_STATE_SHIFT | (u64)owner << FRAME_TYPE_OWNER_SHIFT | FRAME_TYPE_MARK;
}

/* What (frame->type >> FRAME_TYPE_KEY_SHIFT) is while the frame of that owner is validly of that type. */
static inline u64 frame_type_key(enum frame_type t, u16 owner)
{
	return frame_word(t, FRAME_STATE_VALID, owner) >> FRAME_TYPE_KEY_SHIFT;
}

static inline bool frame_type_has_key(const struct frame *f, u64 key)
{
	return READ_ONCE(f->type) >> FRAME_TYPE_KEY_SHIFT == key;
}

/* Adds a reference if the frame has that type and owner already; needs no other reference. */
static inline bool must_check frame_type_try_get(struct frame *f, u64 key)
{
	u64 word = READ_ONCE(f->type);

	do {
		if (unlikely(word >> FRAME_TYPE_KEY_SHIFT != key))
			return false;
	} while (unlikely(!__atomic_compare_exchange_n(&f->type, &word, word + FRAME_TYPE_ONE, false, __ATOMIC_ACQ_REL,
						       __ATOMIC_RELAXED)));
	return true;
}

/*
 * As frame_get with the domain of this id: owner and reference count are neighbours and change in one step. May fail when there
 * are nearly too many references.
 */
static inline bool must_check frame_try_get(struct frame *f, u16 id)
{
	u64 *both = (u64 *)(void *)&f->refs, word = READ_ONCE(*both), new;

	_Static_assert(offsetof(struct frame, refs) % 8 == 0 && offsetof(struct frame, owner) == offsetof(struct frame, refs) + 4,
		       "owner follows refs");
	do {
		new = word + 1;
		/* Neither none (then the frame is going) nor all. */
		if (unlikely((u16)(word >> 32) != id || ((u32)new & (FRAME_REFS - 1)) == 0))
			return false;
	} while (unlikely(!__atomic_compare_exchange_n(both, &word, new, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)));
	return true;
}

/*
 * The first writable reference of a frame of the domain of this id that was nothing but memory before; needs no other reference. False:
 * frame_type_get knows what to do.
 */
static inline bool must_check frame_type_try_begin(struct frame *f, u16 id)
{
	u64 word = READ_ONCE(f->type), new;

	if (frame_word_state(word) != FRAME_STATE_NONE ||
	    (frame_word_type(word) != FRAME_WRITABLE && frame_word_type(word) != FRAME_NONE) || !frame_try_get(f, id))
		return false;
	new = frame_word(FRAME_WRITABLE, FRAME_STATE_VALID, id) | FRAME_TYPE_ONE | (word & (FRAME_TYPE_FOREIGN | FRAME_TYPE_UNCACHED));
	if (unlikely(!__atomic_compare_exchange_n(&f->type, &word, new, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))) {
		frame_put(f);
		return false;
	}
	if (unlikely(READ_ONCE(f->owner) != id))
		frame_type_owner_set(f, READ_ONCE(f->owner));
	return true;
}

void frame_type_put_last(struct vcpu *actor, struct frame *f);

/* Gives back a reference. The entry that it stood for was cleared with a locked instruction. */
static inline void frame_type_drop(struct vcpu *actor, struct frame *f)
{
	u64 word = READ_ONCE(f->type);

	do {
		if (unlikely((u32)word < 2 * FRAME_TYPE_ONE)) {
			frame_type_put_last(actor, f);
			return;
		}
	} while (unlikely(!__atomic_compare_exchange_n(&f->type, &word, word - FRAME_TYPE_ONE, false, __ATOMIC_ACQ_REL,
						       __ATOMIC_RELAXED)));
}

/* Sets FRAME_TYPE_FOREIGN or _UNCACHED. The caller holds a type reference. */
static inline void frame_type_mark(struct frame *f, u32 flags)
{
	if ((READ_ONCE(f->type) & flags) != flags)
		__atomic_fetch_or(&f->type, (u64)flags, __ATOMIC_SEQ_CST);
}

/*
 * Takes a type reference and makes it the guest's pin. The caller holds a general reference. As frame_type_get; -EBUSY when pinned already.
 */
int frame_type_pin(struct vcpu *actor, struct frame *f, enum frame_type t) must_check;
/* Takes the pin away: -EINVAL when there is none. */
int frame_type_unpin(struct vcpu *actor, struct frame *f) must_check;

/*
 * Invalidates the page tables of d (NULL: of domains gone) that have lost their last reference. 0, or -ERESTART when preempted with some
 * left: call again, later, from any operation of d's. No lock from LOCK_FRAME on held.
 */
int frame_type_drain(struct vcpu *actor, struct domain *d) must_check;
static inline bool frame_type_drained(const struct domain *d)
{
	return READ_ONCE(d->memory.doomed) == 0;
}
/*
 * Teardown: drops the pin of f and undoes a validation that was left half done. The caller holds a general reference.
 * True when there was something to do.
 */
bool frame_type_abandon(struct vcpu *actor, struct frame *f);

/*
 * Entries of a page table change under this lock (level LOCK_FRAME), and only while the table's type is seen valid with the lock held.
 * Whoever takes the type away changes the word first and then takes the lock once.
 */
static inline void frame_lock(struct frame *f)
{
	if (ARGON_DEBUG)
		lock_assert_below(LOCK_FRAME);
	while (unlikely(__atomic_exchange_n(&f->lock, 1, __ATOMIC_ACQUIRE)))
		spin_poll();
}

static inline void frame_unlock(struct frame *f)
{
	__atomic_store_n(&f->lock, 0, __ATOMIC_RELEASE);
}

/*
 * The same for a table that the caller holds no reference of and has just seen valid under that key. It may go at this moment, and be free before its
 * lock is let go: then it is the heap's, which marks the heads of its blocks so that they cannot be locked. False: not locked, no longer valid.
 */
static inline bool frame_lock_seen(struct frame *f, u64 key) must_check;
static inline bool frame_lock_seen(struct frame *f, u64 key)
{
	u8 was = 0;

	if (ARGON_DEBUG)
		lock_assert_below(LOCK_FRAME);
	while (unlikely(!__atomic_compare_exchange_n(&f->lock, &was, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))) {
		if (!frame_type_has_key(f, key))
			return false;
		spin_poll();
		was = 0;
	}
	if (likely(frame_type_has_key(f, key)))
		return true;
	was = 1;
	(void)!__atomic_compare_exchange_n(&f->lock, &was, 0, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
	return false;
}

/* The same for any frame below frame_limit that a guest may have named: nothing is written to one that is not valid under that key. */
static inline bool frame_lock_as(struct frame *f, u64 key) must_check;
static inline bool frame_lock_as(struct frame *f, u64 key)
{
	return frame_type_has_key(f, key) && frame_lock_seen(f, key);
}

#endif
