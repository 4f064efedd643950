/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the start-up code of the other CPUs goes. The memory below 1 MiB belongs to nobody: neither heap nor guests get it. */
#include <hv/boot.h>
#include <hv/image.h>
#include <hv/log.h>
#include <hv/mm.h>
#include <hv/string.h>

#include "boot.h"

#define LOW_START 0x1000UL	/* page 0 has the BIOS's interrupt table */
#define LOW_END 0xa0000UL

/* The highest page of RAM below 640 KiB. */
static u64 page_find(void)
{
	u64 best = 0;

	for (u32 i = 0; i < boot_info.nr_e820; i++) {
		const struct e820_entry *e = &boot_info.e820[i];
		u64 end = ROUND_DOWN(MIN(e->addr + e->size, LOW_END), PAGE_SIZE);

		if (e->type == E820_RAM && end >= PAGE_SIZE && end - PAGE_SIZE >= MAX(e->addr, LOW_START))
			best = MAX(best, end - PAGE_SIZE);
	}
	return best;
}

static void word_set(u8 *copy, const u8 *place, u32 val)
{
	memcpy(copy + (place - trampoline_start), &val, sizeof(val));
}

u8 trampoline_place(void)
{
	u64 page = page_find();
	u8 *copy = (u8 *)(DIRECT_MAP_START + page);

	if (page == 0)
		panic("no memory below 640 KiB: other CPUs cannot be started (use nosmp)");
	memcpy(copy, trampoline_start, (size_t)(trampoline_end - trampoline_start));
	word_set(copy, trampoline_gdt_pointer + 2, get_le32(trampoline_gdt_pointer + 2) + (u32)page);
	word_set(copy, trampoline_far, get_le32(trampoline_far) + (u32)page);
	word_set(copy, trampoline_cr3, (u32)image_paddr(boot_l4).v);
	return (u8)(page >> PAGE_SHIFT);
}
