/* SPDX-License-Identifier: BSD-2-Clause */
/* The stream of a saved domain, as a hostile sender writes it. A good stream is the first input; the fuzzer cuts and changes it. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "argon/migrate.h"
#include "tests/tools/migrate/fake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int suspended(void *context)
{
	(void)context;
	return 0;
}

/* Contents of pages are of no interest: a stream is the changes to a good one's first and last parts. */
static size_t good_bytes;
static uint8_t *good;

static void good_make(struct fake *f)
{
	int fd = memfd_create("stream", 0);
	const struct migrate_save s = { .domid = FAKE_SOURCE, .fd = fd, .suspend = suspended };

	if (migrate_save(f->ctrl, &s, NULL))
		abort();
	good_bytes = (size_t)lseek(fd, 0, SEEK_CUR);
	good = malloc(good_bytes);
	if (pread(fd, good, good_bytes, 0) != (ssize_t)good_bytes)
		abort();
	close(fd);
}

/* Each four bytes: where (two bytes; the upper half counts from the end), and what. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fake *f;
	static int fd = -1;
	struct migrate_restore r = { .domid = FAKE_TARGET };
	struct migrate_restored out;

	if (!f) {
		f = fake_make(true);
		good_make(f);
		fd = memfd_create("input", 0);
	}
	if (size && data[0] & 1) {
		/* The bytes as they are. */
		if (ftruncate(fd, 0) || pwrite(fd, data + 1, size - 1, 0) != (ssize_t)size - 1)
			abort();
	} else {
		if (pwrite(fd, good, good_bytes, 0) != (ssize_t)good_bytes || ftruncate(fd, (off_t)good_bytes))
			abort();
		for (size_t i = 1; i + 4 <= size; i += 4) {
			uint16_t at = (uint16_t)(data[i] | data[i + 1] << 8);
			size_t where = at < 0x8000 ? at : good_bytes - 1 - (size_t)(at - 0x8000u);

			if (where + 2 <= good_bytes && pwrite(fd, data + i + 2, 2, (off_t)where) != 2)
				abort();
		}
	}
	lseek(fd, 0, SEEK_SET);
	r.fd = fd;
	(void)migrate_restore(f->ctrl, &r, &out);
	if (f->mapped)
		abort();
	fake_target_reset(f);
	return 0;
}
