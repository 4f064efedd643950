/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CONSOLE_SOCKET: somebody sends "attach DOMID\n" and gets "ok\n" and from then on the console's bytes, or "error WHY\n".
 * Several may be attached to one guest; each is shown all that the guest prints.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <argon/reason.h>

#include "daemon.h"

#define PENDING_MAX 256

struct pending {
	struct source source;
	struct daemon *daemon;
	char line[32];
	size_t length;
};

static unsigned int pending_count;

static void pending_end(struct pending *p, bool close_fd)
{
	loop_remove(&p->daemon->loop, &p->source);
	if (close_fd)
		close(p->source.fd);
	free(p);
	pending_count--;
}

static void answer(int fd, const char *text)
{
	send(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void line_handle(struct pending *p)
{
	struct daemon *d = p->daemon;
	unsigned int domid;
	struct guest *g;
	int fd = p->source.fd, end = 0;

	if (sscanf(p->line, "attach %u%n", &domid, &end) != 1 || p->line[end]) {
		answer(fd, "error not understood\n");
		pending_end(p, true);
		return;
	}
	g = guest_find(d, domid);
	if (!g || !g->opened) {
		answer(fd, "error no console\n");
		pending_end(p, true);
		return;
	}
	pending_end(p, false);
	answer(fd, "ok\n");
	console_attach_socket(&g->console, fd);
}

static void pending_ready(struct source *source, uint32_t events)
{
	struct pending *p = (struct pending *)source;
	char c;

	/* Byte by byte: what follows the line is for the guest. */
	while (p->length < sizeof(p->line) - 1) {
		ssize_t n = recv(source->fd, &c, 1, MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR) && !(events & (EPOLLERR | EPOLLHUP)))
			return;
		if (n <= 0) {
			pending_end(p, true);
			return;
		}
		if (c == '\n') {
			line_handle(p);
			return;
		}
		p->line[p->length++] = c;
	}
	answer(source->fd, "error line too long\n");
	pending_end(p, true);
}

static void listen_ready(struct source *source, uint32_t events)
{
	struct daemon *d = (struct daemon *)((char *)source - offsetof(struct daemon, listen_source));
	int fd = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct pending *p;

	(void)events;
	if (fd < 0)
		return;
	p = pending_count < PENDING_MAX ? calloc(1, sizeof(*p)) : NULL;
	if (!p) {
		answer(fd, "error too many at once\n");
		close(fd);
		return;
	}
	p->daemon = d;
	p->source = (struct source){ .fd = fd, .ready = pending_ready };
	if (loop_add(&d->loop, &p->source, EPOLLIN)) {
		close(fd);
		free(p);
		return;
	}
	pending_count++;
}

int serve_open(struct daemon *d)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = CONSOLE_SOCKET };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t mask;
	int failed;

	if (fd < 0)
		return -errno;
	unlink(CONSOLE_SOCKET);
	mask = umask(0177);
	failed = bind(fd, (const struct sockaddr *)&address, sizeof(address)) || listen(fd, 64);
	umask(mask);
	if (failed) {
		close(fd);
		return reason_set(errno, "cannot listen on %s: %s", CONSOLE_SOCKET, strerror(errno));
	}
	d->listen_source = (struct source){ .fd = fd, .ready = listen_ready };
	return loop_add(&d->loop, &d->listen_source, EPOLLIN);
}

void serve_close(struct daemon *d)
{
	unlink(CONSOLE_SOCKET);
	close(d->listen_source.fd);
}
