/* SPDX-License-Identifier: BSD-2-Clause */
/* A console over a ring of ours: what a guest prints reaches log and clients, whatever the guest, the disk and kill -9 do. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

#include <cmocka.h>

#include "tools/xenconsoled/console.h"

#define PORT 7

struct world {
	struct xencons_interface page;
	struct loop loop;
	struct console console;
	char dir[32], spool[64], log[64];
	unsigned int notified;
};

static void on_notify(void *context)
{
	((struct world *)context)->notified++;
}

static void world_connect(struct world *w)
{
	memset(&w->console, 0, sizeof(w->console));
	w->console.notify = on_notify;
	w->console.context = w;
	assert_int_equal(console_open(&w->console, &w->loop, w->spool, PORT, &w->page), 0);
}

static int world_open(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	strcpy(w->dir, "/tmp/consoled.XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->spool, sizeof(w->spool), "%s/spool", w->dir);
	snprintf(w->log, sizeof(w->log), "%s/log", w->dir);
	assert_int_equal(loop_open(&w->loop), 0);
	world_connect(w);
	*state = w;
	return 0;
}

static int world_close(void **state)
{
	struct world *w = *state;

	console_close(&w->console);
	loop_close(&w->loop);
	unlink(w->spool);
	unlink(w->log);
	rmdir(w->dir);
	free(w);
	return 0;
}

/* The guest prints; it waits for room as a guest does. */
static void print(struct world *w, const char *text, size_t n)
{
	while (n) {
		size_t room = sizeof(w->page.out) - (w->page.out_prod - w->page.out_cons);

		for (; room && n; room--, n--)
			w->page.out[MASK_XENCONS_IDX(w->page.out_prod++, w->page.out)] = *text++;
		console_pump(&w->console);
	}
}

static void print_text(struct world *w, const char *text)
{
	print(w, text, strlen(text));
}

static char *log_text(const struct world *w)
{
	static char text[400000];
	int fd = open(w->log, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = 0;
	return text;
}

/* A client's socket. */
static int client(struct world *w)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	assert_int_equal(console_attach_socket(&w->console, ends[1]), 0);
	return ends[0];
}

static const char *received(int fd)
{
	static char text[300000];
	size_t at = 0;
	ssize_t n;

	while ((n = read(fd, text + at, sizeof(text) - 1 - at)) > 0)
		at += (size_t)n;
	text[at] = 0;
	return text;
}

static void test_log_and_clients(void **state)
{
	struct world *w = *state;
	int a, b;

	console_log_open(&w->console, w->log, false, true);
	print_text(w, "early\n");
	a = client(w);
	assert_string_equal(received(a), "early\n");
	b = client(w);
	assert_string_equal(received(b), ""); /* somebody has seen that */
	print_text(w, "both \033[1m\n");
	assert_string_equal(received(a), "both \033[1m\n");
	assert_string_equal(received(b), "both \033[1m\n");
	assert_string_equal(log_text(w), "early\nboth .[1m\n");
	assert_true(w->notified > 0);
	close(a);
	loop_step(&w->loop, 0);
	print_text(w, "b alone\n");
	assert_string_equal(received(b), "b alone\n");
	close(b);
	loop_step(&w->loop, 0);
	assert_ptr_equal(w->console.clients, &w->console.pty);
}

static void test_keys(void **state)
{
	struct world *w = *state;
	char many[1500];
	int a = client(w), b = client(w);

	assert_int_equal(write(a, "one", 3), 3);
	loop_step(&w->loop, 0);
	assert_int_equal(write(b, "two", 3), 3);
	loop_step(&w->loop, 0);
	assert_int_equal(w->page.in_prod, 6);
	assert_memory_equal(w->page.in, "onetwo", 6);
	/* No more than there is room for; the rest waits until the guest has read. */
	memset(many, 'x', sizeof(many));
	assert_int_equal(write(a, many, sizeof(many)), sizeof(many));
	for (int i = 0; i < 5; i++)
		loop_step(&w->loop, 0);
	assert_int_equal(w->page.in_prod, 1024);
	w->page.in_cons = 1024;
	console_pump(&w->console);
	for (int i = 0; i < 5; i++)
		loop_step(&w->loop, 0);
	assert_int_equal(w->page.in_prod, 6 + sizeof(many));
	/* An index that makes no sense: no room. */
	w->page.in_cons = w->page.in_prod + 1;
	assert_int_equal(ring_space(&w->console.ring), 0);
	assert_int_equal(write(b, "y", 1), 1);
	loop_step(&w->loop, 0);
	assert_int_equal(w->page.in_prod, 6 + sizeof(many));
	close(a);
	close(b);
}

static void test_pty(void **state)
{
	struct world *w = *state;
	int fd;

	if (w->console.pty_slave < 0)
		skip();
	print_text(w, "before anybody looked\n");
	fd = open(w->console.pty_path, O_RDWR | O_NOCTTY | O_NONBLOCK);
	assert_true(fd >= 0);
	assert_string_equal(received(fd), "");
	console_pty_active(&w->console, true);
	usleep(50000);
	assert_string_equal(received(fd), "before anybody looked\n");
	assert_int_equal(write(fd, "keys\r", 5), 5);
	loop_step(&w->loop, 100);
	assert_memory_equal(w->page.in, "keys\r", 5);
	print_text(w, "unread");
	usleep(50000); /* the kernel hands it over in its own time */
	assert_false(console_drained(&w->console));
	assert_string_equal(received(fd), "unread");
	assert_true(console_drained(&w->console));
	console_pty_active(&w->console, false);
	close(fd);
}

static void test_bad_indices(void **state)
{
	struct world *w = *state;
	uint32_t values[] = { 2049, 0x80000000u, 0xffffffffu, 5000 };

	console_log_open(&w->console, w->log, false, false);
	for (unsigned int i = 0; i < 4; i++) {
		w->page.out_prod = w->console.ring.out_cons + values[i];
		w->page.out_cons = (uint32_t)rand();
		assert_false(console_pump(&w->console));
		assert_int_equal(w->console.ring.resets, i + 1);
		assert_int_equal(w->page.out_cons, w->page.out_prod);
	}
	print_text(w, "still here\n");
	assert_string_equal(log_text(w), "still here\n");
}

static void test_flood_bounded(void **state)
{
	struct world *w = *state;
	static char line[1000];
	int a = client(w);
	const char *text;
	struct stat st;

	memset(line, 'z', sizeof(line));
	for (int i = 0; i < 2000; i++)
		print(w, line, sizeof(line));
	print_text(w, "the end");
	assert_int_equal(stat(w->spool, &st), 0);
	assert_true(st.st_size <= SPOOL_MAX + 4096);
	/* The client that did not read has lost the middle, not the end. */
	for (int i = 0; i < 100; i++) {
		text = received(a);
		loop_step(&w->loop, 0);
		if (strstr(text, "the end"))
			break;
	}
	assert_non_null(strstr(text, "the end"));
	close(a);
}

static void test_keep_waits(void **state)
{
	struct world *w = *state;
	static char text[SPOOL_MAX];
	size_t total = 0;
	int a;

	w->console.keep = true;
	memset(text, 'k', sizeof(text));
	/* Nobody reads: the guest is stopped with a full ring. */
	for (int i = 0; i < 100; i++) {
		size_t room = sizeof(w->page.out) - (w->page.out_prod - w->page.out_cons);

		w->page.out_prod += (uint32_t)room;
		total += room;
		console_pump(&w->console);
	}
	assert_int_equal(w->page.out_prod - w->page.out_cons, sizeof(w->page.out));
	a = client(w);
	for (int i = 0; i < 200 && total; i++) {
		total -= strlen(received(a)) ? 0 : 0;
		console_pump(&w->console);
		loop_step(&w->loop, 0);
	}
	assert_int_equal(w->page.out_prod, w->page.out_cons);
	close(a);
}

static void test_timestamps(void **state)
{
	struct world *w = *state;
	const char *text;

	console_log_open(&w->console, w->log, true, false);
	print_text(w, "one\ntw");
	print_text(w, "o\nthree");
	text = log_text(w);
	assert_int_equal(text[0], '[');
	assert_int_equal(text[20], ']');
	assert_memory_equal(text + 22, "one\n[", 5);
	assert_memory_equal(text + 48, "two\n[", 5);
	assert_string_equal(text + 74, "three");
}

/* The disk is full for a while: what the spool holds is not lost, and what is lost is said. */
static void test_disk_full(void **state)
{
	struct world *w = *state;
	struct rlimit small = { 600, RLIM_INFINITY }, large = { RLIM_INFINITY, RLIM_INFINITY };
	static char much[100000];
	const char *text;

	signal(SIGXFSZ, SIG_IGN);
	console_log_open(&w->console, w->log, false, false);
	print_text(w, "first\n");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	memset(much, 'm', 5000);
	/* The spool may not grow past the limit either: it stays at what it has. */
	print(w, much, 700);
	print(w, much, 2000);
	print_text(w, "last\n");
	assert_true(w->console.log_failed);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &large), 0);
	console_log_retry(&w->console);
	assert_false(w->console.log_failed);
	text = log_text(w);
	assert_int_equal(strlen(text), 6 + 2700 + 5);
	assert_string_equal(text + 6 + 2700, "last\n");
	w->console.log.path[0] = '\0'; /* cannot be opened */
	log_reopen(&w->console.log);
	memset(much, 'n', sizeof(much));
	print(w, much, sizeof(much));
	assert_true(w->console.log_failed);
	strcpy(w->console.log.path, w->log);
	console_log_retry(&w->console);
	text = log_text(w);
	assert_non_null(strstr(text, "bytes lost"));
	assert_int_equal(w->console.spool.header->logged, w->console.spool.header->taken);
}

static void test_rotate(void **state)
{
	struct world *w = *state;
	char old[80];

	console_log_open(&w->console, w->log, false, false);
	print_text(w, "old\n");
	snprintf(old, sizeof(old), "%s.1", w->log);
	assert_int_equal(rename(w->log, old), 0);
	print_text(w, "still old\n");
	log_reopen(&w->console.log);
	print_text(w, "new\n");
	assert_string_equal(log_text(w), "new\n");
	unlink(old);
}

/* A daemon that was killed at any of these moments is replaced, and not a byte is missing or there twice. */
static void test_killed(void **state)
{
	struct world *w = *state;
	int a;

	print_text(w, "taken\n");
	/* Killed after the spool had it and before the guest was told. */
	print_text(w, "half\n");
	w->page.out_cons -= 5;
	console_close(&w->console);
	world_connect(w);
	console_log_open(&w->console, w->log, false, false);
	print_text(w, "after\n");
	assert_int_equal(w->page.out_cons, w->page.out_prod);
	a = client(w);
	assert_string_equal(received(a), "taken\nhalf\nafter\n");
	close(a);
	/* The guest's own lie about where it is: begun anew, from what the page says. */
	console_close(&w->console);
	w->page.out_cons += 77777;
	w->page.out_prod = w->page.out_cons;
	world_connect(w);
	print_text(w, "anew\n");
	a = client(w);
	assert_string_equal(received(a), "anew\n");
	close(a);
}

/* The same with a real kill at random moments, while a guest prints numbered lines. */
static void test_killed_at_random(void **state)
{
	struct world *w = *state;
	struct world *shared;
	char want[20];
	char *text;
	unsigned int next = 0;

	console_close(&w->console);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(shared != MAP_FAILED);
	*shared = *w;
	for (int round = 0; round < 30; round++) {
		pid_t child = fork();

		if (child == 0) {
			loop_open(&shared->loop);
			world_connect(shared);
			console_log_open(&shared->console, shared->log, false, false);
			for (;;)
				console_pump(&shared->console);
		}
		for (int i = 0; i < 400; i++, next++) {
			int n = snprintf(want, sizeof(want), "line %u\n", next);

			while (sizeof(shared->page.out) - (shared->page.out_prod -
			       __atomic_load_n(&shared->page.out_cons, __ATOMIC_ACQUIRE)) < (size_t)n)
				usleep(10);
			for (int k = 0; k < n; k++)
				shared->page.out[MASK_XENCONS_IDX(shared->page.out_prod + (uint32_t)k, shared->page.out)] = want[k];
			__atomic_store_n(&shared->page.out_prod, shared->page.out_prod + (uint32_t)n, __ATOMIC_RELEASE);
		}
		usleep((useconds_t)(rand() % 500));
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	w->page = shared->page;
	munmap(shared, sizeof(*shared));
	world_connect(w);
	console_log_open(&w->console, w->log, false, false);
	console_pump(&w->console);
	text = log_text(w);
	for (unsigned int i = 0; i < next; i++) {
		snprintf(want, sizeof(want), "line %u\n", i);
		text = strstr(text, want);
		if (!text)
			fail_msg("%s is missing", want);
	}
}

/* A thousand guests on one loop, each with its pty; what any of them prints arrives. */
static void test_thousand(void **state)
{
	enum { GUESTS = 1000 };
	struct world *w = *state;
	struct rlimit files = { 8192, 8192 };
	struct world *many;
	int a;

	if (setrlimit(RLIMIT_NOFILE, &files))
		skip();
	many = calloc(GUESTS, sizeof(*many));
	assert_non_null(many);
	for (int i = 0; i < GUESTS; i++) {
		many[i].loop = w->loop;
		many[i].console.notify = on_notify;
		many[i].console.context = &many[i];
		assert_int_equal(console_open(&many[i].console, &w->loop, NULL, PORT, &many[i].page), 0);
	}
	for (int i = 0; i < GUESTS; i++)
		print_text(&many[i], "one of many\n");
	for (int i = 0; i < GUESTS; i++) {
		a = client(&many[i]);
		assert_string_equal(received(a), "one of many\n");
		assert_int_equal(write(a, "x", 1), 1);
		for (int k = 0; k < 100 && !many[i].page.in_prod; k++)
			loop_step(&w->loop, 10);
		assert_int_equal(many[i].page.in_prod, 1);
		close(a);
	}
	for (int i = 0; i < GUESTS; i++)
		console_close(&many[i].console);
	free(many);
}

static void test_without_spool_file(void **state)
{
	struct world *w = *state;
	int a;

	console_close(&w->console);
	unlink(w->spool);
	strcpy(w->spool, "/nonexistent/spool");
	world_connect(w);
	print_text(w, "in memory\n");
	a = client(w);
	assert_string_equal(received(a), "in memory\n");
	close(a);
}

#define T(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_log_and_clients), T(test_keys), T(test_pty), T(test_bad_indices), T(test_flood_bounded), T(test_keep_waits),
		T(test_timestamps), T(test_disk_full), T(test_rotate), T(test_killed), T(test_killed_at_random),
		T(test_thousand), T(test_without_spool_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
