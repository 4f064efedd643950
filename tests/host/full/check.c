/* SPDX-License-Identifier: BSD-2-Clause */
/* What holds references of frames beside page tables; and a number for the state of everything. */
#include <hv/event.h>
#include <hv/frame_type.h>
#include <hv/policy.h>
#include <hv/pv.h>
#include <hv/rangeset.h>
#include <hv/string.h>
#include "../../../hypervisor/core/event/event.h"
#include "../../../hypervisor/core/grant/grant.h"
#include "../../../hypervisor/core/sched/sched_private.h"
#include "../../../hypervisor/arch/x86/pv/mmu.h"
#include "../sim_mm/glue.h"
#include "full_private.h"

#define IDS 600u

/* What the private structs of other modules begin with. */
struct fifo_view {
	struct spinlock lock;
	u32 nr_pages;
	void *page[];
};
struct fifo_vcpu_view {
	void *control;
};
struct pirq_view {
	struct spinlock lock;
	u32 count;
	void *eoi_map;
};

void sim_each_domain(void (*fn)(const struct domain *d))
{
	for (u32 id = 0; id < IDS; id++) {
		const struct domain *d = domain_peek((domid_t)id);

		if (d && d->refs)
			fn(d);
	}
}

/* --- references --- */

static void grants_hold(const struct grant_table *t)
{
	u32 chunks = t->max_frames * V1_PER_FRAME / ACTIVE_PER_CHUNK, active = 0;

	for (u32 i = 0; i < chunks; i++)
		for (u32 k = 0; t->active[i] && k < ACTIVE_PER_CHUNK; k++) {
			const struct grant_active *a = &t->active[i][k];

			if (!a->readers && !a->writers)
				continue;
			active++;
			sim_hold(a->frame, false);
			if (a->writers)
				sim_hold(a->frame, true);
		}
	if (active != t->active_count)
		sim_fail("%u grants are in use and %u counted", active, t->active_count);
}

static void domain_holds(const struct domain *d)
{
	struct vcpu *v;

	if (d->grants)
		grants_hold(d->grants);
	for_each_vcpu(d, v) {
		if (!mfn_eq(v->info_mfn, INVALID_MFN))
			sim_hold(v->info_mfn, true);
		if (v->fifo)
			sim_hold(virt_mfn(((const struct fifo_vcpu_view *)(const void *)v->fifo)->control), true);
	}
	if (d->events && d->events->fifo) {
		const struct fifo_view *f = (const void *)d->events->fifo;

		for (u32 i = 0; i < f->nr_pages; i++)
			sim_hold(virt_mfn(f->page[i]), true);
	}
	if (d->pirqs && ((const struct pirq_view *)(const void *)d->pirqs)->eoi_map)
		sim_hold(virt_mfn(((const struct pirq_view *)(const void *)d->pirqs)->eoi_map), true);
}

void full_holders(void)
{
	sim_each_domain(domain_holds);
}

/* --- the number --- */

static u64 number;
static bool skipped[SIM_FRAMES];

void full_hash_skip(mfn_t m)
{
	skipped[m.v] = true;
}

static void mix(u64 val)
{
	number = (number ^ val) * 0x9e3779b97f4a7c15UL;
	number ^= number >> 29;
}

static void mix_bytes(const void *p, size_t size)
{
	const u8 *b = p;
	u64 word;

	for (; size >= sizeof(word); size -= sizeof(word), b += sizeof(word)) {
		memcpy(&word, b, sizeof(word));
		mix(word);
	}
	while (size--)
		mix(*b++);
}

static void mix_vcpu(const struct vcpu *v)
{
	const struct pv_vcpu *pv = v->pv;

	mix(v->id);
	mix((u64)v->pause_flags << 32 | v->pause_count);
	mix(v->initialised);
	mix(v->runstate_guest);
	mix(v->time_guest);
	mix(v->info_mfn.v);
	mix(v->singleshot.slot ? v->singleshot.expires : 0);
	mix(v->periodic.slot ? v->periodic.expires : 0);
	mix(v->poll.slot ? v->poll.expires : 0);
	mix(v->periodic_period);
	mix(v->fifo != NULL);
	mix_bytes(v->virq_port, sizeof(v->virq_port));
	mix_bytes(&v->hard_affinity, sizeof(v->hard_affinity));
	mix_bytes(&v->soft_affinity, sizeof(v->soft_affinity));
	if (!pv)
		return;
	mix(pv->kernel_root.v);
	mix(pv->user_root.v);
	mix(pv->event_callback ^ pv->failsafe_callback ^ pv->syscall_callback);
	mix(pv->kernel_sp);
	mix_bytes(pv->traps, sizeof(pv->traps));
	mix_bytes(pv->gdt_frame, sizeof(pv->gdt_frame));
	mix(pv->gdt_entries);
	mix(pv->ldt_base);
	mix(pv->ldt_entries);
	mix_bytes(pv->dr, sizeof(pv->dr));
	mix(pv->iobmp_va);
	mix((u64)pv->iobmp_limit << 8 | pv->iopl);
}

static void mix_ports(const struct event_space *s)
{
	mix(s->abi == &event_abi_fifo);
	mix(s->active);
	mix(s->dying);
	for (u32 nr = 0; nr < s->nr_ports; nr++) {
		const struct port *p = port_find(s, nr);

		if (p->state == PORT_FREE)
			continue;
		mix(nr);
		mix((u64)p->state << 48 | (u64)p->priority << 32 | p->notify_vcpu);
		mix((u64)p->remote_port << 32 | (p->remote ? p->remote->id : 0xffff));
	}
	if (s->fifo)
		mix(((const struct fifo_view *)(const void *)s->fifo)->nr_pages);
}

static void mix_grants(const struct grant_table *t)
{
	u32 chunks = t->max_frames * V1_PER_FRAME / ACTIVE_PER_CHUNK;

	mix(t->version);
	for (u32 i = 0; i < chunks; i++)
		for (u32 k = 0; t->active[i] && k < ACTIVE_PER_CHUNK; k++) {
			const struct grant_active *a = &t->active[i][k];

			if (!a->readers && !a->writers)
				continue;
			mix(i * ACTIVE_PER_CHUNK + k);
			mix((u64)a->readers << 32 | a->writers);
			mix(a->frame.v);
		}
	for (u32 i = 0; i < t->track_pages * TRACKS_PER_PAGE; i++) {
		const struct grant_track *k = &t->track[i / TRACKS_PER_PAGE][i % TRACKS_PER_PAGE];

		if (k->granter)
			mix((u64)i << 32 | (u64)k->granter->id << 16 | k->flags);
	}
}

static void mix_domain(const struct domain *d)
{
	struct vcpu *v;

	mix(d->id);
	mix((u64)d->life << 32 | d->refs);
	mix((u64)d->pause_count << 32 | d->controller_pause_count);
	mix((u64)d->is_shutting_down << 33 | (u64)d->is_shut_down << 32 | d->shutdown_code);
	mix(d->memory.pages);
	mix(d->memory.max);
	mix(d->memory.claim);
	mix(d->memory.mapped_foreign);
	mix(d->memory.map != NULL);
	mix(d->vm_assist);
	mix((u64)d->wallclock_offset);
	mix((u64)d->vtsc << 32 | d->tsc_mode);
	mix(d->target ? d->target->id : ~0UL);
	mix(d->cpupool);
	mix(d->suspend_port);
	mix(d->node_affinity);
	mix((u64)d->watchdog[0].armed << 1 | d->watchdog[1].armed);
	mix_bytes(d->handle, sizeof(d->handle));
	if (d->sched)
		mix((u64)d->sched->weight << 32 | d->sched->cap);
	if (d->events)
		mix_ports(d->events);
	if (d->grants)
		mix_grants(d->grants);
	for_each_vcpu(d, v)
		mix_vcpu(v);
}

/* A frame of a domain: who has it, what it is, and what is in it, but for the accessed and dirty bits that the processor sets. */
static void mix_frame(u64 n)
{
	const struct frame *f = &sim_frame_table[n];
	enum frame_type t = frame_word_type(f->type);
	const u64 *page = mfn_virt(mfn(n));

	if (!(f->refs & FRAME_REFS) || (f->flags & FRAME_SHARED))
		return;
	mix(n);
	mix((u64)f->owner << 32 | f->refs);
	mix(frame_word_count(f->type) ? f->type & ~(u64)FRAME_TYPE_FOREIGN : 0);
	for (u32 i = 0; i < PAGE_SIZE / 8 && !skipped[n]; i++)
		if (page[i])
			mix(i ^ (frame_word_count(f->type) && frame_type_is_table(t) ? page[i] & ~0x60UL : page[i]));
}

static void mix_pools(void)
{
	for (const struct cpupool *p = cpupools; p; p = p->next) {
		mix(p->id);
		mix((u64)p->nr_domains << 32 | p->nr_cpus);
		mix_bytes(&p->cpus, sizeof(p->cpus));
		mix(p->slice ^ p->ratelimit);
	}
}

u64 full_hash(void)
{
	number = 1;
	sim_each_domain(mix_domain);
	mix_pools();
	for (u64 n = 1; n < sim_frames; n++)
		mix_frame(n);
	return number;
}
