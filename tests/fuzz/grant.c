/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzz target: grant tables of two domains. See full/fuzz.h. */
#include "full/fuzz.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static fuzz_step *const areas[] = { fuzz_grant, fuzz_grant, fuzz_grant, fuzz_memory };

	return fuzz_run(data, size, areas, ARRAY_SIZE(areas));
}
