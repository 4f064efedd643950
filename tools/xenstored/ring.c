/* SPDX-License-Identifier: BSD-2-Clause */
/* The page that a domain shares with us. Its indices are the domain's word: they are read once and checked. */
#include <string.h>

#include "xs.h"

static uint32_t load(const uint32_t *field)
{
	return __atomic_load_n(field, __ATOMIC_ACQUIRE);
}

static void store(uint32_t *field, uint32_t value)
{
	__atomic_store_n(field, value, __ATOMIC_RELEASE);
}

/* @return bytes moved, or -1 for indices that cannot be */
static int ring_fetch(struct xs *xs, struct conn *conn, struct xenstore_domain_interface *ring)
{
	struct slot *slot = conn_slot(xs, conn);
	uint32_t from = atomic_load(&slot->fetched), available = load(&ring->req_prod) - from;
	uint32_t room = SLOT_IN_BYTES - conn_in_available(xs, conn), bytes, moved = 0;

	if (available > XENSTORE_RING_SIZE)
		return -1;
	bytes = MIN(available, room);
	while (moved < bytes) {
		uint32_t offset = MASK_XENSTORE_IDX(from + moved), to = (from + moved) % SLOT_IN_BYTES;
		uint32_t piece = MIN(bytes - moved, MIN(XENSTORE_RING_SIZE - offset, SLOT_IN_BYTES - to));

		memcpy(conn->in + to, ring->req + offset, piece);
		moved += piece;
	}
	if (!moved)
		return 0;
	atomic_store(&slot->fetched, from + moved);
	store(&ring->req_cons, from + moved);
	return (int)moved;
}

static int ring_deliver(struct xs *xs, struct conn *conn, struct xenstore_domain_interface *ring)
{
	struct slot *slot = conn_slot(xs, conn);
	uint32_t from = atomic_load(&slot->sent), pending = from - load(&ring->rsp_cons);
	uint32_t bytes, moved = 0;

	if (pending > XENSTORE_RING_SIZE)
		return -1;
	bytes = MIN(conn->out_tail - from, XENSTORE_RING_SIZE - pending);
	while (moved < bytes) {
		uint32_t offset = MASK_XENSTORE_IDX(from + moved), in = (from + moved) % conn->out_bytes;
		uint32_t piece = MIN(bytes - moved, MIN(XENSTORE_RING_SIZE - offset, conn->out_bytes - in));

		memcpy(ring->rsp + offset, conn->out + in, piece);
		moved += piece;
	}
	if (!moved)
		return 0;
	atomic_store(&slot->sent, from + moved);
	store(&ring->rsp_prod, from + moved);
	return (int)moved;
}

bool ring_transfer(struct xs *xs, struct conn *conn)
{
	struct domain *domain = conn->domain;
	struct xenstore_domain_interface *ring = domain->ring;
	int fetched, delivered;

	if (!ring)
		return true;
	if (load(&ring->connection) == XENSTORE_RECONNECT) {
		ring_reset(xs, domain);
		return true;
	}
	if (domain->error)
		return false;
	fetched = ring_fetch(xs, conn, ring);
	delivered = fetched < 0 ? -1 : ring_deliver(xs, conn, ring);
	if (delivered < 0) {
		domain_fail(xs, domain, XENSTORE_ERROR_RINGIDX);
		return false;
	}
	if (fetched || delivered)
		xs->host->port_notify(xs->host, (uint32_t)domain->port);
	return true;
}

/* The positions restart at 0 on both sides. The guest waits until `connection` is cleared, which comes last. */
void ring_reset(struct xs *xs, struct domain *domain)
{
	struct xenstore_domain_interface *ring = domain->ring;
	struct conn *conn = domain->conn;
	struct slot *slot = conn_slot(xs, conn);

	conn_reset(xs, conn);
	event_commit(xs, RECORD_RING_RESET, &domain->domid, sizeof(domain->domid));
	domain->error = XENSTORE_ERROR_NONE;
	conn->broken = false;
	conn->out_tail = 0;
	atomic_store(&slot->overflow, 0);
	atomic_store(&slot->done, 0);
	atomic_store(&slot->fetched, 0);
	atomic_store(&slot->sent, 0);
	store(&ring->req_cons, 0);
	store(&ring->req_prod, 0);
	store(&ring->rsp_cons, 0);
	store(&ring->rsp_prod, 0);
	store(&ring->error, XENSTORE_ERROR_NONE);
	store(&ring->connection, XENSTORE_CONNECTED);
	xs->host->port_notify(xs->host, (uint32_t)domain->port);
}
