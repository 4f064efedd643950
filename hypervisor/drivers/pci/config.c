/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Access to configuration space: by ports for the first 256 bytes of segment 0, by memory (MMCFG) otherwise. Both under one lock, so
 * that updates of bits do not overtake each other.
 */
#include <hv/acpi.h>
#include <hv/errno.h>
#include <hv/frame.h>
#include <hv/io.h>
#include <hv/ioremap.h>
#include <hv/log.h>
#include "pci.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA 0xcfc
#define BUS_SHIFT 20		/* an MMCFG window has 1 MiB a bus, 4 KiB a function */

struct mmcfg {
	struct acpi_mcfg where;
	bool usable;
	volatile u8 *bus[256];	/* mapped at first use */
};

static struct spinlock config_lock = SPINLOCK(LOCK_IRQ_CHIP);
static struct mmcfg *mmcfg[ACPI_MAX_MCFG];	/* constant after boot; `usable` and `bus` under config_lock */

static struct mmcfg *mmcfg_find(u32 sbdf)
{
	for (u32 i = 0; i < ACPI_MAX_MCFG && mmcfg[i]; i++) {
		const struct acpi_mcfg *m = &mmcfg[i]->where;

		if (mmcfg[i]->usable && m->segment == PCI_SEG(sbdf) && PCI_BUS(sbdf) >= m->bus_start &&
		    PCI_BUS(sbdf) <= m->bus_end)
			return mmcfg[i];
	}
	return NULL;
}

/* The register in memory; NULL if there is no window, or no memory to map it. Lock held. */
static volatile u8 *mmcfg_register(u32 sbdf, unsigned int reg)
{
	struct mmcfg *m = mmcfg_find(sbdf);
	u32 bus = PCI_BUS(sbdf);

	if (!m)
		return NULL;
	if (!m->bus[bus])
		m->bus[bus] = ioremap(paddr(m->where.address.v + ((u64)bus << BUS_SHIFT)), 1UL << BUS_SHIFT);
	return m->bus[bus] ? m->bus[bus] + (PCI_DEVFN(sbdf) << 12 | reg) : NULL;
}

static bool by_ports(u32 sbdf, unsigned int reg)
{
	return PCI_SEG(sbdf) == 0 && reg < 256;
}

static void port_select(u32 sbdf, unsigned int reg)
{
	outl(CONFIG_ADDRESS, 1u << 31 | sbdf << 8 | (reg & 0xfc));
}

static u32 port_read(u32 sbdf, unsigned int reg, unsigned int size)
{
	u16 port = (u16)(CONFIG_DATA + (reg & 3));

	port_select(sbdf, reg);
	return size == 4 ? inl(port) : size == 2 ? inw(port) : inb(port);
}

static void port_write(u32 sbdf, unsigned int reg, unsigned int size, u32 val)
{
	u16 port = (u16)(CONFIG_DATA + (reg & 3));

	port_select(sbdf, reg);
	if (size == 4)
		outl(port, val);
	else if (size == 2)
		outw(port, (u16)val);
	else
		outb(port, (u8)val);
}

/* Memory is read and written by whole registers: what smaller accesses do there depends on the chip set. */
static u32 memory_read(u32 sbdf, unsigned int reg, unsigned int size)
{
	volatile u8 *p = mmcfg_register(sbdf, reg & ~3u);
	u32 val = p ? mmio_read32(p) : ~0u;

	val >>= 8 * (reg & 3);
	return size == 4 ? val : val & ((1u << 8 * size) - 1);
}

static void memory_write(u32 sbdf, unsigned int reg, unsigned int size, u32 val)
{
	volatile u8 *p = mmcfg_register(sbdf, reg);

	if (!p)
		return;
	if (size == 4)
		mmio_write32(p, val);
	else if (size == 2)
		mmio_write16(p, (u16)val);
	else
		mmio_write8(p, (u8)val);
}

static bool access_ok(unsigned int reg, unsigned int size)
{
	return (size == 1 || size == 2 || size == 4) && reg % size == 0 && reg < 4096;
}

static u32 config_read(u32 sbdf, unsigned int reg, unsigned int size)
{
	return by_ports(sbdf, reg) ? port_read(sbdf, reg, size) : memory_read(sbdf, reg, size);
}

static void config_write(u32 sbdf, unsigned int reg, unsigned int size, u32 val)
{
	if (by_ports(sbdf, reg))
		port_write(sbdf, reg, size, val);
	else
		memory_write(sbdf, reg, size, val);
}

u32 pci_config_read(u32 sbdf, unsigned int reg, unsigned int size)
{
	u32 val;

	if (!access_ok(reg, size))
		return ~0u;
	spin_lock(&config_lock);
	val = config_read(sbdf, reg, size);
	spin_unlock(&config_lock);
	return val;
}

void pci_config_write(u32 sbdf, unsigned int reg, unsigned int size, u32 val)
{
	if (!access_ok(reg, size))
		return;
	spin_lock(&config_lock);
	config_write(sbdf, reg, size, val);
	spin_unlock(&config_lock);
}

void pci_config_update(u32 sbdf, unsigned int reg, u32 clear, u32 set)
{
	spin_lock(&config_lock);
	config_write(sbdf, reg, 4, (config_read(sbdf, reg, 4) & ~clear) | set);
	spin_unlock(&config_lock);
}

unsigned int pci_capability_find(u32 sbdf, u8 id)
{
	unsigned int at;

	if (!(pci_config_read(sbdf, PCI_STATUS, 2) & PCI_STATUS_CAPABILITIES))
		return 0;
	at = pci_config_read(sbdf, PCI_CAPABILITIES, 1) & 0xfc;
	/* At most 48 capabilities fit behind the header; a broken list may be a ring. */
	for (unsigned int i = 0; i < 48 && at >= 0x40; i++) {
		u32 header = pci_config_read(sbdf, at, 2);

		if ((header & 0xff) == id)
			return at;
		if ((header & 0xff) == 0xff)
			break;
		at = header >> 8 & 0xfc;
	}
	return 0;
}

bool pci_mmcfg_decode(paddr_t address, u32 *sbdf, unsigned int *reg)
{
	for (u32 i = 0; i < ACPI_MAX_MCFG && mmcfg[i]; i++) {
		const struct acpi_mcfg *m = &mmcfg[i]->where;
		u64 offset = address.v - m->address.v;

		if (address.v < m->address.v || offset >> BUS_SHIFT < m->bus_start || offset >> BUS_SHIFT > m->bus_end)
			continue;
		*sbdf = (u32)m->segment << 16 | (u32)(offset >> 12);
		*reg = offset & 0xfff;
		return true;
	}
	return false;
}

int pci_mmcfg_confirm(paddr_t address, u16 segment, u8 bus_start, u8 bus_end, bool reserved)
{
	int rc = -ENODEV;

	spin_lock(&config_lock);
	for (u32 i = 0; i < ACPI_MAX_MCFG && mmcfg[i]; i++) {
		const struct acpi_mcfg *m = &mmcfg[i]->where;

		if (m->address.v != address.v || m->segment != segment || m->bus_start != bus_start ||
		    m->bus_end != bus_end)
			continue;
		mmcfg[i]->usable = reserved;
		rc = 0;
	}
	spin_unlock(&config_lock);
	return rc;
}

void pci_mmcfg_init(void)
{
	for (u32 i = 0; i < acpi_info.mcfgs && i < ACPI_MAX_MCFG; i++) {
		const struct acpi_mcfg *m = &acpi_info.mcfg[i];

		mmcfg[i] = hv_alloc(sizeof(*mmcfg[i]));
		if (!mmcfg[i]) {
			log_err("PCI: no memory for the MMCFG window of segment %u", m->segment);
			return;
		}
		mmcfg[i]->where = *m;
		mmcfg[i]->usable = true;
		log_info("PCI: segment %u buses %u to %u at %#lx", m->segment, m->bus_start, m->bus_end,
			 (unsigned long)m->address.v);
	}
}
