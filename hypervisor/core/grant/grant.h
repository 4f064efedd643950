/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to core/grant. Status codes (GNTST_*) are what most of these functions return: 0 is GNTST_okay, the rest negative. */
#ifndef CORE_GRANT_GRANT_H
#define CORE_GRANT_GRANT_H

#include <hv/domain.h>
#include <hv/frame.h>
#include <hv/grant.h>
#include <xen/grant_table.h>

#define V1_PER_FRAME ((u32)(PAGE_SIZE / sizeof(grant_entry_v1_t)))
#define V2_PER_FRAME ((u32)(PAGE_SIZE / sizeof(grant_entry_v2_t)))
#define STATUS_PER_FRAME ((u32)(PAGE_SIZE / sizeof(grant_status_t)))
#define ACTIVE_PER_CHUNK 64u
#define TRACKS_PER_PAGE ((u32)(PAGE_SIZE / sizeof(struct grant_track)))

/* A granted page in use: how often, and the frame that is held for it. */
struct grant_active {
	mfn_t frame;
	u32 readers, writers;	/* mappings and copies in progress; writers hold a writable type reference each */
	u16 grantee;		/* while readers + writers > 0 */
	u16 start, length;	/* bytes of the page that may be copied */
	u16 sub_page;
	u16 pad;
};

/* A mapping that a domain holds. Index = handle. */
struct grant_track {
	struct domain *granter;	/* a reference is held; NULL: free */
	u32 ref;		/* free: next free handle + 1, 0 = none */
	u16 flags;		/* GNTMAP_host_map, _device_map that are live; _readonly, _contains_pte ... as mapped */
	u16 busy;		/* an unmap is in progress */
};

struct grant_table {
	struct spinlock lock;	/* LOCK_GRANT: all but the track fields */
	u32 version, max_version;
	u32 nr_frames, max_frames, nr_status;
	u32 active_count;	/* entries with readers or writers */
	void **shared;		/* max_frames pages */
	void **status;		/* pages of grant_status_t, version 2 */
	struct grant_active **active;	/* chunks, allocated with first use */

	struct spinlock track_lock;	/* LOCK_GRANT_MAPTRACK */
	struct grant_track **track;	/* max_track_pages pages */
	u32 track_pages, max_track_pages;
	u32 track_free;		/* handle + 1 of the first free one */
	u32 relinquish_next;
};

static inline u32 grant_entries(const struct grant_table *t)
{
	return t->nr_frames * (t->version == 2 ? V2_PER_FRAME : V1_PER_FRAME);
}

/* --- table.c --- */
/* Grows to n shared frames (and the status frames they need). Lock held. 0, -ENOSPC, -ENOMEM. */
int grant_table_grow(struct domain *d, u32 n) must_check;
/* Changes the version: -EBUSY while grants are in use. Lock held. */
int grant_version_set(struct domain *d, u32 version) must_check;
/* The active entry of a ref in range, NULL when out of memory; lock held. */
struct grant_active *grant_active_get(struct grant_table *t, u32 ref);
grant_entry_v1_t *grant_v1(const struct grant_table *t, u32 ref);
grant_entry_v2_t *grant_v2(const struct grant_table *t, u32 ref);
grant_status_t *grant_status_word(const struct grant_table *t, u32 ref);

/* --- entry.c --- */
struct grant_hold {
	mfn_t frame;
	u16 start, length;
};
/*
 * Uses a grant of `d` on behalf of `grantee`: checks and marks the shared entry, takes references on the frame. Takes d's grant lock.
 * whole: the grant must be of a full page (mapping).
 */
int grant_acquire(struct vcpu *actor, struct domain *d, u32 ref, domid_t grantee, bool readonly, bool whole,
		  struct grant_hold *out) must_check;
void grant_release(struct domain *d, u32 ref, bool readonly);

/* --- map.c, copy.c: one element each --- */
void grant_map(struct vcpu *v, struct gnttab_map_grant_ref *op);
/* Unmaps a batch: entries first, then one flush, then the grants are released. */
struct grant_unmap {
	u64 host_addr, dev_bus_addr, new_addr;
	u32 handle;
	int status;
	struct domain *granter;
	u32 ref;
	u16 flags;
};
void grant_unmap_batch(struct vcpu *v, struct grant_unmap *u, u32 count);
int grant_copy(struct vcpu *v, const struct gnttab_copy *op);

#endif
