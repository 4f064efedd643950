/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory before there is a heap: sorted ranges of frames. Boot only, CPU 0. */
#ifndef MM_BOOT_MEMORY_H
#define MM_BOOT_MEMORY_H

#include <hv/types.h>
#include <hv/compiler.h>

#define MEMORY_RANGES_MAX 1024

struct memory_range {
	u64 start, end;		/* frame numbers, end not included */
};

struct memory_ranges {
	u32 count;
	struct memory_range range[MEMORY_RANGES_MAX];	/* ascending, apart from each other */
};

/* Adds or removes [start, end). When the array is full the smallest loss is taken: memory goes unused, it is never made up. */
void memory_ranges_add(struct memory_ranges *rs, u64 start, u64 end);
void memory_ranges_remove(struct memory_ranges *rs, u64 start, u64 end);
/* Takes count frames from the highest place below limit, at a multiple of align; 0 when there is none. */
u64 memory_ranges_take(struct memory_ranges *rs, u64 count, u64 align, u64 limit);

/* All RAM of the machine that e820 reports, whole frames; and what of it is free. */
extern struct memory_ranges boot_ram, boot_free;

/* Reads boot_info into boot_ram and boot_free. */
void boot_memory_init(void);
/* boot_frames_alloc may use memory below this frame; 4 GiB until the direct map is there. */
extern u64 boot_alloc_limit;

/* Frames below this belong to firmware and the start of CPUs: never the heap's. */
#define LOW_MEMORY_FRAMES 256

#endif
