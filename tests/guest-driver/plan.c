/* SPDX-License-Identifier: BSD-2-Clause */
/* The plan: a line "NAME DOMAINS VCPUS PAGES SECONDS PIN MORTAL ARGUMENTS..." for each test. */
#include "plan.h"
#include <guest/print.h>
#include <guest/start.h>

#define HEADER	  110 /* bytes of a cpio header of format newc */
#define AT_SIZE	  54
#define AT_NAMESZ 94

static const u8 *archive;
static size_t archive_size;
static const char *line, *plan_end;

static u64 hex(const u8 *p)
{
	u64 v = 0;
	int i;

	for (i = 0; i < 8; i++)
		v = v << 4 | (u64)(p[i] <= '9' ? p[i] - '0' : (p[i] | 0x20) - 'a' + 10);
	return v;
}

static const void *file_find(const char *name, size_t *size)
{
	size_t at = 0;

	while (at + HEADER < archive_size) {
		const u8 *h = archive + at;
		size_t name_size = hex(h + AT_NAMESZ), data;

		data = (at + HEADER + name_size + 3) & ~3UL;
		*size = hex(h + AT_SIZE);
		if (data + *size > archive_size)
			return NULL;
		if (strcmp((const char *)h + HEADER, name) == 0)
			return archive + data;
		at = (data + *size + 3) & ~3UL;
	}
	return NULL;
}

bool plan_open(void)
{
	size_t size;

	archive = (const u8 *)start_info->mod_start;
	archive_size = start_info->mod_len;
	line = archive_size ? file_find("plan", &size) : NULL;
	plan_end = line ? line + size : NULL;
	return line;
}

/* A word of the line. */
static void word(char *to, size_t size)
{
	size_t n = 0;

	while (line < plan_end && *line == ' ')
		line++;
	for (; line < plan_end && *line != ' ' && *line != '\n'; line++)
		if (n + 1 < size)
			to[n++] = *line;
	to[n] = 0;
}

static unsigned int number(void)
{
	char text[16];
	unsigned int i, v = 0;

	word(text, sizeof(text));
	for (i = 0; text[i] >= '0' && text[i] <= '9'; i++)
		v = v * 10 + (unsigned int)(text[i] - '0');
	return v;
}

bool plan_next(struct test_plan *t)
{
	while (line < plan_end) {
		size_t n = 0;

		word(t->name, sizeof(t->name));
		t->domains = number();
		t->vcpus = number();
		t->pages = number();
		t->seconds = number();
		t->pin = number();
		t->mortal = number();
		while (line < plan_end && *line == ' ')
			line++;
		for (; line < plan_end && *line != '\n'; line++)
			if (n + 1 < sizeof(t->args))
				t->args[n++] = *line;
		t->args[n] = 0;
		line++;
		t->kernel = file_find(t->name, &t->kernel_size);
		if (t->kernel)
			return true;
		print("no kernel for %s\n", t->name);
	}
	return false;
}
