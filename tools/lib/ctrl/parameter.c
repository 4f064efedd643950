/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypervisor's parameters, which are files below /params of its small file system. */
#include <errno.h>
#include <stdio.h>
#include <strings.h>

#include <xen/hypfs.h>

#include "ctrl_private.h"

#define ROOM (DEV_PAGE_SIZE - XEN_HYPFS_MAX_PATHLEN) /* for contents */

static int64_t hypfs(struct ctrl *ctrl, uint32_t operation, char *path, void *data, size_t bytes)
{
	return dev_hypercall(ctrl->dev, __HYPERVISOR_hypfs_op, operation, (uintptr_t)path, strlen(path) + 1, (uintptr_t)data, bytes);
}

static bool boolean(const char *text, uint64_t *out)
{
	static const char *const words[] = { "no", "yes", "off", "on", "false", "true", "disable", "enable", "0", "1" };

	for (uint64_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasecmp(text, words[i]) == 0) {
			*out = i % 2;
			return true;
		}
	return false;
}

/* The value in the form that the file has. @return its length or -EINVAL */
static int64_t encode(const struct xen_hypfs_direntry *entry, const char *value, void *out, size_t room)
{
	uint64_t number = 0;
	char *end = NULL;

	switch (entry->type) {
	case XEN_HYPFS_TYPE_STRING:
		if (strlen(value) >= room || strlen(value) >= entry->max_write_len)
			return -EINVAL;
		strcpy(out, value);
		return (int64_t)strlen(value) + 1;
	case XEN_HYPFS_TYPE_BOOL:
		if (!boolean(value, &number))
			return -EINVAL;
		break;
	case XEN_HYPFS_TYPE_UINT:
	case XEN_HYPFS_TYPE_INT:
		errno = 0;
		number = entry->type == XEN_HYPFS_TYPE_INT ? (uint64_t)strtoll(value, &end, 0) : strtoull(value, &end, 0);
		if (errno || end == value || *end || (entry->type == XEN_HYPFS_TYPE_UINT && *value == '-'))
			return -EINVAL;
		break;
	default:
		return -EINVAL;
	}
	if (entry->content_len > sizeof(number))
		return -EINVAL;
	if (entry->type == XEN_HYPFS_TYPE_UINT && entry->content_len < sizeof(number) && number >> 8 * entry->content_len)
		return -EINVAL;
	memcpy(out, &number, entry->content_len);
	return entry->content_len;
}

int ctrl_parameter_set(struct ctrl *ctrl, const char *name, const char *value)
{
	char *path = dev_buffer_get(ctrl->dev, DEV_PAGE_SIZE), *data;
	struct xen_hypfs_direntry entry = { 0 };
	int64_t rc;

	if (!path)
		return -ENOMEM;
	data = path + XEN_HYPFS_MAX_PATHLEN;
	if ((size_t)snprintf(path, XEN_HYPFS_MAX_PATHLEN, "/params/%s", name) >= XEN_HYPFS_MAX_PATHLEN || strchr(name, '/')) {
		rc = -ENOENT;
	} else {
		rc = hypfs(ctrl, XEN_HYPFS_OP_read, path, data, ROOM);
		memcpy(&entry, data, sizeof(entry));
		if (rc == -ENOBUFS) /* its form is known all the same */
			rc = 0;
	}
	if (rc >= 0 && !entry.max_write_len)
		rc = -ENOENT;
	if (rc >= 0)
		rc = encode(&entry, value, data, ROOM);
	if (rc >= 0)
		rc = hypfs(ctrl, XEN_HYPFS_OP_write_contents, path, data, (size_t)rc);
	dev_buffer_put(ctrl->dev, path, DEV_PAGE_SIZE);
	if (rc >= 0)
		return 0;
	if (rc == -ENOENT)
		return reason_set(ENOENT, "the hypervisor has no parameter \"%s\" that can be changed while it runs", name);
	if (rc == -ENOSYS || rc == -EOPNOTSUPP)
		return reason_set(ENOSYS, "this hypervisor's parameters can be set at boot only");
	if (rc == -EINVAL)
		return reason_set(EINVAL, "parameter %s cannot be \"%s\"", name, value);
	return reason_set((int)-rc, "parameter %s cannot be changed: %s", name, ctrl_explain((int)-rc));
}
