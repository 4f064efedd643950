/* SPDX-License-Identifier: BSD-2-Clause */
/* HYPERVISOR_grant_table_op: batches of elements, taken one by one so that a batch can be preempted. */
#include <hv/errno.h>
#include <hv/guest.h>
#include <hv/hypercall.h>
#include <hv/softirq.h>
#include <hv/string.h>
#include "grant.h"

/* Elements between preemption points. */
#define BATCH 16u
#define COUNT_MAX (1u << 20)

static long op_map(struct vcpu *v, u64 uop, u32 count)
{
	for (u32 i = 0; i < count; i++) {
		struct gnttab_map_grant_ref op;

		if (guest_array_in(v, &op, uop, i))
			return -EFAULT;
		grant_map(v, &op);
		if (guest_array_out(v, uop, i, &op)) {
			/* The guest cannot learn the handle, so the mapping must not stay. */
			struct grant_unmap u = { .host_addr = op.host_addr, .handle = op.handle };

			u.dev_bus_addr = op.flags & GNTMAP_device_map ? op.dev_bus_addr : 0;
			if (!op.status)
				grant_unmap_batch(v, &u, 1);
			return -EFAULT;
		}
	}
	return 0;
}

static long op_unmap(struct vcpu *v, u64 uop, u32 count)
{
	struct grant_unmap u[BATCH];
	long rc = 0;

	for (u32 i = 0; i < count; i++) {
		struct gnttab_unmap_grant_ref op;

		if (guest_array_in(v, &op, uop, i)) {
			count = i;
			rc = -EFAULT;
			break;
		}
		u[i] = (struct grant_unmap){ .host_addr = op.host_addr, .dev_bus_addr = op.dev_bus_addr, .handle = op.handle };
	}
	grant_unmap_batch(v, u, count);
	for (u32 i = 0; i < count; i++) {
		struct gnttab_unmap_grant_ref op = {
			.host_addr = u[i].host_addr, .dev_bus_addr = u[i].dev_bus_addr, .handle = u[i].handle,
			.status = (s16)u[i].status,
		};

		if (guest_array_out(v, uop, i, &op))
			rc = -EFAULT;
	}
	return rc;
}

static long op_unmap_and_replace(struct vcpu *v, u64 uop, u32 count)
{
	for (u32 i = 0; i < count; i++) {
		struct gnttab_unmap_and_replace op;
		struct grant_unmap u;

		if (guest_array_in(v, &op, uop, i))
			return -EFAULT;
		u = (struct grant_unmap){ .host_addr = op.host_addr, .new_addr = op.new_addr, .handle = op.handle };
		if (!op.host_addr || !op.new_addr)
			u.status = GNTST_bad_virt_addr;
		else
			grant_unmap_batch(v, &u, 1);
		op.status = (s16)u.status;
		if (guest_array_out(v, uop, i, &op))
			return -EFAULT;
	}
	return 0;
}

static long op_copy(struct vcpu *v, u64 uop, u32 count)
{
	for (u32 i = 0; i < count; i++) {
		struct gnttab_copy op;

		if (guest_array_in(v, &op, uop, i))
			return -EFAULT;
		op.status = (s16)grant_copy(v, &op);
		if (guest_array_out(v, uop, i, &op))
			return -EFAULT;
	}
	return 0;
}

static long op_transfer(struct vcpu *v, u64 uop, u32 count)
{
	for (u32 i = 0; i < count; i++) {
		struct gnttab_transfer op;

		if (guest_array_in(v, &op, uop, i))
			return -EFAULT;
		/* Pages are not passed on: see docs/abi-differences.md. */
		op.status = GNTST_general_error;
		if (guest_array_out(v, uop, i, &op))
			return -EFAULT;
	}
	return 0;
}

/* Domain that an element names, when the actor may look at its table; NULL and a GNTST_ code otherwise. */
static struct domain *subject_get(struct vcpu *v, domid_t id, int *status)
{
	struct domain *d = domain_get_by_any_id(v, id);

	*status = GNTST_okay;
	if (!d || !d->grants) {
		*status = GNTST_bad_domain;
	} else if (d != v->domain && !is_privileged(v)) {
		*status = GNTST_permission_denied;
	}
	if (*status && d) {
		domain_put(d);
		d = NULL;
	}
	return d;
}

static long op_setup_table(struct vcpu *v, u64 uop, u32 count)
{
	struct gnttab_setup_table op;
	struct grant_table *t;
	struct domain *d;
	int status = 0;

	if (count != 1)
		return -EINVAL;
	if (guest_copy_in(v, &op, uop, sizeof(op)))
		return -EFAULT;
	d = subject_get(v, op.dom, &status);
	if (d) {
		t = d->grants;
		spin_lock(&t->lock);
		if (op.nr_frames > t->max_frames)
			status = GNTST_general_error;
		else if (op.nr_frames > t->nr_frames && grant_table_grow(d, op.nr_frames))
			status = GNTST_general_error;
		spin_unlock(&t->lock);
		for (u32 i = 0; !status && i < op.nr_frames; i++) {
			u64 frame = virt_mfn(t->shared[i]).v;

			if (guest_array_out(v, (u64)(uintptr_t)op.frame_list.p, i, &frame))
				status = GNTST_bad_virt_addr;
		}
		domain_put(d);
	}
	op.status = (s16)status;
	return guest_copy_out(v, uop, &op, sizeof(op)) ? -EFAULT : 0;
}

static long op_query_size(struct vcpu *v, u64 uop, u32 count)
{
	struct gnttab_query_size op;
	struct domain *d;
	int status;

	if (count != 1)
		return -EINVAL;
	if (guest_copy_in(v, &op, uop, sizeof(op)))
		return -EFAULT;
	d = subject_get(v, op.dom, &status);
	if (d) {
		op.nr_frames = READ_ONCE(d->grants->nr_frames);
		op.max_nr_frames = d->grants->max_frames;
		domain_put(d);
	}
	op.status = (s16)status;
	return guest_copy_out(v, uop, &op, sizeof(op)) ? -EFAULT : 0;
}

static long op_set_version(struct vcpu *v, u64 uop, u32 count)
{
	struct grant_table *t = v->domain->grants;
	struct gnttab_set_version op;
	int rc;

	if (count != 1)
		return -EINVAL;
	if (guest_copy_in(v, &op, uop, sizeof(op)))
		return -EFAULT;
	spin_lock(&t->lock);
	rc = grant_version_set(v->domain, op.version);
	op.version = t->version;
	spin_unlock(&t->lock);
	if (guest_copy_out(v, uop, &op, sizeof(op)))
		return -EFAULT;
	return rc;
}

static long op_get_version(struct vcpu *v, u64 uop, u32 count)
{
	struct gnttab_get_version op;
	struct domain *d;
	int status;

	if (count != 1)
		return -EINVAL;
	if (guest_copy_in(v, &op, uop, sizeof(op)))
		return -EFAULT;
	d = subject_get(v, op.dom, &status);
	if (!d)
		return status == GNTST_bad_domain ? -ESRCH : -EPERM;
	op.version = READ_ONCE(d->grants->version);
	domain_put(d);
	return guest_copy_out(v, uop, &op, sizeof(op)) ? -EFAULT : 0;
}

static long op_get_status_frames(struct vcpu *v, u64 uop, u32 count)
{
	struct gnttab_get_status_frames op;
	struct grant_table *t;
	struct domain *d;
	int status;

	if (count != 1)
		return -EINVAL;
	if (guest_copy_in(v, &op, uop, sizeof(op)))
		return -EFAULT;
	d = subject_get(v, op.dom, &status);
	if (d) {
		t = d->grants;
		spin_lock(&t->lock);
		if (t->version != 2 || op.nr_frames > t->nr_status)
			status = GNTST_general_error;
		for (u32 i = 0; !status && i < op.nr_frames; i++) {
			u64 frame = virt_mfn(t->status[i]).v;

			if (guest_array_out(v, (u64)(uintptr_t)op.frame_list.p, i, &frame))
				status = GNTST_bad_virt_addr;
		}
		spin_unlock(&t->lock);
		domain_put(d);
	}
	op.status = (s16)status;
	return guest_copy_out(v, uop, &op, sizeof(op)) ? -EFAULT : 0;
}

static bool entry_idle(struct grant_table *t, u32 ref)
{
	const struct grant_active *chunk = t->active[ref / ACTIVE_PER_CHUNK];

	return !chunk || !(chunk[ref % ACTIVE_PER_CHUNK].readers + chunk[ref % ACTIVE_PER_CHUNK].writers);
}

static void bytes_swap(void *a, void *b, size_t n)
{
	u8 t[sizeof(grant_entry_v2_t)];

	memcpy(t, a, n);
	memcpy(a, b, n);
	memcpy(b, t, n);
}

static int entries_swap(struct grant_table *t, u32 a, u32 b)
{
	u32 entries = grant_entries(t);

	if (a >= entries || b >= entries)
		return GNTST_bad_gntref;
	a = (u32)index_clamp(a, entries);
	b = (u32)index_clamp(b, entries);
	if (!entry_idle(t, a) || !entry_idle(t, b))
		return GNTST_eagain;
	if (a == b)
		return GNTST_okay;
	if (t->version == 2) {
		bytes_swap(grant_v2(t, a), grant_v2(t, b), sizeof(grant_entry_v2_t));
		bytes_swap(grant_status_word(t, a), grant_status_word(t, b), sizeof(grant_status_t));
	} else {
		bytes_swap(grant_v1(t, a), grant_v1(t, b), sizeof(grant_entry_v1_t));
	}
	return GNTST_okay;
}

static long op_swap(struct vcpu *v, u64 uop, u32 count)
{
	struct grant_table *t = v->domain->grants;

	for (u32 i = 0; i < count; i++) {
		struct gnttab_swap_grant_ref op;

		if (guest_array_in(v, &op, uop, i))
			return -EFAULT;
		spin_lock(&t->lock);
		op.status = (s16)entries_swap(t, op.ref_a, op.ref_b);
		spin_unlock(&t->lock);
		if (guest_array_out(v, uop, i, &op))
			return -EFAULT;
	}
	return 0;
}

static int cache_flush(struct vcpu *v, const struct gnttab_cache_flush *op)
{
	mfn_t m = paddr_mfn(paddr(op->a.dev_bus_addr));
	char *p;

	if (op->op & ~(u32)(GNTTAB_CACHE_CLEAN | GNTTAB_CACHE_INVAL | GNTTAB_CACHE_SOURCE_GREF))
		return -EINVAL;
	if (op->op & GNTTAB_CACHE_SOURCE_GREF)
		return -EOPNOTSUPP;
	if ((u32)op->offset + op->length > PAGE_SIZE)
		return -EINVAL;
	if (!op->length || !op->op)
		return 0;
	if (!frame_valid(m) || !frame_get(frame_of(m), v->domain))
		return -EPERM;
	p = frame_map(m);
	for (u32 at = ROUND_DOWN((u32)op->offset, 64u); at < (u32)op->offset + op->length; at += 64)
		__asm__ volatile("clflush %0" : "+m"(p[at]));
	frame_unmap(p);
	frame_put(frame_of(m));
	return 0;
}

static long op_cache_flush(struct vcpu *v, u64 uop, u32 count)
{
	for (u32 i = 0; i < count; i++) {
		struct gnttab_cache_flush op;
		int rc;

		if (guest_array_in(v, &op, uop, i))
			return -EFAULT;
		rc = cache_flush(v, &op);
		if (rc)
			return rc;
	}
	return 0;
}

struct op_desc {
	long (*fn)(struct vcpu *v, u64 uop, u32 count);
	u32 size;	/* of an element; 0: not a batch, fn sees the whole count */
};

static const struct op_desc ops[] = {
	[GNTTABOP_map_grant_ref] = { op_map, sizeof(struct gnttab_map_grant_ref) },
	[GNTTABOP_unmap_grant_ref] = { op_unmap, sizeof(struct gnttab_unmap_grant_ref) },
	[GNTTABOP_setup_table] = { op_setup_table, 0 },
	[GNTTABOP_transfer] = { op_transfer, sizeof(struct gnttab_transfer) },
	[GNTTABOP_copy] = { op_copy, sizeof(struct gnttab_copy) },
	[GNTTABOP_query_size] = { op_query_size, 0 },
	[GNTTABOP_unmap_and_replace] = { op_unmap_and_replace, sizeof(struct gnttab_unmap_and_replace) },
	[GNTTABOP_set_version] = { op_set_version, 0 },
	[GNTTABOP_get_status_frames] = { op_get_status_frames, 0 },
	[GNTTABOP_get_version] = { op_get_version, 0 },
	[GNTTABOP_swap_grant_ref] = { op_swap, sizeof(struct gnttab_swap_grant_ref) },
	[GNTTABOP_cache_flush] = { op_cache_flush, sizeof(struct gnttab_cache_flush) },
};

/* args: command, elements, count. A preempted batch goes on with the elements that are left. */
long do_grant_table_op(struct vcpu *v, u64 *args)
{
	u64 cmd = (u32)args[0];
	const struct op_desc *op;
	long rc = 0;

	if ((u32)args[2] > COUNT_MAX)
		return -EINVAL;
	if (cmd >= ARRAY_SIZE(ops))
		return -ENOSYS;
	op = &ops[index_clamp(cmd, ARRAY_SIZE(ops))];
	if (!op->fn)
		return -ENOSYS;
	if (!op->size)
		return op->fn(v, args[1], (u32)args[2]);
	while ((u32)args[2]) {
		u32 n = MIN((u32)args[2], BATCH);

		rc = op->fn(v, args[1], n);
		if (rc)
			break;
		args[1] += (u64)n * op->size;
		args[2] = (u32)args[2] - n;
		if (args[2] && preempt_needed())
			return -ERESTART;
	}
	return rc;
}
