/* SPDX-License-Identifier: BSD-2-Clause */
/* Device specifications: xl-disk-configuration(5), xl-network-configuration(5), channels in xl.cfg(5). */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "argon/domain_config.h"
#include "argon/reason.h"
#include "text.h"

/* Parameters that are separated by commas; blanks around each do not count. */
struct parameters {
	const char *at;
	char text[1024];
	char *value;		/* after the first =, or NULL */
};

static bool parameter_next(struct parameters *p, char *(*cut)(char *text))
{
	const char *end;
	size_t length;
	char *tail;

	if (p->at == NULL)
		return false;
	while (isspace((unsigned char)*p->at))
		p->at++;
	end = strchr(p->at, ',');
	length = end != NULL ? (size_t)(end - p->at) : strlen(p->at);
	if (length >= sizeof(p->text))
		length = sizeof(p->text) - 1;
	memcpy(p->text, p->at, length);
	p->text[length] = '\0';
	for (tail = p->text + length; tail > p->text && isspace((unsigned char)tail[-1]); tail--)
		tail[-1] = '\0';
	p->at = end != NULL ? end + 1 : NULL;
	p->value = cut(p->text);
	return true;
}

/* Cuts a text at its first =, and gives what is behind it. */
static char *cut_at_equals(char *text)
{
	char *eq = strchr(text, '='), *tail;

	if (eq == NULL)
		return NULL;
	for (tail = eq; tail > text && isspace((unsigned char)tail[-1]); tail--)
		tail[-1] = '\0';
	*eq++ = '\0';
	while (isspace((unsigned char)*eq))
		eq++;
	return eq;
}

/* The same, but only when a parameter's name is before it: targets may have = in them. */
static char *cut_at_name(char *text)
{
	char *p = text;

	if (!isalpha((unsigned char)*p))
		return NULL;
	while (isalnum((unsigned char)*p) || *p == '-' || *p == '_')
		p++;
	while (isspace((unsigned char)*p))
		p++;
	return *p == '=' ? cut_at_equals(text) : NULL;
}

/* ---- disks ---- */

void disk_free(struct disk_config *disk)
{
	free(disk->target);
	free(disk->vdev);
	free(disk->script);
	free(disk->backend);
	free(disk->backendtype);
	memset(disk, 0, sizeof(*disk));
}

int disk_copy(struct disk_config *to, const struct disk_config *from)
{
	int err;

	*to = *from;
	to->target = to->vdev = to->script = to->backend = to->backendtype = NULL;
	err = text_dup(&to->target, from->target);
	if (err == 0)
		err = text_dup(&to->vdev, from->vdev);
	if (err == 0)
		err = text_dup(&to->script, from->script);
	if (err == 0)
		err = text_dup(&to->backend, from->backend);
	if (err == 0)
		err = text_dup(&to->backendtype, from->backendtype);
	if (err != 0)
		disk_free(to);
	return err;
}

/* xvda, xvdaa, sdb3: letters as digits of a number to base 26 without zero, then a partition. */
static int vdev_letters(const char *p, unsigned int *disk, unsigned int *partition)
{
	unsigned int n = 0, part = 0;

	if (!islower((unsigned char)*p))
		return -EINVAL;
	for (; islower((unsigned char)*p); p++) {
		n = n * 26 + (unsigned int)(*p - 'a') + 1;
		if (n > 1 << 20)
			return -EINVAL;
	}
	if (*p == '0')
		return -EINVAL;
	for (; isdigit((unsigned char)*p); p++) {
		part = part * 10 + (unsigned int)(*p - '0');
		if (part > 255)
			return -EINVAL;
	}
	*disk = n - 1;
	*partition = part;
	return *p == '\0' ? 0 : -EINVAL;
}

/* Numbers of xen-vbd-interface(7): the old ones where they reach, else 1 << 28 and 20 bits of disk, 8 of partition. */
static int vdev_encode(const char *vdev, uint32_t *out)
{
	unsigned int disk, part;
	int used = 0;
	char *end;

	if (isdigit((unsigned char)vdev[0])) {
		unsigned long n = strtoul(vdev, &end, 0);

		*out = (uint32_t)n;
		return *end == '\0' && n < 1UL << 29 ? 0 : -EINVAL;
	}
	part = 0;
	if (vdev[0] == 'd' && isdigit((unsigned char)vdev[1]) && sscanf(vdev, "d%u%n", &disk, &used) == 1 &&
	    (vdev[used] == '\0' || (sscanf(vdev, "d%*up%u%n", &part, &used) == 1 && vdev[used] == '\0'))) {
		if (disk >= 1 << 20 || part > 255)
			return -EINVAL;
		*out = disk < 16 && part < 16 ? 202U << 8 | disk << 4 | part : 1U << 28 | disk << 8 | part;
		return 0;
	}
	if (strncmp(vdev, "xvd", 3) == 0 && vdev_letters(vdev + 3, &disk, &part) == 0) {
		*out = disk < 16 && part < 16 ? 202U << 8 | disk << 4 | part : 1U << 28 | disk << 8 | part;
		return 0;
	}
	if (strncmp(vdev, "sd", 2) == 0 && vdev_letters(vdev + 2, &disk, &part) == 0 && disk < 16 && part < 16) {
		*out = 8U << 8 | disk << 4 | part;
		return 0;
	}
	if (strncmp(vdev, "hd", 2) == 0 && vdev_letters(vdev + 2, &disk, &part) == 0 && disk < 4 && part < 64) {
		*out = (disk < 2 ? 3U : 22U) << 8 | (disk & 1) << 6 | part;
		return 0;
	}
	return -EINVAL;
}

int vdev_number(const char *vdev, uint32_t *out)
{
	if (vdev == NULL || vdev_encode(vdev, out) != 0)
		return reason_set(EINVAL, "\"%.40s\" is not a virtual disk: use xvda, sda, hda, ... (xvda1 for a partition)",
				  vdev != NULL ? vdev : "");
	return 0;
}

struct disk_reader {
	struct disk_config *disk;
	bool format_set, access_set;
	unsigned int position;
};

static int disk_access(struct disk_reader *r, const char *text)
{
	r->access_set = true;
	if (strcmp(text, "w") == 0 || strcmp(text, "rw") == 0 || strcmp(text, "w!") == 0)
		r->disk->readonly = false;
	else if (strcmp(text, "r") == 0 || strcmp(text, "ro") == 0)
		r->disk->readonly = true;
	else if (*text == '\0')
		r->access_set = false;
	else
		return reason_set(EINVAL, "access is \"%.40s\", but must be rw or ro", text);
	return 0;
}

static int disk_format_set(struct disk_reader *r, const char *text)
{
	if (*text == '\0')
		return 0;
	if (disk_format_parse(text, strlen(text), &r->disk->format) != 0)
		return reason_set(EINVAL, "format is \"%.40s\", but must be raw, qcow, qcow2, vhd or qed", text);
	r->format_set = true;
	return 0;
}

/* A target that does not begin with / is below /dev. */
static int disk_target(struct disk_reader *r, const char *text)
{
	char path[1100];

	if (*text == '\0')
		return 0;
	if (*text == '/' || r->disk->script != NULL)
		return text_dup(&r->disk->target, text);
	snprintf(path, sizeof(path), "/dev/%s", text);
	return text_dup(&r->disk->target, path);
}

static int disk_flag(struct disk_reader *r, const char *text)
{
	struct disk_config *disk = r->disk;

	if (strcmp(text, "cdrom") == 0)
		disk->cdrom = true;
	else if (strcmp(text, "discard") == 0)
		disk->no_discard = false;
	else if (strcmp(text, "no-discard") == 0)
		disk->no_discard = true;
	else if (strcmp(text, "direct-io-safe") == 0)
		disk->direct_io_safe = true;
	else if (strcmp(text, "trusted") == 0)
		disk->untrusted = false;
	else if (strcmp(text, "untrusted") == 0)
		disk->untrusted = true;
	else
		return 0;
	return 1;
}

static int disk_named(struct disk_reader *r, const char *name, const char *value)
{
	struct disk_config *disk = r->disk;

	if (strcmp(name, "format") == 0)
		return disk_format_set(r, value);
	if (strcmp(name, "vdev") == 0)
		return text_dup(&disk->vdev, value);
	if (strcmp(name, "access") == 0)
		return disk_access(r, value);
	if (strcmp(name, "backend") == 0)
		return text_dup(&disk->backend, value);
	if (strcmp(name, "script") == 0)
		return text_dup(&disk->script, value);
	if (strcmp(name, "backendtype") == 0) {
		if (strcmp(value, "phy") != 0 && strcmp(value, "qdisk") != 0 && strcmp(value, "standalone") != 0 &&
		    strcmp(value, "argon") != 0)
			return reason_set(EINVAL, "backendtype is \"%.40s\", but must be phy, qdisk, standalone or argon", value);
		return text_dup(&disk->backendtype, value);
	}
	if (strcmp(name, "devtype") == 0) {
		disk->cdrom = strcmp(value, "cdrom") == 0;
		return disk->cdrom || strcmp(value, "disk") == 0 ? 0 :
		       reason_set(EINVAL, "devtype is \"%.40s\", but must be cdrom or disk", value);
	}
	if (strcmp(name, "specification") == 0) {
		if (strcmp(value, "xen") == 0)
			return 0;
		return reason_set(EOPNOTSUPP, "specification=%.40s is not supported: only xen is", value);
	}
	return reason_set(EINVAL, "unknown parameter %.40s", name);
}

/* Words of the time of xend that stand before a target: file:, phy:, tap:aio:qcow2: and the like. */
static int disk_prefixes(struct disk_reader *r, char **text)
{
	static const char *const ignored[] = { "tapdisk:", "tap2:", "tap:", "aio:", "ioemu:", "file:", "phy:", NULL };
	static const char *const scripts[] = { "iscsi:", "nbd:", "enbd:", "drbd:", NULL };
	static const char *const formats[] = { "raw:", "qcow2:", "qcow:", "vhd:", NULL };
	char script[32];
	bool again = true;
	size_t length;
	unsigned int i;

	while (again) {
		again = false;
		for (i = 0; ignored[i] != NULL; i++) {
			if (strncmp(*text, ignored[i], strlen(ignored[i])) == 0) {
				*text += strlen(ignored[i]);
				again = true;
			}
		}
		for (i = 0; formats[i] != NULL; i++) {
			length = strlen(formats[i]);
			if (strncmp(*text, formats[i], length) == 0) {
				(void)disk_format_parse(formats[i], length - 1, &r->disk->format);
				r->format_set = true;
				*text += length;
				again = true;
			}
		}
		for (i = 0; scripts[i] != NULL; i++) {
			length = strlen(scripts[i]);
			if (strncmp(*text, scripts[i], length) == 0) {
				snprintf(script, sizeof(script), "block-%.*s", (int)length - 1, scripts[i]);
				*text += length;
				return text_dup(&r->disk->script, script);
			}
		}
	}
	return 0;
}

/* A position of its own: target, format, vdev, access. Old specifications have vdev (and :cdrom) second, and no format. */
static int disk_positional(struct disk_reader *r, char *text)
{
	struct disk_config *disk = r->disk;
	enum disk_format format;
	uint32_t number;
	char *colon;
	int err;

	if (r->position == 0) {
		err = disk_prefixes(r, &text);
		r->position++;
		return err != 0 ? err : disk_target(r, text);
	}
	if (r->position == 1) {
		colon = strchr(text, ':');
		if (colon != NULL)
			*colon = '\0';
		if (*text != '\0' && disk_format_parse(text, strlen(text), &format) != 0 && vdev_encode(text, &number) == 0) {
			r->position = 3;
			if (colon != NULL && strcmp(colon + 1, "cdrom") == 0)
				disk->cdrom = true;
			return text_dup(&disk->vdev, text);
		}
		if (colon != NULL)
			*colon = ':';
	}
	switch (r->position++) {
	case 1:
		return disk_format_set(r, text);
	case 2:
		return *text != '\0' ? text_dup(&disk->vdev, text) : 0;
	case 3:
		return disk_access(r, text);
	default:
		return *text == '\0' ? 0 : reason_set(EINVAL, "unexpected \"%.60s\"", text);
	}
}

static int disk_read(struct disk_reader *r, const char *spec)
{
	struct disk_config *disk = r->disk;
	struct parameters p = { .at = spec };
	uint32_t number;
	int err;

	while (parameter_next(&p, cut_at_name)) {
		if (p.value != NULL && strcmp(p.text, "target") == 0) {
			/* It takes all that is left, commas included. */
			const char *rest = spec + (p.at != NULL ? (size_t)(p.at - spec) : strlen(spec));

			while (strncmp(rest, "target", 6) != 0)
				rest--;
			rest = strchr(rest, '=') + 1;
			free(disk->target);
			disk->target = NULL;
			if (strlen(rest) > 1024)
				return reason_set(ENAMETOOLONG, "the target has more than 1024 characters");
			err = disk_target(r, rest);
			p.at = NULL;
		} else if (p.value != NULL) {
			err = disk_named(r, p.text, p.value);
		} else {
			err = disk_flag(r, p.text);
			if (err == 0)
				err = disk_positional(r, p.text);
		}
		if (err < 0)
			return err;
	}
	if (disk->vdev == NULL)
		return reason_set(EINVAL, "no virtual device is named; write TARGET,FORMAT,VDEV,ACCESS, as in %s,raw,xvda,rw",
				  disk->target != NULL ? disk->target : "/dev/vg/disk");
	err = vdev_number(disk->vdev, &number);
	if (err != 0)
		return err;
	if (disk->cdrom && !r->access_set)
		disk->readonly = true;
	if (disk->target == NULL && !disk->cdrom)
		return reason_set(EINVAL, "no target is named: the file or device in this host that holds the disk's data");
	if (disk->target == NULL)
		disk->format = DISK_EMPTY;
	return 0;
}

int disk_parse(struct disk_config *disk, const char *spec)
{
	struct disk_reader r = { .disk = disk };
	int err;

	memset(disk, 0, sizeof(*disk));
	err = disk_read(&r, spec);
	if (err == 0)
		return 0;
	disk_free(disk);
	return reason_prefix(err, "disk \"%.80s\": ", spec);
}

/* ---- network cards ---- */

void vif_free(struct vif_config *vif)
{
	free(vif->bridge);
	free(vif->gatewaydev);
	free(vif->vifname);
	free(vif->script);
	free(vif->ip);
	free(vif->backend);
	free(vif->type);
	free(vif->model);
	memset(vif, 0, sizeof(*vif));
}

int vif_copy(struct vif_config *to, const struct vif_config *from)
{
	char *const *source[] = { &from->bridge, &from->gatewaydev, &from->vifname, &from->script, &from->ip, &from->backend,
				  &from->type, &from->model };
	char **target[] = { &to->bridge, &to->gatewaydev, &to->vifname, &to->script, &to->ip, &to->backend, &to->type, &to->model };
	unsigned int i;
	int err = 0;

	*to = *from;
	for (i = 0; i < sizeof(target) / sizeof(target[0]); i++)
		*target[i] = NULL;
	for (i = 0; i < sizeof(target) / sizeof(target[0]) && err == 0; i++)
		err = text_dup(target[i], *source[i]);
	if (err != 0)
		vif_free(to);
	return err;
}

static int small_number(const char *name, const char *text, unsigned long max, unsigned long *out)
{
	char *end;

	*out = strtoul(text, &end, 0);
	if (!isdigit((unsigned char)*text) || *end != '\0' || *out > max)
		return reason_set(EINVAL, "%s is \"%.40s\", but must be a number up to %lu", name, text, max);
	return 0;
}

static int vif_number(struct vif_config *vif, const char *name, const char *value)
{
	unsigned long n;
	int err;

	if (strcmp(name, "devid") == 0) {
		err = small_number(name, value, 65535, &n);
		if (err == 0)
			vif->devid = (int)n;
		return err;
	}
	err = small_number(name, value, 65535, &n);
	if (err == 0 && n < 68)
		err = reason_set(EINVAL, "mtu is %lu, but must be from 68 to 65535", n);
	if (err == 0)
		vif->mtu = (uint32_t)n;
	return err;
}

static int vif_named(struct vif_config *vif, const char *name, const char *value)
{
	static const char *const type_names = "type is \"%.40s\", but must be vif or ioemu";
	const struct {
		const char *name;
		char **to;
	} texts[] = {
		{ "bridge", &vif->bridge }, { "gatewaydev", &vif->gatewaydev }, { "netdev", &vif->gatewaydev },
		{ "vifname", &vif->vifname }, { "script", &vif->script }, { "ip", &vif->ip }, { "backend", &vif->backend },
		{ "model", &vif->model },
	};
	unsigned int i;
	int err;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (strcmp(name, texts[i].name) == 0)
			return text_dup(texts[i].to, value);
	}
	if (strcmp(name, "mac") == 0) {
		err = mac_parse(vif->mac, value);
		vif->mac_set = err == 0;
		return err;
	}
	if (strcmp(name, "rate") == 0)
		return rate_parse(value, &vif->rate_bytes, &vif->rate_interval_us);
	if (strcmp(name, "devid") == 0 || strcmp(name, "mtu") == 0)
		return vif_number(vif, name, value);
	if (strcmp(name, "type") == 0) {
		if (strcmp(value, "vif") != 0 && strcmp(value, "ioemu") != 0)
			return reason_set(EINVAL, type_names, value);
		return text_dup(&vif->type, value);
	}
	if (strcmp(name, "accel") == 0)
		return 0;
	return reason_set(EINVAL, "unknown parameter %.40s", name);
}

static int vif_read(struct vif_config *vif, const char *spec, const struct host_config *hc)
{
	struct parameters p = { .at = spec };
	int err = 0;

	while (err == 0 && parameter_next(&p, cut_at_equals)) {
		if (p.value != NULL)
			err = vif_named(vif, p.text, p.value);
		else if (strcmp(p.text, "untrusted") == 0 || strcmp(p.text, "trusted") == 0)
			vif->untrusted = p.text[0] == 'u';
		else if (p.text[0] != '\0')
			err = reason_set(EINVAL, "unknown flag %.40s: parameters are written as bridge=xenbr0,mac=...", p.text);
	}
	if (err == 0 && vif->vifname != NULL && (strlen(vif->vifname) > 15 || strchr(vif->vifname, '/') != NULL))
		err = reason_set(EINVAL, "vifname is \"%s\": an interface's name has at most 15 characters and no /", vif->vifname);
	if (err == 0 && hc != NULL && vif->script == NULL)
		err = text_dup(&vif->script, hc->vif_script);
	if (err == 0 && hc != NULL && vif->bridge == NULL)
		err = text_dup(&vif->bridge, hc->vif_bridge);
	if (err == 0 && hc != NULL && vif->backend == NULL)
		err = text_dup(&vif->backend, hc->vif_backend);
	if (err == 0 && hc != NULL && vif->gatewaydev == NULL)
		err = text_dup(&vif->gatewaydev, hc->vif_gatewaydev);
	return err;
}

int vif_parse(struct vif_config *vif, const char *spec, const struct host_config *hc)
{
	int err;

	memset(vif, 0, sizeof(*vif));
	vif->devid = -1;
	err = vif_read(vif, spec, hc);
	if (err == 0)
		return 0;
	vif_free(vif);
	return reason_prefix(err, "vif \"%.80s\": ", spec);
}

/* ---- channels ---- */

void channel_free(struct channel_config *channel)
{
	free(channel->name);
	free(channel->path);
	free(channel->backend);
	memset(channel, 0, sizeof(*channel));
}

int channel_parse(struct channel_config *channel, const char *spec)
{
	struct parameters p = { .at = spec };
	bool connected = false;
	int err = 0;

	memset(channel, 0, sizeof(*channel));
	while (err == 0 && parameter_next(&p, cut_at_equals)) {
		if (p.value == NULL) {
			err = reason_set(EINVAL, "\"%.40s\" is not KEY=VALUE", p.text);
		} else if (strcmp(p.text, "name") == 0) {
			err = text_dup(&channel->name, p.value);
		} else if (strcmp(p.text, "path") == 0) {
			err = text_dup(&channel->path, p.value);
		} else if (strcmp(p.text, "backend") == 0) {
			err = text_dup(&channel->backend, p.value);
		} else if (strcmp(p.text, "connection") == 0) {
			connected = true;
			channel->socket = strcasecmp(p.value, "socket") == 0;
			if (!channel->socket && strcasecmp(p.value, "pty") != 0)
				err = reason_set(EINVAL, "connection is \"%.40s\", but must be socket or pty", p.value);
		} else {
			err = reason_set(EINVAL, "unknown parameter %.40s", p.text);
		}
	}
	if (err == 0 && channel->name == NULL)
		err = reason_set(EINVAL, "a channel needs name=...");
	if (err == 0 && !connected)
		err = reason_set(EINVAL, "a channel needs connection=socket or connection=pty");
	if (err == 0 && channel->socket && channel->path == NULL)
		err = reason_set(EINVAL, "a channel with connection=socket needs path=...");
	if (err == 0)
		return 0;
	channel_free(channel);
	return reason_prefix(err, "channel \"%.80s\": ", spec);
}
