/* SPDX-License-Identifier: BSD-2-Clause */
/* ELF64 images (System V ABI, chapters 4 and 5; x86-64 supplement): headers and segments. Notes are in elfnote.c. */
#include <hv/elf.h>
#include <hv/errno.h>
#include <hv/string.h>
#include "elf_format.h"

bool elf_detect(const void *data, size_t size)
{
	return size >= 4 && memcmp(data, "\177ELF", 4) == 0;
}

static int refuse(const char **why, const char *text)
{
	if (why != NULL)
		*why = text;
	return -ENOEXEC;
}

/* Does a table of count entries of that size lie inside the image? */
static bool table_inside(const struct elf_image *image, u64 offset, u64 count, u64 entry_size)
{
	return offset <= image->size && count * entry_size <= image->size - offset;
}

static int header_check(struct elf_image *image, const char **why)
{
	struct elf_header h;

	if (!elf_detect(image->data, image->size))
		return refuse(why, "not an ELF file");
	if (image->size < sizeof(h))
		return refuse(why, "the ELF file is too short for its header");
	memcpy(&h, image->data, sizeof(h)); /* the image may lie at any address */
	if (h.ident[ELF_IDENT_CLASS] != ELF_CLASS_64 || h.ident[ELF_IDENT_DATA] != ELF_DATA_LITTLE ||
	    h.machine != ELF_MACHINE_X86_64)
		return refuse(why, "not a 64-bit x86 ELF file");
	if (h.type != ELF_TYPE_EXECUTABLE && h.type != ELF_TYPE_SHARED)
		return refuse(why, "not an executable ELF file");
	if (h.phentsize != sizeof(struct elf_phdr) || !table_inside(image, h.phoff, h.phnum, sizeof(struct elf_phdr)))
		return refuse(why, "the ELF program headers lie outside the file");
	image->entry = h.entry;
	image->phoff = h.phoff;
	image->phnum = h.phnum;
	if (h.shoff != 0 && h.shentsize == sizeof(struct elf_shdr) &&
	    table_inside(image, h.shoff, h.shnum, sizeof(struct elf_shdr))) {
		image->shoff = h.shoff;
		image->shnum = h.shnum;
	}
	return 0;
}

static bool ranges_overlap(u64 a, u64 a_size, u64 b, u64 b_size)
{
	return a < b ? b - a < a_size : a - b < b_size;
}

static int segment_add(struct elf_image *image, const struct elf_phdr *ph, const char **why)
{
	u64 paddr_end, vaddr_end;

	if (ph->filesz > ph->memsz || ph->offset > image->size || ph->filesz > image->size - ph->offset)
		return refuse(why, "an ELF segment lies outside the file");
	if (__builtin_add_overflow(ph->paddr, ph->memsz, &paddr_end) ||
	    __builtin_add_overflow(ph->vaddr, ph->memsz - 1, &vaddr_end))
		return refuse(why, "an ELF segment's address wraps around");
	if (image->segments == ELF_MAX_SEGMENTS)
		return refuse(why, "the ELF file has too many segments");
	for (unsigned int i = 0; i < image->segments; i++)
		if (ranges_overlap(image->segment[i].paddr, image->segment[i].memsz, ph->paddr, ph->memsz))
			return refuse(why, "ELF segments overlap");
	if (image->segments == 0) {
		image->paddr_start = ph->paddr;
		image->vaddr_start = ph->vaddr;
	}
	image->paddr_start = MIN(image->paddr_start, ph->paddr);
	image->paddr_end = MAX(image->paddr_end, paddr_end);
	image->vaddr_start = MIN(image->vaddr_start, ph->vaddr);
	image->vaddr_end = MAX(image->vaddr_end, vaddr_end + 1);
	image->segment[image->segments++] = (struct elf_segment){
		.paddr = ph->paddr, .vaddr = ph->vaddr, .filesz = ph->filesz, .memsz = ph->memsz,
		.data = image->data + ph->offset, .flags = ph->flags,
	};
	return 0;
}

int elf_parse(struct elf_image *image, const void *data, size_t size, const char **why)
{
	int ret;

	memset(image, 0, sizeof(*image));
	image->data = data;
	image->size = size;
	ret = header_check(image, why);
	for (unsigned int i = 0; ret == 0 && i < image->phnum; i++) {
		struct elf_phdr ph;

		memcpy(&ph, image->data + image->phoff + i * sizeof(ph), sizeof(ph));
		if (ph.type == ELF_PT_LOAD && ph.memsz > 0)
			ret = segment_add(image, &ph, why);
	}
	if (ret == 0 && image->segments == 0)
		ret = refuse(why, "the ELF file has nothing to load");
	return ret;
}

int elf_load(const struct elf_image *image, const struct elf_writer *writer)
{
	for (unsigned int i = 0; i < image->segments; i++) {
		const struct elf_segment *s = &image->segment[i];
		u64 address = s->paddr + writer->bias;
		int ret = 0;

		if (s->filesz > 0)
			ret = writer->write(writer->ctx, address, s->data, s->filesz);
		if (ret == 0 && s->memsz > s->filesz)
			ret = writer->write(writer->ctx, address + s->filesz, NULL, s->memsz - s->filesz);
		if (ret != 0)
			return ret;
	}
	return 0;
}
