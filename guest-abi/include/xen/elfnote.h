/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Notes named "Xen" in a kernel's ELF file: how to load and enter it. Numbers are 4 or 8 bytes wide, strings end with a
 * zero byte.
 */
#ifndef XEN_PUBLIC_ELFNOTE_H
#define XEN_PUBLIC_ELFNOTE_H

#define XEN_ELFNOTE_INFO	       0  /* string: the others in the old __xen_guest syntax */
#define XEN_ELFNOTE_ENTRY	       1  /* virtual address of the entry point */
#define XEN_ELFNOTE_HYPERCALL_PAGE     2  /* virtual address of a page to fill with hypercall stubs */
#define XEN_ELFNOTE_VIRT_BASE	       3  /* virtual address of pseudo-physical address 0 */
#define XEN_ELFNOTE_PADDR_OFFSET       4  /* what p_paddr of the segments has on top of the pseudo-physical address */
#define XEN_ELFNOTE_XEN_VERSION	       5  /* string: "xen-3.0" */
#define XEN_ELFNOTE_GUEST_OS	       6  /* string */
#define XEN_ELFNOTE_GUEST_VERSION      7  /* string */
#define XEN_ELFNOTE_LOADER	       8  /* string: "generic" */
#define XEN_ELFNOTE_PAE_MODE	       9  /* string: "yes", "no" or "bimodal" */
#define XEN_ELFNOTE_FEATURES	       10 /* string, see features.h */
#define XEN_ELFNOTE_BSD_SYMTAB	       11 /* string: "yes" to have the symbol table loaded */
#define XEN_ELFNOTE_HV_START_LOW       12 /* 32-bit: lowest address that the hypervisor may take */
#define XEN_ELFNOTE_L1_MFN_VALID       13 /* pairs (mask, value): how a present L1 entry is told */
#define XEN_ELFNOTE_SUSPEND_CANCEL     14 /* 1: a suspend may return because it was called off */
#define XEN_ELFNOTE_INIT_P2M	       15 /* virtual address of the initial P2M list */
#define XEN_ELFNOTE_MOD_START_PFN      16 /* 1: the module need not be mapped */
#define XEN_ELFNOTE_SUPPORTED_FEATURES 17 /* number: bits of features.h */
#define XEN_ELFNOTE_PHYS32_ENTRY       18 /* physical entry point in 32-bit protected mode (PVH) */
#define XEN_ELFNOTE_MAX		       XEN_ELFNOTE_PHYS32_ENTRY

/* In crash dumps of the hypervisor. */
#define XEN_ELFNOTE_CRASH_INFO 0x1000001
#define XEN_ELFNOTE_CRASH_REGS 0x1000002

/* In dumps of domains; named ".note.Xen". */
#define XEN_ELFNOTE_DUMPCORE_NONE	    0x2000000
#define XEN_ELFNOTE_DUMPCORE_HEADER	    0x2000001
#define XEN_ELFNOTE_DUMPCORE_XEN_VERSION    0x2000002
#define XEN_ELFNOTE_DUMPCORE_FORMAT_VERSION 0x2000003

#endif
