/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The word `full` in `uses`: the simulated machine (sim.h) with all of core, hypercall, pv and what they stand on linked as in the
 * hypervisor: real domains, vCPUs, scheduler, timers, events, grants, interrupts and console. What it does without are the
 * processor (registers, FPU), the local APIC, PCI and the clock.
 *
 * Each sim_start puts the variables of the hypervisor back to what they are when the machine is switched on. A vCPU runs when the
 * scheduler says so: sim_run pins it to a CPU and lets the scheduler work.
 */
#ifndef FULL_H
#define FULL_H

#include "../sim/sim.h"

/* --- time and scheduling --- */

/* All CPUs do what they have to do on their way to a guest, until there is nothing more. */
void full_settle(void);
/* Time passes; timers fire at the time they are set to. */
void full_time(ns_t by);
/* What the CPU runs now: a guest's vCPU, or NULL when it idles. */
struct vcpu *full_current(unsigned int cpu);

/*
 * A hypercall as the entry code makes it: number in rax, through the dispatcher, with restarts, softirqs and scheduling. v has to
 * be runnable: time passes until it runs. -ERESTART: it waits in the middle of it.
 */
long full_hypercall(struct vcpu *v, unsigned int nr, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4);
/* How many restarts the last one had. */
extern u32 full_restarts;

/* --- the end of the machine --- */
enum full_end { FULL_GOES_ON, FULL_RESTART, FULL_POWEROFF, FULL_HALT, FULL_BUG };
/* Runs fn(arg): how it ended. Nothing can be done with the machine after an end but sim_start. */
enum full_end full_run(void (*fn)(void *arg), void *arg);

/* --- state --- */

/* What a call that failed must not have changed: a number made of domains, vCPUs, ports, grants, frames and what is in them. */
u64 full_hash(void);
/* Contents of this frame do not count from now on, until the next sim_start: it is where arguments lie. */
void full_hash_skip(mfn_t m);
/* How many small objects and frames are in use. */
struct full_use {
	u64 objects, frames;
};
struct full_use full_use(void);
/* Objects that the hypervisor keeps for good (power data of CPUs, say), which sim_stop must not count as lost. */
extern u64 full_objects_kept;

/* Saves the whole machine; and puts it back as it was saved. For fuzzers and for tests that try many things from one state. */
void full_save(void);
void full_restore(void);

/* --- devices --- */
#define FULL_PINS 24u
/* What the last access to an I/O port was; reads give full_port_value. */
extern u32 full_port, full_port_size, full_port_value, full_port_writes;
/* Whether the next machine has XSAVE. */
extern bool full_xsave;
/* Whether its guests run on page tables without the hypervisor. */
extern bool full_xpti;
/* PCI functions are refused with this error, unless 0. */
extern int full_pci_error;
/* Interrupt line of the IO-APIC. */
void full_line_raise(unsigned int pin);

#endif
