/* SPDX-License-Identifier: BSD-2-Clause */
/* What of the machine dom0 may touch: everything but the hypervisor's own interrupt controllers, timers and console. */
#include <hv/acpi.h>
#include <hv/console.h>
#include <hv/errno.h>
#include <hv/features.h>
#include <hv/frame.h>
#include <hv/log.h>
#include <hv/pci.h>
#include <hv/pirq.h>
#include <hv/rangeset.h>
#include "dom0.h"

#define LAPIC_BASE 0xfee00000UL
#define LAPIC_SIZE 0x100000UL		/* with the MSI address range */

static void port_take(struct domain *d, u16 first, u16 count, int *rc)
{
	if (!*rc && count)
		*rc = rangeset_remove(d->ioports, first, (u64)first + count - 1);
}

static int ports_set(struct domain *d)
{
	int rc = rangeset_add(d->ioports, 0, 0xffff);

	port_take(d, 0x20, 2, &rc);		/* interrupt controllers */
	port_take(d, 0xa0, 2, &rc);
	port_take(d, 0x4d0, 2, &rc);
	port_take(d, 0x40, 4, &rc);		/* interval timer; channel 2 is emulated */
	port_take(d, 0x61, 1, &rc);
	port_take(d, 0x70, 2, &rc);		/* real-time clock: emulated, index and data go together */
	port_take(d, 0xcf8, 8, &rc);		/* configuration space: guarded */
	for (unsigned int i = 0; i < 2; i++) {
		u16 first = 0, count = console_uart_ports(i, &first);

		port_take(d, first, count, &rc);
	}
	return rc;
}

static int memory_set(struct domain *d)
{
	int rc = rangeset_add(d->iomem, 0, (1UL << (physical_address_bits() - PAGE_SHIFT)) - 1);

	if (!rc)
		rc = rangeset_remove(d->iomem, LAPIC_BASE >> PAGE_SHIFT, (LAPIC_BASE + LAPIC_SIZE - 1) >> PAGE_SHIFT);
	for (u32 i = 0; !rc && i < acpi_info.ioapics; i++) {
		u64 f = acpi_info.ioapic[i].address.v >> PAGE_SHIFT;

		rc = rangeset_remove(d->iomem, f, f);
	}
	if (!rc && acpi_info.hpet.present)
		/* ACPI methods read it. */
		rc = pci_frames_guard(acpi_info.hpet.address, PAGE_SIZE, true);
	return rc;
}

void dom0_permissions_set(struct domain *d)
{
	int rc = ports_set(d);

	if (!rc)
		rc = memory_set(d);
	for (u32 gsi = 0; !rc && gsi < pirq_limit(d); gsi++)
		rc = irq_permission_set(d, gsi, true);
	if (rc)
		panic("dom0: cannot set I/O permissions (error %d)", -rc);
}
