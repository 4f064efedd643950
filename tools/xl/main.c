/* SPDX-License-Identifier: BSD-2-Clause */
/* xl: finds the command, reads what is common to all. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "argon/reason.h"
#include "xl.h"

#define OPTION_JSON 1000

static const struct command *const tables[] = {
	commands_life, commands_list, commands_vcpu, commands_device, commands_host, commands_sched, commands_cpupool, commands_save, commands_migrate,
	commands_other,
};
#define TABLES (sizeof(tables) / sizeof(tables[0]))

const struct command *command_find(const char *name)
{
	const struct command *c;
	size_t i;

	for (i = 0; i < TABLES; i++) {
		for (c = tables[i]; c->name != NULL; c++) {
			if (strcmp(c->name, name) == 0)
				return c;
		}
	}
	return NULL;
}

/* ---- messages ---- */

int fail(struct xl *xl)
{
	fflush(stdout);
	fprintf(stderr, "xl %s: %s\n", xl->command->name, reason_get());
	return EXIT_FAILURE;
}

int fail_with(struct xl *xl, int status, const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fprintf(stderr, "xl %s: ", xl->command->name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return status;
}

static void command_help(FILE *to, const struct command *c)
{
	fprintf(to, "Usage: xl [-vtTf] %s %s\n\n%s.\n\n", c->name, c->arguments, c->summary);
	if (c->options != NULL || c->prints)
		fprintf(to, "Options:\n\n%s%s\n", c->options != NULL ? c->options : "",
			c->prints ? "--json                  Print JSON (docs/json.md).\n" : "");
}

int usage(struct xl *xl)
{
	command_help(stderr, xl->command);
	return EXIT_USAGE;
}

static const char *const common[] = { "create", "list", "destroy", "shutdown", "reboot", "pause", "unpause", "console", "info",
				      "dmesg", NULL };

static void help_short(FILE *to)
{
	size_t i;

	fprintf(to, "Usage xl [-vfNtT] <subcommand> [args]\n\nCommon subcommands (xl help --long lists all of them):\n\n");
	for (i = 0; common[i] != NULL; i++)
		fprintf(to, " %-19s %s\n", common[i], command_find(common[i])->summary);
	fprintf(to, "\nxl help SUBCOMMAND says how one is used.\n");
}

static void help_long(FILE *to)
{
	const struct command *c;
	const char *group = "";
	size_t i;

	fprintf(to, "Usage xl [-vfNtT] <subcommand> [args]\n\nxl full list of subcommands:\n");
	for (i = 0; i < TABLES; i++) {
		for (c = tables[i]; c->name != NULL; c++) {
			if (c->name[0] == '_')
				continue;
			if (c->group != NULL && strcmp(c->group, group) != 0)
				fprintf(to, "\n%s\n", c->group);
			if (c->group != NULL)
				group = c->group;
			fprintf(to, " %-19s %s\n", c->name, c->summary);
		}
	}
}

static int cmd_help(struct xl *xl, int argc, char **argv)
{
	static const struct option longs[] = { { "long", no_argument, NULL, 'l' }, { NULL, 0, NULL, 0 } };
	const struct command *c;
	bool all = false;
	int opt, status;

	while ((opt = option_next(xl, argc, argv, "", longs, &status)) != -1) {
		if (opt == -2)
			return status;
		all = true;
	}
	if (optind < argc) {
		c = command_find(argv[optind]);
		if (c == NULL)
			return fail_with(xl, EXIT_FAILURE, "there is no command \"%s\"; xl help --long lists all", argv[optind]);
		command_help(stdout, c);
		return EXIT_SUCCESS;
	}
	if (all)
		help_long(stdout);
	else
		help_short(stdout);
	return EXIT_SUCCESS;
}

/* What the shell completion asks for: names of commands, or what can follow one. */
static int cmd_complete(struct xl *xl, int argc, char **argv)
{
	const struct command *c;
	size_t i;

	(void)xl;
	if (argc > 1) {
		c = command_find(argv[1]);
		if (c == NULL)
			return EXIT_FAILURE;
		printf("%s\n%s%s\n", c->arguments, c->options != NULL ? c->options : "", c->prints ? "--json\n" : "");
		return EXIT_SUCCESS;
	}
	for (i = 0; i < TABLES; i++) {
		for (c = tables[i]; c->name != NULL; c++) {
			if (c->name[0] != '_')
				puts(c->name);
		}
	}
	return EXIT_SUCCESS;
}

const struct command commands_other[] = {
	{ .name = "help", .run = cmd_help, .most = 1, .arguments = "[--long] [<Subcommand>]", .summary = "Say how commands are used",
	  .options = "-l, --long              List all commands, grouped.\n", .group = "Help" },
	{ .name = "_complete", .run = cmd_complete, .most = 1, .arguments = "[<Subcommand>]", .summary = "For shell completion" },
	{ .name = NULL },
};

/* ---- arguments ---- */

static int json_refuse(struct xl *xl)
{
	return fail_with(xl, EXIT_USAGE, "this command does not print JSON");
}

static int count_check(struct xl *xl, int argc)
{
	const struct command *c = xl->command;
	int count = argc - optind;

	if (count < c->least) {
		fprintf(stderr, "'xl %s' requires at least %d argument%s.\n\n", c->name, c->least, c->least == 1 ? "" : "s");
		return usage(xl);
	}
	if (c->most >= 0 && count > c->most) {
		fprintf(stderr, "'xl %s' takes at most %d argument%s.\n\n", c->name, c->most, c->most == 1 ? "" : "s");
		return usage(xl);
	}
	return 0;
}

int option_next(struct xl *xl, int argc, char **argv, const char *shorts, const struct option *longs, int *status)
{
	static const struct option none[] = { { NULL, 0, NULL, 0 } };
	struct option all[32];
	char letters[64];
	size_t n;
	int opt;

	if (longs == NULL)
		longs = none;
	for (n = 0; longs[n].name != NULL && n < 28; n++)
		all[n] = longs[n];
	all[n++] = (struct option){ "help", no_argument, NULL, 'h' };
	all[n++] = (struct option){ "json", no_argument, NULL, OPTION_JSON };
	all[n] = (struct option){ NULL, 0, NULL, 0 };
	snprintf(letters, sizeof(letters), "%sh", shorts);
	for (;;) {
		opt = getopt_long(argc, argv, letters, all, NULL);
		if (opt == 'h') {
			command_help(stdout, xl->command);
			*status = EXIT_SUCCESS;
			return -2;
		}
		if (opt == '?') {
			*status = usage(xl);
			return -2;
		}
		if (opt == OPTION_JSON && !xl->command->prints) {
			*status = json_refuse(xl);
			return -2;
		}
		if (opt == OPTION_JSON) {
			xl->json = true;
			continue;
		}
		if (opt == -1) {
			*status = count_check(xl, argc);
			return *status != 0 ? -2 : -1;
		}
		return opt;
	}
}

bool domain_arg(struct xl *xl, const char *text, uint32_t *domid)
{
	int err = domain_find(xl->host, text, domid);

	if (err == -ESRCH) {
		fflush(stdout);
		fprintf(stderr, "%s is an invalid domain identifier: %s\n", text, reason_get());
	} else if (err != 0) {
		(void)fail(xl);
	}
	return err == 0;
}

bool number_arg(struct xl *xl, const char *what, const char *text, long least, long most, long *out)
{
	char *end;

	errno = 0;
	*out = strtol(text, &end, 0);
	if (end != text && *end == '\0' && errno == 0 && *out >= least && *out <= most)
		return true;
	(void)fail_with(xl, EXIT_FAILURE, "%s is \"%s\", but must be a number from %ld to %ld", what, text, least, most);
	return false;
}

bool ctrl_arg(struct xl *xl, struct ctrl **ctrl)
{
	if (host_ctrl(xl->host, ctrl) == 0)
		return true;
	(void)fail(xl);
	return false;
}

bool store_arg(struct xl *xl, struct store **store)
{
	if (host_store(xl->host, store) == 0)
		return true;
	(void)fail(xl);
	return false;
}

const struct host_config *conf_get(struct xl *xl)
{
	if (!xl->conf_read && host_config_read(&xl->conf, XL_CONF) != 0)
		fprintf(stderr, "xl: %s; going on with defaults\n", reason_get());
	xl->conf_read = true;
	return &xl->conf;
}

static void on_warning(void *arg, const char *text)
{
	(void)arg;
	fflush(stdout);
	fprintf(stderr, "xl: warning: %s\n", text);
}

/* Options before the command: it is the first word that is none. */
static int globals_read(struct xl *xl, int argc, char **argv)
{
	int opt;

	while ((opt = getopt(argc, argv, "+vfNtT")) != -1) {
		switch (opt) {
		case 'v':
			xl->verbose++;
			break;
		case 'N':
			xl->dry = true;
			break;
		case 'f':
		case 't':
		case 'T':
			break;
		default:
			fprintf(stderr, "Usage xl [-vfNtT] <subcommand> [args]\n");
			return EXIT_USAGE;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct xl xl = { 0 };
	int status = globals_read(&xl, argc, argv), first = optind;

	if (status != 0)
		return status;
	if (first == argc) {
		help_long(stderr);
		return EXIT_FAILURE;
	}
	xl.command = command_find(argv[first]);
	if (xl.command == NULL) {
		fprintf(stderr, "xl: there is no command \"%s\"; xl help --long lists all\n", argv[first]);
		return EXIT_FAILURE;
	}
	if (host_open(&xl.host) != 0)
		return fail(&xl);
	host_on_warning(xl.host, on_warning, NULL);
	optind = 0;
	status = xl.command->run(&xl, argc - first, argv + first);
	host_close(xl.host);
	if (xl.conf_read)
		host_config_free(&xl.conf);
	if (fflush(stdout) != 0 && status == EXIT_SUCCESS) {
		fprintf(stderr, "xl: cannot write the output: %s\n", strerror(errno));
		status = EXIT_FAILURE;
	}
	return status;
}
