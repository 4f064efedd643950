/* SPDX-License-Identifier: BSD-2-Clause */
/* Policies written out as lists of leaves and MSRs, and read back (domctl and sysctl). */
#include "policy.h"

#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/msr.h>
#include <hv/string.h>
#include <xen/sysctl.h>

struct leaf_writer {
	struct xen_cpuid_leaf *out;
	u32 count;
};

static void leaf_write(struct leaf_writer *w, u32 leaf, u32 subleaf, const struct cpuid_leaf *l)
{
	w->out[w->count++] = (struct xen_cpuid_leaf){ .leaf = leaf, .subleaf = subleaf,
						      .a = l->a, .b = l->b, .c = l->c, .d = l->d };
}

static void subleaves_write(struct leaf_writer *w, u32 leaf, const struct cpuid_leaf *l, u32 count)
{
	for (u32 i = 0; i < count; i++)
		leaf_write(w, leaf, i, &l[i]);
}

u32 cpu_policy_leaves(const struct cpu_policy *p, struct xen_cpuid_leaf *leaves)
{
	struct leaf_writer w = { .out = leaves };

	for (u32 i = 0; i < POLICY_BASIC && i <= p->basic[0].a; i++) {
		switch (i) {
		case 4: subleaves_write(&w, i, p->cache, POLICY_CACHE); break;
		case 7: subleaves_write(&w, i, p->feat, MIN(p->feat[0].a + 1, POLICY_FEAT)); break;
		case 0xb: subleaves_write(&w, i, p->topo, POLICY_TOPO); break;
		case 0xd: subleaves_write(&w, i, p->xstate, POLICY_XSTATE); break;
		default: leaf_write(&w, i, XEN_CPUID_NO_SUBLEAF, &p->basic[i]); break;
		}
	}
	for (u32 i = 0; i < POLICY_EXTD && EXTD_FIRST + i <= p->extd[0].a; i++)
		leaf_write(&w, EXTD_FIRST + i, XEN_CPUID_NO_SUBLEAF, &p->extd[i]);
	return w.count;
}

_Static_assert(POLICY_BASIC - 4 + POLICY_CACHE + POLICY_FEAT + POLICY_TOPO + POLICY_XSTATE + POLICY_EXTD <= CPU_POLICY_LEAVES,
	       "room for all leaves");

u32 cpu_policy_msrs(const struct cpu_policy *p, struct xen_msr_entry *msrs)
{
	msrs[0] = (struct xen_msr_entry){ .idx = MSR_PLATFORM_INFO, .val = p->platform_info };
	msrs[1] = (struct xen_msr_entry){ .idx = MSR_ARCH_CAPABILITIES, .val = p->arch_caps };
	return 2;
}

static int leaves_read(struct cpu_policy *p, const struct xen_cpuid_leaf *leaves, u32 count, struct cpu_policy_error *err)
{
	for (u32 i = 0; i < count; i++) {
		const struct xen_cpuid_leaf *l = &leaves[i];
		struct cpuid_leaf *place = policy_leaf(p, l->leaf, l->subleaf);

		/* What the hypervisor says about itself is not the caller's to set. */
		if (l->leaf >> 16 == 0x4000)
			continue;
		if (!place || (!policy_leaf_has_subleaves(l->leaf) && l->subleaf != XEN_CPUID_NO_SUBLEAF)) {
			err->leaf = l->leaf;
			err->subleaf = l->subleaf;
			return -ERANGE;
		}
		*place = (struct cpuid_leaf){ .a = l->a, .b = l->b, .c = l->c, .d = l->d };
	}
	return 0;
}

static int msrs_read(struct cpu_policy *p, const struct xen_msr_entry *msrs, u32 count, struct cpu_policy_error *err)
{
	for (u32 i = 0; i < count; i++) {
		err->msr = msrs[i].idx;
		if (msrs[i].flags)
			return -EINVAL;
		switch (msrs[i].idx) {
		case MSR_PLATFORM_INFO:
			p->platform_info = msrs[i].val;
			break;
		case MSR_ARCH_CAPABILITIES:
			p->arch_caps = msrs[i].val;
			break;
		default:
			return -EPERM;
		}
	}
	err->msr = ~0u;
	return 0;
}

/* The guest may have less than what this machine can give, not more. */
static int policy_check(const struct cpu_policy *p, const struct cpu_policy *max, struct cpu_policy_error *err)
{
	if (p->basic[0].a > max->basic[0].a) {
		err->leaf = 0;
		return -EINVAL;
	}
	if (p->extd[0].a > max->extd[0].a) {
		err->leaf = EXTD_FIRST;
		return -EINVAL;
	}
	if (p->platform_info & ~max->platform_info) {
		err->msr = MSR_PLATFORM_INFO;
		return -EINVAL;
	}
	return 0;
}

int cpu_policy_update(struct domain *d, const struct xen_cpuid_leaf *leaves, u32 nr_leaves, const struct xen_msr_entry *msrs,
		      u32 nr_msrs, struct cpu_policy_error *err)
{
	const struct cpu_policy *max = cpu_policy_system(XEN_SYSCTL_cpu_policy_pv_max);
	u32 words[CPU_FEATURE_WORDS];
	struct cpu_policy p = *d->policy;
	int rc;

	*err = (struct cpu_policy_error){ ~0u, ~0u, ~0u };
	rc = leaves_read(&p, leaves, nr_leaves, err);
	if (!rc)
		rc = msrs_read(&p, msrs, nr_msrs, err);
	if (!rc)
		rc = policy_check(&p, max, err);
	if (rc)
		return rc;
	/* Features that cannot be given are left out without a word: tools write host's values through. */
	for (u32 i = 0; i < CPU_FEATURE_WORDS; i++)
		words[i] = policy_word(&p, i) & policy_word(max, i);
	features_close(words);
	for (u32 i = 0; i < CPU_FEATURE_WORDS; i++)
		policy_word_set(&p, i, words[i]);
	/* The layout of the xsave area is the machine's. */
	memcpy(&p.xstate[2], &max->xstate[2], sizeof(p.xstate) - 2 * sizeof(p.xstate[0]));
	policy_settle(&p);
	*d->policy = p;
	return 0;
}
