/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 64-bit x86 guests. Include "xen.h" instead.
 *
 * A hypercall takes its number in %rax and up to five arguments in %rdi, %rsi, %rdx, %r10, %r8; the result is in %rax,
 * and the argument registers, %rcx and %r11 are lost. The portable way is `call hypercall_page + 32 * number`.
 */
#ifndef XEN_PUBLIC_ARCH_X86_XEN_X86_64_H
#define XEN_PUBLIC_ARCH_X86_XEN_X86_64_H

#include "../xen-compat.h"

/* ---- Flat segments in every GDT ----------------------------------------------------------------------------------- */
/* PV kernel and user mode both run in ring 3; the hypervisor tells them apart. */
#define FLAT_RING3_CS32 0xe023
#define FLAT_RING3_CS64 0xe033
#define FLAT_RING3_DS32 0xe02b
#define FLAT_RING3_DS64 0x0000
#define FLAT_RING3_SS32 0xe02b
#define FLAT_RING3_SS64 0xe02b

#define FLAT_KERNEL_CS32 FLAT_RING3_CS32
#define FLAT_KERNEL_CS64 FLAT_RING3_CS64
#define FLAT_KERNEL_CS	 FLAT_KERNEL_CS64
#define FLAT_KERNEL_DS32 FLAT_RING3_DS32
#define FLAT_KERNEL_DS64 FLAT_RING3_DS64
#define FLAT_KERNEL_DS	 FLAT_KERNEL_DS64
#define FLAT_KERNEL_SS32 FLAT_RING3_SS32
#define FLAT_KERNEL_SS64 FLAT_RING3_SS64
#define FLAT_KERNEL_SS	 FLAT_KERNEL_SS64

#define FLAT_USER_CS32 FLAT_RING3_CS32
#define FLAT_USER_CS64 FLAT_RING3_CS64
#define FLAT_USER_CS   FLAT_USER_CS64
#define FLAT_USER_DS32 FLAT_RING3_DS32
#define FLAT_USER_DS64 FLAT_RING3_DS64
#define FLAT_USER_DS   FLAT_USER_DS64
#define FLAT_USER_SS32 FLAT_RING3_SS32
#define FLAT_USER_SS64 FLAT_RING3_SS64
#define FLAT_USER_SS   FLAT_USER_SS64

/* ---- The hypervisor's part of the address space ------------------------------------------------------------------- */
/* Its beginning is the machine-to-physical table: 64-bit entries indexed by machine frame, readable by guests. */
#define __HYPERVISOR_VIRT_START 0xFFFF800000000000
#define __HYPERVISOR_VIRT_END	0xFFFF880000000000
#define __MACH2PHYS_VIRT_START	0xFFFF800000000000
#define __MACH2PHYS_VIRT_END	0xFFFF804000000000

#ifndef HYPERVISOR_VIRT_START
#define HYPERVISOR_VIRT_START xen_mk_ulong(__HYPERVISOR_VIRT_START)
#define HYPERVISOR_VIRT_END   xen_mk_ulong(__HYPERVISOR_VIRT_END)
#endif
#define MACH2PHYS_VIRT_START xen_mk_ulong(__MACH2PHYS_VIRT_START)
#define MACH2PHYS_VIRT_END   xen_mk_ulong(__MACH2PHYS_VIRT_END)
#define MACH2PHYS_NR_ENTRIES ((MACH2PHYS_VIRT_END - MACH2PHYS_VIRT_START) >> 3)
#ifndef machine_to_phys_mapping
#define machine_to_phys_mapping ((unsigned long *)HYPERVISOR_VIRT_START)
#endif

/* ---- set_segment_base(which, base) -------------------------------------------------------------------------------- */
#define SEGBASE_FS	    0
#define SEGBASE_GS_USER	    1
#define SEGBASE_GS_KERNEL   2
#define SEGBASE_GS_USER_SEL 3 /* load the selector in base[15:0] into the user's %gs */

/* ---- iret() ------------------------------------------------------------------------------------------------------- */
/*
 * Leaves the kernel with the frame below, which %rsp points at. A CS with privilege 3 means user mode, 1 and 2 the
 * kernel. With VGCF_in_syscall in flags, rcx and r11 need not be restored (the return may use SYSRET).
 */
#define _VGCF_in_syscall 8
#define VGCF_in_syscall	 (1 << _VGCF_in_syscall)
#define VGCF_IN_SYSCALL	 VGCF_in_syscall

#ifndef __ASSEMBLY__

struct iret_context {
	uint64_t rax, r11, rcx, flags, rip, cs, rflags, rsp, ss;
};

/*
 * Registers of a vCPU. The hypervisor and the tools may use every part of a register by its own name (rax, eax, ax, al,
 * ah; r8, r8d, r8w, r8b); guests get the 64-bit name, and in GNU C its e-name as an alias.
 */
#if defined(__XEN__) || defined(__XEN_TOOLS__)
#define __XEN_REG_PARTS(n)                                                                         \
	uint64_t r##n;                                                                             \
	uint32_t e##n;                                                                             \
	uint16_t n;
#define __XEN_REG_LOHI(n)                                                                          \
	union {                                                                                    \
		__XEN_REG_PARTS(n##x)                                                              \
		struct { uint8_t n##l, n##h; };                                                    \
	}
#define __XEN_REG_LO8(n)                                                                           \
	union {                                                                                    \
		__XEN_REG_PARTS(n)                                                                 \
		uint8_t n##l;                                                                      \
	}
#define __XEN_REG_LO16(n)                                                                          \
	union {                                                                                    \
		__XEN_REG_PARTS(n)                                                                 \
	}
#define __XEN_REG_NUM(n)                                                                           \
	union {                                                                                    \
		uint64_t r##n;                                                                     \
		uint32_t r##n##d;                                                                  \
		uint16_t r##n##w;                                                                  \
		uint8_t r##n##b;                                                                   \
	}
#else
#if defined(__GNUC__) && !defined(__STRICT_ANSI__)
#define __XEN_REG(n)                                                                               \
	union {                                                                                    \
		uint64_t r##n, e##n;                                                               \
		uint32_t _e##n;                                                                    \
	}
#else
#define __XEN_REG(n) uint64_t r##n
#endif
#define __XEN_REG_LOHI(n) __XEN_REG(n##x)
#define __XEN_REG_LO8(n)  __XEN_REG(n)
#define __XEN_REG_LO16(n) __XEN_REG(n)
#define __XEN_REG_NUM(n)  uint64_t r##n
#endif

typedef struct cpu_user_regs {
	__XEN_REG_NUM(15);
	__XEN_REG_NUM(14);
	__XEN_REG_NUM(13);
	__XEN_REG_NUM(12);
	__XEN_REG_LO8(bp);
	__XEN_REG_LOHI(b);
	__XEN_REG_NUM(11);
	__XEN_REG_NUM(10);
	__XEN_REG_NUM(9);
	__XEN_REG_NUM(8);
	__XEN_REG_LOHI(a);
	__XEN_REG_LOHI(c);
	__XEN_REG_LOHI(d);
	__XEN_REG_LO8(si);
	__XEN_REG_LO8(di);
	uint32_t error_code; /* these two are the hypervisor's */
	uint32_t entry_vector;
	__XEN_REG_LO16(ip);
	uint16_t cs, _pad0[1];
	uint8_t saved_upcall_mask; /* of vcpu_info; the guest sees IF in rflags as its opposite */
	uint8_t _pad1[3];
	__XEN_REG_LO16(flags);
	__XEN_REG_LO8(sp);
	uint16_t ss, _pad2[3];
	uint16_t es, _pad3[3];
	uint16_t ds, _pad4[3];
	uint16_t fs, _pad5[3];
	uint16_t gs, _pad6[3];
} cpu_user_regs_t;
DEFINE_XEN_GUEST_HANDLE(cpu_user_regs_t);

#undef __XEN_REG
#undef __XEN_REG_PARTS
#undef __XEN_REG_LOHI
#undef __XEN_REG_LO8
#undef __XEN_REG_LO16
#undef __XEN_REG_NUM

/* CR3 values in vCPU contexts. */
#define xen_pfn_to_cr3(pfn) ((unsigned long)(pfn) << 12)
#define xen_cr3_to_pfn(cr3) ((unsigned long)(cr3) >> 12)

typedef struct arch_vcpu_info {
	unsigned long cr2; /* address of the last page fault given to the guest */
	unsigned long pad;
} arch_vcpu_info_t;

typedef unsigned long xen_callback_t;

#endif /* __ASSEMBLY__ */
#endif
