/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions and privileged instructions of the kernel, and system calls of its user mode. */
#include "paths.h"

#include <xen/callback.h>
#include <xen/physdev.h>

/* Handlers that skip the instruction, whose length is in trap_skip. The frames have rcx, r11, then an error code or not. */
#define TRAP_HANDLER 8	/* their instructions, without the hypercall */
__asm__(".text\n"
	".balign 32\n"
	"opcode_entry:\n\t"
	"pop %rcx\n\t"
	"pop %r11\n\t"
	"addq $2, (%rsp)\n\t"
	"pushq $0\n\t"
	"push %rcx\n\t"
	"push %r11\n\t"
	"push %rax\n\t"
	"mov $23, %eax\n\t"
	"syscall\n\t"
	"ud2\n"
	".balign 32\n"
	"fault_entry:\n\t"
	"pop %rcx\n\t"
	"pop %r11\n\t"
	"addq $3, 8(%rsp)\n\t"
	"movq $0, (%rsp)\n\t"
	"push %rcx\n\t"
	"push %r11\n\t"
	"push %rax\n\t"
	"mov $23, %eax\n\t"
	"syscall\n\t"
	"ud2\n");
extern char opcode_entry[], fault_entry[];

static bool setup_traps(void)
{
	static const struct trap_info table[] = {
		{ TRAP_INVALID_OP, 0, FLAT_KERNEL_CS, (unsigned long)opcode_entry },
		{ TRAP_PAGE_FAULT, 0, FLAT_KERNEL_CS, (unsigned long)fault_entry },
		{ TRAP_PROTECTION, 0, FLAT_KERNEL_CS, (unsigned long)fault_entry },
		{ 0 },
	};

	return require(HYPERVISOR_set_trap_table(table));
}

static void finish_traps(void)
{
	require(HYPERVISOR_set_trap_table(trap_table()));
}

static u64 run_opcode(unsigned int n)
{
	while (n--)
		__asm__ volatile("cmpb $0, dry\n\tjne 1f\n\tud2\n1:" : : : "memory", "cc");
	return 0;
}

static u64 run_fault(unsigned int n)
{
	while (n--)
		/* Nothing is mapped there: movb $0, 0(%rdi) has 3 bytes. */
		__asm__ volatile("cmpb $0, dry\n\tjne 1f\n\tmovb $0, (%%rdi)\n1:" : : "D"(0x1000) : "memory", "cc");
	return 0;
}

/* Read-only in the kernel's tables: the hypervisor looks at the entry first. */
static u64 run_fault_write(unsigned int n)
{
	while (n--)
		__asm__ volatile("cmpb $0, dry\n\tjne 1f\n\tmovb $0, (%%rdi)\n1:" : : "D"(window) : "memory", "cc");
	return 0;
}

static bool setup_fault_write(void)
{
	return require(va_map(window, mfn_pte(va_mfn(window), PTE_READONLY))) && setup_traps();
}

static void finish_fault_write(void)
{
	finish_traps();
	require(va_map(window, mfn_pte(va_mfn(window), PTE_KERNEL)));
}

static u64 run_rdmsr(unsigned int n)
{
	while (n--)
		__asm__ volatile("cmpb $0, dry\n\tjne 1f\n\trdmsr\n1:" : : "c"(0xc0000080) : "rax", "rdx", "memory", "cc");
	return 0;
}

static u64 run_wrmsr(unsigned int n)
{
	while (n--)
		__asm__ volatile("cmpb $0, dry\n\tjne 1f\n\twrmsr\n1:" : : "c"(0xc0000100), "a"(n << 12), "d"(0)
				 : "memory", "cc");
	return 0;
}

static bool iopl_set(unsigned int level)
{
	struct physdev_set_iopl op = { .iopl = level };

	return require(HYPERVISOR_physdev_op(PHYSDEVOP_set_iopl, &op));
}

static bool setup_port(void)
{
	return iopl_set(1);
}

static void finish_port(void)
{
	iopl_set(0);
}

static u64 run_out(unsigned int n)
{
	while (n--)
		__asm__ volatile("cmpb $0, dry\n\tjne 1f\n\toutb %%al, %%dx\n1:" : : "a"(0), "d"(0x80) : "memory", "cc");
	return 0;
}

static u64 run_in(unsigned int n)
{
	while (n--)
		__asm__ volatile("cmpb $0, dry\n\tjne 1f\n\tinb %%dx, %%al\n1:" : : "d"(0x80) : "rax", "memory", "cc");
	return 0;
}

static u64 run_cr0(unsigned int n)
{
	u64 v;

	while (n--)
		__asm__ volatile("cmpb $0, dry\n\tjne 1f\n\tmov %%cr0, %0\n1:" : "=r"(v) : : "memory", "cc");
	return 0;
}

static u64 run_clts(unsigned int n)
{
	while (n--)
		__asm__ volatile("cmpb $0, dry\n\tjne 1f\n\tclts\n1:" : : : "memory", "cc");
	return 0;
}

/* The forced emulation prefix, then CPUID. */
static u64 run_cpuid(unsigned int n)
{
	while (n--)
		__asm__ volatile("cmpb $0, dry\n\tjne 1f\n\t.byte 0x0f, 0x0b, 0x78, 0x65, 0x6e, 0x0f, 0xa2\n1:"
				 : : "a"(1), "c"(0) : "rbx", "rdx", "memory", "cc");
	return 0;
}

/* --- user mode: system calls in a row, one with rax = 1 ends it --- */

#define SYSCALL_ROUND 12	/* instructions of a round, user's and handler's, without the system call and the hypercall */
__asm__(".text\n"
	".balign 32\n"
	"syscall_entry:\n\t"
	"test %eax, %eax\n\t"
	"jnz trap_entry_syscall\n\t"
	"pop %rcx\n\t"
	"pop %r11\n\t"
	"pushq $0x100\n\t"	/* VGCF_in_syscall: rcx and r11 need not be kept */
	"push %rcx\n\t"
	"push %r11\n\t"
	"push %rax\n\t"
	"mov $23, %eax\n\t"
	"syscall\n\t"
	"ud2\n"
	".section .rodata\n"
	"user_begin:\n\t"
	"mov %edi, %ebx\n"
	"1:\txor %eax, %eax\n\t"
	"syscall\n\t"
	"dec %ebx\n\t"
	"jnz 1b\n"
	"user_last:\n\t"
	"mov $1, %eax\n\t"
	"syscall\n\t"
	"ud2\n"
	"user_end:\n"
	".text\n");
extern char syscall_entry[], user_begin[], user_last[], user_end[];
void trap_entry_syscall(void);

static void syscall_set(const void *entry)
{
	struct callback_register cb = { .type = CALLBACKTYPE_syscall, .address = (u64)entry };

	require(HYPERVISOR_callback_op(CALLBACKOP_register, &cb));
}

static bool setup_user(void)
{
	if (!require(user_init()) || !require(user_load(user_begin, (size_t)(user_end - user_begin))))
		return false;
	syscall_set(syscall_entry);
	return true;
}

/* Dry: into user mode and out by the last system call alone. */
static u64 run_user(unsigned int n)
{
	struct trap_frame f;

	user_frame(&f, dry ? (u64)(user_last - user_begin) : 0, n);
	user_run(&f);
	return f.rax != 1;
}

static void finish_user(void)
{
	syscall_set((const void *)trap_entry_syscall);
}

const struct path paths_trap[] = {
	{ "page_fault_bounce", .table = true, .handler = TRAP_HANDLER, .setup = setup_traps, .run = run_fault,
	  .finish = finish_traps },
	{ "page_fault_write", .handler = TRAP_HANDLER, .setup = setup_fault_write, .run = run_fault_write,
	  .finish = finish_fault_write },
	{ "opcode_bounce", .table = true, .handler = TRAP_HANDLER, .setup = setup_traps, .run = run_opcode,
	  .finish = finish_traps },
	{ "rdmsr", .table = true, .run = run_rdmsr },
	{ "wrmsr_fs_base", .run = run_wrmsr },
	{ "port_write", .table = true, .setup = setup_port, .run = run_out, .finish = finish_port },
	{ "port_read", .setup = setup_port, .run = run_in, .finish = finish_port },
	{ "read_cr0", .run = run_cr0 },
	{ "clts", .run = run_clts },
	{ "cpuid_forced", .run = run_cpuid },
	{ "user_syscall", .handler = SYSCALL_ROUND, .setup = setup_user, .run = run_user, .finish = finish_user },
	{ 0 },
};
