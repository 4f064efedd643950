/* SPDX-License-Identifier: BSD-2-Clause */
/* Initial state of an HVM or PVH vCPU (VCPUOP_initialise). What is not here is as after a reset. */
#ifndef XEN_PUBLIC_HVM_HVM_VCPU_H
#define XEN_PUBLIC_HVM_HVM_VCPU_H

#include "../xen.h"

#define VCPU_HVM_MODE_32B 0 /* real or protected mode, with or without paging */
#define VCPU_HVM_MODE_64B 1 /* long mode with flat segments */

#ifndef __ASSEMBLY__

/* Access rights are those of a descriptor's bits 55:52 and 47:40, as SVM keeps them: type and S, DPL, P, AVL, L, D, G. */
typedef struct vcpu_hvm_x86_32 {
	uint32_t eax, ecx, edx, ebx, esp, ebp, esi, edi;
	uint32_t eip;
	uint32_t eflags;
	uint32_t cr0;
	uint32_t cr3;
	uint32_t cr4;
	uint32_t pad1;
	uint64_t efer; /* LME and LMA are for going on to long mode */
	uint32_t cs_base, ds_base, ss_base, es_base, tr_base;
	uint32_t cs_limit, ds_limit, ss_limit, es_limit, tr_limit;
	uint16_t cs_ar, ds_ar, ss_ar, es_ar, tr_ar;
	uint16_t pad2[3];
} xen_vcpu_hvm_x86_32_t;

typedef struct vcpu_hvm_x86_64 {
	uint64_t rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi;
	uint64_t rip;
	uint64_t rflags;
	uint64_t cr0;
	uint64_t cr3;
	uint64_t cr4;
	uint64_t efer;
} xen_vcpu_hvm_x86_64_t;

typedef struct vcpu_hvm_context {
	uint32_t mode; /* VCPU_HVM_MODE_* */
	uint32_t pad;
	union {
		xen_vcpu_hvm_x86_32_t x86_32;
		xen_vcpu_hvm_x86_64_t x86_64;
	} cpu_regs;
} vcpu_hvm_context_t;
DEFINE_XEN_GUEST_HANDLE(vcpu_hvm_context_t);

#endif /* __ASSEMBLY__ */
#endif
