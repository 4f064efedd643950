/* SPDX-License-Identifier: BSD-2-Clause */
/* CPU pools: cpupool-create, -list, -destroy, -rename, -cpu-add, -cpu-remove, -migrate, -numa-split. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xen/sysctl.h>

#include "argon/config.h"
#include "argon/reason.h"
#include "pools.h"

/* ---- what there is ---- */

void pools_free(struct pool *pools, int count)
{
	int i;

	for (i = 0; i < count; i++) {
		cpumap_free(&pools[i].cpus);
		free(pools[i].name);
	}
	free(pools);
}

static int cpus_count(struct xl *xl, struct ctrl *ctrl)
{
	struct ctrl_physinfo info;

	return ctrl_physinfo(ctrl, &info) == 0 ? (int)info.max_cpu_id + 1 : -fail(xl);
}

int pools_get(struct xl *xl, struct pool **out)
{
	struct pool *pools = NULL, *more;
	struct ctrl_bitmap bits;
	struct ctrl *ctrl;
	uint32_t next = 0;
	int cpus, count = 0;

	if (!ctrl_arg(xl, &ctrl))
		return -1;
	cpus = cpus_count(xl, ctrl);
	while (cpus > 0) {
		more = realloc(pools, ((size_t)count + 1) * sizeof(*pools));
		if (more == NULL)
			break;
		pools = more;
		if (cpumap_init(&pools[count].cpus, (unsigned int)cpus) != 0)
			break;
		bits = (struct ctrl_bitmap){ pools[count].cpus.bits, pools[count].cpus.count };
		if (ctrl_cpupool_info(ctrl, next, &pools[count].info, &bits) != 0) {
			cpumap_free(&pools[count].cpus);
			break;
		}
		pools[count].name = pool_name(xl, pools[count].info.pool);
		next = pools[count].info.pool + 1;
		count++;
	}
	if (cpus < 0) {
		pools_free(pools, count);
		return -1;
	}
	*out = pools;
	return count;
}

bool pool_is(const struct pool *pool, const char *text)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	return (pool->name != NULL && strcmp(pool->name, text) == 0) || (end != text && *end == '\0' && number == pool->info.pool);
}

bool pool_find(struct xl *xl, const char *text, uint32_t *pool)
{
	struct pool *pools;
	int i, count = pools_get(xl, &pools);
	bool found = false;

	if (count < 0)
		return false;
	for (i = 0; i < count && !found; i++) {
		found = pool_is(&pools[i], text);
		if (found)
			*pool = pools[i].info.pool;
	}
	pools_free(pools, count);
	if (!found)
		(void)fail_with(xl, EXIT_FAILURE, "there is no CPU pool \"%s\"; xl cpupool-list shows them", text);
	return found;
}

static const char *scheduler_text(uint32_t id)
{
	switch (id) {
	case XEN_SCHEDULER_CREDIT:
		return "credit";
	case XEN_SCHEDULER_CREDIT2:
		return "credit2";
	case XEN_SCHEDULER_RTDS:
		return "rtds";
	case XEN_SCHEDULER_NULL:
		return "null";
	case XEN_SCHEDULER_ARINC653:
		return "arinc653";
	default:
		return "unknown";
	}
}

/* ---- list ---- */

static void cpus_text(const struct cpumap *map, char *text, size_t room)
{
	size_t at = 0;
	unsigned int i;

	text[0] = '\0';
	for (i = 0; i < map->count && at < room; i++) {
		if (cpumap_test(map, i))
			at += (size_t)snprintf(text + at, room - at, "%s%u", at != 0 ? "," : "", i);
	}
}

static unsigned int cpus_in(const struct cpumap *map)
{
	unsigned int i, count = 0;

	for (i = 0; i < map->count; i++)
		count += cpumap_test(map, i);
	return count;
}

static void pool_row(const struct pool *p, bool cpus, struct json_object *list)
{
	struct json_object *o;
	char text[1024];

	cpus_text(&p->cpus, text, sizeof(text));
	if (list != NULL) {
		o = json_object_new_object();
		json_text(o, "name", p->name);
		json_number(o, "id", p->info.pool);
		json_text(o, "scheduler", scheduler_text(p->info.scheduler));
		json_text(o, "cpus", text);
		json_number(o, "domains", p->info.domains);
		json_object_array_add(list, o);
	} else if (cpus) {
		printf("%-19s%s\n", p->name, text);
	} else {
		printf("%-19s%3u %9s       y       %4u\n", p->name, cpus_in(&p->cpus), scheduler_text(p->info.scheduler),
		       p->info.domains);
	}
}

static int cmd_list(struct xl *xl, int argc, char **argv)
{
	static const struct option longs[] = { { "cpus", no_argument, NULL, 'c' }, { NULL, 0, NULL, 0 } };
	struct json_object *o = NULL, *list = NULL;
	struct pool *pools;
	bool cpus = false, found = false;
	int i, opt, count, status = 0;

	while ((opt = option_next(xl, argc, argv, "c", longs, &status)) != -1) {
		if (opt == -2)
			return status;
		cpus = true;
	}
	count = pools_get(xl, &pools);
	if (count < 0)
		return EXIT_FAILURE;
	if (xl->json) {
		o = json_begin("cpupool-list");
		list = json_object_new_array();
		json_object_object_add(o, "cpupools", list);
	} else if (cpus) {
		printf("%-19sCPU list\n", "Name");
	} else {
		printf("%-19sCPUs   Sched     Active   Domain count\n", "Name");
	}
	for (i = 0; i < count; i++) {
		if (optind < argc && !pool_is(&pools[i], argv[optind]))
			continue;
		found = true;
		pool_row(&pools[i], cpus, list);
	}
	if (o != NULL)
		(void)json_end(o);
	if (!found)
		status = fail_with(xl, EXIT_FAILURE, "there is no CPU pool \"%s\"", optind < argc ? argv[optind] : "Pool-0");
	pools_free(pools, count);
	return status;
}

/* ---- create ---- */

struct wanted {
	const char *name, *cpus, *nodes;
	char cpus_buf[1024], nodes_buf[256];
	uint32_t scheduler;
};

/* A list of CPUs may be text, or a list of texts. */
static int list_join(const struct config *c, const char *key, const char *prefix, char *text, size_t room, const char **out)
{
	const struct config_value *list;
	size_t i, at = 0;
	int got = config_get_list(c, key, &list, true);

	if (got != 1)
		return got;
	for (i = 0; i < list->count && at < room; i++) {
		if (list->items[i]->kind == CONFIG_LIST)
			return config_error(list->items[i], "%s: expected text or a number", key);
		at += (size_t)snprintf(text + at, room - at, "%s%s%s", i != 0 ? "," : "", prefix, list->items[i]->string);
	}
	*out = text;
	return 0;
}

static int wanted_read(const struct config *c, struct wanted *w, struct ctrl *ctrl)
{
	static const struct {
		const char *name;
		uint32_t id;
	} schedulers[] = {
		{ "credit", XEN_SCHEDULER_CREDIT }, { "credit2", XEN_SCHEDULER_CREDIT2 }, { "rtds", XEN_SCHEDULER_RTDS },
		{ "null", XEN_SCHEDULER_NULL },
	};
	const char *sched = NULL;
	size_t i;
	int err = ctrl_sched_id(ctrl, &w->scheduler);

	if (err == 0)
		err = config_get_string(c, "name", &w->name);
	if (err >= 0)
		err = config_get_string(c, "sched", &sched);
	if (err >= 0)
		err = list_join(c, "cpus", "", w->cpus_buf, sizeof(w->cpus_buf), &w->cpus);
	if (err >= 0)
		err = list_join(c, "nodes", "node:", w->nodes_buf, sizeof(w->nodes_buf), &w->nodes);
	if (err < 0)
		return err;
	if (w->name == NULL || *w->name == '\0')
		return reason_set(EINVAL, "the CPU pool has no name; add: name = \"NAME\"");
	for (i = 0; sched != NULL && i < sizeof(schedulers) / sizeof(schedulers[0]); i++) {
		if (strcmp(sched, schedulers[i].name) == 0) {
			w->scheduler = schedulers[i].id;
			return 0;
		}
	}
	return sched == NULL ? 0 : config_error(config_find(c, "sched"), "\"%s\" is not a scheduler: credit, credit2, rtds, null",
						sched);
}

static int topology_get(struct ctrl *ctrl, uint32_t **nodes)
{
	struct ctrl_cpu_topology *cpus;
	int i, count = ctrl_cpu_topology(ctrl, &cpus);

	if (count < 0)
		return count;
	*nodes = calloc((size_t)count + 1, sizeof(**nodes));
	for (i = 0; i < count && *nodes != NULL; i++)
		(*nodes)[i] = cpus[i].node;
	free(cpus);
	return *nodes != NULL ? count : reason_set(ENOMEM, "out of memory");
}

/* The CPUs that a text means; with nothing given, the first that is free. All must be in no pool. */
static int cpus_choose(struct ctrl *ctrl, const char *text, struct cpumap *map)
{
	struct cpu_topology topology;
	struct cpumap unused = { 0 };
	struct ctrl_bitmap bits;
	uint32_t *nodes;
	unsigned int i;
	int err, count = topology_get(ctrl, &nodes);

	if (count < 0)
		return count;
	topology = (struct cpu_topology){ (unsigned int)count, nodes };
	err = cpumap_init(map, (unsigned int)count);
	if (err == 0)
		err = cpumap_init(&unused, (unsigned int)count);
	bits = (struct ctrl_bitmap){ unused.bits, unused.count };
	if (err == 0)
		err = ctrl_cpupool_free_cpus(ctrl, &bits);
	if (err == 0 && text != NULL)
		err = cpulist_parse(text, &topology, map);
	for (i = 0; err == 0 && i < map->count; i++) {
		if (text == NULL && cpumap_test(&unused, i)) {
			cpumap_set(map, i, true);
			break;
		}
		if (cpumap_test(map, i) && !cpumap_test(&unused, i))
			err = reason_set(EBUSY, "CPU %u is in another pool; free it with: xl cpupool-cpu-remove POOL %u", i, i);
	}
	if (err == 0 && cpumap_empty(map))
		err = reason_set(EBUSY, "no CPU is free; free one with: xl cpupool-cpu-remove Pool-0 CPU");
	cpumap_free(&unused);
	free(nodes);
	return err;
}

static int pool_make(struct xl *xl, struct ctrl *ctrl, const struct wanted *w, uint32_t *pool)
{
	struct store *store;
	struct cpumap map = { 0 };
	char dir[48];
	unsigned int i;
	int err = cpus_choose(ctrl, w->cpus != NULL ? w->cpus : w->nodes, &map);

	*pool = CTRL_ANY;
	if (err == 0)
		err = host_store(xl->host, &store);
	if (err == 0)
		err = ctrl_cpupool_create(ctrl, w->scheduler, pool);
	if (err == 0) {
		for (i = 0; err == 0 && i < map.count; i++) {
			if (cpumap_test(&map, i))
				err = ctrl_cpupool_add_cpu(ctrl, *pool, i);
		}
		snprintf(dir, sizeof(dir), "/local/pool/%u", *pool);
		if (err == 0)
			err = store_write_at(store, STORE_NO_TX, dir, "name", "%s", w->name);
		for (i = 0; err != 0 && i < map.count; i++)
			(void)ctrl_cpupool_remove_cpu(ctrl, *pool, i);
		if (err != 0)
			(void)ctrl_cpupool_destroy(ctrl, *pool);
	}
	cpumap_free(&map);
	return err;
}

static bool pool_named(struct xl *xl, const char *name)
{
	struct pool *pools;
	int i, count = pools_get(xl, &pools);
	bool found = false;

	for (i = 0; i < count; i++)
		found |= pools[i].name != NULL && strcmp(pools[i].name, name) == 0;
	pools_free(pools, count > 0 ? count : 0);
	return found;
}

static int create_with(struct xl *xl, struct config *c, struct ctrl *ctrl)
{
	struct wanted w = { .name = NULL };
	uint32_t pool;

	if (wanted_read(c, &w, ctrl) != 0)
		return fail(xl);
	if (pool_named(xl, w.name))
		return fail_with(xl, EXIT_FAILURE, "a CPU pool named \"%s\" exists already", w.name);
	if (xl->dry)
		return EXIT_SUCCESS;
	return pool_make(xl, ctrl, &w, &pool) == 0 ? EXIT_SUCCESS : fail(xl);
}

static int cmd_create(struct xl *xl, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "defconfig", required_argument, NULL, 'f' }, { "dryrun", no_argument, NULL, 'n' }, { NULL, 0, NULL, 0 },
	};
	const char *file = NULL;
	struct config *c;
	struct ctrl *ctrl;
	int opt, err, status = 0;

	while ((opt = option_next(xl, argc, argv, "f:n", longs, &status)) != -1) {
		if (opt == -2)
			return status;
		if (opt == 'f')
			file = optarg;
		else
			xl->dry = true;
	}
	if (file == NULL && optind < argc && strchr(argv[optind], '=') == NULL)
		file = argv[optind++];
	if (!ctrl_arg(xl, &ctrl))
		return EXIT_FAILURE;
	if (config_new(&c) != 0)
		return fail(xl);
	err = file != NULL ? config_parse_file(c, file) : 0;
	for (; err == 0 && optind < argc; optind++)
		err = config_parse(c, "command line", argv[optind], strlen(argv[optind]), true);
	status = err == 0 ? create_with(xl, c, ctrl) : fail(xl);
	config_free(c);
	return status;
}

/* ---- changes ---- */

static int pool_arg(struct xl *xl, int argc, char **argv, struct ctrl **ctrl, uint32_t *pool)
{
	int status = 0;

	if (option_next(xl, argc, argv, "", NULL, &status) == -2)
		return status;
	return ctrl_arg(xl, ctrl) && pool_find(xl, argv[optind], pool) ? -1 : EXIT_FAILURE;
}

static int cmd_destroy(struct xl *xl, int argc, char **argv)
{
	struct pool *pools;
	struct store *store;
	struct ctrl *ctrl;
	uint32_t pool;
	unsigned int cpu;
	int i, count, err = 0, status = pool_arg(xl, argc, argv, &ctrl, &pool);

	if (status != -1)
		return status;
	if (!store_arg(xl, &store))
		return EXIT_FAILURE;
	if (pool == 0)
		return fail_with(xl, EXIT_FAILURE, "Pool-0 cannot be destroyed: dom0 is in it");
	count = pools_get(xl, &pools);
	for (i = 0; i < count; i++) {
		if (pools[i].info.pool != pool)
			continue;
		if (pools[i].info.domains != 0)
			err = reason_set(EBUSY, "%u domains are in the pool; move them with: xl cpupool-migrate DOMAIN Pool-0",
					 pools[i].info.domains);
		for (cpu = 0; err == 0 && cpu < pools[i].cpus.count; cpu++) {
			if (cpumap_test(&pools[i].cpus, cpu))
				err = ctrl_cpupool_remove_cpu(ctrl, pool, cpu);
		}
	}
	pools_free(pools, count > 0 ? count : 0);
	if (err == 0)
		err = ctrl_cpupool_destroy(ctrl, pool);
	if (err == 0)
		err = store_rmf(store, STORE_NO_TX, "/local/pool/%u", pool);
	return err == 0 ? EXIT_SUCCESS : fail(xl);
}

static int cmd_rename(struct xl *xl, int argc, char **argv)
{
	struct store *store;
	struct ctrl *ctrl;
	uint32_t pool;
	char dir[48];
	int status = pool_arg(xl, argc, argv, &ctrl, &pool);

	if (status != -1)
		return status;
	if (!store_arg(xl, &store))
		return EXIT_FAILURE;
	if (pool_named(xl, argv[optind + 1]))
		return fail_with(xl, EXIT_FAILURE, "a CPU pool named \"%s\" exists already", argv[optind + 1]);
	snprintf(dir, sizeof(dir), "/local/pool/%u", pool);
	return store_write_at(store, STORE_NO_TX, dir, "name", "%s", argv[optind + 1]) == 0 ? EXIT_SUCCESS : fail(xl);
}

static int cpus_change(struct xl *xl, int argc, char **argv, int (*change)(struct ctrl *ctrl, uint32_t pool, uint32_t cpu))
{
	struct cpu_topology topology;
	struct cpumap map = { 0 };
	uint32_t *nodes, pool;
	struct ctrl *ctrl;
	unsigned int cpu;
	int err, count, status = pool_arg(xl, argc, argv, &ctrl, &pool);

	if (status != -1)
		return status;
	count = topology_get(ctrl, &nodes);
	if (count < 0)
		return fail(xl);
	topology = (struct cpu_topology){ (unsigned int)count, nodes };
	err = cpumap_init(&map, (unsigned int)count);
	if (err == 0)
		err = cpulist_parse(argv[optind + 1], &topology, &map);
	status = err == 0 ? EXIT_SUCCESS : fail(xl);
	/* Each that can is; each that cannot is reported. */
	for (cpu = 0; err == 0 && cpu < map.count; cpu++) {
		if (cpumap_test(&map, cpu) && change(ctrl, pool, cpu) != 0) {
			(void)reason_prefix(0, "CPU %u: ", cpu);
			status = fail(xl);
		}
	}
	cpumap_free(&map);
	free(nodes);
	return status;
}

static int cmd_cpu_add(struct xl *xl, int argc, char **argv)
{
	return cpus_change(xl, argc, argv, ctrl_cpupool_add_cpu);
}

static int cmd_cpu_remove(struct xl *xl, int argc, char **argv)
{
	return cpus_change(xl, argc, argv, ctrl_cpupool_remove_cpu);
}

static int cmd_migrate(struct xl *xl, int argc, char **argv)
{
	struct ctrl *ctrl;
	uint32_t domid, pool;
	int status = 0;

	if (option_next(xl, argc, argv, "", NULL, &status) == -2)
		return status;
	if (!ctrl_arg(xl, &ctrl) || !domain_arg(xl, argv[optind], &domid) || !pool_find(xl, argv[optind + 1], &pool))
		return EXIT_FAILURE;
	if (domid == 0)
		return fail_with(xl, EXIT_FAILURE, "dom0 cannot be moved to another CPU pool");
	return ctrl_cpupool_move_domain(ctrl, pool, domid) == 0 ? EXIT_SUCCESS : fail(xl);
}

/* Pool-0 keeps the first node; each other node gets a pool of its own. */
static int node_split(struct xl *xl, struct ctrl *ctrl, const uint32_t *nodes, int count, uint32_t node)
{
	struct wanted w = { .name = NULL };
	char name[32], cpus[48];
	uint32_t pool;
	int cpu, err = ctrl_sched_id(ctrl, &w.scheduler);

	for (cpu = 0; err == 0 && cpu < count; cpu++) {
		if (nodes[cpu] == node)
			err = ctrl_cpupool_remove_cpu(ctrl, 0, (uint32_t)cpu);
	}
	snprintf(name, sizeof(name), "Pool-node%u", node);
	snprintf(cpus, sizeof(cpus), "node:%u", node);
	w.name = name;
	w.cpus = cpus;
	if (err == 0)
		err = pool_make(xl, ctrl, &w, &pool);
	return err == 0 ? EXIT_SUCCESS : fail(xl);
}

static int cmd_numa_split(struct xl *xl, int argc, char **argv)
{
	struct pool *pools;
	uint32_t *nodes, node, first;
	struct store *store;
	struct ctrl *ctrl;
	int cpu, count, pool_count, status = 0;
	bool found;

	if (option_next(xl, argc, argv, "", NULL, &status) == -2)
		return status;
	if (!ctrl_arg(xl, &ctrl) || !store_arg(xl, &store))
		return EXIT_FAILURE;
	pool_count = pools_get(xl, &pools);
	pools_free(pools, pool_count > 0 ? pool_count : 0);
	if (pool_count != 1)
		return fail_with(xl, EXIT_FAILURE, "there must be no pool but Pool-0");
	count = topology_get(ctrl, &nodes);
	if (count < 0)
		return fail(xl);
	first = count > 0 ? nodes[0] : 0;
	for (node = 0; node < 64 && status == EXIT_SUCCESS; node++) {
		for (cpu = 0, found = false; cpu < count; cpu++)
			found |= nodes[cpu] == node;
		if (found && node != first)
			status = node_split(xl, ctrl, nodes, count, node);
	}
	if (status == EXIT_SUCCESS)
		(void)store_write_at(store, STORE_NO_TX, "/local/pool/0", "name", "Pool-node%u", first);
	free(nodes);
	return status;
}

const struct command commands_cpupool[] = {
	{ .name = "cpupool-create", .run = cmd_create, .most = -1, .arguments = "[options] [<ConfigFile>] [Variable=value ...]",
	  .summary = "Create a new CPU pool", .group = "CPU pools",
	  .options = "-f FILE, --defconfig=FILE         Use the given configuration file.\n"
		     "-n, --dryrun                      Dry run - check the configuration only.\n" },
	{ .name = "cpupool-list", .run = cmd_list, .most = 1, .arguments = "[-c|--cpus] [<CPU Pool>]", .prints = true,
	  .summary = "List CPU pools on host", .options = "-c, --cpus              Output list of CPUs used by a pool\n" },
	{ .name = "cpupool-destroy", .run = cmd_destroy, .least = 1, .most = 1, .arguments = "<CPU Pool>",
	  .summary = "Deactivates a CPU pool" },
	{ .name = "cpupool-rename", .run = cmd_rename, .least = 2, .most = 2, .arguments = "<CPU Pool> <new name>",
	  .summary = "Renames a CPU pool" },
	{ .name = "cpupool-cpu-add", .run = cmd_cpu_add, .least = 2, .most = 2, .arguments = "<CPU Pool> <CPU list>",
	  .summary = "Adds a CPU to a CPU pool" },
	{ .name = "cpupool-cpu-remove", .run = cmd_cpu_remove, .least = 2, .most = 2, .arguments = "<CPU Pool> <CPU list>",
	  .summary = "Removes a CPU from a CPU pool" },
	{ .name = "cpupool-migrate", .run = cmd_migrate, .least = 2, .most = 2, .arguments = "<Domain> <CPU Pool>",
	  .summary = "Moves a domain into a CPU pool" },
	{ .name = "cpupool-numa-split", .run = cmd_numa_split, .arguments = "",
	  .summary = "Splits up the machine into one CPU pool per NUMA node" },
	{ .name = NULL },
};
