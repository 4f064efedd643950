/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PV domain has no physmap of ours: it sees machine frames. What can be placed is the hypervisor's pages that are shared with it, and
 * placing means the machine-to-physical entry. Also acquire_resource.
 */
#include <hv/errno.h>
#include <hv/grant.h>
#include <hv/guest.h>
#include <hv/softirq.h>

#include "memory.h"

/* The frame that an index of a space stands for. */
static int space_frame(struct domain *d, u32 space, u64 idx, mfn_t *m)
{
	*m = INVALID_MFN;
	switch (space) {
	case XENMAPSPACE_shared_info:
		if (idx == 0)
			*m = virt_mfn(d->shared);
		break;
	case XENMAPSPACE_grant_table:
		if ((idx & ~(u64)XENMAPIDX_grant_table_status) <= UINT32_MAX)
			*m = grant_table_frame(d, (u32)idx & ~XENMAPIDX_grant_table_status,
					       (idx & XENMAPIDX_grant_table_status) != 0);
		break;
	case XENMAPSPACE_gmfn:
	case XENMAPSPACE_gmfn_range:
	case XENMAPSPACE_gmfn_foreign:
		/* Needs a domain with a physmap. */
		return -EACCES;
	default:
		return -ENOSYS;
	}
	return mfn_eq(*m, INVALID_MFN) ? -EINVAL : 0;
}

static int physmap_add_one(struct domain *d, u32 space, u64 idx, u64 gpfn)
{
	mfn_t m;
	int rc = space_frame(d, space, idx, &m);

	if (!rc)
		m2p_set(m, gpfn);
	return rc;
}

long memory_add_to_physmap(struct vcpu *v, gva_t arg, u64 *progress)
{
	struct xen_add_to_physmap op;
	struct domain *d;
	long rc;

	(void)progress;
	if (guest_copy_in(v, &op, arg, sizeof(op)))
		return -EFAULT;
	rc = memory_target_get(v, op.domid, &d);
	if (rc)
		return rc;
	rc = physmap_add_one(d, op.space, op.idx, op.gpfn);
	memory_target_put(v, d);
	return rc;
}

static long physmap_add_batch(struct vcpu *v, struct domain *d, const struct xen_add_to_physmap_batch *op, u64 *progress)
{
	for (u64 i = *progress; i < op->size; i++) {
		u64 idx, gpfn;
		int rc;

		if (i != *progress && preempt_needed()) {
			*progress = i;
			return -ERESTART;
		}
		if (guest_array_in(v, &idx, op->idxs.p, i) || guest_array_in(v, &gpfn, op->gpfns.p, i))
			return -EFAULT;
		rc = physmap_add_one(d, op->space, idx, gpfn);
		if (guest_array_out(v, op->errs.p, i, &rc))
			return -EFAULT;
	}
	return 0;
}

long memory_add_to_physmap_batch(struct vcpu *v, gva_t arg, u64 *progress)
{
	struct xen_add_to_physmap_batch op;
	struct domain *d;
	long rc;

	if (guest_copy_in(v, &op, arg, sizeof(op)))
		return -EFAULT;
	if (op.space != XENMAPSPACE_gmfn_foreign && op.u.res0 != 0)
		return -EINVAL;
	rc = memory_target_get(v, op.domid, &d);
	if (rc)
		return rc;
	rc = physmap_add_batch(v, d, &op, progress);
	memory_target_put(v, d);
	return rc;
}

long memory_remove_from_physmap(struct vcpu *v, gva_t arg, u64 *progress)
{
	struct xen_remove_from_physmap op;
	struct domain *d;
	long rc;

	(void)progress;
	if (guest_copy_in(v, &op, arg, sizeof(op)))
		return -EFAULT;
	rc = memory_target_get(v, op.domid, &d);
	if (rc)
		return rc;
	/* A PV domain's frame number is the machine's. */
	if (frame_valid(mfn(op.gpfn)) && frame_get(frame_of(mfn(op.gpfn)), d)) {
		m2p_set(mfn(op.gpfn), M2P_INVALID);
		frame_put(frame_of(mfn(op.gpfn)));
	} else {
		rc = -ENOENT;
	}
	memory_target_put(v, d);
	return rc;
}

/* --- acquire_resource: frames of a domain that are not in its memory, for the domain that serves it --- */

static long grant_frames_list(struct vcpu *v, struct domain *d, const struct xen_mem_acquire_resource *op, u64 *progress)
{
	for (u64 i = *progress; i < op->nr_frames; i++) {
		mfn_t m;

		if (i != *progress && preempt_needed()) {
			*progress = i;
			return -ERESTART;
		}
		m = grant_table_frame(d, (u32)(op->frame + i), op->id == XENMEM_resource_grant_table_id_status);
		if (mfn_eq(m, INVALID_MFN))
			return -EINVAL;
		if (guest_write64(v, (gva_t)op->frame_list.p + i * sizeof(xen_pfn_t), m.v))
			return -EFAULT;
	}
	return 0;
}

static long resource_grant_table(struct vcpu *v, struct domain *d, struct xen_mem_acquire_resource *op, gva_t arg, u64 *progress)
{
	u32 limit;

	if (op->id != XENMEM_resource_grant_table_id_shared && op->id != XENMEM_resource_grant_table_id_status)
		return -EINVAL;
	limit = grant_table_frames_max(d, op->id == XENMEM_resource_grant_table_id_status);
	if (op->frame_list.p == NULL) {
		if (op->nr_frames != 0)
			return -EINVAL;
		op->nr_frames = limit;
		return guest_copy_out(v, arg, op, sizeof(*op)) ? -EFAULT : 0;
	}
	if (op->frame > limit || op->nr_frames > limit - op->frame)
		return -EINVAL;
	return grant_frames_list(v, d, op, progress);
}

long memory_acquire_resource(struct vcpu *v, gva_t arg, u64 *progress)
{
	struct xen_mem_acquire_resource op;
	struct domain *d;
	long rc;

	if (guest_copy_in(v, &op, arg, sizeof(op)))
		return -EFAULT;
	if (op.pad != 0)
		return -EINVAL;
	if (!is_privileged(v))
		return -EPERM;
	rc = memory_target_get(v, op.domid, &d);
	if (rc)
		return rc;
	/* A PV domain has no ioreq servers, and there are no trace buffers. */
	rc = op.type == XENMEM_resource_grant_table ? resource_grant_table(v, d, &op, arg, progress) : -EOPNOTSUPP;
	memory_target_put(v, d);
	return rc;
}
