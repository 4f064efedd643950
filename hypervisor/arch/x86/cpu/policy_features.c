/* SPDX-License-Identifier: BSD-2-Clause */
/* Which CPU features PV guests can have, and what features need each other. */
#include "policy.h"

#include <hv/errno.h>

#define F(name) XEN_X86_FEATURE_##name

/*
 * Features whose instructions work in ring 3 without help, or that the hypervisor emulates, or that say something about the CPU.
 * Not here: paging features (the hypervisor owns the tables), what only ring 0 can use, what has state that is not switched.
 */
static const u16 pv_features[] = {
	F(FPU), F(DE), F(TSC), F(MSR), F(PAE), F(MCE), F(CX8), F(APIC), F(SEP), F(MCA), F(CMOV), F(PAT), F(CLFLUSH), F(MMX),
	F(FXSR), F(SSE), F(SSE2), F(SS),
	F(SSE3), F(PCLMULQDQ), F(SSSE3), F(FMA), F(CX16), F(SSE4_1), F(SSE4_2), F(MOVBE), F(POPCNT), F(AESNI), F(XSAVE),
	F(AVX), F(F16C), F(RDRAND), F(HYPERVISOR),
	F(SYSCALL), F(NX), F(MMXEXT), F(FFXSR), F(RDTSCP), F(LM), F(3DNOWEXT), F(3DNOW),
	F(LAHF_LM), F(ABM), F(SSE4A), F(MISALIGNSSE), F(3DNOWPREFETCH), F(XOP), F(FMA4), F(TBM),
	F(XSAVEOPT), F(XSAVEC), F(XGETBV1),
	F(FSGSBASE), F(BMI1), F(HLE), F(AVX2), F(FDP_EXCP_ONLY), F(BMI2), F(ERMS), F(RTM), F(NO_FPU_SEL), F(AVX512F),
	F(AVX512DQ), F(RDSEED), F(ADX), F(AVX512_IFMA), F(CLFLUSHOPT), F(CLWB), F(AVX512PF), F(AVX512ER), F(AVX512CD), F(SHA),
	F(AVX512BW), F(AVX512VL),
	F(PREFETCHWT1), F(AVX512_VBMI), F(AVX512_VBMI2), F(GFNI), F(VAES), F(VPCLMULQDQ), F(AVX512_VNNI),
	F(AVX512_BITALG), F(AVX512_VPOPCNTDQ), F(RDPID), F(CLDEMOTE), F(MOVDIRI), F(MOVDIR64B),
	F(ITSC),
	F(CLZERO), F(RSTR_FP_ERR_PTRS), F(IBPB), F(SSB_NO), F(BTC_NO), F(IBPB_RET),
	F(AVX512_4VNNIW), F(AVX512_4FMAPS), F(FSRM), F(AVX512_VP2INTERSECT), F(MD_CLEAR), F(SERIALIZE), F(TSXLDTRK),
	F(AVX512_FP16), F(IBRSB), F(STIBP), F(ARCH_CAPS), F(SSBD),
	F(AVX_VNNI), F(AVX512_BF16), F(FZRM), F(FSRS), F(FSRCS),
	F(LFENCE_DISPATCH), F(VERW_CLEAR), F(NSCB), F(SRSO_NO), F(SRSO_US_NO),
	F(INTEL_PSFD), F(MCDT_NO),
	F(RDCL_NO), F(INTEL_SSB_NO), F(MDS_NO), F(IF_PSCHANGE_MC_NO), F(TAA_NO), F(SBDR_SSDP_NO), F(FBSDP_NO), F(PSDP_NO),
	F(FB_CLEAR), F(BHI_NO), F(PBRSB_NO), F(GDS_NO), F(RFDS_NO), F(RFDS_CLEAR), F(ITS_NO),
	F(TSA_SQ_NO), F(TSA_L1_NO),
};

/* Given only when asked for: they stop a guest from moving to another machine, or are risky. */
static const u16 pv_optional_features[] = {
	F(ITSC), F(HLE), F(RTM), F(MOVDIRI), F(MOVDIR64B), F(AVX512_VP2INTERSECT), F(TSXLDTRK),
};

/* The second needs the first. In an order such that one pass is enough. */
static const u16 needs[][2] = {
	{ F(FPU), F(MMX) }, { F(MMX), F(MMXEXT) }, { F(MMX), F(3DNOW) }, { F(3DNOW), F(3DNOWEXT) },
	{ F(FXSR), F(FFXSR) }, { F(FXSR), F(SSE) }, { F(SSE), F(SSE2) }, { F(SSE2), F(LM) }, { F(SSE2), F(SSE3) },
	{ F(SSE2), F(AESNI) }, { F(SSE2), F(PCLMULQDQ) }, { F(SSE2), F(SHA) }, { F(SSE2), F(GFNI) },
	{ F(SSE3), F(SSSE3) }, { F(SSE3), F(SSE4A) }, { F(SSSE3), F(SSE4_1) }, { F(SSE4_1), F(SSE4_2) },
	{ F(SSE), F(MISALIGNSSE) }, { F(APIC), F(X2APIC) }, { F(LM), F(CX16) }, { F(LM), F(LAHF_LM) }, { F(TSC), F(RDTSCP) },
	{ F(TSC), F(ITSC) },
	{ F(XSAVE), F(XSAVEOPT) }, { F(XSAVE), F(XSAVEC) }, { F(XSAVE), F(XGETBV1) }, { F(XSAVEC), F(XSAVES) },
	{ F(XSAVE), F(AVX) }, { F(SSE4_2), F(AVX) }, { F(AVX), F(FMA) }, { F(AVX), F(FMA4) }, { F(AVX), F(XOP) },
	{ F(AVX), F(F16C) }, { F(AVX), F(AVX2) }, { F(AVX), F(VAES) }, { F(AESNI), F(VAES) }, { F(AVX), F(VPCLMULQDQ) },
	{ F(PCLMULQDQ), F(VPCLMULQDQ) }, { F(AVX2), F(AVX_VNNI) }, { F(AVX2), F(AVX512F) },
	{ F(AVX512F), F(AVX512DQ) }, { F(AVX512F), F(AVX512_IFMA) }, { F(AVX512F), F(AVX512PF) }, { F(AVX512F), F(AVX512ER) },
	{ F(AVX512F), F(AVX512CD) }, { F(AVX512F), F(AVX512BW) }, { F(AVX512F), F(AVX512VL) }, { F(AVX512F), F(AVX512_VNNI) },
	{ F(AVX512F), F(AVX512_VPOPCNTDQ) }, { F(AVX512F), F(AVX512_4VNNIW) }, { F(AVX512F), F(AVX512_4FMAPS) },
	{ F(AVX512F), F(AVX512_VP2INTERSECT) }, { F(AVX512BW), F(AVX512_VBMI) }, { F(AVX512BW), F(AVX512_VBMI2) },
	{ F(AVX512BW), F(AVX512_BITALG) }, { F(AVX512BW), F(AVX512_BF16) }, { F(AVX512BW), F(AVX512_FP16) },
	{ F(RTM), F(TSXLDTRK) }, { F(IBRSB), F(STIBP) }, { F(IBRSB), F(SSBD) }, { F(IBRSB), F(INTEL_PSFD) },
};

static void words_add(u32 *words, const u16 *features, size_t count)
{
	for (size_t i = 0; i < CPU_FEATURE_WORDS; i++)
		words[i] = 0;
	for (size_t i = 0; i < count; i++)
		words[features[i] / 32] |= 1u << features[i] % 32;
}

void features_pv_max(u32 words[CPU_FEATURE_WORDS])
{
	words_add(words, pv_features, ARRAY_SIZE(pv_features));
}

void features_pv_optional(u32 words[CPU_FEATURE_WORDS])
{
	words_add(words, pv_optional_features, ARRAY_SIZE(pv_optional_features));
}

static bool word_test(const u32 *words, u32 feature)
{
	return (words[feature / 32] >> feature % 32 & 1) != 0;
}

void features_close(u32 words[CPU_FEATURE_WORDS])
{
	for (size_t i = 0; i < ARRAY_SIZE(needs); i++)
		if (!word_test(words, needs[i][0]))
			words[needs[i][1] / 32] &= ~(1u << needs[i][1] % 32);
	/* Words 16 and 17 are an MSR that has to be there. */
	if (!word_test(words, F(ARCH_CAPS)))
		words[16] = words[17] = 0;
}

struct feature_name {
	const char *name;
	u16 value;
};

static const struct feature_name names[] = {
#undef XEN_CPUFEATURE
#define XEN_CPUFEATURE(name, value) { #name, value },
#include <xen/arch-x86/cpufeatureset.h>
#undef XEN_CPUFEATURE
};

static char letter(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	return c == '_' ? '-' : c;
}

int feature_by_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		size_t n = 0;

		while (name[n] && letter(name[n]) == letter(names[i].name[n]))
			n++;
		if (letter(name[n]) == letter(names[i].name[n]))
			return names[i].value;
	}
	return -ENOENT;
}
