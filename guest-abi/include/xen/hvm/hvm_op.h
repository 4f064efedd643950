/* SPDX-License-Identifier: BSD-2-Clause */
/* hvm_op(cmd, argument): parameters and services of HVM and PVH domains. */
#ifndef XEN_PUBLIC_HVM_HVM_OP_H
#define XEN_PUBLIC_HVM_HVM_OP_H

#include "../event_channel.h"
#include "../trace.h"
#include "../xen.h"

#define HVMOP_set_param		       0  /* xen_hvm_param */
#define HVMOP_get_param		       1  /* xen_hvm_param */
#define HVMOP_flush_tlbs	       5  /* no argument: all vCPUs of the caller */
#define HVMOP_pagetable_dying	       9  /* xen_hvm_pagetable_dying */
#define HVMOP_get_time		       10 /* xen_hvm_get_time */
#define HVMOP_xentrace		       11 /* xen_hvm_xentrace */
#if defined(__XEN__) || defined(__XEN_TOOLS__)
#define HVMOP_set_mem_access	       12 /* gone: XENMEM_access_op */
#define HVMOP_get_mem_access	       13 /* gone */
#endif
#define HVMOP_get_mem_type	       15 /* xen_hvm_get_mem_type */
#define HVMOP_set_evtchn_upcall_vector 23 /* xen_hvm_evtchn_upcall_vector */
#define HVMOP_guest_request_vm_event   24 /* no argument: event for a monitor */
#define HVMOP_altp2m		       25 /* xen_hvm_altp2m_op */

#if defined(__XEN__) || defined(__XEN_TOOLS__)
/* Buffered requests of an I/O request server: none; with 32-bit pointers; with pointers updated as one. */
#define HVM_IOREQSRV_BUFIOREQ_OFF    0
#define HVM_IOREQSRV_BUFIOREQ_LEGACY 1
#define HVM_IOREQSRV_BUFIOREQ_ATOMIC 2
#endif

#define HVMOP_ALTP2M_INTERFACE_VERSION	    0x00000001
#define HVMOP_altp2m_get_domain_state	    1  /* domain_state */
#define HVMOP_altp2m_set_domain_state	    2  /* domain_state */
#define HVMOP_altp2m_vcpu_enable_notify	    3  /* enable_notify */
#define HVMOP_altp2m_create_p2m		    4  /* view */
#define HVMOP_altp2m_destroy_p2m	    5  /* view */
#define HVMOP_altp2m_switch_p2m		    6  /* view */
#define HVMOP_altp2m_set_mem_access	    7  /* mem_access */
#define HVMOP_altp2m_change_gfn		    8  /* change_gfn */
#define HVMOP_altp2m_set_mem_access_multi   9  /* set_mem_access_multi */
#define HVMOP_altp2m_set_suppress_ve	    10 /* suppress_ve */
#define HVMOP_altp2m_get_suppress_ve	    11 /* suppress_ve */
#define HVMOP_altp2m_get_mem_access	    12 /* mem_access */
#define HVMOP_altp2m_vcpu_disable_notify    13 /* disable_notify */
#define HVMOP_altp2m_get_p2m_idx	    14 /* get_vcpu_p2m_idx */
#define HVMOP_altp2m_set_suppress_ve_multi  15 /* suppress_ve_multi */
#define HVMOP_altp2m_set_visibility	    16 /* set_visibility */

#ifndef __ASSEMBLY__

typedef struct xen_hvm_param {
	domid_t domid; /* IN */
	uint16_t pad;
	uint32_t index; /* IN: HVM_PARAM_* */
	uint64_t value; /* IN, OUT */
} xen_hvm_param_t;
DEFINE_XEN_GUEST_HANDLE(xen_hvm_param_t);

typedef enum {
	HVMMEM_ram_rw,
	HVMMEM_ram_ro, /* writes are dropped */
	HVMMEM_mmio_dm, /* accesses go to the device model */
	HVMMEM_unused,
	HVMMEM_ioreq_server /* RAM whose writes go to one server */
} hvmmem_type_t;

/* The top-level page table at gpa will not be used any more. */
typedef struct xen_hvm_pagetable_dying {
	domid_t domid; /* IN: DOMID_SELF */
	uint16_t pad[3];
	uint64_t gpa; /* IN */
} xen_hvm_pagetable_dying_t;
DEFINE_XEN_GUEST_HANDLE(xen_hvm_pagetable_dying_t);

typedef struct xen_hvm_get_time {
	uint64_t now; /* OUT: system time, ns */
} xen_hvm_get_time_t;
DEFINE_XEN_GUEST_HANDLE(xen_hvm_get_time_t);

typedef struct xen_hvm_xentrace {
	uint16_t event, extra_bytes; /* IN */
	uint8_t extra[TRACE_EXTRA_MAX * sizeof(uint32_t)]; /* IN */
} xen_hvm_xentrace_t;
DEFINE_XEN_GUEST_HANDLE(xen_hvm_xentrace_t);

typedef struct xen_hvm_get_mem_type {
	domid_t domid; /* IN */
	uint16_t mem_type; /* OUT: hvmmem_type_t */
	uint16_t pad[2];
	uint64_t pfn; /* IN */
} xen_hvm_get_mem_type_t;
DEFINE_XEN_GUEST_HANDLE(xen_hvm_get_mem_type_t);

/* Events of a vCPU raise this vector in its local APIC. */
typedef struct xen_hvm_evtchn_upcall_vector {
	uint32_t vcpu; /* IN */
	uint8_t vector; /* IN: 16 or more */
} xen_hvm_evtchn_upcall_vector_t;
DEFINE_XEN_GUEST_HANDLE(xen_hvm_evtchn_upcall_vector_t);

/* ---- Alternate views of guest-physical memory (all IN, where not marked) ------------------------------------------ */
typedef struct xen_hvm_altp2m_domain_state {
	uint8_t state; /* IN, OUT: whether they can be used */
} xen_hvm_altp2m_domain_state_t;
DEFINE_XEN_GUEST_HANDLE(xen_hvm_altp2m_domain_state_t);

/* Page for #VE information. */
typedef struct xen_hvm_altp2m_vcpu_enable_notify {
	uint32_t vcpu_id;
	uint32_t pad;
	uint64_t gfn;
} xen_hvm_altp2m_vcpu_enable_notify_t;
DEFINE_XEN_GUEST_HANDLE(xen_hvm_altp2m_vcpu_enable_notify_t);

typedef struct xen_hvm_altp2m_vcpu_disable_notify {
	uint32_t vcpu_id;
} xen_hvm_altp2m_vcpu_disable_notify_t;
DEFINE_XEN_GUEST_HANDLE(xen_hvm_altp2m_vcpu_disable_notify_t);

typedef struct xen_hvm_altp2m_view {
	uint16_t view; /* create: OUT */
	uint16_t hvmmem_default_access; /* xenmem_access_t, for create */
} xen_hvm_altp2m_view_t;
DEFINE_XEN_GUEST_HANDLE(xen_hvm_altp2m_view_t);

typedef struct xen_hvm_altp2m_mem_access {
	uint16_t view;
	uint16_t access; /* get: OUT; xenmem_access_t */
	uint32_t pad;
	uint64_t gfn;
} xen_hvm_altp2m_mem_access_t;
DEFINE_XEN_GUEST_HANDLE(xen_hvm_altp2m_mem_access_t);

struct xen_hvm_altp2m_set_mem_access_multi {
	uint16_t view;
	uint16_t pad;
	uint32_t nr;
	uint64_t opaque; /* 0; how far it got */
	XEN_GUEST_HANDLE(const_uint64) pfn_list;
	XEN_GUEST_HANDLE(const_uint8) access_list;
};

/* Show new_gfn's page at old_gfn; ~0 goes back to its own. */
typedef struct xen_hvm_altp2m_change_gfn {
	uint16_t view;
	uint16_t pad1;
	uint32_t pad2;
	uint64_t old_gfn;
	uint64_t new_gfn;
} xen_hvm_altp2m_change_gfn_t;
DEFINE_XEN_GUEST_HANDLE(xen_hvm_altp2m_change_gfn_t);

struct xen_hvm_altp2m_suppress_ve {
	uint16_t view;
	uint8_t suppress_ve; /* get: OUT */
	uint8_t pad1;
	uint32_t pad2;
	uint64_t gfn;
};

struct xen_hvm_altp2m_suppress_ve_multi {
	uint16_t view;
	uint8_t suppress_ve;
	uint8_t pad1;
	int32_t first_error; /* OUT */
	uint64_t first_gfn; /* OUT too: how far it got */
	uint64_t last_gfn;
	uint64_t first_error_gfn; /* OUT */
};

struct xen_hvm_altp2m_get_vcpu_p2m_idx {
	uint32_t vcpu_id;
	uint16_t altp2m_idx; /* OUT: its view */
};

/* Whether VMFUNC can switch to the view. */
struct xen_hvm_altp2m_set_visibility {
	uint16_t altp2m_idx;
	uint8_t visible;
	uint8_t pad;
};

typedef struct xen_hvm_altp2m_op {
	uint32_t version; /* HVMOP_ALTP2M_INTERFACE_VERSION */
	uint32_t cmd; /* HVMOP_altp2m_* */
	domid_t domain;
	uint16_t pad1;
	uint32_t pad2;
	union {
		struct xen_hvm_altp2m_domain_state domain_state;
		struct xen_hvm_altp2m_vcpu_enable_notify enable_notify;
		struct xen_hvm_altp2m_view view;
		struct xen_hvm_altp2m_mem_access mem_access;
		struct xen_hvm_altp2m_change_gfn change_gfn;
		struct xen_hvm_altp2m_set_mem_access_multi set_mem_access_multi;
		struct xen_hvm_altp2m_suppress_ve suppress_ve;
		struct xen_hvm_altp2m_suppress_ve_multi suppress_ve_multi;
		struct xen_hvm_altp2m_vcpu_disable_notify disable_notify;
		struct xen_hvm_altp2m_get_vcpu_p2m_idx get_vcpu_p2m_idx;
		struct xen_hvm_altp2m_set_visibility set_visibility;
		uint8_t pad[64];
	} u;
} xen_hvm_altp2m_op_t;
DEFINE_XEN_GUEST_HANDLE(xen_hvm_altp2m_op_t);

#endif /* __ASSEMBLY__ */
#endif
