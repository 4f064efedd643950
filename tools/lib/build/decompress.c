/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The compressions of Linux kernels, by their libraries. The size of the result is not known for sure before it is there, so the
 * output grows; it is never larger than KERNEL_FILE_MAX. What follows the end of the packed data (Linux appends the size) is
 * ignored.
 */
#include <bzlib.h>
#include <errno.h>
#include <lz4.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "argon/reason.h"
#include "kernel.h"

#define FIRST_ROOM    (4u << 20) /* when nothing is known */
#define LZMA_MEMORY   (512u << 20)
#define LZ4_MAGIC     0x184c2102u /* "legacy" format: blocks, each after its length */
#define LZ4_BLOCK_MAX (8u << 20)
#define ZSTD_WINDOW_LOG_MAX 27

/* Results of a step; damaged and memory are final. */
enum step { GO_ON, FINISHED, DAMAGED, NO_MEMORY };

struct output {
	uint8_t *data;
	size_t used, room;
};

/* Room for at least `more` bytes. */
static int output_grow(struct output *out, size_t more, const char *name)
{
	size_t room = out->room ? out->room : more;
	uint8_t *data;

	if (more > KERNEL_FILE_MAX - out->used)
		return reason_set(EFBIG, "kernel %s unpacks to more than %llu MiB", name, KERNEL_FILE_MAX >> 20);
	while (room < out->used + more)
		room *= 2;
	if (room > KERNEL_FILE_MAX)
		room = KERNEL_FILE_MAX;
	if (room == out->room)
		return 0;
	data = realloc(out->data, room);
	if (!data)
		return reason_set(ENOMEM, "no memory to unpack kernel %s (%zu MiB)", name, room >> 20);
	out->data = data;
	out->room = room;
	return 0;
}

/* One decoder: decodes into the room that is left in out. */
struct decoder {
	const char *format;
	size_t magic_bytes;
	uint8_t magic[6];
	enum step (*begin)(void **state, const uint8_t *data, size_t bytes);
	enum step (*step)(void *state, struct output *out);
	void (*end)(void *state);
};

/* ---- gzip ---- */
static enum step gzip_begin(void **state, const uint8_t *data, size_t bytes)
{
	z_stream *z = calloc(1, sizeof(*z));

	if (!z || bytes > UINT32_MAX || inflateInit2(z, 15 + 16) != Z_OK) {
		free(z);
		return NO_MEMORY;
	}
	z->next_in = (Bytef *)(uintptr_t)data;
	z->avail_in = (uInt)bytes;
	*state = z;
	return GO_ON;
}

static enum step gzip_step(void *state, struct output *out)
{
	z_stream *z = state;
	int rc;

	z->next_out = out->data + out->used;
	z->avail_out = (uInt)(out->room - out->used);
	rc = inflate(z, Z_NO_FLUSH);
	out->used = out->room - z->avail_out;
	if (rc == Z_STREAM_END)
		return FINISHED;
	if (rc == Z_MEM_ERROR)
		return NO_MEMORY;
	return rc == Z_OK && (z->avail_in || !z->avail_out) ? GO_ON : DAMAGED;
}

static void gzip_end(void *state)
{
	inflateEnd(state);
	free(state);
}

/* ---- bzip2 ---- */
static enum step bzip2_begin(void **state, const uint8_t *data, size_t bytes)
{
	bz_stream *bz = calloc(1, sizeof(*bz));

	if (!bz || bytes > UINT32_MAX || BZ2_bzDecompressInit(bz, 0, 0) != BZ_OK) {
		free(bz);
		return NO_MEMORY;
	}
	bz->next_in = (char *)(uintptr_t)data;
	bz->avail_in = (unsigned int)bytes;
	*state = bz;
	return GO_ON;
}

static enum step bzip2_step(void *state, struct output *out)
{
	bz_stream *bz = state;
	int rc;

	bz->next_out = (char *)out->data + out->used;
	bz->avail_out = (unsigned int)(out->room - out->used);
	rc = BZ2_bzDecompress(bz);
	out->used = out->room - bz->avail_out;
	if (rc == BZ_STREAM_END)
		return FINISHED;
	if (rc == BZ_MEM_ERROR)
		return NO_MEMORY;
	return rc == BZ_OK && (bz->avail_in || !bz->avail_out) ? GO_ON : DAMAGED;
}

static void bzip2_end(void *state)
{
	BZ2_bzDecompressEnd(state);
	free(state);
}

/* ---- xz and lzma ---- */
static enum step lzma_family_begin(void **state, const uint8_t *data, size_t bytes, bool alone)
{
	lzma_stream *l = calloc(1, sizeof(*l));
	lzma_ret rc;

	if (!l)
		return NO_MEMORY;
	rc = alone ? lzma_alone_decoder(l, LZMA_MEMORY) : lzma_stream_decoder(l, LZMA_MEMORY, 0);
	if (rc != LZMA_OK) {
		free(l);
		return NO_MEMORY;
	}
	l->next_in = data;
	l->avail_in = bytes;
	*state = l;
	return GO_ON;
}

static enum step xz_begin(void **state, const uint8_t *data, size_t bytes)
{
	return lzma_family_begin(state, data, bytes, false);
}

static enum step lzma_begin(void **state, const uint8_t *data, size_t bytes)
{
	return lzma_family_begin(state, data, bytes, true);
}

static enum step lzma_step(void *state, struct output *out)
{
	lzma_stream *l = state;
	lzma_ret rc;

	l->next_out = out->data + out->used;
	l->avail_out = out->room - out->used;
	rc = lzma_code(l, LZMA_RUN);
	out->used = out->room - l->avail_out;
	if (rc == LZMA_STREAM_END)
		return FINISHED;
	if (rc == LZMA_MEM_ERROR || rc == LZMA_MEMLIMIT_ERROR)
		return NO_MEMORY;
	/* lzma files may lack an end; then they end with the input. */
	return rc == LZMA_OK && (l->avail_in || !l->avail_out) ? GO_ON : DAMAGED;
}

static void lzma_finish(void *state)
{
	lzma_end(state);
	free(state);
}

/* ---- zstd ---- */
struct zstd {
	ZSTD_DStream *stream;
	ZSTD_inBuffer in;
};

static enum step zstd_begin(void **state, const uint8_t *data, size_t bytes)
{
	struct zstd *z = calloc(1, sizeof(*z));

	if (!z)
		return NO_MEMORY;
	z->stream = ZSTD_createDStream();
	if (!z->stream || ZSTD_isError(ZSTD_DCtx_setParameter(z->stream, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX))) {
		ZSTD_freeDStream(z->stream);
		free(z);
		return NO_MEMORY;
	}
	z->in = (ZSTD_inBuffer){ .src = data, .size = bytes };
	*state = z;
	return GO_ON;
}

static enum step zstd_step(void *state, struct output *out)
{
	struct zstd *z = state;
	ZSTD_outBuffer o = { .dst = out->data, .size = out->room, .pos = out->used };
	size_t rc = ZSTD_decompressStream(z->stream, &o, &z->in);

	out->used = o.pos;
	if (ZSTD_isError(rc))
		return ZSTD_getErrorCode(rc) == ZSTD_error_memory_allocation ? NO_MEMORY : DAMAGED;
	if (rc == 0)
		return FINISHED;
	return z->in.pos < z->in.size || o.pos == o.size ? GO_ON : DAMAGED;
}

static void zstd_end(void *state)
{
	struct zstd *z = state;

	ZSTD_freeDStream(z->stream);
	free(z);
}

/* ---- lz4 ---- */
struct lz4 {
	const uint8_t *next;
	size_t left;
	size_t unpacked;
};

static enum step lz4_begin(void **state, const uint8_t *data, size_t bytes)
{
	struct lz4 *l = calloc(1, sizeof(*l));

	if (!l)
		return NO_MEMORY;
	l->next = data + 4;
	l->left = bytes - 4;
	*state = l;
	return GO_ON;
}

/* One block; the caller has made room for the largest. Linux appends the unpacked size, which is told from a block's length. */
static enum step lz4_step(void *state, struct output *out)
{
	struct lz4 *l = state;
	uint32_t length;
	int got;

	if (l->left < sizeof(length))
		return l->left == 0 && out->used ? FINISHED : DAMAGED;
	memcpy(&length, l->next, sizeof(length));
	if (l->left == sizeof(length) && length == (uint32_t)out->used)
		return FINISHED;
	l->next += sizeof(length);
	l->left -= sizeof(length);
	if (length == LZ4_MAGIC)
		return GO_ON; /* another stream follows */
	if (length > l->left)
		return DAMAGED;
	got = LZ4_decompress_safe((const char *)l->next, (char *)out->data + out->used, (int)length, LZ4_BLOCK_MAX);
	if (got < 0)
		return DAMAGED;
	out->used += (size_t)got;
	l->next += length;
	l->left -= length;
	return GO_ON;
}

static const struct decoder decoders[] = {
	{ "gzip", 2, { 0x1f, 0x8b }, gzip_begin, gzip_step, gzip_end },
	{ "bzip2", 3, { 'B', 'Z', 'h' }, bzip2_begin, bzip2_step, bzip2_end },
	{ "xz", 6, { 0xfd, '7', 'z', 'X', 'Z', 0 }, xz_begin, lzma_step, lzma_finish },
	{ "lzma", 3, { 0x5d, 0, 0 }, lzma_begin, lzma_step, lzma_finish },
	{ "zstd", 4, { 0x28, 0xb5, 0x2f, 0xfd }, zstd_begin, zstd_step, zstd_end },
	{ "lz4", 4, { 0x02, 0x21, 0x4c, 0x18 }, lz4_begin, lz4_step, free },
};

static const struct decoder *decoder_of(const uint8_t *data, size_t bytes)
{
	for (size_t i = 0; i < sizeof(decoders) / sizeof(decoders[0]); i++)
		if (bytes > decoders[i].magic_bytes && memcmp(data, decoders[i].magic, decoders[i].magic_bytes) == 0)
			return &decoders[i];
	return NULL;
}

const char *decompress_detect(const uint8_t *data, size_t bytes)
{
	const struct decoder *d = decoder_of(data, bytes);

	return d ? d->format : NULL;
}

static int run(const struct decoder *d, void *state, struct output *out, size_t hint, const char *name)
{
	const size_t step_room = d->step == lz4_step ? LZ4_BLOCK_MAX : 1;
	enum step step = GO_ON;
	int rc = output_grow(out, hint && hint <= KERNEL_FILE_MAX ? hint : FIRST_ROOM, name);

	while (!rc && step == GO_ON) {
		rc = output_grow(out, step_room, name);
		if (!rc)
			step = d->step(state, out);
	}
	if (rc)
		return rc;
	if (step == NO_MEMORY)
		return reason_set(ENOMEM, "no memory to unpack kernel %s (%s)", name, d->format);
	if (step == DAMAGED)
		return reason_set(ENOEXEC, "kernel %s is damaged: its %s data cannot be unpacked; install it again", name, d->format);
	return 0;
}

int decompress(const uint8_t *data, size_t bytes, size_t hint, const char *name, uint8_t **out, size_t *out_bytes)
{
	const struct decoder *d = decoder_of(data, bytes);
	struct output o = { 0 };
	void *state = NULL;
	int rc;

	if (!d)
		return reason_set(ENOEXEC, "kernel %s is packed in a way that is not known", name);
	if (d->begin(&state, data, bytes) != GO_ON)
		return reason_set(ENOMEM, "no memory to unpack kernel %s (%s)", name, d->format);
	rc = run(d, state, &o, hint, name);
	d->end(state);
	if (rc) {
		free(o.data);
		return rc;
	}
	*out = o.data;
	*out_bytes = o.used;
	return 0;
}
