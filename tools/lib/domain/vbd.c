/* SPDX-License-Identifier: BSD-2-Clause */
/* Disks: the nodes of a virtual block device and the block device behind it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/io/xenbus.h>

#include "argon/reason.h"
#include "internal.h"
#include "loop.h"

#define BACKEND_MS 10000u

int vbd_device(struct host *host, uint32_t domid, const struct disk_config *disk, struct device *d)
{
	int err;

	*d = (struct device){ .kind = "vbd", .backend_kind = "vbd", .domid = domid };
	err = backend_domid(host, disk->backend, &d->backend_domid);
	return err != 0 ? err : vdev_number(disk->vdev, &d->devid);
}

int vbd_check(struct host *host, const struct disk_config *disk)
{
	uint32_t backend;
	int err = backend_domid(host, disk->backend, &backend);

	if (err == 0 && disk->format != DISK_RAW && disk->format != DISK_EMPTY)
		err = reason_set(EOPNOTSUPP, "images in format %s cannot be served; convert it with: qemu-img convert -O raw %s NEW",
				 disk_format_name(disk->format), disk->target);
	if (err == 0 && disk->backendtype != NULL && strcmp(disk->backendtype, "phy") != 0)
		err = reason_set(EOPNOTSUPP, "backendtype=%s is not supported; leave it out", disk->backendtype);
	if (err == 0 && disk->target == NULL)
		err = reason_set(EOPNOTSUPP, "an empty drive needs an emulated CD-ROM drive, which PV guests do not have");
	if (err == 0 && disk->script == NULL && backend == 0)
		err = disk_source_check(disk->target, disk->readonly);
	return err != 0 ? reason_prefix(err, "disk %s: ", disk->vdev) : 0;
}

static void backend_nodes(struct nodes *n, const char *dir, const struct disk_config *disk)
{
	nodes_addf(n, ~0u, 0, dir, "removable", "%d", disk->cdrom);
	nodes_addf(n, ~0u, 0, dir, "bootable", "1");
	nodes_addf(n, ~0u, 0, dir, "dev", "%s", disk->vdev);
	nodes_addf(n, ~0u, 0, dir, "type", "phy");
	nodes_addf(n, ~0u, 0, dir, "mode", "%s", disk->readonly ? "r" : "w");
	nodes_addf(n, ~0u, 0, dir, "device-type", "%s", disk->cdrom ? "cdrom" : "disk");
	nodes_addf(n, ~0u, 0, dir, "discard-enable", "%d", !disk->no_discard);
	nodes_addf(n, ~0u, 0, dir, "specification", "xen");
	if (disk->direct_io_safe)
		nodes_addf(n, ~0u, 0, dir, "direct-io-safe", "1");
	nodes_addf(n, ~0u, 0, dir, "params", "%s", disk->target);
	if (disk->script != NULL)
		nodes_addf(n, ~0u, 0, dir, "script", "%s%s", strchr(disk->script, '/') != NULL ? "" : "/etc/xen/scripts/",
			   disk->script);
}

void vbd_nodes(struct nodes *n, const struct device *d, const struct disk_config *disk)
{
	char front[PATH_ROOM], back[PATH_ROOM], own[PATH_ROOM];

	device_nodes(n, d);
	device_frontend(d, front);
	device_backend(d, back);
	device_libxl(d, own);
	nodes_addf(n, ~0u, 0, front, "virtual-device", "%u", d->devid);
	nodes_addf(n, ~0u, 0, front, "device-type", "%s", disk->cdrom ? "cdrom" : "disk");
	nodes_addf(n, ~0u, 0, front, "trusted", "%d", !disk->untrusted);
	nodes_addf(n, ~0u, 0, front, "protocol", "x86_64-abi");
	backend_nodes(n, back, disk);
	backend_nodes(n, own, disk);
}

static int source_connect(struct host *host, const struct device *d, const struct disk_config *disk)
{
	struct nodes n = { 0 };
	struct disk_source source;
	struct store *store;
	char back[PATH_ROOM];
	int err = host_store(host, &store);

	if (err == 0)
		err = disk_source_open(&source, disk->target, disk->readonly);
	if (err != 0)
		return err;
	device_backend(d, back);
	nodes_addf(&n, ~0u, 0, back, "physical-device", "%x:%x", source.major, source.minor);
	nodes_addf(&n, ~0u, 0, back, "hotplug-status", "connected");
	err = nodes_write(&n, store, STORE_NO_TX);
	nodes_free(&n);
	if (err == 0)
		err = disk_backend_wait(d->domid, d->devid, BACKEND_MS);
	/* From here on the back end keeps a loop device alive, and it goes when the back end goes. */
	disk_source_close(&source);
	return err;
}

int vbd_connect(struct host *host, const struct device *d, const struct disk_config *disk)
{
	int err;

	if (d->backend_domid != 0) {
		err = device_backend_wait(host, d, 1u << XenbusStateInitWait | 1u << XenbusStateConnected, BACKEND_MS);
	} else if (disk->script != NULL) {
		err = device_backend_wait(host, d, 1u << XenbusStateInitWait, BACKEND_MS);
		if (err == 0)
			err = device_script(host, d, disk->script, "add", NULL);
	} else {
		err = source_connect(host, d, disk);
	}
	return err != 0 ? reason_prefix(err, "disk %s: ", disk->vdev) : 0;
}

void vbd_disconnect(struct host *host, const struct device *d, const struct disk_config *disk)
{
	if (d->backend_domid == 0 && disk->script != NULL && device_script(host, d, disk->script, "remove", NULL) != 0)
		host_warn(host, "disk %s: %s", disk->vdev, reason_get());
}
