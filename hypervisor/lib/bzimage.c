/* SPDX-License-Identifier: BSD-2-Clause */
/* The x86 boot protocol's setup header (Linux Documentation/x86/boot.rst). */
#include <hv/bzimage.h>
#include <hv/errno.h>
#include <hv/string.h>

#define SECTOR 512
#define OFFSET_SETUP_SECTORS 0x1f1
#define OFFSET_BOOT_FLAG 0x1fe
#define OFFSET_MAGIC 0x202
#define OFFSET_PROTOCOL 0x206
#define OFFSET_VERSION 0x20e    /* of the version text, less 0x200 */
#define OFFSET_LOADFLAGS 0x211
#define OFFSET_PAYLOAD 0x248    /* payload_offset, then payload_length */
#define HEADER_MIN (OFFSET_PAYLOAD + 8)
#define PROTOCOL_MIN 0x0208     /* the first with payload_offset */
#define LOADED_HIGH 1

bool bzimage_detect(const void *data, size_t size)
{
	const u8 *p = data;

	return size >= HEADER_MIN && get_le16(p + OFFSET_BOOT_FLAG) == 0xaa55 && memcmp(p + OFFSET_MAGIC, "HdrS", 4) == 0;
}

static int refuse(const char **why, const char *text)
{
	if (why != NULL)
		*why = text;
	return -ENOEXEC;
}

/* A terminated text in the real-mode part, which is setup_size bytes. */
static void version_copy(struct bzimage *out, const u8 *data, size_t setup_size)
{
	size_t offset = get_le16(data + OFFSET_VERSION);
	size_t len;

	if (offset == 0 || offset + 0x200 >= setup_size)
		return;
	offset += 0x200;
	len = strnlen((const char *)data + offset, MIN(setup_size - offset, sizeof(out->version) - 1));
	for (size_t i = 0; i < len; i++) {
		u8 c = data[offset + i];

		out->version[i] = c >= ' ' && c <= '~' ? (char)c : '?';
	}
}

int bzimage_parse(struct bzimage *out, const void *data, size_t size, const char **why)
{
	const u8 *p = data;
	size_t setup_size, payload_offset, payload_size;

	memset(out, 0, sizeof(*out));
	if (!bzimage_detect(data, size))
		return refuse(why, "not a bzImage");
	out->protocol = get_le16(p + OFFSET_PROTOCOL);
	if (out->protocol < PROTOCOL_MIN || (p[OFFSET_LOADFLAGS] & LOADED_HIGH) == 0)
		return refuse(why, "the bzImage is older than boot protocol 2.08 (Linux 2.6.26)");
	/* 0 stands for 4, for ancient loaders; the boot sector itself is not counted. */
	setup_size = ((p[OFFSET_SETUP_SECTORS] == 0 ? 4 : p[OFFSET_SETUP_SECTORS]) + 1UL) * SECTOR;
	payload_offset = get_le32(p + OFFSET_PAYLOAD);
	payload_size = get_le32(p + OFFSET_PAYLOAD + 4);
	if (setup_size > size || payload_offset > size - setup_size || payload_size > size - setup_size - payload_offset)
		return refuse(why, "the bzImage is cut short");
	if (payload_size < 4)
		return refuse(why, "the bzImage has no payload");
	out->payload = p + setup_size + payload_offset;
	out->payload_size = payload_size;
	out->unpacked_size = get_le32((const u8 *)out->payload + payload_size - 4);
	version_copy(out, p, setup_size);
	return 0;
}
