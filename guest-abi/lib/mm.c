/* SPDX-License-Identifier: BSD-2-Clause */
#include <guest/hypercall.h>
#include <guest/mm.h>
#include <guest/start.h>

#define POOL_PAGES 512

static u8 pool[POOL_PAGES][PAGE_SIZE] PAGE_ALIGNED;
static void *pool_free; /* list through the first word */
static unsigned int pool_used;

u64 pfn_mfn(u64 pfn)
{
	return ((const u64 *)start_info->mfn_list)[pfn];
}

u64 mfn_pfn(u64 mfn)
{
	return machine_to_phys_mapping[mfn];
}

u64 va_mfn(const void *va)
{
	return pfn_mfn(va_pfn(va));
}

void *page_alloc(void)
{
	void *page = pool_free;

	if (page) {
		pool_free = *(void **)page;
		*(void **)page = NULL;
		return page;
	}
	if (pool_used == POOL_PAGES)
		guest_panic("no pages left\n");
	return pool[pool_used++];
}

void page_free(void *page)
{
	memset(page, 0, PAGE_SIZE);
	*(void **)page = pool_free;
	pool_free = page;
}

u64 *kernel_root(void)
{
	return (u64 *)start_info->pt_base;
}

/* Tables are in the first region, which maps them read-only at the address of their pseudo-physical frame. */
static const u64 *table_of(u64 entry)
{
	return pfn_va(mfn_pfn(pte_mfn(entry)));
}

static unsigned int table_index(u64 va, unsigned int level)
{
	return va >> (PAGE_SHIFT + 9 * (level - 1)) & 511;
}

const u64 *pte_find_in(const u64 *root, u64 va, unsigned int level)
{
	const u64 *table = root;
	unsigned int l;

	/* The hypervisor's tables are not for guests to look into. */
	if (va >= HYPERVISOR_VIRT_START && va < HYPERVISOR_VIRT_END)
		return NULL;
	for (l = 4; l > level; l--) {
		u64 entry = table[table_index(va, l)];

		if (!(entry & PTE_P))
			return NULL;
		table = table_of(entry);
	}
	return &table[table_index(va, level)];
}

const u64 *pte_find(const void *va)
{
	return pte_find_in(kernel_root(), (u64)va, 1);
}

u64 entry_maddr(const u64 *entry)
{
	return va_mfn(entry) << PAGE_SHIFT | ((u64)entry & ~PAGE_MASK);
}

u64 pte_maddr(const void *va)
{
	const u64 *entry = pte_find(va);

	return entry ? entry_maddr(entry) : 0;
}

int va_map(const void *va, u64 pte)
{
	return (int)HYPERVISOR_update_va_mapping((u64)va, pte, UVMF_INVLPG | UVMF_ALL);
}

int mmu_update_one(u64 ptr, u64 val)
{
	struct mmu_update req = { .ptr = ptr, .val = val };
	unsigned int done = 0;

	return (int)HYPERVISOR_mmu_update(&req, 1, &done, DOMID_SELF);
}

int mmuext_mfn(unsigned int cmd, u64 mfn)
{
	struct mmuext_op op = { .cmd = cmd, .arg1.mfn = mfn };
	unsigned int done = 0;

	return (int)HYPERVISOR_mmuext_op(&op, 1, &done, DOMID_SELF);
}

int mmuext_addr(unsigned int cmd, const void *va)
{
	struct mmuext_op op = { .cmd = cmd, .arg1.linear_addr = (u64)va };
	unsigned int done = 0;

	return (int)HYPERVISOR_mmuext_op(&op, 1, &done, DOMID_SELF);
}

int page_protect(const void *page, bool writable)
{
	return va_map(page, mfn_pte(va_mfn(page), writable ? PTE_KERNEL : PTE_READONLY));
}

int table_pin(const void *page, unsigned int level)
{
	int ret = page_protect(page, false);

	if (ret)
		return ret;
	ret = mmuext_mfn(MMUEXT_PIN_L1_TABLE + level - 1, va_mfn(page));
	if (ret)
		page_protect(page, true);
	return ret;
}

int table_unpin(const void *page)
{
	int ret = mmuext_mfn(MMUEXT_UNPIN_TABLE, va_mfn(page));

	return ret ? ret : page_protect(page, true);
}

int root_map(const u64 *root, u64 va, u64 pte)
{
	unsigned int level;
	int ret;

	for (level = 4; level > 1; level--) {
		const u64 *entry = pte_find_in(root, va, level);
		void *table;

		if (*entry & PTE_P)
			continue;
		table = page_alloc();
		ret = page_protect(table, false);
		if (ret)
			return ret;
		ret = mmu_update_one(entry_maddr(entry), mfn_pte(va_mfn(table), PTE_TABLE));
		if (ret)
			return ret;
	}
	return mmu_update_one(entry_maddr(pte_find_in(root, va, 1)), pte);
}

void mm_init(void)
{
	/* Everything here relies on it. */
	if (!pte_find(pool) || pte_mfn(*pte_find(pool)) != va_mfn(pool))
		guest_panic("the first mapping is not what start_info says\n");
}
