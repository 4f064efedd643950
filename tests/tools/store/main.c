/* SPDX-License-Identifier: BSD-2-Clause */
/* The client library against the daemon with its supervisor, which are killed. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "argon/reason.h"
#include "argon/store.h"
#include "tools/xenstored/supervisor.h"

static char run_dir[64], socket_path[128], pid_path[128];
static int supervisor;

/* ---- The daemon ------------------------------------------------------------------------------------------------------------------ */

static int listen_on(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	memcpy(address.sun_path, path, strlen(path) + 1);
	unlink(path);
	assert_false(bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 100));
	return fd;
}

static void daemon_run(int ready_fd)
{
	static struct daemon daemon;
	char path[128];
	sigset_t signals;

	daemon.options = (struct options){ .run_dir = run_dir, .pid_file = pid_path, .no_domain_init = true,
					   .privileged_domid = DOMID_NONE };
	memcpy(daemon.socket_path, socket_path, sizeof(daemon.socket_path));
	daemon.listen_fd = listen_on(socket_path);
	daemon.ready_fd = ready_fd;
	log_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "%s/connections", run_dir);
	if (slots_open(&daemon.slots, path))
		_exit(1);
	atomic_store(&daemon.slots.head->counters, COUNTERS_UNKNOWN);
	for (int fd = 0; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			daemon.own_files[fd / 64] |= 1ull << fd % 64;
	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGUSR1);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	_exit(supervise(&daemon));
}

static void daemon_start(void)
{
	int ready[2];
	char byte;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	supervisor = fork();
	assert_true(supervisor >= 0);
	if (!supervisor) {
		close(ready[0]);
		daemon_run(ready[1]);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
}

static int worker_pid(void)
{
	FILE *file = fopen(pid_path, "r");
	int pid = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%d", &pid) != 1)
		pid = 0;
	fclose(file);
	return pid;
}

static void pause_ms(long ms)
{
	const struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&time, NULL);
}

/* Kill the worker and wait until there is another. @return milliseconds that it took */
static long worker_kill(void)
{
	int old = worker_pid();
	uint64_t start = time_ms();

	assert_true(old > 0);
	kill(old, SIGKILL);
	for (int i = 0; i < 2000 && (worker_pid() == old || !worker_pid()); i++)
		pause_ms(1);
	assert_int_not_equal(worker_pid(), old);
	return (long)(time_ms() - start);
}

static int setup(void **state)
{
	(void)state;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	snprintf(run_dir, sizeof(run_dir), "/dev/shm/store-test.XXXXXX");
	assert_non_null(mkdtemp(run_dir));
	snprintf(socket_path, sizeof(socket_path), "%s/socket", run_dir);
	snprintf(pid_path, sizeof(pid_path), "%s/pid", run_dir);
	daemon_start();
	return 0;
}

static int teardown(void **state)
{
	static const char *const files[] = { "socket", "pid", "connections", "journal" };
	char path[128];

	(void)state;
	kill(worker_pid(), SIGTERM);
	while (wait(NULL) > 0)
		;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", run_dir, files[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(run_dir), 0);
	return 0;
}

static struct store *open_strict(void)
{
	struct store *store;

	assert_int_equal(store_open_path(socket_path, &store), 0);
	store_reconnect_limit(store, 0);
	return store;
}

/* ---- The library ------------------------------------------------------------------------------------------------------------------- */

static void nodes(void **state)
{
	struct store *store = open_strict();
	struct store_perm set[2] = { { 0, STORE_PERM_NONE }, { 0, STORE_PERM_READ | STORE_PERM_WRITE } }, *perms;
	char *value, **names, path[64];
	size_t bytes;
	int a = 0, b = 0;

	(void)state;
	assert_int_equal(store_read(store, STORE_NO_TX, "/no", &value, NULL), -ENOENT);
	assert_string_equal(reason_get(), "store: cannot read /no: No such file or directory");
	assert_int_equal(store_write(store, STORE_NO_TX, "/a/b", "x\0y", 3), 0);
	assert_int_equal(store_read(store, STORE_NO_TX, "/a/b", &value, &bytes), 0);
	assert_int_equal(bytes, 3);
	assert_memory_equal(value, "x\0y", 4);
	free(value);
	assert_int_equal(store_exists(store, STORE_NO_TX, "/a"), 1);
	assert_int_equal(store_exists(store, STORE_NO_TX, "/b"), 0);
	assert_int_equal(store_mkdir(store, STORE_NO_TX, "/a/c"), 0);
	assert_int_equal(store_directory(store, STORE_NO_TX, "/a", &names), 2);
	assert_string_equal(names[0], "b");
	assert_string_equal(names[1], "c");
	assert_null(names[2]);
	free(names);
	assert_int_equal(store_directory(store, STORE_NO_TX, "/a/c", &names), 0);
	free(names);
	for (int i = 0; i < 1500; i++) {
		snprintf(path, sizeof(path), "number-%d", i);
		assert_int_equal(store_write_at(store, STORE_NO_TX, "/long", path, "%d", i), 0);
	}
	assert_int_equal(store_directory(store, STORE_NO_TX, "/long", &names), 1500);
	for (int i = 0; i < 1500; i++) {
		snprintf(path, sizeof(path), "number-%d", i);
		assert_string_equal(names[i], path);
	}
	free(names);
	assert_int_equal(store_scan_at(store, STORE_NO_TX, "/long", "number-77", "%d", &a), 1);
	assert_int_equal(a, 77);
	assert_int_equal(store_scan_at(store, STORE_NO_TX, "/long", NULL, "%d", &b), 0);
	assert_int_equal(store_readf(store, STORE_NO_TX, &value, "/long/number-%d", 5), 0);
	assert_string_equal(value, "5");
	free(value);
	assert_int_equal(store_perms_set(store, STORE_NO_TX, "/a", set, 2), 0);
	assert_int_equal(store_perms_get(store, STORE_NO_TX, "/a", &perms), 2);
	assert_int_equal(perms[0].access, 0);
	assert_int_equal(perms[1].access, 3);
	free(perms);
	assert_int_equal(store_rmf(store, STORE_NO_TX, "/none/such/%d", 1), 0);
	assert_int_equal(store_rm(store, STORE_NO_TX, "/a"), 0);
	assert_int_equal(store_domain_path(store, 3, &value), 0);
	assert_string_equal(value, "/local/domain/3");
	free(value);
	assert_int_equal(store_is_introduced(store, 3), 0);
	assert_int_equal(store_control(store, (const char *const[]){ "check" }, 1, &value), 0);
	assert_string_equal(value, "OK");
	free(value);
	store_close(store);
}

static int add_one(struct store *store, store_tx_t tx, void *context)
{
	int number = 0, error = store_scan_at(store, tx, "/counter", NULL, "%d", &number);

	if (error < 0 && error != -ENOENT)
		return error;
	++*(int *)context;
	return store_write_at(store, tx, "/counter", NULL, "%d", number + 1);
}

static void transactions_and_batches(void **state)
{
	const struct store_perm owner = { 0, STORE_PERM_READ };
	const struct store_entry entries[] = { { "/d/a", "1", &owner, 1 }, { "/d/b", NULL, NULL, 0 }, { "/d/c", "3", NULL, 0 } };
	const struct store_entry wrong[] = { { "/d/x", "1", NULL, 0 }, { "/d//y", "1", NULL, 0 }, { "/d/z", "1", NULL, 0 } };
	struct store *store = open_strict(), *other = open_strict();
	int tries = 0, number = 0;
	store_tx_t tx;

	(void)state;
	assert_int_equal(store_transaction(store, add_one, &tries), 0);
	assert_int_equal(store_transaction(store, add_one, &tries), 0);
	assert_int_equal(store_scan_at(store, STORE_NO_TX, "/counter", NULL, "%d", &number), 1);
	assert_int_equal(number, 2);
	assert_int_equal(store_tx_start(store, &tx), 0);
	assert_int_equal(store_put(store, tx, entries, 3), 0);
	assert_int_equal(store_exists(other, STORE_NO_TX, "/d"), 0);
	assert_int_equal(store_tx_end(store, tx, true), 0);
	assert_int_equal(store_exists(other, STORE_NO_TX, "/d/b"), 1);
	assert_int_equal(store_put(store, STORE_NO_TX, wrong, 3), -EINVAL);
	assert_non_null(strstr(reason_get(), "/d//y"));
	assert_int_equal(store_tx_end(store, tx, true), -EINVAL);
	store_close(store);
	store_close(other);
}

static void count_event(void *context, const struct store_event *event)
{
	(void)event;
	++*(int *)context;
}

static void watches(void **state)
{
	struct store *store = open_strict(), *other = open_strict();
	struct store_event event;
	int events = 0;

	(void)state;
	assert_int_equal(store_watch(store, "/w", "token", -1), 0);
	assert_int_equal(store_watch(store, "/w", "token", -1), -EEXIST);
	assert_int_equal(store_event_wait(store, &event, 1000), 1);
	assert_string_equal(event.path, "/w");
	assert_string_equal(event.token, "token");
	store_event_free(&event);
	assert_int_equal(store_event_next(store, &event), 0);
	assert_int_equal(store_event_wait(store, &event, 10), 0);
	store_write_at(other, STORE_NO_TX, "/w", "x", "1");
	assert_int_equal(poll(&(struct pollfd){ .fd = store_fd(store), .events = POLLIN }, 1, 1000), 1);
	assert_int_equal(store_event_next(store, &event), 1);
	assert_string_equal(event.path, "/w/x");
	store_event_free(&event);
	/* Events that come while something else is waited for are kept. */
	store_write_at(other, STORE_NO_TX, "/w", "y", "1");
	assert_int_equal(store_exists(store, STORE_NO_TX, "/w/y"), 1);
	store_event_callback(store, count_event, &events);
	assert_int_equal(store_event_next(store, &event), 0);
	assert_int_equal(events, 1);
	store_event_callback(store, NULL, NULL);
	store_write_at(other, STORE_NO_TX, "/w", "z", "1");
	assert_int_equal(store_exists(store, STORE_NO_TX, "/w/z"), 1);
	assert_int_equal(store_unwatch(store, "/w", "token"), 0);
	assert_int_equal(store_event_next(store, &event), 0);
	store_close(store);
	store_close(other);
}

static void sum(void *context, int error, const char *data, size_t bytes)
{
	assert_int_equal(error, 0);
	*(int *)context += bytes ? atoi(data) : 1000;
}

static void asynchronous(void **state)
{
	struct store *store = open_strict();
	char path[32], value[16];
	int read_back = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(path, sizeof(path), "/async/%d", i);
		snprintf(value, sizeof(value), "%d", i);
		assert_int_equal(store_submit_write(store, STORE_NO_TX, path, value, strlen(value), NULL, NULL), 0);
		assert_int_equal(store_submit(store, 2, STORE_NO_TX, path, strlen(path) + 1, sum, &read_back), 0);
	}
	assert_true(store_poll(store) >= 0);
	assert_int_equal(store_drain(store), 0);
	assert_int_equal(store_poll(store), 0);
	assert_int_equal(read_back, 999 * 1000 / 2);
	assert_int_equal(store_submit(store, 6, STORE_NO_TX, "", 1, NULL, NULL), -EINVAL);
	store_close(store);
}

/* ---- Deaths ---------------------------------------------------------------------------------------------------------------------------- */

/* Work until told to stop; everything must be as if nobody had died. @return how often the counter was raised */
static int load(int number, int stop_fd)
{
	struct store *store = open_strict();
	char dir[32], token[16];
	int tries = 0, rounds = 0, events = 0, seen = 0;
	struct store_event event;

	snprintf(dir, sizeof(dir), "/load/%d", number);
	snprintf(token, sizeof(token), "t%d", number);
	if (store_watch(store, dir, token, -1))
		return -1;
	while (poll(&(struct pollfd){ .fd = stop_fd, .events = POLLIN }, 1, 0) == 0) {
		rounds++;
		if (store_write_at(store, STORE_NO_TX, dir, "value", "%d", rounds) ||
		    store_scan_at(store, STORE_NO_TX, dir, "value", "%d", &seen) != 1 || seen != rounds ||
		    store_transaction(store, add_one, &tries) || store_rm(store, STORE_NO_TX, dir))
			return fprintf(stderr, "load %d: %s\n", number, reason_get()), -2;
		while (store_event_next(store, &event) == 1) {
			events++;
			store_event_free(&event);
		}
	}
	while (events < 1 + 2 * rounds && store_event_wait(store, &event, 2000) == 1) {
		events++;
		store_event_free(&event);
	}
	store_close(store);
	return events == 1 + 2 * rounds ? rounds : (fprintf(stderr, "load %d: %d events in %d rounds\n", number, events, rounds), -3);
}

static void kills_under_load(void **state)
{
	int stop[2], results[2], total = 0, counter = 0, result;
	struct store *store = open_strict();
	long longest = 0;

	(void)state;
	assert_false(pipe(stop) || pipe(results));
	for (int i = 0; i < 3; i++) {
		int pid = fork();

		if (pid)
			continue;
		close(stop[1]);
		result = load(i, stop[0]);
		_exit(write(results[1], &result, sizeof(result)) != sizeof(result));
	}
	for (int i = 0; i < 100; i++) {
		long took = worker_kill();

		longest = MAX(longest, took);
		pause_ms(i % 17);
	}
	close(stop[1]);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(read(results[0], &result, sizeof(result)), sizeof(result));
		assert_true(result > 0);
		total += result;
	}
	assert_int_equal(store_scan_at(store, STORE_NO_TX, "/counter", NULL, "%d", &counter), 1);
	assert_int_equal(counter, total);
	print_message("100 kills, %d transactions, back after at most %ld ms\n", total, longest);
	assert_true(longest < 1000);
	store_close(store);
	close(stop[0]);
	close(results[0]);
	close(results[1]);
}

/* Without its supervisor the worker makes itself one. */
static void supervisor_dies(void **state)
{
	struct store *store = open_strict();

	(void)state;
	assert_int_equal(store_write_at(store, STORE_NO_TX, "/a", NULL, "1"), 0);
	for (int i = 0; i < 3; i++) {
		int old = worker_pid();

		kill(supervisor, SIGKILL);
		waitpid(supervisor, NULL, 0);
		for (int wait_ms = 0; wait_ms < 2000 && worker_pid() == old; wait_ms++)
			pause_ms(1);
		assert_int_not_equal(worker_pid(), old);
		assert_int_equal(store_exists(store, STORE_NO_TX, "/a"), 1);
		worker_kill();
		assert_int_equal(store_exists(store, STORE_NO_TX, "/a"), 1);
		supervisor = old;
	}
	store_close(store);
}

/* Both at once: sockets are lost, the library opens new ones. */
static void everybody_dies(void **state)
{
	struct store *store;
	struct store_event event;
	store_tx_t tx;
	int fd;

	(void)state;
	assert_int_equal(store_open_path(socket_path, &store), 0);
	fd = store_fd(store);
	assert_int_equal(store_write_at(store, STORE_NO_TX, "/a", NULL, "1"), 0);
	assert_int_equal(store_watch(store, "/a", "t", -1), 0);
	assert_int_equal(store_event_wait(store, &event, 1000), 1);
	store_event_free(&event);
	assert_int_equal(store_tx_start(store, &tx), 0);
	assert_int_equal(store_write_at(store, tx, "/a", NULL, "2"), 0);
	kill(supervisor, SIGSTOP);
	kill(worker_pid(), SIGKILL);
	kill(supervisor, SIGKILL);
	waitpid(supervisor, NULL, 0);
	daemon_start();
	assert_int_equal(store_exists(store, STORE_NO_TX, "/a"), 1);
	assert_int_equal(store_fd(store), fd);
	assert_int_equal(store_event_wait(store, &event, 1000), 1); /* the watch was set again */
	store_event_free(&event);
	assert_int_equal(store_write_at(store, tx, "/a", NULL, "2"), -EAGAIN);
	assert_int_equal(store_tx_end(store, tx, true), -EAGAIN);
	assert_int_equal(store_write_at(store, STORE_NO_TX, "/a", NULL, "3"), 0);
	assert_int_equal(store_event_wait(store, &event, 1000), 1);
	store_event_free(&event);
	/* And when nobody comes back: an error, and no hanging. */
	kill(worker_pid(), SIGTERM);
	waitpid(supervisor, NULL, 0);
	store_reconnect_limit(store, 100);
	assert_int_equal(store_exists(store, STORE_NO_TX, "/a"), -EPIPE);
	assert_int_equal(store_exists(store, STORE_NO_TX, "/a"), -EPIPE);
	store_close(store);
	daemon_start();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nodes, setup, teardown),
		cmocka_unit_test_setup_teardown(transactions_and_batches, setup, teardown),
		cmocka_unit_test_setup_teardown(watches, setup, teardown),
		cmocka_unit_test_setup_teardown(asynchronous, setup, teardown),
		cmocka_unit_test_setup_teardown(kills_under_load, setup, teardown),
		cmocka_unit_test_setup_teardown(supervisor_dies, setup, teardown),
		cmocka_unit_test_setup_teardown(everybody_dies, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
