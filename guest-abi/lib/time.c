/* SPDX-License-Identifier: BSD-2-Clause */
#include <guest/hypercall.h>
#include <guest/smp.h>
#include <guest/start.h>
#include <guest/time.h>

u64 time_now(void)
{
	volatile struct vcpu_time_info *t = &vcpu_this()->info->time;

	for (;;) {
		u32 version = t->version;
		u64 delta, ns;

		__asm__ volatile("" ::: "memory");
		delta = rdtsc() - t->tsc_timestamp;
		delta = t->tsc_shift < 0 ? delta >> -t->tsc_shift : delta << t->tsc_shift;
		ns = t->system_time + (u64)(((unsigned __int128)delta * t->tsc_to_system_mul) >> 32);
		__asm__ volatile("" ::: "memory");
		if (!(version & 1) && version == t->version)
			return ns;
	}
}

u64 time_wall(void)
{
	for (;;) {
		u32 version = shared_info->wc_version;
		u64 sec, nsec;

		__asm__ volatile("" ::: "memory");
		sec = (u64)shared_info->wc_sec_hi << 32 | shared_info->wc_sec;
		nsec = shared_info->wc_nsec;
		__asm__ volatile("" ::: "memory");
		if (!(version & 1) && version == shared_info->wc_version)
			return sec + (nsec + time_now()) / S;
	}
}

long timer_set(u64 deadline)
{
	return HYPERVISOR_set_timer_op(deadline);
}

void time_spin(u64 ns)
{
	u64 end = time_now() + ns;

	while (time_now() < end)
		cpu_relax();
}
