/* SPDX-License-Identifier: BSD-2-Clause */
/* Saving a domain: the stream's frame, rounds of pre-copy while it runs, the rest while it is stopped. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "argon/migrate.h"
#include "argon/reason.h"
#include "save_pages.h"

#define DOWNTIME_DEFAULT UINT64_C(300000000)
#define ROUNDS_DEFAULT	 30u
/* What stopping costs whatever the number of pages: state, devices. Part of the estimate. */
#define DOWNTIME_FIXED	 UINT64_C(20000000)
/* A round may send this much faster than the domain wrote in the last one (NSDI 2005): 50 Mbit/s. */
#define RATE_STEP	 (50u * 1000000u / 8u)
/* Batches between two looks at what has been dirtied again, and need not be sent now. */
#define PEEK_BATCHES	 16u
/* Rounds in a row that leave no less than they began with: it does not converge. */
#define STUCK_ROUNDS	 3u

struct saver {
	const struct migrate_save *options;
	struct pv_source source;
	struct stream_out out;
	struct page_writer writer;
	struct migrate_progress progress;
	uint8_t *send; /* bitmap: pages of this round */
	uint8_t *dirty; /* bitmap for the hypervisor */
	uint8_t *again; /* bitmap: pages that must be in the next round too */
	uint8_t *present; /* bitmap: pages that the other side believes to be the domain's */
	size_t bitmap_bytes;
	uint64_t began, round_began, round_bytes; /* ns, ns, bytes before the round */
	unsigned int stuck, percent;
	bool logging;
};

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static bool bit_test(const uint8_t *map, uint64_t i)
{
	return map[i / 8] >> (i % 8) & 1;
}

static void bit_set(uint8_t *map, uint64_t i)
{
	map[i / 8] = (uint8_t)(map[i / 8] | 1u << (i % 8));
}

static void bit_clear(uint8_t *map, uint64_t i)
{
	map[i / 8] = (uint8_t)(map[i / 8] & ~(1u << (i % 8)));
}

static uint64_t bits_count(const struct saver *sv, const uint8_t *map)
{
	uint64_t n = 0;

	for (uint64_t i = 0; i < sv->source.pages; i++)
		n += bit_test(map, i);
	return n;
}

static void page_again(void *context, uint64_t pfn)
{
	bit_set(((struct saver *)context)->again, pfn);
}

static void page_sent_as(void *context, uint64_t pfn, bool present)
{
	struct saver *sv = context;

	if (present)
		bit_set(sv->present, pfn);
	else
		bit_clear(sv->present, pfn);
}

static int report(struct saver *sv)
{
	sv->progress.pages_sent = sv->writer.sent;
	sv->progress.bytes = sv->out.bytes;
	return sv->options->progress ? sv->options->progress(sv->options->context, &sv->progress) : 0;
}

/* ---- One round ---- */

/* Waits until the round's bytes are not ahead of its rate. */
static void pace(const struct saver *sv)
{
	uint64_t due, passed;

	if (!sv->progress.rate || sv->progress.stage != MIGRATE_PRECOPY)
		return;
	due = (uint64_t)((double)(sv->out.bytes - sv->round_bytes) * 1e9 / (double)sv->progress.rate);
	passed = now() - sv->round_began;
	if (due > passed) {
		struct timespec t = { (time_t)((due - passed) / 1000000000u), (long)((due - passed) % 1000000000u) };

		nanosleep(&t, NULL);
	}
}

/* What the domain has written since the round began will be in the next one: leave it out of this. */
static int rewritten_skip(struct saver *sv, uint64_t from)
{
	struct ctrl_logdirty stats;
	int rc = ctrl_logdirty_read(sv->source.ctrl, sv->source.domid, sv->dirty, sv->source.pages, false, false, &stats);

	for (uint64_t i = from; !rc && i < sv->source.pages; i++) {
		if (bit_test(sv->send, i) && bit_test(sv->dirty, i)) {
			bit_clear(sv->send, i);
			sv->progress.pages_left--;
		}
	}
	return rc;
}

static int round_send(struct saver *sv)
{
	uint64_t pfns[BATCH_PAGES];
	unsigned int batches = 0;
	uint32_t count = 0;
	int rc = 0;

	sv->round_began = now();
	sv->round_bytes = sv->out.bytes;
	for (uint64_t pfn = 0; !rc && pfn < sv->source.pages; pfn++) {
		if (bit_test(sv->send, pfn))
			pfns[count++] = pfn;
		if (!count || (count < BATCH_PAGES && pfn + 1 < sv->source.pages))
			continue;
		rc = pages_write(&sv->writer, pfns, count);
		sv->progress.pages_left -= count;
		count = 0;
		if (!rc)
			rc = report(sv);
		if (!rc && sv->progress.stage == MIGRATE_PRECOPY && sv->progress.round && ++batches % PEEK_BATCHES == 0)
			rc = rewritten_skip(sv, pfn + 1);
		pace(sv);
	}
	return rc ? rc : stream_flush(&sv->out);
}

/* ---- Pre-copy ---- */

static uint64_t rate_limit(uint64_t rate, uint64_t limit)
{
	return limit && (!rate || rate > limit) ? limit : rate;
}

/* Moves what has been written meanwhile into `send`. */
static int dirty_take(struct saver *sv, bool final)
{
	struct ctrl_logdirty stats;
	int rc = ctrl_logdirty_read(sv->source.ctrl, sv->source.domid, sv->dirty, sv->source.pages, true, final, &stats);

	if (rc)
		return rc;
	memcpy(sv->send, sv->dirty, sv->bitmap_bytes);
	for (size_t i = 0; i < sv->bitmap_bytes; i++)
		sv->send[i] |= sv->again[i];
	memset(sv->again, 0, sv->bitmap_bytes);
	sv->progress.pages_left = bits_count(sv, sv->send);
	return 0;
}

/* The rounds do not get shorter. @return 1: stop the domain now, 0: go on, or a negative errno */
static int not_converging(struct saver *sv, const char *why)
{
	switch (sv->options->policy) {
	case MIGRATE_ABORT:
		return reason_set(ETIME, "the guest writes its memory faster than it can be sent (%s): allow more downtime or "
				  "bandwidth, or let it be slowed (--auto-throttle) or stopped", why);
	case MIGRATE_THROTTLE:
		if (sv->percent > 10 && sv->options->throttle) {
			sv->percent = sv->percent > 30 ? sv->percent - 20 : sv->percent - 10;
			sv->stuck = 0;
			return sv->options->throttle(sv->options->context, sv->percent);
		}
		return 1;
	case MIGRATE_FORCE:
	default:
		return 1;
	}
}

/* After a round, with the next one's pages in `send`. @return 1: stop the domain, 0: another round, or a negative errno */
static int round_judge(struct saver *sv, uint64_t before)
{
	const struct migrate_save *o = sv->options;
	struct migrate_progress *p = &sv->progress;
	uint64_t took = now() - sv->round_began, sent = sv->out.bytes - sv->round_bytes;
	uint64_t limit = o->max_downtime ? o->max_downtime : DOWNTIME_DEFAULT;
	double speed = (double)(sent ? sent : 1) / (double)(took ? took : 1); /* bytes a ns, as it really was */

	p->dirty_rate = (uint64_t)((double)p->pages_left * PAGE_BYTES * 1e9 / (double)(took ? took : 1));
	p->downtime = DOWNTIME_FIXED + (uint64_t)((double)p->pages_left * PAGE_BYTES / speed);
	if (p->downtime <= limit)
		return 1;
	sv->stuck = p->pages_left >= before ? sv->stuck + 1 : 0;
	if (p->round + 1 >= (o->max_rounds ? o->max_rounds : ROUNDS_DEFAULT))
		return not_converging(sv, "most rounds allowed");
	if (o->timeout && now() - sv->began >= o->timeout)
		return not_converging(sv, "time is over");
	if (sv->stuck >= STUCK_ROUNDS)
		return not_converging(sv, "rounds do not get shorter");
	return 0;
}

static int precopy(struct saver *sv)
{
	const struct migrate_save *o = sv->options;
	struct migrate_progress *p = &sv->progress;
	int rc;

	p->stage = MIGRATE_PRECOPY;
	p->rate = rate_limit(o->start_rate, o->bandwidth);
	for (;;) {
		uint64_t before = p->pages_left;

		rc = round_send(sv);
		if (!rc)
			rc = dirty_take(sv, false);
		if (!rc)
			rc = round_judge(sv, before);
		if (rc)
			return rc < 0 ? rc : 0;
		p->round++;
		/* Only a first round that was held back says that bandwidth is dear. */
		p->rate = rate_limit(o->start_rate ? p->dirty_rate + RATE_STEP : 0, o->bandwidth);
	}
}

/* ---- The whole ---- */

/*
 * The domain is stopped: what was left of the last round, what it wrote since, and pages that it gave away or took meanwhile,
 * which need not have been written.
 */
static int rest_take(struct saver *sv)
{
	uint8_t *rest = malloc(sv->bitmap_bytes);
	int rc;

	if (!rest)
		return reason_set(ENOMEM, "no memory for a bitmap of the guest's pages");
	memcpy(rest, sv->send, sv->bitmap_bytes);
	rc = dirty_take(sv, true);
	for (size_t i = 0; i < sv->bitmap_bytes; i++)
		sv->send[i] |= rest[i];
	free(rest);
	for (uint64_t pfn = 0; pfn < sv->source.pages; pfn++)
		if ((pv_source_frame(&sv->source, pfn) != INVALID_FRAME) != bit_test(sv->present, pfn))
			bit_set(sv->send, pfn);
	sv->progress.pages_left = bits_count(sv, sv->send);
	return rc;
}

static int stop_and_send(struct saver *sv)
{
	int rc;

	sv->progress.stage = MIGRATE_STOP;
	rc = report(sv);
	if (!rc)
		rc = sv->options->suspend(sv->options->context);
	if (rc)
		return rc;
	sv->progress.stage = MIGRATE_FINAL;
	sv->writer.stopped = true;
	rc = pv_source_check(&sv->source);
	if (!rc && sv->options->live)
		rc = rest_take(sv);
	if (!rc)
		rc = round_send(sv);
	if (!rc)
		rc = save_state(&sv->source, &sv->out);
	return rc ? rc : stream_record(&sv->out, XC_END, NULL, 0, NULL, 0);
}

static int stream_write(struct saver *sv)
{
	struct xl_stream_header header = { __builtin_bswap64(XL_IDENT), __builtin_bswap32(XL_VERSION), 0 };
	int rc = stream_put(&sv->out, &header, sizeof(header));

	if (!rc)
		rc = stream_record(&sv->out, XL_LIBXC_CONTEXT, NULL, 0, NULL, 0);
	if (!rc)
		rc = save_static(&sv->source, &sv->out);
	if (!rc && sv->options->live) {
		rc = ctrl_logdirty_enable(sv->source.ctrl, sv->source.domid);
		sv->logging = !rc;
		if (!rc)
			rc = precopy(sv);
	}
	if (!rc)
		rc = stop_and_send(sv);
	if (!rc)
		rc = stream_record(&sv->out, XL_END, NULL, 0, NULL, 0);
	return rc ? rc : stream_flush(&sv->out);
}

static int saver_open(struct saver *sv, struct ctrl *ctrl)
{
	int rc = pv_source_open(ctrl, sv->options->domid, &sv->source);

	if (rc)
		return rc;
	sv->bitmap_bytes = (sv->source.pages + 7) / 8;
	sv->send = malloc(sv->bitmap_bytes);
	sv->again = calloc(1, sv->bitmap_bytes);
	sv->present = calloc(1, sv->bitmap_bytes);
	sv->dirty = dev_buffer_get(sv->source.dev, sv->bitmap_bytes);
	if (!sv->send || !sv->again || !sv->present || !sv->dirty)
		return reason_set(ENOMEM, "no memory for bitmaps of the guest's pages");
	memset(sv->send, 0xff, sv->bitmap_bytes);
	sv->progress.pages_total = sv->progress.pages_left = sv->source.pages;
	rc = page_writer_open(&sv->writer, &sv->source, &sv->out);
	sv->writer.again = page_again;
	sv->writer.sent_as = page_sent_as;
	sv->writer.context = sv;
	return rc;
}

static void saver_close(struct saver *sv)
{
	if (sv->logging)
		ctrl_logdirty_disable(sv->source.ctrl, sv->source.domid);
	if (sv->percent < 100 && sv->options->throttle)
		sv->options->throttle(sv->options->context, 100);
	page_writer_close(&sv->writer);
	if (sv->source.ctrl)
		dev_buffer_put(sv->source.dev, sv->dirty, sv->bitmap_bytes);
	free(sv->present);
	free(sv->again);
	free(sv->send);
	if (sv->source.ctrl)
		pv_source_close(&sv->source);
}

int migrate_save(struct ctrl *ctrl, const struct migrate_save *save, struct migrate_progress *result)
{
	struct saver *sv = calloc(1, sizeof(*sv));
	int rc;

	if (!sv)
		return reason_set(ENOMEM, "no memory");
	sv->options = save;
	sv->percent = 100;
	sv->began = now();
	stream_out_init(&sv->out, save->fd);
	rc = saver_open(sv, ctrl);
	if (!rc)
		rc = stream_write(sv);
	if (!rc) {
		sv->progress.stage = MIGRATE_DONE;
		sv->progress.downtime = now() - sv->round_began;
		rc = report(sv);
	}
	if (result)
		*result = sv->progress;
	saver_close(sv);
	free(sv);
	return rc;
}
