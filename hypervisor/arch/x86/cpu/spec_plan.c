/* SPDX-License-Identifier: BSD-2-Clause */
/* Which flaws a CPU has (as the vendors list them), and what to do about each. No side effects. */
#include "speculation.h"

/* Intel family 6: what models without a word about themselves in ARCH_CAPABILITIES are known not to have. */
#define NO_ALL 1u	/* no speculation at all */
#define NO_L1TF 2u
#define NO_MDS 4u
#define RETBLEED 8u	/* returns may be predicted from the branch target buffer: IBRS instead of retpolines */

static const struct {
	u8 model, flags;
} intel_models[] = {
	{ 0x1c, NO_ALL }, { 0x26, NO_ALL }, { 0x27, NO_ALL }, { 0x35, NO_ALL }, { 0x36, NO_ALL },	/* early Atom */
	{ 0x37, NO_L1TF }, { 0x4d, NO_L1TF }, { 0x4c, NO_L1TF }, { 0x4a, NO_L1TF }, { 0x5a, NO_L1TF },
	{ 0x75, NO_L1TF },
	{ 0x5c, NO_L1TF | NO_MDS }, { 0x5f, NO_L1TF | NO_MDS }, { 0x7a, NO_L1TF | NO_MDS },	/* Goldmont */
	{ 0x57, NO_L1TF }, { 0x85, NO_L1TF },							/* Xeon Phi */
	{ 0x4e, RETBLEED }, { 0x5e, RETBLEED }, { 0x55, RETBLEED }, { 0x8e, RETBLEED },		/* Skylake and kin */
	{ 0x9e, RETBLEED }, { 0x66, RETBLEED }, { 0xa5, RETBLEED }, { 0xa6, RETBLEED },
};

static u32 intel_flags(const struct spec_facts *f)
{
	if (f->family != 6)
		return NO_ALL;
	for (unsigned int i = 0; i < ARRAY_SIZE(intel_models); i++)
		if (intel_models[i].model == f->model)
			return intel_models[i].flags;
	return 0;
}

static void flaws_intel(const struct spec_facts *f, struct spec_flaws *out)
{
	u32 flags = intel_flags(f);
	u64 caps = f->arch_caps;

	if (flags & NO_ALL)
		return;
	out->spectre_v2 = true;
	out->meltdown = !(caps & ARCH_CAP_RDCL_NO);
	out->l1tf = !(caps & ARCH_CAP_RDCL_NO) && !(flags & NO_L1TF);
	/* MDS proper, and what else VERW helps against: TAA, stale MMIO data, register files. */
	out->mds = (!(caps & ARCH_CAP_MDS_NO) && !(flags & NO_MDS)) || (f->rtm && !(caps & ARCH_CAP_TAA_NO)) ||
		(caps & (ARCH_CAP_FB_CLEAR | ARCH_CAP_RFDS_CLEAR)) != 0;
	out->retbleed = (flags & RETBLEED) != 0 || (caps & ARCH_CAP_RSBA) != 0;
	out->bhi = (caps & ARCH_CAP_IBRS_ALL) && !(caps & ARCH_CAP_BHI_NO);
}

static void flaws_amd(const struct spec_facts *f, struct spec_flaws *out)
{
	out->spectre_v2 = true;
	out->retbleed = f->family >= 0x15 && f->family <= 0x18 && !f->btc_no;
	out->srso = f->family >= 0x17 && f->family <= 0x19 && !f->srso_no;
	/* The first Zen: a division by zero leaves the quotient before it for the next one to find. */
	out->div_leak = f->family == 0x17 && (f->model < 0x30 || (f->model >= 0x50 && f->model < 0x60));
}

void spec_flaws_find(const struct spec_facts *f, struct spec_flaws *out)
{
	*out = (struct spec_flaws){ 0 };
	if (f->intel)
		flaws_intel(f, out);
	else if (f->amd)
		flaws_amd(f, out);
	else
		out->spectre_v2 = true;
}

/* An option that was not given leaves the default. */
static bool choose(s8 option, bool possible, bool by_default)
{
	return possible && (option < 0 ? by_default : option != 0);
}

static void plan_branches(const struct spec_facts *f, const struct spec_flaws *flaws, const struct spec_ctrl_option *opt,
			  struct spec_plan *out)
{
	bool enhanced = (f->arch_caps & ARCH_CAP_IBRS_ALL) && f->ibrs;

	if (flaws->spectre_v2) {
		out->auto_ibrs = choose(opt->ibrs, f->auto_ibrs, true);
		out->ibrs_always = !out->auto_ibrs && choose(opt->ibrs, enhanced, true);
		out->ibrs_entry = !out->auto_ibrs && !out->ibrs_always &&
			choose(opt->ibrs, f->ibrs, f->intel && flaws->retbleed);
		out->thunk = out->auto_ibrs || out->ibrs_always || out->ibrs_entry ? THUNK_JUMP : THUNK_RETPOLINE;
	}
	switch (opt->thunk) {
	case SPEC_THUNK_RETPOLINE:
		out->thunk = THUNK_RETPOLINE;
		break;
	case SPEC_THUNK_LFENCE:
		out->thunk = THUNK_LFENCE;
		break;
	case SPEC_THUNK_JMP:
		out->thunk = THUNK_JUMP;
		break;
	case SPEC_THUNK_DEFAULT:
		break;
	}
	out->ibpb_switch = choose(opt->ibpb, f->ibpb, flaws->spectre_v2);
	out->ibpb_entry = choose(opt->ibpb_entry_pv, f->ibpb,
				 f->amd && (flaws->retbleed || (flaws->srso && f->ibpb_brtype)));
	/* With SMEP a guest's return addresses lead nowhere. */
	out->rsb_entry = choose(opt->rsb_pv, true, flaws->spectre_v2 && !f->smep);
	out->bhi_dis = choose(opt->bhi_dis_s, f->bhi_ctrl, flaws->bhi);
	out->bhb_entry = choose(opt->bhb_entry_pv, true, flaws->bhi && !out->bhi_dis);
	out->stibp = choose(opt->stibp, f->stibp, false);
}

void spec_plan_make(const struct spec_facts *f, const struct spec_flaws *flaws, const struct spec_ctrl_option *opt,
		    const struct xpti_option *xpti, struct spec_plan *out)
{
	*out = (struct spec_plan){ .thunk = THUNK_JUMP };
	if (opt->all != 0 && opt->host != 0) {
		plan_branches(f, flaws, opt, out);
		out->verw_exit = choose(opt->verw_pv, f->md_clear, flaws->mds);
		out->div_switch = choose(opt->div_scrub, true, flaws->div_leak);
		out->ssbd = choose(opt->ssbd, f->ssbd, false);
	}
	out->l1tf_ptes = flaws->l1tf && opt->all != 0;
	out->xpti_dom0 = choose(xpti->dom0, true, flaws->meltdown && opt->all != 0);
	out->xpti_domu = choose(xpti->domu, true, flaws->meltdown && opt->all != 0);
}
