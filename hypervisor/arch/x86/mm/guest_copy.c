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
	return guest_copy_raw((void *)dst, src, len) ? -EFAULT : 0;
}

int guest_clear(struct vcpu *v, gva_t dst, size_t len)
{
	u32 bad = 1;

	(void)v;
	if (!guest_range_ok(dst, len))
		return -EFAULT;
	guest_access_begin();
	__asm__ volatile("1: rep stosb\n\txorl %k0, %k0\n2:\n\t" EXTABLE(1b, 2b)
			 : "+&r"(bad), "+&D"(dst), "+&c"(len) : "a"(0) : "memory", "cc");
	guest_access_end();
	return bad ? -EFAULT : 0;
}
