/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzz target: everything at once. See full/fuzz.h. */
#include "full/fuzz.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static fuzz_step *const areas[] = { fuzz_grant, fuzz_event, fuzz_memory, fuzz_vcpu, fuzz_control, fuzz_mmu, fuzz_descriptor, fuzz_misc };

	return fuzz_run(data, size, areas, ARRAY_SIZE(areas));
}
