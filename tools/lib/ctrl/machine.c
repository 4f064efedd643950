/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine: CPUs, memory, what the hypervisor prints and counts. */
#include <errno.h>

#include "ctrl_private.h"

#define CPU_LIMIT     65536u
#define NODE_LIMIT    256u
#define COUNTER_LIMIT (1u << 20)
#define CONSOLE_CHUNK 65536u

int ctrl_physinfo(struct ctrl *ctrl, struct ctrl_physinfo *out)
{
	struct xen_sysctl op = { 0 };
	const struct xen_sysctl_physinfo *p = &op.u.physinfo;
	int rc = sysctl(ctrl, &op, XEN_SYSCTL_physinfo, "the machine cannot be looked at");

	if (rc < 0)
		return rc;
	*out = (struct ctrl_physinfo){
		.threads_per_core = p->threads_per_core,
		.cores_per_socket = p->cores_per_socket,
		.cpus = p->nr_cpus,
		.max_cpu_id = p->max_cpu_id,
		.nodes = p->nr_nodes,
		.max_node_id = p->max_node_id,
		.cpu_khz = p->cpu_khz,
		.capabilities = p->capabilities,
		.total_pages = p->total_pages,
		.free_pages = p->free_pages,
		.scrub_pages = p->scrub_pages,
		.outstanding_pages = p->outstanding_pages,
		.max_frame = p->max_mfn,
	};
	memcpy(out->cpuid, p->hw_cap, sizeof(out->cpuid));
	return 0;
}

int ctrl_cpu_topology(struct ctrl *ctrl, struct ctrl_cpu_topology **out)
{
	static const char what[] = "the topology of CPUs cannot be read";
	struct xen_sysctl op = { 0 };
	int rc = sysctl(ctrl, &op, XEN_SYSCTL_cputopoinfo, what);
	uint32_t room = op.u.cputopoinfo.num_cpus;
	struct ctrl_cpu_topology *list = NULL;
	struct xen_sysctl_cputopo *buffer;

	if (rc < 0)
		return rc;
	if (room > CPU_LIMIT)
		return reason_set(E2BIG, "%u CPUs", room);
	buffer = dev_buffer_get(ctrl->dev, room * sizeof(*buffer));
	list = calloc(room ? room : 1, sizeof(*list));
	rc = buffer && list ? 0 : reason_set(ENOMEM, "out of memory");
	if (rc == 0) {
		set_xen_guest_handle(op.u.cputopoinfo.cputopo, buffer);
		rc = sysctl(ctrl, &op, XEN_SYSCTL_cputopoinfo, what);
	}
	if (rc == 0) {
		rc = (int)(op.u.cputopoinfo.num_cpus < room ? op.u.cputopoinfo.num_cpus : room);
		for (int i = 0; i < rc; i++)
			list[i] = (struct ctrl_cpu_topology){ buffer[i].core, buffer[i].socket, buffer[i].node };
		*out = list;
		list = NULL;
	}
	free(list);
	dev_buffer_put(ctrl->dev, buffer, room * sizeof(*buffer));
	return rc;
}

/* With room for that many nodes. */
static int numa_read(struct ctrl *ctrl, uint32_t room, struct ctrl_node *nodes, uint32_t *distances)
{
	size_t memory_bytes = room * sizeof(struct xen_sysctl_meminfo), distance_bytes = (size_t)room * room * sizeof(uint32_t);
	struct xen_sysctl_meminfo *memory = dev_buffer_get(ctrl->dev, memory_bytes);
	uint32_t *distance = dev_buffer_get(ctrl->dev, distance_bytes), got;
	struct xen_sysctl op = { .u.numainfo.num_nodes = room };
	int rc = memory && distance ? 0 : -ENOMEM;

	if (rc == 0) {
		set_xen_guest_handle(op.u.numainfo.meminfo, memory);
		set_xen_guest_handle(op.u.numainfo.distance, distance);
		rc = sysctl(ctrl, &op, XEN_SYSCTL_numainfo, "the NUMA nodes cannot be read");
	}
	if (rc == 0) {
		got = op.u.numainfo.num_nodes < room ? op.u.numainfo.num_nodes : room;
		for (uint32_t i = 0; i < got; i++)
			nodes[i] = (struct ctrl_node){ memory[i].memsize, memory[i].memfree };
		memcpy(distances, distance, (size_t)got * got * sizeof(*distance));
		rc = (int)got;
	}
	dev_buffer_put(ctrl->dev, memory, memory_bytes);
	dev_buffer_put(ctrl->dev, distance, distance_bytes);
	return rc;
}

int ctrl_numa_info(struct ctrl *ctrl, struct ctrl_node **nodes, uint32_t **distances)
{
	struct xen_sysctl op = { 0 };
	int rc = sysctl(ctrl, &op, XEN_SYSCTL_numainfo, "the NUMA nodes cannot be counted");
	uint32_t room = op.u.numainfo.num_nodes;

	*nodes = NULL;
	*distances = NULL;
	if (rc < 0)
		return rc;
	if (room > NODE_LIMIT)
		return reason_set(E2BIG, "%u NUMA nodes", room);
	*nodes = calloc(room ? room : 1, sizeof(**nodes));
	*distances = calloc(room ? (size_t)room * room : 1, sizeof(**distances));
	rc = *nodes && *distances ? numa_read(ctrl, room, *nodes, *distances) : reason_set(ENOMEM, "out of memory");
	if (rc < 0) {
		free(*nodes);
		free(*distances);
		*nodes = NULL;
		*distances = NULL;
	}
	return rc;
}

int ctrl_cpu_idle_times(struct ctrl *ctrl, uint64_t **out)
{
	struct xen_sysctl op = { 0 };
	struct xen_sysctl_cpuinfo *buffer;
	struct ctrl_physinfo info;
	uint64_t *list;
	uint32_t room;
	int rc = ctrl_physinfo(ctrl, &info);

	if (rc < 0)
		return rc;
	room = info.max_cpu_id < CPU_LIMIT ? info.max_cpu_id + 1 : CPU_LIMIT;
	buffer = dev_buffer_get(ctrl->dev, room * sizeof(*buffer));
	list = calloc(room, sizeof(*list));
	rc = buffer && list ? 0 : reason_set(ENOMEM, "out of memory");
	if (rc == 0) {
		op.u.getcpuinfo.max_cpus = room;
		set_xen_guest_handle(op.u.getcpuinfo.info, buffer);
		rc = sysctl(ctrl, &op, XEN_SYSCTL_getcpuinfo, "the CPUs' idle times cannot be read");
	}
	if (rc == 0) {
		rc = (int)(op.u.getcpuinfo.nr_cpus < room ? op.u.getcpuinfo.nr_cpus : room);
		for (int i = 0; i < rc; i++)
			list[i] = buffer[i].idletime;
		*out = list;
		list = NULL;
	}
	free(list);
	dev_buffer_put(ctrl->dev, buffer, room * sizeof(*buffer));
	return rc;
}

int ctrl_cpu_hotplug(struct ctrl *ctrl, uint32_t cpu, uint32_t operation)
{
	struct xen_sysctl op = { .u.cpu_hotplug = { .cpu = cpu, .op = operation } };

	return sysctl(ctrl, &op, XEN_SYSCTL_cpu_hotplug, "the CPU cannot go on or off line");
}

int ctrl_available_memory(struct ctrl *ctrl, uint32_t min_bits, uint32_t max_bits, int32_t node, uint64_t *bytes)
{
	struct xen_sysctl op = { .u.availheap = { .min_bitwidth = min_bits, .max_bitwidth = max_bits, .node = node } };
	int rc = sysctl(ctrl, &op, XEN_SYSCTL_availheap, "the free memory cannot be read");

	*bytes = op.u.availheap.avail_bytes;
	return rc;
}

int64_t ctrl_console_read(struct ctrl *ctrl, char *buffer, size_t room, uint32_t *index, bool clear)
{
	uint32_t piece = room < CONSOLE_CHUNK ? (uint32_t)room : CONSOLE_CHUNK, at = index ? *index : 0, got = 0;
	char *bounce = dev_buffer_get(ctrl->dev, piece);
	bool incremental = index;
	size_t done = 0;
	int rc = bounce ? 0 : -ENOMEM;

	while (rc == 0 && done < room) {
		struct xen_sysctl op = { .u.readconsole = { .incremental = incremental, .index = at } };

		op.u.readconsole.count = room - done < piece ? (uint32_t)(room - done) : piece;
		set_xen_guest_handle(op.u.readconsole.buffer, bounce);
		rc = sysctl(ctrl, &op, XEN_SYSCTL_readconsole, "the hypervisor's console cannot be read");
		got = rc == 0 && op.u.readconsole.count <= piece ? op.u.readconsole.count : 0;
		if (got == 0)
			break;
		memcpy(buffer + done, bounce, got);
		done += got;
		at = op.u.readconsole.index;
		incremental = true;
	}
	if (rc == 0 && clear) {
		struct xen_sysctl op = { .u.readconsole = { .clear = 1, .incremental = 1, .index = at } };

		set_xen_guest_handle(op.u.readconsole.buffer, bounce);
		rc = sysctl(ctrl, &op, XEN_SYSCTL_readconsole, "the hypervisor's console cannot be cleared");
	}
	dev_buffer_put(ctrl->dev, bounce, piece);
	if (index)
		*index = at;
	return rc < 0 ? rc : (int64_t)done;
}

int ctrl_debug_keys(struct ctrl *ctrl, const char *keys)
{
	struct xen_sysctl op = { .u.debug_keys.nr_keys = (uint32_t)strlen(keys) };
	char *buffer = dev_buffer_get(ctrl->dev, strlen(keys));
	int rc;

	if (!buffer)
		return -ENOMEM;
	memcpy(buffer, keys, strlen(keys));
	set_xen_guest_handle(op.u.debug_keys.keys, buffer);
	rc = sysctl(ctrl, &op, XEN_SYSCTL_debug_keys, "debug keys cannot be sent");
	dev_buffer_put(ctrl->dev, buffer, strlen(keys));
	return rc;
}

/* With room as the hypervisor has just told it; counters do not come and go. */
static int counters_read(struct ctrl *ctrl, struct xen_sysctl *op, struct ctrl_counters *out)
{
	uint32_t names = op->u.perfc_op.nr_counters, values = op->u.perfc_op.nr_vals, first = 0;
	struct xen_sysctl_perfc_desc *name = dev_buffer_get(ctrl->dev, names * sizeof(*name));
	uint32_t *value = dev_buffer_get(ctrl->dev, values * sizeof(*value));
	int rc = name && value ? 0 : -ENOMEM;

	if (rc == 0) {
		op->u.perfc_op.cmd = XEN_SYSCTL_PERFCOP_query;
		set_xen_guest_handle(op->u.perfc_op.desc, name);
		set_xen_guest_handle(op->u.perfc_op.val, value);
		rc = sysctl(ctrl, op, XEN_SYSCTL_perfc_op, "the performance counters cannot be read");
	}
	for (uint32_t i = 0; rc == 0 && i < names; i++) {
		memcpy(out->names[i].name, name[i].name, sizeof(out->names[i].name));
		out->names[i].name[sizeof(out->names[i].name) - 1] = '\0';
		out->names[i].first = first;
		out->names[i].count = name[i].nr_vals < values - first ? name[i].nr_vals : values - first;
		first += out->names[i].count;
	}
	if (rc == 0) {
		memcpy(out->values, value, values * sizeof(*value));
		out->name_count = names;
		out->value_count = values;
	}
	dev_buffer_put(ctrl->dev, name, names * sizeof(*name));
	dev_buffer_put(ctrl->dev, value, values * sizeof(*value));
	return rc;
}

int ctrl_counters(struct ctrl *ctrl, struct ctrl_counters *out)
{
	struct xen_sysctl op = { .u.perfc_op.cmd = XEN_SYSCTL_PERFCOP_query };
	int rc = sysctl(ctrl, &op, XEN_SYSCTL_perfc_op, "the performance counters cannot be counted");

	memset(out, 0, sizeof(*out));
	if (rc < 0)
		return rc;
	if (op.u.perfc_op.nr_counters > COUNTER_LIMIT || op.u.perfc_op.nr_vals > COUNTER_LIMIT)
		return reason_set(E2BIG, "%u performance counters", op.u.perfc_op.nr_counters);
	out->names = calloc(op.u.perfc_op.nr_counters + 1, sizeof(*out->names));
	out->values = calloc(op.u.perfc_op.nr_vals + 1, sizeof(*out->values));
	rc = out->names && out->values ? counters_read(ctrl, &op, out) : reason_set(ENOMEM, "out of memory");
	if (rc < 0) {
		free(out->names);
		free(out->values);
		memset(out, 0, sizeof(*out));
	}
	return rc;
}

int ctrl_counters_reset(struct ctrl *ctrl)
{
	struct xen_sysctl op = { .u.perfc_op.cmd = XEN_SYSCTL_PERFCOP_reset };

	return sysctl(ctrl, &op, XEN_SYSCTL_perfc_op, "the performance counters cannot be reset");
}

int ctrl_machine_features(struct ctrl *ctrl, uint32_t index, uint32_t **out)
{
	struct xen_sysctl op = { .u.cpu_featureset.index = index };
	int rc = sysctl(ctrl, &op, XEN_SYSCTL_get_cpu_featureset, "the CPU's features cannot be counted");
	uint32_t room = op.u.cpu_featureset.nr_features;
	uint32_t *buffer;

	if (rc < 0)
		return rc;
	if (room > DEV_PAGE_SIZE / sizeof(*buffer))
		return reason_set(E2BIG, "%u words of CPU features", room);
	buffer = dev_buffer_get(ctrl->dev, room * sizeof(*buffer));
	*out = malloc(DEV_PAGE_SIZE);
	rc = buffer && *out ? 0 : reason_set(ENOMEM, "out of memory");
	if (rc == 0) {
		set_xen_guest_handle(op.u.cpu_featureset.features, buffer);
		rc = sysctl(ctrl, &op, XEN_SYSCTL_get_cpu_featureset, "the CPU's features cannot be read");
	}
	if (rc == 0) {
		rc = (int)(op.u.cpu_featureset.nr_features < room ? op.u.cpu_featureset.nr_features : room);
		memcpy(*out, buffer, (size_t)rc * sizeof(*buffer));
	}
	dev_buffer_put(ctrl->dev, buffer, room * sizeof(*buffer));
	if (rc < 0)
		free(*out);
	return rc;
}
