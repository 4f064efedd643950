/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules for the entries of page tables, and the validation and invalidation of whole tables and descriptor pages. */
#include "mmu_mirror.h"

#include <hv/bug.h>
#include <hv/dirty_log.h>
#include <hv/errno.h>
#include <hv/mm.h>
#include <hv/pci.h>
#include <hv/pv.h>
#include <hv/rangeset.h>
#include <hv/softirq.h>
#include <hv/string.h>

/* --- L1 entries --- */

/* I/O memory: what the domain was given, never the hypervisor's own devices (which are in nobody's set). */
static int io_entry_get(const struct vcpu *actor, const struct mmu_rules *r, u64 *entry)
{
	const struct domain *d = r->io_only ? actor->domain : r->data;
	mfn_t m = pte_mfn(*entry);

	if (!d->iomem || !rangeset_contains(d->iomem, m.v, m.v))
		return -EPERM;
	if ((*entry & PTE_WRITE) && pci_frame_readonly(m))
		*entry &= ~PTE_WRITE;
	return 0;
}

static int writable_entry_get(struct vcpu *actor, const struct mmu_rules *r, struct frame *f, u64 e)
{
	u32 marks = 0;
	int rc;

	if (r->data == r->d && !(e & PTE_CACHE) && frame_type_try_begin(f, r->d->id))
		return 0;
	if (!frame_get(f, r->data))
		return -EINVAL;
	rc = frame_type_get(actor, f, FRAME_WRITABLE);
	if (!rc) {
		if (r->data != r->d) {
			marks |= FRAME_TYPE_FOREIGN;
			dirty_log_hold(f);
		}
		if (e & PTE_CACHE)
			marks |= FRAME_TYPE_UNCACHED;
		if (marks)
			frame_type_mark(f, marks);
	}
	frame_put(f);
	return rc;
}

int l1_entry_get(struct vcpu *actor, const struct mmu_rules *r, u64 *entry)
{
	u64 e = (*entry | PTE_USER) & ~PTE_GLOBAL;
	mfn_t m = pte_mfn(e);
	struct frame *f;
	int rc = 0;

	if (!frame_valid(m)) {
		rc = io_entry_get(actor, r, &e);
	} else if (r->io_only) {
		rc = -EINVAL;
	} else {
		f = frame_of(m);
		/* Of the hypervisor's own frames only those that it shares; others have this owner when their domain has gone. */
		if (r->data == dom_xen && !(f->flags & FRAME_SHARED))
			rc = -EINVAL;
		else if (e & PTE_WRITE)
			rc = writable_entry_get(actor, r, f, e);
		else if (!frame_get(f, r->data))
			rc = -EINVAL;
	}
	if (!rc)
		*entry = e;
	return rc;
}

int l1_entry_get_own(struct vcpu *actor, struct domain *d, u64 *entry)
{
	const struct mmu_rules r = mmu_rules_own(d);
	u64 e = (*entry | PTE_USER) & ~PTE_GLOBAL;

	/* Kernels leave the user bit out. */
	if (l1_entry_get_plain(e, frame_limit_address(), r.writable_key, d->id)) {
		*entry = e;
		return 0;
	}
	if ((e & (PTE_PLAIN_MASK | PTE_WRITE)) == (PTE_PLAIN | PTE_WRITE) && (e & PTE_ADDRESS) < frame_limit_address() &&
	    frame_type_try_begin(pte_frame(e & PTE_ADDRESS), d->id)) {
		*entry = e;
		return 0;
	}
	return l1_entry_get(actor, &r, entry);
}

/* --- entries of tables above --- */

/* What can be said about an entry by itself. No large pages; the bit must be 0 in an L4 anyway. */
static int table_entry_fix(u64 *entry)
{
	u64 e = (*entry | PTE_USER) & ~PTE_GLOBAL;

	if ((e & PTE_SIZE) || pte_mfn(e).v >= frame_limit)
		return -EINVAL;
	*entry = e;
	return 0;
}

static int table_below_get(struct vcpu *actor, const struct domain *d, unsigned int level, mfn_t m)
{
	struct frame *f = frame_of(m);
	int rc;

	if (!frame_valid(m) || !frame_get(f, d))
		return -EINVAL;
	rc = frame_type_get(actor, f, table_type(level));
	frame_put(f);
	return rc;
}

int table_entry_get(struct vcpu *actor, const struct domain *d, unsigned int level, u64 *entry)
{
	int rc = table_entry_fix(entry);

	if (rc)
		return rc;
	if (likely(frame_type_try_get(frame_of(pte_mfn(*entry)), frame_type_key(table_type(level - 1), d->id))))
		return 0;
	return table_below_get(actor, d, level - 1, pte_mfn(*entry));
}

/* --- whole tables --- */

#define GROUP 8

/*
 * Most entries of most tables are absent. The first entry from p on that must be looked at, or the end: from a multiple of GROUP on, groups
 * without a present entry are passed over.
 */
static inline const u64 *absent_skip(const u64 *p, const u64 *end)
{
	if ((u64)p % (GROUP * sizeof(u64)))
		return p;
	for (; end - p >= GROUP; p += GROUP)
		if ((p[0] | p[1] | p[2] | p[3] | p[4] | p[5] | p[6] | p[7]) & PTE_PRESENT)
			break;
	return p;
}

/* Writable entries that have references to spare, and I/O memory, were looked at before. */
void l1_entry_put_rest(struct vcpu *actor, u64 e)
{
	struct frame *f = pte_frame(e & PTE_ADDRESS);

	if (f->flags & FRAME_RAM)
		frame_type_drop(actor, f);
}

/* The first entry, from i on, that is not plain; those before it have got their references. */
static noinline_fn u32 l1_validate_plain(const u64 *table, u32 i, u16 id)
{
	const u64 key = frame_type_key(FRAME_WRITABLE, id), limit = frame_limit_address();
	const u64 *end = table + PTES, *p = absent_skip(table + i, end);

	while (p != end) {
		u64 e = READ_ONCE(*p);

		if (likely(l1_entry_get_plain(e, limit, key, id))) {
			p++;
			continue;
		}
		if (e & PTE_PRESENT)
			break;
		p = absent_skip(p + 1, end);
	}
	return (u32)(p - table);
}

static bool table_absent_ok(const u64 *table)
{
	if (likely(!cpu_has(CPU_DO_L1TF_PTES)))
		return true;
	for (u32 i = 0; i < PTES; i++)
		if (!(table[i] & PTE_PRESENT) && !pte_absent_ok(table[i]))
			return false;
	return true;
}

static int l1_validate(struct vcpu *actor, struct frame *f, struct domain *d)
{
	u64 *table = frame_map(frame_mfn(f));
	u32 i = f->aux;
	int rc = table_absent_ok(table) ? 0 : -EINVAL;

	while (!rc && (i = l1_validate_plain(table, i, d->id)) < PTES) {
		u64 old = READ_ONCE(table[i]), e = old;

		rc = l1_entry_get_own(actor, d, &e);
		if (unlikely(rc))
			break;
		if (e != old)
			WRITE_ONCE(table[i], e);
		i++;
	}
	f->aux = i;
	frame_unmap(table);
	return rc;
}

/* Preemption is looked for after each table below that had to be validated itself; the others cost next to nothing. */
static int table_validate(struct vcpu *actor, struct frame *f, const struct domain *d, unsigned int level)
{
	const u64 key = frame_type_key(table_type(level - 1), d->id);
	u64 *table = frame_map(frame_mfn(f));
	u32 i = f->aux;
	int rc;

	if (level == 4)
		pv_l4_init(table);
	rc = table_absent_ok(table) ? 0 : -EINVAL;
	i = (u32)(absent_skip(table + i, table + PTES) - table);
	while (i < PTES && !rc) {
		u64 old = READ_ONCE(table[i]), e = old;
		bool below = false;

		if (!(e & PTE_PRESENT) || (level == 4 && l4_slot_reserved(i))) {
			i = (u32)(absent_skip(table + i + 1, table + PTES) - table);
			continue;
		}
		rc = table_entry_fix(&e);
		if (!rc && !frame_type_try_get(frame_of(pte_mfn(e)), key)) {
			rc = table_below_get(actor, d, level - 1, pte_mfn(e));
			below = true;
		}
		if (rc)
			break;
		if (e != old)
			WRITE_ONCE(table[i], e);
		i++;
		if (below && i < PTES && preempt_needed())
			rc = -ERESTART;
	}
	f->aux = i;
	frame_unmap(table);
	return rc;
}

/* Descriptors are made safe in place. */
static int descriptors_validate(struct frame *f)
{
	u64 *table = frame_map(frame_mfn(f));
	int rc = 0;

	for (u32 i = 0; i < PTES && !rc; i++) {
		u64 desc = table[i];

		if (!pv_descriptor_fix(&desc))
			rc = -EINVAL;
		else if (desc != table[i])
			table[i] = desc;
	}
	frame_unmap(table);
	return rc;
}

static int validate(struct vcpu *actor, struct frame *f, enum frame_type t)
{
	struct domain *d = frame_owner(f);

	if (!d)
		return -EINVAL;
	/* Its contents may be changed; and it is something else now, which whoever saves the domain wants to know. */
	dirty_log_mark(f);
	if (t == FRAME_SEGDESC)
		return descriptors_validate(f);
	if (t == FRAME_L1)
		return l1_validate(actor, f, d);
	return table_validate(actor, f, d, (unsigned int)(t - FRAME_L1) + 1);
}

static noinline_fn void l1_invalidate(struct vcpu *actor, const u64 *table, u32 n)
{
	const u64 limit = frame_limit_address();
	const u64 *end = table + n, *p = absent_skip(table, end);

	while (p != end) {
		u64 e = READ_ONCE(*p);

		p++;
		if (likely(e & PTE_PRESENT))
			l1_entry_put_present(actor, e, limit);
		else
			p = absent_skip(p, end);
	}
}

static void table_invalidate(struct vcpu *actor, const u64 *table, u32 n, bool l4)
{
	const u64 *end = table + n, *p = absent_skip(table, end);

	while (p != end) {
		u64 e = READ_ONCE(*p);

		if (!(e & PTE_PRESENT) || (l4 && l4_slot_reserved((unsigned int)(p - table)))) {
			p = absent_skip(p + 1, end);
			continue;
		}
		table_entry_put(actor, e);
		p++;
	}
}

static void invalidate(struct vcpu *actor, struct frame *f, enum frame_type t, u32 n)
{
	const u64 *table;

	dirty_log_mark(f);
	if (t == FRAME_SEGDESC)
		return;
	/* Whoever saw the table valid with its lock held has finished when we have had it. */
	frame_lock(f);
	frame_unlock(f);
	table = frame_map(frame_mfn(f));
	if (t == FRAME_L1)
		l1_invalidate(actor, table, n);
	else
		table_invalidate(actor, table, n, t == FRAME_L4);
	frame_unmap(table);
}

const struct frame_type_ops pv_frame_type_ops = {
	.validate = validate,
	.invalidate = invalidate,
	.retire = mirror_retire,
};
