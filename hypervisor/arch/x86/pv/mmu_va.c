/* SPDX-License-Identifier: BSD-2-Clause */
/* update_va_mapping: one entry by linear address, and the flush that goes with it. */
#include "mmu.h"

#include <hv/errno.h>
#include <hv/guest.h>
#include <hv/hypercall.h>
#include <hv/pv.h>
#include <hv/tlb.h>

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
