/* SPDX-License-Identifier: BSD-2-Clause */
/* The FPU and task switching, and debug registers. */
#include <guest/guest.h>

static struct trap_record rec;
static u64 watched;

static void do_sse(void *arg)
{
	__asm__ volatile("movq %0, %%xmm3" : : "r"((u64)arg));
}

static u64 xmm3(void)
{
	u64 v;

	__asm__ volatile("movq %%xmm3, %0" : "=r"(v));
	return v;
}

static void do_clts(void *arg)
{
	(void)arg;
	__asm__ volatile("clts");
}

static void do_write(void *arg)
{
	WRITE_ONCE(*(u64 *)arg, 1);
	__asm__ volatile("nop; nop");
}

static void do_dr7_read(void *arg)
{
	__asm__ volatile("mov %%dr7, %0" : "=r"(*(u64 *)arg));
}

static void test_taskswitch(void)
{
	unsigned int i;

	test_begin("fpu_taskswitch");
	expect(!trap_catch(&rec, do_sse, (void *)0x1234));
	expect_eq(xmm3(), 0x1234);
	expect_eq(HYPERVISOR_fpu_taskswitch(1), 0);
	if (expect(trap_catch(&rec, do_sse, (void *)0x5678)))
		expect_eq(rec.vector, TRAP_NO_DEVICE);
	expect_eq(HYPERVISOR_fpu_taskswitch(0), 0);
	expect_eq(xmm3(), 0x1234);
	expect_eq(HYPERVISOR_fpu_taskswitch(1), 0);
	/* CLTS does the same as the call. */
	expect(!trap_catch(&rec, do_clts, NULL));
	expect(!trap_catch(&rec, do_sse, (void *)0x5678));
	/* Survives giving up the CPU. */
	for (i = 0; i < 100; i++)
		HYPERVISOR_sched_op(SCHEDOP_yield, NULL);
	expect_eq(xmm3(), 0x5678);
}

static void test_debugreg(void)
{
	u64 dr7 = 0;

	test_begin("debug registers");
	expect_eq(HYPERVISOR_set_debugreg(0, (u64)&watched), 0);
	expect_eq(HYPERVISOR_get_debugreg(0), &watched);
	/* Watch eight bytes for writes. */
	expect_eq(HYPERVISOR_set_debugreg(7, 0x00090002UL), 0);
	expect(HYPERVISOR_get_debugreg(7) & 2);
	if (expect(trap_catch(&rec, do_write, &watched)))
		expect_eq(rec.vector, TRAP_DEBUG);
	expect_eq(HYPERVISOR_get_debugreg(6) & 1, 1);
	expect(!trap_catch(&rec, do_dr7_read, &dr7));
	expect(dr7 & 2);
	expect_eq(HYPERVISOR_set_debugreg(7, 0), 0);
	expect_eq(HYPERVISOR_set_debugreg(6, 0), 0);
	expect(!trap_catch(&rec, do_write, &watched));
	/* Not in the hypervisor; no I/O breakpoints without CR4.DE; no such register. */
	expect(HYPERVISOR_set_debugreg(1, HYPERVISOR_VIRT_START) < 0);
	expect(HYPERVISOR_set_debugreg(1, 0x800000000000UL) < 0);
	expect((s64)HYPERVISOR_get_debugreg(9) < 0);
	expect(HYPERVISOR_set_debugreg(9, 0) < 0);
}

void guest_main(void)
{
	test_taskswitch();
	test_debugreg();
}
