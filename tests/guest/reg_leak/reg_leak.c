/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers after hypercalls, exceptions and events, and at the start of a vCPU: nothing of the hypervisor's is in them. */
#include <guest/guest.h>
#include <xen/vcpu.h>

#define REGS 15

/* Named by assembly too. */
static u64 before[REGS];
u64 after[REGS];
volatile u64 start_regs[REGS];
volatile unsigned int started;
static const char *const names[REGS] = { "rbx", "rbp", "rdi", "rsi", "rdx", "r8", "r9", "r10", "r12", "r13", "r14", "r15",
					 "rcx", "r11", "rax" };

static bool of_hypervisor(u64 v)
{
	return (v >= HYPERVISOR_VIRT_START && v < HYPERVISOR_VIRT_END) || (v >= 0xffff7f0000000000UL && v < HYPERVISOR_VIRT_START);
}

#define LOAD(n, reg)  "mov " #n "*8(%%rax), %%" #reg "\n"
#define STORE(n, reg) "mov %%" #reg ", " #n "*8(%%rax)\n"

/* Loads all registers from before[], runs the instruction, and keeps them in after[]. */
#define RUN(insn, number)                                                                          \
	do {                                                                                       \
		u64 __rax = (u64)before;                                                           \
		__asm__ volatile("push %%rbx; push %%rbp; push %%r12; push %%r13; push %%r14; push %%r15\n" \
				 LOAD(0, rbx) LOAD(1, rbp) LOAD(2, rdi) LOAD(3, rsi) LOAD(4, rdx) LOAD(5, r8) LOAD(6, r9) \
				 LOAD(7, r10) LOAD(8, r12) LOAD(9, r13) LOAD(10, r14) LOAD(11, r15) LOAD(12, rcx) LOAD(13, r11) \
				 "mov %1, %%eax\n" insn "\n"                                         \
				 "push %%rax; lea after(%%rip), %%rax\n"                             \
				 STORE(0, rbx) STORE(1, rbp) STORE(2, rdi) STORE(3, rsi) STORE(4, rdx) STORE(5, r8) STORE(6, r9) \
				 STORE(7, r10) STORE(8, r12) STORE(9, r13) STORE(10, r14) STORE(11, r15) STORE(12, rcx) \
				 STORE(13, r11) "pop %%rbx; mov %%rbx, 14*8(%%rax)\n"                \
				 "pop %%r15; pop %%r14; pop %%r13; pop %%r12; pop %%rbp; pop %%rbx"  \
				 : "+a"(__rax)                                                      \
				 : "i"(number)                                                      \
				 : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc"); \
	} while (0)

static void sentinels(void)
{
	unsigned int i;

	for (i = 0; i < REGS; i++)
		before[i] = 0x1111111111UL * (i + 1);
	memset(after, 0, sizeof(after));
}

/* Those that the ABI keeps are kept; rcx, r11 and the rest hold nothing of the hypervisor's. */
static void check(const char *what, unsigned int kept)
{
	unsigned int i;

	for (i = 0; i < kept; i++)
		expect_msg(after[i] == before[i], "%s: %s is %lx", what, names[i], after[i]);
	for (i = 0; i < REGS; i++)
		expect_msg(!of_hypervisor(after[i]), "%s: %s is %lx", what, names[i], after[i]);
}

static void test_hypercalls(void)
{
	test_begin("hypercalls");
	sentinels();
	before[2] = 99; /* no such version operation */
	RUN("syscall", __HYPERVISOR_xen_version);
	check("xen_version", 12);
	sentinels();
	RUN("syscall", __HYPERVISOR_domctl);
	check("domctl", 12);
	sentinels();
	RUN("syscall", __HYPERVISOR_mmuext_op);
	check("mmuext_op", 12);
	sentinels();
	RUN("syscall", __HYPERVISOR_grant_table_op);
	check("grant_table_op", 12);
	sentinels();
	RUN("syscall", __HYPERVISOR_memory_op);
	check("memory_op", 12);
	sentinels();
	RUN("syscall", 63);
	check("no call", 12);
	sentinels();
	before[2] = SCHEDOP_yield;
	RUN("syscall", __HYPERVISOR_sched_op);
	check("yield", 12);
}

static bool skip(struct trap_frame *f)
{
	u64 *regs = &f->r15;
	unsigned int i;

	for (i = 0; i < 17; i++)
		expect_msg(!of_hypervisor(regs[i]), "word %u of the frame is %lx", i, regs[i]);
	f->rip += 2;
	return true;
}

static void test_exceptions(void)
{
	test_begin("exceptions");
	trap_handler_set(TRAP_INVALID_OP, skip);
	sentinels();
	RUN("ud2", 5);
	check("ud2", 14);
	trap_handler_set(TRAP_INVALID_OP, NULL);
	/* CPUID with the prefix of the hypervisor is an exception that it handles. */
	sentinels();
	RUN(XEN_EMULATE_PREFIX "cpuid", 0x40000000);
	expect_eq(after[1], before[1]);
	expect_eq(after[2], before[2]);
}

/* A context with zeros everywhere gives zeros. */
__asm__(".pushsection .text\n"
	".globl reg_leak_entry\n"
	"reg_leak_entry: push %rax; lea start_regs(%rip), %rax\n"
	"mov %rbx, (%rax); mov %rbp, 8(%rax); mov %rdi, 16(%rax); mov %rsi, 24(%rax); mov %rdx, 32(%rax); mov %r8, 40(%rax)\n"
	"mov %r9, 48(%rax); mov %r10, 56(%rax); mov %r12, 64(%rax); mov %r13, 72(%rax); mov %r14, 80(%rax); mov %r15, 88(%rax)\n"
	"mov %rcx, 96(%rax); mov %r11, 104(%rax); pop %rbx; mov %rbx, 112(%rax)\n"
	"movl $1, started(%rip)\n"
	"1: pause; jmp 1b\n"
	".popsection\n");
void reg_leak_entry(void);

static void test_start(void)
{
	static struct vcpu_guest_context context;
	static u8 stack[4096];
	unsigned int i;

	test_begin("a vCPU that starts");
	context.flags = VGCF_in_kernel;
	context.user_regs.rip = (u64)reg_leak_entry;
	context.user_regs.rsp = (u64)(stack + sizeof(stack));
	context.user_regs.rflags = 0x1000;
	context.user_regs.cs = FLAT_KERNEL_CS;
	context.user_regs.ss = FLAT_KERNEL_SS;
	context.kernel_ss = FLAT_KERNEL_SS;
	context.kernel_sp = context.user_regs.rsp;
	context.ctrlreg[3] = xen_pfn_to_cr3(va_mfn(kernel_root()));
	if (!expect_eq(HYPERVISOR_vcpu_op(VCPUOP_initialise, 1, &context), 0) || !expect_eq(HYPERVISOR_vcpu_op(VCPUOP_up, 1, NULL), 0))
		return;
	expect(spin_until(started, 5 * S));
	/* rcx and r11 are what a return by SYSRET leaves there. */
	for (i = 0; i < REGS; i++)
		expect_msg(i == 12 || i == 13 ? !of_hypervisor(start_regs[i]) : start_regs[i] == 0, "%s is %lx", names[i], start_regs[i]);
}

void guest_main(void)
{
	test_hypercalls();
	test_exceptions();
	test_start();
}
