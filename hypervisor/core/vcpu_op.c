/* SPDX-License-Identifier: BSD-2-Clause */
/* vcpu_op: a guest brings its vCPUs up and down, and says where their shared structures and timers are. */
#include "domain_private.h"
#include <hv/cpu.h>
#include <hv/dirty_log.h>
#include <hv/errno.h>
#include <hv/event.h>
#include <hv/frame.h>
#include <hv/guest.h>
#include <hv/hypercall.h>
#include <hv/sched.h>
#include <hv/softirq.h>
#include <hv/string.h>
#include <hv/time.h>
#include <xen/sched.h>

#define PERIOD_MIN 1000000ul
/* Longer periods are as good as none, and would overflow. */
#define PERIOD_MAX (1ul << 60)

static long op_initialise(struct vcpu *actor, struct vcpu *v, gva_t arg)
{
	struct vcpu_guest_context *ctxt;
	struct domain *d = v->domain;
	long rc = -EFAULT;

	if (v->info == &vcpu_info_none)
		return -EINVAL;
	ctxt = hv_alloc(sizeof(*ctxt));
	if (!ctxt)
		return -ENOMEM;
	if (guest_copy_in(actor, ctxt, arg, sizeof(*ctxt)) == 0) {
		spin_lock(&d->lock);
		rc = -EEXIST;
		if (!v->initialised) {
			rc = d->ops->context_set(actor, v, ctxt);
			if (!rc)
				v->initialised = true;
		}
		spin_unlock(&d->lock);
	}
	hv_free(ctxt);
	return rc;
}

static long op_up(struct vcpu *v)
{
	struct domain *d = v->domain;
	bool wake = false;
	long rc = -EINVAL;

	spin_lock(&d->lock);
	if (v->initialised) {
		wake = (__atomic_fetch_and(&v->pause_flags, ~VPF_DOWN, __ATOMIC_SEQ_CST) & VPF_DOWN) != 0;
		rc = 0;
	}
	spin_unlock(&d->lock);
	if (wake)
		vcpu_wake(v);
	return rc;
}

static long op_down(struct vcpu *v)
{
	struct domain *d = v->domain;
	struct vcpu *other;
	bool any = false;

	__atomic_fetch_or(&v->pause_flags, VPF_DOWN, __ATOMIC_SEQ_CST);
	for_each_vcpu(d, other)
		any |= !(READ_ONCE(other->pause_flags) & VPF_DOWN);
	vcpu_sleep_nosync(v);
	/* Nobody is left to bring one up again. */
	if (!any)
		domain_shutdown(d, SHUTDOWN_poweroff);
	return 0;
}

static long op_runstate_get(struct vcpu *actor, struct vcpu *v, gva_t arg)
{
	struct vcpu_runstate_info rs;

	vcpu_runstate_get(v, &rs);
	return guest_copy_out(actor, arg, &rs, sizeof(rs));
}

static long op_runstate_register(struct vcpu *actor, struct vcpu *v, gva_t arg)
{
	struct vcpu_register_runstate_memory_area area;
	long rc;

	if (guest_copy_in(actor, &area, arg, sizeof(area)))
		return -EFAULT;
	if (!guest_range_ok(area.addr.p, sizeof(struct vcpu_runstate_info)))
		return -EFAULT;
	/* Address 0 takes it back. */
	rc = area.addr.p ? op_runstate_get(actor, v, area.addr.p) : 0;
	if (!rc)
		WRITE_ONCE(v->runstate_guest, area.addr.p);
	return rc;
}

static long op_time_register(struct vcpu *actor, struct vcpu *v, gva_t arg)
{
	struct vcpu_register_time_memory_area area;

	if (guest_copy_in(actor, &area, arg, sizeof(area)))
		return -EFAULT;
	if (!guest_range_ok(area.addr.p, sizeof(struct vcpu_time_info)))
		return -EFAULT;
	WRITE_ONCE(v->time_guest, area.addr.p);
	/* That of another vCPU is written when its time is next brought up to date. */
	if (v == actor)
		time_update_vcpu_force(v);
	return 0;
}

static long op_periodic_set(struct vcpu *actor, struct vcpu *v, gva_t arg)
{
	struct vcpu_set_periodic_timer op;

	if (guest_copy_in(actor, &op, arg, sizeof(op)))
		return -EFAULT;
	if (op.period_ns < PERIOD_MIN || op.period_ns > PERIOD_MAX)
		return -EINVAL;
	timer_stop(&v->periodic);
	WRITE_ONCE(v->periodic_last, time_now());
	WRITE_ONCE(v->periodic_period, op.period_ns);
	timer_set(&v->periodic, v->periodic_last + op.period_ns);
	return 0;
}

static long op_periodic_stop(struct vcpu *v)
{
	/* The function of the timer may be about to set it again: then it finds no period when it is called next. */
	WRITE_ONCE(v->periodic_period, 0);
	timer_stop(&v->periodic);
	return 0;
}

static long op_singleshot_set(struct vcpu *actor, struct vcpu *v, gva_t arg)
{
	struct vcpu_set_singleshot_timer op;

	if (v != actor)
		return -EINVAL;
	if (guest_copy_in(actor, &op, arg, sizeof(op)))
		return -EFAULT;
	if ((op.flags & VCPU_SSHOTTMR_future) && op.timeout_abs_ns < time_now())
		return -ETIME;
	timer_migrate(&v->singleshot, v->cpu);
	timer_set(&v->singleshot, op.timeout_abs_ns);
	return 0;
}

static long op_singleshot_stop(struct vcpu *actor, struct vcpu *v)
{
	if (v != actor)
		return -EINVAL;
	timer_stop(&v->singleshot);
	return 0;
}

/* Moves v's vcpu_info; the domain is locked, and v is the actor or does not run. A reference on the frame is handed over. */
static void vcpu_info_move(struct vcpu *v, mfn_t m, struct vcpu_info *info)
{
	if (v->info == &vcpu_info_none) {
		memset(info, 0, sizeof(*info));
		info->evtchn_upcall_mask = 1;
	} else {
		*info = *v->info;
	}
	v->info_mfn = m;
	__atomic_store_n(&v->info, info, __ATOMIC_SEQ_CST);
	/* An event that is sent at this moment may still be noted in the old place: all selectors are marked, so none is lost. */
	event_vcpu_info_moved(v);
}

static long op_info_register(struct vcpu *actor, struct vcpu *v, gva_t arg)
{
	struct vcpu_register_vcpu_info op;
	struct domain *d = v->domain;
	struct frame *f;
	long rc = -EINVAL;
	u8 *page;

	if (guest_copy_in(actor, &op, arg, sizeof(op)))
		return -EFAULT;
	if (op.offset > PAGE_SIZE - sizeof(struct vcpu_info) || op.offset % sizeof(u64) || !frame_valid(mfn(op.mfn)))
		return -EINVAL;
	f = frame_of(mfn(op.mfn));
	if (!frame_get_writable(actor, f, d))
		return -EINVAL;
	page = frame_map_keep(mfn(op.mfn));
	if (!page) {
		frame_put_writable(f);
		return -ENOMEM;
	}
	spin_lock(&d->lock);
	if (mfn_eq(v->info_mfn, INVALID_MFN) && (v == actor || (v->pause_flags & VPF_DOWN))) {
		vcpu_info_move(v, mfn(op.mfn), (void *)(page + op.offset));
		dirty_log_hold(f);
		rc = 0;
	}
	spin_unlock(&d->lock);
	if (rc)
		frame_put_writable(frame_of(frame_unmap_keep(page)));
	return rc;
}

void vcpu_info_drop(struct vcpu *v)
{
	struct vcpu_info *info = v->info;

	if (mfn_eq(v->info_mfn, INVALID_MFN))
		return;
	v->info = &vcpu_info_none;
	v->info_mfn = INVALID_MFN;
	frame_put_writable(frame_of(frame_unmap_keep(info)));
}

static long op_nmi(struct vcpu *v)
{
	v->nmi_pending = 1;
	vcpu_unblock(v);
	vcpu_kick(v);
	/* It may be the caller itself. */
	softirq_raise(this_cpu(), SOFTIRQ_GUEST);
	return 0;
}

static long op_physid(struct vcpu *actor, struct vcpu *v, gva_t arg)
{
	unsigned int cpu = cpumask_next(&v->hard_affinity, 0);
	struct vcpu_get_physid op;

	if (cpumask_weight(&v->hard_affinity) != 1)
		return -EINVAL;
	op.phys_id = (u64)cpu_topology[cpu].acpi_id << 32 | cpu_topology[cpu].apic_id;
	return guest_copy_out(actor, arg, &op, sizeof(op));
}

/* The operations about memory areas and state. */
static long op_area(struct vcpu *actor, struct vcpu *v, u32 cmd, gva_t arg)
{
	switch (cmd) {
	case VCPUOP_initialise:
		return op_initialise(actor, v, arg);
	case VCPUOP_get_runstate_info:
		return op_runstate_get(actor, v, arg);
	case VCPUOP_register_runstate_memory_area:
		return op_runstate_register(actor, v, arg);
	case VCPUOP_register_vcpu_info:
		return op_info_register(actor, v, arg);
	case VCPUOP_register_vcpu_time_memory_area:
		return op_time_register(actor, v, arg);
	case VCPUOP_get_physid:
		return op_physid(actor, v, arg);
	default:
		return -ENOSYS;
	}
}

long do_vcpu_op(struct vcpu *actor, u64 *args)
{
	struct vcpu *v = domain_vcpu(actor->domain, (u32)args[1]);
	gva_t arg = args[2];

	if (!v)
		return -ENOENT;
	switch ((u32)args[0]) {
	case VCPUOP_up:
		return op_up(v);
	case VCPUOP_down:
		return op_down(v);
	case VCPUOP_is_up:
		return !(READ_ONCE(v->pause_flags) & VPF_DOWN);
	case VCPUOP_set_periodic_timer:
		return op_periodic_set(actor, v, arg);
	case VCPUOP_stop_periodic_timer:
		return op_periodic_stop(v);
	case VCPUOP_set_singleshot_timer:
		return op_singleshot_set(actor, v, arg);
	case VCPUOP_stop_singleshot_timer:
		return op_singleshot_stop(actor, v);
	case VCPUOP_send_nmi:
		return op_nmi(v);
	default:
		return op_area(actor, v, (u32)args[0], arg);
	}
}
