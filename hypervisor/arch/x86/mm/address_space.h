/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypervisor's own page tables. */
#ifndef MM_ADDRESS_SPACE_H
#define MM_ADDRESS_SPACE_H

#include <hv/types.h>
#include <hv/compiler.h>

/* Maps at boot, or stops. rights as for ptab_map, PTAB_GLOBAL is added where the CPU allows it. */
void boot_map(u64 va, paddr_t pa, u64 size, u32 rights);
/* Builds the image and direct map from boot_ram and boot_info, and switches to it. */
void address_space_init(void);
/* Tables come from the heap from now on. */
void address_space_heap_ready(void);

#endif
