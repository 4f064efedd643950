/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libargondomain: domains written to files, made from them, and moved to other hosts. Functions return 0 or a negative errno with the
 * reason in argon/reason.h. Whatever fails, the domain still runs where it was, unless it says otherwise.
 */
#ifndef ARGON_DOMAIN_MOVE_H
#define ARGON_DOMAIN_MOVE_H

#include "argon/domain.h"
#include "argon/migrate.h"

enum domain_after {
	AFTER_DESTROY, /* it is gone */
	AFTER_PAUSE, /* it stays, paused */
	AFTER_CONTINUE, /* it goes on */
};

struct domain_move_options {
	bool live; /* copy memory in rounds while it runs */
	enum domain_after after; /* of a save that succeeded */
	const struct domain_config *config; /* written instead of its own; may be NULL */
	/* As in struct migrate_save; 0 for the defaults. */
	uint64_t bandwidth, start_rate, max_downtime, timeout;
	unsigned int max_rounds;
	enum migrate_policy policy;
	/* Stages with their names, and progress within them; may be NULL. An error ends the move. */
	void (*stage)(void *context, const char *name);
	int (*progress)(void *context, const struct migrate_progress *progress);
	void *context;
};

/** Ask a domain to suspend, and wait until it has. Nothing is done if it is suspended already. */
int domain_suspend(struct host *host, uint32_t domid);
/** Let a domain that has suspended go on where it is. Nothing is done if it is not suspended. */
int domain_resume(struct host *host, uint32_t domid);

/** Write a domain with its configuration to a file. @param result  may be NULL */
int domain_save(struct host *host, uint32_t domid, int fd, const struct domain_move_options *options,
		struct migrate_progress *result);

/**
 * Make a domain from a file of domain_save or of Debian's xl.
 * @param config  used instead of the file's; may be NULL
 */
int domain_restore(struct host *host, int fd, const struct domain_config *config, const struct domain_create_options *options,
		   uint32_t *domid);

/**
 * Move a domain: in and out lead to domain_receive on the other host. When this returns 0 the domain runs there and is gone here.
 * A failure leaves it running here, with one exception: -EREMOTEIO, when the connection broke after the other side was told
 * to go ahead. Then it may run there; here it stays suspended, so that there are never two.
 */
int domain_send(struct host *host, uint32_t domid, int in, int out, const struct domain_move_options *options,
		struct migrate_progress *result);

/** The other side. Its name ends in "--incoming" until it has been committed. */
int domain_receive(struct host *host, int in, int out, const struct domain_create_options *options, uint32_t *domid);

#endif
