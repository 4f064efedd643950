/* SPDX-License-Identifier: BSD-2-Clause */
/* What happened last: a ring of records for each CPU, always on, for the debug key 'T' and for who reads a memory image. */
#ifndef HV_TRACE_H
#define HV_TRACE_H

#include <hv/types.h>
#include <hv/compiler.h>
#include <hv/cpumask.h>

struct vcpu;

enum trace_event {
	TRACE_NONE,
	TRACE_SWITCH,		/* the CPU goes over to this vCPU; arg: domain << 16 | vCPU of the one before */
	TRACE_IDLE,		/* nothing to run; the vCPU stays loaded */
	TRACE_RESUME,		/* ... and is run again */
	TRACE_SHUTDOWN,		/* its domain stops, reason arg */
	TRACE_EVENTS,
};

struct trace_record {
	ns_t time;
	u16 event, domain, vcpu, unused;
	u64 arg;
};
_Static_assert(sizeof(struct trace_record) == 24, "struct trace_record");

#define TRACE_RECORDS 128u
struct trace_ring {
	u64 written;		/* records since the CPU came up */
	struct trace_record record[TRACE_RECORDS];
};
/* Rings, NULL for CPUs that never were up. Written by their CPU alone; a reader may see a record that is being overwritten. */
extern struct trace_ring *trace_rings[MAX_CPUS];

/* Makes the ring of a CPU, if it has none; without memory there is no tracing there. */
void trace_cpu_init(unsigned int cpu);
/* Notes an event of v on the executing CPU. Any context. */
void trace_note(unsigned int cpu, ns_t now, enum trace_event event, const struct vcpu *v, u64 arg);
/* Debug key. */
void trace_dump(void);

#endif
