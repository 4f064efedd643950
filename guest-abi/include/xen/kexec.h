/* SPDX-License-Identifier: BSD-2-Clause */
/* kexec_op(cmd, argument): let dom0 load a kernel that replaces the hypervisor, at once or after a crash. */
#ifndef XEN_PUBLIC_KEXEC_H
#define XEN_PUBLIC_KEXEC_H

#include "xen.h"

#define KEXEC_CMD_kexec		  0 /* xen_kexec_exec: go */
#define KEXEC_CMD_kexec_load_v1	  1 /* xen_kexec_load_v1; out of use */
#define KEXEC_CMD_kexec_unload_v1 2
#define KEXEC_CMD_kexec_get_range 3 /* xen_kexec_range */
#define KEXEC_CMD_kexec_load	  4 /* xen_kexec_load */
#define KEXEC_CMD_kexec_unload	  5 /* xen_kexec_unload */
#define KEXEC_CMD_kexec_status	  6 /* xen_kexec_status; returns 1 when such a kernel is loaded */

#define KEXEC_TYPE_DEFAULT 0
#define KEXEC_TYPE_CRASH   1

#define KEXEC_XEN_NO_PAGES 17

#define KEXEC_RANGE_MA_CRASH	  0 /* the area that is set aside for the crash kernel */
#define KEXEC_RANGE_MA_XEN	  1 /* the hypervisor */
#define KEXEC_RANGE_MA_CPU	  2 /* ELF note with the registers of CPU nr */
#define KEXEC_RANGE_MA_XENHEAP	  3
#define KEXEC_RANGE_MA_BOOT_PARAM 4
#define KEXEC_RANGE_MA_EFI_MEMMAP 5
#define KEXEC_RANGE_MA_VMCOREINFO 6

#ifndef __ASSEMBLY__

typedef struct xen_kexec_image {
	unsigned long page_list[KEXEC_XEN_NO_PAGES];
	unsigned long indirection_page;
	unsigned long start_address;
} xen_kexec_image_t;

typedef struct xen_kexec_exec {
	int type; /* IN: KEXEC_TYPE_* */
} xen_kexec_exec_t;

typedef struct xen_kexec_load_v1 {
	int type;
	xen_kexec_image_t image;
} xen_kexec_load_v1_t;

typedef struct xen_kexec_range {
	int range; /* IN: KEXEC_RANGE_* */
	int nr; /* IN: CPU */
	unsigned long size; /* OUT: bytes */
	unsigned long start; /* OUT: machine address */
} xen_kexec_range_t;

/* A piece of the image and the machine address where it must be; the rest up to dest_size is cleared. */
typedef struct xen_kexec_segment {
	union {
		XEN_GUEST_HANDLE(const_void) h;
		uint64_t _pad;
	} buf;
	uint64_t buf_size;
	uint64_t dest_maddr;
	uint64_t dest_size;
} xen_kexec_segment_t;
DEFINE_XEN_GUEST_HANDLE(xen_kexec_segment_t);

typedef struct xen_kexec_load {
	uint8_t type; /* all IN; KEXEC_TYPE_* */
	uint8_t _pad;
	uint16_t arch; /* ELF machine */
	uint32_t nr_segments;
	union {
		XEN_GUEST_HANDLE(xen_kexec_segment_t) h;
		uint64_t _pad;
	} segments;
	uint64_t entry_maddr;
} xen_kexec_load_t;
DEFINE_XEN_GUEST_HANDLE(xen_kexec_load_t);

typedef struct xen_kexec_unload {
	uint8_t type; /* IN */
} xen_kexec_unload_t;
DEFINE_XEN_GUEST_HANDLE(xen_kexec_unload_t);

typedef struct xen_kexec_status {
	uint8_t type; /* IN */
} xen_kexec_status_t;
DEFINE_XEN_GUEST_HANDLE(xen_kexec_status_t);

#endif /* __ASSEMBLY__ */
#endif
