/* SPDX-License-Identifier: BSD-2-Clause */
#include <hv/boot.h>
#include <hv/frame.h>
#include <hv/log.h>
#include <hv/mm.h>
#include <hv/string.h>

#include "boot_memory.h"

struct memory_ranges boot_ram, boot_free;
u64 boot_alloc_limit = EARLY_DIRECT_MAP_SIZE >> PAGE_SHIFT;

/* Areas reserved by callers before there is anything to take them from. */
#define RESERVED_MAX 32
static struct memory_range reserved[RESERVED_MAX];
static u32 reserved_count;

/* Index of the first range that ends at or after `start`. */
static u32 range_find(const struct memory_ranges *rs, u64 start)
{
	u32 i = 0;

	while (i < rs->count && rs->range[i].end < start)
		i++;
	return i;
}

static void range_delete(struct memory_ranges *rs, u32 i, u32 n)
{
	memmove(&rs->range[i], &rs->range[i + n], (rs->count - i - n) * sizeof(rs->range[0]));
	rs->count -= n;
}

static bool range_insert(struct memory_ranges *rs, u32 i, u64 start, u64 end)
{
	if (rs->count == MEMORY_RANGES_MAX)
		return false;
	memmove(&rs->range[i + 1], &rs->range[i], (rs->count - i) * sizeof(rs->range[0]));
	rs->range[i] = (struct memory_range){ start, end };
	rs->count++;
	return true;
}

void memory_ranges_add(struct memory_ranges *rs, u64 start, u64 end)
{
	u32 i, n = 0;

	if (start >= end)
		return;
	i = range_find(rs, start);
	while (i + n < rs->count && rs->range[i + n].start <= end) {
		start = MIN(start, rs->range[i + n].start);
		end = MAX(end, rs->range[i + n].end);
		n++;
	}
	if (n > 0) {
		rs->range[i] = (struct memory_range){ start, end };
		range_delete(rs, i + 1, n - 1);
	} else if (!range_insert(rs, i, start, end)) {
		log_warn("Memory map too long: frames %lx to %lx are not used", start, end);
	}
}

void memory_ranges_remove(struct memory_ranges *rs, u64 start, u64 end)
{
	if (start >= end)
		return;
	for (u32 i = range_find(rs, start); i < rs->count && rs->range[i].start < end;) {
		struct memory_range *r = &rs->range[i];
		struct memory_range left = { r->start, MAX(MIN(r->end, start), r->start) };
		struct memory_range right = { MIN(MAX(r->start, end), r->end), r->end };
		bool keep_left = left.start < left.end, keep_right = right.start < right.end;

		if (keep_left && keep_right) {
			if (range_insert(rs, i + 1, right.start, right.end))
				rs->range[i] = left;
			else
				*r = left.end - left.start > right.end - right.start ? left : right;
			return;
		}
		if (keep_left || keep_right) {
			*r = keep_left ? left : right;
			i++;
		} else {
			range_delete(rs, i, 1);
		}
	}
}

u64 memory_ranges_take(struct memory_ranges *rs, u64 count, u64 align, u64 limit)
{
	for (u32 i = rs->count; i-- > 0;) {
		u64 end = MIN(rs->range[i].end, limit), start;

		if (end < count)
			continue;
		start = ROUND_DOWN(end - count, align);
		if (start < rs->range[i].start)
			continue;
		memory_ranges_remove(rs, start, start + count);
		return start;
	}
	return 0;
}

static void range_reserve(paddr_t start, u64 size)
{
	memory_ranges_remove(&boot_free, start.v >> PAGE_SHIFT, ROUND_UP(start.v + size, PAGE_SIZE) >> PAGE_SHIFT);
}

void boot_memory_reserve(paddr_t start, u64 size)
{
	if (reserved_count == RESERVED_MAX)
		panic("Too many areas reserved at boot");
	reserved[reserved_count++] = (struct memory_range){ start.v, size };
}

void boot_memory_init(void)
{
	const struct e820_entry *entry = boot_info.e820;
	const u64 top = 1UL << FRAME_NUMBER_BITS;

	for (u32 i = 0; i < boot_info.nr_e820; i++)
		if (entry[i].type == E820_RAM && entry[i].addr + entry[i].size > entry[i].addr)
			memory_ranges_add(&boot_ram, ROUND_UP(entry[i].addr, PAGE_SIZE) >> PAGE_SHIFT,
					  (entry[i].addr + entry[i].size) >> PAGE_SHIFT);
	/* Firmware may report overlapping entries; what is not RAM wins. */
	for (u32 i = 0; i < boot_info.nr_e820; i++)
		if (entry[i].type != E820_RAM && entry[i].addr + entry[i].size > entry[i].addr)
			memory_ranges_remove(&boot_ram, entry[i].addr >> PAGE_SHIFT,
					     ROUND_UP(entry[i].addr + entry[i].size, PAGE_SIZE) >> PAGE_SHIFT);
	if (boot_ram.count > 0 && boot_ram.range[boot_ram.count - 1].end > top) {
		log_warn("Memory above 16 TiB is not used");
		memory_ranges_remove(&boot_ram, top, boot_ram.range[boot_ram.count - 1].end);
	}
	boot_free = boot_ram;
	memory_ranges_remove(&boot_free, 0, LOW_MEMORY_FRAMES);
	range_reserve(boot_info.image_start, boot_info.image_end.v - boot_info.image_start.v);
	for (u32 i = 0; i < boot_info.nr_modules; i++)
		range_reserve(boot_info.module[i].start, boot_info.module[i].size);
	for (u32 i = 0; i < reserved_count; i++)
		range_reserve(paddr(reserved[i].start), reserved[i].end);
	if (boot_free.count == 0)
		panic("The boot loader reported no usable memory");
}

mfn_t boot_frames_alloc(u64 count, u64 align)
{
	u64 first = memory_ranges_take(&boot_free, count, align, MIN(boot_alloc_limit, DIRECT_MAP_FRAMES));

	if (first == 0)
		panic("Out of memory at boot: no %lu KiB in a row", count << (PAGE_SHIFT - 10));
	memset(mfn_virt(mfn(first)), 0, count << PAGE_SHIFT);
	return mfn(first);
}

bool memory_is_ram(paddr_t start, u64 size)
{
	u64 first = start.v >> PAGE_SHIFT, end = ROUND_UP(start.v + size, PAGE_SIZE) >> PAGE_SHIFT;
	u32 i = range_find(&boot_ram, first + 1);

	return i < boot_ram.count && boot_ram.range[i].start <= first && boot_ram.range[i].end >= end;
}

u64 memory_ram_size(void)
{
	u64 frames = 0;

	for (u32 i = 0; i < boot_ram.count; i++)
		frames += boot_ram.range[i].end - boot_ram.range[i].start;
	return frames << PAGE_SHIFT;
}
