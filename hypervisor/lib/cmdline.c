/* SPDX-License-Identifier: BSD-2-Clause */
/* Boot options: splitting the command line, finding the option, and the value syntaxes that options share. */
#include <hv/cmdline.h>
#include <hv/errno.h>
#include <hv/string.h>

#define WORD_MAX 512

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *spaces_skip(const char *p)
{
	while (is_space(*p))
		p++;
	return p;
}

/* Copies the word at p without its quotes. Returns where it ends; *cut says that it did not fit. */
static const char *word_read(const char *p, char *word, bool *cut)
{
	size_t len = 0;
	bool quoted = false;

	*cut = false;
	for (; *p != '\0' && (quoted || !is_space(*p)); p++) {
		if (*p == '"') {
			quoted = !quoted;
		} else if (len < WORD_MAX - 1) {
			word[len++] = *p;
		} else {
			*cut = true;
		}
	}
	word[len] = '\0';
	return p;
}

/* Do the first len characters of text spell this name? */
static bool name_equal(const char *text, size_t len, const char *name)
{
	for (size_t i = 0; i < len; i++) {
		char a = text[i] == '_' ? '-' : text[i];
		char b = name[i] == '_' ? '-' : name[i];

		if (a != b)
			return false;
	}
	return name[len] == '\0';
}

struct registry {
	const struct boot_option *options;
	size_t count;
};

/* Sets every option of the name, since one name may serve several users. Returns the number found, or -EINVAL. */
static int options_set(const struct registry *reg, const char *name, size_t len,
		       int (*set)(const struct boot_option *option, const char *value), const char *value)
{
	int found = 0;

	for (size_t i = 0; i < reg->count; i++)
		if (name_equal(name, len, reg->options[i].name)) {
			int ret = set(&reg->options[i], value);

			if (ret != 0)
				return ret;
			found++;
		}
	return found;
}

/* name=value */
static int set_value(const struct boot_option *option, const char *value)
{
	switch ((enum boot_option_kind)option->kind) {
	case BOOT_OPTION_KIND_U64:
		return option_u64(value, option->var);
	case BOOT_OPTION_KIND_SIZE:
		return option_size(value, option->var);
	case BOOT_OPTION_KIND_BOOL:
		return option_bool(value, option->var);
	case BOOT_OPTION_KIND_STRING:
		if (strlen(value) >= option->size)
			return -EINVAL;
		strlcpy(option->var, value, option->size);
		return 0;
	case BOOT_OPTION_KIND_CUSTOM:
		return option->parse(value);
	}
	return -EINVAL;
}

/* A name alone, or no- and a name: value is "" or "no". */
static int set_bare(const struct boot_option *option, const char *value)
{
	if (option->kind == BOOT_OPTION_KIND_CUSTOM)
		return option->parse(value);
	if (option->kind != BOOT_OPTION_KIND_BOOL)
		return -EINVAL;
	*(bool *)option->var = value[0] == '\0';
	return 0;
}

static void word_apply(const struct registry *reg, const char *word, cmdline_report_fn *report)
{
	const char *equals = strchr(word, '=');
	size_t len = equals == NULL ? strlen(word) : (size_t)(equals - word);
	bool negated = false;
	int found;

	if (equals != NULL)
		found = options_set(reg, word, len, set_value, equals + 1);
	else
		found = options_set(reg, word, len, set_bare, "");
	if (found == 0 && str_starts_with(word, "no-")) {
		negated = true;
		/* What no-name=value would mean is undefined. */
		found = equals != NULL ? -EINVAL : options_set(reg, word + 3, len - 3, set_bare, "no");
	}
	if (found < 0)
		report(word, negated ? "this option cannot be negated so" : "malformed value");
	else if (found == 0)
		report(word, "unknown option");
}

const char *cmdline_parse(const char *line, const struct boot_option *options, size_t count, cmdline_report_fn *report)
{
	const struct registry reg = { options, count };
	const char *limit = line + strnlen(line, CMDLINE_MAX);
	char word[WORD_MAX];
	const char *p;
	bool cut;

	for (p = spaces_skip(line); *p != '\0' && p < limit; p = spaces_skip(p)) {
		p = word_read(p, word, &cut);
		if (strcmp(word, "--") == 0)
			return spaces_skip(p);
		if (cut)
			report(word, "word too long");
		else if (word[0] != '\0')
			word_apply(&reg, word, report);
	}
	return NULL;
}

const char *cmdline_skip_image(const char *line)
{
	static const char placeholder[] = "placeholder";
	const char *p = spaces_skip(line);
	const char *end = p;

	while (*end != '\0' && !is_space(*end))
		end++;
	if (*p == '/' || ((size_t)(end - p) == sizeof(placeholder) - 1 && str_starts_with(p, placeholder)))
		return spaces_skip(end);
	return p;
}

int option_bool(const char *text, bool *val)
{
	static const char *const yes[] = { "yes", "on", "true", "enable", "1" };
	static const char *const no[] = { "no", "off", "false", "disable", "0" };

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		if (strcmp(text, yes[i]) == 0) {
			*val = true;
			return 0;
		}
		if (strcmp(text, no[i]) == 0) {
			*val = false;
			return 0;
		}
	}
	return -EINVAL;
}

int option_u64(const char *text, u64 *val)
{
	const char *end;
	u64 v;

	if (str_to_u64(text, &end, 0, &v) != 0 || *end != '\0')
		return -EINVAL;
	*val = v;
	return 0;
}

/* log2 of what a size suffix stands for, or -1. */
static int suffix_shift(char c)
{
	switch (c) {
	case 'b':
	case 'B':
		return 0;
	case 'k':
	case 'K':
		return 10;
	case 'm':
	case 'M':
		return 20;
	case 'g':
	case 'G':
		return 30;
	case 't':
	case 'T':
		return 40;
	default:
		return -1;
	}
}

int option_size(const char *text, u64 *val)
{
	const char *end;
	int shift = 10;
	u64 v;

	if (str_to_u64(text, &end, 0, &v) != 0)
		return -EINVAL;
	if (*end != '\0') {
		shift = suffix_shift(*end);
		if (shift < 0 || end[1] != '\0')
			return -EINVAL;
	}
	if (v << shift >> shift != v)
		return -EINVAL;
	*val = v << shift;
	return 0;
}

int option_item_bool(const char *item, const char *name, bool *val)
{
	const char *equals = strchr(item, '=');

	if (equals != NULL) {
		if (!name_equal(item, (size_t)(equals - item), name))
			return 0;
		return option_bool(equals + 1, val) == 0 ? 1 : -EINVAL;
	}
	if (name_equal(item, strlen(item), name)) {
		*val = true;
		return 1;
	}
	if (str_starts_with(item, "no-") && name_equal(item + 3, strlen(item + 3), name)) {
		*val = false;
		return 1;
	}
	return 0;
}

const char *option_list_next(const char *list, char *buf, size_t size, bool *cut)
{
	size_t len = 0;

	buf[0] = '\0';
	if (cut != NULL)
		*cut = false;
	if (*list == '\0')
		return NULL;
	while (list[len] != '\0' && list[len] != ',')
		len++;
	if (len >= size && cut != NULL)
		*cut = true;
	memcpy(buf, list, MIN(len, size - 1));
	buf[MIN(len, size - 1)] = '\0';
	return list + len + (list[len] == ',' ? 1 : 0);
}
