/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Teardown: a list of steps, each of which makes progress in what it takes apart and can be entered again. The number of the
 * present step is in d->teardown_step. Who runs a step excludes others by the control lock.
 */
#include "domain_private.h"
#include <hv/errno.h>
#include <hv/event.h>
#include <hv/frame.h>
#include <hv/grant.h>
#include <hv/pirq.h>
#include <hv/sched.h>
#include <hv/softirq.h>

/* Frames given back between two preemption points. */
#define FRAMES_AT_ONCE 64u

typedef int teardown_fn(struct vcpu *actor, struct domain *d);

/* From here on no vCPU runs, no timer fires, and no new resource is given to the domain. */
static int teardown_stop(struct vcpu *actor, struct domain *d)
{
	struct vcpu *v;

	(void)actor;
	spin_lock(&d->lock);
	d->life = DOMAIN_DYING;
	spin_unlock(&d->lock);
	domain_pause(d);
	domain_watchdog_kill(d);
	for_each_vcpu(d, v)
		vcpu_timers_kill(v);
	event_drop_virq_handler(d);
	return 0;
}

static int teardown_target(struct vcpu *actor, struct domain *d)
{
	struct domain *target = d->target;

	(void)actor;
	d->target = NULL;
	if (target)
		domain_put(target);
	return 0;
}

static int teardown_events(struct vcpu *actor, struct domain *d)
{
	(void)actor;
	return event_space_close(d);
}

static int teardown_pirqs(struct vcpu *actor, struct domain *d)
{
	(void)actor;
	pirq_domain_release(d);
	return 0;
}

/* A registered vcpu_info page goes back to the guest's memory. */
static int teardown_vcpu_info(struct vcpu *actor, struct domain *d)
{
	struct vcpu *v;

	(void)actor;
	for_each_vcpu(d, v)
		vcpu_info_drop(v);
	return 0;
}

static int teardown_address_spaces(struct vcpu *actor, struct domain *d)
{
	return d->ops->domain_relinquish(actor, d);
}

static int teardown_exchange(struct vcpu *actor, struct domain *d)
{
	return memory_exchange_end(actor, d);
}

static int teardown_memory(struct vcpu *actor, struct domain *d)
{
	(void)actor;
	return domain_memory_relinquish(d, FRAMES_AT_ONCE);
}

static teardown_fn *const teardown_steps[] = {
	teardown_stop, teardown_target, teardown_events, teardown_pirqs, grant_table_relinquish, teardown_vcpu_info,
	teardown_address_spaces, teardown_exchange, teardown_memory,
};

int domain_kill(struct vcpu *actor, struct domain *d)
{
	if (d->life == DOMAIN_DEAD)
		return -ESRCH;
	while (d->teardown_step < ARRAY_SIZE(teardown_steps)) {
		int rc = teardown_steps[d->teardown_step](actor, d);

		if (!rc)
			d->teardown_step++;
		else if (rc != -ERESTART)
			return rc;
		if (preempt_needed())
			return -ERESTART;
	}
	domain_remove(d);
	event_send_global_virq(VIRQ_DOM_EXC);
	return 0;
}
