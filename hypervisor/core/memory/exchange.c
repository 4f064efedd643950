/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * XENMEM_exchange: frames for others, in a row or below an address. Done in rounds of the larger of the two extents. In a round
 * everything that can fail comes before the domain's frames change hands.
 */
#include <hv/errno.h>
#include <hv/guest.h>
#include <hv/softirq.h>

#include "memory.h"

/* Bound on the frames of one round, because of the work between two preemption points. */
#define EXCHANGE_ORDER_MAX 9u

struct exchange {
	struct xen_memory_exchange op;
	struct domain *d;
	unsigned int in_order, out_order, round_order;
	u32 flags;
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

/*
 * Frames that are the hypervisor's, chained by `next`; `prev` and `aux` hold the M2P entry that each had. (Not the type word: the guest chose
 * the entry, and could choose one that means a type.)
 */
struct frame_chain {
	struct frame *first;
};

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

static void chain_free(struct frame_chain *c, unsigned int order)
{
	struct frame *f;
	u64 pfn;

	while ((f = chain_take(c, &pfn)) != NULL)
		frames_free(f, order);
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

static void chain_give(struct domain *d, struct frame_chain *c)
{
	struct frame *f;
	u64 pfn;

	while ((f = chain_take(c, &pfn)) != NULL)
		frame_give(d, f, pfn);
}

/* Takes the frames of a round from the domain. */
static long round_take(struct vcpu *v, const struct exchange *x, u64 first, struct frame_chain *taken)
{
	for (u64 k = 0; k < 1UL << x->round_order; k++) {
		struct frame *f;
		long rc = frame_named(v, x, first, k, &f);
		u64 pfn;

		if (rc)
			return rc;
		if (!frame_get(f, x->d))
			return -EINVAL;
		pfn = m2p_get(frame_mfn(f));
		rc = domain_frame_steal(x->d, f);
		if (rc) {
			frame_put(f);
			return rc;
		}
		chain_add(taken, f, pfn);
	}
	return 0;
}

static u64 out_extent(const struct exchange *x, u64 first)
{
	return first << x->in_order >> x->out_order;
}

/* Allocates the new frames of a round: a chain of the first frames of extents. */
static long round_alloc(struct vcpu *v, const struct exchange *x, u64 first, struct frame_chain *fresh)
{
	u64 extents = 1UL << (x->round_order - x->out_order);

	/* From the last to the first, so that the chain begins with the first. */
	for (u64 k = extents; k-- > 0;) {
		gva_t at = handle_at(&x->op.out, out_extent(x, first) + k);
		struct frame *f;
		u64 pfn;

		/* The list must also be writable. */
		if (guest_read64(v, &pfn, at) || guest_write64(v, at, pfn))
			return -EFAULT;
		f = domain_frames_reserve(x->d, x->out_order, x->flags);
		if (f == NULL)
			return -ENOMEM;
		chain_add(fresh, f, pfn);
	}
	return 0;
}

/* Hands over the new frames and tells the guest; a list that it made unwritable meanwhile is its own loss. */
static long round_commit(struct vcpu *v, const struct exchange *x, u64 first, struct frame_chain *fresh)
{
	u64 extent = out_extent(x, first), pfn;
	struct frame *f;
	long rc = 0;

	for (; (f = chain_take(fresh, &pfn)) != NULL; extent++) {
		for (u64 k = 0; k < 1UL << x->out_order; k++)
			frame_give(x->d, f + k, pfn + k);
		if (guest_write64(v, handle_at(&x->op.out, extent), frame_mfn(f).v))
			rc = -EFAULT;
	}
	return rc;
}

static long round_exchange(struct vcpu *v, const struct exchange *x, u64 first)
{
	struct frame_chain taken = { NULL }, fresh = { NULL };
	long rc = round_alloc(v, x, first, &fresh);

	if (!rc)
		rc = round_take(v, x, first, &taken);
	if (rc) {
		chain_free(&fresh, x->out_order);
		chain_give(x->d, &taken);
		return rc;
	}
	rc = round_commit(v, x, first, &fresh);
	chain_free(&taken, 0);
	return rc;
}

static long exchange_run(struct vcpu *v, struct exchange *x)
{
	u64 step = 1UL << (x->round_order - x->in_order), begin = x->op.nr_exchanged;

	if (!memory_flags_decode(x->d, x->op.out.mem_flags, &x->flags))
		return -EINVAL;
	while (x->op.nr_exchanged < x->op.in.nr_extents) {
		long rc;

		if (x->op.nr_exchanged != begin && preempt_needed())
			return -ERESTART;
		if (memory_prepare(x->d, x->out_order, x->flags) == -ERESTART)
			return -ERESTART;
		rc = round_exchange(v, x, x->op.nr_exchanged);
		if (rc)
			return rc;
		x->op.nr_exchanged += step;
	}
	return 0;
}

long memory_exchange(struct vcpu *v, gva_t arg, u64 *progress)
{
	struct exchange x = { 0 };
	long rc;

	/* Progress is in the structure itself. */
	*progress = 0;
	if (guest_copy_in(v, &x.op, arg, sizeof(x.op)))
		return -EFAULT;
	rc = exchange_check(v, &x);
	if (rc)
		return rc;
	rc = memory_target_get(v, x.op.in.domid, &x.d);
	if (rc)
		return rc;
	rc = exchange_run(v, &x);
	memory_target_put(v, x.d);
	if (guest_write64(v, arg + offsetof(struct xen_memory_exchange, nr_exchanged), x.op.nr_exchanged))
		return -EFAULT;
	return rc;
}
