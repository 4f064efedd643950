/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entering the guest kernel. The frame is, from the new stack pointer up: rcx, r11, [error code | ds, es, fs, gs], rip,
 * cs (with the saved event mask in bits 39:32), rflags, rsp, ss. Since rcx and r11 are in the frame, the kernel is
 * entered by SYSRET, which takes them for rip and rflags.
 */
#include "bounce.h"
#include "frame_store.h"

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

u64 pv_flags_to_guest(const struct vcpu *v, u64 flags, u8 upcall_mask)
{
	flags &= ~(u64)(FLAG_IF | FLAG_IOPL);
	if (!upcall_mask)
		flags |= FLAG_IF;
	if (unlikely(v->domain->vm_assist & (1UL << VMASST_TYPE_architectural_iopl)))
		flags |= (u64)v->pv->iopl << 12;
	return flags;
}

/* The failsafe frame: selectors lie between r11 and rip. */
static noinline_fn int must_check frame_store_segments(struct vcpu *v, gva_t sp, const struct regs *r, u64 cs, u64 flags)
{
	const struct pv_vcpu *pv = v->pv;
	u64 words[11] = { r->rcx, r->r11, pv->ds, pv->es, pv->fs, pv->gs, r->rip, cs, flags, r->rsp, r->ss & 0xffff };

	return guest_copy_out(v, sp, words, sizeof(words));
}

static noinline_fn void no_stack(struct vcpu *v, gva_t sp, u64 handler)
{
	domain_crash(v, "no stack for an exception frame at %#llx (entry %#llx)", (unsigned long long)sp,
		     (unsigned long long)handler);
}

void pv_bounce(struct vcpu *v, struct regs *r, u64 handler, bool mask, enum bounce_extra extra, u32 error)
{
	struct pv_vcpu *pv = v->pv;
	struct vcpu_info *info = v->info;
	u8 was_masked = READ_ONCE(info->evtchn_upcall_mask) != 0;
	struct bounce_frame f = {
		.rcx = r->rcx, .r11 = r->r11, .rip = r->rip, .rflags = pv_flags_to_guest(v, r->rflags, was_masked),
		.rsp = r->rsp, .ss = r->ss & 0xffff,
	};
	u64 sp;
	int rc;

	f.cs = (r->cs & 0xfffc) | (u64)was_masked << 32;
	if (pv->kernel_mode) {
		sp = r->rsp;
	} else {
		f.cs |= 3;
		sp = pv->kernel_sp;
		(void)pv_mode_set(v, true);
	}
	sp &= ~15UL;
	if (extra == BOUNCE_PLAIN)
		rc = frame_store(v, sp -= 7 * 8, &f);
	else if (likely(extra == BOUNCE_ERROR))
		rc = frame_store_error(v, sp -= 8 * 8, &f, error);
	else
		rc = frame_store_segments(v, sp -= 11 * 8, r, f.cs, f.rflags);
	if (unlikely(rc)) {
		no_stack(v, sp, handler);
		return;
	}
	if (mask)
		WRITE_ONCE(info->evtchn_upcall_mask, 1);
	r->rflags = (r->rflags & ~(u64)(FLAG_TF | FLAG_DF | FLAG_NT | FLAG_RF | FLAG_VM | FLAG_AC | FLAG_IOPL)) | FLAG_IF;
	r->rip = handler;
	r->rsp = sp;
	r->cs = FLAT_KERNEL_CS64;
	r->ss = FLAT_KERNEL_SS64;
	r->vector = TRAP_SYSCALL;
}

/* Exceptions that push an error code: DF, TS, NP, SS, GP, PF, AC, CP. */
#define HAS_ERROR_CODE (1u << TRAP_DF | 1u << TRAP_TS | 1u << TRAP_NP | 1u << TRAP_SS | 1u << TRAP_GP | 1u << TRAP_PF | \
			1u << TRAP_AC | 1u << TRAP_CP)

void pv_inject(struct vcpu *v, struct regs *r, u8 vector, u32 error)
{
	const struct pv_trap *t = &v->pv->traps[vector];
	enum bounce_extra extra = vector < 32 && (HAS_ERROR_CODE >> vector & 1) ? BOUNCE_ERROR : BOUNCE_PLAIN;

	if (unlikely(!t->address)) {
		domain_crash(v, "exception %u (error code %#x) without a handler", vector, error);
		return;
	}
	pv_bounce(v, r, t->address, (t->flags & 4) != 0, extra, error);
}

void pv_inject_pf(struct vcpu *v, struct regs *r, gva_t addr, u32 error)
{
	/* Kernel and user mode are told apart by the mode, not by the privilege that the hardware saw. */
	if (v->pv->kernel_mode)
		error &= ~PFEC_USER;
	else
		error |= PFEC_USER;
	v->pv->cr2 = addr;
	v->info->arch.cr2 = addr;
	pv_inject(v, r, TRAP_PF, error);
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
	pv_bounce(v, r, pv->syscall_callback, pv->syscall_masks_events, BOUNCE_PLAIN, 0);
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
	pv_bounce(v, r, pv->event_callback, true, BOUNCE_PLAIN, 0);
	return true;
}
