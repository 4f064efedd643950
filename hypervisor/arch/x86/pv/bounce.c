/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entering the guest kernel. The frame is, from the new stack pointer up: rcx, r11, [error code | ds, es, fs, gs], rip,
 * cs (with the saved event mask in bits 39:32), rflags, rsp, ss. Since rcx and r11 are in the frame, the kernel is
 * entered by SYSRET, which takes them for rip and rflags.
 */
#include "bounce.h"

#include <hv/compiler.h>
#include <hv/domain.h>
#include <hv/guest.h>
#include <hv/hypercall.h>
#include <hv/pv.h>
#include <hv/x86.h>

bool pv_mode_set(struct vcpu *v, bool kernel)
{
	struct pv_vcpu *pv = v->pv;

	if (pv->kernel_mode == kernel)
		return true;
	if (unlikely(!kernel && mfn_eq(pv->user_root, INVALID_MFN))) {
		domain_crash(v, "no page tables for user mode");
		return false;
	}
	pv->kernel_mode = kernel;
	swapgs();
	pv_cr3_load(v);
	return true;
}

static cold_fn void no_stack(struct vcpu *v, gva_t sp, u64 handler)
{
	domain_crash(v, "no stack for an exception frame at %#llx (entry %#llx)", (unsigned long long)sp,
		     (unsigned long long)handler);
}

static gva_t frame_push(struct vcpu *v, const struct regs *r, gva_t top, u64 cs, bool masked, enum bounce_extra extra, u32 error)
{
	if (extra == BOUNCE_PLAIN)
		return frame_write(v, r, top, cs, masked, BOUNCE_PLAIN, 0);
	if (extra == BOUNCE_ERROR)
		return frame_write(v, r, top, cs, masked, BOUNCE_ERROR, error);
	return frame_write(v, r, top, cs, masked, BOUNCE_SEGMENTS, 0);
}

void pv_bounce(struct vcpu *v, struct regs *r, u64 handler, bool mask, enum bounce_extra extra, u32 error)
{
	struct pv_vcpu *pv = v->pv;
	bool was_masked = READ_ONCE(v->info->evtchn_upcall_mask) != 0;
	u64 cs = (r->cs & 0xfffc) | (u64)was_masked << 32, top = r->rsp & ~15UL;
	gva_t sp;

	if (!pv->kernel_mode) {
		cs |= 3;
		top = pv->kernel_sp & ~15UL;
		(void)pv_mode_set(v, true);
	}
	sp = frame_push(v, r, top, cs, was_masked, extra, error);
	/* Once more: a TLB entry from before the guest made the page writable is gone now. */
	if (unlikely(!sp))
		sp = frame_push(v, r, top, cs, was_masked, extra, error);
	if (unlikely(!sp))
		no_stack(v, top, handler);
	else
		handler_enter(v, r, sp, handler, was_masked | mask);
}

/* Exceptions that push an error code: DF, TS, NP, SS, GP, PF, AC, CP. */
#define HAS_ERROR_CODE (1u << TRAP_DF | 1u << TRAP_TS | 1u << TRAP_NP | 1u << TRAP_SS | 1u << TRAP_GP | 1u << TRAP_PF | \
			1u << TRAP_AC | 1u << TRAP_CP)

void pv_inject(struct vcpu *v, struct regs *r, u8 vector, u32 error)
{
	const struct pv_trap *t = &v->pv->traps[vector];
	enum bounce_extra extra = vector < 32 && (HAS_ERROR_CODE >> vector & 1) ? BOUNCE_ERROR : BOUNCE_PLAIN;

	if (unlikely(!t->address)) {
		pv_no_handler(v, vector, error);
		return;
	}
	pv_bounce(v, r, t->address, (t->flags & 4) != 0, extra, error);
}

void pv_inject_pf(struct vcpu *v, struct regs *r, gva_t addr, u32 error)
{
	inject_pf_inline(v, r, addr, error);
}

void pv_no_handler(struct vcpu *v, u8 vector, u32 error)
{
	domain_crash(v, "exception %u (error code %#x) without a handler", vector, error);
}

void pv_syscall(struct vcpu *v, struct regs *r)
{
	struct pv_vcpu *pv = v->pv;

	if (pv->kernel_mode) {
		hypercall_dispatch(v, r);
		return;
	}
	if (unlikely(!pv->syscall_callback)) {
		r->rip -= 2;
		pv_inject(v, r, TRAP_UD, 0);
		return;
	}
	bounce_inline(v, r, pv->syscall_callback, pv->syscall_masks_events, BOUNCE_PLAIN, 0);
}

void pv_syscall32(struct vcpu *v, struct regs *r)
{
	struct pv_vcpu *pv = v->pv;

	if (!pv->syscall32_callback || pv->kernel_mode) {
		r->rip -= 2;
		pv_inject(v, r, TRAP_UD, 0);
		return;
	}
	pv_bounce(v, r, pv->syscall32_callback, pv->syscall32_masks_events, BOUNCE_PLAIN, 0);
}

void pv_sysenter(struct vcpu *v, struct regs *r)
{
	struct pv_vcpu *pv = v->pv;

	if (!pv->sysenter_callback || pv->kernel_mode) {
		/* As if SYSENTER_CS were 0. Where it was executed is not known. */
		pv_inject(v, r, TRAP_GP, 0);
		return;
	}
	pv_bounce(v, r, pv->sysenter_callback, pv->sysenter_masks_events, BOUNCE_PLAIN, 0);
}

void pv_failsafe(struct vcpu *v, struct regs *r)
{
	struct pv_vcpu *pv = v->pv;

	if (!pv->failsafe_callback) {
		domain_crash(v, "state to return to cannot be loaded, and there is no failsafe callback");
		return;
	}
	pv_bounce(v, r, pv->failsafe_callback, pv->failsafe_masks_events, BOUNCE_SEGMENTS, 0);
}

void pv_iret_fault(struct vcpu *v, struct regs *r)
{
	struct pv_vcpu *pv = v->pv;

	/* The guest tells a bad IRET from a bad selector by comparing these with the registers: here they are the same. */
	pv->ds = sel_read_ds();
	pv->es = sel_read_es();
	pv->fs = sel_read_fs();
	pv->gs = sel_read_gs();
	pv_failsafe(v, r);
}

bool pv_exit_work(struct vcpu *v, struct regs *r)
{
	struct pv_vcpu *pv = v->pv;
	struct vcpu_info *info = v->info;

	if (unlikely(v->mce_pending) && pv->traps[TRAP_MC].address) {
		v->mce_pending = 0;
		pv_inject(v, r, TRAP_MC, 0);
		return true;
	}
	if (unlikely(v->nmi_pending) && !v->nmi_masked && pv->traps[TRAP_NMI].address) {
		v->nmi_pending = 0;
		v->nmi_masked = 1;
		pv_bounce(v, r, pv->traps[TRAP_NMI].address, true, BOUNCE_PLAIN, 0);
		return true;
	}
	if (!READ_ONCE(info->evtchn_upcall_pending) || READ_ONCE(info->evtchn_upcall_mask) || !pv->event_callback)
		return false;
	bounce_inline(v, r, pv->event_callback, true, BOUNCE_PLAIN, 0);
	return true;
}
