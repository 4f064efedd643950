/* SPDX-License-Identifier: BSD-2-Clause */
/* What the daemon needs of the machine: pages and event channels of domains. Tests put another one behind it. */
#ifndef XENSTORED_HOST_H
#define XENSTORED_HOST_H

#include <stdint.h>

#include <xen/io/xs_wire.h>

/* States of a domain. */
#define HOST_ABSENT   0
#define HOST_RUNNING  1
#define HOST_SHUTDOWN 2 /* or crashed, or suspended */
#define HOST_DYING    3

struct host {
	/** Map the ring page of a domain, by its grant or its frame. @return 0 or -errno */
	int (*ring_map)(struct host *host, uint16_t domid, uint64_t gfn, struct xenstore_domain_interface **ring);
	void (*ring_unmap)(struct host *host, uint16_t domid, struct xenstore_domain_interface *ring);
	/** Connect to a domain's port. @return our port, or -errno */
	int (*port_bind)(struct host *host, uint16_t domid, uint32_t remote_port);
	void (*port_unbind)(struct host *host, uint32_t port);
	void (*port_notify)(struct host *host, uint32_t port);
	/** Ports that were notified, unmasked again. @return how many were stored */
	int (*ports_pending)(struct host *host, uint32_t *ports, unsigned int room);
	/** HOST_* */
	int (*domain_state)(struct host *host, uint16_t domid);
	/** Ring and port of the kernel that we run on. @return 0 or -errno */
	int (*own_ring)(struct host *host, struct xenstore_domain_interface **ring, uint32_t *remote_port);
	void (*close)(struct host *host);
	int fd; /* readable when ports are pending */
	uint32_t domain_port; /* notified when a domain changed its state */
	/* Bytes that went through read and write for ports, which slots.h counts. */
	uint64_t read_total, write_total;
};

/** The real one. @return 0 or -errno with a reason */
int host_open(struct host **out);

#endif
