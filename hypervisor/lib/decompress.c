/* SPDX-License-Identifier: BSD-2-Clause */
#include <hv/errno.h>
#include "decompress_internal.h"

static const struct {
	u8 magic[6];
	u8 len;
	enum decompress_format format;
} formats[] = {
	{ { 0x1f, 0x8b, 8 }, 3, DECOMPRESS_GZIP },
	/* An LZMA file has no magic number: default properties and a dictionary size with two low zero bytes. */
	{ { 0x5d, 0, 0 }, 3, DECOMPRESS_LZMA },
	{ { 0xfd, '7', 'z', 'X', 'Z', 0 }, 6, DECOMPRESS_XZ },
	{ { 0x04, 0x22, 0x4d, 0x18 }, 4, DECOMPRESS_LZ4 },
	{ { 0x02, 0x21, 0x4c, 0x18 }, 4, DECOMPRESS_LZ4_LEGACY },
	{ { 0x28, 0xb5, 0x2f, 0xfd }, 4, DECOMPRESS_ZSTD },
};

enum decompress_format decompress_detect(const void *src, size_t src_len)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (src_len >= formats[i].len && memcmp(src, formats[i].magic, formats[i].len) == 0)
			return formats[i].format;
	return DECOMPRESS_NONE;
}

const char *decompress_format_name(enum decompress_format format)
{
	static const char *const names[] = {
		[DECOMPRESS_NONE] = "unknown", [DECOMPRESS_GZIP] = "gzip", [DECOMPRESS_LZMA] = "lzma",
		[DECOMPRESS_XZ] = "xz", [DECOMPRESS_LZ4] = "lz4", [DECOMPRESS_LZ4_LEGACY] = "lz4 (legacy)",
		[DECOMPRESS_ZSTD] = "zstd",
	};

	return names[format];
}

int decompress(const void *src, size_t src_len, void *dst, size_t dst_cap, size_t *dst_len,
	       struct decompress_scratch *scratch)
{
	struct source in = { .p = src, .left = src_len };
	struct sink out = { .data = dst, .cap = dst_cap };
	int ret = -EOPNOTSUPP;

	switch (decompress_detect(src, src_len)) {
	case DECOMPRESS_GZIP:
		ret = gzip_decode(&in, &out, scratch->bytes);
		break;
	case DECOMPRESS_LZMA:
		ret = lzma_alone_decode(&in, &out, scratch->bytes);
		break;
	case DECOMPRESS_XZ:
		ret = xz_decode(&in, &out, scratch->bytes);
		break;
	case DECOMPRESS_LZ4:
		ret = lz4_frame_decode(&in, &out);
		break;
	case DECOMPRESS_LZ4_LEGACY:
		ret = lz4_legacy_decode(&in, &out);
		break;
	case DECOMPRESS_ZSTD:
		ret = zstd_decode(&in, &out, scratch->bytes);
		break;
	case DECOMPRESS_NONE:
		break;
	}
	*dst_len = ret == 0 ? out.pos : 0;
	return ret;
}
