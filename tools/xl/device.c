/* SPDX-License-Identifier: BSD-2-Clause */
/* Disks, network cards, channels: attach, list, detach. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "argon/reason.h"
#include "xl.h"

/* Words joined by commas, as if they stood in a configuration. */
static char *spec_join(struct xl *xl, char **words, int count)
{
	size_t room = 1;
	char *spec;
	int i;

	for (i = 0; i < count; i++)
		room += strlen(words[i]) + 1;
	spec = calloc(1, room);
	if (spec == NULL) {
		(void)fail_with(xl, EXIT_FAILURE, "out of memory");
		return NULL;
	}
	for (i = 0; i < count; i++) {
		if (i != 0)
			strcat(spec, ",");
		strcat(spec, words[i]);
	}
	return spec;
}

static int no_options(struct xl *xl, int argc, char **argv, uint32_t *domid)
{
	int status = 0;

	if (option_next(xl, argc, argv, "", NULL, &status) == -2)
		return status;
	return domain_arg(xl, argv[optind], domid) ? -1 : EXIT_FAILURE;
}

/* ---- attach ---- */

static int cmd_block_attach(struct xl *xl, int argc, char **argv)
{
	struct disk_config disk;
	uint32_t domid;
	char *spec;
	int err, status = no_options(xl, argc, argv, &domid);

	if (status != -1)
		return status;
	spec = spec_join(xl, argv + optind + 1, argc - optind - 1);
	if (spec == NULL)
		return EXIT_FAILURE;
	err = disk_parse(&disk, spec);
	if (err == 0 && !xl->dry)
		err = disk_attach(xl->host, domid, &disk);
	status = err == 0 ? EXIT_SUCCESS : fail(xl);
	if (err == 0 || disk.vdev != NULL)
		disk_free(&disk);
	free(spec);
	return status;
}

static int cmd_network_attach(struct xl *xl, int argc, char **argv)
{
	struct vif_config vif;
	uint32_t domid;
	char *spec;
	int err, status = no_options(xl, argc, argv, &domid);

	if (status != -1)
		return status;
	spec = spec_join(xl, argv + optind + 1, argc - optind - 1);
	if (spec == NULL)
		return EXIT_FAILURE;
	err = vif_parse(&vif, spec, conf_get(xl));
	if (err == 0 && !xl->dry)
		err = vif_attach(xl->host, domid, &vif);
	status = err == 0 ? EXIT_SUCCESS : fail(xl);
	vif_free(&vif);
	free(spec);
	return status;
}

/* ---- detach ---- */

static int detach(struct xl *xl, int argc, char **argv, const char *kind, uint32_t *domid, bool *force)
{
	static const struct option longs[] = { { "force", no_argument, NULL, 'f' }, { NULL, 0, NULL, 0 } };
	int opt, status = 0;

	(void)kind;
	while ((opt = option_next(xl, argc, argv, "", longs, &status)) != -1) {
		if (opt == -2)
			return status;
		*force = true;
	}
	return domain_arg(xl, argv[optind], domid) ? -1 : EXIT_FAILURE;
}

static int cmd_block_detach(struct xl *xl, int argc, char **argv)
{
	uint32_t domid, devid;
	bool force = false;
	int status = detach(xl, argc, argv, "vbd", &domid, &force);

	if (status != -1)
		return status;
	if (vdev_number(argv[optind + 1], &devid) != 0 || device_detach(xl->host, domid, "vbd", devid, force) != 0)
		return fail(xl);
	return EXIT_SUCCESS;
}

/* A card by its number or its address. */
static int vif_find(struct xl *xl, uint32_t domid, const char *text, uint32_t *devid)
{
	struct device_info *list;
	uint8_t mac[6], other[6];
	char *end;
	int i, count, err = -ENODEV;

	*devid = (uint32_t)strtoul(text, &end, 10);
	if (end != text && *end == '\0')
		return 0;
	if (mac_parse(mac, text) != 0)
		return -EINVAL;
	count = device_list(xl->host, domid, "vif", &list);
	for (i = 0; i < count; i++) {
		if (list[i].label != NULL && mac_parse(other, list[i].label) == 0 && memcmp(mac, other, 6) == 0) {
			*devid = list[i].devid;
			err = 0;
		}
	}
	device_list_free(list, count > 0 ? (size_t)count : 0);
	return err == 0 ? 0 : reason_set(ENODEV, "domain %u has no network card with address %s", domid, text);
}

static int cmd_network_detach(struct xl *xl, int argc, char **argv)
{
	uint32_t domid, devid;
	bool force = false;
	int status = detach(xl, argc, argv, "vif", &domid, &force);

	if (status != -1)
		return status;
	if (vif_find(xl, domid, argv[optind + 1], &devid) != 0 || device_detach(xl->host, domid, "vif", devid, force) != 0)
		return fail(xl);
	return EXIT_SUCCESS;
}

/* ---- list ---- */

static struct json_object *device_json(const struct device_info *d, uint32_t domid)
{
	struct json_object *o = json_object_new_object();

	json_number(o, "domid", domid);
	json_number(o, "devid", d->devid);
	json_number(o, "backend_domid", d->backend_domid);
	json_number(o, "state", d->state);
	json_number(o, "event_channel", d->event_channel);
	if (strcmp(d->kind, "vif") == 0) {
		json_text(o, "mac", d->label);
		json_number(o, "handle", d->handle);
		json_number(o, "tx_ring_ref", d->ring[0]);
		json_number(o, "rx_ring_ref", d->ring[1]);
	} else {
		json_text(o, strcmp(d->kind, "vbd") == 0 ? "vdev" : "type", d->label);
		json_number(o, "ring_ref", d->ring[0]);
	}
	json_text(o, "backend", d->backend);
	json_text(o, "frontend", d->frontend);
	return o;
}

static void device_print(const struct device_info *d, uint32_t domid)
{
	if (strcmp(d->kind, "vbd") == 0)
		printf("%-5u %-3u %-6u %-5d %-6d %-8d %-30s\n", d->devid, d->backend_domid, domid, d->state, d->event_channel,
		       d->ring[0], d->backend);
	else if (strcmp(d->kind, "vif") == 0)
		printf("%-3u %-2u %-17s %5u %5d %6d %5d/%-11d %-30s\n", d->devid, d->backend_domid,
		       d->label != NULL ? d->label : "", d->handle, d->state, d->event_channel, d->ring[0], d->ring[1], d->backend);
	else
		printf("%-3u %-2u %-5d %-6d %-8d %-30s\n", d->devid, d->backend_domid, d->state, d->event_channel, d->ring[0],
		       d->label != NULL ? d->label : "");
}

/* The first console is not a channel. */
static bool listed(const struct device_info *d)
{
	return strcmp(d->kind, "console") != 0 || d->devid != 0;
}

static int list_one(struct xl *xl, const char *kind, uint32_t domid, struct json_object *json)
{
	struct device_info *list;
	int i, count = device_list(xl->host, domid, kind, &list);

	if (count < 0)
		return fail(xl);
	for (i = 0; i < count; i++) {
		if (!listed(&list[i]))
			continue;
		if (json != NULL)
			json_object_array_add(json, device_json(&list[i], domid));
		else
			device_print(&list[i], domid);
	}
	device_list_free(list, (size_t)count);
	return EXIT_SUCCESS;
}

static int list_devices(struct xl *xl, int argc, char **argv, const char *kind, const char *heading)
{
	struct json_object *o = NULL, *list = NULL;
	uint32_t domid;
	int status = 0;

	if (option_next(xl, argc, argv, "", NULL, &status) == -2)
		return status;
	if (xl->json) {
		o = json_begin(xl->command->name);
		list = json_object_new_array();
		json_object_object_add(o, "devices", list);
	} else {
		puts(heading);
	}
	for (; optind < argc; optind++) {
		if (!domain_arg(xl, argv[optind], &domid) || list_one(xl, kind, domid, list) != 0)
			status = EXIT_FAILURE;
	}
	if (o != NULL)
		(void)json_end(o);
	return status;
}

static int cmd_block_list(struct xl *xl, int argc, char **argv)
{
	return list_devices(xl, argc, argv, "vbd", "Vdev  BE  handle state evt-ch ring-ref BE-path                       ");
}

static int cmd_network_list(struct xl *xl, int argc, char **argv)
{
	return list_devices(xl, argc, argv, "vif",
			    "Idx BE Mac Addr.         handle state evt-ch   tx-/rx-ring-ref BE-path                       ");
}

static int cmd_channel_list(struct xl *xl, int argc, char **argv)
{
	return list_devices(xl, argc, argv, "console", "Idx BE state evt-ch ring-ref connection                               ");
}

const struct command commands_device[] = {
	{ .name = "block-attach", .run = cmd_block_attach, .least = 2, .most = -1, .arguments = "<Domain> <disk-spec-component(s)>...",
	  .summary = "Create a new virtual block device", .group = "Devices" },
	{ .name = "block-list", .run = cmd_block_list, .least = 1, .most = -1, .arguments = "<Domain(s)>", .prints = true,
	  .summary = "List virtual block devices for a domain" },
	{ .name = "block-detach", .run = cmd_block_detach, .least = 2, .most = 2, .arguments = "[option] <Domain> <DevId>",
	  .summary = "Destroy a domain's virtual block device",
	  .options = "--force                 Take it away even if the guest does not let go.\n" },
	{ .name = "network-attach", .run = cmd_network_attach, .least = 1, .most = -1,
	  .arguments = "<Domain> [type=<type>] [mac=<mac>] [bridge=<bridge>] [ip=<ip>] [script=<script>] [backend=<BackDomain>] "
		       "[vifname=<name>] [rate=<rate>] [model=<model>] [mtu=<mtu>]",
	  .summary = "Create a new virtual network device" },
	{ .name = "network-list", .run = cmd_network_list, .least = 1, .most = -1, .arguments = "<Domain(s)>", .prints = true,
	  .summary = "List virtual network interfaces for a domain" },
	{ .name = "network-detach", .run = cmd_network_detach, .least = 2, .most = 2, .arguments = "<Domain> <DevId|mac>",
	  .summary = "Destroy a domain's virtual network device",
	  .options = "--force                 Take it away even if the guest does not let go.\n" },
	{ .name = "channel-list", .run = cmd_channel_list, .least = 1, .most = -1, .arguments = "<Domain(s)>", .prints = true,
	  .summary = "List virtual channel devices for a domain" },
	{ .name = NULL },
};
