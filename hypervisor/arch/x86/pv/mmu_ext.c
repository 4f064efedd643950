/* SPDX-License-Identifier: BSD-2-Clause */
/* mmuext_op. */
#include "mmu.h"

#include <hv/cpu.h>
#include <hv/errno.h>
#include <hv/guest.h>
#include <hv/hypercall.h>
#include <hv/pv.h>
#include <hv/rangeset.h>
#include <hv/smp.h>
#include <hv/softirq.h>
#include <hv/string.h>
#include <hv/tlb.h>
#include <hv/x86.h>

/* fd: the domain that the frames of an operation belong to. */
static int page_pin(struct vcpu *v, struct domain *fd, mfn_t m, enum frame_type t)
{
	struct frame *f;
	int rc;

	if (!frame_valid(m))
		return -EINVAL;
	f = frame_of(m);
	if (!frame_get(f, fd))
		return -EINVAL;
	rc = frame_type_pin(v, f, t);
	frame_put(f);
	return rc;
}

static int page_unpin(struct vcpu *v, struct domain *fd, mfn_t m)
{
	struct frame *f;
	int rc;

	if (!frame_valid(m))
		return -EINVAL;
	f = frame_of(m);
	if (!frame_get(f, fd))
		return -EINVAL;
	rc = frame_type_unpin(v, f);
	frame_put(f);
	return rc;
}

static int page_clear(struct vcpu *v, struct domain *fd, mfn_t m)
{
	void *p;

	if (!frame_valid(m) || !frame_get_writable(v, frame_of(m), fd))
		return -EINVAL;
	p = frame_map(m);
	memset(p, 0, PAGE_SIZE);
	frame_unmap(p);
	frame_put_writable(frame_of(m));
	return 0;
}

static int page_copy(struct vcpu *v, struct domain *fd, mfn_t to, mfn_t from)
{
	const void *src;
	void *dst;

	if (!frame_valid(from) || !frame_get(frame_of(from), fd))
		return -EINVAL;
	if (!frame_valid(to) || !frame_get_writable(v, frame_of(to), fd)) {
		frame_put(frame_of(from));
		return -EINVAL;
	}
	src = frame_map(from);
	dst = frame_map(to);
	memcpy(dst, src, PAGE_SIZE);
	frame_unmap(dst);
	frame_unmap(src);
	frame_put_writable(frame_of(to));
	frame_put(frame_of(from));
	return 0;
}

/* --- flushes --- */

static void cache_flush_here(void *arg)
{
	(void)arg;
	wbinvd();
}

/* Only who has devices can have a reason to. */
static int cache_flush(const struct vcpu *v, bool global)
{
	const struct domain *d = v->domain;

	if (!d->privileged && (!d->iomem || rangeset_empty(d->iomem)))
		return -EACCES;
	if (global)
		smp_call(&cpu_online_map, cache_flush_here, NULL);
	else
		wbinvd();
	return 0;
}

static int flush_multi(struct vcpu *v, gva_t bitmap, bool page, gva_t va)
{
	struct cpumask mask;

	if (mmu_vcpumask(v, bitmap, &mask))
		return -EFAULT;
	if (page)
		tlb_flush_page_mask(&mask, va);
	else
		tlb_flush_mask(&mask);
	return 0;
}

/* Flushes that name an address of the hypervisor have nothing to do: the guest has no translation there. */
static inline int page_flush(struct vcpu *v, const struct mmuext_op *op)
{
	gva_t va = op->arg1.linear_addr;

	if (unlikely(!guest_range_ok(va, 1)))
		return 0;
	if (likely(op->cmd == MMUEXT_INVLPG_LOCAL)) {
		tlb_flush_page_local(va);
		return 0;
	}
	if (op->cmd == MMUEXT_INVLPG_MULTI)
		return flush_multi(v, (gva_t)op->arg2.vcpumask.p, true, va);
	tlb_flush_page_mask(&v->domain->dirty_cpus, va);
	return 0;
}

/* --- dispatch --- */

/* Operations on the actor's own address space, but for two that batch_run has. */
static int own_op(struct vcpu *v, const struct mmuext_op *op)
{
	switch (op->cmd) {
	case MMUEXT_NEW_USER_BASEPTR:
		return pv_root_set(v, v, mfn(op->arg1.mfn), true);
	case MMUEXT_TLB_FLUSH_LOCAL:
		tlb_flush_local();
		return 0;
	case MMUEXT_INVLPG_MULTI:
	case MMUEXT_INVLPG_ALL:
		return page_flush(v, op);
	case MMUEXT_TLB_FLUSH_MULTI:
		return flush_multi(v, (gva_t)op->arg2.vcpumask.p, false, 0);
	case MMUEXT_TLB_FLUSH_ALL:
		tlb_flush_mask(&v->domain->dirty_cpus);
		return 0;
	case MMUEXT_FLUSH_CACHE:
	case MMUEXT_FLUSH_CACHE_GLOBAL:
		return cache_flush(v, op->cmd == MMUEXT_FLUSH_CACHE_GLOBAL);
	case MMUEXT_SET_LDT:
		return pv_ldt_set(v, op->arg1.linear_addr, op->arg2.nr_ents);
	case MMUEXT_MARK_SUPER:
	case MMUEXT_UNMARK_SUPER:
		return -EOPNOTSUPP;
	default:
		return -ENOSYS;
	}
}

static noinline_fn int op_do(struct vcpu *v, struct domain *fd, const struct mmuext_op *op)
{
	switch (op->cmd) {
	case MMUEXT_PIN_L1_TABLE:
	case MMUEXT_PIN_L2_TABLE:
	case MMUEXT_PIN_L3_TABLE:
	case MMUEXT_PIN_L4_TABLE:
		return page_pin(v, fd, mfn(op->arg1.mfn), table_type(op->cmd - MMUEXT_PIN_L1_TABLE + 1));
	case MMUEXT_UNPIN_TABLE:
		return page_unpin(v, fd, mfn(op->arg1.mfn));
	case MMUEXT_CLEAR_PAGE:
		return page_clear(v, fd, mfn(op->arg1.mfn));
	case MMUEXT_COPY_PAGE:
		return page_copy(v, fd, mfn(op->arg1.mfn), mfn(op->arg2.src_mfn));
	default:
		return likely(fd == v->domain) ? own_op(v, op) : -EPERM;
	}
}

/* A kernel changes its address space: mostly to one that is validated. */
static inline int new_baseptr(struct vcpu *v, u64 root)
{
	mfn_t old = v->pv->kernel_root;

	if (unlikely(root >= frame_limit || !frame_type_try_get(frame_of(mfn(root)), frame_type_key(FRAME_L4, v->domain->id))))
		return pv_root_set(v, v, mfn(root), false);
	v->pv->kernel_root = mfn(root);
	pv_cr3_load(v);
	frame_type_drop(v, frame_of(old));
	return 0;
}

/* own: fd is the actor's domain. The operations that guests make all the time come first. */
static inline __attribute__((always_inline)) int batch_run(struct vcpu *v, struct domain *fd, bool own, gva_t list, u32 count,
							   u32 *done)
{
	struct mmuext_op op;
	int rc = 0;
	u32 n;

	for (n = 0; n < count; n++) {
		/* Each may be a whole table or page. */
		rc = -ERESTART;
		if (n && preempt_needed())
			break;
		rc = -EFAULT;
		if (unlikely(guest_array_in(v, &op, list, n)))
			break;
		if (own && op.cmd == MMUEXT_INVLPG_LOCAL)
			rc = page_flush(v, &op);
		else if (own && op.cmd == MMUEXT_NEW_BASEPTR)
			rc = new_baseptr(v, op.arg1.mfn);
		else
			rc = op_do(v, fd, &op);
		if (unlikely(rc))
			break;
		if (unlikely(!frame_type_drained(fd)) && mmu_drain(v, fd)) {
			rc = -ERESTART;
			n++;
			break;
		}
	}
	*done = n;
	return rc;
}

static noinline_fn long mmuext_foreign(struct vcpu *v, u64 *args)
{
	struct domain *fd;
	u32 done = 0;
	int rc;

	rc = mmu_domain_get(v, (domid_t)args[3], &fd);
	if (rc)
		return rc;
	rc = mmu_drain(v, fd);
	if (!rc)
		rc = batch_run(v, fd, fd == v->domain, args[0], (u32)args[1] & ~COUNT_PREEMPTED, &done);
	domain_put(fd);
	return mmu_batch_end(v, args, sizeof(struct mmuext_op), done, rc);
}

long do_mmuext_op(struct vcpu *v, u64 *args)
{
	struct domain *d = v->domain;
	u32 done;
	int rc;

	if (unlikely((domid_t)args[3] != DOMID_SELF))
		return mmuext_foreign(v, args);
	if (unlikely(!frame_type_drained(d)) && mmu_drain(v, d))
		return -ERESTART;
	rc = batch_run(v, d, true, args[0], (u32)args[1] & ~COUNT_PREEMPTED, &done);
	return mmu_batch_end(v, args, sizeof(struct mmuext_op), done, rc);
}
