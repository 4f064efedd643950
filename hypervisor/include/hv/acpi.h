/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The static ACPI tables, read once at boot into one struct. There is no AML interpreter: dom0 has that. Firmware may be
 * broken: each table is checked (length, checksum, entry bounds); what fails is reported and left out, and boot goes on.
 * Init context; no locks; afterwards the result is constant.
 */
#ifndef HV_ACPI_H
#define HV_ACPI_H

#include <hv/compiler.h>
#include <hv/cpumask.h>
#include <hv/types.h>

#define ACPI_MAX_CPUS MAX_CPUS
#define ACPI_MAX_IOAPICS 64
#define ACPI_MAX_OVERRIDES 256
#define ACPI_MAX_LAPIC_NMIS 64
#define ACPI_MAX_NMI_SOURCES 16
#define ACPI_MAX_MCFG 64
#define ACPI_MAX_NODES 64
#define ACPI_MAX_MEMORY_RANGES 256
#define ACPI_MAX_TABLES 128

struct acpi_cpu {
	u32 apic_id, acpi_id;   /* acpi_id: processor UID as the MADT names it */
	bool enabled;           /* else it may be enabled later (hot-plug), or is firmware's filler */
	bool online_capable;
	u8 node;                /* index into acpi_info.pxm; 0 if SRAT does not say */
};

struct acpi_ioapic {
	u8 id;
	u32 gsi_base;
	paddr_t address;
};

/* From the MADT's 2-bit fields; 0 means "as the bus does": high and edge for ISA. */
enum acpi_polarity { ACPI_POLARITY_BUS = 0, ACPI_POLARITY_HIGH = 1, ACPI_POLARITY_LOW = 3 };
enum acpi_trigger { ACPI_TRIGGER_BUS = 0, ACPI_TRIGGER_EDGE = 1, ACPI_TRIGGER_LEVEL = 3 };

struct acpi_override {
	u8 isa_irq;
	u8 polarity, trigger;   /* enum acpi_polarity, enum acpi_trigger */
	u32 gsi;
};

struct acpi_lapic_nmi {
	u32 acpi_id;            /* 0xffffffff: every CPU */
	u8 lint;                /* 0 or 1 */
	u8 polarity, trigger;
};

struct acpi_nmi_source {
	u32 gsi;
	u8 polarity, trigger;
};

/* Generic address structure (ACPI 5.2.3.2). */
enum acpi_space { ACPI_SPACE_MEMORY = 0, ACPI_SPACE_IO = 1, ACPI_SPACE_PCI = 2 };
struct acpi_address {
	u64 address;            /* 0: there is no such register */
	u8 space;               /* enum acpi_space, other values as in the specification */
	u8 bit_width, bit_offset, access_size;
};

struct acpi_fadt {
	bool present;
	u8 revision;
	u16 sci_irq;            /* ISA interrupt or GSI, subject to the overrides */
	u16 boot_flags;         /* IAPC_BOOT_ARCH */
	u32 flags;
	u32 smi_command;        /* port; 0 if none */
	u8 acpi_enable, acpi_disable, s4bios_request;
	struct acpi_address pm1a_event, pm1b_event, pm1a_control, pm1b_control, pm2_control, pm_timer;
	u8 pm1_event_length, pm1_control_length;
	bool pm_timer_32bit;
	struct acpi_address reset_register;
	bool reset_supported;
	u8 reset_value;
	paddr_t facs, dsdt;     /* 0 if none */
	paddr_t waking_vector;  /* address of the 32-bit field in FACS; 0 if none */
	paddr_t waking_vector64; /* address of the 64-bit field; 0 if FACS has none */
	u8 rtc_century;         /* CMOS index; 0 if none */
	struct acpi_address sleep_control, sleep_status;
};

struct acpi_hpet {
	bool present;
	paddr_t address;
	u8 number;
	u32 block_id;
	u16 min_tick;
};

struct acpi_mcfg {
	paddr_t address;        /* of bus 0 of the segment (the table's base already counts from bus 0) */
	u16 segment;
	u8 bus_start, bus_end;
};

struct acpi_memory {
	paddr_t start;
	u64 size;
	u8 node;
	bool hotplug, nonvolatile;
};

struct acpi_table {
	char signature[4];
	u8 revision;
	paddr_t address;
	u32 length;
};

struct acpi_info {
	paddr_t rsdp;
	u8 revision;            /* of the RSDP: 0 or 2 and above */
	char oem_id[7];
	u32 tables;             /* those the root table names and whose header is sound, DSDT and FACS left out */
	struct acpi_table table[ACPI_MAX_TABLES];

	bool madt_present;
	paddr_t lapic_address;
	bool pcat_compat;       /* dual 8259 present */
	u32 cpus, cpus_ignored; /* ignored: beyond ACPI_MAX_CPUS */
	struct acpi_cpu cpu[ACPI_MAX_CPUS];
	u32 ioapics;
	struct acpi_ioapic ioapic[ACPI_MAX_IOAPICS];
	u32 overrides;
	struct acpi_override override[ACPI_MAX_OVERRIDES];
	u32 lapic_nmis;
	struct acpi_lapic_nmi lapic_nmi[ACPI_MAX_LAPIC_NMIS];
	u32 nmi_sources;
	struct acpi_nmi_source nmi_source[ACPI_MAX_NMI_SOURCES];

	struct acpi_fadt fadt;
	struct acpi_hpet hpet;
	u32 mcfgs;
	struct acpi_mcfg mcfg[ACPI_MAX_MCFG];

	/* NUMA; without a sound SRAT there is one node and no range. */
	u32 nodes;
	u32 pxm[ACPI_MAX_NODES]; /* proximity domain of each node */
	u32 memory_ranges;
	struct acpi_memory memory[ACPI_MAX_MEMORY_RANGES]; /* by ascending address, not overlapping */
	u8 distance[ACPI_MAX_NODES][ACPI_MAX_NODES]; /* SLIT, else 10 at home and 20 elsewhere */
};

/*
 * How physical memory is reached. map returns a pointer to size bytes at address that stays valid until the next call of map
 * with that purpose in mind: the parser uses at most two mappings at a time (a root table and the table it names). NULL
 * if it cannot be reached. report gets one line of text, without newline, for each thing that is wrong.
 */
struct acpi_access {
	const void *(*map)(paddr_t address, size_t size);
	void (*report)(const char *text);
};

/*
 * Looks for the RSDP in the places of a PC BIOS (EBDA, 0xe0000 to 0xfffff). Returns its address, or 0. Not for UEFI machines,
 * where the boot loader hands over the RSDP.
 */
paddr_t acpi_rsdp_scan(const struct acpi_access *access);

/*
 * Reads all tables into *info (any old contents are dropped). rsdp is the RSDP's address. Returns 0, or -ENODEV if there is no
 * sound RSDP and root table (info is then as for a machine without ACPI: no CPUs, one node).
 */
int must_check acpi_parse(paddr_t rsdp, const struct acpi_access *access, struct acpi_info *info);

/*
 * The same, when the boot loader passed a copy of the RSDP (multiboot2 tags 14 and 15) and not its address; size is that of the
 * copy. info->rsdp is then 0.
 */
int must_check acpi_parse_rsdp_copy(const void *rsdp, size_t size, const struct acpi_access *access,
				    struct acpi_info *info);

/* The machine's tables; filled by boot through acpi_parse, constant afterwards. */
extern struct acpi_info acpi_info;

/* Address of the n-th (from 0) table with this signature, or 0; *length gets its size. */
paddr_t acpi_table_find(const struct acpi_info *info, const char signature[4], unsigned int n, u32 *length);

/* Where an ISA interrupt arrives: its override, or GSI = irq, edge, high. */
struct acpi_override acpi_isa_irq(const struct acpi_info *info, u8 irq);

/* Node of a physical address; 0 if no range holds it. */
unsigned int acpi_memory_node(const struct acpi_info *info, paddr_t address);

#endif
