/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "argon/reason.h"
#include "stream.h"

void stream_in_init(struct stream_in *s, int fd)
{
	s->fd = fd;
	s->bytes = 0;
	s->at = s->filled = 0;
}

/* @return bytes read, at least one */
static ssize_t pieces_read(int fd, const struct iovec *pieces, int count)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	for (;;) {
		ssize_t n = readv(fd, pieces, count);

		if (n > 0)
			return n;
		if (n == 0)
			return reason_set(EPIPE, "the stream ends in the middle: the sender died, or the file is cut");
		if (errno == EAGAIN && poll(&p, 1, -1) >= 0)
			continue;
		if (errno != EINTR)
			return reason_set(errno, "reading the stream failed: %s", strerror(errno));
	}
}

int stream_get(struct stream_in *s, void *data, size_t bytes)
{
	uint8_t *to = data;

	s->bytes += bytes;
	while (bytes) {
		size_t here = s->filled - s->at < bytes ? s->filled - s->at : bytes;
		struct iovec pieces[2] = { { to, bytes }, { s->buffer, sizeof(s->buffer) } };
		ssize_t n;

		if (here) {
			memcpy(to, s->buffer + s->at, here);
			s->at += here;
			to += here;
			bytes -= here;
			continue;
		}
		n = pieces_read(s->fd, pieces, 2);
		if (n < 0)
			return (int)n;
		here = (size_t)n < bytes ? (size_t)n : bytes;
		to += here;
		bytes -= here;
		s->at = 0;
		s->filled = (size_t)n - here;
	}
	return 0;
}

int stream_read_exactly(int fd, void *data, size_t bytes)
{
	for (size_t at = 0; at < bytes;) {
		struct iovec piece = { (uint8_t *)data + at, bytes - at };
		ssize_t n = pieces_read(fd, &piece, 1);

		if (n < 0)
			return (int)n;
		at += (size_t)n;
	}
	return 0;
}

int record_get_header(struct stream_in *s, struct record *r)
{
	int rc = stream_get(s, &r->header, sizeof(r->header));

	if (rc)
		return rc;
	if (r->header.bytes > RECORD_BYTES_MAX)
		return reason_set(EMSGSIZE, "the stream has a record (type 0x%x) of %u bytes: it is damaged", r->header.type,
				  r->header.bytes);
	return 0;
}

int record_get_body(struct stream_in *s, struct record *r, size_t bytes)
{
	if (bytes > r->header.bytes)
		return reason_set(EBADMSG, "a record of type 0x%x has %u bytes: it is cut or damaged", r->header.type,
				  r->header.bytes);
	if (bytes > r->room) {
		uint8_t *more = realloc(r->body, bytes);

		if (!more)
			return reason_set(ENOMEM, "no memory for a record of %zu bytes", bytes);
		r->body = more;
		r->room = bytes;
	}
	return stream_get(s, r->body, bytes);
}

int record_get_padding(struct stream_in *s, const struct record *r)
{
	uint8_t padding[8];

	return stream_get(s, padding, -r->header.bytes & 7);
}

void record_free(struct record *r)
{
	free(r->body);
	*r = (struct record){ .body = NULL };
}
