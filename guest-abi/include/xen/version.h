/* SPDX-License-Identifier: BSD-2-Clause */
/* xen_version(cmd, argument): what the hypervisor is and can do. */
#ifndef XEN_PUBLIC_VERSION_H
#define XEN_PUBLIC_VERSION_H

#include "features.h"
#include "xen.h"

#define XENVER_version		   0  /* no argument; returns major << 16 | minor */
#define XENVER_extraversion	   1  /* xen_extraversion_t */
#define XENVER_compile_info	   2  /* xen_compile_info */
#define XENVER_capabilities	   3  /* xen_capabilities_info_t: words such as xen-3.0-x86_64 */
#define XENVER_changeset	   4  /* xen_changeset_info_t */
#define XENVER_platform_parameters 5  /* xen_platform_parameters */
#define XENVER_get_features	   6  /* xen_feature_info */
#define XENVER_pagesize		   7  /* no argument; returns 4096 */
#define XENVER_guest_handle	   8  /* xen_domain_handle_t of the caller */
#define XENVER_commandline	   9  /* xen_commandline_t of the hypervisor */
#define XENVER_build_id		   10 /* xen_build_id, or no argument; returns the length in bytes */

#ifndef __ASSEMBLY__

typedef char xen_extraversion_t[16];
typedef char xen_capabilities_info_t[1024];
typedef char xen_changeset_info_t[64];
typedef char xen_commandline_t[1024];
#define XEN_EXTRAVERSION_LEN	  (sizeof(xen_extraversion_t))
#define XEN_CAPABILITIES_INFO_LEN (sizeof(xen_capabilities_info_t))
#define XEN_CHANGESET_INFO_LEN	  (sizeof(xen_changeset_info_t))

typedef struct xen_compile_info {
	char compiler[64];
	char compile_by[16];
	char compile_domain[32];
	char compile_date[32];
} xen_compile_info_t;

typedef struct xen_platform_parameters {
	xen_ulong_t virt_start; /* where the machine-to-physical table begins */
} xen_platform_parameters_t;

typedef struct xen_feature_info {
	unsigned int submap_idx; /* IN: features from 32 * submap_idx */
	uint32_t submap; /* OUT */
} xen_feature_info_t;

typedef struct xen_build_id {
	uint32_t len; /* IN: bytes in buf */
	unsigned char buf[XEN_FLEX_ARRAY_DIM]; /* OUT */
} xen_build_id_t;

#endif /* __ASSEMBLY__ */
#endif
