/* SPDX-License-Identifier: BSD-2-Clause */
/* Life of a domain and what it is allowed to. */
#include <errno.h>

#include <xen/sched.h>

#include "ctrl_private.h"

#define LIST_CHUNK 64 /* domains that one call lists */

static uint32_t grant_version_highest(struct ctrl *ctrl)
{
	struct ctrl_physinfo info;

	if (ctrl_physinfo(ctrl, &info))
		return 1;
	return info.capabilities & XEN_SYSCTL_PHYSCAP_gnttab_v2 ? 2 : 1;
}

int ctrl_domain_create(struct ctrl *ctrl, const struct ctrl_domain_create *config, uint32_t wanted, uint32_t *domid)
{
	uint32_t version = config->grant_version ? config->grant_version : grant_version_highest(ctrl);
	struct xen_domctl op = { 0 };
	struct xen_domctl_createdomain *create = &op.u.createdomain;
	int rc;

	create->ssidref = config->security_label;
	memcpy(create->handle, config->uuid, sizeof(create->handle));
	create->flags = config->flags;
	create->iommu_opts = config->iommu_options;
	create->max_vcpus = config->max_vcpus;
	create->max_evtchn_port = config->max_event_port ? config->max_event_port : 1023;
	create->max_grant_frames = config->max_grant_frames;
	create->max_maptrack_frames = config->max_maptrack_frames;
	create->grant_opts = XEN_DOMCTL_GRANT_version(version);
	create->cpupool_id = config->cpupool;
	create->arch.emulation_flags = config->emulation_flags;
	create->arch.misc_flags = config->misc_flags;
	rc = domctl_quiet(ctrl, &op, XEN_DOMCTL_createdomain, wanted);
	if (rc < 0)
		return reason_set(-rc, "no new domain: %s", rc == -EEXIST ? "its number is taken" : ctrl_explain(-rc));
	*domid = op.domain;
	return 0;
}

static int simple(struct ctrl *ctrl, uint32_t cmd, uint32_t domid, const char *what)
{
	struct xen_domctl op = { 0 };

	return domctl(ctrl, &op, cmd, domid, what);
}

int ctrl_domain_destroy(struct ctrl *ctrl, uint32_t domid)
{
	struct xen_domctl op = { 0 };
	int rc;

	do {
		rc = domctl_quiet(ctrl, &op, XEN_DOMCTL_destroydomain, domid);
	} while (rc == -EAGAIN); /* long work in pieces */
	return rc < 0 ? domctl_failed(domid, "cannot be destroyed", rc) : rc;
}

int ctrl_domain_pause(struct ctrl *ctrl, uint32_t domid)
{
	return simple(ctrl, XEN_DOMCTL_pausedomain, domid, "cannot be paused");
}

int ctrl_domain_unpause(struct ctrl *ctrl, uint32_t domid)
{
	return simple(ctrl, XEN_DOMCTL_unpausedomain, domid, "cannot be unpaused");
}

int ctrl_domain_resume(struct ctrl *ctrl, uint32_t domid)
{
	return simple(ctrl, XEN_DOMCTL_resumedomain, domid, "cannot be resumed");
}

int ctrl_domain_soft_reset(struct ctrl *ctrl, uint32_t domid)
{
	return simple(ctrl, XEN_DOMCTL_soft_reset, domid, "cannot be reset");
}

int ctrl_domain_shutdown(struct ctrl *ctrl, uint32_t domid, uint32_t reason)
{
	struct sched_remote_shutdown shutdown = { .domain_id = (domid_t)domid, .reason = reason };
	int rc = (int)call_with(ctrl, __HYPERVISOR_sched_op, SCHEDOP_remote_shutdown, &shutdown, sizeof(shutdown));

	return rc < 0 ? domctl_failed(domid, "cannot be shut down", rc) : 0;
}

static void info_convert(struct ctrl_domain_info *to, const struct xen_domctl_getdomaininfo *from)
{
	*to = (struct ctrl_domain_info){
		.domid = from->domain,
		.dying = from->flags & XEN_DOMINF_dying,
		.hvm = from->flags & XEN_DOMINF_hvm_guest,
		.shutdown = from->flags & XEN_DOMINF_shutdown,
		.paused = from->flags & XEN_DOMINF_paused,
		.blocked = from->flags & XEN_DOMINF_blocked,
		.running = from->flags & XEN_DOMINF_running,
		.debugged = from->flags & XEN_DOMINF_debugged,
		.xenstore = from->flags & XEN_DOMINF_xs_domain,
		.hap = from->flags & XEN_DOMINF_hap,
		.shutdown_reason = (from->flags >> XEN_DOMINF_shutdownshift) & XEN_DOMINF_shutdownmask,
		.pages = from->tot_pages,
		.max_pages = from->max_pages,
		.outstanding_pages = from->outstanding_pages,
		.shared_pages = from->shr_pages,
		.paged_pages = from->paged_pages,
		.shared_info_frame = from->shared_info_frame,
		.cpu_time = from->cpu_time,
		.online_vcpus = from->nr_online_vcpus,
		.max_vcpu_id = from->max_vcpu_id,
		.security_label = from->ssidref,
		.cpupool = from->cpupool,
		.emulation_flags = from->arch_config.emulation_flags,
	};
	memcpy(to->uuid, from->handle, sizeof(to->uuid));
}

int ctrl_domain_info(struct ctrl *ctrl, uint32_t domid, struct ctrl_domain_info *out)
{
	struct xen_domctl op = { 0 };
	int rc = domctl_quiet(ctrl, &op, XEN_DOMCTL_getdomaininfo, domid);

	/* The call finds the next domain when this one is not there. */
	if (rc == 0 && op.u.getdomaininfo.domain != domid)
		rc = -ESRCH;
	if (rc < 0)
		return domctl_failed(domid, "cannot be looked at", rc);
	info_convert(out, &op.u.getdomaininfo);
	return 0;
}

int ctrl_domain_list(struct ctrl *ctrl, uint32_t first, struct ctrl_domain_info *out, uint32_t room)
{
	uint32_t chunk = room < LIST_CHUNK ? room : LIST_CHUNK, got, done = 0;
	struct xen_domctl_getdomaininfo *buffer = dev_buffer_get(ctrl->dev, chunk * sizeof(*buffer));
	int rc = buffer ? 0 : -ENOMEM;

	while (!rc && done < room && first < DOMID_FIRST_RESERVED) {
		struct xen_sysctl op = { .u.getdomaininfolist = { .first_domain = (domid_t)first } };

		op.u.getdomaininfolist.max_domains = room - done < chunk ? room - done : chunk;
		set_xen_guest_handle(op.u.getdomaininfolist.buffer, buffer);
		rc = sysctl(ctrl, &op, XEN_SYSCTL_getdomaininfolist, "domains cannot be listed");
		got = rc < 0 ? 0 : op.u.getdomaininfolist.num_domains;
		if (!got || got > chunk)
			break;
		for (uint32_t i = 0; i < got; i++)
			info_convert(&out[done + i], &buffer[i]);
		done += got;
		first = out[done - 1].domid + 1;
		rc = 0;
	}
	dev_buffer_put(ctrl->dev, buffer, chunk * sizeof(*buffer));
	return rc < 0 ? rc : (int)done;
}

int ctrl_domain_list_all(struct ctrl *ctrl, struct ctrl_domain_info **out)
{
	struct ctrl_domain_info *list = NULL, *more;
	uint32_t count = 0, room = 0;
	int rc;

	do {
		room += LIST_CHUNK;
		more = realloc(list, room * sizeof(*list));
		if (!more) {
			free(list);
			return reason_set(ENOMEM, "out of memory");
		}
		list = more;
		rc = ctrl_domain_list(ctrl, count ? list[count - 1].domid + 1 : 0, list + count, room - count);
		if (rc < 0) {
			free(list);
			return rc;
		}
		count += (uint32_t)rc;
	} while (count == room);
	*out = list;
	return (int)count;
}

int ctrl_domain_set_uuid(struct ctrl *ctrl, uint32_t domid, const uint8_t uuid[16])
{
	struct xen_domctl op = { 0 };

	memcpy(op.u.setdomainhandle.handle, uuid, sizeof(op.u.setdomainhandle.handle));
	return domctl(ctrl, &op, XEN_DOMCTL_setdomainhandle, domid, "cannot be given its UUID");
}

int ctrl_domain_set_max_memory(struct ctrl *ctrl, uint32_t domid, uint64_t kib)
{
	struct xen_domctl op = { .u.max_mem.max_memkb = kib };

	return domctl(ctrl, &op, XEN_DOMCTL_max_mem, domid, "cannot be given its memory limit");
}

int ctrl_domain_set_max_vcpus(struct ctrl *ctrl, uint32_t domid, uint32_t count)
{
	struct xen_domctl op = { .u.max_vcpus.max = count };

	return domctl(ctrl, &op, XEN_DOMCTL_max_vcpus, domid, "cannot be given its vCPUs");
}

int ctrl_domain_set_address_size(struct ctrl *ctrl, uint32_t domid, uint32_t bits)
{
	struct xen_domctl op = { .u.address_size.size = bits };

	return domctl(ctrl, &op, XEN_DOMCTL_set_address_size, domid, "cannot have addresses of this width");
}

int ctrl_domain_get_address_size(struct ctrl *ctrl, uint32_t domid, uint32_t *bits)
{
	struct xen_domctl op = { 0 };
	int rc = domctl(ctrl, &op, XEN_DOMCTL_get_address_size, domid, "does not tell the width of its addresses");

	*bits = op.u.address_size.size;
	return rc;
}

int ctrl_domain_hypercall_page(struct ctrl *ctrl, uint32_t domid, uint64_t frame)
{
	struct xen_domctl op = { .u.hypercall_init.gmfn = frame };

	return domctl(ctrl, &op, XEN_DOMCTL_hypercall_init, domid, "cannot be given its hypercall page");
}

int ctrl_domain_set_time_offset(struct ctrl *ctrl, uint32_t domid, int64_t seconds)
{
	struct xen_domctl op = { .u.settimeoffset.time_offset_seconds = seconds };

	return domctl(ctrl, &op, XEN_DOMCTL_settimeoffset, domid, "cannot be given its time offset");
}

int ctrl_domain_set_debugging(struct ctrl *ctrl, uint32_t domid, bool on)
{
	struct xen_domctl op = { .u.setdebugging.enable = on };

	return domctl(ctrl, &op, XEN_DOMCTL_setdebugging, domid, "cannot be debugged");
}

int ctrl_domain_set_target(struct ctrl *ctrl, uint32_t domid, uint32_t target)
{
	struct xen_domctl op = { .u.set_target.target = (domid_t)target };

	return domctl(ctrl, &op, XEN_DOMCTL_set_target, domid, "cannot serve its target");
}

int ctrl_domain_subscribe(struct ctrl *ctrl, uint32_t domid, uint32_t port)
{
	struct xen_domctl op = { .u.subscribe.port = port };

	return domctl(ctrl, &op, XEN_DOMCTL_subscribe, domid, "cannot be watched for its suspend");
}

int ctrl_domain_set_virq_handler(struct ctrl *ctrl, uint32_t domid, uint32_t virq)
{
	struct xen_domctl op = { .u.set_virq_handler.virq = virq };

	return domctl(ctrl, &op, XEN_DOMCTL_set_virq_handler, domid, "cannot receive the virtual interrupt");
}

int ctrl_domain_trigger(struct ctrl *ctrl, uint32_t domid, uint32_t trigger, uint32_t vcpu)
{
	struct xen_domctl op = { .u.sendtrigger = { .trigger = trigger, .vcpu = vcpu } };

	return domctl(ctrl, &op, XEN_DOMCTL_sendtrigger, domid, "cannot be sent the trigger");
}

int ctrl_domain_set_tsc(struct ctrl *ctrl, uint32_t domid, const struct ctrl_tsc *tsc)
{
	struct xen_domctl op = { .u.tsc_info = { .tsc_mode = tsc->mode, .gtsc_khz = tsc->khz,
						 .incarnation = tsc->incarnation, .elapsed_nsec = tsc->elapsed } };

	return domctl(ctrl, &op, XEN_DOMCTL_settscinfo, domid, "cannot be given its TSC mode");
}

int ctrl_domain_get_tsc(struct ctrl *ctrl, uint32_t domid, struct ctrl_tsc *out)
{
	struct xen_domctl op = { 0 };
	int rc = domctl(ctrl, &op, XEN_DOMCTL_gettscinfo, domid, "does not tell its TSC mode");

	*out = (struct ctrl_tsc){ .mode = op.u.tsc_info.tsc_mode, .khz = op.u.tsc_info.gtsc_khz,
				  .incarnation = op.u.tsc_info.incarnation, .elapsed = op.u.tsc_info.elapsed_nsec };
	return rc;
}

int ctrl_domain_irq_permission(struct ctrl *ctrl, uint32_t domid, uint32_t irq, bool allow)
{
	struct xen_domctl op = { .u.irq_permission = { .pirq = irq, .allow_access = allow } };

	return domctl(ctrl, &op, XEN_DOMCTL_irq_permission, domid, "cannot be given the interrupt");
}

int ctrl_domain_iomem_permission(struct ctrl *ctrl, uint32_t domid, uint64_t first_frame, uint64_t count, bool allow)
{
	struct xen_domctl op = { .u.iomem_permission = { .first_mfn = first_frame, .nr_mfns = count, .allow_access = allow } };

	return domctl(ctrl, &op, XEN_DOMCTL_iomem_permission, domid, "cannot be given the I/O memory");
}

int ctrl_domain_ioport_permission(struct ctrl *ctrl, uint32_t domid, uint32_t first, uint32_t count, bool allow)
{
	struct xen_domctl op = { .u.ioport_permission = { .first_port = first, .nr_ports = count, .allow_access = allow } };

	return domctl(ctrl, &op, XEN_DOMCTL_ioport_permission, domid, "cannot be given the I/O ports");
}

int ctrl_domain_assign_device(struct ctrl *ctrl, uint32_t domid, uint32_t sbdf, uint32_t flags)
{
	struct xen_domctl op = { .u.assign_device = { .dev = XEN_DOMCTL_DEV_PCI, .flags = flags, .u.pci.machine_sbdf = sbdf } };

	return domctl(ctrl, &op, XEN_DOMCTL_assign_device, domid, "cannot be given the PCI device");
}

int ctrl_domain_deassign_device(struct ctrl *ctrl, uint32_t domid, uint32_t sbdf)
{
	struct xen_domctl op = { .u.assign_device = { .dev = XEN_DOMCTL_DEV_PCI, .u.pci.machine_sbdf = sbdf } };

	return domctl(ctrl, &op, XEN_DOMCTL_deassign_device, domid, "cannot give the PCI device back");
}
