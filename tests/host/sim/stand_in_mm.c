/* SPDX-License-Identifier: BSD-2-Clause */
/* Weak stand-ins for the heap and domains' memory (arch/x86/mm): first fit over the frame table. */
#include <stdlib.h>
#include <hv/errno.h>
#include <hv/log.h>
#include <hv/string.h>
#include <hv/tlb.h>
#include "sim_private.h"

#define STAND_IN __attribute__((weak))

static u8 used[SIM_FRAMES];
static u32 hint;
static u64 objects;

STAND_IN void sim_heap_start(void)
{
	memset(used, 0, sizeof(used));
	hint = 0;
	objects = 0;
	for (u32 i = 0; i < SIM_FRAMES; i++)
		if (!(sim_frame_table[i].flags & FRAME_RAM))
			used[i] = 1;
}

STAND_IN void sim_heap_stop(void)
{
	if (objects)
		sim_fail("%lu small objects were not freed", (unsigned long)objects);
}

STAND_IN struct frame *frames_alloc(unsigned int order, u32 flags)
{
	u32 n = 1u << order;

	(void)flags;
	if (sim_alloc_fails())
		return NULL;
	for (u32 round = 0; round < 2; round++) {
		for (u32 i = round ? 0 : hint & ~(n - 1); i + n <= SIM_FRAMES; i += n) {
			u32 k;

			for (k = 0; k < n && !used[i + k]; k++)
				;
			if (k < n)
				continue;
			memset(&used[i], 1, n);
			hint = i + n;
			for (k = 0; k < n; k++) {
				struct frame *f = &sim_frame_table[i + k];

				tlb_stamp_flush(f->tlb_stamp);
				f->owner = DOMID_XEN;
				f->type = 0;
				f->refs = f->next = f->prev = f->tlb_stamp = f->aux = 0;
				f->lock = 0;
				memset(sim_direct_map + (u64)(i + k) * PAGE_SIZE, 0, PAGE_SIZE);
			}
			return &sim_frame_table[i];
		}
	}
	return NULL;
}

STAND_IN void frames_free(struct frame *f, unsigned int order)
{
	for (u32 k = 0; k < 1u << order; k++) {
		used[f - sim_frame_table + k] = 0;
		f[k].owner = DOMID_INVALID;
		f[k].refs = 0;
		f[k].flags = FRAME_RAM;
	}
}

STAND_IN void *page_alloc(void)
{
	struct frame *f = frames_alloc(0, ALLOC_ZERO);

	return f ? mfn_virt(frame_mfn(f)) : NULL;
}

STAND_IN void page_free(void *p)
{
	if (p)
		frames_free(frame_of(virt_mfn(p)), 0);
}

STAND_IN void *hv_alloc(size_t size)
{
	void *p;

	if (sim_alloc_fails())
		return NULL;
	size = ROUND_UP(size, 64UL);
	p = aligned_alloc(64, size);
	if (!p)
		return NULL;
	__atomic_add_fetch(&objects, 1, __ATOMIC_RELAXED);
	return memset(p, 0, size);
}

STAND_IN void hv_free(void *p)
{
	if (p)
		__atomic_sub_fetch(&objects, 1, __ATOMIC_RELAXED);
	free(p);
}

STAND_IN u64 heap_free_frames(void)
{
	u64 n = 0;

	for (u32 i = 0; i < SIM_FRAMES; i++)
		n += !used[i];
	return n;
}

STAND_IN u64 heap_total_frames(void)
{
	return SIM_FRAMES - 1 - (SIM_HOLE_LAST - SIM_HOLE_FIRST + 1);
}

/* --- domains' frames --- */

STAND_IN struct domain *frame_owner(const struct frame *f)
{
	for (u32 i = 0; i < SIM_DOMAINS; i++)
		if (sim_guests[i].d && sim_guests[i].d->id == f->owner)
			return sim_guests[i].d;
	return NULL;
}

STAND_IN int domain_memory_init(struct domain *d)
{
	spin_init(&d->memory.lock, LOCK_DOMFRAMES);
	d->memory.max = SIM_FRAMES;
	return 0;
}

STAND_IN void domain_memory_destroy(struct domain *d)
{
	if (d->memory.pages)
		sim_fail("domain %u goes with %lu pages", d->id, (unsigned long)d->memory.pages);
}

static void list_add(struct domain *d, struct frame *f)
{
	f->next = d->memory.first;
	f->prev = 0;
	if (f->next)
		sim_frame_table[f->next].prev = (u32)(f - sim_frame_table);
	d->memory.first = (u32)(f - sim_frame_table);
}

static void list_del(struct domain *d, struct frame *f)
{
	if (f->prev)
		sim_frame_table[f->prev].next = f->next;
	else
		d->memory.first = f->next;
	if (f->next)
		sim_frame_table[f->next].prev = f->prev;
}

STAND_IN int domain_frame_assign(struct domain *d, struct frame *f, u32 flags)
{
	(void)flags;
	if (d->life != DOMAIN_LIVE)
		return -EINVAL;
	if (d->memory.pages >= d->memory.max)
		return -E2BIG;
	spin_lock(&d->memory.lock);
	f->owner = d->id;
	f->refs = FRAME_ALLOC | 1;
	d->memory.pages++;
	list_add(d, f);
	spin_unlock(&d->memory.lock);
	m2p_set(frame_mfn(f), M2P_INVALID);
	return 0;
}

STAND_IN struct frame *domain_frames_alloc(struct domain *d, unsigned int order, u32 flags)
{
	struct frame *f = frames_alloc(order, flags);

	for (u32 k = 0; f && k < 1u << order; k++)
		if (domain_frame_assign(d, &f[k], flags)) {
			while (k--)
				(void)!domain_frame_release(d, &f[k]);
			return NULL;
		}
	return f;
}

STAND_IN bool domain_frame_release(struct domain *d, struct frame *f)
{
	(void)d;
	if (!(__atomic_fetch_and(&f->refs, ~FRAME_ALLOC, __ATOMIC_SEQ_CST) & FRAME_ALLOC))
		return false;
	frame_put(f);
	return true;
}

STAND_IN void frame_free(struct frame *f)
{
	struct domain *d = frame_owner(f);

	f->tlb_stamp = tlb_stamp_now();
	if (f->flags & FRAME_SHARED)
		sim_fail("last reference of a shared frame dropped");
	if (d) {
		spin_lock(&d->memory.lock);
		list_del(d, f);
		d->memory.pages--;
		spin_unlock(&d->memory.lock);
	}
	frames_free(f, 0);
}

STAND_IN int domain_memory_relinquish(struct domain *d, u32 count)
{
	u32 next = d->memory.first;

	while (next) {
		struct frame *f = &sim_frame_table[next];

		next = f->next;
		if (!(f->refs & FRAME_ALLOC))
			continue;
		if (count-- == 0)
			return -ERESTART;
		(void)!domain_frame_release(d, f);
	}
	return 0;
}

STAND_IN u32 domain_frame_next(struct domain *d, u32 after)
{
	return after ? sim_frame_table[after].next : d->memory.first;
}

STAND_IN void frame_share(void *page, struct domain *d, bool writable)
{
	struct frame *f = frame_of(virt_mfn(page));

	(void)writable;
	f->owner = d->id;
	f->flags |= FRAME_SHARED;
	f->refs = FRAME_ALLOC | 1;
}

STAND_IN int frame_unshare(void *page)
{
	struct frame *f = frame_of(virt_mfn(page));

	if ((f->refs & FRAME_REFS) != 1)
		return -EBUSY;
	f->refs = 0;
	f->flags &= (u8)~FRAME_SHARED;
	f->owner = DOMID_XEN;
	return 0;
}
