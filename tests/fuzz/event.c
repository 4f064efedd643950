/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzz target: event channels, both ABIs, and physical interrupts. See full/fuzz.h. */
#include "full/fuzz.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static fuzz_step *const areas[] = { fuzz_event };

	return fuzz_run(data, size, areas, ARRAY_SIZE(areas));
}
