/* SPDX-License-Identifier: BSD-2-Clause */
/* Page tables whose entries name frames in another way. */
#include "pv.h"

unsigned int table_rename(unsigned int level, uint64_t *to, const uint64_t *from, frame_rename *rename, const void *names)
{
	unsigned int unknown = 0;

	for (unsigned int i = 0; i < PAGE_ENTRIES; i++) {
		/* The guest may change it meanwhile: read once. */
		uint64_t e = *(const volatile uint64_t *)&from[i], frame;

		if (level == 4 && i >= L4_HYPERVISOR_FIRST && i <= L4_HYPERVISOR_LAST) {
			to[i] = 0;
			continue;
		}
		if (!(e & PTE_PRESENT)) {
			to[i] = e;
			continue;
		}
		frame = rename(names, (e & PTE_FRAMES) >> 12);
		if (frame == INVALID_FRAME || frame > PTE_FRAMES >> 12 || (level > 1 && e & PTE_LARGE)) {
			to[i] = 0;
			unknown++;
			continue;
		}
		to[i] = (e & ~PTE_FRAMES) | frame << 12;
	}
	return unknown;
}
