/* SPDX-License-Identifier: BSD-2-Clause */
/* The reference: Debian's compression libraries. */
#ifndef PACK_H
#define PACK_H

#include <hv/compiler.h>
#include <hv/types.h>

/* A way to pack: returns the packed data on the heap, exactly *packed_len bytes long. */
struct packer {
	const char *name;
	u8 *(*pack)(const u8 *data, size_t len, size_t *packed_len, int variant);
	int variants;
	/* The library's own opinion: 0 and the data in out (at most cap), or -1. NULL: there is none. */
	int (*unpack)(const u8 *packed, size_t packed_len, u8 *out, size_t cap, size_t *out_len);
	bool checked; /* every variant carries a checksum of the data */
};

extern const struct packer packers[];
extern const size_t packer_count;

#endif
