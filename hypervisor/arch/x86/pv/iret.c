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

/* Another NMI may have come meanwhile. */
static cold_fn long nmi_end(struct vcpu *v, bool to_user)
{
	v->nmi_masked = 0;
	if (v->nmi_pending)
		softirq_raise(v->cpu, SOFTIRQ_GUEST);
	if (to_user)
		(void)pv_mode_set(v, false);
	return 0;
}

static cold_fn void no_frame(struct vcpu *v)
{
	domain_crash(v, "iret frame at %#llx cannot be read", (unsigned long long)v->regs->rsp);
}

/*
 * Selectors and addresses are not checked here: IRETQ does that, and its fault becomes the failsafe callback. Replaces the
 * whole frame, rax included; the dispatcher leaves it alone. (rax first: it is no argument, and lost when the rest cannot be read.)
 */
long do_iret(struct vcpu *v, u64 *args maybe_unused)
{
	struct regs *r = v->regs;
	gva_t f = r->rsp;
	u64 rax, r11, rcx, flags, rip, cs, rflags, rsp, ss;

	if (unlikely(in_hypervisor_range(f)))
		goto fault;
	guest_access_begin();
	frame_word_load(v, f, 0, rax, fault_access);
	r->rax = rax;
	frame_word_load(v, f, 24, flags, fault_access);
	frame_word_load(v, f, 8, r11, fault_access);
	frame_word_load(v, f, 16, rcx, fault_access);
	frame_word_load(v, f, 32, rip, fault_access);
	frame_word_load(v, f, 40, cs, fault_access);
	frame_word_load(v, f, 48, rflags, fault_access);
	frame_word_load(v, f, 56, rsp, fault_access);
	frame_word_load(v, f, 64, ss, fault_access);
	guest_access_end();
	if (unlikely(v->domain->vm_assist & (1UL << VMASST_TYPE_architectural_iopl)))
		v->pv->iopl = (u8)(rflags >> 12 & 3);
	WRITE_ONCE(v->info->evtchn_upcall_mask, !(rflags & FLAG_IF));
	r->rip = rip;
	r->rsp = rsp;
	r->rflags = (rflags & GUEST_FLAGS) | FLAG_IF | FLAGS_FIXED;
	if (flags & VGCF_in_syscall) {
		leave_by_sysret(r);
	} else {
		/* A kernel that thinks it is in ring 0 may have the null selector here. */
		if (!(ss & 0xfffc) && (cs & 3) != 3)
			ss = FLAT_KERNEL_SS64;
		r->r11 = r11;
		r->rcx = rcx;
		r->cs = (cs & 0xffff) | 3;
		r->ss = (ss & 0xffff) | 3;
		r->vector = 0;
	}
	/* Last, when nothing is to be kept over the call. */
	if (unlikely(v->nmi_masked))
		return nmi_end(v, (cs & 3) == 3);
	if ((cs & 3) == 3)
		(void)pv_mode_set(v, false);
	return 0;

fault_access:
	guest_access_end();
fault:
	no_frame(v);
	return -EFAULT;
}
