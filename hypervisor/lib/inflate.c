/* SPDX-License-Identifier: BSD-2-Clause */
/* DEFLATE (RFC 1951) in gzip's frame (RFC 1952). */
#include <hv/errno.h>
#include <hv/hash.h>
#include "decompress_internal.h"

#define CODE_BITS_MAX 15
#define FAST_BITS 10
#define LITLEN_CODES 288
#define DISTANCE_CODES 30
#define LENGTH_CODES 19
#define END_OF_BLOCK 256

/*
 * A canonical Huffman code. Codes of up to FAST_BITS are looked up by the next bits of the input; longer ones are rare and found
 * by counting: code words of each length are consecutive numbers, and "sorted" has the symbols in that order.
 */
struct huffman {
	u16 fast[1 << FAST_BITS]; /* symbol << 4 | length, 0 if longer or unused */
	u16 count[CODE_BITS_MAX + 1];
	u16 sorted[LITLEN_CODES];
};

struct inflate {
	struct huffman litlen, distance;
	u8 lengths[LITLEN_CODES + 32];
	struct crc32_tables crc32;
};
_Static_assert(sizeof(struct inflate) <= DECOMPRESS_SCRATCH_SIZE, "scratch area");

/* The input as bits, lowest first. Past its end there are zeroes; "missing" counts the bytes of them. */
struct bits {
	struct source *src;
	u64 hold;
	unsigned int held;
	unsigned int missing;
};

/* Makes at least 56 bits available. */
decoder_inline void bits_fill(struct bits *b)
{
	if (b->src->left >= 8) {
		/* Bytes that do not fit entirely are put in again next time. */
		b->hold |= get_le64(b->src->p) << b->held;
		source_take(b->src, (63 - b->held) / 8);
		b->held |= 56;
		return;
	}
	while (b->held < 56) {
		if (b->src->left > 0)
			b->hold |= (u64)*source_take(b->src, 1) << b->held;
		else
			b->missing++;
		b->held += 8;
	}
}

/* n <= 16, and bits_fill was called since 40 bits at most were taken. */
decoder_inline u32 bits_take(struct bits *b, unsigned int n)
{
	u32 v = (u32)b->hold & ((1U << n) - 1);

	b->hold >>= n;
	b->held -= n;
	return v;
}

/* Were more bits used than the input has? */
decoder_inline bool bits_overrun(const struct bits *b)
{
	return b->missing * 8 > b->held;
}

static u32 reverse_bits(u32 code, unsigned int len)
{
	u32 r = 0;

	for (; len > 0; len--, code >>= 1)
		r = r << 1 | (code & 1);
	return r;
}

static void fast_fill(struct huffman *h, u32 code, unsigned int len, u32 symbol)
{
	for (u32 at = reverse_bits(code, len); at < 1 << FAST_BITS; at += 1U << len)
		h->fast[at] = (u16)(symbol << 4 | len);
}

/*
 * Builds the code from its lengths. False if it is over-subscribed, or incomplete and not the one case that is allowed: a
 * single code of one bit.
 */
static bool huffman_build(struct huffman *h, const u8 *lengths, unsigned int n)
{
	u16 next_code[CODE_BITS_MAX + 2], place[CODE_BITS_MAX + 2];
	int left = 1;

	memset(h->fast, 0, sizeof(h->fast));
	memset(h->count, 0, sizeof(h->count));
	for (unsigned int i = 0; i < n; i++)
		h->count[lengths[i]]++;
	h->count[0] = 0;
	next_code[1] = place[1] = 0;
	for (unsigned int len = 1; len <= CODE_BITS_MAX; len++) {
		left = left * 2 - h->count[len];
		if (left < 0)
			return false;
		place[len + 1] = (u16)(place[len] + h->count[len]);
		next_code[len + 1] = (u16)((next_code[len] + h->count[len]) << 1);
	}
	if (left > 0 && !(place[CODE_BITS_MAX + 1] <= 1 && h->count[1] == place[CODE_BITS_MAX + 1]))
		return false;
	for (unsigned int i = 0; i < n; i++) {
		unsigned int len = lengths[i];

		if (len == 0)
			continue;
		if (len <= FAST_BITS)
			fast_fill(h, next_code[len], len, i);
		next_code[len]++;
		h->sorted[place[len]++] = (u16)i;
	}
	return true;
}

/* A code word longer than FAST_BITS, or none. -1 if the bits are no code word. */
static int symbol_read_slow(const struct huffman *h, struct bits *b)
{
	u32 code = 0, first = 0, index = 0;

	for (unsigned int len = 1; len <= CODE_BITS_MAX; len++) {
		code = code << 1 | (u32)(b->hold >> (len - 1) & 1);
		if (code - first < h->count[len]) {
			bits_take(b, len);
			return h->sorted[index + code - first];
		}
		index += h->count[len];
		first = (first + h->count[len]) << 1;
	}
	return -1;
}

decoder_inline int symbol_read(const struct huffman *h, struct bits *b)
{
	u16 entry = h->fast[b->hold & ((1U << FAST_BITS) - 1)];

	if (unlikely(entry == 0))
		return symbol_read_slow(h, b);
	bits_take(b, entry & 15);
	return entry >> 4;
}

static const u16 length_base[] = { 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115,
				   131, 163, 195, 227, 258 };
static const u8 length_extra[] = { 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0 };
static const u16 distance_base[] = { 1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025,
				     1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577 };
static const u8 distance_extra[] = { 0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12,
				     13, 13 };

/* The match that begins with this length symbol. */
decoder_inline int match_read(const struct inflate *s, struct bits *b, struct sink *dst, int symbol)
{
	size_t len, distance;

	symbol -= END_OF_BLOCK + 1;
	if ((size_t)symbol >= ARRAY_SIZE(length_base))
		return -EBADMSG;
	len = length_base[symbol] + bits_take(b, length_extra[symbol]);
	symbol = symbol_read(&s->distance, b);
	if (symbol < 0 || symbol >= DISTANCE_CODES)
		return -EBADMSG;
	distance = distance_base[symbol] + bits_take(b, distance_extra[symbol]);
	if (distance > dst->pos)
		return -EBADMSG;
	if (len > dst->cap - dst->pos)
		return -ENOSPC;
	sink_repeat(dst, distance, len);
	return 0;
}

static int block_decode(const struct inflate *s, struct bits *b, struct sink *dst)
{
	for (;;) {
		int symbol, ret;

		bits_fill(b);
		symbol = symbol_read(&s->litlen, b);
		if (symbol < 0 || bits_overrun(b))
			return -EBADMSG;
		if (symbol < END_OF_BLOCK) {
			if (dst->pos == dst->cap)
				return -ENOSPC;
			dst->data[dst->pos++] = (u8)symbol;
		} else if (symbol == END_OF_BLOCK) {
			return 0;
		} else {
			ret = match_read(s, b, dst, symbol);
			if (ret != 0)
				return ret;
		}
	}
}

static int stored_decode(struct bits *b, struct sink *dst)
{
	struct source *src = b->src;
	size_t len;

	/* Whole bytes that were taken in too early go back. */
	bits_take(b, b->held % 8);
	if (bits_overrun(b))
		return -EBADMSG;
	src->p -= b->held / 8 - b->missing;
	src->left += b->held / 8 - b->missing;
	*b = (struct bits){ .src = src };
	if (src->left < 4)
		return -EBADMSG;
	len = get_le16(src->p);
	if ((len ^ 0xffff) != get_le16(src->p + 2))
		return -EBADMSG;
	source_take(src, 4);
	if (len > src->left)
		return -EBADMSG;
	if (len > dst->cap - dst->pos)
		return -ENOSPC;
	sink_copy(dst, src, len);
	return 0;
}

static void fixed_codes_set(struct inflate *s)
{
	memset(s->lengths, 8, 144);
	memset(s->lengths + 144, 9, 112);
	memset(s->lengths + 256, 7, 24);
	memset(s->lengths + 280, 8, 8);
	(void)huffman_build(&s->litlen, s->lengths, LITLEN_CODES);
	memset(s->lengths, 5, 32); /* 30 and 31 never occur, but take part in the code */
	(void)huffman_build(&s->distance, s->lengths, 32);
}

/* The run-length coded lengths of both codes. */
static bool lengths_read(struct inflate *s, struct bits *b, unsigned int total)
{
	static const struct {
		u8 base, extra;
	} repeat[] = { { 3, 2 }, { 3, 3 }, { 11, 7 } };
	unsigned int n = 0;

	while (n < total) {
		unsigned int count;
		int symbol;
		u8 val = 0;

		bits_fill(b);
		symbol = symbol_read(&s->distance, b); /* holds the code for lengths now */
		if (symbol < 0 || bits_overrun(b))
			return false;
		if (symbol < 16) {
			s->lengths[n++] = (u8)symbol;
			continue;
		}
		if (symbol == 16 && n == 0)
			return false;
		if (symbol == 16)
			val = s->lengths[n - 1];
		count = repeat[symbol - 16].base + bits_take(b, repeat[symbol - 16].extra);
		if (count > total - n)
			return false;
		memset(s->lengths + n, val, count);
		n += count;
	}
	return true;
}

static int dynamic_codes_read(struct inflate *s, struct bits *b)
{
	static const u8 order[LENGTH_CODES] = { 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15 };
	unsigned int litlens, distances, lengths;

	bits_fill(b);
	litlens = bits_take(b, 5) + 257;
	distances = bits_take(b, 5) + 1;
	lengths = bits_take(b, 4) + 4;
	if (litlens > 286 || distances > DISTANCE_CODES)
		return -EBADMSG;
	memset(s->lengths, 0, sizeof(s->lengths));
	for (unsigned int i = 0; i < lengths; i++) {
		bits_fill(b);
		s->lengths[order[i]] = (u8)bits_take(b, 3);
	}
	if (!huffman_build(&s->distance, s->lengths, LENGTH_CODES) || !lengths_read(s, b, litlens + distances))
		return -EBADMSG;
	if (s->lengths[END_OF_BLOCK] == 0 || !huffman_build(&s->litlen, s->lengths, litlens) ||
	    !huffman_build(&s->distance, s->lengths + litlens, distances))
		return -EBADMSG;
	return 0;
}

static int inflate(struct inflate *s, struct source *src, struct sink *dst)
{
	struct bits b = { .src = src };
	u32 last;
	int ret;

	do {
		u32 type;

		bits_fill(&b);
		last = bits_take(&b, 1);
		type = bits_take(&b, 2);
		if (type == 0) {
			ret = stored_decode(&b, dst);
		} else {
			ret = type == 3 ? -EBADMSG : 0;
			if (type == 1)
				fixed_codes_set(s);
			else if (type == 2)
				ret = dynamic_codes_read(s, &b);
			if (ret == 0)
				ret = block_decode(s, &b, dst);
		}
	} while (ret == 0 && last == 0);
	if (ret == 0 && bits_overrun(&b))
		ret = -EBADMSG;
	if (ret == 0) { /* whole bytes that were not used go back */
		src->p -= b.held / 8 - b.missing;
		src->left += b.held / 8 - b.missing;
	}
	return ret;
}

#define GZIP_HEADER 10
#define GZIP_HAS_CRC 2
#define GZIP_HAS_EXTRA 4
#define GZIP_HAS_NAME 8
#define GZIP_HAS_COMMENT 16
#define GZIP_RESERVED 0xe0

static bool text_skip(struct source *src)
{
	const u8 *end = memchr(src->p, 0, src->left);

	if (end == NULL)
		return false;
	source_take(src, (size_t)(end - src->p) + 1);
	return true;
}

static bool gzip_header_skip(struct source *src)
{
	const u8 *p = src->p;
	u8 flags;

	if (src->left < GZIP_HEADER)
		return false;
	flags = source_take(src, GZIP_HEADER)[3];
	if ((flags & GZIP_RESERVED) != 0)
		return false;
	if ((flags & GZIP_HAS_EXTRA) != 0) {
		if (src->left < 2 || src->left - 2 < get_le16(src->p))
			return false;
		source_take(src, 2UL + get_le16(src->p));
	}
	if ((flags & GZIP_HAS_NAME) != 0 && !text_skip(src))
		return false;
	if ((flags & GZIP_HAS_COMMENT) != 0 && !text_skip(src))
		return false;
	if ((flags & GZIP_HAS_CRC) != 0) {
		u32 crc = crc32_update(0, p, (size_t)(src->p - p));

		if (src->left < 2 || get_le16(source_take(src, 2)) != (u16)crc)
			return false;
	}
	return true;
}

int gzip_decode(struct source *src, struct sink *dst, void *scratch)
{
	struct inflate *s = scratch;
	int ret;

	if (!gzip_header_skip(src))
		return -EBADMSG;
	ret = inflate(s, src, dst);
	if (ret != 0)
		return ret;
	crc32_tables_make(&s->crc32);
	if (src->left < 8 || get_le32(src->p) != crc32_fast(&s->crc32, dst->data, dst->pos) ||
	    get_le32(src->p + 4) != (u32)dst->pos)
		return -EBADMSG;
	return 0;
}
