/* SPDX-License-Identifier: BSD-2-Clause */
/* The three phases of boot: what is brought up, in which order. */
#include <hv/boot.h>
#include <hv/cpu.h>
#include <hv/image.h>
#include <hv/log.h>
#include <hv/memory_map.h>

#include "../cpu/cpu.h"
#include "multiboot2.h"

struct boot_info boot_info;
static struct boot_strings strings;
static struct multiboot2_report report;

void boot_main(u64 mbi, u64 image) noreturn_fn;

void boot_early(void)
{
	descriptors_init_boot();
}

void boot_main(u64 mbi, u64 image)
{
	const void *info = (const void *)(DIRECT_MAP_START + mbi);

	descriptors_init_boot();
	boot_info.image_start = paddr(image);
	boot_info.image_end = paddr(image + (u64)(image_end - image_start));
	multiboot2_parse(info, multiboot2_size(info), &boot_info, &strings, &report);
	boot_early();
	log_always("Argon, started by %s with \"%s\", image at %lx", boot_info.loader, boot_info.cmdline, image);
	for (u32 i = 0; i < boot_info.nr_e820; i++)
		log_info("e820 %016lx + %012lx type %u", boot_info.e820[i].addr, boot_info.e820[i].size,
			 boot_info.e820[i].type);
	for (u32 i = 0; i < boot_info.nr_modules; i++)
		log_info("module %lx + %lx \"%s\"", boot_info.module[i].start.v, boot_info.module[i].size,
			 boot_info.module[i].cmdline);
	panic("nothing more to do");
}
