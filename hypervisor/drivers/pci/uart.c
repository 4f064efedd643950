/* SPDX-License-Identifier: BSD-2-Clause */
/* Serial ports on PCI, for com1=...,pci and com1=...,amt. Only segment 0 is searched. */
#include <hv/console.h>
#include <hv/ioremap.h>
#include <hv/log.h>
#include "pci.h"

#define CLASS_SERIAL 0x0700u
#define VENDOR_INTEL 0x8086u
#define UART_REGISTERS 8u

/* Intel's serial-over-LAN (AMT) is function 3 of the management engine. */
static bool is_amt(u32 sbdf)
{
	return sbdf == PCI_BDF(0, 0x16, 3) && pci_config_read(sbdf, PCI_VENDOR, 2) == VENDOR_INTEL;
}

static bool uart_at(u32 sbdf, enum uart_where where)
{
	return pci_config_read(sbdf, PCI_CLASS, 4) >> 16 == CLASS_SERIAL && (where == UART_AMT || !is_amt(sbdf));
}

/* The first one that was not taken yet; PCI_SBDF_NONE if there is none. */
static u32 uart_search(enum uart_where where, u32 not_this)
{
	for (u32 sbdf = 0; sbdf < 0x10000; sbdf++) {
		if (pci_config_read(sbdf, PCI_VENDOR, 2) == 0xffff) {
			/* No function 0: no device at all. */
			if ((sbdf & 7) == 0)
				sbdf |= 7;
			continue;
		}
		if (sbdf != not_this && uart_at(sbdf, where))
			return sbdf;
		if ((sbdf & 7) == 0 && !(pci_config_read(sbdf, PCI_HEADER_TYPE, 1) & 0x80))
			sbdf |= 7;
	}
	return PCI_SBDF_NONE;
}

static void uart_take(unsigned int index, u32 sbdf, const struct uart_option *o)
{
	u32 bar = pci_config_read(sbdf, PCI_BAR(0), 4);
	struct pci_device *dev;
	volatile void *mmio;

	if (bar & 1) {
		pci_config_update(sbdf, PCI_COMMAND, 0xffff0000, PCI_COMMAND_IO);
		console_uart_attach(index, (u16)(bar & 0xfffc), NULL, 0, 1);
	} else {
		u64 address = bar & ~15u;

		if ((bar & 6) == 4)
			address |= (u64)pci_config_read(sbdf, PCI_BAR(1), 4) << 32;
		mmio = address ? ioremap(paddr(address), UART_REGISTERS << o->reg_shift) : NULL;
		if (!mmio) {
			log_err("com%u: cannot map the serial port's registers at %#lx", index + 1, (unsigned long)address);
			return;
		}
		pci_config_update(sbdf, PCI_COMMAND, 0xffff0000, PCI_COMMAND_MEMORY);
		console_uart_attach(index, 0, mmio, o->reg_shift, o->reg_width);
	}
	spin_lock(&pci_lock);
	dev = pci_device_get(sbdf);
	if (dev)
		dev->hidden = true;
	spin_unlock(&pci_lock);
	log_info("com%u: PCI %02x:%02x.%u", index + 1, PCI_BUS(sbdf), PCI_DEVFN(sbdf) >> 3, PCI_DEVFN(sbdf) & 7);
}

void pci_uart_init(void)
{
	u32 taken = PCI_SBDF_NONE;

	for (unsigned int index = 0; index < 2; index++) {
		const struct uart_option *o = console_uart_option(index);
		u32 sbdf;

		if (!o || o->where == UART_IO_PORT)
			continue;
		sbdf = o->port_bdf != UART_BDF_NONE ? o->port_bdf : uart_search(o->where, taken);
		if (sbdf == PCI_SBDF_NONE || pci_config_read(sbdf, PCI_VENDOR, 2) == 0xffff) {
			log_err("com%u: no serial port found on PCI", index + 1);
			continue;
		}
		uart_take(index, sbdf, o);
		taken = sbdf;
	}
}
