/* SPDX-License-Identifier: BSD-2-Clause */
/* The settings of xl.cfg and xl.conf, understood: argon/domain_config.h. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "argon/config.h"
#include "argon/domain_config.h"
#include "argon/reason.h"
#include "text.h"

#define MEMORY_DEFAULT_KIB (32UL << 10)

void domain_config_init(struct domain_config *dc)
{
	memset(dc, 0, sizeof(*dc));
	dc->vcpus = 1;
	dc->max_vcpus = 0;
	dc->memory_kib = MEMORY_DEFAULT_KIB;
	dc->weight = dc->cap = -1;
	dc->on_poweroff = ACTION_DESTROY;
	dc->on_reboot = ACTION_RESTART;
	dc->on_crash = ACTION_DESTROY;
	dc->on_watchdog = ACTION_DESTROY;
	dc->on_soft_reset = ACTION_SOFT_RESET;
	dc->max_grant_frames = dc->max_maptrack_frames = dc->max_grant_version = dc->max_event_channels = -1;
	dc->claim = true;
}

static void texts_free(char **texts, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		free(texts[i]);
	free(texts);
}

void domain_config_free(struct domain_config *dc)
{
	size_t i;

	for (i = 0; i < dc->disks_count; i++)
		disk_free(&dc->disks[i]);
	for (i = 0; i < dc->vifs_count; i++)
		vif_free(&dc->vifs[i]);
	for (i = 0; i < dc->channels_count; i++)
		channel_free(&dc->channels[i]);
	free(dc->disks);
	free(dc->vifs);
	free(dc->channels);
	free(dc->name);
	free(dc->kernel);
	free(dc->ramdisk);
	free(dc->cmdline);
	free(dc->bootloader);
	free(dc->pool);
	free(dc->seclabel);
	texts_free(dc->cpus, dc->cpus_count);
	texts_free(dc->cpus_soft, dc->cpus_soft_count);
	memset(dc, 0, sizeof(*dc));
}

/* ---- single settings ---- */

static int text_get(const struct config *c, const char *key, char **to)
{
	const char *text;
	int got = config_get_string(c, key, &text);

	return got == 1 ? text_dup(to, text) : got;
}

static int action_get(const struct config *c, const char *key, enum domain_action *to)
{
	const char *text;
	int got = config_get_string(c, key, &text);

	if (got == 1 && action_parse(text, to) != 0)
		return config_error(config_find(c, key), "%s: %s", key, reason_get());
	return got < 0 ? got : 0;
}

static int type_get(struct domain_config *dc, const struct config *c)
{
	const char *text = "pv";
	int got = config_get_string(c, "type", &text);

	if (got == 0) {
		got = config_get_string(c, "builder", &text);
		if (got == 1 && (strcmp(text, "generic") == 0 || strcmp(text, "linux") == 0))
			text = "pv";
	}
	if (got < 0)
		return got;
	if (strcmp(text, "pv") == 0)
		dc->type = DOMAIN_PV;
	else if (strcmp(text, "pvh") == 0)
		dc->type = DOMAIN_PVH;
	else if (strcmp(text, "hvm") == 0)
		dc->type = DOMAIN_HVM;
	else
		return config_error(config_find(c, config_find(c, "type") != NULL ? "type" : "builder"),
				    "\"%s\" is not a type of guest: pv, pvh or hvm", text);
	return 0;
}

static int general_get(struct domain_config *dc, const struct config *c)
{
	const char *uuid;
	int err;

	err = text_get(c, "name", &dc->name);
	if (err == 0)
		err = text_get(c, "pool", &dc->pool);
	if (err == 0)
		err = text_get(c, "seclabel", &dc->seclabel);
	if (err == 0)
		err = text_get(c, "bootloader", &dc->bootloader);
	if (err != 0)
		return err;
	err = config_get_string(c, "uuid", &uuid);
	if (err == 1) {
		if (uuid_parse(dc->uuid, uuid) != 0)
			return config_error(config_find(c, "uuid"), "%s", reason_get());
		dc->uuid_set = true;
	}
	return err < 0 ? err : 0;
}

static int memory_get(struct domain_config *dc, const struct config *c)
{
	long mib;
	int got = config_get_number(c, "memory", &mib, 1, 1L << 34);

	if (got == 1)
		dc->memory_kib = (uint64_t)mib << 10;
	if (got >= 0)
		got = config_get_number(c, "maxmem", &mib, 1, 1L << 34);
	if (got == 1)
		dc->maxmem_kib = (uint64_t)mib << 10;
	if (got < 0)
		return got;
	if (got == 1 && dc->maxmem_kib < dc->memory_kib)
		return config_error(config_find(c, "maxmem"), "maxmem is %lu MiB, but must be at least memory, which is %lu MiB",
				    dc->maxmem_kib >> 10, dc->memory_kib >> 10);
	return 0;
}

static int cpus_get(const struct config *c, const char *key, char ***texts, size_t *count)
{
	const struct config_value *list;
	size_t i;
	int got = config_get_list(c, key, &list, true);

	if (got != 1)
		return got;
	if (list->count > DOMAIN_VCPUS_MAX)
		return config_error(list, "%s has more than %u items", key, DOMAIN_VCPUS_MAX);
	texts_free(*texts, *count);
	*count = 0;
	*texts = calloc(list->count + 1, sizeof(**texts));
	if (*texts == NULL)
		return reason_set(ENOMEM, "out of memory");
	for (i = 0; i < list->count; i++) {
		if (list->items[i]->kind == CONFIG_LIST)
			return config_error(list->items[i], "%s: expected text such as \"0-3,^2\", not a list", key);
		if (text_dup(&(*texts)[i], list->items[i]->string) != 0)
			return -ENOMEM;
		*count = i + 1;
	}
	return 0;
}

static int scheduling_get(struct domain_config *dc, const struct config *c)
{
	long n;
	int got = config_get_number(c, "vcpus", &n, 1, DOMAIN_VCPUS_MAX);

	if (got == 1)
		dc->vcpus = (unsigned int)n;
	if (got >= 0)
		got = config_get_number(c, "maxvcpus", &n, 1, DOMAIN_VCPUS_MAX);
	if (got == 1) {
		dc->max_vcpus = (unsigned int)n;
		/* As in xl.cfg(5): all of them, unless vcpus says less. */
		if (config_find(c, "vcpus") == NULL)
			dc->vcpus = dc->max_vcpus;
		if (dc->max_vcpus < dc->vcpus)
			return config_error(config_find(c, "maxvcpus"), "maxvcpus is %u, but must be at least vcpus, which is %u",
					    dc->max_vcpus, dc->vcpus);
	}
	if (got >= 0)
		got = config_get_number(c, "cpu_weight", &dc->weight, 1, 65535);
	if (got >= 0)
		got = config_get_number(c, "cap", &dc->cap, 0, 65535);
	if (got >= 0)
		got = cpus_get(c, "cpus", &dc->cpus, &dc->cpus_count);
	if (got >= 0)
		got = cpus_get(c, "cpus_soft", &dc->cpus_soft, &dc->cpus_soft_count);
	return got < 0 ? got : 0;
}

static int kernel_get(struct domain_config *dc, const struct config *c)
{
	const char *root = NULL, *extra = NULL, *cmdline = NULL;
	char *joined;
	size_t room;
	int got = text_get(c, "kernel", &dc->kernel);

	if (got == 0)
		got = text_get(c, "ramdisk", &dc->ramdisk);
	if (got < 0)
		return got;
	got = config_get_string(c, "cmdline", &cmdline);
	if (got >= 0)
		got = config_get_string(c, "root", &root);
	if (got >= 0)
		got = config_get_string(c, "extra", &extra);
	if (got < 0)
		return got;
	if (cmdline != NULL)
		return text_dup(&dc->cmdline, cmdline);
	if (root == NULL && extra == NULL)
		return 0;
	room = (root != NULL ? strlen(root) : 0) + (extra != NULL ? strlen(extra) : 0) + sizeof("root= ");
	joined = malloc(room);
	if (joined == NULL)
		return reason_set(ENOMEM, "out of memory");
	snprintf(joined, room, "%s%s%s%s", root != NULL ? "root=" : "", root != NULL ? root : "",
		 root != NULL && extra != NULL ? " " : "", extra != NULL ? extra : "");
	free(dc->cmdline);
	dc->cmdline = joined;
	return 0;
}

static int limits_get(struct domain_config *dc, const struct config *c, const struct host_config *hc)
{
	int got;

	if (hc != NULL) {
		dc->max_grant_frames = hc->max_grant_frames;
		dc->max_maptrack_frames = hc->max_maptrack_frames;
		dc->max_grant_version = hc->max_grant_version;
		dc->claim = hc->claim;
	}
	got = config_get_number(c, "max_grant_frames", &dc->max_grant_frames, 1, INT_MAX);
	if (got >= 0)
		got = config_get_number(c, "max_maptrack_frames", &dc->max_maptrack_frames, 0, INT_MAX);
	if (got >= 0)
		got = config_get_number(c, "max_grant_version", &dc->max_grant_version, 0, 2);
	if (got >= 0)
		got = config_get_number(c, "max_event_channels", &dc->max_event_channels, 1, INT_MAX);
	if (got >= 0)
		got = config_get_bool(c, "nomigrate", &dc->nomigrate);
	if (got >= 0)
		got = config_get_bool(c, "driver_domain", &dc->driver_domain);
	if (got >= 0)
		got = config_get_bool(c, "localtime", &dc->localtime);
	if (got >= 0)
		got = config_get_number(c, "rtc_timeoffset", &dc->rtc_timeoffset, INT_MIN, INT_MAX);
	return got < 0 ? got : 0;
}

static int actions_get(struct domain_config *dc, const struct config *c)
{
	int err = action_get(c, "on_poweroff", &dc->on_poweroff);

	if (err == 0)
		err = action_get(c, "on_reboot", &dc->on_reboot);
	if (err == 0)
		err = action_get(c, "on_crash", &dc->on_crash);
	if (err == 0)
		err = action_get(c, "on_watchdog", &dc->on_watchdog);
	if (err == 0)
		err = action_get(c, "on_soft_reset", &dc->on_soft_reset);
	return err;
}

/* ---- devices ---- */

/* One item of a list of specifications into *item; the reason gets the item's place. */
typedef int item_parse(void *item, const char *spec, const struct host_config *hc);

static int disk_item(void *item, const char *spec, const struct host_config *hc)
{
	(void)hc;
	return disk_parse(item, spec);
}

static int vif_item(void *item, const char *spec, const struct host_config *hc)
{
	return vif_parse(item, spec, hc);
}

static int channel_item(void *item, const char *spec, const struct host_config *hc)
{
	(void)hc;
	return channel_parse(item, spec);
}

static int devices_get(const struct config *c, const char *key, size_t size, item_parse *parse, const struct host_config *hc,
		       void *array, size_t *count)
{
	const struct config_value *list;
	char text[512], **items = array;
	size_t i;
	int got = config_get_list(c, key, &list, false);

	if (got != 1 || list->count == 0)
		return got < 0 ? got : 0;
	if (list->count > DOMAIN_DEVICES_MAX)
		return config_error(list, "%s has more than %u items", key, DOMAIN_DEVICES_MAX);
	*items = calloc(list->count, size);
	if (*items == NULL)
		return reason_set(ENOMEM, "out of memory");
	for (i = 0; i < list->count; i++) {
		if (list->items[i]->kind != CONFIG_STRING)
			return config_error(list->items[i], "%s: each item of the list must be text in quotes", key);
		if (parse(*items + i * size, list->items[i]->string, hc) != 0) {
			snprintf(text, sizeof(text), "%s", reason_get());
			return config_error(list->items[i], "%s", text);
		}
		*count = i + 1;
	}
	return 0;
}

/* What we know, but cannot do: better said than ignored. */
static int unsupported_check(const struct config *c)
{
	static const char *const keys[] = { "pci", "usbctrl", "usbdev", "vtpm", "p9", "pvcalls", "vdispl", "vsnd", "vkb", "vfb",
					    "vnuma", "dtdev", "ioports", "iomem", "irqs", NULL };
	const struct config_value *v;
	unsigned int i;

	for (i = 0; keys[i] != NULL; i++) {
		v = config_find(c, keys[i]);
		if (v != NULL && !(v->kind == CONFIG_LIST && v->count == 0))
			return config_error(v, "%s is not supported by this version of Argon; remove it", keys[i]);
	}
	return 0;
}

/* Settings that mean nothing for a PV guest, or nothing here: not worth a warning. */
static void harmless_use(const struct config *c)
{
	static const char *const keys[] = { "pae", "acpi", "apic", "nx", "viridian", "hpet", "stdvga", "videoram", "boot", "serial",
					    "vnc", "vnclisten", "vncdisplay", "vncunused", "vncpasswd", "sdl", "opengl", "keymap",
					    "usb", "usbdevice", "xen_platform_pci", "device_model_version", "tsc_mode", "timer_mode",
					    "e820_host", "cpuid", "passthrough", "vga", "nestedhvm", "hap", "init_seclabel",
					    "bootloader_args", "disable_migrate", "vcpu_avail", "firmware", "nographic",
					    "shadow_memory", "suppress_spurious_page_faults", "run_hotplug_scripts", NULL };
	unsigned int i;

	for (i = 0; keys[i] != NULL; i++)
		(void)config_find(c, keys[i]);
}

int domain_config_read(struct domain_config *dc, const struct config *c, const struct host_config *hc)
{
	int err = type_get(dc, c);

	if (err == 0)
		err = general_get(dc, c);
	if (err == 0)
		err = memory_get(dc, c);
	if (err == 0)
		err = scheduling_get(dc, c);
	if (err == 0)
		err = kernel_get(dc, c);
	if (err == 0)
		err = limits_get(dc, c, hc);
	if (err == 0)
		err = actions_get(dc, c);
	if (err == 0)
		err = unsupported_check(c);
	if (err == 0)
		err = devices_get(c, "disk", sizeof(*dc->disks), disk_item, hc, &dc->disks, &dc->disks_count);
	if (err == 0)
		err = devices_get(c, "vif", sizeof(*dc->vifs), vif_item, hc, &dc->vifs, &dc->vifs_count);
	if (err == 0)
		err = devices_get(c, "channel", sizeof(*dc->channels), channel_item, hc, &dc->channels, &dc->channels_count);
	harmless_use(c);
	return err != 0 ? err : domain_config_check(dc);
}

static int name_check(const char *name)
{
	const char *p;

	if (name == NULL || *name == '\0')
		return reason_set(EINVAL, "the domain has no name; add: name = \"NAME\"");
	if (strlen(name) > DOMAIN_NAME_MAX)
		return reason_set(EINVAL, "the domain's name has more than %u characters", DOMAIN_NAME_MAX);
	for (p = name; *p != '\0'; p++) {
		if (*p == '/' || iscntrl((unsigned char)*p))
			return reason_set(EINVAL, "the domain's name \"%s\" may not contain / or control characters", name);
	}
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || name[strspn(name, "0123456789")] == '\0')
		return reason_set(EINVAL, "the domain's name may not be \"%s\": it would be taken for a number or a folder", name);
	return 0;
}

int domain_config_check(struct domain_config *dc)
{
	uint32_t number, other;
	size_t i, k;
	int err = name_check(dc->name);

	if (err != 0)
		return err;
	if (dc->max_vcpus == 0)
		dc->max_vcpus = dc->vcpus;
	if (dc->maxmem_kib == 0)
		dc->maxmem_kib = dc->memory_kib;
	if (dc->max_vcpus < dc->vcpus || dc->vcpus == 0 || dc->max_vcpus > DOMAIN_VCPUS_MAX)
		return reason_set(EINVAL, "%u vCPUs of at most %u: must be from 1 to %u", dc->vcpus, dc->max_vcpus, DOMAIN_VCPUS_MAX);
	if (dc->maxmem_kib < dc->memory_kib || dc->memory_kib == 0)
		return reason_set(EINVAL, "memory (%lu KiB) must be more than 0 and not more than maxmem (%lu KiB)", dc->memory_kib,
				  dc->maxmem_kib);
	for (i = 0; i < dc->disks_count; i++) {
		err = vdev_number(dc->disks[i].vdev, &number);
		if (err != 0)
			return err;
		for (k = 0; k < i; k++) {
			if (vdev_number(dc->disks[k].vdev, &other) == 0 && other == number)
				return reason_set(EINVAL, "two disks are %s", dc->disks[i].vdev);
		}
	}
	for (i = 0; i < dc->vifs_count; i++) {
		for (k = 0; k < i; k++) {
			if (dc->vifs[i].mac_set && dc->vifs[k].mac_set && memcmp(dc->vifs[i].mac, dc->vifs[k].mac, 6) == 0)
				return reason_set(EINVAL, "two network cards (vif) have the same MAC address");
			if (dc->vifs[i].devid >= 0 && dc->vifs[i].devid == dc->vifs[k].devid)
				return reason_set(EINVAL, "two network cards (vif) have devid %d", dc->vifs[i].devid);
		}
	}
	return 0;
}

/* ---- xl.conf ---- */

void host_config_free(struct host_config *hc)
{
	free(hc->vif_script);
	free(hc->vif_bridge);
	free(hc->vif_backend);
	free(hc->vif_gatewaydev);
	free(hc->cpumask);
	free(hc->cpumask_pv);
	memset(hc, 0, sizeof(*hc));
}

static int autoballoon_get(struct host_config *hc, const struct config *c)
{
	const char *text;
	int got = config_get_string(c, "autoballoon", &text);

	if (got != 1)
		return got;
	if (strcmp(text, "on") == 0 || strcmp(text, "1") == 0)
		hc->autoballoon = 1;
	else if (strcmp(text, "off") == 0 || strcmp(text, "0") == 0)
		hc->autoballoon = 0;
	else if (strcmp(text, "auto") == 0)
		hc->autoballoon = 2;
	else
		return config_error(config_find(c, "autoballoon"), "autoballoon is \"%s\", but must be on, off or auto", text);
	return 0;
}

static int host_settings_get(struct host_config *hc, const struct config *c)
{
	const char *policy = "xen";
	int err = autoballoon_get(hc, c);

	if (err == 0)
		err = text_get(c, "vif.default.script", &hc->vif_script);
	if (err == 0)
		err = text_get(c, "vif.default.bridge", &hc->vif_bridge);
	if (err == 0)
		err = text_get(c, "vif.default.backend", &hc->vif_backend);
	if (err == 0)
		err = text_get(c, "vif.default.gatewaydev", &hc->vif_gatewaydev);
	if (err == 0)
		err = text_get(c, "vm.cpumask", &hc->cpumask);
	if (err == 0)
		err = text_get(c, "vm.pv.cpumask", &hc->cpumask_pv);
	if (err == 0)
		err = config_get_string(c, "domid_policy", &policy);
	hc->domid_random = strcmp(policy, "random") == 0;
	if (err >= 0)
		err = config_get_bool(c, "claim_mode", &hc->claim);
	if (err >= 0)
		err = config_get_number(c, "max_grant_frames", &hc->max_grant_frames, 1, INT_MAX);
	if (err >= 0)
		err = config_get_number(c, "max_maptrack_frames", &hc->max_maptrack_frames, 0, INT_MAX);
	if (err >= 0)
		err = config_get_number(c, "max_grant_version", &hc->max_grant_version, 0, 2);
	return err < 0 ? err : 0;
}

int host_config_read(struct host_config *hc, const char *path)
{
	struct config *c;
	int err;

	memset(hc, 0, sizeof(*hc));
	hc->max_grant_frames = hc->max_maptrack_frames = hc->max_grant_version = -1;
	hc->autoballoon = 2;
	hc->claim = true;
	if (access(path, F_OK) != 0)
		return 0;
	err = config_new(&c);
	if (err != 0)
		return err;
	err = config_parse_file(c, path);
	if (err == 0)
		err = host_settings_get(hc, c);
	config_free(c);
	if (err != 0)
		host_config_free(hc);
	return err;
}
