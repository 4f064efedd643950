/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's CPUID leaves. They begin at the first multiple of 0x100 from 0x40000000 on where the signature is
 * found (another hypervisor's interface may come first). With base B:
 *   B+0: eax: last leaf; ebx, ecx, edx: signature.
 *   B+1: eax: version, major << 16 | minor.
 *   B+2: eax: hypercall pages (1); ebx: MSR that a hypercall page is asked for with; ecx, edx: features.
 *   B+3: time. Subleaf 0: eax: bit 0 TSC emulated, 1 host TSC reliable, 2 RDTSCP; ebx: TSC mode; ecx: TSC kHz; edx:
 *        incarnation. Subleaf 1: eax, ebx: TSC offset; ecx: multiplier; edx: shift. Subleaf 2: eax: host TSC kHz.
 *   B+4: HVM. eax: XEN_HVM_CPUID_*; ebx: vCPU number; ecx: domain.
 *   B+5: PV. Subleaf 0: eax: last subleaf; ebx: bits 7:0 width of machine addresses, with memory to be added later.
 */
#ifndef XEN_PUBLIC_ARCH_X86_CPUID_H
#define XEN_PUBLIC_ARCH_X86_CPUID_H

#define XEN_CPUID_FIRST_LEAF	 0x40000000
#define XEN_CPUID_LEAF(i)	 (XEN_CPUID_FIRST_LEAF + (i))
#define XEN_CPUID_MAX_NUM_LEAVES 5

/* "XenVMMXenVMM" */
#define XEN_CPUID_SIGNATURE_EBX 0x566e6558
#define XEN_CPUID_SIGNATURE_ECX 0x65584d4d
#define XEN_CPUID_SIGNATURE_EDX 0x4d4d566e

/* B+2, ecx: MMU_PT_UPDATE_PRESERVE_AD exists. */
#define _XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD 0
#define XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD  (1u << 0)

#define XEN_HVM_CPUID_APIC_ACCESS_VIRT (1u << 0) /* APIC registers are virtualised by the CPU */
#define XEN_HVM_CPUID_X2APIC_VIRT      (1u << 1) /* x2APIC MSRs too */
#define XEN_HVM_CPUID_IOMMU_MAPPINGS   (1u << 2) /* mapped foreign memory can be used for DMA */
#define XEN_HVM_CPUID_VCPU_ID_PRESENT  (1u << 3) /* ebx is valid */
#define XEN_HVM_CPUID_DOMID_PRESENT    (1u << 4) /* ecx is valid */
#define XEN_HVM_CPUID_EXT_DEST_ID      (1u << 5) /* 15-bit destinations in IO-APIC entries and MSI addresses */
#define XEN_HVM_CPUID_UPCALL_VECTOR    (1u << 6) /* per-vCPU upcall vectors work with physical interrupts */

#define XEN_CPUID_MACHINE_ADDRESS_WIDTH_MASK (0xffu << 0)

#endif
