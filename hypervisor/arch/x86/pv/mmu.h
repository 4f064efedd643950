/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page tables of PV guests. What each present entry of a validated table holds:
 *	L1: of a frame of memory a general reference, or if it may be written a FRAME_WRITABLE type reference; of I/O memory nothing
 *	L2, L3, L4: a type reference of the table below
 * and nothing else; entries are changed with the table's frame_lock held, after the references of the new contents were
 * taken and before those of the old ones are dropped. Private to arch/x86/pv.
 */
#ifndef PV_MMU_H
#define PV_MMU_H

#include <hv/domain.h>
#include <hv/frame.h>
#include <hv/frame_type.h>

#define PTE_PRESENT (1UL << 0)
#define PTE_WRITE (1UL << 1)
#define PTE_USER (1UL << 2)
#define PTE_PWT (1UL << 3)
#define PTE_PCD (1UL << 4)
#define PTE_ACCESSED (1UL << 5)
#define PTE_DIRTY (1UL << 6)
#define PTE_PAT (1UL << 7)	/* of an L1 entry; above it is the page-size bit */
#define PTE_SIZE (1UL << 7)
#define PTE_GLOBAL (1UL << 8)
#define PTE_NX (1UL << 63)
#define PTE_ADDRESS 0x000ffffffffff000UL
#define PTE_CACHE (PTE_PWT | PTE_PCD | PTE_PAT)
#define PTES 512u

static inline mfn_t pte_mfn(u64 pte)
{
	return mfn((pte & PTE_ADDRESS) >> PAGE_SHIFT);
}

static inline unsigned int pte_index(gva_t va, unsigned int level)
{
	return va >> (PAGE_SHIFT + 9 * (level - 1)) & (PTES - 1);
}

static inline enum frame_type table_type(unsigned int level)
{
	return (enum frame_type)(FRAME_L1 + level - 1);
}

/* Whose frames new L1 entries may map. */
struct mmu_rules {
	struct domain *d;		/* owner of the page tables */
	struct domain *data;		/* owner of the frames */
	const struct domain *plain;	/* == data where nothing special is to be looked at, else one that owns no frames */
	u64 writable_key;		/* the same for writable mappings */
	bool io_only;
};

/* The usual case: a domain's tables map its own frames. */
static inline struct mmu_rules mmu_rules_own(struct domain *d)
{
	return (struct mmu_rules){ .d = d, .data = d, .plain = d, .writable_key = frame_type_key(FRAME_WRITABLE, d->id) };
}

/* --- mmu_entry.c --- */
int l1_entry_get_slow(struct vcpu *actor, const struct mmu_rules *r, u64 *entry) must_check;

/*
 * Takes what a present L1 entry is to hold and makes the entry as it must be (user bit, no global bit). 0, -EINVAL, -EPERM,
 * -ERESTART. No lock held.
 */
static inline int must_check l1_entry_get(struct vcpu *actor, const struct mmu_rules *r, u64 *entry)
{
	u64 e = *entry, n = (e & PTE_ADDRESS) >> PAGE_SHIFT;
	struct frame *f;

	if (likely((e & (PTE_PRESENT | PTE_USER | PTE_GLOBAL | PTE_CACHE)) == (PTE_PRESENT | PTE_USER) && n < frame_limit)) {
		f = frame_of(mfn(n));
		if (e & PTE_WRITE ? frame_type_try_get(f, r->writable_key) : frame_get(f, r->plain))
			return 0;
	}
	return l1_entry_get_slow(actor, r, entry);
}

/* Drops what an L1 entry holds; the entry was replaced by a locked instruction, or its table is being invalidated. */
static inline void l1_entry_put(struct vcpu *actor, u64 e)
{
	u64 n = (e & PTE_ADDRESS) >> PAGE_SHIFT;
	struct frame *f;

	if (!(e & PTE_PRESENT) || unlikely(n >= frame_limit))
		return;
	f = frame_of(mfn(n));
	if (unlikely(!(f->flags & FRAME_RAM)))
		return;
	if (e & PTE_WRITE)
		frame_type_drop(actor, f);
	else
		frame_put(f);
}

/* The same for present entries of levels 2 to 4: the table below becomes valid. 0, -EINVAL, -ERESTART. */
int table_entry_get(struct vcpu *actor, const struct domain *d, unsigned int level, u64 *entry) must_check;
static inline void table_entry_put(struct vcpu *actor, u64 e)
{
	if (e & PTE_PRESENT)
		frame_type_drop(actor, frame_of(pte_mfn(e)));
}

/* True for entries of an L4 that belong to the hypervisor. */
static inline bool l4_slot_reserved(unsigned int index)
{
	return index >= HV_L4_FIRST && index <= HV_L4_LAST;
}

/* --- mmu_update.c --- */
/* The frame of a valid L1 that maps va in v's kernel address space, and the entry's index; NULL when there is none. A hint: no reference. */
struct frame *l1_find(const struct vcpu *v, gva_t va, unsigned int *index);
/*
 * Puts `new`, whose references the caller has taken, into an entry of f, which is expected to be a valid L1 of d, and drops what the old
 * one held. keep: bits of the old entry that stay as well. -EINVAL when f is no such table: nothing was done. No lock held.
 */
int l1_commit(struct vcpu *actor, const struct domain *d, struct frame *f, unsigned int index, u64 new, u64 keep) must_check;
/* The same, but only if the entry is `expected`: else -EAGAIN. */
int l1_commit_if(struct vcpu *actor, const struct domain *d, struct frame *f, unsigned int index, u64 expected, u64 new) must_check;

/* Set in a count by us when the hypercall was preempted: *pdone then has what was done before. */
#define COUNT_PREEMPTED (1u << 31)
/*
 * The end of mmu_update and mmuext_op, which share their arguments (list, count, *pdone, foreigndom): stores the number of operations done
 * and, for rc -ERESTART, what is left in args. Returns rc, or -EFAULT.
 */
long mmu_batch_end(struct vcpu *v, u64 *args, size_t size, u32 done, int rc);

/* --- mmu_domain.c --- */
/* True when the actor may change memory and page tables of d. */
bool mmu_may_control(const struct vcpu *actor, const struct domain *d);
/*
 * The domain that a hypercall's foreigndom names as owner of page tables (or of pinned frames): with a reference. -ESRCH, -EPERM. Its life
 * was looked at: it is not dying, unless it is the actor's own.
 */
int mmu_domain_get(struct vcpu *actor, domid_t id, struct domain **out) must_check;
/* Rules for page tables of d that map frames of the domain `id`, DOMID_IO and DOMID_XEN included. -ESRCH, -EPERM. */
int mmu_rules_get(struct vcpu *actor, struct domain *d, domid_t id, struct mmu_rules *out) must_check;
void mmu_rules_put(struct mmu_rules *r);
/* Invalidates what waits for it in d: -ERESTART when preempted. Does not stop half way when d is dying. */
int mmu_drain(struct vcpu *actor, struct domain *d) must_check;
/* CPUs that run vCPUs of v's domain named by a guest's bitmap. -EFAULT. */
int mmu_vcpumask(struct vcpu *v, gva_t bitmap, struct cpumask *out) must_check;

#endif
