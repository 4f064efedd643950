/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Transactions. At its start one takes a reference to the tree; what it does changes its own version. It may commit when
 * every path that it used is still as it was at the start. Then its changes are made to the live tree, which may have got
 * others meanwhile; if it has not, the transaction's tree simply takes its place.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xs.h"

#define HOLD_MS 200u
/* So many changes of the tree an unprivileged transaction may outlive; its snapshot holds what they replaced. */
#define AGE_MAX	 16384u
#define AGE_STEP 1024u

struct access {
	char *path;
	uint32_t hash, flags;
};
#define ACCESS_CHANGED 8u

struct change {
	char *path;
	bool removed;
};

struct tx *tx_start(struct xs *xs, struct conn *conn, uint32_t id)
{
	struct tx *tx = xalloc(sizeof(*tx));

	tx->id = id;
	tx->start_generation = xs->generation;
	tx->base = tree_get(xs->root);
	tx->root = tree_get(xs->root);
	tx->bytes = sizeof(*tx);
	accounts_init(&tx->accounts);
	LIST_INSERT_HEAD(&conn->txs, tx, in_conn);
	conn->tx_count++;
	xs->tx_open++;
	return tx;
}

struct tx *tx_find(struct conn *conn, uint32_t id)
{
	struct tx *tx;

	LIST_FOREACH(tx, &conn->txs, in_conn)
		if (tx->id == id)
			return tx;
	return NULL;
}

void tx_drop(struct tx *tx)
{
	LIST_REMOVE(tx, in_conn);
	tree_put(tx->base);
	tree_put(tx->root);
	for (uint32_t i = 0; tx->accesses && i <= tx->access_mask; i++)
		free(tx->accesses[i].path);
	for (size_t i = 0; i < tx->change_count; i++)
		free(tx->changes[i].path);
	free(tx->accesses);
	free(tx->changes);
	free(tx->accounts.entries);
	free(tx);
}

void tx_doom(struct tx *tx)
{
	tx->doomed = true;
	tree_put(tx->base);
	tree_put(tx->root);
	tx->base = tx->root = NULL;
}

void tx_age(struct xs *xs)
{
	/* At the same generations when the journal is read, so that the same ones fail. */
	if (xs->generation / AGE_STEP == xs->last_aging)
		return;
	xs->last_aging = xs->generation / AGE_STEP;
	for (uint32_t slot = 0; xs->tx_open && slot < SLOT_COUNT; slot++) {
		struct conn *conn = xs->conns[slot];
		struct tx *tx;

		if (!conn || conn_is_privileged(xs, conn))
			continue;
		LIST_FOREACH(tx, &conn->txs, in_conn)
			if (!tx->doomed && xs->generation - tx->start_generation > AGE_MAX)
				tx_doom(tx);
	}
}

/* ---- What it used ------------------------------------------------------------------------------------------------------------- */

/* The entry of a path, or the free one where it belongs. */
static struct access *access_slot(struct access *table, uint32_t mask, uint32_t hash, const char *path, size_t bytes)
{
	for (uint32_t at = hash & mask;; at = (at + 1) & mask) {
		struct access *access = &table[at];

		if (!access->path || (access->hash == hash && !strncmp(access->path, path, bytes) && !access->path[bytes]))
			return access;
	}
}

static void accesses_grow(struct tx *tx)
{
	uint32_t mask = tx->accesses ? 2 * tx->access_mask + 1 : 15;
	struct access *table = xalloc((mask + 1) * sizeof(*table));

	for (uint32_t i = 0; tx->accesses && i <= tx->access_mask; i++) {
		const struct access *old = &tx->accesses[i];

		if (old->path)
			*access_slot(table, mask, old->hash, old->path, strlen(old->path)) = *old;
	}
	free(tx->accesses);
	tx->accesses = table;
	tx->access_mask = mask;
}

bool tx_access(struct xs *xs, const struct conn *conn, struct tx *tx, const char *path, size_t bytes, uint32_t flags)
{
	uint32_t hash = hash_bytes(HASH_START, path, bytes);
	struct access *access;

	if (!tx || tx->doomed)
		return true;
	if (!tx->accesses || 2 * tx->access_count > tx->access_mask)
		accesses_grow(tx);
	access = access_slot(tx->accesses, tx->access_mask, hash, path, bytes);
	if (!access->path) {
		if (!conn_is_privileged(xs, conn) && xs->quota[QUOTA_TX_NODES] && tx->access_count >= xs->quota[QUOTA_TX_NODES])
			return false;
		access->path = xstrndup(path, bytes);
		access->hash = hash;
		access->flags = 0;
		tx->access_count++;
		tx->bytes += (long)(sizeof(*access) * 2 + bytes);
	}
	access->flags |= flags;
	return true;
}

void tx_changed(struct tx *tx, const char *path, bool removed)
{
	size_t bytes = strlen(path);
	struct access *access;

	if (tx->doomed)
		return;
	access = access_slot(tx->accesses, tx->access_mask, hash_bytes(HASH_START, path, bytes), path, bytes);
	/* One change of a path stands for more of them, because the final state is what is copied, until something is removed. */
	if (!removed && access->path && (access->flags & ACCESS_CHANGED))
		return;
	if (removed)
		for (uint32_t i = 0; i <= tx->access_mask; i++)
			tx->accesses[i].flags &= ~ACCESS_CHANGED;
	else if (access->path)
		access->flags |= ACCESS_CHANGED;
	array_grow(&tx->changes, tx->change_count, &tx->change_room, sizeof(*tx->changes));
	tx->changes[tx->change_count].path = xstrndup(path, bytes);
	tx->changes[tx->change_count++].removed = removed;
	tx->bytes += (long)(sizeof(*tx->changes) + bytes);
}

static bool access_holds(struct xs *xs, const struct tx *tx, const struct access *access)
{
	const struct node *then = tree_find(tx->base, access->path), *now = tree_find(xs->root, access->path);

	if (then == now)
		return true;
	if (!then || !now || (access->flags & ACCESS_DEEP))
		return false;
	if ((access->flags & ACCESS_VALUE) && then->generation != now->generation)
		return false;
	return !(access->flags & ACCESS_CHILDREN) || then->children_generation == now->children_generation;
}

static bool accesses_hold(struct xs *xs, const struct tx *tx)
{
	for (uint32_t i = 0; tx->accesses && i <= tx->access_mask; i++)
		if (tx->accesses[i].path && !access_holds(xs, tx, &tx->accesses[i]))
			return false;
	return true;
}

/* ---- Commit -------------------------------------------------------------------------------------------------------------------- */

void fire_add(struct xs *xs, const char *path, struct node *before, struct node *after, bool removed)
{
	struct fire *fire;

	if (xs->replaying)
		return;
	array_grow(&xs->fires, xs->fire_count, &xs->fire_room, sizeof(*xs->fires));
	fire = &xs->fires[xs->fire_count++];
	fire->path = xstrndup(path, strlen(path));
	fire->before = before ? tree_get(before) : NULL;
	fire->after = after ? tree_get(after) : NULL;
	fire->removed = removed;
}

static void fires_of(struct xs *xs, const struct tx *tx, struct node *before)
{
	for (size_t i = 0; i < tx->change_count; i++) {
		const struct change *change = &tx->changes[i];
		struct node *old = tree_find(before, change->path), *new = tree_find(xs->root, change->path);

		if (change->removed && old)
			fire_add(xs, change->path, old, NULL, true);
		else if (!change->removed && new)
			fire_add(xs, change->path, old, new, false);
	}
}

/* Make one change to the live tree. @return false if it does not fit there */
static bool change_apply(struct xs *xs, const struct tx *tx, const struct change *change, struct accounts *delta)
{
	struct node *final = tree_find(tx->root, change->path), *live = tree_find(xs->root, change->path);
	size_t bytes;

	if (change->removed) {
		if (live)
			tree_put(tree_remove(&xs->root, change->path, ++xs->generation, &delta->ledger));
		return true;
	}
	if (!final)
		return true; /* removed again later */
	if (!live) {
		const char *name = strrchr(change->path, '/');

		tree_find_nearest(xs->root, change->path, &bytes);
		if (bytes != (size_t)MAX(name - change->path, 1))
			return false;
		live = tree_add(&xs->root, change->path, perms_get(final->perms), ++xs->generation, &delta->ledger);
	}
	if (live->perms != final->perms)
		live = tree_perms_set(&xs->root, change->path, perms_get(final->perms), ++xs->generation, &delta->ledger);
	if (live->generation != final->generation)
		tree_value_set(&xs->root, change->path, final->value, final->value_bytes, ++xs->generation, &delta->ledger);
	return true;
}

static void accounts_apply(struct accounts *to, const struct accounts *delta)
{
	for (size_t i = 0; i < delta->count; i++)
		to->ledger.add(&to->ledger, delta->entries[i].domid, delta->entries[i].nodes, delta->entries[i].bytes);
}

static bool accounts_fit(const struct xs *xs, const struct conn *conn, const struct accounts *delta)
{
	if (conn_is_privileged(xs, conn) || !xs->quota[QUOTA_NODES])
		return true;
	return account_nodes(delta, conn->domid) <= 0 ||
	       account_nodes(&xs->accounts, conn->domid) + account_nodes(delta, conn->domid) <= (int)xs->quota[QUOTA_NODES];
}

static int merge(struct xs *xs, const struct conn *conn, const struct tx *tx)
{
	struct node *before = tree_get(xs->root);
	struct accounts delta;
	int error = 0;

	accounts_init(&delta);
	for (size_t i = 0; i < tx->change_count && !error; i++)
		if (!change_apply(xs, tx, &tx->changes[i], &delta))
			error = -EAGAIN;
	if (!error && !accounts_fit(xs, conn, &delta))
		error = -ENOSPC;
	if (error) {
		tree_put(xs->root);
		xs->root = before;
	} else {
		accounts_apply(&xs->accounts, &delta);
		fires_of(xs, tx, before);
		tree_put(before);
	}
	free(delta.entries);
	return error;
}

int tx_commit(struct xs *xs, struct conn *conn, struct tx *tx)
{
	struct node *before = xs->root;

	if (tx->doomed || (xs->root != tx->base && !accesses_hold(xs, tx))) {
		xs->conflicts++;
		/* Lest other domains' writes defeat the control domain for ever. */
		if (conn_is_privileged(xs, conn) && !xs->replaying) {
			xs->hold_for = conn;
			xs->hold_until = time_ms() + HOLD_MS;
		}
		return -EAGAIN;
	}
	if (xs->hold_for == conn)
		xs->hold_for = NULL;
	if (!tx->change_count)
		return 0;
	if (xs->root != tx->base)
		return merge(xs, conn, tx);
	xs->root = tx->root;
	tx->root = before;
	accounts_apply(&xs->accounts, &tx->accounts);
	fires_of(xs, tx, before);
	return 0;
}
