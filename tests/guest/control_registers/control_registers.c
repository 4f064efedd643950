/* SPDX-License-Identifier: BSD-2-Clause */
/* Control registers, MSRs of segment bases and other privileged instructions, each with values that must not get through. */
#include <guest/guest.h>

static struct trap_record rec;
static u64 value, got;
static u32 msr;

#define INSN(name, ...)                                                                            \
	static void name(void *arg)                                                                \
	{                                                                                          \
		(void)arg;                                                                         \
		__asm__ volatile(__VA_ARGS__);                                                     \
	}

INSN(cr0_write, "mov %0, %%cr0" : : "r"(value))
INSN(cr0_read, "mov %%cr0, %0" : "=r"(got))
INSN(cr2_write, "mov %0, %%cr2" : : "r"(value))
INSN(cr3_write, "mov %0, %%cr3" : : "r"(value))
INSN(cr4_write, "mov %0, %%cr4" : : "r"(value))
INSN(cr4_read, "mov %%cr4, %0" : "=r"(got))
INSN(cr8_write, "mov %0, %%cr8" : : "r"(value))
INSN(clts, "clts")
INSN(lmsw, "lmsw %w0" : : "r"((u32)value))
INSN(wrmsr, "wrmsr" : : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)))
INSN(invd, "invd")
INSN(swapgs_twice, "swapgs; swapgs")
INSN(sysret, "sysretq")
INSN(iretq, "push %0; push %1; pushf; push %2; push %3; iretq" : : "i"(0xe010), "r"(value), "i"(0xe008), "r"(value) : "memory")
INSN(lgdt, "lgdt (%0)" : : "r"(&value))
INSN(lidt, "lidt (%0)" : : "r"(&value))
INSN(ltr, "ltr %w0" : : "r"(0xe040))
INSN(invlpg, "invlpg (%0)" : : "r"(HYPERVISOR_VIRT_START))
INSN(monitor, "monitor" : : "a"(&value), "c"(0), "d"(0))
INSN(vmrun, "vmrun" : : "a"(0))
INSN(vmmcall, "vmmcall")
INSN(stgi, "stgi")
INSN(skinit, "skinit" : : "a"(0))
INSN(rdpmc, "rdpmc" : : "c"(0) : "eax", "edx")
INSN(xsetbv_zero, "xsetbv" : : "c"(0), "a"(0), "d"(0))
INSN(xsetbv_all, "xsetbv" : : "c"(0), "a"(0xffffffff), "d"(0xffffffff))
INSN(xsetbv_other, "xsetbv" : : "c"(1), "a"(3), "d"(0))

static void faults(const char *what, void (*fn)(void *))
{
	if (expect_msg(trap_catch(&rec, fn, NULL), "%s gets through", what))
		expect_msg(rec.vector == TRAP_PROTECTION || rec.vector == TRAP_INVALID_OP || rec.vector == TRAP_PAGE_FAULT,
			   "%s: vector %lu", what, rec.vector);
}

static void test_instructions(void)
{
	test_begin("instructions that are not for guests");
	faults("lgdt", lgdt);
	faults("lidt", lidt);
	faults("ltr", ltr);
	/* May be carried out on the guest's own bases. */
	trap_catch(&rec, swapgs_twice, NULL);
	expect_eq(vcpu_this()->id, 0);
	faults("sysret", sysret);
	value = HYPERVISOR_VIRT_START;
	faults("iretq to ring 0", iretq);
	faults("vmrun", vmrun);
	faults("stgi", stgi);
	faults("skinit", skinit);
	faults("monitor", monitor);
	faults("mov to CR8", cr8_write);
	trap_catch(&rec, vmmcall, NULL);
	trap_catch(&rec, invd, NULL);
	trap_catch(&rec, invlpg, NULL);
	trap_catch(&rec, rdpmc, NULL);
	expect_eq(vcpu_this()->id, 0);
}

static void test_cr(void)
{
	static const u64 bad4[] = { 1UL << 13, 1UL << 14, 1UL << 17, 1UL << 20, 1UL << 21, 1UL << 22, 1UL << 23, 1UL << 40 };
	u64 *page = page_alloc(), cr4;
	unsigned int i;

	test_begin("control registers");
	require(!trap_catch(&rec, cr4_read, NULL) ? 0 : -1);
	cr4 = got;
	for (i = 0; i < ARRAY_SIZE(bad4); i++) {
		value = cr4 | bad4[i];
		/* Refused or without effect. */
		if (!trap_catch(&rec, cr4_write, NULL) && !trap_catch(&rec, cr4_read, NULL))
			expect_msg((got & bad4[i]) == (cr4 & bad4[i]), "CR4 %lx gives %lx", value, got);
	}
	value = cr4 & ~0x20UL; /* PAE off */
	if (!trap_catch(&rec, cr4_write, NULL) && !trap_catch(&rec, cr4_read, NULL))
		expect(got & 0x20);
	value = 0; /* paging off */
	trap_catch(&rec, cr0_write, NULL);
	require(!trap_catch(&rec, cr0_read, NULL) ? 0 : -1);
	expect_eq(got & 0x80000001, 0x80000001);
	trap_catch(&rec, lmsw, NULL);
	/* Not a root; a frame of nobody; a frame that is writable. */
	value = 0xfffffff000UL;
	faults("CR3 of nobody", cr3_write);
	value = va_mfn(page) << PAGE_SHIFT;
	faults("CR3 of a page", cr3_write);
	value = va_mfn(kernel_root()) << PAGE_SHIFT;
	expect(!trap_catch(&rec, cr3_write, NULL));
	value = HYPERVISOR_VIRT_START;
	expect(!trap_catch(&rec, cr2_write, NULL));
	expect_eq(vcpu_this()->info->arch.cr2, HYPERVISOR_VIRT_START);
	expect(!trap_catch(&rec, clts, NULL));
	WRITE_ONCE(*page, 1);
}

static void test_msrs(void)
{
	static const u32 bases[] = { 0xc0000100, 0xc0000101, 0xc0000102 };
	static const u32 system[] = { 0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, 0x174, 0x175, 0x176, 0x79, 0xc0010015, 0xc0010117 };
	unsigned int i;

	test_begin("MSRs");
	for (i = 0; i < ARRAY_SIZE(bases); i++) {
		msr = bases[i];
		value = 0x800000000000UL;
		if (bases[i] != 0xc0000101)
			faults("a base that is not canonical", wrmsr);
	}
	for (i = 0; i < ARRAY_SIZE(system); i++) {
		msr = system[i];
		value = VIRT_BASE;
		trap_catch(&rec, wrmsr, NULL);
	}
	msr = 0xc0000080;
	value = 0;
	trap_catch(&rec, wrmsr, NULL);
	/* After all this system calls go where they went. */
	expect_eq(HYPERVISOR_xen_version(0, NULL), 4 << 16 | 17);
	test_begin("XCR0");
	faults("nothing", xsetbv_zero);
	faults("everything", xsetbv_all);
	faults("XCR1", xsetbv_other);
}

void guest_main(void)
{
	test_instructions();
	test_cr();
	test_msrs();
}
