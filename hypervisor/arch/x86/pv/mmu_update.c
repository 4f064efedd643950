/* SPDX-License-Identifier: BSD-2-Clause */
/* mmu_update and update_va_mapping. */
#include "mmu_mirror.h"

#include <hv/dirty_log.h>
#include <hv/errno.h>
#include <hv/features.h>
#include <hv/guest.h>
#include <hv/hypercall.h>
#include <hv/pv.h>
#include <hv/softirq.h>
#include <hv/tlb.h>

/* Preemption is looked for after so much work; a table that may be validated or invalidated counts for many entries. */
#define WORK_LIMIT 64u
#define WORK_TABLE 32u

u64 mmu_direct_frames;

struct frame *l1_find(const struct vcpu *v, gva_t va, unsigned int *index)
{
	struct frame *f = frame_of(v->pv->kernel_root);

	for (unsigned int level = 4; level > 1; level--) {
		u64 *table = frame_map(frame_mfn(f)), e = READ_ONCE(table[pte_index(va, level)]);
		mfn_t m = pte_mfn(e);

		frame_unmap(table);
		if (!(e & PTE_PRESENT) || m.v >= frame_limit)
			return NULL;
		f = frame_of(m);
		/* Tables may change under us, but what is a table of ours at this moment can be read. */
		if (!frame_type_has_key(f, frame_type_key(table_type(level - 1), v->domain->id)))
			return NULL;
	}
	*index = pte_index(va, 1);
	return f;
}

/* The entry, locked, of f if that is a valid L1 of d; else NULL. */
static u64 *l1_entry_lock(const struct domain *d, struct frame *f, unsigned int index)
{
	if (unlikely(!frame_lock_seen(f, frame_type_key(FRAME_L1, d->id))))
		return NULL;
	return (u64 *)frame_map(frame_mfn(f)) + index;
}

static void l1_entry_unlock(struct frame *f, const u64 *pte)
{
	frame_unmap(pte);
	frame_unlock(f);
}

int l1_commit(struct vcpu *actor, struct domain *d, struct frame *f, unsigned int index, u64 new, u64 keep)
{
	u64 *pte = l1_entry_lock(d, f, index), old;

	if (unlikely(!pte))
		return -EINVAL;
	if (likely(!keep)) {
		old = __atomic_exchange_n(pte, new, __ATOMIC_SEQ_CST);
	} else {
		/* The processor may set bits at any time. */
		old = READ_ONCE(*pte);
		while (!__atomic_compare_exchange_n(pte, &old, new | (old & keep), false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
			;
	}
	if (unlikely(d->logging))
		mirror_changed(d, f, 1, index);
	l1_entry_unlock(f, pte);
	l1_entry_put(actor, old);
	return 0;
}

int l1_commit_if(struct vcpu *actor, struct domain *d, struct frame *f, unsigned int index, u64 expected, u64 new)
{
	u64 *pte = l1_entry_lock(d, f, index), old = expected;
	bool done;

	if (!pte)
		return -EINVAL;
	done = __atomic_compare_exchange_n(pte, &old, new, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
	if (unlikely(d->logging))
		mirror_changed(d, f, 1, index);
	l1_entry_unlock(f, pte);
	if (!done)
		return -EAGAIN;
	l1_entry_put(actor, expected);
	return 0;
}

/* An entry of any L1. */
static noinline_fn int l1_update(struct vcpu *actor, const struct mmu_rules *r, struct frame *f, unsigned int index, u64 val,
				 u64 keep)
{
	u64 new = val;
	int rc;

	if (new & PTE_PRESENT) {
		rc = l1_entry_get(actor, r, &new);
		if (rc)
			return rc;
	} else if (unlikely(!pte_absent_ok(new))) {
		return -EINVAL;
	}
	rc = l1_commit(actor, r->d, f, index, new, keep);
	if (rc)
		l1_entry_put(actor, new);
	return rc;
}

/*
 * The same, short: f is the frame of the page-table entry at machine address `at`, which is in the direct map. key: what f's word is
 * like when it is an L1 of the right domain. r NULL: d's tables and d's frames. logged, a constant: d may be logged. Without it, d is the
 * actor's domain and was not when the hypercall began: it cannot be before the hypercall has ended (mirror_use).
 */
static inline __attribute__((always_inline)) int l1_update_at(struct vcpu *actor, struct domain *d, const struct mmu_rules *r,
							      struct frame *f, u64 key, u64 at, u64 val, u64 keep,
							      bool logged)
{
	const u64 writable_key = r ? r->writable_key : frame_type_key(FRAME_WRITABLE, d->id);
	u64 *pte = (u64 *)(void *)(DIRECT_MAP + at), new = val, old, fixed;
	int rc;

	if (!(new & PTE_PRESENT)) {
		if (unlikely(new) && !pte_absent_ok(new))
			return -EINVAL;
	} else {
		/* Kernels leave the user bit out, and set the global one. */
		new = (new | PTE_USER) & ~PTE_GLOBAL;
		if (unlikely(!l1_entry_get_plain(new, frame_limit_address(), writable_key, r ? r->readonly_id : d->id))) {
			fixed = val;
			rc = r ? l1_entry_get(actor, r, &fixed) : l1_entry_get_own(actor, d, &fixed);
			if (rc)
				return rc;
			new = fixed;
		}
	}
	if (unlikely(!frame_lock_seen(f, key))) {
		l1_entry_put(actor, new);
		return -EINVAL;
	}
	if (likely(!keep)) {
		old = __atomic_exchange_n(pte, new, __ATOMIC_SEQ_CST);
	} else {
		/* The processor may set bits at any time. */
		old = READ_ONCE(*pte);
		while (!__atomic_compare_exchange_n(pte, &old, new | (old & keep), false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
			;
	}
	if (logged && d->logging)
		mirror_changed(d, f, 1, (at & ~PAGE_MASK) / sizeof(u64));
	frame_unlock(f);
	l1_entry_put(actor, old);
	return 0;
}

/* One entry of a table of level 2 to 4. */
static int table_update(struct vcpu *actor, struct domain *d, struct frame *f, unsigned int level, unsigned int index,
			u64 val, u64 keep)
{
	u64 *pte, old, new = val;
	int rc;

	if (level == 4 && l4_slot_reserved(index))
		return -EPERM;
	if (new & PTE_PRESENT) {
		rc = table_entry_get(actor, d, level, &new);
		if (rc)
			return rc;
	} else if (unlikely(!pte_absent_ok(new))) {
		return -EINVAL;
	}
	pte = (u64 *)frame_map(frame_mfn(f)) + index;
	if (!frame_lock_seen(f, frame_type_key(table_type(level), d->id))) {
		frame_unmap(pte);
		table_entry_put(actor, new);
		return -EINVAL;
	}
	old = READ_ONCE(*pte);
	while (!__atomic_compare_exchange_n(pte, &old, new | (old & keep), false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		;
	if (unlikely(d->logging))
		mirror_changed(d, f, level, index);
	frame_unlock(f);
	frame_unmap(pte);
	if (level == 4 && unlikely(cpu_has(CPU_DO_XPTI))) {
		xpti_root_changed(d, frame_mfn(f));
		if (unlikely(d->logging))
			mirror_root_changed(d, f);
	}
	table_entry_put(actor, old);
	return 0;
}

/* --- update_va_mapping --- */

/* The flag bits above the type of flush: 0 this CPU, UVMF_ALL, or the address of a bitmap of vCPUs. */
static int flush_others(struct vcpu *v, gva_t va, u64 flags)
{
	const struct cpumask *cpus = &v->domain->dirty_cpus;
	u64 where = flags & ~UVMF_FLUSHTYPE_MASK;
	struct cpumask mask;

	if (where != UVMF_ALL) {
		if (mmu_vcpumask(v, where, &mask))
			return -EFAULT;
		cpus = &mask;
	}
	if ((flags & UVMF_FLUSHTYPE_MASK) == UVMF_INVLPG)
		tlb_flush_page_mask(cpus, va);
	else
		tlb_flush_mask(cpus);
	return 0;
}

static noinline_fn int flush(struct vcpu *v, gva_t va, u64 flags)
{
	u64 type = flags & UVMF_FLUSHTYPE_MASK;

	if (type == UVMF_NONE)
		return 0;
	if (flags & ~UVMF_FLUSHTYPE_MASK)
		return flush_others(v, va, flags);
	if (type == UVMF_INVLPG)
		tlb_flush_page_local(va);
	else
		tlb_flush_local();
	return 0;
}

static noinline_fn int va_update(struct vcpu *v, const struct mmu_rules *r, gva_t va, u64 val, u64 flags)
{
	unsigned int index;
	struct frame *f;
	int rc;

	if (!guest_range_ok(va, 1) || (flags & UVMF_FLUSHTYPE_MASK) == UVMF_FLUSHTYPE_MASK)
		return -EINVAL;
	f = l1_find(v, va, &index);
	if (!f)
		return -EINVAL;
	rc = l1_update(v, r, f, index, val, 0);
	return rc ? rc : flush(v, va, flags);
}

/* Machine address of the table that the entry for va in the table at `table` names; ~0 when that is not a table of this key, in the direct map. */
static inline __attribute__((always_inline)) u64 table_below_short(u64 table, gva_t va, unsigned int level, u64 key)
{
	u64 e = READ_ONCE(*(u64 *)(void *)(DIRECT_MAP + table + pte_index(va, level) * sizeof(u64)));
	u64 below = e & PTE_ADDRESS;

	if (unlikely(!(e & PTE_PRESENT) || below >> PAGE_SHIFT >= mmu_direct_frames ||
		     !frame_type_has_key(frame_of(mfn(below >> PAGE_SHIFT)), key)))
		return ~0UL;
	return below;
}

static inline __attribute__((always_inline)) u64 l1_find_short(const struct vcpu *v, gva_t va)
{
	const u16 id = v->domain->id;
	u64 table = v->pv->kernel_root.v << PAGE_SHIFT;

	if (unlikely(v->pv->kernel_root.v >= mmu_direct_frames))
		return ~0UL;
	table = table_below_short(table, va, 4, frame_type_key(FRAME_L3, id));
	if (unlikely(table == ~0UL))
		return table;
	table = table_below_short(table, va, 3, frame_type_key(FRAME_L2, id));
	if (unlikely(table == ~0UL))
		return table;
	return table_below_short(table, va, 2, frame_type_key(FRAME_L1, id));
}

static noinline_fn int va_update_own(struct vcpu *v, gva_t va, u64 val, u64 flags)
{
	const struct mmu_rules r = mmu_rules_own(v->domain);

	return va_update(v, &r, va, val, flags);
}

static inline __attribute__((always_inline)) long va_update_short(struct vcpu *v, u64 *args, bool logged)
{
	const u64 flags = args[2];
	struct domain *d = v->domain;
	gva_t va = args[0];
	u64 table;
	int rc;

	if (unlikely(!guest_range_ok(va, 1) || (flags & UVMF_FLUSHTYPE_MASK) == UVMF_FLUSHTYPE_MASK))
		return va_update_own(v, va, args[1], flags);
	table = l1_find_short(v, va);
	if (unlikely(table == ~0UL))
		return va_update_own(v, va, args[1], flags);
	rc = l1_update_at(v, d, NULL, frame_of(mfn(table >> PAGE_SHIFT)), frame_type_key(FRAME_L1, d->id),
			  table + pte_index(va, 1) * sizeof(u64), args[1], 0, logged);
	if (unlikely(rc) || flags == UVMF_NONE)
		return rc;
	if (unlikely(flags != (UVMF_INVLPG | UVMF_LOCAL)))
		return flush(v, va, flags);
	tlb_flush_page_local(va);
	return 0;
}

static noinline_fn long va_update_logged(struct vcpu *v, u64 *args)
{
	return va_update_short(v, args, true);
}

long do_update_va_mapping(struct vcpu *v, u64 *args)
{
	return unlikely(v->domain->logging) ? va_update_logged(v, args) : va_update_short(v, args, false);
}

long do_update_va_mapping_otherdomain(struct vcpu *v, u64 *args)
{
	domid_t id = (domid_t)args[3];
	struct mmu_rules r;
	int rc;

	/* Of another domain, or I/O memory: the ABI leaves it to the privileged. */
	if (id != DOMID_SELF && !is_privileged(v) && v->domain->target == NULL)
		return -EPERM;
	rc = mmu_rules_get(v, v->domain, id, &r);
	if (rc)
		return rc;
	rc = va_update(v, &r, args[0], args[1], args[2]);
	mmu_rules_put(&r);
	return rc;
}

/* --- mmu_update --- */

struct batch {
	struct vcpu *v;
	struct mmu_rules rules;
	u64 table;		/* frame number of the L1 in the direct map that was changed last */
	u64 l1_key;
	u32 work;
};

#define NO_TABLE (~0UL)

/* A page of the domain that is no page table yet is only memory. */
static int memory_update(const struct batch *b, struct frame *f, unsigned int index, u64 val, u64 keep)
{
	u64 *entry;

	if (!frame_get_writable(b->v, f, b->rules.d))
		return -EINVAL;
	entry = (u64 *)frame_map(frame_mfn(f)) + index;
	WRITE_ONCE(*entry, val | (READ_ONCE(*entry) & keep));
	frame_unmap(entry);
	frame_put_writable(f);
	return 0;
}

static noinline_fn int entry_update(struct batch *b, u64 at, u64 val, u64 keep)
{
	unsigned int index = (at & ~PAGE_MASK) / sizeof(u64), level = 0;
	mfn_t m = paddr_mfn(paddr(at));
	struct frame *f;
	u64 word;

	if (!frame_valid(m))
		return -EINVAL;
	f = frame_of(m);
	word = READ_ONCE(f->type);
	if (frame_word_state(word) == FRAME_STATE_VALID && frame_type_is_table(frame_word_type(word)))
		level = (unsigned int)(frame_word_type(word) - FRAME_L1) + 1;
	if (level == 1)
		return l1_update(b->v, &b->rules, f, index, val, keep);
	b->work += WORK_TABLE;
	return level ? table_update(b->v, b->rules.d, f, level, index, val, keep) : memory_update(b, f, index, val, keep);
}

static int machphys_update(const struct batch *b, u64 ptr, u64 val)
{
	mfn_t m = paddr_mfn(paddr(ptr));
	struct frame *f;

	if (!frame_valid(m))
		return -EINVAL;
	f = frame_of(m);
	if (b->rules.io_only || !frame_get(f, b->rules.data))
		return -EINVAL;
	m2p_set(m, val);
	dirty_log_mark(f);
	frame_put(f);
	return 0;
}

static noinline_fn int request_do(struct batch *b, u64 ptr, u64 val)
{
	u64 at = ptr & ~3UL;

	switch (ptr & 3) {
	case MMU_NORMAL_PT_UPDATE:
	case MMU_PT_UPDATE_NO_TRANSLATE:
		/* Entries are aligned. */
		return at & 4 ? -EINVAL : entry_update(b, at, val, 0);
	case MMU_PT_UPDATE_PRESERVE_AD:
		return at & 4 ? -EINVAL : entry_update(b, at, val, PTE_ACCESSED | PTE_DIRTY);
	case MMU_MACHPHYS_UPDATE:
	default:
		return machphys_update(b, at, val);
	}
}

/* True for requests that l1_update_at may do: mostly, for entries of an L1 in a row. */
static inline bool short_update(struct batch *b, u64 ptr)
{
	u64 m = ptr >> PAGE_SHIFT;

	_Static_assert(MMU_NORMAL_PT_UPDATE == 0 && MMU_PT_UPDATE_PRESERVE_AD == 2, "command bits");
	if (unlikely(ptr & 5))
		return false;
	if (likely(m == b->table))
		return true;
	if (unlikely(m >= mmu_direct_frames || !frame_type_has_key(frame_of(mfn(m)), b->l1_key)))
		return false;
	b->table = m;
	return true;
}

/* Does requests from args[0] on until all are done, one fails, or preemption. Their number goes to *done. logged: as for l1_update_at. */
static inline __attribute__((always_inline)) int batch_run(struct batch *b, gva_t list, u32 count, u32 *done, bool logged)
{
	struct mmu_update u;
	u32 n;
	int rc = 0;

	for (n = 0; n < count; n++) {
		if (unlikely(b->work >= WORK_LIMIT)) {
			b->work = 0;
			rc = -ERESTART;
			if (preempt_needed())
				break;
		}
		rc = -EFAULT;
		if (unlikely(guest_array_in(b->v, &u, list, n)))
			break;
		if (likely(short_update(b, u.ptr)))
			rc = l1_update_at(b->v, b->rules.d, &b->rules, frame_of(mfn(u.ptr >> PAGE_SHIFT)), b->l1_key, u.ptr & ~3UL, u.val,
					  u.ptr & 3 ? PTE_ACCESSED | PTE_DIRTY : 0, logged);
		else
			rc = request_do(b, u.ptr, u.val);
		if (unlikely(rc))
			break;
		b->work++;
	}
	*done = n;
	return rc;
}

/* Apart from its caller, so that the loop has all registers. */
static noinline_fn int batch_run_plain(struct batch *b, gva_t list, u32 count, u32 *done)
{
	return batch_run(b, list, count, done, false);
}

static noinline_fn int batch_run_logged(struct batch *b, gva_t list, u32 count, u32 *done)
{
	return batch_run(b, list, count, done, true);
}

long mmu_batch_end_long(struct vcpu *v, u64 *args, size_t size, u32 done, int rc)
{
	u32 before = 0, all;

	if ((args[1] & COUNT_PREEMPTED) && args[2] && guest_copy_in(v, &before, args[2], sizeof(before)))
		return -EFAULT;
	all = before + done;
	if (args[2] && guest_copy_out(v, args[2], &all, sizeof(all)))
		return -EFAULT;
	if (rc == -ERESTART) {
		args[0] += done * size;
		args[1] = ((u32)args[1] - done) | COUNT_PREEMPTED;
	}
	return rc;
}

static noinline_fn long mmu_update_foreign(struct vcpu *v, u64 *args, u32 foreign)
{
	struct batch b = { .v = v, .table = NO_TABLE };
	struct domain *pt = v->domain;
	u32 done = 0;
	int rc;

	if (foreign >> 16) {
		rc = mmu_domain_get(v, (domid_t)((foreign >> 16) - 1), &pt);
		if (rc)
			return rc;
	} else {
		domain_get(pt);
	}
	rc = mmu_rules_get(v, pt, (domid_t)foreign, &b.rules);
	if (!rc) {
		b.l1_key = frame_type_key(FRAME_L1, pt->id);
		rc = batch_run_logged(&b, args[0], (u32)args[1] & ~COUNT_PREEMPTED, &done);
		mmu_rules_put(&b.rules);
	}
	if (!frame_type_drained(pt) && mmu_drain(v, pt) && !rc)
		rc = -ERESTART;
	domain_put(pt);
	return mmu_batch_end(v, args, sizeof(struct mmu_update), done, rc);
}

long do_mmu_update(struct vcpu *v, u64 *args)
{
	struct domain *d = v->domain;
	struct batch b;
	u32 done;
	int rc;

	if (unlikely(!frame_type_drained(d)) && mmu_drain(v, d))
		return -ERESTART;
	if (unlikely((u32)args[3] != DOMID_SELF))
		return mmu_update_foreign(v, args, (u32)args[3]);
	b.v = v;
	b.rules = mmu_rules_own(d);
	b.table = NO_TABLE;
	b.l1_key = frame_type_key(FRAME_L1, d->id);
	b.work = 0;
	if (unlikely(d->logging))
		rc = batch_run_logged(&b, args[0], (u32)args[1] & ~COUNT_PREEMPTED, &done);
	else
		rc = batch_run_plain(&b, args[0], (u32)args[1] & ~COUNT_PREEMPTED, &done);
	if (unlikely(!frame_type_drained(d)) && mmu_drain(v, d) && !rc)
		rc = -ERESTART;
	return mmu_batch_end(v, args, sizeof(struct mmu_update), done, rc);
}
