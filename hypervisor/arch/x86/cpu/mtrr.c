/* SPDX-License-Identifier: BSD-2-Clause */
#include <hv/mtrr.h>
#include <hv/errno.h>
#include <hv/features.h>
#include <hv/msr.h>
#include <hv/x86.h>

#define FEATURE_MTRR (1u << 12)		/* CPUID leaf 1, EDX */
#define PHYSMASK_VALID (1UL << 11)

int mtrr_read(u32 reg, struct mtrr_range *out)
{
	u64 base, mask;

	if (!(cpuid_host(1, 0).d & FEATURE_MTRR) || reg >= (rdmsr(MSR_MTRR_CAP) & 0xff))
		return -EINVAL;
	base = rdmsr(MSR_MTRR_PHYSBASE0 + 2 * reg);
	mask = rdmsr(MSR_MTRR_PHYSBASE0 + 2 * reg + 1);
	*out = (struct mtrr_range){ .type = (u8)base };
	if (mask & PHYSMASK_VALID) {
		u64 size = ((1UL << physical_address_bits()) - 1) & ~(mask & PAGE_MASK);

		/* A mask with holes describes several ranges; the lowest bit that counts gives the size of each. */
		size = (mask & PAGE_MASK) ? (mask & PAGE_MASK) & (0 - (mask & PAGE_MASK)) : size + 1;
		out->first_frame = (base & ((1UL << physical_address_bits()) - 1)) >> PAGE_SHIFT;
		out->frames = size >> PAGE_SHIFT;
	}
	return 0;
}
