/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "argon/reason.h"
#include "kernel.h"
#include "writer.h"

#define BATCH 4096u /* pages in one mapping: 16 MiB */

/* Bytes for consecutive pages of the batch. */
struct piece {
	uint32_t pages;
	int fd; /* -1: from memory */
	const uint8_t *data; /* NULL: zeroes */
	uint64_t offset, bytes; /* of the file; what is to be written before the zeroes */
	const char *what;
};

struct writer {
	struct ctrl *ctrl;
	uint32_t domid;
	const uint64_t *p2m;
	uint32_t pages, pieces;
	uint64_t frame[BATCH];
	struct piece piece[BATCH];
};

struct writer *writer_new(struct ctrl *ctrl, uint32_t domid, const uint64_t *p2m)
{
	struct writer *w = malloc(sizeof(*w));

	if (!w) {
		reason_set(ENOMEM, "out of memory");
		return NULL;
	}
	w->ctrl = ctrl;
	w->domid = domid;
	w->p2m = p2m;
	w->pages = w->pieces = 0;
	return w;
}

void writer_free(struct writer *w)
{
	free(w);
}

static int piece_write(const struct piece *p, uint8_t *to)
{
	size_t rest = p->pages * PAGE_SIZE - p->bytes;
	int rc = 0;

	if (p->bytes && p->fd >= 0)
		rc = pread_exactly(p->fd, to, p->bytes, p->offset);
	else if (p->bytes)
		memcpy(to, p->data, p->bytes);
	if (rc)
		return reason_set(-rc, "%s cannot be read: %s", p->what,
				  rc == -EIO ? "it became shorter, or its disk fails" : strerror(-rc));
	if (rest)
		memset(to + p->bytes, 0, rest);
	return 0;
}

int writer_flush(struct writer *w)
{
	uint8_t *map, *at;
	int rc = 0;

	if (!w->pages)
		return 0;
	map = dev_map(ctrl_dev(w->ctrl), w->domid, PROT_READ | PROT_WRITE, w->pages, w->frame, NULL);
	if (!map)
		return -(errno ? errno : EIO);
	at = map;
	for (uint32_t i = 0; !rc && i < w->pieces; i++) {
		rc = piece_write(&w->piece[i], at);
		at += w->piece[i].pages * PAGE_SIZE;
	}
	dev_unmap(ctrl_dev(w->ctrl), map, w->pages);
	w->pages = w->pieces = 0;
	return rc;
}

/* Does p go on where last ends? Then they are written in one go. */
static bool joins(const struct piece *last, const struct piece *p)
{
	if (last->fd != p->fd || last->bytes != last->pages * PAGE_SIZE || !p->bytes)
		return false;
	return p->fd >= 0 ? last->offset + last->bytes == p->offset : last->data + last->bytes == p->data;
}

static void piece_add(struct writer *w, const struct piece *p)
{
	struct piece *last = w->pieces ? &w->piece[w->pieces - 1] : NULL;

	if (last && joins(last, p)) {
		last->pages += p->pages;
		last->bytes += p->bytes;
	} else {
		w->piece[w->pieces++] = *p;
	}
	w->pages += p->pages;
}

/* @param number   the first page, one after another, unless numbers is given */
static int add(struct writer *w, struct piece p, uint64_t number, const uint32_t *numbers, uint64_t pages)
{
	uint64_t bytes = p.bytes;

	for (uint64_t done = 0; done < pages;) {
		uint64_t n = pages - done < BATCH - w->pages ? pages - done : BATCH - w->pages;

		p.pages = (uint32_t)n;
		p.bytes = bytes < n * PAGE_SIZE ? bytes : n * PAGE_SIZE;
		for (uint64_t i = 0; i < n; i++)
			w->frame[w->pages + i] = w->p2m[numbers ? numbers[done + i] : number + done + i];
		piece_add(w, &p);
		bytes -= p.bytes;
		p.offset += p.bytes;
		p.data = p.data ? p.data + p.bytes : NULL;
		done += n;
		if (w->pages == BATCH) {
			int rc = writer_flush(w);

			if (rc)
				return rc;
		}
	}
	return 0;
}

int writer_memory(struct writer *w, uint64_t number, const void *data, uint64_t bytes)
{
	struct piece p = { .fd = -1, .data = data, .bytes = data ? bytes : 0 };

	return add(w, p, number, NULL, (bytes + PAGE_SIZE - 1) / PAGE_SIZE);
}

int writer_page(struct writer *w, uint64_t number, const void *page)
{
	return writer_memory(w, number, page, PAGE_SIZE);
}

int writer_file(struct writer *w, uint64_t number, int fd, uint64_t offset, uint64_t bytes, const char *what)
{
	struct piece p = { .fd = fd, .offset = offset, .bytes = bytes, .what = what };

	return add(w, p, number, NULL, (bytes + PAGE_SIZE - 1) / PAGE_SIZE);
}

int writer_file_pages(struct writer *w, const uint32_t *numbers, uint32_t count, int fd, uint64_t offset, const char *what)
{
	struct piece p = { .fd = fd, .offset = offset, .bytes = count * PAGE_SIZE, .what = what };

	return add(w, p, 0, numbers, count);
}
