/* SPDX-License-Identifier: BSD-2-Clause */
/* A daemon in this process, over a directory of its own and a machine made of memory. */
#ifndef HARNESS_H
#define HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>

#include "tools/xenstored/xs.h"

#define FAKE_DOMAINS 1010

struct fake_host {
	struct host host;
	struct xenstore_domain_interface *rings; /* shared with children, as guests' pages outlive a daemon */
	uint8_t state[FAKE_DOMAINS];
	unsigned int notified[FAKE_DOMAINS];
	int event_fd[2];
	bool domain_event;
};

extern struct xs store;
extern struct options options;
extern struct fake_host fake;
extern char run_dir[64];

int store_setup(void **state);
int store_teardown(void **state);
/** Open the files and start: recovers what is there. */
void store_start(void);
/** Forget all memory, as a killed daemon does. Sockets and rings live on. */
void store_lose(void);
void store_restart(void);
/** Turn the main loop until nothing is ready any more. */
void store_run(void);

/* A client: a socket, or domid's ring. */
struct client {
	int fd;
	uint16_t domid; /* 0: socket */
	uint32_t next_id;
	char in[65536];
	size_t in_bytes;
	char last[XENSTORE_PAYLOAD_MAX + 1];
	size_t last_bytes;
	unsigned int event_count;
	char events[256][256]; /* "path token" */
};

struct client *client_socket(void);
/** Introduce a domain and speak over its ring. */
struct client *client_domain(uint16_t domid);
void client_free(struct client *client);
/** Bytes to the daemon, without running it more than needed. */
void client_send(struct client *client, const void *data, size_t bytes);
void client_receive(struct client *client);
/** @return whether a message is complete; events are put aside */
bool client_message(struct client *client, struct xsd_sockmsg *header);
/** A request. @return 0 and the answer in last, or -errno */
int client_call(struct client *client, uint32_t type, uint32_t tx, const void *data, size_t bytes);
/** Strings one after another, each with its '\0', up to NULL. */
int client_strings(struct client *client, uint32_t type, uint32_t tx, ...);
int client_write(struct client *client, uint32_t tx, const char *path, const char *value);
/** The value, or "-ENOENT" and so on. */
const char *client_read(struct client *client, uint32_t tx, const char *path);
uint32_t client_tx(struct client *client);
int client_end(struct client *client, uint32_t tx, bool commit);
/** All events so far, "path token;...", which are then forgotten. */
const char *client_events(struct client *client);

/** The whole state as text: nodes, permissions, watches, domains. malloc'ed */
char *store_describe(void);

#endif
