/* SPDX-License-Identifier: BSD-2-Clause */
/* physdev_op(cmd, argument): physical interrupts, I/O ports and PCI devices, for dom0 and domains with devices. */
#ifndef XEN_PUBLIC_PHYSDEV_H
#define XEN_PUBLIC_PHYSDEV_H

#include "xen.h"

#define PHYSDEVOP_IRQ_UNMASK_NOTIFY 4  /* old form of eoi: no argument, does nothing */
#define PHYSDEVOP_irq_status_query  5  /* physdev_irq_status_query */
#define PHYSDEVOP_set_iopl	    6  /* physdev_set_iopl */
#define PHYSDEVOP_set_iobitmap	    7  /* physdev_set_iobitmap */
#define PHYSDEVOP_apic_read	    8  /* physdev_apic: a register of an IO-APIC */
#define PHYSDEVOP_apic_write	    9
#define PHYSDEVOP_alloc_irq_vector  10 /* physdev_irq */
#define PHYSDEVOP_free_irq_vector   11
#define PHYSDEVOP_eoi		    12 /* physdev_eoi */
#define PHYSDEVOP_map_pirq	    13 /* physdev_map_pirq */
#define PHYSDEVOP_unmap_pirq	    14 /* physdev_unmap_pirq */
#define PHYSDEVOP_manage_pci_add    15 /* physdev_manage_pci: segment 0 forms of 25 and 26 */
#define PHYSDEVOP_manage_pci_remove 16
#define PHYSDEVOP_pirq_eoi_gmfn_v1  17 /* physdev_pirq_eoi_gmfn: unmasking the port also ends the interrupt */
#define PHYSDEVOP_restore_msi	    19 /* physdev_restore_msi: segment 0 form of 27 */
#define PHYSDEVOP_manage_pci_add_ext 20 /* physdev_manage_pci_ext: segment 0 form of 25 */
#define PHYSDEVOP_setup_gsi	    21 /* physdev_setup_gsi */
#define PHYSDEVOP_get_free_pirq	    23 /* physdev_get_free_pirq */
#define PHYSDEVOP_pci_mmcfg_reserved 24 /* physdev_pci_mmcfg_reserved */
#define PHYSDEVOP_pci_device_add    25 /* physdev_pci_device_add */
#define PHYSDEVOP_pci_device_remove 26 /* physdev_pci_device */
#define PHYSDEVOP_restore_msi_ext   27 /* physdev_pci_device: write the MSI set-up again after a reset */
#define PHYSDEVOP_pirq_eoi_gmfn_v2  28 /* physdev_pirq_eoi_gmfn */
#define PHYSDEVOP_dbgp_op	    29 /* physdev_dbgp_op */
#define PHYSDEVOP_prepare_msix	    30 /* physdev_pci_device: before another domain gets the device */
#define PHYSDEVOP_release_msix	    31 /* physdev_pci_device: after that */
#define PHYSDEVOP_pirq_eoi_gmfn	    PHYSDEVOP_pirq_eoi_gmfn_v2

#define _XENIRQSTAT_needs_eoi (0)
#define XENIRQSTAT_needs_eoi  (1U << _XENIRQSTAT_needs_eoi)
#define _XENIRQSTAT_shared    (1) /* with another domain */
#define XENIRQSTAT_shared     (1U << _XENIRQSTAT_shared)

#define MAP_PIRQ_TYPE_MSI	0x0
#define MAP_PIRQ_TYPE_GSI	0x1
#define MAP_PIRQ_TYPE_UNKNOWN	0x2
#define MAP_PIRQ_TYPE_MSI_SEG	0x3 /* bus has the segment in its upper half */
#define MAP_PIRQ_TYPE_MULTI_MSI 0x4 /* several vectors of one MSI capability; bus as above */

#define XEN_PCI_MMCFG_RESERVED 0x1 /* the firmware reserves the area */

#define XEN_PCI_DEV_EXTFN  0x1 /* the function number has 8 bits (ARI) */
#define XEN_PCI_DEV_VIRTFN 0x2 /* a virtual function of physfn */
#define XEN_PCI_DEV_PXM	   0x4 /* optarr[0] is the proximity domain */

#define PHYSDEVOP_DBGP_RESET_PREPARE 1 /* about to reset the debug port's controller */
#define PHYSDEVOP_DBGP_RESET_DONE    2
#define PHYSDEVOP_DBGP_BUS_UNKNOWN   0
#define PHYSDEVOP_DBGP_BUS_PCI	     1

#ifndef __ASSEMBLY__

/* The guest has handled the interrupt. */
typedef struct physdev_eoi {
	uint32_t irq; /* IN */
} physdev_eoi_t;
DEFINE_XEN_GUEST_HANDLE(physdev_eoi_t);

/* A page in which the hypervisor sets bit n while interrupt n needs an eoi. */
typedef struct physdev_pirq_eoi_gmfn {
	xen_pfn_t gmfn; /* IN */
} physdev_pirq_eoi_gmfn_t;
DEFINE_XEN_GUEST_HANDLE(physdev_pirq_eoi_gmfn_t);

typedef struct physdev_irq_status_query {
	uint32_t irq; /* IN */
	uint32_t flags; /* OUT: XENIRQSTAT_* */
} physdev_irq_status_query_t;
DEFINE_XEN_GUEST_HANDLE(physdev_irq_status_query_t);

/* The calling vCPU's I/O privilege: rings up to this one may use all the ports that the domain has. */
typedef struct physdev_set_iopl {
	uint32_t iopl; /* IN */
} physdev_set_iopl_t;
DEFINE_XEN_GUEST_HANDLE(physdev_set_iopl_t);

/* The calling vCPU's port bitmap: user mode may use the ports whose bit is clear. */
typedef struct physdev_set_iobitmap {
	XEN_GUEST_HANDLE(uint8) bitmap; /* IN */
	uint32_t nr_ports; /* IN */
} physdev_set_iobitmap_t;
DEFINE_XEN_GUEST_HANDLE(physdev_set_iobitmap_t);

typedef struct physdev_apic {
	unsigned long apic_physbase; /* IN: which IO-APIC */
	uint32_t reg; /* IN */
	uint32_t value; /* IN for write, OUT for read */
} physdev_apic_t;
DEFINE_XEN_GUEST_HANDLE(physdev_apic_t);

typedef struct physdev_irq {
	uint32_t irq; /* IN */
	uint32_t vector; /* OUT */
} physdev_irq_t;
DEFINE_XEN_GUEST_HANDLE(physdev_irq_t);

/* Give a domain an interrupt of the machine under a number (pirq) of its own. */
typedef struct physdev_map_pirq {
	domid_t domid; /* IN */
	int type; /* IN: MAP_PIRQ_TYPE_* */
	int index; /* IN: the GSI */
	int pirq; /* IN: wanted number, negative for any; OUT */
	int bus; /* IN */
	int devfn; /* IN */
	int entry_nr; /* IN: entry of the MSI-X table, or (MULTI_MSI) number of vectors, which is OUT too */
	uint64_t table_base; /* IN: physical address of the MSI-X table; 0: MSI */
} physdev_map_pirq_t;
DEFINE_XEN_GUEST_HANDLE(physdev_map_pirq_t);

typedef struct physdev_unmap_pirq {
	domid_t domid; /* IN */
	int pirq; /* IN */
} physdev_unmap_pirq_t;
DEFINE_XEN_GUEST_HANDLE(physdev_unmap_pirq_t);

typedef struct physdev_manage_pci {
	uint8_t bus; /* IN */
	uint8_t devfn; /* IN */
} physdev_manage_pci_t;
DEFINE_XEN_GUEST_HANDLE(physdev_manage_pci_t);

typedef struct physdev_restore_msi {
	uint8_t bus; /* IN */
	uint8_t devfn; /* IN */
} physdev_restore_msi_t;
DEFINE_XEN_GUEST_HANDLE(physdev_restore_msi_t);

typedef struct physdev_manage_pci_ext {
	uint8_t bus; /* all IN */
	uint8_t devfn;
	uint32_t is_extfn;
	uint32_t is_virtfn;
	struct {
		uint8_t bus;
		uint8_t devfn;
	} physfn;
} physdev_manage_pci_ext_t;
DEFINE_XEN_GUEST_HANDLE(physdev_manage_pci_ext_t);

/* Trigger mode and polarity of a line, as ACPI gives them. */
typedef struct physdev_setup_gsi {
	int gsi; /* all IN */
	uint8_t triggering; /* 0 edge, 1 level */
	uint8_t polarity; /* 0 active high, 1 active low */
} physdev_setup_gsi_t;
DEFINE_XEN_GUEST_HANDLE(physdev_setup_gsi_t);

typedef struct physdev_get_free_pirq {
	int type; /* IN: MAP_PIRQ_TYPE_GSI or _MSI */
	uint32_t pirq; /* OUT */
} physdev_get_free_pirq_t;
DEFINE_XEN_GUEST_HANDLE(physdev_get_free_pirq_t);

/* What dom0 knows about a memory-mapped configuration area. */
typedef struct physdev_pci_mmcfg_reserved {
	uint64_t address; /* all IN */
	uint16_t segment;
	uint8_t start_bus;
	uint8_t end_bus;
	uint32_t flags; /* XEN_PCI_MMCFG_RESERVED */
} physdev_pci_mmcfg_reserved_t;
DEFINE_XEN_GUEST_HANDLE(physdev_pci_mmcfg_reserved_t);

typedef struct physdev_pci_device_add {
	uint16_t seg; /* all IN */
	uint8_t bus;
	uint8_t devfn;
	uint32_t flags; /* XEN_PCI_DEV_* */
	struct {
		uint8_t bus;
		uint8_t devfn;
	} physfn;
	uint32_t optarr[XEN_FLEX_ARRAY_DIM];
} physdev_pci_device_add_t;
DEFINE_XEN_GUEST_HANDLE(physdev_pci_device_add_t);

typedef struct physdev_pci_device {
	uint16_t seg; /* all IN */
	uint8_t bus;
	uint8_t devfn;
} physdev_pci_device_t;
DEFINE_XEN_GUEST_HANDLE(physdev_pci_device_t);

/* The USB debug port that the hypervisor may use as its console. */
typedef struct physdev_dbgp_op {
	uint8_t op; /* IN: PHYSDEVOP_DBGP_RESET_* */
	uint8_t bus; /* IN: PHYSDEVOP_DBGP_BUS_* */
	union {
		physdev_pci_device_t pci;
	} u;
} physdev_dbgp_op_t;
DEFINE_XEN_GUEST_HANDLE(physdev_dbgp_op_t);

/* Argument of physdev_op_compat. */
typedef struct physdev_op {
	uint32_t cmd; /* PHYSDEVOP_* */
	union {
		physdev_irq_status_query_t irq_status_query;
		physdev_set_iopl_t set_iopl;
		physdev_set_iobitmap_t set_iobitmap;
		physdev_apic_t apic_op;
		physdev_irq_t irq_op;
	} u;
} physdev_op_t;
DEFINE_XEN_GUEST_HANDLE(physdev_op_t);

#endif /* __ASSEMBLY__ */
#endif
