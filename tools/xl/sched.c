/* SPDX-License-Identifier: BSD-2-Clause */
/* Schedulers: sched-credit, sched-credit2. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/sysctl.h>

#include "argon/reason.h"
#include "pools.h"
#include "xl.h"

struct sched_args {
	const char *domain, *pool;
	long weight, cap, timeslice, ratelimit, delay;	/* -1: not given */
	bool schedule;
};

static const struct option longs[] = {
	{ "domain", required_argument, NULL, 'd' },	   { "weight", required_argument, NULL, 'w' },
	{ "cap", required_argument, NULL, 'c' },	   { "schedparam", no_argument, NULL, 's' },
	{ "tslice_ms", required_argument, NULL, 't' },	   { "ratelimit_us", required_argument, NULL, 'r' },
	{ "migration_delay_us", required_argument, NULL, 'm' }, { "cpupool", required_argument, NULL, 'p' },
	{ NULL, 0, NULL, 0 },
};

static int args_read(struct xl *xl, int argc, char **argv, const char *letters, struct sched_args *a)
{
	int opt, status = 0;
	bool good = true;

	*a = (struct sched_args){ .weight = -1, .cap = -1, .timeslice = -1, .ratelimit = -1, .delay = -1 };
	while (good && (opt = option_next(xl, argc, argv, letters, longs, &status)) != -1) {
		switch (opt) {
		case -2:
			return status;
		case 'd':
			a->domain = optarg;
			break;
		case 'p':
			a->pool = optarg;
			break;
		case 's':
			a->schedule = true;
			break;
		case 'w':
			good = number_arg(xl, "the weight", optarg, 1, 65535, &a->weight);
			break;
		case 'c':
			good = number_arg(xl, "the cap", optarg, 0, 65534, &a->cap);
			break;
		case 't':
			good = number_arg(xl, "the time slice", optarg, 1, 1000, &a->timeslice);
			break;
		case 'r':
			good = number_arg(xl, "the rate limit", optarg, 0, 500000, &a->ratelimit);
			break;
		default:
			good = number_arg(xl, "the migration delay", optarg, 0, 100000, &a->delay);
			break;
		}
	}
	if (!good)
		return EXIT_FAILURE;
	if (a->pool != NULL && a->domain != NULL)
		return fail_with(xl, EXIT_FAILURE, "a CPU pool and a domain cannot be given together");
	if (a->domain == NULL && (a->weight >= 0 || a->cap >= 0))
		return fail_with(xl, EXIT_FAILURE, "-w and -c need a domain (-d)");
	if (!a->schedule && (a->timeslice >= 0 || a->ratelimit >= 0 || a->delay >= 0))
		return fail_with(xl, EXIT_FAILURE, "-t, -r and -m are settings of the scheduler: give -s too");
	if (a->domain != NULL && a->schedule)
		return fail_with(xl, EXIT_FAILURE, "-d and -s cannot be given together");
	return -1;
}

/* ---- printing ---- */

static void heading_print(void)
{
	printf("%-33s %4s %6s %4s\n", "Name", "ID", "Weight", "Cap");
}

static void domain_print(struct ctrl *ctrl, uint32_t scheduler, const struct domain_row *row, struct json_object *list)
{
	struct ctrl_sched_credit value;
	struct json_object *o;

	/* What vanished meanwhile, or is in a pool of another scheduler, is left out. */
	if (ctrl_sched_get_credit(ctrl, row->info.domid, scheduler, &value) != 0)
		return;
	if (list == NULL) {
		printf("%-33s %4u %6u %4u\n", row->name, row->info.domid, value.weight, value.cap);
		return;
	}
	o = json_object_new_object();
	json_text(o, "name", row->name);
	json_number(o, "domid", row->info.domid);
	json_number(o, "weight", value.weight);
	json_number(o, "cap", value.cap);
	json_object_array_add(list, o);
}

static int pool_print(struct xl *xl, struct ctrl *ctrl, const struct pool *pool, bool domains, const struct domain_row *rows, int count,
		      struct json_object *pools)
{
	struct json_object *o = NULL, *list = NULL;
	struct ctrl_sched_global value;
	int i;

	if (ctrl_sched_get_global(ctrl, pool->info.pool, pool->info.scheduler, &value) != 0)
		return fail(xl);
	if (pools != NULL) {
		o = json_object_new_object();
		json_text(o, "cpupool", pool->name);
		json_number(o, "timeslice_ms", value.timeslice);
		json_number(o, "ratelimit_us", value.ratelimit);
		json_number(o, "migration_delay_us", value.migration_delay);
		list = json_object_new_array();
		json_object_object_add(o, "domains", list);
		json_object_array_add(pools, o);
	} else if (pool->info.scheduler == XEN_SCHEDULER_CREDIT2) {
		printf("Cpupool %s: ratelimit=%uus\n", pool->name, value.ratelimit);
	} else {
		printf("Cpupool %s: tslice=%ums ratelimit=%uus migration-delay=%uus\n", pool->name, value.timeslice, value.ratelimit,
		       value.migration_delay);
	}
	if (domains && pools == NULL)
		heading_print();
	for (i = 0; domains && i < count; i++) {
		if (rows[i].info.cpupool == pool->info.pool)
			domain_print(ctrl, pool->info.scheduler, &rows[i], list);
	}
	return EXIT_SUCCESS;
}

static int pools_print(struct xl *xl, struct ctrl *ctrl, uint32_t scheduler, const struct sched_args *a)
{
	struct json_object *o = NULL, *list = NULL;
	struct domain_row *rows = NULL;
	struct pool *pools;
	int i, count = 0, pool_count, status = EXIT_SUCCESS;
	bool found = false;

	pool_count = pools_get(xl, &pools);
	if (pool_count < 0)
		return EXIT_FAILURE;
	if (!a->schedule) {
		rows = domains_get(xl, &count);
		if (rows == NULL)
			status = EXIT_FAILURE;
	}
	if (xl->json) {
		o = json_begin(xl->command->name);
		list = json_object_new_array();
		json_object_object_add(o, "cpupools", list);
	}
	for (i = 0; i < pool_count && status == EXIT_SUCCESS; i++) {
		if (pools[i].info.scheduler != scheduler || (a->pool != NULL && !pool_is(&pools[i], a->pool)) ||
		    (a->pool == NULL && a->schedule && pools[i].info.pool != 0))
			continue;
		found = true;
		status = pool_print(xl, ctrl, &pools[i], !a->schedule, rows, count, list);
	}
	if (o != NULL)
		(void)json_end(o);
	if (status == EXIT_SUCCESS && a->pool != NULL && !found)
		status = fail_with(xl, EXIT_FAILURE, "there is no CPU pool \"%s\" with this scheduler", a->pool);
	domains_free(rows, count);
	pools_free(pools, pool_count);
	return status;
}

/* ---- setting ---- */

static int global_set(struct xl *xl, struct ctrl *ctrl, uint32_t scheduler, const struct sched_args *a)
{
	struct ctrl_sched_global value;
	uint32_t pool = 0;

	if (a->pool != NULL && !pool_find(xl, a->pool, &pool))
		return EXIT_FAILURE;
	if (ctrl_sched_get_global(ctrl, pool, scheduler, &value) != 0)
		return fail(xl);
	if (a->timeslice >= 0)
		value.timeslice = (uint32_t)a->timeslice;
	if (a->ratelimit >= 0)
		value.ratelimit = (uint32_t)a->ratelimit;
	if (a->delay >= 0)
		value.migration_delay = (uint32_t)a->delay;
	return ctrl_sched_set_global(ctrl, pool, scheduler, &value) == 0 ? EXIT_SUCCESS : fail(xl);
}

static int domain_run(struct xl *xl, struct ctrl *ctrl, uint32_t scheduler, const struct sched_args *a)
{
	struct ctrl_sched_credit value = { 0, 65535 };
	char *names[] = { (char *)(uintptr_t)a->domain };
	struct json_object *o = NULL, *list = NULL;
	struct domain_row *rows;
	int count, status = EXIT_SUCCESS;

	rows = domains_args(xl, 1, names, &count);
	if (rows == NULL)
		return EXIT_FAILURE;
	if (a->weight >= 0 || a->cap >= 0) {
		if (a->weight >= 0)
			value.weight = (uint16_t)a->weight;
		if (a->cap >= 0)
			value.cap = (uint16_t)a->cap;
		if (ctrl_sched_set_credit(ctrl, rows[0].info.domid, scheduler, &value) != 0)
			status = fail(xl);
	} else if (ctrl_sched_get_credit(ctrl, rows[0].info.domid, scheduler, &value) != 0) {
		status = fail(xl);
	} else if (xl->json) {
		o = json_begin(xl->command->name);
		list = json_object_new_array();
		json_object_object_add(o, "domains", list);
		domain_print(ctrl, scheduler, &rows[0], list);
		(void)json_end(o);
	} else {
		heading_print();
		domain_print(ctrl, scheduler, &rows[0], NULL);
	}
	domains_free(rows, count);
	return status;
}

static int sched_run(struct xl *xl, int argc, char **argv, const char *letters, uint32_t scheduler)
{
	struct sched_args a;
	struct ctrl *ctrl;
	int status = args_read(xl, argc, argv, letters, &a);

	if (status != -1)
		return status;
	if (!ctrl_arg(xl, &ctrl))
		return EXIT_FAILURE;
	if (a.domain != NULL)
		return domain_run(xl, ctrl, scheduler, &a);
	if (a.timeslice >= 0 || a.ratelimit >= 0 || a.delay >= 0)
		return global_set(xl, ctrl, scheduler, &a);
	return pools_print(xl, ctrl, scheduler, &a);
}

static int cmd_sched_credit(struct xl *xl, int argc, char **argv)
{
	return sched_run(xl, argc, argv, "d:w:c:p:t:r:m:s", XEN_SCHEDULER_CREDIT);
}

static int cmd_sched_credit2(struct xl *xl, int argc, char **argv)
{
	return sched_run(xl, argc, argv, "d:w:c:p:r:s", XEN_SCHEDULER_CREDIT2);
}

const struct command commands_sched[] = {
	{ .name = "sched-credit", .run = cmd_sched_credit, .prints = true, .group = "Schedulers",
	  .arguments = "[-d <Domain> [-w[=WEIGHT]|-c[=CAP]]] [-s [-t TSLICE] [-r RATELIMIT] [-m DELAY]] [-p CPUPOOL]",
	  .summary = "Get/set credit scheduler parameters",
	  .options = "-d DOMAIN, --domain=DOMAIN        Domain to modify\n"
		     "-w WEIGHT, --weight=WEIGHT        Weight (int)\n"
		     "-c CAP, --cap=CAP                 Cap (int)\n"
		     "-s         --schedparam           Query / modify scheduler parameters\n"
		     "-t TSLICE, --tslice_ms=TSLICE     Set the timeslice, in milliseconds\n"
		     "-r RLIMIT, --ratelimit_us=RLIMIT  Set the scheduling rate limit, in microseconds\n"
		     "-m DLY, --migration_delay_us=DLY  Set the migration delay, in microseconds\n"
		     "-p CPUPOOL, --cpupool=CPUPOOL     Restrict output to CPUPOOL\n" },
	{ .name = "sched-credit2", .run = cmd_sched_credit2, .prints = true,
	  .arguments = "[-d <Domain> [-w[=WEIGHT]] [-c[=CAP]]] [-s [-r RATELIMIT]] [-p CPUPOOL]",
	  .summary = "Get/set credit2 scheduler parameters",
	  .options = "-d DOMAIN, --domain=DOMAIN        Domain to modify\n"
		     "-w WEIGHT, --weight=WEIGHT        Weight (int)\n"
		     "-c CAP, --cap=CAP                 Cap (int)\n"
		     "-s         --schedparam           Query / modify scheduler parameters\n"
		     "-r RLIMIT, --ratelimit_us=RLIMIT  Set the scheduling rate limit, in microseconds\n"
		     "-p CPUPOOL, --cpupool=CPUPOOL     Restrict output to CPUPOOL\n" },
	{ .name = NULL },
};
