/* SPDX-License-Identifier: BSD-2-Clause */
/* What user mode sees of memory: not the kernel's pages, not without the user bit, not after it was taken away. */
#include <guest/guest.h>

__asm__(".pushsection .text_user, \"ax\", @progbits\n"
	".balign 16\n"
	".globl user_begin, user_read, user_write, user_run_there, user_end\n"
	"user_begin:\n"
	"user_read: mov (%rdi), %rax; syscall; ud2\n"
	"user_write: movq $0x5a, (%rdi); syscall; ud2\n"
	"user_run_there: jmp *%rdi\n"
	"user_end:\n"
	".popsection\n");
extern char user_begin[], user_read[], user_write[], user_run_there[], user_end[];

#define DATA 0x10000000UL

static struct trap_frame f;

static bool works(const char *code, u64 address)
{
	user_frame(&f, (u64)(code - user_begin), address);
	user_run(&f);
	if (f.vector != TRAP_SYSCALL)
		expect_eq(f.vector, TRAP_PAGE_FAULT);
	return f.vector == TRAP_SYSCALL;
}

void guest_main(void)
{
	u64 *page = page_alloc(), *kernel = page_alloc();

	test_begin("set up");
	if (!require(user_init()) || !require(user_load(user_begin, (size_t)(user_end - user_begin))))
		return;
	*page = 0x1234;
	*kernel = 0x5ec4e7;
	test_begin("the kernel's memory");
	/* It is not in the user's tables. */
	expect(!works(user_read, (u64)kernel));
	expect(!works(user_write, (u64)kernel));
	expect(!works(user_run_there, (u64)user_begin));
	expect(!works(user_read, (u64)kernel_root()));
	expect(!works(user_read, 0));
	expect(!works(user_read, start_info->mfn_list));
	test_begin("the user's");
	if (!require(user_map(DATA, va_mfn(page), PTE_KERNEL)))
		return;
	expect(works(user_read, DATA));
	expect_eq(f.rax, 0x1234);
	expect(works(user_write, DATA));
	expect_eq(*page, 0x5a);
	require(user_map(DATA, va_mfn(page), PTE_READONLY));
	mmuext_addr(MMUEXT_INVLPG_LOCAL, (void *)DATA);
	expect(works(user_read, DATA));
	expect(!works(user_write, DATA));
	expect_eq(vcpu_this()->info->arch.cr2, DATA);
	expect_eq(f.error & 7, 7);
	/* Not to be run. */
	require(user_map(DATA, va_mfn(page), PTE_READONLY | PTE_NX));
	mmuext_addr(MMUEXT_INVLPG_LOCAL, (void *)DATA);
	*page = 0x050f;
	expect(!works(user_run_there, DATA));
	expect(f.error & 16);
	require(user_map(DATA, va_mfn(page), 0));
	mmuext_addr(MMUEXT_INVLPG_LOCAL, (void *)DATA);
	expect(!works(user_read, DATA));
	expect_eq(*kernel, 0x5ec4e7);
}
