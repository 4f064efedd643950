/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes small kernels for tests, as files in memory. */
#ifndef TESTS_ELF_MAKE_H
#define TESTS_ELF_MAKE_H

#include <stddef.h>
#include <stdint.h>

/* What can be asked for; zero means the usual. */
struct elf_spec {
	uint64_t virt_base; /* usual: 0xffffffff80000000 */
	uint64_t paddr; /* usual: 1 MiB */
	uint64_t paddr_offset;
	uint32_t text_bytes; /* usual: 10000; the segment begins with a pattern */
	uint32_t bss_bytes; /* of a second segment with 100 bytes of data */
	uint64_t init_p2m;
	uint64_t entry_offset;
	int unmapped_ramdisk, no_notes, no_entry, hypercall_page, pvh_only;
	const char *features, *loader;
};

/* @return bytes, *out is freed by the caller */
size_t elf_make(const struct elf_spec *spec, uint8_t **out);
/* The byte of the pattern at an offset of the first segment. */
uint8_t elf_pattern(size_t offset);

#endif
