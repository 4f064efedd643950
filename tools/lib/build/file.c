/* SPDX-License-Identifier: BSD-2-Clause */
/* Whole files into memory, however they are delivered. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "argon/reason.h"
#include "kernel.h"

#define PIECE (1u << 20) /* read ahead of knowing the size */

int pread_exactly(int fd, void *buffer, size_t bytes, uint64_t offset)
{
	char *at = buffer;

	while (bytes) {
		ssize_t got = pread(fd, at, bytes, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : -EIO;
		at += got;
		bytes -= (size_t)got;
		offset += (uint64_t)got;
	}
	return 0;
}

int pwrite_exactly(int fd, const void *buffer, size_t bytes, uint64_t offset)
{
	const char *at = buffer;

	while (bytes) {
		ssize_t put = pwrite(fd, at, bytes, (off_t)offset);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return put < 0 ? -errno : -ENOSPC;
		at += put;
		bytes -= (size_t)put;
		offset += (uint64_t)put;
	}
	return 0;
}

/* Reads up to the end. @param room of the first buffer */
static int read_all(int fd, size_t room, size_t limit, uint8_t **out, size_t *bytes)
{
	uint8_t *data = malloc(room), *more;
	size_t used = 0;
	ssize_t got = data ? 1 : -1;
	int rc = data ? 0 : -ENOMEM;

	while (!rc && got) {
		if (used == room) {
			room = room * 2 < limit ? room * 2 : limit + 1;
			more = used > limit ? NULL : realloc(data, room);
			if (!more) {
				rc = used > limit ? -EFBIG : -ENOMEM;
				break;
			}
			data = more;
		}
		got = read(fd, data + used, room - used);
		if (got < 0 && errno != EINTR)
			rc = -errno;
		else if (got > 0)
			used += (size_t)got;
	}
	if (!rc && used > limit)
		rc = -EFBIG;
	if (rc) {
		free(data);
		return rc;
	}
	*out = data;
	*bytes = used;
	return 0;
}

static int failed(const char *path, const char *what, size_t limit, int error)
{
	switch (error) {
	case ENOENT:
		return reason_set(error, "%s %s does not exist", what, path);
	case EISDIR:
		return reason_set(error, "%s %s is a directory", what, path);
	case EFBIG:
		return reason_set(error, "%s %s is larger than %zu MiB", what, path, limit >> 20);
	default:
		return reason_set(error, "%s %s cannot be read: %s", what, path, strerror(error));
	}
}

int file_read(const char *path, const char *what, size_t limit, uint8_t **out, size_t *bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;
	size_t room = PIECE;
	struct stat st;

	if (fd < 0)
		return failed(path, what, limit, errno);
	/* One byte more than the size, so that the end is seen without another buffer. */
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size >= 0 && (uint64_t)st.st_size < limit)
		room = (size_t)st.st_size + 1;
	rc = read_all(fd, room, limit, out, bytes);
	close(fd);
	return rc ? failed(path, what, limit, -rc) : 0;
}
