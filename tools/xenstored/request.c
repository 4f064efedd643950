/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests about nodes, watches and transactions, by the specification (xen-doc, misc/xenstore.txt). */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xs.h"

#define PATH_BYTES (XENSTORE_ABS_PATH_MAX + 32)

const char *const quota_names[QUOTA_COUNT] = {
	[QUOTA_NODES] = "nodes", [QUOTA_WATCHES] = "watches", [QUOTA_TRANSACTIONS] = "transactions", [QUOTA_NODE_SIZE] = "node-size",
	[QUOTA_PERMISSIONS] = "permissions", [QUOTA_TX_NODES] = "transaction-nodes", [QUOTA_MEMORY] = "memory",
	[QUOTA_OUTSTANDING] = "outstanding", [QUOTA_PATH_MAX] = "path-max",
};

void reply_set(struct xs *xs, const void *data, size_t bytes)
{
	memcpy(xs->reply, data, bytes);
	xs->reply_bytes = (uint32_t)bytes;
}

static void reply_text(struct xs *xs, const char *text)
{
	reply_set(xs, text, strlen(text) + 1);
}

/* ---- Accounts ------------------------------------------------------------------------------------------------------------------- */

struct account *account_get(struct accounts *accounts, uint16_t domid)
{
	for (size_t i = 0; i < accounts->count; i++)
		if (accounts->entries[i].domid == domid)
			return &accounts->entries[i];
	array_grow(&accounts->entries, accounts->count, &accounts->room, sizeof(*accounts->entries));
	accounts->entries[accounts->count] = (struct account){ .domid = domid };
	return &accounts->entries[accounts->count++];
}

static void account_add(struct ledger *ledger, uint16_t owner, int nodes, long bytes)
{
	struct accounts *accounts = (struct accounts *)ledger;
	struct account *account = account_get(accounts, owner);

	account->nodes += nodes;
	account->bytes += bytes;
	if (!account->nodes && !account->bytes)
		*account = accounts->entries[--accounts->count];
}

void accounts_init(struct accounts *accounts)
{
	*accounts = (struct accounts){ .ledger.add = account_add };
}

int account_nodes(const struct accounts *accounts, uint16_t domid)
{
	for (size_t i = 0; i < accounts->count; i++)
		if (accounts->entries[i].domid == domid)
			return accounts->entries[i].nodes;
	return 0;
}

long account_bytes(const struct accounts *accounts, uint16_t domid)
{
	for (size_t i = 0; i < accounts->count; i++)
		if (accounts->entries[i].domid == domid)
			return accounts->entries[i].bytes;
	return 0;
}

/* ---- Paths and strings ----------------------------------------------------------------------------------------------------------- */

static bool path_is_valid(const char *path)
{
	static const char others[] = "-/_@";
	size_t bytes = strlen(path);

	if (bytes > 1 && path[bytes - 1] == '/')
		return false;
	for (size_t i = 0; i < bytes; i++) {
		char c = path[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr(others, c)))
			return false;
		if (c == '/' && path[i + 1] == '/')
			return false;
	}
	return true;
}

/* The absolute path of what the client names. @return 0 or -EINVAL */
static int path_resolve(const struct xs *xs, const struct conn *conn, const char *name, char path[PATH_BYTES])
{
	size_t bytes = strlen(name), limit = xs->quota[QUOTA_PATH_MAX];

	if (!bytes || !path_is_valid(name) || *name == '@')
		return -EINVAL;
	if (bytes > (*name == '/' ? XENSTORE_ABS_PATH_MAX : XENSTORE_REL_PATH_MAX))
		return -EINVAL;
	if (*name == '/')
		memcpy(path, name, bytes + 1);
	else
		bytes = (size_t)snprintf(path, PATH_BYTES, "/local/domain/%u/%s", conn->domid, name);
	if (!conn_is_privileged(xs, conn) && limit && bytes > limit)
		return -EINVAL;
	return 0;
}

/* The strings of a payload, each with its end. @return how many, or -EINVAL for a last one without */
static int strings_split(const struct request *request, const char **strings, unsigned int room)
{
	unsigned int count = 0;

	if (!request->bytes || request->data[request->bytes - 1])
		return -EINVAL;
	for (const char *at = request->data; at < request->data + request->bytes; at += strlen(at) + 1) {
		if (count < room)
			strings[count] = at;
		count++;
	}
	return (int)count;
}

static int one_path(const struct xs *xs, const struct conn *conn, const struct request *request, char path[PATH_BYTES])
{
	const char *name;

	return strings_split(request, &name, 1) == 1 ? path_resolve(xs, conn, name, path) : -EINVAL;
}

/* ---- Nodes ------------------------------------------------------------------------------------------------------------------------ */

static struct node **root_of(struct xs *xs, const struct request *request)
{
	return request->tx ? &request->tx->root : &xs->root;
}

static struct ledger *ledger_of(struct xs *xs, const struct request *request)
{
	return request->tx ? &request->tx->accounts.ledger : &xs->accounts.ledger;
}

/* The node, if it exists and the client has this access; a missing one is judged by its nearest parent. */
static int node_lookup(struct xs *xs, const struct conn *conn, const struct request *request, const char *path, unsigned int access,
		       uint32_t flags, struct node **node)
{
	size_t bytes, path_bytes = strlen(path);
	struct node *nearest = tree_find_nearest(*root_of(xs, request), path, &bytes);
	bool found = bytes == path_bytes;

	*node = nearest;
	if (!tx_access(xs, conn, request->tx, path, path_bytes, ACCESS_VALUE | flags) ||
	    (!found && !tx_access(xs, conn, request->tx, path, bytes, ACCESS_VALUE)))
		return -ENOSPC;
	if (!conn_may(xs, conn, nearest->perms, access))
		return -EACCES;
	return found ? 0 : -ENOENT;
}

static bool fits_memory(const struct xs *xs, const struct conn *conn, const struct request *request, long more)
{
	const struct tx *tx;
	long bytes = more + conn->watch_bytes;

	if (conn_is_privileged(xs, conn) || !xs->quota[QUOTA_MEMORY] || more <= 0)
		return true;
	LIST_FOREACH(tx, &conn->txs, in_conn)
		bytes += tx->bytes;
	bytes += account_bytes(&xs->accounts, conn->domid);
	if (request->tx)
		bytes += account_bytes(&request->tx->accounts, conn->domid);
	return bytes <= (long)xs->quota[QUOTA_MEMORY];
}

static bool fits_nodes(const struct xs *xs, const struct conn *conn, const struct request *request, int more)
{
	int nodes = account_nodes(&xs->accounts, conn->domid) + more;

	if (request->tx)
		nodes += account_nodes(&request->tx->accounts, conn->domid);
	return conn_is_privileged(xs, conn) || !xs->quota[QUOTA_NODES] || nodes <= (int)xs->quota[QUOTA_NODES];
}

/* Whose perms a new node gets: its parent's, with an unprivileged maker as the owner. */
static struct perms *perms_inherit(const struct xs *xs, const struct conn *conn, struct perms *parent)
{
	struct perms *perms;

	if (conn_is_privileged(xs, conn) || parent->entries[0].domid == conn->domid)
		return perms_get(parent);
	perms = perms_new(parent->entries, parent->count);
	perms->entries[0].domid = conn->domid;
	return perms;
}

/* Make a missing node and its parents, empty. `nearest` is the lowest that exists, at the first `bytes` of path. */
static int node_make(struct xs *xs, const struct conn *conn, struct request *request, char *path, struct node *nearest, size_t more_bytes)
{
	size_t bytes, path_bytes = strlen(path);
	struct perms *perms = nearest->perms;
	int missing = 0;
	char *end;

	tree_find_nearest(*root_of(xs, request), path, &bytes);
	end = path + (bytes == 1 ? 0 : bytes);
	for (const char *at = end; at; at = strchr(at + 1, '/'))
		missing++;
	if (!fits_nodes(xs, conn, request, missing) ||
	    !fits_memory(xs, conn, request, missing * (long)sizeof(struct node) + (long)(path_bytes - bytes + more_bytes)))
		return -ENOSPC;
	while (end < path + path_bytes) {
		struct node *node;

		end = strchrnul(end + 1, '/');
		*end = '\0';
		node = tree_add(root_of(xs, request), path, perms_inherit(xs, conn, perms), ++xs->generation, ledger_of(xs, request));
		perms = node->perms;
		if (request->tx) {
			tx_access(xs, conn, request->tx, path, strlen(path), ACCESS_VALUE);
			tx_changed(request->tx, path, false);
		}
		if (end < path + path_bytes)
			*end = '/';
	}
	return 0;
}

static void node_changed(struct xs *xs, struct request *request, const char *path, struct node *node)
{
	request->changed = true;
	if (request->tx)
		tx_changed(request->tx, path, false);
	else
		fire_add(xs, path, NULL, node, false);
}

static int do_read(struct xs *xs, struct conn *conn, struct request *request)
{
	char path[PATH_BYTES];
	struct node *node;
	int error = one_path(xs, conn, request, path);

	if (!error)
		error = node_lookup(xs, conn, request, path, PERM_READ, 0, &node);
	if (!error)
		reply_set(xs, node->value_bytes ? node->value : "", node->value_bytes);
	return error;
}

static int do_write(struct xs *xs, struct conn *conn, struct request *request)
{
	size_t name_bytes = strnlen(request->data, request->bytes) + 1, bytes;
	const char *value = request->data + name_bytes;
	char path[PATH_BYTES];
	struct node *node;
	int error;

	if (name_bytes > request->bytes || path_resolve(xs, conn, request->data, path))
		return -EINVAL;
	bytes = request->bytes - name_bytes;
	error = node_lookup(xs, conn, request, path, PERM_WRITE, 0, &node);
	if (error && error != -ENOENT)
		return error;
	if (!conn_is_privileged(xs, conn) && xs->quota[QUOTA_NODE_SIZE] && bytes > xs->quota[QUOTA_NODE_SIZE])
		return -ENOSPC;
	if (error)
		error = node_make(xs, conn, request, path, node, bytes);
	else if (!fits_memory(xs, conn, request, (long)bytes - (long)node->value_bytes))
		error = -ENOSPC;
	if (error)
		return error;
	node = tree_value_set(root_of(xs, request), path, value, bytes, ++xs->generation, ledger_of(xs, request));
	node_changed(xs, request, path, node);
	return 0;
}

static int do_mkdir(struct xs *xs, struct conn *conn, struct request *request)
{
	char path[PATH_BYTES];
	struct node *node;
	int error = one_path(xs, conn, request, path);

	if (!error)
		error = node_lookup(xs, conn, request, path, PERM_WRITE, 0, &node);
	if (error != -ENOENT)
		return error;
	error = node_make(xs, conn, request, path, node, 0);
	if (!error)
		node_changed(xs, request, path, tree_find(*root_of(xs, request), path));
	return error;
}

static int do_rm(struct xs *xs, struct conn *conn, struct request *request)
{
	char path[PATH_BYTES];
	struct node *node;
	size_t bytes;
	int error = one_path(xs, conn, request, path);

	if (!error)
		error = node_lookup(xs, conn, request, path, PERM_WRITE, 0, &node);
	if (error == -ENOENT) {
		tree_find_nearest(*root_of(xs, request), path, &bytes);
		return bytes == (size_t)MAX(strrchr(path, '/') - path, 1) ? 0 : -ENOENT;
	}
	if (error)
		return error;
	if (!path[1])
		return -EINVAL;
	if (!tx_access(xs, conn, request->tx, path, strlen(path), ACCESS_DEEP))
		return -ENOSPC;
	node = tree_remove(root_of(xs, request), path, ++xs->generation, ledger_of(xs, request));
	request->changed = true;
	if (request->tx)
		tx_changed(request->tx, path, true);
	else
		fire_add(xs, path, node, NULL, true);
	tree_put(node);
	return 0;
}

static int do_directory(struct xs *xs, struct conn *conn, struct request *request)
{
	char path[PATH_BYTES];
	struct node *node, *child;
	uint32_t position = 0, used = 0;
	int error = one_path(xs, conn, request, path);

	if (!error)
		error = node_lookup(xs, conn, request, path, PERM_READ, ACCESS_CHILDREN, &node);
	if (error)
		return error;
	while ((child = node_child_next(node, &position))) {
		if (used + child->name_bytes + 1 > XENSTORE_PAYLOAD_MAX)
			return -E2BIG;
		memcpy(xs->reply + used, child->name, child->name_bytes + 1);
		used += child->name_bytes + 1;
	}
	xs->reply_bytes = used;
	return 0;
}

/* A piece of the list of names; the last piece has an empty name behind it. */
static int do_directory_part(struct xs *xs, struct conn *conn, struct request *request)
{
	const char *strings[2];
	char path[PATH_BYTES];
	struct node *node, *child;
	uint64_t offset, at = 0;
	uint32_t position = 0, used;
	int error;

	if (strings_split(request, strings, 2) != 2)
		return -EINVAL;
	error = path_resolve(xs, conn, strings[0], path);
	if (!error && !number_parse(strings[1], UINT32_MAX, &offset))
		error = -EINVAL;
	if (!error)
		error = node_lookup(xs, conn, request, path, PERM_READ, ACCESS_CHILDREN, &node);
	if (error)
		return error;
	used = (uint32_t)snprintf(xs->reply, sizeof(xs->reply), "%" PRIu64, node->children_generation) + 1;
	while ((child = node_child_next(node, &position))) {
		uint32_t bytes = child->name_bytes + 1;
		uint32_t skip = offset > at ? (uint32_t)MIN(offset - at, bytes) : 0, fit = MIN(bytes - skip, XENSTORE_PAYLOAD_MAX - used);

		memcpy(xs->reply + used, child->name + skip, fit);
		used += fit;
		at += bytes;
		if (fit < bytes - skip)
			break;
	}
	if (!child && used < XENSTORE_PAYLOAD_MAX)
		xs->reply[used++] = '\0';
	xs->reply_bytes = used;
	return 0;
}

/* ---- Permissions ------------------------------------------------------------------------------------------------------------------ */

/* Permissions of a special event's name. */
static struct perms **special_find(struct xs *xs, const char *name)
{
	for (unsigned int i = 0; i < SPECIAL_COUNT; i++)
		if (!strcmp(name, special_names[i]))
			return &xs->special[i];
	return NULL;
}

static int do_get_perms(struct xs *xs, struct conn *conn, struct request *request)
{
	struct perms **special = request->bytes && !request->data[request->bytes - 1] ? special_find(xs, request->data) : NULL;
	const struct perms *perms;
	char path[PATH_BYTES];
	struct node *node;
	uint32_t used = 0;
	int error = 0;

	if (special) {
		perms = *special;
		if (!conn_may(xs, conn, perms, PERM_READ))
			return -EACCES;
	} else {
		error = one_path(xs, conn, request, path);
		if (!error)
			error = node_lookup(xs, conn, request, path, PERM_READ, 0, &node);
		if (error)
			return error;
		perms = node->perms;
	}
	for (uint32_t i = 0; i < perms->count; i++) {
		const struct perm *perm = &perms->entries[i];

		if (used + 8 > XENSTORE_PAYLOAD_MAX)
			return -E2BIG;
		used += (uint32_t)snprintf(xs->reply + used, 8, "%c%u", "nrwb"[perm->access & 3], perm->domid) + 1;
	}
	xs->reply_bytes = used;
	return 0;
}

/* @return false for a text that is not a permission */
static bool perm_parse(const char *text, struct perm *perm)
{
	const char *letter = *text ? strchr("nrwb", *text) : NULL;
	uint64_t domid;

	if (!letter || !number_parse(text + 1, UINT16_MAX, &domid))
		return false;
	*perm = (struct perm){ .domid = (uint16_t)domid, .access = (uint16_t)(letter - "nrwb") };
	return true;
}

/* A number that no domain has today may be another's tomorrow. */
static bool perm_domain_exists(const struct xs *xs, uint16_t domid)
{
	return xs->replaying || !xs->host || !domid || domain_find(xs, domid) || xs->host->domain_state(xs->host, domid) != HOST_ABSENT;
}

/* The permissions of a request, or NULL and *error. */
static struct perms *perms_parse(const struct xs *xs, const struct conn *conn, const struct request *request, int *error)
{
	const char *strings[XENSTORE_PAYLOAD_MAX / 3];
	struct perm entries[XENSTORE_PAYLOAD_MAX / 3];
	int count = strings_split(request, strings, ARRAY_SIZE(strings));

	*error = -EINVAL;
	if (count < 2 || count > (int)ARRAY_SIZE(strings))
		return NULL;
	for (int i = 1; i < count; i++) {
		struct perm *perm = &entries[i - 1];

		if (!perm_parse(strings[i], perm))
			return NULL;
		if (!perm_domain_exists(xs, perm->domid)) {
			*error = -ENOENT;
			return NULL;
		}
	}
	*error = -ENOSPC;
	if (!conn_is_privileged(xs, conn) && xs->quota[QUOTA_PERMISSIONS] && count - 1 > (int)xs->quota[QUOTA_PERMISSIONS])
		return NULL;
	*error = 0;
	return perms_new(entries, (uint32_t)count - 1);
}

static int node_perms_set(struct xs *xs, struct conn *conn, struct request *request, struct perms *perms)
{
	char path[PATH_BYTES];
	struct node *node;
	int error = path_resolve(xs, conn, request->data, path);

	if (!error)
		error = node_lookup(xs, conn, request, path, PERM_WRITE, 0, &node);
	if (error)
		return error;
	if (!conn_owns(xs, conn, node->perms))
		return -EACCES;
	if (!conn_is_privileged(xs, conn) && node->perms->entries[0].domid != perms->entries[0].domid)
		return -EPERM;
	if (!fits_memory(xs, conn, request, (long)perms->count - (long)node->perms->count))
		return -ENOSPC;
	node = tree_perms_set(root_of(xs, request), path, perms_get(perms), ++xs->generation, ledger_of(xs, request));
	node_changed(xs, request, path, node);
	return 0;
}

static int do_set_perms(struct xs *xs, struct conn *conn, struct request *request)
{
	struct perms **special = request->bytes ? special_find(xs, request->data) : NULL, *perms;
	int error;

	perms = perms_parse(xs, conn, request, &error);
	if (!perms) {
		request->tx = NULL; /* it has seen nothing of the tree */
		return error;
	}
	if (!special) {
		error = node_perms_set(xs, conn, request, perms);
	} else if (!conn_is_privileged(xs, conn)) {
		error = -EACCES;
	} else {
		perms_put(*special);
		*special = perms_get(perms);
		request->changed = true;
	}
	perms_put(perms);
	return error;
}

static void purge_node(struct xs *xs, char *path, size_t bytes, uint16_t domid)
{
	const struct node *node = tree_find(xs->root, bytes ? path : "/");
	uint32_t position = 0;
	const struct node *child;

	while ((child = node_child_next(node, &position))) {
		size_t below = bytes + 1 + child->name_bytes;
		struct node *removed;

		path[bytes] = '/';
		memcpy(path + bytes + 1, child->name, child->name_bytes + 1);
		if (child->perms->entries[0].domid != domid) {
			purge_node(xs, path, below, domid);
			path[bytes] = '\0';
			node = tree_find(xs->root, bytes ? path : "/"); /* it may be another after a change below */
			continue;
		}
		removed = tree_remove(&xs->root, path, ++xs->generation, &xs->accounts.ledger);
		fire_add(xs, path, removed, NULL, true);
		tree_put(removed);
		path[bytes] = '\0';
		node = tree_find(xs->root, bytes ? path : "/");
	}
	for (uint32_t i = 1; i < node->perms->count; i++) {
		struct perms *rest;

		if (node->perms->entries[i].domid != domid)
			continue;
		rest = perms_new(node->perms->entries, node->perms->count);
		memmove(&rest->entries[i], &rest->entries[i + 1], (rest->count - i - 1) * sizeof(struct perm));
		rest->count--;
		tree_perms_set(&xs->root, bytes ? path : "/", rest, ++xs->generation, &xs->accounts.ledger);
		purge_node(xs, path, bytes, domid);
		return;
	}
}

void nodes_purge(struct xs *xs, uint16_t domid)
{
	char path[PATH_BYTES];

	path[0] = '\0';
	purge_node(xs, path, 0, domid);
}

/* ---- Watches and transactions ------------------------------------------------------------------------------------------------------ */

/* Path of a watch, which may be special. */
static int watch_path(const struct xs *xs, const struct conn *conn, const char *name, char path[PATH_BYTES])
{
	if (*name != '@')
		return path_resolve(xs, conn, name, path);
	if (!path_is_valid(name) || strlen(name) > XENSTORE_REL_PATH_MAX)
		return -EINVAL;
	memcpy(path, name, strlen(name) + 1);
	return 0;
}

static int do_watch(struct xs *xs, struct conn *conn, struct request *request)
{
	const char *strings[3];
	char path[PATH_BYTES];
	uint64_t depth = 0;
	int count = strings_split(request, strings, 3), error;

	if (count != 2 && count != 3)
		return -EINVAL;
	if (count == 3 && !number_parse(strings[2], XENSTORE_ABS_PATH_MAX, &depth))
		return -EINVAL;
	error = watch_path(xs, conn, strings[0], path);
	if (error)
		return error;
	if (count == 3 && *path == '@' && depth != 1)
		return -EINVAL;
	if (!conn_is_privileged(xs, conn) && xs->quota[QUOTA_WATCHES] && conn->watch_count >= xs->quota[QUOTA_WATCHES])
		return -E2BIG;
	if (!fits_memory(xs, conn, request, (long)(sizeof(struct watch) + request->bytes)))
		return -E2BIG;
	error = watch_add(xs, conn, strings[0], path, strings[1], count == 3 ? (int)depth : -1);
	if (error)
		return error;
	request->changed = true;
	xs->new_watch = TAILQ_LAST(&conn->watches, watch_list);
	return 0;
}

static int do_unwatch(struct xs *xs, struct conn *conn, struct request *request)
{
	const char *strings[2];
	char path[PATH_BYTES];
	int error;

	if (strings_split(request, strings, 2) < 2)
		return -EINVAL;
	error = watch_path(xs, conn, strings[0], path);
	if (!error)
		error = watch_remove(xs, conn, strings[0], strings[1]);
	request->changed = !error;
	return error;
}

static int do_reset_watches(struct xs *xs, struct conn *conn, struct request *request)
{
	conn_reset(xs, conn);
	request->tx = NULL;
	request->changed = true;
	return 0;
}

static int do_transaction_start(struct xs *xs, struct conn *conn, struct request *request)
{
	char text[16];

	if (request->tx_id)
		return -EBUSY;
	if (!conn_is_privileged(xs, conn) && xs->quota[QUOTA_TRANSACTIONS] && conn->tx_count >= xs->quota[QUOTA_TRANSACTIONS])
		return -ENOSPC;
	do {
		xs->next_tx++;
	} while (!xs->next_tx || tx_find(conn, xs->next_tx));
	tx_start(xs, conn, xs->next_tx);
	request->changed = true;
	reply_set(xs, text, (size_t)snprintf(text, sizeof(text), "%" PRIu32, xs->next_tx) + 1);
	return 0;
}

static int do_transaction_end(struct xs *xs, struct conn *conn, struct request *request)
{
	struct tx *tx = request->tx;
	int error = 0;

	if (request->bytes != 2 || request->data[1] || (request->data[0] != 'T' && request->data[0] != 'F'))
		return -EINVAL;
	if (!tx)
		return -ENOENT;
	if (request->data[0] == 'T')
		error = tx_commit(xs, conn, tx);
	tx_drop(tx);
	conn->tx_count--;
	xs->tx_open--;
	request->tx = NULL;
	request->changed = true;
	return error;
}

/* ---- Domains ------------------------------------------------------------------------------------------------------------------------- */

static int do_introduce(struct xs *xs, struct conn *conn, struct request *request)
{
	const char *strings[3];
	uint64_t domid, port;
	int64_t gfn;
	char *end;
	int error;

	(void)conn;
	if (strings_split(request, strings, 3) < 3 || !number_parse(strings[0], DOMIDS - 1, &domid) || !domid ||
	    !number_parse(strings[2], UINT32_MAX, &port))
		return -EINVAL;
	gfn = strtoll(strings[1], &end, 10); /* signed, says the specification */
	if (end == strings[1] || *end)
		return -EINVAL;
	if (!xs->host && !xs->replaying)
		return -ENOSYS;
	error = domain_introduce(xs, (uint16_t)domid, (uint64_t)gfn, (uint32_t)port);
	if (error)
		return error == -ENOSPC || error == -ENOMEM ? error : -EINVAL;
	request->changed = true;
	xs->special_fired |= 1u << SPECIAL_INTRODUCE;
	xs->special_domid = (uint16_t)domid;
	return 0;
}

/* The domain that a request names, or NULL and *error. */
static struct domain *domain_named(struct xs *xs, const struct request *request, int *error)
{
	struct domain *domain;
	const char *text;
	uint64_t domid;

	*error = -EINVAL;
	if (strings_split(request, &text, 1) < 1 || !number_parse(text, UINT16_MAX, &domid) || !domid)
		return NULL;
	domain = domain_find(xs, (uint16_t)domid);
	*error = domain ? 0 : -ENOENT;
	return domain;
}

static int do_release(struct xs *xs, struct conn *conn, struct request *request)
{
	int error;
	struct domain *domain = domain_named(xs, request, &error);

	(void)conn;
	if (!domain)
		return error;
	xs->special_fired |= 1u << SPECIAL_RELEASE;
	xs->special_domid = domain->domid;
	request->changed = true;
	return domain_release(xs, domain->domid);
}

static int do_resume(struct xs *xs, struct conn *conn, struct request *request)
{
	int error;
	struct domain *domain = domain_named(xs, request, &error);

	(void)conn;
	if (domain) {
		domain->shutdown_announced = false;
		request->changed = true;
	}
	return error;
}

static int do_set_target(struct xs *xs, struct conn *conn, struct request *request)
{
	const char *strings[2];
	uint64_t domid, target;
	struct domain *domain;

	(void)conn;
	if (strings_split(request, strings, 2) < 2 || !number_parse(strings[0], UINT16_MAX, &domid) ||
	    !number_parse(strings[1], UINT16_MAX, &target))
		return -EINVAL;
	domain = domain_find(xs, (uint16_t)domid);
	if (!domain || !domain_find(xs, (uint16_t)target))
		return -ENOENT;
	domain->target = (uint16_t)target;
	request->changed = true;
	return 0;
}

static int do_is_introduced(struct xs *xs, struct conn *conn, struct request *request)
{
	const char *text;
	uint64_t domid;

	(void)conn;
	if (strings_split(request, &text, 1) < 1 || !number_parse(text, UINT16_MAX, &domid))
		return -EINVAL;
	reply_text(xs, domain_find(xs, (uint16_t)domid) ? "T" : "F");
	return 0;
}

static int do_get_domain_path(struct xs *xs, struct conn *conn, struct request *request)
{
	const char *text;
	uint64_t domid;

	(void)conn;
	if (strings_split(request, &text, 1) < 1 || !number_parse(text, UINT32_MAX, &domid))
		return -EINVAL;
	xs->reply_bytes = (uint32_t)snprintf(xs->reply, sizeof(xs->reply), "/local/domain/%u", (unsigned int)domid) + 1;
	return 0;
}

/* ---- Dispatch --------------------------------------------------------------------------------------------------------------------------- */

static const struct handler {
	int (*execute)(struct xs *xs, struct conn *conn, struct request *request);
	bool privileged;
	bool in_tx; /* belongs to the transaction whose number it has */
} handlers[XS_TYPE_COUNT] = {
	[XS_CONTROL] = { control_execute, true, false },
	[XS_DIRECTORY] = { do_directory, false, true },
	[XS_READ] = { do_read, false, true },
	[XS_GET_PERMS] = { do_get_perms, false, true },
	[XS_WATCH] = { do_watch, false, false },
	[XS_UNWATCH] = { do_unwatch, false, false },
	[XS_TRANSACTION_START] = { do_transaction_start, false, false },
	[XS_TRANSACTION_END] = { do_transaction_end, false, true },
	[XS_INTRODUCE] = { do_introduce, true, false },
	[XS_RELEASE] = { do_release, true, false },
	[XS_GET_DOMAIN_PATH] = { do_get_domain_path, false, false },
	[XS_WRITE] = { do_write, false, true },
	[XS_MKDIR] = { do_mkdir, false, true },
	[XS_RM] = { do_rm, false, true },
	[XS_SET_PERMS] = { do_set_perms, false, true },
	[XS_IS_DOMAIN_INTRODUCED] = { do_is_introduced, false, false },
	[XS_RESUME] = { do_resume, true, false },
	[XS_SET_TARGET] = { do_set_target, true, false },
	[XS_RESET_WATCHES] = { do_reset_watches, false, false },
	[XS_DIRECTORY_PART] = { do_directory_part, false, true },
};

int request_execute(struct xs *xs, struct conn *conn, struct request *request)
{
	const struct handler *handler = request->type < XS_TYPE_COUNT ? &handlers[request->type] : NULL;
	int error;

	if (!handler || !handler->execute)
		return -ENOSYS;
	if (handler->privileged && !conn_is_privileged(xs, conn))
		return -EACCES;
	if (handler->in_tx && request->tx_id) {
		request->tx = tx_find(conn, request->tx_id);
		if (!request->tx)
			return -ENOENT;
	}
	reply_text(xs, "OK");
	if (request->tx && request->tx->doomed)
		request->tx->root = tree_get(xs->root);
	error = handler->execute(xs, conn, request);
	if (request->tx && request->tx->doomed) {
		tree_put(request->tx->root);
		request->tx->root = NULL;
		request->tx->accounts.count = 0;
	}
	tx_age(xs);
	/* What a transaction has seen counts when it ends. */
	if (request->tx)
		request->changed = true;
	return error;
}

void request_fire(struct xs *xs)
{
	for (size_t i = 0; i < xs->fire_count; i++) {
		struct fire *fire = &xs->fires[i];

		if (fire->removed)
			watch_fire_removed(xs, fire->path, fire->before);
		else
			watch_fire(xs, fire->path, fire->before, fire->after);
		free(fire->path);
		tree_put(fire->before);
		tree_put(fire->after);
	}
	xs->fire_count = 0;
	for (unsigned int i = 0; i < SPECIAL_COUNT; i++)
		if (xs->special_fired & 1u << i)
			watch_fire_special(xs, i, xs->special_domid);
	xs->special_fired = 0;
	if (xs->new_watch)
		watch_fire_first(xs, xs->new_watch);
	xs->new_watch = NULL;
}
