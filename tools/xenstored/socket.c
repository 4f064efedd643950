/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clients on sockets. Their files are shared with the supervisor and stay open when the worker dies. Bytes that read() or
 * write() moved in the moment of death are found by the counters that the kernel keeps for the process (slots.h); this is
 * why nothing here reads or writes without counting.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xs.h"

static void inflight_begin(struct xs *xs, const struct conn *conn, uint32_t kind, uint32_t position, uint32_t bytes, uint64_t counter)
{
	struct inflight *inflight = &xs->slots.head->inflight;

	inflight->slot = conn->slot;
	inflight->position = position;
	inflight->bytes = bytes;
	inflight->counter = counter;
	atomic_store(&inflight->active, kind);
}

bool socket_read(struct xs *xs, struct conn *conn)
{
	struct slot *slot = conn_slot(xs, conn);
	uint32_t position = atomic_load(&slot->fetched), offset = position % SLOT_IN_BYTES;
	uint32_t room = MIN(SLOT_IN_BYTES - conn_in_available(xs, conn), SLOT_IN_BYTES - offset);
	ssize_t bytes;

	if (!conn->readable || !room)
		return true;
	inflight_begin(xs, conn, INFLIGHT_READ, position, room, xs->read_total + (xs->host ? xs->host->read_total : 0));
	bytes = read(conn->fd, conn->in + offset, room);
	if (bytes > 0) {
		xs->read_total += (uint64_t)bytes;
		atomic_store(&slot->fetched, position + (uint32_t)bytes);
	}
	atomic_store(&xs->slots.head->inflight.active, 0);
	if (!bytes)
		conn->ended = true;
	if (bytes < 0 && errno != EAGAIN && errno != EINTR)
		return false;
	/* The poll tells when there is more. */
	conn->readable = false;
	return true;
}

bool socket_write(struct xs *xs, struct conn *conn)
{
	struct slot *slot = conn_slot(xs, conn);

	for (;;) {
		uint32_t position = atomic_load(&slot->sent), offset = position % conn->out_bytes;
		uint32_t count = MIN(conn->out_tail - position, conn->out_bytes - offset);
		ssize_t bytes;

		if (!count)
			return true;
		inflight_begin(xs, conn, INFLIGHT_WRITE, position, count, xs->write_total + log_bytes + (xs->host ? xs->host->write_total : 0));
		bytes = write(conn->fd, conn->out + offset, count);
		if (bytes > 0) {
			xs->write_total += (uint64_t)bytes;
			atomic_store(&slot->sent, position + (uint32_t)bytes);
		}
		atomic_store(&xs->slots.head->inflight.active, 0);
		if (bytes < 0)
			return errno == EAGAIN || errno == EINTR;
		if ((uint32_t)bytes < count)
			return true;
	}
}

void socket_poll_update(struct xs *xs, struct conn *conn)
{
	uint32_t events = 0;
	struct epoll_event event = { .data.u32 = conn->slot };

	if (!conn->ended && conn_in_available(xs, conn) < SLOT_IN_BYTES)
		events |= EPOLLIN;
	if (conn->out_tail != atomic_load(&conn_slot(xs, conn)->sent))
		events |= EPOLLOUT;
	if (events == conn->poll_events)
		return;
	event.events = events;
	epoll_ctl(xs->epoll_fd, EPOLL_CTL_MOD, conn->fd, &event);
	conn->poll_events = events;
}

/* Take a socket into service. */
int socket_adopt(struct xs *xs, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct record_socket record;
	struct stat status;
	struct conn *conn;
	int slot;

	if (fstat(fd, &status) || state_reserve(xs))
		return -ENOSPC;
	slot = slot_allocate(&xs->slots, SLOT_OUT_BYTES);
	if (slot < 0)
		return slot;
	conn = conn_new(xs, (uint32_t)slot, 0, true, 0, 0);
	conn->fd = fd;
	conn->inode = status.st_ino;
	conn->poll_events = EPOLLIN;
	event.data.u32 = (uint32_t)slot;
	record = (struct record_socket){ .slot = (uint32_t)slot, .fd = fd, .inode = status.st_ino };
	event_commit(xs, RECORD_SOCKET_OPEN, &record, sizeof(record));
	if (!epoll_ctl(xs->epoll_fd, EPOLL_CTL_ADD, fd, &event))
		return 0;
	socket_end(xs, conn);
	return 0;
}

void socket_accept(struct xs *xs, int listen_fd)
{
	for (unsigned int i = 0; i < 16; i++) {
		int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0)
			return;
		if (socket_adopt(xs, fd)) {
			log_line("no room for another connection");
			close(fd);
		}
	}
}

void socket_end(struct xs *xs, struct conn *conn)
{
	uint32_t slot = conn->slot;

	conn_free(xs, conn);
	event_commit(xs, RECORD_SOCKET_CLOSE, &slot, sizeof(slot));
}

void socket_inflight_resolve(struct xs *xs)
{
	struct slots_head *head = xs->slots.head;
	struct inflight *inflight = &head->inflight;
	uint32_t kind = inflight->active;
	struct conn *conn = kind && inflight->slot < SLOT_COUNT ? xs->conns[inflight->slot] : NULL;

	if (conn && !conn->domain) {
		uint64_t total = kind == INFLIGHT_READ ? head->read_total : head->write_total;
		struct slot *slot = conn_slot(xs, conn);

		/* Without the counters nobody knows: end this connection rather than lose or repeat bytes. */
		if (head->counters != COUNTERS_KNOWN || total < inflight->counter || total - inflight->counter > inflight->bytes)
			conn->broken = true;
		else
			atomic_store(kind == INFLIGHT_READ ? &slot->fetched : &slot->sent,
				     inflight->position + (uint32_t)(total - inflight->counter));
	}
	atomic_store(&inflight->active, 0);
	atomic_store(&head->counters, COUNTERS_NONE);
}
