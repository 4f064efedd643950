/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The symbol table that the second link embeds: a count, then for each function in ascending order its offset from image_start
 * and the offset of its name in the text that follows.
 */
#include <hv/image.h>

struct symbol {
	u32 address, name;
};

struct symbol_table {
	u32 count, reserved;
	struct symbol symbol[];
};

const char *symbol_lookup(u64 addr, u64 *offset)
{
	const struct symbol_table *t = (const struct symbol_table *)image_symbols_start;
	u64 at = addr - (u64)image_start;
	u32 low = 0, high;

	if (addr < (u64)image_start || addr >= (u64)image_text_end || image_symbols_end - image_symbols_start < 8)
		return NULL;
	for (high = t->count; low < high;) {
		u32 mid = low + (high - low) / 2;

		if (t->symbol[mid].address <= at)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == 0)
		return NULL;
	*offset = at - t->symbol[low - 1].address;
	return (const char *)&t->symbol[t->count] + t->symbol[low - 1].name;
}

const char *symbol_get(u32 index, u64 *addr)
{
	const struct symbol_table *t = (const struct symbol_table *)image_symbols_start;

	if (image_symbols_end - image_symbols_start < 8 || index >= t->count)
		return NULL;
	*addr = (u64)image_start + t->symbol[index].address;
	return (const char *)&t->symbol[t->count] + t->symbol[index].name;
}
