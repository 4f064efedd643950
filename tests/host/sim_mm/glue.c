/* SPDX-License-Identifier: BSD-2-Clause */
#include <hv/acpi.h>
#include <hv/string.h>
#include "glue.h"
#include "../sim/sim_private.h"

__attribute__((weak)) struct acpi_info acpi_info;
SIM_KEPT unsigned int glue_nodes = 1;
u64 glue_frames_kept;
static u8 node_memory[HEAP_NODES][PAGE_SIZE] aligned_to(4096);

__attribute__((weak)) unsigned int acpi_memory_node(const struct acpi_info *info, paddr_t address)
{
	for (u32 i = 0; i < info->memory_ranges; i++)
		if (address.v >= info->memory[i].start.v && address.v - info->memory[i].start.v < info->memory[i].size)
			return info->memory[i].node;
	return 0;
}

static bool is_ram(u64 n)
{
	return n < sim_frames && (sim_frame_table[n].flags & FRAME_RAM);
}

void sim_heap_start(void)
{
	u64 part = sim_frames / glue_nodes, start = 0;

	memset(&heap, 0, sizeof(heap));
	spin_init(&heap.lock, LOCK_HEAP);
	memset(&acpi_info, 0, sizeof(acpi_info));
	memset(node_memory, 0, sizeof(node_memory));
	acpi_info.nodes = glue_nodes;
	acpi_info.memory_ranges = glue_nodes;
	for (u32 i = 0; i < glue_nodes; i++) {
		acpi_info.memory[i] = (struct acpi_memory){ .start = paddr(i * part * PAGE_SIZE), .size = part * PAGE_SIZE, .node = (u8)i };
		for (u32 k = 0; k < glue_nodes; k++)
			acpi_info.distance[i][k] = (u8)(10 + 10 * (i > k ? i - k : k - i));
		heap_node_init(i, node_memory[i]);
	}
	heap_nodes_sort();
	for (u64 n = 0; n < sim_frames; n++)
		sim_frame_table[n].owner = DOMID_XEN;
	while (start < sim_frames) {
		u64 end;

		while (start < sim_frames && !is_ram(start))
			start++;
		for (end = start; is_ram(end) && (end == start || end % part != 0); end++)
			;
		heap_add((unsigned int)(start / part), start, end);
		start = end;
	}
}

static u64 check_list(unsigned int node, unsigned int z, u32 first, unsigned int order, u8 *seen)
{
	u64 frames = 0;
	u32 prev = 0;

	for (u32 n = first; n != 0; prev = n, n = sim_frame_table[n].next) {
		const struct frame *f = &sim_frame_table[n];
		unsigned int size_order = order == HEAP_ORDER_SINGLE ? 0 : order;

		if (n & ((1u << size_order) - 1))
			sim_fail("free block %#x of order %u is not aligned", n, order);
		if (f->prev != prev || f->lock != (order == HEAP_ORDER_SINGLE ? order : HEAP_ORDER_MARK(order)) || (f->flags & (FRAME_FREE | FRAME_RAM)) != (FRAME_FREE | FRAME_RAM))
			sim_fail("free block %#x of order %u is damaged", n, order);
		if ((64 - (unsigned int)__builtin_clzl(n) != z && order != HEAP_ORDER_SINGLE) || heap_node_of(mfn(n)) != node)
			sim_fail("free block %#x is in the wrong list", n);
		if (f->aux > 1u << size_order)
			sim_fail("free block %#x has %u clear frames", n, f->aux);
		for (u32 i = 0; i < 1u << size_order; i++) {
			if (seen[n + i]++)
				sim_fail("frame %#x is free twice", n + i);
			if (f[i].refs || (f[i].type && order != HEAP_ORDER_SINGLE) || f[i].owner != DOMID_XEN || (i && (f[i].aux || f[i].lock || (f[i].flags & FRAME_FREE))))
				sim_fail("frame %#x in free block %#x is damaged", n + i, n);
			for (u32 k = 0; i < f->aux && k < PAGE_SIZE / 8; k++)
				if (((u64 *)mfn_virt(mfn(n + i)))[k])
					sim_fail("frame %#x is not clear", n + i);
		}
		if (order < FRAME_ORDER_MAX && n != 1u << order) {
			const struct frame *b = &sim_frame_table[n ^ (1u << order)];

			if ((n ^ (1u << order)) < sim_frames && (b->flags & FRAME_FREE) && b->lock == HEAP_ORDER_MARK(order) &&
			    heap_node_of(frame_mfn(b)) == node)
				sim_fail("free block %#x of order %u was not merged", n, order);
		}
		frames += 1u << size_order;
	}
	return frames;
}

void glue_heap_check(void)
{
	SIM_KEPT static u8 seen[SIM_FRAMES];
	u64 all = 0;

	memset(seen, 0, sim_frames);
	for (u32 node = 0; node < heap.nodes; node++) {
		u64 frames = check_list(node, 0, heap.node[node]->newest, HEAP_ORDER_SINGLE, seen);

		if (frames != heap.node[node]->singles)
			sim_fail("node %u has %lu single frames, and says %u", node, frames, heap.node[node]->singles);
		for (unsigned int z = 0; z < HEAP_ZONES; z++) {
			const struct heap_zone *zone = &heap.node[node]->zone[z];
			bool any = zone->orders;

			for (unsigned int order = 0; order < HEAP_ORDERS; order++) {
				if (!!(zone->orders >> order & 1) != (zone->first[order] != 0))
					sim_fail("zone %u: order %u is wrongly noted", z, order);
				frames += check_list(node, z, zone->first[order], order, seen);
			}
			if (any != (heap.node[node]->zones >> z & 1))
				sim_fail("zone %u is wrongly noted", z);
		}
		if (frames != heap.node[node]->free)
			sim_fail("node %u has %lu free frames, and says %lu", node, frames, heap.node[node]->free);
		all += frames;
	}
	if (all != heap.free)
		sim_fail("%lu frames are free, the heap says %lu", all, heap.free);
}

void sim_heap_stop(void)
{
	glue_heap_check();
	if (heap.total - heap.free - heap.offlined != glue_frames_kept)
		sim_fail("%lu frames were not freed", heap.total - heap.free - heap.offlined - glue_frames_kept);
}

/* --- what the simulated machine does not have (yet) --- */

__attribute__((weak)) void *frame_map_window(mfn_t m)
{
	sim_fail("frame %lx is above the direct map", (unsigned long)m.v);
}

__attribute__((weak)) void frame_unmap_window(const void *p)
{
	sim_fail("%p is above the direct map", p);
}

__attribute__((weak)) void *frame_map_high(mfn_t m)
{
	return frame_map_window(m);
}

__attribute__((weak)) mfn_t frame_unmap_high(const void *p)
{
	frame_unmap_window(p);
	return INVALID_MFN;
}
