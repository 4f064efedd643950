/* SPDX-License-Identifier: BSD-2-Clause */
/* How far a save or a migration is: a bar on a terminal, or an event a line in JSON. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "move.h"

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static const char *stage_name(enum migrate_stage stage)
{
	static const char *const names[] = { "pre-copy", "stop", "final", "done" };

	return names[stage];
}

static void event_print(const struct migrate_progress *p)
{
	struct json_object *o = json_begin("progress");

	json_text(o, "stage", stage_name(p->stage));
	json_number(o, "round", p->round);
	json_number(o, "pages_total", (int64_t)p->pages_total);
	json_number(o, "pages_sent", (int64_t)p->pages_sent);
	json_number(o, "pages_left", (int64_t)p->pages_left);
	json_number(o, "bytes", (int64_t)p->bytes);
	json_number(o, "rate", (int64_t)p->rate);
	json_number(o, "dirty_rate", (int64_t)p->dirty_rate);
	json_number(o, "downtime_ns", (int64_t)p->downtime);
	(void)json_end(o);
	fflush(stdout);
}

static void bar_print(const struct move_view *v, const struct migrate_progress *p)
{
	int64_t took = now_ms() - v->began;
	uint64_t rate = took > 0 ? p->bytes * 1000 / (uint64_t)took : 0, done = p->pages_total - p->pages_left;
	int filled = (int)(p->pages_total != 0 ? 30 * done / p->pages_total : 0);

	fprintf(stderr, "\r%-8s round %-2u [%.*s%*s] %5.1f MB/s, guest writes %5.1f MB/s, %5.1f MB left, downtime %4.0f ms ",
		stage_name(p->stage), p->round, filled, "##############################", 30 - filled, "", (double)rate / 1e6,
		(double)p->dirty_rate / 1e6, (double)p->pages_left * 4096 / 1e6, (double)p->downtime / 1e6);
	if (p->stage == MIGRATE_DONE)
		fputc('\n', stderr);
}

void move_view_init(struct move_view *v, const struct xl *xl, bool quiet)
{
	*v = (struct move_view){ .json = xl->json, .bar = !quiet && !xl->json && isatty(2), .stages = !quiet && !xl->json,
				 .began = now_ms() };
}

int move_progress(void *context, const struct migrate_progress *p)
{
	struct move_view *v = context;
	bool changed = p->stage != v->stage || p->round != v->round || p->stage == MIGRATE_DONE;

	if (!v->json && !v->bar)
		return 0;
	if (!changed && now_ms() - v->printed < 200)
		return 0;
	v->printed = now_ms();
	v->stage = p->stage;
	v->round = p->round;
	if (v->json)
		event_print(p);
	else
		bar_print(v, p);
	return 0;
}

void move_stage(void *context, const char *name)
{
	struct move_view *v = context;

	if (v->json) {
		struct json_object *o = json_begin("stage");

		json_text(o, "stage", name);
		(void)json_end(o);
		fflush(stdout);
	} else if (v->stages) {
		fprintf(stderr, "%s%s\n", v->bar ? "\r\033[K" : "", name);
	}
}
