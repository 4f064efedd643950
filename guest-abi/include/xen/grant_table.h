/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * grant_table_op(cmd, array, count): let another domain use a page, and use pages of others.
 *
 * A domain's grant table is an array of entries in frames that it shares with the hypervisor (GNTTABOP_setup_table). It
 * fills in an entry (domid and frame first, a write barrier, then flags) and hands its index, the grant reference, to
 * the other domain. To take a grant back it exchanges flags for 0 with a compare-and-exchange, which must not find
 * GTF_reading or GTF_writing set. Version 1 entries keep those two bits in flags; in version 2 they are in a separate
 * array of status words, and the hypervisor only reads the entries.
 *
 * The call returns 0 or an error for the whole; each element of the array has a status of its own.
 */
#ifndef XEN_PUBLIC_GRANT_TABLE_H
#define XEN_PUBLIC_GRANT_TABLE_H

#include "xen.h"

#define GNTTABOP_map_grant_ref	   0
#define GNTTABOP_unmap_grant_ref   1
#define GNTTABOP_setup_table	   2
#define GNTTABOP_dump_table	   3
#define GNTTABOP_transfer	   4
#define GNTTABOP_copy		   5
#define GNTTABOP_query_size	   6
#define GNTTABOP_unmap_and_replace 7
#define GNTTABOP_set_version	   8
#define GNTTABOP_get_status_frames 9
#define GNTTABOP_get_version	   10
#define GNTTABOP_swap_grant_ref	   11
#define GNTTABOP_cache_flush	   12

/* The first entries are the tools' to fill in before the domain starts; they survive a change of version. */
#define GNTTAB_NR_RESERVED_ENTRIES 8
#define GNTTAB_RESERVED_CONSOLE	   0
#define GNTTAB_RESERVED_XENSTORE   1

/* Types of an entry. */
#define GTF_invalid	    (0U << 0)
#define GTF_permit_access   (1U << 0) /* domid may map or copy the frame */
#define GTF_accept_transfer (2U << 0) /* domid may give a frame */
#define GTF_transitive	    (3U << 0) /* version 2: domid may copy what gref of trans_domid grants to this domain */
#define GTF_type_mask	    (3U << 0)

/* Flags of GTF_permit_access and GTF_transitive. */
#define _GTF_readonly (2)
#define GTF_readonly  (1U << _GTF_readonly)
#define _GTF_reading  (3) /* set by the hypervisor while in use */
#define GTF_reading   (1U << _GTF_reading)
#define _GTF_writing  (4)
#define GTF_writing   (1U << _GTF_writing)
#define _GTF_PWT      (5) /* cache attributes for mappings */
#define GTF_PWT	      (1U << _GTF_PWT)
#define _GTF_PCD      (6)
#define GTF_PCD	      (1U << _GTF_PCD)
#define _GTF_PAT      (7)
#define GTF_PAT	      (1U << _GTF_PAT)
#define _GTF_sub_page (8) /* version 2: only a part of the page, for copying */
#define GTF_sub_page  (1U << _GTF_sub_page)

/* Flags of GTF_accept_transfer, set by the hypervisor: the entry is taken; the frame number has been written. */
#define _GTF_transfer_committed (2)
#define GTF_transfer_committed	(1U << _GTF_transfer_committed)
#define _GTF_transfer_completed (3)
#define GTF_transfer_completed	(1U << _GTF_transfer_completed)

/* gnttab_copy.flags: what the unions hold. */
#define _GNTCOPY_source_gref (0)
#define GNTCOPY_source_gref  (1 << _GNTCOPY_source_gref)
#define _GNTCOPY_dest_gref   (1)
#define GNTCOPY_dest_gref    (1 << _GNTCOPY_dest_gref)

/* gnttab_cache_flush.op */
#define GNTTAB_CACHE_CLEAN	 (1u << 0)
#define GNTTAB_CACHE_INVAL	 (1u << 1)
#define GNTTAB_CACHE_SOURCE_GREF (1u << 31) /* a.ref is valid */

/* gnttab_map_grant_ref.flags */
#define _GNTMAP_device_map	(0) /* for DMA */
#define GNTMAP_device_map	(1 << _GNTMAP_device_map)
#define _GNTMAP_host_map	(1) /* at host_addr */
#define GNTMAP_host_map		(1 << _GNTMAP_host_map)
#define _GNTMAP_readonly	(2)
#define GNTMAP_readonly		(1 << _GNTMAP_readonly)
#define _GNTMAP_application_map (3) /* visible in user mode */
#define GNTMAP_application_map	(1 << _GNTMAP_application_map)
#define _GNTMAP_contains_pte	(4) /* host_addr is the machine address of the entry, not a virtual address */
#define GNTMAP_contains_pte	(1 << _GNTMAP_contains_pte)
#define _GNTMAP_guest_avail0	(16) /* from here on: software bits for the entry */
#define GNTMAP_guest_avail_mask ((uint32_t)~0 << _GNTMAP_guest_avail0)

/* Values of status. */
#define GNTST_okay		(0)
#define GNTST_general_error	(-1)
#define GNTST_bad_domain	(-2)
#define GNTST_bad_gntref	(-3)
#define GNTST_bad_handle	(-4)
#define GNTST_bad_virt_addr	(-5)
#define GNTST_bad_dev_addr	(-6)
#define GNTST_no_device_space	(-7)  /* the IOMMU is full */
#define GNTST_permission_denied (-8)
#define GNTST_bad_page		(-9)
#define GNTST_bad_copy_arg	(-10) /* the copy would leave a page */
#define GNTST_address_too_big	(-11)
#define GNTST_eagain		(-12) /* try again later */
#define GNTST_no_space		(-13)

/* For an array of strings, indexed by -status. */
#define GNTTABOP_error_msgs                                                                        \
	{                                                                                          \
		"okay", "failed", "no such domain", "not a valid grant", "no such mapping",        \
		"not a valid address", "not a valid device address", "the IOMMU is full",          \
		"not permitted", "not a valid page", "copy leaves its page",                       \
		"page address too high", "try again", "out of space",                              \
	}

#ifndef __ASSEMBLY__

typedef uint32_t grant_ref_t;
typedef uint32_t grant_handle_t;

typedef struct grant_entry_v1 {
	uint16_t flags; /* GTF_* */
	domid_t domid; /* to whom */
	uint32_t frame;
} grant_entry_v1_t;

typedef struct grant_entry_header {
	uint16_t flags;
	domid_t domid;
} grant_entry_header_t;

typedef union grant_entry_v2 {
	grant_entry_header_t hdr;
	struct {
		grant_entry_header_t hdr;
		uint32_t pad0;
		uint64_t frame;
	} full_page;
	struct { /* GTF_sub_page */
		grant_entry_header_t hdr;
		uint16_t page_off;
		uint16_t length;
		uint64_t frame;
	} sub_page;
	struct { /* GTF_transitive */
		grant_entry_header_t hdr;
		domid_t trans_domid;
		uint16_t pad0;
		grant_ref_t gref;
	} transitive;
	uint32_t __spacer[4];
} grant_entry_v2_t;

/* Version 2: GTF_reading and GTF_writing of one entry. */
typedef uint16_t grant_status_t;

/* On success the mapping is known by handle; it must be undone with it and by no other means. */
typedef struct gnttab_map_grant_ref {
	uint64_t host_addr; /* IN */
	uint32_t flags; /* IN: GNTMAP_* */
	grant_ref_t ref; /* IN */
	domid_t dom; /* IN */
	int16_t status; /* OUT: GNTST_* */
	grant_handle_t handle; /* OUT */
	uint64_t dev_bus_addr; /* OUT: address for DMA */
} gnttab_map_grant_ref_t;
DEFINE_XEN_GUEST_HANDLE(gnttab_map_grant_ref_t);

/* Undoes the parts of the mapping whose address is not 0. After the batch no TLB holds them. */
typedef struct gnttab_unmap_grant_ref {
	uint64_t host_addr; /* IN */
	uint64_t dev_bus_addr; /* IN */
	grant_handle_t handle; /* IN */
	int16_t status; /* OUT */
} gnttab_unmap_grant_ref_t;
DEFINE_XEN_GUEST_HANDLE(gnttab_unmap_grant_ref_t);

/* Grow the table to at least nr_frames, and tell the first nr_frames of its frames. */
typedef struct gnttab_setup_table {
	domid_t dom; /* IN */
	uint32_t nr_frames; /* IN */
	int16_t status; /* OUT */
	XEN_GUEST_HANDLE(xen_pfn_t) frame_list; /* OUT */
} gnttab_setup_table_t;
DEFINE_XEN_GUEST_HANDLE(gnttab_setup_table_t);

/* Print the table on the hypervisor's console. */
typedef struct gnttab_dump_table {
	domid_t dom; /* IN */
	int16_t status; /* OUT */
} gnttab_dump_table_t;
DEFINE_XEN_GUEST_HANDLE(gnttab_dump_table_t);

/* Give a frame away for good. Unless status is GNTST_bad_page the caller has lost it, also on failure. */
typedef struct gnttab_transfer {
	xen_pfn_t mfn; /* IN */
	domid_t domid; /* IN */
	grant_ref_t ref; /* IN: a GTF_accept_transfer entry of domid */
	int16_t status; /* OUT */
} gnttab_transfer_t;
DEFINE_XEN_GUEST_HANDLE(gnttab_transfer_t);

typedef struct gnttab_copy {
	struct gnttab_copy_ptr {
		union {
			grant_ref_t ref; /* a grant of domid */
			xen_pfn_t gmfn; /* a frame of domid (DOMID_SELF) */
		} u;
		domid_t domid;
		uint16_t offset;
	} source, dest; /* IN */
	uint16_t len; /* IN: bytes */
	uint16_t flags; /* IN: GNTCOPY_* */
	int16_t status; /* OUT */
} gnttab_copy_t;
DEFINE_XEN_GUEST_HANDLE(gnttab_copy_t);

typedef struct gnttab_query_size {
	domid_t dom; /* IN */
	uint32_t nr_frames; /* OUT: now */
	uint32_t max_nr_frames; /* OUT */
	int16_t status; /* OUT */
} gnttab_query_size_t;
DEFINE_XEN_GUEST_HANDLE(gnttab_query_size_t);

/* Undo a mapping at host_addr by moving there the entry that maps new_addr, which is left empty. */
typedef struct gnttab_unmap_and_replace {
	uint64_t host_addr; /* IN */
	uint64_t new_addr; /* IN */
	grant_handle_t handle; /* IN */
	int16_t status; /* OUT */
} gnttab_unmap_and_replace_t;
DEFINE_XEN_GUEST_HANDLE(gnttab_unmap_and_replace_t);

/* 1 or 2; no grant may be in use. On return: the version in effect. */
typedef struct gnttab_set_version {
	uint32_t version; /* IN, OUT */
} gnttab_set_version_t;
DEFINE_XEN_GUEST_HANDLE(gnttab_set_version_t);

/* The frames of the status words (version 2). */
typedef struct gnttab_get_status_frames {
	uint32_t nr_frames; /* IN */
	domid_t dom; /* IN */
	int16_t status; /* OUT */
	XEN_GUEST_HANDLE(uint64_t) frame_list; /* OUT */
} gnttab_get_status_frames_t;
DEFINE_XEN_GUEST_HANDLE(gnttab_get_status_frames_t);

typedef struct gnttab_get_version {
	domid_t dom; /* IN */
	uint16_t pad;
	uint32_t version; /* OUT */
} gnttab_get_version_t;
DEFINE_XEN_GUEST_HANDLE(gnttab_get_version_t);

/* Exchange two entries, neither of which may be in use. */
typedef struct gnttab_swap_grant_ref {
	grant_ref_t ref_a; /* IN */
	grant_ref_t ref_b; /* IN */
	int16_t status; /* OUT */
} gnttab_swap_grant_ref_t;
DEFINE_XEN_GUEST_HANDLE(gnttab_swap_grant_ref_t);

/* Write back or invalidate the caches for a part of a granted page. */
typedef struct gnttab_cache_flush {
	union {
		uint64_t dev_bus_addr;
		grant_ref_t ref;
	} a;
	uint16_t offset; /* in the page */
	uint16_t length;
	uint32_t op; /* GNTTAB_CACHE_* */
} gnttab_cache_flush_t;
DEFINE_XEN_GUEST_HANDLE(gnttab_cache_flush_t);

#endif /* __ASSEMBLY__ */
#endif
