/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "tree.h"

#define INDEX_FROM 9u /* so many children need a hash table */

struct perms *perms_new(const struct perm *entries, uint32_t count)
{
	struct perms *perms = xalloc(sizeof(*perms) + count * sizeof(*entries));

	perms->refs = 1;
	perms->count = count;
	memcpy(perms->entries, entries, count * sizeof(*entries));
	return perms;
}

struct perms *perms_get(struct perms *perms)
{
	perms->refs++;
	return perms;
}

void perms_put(struct perms *perms)
{
	if (perms && !--perms->refs)
		free(perms);
}

static struct node *node_new(const char *name, size_t bytes, struct perms *perms, uint64_t generation)
{
	struct node *node = xalloc(sizeof(*node) + bytes + 1);

	node->refs = 1;
	node->hash = hash_bytes(HASH_START, name, bytes);
	node->generation = node->children_generation = generation;
	node->perms = perms;
	node->name_bytes = (uint32_t)bytes;
	memcpy(node->name, name, bytes);
	return node;
}

struct node *tree_new(struct perms *perms, uint64_t generation)
{
	return node_new("", 0, perms, generation);
}

struct node *tree_get(struct node *root)
{
	root->refs++;
	return root;
}

static void piece_put(struct children *piece)
{
	if (--piece->refs)
		return;
	for (uint32_t i = 0; i < piece->room; i++)
		tree_put(piece->at[i]);
	free(piece);
}

static void index_put(struct child_index *index)
{
	if (index && !--index->refs)
		free(index);
}

/* Places for `room` children are in so many pieces. */
static uint32_t pieces(uint32_t room)
{
	return (room + CHILDREN_PIECE - 1) / CHILDREN_PIECE;
}

void tree_put(struct node *node)
{
	if (!node || --node->refs)
		return;
	for (uint32_t i = 0; i < pieces(node->child_room); i++)
		piece_put(node->children[i]);
	index_put(node->index);
	perms_put(node->perms);
	free(node->children);
	free(node->value);
	free(node);
}

/* ---- Children ---------------------------------------------------------------------------------------------------------------- */

static struct node *child_at(const struct node *node, uint32_t position)
{
	return node->children[position / CHILDREN_PIECE]->at[position % CHILDREN_PIECE];
}

/* The place of a child, in a piece that nobody else has. */
static struct node **child_own(struct node *node, uint32_t position)
{
	struct children **link = &node->children[position / CHILDREN_PIECE], *old = *link;

	if (old->refs > 1) {
		*link = xmemdup(old, sizeof(*old) + old->room * sizeof(struct node *));
		(*link)->refs = 1;
		old->refs--;
		for (uint32_t i = 0; i < old->room; i++)
			if (old->at[i])
				old->at[i]->refs++;
	}
	return &(*link)->at[position % CHILDREN_PIECE];
}

static void index_insert(struct node *node, uint32_t position)
{
	struct child_index *index = node->index;
	uint32_t at = child_at(node, position)->hash & index->mask;

	while (index->at[at])
		at = (at + 1) & index->mask;
	index->at[at] = position + 1;
}

/* Places for `room` children, those that there are moved into them without holes, and a new index. */
static void children_rebuild(struct node *node, uint32_t room)
{
	struct children **old = node->children;
	uint32_t old_end = node->child_end, old_pieces = pieces(node->child_room), end = 0;

	node->children = xalloc(pieces(room) * sizeof(*node->children));
	for (uint32_t i = 0; i < pieces(room); i++) {
		uint32_t places = MIN(CHILDREN_PIECE, room - i * CHILDREN_PIECE);

		node->children[i] = xalloc(sizeof(**old) + places * sizeof(struct node *));
		node->children[i]->refs = 1;
		node->children[i]->room = places;
	}
	for (uint32_t i = 0; i < old_end; i++) {
		struct node *child = old[i / CHILDREN_PIECE]->at[i % CHILDREN_PIECE];

		if (!child)
			continue;
		node->children[end / CHILDREN_PIECE]->at[end % CHILDREN_PIECE] = tree_get(child);
		end++;
	}
	for (uint32_t i = 0; i < old_pieces; i++)
		piece_put(old[i]);
	free(old);
	node->child_end = end;
	node->child_room = room;
	index_put(node->index);
	node->index = NULL;
	if (room < INDEX_FROM)
		return;
	node->index = xalloc(sizeof(*node->index) + 2 * room * sizeof(uint32_t));
	node->index->refs = 1;
	node->index->mask = 2 * room - 1;
	for (uint32_t i = 0; i < end; i++)
		index_insert(node, i);
}

static bool is_child(const struct node *child, uint32_t hash, const char *name, size_t bytes)
{
	return child && child->hash == hash && child->name_bytes == bytes && !memcmp(child->name, name, bytes);
}

/* Position of a child, or child_end. */
static uint32_t child_position(const struct node *node, const char *name, size_t bytes)
{
	uint32_t hash = hash_bytes(HASH_START, name, bytes);
	const struct child_index *index = node->index;

	if (!index) {
		for (uint32_t i = 0; i < node->child_end; i++)
			if (is_child(child_at(node, i), hash, name, bytes))
				return i;
		return node->child_end;
	}
	/* A hole's entry stays in the table. */
	for (uint32_t at = hash & index->mask; index->at[at]; at = (at + 1) & index->mask)
		if (is_child(child_at(node, index->at[at] - 1), hash, name, bytes))
			return index->at[at] - 1;
	return node->child_end;
}

struct node *node_child(const struct node *node, const char *name, size_t bytes)
{
	uint32_t position = child_position(node, name, bytes);

	return position < node->child_end ? child_at(node, position) : NULL;
}

struct node *node_child_next(const struct node *node, uint32_t *position)
{
	while (*position < node->child_end) {
		struct node *child = child_at(node, (*position)++);

		if (child)
			return child;
	}
	return NULL;
}

static void child_add(struct node *node, struct node *child)
{
	if (node->child_end == node->child_room) {
		uint32_t room = 4;

		while (room < 2 * node->child_count)
			room *= 2;
		children_rebuild(node, room);
	}
	*child_own(node, node->child_end++) = child;
	node->child_count++;
	if (!node->index)
		return;
	if (node->index->refs > 1) {
		node->index->refs--;
		node->index = xmemdup(node->index, sizeof(*node->index) + (node->index->mask + 1) * sizeof(uint32_t));
		node->index->refs = 1;
	}
	index_insert(node, node->child_end - 1);
}

static struct node *child_remove(struct node *node, const char *name, size_t bytes)
{
	struct node **place = child_own(node, child_position(node, name, bytes)), *child = *place;

	*place = NULL;
	node->child_count--;
	return child;
}

/* ---- Sharing ------------------------------------------------------------------------------------------------------------------ */

/* Make *link a node that nobody else has. */
static struct node *node_own(struct node **link)
{
	struct node *old = *link, *node;

	if (old->refs == 1)
		return old;
	node = xmemdup(old, sizeof(*old) + old->name_bytes + 1);
	node->refs = 1;
	perms_get(node->perms);
	if (old->value)
		node->value = xmemdup(old->value, old->value_bytes);
	if (old->children)
		node->children = xmemdup(old->children, pieces(old->child_room) * sizeof(*old->children));
	for (uint32_t i = 0; i < pieces(old->child_room); i++)
		node->children[i]->refs++;
	if (node->index)
		node->index->refs++;
	old->refs--;
	*link = node;
	return node;
}

/* Bytes of the path's component at `at`, which is behind a '/'. */
static size_t component(const char *at)
{
	return (size_t)(strchrnul(at, '/') - at);
}

struct node *tree_find_nearest(struct node *root, const char *path, size_t *bytes)
{
	const char *at = path + 1;
	struct node *node = root;

	*bytes = 1;
	while (*at) {
		size_t length = component(at);
		struct node *child = node_child(node, at, length);

		if (!child)
			break;
		node = child;
		at += length;
		*bytes = (size_t)(at - path);
		if (*at)
			at++;
	}
	return node;
}

struct node *tree_find(struct node *root, const char *path)
{
	struct node *node = root;

	for (const char *at = path + 1; node && *at;) {
		size_t length = component(at);

		node = node_child(node, at, length);
		at += length;
		if (*at)
			at++;
	}
	return node;
}

/* The node of the first `bytes` of path, owned together with all above it. */
static struct node *tree_own(struct node **root, const char *path, size_t bytes)
{
	struct node *node = node_own(root);
	const char *end = path + bytes;

	for (const char *at = path + 1; at < end;) {
		size_t length = component(at);

		node = node_own(child_own(node, child_position(node, at, length)));
		at += length + 1;
	}
	return node;
}

/* ---- Changes -------------------------------------------------------------------------------------------------------------------- */

long node_cost(const struct node *node)
{
	return (long)(sizeof(*node) + node->name_bytes + node->value_bytes + node->perms->count * sizeof(struct perm));
}

static void count(struct ledger *ledger, const struct node *node, int sign)
{
	if (ledger)
		ledger->add(ledger, node->perms->entries[0].domid, sign, sign * node_cost(node));
}

void tree_count(const struct node *node, int sign, struct ledger *ledger)
{
	count(ledger, node, sign);
	for (uint32_t i = 0; i < node->child_end; i++)
		if (child_at(node, i))
			tree_count(child_at(node, i), sign, ledger);
}

struct node *tree_value_set(struct node **root, const char *path, const void *value, size_t bytes, uint64_t generation,
			    struct ledger *ledger)
{
	struct node *node = tree_own(root, path, strlen(path));

	count(ledger, node, -1);
	if (bytes > node->value_bytes || !bytes) {
		free(node->value);
		node->value = bytes ? xmemdup(value, bytes) : NULL;
	} else {
		memcpy(node->value, value, bytes);
	}
	node->value_bytes = (uint32_t)bytes;
	node->generation = generation;
	count(ledger, node, 1);
	return node;
}

struct node *tree_perms_set(struct node **root, const char *path, struct perms *perms, uint64_t generation, struct ledger *ledger)
{
	struct node *node = tree_own(root, path, strlen(path));

	count(ledger, node, -1);
	perms_put(node->perms);
	node->perms = perms;
	node->generation = generation;
	count(ledger, node, 1);
	return node;
}

struct node *tree_add(struct node **root, const char *path, struct perms *perms, uint64_t generation, struct ledger *ledger)
{
	const char *name = strrchr(path, '/') + 1;
	struct node *parent = tree_own(root, path, (size_t)MAX(name - path - 1, 1));
	struct node *node = node_new(name, strlen(name), perms, generation);

	child_add(parent, node);
	parent->children_generation = generation;
	count(ledger, node, 1);
	return node;
}

struct node *tree_remove(struct node **root, const char *path, uint64_t generation, struct ledger *ledger)
{
	const char *name = strrchr(path, '/') + 1;
	struct node *parent = tree_own(root, path, (size_t)MAX(name - path - 1, 1));
	struct node *node = child_remove(parent, name, strlen(name));

	parent->children_generation = generation;
	tree_count(node, -1, ledger);
	return node;
}

void tree_generations_set(struct node **root, const char *path, uint64_t generation, uint64_t children_generation)
{
	struct node *node = tree_own(root, path, strlen(path));

	node->generation = generation;
	node->children_generation = children_generation;
}
