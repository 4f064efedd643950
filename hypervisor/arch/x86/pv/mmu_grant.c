/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Granted frames in a PV address space. The entry holds references like any other L1 entry; the grant layer has its own, so it does not
 * matter to anybody's counts if the guest overwrites the entry by other means.
 */
#include "mmu_mirror.h"

#include <hv/errno.h>
#include <hv/grant.h>
#include <hv/guest.h>
#include <hv/pv.h>
#include <xen/grant_table.h>

/* Software bits of an entry: 9 to 11, then 52 to 62; flags have them in one row. */
#define AVAIL_LOW_BITS 3
#define AVAIL_LOW_SHIFT 9
#define AVAIL_HIGH_SHIFT 52
#define AVAIL_HIGH_MASK (0x7ffUL << AVAIL_HIGH_SHIFT)

static struct frame *entry_find(const struct vcpu *v, u64 host_addr, u32 flags, unsigned int *index)
{
	mfn_t m = paddr_mfn(paddr(host_addr));

	if (!(flags & GNTMAP_contains_pte))
		return guest_range_ok(host_addr, 1) ? l1_find(v, host_addr, index) : NULL;
	if ((host_addr & 7) || m.v >= frame_limit || !frame_type_has_key(frame_of(m), frame_type_key(FRAME_L1, v->domain->id)))
		return NULL;
	*index = (host_addr & ~PAGE_MASK) / sizeof(u64);
	return frame_of(m);
}

static u64 entry_make(mfn_t m, u32 flags)
{
	u64 avail = flags >> _GNTMAP_guest_avail0;
	u64 e = mfn_paddr(m).v | PTE_PRESENT | PTE_USER | PTE_ACCESSED;

	if (!(flags & GNTMAP_readonly))
		e |= PTE_WRITE | PTE_DIRTY;
	e |= (avail & ((1u << AVAIL_LOW_BITS) - 1)) << AVAIL_LOW_SHIFT;
	return e | (avail >> AVAIL_LOW_BITS << AVAIL_HIGH_SHIFT & AVAIL_HIGH_MASK);
}

/* The grant layer holds references of the frame, so it has that owner and, when writable, that type. */
static bool entry_get(struct vcpu *v, mfn_t m, bool writable)
{
	struct frame *f = frame_of(m);

	if (!frame_valid(m))
		return true;
	if (!writable)
		return frame_get(f, NULL);
	if (!frame_type_try_get(f, frame_type_key(FRAME_WRITABLE, READ_ONCE(f->owner))) && !frame_get_writable(v, f, NULL))
		return false;
	if (f->owner != v->domain->id)
		frame_type_mark(f, FRAME_TYPE_FOREIGN);
	return true;
}

static int host_map(struct vcpu *v, u64 host_addr, mfn_t m, u32 flags)
{
	unsigned int index;
	struct frame *f = entry_find(v, host_addr, flags, &index);
	u64 e = entry_make(m, flags);

	if (!f)
		return GNTST_bad_virt_addr;
	if (!entry_get(v, m, e & PTE_WRITE))
		return GNTST_general_error;
	if (l1_commit(v, v->domain, f, index, e, 0)) {
		l1_entry_put(v, e);
		return GNTST_bad_virt_addr;
	}
	return GNTST_okay;
}

/* Both locks, in ascending order of addresses; false when one of them is no valid L1 of that key. */
static bool tables_lock(struct frame *a, struct frame *b, u64 key)
{
	struct frame *first = a < b ? a : b;

	if (!frame_lock_as(first, key))
		return false;
	if (a == b || frame_lock_as(a < b ? b : a, key))
		return true;
	frame_unlock(first);
	return false;
}

static void tables_unlock(struct frame *a, struct frame *b)
{
	frame_unlock(a);
	if (a != b)
		frame_unlock(b);
}

/* The contents of *to, which must map m, are replaced by those of *from, which becomes empty. Returns them; 0 when *to does not map m. */
static u64 entry_move(u64 *to, u64 *from, mfn_t m)
{
	u64 old = READ_ONCE(*to), new = 0;

	if (to == from || !(old & PTE_PRESENT) || !mfn_eq(pte_mfn(old), m))
		return 0;
	if (from)
		new = __atomic_exchange_n(from, 0, __ATOMIC_SEQ_CST);
	return __atomic_exchange_n(to, new, __ATOMIC_SEQ_CST);
}

/* As entry_move, of entries of tables that are to be valid L1s of d. new_f NULL: nothing takes the place. */
static u64 entry_replace(struct domain *d, struct frame *f, unsigned int index, struct frame *new_f,
			 unsigned int new_index, mfn_t m)
{
	const u64 key = frame_type_key(FRAME_L1, d->id);
	struct frame *other = new_f ? new_f : f;
	u64 *to, *from, old;

	if (!tables_lock(f, other, key))
		return 0;
	to = frame_map(frame_mfn(f));
	from = frame_map(frame_mfn(other));
	old = entry_move(to + index, new_f ? from + new_index : NULL, m);
	frame_unmap(from);
	frame_unmap(to);
	if (unlikely(d->logging)) {
		mirror_changed(d, f, 1, index);
		mirror_changed(d, other, 1, new_f ? new_index : index);
	}
	tables_unlock(f, other);
	return old;
}

static int host_unmap(struct vcpu *v, u64 host_addr, u64 new_addr, mfn_t m, u32 flags)
{
	unsigned int index, new_index = 0;
	struct frame *f = entry_find(v, host_addr, flags, &index), *new_f = NULL;
	u64 old;

	if (!f)
		return GNTST_general_error;
	if (new_addr) {
		new_f = guest_range_ok(new_addr, 1) ? l1_find(v, new_addr, &new_index) : NULL;
		if (!new_f)
			return GNTST_bad_virt_addr;
	}
	old = entry_replace(v->domain, f, index, new_f, new_index, m);
	if (!old)
		return GNTST_general_error;
	l1_entry_put(v, old);
	return GNTST_okay;
}

const struct grant_host_ops pv_grant_host_ops = {
	.map = host_map,
	.unmap = host_unmap,
};
