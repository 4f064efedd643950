/* SPDX-License-Identifier: BSD-2-Clause */
/* Event channels through Linux's /dev/xen/evtchn. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <xen/xen.h>
#include <xen/evtchn.h>

#include "argon/dev.h"
#include "argon/reason.h"
#include "dev_private.h"

struct evtchn {
	int fd;
};

int evtchn_open(struct evtchn **out)
{
	struct evtchn *events = malloc(sizeof(*events));

	if (!events)
		return reason_set(ENOMEM, "out of memory");
	events->fd = device_open("/dev/xen/evtchn", O_RDWR | O_NONBLOCK, "xen-evtchn");
	if (events->fd < 0) {
		int rc = events->fd;

		free(events);
		return rc;
	}
	*out = events;
	return 0;
}

void evtchn_close(struct evtchn *events)
{
	if (!events)
		return;
	close(events->fd);
	free(events);
}

int evtchn_fd(const struct evtchn *events)
{
	return events->fd;
}

int evtchn_bind_interdomain(struct evtchn *events, uint32_t domid, uint32_t remote_port)
{
	struct ioctl_evtchn_bind_interdomain bind = { .remote_domain = domid, .remote_port = remote_port };
	int port = ioctl(events->fd, IOCTL_EVTCHN_BIND_INTERDOMAIN, &bind);

	if (port < 0)
		return reason_set(errno, "port %u of domain %u cannot be bound: %s", remote_port, domid, strerror(errno));
	return port;
}

int evtchn_bind_unbound(struct evtchn *events, uint32_t domid)
{
	struct ioctl_evtchn_bind_unbound_port bind = { .remote_domain = domid };
	int port = ioctl(events->fd, IOCTL_EVTCHN_BIND_UNBOUND_PORT, &bind);

	if (port < 0)
		return reason_set(errno, "no port for domain %u: %s", domid, strerror(errno));
	return port;
}

int evtchn_bind_virq(struct evtchn *events, uint32_t virq)
{
	struct ioctl_evtchn_bind_virq bind = { .virq = virq };
	int port = ioctl(events->fd, IOCTL_EVTCHN_BIND_VIRQ, &bind);

	if (port < 0)
		return reason_set(errno, "virtual interrupt %u cannot be bound: %s", virq,
				  errno == EEXIST ? "another program has it" : strerror(errno));
	return port;
}

int evtchn_unbind(struct evtchn *events, uint32_t port)
{
	struct ioctl_evtchn_unbind unbind = { .port = port };

	if (ioctl(events->fd, IOCTL_EVTCHN_UNBIND, &unbind))
		return reason_set(errno, "port %u cannot be unbound: %s", port, strerror(errno));
	return 0;
}

int evtchn_notify(struct evtchn *events, uint32_t port)
{
	struct ioctl_evtchn_notify notify = { .port = port };

	if (ioctl(events->fd, IOCTL_EVTCHN_NOTIFY, &notify))
		return reason_set(errno, "port %u cannot be notified: %s", port, strerror(errno));
	return 0;
}

int evtchn_pending(struct evtchn *events, uint32_t *ports, unsigned int room)
{
	ssize_t bytes;

	do {
		bytes = read(events->fd, ports, room * sizeof(*ports));
	} while (bytes < 0 && errno == EINTR);
	if (bytes < 0 && errno == EAGAIN)
		return 0;
	if (bytes < 0)
		return reason_set(errno, "pending ports cannot be read: %s",
				  errno == EFBIG ? "too many of them; open the device again" : strerror(errno));
	return (int)((size_t)bytes / sizeof(*ports));
}

int evtchn_unmask(struct evtchn *events, const uint32_t *ports, unsigned int count)
{
	ssize_t bytes;

	do {
		bytes = write(events->fd, ports, count * sizeof(*ports));
	} while (bytes < 0 && errno == EINTR);
	if (bytes < 0)
		return reason_set(errno, "ports cannot be unmasked: %s", strerror(errno));
	return 0;
}
