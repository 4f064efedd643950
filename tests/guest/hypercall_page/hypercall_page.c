/* SPDX-License-Identifier: BSD-2-Clause */
/* The MSR that fills a page with stubs: only pages of the domain that are writable, only page 0. */
#include <guest/guest.h>
#include <xen/arch-x86/cpuid.h>

static struct trap_record rec;
static u32 msr;
static u64 value;

static void do_wrmsr(void *arg)
{
	(void)arg;
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)));
}

static bool refused(u64 v)
{
	value = v;
	return trap_catch(&rec, do_wrmsr, NULL);
}

void guest_main(void)
{
	u8 *page = page_alloc(), *table = page_alloc();
	u32 a, b, c, d;
	unsigned int i, different = 0;

	__asm__ volatile(XEN_CPUID : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "0"(XEN_CPUID_LEAF(2)), "2"(0));
	msr = b;
	test_begin("a page of stubs");
	if (!expect_msg(msr >= 0x40000000 && msr < 0x40001000, "MSR %x", msr))
		return;
	expect(!refused(va_mfn(page) << PAGE_SHIFT));
	for (i = 0; i < 23 * 32; i++)
		different += page[i] != ((u8 *)hypercall_page)[i];
	expect_eq(different, 0);
	test_begin("refused");
	require(table_pin(table, 1));
	expect(refused(va_mfn(table) << PAGE_SHIFT));
	expect(refused(va_mfn(kernel_root()) << PAGE_SHIFT));
	expect(refused(0xffffffffffffUL << PAGE_SHIFT));
	expect(refused(0x100000));
	expect(refused(va_mfn(page) << PAGE_SHIFT | 1));
	expect(refused(va_mfn(page) << PAGE_SHIFT | 0xfff));
	msr++;
	expect(refused(va_mfn(page) << PAGE_SHIFT));
	for (i = 0; i < PAGE_SIZE && !table[i]; i++)
		;
	expect_eq(i, PAGE_SIZE);
}
