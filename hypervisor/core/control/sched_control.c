/* SPDX-License-Identifier: BSD-2-Clause */
/* domctl and sysctl: schedulers and CPU pools. */
#include <hv/cpu.h>
#include <hv/errno.h>
#include <hv/guest.h>
#include <hv/sched.h>
#include "control.h"

/* A vCPU list is handled in pieces of this many, so that the work is bounded. */
#define VCPU_PIECE 64u
#define CAP_KEEP 0xffffu

/* weight 0 and cap 65535 leave the present value. Credit and credit2 records have the same layout. */
static long params_put(struct domain *d, const struct xen_domctl_sched_credit2 *c)
{
	struct sched_params p;
	int rc = sched_params_get(d, &p);

	if (rc)
		return rc;
	if (c->weight)
		p.weight = c->weight;
	if (c->cap != CAP_KEEP)
		p.cap = c->cap;
	return sched_params_set(d, &p);
}

static long params_get(struct domain *d, struct xen_domctl_sched_credit2 *c)
{
	struct sched_params p;
	int rc = sched_params_get(d, &p);

	if (rc)
		return rc;
	c->weight = (u16)p.weight;
	c->cap = (u16)p.cap;
	return 0;
}

/* Parameters of single vCPUs: all are the domain's. */
static long vcpus_get(struct vcpu *v, struct domain *d, struct xen_domctl_scheduler_op *s)
{
	u32 done = 0;

	for (; done < MIN(s->u.v.nr_vcpus, VCPU_PIECE); done++) {
		xen_domctl_schedparam_vcpu_t e;
		long rc;

		if (guest_array_in(v, &e, HANDLE(s->u.v.vcpus), done))
			return -EFAULT;
		if (!domain_vcpu(d, e.vcpuid))
			return -EINVAL;
		rc = params_get(d, &e.u.credit2);
		if (rc)
			return rc;
		if (guest_array_out(v, HANDLE(s->u.v.vcpus), done, &e))
			return -EFAULT;
	}
	s->u.v.nr_vcpus = done;
	return 0;
}

long domctl_sched(struct vcpu *v, struct domain *d, struct xen_domctl *op, bool *out)
{
	struct xen_domctl_scheduler_op *s = &op->u.scheduler_op;

	if (sched_id(d->cpupool) != (int)s->sched_id)
		return -EINVAL;
	*out = true;
	switch (s->cmd) {
	case XEN_DOMCTL_SCHEDOP_putinfo:
		return params_put(d, &s->u.credit2);
	case XEN_DOMCTL_SCHEDOP_getinfo:
		return params_get(d, &s->u.credit2);
	case XEN_DOMCTL_SCHEDOP_getvcpuinfo:
		return vcpus_get(v, d, s);
	case XEN_DOMCTL_SCHEDOP_putvcpuinfo:
		return -EOPNOTSUPP;
	default:
		return -EINVAL;
	}
}

long sysctl_sched_id(struct vcpu *v, struct xen_sysctl *op, bool *out)
{
	(void)v;
	op->u.sched_id.sched_id = (u32)sched_id(0);
	*out = true;
	return 0;
}

long sysctl_sched_op(struct vcpu *v, struct xen_sysctl *op, bool *out)
{
	struct xen_sysctl_scheduler_op *s = &op->u.scheduler_op;
	bool credit2 = s->sched_id == XEN_SCHEDULER_CREDIT2;
	struct sched_pool_params p;
	int rc;

	(void)v;
	if (sched_id(s->cpupool_id) != (int)s->sched_id)
		return -EINVAL;
	rc = sched_pool_params_get(s->cpupool_id, &p);
	if (rc)
		return rc;
	if (s->cmd == XEN_SYSCTL_SCHEDOP_putinfo) {
		p.ratelimit_us = credit2 ? s->u.sched_credit2.ratelimit_us : s->u.sched_credit.ratelimit_us;
		if (!credit2)
			p.slice_ms = s->u.sched_credit.tslice_ms;
		rc = sched_pool_params_set(s->cpupool_id, &p);
		if (rc)
			return rc;
	} else if (s->cmd != XEN_SYSCTL_SCHEDOP_getinfo) {
		return -EINVAL;
	}
	if (credit2) {
		s->u.sched_credit2.ratelimit_us = p.ratelimit_us;
	} else {
		s->u.sched_credit.tslice_ms = p.slice_ms;
		s->u.sched_credit.ratelimit_us = p.ratelimit_us;
		s->u.sched_credit.vcpu_migr_delay_us = 0;
	}
	*out = true;
	return 0;
}

static long pool_create(struct xen_sysctl_cpupool_op *p, bool *out)
{
	int rc = cpupool_create(p->cpupool_id == XEN_SYSCTL_CPUPOOL_PAR_ANY ? CPUPOOL_NONE : p->cpupool_id, p->sched_id);

	if (rc < 0)
		return rc;
	p->cpupool_id = (u32)rc;
	*out = true;
	return 0;
}

static long pool_info(struct vcpu *v, struct xen_sysctl_cpupool_op *p, bool *out)
{
	struct cpupool_info info;

	if (!cpupool_next(p->cpupool_id, &info))
		return -ENOENT;
	p->cpupool_id = info.id;
	p->sched_id = info.sched_id;
	p->n_dom = info.domains;
	*out = true;
	return control_map_out(v, &p->cpumap, &info.cpus);
}

static long pool_cpu_add(struct xen_sysctl_cpupool_op *p)
{
	struct cpumask free = cpupool_free_cpus();
	u32 cpu = p->cpu == XEN_SYSCTL_CPUPOOL_PAR_ANY ? cpumask_next(&free, 0) : p->cpu;

	if (cpu >= MAX_CPUS)
		return p->cpu == XEN_SYSCTL_CPUPOOL_PAR_ANY ? -EBUSY : -EINVAL;
	return cpupool_cpu_add(p->cpupool_id, cpu);
}

static long pool_cpu_remove(struct xen_sysctl_cpupool_op *p)
{
	struct cpupool_info info;
	u32 cpu = p->cpu;

	if (cpu == XEN_SYSCTL_CPUPOOL_PAR_ANY) {
		if (!cpupool_next(p->cpupool_id, &info) || info.id != p->cpupool_id)
			return -ENOENT;
		for (u32 i = 0; i < MAX_CPUS; i++)
			if (cpumask_test(&info.cpus, i))
				cpu = i;
	}
	return cpu >= MAX_CPUS ? -EINVAL : cpupool_cpu_remove(p->cpupool_id, cpu);
}

static long pool_domain_move(struct vcpu *v, const struct xen_sysctl_cpupool_op *p)
{
	struct domain *d = p->domid < DOMID_FIRST_RESERVED ? domain_get_by_id((domid_t)p->domid) : NULL;
	long rc;

	if (!d)
		return -ESRCH;
	rc = d == v->domain ? -EINVAL : cpupool_domain_move(d, p->cpupool_id);
	domain_put(d);
	return rc;
}

long sysctl_pools(struct vcpu *v, struct xen_sysctl *op, bool *out)
{
	struct xen_sysctl_cpupool_op *p = &op->u.cpupool_op;
	struct cpumask free;

	switch (p->op) {
	case XEN_SYSCTL_CPUPOOL_OP_CREATE:
		return pool_create(p, out);
	case XEN_SYSCTL_CPUPOOL_OP_DESTROY:
		return cpupool_destroy(p->cpupool_id);
	case XEN_SYSCTL_CPUPOOL_OP_INFO:
		return pool_info(v, p, out);
	case XEN_SYSCTL_CPUPOOL_OP_ADDCPU:
		return pool_cpu_add(p);
	case XEN_SYSCTL_CPUPOOL_OP_RMCPU:
		return pool_cpu_remove(p);
	case XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN:
		return pool_domain_move(v, p);
	case XEN_SYSCTL_CPUPOOL_OP_FREEINFO:
		free = cpupool_free_cpus();
		return control_map_out(v, &p->cpumap, &free);
	default:
		return -ENOSYS;
	}
}
