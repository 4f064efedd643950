/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mirrors: page tables that the processor uses instead of the guest's while writes to the domain's memory are logged. Private to arch/x86/pv.
 *
 * A mirror belongs to one valid table of the guest, whose frame->aux names it (0: none; it is made when it is needed first). An entry of
 * a mirror is either that of the guest's table (of a higher table: naming the mirror of the table below), or has fewer rights:
 *	not present	while the guest's entry has not been accessed, or the table below has no mirror
 *	not writable	while the guest's entry is not dirty, or the page has not been marked in the log since the last clean
 * so whatever the processor does with it the guest's own entries have their accessed and dirty bits, and the log its mark. Faults that
 * this causes are resolved here and never reach the guest. Every change of a guest's entry changes the mirror's under the same lock.
 */
#ifndef PV_MMU_MIRROR_H
#define PV_MMU_MIRROR_H

#include "mmu.h"

enum mirror_list { MIRROR_FREE, MIRROR_COLD, MIRROR_HOT, MIRROR_LISTS };

enum log_stage { LOG_OFF, LOG_OPENING, LOG_ON, LOG_CLOSING };

/* An operation of the control interface that was preempted, and by what it is known again. LOCK_CONTROL. */
struct log_op {
	const struct vcpu *actor;	/* NULL: none */
	u64 buffer, pages;
	u32 cmd, mode;
	u32 step;
	bool everything;		/* all pages are reported as dirty */
	u64 next;
	u32 dirty_count, fault_count;
};

struct pv_mirror {
	struct spinlock lock;		/* LOCK_MIRROR: lists, and the types of mirrors' frames */
	struct { u32 first, last, count; } list[MIRROR_LISTS];	/* frame numbers, linked by next and prev; 0 = none */
	u64 total;			/* pages in all, those included that are in nobody's list for a moment; LOCK_CONTROL */
	u32 epoch;			/* atomic: cleans so far */
	bool use;			/* vCPUs run on mirrors; they are kept as long as there are any */
	bool overflow;			/* the pool was used up: nobody runs on mirrors, and writes are not seen, until the next clean */

	/* control interface; LOCK_CONTROL */
	u8 stage;			/* enum log_stage */
	bool pool_asked;		/* the pool's size was set by the toolstack: it outlives the log */
	u32 scan_domain;		/* whose tables are looked at for mappings of this domain's frames */
	u32 scan_frame;			/* which of its frames was the last, with a reference; 0 = none */
	struct log_op op;
};

/* --- mmu_mirror.c --- */
/* Adds or takes pages until the pool has that many: 0, -ERESTART, -ENOMEM, -EBUSY (too many are in use). */
int mirror_pool_resize(struct pv_mirror *m, u64 pages) must_check;
/* vCPUs run on mirrors from now on. d is paused meanwhile, so it must not be the actor's. */
void mirror_use(struct domain *d);
/* ... on the guest's own tables. No lock of LOCK_IPI and above. */
void mirror_leave(struct domain *d);
/* Gives all mirrors back to the pool, after mirror_leave. 0, -ERESTART. */
int mirror_drain(struct domain *d) must_check;
/*
 * Pages have become clean: takes the right to write from `count` mirrors that have it, 0 or -ERESTART with *count changed. Translations
 * are to be flushed afterwards.
 */
int mirror_clean(struct domain *d, u64 *count) must_check;
/* The epoch of mirrors that are made from now on is a new one. */
void mirror_epoch_next(struct pv_mirror *m);

/*
 * What has to be done for a table that is changed while its owner is logged, with frame_lock of f held after entry `index` changed: the log
 * and the mirror.
 */
void mirror_changed(struct domain *d, struct frame *f, unsigned int level, unsigned int index);
/* The same for a frame of a L4 whose slot changed, after the lock was dropped: copies of it that CPUs have. */
void mirror_root_changed(const struct domain *d, const struct frame *f);
/* The address space to load for v when its tables begin at root. */
mfn_t mirror_root(struct vcpu *v, mfn_t root) must_check;
/* A table loses its type: its mirror goes back to the pool. */
void mirror_retire(struct frame *f);
/*
 * A fault at addr in the guest, or of the hypervisor when it used the guest's address. True: by the guest's tables it may do so, try again.
 * False: it may not; *error says from now on whether the guest has a page there.
 */
bool mirror_fault(struct vcpu *v, gva_t addr, u32 *error);

/* --- mmu_log.c --- */
long pv_shadow_op(struct vcpu *actor, struct domain *d, struct xen_domctl_shadow_op *op, bool *out);
long pv_pool_set(struct domain *d, u64 pages);
u64 pv_pool_get(const struct domain *d);
/* Teardown: ends logging and frees the pool. 0, -ERESTART. */
int pv_log_relinquish(struct domain *d) must_check;
void pv_log_free(struct domain *d);

#endif
