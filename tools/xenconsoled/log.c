/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

#define STAMP_BYTES 24 /* "[2026-01-31 23:59:59] " */

static void file_open(struct log *log)
{
	log->fd = log->path ? open(log->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640) : -1;
}

void log_open(struct log *log, const char *path, bool timestamps, bool replace_escape)
{
	*log = (struct log){ .path = strdup(path), .timestamps = timestamps, .replace_escape = replace_escape };
	file_open(log);
}

void log_close(struct log *log)
{
	if (log->fd >= 0)
		close(log->fd);
	free(log->path);
	*log = (struct log){ .fd = -1 };
}

void log_reopen(struct log *log)
{
	if (log->fd >= 0)
		close(log->fd);
	file_open(log);
}

/* What a piece looks like in the file. @return its length there */
static size_t piece_format(struct log *log, const char *bytes, size_t count, char *out, bool *in_line)
{
	char stamp[STAMP_BYTES];
	time_t now = time(NULL);
	struct tm tm;
	size_t stamp_bytes = strftime(stamp, sizeof(stamp), "[%Y-%m-%d %H:%M:%S] ", localtime_r(&now, &tm));
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		if (!*in_line && log->timestamps) {
			memcpy(out + n, stamp, stamp_bytes);
			n += stamp_bytes;
		}
		out[n++] = log->replace_escape && bytes[i] == '\033' ? '.' : bytes[i];
		*in_line = bytes[i] != '\n';
	}
	return n;
}

static int piece_write(struct log *log, const char *bytes, size_t count)
{
	char out[LOG_PIECE * (STAMP_BYTES + 1)];
	bool in_line = log->in_line;
	size_t n = piece_format(log, bytes, count, out, &in_line);
	ssize_t written;
	struct stat st;

	do
		written = write(log->fd, out, n);
	while (written < 0 && errno == EINTR);
	if (written < 0)
		return -errno;
	if ((size_t)written < n) {
		/* The disk is full: take the part back, so that it is not there twice when there is room again. */
		if (fstat(log->fd, &st) == 0 && S_ISREG(st.st_mode) && ftruncate(log->fd, st.st_size - written) == 0)
			return -ENOSPC;
	}
	log->in_line = in_line;
	return 0;
}

int log_write(struct log *log, const char *bytes, size_t count)
{
	if (log->fd < 0)
		file_open(log);
	if (log->fd < 0)
		return -errno;
	if (count > LOG_PIECE)
		return -E2BIG;
	return piece_write(log, bytes, count);
}
