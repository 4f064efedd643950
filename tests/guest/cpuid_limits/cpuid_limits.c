/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUID for a domain: leaves up to the limit and behind, features that a PV domain has not, the hypervisor's leaves. */
#include <guest/guest.h>
#include <xen/arch-x86/cpuid.h>

struct regs { u32 a, b, c, d; };

static struct regs cpuid(u32 leaf, u32 sub)
{
	struct regs r;

	__asm__ volatile(XEN_CPUID : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "0"(leaf), "2"(sub));
	return r;
}

static bool nothing(struct regs r)
{
	return !(r.a | r.b | r.c | r.d);
}

static void test_features(void)
{
	struct regs one = cpuid(1, 0), ext = cpuid(0x80000001, 0), seven = cpuid(7, 0);

	test_begin("features");
	expect(one.d >> 6 & 1);	    /* PAE */
	expect(!(one.d >> 1 & 1) && !(one.d >> 3 & 1) && !(one.d >> 13 & 1)); /* VME, PSE, PGE */
	expect(!(one.c >> 3 & 1)); /* MONITOR */
	expect(!(one.c >> 5 & 1)); /* VMX */
	expect(!(one.c >> 17 & 1)); /* PCID */
	expect(!(one.c >> 21 & 1)); /* x2APIC */
	expect(one.c >> 31 & 1);
	expect(!(ext.c >> 2 & 1)); /* SVM */
	expect(!(ext.c >> 3 & 1)); /* extended APIC space */
	expect(ext.d >> 20 & 1); /* NX */
	expect(!(seven.b >> 7 & 1)); /* SMEP */
	expect(!(seven.b >> 20 & 1)); /* SMAP */
	expect(!(seven.c >> 2 & 1)); /* UMIP */
}

static void test_limits(void)
{
	u32 basic = cpuid(0, 0).a, extended = cpuid(0x80000000, 0).a, hv = cpuid(XEN_CPUID_FIRST_LEAF, 0).a, i;

	test_begin("limits");
	expect(basic >= 7 && basic < 0x40);
	expect(extended >= 0x80000008 && extended < 0x80000040);
	expect(hv >= XEN_CPUID_FIRST_LEAF + 2 && hv < XEN_CPUID_FIRST_LEAF + 0x10);
	for (i = 1; i < 8; i++) {
		expect(nothing(cpuid(basic + i, 0)));
		expect(nothing(cpuid(extended + i, 0)));
		expect(nothing(cpuid(hv + i, 0)));
	}
	expect(nothing(cpuid(0xffffffff, 0)));
	expect(nothing(cpuid(0x20000000, 0)));
	/* Subleaves behind the last. */
	expect(nothing(cpuid(7, 50)));
	if (basic >= 13) {
		expect(nothing(cpuid(13, 63)));
		expect(nothing(cpuid(13, 0xffffffff)));
	}
}

static void test_hypervisor(void)
{
	struct regs r = cpuid(XEN_CPUID_FIRST_LEAF, 0);
	char name[13] = "";

	test_begin("the hypervisor's leaves");
	memcpy(name, &r.b, 4);
	memcpy(name + 4, &r.c, 4);
	memcpy(name + 8, &r.d, 4);
	expect(strcmp(name, "XenVMMXenVMM") == 0);
	/* A PV domain has no page of its hypercalls by MSR in the way HVM has, but one page, and says so. */
	expect_eq(cpuid(XEN_CPUID_LEAF(2), 0).a, 1);
	expect(!(cpuid(XEN_CPUID_LEAF(4), 0).a & 0xffff0000));
}

void guest_main(void)
{
	test_features();
	test_limits();
	test_hypervisor();
}
