/* SPDX-License-Identifier: BSD-2-Clause */
/* Counters of what the hypervisor did, one set a CPU: for sysctl's perfc_op and the debug key 'p'. */
#ifndef HV_PERF_H
#define HV_PERF_H

#include <hv/types.h>
#include <hv/compiler.h>
#include <hv/cpumask.h>

enum perf_counter {
	PERF_SCHEDULE,		/* runs of the scheduler */
	PERF_SWITCH,		/* switches from one vCPU to another */
	PERF_IDLE,		/* times a CPU found nothing to run */
	PERF_MOVE,		/* vCPUs that came to another CPU */
	PERF_STEAL,		/* vCPUs taken from another run queue by an idle CPU */
	PERF_BALANCE,		/* vCPUs given to another run queue to even out */
	PERF_PARK,		/* vCPUs stopped by their domain's cap */
	PERF_RESTART,		/* hypercalls that were preempted */
	PERF_COUNTERS,
};

extern u64 perf_counts[MAX_CPUS][PERF_COUNTERS];

/* cpu is the executing one: nobody else writes its counters. */
static inline void perf_count(unsigned int cpu, enum perf_counter c)
{
	perf_counts[cpu][c]++;
}

/* All counters in one list, those of hypercalls by number included: how many, name and value (summed over CPUs) of the n-th, and back to 0. */
u32 perf_list_length(void);
const char *perf_list_name(u32 n);
u64 perf_list_value(u32 n);
void perf_list_reset(void);

#endif
