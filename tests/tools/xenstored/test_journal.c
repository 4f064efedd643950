/* SPDX-License-Identifier: BSD-2-Clause */
/* What survives: restarts, cut journals, and death between any two instructions. */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests.h"

/* Something of everything. */
static void populate(struct client *c, struct client *d)
{
	uint32_t tx;

	client_write(c, 0, "/a/b", "1");
	client_write(c, 0, "/a/c", "2");
	client_strings(c, XS_MKDIR, 0, "/local/domain/1/d", NULL);
	client_strings(c, XS_SET_PERMS, 0, "/local/domain/1/d", "n1", "r2", NULL);
	client_strings(c, XS_SET_PERMS, 0, "@introduceDomain", "r0", NULL);
	client_strings(c, XS_WATCH, 0, "/a", "t1", NULL);
	client_strings(c, XS_WATCH, 0, "/a", "t2", "1", NULL);
	client_strings(d, XS_WATCH, 0, "d", "t3", NULL);
	client_write(d, 0, "d/x", "3");
	client_strings(c, XS_RM, 0, "/a/b", NULL);
	tx = client_tx(c);
	client_write(c, tx, "/a/c", "in tx");
	client_write(c, tx, "/a/new", "in tx");
	tx = client_tx(d);
	client_read(d, tx, "d/x");
	client_strings(d, XS_RM, tx, "d/x", NULL);
	client_strings(c, XS_RESUME, 0, "1", NULL);
	client_strings(c, XS_CONTROL, 0, "quota", "set", "watches", "77", NULL);
	tx = client_tx(c);
	client_write(c, tx, "/a/d", "4");
	client_end(c, tx, true);
}

static void restart(void **state)
{
	struct client *c = client_socket(), *d = client_domain(1);
	char *before, *after;

	(void)state;
	populate(c, d);
	for (int round = 0; round < 3; round++) {
		before = store_describe();
		store_restart();
		after = store_describe();
		assert_string_equal(before, after);
		free(before);
		free(after);
	}
	assert_int_equal(store.quota[QUOTA_WATCHES], 77);
	/* The open transactions go on: the first conflicts with nobody, the second neither. */
	client_events(c);
	assert_string_equal(client_read(c, 1, "/a/new"), "in tx");
	assert_int_equal(client_end(c, 1, true), 0);
	assert_string_equal(client_read(c, 0, "/a/c"), "in tx");
	assert_string_equal(client_events(c), "/a/c t2;/a/c t1;/a/new t2;/a/new t1;");
	client_events(d);
	assert_int_equal(client_end(d, 2, true), 0);
	assert_string_equal(client_events(d), "d/x t3;");
	client_free(c);
	client_free(d);
}

/* A new journal in between: the same, but open transactions fail if the daemon dies after it. */
static void compaction(void **state)
{
	struct client *c = client_socket(), *d = client_domain(1);
	char *before, *after;
	uint32_t tx;

	(void)state;
	populate(c, d);
	client_end(c, 1, false);
	client_end(d, 2, false);
	before = store_describe();
	state_compact(&store, true);
	store_restart();
	after = store_describe();
	assert_string_equal(before, after);
	free(before);
	free(after);
	tx = client_tx(c);
	client_write(c, tx, "/a/c", "5");
	state_compact(&store, true);
	assert_int_equal(client_write(c, tx, "/a/d", "6"), 0);
	store_restart();
	assert_int_equal(client_write(c, tx, "/a/e", "7"), 0);
	assert_int_equal(client_end(c, tx, true), -EAGAIN);
	assert_string_equal(client_read(c, 0, "/a/c"), "2");
	client_free(c);
	client_free(d);
}

/* Much that comes and goes leaves a short journal. */
static void journal_size(void **state)
{
	struct client *c = client_socket();
	char value[2000];

	(void)state;
	memset(value, 'x', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	for (int i = 0; i < 12000; i++)
		assert_int_equal(client_write(c, 0, "/a", value), 0);
	assert_true(store.journal.allocated < 12u << 20);
	store_restart();
	assert_string_equal(client_read(c, 0, "/a"), value);
	client_free(c);
}

/* A file that ends anywhere gives the state after one of the requests, never something between. */
static void cut(void **state)
{
	struct client *c = client_socket(), *d = client_domain(1);
	char path[128], saved[128], *last = NULL, *file;
	struct stat status;
	unsigned int states = 0;
	int fd;

	(void)state;
	state_compact(&store, true);
	populate(c, d);
	store_lose();
	snprintf(path, sizeof(path), "%s/journal", run_dir);
	snprintf(saved, sizeof(saved), "%s/saved", run_dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(fstat(fd, &status), 0);
	file = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	status.st_size = (off_t)((const struct journal_head *)file)->tail;
	for (off_t bytes = (off_t)((const struct journal_head *)file)->snapshot_end; bytes <= status.st_size; bytes++) {
		char *now;
		int out = open(saved, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

		assert_int_equal(write(out, file, (size_t)bytes), bytes);
		close(out);
		store.slots.head = NULL;
		assert_int_equal(rename(saved, path), 0);
		snprintf(path, sizeof(path), "%s/connections", run_dir);
		assert_int_equal(slots_open(&store.slots, path), 0);
		snprintf(path, sizeof(path), "%s/journal", run_dir);
		xs_init(&store, &options, &fake.host);
		store.journal_path = strdup(path);
		assert_int_equal(state_recover(&store), 0);
		now = store_describe();
		if (!last || strcmp(now, last))
			states++;
		free(last);
		last = now;
		store_lose();
	}
	munmap(file, (size_t)status.st_size);
	close(fd);
	free(last);
	assert_in_range(states, 15, 30); /* as many as requests that changed something */
	store_start();
	client_free(c);
	client_free(d);
}

/* Bytes that changed on the way end the journal before them. */
static void damage(void **state)
{
	struct client *c = client_socket();
	uint64_t tail;

	(void)state;
	client_write(c, 0, "/good", "1");
	tail = store.journal.head->tail;
	client_write(c, 0, "/bad", "2");
	store.journal.map[tail + 40] ^= 1;
	store_restart();
	assert_string_equal(client_read(c, 0, "/good"), "1");
	assert_string_equal(client_read(c, 0, "/bad"), "-ENOENT");
	client_free(c);
}

/* Another boot of the machine: nothing of it holds. */
static void reboot(void **state)
{
	struct client *c = client_socket();

	(void)state;
	client_write(c, 0, "/good", "1");
	store.journal.head->boot[0] ^= 1;
	store_restart();
	assert_null(tree_find(store.root, "/good"));
	assert_non_null(tree_find(store.root, "/tool"));
	client_free(c);
}

/* Without the table of connections: the nodes stay, rings go on where they are, sockets end. */
static void lost_slots(void **state)
{
	struct client *c = client_socket(), *d = client_domain(1);
	char path[128];

	(void)state;
	client_write(c, 0, "/good", "1");
	client_strings(d, XS_WATCH, 0, "/x", "t", NULL);
	client_events(d);
	store_lose();
	snprintf(path, sizeof(path), "%s/connections", run_dir);
	unlink(path);
	store_start();
	assert_non_null(tree_find(store.root, "/good"));
	assert_string_equal(client_events(d), "/x t;");
	assert_string_equal(client_read(d, 0, "/x"), "-EACCES");
	client_free(c);
	client_free(d);
}

/* ---- Death anywhere ----------------------------------------------------------------------------------------------------------- */

/*
 * A child carries out requests that wait in a ring, one instruction at a time. At many of them the parent takes a copy of
 * what a death would leave (files and ring), recovers from it and serves the rest. Wherever it was: all answers come, once
 * each and in order, and the state is always the same.
 */
static const struct {
	uint32_t type, tx;
	const char *data;
	uint32_t bytes;
} script[] = {
	{ XS_WRITE, 0, "d/a\0001", 5 },	    { XS_WATCH, 0, "d\0w", 4 },	       { XS_WRITE, 0, "d/b\00022", 6 },
	{ XS_TRANSACTION_START, 0, "", 1 }, { XS_READ, 1, "d/a", 4 },	       { XS_WRITE, 1, "d/c/c\0003", 7 },
	{ XS_TRANSACTION_END, 1, "T", 2 },  { XS_RM, 0, "d/a", 4 },	       { XS_READ, 0, "d/c/c", 6 },
	{ XS_SET_PERMS, 0, "d/b\0n1", 7 },  { XS_UNWATCH, 0, "d\0w", 4 },    { XS_DIRECTORY, 0, "d", 2 },
};

static void script_queue(struct client *d)
{
	for (size_t i = 0; i < ARRAY_SIZE(script); i++) {
		const struct xsd_sockmsg header = { .type = script[i].type, .req_id = (uint32_t)i + 1, .tx_id = script[i].tx,
						    .len = script[i].bytes };

		client_send(d, &header, sizeof(header));
		client_send(d, script[i].data, script[i].bytes);
	}
}

/* Answers and events in the order of their coming. */
static char *answers_collect(struct client *d)
{
	static const char *const names[] = { [XS_WATCH_EVENT] = "event", [XS_ERROR] = "error" };
	size_t bytes;
	char *text;
	FILE *out = open_memstream(&text, &bytes);
	size_t used = 0;

	for (int i = 0; i < 20; i++) {
		conn_ready(&store, domain_find(&store, 1)->conn);
		store_run();
		client_receive(d);
	}
	while (used + sizeof(struct xsd_sockmsg) <= d->in_bytes) {
		struct xsd_sockmsg header;

		memcpy(&header, d->in + used, sizeof(header));
		used += sizeof(header);
		fprintf(out, "%u %s ", header.req_id, header.type < ARRAY_SIZE(names) && names[header.type] ? names[header.type] : "ok");
		for (uint32_t i = 0; i < header.len; i++)
			fputc(d->in[used + i] ? d->in[used + i] : '|', out);
		fputc('\n', out);
		used += header.len;
	}
	assert_int_equal(used, d->in_bytes);
	fclose(out);
	return text;
}

static void copy_sparse(const char *from_dir, const char *to_dir, const char *name)
{
	char from_path[160], to_path[160], data[65536];
	struct stat status;
	off_t at = 0, end;
	int from, to;

	snprintf(from_path, sizeof(from_path), "%s/%s", from_dir, name);
	snprintf(to_path, sizeof(to_path), "%s/%s", to_dir, name);
	from = open(from_path, O_RDONLY | O_CLOEXEC);
	to = open(to_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(from >= 0 && to >= 0 && !fstat(from, &status) && !ftruncate(to, status.st_size));
	while ((at = lseek(from, at, SEEK_DATA)) >= 0) {
		end = lseek(from, at, SEEK_HOLE);
		while (at < end) {
			ssize_t bytes = pread(from, data, (size_t)MIN(end - at, (off_t)sizeof(data)), at);

			assert_int_equal(pwrite(to, data, (size_t)bytes, at), bytes);
			at += bytes;
		}
	}
	close(from);
	close(to);
}

static int child_start(void)
{
	int pid = fork(), status;

	assert_true(pid >= 0);
	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		for (int i = 0; i < 4; i++) {
			conn_ready(&store, domain_find(&store, 1)->conn);
			xs_turn(&store, -1, -1, 0);
		}
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return pid;
}

struct outcome {
	char *answers, *state;
};

/* What comes of a death now: in a copy, so that the child can go on. */
static struct outcome recover_copy(void)
{
	static char copy_dir[64] = "/dev/shm/xenstored-copy.XXXXXX";
	static char rings[2 * 4096] __attribute__((aligned(4096)));
	struct xenstore_domain_interface *real = fake.rings;
	struct client *d = calloc(1, sizeof(*d));
	struct outcome outcome;
	char path[128];

	strcpy(copy_dir + strlen(copy_dir) - 6, "XXXXXX");
	assert_non_null(mkdtemp(copy_dir));
	copy_sparse(run_dir, copy_dir, "journal");
	copy_sparse(run_dir, copy_dir, "connections");
	memcpy(rings, fake.rings, sizeof(rings));
	fake.rings = (struct xenstore_domain_interface *)rings;
	options.run_dir = copy_dir;
	snprintf(path, sizeof(path), "%s/connections", copy_dir);
	assert_int_equal(slots_open(&store.slots, path), 0);
	xs_init(&store, &options, &fake.host);
	assert_int_equal(xs_start(&store), 0);
	d->fd = -1;
	d->domid = 1;
	outcome.answers = answers_collect(d);
	outcome.state = store_describe();
	free(d);
	store_lose();
	fake.rings = real;
	options.run_dir = run_dir;
	unlink(path);
	snprintf(path, sizeof(path), "%s/journal", copy_dir);
	unlink(path);
	rmdir(copy_dir);
	return outcome;
}

static void death_anywhere(void **state)
{
	struct client *c = client_socket(), *d = client_domain(1);
	struct outcome expected;
	unsigned int deaths = 0;
	bool ended = false;
	int pid, status;

	(void)state;
	client_strings(c, XS_MKDIR, 0, "/local/domain/1/d", NULL);
	client_strings(c, XS_SET_PERMS, 0, "/local/domain/1/d", "n1", NULL);
	client_free(c);
	state_compact(&store, true);
	script_queue(d);
	pid = child_start();
	store_lose(); /* the child's copy of it lives */
	expected = recover_copy();
	assert_non_null(strstr(expected.answers, "12 ok b|c|\n"));
	for (unsigned int step = 0; !ended; step++) {
		struct outcome outcome;

		ptrace(PTRACE_SINGLESTEP, pid, 0, 0);
		waitpid(pid, &status, 0);
		ended = WIFEXITED(status);
		if (step % 293 && !ended)
			continue;
		deaths++;
		outcome = recover_copy();
		if (strcmp(outcome.answers, expected.answers) || strcmp(outcome.state, expected.state))
			fail_msg("after %u instructions:\n%s%s\nexpected\n%s%s", step, outcome.answers, outcome.state, expected.answers,
				 expected.state);
		free(outcome.answers);
		free(outcome.state);
	}
	free(expected.answers);
	free(expected.state);
	print_message("%u deaths\n", deaths);
	assert_true(deaths > 100);
	client_free(d);
	store_start();
}

const struct CMUnitTest journal_tests[] = {
	TEST(restart), TEST(compaction), TEST(journal_size), TEST(cut), TEST(damage), TEST(reboot), TEST(lost_slots),
	TEST(death_anywhere),
};
const size_t journal_test_count = ARRAY_SIZE(journal_tests);
