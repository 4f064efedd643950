/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Vectors: each CPU has its own table from vector to irq. An irq that moves keeps its old vector until an interrupt has come by
 * the new one and nothing waits in the old CPU's APIC any more. Devices name CPUs by 8-bit APIC ids (physical mode; without
 * interrupt remapping), of which 255 means all.
 */
#include <hv/irq.h>
#include <hv/cmdline.h>
#include <hv/cpu.h>
#include <hv/errno.h>
#include <hv/lock.h>
#include <hv/log.h>
#include "desc.h"
#include "lapic.h"

#define VECTORS (VECTOR_LAST_DEVICE - VECTOR_FIRST_DEVICE + 1)
#define DEVICE_APIC_ID_MAX 254u

/* irq + 1 of each vector; 0: free. Changes under vector_lock; read without it by the CPU itself. */
static u16 vector_table[MAX_CPUS][VECTORS];
static u16 vectors_used[MAX_CPUS];
static u8 vector_next[MAX_CPUS];		/* where the search for a free one begins */
static struct spinlock vector_lock = SPINLOCK(LOCK_IRQ_CHIP);

static bool vector_usable(unsigned int vector)
{
	return vector >= VECTOR_FIRST_DEVICE && vector <= VECTOR_LAST_DEVICE && vector != VECTOR_SYSCALL_COMPAT &&
	       vector != VECTOR_HYPERCALL;
}

static u16 *table_slot(unsigned int cpu, unsigned int vector)
{
	return &vector_table[cpu][vector - VECTOR_FIRST_DEVICE];
}

static bool vectors_free(unsigned int cpu, unsigned int first, u32 count)
{
	for (u32 i = 0; i < count; i++)
		if (!vector_usable(first + i) || *table_slot(cpu, first + i))
			return false;
	return true;
}

/* First of count free vectors, aligned to count; 0 if there are none. vector_lock held. */
static unsigned int vectors_find(unsigned int cpu, u32 count)
{
	/* Successive irqs get different priority classes. */
	unsigned int start = vector_next[cpu];

	for (unsigned int i = 0; i < VECTORS; i++) {
		unsigned int slot = (start + i * 17) % VECTORS;
		unsigned int vector = VECTOR_FIRST_DEVICE + slot;

		if (vector % count == 0 && vectors_free(cpu, vector, count)) {
			vector_next[cpu] = (u8)((slot + 17) % VECTORS);
			return vector;
		}
	}
	return 0;
}

static bool cpu_reachable(unsigned int cpu)
{
	return cpu_online(cpu) && cpu_topology[cpu].apic_id <= DEVICE_APIC_ID_MAX;
}

unsigned int vector_cpu_choose(void)
{
	unsigned int cpu, best = 0;

	for_each_cpu(cpu, &cpu_online_map)
		if (cpu_reachable(cpu) && (!cpu_reachable(best) || vectors_used[cpu] < vectors_used[best]))
			best = cpu;
	return best;
}

/* Takes count vectors on a CPU: cpu, or else any that has them. Returns the first vector, 0 if there are none. */
static unsigned int vectors_take(unsigned int *cpu, u32 count, u32 irq, unsigned int wanted)
{
	unsigned int vector = 0, at = *cpu;

	spin_lock(&vector_lock);
	if (cpu_reachable(at)) {
		if (wanted && vectors_free(at, wanted, 1))
			vector = wanted;
		else
			vector = vectors_find(at, count);
	}
	for (unsigned int other = 0; !vector && other < MAX_CPUS; other++) {
		if (other == *cpu || !cpu_reachable(other))
			continue;
		at = other;
		vector = vectors_find(at, count);
	}
	for (u32 i = 0; vector && i < count; i++) {
		*table_slot(at, vector + i) = (u16)(irq + i + 1);
		vectors_used[at]++;
	}
	spin_unlock(&vector_lock);
	*cpu = at;
	return vector;
}

static void vector_give_back(unsigned int cpu, unsigned int vector)
{
	spin_lock(&vector_lock);
	*table_slot(cpu, vector) = 0;
	vectors_used[cpu]--;
	spin_unlock(&vector_lock);
}

static void route(struct irq_desc *desc)
{
	const struct irq_route r = { cpu_topology[desc->cpu].apic_id, desc->vector };

	desc->chip->route(desc->data, &r);
}

int vector_assign(struct irq_desc *desc, unsigned int cpu)
{
	return vector_assign_block(&desc, 1, cpu);
}

int vector_assign_block(struct irq_desc *const descs[], u32 count, unsigned int cpu)
{
	unsigned int first = vectors_take(&cpu, count, descs[0]->irq, 0);

	if (!first)
		return -ENOSPC;
	for (u32 i = 0; i < count; i++) {
		descs[i]->vector = (u8)(first + i);
		descs[i]->cpu = cpu;
		route(descs[i]);
	}
	return 0;
}

void vector_release(struct irq_desc *desc)
{
	if (desc->leaving)
		vector_give_back(desc->old_cpu, desc->old_vector);
	if (desc->vector)
		vector_give_back(desc->cpu, desc->vector);
	desc->leaving = false;
	desc->vector = 0;
	desc->want_cpu = NO_CPU;
}

int vector_irq(unsigned int cpu, unsigned int vector)
{
	if (!vector_usable(vector))
		return -1;
	return (int)READ_ONCE(*table_slot(cpu, vector)) - 1;
}

/*
 * Moves now. At the chip it is masked, or, if that cannot be masked, moves to the same vector number so that one register write
 * does it. Returns false if no vector is free there.
 */
static bool move_now(struct irq_desc *desc, unsigned int cpu, bool anywhere)
{
	unsigned int at = cpu;
	unsigned int vector = vectors_take(&at, 1, desc->irq, desc->vector);

	if (!vector)
		return false;
	if ((at != cpu && !anywhere) || (!desc->chip->can_mask && vector != desc->vector)) {
		vector_give_back(at, vector);
		return false;
	}
	desc->old_cpu = desc->cpu;
	desc->old_vector = desc->vector;
	desc->leaving = true;
	desc->leave_queued = false;
	desc->cpu = at;
	desc->vector = (u8)vector;
	route(desc);
	return true;
}

void irq_move_pending(struct irq_desc *desc)
{
	unsigned int cpu = desc->want_cpu;

	if (likely(cpu == NO_CPU) || desc->leaving)
		return;
	desc->want_cpu = NO_CPU;
	if (cpu != desc->cpu && cpu_reachable(cpu))
		move_now(desc, cpu, false);
}

static bool irqs_stay;
BOOT_OPTION_BOOL("noirqbalance", irqs_stay, "Interrupts stay where they are and do not follow the vCPU that handles them.");

void irq_balance_disable(void)
{
	WRITE_ONCE(irqs_stay, true);
}

void irq_move(struct irq_desc *desc, unsigned int cpu)
{
	bool was_masked = desc->masked;

	if (irqs_stay || !desc->vector || desc->block > 1 || cpu == desc->cpu) {
		desc->want_cpu = NO_CPU;
		return;
	}
	desc->want_cpu = cpu;
	/*
	 * A level-triggered entry must not change between acceptance and EOI, or the IO-APIC does not know the EOI's vector:
	 * that one moves when it is masked and acknowledged, at its next interrupt.
	 */
	if (desc->leaving || (desc->level && !desc->in_flight && !was_masked))
		return;
	irq_mask(desc);
	irq_move_pending(desc);
	if (!was_masked)
		irq_unmask(desc);
}

/* Runs on old_cpu. */
static void leave_old(void *arg)
{
	struct irq_desc *desc = arg;

	spin_lock(&desc->lock);
	/* If one still waits there, its arrival queues this again. */
	if (desc->leaving && desc->leave_queued && desc->old_cpu == this_cpu() && !lapic_requested(desc->old_vector)) {
		vector_give_back(desc->old_cpu, desc->old_vector);
		desc->leaving = false;
	}
	spin_unlock(&desc->lock);
}

void irq_moved(struct irq_desc *desc, unsigned int cpu, unsigned int vector)
{
	bool by_new = cpu == desc->cpu && vector == desc->vector;

	if (by_new == desc->leave_queued)
		return;
	desc->leave_queued = true;
	desc->leave.fn = leave_old;
	desc->leave.arg = desc;
	tasklet_schedule(&desc->leave, desc->old_cpu);
}

/* Takes one irq off a CPU that goes offline, whatever its state. Lock held. */
static void drain_one(struct irq_desc *desc, unsigned int cpu)
{
	bool was_masked = desc->masked;

	if (desc->leaving) {
		vector_give_back(desc->old_cpu, desc->old_vector);
		desc->leaving = false;
	}
	if (desc->cpu != cpu)
		return;
	irq_mask(desc);
	if (move_now(desc, vector_cpu_choose(), true)) {
		vector_give_back(cpu, desc->old_vector);
		desc->leaving = false;
	} else {
		log_err("irq %u: no vector on another CPU; it is lost with CPU%u", desc->irq, cpu);
	}
	if (!was_masked)
		irq_unmask(desc);
}

/* A block moves as a whole. Its members are locked one after the other: the CPU takes no interrupts any more. */
static void drain_block(u32 first_irq, u32 count, unsigned int cpu)
{
	unsigned int to = vector_cpu_choose();
	unsigned int vector = vectors_take(&to, count, first_irq, 0);

	if (!vector) {
		log_err("irqs %u to %u: no vectors on another CPU; they are lost with CPU%u", first_irq,
			first_irq + count - 1, cpu);
		return;
	}
	for (u32 i = 0; i < count; i++) {
		struct irq_desc *desc = irq_find(first_irq + i);
		bool was_masked;

		spin_lock(&desc->lock);
		was_masked = desc->masked;
		irq_mask(desc);
		vector_give_back(desc->cpu, desc->vector);
		desc->cpu = to;
		desc->vector = (u8)(vector + i);
		route(desc);
		if (!was_masked)
			irq_unmask(desc);
		spin_unlock(&desc->lock);
	}
}

void vector_cpu_drain(unsigned int cpu)
{
	for (unsigned int slot = 0; slot < VECTORS; slot++) {
		u32 irq = READ_ONCE(vector_table[cpu][slot]);
		struct irq_desc *desc = irq ? irq_find(irq - 1) : NULL;
		u32 first = 0, block = 0;

		if (!desc)
			continue;
		spin_lock(&desc->lock);
		if (desc->vector && desc->block > 1) {
			block = desc->block;
			first = desc->irq - desc->block_index;
		} else if (desc->vector) {
			drain_one(desc, cpu);
		}
		spin_unlock(&desc->lock);
		if (block)
			drain_block(first, block, cpu);
	}
}
