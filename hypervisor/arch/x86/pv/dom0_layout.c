/* SPDX-License-Identifier: BSD-2-Clause */
/* Start-of-day memory layout of dom0. Pure. */
#include <hv/errno.h>
#include <hv/guest.h>
#include "dom0.h"

#define L1_SPAN (1UL << 21)	/* bytes mapped by one L1 table, and so on */
#define L2_SPAN (1UL << 30)
#define L3_SPAN (1UL << 39)
#define STACK_PADDING (512UL << 10)
#define REGION_ALIGN (4UL << 20)

static u64 spans(u64 start, u64 end, u64 span)
{
	/* Widths up to the last byte: end may be 0 at the top of the address space. */
	return (end - 1) / span - start / span + 1;
}

/* Tables of the lower three levels for [start, end). */
static u64 tables_below_l4(u64 start, u64 end)
{
	return spans(start, end, L1_SPAN) + spans(start, end, L2_SPAN) + spans(start, end, L3_SPAN);
}

static u64 page_up(u64 x)
{
	return ROUND_UP(x, PAGE_SIZE);
}

/* Places start info, tables and stack from `next` on; the number of tables depends on the end, which depends on it. */
static void region_close(struct dom0_layout *l, u64 next)
{
	l->start_info = next;
	l->tables = next + PAGE_SIZE;
	for (l->nr_tables = 1;; l->nr_tables++) {
		l->stack = l->tables + l->nr_tables * PAGE_SIZE;
		l->end = ROUND_UP(l->stack + PAGE_SIZE + STACK_PADDING, REGION_ALIGN);
		if (1 + tables_below_l4(l->base, l->end) <= l->nr_tables)
			break;
	}
}

int dom0_layout_make(struct dom0_layout *l, const struct elf_pv_layout *kernel, bool initrd_unmapped, u64 initrd_size,
		     u64 pages)
{
	u64 next = page_up(kernel->kernel_end);
	u64 p2m_bytes = page_up(pages * sizeof(u64));
	u64 pfn;

	*l = (struct dom0_layout){ .base = kernel->virt_base, .initrd_size = initrd_size };
	if (kernel->kernel_start < kernel->virt_base || kernel->virt_base % PAGE_SIZE || next < kernel->kernel_end)
		return -EINVAL;
	l->initrd_mapped = initrd_size && !initrd_unmapped;
	if (l->initrd_mapped) {
		l->initrd = next;
		next += page_up(initrd_size);
	}
	l->p2m_outside = kernel->has_init_p2m;
	if (!l->p2m_outside) {
		l->p2m = next;
		next += p2m_bytes;
	}
	if (next < kernel->kernel_end || next - l->base > pages * PAGE_SIZE)
		return -ENOMEM;
	region_close(l, next);
	if (l->end < next || !guest_range_ok(l->base, l->end - l->base))
		return -EINVAL;

	pfn = (l->end - l->base) / PAGE_SIZE;
	if (initrd_size && !l->initrd_mapped) {
		l->initrd = pfn << PAGE_SHIFT;
		pfn += page_up(initrd_size) / PAGE_SIZE;
	}
	if (l->p2m_outside) {
		l->p2m = kernel->init_p2m;
		l->p2m_first_pfn = pfn;
		l->p2m_pages = p2m_bytes / PAGE_SIZE;
		l->p2m_tables = tables_below_l4(l->p2m, l->p2m + p2m_bytes);
		pfn += l->p2m_pages + l->p2m_tables;
		/* Each of the two regions has L3 tables of its own. */
		if (l->p2m % PAGE_SIZE || !guest_range_ok(l->p2m, p2m_bytes) ||
		    (l->p2m / L3_SPAN <= (l->end - 1) / L3_SPAN && l->base / L3_SPAN <= (l->p2m + p2m_bytes - 1) / L3_SPAN))
			return -EINVAL;
	}
	l->pfns_used = pfn;
	return pfn <= pages ? 0 : -ENOMEM;
}

mfn_t dom0_mfn(const struct dom0_memory_map *map, u64 pfn)
{
	u32 lo = 0, hi = map->count;

	while (hi - lo > 1) {
		u32 mid = (lo + hi) / 2;

		if (map->extent[mid].pfn <= pfn)
			lo = mid;
		else
			hi = mid;
	}
	return mfn(map->extent[lo].mfn + (pfn - map->extent[lo].pfn));
}
