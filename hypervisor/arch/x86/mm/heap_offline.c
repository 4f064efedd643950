/* SPDX-License-Identifier: BSD-2-Clause */
/* Page offlining: frames that failed, or are about to, are not handed out any more. */
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/frame.h>
#include <hv/lock.h>
#include <xen/sysctl.h>

#include "heap.h"

/*
 * The flags of a frame in use are its owner's (LOCK_DOMFRAMES), those of a free frame the heap's. A frame may change between the
 * two while we look: then the caller tries again.
 */
static u32 owned_offline(struct domain *d, struct frame *f, u8 bits)
{
	u32 status = PG_OFFLINE_AGAIN;

	spin_lock(&d->memory.lock);
	if (f->owner == d->id) {
		f->flags |= bits;
		status = PG_OFFLINE_PENDING | PG_OFFLINE_OWNED | (u32)d->id << PG_OFFLINE_OWNER_SHIFT;
		if (d->privileged)
			status |= PG_OFFLINE_DOM0PAGE;
	}
	spin_unlock(&d->memory.lock);
	return status;
}

static u32 free_offline(struct frame *f, u8 bits)
{
	u32 status;

	spin_lock(&heap.lock);
	if (f->flags & FRAME_OFFLINE) {
		f->flags |= bits;
		status = PG_OFFLINE_OFFLINED;
	} else if (heap_frame_isolate(frame_mfn(f).v)) {
		f->flags |= bits;
		heap.offlined++;
		status = PG_OFFLINE_OFFLINED;
	} else if (f->refs != 0) {
		/* Its domain has gone, and somebody still maps it. */
		f->flags |= bits;
		status = PG_OFFLINE_PENDING | PG_OFFLINE_ANONYMOUS;
	} else {
		status = PG_OFFLINE_FAILED | PG_OFFLINE_XENPAGE | DOMID_XEN << PG_OFFLINE_OWNER_SHIFT;
	}
	spin_unlock(&heap.lock);
	return status;
}

int heap_frame_offline(mfn_t m, bool broken, u32 *status)
{
	u8 bits = (u8)(FRAME_OFFLINE | (broken ? FRAME_BROKEN : 0));
	struct domain *d;

	*status = PG_OFFLINE_INVALID | PG_OFFLINE_FAILED | PG_OFFLINE_NOT_CONV_RAM;
	if (!frame_valid(m))
		return -EINVAL;
	d = frame_owner(frame_of(m));
	*status = d != NULL ? owned_offline(d, frame_of(m), bits) : free_offline(frame_of(m), bits);
	if (broken)
		*status |= PG_OFFLINE_BROKEN;
	if (*status & PG_OFFLINE_FAILED)
		return -EPERM;
	return *status & PG_OFFLINE_AGAIN ? -EAGAIN : 0;
}

int heap_frame_online(mfn_t m, u32 *status)
{
	struct frame *f;
	struct domain *d;
	int rc = -EINVAL;

	*status = PG_ONLINE_FAILED;
	if (!frame_valid(m))
		return -EINVAL;
	f = frame_of(m);
	d = frame_owner(f);
	if (f->flags & FRAME_BROKEN) {
		*status |= PG_ONLINE_BROKEN;
		return -EINVAL;
	}
	if (d != NULL) {
		spin_lock(&d->memory.lock);
		if (f->owner == d->id && (f->flags & FRAME_OFFLINE)) {
			f->flags &= (u8)~FRAME_OFFLINE;
			rc = 0;
		}
		spin_unlock(&d->memory.lock);
	} else {
		spin_lock(&heap.lock);
		if (f->flags & FRAME_OFFLINE) {
			f->flags &= (u8)~FRAME_OFFLINE;
			if (f->refs == 0) {
				heap.offlined--;
				heap_frame_insert(m.v);
			}
			rc = 0;
		}
		spin_unlock(&heap.lock);
	}
	if (rc == 0)
		*status = PG_ONLINE_ONLINED;
	return rc;
}

u32 heap_frame_offline_status(mfn_t m)
{
	const struct frame *f = frame_of(m);
	u32 status;

	if (!frame_valid(m))
		return PG_OFFLINE_INVALID;
	if (!(f->flags & FRAME_OFFLINE))
		return PG_OFFLINE_STATUS_ONLINE;
	status = f->refs != 0 ? PG_OFFLINE_STATUS_OFFLINE_PENDING : PG_OFFLINE_STATUS_OFFLINED;
	return f->flags & FRAME_BROKEN ? status | PG_OFFLINE_STATUS_BROKEN : status;
}
