/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HV_SORT_H
#define HV_SORT_H

#include <hv/types.h>

/*
 * Sorts count elements of size bytes in place, smallest first (heap sort: O(n log n) always, constant stack; not stable).
 * compare returns negative, 0 or positive. Any context; not preemptible, so not for arrays of guest-chosen length.
 */
void sort(void *base, size_t count, size_t size, int (*compare)(const void *a, const void *b));

#endif
