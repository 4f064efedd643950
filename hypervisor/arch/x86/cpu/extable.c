/* SPDX-License-Identifier: BSD-2-Clause */
#include <hv/extable.h>

/*
 * Few entries and rare faults: a plain walk. Every place that may fault is reached through an entry of this table, and what a
 * guest can make fault here costs it more than the walk costs us.
 */
u64 extable_find(u64 rip)
{
	for (const struct extable_entry *e = extable_start; e < extable_end; e++)
		if ((u64)&e->from + (u64)(s64)e->from == rip)
			return (u64)&e->to + (u64)(s64)e->to;
	return 0;
}
