/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixture.h"

struct domain *d, *control;
struct vcpu *v, *w, *c;
static gva_t request;

int start(void **state)
{
	(void)state;
	sim_start(3);
	control = sim_domain(0, true, 1, PAGES);
	d = sim_domain(1, false, 2, PAGES);
	c = sim_run(control->vcpu[0], 2);
	w = sim_run(d->vcpu[1], 1);
	v = sim_run(d->vcpu[0], 0);
	request = sim_alloc(d, PAGE_SIZE);
	(void)sim_alloc(control, PAGE_SIZE);
	return 0;
}

int stop(void **state)
{
	(void)state;
	sim_stop();
	return 0;
}

u64 mfn_of(u32 pfn)
{
	return sim_mfn(d, pfn).v;
}

struct frame *frame_at(u32 pfn)
{
	return frame_of(sim_mfn(d, pfn));
}

enum frame_state state_of(u32 pfn)
{
	return frame_word_state(frame_at(pfn)->type);
}

u64 *entry_of(const struct domain *of, u32 pfn)
{
	return &sim_page(of, sim_table(of, 1, sim_va(pfn)))[pfn % PTES];
}

u64 entry_address(const struct domain *of, u32 pfn)
{
	return (sim_mfn(of, sim_table(of, 1, sim_va(pfn))).v << PAGE_SHIFT) + pfn % PTES * 8;
}

long update_foreign(struct vcpu *actor, u64 ptr, u64 val, u32 foreign)
{
	struct mmu_update u = { ptr, val };

	sim_run(actor, actor->cpu);
	assert_int_equal(guest_copy_out(actor, request, &u, sizeof(u)), 0);
	return sim_call(actor, do_mmu_update, request, 1, 0, foreign, 0, 0);
}

long update(struct vcpu *actor, u64 ptr, u64 val)
{
	return update_foreign(actor, ptr, val, DOMID_SELF);
}

long va_set(struct vcpu *actor, u32 pfn, u64 val, u64 flags)
{
	sim_run(actor, actor->cpu);
	return sim_call(actor, do_update_va_mapping, sim_va(pfn), val, flags, 0, 0, 0);
}

long ext_foreign(struct vcpu *actor, u32 cmd, u64 arg1, u64 arg2, u32 foreign)
{
	struct mmuext_op op = { .cmd = cmd, .arg1.mfn = arg1, .arg2.src_mfn = arg2 };

	sim_run(actor, actor->cpu);
	assert_int_equal(guest_copy_out(actor, request, &op, sizeof(op)), 0);
	return sim_call(actor, do_mmuext_op, request, 1, 0, foreign, 0, 0);
}

long ext(struct vcpu *actor, u32 cmd, u64 arg1, u64 arg2)
{
	return ext_foreign(actor, cmd, arg1, arg2, DOMID_SELF);
}

u32 table_page(const s64 *entries)
{
	u32 pfn = sim_alloc_page(d);

	for (; entries[0] >= 0; entries += 2)
		assert_true(sim_store(v, sim_va(pfn) + (u64)entries[0] * 8, (u64)entries[1]));
	assert_int_equal(va_set(v, pfn, entry(d, pfn, RO), UVMF_INVLPG | UVMF_ALL), 0);
	return pfn;
}
