/* SPDX-License-Identifier: BSD-2-Clause */
/* A domain's configuration as JSON, with the names that `xl list -l` has always printed; what these lack begins with argon_. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "argon/domain_config.h"
#include "argon/reason.h"
#include "text.h"

/* ---- writing ---- */

static void add_text(struct json_object *o, const char *key, const char *text)
{
	if (text != NULL)
		json_object_object_add(o, key, json_object_new_string(text));
}

static void add_number(struct json_object *o, const char *key, int64_t number)
{
	json_object_object_add(o, key, json_object_new_int64(number));
}

/* This form says "True" and "False" in quotes. */
static void add_flag(struct json_object *o, const char *key, bool on)
{
	if (on)
		add_text(o, key, "True");
}

static void add_texts(struct json_object *o, const char *key, char *const *texts, size_t count)
{
	struct json_object *list;
	size_t i;

	if (count == 0)
		return;
	list = json_object_new_array();
	for (i = 0; i < count; i++)
		json_object_array_add(list, json_object_new_string(texts[i]));
	json_object_object_add(o, key, list);
}

static void add_action(struct json_object *o, const char *key, enum domain_action action)
{
	char text[32];
	unsigned int i;

	/* Destruction is number 0 and not written, as anywhere else in this form. */
	if (action == ACTION_DESTROY)
		return;
	snprintf(text, sizeof(text), "%s", action_name(action));
	for (i = 0; text[i] != '\0'; i++) {
		if (text[i] == '-')
			text[i] = '_';
	}
	add_text(o, key, text);
}

static struct json_object *created_json(const struct domain_config *dc)
{
	struct json_object *o = json_object_new_object();
	char uuid[DOMAIN_UUID_TEXT];

	add_text(o, "type", domain_type_name(dc->type));
	add_text(o, "name", dc->name);
	uuid_format(dc->uuid, uuid);
	if (dc->uuid_set)
		add_text(o, "uuid", uuid);
	add_text(o, "pool_name", dc->pool);
	add_text(o, "ssid_label", dc->seclabel);
	add_text(o, "run_hotplug_scripts", "True");
	add_flag(o, "driver_domain", dc->driver_domain);
	return o;
}

static struct json_object *built_json(const struct domain_config *dc)
{
	struct json_object *o = json_object_new_object(), *sched = json_object_new_object(), *vcpus = json_object_new_array();
	unsigned int i;

	add_number(o, "max_vcpus", dc->max_vcpus);
	for (i = 0; i < dc->vcpus; i++)
		json_object_array_add(vcpus, json_object_new_int64(i));
	json_object_object_add(o, "avail_vcpus", vcpus);
	add_number(o, "max_memkb", (int64_t)dc->maxmem_kib);
	add_number(o, "target_memkb", (int64_t)dc->memory_kib);
	if (dc->rtc_timeoffset != 0)
		add_number(o, "rtc_timeoffset", dc->rtc_timeoffset);
	add_flag(o, "localtime", dc->localtime);
	add_flag(o, "disable_migrate", dc->nomigrate);
	if (dc->weight >= 0)
		add_number(sched, "weight", dc->weight);
	if (dc->cap >= 0)
		add_number(sched, "cap", dc->cap);
	json_object_object_add(o, "sched_params", sched);
	add_text(o, "claim_mode", dc->claim ? "True" : "False");
	if (dc->max_event_channels >= 0)
		add_number(o, "event_channels", dc->max_event_channels);
	if (dc->max_grant_frames >= 0)
		add_number(o, "max_grant_frames", dc->max_grant_frames);
	if (dc->max_maptrack_frames >= 0)
		add_number(o, "max_maptrack_frames", dc->max_maptrack_frames);
	if (dc->max_grant_version >= 0)
		add_number(o, "max_grant_version", dc->max_grant_version);
	add_text(o, "kernel", dc->kernel);
	add_text(o, "cmdline", dc->cmdline);
	add_text(o, "ramdisk", dc->ramdisk);
	add_text(o, "bootloader", dc->bootloader);
	add_texts(o, "argon_cpus", dc->cpus, dc->cpus_count);
	add_texts(o, "argon_cpus_soft", dc->cpus_soft, dc->cpus_soft_count);
	json_object_object_add(o, dc->type == DOMAIN_HVM ? "type.hvm" : dc->type == DOMAIN_PVH ? "type.pvh" : "type.pv",
			       json_object_new_object());
	json_object_object_add(o, "arch_arm", json_object_new_object());
	json_object_object_add(o, "arch_x86", json_object_new_object());
	return o;
}

static struct json_object *disk_json(const struct disk_config *disk)
{
	struct json_object *o = json_object_new_object();

	add_text(o, "backend_domname", disk->backend);
	add_text(o, "pdev_path", disk->target);
	add_text(o, "vdev", disk->vdev);
	add_text(o, "backend", disk->backendtype);
	add_text(o, "format", disk_format_name(disk->format));
	add_text(o, "script", disk->script);
	if (disk->cdrom) {
		add_number(o, "removable", 1);
		add_number(o, "is_cdrom", 1);
	}
	add_number(o, "readwrite", !disk->readonly);
	add_flag(o, "direct_io_safe", disk->direct_io_safe);
	if (disk->no_discard)
		add_text(o, "discard_enable", "False");
	if (disk->untrusted)
		add_text(o, "trusted", "False");
	return o;
}

static struct json_object *vif_json(const struct vif_config *vif)
{
	struct json_object *o = json_object_new_object();
	char mac[18];

	add_text(o, "backend_domname", vif->backend);
	if (vif->devid >= 0)
		add_number(o, "devid", vif->devid);
	if (vif->mtu != 0)
		add_number(o, "mtu", vif->mtu);
	add_text(o, "model", vif->model);
	mac_format(vif->mac, mac);
	if (vif->mac_set)
		add_text(o, "mac", mac);
	add_text(o, "ip", vif->ip);
	add_text(o, "bridge", vif->bridge);
	add_text(o, "ifname", vif->vifname);
	add_text(o, "script", vif->script);
	add_text(o, "gatewaydev", vif->gatewaydev);
	if (vif->rate_bytes != 0) {
		add_number(o, "rate_bytes_per_interval", (int64_t)vif->rate_bytes);
		add_number(o, "rate_interval_usecs", vif->rate_interval_us);
	}
	if (vif->untrusted)
		add_text(o, "trusted", "False");
	return o;
}

static struct json_object *channel_json(const struct channel_config *channel)
{
	struct json_object *o = json_object_new_object(), *c = json_object_new_object();

	add_text(o, "backend_domname", channel->backend);
	add_text(o, "name", channel->name);
	add_text(c, "path", channel->path);
	json_object_object_add(o, channel->socket ? "connection.socket" : "connection.pty", c);
	return o;
}

struct json_object *domain_config_json(const struct domain_config *dc)
{
	struct json_object *o = json_object_new_object(), *list;
	size_t i;

	if (o == NULL)
		return NULL;
	json_object_object_add(o, "c_info", created_json(dc));
	json_object_object_add(o, "b_info", built_json(dc));
	if (dc->disks_count != 0) {
		list = json_object_new_array();
		for (i = 0; i < dc->disks_count; i++)
			json_object_array_add(list, disk_json(&dc->disks[i]));
		json_object_object_add(o, "disks", list);
	}
	if (dc->vifs_count != 0) {
		list = json_object_new_array();
		for (i = 0; i < dc->vifs_count; i++)
			json_object_array_add(list, vif_json(&dc->vifs[i]));
		json_object_object_add(o, "nics", list);
	}
	if (dc->channels_count != 0) {
		list = json_object_new_array();
		for (i = 0; i < dc->channels_count; i++)
			json_object_array_add(list, channel_json(&dc->channels[i]));
		json_object_object_add(o, "channels", list);
	}
	add_action(o, "on_poweroff", dc->on_poweroff);
	add_action(o, "on_reboot", dc->on_reboot);
	add_action(o, "on_watchdog", dc->on_watchdog);
	add_action(o, "on_crash", dc->on_crash);
	add_action(o, "on_soft_reset", dc->on_soft_reset);
	return o;
}

/* ---- reading ---- */

static struct json_object *get(struct json_object *o, const char *key)
{
	struct json_object *v;

	return o != NULL && json_object_object_get_ex(o, key, &v) ? v : NULL;
}

static int get_text(struct json_object *o, const char *key, char **to)
{
	struct json_object *v = get(o, key);

	return v != NULL ? text_dup(to, json_object_get_string(v)) : 0;
}

static int64_t get_number(struct json_object *o, const char *key, int64_t otherwise)
{
	struct json_object *v = get(o, key);

	return v != NULL ? json_object_get_int64(v) : otherwise;
}

static bool get_flag(struct json_object *o, const char *key, bool otherwise)
{
	struct json_object *v = get(o, key);

	if (v == NULL)
		return otherwise;
	if (json_object_is_type(v, json_type_string))
		return strcmp(json_object_get_string(v), "True") == 0;
	return json_object_get_boolean(v);
}

static int get_action(struct json_object *o, const char *key, enum domain_action *to)
{
	struct json_object *v = get(o, key);

	*to = ACTION_DESTROY;
	return v != NULL ? action_parse(json_object_get_string(v), to) : 0;
}

static int get_texts(struct json_object *o, const char *key, char ***texts, size_t *count)
{
	struct json_object *list = get(o, key);
	size_t i, n;

	if (list == NULL || !json_object_is_type(list, json_type_array))
		return 0;
	n = json_object_array_length(list);
	*texts = calloc(n + 1, sizeof(**texts));
	if (*texts == NULL)
		return reason_set(ENOMEM, "out of memory");
	for (i = 0; i < n; i++) {
		if (text_dup(&(*texts)[i], json_object_get_string(json_object_array_get_idx(list, i))) != 0)
			return -ENOMEM;
		*count = i + 1;
	}
	return 0;
}

static int created_read(struct domain_config *dc, struct json_object *o)
{
	struct json_object *type = get(o, "type"), *uuid = get(o, "uuid");
	int err;

	if (type != NULL && strcmp(json_object_get_string(type), "hvm") == 0)
		dc->type = DOMAIN_HVM;
	if (type != NULL && strcmp(json_object_get_string(type), "pvh") == 0)
		dc->type = DOMAIN_PVH;
	err = get_text(o, "name", &dc->name);
	if (err == 0)
		err = get_text(o, "pool_name", &dc->pool);
	if (err == 0)
		err = get_text(o, "ssid_label", &dc->seclabel);
	if (err == 0 && uuid != NULL) {
		err = uuid_parse(dc->uuid, json_object_get_string(uuid));
		dc->uuid_set = err == 0;
	}
	dc->driver_domain = get_flag(o, "driver_domain", false);
	return err;
}

static int built_read(struct domain_config *dc, struct json_object *o)
{
	struct json_object *vcpus = get(o, "avail_vcpus"), *sched = get(o, "sched_params");
	int err;

	dc->max_vcpus = (unsigned int)get_number(o, "max_vcpus", 1);
	dc->vcpus = vcpus != NULL && json_object_is_type(vcpus, json_type_array) ?
		    (unsigned int)json_object_array_length(vcpus) : dc->max_vcpus;
	dc->maxmem_kib = (uint64_t)get_number(o, "max_memkb", 0);
	dc->memory_kib = (uint64_t)get_number(o, "target_memkb", (int64_t)dc->maxmem_kib);
	dc->rtc_timeoffset = get_number(o, "rtc_timeoffset", 0);
	dc->localtime = get_flag(o, "localtime", false);
	dc->nomigrate = get_flag(o, "disable_migrate", false);
	dc->weight = get_number(sched, "weight", -1);
	dc->cap = get_number(sched, "cap", -1);
	dc->claim = get_flag(o, "claim_mode", true);
	dc->max_event_channels = get_number(o, "event_channels", -1);
	dc->max_grant_frames = get_number(o, "max_grant_frames", -1);
	dc->max_maptrack_frames = get_number(o, "max_maptrack_frames", -1);
	dc->max_grant_version = get_number(o, "max_grant_version", -1);
	err = get_text(o, "kernel", &dc->kernel);
	if (err == 0)
		err = get_text(o, "cmdline", &dc->cmdline);
	if (err == 0)
		err = get_text(o, "ramdisk", &dc->ramdisk);
	if (err == 0)
		err = get_text(o, "bootloader", &dc->bootloader);
	if (err == 0)
		err = get_texts(o, "argon_cpus", &dc->cpus, &dc->cpus_count);
	if (err == 0)
		err = get_texts(o, "argon_cpus_soft", &dc->cpus_soft, &dc->cpus_soft_count);
	return err;
}

static int disk_read_json(struct disk_config *disk, struct json_object *o)
{
	struct json_object *format = get(o, "format");
	int err = get_text(o, "backend_domname", &disk->backend);

	if (err == 0)
		err = get_text(o, "pdev_path", &disk->target);
	if (err == 0)
		err = get_text(o, "vdev", &disk->vdev);
	if (err == 0)
		err = get_text(o, "backend", &disk->backendtype);
	if (err == 0)
		err = get_text(o, "script", &disk->script);
	if (format != NULL) {
		const char *name = json_object_get_string(format);

		(void)disk_format_parse(name, strlen(name), &disk->format);
	}
	disk->cdrom = get_number(o, "is_cdrom", 0) != 0;
	disk->readonly = get_number(o, "readwrite", 1) == 0;
	disk->direct_io_safe = get_flag(o, "direct_io_safe", false);
	disk->no_discard = !get_flag(o, "discard_enable", true);
	disk->untrusted = !get_flag(o, "trusted", true);
	return err;
}

static int vif_read_json(struct vif_config *vif, struct json_object *o)
{
	struct json_object *mac = get(o, "mac");
	const struct {
		const char *key;
		char **to;
	} texts[] = {
		{ "backend_domname", &vif->backend }, { "model", &vif->model }, { "ip", &vif->ip }, { "bridge", &vif->bridge },
		{ "ifname", &vif->vifname }, { "script", &vif->script }, { "gatewaydev", &vif->gatewaydev },
	};
	unsigned int i;
	int err = 0;

	vif->devid = (int)get_number(o, "devid", -1);
	vif->mtu = (uint32_t)get_number(o, "mtu", 0);
	vif->rate_bytes = (uint64_t)get_number(o, "rate_bytes_per_interval", 0);
	vif->rate_interval_us = (uint32_t)get_number(o, "rate_interval_usecs", 0);
	vif->untrusted = !get_flag(o, "trusted", true);
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]) && err == 0; i++)
		err = get_text(o, texts[i].key, texts[i].to);
	if (err == 0 && mac != NULL) {
		err = mac_parse(vif->mac, json_object_get_string(mac));
		vif->mac_set = err == 0;
	}
	return err;
}

static int channel_read_json(struct channel_config *channel, struct json_object *o)
{
	struct json_object *socket = get(o, "connection.socket"), *pty = get(o, "connection.pty");
	int err = get_text(o, "backend_domname", &channel->backend);

	channel->socket = socket != NULL;
	if (err == 0)
		err = get_text(o, "name", &channel->name);
	if (err == 0)
		err = get_text(socket != NULL ? socket : pty, "path", &channel->path);
	return err;
}

/* Makes an array of devices from a list; count says how many were begun, so that all of them can be freed. */
#define LIST_READ(dc, json, key, field, read) \
	({ \
		struct json_object *list_ = get(json, key); \
		size_t n_ = list_ != NULL && json_object_is_type(list_, json_type_array) ? json_object_array_length(list_) : 0; \
		int err_ = 0; \
		if (n_ > DOMAIN_DEVICES_MAX) \
			err_ = reason_set(EINVAL, "more than %u " key, DOMAIN_DEVICES_MAX); \
		if (n_ != 0 && err_ == 0) { \
			(dc)->field = calloc(n_, sizeof(*(dc)->field)); \
			if ((dc)->field == NULL) \
				err_ = reason_set(ENOMEM, "out of memory"); \
		} \
		for (size_t i_ = 0; i_ < n_ && err_ == 0; i_++) { \
			(dc)->field##_count = i_ + 1; \
			err_ = read(&(dc)->field[i_], json_object_array_get_idx(list_, i_)); \
		} \
		err_; \
	})

int domain_config_read_json(struct domain_config *dc, struct json_object *json)
{
	int err;

	if (!json_object_is_type(json, json_type_object))
		return reason_set(EINVAL, "a domain's configuration must be a JSON object");
	err = created_read(dc, get(json, "c_info"));
	if (err == 0)
		err = built_read(dc, get(json, "b_info"));
	if (err == 0)
		err = LIST_READ(dc, json, "disks", disks, disk_read_json);
	if (err == 0)
		err = LIST_READ(dc, json, "nics", vifs, vif_read_json);
	if (err == 0)
		err = LIST_READ(dc, json, "channels", channels, channel_read_json);
	if (err == 0)
		err = get_action(json, "on_poweroff", &dc->on_poweroff);
	if (err == 0)
		err = get_action(json, "on_reboot", &dc->on_reboot);
	if (err == 0)
		err = get_action(json, "on_watchdog", &dc->on_watchdog);
	if (err == 0)
		err = get_action(json, "on_crash", &dc->on_crash);
	if (err == 0)
		err = get_action(json, "on_soft_reset", &dc->on_soft_reset);
	return err != 0 ? err : domain_config_check(dc);
}
