/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "slots.h"

#define MAGIC	    0x31746f6c73787372u
#define HEAD_BYTES  4096u
#define TABLE_BYTES (SLOT_COUNT * sizeof(struct slot))
#define DATA_BYTES  (SLOT_IN_BYTES + SLOT_OUT_BYTES)

_Static_assert(sizeof(struct slot) == 64, "a slot is a cache line");
_Static_assert(sizeof(struct slots_head) <= HEAD_BYTES, "the head has a page");

static size_t data_offset(uint32_t index)
{
	return HEAD_BYTES + TABLE_BYTES + index * (size_t)DATA_BYTES;
}

int slots_open(struct slots *slots, const char *path)
{
	size_t bytes = data_offset(SLOT_COUNT);
	struct stat status;

	memset(slots, 0, sizeof(*slots));
	slots->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (slots->fd < 0)
		return -errno;
	if (fstat(slots->fd, &status) || ((size_t)status.st_size != bytes && ftruncate(slots->fd, (off_t)bytes)) ||
	    file_reserve(slots->fd, 0, HEAD_BYTES))
		goto fail;
	slots->map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, slots->fd, 0);
	if (slots->map == MAP_FAILED)
		goto fail;
	slots->map_bytes = bytes;
	slots->head = (struct slots_head *)slots->map;
	slots->slot = (struct slot *)(slots->map + HEAD_BYTES);
	if (slots->head->magic != MAGIC) {
		memset(slots->head, 0, sizeof(*slots->head));
		slots->head->magic = MAGIC;
	}
	return 0;
fail:
	close(slots->fd);
	return -errno;
}

void slots_close(struct slots *slots)
{
	munmap(slots->map, slots->map_bytes);
	close(slots->fd);
}

int slot_allocate(struct slots *slots, size_t out_bytes)
{
	for (uint32_t word = 0; word < SLOT_COUNT / 64; word++) {
		uint32_t index;

		if (!~slots->used[word])
			continue;
		index = word * 64 + (uint32_t)__builtin_ctzll(~slots->used[word]);
		if (file_reserve(slots->fd, HEAD_BYTES + index * sizeof(struct slot), sizeof(struct slot)) ||
		    file_reserve(slots->fd, data_offset(index), SLOT_IN_BYTES + out_bytes))
			return -ENOSPC;
		slot_take(slots, index);
		return (int)index;
	}
	return -ENOSPC;
}

void slot_take(struct slots *slots, uint32_t index)
{
	slots->used[index / 64] |= 1ull << index % 64;
}

void slot_free(struct slots *slots, uint32_t index)
{
	slots->used[index / 64] &= ~(1ull << index % 64);
}

char *slot_in(const struct slots *slots, uint32_t index)
{
	return slots->map + data_offset(index);
}

char *slot_out(const struct slots *slots, uint32_t index)
{
	return slots->map + data_offset(index) + SLOT_IN_BYTES;
}
