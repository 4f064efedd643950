/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frame table: one struct frame for every 4 KiB of RAM; ownership, references, and the frame's type.
 *
 * A frame belongs to the hypervisor (owner DOMID_XEN), to a domain, or is free. `refs` counts reasons why the frame may not be
 * freed; while FRAME_ALLOC is set one of them is the owner's own. A type reference (frame_type_get) always comes with a
 * general one. A frame has at most one type at a time; it changes only when its type count is 0.
 */
#ifndef HV_FRAME_H
#define HV_FRAME_H

#include <hv/types.h>
#include <hv/compiler.h>
#include <xen/xen.h>

struct domain;
struct vcpu;

enum frame_type {
	FRAME_NONE,		/* no type; may become any */
	FRAME_WRITABLE,		/* mapped, or mappable, writable by a guest */
	FRAME_L1, FRAME_L2, FRAME_L3, FRAME_L4,	/* validated page table of that level */
	FRAME_SEGDESC,		/* validated page of segment descriptors */
	FRAME_READONLY,		/* hypervisor page that guests may only read */
	FRAME_TYPES,
};

struct frame {
	u64 type;		/* atomic word: type, state, pin, count (hv/frame_type.h); other uses by the hypervisor's own frames: bit 47 clear */
	u32 refs;		/* atomic: bit 31 FRAME_ALLOC, the rest a count; 0 = free */
	u16 owner;		/* domid; DOMID_XEN when it is the hypervisor's or free */
	u8 flags;		/* FRAME_RAM ...; set at boot or under the owner's LOCK_DOMFRAMES */
	u8 lock;		/* byte lock of the entries of a page table (LOCK_FRAME); for free blocks: not 0, see mm/heap.h */
	u32 next, prev;		/* links (frame numbers, 0 = none): owner's list or free list */
	u32 tlb_stamp;		/* when a mapping was last taken away (see tlb.h) */
	u32 aux;		/* progress of a preempted validation or invalidation; of valid tables: mirror (pv/mmu_mirror.h); for free blocks: frames known to be zero */
};
_Static_assert(sizeof(struct frame) == 32, "struct frame");

#define FRAME_ALLOC (1u << 31)
#define FRAME_REFS (FRAME_ALLOC - 1)	/* the count in refs */
/* flags */
#define FRAME_RAM 1u		/* usable memory: has an owner and may be allocated */
#define FRAME_SHARED 2u		/* hypervisor page shared with its owner domain (shared info, grant, ...): not in its counts */
#define FRAME_OFFLINE 4u	/* page offlining asked for or done */
#define FRAME_BROKEN 8u
#define FRAME_FREE 16u		/* head of a block in the heap's free lists */
#define FRAME_UNCOUNTED 32u	/* assigned with DOMF_NO_ACCOUNT */

/* Highest frame number of RAM + 1. Constant after mm_init. */
extern u64 frame_limit;

/*
 * Inline, in hv/frame_inline.h; any context, no locks:
 *
 * bool frame_valid(mfn_t m)			True when m is RAM and has a struct frame. Anything else is I/O memory (or nothing).
 * struct frame *frame_of(mfn_t m)		m must be valid (a wild m gives a wild pointer, but inside the frame table's range).
 * mfn_t frame_mfn(const struct frame *f)
 * void *frame_map(mfn_t m)			The hypervisor's own view of a frame's contents: the direct map, or above its end a
 *						temporary window of this CPU (at most WINDOW_TEMP_PAGES at a time). m must be RAM.
 * void frame_unmap(const void *p)		Ends it; free of cost below 7.5 TiB. On the same CPU.
 * void *frame_map_keep(mfn_t m)		As frame_map, but for long, and for all CPUs; NULL when there is no room. Locks below
 *						LOCK_MAP may be held.
 * mfn_t frame_unmap_keep(const void *p)	Ends that; p may point anywhere into the page. Returns the frame.
 * void *mfn_virt(mfn_t m)			As frame_map for frames below the end of the direct map: all of the hypervisor's own.
 * mfn_t virt_mfn(const void *p)		The frame behind a pointer into the direct map.
 * bool frame_get(struct frame *f, const struct domain *d)
 *						Takes a reference when the frame is not free and owned by d (d NULL: by anyone).
 *						Never succeeds for the hypervisor's own frames: their refs are 0.
 * void frame_put(struct frame *f)		Gives it back; the last one frees the frame to the heap (and drops it from the
 *						owner's count). No lock >= LOCK_DOMFRAMES held.
 * void m2p_set(mfn_t m, u64 pfn), u64 m2p_get(mfn_t m)	M2P entry of a frame. m must be valid.
 */

/* Owner domain of a frame (with no reference taken: the caller holds one of the frame, or the domain's lock); NULL for the
 * hypervisor, a free frame or a domain gone. Any context. */
struct domain *frame_owner(const struct frame *f);

/* --- hypervisor memory (mm/heap.c) --- */
#define ALLOC_ZERO 1u		/* filled with zeroes */
#define ALLOC_DMA32 2u		/* below 4 GiB */
#define ALLOC_NODE(n) (((n) + 1u) << 8)	/* preferred NUMA node */
#define ALLOC_NODE_ONLY 4u	/* that node or nothing */
#define ALLOC_OWN 8u		/* for domains: a frame that was its own may have its old contents */
#define ALLOC_BITS(n) ((u32)(n) << 24)	/* all of the block below 2^n bytes, 1 <= n <= 63 */
#define FRAME_ORDER_MAX 18u	/* 1 GiB */
/* 2^order frames in a row for the hypervisor; NULL when there are none. Any context without LOCK_HEAP. */
struct frame *frames_alloc(unsigned int order, u32 flags) must_check;
/* Undoes frames_alloc; parts of a block (of a lower order, at their own alignment) may be given back one by one. */
void frames_free(struct frame *f, unsigned int order);
/* One zeroed page / give it back. */
void *page_alloc(void) must_check;
void page_free(void *p);
/* Small objects, zeroed, 16-byte aligned (64 from 64 bytes on), any size up to 1 MiB; NULL when out of memory. */
void *hv_alloc(size_t size) must_check;
void hv_free(void *p);
/* Free frames in all, and on a node. */
u64 heap_free_frames(void);
u64 heap_free_frames_node(unsigned int node);
u64 heap_total_frames(void);
u64 heap_total_frames_node(unsigned int node);
/*
 * Makes sure that a block is at hand that domain_frames_alloc with the same arguments can return without clearing much: clears a
 * bounded number of free frames. 0, -ERESTART: call again after a preemption point, -ENOMEM.
 */
int heap_prepare(const struct domain *d, unsigned int order, u32 flags) must_check;
/*
 * Page offlining: m is not handed out again once it is free. *status is what sysctl's page_offline_op reports. 0 or -EINVAL (m is not
 * RAM), -EPERM (the hypervisor's own), -EAGAIN. heap_frame_online undoes it: -EINVAL when it was not asked for or m is broken.
 */
int heap_frame_offline(mfn_t m, bool broken, u32 *status) must_check;
int heap_frame_online(mfn_t m, u32 *status) must_check;
u32 heap_frame_offline_status(mfn_t m);

/* --- a domain's memory (mm/domain_frames.c) --- */
/*
 * Allocates 2^order frames for d: refs = FRAME_ALLOC | 1 each, type none, counted against d->memory.max, on d's list, M2P entries
 * invalid, contents zero. With DOMF_NO_ACCOUNT it is not counted. flags are those of frames_alloc besides. NULL when over the
 * limit, out of memory, or d is dying. Takes LOCK_DOMFRAMES.
 */
struct frame *domain_frames_alloc(struct domain *d, unsigned int order, u32 flags) must_check;
/* Gives d an allocated hypervisor frame (steal / exchange / transfer forms build on these two). 0 or -errno. */
int domain_frame_assign(struct domain *d, struct frame *f, u32 flags) must_check;
/* Clears FRAME_ALLOC and drops that reference: the frame goes back to the heap when the last other reference goes. False when it was clear. */
bool domain_frame_release(struct domain *d, struct frame *f);
/* Makes a hypervisor page visible to d (FRAME_SHARED, type writable, or read-only when !writable) / takes it back: -EBUSY while mapped. */
void frame_share(void *page, struct domain *d, bool writable);
int frame_unshare(void *page, struct domain *d) must_check;
/* Gives up a shared page whose domain is going: it has no owner from now on, and is freed as soon as nobody maps it any more. */
void frame_share_end(void *page, struct domain *d);
/* mm/frame_type.c: the owner of a frame that may have a type changes (the type word has it too). */
void frame_type_owner_set(struct frame *f, domid_t owner);
#define DOMF_NO_ACCOUNT 0x10000u
#define DOMF_OVER_MAX 0x20000u	/* counted, but not refused because of memory.max */
/* A block that is to be assigned to d frame by frame: still the hypervisor's (free it with frames_free), contents zero. May be high memory. */
struct frame *domain_frames_reserve(struct domain *d, unsigned int order, u32 flags) must_check;
/*
 * domain_frame_release for a frame that the caller holds no reference of: gives it back to the heap when the owner's reference is the
 * only one. False when f is not d's, or in use.
 */
bool domain_frame_discard(struct domain *d, struct frame *f) must_check;
/*
 * The opposite of domain_frame_assign, for steal / exchange / transfer: succeeds when f belongs to d and the owner's own reference and
 * one of the caller are the only ones. Afterwards f is the hypervisor's (refs 0), contents as they were. 0, -EINVAL, -EBUSY.
 */
int domain_frame_steal(struct domain *d, struct frame *f) must_check;
/* core/domain.c calls these when a domain is made (0 or -ENOMEM), and when its last reference has gone. */
int domain_memory_init(struct domain *d) must_check;
void domain_memory_destroy(struct domain *d);
/*
 * Teardown: takes up to `count` frames from d, which is not live any more. 0 when it has none left, -ERESTART when there are (or may be)
 * more. Frames that others still map have no owner from then on, and are freed when their last reference goes.
 */
int domain_memory_relinquish(struct domain *d, u32 count) must_check;
/* Frame list walk for control operations: the frame after `after` (0: the first) on d's list, or 0 at the end or when `after` left it. */
u32 domain_frame_next(struct domain *d, u32 after);
/* XENMEM_claim_pages: d may count on `pages` frames in all. 0, -EINVAL, -ENOMEM. */
int domain_claim_set(struct domain *d, u64 pages) must_check;
u64 heap_claimed_frames(void);

/* --- types (mm/frame_type.c, more in hv/frame_type.h; page tables and descriptors are validated by ops that pv/ installs) --- */
/*
 * Takes a type reference (the caller holds a general one during the call). If the frame has another type with count > 0: -EINVAL. If it
 * has none it is validated first: that can fail with -EINVAL, or -ERESTART when preempted (progress is kept in
 * the frame). No lock from LOCK_FRAME on held when a page-table type is asked for, none from LOCK_DOMFRAMES on otherwise.
 */
int frame_type_get(struct vcpu *actor, struct frame *f, enum frame_type t) must_check;
/*
 * Gives it back. Never fails: a page table without references is invalidated by the next frame_type_drain. The page-table or
 * other entry that it stood for was cleared with a locked instruction. No lock from LOCK_FRAME on held.
 */
void frame_type_put(struct vcpu *actor, struct frame *f, enum frame_type t);
/* Present type (FRAME_NONE while nobody holds a reference) and count; a snapshot. */
enum frame_type frame_type(const struct frame *f);
u32 frame_type_count(const struct frame *f);
/* True when the frame's type was pinned by the guest; a snapshot. */
bool frame_type_pinned(const struct frame *f);
/*
 * A writable type reference of a frame of d (NULL: of anyone). It keeps the frame from being freed, no general reference is needed
 * besides. False when the frame is not d's, or has another type. No lock from LOCK_DOMFRAMES on held.
 */
bool frame_get_writable(struct vcpu *actor, struct frame *f, const struct domain *d) must_check;
void frame_put_writable(struct frame *f);
/*
 * For frame_share: the type of a hypervisor page that becomes visible to f->owner, writable or never writable, with one reference that
 * is ours. The owner's general reference (FRAME_ALLOC) stands for it. unshare undoes it, false while others hold references.
 * share_end gives up our reference for good instead: the owner's general reference must be dropped afterwards.
 */
void frame_type_share(struct frame *f, bool writable);
bool frame_type_unshare(struct frame *f) must_check;
void frame_type_share_end(struct frame *f);

/* M2P value of a frame that has none. */
#define M2P_INVALID (~0UL)

#include <hv/frame_inline.h>

#endif
