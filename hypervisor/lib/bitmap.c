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

size_t bitmap_find_set_wrap(const unsigned long *map, size_t nbits, size_t from)
{
	size_t bit = find(map, nbits, from, 0);

	return bit < nbits ? bit : find(map, nbits, 0, 0);
}

/* Word i of the map without what lies past its end. */
static unsigned long word_get(const unsigned long *map, size_t nbits, size_t i)
{
	if (i == nbits / BITS_PER_LONG)
		return map[i] & (bitmap_mask(nbits) - 1);
	return map[i];
}

static unsigned int word_weight(unsigned long w)
{
	w -= w >> 1 & 0x5555555555555555UL;
	w = (w & 0x3333333333333333UL) + (w >> 2 & 0x3333333333333333UL);
	w = (w + (w >> 4)) & 0x0f0f0f0f0f0f0f0fUL;
	return (unsigned int)(w * 0x0101010101010101UL >> 56);
}

size_t bitmap_weight(const unsigned long *map, size_t nbits)
{
	size_t n = 0;

	for (size_t i = 0; i < BITMAP_WORDS(nbits); i++)
		n += word_weight(word_get(map, nbits, i));
	return n;
}

bool bitmap_empty(const unsigned long *map, size_t nbits)
{
	return bitmap_find_set(map, nbits, 0) == nbits;
}

bool bitmap_full(const unsigned long *map, size_t nbits)
{
	return bitmap_find_clear(map, nbits, 0) == nbits;
}

bool bitmap_equal(const unsigned long *a, const unsigned long *b, size_t nbits)
{
	for (size_t i = 0; i < BITMAP_WORDS(nbits); i++)
		if (word_get(a, nbits, i) != word_get(b, nbits, i))
			return false;
	return true;
}

bool bitmap_intersects(const unsigned long *a, const unsigned long *b, size_t nbits)
{
	for (size_t i = 0; i < BITMAP_WORDS(nbits); i++)
		if ((word_get(a, nbits, i) & word_get(b, nbits, i)) != 0)
			return true;
	return false;
}

bool bitmap_subset(const unsigned long *a, const unsigned long *b, size_t nbits)
{
	for (size_t i = 0; i < BITMAP_WORDS(nbits); i++)
		if ((word_get(a, nbits, i) & ~word_get(b, nbits, i)) != 0)
			return false;
	return true;
}

size_t bitmap_find_clear_run(const unsigned long *map, size_t nbits, size_t from, size_t n, size_t align)
{
	size_t start = from, end;

	if (n == 0 || n > nbits)
		return nbits;
	for (;;) {
		start = bitmap_find_clear(map, nbits, start);
		start = ROUND_UP(start, align);
		if (start > nbits - n)
			return nbits;
		end = bitmap_find_set(map, nbits, start);
		if (end - start >= n)
			return start;
		start = end;
	}
}
