/* SPDX-License-Identifier: BSD-2-Clause */
/* A domain gets frames, and gives them back. */
#include <hv/cmdline.h>
#include <hv/errno.h>
#include <hv/frame_type.h>
#include <hv/guest.h>
#include <hv/softirq.h>
#include <hv/string.h>

#include "memory.h"

/* No larger extent can be handed over or taken back within the bound on work between two preemption points. */
#define ORDER_LIMIT 12u

/* memop-max-order=: for ordinary domains, and for dom0, which is control and hardware domain. */
static u32 order_guest = 9, order_control = ORDER_LIMIT;

static int option_order_parse(const char *value)
{
	u32 *const into[] = { &order_guest, &order_control, &order_control };
	u32 given[ARRAY_SIZE(into)] = { 0 };
	bool is_given[ARRAY_SIZE(into)] = { false };
	char item[16];

	for (u32 i = 0; (value = option_list_next(value, item, sizeof(item), NULL)) != NULL; i++) {
		u64 order;

		if (item[0] == '\0' || i >= ARRAY_SIZE(into))
			continue;
		if (option_u64(item, &order))
			return -EINVAL;
		given[i] = (u32)MIN(order, (u64)ORDER_LIMIT);
		is_given[i] = true;
	}
	for (u32 i = 0; i < ARRAY_SIZE(into); i++)
		if (is_given[i])
			*into[i] = i == 2 && is_given[1] ? MAX(given[1], given[2]) : given[i];
	return 0;
}
BOOT_OPTION_CUSTOM("memop-max-order", option_order_parse,
		   "Largest order of one extent in memory_op: [domU][,[control domain][,[hardware domain]]], at most 12.");

unsigned int memory_order_max(const struct vcpu *v)
{
	return is_privileged(v) ? order_control : order_guest;
}

bool memory_flags_decode(const struct domain *d, u32 mem_flags, u32 *flags)
{
	u32 bits = XENMEMF_get_address_bits(mem_flags), node = XENMEMF_get_node(mem_flags);

	*flags = 0;
	if (likely(mem_flags == 0 && d->node_affinity == 0))
		return true;
	if (mem_flags & XENMEMF_populate_on_demand)
		return false;
	if (bits != 0) {
		if (bits <= PAGE_SHIFT)
			return false;
		*flags |= ALLOC_BITS(MIN(bits, 63u));
	}
	if (mem_flags & XENMEMF_vnode)
		node = 0xff;
	if (node != 0xff) {
		*flags |= ALLOC_NODE(node);
		if (mem_flags & XENMEMF_exact_node_request)
			*flags |= ALLOC_NODE_ONLY;
	} else if (d->node_affinity != 0) {
		*flags |= ALLOC_NODE((u32)__builtin_ctzl(d->node_affinity));
	}
	return true;
}

long memory_prepare(const struct domain *d, unsigned int order, u32 flags)
{
	int rc;

	while ((rc = heap_prepare(d, order, flags)) == -ERESTART)
		if (preempt_needed())
			return -ERESTART;
	return rc;
}

/* What the three operations have in common. Progress counts frames. */
struct reservation {
	struct xen_memory_reservation op;
	struct domain *d;
	u64 extents;
	unsigned int order;
	u32 flags;
	u64 first;		/* extent to go on with */
};

/* 0, with r->d to be put, or -errno. An order that is too large is no error: no extent of it can be had. */
static long reservation_decode(struct vcpu *v, gva_t arg, u64 progress, struct reservation *r)
{
	if (guest_copy_in(v, &r->op, arg, sizeof(r->op)))
		return -EFAULT;
	r->extents = r->op.nr_extents;
	r->order = r->op.extent_order;
	if (unlikely(r->order > memory_order_max(v))) {
		r->order = 0;
		r->extents = 0;
	}
	r->first = progress >> r->order;
	if (unlikely(r->extents > MEMORY_PROGRESS_MAX >> r->order || r->first > r->extents))
		return -EINVAL;
	return memory_target_get(v, r->op.domid, &r->d);
}

static gva_t extent_handle(const struct reservation *r, u64 i)
{
	return (gva_t)r->op.extent_start.p + i * sizeof(xen_pfn_t);
}

/* Asked before each extent but the first; single frames go in groups. */
static bool preemption_point(const struct reservation *r, u64 i)
{
	return (r->order != 0 || (i & 15) == 0) && preempt_needed();
}

static void extent_free(struct vcpu *v, struct domain *d, struct frame *f, unsigned int order)
{
	for (u64 i = 0; i < 1UL << order; i++)
		memory_frame_remove(v, d, frame_mfn(f + i));
}

/*
 * Adds extents from *i on until one cannot be had. populate: at the pseudo-physical frames that the list names, which is then overwritten.
 * 0 or -ERESTART.
 */
static long extents_add(struct vcpu *v, struct reservation *r, bool populate, u64 *i)
{
	u64 begin = *i, pfn = M2P_INVALID;

	for (; *i < r->extents; ++*i) {
		struct frame *f;

		if (unlikely(*i != begin && preemption_point(r, *i)))
			return -ERESTART;
		if (populate && guest_read64(v, &pfn, extent_handle(r, *i)))
			break;
		if (unlikely(r->order != 0) && memory_prepare(r->d, r->order, r->flags) == -ERESTART)
			return -ERESTART;
		f = domain_frames_alloc(r->d, r->order, r->flags | ALLOC_OWN);
		if (unlikely(f == NULL))
			break;
		if (populate)
			for (u64 k = 0; k < 1UL << r->order; k++)
				page_number_set(r->d, mfn(frame_mfn(f).v + k), pfn + k);
		/* Nobody else knows the frames by now, unless a guest guesses. */
		if (r->op.extent_start.p != NULL && guest_write64(v, extent_handle(r, *i), frame_mfn(f).v)) {
			extent_free(v, r->d, f, r->order);
			break;
		}
	}
	return 0;
}

static long reservation_add(struct vcpu *v, gva_t arg, u64 *progress, bool populate)
{
	struct reservation r;
	long rc = reservation_decode(v, arg, *progress, &r);
	u64 i;

	if (unlikely(rc))
		return rc;
	i = r.first;
	if (likely(memory_flags_decode(r.d, r.op.mem_flags, &r.flags)))
		rc = extents_add(v, &r, populate, &i);
	memory_target_put(v, r.d);
	if (unlikely(rc == -ERESTART))
		*progress = i << r.order;
	return rc ? rc : (long)i;
}

long memory_populate(struct vcpu *v, gva_t arg, u64 *progress)
{
	return reservation_add(v, arg, progress, true);
}

long memory_increase(struct vcpu *v, gva_t arg, u64 *progress)
{
	return reservation_add(v, arg, progress, false);
}

/* --- giving back --- */

/* Somebody else holds references of the frame. */
static noinline_fn bool frame_remove_used(struct vcpu *v, struct domain *d, struct frame *f)
{
	bool done;

	if (!frame_get(f, d))
		return false;
	if (frame_type_pinned(f) && frame_type_unpin(v, f) != 0)
		log_guest(LOG_DEBUG, "d%u gives back frame %lx, which was pinned, and is not any more", d->id, frame_mfn(f).v);
	done = !(f->flags & FRAME_SHARED) && domain_frame_release(d, f);
	if (done)
		m2p_set(frame_mfn(f), M2P_INVALID);
	frame_put(f);
	return done;
}

bool memory_frame_remove(struct vcpu *v, struct domain *d, mfn_t m)
{
	if (unlikely(!frame_valid(m)))
		return false;
	return likely(domain_frame_discard(d, frame_of(m))) || frame_remove_used(v, d, frame_of(m));
}

/* True when all frames of an extent are d's to give. A guest that changes that meanwhile is stopped at the frame in question. */
static bool extent_check(const struct domain *d, u64 n, unsigned int order)
{
	for (u64 i = 0; i < 1UL << order; i++) {
		const struct frame *f = frame_of(mfn(n + i));

		if (!frame_valid(mfn(n + i)) || f->owner != d->id || !(f->refs & FRAME_ALLOC) || (f->flags & FRAME_SHARED))
			return false;
	}
	return true;
}

/* Takes away the frames of one extent from *k on; *k says how far it got. 0, -ERESTART, or -EINVAL: one of them is not d's. */
static long extent_remove(struct vcpu *v, struct domain *d, u64 n, unsigned int order, u64 *k)
{
	if (*k == 0 && !extent_check(d, n, order))
		return -EINVAL;
	for (u64 begin = *k; *k < 1UL << order; ++*k) {
		if (unlikely(*k != begin && (*k & 15) == 0 && preempt_needed()))
			return -ERESTART;
		if (unlikely(!memory_frame_remove(v, d, mfn(n + *k))))
			return -EINVAL;
	}
	*k = 0;
	return 0;
}

long memory_decrease(struct vcpu *v, gva_t arg, u64 *progress)
{
	struct reservation r;
	long rc = reservation_decode(v, arg, *progress, &r);
	u64 i, k, n;

	if (unlikely(rc))
		return rc;
	k = *progress & ((1UL << r.order) - 1);
	for (i = r.first; i < r.extents; i++) {
		if (unlikely(i != r.first && preemption_point(&r, i))) {
			rc = -ERESTART;
			break;
		}
		if (unlikely(guest_read64(v, &n, extent_handle(&r, i))))
			break;
		if (likely(r.order == 0))
			rc = memory_frame_remove(v, r.d, mfn(n)) ? 0 : -EINVAL;
		else
			rc = extent_remove(v, r.d, n, r.order, &k);
		if (unlikely(rc))
			break;
	}
	memory_target_put(v, r.d);
	if (likely(rc != -ERESTART))
		return (long)i;
	*progress = i << r.order | k;
	return rc;
}
