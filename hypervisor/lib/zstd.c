/* SPDX-License-Identifier: BSD-2-Clause */
/* Zstandard frames (RFC 8878). */
#include <hv/errno.h>
#include <hv/hash.h>
#include "zstd.h"

#define LITERAL_LENGTH_SYMBOLS 36
#define MATCH_LENGTH_SYMBOLS 53
#define OFFSET_SYMBOLS 32
#define LITERAL_LENGTH_BITS_MAX 9
#define MATCH_LENGTH_BITS_MAX 9
#define OFFSET_BITS_MAX 8

struct zstd {
	struct fse_table literal_length, offset, match_length;
	struct fse_table weights;
	struct zstd_huffman huffman;
	u64 repeat[3];          /* latest offsets */
	size_t frame_start;     /* in the output */
	size_t block_max;
	const u8 *literals;     /* of the block at hand: in the input or below */
	size_t literals_len;
	u8 literal_buffer[ZSTD_BLOCK_MAX];
};
_Static_assert(sizeof(struct zstd) <= DECOMPRESS_SCRATCH_SIZE, "scratch area");

/* --- literals --- */

struct literals_header {
	enum { LITERALS_RAW, LITERALS_RLE, LITERALS_HUFFMAN, LITERALS_TREELESS } type;
	bool four_streams;
	size_t packed, unpacked;
};

static bool literals_header_read(struct source *src, struct literals_header *h)
{
	u8 format, size;
	u64 bits = 0;

	if (src->left == 0)
		return false;
	h->type = src->p[0] & 3;
	format = src->p[0] >> 2 & 3;
	if (h->type <= LITERALS_RLE)
		size = (format & 1) == 0 ? 1 : format == 1 ? 2 : 3;
	else
		size = format <= 1 ? 3 : format + 2;
	if (src->left < size)
		return false;
	for (unsigned int i = 0; i < size; i++)
		bits |= (u64)src->p[i] << (8 * i);
	source_take(src, size);
	if (h->type <= LITERALS_RLE) {
		h->unpacked = (size_t)(bits >> ((format & 1) == 0 ? 3 : 4));
		h->packed = h->type == LITERALS_RLE ? 1 : h->unpacked;
	} else {
		unsigned int n = format <= 1 ? 10 : format == 2 ? 14 : 18;

		h->four_streams = format != 0;
		h->unpacked = (size_t)(bits >> 4 & ((1UL << n) - 1));
		h->packed = (size_t)(bits >> (4 + n) & ((1UL << n) - 1));
	}
	return h->unpacked <= ZSTD_BLOCK_MAX && h->packed <= src->left;
}

/* Four streams of a quarter each, the lengths of the first three in front. */
static int four_streams_decode(struct zstd *s, struct source *in, size_t len)
{
	size_t quarter = (len + 3) / 4, at = 0;
	const u8 *sizes = in->p;

	if (in->left < 6 || quarter * 3 > len)
		return -EBADMSG;
	source_take(in, 6);
	for (unsigned int i = 0; i < 4; i++) {
		size_t size = i < 3 ? get_le16(sizes + 2 * i) : in->left;
		size_t n = i < 3 ? quarter : len - at;
		int ret;

		if (size > in->left)
			return -EBADMSG;
		ret = zstd_huffman_decode(&s->huffman, source_take(in, size), size, s->literal_buffer + at, n);
		if (ret != 0)
			return ret;
		at += n;
	}
	return 0;
}

static int literals_huffman_decode(struct zstd *s, const struct literals_header *h, struct source in)
{
	int ret = 0;

	s->literals = s->literal_buffer;
	if (h->type == LITERALS_HUFFMAN)
		ret = zstd_huffman_read(&s->huffman, &s->weights, &in);
	else if (s->huffman.bits == 0)
		ret = -EBADMSG;
	if (ret != 0)
		return ret;
	if (h->four_streams)
		return four_streams_decode(s, &in, h->unpacked);
	return zstd_huffman_decode(&s->huffman, in.p, in.left, s->literal_buffer, h->unpacked);
}

static int literals_decode(struct zstd *s, struct source *src)
{
	struct literals_header h = { .four_streams = false };
	struct source in;

	if (!literals_header_read(src, &h) || h.unpacked > s->block_max)
		return -EBADMSG;
	in = (struct source){ .p = source_take(src, h.packed), .left = h.packed };
	s->literals_len = h.unpacked;
	switch (h.type) {
	case LITERALS_RAW:
		s->literals = in.p;
		return 0;
	case LITERALS_RLE:
		s->literals = s->literal_buffer;
		memset(s->literal_buffer, in.p[0], h.unpacked);
		return 0;
	case LITERALS_HUFFMAN:
	case LITERALS_TREELESS:
		break;
	}
	return literals_huffman_decode(s, &h, in);
}

/* --- sequences --- */

/* What a symbol stands for: base plus so many further bits. */
struct code {
	u32 base;
	u8 bits;
};

static const struct code literal_length_codes[LITERAL_LENGTH_SYMBOLS] = {
	{ 0, 0 }, { 1, 0 }, { 2, 0 }, { 3, 0 }, { 4, 0 }, { 5, 0 }, { 6, 0 }, { 7, 0 }, { 8, 0 }, { 9, 0 }, { 10, 0 },
	{ 11, 0 }, { 12, 0 }, { 13, 0 }, { 14, 0 }, { 15, 0 }, { 16, 1 }, { 18, 1 }, { 20, 1 }, { 22, 1 }, { 24, 2 },
	{ 28, 2 }, { 32, 3 }, { 40, 3 }, { 48, 4 }, { 64, 6 }, { 128, 7 }, { 256, 8 }, { 512, 9 }, { 1024, 10 },
	{ 2048, 11 }, { 4096, 12 }, { 8192, 13 }, { 16384, 14 }, { 32768, 15 }, { 65536, 16 },
};

static const struct code match_length_codes[MATCH_LENGTH_SYMBOLS] = {
	{ 3, 0 }, { 4, 0 }, { 5, 0 }, { 6, 0 }, { 7, 0 }, { 8, 0 }, { 9, 0 }, { 10, 0 }, { 11, 0 }, { 12, 0 }, { 13, 0 },
	{ 14, 0 }, { 15, 0 }, { 16, 0 }, { 17, 0 }, { 18, 0 }, { 19, 0 }, { 20, 0 }, { 21, 0 }, { 22, 0 }, { 23, 0 },
	{ 24, 0 }, { 25, 0 }, { 26, 0 }, { 27, 0 }, { 28, 0 }, { 29, 0 }, { 30, 0 }, { 31, 0 }, { 32, 0 }, { 33, 0 },
	{ 34, 0 }, { 35, 1 }, { 37, 1 }, { 39, 1 }, { 41, 1 }, { 43, 2 }, { 47, 2 }, { 51, 3 }, { 59, 3 }, { 67, 4 },
	{ 83, 4 }, { 99, 5 }, { 131, 7 }, { 259, 8 }, { 515, 9 }, { 1027, 10 }, { 2051, 11 }, { 4099, 12 }, { 8195, 13 },
	{ 16387, 14 }, { 32771, 15 }, { 65539, 16 },
};

static const s16 literal_length_default[LITERAL_LENGTH_SYMBOLS] = {
	4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1,
};

static const s16 match_length_default[MATCH_LENGTH_SYMBOLS] = {
	1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1,
};

static const s16 offset_default[29] = {
	1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1,
};

struct table_kind {
	const s16 *probs;
	unsigned int default_symbols, default_bits, symbols, max_bits;
};

static const struct table_kind literal_length_kind = {
	literal_length_default, LITERAL_LENGTH_SYMBOLS, 6, LITERAL_LENGTH_SYMBOLS, LITERAL_LENGTH_BITS_MAX,
};
static const struct table_kind offset_kind = { offset_default, 29, 5, OFFSET_SYMBOLS, OFFSET_BITS_MAX };
static const struct table_kind match_length_kind = {
	match_length_default, MATCH_LENGTH_SYMBOLS, 6, MATCH_LENGTH_SYMBOLS, MATCH_LENGTH_BITS_MAX,
};

/* Sets up one table as its mode says: predefined, one symbol, described in the stream, or the one of the block before. */
static int table_prepare(struct fse_table *t, struct source *src, const struct table_kind *kind, unsigned int mode)
{
	switch (mode) {
	case 0:
		fse_table_build(t, kind->probs, kind->default_symbols, kind->default_bits);
		return 0;
	case 1:
		if (src->left == 0 || src->p[0] >= kind->symbols)
			return -EBADMSG;
		t->bits = 0;
		t->valid = true;
		t->entry[0] = (struct fse_entry){ .symbol = *source_take(src, 1) };
		return 0;
	case 2:
		t->valid = false;
		return fse_table_read(t, src, kind->symbols - 1, kind->max_bits);
	default:
		return t->valid ? 0 : -EBADMSG;
	}
}

/* The number of sequences; takes 1 to 3 bytes. */
static bool sequence_count_read(struct source *src, u32 *count)
{
	u32 n;

	if (src->left == 0)
		return false;
	n = *source_take(src, 1);
	if (n >= 128) {
		if (src->left < (n == 255 ? 2 : 1))
			return false;
		if (n == 255)
			n = get_le16(source_take(src, 2)) + 0x7f00U;
		else
			n = (n - 128) << 8 | *source_take(src, 1);
	}
	*count = n;
	return true;
}

struct states {
	u32 literal_length, offset, match_length;
};

struct sequence {
	u32 literals, match;
	u64 offset;
};

/* Turns the coded offset into a distance and keeps the latest three. 0 if it makes no sense. */
decoder_inline u64 offset_resolve(struct zstd *s, u64 coded, bool no_literals)
{
	u64 offset, index;

	if (coded > 3) {
		offset = coded - 3;
		index = 2;
	} else {
		/* Without literals in front, the latest offset would be a longer match before: the meanings shift. */
		index = coded - 1 + no_literals;
		offset = index < 3 ? s->repeat[index] : s->repeat[0] - 1;
	}
	if (index >= 2)
		s->repeat[2] = s->repeat[1];
	if (index >= 1)
		s->repeat[1] = s->repeat[0];
	s->repeat[0] = offset;
	return offset;
}

decoder_inline struct sequence sequence_read(struct zstd *s, struct backward *b, const struct states *st)
{
	u8 offset_bits = s->offset.entry[st->offset].symbol;
	struct code match = match_length_codes[s->match_length.entry[st->match_length].symbol];
	struct code literals = literal_length_codes[s->literal_length.entry[st->literal_length].symbol];
	struct sequence seq;
	u64 coded = (1UL << offset_bits) + backward_read(b, offset_bits);

	seq.match = match.base + (u32)backward_read(b, match.bits);
	seq.literals = literals.base + (u32)backward_read(b, literals.bits);
	seq.offset = offset_resolve(s, coded, seq.literals == 0);
	return seq;
}

decoder_inline void states_advance(const struct zstd *s, struct backward *b, struct states *st)
{
	struct fse_entry e = s->literal_length.entry[st->literal_length];

	st->literal_length = e.base + (u32)backward_read(b, e.bits);
	e = s->match_length.entry[st->match_length];
	st->match_length = e.base + (u32)backward_read(b, e.bits);
	e = s->offset.entry[st->offset];
	st->offset = e.base + (u32)backward_read(b, e.bits);
}

/* Appends literals, taking them from those of the block. */
decoder_inline int literals_append(struct zstd *s, struct sink *dst, size_t len)
{
	if (len > s->literals_len)
		return -EBADMSG;
	if (len > dst->cap - dst->pos)
		return -ENOSPC;
	memcpy(dst->data + dst->pos, s->literals, len);
	dst->pos += len;
	s->literals += len;
	s->literals_len -= len;
	return 0;
}

decoder_inline int sequence_execute(struct zstd *s, struct sink *dst, const struct sequence *seq)
{
	int ret = literals_append(s, dst, seq->literals);

	if (ret != 0)
		return ret;
	if (seq->offset == 0 || seq->offset > dst->pos - s->frame_start)
		return -EBADMSG;
	if (seq->match > dst->cap - dst->pos)
		return -ENOSPC;
	sink_repeat(dst, seq->offset, seq->match);
	return 0;
}

static int sequences_decode(struct zstd *s, struct source *src, struct sink *dst, u32 count)
{
	size_t limit = dst->pos + s->block_max;
	struct backward b;
	struct states st;

	if (!backward_start(&b, src->p, src->left))
		return -EBADMSG;
	st.literal_length = (u32)backward_read(&b, s->literal_length.bits);
	st.offset = (u32)backward_read(&b, s->offset.bits);
	st.match_length = (u32)backward_read(&b, s->match_length.bits);
	for (u32 i = 0; i < count; i++) {
		struct sequence seq = sequence_read(s, &b, &st);
		int ret;

		if (b.left < 0 || dst->pos > limit)
			return -EBADMSG;
		ret = sequence_execute(s, dst, &seq);
		if (ret != 0)
			return ret;
		if (i + 1 < count)
			states_advance(s, &b, &st);
	}
	return b.left == 0 && dst->pos <= limit ? 0 : -EBADMSG;
}

static int tables_prepare(struct zstd *s, struct source *src)
{
	u8 modes;
	int ret;

	if (src->left == 0)
		return -EBADMSG;
	modes = *source_take(src, 1);
	if ((modes & 3) != 0)
		return -EBADMSG;
	ret = table_prepare(&s->literal_length, src, &literal_length_kind, modes >> 6);
	if (ret == 0)
		ret = table_prepare(&s->offset, src, &offset_kind, modes >> 4 & 3);
	if (ret == 0)
		ret = table_prepare(&s->match_length, src, &match_length_kind, modes >> 2 & 3);
	return ret;
}

static int block_decode(struct zstd *s, struct source src, struct sink *dst)
{
	size_t start = dst->pos;
	u32 count;
	int ret = literals_decode(s, &src);

	if (ret != 0)
		return ret;
	if (!sequence_count_read(&src, &count))
		return -EBADMSG;
	if (count > 0) {
		ret = tables_prepare(s, &src);
		if (ret == 0)
			ret = sequences_decode(s, &src, dst, count);
	} else if (src.left != 0) {
		ret = -EBADMSG;
	}
	if (ret == 0)
		ret = literals_append(s, dst, s->literals_len);
	if (ret == 0 && dst->pos - start > s->block_max)
		ret = -EBADMSG;
	return ret;
}

/* --- frames --- */

struct frame {
	bool checksum, has_size;
	u64 content_size, window;
};

static bool frame_header_read(struct source *src, struct frame *f, u32 *dictionary)
{
	static const u8 dictionary_sizes[] = { 0, 1, 2, 4 };
	u8 flags, size_bytes, dictionary_bytes;
	bool single;
	size_t need;

	if (src->left < 5)
		return false;
	flags = src->p[4];
	single = (flags & 0x20) != 0;
	size_bytes = (u8)(flags >> 6 != 0 ? 1U << (flags >> 6) : single);
	dictionary_bytes = dictionary_sizes[flags & 3];
	need = 5UL + !single + dictionary_bytes + size_bytes;
	if ((flags & 0x08) != 0 || src->left < need)
		return false;
	source_take(src, 5);
	f->checksum = (flags & 0x04) != 0;
	f->has_size = size_bytes != 0;
	if (!single) {
		u8 window = *source_take(src, 1);

		f->window = 1UL << (10 + (window >> 3));
		f->window += (f->window >> 3) * (window & 7);
	}
	*dictionary = 0;
	for (unsigned int i = 0; i < dictionary_bytes; i++)
		*dictionary |= (u32)*source_take(src, 1) << (8 * i);
	f->content_size = size_bytes == 2 ? 256 : 0;
	for (unsigned int i = 0; i < size_bytes; i++)
		f->content_size += (u64)*source_take(src, 1) << (8 * i);
	if (single)
		f->window = f->content_size;
	return true;
}

enum block_type { BLOCK_RAW, BLOCK_RLE, BLOCK_COMPRESSED, BLOCK_RESERVED };

/* One block with its header; *last says whether it was the last. */
static int frame_block_decode(struct zstd *s, struct source *src, struct sink *dst, bool *last)
{
	u32 header, size;

	if (src->left < 3)
		return -EBADMSG;
	header = get_le16(src->p) | (u32)src->p[2] << 16;
	source_take(src, 3);
	*last = (header & 1) != 0;
	size = header >> 3;
	if (size > s->block_max)
		return -EBADMSG;
	switch ((enum block_type)(header >> 1 & 3)) {
	case BLOCK_RAW:
		if (size > src->left)
			return -EBADMSG;
		if (size > dst->cap - dst->pos)
			return -ENOSPC;
		sink_copy(dst, src, size);
		return 0;
	case BLOCK_RLE:
		if (src->left == 0)
			return -EBADMSG;
		if (size > dst->cap - dst->pos)
			return -ENOSPC;
		memset(dst->data + dst->pos, *source_take(src, 1), size);
		dst->pos += size;
		return 0;
	case BLOCK_COMPRESSED:
		if (size > src->left)
			return -EBADMSG;
		return block_decode(s, (struct source){ .p = source_take(src, size), .left = size }, dst);
	case BLOCK_RESERVED:
		break;
	}
	return -EBADMSG;
}

static void state_reset(struct zstd *s, const struct sink *dst, const struct frame *f)
{
	s->literal_length.valid = false;
	s->offset.valid = false;
	s->match_length.valid = false;
	s->huffman.bits = 0;
	s->repeat[0] = 1;
	s->repeat[1] = 4;
	s->repeat[2] = 8;
	s->frame_start = dst->pos;
	s->block_max = MIN(f->window, ZSTD_BLOCK_MAX);
}

int zstd_decode(struct source *src, struct sink *dst, void *scratch)
{
	struct zstd *s = scratch;
	struct frame f;
	u32 dictionary;
	bool last = false;

	if (!frame_header_read(src, &f, &dictionary))
		return -EBADMSG;
	if (dictionary != 0)
		return -EOPNOTSUPP;
	if (f.has_size && f.content_size > dst->cap)
		return -ENOSPC;
	state_reset(s, dst, &f);
	while (!last) {
		int ret = frame_block_decode(s, src, dst, &last);

		if (ret != 0)
			return ret;
	}
	if (f.has_size && f.content_size != dst->pos - s->frame_start)
		return -EBADMSG;
	if (f.checksum && (src->left < 4 || get_le32(src->p) !=
			   (u32)xxh64(dst->data + s->frame_start, dst->pos - s->frame_start)))
		return -EBADMSG;
	return 0;
}
