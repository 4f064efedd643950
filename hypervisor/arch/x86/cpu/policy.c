/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUID and MSR policies: built from this machine's CPUID. raw: as the CPU says. host: the same less what is switched off by
 * option. pv_max: what PV guests can have. pv_default: what they get. A domain starts with pv_default.
 */
#include "policy.h"

#include <hv/cmdline.h>
#include <hv/cpu.h>
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/frame.h>
#include <hv/log.h>
#include <hv/msr.h>
#include <hv/options.h>
#include <hv/string.h>
#include <hv/x86.h>
#include <xen/sysctl.h>

#define XCR0_FPU 1UL
#define XCR0_SSE 2UL
#define XCR0_AVX 4UL
#define XCR0_AVX512 0xe0UL

static struct cpu_policy raw, host, pv_max, pv_default;

/* cpuid= and dom0-cpuid=: features switched off or on. */
struct feature_switches {
	u32 off[CPU_FEATURE_WORDS], on[CPU_FEATURE_WORDS];
};

static struct feature_switches option_all, option_dom0;

static bool switch_set(void *ctx, const char *name, bool value)
{
	struct feature_switches *s = ctx;
	int n = feature_by_name(name);

	if (n < 0)
		return false;
	s->off[n / 32] &= ~(1u << n % 32);
	s->on[n / 32] &= ~(1u << n % 32);
	(value ? s->on : s->off)[n / 32] |= 1u << n % 32;
	return true;
}

static int cpuid_option(const char *text)
{
	return option_cpuid(text, switch_set, &option_all) ? -EINVAL : 0;
}

static int dom0_cpuid_option(const char *text)
{
	return option_cpuid(text, switch_set, &option_dom0) ? -EINVAL : 0;
}

BOOT_OPTION_CUSTOM("cpuid", cpuid_option, "CPU features switched off or on: no-avx,itsc,...");
BOOT_OPTION_CUSTOM("dom0-cpuid", dom0_cpuid_option, "the same, for dom0 alone");

/* ---- representation ---- */

/* Where a word of the featureset lies; words 16 and 17 are arch_caps. */
static u32 *word_place(struct cpu_policy *p, u32 word)
{
	switch (word) {
	case 0: return &p->basic[1].d;
	case 1: return &p->basic[1].c;
	case 2: return &p->extd[1].d;
	case 3: return &p->extd[1].c;
	case 4: return &p->xstate[1].a;
	case 5: return &p->feat[0].b;
	case 6: return &p->feat[0].c;
	case 7: return &p->extd[7].d;
	case 8: return &p->extd[8].b;
	case 9: return &p->feat[0].d;
	case 10: return &p->feat[1].a;
	case 11: return &p->extd[0x21].a;
	case 12: return &p->feat[1].b;
	case 13: return &p->feat[2].d;
	case 14: return &p->feat[1].c;
	case 15: return &p->feat[1].d;
	case 18: return &p->extd[0x21].c;
	default: return NULL;
	}
}

u32 policy_word(const struct cpu_policy *p, u32 word)
{
	if (word == 16 || word == 17)
		return (u32)(p->arch_caps >> (word == 17 ? 32 : 0));
	return *word_place((struct cpu_policy *)(uintptr_t)p, word);
}

void policy_word_set(struct cpu_policy *p, u32 word, u32 val)
{
	if (word == 16)
		p->arch_caps = (p->arch_caps & ~0xffffffffUL) | val;
	else if (word == 17)
		p->arch_caps = (u32)p->arch_caps | (u64)val << 32;
	else
		*word_place(p, word) = val;
}

bool policy_has(const struct cpu_policy *p, u32 feature)
{
	return (policy_word(p, feature / 32) >> feature % 32 & 1) != 0;
}

void policy_feature_set(struct cpu_policy *p, u32 feature, bool on)
{
	u32 bit = 1u << feature % 32, val = policy_word(p, feature / 32);

	policy_word_set(p, feature / 32, on ? val | bit : val & ~bit);
}

bool policy_leaf_has_subleaves(u32 leaf)
{
	return leaf == 4 || leaf == 7 || leaf == 0xb || leaf == 0xd;
}

static struct cpuid_leaf *subleaf_place(struct cpuid_leaf *leaves, u32 count, u32 subleaf)
{
	return subleaf < count ? &leaves[subleaf] : NULL;
}

struct cpuid_leaf *policy_leaf(struct cpu_policy *p, u32 leaf, u32 subleaf)
{
	if (leaf - EXTD_FIRST < POLICY_EXTD)
		return &p->extd[leaf - EXTD_FIRST];
	switch (leaf) {
	case 4: return subleaf_place(p->cache, POLICY_CACHE, subleaf);
	case 7: return subleaf_place(p->feat, POLICY_FEAT, subleaf);
	case 0xb: return subleaf_place(p->topo, POLICY_TOPO, subleaf);
	case 0xd: return subleaf_place(p->xstate, POLICY_XSTATE, subleaf);
	default: return leaf < POLICY_BASIC ? &p->basic[leaf] : NULL;
	}
}

/* ---- xsave layout ---- */

u64 policy_xcr0_max(const struct cpu_policy *p)
{
	u64 xcr0 = XCR0_FPU | XCR0_SSE;

	if (!policy_has(p, XEN_X86_FEATURE_XSAVE))
		return 0;
	if (policy_has(p, XEN_X86_FEATURE_AVX))
		xcr0 |= XCR0_AVX;
	if (policy_has(p, XEN_X86_FEATURE_AVX512F))
		xcr0 |= XCR0_AVX512;
	return xcr0;
}

u32 policy_xstate_size(const struct cpu_policy *p, u64 xcr0)
{
	u32 size = 512 + 64;

	for (u32 i = 2; i < POLICY_XSTATE; i++)
		if (xcr0 >> i & 1)
			size = MAX(size, p->xstate[i].a + p->xstate[i].b);
	return size;
}

static void xstate_settle(struct cpu_policy *p)
{
	u64 xcr0 = policy_xcr0_max(p);
	u32 word4 = p->xstate[1].a;

	if (!xcr0) {
		memset(p->xstate, 0, sizeof(p->xstate));
		return;
	}
	p->xstate[0].a = (u32)xcr0;
	p->xstate[0].d = (u32)(xcr0 >> 32);
	p->xstate[0].b = p->xstate[0].c = policy_xstate_size(p, xcr0);
	/* No supervisor states: XSAVES is not for PV guests. */
	p->xstate[1] = (struct cpuid_leaf){ .a = word4 };
	for (u32 i = 2; i < POLICY_XSTATE; i++)
		if (!(xcr0 >> i & 1))
			p->xstate[i] = (struct cpuid_leaf){ 0 };
}

/* ---- topology and the rest ---- */

/* Each vCPU is a package with one core and one thread: nothing is known of where it runs. */
static void topology_settle(struct cpu_policy *p)
{
	p->basic[1].b = (p->basic[1].b & 0x0000ffff) | 1u << 16;
	for (u32 i = 0; i < POLICY_CACHE; i++)
		p->cache[i].a &= 0x3fff;
	p->topo[0] = (struct cpuid_leaf){ .a = 0, .b = 1, .c = 0x100 };
	p->topo[1] = (struct cpuid_leaf){ .a = 0, .b = 1, .c = 0x201 };
	p->extd[8].c = 0;
	p->extd[0x1e] = (struct cpuid_leaf){ 0 };
	p->extd[0x1d].a &= 0x3fff;
}

static void leaves_clear(struct cpuid_leaf *leaves, const u8 *which, size_t count)
{
	for (size_t i = 0; i < count; i++)
		leaves[which[i]] = (struct cpuid_leaf){ 0 };
}

void policy_settle(struct cpu_policy *p)
{
	/* Serial number, MONITOR, power, direct cache access, performance counters. */
	static const u8 basic_none[] = { 3, 4, 5, 6, 7, 8, 9, 0xa, 0xb, 0xc, 0xd };
	/* SVM, 1 GiB TLB, IBS, lightweight profiling, cache and node topology (TOPOEXT), memory encryption, QoS. */
	static const u8 extd_none[] = { 9, 0xa, 0xb, 0xc, 0xd, 0xe, 0xf, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18,
					0x19, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f, 0x20 };

	p->basic[0].a = MIN(p->basic[0].a, POLICY_BASIC - 1);
	p->extd[0].a = MIN(p->extd[0].a, EXTD_FIRST + POLICY_EXTD - 1);
	leaves_clear(p->basic, basic_none, ARRAY_SIZE(basic_none));
	leaves_clear(p->extd, extd_none, ARRAY_SIZE(extd_none));
	xstate_settle(p);
	topology_settle(p);
	/* Of these only the features are known. */
	p->feat[0].a = MIN(p->feat[0].a, POLICY_FEAT - 1);
	p->feat[2] = (struct cpuid_leaf){ .d = p->feat[2].d };
	p->extd[7] = (struct cpuid_leaf){ .d = p->extd[7].d };
	p->extd[8].d = 0;
	p->extd[0x21] = (struct cpuid_leaf){ .a = p->extd[0x21].a, .c = p->extd[0x21].c };
}

/* ---- the machine's ---- */

void policy_read(struct cpu_policy *p, struct cpuid_leaf (*read)(u32 leaf, u32 subleaf))
{
	u32 max = MIN(read(0, 0).a, POLICY_BASIC - 1), ext_max = read(EXTD_FIRST, 0).a;

	memset(p, 0, sizeof(*p));
	for (u32 i = 0; i <= max; i++)
		if (!policy_leaf_has_subleaves(i))
			p->basic[i] = read(i, 0);
	for (u32 i = 0; max >= 4 && i < POLICY_CACHE; i++)
		p->cache[i] = read(4, i);
	for (u32 i = 0; max >= 7 && i < POLICY_FEAT && (i == 0 || i <= p->feat[0].a); i++)
		p->feat[i] = read(7, i);
	for (u32 i = 0; max >= 0xb && i < POLICY_TOPO; i++)
		p->topo[i] = read(0xb, i);
	for (u32 i = 0; max >= 0xd && i < POLICY_XSTATE; i++)
		p->xstate[i] = read(0xd, i);
	if (ext_max >> 16 != EXTD_FIRST >> 16)
		return;
	for (u32 i = 0; i < POLICY_EXTD && EXTD_FIRST + i <= ext_max; i++)
		p->extd[i] = read(EXTD_FIRST + i, 0);
}

static void words_get(const struct cpu_policy *p, u32 *words)
{
	for (u32 i = 0; i < CPU_FEATURE_WORDS; i++)
		words[i] = policy_word(p, i);
}

static void words_put(struct cpu_policy *p, const u32 *words)
{
	for (u32 i = 0; i < CPU_FEATURE_WORDS; i++)
		policy_word_set(p, i, words[i]);
}

/* AMD repeats word 0's common features in word 2. */
#define EXTD_COMMON 0x0183f3ffu

static void words_mirror(const struct cpu_policy *p, u32 *words)
{
	bool amd = p->basic[0].b == 0x68747541 || p->basic[0].b == 0x6f677948;

	words[2] &= ~EXTD_COMMON;
	if (amd)
		words[2] |= words[0] & EXTD_COMMON;
}

/* States that the CPU does not save are not there, whatever the feature bits say. */
static void words_limit_xstate(u32 *words)
{
	u64 xcr0 = cpu_has(CPU_XSAVE) ? host.xstate[0].a : 0;

	if ((xcr0 & (XCR0_FPU | XCR0_SSE)) != (XCR0_FPU | XCR0_SSE))
		words[1] &= ~(1u << XEN_X86_FEATURE_XSAVE % 32);
	if (!(xcr0 & XCR0_AVX))
		words[1] &= ~(1u << XEN_X86_FEATURE_AVX % 32);
	if ((xcr0 & XCR0_AVX512) != XCR0_AVX512)
		words[5] &= ~(1u << XEN_X86_FEATURE_AVX512F % 32);
}

static void pv_max_make(void)
{
	u32 words[CPU_FEATURE_WORDS], allowed[CPU_FEATURE_WORDS];

	pv_max = host;
	features_pv_max(allowed);
	words_get(&host, words);
	for (u32 i = 0; i < CPU_FEATURE_WORDS; i++)
		words[i] &= allowed[i];
	words[1] |= 1u << XEN_X86_FEATURE_HYPERVISOR % 32;
	words[0] |= 1u << XEN_X86_FEATURE_APIC % 32;
	words_limit_xstate(words);
	features_close(words);
	words_mirror(&host, words);
	words_put(&pv_max, words);
	policy_settle(&pv_max);
}

static void switches_apply(struct cpu_policy *p, const struct feature_switches *s)
{
	u32 words[CPU_FEATURE_WORDS];

	words_get(p, words);
	for (u32 i = 0; i < CPU_FEATURE_WORDS; i++)
		words[i] = (words[i] & ~s->off[i]) | (s->on[i] & policy_word(&pv_max, i));
	features_close(words);
	words_mirror(p, words);
	words_put(p, words);
	policy_settle(p);
}

static void pv_default_make(void)
{
	u32 words[CPU_FEATURE_WORDS], optional[CPU_FEATURE_WORDS];

	pv_default = pv_max;
	features_pv_optional(optional);
	words_get(&pv_max, words);
	for (u32 i = 0; i < CPU_FEATURE_WORDS; i++)
		words[i] &= ~optional[i];
	words_put(&pv_default, words);
	switches_apply(&pv_default, &option_all);
}

void cpu_policy_init(void)
{
	u64 val;

	policy_read(&raw, cpuid_host);
	if (policy_has(&raw, XEN_X86_FEATURE_ARCH_CAPS) && !rdmsr_safe(MSR_ARCH_CAPABILITIES, &val))
		raw.arch_caps = val;
	if (cpu_has(CPU_CPUID_FAULTING))
		raw.platform_info = PLATFORM_INFO_CPUID_FAULTING;
	host = raw;
	for (u32 i = 0; i < CPU_FEATURE_WORDS; i++)
		policy_word_set(&host, i, policy_word(&raw, i) & ~option_all.off[i]);
	pv_max_make();
	pv_default_make();
}

const struct cpu_policy *cpu_policy_system(u32 index)
{
	switch (index) {
	case XEN_SYSCTL_cpu_policy_raw: return &raw;
	case XEN_SYSCTL_cpu_policy_host: return &host;
	case XEN_SYSCTL_cpu_policy_pv_max: return &pv_max;
	case XEN_SYSCTL_cpu_policy_pv_default: return &pv_default;
	default: return NULL;
	}
}

int cpu_featureset_get(u32 index, u32 words[CPU_FEATURE_WORDS])
{
	switch (index) {
	case XEN_SYSCTL_cpu_featureset_raw: words_get(&raw, words); return 0;
	case XEN_SYSCTL_cpu_featureset_host: words_get(&host, words); return 0;
	case XEN_SYSCTL_cpu_featureset_pv: words_get(&pv_default, words); return 0;
	case XEN_SYSCTL_cpu_featureset_pv_max: words_get(&pv_max, words); return 0;
	case XEN_SYSCTL_cpu_featureset_hvm:
	case XEN_SYSCTL_cpu_featureset_hvm_max:
		return -EOPNOTSUPP;
	default:
		return -EINVAL;
	}
}

/* ---- a domain's ---- */

int cpu_policy_create(struct domain *d)
{
	struct cpu_policy *p = hv_alloc(sizeof(*p));

	if (!p)
		return -ENOMEM;
	*p = pv_default;
	if (d->privileged) {
		/* It stays on this machine. */
		policy_feature_set(p, XEN_X86_FEATURE_ITSC, policy_has(&pv_max, XEN_X86_FEATURE_ITSC));
		switches_apply(p, &option_dom0);
	}
	d->policy = p;
	return 0;
}

void cpu_policy_free(struct domain *d)
{
	hv_free(d->policy);
	d->policy = NULL;
}
