/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUID and MSR policies for the control interface: those of this machine (raw, what the hypervisor uses, what PV guests
 * can have, what they get by default) and of each domain. arch/x86/cpu/policy*.c. A domain's policy changes only
 * while none of its vCPUs runs; reading one takes no lock.
 */
#ifndef HV_POLICY_H
#define HV_POLICY_H

#include <hv/types.h>
#include <hv/compiler.h>
#include <xen/xen.h>

struct cpu_policy;
struct domain;

/* Most leaves and MSRs that a policy has when written out. */
#define CPU_POLICY_LEAVES 128u
#define CPU_POLICY_MSRS 2u
/* Words of a featureset (public header arch-x86/cpufeatureset.h). */
#define CPU_FEATURE_WORDS 19u

/* Boot, once, on CPU 0 after features_init and option parsing: makes the machine's policies. */
void cpu_policy_init(void);
/* XEN_SYSCTL_cpu_policy_*; NULL where there is none (HVM: -EOPNOTSUPP). */
const struct cpu_policy *cpu_policy_system(u32 index);
/* Words of XEN_SYSCTL_cpu_featureset_*; -EOPNOTSUPP for HVM, -EINVAL for others that do not exist. */
int cpu_featureset_get(u32 index, u32 words[CPU_FEATURE_WORDS]) must_check;

/* Writes a policy out; arrays of CPU_POLICY_LEAVES and CPU_POLICY_MSRS entries. Return the number of entries. */
u32 cpu_policy_leaves(const struct cpu_policy *p, struct xen_cpuid_leaf *leaves);
u32 cpu_policy_msrs(const struct cpu_policy *p, struct xen_msr_entry *msrs);

/* What was wrong in an update; ~0 where nothing was. */
struct cpu_policy_error {
	u32 leaf, subleaf, msr;
};
/*
 * XEN_DOMCTL_set_cpu_policy: takes over the leaves and MSRs given, the rest stays. The domain has not run yet (the caller checks).
 * 0; -ERANGE (no such leaf), -EINVAL (more than this machine can give, *err says where), -EPERM (MSR unknown). On error nothing changes.
 */
int cpu_policy_update(struct domain *d, const struct xen_cpuid_leaf *leaves, u32 nr_leaves, const struct xen_msr_entry *msrs,
		      u32 nr_msrs, struct cpu_policy_error *err) must_check;

#endif
