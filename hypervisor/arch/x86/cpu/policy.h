/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUID and MSR policies: representation. Private to arch/x86/cpu. */
#ifndef CPU_POLICY_PRIVATE_H
#define CPU_POLICY_PRIVATE_H

#include <hv/features.h>
#include <hv/policy.h>
#include <hv/types.h>
#include <xen/arch-x86/cpufeatureset.h>

#define POLICY_BASIC 14u	/* leaves 0 to 0xd */
#define POLICY_CACHE 6u		/* subleaves of leaf 4 */
#define POLICY_FEAT 3u		/* of leaf 7 */
#define POLICY_TOPO 2u		/* of leaf 0xb */
#define POLICY_XSTATE 63u	/* of leaf 0xd */
#define POLICY_EXTD 34u		/* leaves 0x80000000 to 0x80000021 */
#define EXTD_FIRST 0x80000000u

/*
 * Leaves as a guest is to see them, but for what changes while it runs (policy_guest.c). basic[] of leaves with subleaves
 * is not used. basic[0].a and extd[0].a are the highest leaves; all above is zero.
 */
struct cpu_policy {
	struct cpuid_leaf basic[POLICY_BASIC];
	struct cpuid_leaf cache[POLICY_CACHE], feat[POLICY_FEAT], topo[POLICY_TOPO], xstate[POLICY_XSTATE];
	struct cpuid_leaf extd[POLICY_EXTD];
	u64 arch_caps;		/* MSR_ARCH_CAPABILITIES; words 16 and 17 */
	u64 platform_info;	/* MSR_PLATFORM_INFO: bit 31, CPUID faulting */
};

#define PLATFORM_INFO_CPUID_FAULTING (1UL << 31)

/* The register (or half of an MSR) that a word of the featureset is. */
u32 policy_word(const struct cpu_policy *p, u32 word);
void policy_word_set(struct cpu_policy *p, u32 word, u32 val);
bool policy_has(const struct cpu_policy *p, u32 feature);
void policy_feature_set(struct cpu_policy *p, u32 feature, bool on);

/* Lists of features (policy_features.c): what PV guests can use at all, and what of it is not given unless asked for. */
void features_pv_max(u32 words[CPU_FEATURE_WORDS]);
void features_pv_optional(u32 words[CPU_FEATURE_WORDS]);
/* Clears every feature that needs another one which is not there. */
void features_close(u32 words[CPU_FEATURE_WORDS]);
/* Number of the feature of that name (as in cpufeatureset.h; any case, '-' and '_' alike); -ENOENT. */
int feature_by_name(const char *name);

/* Makes the rest of a policy fit its features: leaf 0xd, topology, leaves that PV guests do not have. */
void policy_settle(struct cpu_policy *p);
/* Bits of XCR0 that the features allow. */
u64 policy_xcr0_max(const struct cpu_policy *p);
/* Size of a standard-format xsave area with these bits of XCR0. */
u32 policy_xstate_size(const struct cpu_policy *p, u64 xcr0);
/* Takes leaves up from a reader: the raw policy of this machine. */
void policy_read(struct cpu_policy *p, struct cpuid_leaf (*read)(u32 leaf, u32 subleaf));
/* The field of p for a leaf; NULL when p does not have it. subleaf is ignored for leaves without. */
struct cpuid_leaf *policy_leaf(struct cpu_policy *p, u32 leaf, u32 subleaf);
bool policy_leaf_has_subleaves(u32 leaf);

#endif
