/* SPDX-License-Identifier: BSD-2-Clause */
/* What user mode can try to reach the hypervisor: system calls with its numbers, its interrupts, other ways in. */
#include <guest/guest.h>

__asm__(".pushsection .text_user, \"ax\", @progbits\n"
	".balign 16\n"
	".globl user_begin, user_call, user_int82, user_intff, user_int20, user_int2, user_vmcall, user_vmmcall, user_sysenter\n"
	".globl user_wrmsr, user_rdpmc, user_in, user_cli, user_swapgs, user_cr, user_sysret, user_end\n"
	"user_begin:\n"
	"user_call: mov %rdi, %rax; mov %rdi, %rbx; xor %edi, %edi; xor %esi, %esi; syscall; ud2\n"
	"user_int82: mov $17, %eax; int $0x82; syscall; ud2\n"
	"user_intff: int $0xff; syscall; ud2\n"
	"user_int20: int $0x20; syscall; ud2\n"
	"user_int2: int $2; syscall; ud2\n"
	"user_vmcall: .byte 0x0f, 0x01, 0xc1; syscall; ud2\n"
	"user_vmmcall: .byte 0x0f, 0x01, 0xd9; syscall; ud2\n"
	"user_sysenter: mov %rsp, %rcx; sysenter; syscall; ud2\n"
	"user_wrmsr: mov $0xc0000082, %ecx; xor %eax, %eax; xor %edx, %edx; wrmsr; syscall; ud2\n"
	"user_rdpmc: xor %ecx, %ecx; rdpmc; syscall; ud2\n"
	"user_in: in $0x70, %al; syscall; ud2\n"
	"user_cli: cli; syscall; ud2\n"
	"user_swapgs: swapgs; syscall; ud2\n"
	"user_cr: mov %cr3, %rax; syscall; ud2\n"
	"user_sysret: mov %rsp, %rcx; sysretq; syscall; ud2\n"
	"user_end:\n"
	".popsection\n");
extern char user_begin[], user_call[], user_int82[], user_intff[], user_int20[], user_int2[], user_vmcall[], user_vmmcall[],
	user_sysenter[], user_wrmsr[], user_rdpmc[], user_in[], user_cli[], user_swapgs[], user_cr[],
	user_sysret[], user_end[];

static struct trap_frame f;

static void run(const char *code, u64 arg)
{
	user_frame(&f, (u64)(code - user_begin), arg);
	user_run(&f);
}

/* System calls are the kernel's, whatever their number. */
static void test_numbers(void)
{
	unsigned int i;

	test_begin("system calls with hypercalls' numbers");
	for (i = 0; i < 64; i++) {
		run(user_call, i);
		expect_eq(f.vector, TRAP_SYSCALL);
		expect_eq(f.rax, i);
		expect_eq(f.rbx, i);
	}
	run(user_call, ~0UL);
	expect_eq(f.vector, TRAP_SYSCALL);
	expect_eq(f.rax, ~0UL);
}

/* No interrupt is a hypercall. The emulator reports INT n as INT 2n, so that the kernel may see another vector than it should. */
static void test_interrupts(void)
{
	test_begin("interrupt instructions");
	run(user_int82, 0);
	expect_msg(f.vector == TRAP_PROTECTION || f.vector == 4, "int 0x82: vector %lu", f.vector);
	expect_eq(f.rax, 17);
	run(user_int2, 0);
	expect_msg(f.vector == TRAP_PROTECTION || f.vector == 4, "int 2: vector %lu", f.vector);
	run(user_intff, 0);
	expect_eq(f.vector, TRAP_PROTECTION);
	run(user_int20, 0);
	expect_eq(f.vector, TRAP_PROTECTION);
	expect_eq(f.rip, USER_CODE + (u64)(user_int20 - user_begin));
}

static void expect_fault(const char *name, const char *code)
{
	run(code, 0);
	expect_msg(f.vector == TRAP_PROTECTION || f.vector == TRAP_INVALID_OP, "%s: vector %lu", name, f.vector);
	expect_msg(f.rip >= USER_CODE && f.rip < USER_CODE + PAGE_SIZE, "%s: at %lx", name, f.rip);
}

static void test_instructions(void)
{
	test_begin("privileged instructions");
	expect_fault("vmcall", user_vmcall);
	expect_fault("vmmcall", user_vmmcall);
	expect_fault("sysenter", user_sysenter);
	expect_fault("wrmsr", user_wrmsr);
	expect_fault("rdpmc", user_rdpmc);
	expect_fault("in", user_in);
	expect_fault("cli", user_cli);
	expect_fault("mov from cr3", user_cr);
	expect_fault("sysret", user_sysret);
	expect_fault("swapgs", user_swapgs);
	expect_eq(vcpu_this()->id, 0);
}

void guest_main(void)
{
	test_begin("set up");
	if (!require(user_init()) || !require(user_load(user_begin, (size_t)(user_end - user_begin))))
		return;
	test_numbers();
	test_interrupts();
	test_instructions();
}
