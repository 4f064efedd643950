/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI configuration space, devices, and message-signalled interrupts. A function is named by sbdf: segment << 16 | bus << 8 |
 * device << 3 | function.
 */
#ifndef HV_PCI_H
#define HV_PCI_H

#include <hv/types.h>
#include <hv/compiler.h>

struct domain;
struct vcpu;

#define PCI_SBDF(seg, bus, devfn) ((u32)(seg) << 16 | (u32)(bus) << 8 | (u32)(devfn))
#define PCI_BDF(bus, dev, fn) ((u32)(bus) << 8 | (u32)(dev) << 3 | (u32)(fn))
#define PCI_SEG(sbdf) ((u32)(sbdf) >> 16)
#define PCI_BUS(sbdf) (((u32)(sbdf) >> 8) & 0xff)
#define PCI_DEVFN(sbdf) ((u32)(sbdf) & 0xff)

/* Boot: MMCFG windows from ACPI, UARTs of com1=...,pci; registers what only the hypervisor may touch. */
void pci_init(void);

/*
 * The machine's configuration registers; size 1, 2 or 4, reg aligned to it. What does not exist reads as all ones. Takes
 * LOCK_IRQ_CHIP for the port pair. Any context below that.
 */
u32 pci_config_read(u32 sbdf, unsigned int reg, unsigned int size);
void pci_config_write(u32 sbdf, unsigned int reg, unsigned int size, u32 val);

/*
 * The same on behalf of d, for the emulators of ports 0xcf8 to 0xcff and of MMCFG stores: a domain that is not privileged sees
 * nothing there; dom0 reads everything and writes all but what is the hypervisor's (MSI and MSI-X message and
 * enable bits, the whole of a UART on PCI): such bits keep their value. LOCK_PCI and above not held.
 */
u32 pci_config_read_guarded(struct domain *d, u32 sbdf, unsigned int reg, unsigned int size);
void pci_config_write_guarded(struct domain *d, u32 sbdf, unsigned int reg, unsigned int size, u32 val);
/* Function and register that a physical address inside an MMCFG window stands for; false if it is in none. */
bool pci_mmcfg_decode(paddr_t address, u32 *sbdf, unsigned int *reg);
/* True for frames that a domain may map read-only at most: MSI-X tables in use. */
bool pci_frame_readonly(mfn_t m);

#endif
