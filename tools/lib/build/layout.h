/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to libargonbuild: where everything lies in a new domain's memory. Pure. */
#ifndef BUILD_LAYOUT_H
#define BUILD_LAYOUT_H

#include "kernel.h"

/*
 * Numbers are pseudo-physical frames; a page of the first region with number n is mapped at virt_base + n * PAGE_SIZE. The
 * region holds everything from number 0 to mapped; what follows it is the ramdisk, when the kernel wants it unmapped, and the
 * P2M list with its page tables, when the kernel wants it at an address of its own.
 */
struct layout {
	uint64_t pages; /* the domain's */
	uint64_t ramdisk, ramdisk_pages;
	uint64_t p2m, p2m_pages;
	uint64_t p2m_tables, p2m_table_count; /* only when it is outside of the region */
	uint64_t start_info, store, console;
	uint64_t tables, table_count; /* the first is the L4 */
	uint64_t stack;
	uint64_t mapped;
	uint64_t used; /* numbers up to here have a purpose */
	uint64_t p2m_address; /* virtual */
	bool ramdisk_mapped, p2m_outside;
};

/* 0; -ENOMEM: more pages are needed, see out->used; -EINVAL: the kernel's addresses cannot be. No reason is set. */
int layout_make(const struct kernel_info *kernel, uint64_t ramdisk_bytes, uint64_t pages, struct layout *out);

/*
 * The page tables of a layout, as entries with machine frames.
 * @param p2m      machine frame of each page of the domain
 * @param tables   zeroed memory for table_count + p2m_table_count tables, which lie at those numbers one after another
 */
void tables_make(const struct kernel_info *kernel, const struct layout *layout, const uint64_t *p2m, uint64_t (*tables)[512]);

#endif
