/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libargonstore: a client of the xenstore daemon, ours or any other that speaks the protocol (xen-doc, misc/xenstore.txt).
 *
 * Functions return 0 (or the number named) or a negative errno, with the reason in argon/reason.h. Errors of the daemon come
 * as themselves: -ENOENT, -EACCES, -EAGAIN... Results that are allocated are the caller's to free(). Paths are absolute, or
 * relative to the caller's own /local/domain/N. A handle is used by one thread at a time; children of fork must open their own.
 *
 * When the connection breaks (the daemon was restarted and lost its sockets), the handle connects again by itself, sets its
 * watches again (each of which then fires once) and repeats the requests that were not answered. Transactions that were open
 * fail: their requests with -EAGAIN, and so does store_tx_end.
 */
#ifndef ARGON_STORE_H
#define ARGON_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

/** A transaction's number. STORE_NO_TX: the request stands alone. */
typedef uint32_t store_tx_t;
#define STORE_NO_TX 0u

#define STORE_PATH_MAX 3072 /* bytes of an absolute path, its end included */

/* ---- Connection -------------------------------------------------------------------------------------------------------- */

/** Connect: $XENSTORED_PATH, /run/xenstored/socket, /dev/xen/xenbus, /proc/xen/xenbus, whichever answers first. */
int store_open(struct store **out) __attribute__((warn_unused_result));

/** Connect to this socket or device. */
int store_open_path(const char *path, struct store **out) __attribute__((warn_unused_result));

/** Ends the connection, and with it its watches and transactions. NULL is allowed. */
void store_close(struct store *store);

/** How long to try to connect again when the connection breaks. 0: do not; the default is 5000. */
void store_reconnect_limit(struct store *store, unsigned int milliseconds);

/* ---- Nodes ----------------------------------------------------------------------------------------------------------------- */

/**
 * Read a value.
 * @param value  receives malloc'ed bytes with a '\0' behind them
 * @param bytes  receives the length without that '\0'; NULL is allowed
 */
int store_read(struct store *store, store_tx_t tx, const char *path, char **value, size_t *bytes);

/** Write a value; creates the node and its parents. */
int store_write(struct store *store, store_tx_t tx, const char *path, const void *value, size_t bytes);

/** Create an empty node if it does not exist, and its parents. */
int store_mkdir(struct store *store, store_tx_t tx, const char *path);

/** Remove a node and all below it. No error if it does not exist but its parent does; -ENOENT if neither does. */
int store_rm(struct store *store, store_tx_t tx, const char *path);

/** 1, 0 or a negative errno. */
int store_exists(struct store *store, store_tx_t tx, const char *path);

/**
 * Names of a node's children, however many.
 * @param names  receives one malloc'ed block: an array of count pointers and the strings themselves, NULL at the end
 * @return their number
 */
int store_directory(struct store *store, store_tx_t tx, const char *path, char ***names);

/* One entry of a node's permissions. In the first, domid is the owner and access is everybody else's. */
#define STORE_PERM_NONE	 0u
#define STORE_PERM_READ	 1u
#define STORE_PERM_WRITE 2u
struct store_perm {
	uint32_t domid;
	uint32_t access; /* STORE_PERM_* */
};

/** @param perms receives a malloc'ed array. @return its length */
int store_perms_get(struct store *store, store_tx_t tx, const char *path, struct store_perm **perms);
int store_perms_set(struct store *store, store_tx_t tx, const char *path, const struct store_perm *perms, unsigned int count);

/* ---- Convenience: nodes by directory and key; key may be "a/b", or NULL for the directory itself ------------------------- */

/** Write a formatted text at dir/key. */
int store_write_at(struct store *store, store_tx_t tx, const char *dir, const char *key, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/** Read text at dir/key into a malloc'ed string. */
int store_read_at(struct store *store, store_tx_t tx, const char *dir, const char *key, char **value);

/**
 * Read dir/key and take it apart as sscanf does.
 * @return the number of conversions, which may be less than there are; -ENOENT...
 */
int store_scan_at(struct store *store, store_tx_t tx, const char *dir, const char *key, const char *format, ...)
	__attribute__((format(scanf, 5, 6)));

/** Read with a formatted path. */
int store_readf(struct store *store, store_tx_t tx, char **value, const char *path_format, ...)
	__attribute__((format(printf, 4, 5)));

/** Remove with a formatted path; a missing node or parent is no error. */
int store_rmf(struct store *store, store_tx_t tx, const char *path_format, ...) __attribute__((format(printf, 3, 4)));

/* What store_put makes: a node with a value and permissions. */
struct store_entry {
	const char *path;
	const char *value; /* text; NULL: mkdir only */
	const struct store_perm *perms; /* NULL: as inherited */
	unsigned int perm_count;
};

/** Make many nodes in one go (one round trip, not one for each). Goes on after an error. @return the first error */
int store_put(struct store *store, store_tx_t tx, const struct store_entry *entries, size_t count);

/* ---- Transactions ------------------------------------------------------------------------------------------------------------ */

int store_tx_start(struct store *store, store_tx_t *tx);

/** @param commit false: forget it. @return -EAGAIN if somebody else changed what it used: do all of it again */
int store_tx_end(struct store *store, store_tx_t tx, bool commit);

/** One attempt of a transaction. @return 0 to commit, an error to give up (-EAGAIN: try again). Runs once for each attempt. */
typedef int store_tx_body(struct store *store, store_tx_t tx, void *context);

/** Run a transaction until it commits or body gives up. @return body's error, or 0 */
int store_transaction(struct store *store, store_tx_body *body, void *context);

/* ---- Watches -------------------------------------------------------------------------------------------------------------------- */

struct store_event {
	char *path; /* what changed; relative if the watch was */
	char *token; /* as in store_watch */
};

/**
 * Watch a path and all below it, or @introduceDomain, @releaseDomain. An event for the path itself comes at once.
 * @param depth  how many levels below the path count, -1: all. Others than -1 need a daemon that knows them (-EINVAL else)
 */
int store_watch(struct store *store, const char *path, const char *token, int depth);
int store_unwatch(struct store *store, const char *path, const char *token);

/** Readable when the daemon sent something: then call store_event_next until it returns 0. The number never changes. */
int store_fd(const struct store *store);

/**
 * Take the next event that has arrived, without waiting. Events may also be queued while other calls wait for their
 * answers, so call this until it returns 0 before polling.
 * @return 1 and *event, to be given back with store_event_free; 0 if there is none
 */
int store_event_next(struct store *store, struct store_event *event);

/** The same, but waits up to timeout milliseconds (-1: for ever). @return 1, 0 when the time is over */
int store_event_wait(struct store *store, struct store_event *event, int timeout);
void store_event_free(struct store_event *event);

/** Call on_event for all events from now on, in store_event_next and store_event_wait, which then return 0. NULL: queue again. */
void store_event_callback(struct store *store, void (*on_event)(void *context, const struct store_event *event), void *context);

/* ---- Domains (of privileged callers) ------------------------------------------------------------------------------------------- */

int store_introduce(struct store *store, uint32_t domid, uint64_t gfn, uint32_t port);
int store_release(struct store *store, uint32_t domid);
/** 1, 0 or a negative errno. */
int store_is_introduced(struct store *store, uint32_t domid);
/** @param path receives a malloc'ed string, "/local/domain/N" */
int store_domain_path(struct store *store, uint32_t domid, char **path);
/** domid may do to nodes what target may. */
int store_target_set(struct store *store, uint32_t domid, uint32_t target);
/** The domain runs again after a shutdown (suspend): its next shutdown is announced. */
int store_resume(struct store *store, uint32_t domid);
/** Drop all watches and transactions of this connection. */
int store_watches_reset(struct store *store);
/** A command to the daemon: `words`, count of them. @param answer receives malloc'ed text; NULL is allowed */
int store_control(struct store *store, const char *const *words, unsigned int count, char **answer);

/* ---- Asynchronous requests ------------------------------------------------------------------------------------------------------ */

/**
 * Called when the answer is there: error is 0 or a negative errno, data the answer's bytes with a '\0' behind them, which
 * last until it returns. It may start other requests, but not wait for one.
 */
typedef void store_done(void *context, int error, const char *data, size_t bytes);

/**
 * Send a request without waiting. Answers come in the order of requests.
 * @param type   enum xsd_sockmsg_type of <xen/io/xs_wire.h>
 * @param done   NULL: nobody wants to know
 * @return 0, or -errno if the request is too long or the connection is lost; then done is not called
 */
int store_submit(struct store *store, uint32_t type, store_tx_t tx, const void *data, size_t bytes, store_done *done,
		 void *context);

/** Write, without waiting. */
int store_submit_write(struct store *store, store_tx_t tx, const char *path, const void *value, size_t bytes, store_done *done,
		       void *context);

/** Send what was submitted and take answers that are there, without waiting. @return the number of answers still to come */
int store_poll(struct store *store);

/** Wait for all answers. */
int store_drain(struct store *store);

#endif
