/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to libargonbuild. */
#ifndef BUILD_IMAGE_H
#define BUILD_IMAGE_H

#include "kernel.h"

struct build_image {
	struct kernel kernel;
	char *name; /* of the kernel, for messages */
	char *ramdisk; /* path, NULL: none */
	int ramdisk_fd;
	uint64_t ramdisk_bytes;
	bool from_cache;
};

#endif
