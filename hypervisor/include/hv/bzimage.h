/* SPDX-License-Identifier: BSD-2-Clause */
/* Linux bzImage (x86 boot protocol 2.08 and later). Pure; any context; the image is hostile. */
#ifndef HV_BZIMAGE_H
#define HV_BZIMAGE_H

#include <hv/compiler.h>
#include <hv/types.h>

struct bzimage {
	u16 protocol;           /* boot protocol, 0x020f = 2.15 */
	const void *payload;    /* compressed kernel (see hv/decompress.h), or an ELF file as it is; inside the image */
	size_t payload_size;
	u32 unpacked_size;      /* the last 4 bytes of the payload, where the Linux build puts the unpacked length: a hint */
	char version[80];       /* kernel version text, empty if absent */
};

bool bzimage_detect(const void *data, size_t size);
/* Returns 0, or -ENOEXEC with *why set to a phrase for the user (why may be NULL). */
int must_check bzimage_parse(struct bzimage *out, const void *data, size_t size, const char **why);

#endif
