/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory_op(cmd, argument): a domain's frames and the memory maps.
 *
 * An extent is 2^order frames, aligned to its size. Calls that handle a list of extents return how many they have done;
 * fewer than asked means that the next one failed.
 */
#ifndef XEN_PUBLIC_MEMORY_H
#define XEN_PUBLIC_MEMORY_H

#include "physdev.h"
#include "xen.h"

#define XENMEM_increase_reservation	  0  /* xen_memory_reservation: more frames; their numbers are written */
#define XENMEM_decrease_reservation	  1  /* xen_memory_reservation: give frames back */
#define XENMEM_maximum_ram_page		  2  /* no argument; returns the machine's last RAM frame number */
#define XENMEM_current_reservation	  3  /* xen_memory_domain; returns frames */
#define XENMEM_maximum_reservation	  4  /* xen_memory_domain; returns frames */
#define XENMEM_machphys_mfn_list	  5  /* xen_machphys_mfn_list */
#define XENMEM_populate_physmap		  6  /* xen_memory_reservation: frames for pseudo-physical numbers, which mfns replace */
#define XENMEM_add_to_physmap		  7  /* xen_add_to_physmap */
#define XENMEM_memory_map		  9  /* xen_memory_map: of the domain */
#define XENMEM_machine_memory_map	  10 /* xen_memory_map: of the machine (dom0) */
#define XENMEM_exchange			  11 /* xen_memory_exchange */
#define XENMEM_machphys_mapping		  12 /* xen_machphys_mapping */
#define XENMEM_set_memory_map		  13 /* xen_foreign_memory_map */
#define XENMEM_maximum_gpfn		  14 /* xen_memory_domain; returns the highest frame number in use */
#define XENMEM_remove_from_physmap	  15 /* xen_remove_from_physmap */
#define XENMEM_set_pod_target		  16 /* xen_pod_target */
#define XENMEM_get_pod_target		  17
#define XENMEM_add_to_physmap_batch	  23 /* xen_add_to_physmap_batch */
#define XENMEM_claim_pages		  24 /* xen_memory_reservation: set frames aside, nr_extents in all; order 0 */
#define XENMEM_machphys_compat_mfn_list	  25 /* as 5, of the table for 32-bit guests */
#define XENMEM_get_vnumainfo		  26 /* xen_vnuma_topology_info */
#define XENMEM_acquire_resource		  28 /* xen_mem_acquire_resource */

/* xen_memory_reservation.mem_flags: width of the addresses that the frames must have, NUMA node, and more. */
#define XENMEMF_address_bits(x)	    (x)
#define XENMEMF_get_address_bits(x) ((x) & 0xffu)
#define XENMEMF_node(x)		    (((x) + 1) << 8)
#define XENMEMF_get_node(x)	    ((((x) >> 8) - 1) & 0xffu)
#define XENMEMF_populate_on_demand  (1 << 16) /* no frame until it is touched */
#define XENMEMF_exact_node_request  (1 << 17) /* that node or none */
#define XENMEMF_exact_node(n)	    (XENMEMF_node(n) | XENMEMF_exact_node_request)
#define XENMEMF_vnode		    (1 << 18) /* the node is one of the guest's */

/* What add_to_physmap gives a frame number to. */
#define XENMAPSPACE_shared_info	 0
#define XENMAPSPACE_grant_table	 1 /* idx: frame of the table; with the flag below, of the status words */
#define XENMAPSPACE_gmfn	 2 /* idx: a frame of the domain */
#define XENMAPSPACE_gmfn_range	 3 /* as 2, size frames; not in a batch */
#define XENMAPSPACE_gmfn_foreign 4 /* a frame of u.foreign_domid; only in a batch */
#define XENMAPSPACE_dev_mmio	 5 /* Arm */
#define XENMAPIDX_grant_table_status 0x80000000

#define XENMEM_resource_ioreq_server		    0 /* id: server */
#define XENMEM_resource_grant_table		    1 /* id: one of the next two */
#define XENMEM_resource_grant_table_id_shared	    0
#define XENMEM_resource_grant_table_id_status	    1
#define XENMEM_resource_vmtrace_buf		    2 /* id: vCPU */
#define XENMEM_resource_ioreq_server_frame_bufioreq 0
#define XENMEM_resource_ioreq_server_frame_ioreq(n) (1 + (n))

#ifndef __ASSEMBLY__

typedef struct xen_memory_reservation {
	XEN_GUEST_HANDLE(xen_pfn_t) extent_start; /* IN, OUT: first frame of each extent */
	xen_ulong_t nr_extents;
	unsigned int extent_order;
	unsigned int mem_flags; /* XENMEMF_* */
	domid_t domid;
} xen_memory_reservation_t;
DEFINE_XEN_GUEST_HANDLE(xen_memory_reservation_t);

/* Give extents back and get others at once, of the same size in all: to have contiguous or low memory. */
typedef struct xen_memory_exchange {
	struct xen_memory_reservation in;
	struct xen_memory_reservation out; /* extent_start: IN pseudo-physical numbers, OUT machine frames */
	xen_ulong_t nr_exchanged; /* IN: 0; OUT: extents of in that are done, also on failure */
} xen_memory_exchange_t;
DEFINE_XEN_GUEST_HANDLE(xen_memory_exchange_t);

struct xen_memory_domain {
	domid_t domid; /* IN */
};

/* The frames (2 MiB each) of the machine-to-physical table. */
typedef struct xen_machphys_mfn_list {
	unsigned int max_extents; /* IN: room in the list */
	XEN_GUEST_HANDLE(xen_pfn_t) extent_start; /* OUT */
	unsigned int nr_extents; /* OUT */
} xen_machphys_mfn_list_t;
DEFINE_XEN_GUEST_HANDLE(xen_machphys_mfn_list_t);

/* Where the guest sees the machine-to-physical table. */
typedef struct xen_machphys_mapping {
	xen_ulong_t v_start, v_end; /* OUT */
	xen_ulong_t max_mfn; /* OUT: last entry */
} xen_machphys_mapping_t;
DEFINE_XEN_GUEST_HANDLE(xen_machphys_mapping_t);

typedef struct xen_add_to_physmap {
	domid_t domid; /* all IN */
	uint16_t size; /* frames, for XENMAPSPACE_gmfn_range */
	unsigned int space; /* XENMAPSPACE_* */
	xen_ulong_t idx;
	xen_pfn_t gpfn; /* where */
} xen_add_to_physmap_t;
DEFINE_XEN_GUEST_HANDLE(xen_add_to_physmap_t);

typedef struct xen_add_to_physmap_batch {
	domid_t domid; /* IN */
	uint16_t space; /* IN */
	uint16_t size; /* IN: elements of the arrays */
	union xen_add_to_physmap_batch_extra {
		domid_t foreign_domid;
		uint16_t res0;
	} u; /* IN */
	XEN_GUEST_HANDLE(xen_ulong_t) idxs; /* IN */
	XEN_GUEST_HANDLE(xen_pfn_t) gpfns; /* IN */
	XEN_GUEST_HANDLE(int) errs; /* OUT: 0 or a negated error, for each */
} xen_add_to_physmap_batch_t;
DEFINE_XEN_GUEST_HANDLE(xen_add_to_physmap_batch_t);

typedef struct xen_remove_from_physmap {
	domid_t domid; /* IN */
	xen_pfn_t gpfn; /* IN */
} xen_remove_from_physmap_t;
DEFINE_XEN_GUEST_HANDLE(xen_remove_from_physmap_t);

/* The entries are those of the BIOS's E820 call: 64-bit address, 64-bit size, 32-bit type, 20 bytes each. */
typedef struct xen_memory_map {
	unsigned int nr_entries; /* IN: room; OUT: entries */
	XEN_GUEST_HANDLE(void) buffer; /* OUT */
} xen_memory_map_t;
DEFINE_XEN_GUEST_HANDLE(xen_memory_map_t);

typedef struct xen_foreign_memory_map {
	domid_t domid; /* IN */
	struct xen_memory_map map; /* IN */
} xen_foreign_memory_map_t;
DEFINE_XEN_GUEST_HANDLE(xen_foreign_memory_map_t);

/* Populate on demand, in frames. */
typedef struct xen_pod_target {
	uint64_t target_pages; /* IN for set */
	uint64_t tot_pages; /* OUT */
	uint64_t pod_cache_pages; /* OUT */
	uint64_t pod_entries; /* OUT */
	domid_t domid; /* IN */
} xen_pod_target_t;

/* The frames of something that belongs to a domain but is not in its memory. */
typedef struct xen_mem_acquire_resource {
	domid_t domid; /* IN */
	uint16_t type; /* IN: XENMEM_resource_* */
	uint32_t id; /* IN */
	uint32_t nr_frames; /* IN: room; OUT with a null frame_list: how many there are */
	uint32_t pad; /* 0 */
	uint64_t frame; /* IN: the first one */
	XEN_GUEST_HANDLE(xen_pfn_t) frame_list; /* OUT; for translated domains IN: where to map them */
} xen_mem_acquire_resource_t;
DEFINE_XEN_GUEST_HANDLE(xen_mem_acquire_resource_t);

/* The guest's own NUMA topology. */
typedef struct xen_vmemrange {
	uint64_t start, end; /* guest-physical addresses */
	unsigned int flags; /* 0 */
	unsigned int nid; /* node */
} xen_vmemrange_t;
DEFINE_XEN_GUEST_HANDLE(xen_vmemrange_t);

typedef struct xen_vnuma_topology_info {
	domid_t domid; /* IN */
	uint16_t pad;
	unsigned int nr_vnodes; /* IN: room; OUT */
	unsigned int nr_vcpus; /* IN: room; OUT */
	unsigned int nr_vmemranges; /* IN: room; OUT */
	union {
		XEN_GUEST_HANDLE(uint) h;
		uint64_t pad;
	} vdistance; /* OUT: nr_vnodes squared */
	union {
		XEN_GUEST_HANDLE(uint) h;
		uint64_t pad;
	} vcpu_to_vnode; /* OUT */
	union {
		XEN_GUEST_HANDLE(xen_vmemrange_t) h;
		uint64_t pad;
	} vmemrange; /* OUT */
} xen_vnuma_topology_info_t;
DEFINE_XEN_GUEST_HANDLE(xen_vnuma_topology_info_t);

#endif /* __ASSEMBLY__ */

/* ---- For the tools ------------------------------------------------------------------------------------------------ */
#if defined(__XEN__) || defined(__XEN_TOOLS__)

#define XENMEM_get_sharing_freed_pages	   18 /* no argument; returns frames */
#define XENMEM_get_sharing_shared_pages	   19 /* no argument; returns frames */
#define XENMEM_paging_op		   20 /* xen_mem_paging_op */
#define XENMEM_access_op		   21 /* xen_mem_access_op */
#define XENMEM_sharing_op		   22 /* xen_mem_sharing_op */
#define XENMEM_reserved_device_memory_map 27 /* xen_reserved_device_memory_map */

#define XENMEM_paging_op_nominate 0
#define XENMEM_paging_op_evict	  1
#define XENMEM_paging_op_prep	  2

#define XENMEM_access_op_set_access	  0
#define XENMEM_access_op_get_access	  1
#define XENMEM_access_op_set_access_multi 4

#define XENMEM_sharing_op_nominate_gfn	0
#define XENMEM_sharing_op_nominate_gref 1
#define XENMEM_sharing_op_share		2
#define XENMEM_sharing_op_debug_gfn	3
#define XENMEM_sharing_op_debug_mfn	4
#define XENMEM_sharing_op_debug_gref	5
#define XENMEM_sharing_op_add_physmap	6
#define XENMEM_sharing_op_audit		7
#define XENMEM_sharing_op_range_share	8
#define XENMEM_sharing_op_fork		9
#define XENMEM_sharing_op_fork_reset	10

#define XENMEM_SHARING_OP_S_HANDLE_INVALID (-10)
#define XENMEM_SHARING_OP_C_HANDLE_INVALID (-9)

/* A field that names a page is a frame number, or with this flag a grant reference. */
#define XENMEM_SHARING_OP_FIELD_IS_GREF_FLAG	      (xen_mk_ullong(1) << 62)
#define XENMEM_SHARING_OP_FIELD_MAKE_GREF(field, val) (field) = (XENMEM_SHARING_OP_FIELD_IS_GREF_FLAG | (val))
#define XENMEM_SHARING_OP_FIELD_IS_GREF(field)	      ((field) & XENMEM_SHARING_OP_FIELD_IS_GREF_FLAG)
#define XENMEM_SHARING_OP_FIELD_GET_GREF(field)	      ((field) & (~XENMEM_SHARING_OP_FIELD_IS_GREF_FLAG))

#define XENMEM_FORK_WITH_IOMMU_ALLOWED (1u << 0)
#define XENMEM_FORK_BLOCK_INTERRUPTS   (1u << 1)
#define XENMEM_FORK_RESET_STATE	       (1u << 2)
#define XENMEM_FORK_RESET_MEMORY       (1u << 3)

#define XENMEM_RDM_ALL 1 /* of all devices, not only of dev.pci */

#ifndef __ASSEMBLY__

typedef struct xen_mem_paging_op {
	uint8_t op; /* all IN */
	domid_t domain;
	XEN_GUEST_HANDLE_64(const_uint8) buffer; /* contents of the page, for prep */
	uint64_aligned_t gfn;
} xen_mem_paging_op_t;
DEFINE_XEN_GUEST_HANDLE(xen_mem_paging_op_t);

/* Rights on a frame; the last ones change after the first access. */
typedef enum {
	XENMEM_access_n,
	XENMEM_access_r,
	XENMEM_access_w,
	XENMEM_access_rw,
	XENMEM_access_x,
	XENMEM_access_rx,
	XENMEM_access_wx,
	XENMEM_access_rwx,
	XENMEM_access_rx2rw,
	XENMEM_access_n2rwx,
	XENMEM_access_default
} xenmem_access_t;

typedef struct xen_mem_access_op {
	uint8_t op; /* IN */
	uint8_t access; /* IN for set, OUT for get: xenmem_access_t */
	domid_t domid; /* IN */
	uint32_t nr; /* IN: frames */
	uint64_aligned_t pfn; /* IN: first frame; ~0: the domain's default */
	XEN_GUEST_HANDLE(const_uint64) pfn_list; /* IN, for set_access_multi */
	XEN_GUEST_HANDLE(const_uint8) access_list;
} xen_mem_access_op_t;
DEFINE_XEN_GUEST_HANDLE(xen_mem_access_op_t);

typedef struct xen_mem_sharing_op {
	uint8_t op; /* IN */
	domid_t domain; /* IN */
	union {
		struct mem_sharing_op_nominate {
			union {
				uint64_aligned_t gfn;
				uint32_t grant_ref;
			} u; /* IN */
			uint64_aligned_t handle; /* OUT */
		} nominate;
		struct mem_sharing_op_share {
			uint64_aligned_t source_gfn; /* all IN */
			uint64_aligned_t source_handle;
			uint64_aligned_t client_gfn;
			uint64_aligned_t client_handle;
			domid_t client_domain;
		} share;
		struct mem_sharing_op_range {
			uint64_aligned_t first_gfn; /* IN */
			uint64_aligned_t last_gfn; /* IN */
			uint64_aligned_t opaque; /* IN: 0; how far it got */
			domid_t client_domain; /* IN */
			uint16_t _pad[3];
		} range;
		struct mem_sharing_op_debug {
			union {
				uint64_aligned_t gfn;
				uint64_aligned_t mfn;
				uint32_t gref;
			} u; /* IN */
		} debug;
		struct mem_sharing_op_fork {
			domid_t parent_domain; /* IN */
			uint16_t flags; /* IN: XENMEM_FORK_* */
			uint32_t pad;
		} fork;
	} u;
} xen_mem_sharing_op_t;
DEFINE_XEN_GUEST_HANDLE(xen_mem_sharing_op_t);

/* Memory that firmware wants mapped one to one for a device. */
typedef struct xen_reserved_device_memory {
	xen_pfn_t start_pfn;
	xen_ulong_t nr_pages;
} xen_reserved_device_memory_t;
DEFINE_XEN_GUEST_HANDLE(xen_reserved_device_memory_t);

typedef struct xen_reserved_device_memory_map {
	uint32_t flags; /* IN: XENMEM_RDM_ALL */
	unsigned int nr_entries; /* IN: room; OUT */
	XEN_GUEST_HANDLE(xen_reserved_device_memory_t) buffer; /* OUT */
	union {
		physdev_pci_device_t pci;
	} dev; /* IN */
} xen_reserved_device_memory_map_t;
DEFINE_XEN_GUEST_HANDLE(xen_reserved_device_memory_map_t);

#endif /* __ASSEMBLY__ */
#endif /* tools */
#endif
