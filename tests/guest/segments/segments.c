/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptor tables and segment bases: set_gdt, update_descriptor, the LDT, and descriptors that are refused. */
#include <guest/guest.h>

/* A flat data segment for ring 3, and one for ring 0. */
#define DATA3 0x00cff3000000ffffUL
#define DATA0 0x00cf93000000ffffUL
#define BASED 0x00cff3345678ffffUL /* base 0x345678 */
#define GATE  0x0000ee0000000000UL /* a call or interrupt gate */

static struct trap_record rec;
static u64 gdt[512] __attribute__((aligned(4096)));
static u64 ldt[512] __attribute__((aligned(4096)));

static void do_load_es(void *arg)
{
	__asm__ volatile("mov %0, %%es" : : "r"((u32)(u64)arg));
}

static void do_load_fs(void *arg)
{
	__asm__ volatile("mov %0, %%fs" : : "r"((u32)(u64)arg));
}

static u64 desc_maddr(const u64 *d)
{
	return va_mfn(d) << PAGE_SHIFT | ((u64)d & ~PAGE_MASK);
}

static void test_gdt(void)
{
	xen_pfn_t frame = va_mfn(gdt);

	test_begin("GDT");
	gdt[3] = DATA3;
	expect(HYPERVISOR_set_gdt(&frame, 512) < 0); /* writable */
	require(page_protect(gdt, false));
	expect_eq(HYPERVISOR_set_gdt(&frame, 512), 0);
	expect(page_protect(gdt, true) < 0);
	expect(!trap_catch(&rec, do_load_es, (void *)0x1b));
	if (expect(trap_catch(&rec, do_load_es, (void *)0x23)))
		expect_eq(rec.error, 0x20);
	/* The flat segments of the hypervisor are there beside the guest's. */
	expect(!trap_catch(&rec, do_load_es, (void *)FLAT_KERNEL_SS));
	expect_eq(HYPERVISOR_update_descriptor(desc_maddr(&gdt[4]), DATA3), 0);
	expect_eq(gdt[4], DATA3);
	expect(!trap_catch(&rec, do_load_es, (void *)0x23));
	/* A base that FS takes over. */
	expect_eq(HYPERVISOR_update_descriptor(desc_maddr(&gdt[5]), BASED), 0);
	expect(!trap_catch(&rec, do_load_fs, (void *)0x2b));
	expect(!trap_catch(&rec, do_load_fs, NULL));
	expect(HYPERVISOR_update_descriptor(desc_maddr(&gdt[6]), GATE) < 0);
	expect_eq(gdt[6], 0);
	/* Privilege 0 is not for guests: refused, or taken for ring 3. */
	if (HYPERVISOR_update_descriptor(desc_maddr(&gdt[6]), DATA0) == 0)
		expect((gdt[6] >> 45 & 3) != 0);
	trap_catch(&rec, do_load_es, NULL);
	expect(HYPERVISOR_set_gdt(&frame, 7169) < 0);
	expect_eq(HYPERVISOR_set_gdt(&frame, 0), 0);
	if (expect(trap_catch(&rec, do_load_es, (void *)0x1b)))
		expect_eq(rec.vector, TRAP_PROTECTION);
	expect_eq(page_protect(gdt, true), 0);
}

static void test_bad_page(void)
{
	xen_pfn_t frame = va_mfn(gdt);

	test_begin("a page with a gate in it");
	gdt[9] = GATE;
	require(page_protect(gdt, false));
	expect(HYPERVISOR_set_gdt(&frame, 512) < 0);
	require(page_protect(gdt, true));
	gdt[9] = 0;
	frame = va_mfn(kernel_root());
	expect(HYPERVISOR_set_gdt(&frame, 512) < 0);
}

static int ldt_set(const void *base, unsigned int entries)
{
	struct mmuext_op op = { .cmd = MMUEXT_SET_LDT, .arg1.linear_addr = (u64)base, .arg2.nr_ents = entries };

	return (int)HYPERVISOR_mmuext_op(&op, 1, NULL, DOMID_SELF);
}

static void test_ldt(void)
{
	test_begin("LDT");
	ldt[1] = DATA3;
	require(page_protect(ldt, false));
	expect_eq(ldt_set(ldt, 512), 0);
	/* Loaded when it is first touched. */
	expect(!trap_catch(&rec, do_load_es, (void *)0xf));
	if (expect(trap_catch(&rec, do_load_es, (void *)0x17)))
		expect_eq(rec.error, 0x14);
	expect_eq(HYPERVISOR_update_descriptor(desc_maddr(&ldt[2]), DATA3), 0);
	expect(!trap_catch(&rec, do_load_es, (void *)0x17));
	trap_catch(&rec, do_load_es, NULL);
	expect(ldt_set((char *)ldt + 8, 512) < 0);
	expect(ldt_set(ldt, 8193) < 0);
	expect_eq(ldt_set(NULL, 0), 0);
	if (expect(trap_catch(&rec, do_load_es, (void *)0xf)))
		expect_eq(rec.vector, TRAP_PROTECTION);
	expect_eq(page_protect(ldt, true), 0);
}

static void test_bases(void)
{
	static u64 word = 0x1122334455667788UL;
	u64 v;

	test_begin("segment bases");
	expect_eq(HYPERVISOR_set_segment_base(SEGBASE_FS, (u64)&word), 0);
	__asm__ volatile("mov %%fs:0, %0" : "=r"(v));
	expect_eq(v, word);
	expect_eq(HYPERVISOR_set_segment_base(SEGBASE_FS, 0), 0);
	expect_eq(HYPERVISOR_set_segment_base(SEGBASE_GS_USER, 0x1000), 0);
	/* The kernel's own GS is another one. */
	expect_eq(vcpu_this()->id, 0);
	expect_eq(HYPERVISOR_set_segment_base(SEGBASE_GS_USER_SEL, 0), 0);
	expect(HYPERVISOR_set_segment_base(SEGBASE_FS, 0x800000000000UL) < 0);
	expect(HYPERVISOR_set_segment_base(9, 0) < 0);
	expect_eq(vcpu_this()->id, 0);
}

void guest_main(void)
{
	test_gdt();
	test_bad_page();
	test_ldt();
	test_bases();
}
