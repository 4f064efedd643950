/* SPDX-License-Identifier: BSD-2-Clause */
/* What the boot loader gave us. Filled by arch/x86/boot, read by everyone during boot. */
#ifndef HV_BOOT_H
#define HV_BOOT_H

#include <hv/types.h>
#include <hv/compiler.h>

#define BOOT_MODULES 4
#define BOOT_E820_MAX 256
#define BOOT_EFI_MEMORY_MAX 512

struct boot_module {
	paddr_t start;
	u64 size;
	const char *cmdline;	/* without a leading placeholder */
};

/* E820 types. */
enum e820_type { E820_RAM = 1, E820_RESERVED = 2, E820_ACPI = 3, E820_NVS = 4, E820_UNUSABLE = 5 };

struct e820_entry {
	u64 addr, size;
	u32 type;
} packed_struct;

/* A descriptor of the EFI memory map. */
struct boot_efi_memory {
	u64 start, size, attributes;
	u32 type;
};

struct boot_video {
	bool valid, text;	/* text: VGA 80x25 at 0xb8000; else linear framebuffer */
	paddr_t addr;
	u32 pitch, width, height;
	u8 bpp, red_pos, red_size, green_pos, green_size, blue_pos, blue_size;
};

struct boot_info {
	const char *loader;		/* name of the boot loader */
	const char *cmdline;		/* hypervisor options */
	u32 nr_modules;
	struct boot_module module[BOOT_MODULES];
	u32 nr_e820;
	struct e820_entry e820[BOOT_E820_MAX];	/* the machine's real map */
	paddr_t rsdp;			/* a copy of the RSDP (inside the loader's data) or 0 */
	u8 rsdp_copy[40];
	u32 rsdp_len;
	paddr_t efi_systab;		/* EFI system table (64-bit) or 0 */
	u32 nr_efi_memory;
	struct boot_efi_memory efi_memory[BOOT_EFI_MEMORY_MAX];
	struct boot_video video;
	paddr_t image_start, image_end;	/* where the hypervisor itself lies */
};

extern struct boot_info boot_info;

/* Boot phases; each module's *_init is called from one of these in arch/x86/boot/phases.c, in the order written there. */
void boot_early(void);	/* BSP, no allocator: console, memory map, page tables, ACPI */
void boot_cpu(void);	/* each CPU: features, descriptor tables, APIC, timers */
void boot_late(void);	/* BSP, everything allocated: other CPUs, devices, dom0 */

/* Power: reboot and power-off (arch/x86/boot/power.c). */
void machine_restart(void) noreturn_fn;
void machine_poweroff(void) noreturn_fn;
void machine_halt(void) noreturn_fn;
/*
 * What dom0 found in its ACPI tables for S5: values of the PM1a and PM1b control registers, sleep enable bit or not.
 * machine_poweroff needs them.
 */
void machine_sleep_values(u16 pm1a, u16 pm1b);
/* The same for machines whose FADT has sleep control and status registers in place of those: the sleep type for S5. */
void machine_sleep_type(u16 type);

#endif
