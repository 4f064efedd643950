/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last 64 KiB that a guest has printed, in a file of /run/argon/console that is mapped shared: what was taken out of the
 * guest's ring outlives this process, so that a daemon started after a kill goes on at the very byte.
 *
 * Positions count bytes since the guest began; the spool holds [spool_oldest, taken).
 */
#ifndef XENCONSOLED_SPOOL_H
#define XENCONSOLED_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPOOL_MAX 65536u /* bytes kept */

struct spool_header {
	uint32_t magic;
	uint32_t port; /* the guest's event channel: whose spool it is */
	uint32_t capacity; /* a power of two, at most SPOOL_MAX */
	uint32_t ring_start; /* out_cons of the ring when taken was 0, modulo 2^32 */
	uint64_t taken; /* bytes taken from the ring */
	uint64_t logged; /* bytes that are in the log, or lost to it */
	uint64_t seen; /* bytes that at least one person has been given */
	uint64_t lost; /* bytes that were overwritten before they were logged */
};

struct spool {
	struct spool_header *header;
	char *data;
	int fd; /* -1: in memory only, because no file could be made */
};

/**
 * Open the spool of a guest, with what an earlier daemon left in it.
 * @param path  NULL: in memory only
 * @param port  the guest's event channel; a file of another port is begun anew
 * @param ring_position  the ring's out_cons; see spool_ring_position
 * @return 0; a file that cannot be made is replaced by memory; -ENOMEM
 */
int spool_open(struct spool *spool, const char *path, uint32_t port, uint32_t ring_position);
void spool_close(struct spool *spool);

/** Where in the ring the next byte is: ahead of the ring's out_cons if the last daemon ended between taking and saying so. */
uint32_t spool_ring_position(const struct spool *spool);

/** Append what the guest printed; the oldest bytes make room. */
void spool_append(struct spool *spool, const void *bytes, size_t count);

uint64_t spool_oldest(const struct spool *spool);

/** Copy from a position on; an overwritten one is moved to the oldest. @return bytes copied, at most room */
size_t spool_read(const struct spool *spool, uint64_t *position, void *buffer, size_t room);

#endif
