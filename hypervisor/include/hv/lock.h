/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spin locks. Interrupts are off whenever the hypervisor runs (see docs/architecture.md), so there are no irqsave forms.
 * A CPU that spins for a lock goes on answering shoot-down requests (spin_poll), so waiting for another CPU's
 * acknowledgement while holding a lock cannot deadlock.
 * Locks are taken in ascending level only; debug builds check that on every acquisition.
 */
#ifndef HV_LOCK_H
#define HV_LOCK_H

#include <hv/types.h>
#include <hv/compiler.h>

enum lock_level {
	LOCK_CONTROL = 1,	/* domctl, sysctl and cpupool serialisation */
	LOCK_HOTPLUG,		/* CPU online and offline */
	LOCK_DOMLIST,		/* table of domains */
	LOCK_DOMAIN,		/* one domain's general state */
	LOCK_GRANT,		/* one domain's grant table, in ascending domid order when two */
	LOCK_GRANT_MAPTRACK,	/* one domain's list of mappings held */
	LOCK_FRAME,		/* one page-table frame's entries (byte lock in struct frame) */
	LOCK_MIRROR,		/* one PV domain's pool of mirror tables */
	LOCK_DOMFRAMES,		/* one domain's frame list and counters */
	LOCK_EVENT,		/* one domain's event channel table, in ascending domid order when two */
	LOCK_PCI,		/* table of PCI devices, MSI set-up */
	LOCK_IRQ,		/* a domain's PIRQ table, then one interrupt descriptor (nested) */
	LOCK_IRQ_CHIP,		/* vector allocation; IO-APIC and PCI configuration registers */
	LOCK_SCHED,		/* one run queue */
	LOCK_TIMER,		/* one CPU's timer queue */
	LOCK_TIME,		/* wall clock and time calibration */
	LOCK_RANGESET,		/* one set of ranges */
	LOCK_MAP,		/* the hypervisor's own page tables */
	LOCK_HEAP,		/* free lists of the frame allocator */
	LOCK_SLAB,		/* free lists of the small-object allocator */
	LOCK_CONSOLE,		/* console ring and output devices; leaf */
};

struct spinlock {
	u16 next;		/* ticket of the next taker */
	u16 owner;		/* ticket that holds the lock */
	u16 level;		/* enum lock_level, 0 = not checked */
	u16 holder;		/* CPU + 1 that holds it (debug builds) */
};

#define SPINLOCK(lvl) { .level = (lvl) }

static inline void spin_init(struct spinlock *l, enum lock_level level)
{
	*l = (struct spinlock){ .level = (u16)level };
}

/* Any context. Returns holding the lock. Debug builds panic on a wrong order or a recursive acquisition. */
void spin_lock(struct spinlock *l);
/* As spin_lock, for a second lock of the level held (the caller keeps the order among equals). */
void spin_lock_nested(struct spinlock *l);
bool spin_trylock(struct spinlock *l) must_check;
void spin_unlock(struct spinlock *l);
static inline bool spin_is_locked(const struct spinlock *l)
{
	return READ_ONCE(l->next) != READ_ONCE(l->owner);
}
/* Debug builds panic when this CPU holds a lock of `level` or above. A no-op otherwise. */
void lock_assert_below(enum lock_level level);

/* What a spinning CPU does between looks: pause, and answer shoot-down requests (arch/x86/cpu/smp.c). */
void spin_poll(void);

#endif
