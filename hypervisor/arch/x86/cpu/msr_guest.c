/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MSRs of PV guests. What is not listed here does not exist for a guest: #GP. Reads that tell about the machine are let through to
 * dom0, which runs on it. Segment bases are the business of pv/ (they live in the CPU).
 */
#include "policy.h"

#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/mm.h>
#include <hv/msr.h>
#include <hv/pv.h>
#include <hv/time.h>
#include <hv/x86.h>

#define APIC_BASE_DEFAULT 0xfee00000UL
#define APIC_BASE_BSP (1UL << 8)
#define APIC_BASE_ENABLE (1UL << 11)
#define FEATURE_CONTROL_LOCKED 1UL
#define MISC_ENABLE_BTS_UNAVAILABLE (1UL << 11)
#define MISC_ENABLE_PEBS_UNAVAILABLE (1UL << 12)
#define MISC_ENABLE_MONITOR (1UL << 18)
#define PRED_CMD_IBPB 1UL
#define SPEC_CTRL_IBRS 0x1UL
#define SPEC_CTRL_STIBP 0x2UL
#define SPEC_CTRL_SSBD 0x4UL
#define SPEC_CTRL_PSFD 0x80UL
#define HWCR_TSC_COUNTS_P0 (1UL << 24)
#define DE_CFG_LFENCE_SERIALIZES (1UL << 1)
#define MISC_FEATURES_CPUID_FAULTING 1UL
#define EFER_GUEST (EFER_SCE | EFER_LME | EFER_LMA | EFER_NX | EFER_FFXSE)

/* Ranges of MSRs that dom0 may read as they are. */
static const struct {
	u32 first, last;
} dom0_readable[] = {
	{ MSR_EBL_CR_POWERON, MSR_EBL_CR_POWERON },
	{ MSR_MTRR_CAP, MSR_MTRR_CAP },
	{ MSR_PERF_STATUS, MSR_PERF_STATUS },
	{ MSR_THERM_STATUS, MSR_THERM_STATUS },
	{ 0x1a2, 0x1a2 },		/* temperature target */
	{ MSR_PACKAGE_THERM_STATUS, MSR_PACKAGE_THERM_STATUS },
	{ MSR_MTRR_PHYSBASE0, MSR_MTRR_PHYSMASK_LAST },
	{ MSR_MTRR_FIX64K, MSR_MTRR_FIX64K },
	{ MSR_MTRR_FIX16K_80000, MSR_MTRR_FIX16K_A0000 },
	{ MSR_MTRR_FIX4K_FIRST, MSR_MTRR_FIX4K_LAST },
	{ MSR_MTRR_DEF_TYPE, MSR_MTRR_DEF_TYPE },
	{ MSR_AMD_SYSCFG, MSR_AMD_SYSCFG },
	{ MSR_AMD_IORR_BASE0, MSR_AMD_TOP_MEM2 },
	{ MSR_AMD_NB_CFG, MSR_AMD_NB_CFG },
	{ MSR_AMD_MMIO_CONF_BASE, MSR_AMD_MMIO_CONF_BASE },
	{ MSR_AMD_PSTATE_LIMIT, MSR_AMD_PSTATE7 },
};

static int dom0_read(const struct vcpu *v, u32 msr, u64 *val)
{
	if (!is_privileged(v))
		return -EPERM;
	for (size_t i = 0; i < ARRAY_SIZE(dom0_readable); i++)
		if (msr >= dom0_readable[i].first && msr <= dom0_readable[i].last)
			return rdmsr_safe(msr, val) ? -EPERM : 0;
	return -EPERM;
}

static int amd_read(const struct vcpu *v, u32 msr, u64 *val)
{
	if (!cpu_has(CPU_AMD))
		return -EPERM;
	switch (msr) {
	case MSR_AMD_HWCR:
		*val = HWCR_TSC_COUNTS_P0;
		return 0;
	case MSR_AMD_DE_CFG:
		*val = DE_CFG_LFENCE_SERIALIZES;
		return 0;
	case MSR_AMD_INT_PENDING:
		*val = 0;
		return 0;
	default:
		return dom0_read(v, msr, val);
	}
}

static int intel_read(const struct vcpu *v, u32 msr, u64 *val)
{
	if (!cpu_has(CPU_INTEL))
		return -EPERM;
	switch (msr) {
	case MSR_PLATFORM_ID:
		return rdmsr_safe(msr, val) ? -EPERM : 0;
	case MSR_FEATURE_CONTROL:
		*val = FEATURE_CONTROL_LOCKED;
		return 0;
	case MSR_MISC_ENABLE:
		if (rdmsr_safe(msr, val))
			return -EPERM;
		*val |= MISC_ENABLE_BTS_UNAVAILABLE | MISC_ENABLE_PEBS_UNAVAILABLE;
		*val &= ~MISC_ENABLE_MONITOR;
		return 0;
	default:
		return dom0_read(v, msr, val);
	}
}

/* Bits of MSR_SPEC_CTRL that the guest may set; 0: it has no such register. */
static u64 spec_ctrl_mask(const struct cpu_policy *p)
{
	u64 mask;

	if (!policy_has(p, XEN_X86_FEATURE_IBRSB))
		return 0;
	/* STIBP is ignored, and may be set, where it does nothing. */
	mask = SPEC_CTRL_IBRS | SPEC_CTRL_STIBP;
	if (policy_has(p, XEN_X86_FEATURE_SSBD))
		mask |= SPEC_CTRL_SSBD;
	if (policy_has(p, XEN_X86_FEATURE_INTEL_PSFD))
		mask |= SPEC_CTRL_PSFD;
	return mask;
}

/*
 * Registers of machine-check banks. MCG_CAP says that there are none, but a guest that was begun under another hypervisor and
 * restored here goes on using those it was told of then: they are 0, and writing them does nothing.
 */
static bool mc_bank(u32 msr)
{
	return (msr >= MSR_MC0_CTL && msr < MSR_MC0_CTL + 4 * MC_BANKS_MAX) || (msr >= MSR_MC0_CTL2 && msr < MSR_MC0_CTL2 + MC_BANKS_MAX);
}

int msr_guest_read(struct vcpu *v, u32 msr, u64 *val)
{
	const struct cpu_policy *p = v->domain->policy;

	if (mc_bank(msr)) {
		*val = 0;
		return 0;
	}
	switch (msr) {
	case MSR_P5_MC_ADDR:
	case MSR_P5_MC_TYPE:
	case MSR_MCG_CAP:		/* no banks */
	case MSR_MCG_STATUS:
		*val = 0;
		return 0;
	case MSR_TSC:
		*val = v->domain->vtsc ? tsc_guest_read(v->domain) : rdtsc();
		return 0;
	case MSR_APIC_BASE:
		*val = APIC_BASE_DEFAULT | APIC_BASE_ENABLE | (v->id == 0 ? APIC_BASE_BSP : 0);
		return 0;
	case MSR_PAT:
		*val = PAT_VALUE;
		return 0;
	case MSR_EFER:
		*val = rdmsr(MSR_EFER) & EFER_GUEST;
		return 0;
	case MSR_TSC_AUX:
		*val = v->pv->tsc_aux;
		return policy_has(p, XEN_X86_FEATURE_RDTSCP) || policy_has(p, XEN_X86_FEATURE_RDPID) ? 0 : -EPERM;
	case MSR_UCODE_REV:
		return rdmsr_safe(msr, val) ? -EPERM : 0;
	case MSR_PLATFORM_INFO:
		*val = p->platform_info;
		return *val ? 0 : -EPERM;
	case MSR_MISC_FEATURES_ENABLES:
		*val = v->pv->cpuid_faults ? MISC_FEATURES_CPUID_FAULTING : 0;
		return p->platform_info & PLATFORM_INFO_CPUID_FAULTING ? 0 : -EPERM;
	case MSR_SPEC_CTRL:
		*val = v->pv->spec_ctrl;
		return spec_ctrl_mask(p) ? 0 : -EPERM;
	case MSR_ARCH_CAPABILITIES:
		*val = p->arch_caps;
		return policy_has(p, XEN_X86_FEATURE_ARCH_CAPS) ? 0 : -EPERM;
	default:
		return msr >= MSR_AMD_SYSCFG ? amd_read(v, msr, val) : intel_read(v, msr, val);
	}
}

/* Writes that may be made with the value that is there, and change nothing. */
static int same_write(struct vcpu *v, u32 msr, u64 val)
{
	u64 now;

	return msr_guest_read(v, msr, &now) || now != val ? -EPERM : 0;
}

int msr_guest_write(struct vcpu *v, u32 msr, u64 val)
{
	const struct cpu_policy *p = v->domain->policy;

	if (mc_bank(msr))
		return 0;
	switch (msr) {
	case MSR_TSC_AUX:
		if (val >> 32 || !(policy_has(p, XEN_X86_FEATURE_RDTSCP) || policy_has(p, XEN_X86_FEATURE_RDPID)))
			return -EPERM;
		v->pv->tsc_aux = (u32)val;
		wrmsr(MSR_TSC_AUX, val);
		return 0;
	case MSR_UCODE_REV:
		/* The way to ask for the revision begins with writing 0. */
		return val ? -EPERM : 0;
	case MSR_MISC_FEATURES_ENABLES:
		if (val & ~MISC_FEATURES_CPUID_FAULTING || !(p->platform_info & PLATFORM_INFO_CPUID_FAULTING))
			return -EPERM;
		v->pv->cpuid_faults = val != 0;
		return 0;
	case MSR_PRED_CMD:
		if (val & ~PRED_CMD_IBPB || !(policy_has(p, XEN_X86_FEATURE_IBPB) || policy_has(p, XEN_X86_FEATURE_IBRSB)))
			return -EPERM;
		return val && wrmsr_safe(msr, val) ? -EPERM : 0;
	case MSR_SPEC_CTRL:
		if (!spec_ctrl_mask(p) || val & ~spec_ctrl_mask(p))
			return -EPERM;
		v->pv->spec_ctrl = (u32)val;
		spec_ctrl_load((u32)val);
		return 0;
	case MSR_MCG_STATUS:
		return val ? -EPERM : 0;
	case MSR_PAT:
	case MSR_EFER:
	case MSR_APIC_BASE:
	case MSR_MISC_ENABLE:
	case MSR_AMD_HWCR:
	case MSR_AMD_DE_CFG:
		return same_write(v, msr, val);
	default:
		return -EPERM;
	}
}
