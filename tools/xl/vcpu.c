/* SPDX-License-Identifier: BSD-2-Clause */
/* vCPUs and memory: vcpu-list, vcpu-pin, vcpu-set, mem-set, mem-max. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "argon/reason.h"
#include "xl.h"

/* CPUs of the machine: those that are there, and their nodes. */
struct machine {
	struct cpumap online;
	struct cpu_topology topology;
	uint32_t *nodes;
};

static bool machine_get(struct xl *xl, struct machine *m)
{
	struct ctrl_cpu_topology *cpus;
	struct ctrl *ctrl;
	int i, count;

	memset(m, 0, sizeof(*m));
	if (!ctrl_arg(xl, &ctrl))
		return false;
	count = ctrl_cpu_topology(ctrl, &cpus);
	if (count < 0) {
		(void)fail(xl);
		return false;
	}
	m->nodes = calloc((size_t)count + 1, sizeof(*m->nodes));
	if (m->nodes == NULL || cpumap_init(&m->online, (unsigned int)count) != 0) {
		free(cpus);
		free(m->nodes);
		(void)fail_with(xl, EXIT_FAILURE, "out of memory");
		return false;
	}
	for (i = 0; i < count; i++) {
		m->nodes[i] = cpus[i].node;
		cpumap_set(&m->online, (unsigned int)i, cpus[i].core != ~0u);
	}
	m->topology = (struct cpu_topology){ (unsigned int)count, m->nodes };
	free(cpus);
	return true;
}

static void machine_put(struct machine *m)
{
	cpumap_free(&m->online);
	free(m->nodes);
}

/* ---- vcpu-list ---- */

struct vcpu_row {
	struct ctrl_vcpu_info info;
	char hard[256], soft[256];
};

static int vcpu_get(struct ctrl *ctrl, const struct machine *m, uint32_t domid, uint32_t vcpu, struct vcpu_row *row)
{
	struct cpumap hard, soft = { 0 };
	struct ctrl_bitmap hard_bits, soft_bits;
	int err = ctrl_vcpu_info(ctrl, domid, vcpu, &row->info);

	if (err == 0)
		err = cpumap_init(&hard, m->online.count);
	if (err != 0)
		return err;
	err = cpumap_init(&soft, m->online.count);
	hard_bits = (struct ctrl_bitmap){ hard.bits, hard.count };
	soft_bits = (struct ctrl_bitmap){ soft.bits, soft.count };
	if (err == 0)
		err = ctrl_vcpu_get_affinity(ctrl, domid, vcpu, &hard_bits, &soft_bits);
	if (err == 0) {
		(void)cpulist_format(&hard, &m->online, row->hard, sizeof(row->hard));
		(void)cpulist_format(&soft, &m->online, row->soft, sizeof(row->soft));
	}
	cpumap_free(&hard);
	cpumap_free(&soft);
	return err;
}

static void vcpu_print(const struct domain_row *d, uint32_t vcpu, const struct vcpu_row *row)
{
	char state[4] = "--p", cpu[16] = "-";

	if (row->info.online) {
		state[0] = row->info.running ? 'r' : '-';
		state[1] = row->info.blocked ? 'b' : '-';
		state[2] = '-';
		snprintf(cpu, sizeof(cpu), "%u", row->info.cpu);
	}
	printf("%-32s %5u %5u %4s %5s %9.1f  %s / %s\n", d->name, d->info.domid, vcpu, cpu, state, (double)row->info.cpu_time / 1e9,
	       row->hard, row->soft);
}

static struct json_object *vcpu_json(uint32_t vcpu, const struct vcpu_row *row)
{
	struct json_object *o = json_object_new_object();

	json_number(o, "vcpu", vcpu);
	json_flag(o, "online", row->info.online);
	json_flag(o, "running", row->info.running);
	json_flag(o, "blocked", row->info.blocked);
	json_number(o, "cpu", row->info.cpu);
	json_number(o, "cpu_time_ns", (int64_t)row->info.cpu_time);
	json_text(o, "affinity_hard", row->hard);
	json_text(o, "affinity_soft", row->soft);
	return o;
}

static int domain_vcpus(struct xl *xl, const struct machine *m, const struct domain_row *d, struct json_object *domains)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	struct vcpu_row row;
	struct ctrl *ctrl;
	uint32_t i;

	if (!ctrl_arg(xl, &ctrl))
		return EXIT_FAILURE;
	for (i = 0; d->info.max_vcpu_id != ~0u && i <= d->info.max_vcpu_id; i++) {
		/* One that vanishes meanwhile is left out. */
		if (vcpu_get(ctrl, m, d->info.domid, i, &row) != 0)
			continue;
		if (domains != NULL)
			json_object_array_add(list, vcpu_json(i, &row));
		else
			vcpu_print(d, i, &row);
	}
	if (domains == NULL) {
		json_object_put(o);
		json_object_put(list);
		return EXIT_SUCCESS;
	}
	json_text(o, "name", d->name);
	json_number(o, "domid", d->info.domid);
	json_object_object_add(o, "vcpus", list);
	json_object_array_add(domains, o);
	return EXIT_SUCCESS;
}

static int cmd_vcpu_list(struct xl *xl, int argc, char **argv)
{
	struct json_object *o = NULL, *list = NULL;
	struct domain_row *rows;
	struct machine m;
	int i, opt, count, status = 0;

	opt = option_next(xl, argc, argv, "", NULL, &status);
	if (opt == -2)
		return status;
	rows = domains_args(xl, argc - optind, argv + optind, &count);
	if (rows == NULL)
		return EXIT_FAILURE;
	if (!machine_get(xl, &m)) {
		domains_free(rows, count);
		return EXIT_FAILURE;
	}
	if (xl->json) {
		o = json_begin("vcpu-list");
		list = json_object_new_array();
		json_object_object_add(o, "domains", list);
	} else {
		printf("%-32s %5s %5s %5s %5s %9s %s\n", "Name", "ID", "VCPU", "CPU", "State", "Time(s)", "Affinity (Hard / Soft)");
	}
	for (i = 0; i < count && status == 0; i++)
		status = domain_vcpus(xl, &m, &rows[i], list);
	if (o != NULL)
		(void)json_end(o);
	machine_put(&m);
	domains_free(rows, count);
	return status;
}

/* ---- vcpu-pin ---- */

struct pin {
	uint32_t domid, first, last;
	const char *hard, *soft;
	bool force;
};

static int pin_run(struct xl *xl, struct ctrl *ctrl, const struct machine *m, const struct pin *p)
{
	struct cpumap hard, soft = { 0 };
	uint32_t vcpu;
	int err = cpumap_init(&hard, m->topology.count);

	if (err == 0)
		err = cpumap_init(&soft, m->topology.count);
	for (vcpu = p->first; vcpu <= p->last && err == 0; vcpu++) {
		struct ctrl_bitmap hard_bits = { hard.bits, hard.count }, soft_bits = { soft.bits, soft.count };

		if (p->hard != NULL)
			err = cpulist_parse(p->hard, &m->topology, &hard);
		if (err == 0 && p->soft != NULL)
			err = cpulist_parse(p->soft, &m->topology, &soft);
		if (err == 0 && p->hard != NULL && cpumap_empty(&hard))
			err = reason_set(EINVAL, "the list \"%s\" has no CPU in it", p->hard);
		if (err == 0)
			err = ctrl_vcpu_set_affinity(ctrl, p->domid, vcpu, p->hard != NULL ? &hard_bits : NULL,
						     p->soft != NULL ? &soft_bits : NULL, p->force);
	}
	cpumap_free(&hard);
	cpumap_free(&soft);
	return err == 0 ? EXIT_SUCCESS : fail(xl);
}

static int cmd_vcpu_pin(struct xl *xl, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "force", no_argument, NULL, 'f' }, { "ignore-global-affinity-masks", no_argument, NULL, 'i' }, { NULL, 0, NULL, 0 },
	};
	struct ctrl_domain_info info;
	struct pin p = { 0 };
	struct machine m;
	struct ctrl *ctrl;
	long vcpu = 0;
	int opt, status = 0;

	while ((opt = option_next(xl, argc, argv, "f", longs, &status)) != -1) {
		if (opt == -2)
			return status;
		p.force |= opt == 'f';
	}
	if (!domain_arg(xl, argv[optind], &p.domid) || !ctrl_arg(xl, &ctrl))
		return EXIT_FAILURE;
	if (ctrl_domain_info(ctrl, p.domid, &info) != 0)
		return fail(xl);
	if (strcmp(argv[optind + 1], "all") == 0)
		p.last = info.max_vcpu_id;
	else if (!number_arg(xl, "the vCPU", argv[optind + 1], 0, info.max_vcpu_id, &vcpu))
		return EXIT_FAILURE;
	else
		p.first = p.last = (uint32_t)vcpu;
	if (strcmp(argv[optind + 2], "-") != 0)
		p.hard = argv[optind + 2];
	if (argc - optind > 3 && strcmp(argv[optind + 3], "-") != 0)
		p.soft = argv[optind + 3];
	if (p.hard == NULL && p.soft == NULL)
		return EXIT_SUCCESS;
	if (!machine_get(xl, &m))
		return EXIT_FAILURE;
	status = pin_run(xl, ctrl, &m, &p);
	machine_put(&m);
	return status;
}

/* ---- numbers ---- */

static int cmd_vcpu_set(struct xl *xl, int argc, char **argv)
{
	static const struct option longs[] = { { "ignore-host", no_argument, NULL, 'i' }, { NULL, 0, NULL, 0 } };
	uint32_t domid;
	long count;
	int opt, status = 0;

	while ((opt = option_next(xl, argc, argv, "", longs, &status)) != -1) {
		if (opt == -2)
			return status;
	}
	if (!domain_arg(xl, argv[optind], &domid) ||
	    !number_arg(xl, "the number of vCPUs", argv[optind + 1], 0, DOMAIN_VCPUS_MAX, &count))
		return EXIT_FAILURE;
	return domain_vcpus_set(xl->host, domid, (unsigned int)count) == 0 ? EXIT_SUCCESS : fail(xl);
}

static int memory_change(struct xl *xl, int argc, char **argv, int (*change)(struct host *host, uint32_t domid, uint64_t kib))
{
	uint64_t kib;
	uint32_t domid;
	int opt, status = 0;

	opt = option_next(xl, argc, argv, "", NULL, &status);
	if (opt == -2)
		return status;
	if (!domain_arg(xl, argv[optind], &domid))
		return EXIT_FAILURE;
	if (size_parse(argv[optind + 1], 1024, &kib) != 0 || change(xl->host, domid, kib) != 0)
		return fail(xl);
	return EXIT_SUCCESS;
}

static int cmd_mem_set(struct xl *xl, int argc, char **argv)
{
	return memory_change(xl, argc, argv, domain_memory_set);
}

static int cmd_mem_max(struct xl *xl, int argc, char **argv)
{
	return memory_change(xl, argc, argv, domain_memory_max_set);
}

const struct command commands_vcpu[] = {
	{ .name = "vcpu-list", .run = cmd_vcpu_list, .most = -1, .arguments = "[Domain, ...]", .prints = true,
	  .summary = "List the VCPUs for all/some domains", .group = "vCPUs and memory" },
	{ .name = "vcpu-pin", .run = cmd_vcpu_pin, .least = 3, .most = 4,
	  .arguments = "[option] <Domain> <VCPU|all> <Hard affinity|-|all> <Soft affinity|-|all>",
	  .summary = "Set which CPUs a VCPU can use",
	  .options = "-f, --force             End a temporary pinning that the domain made for itself.\n" },
	{ .name = "vcpu-set", .run = cmd_vcpu_set, .least = 2, .most = 2, .arguments = "[option] <Domain> <vCPUs>",
	  .summary = "Set the number of active VCPUs allowed for the domain",
	  .options = "-i, --ignore-host       Don't limit the number of vcpus to the number of physical CPUs.\n" },
	{ .name = "mem-set", .run = cmd_mem_set, .least = 2, .most = 2, .arguments = "<Domain> <MemMB[b|k|m|g|t]>",
	  .summary = "Set the current memory usage for a domain" },
	{ .name = "mem-max", .run = cmd_mem_max, .least = 2, .most = 2, .arguments = "<Domain> <MemMB[b|k|m|g|t]>",
	  .summary = "Set the maximum amount reservation for a domain" },
	{ .name = NULL },
};
