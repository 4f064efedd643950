/* SPDX-License-Identifier: BSD-2-Clause */
/* HYPERVISOR_domctl: one table, from command to handler. */
#include <hv/errno.h>
#include <hv/guest.h>
#include <hv/hypercall.h>
#include "control.h"

#define NO_DOMAIN 1u	/* the handler looks the domain up itself, or needs none */
#define NOT_SELF 2u	/* never the actor's own domain */
#define LIVING 4u	/* gives the domain something: refused once its teardown has begun, which would not take it back */

struct entry {
	domctl_fn *fn;
	u32 flags;
};

/* Known, and of no use for PV guests or not offered: a clear refusal. */
static long refuse(struct vcpu *v, struct domain *d, struct xen_domctl *op, bool *out)
{
	(void)v;
	(void)d;
	(void)op;
	(void)out;
	return -EOPNOTSUPP;
}

#define OFF(n) [XEN_DOMCTL_##n] = { refuse, 0 }

static const struct entry table[] = {
	[XEN_DOMCTL_createdomain] = { domctl_create, NO_DOMAIN },
	[XEN_DOMCTL_destroydomain] = { domctl_destroy, NOT_SELF },
	[XEN_DOMCTL_pausedomain] = { domctl_pause, NOT_SELF },
	[XEN_DOMCTL_unpausedomain] = { domctl_unpause, 0 },
	[XEN_DOMCTL_getdomaininfo] = { domctl_info, NO_DOMAIN },
	[XEN_DOMCTL_resumedomain] = { domctl_resume, NOT_SELF },
	[XEN_DOMCTL_max_vcpus] = { domctl_max_vcpus, LIVING },
	[XEN_DOMCTL_max_mem] = { domctl_max_mem, 0 },
	[XEN_DOMCTL_setdomainhandle] = { domctl_handle, 0 },
	[XEN_DOMCTL_setdebugging] = { domctl_debugging, NOT_SELF },
	[XEN_DOMCTL_settimeoffset] = { domctl_time_offset, 0 },
	[XEN_DOMCTL_set_address_size] = { domctl_address_size_set, 0 },
	[XEN_DOMCTL_get_address_size] = { domctl_address_size_get, 0 },
	[XEN_DOMCTL_hypercall_init] = { domctl_hypercall_init, LIVING },
	[XEN_DOMCTL_sendtrigger] = { domctl_trigger, 0 },
	[XEN_DOMCTL_subscribe] = { domctl_subscribe, LIVING },
	[XEN_DOMCTL_set_virq_handler] = { domctl_virq_handler, LIVING },
	[XEN_DOMCTL_set_target] = { domctl_target, NOT_SELF | LIVING },
	OFF(set_access_required),
	[XEN_DOMCTL_setnodeaffinity] = { domctl_node_affinity_set, 0 },
	[XEN_DOMCTL_getnodeaffinity] = { domctl_node_affinity_get, 0 },
	[XEN_DOMCTL_setvcpucontext] = { domctl_vcpu_context_set, NOT_SELF | LIVING },
	[XEN_DOMCTL_getvcpucontext] = { domctl_vcpu_context_get, NOT_SELF },
	[XEN_DOMCTL_getvcpuinfo] = { domctl_vcpu_info, 0 },
	[XEN_DOMCTL_setvcpuaffinity] = { domctl_affinity_set, 0 },
	[XEN_DOMCTL_getvcpuaffinity] = { domctl_affinity_get, 0 },
	[XEN_DOMCTL_set_ext_vcpucontext] = { domctl_ext_context_set, NOT_SELF | LIVING },
	[XEN_DOMCTL_get_ext_vcpucontext] = { domctl_ext_context_get, NOT_SELF },
	[XEN_DOMCTL_setvcpuextstate] = { domctl_xstate_set, NOT_SELF },
	[XEN_DOMCTL_getvcpuextstate] = { domctl_xstate_get, NOT_SELF },
	[XEN_DOMCTL_set_vcpu_msrs] = { domctl_msrs_set, NOT_SELF },
	[XEN_DOMCTL_get_vcpu_msrs] = { domctl_msrs_get, NOT_SELF },
	[XEN_DOMCTL_scheduler_op] = { domctl_sched, 0 },
	[XEN_DOMCTL_irq_permission] = { domctl_irq_permission, LIVING },
	[XEN_DOMCTL_iomem_permission] = { domctl_iomem_permission, LIVING },
	[XEN_DOMCTL_ioport_permission] = { domctl_ioport_permission, LIVING },
	[XEN_DOMCTL_getpageframeinfo3] = { domctl_page_info, 0 },
	[XEN_DOMCTL_cacheflush] = { domctl_cache_flush, 0 },
	[XEN_DOMCTL_set_cpu_policy] = { domctl_policy_set, NOT_SELF },
	[XEN_DOMCTL_get_cpu_policy] = { domctl_policy_get, 0 },
	[XEN_DOMCTL_settscinfo] = { domctl_tsc_set, NOT_SELF },
	[XEN_DOMCTL_gettscinfo] = { domctl_tsc_get, NOT_SELF },
	[XEN_DOMCTL_shadow_op] = { domctl_shadow, NOT_SELF },
	[XEN_DOMCTL_get_paging_mempool_size] = { domctl_pool_get, 0 },
	[XEN_DOMCTL_set_paging_mempool_size] = { domctl_pool_set, NOT_SELF },
	OFF(gethvmcontext), OFF(sethvmcontext), OFF(gethvmcontext_partial), OFF(assign_device),
	OFF(deassign_device), OFF(test_assign_device), OFF(get_device_group), OFF(bind_pt_irq), OFF(unbind_pt_irq),
	OFF(memory_mapping), OFF(ioport_mapping), OFF(debug_op), OFF(audit_p2m), OFF(set_broken_page_p2m), OFF(setvnumainfo),
	OFF(psr_cmt_op), OFF(psr_alloc), OFF(monitor_op), OFF(vm_event_op), OFF(mem_sharing_op), OFF(soft_reset), OFF(vuart_op),
	OFF(vmtrace_op),
};

static long run(struct vcpu *v, const struct entry *e, struct xen_domctl *op, bool *out)
{
	struct domain *d = NULL;
	long rc;

	if (!(e->flags & NO_DOMAIN)) {
		d = domain_get_by_any_id(v, op->domain);
		if (!d)
			return -ESRCH;
		/* The state of life changes under the control lock only. */
		if (((e->flags & NOT_SELF) && d == v->domain) || ((e->flags & LIVING) && d->life != DOMAIN_LIVE)) {
			domain_put(d);
			return -EINVAL;
		}
	}
	rc = e->fn(v, d, op, out);
	if (d)
		domain_put(d);
	return rc;
}

long do_domctl(struct vcpu *v, u64 *args)
{
	struct xen_domctl op;
	bool out = false;
	long rc;

	if (!is_privileged(v))
		return -EPERM;
	if (guest_copy_in(v, &op, args[0], sizeof(op)))
		return -EFAULT;
	if (op.interface_version != XEN_DOMCTL_INTERFACE_VERSION)
		return -EACCES;
	if (op.cmd >= ARRAY_SIZE(table) || !table[op.cmd].fn)
		return -ENOSYS;
	if (!control_lock())
		return -ERESTART;
	rc = run(v, &table[op.cmd], &op, &out);
	control_unlock();
	if (out && guest_copy_out(v, args[0], &op, sizeof(op)))
		rc = -EFAULT;
	return rc;
}
