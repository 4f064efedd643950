/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "util.h"

void *xalloc(size_t bytes)
{
	void *memory = calloc(1, bytes ? bytes : 1);

	if (!memory)
		abort();
	return memory;
}

void *xrealloc(void *old, size_t bytes)
{
	void *memory = realloc(old, bytes ? bytes : 1);

	if (!memory)
		abort();
	return memory;
}

void *xmemdup(const void *data, size_t bytes)
{
	void *copy = malloc(bytes ? bytes : 1);

	if (!copy)
		abort();
	if (bytes)
		memcpy(copy, data, bytes);
	return copy;
}

char *xstrndup(const char *text, size_t bytes)
{
	char *copy = malloc(bytes + 1);

	if (!copy)
		abort();
	memcpy(copy, text, bytes);
	copy[bytes] = '\0';
	return copy;
}

void array_grow(void *array, size_t count, size_t *room, size_t element)
{
	void **memory = array;

	if (count < *room)
		return;
	*room = MAX(2 * *room, 8u);
	*memory = xrealloc(*memory, *room * element);
}

uint32_t hash_bytes(uint32_t start, const void *data, size_t bytes)
{
	const unsigned char *at = data;

	for (size_t i = 0; i < bytes; i++)
		start = (start ^ at[i]) * 16777619u;
	return start ^ start >> 15;
}

uint32_t checksum(const void *data, size_t bytes)
{
	const char *at = data;
	uint64_t sum = bytes * 0x9e3779b97f4a7c15u;

	for (; bytes >= 8; bytes -= 8, at += 8) {
		uint64_t word;

		memcpy(&word, at, 8);
		sum = (sum ^ word) * 0xff51afd7ed558ccdu;
		sum ^= sum >> 32;
	}
	for (; bytes; bytes--, at++)
		sum = (sum ^ (unsigned char)*at) * 0xff51afd7ed558ccdu;
	return (uint32_t)(sum ^ sum >> 32);
}

bool number_parse(const char *text, uint64_t max, uint64_t *value)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*value = strtoull(text, &end, 10);
	return !errno && !*end && *value <= max;
}

uint64_t time_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int file_reserve(int fd, uint64_t offset, uint64_t bytes)
{
	struct stat status;

	if (!fallocate(fd, 0, (off_t)offset, (off_t)bytes))
		return 0;
	if (errno != EOPNOTSUPP)
		return -errno;
	/* A file system without limits (ramfs) has nothing to reserve: only the length counts. */
	if (fstat(fd, &status) || ((uint64_t)status.st_size < offset + bytes && ftruncate(fd, (off_t)(offset + bytes))))
		return -errno;
	return 0;
}
