/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands about the life of domains: create, destroy, shutdown, pause and the like. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "argon/reason.h"
#include "xl.h"

struct create_args {
	struct domain_create_options options;
	const char *file;
	bool quiet, console, foreground, dry;
};

static int create_options(struct xl *xl, int argc, char **argv, struct create_args *a)
{
	static const struct option longs[] = {
		{ "quiet", no_argument, NULL, 'q' },
		{ "defconfig", required_argument, NULL, 'f' },
		{ "dryrun", no_argument, NULL, 'n' },
		{ "vncviewer", no_argument, NULL, 'V' },
		{ "vncviewer-autopass", no_argument, NULL, 'A' },
		{ "ignore-global-affinity-masks", no_argument, NULL, 'i' },
		{ NULL, 0, NULL, 0 },
	};
	int opt, status = 0;

	while ((opt = option_next(xl, argc, argv, "Fnqf:pcdeVA", longs, &status)) != -1) {
		switch (opt) {
		case -2:
			return status;
		case 'q':
			a->quiet = true;
			break;
		case 'f':
			a->file = optarg;
			break;
		case 'n':
			a->dry = true;
			break;
		case 'p':
			a->options.paused = true;
			break;
		case 'c':
			a->console = true;
			break;
		case 'F':
			a->foreground = true;
			break;
		case 'e':
			a->options.unwatched = true;
			break;
		case 'i':
			a->options.ignore_cpumask = true;
			break;
		case 'V':
		case 'A':
			return fail_with(xl, EXIT_FAILURE, "-%c needs a graphics adapter, which guests do not have yet", opt);
		default:
			break;
		}
	}
	/* The first word is the file, unless it is a setting. */
	if (a->file == NULL && optind < argc && (strchr(argv[optind], '=') == NULL || access(argv[optind], F_OK) == 0))
		a->file = argv[optind++];
	return -1;
}

/* Until the domain is gone. */
static int death_await(struct xl *xl, uint32_t domid)
{
	struct ctrl_domain_info info;
	struct store_event event;
	struct store *store;
	struct ctrl *ctrl;

	if (!ctrl_arg(xl, &ctrl) || !store_arg(xl, &store))
		return EXIT_FAILURE;
	if (store_watch(store, "@releaseDomain", "death", -1) != 0)
		return fail(xl);
	while (ctrl_domain_info(ctrl, domid, &info) == 0) {
		if (store_event_wait(store, &event, 1000) > 0)
			store_event_free(&event);
	}
	return EXIT_SUCCESS;
}

/* The console is attached before the guest says its first word. */
static int create_console(struct xl *xl, uint32_t domid, bool unpause)
{
	struct ctrl *ctrl;
	int status = 0;
	pid_t child;

	if (!ctrl_arg(xl, &ctrl))
		return EXIT_FAILURE;
	fflush(stdout);
	child = fork();
	if (child == 0)
		_exit(console_run(xl, domid, 0));
	if (unpause && ctrl_domain_unpause(ctrl, domid) != 0)
		(void)fail(xl);
	if (child < 0)
		return fail_with(xl, EXIT_FAILURE, "no process for the console: %s", strerror(errno));
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

static int create_run(struct xl *xl, const struct create_args *a, const struct domain_config *dc)
{
	struct domain_create_options options = a->options;
	const struct host_config *conf = conf_get(xl);
	uint32_t domid;
	int status = EXIT_SUCCESS;

	options.autoballoon = conf->autoballoon;
	options.cpumask = conf->cpumask_pv != NULL ? conf->cpumask_pv : conf->cpumask;
	options.domid = conf->domid_random ? DOMAIN_DOMID_RANDOM : 0;
	options.paused |= a->console;
	if (domain_create(xl->host, dc, &options, &domid) != 0) {
		(void)fail(xl);
		return EXIT_CREATE;
	}
	if (xl->json) {
		struct json_object *o = json_begin("create");

		json_number(o, "domid", domid);
		json_text(o, "name", dc->name);
		(void)json_end(o);
	}
	if (a->console)
		status = create_console(xl, domid, !a->options.paused);
	return a->foreground ? death_await(xl, domid) : status;
}

static int cmd_create(struct xl *xl, int argc, char **argv)
{
	struct create_args a = { 0 };
	struct domain_config dc;
	struct json_object *json;
	int status = create_options(xl, argc, argv, &a);

	if (status != -1)
		return status;
	if (a.file != NULL && !a.quiet && !xl->json)
		fprintf(a.dry ? stderr : stdout, "Parsing config from %s\n", a.file);
	fflush(stdout);
	if (!config_args(xl, a.file, argv + optind, argc - optind, a.quiet, &dc))
		return EXIT_CREATE;
	status = EXIT_SUCCESS;
	if (a.dry || xl->dry) {
		if (!dc.uuid_set)
			uuid_random(dc.uuid);
		dc.uuid_set = true;
		json = domain_config_json(&dc);
		status = json_print(json);
		json_object_put(json);
	} else {
		status = create_run(xl, &a, &dc);
	}
	domain_config_free(&dc);
	return status;
}

static int cmd_config_update(struct xl *xl, int argc, char **argv)
{
	static const struct option longs[] = { { "defconfig", required_argument, NULL, 'f' }, { NULL, 0, NULL, 0 } };
	struct domain_config dc, old;
	const char *file = NULL;
	uint32_t domid;
	int opt, status = 0;

	while ((opt = option_next(xl, argc, argv, "dqf:", longs, &status)) != -1) {
		if (opt == -2)
			return status;
		if (opt == 'f')
			file = optarg;
	}
	if (!domain_arg(xl, argv[optind++], &domid))
		return EXIT_FAILURE;
	if (file == NULL && optind < argc && strchr(argv[optind], '=') == NULL)
		file = argv[optind++];
	if (!config_args(xl, file, argv + optind, argc - optind, false, &dc))
		return EXIT_FAILURE;
	if (domain_config_get(xl->host, domid, &old) != 0) {
		domain_config_free(&dc);
		return fail(xl);
	}
	/* It is the same domain still. */
	memcpy(dc.uuid, old.uuid, sizeof(dc.uuid));
	dc.uuid_set = true;
	domain_config_free(&old);
	if (domain_config_put(xl->host, domid, &dc) != 0)
		status = fail(xl);
	domain_config_free(&dc);
	return status;
}

static int cmd_destroy(struct xl *xl, int argc, char **argv)
{
	uint32_t domid;
	int opt, status = 0;
	bool force = false;

	while ((opt = option_next(xl, argc, argv, "f", NULL, &status)) != -1) {
		if (opt == -2)
			return status;
		force = true;
	}
	if (!domain_arg(xl, argv[optind], &domid))
		return EXIT_FAILURE;
	if (domid == 0 && !force) {
		fprintf(stderr, "Not destroying domain 0; use -f to force.\n"
			"This can only be done when using a disaggregated hardware domain and toolstack.\n\n");
		return EXIT_FAILURE;
	}
	return domain_destroy(xl->host, domid) == 0 ? EXIT_SUCCESS : fail(xl);
}

/* ---- shutdown and reboot ---- */

/* Until each has shut down, or (deaths) is gone. */
static int shutdown_await(struct xl *xl, const uint32_t *domids, int count, bool deaths)
{
	struct ctrl_domain_info info;
	struct store_event event;
	struct store *store;
	struct ctrl *ctrl;
	int i, left;

	if (!ctrl_arg(xl, &ctrl) || !store_arg(xl, &store))
		return EXIT_FAILURE;
	printf("Waiting for %d domains\n", count);
	fflush(stdout);
	if (store_watch(store, "@releaseDomain", "shutdown", -1) != 0)
		return fail(xl);
	for (;;) {
		for (i = 0, left = 0; i < count; i++) {
			if (ctrl_domain_info(ctrl, domids[i], &info) == 0 && (deaths || !info.shutdown))
				left++;
		}
		if (left == 0)
			return EXIT_SUCCESS;
		if (store_event_wait(store, &event, 1000) > 0)
			store_event_free(&event);
	}
}

static int shutdown_many(struct xl *xl, int argc, char **argv, bool all, const char *command, int waits)
{
	struct domain_row *rows;
	uint32_t *domids;
	int i, count, used = 0, status = EXIT_SUCCESS;

	rows = all ? domains_get(xl, &count) : domains_args(xl, argc, argv, &count);
	if (rows == NULL)
		return EXIT_FAILURE;
	domids = calloc((size_t)count + 1, sizeof(*domids));
	for (i = 0; domids != NULL && i < count; i++) {
		if (all && (rows[i].info.domid == 0 || rows[i].info.dying || rows[i].info.shutdown))
			continue;
		printf("%s domain %u\n", strcmp(command, "reboot") == 0 ? "Rebooting" : "Shutting down", rows[i].info.domid);
		if (domain_shutdown_request(xl->host, rows[i].info.domid, command) != 0)
			status = fail(xl);
		else
			domids[used++] = rows[i].info.domid;
	}
	domains_free(rows, count);
	if (waits > 0 && used > 0 && shutdown_await(xl, domids, used, waits > 1 || strcmp(command, "reboot") == 0) != 0)
		status = EXIT_FAILURE;
	free(domids);
	return status;
}

static int shutdown_or_reboot(struct xl *xl, int argc, char **argv, const char *command)
{
	static const struct option longs[] = {
		{ "all", no_argument, NULL, 'a' }, { "wait", no_argument, NULL, 'w' }, { NULL, 0, NULL, 0 },
	};
	int opt, waits = 0, status = 0;
	bool all = false;

	while ((opt = option_next(xl, argc, argv, "awF", longs, &status)) != -1) {
		if (opt == -2)
			return status;
		all |= opt == 'a';
		waits += opt == 'w';
	}
	if (all != (optind == argc)) {
		fprintf(stderr, "'xl %s' needs either -a or a domain.\n\n", xl->command->name);
		return usage(xl);
	}
	return shutdown_many(xl, argc - optind, argv + optind, all, command, waits);
}

static int cmd_shutdown(struct xl *xl, int argc, char **argv)
{
	return shutdown_or_reboot(xl, argc, argv, "poweroff");
}

static int cmd_reboot(struct xl *xl, int argc, char **argv)
{
	return shutdown_or_reboot(xl, argc, argv, "reboot");
}

/* ---- one domain, one call ---- */

/* The only argument as a domain. @return -1 to go on */
static int domain_only(struct xl *xl, int argc, char **argv, uint32_t *domid)
{
	int opt, status = 0;

	opt = option_next(xl, argc, argv, "", NULL, &status);
	if (opt == -2)
		return status;
	return domain_arg(xl, argv[optind], domid) ? -1 : EXIT_FAILURE;
}

/* Commands that are one call of the hypervisor. */
static int domain_call(struct xl *xl, int argc, char **argv, int (*call)(struct ctrl *ctrl, uint32_t domid))
{
	struct ctrl *ctrl;
	uint32_t domid;
	int status = domain_only(xl, argc, argv, &domid);

	if (status != -1)
		return status;
	if (!ctrl_arg(xl, &ctrl))
		return EXIT_FAILURE;
	return call(ctrl, domid) == 0 ? EXIT_SUCCESS : fail(xl);
}

static int cmd_pause(struct xl *xl, int argc, char **argv)
{
	return domain_call(xl, argc, argv, ctrl_domain_pause);
}

static int cmd_unpause(struct xl *xl, int argc, char **argv)
{
	return domain_call(xl, argc, argv, ctrl_domain_unpause);
}

static int cmd_console(struct xl *xl, int argc, char **argv)
{
	long number = 0;
	uint32_t domid;
	int opt, status = 0;

	while ((opt = option_next(xl, argc, argv, "n:t:e:", NULL, &status)) != -1) {
		if (opt == -2)
			return status;
		if (opt == 'n' && !number_arg(xl, "-n", optarg, 0, 255, &number))
			return EXIT_FAILURE;
		if (opt == 't' && strcmp(optarg, "pv") != 0)
			return fail_with(xl, EXIT_USAGE, strcmp(optarg, "serial") == 0 ?
					 "PV guests have no emulated serial port; use -t pv" :
					 "the type of a console is pv or serial");
	}
	if (!domain_arg(xl, argv[optind], &domid))
		return EXIT_FAILURE;
	return console_run(xl, domid, (unsigned int)number);
}

static int cmd_rename(struct xl *xl, int argc, char **argv)
{
	uint32_t domid;
	int status = domain_only(xl, argc, argv, &domid);

	if (status != -1)
		return status;
	return domain_rename(xl->host, domid, argv[optind + 1]) == 0 ? EXIT_SUCCESS : fail(xl);
}

static int cmd_sysrq(struct xl *xl, int argc, char **argv)
{
	uint32_t domid;
	int status = domain_only(xl, argc, argv, &domid);

	if (status != -1)
		return status;
	if (strlen(argv[optind + 1]) != 1) {
		fprintf(stderr, "A SysRq request is a single letter.\n\n");
		return usage(xl);
	}
	return domain_sysrq(xl->host, domid, argv[optind + 1][0]) == 0 ? EXIT_SUCCESS : fail(xl);
}

static int cmd_trigger(struct xl *xl, int argc, char **argv)
{
	static const char *const names[] = { "nmi", "reset", "init", "power", "sleep", "s3resume" };
	struct ctrl *ctrl;
	uint32_t domid, i;
	long vcpu = 0;
	int status = domain_only(xl, argc, argv, &domid);

	if (status != -1)
		return status;
	for (i = 0; i < sizeof(names) / sizeof(names[0]) && strcmp(names[i], argv[optind + 1]) != 0; i++)
		continue;
	if (i == sizeof(names) / sizeof(names[0]))
		return fail_with(xl, EXIT_FAILURE, "\"%s\" is not a trigger: nmi, reset, init, power, sleep or s3resume",
				 argv[optind + 1]);
	if (argc - optind > 2 && !number_arg(xl, "the vCPU", argv[optind + 2], 0, 8191, &vcpu))
		return EXIT_FAILURE;
	if (!ctrl_arg(xl, &ctrl))
		return EXIT_FAILURE;
	/* XEN_DOMCTL_SENDTRIGGER_NMI is 0 and the others follow in this order. */
	return ctrl_domain_trigger(ctrl, domid, i, (uint32_t)vcpu) == 0 ? EXIT_SUCCESS : fail(xl);
}

static int cmd_dump_core(struct xl *xl, int argc, char **argv)
{
	char path[64];
	uint32_t domid;
	int status = domain_only(xl, argc, argv, &domid);

	if (status != -1)
		return status;
	snprintf(path, sizeof(path), DOMAIN_DUMP_DIR "/dump-%u", domid);
	return domain_dump(xl->host, domid, argc - optind > 1 ? argv[optind + 1] : path) == 0 ? EXIT_SUCCESS : fail(xl);
}

const struct command commands_life[] = {
	{ .name = "create", .run = cmd_create, .most = -1, .arguments = "<ConfigFile> [options] [vars]", .prints = true,
	  .summary = "Create a domain from config file <filename>", .group = "Domains",
	  .options = "-h                      Print this help.\n"
		     "-p                      Leave the domain paused after it is created.\n"
		     "-c                      Connect to the console after the domain is created.\n"
		     "-f FILE, --defconfig=FILE\n                        Use the given configuration file.\n"
		     "-q, --quiet             Quiet.\n"
		     "-n, --dryrun            Dry run - prints the resulting configuration.\n"
		     "-F                      Run in foreground until death of the domain.\n"
		     "-e                      Do not wait in the background for the death of the domain.\n"
		     "--ignore-global-affinity-masks\n                        Ignore vm.cpumask and vm.pv.cpumask of xl.conf.\n" },
	{ .name = "config-update", .run = cmd_config_update, .least = 1, .most = -1,
	  .arguments = "<Domain> <ConfigFile> [options] [vars]",
	  .summary = "Update a running domain's saved configuration, used when rebuilding the domain after reboot",
	  .options = "-f FILE, --defconfig=FILE\n                        Use the given configuration file.\n" },
	{ .name = "destroy", .run = cmd_destroy, .least = 1, .most = 1, .arguments = "[options] <Domain>",
	  .summary = "Terminate a domain immediately", .options = "-f                      Permit destroying domain 0.\n" },
	{ .name = "shutdown", .run = cmd_shutdown, .most = -1, .arguments = "[options] <-a|Domain>",
	  .summary = "Issue a shutdown signal to a domain",
	  .options = "-a, --all               Shutdown all guest domains.\n"
		     "-F                      Fallback to ACPI power event for HVM guests with no PV drivers.\n"
		     "-w, --wait              Wait for guest(s) to shutdown; twice: until they are gone.\n" },
	{ .name = "reboot", .run = cmd_reboot, .most = -1, .arguments = "[options] <-a|Domain>",
	  .summary = "Issue a reboot signal to a domain",
	  .options = "-a, --all               Reboot all guest domains.\n"
		     "-F                      Fallback to ACPI reset event for HVM guests with no PV drivers.\n"
		     "-w, --wait              Wait for guest(s) to reboot.\n" },
	{ .name = "pause", .run = cmd_pause, .least = 1, .most = 1, .arguments = "<Domain>", .summary = "Pause execution of a domain" },
	{ .name = "unpause", .run = cmd_unpause, .least = 1, .most = 1, .arguments = "<Domain>", .summary = "Unpause a paused domain" },
	{ .name = "console", .run = cmd_console, .least = 1, .most = 1, .arguments = "[options] <Domain>",
	  .summary = "Attach to domain's console",
	  .options = "-t <type>               Console type, pv or serial.\n"
		     "-n <number>             Console number.\n" },
	{ .name = "rename", .run = cmd_rename, .least = 2, .most = 2, .arguments = "<Domain> <NewDomainName>",
	  .summary = "Rename a domain" },
	{ .name = "sysrq", .run = cmd_sysrq, .least = 2, .most = 2, .arguments = "<Domain> <letter>",
	  .summary = "Send a sysrq to a domain" },
	{ .name = "trigger", .run = cmd_trigger, .least = 2, .most = 3,
	  .arguments = "<Domain> <nmi|reset|init|power|sleep|s3resume> [<VCPU>]", .summary = "Send a trigger to a domain" },
	{ .name = "dump-core", .run = cmd_dump_core, .least = 1, .most = 2, .arguments = "<Domain> [<filename>]",
	  .summary = "Core dump a domain" },
	{ .name = NULL },
};
