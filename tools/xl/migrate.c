/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands that move domains between hosts: migrate, and migrate-receive, which it starts on the other one. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "argon/reason.h"
#include "move.h"

struct migrate_args {
	struct domain_move_options options;
	const char *shell, *config;
	bool unwatched, paused;
};

enum { OPT_BANDWIDTH = 256, OPT_START_RATE, OPT_DOWNTIME, OPT_ROUNDS, OPT_TIMEOUT, OPT_ABORT, OPT_THROTTLE, OPT_LIVE, OPT_DEBUG };

static const struct option longs[] = {
	{ "live", no_argument, NULL, OPT_LIVE },
	{ "debug", no_argument, NULL, OPT_DEBUG },
	{ "bandwidth", required_argument, NULL, OPT_BANDWIDTH },
	{ "start-rate", required_argument, NULL, OPT_START_RATE },
	{ "max-downtime", required_argument, NULL, OPT_DOWNTIME },
	{ "max-rounds", required_argument, NULL, OPT_ROUNDS },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "abort-if-busy", no_argument, NULL, OPT_ABORT },
	{ "auto-throttle", no_argument, NULL, OPT_THROTTLE },
	{ NULL, 0, NULL, 0 },
};

/* Limits of the pre-copy. False after a message. */
static bool limit_option(struct xl *xl, struct domain_move_options *o, int opt)
{
	uint64_t kib;
	long n;

	switch (opt) {
	case OPT_BANDWIDTH:
	case OPT_START_RATE:
		if (size_parse(optarg, 1024, &kib) != 0) {
			(void)fail(xl);
			return false;
		}
		*(opt == OPT_BANDWIDTH ? &o->bandwidth : &o->start_rate) = kib * 1024;
		return true;
	case OPT_DOWNTIME:
		if (!number_arg(xl, "--max-downtime", optarg, 1, 3600000, &n))
			return false;
		o->max_downtime = (uint64_t)n * 1000000;
		return true;
	case OPT_ROUNDS:
		if (!number_arg(xl, "--max-rounds", optarg, 1, 10000, &n))
			return false;
		o->max_rounds = (unsigned int)n;
		return true;
	case OPT_TIMEOUT:
		if (!number_arg(xl, "--timeout", optarg, 1, 1000000, &n))
			return false;
		o->timeout = (uint64_t)n * 1000000000;
		return true;
	default:
		o->policy = opt == OPT_ABORT ? MIGRATE_ABORT : MIGRATE_THROTTLE;
		return true;
	}
}

/* @return -1: go on, else an exit status */
static int migrate_options(struct xl *xl, int argc, char **argv, struct migrate_args *a)
{
	int opt, status = 0;

	while ((opt = option_next(xl, argc, argv, "s:C:ep", longs, &status)) != -1) {
		switch (opt) {
		case -2:
			return status;
		case 's':
			a->shell = optarg;
			break;
		case 'C':
			a->config = optarg;
			break;
		case 'e':
			a->unwatched = true;
			break;
		case 'p':
			a->paused = true;
			break;
		case OPT_LIVE:
			break;
		case OPT_DEBUG:
			xl->verbose++;
			break;
		default:
			if (!limit_option(xl, &a->options, opt))
				return EXIT_USAGE;
			break;
		}
	}
	return -1;
}

/* What the other host runs, as a command for a shell. */
static char *command_make(const struct migrate_args *a, const char *host)
{
	char *command;
	const char *flags = a->paused ? (a->unwatched ? " -p -e" : " -p") : (a->unwatched ? " -e" : "");
	int rc;

	if (a->shell != NULL && *a->shell == '\0')
		rc = asprintf(&command, "exec %s%s", host, flags);
	else
		rc = asprintf(&command, "exec %s %s xl migrate-receive%s", a->shell != NULL ? a->shell : "ssh", host, flags);
	return rc < 0 ? NULL : command;
}

/* Starts it with its input and output being ours. */
static pid_t command_start(const char *command, int *in, int *out)
{
	int to[2], from[2];
	pid_t child;

	if (pipe2(to, 0) != 0)
		return -1;
	if (pipe2(from, 0) != 0) {
		close(to[0]);
		close(to[1]);
		return -1;
	}
	child = fork();
	if (child == 0) {
		dup2(to[0], 0);
		dup2(from[1], 1);
		close(to[0]);
		close(to[1]);
		close(from[0]);
		close(from[1]);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	*in = from[0];
	*out = to[1];
	return child;
}

static int migrate_run(struct xl *xl, const struct migrate_args *a, uint32_t domid, const char *host)
{
	char *command = command_make(a, host);
	int in, out, err, status = 0;
	pid_t child;

	signal(SIGPIPE, SIG_IGN);
	child = command != NULL ? command_start(command, &in, &out) : -1;
	free(command);
	if (child < 0)
		return fail_with(xl, EXIT_FAILURE, "the other side cannot be started: %s", strerror(errno));
	err = domain_send(xl->host, domid, in, out, &a->options, NULL);
	close(out);
	close(in);
	if (err != 0)
		(void)fail(xl);
	/* A command that hangs is of no further use. */
	if (err == -ETIMEDOUT)
		kill(child, SIGTERM);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	return err != 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int migrate(struct xl *xl, int argc, char **argv)
{
	struct migrate_args a = { .options = { .live = true, .stage = move_stage, .progress = move_progress } };
	struct domain_config dc;
	struct move_view view;
	uint32_t domid;
	int status = migrate_options(xl, argc, argv, &a);

	if (status >= 0)
		return status;
	if (!domain_arg(xl, argv[optind], &domid))
		return EXIT_FAILURE;
	move_view_init(&view, xl, false);
	a.options.context = &view;
	domain_config_init(&dc);
	if (a.config != NULL) {
		if (!config_args(xl, a.config, NULL, 0, false, &dc))
			return EXIT_CREATE;
		a.options.config = &dc;
	}
	status = migrate_run(xl, &a, domid, argv[optind + 1]);
	domain_config_free(&dc);
	return status;
}

static int migrate_receive(struct xl *xl, int argc, char **argv)
{
	const struct host_config *conf = conf_get(xl);
	struct domain_create_options options = { .autoballoon = conf->autoballoon };
	uint32_t domid;
	int opt, status = 0;

	while ((opt = option_next(xl, argc, argv, "ep", longs, &status)) != -1) {
		switch (opt) {
		case -2:
			return status;
		case 'e':
			options.unwatched = true;
			break;
		case 'p':
			options.paused = true;
			break;
		default:
			break;
		}
	}
	signal(SIGPIPE, SIG_IGN);
	return domain_receive(xl->host, STDIN_FILENO, STDOUT_FILENO, &options, &domid) == 0 ? EXIT_SUCCESS : fail(xl);
}

#define MIGRATE_HELP                                                                                 \
	"  -s SHELL            instead of ssh; \"\": HOST is the whole command\n"                      \
	"  -C CONFIG           send this configuration\n"                                              \
	"  -e                  do not watch the domain there\n"                                        \
	"  -p                  leave it paused there\n"                                                \
	"  --bandwidth=SIZE    at most so many KiB (m, g: MiB, GiB) a second\n"                        \
	"  --start-rate=SIZE   in the first round; later ones follow what the guest writes\n"          \
	"  --max-downtime=MS   stop the guest when the rest takes no longer (300)\n"                   \
	"  --max-rounds=N      (30)\n"                                                                 \
	"  --timeout=S         for the rounds\n"                                                       \
	"  --abort-if-busy     give up if rounds do not get shorter (else: stop the guest)\n"          \
	"  --auto-throttle     slow the guest down first\n"

const struct command commands_migrate[] = {
	{ "migrate", migrate, 2, 2, "[OPTIONS] DOMAIN HOST", "Move a running domain to another host", MIGRATE_HELP,
	  "Saving and moving domains", true },
	{ "migrate-receive", migrate_receive, 0, 0, "[-e|-p]", "The other side of migrate, which starts it",
	  "  -e  do not watch the domain\n  -p  leave it paused\n", "Saving and moving domains", false },
	{ NULL, NULL, 0, 0, NULL, NULL, NULL, NULL, false },
};
