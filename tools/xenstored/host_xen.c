/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine as dom0 sees it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xen/domctl.h>
#include <xen/grant_table.h>
#include <xen/xen.h>

#include "argon/dev.h"
#include "argon/reason.h"
#include "host.h"
#include "util.h"

struct host_xen {
	struct host host;
	struct dev *dev;
	struct evtchn *events;
	struct gntdev *grants; /* NULL: the kernel has no such device */
	/* Rings that are mapped by frame, not by grant. */
	struct xenstore_domain_interface **by_frame;
	size_t by_frame_count, by_frame_room;
	struct xen_domctl *domctl;
};

/* The toolstack grants a guest's page to us before it introduces the guest; one that does not gives the frame. */
static int ring_map(struct host *host, uint16_t domid, uint64_t gfn, struct xenstore_domain_interface **ring)
{
	struct host_xen *xen = (struct host_xen *)host;
	uint32_t reference = GNTTAB_RESERVED_XENSTORE;
	void *page = NULL;

	if (xen->grants)
		page = gntdev_map_domain(xen->grants, domid, 1, &reference, PROT_READ | PROT_WRITE);
	if (!page) {
		page = dev_map(xen->dev, domid, PROT_READ | PROT_WRITE, 1, &gfn, NULL);
		if (!page)
			return errno ? -errno : -EINVAL;
		array_grow(&xen->by_frame, xen->by_frame_count, &xen->by_frame_room, sizeof(*xen->by_frame));
		xen->by_frame[xen->by_frame_count++] = page;
	}
	*ring = page;
	return 0;
}

static void ring_unmap(struct host *host, uint16_t domid, struct xenstore_domain_interface *ring)
{
	struct host_xen *xen = (struct host_xen *)host;

	if (!domid) {
		munmap(ring, DEV_PAGE_SIZE);
		return;
	}
	for (size_t i = 0; i < xen->by_frame_count; i++) {
		if (xen->by_frame[i] != ring)
			continue;
		xen->by_frame[i] = xen->by_frame[--xen->by_frame_count];
		dev_unmap(xen->dev, ring, 1);
		return;
	}
	if (gntdev_unmap(xen->grants, ring, 1) < 0)
		return; /* it is unmapped all the same */
}

static int port_bind(struct host *host, uint16_t domid, uint32_t remote_port)
{
	return evtchn_bind_interdomain(((struct host_xen *)host)->events, domid, remote_port);
}

static void port_unbind(struct host *host, uint32_t port)
{
	evtchn_unbind(((struct host_xen *)host)->events, port);
}

static void port_notify(struct host *host, uint32_t port)
{
	evtchn_notify(((struct host_xen *)host)->events, port);
}

static int ports_pending(struct host *host, uint32_t *ports, unsigned int room)
{
	struct host_xen *xen = (struct host_xen *)host;
	int count = evtchn_pending(xen->events, ports, room);

	if (count <= 0)
		return 0;
	host->read_total += (uint64_t)count * sizeof(*ports);
	if (!evtchn_unmask(xen->events, ports, (unsigned int)count))
		host->write_total += (uint64_t)count * sizeof(*ports);
	return count;
}

static int domain_state(struct host *host, uint16_t domid)
{
	struct host_xen *xen = (struct host_xen *)host;
	const struct xen_domctl_getdomaininfo *info = &xen->domctl->u.getdomaininfo;

	memset(xen->domctl, 0, sizeof(*xen->domctl));
	xen->domctl->cmd = XEN_DOMCTL_getdomaininfo;
	xen->domctl->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	xen->domctl->domain = domid;
	/* The answer is about the first domain from this number on. */
	if (dev_hypercall(xen->dev, __HYPERVISOR_domctl, (uintptr_t)xen->domctl, 0, 0, 0, 0) || xen->domctl->domain != domid)
		return HOST_ABSENT;
	if (info->flags & XEN_DOMINF_dying)
		return HOST_DYING;
	return info->flags & XEN_DOMINF_shutdown ? HOST_SHUTDOWN : HOST_RUNNING;
}

/* A number in a small file. */
static int number_read(const char *path, uint32_t *number)
{
	char text[32] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t value;

	if (fd < 0)
		return -errno;
	if (read(fd, text, sizeof(text) - 1) < 0) {
		close(fd);
		return -EIO;
	}
	close(fd);
	text[strcspn(text, "\n")] = '\0';
	if (!number_parse(text, UINT32_MAX, &value))
		return -EIO;
	*number = (uint32_t)value;
	return 0;
}

static int own_ring(struct host *host, struct xenstore_domain_interface **ring, uint32_t *remote_port)
{
	int error = number_read("/proc/xen/xsd_port", remote_port), fd;
	void *page;

	(void)host;
	if (error)
		return error;
	fd = open("/proc/xen/xsd_kva", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	page = mmap(NULL, DEV_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	error = page == MAP_FAILED ? -errno : 0;
	close(fd);
	*ring = page;
	return error;
}

static void host_close(struct host *host)
{
	struct host_xen *xen = (struct host_xen *)host;

	dev_buffer_put(xen->dev, xen->domctl, sizeof(*xen->domctl));
	gntdev_close(xen->grants);
	evtchn_close(xen->events);
	dev_close(xen->dev);
	free(xen->by_frame);
	free(xen);
}

int host_open(struct host **out)
{
	struct host_xen *xen = xalloc(sizeof(*xen));
	int error = dev_open(&xen->dev), port;

	xen->host = (struct host){ .ring_map = ring_map, .ring_unmap = ring_unmap, .port_bind = port_bind, .port_unbind = port_unbind,
				   .port_notify = port_notify, .ports_pending = ports_pending, .domain_state = domain_state,
				   .own_ring = own_ring, .close = host_close };
	if (!error)
		error = evtchn_open(&xen->events);
	if (error) {
		dev_close(xen->dev);
		free(xen);
		return error;
	}
	if (gntdev_open(&xen->grants))
		xen->grants = NULL;
	xen->domctl = dev_buffer_get(xen->dev, sizeof(*xen->domctl));
	if (!xen->domctl) {
		host_close(&xen->host);
		return reason_set(ENOMEM, "xenstored: no memory for hypercalls");
	}
	xen->host.fd = evtchn_fd(xen->events);
	port = evtchn_bind_virq(xen->events, VIRQ_DOM_EXC);
	if (port < 0) {
		host_close(&xen->host);
		return reason_prefix(port, "xenstored: another one runs already? ");
	}
	xen->host.domain_port = (uint32_t)port;
	*out = &xen->host;
	return 0;
}
