/* SPDX-License-Identifier: BSD-2-Clause */
/* Options about processor features and speculation: cpuid, spec-ctrl, xpti. */
#include <hv/cmdline.h>
#include <hv/errno.h>
#include <hv/options.h>
#include <hv/string.h>

#define ITEM_MAX 64

int option_cpuid(const char *text, bool (*set)(void *ctx, const char *name, bool value), void *ctx)
{
	char item[ITEM_MAX];
	int unknown = 0, ret = 0;
	bool cut;

	while ((text = option_list_next(text, item, sizeof(item), &cut)) != NULL) {
		char *equals = strchr(item, '=');
		bool value = !str_starts_with(item, "no-");
		const char *name = value ? item : item + 3;
		bool malformed = cut || name[0] == '\0';

		if (equals != NULL) {
			*equals = '\0';
			malformed = malformed || !value || option_bool(equals + 1, &value) != 0;
		}
		if (malformed)
			ret = -EINVAL;
		else if (!set(ctx, name, value))
			unknown++;
	}
	return ret != 0 ? ret : unknown;
}

/* Protections that are switched for PV and HVM guests apart. */
struct paired {
	const char *name;
	size_t pv, hvm; /* offsets of the fields */
};

#define PAIR(text, field) \
	{ text, offsetof(struct spec_ctrl_option, field##_pv), offsetof(struct spec_ctrl_option, field##_hvm) }
static const struct paired pairs[] = {
	PAIR("msr-sc", msr_sc), PAIR("rsb", rsb), PAIR("verw", verw), PAIR("md-clear", verw),
	PAIR("ibpb-entry", ibpb_entry), PAIR("bhb-entry", bhb_entry),
};

static const struct {
	const char *name;
	size_t field;
} singles[] = {
#define SINGLE(text, field) { text, offsetof(struct spec_ctrl_option, field) }
	SINGLE("ibrs", ibrs), SINGLE("ibpb", ibpb), SINGLE("stibp", stibp), SINGLE("ssbd", ssbd),
	SINGLE("psfd", psfd), SINGLE("eager-fpu", eager_fpu), SINGLE("l1d-flush", l1d_flush),
	SINGLE("branch-harden", branch_harden), SINGLE("srb-lock", srb_lock), SINGLE("unpriv-mmio", unpriv_mmio),
	SINGLE("gds-mit", gds_mit), SINGLE("div-scrub", div_scrub), SINGLE("lock-harden", lock_harden),
	SINGLE("bhi-dis-s", bhi_dis_s), SINGLE("bp-spec-reduce", bp_spec_reduce),
};

static void field_set(struct spec_ctrl_option *out, size_t offset, bool value)
{
	*((s8 *)out + offset) = value;
}

/* "pv" or "hvm": all pairs for one kind of guest. 1 if it was that, 0 if not, -EINVAL. */
static int all_pairs_item(const char *item, struct spec_ctrl_option *out)
{
	bool value;
	int pv = option_item_bool(item, "pv", &value);
	int hvm = pv == 0 ? option_item_bool(item, "hvm", &value) : 0;

	if (pv < 0 || hvm < 0)
		return -EINVAL;
	if (pv == 0 && hvm == 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		field_set(out, pv != 0 ? pairs[i].pv : pairs[i].hvm, value);
	return 1;
}

/* rsb, no-rsb, rsb=off, rsb=pv, rsb=no-hvm, rsb=hvm=off ... */
static int pair_item(const char *item, const struct paired *pair, struct spec_ctrl_option *out)
{
	size_t len = strlen(pair->name);
	bool value;
	int both = option_item_bool(item, pair->name, &value);
	int one;

	if (both == 1) {
		field_set(out, pair->pv, value);
		field_set(out, pair->hvm, value);
		return 1;
	}
	if (!str_starts_with(item, pair->name) || item[len] != '=')
		return 0;
	one = option_item_bool(item + len + 1, "pv", &value);
	if (one == 1) {
		field_set(out, pair->pv, value);
		return 1;
	}
	if (one == 0)
		one = option_item_bool(item + len + 1, "hvm", &value);
	if (one != 1)
		return -EINVAL;
	field_set(out, pair->hvm, value);
	return 1;
}

static int choice_item(const char *item, struct spec_ctrl_option *out)
{
	static const struct {
		const char *text;
		enum spec_thunk thunk;
		enum spec_bhb bhb;
	} choices[] = {
		{ "bti-thunk=retpoline", SPEC_THUNK_RETPOLINE, SPEC_BHB_DEFAULT },
		{ "bti-thunk=lfence", SPEC_THUNK_LFENCE, SPEC_BHB_DEFAULT },
		{ "bti-thunk=jmp", SPEC_THUNK_JMP, SPEC_BHB_DEFAULT },
		{ "bhb-seq=short", SPEC_THUNK_DEFAULT, SPEC_BHB_SHORT },
		{ "bhb-seq=tsx", SPEC_THUNK_DEFAULT, SPEC_BHB_TSX },
		{ "bhb-seq=long", SPEC_THUNK_DEFAULT, SPEC_BHB_LONG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(choices); i++)
		if (strcmp(item, choices[i].text) == 0) {
			if (choices[i].thunk != SPEC_THUNK_DEFAULT)
				out->thunk = choices[i].thunk;
			else
				out->bhb_seq = choices[i].bhb;
			return 1;
		}
	return 0;
}

/* "no" or "no-xen"; saying yes to either is invalid. */
static int overall_item(const char *item, struct spec_ctrl_option *out)
{
	bool value;
	int xen;

	if (option_bool(item, &value) == 0) {
		if (value)
			return -EINVAL;
		out->all = 0;
		return 1;
	}
	xen = option_item_bool(item, "xen", &value);
	if (xen != 1)
		return xen;
	if (value)
		return -EINVAL;
	out->host = 0;
	return 1;
}

static int spec_item(const char *item, struct spec_ctrl_option *out)
{
	int ret = overall_item(item, out);
	bool value;

	if (ret == 0)
		ret = all_pairs_item(item, out);
	for (size_t i = 0; ret == 0 && i < ARRAY_SIZE(pairs); i++)
		ret = pair_item(item, &pairs[i], out);
	if (ret == 0)
		ret = choice_item(item, out);
	for (size_t i = 0; ret == 0 && i < ARRAY_SIZE(singles); i++) {
		ret = option_item_bool(item, singles[i].name, &value);
		if (ret == 1)
			field_set(out, singles[i].field, value);
	}
	return ret == 1 ? 0 : -EINVAL;
}

int option_spec_ctrl(const char *text, struct spec_ctrl_option *out)
{
	char item[ITEM_MAX];
	int result = 0;
	bool cut;

	while ((text = option_list_next(text, item, sizeof(item), &cut)) != NULL)
		if (cut || spec_item(item, out) != 0)
			result = -EINVAL;
	return result;
}

static int xpti_item(const char *item, struct xpti_option *out)
{
	bool value;
	int ret;

	if (strcmp(item, "default") == 0) {
		*out = (struct xpti_option){ .dom0 = -1, .domu = -1 };
		return 0;
	}
	if (option_bool(item, &value) == 0) {
		*out = (struct xpti_option){ .dom0 = value, .domu = value };
		return 0;
	}
	ret = option_item_bool(item, "dom0", &value);
	if (ret == 1) {
		out->dom0 = value;
		return 0;
	}
	if (ret == 0)
		ret = option_item_bool(item, "domu", &value);
	if (ret != 1)
		return -EINVAL;
	out->domu = value;
	return 0;
}

int option_xpti(const char *text, struct xpti_option *out)
{
	struct xpti_option option = *out;
	char item[ITEM_MAX];

	if (text[0] == '\0') { /* the bare name means yes */
		*out = (struct xpti_option){ .dom0 = 1, .domu = 1 };
		return 0;
	}
	while ((text = option_list_next(text, item, sizeof(item), NULL)) != NULL)
		if (xpti_item(item, &option) != 0)
			return -EINVAL;
	*out = option;
	return 0;
}
