/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unpacked kernels on disk. A file holds what struct kernel says, the pages with contents one after another, and a copy of the
 * packed file: an entry is used when that copy is equal, so that no kernel can pass for another. Files are written under another
 * name and renamed when they are whole. After a crash of the machine even a renamed file may have lost its data; therefore an
 * entry that was written before this boot has its checksum verified once.
 *
 * The directory must belong to us alone. Nothing here is an error for the caller.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "kernel.h"

#define MAGIC	    "argonKC1"
#define CHUNK	    (128u << 10)
#define KEY_BYTES   (32u << 10) /* at both ends of the packed file */
#define KEPT	    4u /* kernels */
#define STALE	    600 /* seconds after which an unfinished file is nobody's */
#define NAME_BYTES  40
#define UNFINISHED  ".new-"

struct header {
	char magic[8];
	char boot[40]; /* boot_id of the kernel under which it was written or verified */
	uint64_t checksum; /* of all that follows this structure */
	uint64_t packed_bytes, packed_offset, content_offset;
	uint32_t content_count, zero_count;
	struct kernel_info info;
};

static uint64_t hash(uint64_t h, const void *data, size_t bytes)
{
	const uint8_t *p = data;
	uint64_t word;

	for (; bytes >= sizeof(word); bytes -= sizeof(word), p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		h = (h ^ word) * 0x9e3779b97f4a7c15u;
		h ^= h >> 29;
	}
	for (; bytes; bytes--)
		h = (h ^ *p++) * 0x9e3779b97f4a7c15u;
	return h;
}

/* @param head, tail  the first and the last bytes of the packed file, KEY_BYTES each */
static void name_make(char *name, uint64_t bytes, const uint8_t *head, const uint8_t *tail)
{
	snprintf(name, NAME_BYTES, "%016llx.kernel", (unsigned long long)hash(hash(bytes, head, KEY_BYTES), tail, KEY_BYTES));
}

static void boot_id(char *out, size_t room)
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	memset(out, 0, room);
	if (fd < 0)
		return;
	if (read(fd, out, room - 1) < 0)
		memset(out, 0, room);
	close(fd);
}

/* The directory, if it is safe. @return descriptor or -1 */
static int directory_open(const char *path, bool make)
{
	struct stat st;
	int fd;

	if (make) {
		char *copy = strdup(path);

		/* Parents too. */
		for (char *p = copy ? strchr(copy + 1, '/') : NULL; p; p = strchr(p + 1, '/')) {
			*p = '\0';
			mkdir(copy, 0755);
			*p = '/';
		}
		free(copy);
		mkdir(path, 0700);
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0 && (fstat(fd, &st) || st.st_uid != geteuid() || st.st_mode & (S_IWGRP | S_IWOTH))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static int key_read(int fd, uint64_t *bytes, char *name)
{
	uint8_t ends[2 * KEY_BYTES];
	struct stat st;
	int rc;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || (uint64_t)st.st_size < 2 * KEY_BYTES || (uint64_t)st.st_size > KERNEL_FILE_MAX)
		return -ENOENT;
	*bytes = (uint64_t)st.st_size;
	rc = pread_exactly(fd, ends, KEY_BYTES, 0);
	if (!rc)
		rc = pread_exactly(fd, ends + KEY_BYTES, KEY_BYTES, *bytes - KEY_BYTES);
	if (!rc)
		name_make(name, *bytes, ends, ends + KEY_BYTES);
	return rc;
}

static bool equal(int a, uint64_t a_offset, int b, uint64_t b_offset, uint64_t bytes, uint8_t *buffers)
{
	for (uint64_t at = 0; at < bytes; at += CHUNK) {
		size_t n = bytes - at < CHUNK ? (size_t)(bytes - at) : CHUNK;

		if (pread_exactly(a, buffers, n, a_offset + at) || pread_exactly(b, buffers + CHUNK, n, b_offset + at) ||
		    memcmp(buffers, buffers + CHUNK, n) != 0)
			return false;
	}
	return true;
}

static bool verified(int fd, struct header *h, uint64_t file_bytes, uint8_t *buffer)
{
	char now[sizeof(h->boot)];
	uint64_t sum = 0;

	boot_id(now, sizeof(now));
	if (now[0] && memcmp(now, h->boot, sizeof(now)) == 0)
		return true;
	for (uint64_t at = sizeof(*h); at < file_bytes; at += CHUNK) {
		size_t n = file_bytes - at < CHUNK ? (size_t)(file_bytes - at) : CHUNK;

		if (pread_exactly(fd, buffer, n, at))
			return false;
		sum = hash(sum, buffer, n);
	}
	if (sum != h->checksum)
		return false;
	memcpy(h->boot, now, sizeof(now));
	/* If this fails, it is verified again the next time. */
	if (pwrite_exactly(fd, h, sizeof(*h), 0))
		h->boot[0] = '\0';
	return true;
}

static bool header_ok(const struct header *h, uint64_t file_bytes, uint64_t packed_bytes)
{
	uint64_t lists = ((uint64_t)h->content_count + h->zero_count) * sizeof(uint32_t), pages = KERNEL_SPAN_MAX / PAGE_SIZE;

	return memcmp(h->magic, MAGIC, sizeof(h->magic)) == 0 && h->packed_bytes == packed_bytes && h->content_count <= pages &&
	       h->zero_count <= pages && h->info.end <= KERNEL_SPAN_MAX && h->info.start < h->info.end &&
	       h->content_offset == (sizeof(*h) + lists + PAGE_SIZE - 1) / PAGE_SIZE * PAGE_SIZE &&
	       h->packed_offset == h->content_offset + h->content_count * PAGE_SIZE &&
	       file_bytes == h->packed_offset + packed_bytes;
}

static bool list_ok(const uint32_t *list, uint32_t count, const struct kernel_info *info)
{
	for (uint32_t i = 0; i < count; i++)
		if (list[i] < info->start >> PAGE_SHIFT || list[i] > (info->end - 1) >> PAGE_SHIFT)
			return false;
	return true;
}

/* The two lists, from a file whose header is fine. */
static int lists_read(int fd, const struct header *h, struct kernel *out)
{
	out->content = malloc((h->content_count + 1u) * sizeof(*out->content));
	out->zero = malloc((h->zero_count + 1u) * sizeof(*out->zero));
	if (!out->content || !out->zero ||
	    pread_exactly(fd, out->content, h->content_count * sizeof(*out->content), sizeof(*h)) ||
	    pread_exactly(fd, out->zero, h->zero_count * sizeof(*out->zero),
			  sizeof(*h) + h->content_count * sizeof(*out->content)) ||
	    !list_ok(out->content, h->content_count, &h->info) || !list_ok(out->zero, h->zero_count, &h->info))
		return -ENOENT;
	out->content_count = h->content_count;
	out->zero_count = h->zero_count;
	out->info = h->info;
	out->offset = h->content_offset;
	return 0;
}

/* @param entry  open cache file. 0: it is the kernel's, and *out has taken it over; -ENOENT; -EINVAL: it is to be removed */
static int entry_use(int entry, int fd, uint64_t packed_bytes, uint8_t *buffers, struct kernel *out)
{
	struct header h;
	struct stat st;

	if (fstat(entry, &st) || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
	    pread_exactly(entry, &h, sizeof(h), 0) || !header_ok(&h, (uint64_t)st.st_size, packed_bytes) ||
	    !verified(entry, &h, (uint64_t)st.st_size, buffers))
		return -EINVAL;
	if (!equal(entry, h.packed_offset, fd, 0, packed_bytes, buffers))
		return -ENOENT;
	if (lists_read(entry, &h, out)) {
		kernel_free(out);
		return -ENOENT;
	}
	futimens(entry, NULL); /* the oldest ones are removed first */
	out->fd = entry;
	return 0;
}

int cache_lookup(const char *directory, int fd, struct kernel *out)
{
	int dir = directory_open(directory, false), entry = -1, rc = -ENOENT;
	uint8_t *buffers = dir < 0 ? NULL : malloc(2 * CHUNK);
	char name[NAME_BYTES];
	uint64_t bytes;

	memset(out, 0, sizeof(*out));
	out->fd = -1;
	if (buffers && key_read(fd, &bytes, name) == 0)
		entry = openat(dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (entry >= 0) {
		rc = entry_use(entry, fd, bytes, buffers, out);
		if (rc == -EINVAL)
			unlinkat(dir, name, 0);
		if (rc)
			close(entry);
	}
	free(buffers);
	if (dir >= 0)
		close(dir);
	return rc ? -ENOENT : 0;
}

/* ---- Storing ---- */
/* Keeps the newest, and removes what was never finished. */
static void prune(int dir)
{
	char oldest[NAME_BYTES] = "";
	time_t oldest_time = 0, now = time(NULL);
	unsigned int count = 0;
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *e;
	struct stat st;

	if (!list) {
		if (copy >= 0)
			close(copy);
		return;
	}
	while ((e = readdir(list)) != NULL) {
		if (strlen(e->d_name) >= NAME_BYTES || fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode))
			continue;
		if (strncmp(e->d_name, UNFINISHED, strlen(UNFINISHED)) == 0) {
			if (now - st.st_mtime > STALE)
				unlinkat(dir, e->d_name, 0);
			continue;
		}
		count++;
		if (!oldest[0] || st.st_mtime < oldest_time) {
			strcpy(oldest, e->d_name);
			oldest_time = st.st_mtime;
		}
	}
	if (count >= KEPT)
		unlinkat(dir, oldest, 0);
	closedir(list);
}

/* Writes and sums up. */
struct sink {
	int fd;
	uint64_t at, sum;
	uint8_t *buffer; /* CHUNK bytes; sums are over chunks from the header's end on */
	size_t used;
};

static int sink_flush(struct sink *s)
{
	int rc = pwrite_exactly(s->fd, s->buffer, s->used, s->at);

	s->sum = hash(s->sum, s->buffer, s->used);
	s->at += s->used;
	s->used = 0;
	return rc;
}

/* @param data NULL: zeroes */
static int sink_add(struct sink *s, const void *data, uint64_t bytes)
{
	const uint8_t *p = data;
	int rc = 0;

	while (bytes && !rc) {
		size_t n = CHUNK - s->used < bytes ? CHUNK - s->used : (size_t)bytes;

		if (p)
			memcpy(s->buffer + s->used, p, n);
		else
			memset(s->buffer + s->used, 0, n);
		p = p ? p + n : NULL;
		s->used += n;
		bytes -= n;
		if (s->used == CHUNK)
			rc = sink_flush(s);
	}
	return rc;
}

static int entry_write(int fd, const uint8_t *file, size_t bytes, const struct kernel *k)
{
	struct header h = { .packed_bytes = bytes, .content_count = k->content_count, .zero_count = k->zero_count, .info = k->info };
	uint64_t lists = ((uint64_t)k->content_count + k->zero_count) * sizeof(uint32_t);
	struct sink s = { .fd = fd, .at = sizeof(h), .buffer = malloc(CHUNK) };
	int rc = s.buffer ? 0 : -ENOMEM;

	memcpy(h.magic, MAGIC, sizeof(h.magic));
	h.content_offset = (sizeof(h) + lists + PAGE_SIZE - 1) / PAGE_SIZE * PAGE_SIZE;
	h.packed_offset = h.content_offset + k->content_count * PAGE_SIZE;
	if (!rc)
		rc = sink_add(&s, k->content, k->content_count * sizeof(*k->content));
	if (!rc)
		rc = sink_add(&s, k->zero, k->zero_count * sizeof(*k->zero));
	if (!rc)
		rc = sink_add(&s, NULL, h.content_offset - sizeof(h) - lists);
	for (uint32_t i = 0; !rc && i < k->content_count; i++)
		rc = sink_add(&s, k->page[i], PAGE_SIZE);
	if (!rc)
		rc = sink_add(&s, file, bytes);
	if (!rc)
		rc = sink_flush(&s);
	free(s.buffer);
	if (rc)
		return rc;
	boot_id(h.boot, sizeof(h.boot));
	h.checksum = s.sum;
	return pwrite_exactly(fd, &h, sizeof(h), 0);
}

/* A cache must not be what fills a disk (or dom0's memory, when it lies in a file system there). */
static bool space_enough(int dir, uint64_t bytes)
{
	struct statvfs fs;

	return fstatvfs(dir, &fs) == 0 && fs.f_bavail * fs.f_frsize / 4 > bytes;
}

void cache_store(const char *directory, const uint8_t *file, size_t bytes, const struct kernel *kernel)
{
	char name[NAME_BYTES], unfinished[NAME_BYTES];
	int dir, fd;

	if (bytes < 2 * KEY_BYTES)
		return;
	dir = directory_open(directory, true);
	if (dir < 0)
		return;
	if (space_enough(dir, bytes + kernel->content_count * PAGE_SIZE)) {
		prune(dir);
		name_make(name, bytes, file, file + bytes - KEY_BYTES);
		snprintf(unfinished, sizeof(unfinished), UNFINISHED "%d", (int)getpid());
		fd = openat(dir, unfinished, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd >= 0) {
			if (entry_write(fd, file, bytes, kernel) || renameat(dir, unfinished, dir, name))
				unlinkat(dir, unfinished, 0);
			close(fd);
		}
	}
	close(dir);
}
