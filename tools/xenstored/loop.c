/* SPDX-License-Identifier: BSD-2-Clause */
/* The daemon's state from its beginning, and its main loop. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xs.h"

#define EVENTS 64

void xs_init(struct xs *xs, const struct options *options, struct host *host)
{
	const struct perm nobody = { .domid = 0, .access = 0 };

	memset(xs, 0, offsetof(struct xs, slots));
	memset((char *)xs + offsetof(struct xs, journal), 0, sizeof(*xs) - offsetof(struct xs, journal));
	xs->options = options;
	xs->host = host;
	xs->root = tree_new(perms_new(&nobody, 1), 0);
	for (unsigned int i = 0; i < SPECIAL_COUNT; i++)
		xs->special[i] = perms_new(&nobody, 1);
	memcpy(xs->quota, options->quota, sizeof(xs->quota));
	accounts_init(&xs->accounts);
	tree_count(xs->root, 1, &xs->accounts.ledger);
	LIST_INIT(&xs->domains);
	LIST_INIT(&xs->touched);
	TAILQ_INIT(&xs->ready);
	xs->epoll_fd = -1;
	memset(xs->slots.used, 0, sizeof(xs->slots.used));
}

static void xs_empty(struct xs *xs)
{
	for (uint32_t slot = 0; slot < SLOT_COUNT; slot++) {
		struct conn *conn = xs->conns[slot];
		struct domain *domain;

		if (!conn)
			continue;
		domain = conn->domain;
		conn->fd = -1; /* stays open */
		if (domain && domain->ring)
			xs->host->ring_unmap(xs->host, domain->domid, domain->ring);
		conn_free(xs, conn);
		free(domain);
	}
	journal_close(&xs->journal);
	watch_points_free(xs);
	tree_put(xs->root);
	for (unsigned int i = 0; i < SPECIAL_COUNT; i++)
		perms_put(xs->special[i]);
	free(xs->accounts.entries);
	free(xs->fires);
	free(xs->words);
}

void xs_destroy(struct xs *xs)
{
	xs_empty(xs);
	if (xs->epoll_fd >= 0)
		close(xs->epoll_fd);
	free(xs->journal_path);
}

/* ---- Start ------------------------------------------------------------------------------------------------------------------------- */

static bool socket_is_here(const struct conn *conn)
{
	struct stat status;

	return conn->fd >= 0 && !fstat(conn->fd, &status) && S_ISSOCK(status.st_mode) && status.st_ino == conn->inode;
}

static void conn_recover(struct xs *xs, struct conn *conn)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = conn->slot };
	struct slot *slot = conn_slot(xs, conn);
	struct watch *watch;

	conn->out_tail = (uint32_t)(slot->done >> 32);
	if (slot->overflow || xs->slots_lost)
		TAILQ_FOREACH(watch, &conn->watches, in_conn) {
			watch->overflowed = true;
			conn->overflow_count++;
		}
	if (conn->domain) {
		if (xs->host)
			domain_connect(xs, conn->domain);
	} else if (!xs->slots_lost && !conn->broken && socket_is_here(conn) &&
		   !epoll_ctl(xs->epoll_fd, EPOLL_CTL_ADD, conn->fd, &event)) {
		conn->poll_events = EPOLLIN;
		conn->readable = true;
		conn_ready(xs, conn);
	} else {
		if (!socket_is_here(conn))
			conn->fd = -1; /* another file has the number */
		socket_end(xs, conn);
	}
}

/* A request at which the worker died three times is not tried again. */
static void suspect_exclude(struct xs *xs)
{
	struct slots_head *head = xs->slots.head;
	struct conn *conn = head->suspect && head->suspect <= SLOT_COUNT ? xs->conns[head->suspect - 1] : NULL;

	atomic_store(&head->current, 0);
	if (!conn || head->suspect_count < 3)
		return;
	log_line("connection %u: its request ends the daemon; closed", conn->slot);
	head->suspect_count = 0;
	if (conn->domain)
		domain_fail(xs, conn->domain, XENSTORE_ERROR_PROTO);
	conn->broken = true;
}

static void own_ring_connect(struct xs *xs)
{
	uint32_t record[2] = { 0 };

	if (!xs->host || xs->options->no_domain_init || domain_find(xs, 0))
		return;
	if (domain_introduce(xs, 0, 0, 0)) {
		log_line("no ring of the kernel here");
		return;
	}
	record[1] = xs->introduced_slot;
	event_commit(xs, RECORD_OWN_RING, record, sizeof(record));
}

static int first_nodes_make(struct xs *xs)
{
	static const char *const paths[] = { "/tool", "/tool/xenstored" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		tree_add(&xs->root, paths[i], perms_get(xs->root->perms), ++xs->generation, &xs->accounts.ledger);
	return state_begin(xs);
}

int xs_start(struct xs *xs)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = POLL_HOST };
	char path[4096];
	int error;

	snprintf(path, sizeof(path), "%s/journal", xs->options->run_dir);
	xs->journal_path = xstrndup(path, strlen(path));
	xs->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (xs->epoll_fd < 0)
		return -errno;
	if (xs->host && epoll_ctl(xs->epoll_fd, EPOLL_CTL_ADD, xs->host->fd, &event))
		return -errno;
	error = xs->options->no_recovery ? -ENOENT : state_recover(xs);
	if (error) {
		if (error != -ENOENT)
			log_line("journal: %s; starting empty", strerror(-error));
		atomic_store(&xs->slots.head->inflight.active, 0);
		atomic_store(&xs->slots.head->counters, COUNTERS_NONE);
		atomic_store(&xs->slots.head->current, 0);
		error = first_nodes_make(xs);
		if (error)
			return error;
	} else {
		socket_inflight_resolve(xs);
		suspect_exclude(xs);
		for (uint32_t slot = 0; slot < SLOT_COUNT; slot++)
			if (xs->conns[slot])
				conn_recover(xs, xs->conns[slot]);
		/* A new journal, lest the next start has more to read. */
		state_compact(xs, !xs->tx_open);
	}
	own_ring_connect(xs);
	if (xs->host)
		domains_check(xs);
	return 0;
}

/* ---- Main loop ------------------------------------------------------------------------------------------------------------------------ */

static void host_ports_handle(struct xs *xs)
{
	uint32_t ports[64];
	int count;

	do {
		count = xs->host->ports_pending(xs->host, ports, ARRAY_SIZE(ports));
		for (int i = 0; i < count; i++) {
			struct domain *domain;

			if (ports[i] == xs->host->domain_port) {
				domains_check(xs);
				continue;
			}
			domain = ports[i] < ARRAY_SIZE(xs->domain_of_port) ? xs->domain_of_port[ports[i]] : NULL;
			if (domain)
				conn_ready(xs, domain->conn);
		}
	} while (count == (int)ARRAY_SIZE(ports));
}

static void signals_handle(struct xs *xs, int signal_fd)
{
	struct signalfd_siginfo info;
	ssize_t bytes;

	while ((bytes = read(signal_fd, &info, sizeof(info))) == (ssize_t)sizeof(info)) {
		xs->read_total += (uint64_t)bytes;
		if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
			xs->stop = true;
		else if (info.ssi_signo == SIGUSR1)
			xs->orphaned = true;
	}
}

static void poll_handle(struct xs *xs, const struct epoll_event *event, int listen_fd, int signal_fd)
{
	struct conn *conn;

	switch (event->data.u32) {
	case POLL_LISTEN:
		socket_accept(xs, listen_fd);
		break;
	case POLL_SIGNAL:
		signals_handle(xs, signal_fd);
		break;
	case POLL_HOST:
		host_ports_handle(xs);
		break;
	default:
		conn = event->data.u32 < SLOT_COUNT ? xs->conns[event->data.u32] : NULL;
		if (!conn || conn->domain)
			break;
		if (event->events & EPOLLIN)
			conn->readable = true;
		/* Gone, with nobody to read answers. */
		if (event->events & (EPOLLHUP | EPOLLERR) && !(event->events & EPOLLIN))
			conn->broken = true;
		conn_ready(xs, conn);
	}
}

/* Others wait while a privileged transaction has another chance. */
static bool is_held(struct xs *xs, const struct conn *conn, uint64_t now)
{
	return xs->hold_for && now < xs->hold_until && !conn_is_privileged(xs, conn);
}

/* Serve everybody who is ready now. @return how many of them are held back */
static uint32_t ready_serve(struct xs *xs)
{
	uint64_t now = xs->hold_for ? time_ms() : 0;
	uint32_t held = 0;
	struct conn *conn;

	if (xs->hold_for && now >= xs->hold_until)
		xs->hold_for = NULL;
	for (uint32_t left = xs->ready_count; left && (conn = TAILQ_FIRST(&xs->ready)); left--) {
		conn_unready(xs, conn);
		if (is_held(xs, conn, now)) {
			conn_ready(xs, conn);
			held++;
		} else {
			conn_service(xs, conn);
		}
	}
	return held;
}

void xs_turn(struct xs *xs, int listen_fd, int signal_fd, int timeout)
{
	struct epoll_event events[EVENTS];
	uint32_t held = ready_serve(xs);
	int count;

	if (xs->ready_count > held)
		timeout = 0;
	else if (held)
		timeout = 5;
	count = epoll_wait(xs->epoll_fd, events, EVENTS, timeout);
	for (int i = 0; i < count; i++)
		poll_handle(xs, &events[i], listen_fd, signal_fd);
	state_compact(xs, false);
}
