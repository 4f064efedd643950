/* SPDX-License-Identifier: BSD-2-Clause */
/* What domctl and sysctl share: the control lock, bit maps in guest memory. */
#include <hv/errno.h>
#include <hv/guest.h>
#include <hv/lock.h>
#include "control.h"

static struct spinlock lock = SPINLOCK(LOCK_CONTROL);

bool control_lock(void)
{
	return spin_trylock(&lock);
}

void control_unlock(void)
{
	spin_unlock(&lock);
}

int control_map_in(struct vcpu *v, struct cpumask *m, const struct xenctl_bitmap *map)
{
	u32 bits = MIN(map->nr_bits, MAX_CPUS), bytes = (bits + 7) / 8;

	*m = cpumask_none();
	if (guest_copy_in(v, m, HANDLE(map->bitmap), bytes))
		return -EFAULT;
	if (bits % 64)
		m->bits[bits / 64] &= (1UL << (bits % 64)) - 1;
	return 0;
}

int control_map_out(struct vcpu *v, const struct xenctl_bitmap *map, const struct cpumask *m)
{
	u32 bits = MIN(map->nr_bits, MAX_CPUS), bytes = (bits + 7) / 8;
	struct cpumask copy = *m;

	if (bits % 64)
		copy.bits[bits / 64] &= (1UL << (bits % 64)) - 1;
	if (guest_copy_out(v, HANDLE(map->bitmap), &copy, bytes))
		return -EFAULT;
	/* What the guest has room for beyond our CPUs reads as 0. */
	return guest_clear(v, HANDLE(map->bitmap) + bytes, (MIN(map->nr_bits, 65536u) + 7) / 8 - bytes);
}
