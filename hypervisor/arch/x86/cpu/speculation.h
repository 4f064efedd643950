/* SPDX-License-Identifier: BSD-2-Clause */
/* Speculation flaws of the CPU, and what is done about them. docs/speculation.md is the policy in words. */
#ifndef CPU_SPECULATION_H
#define CPU_SPECULATION_H

#include <hv/compiler.h>
#include <hv/options.h>
#include <hv/types.h>

/* IA32_ARCH_CAPABILITIES. */
#define ARCH_CAP_RDCL_NO (1UL << 0)
#define ARCH_CAP_IBRS_ALL (1UL << 1)
#define ARCH_CAP_RSBA (1UL << 2)
#define ARCH_CAP_MDS_NO (1UL << 5)
#define ARCH_CAP_TAA_NO (1UL << 8)
#define ARCH_CAP_FB_CLEAR (1UL << 17)
#define ARCH_CAP_RRSBA (1UL << 19)
#define ARCH_CAP_BHI_NO (1UL << 20)
#define ARCH_CAP_RFDS_CLEAR (1UL << 28)

/* What the decision stands on; all from CPUID and ARCH_CAPABILITIES. */
struct spec_facts {
	bool intel, amd;
	u32 family, model;
	u64 arch_caps;		/* 0 without that register */
	bool ibrs, ibpb, stibp, ssbd, md_clear, rtm, smep, bhi_ctrl;
	bool auto_ibrs, btc_no, ibpb_brtype, srso_no;	/* AMD */
};

enum thunk { THUNK_JUMP, THUNK_RETPOLINE, THUNK_LFENCE };

/* The flaws that the CPU has, as far as it matters here. */
struct spec_flaws {
	bool spectre_v2, meltdown, l1tf, mds, retbleed, srso, bhi, div_leak;
};

struct spec_plan {
	enum thunk thunk;
	bool ibrs_always;	/* SPEC_CTRL.IBRS set once (enhanced IBRS) */
	bool ibrs_entry;	/* ... set while the hypervisor runs only */
	bool auto_ibrs;		/* EFER.AIBRSE */
	bool ibpb_switch;	/* IBPB when the next vCPU is of another domain */
	bool ibpb_entry;	/* IBPB on each entry from a guest */
	bool rsb_entry;		/* return stack filled on each entry from a guest */
	bool bhi_dis, bhb_entry;	/* branch history: SPEC_CTRL.BHI_DIS_S, or cleared by a loop on entry */
	bool verw_exit;		/* buffers cleared on each exit to a guest */
	bool div_switch;	/* divider scrubbed when the next vCPU is of another domain */
	bool stibp, ssbd;	/* always on */
	bool l1tf_ptes;		/* not-present page-table entries that point to memory are refused */
	bool xpti_dom0, xpti_domu;
};

/* Pure. */
void spec_flaws_find(const struct spec_facts *f, struct spec_flaws *out);
void spec_plan_make(const struct spec_facts *f, const struct spec_flaws *flaws, const struct spec_ctrl_option *opt,
		    const struct xpti_option *xpti, struct spec_plan *out);

#endif
