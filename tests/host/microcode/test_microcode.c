/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of microcode, made up: the right update is found, and damaged files are refused without reading beyond them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <hv/errno.h>
#include <hv/microcode.h>
#include <hv/string.h>

static u8 file[8192];
static u32 at;

static void put(u32 word)
{
	for (int i = 0; i < 4; i++)
		file[at++] = (u8)(word >> 8 * i);
}

static void put_at(u32 where, u32 word)
{
	u32 keep = at;

	at = where;
	put(word);
	at = keep;
}

/* An Intel update with data_size bytes of data and an extended signature (0: none). */
static void intel_put(u32 revision, u32 signature, u32 platform, u32 ext_signature, u32 data_size)
{
	u32 start = at, sum = 0, total = 48 + data_size + (ext_signature ? 20 + 12 : 0);

	put(1);
	put(revision);
	put(0x01022024);
	put(signature);
	put(0);
	put(1);
	put(platform);
	put(data_size);
	put(total);
	put(0);
	put(0);
	put(0);
	for (u32 i = 0; i < data_size; i += 4)
		put(0x11111111 * (i & 7) + revision);
	for (u32 i = start; i < at; i += 4)
		sum += get_le32(file + i);
	put_at(start + 16, 0 - sum);
	if (ext_signature) {
		put(1);
		for (int i = 0; i < 4; i++)
			put(0);
		put(ext_signature);
		put(platform);
		put(0);
	}
}

static int find_intel(u32 size, const struct microcode_cpu *cpu, struct microcode_patch *out)
{
	/* A copy of its own, so that the sanitizer sees every byte too many. */
	u8 *copy = malloc(size ? size : 1);
	int rc;

	memcpy(copy, file, size);
	rc = microcode_find_intel(copy, size, cpu, out);
	free(copy);
	return rc;
}

static void test_intel(void **state)
{
	struct microcode_cpu cpu = { 0x906ea, 1u << 1, 0x10 };
	struct microcode_patch out;

	(void)state;
	at = 0;
	intel_put(0x20, 0x906eb, 2, 0, 64);
	intel_put(0x18, 0x906ea, 2, 0, 96);
	intel_put(0x30, 0x906ea, 4, 0, 64);
	intel_put(0x19, 0x1, 2, 0x906ea, 64);
	intel_put(0x11, 0x906ea, 2, 0, 64);
	assert_int_equal(find_intel(at, &cpu, &out), 0);
	assert_int_equal(out.revision, 0x19);
	assert_int_equal(out.offset, 48 + 64 + 48 + 96 + 48 + 64);
	assert_int_equal(out.size, 48 + 64 + 32);
	cpu.revision = 0x19;
	assert_int_equal(find_intel(at, &cpu, &out), -ENOENT);
	cpu.signature = 0x12345;
	assert_int_equal(find_intel(at, &cpu, &out), -ENOENT);
	/* The checksum counts for what would be loaded. */
	cpu = (struct microcode_cpu){ 0x906ea, 2, 0x10 };
	file[48 + 64 + 48 + 96 + 48 + 64 + 60]++;
	assert_int_equal(find_intel(at, &cpu, &out), -EINVAL);
}

/* Every truncation and single damage either finds something inside of the file, or is refused. */
static void test_intel_damage(void **state)
{
	const struct microcode_cpu cpu = { 0x906ea, 2, 0x10 };
	struct microcode_patch out;

	(void)state;
	at = 0;
	intel_put(0x18, 0x906ea, 2, 0x55555, 96);
	intel_put(0x19, 0x1, 2, 0x906ea, 64);
	for (u32 size = 0; size <= at; size++)
		if (find_intel(size, &cpu, &out) == 0)
			assert_true(out.offset + out.size <= size);
	for (u32 i = 0; i < at; i++) {
		u8 keep = file[i];

		for (u32 bit = 0; bit < 8; bit++) {
			file[i] = keep ^ (u8)(1 << bit);
			if (find_intel(at, &cpu, &out) == 0)
				assert_true(out.offset + out.size <= at);
		}
		file[i] = keep;
	}
}

static void amd_table_put(u32 signature, u16 id)
{
	put(0x00414d44);
	put(0);
	put(32);
	put(signature);
	put(0);
	put(0);
	put(id);
	for (int i = 0; i < 4; i++)
		put(0);
}

static void amd_patch_put(u32 revision, u16 id, u32 size)
{
	u32 start;

	put(1);
	put(size);
	start = at;
	put(0x20240102);
	put(revision);
	for (int i = 0; i < 4; i++)
		put(0);
	put(id);
	while (at < start + size)
		put(0);
}

static int find_amd(u32 size, const struct microcode_cpu *cpu, struct microcode_patch *out)
{
	u8 *copy = malloc(size ? size : 1);
	int rc;

	memcpy(copy, file, size);
	rc = microcode_find_amd(copy, size, cpu, out);
	free(copy);
	return rc;
}

static void test_amd(void **state)
{
	struct microcode_cpu cpu = { 0x800f12, 0, 0x8001200 };
	struct microcode_patch out;

	(void)state;
	at = 0;
	amd_table_put(0x600f12, 0x6012);
	amd_patch_put(0x9009009, 0x8012, 128);
	amd_table_put(0x800f12, 0x8012);
	amd_patch_put(0x8001250, 0x8012, 128);
	amd_patch_put(0x8001240, 0x8012, 128);
	amd_patch_put(0x8001290, 0x8082, 128);
	assert_int_equal(find_amd(at, &cpu, &out), 0);
	assert_int_equal(out.revision, 0x8001250);
	assert_int_equal(out.size, 128);
	assert_int_equal(get_le32(file + out.offset + 4), 0x8001250);
	cpu.revision = 0x8001250;
	assert_int_equal(find_amd(at, &cpu, &out), -ENOENT);
	cpu.revision = 0;
	for (u32 size = 0; size <= at; size++)
		if (find_amd(size, &cpu, &out) == 0)
			assert_true(out.offset + out.size <= size);
	for (u32 i = 0; i < at; i++) {
		u8 keep = file[i];

		for (u32 bit = 0; bit < 8; bit++) {
			file[i] = keep ^ (u8)(1 << bit);
			if (find_amd(at, &cpu, &out) == 0)
				assert_true(out.offset + out.size <= at);
		}
		file[i] = keep;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_intel), cmocka_unit_test(test_intel_damage), cmocka_unit_test(test_amd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
