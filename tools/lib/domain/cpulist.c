/* SPDX-License-Identifier: BSD-2-Clause */
/* Sets of CPUs and their texts: "0-3,^2", "nodes:0-1,^node:1", "all". */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "argon/domain_config.h"
#include "argon/reason.h"

int cpumap_init(struct cpumap *map, unsigned int count)
{
	map->count = count;
	map->bits = calloc(1, (count + 7) / 8 + 8);
	return map->bits != NULL ? 0 : reason_set(ENOMEM, "out of memory");
}

void cpumap_free(struct cpumap *map)
{
	free(map->bits);
	map->bits = NULL;
	map->count = 0;
}

void cpumap_set(struct cpumap *map, unsigned int cpu, bool on)
{
	if (cpu >= map->count)
		return;
	if (on)
		map->bits[cpu / 8] |= (uint8_t)(1u << cpu % 8);
	else
		map->bits[cpu / 8] &= (uint8_t)~(1u << cpu % 8);
}

bool cpumap_test(const struct cpumap *map, unsigned int cpu)
{
	return cpu < map->count && (map->bits[cpu / 8] >> cpu % 8 & 1) != 0;
}

bool cpumap_empty(const struct cpumap *map)
{
	unsigned int i;

	for (i = 0; i < map->count; i++) {
		if (cpumap_test(map, i))
			return false;
	}
	return true;
}

static void node_apply(const struct cpu_topology *topology, struct cpumap *map, unsigned int node, bool on)
{
	unsigned int cpu;

	for (cpu = 0; cpu < map->count; cpu++) {
		if (topology != NULL ? cpu < topology->count && topology->node_of_cpu[cpu] == node : node == 0)
			cpumap_set(map, cpu, on);
	}
}

static bool node_exists(const struct cpu_topology *topology, unsigned long node)
{
	unsigned int cpu;

	if (topology == NULL)
		return node == 0;
	for (cpu = 0; cpu < topology->count; cpu++) {
		if (topology->node_of_cpu[cpu] == node)
			return true;
	}
	return false;
}

/* N or N-M at *p. */
static int range_read(const char **p, unsigned long *first, unsigned long *last)
{
	char *end;

	if (!isdigit((unsigned char)**p))
		return -EINVAL;
	*first = *last = strtoul(*p, &end, 10);
	*p = end;
	if (*end == '-') {
		if (!isdigit((unsigned char)end[1]))
			return -EINVAL;
		*last = strtoul(end + 1, &end, 10);
		*p = end;
	}
	return *first <= *last && *last < 1UL << 20 ? 0 : -EINVAL;
}

static int item_apply(const char **p, const struct cpu_topology *topology, struct cpumap *map)
{
	unsigned long first, last, n;
	bool on = true, nodes = false;

	if (**p == '^') {
		on = false;
		(*p)++;
	}
	if (strncmp(*p, "all", 3) == 0) {
		*p += 3;
		for (n = 0; n < map->count; n++)
			cpumap_set(map, (unsigned int)n, on);
		return 0;
	}
	if (strncmp(*p, "nodes:", 6) == 0) {
		nodes = true;
		*p += 6;
	} else if (strncmp(*p, "node:", 5) == 0) {
		nodes = true;
		*p += 5;
	}
	if (**p == '^') {
		on = false;
		(*p)++;
	}
	if (range_read(p, &first, &last) != 0)
		return -EINVAL;
	for (n = first; n <= last; n++) {
		if (nodes) {
			if (!node_exists(topology, n))
				return reason_set(ENODEV, "this machine has no node %lu", n);
			node_apply(topology, map, (unsigned int)n, on);
		} else {
			if (n >= map->count)
				return reason_set(ENODEV, "this machine has no CPU %lu: its CPUs are 0-%u", n, map->count - 1);
			cpumap_set(map, (unsigned int)n, on);
		}
	}
	return 0;
}

int cpulist_parse(const char *text, const struct cpu_topology *topology, struct cpumap *map)
{
	const char *p = text;
	int err;

	memset(map->bits, 0, (map->count + 7) / 8);
	for (;;) {
		while (isspace((unsigned char)*p))
			p++;
		err = item_apply(&p, topology, map);
		while (isspace((unsigned char)*p))
			p++;
		if (err == -ENODEV)
			return reason_prefix(err, "CPU list \"%.60s\": ", text);
		if (err != 0 || (*p != ',' && *p != '\0'))
			return reason_set(EINVAL, "\"%.60s\" is not a list of CPUs such as 0-3,5,^1 or all,^7 or nodes:0-1,^node:1",
					  text);
		if (*p++ == '\0')
			break;
	}
	return 0;
}

size_t cpulist_format(const struct cpumap *map, const struct cpumap *online, char *text, size_t room)
{
	bool all = true, any = false;
	unsigned int cpu, first;
	size_t at = 0;

	for (cpu = 0; cpu < map->count; cpu++) {
		any |= cpumap_test(map, cpu);
		if (!cpumap_test(map, cpu) && (online == NULL || cpumap_test(online, cpu)))
			all = false;
	}
	if (!any || all)
		return (size_t)snprintf(text, room, all && any ? "all" : "none");
	for (cpu = 0; cpu < map->count && at < room; cpu++) {
		if (!cpumap_test(map, cpu))
			continue;
		first = cpu;
		while (cpumap_test(map, cpu + 1))
			cpu++;
		at += (size_t)snprintf(text + at, room - at, first == cpu ? "%s%u" : "%s%u-%u", at != 0 ? "," : "", first, cpu);
	}
	return at;
}
