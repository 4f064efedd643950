/* SPDX-License-Identifier: BSD-2-Clause */
/* mmu_update and update_va_mapping. */
#include "mmu.h"

#include <hv/errno.h>
#include <hv/guest.h>
#include <hv/hypercall.h>
#include <hv/pv.h>
#include <hv/softirq.h>
#include <hv/tlb.h>

/* Preemption is looked for after so much work; a table that may be validated or invalidated counts for many entries. */
#define WORK_LIMIT 64u
#define WORK_TABLE 32u

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
	frame_lock(f);
	if (unlikely(!frame_type_has_key(f, frame_type_key(FRAME_L1, d->id)))) {
		frame_unlock(f);
		return NULL;
	}
	return (u64 *)frame_map(frame_mfn(f)) + index;
}

static void l1_entry_unlock(struct frame *f, const u64 *pte)
{
	frame_unmap(pte);
	frame_unlock(f);
}

int l1_commit(struct vcpu *actor, const struct domain *d, struct frame *f, unsigned int index, u64 new, u64 keep)
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
	l1_entry_unlock(f, pte);
	l1_entry_put(actor, old);
	return 0;
}

int l1_commit_if(struct vcpu *actor, const struct domain *d, struct frame *f, unsigned int index, u64 expected, u64 new)
{
	u64 *pte = l1_entry_lock(d, f, index), old = expected;
	bool done;

	if (!pte)
		return -EINVAL;
	done = __atomic_compare_exchange_n(pte, &old, new, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
	l1_entry_unlock(f, pte);
	if (!done)
		return -EAGAIN;
	l1_entry_put(actor, expected);
	return 0;
}

static inline int l1_update(struct vcpu *actor, const struct mmu_rules *r, struct frame *f, unsigned int index, u64 val, u64 keep)
{
	u64 new = val;
	int rc;

	if (new & PTE_PRESENT) {
		rc = l1_entry_get(actor, r, &new);
		if (unlikely(rc))
			return rc;
	}
	rc = l1_commit(actor, r->d, f, index, new, keep);
	if (unlikely(rc))
		l1_entry_put(actor, new);
	return rc;
}

/* One entry of a table of level 2 to 4. */
static int table_update(struct vcpu *actor, const struct domain *d, struct frame *f, unsigned int level, unsigned int index,
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
	}
	pte = (u64 *)frame_map(frame_mfn(f)) + index;
	frame_lock(f);
	if (!frame_type_has_key(f, frame_type_key(table_type(level), d->id))) {
		frame_unlock(f);
		frame_unmap(pte);
		table_entry_put(actor, new);
		return -EINVAL;
	}
	old = READ_ONCE(*pte);
	while (!__atomic_compare_exchange_n(pte, &old, new | (old & keep), false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		;
	frame_unlock(f);
	frame_unmap(pte);
	table_entry_put(actor, old);
	return 0;
}

/* --- update_va_mapping --- */

/* The flag bits above the type of flush: 0 this CPU, UVMF_ALL, or the address of a bitmap of vCPUs. */
static int flush_others(struct vcpu *v, gva_t va, u64 flags)
{
	struct cpumask mask;
	u64 where = flags & ~UVMF_FLUSHTYPE_MASK;

	if (where == UVMF_ALL)
		mask = v->domain->dirty_cpus;
	else if (mmu_vcpumask(v, where, &mask))
		return -EFAULT;
	if ((flags & UVMF_FLUSHTYPE_MASK) == UVMF_INVLPG)
		tlb_flush_page_mask(&mask, va);
	else
		tlb_flush_mask(&mask);
	return 0;
}

static inline int flush(struct vcpu *v, gva_t va, u64 flags)
{
	if (likely(flags == UVMF_NONE))
		return 0;
	if (likely(flags == (UVMF_INVLPG | UVMF_LOCAL))) {
		tlb_flush_page_local(va);
		return 0;
	}
	switch (flags & UVMF_FLUSHTYPE_MASK) {
	case UVMF_TLB_FLUSH:
		if (flags != (UVMF_TLB_FLUSH | UVMF_LOCAL))
			return flush_others(v, va, flags);
		tlb_flush_local();
		return 0;
	case UVMF_INVLPG:
		return flush_others(v, va, flags);
	case UVMF_NONE:
		return 0;
	default:
		return -EINVAL;
	}
}

static inline int va_update(struct vcpu *v, const struct mmu_rules *r, gva_t va, u64 val, u64 flags)
{
	unsigned int index;
	struct frame *f;
	int rc;

	if (unlikely(!guest_range_ok(va, 1) || (flags & UVMF_FLUSHTYPE_MASK) == UVMF_FLUSHTYPE_MASK))
		return -EINVAL;
	f = l1_find(v, va, &index);
	if (unlikely(!f))
		return -EINVAL;
	rc = l1_update(v, r, f, index, val, 0);
	return likely(!rc) ? flush(v, va, flags) : rc;
}

long do_update_va_mapping(struct vcpu *v, u64 *args)
{
	const struct mmu_rules r = mmu_rules_own(v->domain);

	return va_update(v, &r, args[0], args[1], args[2]);
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
	/* The page-table frame that was looked up last. */
	mfn_t table;
	struct frame *f;
	unsigned int level;	/* 0: not a page table */
	u32 work;
};

static int batch_table(struct batch *b, mfn_t m)
{
	u64 word;

	b->table = INVALID_MFN;
	if (!frame_valid(m))
		return -EINVAL;
	b->f = frame_of(m);
	word = READ_ONCE(b->f->type);
	b->level = 0;
	if (frame_word_state(word) == FRAME_STATE_VALID && frame_type_is_table(frame_word_type(word)))
		b->level = (unsigned int)(frame_word_type(word) - FRAME_L1) + 1;
	b->table = m;
	return 0;
}

/* A page of the domain that is no page table yet is only memory. */
static int memory_update(const struct batch *b, unsigned int index, u64 val, u64 keep)
{
	u64 *entry;

	if (!frame_get_writable(b->v, b->f, b->rules.d))
		return -EINVAL;
	entry = (u64 *)frame_map(b->table) + index;
	WRITE_ONCE(*entry, val | (READ_ONCE(*entry) & keep));
	frame_unmap(entry);
	frame_put_writable(b->f);
	return 0;
}

static int entry_update(struct batch *b, u64 ptr, u64 val, u64 keep)
{
	unsigned int index = (ptr & ~PAGE_MASK) / sizeof(u64);
	mfn_t m = paddr_mfn(paddr(ptr));
	int rc;

	if (unlikely(m.v != b->table.v)) {
		rc = batch_table(b, m);
		if (rc)
			return rc;
	}
	if (likely(b->level == 1))
		return l1_update(b->v, &b->rules, b->f, index, val, keep);
	b->table = INVALID_MFN;
	b->work += WORK_TABLE;
	if (b->level)
		return table_update(b->v, b->rules.d, b->f, b->level, index, val, keep);
	b->table = m;
	rc = memory_update(b, index, val, keep);
	b->table = INVALID_MFN;
	return rc;
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
	frame_put(f);
	return 0;
}

static int request_do(struct batch *b, const struct mmu_update *u)
{
	u64 ptr = u->ptr & ~3UL;

	switch (u->ptr & 3) {
	case MMU_NORMAL_PT_UPDATE:
	case MMU_PT_UPDATE_NO_TRANSLATE:
		/* Entries are aligned. */
		return ptr & 4 ? -EINVAL : entry_update(b, ptr, u->val, 0);
	case MMU_PT_UPDATE_PRESERVE_AD:
		return ptr & 4 ? -EINVAL : entry_update(b, ptr, u->val, PTE_ACCESSED | PTE_DIRTY);
	case MMU_MACHPHYS_UPDATE:
	default:
		return machphys_update(b, ptr, u->val);
	}
}

/* Does requests from args[0] on until all are done, one fails, or preemption. Their number goes to *done. */
static int batch_run(struct batch *b, gva_t list, u32 count, u32 *done)
{
	struct mmu_update u;
	int rc;

	for (*done = 0; *done < count; ++*done) {
		if (unlikely(b->work >= WORK_LIMIT)) {
			b->work = 0;
			if (preempt_needed())
				return -ERESTART;
		}
		if (unlikely(guest_array_in(b->v, &u, list, *done)))
			return -EFAULT;
		rc = request_do(b, &u);
		if (unlikely(rc))
			return rc;
		b->work++;
	}
	return 0;
}

long mmu_batch_end(struct vcpu *v, u64 *args, size_t size, u32 done, int rc)
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

long do_mmu_update(struct vcpu *v, u64 *args)
{
	u32 count = (u32)args[1] & ~COUNT_PREEMPTED, foreign = (u32)args[3], done;
	struct domain *pt = v->domain;
	struct batch b;
	int rc;

	b.v = v;
	b.table = INVALID_MFN;
	b.work = 0;
	if (unlikely(!frame_type_drained(pt)) && mmu_drain(v, pt))
		return -ERESTART;
	if (likely(foreign == DOMID_SELF)) {
		b.rules = mmu_rules_own(pt);
		rc = batch_run(&b, args[0], count, &done);
	} else {
		if (foreign >> 16) {
			rc = mmu_domain_get(v, (domid_t)((foreign >> 16) - 1), &pt);
			if (rc)
				return rc;
		}
		rc = mmu_rules_get(v, pt, (domid_t)foreign, &b.rules);
		if (!rc) {
			rc = batch_run(&b, args[0], count, &done);
			mmu_rules_put(&b.rules);
		} else {
			done = 0;
		}
	}
	if (unlikely(!frame_type_drained(pt)) && mmu_drain(v, pt) && !rc)
		rc = -ERESTART;
	if (unlikely(foreign >> 16))
		domain_put(pt);
	return mmu_batch_end(v, args, sizeof(struct mmu_update), done, rc);
}
