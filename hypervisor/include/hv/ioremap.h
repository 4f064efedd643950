/* SPDX-License-Identifier: BSD-2-Clause */
/* Mappings of device memory into the hypervisor (arch/x86/mm). */
#ifndef HV_IOREMAP_H
#define HV_IOREMAP_H

#include <hv/types.h>
#include <hv/compiler.h>

/*
 * Maps size bytes at physical address p (any alignment) uncached, or write-combining; the result points to p's byte.
 * NULL when there is no room or no memory for page tables. Usable from boot_early on (page tables then come from the boot
 * allocator); takes LOCK_MAP.
 */
void *ioremap(paddr_t p, size_t size) must_check;
void *ioremap_wc(paddr_t p, size_t size) must_check;
/* Takes a mapping away; p and size as given to (and returned by) ioremap. Not while any CPU may use it. */
void iounmap(const volatile void *p, size_t size);

#endif
