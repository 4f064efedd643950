/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory of a PV domain that is being restored: which pfns have frames, of which type, filled from PAGE_DATA records. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "argon/reason.h"
#include "pv.h"

uint64_t pv_target_frame(const void *target, uint64_t pfn)
{
	const struct pv_target *t = target;

	return pfn < t->pages ? t->frames[pfn] : INVALID_FRAME;
}

int pv_target_open(struct ctrl *ctrl, const struct migrate_restore *options, struct pv_target *t)
{
	int rc;

	*t = (struct pv_target){ .ctrl = ctrl, .dev = ctrl_dev(ctrl), .options = options };
	rc = ctrl_domain_info(ctrl, options->domid, &t->info);
	if (!rc && t->info.max_vcpu_id == UINT32_MAX)
		rc = reason_set(EINVAL, "domain %u has no vCPUs yet", options->domid);
	if (rc)
		return rc;
	t->vcpus = calloc((size_t)t->info.max_vcpu_id + 1, sizeof(*t->vcpus));
	return t->vcpus ? 0 : reason_set(ENOMEM, "no memory");
}

void pv_target_close(struct pv_target *t)
{
	for (uint32_t i = 0; t->vcpus && i <= t->info.max_vcpu_id; i++)
		for (unsigned int p = 0; p < 4; p++)
			free(t->vcpus[i].part[p]);
	free(t->vcpus);
	ctrl_policy_free(&t->policy);
	free(t->shared);
	free(t->p2m_pfn);
	free(t->types);
	free(t->frames);
}

/* ---- X86_PV_P2M_FRAMES ---- */

static int sizes_set(struct pv_target *t, uint64_t pages)
{
	uint64_t most = t->info.max_pages < PFN_LIMIT ? t->info.max_pages : PFN_LIMIT;

	if (pages > PFN_LIMIT || pages > 8 * most + (1u << 20))
		return reason_set(ERANGE, "the stream's guest has %llu pages, much more than its memory limit allows",
				  (unsigned long long)pages);
	t->frames = malloc(pages * sizeof(*t->frames));
	t->types = malloc(pages);
	t->p2m_frames = (pages + PAGE_ENTRIES - 1) / PAGE_ENTRIES;
	t->p2m_pfn = malloc(t->p2m_frames * sizeof(*t->p2m_pfn));
	if (!t->frames || !t->types || !t->p2m_pfn)
		return reason_set(ENOMEM, "no memory for the list of the guest's %llu pages", (unsigned long long)pages);
	memset(t->frames, 0xff, pages * sizeof(*t->frames));
	memset(t->types, TYPE_XTAB, pages);
	t->pages = pages;
	return 0;
}

int restore_p2m_frames(struct pv_target *t, struct stream_in *in, struct record *r)
{
	const struct xc_p2m_frames *body;
	int rc = record_get_body(in, r, r->header.bytes);
	uint64_t pages;

	if (rc)
		return rc;
	body = (const struct xc_p2m_frames *)r->body;
	if (r->header.bytes < sizeof(*body) || body->first || t->pages || !t->have_info)
		return reason_set(EBADMSG, "the stream's list of P2M frames is cut, in parts, or comes twice or too early");
	pages = (uint64_t)body->last + 1;
	if (r->header.bytes != sizeof(*body) + (pages + PAGE_ENTRIES - 1) / PAGE_ENTRIES * sizeof(uint64_t))
		return reason_set(EBADMSG, "the stream's list of P2M frames has %u bytes for %llu pages", r->header.bytes,
				  (unsigned long long)pages);
	rc = sizes_set(t, pages);
	if (rc)
		return rc;
	memcpy(t->p2m_pfn, body->pfn, t->p2m_frames * sizeof(*t->p2m_pfn));
	for (size_t i = 0; i < t->p2m_frames; i++)
		if (t->p2m_pfn[i] >= pages)
			return reason_set(EBADMSG, "the stream puts the guest's P2M outside of its memory");
	return record_get_padding(in, r);
}

/* ---- PAGE_DATA ---- */

struct batch {
	uint64_t pfns[BATCH_PAGES], frames[BATCH_PAGES];
	uint8_t types[BATCH_PAGES];
	uint32_t count, with_data;
};

/* The numbers are in r->body, the pages still in the stream. */
static int batch_check(const struct pv_target *t, struct batch *b, const struct record *r)
{
	const uint64_t *list = (const uint64_t *)r->body;

	b->with_data = 0;
	for (uint32_t i = 0; i < b->count; i++) {
		uint64_t pfn = list[i] & XC_PFN_MASK;

		b->types[i] = (uint8_t)(list[i] >> 60);
		if (list[i] & XC_PFN_RESERVED || pfn >= t->pages || !type_known(b->types[i]))
			return reason_set(EBADMSG, "the stream has a page 0x%llx that cannot be",
					  (unsigned long long)list[i]);
		b->pfns[i] = pfn;
		b->with_data += type_has_data(b->types[i]);
	}
	if (r->header.bytes != sizeof(struct xc_pages) + b->count * sizeof(uint64_t) + (size_t)b->with_data * PAGE_BYTES)
		return reason_set(EBADMSG, "the stream has a record of %u pages, %u of them with contents, in %u bytes", b->count,
				  b->with_data, r->header.bytes);
	return 0;
}

/* Gives frames to the pfns that need one and have none. */
static int batch_populate(struct pv_target *t, const struct batch *b)
{
	uint64_t wanted[BATCH_PAGES], numbers[BATCH_PAGES];
	uint32_t count = 0;
	int64_t got;

	for (uint32_t i = 0; i < b->count; i++) {
		if (b->types[i] == TYPE_XTAB || b->types[i] == TYPE_BROKEN || t->frames[b->pfns[i]] != INVALID_FRAME)
			continue;
		/* The same pfn twice in a record: the second finds it taken. */
		t->frames[b->pfns[i]] = 0;
		wanted[count++] = b->pfns[i];
	}
	if (!count)
		return 0;
	memcpy(numbers, wanted, count * sizeof(*wanted));
	got = ctrl_memory_populate(t->ctrl, t->options->domid, 0, 0, count, numbers);
	for (uint32_t i = 0; i < count; i++)
		t->frames[wanted[i]] = i < got ? numbers[i] : INVALID_FRAME;
	t->populated += got > 0 ? (uint64_t)got : 0;
	if (got < 0)
		return (int)got;
	if (got < count)
		return reason_set(ENOMEM, "not enough memory: %llu pages of the guest got a frame, then there was none free, or its "
				  "memory limit was reached", (unsigned long long)t->populated);
	return 0;
}

/* Pages that the domain gave away after they had been sent. */
static int batch_release(struct pv_target *t, const struct batch *b)
{
	uint64_t frames[BATCH_PAGES];
	uint32_t count = 0;
	int64_t rc;

	for (uint32_t i = 0; i < b->count; i++) {
		if (b->types[i] != TYPE_XTAB || t->frames[b->pfns[i]] == INVALID_FRAME)
			continue;
		frames[count++] = t->frames[b->pfns[i]];
		t->frames[b->pfns[i]] = INVALID_FRAME;
	}
	if (!count)
		return 0;
	t->populated -= count;
	rc = ctrl_memory_decrease(t->ctrl, t->options->domid, 0, count, frames);
	if (rc >= 0 && rc < count)
		rc = reason_set(EBUSY, "pages that the guest gave away meanwhile cannot be freed");
	return rc < 0 ? (int)rc : 0;
}

static int batch_read(struct pv_target *t, const struct batch *b, struct stream_in *in, uint8_t *map)
{
	uint8_t fresh[PAGE_BYTES];

	for (uint32_t i = 0, n = 0; i < b->count; i++) {
		uint8_t *page = map + (size_t)n * PAGE_BYTES;
		int rc;

		if (!type_has_data(b->types[i]))
			continue;
		n++;
		rc = stream_get(in, t->verifying ? fresh : page, PAGE_BYTES);
		if (rc)
			return rc;
		/* Page tables of ours name machine frames at the end only; until then all pages are as they were sent. */
		if (t->verifying && memcmp(fresh, page, PAGE_BYTES))
			return reason_set(EBADMSG, "page %llu differs from what was sent: the memory was not transferred whole",
					  (unsigned long long)b->pfns[i]);
	}
	return 0;
}

static int batch_map_and_read(struct pv_target *t, struct batch *b, struct stream_in *in)
{
	uint32_t n = 0;
	void *map;
	int rc;

	for (uint32_t i = 0; i < b->count; i++) {
		if (type_has_data(b->types[i]))
			b->frames[n++] = t->frames[b->pfns[i]];
		t->types[b->pfns[i]] = b->types[i];
	}
	if (!n)
		return 0;
	map = dev_map(t->dev, t->options->domid, PROT_READ | PROT_WRITE, n, b->frames, NULL);
	if (!map)
		return reason_prefix(-errno, "mapping the new guest's memory: ");
	rc = batch_read(t, b, in, map);
	dev_unmap(t->dev, map, n);
	return rc;
}

int restore_pages(struct pv_target *t, struct stream_in *in, struct record *r)
{
	struct xc_pages head;
	struct batch b;
	int rc;

	if (!t->pages)
		return reason_set(EBADMSG, "the stream has pages before it says how many there are");
	if (r->header.bytes < sizeof(head))
		return reason_set(EBADMSG, "the stream has a record of pages of %u bytes", r->header.bytes);
	rc = record_get_body(in, r, sizeof(head));
	if (rc)
		return rc;
	memcpy(&head, r->body, sizeof(head));
	if (!head.count || head.count > BATCH_PAGES)
		return reason_set(EBADMSG, "the stream has a record of %u pages", head.count);
	b.count = head.count;
	rc = record_get_body(in, r, head.count * sizeof(uint64_t));
	if (rc)
		return rc;
	rc = batch_check(t, &b, r);
	if (!rc)
		rc = batch_release(t, &b);
	if (!rc)
		rc = batch_populate(t, &b);
	if (!rc)
		rc = batch_map_and_read(t, &b, in);
	return rc ? rc : record_get_padding(in, r);
}
