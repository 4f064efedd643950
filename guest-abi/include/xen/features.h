/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Features: bit numbers of XENVER_get_features, and (without the XENFEAT_ prefix, separated by '|', a '!' before one
 * that the kernel cannot do without) the words of the ELF note XEN_ELFNOTE_FEATURES.
 */
#ifndef XEN_PUBLIC_FEATURES_H
#define XEN_PUBLIC_FEATURES_H

#define XENFEAT_writable_page_tables	   0  /* page tables need not be read-only */
#define XENFEAT_writable_descriptor_tables 1  /* GDT and LDT need not be read-only */
#define XENFEAT_auto_translated_physmap	   2  /* the hypervisor translates guest frames to machine frames */
#define XENFEAT_supervisor_mode_kernel	   3  /* the kernel runs in ring 0 */
#define XENFEAT_pae_pgdir_above_4gb	   4  /* 32-bit: the top-level table may lie above 4 GiB */
#define XENFEAT_mmu_pt_update_preserve_ad  5  /* MMU_PT_UPDATE_PRESERVE_AD exists */
#define XENFEAT_highmem_assist		   6  /* MMUEXT_CLEAR_PAGE and MMUEXT_COPY_PAGE exist */
#define XENFEAT_gnttab_map_avail_bits	   7  /* grant maps set the software bits of the entry as asked */
#define XENFEAT_hvm_callback_vector	   8  /* HVM: events can be given as a vector */
#define XENFEAT_hvm_safe_pvclock	   9  /* HVM: vcpu_time_info can be relied on */
#define XENFEAT_hvm_pirqs		   10 /* HVM: physical interrupts can be bound to ports */
#define XENFEAT_dom0			   11 /* can be the initial domain */
#define XENFEAT_memory_op_vnode_supported  13 /* XENMEMF_vnode exists */
#define XENFEAT_ARM_SMCCC_supported	   14 /* Arm alone */
#define XENFEAT_linux_rsdp_unrestricted	   15 /* PVH: the RSDP may lie anywhere */
/* Are the frame numbers of a translated domain machine frames? Without either bit: only of domains not translated. */
#define XENFEAT_not_direct_mapped	   16
#define XENFEAT_direct_mapped		   17

#define XENFEAT_NR_SUBMAPS 1 /* words of 32 features */

#endif
