/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which pages of a domain were written: one bit for each page by its number in the domain (as the machine-to-physical table has it), set
 * by everything that writes a frame of a domain that is logged. For the writes of the domain itself see arch/x86/pv/mmu_mirror.c.
 *
 * No locks: bits are set with atomic instructions. The bits go away only after every CPU has been asked once since the log ended
 * (smp_call), and no CPU answers between its look at `pages` and its last use of the bits.
 */
#ifndef HV_DIRTY_LOG_H
#define HV_DIRTY_LOG_H

#include <hv/types.h>
#include <hv/compiler.h>
#include <hv/domain.h>
#include <hv/frame.h>

#define DIRTY_LOG_LEAF_BITS (PAGE_SIZE * 8)

/* A page of bits and its shadow: `held` are pages that others may write at any time, dirty whenever the last round asks. */
struct dirty_log_leaf {
	u64 *dirty, *held;
};

struct dirty_log {
	u64 pages;			/* numbers below it have a bit; what is above counts as dirty always. 0: closed */
	struct dirty_log_leaf *leaf;
	u32 leaves, made;		/* wanted, and allocated so far */
	u32 dirty_count;		/* atomic: pages marked */
	u32 fault_count;		/* atomic: since the last clean */
};

/* How many domains are logged. */
extern u32 dirty_logs;

/*
 * Allocates bits for that many pages: 0, -ERESTART (call again), -ENOMEM. Nothing is logged before d->logging is set, which the caller
 * does with dirty_log_start.
 */
int dirty_log_open(struct domain *d, u64 pages) must_check;
/* From its return on, all marks of d count / none do any more. */
void dirty_log_start(struct domain *d);
void dirty_log_stop(struct domain *d);
/* Frees the bits, after dirty_log_stop. 0 or -ERESTART. */
int dirty_log_close(struct domain *d) must_check;

void dirty_log_mark_slow(const struct frame *f);
void dirty_log_hold_slow(const struct frame *f);
void dirty_log_pfn_slow(const struct domain *d, u64 pfn);

/*
 * Somebody has written f, or has had it mapped writable and does not any more. After the write; the caller holds some reference of f.
 * Any context.
 */
static inline void dirty_log_mark(const struct frame *f)
{
	if (unlikely(READ_ONCE(dirty_logs)))
		dirty_log_mark_slow(f);
}

/* Somebody can write f from now on, for long and without being seen. */
static inline void dirty_log_hold(const struct frame *f)
{
	if (unlikely(READ_ONCE(dirty_logs)))
		dirty_log_hold_slow(f);
}

/* Page pfn of the domain is another frame from now on. */
static inline void dirty_log_pfn(const struct domain *of, u64 pfn)
{
	if (unlikely(READ_ONCE(dirty_logs)))
		dirty_log_pfn_slow(of, pfn);
}

/* True when the page has been marked already, or need not be. */
static inline bool dirty_log_test(const struct dirty_log *l, u64 pfn)
{
	return pfn >= READ_ONCE(l->pages) || (READ_ONCE(l->leaf[pfn / DIRTY_LOG_LEAF_BITS].dirty[pfn / 64 % 512]) >> (pfn % 64) & 1);
}

/*
 * The bits of pages n * 64 to n * 64 + 63. clear: those in `mask` are clean from now on. held: what others may write counts as dirty.
 */
u64 dirty_log_word(struct dirty_log *l, u64 n, bool held, bool clear, u64 mask);

#endif
