/* SPDX-License-Identifier: BSD-2-Clause */
/* Two domains on one CPU: descriptor tables and segment bases of one are not there for the other. */
#include <guest/guest.h>

#define DATA3 0x00cff3000000ffffUL
#define BASE  0x12345000UL

enum { READY = 1, STOP };

static u64 gdt[512] PAGE_ALIGNED, ldt[512] PAGE_ALIGNED;
static struct trap_record rec;

static void do_load_es(void *arg)
{
	__asm__ volatile("mov %0, %%es" : : "r"((u32)(u64)arg));
}

static void set(void)
{
	struct mmuext_op op = { .cmd = MMUEXT_SET_LDT, .arg1.linear_addr = (u64)ldt, .arg2.nr_ents = 512 };
	xen_pfn_t frame = va_mfn(gdt);

	gdt[5] = ldt[5] = DATA3;
	require(page_protect(gdt, false));
	require(page_protect(ldt, false));
	require(HYPERVISOR_set_gdt(&frame, 512));
	require(HYPERVISOR_mmuext_op(&op, 1, NULL, DOMID_SELF));
	require(HYPERVISOR_set_segment_base(SEGBASE_FS, BASE));
	require(HYPERVISOR_set_segment_base(SEGBASE_GS_USER, BASE));
}

static void owner(void)
{
	set();
	do {
		expect(!trap_catch(&rec, do_load_es, (void *)0x2b));
		expect(!trap_catch(&rec, do_load_es, (void *)0x2f));
		group_post(READY, 1);
		HYPERVISOR_sched_op(SCHEDOP_yield, NULL);
	} while (!group_look(STOP));
	do_load_es(NULL);
}

static u64 fs_base(void)
{
	u32 lo, hi;

	/* Emulated for the kernel. */
	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(0xc0000100));
	return (u64)hi << 32 | lo;
}

void guest_main(void)
{
	unsigned int i;

	test_begin("tables of another domain");
	if (!require(group_join()))
		return;
	if (group_role() == 1) {
		owner();
		return;
	}
	expect(group_wait(READY));
	for (i = 0; i < 200; i++) {
		if (!expect(trap_catch(&rec, do_load_es, (void *)0x2b)) || !expect(trap_catch(&rec, do_load_es, (void *)0x2f)))
			break;
		if (!expect_eq(fs_base(), 0))
			break;
		HYPERVISOR_sched_op(SCHEDOP_yield, NULL);
	}
	group_post(STOP, 1);
}
