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
#include <hv/features.h>
#include <hv/frame.h>
#include <hv/frame_type.h>
#include <hv/guest.h>

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

/*
 * May an entry that is not present have these contents? On CPUs with L1TF such an entry lets its owner see what the first-level
 * cache has of the memory at its address, so it must not name any. (Linux stores such entries inverted, for the same reason.)
 */
static inline bool pte_absent_ok(u64 e)
{
	return likely(!cpu_has(CPU_DO_L1TF_PTES)) || !(e & PTE_ADDRESS) || pte_mfn(e).v >= frame_limit;
}

/* Whose frames new L1 entries may map. */
struct mmu_rules {
	struct domain *d;		/* owner of the page tables */
	struct domain *data;		/* owner of the frames */
	u64 writable_key;		/* of data's frames that may be mapped writable as they are; else one that no frame has */
	u16 readonly_id;		/* the same for read-only mappings: data's id, or one that owns nothing */
	bool io_only;
};

/* The usual case: a domain's tables map its own frames. */
static inline struct mmu_rules mmu_rules_own(struct domain *d)
{
	return (struct mmu_rules){ .d = d, .data = d, .writable_key = frame_type_key(FRAME_WRITABLE, d->id), .readonly_id = d->id };
}

/* --- mmu_entry.c --- */
/*
 * Takes what a present L1 entry is to hold and makes the entry as it must be (user bit, no global bit). 0, -EINVAL, -EPERM,
 * -ERESTART. No lock held.
 */
int l1_entry_get(struct vcpu *actor, const struct mmu_rules *r, u64 *entry) must_check;
/* The same for an entry of d's that maps d's own frames. */
int l1_entry_get_own(struct vcpu *actor, struct domain *d, u64 *entry) must_check;

/* Flags that an entry has if it may stay as it is, and nothing special is to be looked at. */
#define PTE_PLAIN_MASK (PTE_PRESENT | PTE_USER | PTE_GLOBAL | PTE_CACHE)
#define PTE_PLAIN (PTE_PRESENT | PTE_USER)

/* The frame that an entry names, whose number is below frame_limit: sparing a shift. */
static inline struct frame *pte_frame(u64 address)
{
	_Static_assert(sizeof(struct frame) == 1 << 5, "size of struct frame");
	return (struct frame *)(void *)((u8 *)FRAME_TABLE + (address >> (PAGE_SHIFT - 5)));
}

/* The case of nearly all entries: nothing to change, and the frame has the type already (or needs none). False: ask l1_entry_get. */
static inline __attribute__((always_inline)) bool must_check l1_entry_get_plain(u64 e, u64 limit, u64 writable_key, u16 readonly_id)
{
	u64 address = e & PTE_ADDRESS;

	if ((e & PTE_PLAIN_MASK) != PTE_PLAIN || unlikely(address >= limit))
		return false;
	return e & PTE_WRITE ? frame_type_try_get(pte_frame(address), writable_key) :
			       frame_try_get(pte_frame(address), readonly_id);
}

/* frame_limit as an address. */
static inline u64 frame_limit_address(void)
{
	return frame_limit << PAGE_SHIFT;
}

void l1_entry_put_rest(struct vcpu *actor, u64 e);

/* Drops what a present L1 entry holds; limit: frame_limit_address(). */
static inline __attribute__((always_inline)) void l1_entry_put_present(struct vcpu *actor, u64 e, u64 limit)
{
	u64 address = e & PTE_ADDRESS;
	struct frame *f = pte_frame(address);

	if (unlikely(address >= limit))
		return;
	if (e & PTE_WRITE) {
		u64 word = READ_ONCE(f->type);

		/* More than the last reference; I/O memory has none. */
		while (likely((u32)word >= 2 * FRAME_TYPE_ONE))
			if (likely(__atomic_compare_exchange_n(&f->type, &word, word - FRAME_TYPE_ONE, false, __ATOMIC_ACQ_REL,
							       __ATOMIC_RELAXED)))
				return;
		l1_entry_put_rest(actor, e);
	} else if (likely(f->flags & FRAME_RAM)) {
		frame_put(f);
	}
}

/* Drops what an L1 entry holds; the entry was replaced by a locked instruction, or its table is being invalidated. */
static inline void l1_entry_put(struct vcpu *actor, u64 e)
{
	if (e & PTE_PRESENT)
		l1_entry_put_present(actor, e, frame_limit_address());
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

/* Frames below this number have a struct frame and are in the direct map: what short paths are for. Set with the first domain. */
extern u64 mmu_direct_frames;

/* --- mmu_update.c --- */
/* The frame of a valid L1 that maps va in v's kernel address space, and the entry's index; NULL when there is none. A hint: no reference. */
struct frame *l1_find(const struct vcpu *v, gva_t va, unsigned int *index);
/*
 * Puts `new`, whose references the caller has taken, into an entry of f, which is expected to be a valid L1 of d, and drops what the old
 * one held. keep: bits of the old entry that stay as well. -EINVAL when f is no such table: nothing was done. No lock held.
 */
int l1_commit(struct vcpu *actor, struct domain *d, struct frame *f, unsigned int index, u64 new, u64 keep) must_check;
/* The same, but only if the entry is `expected`: else -EAGAIN. */
int l1_commit_if(struct vcpu *actor, struct domain *d, struct frame *f, unsigned int index, u64 expected, u64 new) must_check;

/* Set in a count by us when the hypercall was preempted: *pdone then has what was done before. */
#define COUNT_PREEMPTED (1u << 31)
/*
 * The end of mmu_update and mmuext_op, which share their arguments (list, count, *pdone, foreigndom): stores the number of operations done
 * and, for rc -ERESTART, what is left in args. Returns rc, or -EFAULT.
 */
long mmu_batch_end_long(struct vcpu *v, u64 *args, size_t size, u32 done, int rc);
static inline long mmu_batch_end(struct vcpu *v, u64 *args, size_t size, u32 done, int rc)
{
	if (unlikely(rc || (args[1] & COUNT_PREEMPTED)))
		return mmu_batch_end_long(v, args, size, done, rc);
	return args[2] ? guest_write32(v, args[2], done) : 0;
}

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
