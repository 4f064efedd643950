/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The nodes. A tree is a counted pointer to its root. Taking another reference freezes it: whoever changes a tree that is
 * shared copies the nodes from the root to the change and leaves the rest common, so a transaction costs one reference at
 * its start. A tree that is not shared is changed in place.
 *
 * Paths are absolute and valid ("/" or "/a/b"). Children keep the order in which they were made.
 */
#ifndef XENSTORED_TREE_H
#define XENSTORED_TREE_H

#include "util.h"

#define PERM_READ  1u
#define PERM_WRITE 2u

struct perm {
	uint16_t domid;
	uint16_t access; /* PERM_* */
};

/* Counted, common to all nodes that inherited them, never changed. The first entry: owner, and everybody else's access. */
struct perms {
	uint32_t refs;
	uint32_t count;
	struct perm entries[];
};

/* A piece of a node's list of children: shared like nodes, so that a copy of a long list costs a piece and not all of it. */
struct children {
	uint32_t refs;
	uint32_t room;
	struct node *at[]; /* with holes */
};
#define CHILDREN_PIECE 16u

/* Where a name is in the list: hash table of positions + 1. Shared too. */
struct child_index {
	uint32_t refs;
	uint32_t mask;
	uint32_t at[];
};

struct node {
	uint32_t refs;
	uint32_t hash; /* of the name */
	uint64_t generation; /* of the last change of value or permissions */
	uint64_t children_generation; /* of the last change of the list of children */
	struct perms *perms;
	char *value;
	struct children **children; /* all but the last have CHILDREN_PIECE places */
	struct child_index *index; /* NULL while they are few */
	uint32_t child_count, child_end, child_room;
	uint32_t value_bytes;
	uint32_t name_bytes;
	char name[];
};

/* Where changes are counted: nodes and bytes by owner. */
struct ledger {
	void (*add)(struct ledger *ledger, uint16_t owner, int nodes, long bytes);
};

struct perms *perms_new(const struct perm *entries, uint32_t count);
struct perms *perms_get(struct perms *perms);
void perms_put(struct perms *perms);

/** A tree of a root node alone. */
struct node *tree_new(struct perms *perms, uint64_t generation);
struct node *tree_get(struct node *root);
void tree_put(struct node *root);

/** NULL if there is no such node. */
struct node *tree_find(struct node *root, const char *path);

/** The node or, if it does not exist, its nearest parent, whose path's length goes to *bytes ("/" has 1). */
struct node *tree_find_nearest(struct node *root, const char *path, size_t *bytes);

struct node *node_child(const struct node *node, const char *name, size_t bytes);

/** Next child of node at or after *position, which is then set behind it; NULL at the end. Start with 0. */
struct node *node_child_next(const struct node *node, uint32_t *position);

/** Bytes that a node costs its owner. */
long node_cost(const struct node *node);

/* Changes: *root is replaced if it was shared. The node (for tree_add, its parent) must exist. */
struct node *tree_value_set(struct node **root, const char *path, const void *value, size_t bytes, uint64_t generation,
			    struct ledger *ledger);
struct node *tree_perms_set(struct node **root, const char *path, struct perms *perms, uint64_t generation, struct ledger *ledger);
/** A new, empty node; takes over the reference to perms. */
struct node *tree_add(struct node **root, const char *path, struct perms *perms, uint64_t generation, struct ledger *ledger);
/** Remove a node other than the root. @return what was removed, to be given back with tree_put */
struct node *tree_remove(struct node **root, const char *path, uint64_t generation, struct ledger *ledger);

/** Count all nodes below and including node. */
void tree_count(const struct node *node, int sign, struct ledger *ledger);

/** Set generations as they were in a snapshot. */
void tree_generations_set(struct node **root, const char *path, uint64_t generation, uint64_t children_generation);

#endif
