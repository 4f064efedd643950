/* SPDX-License-Identifier: BSD-2-Clause */
/* vCPUs: creation and end, pausing, and the timers that a guest has on each of its vCPUs. */
#include "domain_private.h"
#include <hv/cpu.h>
#include <hv/errno.h>
#include <hv/event.h>
#include <hv/features.h>
#include <hv/frame.h>
#include <hv/guest.h>
#include <hv/log.h>
#include <hv/sched.h>
#include <hv/time.h>

struct vcpu_info vcpu_info_none = { .evtchn_upcall_mask = 0xff };

struct vcpu *domain_vcpu(const struct domain *d, u32 id)
{
	if (unlikely(id >= d->max_vcpus))
		return NULL;
	return READ_ONCE(d->vcpu[index_clamp(id, d->max_vcpus)]);
}

static void singleshot_fired(void *arg)
{
	event_send_virq(arg, VIRQ_TIMER);
}

static void periodic_fired(void *arg)
{
	struct vcpu *v = arg;
	ns_t period = READ_ONCE(v->periodic_period), now = time_now();

	if (!period)
		return;
	/* Ticks that were missed, e.g. while it was paused, are not made up for. */
	v->periodic_last += period;
	if (v->periodic_last + period <= now)
		v->periodic_last = now - (now - v->periodic_last) % period;
	event_send_virq(v, VIRQ_TIMER);
	timer_set(&v->periodic, v->periodic_last + period);
}

static void poll_fired(void *arg)
{
	struct vcpu *v = arg;

	if (READ_ONCE(v->pause_flags) & VPF_POLL)
		vcpu_unblock(v);
}

void vcpu_timers_kill(struct vcpu *v)
{
	WRITE_ONCE(v->periodic_period, 0);
	timer_kill(&v->singleshot);
	timer_kill(&v->periodic);
	timer_kill(&v->poll);
}

static void vcpu_struct_init(struct vcpu *v, struct domain *d, u32 id, u32 cpu)
{
	v->domain = d;
	v->id = id;
	v->cpu = cpu;
	v->regs = &v->saved_regs;
	v->info = &vcpu_info_none;
	v->info_mfn = INVALID_MFN;
	timer_init(&v->singleshot, singleshot_fired, v, cpu);
	timer_init(&v->periodic, periodic_fired, v, cpu);
	timer_init(&v->poll, poll_fired, v, cpu);
}

int vcpu_create(struct domain *d, u32 id, u32 cpu, struct vcpu **out)
{
	struct vcpu *v;
	int rc;

	if (id >= d->max_vcpus || !cpu_online(cpu))
		return -EINVAL;
	if (d->vcpu[id])
		return -EEXIST;
	v = hv_alloc(sizeof(*v));
	if (!v)
		return -ENOMEM;
	vcpu_struct_init(v, d, id, cpu);
	v->pause_flags = VPF_DOWN;
	v->runstate.state = RUNSTATE_offline;
	v->runstate.state_entry_time = time_now();
	if (id < XEN_LEGACY_MAX_VCPUS)
		v->info = &d->shared->vcpu_info[id];
	rc = fpu_init_vcpu(v);
	if (rc)
		goto out_free;
	rc = event_vcpu_init(v);
	if (rc)
		goto out_fpu;
	rc = d->ops->vcpu_init(v);
	if (rc)
		goto out_event;
	rc = sched_vcpu_init(v);
	if (rc)
		goto out_ops;
	/* Released, so that who finds the pointer finds the vCPU complete. */
	__atomic_store_n(&d->vcpu[id], v, __ATOMIC_RELEASE);
	*out = v;
	return 0;

out_ops:
	d->ops->vcpu_free(v);
out_event:
	event_vcpu_free(v);
out_fpu:
	fpu_free_vcpu(v);
out_free:
	hv_free(v);
	return rc;
}

void vcpu_free(struct vcpu *v)
{
	struct domain *d = v->domain;

	vcpu_timers_kill(v);
	sched_vcpu_free(v);
	d->ops->vcpu_free(v);
	event_vcpu_free(v);
	fpu_free_vcpu(v);
	d->vcpu[v->id] = NULL;
	hv_free(v);
}

struct vcpu *idle_vcpu(unsigned int cpu)
{
	struct vcpu *v = idle_domain->vcpu[cpu];

	if (v)
		return v;
	v = hv_alloc(sizeof(*v));
	if (!v)
		return NULL;
	vcpu_struct_init(v, idle_domain, cpu, cpu);
	v->is_idle = true;
	v->initialised = true;
	v->running = true;
	v->hard_affinity = v->soft_affinity = cpumask_of(cpu);
	v->runstate.state = RUNSTATE_running;
	idle_domain->vcpu[cpu] = v;
	return v;
}

void vcpu_pause_nosync(struct vcpu *v)
{
	__atomic_fetch_add(&v->pause_count, 1, __ATOMIC_SEQ_CST);
	vcpu_sleep_nosync(v);
}

void vcpu_pause(struct vcpu *v)
{
	__atomic_fetch_add(&v->pause_count, 1, __ATOMIC_SEQ_CST);
	vcpu_sleep_sync(v);
}

void vcpu_unpause(struct vcpu *v)
{
	if (__atomic_sub_fetch(&v->pause_count, 1, __ATOMIC_SEQ_CST) == 0)
		vcpu_wake(v);
}
