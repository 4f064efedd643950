/* SPDX-License-Identifier: BSD-2-Clause */
/* Trees under random insertion and removal against a sorted array; sorting against qsort. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <hv/sort.h>
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

static int compare(const void *key, const struct tree_node *node)
{
	unsigned int k = *(const unsigned int *)key, other = item_of(node)->key;

	return (k > other) - (k < other);
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
	struct tree_node *node, *prev = NULL;
	size_t i = 0;

	check_node(tree->root, NULL);
	tree_for_each(node, tree) {
		assert_ptr_equal(item_of(node), order[i++]);
		assert_ptr_equal(tree_prev(node), prev);
		prev = node;
	}
	assert_int_equal(i, count);
	assert_ptr_equal(tree_last(tree), prev);
	assert_int_equal(tree_empty(tree), count == 0);
}

static void check_find(const struct tree *tree, unsigned int key)
{
	size_t from = 0, upto;

	while (from < count && order[from]->key < key)
		from++;
	upto = from;
	while (upto < count && order[upto]->key == key)
		upto++;
	assert_ptr_equal(tree_find_from(tree, &key, compare), from < count ? &order[from]->node : NULL);
	assert_ptr_equal(tree_find_upto(tree, &key, compare), upto > 0 ? &order[upto - 1]->node : NULL);
	assert_ptr_equal(tree_find(tree, &key, compare), upto > from ? &order[from]->node : NULL);
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
		check_find(&tree, (unsigned int)rand() % 102);
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

static int compare_int(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

static void test_sort(void **state)
{
	(void)state;
	for (size_t n = 0; n < 200; n++) {
		int *ours = calloc(n + 1, sizeof(int)), *theirs = calloc(n + 1, sizeof(int));

		for (size_t i = 0; i < n; i++)
			ours[i] = theirs[i] = rand() % 100 - 50;
		sort(ours, n, sizeof(int), compare_int);
		qsort(theirs, n, sizeof(int), compare_int);
		assert_memory_equal(ours, theirs, n * sizeof(int));
		free(ours);
		free(theirs);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random), cmocka_unit_test(test_ascending), cmocka_unit_test(test_sort),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
