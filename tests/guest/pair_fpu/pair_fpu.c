/* SPDX-License-Identifier: BSD-2-Clause */
/* Two domains on one CPU: no FPU, SSE, AVX or debug register and no exception pointer of one is seen by the other. */
#include <guest/guest.h>

#define SECRET 0x5ec4e75ec4e75ec4UL

enum { READY = 1, STOP };

static u8 area[512] __attribute__((aligned(64)));
static u64 ymm[4] __attribute__((aligned(32)));
static bool has_avx;
static struct trap_record rec;

/* Switches AVX on, as a kernel does: CR4 and XCR0. */
static void avx_enable(void *arg)
{
	u64 cr4;

	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	__asm__ volatile("mov %0, %%cr4" : : "r"(cr4 | 1UL << 18));
	__asm__ volatile("xsetbv" : : "a"(7), "d"(0), "c"(0));
	__asm__ volatile("vmovups %%ymm2, %0" : "=m"(ymm));
	*(bool *)arg = true;
}

static void fill(void)
{
	u64 secret = SECRET;
	double one = 1.0;

	__asm__ volatile("movq %0, %%xmm0; movq %0, %%xmm1; movq %0, %%xmm7; movq %0, %%xmm15" : : "r"(secret));
	if (has_avx)
		__asm__ volatile("vmovq %0, %%xmm2; vinsertf128 $1, %%xmm2, %%ymm2, %%ymm2; vmovups %%ymm2, %%ymm9" : : "r"(secret));
	__asm__ volatile("fldl %0; fldl %0" : : "m"(one));
	/* An exception that is masked leaves pointers to itself. */
	__asm__ volatile("fldz; fdivrp" : : : "memory");
	__asm__ volatile("ldmxcsr %0" : : "m"((u32){ 0x1fbf }));
}

static void spoiler(void)
{
	while (!group_look(STOP)) {
		fill();
		HYPERVISOR_set_debugreg(0, (u64)&area);
		HYPERVISOR_set_debugreg(7, 0x000f0001UL);
		group_post(READY, 1);
		HYPERVISOR_sched_op(SCHEDOP_yield, NULL);
	}
	HYPERVISOR_set_debugreg(7, 0);
	expect_eq(group_look(STOP), 1);
}

static bool seen(void)
{
	unsigned int i;

	memset(area, 0, sizeof(area));
	memset(ymm, 0, sizeof(ymm));
	__asm__ volatile("fxsave64 %0" : "+m"(area));
	for (i = 0; i < sizeof(area) / 8; i++)
		if (((u64 *)(void *)area)[i] == SECRET)
			return expect_msg(false, "FXSAVE area, word %u", i);
	if (has_avx) {
		__asm__ volatile("vmovups %%ymm2, %0" : "=m"(ymm));
		for (i = 0; i < 4; i++)
			if (ymm[i] == SECRET)
				return expect_msg(false, "YMM2, word %u", i);
		__asm__ volatile("vmovups %%ymm9, %0" : "=m"(ymm));
		for (i = 0; i < 4; i++)
			if (ymm[i] == SECRET)
				return expect_msg(false, "YMM9, word %u", i);
	}
	return true;
}

void guest_main(void)
{
	unsigned int i, pointers = 0;
	u32 mxcsr;

	test_begin("registers of another domain");
	trap_catch(&rec, avx_enable, &has_avx);
	if (!require(group_join()))
		return;
	if (group_role() == 1) {
		spoiler();
		return;
	}
	expect(group_wait(READY));
	for (i = 0; i < 300; i++) {
		if (!seen())
			break;
		pointers += *(u64 *)(void *)(area + 8) != 0 || *(u64 *)(void *)(area + 16) != 0;
		__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
		expect_eq(mxcsr, 0x1f80);
		HYPERVISOR_sched_op(SCHEDOP_yield, NULL);
	}
	expect_eq(pointers, 0);
	expect_eq(HYPERVISOR_get_debugreg(0), 0);
	expect((HYPERVISOR_get_debugreg(7) & 0xff) == 0);
	/* Written to under the other's watchpoint: nothing happens here. */
	memset(area, 1, sizeof(area));
	group_post(STOP, 1);
}
