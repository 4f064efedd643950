/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "wire.h"

struct wire *wire_open(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct wire *wire = calloc(1, sizeof(*wire));

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	wire->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (wire->fd < 0 || connect(wire->fd, (struct sockaddr *)&address, sizeof(address))) {
		perror(path);
		exit(2);
	}
	return wire;
}

void wire_close(struct wire *wire)
{
	close(wire->fd);
	free(wire);
}

uint32_t wire_send(struct wire *wire, uint32_t type, uint32_t tx, const void *data, size_t bytes)
{
	struct xsd_sockmsg header = { .type = type, .req_id = ++wire->next_id, .tx_id = tx, .len = (uint32_t)bytes };
	char message[sizeof(header) + XENSTORE_PAYLOAD_MAX];

	memcpy(message, &header, sizeof(header));
	memcpy(message + sizeof(header), data, bytes);
	if (send(wire->fd, message, sizeof(header) + bytes, MSG_NOSIGNAL) != (ssize_t)(sizeof(header) + bytes)) {
		perror("send");
		exit(2);
	}
	return header.req_id;
}

static bool message_take(struct wire *wire, struct xsd_sockmsg *header)
{
	if (wire->end - wire->start < sizeof(*header))
		return false;
	memcpy(header, wire->in + wire->start, sizeof(*header));
	if (header->len > XENSTORE_PAYLOAD_MAX) {
		fprintf(stderr, "message of %u bytes\n", header->len);
		exit(1);
	}
	if (wire->end - wire->start < sizeof(*header) + header->len)
		return false;
	memcpy(wire->answer, wire->in + wire->start + sizeof(*header), header->len);
	wire->answer[header->len] = '\0';
	wire->answer_bytes = header->len;
	wire->start += sizeof(*header) + header->len;
	return true;
}

static void receive(struct wire *wire)
{
	ssize_t bytes;

	memmove(wire->in, wire->in + wire->start, wire->end - wire->start);
	wire->end -= wire->start;
	wire->start = 0;
	bytes = recv(wire->fd, wire->in + wire->end, sizeof(wire->in) - wire->end, 0);
	if (bytes <= 0) {
		fprintf(stderr, "connection ended\n");
		exit(1);
	}
	wire->end += (size_t)bytes;
}

static void event_keep(struct wire *wire)
{
	const char *token = wire->answer + strlen(wire->answer) + 1;

	snprintf(wire->events[wire->event_count++ % 64], 512, "%.250s %.250s;", wire->answer, token);
}

static int error_number(const char *name)
{
	for (size_t i = 0; i < sizeof(xsd_errors) / sizeof(xsd_errors[0]); i++)
		if (!strcmp(name, xsd_errors[i].errstring))
			return -xsd_errors[i].errnum;
	return -EPROTO;
}

int wire_answer(struct wire *wire, uint32_t id)
{
	struct xsd_sockmsg header;

	for (;;) {
		while (!message_take(wire, &header))
			receive(wire);
		if (header.type == XS_WATCH_EVENT) {
			event_keep(wire);
			continue;
		}
		if (header.req_id != id) {
			fprintf(stderr, "answer %u to request %u\n", header.req_id, id);
			exit(1);
		}
		return header.type == XS_ERROR ? error_number(wire->answer) : 0;
	}
}

int wire_call(struct wire *wire, uint32_t type, uint32_t tx, const void *data, size_t bytes)
{
	return wire_answer(wire, wire_send(wire, type, tx, data, bytes));
}

int wire_strings(struct wire *wire, uint32_t type, uint32_t tx, ...)
{
	char data[XENSTORE_PAYLOAD_MAX];
	const char *text;
	size_t used = 0;
	va_list args;

	va_start(args, tx);
	while ((text = va_arg(args, const char *))) {
		memcpy(data + used, text, strlen(text) + 1);
		used += strlen(text) + 1;
	}
	va_end(args);
	return wire_call(wire, type, tx, data, used);
}

int wire_write(struct wire *wire, uint32_t tx, const char *path, const char *value)
{
	char data[XENSTORE_PAYLOAD_MAX + 1];
	int bytes = snprintf(data, sizeof(data), "%s%c%s", path, 0, value);

	return wire_call(wire, XS_WRITE, tx, data, (size_t)bytes);
}

const char *wire_events(struct wire *wire, unsigned int least)
{
	static char text[32768];
	struct xsd_sockmsg header;
	struct pollfd poll_fd = { .fd = wire->fd, .events = POLLIN };
	size_t used = 0;

	for (;;) {
		while (message_take(wire, &header))
			if (header.type == XS_WATCH_EVENT)
				event_keep(wire);
		/* What must come may take its time; what must not come, we cannot wait for ever. */
		if (poll(&poll_fd, 1, wire->event_count < least ? 5000 : 20) <= 0)
			break;
		receive(wire);
	}
	text[0] = '\0';
	for (unsigned int i = 0; i < wire->event_count && i < 64; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s", wire->events[i]);
	wire->event_count = 0;
	return text;
}
