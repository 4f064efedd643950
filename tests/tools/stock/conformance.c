/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every xenstore daemon must do, by xen-doc's misc/xenstore.txt, as seen by a client of dom0's socket. Passes with the
 * stock daemon and with ours; where the specification leaves a choice, both choices are accepted.
 * usage: conformance SOCKET
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wire.h"

static unsigned int checks, failures;
static const char *section;

static void check(bool good, int line, const char *what, const char *found)
{
	checks++;
	if (good)
		return;
	failures++;
	if (failures <= 30)
		printf("conformance: %s: line %d: %s (found \"%.60s\")\n", section, line, what, found);
}

#define CALL(expected, call)                                                                                    \
	do {                                                                                                    \
		int result_ = (call);                                                                           \
		check(result_ == (expected), __LINE__, #call " is " #expected, strerror(-result_));             \
	} while (0)
#define TEXT(wire, expected) check(!strcmp((wire)->answer, expected), __LINE__, "answer is " #expected, (wire)->answer)
#define BYTES(wire, expected)                                                                                            \
	check((wire)->answer_bytes == sizeof(expected) - 1 && !memcmp((wire)->answer, expected, sizeof(expected) - 1), \
	      __LINE__, "answer is " #expected, (wire)->answer)
#define EVENTS(wire, count, expected)                                                \
	do {                                                                         \
		const char *found_ = wire_events(wire, count);                       \
		check(!strcmp(found_, expected), __LINE__, "events are " #expected, found_); \
	} while (0)

static void nodes(struct wire *a)
{
	section = "nodes";
	CALL(-ENOENT, wire_strings(a, XS_READ, 0, "/t/nope", NULL));
	CALL(0, wire_write(a, 0, "/t/a/b", "value"));
	TEXT(a, "OK");
	check(a->answer_bytes == 3, __LINE__, "OK has its end", a->answer);
	CALL(0, wire_strings(a, XS_READ, 0, "/t/a/b", NULL));
	BYTES(a, "value");
	CALL(0, wire_strings(a, XS_READ, 0, "/t/a", NULL));
	BYTES(a, "");
	CALL(0, wire_call(a, XS_WRITE, 0, "/t/bin\0\0\1\2\377", 11));
	CALL(0, wire_strings(a, XS_READ, 0, "/t/bin", NULL));
	BYTES(a, "\0\1\2\377");
	CALL(0, wire_write(a, 0, "/t/a/b", ""));
	CALL(0, wire_strings(a, XS_READ, 0, "/t/a/b", NULL));
	BYTES(a, "");
	CALL(0, wire_strings(a, XS_MKDIR, 0, "/t/m/n", NULL));
	CALL(0, wire_write(a, 0, "/t/m/n", "kept"));
	CALL(0, wire_strings(a, XS_MKDIR, 0, "/t/m/n", NULL));
	CALL(0, wire_strings(a, XS_READ, 0, "/t/m/n", NULL));
	BYTES(a, "kept");
	CALL(0, wire_strings(a, XS_DIRECTORY, 0, "/t", NULL));
	BYTES(a, "a\0bin\0m\0");
	CALL(0, wire_strings(a, XS_DIRECTORY, 0, "/t/bin", NULL));
	BYTES(a, "");
	CALL(-ENOENT, wire_strings(a, XS_DIRECTORY, 0, "/t/x", NULL));
	CALL(0, wire_strings(a, XS_RM, 0, "/t/m", NULL));
	CALL(-ENOENT, wire_strings(a, XS_READ, 0, "/t/m/n", NULL));
	CALL(0, wire_strings(a, XS_RM, 0, "/t/m", NULL));
	CALL(-ENOENT, wire_strings(a, XS_RM, 0, "/t/m/n/o", NULL));
	CALL(-EINVAL, wire_strings(a, XS_RM, 0, "/", NULL));
	CALL(0, wire_write(a, 0, "relative-t", "r"));
	CALL(0, wire_strings(a, XS_READ, 0, "/local/domain/0/relative-t", NULL));
	BYTES(a, "r");
	CALL(0, wire_strings(a, XS_RM, 0, "relative-t", NULL));
}

static void malformed(struct wire *a)
{
	static const char *const paths[] = { "//", "/t//b", "/t/", "/t b", "/t\n", "/\303\244" };
	char path[4000];

	section = "malformed";
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		CALL(-EINVAL, wire_strings(a, XS_READ, 0, paths[i], NULL));
	CALL(-EINVAL, wire_strings(a, XS_READ, 0, "", NULL));
	CALL(-EINVAL, wire_call(a, XS_READ, 0, "/t", 2));
	CALL(-EINVAL, wire_call(a, XS_READ, 0, "", 0));
	CALL(-EINVAL, wire_call(a, XS_WRITE, 0, "/t", 2));
	CALL(-EINVAL, wire_strings(a, XS_WATCH, 0, "/t", NULL));
	CALL(-EINVAL, wire_strings(a, XS_SET_PERMS, 0, "/t", NULL));
	CALL(-EINVAL, wire_strings(a, XS_SET_PERMS, 0, "/t", "x0", NULL));
	CALL(-ENOENT, wire_strings(a, XS_READ, 4711, "/t", NULL));
	CALL(-ENOENT, wire_strings(a, XS_TRANSACTION_END, 4711, "T", NULL));
	CALL(-ENOSYS, wire_strings(a, XS_WATCH_EVENT, 0, "a", "b", NULL));
	CALL(-ENOSYS, wire_strings(a, 999, 0, "a", NULL));
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[XENSTORE_ABS_PATH_MAX + 1] = '\0';
	CALL(-EINVAL, wire_strings(a, XS_READ, 0, path, NULL));
	path[XENSTORE_REL_PATH_MAX - 1] = '\0';
	CALL(-ENOENT, wire_strings(a, XS_READ, 0, path, NULL));
}

static void directory_part(struct wire *a)
{
	char path[64], list[20000], offset[16], generation[32] = "";
	size_t got = 0, at = 0;
	int pieces = 0;

	section = "directory_part";
	for (int i = 0; i < 900; i++) {
		snprintf(path, sizeof(path), "/t/big/child-%d", i);
		wire_write(a, 0, path, "");
	}
	CALL(-E2BIG, wire_strings(a, XS_DIRECTORY, 0, "/t/big", NULL));
	do {
		size_t head;

		snprintf(offset, sizeof(offset), "%zu", got);
		CALL(0, wire_strings(a, XS_DIRECTORY_PART, 0, "/t/big", offset, NULL));
		head = strlen(a->answer) + 1;
		check(!got || !strcmp(generation, a->answer), __LINE__, "the same generation", a->answer);
		snprintf(generation, sizeof(generation), "%.31s", a->answer);
		memcpy(list + got, a->answer + head, a->answer_bytes - head);
		got += a->answer_bytes - head;
		pieces++;
	} while ((got < 2 || list[got - 1] || list[got - 2]) && pieces < 10);
	check(pieces == 3, __LINE__, "three pieces", generation);
	for (int i = 0; i < 900; i++) {
		snprintf(path, sizeof(path), "child-%d", i);
		check(!strcmp(list + at, path), __LINE__, path, list + at);
		at += strlen(path) + 1;
	}
	check(at + 1 == got, __LINE__, "an empty name at the end", "");
	wire_write(a, 0, "/t/big/one-more", "");
	CALL(0, wire_strings(a, XS_DIRECTORY_PART, 0, "/t/big", "0", NULL));
	check(strcmp(generation, a->answer), __LINE__, "another generation", a->answer);
	CALL(0, wire_strings(a, XS_RM, 0, "/t/big", NULL));
}

static void permissions(struct wire *a)
{
	section = "permissions";
	CALL(0, wire_write(a, 0, "/t/p/q", ""));
	CALL(0, wire_strings(a, XS_GET_PERMS, 0, "/t/p", NULL));
	BYTES(a, "n0\0");
	CALL(0, wire_strings(a, XS_SET_PERMS, 0, "/t/p", "b0", "r0", "w0", NULL));
	CALL(0, wire_strings(a, XS_GET_PERMS, 0, "/t/p", NULL));
	BYTES(a, "b0\0r0\0w0\0");
	CALL(0, wire_strings(a, XS_GET_PERMS, 0, "/t/p/q", NULL));
	BYTES(a, "n0\0");
	CALL(0, wire_write(a, 0, "/t/p/new", ""));
	CALL(0, wire_strings(a, XS_GET_PERMS, 0, "/t/p/new", NULL));
	BYTES(a, "b0\0r0\0w0\0");
	CALL(-ENOENT, wire_strings(a, XS_SET_PERMS, 0, "/t/none", "n0", NULL));
	CALL(-ENOENT, wire_strings(a, XS_GET_PERMS, 0, "/t/none", NULL));
	CALL(0, wire_strings(a, XS_SET_PERMS, 0, "@releaseDomain", "n0", NULL));
	CALL(0, wire_strings(a, XS_RM, 0, "/t/p", NULL));
}

static uint32_t tx_start(struct wire *wire)
{
	CALL(0, wire_strings(wire, XS_TRANSACTION_START, 0, "", NULL));
	return (uint32_t)strtoul(wire->answer, NULL, 10);
}

static void transactions(struct wire *a, struct wire *b)
{
	uint32_t tx, other;

	section = "transactions";
	CALL(0, wire_write(a, 0, "/t/x", "0"));
	CALL(0, wire_write(a, 0, "/t/y", "0"));
	tx = tx_start(a);
	CALL(0, wire_write(a, tx, "/t/x", "1"));
	CALL(0, wire_strings(a, XS_READ, tx, "/t/x", NULL));
	BYTES(a, "1");
	CALL(0, wire_strings(b, XS_READ, 0, "/t/x", NULL));
	BYTES(b, "0");
	CALL(-ENOENT, wire_strings(b, XS_READ, tx, "/t/x", NULL)); /* not b's */
	CALL(0, wire_strings(a, XS_TRANSACTION_END, tx, "T", NULL));
	CALL(0, wire_strings(b, XS_READ, 0, "/t/x", NULL));
	BYTES(b, "1");
	CALL(-ENOENT, wire_strings(a, XS_READ, tx, "/t/x", NULL));
	tx = tx_start(a);
	CALL(0, wire_strings(a, XS_RM, tx, "/t/x", NULL));
	CALL(-ENOENT, wire_strings(a, XS_READ, tx, "/t/x", NULL));
	CALL(0, wire_strings(a, XS_TRANSACTION_END, tx, "F", NULL));
	CALL(0, wire_strings(a, XS_READ, 0, "/t/x", NULL));
	/* Changed by another in between. */
	tx = tx_start(a);
	CALL(0, wire_strings(a, XS_READ, tx, "/t/x", NULL));
	CALL(0, wire_write(b, 0, "/t/x", "2"));
	CALL(0, wire_write(a, tx, "/t/y", "2"));
	CALL(-EAGAIN, wire_strings(a, XS_TRANSACTION_END, tx, "T", NULL));
	CALL(0, wire_strings(a, XS_READ, 0, "/t/y", NULL));
	BYTES(a, "0");
	/* Something else was changed. */
	tx = tx_start(a);
	CALL(0, wire_strings(a, XS_READ, tx, "/t/x", NULL));
	CALL(0, wire_write(b, 0, "/t/y", "3"));
	CALL(0, wire_write(a, tx, "/t/x", "3"));
	CALL(0, wire_strings(a, XS_TRANSACTION_END, tx, "T", NULL));
	CALL(0, wire_strings(a, XS_READ, 0, "/t/y", NULL));
	BYTES(a, "3");
	/* Two of them: the second to end fails, and only it. */
	tx = tx_start(a);
	other = tx_start(b);
	CALL(0, wire_write(a, tx, "/t/x", "a"));
	CALL(0, wire_write(b, other, "/t/x", "b"));
	CALL(0, wire_strings(b, XS_TRANSACTION_END, other, "T", NULL));
	CALL(-EAGAIN, wire_strings(a, XS_TRANSACTION_END, tx, "T", NULL));
	CALL(0, wire_strings(a, XS_READ, 0, "/t/x", NULL));
	BYTES(a, "b");
	tx = tx_start(a);
	CALL(-EBUSY, wire_strings(a, XS_TRANSACTION_START, tx, "", NULL));
	CALL(0, wire_strings(a, XS_TRANSACTION_END, tx, "T", NULL));
}

static void watches(struct wire *a, struct wire *b)
{
	uint32_t tx;

	section = "watches";
	CALL(0, wire_strings(a, XS_WATCH, 0, "/t/w", "tok", NULL));
	EVENTS(a, 1, "/t/w tok;");
	CALL(-EEXIST, wire_strings(a, XS_WATCH, 0, "/t/w", "tok", NULL));
	CALL(0, wire_write(b, 0, "/t/w", "1"));
	EVENTS(a, 1, "/t/w tok;");
	CALL(0, wire_write(b, 0, "/t/w/x/y", "1"));
	EVENTS(a, 1, "/t/w/x/y tok;");
	CALL(0, wire_write(b, 0, "/t/ww", "1"));
	EVENTS(a, 0, "");
	CALL(0, wire_strings(b, XS_SET_PERMS, 0, "/t/w/x", "r0", NULL));
	EVENTS(a, 1, "/t/w/x tok;");
	CALL(0, wire_strings(a, XS_WATCH, 0, "/t/w/x/y", "low", NULL));
	EVENTS(a, 1, "/t/w/x/y low;");
	CALL(0, wire_strings(b, XS_RM, 0, "/t/w/x", NULL));
	{
		const char *events = wire_events(a, 2);

		check(strstr(events, "/t/w/x tok;") && strstr(events, "/t/w/x/y low;"), __LINE__, "both hear of the removal", events);
	}
	tx = tx_start(b);
	CALL(0, wire_write(b, tx, "/t/w/t", "1"));
	EVENTS(a, 0, "");
	CALL(0, wire_strings(b, XS_TRANSACTION_END, tx, "T", NULL));
	EVENTS(a, 1, "/t/w/t tok;");
	tx = tx_start(b);
	CALL(0, wire_write(b, tx, "/t/w/t", "1"));
	CALL(0, wire_strings(b, XS_TRANSACTION_END, tx, "F", NULL));
	EVENTS(a, 0, "");
	CALL(0, wire_strings(a, XS_UNWATCH, 0, "/t/w", "tok", NULL));
	CALL(-ENOENT, wire_strings(a, XS_UNWATCH, 0, "/t/w", "tok", NULL));
	CALL(0, wire_write(b, 0, "/t/w/t", "1"));
	EVENTS(a, 0, "");
	CALL(0, wire_strings(a, XS_WATCH, 0, "rel-t", "r", NULL));
	CALL(0, wire_write(b, 0, "/local/domain/0/rel-t/z", ""));
	EVENTS(a, 2, "rel-t r;rel-t/z r;");
	CALL(0, wire_strings(b, XS_RM, 0, "rel-t", NULL));
	EVENTS(a, 1, "rel-t r;");
	CALL(0, wire_strings(a, XS_WATCH, 0, "@introduceDomain", "i", NULL));
	EVENTS(a, 1, "@introduceDomain i;");
	CALL(0, wire_strings(a, XS_RESET_WATCHES, 0, "", NULL));
	CALL(0, wire_write(b, 0, "/t/w/x/y", "1"));
	EVENTS(a, 0, "");
}

static void domains(struct wire *a)
{
	section = "domains";
	CALL(0, wire_strings(a, XS_GET_DOMAIN_PATH, 0, "7", NULL));
	BYTES(a, "/local/domain/7\0");
	CALL(0, wire_strings(a, XS_IS_DOMAIN_INTRODUCED, 0, "31000", NULL));
	BYTES(a, "F\0");
	CALL(-ENOENT, wire_strings(a, XS_RELEASE, 0, "31000", NULL));
	CALL(-EINVAL, wire_strings(a, XS_INTRODUCE, 0, "31000", NULL));
	CALL(-ENOENT, wire_strings(a, XS_RESUME, 0, "31000", NULL));
	CALL(0, wire_strings(a, XS_CONTROL, 0, "help", NULL));
	CALL(-EINVAL, wire_strings(a, XS_CONTROL, 0, "no such command", NULL));
}

/* Many requests in one piece, and one in many pieces. */
static void framing(struct wire *a)
{
	const struct xsd_sockmsg header = { .type = XS_READ, .req_id = 77, .len = 5 };
	char message[sizeof(header) + 5];
	uint32_t first = a->next_id + 1;

	section = "framing";
	CALL(0, wire_write(a, 0, "/t/f", "f"));
	first = a->next_id + 1;
	for (int i = 0; i < 200; i++)
		wire_send(a, XS_READ, 0, "/t/f", 5);
	for (uint32_t i = 0; i < 200; i++)
		CALL(0, wire_answer(a, first + i));
	memcpy(message, &header, sizeof(header));
	memcpy(message + sizeof(header), "/t/f", 5);
	for (size_t i = 0; i < sizeof(message); i++) {
		if (write(a->fd, message + i, 1) != 1)
			perror("write");
		usleep(1000);
	}
	CALL(0, wire_answer(a, 77));
	BYTES(a, "f");
}

int main(int argc, char **argv)
{
	struct wire *a, *b;

	if (argc != 2) {
		fprintf(stderr, "usage: conformance SOCKET\n");
		return 2;
	}
	a = wire_open(argv[1]);
	b = wire_open(argv[1]);
	wire_strings(a, XS_RM, 0, "/t", NULL);
	nodes(a);
	malformed(a);
	directory_part(a);
	permissions(a);
	transactions(a, b);
	watches(a, b);
	domains(a);
	framing(a);
	wire_strings(a, XS_RM, 0, "/t", NULL);
	wire_close(a);
	wire_close(b);
	printf("conformance: %u checks, %u failures\n", checks, failures);
	return failures != 0;
}
