/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory of a PV domain that is to be saved: its P2M, found through shared_info, and the machine-to-physical table. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "argon/reason.h"
#include "pv.h"

uint64_t pv_source_frame(const struct pv_source *s, uint64_t pfn)
{
	uint64_t frame = pfn < s->pages ? ((const volatile uint64_t *)s->p2m)[pfn] : INVALID_FRAME;

	/* Linux marks what is not RAM of its own in the upper two bits. */
	return frame < s->m2p_entries ? frame : INVALID_FRAME;
}

uint64_t pv_source_pfn(const void *source, uint64_t frame)
{
	const struct pv_source *s = source;
	uint64_t pfn = frame < s->m2p_entries ? ((const volatile uint64_t *)s->m2p)[frame] : INVALID_FRAME;

	return pv_source_frame(s, pfn) == frame ? pfn : INVALID_FRAME;
}

/* ---- The list of the P2M's frames ---- */

static int lost(const char *what)
{
	return reason_set(EPROTO, "the guest's %s does not say where its memory is: it is still booting, or not a PV kernel that "
			  "can be saved", what);
}

static const uint64_t *frame_map(const struct pv_source *s, uint64_t frame)
{
	return dev_map(s->dev, s->domid, PROT_READ, 1, &frame, NULL);
}

/* Walks the guest's page tables down to the L1 entries of the addresses of its P2M. */
struct walk {
	uint64_t frame[4]; /* of the table mapped at each level, 4 to 1 */
	const uint64_t *table[4];
};

static int walk_step(const struct pv_source *s, struct walk *w, unsigned int depth, uint64_t frame)
{
	if (w->table[depth] && w->frame[depth] == frame)
		return 0;
	dev_unmap(s->dev, (void *)(uintptr_t)w->table[depth], 1);
	w->table[depth] = frame_map(s, frame);
	w->frame[depth] = frame;
	return w->table[depth] ? 0 : lost("page table");
}

static int walk_linear(const struct pv_source *s, struct walk *w, uint64_t root, uint64_t va, uint64_t *frames)
{
	for (size_t i = 0; i < s->p2m_frames; i++, va += PAGE_BYTES) {
		uint64_t frame = root;

		for (unsigned int depth = 0; depth < 4; depth++) {
			uint64_t entry;
			int rc = walk_step(s, w, depth, frame);

			if (rc)
				return rc;
			entry = ((const volatile uint64_t *)w->table[depth])[va >> (39 - 9 * depth) & 511];
			if (!(entry & PTE_PRESENT) || (depth < 3 && entry & PTE_LARGE))
				return lost("page table");
			frame = (entry & PTE_FRAMES) >> 12;
		}
		frames[i] = frame;
	}
	return 0;
}

static int frames_linear(const struct pv_source *s, uint64_t cr3, uint64_t *frames)
{
	struct walk w = { .table = { NULL } };
	int rc = walk_linear(s, &w, cr3 >> 12, s->shared->arch.p2m_vaddr, frames);

	for (unsigned int i = 0; i < 4; i++)
		dev_unmap(s->dev, (void *)(uintptr_t)w.table[i], 1);
	return rc;
}

/* The three-level tree of older kernels: a page of frames of pages of frames of the P2M's pages. */
static int frames_tree(const struct pv_source *s, uint64_t root, uint64_t *frames)
{
	const uint64_t *top = frame_map(s, root);
	int rc = top ? 0 : lost("frame list");

	for (size_t i = 0; !rc && i < s->p2m_frames; i += PAGE_ENTRIES) {
		const uint64_t *list = i / PAGE_ENTRIES < PAGE_ENTRIES ? frame_map(s, top[i / PAGE_ENTRIES]) : NULL;
		size_t count = s->p2m_frames - i < PAGE_ENTRIES ? s->p2m_frames - i : PAGE_ENTRIES;

		if (list)
			memcpy(frames + i, list, count * sizeof(*frames));
		else
			rc = lost("frame list");
		dev_unmap(s->dev, (void *)(uintptr_t)list, 1);
	}
	dev_unmap(s->dev, (void *)(uintptr_t)top, 1);
	return rc;
}

static int frames_find(const struct pv_source *s, uint64_t *frames)
{
	uint64_t cr3 = s->shared->arch.p2m_cr3, tree = s->shared->arch.pfn_to_mfn_frame_list_list;

	if (cr3)
		return frames_linear(s, cr3, frames);
	if (!tree || tree == ~UINT64_C(0))
		return lost("shared_info");
	return frames_tree(s, tree, frames);
}

/* ---- Opening ---- */

static int size_check(struct pv_source *s)
{
	s->pages = s->shared->arch.max_pfn;
	if (!s->pages)
		return lost("shared_info");
	/* More than a few times what it may own is nonsense, which would cost us memory. */
	if (s->pages >= PFN_LIMIT || s->pages > 8 * (s->info.max_pages < PFN_LIMIT ? s->info.max_pages : PFN_LIMIT) + (1u << 20))
		return reason_set(ERANGE, "the guest says that it has %llu pages, which cannot be",
				  (unsigned long long)s->pages);
	s->p2m_frames = (s->pages + PAGE_ENTRIES - 1) / PAGE_ENTRIES;
	return 0;
}

static int source_map(struct pv_source *s)
{
	int rc;

	s->shared = (const struct shared_info *)frame_map(s, s->info.shared_info_frame);
	if (!s->shared)
		return -EFAULT;
	s->m2p = ctrl_memory_map_m2p(s->ctrl, &s->m2p_entries, &s->m2p_pages);
	if (!s->m2p)
		return -EFAULT;
	rc = size_check(s);
	if (rc)
		return rc;
	s->p2m_frame = calloc(s->p2m_frames, sizeof(*s->p2m_frame));
	if (!s->p2m_frame)
		return reason_set(ENOMEM, "no memory for the list of the guest's frames");
	rc = frames_find(s, s->p2m_frame);
	if (rc)
		return rc;
	s->p2m = dev_map(s->dev, s->domid, PROT_READ, s->p2m_frames, s->p2m_frame, NULL);
	return s->p2m ? 0 : lost("frame list");
}

int pv_source_open(struct ctrl *ctrl, uint32_t domid, struct pv_source *s)
{
	int rc;

	*s = (struct pv_source){ .ctrl = ctrl, .dev = ctrl_dev(ctrl), .domid = domid };
	rc = ctrl_domain_info(ctrl, domid, &s->info);
	if (!rc && s->info.hvm)
		rc = reason_set(EOPNOTSUPP, "domain %u is not a PV guest: only those can be saved", domid);
	if (!rc)
		rc = source_map(s);
	if (rc)
		pv_source_close(s);
	return rc;
}

void pv_source_close(struct pv_source *s)
{
	dev_unmap(s->dev, (void *)(uintptr_t)s->p2m, s->p2m_frames);
	dev_unmap(s->dev, (void *)(uintptr_t)s->m2p, s->m2p_pages);
	dev_unmap(s->dev, (void *)(uintptr_t)s->shared, 1);
	free(s->p2m_frame);
	*s = (struct pv_source){ .ctrl = NULL };
}

int pv_source_check(struct pv_source *s)
{
	uint64_t *now = calloc(s->p2m_frames, sizeof(*now));
	int rc;

	if (!now)
		return reason_set(ENOMEM, "no memory for the list of the guest's frames");
	rc = s->shared->arch.max_pfn == s->pages ? frames_find(s, now) : -ESTALE;
	if (!rc && memcmp(now, s->p2m_frame, s->p2m_frames * sizeof(*now)))
		rc = -ESTALE;
	if (rc == -ESTALE)
		reason_set(ESTALE, "the guest moved its list of frames meanwhile: try again");
	free(now);
	return rc;
}
