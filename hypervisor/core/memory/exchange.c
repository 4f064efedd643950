/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * XENMEM_exchange: frames for others, in a row or below an address. Done in rounds of the larger of the two extents. In a round
 * everything that can fail comes before the domain's frames change hands.
 *
 * A round of 512 frames is too long to go without preemption. One that was preempted stays in the domain, with the frames that it holds,
 * until the vCPU that began it comes back for it; no other exchange goes on in that domain meanwhile. If the domain dies first,
 * teardown gives the frames up.
 */
#include <hv/errno.h>
#include <hv/guest.h>
#include <hv/softirq.h>

#include "memory.h"

/* Large enough for what drivers ask for. */
#define EXCHANGE_ORDER_MAX 9u
/* Frames between two preemption points. */
#define STEP 32u

/*
 * Frames that are the hypervisor's, chained by `next`; `prev` and `aux` hold the M2P entry that each had. (Not the type word: the guest chose
 * the entry, and could choose one that means a type.)
 */
struct frame_chain {
	struct frame *first;
};

/* What a round does, in this order; after an error in the first two it is undone. */
enum phase {
	PHASE_ALLOC,		/* new frames: a chain of the first frames of extents */
	PHASE_TAKE,		/* the domain's frames */
	PHASE_COMMIT,		/* the new ones are the domain's, the guest is told */
	PHASE_FREE,		/* the old ones */
	PHASE_UNDO_FRESH,
	PHASE_UNDO_TAKEN,
	PHASE_DONE,
};

struct exchange {
	struct xen_memory_exchange op;
	unsigned int in_order, out_order, round_order;
	u32 flags;

	/* The round under way. */
	enum phase phase;
	long rc;
	u64 k;			/* progress in the phase */
	u64 extent;		/* next one to be told to the guest */
	struct frame_chain fresh, taken;
	struct frame *giving;	/* first frame of the extent that is being handed over, k frames of it were */
	u64 giving_pfn;
};

/* Of a domain: its only exchange. */
struct memory_exchange {
	bool running;			/* a CPU is at it; taken by compare-and-swap, and what follows is that CPU's */
	const struct vcpu *actor;	/* whose preempted round this is; NULL: none. Compared, never followed */
	gva_t arg;
	struct exchange x;
};

static gva_t handle_at(const struct xen_memory_reservation *r, u64 i)
{
	return (gva_t)r->extent_start.p + i * sizeof(xen_pfn_t);
}

static long exchange_check(struct vcpu *v, struct exchange *x)
{
	unsigned int max = MIN(memory_order_max(v), EXCHANGE_ORDER_MAX);
	u64 in = x->op.in.nr_extents, out = x->op.out.nr_extents;

	x->in_order = x->op.in.extent_order;
	x->out_order = x->op.out.extent_order;
	if (x->op.in.domid != x->op.out.domid)
		return -EINVAL;
	if (x->in_order > max || x->out_order > max)
		return -EPERM;
	x->round_order = MAX(x->in_order, x->out_order);
	if (in > MEMORY_PROGRESS_MAX >> x->in_order || out > MEMORY_PROGRESS_MAX >> x->out_order ||
	    in << x->in_order != out << x->out_order)
		return -EINVAL;
	/* Whole rounds only. */
	if ((in << x->in_order & ((1UL << x->round_order) - 1)) != 0 || x->op.nr_exchanged > in ||
	    (x->op.nr_exchanged << x->in_order & ((1UL << x->round_order) - 1)) != 0)
		return -EINVAL;
	return 0;
}

/* Frame k of the round that begins at extent first of the list that the guest gives. */
static long frame_named(struct vcpu *v, const struct exchange *x, u64 first, u64 k, struct frame **f)
{
	u64 n;

	if (guest_read64(v, &n, handle_at(&x->op.in, first + (k >> x->in_order))))
		return -EFAULT;
	n += k & ((1UL << x->in_order) - 1);
	if (!frame_valid(mfn(n)))
		return -EINVAL;
	*f = frame_of(mfn(n));
	return 0;
}

static void chain_add(struct frame_chain *c, struct frame *f, u64 pfn)
{
	f->prev = (u32)pfn;
	f->aux = (u32)(pfn >> 32);
	f->next = c->first == NULL ? 0 : (u32)frame_mfn(c->first).v;
	c->first = f;
}

static struct frame *chain_take(struct frame_chain *c, u64 *pfn)
{
	struct frame *f = c->first;

	if (f == NULL)
		return NULL;
	c->first = f->next == 0 ? NULL : frame_of(mfn(f->next));
	*pfn = (u64)f->aux << 32 | f->prev;
	f->next = f->prev = f->aux = 0;
	return f;
}

/* Gives a frame (back) to the domain; when it is going the frame is freed. */
static void frame_give(struct domain *d, struct frame *f, u64 pfn)
{
	page_number_set(d, frame_mfn(f), pfn);
	if (domain_frame_assign(d, f, DOMF_OVER_MAX) == 0)
		return;
	m2p_set(frame_mfn(f), M2P_INVALID);
	frames_free(f, 0);
}


static u64 out_extent(const struct exchange *x, u64 first)
{
	return first << x->in_order >> x->out_order;
}

/* One more new extent, from the last to the first, so that the chain begins with the first. */
static long step_alloc(struct vcpu *v, struct domain *d, struct exchange *x)
{
	u64 extents = 1UL << (x->round_order - x->out_order);
	gva_t at = handle_at(&x->op.out, out_extent(x, x->op.nr_exchanged) + extents - 1 - x->k);
	struct frame *f;
	u64 pfn;

	/* The list must also be writable. */
	if (guest_read64(v, &pfn, at) || guest_write64(v, at, pfn))
		return -EFAULT;
	f = domain_frames_reserve(d, x->out_order, x->flags);
	if (f == NULL)
		return -ENOMEM;
	chain_add(&x->fresh, f, pfn);
	return ++x->k == extents;
}

static long step_take(struct vcpu *v, struct domain *d, struct exchange *x)
{
	struct frame *f;
	long rc = frame_named(v, x, x->op.nr_exchanged, x->k, &f);
	u64 pfn;

	if (rc)
		return rc;
	if (!frame_get(f, d))
		return -EINVAL;
	pfn = m2p_get(frame_mfn(f));
	rc = domain_frame_steal(d, f);
	if (rc) {
		frame_put(f);
		return rc;
	}
	chain_add(&x->taken, f, pfn);
	return ++x->k == 1UL << x->round_order;
}

/* A list that the guest made unwritable meanwhile is its own loss. */
static long step_commit(struct vcpu *v, struct domain *d, struct exchange *x)
{
	if (x->giving == NULL) {
		x->giving = chain_take(&x->fresh, &x->giving_pfn);
		x->k = 0;
		if (x->giving == NULL)
			return 1;
	}
	frame_give(d, x->giving + x->k, x->giving_pfn + x->k);
	if (++x->k < 1UL << x->out_order)
		return 0;
	if (guest_write64(v, handle_at(&x->op.out, x->extent++), frame_mfn(x->giving).v))
		x->rc = -EFAULT;
	x->giving = NULL;
	return 0;
}

static long step_free(struct frame_chain *c, unsigned int order)
{
	u64 pfn;
	struct frame *f = chain_take(c, &pfn);

	if (f != NULL)
		frames_free(f, order);
	return f == NULL;
}

static long step_give_back(struct domain *d, struct exchange *x)
{
	u64 pfn;
	struct frame *f = chain_take(&x->taken, &pfn);

	if (f != NULL)
		frame_give(d, f, pfn);
	return f == NULL;
}

/* A few instructions of the round. 1: the phase is complete; 0: again; negative: an error. */
static long step(struct vcpu *v, struct domain *d, struct exchange *x)
{
	switch (x->phase) {
	case PHASE_ALLOC:
		return step_alloc(v, d, x);
	case PHASE_TAKE:
		return step_take(v, d, x);
	case PHASE_COMMIT:
		return step_commit(v, d, x);
	case PHASE_FREE:
		return step_free(&x->taken, 0);
	case PHASE_UNDO_FRESH:
		return step_free(&x->fresh, x->out_order);
	case PHASE_UNDO_TAKEN:
		return step_give_back(d, x);
	case PHASE_DONE:
	default:
		return 1;
	}
}

static void round_begin(struct exchange *x)
{
	x->phase = PHASE_ALLOC;
	x->rc = 0;
	x->k = 0;
	x->extent = out_extent(x, x->op.nr_exchanged);
}

static void round_undo(struct exchange *x, long rc)
{
	x->rc = rc;
	x->phase = PHASE_UNDO_FRESH;
}

/* Goes on with a round until its end (its result is in x->rc) or preemption: -ERESTART. */
static long round_run(struct vcpu *v, struct domain *d, struct exchange *x)
{
	for (u32 n = 1; x->phase != PHASE_DONE; n++) {
		long rc = step(v, d, x);

		if (rc < 0) {
			round_undo(x, rc);
		} else if (rc) {
			x->phase = x->phase == PHASE_FREE ? PHASE_DONE : (enum phase)(x->phase + 1);
			x->k = 0;
		}
		if (n % STEP == 0 && x->phase != PHASE_DONE && preempt_needed())
			return -ERESTART;
	}
	return 0;
}

static long exchange_run(struct vcpu *v, struct domain *d, struct memory_exchange *e)
{
	struct exchange *x = &e->x;
	u64 in_round = 1UL << (x->round_order - x->in_order), begin = x->op.nr_exchanged;

	while (x->op.nr_exchanged < x->op.in.nr_extents) {
		if (x->phase == PHASE_DONE) {
			if (x->op.nr_exchanged != begin && preempt_needed())
				return -ERESTART;
			if (memory_prepare(d, x->out_order, x->flags) == -ERESTART)
				return -ERESTART;
			round_begin(x);
		}
		if (round_run(v, d, x) == -ERESTART)
			return -ERESTART;
		if (x->rc)
			return x->rc;
		x->op.nr_exchanged += in_round;
	}
	return 0;
}

/* The domain's exchange, for this CPU alone; NULL: another one is at it (*rc -ERESTART), or there is no memory (-ENOMEM). */
static struct memory_exchange *exchange_claim(struct domain *d, long *rc)
{
	struct memory_exchange *e = __atomic_load_n(&d->memory.exchange, __ATOMIC_ACQUIRE), *none = NULL;
	bool idle = false;

	if (!e) {
		e = hv_alloc(sizeof(*e));
		*rc = -ENOMEM;
		if (!e)
			return NULL;
		e->x.phase = PHASE_DONE;
		if (!__atomic_compare_exchange_n(&d->memory.exchange, &none, e, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
			hv_free(e);
			e = none;
		}
	}
	*rc = -ERESTART;
	return __atomic_compare_exchange_n(&e->running, &idle, true, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED) ? e : NULL;
}

/* A round that was preempted, and that its vCPU does not go on with, comes to an end first. */
static long round_settle(struct vcpu *v, struct domain *d, struct memory_exchange *e, gva_t arg, u64 done)
{
	struct exchange *x = &e->x;

	if (e->actor == NULL || (e->actor == v && e->arg == arg && x->op.nr_exchanged == done))
		return 0;
	/* Another vCPU's: it will go on, or the domain dies. */
	if (e->actor != v)
		return -ERESTART;
	if (x->phase < PHASE_COMMIT)
		round_undo(x, -EINVAL);
	if (round_run(v, d, x) == -ERESTART)
		return -ERESTART;
	e->actor = NULL;
	return 0;
}

/* asked->op.nr_exchanged becomes what was done by now. */
static long exchange_in(struct vcpu *v, struct domain *d, struct memory_exchange *e, gva_t arg, struct exchange *asked)
{
	long rc = round_settle(v, d, e, arg, asked->op.nr_exchanged);

	if (rc)
		return rc;
	/* Teardown comes after the domain has died. */
	if (READ_ONCE(d->life) != DOMAIN_LIVE)
		return -EINVAL;
	if (e->actor == NULL) {
		e->x = *asked;
		if (!memory_flags_decode(d, e->x.op.out.mem_flags, &e->x.flags))
			return -EINVAL;
	}
	rc = exchange_run(v, d, e);
	e->actor = rc == -ERESTART && e->x.phase != PHASE_DONE ? v : NULL;
	e->arg = arg;
	asked->op.nr_exchanged = e->x.op.nr_exchanged;
	return rc;
}

long memory_exchange(struct vcpu *v, gva_t arg, u64 *progress)
{
	struct exchange x = { .phase = PHASE_DONE };
	struct memory_exchange *e;
	struct domain *d;
	long rc;

	/* Progress is in the structure itself, and in the domain. */
	*progress = 0;
	if (guest_copy_in(v, &x.op, arg, sizeof(x.op)))
		return -EFAULT;
	rc = exchange_check(v, &x);
	if (rc)
		return rc;
	rc = memory_target_get(v, x.op.in.domid, &d);
	if (rc)
		return rc;
	e = exchange_claim(d, &rc);
	if (e) {
		rc = exchange_in(v, d, e, arg, &x);
		__atomic_store_n(&e->running, false, __ATOMIC_RELEASE);
	}
	memory_target_put(v, d);
	if (guest_write64(v, arg + offsetof(struct xen_memory_exchange, nr_exchanged), x.op.nr_exchanged))
		return -EFAULT;
	return rc;
}

int memory_exchange_end(struct vcpu *actor, struct domain *d)
{
	struct memory_exchange *e = __atomic_load_n(&d->memory.exchange, __ATOMIC_ACQUIRE);
	bool idle = false;

	if (!e)
		return 0;
	if (!__atomic_compare_exchange_n(&e->running, &idle, true, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return -ERESTART;
	if (e->x.phase < PHASE_COMMIT)
		round_undo(&e->x, -EINVAL);
	/* What is still to be handed over is handed over: to a dying domain that means freed. */
	if (round_run(actor, d, &e->x) == -ERESTART) {
		__atomic_store_n(&e->running, false, __ATOMIC_RELEASE);
		return -ERESTART;
	}
	/* Whoever comes now finds the domain dying; the structure goes with the domain. */
	e->actor = NULL;
	__atomic_store_n(&e->running, false, __ATOMIC_RELEASE);
	return 0;
}
