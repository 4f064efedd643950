/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bitmaps: arrays of unsigned long, bit 0 the lowest of word 0. Nothing here is atomic: the caller's lock protects the map.
 * "nbits" is the size of the map; bits past it in the last word are ignored by readers.
 */
#ifndef HV_BITMAP_H
#define HV_BITMAP_H

#include <hv/compiler.h>
#include <hv/types.h>

#define BITS_PER_LONG 64U
#define BITMAP_WORDS(nbits) (((nbits) + BITS_PER_LONG - 1) / BITS_PER_LONG)
#define BITMAP_DECLARE(name, nbits) unsigned long name[BITMAP_WORDS(nbits)]

static inline unsigned long bitmap_mask(size_t bit)
{
	return 1UL << (bit % BITS_PER_LONG);
}

static inline bool bitmap_test(const unsigned long *map, size_t bit)
{
	return (map[bit / BITS_PER_LONG] & bitmap_mask(bit)) != 0;
}

static inline void bitmap_set(unsigned long *map, size_t bit)
{
	map[bit / BITS_PER_LONG] |= bitmap_mask(bit);
}

static inline void bitmap_clear(unsigned long *map, size_t bit)
{
	map[bit / BITS_PER_LONG] &= ~bitmap_mask(bit);
}

static inline void bitmap_assign(unsigned long *map, size_t bit, bool value)
{
	if (value)
		bitmap_set(map, bit);
	else
		bitmap_clear(map, bit);
}

static inline bool bitmap_test_and_set(unsigned long *map, size_t bit)
{
	bool was = bitmap_test(map, bit);

	bitmap_set(map, bit);
	return was;
}

static inline bool bitmap_test_and_clear(unsigned long *map, size_t bit)
{
	bool was = bitmap_test(map, bit);

	bitmap_clear(map, bit);
	return was;
}

static inline void bitmap_zero(unsigned long *map, size_t nbits)
{
	for (size_t i = 0; i < BITMAP_WORDS(nbits); i++)
		map[i] = 0;
}

/* Sets bits 0 to nbits - 1 and clears the rest of the last word. */
static inline void bitmap_fill(unsigned long *map, size_t nbits)
{
	for (size_t i = 0; i < nbits / BITS_PER_LONG; i++)
		map[i] = ~0UL;
	if (nbits % BITS_PER_LONG != 0)
		map[nbits / BITS_PER_LONG] = bitmap_mask(nbits) - 1;
}

/* The first bit at or after "from" that is set (or clear); nbits if there is none. */
size_t bitmap_find_set(const unsigned long *map, size_t nbits, size_t from);
size_t bitmap_find_clear(const unsigned long *map, size_t nbits, size_t from);

#define bitmap_for_each_set(bit, map, nbits) \
	for ((bit) = bitmap_find_set((map), (nbits), 0); (bit) < (nbits); \
	     (bit) = bitmap_find_set((map), (nbits), (bit) + 1))

#endif
