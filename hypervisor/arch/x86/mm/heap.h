/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frame allocator's inside, for the rest of mm. A buddy allocator for each NUMA node and zone. Zone n holds the frames whose
 * numbers have n significant bits, so that any limit of address bits is a range of zones; HEAP_ZONE_HIGH those above the
 * direct map. Free frames are not cleared until somebody needs them clear.
 */
#ifndef MM_HEAP_H
#define MM_HEAP_H

#include <hv/acpi.h>
#include <hv/frame.h>
#include <hv/lock.h>

#define HEAP_NODES ACPI_MAX_NODES
#define HEAP_ZONE_HIGH (FRAME_NUMBER_BITS + 1)
#define HEAP_ZONES (HEAP_ZONE_HIGH + 1)
#define HEAP_ORDERS (FRAME_ORDER_MAX + 1)
/*
 * Single frames of the direct map wait in a queue of their node before they are merged. When there are more than HEAP_SINGLES_KEEP
 * the next allocation of one takes the oldest: by then a flush that is needed before most likely was done for another reason.
 * A waiting frame's type word says whose contents it has: the owner's memory.serial, or 0.
 */
#define HEAP_SINGLES_KEEP 32
#define HEAP_SINGLES_MAX 64
/* "order" of such a frame, so that it is nobody's buddy. */
#define HEAP_ORDER_SINGLE 0xff
/* What frame->lock holds in the head of a free block: never 0, so that frame_lock_as cannot take it. */
#define HEAP_ORDER_MARK(order) ((u8)((order) + 1))
/* Frames cleared in one step of heap_prepare. */
#define HEAP_CLEAR_STEP 64

struct heap_zone {
	u32 orders;			/* bit n: first[n] is not empty */
	u32 first[HEAP_ORDERS];		/* free blocks by order, frame numbers, 0 = none */
};

struct heap_node {
	u64 zones;			/* bit n: zone n has free blocks */
	u32 newest, oldest, singles;	/* ends of the queue of single frames, and its length */
	u64 free, total;
	struct heap_zone zone[HEAP_ZONES];
};
_Static_assert(sizeof(struct heap_node) <= PAGE_SIZE, "boot allocates one page for it");

struct heap {
	struct spinlock lock;		/* LOCK_HEAP: everything here, and the fields of free frames */
	u64 free, total;
	u64 claimed;			/* sum of all domains' memory.claim */
	u64 offlined;			/* frames taken away by page offlining */
	u32 nodes;			/* highest node in use + 1 */
	struct heap_node *node[HEAP_NODES];
	u8 near[HEAP_NODES][HEAP_NODES];	/* nodes from near to far */
};
extern struct heap heap;

/* Boot: makes a node known (memory is one zeroed page), then gives it frames [start, end), which are not in use. */
void heap_node_init(unsigned int node, void *memory);
void heap_add(unsigned int node, u64 start, u64 end);
/* After all heap_node_init: the order in which nodes are tried, from the distances in acpi_info. */
void heap_nodes_sort(void);
unsigned int heap_node_of(mfn_t m);

/*
 * As frames_alloc, but for a domain: also from above the direct map, and d's claim counts (NULL: the hypervisor, in the direct
 * map). Takes LOCK_HEAP.
 */
struct frame *heap_alloc(struct domain *d, unsigned int order, u32 flags) must_check;
/* As frames_free for one frame, with the contents of the domain with that memory.serial. */
void heap_free_single(struct frame *f, u64 serial);
/* For page offlining; heap.lock held. Takes the one frame n out of the free block that holds it; false when it is in none. */
bool heap_frame_isolate(u64 n);
void heap_frame_insert(u64 n);
/* Fills a page with zeroes. */
static inline void page_clear(void *p)
{
	u64 words = PAGE_SIZE / 8;

	__asm__ volatile("rep stosq" : "+D"(p), "+c"(words) : "a"(0UL) : "memory");
}

#endif
