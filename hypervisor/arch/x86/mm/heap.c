/* SPDX-License-Identifier: BSD-2-Clause */
#include <hv/acpi.h>
#include <hv/bug.h>
#include <hv/errno.h>
#include <hv/frame.h>
#include <hv/lock.h>
#include <hv/tlb.h>

#include "heap.h"

struct heap heap = { .lock = SPINLOCK(LOCK_HEAP) };

static struct frame *frame_at(u64 n)
{
	return frame_of(mfn(n));
}

static unsigned int zone_of(u64 n)
{
	return n >= DIRECT_MAP_FRAMES ? HEAP_ZONE_HIGH : 64 - (unsigned int)__builtin_clzl(n);
}

/* Zones whose every frame obeys the flags. */
static u64 zones_allowed(u32 flags, bool direct_map)
{
	u32 bits = flags >> 24;

	if (flags & ALLOC_DMA32)
		bits = bits == 0 ? 32 : MIN(bits, 32U);
	if (bits != 0 && bits < PAGE_SHIFT + FRAME_NUMBER_BITS)
		return bits <= PAGE_SHIFT ? 0 : (2UL << (bits - PAGE_SHIFT)) - 1;
	return (2UL << (direct_map ? HEAP_ZONE_HIGH - 1 : HEAP_ZONE_HIGH)) - 1;
}

unsigned int heap_node_of(mfn_t m)
{
	unsigned int node;

	if (likely(heap.nodes <= 1))
		return 0;
	node = acpi_memory_node(&acpi_info, mfn_paddr(m));
	return node < heap.nodes && heap.node[node] != NULL ? node : 0;
}

/* The later of two stamps; 0 is earlier than all. */
static u32 stamp_later(u32 a, u32 b, u32 now)
{
	if (a == 0 || b == 0)
		return a | b;
	return now - a < now - b ? a : b;
}

/* --- free lists --- */

/* Puts a block in its list as it is. clean: frames at its start known to be zero. */
static void block_insert(struct heap_node *node, u64 n, unsigned int order, u32 clean, u32 stamp)
{
	struct heap_zone *zone = &node->zone[zone_of(n)];
	struct frame *f = frame_at(n);

	f->flags |= FRAME_FREE;
	f->lock = HEAP_ORDER_MARK(order);
	f->aux = clean;
	f->tlb_stamp = stamp;
	f->prev = 0;
	f->next = zone->first[order];
	if (f->next != 0)
		frame_at(f->next)->prev = (u32)n;
	zone->first[order] = (u32)n;
	zone->orders |= 1u << order;
	node->zones |= 1UL << zone_of(n);
}

/* Takes a block out of its list; its frame keeps aux (clean) and stamp for the caller. */
static void block_remove(struct heap_node *node, u64 n)
{
	unsigned int z = zone_of(n), order = frame_at(n)->lock - 1u;
	struct heap_zone *zone = &node->zone[z];
	struct frame *f = frame_at(n);

	if (f->next != 0)
		frame_at(f->next)->prev = f->prev;
	if (f->prev != 0)
		frame_at(f->prev)->next = f->next;
	else
		zone->first[order] = f->next;
	if (zone->first[order] == 0) {
		zone->orders &= ~(1u << order);
		if (zone->orders == 0)
			node->zones &= ~(1UL << z);
	}
	f->flags &= (u8)~FRAME_FREE;
	f->lock = 0;
	f->next = 0;
	f->prev = 0;
}

/* serial: of the domain whose contents the frame has, 0 if nobody may see them. */
static inline void single_insert(struct heap_node *node, struct frame *f, u64 serial)
{
	u32 n = (u32)frame_mfn(f).v;

	f->type = serial;
	f->flags |= FRAME_FREE;
	f->lock = HEAP_ORDER_SINGLE;
	f->prev = 0;
	f->next = node->newest;
	if (likely(node->newest != 0))
		frame_at(node->newest)->prev = n;
	else
		node->oldest = n;
	node->newest = n;
	node->singles++;
}

/* The frame keeps its type word (the serial) for the caller to clear. */
static inline void single_remove(struct heap_node *node, struct frame *f)
{
	if (f->next != 0)
		frame_at(f->next)->prev = f->prev;
	else
		node->oldest = f->prev;
	if (likely(f->prev != 0))
		frame_at(f->prev)->next = f->next;
	else
		node->newest = f->next;
	f->next = 0;
	f->prev = 0;
	f->flags &= (u8)~FRAME_FREE;
	f->lock = 0;
	node->singles--;
}

/* Frees a block that is in no list, merging it with its buddies. The frame's aux and stamp are valid. */
static void block_merge(unsigned int node, u64 n, unsigned int order)
{
	u32 clean = frame_at(n)->aux, stamp = frame_at(n)->tlb_stamp, now = 0;

	for (; order < FRAME_ORDER_MAX; order++) {
		u64 buddy = n ^ (1UL << order), low = MIN(n, buddy);
		struct frame *b = frame_at(buddy);

		if (buddy >= frame_limit || !(b->flags & FRAME_FREE) || b->lock != HEAP_ORDER_MARK(order) ||
		    heap_node_of(mfn(buddy)) != node)
			break;
		block_remove(heap.node[node], buddy);
		if (now == 0)
			now = tlb_stamp_now();
		stamp = stamp_later(stamp, b->tlb_stamp, now);
		if (low == n)
			clean = clean == 1u << order ? clean + b->aux : clean;
		else
			clean = b->aux == 1u << order ? b->aux + clean : b->aux;
		b->aux = 0;
		frame_at(n)->aux = 0;
		n = low;
	}
	block_insert(heap.node[node], n, order, clean, stamp);
}

/* Merges the singles of a node that are too many, the oldest first. */
static void singles_merge(unsigned int node, u32 keep)
{
	while (heap.node[node]->singles > keep) {
		struct frame *f = frame_at(heap.node[node]->oldest);

		single_remove(heap.node[node], f);
		f->type = 0;
		block_merge(node, frame_mfn(f).v, 0);
	}
}

/* Takes a block of the order out of a larger one that was removed from its list, and puts the rest back. */
static void block_split(struct heap_node *node, u64 n, unsigned int from, unsigned int order)
{
	struct frame *f = frame_at(n);

	while (from > order) {
		u32 half = 1u << --from;
		u32 clean = f->aux > half ? f->aux - half : 0;

		block_insert(node, n + half, from, clean, f->tlb_stamp);
		f->aux = MIN(f->aux, half);
	}
}

static u64 node_take(struct heap_node *node, unsigned int order, u64 zones)
{
	for (zones &= node->zones; zones != 0;) {
		unsigned int z = 63 - (unsigned int)__builtin_clzl(zones), from;
		struct heap_zone *zone = &node->zone[z];
		u64 n;

		if (zone->orders >> order != 0) {
			from = order + (unsigned int)__builtin_ctz(zone->orders >> order);
			n = zone->first[from];
			block_remove(node, n);
			block_split(node, n, from, order);
			return n;
		}
		zones &= ~(1UL << z);
	}
	return 0;
}

/* --- allocation --- */

/* The node to try first; HEAP_NODES when the flags insist on one that does not exist. */
static u32 node_preferred(u32 flags)
{
	u32 wanted = (flags >> 8 & 0xff) - 1, best = 0;

	if (wanted < heap.nodes && heap.node[wanted] != NULL)
		return wanted;
	if (flags & ALLOC_NODE_ONLY)
		return HEAP_NODES;
	for (u32 i = 1; i < heap.nodes; i++)
		if (heap.node[i] != NULL && (heap.node[best] == NULL || heap.node[i]->free > heap.node[best]->free))
			best = i;
	return best;
}

static u64 nodes_take(unsigned int order, u32 flags, u64 zones)
{
	u32 first = 0, tries = heap.nodes;
	u64 n = 0;

	if (unlikely(heap.nodes > 1 || (flags & ALLOC_NODE_ONLY))) {
		first = node_preferred(flags);
		if (first == HEAP_NODES)
			return 0;
		tries = flags & ALLOC_NODE_ONLY ? 1 : heap.nodes;
	}
	for (u32 i = 0; n == 0 && i < tries; i++) {
		struct heap_node *node = heap.node[heap.near[first][i]];

		if (unlikely(node == NULL || node->free < 1UL << order))
			continue;
		n = node_take(node, order, zones);
		if (likely(n != 0))
			node->free -= 1UL << order;
	}
	return n;
}

/* True when there were any. */
static bool singles_merge_all(void)
{
	bool any = false;

	for (u32 i = 0; i < heap.nodes; i++)
		if (heap.node[i] != NULL && heap.node[i]->singles != 0) {
			singles_merge(i, 0);
			any = true;
		}
	return any;
}

/* True when `count` frames can be taken without what other domains have claimed. heap.lock held. */
static bool claims_allow(const struct domain *d, u64 count)
{
	u64 claim = d == NULL ? 0 : d->memory.claim;

	return heap.free >= count && heap.free - count >= heap.claimed - MIN(claim, count);
}

/* Takes a block for d; its frame has aux and stamp as they were. NULL when there is none. heap.lock held. */
static struct frame *block_take(const struct domain *d, unsigned int order, u32 flags)
{
	u64 zones = zones_allowed(flags, d == NULL), n;

	if (order > FRAME_ORDER_MAX || !claims_allow(d, 1UL << order))
		return NULL;
	n = nodes_take(order, flags, zones);
	if (unlikely(n == 0) && singles_merge_all())
		n = nodes_take(order, flags, zones);
	if (unlikely(n == 0))
		return NULL;
	heap.free -= 1UL << order;
	return frame_at(n);
}

/* The common case: one frame, any, out of the queue. NULL: the long way. heap.lock held. */
static inline struct frame *single_take(unsigned int order, u32 flags)
{
	struct heap_node *node = heap.node[0];
	struct frame *f;

	if (unlikely(order != 0 || (flags & ~(ALLOC_ZERO | ALLOC_OWN)) != 0 || heap.nodes > 1 || heap.claimed != 0 ||
		     node->singles <= HEAP_SINGLES_KEEP))
		return NULL;
	f = frame_at(node->oldest);
	single_remove(node, f);
	node->free--;
	heap.free--;
	return f;
}

static void block_clear(struct frame *f, u64 from, u64 to)
{
	for (u64 i = from; i < to; i++) {
		void *p = frame_map(frame_mfn(f + i));

		page_clear(p);
		frame_unmap(p);
	}
}

struct frame *heap_alloc(struct domain *d, unsigned int order, u32 flags)
{
	struct frame *f;
	u64 serial;

	spin_lock(&heap.lock);
	f = single_take(order, flags);
	if (unlikely(f == NULL))
		f = block_take(d, order, flags);
	if (unlikely(heap.claimed != 0 && f != NULL && d != NULL)) {
		u64 used = MIN(d->memory.claim, 1UL << order);

		d->memory.claim -= used;
		heap.claimed -= used;
	}
	spin_unlock(&heap.lock);
	if (unlikely(f == NULL))
		return NULL;
	serial = f->type;
	f->type = 0;
	/* Nobody may still reach the frames when they get their new contents. */
	tlb_stamp_flush(f->tlb_stamp);
	f->tlb_stamp = 0;
	if ((flags & ALLOC_ZERO) && !((flags & ALLOC_OWN) && serial != 0 && serial == d->memory.serial))
		block_clear(f, f->aux, 1UL << order);
	f->aux = 0;
	return f;
}

struct frame *frames_alloc(unsigned int order, u32 flags)
{
	return heap_alloc(NULL, order, flags);
}

static inline void frame_check_free(const struct frame *f, unsigned int order)
{
	BUG_ON((f->flags & (FRAME_FREE | FRAME_RAM)) != FRAME_RAM || (frame_mfn(f).v & ((1UL << order) - 1)) != 0);
}

void heap_free_single(struct frame *f, u64 serial)
{
	unsigned int node = heap_node_of(frame_mfn(f));

	frame_check_free(f, 0);
	f->aux = 0;
	spin_lock(&heap.lock);
	if (unlikely(f->flags & FRAME_OFFLINE)) {
		f->type = 0;
		heap.offlined++;
	} else {
		heap.free++;
		heap.node[node]->free++;
		if (likely(frame_mfn(f).v < DIRECT_MAP_FRAMES)) {
			single_insert(heap.node[node], f, serial);
			if (unlikely(heap.node[node]->singles > HEAP_SINGLES_MAX))
				singles_merge(node, HEAP_SINGLES_MAX);
		} else {
			f->type = 0;
			block_merge(node, frame_mfn(f).v, 0);
		}
	}
	spin_unlock(&heap.lock);
}

void frames_free(struct frame *f, unsigned int order)
{
	unsigned int node = heap_node_of(frame_mfn(f));

	if (order == 0) {
		heap_free_single(f, 0);
		return;
	}
	frame_check_free(f, order);
	f->aux = 0;
	spin_lock(&heap.lock);
	heap.free += 1UL << order;
	heap.node[node]->free += 1UL << order;
	block_merge(node, frame_mfn(f).v, order);
	spin_unlock(&heap.lock);
}

int heap_prepare(const struct domain *d, unsigned int order, u32 flags)
{
	u32 count = 1u << order, to;
	struct frame *f;

	if (count <= HEAP_CLEAR_STEP)
		return 0;
	spin_lock(&heap.lock);
	f = block_take(d, order, flags);
	spin_unlock(&heap.lock);
	if (f == NULL)
		return -ENOMEM;
	tlb_stamp_flush(f->tlb_stamp);
	to = MIN(f->aux + HEAP_CLEAR_STEP, count);
	block_clear(f, f->aux, to);
	spin_lock(&heap.lock);
	f->aux = to;
	f->tlb_stamp = 0;
	heap.free += count;
	heap.node[heap_node_of(frame_mfn(f))]->free += count;
	block_merge(heap_node_of(frame_mfn(f)), frame_mfn(f).v, order);
	spin_unlock(&heap.lock);
	return to == count ? 0 : -ERESTART;
}

/* --- single frames in the middle of blocks --- */

bool heap_frame_isolate(u64 n)
{
	unsigned int node = heap_node_of(mfn(n));

	for (unsigned int order = 0; order <= FRAME_ORDER_MAX; order++) {
		u64 head = n & ~((1UL << order) - 1);
		struct frame *f = frame_at(head);
		unsigned int from = f->lock == HEAP_ORDER_SINGLE ? HEAP_ORDER_SINGLE : f->lock - 1u;

		if (head == 0 || !(f->flags & FRAME_FREE))
			continue;
		if (from == HEAP_ORDER_SINGLE && head == n) {
			single_remove(heap.node[node], f);
			f->type = 0;
		} else if (from < HEAP_ORDERS && head + (1UL << from) > n) {
			block_remove(heap.node[node], head);
			/* Keep the half with n in it, give back the other. */
			while (from > 0) {
				u64 half = 1UL << --from, give = (n & half) ? head : head + half;

				block_insert(heap.node[node], give, from, 0, f->tlb_stamp);
				head = (n & half) ? head + half : head;
				frame_at(head)->tlb_stamp = f->tlb_stamp;
			}
		} else {
			continue;
		}
		frame_at(n)->aux = 0;
		heap.free--;
		heap.node[node]->free--;
		return true;
	}
	return false;
}

void heap_frame_insert(u64 n)
{
	unsigned int node = heap_node_of(mfn(n));

	heap.free++;
	heap.node[node]->free++;
	block_merge(node, n, 0);
}

/* --- boot --- */

void heap_node_init(unsigned int node, void *memory)
{
	heap.node[node] = memory;
	heap.nodes = MAX(heap.nodes, node + 1);
}

void heap_nodes_sort(void)
{
	for (u32 from = 0; from < heap.nodes; from++)
		for (u32 i = 0; i < heap.nodes; i++) {
			u32 at = i;

			while (at > 0 && acpi_info.distance[from][heap.near[from][at - 1]] > acpi_info.distance[from][i]) {
				heap.near[from][at] = heap.near[from][at - 1];
				at--;
			}
			heap.near[from][at] = (u8)i;
		}
	/* A node is nearest to itself whatever the firmware says. */
	for (u32 from = 0; from < heap.nodes; from++)
		for (u32 i = 0; i < heap.nodes; i++)
			if (heap.near[from][i] == from) {
				heap.near[from][i] = heap.near[from][0];
				heap.near[from][0] = (u8)from;
			}
}

void heap_add(unsigned int node, u64 start, u64 end)
{
	spin_lock(&heap.lock);
	while (start < end) {
		unsigned int order = FRAME_ORDER_MAX;

		while ((start & ((1UL << order) - 1)) != 0 || end - start < 1UL << order)
			order--;
		frame_at(start)->aux = 0;
		heap.free += 1UL << order;
		heap.total += 1UL << order;
		heap.node[node]->free += 1UL << order;
		heap.node[node]->total += 1UL << order;
		block_merge(node, start, order);
		start += 1UL << order;
	}
	spin_unlock(&heap.lock);
}

/* --- numbers; single words, so no lock --- */

u64 heap_free_frames(void)
{
	return READ_ONCE(heap.free);
}

u64 heap_free_frames_node(unsigned int node)
{
	return node < heap.nodes && heap.node[node] != NULL ? READ_ONCE(heap.node[node]->free) : 0;
}

u64 heap_total_frames(void)
{
	return READ_ONCE(heap.total);
}

u64 heap_total_frames_node(unsigned int node)
{
	return node < heap.nodes && heap.node[node] != NULL ? READ_ONCE(heap.node[node]->total) : 0;
}

u64 heap_claimed_frames(void)
{
	return READ_ONCE(heap.claimed);
}
