/* SPDX-License-Identifier: BSD-2-Clause */
/* The iret hypercall: leaving the guest kernel with a frame that it made. */
#include "bounce.h"

#include <hv/compiler.h>
#include <hv/domain.h>
#include <hv/guest.h>
#include <hv/hypercall.h>
#include <hv/pv.h>
#include <hv/softirq.h>
#include <hv/x86.h>

/* Whether the way out may be SYSRET, which faults in ring 0 with the guest's stack on an address that is not canonical. */
static void leave_by_sysret(struct regs *r)
{
	r->cs = FLAT_RING3_CS64;
	r->ss = FLAT_RING3_SS64;
	r->rcx = r->rip;
	r->r11 = r->rflags;
	r->vector = is_canonical(r->rip) ? TRAP_SYSCALL : 0;
}

/*
 * Selectors and addresses are not checked here: IRETQ does that, and its fault becomes the failsafe callback. Replaces the
 * whole frame, rax included; the dispatcher leaves it alone.
 */
long do_iret(struct vcpu *v, u64 *args maybe_unused)
{
	struct pv_vcpu *pv = v->pv;
	struct regs *r = v->regs;
	struct iret_context f;

	if (unlikely(iret_frame_load(v, r->rsp, &f))) {
		domain_crash(v, "iret frame at %#llx cannot be read", (unsigned long long)r->rsp);
		return -EFAULT;
	}
	if ((f.cs & 3) == 3) {
		if (unlikely(!pv_mode_set(v, false)))
			return -EFAULT;
	} else if (!(f.ss & 0xfffc)) {
		/* A kernel that thinks it is in ring 0 may have the null selector here. */
		f.ss = FLAT_KERNEL_SS64;
	}
	if (unlikely(v->domain->vm_assist & (1UL << VMASST_TYPE_architectural_iopl)))
		pv->iopl = (u8)(f.rflags >> 12 & 3);
	v->nmi_masked = 0;
	if (unlikely(v->nmi_pending))
		softirq_raise(v->cpu, SOFTIRQ_GUEST);
	WRITE_ONCE(v->info->evtchn_upcall_mask, !(f.rflags & FLAG_IF));
	r->rax = f.rax;
	r->rip = f.rip;
	r->rsp = f.rsp;
	r->rflags = (f.rflags & GUEST_FLAGS) | FLAG_IF | FLAGS_FIXED;
	if (f.flags & VGCF_in_syscall) {
		leave_by_sysret(r);
		return 0;
	}
	r->r11 = f.r11;
	r->rcx = f.rcx;
	r->cs = (f.cs & 0xffff) | 3;
	r->ss = (f.ss & 0xffff) | 3;
	r->vector = 0;
	return 0;
}
