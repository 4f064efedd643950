/* SPDX-License-Identifier: BSD-2-Clause */
/* The check of the lock order that debug builds make: which levels a CPU holds. Pure. */
#ifndef CPU_LOCK_ORDER_H
#define CPU_LOCK_ORDER_H

#include <hv/lock.h>

#define LOCK_ORDER_DEPTH 16

struct lock_order {
	u8 depth;
	u8 level[LOCK_ORDER_DEPTH];	/* in order of acquisition */
};

/* Highest level held; 0 when none. */
static inline unsigned int lock_order_highest(const struct lock_order *o)
{
	unsigned int highest = 0;

	for (unsigned int i = 0; i < o->depth; i++)
		highest = MAX(highest, o->level[i]);
	return highest;
}

/* May a lock of this level be waited for? Level 0 is not checked. */
static inline bool lock_order_allows(const struct lock_order *o, unsigned int level, bool nested)
{
	unsigned int highest = lock_order_highest(o);

	return level == 0 || highest < level || (nested && highest == level);
}

/* Notes an acquisition; false when there are too many. */
static inline bool lock_order_push(struct lock_order *o, unsigned int level)
{
	if (o->depth == LOCK_ORDER_DEPTH)
		return false;
	o->level[o->depth++] = (u8)level;
	return true;
}

/* Notes a release, in any order; false when no lock of that level is held. */
static inline bool lock_order_pop(struct lock_order *o, unsigned int level)
{
	for (unsigned int i = o->depth; i-- > 0;) {
		if (o->level[i] != level)
			continue;
		for (o->depth--; i < o->depth; i++)
			o->level[i] = o->level[i + 1];
		return true;
	}
	return false;
}

#endif
