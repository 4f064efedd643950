/* SPDX-License-Identifier: BSD-2-Clause */
#include <hv/bug.h>
#include <hv/errno.h>
#include <hv/frame.h>
#include <hv/mm.h>
#include <hv/ptab.h>

#define PTE_P (1UL << 0)
#define PTE_RW (1UL << 1)
#define PTE_US (1UL << 2)
#define PTE_PWT (1UL << 3)
#define PTE_PCD (1UL << 4)
#define PTE_A (1UL << 5)
#define PTE_D (1UL << 6)
#define PTE_PS (1UL << 7)
#define PTE_PAT (1UL << 7)
#define PTE_G (1UL << 8)
#define PTE_PAT_LARGE (1UL << 12)
#define PTE_NX (1UL << 63)
#define X86_TABLE (PTE_P | PTE_RW | PTE_US | PTE_A)
#define X86_LEAF (PTE_P | PTE_A | PTE_D)

const struct ptab_format ptab_x86 = {
	.present = PTE_P,
	.address = 0x000ffffffffff000UL,
	.leaf_mask = PTE_PS,
	.leaf_value = PTE_PS,
	.table = { 0, 0, X86_TABLE, X86_TABLE, X86_TABLE, X86_TABLE },
	.leaf = { 0, X86_LEAF, X86_LEAF | PTE_PS, X86_LEAF | PTE_PS, 0, 0 },
	.with = { 0, PTE_RW, 0, PTE_US, PTE_G },
	.without = { 0, 0, PTE_NX, 0, 0 },
	.cache = { 0, PTE_PWT, PTE_PCD, PTE_PWT | PTE_PCD, PTE_PAT, PTE_PAT | PTE_PWT },
	.cache_large = { 0, PTE_PWT, PTE_PCD, PTE_PWT | PTE_PCD, PTE_PAT_LARGE, PTE_PAT_LARGE | PTE_PWT },
};
_Static_assert(PTAB_CACHE_MODES == (int)CACHE_MODES, "cache modes");

static u64 *table_of(const struct ptab_format *f, u64 entry)
{
	return mfn_virt(mfn((entry & f->address) >> PAGE_SHIFT));
}

static bool entry_present(const struct ptab_format *f, u64 entry)
{
	return (entry & f->present) != 0;
}

static bool entry_is_leaf(const struct ptab_format *f, unsigned int level, u64 entry)
{
	return level == 1 || (entry & f->leaf_mask) == f->leaf_value;
}

static unsigned int table_index(u64 va, unsigned int level)
{
	return (unsigned int)(va >> (PAGE_SHIFT + 9 * (level - 1))) & 511;
}

static u64 leaf_bits(const struct ptab_format *f, unsigned int level, u32 rights, unsigned int cache)
{
	u64 bits = f->leaf[level] | (level == 1 ? f->cache[cache] : f->cache_large[cache]);

	for (unsigned int i = 0; i < PTAB_RIGHTS; i++)
		bits |= rights & (1u << i) ? f->with[i] : f->without[i];
	return bits;
}

/* The attribute bits of a large leaf, as its parts one level below need them. */
static u64 split_bits(const struct ptab_format *f, unsigned int level, u64 entry)
{
	u64 cache_bits = 0, mode = 0, bits;

	for (unsigned int i = 0; i < PTAB_CACHE_MODES; i++)
		cache_bits |= f->cache_large[i];
	for (unsigned int i = 0; i < PTAB_CACHE_MODES; i++)
		if ((entry & cache_bits) == f->cache_large[i])
			mode = level - 1 == 1 ? f->cache[i] : f->cache_large[i];
	bits = entry & ~(f->address & ~(ptab_level_size(level) - 1)) & ~f->leaf[level] & ~cache_bits;
	return bits | f->leaf[level - 1] | mode;
}

/* Puts a new table into *entry (of this level): empty, or with the parts of the large page that was there. */
static bool table_insert(struct ptab *pt, u64 *entry, unsigned int level)
{
	const struct ptab_format *f = pt->format;
	mfn_t m = pt->alloc();
	u64 *table, old = *entry;

	if (mfn_eq(m, INVALID_MFN))
		return false;
	if (entry_present(f, old)) {
		u64 bits = split_bits(f, level, old);
		u64 pa = old & f->address & ~(ptab_level_size(level) - 1);

		table = mfn_virt(m);
		for (unsigned int i = 0; i < 512; i++)
			table[i] = (pa + i * ptab_level_size(level - 1)) | bits;
	}
	WRITE_ONCE(*entry, (m.v << PAGE_SHIFT) | f->table[level]);
	return true;
}

static bool root_ensure(struct ptab *pt)
{
	if (mfn_eq(pt->root, INVALID_MFN))
		pt->root = pt->alloc();
	return !mfn_eq(pt->root, INVALID_MFN);
}

/* The entry of `level` for va. Tables that are missing are added, larger pages split. NULL when out of memory. */
static u64 *entry_walk(struct ptab *pt, u64 va, unsigned int level)
{
	const struct ptab_format *f = pt->format;
	u64 *entry;

	if (!root_ensure(pt))
		return NULL;
	entry = (u64 *)mfn_virt(pt->root) + table_index(va, pt->levels);
	for (unsigned int l = pt->levels; l > level; l--) {
		if (!entry_present(f, *entry) || entry_is_leaf(f, l, *entry))
			if (!table_insert(pt, entry, l))
				return NULL;
		entry = table_of(f, *entry) + table_index(va, l - 1);
	}
	return entry;
}

/* The deepest existing entry for va, not below `level`. */
static u64 *entry_find(const struct ptab *pt, u64 va, unsigned int *level)
{
	const struct ptab_format *f = pt->format;
	unsigned int l = pt->levels;
	u64 *entry = (u64 *)mfn_virt(pt->root) + table_index(va, l);

	while (l > *level && entry_present(f, *entry) && !entry_is_leaf(f, l, *entry)) {
		l--;
		entry = table_of(f, *entry) + table_index(va, l);
	}
	*level = l;
	return entry;
}

/* The highest level at which a page at va and pa fits into size. */
static unsigned int page_level(unsigned int top, u64 va, u64 pa, u64 size)
{
	unsigned int level = 1;

	while (level < top && ((va | pa) & (ptab_level_size(level + 1) - 1)) == 0 && size >= ptab_level_size(level + 1))
		level++;
	return level;
}

int ptab_map(struct ptab *pt, u64 va, paddr_t pa, u64 size, u32 rights, unsigned int cache)
{
	const struct ptab_format *f = pt->format;

	while (size > 0) {
		unsigned int level = page_level(pt->leaf_levels, va, pa.v, size);
		u64 *entry = entry_walk(pt, va, level);

		/* Where tables are, they stay. */
		while (entry != NULL && level > 1 && entry_present(f, *entry) && !entry_is_leaf(f, level, *entry))
			entry = entry_walk(pt, va, --level);
		if (entry == NULL)
			return -ENOMEM;
		WRITE_ONCE(*entry, pa.v | leaf_bits(f, level, rights, cache));
		va += ptab_level_size(level);
		pa.v += ptab_level_size(level);
		size -= ptab_level_size(level);
	}
	return 0;
}

int ptab_unmap(struct ptab *pt, u64 va, u64 size)
{
	const struct ptab_format *f = pt->format;
	u64 end = va + size;

	if (mfn_eq(pt->root, INVALID_MFN))
		return 0;
	while (va != end) {
		unsigned int level = 1;
		u64 *entry = entry_find(pt, va, &level);
		u64 page = ptab_level_size(level), rest = page - (va & (page - 1));

		if (entry_present(f, *entry)) {
			if ((va & (page - 1)) != 0 || end - va < page) {
				if (!table_insert(pt, entry, level))
					return -ENOMEM;
				continue;
			}
			WRITE_ONCE(*entry, 0);
		}
		va += MIN(rest, end - va);
	}
	return 0;
}

u64 *ptab_entry(struct ptab *pt, u64 va)
{
	return entry_walk(pt, va, 1);
}

u64 ptab_lookup(const struct ptab *pt, u64 va, unsigned int *level)
{
	u64 *entry;

	*level = 1;
	if (mfn_eq(pt->root, INVALID_MFN))
		return 0;
	entry = entry_find(pt, va, level);
	return entry_present(pt->format, *entry) ? *entry : 0;
}
