/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Physical interrupts of domains: the table from a domain's pirqs to irqs, and the binding of irqs to domains.
 *
 * An irq of a guest: idle (unmasked) -> delivered. Edge-triggered ones are idle again at once. Level-triggered ones are masked, and
 * `pending` with each domain that shares them, until every one has said EOI (or let go); then they are unmasked.
 *
 * Locks: a domain's table, then a descriptor, both LOCK_IRQ.
 */
#include <hv/pirq.h>
#include <hv/cmdline.h>
#include <hv/cpu.h>
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/event.h>
#include <hv/frame.h>
#include <hv/guest.h>
#include <hv/irq.h>
#include <hv/lock.h>
#include <hv/log.h>
#include <hv/rangeset.h>
#include <hv/string.h>
#include <xen/physdev.h>
#include "desc.h"

/* What event/ can address. */
#define PIRQS_MAX 4096u
#define DOM0_MSIS_MIN 256u

struct pirq {
	u16 irq_plus_1;			/* 0: not mapped */
	bool bound;			/* the domain is among the irq's guests */
	bool reserved;			/* promised, not mapped: pirq_map chooses another unless asked for it */
};

struct pirq_domain {
	struct spinlock lock;		/* LOCK_IRQ: the table, and the EOI map */
	u32 count;
	unsigned long *eoi_map;		/* the guest's page; a bit for each pirq that needs EOI */
	bool auto_unmask;
	struct pirq pirq[];
};

static u32 extra_domu = 32, extra_dom0;

static int option_extra(const char *value)
{
	char item[16];
	u64 number;

	for (int i = 0; i < 2 && value; i++) {
		bool cut;

		value = option_list_next(value, item, sizeof(item), &cut);
		if (!item[0])
			continue;
		if (cut || option_u64(item, &number) || number > PIRQS_MAX)
			return -EINVAL;
		*(i ? &extra_dom0 : &extra_domu) = (u32)number;
	}
	return 0;
}
BOOT_OPTION_CUSTOM("extra_guest_irqs", option_extra, "[domU][,dom0]: physical interrupts beside GSIs.");

u32 pirq_limit(const struct domain *d)
{
	u32 extra = d->privileged ? (extra_dom0 ? extra_dom0 : DOM0_MSIS_MIN) : extra_domu;

	return MIN(irq_gsi_count() + extra, PIRQS_MAX);
}

/* --- Permission --- */

bool irq_permitted(const struct domain *d, u32 irq)
{
	return d->irqs && rangeset_contains(d->irqs, irq, irq);
}

int irq_permission_set(struct domain *d, u32 irq, bool allow)
{
	if (irq >= IRQ_MAX || !d->irqs)
		return -EINVAL;
	return allow ? rangeset_add(d->irqs, irq, irq) : rangeset_remove(d->irqs, irq, irq);
}

/* --- The table --- */

/* d's table; made if need be. NULL: out of memory. */
static struct pirq_domain *table_get(struct domain *d)
{
	u32 count = pirq_limit(d);
	struct pirq_domain *p = __atomic_load_n(&d->pirqs, __ATOMIC_ACQUIRE), *other = NULL;

	if (p)
		return p;
	p = hv_alloc(sizeof(*p) + count * sizeof(p->pirq[0]));
	if (!p)
		return NULL;
	spin_init(&p->lock, LOCK_IRQ);
	p->count = count;
	if (__atomic_compare_exchange_n(&d->pirqs, &other, p, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return p;
	hv_free(p);
	return other;
}

/* The entry of a mapped pirq, with the table and the irq's descriptor locked; NULL (nothing locked) if it is not mapped. */
static struct pirq *entry_lock(struct domain *d, u32 pirq, struct irq_desc **desc)
{
	struct pirq_domain *p = __atomic_load_n(&d->pirqs, __ATOMIC_ACQUIRE);
	struct pirq *e;

	if (!p || pirq >= p->count)
		return NULL;
	pirq = (u32)index_clamp(pirq, p->count);
	spin_lock(&p->lock);
	e = &p->pirq[pirq];
	if (!e->irq_plus_1) {
		spin_unlock(&p->lock);
		return NULL;
	}
	*desc = irq_find(e->irq_plus_1 - 1u);
	spin_lock_nested(&(*desc)->lock);
	return e;
}

static void entry_unlock(struct domain *d, struct irq_desc *desc)
{
	spin_unlock(&desc->lock);
	spin_unlock(&d->pirqs->lock);
}

static void eoi_map_note(struct pirq_domain *p, u32 pirq, bool needs_eoi)
{
	unsigned long bit = 1UL << (pirq % 64);

	if (!p->eoi_map)
		return;
	if (needs_eoi)
		__atomic_fetch_or(&p->eoi_map[pirq / 64], bit, __ATOMIC_SEQ_CST);
	else
		__atomic_fetch_and(&p->eoi_map[pirq / 64], ~bit, __ATOMIC_SEQ_CST);
}

static int pirq_of(const struct pirq_domain *p, u32 irq)
{
	for (u32 i = 0; i < p->count; i++)
		if (p->pirq[i].irq_plus_1 == irq + 1)
			return (int)i;
	return -EINVAL;
}

static int free_find(const struct pirq_domain *p, u32 n)
{
	if (p->count < n)
		return -ENOSPC;
	for (u32 first = ROUND_DOWN(p->count - n, n); first != 0; first -= n) {
		bool all_free = true;

		for (u32 i = 0; i < n && all_free; i++)
			all_free = !p->pirq[first + i].irq_plus_1 && !p->pirq[first + i].reserved;
		if (all_free && first >= irq_gsi_count())
			return (int)first;
	}
	return -ENOSPC;
}

int pirq_find_free(struct domain *d, u32 n)
{
	struct pirq_domain *p = table_get(d);
	int found;

	if (!p)
		return -ENOMEM;
	spin_lock(&p->lock);
	found = free_find(p, n);
	spin_unlock(&p->lock);
	return found;
}

int pirq_reserve(struct domain *d)
{
	struct pirq_domain *p = table_get(d);
	int pirq;

	if (!p)
		return -ENOMEM;
	spin_lock(&p->lock);
	pirq = free_find(p, 1);
	if (pirq >= 0)
		p->pirq[pirq].reserved = true;
	spin_unlock(&p->lock);
	return pirq;
}

/* Gives up a pirq that was reserved and not mapped. */
static int unreserve(struct domain *d, u32 pirq)
{
	struct pirq_domain *p = __atomic_load_n(&d->pirqs, __ATOMIC_ACQUIRE);
	int rc = -EINVAL;

	if (!p || pirq >= p->count)
		return -EINVAL;
	pirq = (u32)index_clamp(pirq, p->count);
	spin_lock(&p->lock);
	if (p->pirq[pirq].reserved) {
		p->pirq[pirq].reserved = false;
		rc = 0;
	}
	spin_unlock(&p->lock);
	return rc;
}

/* Table locked. */
static int map_locked(struct domain *d, struct pirq_domain *p, int want, u32 irq)
{
	int mapped = pirq_of(p, irq);
	int pirq;

	if (READ_ONCE(d->life) != DOMAIN_LIVE)
		return -EINVAL;
	if (mapped >= 0)
		return want < 0 || want == mapped ? mapped : -EEXIST;
	pirq = want < 0 ? free_find(p, 1) : want;
	if (pirq < 0)
		return pirq;
	if ((u32)pirq >= p->count)
		return -EINVAL;
	if (p->pirq[pirq].irq_plus_1)
		return -EEXIST;
	p->pirq[pirq] = (struct pirq){ .irq_plus_1 = (u16)(irq + 1) };
	return pirq;
}

int pirq_map(struct domain *d, int want, u32 irq)
{
	struct irq_desc *desc = irq_find(irq);
	struct pirq_domain *p;
	int pirq;

	if (!desc || !desc->chip)
		return -EINVAL;
	p = table_get(d);
	if (!p)
		return -ENOMEM;
	spin_lock(&p->lock);
	pirq = map_locked(d, p, want, irq);
	spin_unlock(&p->lock);
	return pirq;
}

int pirq_irq(struct domain *d, u32 pirq)
{
	struct irq_desc *desc;
	int irq;

	if (!entry_lock(d, pirq, &desc))
		return -EINVAL;
	irq = (int)desc->irq;
	entry_unlock(d, desc);
	return irq;
}

int irq_pirq(struct domain *d, u32 irq)
{
	struct pirq_domain *p = __atomic_load_n(&d->pirqs, __ATOMIC_ACQUIRE);
	int pirq;

	if (!p)
		return -EINVAL;
	spin_lock(&p->lock);
	pirq = pirq_of(p, irq);
	spin_unlock(&p->lock);
	return pirq;
}

/* --- Binding --- */

static struct irq_guest *guest_find(struct irq_desc *desc, const struct domain *d)
{
	for (unsigned int i = 0; i < desc->guests; i++)
		if (desc->guest[i].domain == d)
			return &desc->guest[i];
	return NULL;
}

/* One guest less has the present interrupt in hand; the last one lets the next interrupt come. Lock held. */
static void guest_done(struct irq_desc *desc, struct irq_guest *g)
{
	if (!g->pending)
		return;
	g->pending = false;
	if (--desc->in_flight || !desc->guests)
		return;
	irq_move_pending(desc);
	irq_unmask(desc);
}

static int guest_add(struct irq_desc *desc, struct domain *d, u32 pirq, bool share)
{
	int rc;

	if (desc->fn || (desc->guests && !(desc->shareable && share)) || desc->guests == IRQ_GUESTS)
		return -EBUSY;
	if (!desc->vector) {
		struct vcpu *v = domain_vcpu(d, 0);

		rc = vector_assign(desc, v ? READ_ONCE(v->cpu) : vector_cpu_choose());
		if (rc)
			return rc;
	}
	if (!desc->guests)
		desc->shareable = share;
	desc->guest[desc->guests++] = (struct irq_guest){ .domain = d, .pirq = pirq };
	if (!desc->in_flight)
		irq_unmask(desc);
	return 0;
}

static void guest_remove(struct irq_desc *desc, struct domain *d)
{
	struct irq_guest *g = guest_find(desc, d);

	if (!g)
		return;
	guest_done(desc, g);
	*g = desc->guest[--desc->guests];
	if (!desc->guests)
		irq_mask(desc);
}

/* pirq_ops; LOCK_EVENT is held. */
static int pirq_bind(struct domain *d, u32 pirq, bool share)
{
	struct irq_desc *desc;
	struct pirq *e = entry_lock(d, pirq, &desc);
	int rc;

	if (!e)
		return -EINVAL;
	/* Before the first interrupt, which may come as soon as it is unmasked. */
	eoi_map_note(d->pirqs, pirq, desc->level);
	rc = e->bound ? -EEXIST : guest_add(desc, d, pirq, share);
	if (!rc)
		e->bound = true;
	entry_unlock(d, desc);
	return rc;
}

static void pirq_unbind(struct domain *d, u32 pirq)
{
	struct irq_desc *desc;
	struct pirq *e = entry_lock(d, pirq, &desc);

	if (!e)
		return;
	if (e->bound)
		guest_remove(desc, d);
	e->bound = false;
	entry_unlock(d, desc);
}

static void pirq_retarget(struct domain *d, u32 pirq, u32 cpu)
{
	struct irq_desc *desc;
	struct pirq *e = entry_lock(d, pirq, &desc);

	if (!e)
		return;
	/* An irq that domains share stays where it is: they would pull at it. */
	if (e->bound && desc->guests == 1)
		irq_move(desc, cpu);
	entry_unlock(d, desc);
}

const struct pirq_ops irq_pirq_ops = { .bind = pirq_bind, .unbind = pirq_unbind, .retarget = pirq_retarget };

/* Unmaps one. Its irq's place in a block goes to *block, *index. */
static int unmap_one(struct domain *d, u32 pirq, u32 *irq, u32 *block, u32 *index)
{
	struct irq_desc *desc;
	struct pirq *e = entry_lock(d, pirq, &desc);
	const struct irq_chip *chip;
	void *data;

	if (!e)
		return -EINVAL;
	*irq = desc->irq;
	*block = desc->block;
	*index = desc->block_index;
	if (e->bound)
		guest_remove(desc, d);
	*e = (struct pirq){ 0 };
	chip = desc->chip;
	data = desc->data;
	entry_unlock(d, desc);
	if (chip->release)
		chip->release(data);
	return 0;
}

int pirq_unmap(struct domain *d, u32 pirq)
{
	u32 irq, block, index, n;
	int rc = unmap_one(d, pirq, &irq, &block, &index);

	if (rc)
		return unreserve(d, pirq);
	if (index)
		return 0;
	/* The first of a block of MSIs stands for all. */
	for (u32 i = 1; i < block; i++) {
		int other = irq_pirq(d, irq + i);

		if (other >= 0)
			(void)!unmap_one(d, (u32)other, &n, &n, &n);
	}
	return 0;
}

/* --- EOI --- */

int pirq_eoi(struct domain *d, u32 pirq)
{
	struct irq_desc *desc;
	struct irq_guest *g;
	bool auto_unmask;

	if (!entry_lock(d, pirq, &desc))
		return -EINVAL;
	auto_unmask = d->pirqs->auto_unmask;
	g = guest_find(desc, d);
	if (g)
		guest_done(desc, g);
	entry_unlock(d, desc);
	if (auto_unmask)
		event_unmask_pirq(d, pirq);
	return 0;
}

int pirq_status(struct domain *d, u32 pirq)
{
	struct irq_desc *desc;
	u32 flags = 0;

	if (!entry_lock(d, pirq, &desc))
		return -EINVAL;
	if (desc->level)
		flags |= XENIRQSTAT_needs_eoi;
	if (desc->shareable && desc->guests)
		flags |= XENIRQSTAT_shared;
	entry_unlock(d, desc);
	return (int)flags;
}

int pirq_eoi_map_set(struct vcpu *actor, u64 gmfn, bool auto_unmask)
{
	struct domain *d = actor->domain;
	struct pirq_domain *p = table_get(d);
	struct frame *f;
	int rc = -EBUSY;

	if (!p)
		return -ENOMEM;
	if (!frame_valid(mfn(gmfn)))
		return -EINVAL;
	f = frame_of(mfn(gmfn));
	if (!frame_get_writable(actor, f, d))
		return -EINVAL;
	spin_lock(&p->lock);
	if (!p->eoi_map) {
		p->eoi_map = frame_map(mfn(gmfn));
		p->auto_unmask = auto_unmask;
		memset(p->eoi_map, 0, PAGE_SIZE);
		for (u32 i = 0; i < p->count; i++)
			if (p->pirq[i].bound)
				eoi_map_note(p, i, READ_ONCE(irq_find(p->pirq[i].irq_plus_1 - 1u)->level));
		rc = 0;
	}
	spin_unlock(&p->lock);
	if (rc)
		frame_put_writable(f);
	return rc;
}

/* --- End of a domain --- */

void pirq_domain_release(struct domain *d)
{
	struct pirq_domain *p = __atomic_load_n(&d->pirqs, __ATOMIC_ACQUIRE);
	unsigned long *map;

	if (!p)
		return;
	for (u32 i = 0; i < p->count; i++)
		(void)!pirq_unmap(d, i);
	irq_quiesce();
	spin_lock(&p->lock);
	map = p->eoi_map;
	p->eoi_map = NULL;
	spin_unlock(&p->lock);
	if (map) {
		struct frame *f = frame_of(virt_mfn(map));

		frame_unmap(map);
		frame_put_writable(f);
	}
}

void pirq_domain_free(struct domain *d)
{
	hv_free(d->pirqs);
	d->pirqs = NULL;
}
