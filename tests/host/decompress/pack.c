/* SPDX-License-Identifier: BSD-2-Clause */
#include <lz4.h>
#include <lz4frame.h>
#include <lz4hc.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include "pack.h"

static u8 *fit(u8 *p, size_t len)
{
	u8 *exact = malloc(len == 0 ? 1 : len);

	memcpy(exact, p, len);
	free(p);
	return exact;
}

static void must(bool good)
{
	if (!good)
		abort();
}

/* --- gzip --- */

static u8 *pack_gzip(const u8 *data, size_t len, size_t *packed_len, int variant)
{
	static const int levels[] = { 9, 1, 0, 6, 6, 6 };
	static const int strategies[] = { Z_DEFAULT_STRATEGY, Z_DEFAULT_STRATEGY, Z_DEFAULT_STRATEGY, Z_FIXED,
					  Z_HUFFMAN_ONLY, Z_RLE };
	size_t cap = len + len / 2 + 1000;
	u8 *out = malloc(cap);
	gz_header header = { .name = (Bytef *)"name", .comment = (Bytef *)"comment", .hcrc = 1,
			     .extra = (Bytef *)"extra", .extra_len = 5 };
	z_stream z = { .next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)len, .next_out = out,
		       .avail_out = (uInt)cap };

	must(deflateInit2(&z, levels[variant], Z_DEFLATED, 31, 9, strategies[variant]) == Z_OK);
	if (variant == 1)
		must(deflateSetHeader(&z, &header) == Z_OK);
	must(deflate(&z, Z_FINISH) == Z_STREAM_END);
	*packed_len = z.total_out;
	deflateEnd(&z);
	return fit(out, *packed_len);
}

static int unpack_gzip(const u8 *packed, size_t packed_len, u8 *out, size_t cap, size_t *out_len)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)packed, .avail_in = (uInt)packed_len, .next_out = out,
		       .avail_out = (uInt)cap };
	int ret;

	must(inflateInit2(&z, 31) == Z_OK);
	ret = inflate(&z, Z_FINISH);
	*out_len = z.total_out;
	inflateEnd(&z);
	return ret == Z_STREAM_END ? 0 : -1;
}

/* --- LZMA and XZ --- */

/* A damaged header may ask for a dictionary of 4 GiB. */
#define MEMORY_MAX (16UL << 20)

static u8 *lzma_run(lzma_stream *s, const u8 *data, size_t len, size_t *packed_len, bool full_flush)
{
	size_t cap = len + len / 2 + 10000;
	u8 *out = malloc(cap);

	s->next_in = data;
	s->avail_in = len;
	s->next_out = out;
	s->avail_out = cap;
	if (full_flush) { /* two blocks */
		s->avail_in = len / 3;
		must(lzma_code(s, LZMA_FULL_FLUSH) == LZMA_STREAM_END);
		s->avail_in = len - len / 3;
	}
	must(lzma_code(s, LZMA_FINISH) == LZMA_STREAM_END);
	*packed_len = cap - s->avail_out;
	lzma_end(s);
	return fit(out, *packed_len);
}

/* Small for small data: the encoder's tables grow with it. */
static u32 dictionary_size(size_t len)
{
	return len < 65536 ? 65536 : 1 << 20;
}

/* Variants 2 and 3 have the size in the header. */
static u8 *pack_lzma(const u8 *data, size_t len, size_t *packed_len, int variant)
{
	lzma_stream s = LZMA_STREAM_INIT;
	lzma_options_lzma options;
	u64 size = len;
	u8 *out;

	must(!lzma_lzma_preset(&options, variant % 2 == 0 ? 9 : 0));
	options.dict_size = dictionary_size(len);
	must(lzma_alone_encoder(&s, &options) == LZMA_OK);
	out = lzma_run(&s, data, len, packed_len, false);
	if (variant >= 2)
		memcpy(out + 5, &size, 8);
	return out;
}

static int unpack_lzma(const u8 *packed, size_t packed_len, u8 *out, size_t cap, size_t *out_len)
{
	lzma_stream s = LZMA_STREAM_INIT;
	lzma_ret ret;

	must(lzma_alone_decoder(&s, MEMORY_MAX) == LZMA_OK);
	s.next_in = packed;
	s.avail_in = packed_len;
	s.next_out = out;
	s.avail_out = cap;
	ret = lzma_code(&s, LZMA_FINISH);
	*out_len = cap - s.avail_out;
	lzma_end(&s);
	return ret == LZMA_STREAM_END ? 0 : -1;
}

static u8 *pack_xz(const u8 *data, size_t len, size_t *packed_len, int variant)
{
	static const lzma_check checks[] = { LZMA_CHECK_CRC32, LZMA_CHECK_CRC64, LZMA_CHECK_CRC32, LZMA_CHECK_CRC64,
					     LZMA_CHECK_CRC32 };
	lzma_stream s = LZMA_STREAM_INIT;
	lzma_options_lzma options;
	lzma_options_bcj start = { .start_offset = 0x12345678 };
	lzma_filter filters[3] = { { LZMA_FILTER_X86, variant == 3 ? &start : NULL }, { LZMA_FILTER_LZMA2, &options },
				   { LZMA_VLI_UNKNOWN, NULL } };
	bool x86 = variant == 1 || variant == 3;

	must(!lzma_lzma_preset(&options, variant == 2 ? 0 : 9));
	options.dict_size = dictionary_size(len);
	if (variant == 4) { /* other shapes of the model */
		options.lc = 1;
		options.lp = 3;
		options.pb = 4;
	}
	must(lzma_stream_encoder(&s, x86 ? filters : filters + 1, checks[variant]) == LZMA_OK);
	return lzma_run(&s, data, len, packed_len, variant == 2);
}

static int unpack_xz(const u8 *packed, size_t packed_len, u8 *out, size_t cap, size_t *out_len)
{
	u64 memory = MEMORY_MAX;
	size_t in_pos = 0;

	*out_len = 0;
	return lzma_stream_buffer_decode(&memory, 0, NULL, packed, &in_pos, packed_len, out, out_len, cap) == LZMA_OK ?
	       0 : -1;
}

/* --- LZ4 --- */

static u8 *pack_lz4(const u8 *data, size_t len, size_t *packed_len, int variant)
{
	LZ4F_preferences_t p = { .frameInfo = { .contentChecksumFlag = LZ4F_contentChecksumEnabled } };
	size_t cap;
	u8 *out;

	p.frameInfo.blockSizeID = variant == 0 ? LZ4F_max4MB : LZ4F_max64KB;
	p.frameInfo.blockMode = variant == 1 ? LZ4F_blockLinked : LZ4F_blockIndependent;
	p.frameInfo.contentSize = variant == 2 ? len : 0;
	p.frameInfo.blockChecksumFlag = variant == 2 ? LZ4F_blockChecksumEnabled : LZ4F_noBlockChecksum;
	p.compressionLevel = variant == 0 ? 9 : 0;
	cap = LZ4F_compressFrameBound(len, &p);
	out = malloc(cap);
	*packed_len = LZ4F_compressFrame(out, cap, data, len, &p);
	must(!LZ4F_isError(*packed_len));
	return fit(out, *packed_len);
}

static int unpack_lz4(const u8 *packed, size_t packed_len, u8 *out, size_t cap, size_t *out_len)
{
	LZ4F_dctx *ctx;
	size_t in_len = packed_len, ret;

	must(!LZ4F_isError(LZ4F_createDecompressionContext(&ctx, LZ4F_VERSION)));
	*out_len = cap;
	ret = LZ4F_decompress(ctx, out, out_len, packed, &in_len, NULL);
	LZ4F_freeDecompressionContext(ctx);
	return ret == 0 ? 0 : -1;
}

/* As the Linux build makes it: blocks of 8 MiB, and the unpacked size at the end. */
static u8 *pack_lz4_legacy(const u8 *data, size_t len, size_t *packed_len, int variant)
{
	size_t block = variant == 0 ? 8 << 20 : 10000, at = 4;
	u8 *out = malloc(len + len / 2 + 1000);
	u32 word = 0x184c2102;

	memcpy(out, &word, 4);
	for (size_t done = 0; done < len || done == 0; done += block) {
		size_t n = MIN(block, len - done);
		int size = LZ4_compress_HC((const char *)data + done, (char *)out + at + 4, (int)n, LZ4_compressBound((int)n), 9);

		must(size > 0);
		word = (u32)size;
		memcpy(out + at, &word, 4);
		at += 4 + word;
		if (len == 0)
			break;
	}
	word = (u32)len;
	memcpy(out + at, &word, 4);
	*packed_len = at + 4;
	return fit(out, *packed_len);
}

/* --- Zstandard --- */

static u8 *pack_zstd(const u8 *data, size_t len, size_t *packed_len, int variant)
{
	const int levels[] = { 19, 1, 6, -5, len > 100000 ? 22 : 12 };
	size_t cap = ZSTD_compressBound(len) + 1000;
	u8 *out = malloc(cap);
	ZSTD_CCtx *ctx = ZSTD_createCCtx();
	ZSTD_inBuffer in = { .src = data };
	ZSTD_outBuffer to = { .dst = out, .size = cap };

	ZSTD_CCtx_setParameter(ctx, ZSTD_c_compressionLevel, levels[variant]);
	ZSTD_CCtx_setParameter(ctx, ZSTD_c_checksumFlag, 1);
	if (variant == 4 && len > 100000) {
		ZSTD_CCtx_setParameter(ctx, ZSTD_c_windowLog, 27);
		ZSTD_CCtx_setParameter(ctx, ZSTD_c_enableLongDistanceMatching, 1);
	}
	/* As a stream of unknown length, so that there is a window descriptor; variant 2 in one piece. */
	if (variant == 2) {
		*packed_len = ZSTD_compress2(ctx, out, cap, data, len);
		must(!ZSTD_isError(*packed_len));
	} else {
		for (size_t half = 0; half < 2; half++) {
			in.size = half == 0 ? len / 2 : len;
			must(!ZSTD_isError(ZSTD_compressStream2(ctx, &to, &in, half == 0 ? ZSTD_e_flush : ZSTD_e_end)));
		}
		*packed_len = to.pos;
	}
	ZSTD_freeCCtx(ctx);
	return fit(out, *packed_len);
}

static int unpack_zstd(const u8 *packed, size_t packed_len, u8 *out, size_t cap, size_t *out_len)
{
	size_t ret = ZSTD_findFrameCompressedSize(packed, packed_len);

	if (!ZSTD_isError(ret))
		ret = ZSTD_decompress(out, cap, packed, ret);
	*out_len = ret;
	return ZSTD_isError(ret) ? -1 : 0;
}

const struct packer packers[] = {
	{ "gzip", pack_gzip, 6, unpack_gzip, true },
	{ "lzma", pack_lzma, 4, unpack_lzma, false },
	{ "xz", pack_xz, 5, unpack_xz, true },
	{ "lz4", pack_lz4, 3, unpack_lz4, true },
	{ "lz4 (legacy)", pack_lz4_legacy, 2, NULL, false },
	{ "zstd", pack_zstd, 5, unpack_zstd, true },
};
const size_t packer_count = sizeof(packers) / sizeof(packers[0]);
