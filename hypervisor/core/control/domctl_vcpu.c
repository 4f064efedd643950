/* SPDX-License-Identifier: BSD-2-Clause */
/* domctl: state of single vCPUs. */
#include <hv/errno.h>
#include <hv/features.h>
#include <hv/frame.h>
#include <hv/guest.h>
#include <hv/pv.h>
#include <hv/sched.h>
#include <hv/string.h>
#include "control.h"

static long context_put(struct vcpu *actor, struct vcpu *v, const struct vcpu_guest_context *c)
{
	long rc;

	vcpu_pause(v);
	rc = v->domain->ops->context_set(actor, v, c);
	if (!rc) {
		v->initialised = true;
		if (c->flags & VGCF_online)
			__atomic_fetch_and(&v->pause_flags, ~VPF_DOWN, __ATOMIC_SEQ_CST);
		else
			__atomic_fetch_or(&v->pause_flags, VPF_DOWN, __ATOMIC_SEQ_CST);
	}
	vcpu_unpause(v);
	return rc;
}

long domctl_vcpu_context_set(struct vcpu *actor, struct domain *d, struct xen_domctl *op, bool *out)
{
	struct vcpu *v = domain_vcpu(d, op->u.vcpucontext.vcpu);
	struct vcpu_guest_context *c;
	long rc;

	(void)out;
	if (!v)
		return -ESRCH;
	if (!HANDLE(op->u.vcpucontext.ctxt)) {
		vcpu_pause(v);
		__atomic_fetch_or(&v->pause_flags, VPF_DOWN, __ATOMIC_SEQ_CST);
		v->initialised = false;
		vcpu_unpause(v);
		return 0;
	}
	c = hv_alloc(sizeof(*c));
	if (!c)
		return -ENOMEM;
	rc = guest_copy_in(actor, c, HANDLE(op->u.vcpucontext.ctxt), sizeof(*c)) ? -EFAULT : context_put(actor, v, c);
	hv_free(c);
	return rc;
}

long domctl_vcpu_context_get(struct vcpu *actor, struct domain *d, struct xen_domctl *op, bool *out)
{
	struct vcpu *v = domain_vcpu(d, op->u.vcpucontext.vcpu);
	struct vcpu_guest_context *c;
	long rc = 0;

	if (!v)
		return -ESRCH;
	if (!v->initialised)
		return -ENODATA;
	c = hv_alloc(sizeof(*c));
	if (!c)
		return -ENOMEM;
	vcpu_pause(v);
	d->ops->context_get(v, c);
	vcpu_unpause(v);
	if (guest_copy_out(actor, HANDLE(op->u.vcpucontext.ctxt), c, sizeof(*c)))
		rc = -EFAULT;
	hv_free(c);
	*out = true;
	return rc;
}

long domctl_vcpu_info(struct vcpu *actor, struct domain *d, struct xen_domctl *op, bool *out)
{
	struct xen_domctl_getvcpuinfo *info = &op->u.getvcpuinfo;
	struct vcpu *v = domain_vcpu(d, info->vcpu);

	(void)actor;
	if (!v)
		return -ESRCH;
	info->online = !(READ_ONCE(v->pause_flags) & VPF_DOWN);
	info->blocked = (READ_ONCE(v->pause_flags) & (VPF_BLOCKED | VPF_POLL)) != 0;
	info->running = READ_ONCE(v->running);
	info->cpu_time = vcpu_cpu_time(v);
	info->cpu = v->cpu;
	*out = true;
	return 0;
}

long domctl_affinity_set(struct vcpu *actor, struct domain *d, struct xen_domctl *op, bool *out)
{
	struct xen_domctl_vcpuaffinity *a = &op->u.vcpuaffinity;
	struct vcpu *v = domain_vcpu(d, a->vcpu);
	struct cpumask hard, soft;
	int rc;

	(void)out;
	if (!v)
		return -ESRCH;
	if (!(a->flags & (XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT)))
		return -EINVAL;
	if ((a->flags & XEN_VCPUAFFINITY_HARD) && control_map_in(actor, &hard, &a->cpumap_hard))
		return -EFAULT;
	if ((a->flags & XEN_VCPUAFFINITY_SOFT) && control_map_in(actor, &soft, &a->cpumap_soft))
		return -EFAULT;
	if (a->flags & XEN_VCPUAFFINITY_HARD) {
		rc = vcpu_affinity_set_hard(v, &hard);
		if (rc)
			return rc;
		vcpu_affinity_effective(v, &hard);
		if (control_map_out(actor, &a->cpumap_hard, &hard))
			return -EFAULT;
	}
	if (a->flags & XEN_VCPUAFFINITY_SOFT) {
		vcpu_affinity_set_soft(v, &soft);
		vcpu_affinity_effective(v, &hard);
		soft = cpumask_and(&soft, &hard);
		if (control_map_out(actor, &a->cpumap_soft, &soft))
			return -EFAULT;
	}
	return 0;
}

long domctl_affinity_get(struct vcpu *actor, struct domain *d, struct xen_domctl *op, bool *out)
{
	struct xen_domctl_vcpuaffinity *a = &op->u.vcpuaffinity;
	struct vcpu *v = domain_vcpu(d, a->vcpu);

	(void)out;
	if (!v)
		return -ESRCH;
	if ((a->flags & XEN_VCPUAFFINITY_HARD) && control_map_out(actor, &a->cpumap_hard, &v->hard_affinity))
		return -EFAULT;
	if ((a->flags & XEN_VCPUAFFINITY_SOFT) && control_map_out(actor, &a->cpumap_soft, &v->soft_affinity))
		return -EFAULT;
	return 0;
}

long domctl_ext_context_set(struct vcpu *actor, struct domain *d, struct xen_domctl *op, bool *out)
{
	const struct xen_domctl_ext_vcpucontext *e = &op->u.ext_vcpucontext;
	struct vcpu *v = domain_vcpu(d, e->vcpu);

	(void)actor;
	(void)out;
	if (!v)
		return -ESRCH;
	if (e->size < offsetof(struct xen_domctl_ext_vcpucontext, mcg_cap))
		return -EINVAL;
	/* SYSRET to an address that is not canonical would fault in the hypervisor. */
	if (!guest_range_ok(e->sysenter_callback_eip, 1) || !guest_range_ok(e->syscall32_callback_eip, 1))
		return -EINVAL;
	vcpu_pause(v);
	v->pv->sysenter_callback = e->sysenter_callback_eip;
	v->pv->sysenter_masks_events = e->sysenter_disables_events != 0;
	v->pv->syscall32_callback = e->syscall32_callback_eip;
	v->pv->syscall32_masks_events = e->syscall32_disables_events != 0;
	vcpu_unpause(v);
	return 0;
}

long domctl_ext_context_get(struct vcpu *actor, struct domain *d, struct xen_domctl *op, bool *out)
{
	struct xen_domctl_ext_vcpucontext *e = &op->u.ext_vcpucontext;
	struct vcpu *v = domain_vcpu(d, e->vcpu);
	u32 id = e->vcpu;

	(void)actor;
	if (!v)
		return -ESRCH;
	memset(e, 0, sizeof(*e));
	e->vcpu = id;
	e->size = sizeof(*e);
	e->sysenter_callback_eip = v->pv->sysenter_callback;
	e->sysenter_disables_events = v->pv->sysenter_masks_events;
	e->syscall32_callback_eip = v->pv->syscall32_callback;
	e->sysenter_callback_cs = e->syscall32_callback_cs = FLAT_RING3_CS64;
	e->syscall32_disables_events = v->pv->syscall32_masks_events;
	*out = true;
	return 0;
}

long domctl_xstate_get(struct vcpu *actor, struct domain *d, struct xen_domctl *op, bool *out)
{
	struct xen_domctl_vcpuextstate *x = &op->u.vcpuextstate;
	struct vcpu *v = domain_vcpu(d, x->vcpu);
	size_t size;
	void *buf;
	long rc = 0;

	if (!v)
		return -ESRCH;
	*out = true;
	size = xstate_record_size(v);
	x->xfeature_mask = xcr0_supported();
	if (!HANDLE(x->buffer) || !size) {
		x->size = size;
		return 0;
	}
	if (x->size != size)
		return -EINVAL;
	buf = hv_alloc(size);
	if (!buf)
		return -ENOMEM;
	vcpu_pause(v);
	xstate_record_get(v, buf);
	vcpu_unpause(v);
	if (guest_copy_out(actor, HANDLE(x->buffer), buf, size))
		rc = -EFAULT;
	hv_free(buf);
	return rc;
}

long domctl_xstate_set(struct vcpu *actor, struct domain *d, struct xen_domctl *op, bool *out)
{
	const struct xen_domctl_vcpuextstate *x = &op->u.vcpuextstate;
	struct vcpu *v = domain_vcpu(d, x->vcpu);
	void *buf;
	long rc;

	(void)out;
	if (!v)
		return -ESRCH;
	/* Only the two words in front: nothing was ever enabled. */
	if (x->size == 2 * sizeof(u64))
		return 0;
	if (x->size != xstate_record_size(v) || !x->size)
		return -EINVAL;
	buf = hv_alloc(x->size);
	if (!buf)
		return -ENOMEM;
	if (guest_copy_in(actor, buf, HANDLE(x->buffer), x->size)) {
		rc = -EFAULT;
	} else {
		vcpu_pause(v);
		rc = xstate_record_set(v, buf);
		vcpu_unpause(v);
	}
	hv_free(buf);
	return rc;
}

/* A PV guest has no MSR state beside what its context carries, so there is none to hand over. */
long domctl_msrs_get(struct vcpu *actor, struct domain *d, struct xen_domctl *op, bool *out)
{
	(void)actor;
	if (!domain_vcpu(d, op->u.vcpu_msrs.vcpu))
		return -ESRCH;
	op->u.vcpu_msrs.msr_count = 0;
	*out = true;
	return 0;
}

long domctl_msrs_set(struct vcpu *actor, struct domain *d, struct xen_domctl *op, bool *out)
{
	(void)actor;
	if (!domain_vcpu(d, op->u.vcpu_msrs.vcpu))
		return -ESRCH;
	if (!op->u.vcpu_msrs.msr_count)
		return 0;
	/* Which one is to blame: the first. */
	op->u.vcpu_msrs.msr_count = 0;
	*out = true;
	return -EINVAL;
}
