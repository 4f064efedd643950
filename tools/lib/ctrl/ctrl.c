/* SPDX-License-Identifier: BSD-2-Clause */
/* The handle, and the ways into the hypervisor that the other files share. */
#include <errno.h>

#include <xen/xen.h>

#include "ctrl_private.h"

#define XEN_ERESTART 85 /* the hypervisor's number for "call again"; it is not for callers, but do as it says */

int ctrl_open_dev(struct dev *dev, struct ctrl **out)
{
	struct ctrl *ctrl = calloc(1, sizeof(*ctrl));

	if (!ctrl)
		return reason_set(ENOMEM, "out of memory");
	ctrl->dev = dev;
	*out = ctrl;
	return 0;
}

int ctrl_open(struct ctrl **out)
{
	struct dev *dev;
	int rc = dev_open(&dev);

	if (rc)
		return rc;
	rc = ctrl_open_dev(dev, out);
	if (rc)
		dev_close(dev);
	else
		(*out)->own = true;
	return rc;
}

void ctrl_close(struct ctrl *ctrl)
{
	if (!ctrl)
		return;
	if (ctrl->own)
		dev_close(ctrl->dev);
	free(ctrl);
}

struct dev *ctrl_dev(struct ctrl *ctrl)
{
	return ctrl->dev;
}

const char *ctrl_explain(int error)
{
	switch (error) {
	case EPERM:
		return "the hypervisor does not allow it to this domain; is this dom0?";
	case EACCES:
		return "the hypervisor speaks another version of the control interface than 4.17's";
	case ESRCH:
		return "there is no such domain";
	case ENOMEM:
		return "the hypervisor has not enough free memory";
	case ENOSYS:
	case EOPNOTSUPP:
		return "this hypervisor cannot do that";
	case EINVAL:
		return "the hypervisor finds the arguments invalid";
	case EFAULT:
		return "the hypervisor cannot reach the arguments";
	default:
		return strerror(error);
	}
}

static bool again(int64_t rc)
{
	return rc == -XEN_ERESTART || rc == -EINTR;
}

int64_t call_with(struct ctrl *ctrl, uint32_t number, uint64_t cmd, void *argument, size_t bytes)
{
	void *buffer = dev_buffer_get(ctrl->dev, bytes);
	int64_t rc;

	if (!buffer)
		return -ENOMEM;
	memcpy(buffer, argument, bytes);
	do {
		rc = dev_hypercall(ctrl->dev, number, cmd, (uintptr_t)buffer, 0, 0, 0);
	} while (again(rc));
	memcpy(argument, buffer, bytes);
	dev_buffer_put(ctrl->dev, buffer, bytes);
	return rc;
}

/* Hypercalls with one argument, which holds the command. */
static int64_t call_op(struct ctrl *ctrl, uint32_t number, void *op, size_t bytes)
{
	void *buffer = dev_buffer_get(ctrl->dev, bytes);
	int64_t rc;

	if (!buffer)
		return -ENOMEM;
	memcpy(buffer, op, bytes);
	do {
		rc = dev_hypercall(ctrl->dev, number, (uintptr_t)buffer, 0, 0, 0, 0);
	} while (again(rc));
	memcpy(op, buffer, bytes);
	dev_buffer_put(ctrl->dev, buffer, bytes);
	return rc;
}

int domctl_quiet(struct ctrl *ctrl, struct xen_domctl *op, uint32_t cmd, uint32_t domid)
{
	op->cmd = cmd;
	op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	op->domain = (domid_t)domid;
	return (int)call_op(ctrl, __HYPERVISOR_domctl, op, sizeof(*op));
}

int domctl_failed(uint32_t domid, const char *what, int rc)
{
	return reason_set(-rc, "domain %u %s: %s", domid, what, ctrl_explain(-rc));
}

int domctl(struct ctrl *ctrl, struct xen_domctl *op, uint32_t cmd, uint32_t domid, const char *what)
{
	int rc = domctl_quiet(ctrl, op, cmd, domid);

	return rc < 0 ? domctl_failed(domid, what, rc) : rc;
}

int sysctl_quiet(struct ctrl *ctrl, struct xen_sysctl *op, uint32_t cmd)
{
	op->cmd = cmd;
	op->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	return (int)call_op(ctrl, __HYPERVISOR_sysctl, op, sizeof(*op));
}

int sysctl(struct ctrl *ctrl, struct xen_sysctl *op, uint32_t cmd, const char *what)
{
	int rc = sysctl_quiet(ctrl, op, cmd);

	return rc < 0 ? reason_set(-rc, "%s: %s", what, ctrl_explain(-rc)) : rc;
}
