/* SPDX-License-Identifier: BSD-2-Clause */
/* Every part of the hypervisor's address range: only the machine-to-physical table can be read, from kernel or user mode, none written. */
#include <guest/guest.h>

__asm__(".pushsection .text_user, \"ax\", @progbits\n"
	".balign 16\n"
	".globl user_begin, user_read, user_jump, user_write, user_end\n"
	"user_begin:\n"
	"user_read: mov (%rdi), %rax; syscall; ud2\n"
	"user_jump: jmp *%rdi\n"
	"user_write: mov %rax, (%rdi); syscall; ud2\n"
	"user_end:\n"
	".popsection\n");
extern char user_begin[], user_read[], user_jump[], user_write[], user_end[];

static struct trap_record rec;
static struct trap_frame f;

static void do_read(void *arg)
{
	(void)READ_ONCE(*(u64 *)arg);
}

static void do_write(void *arg)
{
	*(volatile u64 *)arg = 0;
}

static void do_jump(void *arg)
{
	__asm__ volatile("call *%0" : : "r"(arg) : "memory");
}

/* 2 MiB apart in the slots where something is, which are few; 1 GiB apart elsewhere. */
static void test_kernel(void)
{
	u64 at, readable = 0, step, slot;

	test_begin("from the kernel");
	for (slot = HYPERVISOR_VIRT_START; slot < HYPERVISOR_VIRT_END; slot += 1UL << 39)
		for (at = slot, step = 1UL << 28; at < slot + (1UL << 39); at += step) {
			bool m2p = at >= MACH2PHYS_VIRT_START && at < MACH2PHYS_VIRT_END;

			if (!trap_catch(&rec, do_read, (void *)at)) {
				readable++;
				expect_msg(m2p, "%lx can be read", at);
			} else {
				expect_eq(rec.vector, TRAP_PAGE_FAULT);
			}
			if (at % (1UL << 32) == 0) {
				expect_msg(trap_catch(&rec, do_write, (void *)at), "%lx can be written", at);
				expect_msg(trap_catch(&rec, do_jump, (void *)at), "%lx can be run", at);
			}
		}
	expect(readable > 0);
	expect(trap_catch(&rec, do_write, (void *)&machine_to_phys_mapping[100]));
}

static void test_user(void)
{
	unsigned int i;

	test_begin("from user mode");
	for (i = 0; i < 16 * 64; i++) {
		u64 at = HYPERVISOR_VIRT_START + ((u64)i << 33);

		user_frame(&f, (u64)(user_read - user_begin), at);
		user_run(&f);
		/* The table is for ring 3, where the kernel is too. */
		expect_msg(f.vector == TRAP_PAGE_FAULT || (at >= MACH2PHYS_VIRT_START && at < MACH2PHYS_VIRT_END),
			   "%lx: vector %lu", at, f.vector);
		user_frame(&f, (u64)(user_jump - user_begin), at);
		user_run(&f);
		expect_msg(f.vector == TRAP_PAGE_FAULT, "%lx: vector %lu", at, f.vector);
	}
	user_frame(&f, (u64)(user_write - user_begin), (u64)&machine_to_phys_mapping[100]);
	user_run(&f);
	expect_eq(f.vector, TRAP_PAGE_FAULT);
}

void guest_main(void)
{
	test_begin("set up");
	if (!require(user_init()) || !require(user_load(user_begin, (size_t)(user_end - user_begin))))
		return;
	test_kernel();
	test_user();
}
