/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Access to guest memory by a vCPU's own linear addresses, in its present address space (the actor must be the vCPU running on this CPU;
 * on the host, the simulated machine translates). All return 0 or -EFAULT, never fault, and refuse
 * addresses in the hypervisor's range. Guest memory changes under us: fetch once.
 */
#ifndef HV_GUEST_H
#define HV_GUEST_H

#include <hv/types.h>
#include <hv/compiler.h>

struct vcpu;

/* First and last+1 address of the range that guests may not touch. */
#define HV_VIRT_START 0xffff800000000000UL
#define HV_VIRT_END 0xffff880000000000UL

/* True when [va, va+len) is canonical and outside the hypervisor's range. len 0 is fine. */
static inline bool guest_range_ok(gva_t va, size_t len)
{
	/* Both halves of what is left, seen from the end of the hypervisor's range on, are one range that wraps at 0. */
	const u64 size = -HV_VIRT_END + (1UL << 47);

	return len <= size && va - HV_VIRT_END <= size - len;
}

#if __STDC_HOSTED__
int guest_copy_in(struct vcpu *v, void *dst, gva_t src, size_t len) must_check;
int guest_copy_out(struct vcpu *v, gva_t dst, const void *src, size_t len) must_check;
int guest_read64(struct vcpu *v, u64 *val, gva_t src) must_check;
int guest_write64(struct vcpu *v, gva_t dst, u64 val) must_check;
int guest_write32(struct vcpu *v, gva_t dst, u32 val) must_check;
#else
/* The same, inline: fixed lengths that are multiples of 8 bytes take a few instructions. */
#include <hv/guest_inline.h>
#endif
int guest_clear(struct vcpu *v, gva_t dst, size_t len) must_check;

/* One element of an array at a guest handle: base + i * sizeof(*p). */
#define guest_array_in(v, p, base, i) guest_copy_in((v), (p), (gva_t)(base) + (u64)(i) * sizeof(*(p)), sizeof(*(p)))
#define guest_array_out(v, base, i, p) guest_copy_out((v), (gva_t)(base) + (u64)(i) * sizeof(*(p)), (p), sizeof(*(p)))

/* Clamps an index below a limit under speculation (returns 0 when out of range); check the range first. */
static inline u64 index_clamp(u64 i, u64 limit)
{
	u64 m;

	__asm__ volatile("cmp %2, %1; sbb %0, %0" : "=r"(m) : "r"(i), "r"(limit) : "cc");
	return i & m;
}

#endif
