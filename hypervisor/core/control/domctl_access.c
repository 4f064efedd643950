/* SPDX-License-Identifier: BSD-2-Clause */
/* domctl: what a domain may touch, what its frames are, what its CPU looks like. */
#include <hv/errno.h>
#include <hv/frame.h>
#include <hv/frame_type.h>
#include <hv/guest.h>
#include <hv/pirq.h>
#include <hv/policy.h>
#include <hv/rangeset.h>
#include <hv/string.h>
#include <hv/time.h>
#include "control.h"

#define PAGE_INFO_MAX 1024u
#define CACHE_FLUSH_MAX 1024u

/* Grants or takes away [first, first + count) of a set; only what the actor has itself can be granted. */
static long range_permit(struct rangeset *set, struct rangeset *own, u64 first, u64 count, bool allow)
{
	if (!count || first + count - 1 < first)
		return -EINVAL;
	if (!allow)
		return rangeset_remove(set, first, first + count - 1);
	if (!rangeset_contains(own, first, first + count - 1))
		return -EPERM;
	return rangeset_add(set, first, first + count - 1);
}

long domctl_irq_permission(struct vcpu *v, struct domain *d, struct xen_domctl *op, bool *out)
{
	const struct xen_domctl_irq_permission *p = &op->u.irq_permission;
	int irq = pirq_irq(v->domain, p->pirq);

	(void)out;
	if (irq < 0)
		return -EINVAL;
	if (!irq_permitted(v->domain, (u32)irq))
		return -EPERM;
	return irq_permission_set(d, (u32)irq, p->allow_access != 0);
}

long domctl_iomem_permission(struct vcpu *v, struct domain *d, struct xen_domctl *op, bool *out)
{
	const struct xen_domctl_iomem_permission *p = &op->u.iomem_permission;

	(void)out;
	return range_permit(d->iomem, v->domain->iomem, p->first_mfn, p->nr_mfns, p->allow_access != 0);
}

long domctl_ioport_permission(struct vcpu *v, struct domain *d, struct xen_domctl *op, bool *out)
{
	const struct xen_domctl_ioport_permission *p = &op->u.ioport_permission;

	(void)out;
	if ((u64)p->first_port + p->nr_ports > 0x10000)
		return -EINVAL;
	return range_permit(d->ioports, v->domain->ioports, p->first_port, p->nr_ports, p->allow_access != 0);
}

static u64 page_info(struct domain *d, u64 n)
{
	u64 info = XEN_DOMCTL_PFINFO_XTAB;
	struct frame *f;

	if (!frame_valid(mfn(n)))
		return info;
	f = frame_of(mfn(n));
	if (!frame_get(f, d))
		return info;
	switch (frame_type(f)) {
	case FRAME_L1:
		info = XEN_DOMCTL_PFINFO_L1TAB;
		break;
	case FRAME_L2:
		info = XEN_DOMCTL_PFINFO_L2TAB;
		break;
	case FRAME_L3:
		info = XEN_DOMCTL_PFINFO_L3TAB;
		break;
	case FRAME_L4:
		info = XEN_DOMCTL_PFINFO_L4TAB;
		break;
	case FRAME_NONE:
	case FRAME_WRITABLE:
	case FRAME_READONLY:
	case FRAME_SEGDESC:
	case FRAME_TYPES:
		info = XEN_DOMCTL_PFINFO_NOTAB;
		break;
	}
	if (f->flags & FRAME_BROKEN)
		info = XEN_DOMCTL_PFINFO_BROKEN;
	else if (frame_type_pinned(f))
		info |= XEN_DOMCTL_PFINFO_LPINTAB;
	frame_put(f);
	return info;
}

long domctl_page_info(struct vcpu *v, struct domain *d, struct xen_domctl *op, bool *out)
{
	struct xen_domctl_getpageframeinfo3 *p = &op->u.getpageframeinfo3;
	u64 word;

	(void)out;
	if (p->num > PAGE_INFO_MAX)
		return -E2BIG;
	for (u64 i = 0; i < p->num; i++) {
		gva_t at = HANDLE(p->array) + i * sizeof(word);

		if (guest_read64(v, &word, at) || guest_write64(v, at, page_info(d, word)))
			return -EFAULT;
	}
	return 0;
}

/* Caches are coherent here; the frames are only checked. */
long domctl_cache_flush(struct vcpu *v, struct domain *d, struct xen_domctl *op, bool *out)
{
	const struct xen_domctl_cacheflush *c = &op->u.cacheflush;

	(void)v;
	(void)d;
	(void)out;
	return c->start_pfn + c->nr_pfns < c->start_pfn || c->nr_pfns > CACHE_FLUSH_MAX << 10 ? -EINVAL : 0;
}

long domctl_policy_get(struct vcpu *v, struct domain *d, struct xen_domctl *op, bool *out)
{
	struct xen_domctl_cpu_policy *p = &op->u.cpu_policy;
	struct xen_cpuid_leaf *leaves = hv_alloc(CPU_POLICY_LEAVES * sizeof(*leaves));
	struct xen_msr_entry msrs[CPU_POLICY_MSRS];
	u32 nr_leaves, nr_msrs;
	long rc = 0;

	if (!leaves)
		return -ENOMEM;
	nr_leaves = cpu_policy_leaves(d->policy, leaves);
	nr_msrs = cpu_policy_msrs(d->policy, msrs);
	if (p->nr_leaves < nr_leaves || p->nr_msrs < nr_msrs)
		rc = -ENOBUFS;
	else if (guest_copy_out(v, HANDLE(p->leaves), leaves, nr_leaves * sizeof(*leaves)) ||
		 guest_copy_out(v, HANDLE(p->msrs), msrs, nr_msrs * sizeof(*msrs)))
		rc = -EFAULT;
	p->nr_leaves = nr_leaves;
	p->nr_msrs = nr_msrs;
	hv_free(leaves);
	*out = true;
	return rc;
}

long domctl_policy_set(struct vcpu *v, struct domain *d, struct xen_domctl *op, bool *out)
{
	struct xen_domctl_cpu_policy *p = &op->u.cpu_policy;
	struct cpu_policy_error err = { ~0u, ~0u, ~0u };
	struct xen_cpuid_leaf *leaves;
	struct xen_msr_entry msrs[CPU_POLICY_MSRS];
	long rc;

	if (d->created)
		return -EEXIST;
	if (p->nr_leaves > CPU_POLICY_LEAVES || p->nr_msrs > CPU_POLICY_MSRS)
		return -E2BIG;
	leaves = hv_alloc(CPU_POLICY_LEAVES * sizeof(*leaves));
	if (!leaves)
		return -ENOMEM;
	if (guest_copy_in(v, leaves, HANDLE(p->leaves), p->nr_leaves * sizeof(*leaves)) ||
	    guest_copy_in(v, msrs, HANDLE(p->msrs), p->nr_msrs * sizeof(msrs[0])))
		rc = -EFAULT;
	else
		rc = cpu_policy_update(d, leaves, p->nr_leaves, msrs, p->nr_msrs, &err);
	hv_free(leaves);
	p->err_leaf = err.leaf;
	p->err_subleaf = err.subleaf;
	p->err_msr = err.msr;
	*out = true;
	return rc;
}

long domctl_tsc_get(struct vcpu *v, struct domain *d, struct xen_domctl *op, bool *out)
{
	struct xen_domctl_tsc_info *t = &op->u.tsc_info;
	u64 elapsed;

	(void)v;
	domain_pause(d);
	tsc_mode_get(d, &t->tsc_mode, &elapsed, &t->gtsc_khz, &t->incarnation);
	domain_unpause(d);
	t->elapsed_nsec = elapsed;
	*out = true;
	return 0;
}

long domctl_tsc_set(struct vcpu *v, struct domain *d, struct xen_domctl *op, bool *out)
{
	const struct xen_domctl_tsc_info *t = &op->u.tsc_info;
	int rc;

	(void)v;
	(void)out;
	domain_pause(d);
	rc = tsc_mode_set(d, t->tsc_mode, t->elapsed_nsec, t->gtsc_khz, t->incarnation);
	domain_unpause(d);
	return rc;
}

long domctl_shadow(struct vcpu *v, struct domain *d, struct xen_domctl *op, bool *out)
{
	return d->ops && d->ops->shadow_op ? d->ops->shadow_op(v, d, &op->u.shadow_op, out) : -EOPNOTSUPP;
}

long domctl_pool_get(struct vcpu *v, struct domain *d, struct xen_domctl *op, bool *out)
{
	(void)v;
	if (!d->ops || !d->ops->pool_get)
		return -EOPNOTSUPP;
	op->u.paging_mempool.size = d->ops->pool_get(d) * PAGE_SIZE;
	*out = true;
	return 0;
}

long domctl_pool_set(struct vcpu *v, struct domain *d, struct xen_domctl *op, bool *out)
{
	u64 size = op->u.paging_mempool.size;

	(void)v;
	(void)out;
	if (!d->ops || !d->ops->pool_set)
		return -EOPNOTSUPP;
	return size & ~PAGE_MASK ? -EINVAL : d->ops->pool_set(d, size >> PAGE_SHIFT);
}
