/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libargonmigrate: a PV domain written to a stream and read back: save, restore, checkpoint, live migration. The format is the
 * public one: a libxl stream (version 2) around a libxc stream (version 3), as xen-doc's specs describe them; what Argon adds
 * are optional records, which other readers skip.
 *
 * Functions return 0 or a negative errno with the reason in argon/reason.h. The reader takes the stream for hostile input.
 */
#ifndef ARGON_MIGRATE_H
#define ARGON_MIGRATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "argon/ctrl.h"

/* ---- Writing ---------------------------------------------------------------------------------------------------------- */

/* Where a save stands. Times are ns, rates bytes a second, pages of 4 KiB. */
enum migrate_stage {
	MIGRATE_PRECOPY, /* rounds over the memory of the running domain */
	MIGRATE_STOP, /* the domain is asked to suspend */
	MIGRATE_FINAL, /* the last pages and the state, while it is stopped */
	MIGRATE_DONE,
};

struct migrate_progress {
	enum migrate_stage stage;
	unsigned int round; /* 0 is the first */
	uint64_t pages_total; /* of the domain */
	uint64_t pages_sent; /* in all rounds, without those that had no contents */
	uint64_t pages_left; /* of this round */
	uint64_t bytes; /* written to the stream */
	uint64_t rate; /* at which this round sends */
	uint64_t dirty_rate; /* at which the domain wrote in the last round */
	uint64_t downtime; /* expected, or since MIGRATE_FINAL measured */
};

/* What to do when the pre-copy does not converge within its limits. */
enum migrate_policy {
	MIGRATE_FORCE, /* stop the domain all the same */
	MIGRATE_ABORT, /* give up: -ETIME, the domain goes on */
	MIGRATE_THROTTLE, /* slow its vCPUs step by step, then stop it */
};

struct migrate_save {
	uint32_t domid;
	int fd; /* a file, pipe or socket */
	bool live; /* pre-copy rounds while it runs */
	/* Limits; 0: none, except where a default is named. */
	uint64_t bandwidth; /* bytes a second, at no time more */
	uint64_t start_rate; /* of the first round; default: no limit */
	uint64_t max_downtime; /* ns, default 300 ms: stop when the rest takes no longer */
	unsigned int max_rounds; /* default 30 */
	uint64_t timeout; /* ns for the pre-copy */
	enum migrate_policy policy;

	/*
	 * What the caller does. suspend makes the domain shut down with SHUTDOWN_suspend and returns when it has, or fails.
	 * progress may be NULL; an error of its (-EINTR, say) ends the save. throttle, for MIGRATE_THROTTLE: let the domain
	 * have so many percent of the time it wants, 100 at the end.
	 */
	int (*suspend)(void *context);
	int (*progress)(void *context, const struct migrate_progress *progress);
	int (*throttle)(void *context, unsigned int percent);
	void *context;
};

/**
 * Write a domain. It is stopped afterwards, if this succeeds; if it fails after `suspend` the caller resumes it. Log-dirty mode is
 * off again in every case.
 * @param result  the last state of progress; may be NULL
 */
int migrate_save(struct ctrl *ctrl, const struct migrate_save *save, struct migrate_progress *result);

/* ---- Reading ---------------------------------------------------------------------------------------------------------- */

struct migrate_restore {
	uint32_t domid; /* created, with its vCPUs and its limit of memory, and nothing else */
	int fd;
	/* Ports of the new domain that the daemons will bind. */
	uint32_t store_port, console_port;
	uint32_t store_domid, console_domid; /* who may map the rings */
	int (*progress)(void *context, const struct migrate_progress *progress); /* may be NULL */
	void *context;
};

struct migrate_restored {
	uint64_t store_frame, console_frame; /* machine frames of its rings */
	uint64_t pages;
};

/** Fill a domain from a stream, up to the stream's end. It is paused; if this fails the caller destroys it. */
int migrate_restore(struct ctrl *ctrl, const struct migrate_restore *restore, struct migrate_restored *out);

/* ---- Looking at a domain ----------------------------------------------------------------------------------------------- */

/**
 * Which machine frame each pseudo-physical page of a PV domain has, at this moment and by its own account.
 * @param frames  receives a malloc'ed list, UINT64_MAX for pages without a frame
 * @return its length
 */
int64_t migrate_frames(struct ctrl *ctrl, uint32_t domid, uint64_t **frames);

/* ---- Files of xl ------------------------------------------------------------------------------------------------------- */

/** What goes before the stream in a file of `xl save` and on the wire of `xl migrate`: magic, flags, the configuration. */
int migrate_header_write(int fd, const char *config, size_t bytes);
/** @param config receives malloc'ed text with a '\0' behind it */
int migrate_header_read(int fd, char **config, size_t *bytes);

#endif
