/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to libargondomain: a domain that is being written somewhere. */
#ifndef DOMAIN_MOVE_H
#define DOMAIN_MOVE_H

#include "argon/domain_move.h"

struct mover {
	struct host *host;
	struct ctrl *ctrl;
	uint32_t domid, vcpus, scheduler;
	const struct domain_move_options *options;
	struct ctrl_sched_credit credit; /* before it was slowed */
	bool can_throttle, suspended;
};

int mover_open(struct mover *m, struct host *host, uint32_t domid, const struct domain_move_options *options);
/** Writes the stream; the domain is suspended afterwards, or goes on if this failed. */
int mover_write(struct mover *m, int fd, struct migrate_progress *result);
/** Lets it go on; keeps the recorded reason. */
void mover_resume(struct mover *m);

/** A domain's configuration as text, allocated. */
int move_config_text(struct host *host, uint32_t domid, const struct domain_config *given, char **text);
int move_config_parse(const char *text, struct domain_config *dc);
/** Makes a domain from the stream that comes next. */
int move_create(struct host *host, int fd, const struct domain_config *dc, const struct domain_create_options *options,
		uint32_t *domid);

#endif
