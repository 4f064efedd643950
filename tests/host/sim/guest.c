/* SPDX-License-Identifier: BSD-2-Clause */
/* Simulated guests: domains with memory and page tables; hypercalls as the dispatcher would make them. */
#include <stdlib.h>
#include <hv/errno.h>
#include <hv/log.h>
#include <hv/pv.h>
#include <hv/string.h>
#include <hv/tlb.h>
#include <xen/domctl.h>
#include "sim_private.h"

#define RESTARTS_MAX 10000000u
#define ENTRIES 512u
#define PTE_RO (1u | 4u | 0x20u)
#define PTE_RW (PTE_RO | 2u | 0x40u)

struct sim_guest sim_guests[SIM_DOMAINS];
/* Used again by the next machine. */
SIM_KEPT static u32 *frame_numbers[SIM_DOMAINS];
struct vcpu sim_idle;
static struct vcpu idle_others[SIM_CPUS];

struct sim_guest *sim_guest_of(const struct domain *d)
{
	for (u32 i = 0; i < SIM_DOMAINS; i++)
		if (sim_guests[i].d == d)
			return &sim_guests[i];
	sim_fail("not a simulated domain");
}

mfn_t sim_mfn(const struct domain *d, u32 pfn)
{
	const struct sim_guest *g = sim_guest_of(d);

	if (pfn >= g->pages)
		sim_fail("page %u of a domain of %u", pfn, g->pages);
	return mfn(g->mfn[pfn]);
}

u64 *sim_page(const struct domain *d, u32 pfn)
{
	return mfn_virt(sim_mfn(d, pfn));
}

void *sim_ptr(const struct domain *d, gva_t va)
{
	u64 at = va - SIM_GUEST_BASE;

	return (u8 *)sim_page(d, (u32)(at >> PAGE_SHIFT)) + (at & ~PAGE_MASK);
}

u32 sim_pages_left(const struct domain *d)
{
	const struct sim_guest *g = sim_guest_of(d);

	return g->tables - g->next;
}

gva_t sim_alloc(struct domain *d, size_t len)
{
	struct sim_guest *g = sim_guest_of(d);
	u32 n = (u32)((len + PAGE_SIZE - 1) >> PAGE_SHIFT), at = g->next;

	if (n > g->tables - g->next)
		sim_fail("guest memory used up");
	g->next += n;
	return sim_va(at);
}

u32 sim_alloc_page(struct domain *d)
{
	return (u32)((sim_alloc(d, 1) - SIM_GUEST_BASE) >> PAGE_SHIFT);
}

/* Page tables come last: L1s in order, then L2, L3, L4. */
u32 sim_table(const struct domain *d, unsigned int level, gva_t va)
{
	const struct sim_guest *g = sim_guest_of(d);
	u32 pfn = (u32)((va - SIM_GUEST_BASE) >> PAGE_SHIFT);

	switch (level) {
	case 1: return g->tables + pfn / ENTRIES;
	case 2: return g->pages - 3;
	case 3: return g->pages - 2;
	default: return g->pages - 1;
	}
}

static void tables_build(struct sim_guest *g)
{
	struct domain *d = g->d;
	u32 nr_l1 = (g->pages + ENTRIES - 1) / ENTRIES;
	u64 slot4 = SIM_GUEST_BASE >> 39 & 511, slot3 = SIM_GUEST_BASE >> 30 & 511;

	if (nr_l1 > ENTRIES || g->pages < nr_l1 + 4)
		sim_fail("a domain of %u pages", g->pages);
	g->tables = g->pages - nr_l1 - 3;
	g->root = g->pages - 1;
	for (u32 i = 0; i < g->pages; i++)
		sim_page(d, g->tables + i / ENTRIES)[i % ENTRIES] =
			(u64)g->mfn[i] << PAGE_SHIFT | (i >= g->tables ? PTE_RO : PTE_RW);
	for (u32 i = 0; i < nr_l1; i++)
		sim_page(d, g->pages - 3)[i] = (u64)g->mfn[g->tables + i] << PAGE_SHIFT | PTE_RW;
	sim_page(d, g->pages - 2)[slot3] = (u64)g->mfn[g->pages - 3] << PAGE_SHIFT | PTE_RW;
	sim_page(d, g->pages - 1)[slot4] = (u64)g->mfn[g->pages - 2] << PAGE_SHIFT | PTE_RW;
}

static struct sim_guest *guest_slot(void)
{
	for (u32 i = 0; i < SIM_DOMAINS; i++)
		if (!sim_guests[i].d)
			return &sim_guests[i];
	sim_fail("too many domains");
}

struct domain *sim_domain(domid_t id, bool privileged, unsigned int vcpus, u32 pages)
{
	struct xen_domctl_createdomain cfg = { .max_vcpus = vcpus, .max_evtchn_port = 4095, .max_grant_frames = 64,
		.max_maptrack_frames = 1024, .grant_opts = 2 };
	struct sim_guest *g = guest_slot();
	struct domain *d;
	struct vcpu *v;
	int rc;

	if (domain_create(id, &cfg, privileged, &d))
		sim_fail("domain_create");
	if (!frame_numbers[g - sim_guests])
		frame_numbers[g - sim_guests] = calloc(SIM_FRAMES, sizeof(u32));
	*g = (struct sim_guest){ .d = d, .pages = pages, .mfn = frame_numbers[g - sim_guests] };
	if (privileged)
		dom0 = d;
	d->memory.max = sim_frames;
	for (u32 i = 0; i < pages; i++) {
		struct frame *f = domain_frames_alloc(d, 0, 0);

		if (!f)
			sim_fail("out of frames");
		g->mfn[i] = (u32)frame_mfn(f).v;
		m2p_set(frame_mfn(f), i);
	}
	tables_build(g);
	for (u32 i = 0; i < vcpus; i++) {
		if (vcpu_create(d, i, i % cpumask_weight(&cpu_online_map), &v))
			sim_fail("vcpu_create");
		do
			rc = pv_root_set(v, v, sim_mfn(d, g->root), false);
		while (rc == -ERESTART);
		if (rc)
			sim_fail("pv_root_set: %d", rc);
		v->initialised = true;
		v->pause_flags = 0;
	}
	d->pause_count = d->controller_pause_count = 0;
	d->created = true;
	sim_domain_ready(d);
	return d;
}

__attribute__((weak)) void sim_deschedule(struct vcpu *v)
{
	struct sim_cpu *c = &sim_cpu[v->cpu];
	unsigned int here = sim_cpu_nr;

	if (!v->running)
		return;
	v->saved_regs = *v->regs;
	v->regs = &v->saved_regs;
	v->running = false;
	c->info.current = c->idle;
	sim_cpu_nr = v->cpu;
	cr3_write(0);
	cpumask_clear(&v->domain->dirty_cpus, v->cpu);
	sim_cpu_nr = here;
}

__attribute__((weak)) struct vcpu *sim_run(struct vcpu *v, unsigned int cpu)
{
	struct sim_cpu *c = &sim_cpu[cpu];

	sim_cpu_switch(cpu);
	if (c->info.current == v)
		return v;
	if (c->info.current && !c->info.current->is_idle)
		sim_deschedule(c->info.current);
	sim_deschedule(v);
	c->info.regs = *v->regs;
	v->regs = &c->info.regs;
	v->cpu = cpu;
	v->running = true;
	c->info.current = v;
	cpumask_set(&v->domain->dirty_cpus, cpu);
	pv_cr3_load(v);
	return v;
}

struct vcpu *sim_run_vcpu(struct domain *d, unsigned int n)
{
	return sim_run(d->vcpu[n], n);
}

long sim_call_limited(struct vcpu *v, hypercall_fn *fn, u64 *args, u32 restarts)
{
	long rc;

	if (!v->running || v->cpu != sim_cpu_nr)
		sim_fail("hypercall by a vCPU that does not run here");
	memcpy(v->regs->args, args, sizeof(v->regs->args));
	for (;;) {
		lock_assert_below(LOCK_CONTROL);
		rc = fn(v, v->regs->args);
		lock_assert_below(LOCK_CONTROL);
		if (rc != -ERESTART || restarts-- == 0)
			return rc;
	}
}

long sim_call(struct vcpu *v, hypercall_fn *fn, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5)
{
	u64 args[6] = { a0, a1, a2, a3, a4, a5 };
	long rc = sim_call_limited(v, fn, args, RESTARTS_MAX);

	if (rc == -ERESTART)
		sim_fail("a hypercall restarts for ever");
	return rc;
}

__attribute__((weak)) struct vcpu *sim_idle_vcpu(unsigned int cpu)
{
	return cpu ? &idle_others[cpu] : &sim_idle;
}

void sim_guests_start(void)
{
	memset(sim_guests, 0, sizeof(sim_guests));
	sim_domains_start();
	for (unsigned int i = 0; i < SIM_CPUS; i++) {
		struct vcpu *idle = i ? &idle_others[i] : &sim_idle;

		memset(idle, 0, sizeof(*idle));
		idle->is_idle = true;
		idle->cpu = i;
		idle->domain = idle_domain;
		idle->regs = &idle->saved_regs;
		sim_cpu[i].idle = sim_cpu[i].info.current = sim_idle_vcpu(i);
	}
}

void sim_guests_stop(void)
{
	for (u32 i = 0; i < SIM_DOMAINS; i++) {
		struct domain *d = sim_guests[i].d;
		struct vcpu *v;

		/* One that was ended by the test has none left. */
		if (!d || !d->vcpu)
			continue;
		for_each_vcpu(d, v)
			sim_deschedule(v);
	}
	sim_domains_stop();
	memset(sim_guests, 0, sizeof(sim_guests));
}
