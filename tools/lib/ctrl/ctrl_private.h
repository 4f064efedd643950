/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to libargonctrl: one function for each hypercall, which does the copies, the repeats and the reasons. */
#ifndef CTRL_PRIVATE_H
#define CTRL_PRIVATE_H

#include <stdlib.h>
#include <string.h>

#include <xen/domctl.h>
#include <xen/sysctl.h>

#include "argon/ctrl.h"
#include "argon/reason.h"

struct ctrl {
	struct dev *dev;
	bool own;
};

/* What an error of the hypervisor means, in words. @param error positive errno */
const char *ctrl_explain(int error);

/* Carry out op, whose union is filled in; it is overwritten by the answer. what: "cannot be paused". */
int domctl(struct ctrl *ctrl, struct xen_domctl *op, uint32_t cmd, uint32_t domid, const char *what);
/* The same without a reason, for callers to whom some errors are no failure. */
int domctl_quiet(struct ctrl *ctrl, struct xen_domctl *op, uint32_t cmd, uint32_t domid);
int domctl_failed(uint32_t domid, const char *what, int rc);
int sysctl(struct ctrl *ctrl, struct xen_sysctl *op, uint32_t cmd, const char *what);
int sysctl_quiet(struct ctrl *ctrl, struct xen_sysctl *op, uint32_t cmd);

/* A hypercall (number, cmd, argument) whose argument is copied in and out. Result or -errno; no reason. */
int64_t call_with(struct ctrl *ctrl, uint32_t number, uint64_t cmd, void *argument, size_t bytes);

#endif
