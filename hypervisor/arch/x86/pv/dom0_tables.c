/* SPDX-License-Identifier: BSD-2-Clause */
/* dom0's first page tables: raw entries, which normal validation checks when the root is loaded. */
#include <hv/frame.h>
#include <hv/log.h>
#include <hv/pv.h>
#include <hv/string.h>
#include "dom0.h"

/* present, user, accessed; writable and dirty on top */
#define ENTRY_RO 0x25UL
#define ENTRY_RW 0x67UL
#define ENTRIES 512u

/* Page-table pages are handed out from a run of pfns. */
struct builder {
	const struct dom0_memory_map *map;
	mfn_t l4;
	u64 next, end;		/* pfns */
};

void *dom0_page(const struct dom0_memory_map *map, u64 pfn)
{
	return frame_map(dom0_mfn(map, pfn));
}

/* Takes the next page for a table. */
static mfn_t table_new(struct builder *b)
{
	mfn_t m;
	void *table;

	BUG_ON(b->next == b->end);
	m = dom0_mfn(b->map, b->next++);
	table = frame_map(m);
	memset(table, 0, PAGE_SIZE);
	frame_unmap(table);
	return m;
}

static void page_map(struct builder *b, u64 va, mfn_t m, u64 flags)
{
	mfn_t at = b->l4;
	u64 *table;

	for (unsigned int shift = 39; shift > PAGE_SHIFT; shift -= 9) {
		u64 *entry;

		table = frame_map(at);
		entry = &table[(va >> shift) % ENTRIES];
		if (!*entry)
			*entry = mfn_paddr(table_new(b)).v | ENTRY_RW;
		at = paddr_mfn(paddr(*entry));
		frame_unmap(table);
	}
	table = frame_map(at);
	table[(va >> PAGE_SHIFT) % ENTRIES] = mfn_paddr(m).v | flags;
	frame_unmap(table);
}

mfn_t dom0_tables_make(const struct dom0_layout *l, const struct dom0_memory_map *map)
{
	u64 first = (l->tables - l->base) / PAGE_SIZE;
	struct builder b = { .map = map, .next = first, .end = first + l->nr_tables };

	/* The root comes first: start_info.pt_base names it. */
	b.l4 = table_new(&b);
	for (u64 va = l->base; va < l->end; va += PAGE_SIZE) {
		u64 pfn = (va - l->base) / PAGE_SIZE;
		bool table = pfn >= first && pfn < first + l->nr_tables;

		page_map(&b, va, dom0_mfn(map, pfn), table ? ENTRY_RO : ENTRY_RW);
	}
	if (l->p2m_outside) {
		b.next = l->p2m_first_pfn + l->p2m_pages;
		b.end = b.next + l->p2m_tables;
		for (u64 i = 0; i < l->p2m_pages; i++)
			page_map(&b, l->p2m + i * PAGE_SIZE, dom0_mfn(map, l->p2m_first_pfn + i), ENTRY_RW);
	}
	return dom0_mfn(map, first);
}
