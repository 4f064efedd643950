/* SPDX-License-Identifier: BSD-2-Clause */
/* xenstore: read, write and watch the store from a shell. `xenstore-ls` is `xenstore ls`, and so on. */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "argon/reason.h"
#include "argon/store.h"
#include "text.h"

#define PERM_COLUMN 60

struct arguments {
	bool full, perms, prefix, raw, recursive, upward, tidy;
	int events; /* -n */
	int count;
	char **words;
};

struct mode {
	const char *name, *flags, *usage;
	int least; /* words */
	int (*run)(struct store *store, const struct arguments *arguments);
};

static const char *program;

static int complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

static int complain(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fprintf(stderr, "%s: ", program);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return 1;
}

/* ---- read, list, exists ------------------------------------------------------------------------------------------------------- */

static int do_read(struct store *store, const struct arguments *arguments)
{
	for (int i = 0; i < arguments->count; i++) {
		char *value, *text;
		size_t bytes;

		if (store_read(store, STORE_NO_TX, arguments->words[i], &value, &bytes))
			return complain("couldn't read path %s", arguments->words[i]);
		if (arguments->prefix)
			printf("%s: ", arguments->words[i]);
		if (arguments->raw) {
			fwrite(value, 1, bytes, stdout);
		} else {
			text = text_escape(value, bytes);
			puts(text ? text : "");
			free(text);
		}
		free(value);
	}
	return 0;
}

static int do_list(struct store *store, const struct arguments *arguments)
{
	for (int i = 0; i < arguments->count; i++) {
		char **names;
		int count = store_directory(store, STORE_NO_TX, arguments->words[i], &names);

		if (count < 0)
			return complain("could not list path %s", arguments->words[i]);
		for (int n = 0; n < count; n++) {
			if (arguments->prefix)
				printf("%s/", arguments->words[i]);
			puts(names[n]);
		}
		free(names);
	}
	return 0;
}

static int do_exists(struct store *store, const struct arguments *arguments)
{
	for (int i = 0; i < arguments->count; i++)
		if (store_exists(store, STORE_NO_TX, arguments->words[i]) != 1)
			return 1;
	return 0;
}

/* ---- write, rm, chmod: each in one transaction ------------------------------------------------------------------------------- */

static int write_body(struct store *store, store_tx_t tx, void *context)
{
	const struct arguments *arguments = context;

	for (int i = 0; i < arguments->count; i += 2) {
		const char *path = arguments->words[i];
		char *value = strdup(arguments->words[i + 1]);
		int error;

		if (!value)
			return reason_set(ENOMEM, "out of memory");
		error = store_write(store, tx, path, value, arguments->raw ? strlen(value) : text_unescape(value));
		free(value);
		if (error)
			return error == -EAGAIN ? error : reason_set(-error, "could not write path %s", path);
	}
	return 0;
}

static int do_write(struct store *store, const struct arguments *arguments)
{
	return store_transaction(store, write_body, (void *)(unsigned long)arguments) ? complain("%s", reason_get()) : 0;
}

/* Remove parents that are left empty. */
static int tidy(struct store *store, store_tx_t tx, const char *path)
{
	char *parent = strdup(path), *slash;
	int error = 0;

	while (parent && !error && (slash = strrchr(parent, '/')) && slash != parent) {
		char **names, *value;
		size_t bytes;
		int count;

		*slash = '\0';
		if (store_read(store, tx, parent, &value, &bytes))
			break;
		free(value);
		count = bytes ? 1 : store_directory(store, tx, parent, &names);
		if (count)
			break;
		free(names);
		error = store_rm(store, tx, parent);
	}
	free(parent);
	return error;
}

static int rm_body(struct store *store, store_tx_t tx, void *context)
{
	const struct arguments *arguments = context;

	for (int i = 0; i < arguments->count; i++) {
		const char *path = arguments->words[i];
		int error = store_rm(store, tx, path);

		if (!error && arguments->tidy)
			error = tidy(store, tx, path);
		if (error)
			return error == -EAGAIN ? error : reason_set(-error, "could not remove path %s", path);
	}
	return 0;
}

static int do_rm(struct store *store, const struct arguments *arguments)
{
	return store_transaction(store, rm_body, (void *)(unsigned long)arguments) ? complain("%s", reason_get()) : 0;
}

static bool perm_parse(const char *text, struct store_perm *perm)
{
	static const char letters[] = "nrwb";
	const char *letter = *text ? strchr(letters, *text) : NULL;
	char *end;

	if (!letter || !text[1])
		return false;
	perm->domid = (uint32_t)strtoul(text + 1, &end, 10);
	perm->access = (uint32_t)(letter - letters);
	return !*end;
}

static int chmod_tree(struct store *store, store_tx_t tx, const char *path, const struct store_perm *perms, unsigned int count)
{
	char **names;
	int number = store_directory(store, tx, path, &names), error = 0;

	for (int i = 0; i < number && !error; i++) {
		char *below;

		if (asprintf(&below, "%s/%s", strcmp(path, "/") ? path : "", names[i]) < 0)
			return reason_set(ENOMEM, "out of memory");
		error = store_perms_set(store, tx, below, perms, count);
		if (!error)
			error = chmod_tree(store, tx, below, perms, count);
		free(below);
	}
	if (number >= 0)
		free(names);
	return number < 0 ? number : error;
}

static int chmod_body(struct store *store, store_tx_t tx, void *context)
{
	const struct arguments *arguments = context;
	unsigned int count = (unsigned int)arguments->count - 1;
	struct store_perm *perms = calloc(count, sizeof(*perms));
	char *path = strdup(arguments->words[0]), *slash;
	int error = path && perms ? 0 : -ENOMEM;

	for (unsigned int i = 0; i < count && !error; i++)
		if (!perm_parse(arguments->words[i + 1], &perms[i]))
			error = reason_set(EINVAL, "Invalid permission specification: '%c'", arguments->words[i + 1][0]);
	if (!error) {
		error = store_perms_set(store, tx, path, perms, count);
		if (!error && arguments->recursive)
			error = chmod_tree(store, tx, path, perms, count);
		while (!error && arguments->upward && (slash = strrchr(path, '/')) && slash != path) {
			*slash = '\0';
			error = store_perms_set(store, tx, path, perms, count);
		}
		if (error && error != -EAGAIN)
			reason_set(-error, "Error occurred setting permissions on '%s': %s", path, strerror(-error));
	}
	free(path);
	free(perms);
	return error;
}

static int do_chmod(struct store *store, const struct arguments *arguments)
{
	return store_transaction(store, chmod_body, (void *)(unsigned long)arguments) ? complain("%s", reason_get()) : 0;
}

/* ---- ls ----------------------------------------------------------------------------------------------------------------------- */

static void perms_print(struct store *store, const char *path)
{
	struct store_perm *perms;
	int count = store_perms_get(store, STORE_NO_TX, path, &perms);

	putchar('(');
	for (int i = 0; i < count; i++)
		printf("%s%c%u", i ? "," : "", "nrwb"[perms[i].access & 3], perms[i].domid);
	putchar(')');
	if (count >= 0)
		free(perms);
}

static int screen_width(void)
{
	struct winsize size;

	return isatty(1) && !ioctl(1, TIOCGWINSZ, &size) && size.ws_col > 20 ? size.ws_col : 80;
}

/* One line: the name or path, the value (cut to the screen unless the full path is shown), the permissions in a column. */
static void line_print(struct store *store, const struct arguments *arguments, const char *path, const char *name, int depth)
{
	int column, room = screen_width() - 8 - depth - (int)strlen(name);
	char *value, *text;
	bool cut = false;
	size_t bytes;

	column = arguments->full ? printf("%s", path) : printf("%*s%s", depth, "", name);
	if (store_read(store, STORE_NO_TX, path, &value, &bytes)) {
		column += printf(":");
	} else {
		text = text_escape(value, bytes);
		cut = !arguments->full && (int)bytes > (room > 1 ? room : 1);
		if (cut)
			column += printf(" = \"%.*s\\...\"", room > 1 ? room : 1, text ? text : "");
		else
			column += printf(" = \"%s\"", text ? text : "");
		free(text);
		free(value);
	}
	if (arguments->perms) {
		if (!cut)
			putchar(' ');
		for (column++; !arguments->full && !cut && column < PERM_COLUMN; column++)
			putchar(column & 1 ? '.' : ' ');
		printf("  ");
		perms_print(store, path);
	}
	putchar('\n');
}

static int tree_print(struct store *store, const struct arguments *arguments, const char *path, int depth)
{
	char **names;
	int count = store_directory(store, STORE_NO_TX, path, &names);

	if (count < 0) {
		/* Gone or hidden while we list: not an error below the start. */
		if (depth && (count == -ENOENT || count == -EACCES))
			return 0;
		return complain("xs_directory (%s): %s", path, strerror(-count));
	}
	for (int i = 0; i < count; i++) {
		char *below;

		if (asprintf(&below, "%s%s%s", path, path[strlen(path) - 1] == '/' ? "" : "/", names[i]) < 0)
			return complain("out of memory");
		line_print(store, arguments, below, names[i], depth);
		tree_print(store, arguments, below, depth + 1);
		free(below);
	}
	free(names);
	return 0;
}

static int do_ls(struct store *store, const struct arguments *arguments)
{
	int status = 0;

	if (!arguments->count)
		return tree_print(store, arguments, "/", 0);
	for (int i = 0; i < arguments->count && !status; i++)
		status = tree_print(store, arguments, arguments->words[i], 0);
	return status;
}

/* ---- watch ---------------------------------------------------------------------------------------------------------------------- */

static int do_watch(struct store *store, const struct arguments *arguments)
{
	struct store_event event;
	int left = arguments->events;

	for (int i = 0; i < arguments->count; i++)
		if (store_watch(store, arguments->words[i], arguments->words[i], -1))
			return complain("Unable to add watch on %s", arguments->words[i]);
	while (arguments->events < 0 || left-- > 0) {
		int result = store_event_wait(store, &event, -1);

		if (result < 0)
			return complain("%s", reason_get());
		puts(event.path);
		fflush(stdout);
		store_event_free(&event);
	}
	return 0;
}

/* ---- Words ----------------------------------------------------------------------------------------------------------------------- */

static const struct mode modes[] = {
	{ "chmod", "hurs", "[-h] [-u] [-r] [-s] key <mode [modes...]>", 2, do_chmod },
	{ "exists", "hps", "[-h] [-p] [-s] key [...]", 1, do_exists },
	{ "list", "hps", "[-h] [-p] [-s] key [...]", 1, do_list },
	{ "ls", "hfps", "[-h] [-f] [-p] [-s] [path]", 0, do_ls },
	{ "read", "hpsR", "[-h] [-p] [-s] [-R] key [...]", 1, do_read },
	{ "rm", "hst", "[-h] [-s] [-t] key [...]", 1, do_rm },
	{ "watch", "hn:s", "[-h] [-n NR] key", 1, do_watch },
	{ "write", "hsR", "[-h] [-s] [-R] key value [...]", 2, do_write },
};

static int usage(const char *call, const struct mode *mode)
{
	bool applet = strchr(program, '-');

	if (!mode)
		return complain("Usage: %s <mode> [-h] [...]", call);
	return applet ? complain("Usage: %s %s", call, mode->usage) : complain("Usage: %s %s %s", call, mode->name, mode->usage);
}

/* The mode from the name of the program or from the first word, which is then taken. */
static const struct mode *mode_find(int *argc, char ***argv, const char **wrong)
{
	const char *name = strchr(program, '-');

	*wrong = NULL;
	if (name) {
		name++;
	} else if (*argc > 1) {
		name = (*argv)[1];
		(*argc)--;
		(*argv)++;
	} else {
		return NULL;
	}
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (!strcmp(modes[i].name, name))
			return &modes[i];
	*wrong = name;
	return NULL;
}

/* @return false for a wrong option */
static bool arguments_parse(struct arguments *arguments, const struct mode *mode, int argc, char **argv)
{
	int letter;

	*arguments = (struct arguments){ .events = -1, .prefix = false };
	while ((letter = getopt(argc, argv, mode->flags)) != -1) {
		switch (letter) {
		case 'f': arguments->full = true; break;
		case 'p': arguments->perms = arguments->prefix = true; break;
		case 'R': arguments->raw = true; break;
		case 'r': arguments->recursive = true; break;
		case 'u': arguments->upward = true; break;
		case 't': arguments->tidy = true; break;
		case 'n': arguments->events = atoi(optarg); break;
		case 's': break; /* a socket is what we take anyway */
		default: return false;
		}
	}
	arguments->count = argc - optind;
	arguments->words = argv + optind;
	return arguments->count >= mode->least && (mode->run != do_write || arguments->count % 2 == 0);
}

int main(int argc, char **argv)
{
	const char *call = argv[0], *wrong;
	const struct mode *mode;
	struct arguments arguments;
	struct store *store;
	int status;

	program = strrchr(call, '/') ? strrchr(call, '/') + 1 : call;
	mode = mode_find(&argc, &argv, &wrong);
	if (wrong)
		return complain("unknown mode %s\n", wrong);
	if (!mode || !arguments_parse(&arguments, mode, argc, argv))
		return usage(call, mode);
	if (store_open(&store))
		return complain("%s", reason_get());
	status = mode->run(store, &arguments);
	store_close(store);
	return fflush(stdout) ? complain("cannot write: %s", strerror(errno)) : status;
}
