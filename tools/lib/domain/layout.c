/* SPDX-License-Identifier: BSD-2-Clause */
/* A new domain's nodes in the store (xen-doc: misc/xenstore-paths), written in one transaction. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xen/io/xenbus.h>

#include "argon/reason.h"
#include "create.h"

#define CONSOLE_LIMIT "1048576"
/* Owner ~0: as the folder. */
#define INHERIT ~0u

static void home_nodes(struct nodes *n, const struct creation *c, const char *home)
{
	static const char *const writable[] = { "control/shutdown", "control/feature-poweroff", "control/feature-reboot",
						"control/feature-suspend", "control/sysrq", "device/suspend/event-channel", "data",
						"drivers", "feature", "attr", "error", NULL };
	char path[PATH_ROOM];
	unsigned int i;

	nodes_add(n, 0, c->domid, home, "");
	nodes_addf(n, INHERIT, 0, home, "vm", "/vm/%s", c->uuid);
	nodes_addf(n, INHERIT, 0, home, "name", "%s", c->dc.name);
	nodes_addf(n, INHERIT, 0, home, "domid", "%u", c->domid);
	nodes_addf(n, INHERIT, 0, home, "memory/static-max", "%lu", c->dc.maxmem_kib);
	nodes_addf(n, INHERIT, 0, home, "memory/target", "%lu", c->dc.memory_kib);
	nodes_addf(n, INHERIT, 0, home, "memory/videoram", "0");
	for (i = 0; i < c->dc.max_vcpus; i++) {
		char key[48];

		snprintf(key, sizeof(key), "cpu/%u/availability", i);
		nodes_addf(n, INHERIT, 0, home, key, "%s", i < c->dc.vcpus ? "online" : "offline");
	}
	nodes_addf(n, INHERIT, 0, home, "control/platform-feature-multiprocessor-suspend", "1");
	nodes_addf(n, INHERIT, 0, home, "control/platform-feature-xs_reset_watches", "1");
	/* The folder stands before the nodes in it, so that these do not become the guest's with it. */
	nodes_addf(n, 0, c->domid, home, "device", "%s", "");
	for (i = 0; writable[i] != NULL; i++) {
		snprintf(path, sizeof(path), "%s/%s", home, writable[i]);
		nodes_add(n, c->domid, ~0u, path, "");
	}
	nodes_addf(n, INHERIT, 0, home, "store/port", "%u", c->built.store_port);
	nodes_addf(n, INHERIT, 0, home, "store/ring-ref", "%lu", c->built.store_frame);
}

static void vm_nodes(struct nodes *n, const struct creation *c)
{
	struct timespec now;
	char vm[64];

	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(vm, sizeof(vm), "/vm/%s", c->uuid);
	nodes_add(n, 0, c->domid, vm, "");
	nodes_addf(n, INHERIT, 0, vm, "name", "%s", c->dc.name);
	nodes_addf(n, INHERIT, 0, vm, "uuid", "%s", c->uuid);
	nodes_addf(n, INHERIT, 0, vm, "image/ostype", "linux");
	nodes_addf(n, INHERIT, 0, vm, "image/kernel", "%s", c->dc.kernel);
	if (c->dc.ramdisk != NULL)
		nodes_addf(n, INHERIT, 0, vm, "image/ramdisk", "%s", c->dc.ramdisk);
	if (c->dc.cmdline != NULL)
		nodes_addf(n, INHERIT, 0, vm, "image/cmdline", "%s", c->dc.cmdline);
	nodes_addf(n, INHERIT, 0, vm, "start_time", "%ld.%02ld", (long)now.tv_sec, now.tv_nsec / 10000000);
}

/* The part that is the same for all consoles, out of the guest's reach: only we may say these things. */
static void console_front_nodes(struct nodes *n, const struct creation *c, const char *front, const char *output)
{
	nodes_addf(n, 0, c->domid, front, "limit", CONSOLE_LIMIT);
	nodes_addf(n, 0, c->domid, front, "type", "xenconsoled");
	nodes_addf(n, 0, c->domid, front, "output", "%s", output);
	nodes_addf(n, 0, c->domid, front, "tty", "%s", "");
}

static void console_back_nodes(struct nodes *n, const struct device *d)
{
	char back[PATH_ROOM], own[PATH_ROOM];

	device_backend(d, back);
	device_libxl(d, own);
	nodes_addf(n, INHERIT, 0, back, "protocol", "vt100");
	nodes_addf(n, INHERIT, 0, own, "protocol", "vt100");
}

/* The first console: its ring was made with the domain, and its folder is ours. */
static void console_nodes(struct nodes *n, const struct creation *c)
{
	struct device d = { .kind = "console", .backend_kind = "console", .domid = c->domid };
	char front[PATH_ROOM];

	device_frontend(&d, front);
	device_back_nodes(n, &d);
	console_back_nodes(n, &d);
	nodes_add(n, 0, c->domid, front, "");
	nodes_addf(n, INHERIT, 0, front, "backend", "/local/domain/0/backend/console/%u/0", c->domid);
	nodes_addf(n, INHERIT, 0, front, "backend-id", "0");
	console_front_nodes(n, c, front, "pty");
	nodes_addf(n, INHERIT, 0, front, "port", "%u", c->built.console_port);
	nodes_addf(n, INHERIT, 0, front, "ring-ref", "%lu", c->built.console_frame);
}

static void channel_nodes(struct nodes *n, const struct creation *c, uint32_t devid, const struct channel_config *channel)
{
	struct device d = { .kind = "console", .backend_kind = "console", .domid = c->domid, .devid = devid };
	char front[PATH_ROOM], own[PATH_ROOM];

	device_nodes(n, &d);
	console_back_nodes(n, &d);
	device_frontend(&d, front);
	device_libxl(&d, own);
	console_front_nodes(n, c, front, channel->socket ? "socket" : "pty");
	nodes_addf(n, 0, c->domid, front, "name", "%s", channel->name);
	nodes_addf(n, INHERIT, 0, own, "name", "%s", channel->name);
	nodes_addf(n, INHERIT, 0, own, "connection", "%s", channel->socket ? "socket" : "pty");
	if (channel->path != NULL)
		nodes_addf(n, 0, c->domid, front, "path", "%s", channel->path);
}

static int device_all_nodes(struct nodes *n, struct creation *c)
{
	struct device d;
	size_t i;
	int err = 0;

	for (i = 0; i < c->dc.disks_count && err == 0; i++) {
		err = vbd_device(c->host, c->domid, &c->dc.disks[i], &d);
		if (err == 0)
			vbd_nodes(n, &d, &c->dc.disks[i]);
	}
	for (i = 0; i < c->dc.vifs_count && err == 0; i++) {
		err = vif_device(c->host, c->domid, &c->dc.vifs[i], (unsigned int)c->dc.vifs[i].devid, &d);
		if (err == 0)
			vif_nodes(n, &d, &c->dc.vifs[i]);
	}
	for (i = 0; i < c->dc.channels_count && err == 0; i++)
		channel_nodes(n, c, (uint32_t)i + 1, &c->dc.channels[i]);
	return err;
}

static int fill_body(struct store *store, store_tx_t tx, void *context)
{
	return nodes_write(context, store, tx);
}

int store_fill(struct creation *c)
{
	struct nodes n = { 0 };
	char home[64], own[64];
	int err;

	snprintf(home, sizeof(home), "/local/domain/%u", c->domid);
	snprintf(own, sizeof(own), "/libxl/%u", c->domid);
	home_nodes(&n, c, home);
	vm_nodes(&n, c);
	nodes_add(&n, 0, ~0u, own, "");
	nodes_addf(&n, INHERIT, 0, own, "type", "pv");
	nodes_addf(&n, INHERIT, 0, own, "dm-version", "qemu_xen");
	nodes_addf(&n, 0, ~0u, "/local/domain/0/libxl", "disable_udev", "1");
	console_nodes(&n, c);
	err = device_all_nodes(&n, c);
	if (err == 0)
		err = store_transaction(c->store, fill_body, &n);
	nodes_free(&n);
	return err;
}
