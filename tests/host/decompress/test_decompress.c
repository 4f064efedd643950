/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each format, packed by its own library in several ways, over data of several kinds; cut short and damaged. Source and
 * destination are heap blocks of exactly the right size, so that the sanitizer sees any access outside them.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <hv/bzimage.h>
#include <hv/decompress.h>
#include <hv/elf.h>
#include "pack.h"

#define BIG (1UL << 20)

/* Freed blocks are not kept for long: there are many, and some are big. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "quarantine_size_mb=8";
}

static struct decompress_scratch *scratch;

struct sample {
	u8 *data;
	size_t len;
};

/* --- data --- */

static u32 seed = 1;

static u32 next_random(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

static void fill_random(u8 *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (u8)next_random();
}

static void fill_words(u8 *p, size_t len)
{
	static const char *const words[] = { "frame ", "grant ", "event ", "channel ", "the ", "vcpu ", "of ", "domain\n" };

	for (size_t i = 0; i < len;) {
		const char *w = words[next_random() % 8];
		size_t n = MIN(strlen(w), len - i);

		memcpy(p + i, w, n);
		i += n;
	}
}

/* Runs and copies from far back, with noise between. */
static void fill_mixed(u8 *p, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t run = 1 + next_random() % (next_random() % 16 == 0 ? 70000 : 300), n = MIN(run, len - i);
		size_t back = i == 0 ? 0 : 1 + next_random() % i;

		switch (next_random() % 3) {
		case 0:
			memset(p + i, (int)next_random(), n);
			break;
		case 1:
			fill_random(p + i, n);
			break;
		default:
			for (size_t k = 0; k < n; k++)
				p[i + k] = back == 0 ? 7 : p[i + k - back];
			break;
		}
		i += n;
	}
}

/* Calls and jumps close to each other, which is where the x86 filter is hard. */
static void fill_calls(u8 *p, size_t len)
{
	static const u8 bytes[] = { 0xe8, 0xe9, 0, 0xff, 0xe8, 0, 0xff, 0x12, 0x0f, 0x80 };

	for (size_t i = 0; i < len; i++)
		p[i] = bytes[next_random() % sizeof(bytes)];
}

static void fill_zero(u8 *p, size_t len)
{
	memset(p, 0, len);
}

static struct sample sample_make(void (*fill)(u8 *p, size_t len), size_t len)
{
	struct sample s = { .data = malloc(len == 0 ? 1 : len), .len = len };

	fill(s.data, len);
	return s;
}

/* This very program: real machine code. */
static struct sample sample_self(void)
{
	struct sample s = { .data = malloc(BIG) };
	FILE *f = fopen("/proc/self/exe", "rb");

	assert_non_null(f);
	s.len = fread(s.data, 1, BIG, f);
	fclose(f);
	return s;
}

/* --- checks --- */

static int unpack(const u8 *packed, size_t packed_len, size_t cap, u8 **out, size_t *out_len)
{
	*out = malloc(cap == 0 ? 1 : cap);
	return decompress(packed, packed_len, *out, cap, out_len, scratch);
}

static void check_unpack(const u8 *packed, size_t packed_len, size_t cap, const struct sample *s, int expected)
{
	size_t len = 99;
	u8 *out;
	int ret;

	ret = unpack(packed, packed_len, cap, &out, &len);
	if (ret != expected)
		fail_msg("%s, %zu bytes: %d and not %d", decompress_format_name(decompress_detect(packed, packed_len)),
			 s->len, ret, expected);
	assert_int_equal(len, expected == 0 ? s->len : 0);
	if (expected == 0)
		assert_memory_equal(out, s->data, s->len);
	free(out);
}

static void check_sample(const struct sample *s)
{
	for (size_t i = 0; i < packer_count; i++)
		for (int variant = 0; variant < packers[i].variants; variant++) {
			size_t len;
			u8 *packed = packers[i].pack(s->data, s->len, &len, variant), *longer;

			assert_string_equal(decompress_format_name(decompress_detect(packed, len)), packers[i].name);
			check_unpack(packed, len, s->len, s, 0);
			if (s->len > 0)
				check_unpack(packed, len, s->len - 1, s, -ENOSPC);
			/* Room to spare, and something behind the stream (legacy LZ4 has no end of its own). */
			check_unpack(packed, len, s->len + 1000, s, 0);
			longer = malloc(len + 4);
			memcpy(longer, packed, len);
			memcpy(longer + len, "\1\2\3\4", 4);
			if (strcmp(packers[i].name, "lz4 (legacy)") != 0)
				check_unpack(longer, len + 4, s->len, s, 0);
			free(longer);
			free(packed);
		}
}

static void test_samples(void **state)
{
	static void (*const fills[])(u8 *p, size_t len) = { fill_random, fill_words, fill_mixed, fill_calls, fill_zero };
	static const size_t lens[] = { 0, 1, 2, 3, 4, 5, 8, 13, 100, 257, 1000, 70000 };

	(void)state;
	for (size_t f = 0; f < ARRAY_SIZE(fills); f++)
		for (size_t l = 0; l < ARRAY_SIZE(lens); l++) {
			struct sample s = sample_make(fills[f], lens[l]);

			check_sample(&s);
			free(s.data);
		}
}

static void test_big(void **state)
{
	struct sample s = sample_make(fill_mixed, BIG), self = sample_self();

	(void)state;
	check_sample(&s);
	check_sample(&self);
	free(s.data);
	free(self.data);
}

static void test_truncated(void **state)
{
	struct sample s = sample_make(fill_mixed, 6000);

	(void)state;
	for (size_t i = 0; i < packer_count; i++)
		for (int variant = 0; variant < packers[i].variants; variant++) {
			size_t len, out_len;
			u8 *packed = packers[i].pack(s.data, s.len, &len, variant), *out;

			for (size_t cut = 0; cut < len; cut++) {
				u8 *part = malloc(cut == 0 ? 1 : cut);
				int ret;

				memcpy(part, packed, cut);
				ret = unpack(part, cut, s.len, &out, &out_len);
				/* Without the size word behind a legacy stream, or the marker behind a known size. */
				if (ret == 0) {
					assert_false(packers[i].checked);
					assert_memory_equal(out, s.data, out_len);
				}
				free(out);
				free(part);
			}
			free(packed);
		}
	free(s.data);
}

/* One damaged stream: no harm, and the same opinion as the library where both are sure. */
static void check_damaged(const struct packer *p, const u8 *packed, size_t len, size_t cap, unsigned int *disagreed)
{
	u8 *exact = malloc(len), *ours, *theirs = malloc(cap);
	size_t our_len, their_len;
	int ret, reference;

	memcpy(exact, packed, len);
	ret = unpack(exact, len, cap, &ours, &our_len);
	assert_true(ret == 0 || ret == -EBADMSG || ret == -ENOSPC || ret == -EOPNOTSUPP);
	if (p->unpack != NULL && ret != -EOPNOTSUPP && ret != -ENOSPC) {
		reference = p->unpack(exact, len, theirs, cap, &their_len);
		if (ret == 0 && reference == 0) {
			assert_int_equal(our_len, their_len);
			assert_memory_equal(ours, theirs, our_len);
		} else if ((ret == 0) != (reference == 0)) {
			(*disagreed)++;
		}
	}
	free(exact);
	free(ours);
	free(theirs);
}

/* Flips bits and replaces bytes, mostly in headers, where it matters most. */
static void damage(u8 *packed, size_t len)
{
	for (u32 flips = 1 + next_random() % 3; flips > 0; flips--) {
		size_t range = next_random() % 2 ? MIN(len, (size_t)60) : len;
		size_t at = next_random() % range;

		packed[at] = next_random() % 2 ? (u8)next_random() : (u8)(packed[at] ^ 1 << next_random() % 8);
	}
}

static void test_damaged(void **state)
{
	(void)state;
	for (size_t i = 0; i < packer_count; i++)
		for (int variant = 0; variant < packers[i].variants; variant++) {
			unsigned int disagreed = 0;

			for (int round = 0; round < 12; round++) {
				struct sample s = sample_make(round % 2 ? fill_mixed : fill_words, 1 + next_random() % 3000);
				size_t len;
				u8 *packed = packers[i].pack(s.data, s.len, &len, variant), *copy = malloc(len);

				for (int k = 0; k < 80; k++) {
					memcpy(copy, packed, len);
					damage(copy, len);
					check_damaged(&packers[i], copy, len, s.len + 500, &disagreed);
				}
				free(copy);
				free(packed);
				free(s.data);
			}
			/* What only one of the two objects to is rare (reserved bits, what follows the stream). */
			if (disagreed > 96)
				fail_msg("%s, variant %d: disagreed %u times", packers[i].name, variant, disagreed);
		}
}

/* Streams made of noise behind a good beginning. */
static void test_noise(void **state)
{
	struct sample s = sample_make(fill_words, 200);

	(void)state;
	for (size_t i = 0; i < packer_count; i++)
		for (int variant = 0; variant < packers[i].variants; variant++) {
			size_t len;
			u8 *packed = packers[i].pack(s.data, s.len, &len, variant), *copy = malloc(len);

			for (int round = 0; round < 1000; round++) {
				size_t out_len, keep = next_random() % MIN(len, (size_t)80);
				u8 *out;

				memcpy(copy, packed, len);
				for (size_t k = keep; k < len; k++)
					copy[k] = next_random() % 4 == 0 ? 0xff : (u8)next_random();
				(void)!unpack(copy, len, 4096, &out, &out_len);
				free(out);
			}
			free(copy);
			free(packed);
		}
	free(s.data);
}

static void test_unknown(void **state)
{
	u8 *out;
	size_t len;

	(void)state;
	assert_int_equal(decompress_detect("\177ELF", 4), DECOMPRESS_NONE);
	assert_int_equal(decompress_detect("", 0), DECOMPRESS_NONE);
	assert_int_equal(unpack((const u8 *)"BZh9", 4, 10, &out, &len), -EOPNOTSUPP);
	free(out);
}

/* --- Debian's kernel, if it was fetched --- */

static int discard(void *ctx, u64 address, const void *src, size_t len)
{
	(void)address;
	(void)src;
	*(size_t *)ctx += len;
	return 0;
}

static void check_kernel(const u8 *kernel, size_t len)
{
	struct elf_image elf;
	struct elf_notes notes;
	struct elf_pv_layout layout;
	size_t loaded = 0;
	const struct elf_writer writer = { .write = discard, .ctx = &loaded };
	const char *why = "";

	if (elf_parse(&elf, kernel, len, &why) != 0)
		fail_msg("%s", why);
	assert_true(elf_notes_read(&elf, &notes) > 10);
	assert_string_equal(notes.guest_os, "linux");
	assert_string_equal(notes.loader, "generic");
	if (elf_pv_layout_get(&elf, &notes, &layout, &why) != 0)
		fail_msg("%s", why);
	assert_true(layout.virt_base == 0xffffffff80000000UL);
	assert_true(layout.kernel_start == 0xffffffff81000000UL);
	assert_true(layout.has_init_p2m && layout.init_p2m == 0x8000000000UL);
	assert_true(notes.mod_start_pfn);
	assert_int_equal(elf_load(&elf, &writer), 0);
	assert_true(loaded > 20 << 20);
}

static void test_kernel(void **state)
{
	FILE *f = fopen("build/cache/kernel/vmlinuz", "rb");
	u8 *file, *out, *again;
	size_t len, out_len, cap = 64 << 20;
	struct bzimage image;

	(void)state;
	if (f == NULL)
		skip();
	file = malloc(cap);
	len = fread(file, 1, cap, f);
	fclose(f);
	assert_int_equal(bzimage_parse(&image, file, len, NULL), 0);
	assert_int_equal(decompress_detect(image.payload, image.payload_size), DECOMPRESS_XZ);
	assert_int_equal(unpack(image.payload, image.payload_size, image.unpacked_size, &out, &out_len), 0);
	assert_int_equal(out_len, image.unpacked_size);
	check_kernel(out, out_len);
	/* The same kernel in the other formats. */
	for (size_t i = 0; i < packer_count; i++) {
		size_t packed_len, again_len;
		u8 *packed;

		if (strcmp(packers[i].name, "xz") == 0 || strcmp(packers[i].name, "lzma") == 0)
			continue; /* minutes to pack */
		packed = packers[i].pack(out, out_len, &packed_len, 1);
		assert_int_equal(unpack(packed, packed_len, out_len, &again, &again_len), 0);
		assert_int_equal(again_len, out_len);
		assert_memory_equal(again, out, out_len);
		free(packed);
		free(again);
	}
	free(out);
	free(file);
}

static int setup(void **state)
{
	(void)state;
	scratch = malloc(sizeof(*scratch));
	memset(scratch, 0xa5, sizeof(*scratch));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(scratch);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_samples), cmocka_unit_test(test_big), cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_damaged), cmocka_unit_test(test_noise), cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_kernel),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
