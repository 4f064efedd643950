/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to drivers/pci. */
#ifndef DRIVERS_PCI_PCI_H
#define DRIVERS_PCI_PCI_H

#include <hv/list.h>
#include <hv/lock.h>
#include <hv/pci.h>
#include <hv/types.h>

/* Registers of a type 0 or 1 header (PCI local bus specification 3.0, 6.1). */
#define PCI_VENDOR 0x00u
#define PCI_COMMAND 0x04u
#define PCI_STATUS 0x06u
#define PCI_CLASS 0x08u
#define PCI_HEADER_TYPE 0x0eu
#define PCI_BAR(n) (0x10u + 4 * (n))
#define PCI_CAPABILITIES 0x34u
#define PCI_COMMAND_IO 1u
#define PCI_COMMAND_MEMORY 2u
#define PCI_STATUS_CAPABILITIES 0x10u
#define PCI_CAP_MSI 0x05
#define PCI_CAP_MSIX 0x11
/* MSI: 16-bit control at +2; here as bits of the 32-bit register at +0. */
#define MSI_ENABLE (1u << 16)
#define MSI_CAPABLE(ctrl) ((ctrl) >> 17 & 7)	/* log2 of what it offers */
#define MSI_MULTIPLE_MASK (7u << 20)
#define MSI_MULTIPLE(log2) ((u32)(log2) << 20)
#define MSI_64BIT (1u << 23)
#define MSI_MASKABLE (1u << 24)
/* MSI-X, in the same way. */
#define MSIX_SIZE(ctrl) (((ctrl) >> 16 & 0x7ff) + 1)
#define MSIX_MASK_ALL (1u << 30)
#define MSIX_ENABLE (1u << 31)
#define MSIX_ENTRY_SIZE 16u
#define MSIX_ENTRY_MASKED 1u
#define MSI_ADDRESS 0xfee00000u

struct pci_device;

/* One interrupt that was set up: the data of its irq chip. */
struct msi_irq {
	struct pci_device *dev;
	u32 irq;
	u32 index;			/* MSI: in the block; MSI-X: entry of the table */
	bool released;			/* MSI: given up; goes with the rest of its block */
	volatile u8 *entry;		/* MSI-X: mapped */
	struct list link;		/* dev->msis */
};

struct pci_device {
	struct list link;		/* hash chain; pci_lock */
	u32 sbdf;
	u32 physical;			/* of a virtual function; PCI_SBDF_NONE */
	bool hidden;			/* the hypervisor's own: dom0 writes nothing */
	bool msi_maskable, msi_64bit;
	u16 msi, msix;			/* capabilities; 0: has none */
	struct list msis;		/* what is set up, of one kind; pci_lock */
	bool is_msix;			/* which */
	u32 prepared;			/* pci_msix_prepare counts */
	paddr_t table;			/* MSI-X table while it is mapped */
	volatile u8 *table_map;
	u32 table_size;			/* entries */
};

/* The table of functions, and set-up of their MSIs. */
extern struct spinlock pci_lock;
/* The function, or NULL. pci_lock held. */
struct pci_device *pci_device_find(u32 sbdf);
/* The same; made when something answers there. NULL: nothing does, or no memory. pci_lock held. */
struct pci_device *pci_device_get(u32 sbdf);
/* Which bits of the 32-bit register dom0 must not change, and those that it may clear but not set. pci_lock held. */
struct config_guard {
	u32 keep, clear_only;
};
struct config_guard msi_guard(const struct pci_device *dev, unsigned int reg);

void pci_mmcfg_init(void);
/* UARTs on PCI that com1= and com2= ask for. */
void pci_uart_init(void);

#endif
