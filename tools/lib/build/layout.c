/* SPDX-License-Identifier: BSD-2-Clause */
/* The start-of-day layout that <xen/xen.h> describes at struct start_info, and its page tables. */
#include <errno.h>
#include <string.h>

#include <xen/xen.h>

#include "layout.h"

#define L1_SPAN	      (1ull << 21) /* bytes that one L1 table maps, and so on */
#define L2_SPAN	      (1ull << 30)
#define L3_SPAN	      (1ull << 39)
#define STACK_PADDING (512ull << 10)
#define REGION_ALIGN  (4ull << 20)
#define ENTRIES	      512u

/* present, user, accessed; and writable, dirty */
#define ENTRY_READ  0x25ull
#define ENTRY_WRITE 0x67ull

#define ADDRESS_LOW_END	   0x0000800000000000ull
#define ADDRESS_HIGH_START HYPERVISOR_VIRT_END

static uint64_t pages_of(uint64_t bytes)
{
	return bytes / PAGE_SIZE + (bytes % PAGE_SIZE != 0);
}

/* Tables of one level for [start, end), of which end may be 0 at the top of the address space. */
static uint64_t spans(uint64_t start, uint64_t end, uint64_t span)
{
	return (end - 1) / span - start / span + 1;
}

static uint64_t tables_below_l4(uint64_t start, uint64_t end)
{
	return spans(start, end, L1_SPAN) + spans(start, end, L2_SPAN) + spans(start, end, L3_SPAN);
}

/* May a guest have mappings there? */
static bool range_ok(uint64_t start, uint64_t bytes)
{
	uint64_t last = start + bytes - 1;

	return last >= start && (last < ADDRESS_LOW_END || start >= ADDRESS_HIGH_START);
}

/* Rings, tables and stack from number `next` on. How many tables there are depends on the region's end, which depends on them. */
static void region_close(const struct kernel_info *kernel, struct layout *l, uint64_t next)
{
	l->start_info = next;
	l->store = next + 1;
	l->console = next + 2;
	l->tables = next + 3;
	for (l->table_count = 1;; l->table_count++) {
		uint64_t end;

		l->stack = l->tables + l->table_count;
		end = kernel->virt_base + (l->stack + 1) * PAGE_SIZE + STACK_PADDING;
		end = (end + REGION_ALIGN - 1) / REGION_ALIGN * REGION_ALIGN;
		l->mapped = (end - kernel->virt_base) / PAGE_SIZE;
		if (1 + tables_below_l4(kernel->virt_base, end) <= l->table_count)
			break;
	}
}

static int p2m_outside(const struct kernel_info *kernel, struct layout *l)
{
	uint64_t bytes = l->p2m_pages * PAGE_SIZE, end = kernel->virt_base + l->mapped * PAGE_SIZE;

	l->p2m_address = kernel->init_p2m;
	if (!range_ok(l->p2m_address, bytes))
		return -EINVAL;
	/* The kernel throws these tables away as a whole: they share no L3 table with the region. */
	if (l->p2m_address / L3_SPAN <= (end - 1) / L3_SPAN && kernel->virt_base / L3_SPAN <= (l->p2m_address + bytes - 1) / L3_SPAN)
		return -EINVAL;
	l->p2m = l->used;
	l->p2m_tables = l->p2m + l->p2m_pages;
	l->p2m_table_count = tables_below_l4(l->p2m_address, l->p2m_address + bytes);
	l->used = l->p2m_tables + l->p2m_table_count;
	return 0;
}

int layout_make(const struct kernel_info *kernel, uint64_t ramdisk_bytes, uint64_t pages, struct layout *out)
{
	struct layout l = { .pages = pages, .p2m_pages = pages_of(pages * sizeof(uint64_t)) };
	uint64_t next = pages_of(kernel->end);

	if (pages == 0 || pages > UINT32_MAX)
		return -EINVAL;
	/* Larger ramdisks fit nowhere; this keeps the sums from wrapping around. */
	if (ramdisk_bytes >> 44)
		return -EINVAL;
	l.ramdisk_pages = pages_of(ramdisk_bytes);
	l.ramdisk_mapped = l.ramdisk_pages && !kernel->mod_start_pfn;
	if (l.ramdisk_mapped) {
		l.ramdisk = next;
		next += l.ramdisk_pages;
	}
	l.p2m_outside = kernel->has_init_p2m;
	if (!l.p2m_outside) {
		l.p2m = next;
		l.p2m_address = kernel->virt_base + next * PAGE_SIZE;
		next += l.p2m_pages;
	}
	if (!range_ok(kernel->virt_base, (next + 4) * PAGE_SIZE + STACK_PADDING + REGION_ALIGN))
		return -EINVAL;
	region_close(kernel, &l, next);
	if (!range_ok(kernel->virt_base, l.mapped * PAGE_SIZE))
		return -EINVAL;
	/* A small domain may end before its region does. */
	l.used = l.stack + 1;
	if (l.p2m_outside || (l.ramdisk_pages && !l.ramdisk_mapped))
		l.used = l.mapped;
	if (l.ramdisk_pages && !l.ramdisk_mapped) {
		l.ramdisk = l.used;
		l.used += l.ramdisk_pages;
	}
	if (l.p2m_outside && p2m_outside(kernel, &l))
		return -EINVAL;
	if (l.mapped > pages)
		l.mapped = pages;
	*out = l;
	return l.used <= pages ? 0 : -ENOMEM;
}

/* ---- Page tables ---- */
/* One mapped range: its L3 tables, then L2, then L1 lie one after another from memory `table` and from page number `number` on. */
struct range {
	uint64_t address, count; /* pages */
	uint64_t (*table)[ENTRIES];
	uint64_t number;
};

static uint64_t entry_make(const uint64_t *p2m, uint64_t number, uint64_t flags)
{
	return p2m[number] << PAGE_SHIFT | flags;
}

/*
 * Fills tables `upper` (the first of which maps address / upper_span) with the entries of the `lower` ones.
 * @return how many lower tables there are
 */
static uint64_t level_link(const struct range *r, const uint64_t *p2m, uint64_t (*upper)[ENTRIES], uint64_t upper_span, uint64_t lower,
			   uint64_t lower_span)
{
	uint64_t count = spans(r->address, r->address + r->count * PAGE_SIZE, lower_span);

	for (uint64_t i = 0; i < count; i++) {
		uint64_t slot = r->address / lower_span + i;

		upper[slot / ENTRIES - r->address / upper_span][slot % ENTRIES] = entry_make(p2m, r->number + lower + i, ENTRY_WRITE);
	}
	return count;
}

/* @return the range's L1 tables */
static uint64_t (*range_link(const struct range *r, const uint64_t *p2m, uint64_t *l4))[ENTRIES]
{
	uint64_t l2 = spans(r->address, r->address + r->count * PAGE_SIZE, L3_SPAN), l1;

	for (uint64_t i = 0; i < l2; i++)
		l4[(r->address / L3_SPAN + i) % ENTRIES] = entry_make(p2m, r->number + i, ENTRY_WRITE);
	l1 = l2 + level_link(r, p2m, r->table, L3_SPAN, l2, L2_SPAN);
	level_link(r, p2m, r->table + l2, L2_SPAN, l1, L1_SPAN);
	return r->table + l1;
}

void tables_make(const struct kernel_info *kernel, const struct layout *layout, const uint64_t *p2m, uint64_t (*tables)[512])
{
	struct range region = { .address = kernel->virt_base, .count = layout->mapped, .table = tables + 1, .number = layout->tables + 1 };
	struct range list = { .address = layout->p2m_address, .count = layout->p2m_pages, .table = tables + layout->table_count,
			      .number = layout->p2m_tables };
	uint64_t (*l1)[ENTRIES] = range_link(&region, p2m, tables[0]);
	uint64_t first = region.address / PAGE_SIZE % ENTRIES;

	for (uint64_t i = 0; i < region.count; i++) {
		bool table = i >= layout->tables && i < layout->tables + layout->table_count;

		l1[(first + i) / ENTRIES][(first + i) % ENTRIES] = entry_make(p2m, i, table ? ENTRY_READ : ENTRY_WRITE);
	}
	if (!layout->p2m_outside)
		return;
	l1 = range_link(&list, p2m, tables[0]);
	first = list.address / PAGE_SIZE % ENTRIES;
	for (uint64_t i = 0; i < list.count; i++)
		l1[(first + i) / ENTRIES][(first + i) % ENTRIES] = entry_make(p2m, layout->p2m + i, ENTRY_WRITE);
}
