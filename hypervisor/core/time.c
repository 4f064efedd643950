/* SPDX-License-Identifier: BSD-2-Clause */
/* Time as guests see it: vcpu_time_info, the wall clock in shared info, set_timer_op, TSC modes. */
#include <hv/time.h>
#include <hv/compiler.h>
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/guest.h>
#include <hv/hypercall.h>
#include <hv/lock.h>
#include <hv/log.h>
#include <hv/string.h>
#include <hv/timer.h>

#define SECOND 1000000000ULL

/* --- vcpu_time_info --- */

/* What v's guest is to see. It need not change as long as the CPU's line does not. */
static void time_info_make(const struct vcpu *v, struct vcpu_time_info *t)
{
	const struct domain *d = v->domain;
	struct time_scale scale;
	bool stable;

	time_scale_get(&scale, &stable);
	if (unlikely(d->vtsc)) {
		/* The emulated TSC is derived from system time, so it is as good on every CPU. */
		scale = (struct time_scale){ 0, (ns_t)d->vtsc_base,
					     time_ratio_make((u64)d->vtsc_khz * 1000, SECOND) };
		stable = true;
	}
	t->tsc_timestamp = scale.tsc;
	t->system_time = scale.ns;
	t->tsc_to_system_mul = scale.ratio.mul;
	t->tsc_shift = scale.ratio.shift;
	t->flags = stable ? XEN_PVCLOCK_TSC_STABLE_BIT : 0;
}

static bool time_info_same(const struct vcpu_time_info *a, const struct vcpu_time_info *b)
{
	return a->tsc_timestamp == b->tsc_timestamp && a->system_time == b->system_time &&
	       a->tsc_to_system_mul == b->tsc_to_system_mul && a->tsc_shift == b->tsc_shift && a->flags == b->flags;
}

/* While the version is odd the guest does not believe what it reads. */
static void time_info_publish(struct vcpu_time_info *to, const struct vcpu_time_info *from)
{
	u32 version = READ_ONCE(to->version) | 1;

	__atomic_store_n(&to->version, version, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	to->tsc_timestamp = from->tsc_timestamp;
	to->system_time = from->system_time;
	to->tsc_to_system_mul = from->tsc_to_system_mul;
	to->tsc_shift = from->tsc_shift;
	to->flags = from->flags;
	__atomic_store_n(&to->version, version + 1, __ATOMIC_RELEASE);
}

/* The copy at a linear address, version first and last. False if it is not mapped now (the guest runs in user mode). */
static bool time_copy_publish(struct vcpu *v, const struct vcpu_time_info *from)
{
	struct vcpu_time_info t = *from;
	u32 version;

	if (guest_copy_in(v, &version, v->time_guest, sizeof(version)))
		return false;
	t.version = version | 1;
	if (guest_copy_out(v, v->time_guest, &t.version, sizeof(t.version)))
		return false;
	barrier();
	if (guest_copy_out(v, v->time_guest, &t, sizeof(t)))
		return false;
	barrier();
	t.version++;
	return guest_copy_out(v, v->time_guest, &t.version, sizeof(t.version)) == 0;
}

static void time_publish(struct vcpu *v, const struct vcpu_time_info *t)
{
	time_info_publish(&v->info->time, t);
	v->time_guest_stale = v->time_guest && !time_copy_publish(v, t);
}

void time_update_vcpu(struct vcpu *v)
{
	struct vcpu_time_info t = { 0 };

	time_info_make(v, &t);
	if (likely(time_info_same(&t, &v->info->time) && !v->time_guest_stale))
		return;
	time_publish(v, &t);
}

void time_update_vcpu_force(struct vcpu *v)
{
	struct vcpu_time_info t = { 0 };

	time_info_make(v, &t);
	time_publish(v, &t);
}

/* --- Wall clock --- */

static struct spinlock wallclock_lock = SPINLOCK(LOCK_TIME);
/* What the wall clock read at system time 0; wallclock_lock. */
static u64 wallclock_sec;
static u32 wallclock_nsec;

static void wallclock_store(u64 sec, u32 nsec, ns_t at)
{
	u64 whole = at / SECOND;
	u32 rest = (u32)(at % SECOND);

	/* Before 1970 there is no time. */
	if (sec <= whole) {
		sec = whole;
		nsec = rest;
	}
	if (nsec < rest) {
		nsec += (u32)SECOND;
		sec--;
	}
	spin_lock(&wallclock_lock);
	wallclock_sec = sec - whole;
	wallclock_nsec = nsec - rest;
	spin_unlock(&wallclock_lock);
}

void wallclock_update(struct domain *d)
{
	struct shared_info *s = d->shared;
	u32 version;
	u64 sec;

	if (!s)
		return;
	spin_lock(&wallclock_lock);
	sec = wallclock_sec + (u64)d->wallclock_offset;
	version = READ_ONCE(s->wc_version) | 1;
	__atomic_store_n(&s->wc_version, version, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	s->wc_sec = (u32)sec;
	s->wc_sec_hi = (u32)(sec >> 32);
	s->wc_nsec = wallclock_nsec;
	__atomic_store_n(&s->wc_version, version + 1, __ATOMIC_RELEASE);
	spin_unlock(&wallclock_lock);
}

void wallclock_set(u64 sec, u32 nsec, ns_t at)
{
	domid_t next = 0;
	struct domain *d;

	wallclock_store(sec, nsec, at);
	while ((d = domain_next(next)) != NULL) {
		next = (domid_t)(d->id + 1);
		wallclock_update(d);
		domain_put(d);
	}
}

void wallclock_now(u64 *sec, u32 *nsec)
{
	ns_t now = time_now();
	u64 sum;

	spin_lock(&wallclock_lock);
	sum = wallclock_nsec + now;
	*sec = wallclock_sec + sum / SECOND;
	*nsec = (u32)(sum % SECOND);
	spin_unlock(&wallclock_lock);
}

/* --- Timers --- */

/* timeout: absolute system time; 0 turns the timer off. What lies in the past fires at once. */
long do_set_timer_op(struct vcpu *v, u64 *args)
{
	s64 timeout = (s64)args[0];

	if (unlikely(v->singleshot.cpu != v->cpu))
		timer_migrate(&v->singleshot, v->cpu);
	if (timeout)
		timer_set(&v->singleshot, timeout > 0 ? (ns_t)timeout : 1);
	else
		timer_stop(&v->singleshot);
	return 0;
}

/* --- TSC modes --- */

enum tsc_mode { TSC_DEFAULT = 0, TSC_ALWAYS_EMULATE = 1, TSC_NEVER_EMULATE = 2 };

/* Two frequencies that a guest cannot tell apart: 100 in a million. */
static bool khz_alike(u64 a, u64 b)
{
	return (a > b ? a - b : b - a) <= b / 10000;
}

int tsc_mode_set(struct domain *d, u32 mode, u64 elapsed_ns, u32 khz, u32 incarnation)
{
	bool vtsc;

	if (mode > TSC_NEVER_EMULATE)
		return -EINVAL;
	if (!khz)
		khz = (u32)tsc_khz();
	/* So that a shift of 31 bits is enough and elapsed time cannot overflow the product. */
	if (khz < 1000 || khz > 100000000)
		return -EINVAL;
	vtsc = mode == TSC_ALWAYS_EMULATE ||
	       (mode == TSC_DEFAULT && (!tsc_reliable() || !khz_alike(khz, tsc_khz())));
	d->tsc_mode = mode;
	d->tsc_incarnation = incarnation;
	d->vtsc_khz = khz;
	d->vtsc_base = (s64)(time_now() - elapsed_ns);
	d->vtsc = vtsc;
	return 0;
}

void tsc_mode_get(const struct domain *d, u32 *mode, u64 *elapsed_ns, u32 *khz, u32 *incarnation)
{
	*mode = d->tsc_mode;
	*incarnation = d->tsc_incarnation;
	*khz = tsc_guest_khz(d);
	if (d->vtsc) {
		*elapsed_ns = time_now() - (u64)d->vtsc_base;
	} else if (d->tsc_mode == TSC_DEFAULT) {
		struct time_scale scale;
		bool stable;

		/* The machine's TSC as a time: should the guest's be emulated elsewhere, it goes on from there. */
		time_scale_get(&scale, &stable);
		*elapsed_ns = time_now() - scale.ns + time_ratio_apply(scale.ratio, scale.tsc);
	} else {
		*elapsed_ns = 0;
	}
}

u32 tsc_guest_khz(const struct domain *d)
{
	return d->vtsc ? d->vtsc_khz : (u32)tsc_khz();
}

u64 tsc_guest_read(const struct domain *d)
{
	/* The exact inverse of what the guest does with vcpu_time_info, so that its clock does not drift from its timers. */
	return time_ratio_invert(time_ratio_make((u64)d->vtsc_khz * 1000, SECOND), time_now() - (u64)d->vtsc_base);
}

/* --- Set-up --- */

void time_init(void)
{
	tsc_init();
	log_clock_set(time_now);
	wallclock_store(rtc_read(), 0, time_now());
}

void time_init_cpu(void)
{
	tsc_init_cpu();
}
