/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Physical interrupts of domains. An irq is the machine's (GSI n is irq n; MSIs are numbered above the GSIs); a pirq is a
 * domain's own number for an irq that was mapped for it. dom0's GSIs have pirq = GSI. Life of a pirq: map (physdev_op, domctl),
 * bind to an event channel (pirq_ops of hv/event.h; the interrupt is on only while bound), unbind, unmap.
 */
#ifndef HV_PIRQ_H
#define HV_PIRQ_H

#include <hv/types.h>
#include <hv/compiler.h>

struct domain;
struct vcpu;
struct pirq_ops;
struct pci_msi_request;

/* For boot to install as pirq_ops. */
extern const struct pirq_ops irq_pirq_ops;

/* Pirqs a domain may have: 0 to pirq_limit - 1. */
u32 pirq_limit(const struct domain *d);

/*
 * Teardown, after the event channels were closed: unmaps everything and waits until no CPU delivers to d. No lock held.
 * Later maps fail with -EINVAL since the domain is dying. Then free (last reference).
 */
void pirq_domain_release(struct domain *d);
void pirq_domain_free(struct domain *d);

/*
 * Map an irq for d. want: the pirq, or -1 to choose one (from the top). Return the pirq, or -EINVAL (no such irq, out of range),
 * -EEXIST (pirq or irq already mapped otherwise), -ENOSPC, -ENOMEM. Mapping the same pair again is fine.
 * Permission is the caller's to check (irq_permitted). LOCK_IRQ and above not held.
 */
int pirq_map(struct domain *d, int want, u32 irq) must_check;
/*
 * -EINVAL if not mapped. A bound pirq is taken off its interrupt first; the event channel stays. With the first of a block of MSIs all
 * the others go too. MSIs are then given back to their function.
 */
int pirq_unmap(struct domain *d, u32 pirq) must_check;
/* First of n consecutive free pirqs above the GSIs, aligned to n (a power of two), from the top; -ENOSPC, -ENOMEM. A snapshot. */
int pirq_find_free(struct domain *d, u32 n) must_check;
/* Chooses a pirq that only a map that asks for it will get, until it is unmapped. -ENOSPC, -ENOMEM. */
int pirq_reserve(struct domain *d) must_check;
/* The irq of a mapped pirq / pirq of a mapped irq, or -EINVAL. */
int pirq_irq(struct domain *d, u32 pirq) must_check;
int irq_pirq(struct domain *d, u32 irq) must_check;

/* Guest finished handling a level-triggered interrupt. -EINVAL: no such pirq. */
int pirq_eoi(struct domain *d, u32 pirq) must_check;
/* XENIRQSTAT_* of a pirq, or -EINVAL. */
int pirq_status(struct domain *d, u32 pirq) must_check;
/* Page with one bit a pirq that says whether EOI is needed; auto_unmask: version 1 semantics. -EBUSY: has one. */
int pirq_eoi_map_set(struct vcpu *actor, u64 gmfn, bool auto_unmask) must_check;

/* Permission of a domain to use an irq (GSI): d->irqs. 0 or -ENOMEM, -EINVAL. */
bool irq_permitted(const struct domain *d, u32 irq);
int irq_permission_set(struct domain *d, u32 irq, bool allow) must_check;

#endif
