/* SPDX-License-Identifier: BSD-2-Clause */
/* Small things: memory, hashes, growing arrays. */
#ifndef XENSTORED_UTIL_H
#define XENSTORED_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)     ((a) < (b) ? (a) : (b))
#define MAX(a, b)     ((a) > (b) ? (a) : (b))

/*
 * Memory, or the daemon ends: what guests can make it use is bounded, so this is the host's shortage, and after a restart
 * the journal has everything.
 */
void *xalloc(size_t bytes) __attribute__((malloc, returns_nonnull)); /* zeroed */
void *xrealloc(void *old, size_t bytes) __attribute__((returns_nonnull));
void *xmemdup(const void *data, size_t bytes) __attribute__((returns_nonnull));
char *xstrndup(const char *text, size_t bytes) __attribute__((returns_nonnull));

/** Make room for one more element of *array. */
void array_grow(void *array, size_t count, size_t *room, size_t element);

#define HASH_START 2166136261u
uint32_t hash_bytes(uint32_t start, const void *data, size_t bytes);

/** Checksum of a journal record. */
uint32_t checksum(const void *data, size_t bytes);

/** A decimal number and nothing else in text. @return false if it is not one or greater than max */
bool number_parse(const char *text, uint64_t max, uint64_t *value);

uint64_t time_ms(void);

/** Make sure that a part of a mapped file has memory behind it. @return 0, or -ENOSPC and so on */
int file_reserve(int fd, uint64_t offset, uint64_t bytes);

#endif
