/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine of up to 64 CPUs for the scheduler alone: time jumps from event to event, so that hours pass in seconds. Guests are
 * workloads: they run for a while, sleep for a while.
 */
#ifndef TEST_SCHED_MACHINE_H
#define TEST_SCHED_MACHINE_H

#include "../../../hypervisor/core/sched/sched_private.h"

#define MS 1000000ul
#define US 1000ul
#define SEC 1000000000ul

struct load {
	struct vcpu *v;
	ns_t run, sleep;	/* for how long it runs and sleeps in turn; sleep 0: it always runs */
	bool jitter;		/* times vary between 0 and twice as long */
	ns_t left;		/* of the present run */
	ns_t since;		/* running since; only while it does */
	bool on_cpu;
	struct timer done, wake;
	/* what was measured */
	ns_t used;		/* time it ran */
	ns_t woken;		/* when it woke up and did not run yet; 0: not waiting for that */
	ns_t waits;		/* runnable and not running since; 0: it is not */
	ns_t latency_max, latency_sum, wait_max;
	u64 latency_count, switches;
};

extern ns_t clock_now;

/* A machine with so many CPUs, `per_socket` of them in each socket, and the policy of that name in pool 0. */
void machine_start(unsigned int cpus, unsigned int per_socket, const char *policy);
void machine_stop(void);
/* A domain in a pool, with its vCPUs down. */
struct domain *domain_new(unsigned int vcpus, u32 pool);
void domain_drop(struct domain *d);
/* Brings vCPU n of d up with a workload. */
struct load *load_start(struct domain *d, unsigned int n, ns_t run, ns_t sleep, bool jitter);
struct load *load_of(const struct vcpu *v);
/* Lets time pass. */
void machine_run(ns_t time);
/* Forgets what was measured. */
void machine_measure(void);
/* Which CPU executes hypervisor code that the test calls. */
void machine_cpu(unsigned int cpu);
/* Number from 0 to n - 1. */
u32 random_below(u32 n);
void random_seed(u64 seed);
/* After each step: no CPU idles while a vCPU waits that it could run; states agree. Slow. */
extern bool check_always;
void machine_check(void);

#endif
