/* SPDX-License-Identifier: BSD-2-Clause */
/* Which CPUs there are, and where their cpu_info is. */
#include <hv/cpu.h>
#include <hv/cpu_boot.h>

/* Bits are set and cleared by arch/x86/boot/online.c, atomically; readers take no lock and look again where it matters (smp.c). */
struct cpumask cpu_online_map = { { 1 } };
struct cpumask cpu_present_map = { { 1 } };
struct cpu_topology cpu_topology[MAX_CPUS];

/* The stack of CPU 0, and from here on the place of its cpu_info, until it has its window; head.S starts with it. */
u8 boot_stack[STACK_SIZE] aligned_to(STACK_SIZE);

static struct cpu_info *info_table[MAX_CPUS] = {
	(struct cpu_info *)(boot_stack + STACK_SIZE - sizeof(struct cpu_info)),
};

struct cpu_info *cpu_info_of(unsigned int cpu)
{
	return info_table[cpu];
}

void cpu_info_set(unsigned int cpu, struct cpu_info *info)
{
	info_table[cpu] = info;
}
