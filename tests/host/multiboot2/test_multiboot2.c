/* SPDX-License-Identifier: BSD-2-Clause */
/* The boot loader's information: what a sound block gives, and that no damage makes the parser read beyond the block. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "../../../hypervisor/arch/x86/boot/multiboot2.h"

static uint8_t block[65536];
static uint32_t length;
static struct boot_info info;
static struct boot_strings strings;
static struct multiboot2_report report;

static void put32(uint32_t at, uint32_t v)
{
	memcpy(block + at, &v, 4);
}

static void put64(uint32_t at, uint64_t v)
{
	memcpy(block + at, &v, 8);
}

static void start(void)
{
	memset(block, 0, sizeof(block));
	length = 8;
}

/* Begins a tag with so many bytes of contents; returns where they are. */
static uint32_t tag(uint32_t type, uint32_t size)
{
	uint32_t at = length;

	put32(at, type);
	put32(at + 4, size + 8);
	length += (size + 8 + 7) & ~7u;
	return at + 8;
}

static void finish(void)
{
	tag(0, 0);
	put32(0, length);
}

/* In a buffer of exactly that size, so that the sanitizer sees a read beyond it. */
static void parse_copy(const uint8_t *data, uint32_t size)
{
	uint8_t *copy = malloc(size);

	memcpy(copy, data, size);
	memset(&info, 0xaa, sizeof(info));
	multiboot2_parse(copy, size, &info, &strings, &report);
	free(copy);
}

static void parse(void)
{
	finish();
	assert_int_equal(multiboot2_size(block), length);
	parse_copy(block, length);
}

static void text(uint32_t type, const char *s)
{
	uint32_t at = tag(type, (uint32_t)strlen(s) + 1);

	strcpy((char *)block + at, s);
}

static void module(uint32_t from, uint32_t to, const char *s)
{
	uint32_t at = tag(3, 8 + (uint32_t)strlen(s) + 1);

	put32(at, from);
	put32(at + 4, to);
	strcpy((char *)block + at + 8, s);
}

static uint32_t mmap_tag(uint32_t entries, uint32_t step)
{
	uint32_t at = tag(6, 8 + entries * step);

	put32(at, step);
	return at + 8;
}

static void entry(uint32_t at, uint64_t addr, uint64_t size, uint32_t type)
{
	put64(at, addr);
	put64(at + 8, size);
	put32(at + 16, type);
}

static void test_sound(void **state)
{
	uint32_t at;

	(void)state;
	start();
	text(1, "placeholder com1=115200 loglvl=all");
	text(2, "GRUB 2.06");
	module(0x1000000, 0x1234567, "placeholder root=/dev/sda ro");
	module(0x2000000, 0x3000000, "");
	at = mmap_tag(3, 24);
	entry(at, 0, 0x9fc00, 1);
	entry(at + 24, 0x100000, 0x3fee0000, 1);
	entry(at + 48, 0xfffffffffffff000, 0x2000, 2);
	at = tag(8, 30);
	put64(at, 0xfd000000);
	put32(at + 8, 4096);
	put32(at + 12, 1024);
	put32(at + 16, 768);
	memcpy(block + at + 20, (uint8_t[]){ 32, 1, 0, 0, 16, 8, 8, 8, 0, 8 }, 10);
	at = tag(12, 8);
	put64(at, 0x7f9ec018);
	at = tag(14, 20);
	memcpy(block + at, "RSD PTR old", 11);
	at = tag(15, 36);
	memcpy(block + at, "RSD PTR new", 11);
	tag(77, 100);
	parse();

	assert_false(report.damaged);
	assert_string_equal(info.cmdline, "com1=115200 loglvl=all");
	assert_string_equal(info.loader, "GRUB 2.06");
	assert_int_equal(info.nr_modules, 2);
	assert_int_equal(info.module[0].start.v, 0x1000000);
	assert_int_equal(info.module[0].size, 0x234567);
	assert_string_equal(info.module[0].cmdline, "root=/dev/sda ro");
	assert_string_equal(info.module[1].cmdline, "");
	assert_int_equal(info.nr_e820, 3);
	assert_int_equal(info.e820[1].addr, 0x100000);
	assert_int_equal(info.e820[2].size, 0x1000);
	assert_true(info.video.valid && !info.video.text);
	assert_int_equal(info.video.red_pos, 16);
	assert_int_equal(info.video.pitch, 4096);
	assert_int_equal(info.efi_systab.v, 0x7f9ec018);
	assert_int_equal(info.rsdp_len, 36);
	assert_memory_equal(info.rsdp_copy, "RSD PTR new", 11);
}

static void test_order_and_limits(void **state)
{
	char longline[5000];
	uint32_t at;

	(void)state;
	start();
	memset(longline, 'x', sizeof(longline) - 1);
	longline[sizeof(longline) - 1] = '\0';
	text(1, longline);
	/* The newer RSDP stays, whichever comes first; basic memory information counts only without a map. */
	at = tag(15, 36);
	memcpy(block + at, "new", 3);
	at = tag(14, 20);
	memcpy(block + at, "old", 3);
	at = tag(4, 8);
	put32(at, 640);
	put32(at + 4, 1048576);
	for (int i = 0; i < BOOT_MODULES + 2; i++)
		module(0x100000, 0x100000, "m");
	parse();
	assert_int_equal(strlen(info.cmdline), BOOT_CMDLINE_SIZE - 1);
	assert_memory_equal(info.rsdp_copy, "new", 3);
	assert_int_equal(info.nr_e820, 2);
	assert_int_equal(info.e820[1].size, 1048576UL << 10);
	assert_int_equal(info.nr_modules, BOOT_MODULES);
	assert_int_equal(report.modules_ignored, 2);

	start();
	at = mmap_tag(BOOT_E820_MAX + 5, 24);
	for (uint32_t i = 0; i < BOOT_E820_MAX + 5; i++)
		entry(at + 24 * i, (uint64_t)i << 20, 0x1000, 1);
	parse();
	assert_int_equal(info.nr_e820, BOOT_E820_MAX);
	assert_int_equal(report.e820_ignored, 5);
}

static void test_damaged(void **state)
{
	(void)state;
	/* A tag that says that it is larger than the rest. */
	start();
	text(1, "noreboot");
	put32(tag(3, 16) - 4, 0x7fffffff);
	finish();
	parse_copy(block, length);
	assert_true(report.damaged);
	assert_string_equal(info.cmdline, "noreboot");
	/* Smaller than a tag's header: would never end. */
	start();
	put32(tag(3, 16) - 4, 4);
	finish();
	parse_copy(block, length);
	assert_true(report.damaged);
	/* A module that ends before it begins, and a memory map with entries of no size. */
	start();
	module(2, 1, "x");
	mmap_tag(1, 24);
	put32(length - 32, 0);
	parse();
	assert_true(report.damaged);
	assert_int_equal(info.nr_modules, 0);
	/* No end. */
	start();
	put32(0, 8);
	parse_copy(block, 8);
	assert_true(report.damaged);
	put32(0, 0xffffffff);
	assert_int_equal(multiboot2_size(block), MULTIBOOT2_SIZE_MAX);
	put32(0, 0);
	assert_int_equal(multiboot2_size(block), 8);
}

/* Random damage to a sound block: the sanitizers look on. */
static void test_mutated(void **state)
{
	uint32_t at;

	(void)state;
	start();
	text(1, "com1=115200 loglvl=all");
	module(0x1000000, 0x1234567, "root=/dev/sda ro");
	at = mmap_tag(3, 24);
	entry(at, 0, 0x9fc00, 1);
	tag(8, 30);
	tag(12, 8);
	tag(14, 20);
	tag(15, 36);
	finish();
	srand(1);
	for (int round = 0; round < 20000; round++) {
		static uint8_t damaged[4096];
		uint32_t size = round % 3 ? length : 8 + (uint32_t)rand() % (length - 8);

		memcpy(damaged, block, length);
		for (int i = rand() % 4; i >= 0; i--)
			damaged[8 + (uint32_t)rand() % (length - 8)] = (uint8_t)(rand() % 3 ? rand() % 40 : rand());
		parse_copy(damaged, size);
		assert_true(info.nr_modules <= BOOT_MODULES && info.nr_e820 <= BOOT_E820_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sound), cmocka_unit_test(test_order_and_limits), cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_mutated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
