/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to arch/x86/irq: interrupt descriptors. */
#ifndef ARCH_X86_IRQ_DESC_H
#define ARCH_X86_IRQ_DESC_H

#include <hv/cpumask.h>
#include <hv/irq.h>
#include <hv/lock.h>
#include <hv/softirq.h>
#include <hv/timer.h>
#include <hv/types.h>

struct domain;

/* Irqs that can exist: GSIs and MSIs. */
#define IRQ_MAX 8192u
/* Domains that may share one level-triggered irq. */
#define IRQ_GUESTS 7u
#define NO_CPU MAX_CPUS

struct irq_guest {
	struct domain *domain;
	u32 pirq;
	bool pending;			/* was sent the present interrupt, and has not said EOI */
};

struct irq_desc {
	struct spinlock lock;		/* LOCK_IRQ: everything here */
	u32 irq;
	const struct irq_chip *chip;
	void *data;			/* for the chip */
	bool level;			/* masked while guests handle it */
	u8 block, block_index;		/* size of the group of irqs with vectors in a row, and place in it */
	bool masked;			/* at the chip */
	bool configured;		/* GSI: trigger mode and polarity were set by someone */
	bool leaving;			/* old_vector is still in the table of old_cpu */
	bool leave_queued;		/* the new vector has fired: the old one is being taken out */
	bool throttled;			/* storm: masked until the timer fires */
	u8 vector, old_vector;		/* 0: none */
	u32 cpu, old_cpu;
	u32 want_cpu;			/* to move there when possible; NO_CPU */

	void (*fn)(void *arg);		/* the hypervisor's own handler; then there are no guests */
	void *arg;
	const char *name;

	u8 guests;
	u8 in_flight;			/* guests that are `pending` */
	bool shareable;
	struct irq_guest guest[IRQ_GUESTS];

	u64 count;
	ns_t window;			/* begin of the time for which window_count counts */
	u32 window_count;
	struct timer throttle;
	struct tasklet leave;
};

/* --- irq.c --- */
/* The descriptor, or NULL. Once made, a descriptor stays; one without a chip is not in use. */
struct irq_desc *irq_find(u32 irq);
/* Makes the descriptor of a GSI. NULL: no memory. Boot. */
struct irq_desc *irq_desc_create(u32 irq, const struct irq_chip *chip, void *data);
/* Lock held: mask and unmask at the chip unless it is so already. */
void irq_mask(struct irq_desc *desc);
void irq_unmask(struct irq_desc *desc);
/* Waits until every CPU that was handing an interrupt to domains has done so. No lock held. */
void irq_quiesce(void);

/* --- vector.c; the irq's lock is held --- */
/* Gives the irq a vector on a CPU, cpu if possible, and routes it (masked). 0 or -ENOSPC. */
int vector_assign(struct irq_desc *desc, unsigned int cpu);
/* As above for a block of descriptors not yet in use, with vectors in a row on one CPU. */
int vector_assign_block(struct irq_desc *const descs[], u32 count, unsigned int cpu);
void vector_release(struct irq_desc *desc);
/* The irq should rather come to cpu: moves it now or at its next interrupt. */
void irq_move(struct irq_desc *desc, unsigned int cpu);
/* It is masked, nothing is in service for it: a move that was asked for is done now. */
void irq_move_pending(struct irq_desc *desc);
/* It came while it is leaving an old vector: when that was by the new one, the old one can go. */
void irq_moved(struct irq_desc *desc, unsigned int cpu, unsigned int vector);
/* The irq of a CPU's vector, or -1. */
int vector_irq(unsigned int cpu, unsigned int vector);
/* The CPU with the fewest vectors in use among those that devices reach. */
unsigned int vector_cpu_choose(void);
/* Off-lining: everything leaves that CPU at once. No lock held. */
void vector_cpu_drain(unsigned int cpu);
void vector_init(void);

/* --- ioapic.c --- */
/* Maps IO-APICs, makes GSI descriptors. Returns the number of GSIs. */
u32 ioapic_init(void);
/* Trigger mode and polarity of a GSI; the lock of its descriptor is held, and it is not in use. 0 or -EINVAL. */
int ioapic_configure(struct irq_desc *desc, bool level, bool low);

#endif
