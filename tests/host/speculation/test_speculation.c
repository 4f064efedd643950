/* SPDX-License-Identifier: BSD-2-Clause */
/* What is planned for CPUs of several kinds, and how options change it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "../../../hypervisor/arch/x86/cpu/speculation.h"

static struct spec_flaws flaws;
static struct spec_plan plan;

static void make(const struct spec_facts *f, const struct spec_ctrl_option *opt)
{
	static const struct spec_ctrl_option none = SPEC_CTRL_OPTION_DEFAULT;
	static const struct xpti_option xpti = { -1, -1 };

	spec_flaws_find(f, &flaws);
	spec_plan_make(f, &flaws, opt ? opt : &none, &xpti, &plan);
}

static const struct spec_facts haswell = {
	.intel = true, .family = 6, .model = 0x3c, .ibrs = true, .ibpb = true, .stibp = true, .ssbd = true, .md_clear = true,
	.smep = true, .rtm = true,
};
static const struct spec_facts skylake = {
	.intel = true, .family = 6, .model = 0x5e, .ibrs = true, .ibpb = true, .md_clear = true, .smep = true,
};
static const struct spec_facts ice_lake = {
	.intel = true, .family = 6, .model = 0x6a, .ibrs = true, .ibpb = true, .md_clear = true, .smep = true, .rtm = true,
	.arch_caps = ARCH_CAP_RDCL_NO | ARCH_CAP_IBRS_ALL | ARCH_CAP_MDS_NO | ARCH_CAP_TAA_NO | ARCH_CAP_FB_CLEAR,
};
static const struct spec_facts zen1_old_microcode = { .amd = true, .family = 0x17, .model = 1, .smep = true };
static const struct spec_facts zen3 = {
	.amd = true, .family = 0x19, .model = 0x21, .ibpb = true, .ibrs = true, .smep = true, .btc_no = true, .ibpb_brtype = true,
};
static const struct spec_facts zen4_auto = {
	.amd = true, .family = 0x19, .model = 0x61, .ibpb = true, .ibrs = true, .smep = true, .btc_no = true, .auto_ibrs = true,
	.srso_no = true,
};
static const struct spec_facts zen5 = {
	.amd = true, .family = 0x1a, .model = 0x02, .ibpb = true, .ibrs = true, .smep = true, .btc_no = true, .auto_ibrs = true,
};

static void test_intel(void **state)
{
	(void)state;
	make(&haswell, NULL);
	assert_true(flaws.meltdown && flaws.l1tf && flaws.mds && flaws.spectre_v2 && !flaws.retbleed && !flaws.bhi);
	assert_int_equal(plan.thunk, THUNK_RETPOLINE);
	assert_true(plan.xpti_dom0 && plan.xpti_domu && plan.verw_exit && plan.l1tf_ptes && plan.ibpb_switch);
	assert_false(plan.ibrs_entry || plan.ibrs_always || plan.ibpb_entry || plan.rsb_entry || plan.ssbd || plan.stibp);

	make(&skylake, NULL);
	assert_true(flaws.retbleed && plan.ibrs_entry);
	assert_int_equal(plan.thunk, THUNK_JUMP);

	make(&ice_lake, NULL);
	assert_false(flaws.meltdown || flaws.l1tf || plan.xpti_dom0);
	assert_true(plan.ibrs_always && plan.verw_exit && flaws.bhi && plan.bhb_entry && !plan.bhi_dis);
	assert_int_equal(plan.thunk, THUNK_JUMP);
}

static void test_without_flaws(void **state)
{
	struct spec_facts f = ice_lake;

	(void)state;
	f.arch_caps = ARCH_CAP_RDCL_NO | ARCH_CAP_IBRS_ALL | ARCH_CAP_MDS_NO | ARCH_CAP_TAA_NO | ARCH_CAP_BHI_NO;
	make(&f, NULL);
	assert_false(plan.verw_exit || plan.bhb_entry || plan.l1tf_ptes || plan.ibpb_entry || plan.rsb_entry);
	f.model = 0x1c;
	make(&f, NULL);
	assert_false(flaws.spectre_v2 || plan.ibrs_always || plan.ibpb_switch);
	/* A vendor that we know nothing of. */
	f = (struct spec_facts){ 0 };
	make(&f, NULL);
	assert_int_equal(plan.thunk, THUNK_RETPOLINE);
	assert_true(plan.rsb_entry);
}

static void test_amd(void **state)
{
	(void)state;
	make(&zen1_old_microcode, NULL);
	assert_true(flaws.retbleed && flaws.srso && flaws.div_leak && plan.div_switch);
	/* What the microcode lacks cannot be used. */
	assert_false(plan.ibpb_entry || plan.ibpb_switch);
	assert_int_equal(plan.thunk, THUNK_RETPOLINE);
	assert_false(plan.verw_exit || plan.xpti_dom0);
	make(&zen3, NULL);
	assert_true(!flaws.retbleed && flaws.srso && plan.ibpb_entry && plan.ibpb_switch);
	make(&zen4_auto, NULL);
	assert_true(plan.auto_ibrs && !plan.ibpb_entry);
	assert_int_equal(plan.thunk, THUNK_JUMP);
	make(&zen5, NULL);
	assert_false(flaws.srso || plan.ibpb_entry);
}

static void test_options(void **state)
{
	struct spec_ctrl_option opt = SPEC_CTRL_OPTION_DEFAULT;
	struct xpti_option xpti = { 0, 1 };

	(void)state;
	opt.host = 0;
	make(&haswell, &opt);
	assert_int_equal(plan.thunk, THUNK_JUMP);
	assert_false(plan.verw_exit || plan.ibpb_switch);
	assert_true(plan.xpti_dom0 && plan.l1tf_ptes);
	opt.all = 0;
	make(&haswell, &opt);
	assert_false(plan.xpti_dom0 || plan.xpti_domu || plan.l1tf_ptes);

	opt = (struct spec_ctrl_option)SPEC_CTRL_OPTION_DEFAULT;
	opt.thunk = SPEC_THUNK_LFENCE;
	opt.verw_pv = 0;
	opt.ssbd = 1;
	opt.ibpb_entry_pv = 1;
	make(&haswell, &opt);
	assert_int_equal(plan.thunk, THUNK_LFENCE);
	assert_true(!plan.verw_exit && plan.ssbd && plan.ibpb_entry);
	spec_plan_make(&haswell, &flaws, &opt, &xpti, &plan);
	assert_true(!plan.xpti_dom0 && plan.xpti_domu);
	/* IBRS where it is not enhanced, on demand: then no retpolines. */
	opt = (struct spec_ctrl_option)SPEC_CTRL_OPTION_DEFAULT;
	opt.ibrs = 1;
	make(&haswell, &opt);
	assert_true(plan.ibrs_entry && plan.thunk == THUNK_JUMP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_intel), cmocka_unit_test(test_without_flaws), cmocka_unit_test(test_amd),
		cmocka_unit_test(test_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
