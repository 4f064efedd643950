/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The simulated machine for host tests: memory is an arena with a frame table over it, CPUs are structs that one thread
 * switches between (or one thread each, see sim_threads), guests have real page tables in the arena, and TLBs are
 * caches that keep everything until it is flushed. It stands in for arch/x86/cpu, the TLB, the APIC and guest copy; what it has only
 * until the real module is there is in stand_in*.c as weak functions.
 */
#ifndef SIM_H
#define SIM_H

#include <hv/types.h>
#include <hv/compiler.h>
#include <hv/cpu.h>
#include <hv/domain.h>
#include <hv/frame.h>
#include <hv/hypercall.h>

#define SIM_CPUS 8u
#define SIM_FRAMES 16384u		/* 64 MiB at most */
/* How many of them a machine has that is started from now on; fewer make sim_check faster. */
extern u32 sim_frames;
/* Frames below 1 MiB that are not RAM: I/O memory inside the frame table's range. Everything from SIM_FRAMES on is I/O as well. */
#define SIM_HOLE_FIRST 0xa0u
#define SIM_HOLE_LAST 0xffu

/* --- machine --- */
/* A new machine with so many CPUs online (CPU 0 executes) and all of its memory free. Each test begins with this ... */
void sim_start(unsigned int cpus);
/* ... and ends with this: frees everything, forgets every domain. Fails the test when an invariant is broken. */
void sim_stop(void);
/* Which CPU executes hypervisor code from now on. */
void sim_cpu_switch(unsigned int cpu);

/* Time in ns; only the test moves it. sim_clock_advance also runs timers and softirqs that become due, on each CPU in turn. */
extern ns_t sim_clock;
void sim_clock_advance(ns_t by);

/* The n-th (1 = next) allocation from now fails, once; 0: none. And whether it has happened. */
void sim_fail_alloc(u32 n);
bool sim_alloc_failed(void);
/* preempt_needed() is true in every n-th call; 0: never, 1: always. */
void sim_preempt_every(u32 n);
/* ... and how often it was asked, and said yes, since sim_start. */
extern u64 sim_preempt_asked, sim_preempt_said;

/* What was done to CPUs; zeroed by sim_start, tests may zero it as well. */
struct sim_counts {
	u64 ipis;		/* CPUs sent a request (smp_call, shoot-down) */
	u64 kicks;		/* smp_kick, softirq_raise on another CPU */
	u64 cr3_loads;
	u64 flush_full, flush_page;	/* on any CPU */
	u64 wbinvd;
	u64 wakes, unblocks, vcpu_kicks, blocks, yields, crashes, virqs;
};
extern struct sim_counts sim_counts;

/* Prints log messages of the hypervisor to stderr (environment variable SIM_LOG=1 does so as well). */
extern bool sim_log;
/* Hook called by spin_poll; NULL: waiting is a deadlock, the test fails. */
extern void (*sim_spin_hook)(void);
/* Ends the test at once with a message. */
noreturn_fn void sim_fail(const char *fmt, ...) format_like(1, 2);
/*
 * While a test runs fn(arg), a BUG, panic or failed assertion of the hypervisor does not end the test. Returns true when one happened;
 * locks held are forgotten.
 */
bool sim_catch_bug(void (*fn)(void *arg), void *arg);
/* ... unless this is set: for fuzzers, which want to see where it is. */
extern bool sim_bugs_abort;
/* Leaves fn of sim_catch_bug, as a bug does but without a word. */
noreturn_fn void sim_leave(void);

/* --- guests --- */
/* Where a simulated guest sees its page number pfn. */
#define SIM_GUEST_BASE 0xffff888000000000UL

/*
 * A PV domain with so many vCPUs and pages. Its pages 0 to pages - 1 are mapped at SIM_GUEST_BASE on, writable, except the last few,
 * which are its page tables. Every vCPU has that address space and is up; none runs yet. The test owns nothing: sim_stop frees.
 */
struct domain *sim_domain(domid_t id, bool privileged, unsigned int vcpus, u32 pages);
/* v runs on the CPU from now on (what ran there before is descheduled), and that CPU executes. Returns v. */
struct vcpu *sim_run(struct vcpu *v, unsigned int cpu);
/* vCPU n of d on CPU n. */
struct vcpu *sim_run_vcpu(struct domain *d, unsigned int n);
/* The idle vCPU of CPU 0, for an actor that is no guest. */
extern struct vcpu sim_idle;
/* Takes v off its CPU, which becomes idle. */
void sim_deschedule(struct vcpu *v);

/* len bytes of fresh guest memory, page aligned, contiguous: its address / page number. */
gva_t sim_alloc(struct domain *d, size_t len);
u32 sim_alloc_page(struct domain *d);
/* Pages that sim_alloc has left. */
u32 sim_pages_left(const struct domain *d);
static inline gva_t sim_va(u32 pfn) { return SIM_GUEST_BASE + (u64)pfn * PAGE_SIZE; }
mfn_t sim_mfn(const struct domain *d, u32 pfn);
/* The arena behind a guest address / a page of it. */
void *sim_ptr(const struct domain *d, gva_t va);
u64 *sim_page(const struct domain *d, u32 pfn);
/* Frame number of the root of the domain's address space, and of the L1 (2, 3) table for a page. */
u32 sim_table(const struct domain *d, unsigned int level, gva_t va);

/* A hypercall by v with these arguments, repeated while it says -ERESTART as the dispatcher would. v must run on the executing CPU. */
long sim_call(struct vcpu *v, hypercall_fn *fn, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5);
/* As above, but gives up after so many restarts (then returns -ERESTART). */
long sim_call_limited(struct vcpu *v, hypercall_fn *fn, u64 *args, u32 restarts);

/* A guest access through the TLB of the CPU that v runs on, as the processor would do: false = page fault. */
bool sim_access(struct vcpu *v, gva_t va, bool write, mfn_t *where);
bool sim_load(struct vcpu *v, gva_t va, u64 *val);
bool sim_store(struct vcpu *v, gva_t va, u64 val);

/* --- invariants --- */
/* Fails the test when something is wrong: counts, types, TLBs, conservation of pages. Cheap enough for each step of a small test. */
void sim_check(void);
void sim_check_tlbs(void);
/*
 * Called by sim_check; NULL: page tables, roots and descriptor tables are all that holds references of domains' frames. A test
 * that has other modules hold some (grants, vcpu_info) calls sim_hold for each from here. type: a type reference, else a general one.
 */
extern void (*sim_holders)(void);
void sim_hold(mfn_t m, bool type);

#endif
