/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages between CPUs. */
#ifndef HV_SMP_H
#define HV_SMP_H

#include <hv/types.h>
#include <hv/cpumask.h>

/*
 * Runs fn(arg) on every CPU of `mask` that is online (this one included, if in it), with interrupts off, and waits until all have done so.
 * fn must be short and may take only locks of level LOCK_CONSOLE (it may log). The caller may hold locks: CPUs that spin answer.
 */
void smp_call(const struct cpumask *mask, void (*fn)(void *arg), void *arg);
/* Makes CPUs leave the guest or idle and look at their softirqs; does not wait. Any context. */
void smp_kick(unsigned int cpu);
/* Stops all other CPUs for good (panic, reboot, crash). Any context. */
void smp_stop_others(void);
/* Answers requests queued for this CPU; from the IPI, from spin_poll and from waiting loops. */
void smp_answer(void);

#endif
