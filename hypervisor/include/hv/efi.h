/* SPDX-License-Identifier: BSD-2-Clause */
/* What EFI firmware left: for dom0, which asks by platform_op. The hypervisor itself makes no EFI calls. */
#ifndef HV_EFI_H
#define HV_EFI_H

#include <hv/types.h>

#define EFI_VENDOR_MAX 100
#define EFI_CONFIG_MAX 4096u

struct efi_info {
	bool present;
	u32 revision, runtime_revision, firmware_revision;
	paddr_t config_table;
	u32 config_entries;
	u16 vendor[EFI_VENDOR_MAX];	/* UCS-2, terminated */
};

/* Constant after efi_init. */
extern struct efi_info efi_info;

/* Boot, after mm_early_init: reads the system table that boot_info names. What makes no sense is reported and left out. */
void efi_init(void);

#endif
