/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libargondomain: domains with all that belongs to them. Creation, devices, shutdown, destruction; what a domain shall be is in
 * argon/domain_config.h. Functions return 0 (or the number named) or a negative errno with the reason in argon/reason.h.
 *
 * A host handle is used by one thread at a time; children of fork open their own.
 */
#ifndef ARGON_DOMAIN_H
#define ARGON_DOMAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "argon/ctrl.h"
#include "argon/domain_config.h"
#include "argon/store.h"

#define DOMAIN_RUN_DIR "/run/argon"
#define DOMAIN_DUMP_DIR "/var/lib/xen/dump"

struct host;

/** Nothing is opened before it is needed. */
int host_open(struct host **out) __attribute__((warn_unused_result));
void host_close(struct host *host);
/** The hypervisor and the store, opened by the first call. */
int host_ctrl(struct host *host, struct ctrl **out) __attribute__((warn_unused_result));
int host_store(struct host *host, struct store **out) __attribute__((warn_unused_result));
/** Words for the person at the terminal that are no failure; without it they are dropped. */
void host_on_warning(struct host *host, void (*fn)(void *arg, const char *text), void *arg);

/* ---- names ------------------------------------------------------------------------------------------------------------- */

/** A domain by its number or name. @return 0, -ESRCH */
int domain_find(struct host *host, const char *name_or_number, uint32_t *domid);
/** Its name, to be freed; "(null)" is for domains that have none. */
int domain_name(struct host *host, uint32_t domid, char **name);
/** Names of many, in one go: names[i] is allocated, or NULL for a domain without one. */
int domain_names(struct host *host, const uint32_t *domids, size_t count, char **names);
int domain_rename(struct host *host, uint32_t domid, const char *name);

/* ---- life -------------------------------------------------------------------------------------------------------------- */

#define DOMAIN_DOMID_RANDOM UINT32_MAX

struct domain_create_options {
	bool paused;		/* leave it so */
	bool unwatched;		/* nobody acts when it shuts down */
	int autoballoon;	/* as in struct host_config */
	const char *cpumask;	/* CPUs that guests may have; NULL: all */
	bool ignore_cpumask;
	int stream_fd;		/* from 1 on: read its memory and state from there (argon/migrate.h), load no kernel */
	uint32_t domid;		/* wanted; 0: the next one; DOMAIN_DOMID_RANDOM */
};

/** Make a domain and start it. After a failure, or when the process is killed, nothing of it is left. */
int domain_create(struct host *host, const struct domain_config *dc, const struct domain_create_options *options, uint32_t *domid);

/** Kill it and remove all that belongs to it. Of something half-made or half-destroyed too. -ESRCH when nothing was there. */
int domain_destroy(struct host *host, uint32_t domid);

/** Ask it to shut down: "poweroff", "reboot", "suspend", "halt", "crash". */
int domain_shutdown_request(struct host *host, uint32_t domid, const char *command);

/** Write its memory and vCPUs to a file in ELF form (xen-doc: misc/dump-core-format). */
int domain_dump(struct host *host, uint32_t domid, const char *path);

/** What it was made of and is now: our record, else that of other tools, else what the hypervisor and the store tell. */
int domain_config_get(struct host *host, uint32_t domid, struct domain_config *dc);
/** Replaces the record: used when it restarts. */
int domain_config_put(struct host *host, uint32_t domid, const struct domain_config *dc);

/* ---- watching ---------------------------------------------------------------------------------------------------------- */

/**
 * Act on shutdowns as the domains' configurations say, and clear up after creators that died. One process does so for all
 * domains of the host; it returns 0 at once when another one is there already. Its whole state is in DOMAIN_RUN_DIR, so it may
 * be killed and started again at any time. @param once  stop when nothing is left to be done at the moment
 */
int watch_run(struct host *host, bool once);
/** Start that process in the background unless it runs. */
int watch_start(struct host *host) __attribute__((warn_unused_result));

/* ---- devices ----------------------------------------------------------------------------------------------------------- */

struct device_info {
	char kind[16];		/* vbd, vif, console, ... as in the store */
	uint32_t devid;
	uint32_t backend_domid, handle;
	int state;		/* XenbusState of the front end, -1 unknown */
	int event_channel;	/* -1: none yet */
	int ring[2];		/* -1: none; for vif: tx, rx */
	char *backend;		/* path in the store */
	char *frontend;
	char *label;		/* vdev of a disk, MAC address of a card, target of a channel */
};
/** @param kind "vbd", "vif", "console"; @return how many */
int device_list(struct host *host, uint32_t domid, const char *kind, struct device_info **out);
void device_list_free(struct device_info *list, size_t count);

int disk_attach(struct host *host, uint32_t domid, const struct disk_config *disk);
int vif_attach(struct host *host, uint32_t domid, const struct vif_config *vif);
/** @param force  do not wait for the guest to let go */
int device_detach(struct host *host, uint32_t domid, const char *kind, uint32_t devid, bool force);

/* ---- vCPUs and memory -------------------------------------------------------------------------------------------------- */

/** How many of its vCPUs a domain shall use. */
int domain_vcpus_set(struct host *host, uint32_t domid, unsigned int count);
/** Target of the balloon. */
int domain_memory_set(struct host *host, uint32_t domid, uint64_t kib);
int domain_memory_max_set(struct host *host, uint32_t domid, uint64_t kib);
/** Free this much in the hypervisor, if need be by dom0's balloon. */
int host_memory_free(struct host *host, uint64_t kib, int autoballoon);
int domain_sysrq(struct host *host, uint32_t domid, char letter);

#endif
