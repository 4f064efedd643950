/* SPDX-License-Identifier: BSD-2-Clause */
/* A creation that is under way. */
#ifndef DOMAIN_CREATE_H
#define DOMAIN_CREATE_H

#include "argon/build.h"
#include "internal.h"

struct creation {
	struct host *host;
	struct ctrl *ctrl;
	struct store *store;
	const struct domain_create_options *options;
	struct domain_config dc;
	char uuid[DOMAIN_UUID_TEXT];
	struct build_image *image;
	struct build_result built;
	struct cpu_topology topology;
	uint32_t *node_of_cpu;
	uint32_t domid, pool, scheduler;
	int lock;	/* of the name */
	int guard;	/* closed by our death: the watcher then clears up */
};

/** Writes all nodes of the domain and its devices, in one transaction. */
int store_fill(struct creation *c);

/** Asks the watcher, started if need be, to clear up when the descriptor is closed while the journal exists. */
int watch_guard(const char *uuid, int *fd);

#endif
