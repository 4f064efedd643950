/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to dom0's builder. */
#ifndef ARCH_X86_PV_DOM0_H
#define ARCH_X86_PV_DOM0_H

#include <hv/boot.h>
#include <hv/domain.h>
#include <hv/elf.h>
#include <hv/frame.h>
#include <hv/types.h>

/* A run of dom0's memory, contiguous in pseudo-physical and machine frames. */
struct dom0_extent {
	u64 pfn, mfn, count;
};

/* Enough for any machine whose memory is not yet in use. */
#define DOM0_EXTENTS 8192

/* Pseudo-physical memory of dom0 while it is built: extents in ascending pfn order. */
struct dom0_memory_map {
	u64 pages;
	u32 count;
	struct dom0_extent extent[DOM0_EXTENTS];
};

/* Where the start-of-day pieces of a PV domain go (public header xen.h, "start-of-day memory layout"). Linear addresses. */
struct dom0_layout {
	u64 base;			/* linear address of pfn 0 */
	u64 start_info, stack, end;	/* stack: lowest byte of the page; end: of the mapped region */
	u64 tables, nr_tables;		/* page tables of the mapped region */
	u64 initrd, initrd_size;	/* linear address, or pfn << 12 when !initrd_mapped */
	bool initrd_mapped;
	u64 p2m;			/* linear address of the P2M list */
	bool p2m_outside;		/* it lies outside the mapped region, in pfns of its own: */
	u64 p2m_first_pfn, p2m_pages;	/* data pages, */
	u64 p2m_tables;			/* followed by so many page tables */
	u64 pfns_used;
};

/*
 * Lays out a domain of `pages` pages. Pure. 0, or -ENOMEM when it does not fit, -EINVAL when regions collide with each other or with the
 * hypervisor's range.
 */
int dom0_layout_make(struct dom0_layout *l, const struct elf_pv_layout *kernel, bool initrd_unmapped, u64 initrd_size,
		     u64 pages) must_check;

/* Machine frame of a pfn; it must be below map->pages. */
mfn_t dom0_mfn(const struct dom0_memory_map *map, u64 pfn);
/* Contents of a page of dom0. */
void *dom0_page(const struct dom0_memory_map *map, u64 pfn);

/* Builds the page tables described by l; returns the frame of the L4. */
mfn_t dom0_tables_make(const struct dom0_layout *l, const struct dom0_memory_map *map);

/* Unpacks the kernel image to memory that the caller frees with frames_free(*block, *order); panics with a clear message when it cannot. */
const void *dom0_kernel_unpack(const struct boot_module *kernel, size_t *size, struct frame **block, unsigned int *order);

/* Gives dom0 the I/O ports, I/O memory and interrupts that the hypervisor does not need itself. */
void dom0_permissions_set(struct domain *d);

#endif
