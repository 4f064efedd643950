/* SPDX-License-Identifier: BSD-2-Clause */
/* CPU pools, as commands name them. */
#ifndef XL_POOLS_H
#define XL_POOLS_H

#include "xl.h"

struct pool {
	struct ctrl_cpupool_info info;
	struct cpumap cpus;
	char *name;
};

/** All pools. @return their number, -1 after a message */
int pools_get(struct xl *xl, struct pool **out);
void pools_free(struct pool *pools, int count);
/** Whether a name or number means this pool. */
bool pool_is(const struct pool *pool, const char *text);
/** A pool by name or number, or a message. */
bool pool_find(struct xl *xl, const char *text, uint32_t *pool);

#endif
