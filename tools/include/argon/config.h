/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The syntax of xl.cfg, xl.conf and xlcpupool.cfg: KEY = VALUE pairs, where a value is a string, a number or a list (manual
 * page xl.cfg(5), SYNTAX). Every value remembers where it was written, so that complaints about it can say so.
 */
#ifndef ARGON_CONFIG_H
#define ARGON_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum config_kind {
	CONFIG_STRING,
	CONFIG_NUMBER,
	CONFIG_LIST,
};

struct config_value {
	enum config_kind kind;
	bool used;			/* somebody asked for it: what is left over is unknown */
	const char *source;		/* file name, or "command line" */
	unsigned int line, column;	/* of its first character, from 1 */
	const char *string;		/* CONFIG_STRING; a number's digits as they were written */
	long number;			/* CONFIG_NUMBER */
	struct config_value **items;	/* CONFIG_LIST */
	size_t count;
};

struct config;

/** An empty set of settings. */
int config_new(struct config **out);

/**
 * Add settings to a set; a key that exists is overridden (or, with +=, extended).
 * @param source   what messages call the text: a file name, or "command line"
 * @param lenient  a value may be a bare word too, because a shell has eaten its quotes
 * @return 0, or -EINVAL with a reason that begins with "SOURCE:LINE:COLUMN: "; the set then holds what came before the error
 */
int config_parse(struct config *c, const char *source, const char *text, size_t length, bool lenient);

/** config_parse() of a file's content. @return also the errno of opening or reading it; -EFBIG beyond 1 MiB */
int config_parse_file(struct config *c, const char *path);

void config_free(struct config *c);

/** The value of a key, NULL when it is not set. Marks it as used. */
const struct config_value *config_find(const struct config *c, const char *key);

/**
 * Typed access. Each leaves *out as it was when the key is not set.
 * @return 1 when set, 0 when not, -EINVAL with a reason when the value is of another kind. A number is accepted where a string is
 * asked for, and a string of digits where a number is asked for.
 */
int config_get_string(const struct config *c, const char *key, const char **out);
int config_get_number(const struct config *c, const char *key, long *out, long min, long max);
int config_get_bool(const struct config *c, const char *key, bool *out);
/** A list; a single string or number counts as a list of one when `single` is set. Each item may be of any kind. */
int config_get_list(const struct config *c, const char *key, const struct config_value **out, bool single);

/** reason_set(EINVAL) with the place of a value in front. */
int config_error(const struct config_value *v, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Calls fn for each key that nobody has asked for. */
void config_unused(const struct config *c, void (*fn)(void *arg, const char *key, const struct config_value *v), void *arg);

#endif
