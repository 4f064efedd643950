/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What must hold whenever no hypercall is in progress. Reference counts are worked out anew from everything that holds
 * references, and compared.
 */
#include <hv/frame_type.h>
#include <hv/log.h>
#include <hv/mm.h>
#include <hv/pv.h>
#include <hv/string.h>
#include <hv/tlb.h>
#include "../../../hypervisor/arch/x86/mm/heap.h"
#include <hv/dirty_log.h>
#include "../../../hypervisor/arch/x86/pv/mmu_mirror.h"
#include "sim_private.h"

void (*sim_holders)(void);

SIM_KEPT static u32 want_refs[SIM_FRAMES], want_types[SIM_FRAMES];
SIM_KEPT static u8 is_free[SIM_FRAMES];

#define LX(x) ((unsigned long)(x))

static u64 word_of(u64 n)
{
	return sim_frame_table[n].type;
}

static bool is_type(u64 n, enum frame_type t)
{
	return frame_word_state(word_of(n)) == FRAME_STATE_VALID && frame_word_type(word_of(n)) == t;
}

void sim_hold(mfn_t m, bool type)
{
	if (!frame_valid(m))
		sim_fail("something holds %#lx, which is no memory", LX(m.v));
	if (type)
		want_types[m.v]++;
	else
		want_refs[m.v]++;
}

/* --- free frames --- */

static void free_list(u32 n, unsigned int order)
{
	for (; n; n = sim_frame_table[n].next)
		memset(&is_free[n], 1, 1ul << order);
}

static void free_map(void)
{
	memset(is_free, 0, sim_frames);
	for (u32 node = 0; node < heap.nodes; node++) {
		free_list(heap.node[node]->newest, 0);
		for (unsigned int z = 0; z < HEAP_ZONES; z++) {
			const struct heap_zone *zone = &heap.node[node]->zone[z];

			for (unsigned int order = 0; order < HEAP_ORDERS; order++)
				free_list(zone->first[order], order);
		}
	}
}

/* --- what page tables hold --- */

static void l1_entry(u64 table, unsigned int i, u64 e)
{
	u64 n = pte_mfn(e).v;
	const struct frame *f;

	if ((e & (PTE_USER | PTE_GLOBAL)) != PTE_USER)
		sim_fail("L1 %#lx entry %u is %#lx", LX(table), i, LX(e));
	if (!frame_valid(mfn(n)))
		return;
	f = &sim_frame_table[n];
	if (is_free[n] || (f->refs & FRAME_REFS) == 0)
		sim_fail("L1 %#lx entry %u maps %#lx, which is the hypervisor's or free", LX(table), i, LX(n));
	if (!(e & PTE_WRITE)) {
		want_refs[n]++;
		return;
	}
	if (!is_type(n, FRAME_WRITABLE))
		sim_fail("L1 %#lx entry %u maps %#lx writable, whose type word is %#lx", LX(table), i, LX(n), LX(f->type));
	if (f->owner != sim_frame_table[table].owner && !(f->type & FRAME_TYPE_FOREIGN))
		sim_fail("frame %#lx of domain %u is mapped by domain %u without a note", LX(n), f->owner,
			 sim_frame_table[table].owner);
	want_types[n]++;
}

static void table_entry(u64 table, unsigned int level, unsigned int i, u64 e)
{
	u64 n = pte_mfn(e).v;

	if ((e & (PTE_USER | PTE_GLOBAL | PTE_SIZE)) != PTE_USER)
		sim_fail("L%u %#lx entry %u is %#lx", level, LX(table), i, LX(e));
	if (!frame_valid(mfn(n)) || !is_type(n, table_type(level - 1)))
		sim_fail("L%u %#lx entry %u points to %#lx, whose type word is %#lx", level, LX(table), i, LX(n),
			 n < sim_frames ? LX(word_of(n)) : 0);
	if (sim_frame_table[n].owner != sim_frame_table[table].owner)
		sim_fail("L%u %#lx points to a table of another domain", level, LX(table));
	want_types[n]++;
}

/* The entries [0, n) of a table hold their references. */
static void table_holds(u64 table, unsigned int level, u32 n)
{
	const u64 *e = mfn_virt(mfn(table)), *ours = hv_l4_template();

	for (u32 i = 0; i < n; i++) {
		if (level == 4 && l4_slot_reserved(i)) {
			if (e[i] != ours[i])
				sim_fail("L4 %#lx has %#lx in the hypervisor's slot %u", LX(table), LX(e[i]), i);
			continue;
		}
		if (!(e[i] & PTE_PRESENT))
			continue;
		if (level == 1)
			l1_entry(table, i, e[i]);
		else
			table_entry(table, level, i, e[i]);
	}
}

static void frame_holds(u64 n)
{
	const struct frame *f = &sim_frame_table[n];
	enum frame_type t = frame_word_type(f->type);
	enum frame_state s = frame_word_state(f->type);
	unsigned int level = (unsigned int)(t - FRAME_L1) + 1;

	if (s == FRAME_STATE_VALIDATING)
		sim_fail("frame %#lx is left half validated", LX(n));
	if (s == FRAME_STATE_NONE)
		return;
	if (!(f->flags & FRAME_SHARED))
		want_refs[n]++;
	else
		want_types[n]++;
	if ((f->type >> FRAME_TYPE_OWNER_SHIFT) != f->owner)
		sim_fail("frame %#lx of domain %u has another owner in its type word, %#lx", LX(n), f->owner, LX(f->type));
	if (f->type & FRAME_TYPE_PINNED)
		want_types[n]++;
	if (frame_type_is_table(t))
		table_holds(n, level, s == FRAME_STATE_PARTIAL ? f->aux : PTES);
	else if (s != FRAME_STATE_VALID)
		sim_fail("frame %#lx, no page table, is in state %u", LX(n), s);
}

/* --- what else holds references --- */

static void vcpu_holds(const struct vcpu *v)
{
	const struct pv_vcpu *pv = v->pv;

	if (!pv)
		return;
	if (!mfn_eq(pv->kernel_root, INVALID_MFN))
		sim_hold(pv->kernel_root, true);
	if (!mfn_eq(pv->user_root, INVALID_MFN))
		sim_hold(pv->user_root, true);
	for (u32 i = 0; i < (pv->gdt_entries + 511) / 512; i++) {
		sim_hold(pv->gdt_frame[i], true);
		sim_hold(pv->gdt_frame[i], false);
	}
	for (u32 i = 0; i < ARRAY_SIZE(pv->ldt_frame); i++)
		if (pv->ldt_mapped >> i & 1) {
			sim_hold(pv->ldt_frame[i], true);
			sim_hold(pv->ldt_frame[i], false);
		}
}

static void domain_check(const struct domain *d)
{
	u64 listed = 0;
	struct vcpu *v;
	u32 prev = 0;

	for_each_vcpu(d, v)
		vcpu_holds(v);
	for (u32 n = d->memory.first; n; prev = n, n = sim_frame_table[n].next) {
		const struct frame *f = &sim_frame_table[n];

		if (f->owner != d->id || f->prev != prev || !(f->refs & FRAME_REFS))
			sim_fail("frame %#x on the list of domain %u is damaged", n, d->id);
		listed++;
	}
	if (listed != d->memory.pages)
		sim_fail("domain %u has %lu frames and counts %lu", d->id, LX(listed), LX(d->memory.pages));
	for (u32 n = d->memory.doomed; n; n = sim_frame_table[n].aux)
		if (frame_word_state(word_of(n)) != FRAME_STATE_INVALIDATING || !frame_type_is_table(frame_word_type(word_of(n))))
			sim_fail("frame %#x waits for invalidation with the type word %#lx", n, LX(word_of(n)));
}

/* --- mirrors --- */

/* An entry of the mirror n of the table t. */
static void mirror_entry_check(const struct domain *d, u32 n, u64 t, unsigned int level, unsigned int i)
{
	u64 e = ((const u64 *)mfn_virt(mfn(t)))[i], at = ((const u64 *)mfn_virt(mfn(n)))[i], pfn;

	if (level == 4 && l4_slot_reserved(i)) {
		if (at != e)
			sim_fail("mirror %#x has %#lx in the hypervisor's slot %u", n, LX(at), i);
		return;
	}
	if (!(at & PTE_PRESENT))
		return;
	if ((e & (PTE_PRESENT | PTE_ACCESSED)) != (PTE_PRESENT | PTE_ACCESSED))
		sim_fail("mirror %#x of L%u %#lx has %#lx for %#lx, entry %u", n, level, LX(t), LX(at), LX(e), i);
	if (level > 1) {
		if ((at & ~PTE_ADDRESS) != (e & ~PTE_ADDRESS) || pte_mfn(at).v != frame_of(pte_mfn(e))->aux)
			sim_fail("mirror %#x of L%u %#lx has %#lx for %#lx, entry %u", n, level, LX(t), LX(at), LX(e), i);
		return;
	}
	if ((at ^ e) & ~(PTE_WRITE | PTE_DIRTY))
		sim_fail("mirror %#x of L1 %#lx has %#lx for %#lx, entry %u", n, LX(t), LX(at), LX(e), i);
	if (!(at & PTE_WRITE))
		return;
	if (!(e & PTE_WRITE) || !(e & PTE_DIRTY) || (frame_of(mfn(n))->type & 3) != MIRROR_HOT)
		sim_fail("mirror %#x of L1 %#lx, type %#lx, lets writes through %#lx", n, LX(t), LX(frame_of(mfn(n))->type), LX(e));
	if (!frame_valid(pte_mfn(e)) || frame_of(pte_mfn(e))->owner != d->id)
		return;
	/* While a clean is under way, rights go after marks. */
	pfn = m2p_get(pte_mfn(e));
	if (!d->mirror->op.actor && !d->mirror->overflow && d->mirror->stage == LOG_ON && !dirty_log_test(d->log, pfn))
		sim_fail("page %#lx of domain %u may be written and is not marked", LX(pfn), d->id);
}

static void mirrors_check(const struct domain *d)
{
	const struct pv_mirror *m = d->mirror;
	u64 count = 0;

	for (u32 list = 0; m && list < MIRROR_LISTS; list++) {
		u64 listed = 0;

		for (u32 n = m->list[list].first; n; n = frame_of(mfn(n))->next, listed++) {
			const struct frame *f = frame_of(mfn(n)), *t = frame_of(mfn(f->aux));
			unsigned int level = (unsigned int)(f->type >> 4 & 15);

			if ((f->type & 3) != list || f->owner != DOMID_XEN || is_free[n])
				sim_fail("mirror %#x on list %u has type %#lx", n, list, LX(f->type));
			if (list == MIRROR_FREE)
				continue;
			if (t->aux != n || t->owner != d->id || !is_type(f->aux, table_type(level)))
				sim_fail("mirror %#x of L%u %#x, whose type word is %#lx, aux %#x", n, level, f->aux,
					 LX(t->type), t->aux);
			for (u32 i = 0; i < PTES && d->logging; i++)
				mirror_entry_check(d, n, f->aux, level, i);
		}
		if (listed != m->list[list].count)
			sim_fail("domain %u has %lu mirrors on list %u and counts %u", d->id, LX(listed), list, m->list[list].count);
		count += listed;
	}
	if (m && count != m->total)
		sim_fail("domain %u has %lu pages for mirrors and counts %lu", d->id, LX(count), LX(m->total));
}

static void frame_check(u64 n)
{
	const struct frame *f = &sim_frame_table[n];
	u32 refs = want_refs[n] + (f->refs & FRAME_ALLOC ? 1 : 0);

	if (!(f->flags & FRAME_RAM))
		return;
	if (f->owner == DOMID_XEN && !(f->refs & FRAME_REFS)) {
		/* Free, or the hypervisor's own: nobody may reach it. The type word has other uses. */
		if (want_refs[n] || want_types[n])
			sim_fail("frame %#lx of the hypervisor is held by %u + %u", LX(n), want_refs[n], want_types[n]);
		return;
	}
	if ((f->refs & FRAME_REFS) != refs)
		sim_fail("frame %#lx of domain %u, type word %#lx: %u references, %u known", LX(n), f->owner, LX(f->type),
			 f->refs & FRAME_REFS, refs);
	if (frame_word_count(f->type) != want_types[n])
		sim_fail("frame %#lx of domain %u, type word %#lx: %u type references, %u known", LX(n), f->owner,
			 LX(f->type), frame_word_count(f->type), want_types[n]);
	if (f->lock)
		sim_fail("frame %#lx is left locked", LX(n));
	if (is_free[n])
		sim_fail("frame %#lx of domain %u is free", LX(n), f->owner);
}

__attribute__((weak)) void sim_each_domain(void (*fn)(const struct domain *d))
{
	for (u32 i = 0; i < SIM_DOMAINS; i++)
		if (sim_guests[i].d)
			fn(sim_guests[i].d);
}

static void references_check(void)
{
	memset(want_refs, 0, sim_frames * sizeof(want_refs[0]));
	memset(want_types, 0, sim_frames * sizeof(want_types[0]));
	for (u64 n = 0; n < sim_frames; n++)
		if ((sim_frame_table[n].refs & FRAME_REFS) && sim_frame_table[n].type)
			frame_holds(n);
	sim_each_domain(domain_check);
	sim_each_domain(mirrors_check);
	if (sim_holders)
		sim_holders();
	for (u64 n = 0; n < sim_frames; n++)
		frame_check(n);
}

/* --- TLBs --- */

/*
 * A translation that a CPU still holds may reach no frame that has changed hands since, and none for writing that has become something
 * else. Free frames are flushed when they are handed out again.
 */
static void tlb_entry_check(unsigned int cpu, const struct sim_tlb_entry *t)
{
	const struct frame *f = frame_of(t->frame);
	enum frame_type type = frame_word_type(f->type);

	if (is_free[t->frame.v])
		return;
	if (f->owner != t->owner && !(f->owner == DOMID_INVALID && (f->refs & FRAME_REFS)))
		sim_fail("CPU %u can reach frame %#lx at %#lx, which was domain %u's and is domain %u's", cpu, LX(t->frame.v),
			 LX(t->page), t->owner, f->owner);
	if (t->writable && (f->refs & FRAME_REFS) && type != FRAME_WRITABLE && type != FRAME_NONE)
		sim_fail("CPU %u can write to frame %#lx at %#lx, whose type word is %#lx", cpu, LX(t->frame.v), LX(t->page),
			 LX(f->type));
}

static void walk_entry_check(unsigned int cpu, const struct sim_walk_entry *w)
{
	const struct frame *f = frame_of(w->table);

	if (is_free[w->table.v])
		return;
	/* A mirror may be remembered until its page is used again. */
	if (f->owner == DOMID_XEN && w->owner == DOMID_XEN) {
		if ((f->type & 3) != MIRROR_FREE && (f->type >> 4 & 15) != w->level)
			sim_fail("CPU %u may walk mirror %#lx as L%u, which is L%lu", cpu, LX(w->table.v), w->level,
				 LX(f->type >> 4 & 15));
		return;
	}
	if (f->owner != w->owner || frame_word_type(f->type) != table_type(w->level))
		sim_fail("CPU %u may walk frame %#lx as L%u of domain %u; owner %u, type word %#lx", cpu, LX(w->table.v), w->level,
			 w->owner, f->owner, LX(f->type));
}

void sim_check_tlbs(void)
{
	free_map();
	for (unsigned int cpu = 0; cpu < SIM_CPUS; cpu++)
		for (u32 i = 0; cpu_online(cpu) && i < SIM_TLB_ENTRIES; i++) {
			const struct sim_tlb_entry *t = &sim_cpu[cpu].tlb[i];
			const struct sim_walk_entry *w = &sim_cpu[cpu].walk[i];

			if (t->valid && !t->io)
				tlb_entry_check(cpu, t);
			if (w->valid)
				walk_entry_check(cpu, w);
		}
}

void sim_check(void)
{
	sim_check_tlbs();
	references_check();
}
