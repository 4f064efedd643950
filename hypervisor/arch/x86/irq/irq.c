/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupt descriptors, and what happens when an interrupt arrives. */
#include <hv/irq.h>
#include <hv/cmdline.h>
#include <hv/cpu.h>
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/event.h>
#include <hv/frame.h>
#include <hv/io.h>
#include <hv/lock.h>
#include <hv/log.h>
#include <hv/smp.h>
#include <hv/softirq.h>
#include <hv/time.h>
#include "desc.h"
#include "lapic.h"

/* A source that interrupts more often than a number of times in a window is held back for a window. */
#define STORM_WINDOW 10000000ULL
static u64 storm_limit = 20000;
BOOT_OPTION_U64("irq_ratelimit", storm_limit, "Interrupts of one source in 10 ms after which it is held back; 0: never.");

static struct irq_desc *irq_table[IRQ_MAX];	/* entries are set once, under irq_table_lock */
static struct spinlock irq_table_lock = SPINLOCK(LOCK_IRQ);
static u32 gsi_count;
static u64 spurious_count, unexpected_count, error_count;

/*
 * Odd while a CPU hands an interrupt to domains, for irq_quiesce. Only the CPU itself writes its own, and interrupts do not nest.
 */
static u32 delivering[MAX_CPUS];

struct irq_desc *irq_find(u32 irq)
{
	return irq < IRQ_MAX ? READ_ONCE(irq_table[irq]) : NULL;
}

u32 irq_gsi_count(void)
{
	return gsi_count;
}

/* A source was held back because of a storm: lets it on. */
static void throttle_end(void *arg)
{
	struct irq_desc *desc = arg;

	spin_lock(&desc->lock);
	if (desc->throttled) {
		desc->throttled = false;
		if (!desc->in_flight && (desc->guests || desc->fn))
			irq_unmask(desc);
	}
	spin_unlock(&desc->lock);
}

struct irq_desc *irq_desc_create(u32 irq, const struct irq_chip *chip, void *data)
{
	struct irq_desc *desc = hv_alloc(sizeof(*desc));

	if (!desc)
		return NULL;
	spin_init(&desc->lock, LOCK_IRQ);
	desc->irq = irq;
	desc->chip = chip;
	desc->data = data;
	desc->masked = true;
	desc->want_cpu = NO_CPU;
	timer_init(&desc->throttle, throttle_end, desc, 0);
	__atomic_store_n(&irq_table[irq], desc, __ATOMIC_RELEASE);
	return desc;
}

void irq_mask(struct irq_desc *desc)
{
	if (desc->masked)
		return;
	desc->masked = true;
	desc->chip->mask(desc->data);
}

void irq_unmask(struct irq_desc *desc)
{
	if (!desc->masked || desc->throttled)
		return;
	desc->masked = false;
	desc->chip->unmask(desc->data);
}

/* Finds count unused irqs in a row above the GSIs and makes their descriptors. irq_table_lock held. First irq or -errno. */
static int irqs_find(u32 count)
{
	for (u32 first = ROUND_UP(gsi_count, 32u); first + count <= IRQ_MAX; first += count) {
		bool all_free = true;

		for (u32 i = 0; i < count && all_free; i++)
			all_free = !irq_table[first + i] || !irq_table[first + i]->chip;
		if (!all_free)
			continue;
		for (u32 i = 0; i < count; i++)
			if (!irq_table[first + i] && !irq_desc_create(first + i, NULL, NULL))
				return -ENOMEM;
		return (int)first;
	}
	return -ENOSPC;
}

int irq_create(const struct irq_chip *chip, void *const data[], u32 count)
{
	struct irq_desc *desc[32];
	int first, rc = 0;

	spin_lock(&irq_table_lock);
	first = irqs_find(count);
	for (u32 i = 0; first >= 0 && i < count; i++) {
		desc[i] = irq_table[first + (int)i];
		spin_lock_nested(&desc[i]->lock);
		desc[i]->chip = chip;
		desc[i]->data = data[i];
		desc[i]->block = (u8)count;
		desc[i]->block_index = (u8)i;
		desc[i]->level = false;
		desc[i]->configured = true;
		desc[i]->masked = true;
		desc[i]->throttled = false;
		desc[i]->count = 0;
		spin_unlock(&desc[i]->lock);
	}
	spin_unlock(&irq_table_lock);
	if (first < 0)
		return first;

	/* Nobody else knows these irqs yet: their locks are not needed to give them vectors. */
	rc = vector_assign_block(desc, count, vector_cpu_choose());
	if (rc) {
		irq_destroy((u32)first, count);
		return rc;
	}
	return first;
}

void irq_destroy(u32 irq, u32 count)
{
	for (u32 i = 0; i < count; i++) {
		struct irq_desc *desc = irq_find(irq + i);

		timer_kill(&desc->throttle);
		spin_lock(&desc->lock);
		vector_release(desc);
		desc->data = NULL;
		desc->fn = NULL;
		desc->throttled = false;
		desc->masked = true;
		/* From here on it may be found free. */
		__atomic_store_n(&desc->chip, NULL, __ATOMIC_RELEASE);
		spin_unlock(&desc->lock);
	}
}

void irq_release(u32 irq, u32 count)
{
	for (u32 i = 0; i < count; i++) {
		const struct irq_desc *desc = irq_find(irq + i);

		if (desc->chip->release)
			desc->chip->release(desc->data);
	}
}

void irq_restore(u32 irq)
{
	struct irq_desc *desc = irq_find(irq);
	struct irq_route r;

	spin_lock(&desc->lock);
	r = (struct irq_route){ cpu_topology[desc->cpu].apic_id, desc->vector };
	desc->chip->mask(desc->data);
	desc->chip->route(desc->data, &r);
	if (!desc->masked)
		desc->chip->unmask(desc->data);
	spin_unlock(&desc->lock);
}

int irq_request_gsi(u32 gsi, void (*fn)(void *arg), void *arg, const char *name)
{
	struct irq_desc *desc = gsi < gsi_count ? irq_find(gsi) : NULL;
	int rc = 0;

	if (!desc)
		return -EINVAL;
	spin_lock(&desc->lock);
	if (desc->guests || desc->fn) {
		rc = -EBUSY;
	} else if (!desc->vector) {
		rc = vector_assign(desc, 0);
	}
	if (!rc) {
		desc->fn = fn;
		desc->arg = arg;
		desc->name = name;
		irq_unmask(desc);
	}
	spin_unlock(&desc->lock);
	return rc;
}

int irq_gsi_vector(u32 gsi)
{
	struct irq_desc *desc = gsi < gsi_count ? irq_find(gsi) : NULL;
	int rc = 0;

	if (!desc)
		return -EINVAL;
	spin_lock(&desc->lock);
	if (!desc->vector)
		rc = vector_assign(desc, vector_cpu_choose());
	if (!rc)
		rc = desc->vector;
	spin_unlock(&desc->lock);
	return rc;
}

int irq_gsi_configure(u32 gsi, bool level, bool low)
{
	struct irq_desc *desc = gsi < gsi_count ? irq_find(gsi) : NULL;
	int rc;

	if (!desc)
		return -EINVAL;
	spin_lock(&desc->lock);
	if (desc->guests || desc->fn)
		rc = desc->level == level ? 0 : -EBUSY;
	else
		rc = ioapic_configure(desc, level, low);
	spin_unlock(&desc->lock);
	return rc;
}

/* Counts one; true if the source has to be held back now. Lock held. */
static bool storm_check(struct irq_desc *desc)
{
	ns_t now;

	desc->count++;
	if (likely(++desc->window_count < storm_limit) || !storm_limit)
		return false;
	now = time_now();
	desc->window_count = 0;
	if (now - desc->window >= STORM_WINDOW) {
		desc->window = now;
		return false;
	}
	desc->window = now;
	return desc->chip->can_mask;
}

/*
 * Hands an interrupt to the domains that have bound it. Called with the descriptor's lock, which is given up before events are
 * sent (LOCK_EVENT comes before LOCK_IRQ); irq_quiesce keeps a domain from going away in between.
 */
static void guests_notify(struct irq_desc *desc, unsigned int cpu)
{
	struct irq_guest to[IRQ_GUESTS];
	unsigned int n = desc->guests;

	for (unsigned int i = 0; i < n; i++) {
		to[i] = desc->guest[i];
		if (desc->level && !desc->guest[i].pending) {
			desc->guest[i].pending = true;
			desc->in_flight++;
		}
	}
	__atomic_store_n(&delivering[cpu], delivering[cpu] + 1, __ATOMIC_SEQ_CST);
	spin_unlock(&desc->lock);
	for (unsigned int i = 0; i < n; i++)
		event_send_pirq(to[i].domain, to[i].pirq);
	__atomic_store_n(&delivering[cpu], delivering[cpu] + 1, __ATOMIC_SEQ_CST);
}

void irq_quiesce(void)
{
	for (unsigned int cpu = 0; cpu < MAX_CPUS; cpu++) {
		u32 seen = __atomic_load_n(&delivering[cpu], __ATOMIC_SEQ_CST);

		while ((seen & 1) && __atomic_load_n(&delivering[cpu], __ATOMIC_SEQ_CST) == seen)
			spin_poll();
	}
}

/* An interrupt of the hypervisor's own. Lock held; given up. */
static void handler_run(struct irq_desc *desc)
{
	void (*fn)(void *arg) = desc->fn;
	void *arg = desc->arg;

	spin_unlock(&desc->lock);
	fn(arg);
}

/* What arrived is for desc. eoi: the APIC waits for one. */
static void irq_dispatch(struct irq_desc *desc, unsigned int cpu, unsigned int vector, bool eoi)
{
	spin_lock(&desc->lock);
	/* Taken away since it was looked up. */
	if (unlikely(!desc->chip)) {
		spin_unlock(&desc->lock);
		if (eoi)
			lapic_eoi();
		return;
	}
	if (unlikely(desc->leaving))
		irq_moved(desc, cpu, vector);
	if (unlikely(storm_check(desc))) {
		log_warn("irq %u: more than %llu interrupts in 10 ms, held back", desc->irq,
			 (unsigned long long)storm_limit);
		irq_mask(desc);
		desc->throttled = true;
		timer_set(&desc->throttle, time_now() + STORM_WINDOW);
	}
	/* Level-triggered and handled by a guest, or nobody's: no more of them until that changes. */
	if (desc->level ? !desc->fn : !desc->fn && !desc->guests)
		irq_mask(desc);
	if (desc->fn) {
		handler_run(desc);
		if (eoi)
			lapic_eoi();
		return;
	}
	if (eoi)
		lapic_eoi();
	/* Masked and acknowledged: the moment to move. */
	if (desc->level)
		irq_move_pending(desc);
	if (desc->guests)
		guests_notify(desc, cpu);
	else
		spin_unlock(&desc->lock);
}

static void device_interrupt(unsigned int cpu, unsigned int vector)
{
	int irq = vector_irq(cpu, vector);
	struct irq_desc *desc = irq >= 0 ? irq_find((u32)irq) : NULL;

	if (likely(desc != NULL)) {
		irq_dispatch(desc, cpu, vector, true);
		return;
	}
	/* An 8259 or a device that was told to stop may still send one. */
	if (lapic_in_service(vector))
		lapic_eoi();
	if (unexpected_count++ < 8)
		log_warn("CPU%u: unexpected interrupt, vector %#x", cpu, vector);
}

static void error_interrupt(unsigned int cpu)
{
	u32 status = lapic_error();

	lapic_eoi();
	if (error_count++ < 8)
		log_warn("CPU%u: local APIC error %#x", cpu, status);
}

void irq_handle(struct regs *r, unsigned int vector)
{
	unsigned int cpu = this_cpu();

	(void)r;
	switch (vector) {
	case VECTOR_LAPIC_TIMER:
		lapic_eoi();
		softirq_raise(cpu, SOFTIRQ_TIMER);
		break;
	case VECTOR_IPI_CALL:
		lapic_eoi();
		smp_answer();
		break;
	case VECTOR_IPI_KICK:
		/* To have interrupted was all it had to do. */
		lapic_eoi();
		break;
	case VECTOR_SPURIOUS:
		/* Is not in service, so there is no EOI. */
		spurious_count++;
		break;
	case VECTOR_LAPIC_ERROR:
		error_interrupt(cpu);
		break;
	default:
		device_interrupt(cpu, vector);
		break;
	}
}

void irq_cpu_drain(unsigned int cpu)
{
	int waiting[VECTOR_LAST_DEVICE + 1];

	/* Interrupts that wait in this CPU's APIC are about to be lost: edges among them are delivered from here. */
	for (unsigned int v = VECTOR_FIRST_DEVICE; v <= VECTOR_LAST_DEVICE; v++)
		waiting[v] = lapic_requested(v) ? vector_irq(cpu, v) : -1;
	vector_cpu_drain(cpu);
	for (unsigned int v = VECTOR_FIRST_DEVICE; v <= VECTOR_LAST_DEVICE; v++) {
		struct irq_desc *desc = waiting[v] >= 0 ? irq_find((u32)waiting[v]) : NULL;

		if (desc && !READ_ONCE(desc->level))
			irq_dispatch(desc, cpu, v, false);
	}
}

/* Moves the 8259s' vectors out of the way of exceptions and masks all their inputs. */
static void pic_disable(void)
{
	static const struct { u16 port; u8 val; } sequence[] = {
		{ 0x20, 0x11 }, { 0xa0, 0x11 },				/* ICW1: edge, cascade, ICW4 follows */
		{ 0x21, VECTOR_FIRST_DEVICE }, { 0xa1, VECTOR_FIRST_DEVICE + 8 },
		{ 0x21, 4 }, { 0xa1, 2 },				/* ICW3: the slave is on input 2 */
		{ 0x21, 1 }, { 0xa1, 1 },				/* ICW4: 8086 mode */
		{ 0x21, 0xff }, { 0xa1, 0xff },
	};

	for (size_t i = 0; i < ARRAY_SIZE(sequence); i++)
		outb(sequence[i].port, sequence[i].val);
}

void irq_init(void)
{
	pic_disable();
	gsi_count = ioapic_init();
}

void irq_dump(void)
{
	log_always("spurious %llu, unexpected %llu, APIC errors %llu", (unsigned long long)spurious_count,
		   (unsigned long long)unexpected_count, (unsigned long long)error_count);
	for (u32 irq = 0; irq < IRQ_MAX; irq++) {
		struct irq_desc *desc = irq_find(irq);

		if (!desc)
			continue;
		spin_lock(&desc->lock);
		if (desc->vector) {
			log_always("irq %u: %s %s%s, vector %#x on CPU%u, %llu received, in flight %u%s%s", irq,
				   desc->chip->name, desc->level ? "level" : "edge", desc->masked ? " masked" : "",
				   desc->vector, desc->cpu, (unsigned long long)desc->count, desc->in_flight,
				   desc->fn ? ", hypervisor: " : "", desc->fn ? desc->name : "");
			for (unsigned int i = 0; i < desc->guests; i++)
				log_always("  domain %u pirq %u%s", desc->guest[i].domain->id, desc->guest[i].pirq,
					   desc->guest[i].pending ? ", EOI awaited" : "");
		}
		spin_unlock(&desc->lock);
	}
}
