/* SPDX-License-Identifier: BSD-2-Clause */
/* sched_op: a guest gives up its CPU, waits, shuts down; and the watchdogs. */
#include "domain_private.h"
#include <hv/cpu.h>
#include <hv/errno.h>
#include <hv/event.h>
#include <hv/guest.h>
#include <hv/hypercall.h>
#include <hv/log.h>
#include <hv/sched.h>
#include <hv/softirq.h>
#include <hv/time.h>
#include <xen/sched.h>

#define POLL_PORTS_MAX 128u
#define SECOND 1000000000ul

static long block(struct vcpu *v)
{
	v->info->evtchn_upcall_mask = 0;
	vcpu_block(v);
	return 0;
}

static long shutdown(struct vcpu *v, u32 reason)
{
	if (reason > SHUTDOWN_MAX)
		return -EINVAL;
	log_guest(LOG_INFO, "d%u: shutdown, reason %u", v->domain->id, reason);
	domain_shutdown(v->domain, reason);
	return 0;
}

static long op_shutdown(struct vcpu *v, gva_t arg)
{
	struct sched_shutdown op;

	if (guest_copy_in(v, &op, arg, sizeof(op)))
		return -EFAULT;
	return shutdown(v, op.reason);
}

static long op_shutdown_code(struct vcpu *v, gva_t arg)
{
	struct sched_shutdown op;

	if (guest_copy_in(v, &op, arg, sizeof(op)))
		return -EFAULT;
	if (op.reason > SHUTDOWN_MAX)
		return -EINVAL;
	__atomic_store_n(&v->domain->shutdown_code, op.reason, __ATOMIC_SEQ_CST);
	return 0;
}

static long op_remote_shutdown(struct vcpu *v, gva_t arg)
{
	struct sched_remote_shutdown op;
	struct domain *d;
	long rc = -EPERM;

	if (guest_copy_in(v, &op, arg, sizeof(op)))
		return -EFAULT;
	if (op.reason > SHUTDOWN_MAX)
		return -EINVAL;
	d = domain_get_by_id(op.domain_id);
	if (!d)
		return -ESRCH;
	if (d != v->domain && (is_privileged(v) || v->domain->target == d)) {
		domain_shutdown(d, op.reason);
		rc = 0;
	}
	domain_put(d);
	return rc;
}

static long op_poll(struct vcpu *v, gva_t arg)
{
	u32 ports[POLL_PORTS_MAX];
	struct sched_poll op;
	int rc = 0;

	if (guest_copy_in(v, &op, arg, sizeof(op)))
		return -EFAULT;
	if (op.nr_ports > POLL_PORTS_MAX)
		return -EINVAL;
	if (guest_copy_in(v, ports, (gva_t)op.ports.p, op.nr_ports * sizeof(ports[0])))
		return -EFAULT;
	timer_stop(&v->poll);
	v->poll_port = op.nr_ports == 1 ? ports[0] : 0;
	__atomic_fetch_add(&v->domain->poll_mask_count, 1, __ATOMIC_SEQ_CST);
	__atomic_fetch_or(&v->pause_flags, VPF_POLL, __ATOMIC_SEQ_CST);
	/* What becomes pending from here on wakes it; what did so before is seen now. */
	if (event_pending(v))
		rc = 1;
	for (u32 i = 0; !rc && i < op.nr_ports; i++)
		rc = event_port_pending(v->domain, ports[i]);
	if (rc) {
		vcpu_unblock(v);
		return MIN(rc, 0);
	}
	if (op.timeout) {
		timer_migrate(&v->poll, v->cpu);
		timer_set(&v->poll, op.timeout);
	}
	softirq_raise(v->cpu, SOFTIRQ_SCHEDULE);
	return 0;
}

static void watchdog_fired(void *arg)
{
	struct domain *d = arg;

	log_guest(LOG_WARNING, "d%u: watchdog fired", d->id);
	domain_shutdown(d, SHUTDOWN_watchdog);
}

void domain_watchdog_init(struct domain *d)
{
	for (size_t i = 0; i < ARRAY_SIZE(d->watchdog); i++)
		timer_init(&d->watchdog[i].timer, watchdog_fired, d, this_cpu());
}

void domain_watchdog_kill(struct domain *d)
{
	for (size_t i = 0; i < ARRAY_SIZE(d->watchdog); i++)
		timer_kill(&d->watchdog[i].timer);
}

/* Domain locked. */
static long watchdog_set(struct domain *d, u32 id, u32 timeout)
{
	u32 i = id - 1;

	if (id > ARRAY_SIZE(d->watchdog))
		return -EINVAL;
	if (id == 0) {
		if (timeout == 0)
			return -EINVAL;
		for (i = 0; i < ARRAY_SIZE(d->watchdog) && d->watchdog[i].armed; i++)
			;
		if (i == ARRAY_SIZE(d->watchdog))
			return -ENOSPC;
	} else if (!d->watchdog[i].armed) {
		return -EINVAL;
	}
	d->watchdog[i].armed = timeout != 0;
	if (timeout)
		timer_set(&d->watchdog[i].timer, time_now() + timeout * SECOND);
	else
		timer_stop(&d->watchdog[i].timer);
	return id == 0 ? (long)i + 1 : 0;
}

static long op_watchdog(struct vcpu *v, gva_t arg)
{
	struct sched_watchdog op;
	struct domain *d = v->domain;
	long rc = -EINVAL;

	if (guest_copy_in(v, &op, arg, sizeof(op)))
		return -EFAULT;
	spin_lock(&d->lock);
	/* A domain that is being torn down has no timers any more. */
	if (d->life == DOMAIN_LIVE)
		rc = watchdog_set(d, op.id, op.timeout);
	spin_unlock(&d->lock);
	return rc;
}

/* Runs the caller on one CPU, whatever its affinity says, until it asks for that again. */
static long op_pin_override(struct vcpu *v, gva_t arg)
{
	struct sched_pin_override op;
	struct cpumask m;
	long rc;

	if (!is_privileged(v))
		return -EPERM;
	if (guest_copy_in(v, &op, arg, sizeof(op)))
		return -EFAULT;
	if (op.pcpu < 0) {
		if (!v->affinity_broken)
			return -EINVAL;
		m = v->saved_affinity;
	} else if (!cpu_online((u32)op.pcpu)) {
		return -EINVAL;
	} else {
		m = cpumask_of((u32)op.pcpu);
	}
	if (!v->affinity_broken)
		v->saved_affinity = v->hard_affinity;
	rc = vcpu_affinity_set_hard(v, &m);
	if (!rc)
		v->affinity_broken = op.pcpu >= 0;
	return rc;
}

long do_sched_op(struct vcpu *v, u64 *args)
{
	gva_t arg = args[1];

	switch ((u32)args[0]) {
	case SCHEDOP_yield:
		vcpu_yield(v);
		return 0;
	case SCHEDOP_block:
		return block(v);
	case SCHEDOP_shutdown:
		return op_shutdown(v, arg);
	case SCHEDOP_poll:
		return op_poll(v, arg);
	case SCHEDOP_remote_shutdown:
		return op_remote_shutdown(v, arg);
	case SCHEDOP_shutdown_code:
		return op_shutdown_code(v, arg);
	case SCHEDOP_watchdog:
		return op_watchdog(v, arg);
	case SCHEDOP_pin_override:
		return op_pin_override(v, arg);
	default:
		return -ENOSYS;
	}
}

/* The old form: the reason for a shutdown is the argument itself. */
long do_sched_op_compat(struct vcpu *v, u64 *args)
{
	switch ((u32)args[0]) {
	case SCHEDOP_yield:
		vcpu_yield(v);
		return 0;
	case SCHEDOP_block:
		return block(v);
	case SCHEDOP_shutdown:
		return shutdown(v, (u32)args[1]);
	default:
		return -ENOSYS;
	}
}
