/* SPDX-License-Identifier: BSD-2-Clause */
/* 32-bit user mode: segments, exceptions, INT 0x80, SYSCALL, and far jumps between the two kinds of code. */
#include <guest/guest.h>
#include <xen/callback.h>

void trap_entry_syscall(void);

__asm__(".pushsection .text_user, \"ax\", @progbits\n"
	".balign 16\n"
	".globl user_begin, user32_int80, user32_ud, user32_read, user32_syscall, user32_int82, user32_far, user64_here, user_end\n"
	".code32\n"
	"user_begin:\n"
	"user32_int80: movl $0x1234, %eax; movl $0x55, %ebx; int $0x80; ud2\n"
	"user32_ud: ud2\n"
	"user32_read: movl (%edi), %eax; int $0x80; ud2\n"
	"user32_syscall: movl $0x77, %eax; syscall; ud2\n"
	"user32_int82: movl $17, %eax; int $0x82; ud2\n"
	"user32_far: ljmp $0xe033, $(0x400000 + user64_here - user_begin)\n"
	".code64\n"
	"user64_here: mov $0x6464646464646464, %rax; syscall; ud2\n"
	"user_end:\n"
	".popsection\n");
extern char user_begin[], user32_int80[], user32_ud[], user32_read[], user32_syscall[], user32_int82[], user32_far[],
	user64_here[], user_end[];

static struct trap_frame f;

static void run(const char *code, u64 arg)
{
	user_frame(&f, (u64)(code - user_begin), arg);
	f.cs = FLAT_USER_CS32;
	f.ss = FLAT_USER_SS32;
	user_run(&f);
}

static void test_exceptions(void)
{
	test_begin("exceptions");
	run(user32_int80, 0);
	expect_eq(f.vector, TRAP_INT80);
	expect_eq(f.rax, 0x1234);
	expect_eq(f.rbx, 0x55);
	expect_eq(f.cs, FLAT_USER_CS32);
	run(user32_ud, 0);
	expect_eq(f.vector, TRAP_INVALID_OP);
	expect_eq(f.rip, USER_CODE + (u64)(user32_ud - user_begin));
	run(user32_read, 0x12345000);
	expect_eq(f.vector, TRAP_PAGE_FAULT);
	expect_eq(vcpu_this()->info->arch.cr2, 0x12345000);
	/* The emulator reports INT n as INT 2n. Never a hypercall. */
	run(user32_int82, 0);
	expect_msg(f.vector == TRAP_PROTECTION || f.vector == 4, "int 0x82: vector %lu", f.vector);
	expect_eq(f.rax, 17);
}

static void test_syscall(void)
{
	struct callback_register cb = { .type = CALLBACKTYPE_syscall32, .address = (u64)trap_entry_syscall };

	test_begin("SYSCALL");
	/* Without a callback it is no instruction, or nobody's; with one it comes there. */
	expect_eq(HYPERVISOR_callback_op(CALLBACKOP_register, &cb), 0);
	run(user32_syscall, 0);
	expect_msg(f.vector == TRAP_SYSCALL || f.vector == TRAP_INVALID_OP, "vector %lu", f.vector);
	if (f.vector == TRAP_SYSCALL)
		expect_eq(f.rax & 0xffffffff, 0x77);
	cb.address = 0x800000000000UL;
	expect(HYPERVISOR_callback_op(CALLBACKOP_register, &cb) < 0);
}

static void test_far(void)
{
	test_begin("from 32 to 64 bits");
	run(user32_far, 0);
	expect_eq(f.vector, TRAP_SYSCALL);
	expect_eq(f.rax, 0x6464646464646464);
}

/* The upper halves of registers are not seen by 32-bit code, and not lost by what it raises. */
static void test_upper(void)
{
	test_begin("addresses above 4 GiB");
	user_frame(&f, (u64)(user32_int80 - user_begin), 0);
	f.cs = FLAT_USER_CS32;
	f.ss = FLAT_USER_SS32;
	f.rip |= 1UL << 32;
	user_run(&f);
	/* Cut off, or not accepted. */
	expect(f.vector == TRAP_INT80 || f.vector == TRAP_PROTECTION || f.vector == TRAP_FAILSAFE || f.vector == TRAP_PAGE_FAULT);
}

void guest_main(void)
{
	test_begin("set up");
	if (!require(user_init()) || !require(user_load(user_begin, (size_t)(user_end - user_begin))))
		return;
	test_exceptions();
	test_syscall();
	test_far();
	test_upper();
}
