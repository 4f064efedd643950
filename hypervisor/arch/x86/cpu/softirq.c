/* SPDX-License-Identifier: BSD-2-Clause */
#include <hv/cpu.h>
#include <hv/domain.h>
#include <hv/log.h>
#include <hv/smp.h>
#include <hv/softirq.h>

#include "cpu.h"

#define BIT(nr) (1u << (nr))

static void (*handlers[SOFTIRQ_NR])(unsigned int cpu);
static struct tasklet *tasklets[MAX_CPUS];	/* latest first; pushed by anyone, taken as a whole by the CPU */

void softirq_raise(unsigned int cpu, enum softirq nr)
{
	u32 old = __atomic_fetch_or(&cpu_info_of(cpu)->softirq, BIT(nr), __ATOMIC_SEQ_CST);

	if (!(old & BIT(nr)) && cpu != this_cpu())
		smp_kick(cpu);
}

void softirq_register(enum softirq nr, void (*fn)(unsigned int cpu))
{
	BUG_ON(handlers[nr] != NULL);
	handlers[nr] = fn;
}

u32 softirq_pending(unsigned int cpu)
{
	return __atomic_load_n(&cpu_info_of(cpu)->softirq, __ATOMIC_RELAXED);
}

/* One pass: what is raised meanwhile is seen by the caller's next look. */
void softirq_run(unsigned int cpu)
{
	u32 pending = __atomic_fetch_and(&cpu_info_of(cpu)->softirq, BIT(SOFTIRQ_SCHEDULE), __ATOMIC_SEQ_CST);

	pending &= ~BIT(SOFTIRQ_SCHEDULE);
	while (pending) {
		unsigned int nr = (unsigned int)__builtin_ctz(pending);

		pending &= pending - 1;
		if (handlers[nr])
			handlers[nr](cpu);
	}
}

bool preempt_needed(void)
{
	const struct cpu_info *info = cpu_info();
	const struct vcpu *v = info->current;

	if (ARGON_PREEMPT_ALWAYS)
		return true;
	if (READ_ONCE(info->softirq) == 0)
		__asm__ volatile("sti\n\tnop\n\tcli" : : : "memory");
	if (READ_ONCE(info->softirq) != 0)
		return true;
	return v && v->info && READ_ONCE(v->info->evtchn_upcall_pending) && !READ_ONCE(v->info->evtchn_upcall_mask);
}

void tasklet_schedule(struct tasklet *t, unsigned int cpu)
{
	struct tasklet *first;

	if (__atomic_exchange_n(&t->queued, true, __ATOMIC_ACQ_REL))
		return;
	first = __atomic_load_n(&tasklets[cpu], __ATOMIC_RELAXED);
	do {
		t->next = first;
	} while (!__atomic_compare_exchange_n(&tasklets[cpu], &first, t, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
	softirq_raise(cpu, SOFTIRQ_TASKLET);
}

static void tasklets_run(unsigned int cpu)
{
	struct tasklet *list = __atomic_exchange_n(&tasklets[cpu], NULL, __ATOMIC_ACQUIRE), *ordered = NULL;

	while (list) {
		struct tasklet *t = list;

		list = t->next;
		t->next = ordered;
		ordered = t;
	}
	while (ordered) {
		struct tasklet *t = ordered;

		ordered = t->next;
		/* From here on it may be queued again, by its own function too. */
		__atomic_store_n(&t->queued, false, __ATOMIC_RELEASE);
		t->fn(t->arg);
	}
}

void softirq_init(void)
{
	softirq_register(SOFTIRQ_TASKLET, tasklets_run);
}

void softirq_cpu_drain(unsigned int from, unsigned int to)
{
	struct tasklet *list = __atomic_exchange_n(&tasklets[from], NULL, __ATOMIC_ACQUIRE);

	while (list) {
		struct tasklet *t = list;

		list = t->next;
		__atomic_store_n(&t->queued, false, __ATOMIC_RELEASE);
		tasklet_schedule(t, to);
	}
}
