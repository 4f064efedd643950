/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory maps: the machine's, and the one that the toolstack gave a domain. */
#include <hv/boot.h>
#include <hv/errno.h>
#include <hv/guest.h>
#include <hv/string.h>

#include "memory.h"

/* Entries of a domain's map. */
#define MAP_ENTRIES_MAX 128u

/* d->memory.map */
struct memory_map {
	u32 count;
	struct e820_entry entry[];
};

/* Copies min(room, count) entries to the guest and says how many; a null buffer asks for the number only. */
static long map_copy_out(struct vcpu *v, gva_t arg, struct xen_memory_map *op, const struct e820_entry *entry, u32 count)
{
	if (op->buffer.p != NULL) {
		count = MIN(count, op->nr_entries);
		if (guest_copy_out(v, (gva_t)op->buffer.p, entry, count * sizeof(*entry)))
			return -EFAULT;
	}
	op->nr_entries = count;
	return guest_copy_out(v, arg, op, sizeof(*op)) ? -EFAULT : 0;
}

long memory_machine_map(struct vcpu *v, gva_t arg, u64 *progress)
{
	struct xen_memory_map op;

	(void)progress;
	if (!is_privileged(v))
		return -EPERM;
	if (guest_copy_in(v, &op, arg, sizeof(op)))
		return -EFAULT;
	return map_copy_out(v, arg, &op, boot_info.e820, boot_info.nr_e820);
}

long memory_map_get(struct vcpu *v, gva_t arg, u64 *progress)
{
	struct domain *d = v->domain;
	struct e820_entry copy[MAP_ENTRIES_MAX];
	struct xen_memory_map op;
	u32 count = 0;

	(void)progress;
	if (guest_copy_in(v, &op, arg, sizeof(op)))
		return -EFAULT;
	spin_lock(&d->memory.lock);
	if (d->memory.map != NULL) {
		count = d->memory.map->count;
		memcpy(copy, d->memory.map->entry, count * sizeof(copy[0]));
	}
	spin_unlock(&d->memory.lock);
	return count == 0 ? -ENOSYS : map_copy_out(v, arg, &op, copy, count);
}

static long map_copy_in(struct vcpu *v, struct memory_map **map, const struct xen_memory_map *op)
{
	size_t size = op->nr_entries * sizeof((*map)->entry[0]);

	if (op->nr_entries > MAP_ENTRIES_MAX)
		return -E2BIG;
	*map = hv_alloc(sizeof(**map) + size);
	if (*map == NULL)
		return -ENOMEM;
	(*map)->count = op->nr_entries;
	return guest_copy_in(v, (*map)->entry, (gva_t)op->buffer.p, size) ? -EFAULT : 0;
}

long memory_map_set(struct vcpu *v, gva_t arg, u64 *progress)
{
	struct xen_foreign_memory_map op;
	struct memory_map *map = NULL, *old;
	struct domain *d;
	long rc;

	(void)progress;
	if (!is_privileged(v))
		return -EPERM;
	if (guest_copy_in(v, &op, arg, sizeof(op)))
		return -EFAULT;
	rc = memory_target_get(v, op.domid, &d);
	if (rc)
		return rc;
	rc = map_copy_in(v, &map, &op.map);
	if (!rc) {
		spin_lock(&d->memory.lock);
		old = d->memory.map;
		d->memory.map = map;
		map = old;
		spin_unlock(&d->memory.lock);
	}
	hv_free(map);
	memory_target_put(v, d);
	return rc;
}
