/* SPDX-License-Identifier: BSD-2-Clause */
/* FADT and FACS (ACPI specification 6.4, 5.2.9 and 5.2.10), HPET (IA-PC HPET 3.2.4) and MCFG (PCI firmware 4.1.2). */
#include <hv/string.h>
#include "internal.h"

enum fadt_offset {
	FADT_FACS = 36, FADT_DSDT = 40, FADT_SCI = 46, FADT_SMI_COMMAND = 48, FADT_ENABLE = 52, FADT_DISABLE = 53,
	FADT_S4BIOS = 54, FADT_PM1A_EVENT = 56, FADT_PM1B_EVENT = 60, FADT_PM1A_CONTROL = 64, FADT_PM1B_CONTROL = 68,
	FADT_PM2_CONTROL = 72, FADT_PM_TIMER = 76, FADT_PM1_EVENT_LEN = 88, FADT_PM1_CONTROL_LEN = 89,
	FADT_PM2_CONTROL_LEN = 90, FADT_PM_TIMER_LEN = 91, FADT_CENTURY = 108, FADT_BOOT_FLAGS = 109,
	FADT_FLAGS = 112, FADT_V1_SIZE = 116, FADT_RESET_REGISTER = 116, FADT_RESET_VALUE = 128, FADT_X_FACS = 132,
	FADT_X_DSDT = 140, FADT_X_PM1A_EVENT = 148, FADT_X_PM1B_EVENT = 160, FADT_X_PM1A_CONTROL = 172,
	FADT_X_PM1B_CONTROL = 184, FADT_X_PM2_CONTROL = 196, FADT_X_PM_TIMER = 208, FADT_SLEEP_CONTROL = 244,
	FADT_SLEEP_STATUS = 256,
};

#define FADT_FLAG_TIMER_32BIT (1U << 8)
#define FADT_FLAG_RESET (1U << 10)
#define ADDRESS_SIZE 12
#define FACS_MIN 32
#define FACS_WAKING 12
#define FACS_X_WAKING 24
#define FACS_VERSION 32
#define HPET_SIZE 56
#define MCFG_ENTRIES 44
#define MCFG_ENTRY 16

/* A field of later revisions: 0 if the table ends before it. */
static u64 later_u64(const struct acpi_view *v, u32 offset)
{
	return v->len >= offset + 8 ? get_le64(v->data + offset) : 0;
}

static struct acpi_address later_address(const struct acpi_view *v, u32 offset)
{
	if (v->len < offset + ADDRESS_SIZE)
		return (struct acpi_address){ .address = 0 };
	return acpi_address_read(v->data + offset);
}

/* A register block: the 64-bit form if it is usable, else the port. bytes is the length field of the block. */
static struct acpi_address block_read(const struct acpi_view *v, u32 offset, u32 x_offset, u8 bytes)
{
	struct acpi_address a = later_address(v, x_offset);
	u32 port = get_le32(v->data + offset);

	if (a.address != 0 && (a.space == ACPI_SPACE_MEMORY || (a.space == ACPI_SPACE_IO && a.address <= 0xffff)))
		return a;
	if (port == 0 || port > 0xffff)
		return (struct acpi_address){ .address = 0 };
	return (struct acpi_address){ .space = ACPI_SPACE_IO, .bit_width = (u8)(bytes * 8), .address = port };
}

static void facs_read(const struct acpi_reader *reader, struct acpi_fadt *f)
{
	const u8 *p = f->facs.v == 0 ? NULL : reader->access->map(f->facs, FACS_VERSION + 1);

	if (f->facs.v == 0)
		return;
	if (p == NULL || memcmp(p, "FACS", 4) != 0 || get_le32(p + 4) < FACS_MIN) {
		acpi_complain(reader, "the FACS at 0x%lx is broken: no sleep states", f->facs.v);
		f->facs = paddr(0);
		return;
	}
	f->waking_vector = paddr(f->facs.v + FACS_WAKING);
	if (get_le32(p + 4) > FACS_VERSION && p[FACS_VERSION] >= 1)
		f->waking_vector64 = paddr(f->facs.v + FACS_X_WAKING);
}

static void reset_read(const struct acpi_view *v, struct acpi_fadt *f)
{
	f->reset_register = later_address(v, FADT_RESET_REGISTER);
	f->reset_value = v->len > FADT_RESET_VALUE ? v->data[FADT_RESET_VALUE] : 0;
	f->reset_supported = (f->flags & FADT_FLAG_RESET) != 0 && f->reset_register.address != 0;
}

static void fadt_read(const struct acpi_view *v, struct acpi_fadt *f)
{
	const u8 *p = v->data;

	f->present = true;
	f->revision = p[8];
	f->sci_irq = get_le16(p + FADT_SCI);
	f->smi_command = get_le32(p + FADT_SMI_COMMAND);
	f->acpi_enable = p[FADT_ENABLE];
	f->acpi_disable = p[FADT_DISABLE];
	f->s4bios_request = p[FADT_S4BIOS];
	f->pm1_event_length = p[FADT_PM1_EVENT_LEN];
	f->pm1_control_length = p[FADT_PM1_CONTROL_LEN];
	f->rtc_century = p[FADT_CENTURY];
	f->boot_flags = get_le16(p + FADT_BOOT_FLAGS);
	f->flags = get_le32(p + FADT_FLAGS);
	f->pm_timer_32bit = (f->flags & FADT_FLAG_TIMER_32BIT) != 0;
	f->pm1a_event = block_read(v, FADT_PM1A_EVENT, FADT_X_PM1A_EVENT, f->pm1_event_length);
	f->pm1b_event = block_read(v, FADT_PM1B_EVENT, FADT_X_PM1B_EVENT, f->pm1_event_length);
	f->pm1a_control = block_read(v, FADT_PM1A_CONTROL, FADT_X_PM1A_CONTROL, f->pm1_control_length);
	f->pm1b_control = block_read(v, FADT_PM1B_CONTROL, FADT_X_PM1B_CONTROL, f->pm1_control_length);
	f->pm2_control = block_read(v, FADT_PM2_CONTROL, FADT_X_PM2_CONTROL, p[FADT_PM2_CONTROL_LEN]);
	f->pm_timer = block_read(v, FADT_PM_TIMER, FADT_X_PM_TIMER, p[FADT_PM_TIMER_LEN]);
	f->sleep_control = later_address(v, FADT_SLEEP_CONTROL);
	f->sleep_status = later_address(v, FADT_SLEEP_STATUS);
	reset_read(v, f);
	f->facs = paddr(later_u64(v, FADT_X_FACS));
	if (f->facs.v == 0)
		f->facs = paddr(get_le32(p + FADT_FACS));
	f->dsdt = paddr(later_u64(v, FADT_X_DSDT));
	if (f->dsdt.v == 0)
		f->dsdt = paddr(get_le32(p + FADT_DSDT));
}

void acpi_fadt_parse(const struct acpi_reader *reader)
{
	struct acpi_fadt *f = &reader->info->fadt;
	struct acpi_view view;

	if (!acpi_table_view(reader, "FACP", 0, FADT_V1_SIZE, &view))
		return;
	fadt_read(&view, f);
	facs_read(reader, f);
}

void acpi_hpet_parse(const struct acpi_reader *reader)
{
	struct acpi_view view;
	struct acpi_address address;

	if (!acpi_table_view(reader, "HPET", 0, HPET_SIZE, &view))
		return;
	address = acpi_address_read(view.data + 40);
	if (address.space != ACPI_SPACE_MEMORY || address.address == 0) {
		acpi_complain(reader, "the HPET has no memory address: ignored");
		return;
	}
	reader->info->hpet = (struct acpi_hpet){
		.present = true, .block_id = get_le32(view.data + 36), .address = paddr(address.address),
		.number = view.data[52], .min_tick = get_le16(view.data + 53),
	};
}

void acpi_mcfg_parse(const struct acpi_reader *reader)
{
	struct acpi_info *info = reader->info;
	struct acpi_view view;

	if (!acpi_table_view(reader, "MCFG", 0, MCFG_ENTRIES, &view))
		return;
	for (u32 offset = MCFG_ENTRIES; view.len - offset >= MCFG_ENTRY; offset += MCFG_ENTRY) {
		const u8 *p = view.data + offset;
		const struct acpi_mcfg m = {
			.address = paddr(get_le64(p)), .segment = get_le16(p + 8), .bus_start = p[10], .bus_end = p[11],
		};

		if (m.address.v == 0 || (m.address.v & ((1UL << 20) - 1)) != 0 || m.bus_start > m.bus_end ||
		    info->mcfgs == ACPI_MAX_MCFG) {
			acpi_complain(reader, "the MCFG entry of segment %u (0x%lx) is unusable: ignored",
				      m.segment, m.address.v);
			continue;
		}
		info->mcfg[info->mcfgs++] = m;
	}
}
