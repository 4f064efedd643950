/* SPDX-License-Identifier: BSD-2-Clause */
/* Which segment descriptors a guest may have. Pure. */
#include <hv/pv.h>

#define DESC_PRESENT (1UL << 47)
#define DESC_DPL3 (3UL << 45)
#define DESC_CODE_OR_DATA (1UL << 44)
#define DESC_ACCESSED (1UL << 40)

bool pv_descriptor_fix(u64 *desc)
{
	if (!(*desc & DESC_PRESENT))
		return true;
	/* Gates and task states lead into the hypervisor's privilege. */
	if (!(*desc & DESC_CODE_OR_DATA))
		return false;
	/* Accessed already, so that the CPU does not want to write to the table. */
	*desc |= DESC_DPL3 | DESC_ACCESSED;
	return true;
}
