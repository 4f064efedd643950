/* SPDX-License-Identifier: BSD-2-Clause */
/* Zstandard's entropy codes: FSE and Huffman (RFC 8878, 4.1 and 4.2). */
#include <hv/errno.h>
#include "zstd.h"

#define WEIGHTS_MAX 255         /* the last symbol's weight is not written */
#define WEIGHT_TABLE_BITS_MAX 6
#define SYMBOLS_MAX 256
#define FSE_BITS_MIN 5

/* Index of the highest set bit; v must not be 0. */
static unsigned int high_bit(u32 v)
{
	return 31U - (unsigned int)__builtin_clz(v);
}

bool backward_start(struct backward *b, const u8 *start, size_t size)
{
	if (size == 0 || start[size - 1] == 0)
		return false;
	*b = (struct backward){
		.start = start, .size = size, .left = (s64)(size - 1) * 8 + high_bit(start[size - 1]),
	};
	return true;
}

u64 backward_peek_edge(const struct backward *b, unsigned int n)
{
	s64 at = b->left - (s64)n;
	u64 v = 0;

	for (unsigned int i = 0; i < n; i++) {
		s64 bit = at + i;

		if (bit >= 0)
			v |= (u64)(b->start[bit >> 3] >> (bit & 7) & 1) << i;
	}
	return v;
}

/* A bit stream that is read forwards: n <= 16 bits at bit position at; zeroes behind its end. */
static u32 forward_peek(const struct source *src, size_t at, unsigned int n)
{
	u32 v = 0;

	for (unsigned int i = 0; i < 3; i++)
		if (at / 8 + i < src->left)
			v |= (u32)src->p[at / 8 + i] << (8 * i);
	return v >> (at % 8) & ((1U << n) - 1);
}

/*
 * Reads the probabilities of the symbols; returns their number, or 0 if they are malformed. What is left to distribute bounds
 * each, so small values take a bit less if the range is not a power of two.
 */
static unsigned int probabilities_read(s16 *probs, struct source *src, unsigned int max_symbol, unsigned int *bits,
				       unsigned int max_bits)
{
	unsigned int symbols = 0;
	size_t at = 4;
	u32 left;

	*bits = FSE_BITS_MIN + forward_peek(src, 0, 4);
	if (*bits > max_bits)
		return 0;
	left = 1U << *bits;
	while (left > 0 && symbols <= max_symbol) {
		unsigned int n = high_bit(left + 1) + 1;
		u32 val = forward_peek(src, at, n), low = val & ((1U << (n - 1)) - 1);
		u32 short_count = (1U << n) - 1 - (left + 1);

		if (low < short_count) {
			val = low;
			n--;
		} else if (val >= 1U << (n - 1)) {
			val -= short_count;
		}
		at += n;
		probs[symbols++] = (s16)(val - 1);
		left -= val == 0 ? 1 : val - 1;
		while (val == 1) { /* probability 0: how many more of them follow */
			u32 repeat = forward_peek(src, at, 2);

			at += 2;
			for (u32 i = 0; i < repeat; i++) {
				if (symbols > max_symbol)
					return 0;
				probs[symbols++] = 0;
			}
			if (repeat < 3)
				break;
		}
	}
	if (left != 0 || (at + 7) / 8 > src->left)
		return 0;
	source_take(src, (at + 7) / 8);
	return symbols;
}

void fse_table_build(struct fse_table *t, const s16 *probs, unsigned int symbols, unsigned int bits)
{
	u32 size = 1U << bits, step = (size >> 1) + (size >> 3) + 3, high = size, at = 0;
	u16 next[SYMBOLS_MAX];

	t->bits = (u8)bits;
	t->valid = true;
	/* Symbols rarer than once sit at the end, one state each. */
	for (unsigned int s = 0; s < symbols; s++) {
		next[s] = (u16)(probs[s] == -1 ? 1 : probs[s]);
		if (probs[s] == -1)
			t->entry[--high].symbol = (u8)s;
	}
	for (unsigned int s = 0; s < symbols; s++)
		for (int i = 0; i < probs[s]; i++) {
			t->entry[at].symbol = (u8)s;
			do
				at = (at + step) & (size - 1);
			while (at >= high);
		}
	for (u32 i = 0; i < size; i++) {
		struct fse_entry *e = &t->entry[i];
		u32 state = next[e->symbol]++;

		e->bits = (u8)(bits - high_bit(state));
		e->base = (u16)((state << e->bits) - size);
	}
}

int fse_table_read(struct fse_table *t, struct source *src, unsigned int max_symbol, unsigned int max_bits)
{
	s16 probs[SYMBOLS_MAX];
	unsigned int bits, symbols = probabilities_read(probs, src, max_symbol, &bits, max_bits);

	if (symbols == 0)
		return -EBADMSG;
	fse_table_build(t, probs, symbols, bits);
	return 0;
}

/* Weights coded with FSE by two states that take turns, until the stream is used up. Returns their number, 0 on error. */
static unsigned int weights_fse_read(u8 *weights, struct fse_table *t, struct source src)
{
	struct backward b;
	u32 state[2];
	unsigned int n = 0;

	if (fse_table_read(t, &src, SYMBOLS_MAX - 1, WEIGHT_TABLE_BITS_MAX) != 0 || !backward_start(&b, src.p, src.left))
		return 0;
	state[0] = (u32)backward_read(&b, t->bits);
	state[1] = (u32)backward_read(&b, t->bits);
	if (b.left < 0)
		return 0;
	for (unsigned int turn = 0;; turn ^= 1) {
		const struct fse_entry *e = &t->entry[state[turn]];

		if (n >= WEIGHTS_MAX)
			return 0;
		weights[n++] = e->symbol;
		state[turn] = e->base + (u32)backward_read(&b, e->bits);
		if (b.left < 0) { /* no further state could be read: the other one's symbol is the last */
			if (n >= WEIGHTS_MAX)
				return 0;
			weights[n++] = t->entry[state[turn ^ 1]].symbol;
			return n;
		}
	}
}

/* Reads the weights that are written down, taking them from *src. Returns their number, 0 on error. */
static unsigned int weights_read(u8 *weights, struct fse_table *t, struct source *src)
{
	unsigned int n, bytes;
	const u8 *p;

	if (src->left == 0)
		return 0;
	n = *source_take(src, 1);
	if (n < 128) {
		if (n > src->left)
			return 0;
		return weights_fse_read(weights, t, (struct source){ .p = source_take(src, n), .left = n });
	}
	n -= 127;
	bytes = (n + 1) / 2;
	if (bytes > src->left)
		return 0;
	p = source_take(src, bytes);
	for (unsigned int i = 0; i < n; i++)
		weights[i] = i % 2 == 0 ? p[i / 2] >> 4 : p[i / 2] & 15;
	return n;
}

int zstd_huffman_read(struct zstd_huffman *h, struct fse_table *weights_table, struct source *src)
{
	u8 weights[SYMBOLS_MAX];
	unsigned int n = weights_read(weights, weights_table, src);
	u32 sum = 0, rest, at = 0, bits;

	h->bits = 0;
	if (n == 0)
		return -EBADMSG;
	for (unsigned int i = 0; i < n; i++) {
		if (weights[i] > HUFFMAN_BITS_MAX)
			return -EBADMSG;
		sum += weights[i] == 0 ? 0 : 1U << (weights[i] - 1);
	}
	if (sum == 0)
		return -EBADMSG;
	bits = high_bit(sum) + 1;
	rest = (1U << bits) - sum;
	/* The last symbol takes what is missing, which must be a power of two. */
	if (bits > HUFFMAN_BITS_MAX || (rest & (rest - 1)) != 0)
		return -EBADMSG;
	weights[n++] = (u8)(high_bit(rest) + 1);
	for (u32 weight = 1; weight <= bits; weight++)
		for (unsigned int i = 0; i < n; i++)
			for (u32 k = 0; weights[i] == weight && k < 1U << (weight - 1); k++)
				h->entry[at++] = (struct huffman_entry){ (u8)i, (u8)(bits + 1 - weight) };
	h->bits = (u8)bits;
	return 0;
}

int zstd_huffman_decode(const struct zstd_huffman *h, const u8 *stream, size_t size, u8 *out, size_t len)
{
	struct backward b;

	if (!backward_start(&b, stream, size))
		return -EBADMSG;
	for (size_t i = 0; i < len; i++) {
		struct huffman_entry e = h->entry[backward_peek(&b, h->bits)];

		b.left -= e.bits;
		out[i] = e.symbol;
	}
	return b.left == 0 ? 0 : -EBADMSG;
}
