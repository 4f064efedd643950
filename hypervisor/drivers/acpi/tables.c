/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding the tables (ACPI specification 6.4, 5.2.5 to 5.2.8) and walking them. */
#include <hv/errno.h>
#include <hv/format.h>
#include <hv/string.h>
#include <stdarg.h>
#include "internal.h"

#define RSDP_SIGNATURE "RSD PTR "
#define RSDP_V1_SIZE 20
#define RSDP_V2_SIZE 36
#define RSDP_MAX_SIZE 4096
#define EBDA_POINTER 0x40e
#define EBDA_SCAN_SIZE 1024
#define BIOS_START 0xe0000
#define BIOS_END 0x100000
#define RSDP_ALIGN 16
/* No table that is parsed here comes near this; a length beyond it is garbage. */
#define TABLE_MAX_SIZE (4U << 20)

struct acpi_info acpi_info;

void acpi_complain(const struct acpi_reader *reader, const char *fmt, ...)
{
	char text[160];
	va_list args;

	va_start(args, fmt);
	hv_vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	reader->access->report(text);
}

static bool checksum_good(const u8 *p, size_t len)
{
	u8 sum = 0;

	for (size_t i = 0; i < len; i++)
		sum = (u8)(sum + p[i]);
	return sum == 0;
}

static bool rsdp_candidate(const u8 *p)
{
	return memcmp(p, RSDP_SIGNATURE, 8) == 0 && checksum_good(p, RSDP_V1_SIZE);
}

static u64 rsdp_scan_range(const struct acpi_access *access, u64 start, size_t size)
{
	const u8 *p = access->map(paddr(start), size);

	if (p == NULL)
		return 0;
	for (size_t at = 0; at + RSDP_V1_SIZE <= size; at += RSDP_ALIGN)
		if (rsdp_candidate(p + at))
			return start + at;
	return 0;
}

paddr_t acpi_rsdp_scan(const struct acpi_access *access)
{
	const u8 *pointer = access->map(paddr(EBDA_POINTER), 2);
	u64 ebda = pointer == NULL ? 0 : (u64)get_le16(pointer) << 4;
	u64 found = 0;

	if (ebda >= 0x400 && ebda <= 0xa0000 - EBDA_SCAN_SIZE)
		found = rsdp_scan_range(access, ebda, EBDA_SCAN_SIZE);
	if (found == 0)
		found = rsdp_scan_range(access, BIOS_START, BIOS_END - BIOS_START);
	return paddr(found);
}

bool acpi_table_view(const struct acpi_reader *reader, const char *signature, unsigned int n, u32 min_len,
		     struct acpi_view *view)
{
	u32 len;
	paddr_t address = acpi_table_find(reader->info, signature, n, &len);

	if (address.v == 0)
		return false;
	if (len < min_len) {
		acpi_complain(reader, "table %.4s is too short (%u bytes): ignored", signature, len);
		return false;
	}
	view->data = reader->access->map(address, len);
	view->len = len;
	if (view->data == NULL || !checksum_good(view->data, len)) {
		acpi_complain(reader, "table %.4s at 0x%lx has a wrong checksum: ignored", signature, address.v);
		return false;
	}
	return true;
}

const u8 *acpi_entry_next(const struct acpi_reader *reader, const struct acpi_view *view, const char *signature,
			  u32 *offset, u32 *len)
{
	const u8 *p = view->data + *offset;

	if (*offset >= view->len)
		return NULL;
	if (view->len - *offset < 2 || p[1] < 2 || p[1] > view->len - *offset) {
		acpi_complain(reader, "table %s has a broken entry at offset %u: the rest is ignored", signature,
			      *offset);
		return NULL;
	}
	*len = p[1];
	*offset += p[1];
	return p;
}

struct acpi_address acpi_address_read(const u8 *p)
{
	return (struct acpi_address){
		.space = p[0], .bit_width = p[1], .bit_offset = p[2], .access_size = p[3], .address = get_le64(p + 4),
	};
}

paddr_t acpi_table_find(const struct acpi_info *info, const char signature[4], unsigned int n, u32 *length)
{
	for (u32 i = 0; i < info->tables; i++)
		if (memcmp(info->table[i].signature, signature, 4) == 0 && n-- == 0) {
			*length = info->table[i].length;
			return info->table[i].address;
		}
	return paddr(0);
}

/* Notes down one table that the root table names. */
static void table_add(const struct acpi_reader *reader, u64 address)
{
	struct acpi_info *info = reader->info;
	const u8 *p = address == 0 ? NULL : reader->access->map(paddr(address), ACPI_HEADER_SIZE);
	struct acpi_table *t = &info->table[info->tables];
	u32 len;

	if (p == NULL) {
		acpi_complain(reader, "there is no table at 0x%lx: ignored", address);
		return;
	}
	len = get_le32(p + 4);
	if (len < ACPI_HEADER_SIZE || len > TABLE_MAX_SIZE) {
		acpi_complain(reader, "the table at 0x%lx has the impossible length %u: ignored", address, len);
		return;
	}
	memcpy(t->signature, p, 4);
	t->revision = p[8];
	t->address = paddr(address);
	t->length = len;
	info->tables++;
}

/* Reads an RSDT (entries of 4 bytes) or XSDT (8). False if it is broken. */
static bool root_read(const struct acpi_reader *reader, u64 address, u32 entry_size)
{
	static u64 entries[ACPI_MAX_TABLES];
	const char *signature = entry_size == 8 ? "XSDT" : "RSDT";
	const u8 *p = address == 0 ? NULL : reader->access->map(paddr(address), ACPI_HEADER_SIZE);
	u32 len, count;

	if (p == NULL || memcmp(p, signature, 4) != 0)
		return false;
	len = get_le32(p + 4);
	if (len < ACPI_HEADER_SIZE || len > TABLE_MAX_SIZE)
		return false;
	p = reader->access->map(paddr(address), len);
	if (p == NULL || !checksum_good(p, len))
		return false;
	count = (len - ACPI_HEADER_SIZE) / entry_size;
	if (count > ACPI_MAX_TABLES) {
		acpi_complain(reader, "only the first %u of %u tables are used", ACPI_MAX_TABLES, count);
		count = ACPI_MAX_TABLES;
	}
	/* Copied first: mapping the tables may take the root table's mapping away. */
	for (u32 i = 0; i < count; i++)
		entries[i] = entry_size == 8 ? get_le64(p + ACPI_HEADER_SIZE + 8 * i) :
					       get_le32(p + ACPI_HEADER_SIZE + 4 * i);
	for (u32 i = 0; i < count; i++)
		table_add(reader, entries[i]);
	return true;
}

/* What the RSDP says, checked. */
struct rsdp {
	u8 revision;
	u64 rsdt, xsdt;
	char oem_id[7];
};

static bool rsdp_read(const u8 *p, size_t size, struct rsdp *out)
{
	if (size < RSDP_V1_SIZE || !rsdp_candidate(p))
		return false;
	*out = (struct rsdp){ .revision = p[15], .rsdt = get_le32(p + 16) };
	memcpy(out->oem_id, p + 9, 6);
	if (out->revision >= 2 && size >= RSDP_V2_SIZE) {
		u32 len = get_le32(p + 20);

		if (len >= RSDP_V2_SIZE && len <= size && checksum_good(p, len))
			out->xsdt = get_le64(p + 24);
	}
	return true;
}

static int tables_parse(const struct acpi_reader *reader, const struct rsdp *rsdp)
{
	struct acpi_info *info = reader->info;

	info->revision = rsdp->revision;
	memcpy(info->oem_id, rsdp->oem_id, sizeof(info->oem_id));
	if (!root_read(reader, rsdp->xsdt, 8)) {
		if (rsdp->revision >= 2)
			acpi_complain(reader, "the XSDT is missing or broken: using the RSDT");
		if (!root_read(reader, rsdp->rsdt, 4)) {
			acpi_complain(reader, "the RSDT is missing or broken: there are no ACPI tables");
			return -ENODEV;
		}
	}
	acpi_madt_parse(reader);
	acpi_fadt_parse(reader);
	acpi_hpet_parse(reader);
	acpi_mcfg_parse(reader);
	acpi_numa_parse(reader);
	return 0;
}

/* One node, without a table that says otherwise. */
static void info_reset(struct acpi_info *info)
{
	memset(info, 0, sizeof(*info));
	info->nodes = 1;
	info->distance[0][0] = 10;
}

int acpi_parse_rsdp_copy(const void *copy, size_t size, const struct acpi_access *access, struct acpi_info *info)
{
	const struct acpi_reader reader = { .access = access, .info = info };
	struct rsdp rsdp;

	info_reset(info);
	if (!rsdp_read(copy, size, &rsdp)) {
		acpi_complain(&reader, "the boot loader's copy of the RSDP is broken");
		return -ENODEV;
	}
	return tables_parse(&reader, &rsdp);
}

int acpi_parse(paddr_t address, const struct acpi_access *access, struct acpi_info *info)
{
	const struct acpi_reader reader = { .access = access, .info = info };
	size_t size = RSDP_V1_SIZE;
	struct rsdp rsdp;
	const u8 *p;

	info_reset(info);
	p = address.v == 0 ? NULL : access->map(address, size);
	if (p != NULL && rsdp_candidate(p) && p[15] >= 2) {
		p = access->map(address, RSDP_V2_SIZE);
		if (p != NULL) {
			size = MIN(MAX(get_le32(p + 20), (u32)RSDP_V2_SIZE), (u32)RSDP_MAX_SIZE);
			p = access->map(address, size);
		}
	}
	if (p == NULL || !rsdp_read(p, size, &rsdp)) {
		acpi_complain(&reader, "there is no RSDP at 0x%lx", address.v);
		return -ENODEV;
	}
	info->rsdp = address;
	return tables_parse(&reader, &rsdp);
}
