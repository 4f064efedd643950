/* SPDX-License-Identifier: BSD-2-Clause */
/* Trace rings and counters. */
#include <hv/domain.h>
#include <hv/frame.h>
#include <hv/log.h>
#include <hv/perf.h>
#include <hv/trace.h>

#define DUMP_RECORDS 32u

struct trace_ring *trace_rings[MAX_CPUS];
u64 perf_counts[MAX_CPUS][PERF_COUNTERS];

static const char *const event_names[TRACE_EVENTS] = {
	[TRACE_NONE] = "?", [TRACE_SWITCH] = "switch", [TRACE_IDLE] = "idle", [TRACE_RESUME] = "resume",
	[TRACE_SHUTDOWN] = "shutdown",
};

void trace_cpu_init(unsigned int cpu)
{
	if (!trace_rings[cpu])
		trace_rings[cpu] = hv_alloc(sizeof(struct trace_ring));
}

void trace_note(unsigned int cpu, ns_t now, enum trace_event event, const struct vcpu *v, u64 arg)
{
	struct trace_ring *ring = trace_rings[cpu];
	struct trace_record *r;

	if (unlikely(!ring))
		return;
	r = &ring->record[ring->written++ % TRACE_RECORDS];
	r->time = now;
	r->event = (u16)event;
	r->domain = v->domain->id;
	r->vcpu = (u16)v->id;
	r->arg = arg;
}

void trace_dump(void)
{
	for (unsigned int cpu = 0; cpu < MAX_CPUS; cpu++) {
		const struct trace_ring *ring = trace_rings[cpu];
		u64 last = ring ? READ_ONCE(ring->written) : 0;

		for (u64 n = last - MIN(last, DUMP_RECORDS); n < last; n++) {
			struct trace_record r = ring->record[n % TRACE_RECORDS];

			log_always("CPU %u %lu.%06lu d%uv%u %s %lx", cpu, r.time / 1000000000,
				   r.time / 1000 % 1000000, r.domain, r.vcpu,
				   event_names[r.event < TRACE_EVENTS ? r.event : TRACE_NONE], r.arg);
		}
	}
}
