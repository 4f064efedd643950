/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: the decompressors. The first byte chooses the format (its magic number is put in front) and how much room there is for
 * the result; 0 to 15: the input is taken as it is.
 */
#include <stdlib.h>
#include <string.h>
#include <hv/decompress.h>
#include <hv/errno.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static const struct {
	u8 size;
	const char *bytes;
} magic[] = {
	{ 0, "" }, { 10, "\x1f\x8b\x08\0\0\0\0\0\0\3" }, { 13, "\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff" },
	{ 12, "\xfd" "7zXZ\0\0\1\x69\x22\xde\x36" }, { 4, "\x04\x22\x4d\x18" }, { 4, "\x02\x21\x4c\x18" }, { 4, "\x28\xb5\x2f\xfd" },
};

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct decompress_scratch scratch;
	static const size_t room[4] = { 1 << 16, 1000, 1, 0 };
	u32 which;
	size_t cap, len = 1;
	u8 *src, *dst;
	int rc;

	if (size < 1)
		return 0;
	which = data[0] >> 4 < ARRAY_SIZE(magic) ? data[0] >> 4 : 0;
	cap = room[data[0] & 3];
	src = malloc(magic[which].size + size);
	dst = malloc(cap + 1);
	memcpy(src, magic[which].bytes, magic[which].size);
	memcpy(src + magic[which].size, data + 1, size - 1);
	dst[cap] = 0x5a;
	rc = decompress(src, magic[which].size + size - 1, dst, cap, &len, &scratch);
	if (dst[cap] != 0x5a || len > cap || (rc && len))
		abort();
	if (rc && rc != -EOPNOTSUPP && rc != -EBADMSG && rc != -ENOSPC)
		abort();
	if (!decompress_format_name(decompress_detect(src, magic[which].size + size - 1)))
		abort();
	free(src);
	free(dst);
	return 0;
}
