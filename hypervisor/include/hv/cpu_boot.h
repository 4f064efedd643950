/* SPDX-License-Identifier: BSD-2-Clause */
/* What arch/x86/cpu offers to arch/x86/boot, and the other way round, to bring CPUs up. Init context unless said otherwise. */
#ifndef HV_CPU_BOOT_H
#define HV_CPU_BOOT_H

#include <hv/compiler.h>
#include <hv/cpu.h>
#include <hv/types.h>

/* --- descriptors.c --- */

/* CPU 0, first thing: descriptor tables in the image, interrupt table, TSS; the stack is boot_stack. */
void descriptors_init_boot(void);
/* Fills in a CPU's descriptor page and TSS, which it will see in its window. */
void descriptors_fill(unsigned int cpu, u64 *gdt_page, void *tss);
/* This CPU uses the tables in its window, and the SYSCALL and SYSENTER entries, from now on. */
void descriptors_load(unsigned int cpu);
/* CPU 0's descriptor page and TSS (a page each), and its stack until it has its window: STACK_SIZE bytes. */
extern u64 boot_gdt_page[];
extern u8 boot_tss_page[];
extern u8 boot_stack[];

/* --- speculation.c --- */
/* On CPU 0, between features_init and alternatives_apply: decides what to do about the flaws of the CPU. */
void speculation_init(void);
/* Each CPU, after that. */
void speculation_init_cpu(void);
/* While the text is writable: indirect branches without thunks, if none are needed. */
void thunk_sites_patch(void);

/* --- percpu.c --- */
/* cpu_info_of(cpu) is this from now on. */
void cpu_info_set(unsigned int cpu, struct cpu_info *info);

/* --- softirq.c --- */
void softirq_init(void);
/* Gives the queued tasklets of a CPU that went offline to another. Any time. */
void softirq_cpu_drain(unsigned int from, unsigned int to);

/* --- smp.c --- */
/* Halts this CPU for good. */
void smp_park_forever(void) noreturn_fn;

/* --- exception.c --- */
/* Prints what the stack says about callers of the caller; for panic. */
void stack_dump(void);

/* --- nmi.c, watchdog.c --- */
void nmi_init(void);
/* Starts to watch from this CPU; before the CPU goes offline the watching ends. */
void watchdog_init_cpu(void);
void watchdog_stop_cpu(unsigned int cpu);

/* --- boot/online.c --- */
/* Ends here when this CPU has been asked to go offline. Idle, no lock held; any time. */
void cpu_offline_check(unsigned int cpu);

#endif
