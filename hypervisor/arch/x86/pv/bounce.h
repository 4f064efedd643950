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

/* A part of the inline forms below. */
cold_fn void pv_no_handler(struct vcpu *v, u8 vector, u32 error);

/* rflags as the guest sees them: IF (always set in the CPU) tells that events are unmasked, IOPL is the virtual one if it asked for that. */
static inline u64 flags_to_guest(const struct vcpu *v, u64 flags, bool masked)
{
	flags &= ~((u64)masked << 9);
	if (unlikely(v->domain->vm_assist & (1UL << VMASST_TYPE_architectural_iopl)))
		flags |= (u64)v->pv->iopl << 12;
	return flags;
}

/*
 * Writes the frame to the kernel's stack below sp (aligned to 16) and returns where it begins; 0 when it cannot be written. cs
 * is as the guest is to see it. A frame that begins below the hypervisor's range begins where addresses are not canonical
 * (that faults), and one that wraps ends in the guest's.
 */
static inline __attribute__((always_inline)) gva_t frame_write(struct vcpu *v, const struct regs *r, gva_t sp, u64 cs, bool masked,
							       enum bounce_extra extra, u32 error)
{
	const u32 extras = extra == BOUNCE_PLAIN ? 0 : extra == BOUNCE_ERROR ? 8 : 32;

	sp -= 56 + extras;
	if (unlikely(in_hypervisor_range(sp)))
		return 0;
	guest_access_begin();
	frame_word_store(v, sp, 0, r->rcx, fault);
	frame_word_store(v, sp, 8, r->r11, fault);
	if (extra == BOUNCE_ERROR)
		frame_word_store(v, sp, 16, error, fault);
	if (extra == BOUNCE_SEGMENTS) {
		frame_word_store(v, sp, 16, v->pv->ds, fault);
		frame_word_store(v, sp, 24, v->pv->es, fault);
		frame_word_store(v, sp, 32, v->pv->fs, fault);
		frame_word_store(v, sp, 40, v->pv->gs, fault);
	}
	frame_word_store(v, sp, 16 + extras, r->rip, fault);
	frame_word_store(v, sp, 24 + extras, cs, fault);
	frame_word_store(v, sp, 32 + extras, flags_to_guest(v, r->rflags, masked), fault);
	frame_word_store(v, sp, 40 + extras, r->rsp, fault);
	frame_word_store(v, sp, 48 + extras, r->ss, fault);
	guest_access_end();
	return sp;
fault:
	guest_access_end();
	return 0;
}

/* What follows a frame at sp: r as the handler finds it. */
static inline __attribute__((always_inline)) void handler_enter(struct vcpu *v, struct regs *r, gva_t sp, u64 handler, bool masked)
{
	/* Nobody but v itself writes it. */
	WRITE_ONCE(v->info->evtchn_upcall_mask, masked);
	r->rflags &= ~ENTRY_CLEARS;
	r->rip = handler;
	r->rsp = sp;
	r->cs = FLAT_KERNEL_CS64;
	r->ss = FLAT_KERNEL_SS64;
	r->vector = TRAP_SYSCALL;
}

/*
 * pv_bounce, with `extra` known to the compiler, for exceptions of the guest kernel; those of user mode, and what does not work at the
 * first try, go the long way. Nothing is alive over that call, so that this needs no registers that must be saved.
 */
static inline __attribute__((always_inline)) void bounce_inline(struct vcpu *v, struct regs *r, u64 handler, bool mask,
								enum bounce_extra extra, u32 error)
{
	bool was_masked = READ_ONCE(v->info->evtchn_upcall_mask) != 0;
	u64 cs = (r->cs & 0xfffc) | (u64)was_masked << 32;
	gva_t sp = 0;

	if (likely(v->pv->kernel_mode))
		sp = frame_write(v, r, r->rsp & ~15UL, cs, was_masked, extra, error);
	if (likely(sp))
		handler_enter(v, r, sp, handler, was_masked | mask);
	else
		pv_bounce(v, r, handler, mask, extra, error);
}

/* pv_inject of an exception without an error code, and of a page fault. */
static inline __attribute__((always_inline)) void inject_plain_inline(struct vcpu *v, struct regs *r, u8 vector)
{
	const struct pv_trap *t = &v->pv->traps[vector];

	if (unlikely(!t->address))
		pv_no_handler(v, vector, 0);
	else
		bounce_inline(v, r, t->address, t->flags >> 2 & 1, BOUNCE_PLAIN, 0);
}

static inline __attribute__((always_inline)) void inject_pf_inline(struct vcpu *v, struct regs *r, gva_t addr, u32 error)
{
	const struct pv_trap *t = &v->pv->traps[TRAP_PF];

	/* Kernel and user mode are told apart by the mode, not by the privilege that the hardware saw. */
	error &= ~PFEC_USER;
	if (!v->pv->kernel_mode)
		error |= PFEC_USER;
	v->info->arch.cr2 = addr;
	if (unlikely(!t->address))
		pv_no_handler(v, TRAP_PF, error);
	else
		bounce_inline(v, r, t->address, t->flags >> 2 & 1, BOUNCE_ERROR, error);
}

#endif
