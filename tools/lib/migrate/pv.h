/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to libargonmigrate: what saving and restoring know of PV domains. */
#ifndef MIGRATE_PV_H
#define MIGRATE_PV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "argon/ctrl.h"
#include "argon/migrate.h"
#include "stream.h"

#include <xen/domctl.h>
#include <xen/xen.h>

#define PAGE_ENTRIES	 (PAGE_BYTES / sizeof(uint64_t))
#define INVALID_FRAME	 UINT64_MAX
#define BATCH_PAGES	 1024u /* of one PAGE_DATA record, and of one call that asks for types */
/* A PV domain's pseudo-physical numbers reach no further than this: 16 TiB. */
#define PFN_LIMIT	 (UINT64_C(1) << 32)

/* Type of a page, as in streams: XEN_DOMCTL_PFINFO_* >> 28. */
#define PAGE_TYPE(info) ((uint8_t)((uint32_t)(info) >> XEN_DOMCTL_PFINFO_LTAB_SHIFT))
enum { TYPE_NOTAB = 0, TYPE_L1 = 1, TYPE_L4 = 4, TYPE_PINNED = 8, TYPE_BROKEN = 13, TYPE_XALLOC = 14, TYPE_XTAB = 15 };

static inline bool type_known(uint8_t type)
{
	return type <= TYPE_L4 || (type > TYPE_PINNED && type <= (TYPE_PINNED | TYPE_L4)) || type >= TYPE_BROKEN;
}

static inline bool type_has_data(uint8_t type)
{
	return type < TYPE_BROKEN;
}

/* 1 to 4 for page tables, else 0. */
static inline unsigned int type_level(uint8_t type)
{
	return type_has_data(type) ? type & 7u : 0;
}

/* ---- Page tables: pure ---- */
#define PTE_PRESENT  1u
#define PTE_LARGE    (1u << 7)
#define PTE_FRAMES   UINT64_C(0x000ffffffffff000)
/* Entries of an L4 that are the hypervisor's. */
#define L4_HYPERVISOR_FIRST 256u
#define L4_HYPERVISOR_LAST  271u

/* Gives a frame another name; INVALID_FRAME when it has none. */
typedef uint64_t frame_rename(const void *names, uint64_t frame);

/**
 * Copy a page table, renaming the frames of present entries; those of the hypervisor become 0.
 * @return entries whose frame has no other name; they become 0
 */
unsigned int table_rename(unsigned int level, uint64_t *to, const uint64_t *from, frame_rename *rename, const void *names);

/* ---- The source's memory ---- */
struct pv_source {
	struct ctrl *ctrl;
	struct dev *dev;
	uint32_t domid;
	struct ctrl_domain_info info;
	const struct shared_info *shared;
	const uint64_t *m2p;
	size_t m2p_entries, m2p_pages;
	/* The guest's list of its frames, mapped from its memory: it may change at any time, and lie. */
	const uint64_t *p2m;
	uint64_t pages; /* length of p2m */
	size_t p2m_frames;
	uint64_t *p2m_frame; /* machine frames of p2m's pages */
};

int pv_source_open(struct ctrl *ctrl, uint32_t domid, struct pv_source *s);
void pv_source_close(struct pv_source *s);
/** Find the machine frames of the guest's P2M anew. @return 0, -ESTALE if they are others than before */
int pv_source_check(struct pv_source *s);

/* INVALID_FRAME if that pfn has no frame. */
uint64_t pv_source_frame(const struct pv_source *s, uint64_t pfn);
/* A frame_rename, with struct pv_source: machine frame to pfn. */
uint64_t pv_source_pfn(const void *source, uint64_t frame);

/* Records of the state of a domain that is stopped. */
int save_static(const struct pv_source *s, struct stream_out *out);
int save_state(const struct pv_source *s, struct stream_out *out);

/* ---- The target's memory ---- */
struct pv_target {
	struct ctrl *ctrl;
	struct dev *dev;
	const struct migrate_restore *options;
	struct ctrl_domain_info info;
	uint64_t pages; /* length of frames and types; 0: not known yet */
	uint64_t *frames; /* by pfn, INVALID_FRAME: none */
	uint8_t *types; /* TYPE_* */
	uint64_t *p2m_pfn; /* pfns of the pages that hold the guest's P2M */
	size_t p2m_frames;
	uint64_t populated;
	bool have_info, verifying;
	/* State that is applied at the end. */
	struct ctrl_policy policy;
	struct xc_tsc_info tsc;
	bool have_tsc;
	struct shared_info *shared; /* NULL: not seen */
	struct pv_vcpu_state *vcpus; /* info.max_vcpu_id + 1 */
	uint64_t start_info; /* machine frame */
};

struct pv_vcpu_state {
	void *part[4]; /* of XC_X86_PV_VCPU_BASIC, EXTENDED, XSAVE, MSRS */
	size_t bytes[4];
};

int pv_target_open(struct ctrl *ctrl, const struct migrate_restore *options, struct pv_target *t);
void pv_target_close(struct pv_target *t);
/* A frame_rename, with struct pv_target: pfn to machine frame. */
uint64_t pv_target_frame(const void *target, uint64_t pfn);

/* Records; the header of r has been read, and its body follows in the stream. */
int restore_p2m_frames(struct pv_target *t, struct stream_in *in, struct record *r);
int restore_pages(struct pv_target *t, struct stream_in *in, struct record *r);
/* Others than these two, with their bodies read whole. */
int restore_state_record(struct pv_target *t, const struct record *r);
/* At the end of the stream: page tables, P2M, vCPUs. */
int restore_tables(struct pv_target *t);
int restore_state(struct pv_target *t, struct migrate_restored *out);

#endif
