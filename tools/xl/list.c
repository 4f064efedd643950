/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands that tell about domains: list, vm-list, uptime, claims, domid, domname. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "argon/reason.h"
#include "xl.h"

struct list_args {
	bool longform, verbose, context, cpupool, numa, claims;
};

static uint64_t mib(uint64_t pages)
{
	return pages >> 8;
}

/* ---- list -l ---- */

static struct json_object *config_json(struct xl *xl, const struct domain_row *row)
{
	struct json_object *o, *built, *sched, *json = NULL;
	struct ctrl_sched_credit credit;
	struct domain_config dc;
	uint32_t scheduler;
	struct ctrl *ctrl;

	if (domain_config_get(xl->host, row->info.domid, &dc) != 0)
		return NULL;
	o = json_object_new_object();
	json_number(o, "domid", row->info.domid);
	json = domain_config_json(&dc);
	domain_config_free(&dc);
	if (host_ctrl(xl->host, &ctrl) == 0 && ctrl_sched_id(ctrl, &scheduler) == 0 &&
	    ctrl_sched_get_credit(ctrl, row->info.domid, scheduler, &credit) == 0 &&
	    json_object_object_get_ex(json, "b_info", &built) && json_object_object_get_ex(built, "sched_params", &sched)) {
		json_number(sched, "weight", credit.weight);
		json_number(sched, "cap", credit.cap);
	}
	reason_clear();
	json_object_object_add(o, "config", json);
	return o;
}

static int list_long(struct xl *xl, const struct domain_row *rows, int count)
{
	struct json_object *all = json_object_new_array(), *one;
	int i;

	for (i = 0; i < count; i++) {
		one = config_json(xl, &rows[i]);
		/* What vanished meanwhile is left out. */
		if (one != NULL)
			json_object_array_add(all, one);
	}
	(void)json_print(all);
	json_object_put(all);
	return EXIT_SUCCESS;
}

/* ---- list --json ---- */

static struct json_object *row_json(struct xl *xl, const struct domain_row *row)
{
	struct json_object *o = json_object_new_object();
	char state[7], *pool;

	state_text(&row->info, state);
	json_text(o, "name", row->name);
	json_number(o, "domid", row->info.domid);
	json_uuid(o, "uuid", row->info.uuid);
	json_number(o, "memory_kib", (int64_t)(row->info.pages + row->info.outstanding_pages) * 4);
	json_number(o, "max_memory_kib", (int64_t)row->info.max_pages * 4);
	json_number(o, "outstanding_kib", (int64_t)row->info.outstanding_pages * 4);
	json_number(o, "vcpus", row->info.online_vcpus);
	json_text(o, "state", state);
	json_number(o, "cpu_time_ns", (int64_t)row->info.cpu_time);
	if (row->info.shutdown)
		json_number(o, "shutdown_reason", row->info.shutdown_reason);
	pool = pool_name(xl, row->info.cpupool);
	json_text(o, "cpupool", pool);
	free(pool);
	return o;
}

static int list_json(struct xl *xl, const struct domain_row *rows, int count)
{
	struct json_object *o = json_begin("list"), *list = json_object_new_array();
	int i;

	for (i = 0; i < count; i++)
		json_object_array_add(list, row_json(xl, &rows[i]));
	json_object_object_add(o, "domains", list);
	return json_end(o);
}

/* ---- list as a table ---- */

static void numa_print(struct xl *xl, uint32_t domid)
{
	uint8_t bytes[512] = { 0 };
	struct ctrl_bitmap nodes = { bytes, sizeof(bytes) * 8 };
	struct cpumap map = { .count = sizeof(bytes) * 8, .bits = bytes };
	struct ctrl_physinfo info;
	struct ctrl *ctrl;
	char text[256];

	if (host_ctrl(xl->host, &ctrl) != 0 || ctrl_physinfo(ctrl, &info) != 0)
		return;
	nodes.bits = map.count = info.max_node_id + 1;
	if (ctrl_domain_get_node_affinity(ctrl, domid, &nodes) != 0)
		return;
	(void)cpulist_format(&map, NULL, text, sizeof(text));
	printf(" %s", strcmp(text, "none") == 0 ? "any node" : text);
}

static void row_print(struct xl *xl, const struct list_args *a, const struct domain_row *row)
{
	const struct ctrl_domain_info *info = &row->info;
	char state[7], uuid[DOMAIN_UUID_TEXT], *pool;

	state_text(info, state);
	uuid_format(info->uuid, uuid);
	printf("%-40s %5u %5lu %5u     %s  %8.1f", row->name, info->domid, mib(info->pages + info->outstanding_pages),
	       info->online_vcpus, state, (double)info->cpu_time / 1e9);
	if (a->verbose)
		printf(" %s", uuid);
	if (a->verbose && info->shutdown)
		printf(" %8x", info->shutdown_reason);
	else if (a->verbose)
		printf(" %8s", "-");
	if (a->claims)
		printf(" %5lu", mib(info->outstanding_pages));
	if (a->verbose || a->context)
		printf(" %16s", "-");
	if (a->cpupool) {
		pool = pool_name(xl, info->cpupool);
		printf(" %16s", pool);
		free(pool);
	}
	if (a->numa)
		numa_print(xl, info->domid);
	putchar('\n');
}

static int list_table(struct xl *xl, const struct list_args *a, const struct domain_row *rows, int count)
{
	int i;

	printf("Name                                        ID   Mem VCPUs\tState\tTime(s)");
	if (a->verbose)
		printf("   UUID                            Reason-Code\tSecurity Label");
	if (a->context && !a->verbose)
		printf("   Security Label");
	if (a->claims)
		printf("  Claimed");
	if (a->cpupool)
		printf("         Cpupool");
	if (a->numa)
		printf(" NODE Affinity");
	putchar('\n');
	for (i = 0; i < count; i++)
		row_print(xl, a, &rows[i]);
	return EXIT_SUCCESS;
}

static int cmd_list(struct xl *xl, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "long", no_argument, NULL, 'l' },    { "verbose", no_argument, NULL, 'v' }, { "context", no_argument, NULL, 'Z' },
		{ "cpupool", no_argument, NULL, 'c' }, { "numa", no_argument, NULL, 'n' },    { NULL, 0, NULL, 0 },
	};
	struct list_args a = { 0 };
	struct domain_row *rows;
	int opt, count, status = 0;

	while ((opt = option_next(xl, argc, argv, "lvZcn", longs, &status)) != -1) {
		if (opt == -2)
			return status;
		a.longform |= opt == 'l';
		a.verbose |= opt == 'v';
		a.context |= opt == 'Z';
		a.cpupool |= opt == 'c';
		a.numa |= opt == 'n';
	}
	rows = domains_args(xl, argc - optind, argv + optind, &count);
	if (rows == NULL)
		return EXIT_FAILURE;
	if (xl->json)
		status = list_json(xl, rows, count);
	else if (a.longform)
		status = list_long(xl, rows, count);
	else
		status = list_table(xl, &a, rows, count);
	domains_free(rows, count);
	return status;
}

static int cmd_claims(struct xl *xl, int argc, char **argv)
{
	struct list_args a = { .claims = true };
	struct domain_row *rows;
	int opt, count, status = 0;

	opt = option_next(xl, argc, argv, "", NULL, &status);
	if (opt == -2)
		return status;
	rows = domains_get(xl, &count);
	if (rows == NULL)
		return EXIT_FAILURE;
	status = xl->json ? list_json(xl, rows, count) : list_table(xl, &a, rows, count);
	domains_free(rows, count);
	return status;
}

static int cmd_vm_list(struct xl *xl, int argc, char **argv)
{
	char uuid[DOMAIN_UUID_TEXT];
	struct domain_row *rows;
	int i, opt, count, status = 0;

	opt = option_next(xl, argc, argv, "", NULL, &status);
	if (opt == -2)
		return status;
	rows = domains_get(xl, &count);
	if (rows == NULL)
		return EXIT_FAILURE;
	if (xl->json) {
		status = list_json(xl, rows, count);
	} else {
		printf("UUID                                  ID    name\n");
		for (i = 0; i < count; i++) {
			uuid_format(rows[i].info.uuid, uuid);
			printf("%s  %u    %-30s\n", uuid, rows[i].info.domid, rows[i].name);
		}
	}
	domains_free(rows, count);
	return status;
}

/* ---- uptime ---- */

static long uptime_of(struct xl *xl, const struct ctrl_domain_info *info)
{
	char uuid[DOMAIN_UUID_TEXT], vm[64];
	struct store *store;
	struct timespec now;
	long started;

	if (info->domid == 0) {
		clock_gettime(CLOCK_BOOTTIME, &now);
		return now.tv_sec;
	}
	uuid_format(info->uuid, uuid);
	snprintf(vm, sizeof(vm), "/vm/%s", uuid);
	if (host_store(xl->host, &store) != 0 || store_scan_at(store, STORE_NO_TX, vm, "start_time", "%ld", &started) != 1)
		return 0;
	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec > started ? now.tv_sec - started : 0;
}

static void uptime_format(long seconds, bool brief, char *text, size_t room)
{
	long days = seconds / 86400, hours = seconds / 3600 % 24, minutes = seconds / 60 % 60;

	if (brief && days != 0)
		snprintf(text, room, "%ld day%s, %2ld:%02ld", days, days == 1 ? "" : "s", hours, minutes);
	else if (brief)
		snprintf(text, room, "%2ld:%02ld", hours, minutes);
	else if (days != 0)
		snprintf(text, room, "%ld day%s, %2ld:%02ld:%02ld", days, days == 1 ? "" : "s", hours, minutes, seconds % 60);
	else
		snprintf(text, room, "%2ld:%02ld:%02ld", hours, minutes, seconds % 60);
}

static void uptime_print(struct xl *xl, const struct domain_row *row, bool brief)
{
	long seconds = uptime_of(xl, &row->info);
	char text[64], clock[16];
	time_t now = time(NULL);
	struct tm tm;

	uptime_format(seconds, brief, text, sizeof(text));
	if (!brief) {
		printf("%-32s %5u %s\n", row->name, row->info.domid, text);
		return;
	}
	localtime_r(&now, &tm);
	strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	printf(" %s up %s, %s (%u)\n", clock, text, row->name, row->info.domid);
}

static int cmd_uptime(struct xl *xl, int argc, char **argv)
{
	static const struct option longs[] = { { "short", no_argument, NULL, 's' }, { NULL, 0, NULL, 0 } };
	struct json_object *o, *list, *one;
	struct domain_row *rows;
	int i, opt, count, status = 0;
	bool brief = false;

	while ((opt = option_next(xl, argc, argv, "s", longs, &status)) != -1) {
		if (opt == -2)
			return status;
		brief = true;
	}
	rows = domains_args(xl, argc - optind, argv + optind, &count);
	if (rows == NULL)
		return EXIT_FAILURE;
	if (xl->json) {
		o = json_begin("uptime");
		list = json_object_new_array();
		for (i = 0; i < count; i++) {
			one = json_object_new_object();
			json_text(one, "name", rows[i].name);
			json_number(one, "domid", rows[i].info.domid);
			json_number(one, "seconds", uptime_of(xl, &rows[i].info));
			json_object_array_add(list, one);
		}
		json_object_object_add(o, "domains", list);
		status = json_end(o);
	} else {
		if (!brief)
			printf("%-33s %4s %s\n", "Name", "ID", "Uptime");
		for (i = 0; i < count; i++)
			uptime_print(xl, &rows[i], brief);
	}
	domains_free(rows, count);
	return status;
}

/* ---- names and numbers ---- */

static int cmd_domid(struct xl *xl, int argc, char **argv)
{
	uint32_t domid;
	int opt, status = 0;

	opt = option_next(xl, argc, argv, "", NULL, &status);
	if (opt == -2)
		return status;
	if (domain_find(xl->host, argv[optind], &domid) != 0) {
		fprintf(stderr, "Can't get domid of domain name '%s', maybe this domain does not exist.\n", argv[optind]);
		return EXIT_FAILURE;
	}
	printf("%u\n", domid);
	return EXIT_SUCCESS;
}

static int cmd_domname(struct xl *xl, int argc, char **argv)
{
	char *name = NULL;
	uint32_t domid;
	long number;
	int opt, status = 0;

	opt = option_next(xl, argc, argv, "", NULL, &status);
	if (opt == -2)
		return status;
	if (!number_arg(xl, "the domain", argv[optind], 0, 0x7fef, &number))
		return EXIT_FAILURE;
	domid = (uint32_t)number;
	if (domain_names(xl->host, &domid, 1, &name) != 0 || name == NULL) {
		fprintf(stderr, "Can't get domain name of domain id '%s', maybe this domain does not exist.\n", argv[optind]);
		return EXIT_FAILURE;
	}
	printf("%s\n", name);
	free(name);
	return EXIT_SUCCESS;
}

const struct command commands_list[] = {
	{ .name = "list", .run = cmd_list, .most = -1, .arguments = "[options] [Domain]", .prints = true,
	  .summary = "List information about all/some domains", .group = "Information about domains",
	  .options = "-l, --long              Output all VM details\n"
		     "-v, --verbose           Prints out UUIDs and security context\n"
		     "-Z, --context           Prints out security context\n"
		     "-c, --cpupool           Prints the cpupool the domain is in\n"
		     "-n, --numa              Prints out NUMA node affinity\n" },
	{ .name = "vm-list", .run = cmd_vm_list, .arguments = "", .prints = true,
	  .summary = "List guest domains, excluding stubdoms, etc" },
	{ .name = "uptime", .run = cmd_uptime, .most = -1, .arguments = "[-s] [Domain]", .prints = true,
	  .summary = "Print uptime for all/some domains", .options = "-s, --short             Print short output.\n" },
	{ .name = "claims", .run = cmd_claims, .arguments = "", .prints = true,
	  .summary = "List outstanding claim information about all domains" },
	{ .name = "domid", .run = cmd_domid, .least = 1, .most = 1, .arguments = "<DomainName>",
	  .summary = "Convert a domain name to domain id" },
	{ .name = "domname", .run = cmd_domname, .least = 1, .most = 1, .arguments = "<DomainId>",
	  .summary = "Convert a domain id to domain name" },
	{ .name = NULL },
};
