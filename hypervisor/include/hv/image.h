/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the parts of the hypervisor's image lie (linker script): code, constants, data, in this order. Each part begins at a
 * multiple of 2 MiB, so that the final page tables can map it with large pages and with its own rights.
 */
#ifndef HV_IMAGE_H
#define HV_IMAGE_H

#include <hv/memory_map.h>
#include <hv/types.h>

extern const u8 image_start[], image_text_end[];		/* readable and executable */
extern const u8 image_rodata_end[];			/* readable; from image_text_end on */
extern const u8 image_data_end[], image_end[];		/* readable and writable; from image_rodata_end on */
/* The symbol table, part of the last one. */
extern const u8 image_symbols_start[], image_symbols_end[];
/* Entry code and what it touches: all of the hypervisor that guests' page tables hold under XPTI. Page aligned. */
extern const u8 entry_text_start[], entry_text_end[], entry_data_start[], entry_data_end[];
/* Which indirect branches of the code go through thunks. */
extern const u8 image_sites_start[], image_sites_end[];

/* Physical address of the byte at image_start; 2 MiB aligned. Set before any C code runs. */
extern u64 image_phys;

/* Physical address of something in the image. */
static inline paddr_t image_paddr(const volatile void *p)
{
	return paddr((u64)p - IMAGE_START + image_phys);
}

/*
 * The function of the hypervisor that holds addr: its name, *offset gets the distance from its start. NULL when addr is in none.
 * Any context.
 */
const char *symbol_lookup(u64 addr, u64 *offset);
/* Name and address of function number index in ascending order of address; NULL behind the last one. */
const char *symbol_get(u32 index, u64 *addr);

#endif
