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

#define PCI_SBDF_NONE 0xffffffffu

/* Boot: MMCFG windows from ACPI, UARTs of com1=...,pci; registers what only the hypervisor may touch. */
void pci_init(void);

/*
 * The machine's configuration registers; size 1, 2 or 4, reg aligned to it. What does not exist reads as all ones. Takes
 * LOCK_IRQ_CHIP for the port pair. Any context below that.
 */
u32 pci_config_read(u32 sbdf, unsigned int reg, unsigned int size);
void pci_config_write(u32 sbdf, unsigned int reg, unsigned int size, u32 val);
/* Clears, then sets bits of a 32-bit register, in one go against other users of this call and of pci_config_write. */
void pci_config_update(u32 sbdf, unsigned int reg, u32 clear, u32 set);
/* Where a capability begins, or 0. */
unsigned int pci_capability_find(u32 sbdf, u8 id);

/*
 * The same on behalf of d, for the emulators of ports 0xcf8 to 0xcff and of MMCFG stores: a domain that is not privileged sees
 * nothing there; dom0 reads everything and writes all but what is the hypervisor's (MSI and MSI-X message and
 * enable bits, the whole of a UART on PCI): such bits keep their value. LOCK_PCI and above not held.
 */
u32 pci_config_read_guarded(struct domain *d, u32 sbdf, unsigned int reg, unsigned int size);
void pci_config_write_guarded(struct domain *d, u32 sbdf, unsigned int reg, unsigned int size, u32 val);
/* Function and register that a physical address inside an MMCFG window stands for; false if it is in none. */
bool pci_mmcfg_decode(paddr_t address, u32 *sbdf, unsigned int *reg);
/* dom0 has found that an MMCFG window is, or is not, reserved for that use (PHYSDEVOP_pci_mmcfg_reserved). 0 or -ENODEV: no such window. */
int pci_mmcfg_confirm(paddr_t address, u16 segment, u8 bus_start, u8 bus_end, bool reserved) must_check;
/* True for frames that a domain may map read-only at most: MSI-X tables of functions prepared for another domain. Any context. */
bool pci_frame_readonly(mfn_t m);
/* Adds a range to those frames, or takes it away (MSI-X tables in use, the HPET). 0, -ENOMEM, -ENOSPC. */
int pci_frames_guard(paddr_t start, u64 size, bool guard) must_check;

/*
 * dom0 tells which functions there are. 0, -ENOMEM, -ENODEV (nothing answers there); remove: -ENODEV if not known, -EBUSY while
 * interrupts of it are mapped. is_virtual: an SR-IOV function, whose BARs are the physical function's. No lock held.
 */
int pci_device_add(u32 sbdf, bool is_virtual, u32 physical) must_check;
int pci_device_remove(u32 sbdf) must_check;

/*
 * Makes irqs for a function: MSI (count, a power of two up to 32) or one entry of an MSI-X table. They are off until a domain binds
 * them, and go when pirq_unmap or irq_release gives them up. Returns the first irq; -ENODEV (no such function or capability), -EEXIST (set up already),
 * -EINVAL, -ENXIO (its memory is not on), -ERANGE (more than it offers), -ENOSPC, -ENOMEM. No lock held.
 * table: address of an MSI-X table as dom0 knows it; used where the BARs cannot tell (virtual functions).
 */
int pci_msi_setup(u32 sbdf, u32 count) must_check;
int pci_msix_setup(u32 sbdf, u32 entry, paddr_t table) must_check;
/* Interrupts that MSI offers: 0 if the function has none. */
u32 pci_msi_count(u32 sbdf);
/* Writes all that the hypervisor has set up into the function again. 0 or -ENODEV. */
int pci_msi_restore(u32 sbdf) must_check;
/* A driver domain is to have the device: the MSI-X table is guarded from now on / no more. 0, -ENODEV, -EBUSY, or as pci_msix_setup. */
int pci_msix_prepare(u32 sbdf) must_check;
int pci_msix_unprepare(u32 sbdf) must_check;

#endif
