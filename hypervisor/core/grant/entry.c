/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Using and releasing one grant. The shared entry is written by its domain at any time, so it is read once, and marked with a
 * compare-and-swap on what was read.
 */
#include <hv/dirty_log.h>
#include <hv/guest.h>
#include <hv/log.h>
#include "grant.h"

/* A domain that keeps changing an entry while it is being used only fails itself. */
#define TRIES 8

/* What a shared entry says, once it has been accepted. */
struct shared_entry {
	u64 frame;
	u16 start, length;
	bool sub_page;
};

static int header_check(u16 flags, u16 domid, domid_t grantee, bool readonly)
{
	if ((flags & GTF_type_mask) != GTF_permit_access || domid != grantee)
		return GNTST_general_error;
	if (!readonly && (flags & GTF_readonly))
		return GNTST_general_error;
	return GNTST_okay;
}

/* Sets GTF_reading (and GTF_writing) in a version 1 entry whose header still allows it. */
static int v1_mark(const struct grant_table *t, u32 ref, domid_t grantee, bool readonly, struct shared_entry *out)
{
	grant_entry_v1_t *e = grant_v1(t, ref);
	u32 *word = (u32 *)(void *)&e->flags;	/* flags in the low half, domid in the high half */
	u16 mark = readonly ? GTF_reading : GTF_reading | GTF_writing;

	for (unsigned int i = 0; i < TRIES; i++) {
		u32 old = READ_ONCE(*word);
		int rc = header_check((u16)old, (u16)(old >> 16), grantee, readonly);

		if (rc)
			return rc;
		if (__atomic_compare_exchange_n(word, &old, old | mark, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
			*out = (struct shared_entry){ .frame = READ_ONCE(e->frame), .length = PAGE_SIZE };
			return GNTST_okay;
		}
	}
	return GNTST_general_error;
}

/* Version 2: marks are in the status word; the header is checked again after they are set. */
static int v2_mark(const struct grant_table *t, u32 ref, domid_t grantee, bool readonly, struct shared_entry *out)
{
	grant_entry_v2_t *e = grant_v2(t, ref);
	u32 *word = (u32 *)(void *)&e->hdr;
	grant_status_t *status = grant_status_word(t, ref);
	u16 mark = readonly ? GTF_reading : GTF_reading | GTF_writing;
	u32 hdr = READ_ONCE(*word);
	int rc = header_check((u16)hdr, (u16)(hdr >> 16), grantee, readonly);
	u16 old;

	if (rc)
		return rc;
	old = __atomic_fetch_or(status, mark, __ATOMIC_SEQ_CST);
	hdr = READ_ONCE(*word);
	rc = header_check((u16)hdr, (u16)(hdr >> 16), grantee, readonly);
	if (rc) {
		__atomic_fetch_and(status, (u16)~(mark & ~old), __ATOMIC_SEQ_CST);
		return rc;
	}
	if (hdr & GTF_sub_page) {
		*out = (struct shared_entry){
			.frame = READ_ONCE(e->sub_page.frame),
			.start = READ_ONCE(e->sub_page.page_off),
			.length = READ_ONCE(e->sub_page.length),
			.sub_page = true,
		};
		if (out->start >= PAGE_SIZE || out->length > PAGE_SIZE - out->start)
			out->length = 0;
	} else {
		*out = (struct shared_entry){ .frame = READ_ONCE(e->full_page.frame), .length = PAGE_SIZE };
	}
	return GNTST_okay;
}

static void unmark(const struct grant_table *t, u32 ref, u16 flags)
{
	if (t->version == 2)
		__atomic_fetch_and(grant_status_word(t, ref), (u16)~flags, __ATOMIC_SEQ_CST);
	else
		__atomic_fetch_and(&grant_v1(t, ref)->flags, (u16)~flags, __ATOMIC_SEQ_CST);
}

/* One more user of an entry that is in use already: the frame stays what it was. */
static int again(struct vcpu *actor, struct grant_table *t, u32 ref, struct grant_active *a, domid_t grantee, bool readonly,
		 bool whole)
{
	struct shared_entry e;
	struct frame *f = frame_of(a->frame);
	int rc;

	if (a->grantee != grantee || (whole && a->sub_page))
		return GNTST_general_error;
	if (a->readers + a->writers == UINT16_MAX)
		return GNTST_no_space;
	if (!readonly && !a->writers) {
		if (!frame_get_writable(actor, f, frame_owner(f)))
			return GNTST_general_error;
		rc = t->version == 2 ? v2_mark(t, ref, grantee, false, &e) : v1_mark(t, ref, grantee, false, &e);
		if (rc) {
			frame_put_writable(f);
			return rc;
		}
	}
	return GNTST_okay;
}

/* The first user: reads the entry and takes the frame. */
static int first(struct vcpu *actor, struct domain *d, u32 ref, struct grant_active *a, domid_t grantee, bool readonly,
		 bool whole)
{
	struct grant_table *t = d->grants;
	struct shared_entry e;
	struct frame *f;
	int rc;

	rc = t->version == 2 ? v2_mark(t, ref, grantee, readonly, &e) : v1_mark(t, ref, grantee, readonly, &e);
	if (rc)
		return rc;
	if ((whole && e.sub_page) || !frame_valid(mfn(e.frame)))
		goto bad;
	f = frame_of(mfn(e.frame));
	/* One reference for the entry being in use, a writable one on top for as long as there are writers. */
	if (!frame_get(f, d))
		goto bad;
	if (!readonly && !frame_get_writable(actor, f, d)) {
		frame_put(f);
		goto bad;
	}
	a->frame = mfn(e.frame);
	a->grantee = grantee;
	a->start = e.start;
	a->length = e.length;
	a->sub_page = e.sub_page;
	t->active_count++;
	return GNTST_okay;
bad:
	unmark(t, ref, readonly ? GTF_reading : GTF_reading | GTF_writing);
	return GNTST_bad_page;
}

int grant_acquire(struct vcpu *actor, struct domain *d, u32 ref, domid_t grantee, bool readonly, bool whole,
		  struct grant_hold *out)
{
	struct grant_table *t = d->grants;
	struct grant_active *a;
	int rc;

	spin_lock(&t->lock);
	if (d->life != DOMAIN_LIVE) {
		rc = GNTST_bad_domain;
		goto out;
	}
	if (ref >= grant_entries(t)) {
		rc = GNTST_bad_gntref;
		goto out;
	}
	ref = (u32)index_clamp(ref, grant_entries(t));
	a = grant_active_get(t, ref);
	if (!a) {
		rc = GNTST_no_space;
		goto out;
	}
	if (a->readers + a->writers)
		rc = again(actor, t, ref, a, grantee, readonly, whole);
	else
		rc = first(actor, d, ref, a, grantee, readonly, whole);
	if (rc)
		goto out;
	if (readonly)
		a->readers++;
	else
		a->writers++;
	*out = (struct grant_hold){ .frame = a->frame, .start = a->start, .length = a->length };
out:
	spin_unlock(&t->lock);
	return rc;
}

void grant_release(struct domain *d, u32 ref, bool readonly)
{
	struct grant_table *t = d->grants;
	struct grant_active *a;
	struct frame *f;
	bool last;

	spin_lock(&t->lock);
	a = grant_active_get(t, ref);
	f = frame_of(a->frame);
	if (readonly) {
		a->readers--;
	} else if (!--a->writers) {
		unmark(t, ref, GTF_writing);
	}
	last = !(a->readers + a->writers);
	if (last) {
		unmark(t, ref, GTF_reading);
		t->active_count--;
	}
	if (!readonly && !a->writers)
		frame_put_writable(f);
	spin_unlock(&t->lock);
	if (last)
		frame_put(f);
}

u32 grant_writers_mark(struct domain *d, u32 from, u32 count)
{
	struct grant_table *t = d->grants;
	u32 end, next;

	spin_lock(&t->lock);
	end = MIN(grant_entries(t), from + count);
	for (u32 ref = from; ref < end; ref++) {
		const struct grant_active *chunk = t->active[ref / ACTIVE_PER_CHUNK];

		if (chunk && chunk[ref % ACTIVE_PER_CHUNK].writers)
			dirty_log_mark(frame_of(chunk[ref % ACTIVE_PER_CHUNK].frame));
	}
	next = end < grant_entries(t) ? end : 0;
	spin_unlock(&t->lock);
	return next;
}
