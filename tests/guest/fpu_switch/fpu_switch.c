/* SPDX-License-Identifier: BSD-2-Clause */
/* Two vCPUs that share one CPU: FPU registers, segment bases and debug registers are each one's own, and start empty. */
#include <guest/guest.h>

static volatile unsigned int turns, stop, dirty, mixed, first_dr7;
static volatile u64 fs_wrong;

static u64 xmm(void)
{
	u64 v;

	__asm__ volatile("movq %%xmm5, %0" : "=r"(v));
	return v;
}

static void xmm_set(u64 v)
{
	__asm__ volatile("movq %0, %%xmm5" : : "r"(v));
}

static u64 fs_word(void)
{
	u64 v;

	__asm__ volatile("mov %%fs:0, %0" : "=r"(v));
	return v;
}

static u64 words[2] = { 0xaaaa, 0xbbbb };

static void second(void *arg)
{
	(void)arg;
	dirty = xmm() != 0;
	first_dr7 = (HYPERVISOR_get_debugreg(7) & 0xff) != 0;
	HYPERVISOR_set_segment_base(SEGBASE_FS, (u64)&words[1]);
	while (!stop) {
		xmm_set(0x2222222200000000UL + turns);
		HYPERVISOR_sched_op(SCHEDOP_yield, NULL);
		mixed += xmm() >> 32 != 0x22222222;
		fs_wrong += fs_word() != 0xbbbb;
		turns++;
	}
}

void guest_main(void)
{
	unsigned int i, wrong = 0, fs = 0;
	u64 end;

	test_begin("registers of two vCPUs on one CPU");
	if (vcpus_max() < 2) {
		test_skip("there is one vCPU");
		return;
	}
	xmm_set(0x1111111100000000UL);
	require(HYPERVISOR_set_segment_base(SEGBASE_FS, (u64)&words[0]));
	require(HYPERVISOR_set_debugreg(0, (u64)&words[0]));
	require(HYPERVISOR_set_debugreg(7, 0x00090002UL));
	if (!require(vcpu_start(1, second, NULL)))
		return;
	end = time_now() + 10 * S;
	for (i = 0; turns < 200 && time_now() < end; i++) {
		xmm_set(0x1111111100000000UL + i);
		HYPERVISOR_sched_op(SCHEDOP_yield, NULL);
		wrong += xmm() != 0x1111111100000000UL + i;
		fs += fs_word() != 0xaaaa;
	}
	stop = 1;
	expect(spin_until(vcpu_is_up(1) == 0, 5 * S));
	expect_msg(turns >= 200, "the other had %u turns", turns);
	expect_eq(wrong, 0);
	expect_eq(mixed, 0);
	expect_eq(fs, 0);
	expect_eq(fs_wrong, 0);
	expect_eq(dirty, 0);
	expect_eq(first_dr7, 0);
	expect(HYPERVISOR_get_debugreg(7) & 2);
	require(HYPERVISOR_set_debugreg(7, 0));
}
