/* SPDX-License-Identifier: BSD-2-Clause */
/* MADT: processors, IO-APICs and the wiring of interrupts (ACPI specification 6.4, 5.2.12). */
#include <hv/string.h>
#include "internal.h"

#define MADT_ENTRIES 44         /* offset of the first entry */
#define MADT_PCAT_COMPAT 1
#define CPU_ENABLED 1
#define CPU_ONLINE_CAPABLE 2
#define ALL_CPUS 0xffffffffU

enum madt_type {
	MADT_LAPIC = 0, MADT_IOAPIC = 1, MADT_OVERRIDE = 2, MADT_NMI_SOURCE = 3, MADT_LAPIC_NMI = 4,
	MADT_LAPIC_ADDRESS = 5, MADT_X2APIC = 9, MADT_X2APIC_NMI = 10,
};

/* Shortest sound entry of each type; 0 for types that are of no interest. */
static const u8 entry_size[] = {
	[MADT_LAPIC] = 8, [MADT_IOAPIC] = 12, [MADT_OVERRIDE] = 10, [MADT_NMI_SOURCE] = 8, [MADT_LAPIC_NMI] = 6,
	[MADT_LAPIC_ADDRESS] = 12, [MADT_X2APIC] = 16, [MADT_X2APIC_NMI] = 12,
};

static u8 polarity(u16 flags)
{
	return flags & 3;
}

static u8 trigger(u16 flags)
{
	return flags >> 2 & 3;
}

static void cpu_add(const struct acpi_reader *reader, u32 apic_id, u32 acpi_id, u32 flags)
{
	struct acpi_info *info = reader->info;

	for (u32 i = 0; i < info->cpus; i++)
		if (info->cpu[i].apic_id == apic_id) {
			if ((flags & CPU_ENABLED) != 0) /* fillers often repeat an ID: not worth a word */
				acpi_complain(reader, "MADT names APIC ID %u twice", apic_id);
			return;
		}
	if (info->cpus == ACPI_MAX_CPUS) {
		info->cpus_ignored += (flags & CPU_ENABLED) != 0 ? 1 : 0;
		return;
	}
	info->cpu[info->cpus++] = (struct acpi_cpu){
		.apic_id = apic_id, .acpi_id = acpi_id, .enabled = (flags & CPU_ENABLED) != 0,
		.online_capable = (flags & CPU_ONLINE_CAPABLE) != 0,
	};
}

static void cpu_entry(const struct acpi_reader *reader, const u8 *p, bool enabled)
{
	bool x2apic = p[0] == MADT_X2APIC;
	u32 apic_id = x2apic ? get_le32(p + 4) : p[3];
	u32 flags = x2apic ? get_le32(p + 8) : get_le32(p + 4);
	u32 acpi_id = x2apic ? get_le32(p + 12) : p[2];

	/* All ones is the broadcast address: a filler. */
	if (apic_id == (x2apic ? ALL_CPUS : 0xff) || ((flags & CPU_ENABLED) != 0) != enabled)
		return;
	cpu_add(reader, apic_id, acpi_id, flags);
}

static void ioapic_entry(const struct acpi_reader *reader, const u8 *p)
{
	struct acpi_info *info = reader->info;
	u32 address = get_le32(p + 4), gsi_base = get_le32(p + 8);

	for (u32 i = 0; i < info->ioapics; i++)
		if (info->ioapic[i].address.v == address || info->ioapic[i].gsi_base == gsi_base) {
			acpi_complain(reader, "MADT names the IO-APIC at 0x%x (GSI %u) twice", address, gsi_base);
			return;
		}
	if (address == 0 || info->ioapics == ACPI_MAX_IOAPICS) {
		acpi_complain(reader, "IO-APIC %u at 0x%x ignored: %s", p[2], address,
			      address == 0 ? "no address" : "too many");
		return;
	}
	info->ioapic[info->ioapics++] = (struct acpi_ioapic){
		.id = p[2], .address = paddr(address), .gsi_base = gsi_base,
	};
}

static void override_entry(const struct acpi_reader *reader, const u8 *p)
{
	struct acpi_info *info = reader->info;
	u16 flags = get_le16(p + 8);
	const struct acpi_override o = {
		.isa_irq = p[3], .gsi = get_le32(p + 4), .polarity = polarity(flags), .trigger = trigger(flags),
	};

	if (p[2] != 0 || o.polarity == 2 || o.trigger == 2) {
		acpi_complain(reader, "the override of interrupt %u makes no sense: ignored", o.isa_irq);
		return;
	}
	for (u32 i = 0; i < info->overrides; i++)
		if (info->override[i].isa_irq == o.isa_irq) {
			acpi_complain(reader, "interrupt %u is overridden twice: the first counts", o.isa_irq);
			return;
		}
	/* One for each ISA interrupt number at most, so there is always room. */
	info->override[info->overrides++] = o;
}

static void nmi_source_entry(const struct acpi_reader *reader, const u8 *p)
{
	struct acpi_info *info = reader->info;
	u16 flags = get_le16(p + 2);

	if (info->nmi_sources < ACPI_MAX_NMI_SOURCES)
		info->nmi_source[info->nmi_sources++] = (struct acpi_nmi_source){
			.gsi = get_le32(p + 4), .polarity = polarity(flags), .trigger = trigger(flags),
		};
}

static void lapic_nmi_entry(const struct acpi_reader *reader, const u8 *p)
{
	struct acpi_info *info = reader->info;
	bool x2apic = p[0] == MADT_X2APIC_NMI;
	u32 acpi_id = x2apic ? get_le32(p + 4) : p[2] == 0xff ? ALL_CPUS : p[2];
	u16 flags = x2apic ? get_le16(p + 2) : get_le16(p + 3);
	u8 lint = x2apic ? p[8] : p[5];

	if (lint > 1) {
		acpi_complain(reader, "MADT sends an NMI to LINT%u: ignored", lint);
		return;
	}
	if (info->lapic_nmis < ACPI_MAX_LAPIC_NMIS)
		info->lapic_nmi[info->lapic_nmis++] = (struct acpi_lapic_nmi){
			.acpi_id = acpi_id, .lint = lint, .polarity = polarity(flags), .trigger = trigger(flags),
		};
}

static void entry_store(const struct acpi_reader *reader, const u8 *p)
{
	switch ((enum madt_type)p[0]) {
	case MADT_LAPIC:
	case MADT_X2APIC:
		cpu_entry(reader, p, true);
		break;
	case MADT_IOAPIC:
		ioapic_entry(reader, p);
		break;
	case MADT_OVERRIDE:
		override_entry(reader, p);
		break;
	case MADT_NMI_SOURCE:
		nmi_source_entry(reader, p);
		break;
	case MADT_LAPIC_NMI:
	case MADT_X2APIC_NMI:
		lapic_nmi_entry(reader, p);
		break;
	case MADT_LAPIC_ADDRESS:
		reader->info->lapic_address = paddr(get_le64(p + 4));
		break;
	}
}

/* The next entry of a type that is known and long enough for it, or NULL. */
static const u8 *known_entry_next(const struct acpi_reader *reader, const struct acpi_view *view, u32 *offset)
{
	const u8 *p;
	u32 len;

	while ((p = acpi_entry_next(reader, view, "MADT", offset, &len)) != NULL)
		if (p[0] < ARRAY_SIZE(entry_size) && entry_size[p[0]] != 0 && len >= entry_size[p[0]])
			break;
	return p;
}

void acpi_madt_parse(const struct acpi_reader *reader)
{
	struct acpi_info *info = reader->info;
	struct acpi_view view;
	const u8 *p;
	u32 offset;

	if (!acpi_table_view(reader, "APIC", 0, MADT_ENTRIES, &view))
		return;
	info->madt_present = true;
	info->lapic_address = paddr(get_le32(view.data + 36));
	info->pcat_compat = (get_le32(view.data + 40) & MADT_PCAT_COMPAT) != 0;
	offset = MADT_ENTRIES;
	while ((p = known_entry_next(reader, &view, &offset)) != NULL)
		entry_store(reader, p);
	/* Those that are not there yet come last, so that they cannot take the place of one that is. */
	offset = MADT_ENTRIES;
	while ((p = known_entry_next(reader, &view, &offset)) != NULL)
		if (p[0] == MADT_LAPIC || p[0] == MADT_X2APIC)
			cpu_entry(reader, p, false);
	if (info->cpus_ignored > 0)
		acpi_complain(reader, "%u processors ignored, %u are supported", info->cpus_ignored, ACPI_MAX_CPUS);
}

struct acpi_override acpi_isa_irq(const struct acpi_info *info, u8 irq)
{
	for (u32 i = 0; i < info->overrides; i++)
		if (info->override[i].isa_irq == irq)
			return info->override[i];
	return (struct acpi_override){ .isa_irq = irq, .gsi = irq };
}
