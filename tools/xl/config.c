/* SPDX-License-Identifier: BSD-2-Clause */
/* A domain's settings from a file and the command line. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "argon/config.h"
#include "argon/console.h"
#include "argon/reason.h"
#include "xl.h"

#define XML_MAX (4u << 20)

static void unused_warn(void *arg, const char *key, const struct config_value *v)
{
	(void)arg;
	fprintf(stderr, "%s:%u:%u: warning: unknown setting %s is ignored\n", v->source, v->line, v->column, key);
}

/* A whole file, as far as XML may be long; the caller frees it. */
static char *file_read(const char *path, size_t *length)
{
	FILE *f = fopen(path, "re");
	char *text;

	if (f == NULL) {
		(void)reason_set(errno, "Failed to read config file: %s: %s", path, strerror(errno));
		return NULL;
	}
	text = malloc(XML_MAX + 1);
	if (text != NULL) {
		*length = fread(text, 1, XML_MAX, f);
		text[*length] = '\0';
	}
	if (text == NULL || ferror(f)) {
		(void)reason_set(EIO, "Failed to read config file: %s: %s", path, strerror(errno));
		free(text);
		text = NULL;
	}
	fclose(f);
	return text;
}

static int words_parse(struct config *c, char **words, int count)
{
	int i, err = 0;

	for (i = 0; i < count && err == 0; i++)
		err = config_parse(c, "command line", words[i], strlen(words[i]), true);
	return err;
}

/* What is in libvirt's XML cannot be mixed with settings of xl.cfg. */
static int xml_read(const char *path, const char *text, size_t length, int words, struct domain_config *dc)
{
	if (words != 0)
		return reason_set(EINVAL, "%s is libvirt's XML: change it instead of adding key=value words", path);
	return domain_config_read_xml(dc, path, text, length);
}

static int settings_read(struct xl *xl, const char *path, const char *text, size_t length, char **words, int count, bool quiet,
			 struct domain_config *dc)
{
	struct config *c;
	int err = config_new(&c);

	if (err != 0)
		return err;
	if (text != NULL)
		err = config_parse(c, path, text, length, false);
	if (err == 0)
		err = words_parse(c, words, count);
	if (err == 0)
		err = domain_config_read(dc, c, conf_get(xl));
	if (err == 0 && !quiet)
		config_unused(c, unused_warn, NULL);
	config_free(c);
	return err;
}

bool config_args(struct xl *xl, const char *path, char **words, int count, bool quiet, struct domain_config *dc)
{
	char *text = NULL;
	size_t length = 0;
	int err = 0;

	domain_config_init(dc);
	if (path != NULL) {
		text = file_read(path, &length);
		if (text == NULL)
			err = -EIO;
	}
	if (err == 0 && text != NULL && domain_config_is_xml(text, length))
		err = xml_read(path, text, length, count, dc);
	else if (err == 0)
		err = settings_read(xl, path, text, length, words, count, quiet, dc);
	free(text);
	if (err == 0)
		return true;
	(void)fail(xl);
	domain_config_free(dc);
	return false;
}

int console_run(struct xl *xl, uint32_t domid, unsigned int number)
{
	struct console_options o = { .in_fd = STDIN_FILENO, .out_fd = STDOUT_FILENO, .number = number };

	fflush(stdout);
	return console_attach(domid, &o) == 0 ? EXIT_SUCCESS : fail(xl);
}
