/* SPDX-License-Identifier: BSD-2-Clause */
/* Guest access for lengths that are not known when the hypervisor is compiled. */
#include <hv/errno.h>
#include <hv/guest.h>

int guest_copy_in_long(void *dst, gva_t src, size_t len)
{
	if (!guest_range_ok(src, len))
		return -EFAULT;
	return guest_copy_raw(dst, (const void *)src, len) ? -EFAULT : 0;
}

int guest_copy_out_long(gva_t dst, const void *src, size_t len)
{
	if (!guest_range_ok(dst, len))
		return -EFAULT;
	return guest_copy_raw((void *)dst, src, len) && guest_copy_raw((void *)dst, src, len) ? -EFAULT : 0;
}

static u32 guest_clear_raw(gva_t dst, size_t len)
{
	size_t words = len / 8, rest = len % 8;
	u32 bad = 1;

	guest_access_begin();
	__asm__ volatile("1: rep stosq\n\tmovq %3, %%rcx\n2: rep stosb\n\txorl %k0, %k0\n3:\n\t"
			 EXTABLE(1b, 3b) EXTABLE(2b, 3b)
			 : "+&r"(bad), "+&D"(dst), "+&c"(words) : "r"(rest), "a"(0UL) : "memory", "cc");
	guest_access_end();
	return bad;
}

int guest_clear(struct vcpu *v, gva_t dst, size_t len)
{
	(void)v;
	if (!guest_range_ok(dst, len))
		return -EFAULT;
	return guest_clear_raw(dst, len) && guest_clear_raw(dst, len) ? -EFAULT : 0;
}
