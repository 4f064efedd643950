/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The x86 part of the guest interface: handles, vCPU context, segment and trap tables. Include "xen.h" instead.
 *
 * set_gdt(frames, entries): the frames of the GDT and its size. update_descriptor(machine_address, descriptor): one entry.
 * stack_switch(ss, sp): the stack on which the kernel receives traps from user mode.
 * set_trap_table(traps): array of struct trap_info, ended by address 0.
 * fpu_taskswitch(set): sets or clears CR0.TS. set_debugreg(n, value), get_debugreg(n).
 */
#ifndef XEN_PUBLIC_ARCH_X86_XEN_H
#define XEN_PUBLIC_ARCH_X86_XEN_H

#include "../xen-compat.h"

/* ---- Constants ---------------------------------------------------------------------------------------------------- */
#define XEN_HAVE_PV_GUEST_ENTRY 1
#define XEN_HAVE_PV_UPCALL_MASK 1

/* The hypervisor's own descriptors (the flat segments below among them) follow the guest's in each GDT. */
#define FIRST_RESERVED_GDT_PAGE	 14
#define FIRST_RESERVED_GDT_BYTE	 (FIRST_RESERVED_GDT_PAGE * 4096)
#define FIRST_RESERVED_GDT_ENTRY (FIRST_RESERVED_GDT_BYTE / 8)

/* vCPUs that have a vcpu_info in the shared page. */
#define XEN_LEGACY_MAX_VCPUS 32

/* vcpu_guest_context.flags */
#define _VGCF_i387_valid	       0 /* fpu_ctxt is filled in */
#define VGCF_i387_valid		       (1 << _VGCF_i387_valid)
#define VGCF_I387_VALID		       (1 << 0)
#define _VGCF_in_kernel		       2
#define VGCF_in_kernel		       (1 << _VGCF_in_kernel)
#define VGCF_IN_KERNEL		       (1 << 2)
#define _VGCF_failsafe_disables_events 3
#define VGCF_failsafe_disables_events  (1 << _VGCF_failsafe_disables_events)
#define _VGCF_syscall_disables_events  4
#define VGCF_syscall_disables_events   (1 << _VGCF_syscall_disables_events)
#define _VGCF_online		       5
#define VGCF_online		       (1 << _VGCF_online)

#define XEN_CPUID_NO_SUBLEAF 0xffffffffu

/* Guests write here what should appear on the hypervisor's log. */
#define XEN_HVM_DEBUGCONS_IOPORT 0xe9

/* An invalid instruction followed by "xen": makes the hypervisor emulate the instruction after it, which is CPUID. */
#ifdef __ASSEMBLY__
#define XEN_EMULATE_PREFIX .byte 0x0f, 0x0b, 0x78, 0x65, 0x6e;
#define XEN_CPUID	   XEN_EMULATE_PREFIX cpuid
#else
#define XEN_EMULATE_PREFIX ".byte 0x0f,0x0b,0x78,0x65,0x6e ; "
#define XEN_CPUID	   XEN_EMULATE_PREFIX "cpuid"
#endif

#ifndef __ASSEMBLY__
typedef unsigned long xen_pfn_t;
typedef unsigned long xen_ulong_t;
#define PRI_xen_pfn   "lx"
#define PRIu_xen_pfn  "lu"
#define PRI_xen_ulong "lx"
#endif

#ifdef __i386__
#include "xen-x86_32.h"
#else
#include "xen-x86_64.h"
#endif

#ifndef __ASSEMBLY__

typedef uint64_t tsc_timestamp_t;

/*
 * One handler. Bits 1:0 of flags: the lowest privilege (highest ring) from which INT n may reach it; a 64-bit kernel
 * itself runs in ring 3, so 0 means nobody, 1 and 2 the kernel, 3 everybody. Bit 2: enter with events masked.
 */
typedef struct trap_info {
	uint8_t vector;
	uint8_t flags;
	uint16_t cs;
	unsigned long address;
} trap_info_t;
DEFINE_XEN_GUEST_HANDLE(trap_info_t);

#define TI_GET_DPL(_ti)	      ((_ti)->flags & 3)
#define TI_GET_IF(_ti)	      ((_ti)->flags & 4)
#define TI_SET_DPL(_ti, _dpl) ((_ti)->flags |= (_dpl))
#define TI_SET_IF(_ti, _if)   ((_ti)->flags |= ((!!(_if)) << 2))

/* A vCPU's whole state: what VCPUOP_initialise starts it with and the control interface reads and writes. */
typedef struct vcpu_guest_context {
	struct { char x[512]; } fpu_ctxt; /* FXSAVE image */
	unsigned long flags; /* VGCF_* */
	struct cpu_user_regs user_regs;
	struct trap_info trap_ctxt[256];
	unsigned long ldt_base, ldt_ents; /* linear address, number of entries */
	unsigned long gdt_frames[16], gdt_ents;
	unsigned long kernel_ss, kernel_sp; /* as given to stack_switch */
	unsigned long ctrlreg[8]; /* CR0 to CR7; 64-bit guests have the user page table in [1] */
	unsigned long debugreg[8];
#ifdef __i386__
	unsigned long event_callback_cs;
	unsigned long event_callback_eip;
	unsigned long failsafe_callback_cs;
	unsigned long failsafe_callback_eip;
#else
	unsigned long event_callback_eip;
	unsigned long failsafe_callback_eip;
#ifdef __XEN__
	union {
		unsigned long syscall_callback_eip;
		struct { /* of 32-bit guests */
			unsigned int event_callback_cs;
			unsigned int failsafe_callback_cs;
		};
	};
#else
	unsigned long syscall_callback_eip;
#endif
#endif
	unsigned long vm_assist; /* bit n: VMASST_TYPE_ n */
#ifdef __x86_64__
	uint64_t fs_base;
	uint64_t gs_base_kernel;
	uint64_t gs_base_user;
#endif
} vcpu_guest_context_t;
DEFINE_XEN_GUEST_HANDLE(vcpu_guest_context_t);

/* Where the tools find a PV guest's P2M (shared_info.arch). */
typedef struct arch_shared_info {
	unsigned long max_pfn; /* entries in the P2M */
	xen_pfn_t pfn_to_mfn_frame_list_list; /* root of the three-level tree; 0: not yet, ~0: there is none */
	unsigned long nmi_reason; /* XEN_NMIREASON_* */
	/* The linear P2M at p2m_vaddr, in the address space of p2m_cr3; valid when p2m_cr3 is not 0. */
	unsigned long p2m_cr3;
	unsigned long p2m_vaddr;
	unsigned long p2m_generation; /* the guest adds 1 before and after it changes the mapping of the list */
#ifdef __i386__
	uint32_t wc_sec_hi;
#endif
} arch_shared_info_t;

#if defined(__XEN__) || defined(__XEN_TOOLS__)
/* The x86 part of XEN_DOMCTL_createdomain. */
struct xen_arch_domainconfig {
	uint32_t emulation_flags; /* XEN_X86_EMU_*: devices that the hypervisor emulates */
	uint32_t misc_flags; /* XEN_X86_MSR_RELAXED */
};

#define _XEN_X86_EMU_LAPIC    0
#define _XEN_X86_EMU_HPET     1
#define _XEN_X86_EMU_PM	      2
#define _XEN_X86_EMU_RTC      3
#define _XEN_X86_EMU_IOAPIC   4
#define _XEN_X86_EMU_PIC      5
#define _XEN_X86_EMU_VGA      6
#define _XEN_X86_EMU_IOMMU    7
#define _XEN_X86_EMU_PIT      8
#define _XEN_X86_EMU_USE_PIRQ 9
#define _XEN_X86_EMU_VPCI     10
#define XEN_X86_EMU_LAPIC     (1U << _XEN_X86_EMU_LAPIC)
#define XEN_X86_EMU_HPET      (1U << _XEN_X86_EMU_HPET)
#define XEN_X86_EMU_PM	      (1U << _XEN_X86_EMU_PM)
#define XEN_X86_EMU_RTC	      (1U << _XEN_X86_EMU_RTC)
#define XEN_X86_EMU_IOAPIC    (1U << _XEN_X86_EMU_IOAPIC)
#define XEN_X86_EMU_PIC	      (1U << _XEN_X86_EMU_PIC)
#define XEN_X86_EMU_VGA	      (1U << _XEN_X86_EMU_VGA)
#define XEN_X86_EMU_IOMMU     (1U << _XEN_X86_EMU_IOMMU)
#define XEN_X86_EMU_PIT	      (1U << _XEN_X86_EMU_PIT)
#define XEN_X86_EMU_USE_PIRQ  (1U << _XEN_X86_EMU_USE_PIRQ)
#define XEN_X86_EMU_VPCI      (1U << _XEN_X86_EMU_VPCI)
#define XEN_X86_EMU_ALL	      ((1U << (_XEN_X86_EMU_VPCI + 1)) - 1)

/* Reading an MSR that nobody handles gives 0 instead of #GP. */
#define XEN_X86_MSR_RELAXED    (1u << 0)
#define XEN_X86_MISC_FLAGS_MAX XEN_X86_MSR_RELAXED
#endif

/* CPUID and MSR policies as the control interface carries them. */
typedef struct xen_cpuid_leaf {
	uint32_t leaf, subleaf; /* subleaf may be XEN_CPUID_NO_SUBLEAF */
	uint32_t a, b, c, d;
} xen_cpuid_leaf_t;
DEFINE_XEN_GUEST_HANDLE(xen_cpuid_leaf_t);

typedef struct xen_msr_entry {
	uint32_t idx;
	uint32_t flags; /* 0 */
	uint64_t val;
} xen_msr_entry_t;
DEFINE_XEN_GUEST_HANDLE(xen_msr_entry_t);

#endif /* __ASSEMBLY__ */
#endif
