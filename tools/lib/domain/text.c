/* SPDX-License-Identifier: BSD-2-Clause */
/* Small texts of configurations: UUIDs, MAC addresses, rates, sizes, names of actions and disks. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "argon/domain_config.h"
#include "argon/reason.h"
#include "text.h"

int text_dup(char **to, const char *from)
{
	char *copy = NULL;

	if (from != NULL) {
		copy = strdup(from);
		if (copy == NULL)
			return reason_set(ENOMEM, "out of memory");
	}
	free(*to);
	*to = copy;
	return 0;
}

/* ---- UUID ---- */

int uuid_parse(uint8_t uuid[16], const char *text)
{
	uint8_t val[16] = { 0 };
	const char *p = text;
	unsigned int n;

	for (n = 0; n < 32; n++) {
		while (*p == '-')
			p++;
		if (!isxdigit((unsigned char)*p))
			break;
		val[n / 2] = (uint8_t)(val[n / 2] << 4 | (isdigit((unsigned char)*p) ? *p - '0' : (*p | 0x20) - 'a' + 10));
		p++;
	}
	if (n != 32 || *p != '\0')
		return reason_set(EINVAL, "\"%.60s\" is not a UUID: 32 hexadecimal digits in groups of 8-4-4-4-12", text);
	memcpy(uuid, val, sizeof(val));
	return 0;
}

void uuid_format(const uint8_t uuid[16], char text[DOMAIN_UUID_TEXT])
{
	unsigned int i, at = 0;

	for (i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			text[at++] = '-';
		at += (unsigned int)snprintf(text + at, 3, "%02x", uuid[i]);
	}
}

static void random_bytes(void *to, size_t size)
{
	/* Up to 256 bytes come whole once the kernel's generator is ready, and dom0's has been for long. */
	while (getrandom(to, size, 0) != (ssize_t)size)
		continue;
}

void uuid_random(uint8_t uuid[16])
{
	random_bytes(uuid, 16);
	uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40);
	uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
}

/* ---- MAC addresses ---- */

int mac_parse(uint8_t mac[6], const char *text)
{
	unsigned int v[6], i;
	int used = 0;

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &used) != 6 || text[used] != '\0')
		return reason_set(EINVAL, "\"%.40s\" is not a MAC address: six groups of two hexadecimal digits with : between", text);
	if (v[0] & 1)
		return reason_set(EINVAL, "MAC address %s is a multicast address: no card can have it", text);
	for (i = 0; i < 6; i++)
		mac[i] = (uint8_t)v[i];
	return 0;
}

void mac_format(const uint8_t mac[6], char text[18])
{
	snprintf(text, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

void mac_random(uint8_t mac[6])
{
	mac[0] = 0x00;
	mac[1] = 0x16;
	mac[2] = 0x3e;
	random_bytes(mac + 3, 3);
	mac[3] &= 0x7f;
}

/* ---- rates and sizes ---- */

struct unit {
	const char *name;
	uint64_t times, over;
};

static int unit_find(const struct unit *units, const char *text, size_t length, uint64_t *val)
{
	for (; units->name != NULL; units++) {
		if (strlen(units->name) == length && strncmp(units->name, text, length) == 0) {
			if (*val > UINT64_MAX / units->times)
				return -ERANGE;
			*val = *val * units->times / units->over;
			return 0;
		}
	}
	return -EINVAL;
}

int rate_parse(const char *text, uint64_t *bytes, uint32_t *interval_us)
{
	static const struct unit rates[] = {
		{ "GB/s", 1000000000, 1 }, { "MB/s", 1000000, 1 }, { "KB/s", 1000, 1 }, { "B/s", 1, 1 },
		{ "Gb/s", 1000000000, 8 }, { "Mb/s", 1000000, 8 }, { "Kb/s", 1000, 8 }, { "b/s", 1, 8 }, { NULL, 0, 0 },
	};
	static const struct unit times[] = {
		{ "us", 1, 1 }, { "ms", 1000, 1 }, { "s", 1000000, 1 }, { NULL, 0, 0 },
	};
	const char *at = strchr(text, '@');
	uint64_t rate, interval = 50000;
	char *unit;

	errno = 0;
	rate = strtoull(text, &unit, 10);
	if (!isdigit((unsigned char)*text) || errno != 0 ||
	    unit_find(rates, unit, at != NULL ? (size_t)(at - unit) : strlen(unit), &rate) != 0)
		return reason_set(EINVAL, "\"%.60s\" is not a rate such as 10Mb/s, 250KB/s or 1MB/s@20ms", text);
	if (at != NULL) {
		interval = strtoull(at + 1, &unit, 10);
		if (!isdigit((unsigned char)at[1]) || unit_find(times, unit, strlen(unit), &interval) != 0)
			return reason_set(EINVAL, "\"%.60s\": after @ an interval such as 20ms is expected", text);
	}
	if (interval == 0 || interval > UINT32_MAX || rate > UINT64_MAX / interval || rate * interval / 1000000 == 0 ||
	    rate * interval / 1000000 > UINT32_MAX)
		return reason_set(EINVAL, "\"%.60s\": the rate allows no byte, or more than 4 GiB, in an interval", text);
	*bytes = rate * interval / 1000000;
	*interval_us = (uint32_t)interval;
	return 0;
}

int size_parse(const char *text, uint64_t unit_kib, uint64_t *kib)
{
	uint64_t val, times = unit_kib;
	char *end;

	errno = 0;
	val = strtoull(text, &end, 10);
	if (!isdigit((unsigned char)*text) || errno != 0 || (*end != '\0' && end[1] != '\0'))
		goto bad;
	switch (*end | 0x20) {
	case ' ':
		if (*end == ' ')
			goto bad;
		break;
	case 't':
		times = 1UL << 30;
		break;
	case 'g':
		times = 1UL << 20;
		break;
	case 'm':
		times = 1UL << 10;
		break;
	case 'k':
		times = 1;
		break;
	case 'b':
		*kib = val >> 10;
		return 0;
	default:
		goto bad;
	}
	if (val > (1UL << 44) / times)
		return reason_set(EINVAL, "\"%.40s\" is more memory than any machine has", text);
	*kib = val * times;
	return 0;
bad:
	return reason_set(EINVAL, "\"%.40s\" is not an amount of memory: a number, and t, g, m, k or b behind it", text);
}

/* ---- names ---- */

static const char *const action_names[ACTION_COUNT] = {
	[ACTION_DESTROY] = "destroy",
	[ACTION_RESTART] = "restart",
	[ACTION_RENAME_RESTART] = "rename-restart",
	[ACTION_PRESERVE] = "preserve",
	[ACTION_COREDUMP_DESTROY] = "coredump-destroy",
	[ACTION_COREDUMP_RESTART] = "coredump-restart",
	[ACTION_SOFT_RESET] = "soft-reset",
};

const char *action_name(enum domain_action action)
{
	return action_names[action];
}

int action_parse(const char *text, enum domain_action *out)
{
	char plain[32];
	unsigned int i;

	/* JSON has underscores. */
	snprintf(plain, sizeof(plain), "%s", text);
	for (i = 0; plain[i] != '\0'; i++) {
		if (plain[i] == '_')
			plain[i] = '-';
	}
	for (i = 0; i < ACTION_COUNT; i++) {
		if (strcmp(plain, action_names[i]) == 0) {
			*out = (enum domain_action)i;
			return 0;
		}
	}
	return reason_set(EINVAL, "\"%.40s\" is not an action: destroy, restart, rename-restart, preserve, coredump-destroy, "
			  "coredump-restart or soft-reset", text);
}

const char *domain_type_name(enum domain_type type)
{
	switch (type) {
	case DOMAIN_PVH:
		return "pvh";
	case DOMAIN_HVM:
		return "hvm";
	case DOMAIN_PV:
	default:
		return "pv";
	}
}

const char *disk_format_name(enum disk_format format)
{
	static const char *const names[DISK_FORMAT_COUNT] = { "raw", "qcow", "qcow2", "vhd", "qed", "empty" };

	return names[format];
}

int disk_format_parse(const char *text, size_t length, enum disk_format *out)
{
	unsigned int i;

	for (i = 0; i < DISK_FORMAT_COUNT; i++) {
		const char *name = disk_format_name((enum disk_format)i);

		if (strlen(name) == length && strncasecmp(name, text, length) == 0) {
			*out = (enum disk_format)i;
			return 0;
		}
	}
	return -EINVAL;
}
