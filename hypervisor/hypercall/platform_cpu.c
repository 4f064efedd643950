/* SPDX-License-Identifier: BSD-2-Clause */
/* platform_op: which CPUs there are, taking them on and off line, their idle time, and machine registers for monitoring. */
#include "platform.h"
#include <hv/acpi.h>
#include <hv/control.h>
#include <hv/cpu.h>
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/event.h>
#include <hv/features.h>
#include <hv/guest.h>
#include <hv/msr.h>
#include <hv/sched.h>
#include <hv/smp.h>
#include <hv/softirq.h>
#include <hv/string.h>
#include <hv/time.h>
#include <hv/x86.h>

static u32 max_present(void)
{
	u32 max = 0, cpu;

	for_each_cpu(cpu, &cpu_present_map)
		max = cpu;
	return max;
}

static bool cpu_present(u32 cpu)
{
	return cpu < MAX_CPUS && cpumask_test(&cpu_present_map, cpu);
}

long platform_cpu_info(struct vcpu *v, struct xen_platform_op *op)
{
	struct xenpf_pcpuinfo *i = &op->u.pcpu_info;
	u32 cpu = i->xen_cpuid;

	(void)v;
	i->max_present = max_present();
	i->apic_id = i->acpi_id = ~0u;
	i->flags = XEN_PCPU_FLAGS_INVALID;
	if (cpu_present(cpu)) {
		cpu = (u32)index_clamp(cpu, MAX_CPUS);
		i->apic_id = cpu_topology[cpu].apic_id;
		i->acpi_id = cpu_topology[cpu].acpi_id;
		i->flags = cpu_online(cpu) ? XEN_PCPU_FLAGS_ONLINE : 0;
	}
	return 0;
}

/* Runs on the CPU that is asked about. */
static void version_read(void *arg)
{
	struct xenpf_pcpu_version *i = arg;
	struct cpuid_leaf name = cpuid_host(0, 0);
	u32 eax = cpuid_host(1, 0).a;

	memcpy(i->vendor_id, &name.b, 4);
	memcpy(i->vendor_id + 4, &name.d, 4);
	memcpy(i->vendor_id + 8, &name.c, 4);
	i->family = eax >> 8 & 15;
	i->model = eax >> 4 & 15;
	i->stepping = eax & 15;
	if (i->family == 15)
		i->family += eax >> 20 & 0xff;
	if (i->family >= 6)
		i->model |= eax >> 12 & 0xf0;
}

long platform_cpu_version(struct vcpu *v, struct xen_platform_op *op)
{
	struct xenpf_pcpu_version *i = &op->u.pcpu_version;
	u32 cpu = i->xen_cpuid;
	struct cpumask mask;

	(void)v;
	i->max_present = max_present();
	i->family = i->model = i->stepping = 0;
	memset(i->vendor_id, 0, sizeof(i->vendor_id));
	if (!cpu_online(cpu))
		return 0;
	mask = cpumask_of((unsigned int)index_clamp(cpu, MAX_CPUS));
	smp_call(&mask, version_read, i);
	return 0;
}

/* --- On and off line: 0, -errno, or -ERESTART --- */

static int up_controlled(u32 cpu)
{
	int rc;

	if (!control_lock())
		return -ERESTART;
	rc = cpu_up(cpu);
	control_unlock();
	return rc;
}

static int down_controlled(u32 cpu)
{
	int rc;

	if (!control_lock())
		return -ERESTART;
	rc = cpu_down(cpu);
	control_unlock();
	return rc;
}

long platform_cpu_online(struct vcpu *v, struct xen_platform_op *op)
{
	u32 cpu = op->u.cpu_ol.cpuid;
	int rc;

	(void)v;
	if (!cpu_present(cpu))
		return -EINVAL;
	cpu = (u32)index_clamp(cpu, MAX_CPUS);
	if (cpu_online(cpu))
		return 0;
	rc = up_controlled(cpu);
	if (!rc)
		event_send_global_virq(VIRQ_PCPU_STATE);
	return rc;
}

/*
 * A CPU cannot take itself offline: if the caller happens to run on the CPU in question, CPU 0 does it in a tasklet, and the caller
 * repeats the hypercall, soon on another CPU, until that is done. One at a time.
 */
enum { OFFLINE_FREE, OFFLINE_RUNS, OFFLINE_DONE };
static struct {
	u32 state;
	const struct vcpu *caller;
	u32 cpu;
	int rc;
	struct tasklet work;
} offline;

static void offline_work(void *arg)
{
	(void)arg;
	offline.rc = down_controlled(offline.cpu);
	if (offline.rc == -ERESTART) {
		tasklet_schedule(&offline.work, 0);
		return;
	}
	__atomic_store_n(&offline.state, OFFLINE_DONE, __ATOMIC_RELEASE);
}

static int offline_self(const struct vcpu *v, u32 cpu)
{
	u32 free = OFFLINE_FREE;

	if (!__atomic_compare_exchange_n(&offline.state, &free, OFFLINE_RUNS, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return -EBUSY;
	offline.cpu = cpu;
	offline.work.fn = offline_work;
	__atomic_store_n(&offline.caller, v, __ATOMIC_RELEASE);
	tasklet_schedule(&offline.work, 0);
	return -ERESTART;
}

static int cpu_offline(const struct vcpu *v, u32 cpu)
{
	int rc;

	/* Whoever finds itself as the caller owns the request; else the fields are somebody else's. */
	if (__atomic_load_n(&offline.caller, __ATOMIC_ACQUIRE) == v && offline.cpu == cpu) {
		if (__atomic_load_n(&offline.state, __ATOMIC_ACQUIRE) == OFFLINE_RUNS)
			return -ERESTART;
		rc = offline.rc;
		__atomic_store_n(&offline.caller, NULL, __ATOMIC_RELAXED);
		__atomic_store_n(&offline.state, OFFLINE_FREE, __ATOMIC_RELEASE);
		return rc;
	}
	if (!cpu_online(cpu))
		return 0;
	return cpu == this_cpu() ? offline_self(v, cpu) : down_controlled(cpu);
}

long platform_cpu_offline(struct vcpu *v, struct xen_platform_op *op)
{
	u32 cpu = op->u.cpu_ol.cpuid;
	int rc;

	if (!cpu_present(cpu) || cpu == 0)
		return -EINVAL;
	rc = cpu_offline(v, (u32)index_clamp(cpu, MAX_CPUS));
	if (!rc)
		event_send_global_virq(VIRQ_PCPU_STATE);
	return rc;
}

/* A CPU that the MADT announced as hot-pluggable has a number since boot; others cannot be added. */
long platform_cpu_hotadd(struct vcpu *v, struct xen_platform_op *op)
{
	const struct xenpf_cpu_hotadd *a = &op->u.cpu_add;
	u32 cpu;

	(void)v;
	for_each_cpu(cpu, &cpu_present_map)
		if (cpu_topology[cpu].apic_id == a->apic_id && cpu_topology[cpu].acpi_id == a->acpi_id)
			return cpu;
	return -EOPNOTSUPP;
}

/* --- Parking: the ACPI pad asks that so many CPUs be idle --- */

static struct cpumask parked;

static int park_one(const struct vcpu *v)
{
	for (unsigned int cpu = MAX_CPUS - 1; cpu > 0; cpu--) {
		int rc;

		if (!cpu_online(cpu))
			continue;
		rc = cpu_offline(v, cpu);
		if (!rc)
			cpumask_set(&parked, cpu);
		return rc;
	}
	return -EBUSY;
}

static int unpark_one(void)
{
	unsigned int cpu = cpumask_next(&parked, 0);
	int rc = cpu_online(cpu) ? 0 : up_controlled(cpu);

	if (!rc)
		cpumask_clear(&parked, cpu);
	return rc;
}

long platform_parking(struct vcpu *v, struct xen_platform_op *op)
{
	struct xenpf_core_parking *p = &op->u.core_parking;
	u32 now = cpumask_weight(&parked);
	int rc;

	if (p->type == XEN_CORE_PARKING_GET) {
		p->idle_nums = now;
		return 0;
	}
	if (p->type != XEN_CORE_PARKING_SET)
		return -EINVAL;
	if (p->idle_nums == now)
		return 0;
	/* One CPU at a time; the hypercall repeats itself. */
	rc = p->idle_nums > now ? park_one(v) : unpark_one();
	if (rc)
		return rc;
	event_send_global_virq(VIRQ_PCPU_STATE);
	return -ERESTART;
}

/* --- Idle time --- */

/* The entry of one CPU. bits: its byte of the map. */
static int idle_time_put(struct vcpu *v, const struct xenpf_getidletime *g, u32 cpu, u8 *bits)
{
	u8 bit = (u8)(1u << cpu % 8);
	u64 time = 0;

	if (!(*bits & bit))
		return 0;
	if (cpu_present(cpu))
		time = sched_idle_time(cpu);
	else
		*bits &= (u8)~bit;
	return guest_array_out(v, g->idletime.p, cpu, &time);
}

long platform_idle_time(struct vcpu *v, struct xen_platform_op *op)
{
	struct xenpf_getidletime *g = &op->u.getidletime;
	/* Entries beyond are not there, so their bits are cleared as far as a map may sensibly reach. */
	u32 cpus = MIN(g->cpumap_nr_cpus, 4 * MAX_CPUS);

	for (u32 cpu = 0; cpu < cpus; cpu += 8) {
		u8 bits;

		if (guest_array_in(v, &bits, g->cpumap_bitmap.p, cpu / 8))
			return -EFAULT;
		for (u32 i = cpu; i < cpu + 8 && i < cpus; i++)
			if (idle_time_put(v, g, i, &bits))
				return -EFAULT;
		if (guest_array_out(v, g->cpumap_bitmap.p, cpu / 8, &bits))
			return -EFAULT;
	}
	g->now = time_now();
	return 0;
}

/* --- Frequency --- */

/* dom0 changed a CPU's frequency. System time does not depend on it: the TSC is constant, or corrected every second. */
long platform_frequency(struct vcpu *v, struct xen_platform_op *op)
{
	const struct xenpf_change_freq *f = &op->u.change_freq;

	(void)v;
	return f->flags || !cpu_online(f->cpu) || !f->freq ? -EINVAL : 0;
}

/* --- Machine registers --- */

#define RESOURCE_MAX 8u
/* Cache monitoring: selector and counter. */
#define MSR_CMT_EVTSEL 0xc8d
#define MSR_CMT_CTR 0xc8e

struct resource {
	u32 count, done;
	struct xenpf_resource_entry e[RESOURCE_MAX];
};

/* Does one access; 0 or -errno. The TSC stands for system time. */
static int resource_do(struct xenpf_resource_entry *e)
{
	bool write = e->u.cmd == XEN_RESOURCE_OP_MSR_WRITE;

	if (e->idx == MSR_TSC) {
		if (write)
			return -EPERM;
		e->val = tsc_to_ns(rdtsc());
		return 0;
	}
	if (e->idx != MSR_CMT_EVTSEL && (e->idx != MSR_CMT_CTR || write))
		return -EPERM;
	return write ? wrmsr_safe((u32)e->idx, e->val) : rdmsr_safe((u32)e->idx, &e->val);
}

static void resource_run(void *arg)
{
	struct resource *r = arg;

	for (r->done = 0; r->done < r->count; r->done++) {
		struct xenpf_resource_entry *e = &r->e[r->done];
		int rc = e->rsvd || e->u.cmd > XEN_RESOURCE_OP_MSR_WRITE ? -EINVAL : resource_do(e);

		if (rc) {
			e->u.ret = rc;
			return;
		}
	}
}

long platform_resource(struct vcpu *v, struct xen_platform_op *op)
{
	const struct xenpf_resource_op *o = &op->u.resource_op;
	struct resource r = { .count = o->nr_entries };
	struct cpumask mask;

	if (!r.count || r.count > RESOURCE_MAX)
		return -EINVAL;
	if (!cpu_online(o->cpu))
		return -ENODEV;
	if (guest_copy_in(v, r.e, (gva_t)(uintptr_t)o->entries.p, r.count * sizeof(r.e[0])))
		return -EFAULT;
	mask = cpumask_of((unsigned int)index_clamp(o->cpu, MAX_CPUS));
	smp_call(&mask, resource_run, &r);
	if (guest_copy_out(v, (gva_t)(uintptr_t)o->entries.p, r.e, r.count * sizeof(r.e[0])))
		return -EFAULT;
	return r.done;
}
