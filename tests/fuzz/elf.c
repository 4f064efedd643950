/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzz target: what looks at a kernel before it runs: bzImage, ELF, its notes, and loading. */
#include <stdlib.h>
#include <string.h>
#include <hv/bzimage.h>
#include <hv/elf.h>
#include <hv/errno.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static u64 written;

/* What is written has to come from the file. */
static int writer(void *ctx, u64 address, const void *src, size_t len)
{
	const struct elf_image *image = ctx;
	u8 sum = 0;

	(void)address;
	if (len == 0)
		abort();
	if (src) {
		if ((const u8 *)src < image->data || (const u8 *)src + len > image->data + image->size)
			abort();
		for (size_t i = 0; i < len; i++)
			sum = (u8)(sum + ((const u8 *)src)[i]);
	}
	written += len;
	return written > 1UL << 40 || sum == 0xff ? -ENOMEM : 0;
}

static void elf(const void *data, size_t size)
{
	struct elf_pv_layout layout;
	struct elf_writer w = { .write = writer };
	struct elf_notes notes;
	struct elf_image image;
	const char *why = NULL;

	(void)elf_detect(data, size);
	if (elf_parse(&image, data, size, &why)) {
		if (!why)
			abort();
		return;
	}
	if (image.segments == 0 || image.paddr_end < image.paddr_start || image.vaddr_end < image.vaddr_start)
		abort();
	(void)elf_notes_read(&image, &notes);
	if (elf_pv_layout_get(&image, &notes, &layout, &why) == 0 &&
	    (layout.kernel_end <= layout.kernel_start || layout.entry < layout.kernel_start || layout.entry >= layout.kernel_end))
		abort();
	written = 0;
	w.ctx = &image;
	(void)!elf_load(&image, &w);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct bzimage bz;
	const char *why = NULL;
	u8 *copy = malloc(size + !size);

	memcpy(copy, data, size);
	if (bzimage_detect(copy, size) && bzimage_parse(&bz, copy, size, &why) == 0) {
		const u8 *p = bz.payload;

		if (p < copy || bz.payload_size > size || p + bz.payload_size > copy + size || !memchr(bz.version, 0, sizeof(bz.version)))
			abort();
		elf(bz.payload, bz.payload_size);
	}
	elf(copy, size);
	free(copy);
	return 0;
}
