/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ACPI tables made by hand in a simulated memory, then damaged. Each mapping is a copy of its own on the heap, and at most two
 * live at a time, so the sanitizer sees every access outside a mapping or after its end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <hv/acpi.h>
#include <hv/errno.h>

#define MEMORY_SIZE 0x100000UL
#define RSDP_AT 0xf5a40UL
#define RSDT_AT 0x10000UL
#define XSDT_AT 0x11000UL
#define TABLES_AT 0x12000UL

static u8 memory[MEMORY_SIZE];
static void *mappings[2];
static unsigned int next_mapping;
static char reports[8192];

static const void *map(paddr_t address, size_t size)
{
	if (address.v >= MEMORY_SIZE || size > MEMORY_SIZE - address.v)
		return NULL;
	free(mappings[next_mapping]);
	mappings[next_mapping] = malloc(size);
	memcpy(mappings[next_mapping], memory + address.v, size);
	next_mapping ^= 1;
	return mappings[next_mapping ^ 1];
}

static void report(const char *text)
{
	size_t used = strlen(reports);

	snprintf(reports + used, sizeof(reports) - used, "%s\n", text);
}

static const struct acpi_access access = { .map = map, .report = report };
static struct acpi_info info;

/* --- making tables --- */

static u64 table_at, table_starts[16];
static unsigned int table_count;
static u8 *table; /* the one being made */

static void put(const void *bytes, size_t len)
{
	memcpy(memory + table_at, bytes, len);
	table_at += len;
}

static void put8(u8 v)
{
	put(&v, 1);
}

static void put16(u16 v)
{
	put(&v, 2);
}

static void put32(u32 v)
{
	put(&v, 4);
}

static void put64(u64 v)
{
	put(&v, 8);
}

static void zeroes(size_t len)
{
	table_at += len;
}

static void checksum_set(u8 *start, size_t len, size_t at)
{
	u8 sum = 0;

	start[at] = 0;
	for (size_t i = 0; i < len; i++)
		sum = (u8)(sum + start[i]);
	start[at] = (u8)-sum;
}

static void table_begin(const char *signature, u8 revision)
{
	table_at = ROUND_UP(table_at, 64UL);
	table = memory + table_at;
	table_starts[table_count++] = table_at;
	put(signature, 4);
	put32(0);
	put8(revision);
	zeroes(27);
}

static void table_end(void)
{
	u32 len = (u32)(memory + table_at - table);

	memcpy(table + 4, &len, 4);
	checksum_set(table, len, 9);
}

static void root_make(u64 at, const char *signature, size_t entry)
{
	u8 *p = memory + at;
	u32 len = (u32)(36 + entry * table_count);

	memset(p, 0, 4096);
	memcpy(p, signature, 4);
	memcpy(p + 4, &len, 4);
	for (unsigned int i = 0; i < table_count; i++)
		memcpy(p + 36 + entry * i, &table_starts[i], entry);
	checksum_set(p, len, 9);
}

static void rsdp_make(u8 revision)
{
	u8 *p = memory + RSDP_AT;
	u32 rsdt = RSDT_AT, len = 36;
	u64 xsdt = XSDT_AT;

	memcpy(p, "RSD PTR ", 8);
	memcpy(p + 9, "ARGON ", 6);
	p[15] = revision;
	memcpy(p + 16, &rsdt, 4);
	memcpy(p + 20, &len, 4);
	memcpy(p + 24, &xsdt, 8);
	checksum_set(p, 20, 8);
	checksum_set(p, 36, 32);
}

static void roots_make(void)
{
	root_make(RSDT_AT, "RSDT", 4);
	root_make(XSDT_AT, "XSDT", 8);
	rsdp_make(2);
}

static void lapic(u8 uid, u8 id, u32 flags)
{
	put8(0);
	put8(8);
	put8(uid);
	put8(id);
	put32(flags);
}

static void ioapic(u8 id, u32 address, u32 gsi)
{
	put8(1);
	put8(12);
	put8(id);
	put8(0);
	put32(address);
	put32(gsi);
}

static void override(u8 bus, u8 irq, u32 gsi, u16 flags)
{
	put8(2);
	put8(10);
	put8(bus);
	put8(irq);
	put32(gsi);
	put16(flags);
}

static void x2apic(u32 id, u32 flags, u32 uid)
{
	put8(9);
	put8(16);
	put16(0);
	put32(id);
	put32(flags);
	put32(uid);
}

static void madt_begin(void)
{
	table_begin("APIC", 4);
	put32(0xfee00000);
	put32(1);
}

static void madt_make(void)
{
	madt_begin();
	lapic(0, 0, 1);
	lapic(7, 0xff, 0);      /* filler */
	lapic(9, 6, 0);         /* not there yet */
	lapic(1, 2, 1);
	x2apic(0x123, 1, 300);
	x2apic(0xffffffff, 1, 301);
	ioapic(8, 0xfec00000, 0);
	ioapic(9, 0xfec01000, 24);
	override(0, 0, 2, 0);
	override(0, 9, 9, 0xd);
	put("\3\10\5\0\x1e\0\0\0", 8);          /* NMI source: GSI 30, active high, edge */
	put("\4\6\xff\0\0\1", 6);               /* NMI on LINT1 of all */
	put("\12\14\xf\0\x2c\1\0\0\0\0\0\0", 12); /* NMI on LINT0 of UID 300, low, level */
	put("\x7f\4\0\0", 4);                   /* a type of the future */
	table_end();
}

static void gas(u8 space, u8 width, u64 address)
{
	put8(space);
	put8(width);
	put8(0);
	put8(0);
	put64(address);
}

static void fadt_make(bool later, u64 facs)
{
	u64 start;

	table_begin("FACP", later ? 6 : 1);
	start = table_at - 36;
	put32((u32)facs);
	put32(0x5000);
	zeroes(2);
	put16(9);
	put32(0xb2);
	put("\xf1\xf0\0\0", 4);
	put32(0x600);
	put32(0);
	put32(0x604);
	put32(0);
	put32(0);
	put32(0x608);
	zeroes(8);
	put("\4\2\0\4\0\0\0\0", 8);
	table_at = start + 108;
	put8(0x32);
	put16(3);
	put8(0);
	put32(1U << 8 | (later ? 1U << 10 : 0));
	if (later) {
		gas(1, 8, 0xcf9);
		put8(6);
		zeroes(3);
		put64(0);
		put64(0x6000);
		gas(1, 32, 0x700);
		gas(0, 0, 0);
		gas(1, 16, 0x704);
		gas(0, 0, 0);
		gas(0, 0, 0);
		gas(0, 32, 0xfed00000);
		zeroes(24 + 24);
	}
	table_end();
}

static void facs_make(u64 at, u8 version)
{
	memcpy(memory + at, "FACS", 4);
	memory[at + 4] = 64;
	memory[at + 32] = version;
}

static void hpet_mcfg_make(void)
{
	table_begin("HPET", 1);
	put32(0x8086a201);
	gas(0, 64, 0xfed00000);
	put8(0);
	put16(100);
	put8(0);
	table_end();
	table_begin("MCFG", 1);
	zeroes(8);
	put64(0xb0000000);
	put16(0);
	put8(0);
	put8(255);
	put32(0);
	put64(0xb0000001);
	put16(1);
	put8(0);
	put8(255);
	put32(0);
	put64(0x1000000000);
	put16(2);
	put8(16);
	put8(31);
	put32(0);
	table_end();
}

static void srat_cpu(u8 pxm, u8 id)
{
	put8(0);
	put8(16);
	put8(pxm);
	put8(id);
	put32(1);
	zeroes(8);
}

static void srat_memory(u32 pxm, u64 start, u64 size, u32 flags)
{
	put8(1);
	put8(40);
	put32(pxm);
	put16(0);
	put64(start);
	put64(size);
	put32(0);
	put32(flags);
	zeroes(8);
}

static void srat_slit_make(void)
{
	table_begin("SRAT", 3);
	zeroes(12);
	srat_cpu(1, 0);
	srat_cpu(3, 2);
	put8(2);
	put8(24);
	put16(0);
	put32(3);
	put32(0x123);
	put32(1);
	zeroes(8);
	srat_memory(3, 0x100000000, 0x80000000, 1 | 2);
	srat_memory(1, 0, 0xa0000, 1);
	srat_memory(1, 0x100000, 0x7ff00000, 1);
	srat_memory(1, 0x120000, 0x1000, 1);  /* inside another */
	srat_memory(9, 0x900000000, 0x1000, 0); /* disabled */
	table_end();
	table_begin("SLIT", 1);
	put64(4);
	for (int i = 0; i < 4; i++)
		for (int j = 0; j < 4; j++)
			put8((u8)(i == j ? 10 : 10 + i + 2 * j));
	table_end();
}

static void memory_reset(void)
{
	memset(memory, 0, sizeof(memory));
	table_at = TABLES_AT;
	table_count = 0;
	reports[0] = '\0';
}

static void machine_make(void)
{
	memory_reset();
	madt_make();
	fadt_make(true, 0x7000);
	facs_make(0x7000, 2);
	hpet_mcfg_make();
	srat_slit_make();
	roots_make();
}

static int parse(void)
{
	reports[0] = '\0';
	return acpi_parse(paddr(RSDP_AT), &access, &info);
}

/* --- tests --- */

static void test_madt(void **state)
{
	(void)state;
	machine_make();
	assert_int_equal(parse(), 0);
	assert_int_equal(info.rsdp.v, RSDP_AT);
	assert_string_equal(info.oem_id, "ARGON ");
	assert_int_equal(info.tables, 6);
	assert_true(info.madt_present && info.pcat_compat);
	assert_int_equal(info.lapic_address.v, 0xfee00000);
	assert_int_equal(info.cpus, 4);
	assert_true(info.cpu[0].apic_id == 0 && info.cpu[0].enabled && info.cpu[0].acpi_id == 0);
	assert_true(info.cpu[1].apic_id == 2 && info.cpu[1].acpi_id == 1);
	assert_true(info.cpu[2].apic_id == 0x123 && info.cpu[2].acpi_id == 300);
	assert_true(info.cpu[3].apic_id == 6 && !info.cpu[3].enabled);
	assert_int_equal(info.ioapics, 2);
	assert_true(info.ioapic[1].id == 9 && info.ioapic[1].address.v == 0xfec01000 && info.ioapic[1].gsi_base == 24);
	assert_int_equal(acpi_isa_irq(&info, 0).gsi, 2);
	assert_int_equal(acpi_isa_irq(&info, 9).trigger, ACPI_TRIGGER_LEVEL);
	assert_int_equal(acpi_isa_irq(&info, 9).polarity, ACPI_POLARITY_HIGH);
	assert_int_equal(acpi_isa_irq(&info, 4).gsi, 4);
	assert_int_equal(info.nmi_sources, 1);
	assert_true(info.nmi_source[0].gsi == 30 && info.nmi_source[0].polarity == 1 && info.nmi_source[0].trigger == 1);
	assert_int_equal(info.lapic_nmis, 2);
	assert_true(info.lapic_nmi[0].acpi_id == 0xffffffff && info.lapic_nmi[0].lint == 1);
	assert_true(info.lapic_nmi[1].acpi_id == 300 && info.lapic_nmi[1].lint == 0 && info.lapic_nmi[1].trigger == 3);
}

static void test_fadt(void **state)
{
	const struct acpi_fadt *f = &info.fadt;

	(void)state;
	machine_make();
	assert_int_equal(parse(), 0);
	assert_true(f->present && f->sci_irq == 9 && f->smi_command == 0xb2 && f->acpi_enable == 0xf1);
	assert_true(f->pm1a_event.address == 0x700 && f->pm1a_event.space == ACPI_SPACE_IO);
	assert_true(f->pm1a_control.address == 0x704 && f->pm1b_control.address == 0);
	assert_true(f->pm_timer.address == 0xfed00000 && f->pm_timer.space == ACPI_SPACE_MEMORY && f->pm_timer_32bit);
	assert_true(f->reset_supported && f->reset_register.address == 0xcf9 && f->reset_value == 6);
	assert_true(f->facs.v == 0x7000 && f->waking_vector.v == 0x700c && f->waking_vector64.v == 0x7018);
	assert_int_equal(f->dsdt.v, 0x6000);
	assert_int_equal(f->rtc_century, 0x32);
	/* Revision 1: the ports, no reset register, and a FACS that is none. */
	memory_reset();
	fadt_make(false, 0x7000);
	roots_make();
	assert_int_equal(parse(), 0);
	assert_true(f->pm1a_event.address == 0x600 && f->pm1a_event.bit_width == 32);
	assert_true(f->pm1a_control.address == 0x604 && f->pm_timer.address == 0x608);
	assert_false(f->reset_supported);
	assert_int_equal(f->dsdt.v, 0x5000);
	assert_int_equal(f->waking_vector.v, 0);
	assert_non_null(strstr(reports, "FACS"));
}

static void test_hpet_mcfg(void **state)
{
	(void)state;
	machine_make();
	assert_int_equal(parse(), 0);
	assert_true(info.hpet.present && info.hpet.address.v == 0xfed00000 && info.hpet.min_tick == 100);
	assert_int_equal(info.mcfgs, 2);
	assert_true(info.mcfg[0].address.v == 0xb0000000 && info.mcfg[0].bus_end == 255);
	assert_true(info.mcfg[1].segment == 2 && info.mcfg[1].bus_start == 16);
	assert_non_null(strstr(reports, "MCFG entry of segment 1"));
}

static void test_numa(void **state)
{
	(void)state;
	machine_make();
	assert_int_equal(parse(), 0);
	assert_int_equal(info.nodes, 2);
	assert_true(info.pxm[0] == 1 && info.pxm[1] == 3);
	assert_true(info.cpu[0].node == 0 && info.cpu[1].node == 1 && info.cpu[2].node == 1);
	assert_int_equal(info.memory_ranges, 3);
	assert_true(info.memory[0].start.v == 0 && info.memory[1].start.v == 0x100000);
	assert_true(info.memory[2].hotplug && info.memory[2].node == 1);
	assert_non_null(strstr(reports, "overlaps"));
	assert_int_equal(acpi_memory_node(&info, paddr(0x150000000)), 1);
	assert_int_equal(acpi_memory_node(&info, paddr(0x200000)), 0);
	assert_int_equal(acpi_memory_node(&info, paddr(0x180000000)), 0);
	assert_int_equal(info.distance[0][1], 10 + 1 + 6);
	assert_int_equal(info.distance[1][0], 10 + 3 + 2);
	assert_int_equal(info.distance[1][1], 10);
	/* A SLIT that is too small for the domains in use. */
	machine_make();
	memory[table_starts[5] + 36] = 3;
	checksum_set(memory + table_starts[5], 60, 9);
	assert_int_equal(parse(), 0);
	assert_non_null(strstr(reports, "SLIT is broken"));
	assert_int_equal(info.distance[0][1], 20);
}

static void test_limits(void **state)
{
	(void)state;
	memory_reset();
	madt_begin();
	for (u32 i = 0; i < 300; i++)
		x2apic(i * 2, i % 3 != 0, i);
	for (u32 i = 0; i < 100; i++)
		ioapic((u8)i, 0xfec00000 + i * 0x1000, i * 24);
	for (u32 i = 0; i < 300; i++)
		override(0, (u8)i, i, 0);
	for (u32 i = 0; i < 100; i++) {
		put("\4\6\1\0\0\0", 6);
		put("\3\10\5\0\x1e\0\0\0", 8);
	}
	table_end();
	table_begin("SRAT", 3);
	zeroes(12);
	for (u32 i = 0; i < 100; i++)
		srat_memory(i, (300 - i) * 0x100000UL, 0x100000, 1);
	for (u32 i = 0; i < 300; i++)
		srat_memory(0, 0x10000000UL + i * 0x100000UL, 0x100000, 1);
	table_end();
	roots_make();
	assert_int_equal(parse(), 0);
	assert_int_equal(info.cpus, 256);
	for (u32 i = 0; i < 200; i++)
		assert_true(info.cpu[i].enabled);
	assert_false(info.cpu[200].enabled);
	assert_int_equal(info.cpus_ignored, 0);
	assert_int_equal(info.ioapics, 64);
	assert_int_equal(info.overrides, 256);
	assert_int_equal(info.lapic_nmis, ACPI_MAX_LAPIC_NMIS);
	assert_int_equal(info.nmi_sources, ACPI_MAX_NMI_SOURCES);
	assert_int_equal(info.nodes, 64);
	assert_int_equal(info.memory_ranges, 256);
	for (u32 i = 1; i < 256; i++)
		assert_true(info.memory[i - 1].start.v + info.memory[i - 1].size <= info.memory[i].start.v);
}

static void test_rsdp(void **state)
{
	(void)state;
	machine_make();
	assert_int_equal(acpi_rsdp_scan(&access).v, RSDP_AT);
	/* In the extended BIOS data area. */
	memcpy(memory + 0x9fc30, memory + RSDP_AT, 36);
	memory[0x40e] = 0xc0;
	memory[0x40f] = 0x9f;
	assert_int_equal(acpi_rsdp_scan(&access).v, 0x9fc30);
	memory[RSDP_AT] = 'r';
	memset(memory + 0x9fc30, 0, 36);
	assert_int_equal(acpi_rsdp_scan(&access).v, 0);
	assert_int_equal(parse(), -ENODEV);
	assert_int_equal(info.cpus, 0);
	assert_int_equal(info.nodes, 1);
	assert_int_equal(acpi_parse(paddr(0), &access, &info), -ENODEV);
	assert_int_equal(acpi_parse(paddr(MEMORY_SIZE - 10), &access, &info), -ENODEV);
	machine_make();
	assert_int_equal(acpi_parse_rsdp_copy(memory + RSDP_AT, 36, &access, &info), 0);
	assert_int_equal(info.cpus, 4);
	/* Only the first part of it was copied. */
	assert_int_equal(acpi_parse_rsdp_copy(memory + RSDP_AT, 20, &access, &info), 0);
	assert_int_equal(info.cpus, 4);
	assert_int_equal(acpi_parse_rsdp_copy(memory + RSDP_AT, 19, &access, &info), -ENODEV);
	/* ACPI 1.0 */
	rsdp_make(0);
	memory[XSDT_AT] = 0;
	assert_int_equal(parse(), 0);
	assert_null(strstr(reports, "XSDT"));
	assert_int_equal(info.cpus, 4);
	/* A broken XSDT: the RSDT serves. */
	rsdp_make(2);
	assert_int_equal(parse(), 0);
	assert_non_null(strstr(reports, "XSDT is missing or broken"));
	assert_int_equal(info.cpus, 4);
	memory[RSDT_AT + 40] ^= 1;
	assert_int_equal(parse(), -ENODEV);
}

static void test_broken(void **state)
{
	(void)state;
	machine_make();
	memory[table_starts[0] + 50] ^= 1;
	assert_int_equal(parse(), 0);
	assert_false(info.madt_present);
	assert_non_null(strstr(reports, "APIC at 0x12000 has a wrong checksum"));
	assert_true(info.fadt.present);
	/* An entry of length 0. */
	machine_make();
	memory[table_starts[0] + 44 + 8 + 1] = 0;
	checksum_set(memory + table_starts[0], memory[table_starts[0] + 4], 9);
	assert_int_equal(parse(), 0);
	assert_int_equal(info.cpus, 1);
	assert_non_null(strstr(reports, "broken entry at offset 52"));
	/* A table that is not there, one that is too long, one that is too short. */
	machine_make();
	table_starts[0] = 0x7fffff00;
	memory[table_starts[2] + 6] = 0xff;
	memory[table_starts[3] + 4] = 36;
	checksum_set(memory + table_starts[3], 36, 9);
	roots_make();
	assert_int_equal(parse(), 0);
	assert_non_null(strstr(reports, "no table at 0x7fffff00"));
	assert_non_null(strstr(reports, "impossible length"));
	assert_non_null(strstr(reports, "MCFG is too short"));
	assert_false(info.madt_present || info.hpet.present || info.mcfgs != 0);
}

static void check_info(void)
{
	assert_true(info.cpus <= ACPI_MAX_CPUS && info.ioapics <= ACPI_MAX_IOAPICS);
	assert_true(info.nodes >= 1 && info.nodes <= ACPI_MAX_NODES && info.mcfgs <= ACPI_MAX_MCFG);
	for (u32 i = 0; i < info.cpus; i++)
		assert_true(info.cpu[i].node < info.nodes);
	for (u32 i = 0; i < info.memory_ranges; i++)
		assert_true(info.memory[i].node < info.nodes && info.memory[i].size > 0);
	for (u32 i = 0; i < info.nodes; i++)
		for (u32 k = 0; k < info.nodes; k++)
			assert_true(info.distance[i][k] >= 10);
}

static void test_mutated(void **state)
{
	unsigned int parsed = 0;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		machine_make();
		for (int i = rand() % 6; i >= 0; i--) {
			u64 start = table_starts[(size_t)rand() % table_count];
			u64 len = memory[start + 4] | (u64)memory[start + 5] << 8;

			memory[start + (u64)rand() % (len + 1)] = rand() % 2 ? 0xff : (u8)rand();
			len = memory[start + 4] | (u64)memory[start + 5] << 8;
			if (len >= 36)
				checksum_set(memory + start, len, 9);
		}
		if (rand() % 8 == 0) {
			memory[RSDT_AT + 36 + (u64)rand() % 24] = (u8)rand();
			checksum_set(memory + RSDT_AT, 36 + 4 * table_count, 9);
			rsdp_make(0);
		}
		if (parse() == 0) {
			parsed++;
			check_info();
		}
	}
	assert_true(parsed > 10000);
}

static int teardown(void **state)
{
	(void)state;
	free(mappings[0]);
	free(mappings[1]);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_madt), cmocka_unit_test(test_fadt), cmocka_unit_test(test_hpet_mcfg),
		cmocka_unit_test(test_numa), cmocka_unit_test(test_limits), cmocka_unit_test(test_rsdp),
		cmocka_unit_test(test_broken), cmocka_unit_test(test_mutated),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
