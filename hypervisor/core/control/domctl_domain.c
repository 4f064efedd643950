/* SPDX-License-Identifier: BSD-2-Clause */
/* domctl: life and properties of whole domains. */
#include <hv/errno.h>
#include <hv/event.h>
#include <hv/frame.h>
#include <hv/guest.h>
#include <hv/policy.h>
#include <hv/pv.h>
#include <hv/sched.h>
#include <hv/string.h>
#include <hv/time.h>
#include "control.h"
#include "../domain_private.h"

#define KIB_PER_PAGE 4u

long domctl_create(struct vcpu *v, struct domain *none, struct xen_domctl *op, bool *out)
{
	domid_t id = op->domain >= DOMID_FIRST_RESERVED || op->domain == 0 ? DOMID_INVALID : op->domain;
	struct domain *d;
	int rc;

	(void)v;
	(void)none;
	if (op->u.createdomain.flags & XEN_DOMCTL_CDF_hvm)
		return -EOPNOTSUPP;
	rc = domain_create(id, &op->u.createdomain, false, &d);
	if (rc)
		return rc;
	op->domain = d->id;
	*out = true;
	domain_put(d);
	return 0;
}

long domctl_destroy(struct vcpu *v, struct domain *d, struct xen_domctl *op, bool *out)
{
	(void)op;
	(void)out;
	return domain_kill(v, d);
}

long domctl_pause(struct vcpu *v, struct domain *d, struct xen_domctl *op, bool *out)
{
	(void)v;
	(void)op;
	(void)out;
	spin_lock(&d->lock);
	d->controller_pause_count++;
	spin_unlock(&d->lock);
	domain_pause(d);
	return 0;
}

long domctl_unpause(struct vcpu *v, struct domain *d, struct xen_domctl *op, bool *out)
{
	bool was;

	(void)v;
	(void)op;
	(void)out;
	spin_lock(&d->lock);
	was = d->controller_pause_count > 0;
	if (was)
		d->controller_pause_count--;
	spin_unlock(&d->lock);
	if (!was)
		return -EINVAL;
	d->created = true;
	domain_unpause(d);
	return 0;
}

long domctl_resume(struct vcpu *v, struct domain *d, struct xen_domctl *op, bool *out)
{
	(void)v;
	(void)op;
	(void)out;
	domain_resume(d);
	return 0;
}

/* Flags and counters that depend on the vCPUs. */
static void info_vcpus(struct domain *d, struct xen_domctl_getdomaininfo *info)
{
	u32 flags = XEN_DOMINF_blocked;
	struct vcpu *v;

	for_each_vcpu(d, v) {
		u32 pause = READ_ONCE(v->pause_flags);

		info->cpu_time += vcpu_cpu_time(v);
		info->max_vcpu_id = v->id;
		if (pause & VPF_DOWN)
			continue;
		if (!(pause & VPF_BLOCKED))
			flags &= ~XEN_DOMINF_blocked;
		if (READ_ONCE(v->running))
			flags |= XEN_DOMINF_running;
		info->nr_online_vcpus++;
	}
	info->flags |= info->nr_online_vcpus ? flags : flags & ~XEN_DOMINF_blocked;
}

void domain_info_fill(struct domain *d, struct xen_domctl_getdomaininfo *info)
{
	memset(info, 0, sizeof(*info));
	info->domain = d->id;
	info->max_vcpu_id = XEN_INVALID_MAX_VCPU_ID;
	info_vcpus(d, info);
	if (d->life != DOMAIN_LIVE)
		info->flags |= XEN_DOMINF_dying;
	if (d->is_shut_down)
		info->flags |= XEN_DOMINF_shutdown;
	if (d->controller_pause_count)
		info->flags |= XEN_DOMINF_paused;
	if (d->debugger_attached)
		info->flags |= XEN_DOMINF_debugged;
	if (d->create_flags & XEN_DOMCTL_CDF_xs_domain)
		info->flags |= XEN_DOMINF_xs_domain;
	if (d->shutdown_code != SHUTDOWN_CODE_NONE)
		info->flags |= (d->shutdown_code & XEN_DOMINF_shutdownmask) << XEN_DOMINF_shutdownshift;
	info->ssidref = d->ssidref;
	info->tot_pages = READ_ONCE(d->memory.pages);
	info->max_pages = d->memory.max;
	info->outstanding_pages = d->memory.claim;
	info->shared_info_frame = d->shared ? virt_mfn(d->shared).v : ~0UL;
	memcpy(info->handle, d->handle, sizeof(info->handle));
	info->cpupool = d->cpupool;
	info->arch_config.emulation_flags = 0;
	info->gpaddr_bits = 40;
}

/* The domain with that number or, since callers walk all domains by it, the next one. */
long domctl_info(struct vcpu *v, struct domain *none, struct xen_domctl *op, bool *out)
{
	struct domain *d = op->domain == DOMID_SELF ? domain_get_by_any_id(v, DOMID_SELF) : domain_next(op->domain);

	(void)none;
	if (!d)
		return -ESRCH;
	domain_info_fill(d, &op->u.getdomaininfo);
	op->domain = d->id;
	*out = true;
	domain_put(d);
	return 0;
}

/* vCPUs exist from here on, all of them or none; the number is that of the domain's creation. */
long domctl_max_vcpus(struct vcpu *actor, struct domain *d, struct xen_domctl *op, bool *out)
{
	struct vcpu *v;
	int rc;

	(void)actor;
	(void)out;
	if (op->u.max_vcpus.max != d->max_vcpus)
		return -EINVAL;
	if (d->vcpu[0])
		return 0;
	for (u32 id = 0; id < d->max_vcpus; id++) {
		rc = vcpu_create(d, id, sched_first_cpu(d, id), &v);
		if (rc)
			goto out_free;
	}
	return 0;

out_free:
	for_each_vcpu(d, v)
		vcpu_free(v);
	return rc;
}

long domctl_max_mem(struct vcpu *v, struct domain *d, struct xen_domctl *op, bool *out)
{
	u64 pages = op->u.max_mem.max_memkb / KIB_PER_PAGE;

	(void)v;
	(void)out;
	/* Less than it has is fine: it may give memory back and not take any. */
	spin_lock(&d->memory.lock);
	d->memory.max = pages;
	spin_unlock(&d->memory.lock);
	return 0;
}

long domctl_handle(struct vcpu *v, struct domain *d, struct xen_domctl *op, bool *out)
{
	(void)v;
	(void)out;
	memcpy(d->handle, op->u.setdomainhandle.handle, sizeof(d->handle));
	return 0;
}

long domctl_debugging(struct vcpu *v, struct domain *d, struct xen_domctl *op, bool *out)
{
	(void)v;
	(void)out;
	domain_pause(d);
	d->debugger_attached = op->u.setdebugging.enable != 0;
	domain_unpause(d);
	return 0;
}

long domctl_time_offset(struct vcpu *v, struct domain *d, struct xen_domctl *op, bool *out)
{
	(void)v;
	(void)out;
	d->wallclock_offset = op->u.settimeoffset.time_offset_seconds;
	wallclock_update(d);
	return 0;
}

long domctl_address_size_set(struct vcpu *v, struct domain *d, struct xen_domctl *op, bool *out)
{
	(void)v;
	(void)d;
	(void)out;
	/* 32-bit PV kernels are not run: their ABI (segments, callbacks, three-level tables) is not offered. */
	return op->u.address_size.size == 64 ? 0 : -EOPNOTSUPP;
}

long domctl_address_size_get(struct vcpu *v, struct domain *d, struct xen_domctl *op, bool *out)
{
	(void)v;
	(void)d;
	op->u.address_size.size = 64;
	*out = true;
	return 0;
}

long domctl_hypercall_init(struct vcpu *v, struct domain *d, struct xen_domctl *op, bool *out)
{
	mfn_t m = mfn(op->u.hypercall_init.gmfn);
	void *page;

	(void)out;
	if (!frame_valid(m))
		return -EINVAL;
	if (!frame_get_writable(v, frame_of(m), d))
		return -EINVAL;
	page = frame_map(m);
	pv_hypercall_page_fill(page);
	frame_unmap(page);
	frame_put_writable(frame_of(m));
	return 0;
}

long domctl_trigger(struct vcpu *actor, struct domain *d, struct xen_domctl *op, bool *out)
{
	struct vcpu *v = domain_vcpu(d, op->u.sendtrigger.vcpu);

	(void)actor;
	(void)out;
	if (!v)
		return -ESRCH;
	if (op->u.sendtrigger.trigger != XEN_DOMCTL_SENDTRIGGER_NMI)
		return -ENOSYS;
	WRITE_ONCE(v->nmi_pending, 1);
	vcpu_unblock(v);
	vcpu_kick(v);
	return 0;
}

long domctl_subscribe(struct vcpu *v, struct domain *d, struct xen_domctl *op, bool *out)
{
	(void)v;
	(void)out;
	d->suspend_port = op->u.subscribe.port;
	return 0;
}

long domctl_virq_handler(struct vcpu *v, struct domain *d, struct xen_domctl *op, bool *out)
{
	(void)v;
	(void)out;
	return event_set_virq_handler(d, op->u.set_virq_handler.virq);
}

long domctl_target(struct vcpu *v, struct domain *d, struct xen_domctl *op, bool *out)
{
	struct domain *target = domain_get_by_id(op->u.set_target.target);
	long rc = 0;

	(void)v;
	(void)out;
	if (!target)
		return -ESRCH;
	if (target == d || d->target)
		rc = -EINVAL;
	else
		d->target = target;
	if (rc)
		domain_put(target);
	return rc;
}

long domctl_node_affinity_set(struct vcpu *v, struct domain *d, struct xen_domctl *op, bool *out)
{
	struct cpumask nodes;

	(void)out;
	if (control_map_in(v, &nodes, &op->u.nodeaffinity.nodemap))
		return -EFAULT;
	if (!nodes.bits[0])
		return -EINVAL;
	d->node_affinity = nodes.bits[0];
	sched_node_affinity_changed(d);
	return 0;
}

long domctl_node_affinity_get(struct vcpu *v, struct domain *d, struct xen_domctl *op, bool *out)
{
	struct cpumask nodes = cpumask_none();

	(void)out;
	nodes.bits[0] = d->node_affinity ? d->node_affinity : ~0UL;
	return control_map_out(v, &op->u.nodeaffinity.nodemap, &nodes);
}
