/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections: from bytes to requests and back, whoever is at the other end. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xs.h"

#define BUDGET 32u /* requests of one connection before the next has its turn */

struct slot *conn_slot(const struct xs *xs, const struct conn *conn)
{
	return &xs->slots.slot[conn->slot];
}

static uint32_t in_done(const struct xs *xs, const struct conn *conn)
{
	return (uint32_t)atomic_load_explicit(&conn_slot(xs, conn)->done, memory_order_relaxed);
}

uint32_t conn_in_available(const struct xs *xs, const struct conn *conn)
{
	return atomic_load_explicit(&conn_slot(xs, conn)->fetched, memory_order_relaxed) - in_done(xs, conn);
}

uint32_t conn_out_free(const struct xs *xs, const struct conn *conn)
{
	return conn->out_bytes - (conn->out_tail - atomic_load_explicit(&conn_slot(xs, conn)->sent, memory_order_relaxed));
}

struct conn *conn_new(struct xs *xs, uint32_t slot, uint16_t domid, bool fresh, uint32_t in, uint32_t out)
{
	struct conn *conn = xalloc(sizeof(*conn));
	struct slot *shared = &xs->slots.slot[slot];

	conn->slot = slot;
	conn->domid = domid;
	conn->fd = -1;
	conn->in = slot_in(&xs->slots, slot);
	conn->out = slot_out(&xs->slots, slot);
	conn->out_bytes = domid ? SLOT_GUEST_BYTES : SLOT_OUT_BYTES;
	TAILQ_INIT(&conn->watches);
	LIST_INIT(&conn->txs);
	slot_take(&xs->slots, slot);
	if (fresh) {
		atomic_store(&shared->done, slot_word(in, out));
		atomic_store(&shared->fetched, in);
		atomic_store(&shared->sent, out);
		atomic_store(&shared->overflow, 0);
	}
	conn->out_tail = (uint32_t)(atomic_load(&shared->done) >> 32);
	xs->conns[slot] = conn;
	return conn;
}

void conn_reset(struct xs *xs, struct conn *conn)
{
	while (!TAILQ_EMPTY(&conn->watches))
		watch_drop(xs, TAILQ_FIRST(&conn->watches));
	while (!LIST_EMPTY(&conn->txs)) {
		tx_drop(LIST_FIRST(&conn->txs));
		xs->tx_open--;
	}
	conn->tx_count = 0;
	if (xs->hold_for == conn)
		xs->hold_for = NULL;
}

void conn_free(struct xs *xs, struct conn *conn)
{
	conn_reset(xs, conn);
	conn_unready(xs, conn);
	if (conn->is_touched) {
		LIST_REMOVE(conn, touched);
		xs->touched_count--;
	}
	if (conn->fd >= 0)
		close(conn->fd);
	xs->conns[conn->slot] = NULL;
	slot_free(&xs->slots, conn->slot);
	free(conn);
}

void conn_ready(struct xs *xs, struct conn *conn)
{
	if (conn->is_ready || xs->replaying)
		return;
	conn->is_ready = true;
	TAILQ_INSERT_TAIL(&xs->ready, conn, ready);
	xs->ready_count++;
}

void conn_unready(struct xs *xs, struct conn *conn)
{
	if (!conn->is_ready)
		return;
	conn->is_ready = false;
	TAILQ_REMOVE(&xs->ready, conn, ready);
	xs->ready_count--;
}

/* ---- Rights --------------------------------------------------------------------------------------------------------------------- */

bool conn_is_privileged(const struct xs *xs, const struct conn *conn)
{
	return !conn->domid || conn->domid == xs->options->privileged_domid;
}

bool conn_owns(const struct xs *xs, const struct conn *conn, const struct perms *perms)
{
	uint16_t owner = perms->entries[0].domid;

	return conn_is_privileged(xs, conn) || owner == conn->domid ||
	       (conn->domain && conn->domain->target != DOMID_NONE && owner == conn->domain->target);
}

bool conn_may(const struct xs *xs, const struct conn *conn, const struct perms *perms, unsigned int access)
{
	uint16_t target = conn->domain ? conn->domain->target : DOMID_NONE;

	if (conn_owns(xs, conn, perms))
		return true;
	for (uint32_t i = 1; i < perms->count; i++) {
		const struct perm *perm = &perms->entries[i];

		if (perm->domid == conn->domid || (target != DOMID_NONE && perm->domid == target))
			return (perm->access & access) == access;
	}
	return (perms->entries[0].access & access) == access;
}

/* ---- Output --------------------------------------------------------------------------------------------------------------------- */

static void out_append(struct conn *conn, const void *data, uint32_t bytes)
{
	uint32_t offset = conn->out_tail % conn->out_bytes, first = MIN(bytes, conn->out_bytes - offset);

	memcpy(conn->out + offset, data, first);
	memcpy(conn->out, (const char *)data + first, bytes - first);
	conn->out_tail += bytes;
}

static void message_append(struct conn *conn, uint32_t type, uint32_t request_id, uint32_t tx_id, const void *data, uint32_t bytes)
{
	const struct xsd_sockmsg header = { .type = type, .req_id = request_id, .tx_id = tx_id, .len = bytes };

	out_append(conn, &header, sizeof(header));
	out_append(conn, data, bytes);
}

bool conn_event(struct xs *xs, struct conn *conn, const char *path, const char *token)
{
	size_t path_bytes = strlen(path) + 1, token_bytes = strlen(token) + 1;
	struct xsd_sockmsg header = { .type = XS_WATCH_EVENT };

	if (conn->broken)
		return true;
	if (path_bytes + token_bytes > XENSTORE_PAYLOAD_MAX)
		return false; /* the watch's own path fits */
	header.len = (uint32_t)(path_bytes + token_bytes);
	/* The last piece of the buffer is kept for an answer. */
	if (conn_out_free(xs, conn) < sizeof(header) + header.len + MESSAGE_BYTES)
		return false;
	out_append(conn, &header, sizeof(header));
	out_append(conn, path, (uint32_t)path_bytes);
	out_append(conn, token, (uint32_t)token_bytes);
	if (!conn->is_touched) {
		conn->is_touched = true;
		xs->touched_count++;
		LIST_INSERT_HEAD(&xs->touched, conn, touched);
	}
	return true;
}

/* Watches whose events did not fit fire for their own path now. */
static void overflow_flush(struct xs *xs, struct conn *conn)
{
	struct watch *watch;
	uint32_t old_tail = conn->out_tail;

	TAILQ_FOREACH(watch, &conn->watches, in_conn) {
		if (!watch->overflowed)
			continue;
		if (!conn_event(xs, conn, watch->path, watch->token))
			break;
		watch->overflowed = false;
		conn->overflow_count--;
	}
	if (conn->is_touched) {
		conn->is_touched = false;
		LIST_REMOVE(conn, touched);
		xs->touched_count--;
	}
	if (conn->out_tail != old_tail)
		atomic_store(&conn_slot(xs, conn)->done, slot_word(in_done(xs, conn), conn->out_tail));
	if (!conn->overflow_count)
		atomic_store(&conn_slot(xs, conn)->overflow, 0);
}

/* ---- Requests ------------------------------------------------------------------------------------------------------------------- */

static void in_copy(const struct xs *xs, const struct conn *conn, uint32_t skip, void *to, uint32_t bytes)
{
	uint32_t offset = (in_done(xs, conn) + skip) % SLOT_IN_BYTES, first = MIN(bytes, SLOT_IN_BYTES - offset);

	memcpy(to, conn->in + offset, first);
	memcpy((char *)to + first, conn->in, bytes - first);
}

static const char *error_name(int error)
{
	for (size_t i = 0; i < ARRAY_SIZE(xsd_errors); i++)
		if (xsd_errors[i].errnum == -error)
			return xsd_errors[i].errstring;
	return "EINVAL";
}

static void answer(struct xs *xs, struct conn *conn, const struct xsd_sockmsg *header, int error)
{
	if (error) {
		const char *name = error_name(error);

		message_append(conn, XS_ERROR, header->req_id, header->tx_id, name, (uint32_t)strlen(name) + 1);
	} else {
		message_append(conn, header->type, header->req_id, header->tx_id, xs->reply, xs->reply_bytes);
	}
}

static bool is_read_only(const struct xsd_sockmsg *header)
{
	return !header->tx_id && (header->type == XS_READ || header->type == XS_DIRECTORY || header->type == XS_DIRECTORY_PART ||
				  header->type == XS_GET_PERMS || header->type == XS_GET_DOMAIN_PATH ||
				  header->type == XS_IS_DOMAIN_INTRODUCED);
}

static void message_process(struct xs *xs, struct conn *conn, const struct xsd_sockmsg *header)
{
	struct request request = { .type = header->type, .tx_id = header->tx_id, .bytes = header->len, .data = xs->scratch };
	uint32_t done = in_done(xs, conn) + (uint32_t)sizeof(*header) + header->len;
	struct iovec parts[3];
	int error;

	in_copy(xs, conn, sizeof(*header), xs->scratch, header->len);
	xs->scratch[header->len] = '\0';
	xs->slots.head->current = conn->slot + 1;
	xs->requests++;
	if (!is_read_only(header) && state_reserve(xs))
		error = -ENOSPC;
	else
		error = request_execute(xs, conn, &request);
	if (xs->trace || xs->options->verbose)
		log_line("%u dom%u type %u tx %u \"%.200s\": %d", conn->slot, conn->domid, header->type, header->tx_id, xs->scratch, error);
	answer(xs, conn, header, error);
	request_fire(xs);
	if (request.changed) {
		parts[0] = (struct iovec){ &conn->slot, sizeof(conn->slot) };
		parts[1] = (struct iovec){ (void *)(uintptr_t)header, sizeof(*header) };
		parts[2] = (struct iovec){ xs->scratch, header->len };
		state_record(xs, RECORD_REQUEST, conn, done, parts, 3);
	} else {
		atomic_store_explicit(&conn_slot(xs, conn)->done, slot_word(done, conn->out_tail), memory_order_release);
	}
	xs->slots.head->current = 0;
}

void event_commit(struct xs *xs, uint32_t kind, const void *data, size_t bytes)
{
	struct iovec part = { (void *)(uintptr_t)data, bytes };

	request_fire(xs);
	state_reserve(xs);
	state_record(xs, kind, NULL, 0, &part, 1);
}

/* @return whether a request was there and was carried out */
static bool request_next(struct xs *xs, struct conn *conn)
{
	struct xsd_sockmsg header;

	if (conn->broken || conn_in_available(xs, conn) < sizeof(header) || conn_out_free(xs, conn) < MESSAGE_BYTES)
		return false;
	in_copy(xs, conn, 0, &header, sizeof(header));
	if (header.len > XENSTORE_PAYLOAD_MAX) {
		if (conn->domain)
			domain_fail(xs, conn->domain, XENSTORE_ERROR_PROTO);
		conn->broken = true;
		return false;
	}
	if (conn_in_available(xs, conn) < sizeof(header) + header.len)
		return false;
	message_process(xs, conn, &header);
	return true;
}

static bool transfer(struct xs *xs, struct conn *conn)
{
	if (conn->domain)
		return ring_transfer(xs, conn);
	return socket_write(xs, conn) && socket_read(xs, conn);
}

void conn_service(struct xs *xs, struct conn *conn)
{
	bool more = false;

	/* A broken ring is looked at as well: its guest may ask for a new one. */
	if ((conn->domain || !conn->broken) && !transfer(xs, conn))
		conn->broken = true;
	for (unsigned int i = 0; i < BUDGET; i++) {
		more = request_next(xs, conn);
		if (!more && !conn->broken && conn->domain && ring_transfer(xs, conn))
			more = request_next(xs, conn); /* the ring is shorter than a request */
		if (!more)
			break;
	}
	if (conn->overflow_count && !conn->broken)
		overflow_flush(xs, conn);
	if (conn->domain) {
		if (!conn->broken)
			ring_transfer(xs, conn);
	} else if (conn->broken || !socket_write(xs, conn) || (conn->ended && !more && conn_out_free(xs, conn) == conn->out_bytes)) {
		socket_end(xs, conn);
		return;
	} else {
		socket_poll_update(xs, conn);
	}
	if (more)
		conn_ready(xs, conn);
}
