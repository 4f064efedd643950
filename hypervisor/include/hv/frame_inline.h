/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address arithmetic of the frame table, direct map and machine-to-physical table, and the reference counts of frames: a few
 * instructions each, so inline. Contracts are in hv/frame.h, which includes this file. In host builds the three are arrays of
 * the simulated machine.
 */
#ifndef HV_FRAME_INLINE_H
#define HV_FRAME_INLINE_H

#include <hv/bug.h>
#include <hv/domain.h>
#include <hv/frame.h>
#include <hv/memory_map.h>

#define FRAME_NUMBER_BITS 32

#if __STDC_HOSTED__
extern struct frame *sim_frame_table;
extern u8 *sim_direct_map;
extern u64 *sim_m2p;
#define FRAME_TABLE sim_frame_table
#define DIRECT_MAP sim_direct_map
#define M2P_TABLE sim_m2p
#else
#define FRAME_TABLE ((struct frame *)FRAME_TABLE_START)
#define DIRECT_MAP ((u8 *)DIRECT_MAP_START)
#define M2P_TABLE ((u64 *)M2P_ALIAS_START)
#endif
#define DIRECT_MAP_FRAMES (DIRECT_MAP_SIZE >> PAGE_SHIFT)

void *frame_map_window(mfn_t m);	/* frames above the direct map */
void frame_unmap_window(const void *p);
void *frame_map_high(mfn_t m);
mfn_t frame_unmap_high(const void *p);
void frame_free(struct frame *f);	/* the last reference of a domain's frame has gone */

static inline struct frame *frame_of(mfn_t m)
{
	return &FRAME_TABLE[(u32)m.v];
}

static inline mfn_t frame_mfn(const struct frame *f)
{
	return mfn((u64)(f - FRAME_TABLE));
}

/* All of the table below frame_limit can be read; where there is no RAM it has no flags. */
static inline bool frame_valid(mfn_t m)
{
	return m.v < frame_limit && (frame_of(m)->flags & FRAME_RAM) != 0;
}

static inline void *mfn_virt(mfn_t m)
{
	return DIRECT_MAP + (m.v << PAGE_SHIFT);
}

static inline mfn_t virt_mfn(const void *p)
{
	return mfn((u64)((const u8 *)p - DIRECT_MAP) >> PAGE_SHIFT);
}

static inline void *frame_map(mfn_t m)
{
	if (likely(m.v < DIRECT_MAP_FRAMES))
		return mfn_virt(m);
	return frame_map_window(m);
}

static inline void frame_unmap(const void *p)
{
	if (unlikely((u64)((const u8 *)p - DIRECT_MAP) >= DIRECT_MAP_SIZE))
		frame_unmap_window(p);
}

static inline void *frame_map_keep(mfn_t m)
{
	if (likely(m.v < DIRECT_MAP_FRAMES))
		return mfn_virt(m);
	return frame_map_high(m);
}

static inline mfn_t frame_unmap_keep(const void *p)
{
	if (likely((u64)((const u8 *)p - DIRECT_MAP) < DIRECT_MAP_SIZE))
		return virt_mfn(p);
	return frame_unmap_high(p);
}

static inline void frame_put(struct frame *f)
{
	u32 left = __atomic_sub_fetch(&f->refs, 1, __ATOMIC_ACQ_REL);

	ASSERT((left & FRAME_REFS) != FRAME_REFS);
	if (unlikely(left == 0))
		frame_free(f);
}

static inline bool must_check frame_get(struct frame *f, const struct domain *d)
{
	u32 refs = READ_ONCE(f->refs);

	if (unlikely(d != NULL && READ_ONCE(f->owner) != d->id))
		return false;
	do {
		if (unlikely((refs & FRAME_REFS) == 0 || (refs & FRAME_REFS) == FRAME_REFS))
			return false;
	} while (unlikely(!__atomic_compare_exchange_n(&f->refs, &refs, refs + 1, false, __ATOMIC_ACQ_REL,
						       __ATOMIC_RELAXED)));
	/* The owner of a frame with a reference does not change, but until then the frame may have gone and come back. */
	if (likely(d == NULL || f->owner == d->id))
		return true;
	frame_put(f);
	return false;
}

static inline void m2p_set(mfn_t m, u64 pfn)
{
	WRITE_ONCE(M2P_TABLE[m.v], pfn);
}

static inline u64 m2p_get(mfn_t m)
{
	return READ_ONCE(M2P_TABLE[m.v]);
}

#endif
