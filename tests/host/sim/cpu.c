/* SPDX-License-Identifier: BSD-2-Clause */
/* Locks with their order checked, soft interrupts, messages between CPUs. */
#include <hv/cpu.h>
#include <hv/lock.h>
#include <hv/log.h>
#include <hv/smp.h>
#include <hv/softirq.h>
#include "sim_private.h"

#define SPINS_MAX 100000u

static void (*softirq_fn[SOFTIRQ_NR])(unsigned int cpu);

void spin_poll(void)
{
	static _Thread_local u32 spins;

	if (sim_spin_hook) {
		sim_spin_hook();
		return;
	}
	if (++spins > SPINS_MAX)
		sim_fail("CPU %u spins for ever", sim_cpu_nr);
}

static void lock_note(struct spinlock *l, bool nested)
{
	struct sim_cpu *c = &sim_cpu[sim_cpu_nr];

	if (c->nr_held == SIM_LOCKS_HELD)
		panic("more than %u locks held", SIM_LOCKS_HELD);
	for (u32 i = 0; l->level && i < c->nr_held; i++)
		if (c->held[i]->level > l->level || (c->held[i]->level == l->level && !nested))
			panic("lock of level %u taken while holding one of level %u", l->level, c->held[i]->level);
	c->held[c->nr_held++] = l;
}

static void lock_take(struct spinlock *l, bool nested)
{
	u16 zero;

	lock_note(l, nested);
	for (;;) {
		zero = 0;
		if (__atomic_compare_exchange_n(&l->holder, &zero, (u16)(sim_cpu_nr + 1), false, __ATOMIC_ACQUIRE,
						__ATOMIC_RELAXED))
			break;
		if (zero == sim_cpu_nr + 1)
			panic("lock of level %u taken twice", l->level);
		spin_poll();
	}
	l->next++;
}

void spin_lock(struct spinlock *l)
{
	lock_take(l, false);
}

void spin_lock_nested(struct spinlock *l)
{
	lock_take(l, true);
}

bool spin_trylock(struct spinlock *l)
{
	if (READ_ONCE(l->holder))
		return false;
	lock_take(l, true);
	return true;
}

void spin_unlock(struct spinlock *l)
{
	struct sim_cpu *c = &sim_cpu[sim_cpu_nr];
	u32 i;

	for (i = c->nr_held; i > 0 && c->held[i - 1] != l; i--)
		;
	if (i == 0)
		panic("unlock of a lock of level %u that is not held", l->level);
	for (; i < c->nr_held; i++)
		c->held[i - 1] = c->held[i];
	c->nr_held--;
	l->owner++;
	__atomic_store_n(&l->holder, 0, __ATOMIC_RELEASE);
}

void lock_assert_below(enum lock_level level)
{
	const struct sim_cpu *c = &sim_cpu[sim_cpu_nr];

	for (u32 i = 0; i < c->nr_held; i++)
		if (c->held[i]->level >= level)
			panic("lock of level %u held where none from %u on may be", c->held[i]->level, level);
}

void sim_locks_check_none(void)
{
	for (unsigned int i = 0; i < SIM_CPUS; i++)
		if (sim_cpu[i].nr_held)
			sim_fail("CPU %u still holds a lock of level %u", i, sim_cpu[i].held[0]->level);
}

/* --- soft interrupts --- */

void softirq_raise(unsigned int cpu, enum softirq nr)
{
	u32 old = __atomic_fetch_or(&sim_cpu[cpu].info.softirq, 1u << nr, __ATOMIC_SEQ_CST);

	if (cpu != sim_cpu_nr && !(old & (1u << nr)))
		sim_counts.kicks++;
}

void softirq_register(enum softirq nr, void (*fn)(unsigned int cpu))
{
	softirq_fn[nr] = fn;
}

static void tasklets_run(unsigned int cpu)
{
	struct tasklet *t;

	while ((t = sim_cpu[cpu].tasklets) != NULL) {
		sim_cpu[cpu].tasklets = t->next;
		t->queued = false;
		t->fn(t->arg);
	}
}

void softirq_run(unsigned int cpu)
{
	u32 mask;

	if (cpu != sim_cpu_nr)
		sim_fail("softirqs of CPU %u run on CPU %u", cpu, sim_cpu_nr);
	lock_assert_below(LOCK_CONTROL);
	while ((mask = READ_ONCE(cpu_info()->softirq) & ~(1u << SOFTIRQ_SCHEDULE)) != 0) {
		unsigned int nr = (unsigned int)__builtin_ctz(mask);

		__atomic_fetch_and(&cpu_info()->softirq, ~(1u << nr), __ATOMIC_SEQ_CST);
		if (nr == SOFTIRQ_TASKLET)
			tasklets_run(cpu);
		else if (softirq_fn[nr])
			softirq_fn[nr](cpu);
	}
}

u32 softirq_pending(unsigned int cpu)
{
	return READ_ONCE(sim_cpu[cpu].info.softirq);
}

void tasklet_schedule(struct tasklet *t, unsigned int cpu)
{
	struct tasklet **end = &sim_cpu[cpu].tasklets;

	if (t->queued)
		return;
	t->queued = true;
	t->next = NULL;
	while (*end)
		end = &(*end)->next;
	*end = t;
	softirq_raise(cpu, SOFTIRQ_TASKLET);
}

/* --- messages --- */

void smp_call(const struct cpumask *mask, void (*fn)(void *arg), void *arg)
{
	unsigned int here = sim_cpu_nr, cpu;

	for_each_cpu(cpu, mask) {
		if (!cpu_online(cpu))
			continue;
		if (cpu != here)
			sim_counts.ipis++;
		sim_cpu_nr = cpu;
		fn(arg);
		sim_cpu_nr = here;
	}
}

void smp_kick(unsigned int cpu)
{
	(void)cpu;
	sim_counts.kicks++;
}

void smp_stop_others(void)
{
}

void smp_answer(void)
{
}
