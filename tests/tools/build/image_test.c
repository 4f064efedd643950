/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel files: what they are wrapped in, damaged ones, the cache, memory that runs out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "argon/build.h"
#include "argon/reason.h"
#include "test_build.h"

/* The file through a command of the shell, as the user's tools pack kernels. */
static size_t packed(const char *command, const uint8_t *data, size_t bytes, uint8_t **out)
{
	char in[64], line[256], result[80];
	size_t room = bytes * 2 + (1u << 20), n;
	FILE *f;

	files_make("plain", data, bytes, in);
	snprintf(result, sizeof(result), "%s.packed", in);
	snprintf(line, sizeof(line), "%s < %s > %s", command, in, result);
	assert_int_equal(system(line), 0);
	*out = malloc(room);
	f = fopen(result, "r");
	assert_non_null(f);
	n = fread(*out, 1, room, f);
	fclose(f);
	unlink(in);
	unlink(result);
	return n;
}

/* Linux puts the unpacked size behind the payload. */
static size_t bzimage(const uint8_t *payload, size_t bytes, uint32_t unpacked, uint8_t **out)
{
	const size_t setup = 3 * 512, offset = 0x333;
	uint8_t *p = calloc(1, setup + offset + bytes + 4 + 100);
	uint32_t length = (uint32_t)bytes + 4, at = offset;

	p[0x1f1] = 2;
	p[0x1fe] = 0x55;
	p[0x1ff] = 0xaa;
	memcpy(p + 0x202, "HdrS", 4);
	p[0x206] = 0x0f;
	p[0x207] = 0x02;
	memcpy(p + 0x248, &at, 4);
	memcpy(p + 0x24c, &length, 4);
	memcpy(p + setup + offset, payload, bytes);
	memcpy(p + setup + offset + bytes, &unpacked, 4);
	*out = p;
	return setup + offset + bytes + 4 + 100;
}

static int open_memory(const uint8_t *data, size_t bytes)
{
	struct build_image *image = NULL;
	/* Exactly as long as it is, so that the sanitizer sees a byte too many. */
	uint8_t *copy = malloc(bytes ? bytes : 1);
	int rc;

	memcpy(copy, data, bytes);
	rc = build_image_memory(copy, bytes, "test", NULL, &image);
	free(copy);
	if (rc == 0)
		build_image_close(image);
	else
		assert_string_not_equal(reason_get(), "");
	return rc;
}

static const char *const packers[] = { "gzip -c", "bzip2 -c", "xz --check=crc32 -c", "xz --x86 --lzma2=dict=32MiB --check=crc32 -c", "xz --format=lzma -c",
				       "zstd -q -c", "zstd -q -22 --ultra -c", "lz4 -l -q -c" };
#define PACKERS (sizeof(packers) / sizeof(packers[0]))

static void test_packed(void **state)
{
	struct elf_spec spec = { .text_bytes = 300000 };
	uint8_t *elf, *plain, *bz;
	size_t bytes = elf_make(&spec, &elf), n, m;

	(void)state;
	assert_int_equal(open_memory(elf, bytes), 0);
	for (size_t i = 0; i < PACKERS; i++) {
		n = packed(packers[i], elf, bytes, &plain);
		if (open_memory(plain, n))
			fail_msg("%s: %s", packers[i], reason_get());
		m = bzimage(plain, n, (uint32_t)bytes, &bz);
		if (open_memory(bz, m))
			fail_msg("%s in a bzImage: %s", packers[i], reason_get());
		free(bz);
		/* A wrong hint does no harm. */
		m = bzimage(plain, n, 0xfffffff0, &bz);
		if (strncmp(packers[i], "lz4", 3) != 0 && strncmp(packers[i], "zstd", 4) != 0)
			assert_int_equal(open_memory(bz, m), 0);
		free(bz);
		free(plain);
	}
	/* A payload that is not packed at all; a packed bzImage. */
	m = bzimage(elf, bytes, 0, &bz);
	assert_int_equal(open_memory(bz, m), 0);
	n = packed("gzip -c", bz, m, &plain);
	assert_int_equal(open_memory(plain, n), 0);
	free(plain);
	free(bz);
	free(elf);
}

/* Every length and many flipped bytes of each format: an error or a kernel, and nothing that the sanitizers see. */
static void test_damaged(void **state)
{
	struct elf_spec spec = { .text_bytes = 6000 };
	uint8_t *elf, *plain, *bz;
	size_t bytes = elf_make(&spec, &elf), n, m;

	(void)state;
	for (size_t i = 0; i < bytes; i += i < 0x800 ? 1 : 501)
		open_memory(elf, i);
	for (size_t i = 0; i < PACKERS; i++) {
		n = packed(packers[i], elf, bytes, &plain);
		m = bzimage(plain, n, (uint32_t)bytes, &bz);
		for (size_t k = 0; k < m; k += k < 0x1f0 || (k > 0x260 && k < 0x930) ? 89 : k < 0x260 ? 1 : 7) {
			open_memory(bz, k);
			bz[k] ^= 0x41;
			open_memory(bz, m);
			bz[k] ^= 0x41;
		}
		assert_int_equal(open_memory(bz, m), 0);
		assert_true(open_memory(plain, n / 2) < 0);
		free(bz);
		free(plain);
	}
	free(elf);
}

/* More than any kernel, in a few bytes. */
static void test_bomb(void **state)
{
	uint8_t *plain;
	size_t n = packed("(head -c 300M /dev/zero | zstd -q -1)", (const uint8_t *)"", 0, &plain);

	(void)state;
	assert_int_equal(open_memory(plain, n), -EFBIG);
	assert_non_null(strstr(reason_get(), "more than 256 MiB"));
	free(plain);
}

static void named(const void *data, size_t bytes, const char *text)
{
	assert_true(open_memory(data, bytes) < 0);
	if (!strstr(reason_get(), text))
		fail_msg("\"%s\", not: %s", reason_get(), text);
}

static void test_named(void **state)
{
	struct elf_spec spec = { 0 };
	uint8_t *elf, other[128] = "MZ";
	size_t bytes = elf_make(&spec, &elf);

	(void)state;
	named(other, sizeof(other), "EFI program");
	memcpy(other + 56, "ARM\x64", 4);
	named(other, sizeof(other), "arm64 image");
	named("07070100000000", 14, "interchanged");
	named("#!/bin/sh\n", 10, "neither an ELF file nor");
	named("", 0, "is empty");
	named("\x89LZO\0\r\n\x1a\n        ", 16, "LZO");
	elf[18] = 183;
	named(elf, bytes, "arm64 machines");
	elf[18] = 3;
	elf[4] = 1;
	named(elf, bytes, "32-bit x86 machines");
	free(elf);
}

static void test_files(void **state)
{
	struct build_source source = { .kernel = "/nonexistent/kernel" };
	struct build_image *image;
	char path[64];

	(void)state;
	assert_int_equal(build_image_open(&source, &image), -ENOENT);
	assert_string_equal(reason_get(), "kernel /nonexistent/kernel does not exist");
	source.kernel = "/tmp";
	assert_int_equal(build_image_open(&source, &image), -EISDIR);
	source.ramdisk = "/nonexistent/ramdisk";
	assert_int_equal(build_image_open(&source, &image), -ENOENT);
	assert_string_equal(reason_get(), "ramdisk /nonexistent/ramdisk does not exist");
	source.ramdisk = "/tmp";
	assert_int_equal(build_image_open(&source, &image), -EINVAL);
	files_make("empty", "", 0, path);
	source = (struct build_source){ .kernel = path };
	assert_int_equal(build_image_open(&source, &image), -ENOEXEC);
	unlink(path);
	/* Endless. */
	source.kernel = "/dev/zero";
	assert_int_equal(build_image_open(&source, &image), -EFBIG);
}

/* ---- The cache ---- */
struct cached {
	char directory[64], kernel[64], entry[512];
};

static void entry_find(struct cached *c)
{
	char line[256];
	FILE *f;

	snprintf(line, sizeof(line), "ls %s/*.kernel 2>/dev/null", c->directory);
	f = popen(line, "r");
	c->entry[0] = '\0';
	if (fgets(c->entry, sizeof(c->entry), f))
		c->entry[strcspn(c->entry, "\n")] = '\0';
	pclose(f);
}

static void cached_make(struct cached *c, uint32_t text_bytes)
{
	struct elf_spec spec = { .text_bytes = text_bytes, .bss_bytes = 500000 };
	uint8_t *elf, *plain, *bz;
	size_t bytes = elf_make(&spec, &elf), n, m;

	/* Not too well packed, so that it is worth it. */
	srand(text_bytes);
	for (size_t i = bytes - 100 - 200000; i < bytes - 200; i++)
		elf[i] = (uint8_t)rand();
	n = packed("gzip -c", elf, bytes, &plain);
	m = bzimage(plain, n, (uint32_t)bytes, &bz);
	files_make("kernel", bz, m, c->kernel);
	sprintf(c->directory, "/tmp/build_test.%d.cache/a/b", (int)getpid());
	free(elf);
	free(plain);
	free(bz);
}

static void cached_free(struct cached *c)
{
	char line[256];

	snprintf(line, sizeof(line), "rm -rf /tmp/build_test.%d.cache", (int)getpid());
	assert_int_equal(system(line), 0);
	unlink(c->kernel);
}

/* @return was it found there? All domains that are made of it have the same contents. */
static bool use(const struct cached *c, uint64_t *sum)
{
	struct build_source source = { .kernel = c->kernel, .cache = c->directory };
	struct ctrl_domain_create create = { .max_vcpus = 1, .max_grant_frames = -1, .max_maptrack_frames = -1 };
	struct build_config config = { .memory_kib = 8 << 10 };
	struct build_image_info info;
	struct world w;

	world_make(&w, 4096);
	assert_int_equal(build_image_open(&source, &w.image), 0);
	build_image_info(w.image, &info);
	assert_int_equal(ctrl_domain_create(w.ctrl, &create, 0, &w.domid), 0);
	assert_int_equal(build_pv(w.ctrl, w.domid, w.image, &config, &w.built), 0);
	*sum = 0;
	for (uint64_t i = 0; i < 4096; i++)
		for (uint64_t k = 0; k < 4096 && w.sim->owner[i] == w.domid; k += 8)
			*sum = *sum * 31 + *(const uint64_t *)(sim_page(w.sim, SIM_FIRST_MFN + i) + k);
	world_free(&w);
	return info.from_cache;
}

static void flip(const char *path, long offset)
{
	uint8_t byte;
	int fd = open(path, O_RDWR);

	assert_true(fd >= 0);
	if (offset < 0)
		offset += lseek(fd, 0, SEEK_END);
	assert_int_equal(pread(fd, &byte, 1, offset), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, offset), 1);
	close(fd);
}

static void test_cache(void **state)
{
	struct cached c;
	uint64_t first, again;

	(void)state;
	cached_make(&c, 400000);
	assert_false(use(&c, &first));
	entry_find(&c);
	assert_string_not_equal(c.entry, "");
	assert_true(use(&c, &again));
	assert_int_equal(first, again);
	/* The packed copy in the entry differs, though not at its ends: not this kernel. */
	flip(c.entry, -60000);
	assert_false(use(&c, &again));
	assert_int_equal(first, again);
	assert_true(use(&c, &again));
	/* Cut short: removed and made anew. */
	assert_int_equal(truncate(c.entry, 100000), 0);
	assert_false(use(&c, &again));
	assert_true(use(&c, &again));
	assert_int_equal(first, again);
	cached_free(&c);
}

/* Of another boot: the checksum decides. */
static void test_cache_after_crash(void **state)
{
	struct cached c;
	uint64_t first, again;

	(void)state;
	cached_make(&c, 400000);
	assert_false(use(&c, &first));
	entry_find(&c);
	flip(c.entry, 10); /* boot_id */
	assert_true(use(&c, &again));
	flip(c.entry, 10);
	flip(c.entry, 200000); /* contents */
	assert_false(use(&c, &again));
	assert_int_equal(first, again);
	assert_true(use(&c, &again));
	cached_free(&c);
}

static void test_cache_unsafe(void **state)
{
	struct cached c;
	uint64_t first;

	(void)state;
	cached_make(&c, 400000);
	assert_false(use(&c, &first));
	/* Others may write there: not used. */
	assert_int_equal(chmod(c.directory, 0777), 0);
	assert_false(use(&c, &first));
	assert_int_equal(chmod(c.directory, 0700), 0);
	assert_true(use(&c, &first));
	cached_free(&c);
}

/* At most four, the oldest goes first; what was never finished goes after a while. */
static void test_cache_prunes(void **state)
{
	char line[256];
	struct cached c;
	uint64_t sum;
	FILE *f;
	int left = 0;

	(void)state;
	for (uint32_t i = 0; i < 6; i++) {
		cached_make(&c, 400000 + i * 4096);
		assert_false(use(&c, &sum));
		if (i == 0) {
			snprintf(line, sizeof(line), "touch -d '1 hour ago' %s/.new-1; touch %s/.new-2", c.directory, c.directory);
			assert_int_equal(system(line), 0);
		}
	}
	assert_true(use(&c, &sum));
	snprintf(line, sizeof(line), "ls -A %s | wc -l", c.directory);
	f = popen(line, "r");
	assert_int_equal(fscanf(f, "%d", &left), 1);
	pclose(f);
	assert_int_equal(left, 5);
	cached_free(&c);
}

int image_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packed), cmocka_unit_test(test_damaged), cmocka_unit_test(test_bomb),
		cmocka_unit_test(test_named), cmocka_unit_test(test_files), cmocka_unit_test(test_cache),
		cmocka_unit_test(test_cache_after_crash), cmocka_unit_test(test_cache_unsafe), cmocka_unit_test(test_cache_prunes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
