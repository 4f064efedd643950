/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domctl(op): how the tools create, inspect and control a domain.
 *
 * The argument is struct xen_domctl: cmd, interface_version, the domain, and the member of the union that the list of
 * commands names. It is written back after the call. Numbers of frames and addresses are of the subject domain unless
 * they are said to be the machine's; "null asks for the size" means that a call with a null handle fills in the size.
 */
#ifndef XEN_PUBLIC_DOMCTL_H
#define XEN_PUBLIC_DOMCTL_H

#if !defined(__XEN__) && !defined(__XEN_TOOLS__)
#error "domctl is for the tools: define __XEN_TOOLS__"
#endif

#include "event_channel.h"
#include "grant_table.h"
#include "hvm/save.h"
#include "memory.h"
#include "xen.h"

#define XEN_DOMCTL_INTERFACE_VERSION 0x00000015

/* ---- Commands, and the member that each uses ---------------------------------------------------------------------- */
#define XEN_DOMCTL_createdomain		   1 /* createdomain; domain: wanted number, or an invalid one for any; OUT */
#define XEN_DOMCTL_destroydomain	   2 /* none */
#define XEN_DOMCTL_pausedomain		   3 /* none; counted */
#define XEN_DOMCTL_unpausedomain	   4 /* none */
#define XEN_DOMCTL_getdomaininfo	   5 /* getdomaininfo, of the first domain numbered domain or above; OUT */
#define XEN_DOMCTL_setvcpuaffinity	   9 /* vcpuaffinity */
#define XEN_DOMCTL_shadow_op		   10 /* shadow_op */
#define XEN_DOMCTL_max_mem		   11 /* max_mem */
#define XEN_DOMCTL_setvcpucontext	   12 /* vcpucontext */
#define XEN_DOMCTL_getvcpucontext	   13 /* vcpucontext */
#define XEN_DOMCTL_getvcpuinfo		   14 /* getvcpuinfo */
#define XEN_DOMCTL_max_vcpus		   15 /* max_vcpus */
#define XEN_DOMCTL_scheduler_op		   16 /* scheduler_op */
#define XEN_DOMCTL_setdomainhandle	   17 /* setdomainhandle */
#define XEN_DOMCTL_setdebugging		   18 /* setdebugging */
#define XEN_DOMCTL_irq_permission	   19 /* irq_permission */
#define XEN_DOMCTL_iomem_permission	   20 /* iomem_permission */
#define XEN_DOMCTL_ioport_permission	   21 /* ioport_permission */
#define XEN_DOMCTL_hypercall_init	   22 /* hypercall_init */
#ifdef __XEN__
#define XEN_DOMCTL_soft_reset_cont	   23 /* how a preempted soft reset continues */
#endif
#define XEN_DOMCTL_settimeoffset	   24 /* settimeoffset */
#define XEN_DOMCTL_getvcpuaffinity	   25 /* vcpuaffinity */
#define XEN_DOMCTL_real_mode_area	   26 /* PowerPC, gone */
#define XEN_DOMCTL_resumedomain		   27 /* none; after a suspend that is called off */
#define XEN_DOMCTL_sendtrigger		   28 /* sendtrigger */
#define XEN_DOMCTL_subscribe		   29 /* subscribe */
#define XEN_DOMCTL_gethvmcontext	   33 /* hvmcontext */
#define XEN_DOMCTL_sethvmcontext	   34 /* hvmcontext */
#define XEN_DOMCTL_set_address_size	   35 /* address_size */
#define XEN_DOMCTL_get_address_size	   36 /* address_size */
#define XEN_DOMCTL_assign_device	   37 /* assign_device */
#define XEN_DOMCTL_bind_pt_irq		   38 /* bind_pt_irq */
#define XEN_DOMCTL_memory_mapping	   39 /* memory_mapping */
#define XEN_DOMCTL_ioport_mapping	   40 /* ioport_mapping */
#define XEN_DOMCTL_set_ext_vcpucontext	   42 /* ext_vcpucontext */
#define XEN_DOMCTL_get_ext_vcpucontext	   43 /* ext_vcpucontext */
#define XEN_DOMCTL_set_opt_feature	   44 /* IA-64, gone */
#define XEN_DOMCTL_test_assign_device	   45 /* assign_device; with DOMID_INVALID: has any domain got it? */
#define XEN_DOMCTL_set_target		   46 /* set_target */
#define XEN_DOMCTL_deassign_device	   47 /* assign_device; back to dom0 */
#define XEN_DOMCTL_unbind_pt_irq	   48 /* bind_pt_irq */
#define XEN_DOMCTL_get_device_group	   50 /* get_device_group */
#define XEN_DOMCTL_debug_op		   54 /* debug_op */
#define XEN_DOMCTL_gethvmcontext_partial   55 /* hvmcontext_partial */
#define XEN_DOMCTL_vm_event_op		   56 /* vm_event_op */
#define XEN_DOMCTL_mem_sharing_op	   57 /* mem_sharing_op */
#define XEN_DOMCTL_gettscinfo		   59 /* tsc_info */
#define XEN_DOMCTL_settscinfo		   60 /* tsc_info */
#define XEN_DOMCTL_getpageframeinfo3	   61 /* getpageframeinfo3 */
#define XEN_DOMCTL_setvcpuextstate	   62 /* vcpuextstate */
#define XEN_DOMCTL_getvcpuextstate	   63 /* vcpuextstate */
#define XEN_DOMCTL_set_access_required	   64 /* access_required */
#define XEN_DOMCTL_audit_p2m		   65 /* audit_p2m */
#define XEN_DOMCTL_set_virq_handler	   66 /* set_virq_handler */
#define XEN_DOMCTL_set_broken_page_p2m	   67 /* set_broken_page_p2m */
#define XEN_DOMCTL_setnodeaffinity	   68 /* nodeaffinity */
#define XEN_DOMCTL_getnodeaffinity	   69 /* nodeaffinity */
#define XEN_DOMCTL_cacheflush		   71 /* cacheflush; Arm */
#define XEN_DOMCTL_get_vcpu_msrs	   72 /* vcpu_msrs */
#define XEN_DOMCTL_set_vcpu_msrs	   73 /* vcpu_msrs */
#define XEN_DOMCTL_setvnumainfo		   74 /* vnuma */
#define XEN_DOMCTL_psr_cmt_op		   75 /* psr_cmt_op */
#define XEN_DOMCTL_monitor_op		   77 /* monitor_op */
#define XEN_DOMCTL_psr_alloc		   78 /* psr_alloc */
#define XEN_DOMCTL_soft_reset		   79 /* none */
#define XEN_DOMCTL_vuart_op		   81 /* vuart_op; Arm */
#define XEN_DOMCTL_get_cpu_policy	   82 /* cpu_policy */
#define XEN_DOMCTL_set_cpu_policy	   83 /* cpu_policy */
#define XEN_DOMCTL_vmtrace_op		   84 /* vmtrace_op */
#define XEN_DOMCTL_get_paging_mempool_size 85 /* paging_mempool */
#define XEN_DOMCTL_set_paging_mempool_size 86 /* paging_mempool */
#define XEN_DOMCTL_gdbsx_guestmemio	   1000 /* gdbsx_guest_memio */
#define XEN_DOMCTL_gdbsx_pausevcpu	   1001 /* gdbsx_pauseunp_vcpu */
#define XEN_DOMCTL_gdbsx_unpausevcpu	   1002 /* gdbsx_pauseunp_vcpu */
#define XEN_DOMCTL_gdbsx_domstatus	   1003 /* gdbsx_domstatus */

/* ---- Life of a domain --------------------------------------------------------------------------------------------- */
/* createdomain.flags */
#define _XEN_DOMCTL_CDF_hvm	     0
#define XEN_DOMCTL_CDF_hvm	     (1U << _XEN_DOMCTL_CDF_hvm)
#define _XEN_DOMCTL_CDF_hap	     1 /* nested paging */
#define XEN_DOMCTL_CDF_hap	     (1U << _XEN_DOMCTL_CDF_hap)
#define _XEN_DOMCTL_CDF_s3_integrity 2 /* check its memory after the machine slept */
#define XEN_DOMCTL_CDF_s3_integrity  (1U << _XEN_DOMCTL_CDF_s3_integrity)
#define _XEN_DOMCTL_CDF_oos_off	     3 /* shadow page tables never out of sync */
#define XEN_DOMCTL_CDF_oos_off	     (1U << _XEN_DOMCTL_CDF_oos_off)
#define _XEN_DOMCTL_CDF_xs_domain    4 /* runs xenstored */
#define XEN_DOMCTL_CDF_xs_domain     (1U << _XEN_DOMCTL_CDF_xs_domain)
#define _XEN_DOMCTL_CDF_iommu	     5 /* may get devices */
#define XEN_DOMCTL_CDF_iommu	     (1U << _XEN_DOMCTL_CDF_iommu)
#define _XEN_DOMCTL_CDF_nested_virt  6
#define XEN_DOMCTL_CDF_nested_virt   (1U << _XEN_DOMCTL_CDF_nested_virt)
#define XEN_DOMCTL_CDF_vpmu	     (1U << 7)
#define XEN_DOMCTL_CDF_MAX	     XEN_DOMCTL_CDF_vpmu

/* createdomain.iommu_opts: IOMMU tables of its own. */
#define _XEN_DOMCTL_IOMMU_no_sharept 0
#define XEN_DOMCTL_IOMMU_no_sharept  (1U << _XEN_DOMCTL_IOMMU_no_sharept)
#define XEN_DOMCTL_IOMMU_MAX	     XEN_DOMCTL_IOMMU_no_sharept

/* createdomain.grant_opts: highest version of the grant table, 0 for none. */
#define XEN_DOMCTL_GRANT_version_mask 0xf
#define XEN_DOMCTL_GRANT_version(v)   ((v) & XEN_DOMCTL_GRANT_version_mask)

/* getdomaininfo.flags */
#define _XEN_DOMINF_dying	 0 /* being destroyed */
#define XEN_DOMINF_dying	 (1U << _XEN_DOMINF_dying)
#define _XEN_DOMINF_hvm_guest	 1
#define XEN_DOMINF_hvm_guest	 (1U << _XEN_DOMINF_hvm_guest)
#define _XEN_DOMINF_shutdown	 2
#define XEN_DOMINF_shutdown	 (1U << _XEN_DOMINF_shutdown)
#define _XEN_DOMINF_paused	 3 /* by a tool */
#define XEN_DOMINF_paused	 (1U << _XEN_DOMINF_paused)
#define _XEN_DOMINF_blocked	 4 /* all its vCPUs wait for events */
#define XEN_DOMINF_blocked	 (1U << _XEN_DOMINF_blocked)
#define _XEN_DOMINF_running	 5 /* some vCPU is on a CPU */
#define XEN_DOMINF_running	 (1U << _XEN_DOMINF_running)
#define _XEN_DOMINF_debugged	 6
#define XEN_DOMINF_debugged	 (1U << _XEN_DOMINF_debugged)
#define _XEN_DOMINF_xs_domain	 7
#define XEN_DOMINF_xs_domain	 (1U << _XEN_DOMINF_xs_domain)
#define _XEN_DOMINF_hap		 8
#define XEN_DOMINF_hap		 (1U << _XEN_DOMINF_hap)
#define XEN_DOMINF_shutdownmask	 255 /* SHUTDOWN_*, after shifting */
#define XEN_DOMINF_shutdownshift 16

#define XEN_INVALID_MAX_VCPU_ID (~0U) /* no vCPUs yet */

/* ---- Page types of getpageframeinfo3 ------------------------------------------------------------------------------ */
#define XEN_DOMCTL_PFINFO_LTAB_SHIFT	28
#define XEN_DOMCTL_PFINFO_NOTAB		(0x0U << 28) /* plain page */
#define XEN_DOMCTL_PFINFO_L1TAB		(0x1U << 28)
#define XEN_DOMCTL_PFINFO_L2TAB		(0x2U << 28)
#define XEN_DOMCTL_PFINFO_L3TAB		(0x3U << 28)
#define XEN_DOMCTL_PFINFO_L4TAB		(0x4U << 28)
#define XEN_DOMCTL_PFINFO_LTABTYPE_MASK (0x7U << 28)
#define XEN_DOMCTL_PFINFO_LPINTAB	(0x1U << 31) /* ORed in: pinned */
#define XEN_DOMCTL_PFINFO_BROKEN	(0xdU << 28) /* hardware error */
#define XEN_DOMCTL_PFINFO_XALLOC	(0xeU << 28) /* in streams: to be allocated, has no contents */
#define XEN_DOMCTL_PFINFO_XTAB		(0xfU << 28) /* not a page of the domain */
#define XEN_DOMCTL_PFINFO_LTAB_MASK	(0xfU << 28)

/* ---- Log-dirty mode and the pool of page tables ------------------------------------------------------------------- */
#define XEN_DOMCTL_SHADOW_OP_OFF	     0
#define XEN_DOMCTL_SHADOW_OP_ENABLE_TEST     1	/* old forms of ENABLE */
#define XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY 2
#define XEN_DOMCTL_SHADOW_OP_CLEAN	     11 /* read the dirty bitmap and clear it */
#define XEN_DOMCTL_SHADOW_OP_PEEK	     12 /* read it */
#define XEN_DOMCTL_SHADOW_OP_GET_ALLOCATION  30 /* size of the pool: mb */
#define XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION  31
#define XEN_DOMCTL_SHADOW_OP_ENABLE	     32 /* with mode */
#define XEN_DOMCTL_SHADOW_ENABLE_REFCOUNT    (1 << 1)
#define XEN_DOMCTL_SHADOW_ENABLE_LOG_DIRTY   (1 << 2)
#define XEN_DOMCTL_SHADOW_ENABLE_TRANSLATE   (1 << 3)
#define XEN_DOMCTL_SHADOW_ENABLE_EXTERNAL    (1 << 4)
#define XEN_DOMCTL_SHADOW_LOGDIRTY_FINAL     (1 << 0) /* mode of CLEAN: the domain is stopped, this is the last time */

/* ---- vCPUs and scheduling ----------------------------------------------------------------------------------------- */
#define _XEN_VCPUAFFINITY_HARD	0
#define XEN_VCPUAFFINITY_HARD	(1U << _XEN_VCPUAFFINITY_HARD)
#define _XEN_VCPUAFFINITY_SOFT	1
#define XEN_VCPUAFFINITY_SOFT	(1U << _XEN_VCPUAFFINITY_SOFT)
#define _XEN_VCPUAFFINITY_FORCE 2 /* end a temporary pinning */
#define XEN_VCPUAFFINITY_FORCE	(1U << _XEN_VCPUAFFINITY_FORCE)

#define XEN_SCHEDULER_CREDIT   5
#define XEN_SCHEDULER_CREDIT2  6
#define XEN_SCHEDULER_ARINC653 7
#define XEN_SCHEDULER_RTDS     8
#define XEN_SCHEDULER_NULL     9

/* The vcpuinfo forms are for schedulers that know parameters of single vCPUs; then getinfo gives the defaults. */
#define XEN_DOMCTL_SCHEDOP_putinfo     0
#define XEN_DOMCTL_SCHEDOP_getinfo     1
#define XEN_DOMCTL_SCHEDOP_putvcpuinfo 2
#define XEN_DOMCTL_SCHEDOP_getvcpuinfo 3

#define _XEN_DOMCTL_SCHEDRT_extra 0 /* may use time that others leave */
#define XEN_DOMCTL_SCHEDRT_extra  (1U << _XEN_DOMCTL_SCHEDRT_extra)

#define XEN_DOMCTL_SENDTRIGGER_NMI   0
#define XEN_DOMCTL_SENDTRIGGER_RESET 1
#define XEN_DOMCTL_SENDTRIGGER_INIT  2
#define XEN_DOMCTL_SENDTRIGGER_POWER 3
#define XEN_DOMCTL_SENDTRIGGER_SLEEP 4

#define XEN_DOMCTL_DEBUG_OP_SINGLE_STEP_OFF 0
#define XEN_DOMCTL_DEBUG_OP_SINGLE_STEP_ON  1

#define XEN_CPUID_INPUT_UNUSED 0xFFFFFFFF

/* ---- Devices ------------------------------------------------------------------------------------------------------ */
#define XEN_DOMCTL_DEV_PCI	   0
#define XEN_DOMCTL_DEV_DT	   1 /* Arm */
#define XEN_DOMCTL_DEV_RDM_RELAXED 1 /* flags: conflicts with reserved memory are no error */

/* bind_pt_irq.u.msi.gflags: fields of the guest's MSI message. */
#define XEN_DOMCTL_VMSI_X86_DEST_ID_MASK 0x0000ff
#define XEN_DOMCTL_VMSI_X86_RH_MASK	 0x000100
#define XEN_DOMCTL_VMSI_X86_DM_MASK	 0x000200
#define XEN_DOMCTL_VMSI_X86_DELIV_MASK	 0x007000
#define XEN_DOMCTL_VMSI_X86_TRIG_MASK	 0x008000
#define XEN_DOMCTL_VMSI_X86_UNMASKED	 0x010000

#define DPCI_ADD_MAPPING    1
#define DPCI_REMOVE_MAPPING 0

/* Memory types, as in MTRRs and the PAT. */
#define XEN_DOMCTL_MEM_CACHEATTR_UC	0
#define XEN_DOMCTL_MEM_CACHEATTR_WC	1
#define XEN_DOMCTL_MEM_CACHEATTR_WT	4
#define XEN_DOMCTL_MEM_CACHEATTR_WP	5
#define XEN_DOMCTL_MEM_CACHEATTR_WB	6
#define XEN_DOMCTL_MEM_CACHEATTR_UCM	7
#define XEN_DOMCTL_DELETE_MEM_CACHEATTR (~(uint32_t)0)

/* ---- Memory events, sharing, monitors ----------------------------------------------------------------------------- */
#define XEN_VM_EVENT_ENABLE	 0
#define XEN_VM_EVENT_DISABLE	 1
#define XEN_VM_EVENT_RESUME	 2 /* take the answers from the ring */
#define XEN_VM_EVENT_GET_VERSION 3
/* Which ring. */
#define XEN_DOMCTL_VM_EVENT_OP_PAGING  1
#define XEN_DOMCTL_VM_EVENT_OP_MONITOR 2
#define XEN_DOMCTL_VM_EVENT_OP_SHARING 3

#define XEN_DOMCTL_MEM_SHARING_CONTROL 0

#define XEN_DOMCTL_MONITOR_OP_ENABLE		     0
#define XEN_DOMCTL_MONITOR_OP_DISABLE		     1
#define XEN_DOMCTL_MONITOR_OP_GET_CAPABILITIES	     2 /* event: OUT, bit n: event n is known */
#define XEN_DOMCTL_MONITOR_OP_EMULATE_EACH_REP	     3
#define XEN_DOMCTL_MONITOR_OP_CONTROL_REGISTERS	     4
#define XEN_DOMCTL_MONITOR_EVENT_WRITE_CTRLREG	     0
#define XEN_DOMCTL_MONITOR_EVENT_MOV_TO_MSR	     1
#define XEN_DOMCTL_MONITOR_EVENT_SINGLESTEP	     2
#define XEN_DOMCTL_MONITOR_EVENT_SOFTWARE_BREAKPOINT 3
#define XEN_DOMCTL_MONITOR_EVENT_GUEST_REQUEST	     4
#define XEN_DOMCTL_MONITOR_EVENT_DEBUG_EXCEPTION     5
#define XEN_DOMCTL_MONITOR_EVENT_CPUID		     6
#define XEN_DOMCTL_MONITOR_EVENT_PRIVILEGED_CALL     7
#define XEN_DOMCTL_MONITOR_EVENT_INTERRUPT	     8
#define XEN_DOMCTL_MONITOR_EVENT_DESC_ACCESS	     9
#define XEN_DOMCTL_MONITOR_EVENT_EMUL_UNIMPLEMENTED  10
#define XEN_DOMCTL_MONITOR_EVENT_INGUEST_PAGEFAULT   11
#define XEN_DOMCTL_MONITOR_EVENT_VMEXIT		     12

/* ---- Cache monitoring and allocation, processor trace, Arm's console ---------------------------------------------- */
#define XEN_DOMCTL_PSR_CMT_OP_DETACH	 0
#define XEN_DOMCTL_PSR_CMT_OP_ATTACH	 1
#define XEN_DOMCTL_PSR_CMT_OP_QUERY_RMID 2

#define XEN_DOMCTL_PSR_SET_L3_CBM    0
#define XEN_DOMCTL_PSR_GET_L3_CBM    1
#define XEN_DOMCTL_PSR_SET_L3_CODE   2
#define XEN_DOMCTL_PSR_SET_L3_DATA   3
#define XEN_DOMCTL_PSR_GET_L3_CODE   4
#define XEN_DOMCTL_PSR_GET_L3_DATA   5
#define XEN_DOMCTL_PSR_SET_L2_CBM    6
#define XEN_DOMCTL_PSR_GET_L2_CBM    7
#define XEN_DOMCTL_PSR_SET_MBA_THRTL 8
#define XEN_DOMCTL_PSR_GET_MBA_THRTL 9

#define XEN_DOMCTL_vmtrace_enable	    1
#define XEN_DOMCTL_vmtrace_disable	    2
#define XEN_DOMCTL_vmtrace_reset_and_enable 3
#define XEN_DOMCTL_vmtrace_output_position  4
#define XEN_DOMCTL_vmtrace_get_option	    5
#define XEN_DOMCTL_vmtrace_set_option	    6

#define XEN_DOMCTL_VUART_OP_INIT     0
#define XEN_DOMCTL_VUART_TYPE_VPL011 0

#ifndef __ASSEMBLY__

/* ---- Life of a domain --------------------------------------------------------------------------------------------- */
struct xen_domctl_createdomain {
	uint32_t ssidref; /* all IN; security label */
	xen_domain_handle_t handle; /* UUID */
	uint32_t flags; /* XEN_DOMCTL_CDF_* */
	uint32_t iommu_opts; /* XEN_DOMCTL_IOMMU_* */
	uint32_t max_vcpus;
	uint32_t max_evtchn_port; /* last port that it may have */
	int32_t max_grant_frames; /* negative: the default */
	int32_t max_maptrack_frames; /* negative: the default */
	uint32_t grant_opts; /* XEN_DOMCTL_GRANT_version() */
	uint32_t vmtrace_size; /* bytes per vCPU, 0 or a power of two */
	uint32_t cpupool_id;
	struct xen_arch_domainconfig arch;
};

/* All OUT. Pages are frames, times ns. */
typedef struct xen_domctl_getdomaininfo {
	domid_t domain;
	uint16_t pad1;
	uint32_t flags; /* XEN_DOMINF_* */
	uint64_aligned_t tot_pages;
	uint64_aligned_t max_pages;
	uint64_aligned_t outstanding_pages; /* claimed */
	uint64_aligned_t shr_pages; /* shared */
	uint64_aligned_t paged_pages; /* paged out */
	uint64_aligned_t shared_info_frame;
	uint64_aligned_t cpu_time;
	uint32_t nr_online_vcpus;
	uint32_t max_vcpu_id;
	uint32_t ssidref;
	xen_domain_handle_t handle;
	uint32_t cpupool;
	uint8_t gpaddr_bits; /* width of guest-physical addresses */
	uint8_t pad2[7];
	struct xen_arch_domainconfig arch_config;
} xen_domctl_getdomaininfo_t;
DEFINE_XEN_GUEST_HANDLE(xen_domctl_getdomaininfo_t);

struct xen_domctl_max_mem {
	uint64_aligned_t max_memkb; /* IN: KiB */
};

struct xen_domctl_setdomainhandle {
	xen_domain_handle_t handle; /* IN */
};

struct xen_domctl_setdebugging {
	uint8_t enable; /* IN */
};

/* Fill a frame of a PV guest with hypercall stubs. */
struct xen_domctl_hypercall_init {
	uint64_aligned_t gmfn; /* IN */
};

struct xen_domctl_settimeoffset {
	int64_aligned_t time_offset_seconds; /* IN: from UTC */
};

/* PV: width of the guest's addresses, 32 or 64. Set before it has memory. */
struct xen_domctl_address_size {
	uint32_t size; /* IN, OUT */
};

/* Another domain that this one (a device model's) serves. */
struct xen_domctl_set_target {
	domid_t target; /* IN */
};

/* A port of the caller to notify, instead of VIRQ_DOM_EXC, when the domain suspends. */
struct xen_domctl_subscribe {
	uint32_t port; /* IN */
};

/* The domain receives a system VIRQ instead of dom0. */
struct xen_domctl_set_virq_handler {
	uint32_t virq; /* IN */
};

/* ---- Memory ------------------------------------------------------------------------------------------------------- */
/* The type of each frame of a list, which XEN_DOMCTL_PFINFO_* replaces. At most 1024 in a call. */
struct xen_domctl_getpageframeinfo3 {
	uint64_aligned_t num; /* IN */
	XEN_GUEST_HANDLE_64(xen_pfn_t) array; /* IN, OUT */
};

struct xen_domctl_shadow_op_stats {
	uint32_t fault_count;
	uint32_t dirty_count;
};

struct xen_domctl_shadow_op {
	uint32_t op; /* IN: XEN_DOMCTL_SHADOW_OP_* */
	uint32_t mode; /* IN: XEN_DOMCTL_SHADOW_ENABLE_* or _LOGDIRTY_FINAL */
	uint32_t mb; /* IN, OUT: MiB */
	XEN_GUEST_HANDLE_64(uint8) dirty_bitmap; /* OUT; null: only count */
	uint64_aligned_t pages; /* IN: bits of the bitmap; OUT: bits written */
	struct xen_domctl_shadow_op_stats stats; /* OUT */
};

struct xen_domctl_paging_mempool {
	uint64_aligned_t size; /* bytes, a multiple of the frame size */
};

struct xen_domctl_set_broken_page_p2m {
	uint64_aligned_t pfn; /* IN */
};

struct xen_domctl_cacheflush {
	xen_pfn_t start_pfn, nr_pfns; /* IN */
};

/* Consistency of the P2M: numbers of errors. */
struct xen_domctl_audit_p2m {
	uint64_t orphans; /* all OUT */
	uint64_t m2p_bad;
	uint64_t p2m_bad;
};

/* The NUMA topology that XENMEM_get_vnumainfo tells the guest. */
struct xen_domctl_vnuma {
	uint32_t nr_vnodes; /* all IN */
	uint32_t nr_vmemranges;
	uint32_t nr_vcpus; /* the domain's max_vcpus */
	uint32_t pad;
	XEN_GUEST_HANDLE_64(uint) vdistance; /* nr_vnodes squared */
	XEN_GUEST_HANDLE_64(uint) vcpu_to_vnode;
	XEN_GUEST_HANDLE_64(uint) vnode_to_pnode;
	XEN_GUEST_HANDLE_64(xen_vmemrange_t) vmemrange;
};

/* ---- vCPUs -------------------------------------------------------------------------------------------------------- */
struct xen_domctl_max_vcpus {
	uint32_t max; /* IN */
};

struct xen_domctl_vcpucontext {
	uint32_t vcpu; /* IN */
	XEN_GUEST_HANDLE_64(vcpu_guest_context_t) ctxt; /* set: IN, null takes the vCPU down; get: OUT */
};

struct xen_domctl_getvcpuinfo {
	uint32_t vcpu; /* IN */
	uint8_t online; /* OUT, as are the rest */
	uint8_t blocked;
	uint8_t running;
	uint64_aligned_t cpu_time; /* ns */
	uint32_t cpu; /* where it runs or ran last */
};

/* What does not fit into vcpu_guest_context. */
struct xen_domctl_ext_vcpucontext {
	uint32_t vcpu; /* IN */
	uint32_t size; /* set: IN, get: OUT; of this structure */
	uint64_aligned_t syscall32_callback_eip;
	uint64_aligned_t sysenter_callback_eip;
	uint16_t syscall32_callback_cs;
	uint16_t sysenter_callback_cs;
	uint8_t syscall32_disables_events;
	uint8_t sysenter_disables_events;
	union {
		uint64_aligned_t mcg_cap;
		struct hvm_vmce_vcpu vmce;
	};
};

/* The XSAVE area of a vCPU, after XCR0 and its accumulated value. Null asks for the size. */
struct xen_domctl_vcpuextstate {
	uint32_t vcpu; /* IN */
	uint64_aligned_t xfeature_mask; /* get: OUT, what the buffer may hold */
	uint64_aligned_t size; /* IN, get: OUT; bytes */
	XEN_GUEST_HANDLE_64(uint64) buffer;
};

typedef struct xen_domctl_vcpu_msr {
	uint32_t index;
	uint32_t reserved;
	uint64_aligned_t value;
} xen_domctl_vcpu_msr_t;
DEFINE_XEN_GUEST_HANDLE(xen_domctl_vcpu_msr_t);

/* MSRs of a PV vCPU. Null asks for the size; -ENOBUFS tells it too. A set that fails gives the index of the bad one. */
struct xen_domctl_vcpu_msrs {
	uint32_t vcpu; /* IN */
	uint32_t msr_count; /* IN, OUT */
	XEN_GUEST_HANDLE_64(xen_domctl_vcpu_msr_t) msrs;
};

struct xen_domctl_tsc_info {
	uint32_t tsc_mode; /* all IN or OUT; 0 default, 1 always emulate, 2 never emulate */
	uint32_t gtsc_khz;
	uint32_t incarnation; /* grows with each restore */
	uint32_t pad;
	uint64_aligned_t elapsed_nsec;
};

/* CPUID and MSR policy. A set that is refused may say which entry is to blame. */
typedef struct xen_domctl_cpu_policy {
	uint32_t nr_leaves; /* IN, OUT */
	uint32_t nr_msrs; /* IN, OUT */
	XEN_GUEST_HANDLE_64(xen_cpuid_leaf_t) leaves;
	XEN_GUEST_HANDLE_64(xen_msr_entry_t) msrs;
	uint32_t err_leaf, err_subleaf, err_msr; /* OUT */
} xen_domctl_cpu_policy_t;
DEFINE_XEN_GUEST_HANDLE(xen_domctl_cpu_policy_t);

struct xen_domctl_sendtrigger {
	uint32_t trigger; /* IN: XEN_DOMCTL_SENDTRIGGER_* */
	uint32_t vcpu; /* IN */
};

struct xen_domctl_debug_op {
	uint32_t op; /* IN: XEN_DOMCTL_DEBUG_OP_* */
	uint32_t vcpu; /* IN */
};

/* HVM: the records of hvm/save.h. Null asks for the size. */
struct xen_domctl_hvmcontext {
	uint32_t size; /* IN, OUT: bytes */
	XEN_GUEST_HANDLE_64(uint8) buffer;
};

/* One record, without its descriptor. Null asks for the size. */
struct xen_domctl_hvmcontext_partial {
	uint32_t type; /* IN: its number */
	uint32_t instance; /* IN */
	uint64_aligned_t bufsz; /* IN, OUT: bytes */
	XEN_GUEST_HANDLE_64(uint8) buffer; /* OUT */
};

/* ---- Scheduling --------------------------------------------------------------------------------------------------- */
struct xen_domctl_nodeaffinity {
	struct xenctl_bitmap nodemap; /* set: IN, get: OUT */
};

/* Where a vCPU may run (hard) and would rather run (soft). A set answers with what is in effect after it. */
struct xen_domctl_vcpuaffinity {
	uint32_t vcpu; /* IN */
	uint32_t flags; /* IN: XEN_VCPUAFFINITY_* */
	struct xenctl_bitmap cpumap_hard; /* IN, OUT */
	struct xenctl_bitmap cpumap_soft; /* IN, OUT */
};

struct xen_domctl_sched_credit {
	uint16_t weight; /* 0: leave it; 256 by default */
	uint16_t cap; /* percent of one CPU; 0: none; 65535: leave it */
};

struct xen_domctl_sched_credit2 {
	uint16_t weight;
	uint16_t cap;
};

struct xen_domctl_sched_rtds {
	uint32_t period; /* us */
	uint32_t budget; /* us */
	uint32_t flags; /* XEN_DOMCTL_SCHEDRT_* */
};

typedef struct xen_domctl_schedparam_vcpu {
	union {
		struct xen_domctl_sched_credit credit;
		struct xen_domctl_sched_credit2 credit2;
		struct xen_domctl_sched_rtds rtds;
	} u;
	uint32_t vcpuid;
} xen_domctl_schedparam_vcpu_t;
DEFINE_XEN_GUEST_HANDLE(xen_domctl_schedparam_vcpu_t);

struct xen_domctl_scheduler_op {
	uint32_t sched_id; /* IN: XEN_SCHEDULER_*, that of the domain's pool */
	uint32_t cmd; /* IN: XEN_DOMCTL_SCHEDOP_* */
	union {
		struct xen_domctl_sched_credit credit;
		struct xen_domctl_sched_credit2 credit2;
		struct xen_domctl_sched_rtds rtds;
		struct {
			XEN_GUEST_HANDLE_64(xen_domctl_schedparam_vcpu_t) vcpus;
			uint32_t nr_vcpus; /* IN; OUT: handled */
			uint32_t padding;
		} v;
	} u; /* put: IN, get: OUT */
};

/* ---- Devices ------------------------------------------------------------------------------------------------------ */
struct xen_domctl_irq_permission {
	uint32_t pirq; /* IN: of the caller */
	uint8_t allow_access; /* IN */
	uint8_t pad[3];
};

struct xen_domctl_iomem_permission {
	uint64_aligned_t first_mfn; /* all IN */
	uint64_aligned_t nr_mfns;
	uint8_t allow_access;
};

struct xen_domctl_ioport_permission {
	uint32_t first_port; /* all IN */
	uint32_t nr_ports;
	uint8_t allow_access;
};

/* A PCI device is named by segment << 16 | bus << 8 | devfn. */
struct xen_domctl_assign_device {
	uint32_t dev; /* all IN; XEN_DOMCTL_DEV_* */
	uint32_t flags; /* XEN_DOMCTL_DEV_RDM_RELAXED */
	union {
		struct {
			uint32_t machine_sbdf;
		} pci;
		struct {
			uint32_t size;
			XEN_GUEST_HANDLE_64(char) path;
		} dt;
	} u;
};

/* Devices that can only be assigned together. */
struct xen_domctl_get_device_group {
	uint32_t machine_sbdf; /* IN */
	uint32_t max_sdevs; /* IN: room */
	uint32_t num_sdevs; /* OUT */
	XEN_GUEST_HANDLE_64(uint32) sdev_array; /* OUT */
};

enum pt_irq_type {
	PT_IRQ_TYPE_PCI,
	PT_IRQ_TYPE_ISA,
	PT_IRQ_TYPE_MSI,
	PT_IRQ_TYPE_MSI_TRANSLATE,
	PT_IRQ_TYPE_SPI, /* Arm */
};

/* HVM: which interrupt of its own a domain sees for one of the machine. */
struct xen_domctl_bind_pt_irq {
	uint32_t machine_irq; /* all IN */
	uint32_t irq_type; /* enum pt_irq_type */
	union {
		struct {
			uint8_t isa_irq;
		} isa;
		struct {
			uint8_t bus;
			uint8_t device;
			uint8_t intx;
		} pci;
		struct {
			uint8_t gvec; /* vector */
			uint32_t gflags; /* XEN_DOMCTL_VMSI_X86_* */
			uint64_aligned_t gtable; /* physical address of the MSI-X table, or 0 */
		} msi;
		struct {
			uint16_t spi;
		} spi;
	} u;
};

/* HVM: map I/O memory. -E2BIG: nr_mfns is too large; positive: that many are done, call again for the rest. */
struct xen_domctl_memory_mapping {
	uint64_aligned_t first_gfn; /* all IN */
	uint64_aligned_t first_mfn;
	uint64_aligned_t nr_mfns;
	uint32_t add_mapping; /* DPCI_*_MAPPING */
	uint32_t padding;
};

struct xen_domctl_ioport_mapping {
	uint32_t first_gport; /* all IN; the guest's */
	uint32_t first_mport; /* the machine's */
	uint32_t nr_ports;
	uint32_t add_mapping;
};

/* ---- Debuggers and monitors --------------------------------------------------------------------------------------- */
struct xen_domctl_gdbsx_memio {
	uint64_aligned_t pgd3val; /* IN: a page-table entry to use for kernel addresses, or 0 */
	uint64_aligned_t gva; /* IN: address in the guest */
	uint64_aligned_t uva; /* IN: address in the caller */
	uint32_t len; /* IN: bytes */
	uint8_t gwr; /* IN: 1 writes to the guest */
	uint32_t remain; /* OUT: bytes not copied */
};

struct xen_domctl_gdbsx_pauseunp_vcpu {
	uint32_t vcpu; /* IN */
};

struct xen_domctl_gdbsx_domstatus {
	uint8_t paused; /* all OUT */
	uint32_t vcpu_id; /* which vCPU stopped, or ~0 */
	uint32_t vcpu_ev; /* at what vector */
};

struct xen_domctl_vm_event_op {
	uint32_t op; /* IN: XEN_VM_EVENT_* */
	uint32_t mode; /* IN: XEN_DOMCTL_VM_EVENT_OP_* */
	union {
		struct {
			uint32_t port;
		} enable;
		uint32_t version;
	} u; /* OUT */
};

struct xen_domctl_mem_sharing_op {
	uint8_t op; /* IN: XEN_DOMCTL_MEM_SHARING_CONTROL */
	union {
		uint8_t enable;
	} u; /* IN */
};

/* Whether an access without the right waits for a listener (1) or goes through when there is none (0). */
struct xen_domctl_set_access_required {
	uint8_t access_required; /* IN */
};

/* sync: the vCPU waits for the answer. onchangeonly: no event when the value stays the same. */
struct xen_domctl_monitor_op {
	uint32_t op; /* IN: XEN_DOMCTL_MONITOR_OP_* */
	uint32_t event; /* IN: XEN_DOMCTL_MONITOR_EVENT_* */
	union {
		struct {
			uint8_t index; /* of the control register */
			uint8_t sync;
			uint8_t onchangeonly;
			uint8_t pad1;
			uint32_t pad2;
			uint64_aligned_t bitmask; /* bits whose changes are not told */
		} mov_to_cr;
		struct {
			uint32_t msr;
			uint8_t onchangeonly;
		} mov_to_msr;
		struct {
			uint8_t sync;
			uint8_t allow_userspace;
		} guest_request;
		struct {
			uint8_t sync;
		} debug_exception;
		struct {
			uint8_t sync;
		} vmexit;
	} u; /* IN, for ENABLE */
};

typedef struct xen_domctl_vmtrace_op {
	uint32_t cmd; /* IN: XEN_DOMCTL_vmtrace_* */
	uint32_t vcpu; /* IN */
	uint64_aligned_t key; /* IN: option */
	uint64_aligned_t value; /* IN, OUT */
} xen_domctl_vmtrace_op_t;
DEFINE_XEN_GUEST_HANDLE(xen_domctl_vmtrace_op_t);

struct xen_domctl_psr_cmt_op {
	uint32_t cmd; /* IN: XEN_DOMCTL_PSR_CMT_OP_* */
	uint32_t data; /* OUT: RMID */
};

struct xen_domctl_psr_alloc {
	uint32_t cmd; /* IN: XEN_DOMCTL_PSR_* */
	uint32_t target; /* IN: socket */
	uint64_t data; /* set: IN, get: OUT */
};

struct xen_domctl_vuart_op {
	uint32_t cmd; /* IN: XEN_DOMCTL_VUART_OP_* */
	uint32_t type; /* IN: XEN_DOMCTL_VUART_TYPE_* */
	uint64_aligned_t gfn; /* IN: ring */
	domid_t console_domid; /* IN: who reads it */
	uint8_t pad[2];
	evtchn_port_t evtchn; /* OUT */
};

/* ---- The argument ------------------------------------------------------------------------------------------------- */
typedef struct xen_domctl {
	uint32_t cmd; /* XEN_DOMCTL_* */
	uint32_t interface_version; /* XEN_DOMCTL_INTERFACE_VERSION, or -EACCES */
	domid_t domain;
	uint16_t _pad[3];
	union {
		struct xen_domctl_createdomain createdomain;
		struct xen_domctl_getdomaininfo getdomaininfo;
		struct xen_domctl_getpageframeinfo3 getpageframeinfo3;
		struct xen_domctl_nodeaffinity nodeaffinity;
		struct xen_domctl_vcpuaffinity vcpuaffinity;
		struct xen_domctl_shadow_op shadow_op;
		struct xen_domctl_max_mem max_mem;
		struct xen_domctl_vcpucontext vcpucontext;
		struct xen_domctl_getvcpuinfo getvcpuinfo;
		struct xen_domctl_max_vcpus max_vcpus;
		struct xen_domctl_scheduler_op scheduler_op;
		struct xen_domctl_setdomainhandle setdomainhandle;
		struct xen_domctl_setdebugging setdebugging;
		struct xen_domctl_irq_permission irq_permission;
		struct xen_domctl_iomem_permission iomem_permission;
		struct xen_domctl_ioport_permission ioport_permission;
		struct xen_domctl_hypercall_init hypercall_init;
		struct xen_domctl_settimeoffset settimeoffset;
		struct xen_domctl_tsc_info tsc_info;
		struct xen_domctl_hvmcontext hvmcontext;
		struct xen_domctl_hvmcontext_partial hvmcontext_partial;
		struct xen_domctl_address_size address_size;
		struct xen_domctl_sendtrigger sendtrigger;
		struct xen_domctl_get_device_group get_device_group;
		struct xen_domctl_assign_device assign_device;
		struct xen_domctl_bind_pt_irq bind_pt_irq;
		struct xen_domctl_memory_mapping memory_mapping;
		struct xen_domctl_ioport_mapping ioport_mapping;
		struct xen_domctl_ext_vcpucontext ext_vcpucontext;
		struct xen_domctl_set_target set_target;
		struct xen_domctl_subscribe subscribe;
		struct xen_domctl_debug_op debug_op;
		struct xen_domctl_vm_event_op vm_event_op;
		struct xen_domctl_mem_sharing_op mem_sharing_op;
		struct xen_domctl_cpu_policy cpu_policy;
		struct xen_domctl_vcpuextstate vcpuextstate;
		struct xen_domctl_vcpu_msrs vcpu_msrs;
		struct xen_domctl_set_access_required access_required;
		struct xen_domctl_audit_p2m audit_p2m;
		struct xen_domctl_set_virq_handler set_virq_handler;
		struct xen_domctl_gdbsx_memio gdbsx_guest_memio;
		struct xen_domctl_set_broken_page_p2m set_broken_page_p2m;
		struct xen_domctl_cacheflush cacheflush;
		struct xen_domctl_gdbsx_pauseunp_vcpu gdbsx_pauseunp_vcpu;
		struct xen_domctl_gdbsx_domstatus gdbsx_domstatus;
		struct xen_domctl_vnuma vnuma;
		struct xen_domctl_psr_cmt_op psr_cmt_op;
		struct xen_domctl_monitor_op monitor_op;
		struct xen_domctl_psr_alloc psr_alloc;
		struct xen_domctl_vuart_op vuart_op;
		struct xen_domctl_vmtrace_op vmtrace_op;
		struct xen_domctl_paging_mempool paging_mempool;
		uint8_t pad[128];
	} u;
} xen_domctl_t;
DEFINE_XEN_GUEST_HANDLE(xen_domctl_t);

#endif /* __ASSEMBLY__ */
#endif
