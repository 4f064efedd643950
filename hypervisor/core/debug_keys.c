/* SPDX-License-Identifier: BSD-2-Clause */
/* Debug keys about domains, scheduling and memory. Each prints a bounded amount for each domain and CPU. */
#include "domain_private.h"
#include <hv/boot.h>
#include <hv/console.h>
#include <hv/cpu.h>
#include <hv/event.h>
#include <hv/frame.h>
#include <hv/grant.h>
#include <hv/log.h>
#include <hv/sched.h>
#include <hv/time.h>
#include <hv/trace.h>

static const char *const life_names[] = { [DOMAIN_LIVE] = "live", [DOMAIN_DYING] = "dying", [DOMAIN_DEAD] = "dead" };
static const char *const state_names[] = { "running", "runnable", "blocked", "offline" };

/* Calls fn for each domain. */
static void domains_each(void (*fn)(struct domain *d))
{
	struct domain *d;

	for (u32 id = 0; id < DOMID_FIRST_RESERVED && (d = domain_next((domid_t)id)) != NULL; domain_put(d)) {
		id = d->id + 1u;
		fn(d);
	}
}

static void dump_vcpu(struct vcpu *v)
{
	struct vcpu_runstate_info rs;

	vcpu_runstate_get(v, &rs);
	log_always("  v%u: %s on CPU %u, flags %x, paused %u, ran %lu ms, upcall pending %u mask %u, affinity %016lx %016lx", v->id,
		   state_names[rs.state & 3], v->cpu, v->pause_flags, v->pause_count, rs.time[RUNSTATE_running] / 1000000,
		   v->info->evtchn_upcall_pending, v->info->evtchn_upcall_mask, v->hard_affinity.bits[0],
		   v->soft_affinity.bits[0]);
}

static void dump_domain(struct domain *d)
{
	struct vcpu *v;

	log_always("d%u: %s%s, %u references, paused %u (by tools %u), %lu of %lu pages, %u vCPUs, pool %u, teardown step %u", d->id,
		   life_names[d->life], d->is_shut_down ? ", shut down" : "", d->refs, d->pause_count,
		   d->controller_pause_count, d->memory.pages, d->memory.max, d->max_vcpus, d->cpupool, d->teardown_step);
	for_each_vcpu(d, v)
		dump_vcpu(v);
}

static void dump_registers(struct domain *d)
{
	struct vcpu *v;

	for_each_vcpu(d, v)
		if (v->initialised)
			vcpu_dump_always(v);
}

static void dump_pages(struct domain *d)
{
	log_always("d%u: %lu pages of %lu, %lu claimed, %lu shared, %lu foreign mapped", d->id, d->memory.pages, d->memory.max,
		   d->memory.claim, d->memory.shared, d->memory.mapped_foreign);
}

static void key_domains(char key)
{
	(void)key;
	domains_each(dump_domain);
}

/* Of vCPUs that run elsewhere at this moment: as they were when they last entered the hypervisor. */
static void key_registers(char key)
{
	(void)key;
	domains_each(dump_registers);
}

static void key_dom0_registers(char key)
{
	(void)key;
	if (dom0)
		dump_registers(dom0);
}

static void key_run_queues(char key)
{
	(void)key;
	sched_dump();
}

static void key_memory(char key)
{
	(void)key;
	log_always("%lu of %lu pages are free, %lu of them claimed", heap_free_frames(), heap_total_frames(),
		   heap_claimed_frames());
	domains_each(dump_pages);
}

static void key_heap_nodes(char key)
{
	(void)key;
	for (unsigned int node = 0; node < 64; node++)
		if (heap_total_frames_node(node))
			log_always("node %u: %lu of %lu pages are free", node, heap_free_frames_node(node),
				   heap_total_frames_node(node));
}

static void key_events(char key)
{
	(void)key;
	domains_each(event_dump);
}

static void key_grants(char key)
{
	(void)key;
	domains_each(grant_dump);
}

static void key_trace(char key)
{
	(void)key;
	trace_dump();
}

static void key_time(char key)
{
	u64 sec;
	u32 nsec;

	(void)key;
	wallclock_now(&sec, &nsec);
	log_always("system time %lu ns, wall clock %lu.%09u, TSC %lu kHz", time_now(), sec, nsec, tsc_khz());
}

static void key_restart(char key)
{
	(void)key;
	log_always("restarting the machine, as asked on the console");
	machine_restart();
}

void debug_keys_init(void)
{
	debug_key_register('q', "dump domains and their vCPUs", key_domains);
	debug_key_register('d', "dump registers of all vCPUs", key_registers);
	debug_key_register('0', "dump registers of dom0's vCPUs", key_dom0_registers);
	debug_key_register('r', "dump run queues", key_run_queues);
	debug_key_register('m', "dump memory of domains", key_memory);
	debug_key_register('M', "dump memory of domains", key_memory);
	debug_key_register('H', "dump free memory of NUMA nodes", key_heap_nodes);
	debug_key_register('e', "dump event channels", key_events);
	debug_key_register('g', "dump grant tables", key_grants);
	debug_key_register('t', "dump clocks", key_time);
	debug_key_register('T', "dump trace rings", key_trace);
	debug_key_register('R', "restart the machine", key_restart);
}
