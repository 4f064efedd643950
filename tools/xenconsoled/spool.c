/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool.h"

#define SPOOL_MAGIC 0x73634131u
#define PAGE	    4096u
/* A ring holds 2 KiB: by no more can the page's index be behind what was taken. */
#define RING_BYTES  2048u

/* Blocks are allocated before they are touched: writing to a mapped hole of a full file system would kill us. */
static bool spool_allocate(int fd, uint32_t capacity)
{
	return fd < 0 || posix_fallocate(fd, 0, PAGE + capacity) == 0;
}

static bool header_valid(const struct spool_header *h, off_t size, uint32_t port, uint32_t ring_position)
{
	uint32_t at = h->ring_start + (uint32_t)h->taken;

	return h->magic == SPOOL_MAGIC && h->port == port && h->capacity >= PAGE && h->capacity <= SPOOL_MAX &&
	       (h->capacity & (h->capacity - 1)) == 0 && size >= (off_t)(PAGE + h->capacity) && h->logged <= h->taken &&
	       h->seen <= h->taken && at - ring_position <= RING_BYTES;
}

int spool_open(struct spool *spool, const char *path, uint32_t port, uint32_t ring_position)
{
	struct stat st = { 0 };
	int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
	void *map;

	if (fd >= 0 && (fstat(fd, &st) || (st.st_size < (off_t)(2 * PAGE) && !spool_allocate(fd, PAGE)))) {
		close(fd);
		unlink(path);
		fd = -1;
	}
	map = mmap(NULL, PAGE + SPOOL_MAX, PROT_READ | PROT_WRITE, fd >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS, fd, 0);
	if (map == MAP_FAILED) {
		if (fd >= 0)
			close(fd);
		return -ENOMEM;
	}
	*spool = (struct spool){ .header = map, .data = (char *)map + PAGE, .fd = fd };
	if (!header_valid(spool->header, st.st_size, port, ring_position))
		*spool->header = (struct spool_header){
			.magic = SPOOL_MAGIC, .port = port, .capacity = PAGE, .ring_start = ring_position
		};
	return 0;
}

void spool_close(struct spool *spool)
{
	if (spool->header)
		munmap(spool->header, PAGE + SPOOL_MAX);
	if (spool->fd >= 0)
		close(spool->fd);
	*spool = (struct spool){ .fd = -1 };
}

uint32_t spool_ring_position(const struct spool *spool)
{
	return spool->header->ring_start + (uint32_t)spool->header->taken;
}

uint64_t spool_oldest(const struct spool *spool)
{
	const struct spool_header *h = spool->header;

	return h->taken > h->capacity ? h->taken - h->capacity : 0;
}

static void spool_put(struct spool *spool, const char *bytes, size_t count)
{
	struct spool_header *h = spool->header;
	size_t at, first;

	/* Positions keep their place when the spool grows, as long as nothing has been overwritten. */
	while (h->capacity < SPOOL_MAX && h->taken <= h->capacity && h->taken + count > h->capacity &&
	       spool_allocate(spool->fd, 2 * h->capacity))
		h->capacity *= 2;
	at = h->taken & (h->capacity - 1);
	first = count < h->capacity - at ? count : h->capacity - at;
	memcpy(spool->data + at, bytes, first);
	memcpy(spool->data, bytes + first, count - first);
	/* The count follows the bytes, in memory too: this process may be killed in between. */
	__atomic_store_n(&h->taken, h->taken + count, __ATOMIC_RELEASE);
	if (h->logged < spool_oldest(spool)) {
		h->lost += spool_oldest(spool) - h->logged;
		h->logged = spool_oldest(spool);
	}
	if (h->seen < spool_oldest(spool))
		h->seen = spool_oldest(spool);
}

void spool_append(struct spool *spool, const void *bytes, size_t count)
{
	const char *from = bytes;

	while (count) {
		size_t n = count < PAGE ? count : PAGE;

		spool_put(spool, from, n);
		from += n;
		count -= n;
	}
}

size_t spool_read(const struct spool *spool, uint64_t *position, void *buffer, size_t room)
{
	const struct spool_header *h = spool->header;
	size_t count, at, first;

	if (*position < spool_oldest(spool))
		*position = spool_oldest(spool);
	if (*position >= h->taken)
		return 0;
	count = h->taken - *position < room ? (size_t)(h->taken - *position) : room;
	at = *position & (h->capacity - 1);
	first = count < h->capacity - at ? count : h->capacity - at;
	memcpy(buffer, spool->data + at, first);
	memcpy((char *)buffer + first, spool->data, count - first);
	*position += count;
	return count;
}
