/* SPDX-License-Identifier: BSD-2-Clause */
/* Hypercalls by which a guest kernel says where it wants to be entered: trap table, callbacks, kernel stack. */
#include <hv/compiler.h>
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/frame.h>
#include <hv/guest.h>
#include <hv/hypercall.h>
#include <hv/pv.h>
#include <hv/string.h>
#include <hv/x86.h>
#include <xen/callback.h>
#include <xen/nmi.h>

/* Each vector may be given several times, but a table without an end must stop somewhere. */
#define TRAP_TABLE_MAX 1024u

/* Copies the guest's entries over `traps`, until the one with address 0. */
static int must_check traps_copy_in(struct vcpu *v, struct pv_trap *traps, gva_t table)
{
	for (u32 i = 0; i < TRAP_TABLE_MAX; i++) {
		struct trap_info t;

		if (guest_array_in(v, &t, table, i))
			return -EFAULT;
		if (!t.address)
			return 0;
		if (!is_canonical(t.address))
			return -EINVAL;
		traps[t.vector] = (struct pv_trap){ .address = t.address, .cs = t.cs | 3, .flags = t.flags & 7 };
	}
	return -E2BIG;
}

long do_set_trap_table(struct vcpu *v, u64 *args)
{
	struct pv_vcpu *pv = v->pv;
	struct pv_trap *copy;
	int rc;

	if (!args[0]) {
		memset(pv->traps, 0, sizeof(pv->traps));
		return 0;
	}
	copy = hv_alloc(sizeof(pv->traps));
	if (!copy)
		return -ENOMEM;
	memcpy(copy, pv->traps, sizeof(pv->traps));
	rc = traps_copy_in(v, copy, args[0]);
	if (!rc)
		memcpy(pv->traps, copy, sizeof(pv->traps));
	hv_free(copy);
	return rc;
}

long do_set_callbacks(struct vcpu *v, u64 *args)
{
	struct pv_vcpu *pv = v->pv;

	if (!is_canonical(args[0]) || !is_canonical(args[1]) || !is_canonical(args[2]))
		return -EINVAL;
	pv->event_callback = args[0];
	pv->failsafe_callback = args[1];
	pv->syscall_callback = args[2];
	return 0;
}

/* NMIs and vector 2 are the same thing; the entry always masks events. */
static void nmi_callback_set(struct vcpu *v, u64 address)
{
	v->pv->traps[TRAP_NMI] = (struct pv_trap){ .address = address, .cs = FLAT_KERNEL_CS64, .flags = 4 };
}

static long callback_register(struct vcpu *v, const struct callback_register *c)
{
	struct pv_vcpu *pv = v->pv;
	bool mask = (c->flags & CALLBACKF_mask_events) != 0;

	if (!is_canonical(c->address))
		return -EINVAL;
	switch (c->type) {
	case CALLBACKTYPE_event:
		pv->event_callback = c->address;
		return 0;
	case CALLBACKTYPE_failsafe:
		pv->failsafe_callback = c->address;
		pv->failsafe_masks_events = mask;
		return 0;
	case CALLBACKTYPE_syscall:
		pv->syscall_callback = c->address;
		pv->syscall_masks_events = mask;
		return 0;
	case CALLBACKTYPE_syscall32:
		pv->syscall32_callback = c->address;
		pv->syscall32_masks_events = mask;
		return 0;
	case CALLBACKTYPE_sysenter:
		pv->sysenter_callback = c->address;
		pv->sysenter_masks_events = mask;
		return 0;
	case CALLBACKTYPE_nmi:
		nmi_callback_set(v, c->address);
		return 0;
	default:
		return -ENOSYS;
	}
}

static long callback_unregister(struct vcpu *v, u16 type)
{
	switch (type) {
	case CALLBACKTYPE_event:
	case CALLBACKTYPE_failsafe:
	case CALLBACKTYPE_syscall:
	case CALLBACKTYPE_syscall32:
	case CALLBACKTYPE_sysenter:
		return -EINVAL;
	case CALLBACKTYPE_nmi:
		nmi_callback_set(v, 0);
		return 0;
	default:
		return -ENOSYS;
	}
}

long do_callback_op(struct vcpu *v, u64 *args)
{
	struct callback_register reg;
	struct callback_unregister unreg;

	switch ((u32)args[0]) {
	case CALLBACKOP_register:
		if (guest_copy_in(v, &reg, args[1], sizeof(reg)))
			return -EFAULT;
		return callback_register(v, &reg);
	case CALLBACKOP_unregister:
		if (guest_copy_in(v, &unreg, args[1], sizeof(unreg)))
			return -EFAULT;
		return callback_unregister(v, unreg.type);
	default:
		return -ENOSYS;
	}
}

long do_nmi_op(struct vcpu *v, u64 *args)
{
	struct xennmi_callback cb;

	/* Hardware NMIs are told to the first vCPU of the domain that owns the machine. */
	switch ((u32)args[0]) {
	case XENNMI_register_callback:
		if (guest_copy_in(v, &cb, args[1], sizeof(cb)))
			return -EFAULT;
		if (!is_privileged(v) || v->id != 0 || !is_canonical(cb.handler_address))
			return -EINVAL;
		nmi_callback_set(v, cb.handler_address);
		return 0;
	case XENNMI_unregister_callback:
		nmi_callback_set(v, 0);
		return 0;
	default:
		return -ENOSYS;
	}
}

/* The stack is looked at when it is used: a bad one crashes the domain then. */
long do_stack_switch(struct vcpu *v, u64 *args)
{
	v->pv->kernel_ss = (u16)args[0] | 3;
	v->pv->kernel_sp = args[1];
	return 0;
}
