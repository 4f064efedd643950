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

#endif
