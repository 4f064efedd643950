/* SPDX-License-Identifier: BSD-2-Clause */
/* Within arch/x86/cpu, and for arch/x86/boot, which wires it. */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#include <hv/compiler.h>
#include <hv/cpu.h>
#include <hv/regs.h>
#include <hv/types.h>

/* --- descriptors.c --- */

/* CPU 0, first thing: descriptor tables in the image, interrupt table, TSS; the stack is boot_stack. */
void descriptors_init_boot(void);
/* Fills in a CPU's descriptor page and TSS, which it will see in its window. */
void descriptors_fill(unsigned int cpu, u64 *gdt_page, void *tss);
/* This CPU uses the tables in its window, and the SYSCALL and SYSENTER entries, from now on. */
void descriptors_load(unsigned int cpu);
/* CPU 0's descriptor page and TSS (a page each). */
extern u64 boot_gdt_page[];
extern u8 boot_tss_page[];

/* --- exception.c: called by entry code --- */
struct vcpu;
void exception_hypervisor(struct regs *r);
void exception_ist(struct regs *r);
void software_interrupt(struct vcpu *v, struct regs *r);
/* Prints registers and what the stack says about callers. */
void registers_dump(const struct regs *r);
/* Dumps the place where it is called; for panic. */
void stack_dump(void);

/* --- fpu.c --- */
/* This CPU: after CR4 is set up. */
void fpu_init_cpu(void);
/* True when XCR0 may hold val on a CPU that supports these components. Pure. */
bool xcr0_valid(u64 val, u64 supported);

/* --- softirq.c --- */
void softirq_init(void);
/* Gives the queued tasklets of a CPU that went offline to another. */
void softirq_cpu_drain(unsigned int from, unsigned int to);

/* --- smp.c --- */
/* True once smp_stop_others was called: an NMI then ends in smp_park_forever. */
bool smp_nmi_stop(void);
void smp_park_forever(void) noreturn_fn;

/* --- context.c --- */
void exit_work(void);

/* --- online.c --- */
extern u64 cpu_start_root, cpu_start_stack;
/* C entry of a CPU that starts. */
void cpu_start(void) noreturn_fn;
/* CPU 0, once windows can be made: its stack, descriptors and TSS appear in its window. */
void cpu_window_init_boot(void);
/* Ends here when this CPU has been asked to go offline. Idle, no lock held. */
void cpu_offline_check(unsigned int cpu);
/* Boot: starts the other CPUs, as many as the options allow. */
void cpus_start(void);

/* --- topology.c --- */
/* Boot: numbers the CPUs. */
void topology_init(u32 boot_apic_id);
/* Do the options want this CPU started at boot, and how many in all? */
bool topology_wanted(unsigned int cpu);
unsigned int topology_max(void);

/* --- boot/trampoline.c --- */
/* Puts the start-up code below 1 MiB; its page number. */
u8 trampoline_place(void);

/* --- nmi.c --- */
void nmi_handle(struct regs *r);
void machine_check_handle(struct regs *r);

/* --- entry.S --- */
extern const u8 entry_stubs[256][16];
extern const u8 syscall_stubs[MAX_CPUS][2][32];	/* SYSCALL from 64-bit and from 32-bit code */
struct syscall_slot {
	u64 guest_rsp;
	u64 stack;		/* end of info->regs */
	u64 pad[6];
};
extern struct syscall_slot syscall_slots[MAX_CPUS];
void entry_sysenter(void);
void guest_enter(struct regs *r) noreturn_fn;

#endif
