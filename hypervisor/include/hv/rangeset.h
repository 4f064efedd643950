/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sets of u64 kept as inclusive ranges: I/O ports, I/O memory frames, interrupts that a domain may use. Every function may be
 * called in any context with locks below LOCK_RANGESET held; each set has its own lock. A set holds at most RANGESET_MAX ranges.
 */
#ifndef HV_RANGESET_H
#define HV_RANGESET_H

#include <hv/types.h>
#include <hv/compiler.h>

#define RANGESET_MAX 4096

struct rangeset;

/* An empty set; NULL when out of memory. */
struct rangeset *rangeset_create(void) must_check;
void rangeset_free(struct rangeset *r);	/* NULL is fine */
/* Adds or removes [first, last]. 0, -EINVAL (last < first), -ENOMEM or -ENOSPC; on error the set is unchanged. */
int rangeset_add(struct rangeset *r, u64 first, u64 last) must_check;
int rangeset_remove(struct rangeset *r, u64 first, u64 last) must_check;
/* True when all / any of [first, last] is in the set. */
bool rangeset_contains(struct rangeset *r, u64 first, u64 last);
bool rangeset_overlaps(struct rangeset *r, u64 first, u64 last);
/* The first range that ends at or after `from`; false when there is none. */
bool rangeset_next(struct rangeset *r, u64 from, u64 *first, u64 *last);
bool rangeset_empty(struct rangeset *r);

#endif
