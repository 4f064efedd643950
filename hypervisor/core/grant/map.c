/* SPDX-License-Identifier: BSD-2-Clause */
/* Mapping grants into the actor's address space, and the handles that stand for mappings. */
#include <hv/errno.h>
#include <hv/guest.h>
#include <hv/tlb.h>
#include "grant.h"

#define LIVE_FLAGS ((u16)(GNTMAP_host_map | GNTMAP_device_map))
/* What an unmapping, which has no flags of its own, has to know of the mapping. */
#define KEPT_FLAGS (LIVE_FLAGS | GNTMAP_readonly | GNTMAP_application_map | GNTMAP_contains_pte)

static struct grant_track *track_of(const struct grant_table *t, u32 handle)
{
	u32 count = t->track_pages * TRACKS_PER_PAGE;

	if (handle >= count)
		return NULL;
	handle = (u32)index_clamp(handle, count);
	return &t->track[handle / TRACKS_PER_PAGE][handle % TRACKS_PER_PAGE];
}

static bool track_grow(struct grant_table *t)
{
	u32 first = t->track_pages * TRACKS_PER_PAGE;
	struct grant_track *page;

	if (t->track_pages == t->max_track_pages)
		return false;
	page = page_alloc();
	if (!page)
		return false;
	for (u32 i = 0; i + 1 < TRACKS_PER_PAGE; i++)
		page[i].ref = first + i + 2;
	t->track[t->track_pages++] = page;
	t->track_free = first + 1;
	return true;
}

/* Takes a free handle; it is not valid until track_publish. */
static bool track_alloc(struct grant_table *t, u32 *handle)
{
	bool ok;

	spin_lock(&t->track_lock);
	ok = t->track_free || track_grow(t);
	if (ok) {
		struct grant_track *k = track_of(t, t->track_free - 1);

		*handle = t->track_free - 1;
		t->track_free = k->ref;
	}
	spin_unlock(&t->track_lock);
	return ok;
}

static void track_free(struct grant_table *t, u32 handle)
{
	struct grant_track *k = track_of(t, handle);

	k->granter = NULL;
	k->flags = 0;
	k->ref = t->track_free;
	t->track_free = handle + 1;
}

static int map_one(struct vcpu *v, struct gnttab_map_grant_ref *op, struct domain *granter, u32 handle)
{
	struct grant_table *t = v->domain->grants;
	bool readonly = op->flags & GNTMAP_readonly;
	u32 holds = ((op->flags & GNTMAP_host_map) != 0) + ((op->flags & GNTMAP_device_map) != 0);
	struct grant_hold hold;
	struct grant_track *k;
	u32 done;
	int rc = GNTST_okay;

	for (done = 0; done < holds; done++) {
		rc = grant_acquire(v, granter, op->ref, v->domain->id, readonly, true, &hold);
		if (rc)
			break;
	}
	if (!rc && (op->flags & GNTMAP_host_map))
		rc = grant_host_ops->map(v, op->host_addr, hold.frame, op->flags);
	if (rc) {
		while (done--)
			grant_release(granter, op->ref, readonly);
		return rc;
	}
	spin_lock(&t->track_lock);
	k = track_of(t, handle);
	domain_get(granter);
	k->ref = op->ref;
	k->flags = (u16)(op->flags & KEPT_FLAGS);
	k->granter = granter;
	spin_unlock(&t->track_lock);
	op->handle = handle;
	op->dev_bus_addr = mfn_paddr(hold.frame).v;
	return GNTST_okay;
}

void grant_map(struct vcpu *v, struct gnttab_map_grant_ref *op)
{
	struct grant_table *t = v->domain->grants;
	struct domain *granter;
	u32 handle = 0;
	int rc;

	if (!(op->flags & LIVE_FLAGS)) {
		op->status = GNTST_bad_gntref;
		return;
	}
	granter = domain_get_by_any_id(v, op->dom);
	if (!granter) {
		op->status = GNTST_bad_domain;
		return;
	}
	if (!granter->grants) {
		rc = GNTST_bad_domain;
	} else if (!track_alloc(t, &handle)) {
		rc = GNTST_no_space;
	} else {
		rc = map_one(v, op, granter, handle);
		if (rc) {
			spin_lock(&t->track_lock);
			track_free(t, handle);
			spin_unlock(&t->track_lock);
		}
	}
	op->status = (s16)rc;
	domain_put(granter);
}

/* Claims a handle for unmapping: nobody else can unmap it meanwhile. Which parts: by the addresses given. */
static int track_claim(struct grant_table *t, struct grant_unmap *u)
{
	u16 want = (u16)((u->host_addr ? GNTMAP_host_map : 0) | (u->dev_bus_addr ? GNTMAP_device_map : 0));
	int rc = GNTST_okay;
	struct grant_track *k;

	spin_lock(&t->track_lock);
	k = track_of(t, u->handle);
	if (!k || !k->granter || k->busy) {
		rc = GNTST_bad_handle;
	} else {
		u->flags = (u16)((k->flags & want) | (k->flags & ~LIVE_FLAGS));
		u->granter = k->granter;
		u->ref = k->ref;
		k->busy = 1;
	}
	spin_unlock(&t->track_lock);
	return rc;
}

/* Ends the claim: the parts of u->flags are gone; with none left, so is the handle. */
static void track_unclaim(struct grant_table *t, const struct grant_unmap *u)
{
	struct domain *put = NULL;
	struct grant_track *k;

	spin_lock(&t->track_lock);
	k = track_of(t, u->handle);
	k->busy = 0;
	k->flags = (u16)(k->flags & ~(u->flags & LIVE_FLAGS));
	if (!(k->flags & LIVE_FLAGS)) {
		put = k->granter;
		track_free(t, u->handle);
	}
	spin_unlock(&t->track_lock);
	if (put)
		domain_put(put);
}

/* The page-table half: leaves in u->flags what was really unmapped. */
static void unmap_entry(struct vcpu *v, struct grant_unmap *u)
{
	const struct grant_table *t = v->domain->grants;
	struct grant_hold hold = { .frame = INVALID_MFN };
	const struct grant_active *a;

	spin_lock(&u->granter->grants->lock);
	a = grant_active_get(u->granter->grants, u->ref);
	hold.frame = a->frame;
	spin_unlock(&u->granter->grants->lock);
	(void)t;
	if ((u->flags & GNTMAP_device_map) && u->dev_bus_addr != mfn_paddr(hold.frame).v) {
		u->status = GNTST_bad_dev_addr;
		u->flags = 0;
		return;
	}
	if (u->flags & GNTMAP_host_map) {
		u->status = grant_host_ops->unmap(v, u->host_addr, u->new_addr, hold.frame, u->flags);
		if (u->status)
			u->flags = 0;
	}
}

void grant_unmap_batch(struct vcpu *v, struct grant_unmap *u, u32 count)
{
	struct grant_table *t = v->domain->grants;
	bool flush = false;

	for (u32 i = 0; i < count; i++) {
		u[i].granter = NULL;
		u[i].status = track_claim(t, &u[i]);
		if (u[i].status)
			continue;
		unmap_entry(v, &u[i]);
		flush |= (u[i].flags & GNTMAP_host_map) != 0;
	}
	/* No CPU may still reach a page by an old translation when its owner gets it back. */
	if (flush)
		tlb_flush_mask(&v->domain->dirty_cpus);
	for (u32 i = 0; i < count; i++) {
		bool readonly = u[i].flags & GNTMAP_readonly;

		if (!u[i].granter)
			continue;
		if (u[i].flags & GNTMAP_host_map)
			grant_release(u[i].granter, u[i].ref, readonly);
		if (u[i].flags & GNTMAP_device_map)
			grant_release(u[i].granter, u[i].ref, readonly);
		track_unclaim(t, &u[i]);
	}
}
