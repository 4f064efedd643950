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

static size_t model_find_run(size_t nbits, size_t from, size_t n, size_t align)
{
	for (size_t start = ROUND_UP(from, align); n > 0 && start + n <= nbits; start += align)
		if (model_find(nbits, start, true) >= start + n)
			return start;
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
	assert_int_equal(bitmap_weight(map, nbits), weight);
	assert_int_equal(bitmap_empty(map, nbits), weight == 0);
	assert_int_equal(bitmap_full(map, nbits), weight == nbits);
	bitmap_for_each_set(bit, map, nbits) {
		assert_true(model[bit]);
		seen++;
	}
	assert_int_equal(seen, weight);
	for (size_t from = 0; from <= nbits + 1; from++) {
		size_t next = model_find(nbits, from, true);

		assert_int_equal(bitmap_find_set(map, nbits, from), next);
		assert_int_equal(bitmap_find_clear(map, nbits, from), model_find(nbits, from, false));
		assert_int_equal(bitmap_find_set_wrap(map, nbits, from),
				 next < nbits ? next : model_find(nbits, 0, true));
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
			for (size_t n = 0; n < 12; n++)
				for (size_t align = 1; align <= 8; align *= 2) {
					size_t from = (size_t)rand() % nbits;

					assert_int_equal(bitmap_find_clear_run(map, nbits, from, n, align),
							 model_find_run(nbits, from, n, align));
				}
			free(map);
		}
}

static void test_sets(void **state)
{
	BITMAP_DECLARE(a, 70);
	BITMAP_DECLARE(b, 70);
	BITMAP_DECLARE(c, 70);

	(void)state;
	bitmap_fill(a, 70);
	assert_int_equal(a[1], 0x3f);
	bitmap_zero(b, 70);
	assert_true(bitmap_subset(b, a, 70));
	assert_false(bitmap_subset(a, b, 70));
	assert_false(bitmap_intersects(a, b, 70));
	assert_false(bitmap_test_and_set(b, 65));
	assert_true(bitmap_test_and_set(b, 65));
	assert_true(bitmap_intersects(a, b, 70));
	bitmap_andnot(c, a, b, 70);
	assert_int_equal(bitmap_weight(c, 70), 69);
	bitmap_or(c, c, b, 70);
	assert_true(bitmap_equal(a, c, 70));
	bitmap_and(c, a, b, 70);
	assert_true(bitmap_equal(b, c, 70));
	c[1] |= 1UL << 40;
	assert_true(bitmap_equal(b, c, 70));
	assert_true(bitmap_test_and_clear(c, 65));
	assert_false(bitmap_test_and_clear(c, 65));
	assert_true(bitmap_empty(c, 70));
	bitmap_copy(c, a, 70);
	assert_true(bitmap_full(c, 70));
	bitmap_fill(a, 64);
	assert_int_equal(a[1], 0x3f);
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
		cmocka_unit_test(test_find), cmocka_unit_test(test_sets), cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
