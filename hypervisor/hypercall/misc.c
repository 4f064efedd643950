/* SPDX-License-Identifier: BSD-2-Clause */
/* Small hypercalls: old forms of others, modes of the domain, and those that paravirtual guests ask for in vain. */
#include <hv/cpu.h>
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/guest.h>
#include <hv/hypercall.h>
#include <hv/pv.h>
#include <xen/arch-x86/xen-mca.h>
#include <xen/event_channel.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>

long do_event_channel_op_compat(struct vcpu *v, u64 *args)
{
	gva_t op = args[0];
	u32 cmd;
	u64 inner[6] = { 0 };

	if (guest_copy_in(v, &cmd, op + offsetof(struct evtchn_op, cmd), sizeof(cmd)))
		return -EFAULT;
	/* Not among the operations of the old form; and it could not be restarted. */
	if (cmd > EVTCHNOP_unmask)
		return -ENOSYS;
	inner[0] = cmd;
	inner[1] = op + offsetof(struct evtchn_op, u);
	return do_event_channel_op(v, inner);
}

long do_vm_assist(struct vcpu *v, u64 *args)
{
	u32 cmd = (u32)args[0];
	u64 type = args[1];

	if (cmd != VMASST_CMD_enable && cmd != VMASST_CMD_disable)
		return -ENOSYS;
	if (type >= 64 || !(PV_VM_ASSIST >> type & 1))
		return -EINVAL;
	if (cmd == VMASST_CMD_enable)
		__atomic_fetch_or(&v->domain->vm_assist, 1ul << type, __ATOMIC_SEQ_CST);
	else
		__atomic_fetch_and(&v->domain->vm_assist, ~(1ul << type), __ATOMIC_SEQ_CST);
	return 0;
}

long do_xsm_op(struct vcpu *v, u64 *args)
{
	(void)v;
	(void)args;
	return -ENOSYS;
}

long do_kexec_op(struct vcpu *v, u64 *args)
{
	(void)args;
	return is_privileged(v) ? -ENOSYS : -EPERM;
}

/* Parameters of HVM domains: there are none, but toolstacks ask about any domain. */
long do_hvm_op(struct vcpu *v, u64 *args)
{
	struct xen_hvm_param p;
	struct domain *d;

	if (args[0] != HVMOP_get_param && args[0] != HVMOP_set_param)
		return -ENOSYS;
	if (guest_copy_in(v, &p, args[1], sizeof(p)))
		return -EFAULT;
	if (p.domid != DOMID_SELF && p.domid != v->domain->id && !is_privileged(v))
		return -EPERM;
	d = domain_get_by_any_id(v, p.domid);
	if (!d)
		return -ESRCH;
	domain_put(d);
	return -EINVAL;
}

static long mca_cpus(struct vcpu *v, struct xen_mc_physcpuinfo *op)
{
	unsigned int cpu;
	u32 n = 0;

	for_each_cpu(cpu, &cpu_online_map) {
		const struct cpu_topology *t = &cpu_topology[cpu];
		struct mcinfo_logical_cpu info = { .mc_cpunr = cpu, .mc_chipid = t->socket, .mc_coreid = (u16)t->core,
						   .mc_apicid = t->apic_id };

		if (op->info.p && n < op->ncpus && guest_array_out(v, op->info.p, n, &info))
			return -EFAULT;
		n++;
	}
	op->ncpus = op->info.p ? MIN(n, op->ncpus) : n;
	return 0;
}

/* Machine-check records: machine checks stop the machine, so there never is anything to fetch. */
long do_mca(struct vcpu *v, u64 *args)
{
	struct xen_mc op;
	long rc = 0;

	if (!is_privileged(v))
		return -EPERM;
	if (guest_copy_in(v, &op, args[0], sizeof(op)))
		return -EFAULT;
	if (op.interface_version != XEN_MCA_INTERFACE_VERSION)
		return -EACCES;
	switch (op.cmd) {
	case XEN_MC_fetch:
		op.u.mc_fetch.flags = op.u.mc_fetch.flags & XEN_MC_ACK ? XEN_MC_OK : XEN_MC_NODATA;
		op.u.mc_fetch.fetch_id = 0;
		break;
	case XEN_MC_physcpuinfo:
		rc = mca_cpus(v, &op.u.mc_physcpuinfo);
		break;
	default:
		return -EOPNOTSUPP;
	}
	if (!rc && guest_copy_out(v, args[0], &op, sizeof(op)))
		rc = -EFAULT;
	return rc;
}
