/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The journal's contents. A journal begins with a description of the whole state; then each record is a request that
 * changed something, as it came, or an event of which no request tells. Reading it carries them out again.
 *
 * A record also says where the streams of the connections stand with it (struct word). That is what makes a request and its
 * answer one: if the worker dies after the record and before the slots have the new positions, recovery puts them there.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "xs.h"

#define RESERVE	      (128u << 10) /* any record: a request, and a word for each connection */
#define COMPACT_BYTES (4u << 20)
#define COMPACT_FORCE (64u << 20) /* with transactions open, which then do not survive a crash */

struct word {
	uint32_t slot, in_done, out_tail;
};

struct record_head {
	uint32_t words; /* that follow */
	uint32_t introduced_slot;
};

struct record_global {
	uint64_t generation, last_aging;
	uint64_t quota[QUOTA_COUNT];
	uint32_t next_tx;
};

struct record_node {
	uint64_t generation, children_generation;
	uint32_t path_bytes, value_bytes; /* the path with its '\0' */
	uint32_t perm_count; /* which come first, then path, then value */
	uint32_t pad;
};

struct record_domain {
	uint64_t gfn;
	uint32_t slot, remote_port;
	uint16_t domid, target;
	uint8_t shutdown_announced, error;
	uint16_t pad;
};

struct record_watch {
	uint32_t slot;
	int32_t depth; /* then path and token, each with its '\0' */
};

struct record_tx {
	uint32_t slot, id;
};

/* ---- Writing ------------------------------------------------------------------------------------------------------------------------ */

int state_reserve(struct xs *xs)
{
	return journal_reserve(&xs->journal, RESERVE);
}

static void word_add(struct xs *xs, size_t at, const struct conn *conn, uint32_t in_done)
{
	array_grow(&xs->words, at, &xs->word_room, sizeof(*xs->words));
	xs->words[at] = (struct word){ .slot = conn->slot, .in_done = in_done, .out_tail = conn->out_tail };
}

static void words_apply(struct xs *xs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		atomic_store_explicit(&xs->slots.slot[xs->words[i].slot].done, slot_word(xs->words[i].in_done, xs->words[i].out_tail),
				      memory_order_release);
}

void state_record(struct xs *xs, uint32_t kind, const struct conn *conn, uint32_t in_done, const struct iovec *parts,
		  unsigned int count)
{
	struct record_head head = { .words = 0, .introduced_slot = xs->introduced_slot };
	struct iovec all[8];
	struct conn *touched;

	if (conn)
		word_add(xs, head.words++, conn, in_done);
	while ((touched = LIST_FIRST(&xs->touched))) {
		LIST_REMOVE(touched, touched);
		touched->is_touched = false;
		if (touched == conn)
			continue;
		word_add(xs, head.words++, touched, (uint32_t)conn_slot(xs, touched)->done);
		conn_ready(xs, touched);
	}
	xs->touched_count = 0;
	all[0] = (struct iovec){ &head, sizeof(head) };
	all[1] = (struct iovec){ xs->words, head.words * sizeof(*xs->words) };
	memcpy(all + 2, parts, count * sizeof(*parts));
	/* An event that cannot be recorded (no memory for the journal) is found again when the state is recovered. */
	if (!journal_reserve(&xs->journal, RESERVE / 2))
		journal_append(&xs->journal, kind, all, count + 2);
	words_apply(xs, head.words);
}

/* ---- Describing the whole state ------------------------------------------------------------------------------------------------------ */

static int put(struct journal *journal, uint32_t kind, const void *fixed, size_t fixed_bytes, const void *more, size_t more_bytes,
	       const void *last, size_t last_bytes)
{
	struct iovec parts[3] = { { (void *)(uintptr_t)fixed, fixed_bytes }, { (void *)(uintptr_t)more, more_bytes },
				  { (void *)(uintptr_t)last, last_bytes } };

	if (journal_reserve(journal, fixed_bytes + more_bytes + last_bytes))
		return -ENOSPC;
	journal_append(journal, kind, parts, 3);
	return 0;
}

/* Permissions and path are put together in one part. */
static int node_describe(struct journal *journal, const struct node *node, char *path, size_t path_bytes)
{
	size_t perm_bytes = node->perms->count * sizeof(struct perm), shown = MAX(path_bytes, 1u);
	const struct record_node record = { .generation = node->generation, .children_generation = node->children_generation,
					    .path_bytes = (uint32_t)shown + 1, .value_bytes = node->value_bytes,
					    .perm_count = node->perms->count };
	uint32_t position = 0;
	struct node *child;
	char *middle = xalloc(perm_bytes + shown + 1);
	int error;

	memcpy(middle, node->perms->entries, perm_bytes);
	memcpy(middle + perm_bytes, path_bytes ? path : "/", shown);
	error = put(journal, RECORD_NODE, &record, sizeof(record), middle, perm_bytes + shown + 1, node->value, node->value_bytes);
	free(middle);
	while (!error && (child = node_child_next(node, &position))) {
		path[path_bytes] = '/';
		memcpy(path + path_bytes + 1, child->name, child->name_bytes);
		error = node_describe(journal, child, path, path_bytes + 1 + child->name_bytes);
	}
	return error;
}

static int conn_describe(struct journal *journal, const struct conn *conn)
{
	const struct watch *watch;
	const struct tx *tx;
	int error = 0;

	if (conn->domain) {
		const struct domain *d = conn->domain;
		const struct record_domain record = { .gfn = d->gfn, .slot = conn->slot, .remote_port = d->remote_port, .domid = d->domid,
						      .target = d->target, .shutdown_announced = d->shutdown_announced, .error = d->error };

		error = put(journal, RECORD_DOMAIN, &record, sizeof(record), NULL, 0, NULL, 0);
	} else {
		const struct record_socket record = { .slot = conn->slot, .fd = conn->fd, .inode = conn->inode };

		error = put(journal, RECORD_SOCKET, &record, sizeof(record), NULL, 0, NULL, 0);
	}
	TAILQ_FOREACH(watch, &conn->watches, in_conn) {
		const struct record_watch record = { .slot = conn->slot, .depth = watch->depth };

		if (!error)
			error = put(journal, RECORD_WATCH, &record, sizeof(record), watch->path, strlen(watch->path) + 1, watch->token,
				    strlen(watch->token) + 1);
	}
	LIST_FOREACH(tx, &conn->txs, in_conn) {
		const struct record_tx record = { .slot = conn->slot, .id = tx->id };

		if (!error)
			error = put(journal, RECORD_TX, &record, sizeof(record), NULL, 0, NULL, 0);
	}
	return error;
}

static int state_describe(struct xs *xs, struct journal *journal)
{
	struct record_global global = { .generation = xs->generation, .last_aging = xs->last_aging, .next_tx = xs->next_tx };
	char path[XENSTORE_ABS_PATH_MAX + 64];
	int error;

	memcpy(global.quota, xs->quota, sizeof(global.quota));
	error = put(journal, RECORD_GLOBAL, &global, sizeof(global), NULL, 0, NULL, 0);
	if (!error)
		error = node_describe(journal, xs->root, path, 0);
	for (uint32_t i = 0; i < SPECIAL_COUNT && !error; i++)
		error = put(journal, RECORD_SPECIAL, &i, sizeof(i), xs->special[i]->entries, xs->special[i]->count * sizeof(struct perm),
			    NULL, 0);
	for (uint32_t slot = 0; slot < SLOT_COUNT && !error; slot++)
		if (xs->conns[slot])
			error = conn_describe(journal, xs->conns[slot]);
	return error;
}

static int journal_replace(struct xs *xs)
{
	struct journal next;
	int error = journal_create(&next, xs->journal_path, xs->slots.head->identity);

	if (error)
		return error;
	error = state_describe(xs, &next);
	if (!error)
		error = journal_adopt(&next);
	if (error) {
		journal_close(&next);
		return error;
	}
	journal_close(&xs->journal);
	xs->journal = next;
	return 0;
}

void state_compact(struct xs *xs, bool force)
{
	uint64_t grown = xs->journal.head->tail - xs->journal.snapshot_bytes;

	if (!force && (grown < COMPACT_BYTES + xs->journal.snapshot_bytes || grown < xs->compact_after ||
		       (xs->tx_open && grown < COMPACT_FORCE)))
		return;
	xs->compact_after = 0;
	if (journal_replace(xs)) {
		log_line("no room for a new journal");
		xs->compact_after = grown + COMPACT_BYTES;
	}
}

int state_begin(struct xs *xs)
{
	uint64_t identity = 0;

	if (getrandom(&identity, sizeof(identity), 0) < 0)
		return -errno;
	xs->slots.head->identity = identity;
	return journal_replace(xs);
}

/* ---- Reading -------------------------------------------------------------------------------------------------------------------------- */

/* Bytes of a record that are not read yet. */
struct reader {
	const char *at;
	size_t left;
};

static const void *take(struct reader *reader, size_t bytes)
{
	const void *at = reader->at;

	if (bytes > reader->left)
		return NULL;
	reader->at += bytes;
	reader->left -= bytes;
	return at;
}

/* A record's fixed part, which may lie at any address. */
static bool take_copy(struct reader *reader, void *to, size_t bytes)
{
	const void *at = take(reader, bytes);

	if (at)
		memcpy(to, at, bytes);
	return at;
}

static void perms_restore(struct perms **perms, const struct perm *entries, size_t count)
{
	perms_put(*perms);
	*perms = perms_new(entries, (uint32_t)count);
}

static bool node_restore(struct xs *xs, struct reader *reader)
{
	struct record_node record;
	const struct perm *entries;
	const char *path, *value;
	struct perms *perms;
	struct node *parent;
	size_t bytes;

	if (!take_copy(reader, &record, sizeof(record)))
		return false;
	entries = take(reader, record.perm_count * sizeof(*entries));
	path = take(reader, record.path_bytes);
	value = take(reader, record.value_bytes);
	if (!entries || !record.perm_count || !path || record.path_bytes < 2 || path[0] != '/' || path[record.path_bytes - 1] || !value)
		return false;
	parent = tree_find_nearest(xs->root, path, &bytes);
	if (path[1] && (bytes == strlen(path) || bytes != (size_t)MAX(strrchr(path, '/') - path, 1)))
		return false;
	/* Most nodes have their parent's permissions: share them again. */
	if (parent->perms->count == record.perm_count && !memcmp(parent->perms->entries, entries, record.perm_count * sizeof(*entries)))
		perms = perms_get(parent->perms);
	else
		perms = perms_new(entries, record.perm_count);
	if (path[1])
		tree_add(&xs->root, path, perms, record.generation, &xs->accounts.ledger);
	else
		tree_perms_set(&xs->root, path, perms, record.generation, &xs->accounts.ledger);
	if (record.value_bytes)
		tree_value_set(&xs->root, path, value, record.value_bytes, record.generation, &xs->accounts.ledger);
	return true;
}

/* A parent's list of children was older than the children are: put the numbers back when all nodes are there. */
static void node_generation_restore(struct xs *xs, struct reader reader)
{
	struct record_node record;

	if (!take_copy(&reader, &record, sizeof(record)) || !take(&reader, record.perm_count * sizeof(struct perm)) ||
	    !memchr(reader.at, 0, reader.left) || *reader.at != '/' || !tree_find(xs->root, reader.at))
		return;
	tree_generations_set(&xs->root, reader.at, record.generation, record.children_generation);
}

static struct conn *conn_at(const struct xs *xs, uint32_t slot)
{
	return slot < SLOT_COUNT ? xs->conns[slot] : NULL;
}

static bool domain_restore(struct xs *xs, struct reader *reader)
{
	struct record_domain record;
	struct domain *domain;

	if (!take_copy(reader, &record, sizeof(record)) || record.slot >= SLOT_COUNT || record.domid >= DOMIDS)
		return false;
	xs->introduced_slot = record.slot;
	if (domain_introduce(xs, record.domid, record.gfn, record.remote_port))
		return false;
	domain = domain_find(xs, record.domid);
	domain->target = record.target;
	domain->shutdown_announced = record.shutdown_announced;
	domain->error = record.error;
	domain->conn->broken = record.error;
	return true;
}

static bool socket_restore(struct xs *xs, struct reader *reader)
{
	struct record_socket record;
	struct conn *conn;

	if (!take_copy(reader, &record, sizeof(record)) || record.slot >= SLOT_COUNT)
		return false;
	slot_evict(xs, record.slot);
	conn = conn_new(xs, record.slot, 0, false, 0, 0);
	conn->fd = record.fd;
	conn->inode = record.inode;
	return true;
}

static bool watch_restore(struct xs *xs, struct reader *reader)
{
	struct record_watch record;
	char absolute[XENSTORE_ABS_PATH_MAX + 64];
	const char *path, *token;
	struct conn *conn;

	if (!take_copy(reader, &record, sizeof(record)))
		return false;
	conn = conn_at(xs, record.slot);
	path = reader->at;
	if (!conn || reader->left < 2 || !*path || path[reader->left - 1] || strlen(path) > XENSTORE_ABS_PATH_MAX)
		return false;
	token = path + strlen(path) + 1;
	if (token >= path + reader->left)
		return false;
	if (*path == '/' || *path == '@')
		snprintf(absolute, sizeof(absolute), "%s", path);
	else
		snprintf(absolute, sizeof(absolute), "/local/domain/%u/%s", conn->domid, path);
	return !watch_add(xs, conn, path, absolute, token, record.depth);
}

static bool description_restore(struct xs *xs, uint32_t kind, struct reader *reader)
{
	struct record_global global;
	struct record_tx tx;
	uint32_t special;

	switch (kind) {
	case RECORD_GLOBAL:
		if (!take_copy(reader, &global, sizeof(global)))
			return false;
		xs->generation = global.generation;
		xs->last_aging = global.last_aging;
		xs->next_tx = global.next_tx;
		memcpy(xs->quota, global.quota, sizeof(xs->quota));
		return true;
	case RECORD_NODE:
		return node_restore(xs, reader);
	case RECORD_SPECIAL:
		if (!take_copy(reader, &special, sizeof(special)) || special >= SPECIAL_COUNT || reader->left < sizeof(struct perm))
			return false;
		perms_restore(&xs->special[special], (const struct perm *)reader->at, reader->left / sizeof(struct perm));
		return true;
	case RECORD_DOMAIN:
		return domain_restore(xs, reader);
	case RECORD_SOCKET:
		return socket_restore(xs, reader);
	case RECORD_WATCH:
		return watch_restore(xs, reader);
	case RECORD_TX:
		if (!take_copy(reader, &tx, sizeof(tx)) || !conn_at(xs, tx.slot))
			return false;
		tx_doom(tx_start(xs, conn_at(xs, tx.slot), tx.id));
		return true;
	default:
		return false;
	}
}

static bool request_replay(struct xs *xs, struct reader *reader)
{
	struct xsd_sockmsg header;
	struct request request;
	struct conn *conn;
	uint32_t slot;

	if (!take_copy(reader, &slot, sizeof(slot)) || !take_copy(reader, &header, sizeof(header)))
		return false;
	conn = conn_at(xs, slot);
	if (!conn || header.len > XENSTORE_PAYLOAD_MAX || header.len > reader->left)
		return false;
	memcpy(xs->scratch, reader->at, header.len);
	xs->scratch[header.len] = '\0';
	request = (struct request){ .type = header.type, .tx_id = header.tx_id, .bytes = header.len, .data = xs->scratch };
	request_execute(xs, conn, &request);
	request_fire(xs);
	return true;
}

static bool domain_event_replay(struct xs *xs, uint32_t kind, struct domain *domain, uint32_t error)
{
	switch (kind) {
	case RECORD_DOMAIN_SHUTDOWN:
		domain_shutdown(xs, domain);
		break;
	case RECORD_DOMAIN_GONE:
		domain_gone(xs, domain);
		break;
	case RECORD_DOMAIN_ERROR:
	case RECORD_RING_RESET:
		conn_reset(xs, domain->conn);
		domain->error = (uint8_t)error;
		domain->conn->broken = error;
		break;
	default:
		return false;
	}
	request_fire(xs);
	return true;
}

static bool event_replay(struct xs *xs, uint32_t kind, struct reader *reader)
{
	uint32_t numbers[2] = { 0, 0 };
	struct domain *domain;
	uint16_t domid;

	if (kind == RECORD_SOCKET_OPEN)
		return socket_restore(xs, reader);
	memcpy(numbers, reader->at, MIN(reader->left, sizeof(numbers)));
	if (kind == RECORD_SOCKET_CLOSE) {
		struct conn *conn = conn_at(xs, numbers[0]);

		if (!conn || conn->domain)
			return false;
		slot_evict(xs, numbers[0]);
		return true;
	}
	if (kind == RECORD_OWN_RING) {
		if (numbers[1] >= SLOT_COUNT || domain_find(xs, 0))
			return false;
		xs->introduced_slot = numbers[1];
		return !domain_introduce(xs, 0, 0, 0);
	}
	memcpy(&domid, numbers, sizeof(domid));
	domain = domain_find(xs, domid);
	return domain && domain_event_replay(xs, kind, domain, kind == RECORD_DOMAIN_ERROR ? numbers[1] : 0);
}

/* Positions that the last record has and the slots perhaps not. */
static void words_restore(struct xs *xs, const struct word *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct slot *slot;
		uint64_t done;

		if (words[i].slot >= SLOT_COUNT || !xs->conns[words[i].slot])
			continue;
		slot = &xs->slots.slot[words[i].slot];
		done = slot->done;
		if ((int32_t)(words[i].out_tail - (uint32_t)(done >> 32)) > 0 || (int32_t)(words[i].in_done - (uint32_t)done) > 0)
			slot->done = slot_word(words[i].in_done, words[i].out_tail);
	}
}

static bool record_replay(struct xs *xs, const struct journal_record *record, struct reader *reader)
{
	struct record_head head;

	if (record->kind >= RECORD_GLOBAL)
		return description_restore(xs, record->kind, reader);
	if (!take_copy(reader, &head, sizeof(head)) || !take(reader, head.words * sizeof(struct word)) ||
	    head.introduced_slot >= SLOT_COUNT)
		return false;
	xs->introduced_slot = head.introduced_slot;
	return record->kind == RECORD_REQUEST ? request_replay(xs, reader) : event_replay(xs, record->kind, reader);
}

static void generations_restore(struct xs *xs)
{
	const struct journal_record *record;

	for (uint64_t position = 0; position < xs->journal.snapshot_bytes && (record = journal_next(&xs->journal, &position));)
		if (record->kind == RECORD_NODE)
			node_generation_restore(xs, (struct reader){ record->payload, record->payload_bytes });
}

int state_recover(struct xs *xs)
{
	const struct journal_record *record, *last = NULL;
	uint64_t position = 0, records = 0;
	bool described = false;
	int error = journal_open(&xs->journal, xs->journal_path);

	if (error)
		return error;
	if (xs->slots.head->identity != xs->journal.head->identity)
		xs->slots_lost = true;
	xs->replaying = true;
	for (;;) {
		struct reader reader;

		if (!described && position >= xs->journal.snapshot_bytes) {
			generations_restore(xs);
			described = true;
		}
		record = journal_next(&xs->journal, &position);
		if (!record)
			break;
		reader = (struct reader){ record->payload, record->payload_bytes };
		last = record;
		if (!record_replay(xs, record, &reader)) {
			log_line("journal: record %llu of kind %u not understood", (unsigned long long)records, record->kind);
			last = NULL;
		}
		records++;
	}
	xs->replaying = false;
	if (!described) {
		/* The description itself was cut: nothing to start from. */
		journal_close(&xs->journal);
		return -ENOENT;
	}
	if (last && last->kind < RECORD_GLOBAL && !xs->slots_lost) {
		const struct record_head *head = (const struct record_head *)last->payload;

		words_restore(xs, (const struct word *)(head + 1), head->words);
	}
	return 0;
}
