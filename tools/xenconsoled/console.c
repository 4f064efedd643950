/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "console.h"

#define CHUNK 2048

static bool client_is_pty(const struct client *client)
{
	return client == &client->console->pty;
}

static void client_close(struct client *client)
{
	struct console *c = client->console;

	for (struct client **at = &c->clients; *at; at = &(*at)->next) {
		if (*at == client) {
			*at = client->next;
			break;
		}
	}
	loop_remove(c->loop, &client->source);
	close(client->source.fd);
	if (!client_is_pty(client))
		free(client);
}

static void client_want(struct client *client)
{
	struct console *c = client->console;

	loop_change(c->loop, &client->source,
		    (ring_space(&c->ring) ? EPOLLIN : 0) | (client->waiting && client->active ? EPOLLOUT : 0));
}

/* Gives a client what it has not got. @return false when it is gone (a socket then is closed) */
static bool client_send(struct client *client)
{
	struct console *c = client->console;
	char buffer[CHUNK];

	client->waiting = false;
	while (client->active) {
		uint64_t position = client->sent;
		size_t bytes = spool_read(&c->spool, &position, buffer, sizeof(buffer));
		ssize_t n;

		if (!bytes)
			break;
		n = client_is_pty(client) ? write(client->source.fd, buffer, bytes)
					  : send(client->source.fd, buffer, bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			client->waiting = true;
			break;
		}
		if (n < 0 && !client_is_pty(client)) {
			client_close(client);
			return false;
		}
		if (n < 0)
			break;
		client->sent = position - bytes + (size_t)n;
		if (client->sent > c->spool.header->seen)
			c->spool.header->seen = client->sent;
	}
	client_want(client);
	return true;
}

/* What is typed goes to the guest, as far as it has room. @return false when the client is gone */
static bool client_receive(struct client *client)
{
	struct console *c = client->console;
	char buffer[CHUNK];
	size_t room = ring_space(&c->ring);
	ssize_t n;

	if (!room)
		return true;
	n = read(client->source.fd, buffer, room < sizeof(buffer) ? room : sizeof(buffer));
	if (n > 0) {
		ring_put(&c->ring, buffer, (size_t)n);
		c->notify(c->context);
	} else if ((n == 0 || (errno != EAGAIN && errno != EINTR)) && !client_is_pty(client)) {
		client_close(client);
		return false;
	}
	return true;
}

static void client_ready(struct source *source, uint32_t events)
{
	struct client *client = (struct client *)((char *)source - offsetof(struct client, source));
	struct console *c = client->console;

	if ((events & (EPOLLERR | EPOLLHUP)) && !(events & EPOLLIN) && !client_is_pty(client)) {
		client_close(client);
		return;
	}
	if ((events & EPOLLIN) && !client_receive(client))
		return;
	if ((events & EPOLLOUT) && !client_send(client))
		return;
	if (c->keep)
		console_pump(c); /* the guest may have waited for this client */
	client_want(client);
}

static int pty_open(struct console *c)
{
	struct termios raw;
	int master;

	if (openpty(&master, &c->pty_slave, NULL, NULL, NULL))
		return -errno;
	if (tcgetattr(c->pty_slave, &raw) == 0) {
		cfmakeraw(&raw);
		tcsetattr(c->pty_slave, TCSANOW, &raw);
	}
	fcntl(master, F_SETFL, fcntl(master, F_GETFL) | O_NONBLOCK);
	fcntl(master, F_SETFD, FD_CLOEXEC);
	fcntl(c->pty_slave, F_SETFD, FD_CLOEXEC);
	if (ttyname_r(c->pty_slave, c->pty_path, sizeof(c->pty_path)))
		c->pty_path[0] = 0;
	c->pty = (struct client){ .console = c, .source = { .fd = master, .ready = client_ready } };
	if (loop_add(c->loop, &c->pty.source, EPOLLIN)) {
		close(master);
		close(c->pty_slave);
		c->pty_slave = -1;
		return -ENOMEM;
	}
	c->clients = &c->pty;
	return 0;
}

int console_open(struct console *c, struct loop *loop, const char *spool_path, uint32_t port, struct xencons_interface *page)
{
	int error;

	c->loop = loop;
	c->log.fd = c->pty_slave = -1;
	c->clients = NULL;
	c->pty_path[0] = 0;
	ring_attach(&c->ring, page);
	error = spool_open(&c->spool, spool_path, port, c->ring.out_cons);
	if (error)
		return error;
	/* What the last daemon took, but did not live to say so. */
	c->ring.out_cons = spool_ring_position(&c->spool);
	ring_consume(&c->ring, 0);
	pty_open(c);
	c->pty.sent = c->spool.header->seen;
	return 0;
}

void console_close(struct console *c)
{
	while (c->clients)
		client_close(c->clients);
	if (c->pty_slave >= 0)
		close(c->pty_slave);
	c->pty_slave = -1;
	log_close(&c->log);
	spool_close(&c->spool);
	c->ring.shared = NULL;
}

/* Brings the log up to date with the spool. */
static void log_pump(struct console *c)
{
	struct spool_header *h = c->spool.header;
	char buffer[LOG_PIECE];

	if (!c->logging) {
		h->logged = h->taken;
		return;
	}
	while (h->logged < h->taken) {
		uint64_t position = h->logged;
		size_t bytes;

		if (h->lost) {
			bytes = (size_t)snprintf(buffer, sizeof(buffer), "\n[%llu bytes lost: the log could not be written]\n",
						 (unsigned long long)h->lost);
			if (log_write(&c->log, buffer, bytes))
				break;
			h->lost = 0;
		}
		bytes = spool_read(&c->spool, &position, buffer, sizeof(buffer));
		if (log_write(&c->log, buffer, bytes))
			break;
		h->logged = position;
	}
	c->log_failed = h->logged < h->taken;
}

void console_log_open(struct console *c, const char *path, bool timestamps, bool replace_escape)
{
	struct spool_header *h = c->spool.header;
	uint64_t last = h->logged - 1;
	char byte = '\n';

	log_open(&c->log, path, timestamps, replace_escape);
	if (h->logged && h->logged > spool_oldest(&c->spool))
		spool_read(&c->spool, &last, &byte, 1);
	c->log.in_line = byte != '\n';
	c->logging = true;
	log_pump(c);
}

void console_log_retry(struct console *c)
{
	if (c->log_failed)
		log_pump(c);
}

bool console_pump(struct console *c)
{
	char buffer[CHUNK];
	size_t room = sizeof(buffer), bytes;

	if (c->keep) {
		uint64_t unread = c->spool.header->taken - c->spool.header->seen;

		room = unread + room > SPOOL_MAX ? 0 : room;
	}
	bytes = ring_peek(&c->ring, buffer, room);
	if (bytes) {
		/* First the copy that outlives us, then the guest may overwrite it. */
		spool_append(&c->spool, buffer, bytes);
		ring_consume(&c->ring, bytes);
		c->notify(c->context);
		log_pump(c);
	}
	for (struct client *client = c->clients, *next; client; client = next) {
		next = client->next;
		if (client->sent < c->spool.header->taken)
			client_send(client);
		else
			client_want(client);
	}
	return bytes != 0;
}

int console_attach_socket(struct console *c, int fd)
{
	struct client *client = calloc(1, sizeof(*client));

	if (!client) {
		close(fd);
		return -ENOMEM;
	}
	*client = (struct client){
		.console = c, .source = { .fd = fd, .ready = client_ready }, .active = true,
		.sent = c->spool.header->seen, .next = c->clients,
	};
	if (loop_add(c->loop, &client->source, EPOLLIN)) {
		close(fd);
		free(client);
		return -ENOMEM;
	}
	c->clients = client;
	client_send(client);
	return 0;
}

void console_pty_active(struct console *c, bool active)
{
	if (c->pty_slave < 0 || c->pty.active == active)
		return;
	c->pty.active = active;
	if (active)
		c->pty.sent = c->spool.header->seen;
	client_send(&c->pty);
	if (c->keep)
		console_pump(c);
}

bool console_drained(const struct console *c)
{
	int unread = 0;

	for (const struct client *client = c->clients; client; client = client->next) {
		if (client->active && client->sent < c->spool.header->taken)
			return false;
	}
	return !c->pty.active || ioctl(c->pty_slave, FIONREAD, &unread) || unread == 0;
}
