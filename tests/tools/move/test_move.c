/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Migration between two hosts whose line is cut after each byte, in each direction, and whose steps fail one by one: there is
 * always one domain, and never two that run.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "argon/reason.h"
#include "tools/lib/domain/internal.h"
#include "tools/lib/domain/move.h"

#define SOURCE 5u
#define TARGET 6u
#define MEMORY_BYTES 1000u

/* ---- The two hosts ---- */

struct host_state {
	bool there, suspended, paused;
	char name[64];
};

static struct world {
	struct host_state source, target;
	const char *fails; /* the step that does */
	bool name_taken;
} world;

static bool step_fails(const char *step)
{
	if (world.fails == NULL || strcmp(world.fails, step) != 0)
		return false;
	reason_set(EIO, "%s fails", step);
	return true;
}

static struct host_state *state_of(uint32_t domid)
{
	return domid == SOURCE ? &world.source : &world.target;
}

int mover_open(struct mover *m, struct host *host, uint32_t domid, const struct domain_move_options *options)
{
	*m = (struct mover){ .host = host, .domid = domid, .options = options };
	return step_fails("open") ? -EIO : 0;
}

int mover_write(struct mover *m, int fd, struct migrate_progress *result)
{
	uint8_t memory[MEMORY_BYTES];
	size_t at = 0;

	(void)result;
	memset(memory, 0x5a, sizeof(memory));
	m->suspended = world.source.suspended = true;
	while (at < sizeof(memory) && !step_fails("write")) {
		ssize_t n = write(fd, memory + at, sizeof(memory) - at);

		if (n <= 0)
			break;
		at += (size_t)n;
	}
	if (at == sizeof(memory))
		return 0;
	mover_resume(m);
	return -EPIPE;
}

void mover_resume(struct mover *m)
{
	if (m->suspended)
		world.source.suspended = false;
	m->suspended = false;
}

int move_config_text(struct host *host, uint32_t domid, const struct domain_config *given, char **text)
{
	(void)host, (void)domid, (void)given;
	*text = strdup("mover");
	return step_fails("config") ? -EIO : 0;
}

int move_config_parse(const char *text, struct domain_config *dc)
{
	dc->name = strdup(text);
	return step_fails("parse") ? -EIO : 0;
}

int move_create(struct host *host, int fd, const struct domain_config *dc, const struct domain_create_options *options,
		uint32_t *domid)
{
	uint8_t memory[MEMORY_BYTES];
	size_t at = 0;

	(void)host;
	assert_true(options->paused);
	while (at < sizeof(memory)) {
		ssize_t n = read(fd, memory + at, sizeof(memory) - at);

		if (n <= 0)
			return reason_set(EPIPE, "cut");
		at += (size_t)n;
	}
	if (step_fails("create"))
		return -EIO;
	world.target = (struct host_state){ .there = true, .paused = true };
	snprintf(world.target.name, sizeof(world.target.name), "%s", dc->name);
	*domid = TARGET;
	return 0;
}

void domain_config_init(struct domain_config *dc)
{
	memset(dc, 0, sizeof(*dc));
}

void domain_config_free(struct domain_config *dc)
{
	free(dc->name);
}

int domain_name(struct host *host, uint32_t domid, char **name)
{
	(void)host;
	*name = strdup(state_of(domid)->name);
	return 0;
}

int domain_rename(struct host *host, uint32_t domid, const char *name)
{
	struct host_state *other = domid == SOURCE ? &world.target : &world.source;

	(void)host;
	if (step_fails(domid == SOURCE ? "leave name" : "take name"))
		return -EIO;
	if (other->there && strcmp(other->name, name) == 0)
		return reason_set(EEXIST, "taken");
	snprintf(state_of(domid)->name, sizeof(state_of(domid)->name), "%s", name);
	return 0;
}

int domain_destroy(struct host *host, uint32_t domid)
{
	(void)host;
	state_of(domid)->there = false;
	return 0;
}

int domain_find(struct host *host, const char *name, uint32_t *domid)
{
	(void)host, (void)name;
	*domid = 77;
	return world.name_taken ? 0 : -ESRCH;
}

int host_memory_free(struct host *host, uint64_t kib, int autoballoon)
{
	(void)host, (void)kib, (void)autoballoon;
	return step_fails("memory") ? -EIO : 0;
}

int host_ctrl(struct host *host, struct ctrl **out)
{
	(void)host;
	*out = NULL;
	return 0;
}

int ctrl_domain_info(struct ctrl *ctrl, uint32_t domid, struct ctrl_domain_info *out)
{
	(void)ctrl, (void)domid;
	memset(out, 0x11, sizeof(*out));
	return 0;
}

int ctrl_domain_unpause(struct ctrl *ctrl, uint32_t domid)
{
	(void)ctrl;
	if (step_fails("unpause"))
		return -EIO;
	state_of(domid)->paused = false;
	return 0;
}

void host_warn(struct host *host, const char *format, ...)
{
	(void)host, (void)format;
}

/* ---- The line ---- */

struct line {
	int from, to;
	size_t limit; /* bytes that pass before it is cut */
	struct line *other;
	pthread_t thread;
};

static void line_cut(struct line *l)
{
	shutdown(l->from, SHUT_RDWR);
	shutdown(l->to, SHUT_RDWR);
}

static void *line_run(void *argument)
{
	struct line *l = argument;
	uint8_t byte[4096];

	for (;;) {
		size_t most = l->limit < sizeof(byte) ? l->limit : sizeof(byte);
		ssize_t n = most ? read(l->from, byte, most) : 0;

		if (n <= 0 || write(l->to, byte, (size_t)n) != n)
			break;
		l->limit -= (size_t)n;
	}
	/* An end of one direction is an end of both when it was cut, not when one side has finished. */
	if (l->limit == 0)
		line_cut(l->other);
	shutdown(l->to, SHUT_WR);
	return NULL;
}

struct receiver {
	int in, out, err;
};

static void *receiver_run(void *argument)
{
	const struct domain_create_options options = { .paused = false };
	struct receiver *r = argument;
	uint32_t domid;

	r->err = domain_receive(NULL, r->in, r->out, &options, &domid);
	shutdown(r->out, SHUT_WR);
	return NULL;
}

static int move_over(size_t there, size_t back, int *received)
{
	const struct domain_move_options options = { .live = true };
	int sender_out[2], receiver_in[2], sender_in[2], receiver_out[2], err;
	struct line up, down;
	struct receiver r;
	pthread_t thread;

	world.source = (struct host_state){ .there = true, .name = "mover" };
	world.target = (struct host_state){ .there = false };
	assert_false(socketpair(AF_UNIX, SOCK_STREAM, 0, sender_out) || socketpair(AF_UNIX, SOCK_STREAM, 0, receiver_in) ||
		     socketpair(AF_UNIX, SOCK_STREAM, 0, sender_in) || socketpair(AF_UNIX, SOCK_STREAM, 0, receiver_out));
	up = (struct line){ sender_out[1], receiver_in[1], there, &down, 0 };
	down = (struct line){ receiver_out[1], sender_in[1], back, &up, 0 };
	r = (struct receiver){ receiver_in[0], receiver_out[0], 0 };
	pthread_create(&up.thread, NULL, line_run, &up);
	pthread_create(&down.thread, NULL, line_run, &down);
	pthread_create(&thread, NULL, receiver_run, &r);
	err = domain_send(NULL, SOURCE, sender_in[0], sender_out[0], &options, NULL);
	shutdown(sender_out[0], SHUT_WR);
	pthread_join(thread, NULL);
	line_cut(&up);
	line_cut(&down);
	pthread_join(up.thread, NULL);
	pthread_join(down.thread, NULL);
	for (int i = 0; i < 2; i++) {
		close(sender_out[i]);
		close(receiver_in[i]);
		close(sender_in[i]);
		close(receiver_out[i]);
	}
	*received = r.err;
	return err;
}

/* Whatever happened. */
static void world_check(int sent, int received)
{
	const struct host_state *s = &world.source, *t = &world.target;
	bool source_runs = s->there && !s->suspended, target_runs = t->there && !t->paused;

	assert_false(source_runs && target_runs);
	assert_true(s->there || target_runs);
	assert_int_equal(received == 0, target_runs);
	if (sent == 0) {
		assert_false(s->there);
		assert_true(target_runs);
		assert_string_equal(t->name, "mover");
	} else if (sent == -EREMOTEIO) {
		assert_true(s->there && s->suspended);
	} else {
		assert_true(source_runs);
		assert_string_equal(s->name, "mover");
		assert_false(t->there);
	}
}

/* ---- Tests ---- */

static void all_is_well(void **state)
{
	int received;

	(void)state;
	world.fails = NULL;
	assert_int_equal(move_over(SIZE_MAX, SIZE_MAX, &received), 0);
	world_check(0, received);
}

static void cut_anywhere(void **state)
{
	unsigned int lost = 0, stayed = 0, moved = 0;

	(void)state;
	world.fails = NULL;
	for (size_t back = 0; back < 4 * 32 + 2; back++) {
		int received, sent = move_over(SIZE_MAX, back, &received);

		world_check(sent, received);
		lost += sent == -EREMOTEIO;
		stayed += sent != 0 && sent != -EREMOTEIO;
		moved += sent == 0;
	}
	for (size_t there = 0; there < 52 + 6 + MEMORY_BYTES + 34; there++) {
		int received, sent = move_over(there, SIZE_MAX, &received);

		world_check(sent, received);
		lost += sent == -EREMOTEIO;
		stayed += sent != 0 && sent != -EREMOTEIO;
		moved += sent == 0;
	}
	/* Each outcome has been seen. */
	assert_true(lost > 0 && stayed > 1000 && moved > 0);
}

static void each_step_fails(void **state)
{
	static const char *const before[] = { "open", "config", "write", "leave name" };
	static const char *const there[] = { "parse", "memory", "create", "take name", "unpause" };
	int received;

	(void)state;
	for (size_t i = 0; i < sizeof(before) / sizeof(*before); i++) {
		int sent;

		world.fails = before[i];
		sent = move_over(SIZE_MAX, SIZE_MAX, &received);
		assert_true(sent < 0 && sent != -EREMOTEIO);
		/* A name that cannot be left stays. */
		world_check(sent, received);
	}
	for (size_t i = 0; i < sizeof(there) / sizeof(*there); i++) {
		world.fails = there[i];
		assert_int_equal(move_over(SIZE_MAX, SIZE_MAX, &received), -EREMOTE);
		world_check(-EREMOTE, received);
	}
	world.fails = NULL;
	world.name_taken = true;
	assert_int_equal(move_over(SIZE_MAX, SIZE_MAX, &received), -EREMOTE);
	assert_int_equal(received, -EEXIST);
	world_check(-EREMOTE, received);
	world.name_taken = false;
}

static void nobody_there(void **state)
{
	const struct domain_move_options options = { .live = true };
	int in[2], out[2];

	(void)state;
	world.fails = NULL;
	world.source = (struct host_state){ .there = true, .name = "mover" };
	assert_false(pipe(in) || pipe(out));
	assert_int_equal(write(in[1], "sh: xl: not found, says the other host", 38), 38);
	close(in[1]);
	assert_int_equal(domain_send(NULL, SOURCE, in[0], out[1], &options, NULL), -EPROTO);
	assert_true(world.source.there && !world.source.suspended);
	close(in[0]);
	close(out[0]);
	close(out[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_well),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(each_step_fails),
		cmocka_unit_test(nobody_there),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
