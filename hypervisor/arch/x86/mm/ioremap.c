/* SPDX-License-Identifier: BSD-2-Clause */
/* Mappings of device and firmware memory, and of guests' frames above the direct map that are needed for long. */
#include <hv/acpi.h>
#include <hv/cpu.h>
#include <hv/log.h>
#include <hv/mm.h>
#include <hv/frame.h>
#include <hv/ioremap.h>
#include <hv/string.h>
#include <hv/tlb.h>

#include "ioremap.h"

#define IO_AREAS 4096

/* Areas in use, ascending; between two there is always an unmapped page. */
struct io_area {
	u32 page, pages;	/* from IOREMAP_START */
};
static struct io_area io_area[IO_AREAS];
static u32 io_areas;

/* Index at which an area of so many pages can be put, and its first page; IO_AREAS when there is no room. */
static u32 area_find(u64 pages, u64 *page)
{
	u64 from = 0;

	if (io_areas == IO_AREAS)
		return IO_AREAS;
	for (u32 i = 0; i < io_areas; i++) {
		if (io_area[i].page >= from + pages + 1) {
			*page = from;
			return i;
		}
		from = (u64)io_area[i].page + io_area[i].pages + 1;
	}
	*page = from;
	return from + pages <= IOREMAP_SIZE >> PAGE_SHIFT ? io_areas : IO_AREAS;
}

void *memory_map_io(paddr_t start, u64 size, enum cache_mode mode)
{
	u64 offset = start.v & ~PAGE_MASK, page, va = 0;
	u64 length = ROUND_UP(offset + size, PAGE_SIZE);
	u32 i;

	if (size == 0 || start.v + size < start.v || length > IOREMAP_SIZE)
		return NULL;
	spin_lock(&hv_ptab_lock);
	i = area_find(length >> PAGE_SHIFT, &page);
	if (i < IO_AREAS) {
		va = IOREMAP_START + (page << PAGE_SHIFT);
		/* Not global, so that iounmap needs an ordinary flush only. */
		if (ptab_map(&hv_ptab, va, paddr(start.v - offset), length, PTAB_READ | PTAB_WRITE, mode) == 0) {
			memmove(&io_area[i + 1], &io_area[i], (io_areas - i) * sizeof(io_area[0]));
			io_area[i] = (struct io_area){ (u32)page, (u32)(length >> PAGE_SHIFT) };
			io_areas++;
			strict_m2p_refresh();
		} else {
			va = 0;
		}
	}
	spin_unlock(&hv_ptab_lock);
	if (va == 0) {
		log_err("No room to map I/O memory at %lx, size %lx", start.v, size);
		return NULL;
	}
	return (void *)(va + offset);
}

void *ioremap(paddr_t p, size_t size)
{
	return memory_map_io(p, size, CACHE_UC);
}

void *ioremap_wc(paddr_t p, size_t size)
{
	return memory_map_io(p, size, CACHE_WC);
}

void iounmap(const volatile void *p, size_t size)
{
	u64 page = ((u64)p - IOREMAP_START) >> PAGE_SHIFT, pages;
	u32 i;

	spin_lock(&hv_ptab_lock);
	for (i = 0; i < io_areas && io_area[i].page != page; i++)
		;
	BUG_ON(i == io_areas);
	pages = io_area[i].pages;
	ASSERT(pages == (ROUND_UP(((u64)p & ~PAGE_MASK) + size, PAGE_SIZE)) >> PAGE_SHIFT);
	(void)size;
	/* The area was mapped page by page or with large pages that end where it ends, so nothing needs to be split. */
	if (ptab_unmap(&hv_ptab, IOREMAP_START + (page << PAGE_SHIFT), pages << PAGE_SHIFT) != 0)
		BUG();
	/* Before the flush is over nobody may get the area anew. */
	tlb_flush_local();
	tlb_flush_mask(&cpu_online_map);
	memmove(&io_area[i], &io_area[i + 1], (io_areas - i - 1) * sizeof(io_area[0]));
	io_areas--;
	spin_unlock(&hv_ptab_lock);
}

void *frame_map_high(mfn_t m)
{
	return memory_map_io(mfn_paddr(m), PAGE_SIZE, CACHE_WB);
}

mfn_t frame_unmap_high(const void *p)
{
	unsigned int level;
	u64 page = (u64)p & PAGE_MASK, entry = ptab_lookup(&hv_ptab, page, &level);

	iounmap((const void *)page, PAGE_SIZE);
	return paddr_mfn(paddr(entry & ptab_x86.address));
}

const void *acpi_memory_map(paddr_t start, size_t size)
{
	static struct { void *p; size_t size; } mapped[2];
	static unsigned int next;
	void *p;

	if (memory_is_ram(start, size) && start.v + size <= DIRECT_MAP_SIZE)
		return (const u8 *)mfn_virt(paddr_mfn(start)) + (start.v & ~PAGE_MASK);
	if (mapped[next].p != NULL)
		iounmap(mapped[next].p, mapped[next].size);
	p = memory_map_io(start, size, CACHE_WB);
	mapped[next].p = p;
	mapped[next].size = size;
	next ^= 1;
	return p;
}
