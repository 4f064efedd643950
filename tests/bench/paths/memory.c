/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages and grants. */
#include "paths.h"

#include <xen/memory.h>

static xen_pfn_t frame, pfn;

/* The last page of the domain: nothing maps it. */
static bool setup_page(void)
{
	pfn = start_info->nr_pages - 1;
	frame = pfn_mfn(pfn);
	return true;
}

static u64 run_page(unsigned int n)
{
	struct xen_memory_reservation op = { .nr_extents = 1, .domid = DOMID_SELF };
	u64 bad = 0;

	while (n--) {
		xen_pfn_t list = frame;

		set_xen_guest_handle(op.extent_start, &list);
		bad |= ENTER(memory_op, XENMEM_decrease_reservation, &op, 0, 0) ^ 1;
		list = pfn;
		bad |= ENTER(memory_op, XENMEM_populate_physmap, &op, 0, 0) ^ 1;
		if (!dry)
			frame = list;
	}
	return bad;
}

static void finish_page(void)
{
	((u64 *)start_info->mfn_list)[pfn] = frame;
}

static struct gnttab_map_grant_ref map;
static struct gnttab_copy copy;
static u64 page_pte;

static bool setup_grant(void)
{
	static bool ready;
	static u64 *from, *to;
	int ref;

	if (!ready) {
		if (!require(grant_init()))
			return false;
		from = page_alloc();
		to = page_alloc();
		ready = true;
	}
	ref = grant_give(0, va_mfn(from), false);
	if (!require(ref))
		return false;
	copy = (struct gnttab_copy){
		.source = { .u.ref = (grant_ref_t)ref, .domid = DOMID_SELF },
		.dest = { .u.gmfn = va_mfn(to), .domid = DOMID_SELF },
		.len = PAGE_SIZE,
		.flags = GNTCOPY_source_gref,
	};
	map = (struct gnttab_map_grant_ref){ .host_addr = (u64)window, .flags = GNTMAP_host_map, .ref = (grant_ref_t)ref };
	page_pte = mfn_pte(va_mfn(window), PTE_KERNEL);
	return true;
}

static void finish_grant(void)
{
	grant_take_back(map.ref);
	require(va_map(window, page_pte));
}

static u64 run_copy(unsigned int n)
{
	u64 bad = 0;

	while (n--) {
		bad |= ENTER(grant_table_op, GNTTABOP_copy, &copy, 1, 0);
		bad |= (u64)copy.status;
	}
	return bad;
}

static bool setup_copy_short(void)
{
	bool ok = setup_grant();

	copy.len = 64;
	return ok;
}

static bool setup_map(void)
{
	return setup_grant() && require(va_map(window, 0));
}

static u64 run_map(unsigned int n)
{
	struct gnttab_unmap_grant_ref unmap = { .host_addr = (u64)window };
	u64 bad = 0;

	while (n--) {
		bad |= ENTER(grant_table_op, GNTTABOP_map_grant_ref, &map, 1, 0);
		bad |= (u64)map.status;
		unmap.handle = map.handle;
		bad |= ENTER(grant_table_op, GNTTABOP_unmap_grant_ref, &unmap, 1, 0);
		bad |= (u64)unmap.status;
	}
	return bad;
}

const struct path paths_memory[] = {
	{ "page_give_take", .table = true, .setup = setup_page, .run = run_page, .finish = finish_page },
	{ "grant_copy_4k", .table = true, .setup = setup_grant, .run = run_copy, .finish = finish_grant },
	{ "grant_copy_64", .setup = setup_copy_short, .run = run_copy, .finish = finish_grant },
	{ "grant_map_unmap", .table = true, .setup = setup_map, .run = run_map, .finish = finish_grant },
	{ 0 },
};
