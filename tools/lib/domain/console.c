/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <argon/console.h>
#include <argon/reason.h>
#include <argon/store.h>

#define DAEMON_SOCKET "/run/argon/console.sock"
#define ESCAPE_DEFAULT ('\x1d') /* Ctrl-] */
#define RETRY_MS 100
#define PATIENCE_MS 500

enum session_end { END_DETACHED, END_LOST, END_ERROR };

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Through the daemon's socket. @return fd, or a negative errno: there is no such daemon, or it does not know the domain */
static int socket_attach(uint32_t domid)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = DAEMON_SOCKET };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct timeval limit = { .tv_sec = 5 };
	char line[64];
	size_t n = 0;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) || dprintf(fd, "attach %u\n", domid) < 0) {
		close(fd);
		return -ECONNREFUSED;
	}
	while (n < sizeof(line) - 1 && recv(fd, line + n, 1, 0) == 1 && line[n] != '\n')
		n++;
	if (n == 2 && memcmp(line, "ok\n", 3) == 0)
		return fd;
	close(fd);
	return -ENOENT;
}

static int pty_path(struct store *store, uint32_t domid, const struct console_options *o, char **path)
{
	char key[64];

	if (o->number)
		snprintf(key, sizeof(key), "device/console/%u/tty", o->number);
	else
		snprintf(key, sizeof(key), o->serial ? "serial/0/tty" : "console/tty");
	return store_readf(store, STORE_NO_TX, path, "/local/domain/%u/%s", domid, key);
}

/* Through the pty that the store names: any daemon has it. */
static int pty_attach(struct store *store, uint32_t domid, const struct console_options *o)
{
	struct termios raw;
	char *path = NULL;
	int fd, error = pty_path(store, domid, o, &path);

	if (error)
		return error;
	fd = *path ? open(path, O_RDWR | O_NOCTTY | O_CLOEXEC) : -1;
	error = *path ? -errno : -ENOENT;
	free(path);
	if (fd < 0)
		return error;
	if (tcgetattr(fd, &raw) == 0) {
		cfmakeraw(&raw);
		tcsetattr(fd, TCSANOW, &raw);
	}
	return fd;
}

static int session_open(struct store *store, uint32_t domid, const struct console_options *o)
{
	int fd = o->number || o->serial ? -ENOENT : socket_attach(domid);

	/* A daemon of ours that does not know the console yet will; its pty is not to be preferred then. */
	return fd == -ECONNREFUSED || o->number || o->serial ? pty_attach(store, domid, o) : fd;
}

/* @param patience how long to wait for room, in ms; -1: for ever */
static int all_write(int fd, const char *bytes, size_t count, int patience)
{
	while (count) {
		ssize_t n = send(fd, bytes, count, MSG_NOSIGNAL);

		if (n < 0 && errno == ENOTSOCK)
			n = write(fd, bytes, count);
		if (n < 0 && errno == EAGAIN) {
			struct pollfd p = { .fd = fd, .events = POLLOUT };

			if (poll(&p, 1, patience) == 0)
				return -EAGAIN;
		} else if (n < 0 && errno != EINTR) {
			return -errno;
		}
		if (n > 0) {
			bytes += n;
			count -= (size_t)n;
		}
	}
	return 0;
}

/* @return 1 when there may be more, 0 at the end, or a negative errno of the destination */
static int output_copy(int from, int to)
{
	char buffer[4096];
	ssize_t n = read(from, buffer, sizeof(buffer));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 1;
	if (n <= 0)
		return 0;
	n = all_write(to, buffer, (size_t)n, -1);
	return n ? (int)n : 1;
}

/* @return as output_copy; 0 also for the escape character */
static int keys_copy(int from, int to, char escape)
{
	char buffer[1024], *stop;
	ssize_t n = read(from, buffer, sizeof(buffer));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 1;
	if (n <= 0)
		return 0;
	stop = memchr(buffer, escape, (size_t)n);
	if (stop)
		n = stop - buffer;
	/* What a guest does not read is lost; else nobody could detach from one that hangs. */
	all_write(to, buffer, (size_t)n, PATIENCE_MS);
	return stop ? 0 : 1;
}

static enum session_end session_run(int fd, const struct console_options *o, int *error)
{
	struct pollfd fds[] = { { .fd = fd, .events = POLLIN }, { .fd = o->in_fd, .events = POLLIN } };
	char escape = o->escape ? o->escape : ESCAPE_DEFAULT;

	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR) {
			*error = reason_set(errno, "console: poll: %s", strerror(errno));
			return END_ERROR;
		}
		if (fds[0].revents) {
			int more = output_copy(fd, o->out_fd);

			if (more < 0) {
				*error = reason_set(-more, "cannot write what the console says: %s", strerror(-more));
				return END_ERROR;
			}
			if (!more)
				return END_LOST;
		}
		if (fds[1].revents && keys_copy(o->in_fd, fd, escape) == 0)
			return END_DETACHED;
	}
}

static int domain_exists(struct store *store, uint32_t domid)
{
	char path[64];

	snprintf(path, sizeof(path), "/local/domain/%u", domid);
	return store_exists(store, STORE_NO_TX, path);
}

/* Attach, and attach again when the daemon is replaced. */
static int sessions_run(struct store *store, uint32_t domid, const struct console_options *o)
{
	uint64_t wait = o->wait_ms ? o->wait_ms : 5000, deadline = now_ms() + wait;
	bool been = false;

	for (;;) {
		int fd = session_open(store, domid, o), error = 0;
		enum session_end end;

		if (fd < 0) {
			if (now_ms() < deadline && (!been || domain_exists(store, domid) == 1)) {
				poll(NULL, 0, RETRY_MS);
				continue;
			}
			if (been)
				return 0;
			if (domain_exists(store, domid) == 0)
				return reason_set(ESRCH, "there is no domain %u", domid);
			return reason_set(ENOENT, "domain %u has no console after %u ms; is xenconsoled running?", domid,
					  (unsigned int)wait);
		}
		been = true;
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
		end = session_run(fd, o, &error);
		close(fd);
		if (end == END_DETACHED)
			return 0;
		if (end == END_ERROR)
			return error;
		deadline = now_ms() + wait;
	}
}

int console_attach(uint32_t domid, const struct console_options *options)
{
	struct termios before, raw;
	bool terminal = tcgetattr(options->in_fd, &before) == 0;
	struct store *store;
	int error = store_open(&store);

	if (error)
		return error;
	if (terminal) {
		raw = before;
		cfmakeraw(&raw);
		tcsetattr(options->in_fd, TCSANOW, &raw);
	}
	error = sessions_run(store, domid, options);
	if (terminal)
		tcsetattr(options->in_fd, TCSANOW, &before);
	store_close(store);
	return error;
}
