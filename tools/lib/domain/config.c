/* SPDX-License-Identifier: BSD-2-Clause */
/* Reader for the syntax of xl.cfg: argon/config.h. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "argon/config.h"
#include "argon/reason.h"

#define FILE_MAX (1L << 20)
#define DEPTH_MAX 16

/* Everything that belongs to a set of settings hangs on one list and is freed with it. */
struct chunk {
	struct chunk *next;
	char data[] __attribute__((aligned(16)));
};

struct setting {
	const char *key;
	struct config_value *value;
	struct setting *next;
};

struct config {
	struct chunk *chunks;
	struct setting *first, **last;
};

struct reader {
	struct config *c;
	const char *source, *at, *end, *line_start;
	unsigned int line;
	bool lenient;
	int depth;
};

static void *config_alloc(struct config *c, size_t size)
{
	struct chunk *k = calloc(1, sizeof(*k) + size);

	if (k == NULL) {
		reason_set(ENOMEM, "out of memory while reading settings");
		return NULL;
	}
	k->next = c->chunks;
	c->chunks = k;
	return k->data;
}

static char *config_text(struct config *c, const char *text, size_t length)
{
	char *copy = config_alloc(c, length + 1);

	if (copy != NULL)
		memcpy(copy, text, length);
	return copy;
}

int config_new(struct config **out)
{
	struct config *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return reason_set(ENOMEM, "out of memory");
	c->last = &c->first;
	*out = c;
	return 0;
}

void config_free(struct config *c)
{
	struct chunk *k, *next;

	if (c == NULL)
		return;
	for (k = c->chunks; k != NULL; k = next) {
		next = k->next;
		free(k);
	}
	free(c);
}

/* ---- characters ---- */

static int reader_error(const struct reader *r, const char *where, const char *format, ...) __attribute__((format(printf, 3, 4)));

static int reader_error(const struct reader *r, const char *where, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return reason_set(EINVAL, "%s:%u:%ld: %s", r->source, r->line, (long)(where - r->line_start) + 1, text);
}

static void newline_pass(struct reader *r)
{
	r->at++;
	r->line++;
	r->line_start = r->at;
}

/* Blanks and comments; line ends too where they mean nothing. */
static void blanks_skip(struct reader *r, bool lines)
{
	while (r->at < r->end) {
		char ch = *r->at;

		if (ch == '#') {
			while (r->at < r->end && *r->at != '\n')
				r->at++;
		} else if (ch == '\n') {
			if (!lines)
				return;
			newline_pass(r);
		} else if (ch == '\\' && r->at + 1 < r->end && r->at[1] == '\n') {
			r->at++;
			newline_pass(r);
		} else if (ch == ' ' || ch == '\t' || ch == '\r' || ch == '\f' || ch == '\v') {
			r->at++;
		} else {
			return;
		}
	}
}

static bool word_char(char ch)
{
	return isalnum((unsigned char)ch) || ch == '_' || ch == '.' || ch == '-';
}

/* What stands at the reader, for a message. */
static const char *shown(const struct reader *r, char buf[16])
{
	if (r->at >= r->end)
		return "the end of the text";
	if (*r->at == '\n')
		return "the end of the line";
	if (isprint((unsigned char)*r->at))
		snprintf(buf, 16, "'%c'", *r->at);
	else
		snprintf(buf, 16, "byte 0x%02x", (unsigned char)*r->at);
	return buf;
}

/* ---- values ---- */

static struct config_value *value_new(struct reader *r, enum config_kind kind)
{
	struct config_value *v = config_alloc(r->c, sizeof(*v));

	if (v == NULL)
		return NULL;
	v->kind = kind;
	v->source = r->source;
	v->line = r->line;
	v->column = (unsigned int)(r->at - r->line_start) + 1;
	return v;
}

static int string_read(struct reader *r, struct config_value **out)
{
	const char *start = r->at, *close;
	struct config_value *v;
	char quote = *start;

	v = value_new(r, CONFIG_STRING);
	if (v == NULL)
		return -ENOMEM;
	for (close = start + 1; close < r->end && *close != quote; close++) {
		if (*close == '\n' || *close == '\0')
			return reader_error(r, start, "the string that begins here is not closed with %c on its line", quote);
	}
	if (close == r->end)
		return reader_error(r, start, "the string that begins here is not closed with %c", quote);
	v->string = config_text(r->c, start + 1, (size_t)(close - start - 1));
	if (v->string == NULL)
		return -ENOMEM;
	r->at = close + 1;
	*out = v;
	return 0;
}

static int number_read(struct reader *r, struct config_value **out)
{
	const char *start = r->at, *p = start;
	struct config_value *v = value_new(r, CONFIG_NUMBER);
	char *digits_end, *digits;

	if (v == NULL)
		return -ENOMEM;
	if (*p == '-')
		p++;
	while (p < r->end && (word_char(*p) && *p != '-'))
		p++;
	digits = config_text(r->c, start, (size_t)(p - start));
	if (digits == NULL)
		return -ENOMEM;
	errno = 0;
	v->number = strtol(digits, &digits_end, 0);
	v->string = digits;
	if (errno == ERANGE)
		return reader_error(r, start, "%s is too large", digits);
	if (*digits_end != '\0' || digits_end == digits)
		return reader_error(r, start, "%s is not a number; text needs quotes: \"%s\"", digits, digits);
	r->at = p;
	*out = v;
	return 0;
}

static int value_read(struct reader *r, struct config_value **out);

static int list_grow(struct reader *r, struct config_value *list, struct config_value *item)
{
	/* Room doubles: counts that are powers of two are full. */
	if ((list->count & (list->count - 1)) == 0) {
		struct config_value **items = config_alloc(r->c, (list->count != 0 ? 2 * list->count : 1) * sizeof(*items));

		if (items == NULL)
			return -ENOMEM;
		if (list->count != 0)
			memcpy(items, list->items, list->count * sizeof(*items));
		list->items = items;
	}
	list->items[list->count++] = item;
	return 0;
}

static int list_read(struct reader *r, struct config_value **out)
{
	struct config_value *v = value_new(r, CONFIG_LIST), *item;
	unsigned int line = r->line;
	char buf[16];
	int err;

	if (v == NULL)
		return -ENOMEM;
	if (++r->depth > DEPTH_MAX)
		return reader_error(r, r->at, "lists are nested more than %d deep", DEPTH_MAX);
	r->at++;
	for (;;) {
		blanks_skip(r, true);
		if (r->at < r->end && *r->at == ']')
			break;
		if (r->at == r->end)
			return reader_error(r, r->at, "the list that begins in line %u is not closed with ]", line);
		err = value_read(r, &item);
		if (err == 0)
			err = list_grow(r, v, item);
		if (err != 0)
			return err;
		blanks_skip(r, true);
		if (r->at < r->end && *r->at == ',')
			r->at++;
		else if (r->at < r->end && *r->at != ']')
			return reader_error(r, r->at, "expected , or ] in a list, found %s", shown(r, buf));
	}
	r->at++;
	r->depth--;
	*out = v;
	return 0;
}

static int bare_read(struct reader *r, struct config_value **out)
{
	struct config_value *v = value_new(r, CONFIG_STRING);
	const char *start = r->at;

	if (v == NULL)
		return -ENOMEM;
	while (r->at < r->end && *r->at != ';' && *r->at != '\n')
		r->at++;
	v->string = config_text(r->c, start, (size_t)(r->at - start));
	if (v->string == NULL)
		return -ENOMEM;
	*out = v;
	return 0;
}

static int value_read(struct reader *r, struct config_value **out)
{
	char ch = r->at < r->end ? *r->at : '\0', buf[16];

	if (ch == '"' || ch == '\'')
		return string_read(r, out);
	if (ch == '[')
		return list_read(r, out);
	if (isdigit((unsigned char)ch) || (ch == '-' && r->at + 1 < r->end && isdigit((unsigned char)r->at[1])))
		return number_read(r, out);
	if (r->lenient && r->depth == 0 && (isalpha((unsigned char)ch) || ch == '/' || ch == '_'))
		return bare_read(r, out);
	if (isalpha((unsigned char)ch) || ch == '/' || ch == '_')
		return reader_error(r, r->at, "expected a value, found %s; text needs quotes", shown(r, buf));
	return reader_error(r, r->at, "expected a value (a number, \"text\" or [list]), found %s", shown(r, buf));
}

/* ---- settings ---- */

static struct setting *setting_find(const struct config *c, const char *key)
{
	struct setting *s;

	for (s = c->first; s != NULL; s = s->next) {
		if (strcmp(s->key, key) == 0)
			return s;
	}
	return NULL;
}

static int setting_extend(struct reader *r, struct config_value *old, const struct config_value *more, const char *key)
{
	char *joined;
	size_t i, len;

	if (old->kind == CONFIG_LIST) {
		if (more->kind != CONFIG_LIST)
			return config_error(more, "%s is a list: += must be followed by a list", key);
		for (i = 0; i < more->count; i++) {
			if (list_grow(r, old, more->items[i]) != 0)
				return -ENOMEM;
		}
		return 0;
	}
	if (old->kind != CONFIG_STRING || more->kind != CONFIG_STRING)
		return config_error(more, "+= extends lists and strings, and %s is neither, or not the same", key);
	len = strlen(old->string) + strlen(more->string) + 1;
	joined = config_alloc(r->c, len);
	if (joined == NULL)
		return -ENOMEM;
	snprintf(joined, len, "%s%s", old->string, more->string);
	old->string = joined;
	return 0;
}

static int setting_store(struct reader *r, const char *key, struct config_value *v, bool extend)
{
	struct setting *s = setting_find(r->c, key);

	if (s != NULL && extend)
		return setting_extend(r, s->value, v, key);
	if (s != NULL) {
		s->value = v;
		return 0;
	}
	s = config_alloc(r->c, sizeof(*s));
	if (s == NULL)
		return -ENOMEM;
	s->key = key;
	s->value = v;
	*r->c->last = s;
	r->c->last = &s->next;
	return 0;
}

static int setting_read(struct reader *r)
{
	const char *start = r->at;
	struct config_value *v;
	char *key, buf[16];
	bool extend = false;
	int err;

	if (!isalpha((unsigned char)*start) && *start != '_')
		return reader_error(r, start, "expected the name of a setting, found %s", shown(r, buf));
	while (r->at < r->end && word_char(*r->at))
		r->at++;
	key = config_text(r->c, start, (size_t)(r->at - start));
	if (key == NULL)
		return -ENOMEM;
	blanks_skip(r, false);
	if (r->at + 1 < r->end && r->at[0] == '+' && r->at[1] == '=') {
		extend = true;
		r->at++;
	}
	if (r->at == r->end || *r->at != '=')
		return reader_error(r, r->at, "expected = after %s, found %s", key, shown(r, buf));
	r->at++;
	blanks_skip(r, false);
	r->depth = 0;
	err = value_read(r, &v);
	if (err == 0)
		err = setting_store(r, key, v, extend);
	if (err != 0)
		return err;
	blanks_skip(r, false);
	if (r->at < r->end && *r->at != '\n' && *r->at != ';')
		return reader_error(r, r->at, "expected the end of the line or ; after the value of %s, found %s", key,
				    shown(r, buf));
	return 0;
}

int config_parse(struct config *c, const char *source, const char *text, size_t length, bool lenient)
{
	struct reader r = { .c = c, .at = text, .end = text + length, .line_start = text, .line = 1, .lenient = lenient };
	int err;

	r.source = config_text(c, source, strlen(source));
	if (r.source == NULL)
		return -ENOMEM;
	for (;;) {
		blanks_skip(&r, true);
		if (r.at == r.end)
			return 0;
		if (*r.at == ';') {
			r.at++;
			continue;
		}
		err = setting_read(&r);
		if (err != 0)
			return err;
	}
}

int config_parse_file(struct config *c, const char *path)
{
	char *text = NULL;
	struct stat st;
	ssize_t got;
	size_t length = 0;
	int fd, err = 0;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return reason_set(errno, "%s: %s", path, strerror(errno));
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		close(fd);
		return reason_set(EISDIR, "%s is a directory, not a file of settings", path);
	}
	text = malloc(FILE_MAX + 1);
	if (text == NULL)
		err = reason_set(ENOMEM, "out of memory");
	while (err == 0 && length <= FILE_MAX) {
		got = read(fd, text + length, (size_t)FILE_MAX + 1 - length);
		if (got < 0)
			err = reason_set(errno, "%s: %s", path, strerror(errno));
		if (got <= 0)
			break;
		length += (size_t)got;
	}
	close(fd);
	if (err == 0 && length > FILE_MAX)
		err = reason_set(EFBIG, "%s has more than %ld bytes: this is not a file of settings", path, FILE_MAX);
	if (err == 0)
		err = config_parse(c, path, text, length, false);
	free(text);
	return err;
}

/* ---- access ---- */

int config_error(const struct config_value *v, const char *format, ...)
{
	char text[384];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return reason_set(EINVAL, "%s:%u:%u: %s", v->source, v->line, v->column, text);
}

const struct config_value *config_find(const struct config *c, const char *key)
{
	struct setting *s = setting_find(c, key);

	if (s == NULL)
		return NULL;
	s->value->used = true;
	return s->value;
}

int config_get_string(const struct config *c, const char *key, const char **out)
{
	const struct config_value *v = config_find(c, key);

	if (v == NULL)
		return 0;
	if (v->kind == CONFIG_LIST)
		return config_error(v, "%s must be text in quotes, not a list", key);
	*out = v->string;
	return 1;
}

int config_get_number(const struct config *c, const char *key, long *out, long min, long max)
{
	const struct config_value *v = config_find(c, key);
	long number;
	char *end;

	if (v == NULL)
		return 0;
	if (v->kind == CONFIG_LIST)
		return config_error(v, "%s must be a number, not a list", key);
	errno = 0;
	number = strtol(v->string, &end, 0);
	if (*end != '\0' || end == v->string || errno != 0)
		return config_error(v, "%s must be a number, not \"%s\"", key, v->string);
	if (number < min || number > max)
		return max == LONG_MAX ? config_error(v, "%s is %ld, but must be at least %ld", key, number, min) :
		       config_error(v, "%s is %ld, but must be from %ld to %ld", key, number, min, max);
	*out = number;
	return 1;
}

int config_get_bool(const struct config *c, const char *key, bool *out)
{
	long number = 0;
	int got = config_get_number(c, key, &number, LONG_MIN, LONG_MAX);

	if (got == 1)
		*out = number != 0;
	return got;
}

int config_get_list(const struct config *c, const char *key, const struct config_value **out, bool single)
{
	struct setting *s = setting_find(c, key);
	const struct config_value *v = config_find(c, key);
	struct config_value *list;

	if (v == NULL)
		return 0;
	if (v->kind == CONFIG_LIST) {
		*out = v;
		return 1;
	}
	if (!single)
		return config_error(v, "%s must be a list: [ \"...\" ]", key);
	/* The set owns the list of one; the allocation list of the set is all that changes. */
	list = config_alloc((struct config *)(uintptr_t)c, sizeof(*list) + sizeof(list->items));
	if (list == NULL)
		return -ENOMEM;
	*list = *v;
	list->kind = CONFIG_LIST;
	list->items = (struct config_value **)(list + 1);
	list->items[0] = s->value;
	list->count = 1;
	*out = list;
	return 1;
}

void config_unused(const struct config *c, void (*fn)(void *arg, const char *key, const struct config_value *v), void *arg)
{
	const struct setting *s;

	for (s = c->first; s != NULL; s = s->next) {
		if (!s->value->used)
			fn(arg, s->key, s->value);
	}
}
