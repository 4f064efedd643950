/* SPDX-License-Identifier: BSD-2-Clause */
/* A domain's grant table: its shared pages, growth, versions, life and death. */
#include <hv/cmdline.h>
#include <hv/errno.h>
#include <hv/guest.h>
#include <hv/log.h>
#include <hv/softirq.h>
#include <hv/string.h>
#include "grant.h"

static u64 opt_max_frames = 64;
static u64 opt_max_maptrack_frames = 1024;

BOOT_OPTION_U64("gnttab_max_frames", opt_max_frames, "Most pages of grant table a domain may have.");
BOOT_OPTION_U64("gnttab_max_maptrack_frames", opt_max_maptrack_frames, "Most pages of mapping handles a domain may have.");

#define FRAMES_LIMIT 4096u

grant_entry_v1_t *grant_v1(const struct grant_table *t, u32 ref)
{
	return (grant_entry_v1_t *)t->shared[ref / V1_PER_FRAME] + ref % V1_PER_FRAME;
}

grant_entry_v2_t *grant_v2(const struct grant_table *t, u32 ref)
{
	return (grant_entry_v2_t *)t->shared[ref / V2_PER_FRAME] + ref % V2_PER_FRAME;
}

grant_status_t *grant_status_word(const struct grant_table *t, u32 ref)
{
	return (grant_status_t *)t->status[ref / STATUS_PER_FRAME] + ref % STATUS_PER_FRAME;
}

struct grant_active *grant_active_get(struct grant_table *t, u32 ref)
{
	struct grant_active **chunk = &t->active[ref / ACTIVE_PER_CHUNK];

	if (unlikely(!*chunk))
		*chunk = hv_alloc(ACTIVE_PER_CHUNK * sizeof(**chunk));
	return *chunk ? &(*chunk)[ref % ACTIVE_PER_CHUNK] : NULL;
}

static u32 status_frames_needed(u32 frames)
{
	return (frames * V2_PER_FRAME + STATUS_PER_FRAME - 1) / STATUS_PER_FRAME;
}

/* Pages for [from, to) of a list: all of them, or none and false. */
static bool pages_alloc(void **list, u32 from, u32 to)
{
	for (u32 i = from; i < to; i++) {
		list[i] = page_alloc();
		if (list[i])
			continue;
		while (i-- > from) {
			page_free(list[i]);
			list[i] = NULL;
		}
		return false;
	}
	return true;
}

/* Grows to so many frames and status frames; when memory is short nothing changes. Lock held. */
static int tables_grow(struct domain *d, u32 frames, u32 status)
{
	struct grant_table *t = d->grants;

	if (!pages_alloc(t->status, t->nr_status, status))
		return -ENOMEM;
	if (!pages_alloc(t->shared, t->nr_frames, frames)) {
		for (u32 i = t->nr_status; i < status; i++) {
			page_free(t->status[i]);
			t->status[i] = NULL;
		}
		return -ENOMEM;
	}
	/* Guests have no need to write to the status frames, but kernels map them so. */
	for (; t->nr_status < status; t->nr_status++)
		frame_share(t->status[t->nr_status], d, true);
	for (; t->nr_frames < frames; t->nr_frames++)
		frame_share(t->shared[t->nr_frames], d, true);
	return 0;
}

int grant_table_grow(struct domain *d, u32 n)
{
	struct grant_table *t = d->grants;

	if (n > t->max_frames)
		return -ENOSPC;
	return tables_grow(d, n, t->version == 2 ? status_frames_needed(n) : 0);
}

/* Takes back the status pages; all or nothing: -EBUSY while the guest maps one. */
static int status_drop(struct domain *d)
{
	struct grant_table *t = d->grants;
	u32 left = t->nr_status;

	while (left && frame_unshare(t->status[left - 1], d) == 0)
		left--;
	if (left) {
		for (u32 i = left; i < t->nr_status; i++)
			frame_share(t->status[i], d, true);
		return -EBUSY;
	}
	while (t->nr_status) {
		page_free(t->status[--t->nr_status]);
		t->status[t->nr_status] = NULL;
	}
	return 0;
}

/* The reserved entries (console, xenstore) survive a change of version; all others become invalid. */
static void entries_convert(struct grant_table *t, u32 version)
{
	struct { u16 flags, domid; u64 frame; } keep[GNTTAB_NR_RESERVED_ENTRIES];

	for (u32 i = 0; i < GNTTAB_NR_RESERVED_ENTRIES; i++) {
		if (t->version == 2) {
			grant_entry_v2_t *e = grant_v2(t, i);

			keep[i].flags = READ_ONCE(e->hdr.flags) & (GTF_type_mask | GTF_readonly);
			keep[i].domid = READ_ONCE(e->hdr.domid);
			keep[i].frame = READ_ONCE(e->full_page.frame);
		} else {
			grant_entry_v1_t *e = grant_v1(t, i);

			keep[i].flags = READ_ONCE(e->flags) & (GTF_type_mask | GTF_readonly);
			keep[i].domid = READ_ONCE(e->domid);
			keep[i].frame = READ_ONCE(e->frame);
		}
	}
	for (u32 i = 0; i < t->nr_frames; i++)
		memset(t->shared[i], 0, PAGE_SIZE);
	for (u32 i = 0; i < t->nr_status; i++)
		memset(t->status[i], 0, PAGE_SIZE);
	t->version = version;
	for (u32 i = 0; i < GNTTAB_NR_RESERVED_ENTRIES; i++) {
		if ((keep[i].flags & GTF_type_mask) != GTF_permit_access)
			continue;
		if (version == 2) {
			grant_v2(t, i)->full_page.frame = keep[i].frame;
			grant_v2(t, i)->hdr.domid = keep[i].domid;
			WRITE_ONCE(grant_v2(t, i)->hdr.flags, keep[i].flags);
		} else if (keep[i].frame <= UINT32_MAX) {
			grant_v1(t, i)->frame = (u32)keep[i].frame;
			grant_v1(t, i)->domid = keep[i].domid;
			WRITE_ONCE(grant_v1(t, i)->flags, keep[i].flags);
		}
	}
}

int grant_version_set(struct domain *d, u32 version)
{
	struct grant_table *t = d->grants;
	int rc;

	if (version != 1 && version != 2)
		return -EINVAL;
	if (version > t->max_version)
		return -ENOSYS;
	if (version == t->version)
		return 0;
	if (t->active_count)
		return -EBUSY;
	if (version == 2)
		rc = tables_grow(d, MAX(t->nr_frames, 1u), status_frames_needed(MAX(t->nr_frames, 1u)));
	else
		rc = status_drop(d);
	if (rc)
		return rc;
	entries_convert(t, version);
	return 0;
}

static void table_free(struct grant_table *t)
{
	u32 chunks = t->max_frames * V1_PER_FRAME / ACTIVE_PER_CHUNK;

	for (u32 i = 0; t->active && i < chunks; i++)
		hv_free(t->active[i]);
	for (u32 i = 0; t->track && i < t->track_pages; i++)
		page_free(t->track[i]);
	hv_free(t->active);
	hv_free(t->track);
	hv_free(t->shared);
	hv_free(t->status);
	hv_free(t);
}

static u32 frames_limit(void)
{
	return (u32)MAX(MIN(opt_max_frames, FRAMES_LIMIT), 1u);
}

static u32 track_limit(void)
{
	return (u32)MIN(opt_max_maptrack_frames, FRAMES_LIMIT * 16);
}

int grant_table_create(struct domain *d, u32 max_frames, u32 max_maptrack, u32 max_version)
{
	struct grant_table *t;

	if (max_version > 2 || (max_frames != UINT32_MAX && max_frames > frames_limit()) ||
	    (max_maptrack != UINT32_MAX && max_maptrack > track_limit()))
		return -EINVAL;
	t = hv_alloc(sizeof(*t));
	if (!t)
		return -ENOMEM;
	spin_init(&t->lock, LOCK_GRANT);
	spin_init(&t->track_lock, LOCK_GRANT_MAPTRACK);
	t->version = 1;
	t->max_version = max_version;
	t->max_frames = max_frames == UINT32_MAX ? frames_limit() : MAX(max_frames, 1u);
	/* Version 0: a table that never gets a frame, so that no reference is good. */
	if (!max_version)
		t->max_frames = 0;
	t->max_track_pages = max_maptrack == UINT32_MAX ? track_limit() : max_maptrack;
	t->shared = hv_alloc(MAX(t->max_frames, 1u) * sizeof(void *));
	t->status = hv_alloc(status_frames_needed(MAX(t->max_frames, 1u)) * sizeof(void *));
	t->active = hv_alloc(MAX(t->max_frames, 1u) * V1_PER_FRAME / ACTIVE_PER_CHUNK * sizeof(void *));
	t->track = hv_alloc(MAX(t->max_track_pages, 1u) * sizeof(void *));
	if (!t->shared || !t->status || !t->active || !t->track) {
		table_free(t);
		return -ENOMEM;
	}
	d->grants = t;
	return 0;
}

static void track_relinquish(struct grant_track *k)
{
	struct domain *granter = k->granter;

	if (!granter)
		return;
	k->granter = NULL;
	if (k->flags & GNTMAP_host_map)
		grant_release(granter, k->ref, k->flags & GNTMAP_readonly);
	if (k->flags & GNTMAP_device_map)
		grant_release(granter, k->ref, k->flags & GNTMAP_readonly);
	domain_put(granter);
}

int grant_table_relinquish(struct vcpu *actor, struct domain *d)
{
	struct grant_table *t = d->grants;

	(void)actor;
	if (!t)
		return 0;
	/* The domain runs no more: nobody maps or unmaps beside us. Its page-table entries hold references of their own. */
	while (t->relinquish_next < t->track_pages * TRACKS_PER_PAGE) {
		u32 handle = t->relinquish_next++;

		track_relinquish(&t->track[handle / TRACKS_PER_PAGE][handle % TRACKS_PER_PAGE]);
		if (handle % 64 == 63 && preempt_needed())
			return -ERESTART;
	}
	return 0;
}

/* Last reference to the domain is gone. A page that another domain still maps goes with that mapping. */
void grant_table_free(struct domain *d)
{
	struct grant_table *t = d->grants;

	if (!t)
		return;
	for (u32 i = 0; i < t->nr_frames; i++)
		frame_share_end(t->shared[i], d);
	for (u32 i = 0; i < t->nr_status; i++)
		frame_share_end(t->status[i], d);
	table_free(t);
	d->grants = NULL;
}

u32 grant_table_frames_max(struct domain *d, bool status)
{
	return status ? status_frames_needed(d->grants->max_frames) : d->grants->max_frames;
}

mfn_t grant_table_frame(struct domain *d, u32 idx, bool status)
{
	struct grant_table *t = d->grants;
	mfn_t m = INVALID_MFN;

	spin_lock(&t->lock);
	if (status) {
		if (t->version == 2 && idx < status_frames_needed(t->max_frames) &&
		    (idx < t->nr_status ||
		     !grant_table_grow(d, MIN((idx + 1) * (STATUS_PER_FRAME / V2_PER_FRAME), t->max_frames))))
			m = virt_mfn(t->status[index_clamp(idx, t->nr_status)]);
	} else if (idx < t->max_frames && (idx < t->nr_frames || !grant_table_grow(d, idx + 1))) {
		m = virt_mfn(t->shared[index_clamp(idx, t->nr_frames)]);
	}
	spin_unlock(&t->lock);
	return m;
}

void grant_dump(struct domain *d)
{
	struct grant_table *t = d->grants;
	u32 entries;

	spin_lock(&t->lock);
	entries = grant_entries(t);
	log_info("d%u: grant table v%u, %u of %u frames, %u entries in use, %u track pages\n", d->id, t->version,
		 t->nr_frames, t->max_frames, t->active_count, t->track_pages);
	for (u32 ref = 0; ref < entries; ref++) {
		const struct grant_active *chunk = t->active[ref / ACTIVE_PER_CHUNK];
		const struct grant_active *a = chunk ? &chunk[ref % ACTIVE_PER_CHUNK] : NULL;

		if (a && a->readers + a->writers)
			log_info("  ref %u -> d%u frame %lx readers %u writers %u\n", ref, a->grantee, a->frame.v, a->readers,
				 a->writers);
	}
	spin_unlock(&t->lock);
}
