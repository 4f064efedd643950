/* SPDX-License-Identifier: BSD-2-Clause */
/* Guest user mode: entering with iret, leaving by system call and by exceptions, and what user mode cannot do. */
#include <guest/guest.h>

/* Code for user pages. Each piece begins at a label; addresses are passed in. */
__asm__(".pushsection .text_user, \"ax\", @progbits\n"
	".balign 16\n"
	".globl user_begin, user_sum, user_loop, user_read, user_ud, user_int80, user_syscalls, user_hlt, user_end\n"
	"user_begin:\n"
	"user_sum: lea 5(%rdi), %rax; mov $0x77, %esi; syscall; ud2\n"
	"user_syscalls: mov $0, %ebx\n"
	"1: inc %ebx; mov %ebx, %eax; syscall; cmp $10, %ebx; jb 1b; ud2\n"
	"user_loop: pause; jmp user_loop\n"
	"user_read: mov (%rdi), %rax; syscall; ud2\n"
	"user_ud: ud2\n"
	"user_int80: mov $0x42, %eax; int $0x80; mov $0x43, %eax; syscall; ud2\n"
	"user_hlt: hlt\n"
	"user_end:\n"
	".popsection\n");
extern char user_begin[], user_sum[], user_loop[], user_read[], user_ud[], user_int80[], user_syscalls[], user_hlt[],
	user_end[];

static struct trap_frame f;

static void run(const char *code, u64 arg)
{
	user_frame(&f, (u64)(code - user_begin), arg);
	user_run(&f);
}

static void test_syscall(void)
{
	unsigned int i;

	test_begin("system call");
	run(user_sum, 37);
	expect_eq(f.vector, TRAP_SYSCALL);
	expect_eq(f.rax, 42);
	expect_eq(f.rsi, 0x77);
	expect_eq(f.rsp, USER_STACK - 8);
	expect_eq(f.rcx, f.rip);
	/* Going on after it, many times. */
	user_frame(&f, (u64)(user_syscalls - user_begin), 0);
	for (i = 1; i <= 10; i++) {
		user_run(&f);
		expect_eq(f.vector, TRAP_SYSCALL);
		expect_eq(f.rax, i);
	}
	user_run(&f);
	expect_eq(f.vector, TRAP_INVALID_OP);
}

static void test_registers(void)
{
	test_begin("registers through iret");
	user_frame(&f, (u64)(user_int80 - user_begin), 0x1234);
	f.rbx = 0xb0;
	f.rcx = 0xc0;
	f.rdx = 0xd0;
	f.rbp = 0xbb;
	f.r8 = 0x8;
	f.r11 = 0xb;
	f.r15 = 0xf;
	user_run(&f);
	expect_eq(f.vector, TRAP_INT80);
	expect_eq(f.rax, 0x42);
	expect(f.rbx == 0xb0 && f.rcx == 0xc0 && f.rdx == 0xd0 && f.rbp == 0xbb && f.rdi == 0x1234);
	expect(f.r8 == 0x8 && f.r11 == 0xb && f.r15 == 0xf);
	expect_eq(f.cs, FLAT_USER_CS64);
	expect_eq(f.ss, FLAT_USER_SS64);
	expect(f.rflags & 0x200);
	user_run(&f);
	expect_eq(f.vector, TRAP_SYSCALL);
	expect_eq(f.rax, 0x43);
}

static void expect_fault(u64 va, u64 error)
{
	run(user_read, va);
	expect_eq(f.vector, TRAP_PAGE_FAULT);
	expect_eq(f.error, error);
	expect_eq(vcpu_this()->info->arch.cr2, va);
}

static void test_exceptions(void)
{
	u64 *page = page_alloc();

	test_begin("exceptions");
	run(user_ud, 0);
	expect_eq(f.vector, TRAP_INVALID_OP);
	expect_eq(f.rip, USER_CODE + (u64)(user_ud - user_begin));
	run(user_hlt, 0);
	expect_eq(f.vector, TRAP_PROTECTION);
	expect_fault(0x123000, 4);
	*page = 0x9999;
	require(user_map(0x900000, va_mfn(page), PTE_READONLY));
	run(user_read, 0x900000);
	expect_eq(f.vector, TRAP_SYSCALL);
	expect_eq(f.rax, 0x9999);
}

static void test_isolation(void)
{
	test_begin("what user mode cannot see");
	/* The kernel is not in its page table. */
	expect_fault((u64)&f, 4);
	expect_fault(VIRT_BASE, 4);
	run(user_read, MACH2PHYS_VIRT_START + 0x8000000000UL);
	expect_eq(f.vector, TRAP_PAGE_FAULT);
	run(user_read, HYPERVISOR_VIRT_END - 8);
	expect_eq(f.vector, TRAP_PAGE_FAULT);
	run(user_read, 0x800000000000UL);
	expect_eq(f.vector, TRAP_PROTECTION);
}

static volatile unsigned int ticks;

/* The loop in user mode never ends by itself: the third tick takes its code away, so that it page-faults. */
static void tick(evtchn_port_t port, void *entry)
{
	(void)port;
	if (++ticks < 3)
		timer_set(time_now() + 2 * MS);
	else
		mmu_update_one(entry_maddr(entry), 0);
}

static void test_event(void)
{
	int port = event_bind_virq(VIRQ_TIMER, 0);
	void *page = page_alloc();

	test_begin("events in user mode");
	if (!require(port))
		return;
	memcpy(page, user_begin, (size_t)(user_end - user_begin));
	require(user_map(0xa00000, va_mfn(page), PTE_READONLY));
	event_handler_set((evtchn_port_t)port, tick, (void *)user_entry(0xa00000));
	event_unmask((evtchn_port_t)port);
	timer_set(time_now() + 2 * MS);
	user_frame(&f, (u64)(user_loop - user_begin), 0);
	f.rip = 0xa00000 + (u64)(user_loop - user_begin);
	user_run(&f);
	expect_eq(ticks, 3);
	expect_eq(f.vector, TRAP_PAGE_FAULT);
	upcalls_mask();
	event_close((evtchn_port_t)port);
}

void guest_main(void)
{
	test_begin("set up");
	if (!require(user_init()) || !require(user_load(user_begin, (size_t)(user_end - user_begin))))
		return;
	test_syscall();
	test_registers();
	test_exceptions();
	test_isolation();
	test_event();
}
