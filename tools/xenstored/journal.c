/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal.h"

#define MAGIC	   0x316c616e72756f6au
#define HEAD_BYTES 4096u
#define STEP	   (256u << 10)
#define MAP_BYTES  (1ull << 32) /* of address space; the file is as long as it needs to be */

_Static_assert(sizeof(struct journal_head) <= HEAD_BYTES, "the head has a page");

/* Read once: later reads would disturb the counters of slots.h. */
static void boot_read(char boot[40])
{
	static char known[40];
	int fd = known[0] ? -1 : open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		if (read(fd, known, 39) < 0)
			known[0] = '\0';
		close(fd);
	}
	memcpy(boot, known, 40);
}

static int map_file(struct journal *journal)
{
	journal->map = mmap(NULL, MAP_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, journal->fd, 0);
	if (journal->map == MAP_FAILED)
		return -errno;
	journal->head = (struct journal_head *)journal->map;
	return 0;
}

static void undo(struct journal *journal)
{
	if (journal->map && journal->map != MAP_FAILED)
		munmap(journal->map, MAP_BYTES);
	close(journal->fd);
	free(journal->path);
	memset(journal, 0, sizeof(*journal));
	journal->fd = -1;
}

int journal_open(struct journal *journal, const char *path)
{
	struct stat status;
	char boot[40];
	int error;

	memset(journal, 0, sizeof(*journal));
	journal->fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (journal->fd < 0)
		return -errno;
	journal->path = xstrndup(path, strlen(path));
	error = fstat(journal->fd, &status) ? -errno : (uint64_t)status.st_size < HEAD_BYTES ? -ENOENT : map_file(journal);
	if (error)
		goto fail;
	journal->allocated = MIN((uint64_t)status.st_size & ~7ull, MAP_BYTES);
	boot_read(boot);
	error = -ENOENT;
	if (journal->head->magic != MAGIC || memcmp(journal->head->boot, boot, sizeof(boot)) ||
	    journal->head->snapshot_end < HEAD_BYTES || journal->head->snapshot_end > journal->allocated)
		goto fail;
	journal->snapshot_bytes = journal->head->snapshot_end;
	return 0;
fail:
	undo(journal);
	return error;
}

int journal_create(struct journal *journal, const char *path, uint64_t identity)
{
	char new_path[4096];
	int error;

	memset(journal, 0, sizeof(*journal));
	snprintf(new_path, sizeof(new_path), "%s.new", path);
	journal->fd = open(new_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (journal->fd < 0)
		return -errno;
	journal->path = xstrndup(path, strlen(path));
	error = file_reserve(journal->fd, 0, STEP);
	if (!error)
		error = map_file(journal);
	if (error) {
		unlink(new_path);
		undo(journal);
		return error;
	}
	journal->allocated = STEP;
	boot_read(journal->head->boot);
	journal->head->identity = identity;
	journal->head->tail = HEAD_BYTES;
	journal->head->magic = MAGIC;
	return 0;
}

int journal_adopt(struct journal *journal)
{
	char new_path[4096];

	snprintf(new_path, sizeof(new_path), "%s.new", journal->path);
	journal->snapshot_bytes = journal->head->tail;
	journal->head->snapshot_end = journal->head->tail;
	return rename(new_path, journal->path) ? -errno : 0;
}

void journal_close(struct journal *journal)
{
	if (journal->map)
		undo(journal);
}

int journal_reserve(struct journal *journal, size_t bytes)
{
	uint64_t need = journal->head->tail + bytes + 4096;

	if (need <= journal->allocated)
		return 0;
	need = (need + STEP - 1) & ~(uint64_t)(STEP - 1);
	if (need > MAP_BYTES || file_reserve(journal->fd, 0, need))
		return -ENOSPC;
	journal->allocated = need;
	return 0;
}

void journal_append(struct journal *journal, uint32_t kind, const struct iovec *parts, unsigned int count)
{
	uint64_t tail = journal->head->tail;
	struct journal_record *record = (struct journal_record *)(journal->map + tail);
	uint32_t used = 0;

	for (unsigned int i = 0; i < count; i++) {
		if (parts[i].iov_len)
			memcpy(record->payload + used, parts[i].iov_base, parts[i].iov_len);
		used += (uint32_t)parts[i].iov_len;
	}
	record->kind = kind;
	record->payload_bytes = used;
	record->bytes = ((uint32_t)sizeof(*record) + used + 7) & ~7u;
	record->sum = checksum(&record->kind, 8 + used);
	atomic_store_explicit(&journal->head->tail, tail + record->bytes, memory_order_release);
}

const struct journal_record *journal_next(const struct journal *journal, uint64_t *position)
{
	uint64_t end = MIN(journal->head->tail, journal->allocated);
	const struct journal_record *record;

	if (*position < HEAD_BYTES)
		*position = HEAD_BYTES;
	if (*position + sizeof(*record) > end)
		return NULL;
	record = (const struct journal_record *)(journal->map + *position);
	if (record->bytes % 8 || record->bytes < sizeof(*record) || record->bytes > end - *position ||
	    record->payload_bytes > record->bytes - sizeof(*record) || checksum(&record->kind, 8 + record->payload_bytes) != record->sum)
		return NULL;
	*position += record->bytes;
	return record;
}
