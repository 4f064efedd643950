/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AVL trees: the heights of a node's two subtrees differ by at most one. After an insertion or removal the path from the
 * place of change to the root is walked once, and each node out of balance is rotated.
 */
#include <hv/tree.h>

static int height(const struct tree_node *node)
{
	return node == NULL ? 0 : node->height;
}

static void height_update(struct tree_node *node)
{
	node->height = 1 + MAX(height(node->child[0]), height(node->child[1]));
}

/* Makes "next" stand where "node" stands below its parent. */
static void replace(struct tree *tree, struct tree_node *node, struct tree_node *next)
{
	struct tree_node *parent = node->parent;

	if (parent == NULL)
		tree->root = next;
	else
		parent->child[parent->child[1] == node] = next;
	if (next != NULL)
		next->parent = parent;
}

/* Moves node down to its side "side" (0 smaller, 1 greater); the child of the other side takes its place and is returned. */
static struct tree_node *rotate(struct tree *tree, struct tree_node *node, int side)
{
	struct tree_node *up = node->child[!side];

	replace(tree, node, up);
	node->child[!side] = up->child[side];
	if (node->child[!side] != NULL)
		node->child[!side]->parent = node;
	up->child[side] = node;
	node->parent = up;
	height_update(node);
	height_update(up);
	return up;
}

static void rebalance_upwards(struct tree *tree, struct tree_node *node)
{
	for (; node != NULL; node = node->parent) {
		int lean = height(node->child[1]) - height(node->child[0]);
		int before = node->height;

		if (lean < -1 || lean > 1) {
			int heavy = lean > 0;
			struct tree_node *child = node->child[heavy];

			if (height(child->child[!heavy]) > height(child->child[heavy]))
				rotate(tree, child, heavy);
			node = rotate(tree, node, !heavy);
		} else {
			height_update(node);
		}
		if (node->height == before)
			return;
	}
}

bool tree_insert(struct tree *tree, struct tree_node *node, tree_less_fn *less)
{
	struct tree_node *parent = NULL, **place = &tree->root;
	bool first = true;

	while (*place != NULL) {
		bool before = less(node, *place);

		parent = *place;
		place = &parent->child[!before];
		first = first && before;
	}
	*node = (struct tree_node){ .parent = parent, .height = 1 };
	*place = node;
	if (first)
		tree->first = node;
	rebalance_upwards(tree, parent);
	return first;
}

void tree_remove(struct tree *tree, struct tree_node *node)
{
	struct tree_node *lowest; /* deepest node whose subtree changes */

	if (!tree_linked(node))
		return;
	if (tree->first == node)
		tree->first = tree_next(node);
	if (node->child[0] == NULL || node->child[1] == NULL) {
		lowest = node->parent;
		replace(tree, node, node->child[node->child[0] == NULL]);
	} else {
		/* The next greater node, which has no smaller child, takes the place. */
		struct tree_node *heir = tree_next(node);

		lowest = heir->parent == node ? heir : heir->parent;
		replace(tree, heir, heir->child[1]);
		replace(tree, node, heir);
		for (int side = 0; side < 2; side++) {
			heir->child[side] = node->child[side];
			if (heir->child[side] != NULL)
				heir->child[side]->parent = heir;
		}
		heir->height = node->height;
	}
	tree_node_init(node);
	rebalance_upwards(tree, lowest);
}

struct tree_node *tree_next(const struct tree_node *node)
{
	struct tree_node *next = node->child[1];

	while (next != NULL && next->child[0] != NULL)
		next = next->child[0];
	if (next != NULL)
		return next;
	while (node->parent != NULL && node->parent->child[1] == node)
		node = node->parent;
	return node->parent;
}
