/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory, CPUs, clock, injected failures and preemption. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <hv/errno.h>
#include <hv/frame_type.h>
#include <hv/log.h>
#include <hv/pv.h>
#include <hv/softirq.h>
#include <hv/smp.h>
#include <hv/string.h>
#include <hv/time.h>
#include "sim_private.h"

SIM_KEPT struct frame *sim_frame_table;
SIM_KEPT u8 *sim_direct_map;
SIM_KEPT u64 *sim_m2p;
u64 frame_limit;

SIM_KEPT u32 sim_frames = SIM_FRAMES;
struct sim_cpu sim_cpu[SIM_CPUS];
_Thread_local unsigned int sim_cpu_nr;
struct cpumask cpu_online_map, cpu_present_map;
struct cpu_topology cpu_topology[MAX_CPUS];

ns_t sim_clock;
u64 sim_preempt_asked, sim_preempt_said;
static u32 preempt_every, preempt_count;
static u32 fail_in;
static bool fail_done;
struct sim_counts sim_counts;
SIM_KEPT bool sim_log;
void (*sim_spin_hook)(void);

SIM_KEPT static jmp_buf *bug_exit;

noreturn_fn void sim_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "simulated machine: ");
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "\n");
	va_end(ap);
	abort();
}

SIM_KEPT bool sim_bugs_abort;

noreturn_fn void sim_leave(void)
{
	if (bug_exit)
		longjmp(*bug_exit, 1);
	sim_fail("the machine ends");
}

static noreturn_fn void stop_loudly(void)
{
	if (bug_exit && !sim_bugs_abort)
		longjmp(*bug_exit, 1);
	abort();
}

noreturn_fn void panic(const char *fmt, ...)
{
	va_list ap;

	if (!bug_exit || sim_bugs_abort || sim_log) {
		va_start(ap, fmt);
		fprintf(stderr, "panic: ");
		vfprintf(stderr, fmt, ap);
		fprintf(stderr, "\n");
		va_end(ap);
	}
	stop_loudly();
}

noreturn_fn void bug_report(const char *what, const char *file, unsigned int line)
{
	if (!bug_exit || sim_bugs_abort || sim_log)
		fprintf(stderr, "BUG: %s:%u: %s\n", file, line, what);
	stop_loudly();
}

bool sim_catch_bug(void (*fn)(void *arg), void *arg)
{
	jmp_buf here;

	if (setjmp(here)) {
		bug_exit = NULL;
		for (unsigned int i = 0; i < SIM_CPUS; i++)
			sim_cpu[i].nr_held = 0;
		return true;
	}
	bug_exit = &here;
	fn(arg);
	bug_exit = NULL;
	return false;
}

static void log_line(const char *fmt, va_list ap)
{
	if (!sim_log)
		return;
	fprintf(stderr, "(argon) ");
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "\n");
}

void log_print(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	(void)level;
	va_start(ap, fmt);
	log_line(fmt, ap);
	va_end(ap);
}

void log_always(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(fmt, ap);
	va_end(ap);
}

void log_guest(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	(void)level;
	va_start(ap, fmt);
	log_line(fmt, ap);
	va_end(ap);
}

/* --- memory --- */

static void *map_zero(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		sim_fail("out of memory");
	return p;
}

static void memory_start(void)
{
	if (!sim_direct_map) {
		sim_direct_map = map_zero((size_t)SIM_FRAMES * PAGE_SIZE);
		sim_frame_table = map_zero(SIM_FRAMES * sizeof(struct frame));
		sim_m2p = map_zero(SIM_FRAMES * sizeof(u64));
	} else {
		/* Drop the pages: they read as zeroes again. */
		madvise(sim_direct_map, (size_t)SIM_FRAMES * PAGE_SIZE, MADV_DONTNEED);
		madvise(sim_frame_table, SIM_FRAMES * sizeof(struct frame), MADV_DONTNEED);
		madvise(sim_m2p, SIM_FRAMES * sizeof(u64), MADV_DONTNEED);
	}
	frame_limit = sim_frames;
	for (u64 i = 0; i < sim_frames; i++) {
		struct frame *f = &sim_frame_table[i];
		bool hole = i == 0 || (i >= SIM_HOLE_FIRST && i <= SIM_HOLE_LAST);

		f->owner = hole ? DOMID_IO : DOMID_INVALID;
		f->flags = hole ? 0 : FRAME_RAM;
		sim_m2p[i] = M2P_INVALID;
	}
	sim_heap_start();
}

void sim_start(unsigned int cpus)
{
	/* For a run of all tests in which each preemption point preempts. */
	const char *preempt_always = getenv("SIM_PREEMPT");

	if (cpus == 0 || cpus > SIM_CPUS)
		sim_fail("%u CPUs asked for", cpus);
	sim_power_on();
	if (getenv("SIM_LOG"))
		sim_log = true;
	sim_clock = 1000000000;
	preempt_every = preempt_always ? (u32)atoi(preempt_always) : 0;
	preempt_count = fail_in = 0;
	fail_done = false;
	sim_preempt_asked = sim_preempt_said = 0;
	sim_spin_hook = NULL;
	sim_holders = NULL;
	memset(&sim_counts, 0, sizeof(sim_counts));
	memset(sim_cpu, 0, cpus * sizeof(sim_cpu[0]));
	cpu_online_map = cpu_present_map = cpumask_none();
	frame_type_ops = &pv_frame_type_ops;
	sim_tlb_start();
	memory_start();
	for (unsigned int i = 0; i < cpus; i++) {
		sim_cpu[i].info.cpu = i;
		cpumask_set(&cpu_online_map, i);
		cpumask_set(&cpu_present_map, i);
		cpu_topology[i] = (struct cpu_topology){ .apic_id = i, .acpi_id = i, .core = i };
	}
	sim_cpu_nr = 0;
	sim_guests_start();
}

void sim_stop(void)
{
	sim_locks_check_none();
	sim_preempt_every(0);
	sim_fail_alloc(0);
	sim_check();
	sim_guests_stop();
	sim_heap_stop();
	sim_objects_check();
}

void sim_cpu_switch(unsigned int cpu)
{
	if (cpu >= SIM_CPUS || !cpumask_test(&cpu_online_map, cpu))
		sim_fail("switch to CPU %u, which is not online", cpu);
	sim_cpu_nr = cpu;
}

struct cpu_info *cpu_info(void)
{
	return &sim_cpu[sim_cpu_nr].info;
}

struct cpu_info *cpu_info_of(unsigned int cpu)
{
	return cpu < SIM_CPUS ? &sim_cpu[cpu].info : NULL;
}

__attribute__((weak)) int cpu_up(unsigned int cpu)
{
	if (cpu >= SIM_CPUS)
		return -EINVAL;
	cpumask_set(&cpu_online_map, cpu);
	sim_cpu[cpu].info.cpu = cpu;
	return 0;
}

__attribute__((weak)) int cpu_down(unsigned int cpu)
{
	if (cpu == 0 || !cpu_online(cpu))
		return -EINVAL;
	cpumask_clear(&cpu_online_map, cpu);
	return 0;
}

/* --- failures and preemption --- */

void sim_fail_alloc(u32 n)
{
	fail_in = n;
	fail_done = false;
}

bool sim_alloc_failed(void)
{
	return fail_done;
}

bool sim_alloc_fails(void)
{
	if (fail_in == 0 || --fail_in != 0)
		return false;
	fail_done = true;
	return true;
}

void sim_preempt_every(u32 n)
{
	preempt_every = n;
	preempt_count = 0;
}

bool preempt_needed(void)
{
	lock_assert_below(LOCK_EVENT);
	sim_preempt_asked++;
	if (preempt_every == 0 || ++preempt_count % preempt_every != 0)
		return false;
	sim_preempt_said++;
	return true;
}
