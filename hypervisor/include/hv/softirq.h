/* SPDX-License-Identifier: BSD-2-Clause */
/* Soft interrupts: work that a CPU does on its way back to the guest, with no lock held. */
#ifndef HV_SOFTIRQ_H
#define HV_SOFTIRQ_H

#include <hv/types.h>

enum softirq {
	SOFTIRQ_TIMER,		/* run expired timers */
	SOFTIRQ_SCHEDULE,	/* choose the next vCPU; handled last, by the exit path */
	SOFTIRQ_TASKLET,	/* deferred work */
	SOFTIRQ_TIME,		/* periodic time calibration */
	SOFTIRQ_NMI,		/* deferred part of NMI handling */
	SOFTIRQ_GUEST,		/* nothing to run: makes the exit path ask guest_ops.exit_work (an NMI for the vCPU, say) */
	SOFTIRQ_NR,
};

/* Marks work for this CPU or another (which is sent an IPI unless it is this one or already marked). Any context. */
void softirq_raise(unsigned int cpu, enum softirq nr);
/* Installs a handler; once, at boot. */
void softirq_register(enum softirq nr, void (*fn)(unsigned int cpu));
/* Runs everything pending on this CPU except SOFTIRQ_SCHEDULE. No lock held. */
void softirq_run(unsigned int cpu);
/* Pending mask of this CPU. */
u32 softirq_pending(unsigned int cpu);

/*
 * Preemption point. Lets pending interrupts in (a short window with interrupts on), then says whether the running operation
 * should stop and be restarted. Called with no lock of level LOCK_EVENT or above held. True in every call in the
 * "preempt at every chance" build and on simulated demand.
 */
bool preempt_needed(void);

/* Deferred work run on one CPU in SOFTIRQ_TASKLET context. */
struct tasklet {
	struct tasklet *next;
	void (*fn)(void *arg);
	void *arg;
	bool queued;
};
/* Queues t on a CPU (no-op when it is queued already). Any context. */
void tasklet_schedule(struct tasklet *t, unsigned int cpu);

#endif
