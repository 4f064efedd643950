/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "ring.h"

#define OUT_SIZE sizeof(((struct xencons_interface *)0)->out)
#define IN_SIZE	 sizeof(((struct xencons_interface *)0)->in)

void ring_attach(struct ring *ring, struct xencons_interface *shared)
{
	ring->shared = shared;
	ring->out_cons = __atomic_load_n(&shared->out_cons, __ATOMIC_RELAXED);
	ring->in_prod = __atomic_load_n(&shared->in_prod, __ATOMIC_RELAXED);
}

size_t ring_peek(struct ring *ring, void *buffer, size_t room)
{
	uint32_t at = ring->out_cons, bytes;
	size_t first;

	if (!ring->shared)
		return 0;
	bytes = __atomic_load_n(&ring->shared->out_prod, __ATOMIC_ACQUIRE) - at;
	if (bytes > OUT_SIZE) {
		ring->resets++;
		ring_consume(ring, bytes);
		return 0;
	}
	if (bytes > room)
		bytes = (uint32_t)room;
	at &= OUT_SIZE - 1;
	first = bytes < OUT_SIZE - at ? bytes : OUT_SIZE - at;
	memcpy(buffer, ring->shared->out + at, first);
	memcpy((char *)buffer + first, ring->shared->out, bytes - first);
	return bytes;
}

void ring_consume(struct ring *ring, size_t bytes)
{
	ring->out_cons += (uint32_t)bytes;
	__atomic_store_n(&ring->shared->out_cons, ring->out_cons, __ATOMIC_RELEASE);
}

size_t ring_space(const struct ring *ring)
{
	uint32_t used;

	if (!ring->shared)
		return 0;
	used = ring->in_prod - __atomic_load_n(&ring->shared->in_cons, __ATOMIC_ACQUIRE);
	return used > IN_SIZE ? 0 : IN_SIZE - used;
}

size_t ring_put(struct ring *ring, const void *typed, size_t bytes)
{
	const char *from = typed;
	size_t space = ring_space(ring);

	if (bytes > space)
		bytes = space;
	for (size_t i = 0; i < bytes; i++)
		ring->shared->in[MASK_XENCONS_IDX(ring->in_prod + (uint32_t)i, ring->shared->in)] = from[i];
	if (bytes) {
		ring->in_prod += (uint32_t)bytes;
		__atomic_store_n(&ring->shared->in_prod, ring->in_prod, __ATOMIC_RELEASE);
	}
	return bytes;
}
