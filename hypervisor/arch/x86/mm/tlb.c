/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The flush clock: a 64-bit count that goes on with flushes. A CPU notes the time before each flush of everything; a frame
 * notes the time (its low 32 bits) after a mapping of it was cleared. The CPU's TLB holds nothing of that mapping if its time
 * is later. Reading the low bits back as "the last time that ended so" can only make the stamp later, which is safe.
 */
#include <hv/cpu.h>
#include <hv/smp.h>
#include <hv/tlb.h>
#include <hv/types.h>
#include <hv/x86.h>

struct tlb_counters tlb_counters[MAX_CPUS];

/* Written by every CPU; no lock: it only goes up, and every use allows for a later value. Its low half is never 0. */
static u64 flush_clock = 1;
/* No CPU's time is before this. */
static u64 all_flushed;
/* With many CPUs each one moves the clock at only every so many flushes, so that the cache line stays shared. */
static u32 tick_mask;

static inline u64 clock_advance(void)
{
	u64 now;

	do
		now = __atomic_add_fetch(&flush_clock, 1, __ATOMIC_SEQ_CST);
	while (unlikely((u32)now == 0));
	return now;
}

/* The time to note for a flush that this CPU is about to do. */
static inline u64 flush_time(struct tlb_counters *me)
{
	if ((++me->ticks & tick_mask) == 0)
		return clock_advance();
	return __atomic_load_n(&flush_clock, __ATOMIC_SEQ_CST);
}

void cr3_write(u64 cr3)
{
	struct tlb_counters *me = &tlb_counters[this_cpu()];
	u64 now = flush_time(me);

	__asm__ volatile("mov %0, %%cr3" : : "r"(cr3) : "memory");
	WRITE_ONCE(me->time, now);
	me->cr3++;
}

void tlb_flush_local(void)
{
	struct tlb_counters *me = &tlb_counters[this_cpu()];
	u64 now = clock_advance();

	__asm__ volatile("mov %0, %%cr3" : : "r"(cr3_read()) : "memory");
	WRITE_ONCE(me->time, now);
	me->full++;
}

void tlb_flush_page_local(gva_t va)
{
	__asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
	tlb_counters[this_cpu()].page++;
}

static void flush_answer(void *arg)
{
	(void)arg;
	tlb_flush_local();
}

static void flush_page_answer(void *arg)
{
	tlb_flush_page_local(*(gva_t *)arg);
}

/* Online CPUs of the mask other than this one. */
static inline bool mask_others(const struct cpumask *mask, unsigned int me)
{
	u64 others = mask->bits[me / 64] & cpu_online_map.bits[me / 64] & ~(1UL << (me % 64));

	for (unsigned int i = 0; i < MAX_CPUS / 64; i++)
		others |= i == me / 64 ? 0 : mask->bits[i] & cpu_online_map.bits[i];
	return others != 0;
}

/* Runs fn on the online CPUs of the mask, but not on this one. */
static noinline_fn void flush_send(const struct cpumask *mask, unsigned int me, void (*fn)(void *), void *arg)
{
	struct cpumask cpus = cpumask_and(mask, &cpu_online_map);

	cpus.bits[me / 64] &= ~(1UL << (me % 64));
	tlb_counters[me].shootdowns++;
	smp_call(&cpus, fn, arg);
}

void tlb_flush_mask(const struct cpumask *mask)
{
	unsigned int me = this_cpu();

	if (unlikely(mask_others(mask, me)))
		flush_send(mask, me, flush_answer, NULL);
	if (cpumask_test(mask, me))
		tlb_flush_local();
}

void tlb_flush_page_mask(const struct cpumask *mask, gva_t va)
{
	unsigned int me = this_cpu();

	if (unlikely(mask_others(mask, me)))
		flush_send(mask, me, flush_page_answer, &va);
	if (cpumask_test(mask, me))
		tlb_flush_page_local(va);
}

u32 tlb_stamp_now(void)
{
	u64 now = __atomic_load_n(&flush_clock, __ATOMIC_SEQ_CST);

	/* The one moment in 2^32 ticks at which somebody is stepping over 0. */
	if (unlikely((u32)now == 0))
		now = clock_advance();
	return (u32)now;
}

static u64 stamp_time(u32 stamp)
{
	u64 now = __atomic_load_n(&flush_clock, __ATOMIC_SEQ_CST);

	return now - ((u32)now - stamp);
}

void tlb_stamp_filter(struct cpumask *mask, u32 stamp)
{
	u64 time = stamp_time(stamp);
	unsigned int cpu;

	for_each_cpu(cpu, mask)
		if (stamp == 0 || READ_ONCE(tlb_counters[cpu].time) > time)
			mask->bits[cpu / 64] &= ~(1UL << (cpu % 64));
}

bool tlb_stamp_clean(u32 stamp)
{
	u64 time;
	unsigned int cpu;

	if (stamp == 0)
		return true;
	time = stamp_time(stamp);
	for_each_cpu(cpu, &cpu_online_map)
		if (READ_ONCE(tlb_counters[cpu].time) <= time)
			return false;
	return true;
}

/* The earliest of all CPUs' times; what is before it needs no look at each of them. A value from the past is right as well. */
static void all_flushed_update(void)
{
	u64 least = UINT64_MAX;
	unsigned int cpu;

	for_each_cpu(cpu, &cpu_online_map)
		least = MIN(least, READ_ONCE(tlb_counters[cpu].time));
	WRITE_ONCE(all_flushed, least);
}

void tlb_stamp_flush(u32 stamp)
{
	struct cpumask mask;

	if (likely(stamp == 0 || stamp_time(stamp) < READ_ONCE(all_flushed)))
		return;
	mask = cpu_online_map;
	tlb_stamp_filter(&mask, stamp);
	if (!cpumask_empty(&mask))
		tlb_flush_mask(&mask);
	all_flushed_update();
}

void tlb_cpu_init(unsigned int cpu)
{
	unsigned int cpus = cpumask_weight(&cpu_online_map) + 1;

	/* Up to 8 CPUs move it each time. */
	if (cpus > 8 && tick_mask == 0)
		tick_mask = 15;
	tlb_counters[cpu].ticks = 0;
	tlb_flush_local();
}
