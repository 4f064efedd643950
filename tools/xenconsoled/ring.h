/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Our side of the two byte rings in a guest's console page (<xen/io/console.h>). The guest may write anything into the page at
 * any time: its indices are read once and checked, and our own are kept here.
 */
#ifndef XENCONSOLED_RING_H
#define XENCONSOLED_RING_H

#include <stddef.h>
#include <stdint.h>
#include <xen/io/console.h>

struct ring {
	struct xencons_interface *shared; /* NULL: not connected */
	uint32_t out_cons, in_prod;
	uint64_t resets; /* how often the guest's index made no sense, and what it had printed was given up */
};

/** Begin where the page says that the last reader stopped. */
void ring_attach(struct ring *ring, struct xencons_interface *shared);

/** Copy what the guest has printed and nobody consumed. @return how many bytes, at most room; 0 also without a page */
size_t ring_peek(struct ring *ring, void *buffer, size_t room);

/** Tell the guest that this many of the bytes of ring_peek may be overwritten. */
void ring_consume(struct ring *ring, size_t bytes);

/** Room for what is typed. */
size_t ring_space(const struct ring *ring);

/** Give the guest what was typed. @return how many bytes it had room for */
size_t ring_put(struct ring *ring, const void *typed, size_t bytes);

#endif
