/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Boot options. Each is declared next to the variable it sets:
 *
 *	static u64 conring_size = 16384;
 *	BOOT_OPTION_SIZE("conring_size", conring_size, "Size of the console ring; plain numbers are KiB.");
 *
 * and lands in the linker section .init.options, from boot_options_start to boot_options_end (the linker script defines
 * both and keeps the section aligned to 8). The syntax is that of xen-command-line in xen-doc. Init context only; nothing here
 * locks.
 */
#ifndef HV_CMDLINE_H
#define HV_CMDLINE_H

#include <hv/compiler.h>
#include <hv/types.h>

enum boot_option_kind {
	BOOT_OPTION_KIND_U64,    /* u64: decimal, 0x hexadecimal, 0 octal */
	BOOT_OPTION_KIND_SIZE,   /* u64 bytes: number with suffix B, K, M, G or T; K if none */
	BOOT_OPTION_KIND_BOOL,   /* bool: name, no-name, name=yes|no|on|off|true|false|enable|disable|1|0 */
	BOOT_OPTION_KIND_STRING, /* char[size]: the text after '='; too long is an error */
	BOOT_OPTION_KIND_CUSTOM, /* parse(value): value is "" for a bare name and "no" for no-name */
};

struct boot_option {
	const char *name;
	const char *doc;         /* one line for the list of options */
	void *var;               /* u64, bool or char array; NULL for CUSTOM */
	int (*parse)(const char *value); /* CUSTOM only: 0, or -EINVAL if the value is malformed (then nothing was set) */
	u32 size;                /* of the char array */
	u32 kind;                /* enum boot_option_kind */
};

#define BOOT_OPTION_SECTION __attribute__((section(".init.options"), used, aligned(8)))
#define BOOT_OPTION_ID_(line) boot_option_##line
#define BOOT_OPTION_ID(line) BOOT_OPTION_ID_(line)
/* One to a source line. */
#define BOOT_OPTION_ENTRY(...) \
	static const struct boot_option BOOT_OPTION_ID(__LINE__) BOOT_OPTION_SECTION = { __VA_ARGS__ }

/* The conditional expressions refuse a variable of the wrong type. */
#define BOOT_OPTION_U64(opt, variable, text) \
	BOOT_OPTION_ENTRY(.name = (opt), .doc = (text), .kind = BOOT_OPTION_KIND_U64, \
			  .var = (1 ? &(variable) : (u64 *)NULL))
#define BOOT_OPTION_SIZE(opt, variable, text) \
	BOOT_OPTION_ENTRY(.name = (opt), .doc = (text), .kind = BOOT_OPTION_KIND_SIZE, \
			  .var = (1 ? &(variable) : (u64 *)NULL))
#define BOOT_OPTION_BOOL(opt, variable, text) \
	BOOT_OPTION_ENTRY(.name = (opt), .doc = (text), .kind = BOOT_OPTION_KIND_BOOL, \
			  .var = (1 ? &(variable) : (bool *)NULL))
#define BOOT_OPTION_STRING(opt, array, text) \
	BOOT_OPTION_ENTRY(.name = (opt), .doc = (text), .kind = BOOT_OPTION_KIND_STRING, \
			  .var = (array), .size = sizeof(array))
#define BOOT_OPTION_CUSTOM(opt, function, text) \
	BOOT_OPTION_ENTRY(.name = (opt), .doc = (text), .kind = BOOT_OPTION_KIND_CUSTOM, .parse = (function))

/* Defined by the linker script; absent in host tests, which pass arrays. */
extern const struct boot_option boot_options_start[], boot_options_end[];

#define CMDLINE_MAX 2048 /* bytes of command line that are looked at, with the terminator */

/* Called for each word that was not understood; why is a phrase such as "unknown option" or "malformed value". */
typedef void cmdline_report_fn(const char *word, const char *why);

/*
 * Walks the words of line up to a "--" word or the end and sets the variables of the options found. Words are separated by
 * spaces or tabs; double quotes keep spaces and are dropped. A later word overrides an earlier one. Options are looked up by
 * exact name, with '-' and '_' alike. Returns what follows "--" (no leading space), or NULL if there is none.
 */
const char *cmdline_parse(const char *line, const struct boot_option *options, size_t count, cmdline_report_fn *report);

/*
 * Leaves out a first word without a meaning, which boot loader scripts insert: any first word that begins with '/' (path of
 * the image) or is "placeholder". Returns where the rest begins.
 */
const char *cmdline_skip_image(const char *line);

/* Value parsers, for CUSTOM options and others; all need the whole text. 0 or -EINVAL (*val is then unchanged). */
int must_check option_bool(const char *text, bool *val);
int must_check option_u64(const char *text, u64 *val);
int must_check option_size(const char *text, u64 *val);
/*
 * A boolean inside a list: "name", "no-name", "name=BOOLEAN". 1 if item is about that name (*val set), 0 if it is about
 * something else, -EINVAL if the name fits and the value is malformed.
 */
int must_check option_item_bool(const char *item, const char *name, bool *val);

/*
 * Copies the next item of a comma-separated list to buf and returns where the following one begins, or NULL if there was no
 * item left (buf is then empty). Empty items are returned. An item of size bytes or more is cut, and *cut set (if not NULL).
 */
const char *option_list_next(const char *list, char *buf, size_t size, bool *cut);

#endif
