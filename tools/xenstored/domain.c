/* SPDX-License-Identifier: BSD-2-Clause */
/* Domains: their coming, their rings, their end. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xs.h"

struct domain *domain_find(const struct xs *xs, uint16_t domid)
{
	return domid < DOMIDS ? xs->domain_of[domid] : NULL;
}

static int ring_open(struct xs *xs, struct domain *domain)
{
	struct host *host = xs->host;
	uint32_t remote = domain->remote_port;
	int error;

	if (!domain->domid)
		error = host->own_ring(host, &domain->ring, &remote);
	else
		error = host->ring_map(host, domain->domid, domain->gfn, &domain->ring);
	if (error) {
		domain->ring = NULL;
		return error;
	}
	domain->port = host->port_bind(host, domain->domid, remote);
	if (domain->port > 0 && domain->port < (int)ARRAY_SIZE(xs->domain_of_port)) {
		xs->domain_of_port[domain->port] = domain;
		return 0;
	}
	error = domain->port;
	domain->port = 0;
	host->ring_unmap(host, domain->domid, domain->ring);
	domain->ring = NULL;
	return error;
}

static void ring_close(struct xs *xs, struct domain *domain)
{
	if (domain->port) {
		xs->domain_of_port[domain->port] = NULL;
		xs->host->port_unbind(xs->host, (uint32_t)domain->port);
	}
	if (domain->ring)
		xs->host->ring_unmap(xs->host, domain->domid, domain->ring);
	domain->port = 0;
	domain->ring = NULL;
}

/* What the guest may see of us; before anything is taken from the ring. */
static void ring_announce(struct xs *xs, struct domain *domain)
{
	__atomic_store_n(&domain->ring->server_features, RING_FEATURES, __ATOMIC_RELEASE);
	if (domain->domid)
		__atomic_store_n(&domain->ring->error, domain->error, __ATOMIC_RELEASE);
	xs->host->port_notify(xs->host, (uint32_t)domain->port);
	conn_ready(xs, domain->conn);
}

/* The streams start where the ring stands. */
static void streams_begin(struct xs *xs, struct domain *domain)
{
	uint32_t in = domain->ring->req_cons, out = domain->ring->rsp_prod;
	struct slot *slot = conn_slot(xs, domain->conn);

	domain->conn->out_tail = out;
	atomic_store(&slot->done, slot_word(in, out));
	atomic_store(&slot->fetched, in);
	atomic_store(&slot->sent, out);
}

void domain_connect(struct xs *xs, struct domain *domain)
{
	struct slot *slot = conn_slot(xs, domain->conn);

	if (ring_open(xs, domain)) {
		domain->conn->broken = true; /* it may be dying: domains_check will find out */
		return;
	}
	if (xs->slots_lost)
		streams_begin(xs, domain);
	/* The indices are what the slot says, whether or not the last worker lived to store them. */
	if (__atomic_load_n(&domain->ring->connection, __ATOMIC_ACQUIRE) != XENSTORE_RECONNECT) {
		__atomic_store_n(&domain->ring->req_cons, slot->fetched, __ATOMIC_RELEASE);
		__atomic_store_n(&domain->ring->rsp_prod, slot->sent, __ATOMIC_RELEASE);
	}
	ring_announce(xs, domain);
}

static void domain_free(struct xs *xs, struct domain *domain)
{
	ring_close(xs, domain);
	conn_free(xs, domain->conn);
	LIST_REMOVE(domain, list);
	xs->domain_of[domain->domid] = NULL;
	free(domain);
}

void slot_evict(struct xs *xs, uint32_t slot)
{
	struct conn *conn = xs->conns[slot];

	if (conn && conn->domain) {
		domain_free(xs, conn->domain);
	} else if (conn) {
		conn->fd = -1; /* its number may be another's now */
		conn_free(xs, conn);
	}
}

static void domain_add(struct xs *xs, struct domain *domain, uint32_t slot, bool fresh, uint32_t in, uint32_t out)
{
	domain->conn = conn_new(xs, slot, domain->domid, fresh, in, out);
	domain->conn->domain = domain;
	LIST_INSERT_HEAD(&xs->domains, domain, list);
	xs->domain_of[domain->domid] = domain;
}

/* The guest is there again, after a suspension perhaps, with another page or port. */
static int reintroduce(struct xs *xs, struct domain *domain, uint64_t gfn, uint32_t port)
{
	struct conn *conn = domain->conn;
	struct domain old = *domain;
	int error;

	domain->gfn = gfn;
	domain->remote_port = port;
	if (!xs->replaying) {
		ring_close(xs, domain);
		error = ring_open(xs, domain);
		if (error) {
			domain->gfn = old.gfn;
			domain->remote_port = old.remote_port;
			if (ring_open(xs, domain))
				conn->broken = true;
			return error;
		}
	}
	domain->shutdown_announced = false;
	domain->error = XENSTORE_ERROR_NONE;
	conn_reset(xs, conn);
	conn->broken = false;
	if (xs->replaying)
		return 0;
	streams_begin(xs, domain);
	ring_announce(xs, domain);
	return 0;
}

int domain_introduce(struct xs *xs, uint16_t domid, uint64_t gfn, uint32_t port)
{
	struct domain *domain = domain_find(xs, domid);
	int error, slot;

	if (domain)
		return domid ? reintroduce(xs, domain, gfn, port) : -EINVAL;
	domain = xalloc(sizeof(*domain));
	domain->domid = domid;
	domain->target = DOMID_NONE;
	domain->gfn = gfn;
	domain->remote_port = port;
	if (xs->replaying) {
		slot_evict(xs, xs->introduced_slot);
		domain_add(xs, domain, xs->introduced_slot, false, 0, 0);
		return 0;
	}
	slot = slot_allocate(&xs->slots, domid ? SLOT_GUEST_BYTES : SLOT_OUT_BYTES);
	error = slot < 0 ? slot : ring_open(xs, domain);
	if (error) {
		free(domain);
		return error;
	}
	xs->introduced_slot = (uint32_t)slot;
	domain_add(xs, domain, (uint32_t)slot, true, domain->ring->req_cons, domain->ring->rsp_prod);
	/* Somebody may have asked to start afresh before anything happened: nothing to drop then. */
	if (domid && domain->ring->connection == XENSTORE_RECONNECT)
		__atomic_store_n(&domain->ring->connection, XENSTORE_CONNECTED, __ATOMIC_RELEASE);
	ring_announce(xs, domain);
	return 0;
}

int domain_release(struct xs *xs, uint16_t domid)
{
	struct domain *domain = domain_find(xs, domid);

	if (!domid)
		return -EINVAL;
	if (!domain)
		return -ENOENT;
	domain_free(xs, domain);
	if (!xs->options->keep_orphans)
		nodes_purge(xs, domid);
	return 0;
}

void domain_gone(struct xs *xs, struct domain *domain)
{
	uint16_t domid = domain->domid;

	domain_free(xs, domain);
	if (!xs->options->keep_orphans)
		nodes_purge(xs, domid);
	xs->special_fired |= 1u << SPECIAL_RELEASE;
	xs->special_domid = domid;
}

void domain_shutdown(struct xs *xs, struct domain *domain)
{
	domain->shutdown_announced = true;
	xs->special_fired |= 1u << SPECIAL_RELEASE;
	xs->special_domid = domain->domid;
}

void domain_fail(struct xs *xs, struct domain *domain, uint32_t error)
{
	uint32_t record[2] = { domain->domid, error };

	if (domain->error)
		return;
	log_line("domain %u: ring out of use, error %u", domain->domid, error);
	domain->error = (uint8_t)error;
	domain->conn->broken = true;
	conn_reset(xs, domain->conn);
	event_commit(xs, RECORD_DOMAIN_ERROR, record, sizeof(record));
	if (domain->ring) {
		__atomic_store_n(&domain->ring->error, error, __ATOMIC_RELEASE);
		xs->host->port_notify(xs->host, (uint32_t)domain->port);
	}
}

void domains_check(struct xs *xs)
{
	struct domain *domain, *next;

	for (domain = LIST_FIRST(&xs->domains); domain; domain = next) {
		uint16_t domid = domain->domid;
		int state = domid ? xs->host->domain_state(xs->host, domid) : HOST_RUNNING;

		next = LIST_NEXT(domain, list);
		if (state == HOST_ABSENT || state == HOST_DYING) {
			domain_gone(xs, domain);
			event_commit(xs, RECORD_DOMAIN_GONE, &domid, sizeof(domid));
		} else if (state == HOST_SHUTDOWN && !domain->shutdown_announced) {
			domain_shutdown(xs, domain);
			event_commit(xs, RECORD_DOMAIN_SHUTDOWN, &domid, sizeof(domid));
		}
	}
}
