/* SPDX-License-Identifier: BSD-2-Clause */
/* Single steps and watchpoints where they are awkward: around MOV SS, system calls, interrupts, and across the kernel's entry. */
#include <guest/guest.h>

__asm__(".pushsection .text_user, \"ax\", @progbits\n"
	".balign 16\n"
	".globl user_begin, user_steps, user_movss_call, user_movss_int, user_movss_int3, user_popss, user_icebp, user_end\n"
	"user_begin:\n"
	"user_steps: mov $5, %eax\n"
	"1: dec %eax; jnz 1b; syscall; ud2\n"
	"user_movss_call: mov (%rdi), %ss; syscall; ud2\n"
	"user_movss_int: mov (%rdi), %ss; int $0x80; syscall; ud2\n"
	"user_movss_int3: mov (%rdi), %ss; int3; syscall; ud2\n"
	"user_popss: mov (%rdi), %ss; ud2; syscall; ud2\n"
	"user_icebp: .byte 0xf1; syscall; ud2\n"
	"user_end:\n"
	".popsection\n");
extern char user_begin[], user_steps[], user_movss_call[], user_movss_int[], user_movss_int3[], user_popss[], user_icebp[],
	user_end[];

#define WATCHED 0x900000UL
#define FLAG_TF 0x100

static struct trap_frame f;
static struct trap_record rec;
static unsigned int steps;

static bool step(struct trap_frame *frame)
{
	(void)frame;
	steps++;
	HYPERVISOR_set_debugreg(6, 0);
	return true;
}

static void run(const char *code, u64 flags)
{
	user_frame(&f, (u64)(code - user_begin), WATCHED);
	f.rflags |= flags;
	steps = 0;
	user_run(&f);
}

static void test_user_steps(void)
{
	test_begin("steps in user mode");
	run(user_steps, FLAG_TF);
	expect_eq(f.vector, TRAP_SYSCALL);
	/* Five times two instructions and one before; the system call itself may or may not step. */
	expect_msg(steps >= 11 && steps <= 12, "%u steps", steps);
	expect_eq(f.rax, 0);
}

static void test_mov_ss(void)
{
	static const struct { const char *code; u64 vector; } table[] = {
		{ user_movss_call, TRAP_SYSCALL }, { user_movss_int, TRAP_INT80 }, { user_movss_int3, TRAP_BREAKPOINT },
		{ user_popss, TRAP_INVALID_OP },
	};
	unsigned int i, round;

	test_begin("MOV SS from a watched word");
	/* Four bytes, reads and writes, for user mode and kernel alike. */
	require(HYPERVISOR_set_debugreg(0, WATCHED));
	require(HYPERVISOR_set_debugreg(7, 0x000f0003UL));
	for (round = 0; round < 4; round++)
		for (i = 0; i < ARRAY_SIZE(table); i++) {
			run(table[i].code, round & 1 ? FLAG_TF : 0);
			expect_msg(f.vector == table[i].vector || f.vector == TRAP_DEBUG, "case %u: vector %lu", i, f.vector);
			/* Whatever was delivered came from user mode, with its own stack. */
			expect_eq(f.cs & 3, 3);
			expect_msg((f.rsp & ~0xfffUL) == USER_STACK - PAGE_SIZE, "case %u: rsp %lx", i, f.rsp);
		}
	require(HYPERVISOR_set_debugreg(7, 0));
	expect_eq(vcpu_this()->id, 0);
}

static void test_icebp(void)
{
	test_begin("ICEBP");
	trap_handler_set(TRAP_DEBUG, NULL);
	run(user_icebp, 0);
	/* The emulator does not know it. */
	expect_msg(f.vector == TRAP_DEBUG || f.vector == TRAP_INVALID_OP, "vector %lu", f.vector);
	trap_handler_set(TRAP_DEBUG, step);
}

static void do_step_kernel(void *arg)
{
	__asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq; nop; nop; pushfq; andq $~0x100, (%%rsp); popfq" ::: "memory", "cc");
	(void)arg;
}

static void do_step_hypercall(void *arg)
{
	(void)arg;
	__asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq" ::: "memory", "cc");
	HYPERVISOR_xen_version(0, NULL);
	__asm__ volatile("pushfq; andq $~0x100, (%%rsp); popfq" ::: "memory", "cc");
}

static void test_kernel_steps(void)
{
	test_begin("steps in the kernel and over hypercalls");
	steps = 0;
	expect(!trap_catch(&rec, do_step_kernel, NULL));
	expect_msg(steps >= 4, "%u steps", steps);
	steps = 0;
	expect(!trap_catch(&rec, do_step_hypercall, NULL));
	expect_msg(steps >= 4, "%u steps", steps);
	expect_eq(HYPERVISOR_xen_version(0, NULL), 4 << 16 | 17);
}

static void test_registers(void)
{
	static const u64 bad[] = { HYPERVISOR_VIRT_START, HYPERVISOR_VIRT_END - 8, 0x800000000000UL, 0xffff7fffffffffffUL };
	unsigned int i, reg;

	test_begin("debug registers");
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		for (reg = 0; reg < 4; reg++)
			expect(HYPERVISOR_set_debugreg((int)reg, bad[i]) < 0);
	/* I/O breakpoints, general detect, reserved bits. */
	expect(HYPERVISOR_set_debugreg(7, 0x00020001UL) < 0 || !(HYPERVISOR_get_debugreg(7) & 0x00020000UL));
	HYPERVISOR_set_debugreg(7, 0x2000);
	expect(!(HYPERVISOR_get_debugreg(7) & 0x2000) || HYPERVISOR_get_debugreg(7) == (u64)-XEN_EINVAL);
	expect(HYPERVISOR_set_debugreg(7, 1UL << 40) < 0);
	expect(HYPERVISOR_set_debugreg(6, 1UL << 40) < 0);
	require(HYPERVISOR_set_debugreg(7, 0));
}

void guest_main(void)
{
	u16 *word = page_alloc();

	test_begin("set up");
	word[0] = FLAT_USER_SS64;
	if (!require(user_init()) || !require(user_load(user_begin, (size_t)(user_end - user_begin))) ||
	    !require(user_map(WATCHED, va_mfn(word), PTE_READONLY)))
		return;
	trap_handler_set(TRAP_DEBUG, step);
	test_user_steps();
	test_mov_ss();
	test_icebp();
	test_kernel_steps();
	test_registers();
}
