/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages of a domain, as PAGE_DATA records: straight from its memory to the stream, page tables through a copy that names pfns. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "argon/reason.h"
#include "save_pages.h"

int page_writer_open(struct page_writer *w, const struct pv_source *source, struct stream_out *out)
{
	*w = (struct page_writer){ .source = source, .out = out };
	w->tables = aligned_alloc(PAGE_BYTES, (size_t)BATCH_PAGES * PAGE_BYTES);
	return w->tables ? 0 : reason_set(ENOMEM, "no memory for copies of page tables");
}

void page_writer_close(struct page_writer *w)
{
	free(w->tables);
	w->tables = NULL;
}

/* Fills in types, and frames of those that have contents. @return how many have, or a negative errno */
static int types_find(struct page_writer *w, const uint64_t *pfns, uint32_t count)
{
	uint64_t info[BATCH_PAGES];
	uint32_t asked = 0, with_data = 0;
	int rc;

	for (uint32_t i = 0; i < count; i++) {
		uint64_t frame = pv_source_frame(w->source, pfns[i]);

		w->types[i] = TYPE_XTAB;
		w->frames[i] = frame;
		/* A frame that is another pfn's by now is not this one's. */
		if (frame != INVALID_FRAME && pv_source_pfn(w->source, frame) == pfns[i])
			info[asked++] = frame;
		else
			w->frames[i] = INVALID_FRAME;
	}
	if (!asked)
		return 0;
	rc = ctrl_memory_frame_types(w->source->ctrl, w->source->domid, asked, info);
	if (rc < 0)
		return rc;
	asked = 0;
	for (uint32_t i = 0; i < count; i++) {
		if (w->frames[i] == INVALID_FRAME)
			continue;
		w->types[i] = PAGE_TYPE(info[asked++]);
		if (!type_known(w->types[i]))
			return reason_set(EPROTO, "the hypervisor gives page %llu an unknown type", (unsigned long long)pfns[i]);
		if (type_has_data(w->types[i]))
			with_data++;
		else
			w->frames[i] = INVALID_FRAME;
	}
	return (int)with_data;
}

static int piece_add(struct page_writer *w, int pieces, const void *page)
{
	struct iovec *last = &w->pieces[pieces - 1];

	if (pieces > 1 && (const uint8_t *)last->iov_base + last->iov_len == page) {
		last->iov_len += PAGE_BYTES;
		return pieces;
	}
	w->pieces[pieces] = (struct iovec){ (void *)(uintptr_t)page, PAGE_BYTES };
	return pieces + 1;
}

/*
 * The page that is to be written: the mapping itself, or a copy of a page table that names pfns. NULL: it cannot be written.
 * A page table that changes under our eyes goes out without the entries that we do not understand, and once more later.
 */
static const void *page_prepare(struct page_writer *w, uint32_t i, uint64_t pfn, const uint8_t *page, int error)
{
	unsigned int level = type_level(w->types[i]), unknown;
	uint64_t *copy = (uint64_t *)(w->tables + (size_t)i * PAGE_BYTES);

	if (!error && !level)
		return page;
	unknown = error ? 0 : table_rename(level, copy, (const uint64_t *)page, pv_source_pfn, w->source);
	if (!error && !unknown)
		return copy;
	if (w->stopped)
		return NULL;
	w->again(w->context, pfn);
	return error ? NULL : copy;
}

static int record_write(struct page_writer *w, const uint64_t *pfns, uint32_t count, const uint8_t *map, const int *errors)
{
	struct record_header header = { XC_PAGE_DATA, 0 };
	uint32_t n = 0, bytes;
	int pieces = 1, rc;

	for (uint32_t i = 0; i < count; i++) {
		if (w->frames[i] != INVALID_FRAME) {
			const uint8_t *mapped = map + (size_t)n * PAGE_BYTES;
			const void *page = page_prepare(w, i, pfns[i], mapped, errors[n++]);

			if (!page && w->stopped)
				return reason_set(EOPNOTSUPP, "page %llu of the guest cannot be read, or is a page table that maps "
						  "memory of another domain or a device: such guests cannot be saved",
						  (unsigned long long)pfns[i]);
			if (!page) {
				w->types[i] = TYPE_XTAB;
			} else {
				pieces = piece_add(w, pieces, page);
				w->sent++;
			}
		}
		w->sent_as(w->context, pfns[i], w->types[i] != TYPE_XTAB && w->types[i] != TYPE_BROKEN);
		w->head[1 + i] = pfns[i] | (uint64_t)w->types[i] << 60;
	}
	w->head[0] = count;
	bytes = (1 + count) * (uint32_t)sizeof(uint64_t);
	header.bytes = bytes;
	for (int i = 1; i < pieces; i++)
		header.bytes += (uint32_t)w->pieces[i].iov_len;
	rc = stream_put(w->out, &header, sizeof(header));
	if (!rc)
		rc = stream_put(w->out, w->head, bytes);
	return rc || pieces == 1 ? rc : stream_put_pieces(w->out, w->pieces + 1, pieces - 1);
}

int pages_write(struct page_writer *w, const uint64_t *pfns, uint32_t count)
{
	int with_data = types_find(w, pfns, count), errors[BATCH_PAGES], rc;
	uint64_t frames[BATCH_PAGES];
	void *map = NULL;

	if (with_data < 0)
		return with_data;
	for (uint32_t i = 0, n = 0; i < count; i++)
		if (w->frames[i] != INVALID_FRAME)
			frames[n++] = w->frames[i];
	if (with_data) {
		map = dev_map(w->source->dev, w->source->domid, PROT_READ, (size_t)with_data, frames, errors);
		if (!map)
			return reason_prefix(-errno, "mapping the guest's memory: ");
	}
	rc = record_write(w, pfns, count, map, errors);
	dev_unmap(w->source->dev, map, (size_t)with_data);
	return rc;
}
