/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exception frames on the guest's stack: one range check, then plain loads or stores straight to or from registers, each with a
 * fixup to the same place. Private to arch/x86/pv.
 */
#ifndef PV_FRAME_ACCESS_H
#define PV_FRAME_ACCESS_H

#include <hv/compiler.h>
#include <hv/errno.h>
#include <hv/guest.h>
#include <xen/xen.h>

/* What the frames have in common, in the order of the stack. */
struct bounce_frame {
	u64 rcx, r11;
	u64 rip, cs, rflags, rsp, ss;
};

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

#if __STDC_HOSTED__
static inline int must_check iret_frame_load(struct vcpu *v, gva_t sp, struct iret_context *f)
{
	return guest_copy_in(v, f, sp, sizeof(*f));
}

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
/*
 * The frame must be a local whose address goes nowhere else: then it stays in registers. sp is aligned to 8, so that a frame that
 * begins below the hypervisor's range begins where addresses are not canonical, and a wrap ends in the guest's.
 */
static inline int must_check frame_store(struct vcpu *v maybe_unused, gva_t sp, const struct bounce_frame *f)
{
	if (unlikely(in_hypervisor_range(sp)))
		return -EFAULT;
	guest_access_begin();
	__asm__ goto("1: movq %1, (%0)\n2: movq %2, 8(%0)\n3: movq %3, 16(%0)\n4: movq %4, 24(%0)\n"
		     "5: movq %5, 32(%0)\n6: movq %6, 40(%0)\n7: movq %7, 48(%0)\n\t"
		     EXTABLE(1b, %l[fault]) EXTABLE(2b, %l[fault]) EXTABLE(3b, %l[fault]) EXTABLE(4b, %l[fault])
		     EXTABLE(5b, %l[fault]) EXTABLE(6b, %l[fault]) EXTABLE(7b, %l[fault])
		     : : "r"(sp), "r"(f->rcx), "r"(f->r11), "r"(f->rip), "r"(f->cs), "r"(f->rflags), "r"(f->rsp), "r"(f->ss)
		     : "memory" : fault);
	guest_access_end();
	return 0;
fault:
	guest_access_end();
	return -EFAULT;
}

static inline int must_check frame_store_error(struct vcpu *v maybe_unused, gva_t sp, const struct bounce_frame *f, u64 error)
{
	if (unlikely(in_hypervisor_range(sp)))
		return -EFAULT;
	guest_access_begin();
	__asm__ goto("1: movq %1, (%0)\n2: movq %2, 8(%0)\n3: movq %3, 16(%0)\n4: movq %4, 24(%0)\n"
		     "5: movq %5, 32(%0)\n6: movq %6, 40(%0)\n7: movq %7, 48(%0)\n8: movq %8, 56(%0)\n\t"
		     EXTABLE(1b, %l[fault]) EXTABLE(2b, %l[fault]) EXTABLE(3b, %l[fault]) EXTABLE(4b, %l[fault])
		     EXTABLE(5b, %l[fault]) EXTABLE(6b, %l[fault]) EXTABLE(7b, %l[fault]) EXTABLE(8b, %l[fault])
		     : : "r"(sp), "r"(f->rcx), "r"(f->r11), "r"(error), "r"(f->rip), "r"(f->cs), "r"(f->rflags),
		         "r"(f->rsp), "r"(f->ss)
		     : "memory" : fault);
	guest_access_end();
	return 0;
fault:
	guest_access_end();
	return -EFAULT;
}

static inline int must_check iret_frame_load(struct vcpu *v maybe_unused, gva_t sp, struct iret_context *f)
{
	u64 rax, r11, rcx, flags, rip, cs, rflags, rsp;
	u32 bad;

	if (unlikely(!guest_range_ok(sp, sizeof(*f))))
		return -EFAULT;
	guest_access_begin();
	/* The last one overwrites the address. */
	__asm__ volatile("movl $1, %k9\n1: movq (%8), %0\n2: movq 8(%8), %1\n3: movq 16(%8), %2\n4: movq 24(%8), %3\n"
			 "5: movq 32(%8), %4\n6: movq 40(%8), %5\n7: movq 48(%8), %6\n8: movq 56(%8), %7\n"
			 "9: movq 64(%8), %8\n\txorl %k9, %k9\n10:\n\t"
			 EXTABLE(1b, 10b) EXTABLE(2b, 10b) EXTABLE(3b, 10b) EXTABLE(4b, 10b) EXTABLE(5b, 10b)
			 EXTABLE(6b, 10b) EXTABLE(7b, 10b) EXTABLE(8b, 10b) EXTABLE(9b, 10b)
			 : "=&r"(rax), "=&r"(r11), "=&r"(rcx), "=&r"(flags), "=&r"(rip), "=&r"(cs), "=&r"(rflags),
			   "=&r"(rsp), "+&r"(sp), "=&r"(bad) : : "memory", "cc");
	guest_access_end();
	*f = (struct iret_context){ rax, r11, rcx, flags, rip, cs, rflags, rsp, sp };
	return unlikely(bad) ? -EFAULT : 0;
}
#endif

#endif
