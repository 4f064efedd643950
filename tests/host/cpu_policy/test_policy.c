/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUID and MSR policies, on made-up CPUs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/frame.h>
#include <hv/mm.h>
#include <hv/msr.h>
#include <hv/options.h>
#include <hv/pv.h>
#include <hv/string.h>
#include <hv/time.h>
#include <hv/x86.h>
#include <xen/sysctl.h>
/* For its option parsers. */
#include "../../../hypervisor/arch/x86/cpu/policy.c"

bool cpu_feature[CPU_FEATURES];
u64 frame_limit = 0x140000;
static u64 xcr0 = 7, written;
static u32 written_msr;

/* ---- the machine ---- */

static struct cpuid_leaf amd(u32 leaf, u32 subleaf)
{
	struct cpuid_leaf l = { 0 };

	switch (leaf) {
	case 0: return (struct cpuid_leaf){ 0x10, 0x68747541, 0x444d4163, 0x69746e65 };
	case 1: return (struct cpuid_leaf){ 0x800f12, 0x03080800, 0xffffffff, 0xffffffff };
	case 4: return (struct cpuid_leaf){ 0xfc004121, 1, 2, 3 };
	case 6: return (struct cpuid_leaf){ 4, 0, 0, 0 };
	case 7: return subleaf == 0 ? (struct cpuid_leaf){ 0, 0xffffffff, 0xffffffff, 0 } : l;
	case 0xb: return (struct cpuid_leaf){ 1, 2, 0x100 | subleaf, 3 };
	case 0xd:
		switch (subleaf) {
		case 0: return (struct cpuid_leaf){ 0x207, 832, 2696, 0 };
		case 1: return (struct cpuid_leaf){ 0xf, 832, 0, 0 };
		case 2: return (struct cpuid_leaf){ 256, 576, 0, 0 };
		case 9: return (struct cpuid_leaf){ 8, 2688, 0, 0 };
		default: return l;
		}
	case 0x80000000: return (struct cpuid_leaf){ 0x8000001f, 0x68747541, 0x444d4163, 0x69746e65 };
	case 0x80000001: return (struct cpuid_leaf){ 0x800f12, 0, 0xffffffff, 0xffffffff };
	case 0x80000007: return (struct cpuid_leaf){ 1, 2, 3, 0x7ff };
	case 0x80000008: return (struct cpuid_leaf){ 0x3030, 0x1007, 0x5003, 0 };
	case 0x8000000a: return (struct cpuid_leaf){ 1, 0x8000, 0, 0xff };
	case 0x8000001f: return (struct cpuid_leaf){ 3, 5, 7, 9 };
	default: return (struct cpuid_leaf){ leaf, leaf, leaf, leaf };
	}
}

struct cpuid_leaf cpuid_host(u32 leaf, u32 subleaf) { return amd(leaf, subleaf); }
u64 rdmsr(u32 msr) { return msr == MSR_EFER ? 0x5d01 : 0; }
int rdmsr_safe(u32 msr, u64 *val) { *val = msr; return msr == MSR_MTRR_CAP ? -EFAULT : 0; }
void wrmsr(u32 msr, u64 val) { written_msr = msr; written = val; }
int wrmsr_safe(u32 msr, u64 val) { wrmsr(msr, val); return 0; }
void spec_ctrl_load(u32 guest) { wrmsr(0x48, guest); }
u64 rdtsc(void) { return 777; }
u64 tsc_khz(void) { return 2000000; }
u32 tsc_guest_khz(const struct domain *d) { (void)d; return 1999; }
u64 tsc_guest_read(const struct domain *d) { (void)d; return 888; }
u64 xcr0_get(struct vcpu *v) { (void)v; return xcr0; }
void *hv_alloc(size_t size) { return calloc(1, size); }
void hv_free(void *p) { free(p); }

/* ---- a domain with one vCPU ---- */

static struct vcpu_info info;
static struct pv_vcpu pv;
static struct domain dom;
static struct vcpu vcpu = { .domain = &dom, .info = &info, .pv = &pv, .id = 3 };

static struct vcpu *domain(bool privileged)
{
	cpu_policy_free(&dom);
	memset(&dom, 0, sizeof(dom));
	memset(&pv, 0, sizeof(pv));
	dom.privileged = privileged;
	assert_int_equal(cpu_policy_create(&dom), 0);
	return &vcpu;
}

static bool has(struct vcpu *v, u32 feature)
{
	return policy_has(v->domain->policy, feature);
}

static int setup(void **state)
{
	(void)state;
	cpu_feature[CPU_AMD] = cpu_feature[CPU_INVARIANT_TSC] = cpu_feature[CPU_XSAVE] = true;
	cpu_policy_init();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	cpu_policy_free(&dom);
	return 0;
}

static void test_features(void **state)
{
	struct vcpu *v = domain(false);
	struct cpuid_leaf l = cpuid_guest(v, 1, 0);

	(void)state;
	assert_true(has(v, XEN_X86_FEATURE_AVX2) && has(v, XEN_X86_FEATURE_FSGSBASE) && has(v, XEN_X86_FEATURE_RDTSCP));
	assert_false(has(v, XEN_X86_FEATURE_VME) || has(v, XEN_X86_FEATURE_PSE) || has(v, XEN_X86_FEATURE_PGE) ||
		     has(v, XEN_X86_FEATURE_PCID) || has(v, XEN_X86_FEATURE_SMEP) || has(v, XEN_X86_FEATURE_SMAP) ||
		     has(v, XEN_X86_FEATURE_UMIP) || has(v, XEN_X86_FEATURE_PKU) || has(v, XEN_X86_FEATURE_SVM) ||
		     has(v, XEN_X86_FEATURE_VMX) || has(v, XEN_X86_FEATURE_PAGE1GB) || has(v, XEN_X86_FEATURE_MONITOR) ||
		     has(v, XEN_X86_FEATURE_TSC_DEADLINE) || has(v, XEN_X86_FEATURE_X2APIC) || has(v, XEN_X86_FEATURE_MTRR) ||
		     has(v, XEN_X86_FEATURE_INVPCID) || has(v, XEN_X86_FEATURE_XSAVES) || has(v, XEN_X86_FEATURE_ITSC));
	assert_true(l.c >> 31);
	assert_int_equal(l.b >> 24, 3);
	assert_int_equal(l.b >> 16 & 0xff, 1);
	/* OSXSAVE follows CR4 in user mode. */
	assert_false(l.c >> 27 & 1);
	pv.cr4_guest = CR4_OSXSAVE;
	assert_true(cpuid_guest(v, 1, 0).c >> 27 & 1);
	pv.cr4_guest = 0;
	pv.kernel_mode = true;
	assert_true(cpuid_guest(v, 1, 0).c >> 27 & 1);
	/* AMD repeats common features. */
	assert_int_equal(cpuid_guest(v, 0x80000001, 0).d & 0x0183f3ff, l.d & 0x0183f3ff);
	assert_true(has(domain(true), XEN_X86_FEATURE_ITSC));
}

static void test_leaves(void **state)
{
	struct vcpu *v = domain(false);
	struct cpuid_leaf l;

	(void)state;
	assert_int_equal(cpuid_guest(v, 0, 0).a, 0xd);
	assert_int_equal(cpuid_guest(v, 0x10, 0).b, 0);
	assert_int_equal(cpuid_guest(v, 6, 0).a, 0);
	assert_int_equal(cpuid_guest(v, 0x80000000, 0).a, 0x8000001f);
	assert_int_equal(cpuid_guest(v, 0x80000020, 0).a, 0);
	assert_int_equal(cpuid_guest(v, 0x80000002, 0).a, 0x80000002);
	assert_int_equal(cpuid_guest(v, 0x8000000a, 0).a, 0);
	assert_int_equal(cpuid_guest(v, 0x8000001f, 0).a, 0);
	l = cpuid_guest(v, 0x80000008, 0);
	assert_int_equal(l.a, 0x3030);
	assert_int_equal(l.b, 0x1005);
	assert_int_equal(l.c, 0);
	l = cpuid_guest(v, 0xb, 1);
	assert_int_equal(l.d, 3);
	assert_int_equal(l.b, 1);
	/* The xsave area: AVX but no PKRU. */
	xcr0 = 3;
	l = cpuid_guest(v, 0xd, 0);
	assert_int_equal(l.a, 7);
	assert_int_equal(l.b, 576);
	assert_int_equal(l.c, 832);
	xcr0 = 7;
	assert_int_equal(cpuid_guest(v, 0xd, 0).b, 832);
	assert_int_equal(cpuid_guest(v, 0xd, 1).b, 832);
	assert_int_equal(cpuid_guest(v, 0xd, 1).a, 7);
	assert_int_equal(cpuid_guest(v, 0xd, 9).a, 0);
	assert_int_equal(cpuid_guest(v, 0xd, 2).b, 576);
	assert_int_equal(cpuid_guest(v, 0xd, 1000).b, 0);
}

static void test_hypervisor_leaves(void **state)
{
	struct vcpu *v = domain(false);
	struct cpuid_leaf l = cpuid_guest(v, 0x40000000, 0);

	(void)state;
	assert_int_equal(l.a, 0x40000005);
	assert_memory_equal(&l.b, "XenVMMXenVMM", 12);
	assert_int_equal(cpuid_guest(v, 0x40000001, 0).a, 4 << 16 | 17);
	l = cpuid_guest(v, 0x40000002, 0);
	assert_int_equal(l.a, 1);
	assert_int_equal(l.b, 0x40000000);
	assert_int_equal(l.c, 1);
	assert_int_equal(cpuid_guest(v, 0x40000003, 0).c, 1999);
	assert_int_equal(cpuid_guest(v, 0x40000003, 2).a, 2000000);
	assert_int_equal(cpuid_guest(v, 0x40000005, 0).b, 33);
	assert_int_equal(cpuid_guest(v, 0x40000006, 0).a, 0);
	assert_int_equal(cpuid_guest(v, 0x40000100, 0).a, 0);
}

static void test_options(void **state)
{
	static const char off[] = "no-avx,no-rdrand,itsc", of_dom0[] = "no-fsgsbase";
	struct vcpu *v;

	(void)state;
	assert_int_equal(feature_by_name("md-clear"), XEN_X86_FEATURE_MD_CLEAR);
	assert_int_equal(feature_by_name("AVX512_VBMI2"), XEN_X86_FEATURE_AVX512_VBMI2);
	assert_int_equal(feature_by_name("avx512"), -ENOENT);
	assert_int_equal(feature_by_name(""), -ENOENT);
	assert_int_equal(cpuid_option(off), 0);
	assert_int_equal(dom0_cpuid_option(of_dom0), 0);
	assert_int_equal(cpuid_option("no-such-feature"), -EINVAL);
	cpu_policy_init();
	v = domain(false);
	assert_false(has(v, XEN_X86_FEATURE_AVX) || has(v, XEN_X86_FEATURE_AVX2) || has(v, XEN_X86_FEATURE_FMA) ||
		     has(v, XEN_X86_FEATURE_RDRAND));
	assert_true(has(v, XEN_X86_FEATURE_ITSC) && has(v, XEN_X86_FEATURE_FSGSBASE));
	assert_int_equal(cpuid_guest(v, 0xd, 0).a, 3);
	assert_int_equal(cpuid_guest(v, 0xd, 0).c, 576);
	assert_false(has(domain(true), XEN_X86_FEATURE_FSGSBASE));
}

static void test_list(void **state)
{
	struct xen_cpuid_leaf leaves[CPU_POLICY_LEAVES];
	struct xen_msr_entry msrs[CPU_POLICY_MSRS];
	struct cpu_policy_error err;
	u32 count, nr_msrs, words[CPU_FEATURE_WORDS];
	struct vcpu *v = domain(false);
	struct cpu_policy before = *dom.policy;

	(void)state;
	count = cpu_policy_leaves(dom.policy, leaves);
	nr_msrs = cpu_policy_msrs(dom.policy, msrs);
	assert_int_equal(count, 10 + 6 + 1 + 2 + 63 + 32);
	assert_int_equal(nr_msrs, 2);
	assert_int_equal(leaves[0].subleaf, XEN_CPUID_NO_SUBLEAF);
	assert_int_equal(cpu_policy_update(&dom, leaves, count, msrs, nr_msrs, &err), 0);
	assert_memory_equal(&before, dom.policy, sizeof(before));

	/* Less is fine, more is not; what does not exist is named. */
	leaves[1].c &= ~(1u << XEN_X86_FEATURE_AVX % 32);
	assert_int_equal(leaves[1].leaf, 1);
	leaves[1].c |= 1u << XEN_X86_FEATURE_VMX % 32;
	assert_int_equal(cpu_policy_update(&dom, leaves, count, NULL, 0, &err), 0);
	assert_false(has(v, XEN_X86_FEATURE_AVX2) || has(v, XEN_X86_FEATURE_VMX));
	assert_int_equal(cpuid_guest(v, 0xd, 0).a, 3);
	before = *dom.policy;
	leaves[0].a = 0x16;
	assert_int_equal(cpu_policy_update(&dom, leaves, count, NULL, 0, &err), -EINVAL);
	assert_int_equal(err.leaf, 0);
	leaves[0] = (struct xen_cpuid_leaf){ .leaf = 0xd, .subleaf = 63 };
	assert_int_equal(cpu_policy_update(&dom, leaves, 1, NULL, 0, &err), -ERANGE);
	assert_int_equal(err.leaf, 0xd);
	assert_int_equal(err.subleaf, 63);
	msrs[0].idx = 0x8b;
	assert_int_equal(cpu_policy_update(&dom, NULL, 0, msrs, 1, &err), -EPERM);
	assert_int_equal(err.msr, 0x8b);
	msrs[0] = (struct xen_msr_entry){ .idx = MSR_PLATFORM_INFO, .val = 1UL << 31 };
	assert_int_equal(cpu_policy_update(&dom, NULL, 0, msrs, 1, &err), -EINVAL);
	assert_memory_equal(&before, dom.policy, sizeof(before));

	assert_non_null(cpu_policy_system(XEN_SYSCTL_cpu_policy_pv_max));
	assert_null(cpu_policy_system(XEN_SYSCTL_cpu_policy_hvm_max));
	assert_int_equal(cpu_featureset_get(XEN_SYSCTL_cpu_featureset_hvm, words), -EOPNOTSUPP);
	assert_int_equal(cpu_featureset_get(77, words), -EINVAL);
	assert_int_equal(cpu_featureset_get(XEN_SYSCTL_cpu_featureset_raw, words), 0);
	assert_int_equal(words[1], 0xffffffff);
}

/* Whatever a tool writes, the result stays inside what the machine can give. */
static void test_random_updates(void **state)
{
	struct xen_cpuid_leaf leaves[CPU_POLICY_LEAVES];
	struct cpu_policy_error err;
	const struct cpu_policy *max = cpu_policy_system(XEN_SYSCTL_cpu_policy_pv_max);

	(void)state;
	srandom(2);
	for (u32 n = 0; n < 3000; n++) {
		struct vcpu *v = domain(false);
		u32 count = cpu_policy_leaves(dom.policy, leaves);

		for (u32 k = 0; k < 8; k++) {
			u32 *at = (u32 *)&leaves[(u32)random() % count];

			at[(u32)random() % 6] = (u32)random() ^ (u32)random() << 16;
		}
		if (cpu_policy_update(&dom, leaves, count, NULL, 0, &err))
			continue;
		for (u32 i = 0; i < CPU_FEATURE_WORDS; i++)
			assert_int_equal(policy_word(dom.policy, i) & ~policy_word(max, i), 0);
		for (u32 sub = 0; sub < 70; sub++)
			(void)cpuid_guest(v, 0xd, sub);
		assert_true(cpuid_guest(v, 0xd, 0).c <= 832);
		for (u32 leaf = 0; leaf < 0x20; leaf++) {
			(void)cpuid_guest(v, leaf, (u32)random());
			(void)cpuid_guest(v, 0x80000000 + leaf * 2, 0);
		}
	}
}

static void test_msrs(void **state)
{
	struct vcpu *v = domain(false);
	u64 val;

	(void)state;
	assert_int_equal(msr_guest_read(v, MSR_PAT, &val), 0);
	assert_int_equal(val, PAT_VALUE);
	assert_int_equal(msr_guest_write(v, MSR_PAT, val), 0);
	assert_int_equal(msr_guest_write(v, MSR_PAT, 0), -EPERM);
	for (u32 msr = MSR_MC0_CTL; msr < MSR_MC0_CTL + 4 * MC_BANKS_MAX; msr++) {
		assert_int_equal(msr_guest_write(v, msr, ~0UL), 0);
		val = 1;
		assert_int_equal(msr_guest_read(v, msr, &val), 0);
		assert_int_equal(val, 0);
	}
	assert_int_equal(msr_guest_read(v, MSR_MC0_CTL + 4 * MC_BANKS_MAX, &val), -EPERM);
	assert_int_equal(msr_guest_write(v, MSR_MC0_CTL2 + MC_BANKS_MAX, 0), -EPERM);
	assert_int_equal(msr_guest_read(v, MSR_EFER, &val), 0);
	assert_int_equal(val, 0x4d01);
	assert_int_equal(msr_guest_read(v, MSR_TSC, &val), 0);
	assert_int_equal(val, 777);
	dom.vtsc = true;
	assert_int_equal(msr_guest_read(v, MSR_TSC, &val), 0);
	assert_int_equal(val, 888);
	assert_int_equal(msr_guest_read(v, MSR_AMD_DE_CFG, &val), 0);
	assert_int_equal(val, 2);
	assert_int_equal(msr_guest_read(v, MSR_AMD_LS_CFG, &val), -EPERM);
	assert_int_equal(msr_guest_read(v, MSR_MTRR_DEF_TYPE, &val), -EPERM);
	assert_int_equal(msr_guest_read(v, MSR_ARCH_CAPABILITIES, &val), -EPERM);
	assert_int_equal(msr_guest_read(v, MSR_SPEC_CTRL, &val), -EPERM);
	assert_int_equal(msr_guest_write(v, MSR_SPEC_CTRL, 1), -EPERM);
	assert_int_equal(msr_guest_write(v, MSR_TSC_AUX, 5), 0);
	assert_int_equal(written_msr, MSR_TSC_AUX);
	assert_int_equal(written, 5);
	assert_int_equal(msr_guest_write(v, MSR_TSC_AUX, 1UL << 32), -EPERM);
	assert_int_equal(msr_guest_read(v, MSR_TSC_AUX, &val), 0);
	assert_int_equal(val, 5);
	assert_int_equal(msr_guest_write(v, MSR_PRED_CMD, 1), 0);
	assert_int_equal(written_msr, MSR_PRED_CMD);
	assert_int_equal(msr_guest_write(v, MSR_PRED_CMD, 2), -EPERM);
	assert_int_equal(msr_guest_write(v, MSR_UCODE_REV, 0), 0);
	assert_int_equal(msr_guest_write(v, 0xc0000082, 0x1000), -EPERM);
	assert_int_equal(msr_guest_read(v, MSR_APIC_BASE, &val), 0);
	assert_int_equal(val, 0xfee00800);
	policy_feature_set(dom.policy, XEN_X86_FEATURE_IBRSB, true);
	assert_int_equal(msr_guest_write(v, MSR_SPEC_CTRL, 4), -EPERM);
	assert_int_equal(msr_guest_write(v, MSR_SPEC_CTRL, 3), 0);
	assert_int_equal(written_msr, MSR_SPEC_CTRL);
	assert_int_equal(msr_guest_read(v, MSR_SPEC_CTRL, &val), 0);
	assert_int_equal(val, 3);
	v = domain(true);
	assert_int_equal(msr_guest_read(v, MSR_AMD_PSTATE0, &val), 0);
	assert_int_equal(val, MSR_AMD_PSTATE0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_features),
		cmocka_unit_test(test_leaves),
		cmocka_unit_test(test_hypervisor_leaves),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_random_updates),
		cmocka_unit_test(test_msrs),
		cmocka_unit_test(test_options),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
