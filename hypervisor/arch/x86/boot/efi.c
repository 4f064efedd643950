/* SPDX-License-Identifier: BSD-2-Clause */
/* The EFI system table (UEFI specification 2.9, 4.3), as it is after ExitBootServices: its pointers are physical. */
#include <hv/efi.h>
#include <hv/boot.h>
#include <hv/log.h>
#include <hv/mm.h>
#include <hv/string.h>

#define SYSTEM_TABLE_SIGNATURE 0x5453595320494249ULL
#define RUNTIME_SIGNATURE 0x56524553544e5552ULL
#define HEADER_REVISION 8
#define SYSTEM_VENDOR 24
#define SYSTEM_FIRMWARE_REVISION 32
#define SYSTEM_RUNTIME 88
#define SYSTEM_CONFIG_ENTRIES 104
#define SYSTEM_CONFIG_TABLE 112
#define SYSTEM_TABLE_SIZE 120
#define RUNTIME_SIZE 24

struct efi_info efi_info;

static void vendor_read(paddr_t at)
{
	const u8 *text = at.v ? acpi_memory_map(at, sizeof(efi_info.vendor)) : NULL;

	for (size_t i = 0; text && i < EFI_VENDOR_MAX - 1; i++) {
		efi_info.vendor[i] = get_le16(text + 2 * i);
		if (!efi_info.vendor[i])
			break;
	}
}

static void runtime_read(paddr_t at)
{
	const u8 *table = at.v ? acpi_memory_map(at, RUNTIME_SIZE) : NULL;

	if (table && get_le64(table) == RUNTIME_SIGNATURE)
		efi_info.runtime_revision = get_le32(table + HEADER_REVISION);
}

void efi_init(void)
{
	paddr_t vendor, runtime;
	const u8 *table;
	u64 entries;

	if (!boot_info.efi_systab.v)
		return;
	table = acpi_memory_map(boot_info.efi_systab, SYSTEM_TABLE_SIZE);
	if (!table || get_le64(table) != SYSTEM_TABLE_SIGNATURE) {
		log_warn("EFI: no system table at %#lx", (unsigned long)boot_info.efi_systab.v);
		return;
	}
	efi_info.present = true;
	efi_info.revision = get_le32(table + HEADER_REVISION);
	efi_info.firmware_revision = get_le32(table + SYSTEM_FIRMWARE_REVISION);
	efi_info.config_table = paddr(get_le64(table + SYSTEM_CONFIG_TABLE));
	entries = get_le64(table + SYSTEM_CONFIG_ENTRIES);
	vendor = paddr(get_le64(table + SYSTEM_VENDOR));
	runtime = paddr(get_le64(table + SYSTEM_RUNTIME));
	if (entries > EFI_CONFIG_MAX || !efi_info.config_table.v) {
		log_warn("EFI: %lu configuration tables make no sense", (unsigned long)entries);
		entries = 0;
	}
	efi_info.config_entries = (u32)entries;
	/* The mapping of the system table may end here. */
	vendor_read(vendor);
	runtime_read(runtime);
	log_info("EFI %u.%u, %u configuration tables at %#lx", efi_info.revision >> 16, (efi_info.revision & 0xffff) / 10,
		 efi_info.config_entries, (unsigned long)efi_info.config_table.v);
}
