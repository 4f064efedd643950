/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains: the table, references, creation. A struct domain that was freed goes to a pool and is only ever used as a struct
 * domain again, so that a look-up needs no lock: it takes a reference if there still is one to share, and then checks that it
 * got the domain it wanted.
 */
#include "domain_private.h"
#include <hv/bitmap.h>
#include <hv/console.h>
#include <hv/errno.h>
#include <hv/event.h>
#include <hv/features.h>
#include <hv/frame.h>
#include <hv/grant.h>
#include <hv/guest.h>
#include <hv/log.h>
#include <hv/pirq.h>
#include <hv/rangeset.h>
#include <hv/sched.h>
#include <hv/string.h>
#include <hv/time.h>
#include <xen/domctl.h>
#include <xen/event_channel.h>

#define TABLE_LEAF (PAGE_SIZE / sizeof(struct domain *))
#define TABLE_LEAVES ((DOMID_FIRST_RESERVED + TABLE_LEAF - 1) / TABLE_LEAF)

const struct guest_ops *guest_ops_pv;
struct domain *dom0, *idle_domain, *dom_io, *dom_xen;

/* Changed under domain_list_lock; entries are read without it, since they are single words that point to a struct domain for ever. */
static struct domain **domain_table[TABLE_LEAVES];
static BITMAP_DECLARE(domain_ids, DOMID_FIRST_RESERVED);
static struct spinlock domain_list_lock = SPINLOCK(LOCK_DOMLIST);
static struct domain *domain_pool;
static domid_t domain_last_id;

/* Where the pointer of a domain is; NULL while that part of the table does not exist. */
static struct domain **table_slot(domid_t id)
{
	u64 i = index_clamp(id, DOMID_FIRST_RESERVED);
	struct domain **leaf = READ_ONCE(domain_table[i / TABLE_LEAF]);

	return leaf ? &leaf[i % TABLE_LEAF] : NULL;
}

struct domain *domain_peek(domid_t id)
{
	struct domain **slot;

	if (unlikely(id >= DOMID_FIRST_RESERVED))
		return id == DOMID_IO ? dom_io : id == DOMID_XEN ? dom_xen : NULL;
	slot = table_slot(id);
	return slot ? READ_ONCE(*slot) : NULL;
}

struct domain *domain_get_by_id(domid_t id)
{
	struct domain **slot, *d;
	u32 refs;

	if (id >= DOMID_FIRST_RESERVED)
		return NULL;
	slot = table_slot(id);
	d = slot ? READ_ONCE(*slot) : NULL;
	if (!d)
		return NULL;
	refs = READ_ONCE(d->refs);
	do {
		if (refs == 0)
			return NULL;
	} while (!__atomic_compare_exchange_n(&d->refs, &refs, refs + 1, true, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
	/* The struct may have become another domain before the reference was taken. */
	if (unlikely(READ_ONCE(*slot) != d || d->id != id || READ_ONCE(d->life) == DOMAIN_DEAD)) {
		domain_put(d);
		return NULL;
	}
	return d;
}

struct domain *domain_get_by_any_id(struct vcpu *actor, domid_t id)
{
	if (id == DOMID_SELF) {
		domain_get(actor->domain);
		return actor->domain;
	}
	return domain_get_by_id(id);
}

struct domain *domain_next(domid_t from)
{
	size_t id = from;

	for (;;) {
		struct domain *d;

		/* The map is read without the lock: a domain that comes or goes meanwhile may be seen or not. */
		id = bitmap_find_set(domain_ids, DOMID_FIRST_RESERVED, id);
		if (id >= DOMID_FIRST_RESERVED)
			return NULL;
		d = domain_get_by_id((domid_t)id);
		if (d)
			return d;
		id++;
	}
}

/* Chooses an id if none is given, and reserves it. */
static int domain_id_reserve(domid_t want, domid_t *out)
{
	struct domain **fresh = page_alloc();
	size_t id = want;
	int rc = 0;

	spin_lock(&domain_list_lock);
	if (want == DOMID_INVALID) {
		/* From the last one on, so that an id is not used again soon. 0 is dom0's. */
		id = bitmap_find_clear(domain_ids, DOMID_FIRST_RESERVED, (size_t)domain_last_id + 1);
		if (id >= DOMID_FIRST_RESERVED)
			id = bitmap_find_clear(domain_ids, DOMID_FIRST_RESERVED, 1);
		rc = id >= DOMID_FIRST_RESERVED ? -ENOSPC : 0;
	} else if (bitmap_test(domain_ids, id)) {
		rc = -EEXIST;
	}
	if (!rc && !domain_table[id / TABLE_LEAF]) {
		if (fresh)
			WRITE_ONCE(domain_table[id / TABLE_LEAF], fresh);
		else
			rc = -ENOMEM;
		fresh = NULL;
	}
	if (!rc) {
		bitmap_set(domain_ids, id);
		if (want == DOMID_INVALID)
			domain_last_id = (domid_t)id;
		*out = (domid_t)id;
	}
	spin_unlock(&domain_list_lock);
	if (fresh)
		page_free(fresh);
	return rc;
}

static void domain_id_release(domid_t id)
{
	struct domain **slot = table_slot(id);

	spin_lock(&domain_list_lock);
	WRITE_ONCE(*slot, NULL);
	bitmap_clear(domain_ids, id);
	spin_unlock(&domain_list_lock);
}

static struct domain *domain_struct_alloc(void)
{
	struct domain *d;

	spin_lock(&domain_list_lock);
	d = domain_pool;
	if (d)
		domain_pool = d->pool_next;
	spin_unlock(&domain_list_lock);
	if (!d)
		return hv_alloc(sizeof(*d));
	/* refs is 0 and stays so meanwhile. */
	memset(d, 0, sizeof(*d));
	return d;
}

static void domain_struct_free(struct domain *d)
{
	spin_lock(&domain_list_lock);
	d->pool_next = domain_pool;
	domain_pool = d;
	spin_unlock(&domain_list_lock);
}

static void domain_struct_init(struct domain *d, domid_t id)
{
	d->id = id;
	d->shutdown_code = SHUTDOWN_CODE_NONE;
	spin_init(&d->lock, LOCK_DOMAIN);
	spin_init(&d->memory.lock, LOCK_DOMFRAMES);
}

/* Frees what domain_create made; all members may be missing. */
static void domain_free(struct domain *d)
{
	for (u32 i = 0; d->vcpu && i < d->max_vcpus; i++)
		if (d->vcpu[i])
			vcpu_free(d->vcpu[i]);
	if (d->events)
		event_space_free(d);
	if (d->grants)
		grant_table_free(d);
	if (d->pv)
		d->ops->domain_free(d);
	if (d->policy)
		cpu_policy_free(d);
	if (d->sched)
		sched_domain_free(d);
	if (d->pirqs)
		pirq_domain_free(d);
	rangeset_free(d->ioports);
	rangeset_free(d->iomem);
	rangeset_free(d->irqs);
	if (d->shared)
		frame_share_end(d->shared, d);
	domain_memory_destroy(d);
	hv_free(d->console);
	hv_free(d->vcpu);
	d->vcpu = NULL;
}

void domain_put(struct domain *d)
{
	if (__atomic_sub_fetch(&d->refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	/* Until now its id was taken and domain_peek found it: the owner of frames that are given back here. */
	domain_free(d);
	domain_id_release(d->id);
	domain_struct_free(d);
}

static int domain_config_check(const struct xen_domctl_createdomain *cfg)
{
	if (cfg->flags & ~(u32)(XEN_DOMCTL_CDF_xs_domain | XEN_DOMCTL_CDF_iommu))
		return -EINVAL;
	if (cfg->max_vcpus == 0 || cfg->max_vcpus > MAX_VCPUS)
		return -EINVAL;
	if (cfg->iommu_opts & ~(u32)XEN_DOMCTL_IOMMU_MAX)
		return -EINVAL;
	if (cfg->iommu_opts && !(cfg->flags & XEN_DOMCTL_CDF_iommu))
		return -EINVAL;
	if (cfg->grant_opts & ~(u32)XEN_DOMCTL_GRANT_version_mask)
		return -EINVAL;
	if (cfg->vmtrace_size != 0 || (cfg->arch.misc_flags & ~(u32)XEN_X86_MSR_RELAXED))
		return -EINVAL;
	/* A PV guest has no emulated devices. */
	return cfg->arch.emulation_flags != 0 ? -EINVAL : 0;
}

/* The parts that belong to other folders. */
static int domain_parts_create(struct domain *d, const struct xen_domctl_createdomain *cfg)
{
	u32 ports = MIN(cfg->max_evtchn_port, (u32)EVTCHN_FIFO_NR_CHANNELS - 1) + 1;
	int rc;

	d->vcpu = hv_alloc(cfg->max_vcpus * sizeof(d->vcpu[0]));
	d->ioports = rangeset_create();
	d->iomem = rangeset_create();
	d->irqs = rangeset_create();
	d->console = hv_alloc(sizeof(struct console_line));
	if (!d->vcpu || !d->ioports || !d->iomem || !d->irqs || !d->console)
		return -ENOMEM;
	d->max_vcpus = cfg->max_vcpus;
	d->shared = page_alloc();
	if (!d->shared)
		return -ENOMEM;
	frame_share(d->shared, d, true);
	domain_watchdog_init(d);
	rc = sched_domain_init(d, cfg->cpupool_id);
	if (!rc)
		rc = event_space_create(d, ports);
	if (!rc)
		rc = grant_table_create(d, (u32)cfg->max_grant_frames, (u32)cfg->max_maptrack_frames,
					XEN_DOMCTL_GRANT_version(cfg->grant_opts));
	if (!rc)
		rc = cpu_policy_create(d);
	if (!rc)
		rc = d->ops->domain_init(d, cfg);
	return rc;
}

int domain_create(domid_t id, const struct xen_domctl_createdomain *cfg, bool privileged, struct domain **out)
{
	struct domain *d;
	int rc = domain_config_check(cfg);

	if (rc)
		return rc;
	if (id >= DOMID_FIRST_RESERVED && id != DOMID_INVALID)
		return -EINVAL;
	if (!guest_ops_pv)
		return -EOPNOTSUPP;
	d = domain_struct_alloc();
	if (!d)
		return -ENOMEM;
	rc = domain_id_reserve(id, &id);
	if (rc) {
		domain_struct_free(d);
		return rc;
	}
	domain_struct_init(d, id);
	/* For domain_peek; with no reference yet, others do not get it. */
	__atomic_store_n(table_slot(id), d, __ATOMIC_RELEASE);
	d->ops = guest_ops_pv;
	d->privileged = privileged;
	d->create_flags = cfg->flags;
	d->ssidref = cfg->ssidref;
	memcpy(d->handle, cfg->handle, sizeof(d->handle));
	d->pause_count = d->controller_pause_count = 1;
	rc = domain_memory_init(d);
	if (rc)
		goto out_id;
	rc = domain_parts_create(d, cfg);
	if (rc)
		goto out_parts;
	wallclock_update(d);
	/* One reference of the table, one for the caller; from here on others may find it. */
	__atomic_store_n(&d->refs, 2, __ATOMIC_RELEASE);
	if (id == 0)
		dom0 = d;
	*out = d;
	return 0;

out_parts:
	domain_free(d);
out_id:
	domain_id_release(id);
	domain_struct_free(d);
	return rc;
}

void domain_remove(struct domain *d)
{
	__atomic_store_n(&d->life, DOMAIN_DEAD, __ATOMIC_SEQ_CST);
	domain_put(d);
}

static struct domain *pseudo_domain_create(domid_t id)
{
	struct domain *d = hv_alloc(sizeof(*d));

	if (!d)
		panic("no memory for the hypervisor's own domains");
	domain_struct_init(d, id);
	d->refs = 1;
	return d;
}

void domains_init(void)
{
	dom_io = pseudo_domain_create(DOMID_IO);
	dom_xen = pseudo_domain_create(DOMID_XEN);
	idle_domain = pseudo_domain_create(DOMID_IDLE);
	idle_domain->is_idle = true;
	idle_domain->vcpu = hv_alloc(MAX_CPUS * sizeof(idle_domain->vcpu[0]));
	if (!idle_domain->vcpu)
		panic("no memory for the idle domain");
	idle_domain->max_vcpus = MAX_CPUS;
}
