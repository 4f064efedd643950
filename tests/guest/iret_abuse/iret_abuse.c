/* SPDX-License-Identifier: BSD-2-Clause */
/* iret and system-call returns to where nobody can be: addresses that are not canonical, selectors and flags of all kinds. */
#include <guest/guest.h>

__asm__(".pushsection .text_user, \"ax\", @progbits\n"
	".balign 16\n"
	".globl user_begin, user_call, user_flags, user_end\n"
	"user_begin:\n"
	"user_call: syscall; ud2\n"
	"user_flags: pushfq; pop %rax; syscall; ud2\n"
	"user_end:\n"
	".popsection\n");
extern char user_begin[], user_call[], user_flags[], user_end[];

#define EDGE 0x7ffffffff000UL /* the last page below the hole */

static struct trap_frame f;
static struct trap_record rec;

static void do_enter(void *arg)
{
	user_run(arg);
}

/* The kernel is told, one way or another, and user mode works afterwards. */
static void expect_refused(const char *what)
{
	bool taken = trap_catch(&rec, do_enter, &f);

	vcpu_this()->user_caller = NULL;
	if (taken)
		expect_msg(rec.vector == TRAP_FAILSAFE || rec.vector == TRAP_PROTECTION || rec.vector == TRAP_STACK ||
			   rec.vector == 10 || rec.vector == 11 || rec.vector == TRAP_PAGE_FAULT, "%s: vector %lu", what,
			   rec.vector);
	else
		expect_msg(f.vector != TRAP_SYSCALL, "%s: got through", what);
	user_frame(&f, (u64)(user_call - user_begin), 0);
	f.rax = 99;
	user_run(&f);
	expect_msg(f.vector == TRAP_SYSCALL && f.rax == 99, "after %s: vector %lu", what, f.vector);
}

static void test_addresses(void)
{
	static const u64 bad[] = { 0x800000000000UL, 0xffff7fffffffffffUL, 0x8000000000000000UL, 0xdeadbeefdeadbeefUL };
	unsigned int i;

	test_begin("addresses that are not canonical");
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		user_frame(&f, 0, 0);
		f.rip = bad[i];
		expect_refused("rip");
		/* With a good rip it is the use that faults. */
		user_frame(&f, (u64)(user_flags - user_begin), 0);
		f.rsp = bad[i];
		expect_refused("rsp");
	}
	user_frame(&f, 0, 0);
	f.rip = HYPERVISOR_VIRT_START;
	expect_refused("the hypervisor's address");
	user_frame(&f, 0, 0);
	f.rip = VIRT_BASE;
	expect_refused("the kernel's address");
}

static void test_selectors(void)
{
	static const u16 cs[] = { 0xe008, 0xe00b, 0xe010, 0, 3, 0xe043, 0x1b, 0x0f, 0xfffb, 0xe02b };
	static const u16 ss[] = { 0xe010, 0x1b, 0x0f, 0xfffb, 0xe043 };
	unsigned int i;

	test_begin("selectors");
	for (i = 0; i < ARRAY_SIZE(cs); i++) {
		user_frame(&f, (u64)(user_call - user_begin), 0);
		f.cs = cs[i] | 3;
		/* 0xe00b and 0xe013 with privilege 3 are none of ours either. */
		expect_refused("code selector");
	}
	for (i = 0; i < ARRAY_SIZE(ss); i++) {
		user_frame(&f, (u64)(user_flags - user_begin), 0);
		f.ss = ss[i] | 3;
		expect_refused("stack selector");
	}
}

static void test_flags(void)
{
	static const u64 set[] = { 1UL << 14, 1UL << 17, 1UL << 19, 1UL << 20, 3UL << 12, 1UL << 21, ~0UL & ~0x100UL,
				   0xffffffff00000000UL, 0 };
	unsigned int i;

	test_begin("flags");
	for (i = 0; i < ARRAY_SIZE(set); i++) {
		user_frame(&f, (u64)(user_flags - user_begin), 0);
		f.rflags = set[i];
		user_run(&f);
		if (!expect_msg(f.vector == TRAP_SYSCALL, "flags %lx: vector %lu", set[i], f.vector))
			continue;
		/* Interrupts stay on, privilege for I/O and virtual interrupts stay off. */
		expect_msg(f.rax & 0x200, "flags %lx: interrupts off", set[i]);
		expect_msg(!(f.rax & (3UL << 12 | 1UL << 17 | 1UL << 19 | 1UL << 20)), "flags %lx gave %lx",
			   set[i], f.rax);
	}
}

/* The address after a SYSCALL in the last bytes below the hole is not canonical: SYSRET to it would fault in the wrong place. */
static void test_edge(void)
{
	u8 *page = page_alloc();

	test_begin("a system call at the end of the lower half");
	page[0xffe] = 0x0f;
	page[0xfff] = 0x05;
	if (!require(user_map(EDGE, va_mfn(page), PTE_READONLY)))
		return;
	user_frame(&f, 0, 0);
	f.rip = EDGE + 0xffe;
	user_run(&f);
	expect_eq(f.vector, TRAP_SYSCALL);
	expect_eq(f.rip, EDGE + 0x1000);
	expect_refused("going on there");
}

void guest_main(void)
{
	test_begin("set up");
	if (!require(user_init()) || !require(user_load(user_begin, (size_t)(user_end - user_begin))))
		return;
	test_addresses();
	test_selectors();
	test_flags();
	test_edge();
}
