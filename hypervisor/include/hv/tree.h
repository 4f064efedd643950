/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Intrusive balanced (AVL) search trees for timers and run queues. Insert and remove take O(log n), the first (smallest)
 * node is at hand in O(1). Equal keys keep the order of insertion. The caller's lock protects tree and nodes.
 */
#ifndef HV_TREE_H
#define HV_TREE_H

#include <hv/compiler.h>
#include <hv/types.h>

struct tree_node {
	struct tree_node *parent;   /* the node itself while it is in no tree; NULL for a root */
	struct tree_node *child[2]; /* smaller, greater */
	int height;                 /* of the subtree that begins here; a leaf has 1 */
};

struct tree {
	struct tree_node *root;
	struct tree_node *first; /* smallest node, NULL if empty */
};

#define TREE_INIT { NULL, NULL }
#define tree_entry(node, type, member) container_of(node, type, member)

/* Is a to stand before b? */
typedef bool tree_less_fn(const struct tree_node *a, const struct tree_node *b);
static inline void tree_init(struct tree *tree)
{
	tree->root = NULL;
	tree->first = NULL;
}

static inline bool tree_empty(const struct tree *tree)
{
	return tree->root == NULL;
}

/* Makes tree_linked() false. Needed before the first use only where tree_linked or a blind tree_remove is wanted. */
static inline void tree_node_init(struct tree_node *node)
{
	node->parent = node;
}

static inline bool tree_linked(const struct tree_node *node)
{
	return node->parent != node;
}

static inline struct tree_node *tree_first(const struct tree *tree)
{
	return tree->first;
}

/* Adds a node that is in no tree, behind all nodes of an equal key. Returns true if it is now the first. */
bool tree_insert(struct tree *tree, struct tree_node *node, tree_less_fn *less);
/* Takes the node out of the tree it is in; does nothing if !tree_linked(node). Afterwards tree_linked(node) is false. */
void tree_remove(struct tree *tree, struct tree_node *node);

/* The next greater node; NULL at the end. */
struct tree_node *tree_next(const struct tree_node *node);

#define tree_for_each(node, tree) for ((node) = tree_first(tree); (node) != NULL; (node) = tree_next(node))

#endif
