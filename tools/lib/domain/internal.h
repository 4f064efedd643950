/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of libdomain share. */
#ifndef DOMAIN_INTERNAL_H
#define DOMAIN_INTERNAL_H

#include "argon/domain.h"
#include "net.h"

struct host {
	struct ctrl *ctrl;
	struct store *store;
	struct net *net;
	void (*warn)(void *arg, const char *text);
	void *warn_arg;
};

int host_net(struct host *host, struct net **out);
void host_warn(struct host *host, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- files below DOMAIN_RUN_DIR (files.c) ---- */

#define PATH_ROOM 256

/** DOMAIN_RUN_DIR, or $ARGON_RUN_DIR: for tests. */
const char *run_root(void);
/** Makes DOMAIN_RUN_DIR and a folder below it (0700). */
int run_dir(const char *name);
/** A lock file that belongs to us until lock_put; waits at most milliseconds. @return a descriptor, -EBUSY */
int lock_get(const char *folder, const char *name, unsigned int milliseconds);
/** Removes the file and lets others go on. */
void lock_put(int fd, const char *folder, const char *name);
/** Replaces a file at once, mode 0600. */
int file_put(const char *path, const char *text);
/** Whole file, allocated. -ENOENT without a reason. */
int file_get(const char *path, char **text);

/* A domain's record: /run/argon/domain/DOMID.json. */
struct domain_record {
	bool unwatched;
	struct domain_config config;
};
int domain_record_put(uint32_t domid, const struct domain_record *record);
int domain_record_get(uint32_t domid, struct domain_record *record);
void domain_record_free(struct domain_record *record);
void domain_record_remove(uint32_t domid);
void domain_record_path(uint32_t domid, char path[PATH_ROOM]);

/*
 * What is under way: /run/argon/creating/NAME holds the PID and a word for people. The name is the UUID of a domain that is
 * being made, or attach-DOMID-KIND-DEVID for a device.
 */
#define JOURNAL_NAME 64
int journal_put(const char *name, const char *word);
void journal_remove(const char *name);
/** Removes what a creator left that died; the journal says that there is something. */
int creation_undo(struct host *host, const char *name);
/** Asks the watcher, started if need be, to do so when the descriptor is closed while the journal exists. */
int watch_guard(const char *name, int *fd);

/* ---- devices (device.c, vbd.c, vif.c) ---- */

/* Nodes that are to be written in one go; paths and values are copied. */
struct nodes {
	struct store_entry *entries;
	size_t count, room;
	bool failed;
};
void nodes_free(struct nodes *n);
/** A node whose permissions are: owner, and one reader. */
void nodes_add(struct nodes *n, uint32_t owner, uint32_t reader, const char *path, const char *value);
/** The same with path DIR/KEY and a formatted value; inherits permissions from its folder when owner is ~0. */
void nodes_addf(struct nodes *n, uint32_t owner, uint32_t reader, const char *dir, const char *key, const char *format, ...)
	__attribute__((format(printf, 6, 7)));
int nodes_write(struct nodes *n, struct store *store, store_tx_t tx);

struct device {
	const char *kind;		/* of the front end: vbd, vif */
	const char *backend_kind;	/* of the back end: mostly the same */
	uint32_t domid, devid, backend_domid;
};
void device_frontend(const struct device *d, char path[PATH_ROOM]);
void device_backend(const struct device *d, char path[PATH_ROOM]);
void device_libxl(const struct device *d, char path[PATH_ROOM]);
/** Adds the folders and what every device has. */
void device_nodes(struct nodes *n, const struct device *d);
/** The same without those of the front end. */
void device_back_nodes(struct nodes *n, const struct device *d);
/** Waits until the back end's state is one of those in the mask (bits by XenbusState). */
int device_backend_wait(struct host *host, const struct device *d, unsigned int states, unsigned int milliseconds);
/** Removes nodes of a device; the back end in the kernel goes away with them. */
void device_nodes_remove(struct store *store, store_tx_t tx, const struct device *d);
/** Waits until dom0's kernel no longer has the device. */
void device_gone_wait(const struct device *d, unsigned int milliseconds);
/** A user's script for a device; waits for its end and for what it wrote. @param action add, remove, online, offline */
int device_script(struct host *host, const struct device *d, const char *script, const char *action, const char *interface);

/** Domain number of a back end's name; NULL is dom0. */
int backend_domid(struct host *host, const char *name, uint32_t *domid);

int vbd_device(struct host *host, uint32_t domid, const struct disk_config *disk, struct device *d);
/** What can be known to be wrong before anything is made. */
int vbd_check(struct host *host, const struct disk_config *disk);
void vbd_nodes(struct nodes *n, const struct device *d, const struct disk_config *disk);
/** After the nodes are there: gives the back end its data. */
int vbd_connect(struct host *host, const struct device *d, const struct disk_config *disk);
void vbd_disconnect(struct host *host, const struct device *d, const struct disk_config *disk);

int vif_device(struct host *host, uint32_t domid, const struct vif_config *vif, unsigned int devid, struct device *d);
int vif_check(struct host *host, const struct vif_config *vif);
void vif_nodes(struct nodes *n, const struct device *d, const struct vif_config *vif);
int vif_connect(struct host *host, const struct device *d, const struct vif_config *vif);
void vif_disconnect(struct host *host, const struct device *d, const struct vif_config *vif);

long time_ms(void);

#endif
