/* SPDX-License-Identifier: BSD-2-Clause */
/* Trees under random insertion and removal against a sorted array. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <hv/tree.h>

#define ITEMS 300

struct item {
	unsigned int key, stamp;
	struct tree_node node;
};

static struct item items[ITEMS];
static struct item *order[ITEMS]; /* what the tree should hold, in order */
static size_t count;

static struct item *item_of(const struct tree_node *node)
{
	return tree_entry((struct tree_node *)(uintptr_t)node, struct item, node);
}

static bool less(const struct tree_node *a, const struct tree_node *b)
{
	return item_of(a)->key < item_of(b)->key;
}

/* Checks links and balance below a node; returns the true height. */
static int check_node(const struct tree_node *node, const struct tree_node *parent)
{
	int a, b;

	if (node == NULL)
		return 0;
	assert_ptr_equal(node->parent, parent);
	a = check_node(node->child[0], node);
	b = check_node(node->child[1], node);
	assert_in_range(a - b + 1, 0, 2);
	assert_int_equal(node->height, 1 + MAX(a, b));
	return node->height;
}

static void check_tree(const struct tree *tree)
{
	struct tree_node *node;
	size_t i = 0;

	check_node(tree->root, NULL);
	tree_for_each(node, tree)
		assert_ptr_equal(item_of(node), order[i++]);
	assert_int_equal(i, count);
	assert_int_equal(tree_empty(tree), count == 0);
}

static void toggle(struct tree *tree, struct item *item, unsigned int key)
{
	size_t at = 0;

	if (tree_linked(&item->node)) {
		while (order[at] != item)
			at++;
		count--;
		memmove(order + at, order + at + 1, (count - at) * sizeof(*order));
		tree_remove(tree, &item->node);
		assert_false(tree_linked(&item->node));
		tree_remove(tree, &item->node);
		return;
	}
	item->key = key;
	while (at < count && order[at]->key <= key)
		at++;
	memmove(order + at + 1, order + at, (count - at) * sizeof(*order));
	order[at] = item;
	count++;
	assert_int_equal(tree_insert(tree, &item->node, less), at == 0);
}

static void test_random(void **state)
{
	struct tree tree = TREE_INIT;

	(void)state;
	count = 0;
	for (size_t i = 0; i < ITEMS; i++)
		tree_node_init(&items[i].node);
	for (int step = 0; step < 20000; step++) {
		size_t limit = step < 10000 ? ITEMS : 20;

		toggle(&tree, &items[(size_t)rand() % limit], (unsigned int)rand() % 100);
		if (step % 16 == 0)
			check_tree(&tree);
	}
	while (!tree_empty(&tree))
		toggle(&tree, item_of(tree_first(&tree)), 0);
	check_tree(&tree);
}

static void test_ascending(void **state)
{
	struct tree tree;

	(void)state;
	tree_init(&tree);
	count = 0;
	for (unsigned int i = 0; i < ITEMS; i++) {
		tree_node_init(&items[i].node);
		toggle(&tree, &items[i], i);
		check_tree(&tree);
	}
	assert_in_range(tree.root->height, 9, 10);
	for (unsigned int i = 0; i < ITEMS; i++) {
		toggle(&tree, &items[i], 0);
		check_tree(&tree);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random), cmocka_unit_test(test_ascending),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
