/* SPDX-License-Identifier: BSD-2-Clause */
#include <hv/cmdline.h>
#include <hv/string.h>

#include "multiboot2.h"

enum tag_type {
	TAG_END = 0, TAG_CMDLINE = 1, TAG_LOADER = 2, TAG_MODULE = 3, TAG_MEMORY = 4, TAG_MMAP = 6, TAG_FRAMEBUFFER = 8,
	TAG_EFI64 = 12, TAG_ACPI_OLD = 14, TAG_ACPI_NEW = 15, TAG_EFI_MMAP = 17,
};

/* Offsets in tags, from the tag's start (type and size are the first two words). */
#define TAG_HEADER 8U
#define MODULE_START 8
#define MODULE_END 12
#define MODULE_TEXT 16
#define MEMORY_LOWER 8		/* KiB below 640 KiB */
#define MEMORY_UPPER 12		/* KiB from 1 MiB on */
#define MMAP_ENTRY_SIZE 8
#define MMAP_ENTRIES 16
#define MMAP_ENTRY_MIN 20	/* address, length, type */
#define FB_ADDR 8
#define FB_PITCH 16
#define FB_WIDTH 20
#define FB_HEIGHT 24
#define FB_BPP 28
#define FB_TYPE 29
#define FB_COLOUR 32		/* position and size of red, green, blue */
#define FB_TYPE_RGB 1
#define FB_TYPE_TEXT 2
#define EFI_MMAP_ENTRY_SIZE 8
#define EFI_MMAP_ENTRIES 16
#define EFI_MMAP_ENTRY_MIN 40	/* type, padding, physical, virtual, pages, attributes */

/* The text of len bytes at src, terminated or not, without what a boot script put in front. */
static const char *text_copy(char *dst, size_t size, const u8 *src, u32 len, bool skip)
{
	size_t n = strnlen((const char *)src, MIN(len, size - 1));

	memcpy(dst, src, n);
	dst[n] = '\0';
	return skip ? cmdline_skip_image(dst) : dst;
}

static void module_add(const u8 *tag, u32 size, struct boot_info *out, struct boot_strings *strings,
		       struct multiboot2_report *report)
{
	struct boot_module *m = &out->module[out->nr_modules];
	u32 start, end;

	if (size < MODULE_TEXT) {
		report->damaged = true;
		return;
	}
	if (out->nr_modules == BOOT_MODULES) {
		report->modules_ignored++;
		return;
	}
	start = get_le32(tag + MODULE_START);
	end = get_le32(tag + MODULE_END);
	if (end < start) {
		report->damaged = true;
		return;
	}
	m->start = paddr(start);
	m->size = end - start;
	m->cmdline = text_copy(strings->module[out->nr_modules], BOOT_CMDLINE_SIZE, tag + MODULE_TEXT, size - MODULE_TEXT,
			       true);
	out->nr_modules++;
}

static void e820_add(struct boot_info *out, u64 addr, u64 size, u32 type, struct multiboot2_report *report)
{
	if (size == 0)
		return;
	if (addr + size - 1 < addr)
		size = 0 - addr;
	if (out->nr_e820 == BOOT_E820_MAX) {
		report->e820_ignored++;
		return;
	}
	out->e820[out->nr_e820++] = (struct e820_entry){ addr, size, type };
}

static void mmap_read(const u8 *tag, u32 size, struct boot_info *out, struct multiboot2_report *report)
{
	u32 step;

	if (size < MMAP_ENTRIES) {
		report->damaged = true;
		return;
	}
	step = get_le32(tag + MMAP_ENTRY_SIZE);
	if (step < MMAP_ENTRY_MIN || step > size) {
		report->damaged = true;
		return;
	}
	out->nr_e820 = 0;
	for (u32 at = MMAP_ENTRIES; at + step <= size; at += step)
		e820_add(out, get_le64(tag + at), get_le64(tag + at + 8), get_le32(tag + at + 16), report);
}

/* Basic memory information, for a loader that gives no map. */
static void memory_read(const u8 *tag, u32 size, struct boot_info *out, struct multiboot2_report *report)
{
	if (size < MEMORY_UPPER + 4 || out->nr_e820 != 0)
		return;
	e820_add(out, 0, (u64)get_le32(tag + MEMORY_LOWER) << 10, E820_RAM, report);
	e820_add(out, 0x100000, (u64)get_le32(tag + MEMORY_UPPER) << 10, E820_RAM, report);
}

static void efi_mmap_read(const u8 *tag, u32 size, struct boot_info *out, struct multiboot2_report *report)
{
	u32 step;

	if (size < EFI_MMAP_ENTRIES) {
		report->damaged = true;
		return;
	}
	step = get_le32(tag + EFI_MMAP_ENTRY_SIZE);
	if (step < EFI_MMAP_ENTRY_MIN || step > size) {
		report->damaged = true;
		return;
	}
	out->nr_efi_memory = 0;
	for (u32 at = EFI_MMAP_ENTRIES; at + step <= size && out->nr_efi_memory < BOOT_EFI_MEMORY_MAX; at += step)
		out->efi_memory[out->nr_efi_memory++] = (struct boot_efi_memory){
			.type = get_le32(tag + at), .start = get_le64(tag + at + 8),
			.size = get_le64(tag + at + 24) << PAGE_SHIFT, .attributes = get_le64(tag + at + 32),
		};
}

static void framebuffer_read(const u8 *tag, u32 size, struct boot_video *video)
{
	struct boot_video v = { 0 };

	if (size < FB_COLOUR)
		return;
	v.addr = paddr(get_le64(tag + FB_ADDR));
	v.pitch = get_le32(tag + FB_PITCH);
	v.width = get_le32(tag + FB_WIDTH);
	v.height = get_le32(tag + FB_HEIGHT);
	v.bpp = tag[FB_BPP];
	if (tag[FB_TYPE] == FB_TYPE_TEXT) {
		v.text = true;
	} else if (tag[FB_TYPE] == FB_TYPE_RGB && size >= FB_COLOUR + 6) {
		v.red_pos = tag[FB_COLOUR];
		v.red_size = tag[FB_COLOUR + 1];
		v.green_pos = tag[FB_COLOUR + 2];
		v.green_size = tag[FB_COLOUR + 3];
		v.blue_pos = tag[FB_COLOUR + 4];
		v.blue_size = tag[FB_COLOUR + 5];
	} else {
		return;
	}
	v.valid = true;
	*video = v;
}

static void rsdp_read(const u8 *tag, u32 size, bool newer, struct boot_info *out)
{
	u32 len = MIN(size - TAG_HEADER, (u32)sizeof(out->rsdp_copy));

	if (out->rsdp_len != 0 && !newer)
		return;
	memcpy(out->rsdp_copy, tag + TAG_HEADER, len);
	out->rsdp_len = len;
}

static void tag_read(u32 type, const u8 *tag, u32 size, struct boot_info *out, struct boot_strings *strings,
		     struct multiboot2_report *report)
{
	switch (type) {
	case TAG_CMDLINE:
		out->cmdline = text_copy(strings->cmdline, sizeof(strings->cmdline), tag + TAG_HEADER, size - TAG_HEADER,
					 true);
		break;
	case TAG_LOADER:
		out->loader = text_copy(strings->loader, sizeof(strings->loader), tag + TAG_HEADER, size - TAG_HEADER,
					false);
		break;
	case TAG_MODULE:
		module_add(tag, size, out, strings, report);
		break;
	case TAG_MEMORY:
		memory_read(tag, size, out, report);
		break;
	case TAG_MMAP:
		mmap_read(tag, size, out, report);
		break;
	case TAG_FRAMEBUFFER:
		framebuffer_read(tag, size, &out->video);
		break;
	case TAG_EFI64:
		if (size >= TAG_HEADER + 8)
			out->efi_systab = paddr(get_le64(tag + TAG_HEADER));
		break;
	case TAG_EFI_MMAP:
		efi_mmap_read(tag, size, out, report);
		break;
	case TAG_ACPI_OLD:
	case TAG_ACPI_NEW:
		rsdp_read(tag, size, type == TAG_ACPI_NEW, out);
		break;
	default:
		break;
	}
}

u32 multiboot2_size(const void *data)
{
	u32 size = get_le32(data);

	return MAX(TAG_HEADER, MIN(size, MULTIBOOT2_SIZE_MAX));
}

void multiboot2_parse(const void *data, u32 size, struct boot_info *out, struct boot_strings *strings,
		      struct multiboot2_report *report)
{
	paddr_t start = out->image_start, end = out->image_end;
	u32 at = TAG_HEADER;

	*out = (struct boot_info){ .image_start = start, .image_end = end, .loader = "", .cmdline = "" };
	*report = (struct multiboot2_report){ 0 };
	while (at <= size && size - at >= TAG_HEADER) {
		const u8 *tag = (const u8 *)data + at;
		u32 type = get_le32(tag), len = get_le32(tag + 4);

		if (type == TAG_END)
			return;
		if (len < TAG_HEADER || len > size - at)
			break;
		tag_read(type, tag, len, out, strings, report);
		at += ROUND_UP(len, 8U);
	}
	report->damaged = true;
}
