/* SPDX-License-Identifier: BSD-2-Clause */
/* Weak stand-ins for the parts of arch/x86/pv that need a real CPU: vCPU state, descriptor windows, exceptions. */
#include <hv/errno.h>
#include <hv/pci.h>
#include <hv/pv.h>
#include "../../../hypervisor/arch/x86/pv/emulate.h"
#include "sim_private.h"

#define STAND_IN __attribute__((weak))

STAND_IN int pv_vcpu_init(struct vcpu *v)
{
	v->pv = hv_alloc(sizeof(*v->pv));
	if (!v->pv)
		return -ENOMEM;
	v->pv->kernel_mode = true;
	v->pv->kernel_root = v->pv->user_root = INVALID_MFN;
	return 0;
}

STAND_IN void pv_vcpu_free(struct vcpu *v)
{
	hv_free(v->pv);
	v->pv = NULL;
}

STAND_IN void pv_context_save(struct vcpu *v)
{
	(void)v;
}

STAND_IN void pv_context_load(struct vcpu *v, struct vcpu *prev)
{
	(void)prev;
	pv_cr3_load(v);
}

STAND_IN int pv_context_set(struct vcpu *actor, struct vcpu *v, const void *ctxt)
{
	(void)actor;
	(void)v;
	(void)ctxt;
	return -ENOSYS;
}

STAND_IN void pv_context_get(struct vcpu *v, void *ctxt)
{
	(void)v;
	(void)ctxt;
}

STAND_IN bool pv_exit_work(struct vcpu *v, struct regs *r)
{
	(void)v;
	(void)r;
	return false;
}

STAND_IN int pv_ldt_set(struct vcpu *v, gva_t base, u32 entries)
{
	if (entries > 8192 || (base & ~PAGE_MASK))
		return -EINVAL;
	v->pv->ldt_base = base;
	v->pv->ldt_entries = entries;
	return 0;
}

STAND_IN void pv_descriptors_drop(struct vcpu *actor, struct vcpu *v)
{
	(void)actor;
	(void)v;
}

STAND_IN void pv_instruction_done(struct vcpu *v, struct regs *r, u32 len)
{
	(void)v;
	r->rip += len;
}

STAND_IN bool pci_frame_readonly(mfn_t m)
{
	(void)m;
	return false;
}
