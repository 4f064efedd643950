/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sysctl(op): how the tools inspect and control the machine.
 *
 * The argument is struct xen_sysctl: cmd, interface_version, and the member of the union that the list of commands
 * names. It is written back after the call. "Null asks for the size" means that a call with a null handle fills in the
 * number of elements.
 */
#ifndef XEN_PUBLIC_SYSCTL_H
#define XEN_PUBLIC_SYSCTL_H

#if !defined(__XEN__) && !defined(__XEN_TOOLS__)
#error "sysctl is for the tools: define __XEN_TOOLS__"
#endif

#include "domctl.h"
#include "physdev.h"
#include "xen.h"

#define XEN_SYSCTL_INTERFACE_VERSION 0x00000015

/* ---- Commands, and the member that each uses ---------------------------------------------------------------------- */
#define XEN_SYSCTL_readconsole		  1  /* readconsole */
#define XEN_SYSCTL_tbuf_op		  2  /* tbuf_op */
#define XEN_SYSCTL_physinfo		  3  /* physinfo */
#define XEN_SYSCTL_sched_id		  4  /* sched_id */
#define XEN_SYSCTL_perfc_op		  5  /* perfc_op */
#define XEN_SYSCTL_getdomaininfolist	  6  /* getdomaininfolist */
#define XEN_SYSCTL_debug_keys		  7  /* debug_keys */
#define XEN_SYSCTL_getcpuinfo		  8  /* getcpuinfo */
#define XEN_SYSCTL_availheap		  9  /* availheap */
#define XEN_SYSCTL_get_pmstat		  10 /* get_pmstat */
#define XEN_SYSCTL_cpu_hotplug		  11 /* cpu_hotplug */
#define XEN_SYSCTL_pm_op		  12 /* pm_op */
#define XEN_SYSCTL_page_offline_op	  14 /* page_offline */
#define XEN_SYSCTL_lockprof_op		  15 /* lockprof_op */
#define XEN_SYSCTL_cputopoinfo		  16 /* cputopoinfo */
#define XEN_SYSCTL_numainfo		  17 /* numainfo */
#define XEN_SYSCTL_cpupool_op		  18 /* cpupool_op */
#define XEN_SYSCTL_scheduler_op		  19 /* scheduler_op */
#define XEN_SYSCTL_coverage_op		  20 /* coverage_op */
#define XEN_SYSCTL_psr_cmt_op		  21 /* psr_cmt_op */
#define XEN_SYSCTL_pcitopoinfo		  22 /* pcitopoinfo */
#define XEN_SYSCTL_psr_alloc		  23 /* psr_alloc */
#define XEN_SYSCTL_get_cpu_levelling_caps 25 /* cpu_levelling_caps */
#define XEN_SYSCTL_get_cpu_featureset	  26 /* cpu_featureset */
#define XEN_SYSCTL_livepatch_op		  27 /* livepatch */
#define XEN_SYSCTL_get_cpu_policy	  29 /* cpu_policy */

/* ---- Console, trace buffers, counters ----------------------------------------------------------------------------- */
#define XEN_SYSCTL_TBUFOP_get_info     0
#define XEN_SYSCTL_TBUFOP_set_cpu_mask 1
#define XEN_SYSCTL_TBUFOP_set_evt_mask 2
#define XEN_SYSCTL_TBUFOP_set_size     3
#define XEN_SYSCTL_TBUFOP_enable       4
#define XEN_SYSCTL_TBUFOP_disable      5

#define XEN_SYSCTL_PERFCOP_reset 1
#define XEN_SYSCTL_PERFCOP_query 2

#define XEN_SYSCTL_LOCKPROF_reset 1
#define XEN_SYSCTL_LOCKPROF_query 2
#define LOCKPROF_TYPE_GLOBAL	  0
#define LOCKPROF_TYPE_PERDOM	  1
#define LOCKPROF_TYPE_N		  2 /* number of types */

#define XEN_GCOV_FORMAT_MAGIC	     0x58434f56
#define XEN_SYSCTL_COVERAGE_get_size 0
#define XEN_SYSCTL_COVERAGE_read     1
#define XEN_SYSCTL_COVERAGE_reset    2

/* ---- The machine -------------------------------------------------------------------------------------------------- */
/* physinfo.capabilities: what kinds of guests can be run. */
#define _XEN_SYSCTL_PHYSCAP_hvm		       0
#define XEN_SYSCTL_PHYSCAP_hvm		       (1u << _XEN_SYSCTL_PHYSCAP_hvm)
#define _XEN_SYSCTL_PHYSCAP_pv		       1
#define XEN_SYSCTL_PHYSCAP_pv		       (1u << _XEN_SYSCTL_PHYSCAP_pv)
#define _XEN_SYSCTL_PHYSCAP_directio	       2 /* devices can be given away, behind an IOMMU */
#define XEN_SYSCTL_PHYSCAP_directio	       (1u << _XEN_SYSCTL_PHYSCAP_directio)
#define _XEN_SYSCTL_PHYSCAP_hap		       3
#define XEN_SYSCTL_PHYSCAP_hap		       (1u << _XEN_SYSCTL_PHYSCAP_hap)
#define _XEN_SYSCTL_PHYSCAP_shadow	       4
#define XEN_SYSCTL_PHYSCAP_shadow	       (1u << _XEN_SYSCTL_PHYSCAP_shadow)
#define _XEN_SYSCTL_PHYSCAP_iommu_hap_pt_share 5 /* one page table can serve CPU and IOMMU */
#define XEN_SYSCTL_PHYSCAP_iommu_hap_pt_share  (1u << _XEN_SYSCTL_PHYSCAP_iommu_hap_pt_share)
#define XEN_SYSCTL_PHYSCAP_vmtrace	       (1u << 6)
#define XEN_SYSCTL_PHYSCAP_vpmu		       (1u << 7)
#define XEN_SYSCTL_PHYSCAP_gnttab_v1	       (1u << 8)
#define XEN_SYSCTL_PHYSCAP_gnttab_v2	       (1u << 9)
#define XEN_SYSCTL_PHYSCAP_MAX		       XEN_SYSCTL_PHYSCAP_gnttab_v2

/* What stands for "unknown" or "none". */
#define XEN_INVALID_CORE_ID   (~0U)
#define XEN_INVALID_SOCKET_ID (~0U)
#define XEN_INVALID_NODE_ID   (~0U)
#define XEN_INVALID_MEM_SZ    (~0U)
#define XEN_INVALID_NODE_DIST (~0U)
#define XEN_INVALID_DEV	      (XEN_INVALID_NODE_ID - 1) /* there is no such device */

#define XEN_SYSCTL_CPU_HOTPLUG_ONLINE	   0
#define XEN_SYSCTL_CPU_HOTPLUG_OFFLINE	   1
#define XEN_SYSCTL_CPU_HOTPLUG_SMT_ENABLE  2 /* all second threads; cpu is 0 */
#define XEN_SYSCTL_CPU_HOTPLUG_SMT_DISABLE 3

/* CPUID masking and faulting for PV guests: registers that the hardware can mask. */
#define XEN_SYSCTL_CPU_LEVELCAP_faulting    (1ul << 0)
#define XEN_SYSCTL_CPU_LEVELCAP_ecx	    (1ul << 1) /* leaf 1 */
#define XEN_SYSCTL_CPU_LEVELCAP_edx	    (1ul << 2)
#define XEN_SYSCTL_CPU_LEVELCAP_extd_ecx    (1ul << 3) /* leaf 0x80000001 */
#define XEN_SYSCTL_CPU_LEVELCAP_extd_edx    (1ul << 4)
#define XEN_SYSCTL_CPU_LEVELCAP_xsave_eax   (1ul << 5) /* leaf 0xd.1 */
#define XEN_SYSCTL_CPU_LEVELCAP_thermal_ecx (1ul << 6) /* leaf 6 */
#define XEN_SYSCTL_CPU_LEVELCAP_l7s0_eax    (1ul << 7) /* leaf 7.0 */
#define XEN_SYSCTL_CPU_LEVELCAP_l7s0_ebx    (1ul << 8)

/* Which policy: of the CPU, of the hypervisor, and what guests can have at most (pv, hvm) or have by default. */
#define XEN_SYSCTL_cpu_featureset_raw	  0
#define XEN_SYSCTL_cpu_featureset_host	  1
#define XEN_SYSCTL_cpu_featureset_pv	  2
#define XEN_SYSCTL_cpu_featureset_hvm	  3
#define XEN_SYSCTL_cpu_featureset_pv_max  4
#define XEN_SYSCTL_cpu_featureset_hvm_max 5
#define XEN_SYSCTL_cpu_policy_raw	  0
#define XEN_SYSCTL_cpu_policy_host	  1
#define XEN_SYSCTL_cpu_policy_pv_max	  2
#define XEN_SYSCTL_cpu_policy_hvm_max	  3
#define XEN_SYSCTL_cpu_policy_pv_default  4
#define XEN_SYSCTL_cpu_policy_hvm_default 5

/* ---- Power management --------------------------------------------------------------------------------------------- */
#define PMSTAT_CATEGORY_MASK 0xf0
#define PMSTAT_PX	     0x10 /* P-states */
#define PMSTAT_CX	     0x20 /* C-states */
#define PMSTAT_get_max_px    (PMSTAT_PX | 0x1)
#define PMSTAT_get_pxstat    (PMSTAT_PX | 0x2)
#define PMSTAT_reset_pxstat  (PMSTAT_PX | 0x3)
#define PMSTAT_get_max_cx    (PMSTAT_CX | 0x1)
#define PMSTAT_get_cxstat    (PMSTAT_CX | 0x2)
#define PMSTAT_reset_cxstat  (PMSTAT_CX | 0x3)

#define CPUFREQ_NAME_LEN 16

/* xen_set_cpufreq_para.ctrl_type */
#define SCALING_MAX_FREQ 1
#define SCALING_MIN_FREQ 2
#define SCALING_SETSPEED 3
#define SAMPLING_RATE	 4
#define UP_THRESHOLD	 5

/* pm_op.cmd */
#define PM_PARA_CATEGORY_MASK 0xf0
#define CPUFREQ_PARA	      0x10
#define GET_CPUFREQ_PARA      (CPUFREQ_PARA | 0x01)
#define SET_CPUFREQ_GOV	      (CPUFREQ_PARA | 0x02)
#define SET_CPUFREQ_PARA      (CPUFREQ_PARA | 0x03)
#define GET_CPUFREQ_AVGFREQ   (CPUFREQ_PARA | 0x04)
#define XEN_SYSCTL_pm_op_set_sched_opt_smt	  0x21 /* prefer idle cores or idle threads */
#define XEN_SYSCTL_pm_op_get_max_cstate		  0x22 /* cpuid 0: C-state, 1: sub-state */
#define XEN_SYSCTL_pm_op_set_max_cstate		  0x23
#define XEN_SYSCTL_pm_op_set_vcpu_migration_delay 0x24 /* gone */
#define XEN_SYSCTL_pm_op_get_vcpu_migration_delay 0x25 /* gone */
#define XEN_SYSCTL_pm_op_enable_turbo		  0x26
#define XEN_SYSCTL_pm_op_disable_turbo		  0x27
#define XEN_SYSCTL_CX_UNLIMITED			  0xffffffff

/* ---- Taking frames out of use ------------------------------------------------------------------------------------- */
#define sysctl_page_offline	  1
#define sysctl_page_online	  2
#define sysctl_query_page_offline 3

/* Result for each frame: of the request, and who has the frame; the owner's domain in bits 31:16. */
#define PG_OFFLINE_STATUS_MASK		 (0xFFUL)
#define PG_OFFLINE_INVALID		 (0x1UL << 0) /* there is no such frame */
#define PG_OFFLINE_OFFLINED		 (0x1UL << 1)
#define PG_OFFLINE_PENDING		 (0x1UL << 2) /* as soon as its owner frees it */
#define PG_OFFLINE_FAILED		 (0x1UL << 3)
#define PG_OFFLINE_AGAIN		 (0x1UL << 4)
#define PG_ONLINE_FAILED		 PG_OFFLINE_FAILED
#define PG_ONLINE_ONLINED		 PG_OFFLINE_OFFLINED
#define PG_OFFLINE_STATUS_OFFLINED	 (0x1UL << 1) /* these are answers to a query */
#define PG_OFFLINE_STATUS_ONLINE	 (0x1UL << 2)
#define PG_OFFLINE_STATUS_OFFLINE_PENDING (0x1UL << 3)
#define PG_OFFLINE_STATUS_BROKEN	 (0x1UL << 4)
#define PG_OFFLINE_MISC_MASK		 (0xFFUL << 4)
#define PG_OFFLINE_XENPAGE		 (0x1UL << 8) /* the hypervisor's */
#define PG_OFFLINE_DOM0PAGE		 (0x1UL << 9)
#define PG_OFFLINE_ANONYMOUS		 (0x1UL << 10) /* nobody's that is known */
#define PG_OFFLINE_NOT_CONV_RAM		 (0x1UL << 11) /* not plain RAM */
#define PG_OFFLINE_OWNED		 (0x1UL << 12)
#define PG_OFFLINE_BROKEN		 (0x1UL << 13)
#define PG_ONLINE_BROKEN		 PG_OFFLINE_BROKEN
#define PG_OFFLINE_OWNER_SHIFT		 16

/* ---- Pools and schedulers ----------------------------------------------------------------------------------------- */
#define XEN_SYSCTL_CPUPOOL_OP_CREATE	 1 /* cpupool_id (or any), sched_id; OUT: cpupool_id */
#define XEN_SYSCTL_CPUPOOL_OP_DESTROY	 2 /* cpupool_id */
#define XEN_SYSCTL_CPUPOOL_OP_INFO	 3 /* of the first pool numbered cpupool_id or above; all OUT */
#define XEN_SYSCTL_CPUPOOL_OP_ADDCPU	 4 /* cpupool_id, cpu (or any) */
#define XEN_SYSCTL_CPUPOOL_OP_RMCPU	 5 /* cpupool_id, cpu (or any) */
#define XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN 6 /* cpupool_id, domid */
#define XEN_SYSCTL_CPUPOOL_OP_FREEINFO	 7 /* OUT: cpumap of CPUs in no pool */
#define XEN_SYSCTL_CPUPOOL_PAR_ANY	 0xFFFFFFFF

#define XEN_SYSCTL_SCHEDOP_putinfo	    0
#define XEN_SYSCTL_SCHEDOP_getinfo	    1
#define XEN_SYSCTL_SCHED_RATELIMIT_MAX	    500000 /* us; 0 switches it off */
#define XEN_SYSCTL_SCHED_RATELIMIT_MIN	    100
#define XEN_SYSCTL_CSCHED_TSLICE_MAX	    1000 /* ms */
#define XEN_SYSCTL_CSCHED_TSLICE_MIN	    1
#define XEN_SYSCTL_CSCHED_MGR_DLY_MAX_US    (100 * 1000)
#define ARINC653_MAX_DOMAINS_PER_SCHEDULE   64

/* ---- Cache monitoring and allocation ------------------------------------------------------------------------------ */
#define XEN_SYSCTL_PSR_CMT_get_total_rmid	   0
#define XEN_SYSCTL_PSR_CMT_get_l3_upscaling_factor 1
#define XEN_SYSCTL_PSR_CMT_get_l3_cache_size	   2 /* KiB */
#define XEN_SYSCTL_PSR_CMT_enabled		   3
#define XEN_SYSCTL_PSR_CMT_get_l3_event_mask	   4

#define XEN_SYSCTL_PSR_get_l3_info  0
#define XEN_SYSCTL_PSR_get_l2_info  1
#define XEN_SYSCTL_PSR_get_mba_info 2
#define XEN_SYSCTL_PSR_CAT_L3_CDP   (1u << 0) /* code and data are told apart */
#define XEN_SYSCTL_PSR_MBA_LINEAR   (1u << 0)

/* ---- Live patches ------------------------------------------------------------------------------------------------- */
#define LIVEPATCH_PAYLOAD_VERSION     2
#define XEN_LIVEPATCH_NAME_SIZE	      128 /* bytes, with the zero at the end */
#define XEN_SYSCTL_LIVEPATCH_UPLOAD   0
#define XEN_SYSCTL_LIVEPATCH_GET      1
#define XEN_SYSCTL_LIVEPATCH_LIST     2
#define XEN_SYSCTL_LIVEPATCH_ACTION   3
#define LIVEPATCH_STATE_CHECKED	      1
#define LIVEPATCH_STATE_APPLIED	      2
#define LIVEPATCH_ACTION_UNLOAD	      1
#define LIVEPATCH_ACTION_REVERT	      2
#define LIVEPATCH_ACTION_APPLY	      3
#define LIVEPATCH_ACTION_REPLACE      4
#define LIVEPATCH_ACTION_APPLY_NODEPS (1 << 0)

#ifndef __ASSEMBLY__

/* ---- Console, trace buffers, counters ----------------------------------------------------------------------------- */
/* The ring of what the hypervisor has printed. */
struct xen_sysctl_readconsole {
	uint8_t clear; /* IN: empty it afterwards */
	uint8_t incremental; /* IN: begin at index, else at the oldest byte */
	uint8_t pad0, pad1;
	uint32_t index; /* IN; OUT: where the next read goes on */
	XEN_GUEST_HANDLE_64(char) buffer;
	uint32_t count; /* IN: room; OUT: bytes */
};

struct xen_sysctl_tbuf_op {
	uint32_t cmd; /* IN: XEN_SYSCTL_TBUFOP_* */
	struct xenctl_bitmap cpu_mask; /* IN */
	uint32_t evt_mask; /* IN, OUT */
	uint64_aligned_t buffer_mfn; /* OUT: of the struct t_info */
	uint32_t size; /* IN: pages for each CPU; OUT: bytes of t_info */
};

typedef struct xen_sysctl_perfc_desc {
	char name[80];
	uint32_t nr_vals; /* values that belong to the name */
} xen_sysctl_perfc_desc_t;
DEFINE_XEN_GUEST_HANDLE(xen_sysctl_perfc_desc_t);

typedef uint32_t xen_sysctl_perfc_val_t;
DEFINE_XEN_GUEST_HANDLE(xen_sysctl_perfc_val_t);

/* Null asks for the size. */
struct xen_sysctl_perfc_op {
	uint32_t cmd; /* IN: XEN_SYSCTL_PERFCOP_* */
	uint32_t nr_counters; /* OUT */
	uint32_t nr_vals; /* OUT */
	XEN_GUEST_HANDLE_64(xen_sysctl_perfc_desc_t) desc; /* OUT */
	XEN_GUEST_HANDLE_64(xen_sysctl_perfc_val_t) val; /* OUT */
};

typedef struct xen_sysctl_lockprof_data {
	char name[40];
	int32_t type; /* LOCKPROF_TYPE_* */
	int32_t idx; /* domain */
	uint64_aligned_t lock_cnt; /* times taken */
	uint64_aligned_t block_cnt; /* times waited for */
	uint64_aligned_t lock_time; /* ns */
	uint64_aligned_t block_time; /* ns */
} xen_sysctl_lockprof_data_t;
DEFINE_XEN_GUEST_HANDLE(xen_sysctl_lockprof_data_t);

struct xen_sysctl_lockprof_op {
	uint32_t cmd; /* IN: XEN_SYSCTL_LOCKPROF_* */
	uint32_t max_elem; /* IN: room */
	uint32_t nr_elem; /* OUT */
	uint64_aligned_t time; /* OUT: ns since the last reset */
	XEN_GUEST_HANDLE_64(xen_sysctl_lockprof_data_t) data; /* OUT */
};

struct xen_sysctl_coverage_op {
	uint32_t cmd; /* IN: XEN_SYSCTL_COVERAGE_* */
	uint32_t size; /* IN, OUT: bytes */
	XEN_GUEST_HANDLE_64(char) buffer; /* OUT */
};

/* As if typed on the serial console. */
struct xen_sysctl_debug_keys {
	XEN_GUEST_HANDLE_64(const_char) keys; /* IN */
	uint32_t nr_keys; /* IN */
};

/* ---- The machine -------------------------------------------------------------------------------------------------- */
/* All OUT. Pages are frames. */
struct xen_sysctl_physinfo {
	uint32_t threads_per_core;
	uint32_t cores_per_socket;
	uint32_t nr_cpus; /* on line */
	uint32_t max_cpu_id;
	uint32_t nr_nodes; /* on line */
	uint32_t max_node_id;
	uint32_t cpu_khz;
	uint32_t capabilities; /* XEN_SYSCTL_PHYSCAP_* */
	uint32_t arch_capabilities;
	uint32_t pad;
	uint64_aligned_t total_pages;
	uint64_aligned_t free_pages;
	uint64_aligned_t scrub_pages; /* free but not yet clean */
	uint64_aligned_t outstanding_pages; /* claimed */
	uint64_aligned_t max_mfn;
	uint32_t hw_cap[8]; /* CPUID words, as in cpufeatureset.h */
};

typedef struct xen_sysctl_cpuinfo {
	uint64_aligned_t idletime; /* ns */
} xen_sysctl_cpuinfo_t;
DEFINE_XEN_GUEST_HANDLE(xen_sysctl_cpuinfo_t);

struct xen_sysctl_getcpuinfo {
	uint32_t max_cpus; /* IN: room */
	XEN_GUEST_HANDLE_64(xen_sysctl_cpuinfo_t) info; /* OUT */
	uint32_t nr_cpus; /* OUT */
};

typedef struct xen_sysctl_cputopo {
	uint32_t core;
	uint32_t socket;
	uint32_t node;
} xen_sysctl_cputopo_t;
DEFINE_XEN_GUEST_HANDLE(xen_sysctl_cputopo_t);

/* Null asks for the size. */
struct xen_sysctl_cputopoinfo {
	uint32_t num_cpus; /* IN: room; OUT */
	XEN_GUEST_HANDLE_64(xen_sysctl_cputopo_t) cputopo; /* OUT */
};

typedef struct xen_sysctl_meminfo {
	uint64_t memsize; /* bytes */
	uint64_t memfree;
} xen_sysctl_meminfo_t;
DEFINE_XEN_GUEST_HANDLE(xen_sysctl_meminfo_t);

/* Null asks for the size. */
struct xen_sysctl_numainfo {
	uint32_t num_nodes; /* IN: room; OUT */
	XEN_GUEST_HANDLE_64(xen_sysctl_meminfo_t) meminfo; /* OUT */
	XEN_GUEST_HANDLE_64(uint32) distance; /* OUT: num_nodes squared */
};

/* The node of each device of a list. */
struct xen_sysctl_pcitopoinfo {
	uint32_t num_devs; /* IN; OUT: handled */
	XEN_GUEST_HANDLE_64(physdev_pci_device_t) devs; /* IN */
	XEN_GUEST_HANDLE_64(uint32) nodes; /* OUT */
};

/* Free memory. */
struct xen_sysctl_availheap {
	uint32_t min_bitwidth; /* IN: of its addresses; 0: any */
	uint32_t max_bitwidth; /* IN: 0: any */
	int32_t node; /* IN: -1: all */
	uint64_aligned_t avail_bytes; /* OUT */
};

struct xen_sysctl_cpu_hotplug {
	uint32_t cpu; /* IN */
	uint32_t op; /* IN: XEN_SYSCTL_CPU_HOTPLUG_* */
};

struct xen_sysctl_page_offline_op {
	uint32_t cmd; /* IN: sysctl_page_* */
	uint32_t start; /* IN: first frame */
	uint32_t end; /* IN: last frame */
	XEN_GUEST_HANDLE(uint32) status; /* OUT: PG_* for each */
};

struct xen_sysctl_cpu_levelling_caps {
	uint32_t caps; /* OUT: XEN_SYSCTL_CPU_LEVELCAP_* */
};

/* Null asks for the size. */
struct xen_sysctl_cpu_featureset {
	uint32_t index; /* IN: XEN_SYSCTL_cpu_featureset_* */
	uint32_t nr_features; /* IN: room; OUT: words */
	XEN_GUEST_HANDLE_64(uint32) features; /* OUT */
};

/* Null asks for the size. */
typedef struct xen_sysctl_cpu_policy {
	uint32_t index; /* IN: XEN_SYSCTL_cpu_policy_* */
	uint32_t nr_leaves; /* IN: room; OUT */
	uint32_t nr_msrs; /* IN: room; OUT */
	uint32_t _rsvd; /* 0 */
	XEN_GUEST_HANDLE_64(xen_cpuid_leaf_t) leaves; /* OUT */
	XEN_GUEST_HANDLE_64(xen_msr_entry_t) msrs; /* OUT */
} xen_sysctl_cpu_policy_t;
DEFINE_XEN_GUEST_HANDLE(xen_sysctl_cpu_policy_t);

/* ---- Domains, pools, schedulers ----------------------------------------------------------------------------------- */
struct xen_sysctl_getdomaininfolist {
	domid_t first_domain; /* IN */
	uint32_t max_domains; /* IN: room */
	XEN_GUEST_HANDLE_64(xen_domctl_getdomaininfo_t) buffer; /* OUT */
	uint32_t num_domains; /* OUT */
};

struct xen_sysctl_sched_id {
	uint32_t sched_id; /* OUT: XEN_SCHEDULER_* of the first pool */
};

/* Each operation's comment says what it uses. */
struct xen_sysctl_cpupool_op {
	uint32_t op; /* IN: XEN_SYSCTL_CPUPOOL_OP_* */
	uint32_t cpupool_id;
	uint32_t sched_id;
	uint32_t domid;
	uint32_t cpu;
	uint32_t n_dom; /* OUT: domains in the pool */
	struct xenctl_bitmap cpumap; /* OUT */
};

typedef struct xen_sysctl_arinc653_schedule {
	uint64_aligned_t major_frame; /* ns; the runtimes add up to at most this */
	uint8_t num_sched_entries;
	struct {
		xen_domain_handle_t dom_handle;
		uint32_t vcpu_id;
		uint64_aligned_t runtime; /* ns */
	} sched_entries[ARINC653_MAX_DOMAINS_PER_SCHEDULE];
} xen_sysctl_arinc653_schedule_t;
DEFINE_XEN_GUEST_HANDLE(xen_sysctl_arinc653_schedule_t);

struct xen_sysctl_credit_schedule {
	uint32_t tslice_ms;
	uint32_t ratelimit_us; /* shortest time on a CPU */
	uint32_t vcpu_migr_delay_us; /* time after running during which a vCPU is not moved */
};

struct xen_sysctl_credit2_schedule {
	uint32_t ratelimit_us;
};

struct xen_sysctl_scheduler_op {
	uint32_t cpupool_id; /* IN */
	uint32_t sched_id; /* IN: XEN_SCHEDULER_*, that of the pool */
	uint32_t cmd; /* IN: XEN_SYSCTL_SCHEDOP_* */
	union {
		struct xen_sysctl_sched_arinc653 {
			XEN_GUEST_HANDLE_64(xen_sysctl_arinc653_schedule_t) schedule;
		} sched_arinc653;
		struct xen_sysctl_credit_schedule sched_credit;
		struct xen_sysctl_credit2_schedule sched_credit2;
	} u; /* put: IN, get: OUT */
};

/* ---- Power management --------------------------------------------------------------------------------------------- */
typedef struct pm_px_val {
	uint64_aligned_t freq; /* MHz */
	uint64_aligned_t residency; /* ns */
	uint64_aligned_t count; /* times entered */
} pm_px_val_t;
DEFINE_XEN_GUEST_HANDLE(pm_px_val_t);

struct pm_px_stat {
	uint8_t total; /* states */
	uint8_t usable;
	uint8_t last;
	uint8_t cur;
	XEN_GUEST_HANDLE_64(uint64) trans_pt; /* OUT: total squared, counts of changes */
	XEN_GUEST_HANDLE_64(pm_px_val_t) pt; /* OUT: total */
};

struct pm_cx_stat {
	uint32_t nr; /* states, C0 included */
	uint32_t last;
	uint64_aligned_t idle_time; /* ns */
	XEN_GUEST_HANDLE_64(uint64) triggers; /* OUT: times entered */
	XEN_GUEST_HANDLE_64(uint64) residencies; /* OUT: ns */
	uint32_t nr_pc; /* room in pc */
	uint32_t nr_cc; /* room in cc */
	XEN_GUEST_HANDLE_64(uint64) pc; /* OUT: package residencies from PC1; those without a register stay as they were */
	XEN_GUEST_HANDLE_64(uint64) cc; /* OUT: core residencies from CC1, likewise */
};

struct xen_sysctl_get_pmstat {
	uint32_t type; /* IN: PMSTAT_* */
	uint32_t cpuid; /* IN: physical CPU */
	union {
		struct pm_px_stat getpx;
		struct pm_cx_stat getcx;
	} u;
};

struct xen_userspace {
	uint32_t scaling_setspeed;
};

struct xen_ondemand {
	uint32_t sampling_rate_max;
	uint32_t sampling_rate_min;
	uint32_t sampling_rate;
	uint32_t up_threshold;
};

/* Fields are named as Linux's cpufreq files are; kHz. */
struct xen_get_cpufreq_para {
	uint32_t cpu_num; /* IN: room in the three lists; OUT */
	uint32_t freq_num;
	uint32_t gov_num;
	XEN_GUEST_HANDLE_64(uint32) affected_cpus; /* OUT, as are the rest */
	XEN_GUEST_HANDLE_64(uint32) scaling_available_frequencies;
	XEN_GUEST_HANDLE_64(char) scaling_available_governors; /* CPUFREQ_NAME_LEN bytes each */
	char scaling_driver[CPUFREQ_NAME_LEN];
	uint32_t cpuinfo_cur_freq;
	uint32_t cpuinfo_max_freq;
	uint32_t cpuinfo_min_freq;
	uint32_t scaling_cur_freq;
	char scaling_governor[CPUFREQ_NAME_LEN];
	uint32_t scaling_max_freq;
	uint32_t scaling_min_freq;
	union {
		struct xen_userspace userspace;
		struct xen_ondemand ondemand;
	} u; /* as the governor's name says */
	int32_t turbo_enabled;
};

struct xen_set_cpufreq_gov {
	char scaling_governor[CPUFREQ_NAME_LEN]; /* IN */
};

struct xen_set_cpufreq_para {
	uint32_t ctrl_type; /* IN: SCALING_*, SAMPLING_RATE, UP_THRESHOLD */
	uint32_t ctrl_value; /* IN */
};

struct xen_sysctl_pm_op {
	uint32_t cmd; /* IN */
	uint32_t cpuid; /* IN: physical CPU */
	union {
		struct xen_get_cpufreq_para get_para;
		struct xen_set_cpufreq_gov set_gov;
		struct xen_set_cpufreq_para set_para;
		uint64_aligned_t get_avgfreq; /* kHz, since the last call */
		uint32_t set_sched_opt_smt;
		uint32_t get_max_cstate; /* or XEN_SYSCTL_CX_UNLIMITED */
		uint32_t set_max_cstate;
	} u;
};

/* ---- Cache monitoring and allocation ------------------------------------------------------------------------------ */
struct xen_sysctl_psr_cmt_op {
	uint32_t cmd; /* IN: XEN_SYSCTL_PSR_CMT_* */
	uint32_t flags;
	union {
		uint64_t data; /* OUT */
		struct {
			uint32_t cpu; /* IN */
			uint32_t rsvd;
		} l3_cache;
	} u;
};

struct xen_sysctl_psr_alloc {
	uint32_t cmd; /* IN: XEN_SYSCTL_PSR_get_*_info */
	uint32_t target; /* IN: socket */
	union {
		struct {
			uint32_t cbm_len; /* bits of a capacity mask */
			uint32_t cos_max; /* highest class of service */
			uint32_t flags; /* XEN_SYSCTL_PSR_CAT_* */
		} cat_info;
		struct {
			uint32_t thrtl_max;
			uint32_t cos_max;
			uint32_t flags; /* XEN_SYSCTL_PSR_MBA_* */
		} mba_info;
	} u; /* OUT */
};

/* ---- Live patches ------------------------------------------------------------------------------------------------- */
struct xen_livepatch_name {
	XEN_GUEST_HANDLE_64(char) name; /* IN */
	uint16_t size; /* IN: bytes, with the zero at the end */
	uint16_t pad[3]; /* 0 */
};

struct xen_sysctl_livepatch_upload {
	struct xen_livepatch_name name;
	uint64_t size; /* IN: bytes */
	XEN_GUEST_HANDLE_64(uint8) payload; /* IN: an ELF file */
};

typedef struct xen_livepatch_status {
	uint32_t state; /* OUT: LIVEPATCH_STATE_* */
	int32_t rc; /* OUT: result of the last action, -EAGAIN while it goes on */
} xen_livepatch_status_t;
DEFINE_XEN_GUEST_HANDLE(xen_livepatch_status_t);

struct xen_sysctl_livepatch_get {
	struct xen_livepatch_name name;
	struct xen_livepatch_status status;
};

struct xen_sysctl_livepatch_list {
	uint32_t version; /* OUT: changes when the list does */
	uint32_t idx; /* IN: first one */
	uint32_t nr; /* IN: room; OUT: how many are left */
	uint32_t pad; /* 0 */
	uint32_t name_total_size; /* OUT: bytes */
	uint32_t metadata_total_size; /* OUT: bytes */
	XEN_GUEST_HANDLE_64(xen_livepatch_status_t) status; /* OUT, as are the rest */
	XEN_GUEST_HANDLE_64(char) name;
	XEN_GUEST_HANDLE_64(uint32) len;
	XEN_GUEST_HANDLE_64(char) metadata;
	XEN_GUEST_HANDLE_64(uint32) metadata_len;
};

struct xen_sysctl_livepatch_action {
	struct xen_livepatch_name name;
	uint32_t cmd; /* IN: LIVEPATCH_ACTION_* */
	uint32_t timeout; /* IN: ns; 0: the default */
	uint32_t flags; /* IN: LIVEPATCH_ACTION_APPLY_NODEPS */
	uint32_t pad; /* 0 */
};

struct xen_sysctl_livepatch_op {
	uint32_t cmd; /* IN: XEN_SYSCTL_LIVEPATCH_* */
	uint32_t pad; /* 0 */
	union {
		struct xen_sysctl_livepatch_upload upload;
		struct xen_sysctl_livepatch_list list;
		struct xen_sysctl_livepatch_get get;
		struct xen_sysctl_livepatch_action action;
	} u;
};

/* ---- The argument ------------------------------------------------------------------------------------------------- */
typedef struct xen_sysctl {
	uint32_t cmd; /* XEN_SYSCTL_* */
	uint32_t interface_version; /* XEN_SYSCTL_INTERFACE_VERSION, or -EACCES */
	union {
		struct xen_sysctl_readconsole readconsole;
		struct xen_sysctl_tbuf_op tbuf_op;
		struct xen_sysctl_physinfo physinfo;
		struct xen_sysctl_cputopoinfo cputopoinfo;
		struct xen_sysctl_pcitopoinfo pcitopoinfo;
		struct xen_sysctl_numainfo numainfo;
		struct xen_sysctl_sched_id sched_id;
		struct xen_sysctl_perfc_op perfc_op;
		struct xen_sysctl_getdomaininfolist getdomaininfolist;
		struct xen_sysctl_debug_keys debug_keys;
		struct xen_sysctl_getcpuinfo getcpuinfo;
		struct xen_sysctl_availheap availheap;
		struct xen_sysctl_get_pmstat get_pmstat;
		struct xen_sysctl_cpu_hotplug cpu_hotplug;
		struct xen_sysctl_pm_op pm_op;
		struct xen_sysctl_page_offline_op page_offline;
		struct xen_sysctl_lockprof_op lockprof_op;
		struct xen_sysctl_cpupool_op cpupool_op;
		struct xen_sysctl_scheduler_op scheduler_op;
		struct xen_sysctl_coverage_op coverage_op;
		struct xen_sysctl_psr_cmt_op psr_cmt_op;
		struct xen_sysctl_psr_alloc psr_alloc;
		struct xen_sysctl_cpu_levelling_caps cpu_levelling_caps;
		struct xen_sysctl_cpu_featureset cpu_featureset;
		struct xen_sysctl_livepatch_op livepatch;
		struct xen_sysctl_cpu_policy cpu_policy;
		uint8_t pad[128];
	} u;
} xen_sysctl_t;
DEFINE_XEN_GUEST_HANDLE(xen_sysctl_t);

#endif /* __ASSEMBLY__ */
#endif
