/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames of domains. A frame is on its owner's list and counted from when it is assigned until its last reference goes (or the
 * domain does, and leaves frames that others still map without owner). While somebody holds a reference the owner changes only
 * under the owner's lock.
 */
#include <hv/bug.h>
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/frame.h>
#include <hv/frame_type.h>
#include <hv/lock.h>
#include <hv/tlb.h>

#include "heap.h"

struct domain *frame_owner(const struct frame *f)
{
	u16 owner = READ_ONCE(f->owner);

	return owner < DOMID_FIRST_RESERVED ? domain_peek(owner) : NULL;
}

static inline void list_add(struct domain *d, struct frame *f)
{
	f->prev = 0;
	f->next = d->memory.first;
	if (f->next != 0)
		frame_of(mfn(f->next))->prev = (u32)frame_mfn(f).v;
	d->memory.first = (u32)frame_mfn(f).v;
}

static inline void list_remove_frame(struct domain *d, struct frame *f)
{
	if (f->next != 0)
		frame_of(mfn(f->next))->prev = f->prev;
	if (f->prev != 0)
		frame_of(mfn(f->prev))->next = f->next;
	else
		d->memory.first = f->next;
	f->next = 0;
	f->prev = 0;
}

/* Takes f from its owner; d->memory.lock held. Who else holds references keeps it, without owner. */
static inline void frame_disown(struct domain *d, struct frame *f)
{
	if (likely(!(f->flags & (FRAME_SHARED | FRAME_UNCOUNTED))))
		d->memory.pages--;
	if (f->flags & FRAME_SHARED)
		d->memory.shared--;
	else
		list_remove_frame(d, f);
	f->flags &= (u8)~(FRAME_SHARED | FRAME_UNCOUNTED);
	f->owner = DOMID_INVALID;
	if (unlikely(f->type != 0))
		frame_type_owner_set(f, DOMID_INVALID);
}

/* A frame without references and owner goes to the heap; serial says whose contents it has. */
static void frame_retire(struct frame *f, u64 serial)
{
	f->owner = DOMID_XEN;
	f->tlb_stamp = tlb_stamp_now();
	m2p_set(frame_mfn(f), M2P_INVALID);
	heap_free_single(f, serial);
}

void frame_free(struct frame *f)
{
	struct domain *d = frame_owner(f);
	u64 serial = 0;

	if (d != NULL) {
		/* domain_memory_relinquish does not finish while the frame is on d's list, so d stays. */
		spin_lock(&d->memory.lock);
		frame_disown(d, f);
		serial = d->memory.serial;
		spin_unlock(&d->memory.lock);
	}
	frame_retire(f, serial);
}

/* --- in --- */

static bool room_for(const struct domain *d, u64 count, u32 flags)
{
	if (unlikely(READ_ONCE(d->life) != DOMAIN_LIVE))
		return false;
	return d->memory.pages + count <= d->memory.max || (flags & (DOMF_NO_ACCOUNT | DOMF_OVER_MAX)) != 0;
}

/* d->memory.lock held; the frames are the hypervisor's, with type and reference words 0. */
static void frames_give(struct domain *d, struct frame *f, u64 count, u32 flags)
{
	if (!(flags & DOMF_NO_ACCOUNT))
		d->memory.pages += count;
	for (u64 i = 0; i < count; i++, f++) {
		f->owner = d->id;
		if (flags & DOMF_NO_ACCOUNT)
			f->flags |= FRAME_UNCOUNTED;
		f->tlb_stamp = 0;
		list_add(d, f);
		/* From here on others may take references. */
		__atomic_store_n(&f->refs, FRAME_ALLOC | 1, __ATOMIC_RELEASE);
	}
}

struct frame *domain_frames_reserve(struct domain *d, unsigned int order, u32 flags)
{
	return heap_alloc(d, order, (flags & ~(DOMF_NO_ACCOUNT | DOMF_OVER_MAX)) | ALLOC_ZERO);
}

struct frame *domain_frames_alloc(struct domain *d, unsigned int order, u32 flags)
{
	struct frame *f;
	bool room;

	/* Not the last word, but spares the work. */
	if (order != 0 && (order > FRAME_ORDER_MAX || !room_for(d, 1UL << order, flags)))
		return NULL;
	f = domain_frames_reserve(d, order, flags);
	if (unlikely(f == NULL))
		return NULL;
	spin_lock(&d->memory.lock);
	room = room_for(d, 1UL << order, flags);
	if (likely(room))
		frames_give(d, f, 1UL << order, flags);
	spin_unlock(&d->memory.lock);
	if (unlikely(!room)) {
		frames_free(f, order);
		return NULL;
	}
	return f;
}

int domain_frame_assign(struct domain *d, struct frame *f, u32 flags)
{
	int rc = 0;

	BUG_ON(f->owner != DOMID_XEN || f->refs != 0);
	/* It may have been stolen a moment ago, and nobody will know any more what type it had. */
	tlb_stamp_flush(f->tlb_stamp);
	spin_lock(&d->memory.lock);
	if (READ_ONCE(d->life) != DOMAIN_LIVE)
		rc = -EINVAL;
	else if (!room_for(d, 1, flags))
		rc = -E2BIG;
	else
		frames_give(d, f, 1, flags);
	spin_unlock(&d->memory.lock);
	return rc;
}

/* --- out --- */

bool domain_frame_release(struct domain *d, struct frame *f)
{
	ASSERT(f->owner == d->id);
	(void)d;
	if (!(__atomic_fetch_and(&f->refs, ~FRAME_ALLOC, __ATOMIC_ACQ_REL) & FRAME_ALLOC))
		return false;
	frame_put(f);
	return true;
}

/* Makes f the hypervisor's when it is d's and has these references exactly, of which none is left then. */
static inline bool frame_take(struct domain *d, struct frame *f, u32 refs)
{
	bool done;

	spin_lock(&d->memory.lock);
	done = f->owner == d->id && !(f->flags & FRAME_SHARED) &&
	       __atomic_compare_exchange_n(&f->refs, &refs, 0, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
	if (done)
		frame_disown(d, f);
	spin_unlock(&d->memory.lock);
	return done;
}

bool domain_frame_discard(struct domain *d, struct frame *f)
{
	if (!frame_take(d, f, FRAME_ALLOC | 1))
		return false;
	frame_retire(f, d->memory.serial);
	return true;
}

int domain_frame_steal(struct domain *d, struct frame *f)
{
	if (f->owner != d->id)
		return -EINVAL;
	if (!frame_take(d, f, FRAME_ALLOC | 2))
		return -EBUSY;
	f->type = 0;
	f->owner = DOMID_XEN;
	f->tlb_stamp = tlb_stamp_now();
	m2p_set(frame_mfn(f), M2P_INVALID);
	return 0;
}

/* --- pages of the hypervisor that a domain sees --- */

void frame_share(void *page, struct domain *d, bool writable)
{
	struct frame *f = frame_of(virt_mfn(page));

	BUG_ON(f->owner != DOMID_XEN || f->refs != 0);
	spin_lock(&d->memory.lock);
	d->memory.shared++;
	f->owner = d->id;
	f->flags |= FRAME_SHARED;
	f->tlb_stamp = 0;
	frame_type_share(f, writable);
	__atomic_store_n(&f->refs, FRAME_ALLOC | 1, __ATOMIC_RELEASE);
	spin_unlock(&d->memory.lock);
}

int frame_unshare(void *page, struct domain *d)
{
	struct frame *f = frame_of(virt_mfn(page));
	u32 refs = FRAME_ALLOC | 1;

	BUG_ON(f->owner != d->id || !(f->flags & FRAME_SHARED));
	spin_lock(&d->memory.lock);
	if (!__atomic_compare_exchange_n(&f->refs, &refs, 0, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
		spin_unlock(&d->memory.lock);
		return -EBUSY;
	}
	/* Mappings that write have a type reference and no general one. */
	if (!frame_type_unshare(f)) {
		__atomic_store_n(&f->refs, FRAME_ALLOC | 1, __ATOMIC_RELEASE);
		spin_unlock(&d->memory.lock);
		return -EBUSY;
	}
	frame_disown(d, f);
	spin_unlock(&d->memory.lock);
	f->type = 0;
	f->owner = DOMID_XEN;
	f->tlb_stamp = tlb_stamp_now();
	m2p_set(frame_mfn(f), M2P_INVALID);
	/* The page is the hypervisor's alone from now on: nobody may reach it through an old translation. */
	tlb_stamp_flush(f->tlb_stamp);
	return 0;
}

void frame_share_end(void *page, struct domain *d)
{
	struct frame *f = frame_of(virt_mfn(page));

	BUG_ON(f->owner != d->id || !(f->flags & FRAME_SHARED));
	spin_lock(&d->memory.lock);
	frame_disown(d, f);
	spin_unlock(&d->memory.lock);
	frame_type_share_end(f);
	__atomic_fetch_and(&f->refs, ~FRAME_ALLOC, __ATOMIC_ACQ_REL);
	frame_put(f);
}

/* --- the whole --- */

int domain_memory_init(struct domain *d)
{
	static u64 serials;

	spin_init(&d->memory.lock, LOCK_DOMFRAMES);
	d->memory.serial = __atomic_add_fetch(&serials, 1, __ATOMIC_RELAXED);
	return 0;
}

void domain_memory_destroy(struct domain *d)
{
	if (domain_claim_set(d, 0) != 0)
		BUG();
	hv_free(d->memory.map);
	hv_free(d->memory.exchange);
	d->memory.map = NULL;
	BUG_ON(d->memory.first != 0 || d->memory.pages != 0 || d->memory.shared != 0);
}

int domain_memory_relinquish(struct domain *d, u32 count)
{
	while (count-- > 0) {
		struct frame *f;
		u32 had;

		spin_lock(&d->memory.lock);
		if (d->memory.first == 0) {
			spin_unlock(&d->memory.lock);
			return 0;
		}
		f = frame_of(mfn(d->memory.first));
		/* With no reference left another CPU is about to take it off the list. */
		if (!frame_get(f, NULL)) {
			spin_unlock(&d->memory.lock);
			return -ERESTART;
		}
		frame_disown(d, f);
		had = __atomic_fetch_and(&f->refs, ~FRAME_ALLOC, __ATOMIC_ACQ_REL);
		/* Again, behind a fence: a type that another CPU gave it meanwhile may still name the domain. */
		if (READ_ONCE(f->type) != 0)
			frame_type_owner_set(f, DOMID_INVALID);
		spin_unlock(&d->memory.lock);
		if (had & FRAME_ALLOC)
			frame_put(f);
		frame_put(f);
	}
	return -ERESTART;
}

u32 domain_frame_next(struct domain *d, u32 after)
{
	u32 next;

	spin_lock(&d->memory.lock);
	if (after == 0)
		next = d->memory.first;
	else if (frame_valid(mfn(after)) && frame_of(mfn(after))->owner == d->id && !(frame_of(mfn(after))->flags & FRAME_SHARED))
		next = frame_of(mfn(after))->next;
	else
		next = 0;
	spin_unlock(&d->memory.lock);
	return next;
}

int domain_claim_set(struct domain *d, u64 pages)
{
	u64 more;
	int rc = 0;

	spin_lock(&d->memory.lock);
	spin_lock(&heap.lock);
	if (pages == 0) {
		heap.claimed -= d->memory.claim;
		d->memory.claim = 0;
	} else if (d->memory.claim != 0 || pages < d->memory.pages || pages > d->memory.max) {
		rc = -EINVAL;
	} else {
		more = pages - d->memory.pages;
		if (heap.free - MIN(heap.claimed, heap.free) < more) {
			rc = -ENOMEM;
		} else {
			d->memory.claim = more;
			heap.claimed += more;
		}
	}
	spin_unlock(&heap.lock);
	spin_unlock(&d->memory.lock);
	return rc;
}
