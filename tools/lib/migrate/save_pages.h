/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to libargonmigrate: PAGE_DATA records. */
#ifndef MIGRATE_SAVE_PAGES_H
#define MIGRATE_SAVE_PAGES_H

#include "pv.h"

struct page_writer {
	const struct pv_source *source;
	struct stream_out *out;
	bool stopped; /* the domain is: what cannot be sent now is an error */
	uint64_t sent; /* pages with contents */
	/* What the other side believes now: called for each page, with whether it was sent as one of the domain's. */
	void (*sent_as)(void *context, uint64_t pfn, bool present);
	/* Called for a page that has to be sent once more, since the domain was changing it. */
	void (*again)(void *context, uint64_t pfn);
	void *context;

	uint8_t *tables; /* copies of page tables, BATCH_PAGES */
	uint64_t head[1 + BATCH_PAGES]; /* of the record */
	uint64_t frames[BATCH_PAGES];
	uint8_t types[BATCH_PAGES];
	struct iovec pieces[2 + BATCH_PAGES + 1];
};

int page_writer_open(struct page_writer *w, const struct pv_source *source, struct stream_out *out);
void page_writer_close(struct page_writer *w);

/** Write pages as they are now. @param count 1 to BATCH_PAGES */
int pages_write(struct page_writer *w, const uint64_t *pfns, uint32_t count);

#endif
