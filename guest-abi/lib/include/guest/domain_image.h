/* SPDX-License-Identifier: BSD-2-Clause */
/* What is in the memory of a new domain, page by page: kernel image, P2M list, start_info, page tables, stack. */
#ifndef GUEST_DOMAIN_IMAGE_H
#define GUEST_DOMAIN_IMAGE_H

#include <guest/types.h>
#include <xen/xen.h>

struct domain_image {
	const u8 *elf;
	size_t size;
	u64 entry, hypercall_page; /* virtual */
	unsigned int pages; /* of the domain */
	/* Pseudo-physical frames, in this order; end_pfn is the first that has nothing in it. */
	unsigned int first_pfn, p2m_pfn, info_pfn, console_pfn, root_pfn, stack_pfn, end_pfn;
	unsigned int mapped; /* frames from 0 on that the tables map */
	unsigned int l1_tables;
	/* To be filled in by the caller before image_page. */
	const xen_pfn_t *frames;
	const char *cmdline;
	u64 shared_info; /* machine address */
	u32 console_port;
};

/* Lays out a domain for a kernel of this library. 0, or -XEN_EINVAL: it is none, or does not fit. */
int image_parse(struct domain_image *image, const void *elf, size_t size, unsigned int pages);
/* Writes what belongs into frame pfn to a zeroed page. */
void image_page(const struct domain_image *image, unsigned int pfn, void *page);

#endif
