/* SPDX-License-Identifier: BSD-2-Clause */
/* Nodes by directory and key, and formatted ones. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "argon/reason.h"
#include "internal.h"

static int path_join(char path[STORE_PATH_MAX], const char *dir, const char *key)
{
	int used = key ? snprintf(path, STORE_PATH_MAX, "%s/%s", strcmp(dir, "/") ? dir : "", key) :
			 snprintf(path, STORE_PATH_MAX, "%s", dir);

	return used < STORE_PATH_MAX ? 0 : reason_set(ENAMETOOLONG, "store: path of %d bytes", used);
}

static int path_format_join(char path[STORE_PATH_MAX], const char *format, va_list args)
{
	int used = vsnprintf(path, STORE_PATH_MAX, format, args);

	return used >= 0 && used < STORE_PATH_MAX ? 0 : reason_set(ENAMETOOLONG, "store: path of %d bytes", used);
}

int store_write_at(struct store *store, store_tx_t tx, const char *dir, const char *key, const char *format, ...)
{
	char path[STORE_PATH_MAX], value[XENSTORE_PAYLOAD_MAX];
	int error = path_join(path, dir, key), bytes;
	va_list args;

	if (error)
		return error;
	va_start(args, format);
	bytes = vsnprintf(value, sizeof(value), format, args);
	va_end(args);
	if (bytes < 0 || (size_t)bytes >= sizeof(value))
		return reason_set(E2BIG, "store: %d bytes are too many for %s", bytes, path);
	return store_write(store, tx, path, value, (size_t)bytes);
}

int store_read_at(struct store *store, store_tx_t tx, const char *dir, const char *key, char **value)
{
	char path[STORE_PATH_MAX];
	int error = path_join(path, dir, key);

	return error ? error : store_read(store, tx, path, value, NULL);
}

int store_scan_at(struct store *store, store_tx_t tx, const char *dir, const char *key, const char *format, ...)
{
	va_list args;
	char *value;
	int result = store_read_at(store, tx, dir, key, &value);

	if (result)
		return result;
	va_start(args, format);
	result = vsscanf(value, format, args);
	va_end(args);
	free(value);
	return result < 0 ? 0 : result; /* EOF: an empty value has no conversions */
}

int store_readf(struct store *store, store_tx_t tx, char **value, const char *path_format, ...)
{
	char path[STORE_PATH_MAX];
	va_list args;
	int error;

	va_start(args, path_format);
	error = path_format_join(path, path_format, args);
	va_end(args);
	return error ? error : store_read(store, tx, path, value, NULL);
}

int store_rmf(struct store *store, store_tx_t tx, const char *path_format, ...)
{
	char path[STORE_PATH_MAX];
	va_list args;
	int error;

	va_start(args, path_format);
	error = path_format_join(path, path_format, args);
	va_end(args);
	if (error)
		return error;
	error = store_rm(store, tx, path);
	return error == -ENOENT ? 0 : error;
}
