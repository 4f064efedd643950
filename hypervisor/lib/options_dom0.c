/* SPDX-License-Identifier: BSD-2-Clause */
/* Options about dom0's size: dom0_mem, dom0_max_vcpus. */
#include <hv/cmdline.h>
#include <hv/errno.h>
#include <hv/options.h>
#include <hv/string.h>

#define ITEM_MAX 64

/* "25%" */
static int percent_parse(const char *text, u32 *percent)
{
	const char *end;
	u64 v;

	if (str_to_u64(text, &end, 10, &v) != 0 || v >= 100 || strcmp(end, "%") != 0)
		return -EINVAL;
	*percent = (u32)v;
	return 0;
}

/* [-]<size>, <percent>% or <size>+<percent>% */
static int amount_parse(char *text, struct memory_amount *out)
{
	struct memory_amount amount = { .set = true };
	char *plus = strchr(text, '+');
	int ret;

	if (*text == '-') {
		amount.negative = true;
		ret = option_size(text + 1, &amount.bytes);
	} else if (plus != NULL) {
		*plus = '\0';
		ret = option_size(text, &amount.bytes);
		if (ret == 0)
			ret = percent_parse(plus + 1, &amount.percent);
	} else if (strchr(text, '%') != NULL) {
		ret = percent_parse(text, &amount.percent);
	} else {
		ret = option_size(text, &amount.bytes);
	}
	if (ret == 0)
		*out = amount;
	return ret;
}

int option_dom0_mem(const char *text, struct dom0_memory *out)
{
	struct dom0_memory mem = { .plain = { .set = false } };
	char item[ITEM_MAX];
	bool cut, any = false;

	while ((text = option_list_next(text, item, sizeof(item), &cut)) != NULL) {
		int ret;

		if (cut)
			return -EINVAL;
		if (str_starts_with(item, "min:"))
			ret = amount_parse(item + 4, &mem.min);
		else if (str_starts_with(item, "max:"))
			ret = amount_parse(item + 4, &mem.max);
		else
			ret = amount_parse(item, &mem.plain);
		if (ret != 0)
			return ret;
		any = true;
	}
	if (!any)
		return -EINVAL;
	*out = mem;
	return 0;
}

/* Not clamped to what there is, except that "all but" cannot be below nothing. */
static u64 amount_wanted(const struct memory_amount *amount, u64 available)
{
	u64 bytes;

	if (amount->negative)
		return available - MIN(amount->bytes, available);
	/* percent < 100, and the quotient first, so that nothing overflows. */
	bytes = available / 100 * amount->percent + available % 100 * amount->percent / 100;
	return __builtin_add_overflow(bytes, amount->bytes, &bytes) ? UINT64_MAX : bytes;
}

static u64 amount_bytes(const struct memory_amount *amount, u64 available)
{
	return MIN(amount_wanted(amount, available), available);
}

u64 dom0_memory_bytes(const struct dom0_memory *option, u64 available, u64 *max_reservation)
{
	u64 bytes;

	if (option->plain.set)
		bytes = amount_bytes(&option->plain, available);
	else
		bytes = available - MIN(available / 16, 128UL << 20);
	if (option->min.set)
		bytes = MAX(bytes, amount_bytes(&option->min, available));
	*max_reservation = UINT64_MAX;
	if (option->max.set) {
		*max_reservation = amount_wanted(&option->max, available);
		bytes = MIN(bytes, *max_reservation);
	}
	return bytes & PAGE_MASK;
}

int option_dom0_max_vcpus(const char *text, struct dom0_vcpus *out)
{
	u64 min = 1, max = UINT32_MAX;
	const char *p = text;

	if (*p != '-') {
		if (str_to_u64(p, &p, 10, &min) != 0)
			return -EINVAL;
		if (*p == '\0')
			max = min;
	}
	if (*p == '-') {
		p++;
		if (*p != '\0' && str_to_u64(p, &p, 10, &max) != 0)
			return -EINVAL;
	}
	if (*p != '\0' || p == text || strcmp(text, "-") == 0 || min == 0 || min > max || max > UINT32_MAX)
		return -EINVAL;
	*out = (struct dom0_vcpus){ .min = (u32)min, .max = (u32)max };
	return 0;
}

u32 dom0_vcpus_count(const struct dom0_vcpus *option, u32 cpus, u32 limit)
{
	u32 count = MIN(MAX(cpus, option->min), option->max);

	return MAX(1U, MIN(count, limit));
}
