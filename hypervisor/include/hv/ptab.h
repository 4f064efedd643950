/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page-table engine: radix trees of 512 8-byte entries, up to five levels, with the format given as data. The
 * hypervisor's own map uses ptab_x86; nested paging, EPT and IOMMU formats need another struct ptab_format only.
 * Tables come from the struct ptab's alloc and are reached through the direct map. The caller serialises changes of one
 * struct ptab and flushes TLBs; entries are written with single 8-byte stores, so hardware may walk meanwhile.
 */
#ifndef HV_PTAB_H
#define HV_PTAB_H

#include <hv/types.h>
#include <hv/compiler.h>

/* Rights and kinds of a mapping. */
#define PTAB_READ 1u
#define PTAB_WRITE 2u
#define PTAB_EXEC 4u
#define PTAB_USER 8u
#define PTAB_GLOBAL 16u
#define PTAB_RIGHTS 5	/* number of bits */

#define PTAB_LEVELS 5
#define PTAB_CACHE_MODES 6

struct ptab_format {
	u64 present;			/* an entry is present when it has any of these bits */
	u64 address;			/* mask of the frame address */
	u64 leaf_mask, leaf_value;	/* above level 1 an entry with (entry & leaf_mask) == leaf_value maps a large page */
	u64 table[PTAB_LEVELS + 1];	/* bits of an entry of level n that points to a table */
	u64 leaf[PTAB_LEVELS + 1];	/* bits that every leaf of level n has */
	u64 with[PTAB_RIGHTS];		/* bits for each right that a leaf has */
	u64 without[PTAB_RIGHTS];	/* ... and that it has not */
	u64 cache[PTAB_CACHE_MODES];	/* enum cache_mode (hv/mm.h) of a leaf of level 1 */
	u64 cache_large[PTAB_CACHE_MODES];
};

struct ptab {
	const struct ptab_format *format;
	mfn_t (*alloc)(void);		/* one zeroed frame below the end of the direct map, or INVALID_MFN */
	mfn_t root;			/* INVALID_MFN: none yet */
	u8 levels;
	u8 leaf_levels;			/* highest level that may be a leaf: 1 4 KiB, 2 2 MiB, 3 1 GiB */
};

/* 4-level long mode paging; CPUs without NX are not supported. */
extern const struct ptab_format ptab_x86;

/* Size of what an entry of this level maps. */
static inline u64 ptab_level_size(unsigned int level)
{
	return 1UL << (PAGE_SHIFT + 9 * (level - 1));
}

/*
 * Maps [va, va + size) to pa on, with the largest pages that fit, over whatever was there (large pages are split where
 * needed). va, pa, size are multiples of 4 KiB. 0, or -ENOMEM with a part mapped. Work is proportional to size.
 */
int ptab_map(struct ptab *pt, u64 va, paddr_t pa, u64 size, u32 rights, unsigned int cache) must_check;
/* Takes mappings away; tables stay. 0, or -ENOMEM (a large page had to be split; some may be unmapped then). */
int ptab_unmap(struct ptab *pt, u64 va, u64 size) must_check;
/* Makes sure that tables down to level 1 exist for va and returns va's level 1 entry, or NULL. No large page may be there. */
u64 *ptab_entry(struct ptab *pt, u64 va) must_check;
/* Leaf entry that maps va and its level; 0 when there is none. */
u64 ptab_lookup(const struct ptab *pt, u64 va, unsigned int *level);

#endif
