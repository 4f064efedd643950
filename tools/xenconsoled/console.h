/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One guest's console without what is Xen about it: ring -> spool -> log and clients, clients -> ring. A client is the pty
 * whose slave side people open (one reader at a time gets each byte) or a socket (each gets all).
 */
#ifndef XENCONSOLED_CONSOLE_H
#define XENCONSOLED_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>

#include "log.h"
#include "loop.h"
#include "ring.h"
#include "spool.h"

struct console;

struct client {
	struct client *next;
	struct console *console;
	struct source source; /* its fd: the pty's master, or a socket */
	uint64_t sent;
	bool active; /* the pty: somebody has its slave side open */
	bool waiting; /* has no room at the moment */
};

struct console {
	struct loop *loop;
	struct ring ring;
	struct spool spool;
	struct log log;
	bool logging; /* to a log at all */
	bool log_failed; /* try again later */
	bool keep; /* the guest waits when nobody reads, instead of losing the oldest */
	struct client *clients; /* sockets and, last, the pty */
	struct client pty;
	int pty_slave; /* held open, so that the pty is there while nobody looks; -1: no pty */
	char pty_path[32];
	/* Tells the guest that its ring was moved. */
	void (*notify)(void *context);
	void *context;
};

/**
 * Make the pty and open the spool. ring.shared is connected by the caller afterwards or before.
 * @param spool_path NULL: in memory
 * @return 0 or a negative errno; without ptys the console lives on with sockets alone
 */
int console_open(struct console *c, struct loop *loop, const char *spool_path, uint32_t port, struct xencons_interface *page);
void console_close(struct console *c);

/** Begin the log; what the spool has and the last log did not get goes there first. */
void console_log_open(struct console *c, const char *path, bool timestamps, bool replace_escape);

/** Move what is there: from the ring to log and clients. Call it when the guest notifies. @return whether there was something */
bool console_pump(struct console *c);

/** Try the log again after a failure. */
void console_log_retry(struct console *c);

/** A socket becomes a client; the console owns it from now on. @return 0 or a negative errno, with fd closed */
int console_attach_socket(struct console *c, int fd);

/** Somebody opened or closed the pty's slave side. */
void console_pty_active(struct console *c, bool active);

/** Nothing is left that a client has not been given. */
bool console_drained(const struct console *c);

#endif
