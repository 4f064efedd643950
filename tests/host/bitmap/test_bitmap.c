/* SPDX-License-Identifier: BSD-2-Clause */
/* Bitmaps against an array of bool; lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <hv/bitmap.h>
#include <hv/list.h>

#define MAX_BITS 200

static bool model[MAX_BITS];
static unsigned long *map;

static size_t model_find(size_t nbits, size_t from, bool value)
{
	for (size_t i = from; i < nbits; i++)
		if (model[i] == value)
			return i;
	return nbits;
}

static void model_fill(size_t nbits, int density)
{
	/* Noise past the end must not matter. */
	memset(map, rand() & 0xff, BITMAP_WORDS(nbits) * sizeof(*map));
	for (size_t i = 0; i < nbits; i++) {
		model[i] = rand() % 100 < density;
		bitmap_assign(map, i, model[i]);
	}
}

static void check_find(size_t nbits)
{
	size_t weight = 0, bit, seen = 0;

	for (size_t i = 0; i < nbits; i++) {
		assert_int_equal(bitmap_test(map, i), model[i]);
		weight += model[i];
	}
	bitmap_for_each_set(bit, map, nbits) {
		assert_true(model[bit]);
		seen++;
	}
	assert_int_equal(seen, weight);
	for (size_t from = 0; from <= nbits + 1; from++) {
		assert_int_equal(bitmap_find_set(map, nbits, from), model_find(nbits, from, true));
		assert_int_equal(bitmap_find_clear(map, nbits, from), model_find(nbits, from, false));
	}
}

static void test_find(void **state)
{
	static const int densities[] = { 0, 2, 50, 98, 100 };

	(void)state;
	for (size_t nbits = 1; nbits <= MAX_BITS; nbits++)
		for (size_t d = 0; d < ARRAY_SIZE(densities); d++) {
			/* Exactly as many words as the map has, so that the sanitizer sees a read past them. */
			map = malloc(BITMAP_WORDS(nbits) * sizeof(*map));
			model_fill(nbits, densities[d]);
			check_find(nbits);
			free(map);
		}
}

static void test_bits(void **state)
{
	BITMAP_DECLARE(a, 70);

	(void)state;
	bitmap_fill(a, 70);
	assert_int_equal(a[1], 0x3f);
	assert_int_equal(bitmap_find_clear(a, 70, 0), 70);
	bitmap_zero(a, 70);
	assert_int_equal(bitmap_find_set(a, 70, 0), 70);
	assert_false(bitmap_test_and_set(a, 65));
	assert_true(bitmap_test_and_set(a, 65));
	assert_true(bitmap_test_and_clear(a, 65));
	assert_false(bitmap_test_and_clear(a, 65));
	bitmap_set(a, 3);
	assert_int_equal(a[0], 8);
	bitmap_clear(a, 3);
	assert_int_equal(a[0], 0);
}

struct item {
	int val;
	struct list link;
};

static void check_list(struct list *head, const char *expected)
{
	char text[16];
	size_t n = 0;
	struct item *item;
	struct list *node;

	list_for_each_entry(item, head, link)
		text[n++] = (char)('0' + item->val);
	text[n] = '\0';
	assert_string_equal(text, expected);
	list_for_each(node, head)
		n--;
	assert_int_equal(n, 0);
}

static void test_list(void **state)
{
	struct list head = LIST_INIT(head), other;
	struct item items[5], *item, *tmp;

	(void)state;
	for (int i = 0; i < 5; i++) {
		items[i].val = i;
		list_init(&items[i].link);
		assert_false(list_linked(&items[i].link));
	}
	assert_null(list_first_entry(&head, struct item, link));
	list_add_tail(&head, &items[1].link);
	list_add_tail(&head, &items[2].link);
	list_add_head(&head, &items[0].link);
	list_add_before(&items[2].link, &items[4].link);
	list_add_before(&head, &items[3].link);
	check_list(&head, "01423");
	assert_int_equal(list_first_entry(&head, struct item, link)->val, 0);
	assert_int_equal(list_last_entry(&head, struct item, link)->val, 3);
	list_remove(&items[4].link);
	list_remove(&items[4].link);
	assert_false(list_linked(&items[4].link));
	check_list(&head, "0123");
	list_init(&other);
	list_splice_tail(&other, &head);
	assert_true(list_empty(&head));
	list_add_tail(&head, &items[4].link);
	list_splice_tail(&head, &other);
	check_list(&head, "40123");
	list_splice_tail(&head, &other);
	list_for_each_entry_safe(item, tmp, &head, link)
		if (item->val % 2 == 0)
			list_remove(&item->link);
	check_list(&head, "13");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find), cmocka_unit_test(test_bits), cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
