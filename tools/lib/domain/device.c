/* SPDX-License-Identifier: BSD-2-Clause */
/* What all devices have in common: nodes in the store, waiting for back ends, a user's scripts. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <xen/io/xenbus.h>

#include "argon/reason.h"
#include "internal.h"

#define SCRIPT_DIR "/etc/xen/scripts"

/* ---- nodes ---- */

struct node {
	struct store_perm perms[2];
	char text[];		/* path, value */
};

void nodes_free(struct nodes *n)
{
	size_t i;

	for (i = 0; i < n->count; i++)
		free((char *)(uintptr_t)n->entries[i].path - offsetof(struct node, text));
	free(n->entries);
	memset(n, 0, sizeof(*n));
}

void nodes_add(struct nodes *n, uint32_t owner, uint32_t reader, const char *path, const char *value)
{
	size_t path_size = strlen(path) + 1, value_size = value != NULL ? strlen(value) + 1 : 0;
	struct store_entry *entries;
	struct node *node;

	if (n->count == n->room) {
		entries = realloc(n->entries, (n->room + 64) * sizeof(*entries));
		if (entries == NULL) {
			n->failed = true;
			return;
		}
		n->entries = entries;
		n->room += 64;
	}
	node = malloc(sizeof(*node) + path_size + value_size);
	if (node == NULL) {
		n->failed = true;
		return;
	}
	memcpy(node->text, path, path_size);
	if (value != NULL)
		memcpy(node->text + path_size, value, value_size);
	node->perms[0] = (struct store_perm){ owner, STORE_PERM_NONE };
	node->perms[1] = (struct store_perm){ reader, STORE_PERM_READ };
	n->entries[n->count++] = (struct store_entry){
		.path = node->text,
		.value = value != NULL ? node->text + path_size : NULL,
		.perms = owner == ~0u ? NULL : node->perms,
		.perm_count = owner == ~0u ? 0 : reader == ~0u ? 1 : 2,
	};
}

void nodes_addf(struct nodes *n, uint32_t owner, uint32_t reader, const char *dir, const char *key, const char *format, ...)
{
	char path[PATH_ROOM + 64], value[2048];
	va_list args;

	va_start(args, format);
	if (vsnprintf(value, sizeof(value), format, args) >= (int)sizeof(value))
		n->failed = true;
	va_end(args);
	snprintf(path, sizeof(path), "%s/%s", dir, key);
	nodes_add(n, owner, reader, path, value);
}

int nodes_write(struct nodes *n, struct store *store, store_tx_t tx)
{
	if (n->failed)
		return reason_set(ENOMEM, "out of memory");
	return store_put(store, tx, n->entries, n->count);
}

/* ---- paths ---- */

void device_frontend(const struct device *d, char path[PATH_ROOM])
{
	/* The first console is the domain's own and older than the others. */
	if (strcmp(d->kind, "console") == 0 && d->devid == 0)
		snprintf(path, PATH_ROOM, "/local/domain/%u/console", d->domid);
	else
		snprintf(path, PATH_ROOM, "/local/domain/%u/device/%s/%u", d->domid, d->kind, d->devid);
}

void device_backend(const struct device *d, char path[PATH_ROOM])
{
	snprintf(path, PATH_ROOM, "/local/domain/%u/backend/%s/%u/%u", d->backend_domid, d->backend_kind, d->domid, d->devid);
}

void device_libxl(const struct device *d, char path[PATH_ROOM])
{
	snprintf(path, PATH_ROOM, "/libxl/%u/device/%s/%u", d->domid, d->kind, d->devid);
}

void device_back_nodes(struct nodes *n, const struct device *d)
{
	char front[PATH_ROOM], back[PATH_ROOM], own[PATH_ROOM];

	device_frontend(d, front);
	device_backend(d, back);
	device_libxl(d, own);
	nodes_add(n, 0, ~0u, own, "");
	nodes_addf(n, ~0u, 0, own, "frontend", "%s", front);
	nodes_addf(n, ~0u, 0, own, "backend", "%s", back);
	nodes_addf(n, ~0u, 0, own, "frontend-id", "%u", d->domid);
	nodes_addf(n, ~0u, 0, own, "online", "1");
	nodes_addf(n, ~0u, 0, own, "state", "%d", XenbusStateInitialising);
	nodes_add(n, d->backend_domid, d->domid, back, "");
	nodes_addf(n, ~0u, 0, back, "frontend", "%s", front);
	nodes_addf(n, ~0u, 0, back, "frontend-id", "%u", d->domid);
	nodes_addf(n, ~0u, 0, back, "online", "1");
	nodes_addf(n, ~0u, 0, back, "state", "%d", XenbusStateInitialising);
}

void device_nodes(struct nodes *n, const struct device *d)
{
	char front[PATH_ROOM], back[PATH_ROOM];

	device_frontend(d, front);
	device_backend(d, back);
	nodes_add(n, d->domid, d->backend_domid, front, "");
	nodes_addf(n, ~0u, 0, front, "backend", "%s", back);
	nodes_addf(n, ~0u, 0, front, "backend-id", "%u", d->backend_domid);
	nodes_addf(n, ~0u, 0, front, "state", "%d", XenbusStateInitialising);
	device_back_nodes(n, d);
}

void device_nodes_remove(struct store *store, store_tx_t tx, const struct device *d)
{
	char path[PATH_ROOM];

	device_backend(d, path);
	(void)store_rm(store, tx, path);
	device_frontend(d, path);
	(void)store_rm(store, tx, path);
	device_libxl(d, path);
	(void)store_rm(store, tx, path);
}

/* ---- waiting ---- */

int device_backend_wait(struct host *host, const struct device *d, unsigned int states, unsigned int milliseconds)
{
	char back[PATH_ROOM], path[PATH_ROOM + 8], token[64];
	long end = time_ms() + (long)milliseconds, left;
	struct store_event event;
	struct store *store;
	int state = -1, err = host_store(host, &store);

	if (err != 0)
		return err;
	device_backend(d, back);
	snprintf(path, sizeof(path), "%s/state", back);
	snprintf(token, sizeof(token), "wait-%s-%u-%u", d->kind, d->domid, d->devid);
	err = store_watch(store, path, token, -1);
	if (err != 0)
		return err;
	for (;;) {
		/* A back end that is gone is as closed as can be. */
		if (store_scan_at(store, STORE_NO_TX, back, "state", "%d", &state) != 1)
			state = XenbusStateClosed;
		if (state >= 0 && (states >> state & 1) != 0) {
			err = 0;
			break;
		}
		left = end - time_ms();
		if (left <= 0) {
			err = reason_set(ETIMEDOUT, "%s", state == XenbusStateInitialising ?
					 "the back end does not answer; is its kernel module loaded?" :
					 "the back end and the guest do not come to an end");
			break;
		}
		if (store_event_wait(store, &event, (int)left) > 0)
			store_event_free(&event);
	}
	(void)store_unwatch(store, path, token);
	return err;
}

void device_gone_wait(const struct device *d, unsigned int milliseconds)
{
	long end = time_ms() + (long)milliseconds;
	struct timespec pause = { .tv_nsec = 500000 };
	char path[128];

	if (d->backend_domid != 0)
		return;
	snprintf(path, sizeof(path), "/sys/bus/xen-backend/devices/%s-%u-%u", d->backend_kind, d->domid, d->devid);
	while (access(path, F_OK) == 0 && time_ms() < end) {
		nanosleep(&pause, NULL);
		if (pause.tv_nsec < 20000000)
			pause.tv_nsec *= 2;
	}
}

/* ---- a user's script ---- */

static int script_wait(pid_t pid, const char *script)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return reason_set(errno, "%s: %s", script, strerror(errno));
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFEXITED(status))
		return reason_set(EIO, "%s exited with status %d", script, WEXITSTATUS(status));
	return reason_set(EIO, "%s was killed by signal %d", script, WTERMSIG(status));
}

static int script_spawn(char *const argv[], char *const env[])
{
	posix_spawnattr_t attr;
	sigset_t none;
	pid_t pid;
	int err;

	sigemptyset(&none);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	err = posix_spawn(&pid, argv[0], NULL, &attr, argv, env);
	posix_spawnattr_destroy(&attr);
	if (err != 0)
		return reason_set(err, "cannot run the script %s: %s", argv[0], strerror(err));
	return script_wait(pid, argv[0]);
}

/* What the script has written about its success. */
static int script_result(struct host *host, const struct device *d, const char *script)
{
	char back[PATH_ROOM], *status = NULL, *text = NULL;
	struct store *store;
	int err = host_store(host, &store);

	if (err != 0)
		return err;
	device_backend(d, back);
	err = store_read_at(store, STORE_NO_TX, back, "hotplug-status", &status);
	if (err == -ENOENT)
		return reason_set(EIO, "%s did not say that it is done (hotplug-status)", script);
	if (err == 0 && strcmp(status, "connected") != 0) {
		(void)store_read_at(store, STORE_NO_TX, back, "hotplug-error", &text);
		err = reason_set(EIO, "%s: %s", script, text != NULL ? text : status);
	}
	free(status);
	free(text);
	return err;
}

int device_script(struct host *host, const struct device *d, const char *script, const char *action, const char *interface)
{
	char path[512], env_path[PATH_ROOM + 32], env_type[48], env_script[560], env_vif[64] = "vif=", back[PATH_ROOM];
	char verb[16], type_if[16] = "type_if=vif";
	char *argv[] = { path, verb, interface != NULL ? type_if : NULL, NULL };
	char base[] = "XENBUS_BASE_PATH=backend", search[1024] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	char lang[] = "LANG=C", netdev[] = "netdev=";
	char *env[] = { env_path, env_type, base, env_script, search, lang, interface != NULL ? env_vif : NULL, netdev, NULL };
	int err;

	if (strchr(script, '/') != NULL)
		snprintf(path, sizeof(path), "%s", script);
	else
		snprintf(path, sizeof(path), SCRIPT_DIR "/%s", script);
	snprintf(verb, sizeof(verb), "%s", action);
	device_backend(d, back);
	/* Scripts expect the path relative to the back end's domain. */
	snprintf(env_path, sizeof(env_path), "XENBUS_PATH=backend/%s/%u/%u", d->backend_kind, d->domid, d->devid);
	snprintf(env_type, sizeof(env_type), "XENBUS_TYPE=%s", d->backend_kind);
	snprintf(env_script, sizeof(env_script), "script=%s", path);
	if (getenv("PATH") != NULL)
		snprintf(search, sizeof(search), "PATH=%s", getenv("PATH"));
	if (interface != NULL)
		snprintf(env_vif, sizeof(env_vif), "vif=%s", interface);
	if (access(path, X_OK) != 0)
		return reason_set(errno, "the script %s cannot be run: %s", path, strerror(errno));
	err = script_spawn(argv, env);
	if (strcmp(action, "add") != 0 && strcmp(action, "online") != 0)
		return err;
	if (err != 0) {
		char why[300];

		/* Its own words are better than its exit status. */
		snprintf(why, sizeof(why), "%s", reason_get());
		if (script_result(host, d, path) == 0 || strstr(reason_get(), "hotplug-status") != NULL)
			err = reason_set(EIO, "%s", why);
		return err;
	}
	return script_result(host, d, path);
}

/* ---- lists ---- */

void device_list_free(struct device_info *list, size_t count)
{
	size_t i;

	for (i = 0; list != NULL && i < count; i++) {
		free(list[i].backend);
		free(list[i].frontend);
		free(list[i].label);
	}
	free(list);
}

static void ring_read(struct store *store, const char *front, struct device_info *info)
{
	if (store_scan_at(store, STORE_NO_TX, front, "tx-ring-ref", "%d", &info->ring[0]) == 1)
		(void)store_scan_at(store, STORE_NO_TX, front, "rx-ring-ref", "%d", &info->ring[1]);
	else
		(void)store_scan_at(store, STORE_NO_TX, front, "ring-ref", "%d", &info->ring[0]);
	if (store_scan_at(store, STORE_NO_TX, front, "event-channel", "%d", &info->event_channel) != 1)
		(void)store_scan_at(store, STORE_NO_TX, front, "port", "%d", &info->event_channel);
	if (store_scan_at(store, STORE_NO_TX, front, "state", "%d", &info->state) != 1)
		info->state = -1;
}

static int device_read(struct store *store, uint32_t domid, const char *kind, uint32_t devid, struct device_info *info)
{
	struct device d = { .kind = kind, .backend_kind = kind, .domid = domid, .devid = devid };
	char own[PATH_ROOM];
	int err;

	memset(info, 0, sizeof(*info));
	snprintf(info->kind, sizeof(info->kind), "%s", kind);
	info->devid = info->handle = devid;
	info->event_channel = info->ring[0] = info->ring[1] = info->state = -1;
	device_libxl(&d, own);
	err = store_read_at(store, STORE_NO_TX, own, "backend", &info->backend);
	if (err == 0)
		err = store_read_at(store, STORE_NO_TX, own, "frontend", &info->frontend);
	if (err != 0) {
		free(info->backend);
		return err;
	}
	(void)sscanf(info->backend, "/local/domain/%u/", &info->backend_domid);
	(void)store_scan_at(store, STORE_NO_TX, info->backend, "handle", "%u", &info->handle);
	ring_read(store, info->frontend, info);
	(void)store_read_at(store, STORE_NO_TX, own, strcmp(kind, "vif") == 0 ? "mac" : strcmp(kind, "vbd") == 0 ? "dev" : "type",
			    &info->label);
	return 0;
}

static int by_devid(const void *a, const void *b)
{
	const struct device_info *x = a, *y = b;

	return x->devid < y->devid ? -1 : x->devid > y->devid;
}

int device_list(struct host *host, uint32_t domid, const char *kind, struct device_info **out)
{
	struct device_info *list;
	char path[PATH_ROOM], **names;
	struct store *store;
	int i, count, used = 0, err = host_store(host, &store);

	*out = NULL;
	if (err != 0)
		return err;
	snprintf(path, sizeof(path), "/libxl/%u/device/%s", domid, kind);
	count = store_directory(store, STORE_NO_TX, path, &names);
	if (count == -ENOENT)
		return 0;
	if (count < 0)
		return count;
	list = calloc((size_t)count + 1, sizeof(*list));
	if (list == NULL) {
		free(names);
		return reason_set(ENOMEM, "out of memory");
	}
	for (i = 0; i < count; i++) {
		/* What vanishes meanwhile is not in the list. */
		if (device_read(store, domid, kind, (uint32_t)strtoul(names[i], NULL, 10), &list[used]) == 0)
			used++;
	}
	free(names);
	qsort(list, (size_t)used, sizeof(*list), by_devid);
	*out = list;
	return used;
}
