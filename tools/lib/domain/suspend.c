/* SPDX-License-Identifier: BSD-2-Clause */
/* A domain that suspends itself for a save, and goes on afterwards if nothing came of it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/sched.h>
#include <xen/xen.h>

#include "argon/reason.h"
#include "move.h"
#include "internal.h"

/* A kernel that does not take notice of the request within this time never will. */
#define NOTICE_MS 10000
/* From then on it may freeze its processes and devices. */
#define SUSPEND_MS 60000

static bool suspended(const struct ctrl_domain_info *info)
{
	return info->shutdown && info->shutdown_reason == SHUTDOWN_suspend;
}

/* 1: it has suspended, 0: not yet. */
static int state_look(struct ctrl *ctrl, uint32_t domid)
{
	struct ctrl_domain_info info;
	int err = ctrl_domain_info(ctrl, domid, &info);

	if (err != 0)
		return err;
	if (info.dying || (info.shutdown && !suspended(&info)))
		return reason_set(ESHUTDOWN, "domain %u shut down instead of suspending", domid);
	return suspended(&info);
}

/* Whether the guest has taken the request: it empties the node. */
static bool noticed(struct store *store, const char *home)
{
	char *value = NULL;
	bool empty = store_read_at(store, STORE_NO_TX, home, "control/shutdown", &value) == 0 && *value == '\0';

	free(value);
	return empty;
}

static int suspend_wait(struct ctrl *ctrl, struct store *store, uint32_t domid, const char *home)
{
	long began = time_ms();
	bool seen = false;

	for (;;) {
		struct store_event event;
		int rc = state_look(ctrl, domid);

		if (rc != 0)
			return rc < 0 ? rc : 0;
		seen = seen || noticed(store, home);
		if (!seen && time_ms() - began > NOTICE_MS) {
			/* Taken back, if it is still there. */
			(void)store_write_at(store, STORE_NO_TX, home, "control/shutdown", "%s", "");
			return reason_set(ETIMEDOUT, "domain %u does not react to the request to suspend: its kernel cannot be saved, "
					  "or hangs", domid);
		}
		if (time_ms() - began > SUSPEND_MS)
			return reason_set(ETIMEDOUT, "domain %u took the request to suspend, but did not stop within %d s", domid,
					  SUSPEND_MS / 1000);
		if (store_event_wait(store, &event, seen ? 5 : 20) > 0)
			store_event_free(&event);
	}
}

int domain_suspend(struct host *host, uint32_t domid)
{
	struct store *store;
	struct ctrl *ctrl;
	char home[64];
	int err = host_ctrl(host, &ctrl);

	if (err == 0)
		err = host_store(host, &store);
	if (err != 0)
		return err;
	err = state_look(ctrl, domid);
	if (err != 0)
		return err < 0 ? err : 0;
	snprintf(home, sizeof(home), "/local/domain/%u", domid);
	err = store_watch(store, "@releaseDomain", "suspend", -1);
	if (err != 0)
		return err;
	err = store_write_at(store, STORE_NO_TX, home, "control/shutdown", "suspend");
	if (err == 0)
		err = suspend_wait(ctrl, store, domid, home);
	(void)store_unwatch(store, "@releaseDomain", "suspend");
	return err;
}

/* The suspend hypercall returns 1 to the kernel that waits in it: nothing has changed, go on. */
static int cancel_tell(struct ctrl *ctrl, uint32_t domid)
{
	struct vcpu_guest_context *context = calloc(1, sizeof(*context));
	int err;

	if (context == NULL)
		return reason_set(ENOMEM, "out of memory");
	err = ctrl_vcpu_get_context(ctrl, domid, 0, context);
	if (err == 0) {
		context->user_regs.rax = 1;
		err = ctrl_vcpu_set_context(ctrl, domid, 0, context);
	}
	free(context);
	return err;
}

int domain_resume(struct host *host, uint32_t domid)
{
	struct store *store;
	struct ctrl *ctrl;
	int err = host_ctrl(host, &ctrl);

	if (err == 0)
		err = host_store(host, &store);
	if (err == 0)
		err = state_look(ctrl, domid);
	if (err <= 0)
		return err;
	err = cancel_tell(ctrl, domid);
	if (err == 0)
		err = ctrl_domain_resume(ctrl, domid);
	return err == 0 ? store_resume(store, domid) : err;
}
