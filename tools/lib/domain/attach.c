/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices that come and go while a domain runs, and the record that keeps up with them. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xen/io/xenbus.h>

#include "argon/reason.h"
#include "internal.h"
#include "text.h"

#define DETACH_MS 10000u
#define GONE_MS 5000u

/* ---- the record ---- */

int domain_config_put(struct host *host, uint32_t domid, const struct domain_config *dc)
{
	struct domain_record record = { .config = *dc }, old;

	(void)host;
	if (domain_record_get(domid, &old) == 0) {
		record.unwatched = old.unwatched;
		domain_record_free(&old);
	}
	return domain_record_put(domid, &record);
}

/* What other tools for this hypervisor interface have written down of their domains. */
static int foreign_get(uint32_t domid, const uint8_t uuid[16], struct domain_config *dc)
{
	char path[128], text[DOMAIN_UUID_TEXT], *content;
	struct json_object *json;
	int err;

	uuid_format(uuid, text);
	snprintf(path, sizeof(path), "/var/lib/xen/userdata-d.%u.%s.libxl-json", domid, text);
	err = file_get(path, &content);
	if (err != 0)
		return err;
	json = json_tokener_parse(content);
	free(content);
	if (json == NULL)
		return reason_set(EINVAL, "%s is damaged", path);
	err = domain_config_read_json(dc, json);
	json_object_put(json);
	return err;
}

/* Without any record: what there is to see. */
static int seen_get(struct host *host, uint32_t domid, const struct ctrl_domain_info *info, struct domain_config *dc)
{
	struct store *store;
	char home[64];
	int err = host_store(host, &store);

	if (err == 0)
		err = domain_name(host, domid, &dc->name);
	if (err != 0)
		return err;
	snprintf(home, sizeof(home), "/local/domain/%u", domid);
	memcpy(dc->uuid, info->uuid, sizeof(dc->uuid));
	dc->uuid_set = domid != 0;
	dc->max_vcpus = info->max_vcpu_id + 1;
	dc->vcpus = info->online_vcpus;
	dc->memory_kib = dc->maxmem_kib = info->pages * 4;
	(void)store_scan_at(store, STORE_NO_TX, home, "memory/target", "%lu", &dc->memory_kib);
	(void)store_scan_at(store, STORE_NO_TX, home, "memory/static-max", "%lu", &dc->maxmem_kib);
	return 0;
}

int domain_config_get(struct host *host, uint32_t domid, struct domain_config *dc)
{
	struct ctrl_domain_info info;
	struct domain_record record;
	struct ctrl *ctrl;
	int err = host_ctrl(host, &ctrl);

	if (err == 0)
		err = ctrl_domain_info(ctrl, domid, &info);
	if (err != 0)
		return err;
	if (domain_record_get(domid, &record) == 0) {
		*dc = record.config;
		return 0;
	}
	domain_config_init(dc);
	if (domid != 0 && foreign_get(domid, info.uuid, dc) == 0)
		return 0;
	domain_config_free(dc);
	domain_config_init(dc);
	err = seen_get(host, domid, &info, dc);
	if (err != 0)
		domain_config_free(dc);
	return err;
}

static void record_disk_add(uint32_t domid, const struct disk_config *disk)
{
	struct disk_config *more;
	struct domain_record record;

	if (domain_record_get(domid, &record) != 0)
		return;
	more = realloc(record.config.disks, (record.config.disks_count + 1) * sizeof(*more));
	if (more != NULL) {
		record.config.disks = more;
		if (disk_copy(&more[record.config.disks_count], disk) == 0) {
			record.config.disks_count++;
			(void)domain_record_put(domid, &record);
		}
	}
	domain_record_free(&record);
}

static void record_vif_add(uint32_t domid, const struct vif_config *vif)
{
	struct vif_config *more;
	struct domain_record record;

	if (domain_record_get(domid, &record) != 0)
		return;
	more = realloc(record.config.vifs, (record.config.vifs_count + 1) * sizeof(*more));
	if (more != NULL) {
		record.config.vifs = more;
		if (vif_copy(&more[record.config.vifs_count], vif) == 0) {
			record.config.vifs_count++;
			(void)domain_record_put(domid, &record);
		}
	}
	domain_record_free(&record);
}

static void record_device_remove(uint32_t domid, const char *kind, uint32_t devid)
{
	struct domain_record record;
	struct domain_config *dc = &record.config;
	uint32_t number;
	size_t i;

	if (domain_record_get(domid, &record) != 0)
		return;
	for (i = 0; strcmp(kind, "vbd") == 0 && i < dc->disks_count; i++) {
		if (vdev_number(dc->disks[i].vdev, &number) == 0 && number == devid) {
			disk_free(&dc->disks[i]);
			dc->disks[i--] = dc->disks[--dc->disks_count];
		}
	}
	for (i = 0; strcmp(kind, "vif") == 0 && i < dc->vifs_count; i++) {
		if (dc->vifs[i].devid == (int)devid) {
			vif_free(&dc->vifs[i]);
			dc->vifs[i--] = dc->vifs[--dc->vifs_count];
		}
	}
	(void)domain_record_put(domid, &record);
	domain_record_free(&record);
}

/* ---- attaching ---- */

static int domain_is_guest(struct host *host, uint32_t domid)
{
	struct ctrl_domain_info info;
	struct ctrl *ctrl;
	int err = host_ctrl(host, &ctrl);

	if (err == 0)
		err = ctrl_domain_info(ctrl, domid, &info);
	if (err == 0 && info.dying)
		err = reason_set(ESRCH, "domain %u is being destroyed", domid);
	return err;
}

static int put_body(struct store *store, store_tx_t tx, void *context)
{
	return nodes_write(context, store, tx);
}

static int device_exists(struct store *store, const struct device *d)
{
	char own[PATH_ROOM];

	device_libxl(d, own);
	return store_exists(store, STORE_NO_TX, own);
}

/* Nodes in one transaction; what is half-made is taken back. */
static int device_put(struct host *host, struct nodes *n)
{
	struct store *store;
	int err = host_store(host, &store);

	if (err == 0)
		err = store_transaction(store, put_body, n);
	nodes_free(n);
	return err;
}

/* From here on somebody takes it back if we die. @return a descriptor to be closed at the end, or -1 */
static int attach_begin(const struct device *d, char name[JOURNAL_NAME])
{
	int guard = -1;

	snprintf(name, JOURNAL_NAME, "attach-%u-%s-%u", d->domid, d->kind, d->devid);
	if (watch_guard(name, &guard) != 0)
		guard = -1;
	(void)journal_put(name, d->kind);
	return guard;
}

static void attach_end(int guard, const char *name)
{
	journal_remove(name);
	if (guard >= 0)
		close(guard);
}

static void device_take_back(struct host *host, const struct device *d)
{
	char why[512];
	struct store *store;

	snprintf(why, sizeof(why), "%s", reason_get());
	if (host_store(host, &store) == 0)
		device_nodes_remove(store, STORE_NO_TX, d);
	device_gone_wait(d, GONE_MS);
	(void)reason_set(EIO, "%s", why);
}

int disk_attach(struct host *host, uint32_t domid, const struct disk_config *disk)
{
	char name[JOURNAL_NAME];
	struct nodes n = { 0 };
	struct store *store;
	struct device d;
	int guard, err = domain_is_guest(host, domid);

	if (err == 0)
		err = host_store(host, &store);
	if (err == 0)
		err = vbd_check(host, disk);
	if (err == 0)
		err = vbd_device(host, domid, disk, &d);
	if (err != 0)
		return err;
	err = device_exists(store, &d);
	if (err == 1)
		err = reason_set(EEXIST, "domain %u has a disk %s already", domid, disk->vdev);
	if (err != 0)
		return err;
	guard = attach_begin(&d, name);
	vbd_nodes(&n, &d, disk);
	err = device_put(host, &n);
	if (err == 0) {
		err = vbd_connect(host, &d, disk);
		if (err != 0)
			device_take_back(host, &d);
		else
			record_disk_add(domid, disk);
	}
	attach_end(guard, name);
	return err;
}

/* The lowest number that no card has, if none is wanted. */
static int vif_number(struct store *store, uint32_t domid, const struct vif_config *vif, struct device *d)
{
	uint32_t devid = vif->devid >= 0 ? (uint32_t)vif->devid : 0;
	int err;

	d->domid = domid;
	d->kind = d->backend_kind = "vif";
	for (;; devid++) {
		d->devid = devid;
		err = device_exists(store, d);
		if (err == 1 && vif->devid >= 0)
			return reason_set(EEXIST, "domain %u has a network card %u already", domid, devid);
		if (err != 1)
			return err;
	}
}

int vif_attach(struct host *host, uint32_t domid, const struct vif_config *vif)
{
	char name[JOURNAL_NAME];
	struct nodes n = { 0 };
	struct vif_config own;
	struct store *store;
	struct device d;
	int guard, err = domain_is_guest(host, domid);

	if (err == 0)
		err = host_store(host, &store);
	if (err == 0)
		err = vif_check(host, vif);
	if (err == 0)
		err = vif_number(store, domid, vif, &d);
	if (err == 0)
		err = vif_copy(&own, vif);
	if (err != 0)
		return err;
	own.devid = (int)d.devid;
	if (!own.mac_set)
		mac_random(own.mac);
	own.mac_set = true;
	guard = attach_begin(&d, name);
	err = vif_device(host, domid, &own, d.devid, &d);
	if (err == 0) {
		vif_nodes(&n, &d, &own);
		err = device_put(host, &n);
	}
	if (err == 0) {
		err = vif_connect(host, &d, &own);
		if (err != 0)
			device_take_back(host, &d);
		else
			record_vif_add(domid, &own);
	}
	attach_end(guard, name);
	vif_free(&own);
	return err;
}

/* ---- detaching ---- */

static int closing_body(struct store *store, store_tx_t tx, void *context)
{
	char back[PATH_ROOM];
	int state, err;

	device_backend(context, back);
	/* One that is gone must not come back by what we write. */
	if (store_scan_at(store, tx, back, "state", "%d", &state) != 1 || state == XenbusStateClosed)
		return 0;
	err = store_write_at(store, tx, back, "online", "0");
	return err == 0 ? store_write_at(store, tx, back, "state", "%d", XenbusStateClosing) : err;
}

int device_detach(struct host *host, uint32_t domid, const char *kind, uint32_t devid, bool force)
{
	struct device d = { .kind = kind, .backend_kind = kind, .domid = domid, .devid = devid };
	char own[PATH_ROOM], back_kind[16], *backend, *script = NULL, *name = NULL;
	struct disk_config disk = { 0 };
	struct vif_config vif = { 0 };
	struct store *store;
	int err = host_store(host, &store);

	if (err != 0)
		return err;
	device_libxl(&d, own);
	err = store_read_at(store, STORE_NO_TX, own, "backend", &backend);
	if (err == -ENOENT)
		return reason_set(ENODEV, "domain %u has no %s %u", domid, strcmp(kind, "vif") == 0 ? "network card" : "disk", devid);
	if (err != 0)
		return err;
	if (sscanf(backend, "/local/domain/%u/backend/%15[^/]/", &d.backend_domid, back_kind) == 2)
		d.backend_kind = back_kind;
	free(backend);
	err = store_transaction(store, closing_body, &d);
	if (err == 0 && !force && device_backend_wait(host, &d, 1u << XenbusStateClosed, DETACH_MS) != 0)
		return reason_set(EBUSY, "the guest does not let go of it; is it mounted there? --force takes it away all the same");
	(void)store_read_at(store, STORE_NO_TX, own, "script", &script);
	if (script != NULL && strcmp(kind, "vbd") == 0) {
		disk.script = script;
		disk.vdev = name;
		vbd_disconnect(host, &d, &disk);
	} else if (script != NULL) {
		(void)store_read_at(store, STORE_NO_TX, own, "vifname", &name);
		vif.script = script;
		vif.vifname = name;
		vif_disconnect(host, &d, &vif);
	}
	free(script);
	free(name);
	device_nodes_remove(store, STORE_NO_TX, &d);
	device_gone_wait(&d, GONE_MS);
	record_device_remove(domid, kind, devid);
	return err;
}
