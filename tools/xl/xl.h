/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of xl share: the table of commands, arguments, output. */
#ifndef XL_H
#define XL_H

#include <getopt.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "argon/domain.h"

#define XL_CONF "/etc/xen/xl.conf"

enum {
	EXIT_USAGE = 2,		/* wrong arguments */
	EXIT_CREATE = 3,	/* a configuration that cannot be read, a domain that cannot be made */
};

struct xl {
	struct host *host;
	unsigned int verbose;
	bool dry, json;
	const struct command *command;
	struct host_config conf;	/* xl.conf, after conf_get */
	bool conf_read;
};

struct command {
	const char *name;
	int (*run)(struct xl *xl, int argc, char **argv);	/* argv[0] is the command's name; returns the exit status */
	int least, most;	/* arguments, options not counted; most -1: any number */
	const char *arguments;
	const char *summary;
	const char *options;	/* lines of help, NULL for none */
	const char *group;	/* heading in help --long */
	bool prints;		/* it knows --json */
};

/* One array for each file of commands; an entry without a name ends it. */
extern const struct command commands_life[], commands_list[], commands_vcpu[], commands_device[], commands_host[], commands_sched[],
	commands_cpupool[], commands_other[], commands_save[], commands_migrate[];

/* ---- main.c ---- */

/** Prints "xl COMMAND: " and the recorded reason on stderr. @return 1 */
int fail(struct xl *xl);
int fail_with(struct xl *xl, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));
/** Prints how the command is used. @return EXIT_USAGE */
int usage(struct xl *xl);
const struct command *command_find(const char *name);

/**
 * Options of a command, as getopt_long; -h, --help and --json are handled here. optind is then the first argument, and their
 * number has been checked.
 * @return an option, -1 at the end, -2 when the command must end with *status
 */
int option_next(struct xl *xl, int argc, char **argv, const char *shorts, const struct option *longs, int *status);

/** A domain by name or number, or a message. @return true when found */
bool domain_arg(struct xl *xl, const char *text, uint32_t *domid);
/** A number in a range, or a message. */
bool number_arg(struct xl *xl, const char *what, const char *text, long least, long most, long *out);
/** The connection to the hypervisor or the store, or a message. */
bool ctrl_arg(struct xl *xl, struct ctrl **ctrl);
bool store_arg(struct xl *xl, struct store **store);
const struct host_config *conf_get(struct xl *xl);

/* ---- output.c ---- */

/** All domains with their names; *count of them. NULL after a message. */
struct domain_row {
	struct ctrl_domain_info info;
	char *name;
};
struct domain_row *domains_get(struct xl *xl, int *count);
/** Those that are named by arguments, or all when there are none. */
struct domain_row *domains_args(struct xl *xl, int argc, char **argv, int *count);
void domains_free(struct domain_row *rows, int count);
/** Names of CPU pools, allocated. */
char *pool_name(struct xl *xl, uint32_t pool);
/** "r-----" */
void state_text(const struct ctrl_domain_info *info, char text[7]);

/** {"schema": "xl.NAME", "version": 1} to be filled in, and its way out. @return 0 */
struct json_object *json_begin(const char *schema);
int json_end(struct json_object *o);
/** Printed as they are. @return 0 */
int json_print(struct json_object *o);
void json_text(struct json_object *o, const char *key, const char *text);
void json_number(struct json_object *o, const char *key, int64_t number);
void json_flag(struct json_object *o, const char *key, bool on);
void json_uuid(struct json_object *o, const char *key, const uint8_t uuid[16]);

/* ---- top.c ---- */

int cmd_top(struct xl *xl, int argc, char **argv);

/* ---- config.c ---- */

/** Settings from a file (NULL: none) and key=value words; understands libvirt's XML too. False after a message. */
bool config_args(struct xl *xl, const char *path, char **words, int count, bool quiet, struct domain_config *dc);
/** A console until the person detaches. @return an exit status */
int console_run(struct xl *xl, uint32_t domid, unsigned int number);

#endif
