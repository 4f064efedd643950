/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parsers of the single tables share. */
#ifndef ACPI_INTERNAL_H
#define ACPI_INTERNAL_H

#include <hv/acpi.h>

#define ACPI_HEADER_SIZE 36

struct acpi_reader {
	const struct acpi_access *access;
	struct acpi_info *info;
};

/* A whole table: len bytes at data, length and checksum verified, len at least what the caller asked for. */
struct acpi_view {
	const u8 *data;
	u32 len;
};

/* Says what is wrong, in one line. */
void acpi_complain(const struct acpi_reader *reader, const char *fmt, ...) format_like(2, 3);

/*
 * Maps the n-th table with this signature and checks it. False if there is none, or (after a complaint) if it is broken or
 * shorter than min_len. The view is valid until the next mapping.
 */
bool must_check acpi_table_view(const struct acpi_reader *reader, const char *signature, unsigned int n, u32 min_len,
				struct acpi_view *view);

/*
 * Walks entries that begin with a type byte and a length byte, from *offset. Returns the next sound one of *len bytes, or
 * NULL at the end or (after a complaint) at one that does not fit.
 */
const u8 *acpi_entry_next(const struct acpi_reader *reader, const struct acpi_view *view, const char *signature,
			  u32 *offset, u32 *len);

/* A generic address structure: 12 bytes at p. */
struct acpi_address acpi_address_read(const u8 *p);

/* The parsers: each fills its part of info, or leaves it empty. */
void acpi_madt_parse(const struct acpi_reader *reader);
void acpi_fadt_parse(const struct acpi_reader *reader);
void acpi_hpet_parse(const struct acpi_reader *reader);
void acpi_mcfg_parse(const struct acpi_reader *reader);
/* After the MADT, whose CPUs get their nodes. */
void acpi_numa_parse(const struct acpi_reader *reader);

#endif
