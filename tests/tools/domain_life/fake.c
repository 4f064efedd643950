/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/io/xenbus.h>
#include <xen/io/xs_wire.h>
#include <xen/sysctl.h>

#include "argon/build.h"
#include "argon/migrate.h"
#include "argon/reason.h"
#include "fake.h"
#include "tools/lib/domain/create.h"
#include "tools/lib/domain/loop.h"

struct fake fake;

/* Counts a call. @return whether it is the one that fails */
static bool fails(void)
{
	fake.calls++;
	if (fake.calls == fake.die_at)
		longjmp(fake.death, 1);
	return fake.calls == fake.fail_at;
}

static int failure(const char *what)
{
	return reason_set(EIO, "%s fails, as it should", what);
}

void fake_reset(void)
{
	unsigned int i;

	for (i = 0; i < fake.nodes; i++) {
		free(fake.paths[i]);
		free(fake.values[i]);
	}
	memset(&fake, 0, sizeof(fake));
	fake.next_domid = 1;
	fake.free_pages = 1 << 20;
	fake.domains[0].there = true;
	fake_write("/local/domain/0/name", "Domain-0");
}

/* ---- the store's tree ---- */

const char *fake_read(const char *path)
{
	unsigned int i;

	for (i = 0; i < fake.nodes; i++) {
		if (strcmp(fake.paths[i], path) == 0)
			return fake.values[i];
	}
	return NULL;
}

void fake_write(const char *path, const char *value)
{
	char parent[512];
	unsigned int i;

	for (i = 0; i < fake.nodes; i++) {
		if (strcmp(fake.paths[i], path) == 0) {
			free(fake.values[i]);
			fake.values[i] = strdup(value);
			return;
		}
	}
	snprintf(parent, sizeof(parent), "%s", path);
	*strrchr(parent, '/') = '\0';
	if (parent[0] != '\0' && fake_read(parent) == NULL)
		fake_write(parent, "");
	if (fake.nodes == FAKE_NODES)
		abort();
	fake.paths[fake.nodes] = strdup(path);
	fake.values[fake.nodes++] = strdup(value);
}

void fake_remove(const char *path)
{
	size_t length = strlen(path);
	unsigned int i, kept = 0;

	for (i = 0; i < fake.nodes; i++) {
		if (strncmp(fake.paths[i], path, length) == 0 && (fake.paths[i][length] == '/' || fake.paths[i][length] == '\0')) {
			free(fake.paths[i]);
			free(fake.values[i]);
			continue;
		}
		fake.paths[kept] = fake.paths[i];
		fake.values[kept++] = fake.values[i];
	}
	fake.nodes = kept;
}

/* ---- store.h ---- */

static char store_handle;

int store_open(struct store **out)
{
	*out = (struct store *)&store_handle;
	return fails() ? failure("store_open") : 0;
}

void store_close(struct store *store) { (void)store; }

static int read_text(const char *path, char **value)
{
	const char *text = fake_read(path);

	if (fails())
		return failure("store_read");
	if (text == NULL)
		return reason_set(ENOENT, "%s: no such node", path);
	*value = strdup(text);
	return 0;
}

int store_read_at(struct store *store, store_tx_t tx, const char *dir, const char *key, char **value)
{
	char path[512];

	(void)store;
	(void)tx;
	snprintf(path, sizeof(path), "%s/%s", dir, key);
	return read_text(path, value);
}

int store_readf(struct store *store, store_tx_t tx, char **value, const char *format, ...)
{
	char path[512];
	va_list args;

	(void)store;
	(void)tx;
	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	return read_text(path, value);
}

int store_scan_at(struct store *store, store_tx_t tx, const char *dir, const char *key, const char *format, ...)
{
	char *text;
	va_list args;
	int n = store_read_at(store, tx, dir, key, &text);

	if (n != 0)
		return n;
	va_start(args, format);
	n = vsscanf(text, format, args);
	va_end(args);
	free(text);
	return n;
}

int store_write_at(struct store *store, store_tx_t tx, const char *dir, const char *key, const char *format, ...)
{
	char path[512], value[512];
	va_list args;

	(void)store;
	(void)tx;
	if (fails())
		return failure("store_write");
	va_start(args, format);
	vsnprintf(value, sizeof(value), format, args);
	va_end(args);
	snprintf(path, sizeof(path), "%s/%s", dir, key);
	fake_write(path, value);
	return 0;
}

int store_rm(struct store *store, store_tx_t tx, const char *path)
{
	(void)store;
	(void)tx;
	if (fails())
		return failure("store_rm");
	fake_remove(path);
	return 0;
}

int store_rmf(struct store *store, store_tx_t tx, const char *format, ...)
{
	char path[512];
	va_list args;

	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	return store_rm(store, tx, path);
}

int store_exists(struct store *store, store_tx_t tx, const char *path)
{
	(void)store;
	(void)tx;
	return fails() ? failure("store_exists") : fake_read(path) != NULL;
}

int store_put(struct store *store, store_tx_t tx, const struct store_entry *entries, size_t count)
{
	size_t i;

	(void)store;
	/* Within a transaction all of it is lost; outside it stops halfway. */
	if (fails()) {
		for (i = 0; tx == STORE_NO_TX && i < count / 2; i++)
			fake_write(entries[i].path, entries[i].value != NULL ? entries[i].value : "");
		return failure("store_put");
	}
	for (i = 0; i < count; i++)
		fake_write(entries[i].path, entries[i].value != NULL ? entries[i].value : "");
	return 0;
}

int store_transaction(struct store *store, store_tx_body *body, void *context)
{
	if (fails())
		return failure("store_transaction");
	return body(store, 1, context);
}

int store_directory(struct store *store, store_tx_t tx, const char *path, char ***names)
{
	size_t length = strlen(path), used = 0;
	char **list, *text;
	unsigned int i;
	int count = 0;

	(void)store;
	(void)tx;
	if (fails())
		return failure("store_directory");
	if (fake_read(path) == NULL)
		return -ENOENT;
	list = calloc(1, FAKE_NODES * (sizeof(*list) + 64));
	text = (char *)(list + FAKE_NODES);
	for (i = 0; i < fake.nodes; i++) {
		const char *p = fake.paths[i];

		if (strncmp(p, path, length) != 0 || p[length] != '/' || strchr(p + length + 1, '/') != NULL)
			continue;
		list[count++] = strcpy(text + used, p + length + 1);
		used += strlen(p + length + 1) + 1;
	}
	*names = list;
	return count;
}

int store_submit(struct store *store, uint32_t type, store_tx_t tx, const void *data, size_t bytes, store_done *done, void *context)
{
	const char *value = fake_read(data);

	(void)store;
	(void)tx;
	(void)bytes;
	if (type != XS_READ || fails())
		return failure("store_submit");
	done(context, value != NULL ? 0 : -ENOENT, value, value != NULL ? strlen(value) : 0);
	return 0;
}

int store_drain(struct store *store)
{
	(void)store;
	return fails() ? failure("store_drain") : 0;
}

int store_introduce(struct store *store, uint32_t domid, uint64_t gfn, uint32_t port)
{
	(void)store;
	(void)gfn;
	(void)port;
	if (fails())
		return failure("store_introduce");
	fake.domains[domid].introduced = true;
	return 0;
}

int store_release(struct store *store, uint32_t domid)
{
	(void)store;
	fake.domains[domid].introduced = false;
	return 0;
}

int store_watch(struct store *store, const char *path, const char *token, int depth)
{
	(void)store;
	(void)path;
	(void)token;
	(void)depth;
	return fails() ? failure("store_watch") : 0;
}

int store_unwatch(struct store *store, const char *path, const char *token)
{
	(void)store;
	(void)path;
	(void)token;
	return 0;
}

/* The guest's front end lets go when it is asked to. */
int store_event_wait(struct store *store, struct store_event *event, int timeout)
{
	unsigned int i;

	(void)store;
	(void)event;
	(void)timeout;
	for (i = 0; i < fake.nodes; i++) {
		if (strstr(fake.paths[i], "/backend/") != NULL && strstr(fake.paths[i], "/state") != NULL &&
		    atoi(fake.values[i]) == XenbusStateClosing) {
			free(fake.values[i]);
			fake.values[i] = strdup("6");
		}
	}
	return 0;
}

void store_event_free(struct store_event *event) { (void)event; }

/* ---- ctrl.h ---- */

static char ctrl_handle;

int ctrl_open(struct ctrl **out)
{
	*out = (struct ctrl *)&ctrl_handle;
	return fails() ? failure("ctrl_open") : 0;
}

void ctrl_close(struct ctrl *ctrl) { (void)ctrl; }

int ctrl_domain_create(struct ctrl *ctrl, const struct ctrl_domain_create *config, uint32_t wanted, uint32_t *domid)
{
	(void)ctrl;
	if (fails())
		return failure("ctrl_domain_create");
	*domid = wanted != 0 ? wanted : fake.next_domid++;
	fake.domains[*domid] = (struct fake_domain){ .there = true, .paused = true };
	memcpy(fake.domains[*domid].uuid, config->uuid, 16);
	return 0;
}

int ctrl_domain_destroy(struct ctrl *ctrl, uint32_t domid)
{
	(void)ctrl;
	if (!fake.domains[domid].there)
		return reason_set(ESRCH, "no such domain");
	if (fails())
		return failure("ctrl_domain_destroy");
	fake.domains[domid].there = false;
	return 0;
}

static void info_fill(uint32_t domid, struct ctrl_domain_info *out)
{
	*out = (struct ctrl_domain_info){ .domid = domid, .paused = fake.domains[domid].paused, .max_vcpu_id = 1 };
	memcpy(out->uuid, fake.domains[domid].uuid, 16);
}

int ctrl_domain_info(struct ctrl *ctrl, uint32_t domid, struct ctrl_domain_info *out)
{
	(void)ctrl;
	if (domid >= FAKE_DOMAINS || !fake.domains[domid].there)
		return reason_set(ESRCH, "no such domain");
	info_fill(domid, out);
	return 0;
}

int ctrl_domain_list_all(struct ctrl *ctrl, struct ctrl_domain_info **out)
{
	uint32_t i;
	int count = 0;

	(void)ctrl;
	if (fails())
		return failure("ctrl_domain_list_all");
	*out = calloc(FAKE_DOMAINS, sizeof(**out));
	for (i = 0; i < FAKE_DOMAINS; i++) {
		if (fake.domains[i].there)
			info_fill(i, &(*out)[count++]);
	}
	return count;
}

int ctrl_domain_pause(struct ctrl *ctrl, uint32_t domid)
{
	(void)ctrl;
	fake.domains[domid].paused = true;
	return 0;
}

int ctrl_domain_unpause(struct ctrl *ctrl, uint32_t domid)
{
	(void)ctrl;
	if (fails())
		return failure("ctrl_domain_unpause");
	fake.domains[domid].paused = false;
	return 0;
}

#define CTRL_CALL(name, ...) \
	int name(__VA_ARGS__); \
	int name(__VA_ARGS__) { return fails() ? failure(#name) : 0; }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wredundant-decls"
CTRL_CALL(ctrl_domain_set_max_vcpus, struct ctrl *ctrl, uint32_t domid, uint32_t count)
CTRL_CALL(ctrl_domain_set_max_memory, struct ctrl *ctrl, uint32_t domid, uint64_t kib)
CTRL_CALL(ctrl_domain_set_time_offset, struct ctrl *ctrl, uint32_t domid, int64_t seconds)
CTRL_CALL(ctrl_domain_set_memory_map, struct ctrl *ctrl, uint32_t domid, const struct ctrl_memory_region *regions, uint32_t count)
CTRL_CALL(ctrl_sched_set_credit, struct ctrl *ctrl, uint32_t domid, uint32_t scheduler, const struct ctrl_sched_credit *value)
CTRL_CALL(ctrl_evtchn_alloc_unbound, struct ctrl *ctrl, uint32_t domid, uint32_t remote)
CTRL_CALL(ctrl_vcpu_set_affinity, struct ctrl *ctrl, uint32_t domid, uint32_t vcpu, struct ctrl_bitmap *hard,
	  struct ctrl_bitmap *soft, bool force)
CTRL_CALL(migrate_restore, struct ctrl *ctrl, const struct migrate_restore *restore, struct migrate_restored *out)
#pragma GCC diagnostic pop

int ctrl_cpupool_info(struct ctrl *ctrl, uint32_t pool, struct ctrl_cpupool_info *out, struct ctrl_bitmap *cpus)
{
	(void)ctrl;
	(void)cpus;
	if (fails())
		return failure("ctrl_cpupool_info");
	if (pool > 0)
		return -ENOENT;
	*out = (struct ctrl_cpupool_info){ .scheduler = XEN_SCHEDULER_CREDIT2, .domains = 1 };
	return 0;
}

int ctrl_cpu_topology(struct ctrl *ctrl, struct ctrl_cpu_topology **out)
{
	(void)ctrl;
	if (fails())
		return failure("ctrl_cpu_topology");
	*out = calloc(4, sizeof(**out));
	return 4;
}

int ctrl_physinfo(struct ctrl *ctrl, struct ctrl_physinfo *out)
{
	(void)ctrl;
	*out = (struct ctrl_physinfo){ .free_pages = fake.free_pages, .cpus = 4 };
	return fails() ? failure("ctrl_physinfo") : 0;
}

int ctrl_version(struct ctrl *ctrl, struct ctrl_version *out)
{
	(void)ctrl;
	memset(out, 0, sizeof(*out));
	strcpy(out->command_line, "dom0_mem=512M");
	return fails() ? failure("ctrl_version") : 0;
}

/* ---- the builder ---- */

int build_image_open(const struct build_source *source, struct build_image **out)
{
	(void)source;
	if (fails())
		return failure("build_image_open");
	*out = malloc(1);
	return 0;
}

void build_image_close(struct build_image *image) { free(image); }

int build_pv(struct ctrl *ctrl, uint32_t domid, const struct build_image *image, const struct build_config *config,
	     struct build_result *out)
{
	(void)ctrl;
	(void)image;
	(void)config;
	if (fails())
		return failure("build_pv");
	fake.domains[domid].built = true;
	*out = (struct build_result){ .store_frame = 100, .console_frame = 101, .store_port = 1, .console_port = 2 };
	return 0;
}

/* ---- the host ---- */

int net_open(struct net **out)
{
	*out = NULL;
	return fails() ? failure("net_open") : 0;
}

void net_close(struct net *net) { (void)net; }

int net_bridge_check(struct net *net, const char *bridge, uint32_t *mtu)
{
	(void)net;
	(void)bridge;
	(void)mtu;
	return fails() ? failure("net_bridge_check") : 0;
}

int net_interface_wait(struct net *net, const char *name, unsigned int milliseconds)
{
	(void)net;
	(void)name;
	(void)milliseconds;
	return fails() ? failure("net_interface_wait") : 0;
}

int net_port_setup(struct net *net, const struct net_port *port)
{
	(void)net;
	(void)port;
	if (fails())
		return failure("net_port_setup");
	fake.ports++;
	return 0;
}

int disk_source_check(const char *target, bool readonly)
{
	(void)target;
	(void)readonly;
	return fails() ? failure("disk_source_check") : 0;
}

int disk_source_open(struct disk_source *source, const char *target, bool readonly)
{
	(void)target;
	(void)readonly;
	if (fails())
		return failure("disk_source_open");
	*source = (struct disk_source){ .fd = -1, .major = 7 };
	fake.sources_open++;
	return 0;
}

void disk_source_close(struct disk_source *source)
{
	(void)source;
	fake.sources_open--;
}

int disk_backend_wait(uint32_t domid, uint32_t devid, unsigned int milliseconds)
{
	(void)domid;
	(void)devid;
	(void)milliseconds;
	return fails() ? failure("disk_backend_wait") : 0;
}

int watch_guard(const char *uuid, int *fd)
{
	(void)uuid;
	(void)fd;
	return fails() ? failure("watch_guard") : 0;
}
