/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest interface: hypercall numbers, virtual interrupts, the MMU calls of paravirtual guests, and the pages that a
 * guest shares with the hypervisor. The other headers of this folder describe one hypercall each.
 *
 * Hypercalls return 0 or a non-negative result, or a negated error number of errno.h. Constants can be used from
 * assembly when __ASSEMBLY__ is defined. "Frame" always means 4 KiB; addresses and frames that a PV guest passes are
 * machine addresses and machine frames unless stated otherwise.
 */
#ifndef XEN_PUBLIC_XEN_H
#define XEN_PUBLIC_XEN_H

#include "xen-compat.h"

#include "arch-x86/xen.h"

/* ---- Hypercall numbers -------------------------------------------------------------------------------------------- */
/* A name that ends in _compat takes a structure with the sub-operation inside instead of (cmd, argument). */
#define __HYPERVISOR_set_trap_table		    0
#define __HYPERVISOR_mmu_update			    1
#define __HYPERVISOR_set_gdt			    2
#define __HYPERVISOR_stack_switch		    3
#define __HYPERVISOR_set_callbacks		    4
#define __HYPERVISOR_fpu_taskswitch		    5
#define __HYPERVISOR_sched_op_compat		    6
#define __HYPERVISOR_platform_op		    7
#define __HYPERVISOR_set_debugreg		    8
#define __HYPERVISOR_get_debugreg		    9
#define __HYPERVISOR_update_descriptor		    10
#define __HYPERVISOR_memory_op			    12
#define __HYPERVISOR_multicall			    13
#define __HYPERVISOR_update_va_mapping		    14
#define __HYPERVISOR_set_timer_op		    15
#define __HYPERVISOR_event_channel_op_compat	    16
#define __HYPERVISOR_xen_version		    17
#define __HYPERVISOR_console_io			    18
#define __HYPERVISOR_physdev_op_compat		    19
#define __HYPERVISOR_grant_table_op		    20
#define __HYPERVISOR_vm_assist			    21
#define __HYPERVISOR_update_va_mapping_otherdomain 22
#define __HYPERVISOR_iret			    23
#define __HYPERVISOR_vcpu_op			    24
#define __HYPERVISOR_set_segment_base		    25 /* 64-bit guests */
#define __HYPERVISOR_mmuext_op			    26
#define __HYPERVISOR_xsm_op			    27
#define __HYPERVISOR_nmi_op			    28
#define __HYPERVISOR_sched_op			    29
#define __HYPERVISOR_callback_op		    30
#define __HYPERVISOR_xenoprof_op		    31
#define __HYPERVISOR_event_channel_op		    32
#define __HYPERVISOR_physdev_op			    33
#define __HYPERVISOR_hvm_op			    34
#define __HYPERVISOR_sysctl			    35
#define __HYPERVISOR_domctl			    36
#define __HYPERVISOR_kexec_op			    37
#define __HYPERVISOR_tmem_op			    38
#define __HYPERVISOR_argo_op			    39
#define __HYPERVISOR_xenpmu_op			    40
#define __HYPERVISOR_dm_op			    41
#define __HYPERVISOR_hypfs_op			    42

/* Left to the architecture; on x86, arch_0 is the machine-check call of arch-x86/xen-mca.h. */
#define __HYPERVISOR_arch_0 48
#define __HYPERVISOR_arch_1 49
#define __HYPERVISOR_arch_2 50
#define __HYPERVISOR_arch_3 51
#define __HYPERVISOR_arch_4 52
#define __HYPERVISOR_arch_5 53
#define __HYPERVISOR_arch_6 54
#define __HYPERVISOR_arch_7 55

/* ---- Virtual interrupts ------------------------------------------------------------------------------------------- */
/*
 * Sources that EVTCHNOP_bind_virq attaches a port to. "vcpu": each vCPU has its own, bound for good to that vCPU.
 * "domain": one in a domain, bound on vCPU 0 first and movable. "system": one receiver in the machine, dom0 by default.
 */
#define VIRQ_TIMER	0  /* vcpu: a timer of this vCPU has fired */
#define VIRQ_DEBUG	1  /* vcpu: please dump your state */
#define VIRQ_CONSOLE	2  /* system: input waits on the hypervisor's console */
#define VIRQ_DOM_EXC	3  /* system: some domain shut down, crashed or went away */
#define VIRQ_TBUF	4  /* system: trace buffers fill up */
#define VIRQ_DEBUGGER	6  /* system: a domain stopped for its debugger */
#define VIRQ_XENOPROF	7  /* vcpu: profiling samples wait */
#define VIRQ_CON_RING	8  /* system: the console ring has new output */
#define VIRQ_PCPU_STATE 9  /* system: a physical CPU went on or off line */
#define VIRQ_MEM_EVENT	10 /* system: a memory event */
#define VIRQ_ARGO	11 /* domain: an argo message */
#define VIRQ_ENOMEM	12 /* system: the hypervisor runs low on memory */
#define VIRQ_XENPMU	13 /* vcpu: a performance counter overflowed */
#define VIRQ_ARCH_0	16
#define VIRQ_ARCH_1	17
#define VIRQ_ARCH_2	18
#define VIRQ_ARCH_3	19
#define VIRQ_ARCH_4	20
#define VIRQ_ARCH_5	21
#define VIRQ_ARCH_6	22
#define VIRQ_ARCH_7	23
#define NR_VIRQS	24

/* ---- Domain identifiers ------------------------------------------------------------------------------------------- */
/* Real domains are numbered below DOMID_FIRST_RESERVED; the rest are stand-ins that some calls accept. */
#define DOMID_FIRST_RESERVED xen_mk_uint(0x7FF0)
#define DOMID_SELF	     xen_mk_uint(0x7FF0) /* the caller */
#define DOMID_IO	     xen_mk_uint(0x7FF1) /* owner of frames that are not RAM */
#define DOMID_XEN	     xen_mk_uint(0x7FF2) /* owner of the hypervisor's frames that dom0 may map */
#define DOMID_COW	     xen_mk_uint(0x7FF3) /* owner of frames shared copy-on-write */
#define DOMID_INVALID	     xen_mk_uint(0x7FF4) /* nobody */
#define DOMID_IDLE	     xen_mk_uint(0x7FFF) /* owner of the idle vCPUs */
#define DOMID_MASK	     xen_mk_uint(0x7FFF)

/* ---- mmu_update(reqs, count, done_out, foreigndom) ---------------------------------------------------------------- */
/*
 * Each request is (ptr, val); the low two bits of ptr say what to do with it. Bits 15:0 of foreigndom name the domain
 * that must own the frames mapped (FD), bits 31:16 are 0 or 1 plus the domain that owns the page tables. *done_out
 * (unless it is null) receives the number of requests carried out, also on failure.
 *
 * A frame is a page table of one level, or a descriptor page, or writable, never two of them at the same time; a page
 * that is in use as a page table may be mapped only read-only. Requests that would break this are refused.
 */
#define MMU_NORMAL_PT_UPDATE	   0 /* check val and store it into the entry at machine address ptr */
#define MMU_MACHPHYS_UPDATE	   1 /* set the machine-to-physical entry of the frame at ptr to val */
#define MMU_PT_UPDATE_PRESERVE_AD  2 /* as 0, but keep the accessed and dirty bits that the entry has by then */
#define MMU_PT_UPDATE_NO_TRANSLATE 3 /* as 0, but val is a machine frame even for a translated FD */

/* ---- mmuext_op(ops, count, done_out, foreigndom) ------------------------------------------------------------------ */
#define MMUEXT_PIN_L1_TABLE	  0  /* mfn: validate as a table of that level and keep it valid */
#define MMUEXT_PIN_L2_TABLE	  1
#define MMUEXT_PIN_L3_TABLE	  2
#define MMUEXT_PIN_L4_TABLE	  3
#define MMUEXT_UNPIN_TABLE	  4  /* mfn */
#define MMUEXT_NEW_BASEPTR	  5  /* mfn: L4 that the kernel runs on */
#define MMUEXT_TLB_FLUSH_LOCAL	  6  /* this vCPU */
#define MMUEXT_INVLPG_LOCAL	  7  /* linear_addr */
#define MMUEXT_TLB_FLUSH_MULTI	  8  /* vcpumask */
#define MMUEXT_INVLPG_MULTI	  9  /* linear_addr, vcpumask */
#define MMUEXT_TLB_FLUSH_ALL	  10 /* every vCPU of the domain */
#define MMUEXT_INVLPG_ALL	  11 /* linear_addr */
#define MMUEXT_FLUSH_CACHE	  12 /* write back and invalidate this CPU's caches */
#define MMUEXT_SET_LDT		  13 /* linear_addr (page aligned), nr_ents */
#define MMUEXT_NEW_USER_BASEPTR	  15 /* mfn: L4 that user mode runs on (64-bit guests); 0 for none */
#define MMUEXT_CLEAR_PAGE	  16 /* mfn */
#define MMUEXT_COPY_PAGE	  17 /* mfn: destination; src_mfn */
#define MMUEXT_FLUSH_CACHE_GLOBAL 18 /* write back and invalidate the caches of all CPUs */
#define MMUEXT_MARK_SUPER	  19 /* mfn: first frame of a superpage */
#define MMUEXT_UNMARK_SUPER	  20 /* mfn */

/* ---- update_va_mapping(va, val, flags), update_va_mapping_otherdomain(va, val, flags, domid) ---------------------- */
/* Store val into the L1 entry that maps va. Flags: what to flush, and from which TLBs. */
#define UVMF_NONE	    (xen_mk_ulong(0) << 0)
#define UVMF_TLB_FLUSH	    (xen_mk_ulong(1) << 0) /* everything */
#define UVMF_INVLPG	    (xen_mk_ulong(2) << 0) /* the one entry */
#define UVMF_FLUSHTYPE_MASK (xen_mk_ulong(3) << 0)
#define UVMF_MULTI	    (xen_mk_ulong(0) << 2) /* of the vCPUs in the bitmap whose address is ORed in */
#define UVMF_LOCAL	    (xen_mk_ulong(0) << 2) /* of this vCPU: a null bitmap address */
#define UVMF_ALL	    (xen_mk_ulong(1) << 2) /* of all vCPUs of the domain */

/* ---- console_io(cmd, count, buffer) ------------------------------------------------------------------------------- */
#define CONSOLEIO_write 0 /* returns 0 */
#define CONSOLEIO_read	1 /* returns the number of bytes read, up to count */

/* ---- vm_assist(cmd, type) ----------------------------------------------------------------------------------------- */
#define VMASST_CMD_enable  0
#define VMASST_CMD_disable 1

#define VMASST_TYPE_4gb_segments	 0 /* 32-bit guests: emulate segments that reach into the hypervisor */
#define VMASST_TYPE_4gb_segments_notify	 1 /* and raise vector 15 when that happened */
#define VMASST_TYPE_writable_pagetables	 2 /* emulate a guest's plain stores to L1 tables */
#define VMASST_TYPE_pae_extended_cr3	 3 /* 32-bit guests: top-level tables above 4 GiB */
#define VMASST_TYPE_architectural_iopl	 4 /* IOPL lives in the guest's own flags; its kernel counts as ring 0 */
#define VMASST_TYPE_runstate_update_flag 5 /* announce updates of vcpu_runstate_info, see XEN_RUNSTATE_UPDATE */
#define VMASST_TYPE_m2p_strict		 32 /* the machine-to-physical table is never visible in user mode */

/* ---- Flags of start_info and of vcpu_time_info -------------------------------------------------------------------- */
#define SIF_PRIVILEGED	    (1 << 0)
#define SIF_INITDOMAIN	    (1 << 1)	/* dom0 */
#define SIF_MULTIBOOT_MOD   (1 << 2)	/* the module is an array of struct xen_multiboot_mod_list */
#define SIF_MOD_START_PFN   (1 << 3)	/* mod_start is a frame number, the module is not mapped */
#define SIF_VIRT_P2M_4TOOLS (1 << 4)	/* tools read the linear P2M, no three-level tree is needed */
#define SIF_PM_MASK	    (0xFF << 8) /* power-management options */

#define XEN_PVCLOCK_TSC_STABLE_BIT (1 << 0) /* readings on different vCPUs are ordered */
#define XEN_PVCLOCK_GUEST_STOPPED  (1 << 1) /* the guest was paused by its host */

#define MAX_GUEST_CMDLINE 1024

#define XEN_VGATYPE_TEXT_MODE_3 0x03
#define XEN_VGATYPE_VESA_LFB	0x23
#define XEN_VGATYPE_EFI_LFB	0x70

#ifndef __ASSEMBLY__

typedef uint16_t domid_t;

/* Handles for plain types; __guest_handle_NAME holds a pointer to the type. */
DEFINE_XEN_GUEST_HANDLE(char);
DEFINE_XEN_GUEST_HANDLE(int);
DEFINE_XEN_GUEST_HANDLE(void);
__DEFINE_XEN_GUEST_HANDLE(uchar, unsigned char);
__DEFINE_XEN_GUEST_HANDLE(uint, unsigned int);
__DEFINE_XEN_GUEST_HANDLE(uint8, uint8_t);
__DEFINE_XEN_GUEST_HANDLE(uint16, uint16_t);
__DEFINE_XEN_GUEST_HANDLE(uint32, uint32_t);
__DEFINE_XEN_GUEST_HANDLE(uint64, uint64_t);
DEFINE_XEN_GUEST_HANDLE(uint64_t);
DEFINE_XEN_GUEST_HANDLE(xen_pfn_t);
DEFINE_XEN_GUEST_HANDLE(xen_ulong_t);

typedef struct mmu_update {
	uint64_t ptr; /* machine address of the entry (or of the frame), and MMU_* in bits 1:0 */
	uint64_t val;
} mmu_update_t;
DEFINE_XEN_GUEST_HANDLE(mmu_update_t);

typedef struct mmuext_op {
	unsigned int cmd; /* MMUEXT_*; its comment names the arguments used */
	union {
		xen_pfn_t mfn;
		unsigned long linear_addr;
	} arg1;
	union {
		unsigned int nr_ents;
		XEN_GUEST_HANDLE(const_void) vcpumask;
		xen_pfn_t src_mfn;
	} arg2;
} mmuext_op_t;
DEFINE_XEN_GUEST_HANDLE(mmuext_op_t);

/* multicall(calls, nr): each entry is carried out in turn, its result stored beside it. */
typedef struct multicall_entry {
	xen_ulong_t op, result;
	xen_ulong_t args[6];
} multicall_entry_t;
DEFINE_XEN_GUEST_HANDLE(multicall_entry_t);

/*
 * Time of a vCPU. The hypervisor makes version odd while it changes the rest; a reader takes a copy between two equal,
 * even readings of version. Nanoseconds since boot at TSC reading t, with d = t - tsc_timestamp shifted left by
 * tsc_shift (right when negative): system_time + ((d * tsc_to_system_mul) >> 32).
 */
typedef struct vcpu_time_info {
	uint32_t version;
	uint32_t pad0;
	uint64_t tsc_timestamp;
	uint64_t system_time; /* ns since boot, when the TSC read tsc_timestamp */
	uint32_t tsc_to_system_mul;
	int8_t tsc_shift;
	uint8_t flags; /* XEN_PVCLOCK_* */
	uint8_t pad1[2];
} vcpu_time_info_t;

/* What each vCPU shares with the hypervisor, 64 bytes. */
struct vcpu_info {
	/* Set by the hypervisor when a port of this vCPU becomes pending; the guest clears it before it scans. */
	uint8_t evtchn_upcall_pending;
	/* While non-zero, no upcall is made. The hypervisor sets it on an upcall and clears it when the vCPU blocks. */
	uint8_t evtchn_upcall_mask;
	/* Bit n: look at word n of evtchn_pending (two-level ports). */
	xen_ulong_t evtchn_pending_sel;
	struct arch_vcpu_info arch;
	vcpu_time_info_t time;
};

/* One page of a domain, always mapped by it and by the hypervisor. */
struct shared_info {
	/* For the first vCPUs, until VCPUOP_register_vcpu_info moves them. */
	struct vcpu_info vcpu_info[XEN_LEGACY_MAX_VCPUS];
	/*
	 * Two-level event channels: the guest clears pending bits and owns the mask bits. A port that becomes pending
	 * while it is masked makes no upcall, then or when the mask bit is cleared without EVTCHNOP_unmask.
	 */
	xen_ulong_t evtchn_pending[sizeof(xen_ulong_t) * 8];
	xen_ulong_t evtchn_mask[sizeof(xen_ulong_t) * 8];
	/* Wall-clock time when the system time was zero; versioned as in vcpu_time_info. */
	uint32_t wc_version;
	uint32_t wc_sec;
	uint32_t wc_nsec;
#ifdef __i386__
#define xen_wc_sec_hi arch.wc_sec_hi
#else
	uint32_t wc_sec_hi;
#define xen_wc_sec_hi wc_sec_hi
#endif
	struct arch_shared_info arch;
};

#ifndef __XEN__
/* The hypervisor keeps these names for unions of the layouts of its 32- and 64-bit guests. */
typedef struct vcpu_info vcpu_info_t;
typedef struct shared_info shared_info_t;
#endif

/*
 * What a PV guest finds at the address in %rsi (%esi) when it starts. Its first mapping is one region, in this order,
 * each part on a page boundary: kernel, module, P2M list (unless XEN_ELFNOTE_INIT_P2M puts it elsewhere), this
 * structure, xenstore ring and console ring (not in dom0), page tables, a stack; at least 512 KiB follow, and the region
 * ends on a 4 MiB boundary. Pseudo-physical frame 0 is its first page. Page tables are mapped read-only, the rest
 * writable. Fields up to console are filled in on resume too.
 */
typedef struct start_info {
	char magic[32]; /* "xen-<version>-<platform>" */
	unsigned long nr_pages; /* size of the domain */
	unsigned long shared_info; /* machine address */
	uint32_t flags; /* SIF_* */
	xen_pfn_t store_mfn; /* xenstore ring */
	uint32_t store_evtchn;
	union {
		struct {
			xen_pfn_t mfn; /* console ring */
			uint32_t evtchn;
		} domU;
		struct {
			uint32_t info_off; /* of a dom0_vga_console_info, from the start of this structure */
			uint32_t info_size;
		} dom0;
	} console;
	unsigned long pt_base; /* virtual address of the L4, and of the first of ... */
	unsigned long nr_pt_frames; /* ... this many page tables */
	unsigned long mfn_list; /* virtual address of the P2M list */
	unsigned long mod_start; /* virtual address, or frame with SIF_MOD_START_PFN; 0 without a module */
	unsigned long mod_len; /* bytes */
	int8_t cmd_line[MAX_GUEST_CMDLINE];
	unsigned long first_p2m_pfn; /* frames that hold a P2M list outside of the first region */
	unsigned long nr_p2m_frames;
} start_info_t;

/* Modules with SIF_MULTIBOOT_MOD: an array, ended by mod_start 0. Offsets from the start of the array. */
struct xen_multiboot_mod_list {
	uint32_t mod_start; /* first byte */
	uint32_t mod_end; /* last byte */
	uint32_t cmdline; /* string that ends with a zero byte */
	uint32_t pad; /* 0 */
};

/* The machine's screen, for dom0 (start_info.console.dom0). */
#define xen_vga_console_info   dom0_vga_console_info
#define xen_vga_console_info_t dom0_vga_console_info_t
typedef struct dom0_vga_console_info {
	uint8_t video_type; /* XEN_VGATYPE_* */
	union {
		struct {
			uint16_t font_height; /* pixels */
			uint16_t cursor_x, cursor_y; /* column, row */
			uint16_t rows, columns;
		} text_mode_3;
		struct {
			uint16_t width, height; /* pixels */
			uint16_t bytes_per_line;
			uint16_t bits_per_pixel;
			uint32_t lfb_base; /* physical address, bits 31:0 */
			uint32_t lfb_size; /* 64 KiB units */
			/* Lowest bit and width of each colour in a pixel. */
			uint8_t red_pos, red_size;
			uint8_t green_pos, green_size;
			uint8_t blue_pos, blue_size;
			uint8_t rsvd_pos, rsvd_size;
			uint32_t gbl_caps; /* VBE controller capabilities */
			uint16_t mode_attrs; /* VBE mode attributes */
			uint16_t pad;
			uint32_t ext_lfb_base; /* physical address, bits 63:32 */
		} vesa_lfb;
	} u;
} dom0_vga_console_info_t;

typedef uint8_t xen_domain_handle_t[16];

/* A UUID, most significant byte first in each group: XEN_DEFINE_UUID(0x00112233, 0x4455, 0x6677, 0x8899, 0xaa, ...). */
typedef struct {
	uint8_t a[16];
} xen_uuid_t;

#define __XEN_UUID_BYTE(v, n) (((v) >> (8 * (n))) & 0xFF)
#define XEN_DEFINE_UUID_(a, b, c, d, e1, e2, e3, e4, e5, e6)                                       \
	{ { __XEN_UUID_BYTE(a, 3), __XEN_UUID_BYTE(a, 2), __XEN_UUID_BYTE(a, 1),                   \
	    __XEN_UUID_BYTE(a, 0), __XEN_UUID_BYTE(b, 1), __XEN_UUID_BYTE(b, 0),                   \
	    __XEN_UUID_BYTE(c, 1), __XEN_UUID_BYTE(c, 0), __XEN_UUID_BYTE(d, 1),                   \
	    __XEN_UUID_BYTE(d, 0), e1, e2, e3, e4, e5, e6 } }
#define XEN_DEFINE_UUID(a, b, c, d, e1, e2, e3, e4, e5, e6)                                        \
	((xen_uuid_t)XEN_DEFINE_UUID_(a, b, c, d, e1, e2, e3, e4, e5, e6))

#if defined(__XEN__) || defined(__XEN_TOOLS__)
/* A bitmap that the caller of a control hypercall owns; ceil(nr_bits / 8) bytes. */
typedef struct xenctl_bitmap {
	XEN_GUEST_HANDLE_64(uint8) bitmap;
	uint32_t nr_bits;
} xenctl_bitmap_t;
#endif

#endif /* __ASSEMBLY__ */
#endif
