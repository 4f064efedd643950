/* SPDX-License-Identifier: BSD-2-Clause */
/* Domains in libvirt's XML (https://libvirt.org/formatdomain.html), as far as PV guests have what it names. */
#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "argon/domain_config.h"
#include "argon/reason.h"
#include "text.h"

/*
 * libxml2 is loaded when it is needed: with what it needs itself it is many times larger than all else here, and would slow
 * down every command.
 */
static struct {
	xmlParserCtxt *(*parser_new)(void);
	xmlDoc *(*read)(xmlParserCtxt *parser, const char *text, int length, const char *url, const char *encoding, int options);
	const xmlError *(*last_error)(void *parser);
	void (*parser_free)(xmlParserCtxt *parser);
	void (*doc_free)(xmlDoc *doc);
	xmlNode *(*root)(const xmlDoc *doc);
	xmlChar *(*content)(const xmlNode *node);
	xmlChar *(*property)(const xmlNode *node, const xmlChar *name);
	long (*line)(const xmlNode *node);
	xmlFreeFunc *release;
} lib;

static int lib_load(void)
{
	const struct {
		const char *name;
		void **to;
	} wanted[] = {
		{ "xmlNewParserCtxt", (void **)&lib.parser_new }, { "xmlCtxtReadMemory", (void **)&lib.read },
		{ "xmlCtxtGetLastError", (void **)&lib.last_error }, { "xmlFreeParserCtxt", (void **)&lib.parser_free },
		{ "xmlFreeDoc", (void **)&lib.doc_free }, { "xmlDocGetRootElement", (void **)&lib.root },
		{ "xmlNodeGetContent", (void **)&lib.content }, { "xmlGetProp", (void **)&lib.property },
		{ "xmlGetLineNo", (void **)&lib.line }, { "xmlFree", (void **)&lib.release },
	};
	void *handle = dlopen("libxml2.so.2", RTLD_NOW | RTLD_LOCAL);
	size_t i;

	if (handle == NULL)
		return reason_set(ENOENT, "this file is XML, and libxml2 is not there to read it; install the package libxml2");
	for (i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		*wanted[i].to = dlsym(handle, wanted[i].name);
		if (*wanted[i].to == NULL)
			return reason_set(ENOSYS, "libxml2 lacks %s", wanted[i].name);
	}
	return 0;
}

struct xml {
	const char *source;
	struct domain_config *dc;
};

bool domain_config_is_xml(const char *text, size_t length)
{
	size_t i = 0;

	while (i < length && isspace((unsigned char)text[i]))
		i++;
	return i < length && text[i] == '<';
}

/* ---- nodes ---- */

static int node_error(const struct xml *x, const xmlNode *node, const char *format, ...) __attribute__((format(printf, 3, 4)));

static int node_error(const struct xml *x, const xmlNode *node, const char *format, ...)
{
	char text[384];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return reason_set(EINVAL, "%s:%ld: <%s>: %s", x->source, lib.line(node), (const char *)node->name, text);
}

static bool is(const xmlNode *node, const char *name)
{
	return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

static xmlNode *child(const xmlNode *node, const char *name)
{
	xmlNode *c;

	for (c = node->children; c != NULL; c = c->next) {
		if (is(c, name))
			return c;
	}
	return NULL;
}

/* Text without the blanks around it; NULL when there is none. The caller frees it. */
static char *trimmed(xmlChar *raw)
{
	char *text = (char *)raw, *copy;
	size_t length;

	if (text == NULL)
		return NULL;
	while (isspace((unsigned char)*text))
		text++;
	for (length = strlen(text); length > 0 && isspace((unsigned char)text[length - 1]); length--)
		continue;
	copy = length != 0 ? strndup(text, length) : NULL;
	(*lib.release)(raw);
	return copy;
}

static char *content(const xmlNode *node)
{
	return node != NULL ? trimmed(lib.content(node)) : NULL;
}

static char *attribute(const xmlNode *node, const char *name)
{
	return node != NULL ? trimmed(lib.property(node, (const xmlChar *)name)) : NULL;
}

/* Hands an allocated text over. */
static void take(char **to, char *text)
{
	if (text == NULL)
		return;
	free(*to);
	*to = text;
}

static int number_of(const struct xml *x, const xmlNode *node, const char *text, unsigned long max, unsigned long *out)
{
	char *end;

	errno = 0;
	*out = text != NULL && isdigit((unsigned char)*text) ? strtoul(text, &end, 10) : ULONG_MAX;
	if (*out == ULONG_MAX || errno != 0 || *end != '\0' || *out > max)
		return node_error(x, node, "\"%.40s\" is not a number up to %lu", text != NULL ? text : "", max);
	return 0;
}

/* ---- parts of a domain ---- */

static int memory_of(const struct xml *x, const xmlNode *node, uint64_t *kib)
{
	static const struct {
		const char *unit;
		uint64_t bytes;
	} units[] = {
		{ "b", 1 }, { "bytes", 1 }, { "KB", 1000 }, { "k", 1024 }, { "KiB", 1024 }, { "MB", 1000000 }, { "M", 1u << 20 },
		{ "MiB", 1u << 20 }, { "GB", 1000000000 }, { "G", 1u << 30 }, { "GiB", 1u << 30 }, { "T", 1ul << 40 },
		{ "TiB", 1ul << 40 },
	};
	char *unit = attribute(node, "unit"), *text = content(node);
	uint64_t bytes = 1024;
	unsigned long n = 0;
	unsigned int i;
	int err = 0;

	if (unit != NULL) {
		for (i = 0; i < sizeof(units) / sizeof(units[0]) && strcmp(units[i].unit, unit) != 0; i++)
			continue;
		if (i == sizeof(units) / sizeof(units[0]))
			err = node_error(x, node, "\"%.20s\" is not a unit of memory", unit);
		else
			bytes = units[i].bytes;
	}
	if (err == 0)
		err = number_of(x, node, text, (1ul << 54) / bytes, &n);
	if (err == 0)
		*kib = n * bytes / 1024;
	free(unit);
	free(text);
	return err;
}

static int vcpus_read(const struct xml *x, const xmlNode *node)
{
	char *text = content(node), *current = attribute(node, "current"), *set = attribute(node, "cpuset");
	struct domain_config *dc = x->dc;
	unsigned long n = 1;
	int err = number_of(x, node, text, DOMAIN_VCPUS_MAX, &n);

	if (err == 0) {
		dc->max_vcpus = dc->vcpus = (unsigned int)n;
		if (current != NULL)
			err = number_of(x, node, current, n, &n);
		dc->vcpus = (unsigned int)n;
	}
	if (err == 0 && set != NULL && dc->cpus == NULL) {
		dc->cpus = calloc(1, sizeof(*dc->cpus));
		if (dc->cpus == NULL) {
			err = reason_set(ENOMEM, "out of memory");
		} else {
			dc->cpus[0] = set;
			dc->cpus_count = 1;
			set = NULL;
		}
	}
	free(text);
	free(current);
	free(set);
	return err;
}

static int cputune_read(const struct xml *x, const xmlNode *node)
{
	const xmlNode *c = child(node, "shares");
	char *text = content(c);
	unsigned long n = 0;
	int err = 0;

	if (c != NULL) {
		err = number_of(x, c, text, 65535, &n);
		if (err == 0 && n == 0)
			err = node_error(x, c, "must be from 1 to 65535");
		x->dc->weight = (long)n;
	}
	free(text);
	return err;
}

static int os_read(const struct xml *x, const xmlNode *node)
{
	const xmlNode *type = child(node, "type");
	char *text = content(type);

	if (text != NULL && strcmp(text, "hvm") == 0)
		x->dc->type = DOMAIN_HVM;
	else if (text != NULL && strcmp(text, "xenpvh") == 0)
		x->dc->type = DOMAIN_PVH;
	else if (text != NULL && strcmp(text, "linux") != 0 && strcmp(text, "xen") != 0) {
		int err = node_error(x, type, "\"%.20s\" is not a type of guest: linux, xen, xenpvh or hvm", text);

		free(text);
		return err;
	}
	free(text);
	take(&x->dc->kernel, content(child(node, "kernel")));
	take(&x->dc->ramdisk, content(child(node, "initrd")));
	take(&x->dc->cmdline, content(child(node, "cmdline")));
	return 0;
}

static int action_read(const struct xml *x, const xmlNode *node, enum domain_action *action)
{
	char *text = content(node);
	int err = 0;

	if (text != NULL && action_parse(text, action) != 0)
		err = node_error(x, node, "\"%.40s\" is not an action: destroy, restart, preserve, rename-restart, "
				 "coredump-destroy or coredump-restart", text);
	free(text);
	return err;
}

/* ---- devices ---- */

static void *array_grow(void *array, size_t *count, size_t size)
{
	char *more = realloc(array, (*count + 1) * size);

	if (more == NULL)
		return NULL;
	memset(more + *count * size, 0, size);
	(*count)++;
	return more;
}

static int disk_fill(const struct xml *x, const xmlNode *node, struct disk_config *disk)
{
	char *device = attribute(node, "device"), *format = attribute(child(node, "driver"), "type");
	const xmlNode *source = child(node, "source");
	int err = 0;

	take(&disk->target, attribute(source, "file"));
	take(&disk->target, attribute(source, "dev"));
	take(&disk->vdev, attribute(child(node, "target"), "dev"));
	disk->cdrom = device != NULL && strcmp(device, "cdrom") == 0;
	disk->readonly = child(node, "readonly") != NULL || disk->cdrom;
	if (format != NULL && disk_format_parse(format, strlen(format), &disk->format) != 0)
		err = node_error(x, node, "driver type \"%.20s\" is not raw, qcow2, vhd or qed", format);
	else if (disk->vdev == NULL)
		err = node_error(x, node, "has no <target dev=...>");
	else if (disk->target == NULL && !disk->cdrom)
		err = node_error(x, node, "has no <source file=...> or <source dev=...>");
	else if (disk->target == NULL)
		disk->format = DISK_EMPTY;
	free(device);
	free(format);
	return err;
}

static int disk_read(const struct xml *x, const xmlNode *node)
{
	struct domain_config *dc = x->dc;
	struct disk_config *more;

	if (dc->disks_count == DOMAIN_DEVICES_MAX)
		return node_error(x, node, "more than %u disks", DOMAIN_DEVICES_MAX);
	more = array_grow(dc->disks, &dc->disks_count, sizeof(*more));
	if (more == NULL)
		return reason_set(ENOMEM, "out of memory");
	dc->disks = more;
	return disk_fill(x, node, &more[dc->disks_count - 1]);
}

static int vif_fill(const struct xml *x, const xmlNode *node, struct vif_config *vif)
{
	char *mac = attribute(child(node, "mac"), "address"), *mtu = attribute(child(node, "mtu"), "size");
	const xmlNode *bandwidth = child(node, "bandwidth");
	char *average = bandwidth != NULL ? attribute(child(bandwidth, "outbound"), "average") : NULL;
	unsigned long n = 0;
	int err = 0;

	vif->devid = -1;
	take(&vif->bridge, attribute(child(node, "source"), "bridge"));
	take(&vif->script, attribute(child(node, "script"), "path"));
	take(&vif->vifname, attribute(child(node, "target"), "dev"));
	take(&vif->ip, attribute(child(node, "ip"), "address"));
	if (mac != NULL) {
		err = mac_parse(vif->mac, mac);
		vif->mac_set = err == 0;
		if (err != 0)
			err = node_error(x, node, "%s", reason_get());
	}
	if (err == 0 && mtu != NULL) {
		err = number_of(x, node, mtu, 65535, &n);
		vif->mtu = (uint32_t)n;
	}
	if (err == 0 && average != NULL) {
		/* In KiB a second, there. */
		err = number_of(x, node, average, 1ul << 22, &n);
		vif->rate_bytes = n * 1024 / 20;
		vif->rate_interval_us = 50000;
	}
	free(mac);
	free(mtu);
	free(average);
	return err;
}

static int vif_read(const struct xml *x, const xmlNode *node)
{
	struct domain_config *dc = x->dc;
	struct vif_config *more;

	if (dc->vifs_count == DOMAIN_DEVICES_MAX)
		return node_error(x, node, "more than %u network cards", DOMAIN_DEVICES_MAX);
	more = array_grow(dc->vifs, &dc->vifs_count, sizeof(*more));
	if (more == NULL)
		return reason_set(ENOMEM, "out of memory");
	dc->vifs = more;
	return vif_fill(x, node, &more[dc->vifs_count - 1]);
}

static int devices_read(const struct xml *x, const xmlNode *node)
{
	static const char *const refused[] = { "hostdev", "filesystem", "tpm", "shmem", NULL };
	const xmlNode *c;
	unsigned int i;
	int err = 0;

	for (c = node->children; c != NULL && err == 0; c = c->next) {
		if (is(c, "disk"))
			err = disk_read(x, c);
		else if (is(c, "interface"))
			err = vif_read(x, c);
		for (i = 0; refused[i] != NULL && err == 0; i++) {
			if (is(c, refused[i]))
				err = node_error(x, c, "is not supported by this version of Argon; remove it");
		}
	}
	return err;
}

/* ---- the whole ---- */

static int element_read(const struct xml *x, const xmlNode *c)
{
	struct domain_config *dc = x->dc;
	char *text;
	int err = 0;

	if (is(c, "name")) {
		take(&dc->name, content(c));
	} else if (is(c, "uuid")) {
		text = content(c);
		if (text != NULL && uuid_parse(dc->uuid, text) != 0)
			err = node_error(x, c, "%s", reason_get());
		dc->uuid_set = text != NULL && err == 0;
		free(text);
	} else if (is(c, "memory")) {
		err = memory_of(x, c, &dc->maxmem_kib);
	} else if (is(c, "currentMemory")) {
		err = memory_of(x, c, &dc->memory_kib);
	} else if (is(c, "vcpu")) {
		err = vcpus_read(x, c);
	} else if (is(c, "cputune")) {
		err = cputune_read(x, c);
	} else if (is(c, "os")) {
		err = os_read(x, c);
	} else if (is(c, "bootloader")) {
		take(&dc->bootloader, content(c));
	} else if (is(c, "on_poweroff")) {
		err = action_read(x, c, &dc->on_poweroff);
	} else if (is(c, "on_reboot")) {
		err = action_read(x, c, &dc->on_reboot);
	} else if (is(c, "on_crash")) {
		err = action_read(x, c, &dc->on_crash);
	} else if (is(c, "devices")) {
		err = devices_read(x, c);
	}
	return err;
}

static int root_read(const struct xml *x, const xmlNode *root)
{
	char *type = attribute(root, "type");
	const xmlNode *c;
	int err = 0;

	if (!is(root, "domain"))
		err = node_error(x, root, "the outermost element must be <domain>");
	else if (type != NULL && strcmp(type, "xen") != 0)
		err = node_error(x, root, "type=\"%.20s\": only type=\"xen\" can be run here", type);
	free(type);
	x->dc->memory_kib = 0;
	for (c = root->children; c != NULL && err == 0; c = c->next)
		err = element_read(x, c);
	if (err == 0 && x->dc->memory_kib == 0)
		x->dc->memory_kib = x->dc->maxmem_kib;
	if (err == 0 && x->dc->memory_kib == 0)
		err = node_error(x, root, "has no <memory>");
	if (err == 0 && domain_config_check(x->dc) != 0)
		err = reason_prefix(-EINVAL, "%s: ", x->source);
	return err;
}

int domain_config_read_xml(struct domain_config *dc, const char *source, const char *text, size_t length)
{
	struct xml x = { .source = source, .dc = dc };
	const xmlError *error;
	xmlParserCtxt *parser;
	xmlDoc *doc;
	int err;

	if (length > INT_MAX)
		return reason_set(EFBIG, "%s is too long", source);
	err = lib_load();
	if (err != 0)
		return err;
	parser = lib.parser_new();
	if (parser == NULL)
		return reason_set(ENOMEM, "out of memory");
	/* Nothing is fetched, and no entity is expanded. */
	doc = lib.read(parser, text, (int)length, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (doc == NULL) {
		error = lib.last_error(parser);
		err = reason_set(EINVAL, "%s:%d:%d: %.*s", source, error != NULL ? error->line : 1, error != NULL ? error->int2 : 1,
				 error != NULL && error->message != NULL ? (int)strcspn(error->message, "\n") : 8,
				 error != NULL && error->message != NULL ? error->message : "not XML.");
	} else {
		err = lib.root(doc) != NULL ? root_read(&x, lib.root(doc)) :
		      reason_set(EINVAL, "%s: there is no element", source);
		lib.doc_free(doc);
	}
	lib.parser_free(parser);
	return err;
}
