/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mca(op): machine-check telemetry for dom0, and injection for tests.
 *
 * When VIRQ_MCA arrives, dom0 fetches (XEN_MC_fetch) what was collected, as a struct mc_info: records that each begin
 * with a mcinfo_common. It acknowledges each with the fetch_id that it was given and XEN_MC_ACK.
 */
#ifndef XEN_PUBLIC_ARCH_X86_XEN_MCA_H
#define XEN_PUBLIC_ARCH_X86_XEN_MCA_H

#include "../xen.h"

#define __HYPERVISOR_mca	  __HYPERVISOR_arch_0
#define XEN_MCA_INTERFACE_VERSION 0x01ecc003

#define XEN_MC_fetch	    1 /* xen_mc_fetch */
#define XEN_MC_notifydomain 2 /* xen_mc_notifydomain */
#define XEN_MC_physcpuinfo  3 /* xen_mc_physcpuinfo */
#define XEN_MC_msrinject    4 /* xen_mc_msrinject */
#define XEN_MC_mceinject    5 /* xen_mc_mceinject */

/* xen_mc_fetch.flags. IN: */
#define XEN_MC_NONURGENT 0x0001 /* of the polled and corrected errors */
#define XEN_MC_URGENT	 0x0002 /* of the others */
#define XEN_MC_ACK	 0x0004
/* OUT: */
#define XEN_MC_OK	    0x0
#define XEN_MC_FETCHFAILED  0x1
#define XEN_MC_NODATA	    0x2
#define XEN_MC_NOMATCH	    0x4
#define XEN_MC_CANNOTHANDLE 0x8
#define XEN_MC_NOTDELIVERED 0x10

#define XEN_MC_VCPUID_INVALID 0xffff

/* Arrives when there is something to fetch. */
#define VIRQ_MCA VIRQ_ARCH_0

/* mcinfo_common.type */
#define MC_TYPE_GLOBAL	 0
#define MC_TYPE_BANK	 1
#define MC_TYPE_EXTENDED 2
#define MC_TYPE_RECOVERY 3

/* mcinfo_global.mc_flags */
#define MC_FLAG_CORRECTABLE   (1 << 0)
#define MC_FLAG_UNCORRECTABLE (1 << 1)
#define MC_FLAG_RECOVERABLE   (1 << 2)
#define MC_FLAG_POLLED	      (1 << 3)
#define MC_FLAG_RESET	      (1 << 4)
#define MC_FLAG_CMCI	      (1 << 5)
#define MC_FLAG_MCE	      (1 << 6)

/* mcinfo_recovery.action_flags and .action_types */
#define REC_ACTION_RECOVERED   (0x1 << 0)
#define REC_ACTION_NONE	       (0x1 << 1)
#define REC_ACTION_NEED_RESET  (0x1 << 2)
#define MC_ACTION_PAGE_OFFLINE (0x1 << 0)
#define MC_ACTION_CPU_OFFLINE  (0x1 << 1)
#define MC_ACTION_CACHE_SHRINK (0x1 << 2)
#define MAX_UNION_SIZE	       16

#define MCINFO_HYPERCALLSIZE	1024
#define MCINFO_MAXSIZE		768
#define MCINFO_FLAGS_UNCOMPLETE 0x1 /* there was no room for everything */

#define __MC_MSR_ARRAYSIZE 8
#define MC_NCAPS	   7 /* words of features, as Linux numbers them */
#define MC_CAPS_STD_EDX	   0
#define MC_CAPS_AMD_EDX	   1
#define MC_CAPS_TM	   2
#define MC_CAPS_LINUX	   3
#define MC_CAPS_STD_ECX	   4
#define MC_CAPS_VIA	   5
#define MC_CAPS_AMD_ECX	   6

#define MC_MSRINJ_MAXMSRS     8
#define MC_MSRINJ_F_INTERPOSE 0x1 /* answer reads with the value, do not write it to the CPU */
#define MC_MSRINJ_F_GPADDR    0x2 /* addresses are guest-physical ones of mcinj_domid */

#if defined(__XEN__) || defined(__XEN_TOOLS__)
#define XEN_MC_inject_v2	    6 /* xen_mc_inject_v2 */
#define XEN_MC_INJECT_TYPE_MASK	    0x7
#define XEN_MC_INJECT_TYPE_MCE	    0x0
#define XEN_MC_INJECT_TYPE_CMCI	    0x1
#define XEN_MC_INJECT_TYPE_LMCE	    0x2
#define XEN_MC_INJECT_CPU_BROADCAST 0x8 /* all CPUs, not those of cpumap */
#endif

#ifndef __ASSEMBLY__

typedef struct mcinfo_common {
	uint16_t type; /* MC_TYPE_* */
	uint16_t size; /* bytes of the record, this part included */
} xen_mcinfo_common_t;

struct mcinfo_global {
	xen_mcinfo_common_t common;
	uint16_t mc_domid; /* who ran on the CPU */
	uint16_t mc_vcpuid;
	uint32_t mc_socketid;
	uint16_t mc_coreid;
	uint16_t mc_core_threadid;
	uint32_t mc_apicid;
	uint32_t mc_flags; /* MC_FLAG_* */
	uint64_t mc_gstatus; /* MCG_STATUS */
};

struct mcinfo_bank {
	xen_mcinfo_common_t common;
	uint16_t mc_bank;
	uint16_t mc_domid; /* whom the address belongs to */
	uint64_t mc_status;
	uint64_t mc_addr;
	uint64_t mc_misc;
	uint64_t mc_ctrl2;
	uint64_t mc_tsc;
};

typedef struct mcinfo_msr {
	uint64_t reg;
	uint64_t value;
} xen_mcinfo_msr_t;

/* Registers of the moment, as far as the CPU records them. */
struct mcinfo_extended {
	xen_mcinfo_common_t common;
	uint32_t mc_msrs; /* how many are valid */
	xen_mcinfo_msr_t mc_msr[32];
};

typedef struct page_offline_action {
	uint64_t mfn;
	uint64_t status; /* PG_OFFLINE_* of sysctl.h */
} xen_page_offline_action_t;

typedef struct cpu_offline_action {
	uint32_t mc_socketid;
	uint16_t mc_coreid;
	uint16_t mc_core_threadid;
} xen_cpu_offline_action_t;

struct mcinfo_recovery {
	xen_mcinfo_common_t common;
	uint16_t mc_bank;
	uint8_t action_flags; /* REC_ACTION_* */
	uint8_t action_types; /* MC_ACTION_* */
	union {
		xen_page_offline_action_t page_retire;
		xen_cpu_offline_action_t cpu_offline;
		uint8_t pad[MAX_UNION_SIZE];
	} action_info;
};

typedef struct mc_info {
	uint32_t mi_nentries; /* records */
	uint32_t flags; /* MCINFO_FLAGS_* */
	uint64_t mi_data[(MCINFO_MAXSIZE - 1) / 8];
} mc_info_t;
DEFINE_XEN_GUEST_HANDLE(mc_info_t);

/* Walking the records; lookup gives the first of a type, or a null pointer. */
#define x86_mcinfo_nentries(_mi) ((_mi)->mi_nentries)
#define x86_mcinfo_first(_mi)	 ((struct mcinfo_common *)(_mi)->mi_data)
#define x86_mcinfo_next(_mic)	 ((struct mcinfo_common *)((uint8_t *)(_mic) + (_mic)->size))
#define x86_mcinfo_lookup(_ret, _mi, _type)                                                        \
	do {                                                                                       \
		struct mcinfo_common *__rec = NULL;                                                \
		uint32_t __left = 0;                                                               \
		if ((_mi) != NULL) {                                                               \
			__rec = x86_mcinfo_first(_mi);                                             \
			__left = x86_mcinfo_nentries(_mi);                                         \
		}                                                                                  \
		for (; __left && __rec->type != (_type); __left--)                                 \
			__rec = x86_mcinfo_next(__rec);                                            \
		(_ret) = __left ? __rec : NULL;                                                    \
	} while (0)

typedef struct mcinfo_logical_cpu {
	uint32_t mc_cpunr;
	uint32_t mc_chipid;
	uint16_t mc_coreid;
	uint16_t mc_threadid;
	uint32_t mc_apicid;
	uint32_t mc_clusterid;
	uint32_t mc_ncores;
	uint32_t mc_ncores_active;
	uint32_t mc_nthreads;
	int32_t mc_cpuid_level; /* highest leaf */
	uint32_t mc_family;
	uint32_t mc_vendor;
	uint32_t mc_model;
	uint32_t mc_step;
	char mc_vendorid[16];
	char mc_brandid[64];
	uint32_t mc_cpu_caps[MC_NCAPS];
	uint32_t mc_cache_size;
	uint32_t mc_cache_alignment;
	int32_t mc_nmsrvals; /* how many of the next are valid */
	xen_mcinfo_msr_t mc_msrvalues[__MC_MSR_ARRAYSIZE];
} xen_mc_logical_cpu_t;
DEFINE_XEN_GUEST_HANDLE(xen_mc_logical_cpu_t);

typedef struct xen_mc_fetch {
	uint32_t flags; /* IN, OUT: XEN_MC_* */
	uint32_t _pad0;
	uint64_t fetch_id; /* OUT; IN with XEN_MC_ACK */
	XEN_GUEST_HANDLE(mc_info_t) data; /* OUT */
} xen_mc_fetch_t;
DEFINE_XEN_GUEST_HANDLE(xen_mc_fetch_t);

/* Let another domain know of an error of its own. */
typedef struct xen_mc_notifydomain {
	uint16_t mc_domid; /* IN */
	uint16_t mc_vcpuid; /* IN */
	uint32_t flags; /* OUT */
} xen_mc_notifydomain_t;
DEFINE_XEN_GUEST_HANDLE(xen_mc_notifydomain_t);

typedef struct xen_mc_physcpuinfo {
	uint32_t ncpus; /* IN: room; OUT */
	uint32_t _pad0;
	XEN_GUEST_HANDLE(xen_mc_logical_cpu_t) info; /* OUT */
} xen_mc_physcpuinfo_t;

typedef struct xen_mc_msrinject {
	uint32_t mcinj_cpunr; /* all IN */
	uint32_t mcinj_flags; /* MC_MSRINJ_F_* */
	uint32_t mcinj_count;
	domid_t mcinj_domid;
	uint16_t _pad0;
	xen_mcinfo_msr_t mcinj_msr[MC_MSRINJ_MAXMSRS];
} xen_mc_msrinject_t;

/* Raise a machine check on a CPU. */
typedef struct xen_mc_mceinject {
	unsigned int mceinj_cpunr; /* IN */
} xen_mc_mceinject_t;

#if defined(__XEN__) || defined(__XEN_TOOLS__)
typedef struct xen_mc_inject_v2 {
	uint32_t flags; /* IN: XEN_MC_INJECT_* */
	xenctl_bitmap_t cpumap; /* IN */
} xen_mc_inject_v2_t;
#endif

typedef struct xen_mc {
	uint32_t cmd; /* XEN_MC_* */
	uint32_t interface_version; /* XEN_MCA_INTERFACE_VERSION */
	union {
		xen_mc_fetch_t mc_fetch;
		xen_mc_notifydomain_t mc_notifydomain;
		xen_mc_physcpuinfo_t mc_physcpuinfo;
		xen_mc_msrinject_t mc_msrinject;
		xen_mc_mceinject_t mc_mceinject;
#if defined(__XEN__) || defined(__XEN_TOOLS__)
		xen_mc_inject_v2_t mc_inject_v2;
#endif
	} u;
} xen_mc_t;
DEFINE_XEN_GUEST_HANDLE(xen_mc_t);

#endif /* __ASSEMBLY__ */
#endif
