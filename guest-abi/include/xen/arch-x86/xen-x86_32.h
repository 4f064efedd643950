/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 32-bit x86 guests (PAE). Include "xen.h" instead.
 *
 * A hypercall takes its number in %eax and up to five arguments in %ebx, %ecx, %edx, %esi, %edi; the result is in %eax.
 */
#ifndef XEN_PUBLIC_ARCH_X86_XEN_X86_32_H
#define XEN_PUBLIC_ARCH_X86_XEN_X86_32_H

#include "../xen-compat.h"

/* Flat segments in every GDT: the kernel runs in ring 1. */
#define FLAT_RING1_CS  0xe019
#define FLAT_RING1_DS  0xe021
#define FLAT_RING1_SS  0xe021
#define FLAT_RING3_CS  0xe02b
#define FLAT_RING3_DS  0xe033
#define FLAT_RING3_SS  0xe033
#define FLAT_KERNEL_CS FLAT_RING1_CS
#define FLAT_KERNEL_DS FLAT_RING1_DS
#define FLAT_KERNEL_SS FLAT_RING1_SS
#define FLAT_USER_CS   FLAT_RING3_CS
#define FLAT_USER_DS   FLAT_RING3_DS
#define FLAT_USER_SS   FLAT_RING3_SS

/* The hypervisor's hole in the address space, which begins with the machine-to-physical table (32-bit entries). */
#define __HYPERVISOR_VIRT_START_PAE 0xF5800000
#define __MACH2PHYS_VIRT_START_PAE  0xF5800000
#define __MACH2PHYS_VIRT_END_PAE    0xF6800000
#define HYPERVISOR_VIRT_START_PAE   xen_mk_ulong(__HYPERVISOR_VIRT_START_PAE)
#define MACH2PHYS_VIRT_START_PAE    xen_mk_ulong(__MACH2PHYS_VIRT_START_PAE)
#define MACH2PHYS_VIRT_END_PAE	    xen_mk_ulong(__MACH2PHYS_VIRT_END_PAE)

/* Of guests without PAE, which no longer exist. */
#define __HYPERVISOR_VIRT_START_NONPAE 0xFC000000
#define __MACH2PHYS_VIRT_START_NONPAE  0xFC000000
#define __MACH2PHYS_VIRT_END_NONPAE    0xFC400000
#define HYPERVISOR_VIRT_START_NONPAE   xen_mk_ulong(__HYPERVISOR_VIRT_START_NONPAE)
#define MACH2PHYS_VIRT_START_NONPAE    xen_mk_ulong(__MACH2PHYS_VIRT_START_NONPAE)
#define MACH2PHYS_VIRT_END_NONPAE      xen_mk_ulong(__MACH2PHYS_VIRT_END_NONPAE)

#define __HYPERVISOR_VIRT_START __HYPERVISOR_VIRT_START_PAE
#define __MACH2PHYS_VIRT_START	__MACH2PHYS_VIRT_START_PAE
#define __MACH2PHYS_VIRT_END	__MACH2PHYS_VIRT_END_PAE

#ifndef HYPERVISOR_VIRT_START
#define HYPERVISOR_VIRT_START xen_mk_ulong(__HYPERVISOR_VIRT_START)
#endif
#define MACH2PHYS_VIRT_START xen_mk_ulong(__MACH2PHYS_VIRT_START)
#define MACH2PHYS_VIRT_END   xen_mk_ulong(__MACH2PHYS_VIRT_END)
#define MACH2PHYS_NR_ENTRIES ((MACH2PHYS_VIRT_END - MACH2PHYS_VIRT_START) >> 2)
#ifndef machine_to_phys_mapping
#define machine_to_phys_mapping ((unsigned long *)MACH2PHYS_VIRT_START)
#endif

#ifndef __ASSEMBLY__

#if defined(__XEN__) || defined(__XEN_TOOLS__)
#define __XEN_REG_LO8(n)                                                                           \
	union {                                                                                    \
		uint32_t e##n##x;                                                                  \
		uint16_t n##x;                                                                     \
		struct { uint8_t n##l, n##h; };                                                    \
	}
#define __XEN_REG_LO16(n)                                                                          \
	union {                                                                                    \
		uint32_t e##n, _e##n;                                                              \
		uint16_t n;                                                                        \
	}
#else
#define __XEN_REG_LO8(n)  uint32_t e##n##x
#define __XEN_REG_LO16(n) uint32_t e##n
#endif

typedef struct cpu_user_regs {
	__XEN_REG_LO8(b);
	__XEN_REG_LO8(c);
	__XEN_REG_LO8(d);
	__XEN_REG_LO16(si);
	__XEN_REG_LO16(di);
	__XEN_REG_LO16(bp);
	__XEN_REG_LO8(a);
	uint16_t error_code; /* these two are the hypervisor's */
	uint16_t entry_vector;
	__XEN_REG_LO16(ip);
	uint16_t cs;
	uint8_t saved_upcall_mask; /* of vcpu_info; the guest sees IF in eflags as its opposite */
	uint8_t _pad0;
	__XEN_REG_LO16(flags);
	__XEN_REG_LO16(sp);
	uint16_t ss, _pad1;
	uint16_t es, _pad2;
	uint16_t ds, _pad3;
	uint16_t fs, _pad4;
	uint16_t gs, _pad5;
} cpu_user_regs_t;
DEFINE_XEN_GUEST_HANDLE(cpu_user_regs_t);

#undef __XEN_REG_LO8
#undef __XEN_REG_LO16

/* CR3 values in vCPU contexts: frame bits 31:20 go to the low bits, so that tables may lie above 4 GiB. */
#define xen_pfn_to_cr3(pfn) (((unsigned)(pfn) << 12) | ((unsigned)(pfn) >> 20))
#define xen_cr3_to_pfn(cr3) (((unsigned)(cr3) >> 12) | ((unsigned)(cr3) << 20))

typedef struct arch_vcpu_info {
	unsigned long cr2;
	unsigned long pad[5];
} arch_vcpu_info_t;

typedef struct xen_callback {
	unsigned long cs;
	unsigned long eip;
} xen_callback_t;

#endif /* __ASSEMBLY__ */
#endif
