/* SPDX-License-Identifier: BSD-2-Clause */
/* Microcode updates of the CPUs. */
#ifndef HV_MICROCODE_H
#define HV_MICROCODE_H

#include <hv/compiler.h>
#include <hv/types.h>

#define MICROCODE_MAX (4U << 20)

/* Which CPU an update must be for. */
struct microcode_cpu {
	u32 signature;		/* CPUID leaf 1, EAX */
	u32 platform;		/* Intel: a bit, 1 << platform id */
	u32 revision;		/* what it runs now */
};

/* Part of a file. */
struct microcode_patch {
	u32 offset, size;
	u32 revision;
};

/*
 * Look for the newest update for the CPU in what a vendor's file holds. 0, -ENOENT (nothing newer for this CPU), -EINVAL (the file is
 * malformed, or the checksum of what fits is wrong). Pure.
 */
int microcode_find_intel(const u8 *data, u32 size, const struct microcode_cpu *cpu, struct microcode_patch *out) must_check;
int microcode_find_amd(const u8 *data, u32 size, const struct microcode_cpu *cpu, struct microcode_patch *out) must_check;

/* Loads the newest fitting update into all online CPUs. As above, or -ENODEV (other vendor), -EIO (a CPU refused it). No lock held. */
int microcode_update(const u8 *data, u32 size) must_check;

#endif
