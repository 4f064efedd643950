/* SPDX-License-Identifier: BSD-2-Clause */
/* Page tables. */
#include "paths.h"

#define LIST 64
#define ENTRIES (PAGE_SIZE / sizeof(u64))

static u64 run_va(unsigned int n, u64 first, u64 second, u64 flags)
{
	u64 bad = 0;

	while (n--)
		bad |= ENTER(update_va_mapping, window, n & 1 ? first : second, flags, 0);
	return bad;
}

static u64 run_va_none(unsigned int n)
{
	return run_va(n, window_pte[0], window_pte[1], UVMF_NONE);
}

static u64 run_va_invlpg(unsigned int n)
{
	return run_va(n, window_pte[0], window_pte[1], UVMF_INVLPG | UVMF_LOCAL);
}

static u64 run_va_invlpg_all(unsigned int n)
{
	return run_va(n, window_pte[0], window_pte[1], UVMF_INVLPG | UVMF_ALL);
}

static u64 run_va_flush(unsigned int n)
{
	return run_va(n, window_pte[0], window_pte[1], UVMF_TLB_FLUSH | UVMF_LOCAL);
}

/* Set and clear in turn, as a kernel that maps and unmaps. */
static u64 run_va_clear(unsigned int n)
{
	return run_va(n, window_pte[0], 0, UVMF_INVLPG | UVMF_LOCAL);
}

/* Write access to and fro, as fork and its copies have it. */
static u64 run_va_protect(unsigned int n)
{
	return run_va(n, window_pte[0], window_pte[0] & ~PTE_RW, UVMF_INVLPG | UVMF_LOCAL);
}

static void finish_va(void)
{
	require(va_map(window, mfn_pte(va_mfn(window), PTE_KERNEL)));
}

static struct mmu_update list[LIST];

static bool setup_update(void)
{
	for (unsigned int i = 0; i < LIST; i++)
		list[i] = (struct mmu_update){ .ptr = pte_maddr(window), .val = window_pte[i & 1] };
	return true;
}

static u64 run_update(unsigned int n)
{
	u64 bad = 0;

	while (n--)
		bad |= ENTER(mmu_update, &list[n & 1], 1, 0, DOMID_SELF);
	return bad;
}

static u64 run_update_64(unsigned int n)
{
	u64 bad = 0;

	while (n--)
		bad |= ENTER(mmu_update, list, LIST, 0, DOMID_SELF);
	return bad;
}

/* The accessed and dirty bits kept, as kernels ask for it when they change protection. */
static bool setup_update_ad(void)
{
	setup_update();
	for (unsigned int i = 0; i < LIST; i++)
		list[i].ptr |= MMU_PT_UPDATE_PRESERVE_AD;
	return true;
}

/* A full page table: its entries map some frames of the domain, writable ones among them. */
static u64 *table;

static bool setup_table(void)
{
	void *data[8];

	table = page_alloc();
	for (unsigned int i = 0; i < ARRAY_SIZE(data); i++)
		data[i] = page_alloc();
	for (unsigned int i = 0; i < ENTRIES; i++)
		table[i] = mfn_pte(va_mfn(data[i % ARRAY_SIZE(data)]), PTE_KERNEL | PTE_US);
	return require(page_protect(table, false));
}

/* As above, of many frames. */
static bool setup_table_frames(void)
{
	const u64 *mfns = (const u64 *)start_info->mfn_list;

	table = page_alloc();
	/* The last ones: nothing else is there. */
	for (unsigned int i = 0; i < ENTRIES; i++)
		table[i] = mfn_pte(mfns[start_info->nr_pages - 1 - i], PTE_KERNEL | PTE_US);
	return require(page_protect(table, false));
}

static bool setup_table_readonly(void)
{
	const u64 *mfns = (const u64 *)start_info->mfn_list;

	table = page_alloc();
	for (unsigned int i = 0; i < ENTRIES; i++)
		table[i] = mfn_pte(mfns[start_info->nr_pages - 1 - i], PTE_READONLY | PTE_US);
	return require(page_protect(table, false));
}

static u64 run_pin(unsigned int n)
{
	struct mmuext_op pin = { .cmd = MMUEXT_PIN_L1_TABLE, .arg1.mfn = va_mfn(table) };
	struct mmuext_op unpin = { .cmd = MMUEXT_UNPIN_TABLE, .arg1.mfn = va_mfn(table) };
	u64 bad = 0;

	while (n--) {
		bad |= ENTER(mmuext_op, &pin, 1, 0, DOMID_SELF);
		bad |= ENTER(mmuext_op, &unpin, 1, 0, DOMID_SELF);
	}
	return bad;
}

static void finish_table(void)
{
	require(page_protect(table, true));
}

/* An empty one. */
static bool setup_table_empty(void)
{
	table = page_alloc();
	return require(page_protect(table, false));
}

/* An L2 entry set and cleared: a page table is validated and given up, as a process that grows and shrinks has it. */
static bool setup_l2(void)
{
	const u64 *entry;
	u64 va = 0x100000000000UL;

	if (!setup_table_frames() || !require(root_map(kernel_root(), va, 0)))
		return false;
	entry = pte_find_in(kernel_root(), va + (2UL << 20), 2);
	if (!entry)
		return false;
	list[0] = (struct mmu_update){ .ptr = entry_maddr(entry), .val = mfn_pte(va_mfn(table), PTE_TABLE) };
	list[1] = (struct mmu_update){ .ptr = entry_maddr(entry), .val = 0 };
	return true;
}

static u64 run_l2(unsigned int n)
{
	u64 bad = 0;

	while (n--) {
		bad |= ENTER(mmu_update, &list[0], 1, 0, DOMID_SELF);
		bad |= ENTER(mmu_update, &list[1], 1, 0, DOMID_SELF);
	}
	return bad;
}

static u64 *second_root;

/* A second top-level table with the same contents. */
static bool setup_baseptr(void)
{
	second_root = page_alloc();
	for (unsigned int i = 0; i < ENTRIES; i++)
		if (i < 256 || i > 271)
			second_root[i] = kernel_root()[i];
	return require(table_pin(second_root, 4));
}

static u64 run_baseptr(unsigned int n)
{
	struct mmuext_op op[2] = { { .cmd = MMUEXT_NEW_BASEPTR, .arg1.mfn = va_mfn(second_root) },
				   { .cmd = MMUEXT_NEW_BASEPTR, .arg1.mfn = va_mfn(kernel_root()) } };
	u64 bad = 0;

	while (n--)
		bad |= ENTER(mmuext_op, &op[n & 1 ? 0 : 1], 1, 0, DOMID_SELF);
	return bad;
}

static void finish_baseptr(void)
{
	require(table_unpin(second_root));
}

static u64 run_ext(unsigned int n, unsigned int cmd)
{
	struct mmuext_op op = { .cmd = cmd, .arg1.linear_addr = (u64)window };
	u64 bad = 0;

	while (n--)
		bad |= ENTER(mmuext_op, &op, 1, 0, DOMID_SELF);
	return bad;
}

static u64 run_invlpg(unsigned int n)
{
	return run_ext(n, MMUEXT_INVLPG_LOCAL);
}

static u64 run_invlpg_all(unsigned int n)
{
	return run_ext(n, MMUEXT_INVLPG_ALL);
}

static u64 run_flush(unsigned int n)
{
	return run_ext(n, MMUEXT_TLB_FLUSH_LOCAL);
}

static u64 run_flush_all(unsigned int n)
{
	return run_ext(n, MMUEXT_TLB_FLUSH_ALL);
}

/* What Linux's switch of processes asks for: kernel and user tables, stack, in one multicall. */
static struct mmuext_op switch_op[2];
static struct multicall_entry switch_calls[2];

static bool setup_switch(void)
{
	if (!setup_baseptr())
		return false;
	switch_op[0] = (struct mmuext_op){ .cmd = MMUEXT_NEW_BASEPTR };
	switch_op[1] = (struct mmuext_op){ .cmd = MMUEXT_NEW_USER_BASEPTR, .arg1.mfn = va_mfn(second_root) };
	switch_calls[0] = (struct multicall_entry){ .op = __HYPERVISOR_stack_switch,
						    .args = { FLAT_KERNEL_SS, (u64)vcpu_this()->trap_stack } };
	switch_calls[1] = (struct multicall_entry){ .op = __HYPERVISOR_mmuext_op,
						    .args = { (u64)switch_op, 2, 0, DOMID_SELF } };
	return true;
}

static u64 run_switch(unsigned int n)
{
	u64 bad = 0, root[2] = { va_mfn(second_root), va_mfn(kernel_root()) };

	while (n--) {
		switch_op[0].arg1.mfn = root[n & 1 ? 0 : 1];
		bad |= ENTER(multicall, switch_calls, 2, 0, 0);
		bad |= (u64)switch_calls[1].result;
	}
	return bad;
}

static void finish_switch(void)
{
	require(mmuext_mfn(MMUEXT_NEW_USER_BASEPTR, 0));
	finish_baseptr();
}

const struct path paths_mmu[] = {
	{ "va_map", .table = true, .run = run_va_none, .finish = finish_va },
	{ "va_map_invlpg", .table = true, .run = run_va_invlpg, .finish = finish_va },
	{ "va_map_invlpg_all", .run = run_va_invlpg_all, .finish = finish_va },
	{ "va_map_flush", .run = run_va_flush, .finish = finish_va },
	{ "va_map_clear", .run = run_va_clear, .finish = finish_va },
	{ "va_map_protect", .run = run_va_protect, .finish = finish_va },
	{ "mmu_update_1", .table = true, .setup = setup_update, .run = run_update, .finish = finish_va },
	{ "mmu_update_64", .table = true, .per = LIST, .setup = setup_update, .run = run_update_64, .finish = finish_va },
	{ "mmu_update_64_ad", .per = LIST, .setup = setup_update_ad, .run = run_update_64, .finish = finish_va },
	{ "mmu_update_l2", .per = 2, .setup = setup_l2, .run = run_l2, .finish = finish_table },
	{ "new_baseptr", .table = true, .setup = setup_baseptr, .run = run_baseptr, .finish = finish_baseptr },
	{ "process_switch", .setup = setup_switch, .run = run_switch, .finish = finish_switch },
	{ "invlpg_local", .table = true, .run = run_invlpg },
	{ "invlpg_all", .run = run_invlpg_all },
	{ "tlb_flush_local", .run = run_flush },
	{ "tlb_flush_all", .run = run_flush_all },
	{ "pin_l1_writable", .setup = setup_table_frames, .run = run_pin, .finish = finish_table },
	{ "pin_l1_same_frames", .setup = setup_table, .run = run_pin, .finish = finish_table },
	{ "pin_l1", .table = true, .setup = setup_table_readonly, .run = run_pin, .finish = finish_table },
	{ "pin_l1_empty", .setup = setup_table_empty, .run = run_pin, .finish = finish_table },
	{ 0 },
};
