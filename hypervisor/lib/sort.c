/* SPDX-License-Identifier: BSD-2-Clause */
#include <hv/sort.h>

typedef int compare_fn(const void *a, const void *b);

static void swap(u8 *a, u8 *b, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		u8 byte = a[i];

		a[i] = b[i];
		b[i] = byte;
	}
}

/* Lets the element at root sink until no child in [0, count) is greater. */
static void sift_down(u8 *base, size_t root, size_t count, size_t size, compare_fn *compare)
{
	while (root < count / 2) {
		size_t child = 2 * root + 1;

		if (child + 1 < count && compare(base + child * size, base + (child + 1) * size) < 0)
			child++;
		if (compare(base + root * size, base + child * size) >= 0)
			return;
		swap(base + root * size, base + child * size, size);
		root = child;
	}
}

void sort(void *base, size_t count, size_t size, compare_fn *compare)
{
	u8 *b = base;

	for (size_t root = count / 2; root > 0; root--)
		sift_down(b, root - 1, count, size, compare);
	for (size_t left = count; left > 1; left--) {
		swap(b, b + (left - 1) * size, size);
		sift_down(b, 0, left - 1, size, compare);
	}
}
