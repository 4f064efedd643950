/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decompression of kernel images: gzip, LZMA (.lzma), XZ (LZMA2, x86 BCJ), LZ4 (frame and legacy frame), Zstandard.
 * The output buffer is the window, so nothing is allocated beyond the caller's scratch area. Hostile input is expected:
 * nothing outside [src, src + src_len) is read and nothing outside [dst, dst + dst_cap) and *scratch is written.
 * Boot-time code: work is bounded by src_len + dst_cap, but it is not preemptible.
 */
#ifndef HV_DECOMPRESS_H
#define HV_DECOMPRESS_H

#include <hv/compiler.h>
#include <hv/types.h>

enum decompress_format {
	DECOMPRESS_NONE, /* not a format known here */
	DECOMPRESS_GZIP,
	DECOMPRESS_LZMA,
	DECOMPRESS_XZ,
	DECOMPRESS_LZ4,
	DECOMPRESS_LZ4_LEGACY,
	DECOMPRESS_ZSTD,
};

#define DECOMPRESS_SCRATCH_SIZE (192 * 1024)
/* Contents are private to the decoder in use; need not be cleared before. */
struct decompress_scratch {
	u8 bytes[DECOMPRESS_SCRATCH_SIZE];
} aligned_to(16);

/* What the first bytes look like. */
enum decompress_format decompress_detect(const void *src, size_t src_len);
/* For messages: "gzip", "xz", ... */
const char *decompress_format_name(enum decompress_format format);

/*
 * Unpacks src into dst. Bytes that follow the compressed stream (such as the length word the Linux build appends) are
 * ignored. Checksums that the stream carries (CRC-32, CRC-64, xxHash) are verified; an XZ SHA-256 check is skipped.
 * src and dst must not overlap. Returns 0 and the length in *dst_len; -EOPNOTSUPP for a format, filter or dictionary that
 * is not supported; -EBADMSG for a damaged or truncated stream; -ENOSPC if dst_cap is too small. After an error dst holds
 * garbage and *dst_len is 0.
 */
int must_check decompress(const void *src, size_t src_len, void *dst, size_t dst_cap, size_t *dst_len,
			  struct decompress_scratch *scratch);

#endif
