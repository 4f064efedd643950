/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside libargonstore: the connection and its queues. */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

#include "argon/store.h"

#include <xen/io/xs_wire.h>

/* A growing run of bytes, taken from the front. */
struct bytes {
	char *data;
	size_t start, end, room;
};

struct request {
	struct request *next;
	store_done *done;
	void *context;
	struct xsd_sockmsg header; /* payload follows, for the case that it must be sent again */
	char payload[];
};

struct watch {
	struct watch *next;
	char *path, *token;
	int depth;
};

struct event {
	struct event *next;
	struct store_event event;
};

/* The caller's number of a transaction and the daemon's, which starts anew when the daemon does. */
struct transaction {
	struct transaction *next;
	store_tx_t handle;
	uint32_t id;
	bool lost;
};

struct store {
	char *path;
	int fd;
	bool broken; /* lost for good */
	unsigned int reconnect_ms;
	uint32_t next_request;
	store_tx_t next_tx;
	struct bytes out, in;
	struct request *requests, **requests_tail; /* without an answer */
	unsigned int request_count;
	struct watch *watches;
	struct transaction *transactions;
	struct event *events, **events_tail;
	void (*on_event)(void *context, const struct store_event *event);
	void *on_event_context;
};

int store_bytes_append(struct bytes *bytes, const void *data, size_t count);

/** Queue a request, whatever its type. */
int store_enqueue(struct store *store, uint32_t type, store_tx_t tx, const void *data, size_t bytes, store_done *done,
		  void *context);

/** Send and receive what is possible; wait up to timeout ms for something to arrive. Connects again if need be. */
int store_pump(struct store *store, int timeout);

/**
 * A request and its answer. @param answer receives malloc'ed bytes with a '\0' behind; NULL is allowed
 * @return 0 or a negative errno with its reason, in which the request's first string stands for its object
 */
int store_call(struct store *store, uint32_t type, store_tx_t tx, const void *data, size_t bytes, char **answer, size_t *answer_bytes);

/** The same for a request that is one string. */
int store_call_path(struct store *store, uint32_t type, store_tx_t tx, const char *path, char **answer, size_t *answer_bytes);

struct transaction *store_transaction_find(struct store *store, store_tx_t handle);

/** Forget queued events of a watch that is gone. */
void store_events_drop(struct store *store, const char *path, const char *token);

#endif
