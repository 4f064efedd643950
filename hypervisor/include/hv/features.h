/* SPDX-License-Identifier: BSD-2-Clause */
/* CPU features of this machine, CPUID and MSR policies of domains, FPU state. arch/x86/cpu implements it. */
#ifndef HV_FEATURES_H
#define HV_FEATURES_H

#include <hv/types.h>
#include <hv/compiler.h>

struct vcpu;
struct domain;
struct regs;

struct cpuid_leaf {
	u32 a, b, c, d;
};

/* Features that hypervisor code asks for; found by features_init. */
enum cpu_feature {
	CPU_SMEP, CPU_SMAP, CPU_FSGSBASE, CPU_XSAVE, CPU_XSAVEOPT, CPU_XSAVEC, CPU_XSAVES, CPU_PCID, CPU_INVPCID, CPU_X2APIC,
	CPU_TSC_DEADLINE, CPU_INVARIANT_TSC, CPU_RDTSCP, CPU_1G_PAGES, CPU_NX, CPU_ERMS, CPU_FSRM, CPU_MWAIT,
	CPU_CPUID_FAULTING, CPU_RDRAND, CPU_UMIP, CPU_PKU, CPU_LA57, CPU_SVM, CPU_VMX, CPU_SSBD, CPU_IBRS, CPU_IBPB, CPU_STIBP,
	CPU_MD_CLEAR, CPU_ARCH_CAPS, CPU_AMD, CPU_INTEL, CPU_ARAT, CPU_DEBUG_EXT, CPU_SYSCALL32, CPU_SYSENTER,
	/* From CPU_DO_LFENCE_JUMP on: not what the CPU has but what is done about its flaws (speculation.c), so that code can be patched by it. */
	CPU_DO_LFENCE_JUMP, CPU_DO_SPEC_ENTRY, CPU_DO_SPEC_EXIT, CPU_DO_IBRS_ENTRY, CPU_DO_IBPB_ENTRY, CPU_DO_RSB_ENTRY, CPU_DO_BHB_ENTRY,
	CPU_DO_IBPB_SWITCH, CPU_DO_VERW_EXIT, CPU_DO_DIV_SWITCH,
	CPU_DO_L1TF_PTES,	/* refuse page-table entries that are not present and hold the address of memory */
	CPU_DO_XPTI, CPU_DO_XPTI_DOM0, CPU_DO_XPTI_DOMU,	/* (some) guests run on page tables without the hypervisor */
	CPU_FEATURES,
};

extern bool cpu_feature[CPU_FEATURES];
static inline bool cpu_has(enum cpu_feature f)
{
	return cpu_feature[f];
}

/* Boot: on the BSP fills cpu_feature[]; on other CPUs checks that they have the same. */
void features_init(void);

/* Executes CPUID on this CPU. */
struct cpuid_leaf cpuid_host(u32 leaf, u32 subleaf);
/* How wide physical addresses are: 36 to 52. Entries of page tables with higher bits are not valid. */
unsigned int physical_address_bits(void);

/* Policies: what a domain sees. Created from the host's, the cpuid= option and domctl. */
int cpu_policy_create(struct domain *d) must_check;
void cpu_policy_free(struct domain *d);
/* Leaf as v sees it now (OSXSAVE, APIC id, XCR0-dependent sizes, hypervisor leaves 0x40000000 included). */
struct cpuid_leaf cpuid_guest(struct vcpu *v, u32 leaf, u32 subleaf);
/* MSRs: 0, or -EPERM: the access must fault. */
int msr_guest_read(struct vcpu *v, u32 msr, u64 *val) must_check;
int msr_guest_write(struct vcpu *v, u32 msr, u64 val) must_check;

/* MSR_SPEC_CTRL for the guest that runs on this CPU: these bits, and those that the hypervisor wants on for everyone. */
void spec_ctrl_load(u32 guest);

/* FPU and extended state: one xsave area per vCPU, switched eagerly at context switch. */
int fpu_init_vcpu(struct vcpu *v) must_check;
void fpu_free_vcpu(struct vcpu *v);
void fpu_save(struct vcpu *v);
void fpu_load(struct vcpu *v);
/* 512-byte FXSAVE image for vcpu_guest_context; full state for get/setvcpuextstate (sizes in bytes, errors -EINVAL). */
void fpu_get_fxsave(struct vcpu *v, void *out512);
void fpu_set_fxsave(struct vcpu *v, const void *in512);
size_t xstate_size(struct vcpu *v);
/*
 * The record of getvcpuextstate and setvcpuextstate: XCR0, its accumulated value, the XSAVE area. Size in bytes, 0 without XSAVE. v does not
 * run. set: 0, or -EINVAL with nothing changed (a component that the machine or XCR0 does not have, bad MXCSR or header).
 */
size_t xstate_record_size(struct vcpu *v);
void xstate_record_get(struct vcpu *v, void *record);
int xstate_record_set(struct vcpu *v, const void *record) must_check;
u64 xcr0_get(struct vcpu *v);
/* Components that the machine has and that guests may enable; 0 without XSAVE. */
u64 xcr0_supported(void);
int xcr0_set(struct vcpu *v, u32 index, u64 val) must_check;

#endif
