/* SPDX-License-Identifier: BSD-2-Clause */
/* The connection: queues, framing, and connecting again. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "argon/reason.h"
#include "internal.h"

#define RECONNECT_MS 5000u

int store_bytes_append(struct bytes *bytes, const void *data, size_t count)
{
	if (bytes->start == bytes->end)
		bytes->start = bytes->end = 0;
	if (bytes->end + count > bytes->room && bytes->start) {
		memmove(bytes->data, bytes->data + bytes->start, bytes->end - bytes->start);
		bytes->end -= bytes->start;
		bytes->start = 0;
	}
	if (bytes->end + count > bytes->room) {
		size_t room = 2 * (bytes->end + count);
		char *grown = realloc(bytes->data, room);

		if (!grown)
			return -ENOMEM;
		bytes->data = grown;
		bytes->room = room;
	}
	memcpy(bytes->data + bytes->end, data, count);
	bytes->end += count;
	return 0;
}

/* A file descriptor for a socket or a device, or -errno. */
static int endpoint_open(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct stat status;
	int fd;

	if (stat(path, &status))
		return -errno;
	if (!S_ISSOCK(status.st_mode)) {
		fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
		return fd < 0 ? -errno : fd;
	}
	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) || fcntl(fd, F_SETFL, O_NONBLOCK)) {
		int error = -errno;

		close(fd);
		return error;
	}
	return fd;
}

static void transactions_lose(struct store *store)
{
	for (struct transaction *t = store->transactions; t; t = t->next)
		t->lost = true;
}

static bool is_of_transaction(const struct request *request)
{
	return request->header.tx_id || request->header.type == XS_TRANSACTION_END;
}

static int request_send(struct store *store, const struct request *request)
{
	return store_bytes_append(&store->out, &request->header, sizeof(request->header) + request->header.len);
}

/* Take the first request out of the list at *link. */
static struct request *request_take(struct store *store, struct request **link)
{
	struct request *request = *link;

	*link = request->next;
	if (store->requests_tail == &request->next)
		store->requests_tail = link;
	store->request_count--;
	return request;
}

static void request_finish(struct request *request, int error, const char *data, size_t bytes)
{
	if (request->done)
		request->done(request->context, error, data, bytes);
	free(request);
}

/* After a new connection: watches first, then what had no answer; what belonged to a transaction fails. */
static void state_restore(struct store *store)
{
	struct request *old = store->requests;

	store->in.start = store->in.end = store->out.start = store->out.end = 0;
	store->requests = NULL;
	store->requests_tail = &store->requests;
	store->request_count = 0;
	transactions_lose(store);
	for (const struct watch *w = store->watches; w; w = w->next) {
		char data[XENSTORE_PAYLOAD_MAX];
		int used = snprintf(data, sizeof(data), "%s%c%s%c", w->path, 0, w->token, 0);

		if (w->depth >= 0)
			used += snprintf(data + used, sizeof(data) - (size_t)used, "%d%c", w->depth, 0);
		store_enqueue(store, XS_WATCH, STORE_NO_TX, data, (size_t)used, NULL, NULL);
	}
	while (old) {
		struct request *request = old;

		old = request->next;
		request->next = NULL;
		if (is_of_transaction(request) || request_send(store, request)) {
			request_finish(request, -EAGAIN, "", 0);
			continue;
		}
		*store->requests_tail = request;
		store->requests_tail = &request->next;
		store->request_count++;
	}
}

static void requests_fail(struct store *store, int error)
{
	while (store->requests)
		request_finish(request_take(store, &store->requests), error, "", 0);
}

/* The connection is gone: get another one or give up. */
static int connection_renew(struct store *store)
{
	const struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };

	for (unsigned int waited = 0; waited < store->reconnect_ms; waited += 20) {
		int fd = endpoint_open(store->path);

		if (fd >= 0) {
			/* Keep the number, which the caller polls. */
			int moved = dup3(fd, store->fd, O_CLOEXEC);

			close(fd);
			if (moved < 0)
				break;
			state_restore(store);
			return 0;
		}
		nanosleep(&pause, NULL);
	}
	store->broken = true;
	transactions_lose(store);
	requests_fail(store, -EPIPE);
	return reason_set(EPIPE, "store: connection to %s lost; is xenstored running?", store->path);
}

static int event_add(struct store *store, const char *data, size_t bytes)
{
	const char *token = memchr(data, 0, bytes);
	struct event *event;

	/* Data has a '\0' behind it, so that token is a string as well. */
	if (!token || token + 1 > data + bytes)
		return -EIO;
	token++;
	event = calloc(1, sizeof(*event));
	if (!event)
		return -ENOMEM;
	event->event.path = strdup(data);
	event->event.token = strdup(token);
	if (!event->event.path || !event->event.token) {
		store_event_free(&event->event);
		free(event);
		return -ENOMEM;
	}
	*store->events_tail = event;
	store->events_tail = &event->next;
	return 0;
}

static int error_number(const char *name, size_t bytes)
{
	for (size_t i = 0; i < sizeof(xsd_errors) / sizeof(xsd_errors[0]); i++)
		if (bytes >= strlen(xsd_errors[i].errstring) && !strcmp(name, xsd_errors[i].errstring))
			return -xsd_errors[i].errnum;
	return -EIO;
}

static int message_handle(struct store *store, const struct xsd_sockmsg *header, const char *data)
{
	if (header->type == XS_WATCH_EVENT)
		return event_add(store, data, header->len);
	for (struct request **link = &store->requests; *link; link = &(*link)->next) {
		if ((*link)->header.req_id != header->req_id)
			continue;
		if (header->type != XS_ERROR && header->type != (*link)->header.type)
			return -EIO;
		request_finish(request_take(store, link), header->type == XS_ERROR ? error_number(data, header->len) : 0, data,
			       header->len);
		return 0;
	}
	return -EIO; /* an answer to nothing */
}

static int messages_handle(struct store *store)
{
	while (store->in.end - store->in.start >= sizeof(struct xsd_sockmsg)) {
		char data[XENSTORE_PAYLOAD_MAX + 1];
		struct xsd_sockmsg header;
		int error;

		memcpy(&header, store->in.data + store->in.start, sizeof(header));
		if (header.len > XENSTORE_PAYLOAD_MAX)
			return -EIO;
		if (store->in.end - store->in.start < sizeof(header) + header.len)
			break;
		memcpy(data, store->in.data + store->in.start + sizeof(header), header.len);
		data[header.len] = '\0';
		store->in.start += sizeof(header) + header.len;
		error = message_handle(store, &header, data);
		if (error)
			return error;
	}
	return 0;
}

static ssize_t out_write(struct store *store)
{
	const char *data = store->out.data + store->out.start;
	size_t bytes = store->out.end - store->out.start;
	ssize_t moved = send(store->fd, data, bytes, MSG_NOSIGNAL);

	return moved < 0 && errno == ENOTSOCK ? write(store->fd, data, bytes) : moved;
}

/* 0, or -errno if the connection must be renewed. */
static int transfer(struct store *store)
{
	char data[8192];
	ssize_t moved;

	while (store->out.start < store->out.end) {
		moved = out_write(store);
		if (moved < 0 && errno == EINTR)
			continue;
		if (moved < 0 && errno == EAGAIN)
			break;
		if (moved < 0)
			return -errno;
		store->out.start += (size_t)moved;
	}
	do {
		int error;

		moved = read(store->fd, data, sizeof(data));
		if (moved < 0 && errno == EINTR)
			continue;
		if (moved < 0)
			return errno == EAGAIN ? 0 : -errno;
		if (!moved)
			return -EPIPE;
		if (store_bytes_append(&store->in, data, (size_t)moved))
			return -ENOMEM;
		error = messages_handle(store);
		if (error)
			return error;
	} while (moved < 0 || moved == sizeof(data));
	return 0;
}

int store_pump(struct store *store, int timeout)
{
	struct pollfd poll_fd = { .fd = store->fd, .events = POLLIN };
	int error;

	if (store->broken)
		return reason_set(EPIPE, "store: connection to %s lost; is xenstored running?", store->path);
	if (store->out.start < store->out.end)
		poll_fd.events |= POLLOUT;
	if (timeout && !(poll_fd.events & POLLOUT) && poll(&poll_fd, 1, timeout) <= 0)
		return 0;
	error = transfer(store);
	if (error)
		return connection_renew(store);
	if (store->out.start < store->out.end && timeout) {
		poll_fd.events = POLLIN | POLLOUT;
		poll(&poll_fd, 1, timeout);
	}
	return 0;
}

struct transaction *store_transaction_find(struct store *store, store_tx_t handle)
{
	for (struct transaction *t = store->transactions; t; t = t->next)
		if (t->handle == handle)
			return t;
	return NULL;
}

int store_enqueue(struct store *store, uint32_t type, store_tx_t tx, const void *data, size_t bytes, store_done *done,
		  void *context)
{
	struct request *request;
	uint32_t id = 0;

	if (bytes > XENSTORE_PAYLOAD_MAX)
		return reason_set(E2BIG, "store: a request of %zu bytes is longer than the protocol's %u", bytes, XENSTORE_PAYLOAD_MAX);
	if (store->broken)
		return reason_set(EPIPE, "store: connection to %s lost; is xenstored running?", store->path);
	if (tx != STORE_NO_TX) {
		const struct transaction *t = store_transaction_find(store, tx);

		if (!t)
			return reason_set(EINVAL, "store: transaction %u does not exist", tx);
		if (t->lost)
			return reason_set(EAGAIN, "store: transaction lost with the connection; start it again");
		id = t->id;
	}
	request = malloc(sizeof(*request) + bytes);
	if (!request)
		return reason_set(ENOMEM, "store: out of memory");
	request->next = NULL;
	request->done = done;
	request->context = context;
	request->header = (struct xsd_sockmsg){ .type = type, .req_id = store->next_request++, .tx_id = id, .len = (uint32_t)bytes };
	memcpy(request->payload, data, bytes);
	if (request_send(store, request)) {
		free(request);
		return reason_set(ENOMEM, "store: out of memory");
	}
	*store->requests_tail = request;
	store->requests_tail = &request->next;
	store->request_count++;
	return 0;
}

int store_open_path(const char *path, struct store **out)
{
	struct store *store;
	int fd = endpoint_open(path);

	if (fd < 0)
		return reason_set(-fd, "store: cannot connect to %s: %s; is xenstored running?", path, strerror(-fd));
	store = calloc(1, sizeof(*store));
	if (store)
		store->path = strdup(path);
	if (!store || !store->path) {
		close(fd);
		free(store);
		return reason_set(ENOMEM, "store: out of memory");
	}
	store->fd = fd;
	store->next_request = 1;
	store->next_tx = 1;
	store->reconnect_ms = RECONNECT_MS;
	store->requests_tail = &store->requests;
	store->events_tail = &store->events;
	*out = store;
	return 0;
}

int store_open(struct store **out)
{
	static const char *const places[] = { "/run/xenstored/socket", "/dev/xen/xenbus", "/proc/xen/xenbus" };
	const char *chosen = getenv("XENSTORED_PATH");
	int error = -ENOENT;

	if (chosen)
		return store_open_path(chosen, out);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int result = store_open_path(places[i], out);

		if (!result)
			return 0;
		if (result != -ENOENT && error == -ENOENT)
			error = result;
	}
	return reason_set(-error, "store: cannot connect to xenstored (%s): start it, or see whether this is a Xen dom0",
			  strerror(-error));
}

void store_close(struct store *store)
{
	if (!store)
		return;
	store->broken = true;
	requests_fail(store, -EPIPE);
	while (store->watches) {
		struct watch *watch = store->watches;

		store->watches = watch->next;
		free(watch->path);
		free(watch->token);
		free(watch);
	}
	while (store->transactions) {
		struct transaction *t = store->transactions;

		store->transactions = t->next;
		free(t);
	}
	store_events_drop(store, NULL, NULL);
	close(store->fd);
	free(store->in.data);
	free(store->out.data);
	free(store->path);
	free(store);
}

void store_reconnect_limit(struct store *store, unsigned int milliseconds)
{
	store->reconnect_ms = milliseconds;
}

int store_fd(const struct store *store)
{
	return store->fd;
}
