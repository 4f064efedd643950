/* SPDX-License-Identifier: BSD-2-Clause */
/* memory_op: the table of operations, and those that only tell or set a number. */
#include <hv/cmdline.h>
#include <hv/errno.h>
#include <hv/guest.h>
#include <hv/hypercall.h>
#include <hv/mm.h>
#include <hv/softirq.h>
#include <hv/string.h>

#include "memory.h"

int memory_target_get(struct vcpu *v, domid_t id, struct domain **d)
{
	*d = v->domain;
	if (likely(id == DOMID_SELF || id == v->domain->id))
		return 0;
	if (!is_privileged(v))
		return -EPERM;
	*d = domain_get_by_id(id);
	return *d == NULL ? -ESRCH : 0;
}

/* --- numbers --- */

static long maximum_ram_page(struct vcpu *v, gva_t arg, u64 *progress)
{
	(void)v;
	(void)arg;
	(void)progress;
	return (long)frame_limit - 1;
}

/* No memory is shared between domains, so none is saved. */
static long sharing_pages(struct vcpu *v, gva_t arg, u64 *progress)
{
	(void)v;
	(void)arg;
	(void)progress;
	return 0;
}

enum reservation_number { RESERVATION_CURRENT, RESERVATION_MAXIMUM, RESERVATION_GPFN };

static long reservation_number(struct vcpu *v, gva_t arg, enum reservation_number which)
{
	struct xen_memory_domain op;
	struct domain *d;
	long rc;

	if (guest_copy_in(v, &op, arg, sizeof(op)))
		return -EFAULT;
	rc = memory_target_get(v, op.domid, &d);
	if (rc)
		return rc;
	if (which == RESERVATION_CURRENT)
		rc = (long)READ_ONCE(d->memory.pages);
	else if (which == RESERVATION_MAXIMUM)
		rc = (long)MIN(READ_ONCE(d->memory.max), (u64)INT64_MAX);
	else
		/* What the guest itself says about its P2M. */
		rc = (long)((READ_ONCE(d->shared->arch.max_pfn) - 1) & INT64_MAX);
	memory_target_put(v, d);
	return rc;
}

static long current_reservation(struct vcpu *v, gva_t arg, u64 *progress)
{
	(void)progress;
	return reservation_number(v, arg, RESERVATION_CURRENT);
}

static long maximum_reservation(struct vcpu *v, gva_t arg, u64 *progress)
{
	(void)progress;
	return reservation_number(v, arg, RESERVATION_MAXIMUM);
}

static long maximum_gpfn(struct vcpu *v, gva_t arg, u64 *progress)
{
	(void)progress;
	return reservation_number(v, arg, RESERVATION_GPFN);
}

static long claim_pages(struct vcpu *v, gva_t arg, u64 *progress)
{
	struct xen_memory_reservation op;
	struct domain *d;
	long rc;

	(void)progress;
	if (!is_privileged(v))
		return -EPERM;
	if (guest_copy_in(v, &op, arg, sizeof(op)))
		return -EFAULT;
	if (op.extent_start.p != NULL || op.extent_order != 0 || op.mem_flags != 0)
		return -EINVAL;
	rc = memory_target_get(v, op.domid, &d);
	if (rc)
		return rc;
	rc = domain_claim_set(d, op.nr_extents);
	memory_target_put(v, d);
	return rc;
}

/* --- populate on demand: a PV domain has no such page, so that every target is met --- */

static long pod_target(struct vcpu *v, gva_t arg, bool set)
{
	struct xen_pod_target op;
	struct domain *d;
	long rc;

	if (!is_privileged(v))
		return -EPERM;
	if (guest_copy_in(v, &op, arg, sizeof(op)))
		return -EFAULT;
	rc = memory_target_get(v, op.domid, &d);
	if (rc)
		return rc;
	if (set && op.target_pages > READ_ONCE(d->memory.max))
		rc = -EINVAL;
	op.tot_pages = READ_ONCE(d->memory.pages);
	op.pod_cache_pages = 0;
	op.pod_entries = 0;
	memory_target_put(v, d);
	if (!rc && guest_copy_out(v, arg, &op, sizeof(op)))
		rc = -EFAULT;
	return rc;
}

static long set_pod_target(struct vcpu *v, gva_t arg, u64 *progress)
{
	(void)progress;
	return pod_target(v, arg, true);
}

static long get_pod_target(struct vcpu *v, gva_t arg, u64 *progress)
{
	(void)progress;
	return pod_target(v, arg, false);
}

/* --- the machine-to-physical table --- */

static long machphys_mapping(struct vcpu *v, gva_t arg, u64 *progress)
{
	struct xen_machphys_mapping op = {
		.v_start = M2P_START, .v_end = M2P_START + M2P_SIZE, .max_mfn = frame_limit - 1,
	};

	(void)progress;
	return guest_copy_out(v, arg, &op, sizeof(op)) ? -EFAULT : 0;
}

static long machphys_mfn_list(struct vcpu *v, gva_t arg, u64 *progress)
{
	struct xen_machphys_mfn_list op;
	u64 count = m2p_extents(), i = *progress;

	if (guest_copy_in(v, &op, arg, sizeof(op)))
		return -EFAULT;
	count = MIN(count, (u64)op.max_extents);
	for (; i < count; i++) {
		if (i != *progress && preempt_needed()) {
			*progress = i;
			return -ERESTART;
		}
		if (guest_write64(v, (gva_t)op.extent_start.p + i * sizeof(u64), m2p_extent(i).v))
			return -EFAULT;
	}
	op.nr_extents = (unsigned int)count;
	return guest_copy_out(v, arg, &op, sizeof(op)) ? -EFAULT : 0;
}

/* --- what there is none of --- */

/* Firmware regions that devices need mapped one to one. */
static long reserved_device_memory_map(struct vcpu *v, gva_t arg, u64 *progress)
{
	struct xen_reserved_device_memory_map op;

	(void)progress;
	if (!is_privileged(v))
		return -EPERM;
	if (guest_copy_in(v, &op, arg, sizeof(op)))
		return -EFAULT;
	if (op.flags & ~(u32)XENMEM_RDM_ALL)
		return -EINVAL;
	op.nr_entries = 0;
	return guest_copy_out(v, arg, &op, sizeof(op)) ? -EFAULT : 0;
}

/* Paging, access rights and sharing are for translated domains; 32-bit guests, and virtual NUMA, there are none of. */
static long not_supported(struct vcpu *v, gva_t arg, u64 *progress)
{
	(void)v;
	(void)arg;
	(void)progress;
	return -EOPNOTSUPP;
}

static memory_op_fn *const memory_ops[] = {
	[XENMEM_increase_reservation] = memory_increase,
	[XENMEM_decrease_reservation] = memory_decrease,
	[XENMEM_maximum_ram_page] = maximum_ram_page,
	[XENMEM_current_reservation] = current_reservation,
	[XENMEM_maximum_reservation] = maximum_reservation,
	[XENMEM_machphys_mfn_list] = machphys_mfn_list,
	[XENMEM_populate_physmap] = memory_populate,
	[XENMEM_add_to_physmap] = memory_add_to_physmap,
	[XENMEM_memory_map] = memory_map_get,
	[XENMEM_machine_memory_map] = memory_machine_map,
	[XENMEM_exchange] = memory_exchange,
	[XENMEM_machphys_mapping] = machphys_mapping,
	[XENMEM_set_memory_map] = memory_map_set,
	[XENMEM_maximum_gpfn] = maximum_gpfn,
	[XENMEM_remove_from_physmap] = memory_remove_from_physmap,
	[XENMEM_set_pod_target] = set_pod_target,
	[XENMEM_get_pod_target] = get_pod_target,
	[XENMEM_get_sharing_freed_pages] = sharing_pages,
	[XENMEM_get_sharing_shared_pages] = sharing_pages,
	[XENMEM_paging_op] = not_supported,
	[XENMEM_access_op] = not_supported,
	[XENMEM_sharing_op] = not_supported,
	[XENMEM_add_to_physmap_batch] = memory_add_to_physmap_batch,
	[XENMEM_claim_pages] = claim_pages,
	[XENMEM_machphys_compat_mfn_list] = not_supported,
	[XENMEM_get_vnumainfo] = not_supported,
	[XENMEM_reserved_device_memory_map] = reserved_device_memory_map,
	[XENMEM_acquire_resource] = memory_acquire_resource,
};

long do_memory_op(struct vcpu *v, u64 *args)
{
	u64 op = args[0] & MEMORY_OP_MASK, progress = args[0] >> MEMORY_OP_BITS;
	memory_op_fn *fn;
	long rc;

	if (unlikely(op >= ARRAY_SIZE(memory_ops)))
		return -ENOSYS;
	fn = memory_ops[index_clamp(op, ARRAY_SIZE(memory_ops))];
	if (unlikely(fn == NULL))
		return -ENOSYS;
	rc = fn(v, args[1], &progress);
	if (unlikely(rc == -ERESTART))
		args[0] = op | progress << MEMORY_OP_BITS;
	return rc;
}
