/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is written down about connections: a file on tmpfs that is mapped for good. It outlives the worker, however that
 * dies, because a store to mapped memory is done when the next instruction runs. So each step that must not be half done is
 * made by one store, and what comes before it is invisible without it.
 *
 * A connection's streams are counted in bytes modulo 2^32: `fetched` is what was taken from the peer into the input buffer,
 * the low half of `done` what of that was answered, the high half of `done` what was put into the output buffer, `sent` what
 * of that was given to the peer. For the ring of a domain these are the indices in the shared page.
 */
#ifndef XENSTORED_SLOTS_H
#define XENSTORED_SLOTS_H

#include <stdatomic.h>

#include "util.h"

#define SLOT_COUNT	8192u
#define SLOT_IN_BYTES	8192u
#define SLOT_OUT_BYTES	65536u /* of sockets and dom0 */
#define SLOT_GUEST_BYTES 16384u /* of other domains */

struct slot {
	_Atomic uint64_t done;
	_Atomic uint32_t fetched;
	_Atomic uint32_t sent;
	_Atomic uint32_t overflow; /* events were left out: after a restart all watches fire */
	uint32_t pad[11];
};

/* The one transfer over a socket that may be under way when the worker dies. */
struct inflight {
	_Atomic uint32_t active; /* INFLIGHT_* */
	uint32_t slot;
	uint32_t position; /* of the stream before it */
	uint32_t bytes; /* at most */
	uint64_t counter; /* rchar or wchar of the process before it */
};
#define INFLIGHT_READ  1u
#define INFLIGHT_WRITE 2u

#define COUNTERS_NONE	 0u
#define COUNTERS_KNOWN	 1u
#define COUNTERS_UNKNOWN 2u

struct slots_head {
	uint64_t magic;
	uint64_t identity; /* of the journal that goes with it */
	struct inflight inflight;
	/* Of the worker that died, if the supervisor could see them. */
	_Atomic uint32_t counters; /* COUNTERS_* */
	uint64_t read_total, write_total;
	_Atomic uint32_t current; /* slot + 1 whose request is being carried out */
	uint32_t suspect; /* current at the last crash */
	uint32_t suspect_count; /* crashes in a row with it */
	_Atomic uint32_t worker_ready;
	uint32_t worker_starts;
};

struct slots {
	int fd;
	char *map;
	size_t map_bytes;
	struct slots_head *head;
	struct slot *slot; /* SLOT_COUNT of them */
	uint64_t used[SLOT_COUNT / 64];
};

/** Open or create the file. @return 0 or -errno */
int slots_open(struct slots *slots, const char *path);
void slots_close(struct slots *slots);

/** Lowest free slot with its memory there, or -ENOSPC. */
int slot_allocate(struct slots *slots, size_t out_bytes);
/** Take this slot (when the journal is read). */
void slot_take(struct slots *slots, uint32_t index);
void slot_free(struct slots *slots, uint32_t index);

char *slot_in(const struct slots *slots, uint32_t index);
char *slot_out(const struct slots *slots, uint32_t index);

static inline uint64_t slot_word(uint32_t in_done, uint32_t out_tail)
{
	return in_done | (uint64_t)out_tail << 32;
}

#endif
