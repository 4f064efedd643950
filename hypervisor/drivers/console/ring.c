/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console ring. Indices count bytes since boot modulo 2^32; the ring's size is a power of two, so index & (size - 1) is the
 * place of a byte. "end" is the next byte written; the oldest kept is max(0, end - size). Guarded by the console lock.
 */
#include <hv/log.h>
#include <hv/string.h>
#include "internal.h"

#define EARLY_RING_SIZE 16384U
#define RING_SIZE_MAX (64UL << 20)

static char early_ring[EARLY_RING_SIZE];
static char *ring = early_ring;
static u32 ring_size = EARLY_RING_SIZE;
static u32 ring_end;
static u32 ring_kept;   /* bytes in the ring, at most ring_size */
static void (*ring_watcher)(void); /* set at boot by one CPU */
static u32 ring_shown;  /* where readers that are not incremental begin, if it is still in the ring */

void ring_write(const char *text, size_t len)
{
	if (len > ring_size) { /* only the last part would stay anyhow */
		ring_end += (u32)(len - ring_size);
		text += len - ring_size;
		len = ring_size;
	}
	for (size_t done = 0; done < len;) {
		u32 at = ring_end & (ring_size - 1);
		size_t n = MIN(len - done, (size_t)(ring_size - at));

		memcpy(ring + at, text + done, n);
		ring_end += (u32)n;
		done += n;
	}
	ring_kept = (u32)MIN((size_t)ring_kept + len, (size_t)ring_size);
	if (ring_watcher)
		ring_watcher();
}

void console_ring_watcher_set(void (*fn)(void))
{
	ring_watcher = fn;
}

/* An index that is in the ring: clamped to the oldest byte if it is older, or was never written. */
static u32 ring_clamp(u32 index)
{
	return ring_end - index > ring_kept ? ring_end - ring_kept : index;
}

u32 ring_start(void)
{
	return ring_clamp(ring_shown);
}

size_t ring_read(u32 *index, char *dst, size_t cap)
{
	u32 from = ring_clamp(*index);
	size_t len = MIN(cap, (size_t)(ring_end - from));

	for (size_t done = 0; done < len;) {
		u32 at = (from + (u32)done) & (ring_size - 1);
		size_t n = MIN(len - done, (size_t)(ring_size - at));

		memcpy(dst + done, ring + at, n);
		done += n;
	}
	*index = from + (u32)len;
	return len;
}

size_t console_ring_read(u32 *index, char *dst, size_t cap)
{
	bool locked = console_lock();
	size_t len = ring_read(index, dst, cap);

	console_unlock(locked);
	return len;
}

u32 console_ring_start(void)
{
	bool locked = console_lock();
	u32 start = ring_start();

	console_unlock(locked);
	return start;
}

void console_ring_clear(u32 index)
{
	bool locked = console_lock();

	ring_shown = ring_clamp(index);
	console_unlock(locked);
}

size_t console_ring_size_wanted(void)
{
	size_t size = EARLY_RING_SIZE;

	while (size < console_ring_option && size < RING_SIZE_MAX)
		size *= 2;
	return size;
}

void console_ring_move(char *memory, size_t size)
{
	bool locked = console_lock();
	u32 kept = (u32)MIN((size_t)ring_kept, size);
	u32 index = ring_end - kept;

	BUG_ON(size == 0 || size > RING_SIZE_MAX || (size & (size - 1)) != 0);
	for (u32 left = kept; left > 0;) {
		u32 at = index & ((u32)size - 1);

		left -= (u32)ring_read(&index, memory + at, MIN((size_t)left, size - at));
	}
	ring = memory;
	ring_size = (u32)size;
	ring_kept = kept;
	console_unlock(locked);
}
