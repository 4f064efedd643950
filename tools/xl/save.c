/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands that write domains to files and make them from files: save, checkpoint, restore. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "argon/reason.h"
#include "move.h"

/* A new file beside the wanted one, which takes its name when it is whole. */
static int file_begin(struct xl *xl, const char *path, char **temporary)
{
	int fd;

	if (asprintf(temporary, "%s.XXXXXX", path) < 0)
		return fail_with(xl, -1, "out of memory");
	fd = mkostemp(*temporary, O_CLOEXEC);
	if (fd < 0) {
		(void)fail_with(xl, -1, "%s cannot be written: %s", path, strerror(errno));
		free(*temporary);
	}
	return fd;
}

static int file_end(struct xl *xl, int fd, char *temporary, const char *path, bool good)
{
	int status = good ? EXIT_SUCCESS : EXIT_FAILURE;

	if (good && (fsync(fd) != 0 || rename(temporary, path) != 0))
		status = fail_with(xl, EXIT_FAILURE, "%s cannot be written: %s", path, strerror(errno));
	close(fd);
	if (status != EXIT_SUCCESS)
		unlink(temporary);
	free(temporary);
	return status;
}

/* A file that exists and is none (a pipe, a device) is written as it is. */
static bool special(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

static int save_write(struct xl *xl, uint32_t domid, const char *path, const struct domain_move_options *options)
{
	bool direct = special(path);
	char *temporary = NULL;
	int fd = direct ? open(path, O_WRONLY | O_CLOEXEC) : file_begin(xl, path, &temporary), status = EXIT_SUCCESS;

	if (fd < 0)
		return direct ? fail_with(xl, EXIT_FAILURE, "%s cannot be written: %s", path, strerror(errno)) : EXIT_FAILURE;
	if (domain_save(xl->host, domid, fd, options, NULL) != 0)
		status = fail(xl);
	if (!direct)
		return file_end(xl, fd, temporary, path, status == EXIT_SUCCESS);
	close(fd);
	return status;
}

/* @param live of a checkpoint */
static int save_run(struct xl *xl, int argc, char **argv, bool live)
{
	struct domain_move_options options = { .live = live, .after = live ? AFTER_CONTINUE : AFTER_DESTROY,
					       .stage = move_stage, .progress = move_progress };
	struct domain_config dc;
	struct move_view view;
	uint32_t domid;
	int opt, status = 0;

	while ((opt = option_next(xl, argc, argv, live ? "" : "cpW", NULL, &status)) != -1) {
		switch (opt) {
		case -2:
			return status;
		case 'c':
			options.after = AFTER_CONTINUE;
			break;
		case 'p':
			options.after = AFTER_PAUSE;
			break;
		default: /* -W: that its memory is not checked for being backed up means nothing here */
			break;
		}
	}
	if (!domain_arg(xl, argv[optind], &domid))
		return EXIT_FAILURE;
	move_view_init(&view, xl, false);
	options.context = &view;
	domain_config_init(&dc);
	if (argc - optind > 2) {
		if (!config_args(xl, argv[optind + 2], NULL, 0, false, &dc))
			return EXIT_CREATE;
		options.config = &dc;
	}
	status = save_write(xl, domid, argv[optind + 1], &options);
	domain_config_free(&dc);
	return status;
}

static int save(struct xl *xl, int argc, char **argv)
{
	return save_run(xl, argc, argv, false);
}

static int checkpoint(struct xl *xl, int argc, char **argv)
{
	return save_run(xl, argc, argv, true);
}

static int restore(struct xl *xl, int argc, char **argv)
{
	const struct host_config *conf = conf_get(xl);
	struct domain_create_options options = { .autoballoon = conf->autoballoon };
	struct domain_config dc;
	bool console = false, given;
	uint32_t domid;
	int opt, fd, err, status = 0;

	while ((opt = option_next(xl, argc, argv, "cpedVA", NULL, &status)) != -1) {
		switch (opt) {
		case -2:
			return status;
		case 'c':
			console = true;
			break;
		case 'p':
			options.paused = true;
			break;
		case 'e':
			options.unwatched = true;
			break;
		case 'V':
		case 'A':
			return fail_with(xl, EXIT_FAILURE, "-%c needs a graphics adapter, which guests do not have yet", opt);
		default:
			break;
		}
	}
	given = argc - optind > 1;
	domain_config_init(&dc);
	if (given && !config_args(xl, argv[optind], NULL, 0, false, &dc))
		return EXIT_CREATE;
	fd = open(argv[optind + given], O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		domain_config_free(&dc);
		return fail_with(xl, EXIT_FAILURE, "%s cannot be read: %s", argv[optind + given], strerror(errno));
	}
	err = domain_restore(xl->host, fd, given ? &dc : NULL, &options, &domid);
	close(fd);
	domain_config_free(&dc);
	if (err != 0)
		return fail(xl);
	return console ? console_run(xl, domid, 0) : EXIT_SUCCESS;
}

const struct command commands_save[] = {
	{ "save", save, 2, 3, "[-c|-p] DOMAIN FILE [CONFIG]", "Write a domain to a file, and destroy it",
	  "  -c  leave it running\n  -p  leave it paused\n", "Saving and moving domains", true },
	{ "checkpoint", checkpoint, 2, 3, "DOMAIN FILE [CONFIG]", "Write a running domain to a file; it stops only for the last part", NULL,
	  "Saving and moving domains", true },
	{ "restore", restore, 1, 2, "[-c|-p|-e] [CONFIG] FILE", "Make a domain from a file",
	  "  -c  attach to its console\n  -p  leave it paused\n  -e  do not watch it\n", "Saving and moving domains", false },
	{ NULL, NULL, 0, 0, NULL, NULL, NULL, NULL, false },
};
