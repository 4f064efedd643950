/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two processes: the worker is the daemon, the supervisor starts it again when it dies. Both have one table of open files,
 * so the sockets of clients outlive the worker. If the supervisor dies, the worker takes its place and starts a new worker.
 */
#ifndef XENSTORED_SUPERVISOR_H
#define XENSTORED_SUPERVISOR_H

#include "xs.h"

struct daemon {
	struct options options;
	struct slots slots;
	int listen_fd;
	int ready_fd; /* a byte is written there when clients can connect; -1: nobody waits */
	char socket_path[128];
	uint64_t own_files[16]; /* bit by descriptor: those that every worker keeps */
};

/** Run workers until one ends as told. @return the exit status */
int supervise(struct daemon *daemon);

/** The worker. @return its exit status: 0 stopped as told, WORKER_ORPHANED, or another for a failed start */
int worker_run(struct daemon *daemon, int supervisor_pid);
#define WORKER_ORPHANED 100

/** Without a supervisor: run here and now. */
int run_alone(struct daemon *daemon);

/** In the background: from now on nothing of the terminal is used. */
void terminal_leave(struct daemon *daemon);

/** Tell systemd, if it asked to be told. */
void service_notify(const char *state);

#endif
