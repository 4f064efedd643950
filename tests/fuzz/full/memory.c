/* SPDX-License-Identifier: BSD-2-Clause */
#include <xen/memory.h>
#include "fuzz.h"

#define MEMORY(f, cmd, op) call_op((f), __HYPERVISOR_memory_op, (cmd), (op), sizeof(*(op)))

static gva_t list(struct fuzz *f, bool frames)
{
	u64 l[8];

	for (u32 i = 0; i < 8; i++)
		l[i] = frames ? some_frame(f, f->d) : f8(f);
	return argument(f, l, sizeof(l));
}

static u32 some_flags(struct fuzz *f)
{
	u8 how = f8(f);

	return how < 200 ? 0 : how < 240 ? XENMEMF_address_bits(f8(f) % 40) : f32(f);
}

static struct xen_memory_reservation reservation(struct fuzz *f, bool frames)
{
	struct xen_memory_reservation r = { .nr_extents = f8(f) % 9, .extent_order = f8(f) < 200 ? 0 : (u32)some_number(f),
					    .mem_flags = some_flags(f), .domid = some_domid(f) };

	r.extent_start.p = (void *)(one_in(f, 20) ? 0 : list(f, frames));
	if (one_in(f, 30))
		r.nr_extents = some_number(f);
	return r;
}

static void reserve(struct fuzz *f)
{
	static const u8 cmds[4] = { XENMEM_increase_reservation, XENMEM_decrease_reservation, XENMEM_populate_physmap, XENMEM_claim_pages };
	u8 cmd = cmds[f8(f) & 3];
	struct xen_memory_reservation r = reservation(f, cmd == XENMEM_decrease_reservation);

	if (cmd == XENMEM_claim_pages)
		r.extent_order = f8(f) & 1;
	(void)MEMORY(f, cmd, &r);
}

static void exchange(struct fuzz *f)
{
	struct xen_memory_exchange x = { .in = reservation(f, true), .out = reservation(f, false) };

	if (f8(f) < 220) {
		x.in.domid = x.out.domid = DOMID_SELF;
		x.in.nr_extents = 1u << (f8(f) & 3);
		x.in.extent_order = 0;
		x.out.nr_extents = f8(f) & 1 ? x.in.nr_extents : 1;
		x.out.extent_order = x.out.nr_extents == x.in.nr_extents ? 0 : (u32)__builtin_ctzl(x.in.nr_extents);
	}
	x.nr_exchanged = one_in(f, 10) ? some_number(f) : 0;
	(void)MEMORY(f, XENMEM_exchange, &x);
}

static void physmap(struct fuzz *f)
{
	struct xen_add_to_physmap add = { .domid = some_domid(f), .size = (u16)some_number(f), .space = f8(f) % 6, .idx = some_number(f),
					  .gpfn = some_frame(f, f->d) };
	struct xen_remove_from_physmap remove = { .domid = some_domid(f), .gpfn = some_frame(f, f->d) };
	struct xen_mem_acquire_resource resource = { .domid = some_domid(f), .type = f8(f) & 3, .id = f8(f) & 3, .nr_frames = f8(f) % 9,
						     .frame = some_number(f) };
	struct xen_add_to_physmap_batch batch = { .domid = some_domid(f), .space = f8(f) % 6, .size = f8(f) % 9 };

	resource.frame_list.p = (void *)answer(f);
	batch.idxs.p = (void *)list(f, true);
	batch.gpfns.p = (void *)list(f, true);
	batch.errs.p = (void *)answer(f);
	switch (f8(f) & 3) {
	case 0: (void)MEMORY(f, XENMEM_add_to_physmap, &add); break;
	case 1: (void)MEMORY(f, XENMEM_remove_from_physmap, &remove); break;
	case 2: (void)MEMORY(f, XENMEM_acquire_resource, &resource); break;
	default: (void)MEMORY(f, XENMEM_add_to_physmap_batch, &batch); break;
	}
}

static void ask(struct fuzz *f)
{
	struct xen_memory_domain d = { some_domid(f) };
	struct xen_foreign_memory_map set = { .domid = some_domid(f), .map.nr_entries = (u32)some_number(f) };
	struct xen_memory_map map = { .nr_entries = (u32)some_number(f) };
	struct xen_machphys_mfn_list mfns = { .max_extents = (u32)some_number(f) };

	set.map.buffer.p = map.buffer.p = (void *)answer(f);
	mfns.extent_start.p = (void *)answer(f);
	switch (f8(f) % 6) {
	case 0: (void)MEMORY(f, f8(f) % 32, &d); break;
	case 1: (void)MEMORY(f, XENMEM_set_memory_map, &set); break;
	case 2: (void)MEMORY(f, XENMEM_memory_map, &map); break;
	case 3: (void)MEMORY(f, XENMEM_machine_memory_map, &map); break;
	case 4: (void)MEMORY(f, XENMEM_machphys_mfn_list, &mfns); break;
	default: (void)call(f, __HYPERVISOR_memory_op, f32(f) & 0x3f, some_address(f), 0, 0, 0); break;
	}
}

void fuzz_memory(struct fuzz *f)
{
	static fuzz_step *const what[8] = { reserve, reserve, reserve, exchange, exchange, physmap, physmap, ask };

	what[f8(f) & 7](f);
}
