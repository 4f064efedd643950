/* SPDX-License-Identifier: BSD-2-Clause */
/* Weak stand-ins for core/domain: domains and vCPUs without scheduler, grants or events (the test creates what it needs). */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <hv/errno.h>
#include <hv/guest.h>
#include <hv/log.h>
#include <hv/pv.h>
#include <hv/rangeset.h>
#include <hv/sched.h>
#include <hv/string.h>
#include <xen/domctl.h>
#include <xen/sched.h>
#include "sim_private.h"

#define STAND_IN __attribute__((weak))

STAND_IN struct domain *dom0;
STAND_IN struct domain *idle_domain;
STAND_IN struct domain *dom_io;
STAND_IN struct domain *dom_xen;
static struct domain special[3];
static struct domain *table[SIM_DOMAINS];

STAND_IN void sim_domains_start(void)
{
	memset(special, 0, sizeof(special));
	memset(table, 0, sizeof(table));
	special[0] = (struct domain){ .id = DOMID_IO };
	special[1] = (struct domain){ .id = DOMID_XEN };
	special[2] = (struct domain){ .id = DOMID_IDLE, .is_idle = true };
	for (u32 i = 0; i < 3; i++) {
		special[i].refs = 1;
		spin_init(&special[i].memory.lock, LOCK_DOMFRAMES);
	}
	dom_io = &special[0];
	dom_xen = &special[1];
	idle_domain = &special[2];
	dom0 = NULL;
}

STAND_IN int domain_create(domid_t id, const struct xen_domctl_createdomain *cfg, bool privileged, struct domain **out)
{
	struct domain *d;
	u32 slot;

	for (slot = 0; slot < SIM_DOMAINS && table[slot]; slot++)
		;
	if (slot == SIM_DOMAINS)
		return -ENOMEM;
	d = calloc(1, sizeof(*d));
	d->id = id;
	d->privileged = privileged;
	d->max_vcpus = cfg->max_vcpus;
	d->vcpu = calloc(cfg->max_vcpus, sizeof(struct vcpu *));
	d->refs = 1;
	d->pause_count = d->controller_pause_count = 1;
	d->ops = &pv_guest_ops;
	spin_init(&d->lock, LOCK_DOMAIN);
	d->iomem = rangeset_create();
	d->ioports = rangeset_create();
	d->irqs = rangeset_create();
	if (domain_memory_init(d) || pv_guest_ops.domain_init(d, cfg))
		sim_fail("domain_create");
	d->shared = page_alloc();
	table[slot] = d;
	frame_share(d->shared, d, true);
	*out = d;
	return 0;
}

STAND_IN int vcpu_create(struct domain *d, u32 id, u32 cpu, struct vcpu **out)
{
	struct vcpu *v;

	if (id >= d->max_vcpus || d->vcpu[id])
		return -EINVAL;
	v = aligned_alloc(64, ROUND_UP(sizeof(*v), 64UL));
	memset(v, 0, sizeof(*v));
	v->domain = d;
	v->id = id;
	v->cpu = cpu;
	v->pause_flags = VPF_DOWN;
	v->regs = &v->saved_regs;
	v->info_mfn = INVALID_MFN;
	v->info = id < XEN_LEGACY_MAX_VCPUS ? &d->shared->vcpu_info[id] : calloc(1, sizeof(struct vcpu_info));
	if (pv_guest_ops.vcpu_init(v))
		sim_fail("vcpu_init");
	d->vcpu[id] = v;
	*out = v;
	return 0;
}

STAND_IN struct domain *domain_peek(domid_t id)
{
	if (id >= DOMID_FIRST_RESERVED)
		return id == DOMID_IO ? dom_io : id == DOMID_XEN ? dom_xen : NULL;
	for (u32 i = 0; i < SIM_DOMAINS; i++)
		if (table[i] && table[i]->id == id)
			return table[i];
	return NULL;
}

STAND_IN struct domain *domain_get_by_id(domid_t id)
{
	for (u32 i = 0; i < SIM_DOMAINS; i++)
		if (table[i] && table[i]->id == id) {
			domain_get(table[i]);
			return table[i];
		}
	return NULL;
}

STAND_IN struct domain *domain_get_by_any_id(struct vcpu *actor, domid_t id)
{
	return domain_get_by_id(id == DOMID_SELF ? actor->domain->id : id);
}

STAND_IN struct domain *domain_next(domid_t from)
{
	struct domain *best = NULL;

	for (u32 i = 0; i < SIM_DOMAINS; i++)
		if (table[i] && table[i]->id >= from && (!best || table[i]->id < best->id))
			best = table[i];
	if (best)
		domain_get(best);
	return best;
}

STAND_IN void domain_put(struct domain *d)
{
	if (__atomic_sub_fetch(&d->refs, 1, __ATOMIC_SEQ_CST) == 0 && d->life != DOMAIN_DEAD)
		sim_fail("last reference of domain %u, which lives, dropped", d->id);
}

STAND_IN struct vcpu *domain_vcpu(const struct domain *d, u32 id)
{
	return id < d->max_vcpus ? d->vcpu[index_clamp(id, d->max_vcpus)] : NULL;
}

STAND_IN void domain_pause(struct domain *d)
{
	struct vcpu *v;

	__atomic_add_fetch(&d->pause_count, 1, __ATOMIC_SEQ_CST);
	for_each_vcpu(d, v)
		sim_deschedule(v);
}

STAND_IN void domain_unpause(struct domain *d)
{
	__atomic_sub_fetch(&d->pause_count, 1, __ATOMIC_SEQ_CST);
}

STAND_IN void vcpu_pause(struct vcpu *v)
{
	__atomic_add_fetch(&v->pause_count, 1, __ATOMIC_SEQ_CST);
	sim_deschedule(v);
}

STAND_IN void vcpu_pause_nosync(struct vcpu *v)
{
	__atomic_add_fetch(&v->pause_count, 1, __ATOMIC_SEQ_CST);
}

STAND_IN void vcpu_unpause(struct vcpu *v)
{
	__atomic_sub_fetch(&v->pause_count, 1, __ATOMIC_SEQ_CST);
}

STAND_IN void domain_shutdown(struct domain *d, u32 reason)
{
	d->is_shutting_down = d->is_shut_down = true;
	d->shutdown_code = reason;
}

STAND_IN void domain_crash(struct vcpu *v, const char *fmt, ...)
{
	va_list ap;

	sim_counts.crashes++;
	if (sim_log) {
		va_start(ap, fmt);
		vfprintf(stderr, fmt, ap);
		fprintf(stderr, "\n");
		va_end(ap);
	}
	domain_shutdown(v->domain, SHUTDOWN_crash);
}

/* --- the end of a test --- */

static void domain_stop(struct domain *d, struct vcpu *actor)
{
	int rc;

	d->life = DOMAIN_DYING;
	while ((rc = pv_guest_ops.domain_relinquish(actor, d)) == -ERESTART)
		;
	if (rc)
		sim_fail("domain_relinquish: %d", rc);
	while (domain_memory_relinquish(d, 64) == -ERESTART)
		;
}

static void domain_release(struct domain *d)
{
	struct vcpu *v;

	for_each_vcpu(d, v) {
		pv_guest_ops.vcpu_free(v);
		if (v->id >= XEN_LEGACY_MAX_VCPUS)
			free(v->info);
		free(v);
	}
	frame_share_end(d->shared, d);
	pv_guest_ops.domain_free(d);
	domain_memory_destroy(d);
	rangeset_free(d->iomem);
	rangeset_free(d->ioports);
	rangeset_free(d->irqs);
	free(d->vcpu);
	free(d);
}

STAND_IN void sim_domains_stop(void)
{
	for (u32 i = 0; i < SIM_DOMAINS; i++)
		if (table[i])
			domain_stop(table[i], &sim_idle);
	for (u32 i = 0; i < SIM_DOMAINS; i++) {
		if (table[i])
			domain_release(table[i]);
		table[i] = NULL;
	}
}
