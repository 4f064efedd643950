/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watchdog: each CPU counts a beat every second, from its timer, and looks whether the next CPU in line still does. One that has not
 * for the time of watchdog_timeout gets an NMI, prints where it hangs, and stops the machine. (A machine of one CPU has nobody
 * to look after it.)
 */
#include <hv/cmdline.h>
#include <hv/cpu.h>
#include <hv/irq.h>
#include <hv/log.h>
#include <hv/time.h>
#include <hv/timer.h>

#include "cpu.h"

#define PERIOD 1000000000L

static bool opt_watchdog;
static u64 opt_timeout = 5;
BOOT_OPTION_BOOL("watchdog", opt_watchdog, "Stop the machine, with a dump, when a CPU hangs in the hypervisor.");
BOOT_OPTION_U64("watchdog_timeout", opt_timeout, "Seconds after which a CPU counts as hanging.");

static struct watch {
	struct timer timer;
	u32 beats;		/* this CPU counts; who watches it reads */
	/* About the CPU that this one watches. */
	u32 watched, seen;
	ns_t since;
	bool suspect;		/* set by the watcher before it sends the NMI */
} watches[MAX_CPUS];

static unsigned int next_online(unsigned int cpu)
{
	unsigned int next = cpumask_next(&cpu_online_map, cpu + 1);

	return next < MAX_CPUS ? next : cpumask_next(&cpu_online_map, 0);
}

static void beat(void *arg)
{
	struct watch *w = arg, *other;
	unsigned int cpu = (unsigned int)(w - watches), next = next_online(cpu);
	ns_t now = time_now();

	WRITE_ONCE(w->beats, w->beats + 1);
	timer_set(&w->timer, now + PERIOD);
	other = &watches[next];
	if (next != w->watched || READ_ONCE(other->beats) != w->seen) {
		w->watched = next;
		w->seen = READ_ONCE(other->beats);
		w->since = now;
	} else if (next != cpu && now - w->since > opt_timeout * PERIOD) {
		WRITE_ONCE(other->suspect, true);
		lapic_send_nmi(next);
		w->since = now;
	}
}

bool watchdog_nmi(const struct regs *r)
{
	struct watch *w = &watches[this_cpu()];

	if (!READ_ONCE(w->suspect))
		return false;
	WRITE_ONCE(w->suspect, false);
	/* It may have been slow to take its timer, but a guest that runs is no hang of ours. */
	if (regs_from_guest(r))
		return true;
	registers_dump(r);
	panic("watchdog: CPU %u has been stuck for %lu seconds", this_cpu(), opt_timeout);
}

void watchdog_init_cpu(void)
{
	struct watch *w = &watches[this_cpu()];

	if (!opt_watchdog || opt_timeout == 0)
		return;
	timer_init(&w->timer, beat, w, this_cpu());
	timer_set(&w->timer, time_now() + PERIOD);
}

void watchdog_stop_cpu(unsigned int cpu)
{
	if (opt_watchdog && opt_timeout != 0)
		timer_kill(&watches[cpu].timer);
}
