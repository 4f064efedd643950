/* SPDX-License-Identifier: BSD-2-Clause */
/* What the decompressors share. */
#ifndef DECOMPRESS_INTERNAL_H
#define DECOMPRESS_INTERNAL_H

#include <hv/decompress.h>
#include <hv/string.h>

#define decoder_inline static inline __attribute__((always_inline))

/* Compressed bytes not yet read. */
struct source {
	const u8 *p;
	size_t left;
};

/* The output so far, which is also the window: pos <= cap. */
struct sink {
	u8 *data;
	size_t pos, cap;
};

/* Each unpacks one stream from the beginning of *src. 0 or an error of decompress(). scratch: DECOMPRESS_SCRATCH_SIZE bytes. */
int gzip_decode(struct source *src, struct sink *dst, void *scratch);
int lzma_alone_decode(struct source *src, struct sink *dst, void *scratch);
int xz_decode(struct source *src, struct sink *dst, void *scratch);
int lz4_frame_decode(struct source *src, struct sink *dst);
int lz4_legacy_decode(struct source *src, struct sink *dst);
int zstd_decode(struct source *src, struct sink *dst, void *scratch);

/* Moves past n bytes; n <= left. Returns where they were. */
decoder_inline const u8 *source_take(struct source *src, size_t n)
{
	const u8 *p = src->p;

	src->p += n;
	src->left -= n;
	return p;
}

/* Appends len bytes that lie distance before the end; the caller checked 0 < distance <= pos and len <= cap - pos. */
decoder_inline void sink_repeat(struct sink *dst, size_t distance, size_t len)
{
	u8 *to = dst->data + dst->pos;
	const u8 *from = to - distance;

	dst->pos += len;
	if (len <= 16 && distance < len) { /* short and overlapping is the most frequent case of those that overlap */
		for (; len > 0; len--)
			*to++ = *from++;
		return;
	}
	/* What has been copied may be copied again: the pieces double. */
	while (len > 0) {
		size_t n = MIN(len, (size_t)(to - from));

		memcpy(to, from, n);
		to += n;
		len -= n;
	}
}

/* Appends len bytes of the source; the caller checked both sides. */
decoder_inline void sink_copy(struct sink *dst, struct source *src, size_t len)
{
	memcpy(dst->data + dst->pos, source_take(src, len), len);
	dst->pos += len;
}

#endif
