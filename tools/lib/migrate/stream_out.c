/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "argon/reason.h"
#include "stream.h"

static const uint8_t zeroes[8];

void stream_out_init(struct stream_out *s, int fd)
{
	s->fd = fd;
	s->bytes = 0;
	s->used = 0;
}

/* Waits until a descriptor that does not block takes more. */
static int writable_wait(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	return poll(&p, 1, -1) < 0 && errno != EINTR ? -errno : 0;
}

/* Steps over what has been written. @return the pieces that are left */
static int pieces_advance(struct iovec **pieces, int count, size_t done)
{
	while (count && done >= (*pieces)->iov_len) {
		done -= (*pieces)->iov_len;
		(*pieces)++;
		count--;
	}
	if (count) {
		(*pieces)->iov_base = (uint8_t *)(*pieces)->iov_base + done;
		(*pieces)->iov_len -= done;
	}
	return count;
}

static int pieces_write(int fd, struct iovec *pieces, int count)
{
	count = pieces_advance(&pieces, count, 0);
	while (count) {
		ssize_t n = writev(fd, pieces, count < IOV_MAX ? count : IOV_MAX);

		if (n >= 0) {
			count = pieces_advance(&pieces, count, (size_t)n);
			continue;
		}
		if (errno == EAGAIN && !writable_wait(fd))
			continue;
		if (errno == EINTR)
			continue;
		return reason_set(errno, "writing the stream failed: %s", strerror(errno));
	}
	return 0;
}

int stream_flush(struct stream_out *s)
{
	struct iovec piece = { s->buffer, s->used };

	s->used = 0;
	return pieces_write(s->fd, &piece, 1);
}

int stream_put(struct stream_out *s, const void *data, size_t bytes)
{
	struct iovec piece = { (void *)(uintptr_t)data, bytes };

	if (bytes > sizeof(s->buffer) - s->used)
		return stream_put_pieces(s, &piece, 1);
	if (bytes)
		memcpy(s->buffer + s->used, data, bytes);
	s->used += bytes;
	s->bytes += bytes;
	return 0;
}

int stream_put_pieces(struct stream_out *s, struct iovec *pieces, int count)
{
	int rc = stream_flush(s);

	for (int i = 0; i < count; i++)
		s->bytes += pieces[i].iov_len;
	return rc ? rc : pieces_write(s->fd, pieces, count);
}

int stream_record(struct stream_out *s, uint32_t type, const void *head, size_t head_bytes, const void *tail, size_t tail_bytes)
{
	struct record_header header = { type, (uint32_t)(head_bytes + tail_bytes) };
	int rc = stream_put(s, &header, sizeof(header));

	if (!rc)
		rc = stream_put(s, head, head_bytes);
	if (!rc)
		rc = stream_put(s, tail, tail_bytes);
	if (!rc)
		rc = stream_put(s, zeroes, -(head_bytes + tail_bytes) & 7);
	return rc;
}
