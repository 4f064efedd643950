/* SPDX-License-Identifier: BSD-2-Clause */
/* The redirection table entry of an IO-APIC (82093AA datasheet 3.2.4), fixed delivery to one physical APIC id. */
#ifndef ARCH_X86_IRQ_IOAPIC_ENTRY_H
#define ARCH_X86_IRQ_IOAPIC_ENTRY_H

#include <hv/types.h>
#include <hv/acpi.h>

#define ENTRY_ACTIVE_LOW (1u << 13)
#define ENTRY_REMOTE_IRR (1u << 14)
#define ENTRY_LEVEL (1u << 15)
#define ENTRY_MASKED (1u << 16)

/* Low half; the high half is the APIC id << 24. */
static inline u32 ioapic_entry(u8 vector, bool level, bool low, bool masked)
{
	return vector | (level ? ENTRY_LEVEL : 0) | (low ? ENTRY_ACTIVE_LOW : 0) | (masked ? ENTRY_MASKED : 0);
}

/*
 * Trigger mode and polarity that a GSI has before dom0 says so by PHYSDEVOP_setup_gsi: ISA interrupts (GSIs that an ISA
 * interrupt arrives at) are edge and high unless their override says otherwise, the rest is PCI: level and low.
 */
struct gsi_mode {
	bool level, low;
};

static inline struct gsi_mode gsi_mode_default(const struct acpi_info *info, u32 gsi)
{
	for (u8 irq = 0; irq < 16; irq++) {
		struct acpi_override o = acpi_isa_irq(info, irq);

		/* IRQ 2 is the cascade: GSI 2 is somebody else's, or nobody's. */
		if (irq == 2 || o.gsi != gsi)
			continue;
		return (struct gsi_mode){ o.trigger == ACPI_TRIGGER_LEVEL, o.polarity == ACPI_POLARITY_LOW };
	}
	if (gsi < 16)
		return (struct gsi_mode){ false, false };
	return (struct gsi_mode){ true, true };
}

#endif
