/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prints what each path into the hypervisor costs, in time-stamp counter ticks, which are instructions on an emulated machine
 * that counts them: "path NAME TICKS PER" (TICKS for PER operations), and marks the measured stretch for a tracer.
 */
#include "paths.h"

#include <xen/vcpu.h>

#define ROUNDS	16u	/* in one measurement */
#define REPEATS 12u	/* the least of so many counts: an interrupt now and then is not the path's */

u8 dry;
u64 *window;
u64 window_pte[2];

/* NOPs with a 32-bit displacement, which nothing else executes: tests/bench/count.c knows them. */
static __attribute__((noinline)) void mark(bool begin)
{
	if (begin)
		__asm__ volatile("nopl 0x4b4e4542(%%rax)" : : : "memory");
	else
		__asm__ volatile("nopl 0x454e4542(%%rax)" : : : "memory");
}

static u64 measure(const struct path *p, u64 *bad)
{
	u64 least = ~0UL, start, ticks;
	unsigned int i;

	for (i = 0; i < REPEATS; i++) {
		start = rdtsc();
		*bad |= p->run(ROUNDS);
		ticks = rdtsc() - start;
		if (ticks < least)
			least = ticks;
	}
	return least;
}

static void path_time(const struct path *p)
{
	u64 bad = 0, ignored = 0, with, without;

	if (p->setup && !p->setup()) {
		print("path %s cannot be measured\n", p->name);
		return;
	}
	/* Both once for nothing: what is done at the first time only. */
	bad |= p->run(2);
	with = measure(p, &bad);
	dry = 1;
	without = measure(p, &ignored);
	dry = 0;
	/* One round of it for a tracer, which sees the hypervisor's instructions by themselves. */
	print("trace %s %u\n", p->name, ROUNDS * (p->per ? p->per : 1));
	mark(true);
	bad |= p->run(ROUNDS);
	mark(false);
	if (p->finish)
		p->finish();
	if (bad)
		print("path %s failed: 0x%lx\n", p->name, bad);
	else
		print("path %s %lu %u %s\n", p->name, with - without - ROUNDS * p->handler, ROUNDS * (p->per ? p->per : 1),
		      p->table ? "table" : "more");
}

static void paths_time(const struct path *p)
{
	for (; p->name; p++)
		path_time(p);
}

void guest_main(void)
{
	void *a = page_alloc(), *b = page_alloc();

	window = page_alloc();
	window_pte[0] = mfn_pte(va_mfn(a), PTE_KERNEL);
	window_pte[1] = mfn_pte(va_mfn(b), PTE_KERNEL);
	/* A kernel that is busy: nothing but what it asks for itself. */
	HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
	paths_time(paths_call);
	paths_time(paths_mmu);
	paths_time(paths_trap);
	paths_time(paths_event);
	paths_time(paths_memory);
}
