/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors that would lead into the hypervisor: gates, system segments and privileged code, in the GDT and in the LDT. */
#include <guest/guest.h>

#define DATA3 0x00cff3000000ffffUL

static struct trap_record rec;
static u64 gdt[512] PAGE_ALIGNED, ldt[512] PAGE_ALIGNED;

/* Type and S bit of the access byte, present, privilege 3. */
static u64 system_desc(unsigned int type, unsigned int dpl)
{
	return (u64)type << 40 | (u64)dpl << 45 | 1UL << 47 | 0x08UL << 16 | 0x1234;
}

static bool unusable(u64 desc)
{
	return !(desc >> 47 & 1) || ((desc >> 45 & 3) == 0 && (desc >> 40 & 0x1f) == 12);
}

static u64 desc_maddr(const u64 *d)
{
	return va_mfn(d) << PAGE_SHIFT | ((u64)d & ~PAGE_MASK);
}

static struct { u32 offset; u16 selector; } __attribute__((packed)) far;

static void do_far_call(void *arg)
{
	(void)arg;
	__asm__ volatile("lcall *(%0)" : : "r"(&far) : "memory");
}

static void do_ltr(void *arg)
{
	__asm__ volatile("ltr %w0" : : "r"((u32)(u64)arg));
}

static void do_lldt(void *arg)
{
	__asm__ volatile("lldt %w0" : : "r"((u32)(u64)arg));
}

static void do_load_ss(void *arg)
{
	__asm__ volatile("mov %0, %%ss" : : "r"((u32)(u64)arg));
}

static void do_load_es(void *arg)
{
	__asm__ volatile("mov %0, %%es" : : "r"((u32)(u64)arg));
}

static void do_lgdt(void *arg)
{
	__asm__ volatile("lgdt (%0)" : : "r"(arg));
}

static void test_update(void)
{
	unsigned int type;

	test_begin("update_descriptor");
	/* Every system type with a meaning: LDT, TSS, call, interrupt and trap gates, and 16-bit relatives. */
	for (type = 1; type < 16; type++) {
		u64 d = system_desc(type, 3);

		/* A call gate may be kept with privilege 0: it leads nowhere. */
		if (HYPERVISOR_update_descriptor(desc_maddr(&gdt[8]), d) == 0)
			expect_msg(unusable(gdt[8]), "type %u is there as %lx", type, gdt[8]);
		HYPERVISOR_update_descriptor(desc_maddr(&gdt[8]), 0);
	}
	/* Privilege 0, code and data. */
	for (type = 0x10; type < 0x20; type++) {
		u64 d = system_desc(type, 0) | 0x00af00000000ffffUL;

		if (HYPERVISOR_update_descriptor(desc_maddr(&gdt[8]), d) == 0)
			expect_msg((gdt[8] >> 45 & 3) != 0, "privilege 0, type %x: %lx", type, gdt[8]);
		HYPERVISOR_update_descriptor(desc_maddr(&gdt[8]), 0);
	}
	expect(HYPERVISOR_update_descriptor(desc_maddr(&gdt[8]) + 4, DATA3) < 0);
	expect(HYPERVISOR_update_descriptor(va_mfn(kernel_root()) << PAGE_SHIFT, DATA3) < 0);
	expect(HYPERVISOR_update_descriptor(0xffffffffUL << PAGE_SHIFT, DATA3) < 0);
	expect(HYPERVISOR_update_descriptor(~7UL, DATA3) < 0);
}

static void test_pages(void)
{
	static const unsigned int bad[] = { 1, 2, 3, 4, 5, 6, 7, 9, 11, 12, 14, 15 };
	xen_pfn_t frame = va_mfn(gdt);
	unsigned int i;

	test_begin("pages of descriptors");
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		gdt[9] = system_desc(bad[i], 3);
		require(page_protect(gdt, false));
		if (HYPERVISOR_set_gdt(&frame, 512) == 0) {
			far.selector = 9 << 3 | 3;
			if (expect(trap_catch(&rec, do_far_call, NULL)))
				expect(rec.vector == TRAP_PROTECTION || rec.vector == 11);
			expect_msg(unusable(gdt[9]), "type %u stays: %lx", bad[i], gdt[9]);
			HYPERVISOR_set_gdt(&frame, 0);
		}
		require(page_protect(gdt, true));
		gdt[9] = 0;
	}
}

static void test_use(void)
{
	xen_pfn_t frame = va_mfn(gdt);
	static const u16 selectors[] = { 0xe008, 0xe00b, 0xe010, 0xe013, 0xe018, 0xe01b, 0xe03b, 0xe040, 0xe043, 0xe048,
					 0xe04b, 0xfff8, 0xffff, 0xe054, 0xe050, 0xe060, 0xe063 };
	static struct { u16 limit; u64 base; } __attribute__((packed)) gdtr = { 0xffff, 0 };
	unsigned int i;

	test_begin("the hypervisor's own selectors");
	require(page_protect(gdt, false));
	expect_eq(HYPERVISOR_set_gdt(&frame, 512), 0);
	for (i = 0; i < ARRAY_SIZE(selectors); i++) {
		far.selector = selectors[i];
		far.offset = 0;
		expect_msg(trap_catch(&rec, do_far_call, NULL), "far call to %x", selectors[i]);
		expect_msg(trap_catch(&rec, do_ltr, (void *)(u64)selectors[i]), "ltr %x", selectors[i]);
		expect_msg(trap_catch(&rec, do_lldt, (void *)(u64)selectors[i]), "lldt %x", selectors[i]);
	}
	expect(trap_catch(&rec, do_load_ss, (void *)0xe008));
	expect(trap_catch(&rec, do_load_ss, (void *)0xe010));
	expect(trap_catch(&rec, do_load_es, (void *)0xe008));
	expect(trap_catch(&rec, do_lgdt, &gdtr));
	expect_eq(HYPERVISOR_set_gdt(&frame, 0), 0);
	require(page_protect(gdt, true));
}

static void test_ldt(void)
{
	struct mmuext_op op = { .cmd = MMUEXT_SET_LDT, .arg1.linear_addr = (u64)ldt, .arg2.nr_ents = 512 };

	test_begin("gates in the LDT");
	ldt[3] = system_desc(12, 3);
	require(page_protect(ldt, false));
	/* Found when it is set or when it is used; never taken. */
	if (HYPERVISOR_mmuext_op(&op, 1, NULL, DOMID_SELF) == 0) {
		far.selector = 3 << 3 | 7;
		expect(trap_catch(&rec, do_far_call, NULL));
		op.arg2.nr_ents = 0;
		expect_eq(HYPERVISOR_mmuext_op(&op, 1, NULL, DOMID_SELF), 0);
	}
	/* In the hypervisor's memory, not canonical, not aligned; too long. */
	op.arg2.nr_ents = 512;
	op.arg1.linear_addr = HYPERVISOR_VIRT_START;
	expect(HYPERVISOR_mmuext_op(&op, 1, NULL, DOMID_SELF) < 0);
	op.arg1.linear_addr = HYPERVISOR_VIRT_START - PAGE_SIZE;
	op.arg2.nr_ents = 8192;
	expect(HYPERVISOR_mmuext_op(&op, 1, NULL, DOMID_SELF) < 0);
	op.arg1.linear_addr = (u64)ldt;
	op.arg2.nr_ents = 0xffffffff;
	expect(HYPERVISOR_mmuext_op(&op, 1, NULL, DOMID_SELF) < 0);
	require(page_protect(ldt, true));
}

void guest_main(void)
{
	test_update();
	test_pages();
	test_use();
	test_ldt();
}
