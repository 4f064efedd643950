/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: ACPI tables. The input is a list of tables: a byte for the signature (and whether the checksum is right), two for the length,
 * and the contents behind the header. They are laid out in a memory of 64 KiB behind an RSDP and a root table that names them all.
 */
#include <stdlib.h>
#include <string.h>
#include <hv/acpi.h>
#include <hv/string.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#define MEMORY 0x10000u
#define TABLES_MAX 24u
#define HEADER 36u

static u8 memory[MEMORY];
static void *mapped[2];
static u32 next;

static const void *map(paddr_t address, size_t size)
{
	if (address.v >= MEMORY || size > MEMORY - address.v)
		return NULL;
	/* A copy, so that reading beyond it is noticed, as is reading of one that is gone. */
	free(mapped[next]);
	mapped[next] = malloc(size + !size);
	memcpy(mapped[next], memory + address.v, size);
	next ^= 1;
	return mapped[next ^ 1];
}

static void report(const char *text)
{
	if (strlen(text) > 1000)
		abort();
}

static const struct acpi_access access = { map, report };

static void checksum(u8 *p, size_t len, size_t at)
{
	u8 sum = 0;

	p[at] = 0;
	for (size_t i = 0; i < len; i++)
		sum = (u8)(sum + p[i]);
	p[at] = (u8)-sum;
}

static void check(const struct acpi_info *i)
{
	if (i->cpus > ACPI_MAX_CPUS || i->ioapics > ACPI_MAX_IOAPICS || i->overrides > ACPI_MAX_OVERRIDES || i->tables > ACPI_MAX_TABLES ||
	    i->nodes > ACPI_MAX_NODES || i->memory_ranges > ACPI_MAX_MEMORY_RANGES || !memchr(i->oem_id, 0, sizeof(i->oem_id)))
		abort();
	for (u32 k = 0; k < i->memory_ranges; k++)
		if (i->memory[k].node >= (i->nodes ? i->nodes : 1) ||
		    (k && i->memory[k].start.v < i->memory[k - 1].start.v + i->memory[k - 1].size))
			abort();
	for (u32 k = 0; k < 256; k++)
		(void)acpi_isa_irq(i, (u8)k);
	for (u64 a = 0; a < 1UL << 40; a = a * 2 + 0x1000)
		if (acpi_memory_node(i, paddr(a)) >= (i->nodes ? i->nodes : 1))
			abort();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const char signatures[8][5] = { "APIC", "FACP", "MCFG", "SRAT", "SLIT", "HPET", "FACS", "DSDT" };
	const u8 *end = data + size;
	u64 at = 0x1000, table[TABLES_MAX];
	static struct acpi_info info;
	u8 flags, *rsdp = memory + 0x100, *root = memory + 0x200;
	u32 count = 0, len;
	u64 v;

	if (size < 4)
		return 0;
	memset(memory, 0, sizeof(memory));
	flags = *data++;
	while (end - data >= 3 && count < TABLES_MAX && at + 0x800 < MEMORY) {
		u8 what = data[0];
		u32 body = (data[1] | (u32)data[2] << 8) & 0x3ff, claimed;

		data += 3;
		body = MIN(body, (u32)(end - data));
		memcpy(memory + at, signatures[what & 7], 4);
		claimed = HEADER + body + (what & 0x80 ? (what & 0x40 ? 1u : 0u - 1u) : 0);
		memcpy(memory + at + 4, &claimed, 4);
		memory[at + 8] = what >> 3 & 7;
		memcpy(memory + at + HEADER, data, body);
		data += body;
		if (!(what & 0x20))
			checksum(memory + at, claimed, 9);
		/* Addresses inside of the FADT lead to tables here, now and then. */
		if ((what & 7) == 1 && count && body > 120) {
			memcpy(memory + at + 36, &table[0], 4);
			memcpy(memory + at + 40, &table[count - 1], 4);
			checksum(memory + at, claimed, 9);
		}
		table[count++] = at;
		at += ROUND_UP(HEADER + body + 8, 64u);
	}
	memcpy(root, flags & 1 ? "XSDT" : "RSDT", 4);
	len = HEADER + count * (flags & 1 ? 8 : 4) + (flags & 8 ? 3 : 0);
	memcpy(root + 4, &len, 4);
	for (u32 i = 0; i < count; i++)
		memcpy(root + HEADER + i * (flags & 1 ? 8 : 4), &table[i], flags & 1 ? 8 : 4);
	if (flags & 4)
		memset(root + HEADER, 0xff, 4);
	checksum(root, len, 9);
	memcpy(rsdp, "RSD PTR ", 8);
	rsdp[15] = flags & 1 ? 2 : 0;
	v = 0x200;
	memcpy(rsdp + 16, &v, 4);
	len = 36;
	memcpy(rsdp + 20, &len, 4);
	memcpy(rsdp + 24, &v, 8);
	checksum(rsdp, 20, 8);
	checksum(rsdp, 36, 32);
	if (acpi_parse(paddr(0x100), &access, &info) == 0)
		check(&info);
	if (acpi_parse_rsdp_copy(rsdp, flags & 2 ? 20 : 36, &access, &info) == 0)
		check(&info);
	(void)acpi_rsdp_scan(&access);
	return 0;
}
