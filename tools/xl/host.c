/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands about the machine: info, dmesg, debug-keys, set-parameters. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <xen/sysctl.h>
#include <xen/xen.h>

#include "argon/reason.h"
#include "xl.h"

#define DMESG_CHUNK 16384
#define BIT_NAMES(n) (sizeof(n) / sizeof((n)[0]))

/* What info prints: name, value; and the same as JSON. */
struct info {
	struct json_object *json;
};

static void field(const struct info *i, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void field(const struct info *i, const char *name, const char *format, ...)
{
	char text[1280];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (i->json != NULL)
		json_text(i->json, name, text);
	else
		printf("%-23s: %s\n", name, text);
}

static void field_number(const struct info *i, const char *name, int64_t number)
{
	if (i->json != NULL)
		json_number(i->json, name, number);
	else
		printf("%-23s: %ld\n", name, number);
}

static void capabilities_text(uint32_t bits, char *text, size_t room)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} names[] = {
		{ XEN_SYSCTL_PHYSCAP_pv, "pv" }, { XEN_SYSCTL_PHYSCAP_hvm, "hvm" },
		{ XEN_SYSCTL_PHYSCAP_hvm | XEN_SYSCTL_PHYSCAP_directio, "hvm_directio" },
		{ XEN_SYSCTL_PHYSCAP_pv | XEN_SYSCTL_PHYSCAP_directio, "pv_directio" },
		{ XEN_SYSCTL_PHYSCAP_hap, "hap" }, { XEN_SYSCTL_PHYSCAP_shadow, "shadow" },
		{ XEN_SYSCTL_PHYSCAP_iommu_hap_pt_share, "iommu_hap_pt_share" }, { XEN_SYSCTL_PHYSCAP_vmtrace, "vmtrace" },
		{ XEN_SYSCTL_PHYSCAP_vpmu, "vpmu" }, { XEN_SYSCTL_PHYSCAP_gnttab_v1, "gnttab-v1" },
		{ XEN_SYSCTL_PHYSCAP_gnttab_v2, "gnttab-v2" },
	};
	size_t i, at = 0;

	text[0] = '\0';
	for (i = 0; i < BIT_NAMES(names); i++) {
		if ((bits & names[i].bit) == names[i].bit)
			at += (size_t)snprintf(text + at, room - at, "%s%s", at != 0 ? " " : "", names[i].name);
	}
}

static const char *scheduler_name(uint32_t id)
{
	static const char *const names[] = { [XEN_SCHEDULER_CREDIT] = "credit", [XEN_SCHEDULER_CREDIT2] = "credit2",
					     [XEN_SCHEDULER_ARINC653] = "arinc653", [XEN_SCHEDULER_RTDS] = "rtds",
					     [XEN_SCHEDULER_NULL] = "null" };

	return id < BIT_NAMES(names) && names[id] != NULL ? names[id] : "unknown";
}

static int info_machine(struct xl *xl, struct ctrl *ctrl, const struct info *i)
{
	struct ctrl_physinfo p;
	struct utsname uts;
	char text[256];
	size_t at = 0;
	unsigned int n;

	if (ctrl_physinfo(ctrl, &p) != 0)
		return fail(xl);
	uname(&uts);
	field(i, "host", "%s", uts.nodename);
	field(i, "release", "%s", uts.release);
	field(i, "version", "%s", uts.version);
	field(i, "machine", "%s", uts.machine);
	field_number(i, "nr_cpus", p.cpus);
	field_number(i, "max_cpu_id", p.max_cpu_id);
	field_number(i, "nr_nodes", p.nodes);
	field_number(i, "cores_per_socket", p.cores_per_socket);
	field_number(i, "threads_per_core", p.threads_per_core);
	field(i, "cpu_mhz", "%.3f", (double)p.cpu_khz / 1000);
	for (n = 0; n < 8; n++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%08x", n != 0 ? ":" : "", p.cpuid[n]);
	field(i, "hw_caps", "%s", text);
	capabilities_text(p.capabilities, text, sizeof(text));
	field(i, "virt_caps", "%s", text);
	field_number(i, "total_memory", (int64_t)(p.total_pages >> 8));
	field_number(i, "free_memory", (int64_t)((p.free_pages > p.outstanding_pages ? p.free_pages - p.outstanding_pages : 0) >> 8));
	field_number(i, "sharing_freed_memory", ctrl_machine_sharing_freed(ctrl) > 0 ? ctrl_machine_sharing_freed(ctrl) >> 8 : 0);
	field_number(i, "sharing_used_memory", ctrl_machine_sharing_used(ctrl) > 0 ? ctrl_machine_sharing_used(ctrl) >> 8 : 0);
	field_number(i, "outstanding_claims", (int64_t)(p.outstanding_pages >> 8));
	return EXIT_SUCCESS;
}

static void info_free_cpus(struct ctrl *ctrl, const struct info *i)
{
	uint8_t bytes[512] = { 0 };
	struct ctrl_bitmap map = { bytes, sizeof(bytes) * 8 };
	unsigned int n, count = 0;

	(void)ctrl_cpupool_free_cpus(ctrl, &map);
	for (n = 0; n < sizeof(bytes); n++)
		count += (unsigned int)__builtin_popcount(bytes[n]);
	field_number(i, "free_cpus", count);
}

static int info_cpus(struct xl *xl, struct ctrl *ctrl, const struct info *i)
{
	struct json_object *list = json_object_new_array(), *o;
	struct ctrl_cpu_topology *cpus;
	int n, count = ctrl_cpu_topology(ctrl, &cpus);

	if (count < 0) {
		json_object_put(list);
		return fail(xl);
	}
	if (i->json == NULL)
		printf("cpu_topology           :\ncpu:    core    socket     node\n");
	for (n = 0; n < count; n++) {
		if (cpus[n].core == ~0u)
			continue;
		if (i->json == NULL) {
			printf("%3d: %7u %8u %8u\n", n, cpus[n].core, cpus[n].socket, cpus[n].node);
			continue;
		}
		o = json_object_new_object();
		json_number(o, "cpu", n);
		json_number(o, "core", cpus[n].core);
		json_number(o, "socket", cpus[n].socket);
		json_number(o, "node", cpus[n].node);
		json_object_array_add(list, o);
	}
	if (i->json == NULL) {
		printf("device topology        :\ndevice           node\nNo device topology data available\n");
		json_object_put(list);
	} else {
		json_object_object_add(i->json, "cpu_topology", list);
	}
	free(cpus);
	return EXIT_SUCCESS;
}

static int info_nodes(struct xl *xl, struct ctrl *ctrl, const struct info *i)
{
	struct json_object *list = json_object_new_array(), *o;
	struct ctrl_node *nodes;
	uint32_t *distances;
	int n, k, count = ctrl_numa_info(ctrl, &nodes, &distances);

	if (count < 0) {
		json_object_put(list);
		return fail(xl);
	}
	if (i->json == NULL)
		printf("numa_info              :\nnode:    memsize    memfree    distances\n");
	for (n = 0; n < count; n++) {
		if (nodes[n].size == ~0ul)
			continue;
		if (i->json == NULL) {
			printf("%4d: %9lu %10lu %7u", n, nodes[n].size >> 20, nodes[n].free >> 20, distances[n * count]);
			for (k = 1; k < count; k++)
				printf(",%u", distances[n * count + k]);
			putchar('\n');
			continue;
		}
		o = json_object_new_object();
		json_number(o, "node", n);
		json_number(o, "size_mib", (int64_t)(nodes[n].size >> 20));
		json_number(o, "free_mib", (int64_t)(nodes[n].free >> 20));
		json_object_array_add(list, o);
	}
	if (i->json == NULL)
		json_object_put(list);
	else
		json_object_object_add(i->json, "numa_info", list);
	free(nodes);
	free(distances);
	return EXIT_SUCCESS;
}

static int info_version(struct xl *xl, struct ctrl *ctrl, const struct info *i)
{
	struct ctrl_version v;
	uint32_t scheduler, n;
	char text[136];

	if (ctrl_version(ctrl, &v) != 0)
		return fail(xl);
	field_number(i, "xen_major", v.major);
	field_number(i, "xen_minor", v.minor);
	field(i, "xen_extra", "%s", v.extra);
	field(i, "xen_version", "%u.%u%s", v.major, v.minor, v.extra);
	field(i, "xen_caps", "%s", v.capabilities);
	if (ctrl_sched_id(ctrl, &scheduler) == 0)
		field(i, "xen_scheduler", "%s", scheduler_name(scheduler));
	field_number(i, "xen_pagesize", v.page_size);
	field(i, "platform_params", "virt_start=0x%lx", v.virt_start);
	field(i, "xen_changeset", "%s", v.changeset);
	field(i, "xen_commandline", "%s", v.command_line);
	field(i, "cc_compiler", "%s", v.compiler);
	field(i, "cc_compile_by", "%s", v.compile_by);
	field(i, "cc_compile_domain", "%s", v.compile_domain);
	field(i, "cc_compile_date", "%s", v.compile_date);
	for (n = 0, text[0] = '\0'; n < v.build_id_bytes && n < sizeof(v.build_id); n++)
		snprintf(text + 2 * n, 3, "%02x", v.build_id[n]);
	field(i, "build_id", "%s", text);
	field_number(i, "xend_config_format", 4);
	return EXIT_SUCCESS;
}

static int cmd_info(struct xl *xl, int argc, char **argv)
{
	static const struct option longs[] = { { "numa", no_argument, NULL, 'n' }, { NULL, 0, NULL, 0 } };
	struct info i = { NULL };
	struct ctrl *ctrl;
	bool numa = false;
	int opt, status = 0;

	while ((opt = option_next(xl, argc, argv, "n", longs, &status)) != -1) {
		if (opt == -2)
			return status;
		numa = true;
	}
	if (!ctrl_arg(xl, &ctrl))
		return EXIT_FAILURE;
	if (xl->json)
		i.json = json_begin("info");
	status = info_machine(xl, ctrl, &i);
	if (status == 0) {
		info_free_cpus(ctrl, &i);
		if (numa)
			status = info_cpus(xl, ctrl, &i);
	}
	if (status == 0 && numa)
		status = info_nodes(xl, ctrl, &i);
	if (status == 0)
		status = info_version(xl, ctrl, &i);
	if (i.json != NULL)
		(void)json_end(i.json);
	return status;
}

/* ---- the hypervisor's messages ---- */

static int cmd_dmesg(struct xl *xl, int argc, char **argv)
{
	static const struct option longs[] = { { "clear", no_argument, NULL, 'c' }, { NULL, 0, NULL, 0 } };
	char buffer[DMESG_CHUNK];
	struct ctrl *ctrl;
	uint32_t index = 0;
	bool clear = false;
	int opt, status = 0;
	int64_t n;

	while ((opt = option_next(xl, argc, argv, "c", longs, &status)) != -1) {
		if (opt == -2)
			return status;
		clear = true;
	}
	if (!ctrl_arg(xl, &ctrl))
		return EXIT_FAILURE;
	do {
		n = ctrl_console_read(ctrl, buffer, sizeof(buffer), &index, false);
		if (n > 0)
			(void)!fwrite(buffer, 1, (size_t)n, stdout);
	} while (n > 0);
	if (n == 0 && clear)
		n = ctrl_console_read(ctrl, buffer, sizeof(buffer), NULL, true);
	return n >= 0 ? EXIT_SUCCESS : fail(xl);
}

static int cmd_debug_keys(struct xl *xl, int argc, char **argv)
{
	struct ctrl *ctrl;
	int status = 0;

	if (option_next(xl, argc, argv, "", NULL, &status) == -2)
		return status;
	if (!ctrl_arg(xl, &ctrl))
		return EXIT_FAILURE;
	return ctrl_debug_keys(ctrl, argv[optind]) == 0 ? EXIT_SUCCESS : fail(xl);
}

/* NAME=VALUE, NAME, no-NAME */
static int parameter_set(struct xl *xl, struct ctrl *ctrl, char *text)
{
	char *value = strchr(text, '=');
	bool on = true;

	if (value != NULL)
		*value++ = '\0';
	if (value == NULL && strncmp(text, "no-", 3) == 0) {
		text += 3;
		on = false;
	}
	return ctrl_parameter_set(ctrl, text, value != NULL ? value : on ? "1" : "0") == 0 ? EXIT_SUCCESS : fail(xl);
}

static int cmd_set_parameters(struct xl *xl, int argc, char **argv)
{
	struct ctrl *ctrl;
	char *save, *one;
	int status = 0;

	if (option_next(xl, argc, argv, "", NULL, &status) == -2)
		return status;
	if (!ctrl_arg(xl, &ctrl))
		return EXIT_FAILURE;
	for (one = strtok_r(argv[optind], " ", &save); one != NULL && status == 0; one = strtok_r(NULL, " ", &save))
		status = parameter_set(xl, ctrl, one);
	return status;
}

const struct command commands_host[] = {
	{ .name = "info", .run = cmd_info, .arguments = "[options]", .prints = true, .summary = "Get information about Xen host",
	  .group = "The machine", .options = "-n, --numa              List host NUMA topology information\n" },
	{ .name = "dmesg", .run = cmd_dmesg, .arguments = "[-c]", .summary = "Read and/or clear dmesg buffer",
	  .options = "-c, --clear             Clear dmesg buffer as well as printing it\n" },
	{ .name = "debug-keys", .run = cmd_debug_keys, .least = 1, .most = 1, .arguments = "<Keys>",
	  .summary = "Send debug keys to Xen" },
	{ .name = "top", .run = cmd_top, .arguments = "[-d SECONDS] [-i TIMES] [-b]",
	  .summary = "Monitor a host and the domains in real time",
	  .options = "-d, --delay=SECONDS     Time between two pictures (3)\n"
		     "-i, --iterations=TIMES  How many pictures, then end\n"
		     "-b, --batch             One below the other, for files\n" },
	{ .name = "set-parameters", .run = cmd_set_parameters, .least = 1, .most = 1, .arguments = "<Params>",
	  .summary = "Set hypervisor parameters" },
	{ .name = NULL },
};
