/* SPDX-License-Identifier: BSD-2-Clause */
/* Nodes, permissions, transactions, watches, quotas: what each request does. */
#include <unistd.h>

#include "tests.h"

static void nodes(void **state)
{
	struct client *c = client_socket();

	(void)state;
	assert_string_equal(client_read(c, 0, "/nope"), "-ENOENT");
	assert_int_equal(client_write(c, 0, "/a/b/c", "1"), 0);
	assert_string_equal(client_read(c, 0, "/a/b/c"), "1");
	assert_string_equal(client_read(c, 0, "/a/b"), "");
	assert_int_equal(client_strings(c, XS_MKDIR, 0, "/a/b/c", NULL), 0);
	assert_string_equal(client_read(c, 0, "/a/b/c"), "1");
	assert_int_equal(client_strings(c, XS_MKDIR, 0, "/a/d", NULL), 0);
	assert_int_equal(client_strings(c, XS_DIRECTORY, 0, "/a", NULL), 0);
	assert_int_equal(c->last_bytes, 4);
	assert_memory_equal(c->last, "b\0d", 4);
	assert_int_equal(client_strings(c, XS_RM, 0, "/a/b", NULL), 0);
	assert_string_equal(client_read(c, 0, "/a/b/c"), "-ENOENT");
	assert_int_equal(client_strings(c, XS_RM, 0, "/a/b", NULL), 0);
	assert_int_equal(client_strings(c, XS_RM, 0, "/x/y", NULL), -ENOENT);
	assert_int_equal(client_strings(c, XS_RM, 0, "/", NULL), -EINVAL);
	assert_int_equal(client_write(c, 0, "rel", "r"), 0);
	assert_string_equal(client_read(c, 0, "/local/domain/0/rel"), "r");
	assert_int_equal(client_write(c, 0, "/", "root"), 0);
	assert_string_equal(client_read(c, 0, "/"), "root");
	client_free(c);
}

static void malformed(void **state)
{
	static const char *const paths[] = { "", "//", "/a//b", "/a/", "/a b", "/a\n", "@x", "/\xc3\xa4" };
	struct client *c = client_socket();
	char path[4096];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		assert_string_equal(client_read(c, 0, paths[i]), "-EINVAL");
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[3073] = '\0';
	assert_string_equal(client_read(c, 0, path), "-EINVAL");
	path[3072] = '\0';
	assert_string_equal(client_read(c, 0, path), "-ENOENT");
	path[2049] = '\0';
	assert_string_equal(client_read(c, 0, path + 1), "-ENOENT");
	path[2049] = 'a';
	path[2050] = '\0';
	assert_string_equal(client_read(c, 0, path + 1), "-EINVAL");
	for (uint32_t type = 0; type < XS_TYPE_COUNT + 3; type++) {
		if (type == XS_RESET_WATCHES || type == XS_TRANSACTION_START)
			continue;
		assert_true(client_call(c, type, 0, "", 0) < 0);
		assert_true(client_call(c, type, 0, "/x", 2) < 0);
		assert_true(client_call(c, type, 99, "\0\0\0", 3) < 0);
	}
	assert_int_equal(client_call(c, XS_WATCH_EVENT, 0, "a\0b", 4), -ENOSYS);
	assert_int_equal(client_call(c, 1000, 0, "a", 2), -ENOSYS);
	client_free(c);
}

/* More than the protocol allows ends the connection and nothing else. */
static void too_long(void **state)
{
	struct xsd_sockmsg header = { .type = XS_READ, .len = XENSTORE_PAYLOAD_MAX + 1 };
	struct client *c = client_socket(), *other = client_socket();
	char byte;

	(void)state;
	client_send(c, &header, sizeof(header));
	store_run();
	assert_int_equal(read(c->fd, &byte, 1), 0);
	assert_string_equal(client_read(other, 0, "/"), "");
	client_free(c);
	client_free(other);
}

static void pieces(void **state)
{
	const struct xsd_sockmsg header = { .type = XS_READ, .req_id = 7, .len = 6 };
	char message[sizeof(header) + 6];
	struct client *c = client_socket();
	struct xsd_sockmsg answer;

	(void)state;
	client_write(c, 0, "/tool", "t");
	memcpy(message, &header, sizeof(header));
	memcpy(message + sizeof(header), "/tool", 6);
	for (size_t cut = 1; cut < sizeof(message); cut++) {
		client_send(c, message, cut);
		store_run();
		assert_false(client_message(c, &answer));
		client_send(c, message + cut, sizeof(message) - cut);
		store_run();
		assert_true(client_message(c, &answer));
		assert_string_equal(c->last, "t");
	}
	/* Many in one piece. */
	for (int i = 0; i < 100; i++)
		client_send(c, message, sizeof(message));
	for (int i = 0; i < 100; i++) {
		store_run();
		assert_true(client_message(c, &answer));
	}
	client_free(c);
}

static void long_lists(void **state)
{
	struct client *c = client_socket();
	char path[64], offset[16], list[20000];
	size_t got = 0;

	(void)state;
	for (int i = 0; i < 900; i++) {
		snprintf(path, sizeof(path), "/big/child-%d", i);
		assert_int_equal(client_write(c, 0, path, ""), 0);
	}
	for (int i = 0; i < 900; i += 3) {
		snprintf(path, sizeof(path), "/big/child-%d", i);
		assert_int_equal(client_strings(c, XS_RM, 0, path, NULL), 0);
	}
	assert_int_equal(client_strings(c, XS_DIRECTORY, 0, "/big", NULL), -E2BIG);
	for (;;) {
		size_t head;

		snprintf(offset, sizeof(offset), "%zu", got);
		assert_int_equal(client_strings(c, XS_DIRECTORY_PART, 0, "/big", offset, NULL), 0);
		head = strlen(c->last) + 1;
		memcpy(list + got, c->last + head, c->last_bytes - head);
		got += c->last_bytes - head;
		if (got > 1 && !list[got - 1] && !list[got - 2])
			break;
	}
	got = 0;
	for (int i = 0; i < 900; i++) {
		if (i % 3 == 0)
			continue;
		snprintf(path, sizeof(path), "child-%d", i);
		assert_string_equal(list + got, path);
		got += strlen(path) + 1;
		snprintf(path, sizeof(path), "/big/child-%d", i);
		assert_string_equal(client_read(c, 0, path), "");
	}
	assert_int_equal(client_strings(c, XS_DIRECTORY_PART, 0, "/big", "999999", NULL), 0);
	client_free(c);
}

static void permissions(void **state)
{
	struct client *c = client_socket(), *d1 = client_domain(1), *d2 = client_domain(2);

	(void)state;
	assert_int_equal(client_write(c, 0, "/local/domain/1/x", "v"), 0);
	assert_string_equal(client_read(d1, 0, "x"), "-EACCES");
	assert_string_equal(client_read(d1, 0, "nope"), "-EACCES");
	assert_int_equal(client_write(d1, 0, "y", ""), -EACCES);
	assert_int_equal(client_strings(c, XS_SET_PERMS, 0, "/local/domain/1", "n1", NULL), 0);
	assert_int_equal(client_write(d1, 0, "mine/deep", "m"), 0);
	assert_int_equal(client_strings(d1, XS_GET_PERMS, 0, "mine/deep", NULL), 0);
	assert_string_equal(c->last, "OK");
	assert_string_equal(d1->last, "n1");
	assert_string_equal(client_read(d2, 0, "/local/domain/1/mine"), "-EACCES");
	assert_int_equal(client_strings(d1, XS_SET_PERMS, 0, "mine", "r1", "b2", NULL), 0);
	assert_string_equal(client_read(d2, 0, "/local/domain/1/mine"), "");
	assert_int_equal(client_write(d2, 0, "/local/domain/1/mine/two", "2"), 0);
	assert_int_equal(client_strings(c, XS_GET_PERMS, 0, "/local/domain/1/mine/two", NULL), 0);
	assert_memory_equal(c->last, "r2\0b2", 6);
	/* Only the owner, only for itself, only so many. */
	assert_int_equal(client_strings(d2, XS_SET_PERMS, 0, "/local/domain/1/mine", "b2", NULL), -EACCES);
	assert_int_equal(client_strings(d1, XS_SET_PERMS, 0, "mine", "b2", NULL), -EPERM);
	assert_int_equal(client_strings(d1, XS_SET_PERMS, 0, "mine", "b1", "r2", "r3", "r4", "r5", "r6", NULL), -ENOSPC);
	assert_int_equal(client_strings(d1, XS_SET_PERMS, 0, "mine", "x1", NULL), -EINVAL);
	assert_int_equal(client_strings(d1, XS_SET_PERMS, 0, "mine", "r", NULL), -EINVAL);
	assert_int_equal(client_strings(d1, XS_SET_PERMS, 0, "mine", "r70000", NULL), -EINVAL);
	/* A domain that does not exist may come one day. */
	assert_int_equal(client_strings(d1, XS_SET_PERMS, 0, "mine", "n1", "r2000", NULL), -ENOENT);
	assert_int_equal(client_strings(d1, XS_RM, 0, "/local/domain/1", NULL), 0);
	for (uint32_t type = 0; type < XS_TYPE_COUNT; type++)
		if (type == XS_CONTROL || type == XS_INTRODUCE || type == XS_RELEASE || type == XS_RESUME || type == XS_SET_TARGET)
			assert_int_equal(client_strings(d1, type, 0, "1", "2", "3", NULL), -EACCES);
	client_free(c);
	client_free(d1);
	client_free(d2);
}

static void targets(void **state)
{
	struct client *c = client_socket(), *d1 = client_domain(1), *d2 = client_domain(2);

	(void)state;
	client_write(c, 0, "/local/domain/1/x", "v");
	client_strings(c, XS_SET_PERMS, 0, "/local/domain/1/x", "n1", NULL);
	assert_string_equal(client_read(d2, 0, "/local/domain/1/x"), "-EACCES");
	assert_int_equal(client_strings(c, XS_SET_TARGET, 0, "2", "9", NULL), -ENOENT);
	assert_int_equal(client_strings(c, XS_SET_TARGET, 0, "2", "1", NULL), 0);
	assert_string_equal(client_read(d2, 0, "/local/domain/1/x"), "v");
	assert_int_equal(client_write(d2, 0, "/local/domain/1/x", "w"), 0);
	client_free(c);
	client_free(d1);
	client_free(d2);
}

static void transactions(void **state)
{
	struct client *a = client_socket(), *b = client_socket();
	uint32_t tx, other;

	(void)state;
	client_write(a, 0, "/n/x", "0");
	client_write(a, 0, "/n/y", "0");
	/* Isolation and commit. */
	tx = client_tx(a);
	assert_int_equal(client_write(a, tx, "/n/x", "1"), 0);
	assert_string_equal(client_read(a, tx, "/n/x"), "1");
	assert_string_equal(client_read(b, 0, "/n/x"), "0");
	assert_int_equal(client_end(a, tx, true), 0);
	assert_string_equal(client_read(b, 0, "/n/x"), "1");
	assert_string_equal(client_read(a, tx, "/n/x"), "-ENOENT");
	/* Given up. */
	tx = client_tx(a);
	client_write(a, tx, "/n/x", "2");
	client_strings(a, XS_RM, tx, "/n/y", NULL);
	assert_int_equal(client_end(a, tx, false), 0);
	assert_string_equal(client_read(b, 0, "/n/x"), "1");
	/* Others changed something else: no conflict. */
	tx = client_tx(a);
	client_write(a, tx, "/n/x", "3");
	client_write(b, 0, "/n/y", "3");
	client_write(b, 0, "/n/z/z", "3");
	client_write(b, 0, "/m", "3");
	assert_int_equal(client_end(a, tx, true), 0);
	assert_string_equal(client_read(b, 0, "/n/x"), "3");
	assert_string_equal(client_read(b, 0, "/n/y"), "3");
	assert_string_equal(client_read(b, 0, "/n/z/z"), "3");
	/* A snapshot is a snapshot. */
	tx = client_tx(a);
	client_write(b, 0, "/n/x", "4");
	assert_string_equal(client_read(a, tx, "/n/x"), "3");
	assert_int_equal(client_end(a, tx, true), -EAGAIN);
	/* Two that make children of one parent. */
	tx = client_tx(a);
	other = client_tx(b);
	client_write(a, tx, "/p/from-a", "a");
	client_write(b, other, "/p/from-b", "b");
	assert_int_equal(client_end(a, tx, true), 0);
	assert_int_equal(client_end(b, other, true), -EAGAIN); /* both made the parent */
	tx = client_tx(a);
	other = client_tx(b);
	client_write(a, tx, "/p/a2", "a");
	client_write(b, other, "/p/b2", "b");
	assert_int_equal(client_end(a, tx, true), 0);
	assert_int_equal(client_end(b, other, true), 0);
	assert_string_equal(client_read(b, 0, "/p/a2"), "a");
	assert_string_equal(client_read(b, 0, "/p/b2"), "b");
	/* Unless one looked at the list. */
	tx = client_tx(a);
	client_strings(a, XS_DIRECTORY, tx, "/p", NULL);
	client_write(b, 0, "/p/b3", "b");
	assert_int_equal(client_end(a, tx, true), -EAGAIN);
	/* Numbers. */
	tx = client_tx(a);
	assert_int_equal(client_call(a, XS_TRANSACTION_START, tx, "", 1), -EBUSY);
	assert_int_equal(client_call(a, XS_TRANSACTION_END, tx, "X", 2), -EINVAL);
	assert_int_equal(client_call(b, XS_TRANSACTION_END, tx, "T", 2), -ENOENT);
	assert_int_equal(client_end(a, tx, true), 0);
	assert_int_equal(client_end(a, tx, true), -ENOENT);
	client_free(a);
	client_free(b);
}

/* What may happen in a transaction, what others do meanwhile, and how it ends. */
static void conflicts(void **state)
{
	enum { READ, READ_NONE, LIST, WRITE, CREATE, CREATE_DEEP, REMOVE, PERMS, GET_PERMS, ACTIONS };
	static const struct {
		uint32_t type;
		const char *path, *more;
	} actions[ACTIONS] = {
		{ XS_READ, "/c/x", NULL },    { XS_READ, "/c/new", NULL },	{ XS_DIRECTORY, "/c", NULL },
		{ XS_WRITE, "/c/x", "t" },    { XS_WRITE, "/c/new", "t" },	{ XS_WRITE, "/c/deep/er/est", "t" },
		{ XS_RM, "/c/x", NULL },      { XS_SET_PERMS, "/c/x", "r0" }, { XS_GET_PERMS, "/c/x", NULL },
	};
	/* Rows: the transaction. Columns: the other. 1: conflict. Reading by others never is one. */
	static const char expected[ACTIONS][ACTIONS + 1] = {
		[READ] = "000100110",	 [READ_NONE] = "000010000", [LIST] = "000011100",
		[WRITE] = "000100110",	 [CREATE] = "000010000",    [CREATE_DEEP] = "000001000",
		[REMOVE] = "000100110",	 [PERMS] = "000100110",	    [GET_PERMS] = "000100110",
	};
	struct client *a = client_socket(), *b = client_socket();

	(void)state;
	for (int mine = 0; mine < ACTIONS; mine++) {
		for (int other = 0; other < ACTIONS; other++) {
			uint32_t tx;

			client_strings(a, XS_RM, 0, "/c", NULL);
			client_write(a, 0, "/c/x", "0");
			client_write(a, 0, "/c/y", "0");
			tx = client_tx(a);
			client_strings(a, actions[mine].type, tx, actions[mine].path, actions[mine].more, NULL);
			client_strings(b, actions[other].type, 0, actions[other].path, actions[other].more, NULL);
			if (client_end(a, tx, true) != (expected[mine][other] == '1' ? -EAGAIN : 0))
				fail_msg("transaction %d against %d", mine, other);
		}
	}
	client_free(a);
	client_free(b);
}

static void watches(void **state)
{
	struct client *a = client_socket(), *b = client_socket();
	uint32_t tx;

	(void)state;
	assert_int_equal(client_strings(a, XS_WATCH, 0, "/w", "t", NULL), 0);
	assert_string_equal(client_events(a), "/w t;");
	assert_int_equal(client_strings(a, XS_WATCH, 0, "/w", "t", NULL), -EEXIST);
	client_write(b, 0, "/w/x/y", "1");
	assert_string_equal(client_events(a), "/w/x/y t;");
	client_write(b, 0, "/ww", "1");
	client_write(b, 0, "/v", "1");
	client_strings(b, XS_MKDIR, 0, "/w/x", NULL); /* is there */
	assert_string_equal(client_events(a), "");
	client_strings(b, XS_SET_PERMS, 0, "/w/x", "r0", NULL);
	assert_string_equal(client_events(a), "/w/x t;");
	/* Removal from above: watches below hear of their own path, if it was there. */
	client_strings(a, XS_WATCH, 0, "/w/x/y", "below", NULL);
	client_strings(a, XS_WATCH, 0, "/w/x/none", "none", NULL);
	client_events(a);
	client_strings(b, XS_RM, 0, "/w", NULL);
	assert_string_equal(client_events(a), "/w t;/w/x/y below;");
	client_strings(b, XS_RM, 0, "/w", NULL);
	assert_string_equal(client_events(a), "");
	/* Transactions: at the commit. */
	tx = client_tx(b);
	client_write(b, tx, "/w/1", "1");
	client_write(b, tx, "/w/1", "2");
	client_strings(b, XS_RM, tx, "/v", NULL);
	assert_string_equal(client_events(a), "");
	client_end(b, tx, true);
	assert_string_equal(client_events(a), "/w t;/w/1 t;");
	tx = client_tx(b);
	client_write(b, tx, "/w/1", "1");
	client_end(b, tx, false);
	assert_string_equal(client_events(a), "");
	assert_int_equal(client_strings(a, XS_UNWATCH, 0, "/w", "t", NULL), 0);
	assert_int_equal(client_strings(a, XS_UNWATCH, 0, "/w", "t", NULL), -ENOENT);
	client_write(b, 0, "/w/1", "1");
	assert_string_equal(client_events(a), "");
	/* All of them. */
	client_strings(a, XS_WATCH, 0, "/", "root", NULL);
	client_events(a);
	client_write(b, 0, "/q", "1");
	assert_string_equal(client_events(a), "/q root;");
	assert_int_equal(client_strings(a, XS_RESET_WATCHES, 0, "", NULL), 0);
	client_write(b, 0, "/q", "1");
	assert_string_equal(client_events(a), "");
	client_free(a);
	client_free(b);
	assert_int_equal(store.point_count, 0);
}

static void watch_depth(void **state)
{
	struct client *a = client_socket();

	(void)state;
	assert_int_equal(client_strings(a, XS_WATCH, 0, "/w", "d", "x", NULL), -EINVAL);
	assert_int_equal(client_strings(a, XS_WATCH, 0, "/w", "0", "0", NULL), 0);
	assert_int_equal(client_strings(a, XS_WATCH, 0, "/w", "1", "1", NULL), 0);
	client_events(a);
	client_write(a, 0, "/w", "");
	assert_string_equal(client_events(a), "/w 1;/w 0;");
	client_write(a, 0, "/w/x", "");
	assert_string_equal(client_events(a), "/w/x 1;");
	client_write(a, 0, "/w/x/y", "");
	assert_string_equal(client_events(a), "");
	client_free(a);
}

static void watches_of_domains(void **state)
{
	struct client *c = client_socket(), *d = client_domain(3);

	(void)state;
	client_write(c, 0, "/local/domain/3/a", "");
	client_write(c, 0, "/secret/a", "");
	assert_int_equal(client_strings(d, XS_WATCH, 0, "a", "rel", NULL), 0);
	assert_int_equal(client_strings(d, XS_WATCH, 0, "/secret", "s", NULL), 0);
	assert_string_equal(client_events(d), "a rel;/secret s;");
	client_write(c, 0, "/local/domain/3/a/b", ""); /* not readable yet */
	client_write(c, 0, "/secret/a", "1");
	assert_string_equal(client_events(d), "");
	client_strings(c, XS_SET_PERMS, 0, "/local/domain/3/a", "n3", NULL);
	client_strings(c, XS_SET_PERMS, 0, "/local/domain/3/a/b", "n0", "r3", NULL);
	client_write(c, 0, "/local/domain/3/a/b", "2");
	assert_string_equal(client_events(d), "a rel;a/b rel;a/b rel;");
	client_strings(c, XS_RM, 0, "/local/domain/3/a", NULL);
	assert_string_equal(client_events(d), "a rel;");
	client_free(c);
	client_free(d);
}

static void specials(void **state)
{
	struct client *c = client_socket(), *d1 = client_domain(1), *d2;

	(void)state;
	assert_int_equal(client_strings(c, XS_WATCH, 0, "@introduceDomain", "i", NULL), 0);
	assert_int_equal(client_strings(c, XS_WATCH, 0, "@releaseDomain", "r", NULL), 0);
	assert_int_equal(client_strings(c, XS_WATCH, 0, "@releaseDomain", "r1", "1", NULL), 0);
	assert_int_equal(client_strings(c, XS_WATCH, 0, "@releaseDomain/2", "two", NULL), 0);
	assert_int_equal(client_strings(d1, XS_WATCH, 0, "@introduceDomain", "mine", NULL), 0);
	client_events(c);
	client_events(d1);
	d2 = client_domain(2);
	assert_string_equal(client_events(c), "@introduceDomain i;");
	assert_string_equal(client_events(d1), "");
	assert_int_equal(client_strings(c, XS_IS_DOMAIN_INTRODUCED, 0, "2", NULL), 0);
	assert_string_equal(c->last, "T");
	/* A shutdown is announced once, and again after a resume. */
	fake.state[2] = HOST_SHUTDOWN;
	domains_check(&store);
	assert_string_equal(client_events(c), "@releaseDomain/2 r1;@releaseDomain r;@releaseDomain/2 two;");
	domains_check(&store);
	assert_string_equal(client_events(c), "");
	assert_int_equal(client_strings(c, XS_RESUME, 0, "2", NULL), 0);
	domains_check(&store);
	assert_string_equal(client_events(c), "@releaseDomain/2 r1;@releaseDomain r;@releaseDomain/2 two;");
	fake.state[2] = HOST_RUNNING;
	assert_int_equal(client_strings(d1, XS_SET_PERMS, 0, "@introduceDomain", "r0", NULL), -EACCES);
	assert_int_equal(client_strings(c, XS_SET_PERMS, 0, "@introduceDomain", "n0", "r1", NULL), 0);
	assert_int_equal(client_strings(c, XS_GET_PERMS, 0, "@introduceDomain", NULL), 0);
	assert_memory_equal(c->last, "n0\0r1", 6);
	assert_int_equal(client_strings(c, XS_RELEASE, 0, "2", NULL), 0);
	assert_int_equal(client_strings(c, XS_RELEASE, 0, "2", NULL), -ENOENT);
	assert_int_equal(client_strings(c, XS_RELEASE, 0, "0", NULL), -EINVAL);
	assert_string_equal(client_events(c), "@releaseDomain/2 r1;@releaseDomain r;@releaseDomain/2 two;");
	client_free(d2);
	d2 = client_domain(2);
	assert_string_equal(client_events(d1), "@introduceDomain mine;");
	assert_int_equal(client_strings(c, XS_GET_DOMAIN_PATH, 0, "7", NULL), 0);
	assert_string_equal(c->last, "/local/domain/7");
	client_free(c);
	client_free(d1);
	client_free(d2);
}

/* With a domain go its nodes, what is below them, and its permissions elsewhere. */
static void death(void **state)
{
	struct client *c = client_socket(), *d = client_domain(4);

	(void)state;
	client_write(c, 0, "/local/domain/4/data", "");
	client_write(c, 0, "/shared/x", "");
	client_strings(c, XS_SET_PERMS, 0, "/local/domain/4/data", "n4", NULL);
	client_strings(c, XS_SET_PERMS, 0, "/shared", "n0", "b4", NULL);
	client_strings(c, XS_SET_PERMS, 0, "/shared/x", "n0", "r4", "r1", NULL);
	client_write(d, 0, "data/a/b", "1");
	client_write(d, 0, "/shared/his", "1");
	client_write(c, 0, "/shared/his/mine", "1");
	assert_int_equal(account_nodes(&store.accounts, 4), 5);
	client_strings(c, XS_WATCH, 0, "/shared", "s", NULL);
	client_events(c);
	fake.state[4] = HOST_DYING;
	domains_check(&store);
	assert_string_equal(client_events(c), "/shared/his s;");
	assert_string_equal(client_read(c, 0, "/local/domain/4/data"), "-ENOENT");
	assert_string_equal(client_read(c, 0, "/local/domain/4"), "");
	client_strings(c, XS_GET_PERMS, 0, "/shared/x", NULL);
	assert_int_equal(c->last_bytes, 6);
	assert_memory_equal(c->last, "n0\0r1", 6);
	client_strings(c, XS_GET_PERMS, 0, "/shared", NULL);
	assert_string_equal(c->last, "n0");
	assert_int_equal(c->last_bytes, 3);
	assert_int_equal(account_nodes(&store.accounts, 4), 0);
	assert_int_equal(account_bytes(&store.accounts, 4), 0);
	assert_null(domain_find(&store, 4));
	assert_int_equal(client_strings(c, XS_CONTROL, 0, "check", NULL), 0);
	assert_string_equal(c->last, "OK");
	client_free(c);
	client_free(d);
}

static void quotas(void **state)
{
	struct client *c = client_socket(), *d = client_domain(5);
	char path[64], value[3000];
	uint32_t tx;
	int i;

	(void)state;
	client_write(c, 0, "/local/domain/5/d", "");
	client_strings(c, XS_SET_PERMS, 0, "/local/domain/5/d", "n5", NULL);
	for (i = 0; i < 2000; i++) {
		snprintf(path, sizeof(path), "d/%d", i);
		if (client_write(d, 0, path, ""))
			break;
	}
	assert_int_equal(i, 999);
	assert_int_equal(client_write(d, 0, "d/more", ""), -ENOSPC);
	assert_int_equal(client_strings(d, XS_RM, 0, "d/7", NULL), 0);
	assert_int_equal(client_write(d, 0, "d/one/two", ""), -ENOSPC);
	assert_int_equal(client_write(d, 0, "d/one", ""), 0);
	client_strings(d, XS_RM, 0, "d/one", NULL);
	/* In a transaction too, and neither passes when they pass each alone. */
	tx = client_tx(d);
	assert_int_equal(client_write(d, tx, "d/t", ""), 0);
	assert_int_equal(client_write(d, tx, "d/u", ""), -ENOSPC);
	assert_int_equal(client_write(d, 0, "d/v", ""), 0);
	assert_int_equal(client_end(d, tx, true), -ENOSPC);
	client_strings(c, XS_CONTROL, 0, "quota", "set", "nodes", "0", NULL);
	assert_int_equal(client_write(d, 0, "d/more", ""), 0);
	memset(value, 'v', sizeof(value));
	value[2049] = '\0';
	assert_int_equal(client_write(d, 0, "d/value", value), -ENOSPC);
	value[2048] = '\0';
	assert_int_equal(client_write(d, 0, "d/value", value), 0);
	for (i = 0; i < 1000; i++) {
		snprintf(path, sizeof(path), "d/%d", i);
		if (client_write(d, 0, path, value))
			break;
	}
	assert_in_range(i, 500, 999); /* memory */
	client_strings(d, XS_RM, 0, "d", NULL);
	for (i = 0; i < 1000; i++) {
		snprintf(path, sizeof(path), "w%d", i);
		if (client_strings(d, XS_WATCH, 0, path, "", NULL))
			break;
	}
	assert_int_equal(i, 128);
	assert_int_equal(client_strings(d, XS_WATCH, 0, "w", "", NULL), -E2BIG);
	for (i = 0; i < 100 && !client_call(d, XS_TRANSACTION_START, 0, "", 1); i++)
		;
	assert_int_equal(i, 10);
	for (i = 0; i < 2000; i++) {
		snprintf(path, sizeof(path), "x%d", i);
		if (!strcmp(client_read(d, store.next_tx, path), "-ENOSPC"))
			break;
	}
	assert_in_range(i, 1000, 1024);
	assert_int_equal(client_strings(d, XS_RESET_WATCHES, 0, "", NULL), 0);
	assert_int_equal(store.tx_open, 0);
	client_free(c);
	client_free(d);
}

const struct CMUnitTest request_tests[] = {
	TEST(nodes), TEST(malformed), TEST(too_long), TEST(pieces), TEST(long_lists), TEST(permissions), TEST(targets),
	TEST(transactions), TEST(conflicts), TEST(watches), TEST(watch_depth), TEST(watches_of_domains), TEST(specials), TEST(death),
	TEST(quotas),
};
const size_t request_test_count = ARRAY_SIZE(request_tests);
