/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The same operations with two daemons that hold 10,000 nodes and 1,000 watches. They take turns of a few operations, so that
 * a busy machine hurts both. Nanoseconds for one operation as the client sees it (lower quartile of many turns), and the
 * daemon's processor time for it.
 * usage: bench SOCKET-OF-OURS SOCKET-OF-THE-STOCK-DAEMON PID-OF-OURS PID-OF-THE-STOCK-DAEMON
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "wire.h"

#define ROUNDS 400
#define BATCH  16
#define NODES  10000
#define WATCHES 1000

struct side {
	struct wire *client, *watcher, *holder;
};

static unsigned int counter;

static void must(int result, const char *what)
{
	if (result) {
		fprintf(stderr, "bench: %s failed: %s\n", what, strerror(-result));
		exit(1);
	}
}

static void path_of(char *path, unsigned int node)
{
	sprintf(path, "/local/domain/%u/device/vif/0/key-%u", node / 10 % 1000, node % 10);
}

static void op_read(struct side *side)
{
	char path[64];

	path_of(path, counter * 7919 % NODES);
	must(wire_strings(side->client, XS_READ, 0, path, NULL), "read");
}

static void op_write(struct side *side)
{
	char path[64];

	path_of(path, counter * 7919 % NODES);
	must(wire_write(side->client, 0, path, "a value of usual length"), "write");
}

static void op_perms(struct side *side)
{
	char path[64];

	path_of(path, counter * 7919 % NODES);
	must(wire_strings(side->client, XS_GET_PERMS, 0, path, NULL), "get permissions");
}

static void op_directory(struct side *side)
{
	must(wire_strings(side->client, XS_DIRECTORY, 0, "/hundred", NULL), "list");
}

static void op_make_remove(struct side *side)
{
	must(wire_strings(side->client, XS_MKDIR, 0, "/local/domain/77/new", NULL), "mkdir");
	must(wire_strings(side->client, XS_RM, 0, "/local/domain/77/new", NULL), "rm");
}

static void op_transaction(struct side *side)
{
	char path[64];
	uint32_t tx;

	must(wire_strings(side->client, XS_TRANSACTION_START, 0, "", NULL), "start");
	tx = (uint32_t)strtoul(side->client->answer, NULL, 10);
	for (unsigned int i = 0; i < 5; i++) {
		path_of(path, (counter + i) * 7919 % NODES);
		must(wire_write(side->client, tx, path, "a value of usual length"), "write");
	}
	must(wire_strings(side->client, XS_TRANSACTION_END, tx, "T", NULL), "end");
}

static void op_event(struct side *side)
{
	must(wire_write(side->client, 0, "/watched/node", "x"), "write");
	/* The watcher's answer comes behind the event. */
	must(wire_strings(side->watcher, XS_GET_DOMAIN_PATH, 0, "1", NULL), "get path");
	if (!side->watcher->event_count) {
		fprintf(stderr, "bench: no event\n");
		exit(1);
	}
	side->watcher->event_count = 0;
}

static void op_pipelined(struct side *side)
{
	char data[96];
	uint32_t first = side->client->next_id + 1;

	for (unsigned int i = 0; i < 16; i++) {
		path_of(data, (counter + i) * 7919 % NODES);
		wire_send(side->client, XS_WRITE, 0, data, (size_t)(stpcpy(data + strlen(data) + 1, "value") - data));
	}
	for (uint32_t i = 0; i < 16; i++)
		must(wire_answer(side->client, first + i), "write");
}

static void op_watch(struct side *side)
{
	must(wire_strings(side->watcher, XS_WATCH, 0, "/local/domain/9", "token", NULL), "watch");
	must(wire_strings(side->watcher, XS_UNWATCH, 0, "/local/domain/9", "token", NULL), "unwatch");
	side->watcher->event_count = 0;
}

static const struct {
	const char *name;
	void (*run)(struct side *side);
	unsigned int per; /* operations in one run */
} ops[] = {
	{ "read", op_read, 1 },		{ "write", op_write, 1 },	      { "get_perms", op_perms, 1 },
	{ "directory", op_directory, 1 }, { "mkdir+rm", op_make_remove, 1 },    { "transaction", op_transaction, 1 },
	{ "event", op_event, 1 },	{ "watch+unwatch", op_watch, 1 }, { "write-pipelined", op_pipelined, 16 },
};

static void fill(struct side *side, const char *socket)
{
	char path[64], token[16];

	side->client = wire_open(socket);
	side->watcher = wire_open(socket);
	side->holder = wire_open(socket);
	for (unsigned int i = 0; i < NODES; i++) {
		path_of(path, i);
		must(wire_write(side->client, 0, path, "a value of usual length"), "write");
	}
	for (unsigned int i = 0; i < 100; i++) {
		sprintf(path, "/hundred/child-%u", i);
		must(wire_write(side->client, 0, path, ""), "write");
	}
	for (unsigned int i = 0; i < WATCHES; i++) {
		sprintf(path, "/local/domain/%u/control/shutdown", i);
		sprintf(token, "%u", i);
		must(wire_strings(side->holder, XS_WATCH, 0, path, token, NULL), "watch");
	}
	must(wire_strings(side->watcher, XS_WATCH, 0, "/watched", "token", NULL), "watch");
	wire_events(side->watcher, 1);
	wire_events(side->holder, 1);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Nanoseconds that a process has run. */
static double cpu_time(const char *pid)
{
	unsigned long long time = 0;
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/schedstat", pid);
	file = fopen(path, "r");
	if (!file || fscanf(file, "%llu", &time) != 1)
		time = 0;
	if (file)
		fclose(file);
	return (double)time;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Turns of one operation with both. @return the ratio of their times */
static double measure(struct side *sides, size_t op, char *const *pids)
{
	double times[2][ROUNDS], cpu[2] = { 0, 0 };
	unsigned int runs = BATCH / ops[op].per;

	for (int round = 0; round < ROUNDS; round++) {
		for (int s = 0; s < 2; s++) {
			double cpu_before = cpu_time(pids[s]), start = seconds();

			for (unsigned int i = 0; i < runs; i++, counter++)
				ops[op].run(&sides[s]);
			times[s][round] = (seconds() - start) / BATCH * 1e9;
			cpu[s] += (cpu_time(pids[s]) - cpu_before) / BATCH / ROUNDS;
		}
	}
	for (int s = 0; s < 2; s++)
		qsort(times[s], ROUNDS, sizeof(double), compare);
	printf("bench store-%s argon=%.0f stock=%.0f ratio=%.2f\n", ops[op].name, times[0][ROUNDS / 4], times[1][ROUNDS / 4],
	       times[0][ROUNDS / 4] / times[1][ROUNDS / 4]);
	printf("bench store-cpu-%s argon=%.0f stock=%.0f ratio=%.2f\n", ops[op].name, cpu[0], cpu[1], cpu[0] / cpu[1]);
	return times[0][ROUNDS / 4] / times[1][ROUNDS / 4];
}

int main(int argc, char **argv)
{
	struct side sides[2];
	double worst = 0;

	if (argc != 5)
		return 2;
	for (int s = 0; s < 2; s++)
		fill(&sides[s], argv[1 + s]);
	for (size_t op = 0; op < sizeof(ops) / sizeof(ops[0]); op++) {
		double ratio = measure(sides, op, argv + 3);

		worst = ratio > worst ? ratio : worst;
	}
	printf("bench store-worst ratio=%.2f\n", worst);
	return 0;
}
