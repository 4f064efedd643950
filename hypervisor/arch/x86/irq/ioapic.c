/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IO-APICs. Each pin's low word is kept here too, so that masking is one write. Register access is by index and data, under
 * ioapic_lock.
 */
#include <hv/irq.h>
#include <hv/acpi.h>
#include <hv/errno.h>
#include <hv/frame.h>
#include <hv/io.h>
#include <hv/ioremap.h>
#include <hv/lock.h>
#include <hv/log.h>
#include "desc.h"
#include "ioapic_entry.h"

#define IOAPIC_WINDOW 0x20
#define IOAPIC_INDEX 0x00
#define IOAPIC_DATA 0x10
#define REGISTER_VERSION 1u
#define REGISTER_ENTRY(pin) (0x10 + 2 * (pin))
#define PINS_MAX 240u

struct ioapic_pin {
	struct ioapic *ioapic;
	u32 pin;
	u32 low;		/* as last written */
};

struct ioapic {
	volatile u8 *base;
	paddr_t address;
	u32 gsi_base, pins;
	struct ioapic_pin *pin;
};

static struct ioapic ioapics[ACPI_MAX_IOAPICS];
static u32 ioapic_count;
static struct spinlock ioapic_lock = SPINLOCK(LOCK_IRQ_CHIP);

static u32 register_read(const struct ioapic *io, u32 reg)
{
	u32 val;

	spin_lock(&ioapic_lock);
	mmio_write32(io->base + IOAPIC_INDEX, reg);
	val = mmio_read32(io->base + IOAPIC_DATA);
	spin_unlock(&ioapic_lock);
	return val;
}

static void register_write(const struct ioapic *io, u32 reg, u32 val)
{
	spin_lock(&ioapic_lock);
	mmio_write32(io->base + IOAPIC_INDEX, reg);
	mmio_write32(io->base + IOAPIC_DATA, val);
	spin_unlock(&ioapic_lock);
}

static void pin_write(struct ioapic_pin *p, u32 low)
{
	p->low = low;
	register_write(p->ioapic, REGISTER_ENTRY(p->pin), low);
}

static void pin_mask(void *data)
{
	struct ioapic_pin *p = data;

	pin_write(p, p->low | ENTRY_MASKED);
}

static void pin_unmask(void *data)
{
	struct ioapic_pin *p = data;

	pin_write(p, p->low & ~ENTRY_MASKED);
}

static void pin_route(void *data, const struct irq_route *r)
{
	struct ioapic_pin *p = data;
	u32 mode = p->low & (ENTRY_LEVEL | ENTRY_ACTIVE_LOW);

	/* An acceptance that never got its EOI (the CPU went away) is forgotten when the entry turns to edge. */
	pin_write(p, (mode & ~ENTRY_LEVEL) | ENTRY_MASKED | r->vector);
	register_write(p->ioapic, REGISTER_ENTRY(p->pin) + 1, r->apic_id << 24);
	pin_write(p, mode | ENTRY_MASKED | r->vector);
}

static const struct irq_chip ioapic_chip = {
	.name = "IO-APIC", .can_mask = true, .mask = pin_mask, .unmask = pin_unmask, .route = pin_route,
};

int ioapic_configure(struct irq_desc *desc, bool level, bool low)
{
	struct ioapic_pin *p = desc->data;

	if (desc->chip != &ioapic_chip)
		return -EINVAL;
	desc->level = level;
	desc->configured = true;
	pin_write(p, ioapic_entry((u8)p->low, level, low, true));
	desc->masked = true;
	return 0;
}

static const struct ioapic *ioapic_at(u64 address)
{
	for (u32 i = 0; i < ioapic_count; i++)
		if (ioapics[i].address.v == address)
			return &ioapics[i];
	return NULL;
}

int ioapic_guest_read(u64 address, u32 reg, u32 *val)
{
	const struct ioapic *io = ioapic_at(address);

	if (!io || reg >= REGISTER_ENTRY(io->pins))
		return -EINVAL;
	*val = register_read(io, reg);
	return 0;
}

int ioapic_guest_write(u64 address, u32 reg, u32 val)
{
	const struct ioapic *io = ioapic_at(address);
	struct irq_desc *desc;

	if (!io || reg >= REGISTER_ENTRY(io->pins))
		return -EINVAL;
	/* The id, and which CPU an interrupt goes to, are not the guest's; how the line behaves is. */
	if (reg < REGISTER_ENTRY(0u) || (reg & 1))
		return 0;
	desc = irq_find(io->gsi_base + (reg - REGISTER_ENTRY(0u)) / 2);
	if (!desc)
		return -EINVAL;
	spin_lock(&desc->lock);
	if (!desc->guests && !desc->fn)
		(void)!ioapic_configure(desc, val & ENTRY_LEVEL, val & ENTRY_ACTIVE_LOW);
	spin_unlock(&desc->lock);
	return 0;
}

/* Makes descriptors for the pins of one. False: no memory. */
static bool pins_create(struct ioapic *io)
{
	io->pin = hv_alloc(io->pins * sizeof(*io->pin));
	if (!io->pin)
		return false;
	for (u32 i = 0; i < io->pins; i++) {
		struct ioapic_pin *p = &io->pin[i];
		u32 gsi = io->gsi_base + i;
		struct gsi_mode mode = gsi_mode_default(&acpi_info, gsi);
		struct irq_desc *desc;

		*p = (struct ioapic_pin){ .ioapic = io, .pin = i };
		pin_write(p, ioapic_entry(0, mode.level, mode.low, true));
		desc = irq_desc_create(gsi, &ioapic_chip, p);
		if (!desc)
			return false;
		desc->level = mode.level;
	}
	return true;
}

static bool ioapic_overlaps(u32 gsi_base, u32 pins)
{
	for (u32 i = 0; i < ioapic_count; i++)
		if (gsi_base < ioapics[i].gsi_base + ioapics[i].pins && ioapics[i].gsi_base < gsi_base + pins)
			return true;
	return gsi_base + pins > IRQ_MAX / 2 || gsi_base + pins < pins;
}

static void ioapic_add(const struct acpi_ioapic *from)
{
	struct ioapic *io = &ioapics[ioapic_count];
	u32 version;

	*io = (struct ioapic){ .address = from->address, .gsi_base = from->gsi_base };
	io->base = ioremap(from->address, IOAPIC_WINDOW);
	if (!io->base) {
		log_err("IO-APIC %u: no memory to map it; its interrupts do not work", from->id);
		return;
	}
	version = register_read(io, REGISTER_VERSION);
	io->pins = MIN((version >> 16 & 0xff) + 1, PINS_MAX);
	if (version == ~0u || ioapic_overlaps(io->gsi_base, io->pins)) {
		log_err("IO-APIC %u at %#lx: %s; its interrupts do not work", from->id, (unsigned long)from->address.v,
			version == ~0u ? "there is nothing" : "its interrupt numbers make no sense");
		iounmap((const void *)io->base, IOAPIC_WINDOW);
		return;
	}
	if (!pins_create(io))
		panic("no memory for the descriptors of IO-APIC %u", from->id);
	ioapic_count++;
	log_info("IO-APIC %u at %#lx: version %#x, GSI %u to %u", from->id, (unsigned long)from->address.v,
		 version & 0xff, io->gsi_base, io->gsi_base + io->pins - 1);
}

u32 ioapic_init(void)
{
	u32 gsis = 0;

	for (u32 i = 0; i < acpi_info.ioapics; i++)
		ioapic_add(&acpi_info.ioapic[i]);
	for (u32 i = 0; i < ioapic_count; i++)
		gsis = MAX(gsis, ioapics[i].gsi_base + ioapics[i].pins);
	if (!gsis)
		log_err("the firmware's tables name no usable IO-APIC: line interrupts do not work, only MSI does");
	return gsis;
}
