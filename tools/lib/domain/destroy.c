/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of a domain. One function removes all that can belong to one, whatever of it is there: it serves `destroy`, creations
 * that failed, creators and destroyers that were killed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "argon/reason.h"
#include "internal.h"

#define DEVICE_MS 10000u
#define GONE_MS 3000

struct wipe {
	struct host *host;
	struct ctrl *ctrl;
	struct store *store;
	uint32_t domid;
	struct device *devices;
	size_t count;
	char kinds[32][16];		/* of back ends in dom0 */
	size_t kinds_count;
	char vm[64];
	bool found;
	int err;		/* the first thing that failed */
};

/* What is not there any more is no trouble; other failures leave the rest for the next attempt. */
static void note(struct wipe *w, int err)
{
	if (err < 0 && err != -ENOENT && err != -ESRCH && w->err == 0)
		w->err = err;
}

static void kind_remember(struct wipe *w, const char *kind)
{
	size_t i;

	for (i = 0; i < w->kinds_count; i++) {
		if (strcmp(w->kinds[i], kind) == 0)
			return;
	}
	if (w->kinds_count < 32)
		snprintf(w->kinds[w->kinds_count++], sizeof(w->kinds[0]), "%s", kind);
}

/* /local/domain/B/backend/KIND/DOMID/DEVID, as our own list of devices says. */
static void device_add(struct wipe *w, const char *kind, uint32_t devid, const char *backend)
{
	struct device *more, d = { .domid = w->domid, .devid = devid };
	char back_kind[16];

	if (sscanf(backend, "/local/domain/%u/backend/%15[^/]/", &d.backend_domid, back_kind) != 2)
		return;
	more = realloc(w->devices, (w->count + 1) * sizeof(*more));
	if (more == NULL)
		return;
	w->devices = more;
	d.kind = strdup(kind);
	d.backend_kind = strdup(back_kind);
	if (d.kind == NULL || d.backend_kind == NULL) {
		free((char *)(uintptr_t)d.kind);
		free((char *)(uintptr_t)d.backend_kind);
		return;
	}
	kind_remember(w, back_kind);
	w->devices[w->count++] = d;
}

static void kind_collect(struct wipe *w, const char *kind)
{
	char path[PATH_ROOM], **names, *backend;
	int i, count;

	snprintf(path, sizeof(path), "/libxl/%u/device/%s", w->domid, kind);
	count = store_directory(w->store, STORE_NO_TX, path, &names);
	note(w, count);
	for (i = 0; i < count; i++) {
		int err = store_readf(w->store, STORE_NO_TX, &backend, "%s/%s/backend", path, names[i]);

		note(w, err);
		if (err != 0)
			continue;
		device_add(w, kind, (uint32_t)strtoul(names[i], NULL, 10), backend);
		free(backend);
	}
	if (count >= 0)
		free(names);
}

static void devices_collect(struct wipe *w)
{
	char path[PATH_ROOM], **kinds;
	int i, count;

	snprintf(path, sizeof(path), "/libxl/%u/device", w->domid);
	count = store_directory(w->store, STORE_NO_TX, path, &kinds);
	note(w, count);
	for (i = 0; i < count; i++)
		kind_collect(w, kinds[i]);
	if (count >= 0)
		free(kinds);
}

/* A user's script undoes what it did, while the nodes are still there for it to read. */
static void script_undo(struct wipe *w, const struct device *d)
{
	struct disk_config disk = { 0 };
	struct vif_config vif = { 0 };
	char own[PATH_ROOM], *script = NULL;

	if (d->backend_domid != 0)
		return;
	device_libxl(d, own);
	if (store_read_at(w->store, STORE_NO_TX, own, "script", &script) != 0)
		return;
	if (strcmp(d->kind, "vbd") == 0) {
		disk.script = script;
		(void)store_read_at(w->store, STORE_NO_TX, own, "dev", &disk.vdev);
		vbd_disconnect(w->host, d, &disk);
		disk_free(&disk);
	} else if (strcmp(d->kind, "vif") == 0) {
		vif.script = script;
		(void)store_read_at(w->store, STORE_NO_TX, own, "vifname", &vif.vifname);
		vif_disconnect(w->host, d, &vif);
		vif_free(&vif);
	} else {
		free(script);
	}
}

/* What says where other things are goes after these, so that a second attempt finds them. */
static void nodes_wipe(struct wipe *w)
{
	size_t i;

	for (i = 0; i < w->count; i++) {
		if (w->devices[i].backend_domid != 0)
			note(w, store_rmf(w->store, STORE_NO_TX, "/local/domain/%u/backend/%s/%u", w->devices[i].backend_domid,
					  w->devices[i].backend_kind, w->domid));
	}
	for (i = 0; i < w->kinds_count; i++)
		note(w, store_rmf(w->store, STORE_NO_TX, "/local/domain/0/backend/%s/%u", w->kinds[i], w->domid));
	if (w->err == 0 && w->vm[0] != '\0')
		note(w, store_rm(w->store, STORE_NO_TX, w->vm));
	if (w->err == 0)
		note(w, store_rmf(w->store, STORE_NO_TX, "/local/domain/%u", w->domid));
	if (w->err == 0)
		note(w, store_rmf(w->store, STORE_NO_TX, "/libxl/%u", w->domid));
}

/* Daemons and the kernel let go of its pages a moment later. */
static void gone_wait(struct wipe *w)
{
	struct timespec pause = { .tv_nsec = 200000 };
	long end = time_ms() + GONE_MS;
	struct ctrl_domain_info info;

	while (ctrl_domain_info(w->ctrl, w->domid, &info) == 0 && time_ms() < end) {
		nanosleep(&pause, NULL);
		if (pause.tv_nsec < 20000000)
			pause.tv_nsec *= 2;
	}
	reason_clear();
}

/* Tools of others keep what they know of a domain in a file of that name. */
static void userdata_remove(uint32_t domid, const char *uuid)
{
	char path[128];

	snprintf(path, sizeof(path), "/var/lib/xen/userdata-d.%u.%s.libxl-json", domid, uuid);
	unlink(path);
}

static void vm_find(struct wipe *w)
{
	struct ctrl_domain_info info;
	char uuid[DOMAIN_UUID_TEXT], own[32], *vm = NULL;

	snprintf(own, sizeof(own), "/libxl/%u", w->domid);
	if (store_exists(w->store, STORE_NO_TX, own) == 1)
		w->found = true;

	if (store_readf(w->store, STORE_NO_TX, &vm, "/local/domain/%u/vm", w->domid) == 0) {
		w->found = true;
		if (strncmp(vm, "/vm/", 4) == 0 && strlen(vm) == 4 + DOMAIN_UUID_TEXT - 1)
			snprintf(w->vm, sizeof(w->vm), "%s", vm);
		free(vm);
	}
	if (ctrl_domain_info(w->ctrl, w->domid, &info) == 0) {
		w->found = true;
		uuid_format(info.uuid, uuid);
		snprintf(w->vm, sizeof(w->vm), "/vm/%s", uuid);
	}
}

static void wipe_run(struct wipe *w)
{
	size_t i;

	(void)ctrl_domain_pause(w->ctrl, w->domid);
	devices_collect(w);
	for (i = 0; i < w->count; i++)
		script_undo(w, &w->devices[i]);
	note(w, ctrl_domain_destroy(w->ctrl, w->domid));
	nodes_wipe(w);
	(void)store_release(w->store, w->domid);
	for (i = 0; i < w->count; i++) {
		if (strcmp(w->devices[i].kind, "vbd") == 0 || strcmp(w->devices[i].kind, "vif") == 0)
			device_gone_wait(&w->devices[i], DEVICE_MS);
	}
	if (w->err == 0)
		gone_wait(w);
	if (w->err == 0 && w->vm[0] != '\0') {
		userdata_remove(w->domid, w->vm + 4);
		journal_remove(w->vm + 4);
	}
	for (i = 0; i < w->count; i++) {
		free((char *)(uintptr_t)w->devices[i].kind);
		free((char *)(uintptr_t)w->devices[i].backend_kind);
	}
	free(w->devices);
}

int domain_destroy(struct host *host, uint32_t domid)
{
	struct wipe w = { .host = host, .domid = domid };
	char path[PATH_ROOM], number[16];
	int lock, err;

	if (domid == 0)
		return reason_set(EPERM, "domain 0 cannot destroy itself");
	err = host_ctrl(host, &w.ctrl);
	if (err == 0)
		err = host_store(host, &w.store);
	if (err != 0)
		return err;
	snprintf(number, sizeof(number), "%u", domid);
	lock = lock_get("destroying", number, 60000);
	if (lock < 0)
		return lock;
	domain_record_path(domid, path);
	vm_find(&w);
	if (w.found || access(path, F_OK) == 0) {
		wipe_run(&w);
		err = w.err;
	} else {
		err = reason_set(ESRCH, "there is no domain %u", domid);
	}
	/* Last, so that somebody goes on with it if we are killed before. */
	if (err == 0)
		domain_record_remove(domid);
	lock_put(lock, "destroying", number);
	return err;
}

static int attachment_undo(struct host *host, const char *name, uint32_t domid, const char *kind, uint32_t devid)
{
	int err = device_detach(host, domid, kind, devid, true);

	if (err == 0 || err == -ENODEV || err == -ENOENT) {
		journal_remove(name);
		return 0;
	}
	return err;
}

int creation_undo(struct host *host, const char *name)
{
	struct ctrl_domain_info *infos;
	char text[DOMAIN_UUID_TEXT], path[PATH_ROOM + JOURNAL_NAME], kind[16];
	struct ctrl *ctrl;
	uint32_t domid, devid;
	int i, count, err = host_ctrl(host, &ctrl);

	snprintf(path, sizeof(path), "%s/creating/%s", run_root(), name);
	if (err != 0 || access(path, F_OK) != 0)
		return err;
	if (sscanf(name, "attach-%u-%15[^-]-%u", &domid, kind, &devid) == 3)
		return attachment_undo(host, name, domid, kind, devid);
	count = ctrl_domain_list_all(ctrl, &infos);
	if (count < 0)
		return count;
	for (i = 0; i < count && err == 0; i++) {
		uuid_format(infos[i].uuid, text);
		if (infos[i].domid != 0 && strcmp(text, name) == 0)
			err = domain_destroy(host, infos[i].domid);
	}
	free(infos);
	if (err == 0)
		journal_remove(name);
	return err;
}
