/* SPDX-License-Identifier: BSD-2-Clause */
/* Where things lie in the hypervisor's half of every address space; docs/architecture.md has the table. Usable from assembly. */
#ifndef HV_MEMORY_MAP_H
#define HV_MEMORY_MAP_H

#ifdef __ASSEMBLY__
#define MAP_ADDRESS(x) x
#else
#define MAP_ADDRESS(x) x##UL
#endif

/* Machine-to-physical table as guests see it (ABI): one u64 a frame, up to 128 TiB of memory. */
#define M2P_START MAP_ADDRESS(0xffff800000000000)
#define M2P_SIZE MAP_ADDRESS(0x0000004000000000)
/* struct frame of frame n at FRAME_TABLE_START + 32 * n. */
#define FRAME_TABLE_START MAP_ADDRESS(0xffff804000000000)
#define FRAME_TABLE_SIZE MAP_ADDRESS(0x0000002000000000)
/* The same table as M2P_START, writable, for the hypervisor alone. */
#define M2P_ALIAS_START MAP_ADDRESS(0xffff806000000000)
#define M2P_ALIAS_SIZE MAP_ADDRESS(0x0000001000000000)
#define IOREMAP_START MAP_ADDRESS(0xffff807000000000)
#define IOREMAP_SIZE MAP_ADDRESS(0x0000000800000000)
/* Per-CPU windows: WINDOW_SIZE for each CPU. */
#define WINDOWS_START MAP_ADDRESS(0xffff807800000000)
#define WINDOWS_SIZE MAP_ADDRESS(0x0000000040000000)
#define IMAGE_START MAP_ADDRESS(0xffff807fc0000000)
#define IMAGE_SIZE MAP_ADDRESS(0x0000000040000000)
/* All RAM below DIRECT_MAP_SIZE. */
#define DIRECT_MAP_START MAP_ADDRESS(0xffff808000000000)
#define DIRECT_MAP_SIZE MAP_ADDRESS(0x0000078000000000)

/* Slots of an L4 that belong to the hypervisor, and the first one of the direct map. */
#define HV_L4_FIRST 256
#define HV_L4_LAST 271
#define HV_L4_DIRECT_MAP 257

/* Pages of a CPU's window: its GDT (the guest's 14 pages, then 2 of the hypervisor), LDT, and temporary maps. */
#define WINDOW_SHIFT 21
#define WINDOW_SIZE (MAP_ADDRESS(1) << WINDOW_SHIFT)
#define WINDOW_GDT_PAGE 0
#define WINDOW_GDT_PAGES 16
#define WINDOW_LDT_PAGE 16
#define WINDOW_LDT_PAGES 16
#define WINDOW_TEMP_PAGE 32
#define WINDOW_TEMP_PAGES 64

/* What boot's first page tables have to map when mm_early_init is called: the image, and the direct map of this much. */
#define EARLY_DIRECT_MAP_SIZE MAP_ADDRESS(0x0000000100000000)

#endif
