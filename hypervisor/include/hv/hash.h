/* SPDX-License-Identifier: BSD-2-Clause */
/* Hashes and checksums. Pure; any context. */
#ifndef HV_HASH_H
#define HV_HASH_H

#include <hv/types.h>

struct hash_key {
	u64 v[2];
};

/*
 * SipHash-2-4: keyed, so that a guest that does not know the key cannot choose colliding inputs. For hash tables whose
 * keys guests choose; the key comes from the boot-time random source.
 */
u64 hash_keyed(const struct hash_key *key, const void *data, size_t len);
/* The same for one 64-bit word: equals hash_keyed over its 8 little-endian bytes. */
u64 hash_keyed_u64(const struct hash_key *key, u64 word);

/* CRC-32 (IEEE 802.3, as gzip and XZ) and CRC-64 (ECMA-182, as XZ), continued from crc; start with 0. */
u32 crc32_update(u32 crc, const void *data, size_t len);
u64 crc64_update(u64 crc, const void *data, size_t len);

/* xxHash with seed 0, as the LZ4 and Zstandard frames use it. */
u32 xxh32(const void *data, size_t len);
u64 xxh64(const void *data, size_t len);

#endif
