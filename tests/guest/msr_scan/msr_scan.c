/* SPDX-License-Identifier: BSD-2-Clause */
/* All MSRs: what can be read holds no address of the hypervisor, and what can be written does not touch the machine. */
#include <guest/guest.h>

static struct trap_record rec;
static struct { u32 msr; u64 value; } io;

static void do_read(void *arg)
{
	u32 lo, hi;

	(void)arg;
	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(io.msr));
	io.value = (u64)hi << 32 | lo;
}

static void do_write(void *arg)
{
	(void)arg;
	__asm__ volatile("wrmsr" : : "c"(io.msr), "a"((u32)io.value), "d"((u32)(io.value >> 32)));
}

static bool msr_read(u32 msr)
{
	io.msr = msr;
	io.value = 0;
	return !trap_catch(&rec, do_read, NULL);
}

static bool msr_write(u32 msr, u64 value)
{
	io.msr = msr;
	io.value = value;
	return !trap_catch(&rec, do_write, NULL);
}

static bool hypervisors(u64 v)
{
	return v >= HYPERVISOR_VIRT_START && v < HYPERVISOR_VIRT_END;
}

static void scan(u32 first, u32 last)
{
	u32 msr;

	for (msr = first; msr <= last; msr++) {
		if (!msr_read(msr)) {
			expect_eq(rec.vector, TRAP_PROTECTION);
			continue;
		}
		expect_msg(!hypervisors(io.value), "MSR %x reads as %lx", msr, io.value);
	}
}

static void test_reads(void)
{
	test_begin("reads");
	scan(0, 0x2ff);
	scan(0x400, 0x4ff);
	scan(0x600, 0x6ff);
	scan(0x800, 0x8ff);
	scan(0xd00, 0xdff);
	scan(0x40000000, 0x4000000f);
	scan(0xc0000080, 0xc0000110);
	scan(0xc0010000, 0xc0010150);
	scan(0xc0011000, 0xc0011040);
}

/* Written with values that would do harm. The ones before and after are compared through what can still be done. */
static void test_writes(void)
{
	static const struct { u32 msr; u64 value; } table[] = {
		{ 0xc0000080, 0 },		/* EFER: long mode off */
		{ 0xc0000080, ~0UL },
		{ 0xc0000081, 0 },		/* STAR */
		{ 0xc0000082, VIRT_BASE },	/* LSTAR */
		{ 0xc0000083, VIRT_BASE },	/* CSTAR */
		{ 0xc0000084, 0 },		/* SFMASK */
		{ 0x174, 8 },			/* SYSENTER */
		{ 0x175, VIRT_BASE },
		{ 0x176, VIRT_BASE },
		{ 0x1b, 0 },			/* local APIC off */
		{ 0x10, 0 },			/* TSC */
		{ 0x79, VIRT_BASE },		/* microcode */
		{ 0x277, 0 },			/* PAT: all uncached */
		{ 0x2ff, 0 },			/* MTRRs off */
		{ 0x200, 0 },
		{ 0x1d9, ~0UL },		/* DEBUGCTL */
		{ 0xc0010114, 0 },		/* VM_CR */
		{ 0xc0010117, 0x1000 },		/* VM_HSAVE_PA */
		{ 0x48, ~0UL },			/* SPEC_CTRL, reserved bits */
		{ 0x49, ~0UL },			/* PRED_CMD */
		{ 0x830, 0x400 },		/* x2APIC ICR: INIT */
		{ 0x3b, 1UL << 40 },		/* TSC_ADJUST */
		{ 0xc0000100, 0x800000000000UL },	/* bases that are not canonical */
		{ 0xc0000101, 0x800000000000UL },
		{ 0xc0000102, 0x800000000000UL },
	};
	unsigned int i;
	u64 efer, pat, tsc = rdtsc();

	test_begin("writes");
	expect(msr_read(0xc0000080));
	efer = io.value;
	expect(msr_read(0x277));
	pat = io.value;
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		if (!msr_write(table[i].msr, table[i].value))
			expect_eq(rec.vector, TRAP_PROTECTION);
		expect_msg(HYPERVISOR_xen_version(0, NULL) == (4 << 16 | 17), "hypercalls after MSR %x", table[i].msr);
		expect_eq(vcpu_this()->id, 0);
	}
	expect(msr_read(0xc0000080));
	expect_eq(io.value, efer);
	expect(msr_read(0x277));
	expect_eq(io.value, pat);
	expect(rdtsc() > tsc);
	time_spin(MS);
	expect(msr_write(0xc0000100, 0));
}

/* The bases of segments are the guest's, also with MSR instructions. */
static void test_bases(void)
{
	static u64 word = 0x1234;
	u64 v;

	test_begin("segment bases");
	expect(msr_write(0xc0000100, (u64)&word));
	__asm__ volatile("mov %%fs:0, %0" : "=r"(v));
	expect_eq(v, 0x1234);
	expect(msr_read(0xc0000101));
	expect_eq(io.value, vcpu_this());
	expect(msr_write(0xc0000102, 0x5000));
	expect(msr_read(0xc0000102));
	expect_eq(io.value, 0x5000);
	expect(msr_write(0xc0000102, 0));
	expect(msr_write(0xc0000100, 0));
}

void guest_main(void)
{
	test_reads();
	test_writes();
	test_bases();
}
