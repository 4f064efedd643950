/* SPDX-License-Identifier: BSD-2-Clause */
/* Log files: append, time stamps at the beginnings of lines, rotation by opening anew, patience with a full disk. */
#ifndef XENCONSOLED_LOG_H
#define XENCONSOLED_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_PIECE 512

struct log {
	char *path;
	int fd; /* -1: could not be opened; tried again with each write */
	bool timestamps, replace_escape;
	bool in_line; /* the last byte was not a newline */
};

/** Opens path (a copy of it is kept) for appending; when that fails, log_write tries again. */
void log_open(struct log *log, const char *path, bool timestamps, bool replace_escape);
void log_close(struct log *log);

/** Open the file of this name again: somebody moved the old one away. */
void log_reopen(struct log *log);

/**
 * Append, all or nothing: at most LOG_PIECE bytes.
 * @return 0, or a negative errno when nothing was written, to be tried again later
 */
int log_write(struct log *log, const char *bytes, size_t count);

#endif
