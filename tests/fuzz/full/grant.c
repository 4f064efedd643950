/* SPDX-License-Identifier: BSD-2-Clause */
#include <xen/grant_table.h>
#include "fuzz.h"
#include "../../../hypervisor/core/grant/grant.h"

#define GRANT(f, cmd, op, n) call((f), __HYPERVISOR_grant_table_op, (cmd), argument((f), (op), sizeof(*(op)) * (n)), (n), 0, 0)

static u32 some_ref(struct fuzz *f)
{
	u8 how = f8(f);

	return how < 240 ? how & 15 : some_number(f) & 0xffffffff;
}

/* The guest writes to its table. */
static void entry_write(struct fuzz *f)
{
	static const u16 types[8] = { 1, 1, 1, 5, 1, 0, 2, 3 };
	struct grant_table *t = f->v->domain->grants;
	u32 ref = f8(f) & 15;
	u16 flags = types[f8(f) & 7], to = some_domid(f);
	u64 frame = some_frame(f, f->d);

	if (to == DOMID_SELF)
		to = (u16)!f->d;
	if (ref >= grant_entries(t))
		return;
	if (t->version == 1) {
		*grant_v1(t, ref) = (grant_entry_v1_t){ .flags = flags, .domid = to, .frame = (u32)frame };
	} else {
		grant_entry_v2_t *e = grant_v2(t, ref);

		e->hdr.flags = flags | (f8(f) & 1 ? GTF_sub_page : 0);
		e->hdr.domid = to;
		e->full_page.frame = frame;
		if (e->hdr.flags & GTF_sub_page) {
			e->sub_page.page_off = (u16)some_number(f);
			e->sub_page.length = (u16)some_number(f);
			e->sub_page.frame = frame;
		}
	}
}

static void map(struct fuzz *f)
{
	static const u32 flags[16] = { 2, 2, 2, 2, 6, 6, 6, 1, 3, 7, 18, 22, 0, 2 | 32, 2 | 8, 0xffffffff };
	struct gnttab_map_grant_ref op[3];
	u32 n = 1 + below(f, 3);

	for (u32 i = 0; i < n; i++) {
		op[i] = (struct gnttab_map_grant_ref){ .host_addr = some_address(f), .flags = flags[f8(f) & 15], .ref = some_ref(f),
						       .dom = f8(f) < 200 ? (domid_t)!f->d : some_domid(f) };
		if (op[i].flags & GNTMAP_contains_pte)
			op[i].host_addr = some_frame(f, f->d) << PAGE_SHIFT | (f8(f) & 63) * 8u;
	}
	(void)GRANT(f, GNTTABOP_map_grant_ref, op, n);
}

static void unmap(struct fuzz *f)
{
	struct gnttab_unmap_grant_ref op[4];
	u32 n = 1 + below(f, 4);

	for (u32 i = 0; i < n; i++) {
		op[i] = (struct gnttab_unmap_grant_ref){ .host_addr = one_in(f, 5) ? 0 : some_address(f), .handle = some_ref(f) };
		if (one_in(f, 3))
			op[i].dev_bus_addr = some_frame(f, !f->d) << PAGE_SHIFT;
		if (one_in(f, 4))
			op[i].host_addr = some_frame(f, f->d) << PAGE_SHIFT | (f8(f) & 63) * 8u;
	}
	(void)GRANT(f, GNTTABOP_unmap_grant_ref, op, n);
}

static void replace(struct fuzz *f)
{
	struct gnttab_unmap_and_replace op = { .host_addr = some_address(f), .new_addr = some_address(f), .handle = some_ref(f) };

	(void)GRANT(f, GNTTABOP_unmap_and_replace, &op, 1);
}

static void copy(struct fuzz *f)
{
	struct gnttab_copy op[3];
	u32 n = 1 + below(f, 3);

	for (u32 i = 0; i < n; i++) {
		op[i] = (struct gnttab_copy){ .len = (u16)some_number(f), .flags = f8(f) & 3 };
		if (one_in(f, 20))
			op[i].flags = (u16)f32(f);
		op[i].source.domid = some_domid(f);
		op[i].dest.domid = some_domid(f);
		op[i].source.offset = (u16)some_number(f);
		op[i].dest.offset = (u16)some_number(f);
		if (op[i].flags & GNTCOPY_source_gref)
			op[i].source.u.ref = some_ref(f);
		else
			op[i].source.u.gmfn = some_frame(f, f->d);
		if (op[i].flags & GNTCOPY_dest_gref)
			op[i].dest.u.ref = some_ref(f);
		else
			op[i].dest.u.gmfn = some_frame(f, f->d);
	}
	(void)GRANT(f, GNTTABOP_copy, op, n);
}

static void table(struct fuzz *f)
{
	struct gnttab_setup_table setup = { .dom = some_domid(f), .nr_frames = (u32)some_number(f) };
	struct gnttab_get_status_frames status = { .dom = some_domid(f), .nr_frames = (u32)some_number(f) };
	struct gnttab_set_version version = { f8(f) & 3 };
	struct gnttab_query_size size = { .dom = some_domid(f) };
	struct gnttab_get_version get = { .dom = some_domid(f) };
	struct gnttab_swap_grant_ref swap = { .ref_a = some_ref(f), .ref_b = some_ref(f) };
	struct gnttab_transfer transfer = { .mfn = some_frame(f, f->d), .domid = some_domid(f), .ref = some_ref(f) };

	setup.frame_list.p = (void *)answer(f);
	status.frame_list.p = (void *)answer(f);
	switch (f8(f) % 8) {
	case 0: (void)GRANT(f, GNTTABOP_setup_table, &setup, 1); break;
	case 1: (void)GRANT(f, GNTTABOP_get_status_frames, &status, 1); break;
	case 2: (void)GRANT(f, GNTTABOP_set_version, &version, 1); break;
	case 3: (void)GRANT(f, GNTTABOP_query_size, &size, 1); break;
	case 4: (void)GRANT(f, GNTTABOP_get_version, &get, 1); break;
	case 5: (void)GRANT(f, GNTTABOP_swap_grant_ref, &swap, 1); break;
	case 6: (void)GRANT(f, GNTTABOP_transfer, &transfer, 1); break;
	default: (void)call(f, __HYPERVISOR_grant_table_op, some_number(f), answer(f), some_number(f) & 0xfff, 0, 0); break;
	}
}

void fuzz_grant(struct fuzz *f)
{
	static fuzz_step *const what[16] = { entry_write, entry_write, entry_write, entry_write, map, map, map, map, unmap, unmap, unmap,
		copy, copy, replace, table, table };

	what[f8(f) & 15](f);
}
