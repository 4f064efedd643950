/* SPDX-License-Identifier: BSD-2-Clause */
/* Checksums. Pure; any context. */
#ifndef HV_HASH_H
#define HV_HASH_H

#include <hv/types.h>

/* CRC-32 (IEEE 802.3, as gzip and XZ) and CRC-64 (ECMA-182, as XZ), continued from crc; start with 0. */
u32 crc32_update(u32 crc, const void *data, size_t len);
u64 crc64_update(u64 crc, const void *data, size_t len);

/* The same CRC-32, several times as fast for long data, with tables that crc32_tables_make fills. */
struct crc32_tables {
	u32 entry[8][256];
};
void crc32_tables_make(struct crc32_tables *tables);
u32 crc32_fast(const struct crc32_tables *tables, const void *data, size_t len);

/* xxHash with seed 0, as the LZ4 and Zstandard frames use it. */
u32 xxh32(const void *data, size_t len);
u64 xxh64(const void *data, size_t len);

#endif
