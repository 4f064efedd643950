/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Creation of a domain, in steps. What can be known to fail is looked at before anything is made. From then on two things stand
 * ready to clear up: domain_destroy(), which the step that fails leads to, and the watcher, which does the same when this
 * process dies, for it finds the journal that is written before the domain is made and removed after it is complete.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xen/domctl.h>
#include <xen/io/xenbus.h>
#include <xen/sysctl.h>

#include "argon/build.h"
#include "argon/migrate.h"
#include "argon/reason.h"
#include "create.h"
#include "text.h"

#define LOCK_MS 5000u
/* Above its memory, as domain_memory_set() allows. */
#define SLACK_KIB 1024ul
#define EVENT_PORT_DEFAULT 1023u

/* ---- before anything is made ---- */

/* First of all: a watcher that has to be started is a copy of this process, and should not keep a kernel in its memory. */
static int watcher_begin(struct creation *c)
{
	int err = watch_guard(c->uuid, &c->guard);

	if (err != 0)
		host_warn(c->host, "no watcher runs, so nobody acts when this domain shuts down: %s", reason_get());
	return 0;
}

static int files_check(struct creation *c)
{
	struct build_source source = { .kernel = c->dc.kernel, .ramdisk = c->dc.ramdisk, .cache = BUILD_CACHE_DIRECTORY };

	if (c->dc.type != DOMAIN_PV)
		return reason_set(EOPNOTSUPP, "type = \"%s\" is not supported yet: this version runs PV guests only; use type = \"pv\"",
				  domain_type_name(c->dc.type));
	if (c->options->stream_fd > 0)
		return 0;
	if (c->dc.kernel == NULL)
		return reason_set(EINVAL, "%s", c->dc.bootloader != NULL ?
				  "a bootloader= is not supported; name the guest's kernel with kernel = \"/path\"" :
				  "no kernel is named; add: kernel = \"/boot/vmlinuz-...\"");
	return build_image_open(&source, &c->image);
}

static int devices_check(struct creation *c)
{
	size_t i;
	int err = 0;

	for (i = 0; i < c->dc.disks_count && err == 0; i++)
		err = vbd_check(c->host, &c->dc.disks[i]);
	for (i = 0; i < c->dc.vifs_count && err == 0; i++)
		err = vif_check(c->host, &c->dc.vifs[i]);
	return err;
}

/* The pool's number and scheduler. */
static int pool_find(struct creation *c)
{
	struct ctrl_cpupool_info info;
	uint32_t pool = 0;
	bool named = c->dc.pool != NULL;
	char *name, *end;
	int err;

	for (pool = 0;; pool = info.pool + 1) {
		err = ctrl_cpupool_info(c->ctrl, pool, &info, NULL);
		if (err != 0)
			return reason_set(ENOENT, "there is no CPU pool \"%s\"; xl cpupool-list shows them",
					  named ? c->dc.pool : "Pool-0");
		if (!named)
			break;
		if (strtoul(c->dc.pool, &end, 10) == info.pool && *end == '\0' && end != c->dc.pool)
			break;
		if (store_readf(c->store, STORE_NO_TX, &name, "/local/pool/%u/name", info.pool) == 0) {
			bool found = strcmp(name, c->dc.pool) == 0;

			free(name);
			if (found)
				break;
		}
	}
	c->pool = info.pool;
	c->scheduler = info.scheduler;
	return 0;
}

static int topology_get(struct creation *c)
{
	struct ctrl_cpu_topology *cpus;
	int i, count = ctrl_cpu_topology(c->ctrl, &cpus);

	if (count < 0)
		return count;
	c->topology.count = (unsigned int)count;
	c->node_of_cpu = calloc((size_t)count + 1, sizeof(*c->node_of_cpu));
	for (i = 0; i < count && c->node_of_cpu != NULL; i++)
		c->node_of_cpu[i] = cpus[i].node;
	c->topology.node_of_cpu = c->node_of_cpu;
	free(cpus);
	return c->node_of_cpu != NULL ? 0 : reason_set(ENOMEM, "out of memory");
}

/* The list that is for a vCPU: its own, or the only one, or none. */
static const char *cpus_of(char *const *lists, size_t count, unsigned int vcpu)
{
	if (count == 0)
		return NULL;
	if (count == 1)
		return lists[0];
	return vcpu < count ? lists[vcpu] : NULL;
}

static int cpus_check(struct creation *c)
{
	const char *mask = c->options->ignore_cpumask ? NULL : c->options->cpumask;
	struct cpumap map;
	unsigned int i;
	int err = 0;

	if (c->dc.cpus_count == 0 && c->dc.cpus_soft_count == 0 && mask == NULL)
		return 0;
	err = topology_get(c);
	if (err == 0)
		err = cpumap_init(&map, c->topology.count);
	if (err != 0)
		return err;
	for (i = 0; i < c->dc.cpus_count && err == 0; i++)
		err = cpulist_parse(c->dc.cpus[i], &c->topology, &map);
	for (i = 0; i < c->dc.cpus_soft_count && err == 0; i++)
		err = cpulist_parse(c->dc.cpus_soft[i], &c->topology, &map);
	if (err == 0 && mask != NULL)
		err = cpulist_parse(mask, &c->topology, &map);
	cpumap_free(&map);
	return err;
}

static int name_lock(struct creation *c)
{
	uint32_t other;
	int err;

	c->lock = lock_get("lock", c->dc.name, LOCK_MS);
	if (c->lock < 0)
		return c->lock == -EBUSY ? reason_set(EBUSY, "another command is creating or renaming \"%s\" at this moment",
						      c->dc.name) : c->lock;
	err = domain_find(c->host, c->dc.name, &other);
	if (err == 0)
		return reason_set(EEXIST, "a domain named \"%s\" exists already (domain %u); choose another name, or end it with: "
				  "xl destroy %s", c->dc.name, other, c->dc.name);
	return err == -ESRCH ? 0 : err;
}

/* From here on somebody clears up after us. */
static int journal_begin(struct creation *c)
{
	return journal_put(c->uuid, c->dc.name);
}

static int memory_make(struct creation *c)
{
	return host_memory_free(c->host, c->dc.memory_kib + 1024 + 64ul * c->dc.max_vcpus, c->options->autoballoon);
}

/* ---- the domain ---- */

static uint32_t domid_choose(void)
{
	uint8_t bytes[16];

	uuid_random(bytes);
	return 1 + ((uint32_t)bytes[0] << 8 | bytes[1]) % 0x7fee;
}

static int domain_make(struct creation *c)
{
	struct ctrl_domain_create create = {
		.max_vcpus = c->dc.max_vcpus,
		.max_event_port = c->dc.max_event_channels > 0 ? (uint32_t)c->dc.max_event_channels : EVENT_PORT_DEFAULT,
		.max_grant_frames = (int32_t)c->dc.max_grant_frames,
		.max_maptrack_frames = (int32_t)c->dc.max_maptrack_frames,
		.grant_version = c->dc.max_grant_version > 0 ? (uint32_t)c->dc.max_grant_version : 0,
		.cpupool = c->pool,
	};
	uint32_t wanted = c->options->domid;
	int tries, err;

	memcpy(create.uuid, c->dc.uuid, sizeof(create.uuid));
	if (wanted != DOMAIN_DOMID_RANDOM)
		return ctrl_domain_create(c->ctrl, &create, wanted, &c->domid);
	for (tries = 0, err = -EEXIST; tries < 100 && err == -EEXIST; tries++)
		err = ctrl_domain_create(c->ctrl, &create, domid_choose(), &c->domid);
	return err;
}

static int vcpu_place(struct creation *c, unsigned int vcpu, struct cpumap *hard, struct cpumap *soft, const struct cpumap *mask)
{
	const char *hard_text = cpus_of(c->dc.cpus, c->dc.cpus_count, vcpu);
	const char *soft_text = cpus_of(c->dc.cpus_soft, c->dc.cpus_soft_count, vcpu);
	struct ctrl_bitmap hard_bits = { hard->bits, hard->count }, soft_bits = { soft->bits, soft->count };
	unsigned int cpu;
	int err = 0;

	if (hard_text == NULL && soft_text == NULL && mask == NULL)
		return 0;
	err = cpulist_parse(hard_text != NULL ? hard_text : "all", &c->topology, hard);
	if (err == 0)
		err = cpulist_parse(soft_text != NULL ? soft_text : "all", &c->topology, soft);
	for (cpu = 0; mask != NULL && cpu < hard->count; cpu++) {
		if (!cpumap_test(mask, cpu))
			cpumap_set(hard, cpu, false);
	}
	if (err == 0 && cpumap_empty(hard))
		return reason_set(EINVAL, "cpus: no CPU is left for vCPU %u (vm.cpumask in xl.conf counts too)", vcpu);
	if (err == 0)
		err = ctrl_vcpu_set_affinity(c->ctrl, c->domid, vcpu, &hard_bits, soft_text != NULL ? &soft_bits : NULL, false);
	return err;
}

static int vcpus_place(struct creation *c)
{
	const char *mask_text = c->options->ignore_cpumask ? NULL : c->options->cpumask;
	struct cpumap hard = { 0 }, soft = { 0 }, mask = { 0 };
	unsigned int i;
	int err;

	if (c->topology.count == 0)
		return 0;
	err = cpumap_init(&hard, c->topology.count);
	if (err == 0)
		err = cpumap_init(&soft, c->topology.count);
	if (err == 0)
		err = cpumap_init(&mask, c->topology.count);
	if (err == 0 && mask_text != NULL)
		err = cpulist_parse(mask_text, &c->topology, &mask);
	for (i = 0; i < c->dc.max_vcpus && err == 0; i++)
		err = vcpu_place(c, i, &hard, &soft, mask_text != NULL ? &mask : NULL);
	cpumap_free(&hard);
	cpumap_free(&soft);
	cpumap_free(&mask);
	return err;
}

static int schedule_set(struct creation *c)
{
	struct ctrl_sched_credit value = { .weight = 0, .cap = 65535 };

	if (c->dc.weight < 0 && c->dc.cap < 0)
		return 0;
	if (c->scheduler != XEN_SCHEDULER_CREDIT && c->scheduler != XEN_SCHEDULER_CREDIT2)
		return reason_set(EOPNOTSUPP, "the scheduler of the CPU pool knows neither cpu_weight nor cap");
	if (c->dc.weight >= 0)
		value.weight = (uint16_t)c->dc.weight;
	if (c->dc.cap >= 0)
		value.cap = (uint16_t)c->dc.cap;
	return ctrl_sched_set_credit(c->ctrl, c->domid, c->scheduler, &value);
}

static int time_set(struct creation *c)
{
	long offset = c->dc.rtc_timeoffset;
	time_t now = time(NULL);
	struct tm local;

	if (c->dc.localtime && localtime_r(&now, &local) != NULL)
		offset += local.tm_gmtoff;
	return offset != 0 ? ctrl_domain_set_time_offset(c->ctrl, c->domid, offset) : 0;
}

static int settings_set(struct creation *c)
{
	int err = ctrl_domain_set_max_vcpus(c->ctrl, c->domid, c->dc.max_vcpus);

	/* It has them from its creation on where the hypervisor does it so. */
	if (err == -EINVAL || err == -EOPNOTSUPP || err == -ENOSYS)
		err = 0;
	if (err == 0)
		err = vcpus_place(c);
	if (err == 0)
		err = schedule_set(c);
	return err == 0 ? time_set(c) : err;
}

/* Instead of a kernel: what another domain has become. */
static int restore(struct creation *c)
{
	const struct ctrl_memory_region region = { .start = 0, .size = c->dc.maxmem_kib << 10, .type = 1 };
	struct migrate_restore restore = { .domid = c->domid, .fd = c->options->stream_fd };
	struct migrate_restored out;
	int port, err = ctrl_domain_set_max_memory(c->ctrl, c->domid, c->dc.maxmem_kib + SLACK_KIB);

	if (err == 0)
		err = ctrl_domain_set_memory_map(c->ctrl, c->domid, &region, 1);
	if (err != 0)
		return err;
	port = ctrl_evtchn_alloc_unbound(c->ctrl, c->domid, 0);
	if (port < 0)
		return port;
	restore.store_port = (uint32_t)port;
	port = ctrl_evtchn_alloc_unbound(c->ctrl, c->domid, 0);
	if (port < 0)
		return port;
	restore.console_port = (uint32_t)port;
	err = migrate_restore(c->ctrl, &restore, &out);
	if (err != 0)
		return err;
	c->built = (struct build_result){ .pages = out.pages, .store_frame = out.store_frame, .console_frame = out.console_frame,
					  .store_port = restore.store_port, .console_port = restore.console_port };
	return 0;
}

static int build(struct creation *c)
{
	struct build_config config = {
		.type = BUILD_PV,
		.memory_kib = c->dc.memory_kib,
		.max_memory_kib = c->dc.maxmem_kib,
		.vcpus = c->dc.max_vcpus,
		.command_line = c->dc.cmdline,
		.claim = c->dc.claim,
	};
	int err;

	if (c->options->stream_fd > 0)
		return restore(c);
	err = build_pv(c->ctrl, c->domid, c->image, &config, &c->built);
	build_image_close(c->image);
	c->image = NULL;
	return err;
}

static int introduce(struct creation *c)
{
	return store_introduce(c->store, c->domid, c->built.store_frame, c->built.store_port);
}

static int devices_connect(struct creation *c)
{
	struct device d;
	size_t i;
	int err = 0;

	for (i = 0; i < c->dc.disks_count && err == 0; i++) {
		err = vbd_device(c->host, c->domid, &c->dc.disks[i], &d);
		if (err == 0)
			err = vbd_connect(c->host, &d, &c->dc.disks[i]);
	}
	for (i = 0; i < c->dc.vifs_count && err == 0; i++) {
		err = vif_device(c->host, c->domid, &c->dc.vifs[i], (unsigned int)c->dc.vifs[i].devid, &d);
		if (err == 0)
			err = vif_connect(c->host, &d, &c->dc.vifs[i]);
	}
	return err;
}

/* The moment from which on the domain stays: its record is there, and its journal is not. */
static int record_write(struct creation *c)
{
	struct domain_record record = { .unwatched = c->options->unwatched, .config = c->dc };
	int err = domain_record_put(c->domid, &record);

	if (err == 0)
		journal_remove(c->uuid);
	return err;
}

static int start(struct creation *c)
{
	return c->options->paused ? 0 : ctrl_domain_unpause(c->ctrl, c->domid);
}

static const struct {
	int (*run)(struct creation *c);
	bool made;	/* from this step on there is a domain to destroy */
} steps[] = {
	{ watcher_begin, false },
	{ files_check, false },
	{ devices_check, false },
	{ pool_find, false },
	{ cpus_check, false },
	{ name_lock, false },
	{ journal_begin, false },
	{ memory_make, false },
	{ domain_make, false },
	{ settings_set, true },
	{ build, true },
	{ store_fill, true },
	{ introduce, true },
	{ devices_connect, true },
	{ record_write, true },
	{ start, true },
};

/* A copy whose gaps are filled in: UUID, addresses and numbers of cards. */
static int config_complete(struct creation *c, const struct domain_config *dc)
{
	struct json_object *json = domain_config_json(dc);
	size_t i, k;
	int err, next = 0;

	domain_config_init(&c->dc);
	if (json == NULL)
		return reason_set(ENOMEM, "out of memory");
	err = domain_config_read_json(&c->dc, json);
	json_object_put(json);
	if (err != 0)
		return err;
	if (!c->dc.uuid_set)
		uuid_random(c->dc.uuid);
	c->dc.uuid_set = true;
	uuid_format(c->dc.uuid, c->uuid);
	for (i = 0; i < c->dc.vifs_count; i++) {
		struct vif_config *vif = &c->dc.vifs[i];

		if (!vif->mac_set)
			mac_random(vif->mac);
		vif->mac_set = true;
		if (vif->devid >= 0)
			continue;
		for (k = 0; k < c->dc.vifs_count; k++) {
			if (c->dc.vifs[k].devid == next) {
				next++;
				k = (size_t)-1;
			}
		}
		vif->devid = next++;
	}
	return 0;
}

int domain_create(struct host *host, const struct domain_config *dc, const struct domain_create_options *options, uint32_t *domid)
{
	struct creation c = { .host = host, .options = options, .lock = -1, .guard = -1 };
	char why[512];
	size_t i;
	int err = config_complete(&c, dc);

	if (err == 0)
		err = host_ctrl(host, &c.ctrl);
	if (err == 0)
		err = host_store(host, &c.store);
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]) && err == 0; i++) {
		err = steps[i].run(&c);
		if (err != 0 && steps[i].made) {
			snprintf(why, sizeof(why), "%s", reason_get());
			if (domain_destroy(host, c.domid) != 0)
				host_warn(host, "what was made of the domain could not be removed: %s", reason_get());
			(void)reason_set(-err, "%s", why);
		}
	}
	if (err != 0)
		journal_remove(c.uuid);
	else
		*domid = c.domid;
	if (c.guard >= 0)
		close(c.guard);
	lock_put(c.lock, "lock", c.dc.name);
	build_image_close(c.image);
	free(c.node_of_cpu);
	domain_config_free(&c.dc);
	return err;
}
