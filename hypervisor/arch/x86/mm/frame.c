/* SPDX-License-Identifier: BSD-2-Clause */
/* The frame table and the machine-to-physical table come up, and what is free goes to the heap. */
#include <hv/acpi.h>
#include <hv/boot.h>
#include <hv/bug.h>
#include <hv/frame.h>
#include <hv/log.h>
#include <hv/mm.h>
#include <hv/ptab.h>
#include <hv/string.h>

#include "address_space.h"
#include "boot_memory.h"
#include "heap.h"
#include "ioremap.h"

u64 frame_limit;

/* A section of the frame table, and what one large page of the M2P describes, in frames. */
#define SECTION_FRAMES (LARGE_PAGE / sizeof(struct frame))
#define M2P_PAGE_FRAMES (LARGE_PAGE / sizeof(u64))
#define LARGE_PAGE (2UL << 20)

static void section_populate(u64 section)
{
	unsigned int level;
	paddr_t pa;

	if (ptab_lookup(&hv_ptab, FRAME_TABLE_START + section * LARGE_PAGE, &level) != 0)
		return;
	pa = mfn_paddr(boot_frames_alloc(LARGE_PAGE >> PAGE_SHIFT, LARGE_PAGE >> PAGE_SHIFT));
	boot_map(FRAME_TABLE_START + section * LARGE_PAGE, pa, LARGE_PAGE, PTAB_READ | PTAB_WRITE);
	for (u64 n = section * SECTION_FRAMES; n < (section + 1) * SECTION_FRAMES; n++)
		frame_of(mfn(n))->owner = DOMID_XEN;
}

static void m2p_populate(u64 page)
{
	unsigned int level;
	u64 offset = page * LARGE_PAGE;
	mfn_t m;

	if (offset >= M2P_ALIAS_SIZE || ptab_lookup(&hv_ptab, M2P_ALIAS_START + offset, &level) != 0)
		return;
	m = boot_frames_alloc(LARGE_PAGE >> PAGE_SHIFT, LARGE_PAGE >> PAGE_SHIFT);
	memset(mfn_virt(m), 0xff, LARGE_PAGE);
	boot_map(M2P_ALIAS_START + offset, mfn_paddr(m), LARGE_PAGE, PTAB_READ | PTAB_WRITE);
	boot_map(M2P_START + offset, mfn_paddr(m), LARGE_PAGE, PTAB_READ | PTAB_USER);
}

/*
 * Sections without RAM below frame_limit read as zeroes (no flags, no references), so that whoever looks at a frame that a guest
 * named needs to compare with frame_limit only.
 */
static void holes_populate(void)
{
	paddr_t zero = paddr(0);
	unsigned int level;

	for (u64 section = 0; section < (frame_limit + SECTION_FRAMES - 1) / SECTION_FRAMES; section++) {
		if (ptab_lookup(&hv_ptab, FRAME_TABLE_START + section * LARGE_PAGE, &level) != 0)
			continue;
		if (zero.v == 0)
			zero = mfn_paddr(boot_frames_alloc(LARGE_PAGE >> PAGE_SHIFT, LARGE_PAGE >> PAGE_SHIFT));
		boot_map(FRAME_TABLE_START + section * LARGE_PAGE, zero, LARGE_PAGE, PTAB_READ);
	}
}

u64 m2p_extents(void)
{
	return (frame_limit + M2P_PAGE_FRAMES - 1) / M2P_PAGE_FRAMES;
}

mfn_t m2p_extent(u64 n)
{
	unsigned int level;
	u64 entry = ptab_lookup(&hv_ptab, M2P_ALIAS_START + n * LARGE_PAGE, &level);

	return paddr_mfn(paddr(entry & ptab_x86.address));
}

/*
 * dom0 may map the M2P's frames, read-only, as frames of DOMID_XEN. Where it describes no RAM guests read "invalid" everywhere below
 * frame_limit, so that they need not expect a fault.
 */
static void m2p_finish(void)
{
	paddr_t none = paddr(0);

	for (u64 n = 0; n < m2p_extents(); n++) {
		struct frame *f = frame_of(m2p_extent(n));

		if (m2p_extent(n).v == 0) {
			if (none.v == 0) {
				none = mfn_paddr(boot_frames_alloc(LARGE_PAGE >> PAGE_SHIFT, LARGE_PAGE >> PAGE_SHIFT));
				memset(mfn_virt(paddr_mfn(none)), 0xff, LARGE_PAGE);
			}
			boot_map(M2P_START + n * LARGE_PAGE, none, LARGE_PAGE, PTAB_READ | PTAB_USER);
			continue;
		}
		for (u64 i = 0; i < LARGE_PAGE >> PAGE_SHIFT; i++) {
			f[i].flags |= FRAME_SHARED;
			frame_type_share(&f[i], false);
			f[i].refs = FRAME_ALLOC | 1;
		}
	}
}

static void tables_populate(void)
{
	for (u32 i = 0; i < boot_ram.count; i++) {
		const struct memory_range *r = &boot_ram.range[i];

		for (u64 n = r->start / SECTION_FRAMES; n <= (r->end - 1) / SECTION_FRAMES; n++)
			section_populate(n);
		for (u64 n = r->start / M2P_PAGE_FRAMES; n <= (r->end - 1) / M2P_PAGE_FRAMES; n++)
			m2p_populate(n);
		for (u64 n = MAX(r->start, (u64)LOW_MEMORY_FRAMES); n < r->end; n++)
			frame_of(mfn(n))->flags = FRAME_RAM;
		frame_limit = r->end;
	}
	holes_populate();
	m2p_finish();
	strict_m2p_refresh();
}

/* Gives [start, end) to the heap, each part to its node. */
static void frames_release(u64 start, u64 end)
{
	while (start < end) {
		unsigned int node = heap_node_of(mfn(start));
		u64 part = end;

		for (u32 i = 0; i < acpi_info.memory_ranges; i++) {
			const struct acpi_memory *a = &acpi_info.memory[i];
			u64 first = a->start.v >> PAGE_SHIFT, last = (a->start.v + a->size) >> PAGE_SHIFT;

			if (first > start)
				part = MIN(part, first);
			else if (last > start)
				part = MIN(part, last);
		}
		heap_add(node, start, part);
		start = part;
	}
}

void mm_init(void)
{
	unsigned int nodes = MAX(acpi_info.nodes, 1U);

	tables_populate();
	for (unsigned int i = 0; i < nodes; i++)
		heap_node_init(i, mfn_virt(boot_frames_alloc(1, 1)));
	heap_nodes_sort();
	for (u32 i = 0; i < boot_free.count; i++)
		frames_release(boot_free.range[i].start, boot_free.range[i].end);
	boot_free.count = 0;
	address_space_heap_ready();
	log_info("Memory: %lu MiB in all, %lu MiB free, %u node%s", memory_ram_size() >> 20,
		 heap_free_frames() >> (20 - PAGE_SHIFT), nodes, nodes == 1 ? "" : "s");
}

void mm_boot_release(paddr_t start, u64 size)
{
	u64 first = ROUND_UP(start.v, PAGE_SIZE) >> PAGE_SHIFT, end = (start.v + size) >> PAGE_SHIFT;

	/* Modules may lie in memory that e820 does not call RAM; that is nobody's. */
	while (first < end) {
		u64 part = first;

		while (part < end && frame_valid(mfn(part)))
			part++;
		frames_release(first, part);
		first = MAX(part, first + 1);
	}
}
