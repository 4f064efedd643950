/* SPDX-License-Identifier: BSD-2-Clause */
/* What the hypervisor says about itself. */
#include <errno.h>

#include <xen/version.h>

#include "ctrl_private.h"

/* One of the texts; what the hypervisor does not tell stays empty. */
static void text(struct ctrl *ctrl, void *buffer, uint32_t cmd, char *out, size_t bytes)
{
	memset(buffer, 0, bytes);
	if (dev_hypercall(ctrl->dev, __HYPERVISOR_xen_version, cmd, (uintptr_t)buffer, 0, 0, 0) >= 0)
		memcpy(out, buffer, bytes);
	out[bytes] = '\0';
}

static void compile_info(struct ctrl *ctrl, void *buffer, struct ctrl_version *out)
{
	const struct xen_compile_info *info = buffer;

	memset(buffer, 0, sizeof(*info));
	if (dev_hypercall(ctrl->dev, __HYPERVISOR_xen_version, XENVER_compile_info, (uintptr_t)buffer, 0, 0, 0) < 0)
		return;
	memcpy(out->compiler, info->compiler, sizeof(info->compiler));
	memcpy(out->compile_by, info->compile_by, sizeof(info->compile_by));
	memcpy(out->compile_domain, info->compile_domain, sizeof(info->compile_domain));
	memcpy(out->compile_date, info->compile_date, sizeof(info->compile_date));
}

static void build_id(struct ctrl *ctrl, void *buffer, struct ctrl_version *out)
{
	struct xen_build_id *id = buffer;
	int64_t bytes;

	memset(buffer, 0, DEV_PAGE_SIZE);
	id->len = sizeof(out->build_id);
	bytes = dev_hypercall(ctrl->dev, __HYPERVISOR_xen_version, XENVER_build_id, (uintptr_t)buffer, 0, 0, 0);
	if (bytes <= 0 || bytes > (int64_t)sizeof(out->build_id))
		return;
	out->build_id_bytes = (uint32_t)bytes;
	memcpy(out->build_id, id->buf, (size_t)bytes);
}

int ctrl_version(struct ctrl *ctrl, struct ctrl_version *out)
{
	struct xen_platform_parameters *parameters;
	void *buffer = dev_buffer_get(ctrl->dev, DEV_PAGE_SIZE);
	int64_t rc;

	memset(out, 0, sizeof(*out));
	if (!buffer)
		return -ENOMEM;
	rc = dev_hypercall(ctrl->dev, __HYPERVISOR_xen_version, XENVER_version, 0, 0, 0, 0);
	if (rc >= 0) {
		out->major = (uint32_t)rc >> 16;
		out->minor = (uint32_t)rc & 0xffff;
		out->page_size = (uint32_t)dev_hypercall(ctrl->dev, __HYPERVISOR_xen_version, XENVER_pagesize, 0, 0, 0, 0);
		text(ctrl, buffer, XENVER_extraversion, out->extra, sizeof(out->extra) - 1);
		text(ctrl, buffer, XENVER_changeset, out->changeset, sizeof(out->changeset) - 1);
		text(ctrl, buffer, XENVER_capabilities, out->capabilities, sizeof(out->capabilities) - 1);
		text(ctrl, buffer, XENVER_commandline, out->command_line, sizeof(out->command_line) - 1);
		compile_info(ctrl, buffer, out);
		build_id(ctrl, buffer, out);
		parameters = buffer;
		memset(buffer, 0, sizeof(*parameters));
		if (dev_hypercall(ctrl->dev, __HYPERVISOR_xen_version, XENVER_platform_parameters, (uintptr_t)buffer, 0, 0, 0) >= 0)
			out->virt_start = parameters->virt_start;
	}
	dev_buffer_put(ctrl->dev, buffer, DEV_PAGE_SIZE);
	return rc < 0 ? reason_set((int)-rc, "the hypervisor does not tell its version: %s", ctrl_explain((int)-rc)) : 0;
}

int ctrl_features(struct ctrl *ctrl, uint32_t *features)
{
	struct xen_feature_info info = { 0 };
	int rc = (int)call_with(ctrl, __HYPERVISOR_xen_version, XENVER_get_features, &info, sizeof(info));

	*features = info.submap;
	return rc < 0 ? reason_set(-rc, "the hypervisor does not tell its features: %s", ctrl_explain(-rc)) : 0;
}
