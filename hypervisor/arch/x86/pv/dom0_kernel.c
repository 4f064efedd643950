/* SPDX-License-Identifier: BSD-2-Clause */
/* From the boot module to an ELF image in memory. */
#include <hv/bzimage.h>
#include <hv/decompress.h>
#include <hv/errno.h>
#include <hv/frame.h>
#include <hv/log.h>
#include "dom0.h"

/* A compressed image without a length hint is tried with this many times its size. */
#define GUESS_FACTOR 8u
#define MAX_ORDER 18u

static unsigned int order_of(size_t size)
{
	unsigned int order = 0;

	while ((PAGE_SIZE << order) < size)
		order++;
	return order;
}

static const void *unpack(const void *data, size_t len, size_t hint, size_t *size, struct frame **block,
			  unsigned int *order)
{
	struct decompress_scratch *scratch = hv_alloc(sizeof(*scratch));
	size_t cap = hint >= len ? hint : len * GUESS_FACTOR;
	void *out = NULL;
	int rc = -ENOMEM;

	for (*order = order_of(cap); scratch && *order <= MAX_ORDER; ++*order) {
		*block = frames_alloc(*order, 0);
		if (!*block)
			break;
		out = frame_map(frame_mfn(*block));
		rc = decompress(data, len, out, PAGE_SIZE << *order, size, scratch);
		if (rc != -ENOSPC)
			break;
		frames_free(*block, *order);
		*block = NULL;
	}
	hv_free(scratch);
	if (rc == -ENOMEM || !*block)
		panic("dom0: not enough memory to unpack the kernel (%zu bytes); add memory or use a smaller kernel", cap);
	if (rc)
		panic("dom0: the kernel's %s payload is damaged or not supported (error %d); install the kernel again",
		      decompress_format_name(decompress_detect(data, len)), -rc);
	return out;
}

const void *dom0_kernel_unpack(const struct boot_module *kernel, size_t *size, struct frame **block, unsigned int *order)
{
	const void *data = (char *)frame_map(paddr_mfn(kernel->start)) + kernel->start.v % PAGE_SIZE;
	size_t len = kernel->size, hint = 0;
	const char *why = NULL;
	struct bzimage bz;

	*block = NULL;
	if (bzimage_detect(data, len)) {
		if (bzimage_parse(&bz, data, len, &why))
			panic("dom0: the kernel module is a damaged bzImage: %s; install the kernel again", why);
		log_info("dom0: Linux %s\n", bz.version);
		data = bz.payload;
		len = bz.payload_size;
		hint = bz.unpacked_size;
	}
	if (elf_detect(data, len)) {
		*size = len;
		return data;
	}
	if (decompress_detect(data, len) == DECOMPRESS_NONE)
		panic("dom0: the kernel module is neither an ELF file nor a bzImage; check the first module2 line of the boot entry");
	return unpack(data, len, hint, size, block, order);
}
