/* SPDX-License-Identifier: BSD-2-Clause */
/* Event channels and grant tables of other domains. */
#include <errno.h>
#include <sys/mman.h>

#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/memory.h>

#include "ctrl_private.h"

int ctrl_evtchn_alloc_unbound(struct ctrl *ctrl, uint32_t domid, uint32_t remote_domid)
{
	struct evtchn_alloc_unbound argument = { .dom = (domid_t)domid, .remote_dom = (domid_t)remote_domid };
	int rc = (int)call_with(ctrl, __HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, &argument, sizeof(argument));

	return rc < 0 ? domctl_failed(domid, "cannot be given an event channel", rc) : (int)argument.port;
}

int ctrl_evtchn_reset(struct ctrl *ctrl, uint32_t domid)
{
	struct evtchn_reset argument = { .dom = (domid_t)domid };
	int rc = (int)call_with(ctrl, __HYPERVISOR_event_channel_op, EVTCHNOP_reset, &argument, sizeof(argument));

	return rc < 0 ? domctl_failed(domid, "cannot have its event channels closed", rc) : 0;
}

int ctrl_evtchn_status(struct ctrl *ctrl, uint32_t domid, uint32_t port, struct ctrl_evtchn_status *out)
{
	struct evtchn_status argument = { .dom = (domid_t)domid, .port = port };
	int rc = (int)call_with(ctrl, __HYPERVISOR_event_channel_op, EVTCHNOP_status, &argument, sizeof(argument));

	if (rc < 0)
		return domctl_failed(domid, "does not tell the state of a port", rc);
	*out = (struct ctrl_evtchn_status){ .status = argument.status, .vcpu = argument.vcpu };
	switch (argument.status) {
	case EVTCHNSTAT_unbound:
		out->remote_domid = argument.u.unbound.dom;
		break;
	case EVTCHNSTAT_interdomain:
		out->remote_domid = argument.u.interdomain.dom;
		out->remote_port = argument.u.interdomain.port;
		break;
	case EVTCHNSTAT_pirq:
		out->number = argument.u.pirq;
		break;
	case EVTCHNSTAT_virq:
		out->number = argument.u.virq;
		break;
	default:
		break;
	}
	return 0;
}

/* The first frame of a grant table by way of GNTTABOP_setup_table, for kernels that cannot map resources. */
static void *grant_frame_map(struct ctrl *ctrl, uint32_t domid)
{
	struct gnttab_setup_table argument = { .dom = (domid_t)domid, .nr_frames = 1 };
	uint64_t *frame = dev_buffer_get(ctrl->dev, sizeof(*frame));
	void *buffer = dev_buffer_get(ctrl->dev, sizeof(argument)), *map = NULL;
	int64_t rc = -ENOMEM;

	if (frame && buffer) {
		set_xen_guest_handle(argument.frame_list, frame);
		memcpy(buffer, &argument, sizeof(argument));
		rc = dev_hypercall(ctrl->dev, __HYPERVISOR_grant_table_op, GNTTABOP_setup_table, (uintptr_t)buffer, 1, 0, 0);
		memcpy(&argument, buffer, sizeof(argument));
	}
	if (rc == 0 && argument.status == GNTST_okay)
		map = dev_map(ctrl->dev, domid, PROT_READ | PROT_WRITE, 1, frame, NULL);
	else
		errno = -reason_set(rc < 0 ? (int)-rc : EINVAL, "the grant table of domain %u cannot be set up", domid);
	dev_buffer_put(ctrl->dev, frame, sizeof(*frame));
	dev_buffer_put(ctrl->dev, buffer, sizeof(argument));
	return map;
}

static void entry_fill(struct grant_entry_v1 *entry, uint64_t frame, uint32_t domid)
{
	if (!frame)
		return;
	entry->domid = (domid_t)domid;
	entry->frame = (uint32_t)frame;
	__atomic_store_n(&entry->flags, GTF_permit_access, __ATOMIC_RELEASE);
}

int ctrl_grant_seed(struct ctrl *ctrl, uint32_t domid, uint64_t console_frame, uint32_t console_domid, uint64_t store_frame,
		    uint32_t store_domid)
{
	struct grant_entry_v1 *table;

	if (console_frame > UINT32_MAX || store_frame > UINT32_MAX)
		return reason_set(EINVAL, "a ring of domain %u lies above 16 TiB, where version 1 of grant tables does not reach", domid);
	table = dev_map_resource(ctrl->dev, domid, XENMEM_resource_grant_table, XENMEM_resource_grant_table_id_shared, 0, 1,
				 PROT_READ | PROT_WRITE);
	if (!table)
		table = grant_frame_map(ctrl, domid);
	if (!table)
		return errno ? -errno : -EINVAL;
	entry_fill(&table[GNTTAB_RESERVED_CONSOLE], console_frame, console_domid);
	entry_fill(&table[GNTTAB_RESERVED_XENSTORE], store_frame, store_domid);
	dev_unmap(ctrl->dev, table, 1);
	return 0;
}

int ctrl_grant_size(struct ctrl *ctrl, uint32_t domid, uint32_t *frames, uint32_t *max_frames)
{
	struct gnttab_query_size argument = { .dom = (domid_t)domid };
	void *buffer = dev_buffer_get(ctrl->dev, sizeof(argument));
	int64_t rc;

	if (!buffer)
		return -ENOMEM;
	memcpy(buffer, &argument, sizeof(argument));
	rc = dev_hypercall(ctrl->dev, __HYPERVISOR_grant_table_op, GNTTABOP_query_size, (uintptr_t)buffer, 1, 0, 0);
	memcpy(&argument, buffer, sizeof(argument));
	dev_buffer_put(ctrl->dev, buffer, sizeof(argument));
	if (rc == 0 && argument.status != GNTST_okay)
		rc = argument.status == GNTST_bad_domain ? -ESRCH : -EPERM;
	if (rc < 0)
		return domctl_failed(domid, "does not tell the size of its grant table", (int)rc);
	*frames = argument.nr_frames;
	*max_frames = argument.max_nr_frames;
	return 0;
}
