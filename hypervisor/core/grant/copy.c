/* SPDX-License-Identifier: BSD-2-Clause */
/* GNTTABOP_copy: bytes between pages that are granted or the actor's own. */
#include <hv/string.h>
#include "grant.h"

/* One side of a copy. */
struct side {
	struct domain *domain;	/* reference held */
	mfn_t frame;
	u16 start, length;	/* bytes of the page that may be used */
	u32 ref;
	bool granted, writable, held;
};

static int side_take_granted(struct vcpu *v, struct side *s)
{
	struct grant_hold hold;
	int rc;

	if (!s->domain->grants)
		return GNTST_bad_domain;
	rc = grant_acquire(v, s->domain, s->ref, v->domain->id, !s->writable, false, &hold);
	if (rc)
		return rc;
	s->frame = hold.frame;
	s->start = hold.start;
	s->length = hold.length;
	s->held = true;
	return GNTST_okay;
}

/* A page named by frame number must be the actor's own. */
static int side_take_own(struct vcpu *v, struct side *s)
{
	struct frame *f;

	if (s->domain != v->domain)
		return GNTST_permission_denied;
	if (!frame_valid(s->frame))
		return GNTST_bad_page;
	f = frame_of(s->frame);
	if (s->writable ? !frame_get_writable(v, f, v->domain) : !frame_get(f, v->domain))
		return GNTST_bad_page;
	s->start = 0;
	s->length = PAGE_SIZE;
	s->held = true;
	return GNTST_okay;
}

static int side_take(struct vcpu *v, struct side *s, domid_t domid, u64 name, bool granted, bool writable)
{
	s->granted = granted;
	s->writable = writable;
	s->held = false;
	s->ref = (u32)name;
	s->frame = mfn(name);
	s->domain = domain_get_by_any_id(v, domid);
	if (!s->domain)
		return GNTST_bad_domain;
	return granted ? side_take_granted(v, s) : side_take_own(v, s);
}

static void side_drop(struct side *s)
{
	if (s->held) {
		if (s->granted)
			grant_release(s->domain, s->ref, !s->writable);
		else if (s->writable)
			frame_put_writable(frame_of(s->frame));
		else
			frame_put(frame_of(s->frame));
	}
	if (s->domain)
		domain_put(s->domain);
}

static bool side_covers(const struct side *s, u16 offset, u16 len)
{
	return offset >= s->start && (u32)offset + len <= (u32)s->start + s->length;
}

int grant_copy(struct vcpu *v, const struct gnttab_copy *op)
{
	struct side src = { 0 }, dst = { 0 };
	bool src_ref = op->flags & GNTCOPY_source_gref, dst_ref = op->flags & GNTCOPY_dest_gref;
	int rc;

	if (op->flags & ~(u32)(GNTCOPY_source_gref | GNTCOPY_dest_gref))
		return GNTST_general_error;
	if ((u32)op->source.offset + op->len > PAGE_SIZE || (u32)op->dest.offset + op->len > PAGE_SIZE)
		return GNTST_bad_copy_arg;
	rc = side_take(v, &src, op->source.domid, src_ref ? op->source.u.ref : op->source.u.gmfn, src_ref, false);
	if (!rc)
		rc = side_take(v, &dst, op->dest.domid, dst_ref ? op->dest.u.ref : op->dest.u.gmfn, dst_ref, true);
	if (!rc && (!side_covers(&src, op->source.offset, op->len) || !side_covers(&dst, op->dest.offset, op->len)))
		rc = GNTST_general_error;
	if (!rc) {
		const char *from = frame_map(src.frame);
		char *to = frame_map(dst.frame);

		memmove(to + op->dest.offset, from + op->source.offset, op->len);
		frame_unmap(to);
		frame_unmap(from);
	}
	side_drop(&dst);
	side_drop(&src);
	return rc;
}
