/* SPDX-License-Identifier: BSD-2-Clause */
/* LZ4 blocks, in the frame format (lz4 doc/lz4_Frame_format.md 1.6) and in the legacy frame of the Linux build. */
#include <hv/errno.h>
#include <hv/hash.h>
#include "decompress_internal.h"

#define LEGACY_MAGIC 0x184c2102U
#define LEGACY_BLOCK (8UL << 20)
#define MIN_MATCH 4

#define FLG_VERSION_MASK 0xc0
#define FLG_VERSION 0x40
#define FLG_BLOCK_INDEPENDENT 0x20
#define FLG_BLOCK_CHECKSUM 0x10
#define FLG_CONTENT_SIZE 0x08
#define FLG_CONTENT_CHECKSUM 0x04
#define FLG_RESERVED 0x02
#define FLG_DICTIONARY 0x01
#define BLOCK_UNCOMPRESSED 0x80000000U

/* A length of 15 goes on in further bytes, up to one that is not 255. False if the input ends or no length is that long. */
static bool length_read(struct source *src, size_t *len)
{
	u8 byte;

	if (*len != 15)
		return true;
	do {
		if (src->left == 0 || *len > SIZE_MAX / 2)
			return false;
		byte = *source_take(src, 1);
		*len += byte;
	} while (byte == 255);
	return true;
}

/*
 * Unpacks one block, all of *src. Matches may reach back to dst->data[start]. The output may grow up to *limit*, which is at
 * most the capacity.
 */
static int block_decode(struct source *src, struct sink *dst, size_t start, size_t limit)
{
	for (;;) {
		size_t len, distance;
		u8 token;

		if (src->left == 0)
			return -EBADMSG;
		token = *source_take(src, 1);
		len = token >> 4;
		if (!length_read(src, &len) || len > src->left)
			return -EBADMSG;
		if (len > limit - dst->pos)
			return limit == dst->cap ? -ENOSPC : -EBADMSG;
		sink_copy(dst, src, len);
		if (src->left == 0) /* the last sequence has literals only */
			return 0;
		if (src->left < 2)
			return -EBADMSG;
		distance = get_le16(source_take(src, 2));
		len = token & 15;
		if (!length_read(src, &len) || distance == 0 || distance > dst->pos - start)
			return -EBADMSG;
		len += MIN_MATCH;
		if (len > limit - dst->pos)
			return limit == dst->cap ? -ENOSPC : -EBADMSG;
		sink_repeat(dst, distance, len);
	}
}

static size_t block_limit(const struct sink *dst, size_t block_max)
{
	return MIN(block_max, dst->cap - dst->pos) + dst->pos;
}

int lz4_legacy_decode(struct source *src, struct sink *dst)
{
	/* Four bytes at the end that are no block are the unpacked size, which the Linux build appends. */
	while (src->left > 4) {
		u32 size = get_le32(source_take(src, 4));
		struct source block;
		int ret;

		if (size == LEGACY_MAGIC) /* of the first frame, or of another one behind it */
			continue;
		if (size == 0 || size > src->left)
			return -EBADMSG;
		block = (struct source){ .p = source_take(src, size), .left = size };
		ret = block_decode(&block, dst, dst->pos, block_limit(dst, LEGACY_BLOCK));
		if (ret != 0)
			return ret;
	}
	return 0;
}

struct frame {
	u8 flags;
	size_t block_max;
	bool has_size;
	u64 content_size;
};

static int frame_header_read(struct source *src, struct frame *f)
{
	const u8 *p = src->p + 4;
	size_t size;

	if (src->left < 7)
		return -EBADMSG;
	f->flags = p[0];
	if ((f->flags & FLG_VERSION_MASK) != FLG_VERSION || (f->flags & FLG_RESERVED) != 0 || (p[1] & 0x8f) != 0)
		return -EBADMSG;
	if ((f->flags & FLG_DICTIONARY) != 0)
		return -EOPNOTSUPP;
	if ((p[1] >> 4 & 7) < 4)
		return -EBADMSG;
	f->block_max = 1UL << (8 + 2 * (p[1] >> 4 & 7)); /* 4 to 7: 64 KiB, 256 KiB, 1 MiB, 4 MiB */
	f->has_size = (f->flags & FLG_CONTENT_SIZE) != 0;
	size = f->has_size ? 10 : 2;
	if (src->left < 4 + size + 1 || p[size] != (u8)(xxh32(p, size) >> 8))
		return -EBADMSG;
	f->content_size = f->has_size ? get_le64(p + 2) : 0;
	source_take(src, 4 + size + 1);
	return 0;
}

/* The block after its size word, with its checksum if there is one. */
static int frame_block_decode(const struct frame *f, struct source *src, struct sink *dst, u32 word)
{
	u32 size = word & ~BLOCK_UNCOMPRESSED;
	size_t check = (f->flags & FLG_BLOCK_CHECKSUM) != 0 ? 4 : 0;
	bool independent = (f->flags & FLG_BLOCK_INDEPENDENT) != 0;
	struct source block;

	if (size > f->block_max || src->left < size + check)
		return -EBADMSG;
	block = (struct source){ .p = source_take(src, size), .left = size };
	if (check != 0 && get_le32(source_take(src, 4)) != xxh32(block.p, size))
		return -EBADMSG;
	if ((word & BLOCK_UNCOMPRESSED) == 0)
		return block_decode(&block, dst, independent ? dst->pos : 0, block_limit(dst, f->block_max));
	if (size > dst->cap - dst->pos)
		return -ENOSPC;
	sink_copy(dst, &block, size);
	return 0;
}

int lz4_frame_decode(struct source *src, struct sink *dst)
{
	struct frame f;
	u32 word;
	int ret = frame_header_read(src, &f);

	while (ret == 0) {
		if (src->left < 4)
			return -EBADMSG;
		word = get_le32(source_take(src, 4));
		if (word == 0)
			break;
		ret = frame_block_decode(&f, src, dst, word);
	}
	if (ret != 0)
		return ret;
	if (f.has_size && f.content_size != dst->pos)
		return -EBADMSG;
	if ((f.flags & FLG_CONTENT_CHECKSUM) != 0 &&
	    (src->left < 4 || get_le32(src->p) != xxh32(dst->data, dst->pos)))
		return -EBADMSG;
	return 0;
}
