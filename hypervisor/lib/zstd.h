/* SPDX-License-Identifier: BSD-2-Clause */
/* What the two halves of the Zstandard decoder share: zstd.c (frames, blocks, sequences), zstd_entropy.c (tables, literals). */
#ifndef ZSTD_H
#define ZSTD_H

#include "decompress_internal.h"

#define ZSTD_BLOCK_MAX (128UL * 1024)
#define HUFFMAN_BITS_MAX 11
#define FSE_BITS_MAX 9

/* A finite-state-entropy table: what each state stands for, and how the next state is read. */
struct fse_entry {
	u16 base;
	u8 symbol, bits;
};

struct fse_table {
	u8 bits;                /* accuracy log; 0: one state, as for RLE */
	bool valid;
	struct fse_entry entry[1 << FSE_BITS_MAX];
};

struct huffman_entry {
	u8 symbol, bits;
};

struct zstd_huffman {
	u8 bits;                /* of the longest code; 0: there is no table yet */
	struct huffman_entry entry[1 << HUFFMAN_BITS_MAX];
};

/*
 * A bit stream that is read from its end. "left" counts the bits not yet read; below the beginning there are zeroes, and left
 * becomes negative.
 */
struct backward {
	const u8 *start;
	size_t size;
	s64 left;
};

/* Begins behind the highest set bit of the last byte. False if there is none. */
bool must_check backward_start(struct backward *b, const u8 *start, size_t size);

/* Slow part of backward_peek: near the beginning or the end of the stream. */
u64 backward_peek_edge(const struct backward *b, unsigned int n);

/* The next n bits (0 to 56), without taking them. */
decoder_inline u64 backward_peek(const struct backward *b, unsigned int n)
{
	s64 at = b->left - (s64)n;
	size_t byte = (size_t)at >> 3;

	if (unlikely(at < 0 || byte + 8 > b->size))
		return backward_peek_edge(b, n);
	return get_le64(b->start + byte) >> (at & 7) & ((1UL << n) - 1);
}

decoder_inline u64 backward_read(struct backward *b, unsigned int n)
{
	u64 v = backward_peek(b, n);

	b->left -= n;
	return v;
}

/*
 * Reads the description of a table for symbols 0 to max_symbol and builds it. Takes what it used from *src. -EBADMSG if it is
 * malformed or needs more than max_bits.
 */
int must_check fse_table_read(struct fse_table *t, struct source *src, unsigned int max_symbol, unsigned int max_bits);
/* Builds a table from probabilities; -1 means "less than 1". They must add up to 1 << bits. */
void fse_table_build(struct fse_table *t, const s16 *probs, unsigned int symbols, unsigned int bits);

/* Reads a Huffman tree description, taking it from *src. */
int must_check zstd_huffman_read(struct zstd_huffman *h, struct fse_table *weights_table, struct source *src);
/* Decodes exactly len symbols from all of the stream. */
int must_check zstd_huffman_decode(const struct zstd_huffman *h, const u8 *stream, size_t size, u8 *out, size_t len);

#endif
