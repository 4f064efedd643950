/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzz target: domctl and sysctl. See full/fuzz.h. */
#include "full/fuzz.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static fuzz_step *const areas[] = { fuzz_control, fuzz_control, fuzz_control, fuzz_vcpu };

	return fuzz_run(data, size, areas, ARRAY_SIZE(areas));
}
