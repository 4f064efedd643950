/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest access of the real machine: the guest's own linear addresses, in the address space that is loaded, with the hypervisor's
 * exception table catching what is not mapped. Contracts are in hv/guest.h, which includes this file.
 */
#ifndef HV_GUEST_INLINE_H
#define HV_GUEST_INLINE_H

#include <hv/alternative.h>
#include <hv/errno.h>
#include <hv/extable.h>
#include <hv/features.h>
#include <hv/guest.h>

/* Supervisor access to user pages, where SMAP forbids it otherwise. EFLAGS.AC is clear in the hypervisor but for these spans. */
static inline void guest_access_begin(void)
{
	__asm__ volatile(ALTERNATIVE("", "stac", "%c[feature]") : : [feature] "i"(CPU_SMAP) : "memory", "cc");
}

static inline void guest_access_end(void)
{
	__asm__ volatile(ALTERNATIVE("", "clac", "%c[feature]") : : [feature] "i"(CPU_SMAP) : "memory", "cc");
}

/* Copies len bytes; one of the two is the guest's. 0, or not 0 after a fault (a part may be copied). */
static inline u32 guest_copy_raw(void *dst, const void *src, size_t len)
{
	size_t words = len / 8, rest = len % 8;
	u32 bad = 1;

	guest_access_begin();
	if (__builtin_constant_p(rest) && rest == 0)
		__asm__ volatile("1: rep movsq\n\txorl %k0, %k0\n2:\n\t" EXTABLE(1b, 2b)
				 : "+r"(bad), "+D"(dst), "+S"(src), "+c"(words) : : "memory", "cc");
	else
		__asm__ volatile("1: rep movsq\n\tmovq %4, %%rcx\n2: rep movsb\n\txorl %k0, %k0\n3:\n\t"
				 EXTABLE(1b, 3b) EXTABLE(2b, 3b)
				 : "+&r"(bad), "+&D"(dst), "+&S"(src), "+&c"(words) : "r"(rest) : "memory", "cc");
	guest_access_end();
	return bad;
}

/*
 * The general forms (arch/x86/mm/guest_copy.c). A write is tried twice: after a guest has made a page writable, the TLB may still
 * have it read-only, and the fault is what drops that entry.
 */
int guest_copy_in_long(void *dst, gva_t src, size_t len) must_check;
int guest_copy_out_long(gva_t dst, const void *src, size_t len) must_check;

static inline int must_check guest_copy_in(struct vcpu *v, void *dst, gva_t src, size_t len)
{
	(void)v;
	if (__builtin_constant_p(len) && len == sizeof(u32)) {
		u32 bad = 1, got = 0;

		if (unlikely(!guest_range_ok(src, len)))
			return -EFAULT;
		guest_access_begin();
		__asm__ volatile("1: movl (%2), %k1\n\txorl %k0, %k0\n2:\n\t" EXTABLE(1b, 2b)
				 : "+&r"(bad), "+&r"(got) : "r"(src) : "memory", "cc");
		guest_access_end();
		__builtin_memcpy(dst, &got, sizeof(got));
		return unlikely(bad) ? -EFAULT : 0;
	}
	if (__builtin_constant_p(len) && len == 2 * sizeof(u64)) {
		u64 low = 0, high = 0;
		u32 bad = 1;

		if (unlikely(!guest_range_ok(src, len)))
			return -EFAULT;
		guest_access_begin();
		__asm__ volatile("1: movq (%3), %1\n2: movq 8(%3), %2\n\txorl %k0, %k0\n3:\n\t" EXTABLE(1b, 3b) EXTABLE(2b, 3b)
				 : "+&r"(bad), "+&r"(low), "+&r"(high) : "r"(src) : "memory", "cc");
		guest_access_end();
		__builtin_memcpy(dst, &low, sizeof(low));
		__builtin_memcpy((u8 *)dst + sizeof(low), &high, sizeof(high));
		return unlikely(bad) ? -EFAULT : 0;
	}
	if (!__builtin_constant_p(len) || len % 8 != 0)
		return guest_copy_in_long(dst, src, len);
	if (unlikely(!guest_range_ok(src, len)))
		return -EFAULT;
	return unlikely(guest_copy_raw(dst, (const void *)src, len)) ? -EFAULT : 0;
}

static inline int must_check guest_copy_out(struct vcpu *v, gva_t dst, const void *src, size_t len)
{
	(void)v;
	if (!__builtin_constant_p(len) || len % 8 != 0)
		return guest_copy_out_long(dst, src, len);
	if (unlikely(!guest_range_ok(dst, len)))
		return -EFAULT;
	return unlikely(guest_copy_raw((void *)dst, src, len)) ? guest_copy_out_long(dst, src, len) : 0;
}

static inline int must_check guest_read64(struct vcpu *v, u64 *val, gva_t src)
{
	u32 bad = 1;
	u64 got = 0;

	(void)v;
	if (unlikely(!guest_range_ok(src, sizeof(*val))))
		return -EFAULT;
	guest_access_begin();
	__asm__ volatile("1: movq (%2), %1\n\txorl %k0, %k0\n2:\n\t" EXTABLE(1b, 2b)
			 : "+&r"(bad), "+&r"(got) : "r"(src) : "memory", "cc");
	guest_access_end();
	*val = got;
	return unlikely(bad) ? -EFAULT : 0;
}

static inline int must_check guest_write64(struct vcpu *v, gva_t dst, u64 val)
{
	u32 bad = 1;

	(void)v;
	if (unlikely(!guest_range_ok(dst, sizeof(val))))
		return -EFAULT;
	guest_access_begin();
	__asm__ volatile("1: movq %1, (%2)\n\txorl %k0, %k0\n2:\n\t" EXTABLE(1b, 2b)
			 : "+&r"(bad) : "r"(val), "r"(dst) : "memory", "cc");
	guest_access_end();
	return unlikely(bad) ? guest_copy_out_long(dst, &val, sizeof(val)) : 0;
}

static inline int must_check guest_write32(struct vcpu *v, gva_t dst, u32 val)
{
	u32 bad = 1;

	(void)v;
	if (unlikely(!guest_range_ok(dst, sizeof(val))))
		return -EFAULT;
	guest_access_begin();
	__asm__ volatile("1: movl %1, (%2)\n\txorl %k0, %k0\n2:\n\t" EXTABLE(1b, 2b)
			 : "+&r"(bad) : "r"(val), "r"(dst) : "memory", "cc");
	guest_access_end();
	return unlikely(bad) ? guest_copy_out_long(dst, &val, sizeof(val)) : 0;
}

#endif
