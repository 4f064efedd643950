/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions that the kernel raises: their vectors, error codes, addresses, and that it can go on after them. */
#include <guest/guest.h>

#define ERROR_PRESENT 1
#define ERROR_WRITE   2
#define ERROR_USER    4
#define ERROR_FETCH   16

static struct trap_record rec;

static void do_ud(void *arg)
{
	(void)arg;
	__asm__ volatile(".globl ud_here; ud_here: ud2");
}
extern char ud_here[], bp_here[], int_here[];

static void do_int3(void *arg)
{
	(void)arg;
	__asm__ volatile("int3; .globl bp_here; bp_here:");
}

static void do_int80(void *arg)
{
	(void)arg;
	__asm__ volatile(".globl int_here; int_here: int $0x80");
}

static void do_divide(void *arg)
{
	__asm__ volatile("div %0" : : "r"((u32)(u64)arg), "a"(1), "d"(0) : "cc");
}

static void do_read(void *arg)
{
	(void)READ_ONCE(*(u64 *)arg);
}

static void do_write(void *arg)
{
	WRITE_ONCE(*(u64 *)arg, 1);
}

static void do_jump(void *arg)
{
	((void (*)(void))arg)();
}

static void do_wrmsr(void *arg)
{
	__asm__ volatile("wrmsr" : : "c"((u32)(u64)arg), "a"(0), "d"(0));
}

static void do_bad_selector(void *arg)
{
	__asm__ volatile("mov %0, %%es" : : "r"((u32)(u64)arg));
}

static void do_nothing(void *arg)
{
	(void)arg;
}

static void test_simple(void)
{
	test_begin("#UD, #BP, #DE, INT n");
	expect(!trap_catch(&rec, do_nothing, NULL));
	if (expect(trap_catch(&rec, do_ud, NULL))) {
		expect_eq(rec.vector, TRAP_INVALID_OP);
		expect_eq(rec.rip, ud_here);
		expect_eq(rec.error, 0);
		/* The kernel's own CS, as the hypervisor shows it, has privilege 0. */
		expect_eq(rec.cs & 3, 0);
		expect_eq(rec.rflags >> 9 & 1, !vcpu_this()->info->evtchn_upcall_mask);
	}
	if (expect(trap_catch(&rec, do_int3, NULL))) {
		expect_eq(rec.vector, TRAP_BREAKPOINT);
		expect_eq(rec.rip, bp_here);
	}
	if (expect(trap_catch(&rec, do_divide, NULL)))
		expect_eq(rec.vector, TRAP_DIVIDE);
	if (expect(trap_catch(&rec, do_int80, NULL))) {
		expect_eq(rec.vector, TRAP_INT80);
		/* A software interrupt, not a fault: after the instruction. */
		expect_eq(rec.rip, int_here + 2);
	}
}

static void test_page_faults(void)
{
	u64 *page = page_alloc();
	u64 mfn = va_mfn(page);

	test_begin("#PF");
	if (expect(trap_catch(&rec, do_read, (void *)0x123450))) {
		expect_eq(rec.vector, TRAP_PAGE_FAULT);
		expect_eq(rec.cr2, 0x123450);
		expect_eq(rec.error & ~ERROR_USER, 0);
	}
	require(va_map(page, 0));
	if (expect(trap_catch(&rec, do_write, page + 3))) {
		expect_eq(rec.vector, TRAP_PAGE_FAULT);
		expect_eq(rec.cr2, page + 3);
		expect_eq(rec.error & ~ERROR_USER, ERROR_WRITE);
	}
	require(va_map(page, mfn_pte(mfn, PTE_READONLY)));
	expect(!trap_catch(&rec, do_read, page));
	if (expect(trap_catch(&rec, do_write, page))) {
		expect_eq(rec.vector, TRAP_PAGE_FAULT);
		expect_eq(rec.error & ~ERROR_USER, ERROR_WRITE | ERROR_PRESENT);
	}
	require(va_map(page, mfn_pte(mfn, PTE_KERNEL | PTE_NX)));
	expect(!trap_catch(&rec, do_write, page));
	if (expect(trap_catch(&rec, do_jump, page))) {
		expect_eq(rec.vector, TRAP_PAGE_FAULT);
		expect_eq(rec.rip, page);
		expect_eq(rec.error & ~ERROR_USER, ERROR_FETCH | ERROR_PRESENT);
	}
	require(va_map(page, mfn_pte(mfn, PTE_KERNEL)));
	expect(!trap_catch(&rec, do_write, page));
	page_free(page);
}

static void test_hypervisor_memory(void)
{
	/* The table that guests may read is at the beginning; what comes after it is not theirs. */
	void *inside = (void *)(MACH2PHYS_VIRT_END + 0x200000000UL);

	test_begin("hypervisor memory");
	expect(!trap_catch(&rec, do_read, (void *)MACH2PHYS_VIRT_START));
	if (expect(trap_catch(&rec, do_write, (void *)MACH2PHYS_VIRT_START)))
		expect_eq(rec.vector, TRAP_PAGE_FAULT);
	if (expect(trap_catch(&rec, do_read, inside)))
		expect_eq(rec.vector, TRAP_PAGE_FAULT);
	if (expect(trap_catch(&rec, do_write, (void *)(HYPERVISOR_VIRT_END - 8))))
		expect_eq(rec.vector, TRAP_PAGE_FAULT);
	/* Not canonical. */
	if (expect(trap_catch(&rec, do_read, (void *)0x800000000000UL)))
		expect_eq(rec.vector, TRAP_PROTECTION);
}

static void test_protection(void)
{
	test_begin("#GP");
	/* MSR_KERNEL_GS_BASE and such are emulated; this one exists nowhere. */
	if (expect(trap_catch(&rec, do_wrmsr, (void *)0x7fffff00))) {
		expect_eq(rec.vector, TRAP_PROTECTION);
		expect_eq(rec.error, 0);
	}
	/* The third entry of an empty GDT. */
	if (expect(trap_catch(&rec, do_bad_selector, (void *)0x1b))) {
		expect_eq(rec.vector, TRAP_PROTECTION);
		expect_eq(rec.error, 0x18);
	}
	/* The hypervisor's TSS. */
	if (expect(trap_catch(&rec, do_bad_selector, (void *)0xe043)))
		expect_eq(rec.vector, TRAP_PROTECTION);
}

static bool skip_ud2(struct trap_frame *f)
{
	if (f->rip != (u64)ud_here)
		return false;
	f->rip += 2;
	f->rax = 0x1234;
	return true;
}

/* A handler that changes the frame: the rest of the registers survive. */
static void test_handler(void)
{
	u64 rax, flags;

	test_begin("registers across an exception");
	trap_handler_set(TRAP_INVALID_OP, skip_ud2);
	expect(!trap_catch(&rec, do_ud, NULL));
	/* Each register gets its own value; afterwards they are all subtracted away, together with the handler's. */
	__asm__ volatile("mov $1, %%ebx; mov $2, %%ecx; mov $3, %%edx; mov $4, %%esi; mov $5, %%edi; mov $6, %%r8d\n\t"
			 "mov $7, %%r9d; mov $8, %%r10d; mov $9, %%r11d; mov $10, %%r12d; mov $11, %%r13d\n\t"
			 "mov $12, %%r14d; mov $13, %%r15d; stc; std\n\t"
			 "int3\n\t"
			 "pushfq; cld; pop %1\n\t"
			 "mov %%rbx, %0; shl $1, %0; add %%rcx, %0; shl $1, %0; add %%rdx, %0; shl $1, %0\n\t"
			 "add %%rsi, %0; shl $1, %0; add %%rdi, %0; shl $1, %0; add %%r8, %0; shl $1, %0; add %%r9, %0\n\t"
			 "shl $1, %0; add %%r10, %0; shl $1, %0; add %%r11, %0; shl $1, %0; add %%r12, %0; shl $1, %0\n\t"
			 "add %%r13, %0; shl $1, %0; add %%r14, %0; shl $1, %0; add %%r15, %0"
			 : "=&a"(rax), "=m"(flags)
			 :
			 : "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "cc",
			   "memory");
	/* Sum of n << (13 - n), n from 1 to 13. */
	expect_eq(rax, 16369);
	/* Carry and direction. */
	expect_eq(flags & 0x401, 0x401);
	trap_handler_set(TRAP_INVALID_OP, NULL);
}

static bool ignore(struct trap_frame *f)
{
	(void)f;
	return true;
}

void guest_main(void)
{
	test_simple();
	test_page_faults();
	test_hypervisor_memory();
	test_protection();
	trap_handler_set(TRAP_BREAKPOINT, ignore);
	test_handler();
}
