/* SPDX-License-Identifier: BSD-2-Clause */
#include <hv/bitmap.h>

/* flip is 0 to look for set bits, ~0 to look for clear ones. */
static size_t find(const unsigned long *map, size_t nbits, size_t from, unsigned long flip)
{
	size_t word = from / BITS_PER_LONG;
	unsigned long bits;

	if (from >= nbits)
		return nbits;
	bits = (map[word] ^ flip) & ~(bitmap_mask(from) - 1);
	while (bits == 0) {
		if (++word >= BITMAP_WORDS(nbits))
			return nbits;
		bits = map[word] ^ flip;
	}
	return MIN(nbits, word * BITS_PER_LONG + (size_t)__builtin_ctzl(bits));
}

size_t bitmap_find_set(const unsigned long *map, size_t nbits, size_t from)
{
	return find(map, nbits, from, 0);
}

size_t bitmap_find_clear(const unsigned long *map, size_t nbits, size_t from)
{
	return find(map, nbits, from, ~0UL);
}
