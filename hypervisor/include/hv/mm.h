/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypervisor's own address space and how memory is brought up at boot (arch/x86/mm). Frames and the heap are in hv/frame.h. */
#ifndef HV_MM_H
#define HV_MM_H

#include <hv/types.h>
#include <hv/compiler.h>
#include <hv/memory_map.h>

/* --- boot, in this order, on CPU 0 --- */

/*
 * Keeps [start, start + size) from being allocated by the early allocator and given to the heap, beside what mm_early_init
 * reserves by itself (the image, the modules, everything below 1 MiB). Before mm_early_init.
 */
void boot_memory_reserve(paddr_t start, u64 size);
/*
 * Reads boot_info (e820, modules, image), starts the early allocator, builds the final page tables (image, direct map) and
 * switches to them. Needs features_init on this CPU. Afterwards ioremap works.
 */
void mm_early_init(void);
/*
 * Frame table, machine-to-physical table and heap. acpi_info is final (NUMA nodes are taken from there). The early allocator
 * ends here. Modules stay reserved until mm_boot_release.
 */
void mm_init(void);
/* Gives memory that was reserved at boot (a module that nobody needs any more, init code) to the heap. */
void mm_boot_release(paddr_t start, u64 size);

/* count frames in a row, the first a multiple of align (a power of two); zeroed; below 4 GiB until mm_early_init is done. Panics when there are none. */
mfn_t boot_frames_alloc(u64 count, u64 align);

/* True when e820 says that all of [start, start + size) is RAM of the machine (usable or not by the heap). */
bool memory_is_ram(paddr_t start, u64 size);
/* Bytes of RAM in all, as e820 has it. */
u64 memory_ram_size(void);

/* --- address space --- */

/* CR3 of the hypervisor's own address space: for idle CPUs and CPUs that start. Constant after mm_early_init. */
paddr_t hv_root(void);
/* The 512 entries of that L4; entries HV_L4_FIRST to HV_L4_LAST go into every guest's L4 and are constant after mm_early_init. */
const u64 *hv_l4_template(void);
/* The machine-to-physical table in pieces of 2 MiB: how many there are, and the first frame of one (frame 0 for one that is not there). */
u64 m2p_extents(void);
mfn_t m2p_extent(u64 n);
/* Instead of entry HV_L4_FIRST: the same without the guest-visible M2P, for user-mode L4s under VMASST_TYPE_m2p_strict. Constant. */
u64 hv_l4_strict_entry(void);

enum cache_mode { CACHE_WB, CACHE_WT, CACHE_UC_MINUS, CACHE_UC, CACHE_WC, CACHE_WP, CACHE_MODES };
/*
 * The page attribute table: entries 0 to 7 are WB WT UC- UC WC WP UC UC, which the PV ABI promises to guests. enum cache_mode is in
 * that order. Every CPU loads it into MSR_PAT.
 */
#define MSR_PAT 0x277
#define PAT_VALUE 0x0000050100070406UL

/* As ioremap (hv/ioremap.h), with any cache mode. */
void *memory_map_io(paddr_t start, u64 size, enum cache_mode mode) must_check;
/* acpi_access.map over ioremap (hv/acpi.h): at most two mappings live at a time, older ones are taken away. */
const void *acpi_memory_map(paddr_t start, size_t size);

/* Per-CPU windows. Creates the one of a CPU (before it starts); 0 or -ENOMEM; harmless when it is there already. */
int percpu_window_create(unsigned int cpu) must_check;
static inline u64 percpu_window(unsigned int cpu)
{
	return WINDOWS_START + ((u64)cpu << WINDOW_SHIFT);
}
/*
 * The page table of a CPU's window: entry n maps the page at percpu_window(cpu) + n * PAGE_SIZE. Entries of the GDT and LDT
 * windows are written with plain stores by that CPU (or before it starts), which then flushes the page. They are zero at first.
 */
extern u64 *percpu_window_tables[];
static inline u64 *percpu_window_ptes(unsigned int cpu)
{
	return percpu_window_tables[cpu];
}
/* Entry bits for such a page: present, not executable; writable as asked. */
u64 percpu_window_pte(mfn_t m, bool writable);

#endif
