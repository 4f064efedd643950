/* SPDX-License-Identifier: BSD-2-Clause */
/* Privileged instructions of the kernel, which the hypervisor carries out for it: CPUID, MSRs, ports, control registers. */
#include <guest/guest.h>
#include <xen/arch-x86/cpuid.h>
#include <xen/physdev.h>

#define MSR_EFER      0xc0000080
#define MSR_FS_BASE   0xc0000100
#define MSR_PAT	      0x277
#define MSR_APIC_BASE 0x1b

static struct trap_record rec;

struct regs { u32 eax, ebx, ecx, edx; };

static struct regs cpuid_xen(u32 leaf, u32 sub)
{
	struct regs r;

	__asm__ volatile(XEN_CPUID : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "0"(leaf), "2"(sub));
	return r;
}

static struct { u32 msr, lo, hi; u16 port; u32 value; u64 cr; } io;

static void do_rdmsr(void *arg)
{
	(void)arg;
	__asm__ volatile("rdmsr" : "=a"(io.lo), "=d"(io.hi) : "c"(io.msr));
}

static void do_wrmsr(void *arg)
{
	(void)arg;
	__asm__ volatile("wrmsr" : : "c"(io.msr), "a"(io.lo), "d"(io.hi));
}

static void do_in(void *arg)
{
	u8 v;

	(void)arg;
	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(io.port));
	io.value = v;
}

static void do_out(void *arg)
{
	(void)arg;
	__asm__ volatile("outb %0, %1" : : "a"((u8)io.value), "Nd"(io.port));
}

static void do_cr0_read(void *arg)
{
	(void)arg;
	__asm__ volatile("mov %%cr0, %0" : "=r"(io.cr));
}

static void do_cr3_read(void *arg)
{
	(void)arg;
	__asm__ volatile("mov %%cr3, %0" : "=r"(io.cr));
}

static void do_cr4_read(void *arg)
{
	(void)arg;
	__asm__ volatile("mov %%cr4, %0" : "=r"(io.cr));
}

static void do_cr2_read(void *arg)
{
	(void)arg;
	__asm__ volatile("mov %%cr2, %0" : "=r"(io.cr));
}

static void do_hlt(void *arg)
{
	(void)arg;
	__asm__ volatile("hlt");
}

static void do_lidt(void *arg)
{
	__asm__ volatile("lidt (%0)" : : "r"(arg));
}

static void test_cpuid(void)
{
	struct regs r;
	char name[13] = "";

	test_begin("CPUID");
	r = cpuid_xen(0, 0);
	expect(r.eax >= 1);
	r = cpuid_xen(1, 0);
	expect(r.edx >> 6 & 1); /* PAE */
	expect(!(r.edx >> 3 & 1)); /* PSE: not for PV guests */
	expect(!(r.edx >> 13 & 1)); /* global pages */
	expect(r.ecx >> 31 & 1); /* under a hypervisor */
	r = cpuid_xen(0x80000001, 0);
	expect(r.edx >> 29 & 1); /* long mode */
	expect(!(r.ecx >> 2 & 1)); /* SVM */
	r = cpuid_xen(XEN_CPUID_FIRST_LEAF, 0);
	memcpy(name, &r.ebx, 4);
	memcpy(name + 4, &r.ecx, 4);
	memcpy(name + 8, &r.edx, 4);
	expect_msg(strcmp(name, "XenVMMXenVMM") == 0, "signature '%s'", name);
	expect(r.eax >= XEN_CPUID_FIRST_LEAF + 2);
	r = cpuid_xen(XEN_CPUID_LEAF(1), 0);
	expect_eq(r.eax, 4 << 16 | 17);
	r = cpuid_xen(XEN_CPUID_LEAF(2), 0);
	expect_eq(r.eax, 1);
	expect(r.ecx & XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD);
}

static void test_msrs(void)
{
	test_begin("MSRs");
	io.msr = MSR_EFER;
	expect(!trap_catch(&rec, do_rdmsr, NULL));
	expect_eq(io.lo & 0x501, 0x501); /* SCE, LME, LMA */
	io.msr = MSR_PAT;
	expect(!trap_catch(&rec, do_rdmsr, NULL));
	io.msr = MSR_FS_BASE;
	io.lo = 0x12345000;
	io.hi = 0;
	expect(!trap_catch(&rec, do_wrmsr, NULL));
	io.lo = 0;
	expect(!trap_catch(&rec, do_rdmsr, NULL));
	expect_eq(io.lo, 0x12345000);
	/* An address that is not canonical. */
	io.hi = 0x8000;
	if (expect(trap_catch(&rec, do_wrmsr, NULL)))
		expect_eq(rec.vector, TRAP_PROTECTION);
	io.lo = io.hi = 0;
	expect(!trap_catch(&rec, do_wrmsr, NULL));
	io.msr = MSR_APIC_BASE;
	expect(!trap_catch(&rec, do_rdmsr, NULL));
}

static void test_ports(void)
{
	struct physdev_set_iopl iopl = { .iopl = 1 };

	test_begin("ports");
	/* CMOS: the index of the clock's status register, which has bit 7 of D set while the battery is good. */
	io.port = 0x70;
	io.value = 0x0d;
	if (!expect(trap_catch(&rec, do_out, NULL)))
		io.value = 0;
	else
		expect_eq(rec.vector, TRAP_PROTECTION);
	expect_eq(HYPERVISOR_physdev_op(PHYSDEVOP_set_iopl, &iopl), 0);
	io.value = 0x0d;
	expect(!trap_catch(&rec, do_out, NULL));
	io.port = 0x71;
	expect(!trap_catch(&rec, do_in, NULL));
	expect(io.value & 0x80);
	/* Not dom0's: the hypervisor's own serial port. Reads as nothing, or faults. */
	io.port = 0x3fd;
	io.value = 0;
	if (trap_catch(&rec, do_in, NULL))
		expect_eq(rec.vector, TRAP_PROTECTION);
	else
		expect_eq(io.value, 0xff);
	iopl.iopl = 4;
	expect_eq(HYPERVISOR_physdev_op(PHYSDEVOP_set_iopl, &iopl), -XEN_EINVAL);
	iopl.iopl = 0;
	expect_eq(HYPERVISOR_physdev_op(PHYSDEVOP_set_iopl, &iopl), 0);
}

static void test_control_registers(void)
{
	test_begin("control registers");
	expect(!trap_catch(&rec, do_cr0_read, NULL));
	expect_eq(io.cr & 0x80000001, 0x80000001);
	expect(!trap_catch(&rec, do_cr3_read, NULL));
	expect_eq(io.cr >> PAGE_SHIFT, va_mfn(kernel_root()));
	expect(!trap_catch(&rec, do_cr4_read, NULL));
	expect(io.cr & 0x20); /* PAE */
	expect(!trap_catch(&rec, do_cr2_read, NULL));
	if (expect(trap_catch(&rec, do_hlt, NULL)))
		expect_eq(rec.vector, TRAP_PROTECTION);
	if (expect(trap_catch(&rec, do_lidt, &io)))
		expect_eq(rec.vector, TRAP_PROTECTION);
}

void guest_main(void)
{
	test_cpuid();
	test_msrs();
	test_ports();
	test_control_registers();
}
