/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Logging of writes to a domain's memory, as the control interface has it (XEN_DOMCTL_shadow_op). Every operation can be preempted: enable,
 * off and the pool's size go on from what there is; peek and clean from `op`, and nobody else's begins before that one has ended.
 */
#include "mmu_mirror.h"

#include <hv/cpu.h>
#include <hv/dirty_log.h>
#include <hv/errno.h>
#include <hv/event.h>
#include <hv/grant.h>
#include <hv/guest.h>
#include <hv/pv.h>
#include <hv/softirq.h>
#include <hv/string.h>
#include <hv/tlb.h>
#include <xen/domctl.h>

#define PAGES_PER_MB 256u
/* A pool that nobody has set the size of: so much, for each vCPU, and of the domain's memory. Guests have tables for about 1/200. */
#define POOL_BASE 256u
#define POOL_VCPU 64u
#define POOL_SHARE 64u
#define POOL_LEAST 32u
#define POOL_MAX (1UL << 22)	/* 16 GiB */
#define WORDS_AT_ONCE 64u
#define GRANTS_AT_ONCE 256u
/* Work of a scan between preemption points: a frame, and one that is a table. */
#define SCAN_FRAME 1u
#define SCAN_TABLE 64u
#define SCAN_AT_ONCE 512u

enum step { STEP_HELD, STEP_COPY, STEP_RIGHTS, STEP_TAKE, STEP_DRAIN };

static struct pv_mirror *mirror_get(struct domain *d)
{
	struct pv_mirror *m = d->mirror;

	if (m)
		return m;
	m = hv_alloc(sizeof(*m));
	if (!m)
		return NULL;
	spin_init(&m->lock, LOCK_MIRROR);
	d->mirror = m;
	return m;
}

/* --- the pool --- */

long pv_pool_set(struct domain *d, u64 pages)
{
	struct pv_mirror *m = mirror_get(d);
	long rc;

	if (READ_ONCE(d->life) != DOMAIN_LIVE)
		return -ESRCH;
	if (pages > POOL_MAX || !m)
		return -ENOMEM;
	if (pages > m->total && pages - m->total > heap_free_frames())
		return -ENOMEM;
	rc = mirror_pool_resize(m, pages);
	if (!rc)
		m->pool_asked = pages != 0;
	return rc;
}

u64 pv_pool_get(const struct domain *d)
{
	return d->mirror ? d->mirror->total : 0;
}

static int pool_default(struct domain *d)
{
	u64 pages = POOL_BASE + d->max_vcpus * POOL_VCPU + READ_ONCE(d->memory.pages) / POOL_SHARE;
	struct pv_mirror *m = d->mirror;

	/* Not all that the machine has left: nobody asked for it. */
	pages = MIN(MIN(pages, POOL_MAX), heap_free_frames() / 4);
	if (m->pool_asked || (m->total >= pages && m->total >= POOL_LEAST))
		return 0;
	return pages < POOL_LEAST ? -ENOMEM : mirror_pool_resize(m, pages);
}

/* --- on --- */

/* Pages that the hypervisor writes without looking: they were registered before logging began. */
static void pages_hold(struct domain *d)
{
	struct vcpu *v;

	for_each_vcpu(d, v) {
		mfn_t m = v->info_mfn;

		if (!mfn_eq(m, INVALID_MFN))
			dirty_log_hold(frame_of(m));
	}
	event_pages_hold(d);
}

/* An L1 of another domain: what it maps writable of d's is held. */
static void foreign_table_scan(const struct domain *d, const struct domain *other, struct frame *f)
{
	const u64 *table;

	frame_lock(f);
	if (frame_type_has_key(f, frame_type_key(FRAME_L1, other->id))) {
		table = frame_map(frame_mfn(f));
		for (u32 i = 0; i < PTES; i++) {
			u64 e = READ_ONCE(table[i]);

			if ((e & (PTE_PRESENT | PTE_WRITE)) == (PTE_PRESENT | PTE_WRITE) && frame_valid(pte_mfn(e)) &&
			    frame_of(pte_mfn(e))->owner == d->id)
				dirty_log_hold(frame_of(pte_mfn(e)));
		}
		frame_unmap(table);
	}
	frame_unlock(f);
}

static int foreign_frames_scan(struct domain *d, struct domain *other)
{
	struct pv_mirror *m = d->mirror;

	for (u32 work = SCAN_FRAME;; work += SCAN_FRAME) {
		u32 next = domain_frame_next(other, m->scan_frame);
		struct frame *f = frame_of(mfn(next));

		if (m->scan_frame)
			frame_put(frame_of(mfn(m->scan_frame)));
		m->scan_frame = 0;
		if (!next)
			return 0;
		/* If the frame is just going, the walk starts again. */
		if (frame_get(f, other)) {
			m->scan_frame = next;
			if (frame_type_has_key(f, frame_type_key(FRAME_L1, other->id))) {
				foreign_table_scan(d, other, f);
				work += SCAN_TABLE;
			}
		}
		if (work >= SCAN_AT_ONCE) {
			work = 0;
			if (preempt_needed())
				return -ERESTART;
		}
	}
}

/* Who may map d's frames may have done so before logging began; what is mapped from now on is seen by itself. */
static int foreign_scan(struct domain *d)
{
	struct pv_mirror *m = d->mirror;
	struct domain *other;
	int rc = 0;

	while (!rc && m->scan_domain < DOMID_FIRST_RESERVED && (other = domain_next((domid_t)m->scan_domain)) != NULL) {
		m->scan_domain = other->id;
		if (other != d && (other->privileged || other->target == d))
			rc = foreign_frames_scan(d, other);
		if (!rc)
			m->scan_domain++;
		domain_put(other);
	}
	return rc;
}

/* Numbers that the log is to know: those the guest may have, and those that it says it has. */
static u64 pages_wanted(const struct domain *d)
{
	u64 said = READ_ONCE(d->shared->arch.max_pfn) + 1, have = MAX(d->memory.max == ~0UL ? 0 : d->memory.max, d->memory.pages);

	return MAX(MIN(have, 4 * frame_limit), MIN(said, 4 * frame_limit));
}

static long log_enable(struct domain *d)
{
	struct pv_mirror *m = mirror_get(d);
	int rc;

	if (!m)
		return -ENOMEM;
	if (READ_ONCE(d->life) != DOMAIN_LIVE)
		return -ESRCH;
	if (m->stage != LOG_OFF && m->stage != LOG_OPENING)
		return -EINVAL;
	m->stage = LOG_OPENING;
	rc = dirty_log_open(d, pages_wanted(d));
	if (!rc)
		rc = pool_default(d);
	if (rc)
		return rc;
	if (!d->logging) {
		m->overflow = false;
		m->op.actor = NULL;
		m->scan_domain = 0;
		dirty_log_start(d);
		pages_hold(d);
	}
	rc = foreign_scan(d);
	if (rc)
		return rc;
	mirror_use(d);
	m->stage = LOG_ON;
	return 0;
}

/* --- off --- */

static int log_disable(struct domain *d)
{
	struct pv_mirror *m = d->mirror;
	int rc;

	if (!m || m->stage == LOG_OFF)
		return 0;
	if (m->stage != LOG_CLOSING) {
		m->stage = LOG_CLOSING;
		m->op.actor = NULL;
		if (m->scan_frame)
			frame_put(frame_of(mfn(m->scan_frame)));
		m->scan_frame = 0;
		mirror_leave(d);
	}
	rc = mirror_drain(d);
	if (!rc) {
		dirty_log_stop(d);
		rc = dirty_log_close(d);
	}
	if (!rc && !m->pool_asked)
		rc = mirror_pool_resize(m, 0);
	if (!rc)
		m->stage = LOG_OFF;
	return rc;
}

int pv_log_relinquish(struct domain *d)
{
	int rc = log_disable(d);

	return rc || !d->mirror ? rc : mirror_pool_resize(d->mirror, 0);
}

void pv_log_free(struct domain *d)
{
	hv_free(d->log);
	hv_free(d->mirror);
	d->log = NULL;
	d->mirror = NULL;
}

/* --- peek and clean --- */

static bool op_clears(const struct log_op *o)
{
	return o->cmd == XEN_DOMCTL_SHADOW_OP_CLEAN;
}

static bool op_final(const struct log_op *o)
{
	return (o->mode & XEN_DOMCTL_SHADOW_LOGDIRTY_FINAL) != 0;
}

/* The operation begins, or goes on. */
static struct log_op *op_get(const struct vcpu *actor, struct domain *d, const struct xen_domctl_shadow_op *op)
{
	struct log_op *o = &d->mirror->op;
	u64 buffer = (u64)(uintptr_t)op->dirty_bitmap.p;

	if (o->actor) {
		bool same = o->actor == actor && o->buffer == buffer && o->pages == op->pages && o->cmd == op->op && o->mode == op->mode;

		return same ? o : NULL;
	}
	*o = (struct log_op){ .actor = actor, .buffer = buffer, .pages = op->pages, .cmd = op->op, .mode = op->mode,
		.everything = READ_ONCE(d->mirror->overflow), .fault_count = d->log->fault_count };
	o->dirty_count = o->everything ? (u32)MIN(op->pages, UINT32_MAX) : d->log->dirty_count;
	o->step = op_final(o) ? STEP_HELD : STEP_COPY;
	return o;
}

/* The last round also wants the pages that others may write at this moment through grants. */
static int grants_mark(struct domain *d, struct log_op *o)
{
	while ((o->next = grant_writers_mark(d, (u32)o->next, GRANTS_AT_ONCE)) != 0)
		if (preempt_needed())
			return -ERESTART;
	o->step = STEP_COPY;
	return 0;
}

/* One chunk of bits for the caller, who may also want none of them; what it could not get stays dirty. */
static int chunk_copy(struct vcpu *v, struct domain *d, const struct log_op *o, u64 first, u32 words)
{
	u64 bits[WORDS_AT_ONCE] = { 0 }, left = o->pages - first * 64, bytes = MIN((left + 7) / 8, words * sizeof(u64));

	for (u32 i = 0; i < words; i++) {
		u64 mask = left - i * 64UL >= 64 ? ~0UL : (1UL << (left - i * 64UL)) - 1;

		bits[i] = dirty_log_word(d->log, first + i, op_final(o), false, 0);
		if (o->everything)
			bits[i] = ~0UL;
		bits[i] &= mask;
	}
	if (o->buffer && guest_copy_out(v, o->buffer + first * sizeof(u64), bits, bytes))
		return -EFAULT;
	/* What was marked since it was copied stays. */
	for (u32 i = 0; op_clears(o) && i < words; i++)
		if (bits[i])
			(void)dirty_log_word(d->log, first + i, false, true, bits[i]);
	return 0;
}

static int bits_copy(struct vcpu *v, struct domain *d, struct log_op *o)
{
	u64 words = (o->pages + 63) / 64;

	while (o->next < words) {
		u32 n = (u32)MIN(words - o->next, WORDS_AT_ONCE);
		int rc = chunk_copy(v, d, o, o->next, n);

		if (rc)
			return rc;
		o->next += n;
		if (o->next < words && preempt_needed())
			return -ERESTART;
	}
	o->step = STEP_RIGHTS;
	return 0;
}

/* Bits have been cleared: so must be the right to write. */
static int rights_take(struct domain *d, struct log_op *o)
{
	struct pv_mirror *m = d->mirror;
	int rc;

	if (o->step == STEP_RIGHTS) {
		/* After an overflow that this operation reports tracking begins again; one that came later is for the next. */
		if (o->everything)
			mirror_leave(d);
		else
			mirror_epoch_next(m);
		spin_lock(&m->lock);
		o->next = m->list[MIRROR_HOT].count;
		spin_unlock(&m->lock);
		o->step = o->everything ? STEP_DRAIN : STEP_TAKE;
	}
	if (o->step == STEP_TAKE) {
		rc = mirror_clean(d, &o->next);
		if (!rc)
			tlb_flush_mask(&d->dirty_cpus);
		return rc;
	}
	rc = mirror_drain(d);
	if (rc)
		return rc;
	mirror_epoch_next(m);
	m->overflow = false;
	mirror_use(d);
	return 0;
}

static int op_run(struct vcpu *v, struct domain *d, struct log_op *o)
{
	int rc = 0;

	if (o->step == STEP_HELD)
		rc = grants_mark(d, o);
	if (!rc && o->step == STEP_COPY)
		rc = bits_copy(v, d, o);
	return rc || !op_clears(o) ? rc : rights_take(d, o);
}

static long log_read(struct vcpu *v, struct domain *d, struct xen_domctl_shadow_op *op, bool *out)
{
	struct pv_mirror *m = d->mirror;
	struct log_op *o;
	int rc;

	if (!m || m->stage != LOG_ON || (op->mode & ~XEN_DOMCTL_SHADOW_LOGDIRTY_FINAL))
		return -EINVAL;
	if (op->pages > (u64)DIRTY_LOG_LEAF_BITS << 16)
		return -E2BIG;
	o = op_get(v, d, op);
	if (!o)
		return -EBUSY;
	rc = op_run(v, d, o);
	if (rc == -ERESTART)
		return rc;
	o->actor = NULL;
	op->stats.fault_count = o->fault_count;
	op->stats.dirty_count = o->dirty_count;
	if (!rc && op_clears(o))
		__atomic_fetch_sub(&d->log->fault_count, o->fault_count, __ATOMIC_RELAXED);
	*out = true;
	return rc;
}

/* --- the operation --- */

long pv_shadow_op(struct vcpu *actor, struct domain *d, struct xen_domctl_shadow_op *op, bool *out)
{
	switch (op->op) {
	case XEN_DOMCTL_SHADOW_OP_ENABLE:
		if (op->mode & ~XEN_DOMCTL_SHADOW_ENABLE_LOG_DIRTY)
			return -EINVAL;
		return op->mode ? log_enable(d) : -EOPNOTSUPP;
	case XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY:
		return log_enable(d);
	case XEN_DOMCTL_SHADOW_OP_ENABLE_TEST:
		return -EOPNOTSUPP;
	case XEN_DOMCTL_SHADOW_OP_OFF:
		return log_disable(d);
	case XEN_DOMCTL_SHADOW_OP_PEEK:
	case XEN_DOMCTL_SHADOW_OP_CLEAN:
		return log_read(actor, d, op, out);
	case XEN_DOMCTL_SHADOW_OP_GET_ALLOCATION:
		op->mb = (u32)((pv_pool_get(d) + PAGES_PER_MB - 1) / PAGES_PER_MB);
		*out = true;
		return 0;
	case XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION:
		return pv_pool_set(d, (u64)op->mb * PAGES_PER_MB);
	default:
		return -EINVAL;
	}
}
