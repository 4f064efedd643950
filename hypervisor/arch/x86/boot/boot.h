/* SPDX-License-Identifier: BSD-2-Clause */
/* Within arch/x86/boot. */
#ifndef ARCH_BOOT_H
#define ARCH_BOOT_H

#include <hv/compiler.h>
#include <hv/types.h>

#define ARGON_VERSION "0.1"

/* C entry, from head.S: physical addresses of the loader's information and of the image. */
void boot_main(u64 mbi, u64 image) noreturn_fn;

extern bool opt_noreboot;	/* core/domain_run.c */

/* trampoline.S: copied below 1 MiB; positions in it that depend on where. */
extern const u8 trampoline_start[], trampoline_end[];
extern const u8 trampoline_gdt_pointer[], trampoline_far[], trampoline_cr3[];
extern u64 boot_l4[512];
/* trampoline.c: puts the start-up code below 1 MiB; its page number. */
u8 trampoline_place(void);

/* online.c: C entry of a CPU that starts, and what trampoline.S takes for it. */
void cpu_start(void) noreturn_fn;
extern u64 cpu_start_root, cpu_start_stack;
/* CPU 0, once windows can be made: its stack, descriptors and TSS appear in its window. */
void cpu_window_init_boot(void);
/* Starts the other CPUs, as many as the options allow. */
void cpus_start(void);

/* topology.c: numbers the CPUs. */
void topology_init(u32 boot_apic_id);
/* Do the options want this CPU started at boot, and how many in all? */
bool topology_wanted(unsigned int cpu);
unsigned int topology_max(void);

#endif
