/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI devices of a PV guest: one page through which the front end asks for accesses to configuration space and for MSI
 * set-up, one at a time, and the back end passes on errors that the bus reports.
 */
#ifndef XEN_PUBLIC_IO_PCIIF_H
#define XEN_PUBLIC_IO_PCIIF_H

#define XEN_PCI_MAGIC "7" /* node "magic": version of this interface */

/* xen_pci_sharedinfo.flags */
#define _XEN_PCIF_active     (0) /* op is a request of the front end */
#define XEN_PCIF_active	     (1 << _XEN_PCIF_active)
#define _XEN_PCIB_AERHANDLER (1) /* the front end takes errors */
#define XEN_PCIB_AERHANDLER  (1 << _XEN_PCIB_AERHANDLER)
#define _XEN_PCIB_active     (2) /* aer_op is a request of the back end */
#define XEN_PCIB_active	     (1 << _XEN_PCIB_active)

#define XEN_PCI_OP_conf_read	    (0)
#define XEN_PCI_OP_conf_write	    (1)
#define XEN_PCI_OP_enable_msi	    (2)
#define XEN_PCI_OP_disable_msi	    (3)
#define XEN_PCI_OP_enable_msix	    (4)
#define XEN_PCI_OP_disable_msix	    (5)
#define XEN_PCI_OP_aer_detected	    (6)
#define XEN_PCI_OP_aer_resume	    (7)
#define XEN_PCI_OP_aer_mmio	    (8)
#define XEN_PCI_OP_aer_slotreset    (9)
#define XEN_PCI_OP_enable_multi_msi (10)

#define XEN_PCI_ERR_success	    (0)
#define XEN_PCI_ERR_dev_not_found   (-1)
#define XEN_PCI_ERR_invalid_offset  (-2)
#define XEN_PCI_ERR_access_denied   (-3)
#define XEN_PCI_ERR_not_implemented (-4)
#define XEN_PCI_ERR_op_failed	    (-5)

#define SH_INFO_MAX_VEC 128

#ifndef __ASSEMBLY__
#include <stdint.h>

struct xen_msix_entry {
	uint16_t vector; /* OUT: pirq */
	uint16_t entry; /* IN: of the table */
};

struct xen_pci_op {
	uint32_t cmd; /* IN: XEN_PCI_OP_* */
	int32_t err; /* OUT: XEN_PCI_ERR_* */
	uint32_t domain; /* IN: segment */
	uint32_t bus; /* IN */
	uint32_t devfn; /* IN */
	int32_t offset; /* IN: in configuration space */
	int32_t size; /* IN: bytes */
	uint32_t value; /* IN, OUT */
	uint32_t info; /* IN: flags, for MSI-X */
	struct xen_msix_entry msix_entries[SH_INFO_MAX_VEC];
};

struct xen_pcie_aer_op {
	uint32_t cmd; /* IN: XEN_PCI_OP_aer_* */
	int32_t err; /* IN: state of the bus; OUT: verdict */
	uint32_t domain; /* IN */
	uint32_t bus; /* IN */
	uint32_t devfn; /* IN */
};

struct xen_pci_sharedinfo {
	uint32_t flags;
	struct xen_pci_op op;
	struct xen_pcie_aer_op aer_op;
};

#endif /* __ASSEMBLY__ */
#endif
