/* SPDX-License-Identifier: BSD-2-Clause */
/* What a kernel can be wrapped in: a Linux bzImage (Documentation/x86/boot.rst), compression, or both, one in the other. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "argon/reason.h"
#include "kernel.h"

#define SECTOR		     512u
#define OFFSET_SETUP_SECTORS 0x1f1
#define OFFSET_BOOT_FLAG     0x1fe
#define OFFSET_MAGIC	     0x202
#define OFFSET_PROTOCOL	     0x206
#define OFFSET_PAYLOAD	     0x248 /* offset, then length */
#define HEADER_BYTES	     (OFFSET_PAYLOAD + 8)
#define PROTOCOL_LEAST	     0x0208 /* the first with a payload offset */
#define OFFSET_ARM64_MAGIC   56
#define LAYERS_MAX	     4

static uint32_t le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t le16(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static bool bzimage_detect(const uint8_t *p, size_t bytes)
{
	return bytes >= HEADER_BYTES && le16(p + OFFSET_BOOT_FLAG) == 0xaa55 && memcmp(p + OFFSET_MAGIC, "HdrS", 4) == 0;
}

/* @param hint  unpacked size, which Linux puts behind the payload */
static int bzimage_payload(const uint8_t **file, size_t *bytes, size_t *hint, const char *name)
{
	const uint8_t *p = *file;
	size_t setup = ((p[OFFSET_SETUP_SECTORS] ? p[OFFSET_SETUP_SECTORS] : 4u) + 1u) * SECTOR;
	size_t offset = le32(p + OFFSET_PAYLOAD), length = le32(p + OFFSET_PAYLOAD + 4);

	if (le16(p + OFFSET_PROTOCOL) < PROTOCOL_LEAST)
		return reason_set(ENOEXEC, "kernel %s is older than Linux 2.6.26 and does not say where its payload is", name);
	if (setup > *bytes || offset > *bytes - setup || length > *bytes - setup - offset || length < 8)
		return reason_set(ENOEXEC, "kernel %s is cut short: its payload lies outside of the file", name);
	*file = p + setup + offset;
	*bytes = length;
	*hint = le32(*file + length - 4);
	return 0;
}

static int not_a_kernel(const uint8_t *p, size_t bytes, const char *name)
{
	if (bytes >= OFFSET_ARM64_MAGIC + 4 && memcmp(p + OFFSET_ARM64_MAGIC, "ARM\x64", 4) == 0)
		return reason_set(ENOEXEC, "kernel %s is an arm64 image; guests run kernels for 64-bit x86", name);
	if (bytes >= 2 && memcmp(p, "MZ", 2) == 0)
		return reason_set(ENOEXEC, "kernel %s is an EFI program and not a kernel that can be loaded here", name);
	if (bytes >= 6 && memcmp(p, "070701", 6) == 0)
		return reason_set(ENOEXEC, "kernel %s is a cpio archive; are kernel and ramdisk interchanged?", name);
	if (bytes >= 9 && memcmp(p, "\x89LZO\0\r\n\x1a\n", 9) == 0)
		return reason_set(ENOEXEC, "kernel %s is packed with LZO, which is not supported; use one with xz, zstd or gzip", name);
	if (bytes == 0)
		return reason_set(ENOEXEC, "kernel %s is empty", name);
	return reason_set(ENOEXEC, "kernel %s is neither an ELF file nor a Linux bzImage", name);
}

/* Takes one layer off. @return 1: there was one, 0: no, it is an ELF file, or -errno */
static int layer_remove(const uint8_t **file, size_t *bytes, size_t *hint, uint8_t **owned, const char *name)
{
	uint8_t *unpacked = NULL;
	size_t unpacked_bytes = 0;
	int rc;

	if (elf_detect(*file, *bytes))
		return 0;
	if (bzimage_detect(*file, *bytes)) {
		rc = bzimage_payload(file, bytes, hint, name);
		return rc ? rc : 1;
	}
	if (!decompress_detect(*file, *bytes))
		return not_a_kernel(*file, *bytes, name);
	rc = decompress(*file, *bytes, *hint, name, &unpacked, &unpacked_bytes);
	if (rc)
		return rc;
	free(*owned);
	*owned = unpacked;
	*file = unpacked;
	*bytes = unpacked_bytes;
	*hint = 0;
	return 1;
}

int kernel_unwrap(const uint8_t **file, size_t *bytes, uint8_t **owned, const char *name)
{
	size_t hint = 0;
	int rc = 1;

	for (int layers = 0; rc == 1; layers++) {
		if (layers == LAYERS_MAX)
			return reason_set(ENOEXEC, "kernel %s is packed again and again", name);
		rc = layer_remove(file, bytes, &hint, owned, name);
	}
	return rc;
}
