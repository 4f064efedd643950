/* SPDX-License-Identifier: BSD-2-Clause */
/* The CONTROL request. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xs.h"

static void reply_format(struct xs *xs, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Append to the answer; what does not fit is left out. */
static void reply_format(struct xs *xs, const char *format, ...)
{
	size_t room = sizeof(xs->reply) - xs->reply_bytes;
	va_list args;
	int bytes;

	va_start(args, format);
	bytes = vsnprintf(xs->reply + xs->reply_bytes, room, format, args);
	va_end(args);
	if (bytes > 0)
		xs->reply_bytes += (uint32_t)MIN((size_t)bytes, room - 1);
}

/* Count everything again and compare. */
static int do_check(struct xs *xs, const char *const *words, int count, struct request *request)
{
	struct accounts counted;
	bool same;

	(void)words;
	(void)count;
	(void)request;
	accounts_init(&counted);
	tree_count(xs->root, 1, &counted.ledger);
	same = counted.count == xs->accounts.count;
	for (size_t i = 0; same && i < counted.count; i++)
		same = account_nodes(&xs->accounts, counted.entries[i].domid) == counted.entries[i].nodes &&
		       account_bytes(&xs->accounts, counted.entries[i].domid) == counted.entries[i].bytes;
	free(counted.entries);
	if (!same)
		log_line("check: accounts are wrong");
	reply_format(xs, same ? "OK" : "FAILED");
	return 0;
}

static int do_log(struct xs *xs, const char *const *words, int count, struct request *request)
{
	(void)request;
	if (count != 2 || (strcmp(words[1], "on") && strcmp(words[1], "off")))
		return -EINVAL;
	xs->trace = !strcmp(words[1], "on");
	reply_format(xs, "OK");
	return 0;
}

static int do_memreport(struct xs *xs, const char *const *words, int count, struct request *request)
{
	int nodes = 0;
	long bytes = 0;

	(void)words;
	(void)count;
	(void)request;
	for (size_t i = 0; i < xs->accounts.count; i++) {
		nodes += xs->accounts.entries[i].nodes;
		bytes += xs->accounts.entries[i].bytes;
	}
	reply_format(xs, "nodes %d, %ld bytes\njournal %llu bytes\nrequests %llu, conflicts %llu\nopen transactions %u\n", nodes, bytes,
		     (unsigned long long)xs->journal.head->tail, (unsigned long long)xs->requests, (unsigned long long)xs->conflicts,
		     xs->tx_open);
	return 0;
}

static int do_print(struct xs *xs, const char *const *words, int count, struct request *request)
{
	(void)request;
	if (count != 2)
		return -EINVAL;
	log_line("%s", words[1]);
	reply_format(xs, "OK");
	return 0;
}

static int quota_of_domain(struct xs *xs, uint16_t domid)
{
	const struct domain *domain = domain_find(xs, domid);

	if (!domain)
		return -ENOENT;
	reply_format(xs, "Domain %u:\n", domid);
	reply_format(xs, "%-16s: %8d\n", "nodes", account_nodes(&xs->accounts, domid));
	reply_format(xs, "%-16s: %8u\n", "watches", domain->conn->watch_count);
	reply_format(xs, "%-16s: %8u\n", "transactions", domain->conn->tx_count);
	reply_format(xs, "%-16s: %8u\n", "outstanding", 0u);
	reply_format(xs, "%-16s: %8ld\n", "memory", account_bytes(&xs->accounts, domid) + domain->conn->watch_bytes);
	return 0;
}

static int do_quota(struct xs *xs, const char *const *words, int count, struct request *request)
{
	static const char *const meanings[QUOTA_COUNT] = {
		[QUOTA_NODES] = "Nodes per domain", [QUOTA_WATCHES] = "Watches per domain",
		[QUOTA_TRANSACTIONS] = "Transactions per domain", [QUOTA_NODE_SIZE] = "Bytes of a node's value",
		[QUOTA_PERMISSIONS] = "Permissions per node", [QUOTA_TX_NODES] = "Nodes per transaction",
		[QUOTA_MEMORY] = "Bytes of memory per domain", [QUOTA_OUTSTANDING] = "Outstanding requests per domain",
		[QUOTA_PATH_MAX] = "Bytes of a path",
	};
	uint64_t value;

	if (count == 2)
		return number_parse(words[1], DOMIDS - 1, &value) ? quota_of_domain(xs, (uint16_t)value) : -EINVAL;
	if (count == 1) {
		reply_format(xs, "Quota settings:\n");
		for (unsigned int i = 0; i < QUOTA_COUNT; i++)
			reply_format(xs, "%-17s: %8llu %s\n", quota_names[i], (unsigned long long)xs->quota[i], meanings[i]);
		return 0;
	}
	if (count != 4 || strcmp(words[1], "set") || !number_parse(words[3], INT32_MAX, &value))
		return -EINVAL;
	for (unsigned int i = 0; i < QUOTA_COUNT; i++) {
		if (strcmp(words[2], quota_names[i]))
			continue;
		xs->quota[i] = value;
		request->changed = true;
		reply_format(xs, "OK");
		return 0;
	}
	return -EINVAL;
}

static int do_help(struct xs *xs, const char *const *words, int count, struct request *request);

static const struct command {
	const char *name;
	int (*execute)(struct xs *xs, const char *const *words, int count, struct request *request);
	const char *parameters;
} commands[] = {
	{ "check", do_check, "" },
	{ "log", do_log, "on|off" },
	{ "memreport", do_memreport, "" },
	{ "print", do_print, "<string>" },
	{ "quota", do_quota, "[set <name> <val>|<domid>]" },
	{ "help", do_help, "" },
};

static int do_help(struct xs *xs, const char *const *words, int count, struct request *request)
{
	(void)words;
	(void)count;
	(void)request;
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		reply_format(xs, "%s%s%s\n", commands[i].name, *commands[i].parameters ? "\t" : "", commands[i].parameters);
	return 0;
}

int control_execute(struct xs *xs, struct conn *conn, struct request *request)
{
	const char *words[8];
	int count = 0, error;

	(void)conn;
	if (!request->bytes || request->data[request->bytes - 1])
		return -EINVAL;
	for (const char *at = request->data; at < request->data + request->bytes && count < (int)ARRAY_SIZE(words); at += strlen(at) + 1)
		words[count++] = at;
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(words[0], commands[i].name))
			continue;
		xs->reply_bytes = 0;
		error = commands[i].execute(xs, words, count, request);
		xs->reply[xs->reply_bytes++] = '\0';
		return error;
	}
	return -EINVAL;
}
