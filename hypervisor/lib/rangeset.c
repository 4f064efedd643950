/* SPDX-License-Identifier: BSD-2-Clause */
/* A sorted array of ranges that lie apart from each other. Changes build the new array first and put it in place at the end. */
#include <hv/errno.h>
#include <hv/frame.h>
#include <hv/lock.h>
#include <hv/rangeset.h>
#include <hv/string.h>

struct range {
	u64 first, last;
};

struct rangeset {
	struct spinlock lock;	/* LOCK_RANGESET: all fields */
	u32 count, room;
	struct range *range;
};

#define ROOM_FIRST 8u

struct rangeset *rangeset_create(void)
{
	struct rangeset *r = hv_alloc(sizeof(*r));

	if (r != NULL)
		spin_init(&r->lock, LOCK_RANGESET);
	return r;
}

void rangeset_free(struct rangeset *r)
{
	if (r == NULL)
		return;
	hv_free(r->range);
	hv_free(r);
}

/* Index of the first range that ends at or after x. */
static u32 range_find(const struct rangeset *r, u64 x)
{
	u32 low = 0, high = r->count;

	while (low < high) {
		u32 middle = (low + high) / 2;

		if (r->range[middle].last < x)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Makes room for one more range than there are. */
static int room_make(struct rangeset *r)
{
	u32 room = r->room == 0 ? ROOM_FIRST : r->room * 2;
	struct range *range;

	if (r->count < r->room)
		return 0;
	if (r->count == RANGESET_MAX)
		return -ENOSPC;
	range = hv_alloc(room * sizeof(*range));
	if (range == NULL)
		return -ENOMEM;
	if (r->count > 0)
		memcpy(range, r->range, r->count * sizeof(*range));
	hv_free(r->range);
	r->range = range;
	r->room = room;
	return 0;
}

/* Replaces n ranges from index i on by m others; there is room. */
static void ranges_replace(struct rangeset *r, u32 i, u32 n, const struct range *with, u32 m)
{
	if (n != m)
		memmove(&r->range[i + m], &r->range[i + n], (r->count - i - n) * sizeof(*r->range));
	for (u32 k = 0; k < m; k++)
		r->range[i + k] = with[k];
	r->count = r->count - n + m;
}

int rangeset_add(struct rangeset *r, u64 first, u64 last)
{
	struct range all = { first, last };
	u32 i, n = 0;
	int rc;

	if (last < first)
		return -EINVAL;
	spin_lock(&r->lock);
	rc = room_make(r);
	/* Also those that only touch: a range ends right before `first`, or begins right after `last`. */
	i = rc ? 0 : range_find(r, first == 0 ? 0 : first - 1);
	while (!rc && i + n < r->count && (last == UINT64_MAX || r->range[i + n].first <= last + 1)) {
		all.first = MIN(all.first, r->range[i + n].first);
		all.last = MAX(all.last, r->range[i + n].last);
		n++;
	}
	if (!rc)
		ranges_replace(r, i, n, &all, 1);
	spin_unlock(&r->lock);
	return rc;
}

int rangeset_remove(struct rangeset *r, u64 first, u64 last)
{
	struct range rest[2];
	u32 i, n = 0, m = 0;
	int rc;

	if (last < first)
		return -EINVAL;
	spin_lock(&r->lock);
	rc = room_make(r);
	i = rc ? 0 : range_find(r, first);
	while (!rc && i + n < r->count && r->range[i + n].first <= last)
		n++;
	if (!rc && n > 0) {
		if (r->range[i].first < first)
			rest[m++] = (struct range){ r->range[i].first, first - 1 };
		if (r->range[i + n - 1].last > last)
			rest[m++] = (struct range){ last + 1, r->range[i + n - 1].last };
		ranges_replace(r, i, n, rest, m);
	}
	spin_unlock(&r->lock);
	return rc;
}

bool rangeset_contains(struct rangeset *r, u64 first, u64 last)
{
	bool yes;
	u32 i;

	spin_lock(&r->lock);
	i = range_find(r, first);
	yes = i < r->count && r->range[i].first <= first && r->range[i].last >= last;
	spin_unlock(&r->lock);
	return yes;
}

bool rangeset_overlaps(struct rangeset *r, u64 first, u64 last)
{
	bool yes;
	u32 i;

	spin_lock(&r->lock);
	i = range_find(r, first);
	yes = i < r->count && r->range[i].first <= last;
	spin_unlock(&r->lock);
	return yes;
}

bool rangeset_next(struct rangeset *r, u64 from, u64 *first, u64 *last)
{
	bool yes;
	u32 i;

	spin_lock(&r->lock);
	i = range_find(r, from);
	yes = i < r->count;
	if (yes) {
		*first = r->range[i].first;
		*last = r->range[i].last;
	}
	spin_unlock(&r->lock);
	return yes;
}

bool rangeset_empty(struct rangeset *r)
{
	return READ_ONCE(r->count) == 0;
}
