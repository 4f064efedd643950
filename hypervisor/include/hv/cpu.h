/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Per-CPU stack layout, the current vCPU, and CPU bring-up. Each CPU has one block of STACK_SIZE bytes, aligned to its size, in
 * its window: interrupt stacks in the first three pages, a page that is not mapped, and the hypervisor stack. struct cpu_info
 * lies at the very top; entry code pushes the guest's registers into info->regs (TSS.RSP0 and the SYSCALL stub point at its
 * end). C code runs below it. There is no hypervisor stack per vCPU: a switch of vCPUs happens at the end of exit work only, by
 * copying registers out of and into info->regs.
 */
#ifndef HV_CPU_H
#define HV_CPU_H

#include <hv/types.h>
#include <hv/compiler.h>
#include <hv/cpumask.h>
#include <hv/regs.h>

#define STACK_SHIFT 15
#define STACK_SIZE (1UL << STACK_SHIFT)
#define STACK_GUARD_PAGE 3
#define STACK_PAGES (STACK_SIZE / PAGE_SIZE)

/* Pages of the CPU's window (hv/memory_map.h) beside the descriptor tables: its stack block, and its TSS. */
#define WINDOW_STACK_PAGE 128
#define WINDOW_TSS_PAGE 136

struct vcpu;

struct cpu_info {
	u64 pad;		/* the end of regs must be a multiple of 16: hardware aligns the stack before it pushes */
	struct regs regs;
	struct vcpu *current;	/* vCPU whose registers are in regs; the idle vCPU when none */
	u32 cpu;		/* number of this CPU */
	u32 softirq;		/* pending soft interrupts, bit mask of enum softirq; atomic */
	u64 shadow_cr3;		/* XPTI: CR3 to load on the way to the guest; 0 = not in use */
	u64 guest_cr3;		/* XPTI: CR3 of the guest's own root, to be loaded on entry when shadow_cr3 is not 0 */
	u32 spec_ctrl;		/* MSR_SPEC_CTRL while a guest runs */
	u32 reserved;
	u64 fault;		/* error code and vector << 32 of the last fault that the exception table caught */
	u64 hypercalls[64];	/* how often each was made on this CPU, which alone writes it */
} aligned_to(16);
_Static_assert((offsetof(struct cpu_info, regs) + sizeof(struct regs)) % 16 == 0, "stack alignment");
_Static_assert(sizeof(struct cpu_info) % 16 == 0, "stack alignment");

/* cpu_info of the CPU that executes this; entry code and the host simulation only. Everyone else is passed a vcpu or a CPU. */
#if __STDC_HOSTED__
struct cpu_info *cpu_info(void);
#else
static inline struct cpu_info *cpu_info(void)
{
	u64 sp;

	__asm__("movq %%rsp, %0" : "=r"(sp));
	return (struct cpu_info *)((sp | (STACK_SIZE - 1)) + 1) - 1;
}
#endif
/* cpu_info of any CPU that is or was online. */
struct cpu_info *cpu_info_of(unsigned int cpu);
/* Number of the executing CPU. */
static inline unsigned int this_cpu(void)
{
	return cpu_info()->cpu;
}

/* CPUs that run, that exist (present or hot-pluggable), and their number. */
extern struct cpumask cpu_online_map;
extern struct cpumask cpu_present_map;
static inline bool cpu_online(unsigned int cpu)
{
	return cpu < MAX_CPUS && cpumask_test(&cpu_online_map, cpu);
}

/* Place of a CPU in the machine, from CPUID and SRAT. */
struct cpu_topology {
	u32 apic_id;
	u32 acpi_id;
	u32 core, socket, node;
};
extern struct cpu_topology cpu_topology[MAX_CPUS];

/* Brings a present CPU online / takes an online one (not CPU 0) offline. 0, -EINVAL, -EBUSY, -EIO. LOCK_HOTPLUG not held. */
int cpu_up(unsigned int cpu) must_check;
int cpu_down(unsigned int cpu) must_check;

/* Loads this CPU's LDT register: the LDT window, with so many entries; 0: none. */
void cpu_ldt_load(u32 entries);
/*
 * For the idle loop: waits for an interrupt (interrupts are let in meanwhile), unless a soft interrupt is pending. When the
 * CPU is being taken offline it ends here.
 */
void cpu_idle(unsigned int cpu);
/* Gives this CPU to the scheduler, for good: end of boot on every CPU. */
void cpu_run(void) noreturn_fn;

static inline void cpu_relax(void)
{
	__builtin_ia32_pause();
}

#endif
