/* SPDX-License-Identifier: BSD-2-Clause */
/* CRCs and xxHash. */
#include <hv/hash.h>
#include <hv/string.h>

static inline u64 rotl64(u64 v, unsigned int n)
{
	return v << n | v >> (64 - n);
}

static inline u32 rotl32(u32 v, unsigned int n)
{
	return v << n | v >> (32 - n);
}

/* The CRCs go through the data by half bytes, with tables of 16 entries: small, and fast enough for headers. */
#define CRC32_STEP(n) ((n) & 1 ? (n) >> 1 ^ 0xedb88320U : (n) >> 1)
#define CRC32_ENTRY(n) CRC32_STEP(CRC32_STEP(CRC32_STEP(CRC32_STEP((u32)(n)))))
#define CRC64_STEP(n) ((n) & 1 ? (n) >> 1 ^ 0xc96c5795d7870f42UL : (n) >> 1)
#define CRC64_ENTRY(n) CRC64_STEP(CRC64_STEP(CRC64_STEP(CRC64_STEP((u64)(n)))))
#define ENTRIES(f) f(0), f(1), f(2), f(3), f(4), f(5), f(6), f(7), f(8), f(9), f(10), f(11), f(12), f(13), f(14), f(15)

u32 crc32_update(u32 crc, const void *data, size_t len)
{
	static const u32 table[16] = { ENTRIES(CRC32_ENTRY) };
	const u8 *p = data;

	crc = ~crc;
	for (; len > 0; len--) {
		crc ^= *p++;
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return ~crc;
}

void crc32_tables_make(struct crc32_tables *tables)
{
	for (u32 i = 0; i < 256; i++) {
		u32 crc = i;

		for (int bit = 0; bit < 8; bit++)
			crc = CRC32_STEP(crc);
		tables->entry[0][i] = crc;
	}
	/* Table k: the same byte with k zero bytes behind it. */
	for (u32 k = 1; k < 8; k++)
		for (u32 i = 0; i < 256; i++) {
			u32 crc = tables->entry[k - 1][i];

			tables->entry[k][i] = crc >> 8 ^ tables->entry[0][crc & 0xff];
		}
}

u32 crc32_fast(const struct crc32_tables *tables, const void *data, size_t len)
{
	const u32 (*t)[256] = tables->entry;
	const u8 *p = data;
	u32 crc = ~0U;

	for (; len >= 8; len -= 8, p += 8) {
		u32 a = get_le32(p) ^ crc, b = get_le32(p + 4);

		crc = t[7][a & 0xff] ^ t[6][a >> 8 & 0xff] ^ t[5][a >> 16 & 0xff] ^ t[4][a >> 24] ^
		      t[3][b & 0xff] ^ t[2][b >> 8 & 0xff] ^ t[1][b >> 16 & 0xff] ^ t[0][b >> 24];
	}
	for (; len > 0; len--)
		crc = crc >> 8 ^ tables->entry[0][(crc ^ *p++) & 0xff];
	return ~crc;
}

u64 crc64_update(u64 crc, const void *data, size_t len)
{
	static const u64 table[16] = { ENTRIES(CRC64_ENTRY) };
	const u8 *p = data;

	crc = ~crc;
	for (; len > 0; len--) {
		crc ^= *p++;
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return ~crc;
}

/* xxHash, from the specification that the Zstandard and LZ4 frame formats refer to. */
#define XXH32_P1 0x9e3779b1U
#define XXH32_P2 0x85ebca77U
#define XXH32_P3 0xc2b2ae3dU
#define XXH32_P4 0x27d4eb2fU
#define XXH32_P5 0x165667b1U

u32 xxh32(const void *data, size_t len)
{
	const u8 *p = data;
	size_t left = len;
	u32 h = XXH32_P5;

	if (left >= 16) {
		u32 acc[4] = { XXH32_P1 + XXH32_P2, XXH32_P2, 0, 0 - XXH32_P1 };

		for (; left >= 16; left -= 16, p += 16)
			for (unsigned int i = 0; i < 4; i++)
				acc[i] = rotl32(acc[i] + get_le32(p + 4 * i) * XXH32_P2, 13) * XXH32_P1;
		h = rotl32(acc[0], 1) + rotl32(acc[1], 7) + rotl32(acc[2], 12) + rotl32(acc[3], 18);
	}
	h += (u32)len;
	for (; left >= 4; left -= 4, p += 4)
		h = rotl32(h + get_le32(p) * XXH32_P3, 17) * XXH32_P4;
	for (; left > 0; left--, p++)
		h = rotl32(h + *p * XXH32_P5, 11) * XXH32_P1;
	h = (h ^ h >> 15) * XXH32_P2;
	h = (h ^ h >> 13) * XXH32_P3;
	return h ^ h >> 16;
}

#define XXH64_P1 0x9e3779b185ebca87UL
#define XXH64_P2 0xc2b2ae3d27d4eb4fUL
#define XXH64_P3 0x165667b19e3779f9UL
#define XXH64_P4 0x85ebca77c2b2ae63UL
#define XXH64_P5 0x27d4eb2f165667c5UL

static u64 xxh64_round(u64 acc, u64 word)
{
	return rotl64(acc + word * XXH64_P2, 31) * XXH64_P1;
}

u64 xxh64(const void *data, size_t len)
{
	const u8 *p = data;
	size_t left = len;
	u64 h = XXH64_P5;

	if (left >= 32) {
		u64 acc[4] = { XXH64_P1 + XXH64_P2, XXH64_P2, 0, 0 - XXH64_P1 };

		for (; left >= 32; left -= 32, p += 32)
			for (unsigned int i = 0; i < 4; i++)
				acc[i] = xxh64_round(acc[i], get_le64(p + 8 * i));
		h = rotl64(acc[0], 1) + rotl64(acc[1], 7) + rotl64(acc[2], 12) + rotl64(acc[3], 18);
		for (unsigned int i = 0; i < 4; i++)
			h = (h ^ xxh64_round(0, acc[i])) * XXH64_P1 + XXH64_P4;
	}
	h += len;
	for (; left >= 8; left -= 8, p += 8)
		h = rotl64(h ^ xxh64_round(0, get_le64(p)), 27) * XXH64_P1 + XXH64_P4;
	if (left >= 4) {
		h = rotl64(h ^ get_le32(p) * XXH64_P1, 23) * XXH64_P2 + XXH64_P3;
		p += 4;
		left -= 4;
	}
	for (; left > 0; left--, p++)
		h = rotl64(h ^ *p * XXH64_P5, 11) * XXH64_P1;
	h = (h ^ h >> 33) * XXH64_P2;
	h = (h ^ h >> 29) * XXH64_P3;
	return h ^ h >> 32;
}
