/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUID as a vCPU sees it at this moment: its domain's policy, what depends on the vCPU's state, and the hypervisor's own leaves. */
#include "policy.h"

#include <hv/domain.h>
#include <hv/frame.h>
#include <hv/msr.h>
#include <hv/pv.h>
#include <hv/time.h>
#include <hv/x86.h>
#include <xen/arch-x86/cpuid.h>
#include <xen/version.h>

#define XEN_VERSION_MAJOR 4u
#define XEN_VERSION_MINOR 17u

static struct cpuid_leaf time_leaf(const struct vcpu *v, u32 subleaf)
{
	const struct domain *d = v->domain;
	const struct vcpu_time_info *t = &v->info->time;
	struct cpuid_leaf l = { 0 };

	switch (subleaf) {
	case 0:
		l.a = (d->vtsc ? 1u : 0) | (cpu_has(CPU_INVARIANT_TSC) ? 2u : 0) |
		      (policy_has(d->policy, XEN_X86_FEATURE_RDTSCP) ? 4u : 0);
		l.b = d->tsc_mode;
		l.c = tsc_guest_khz(d);
		l.d = d->tsc_incarnation;
		break;
	case 1:
		l.a = d->vtsc ? (u32)d->vtsc_base : 0;
		l.b = d->vtsc ? (u32)((u64)d->vtsc_base >> 32) : 0;
		l.c = t->tsc_to_system_mul;
		l.d = (u32)t->tsc_shift;
		break;
	case 2:
		l.a = (u32)tsc_khz();
		break;
	default:
		break;
	}
	return l;
}

/* Bits of a machine address that RAM needs. */
static u32 machine_address_width(void)
{
	u32 width = PAGE_SHIFT;

	while (width < 52 && (frame_limit - 1) >> (width - PAGE_SHIFT))
		width++;
	return width;
}

static struct cpuid_leaf hypervisor_leaf(const struct vcpu *v, u32 leaf, u32 subleaf)
{
	struct cpuid_leaf l = { 0 };

	switch (leaf - XEN_CPUID_FIRST_LEAF) {
	case 0:
		l = (struct cpuid_leaf){ XEN_CPUID_FIRST_LEAF + XEN_CPUID_MAX_NUM_LEAVES, XEN_CPUID_SIGNATURE_EBX,
					 XEN_CPUID_SIGNATURE_ECX, XEN_CPUID_SIGNATURE_EDX };
		break;
	case 1:
		l.a = XEN_VERSION_MAJOR << 16 | XEN_VERSION_MINOR;
		break;
	case 2:
		l.a = 1;
		l.b = MSR_HYPERCALL_PAGE;
		l.c = XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD;
		break;
	case 3:
		l = time_leaf(v, subleaf);
		break;
	case 5:
		if (subleaf == 0)
			l.b = machine_address_width();
		break;
	default:
		break;
	}
	return l;
}

/* Offsets of the compacted format follow from the features in use. */
static u32 compacted_size(const struct cpu_policy *p, u64 xcr0)
{
	u32 size = 512 + 64;

	for (u32 i = 2; i < POLICY_XSTATE; i++) {
		if (!(xcr0 >> i & 1))
			continue;
		if (p->xstate[i].c & 2)
			size = (size + 63) & ~63u;
		size += p->xstate[i].a;
	}
	return size;
}

/* What changes while the vCPU runs. */
static void dynamic_fill(struct vcpu *v, u32 leaf, u32 subleaf, struct cpuid_leaf *l)
{
	const struct cpu_policy *p = v->domain->policy;

	switch (leaf) {
	case 1:
		l->b = (l->b & 0x00ffffff) | v->id << 24;
		l->c &= ~(1u << XEN_X86_FEATURE_OSXSAVE % 32);
		/* The CPU has it on always, as CPUID shows where it does not fault; Linux looks before it sets CR4. */
		if (policy_has(p, XEN_X86_FEATURE_XSAVE) && (v->pv->kernel_mode || v->pv->cr4_guest & CR4_OSXSAVE))
			l->c |= 1u << XEN_X86_FEATURE_OSXSAVE % 32;
		break;
	case 0xb:
		l->d = v->id;
		break;
	case 0xd:
		if (subleaf == 0 && l->a)
			l->b = policy_xstate_size(p, xcr0_get(v));
		else if (subleaf == 1 && policy_has(p, XEN_X86_FEATURE_XSAVEC))
			l->b = compacted_size(p, xcr0_get(v));
		break;
	default:
		break;
	}
}

struct cpuid_leaf cpuid_guest(struct vcpu *v, u32 leaf, u32 subleaf)
{
	struct cpu_policy *p = v->domain->policy;
	struct cpuid_leaf l = { 0 };
	const struct cpuid_leaf *place;

	if (leaf - XEN_CPUID_FIRST_LEAF <= XEN_CPUID_MAX_NUM_LEAVES)
		return hypervisor_leaf(v, leaf, subleaf);
	if (leaf >= EXTD_FIRST ? leaf > p->extd[0].a : leaf > p->basic[0].a)
		return l;
	place = policy_leaf(p, leaf, subleaf);
	if (place)
		l = *place;
	else if (leaf == 0xb)
		l.c = subleaf & 0xff;
	dynamic_fill(v, leaf, subleaf, &l);
	return l;
}
