/* SPDX-License-Identifier: BSD-2-Clause */
/* Run states of vCPUs: where their time goes, and the copy that a guest keeps of it. */
#include "sched_private.h"
#include <hv/guest.h>
#include <hv/time.h>
#include <xen/xen.h>

#define ENTRY_TIME offsetof(struct vcpu_runstate_info, state_entry_time)

void vcpu_runstate_change(struct vcpu *v, u32 state, ns_t now)
{
	struct vcpu_runstate_info *rs = &v->runstate;

	if (rs->state == (int)state)
		return;
	/* Another CPU may have read the clock a little later and come here first. */
	if (now > rs->state_entry_time) {
		rs->time[rs->state & 3] += now - rs->state_entry_time;
		rs->state_entry_time = now;
	}
	rs->state = (int)state;
}

void runstate_publish(struct vcpu *v)
{
	struct vcpu_runstate_info rs;
	struct run_queue *rq;
	gva_t at = v->runstate_guest;

	if (!at)
		return;
	rq = sched_lock(v->sched);
	rs = v->runstate;
	spin_unlock(&rq->lock);
	/* A guest that took its page away gets no copies: not an error. */
	if (v->domain->vm_assist & (1u << VMASST_TYPE_runstate_update_flag)) {
		rs.state_entry_time |= XEN_RUNSTATE_UPDATE;
		if (guest_write64(v, at + ENTRY_TIME, rs.state_entry_time))
			return;
		__atomic_thread_fence(__ATOMIC_RELEASE);
		if (guest_copy_out(v, at, &rs, sizeof(rs)))
			return;
		__atomic_thread_fence(__ATOMIC_RELEASE);
		if (guest_write64(v, at + ENTRY_TIME, rs.state_entry_time & ~XEN_RUNSTATE_UPDATE))
			return;
	} else if (guest_copy_out(v, at, &rs, sizeof(rs))) {
		return;
	}
}

void vcpu_runstate_get(struct vcpu *v, struct vcpu_runstate_info *out)
{
	struct run_queue *rq = v->sched ? sched_lock(v->sched) : NULL;
	ns_t now = time_now();

	*out = v->runstate;
	if (rq)
		spin_unlock(&rq->lock);
	if (now > out->state_entry_time)
		out->time[out->state & 3] += now - out->state_entry_time;
}

ns_t vcpu_cpu_time(struct vcpu *v)
{
	struct vcpu_runstate_info rs;

	vcpu_runstate_get(v, &rs);
	return rs.time[RUNSTATE_running];
}
