/* SPDX-License-Identifier: BSD-2-Clause */
/* What a Multiboot2 boot loader hands over (Multiboot2 specification 2.0, section 3.6). Pure; the data may be damaged. */
#ifndef BOOT_MULTIBOOT2_H
#define BOOT_MULTIBOOT2_H

#include <hv/boot.h>
#include <hv/compiler.h>

#define BOOT_CMDLINE_SIZE 2048
#define BOOT_LOADER_SIZE 64
/* The largest block of information that is looked at. */
#define MULTIBOOT2_SIZE_MAX (1U << 20)

/* Where the strings that struct boot_info points to are kept. */
struct boot_strings {
	char loader[BOOT_LOADER_SIZE];
	char cmdline[BOOT_CMDLINE_SIZE];
	char module[BOOT_MODULES][BOOT_CMDLINE_SIZE];
};

/* What was left out because it does not fit; for a message once the console is there. */
struct multiboot2_report {
	bool damaged;		/* ends in the middle, or a tag does not fit */
	u32 modules_ignored, e820_ignored;
};

/*
 * Size of the block of information at data, of which the first 8 bytes can be read: at least 8 and at most
 * MULTIBOOT2_SIZE_MAX.
 */
u32 multiboot2_size(const void *data);
/* Fills *out (whose image_start and image_end stay) from `size` bytes at data. */
void multiboot2_parse(const void *data, u32 size, struct boot_info *out, struct boot_strings *strings,
		      struct multiboot2_report *report);

#endif
