/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of the simulated machine. */
#ifndef SIM_PRIVATE_H
#define SIM_PRIVATE_H

#include "sim.h"

#define SIM_TLB_ENTRIES 256u
#define SIM_LOCKS_HELD 8u
#define SIM_DOMAINS 16u

struct sim_tlb_entry {
	bool valid, writable;
	gva_t page;
	mfn_t frame;
	u16 owner;		/* of the frame, when the entry was made */
	bool io;
};

/* Paging-structure cache: a table of `level` (1 to 3) found for the address bits above it. */
struct sim_walk_entry {
	bool valid;
	u8 level;
	gva_t prefix;
	mfn_t table;
	u16 owner;
	bool writable;
};

struct sim_cpu {
	struct cpu_info info;
	u64 cr3;
	struct sim_tlb_entry tlb[SIM_TLB_ENTRIES];
	struct sim_walk_entry walk[SIM_TLB_ENTRIES];
	u32 flushed_at;		/* stamp clock of the last full flush */
	u32 nr_held;
	const struct spinlock *held[SIM_LOCKS_HELD];
	ns_t timer_deadline;
	struct vcpu *idle;
	struct tasklet *tasklets;
};

extern struct sim_cpu sim_cpu[SIM_CPUS];
extern _Thread_local unsigned int sim_cpu_nr;

/* Guest memory of a domain: frame of each page. */
struct sim_guest {
	struct domain *d;
	u32 pages, next, tables;	/* pages [tables, pages) are page tables */
	u32 *mfn;
	u32 root;			/* page number of the L4 */
};
extern struct sim_guest sim_guests[SIM_DOMAINS];
struct sim_guest *sim_guest_of(const struct domain *d);

void sim_heap_start(void);
void sim_heap_stop(void);
void sim_tlb_start(void);
void sim_guests_start(void);
void sim_guests_stop(void);
void sim_domains_start(void);
void sim_domains_stop(void);
/* Where the last small object was asked for. */
extern const void *sim_alloc_caller;
/* True when this allocation is to fail. */
bool sim_alloc_fails(void);
void sim_locks_check_none(void);
void sim_objects_check(void);

/* Variables that full/state.c leaves alone when it puts the machine back to an earlier state. */
#define SIM_KEPT __attribute__((section("sim_kept")))

/* Hooks for a machine that runs more of the hypervisor (tests/host/full); weak functions do without. */
/* Before anything else of sim_start. */
void sim_power_on(void);
/* The idle vCPU of a CPU. */
struct vcpu *sim_idle_vcpu(unsigned int cpu);
/* sim_domain has made d; it may run. */
void sim_domain_ready(struct domain *d);
/* Calls fn for each domain that may hold references. */
void sim_each_domain(void (*fn)(const struct domain *d));

#endif
