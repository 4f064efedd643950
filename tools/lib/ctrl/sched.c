/* SPDX-License-Identifier: BSD-2-Clause */
/* Schedulers' parameters and pools of CPUs. */
#include <errno.h>

#include "ctrl_private.h"

#define RTDS_CHUNK 128u

int ctrl_sched_id(struct ctrl *ctrl, uint32_t *id)
{
	struct xen_sysctl op = { 0 };
	int rc = sysctl(ctrl, &op, XEN_SYSCTL_sched_id, "the scheduler cannot be asked for");

	*id = op.u.sched_id.sched_id;
	return rc;
}

/* A pool has one scheduler; parameters of another are an error of the caller. */
static int sched_failed(uint32_t domid, int rc)
{
	return reason_set(-rc, "domain %u has no such scheduling parameters: %s", domid,
			  rc == -EINVAL ? "its pool has another scheduler, or a value is out of range" : ctrl_explain(-rc));
}

int ctrl_sched_get_credit(struct ctrl *ctrl, uint32_t domid, uint32_t scheduler, struct ctrl_sched_credit *out)
{
	struct xen_domctl op = { .u.scheduler_op = { .sched_id = scheduler, .cmd = XEN_DOMCTL_SCHEDOP_getinfo } };
	int rc = domctl_quiet(ctrl, &op, XEN_DOMCTL_scheduler_op, domid);

	if (rc < 0)
		return sched_failed(domid, rc);
	out->weight = op.u.scheduler_op.u.credit.weight;
	out->cap = op.u.scheduler_op.u.credit.cap;
	return 0;
}

/* Xen's credit2 has no values for "leave it": those that are to stay are read first. */
int ctrl_sched_set_credit(struct ctrl *ctrl, uint32_t domid, uint32_t scheduler, const struct ctrl_sched_credit *value)
{
	struct xen_domctl op = { .u.scheduler_op = { .sched_id = scheduler, .cmd = XEN_DOMCTL_SCHEDOP_putinfo } };
	struct ctrl_sched_credit now = *value;
	int rc = 0;

	_Static_assert(sizeof(op.u.scheduler_op.u.credit) == sizeof(op.u.scheduler_op.u.credit2), "both have weight and cap");
	if (value->weight == 0 || value->cap == UINT16_MAX)
		rc = ctrl_sched_get_credit(ctrl, domid, scheduler, &now);
	if (rc != 0)
		return rc;
	op.u.scheduler_op.u.credit.weight = value->weight != 0 ? value->weight : now.weight;
	op.u.scheduler_op.u.credit.cap = value->cap != UINT16_MAX ? value->cap : now.cap;
	rc = domctl_quiet(ctrl, &op, XEN_DOMCTL_scheduler_op, domid);
	return rc < 0 ? sched_failed(domid, rc) : 0;
}

/* Parameters of vCPUs one chunk after another; what was got is in values then. */
static int rtds(struct ctrl *ctrl, uint32_t cmd, uint32_t domid, struct ctrl_sched_rtds *values, uint32_t count)
{
	struct xen_domctl_schedparam_vcpu *buffer = dev_buffer_get(ctrl->dev, RTDS_CHUNK * sizeof(*buffer));
	int rc = buffer ? 0 : -ENOMEM;

	for (uint32_t done = 0; rc == 0 && done < count; done += RTDS_CHUNK) {
		uint32_t piece = count - done < RTDS_CHUNK ? count - done : RTDS_CHUNK;
		struct xen_domctl op = { .u.scheduler_op = { .sched_id = XEN_SCHEDULER_RTDS, .cmd = cmd } };

		for (uint32_t i = 0; i < piece; i++) {
			const struct ctrl_sched_rtds *v = &values[done + i];

			buffer[i].vcpuid = v->vcpu;
			buffer[i].u.rtds = (struct xen_domctl_sched_rtds){
				.period = v->period, .budget = v->budget, .flags = v->extra ? XEN_DOMCTL_SCHEDRT_extra : 0 };
		}
		set_xen_guest_handle(op.u.scheduler_op.u.v.vcpus, buffer);
		op.u.scheduler_op.u.v.nr_vcpus = piece;
		rc = domctl_quiet(ctrl, &op, XEN_DOMCTL_scheduler_op, domid);
		if (rc < 0)
			sched_failed(domid, rc);
		for (uint32_t i = 0; rc == 0 && i < piece; i++)
			values[done + i] = (struct ctrl_sched_rtds){
				.vcpu = buffer[i].vcpuid, .period = buffer[i].u.rtds.period,
				.budget = buffer[i].u.rtds.budget,
				.extra = buffer[i].u.rtds.flags & XEN_DOMCTL_SCHEDRT_extra };
	}
	dev_buffer_put(ctrl->dev, buffer, RTDS_CHUNK * sizeof(*buffer));
	return rc;
}

int ctrl_sched_set_rtds(struct ctrl *ctrl, uint32_t domid, const struct ctrl_sched_rtds *values, uint32_t count)
{
	struct ctrl_sched_rtds *copy = malloc((count ? count : 1) * sizeof(*copy));
	int rc;

	if (!copy)
		return reason_set(ENOMEM, "out of memory");
	memcpy(copy, values, count * sizeof(*copy));
	rc = rtds(ctrl, XEN_DOMCTL_SCHEDOP_putvcpuinfo, domid, copy, count);
	free(copy);
	return rc;
}

int ctrl_sched_get_rtds(struct ctrl *ctrl, uint32_t domid, struct ctrl_sched_rtds *out, uint32_t count)
{
	return rtds(ctrl, XEN_DOMCTL_SCHEDOP_getvcpuinfo, domid, out, count);
}

static int global(struct ctrl *ctrl, struct xen_sysctl *op, uint32_t cmd, uint32_t pool, uint32_t scheduler)
{
	int rc;

	op->u.scheduler_op.cmd = cmd;
	op->u.scheduler_op.cpupool_id = pool;
	op->u.scheduler_op.sched_id = scheduler;
	rc = sysctl_quiet(ctrl, op, XEN_SYSCTL_scheduler_op);
	if (rc < 0)
		return reason_set(-rc, "pool %u has no such scheduling parameters: %s", pool,
				  rc == -EINVAL ? "it has another scheduler, or a value is out of range" : ctrl_explain(-rc));
	return 0;
}

int ctrl_sched_set_global(struct ctrl *ctrl, uint32_t pool, uint32_t scheduler, const struct ctrl_sched_global *value)
{
	struct xen_sysctl op = { 0 };

	if (scheduler == XEN_SCHEDULER_CREDIT)
		op.u.scheduler_op.u.sched_credit = (struct xen_sysctl_credit_schedule){
			.tslice_ms = value->timeslice, .ratelimit_us = value->ratelimit,
			.vcpu_migr_delay_us = value->migration_delay };
	else
		op.u.scheduler_op.u.sched_credit2.ratelimit_us = value->ratelimit;
	return global(ctrl, &op, XEN_SYSCTL_SCHEDOP_putinfo, pool, scheduler);
}

int ctrl_sched_get_global(struct ctrl *ctrl, uint32_t pool, uint32_t scheduler, struct ctrl_sched_global *out)
{
	struct xen_sysctl op = { 0 };
	int rc = global(ctrl, &op, XEN_SYSCTL_SCHEDOP_getinfo, pool, scheduler);

	if (rc < 0)
		return rc;
	if (scheduler == XEN_SCHEDULER_CREDIT)
		*out = (struct ctrl_sched_global){ .timeslice = op.u.scheduler_op.u.sched_credit.tslice_ms,
						   .ratelimit = op.u.scheduler_op.u.sched_credit.ratelimit_us,
						   .migration_delay = op.u.scheduler_op.u.sched_credit.vcpu_migr_delay_us };
	else
		*out = (struct ctrl_sched_global){ .ratelimit = op.u.scheduler_op.u.sched_credit2.ratelimit_us };
	return 0;
}

/* ---- Pools ---- */
static int pool_failed(uint32_t pool, const char *what, int rc)
{
	return reason_set(-rc, "CPU pool %u %s: %s", pool, what, rc == -ENOENT ? "there is no such pool" : ctrl_explain(-rc));
}

static int pool_op(struct ctrl *ctrl, const struct xen_sysctl_cpupool_op *pool_operation, const char *what)
{
	struct xen_sysctl op = { .u.cpupool_op = *pool_operation };
	int rc = sysctl_quiet(ctrl, &op, XEN_SYSCTL_cpupool_op);

	return rc < 0 ? pool_failed(pool_operation->cpupool_id, what, rc) : 0;
}

int ctrl_cpupool_create(struct ctrl *ctrl, uint32_t scheduler, uint32_t *pool)
{
	struct xen_sysctl op = { .u.cpupool_op = { .op = XEN_SYSCTL_CPUPOOL_OP_CREATE, .cpupool_id = *pool, .sched_id = scheduler } };
	int rc = sysctl_quiet(ctrl, &op, XEN_SYSCTL_cpupool_op);

	if (rc < 0)
		return reason_set(-rc, "no new CPU pool: %s", rc == -EEXIST ? "its number is taken" : ctrl_explain(-rc));
	*pool = op.u.cpupool_op.cpupool_id;
	return 0;
}

int ctrl_cpupool_destroy(struct ctrl *ctrl, uint32_t pool)
{
	struct xen_sysctl_cpupool_op op = { .op = XEN_SYSCTL_CPUPOOL_OP_DESTROY, .cpupool_id = pool };

	return pool_op(ctrl, &op, "cannot be destroyed");
}

int ctrl_cpupool_add_cpu(struct ctrl *ctrl, uint32_t pool, uint32_t cpu)
{
	struct xen_sysctl_cpupool_op op = { .op = XEN_SYSCTL_CPUPOOL_OP_ADDCPU, .cpupool_id = pool, .cpu = cpu };

	return pool_op(ctrl, &op, "cannot be given the CPU");
}

int ctrl_cpupool_remove_cpu(struct ctrl *ctrl, uint32_t pool, uint32_t cpu)
{
	struct xen_sysctl_cpupool_op op = { .op = XEN_SYSCTL_CPUPOOL_OP_RMCPU, .cpupool_id = pool, .cpu = cpu };

	return pool_op(ctrl, &op, "cannot give the CPU back");
}

int ctrl_cpupool_move_domain(struct ctrl *ctrl, uint32_t pool, uint32_t domid)
{
	struct xen_sysctl_cpupool_op op = { .op = XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, .cpupool_id = pool, .domid = domid };

	return pool_op(ctrl, &op, "cannot take the domain");
}

/* An operation that tells CPUs; cpus may be NULL. */
static int pool_cpus(struct ctrl *ctrl, struct xen_sysctl *op, struct ctrl_bitmap *cpus)
{
	size_t bytes = cpus ? ((size_t)cpus->bits + 7) / 8 : 0;
	void *buffer = dev_buffer_get(ctrl->dev, bytes);
	int rc;

	if (!buffer)
		return -ENOMEM;
	set_xen_guest_handle(op->u.cpupool_op.cpumap.bitmap, buffer);
	op->u.cpupool_op.cpumap.nr_bits = cpus ? cpus->bits : 0;
	rc = sysctl_quiet(ctrl, op, XEN_SYSCTL_cpupool_op);
	if (rc >= 0 && cpus)
		memcpy(cpus->bytes, buffer, bytes);
	dev_buffer_put(ctrl->dev, buffer, bytes);
	return rc;
}

int ctrl_cpupool_info(struct ctrl *ctrl, uint32_t pool, struct ctrl_cpupool_info *out, struct ctrl_bitmap *cpus)
{
	struct xen_sysctl op = { .u.cpupool_op = { .op = XEN_SYSCTL_CPUPOOL_OP_INFO, .cpupool_id = pool } };
	int rc = pool_cpus(ctrl, &op, cpus);

	if (rc < 0)
		return pool_failed(pool, "cannot be looked at", rc);
	*out = (struct ctrl_cpupool_info){ .pool = op.u.cpupool_op.cpupool_id, .scheduler = op.u.cpupool_op.sched_id,
					   .domains = op.u.cpupool_op.n_dom };
	return 0;
}

int ctrl_cpupool_free_cpus(struct ctrl *ctrl, struct ctrl_bitmap *cpus)
{
	struct xen_sysctl op = { .u.cpupool_op.op = XEN_SYSCTL_CPUPOOL_OP_FREEINFO };
	int rc = pool_cpus(ctrl, &op, cpus);

	return rc < 0 ? reason_set(-rc, "the CPUs in no pool cannot be listed: %s", ctrl_explain(-rc)) : 0;
}
