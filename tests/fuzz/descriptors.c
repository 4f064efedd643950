/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzz target: descriptor tables, traps, emulated instructions. See full/fuzz.h. */
#include "full/fuzz.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static fuzz_step *const areas[] = { fuzz_descriptor, fuzz_descriptor, fuzz_mmu };

	return fuzz_run(data, size, areas, ARRAY_SIZE(areas));
}
