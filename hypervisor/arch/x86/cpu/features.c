/* SPDX-License-Identifier: BSD-2-Clause */
/* What the CPU can do, and the control registers that follow from it. */
#include <hv/cmdline.h>
#include <hv/cpu.h>
#include <hv/features.h>
#include <hv/log.h>
#include <hv/x86.h>

#include "cpu.h"

#define MSR_PLATFORM_INFO 0xce
#define PLATFORM_CPUID_FAULTING (1UL << 31)

bool cpu_feature[CPU_FEATURES];

static bool opt_smep = true, opt_smap = true, opt_fsgsbase = true, opt_xsave = true;
BOOT_OPTION_BOOL("smep", opt_smep, "Use supervisor-mode execution prevention.");
BOOT_OPTION_BOOL("smap", opt_smap, "Use supervisor-mode access prevention.");
BOOT_OPTION_BOOL("fsgsbase", opt_fsgsbase, "Let guests use the FSGSBASE instructions.");
BOOT_OPTION_BOOL("xsave", opt_xsave, "Use XSAVE and what needs it.");

enum cpuid_register { EAX, EBX, ECX, EDX };

/* Where CPUID says so. Leaves above the CPU's highest count as zero. */
static const struct {
	u32 leaf, subleaf;
	u8 reg, bit;
	u8 feature;
} cpuid_bits[] = {
	{ 1, 0, ECX, 3, CPU_MWAIT }, { 1, 0, ECX, 5, CPU_VMX }, { 1, 0, ECX, 17, CPU_PCID }, { 1, 0, ECX, 21, CPU_X2APIC },
	{ 1, 0, ECX, 24, CPU_TSC_DEADLINE }, { 1, 0, ECX, 26, CPU_XSAVE }, { 1, 0, ECX, 30, CPU_RDRAND },
	{ 1, 0, EDX, 11, CPU_SYSENTER },
	{ 6, 0, EAX, 2, CPU_ARAT },
	{ 7, 0, EBX, 0, CPU_FSGSBASE }, { 7, 0, EBX, 7, CPU_SMEP }, { 7, 0, EBX, 9, CPU_ERMS }, { 7, 0, EBX, 10, CPU_INVPCID },
	{ 7, 0, EBX, 20, CPU_SMAP }, { 7, 0, ECX, 2, CPU_UMIP }, { 7, 0, ECX, 3, CPU_PKU }, { 7, 0, ECX, 16, CPU_LA57 },
	{ 7, 0, EDX, 4, CPU_FSRM }, { 7, 0, EDX, 10, CPU_MD_CLEAR }, { 7, 0, EDX, 26, CPU_IBRS }, { 7, 0, EDX, 26, CPU_IBPB },
	{ 7, 0, EDX, 27, CPU_STIBP }, { 7, 0, EDX, 29, CPU_ARCH_CAPS }, { 7, 0, EDX, 31, CPU_SSBD },
	{ 0xd, 1, EAX, 0, CPU_XSAVEOPT }, { 0xd, 1, EAX, 1, CPU_XSAVEC }, { 0xd, 1, EAX, 3, CPU_XSAVES },
	{ 0x80000001, 0, ECX, 2, CPU_SVM }, { 0x80000001, 0, ECX, 26, CPU_DEBUG_EXT }, { 0x80000001, 0, EDX, 20, CPU_NX },
	{ 0x80000001, 0, EDX, 26, CPU_1G_PAGES }, { 0x80000001, 0, EDX, 27, CPU_RDTSCP },
	{ 0x80000007, 0, EDX, 8, CPU_INVARIANT_TSC },
	{ 0x80000008, 0, EBX, 12, CPU_IBPB }, { 0x80000008, 0, EBX, 14, CPU_IBRS }, { 0x80000008, 0, EBX, 15, CPU_STIBP },
	{ 0x80000008, 0, EBX, 24, CPU_SSBD }, { 0x80000021, 0, EAX, 17, CPU_CPUID_FAULTING },
};

struct cpuid_leaf cpuid_host(u32 leaf, u32 subleaf)
{
	struct cpuid_leaf r;

	__asm__ volatile("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "a"(leaf), "c"(subleaf));
	return r;
}

static bool cpuid_bit(u32 leaf, u32 subleaf, unsigned int reg, unsigned int bit)
{
	u32 value[4];
	struct cpuid_leaf r = cpuid_host(leaf & 0x80000000, 0);

	if (r.a < leaf || (r.a ^ leaf) & 0x80000000)
		return false;
	r = cpuid_host(leaf, subleaf);
	value[EAX] = r.a;
	value[EBX] = r.b;
	value[ECX] = r.c;
	value[EDX] = r.d;
	return value[reg] >> bit & 1;
}

unsigned int physical_address_bits(void)
{
	if (cpuid_host(0x80000000, 0).a < 0x80000008)
		return 36;
	return cpuid_host(0x80000008, 0).a & 0xff;
}

static void vendor_detect(bool *feature)
{
	struct cpuid_leaf r = cpuid_host(0, 0);

	/* The three registers hold the name: AuthenticAMD, HygonGenuine, GenuineIntel. */
	feature[CPU_AMD] = r.b == 0x68747541 || r.b == 0x6f677948;
	feature[CPU_INTEL] = r.b == 0x756e6547;
}

static void features_detect(bool *feature)
{
	u64 msr;

	vendor_detect(feature);
	for (unsigned int i = 0; i < ARRAY_SIZE(cpuid_bits); i++)
		if (cpuid_bit(cpuid_bits[i].leaf, cpuid_bits[i].subleaf, cpuid_bits[i].reg, cpuid_bits[i].bit))
			feature[cpuid_bits[i].feature] = true;
	feature[CPU_SMEP] &= opt_smep;
	feature[CPU_SMAP] &= opt_smap;
	feature[CPU_FSGSBASE] &= opt_fsgsbase;
	feature[CPU_XSAVE] &= opt_xsave;
	feature[CPU_XSAVEOPT] &= feature[CPU_XSAVE];
	feature[CPU_XSAVEC] &= feature[CPU_XSAVE];
	feature[CPU_XSAVES] &= feature[CPU_XSAVE];
	/* AMD's long mode has SYSCALL from 32-bit code and no SYSENTER, Intel's the reverse. */
	feature[CPU_SYSCALL32] = feature[CPU_AMD];
	feature[CPU_SYSENTER] &= !feature[CPU_AMD];
	if (feature[CPU_INTEL] && rdmsr_safe(MSR_PLATFORM_INFO, &msr) == 0 && (msr & PLATFORM_CPUID_FAULTING))
		feature[CPU_CPUID_FAULTING] = true;
}

static u64 cr4_wanted(void)
{
	u64 cr4 = CR4_PAE | CR4_PGE | CR4_MCE | CR4_DE | CR4_OSFXSR | CR4_OSXMMEXCPT;

	if (cpu_has(CPU_FSGSBASE))
		cr4 |= CR4_FSGSBASE;
	if (cpu_has(CPU_XSAVE))
		cr4 |= CR4_OSXSAVE;
	if (cpu_has(CPU_SMEP))
		cr4 |= CR4_SMEP;
	if (cpu_has(CPU_SMAP))
		cr4 |= CR4_SMAP;
	return cr4;
}

/* What may differ between the CPUs of one machine without harm to anyone. */
static bool feature_optional(unsigned int f)
{
	return f == CPU_SVM || f == CPU_VMX || f == CPU_MWAIT || f == CPU_ARAT;
}

void features_init(void)
{
	bool mine[CPU_FEATURES] = { false };

	if (this_cpu() == 0) {
		features_detect(cpu_feature);
	} else {
		features_detect(mine);
		for (unsigned int f = 0; f < CPU_DO_LFENCE_JUMP; f++)
			if (cpu_feature[f] && !mine[f] && !feature_optional(f))
				log_err("CPU %u lacks feature %u that CPU 0 has", this_cpu(), f);
	}
	cr4_write_reg(cr4_wanted());
	fpu_init_cpu();
}
