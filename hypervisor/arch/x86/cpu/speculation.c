/* SPDX-License-Identifier: BSD-2-Clause */
/* Applies the plan about speculation flaws to the code of the hypervisor and to each CPU. */
#include <hv/cmdline.h>
#include <hv/cpu.h>
#include <hv/features.h>
#include <hv/image.h>
#include <hv/log.h>
#include <hv/string.h>
#include <hv/x86.h>

#include "cpu.h"
#include "speculation.h"

#define MSR_SPEC_CTRL 0x48
#define MSR_PRED_CMD 0x49
#define MSR_ARCH_CAPABILITIES 0x10a
#define MSR_EFER 0xc0000080
#define SPEC_CTRL_IBRS (1UL << 0)
#define SPEC_CTRL_STIBP (1UL << 1)
#define SPEC_CTRL_SSBD (1UL << 2)
#define SPEC_CTRL_BHI_DIS_S (1UL << 10)
#define PRED_CMD_IBPB 1UL
#define EFER_AIBRSE (1UL << 21)

static struct spec_ctrl_option opt_spec = SPEC_CTRL_OPTION_DEFAULT;
static struct xpti_option opt_xpti = { -1, -1 };
static struct spec_plan plan;

/* SPEC_CTRL while the hypervisor runs, and the bits that are on always. Entry code loads the first where it differs. */
u32 spec_ctrl_hypervisor;
static u32 spec_ctrl_always;

static int spec_parse(const char *value)
{
	return option_spec_ctrl(value, &opt_spec);
}

static int xpti_parse(const char *value)
{
	return option_xpti(value, &opt_xpti);
}

BOOT_OPTION_CUSTOM("spec-ctrl", spec_parse, "Protections against speculation flaws; see docs/speculation.md.");
BOOT_OPTION_CUSTOM("xpti", xpti_parse, "Separate page tables against Meltdown: boolean, dom0=boolean, domu=boolean.");

static void facts_gather(struct spec_facts *f)
{
	struct cpuid_leaf r = cpuid_host(1, 0);

	*f = (struct spec_facts){
		.intel = cpu_has(CPU_INTEL), .amd = cpu_has(CPU_AMD),
		.family = r.a >> 8 & 0xf, .model = r.a >> 4 & 0xf,
		.ibrs = cpu_has(CPU_IBRS), .ibpb = cpu_has(CPU_IBPB), .stibp = cpu_has(CPU_STIBP), .ssbd = cpu_has(CPU_SSBD),
		.md_clear = cpu_has(CPU_MD_CLEAR), .smep = cpu_has(CPU_SMEP),
	};
	if (f->family == 6 || f->family == 0xf)
		f->model |= r.a >> 12 & 0xf0;
	if (f->family == 0xf)
		f->family += r.a >> 20 & 0xff;
	if (cpu_has(CPU_ARCH_CAPS))
		f->arch_caps = rdmsr(MSR_ARCH_CAPABILITIES);
	if (cpuid_host(0, 0).a >= 7) {
		f->rtm = cpuid_host(7, 0).b >> 11 & 1;
		f->bhi_ctrl = cpuid_host(7, 0).a >= 2 && (cpuid_host(7, 2).d >> 4 & 1);
	}
	if (f->amd && cpuid_host(0x80000000, 0).a >= 0x80000021) {
		r = cpuid_host(0x80000021, 0);
		f->auto_ibrs = r.a >> 8 & 1;
		f->ibpb_brtype = r.a >> 28 & 1;
		f->srso_no = r.a >> 29 & 1;
	}
	if (f->amd && cpuid_host(0x80000000, 0).a >= 0x80000008)
		f->btc_no = cpuid_host(0x80000008, 0).b >> 29 & 1;
}

static void plan_report(const struct spec_flaws *flaws)
{
	log_info("CPU flaws:%s%s%s%s%s%s%s%s", flaws->spectre_v2 ? " spectre-v2" : "", flaws->meltdown ? " meltdown" : "",
		 flaws->l1tf ? " l1tf" : "", flaws->mds ? " mds" : "", flaws->retbleed ? " retbleed" : "",
		 flaws->srso ? " srso" : "", flaws->bhi ? " bhi" : "", flaws->div_leak ? " div" : "");
	log_info("Protections:%s%s%s%s%s%s%s%s%s%s%s%s",
		 plan.thunk == THUNK_RETPOLINE ? " retpoline" : plan.thunk == THUNK_LFENCE ? " lfence-jump" : "",
		 plan.ibrs_always ? " ibrs" : plan.ibrs_entry ? " ibrs-on-entry" : plan.auto_ibrs ? " auto-ibrs" : "",
		 plan.ibpb_switch ? " ibpb" : "", plan.ibpb_entry ? " ibpb-on-entry" : "", plan.rsb_entry ? " rsb" : "",
		 plan.bhi_dis ? " bhi-dis" : plan.bhb_entry ? " bhb-loop" : "", plan.verw_exit ? " verw" : "",
		 plan.div_switch ? " div-scrub" : "", plan.stibp ? " stibp" : "", plan.ssbd ? " ssbd" : "",
		 plan.l1tf_ptes ? " l1tf-ptes" : "",
		 plan.xpti_dom0 ? plan.xpti_domu ? " xpti" : " xpti-dom0" : plan.xpti_domu ? " xpti-domu" : "");
}

static void features_set(void)
{
	cpu_feature[CPU_DO_LFENCE_JUMP] = plan.thunk == THUNK_LFENCE;
	cpu_feature[CPU_DO_IBRS_ENTRY] = plan.ibrs_entry;
	cpu_feature[CPU_DO_IBPB_ENTRY] = plan.ibpb_entry;
	cpu_feature[CPU_DO_RSB_ENTRY] = plan.rsb_entry;
	cpu_feature[CPU_DO_BHB_ENTRY] = plan.bhb_entry;
	cpu_feature[CPU_DO_XPTI] = plan.xpti_dom0 || plan.xpti_domu;
	cpu_feature[CPU_DO_SPEC_ENTRY] = plan.ibrs_entry || plan.ibpb_entry || plan.rsb_entry || plan.bhb_entry ||
		cpu_feature[CPU_DO_XPTI];
	cpu_feature[CPU_DO_SPEC_EXIT] = plan.ibrs_entry || cpu_feature[CPU_DO_XPTI];
	cpu_feature[CPU_DO_IBPB_SWITCH] = plan.ibpb_switch;
	cpu_feature[CPU_DO_VERW_EXIT] = plan.verw_exit;
	cpu_feature[CPU_DO_DIV_SWITCH] = plan.div_switch;
	cpu_feature[CPU_DO_L1TF_PTES] = plan.l1tf_ptes;
	cpu_feature[CPU_DO_XPTI_DOM0] = plan.xpti_dom0;
	cpu_feature[CPU_DO_XPTI_DOMU] = plan.xpti_domu;
}

void speculation_init(void)
{
	struct spec_flaws flaws;
	struct spec_facts facts;
	u64 always;

	facts_gather(&facts);
	spec_flaws_find(&facts, &flaws);
	spec_plan_make(&facts, &flaws, &opt_spec, &opt_xpti, &plan);
	always = (plan.stibp ? SPEC_CTRL_STIBP : 0) | (plan.ssbd ? SPEC_CTRL_SSBD : 0) |
		(plan.bhi_dis ? SPEC_CTRL_BHI_DIS_S : 0) | (plan.ibrs_always ? SPEC_CTRL_IBRS : 0);
	spec_ctrl_always = (u32)always;
	spec_ctrl_hypervisor = (u32)(always | (plan.ibrs_entry ? SPEC_CTRL_IBRS : 0));
	features_set();
	plan_report(&flaws);
}

void speculation_init_cpu(void)
{
	if (spec_ctrl_hypervisor != 0)
		wrmsr(MSR_SPEC_CTRL, spec_ctrl_hypervisor);
	cpu_info()->spec_ctrl = spec_ctrl_always;
	if (plan.auto_ibrs)
		wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_AIBRSE);
}

void spec_ctrl_load(u32 guest)
{
	cpu_info()->spec_ctrl = guest | spec_ctrl_always;
	if (!plan.ibrs_entry)
		wrmsr(MSR_SPEC_CTRL, guest | spec_ctrl_always);
}

static void divider_scrub(void)
{
	u32 low = 0, high = 0;

	__asm__ volatile("divl %2" : "+a"(low), "+d"(high) : "r"(1) : "cc");
}

void speculation_switch(void)
{
	if (cpu_has(CPU_DO_IBPB_SWITCH))
		wrmsr(MSR_PRED_CMD, PRED_CMD_IBPB);
	if (cpu_has(CPU_DO_DIV_SWITCH))
		divider_scrub();
}

/* --- indirect branches in compiled code --- */

#define OPCODE_CALL 0xe8
#define OPCODE_JUMP 0xe9
#define BRANCH_SIZE 5
#define THUNK_SIZE 32

/* From the second link: offsets from image_start of each call and jump to a thunk. */
struct site_table {
	u32 count;
	u32 offset[];
};

unsigned int branch_build(u8 *code, bool call, unsigned int reg)
{
	unsigned int size = reg < 8 ? 2 : 3, at = 0;

	memset(code, 0xcc, BRANCH_SIZE);
	/* CS prefixes mean nothing here: the call's return address stays where it was without a further instruction. */
	while (call && at < BRANCH_SIZE - size)
		code[at++] = 0x2e;
	if (reg >= 8)
		code[at++] = 0x41;
	code[at++] = 0xff;
	code[at] = (u8)((call ? 0xd0 : 0xe0) | (reg & 7));
	return BRANCH_SIZE;
}

void thunk_sites_patch(void)
{
	const struct site_table *t = (const struct site_table *)image_sites_start;

	if (plan.thunk != THUNK_JUMP || image_sites_end - image_sites_start < 4)
		return;
	for (u32 i = 0; i < t->count; i++) {
		u8 *site = (u8 *)image_start + t->offset[i];
		u64 target = (u64)site + BRANCH_SIZE + (u64)(s64)(s32)get_le32(site + 1);
		u64 reg = (target - (u64)indirect_thunks) / THUNK_SIZE;

		if ((site[0] != OPCODE_CALL && site[0] != OPCODE_JUMP) || reg >= 16)
			continue;
		branch_build(site, site[0] == OPCODE_CALL, (unsigned int)reg);
	}
}
