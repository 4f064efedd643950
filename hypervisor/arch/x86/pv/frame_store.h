/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing an exception frame to the guest's stack: one range check by the caller, then plain stores straight from registers, each with
 * a fixup to the same place. Private to arch/x86/pv.
 */
#ifndef PV_FRAME_STORE_H
#define PV_FRAME_STORE_H

#include <hv/compiler.h>
#include <hv/errno.h>
#include <hv/guest.h>

/* What the frames have in common, in the order of the stack. */
struct bounce_frame {
	u64 rcx, r11;
	u64 rip, cs, rflags, rsp, ss;
};

#if __STDC_HOSTED__
static inline int must_check frame_store(struct vcpu *v, gva_t sp, const struct bounce_frame *f)
{
	return guest_copy_out(v, sp, f, sizeof(*f));
}

static inline int must_check frame_store_error(struct vcpu *v, gva_t sp, const struct bounce_frame *f, u64 error)
{
	u64 words[8] = { f->rcx, f->r11, error, f->rip, f->cs, f->rflags, f->rsp, f->ss };

	return guest_copy_out(v, sp, words, sizeof(words));
}
#else
/* The frame must be a local whose address goes nowhere else: then it stays in registers. */
static inline int must_check frame_store(struct vcpu *v maybe_unused, gva_t sp, const struct bounce_frame *f)
{
	u32 bad = 1;

	if (unlikely(!guest_range_ok(sp, 7 * 8)))
		return -EFAULT;
	guest_access_begin();
	__asm__ volatile("1: movq %2, (%1)\n2: movq %3, 8(%1)\n3: movq %4, 16(%1)\n4: movq %5, 24(%1)\n"
			 "5: movq %6, 32(%1)\n6: movq %7, 40(%1)\n7: movq %8, 48(%1)\n\txorl %k0, %k0\n9:\n\t"
			 EXTABLE(1b, 9b) EXTABLE(2b, 9b) EXTABLE(3b, 9b) EXTABLE(4b, 9b) EXTABLE(5b, 9b) EXTABLE(6b, 9b)
			 EXTABLE(7b, 9b)
			 : "+&r"(bad) : "r"(sp), "r"(f->rcx), "r"(f->r11), "r"(f->rip), "r"(f->cs), "r"(f->rflags),
			   "r"(f->rsp), "r"(f->ss) : "memory", "cc");
	guest_access_end();
	return unlikely(bad) ? -EFAULT : 0;
}

static inline int must_check frame_store_error(struct vcpu *v maybe_unused, gva_t sp, const struct bounce_frame *f, u64 error)
{
	u32 bad = 1;

	if (unlikely(!guest_range_ok(sp, 8 * 8)))
		return -EFAULT;
	guest_access_begin();
	__asm__ volatile("1: movq %2, (%1)\n2: movq %3, 8(%1)\n3: movq %4, 16(%1)\n4: movq %5, 24(%1)\n"
			 "5: movq %6, 32(%1)\n6: movq %7, 40(%1)\n7: movq %8, 48(%1)\n8: movq %9, 56(%1)\n"
			 "\txorl %k0, %k0\n9:\n\t"
			 EXTABLE(1b, 9b) EXTABLE(2b, 9b) EXTABLE(3b, 9b) EXTABLE(4b, 9b) EXTABLE(5b, 9b) EXTABLE(6b, 9b)
			 EXTABLE(7b, 9b) EXTABLE(8b, 9b)
			 : "+&r"(bad) : "r"(sp), "r"(f->rcx), "r"(f->r11), "r"(error), "r"(f->rip), "r"(f->cs),
			   "r"(f->rflags), "r"(f->rsp), "r"(f->ss) : "memory", "cc");
	guest_access_end();
	return unlikely(bad) ? -EFAULT : 0;
}
#endif

#endif
