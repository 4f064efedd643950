/* SPDX-License-Identifier: BSD-2-Clause */
/* Entering the guest kernel: exception frames on its stack. Private to arch/x86/pv. */
#ifndef PV_BOUNCE_H
#define PV_BOUNCE_H

#include "frame_access.h"

#include <hv/compiler.h>
#include <hv/domain.h>
#include <hv/guest.h>
#include <hv/pv.h>
#include <hv/regs.h>

/* Flags that a guest may have in rflags of its own will; IF is always set while it runs, IOPL is virtual. */
#define GUEST_FLAGS (FLAG_CF | 1u << 2 | 1u << 4 | 1u << 6 | 1u << 7 | FLAG_TF | FLAG_DF | 1u << 11 | FLAG_NT | FLAG_RF | \
		     FLAG_AC | FLAG_ID)
#define FLAGS_FIXED 2u
/* Cleared on the way into the kernel: an alignment check would hit it, since it is in ring 3. */
#define ENTRY_CLEARS ((u64)(FLAG_TF | FLAG_DF | FLAG_NT | FLAG_RF | FLAG_VM | FLAG_AC))

/* What lies between r11 and rip in the frame. */
enum bounce_extra { BOUNCE_PLAIN, BOUNCE_ERROR, BOUNCE_SEGMENTS };

/*
 * Enters the guest kernel of v (which runs here) at `handler`, a canonical address: changes to kernel mode and the kernel's
 * stack if it was in user mode, pushes the frame and sets r up. mask: no events until the guest says so. The
 * domain is crashed when the frame cannot be written.
 */
void pv_bounce(struct vcpu *v, struct regs *r, u64 handler, bool mask, enum bounce_extra extra, u32 error);
/* Failsafe callback: selectors that could not be loaded are in v->pv->ds to gs. */
void pv_failsafe(struct vcpu *v, struct regs *r);

/* Parts of the inline forms below that are seldom needed. */
int pv_frame_store_segments(struct vcpu *v, gva_t sp, const struct bounce_frame *f) must_check;
cold_fn void pv_no_stack(struct vcpu *v, gva_t sp, u64 handler);
cold_fn void pv_no_handler(struct vcpu *v, u8 vector, u32 error);

/* rflags as the guest sees them: IF (always set in the CPU) tells that events are unmasked, IOPL is the virtual one if it asked for that. */
static inline u64 flags_to_guest(const struct vcpu *v, u64 flags, bool masked)
{
	flags &= ~((u64)masked << 9);
	if (unlikely(v->domain->vm_assist & (1UL << VMASST_TYPE_architectural_iopl)))
		flags |= (u64)v->pv->iopl << 12;
	return flags;
}

/* pv_bounce, with `extra` known to the compiler. */
static inline __attribute__((always_inline)) void bounce_inline(struct vcpu *v, struct regs *r, u64 handler, bool mask,
								enum bounce_extra extra, u32 error)
{
	struct pv_vcpu *pv = v->pv;
	struct vcpu_info *info = v->info;
	bool was_masked = READ_ONCE(info->evtchn_upcall_mask) != 0;
	struct bounce_frame f = {
		.rcx = r->rcx, .r11 = r->r11, .rip = r->rip, .rflags = flags_to_guest(v, r->rflags, was_masked),
		.rsp = r->rsp, .ss = r->ss,
	};
	u64 sp = r->rsp;
	int rc;

	f.cs = (r->cs & 0xfffc) | (u64)was_masked << 32;
	if (!pv->kernel_mode) {
		f.cs |= 3;
		sp = pv->kernel_sp;
		(void)pv_mode_set(v, true);
	}
	sp &= ~15UL;
	if (extra == BOUNCE_PLAIN)
		rc = frame_store(v, sp -= 7 * 8, &f);
	else if (extra == BOUNCE_ERROR)
		rc = frame_store_error(v, sp -= 8 * 8, &f, error);
	else
		rc = pv_frame_store_segments(v, sp -= 11 * 8, &f);
	if (unlikely(rc)) {
		pv_no_stack(v, sp, handler);
		return;
	}
	/* Nobody but v itself writes it. */
	WRITE_ONCE(info->evtchn_upcall_mask, was_masked | mask);
	r->rflags &= ~ENTRY_CLEARS;
	r->rip = handler;
	r->rsp = sp;
	r->cs = FLAT_KERNEL_CS64;
	r->ss = FLAT_KERNEL_SS64;
	r->vector = TRAP_SYSCALL;
}

static inline __attribute__((always_inline)) void inject_pf_inline(struct vcpu *v, struct regs *r, gva_t addr, u32 error)
{
	const struct pv_vcpu *pv = v->pv;
	const struct pv_trap *t = &pv->traps[TRAP_PF];
	u64 handler = t->address;
	bool mask = t->flags >> 2 & 1;

	/* Kernel and user mode are told apart by the mode, not by the privilege that the hardware saw. */
	error &= ~PFEC_USER;
	if (!pv->kernel_mode)
		error |= PFEC_USER;
	v->info->arch.cr2 = addr;
	if (unlikely(!handler))
		pv_no_handler(v, TRAP_PF, error);
	else
		bounce_inline(v, r, handler, mask, BOUNCE_ERROR, error);
}

#endif
