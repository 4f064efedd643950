/* SPDX-License-Identifier: BSD-2-Clause */
/* CPU state of PV vCPUs: loading and saving it at a switch, and reading and writing it as a whole. */
#include "bounce.h"
#include "control.h"
#include "debugreg.h"
#include "segment.h"

#include <hv/compiler.h>
#include <hv/cpu.h>
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/features.h>
#include <hv/frame.h>
#include <hv/guest.h>
#include <hv/msr.h>
#include <hv/pv.h>
#include <hv/string.h>
#include <hv/x86.h>

#define CPUID_FAULTING_ENABLE 1UL

int pv_vcpu_init(struct vcpu *v)
{
	struct pv_vcpu *pv = hv_alloc(sizeof(*pv));

	if (!pv)
		return -ENOMEM;
	pv->kernel_mode = true;
	pv->kernel_root = pv->user_root = INVALID_MFN;
	pv->kernel_ss = FLAT_KERNEL_SS64;
	pv->dr[6] = DR6_INIT;
	v->pv = pv;
	return 0;
}

void pv_vcpu_free(struct vcpu *v)
{
	hv_free(v->pv);
	v->pv = NULL;
}

/* ---- switch ---- */

void pv_context_save(struct vcpu *v)
{
	struct pv_vcpu *pv = v->pv;

	pv->ds = sel_read_ds();
	pv->es = sel_read_es();
	pv->fs = sel_read_fs();
	pv->gs = sel_read_gs();
	pv->fs_base = fs_base_read();
	pv->gs_base = gs_base_read();
	pv->gs_base_other = gs_other_read();
	pv_dr_off(pv);
	if (pv->spec_ctrl)
		spec_ctrl_load(0);
	if (pv->ts)
		clts();
}

/* Null on null is skipped; else the previous guest's selector would stay. Loads of FS and GS change the present base. */
static bool selectors_load(const struct pv_vcpu *pv)
{
	bool ok = true;

	if (pv->ds | sel_read_ds())
		ok &= !sel_load_ds(pv->ds);
	if (pv->es | sel_read_es())
		ok &= !sel_load_es(pv->es);
	if (pv->fs | sel_read_fs())
		ok &= !sel_load_fs(pv->fs);
	if (pv->gs | sel_read_gs())
		ok &= !sel_load_gs(pv->gs);
	return ok;
}

void pv_context_load(struct vcpu *v, struct vcpu *prev)
{
	struct pv_vcpu *pv = v->pv;
	bool ok;

	pv_cr3_load(v);
	pv_windows_load(v);
	ok = selectors_load(pv);
	fs_base_write(pv->fs_base);
	gs_base_write(pv->gs_base);
	gs_other_write(pv->gs_base_other);
	pv_dr_load(pv);
	pv_tsc_trap_load(v);
	if (cpu_has(CPU_RDTSCP) && !(prev && prev->pv && prev->pv->tsc_aux == pv->tsc_aux))
		wrmsr(MSR_TSC_AUX, pv->tsc_aux);
	if (cpu_has(CPU_CPUID_FAULTING) && !(prev && prev->pv))
		wrmsr(MSR_MISC_FEATURES_ENABLES, CPUID_FAULTING_ENABLE);
	if (pv->spec_ctrl)
		spec_ctrl_load(pv->spec_ctrl);
	if (pv->ts)
		cr0_write_reg(cr0_read() | CR0_TS);
	if (unlikely(!ok))
		pv_failsafe(v, v->regs);
}

/* ---- whole context ---- */

static bool callbacks_ok(const struct vcpu_guest_context *c)
{
	if (!is_canonical(c->event_callback_eip) || !is_canonical(c->failsafe_callback_eip) ||
	    !is_canonical(c->syscall_callback_eip))
		return false;
	for (unsigned int i = 0; i < ARRAY_SIZE(c->trap_ctxt); i++)
		if (!is_canonical(c->trap_ctxt[i].address))
			return false;
	return true;
}

static bool debugregs_ok(const struct vcpu_guest_context *c)
{
	u64 dr7;

	for (unsigned int i = 0; i < 4; i++)
		if (!pv_dr_address_ok(c->debugreg[i]))
			return false;
	return !(c->debugreg[6] >> 32) && !pv_dr7_make(c->debugreg[7], &dr7);
}

static bool segments_ok(const struct vcpu_guest_context *c)
{
	return c->gdt_ents <= FIRST_RESERVED_GDT_ENTRY && c->ldt_ents <= 8192 && !(c->ldt_base & ~PAGE_MASK) &&
	       guest_range_ok(c->ldt_base, c->ldt_ents * 8) && is_canonical(c->fs_base) &&
	       is_canonical(c->gs_base_kernel) && is_canonical(c->gs_base_user);
}

static bool context_ok(const struct vcpu_guest_context *c)
{
	return is_canonical(c->user_regs.rip) && callbacks_ok(c) && debugregs_ok(c) && segments_ok(c) &&
	       (c->flags & VGCF_in_kernel || c->ctrlreg[1] >> PAGE_SHIFT);
}

static void regs_set(struct regs *r, const struct cpu_user_regs *u, bool kernel)
{
	*r = (struct regs){
		.r15 = u->r15, .r14 = u->r14, .r13 = u->r13, .r12 = u->r12, .rbp = u->rbp, .rbx = u->rbx,
		.rdi = u->rdi, .rsi = u->rsi, .rdx = u->rdx, .r10 = u->r10, .r8 = u->r8, .r9 = u->r9,
		.rax = u->rax, .rcx = u->rcx, .r11 = u->r11, .rip = u->rip, .rsp = u->rsp,
		.rflags = (u->rflags & GUEST_FLAGS) | FLAG_IF | FLAGS_FIXED,
		.cs = u->cs | 3u, .ss = u->ss | 3u,
	};
	if (kernel && !(u->ss & 0xfffc))
		r->ss = FLAT_KERNEL_SS64;
}

static void traps_set(struct pv_vcpu *pv, const struct vcpu_guest_context *c)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(pv->traps); i++) {
		const struct trap_info *t = &c->trap_ctxt[i];

		pv->traps[i] = (struct pv_trap){ .address = t->address, .cs = t->cs | 3, .flags = t->flags & 7 };
	}
	pv->event_callback = c->event_callback_eip;
	pv->failsafe_callback = c->failsafe_callback_eip;
	pv->syscall_callback = c->syscall_callback_eip;
	pv->failsafe_masks_events = (c->flags & VGCF_failsafe_disables_events) != 0;
	pv->syscall_masks_events = (c->flags & VGCF_syscall_disables_events) != 0;
}

/* Everything that cannot fail. */
static void context_commit(struct vcpu *v, const struct vcpu_guest_context *c)
{
	struct pv_vcpu *pv = v->pv;
	bool kernel = (c->flags & VGCF_in_kernel) != 0;
	u64 dr7;

	regs_set(v->regs, &c->user_regs, kernel);
	traps_set(pv, c);
	pv->kernel_mode = kernel;
	pv->iopl = (u8)(c->user_regs.rflags >> 12 & 3);
	pv->ds = c->user_regs.ds;
	pv->es = c->user_regs.es;
	pv->fs = c->user_regs.fs;
	pv->gs = c->user_regs.gs;
	pv->fs_base = c->fs_base;
	pv->gs_base = kernel ? c->gs_base_kernel : c->gs_base_user;
	pv->gs_base_other = kernel ? c->gs_base_user : c->gs_base_kernel;
	pv->kernel_ss = (u16)c->kernel_ss | 3;
	pv->kernel_sp = c->kernel_sp;
	pv->ts = (c->ctrlreg[0] & CR0_TS) != 0;
	pv->cr4_guest = c->ctrlreg[4] & pv_cr4_allowed(v);
	for (unsigned int i = 0; i < 4; i++)
		pv->dr[i] = c->debugreg[i];
	pv->dr[6] = pv_dr6_make(c->debugreg[6]);
	if (!pv_dr7_make(c->debugreg[7], &dr7))
		pv->dr[7] = dr7;
	pv->ldt_base = c->ldt_base;
	pv->ldt_entries = (u32)c->ldt_ents;
	if (c->flags & VGCF_i387_valid)
		fpu_set_fxsave(v, c->fpu_ctxt.x);
	if (!v->initialised) {
		WRITE_ONCE(v->info->evtchn_upcall_mask, 1);
		if (v->id == 0)
			v->domain->vm_assist = c->vm_assist & PV_VM_ASSIST;
	}
}

int pv_context_set(struct vcpu *actor, struct vcpu *v, const void *ctxt)
{
	const struct vcpu_guest_context *c = ctxt;
	mfn_t user = mfn(c->ctrlreg[1] >> PAGE_SHIFT), gdt[ARRAY_SIZE(c->gdt_frames)];
	int rc;

	if (!context_ok(c))
		return -EINVAL;
	for (unsigned int i = 0; i < ARRAY_SIZE(gdt); i++)
		gdt[i] = mfn(c->gdt_frames[i]);
	/* Each of these leaves v as it was when it fails; when it is preempted, all are done again. */
	rc = pv_root_set(actor, v, mfn(xen_cr3_to_pfn(c->ctrlreg[3])), false);
	if (!rc && user.v)
		rc = pv_root_set(actor, v, user, true);
	if (!rc)
		rc = pv_gdt_set(actor, v, gdt, (u32)c->gdt_ents);
	if (rc)
		return rc;
	pv_ldt_drop(actor, v);
	context_commit(v, c);
	return 0;
}

static void regs_get(struct cpu_user_regs *u, const struct vcpu *v)
{
	const struct regs *r = v->regs;

	u->r15 = r->r15; u->r14 = r->r14; u->r13 = r->r13; u->r12 = r->r12;
	u->rbp = r->rbp; u->rbx = r->rbx; u->r11 = r->r11; u->r10 = r->r10;
	u->r9 = r->r9; u->r8 = r->r8; u->rax = r->rax; u->rcx = r->rcx;
	u->rdx = r->rdx; u->rsi = r->rsi; u->rdi = r->rdi;
	u->rip = r->rip;
	u->rsp = r->rsp;
	u->cs = (u16)r->cs;
	u->ss = (u16)r->ss;
	u->saved_upcall_mask = READ_ONCE(v->info->evtchn_upcall_mask) != 0;
	u->rflags = flags_to_guest(v, r->rflags, u->saved_upcall_mask) | (u64)v->pv->iopl << 12;
	u->ds = v->pv->ds;
	u->es = v->pv->es;
	u->fs = v->pv->fs;
	u->gs = v->pv->gs;
}

static void tables_get(struct vcpu_guest_context *c, const struct pv_vcpu *pv)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(pv->traps); i++)
		c->trap_ctxt[i] = (struct trap_info){ .vector = (u8)i, .flags = pv->traps[i].flags,
						      .cs = pv->traps[i].cs, .address = pv->traps[i].address };
	c->ldt_base = pv->ldt_base;
	c->ldt_ents = pv->ldt_entries;
	for (u32 i = 0; i < descriptor_pages(pv->gdt_entries); i++)
		c->gdt_frames[i] = pv->gdt_frame[i].v;
	c->gdt_ents = pv->gdt_entries;
	c->kernel_ss = pv->kernel_ss;
	c->kernel_sp = pv->kernel_sp;
	c->event_callback_eip = pv->event_callback;
	c->failsafe_callback_eip = pv->failsafe_callback;
	c->syscall_callback_eip = pv->syscall_callback;
}

void pv_context_get(struct vcpu *v, void *ctxt)
{
	struct vcpu_guest_context *c = ctxt;
	const struct pv_vcpu *pv = v->pv;

	memset(c, 0, sizeof(*c));
	fpu_get_fxsave(v, c->fpu_ctxt.x);
	c->flags = VGCF_i387_valid;
	if (pv->kernel_mode)
		c->flags |= VGCF_in_kernel;
	if (pv->failsafe_masks_events)
		c->flags |= VGCF_failsafe_disables_events;
	if (pv->syscall_masks_events)
		c->flags |= VGCF_syscall_disables_events;
	if (!(READ_ONCE(v->pause_flags) & VPF_DOWN))
		c->flags |= VGCF_online;
	regs_get(&c->user_regs, v);
	tables_get(c, pv);
	c->ctrlreg[0] = pv_cr0_guest(v);
	if (!mfn_eq(pv->kernel_root, INVALID_MFN))
		c->ctrlreg[3] = xen_pfn_to_cr3(pv->kernel_root.v);
	/* Bit 0 tells that there is one. */
	if (!mfn_eq(pv->user_root, INVALID_MFN))
		c->ctrlreg[1] = xen_pfn_to_cr3(pv->user_root.v) | 1;
	c->ctrlreg[4] = pv_cr4_guest(v);
	for (unsigned int i = 0; i < ARRAY_SIZE(c->debugreg); i++)
		c->debugreg[i] = pv->dr[i];
	c->vm_assist = v->domain->vm_assist;
	c->fs_base = pv->fs_base;
	c->gs_base_kernel = pv->kernel_mode ? pv->gs_base : pv->gs_base_other;
	c->gs_base_user = pv->kernel_mode ? pv->gs_base_other : pv->gs_base;
}
