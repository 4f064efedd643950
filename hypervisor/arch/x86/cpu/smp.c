/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages between CPUs without locks: each CPU has one outgoing request, and a set of CPUs whose requests it has still to answer.
 * A CPU waits with interrupts off and answers others meanwhile, so two CPUs that call each other do not wait for ever.
 */
#include <hv/cpu.h>
#include <hv/io.h>
#include <hv/irq.h>
#include <hv/lock.h>
#include <hv/log.h>
#include <hv/smp.h>
#include <hv/time.h>

#include "cpu.h"

struct request {
	void (*fn)(void *arg);
	void *arg;
	u32 waiting;		/* CPUs that have not answered yet; atomic */
} aligned_to(64);

static struct request requests[MAX_CPUS];
static struct cpumask senders[MAX_CPUS];	/* [cpu]: whose requests it has to answer */
static bool stopping;

void smp_answer(void)
{
	unsigned int cpu = this_cpu(), from;

	if (likely(cpumask_empty(&senders[cpu])))
		return;
	for_each_cpu(from, &senders[cpu]) {
		struct request *r = &requests[from];

		if (!cpumask_test_and_clear(&senders[cpu], from))
			continue;
		r->fn(r->arg);
		__atomic_fetch_sub(&r->waiting, 1, __ATOMIC_ACQ_REL);
	}
}

/* CPUs that went offline after they were asked do not answer: takes the request back. */
static void gone_check(unsigned int cpu, const struct cpumask *asked)
{
	unsigned int to;

	for_each_cpu(to, asked)
		if (!cpu_online(to) && cpumask_test_and_clear(&senders[to], cpu))
			__atomic_fetch_sub(&requests[cpu].waiting, 1, __ATOMIC_ACQ_REL);
}

void smp_call(const struct cpumask *mask, void (*fn)(void *arg), void *arg)
{
	unsigned int cpu = this_cpu(), to;
	struct cpumask asked = cpumask_and(mask, &cpu_online_map);
	bool self = cpumask_test(&asked, cpu);
	struct request *r = &requests[cpu];

	ASSERT(r->waiting == 0);
	cpumask_clear(&asked, cpu);
	if (!cpumask_empty(&asked)) {
		r->fn = fn;
		r->arg = arg;
		__atomic_store_n(&r->waiting, cpumask_weight(&asked), __ATOMIC_RELEASE);
		for_each_cpu(to, &asked) {
			cpumask_set(&senders[to], cpu);
			lapic_send_ipi(to, VECTOR_IPI_CALL);
		}
	}
	if (self)
		fn(arg);
	while (__atomic_load_n(&r->waiting, __ATOMIC_ACQUIRE) != 0) {
		spin_poll();
		gone_check(cpu, &asked);
	}
}

void smp_kick(unsigned int cpu)
{
	if (cpu_online(cpu))
		lapic_send_ipi(cpu, VECTOR_IPI_KICK);
}

void smp_park_forever(void)
{
	for (;;)
		__asm__ volatile("cli\n\thlt");
}

bool smp_nmi_stop(void)
{
	return __atomic_load_n(&stopping, __ATOMIC_ACQUIRE);
}

/* By NMI, because the others may spin for a lock that this CPU holds. There is nobody to tell us that they have stopped. */
void smp_stop_others(void)
{
	unsigned int self = this_cpu(), cpu;

	if (__atomic_exchange_n(&stopping, true, __ATOMIC_ACQ_REL))
		return;
	for_each_cpu(cpu, &cpu_online_map)
		if (cpu != self)
			lapic_send_nmi(cpu);
	/* Each access to port 0x80 takes about a microsecond. */
	for (unsigned int i = 0; i < 10000; i++)
		outb(0x80, 0);
}
