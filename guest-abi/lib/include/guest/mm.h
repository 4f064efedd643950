/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory. The kernel lives in the region that the builder mapped at VIRT_BASE: pseudo-physical frame n is mapped there
 * at VIRT_BASE + n pages. Pages for general use come from a pool in that region, so their page-table entries exist.
 */
#ifndef GUEST_MM_H
#define GUEST_MM_H

#include <guest/types.h>
#include <xen/xen.h>

#define VIRT_BASE 0xffffffff80000000UL

#define PTE_P	 (1UL << 0)
#define PTE_RW	 (1UL << 1)
#define PTE_US	 (1UL << 2)
#define PTE_PWT	 (1UL << 3)
#define PTE_PCD	 (1UL << 4)
#define PTE_A	 (1UL << 5)
#define PTE_D	 (1UL << 6)
#define PTE_PSE	 (1UL << 7)
#define PTE_G	 (1UL << 8)
#define PTE_SW0	 (1UL << 9)
#define PTE_NX	 (1UL << 63)
#define PTE_ADDR 0x000ffffffffff000UL
/* What mappings and tables of the kernel have. */
#define PTE_KERNEL   (PTE_P | PTE_RW | PTE_A | PTE_D)
#define PTE_READONLY (PTE_P | PTE_A)
#define PTE_TABLE    (PTE_P | PTE_RW | PTE_US | PTE_A)

static inline u64 mfn_pte(u64 mfn, u64 flags)
{
	return mfn << PAGE_SHIFT | flags;
}

static inline u64 pte_mfn(u64 pte)
{
	return (pte & PTE_ADDR) >> PAGE_SHIFT;
}

static inline u64 va_pfn(const void *va)
{
	return ((u64)va - VIRT_BASE) >> PAGE_SHIFT;
}

static inline void *pfn_va(u64 pfn)
{
	return (void *)(VIRT_BASE + (pfn << PAGE_SHIFT));
}

u64 pfn_mfn(u64 pfn);
/* From the machine-to-physical table; meaningful for frames of this domain. */
u64 mfn_pfn(u64 mfn);
u64 va_mfn(const void *va);

/* Zeroed pages of the pool, mapped writable. page_free expects them so again. */
void *page_alloc(void);
void page_free(void *page);

/* The L1 entry that maps va in the kernel's tables: a read-only view of it, and its machine address (0: no table). */
const u64 *pte_find(const void *va);
u64 pte_maddr(const void *va);
/* The entry at a level (1 to 4) in the tree below a top-level table. */
const u64 *pte_find_in(const u64 *root, u64 va, unsigned int level);
u64 entry_maddr(const u64 *entry);

/* Change the L1 entry of va with update_va_mapping, and flush it here. Returns 0 or a negated error. */
int va_map(const void *va, u64 pte);
/* One mmu_update request. */
int mmu_update_one(u64 ptr, u64 val);
/* One mmuext operation on a frame, or on an address. */
int mmuext_mfn(unsigned int cmd, u64 mfn);
int mmuext_addr(unsigned int cmd, const void *va);

/* Map a pool page read-only or writable. */
int page_protect(const void *page, bool writable);
/* Make a page, which has the contents of a table, read-only and pin it at a level; and back. */
int table_pin(const void *page, unsigned int level);
int table_unpin(const void *page);

/*
 * Maps a frame at any address below the top-level table `root` (null: the kernel's), making tables from the pool as
 * needed. Returns 0 or a negated error.
 */
int root_map(const u64 *root, u64 va, u64 pte);
/* The kernel's top-level table. */
u64 *kernel_root(void);

static inline void flush_page(const void *va)
{
	mmuext_addr(MMUEXT_INVLPG_LOCAL, va);
}

void mm_init(void);

#endif
