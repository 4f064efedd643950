/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GDT, TSS and IDT. The GDT of a CPU is its window: 14 pages of the guest that runs, then one of ours with fixed selectors. All
 * CPUs share the IDT; interrupt stacks are found through the TSS.
 */
#include <hv/descriptors.h>
#include <hv/features.h>
#include <hv/irq.h>
#include <hv/mm.h>
#include <hv/string.h>
#include <hv/x86.h>
#include <xen/arch-x86/xen.h>

#include "cpu.h"

#define GDT_CODE64(dpl) (0x00af9b000000ffffUL | (u64)(dpl) << 45)
#define GDT_CODE32(dpl) (0x00cf9b000000ffffUL | (u64)(dpl) << 45)
#define GDT_DATA(dpl) (0x00cf93000000ffffUL | (u64)(dpl) << 45)
#define GDT_TSS 0x0000890000000000UL
#define GDT_LDT 0x0000820000000000UL

#define GDT_OWN_PAGE (FIRST_RESERVED_GDT_PAGE)
#define GDT_LIMIT ((GDT_OWN_PAGE + 1) * PAGE_SIZE - 1)

#define GATE_INTERRUPT 0x8e00U
#define GATE_DPL3 0x6000U

#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_CSTAR 0xc0000083
#define MSR_SFMASK 0xc0000084
#define MSR_SYSENTER_CS 0x174
#define MSR_SYSENTER_ESP 0x175
#define MSR_SYSENTER_EIP 0x176

struct tss {
	u32 reserved0;
	u64 rsp[3];
	u64 reserved1;
	u64 ist[7];		/* ist[n - 1] is IST n */
	u64 reserved2;
	u16 reserved3;
	u16 iomap;
} packed_struct;
_Static_assert(sizeof(struct tss) == 104, "TSS");

struct idt_gate {
	u16 offset_low, selector;
	u16 ist, flags_unused;
	u32 offset_high, reserved;
};

struct table_pointer {
	u16 limit;
	u64 base;
} packed_struct;

u64 boot_gdt_page[PAGE_SIZE / sizeof(u64)] aligned_to(PAGE_SIZE);
u8 boot_tss_page[PAGE_SIZE] aligned_to(PAGE_SIZE);
static u64 idt[256][2] __attribute__((section(".entry.bss"))) aligned_to(PAGE_SIZE);	/* mapped with entry code */

static void gdt_set(u64 *page, u16 selector, u64 descriptor)
{
	page[(selector >> 3) - FIRST_RESERVED_GDT_ENTRY] = descriptor;
}

static void gdt_set_system(u64 *page, u16 selector, u64 type, u64 base, u32 limit)
{
	u64 low = type | (limit & 0xffff) | (u64)(limit >> 16 & 0xf) << 48 | (base & 0xffffff) << 16 | (base >> 24 & 0xff) << 56;

	gdt_set(page, selector, low);
	gdt_set(page, (u16)(selector + 8), base >> 32);
}

static void tables_fill(u64 *gdt_page, struct tss *tss, u64 tss_base, u64 stack)
{
	u64 top = stack + STACK_SIZE - sizeof(struct cpu_info) + offsetof(struct cpu_info, regs) + sizeof(struct regs);

	gdt_set(gdt_page, HV_CS, GDT_CODE64(0));
	gdt_set(gdt_page, HV_DS, GDT_DATA(0));
	gdt_set(gdt_page, FLAT_RING3_CS32, GDT_CODE32(3));
	gdt_set(gdt_page, FLAT_RING3_SS64, GDT_DATA(3));
	gdt_set(gdt_page, FLAT_RING3_CS64, GDT_CODE64(3));
	gdt_set_system(gdt_page, HV_TSS, GDT_TSS, tss_base, sizeof(*tss) - 1);

	memset(tss, 0, sizeof(*tss));
	tss->iomap = sizeof(*tss);
	tss->rsp[0] = top;
	tss->ist[IST_DB - 1] = stack + PAGE_SIZE / 2;
	tss->ist[IST_DF - 1] = stack + PAGE_SIZE;
	tss->ist[IST_MC - 1] = stack + 2 * PAGE_SIZE;
	tss->ist[IST_NMI - 1] = stack + 3 * PAGE_SIZE;
}

static void gate_set(unsigned int vector, u32 flags, u32 ist)
{
	u64 target = (u64)entry_stubs[vector];

	idt[vector][0] = (target & 0xffff) | (u64)HV_CS << 16 | (u64)(flags | ist) << 32 | (target >> 16 & 0xffff) << 48;
	idt[vector][1] = target >> 32;
}

static void idt_init(void)
{
	for (unsigned int i = 0; i < 256; i++)
		gate_set(i, GATE_INTERRUPT, 0);
	gate_set(TRAP_BP, GATE_INTERRUPT | GATE_DPL3, 0);
	gate_set(TRAP_OF, GATE_INTERRUPT | GATE_DPL3, 0);
	gate_set(VECTOR_SYSCALL_COMPAT, GATE_INTERRUPT | GATE_DPL3, 0);
	gate_set(VECTOR_HYPERCALL, GATE_INTERRUPT | GATE_DPL3, 0);
	gate_set(TRAP_DB, GATE_INTERRUPT, IST_DB);
	gate_set(TRAP_NMI, GATE_INTERRUPT, IST_NMI);
	gate_set(TRAP_DF, GATE_INTERRUPT, IST_DF);
	gate_set(TRAP_MC, GATE_INTERRUPT, IST_MC);
}

static void tables_load(u64 *gdt_page, u64 gdt_base)
{
	struct table_pointer gdtr = { GDT_LIMIT, gdt_base }, idtr = { sizeof(idt) - 1, (u64)idt };

	/* The descriptor may be marked busy from before. */
	gdt_page[(HV_TSS >> 3) - FIRST_RESERVED_GDT_ENTRY] &= ~(1UL << 41);
	__asm__ volatile("lgdt %0" : : "m"(gdtr) : "memory");
	__asm__ volatile("lidt %0" : : "m"(idtr) : "memory");
	__asm__ volatile("pushq %0\n\tleaq 1f(%%rip), %%rax\n\tpushq %%rax\n\tlretq\n1:"
			 : : "i"(HV_CS) : "rax", "memory");
	__asm__ volatile("movl %0, %%ss\n\tmovl %1, %%ds\n\tmovl %1, %%es\n\tmovl %1, %%fs\n\tmovl %1, %%gs"
			 : : "r"(HV_DS), "r"(0) : "memory");
	__asm__ volatile("lldt %w0\n\tltr %w1" : : "r"(0), "r"(HV_TSS) : "memory");
}

void descriptors_init_boot(void)
{
	idt_init();
	tables_fill(boot_gdt_page, (struct tss *)boot_tss_page, (u64)boot_tss_page, (u64)boot_stack);
	/* Only our own page of the table exists yet. */
	tables_load(boot_gdt_page, (u64)boot_gdt_page - GDT_OWN_PAGE * PAGE_SIZE);
}

void descriptors_fill(unsigned int cpu, u64 *gdt_page, void *tss)
{
	u64 window = percpu_window(cpu);

	tables_fill(gdt_page, tss, window + WINDOW_TSS_PAGE * PAGE_SIZE, window + WINDOW_STACK_PAGE * PAGE_SIZE);
}

static void entries_load(unsigned int cpu, u64 stack_top)
{
	syscall_slots[cpu].stack = stack_top;
	wrmsr(MSR_STAR, (u64)FLAT_RING3_CS32 << 48 | (u64)HV_CS << 32);
	wrmsr(MSR_LSTAR, (u64)syscall_stubs[cpu][0]);
	wrmsr(MSR_CSTAR, (u64)syscall_stubs[cpu][1]);
	wrmsr(MSR_SFMASK, FLAG_TF | FLAG_IF | FLAG_DF | FLAG_IOPL | FLAG_NT | FLAG_RF | FLAG_AC);
	if (cpu_has(CPU_SYSENTER)) {
		wrmsr(MSR_SYSENTER_CS, HV_CS);
		wrmsr(MSR_SYSENTER_ESP, stack_top);
		wrmsr(MSR_SYSENTER_EIP, (u64)entry_sysenter);
	}
}

void descriptors_load(unsigned int cpu)
{
	u64 window = percpu_window(cpu);
	const struct tss *tss = (const struct tss *)(window + WINDOW_TSS_PAGE * PAGE_SIZE);

	tables_load((u64 *)(window + (WINDOW_GDT_PAGE + GDT_OWN_PAGE) * PAGE_SIZE), window + WINDOW_GDT_PAGE * PAGE_SIZE);
	entries_load(cpu, tss->rsp[0]);
}

void cpu_ldt_load(u32 entries)
{
	unsigned int cpu = this_cpu();
	u64 base = percpu_window(cpu) + WINDOW_LDT_PAGE * PAGE_SIZE;
	u64 *page = (u64 *)(percpu_window(cpu) + (WINDOW_GDT_PAGE + GDT_OWN_PAGE) * PAGE_SIZE);

	if (entries == 0) {
		lldt(0);
		return;
	}
	gdt_set_system(page, HV_LDT, GDT_LDT, base, entries * 8 - 1);
	lldt(HV_LDT);
}
