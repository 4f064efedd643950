/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory maps of firmware, good and bad, and the early allocator. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <hv/boot.h>
#include <hv/mm.h>
#include <hv/string.h>
#include "../sim_mm/glue.h"
#include "../../../hypervisor/arch/x86/mm/boot_memory.h"

struct boot_info boot_info;

static void map_add(u64 addr, u64 size, u32 type)
{
	boot_info.e820[boot_info.nr_e820++] = (struct e820_entry){ addr, size, type };
}

static int start(void **state)
{
	(void)state;
	glue_nodes = 1;
	sim_start(1);
	memset(&boot_info, 0, sizeof(boot_info));
	boot_ram.count = 0;
	boot_free.count = 0;
	boot_info.image_start = paddr(0x200000);
	boot_info.image_end = paddr(0x2ff123);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	sim_stop();
	return 0;
}

static void check_ranges(const struct memory_ranges *rs)
{
	for (u32 i = 0; i < rs->count; i++) {
		assert_true(rs->range[i].start < rs->range[i].end);
		if (i > 0)
			assert_true(rs->range[i - 1].end < rs->range[i].start);
	}
}

static void test_ranges(void **state)
{
	static struct memory_ranges rs;
	bool map[300] = { false };
	u32 seed = 5;

	(void)state;
	rs.count = 0;
	for (u32 step = 0; step < 20000; step++) {
		u64 from, to;
		u32 at = 0;

		seed = seed * 1664525 + 1013904223;
		from = (seed >> 8) % 280;
		to = from + (seed >> 20) % 20;
		if (seed & 0x80)
			memory_ranges_add(&rs, from, to);
		else
			memory_ranges_remove(&rs, from, to);
		memset(&map[from], !!(seed & 0x80), to - from);
		check_ranges(&rs);
		for (u64 i = 0; i < 300; i++) {
			while (at < rs.count && rs.range[at].end <= i)
				at++;
			assert_int_equal(at < rs.count && rs.range[at].start <= i, map[i]);
		}
	}
}

static void test_map(void **state)
{
	(void)state;
	/* Out of order, overlapping, empty, wrapping, not aligned. */
	map_add(0x100000, 0x3e00000, E820_RAM);
	map_add(0, 0x9fc00, E820_RAM);
	map_add(0x9fc00, 0x400, E820_RESERVED);
	map_add(0x3f00800, 0x100000, E820_RAM);
	map_add(0x3000000, 0x1800, E820_ACPI);
	map_add(0x2000000, 0, E820_RESERVED);
	map_add(0xfffffffffffff000, 0x2000, E820_RAM);
	map_add(0x7000000, 0xfff, E820_RAM);
	boot_info.nr_modules = 2;
	boot_info.module[0] = (struct boot_module){ .start = paddr(0x1000800), .size = 0x900 };
	boot_info.module[1] = (struct boot_module){ .start = paddr(0x1400000), .size = 0 };
	boot_memory_reserve(paddr(0x1200000), 1);
	boot_memory_init();
	check_ranges(&boot_ram);
	check_ranges(&boot_free);
	assert_true(memory_is_ram(paddr(0), 0x9f000));
	assert_false(memory_is_ram(paddr(0), 0x9fc00));
	assert_true(memory_is_ram(paddr(0x100000), 0x100000));
	assert_false(memory_is_ram(paddr(0x2fff000), 0x1001));
	assert_false(memory_is_ram(paddr(0x3001800), 1));
	assert_true(memory_is_ram(paddr(0x3002000), 0xefe000));
	assert_false(memory_is_ram(paddr(0x3f00000), 1));
	assert_true(memory_is_ram(paddr(0x3f01000), 0xff000));
	assert_false(memory_is_ram(paddr(0x7000000), 1));
	assert_int_equal(memory_ram_size(), 0x9f000 + 0x3e00000 - 0x2000 + 0xff000);
	/* Frames in use: image, two of the module, one reserved; nothing below 1 MiB. */
	u64 frames = 0;

	for (u32 i = 0; i < boot_free.count; i++)
		frames += boot_free.range[i].end - boot_free.range[i].start;
	assert_int_equal(frames, (0x3e00000 - 0x2000 + 0xff000) / PAGE_SIZE - 0x100 - 2 - 1);
}

static void alloc_all(void *count)
{
	for (;;) {
		memset(mfn_virt(boot_frames_alloc(1, 1)), 1, PAGE_SIZE);
		++*(u32 *)count;
	}
}

static void test_alloc(void **state)
{
	u32 count = 0;
	mfn_t m;

	(void)state;
	map_add(0x100000, 0x3f00000, E820_RAM);
	boot_memory_init();
	memset(mfn_virt(mfn(0x100)), 0xff, 0x3f00000);
	m = boot_frames_alloc(512, 512);
	assert_int_equal(m.v, 0x3e00);
	for (u32 i = 0; i < 512 * PAGE_SIZE / 8; i++)
		assert_int_equal(((u64 *)mfn_virt(m))[i], 0);
	assert_int_equal(boot_frames_alloc(1, 1).v, 0x3dff);
	assert_int_equal(boot_frames_alloc(2, 2).v, 0x3dfc);
	/* A limit holds until it is lifted. */
	boot_alloc_limit = 0x1000;
	assert_int_equal(boot_frames_alloc(1, 1).v, 0xfff);
	boot_alloc_limit = DIRECT_MAP_FRAMES;
	assert_int_equal(boot_frames_alloc(1, 1).v, 0x3dfe);
	assert_true(sim_catch_bug(alloc_all, &count));
	/* One frame is still reserved from the test before. */
	assert_int_equal(count, 0x3f00 - 0x100 - 512 - 5 - 1);
	memset(mfn_virt(mfn(0x100)), 0, 0x3f00000);
}

static void start_map(void *unused)
{
	(void)unused;
	boot_memory_init();
}

static void test_no_memory(void **state)
{
	(void)state;
	map_add(0, 0x100000, E820_RAM);
	assert_true(sim_catch_bug(start_map, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ranges, start, stop),
		cmocka_unit_test_setup_teardown(test_map, start, stop),
		cmocka_unit_test_setup_teardown(test_alloc, start, stop),
		cmocka_unit_test_setup_teardown(test_no_memory, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
