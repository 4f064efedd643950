/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a PVH kernel finds at the physical address in %ebx when it starts, in 32-bit protected mode without paging. An
 * address of 0 means that there is no such thing. Later versions only add fields at the end.
 */
#ifndef XEN_PUBLIC_ARCH_X86_HVM_START_INFO_H
#define XEN_PUBLIC_ARCH_X86_HVM_START_INFO_H

#define XEN_HVM_START_MAGIC_VALUE 0x336ec578

/* As in ACPI's memory map. */
#define XEN_HVM_MEMMAP_TYPE_RAM	     1
#define XEN_HVM_MEMMAP_TYPE_RESERVED 2
#define XEN_HVM_MEMMAP_TYPE_ACPI     3
#define XEN_HVM_MEMMAP_TYPE_NVS	     4
#define XEN_HVM_MEMMAP_TYPE_UNUSABLE 5
#define XEN_HVM_MEMMAP_TYPE_DISABLED 6
#define XEN_HVM_MEMMAP_TYPE_PMEM     7

#ifndef __ASSEMBLY__
#include <stdint.h>

struct hvm_start_info {
	uint32_t magic; /* XEN_HVM_START_MAGIC_VALUE */
	uint32_t version; /* 1 */
	uint32_t flags; /* SIF_* */
	uint32_t nr_modules;
	uint64_t modlist_paddr; /* array of hvm_modlist_entry */
	uint64_t cmdline_paddr; /* string that ends with a zero byte */
	uint64_t rsdp_paddr; /* ACPI */
	uint64_t memmap_paddr; /* since version 1: array of hvm_memmap_table_entry */
	uint32_t memmap_entries;
	uint32_t reserved; /* 0 */
};

struct hvm_modlist_entry {
	uint64_t paddr;
	uint64_t size; /* bytes */
	uint64_t cmdline_paddr;
	uint64_t reserved;
};

struct hvm_memmap_table_entry {
	uint64_t addr;
	uint64_t size; /* bytes */
	uint32_t type; /* XEN_HVM_MEMMAP_TYPE_* */
	uint32_t reserved; /* 0 */
};
#endif

#endif
