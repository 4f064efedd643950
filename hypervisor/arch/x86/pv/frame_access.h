/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exception frames on the guest's stack: one range check, then plain loads and stores, each with a fixup to the same place. Private to
 * arch/x86/pv.
 */
#ifndef PV_FRAME_ACCESS_H
#define PV_FRAME_ACCESS_H

#include <hv/compiler.h>
#include <hv/errno.h>
#include <hv/guest.h>
#include <xen/xen.h>

#define HV_VIRT_SHIFT 43
_Static_assert(HV_VIRT_END - HV_VIRT_START == 1UL << HV_VIRT_SHIFT && !(HV_VIRT_START & (HV_VIRT_END - HV_VIRT_START - 1)),
	       "the hypervisor's range is naturally aligned");

/*
 * Cheaper than guest_range_ok where an address that is not canonical cannot be (CR2) or faults on access anyway: then only
 * the hypervisor's range is to be kept out.
 */
static inline bool in_hypervisor_range(gva_t va)
{
	return va >> HV_VIRT_SHIFT == HV_VIRT_START >> HV_VIRT_SHIFT;
}

/*
 * One word of a frame, at a constant offset from base; goes to `fault` when it is not there. Between guest_access_begin and
 * guest_access_end. Word by word, so that the compiler needs few registers.
 */
#if __STDC_HOSTED__
#define frame_word_store(v, base, offset, val, fault) \
	do { \
		if (guest_write64((v), (base) + (offset), (val))) \
			goto fault; \
	} while (0)
#define frame_word_load(v, base, offset, val, fault) \
	do { \
		if (guest_read64((v), &(val), (base) + (offset))) \
			goto fault; \
	} while (0)
#define guest_access_begin() do { } while (0)
#define guest_access_end() do { } while (0)
#else
#define frame_word_store(v, base, offset, val, fault) \
	__asm__ goto("1: movq %1, %c2(%0)\n\t" EXTABLE(1b, %l[fault]) \
		     : : "r"(base), "r"((u64)(val)), "i"(offset) : "memory" : fault)
#define frame_word_load(v, base, offset, val, fault) \
	__asm__ goto("1: movq %c2(%1), %0\n\t" EXTABLE(1b, %l[fault]) \
		     : "=r"(val) : "r"(base), "i"(offset) : "memory" : fault)
#endif

#endif
