/* SPDX-License-Identifier: BSD-2-Clause */
/* XZ streams (The .xz File Format 1.1.0): LZMA2, alone or behind the x86 branch filter. */
#include <hv/errno.h>
#include <hv/hash.h>
#include "lzma.h"

#define STREAM_HEADER 12
#define STREAM_FOOTER 12
#define BLOCK_HEADER_MAX 1024
#define FILTER_X86 0x04
#define FILTER_LZMA2 0x21
#define BLOCK_FILTERS 0x03
#define BLOCK_HAS_PACKED 0x40
#define BLOCK_HAS_UNPACKED 0x80
#define BLOCK_RESERVED 0x3c

enum xz_check { CHECK_NONE = 0, CHECK_CRC32 = 1, CHECK_CRC64 = 4, CHECK_SHA256 = 10 };

/* The scratch area. */
struct xz {
	struct lzma lzma;
	struct crc32_tables crc32;
};
_Static_assert(sizeof(struct xz) <= DECOMPRESS_SCRATCH_SIZE, "scratch area");

/* What the index must repeat. */
struct blocks {
	u64 count, packed, unpacked;
};

struct block_header {
	bool has_packed, has_unpacked, x86;
	u64 packed, unpacked;
	u32 x86_start;
};

/* Variable-length number: 7 bits a byte, at most 9 bytes. */
static bool number_read(struct source *src, u64 *val)
{
	u64 v = 0;

	for (unsigned int i = 0; i < 9 && src->left > 0; i++) {
		u8 byte = *source_take(src, 1);

		v |= (u64)(byte & 0x7f) << (7 * i);
		if ((byte & 0x80) == 0) {
			*val = v;
			return byte != 0 || i == 0; /* no superfluous zero at the end */
		}
	}
	return false;
}

static bool zeroes_take(struct source *src, size_t n)
{
	if (src->left < n)
		return false;
	for (; n > 0; n--)
		if (*source_take(src, 1) != 0)
			return false;
	return true;
}

/* Length of the check behind each block, by its number. */
static size_t check_size(u8 check)
{
	static const u8 sizes[] = { 0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64 };

	return sizes[check];
}

static bool check_good(const struct xz *xz, u8 check, const u8 *p, const u8 *data, size_t len)
{
	switch (check) {
	case CHECK_CRC32:
		return get_le32(p) == crc32_fast(&xz->crc32, data, len);
	case CHECK_CRC64:
		return get_le64(p) == crc64_update(0, data, len);
	default: /* nothing, or one that is not verified */
		return true;
	}
}

/* --- LZMA2 --- */

static int chunk_copy(struct source *src, struct sink *dst)
{
	size_t len;

	if (src->left < 2)
		return -EBADMSG;
	len = ((size_t)src->p[0] << 8 | src->p[1]) + 1;
	source_take(src, 2);
	if (len > src->left)
		return -EBADMSG;
	if (len > dst->cap - dst->pos)
		return -ENOSPC;
	sink_copy(dst, src, len);
	return 0;
}

static int chunk_decode(struct lzma *s, u8 control, struct source *src, struct sink *dst)
{
	bool new_properties = (control & 0x40) != 0;
	size_t unpacked, packed, header = new_properties ? 5 : 4;
	struct source chunk;
	int ret;

	if (src->left < header)
		return -EBADMSG;
	unpacked = ((size_t)(control & 0x1f) << 16 | (size_t)src->p[0] << 8 | src->p[1]) + 1;
	packed = ((size_t)src->p[2] << 8 | src->p[3]) + 1;
	if (new_properties && !lzma_properties_set(s, src->p[4]))
		return -EBADMSG;
	source_take(src, header);
	if (packed > src->left)
		return -EBADMSG;
	if (unpacked > dst->cap - dst->pos)
		return -ENOSPC;
	if ((control & 0x60) != 0)
		lzma_state_reset(s);
	chunk = (struct source){ .p = source_take(src, packed), .left = packed };
	ret = lzma_stream_decode(s, &chunk, dst, dst->pos + unpacked, LZMA_END_SIZE);
	return ret == 0 && chunk.left != 0 ? -EBADMSG : ret;
}

static int lzma2_decode(struct lzma *s, struct source *src, struct sink *dst)
{
	bool need_dictionary = true, need_properties = true;

	for (;;) {
		u8 control;
		int ret;

		if (src->left == 0)
			return -EBADMSG;
		control = *source_take(src, 1);
		if (control == 0)
			return 0;
		if (control == 1 || control >= 0xe0) { /* forgets the dictionary */
			need_dictionary = false;
			s->dictionary_start = dst->pos;
			need_properties = need_properties || control == 1;
		}
		if (need_dictionary || (control > 2 && control < 0x80))
			return -EBADMSG;
		need_properties = need_properties && control < 0xc0;
		if (control <= 2)
			ret = chunk_copy(src, dst);
		else
			ret = need_properties ? -EBADMSG : chunk_decode(s, control, src, dst);
		if (ret != 0)
			return ret;
	}
}

/* --- the x86 branch filter --- */

static bool is_sign_byte(u8 b)
{
	return b == 0 || b == 0xff;
}

/*
 * Undoes the conversion of one operand. With an opcode among the 3 bytes before (bit_num is its distance, else 0), the encoder
 * avoided results whose byte at that place looks like a sign and would mislead the decoder: it inverted the bits from there
 * down and converted once more. The caller made sure that the byte in the stream is no sign, so once is enough.
 */
static u32 operand_restore(u32 absolute, u32 next_ip, unsigned int bit_num)
{
	u32 relative = absolute - next_ip;
	u32 shift = 8 * bit_num;

	if (shift != 0 && is_sign_byte((u8)(relative >> (24 - shift))))
		relative = (relative ^ (u32)((1UL << (32 - shift)) - 1)) - next_ip;
	/* 25 bits, sign-extended */
	relative &= 0x01ffffff;
	return relative | (0 - (relative & 0x01000000));
}

static void put_le32(u8 *p, u32 v)
{
	p[0] = (u8)v;
	p[1] = (u8)(v >> 8);
	p[2] = (u8)(v >> 16);
	p[3] = (u8)(v >> 24);
}

/* The place of the first opcode E8 or E9 at or after i, or somewhere in the last 12 bytes. */
static size_t opcode_find(const u8 *data, size_t len, size_t i)
{
	const u64 ones = 0x0101010101010101UL;

	for (; i + 12 < len; i += 8) {
		/* Bytes that are 0 now are opcodes; the lowest of them gets its top bit set, lower bytes do not. */
		u64 word = (get_le64(data + i) & ~ones) ^ 0xe8 * ones;
		u64 found = (word - ones) & ~word & 0x80 * ones;

		if (found != 0)
			return i + (size_t)__builtin_ctzll(found) / 8;
	}
	return i;
}

/*
 * Calls and jumps (opcodes E8 and E9) have an absolute target in the stream. "recent" has a bit for each of the 3 bytes before
 * (bit 0 the nearest) that was such an opcode and was not converted.
 */
static void x86_unfilter(u8 *data, size_t len, u32 start)
{
	static const u8 place[] = { 0, 1, 2, 0, 3 }; /* of the one bit that is set */
	u32 recent = 0;

	for (size_t i = 0; i + 5 <= len; i++) {
		bool convert;

		if ((data[i] & 0xfe) != 0xe8) {
			recent = recent << 1 & 7;
			if (recent == 0)
				i = opcode_find(data, len, i + 1) - 1;
			continue;
		}
		convert = is_sign_byte(data[i + 4]);
		if ((recent & (recent - 1)) != 0 ||
		    (recent != 0 && is_sign_byte(data[i + 4 - place[recent]])))
			convert = false;
		if (!convert) {
			recent = (recent << 1 | 1) & 7;
			continue;
		}
		put_le32(data + i + 1,
			 operand_restore(get_le32(data + i + 1), start + (u32)i + 5, place[recent]));
		recent = 0;
		i += 4;
	}
}

/* --- containers --- */

/* The list of filters: LZMA2 last, and the x86 filter before it or nothing. */
static int filters_read(struct source *src, unsigned int count, struct block_header *h)
{
	for (unsigned int i = 0; i < count; i++) {
		u64 id, size;
		const u8 *properties;

		if (!number_read(src, &id) || !number_read(src, &size) || size > src->left)
			return -EBADMSG;
		properties = source_take(src, size);
		if (i + 1 == count) {
			if (id != FILTER_LZMA2)
				return -EOPNOTSUPP;
			if (size != 1 || properties[0] > 40)
				return -EBADMSG;
		} else if (id == FILTER_X86 && !h->x86) {
			if (size != 0 && size != 4)
				return -EBADMSG;
			h->x86 = true;
			h->x86_start = size == 4 ? get_le32(properties) : 0;
		} else {
			return -EOPNOTSUPP;
		}
	}
	return 0;
}

/* Takes the header whose size byte is next. */
static int block_header_read(struct source *src, struct block_header *h)
{
	size_t size = (src->p[0] + 1UL) * 4;
	struct source in;
	u8 flags;
	int ret;

	memset(h, 0, sizeof(*h));
	if (src->left < size || get_le32(src->p + size - 4) != crc32_update(0, src->p, size - 4))
		return -EBADMSG;
	in = (struct source){ .p = source_take(src, size) + 1, .left = size - 5 };
	flags = *source_take(&in, 1);
	if ((flags & BLOCK_RESERVED) != 0)
		return -EOPNOTSUPP;
	h->has_packed = (flags & BLOCK_HAS_PACKED) != 0;
	h->has_unpacked = (flags & BLOCK_HAS_UNPACKED) != 0;
	if ((h->has_packed && !number_read(&in, &h->packed)) || (h->has_unpacked && !number_read(&in, &h->unpacked)))
		return -EBADMSG;
	ret = filters_read(&in, (flags & BLOCK_FILTERS) + 1U, h);
	if (ret != 0)
		return ret;
	return zeroes_take(&in, in.left) ? 0 : -EBADMSG;
}

static int block_decode(struct xz *xz, struct source *src, struct sink *dst, u8 check, struct blocks *blocks)
{
	const u8 *begin = src->p, *data_begin;
	size_t out_begin = dst->pos, packed, unpacked;
	struct block_header h;
	int ret = block_header_read(src, &h);

	if (ret != 0)
		return ret;
	if (h.has_unpacked && h.unpacked > dst->cap - dst->pos)
		return -ENOSPC;
	data_begin = src->p;
	ret = lzma2_decode(&xz->lzma, src, dst);
	if (ret != 0)
		return ret;
	packed = (size_t)(src->p - data_begin);
	unpacked = dst->pos - out_begin;
	if ((h.has_packed && h.packed != packed) || (h.has_unpacked && h.unpacked != unpacked))
		return -EBADMSG;
	if (h.x86)
		x86_unfilter(dst->data + out_begin, unpacked, h.x86_start);
	blocks->count++;
	blocks->packed += (u64)(src->p - begin) + check_size(check);
	blocks->unpacked += unpacked;
	if (!zeroes_take(src, -packed & 3) || src->left < check_size(check) ||
	    !check_good(xz, check, source_take(src, check_size(check)), dst->data + out_begin, unpacked))
		return -EBADMSG;
	return 0;
}

/* The index must agree with the blocks, and the footer with the index. */
static int index_check(struct source *src, const struct blocks *blocks, const u8 *flags)
{
	struct source in = *src;
	struct blocks sum = { .count = 0 };
	size_t size;
	u64 count;

	source_take(&in, 1);
	if (!number_read(&in, &count) || count != blocks->count)
		return -EBADMSG;
	for (; sum.count < count; sum.count++) {
		u64 packed, unpacked;

		if (!number_read(&in, &packed) || !number_read(&in, &unpacked))
			return -EBADMSG;
		sum.packed += packed;
		sum.unpacked += unpacked;
	}
	if (sum.packed != blocks->packed || sum.unpacked != blocks->unpacked)
		return -EBADMSG;
	if (!zeroes_take(&in, -(size_t)(in.p - src->p) & 3))
		return -EBADMSG;
	size = (size_t)(in.p - src->p);
	if (in.left < 4 + STREAM_FOOTER || get_le32(in.p) != crc32_update(0, src->p, size))
		return -EBADMSG;
	source_take(&in, 4);
	if (get_le32(in.p) != crc32_update(0, in.p + 4, 6) || (get_le32(in.p + 4) + 1UL) * 4 != size + 4 ||
	    memcmp(in.p + 8, flags, 2) != 0 || memcmp(in.p + 10, "YZ", 2) != 0)
		return -EBADMSG;
	return 0;
}

int xz_decode(struct source *src, struct sink *dst, void *scratch)
{
	struct blocks blocks = { .count = 0 };
	struct xz *xz = scratch;
	const u8 *flags;

	if (src->left < STREAM_HEADER)
		return -EBADMSG;
	flags = src->p + 6;
	if (get_le32(src->p + 8) != crc32_update(0, flags, 2))
		return -EBADMSG;
	if (flags[0] != 0 || (flags[1] & 0xf0) != 0)
		return -EOPNOTSUPP;
	source_take(src, STREAM_HEADER);
	crc32_tables_make(&xz->crc32);
	for (;;) {
		int ret;

		if (src->left == 0)
			return -EBADMSG;
		if (src->p[0] == 0)
			return index_check(src, &blocks, flags);
		ret = block_decode(xz, src, dst, flags[1], &blocks);
		if (ret != 0)
			return ret;
	}
}
