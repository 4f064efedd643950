/* SPDX-License-Identifier: BSD-2-Clause */
/* The tree against a list of paths, with snapshots that must not change. */
#include "tests.h"

#define PATHS 300

struct model {
	bool there[PATHS];
	unsigned int value[PATHS];
};

static uint32_t seed = 1;

static unsigned int dice(unsigned int sides)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % sides;
}

/* Number 1..: parent is number / 6. */
static void path_of(unsigned int number, char *path)
{
	char parent[256] = "";

	if (number >= 6)
		path_of(number / 6, parent);
	sprintf(path, "%s/n%u", parent, number);
}

static void model_remove(struct model *model, unsigned int number)
{
	model->there[number] = false;
	for (unsigned int i = number + 1; i < PATHS; i++)
		if (i >= 6 && model->there[i] && !model->there[i / 6])
			model->there[i] = false;
}

static void compare(struct node *root, const struct model *model)
{
	unsigned int count = 0, value;
	char path[256];

	for (unsigned int i = 1; i < PATHS; i++) {
		const struct node *node;

		path_of(i, path);
		node = tree_find(root, path);
		assert_int_equal(!!node, model->there[i]);
		count += model->there[i];
		if (node) {
			assert_int_equal(node->value_bytes, sizeof(value));
			memcpy(&value, node->value, sizeof(value));
			assert_int_equal(value, model->value[i]);
		}
	}
	{
		struct accounts counted;

		accounts_init(&counted);
		tree_count(root, 1, &counted.ledger);
		assert_int_equal(account_nodes(&counted, 0), count + 1);
		free(counted.entries);
	}
}

static void random_changes(void **state)
{
	const struct perm nobody = { 0, 0 };
	struct node *root = tree_new(perms_new(&nobody, 1), 0), *snapshots[8] = { NULL };
	struct model model = { .there = { false } }, models[8];
	struct accounts accounts;

	(void)state;
	accounts_init(&accounts);
	tree_count(root, 1, &accounts.ledger);
	for (uint64_t step = 1; step < 20000; step++) {
		unsigned int number = 1 + dice(PATHS - 1), value = dice(1000), slot = dice(8);
		char path[256];

		path_of(number, path);
		if (dice(10) < 3 && model.there[number]) {
			tree_put(tree_remove(&root, path, step, &accounts.ledger));
			model_remove(&model, number);
		} else if (number < 6 || model.there[number / 6]) {
			if (!model.there[number])
				tree_add(&root, path, perms_get(root->perms), step, &accounts.ledger);
			tree_value_set(&root, path, &value, sizeof(value), step, &accounts.ledger);
			model.there[number] = true;
			model.value[number] = value;
		}
		if (dice(100) == 0) {
			tree_put(snapshots[slot]);
			snapshots[slot] = tree_get(root);
			models[slot] = model;
		}
		if (step % 500 == 0) {
			compare(root, &model);
			for (int i = 0; i < 8; i++)
				if (snapshots[i])
					compare(snapshots[i], &models[i]);
		}
	}
	for (int i = 0; i < 8; i++)
		tree_put(snapshots[i]);
	tree_count(root, -1, &accounts.ledger);
	assert_int_equal(accounts.count, 0);
	free(accounts.entries);
	tree_put(root);
}

static void numbers(void **state)
{
	uint64_t value;

	(void)state;
	assert_true(number_parse("0", 10, &value) && !value);
	assert_true(number_parse("10", 10, &value) && value == 10);
	assert_false(number_parse("11", 10, &value));
	assert_false(number_parse("", 10, &value));
	assert_false(number_parse("-1", UINT64_MAX, &value));
	assert_false(number_parse("1x", 10, &value));
	assert_false(number_parse("99999999999999999999999", UINT64_MAX, &value));
}

const struct CMUnitTest tree_tests[] = { cmocka_unit_test(random_changes), cmocka_unit_test(numbers) };
const size_t tree_test_count = ARRAY_SIZE(tree_tests);
