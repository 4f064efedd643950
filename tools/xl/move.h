/* SPDX-License-Identifier: BSD-2-Clause */
/* What the commands that save and move domains share. */
#ifndef XL_MOVE_H
#define XL_MOVE_H

#include "argon/domain_move.h"
#include "xl.h"

struct move_view {
	bool json, bar, stages;
	int64_t began, printed; /* ms */
	enum migrate_stage stage;
	unsigned int round;
};

void move_view_init(struct move_view *v, const struct xl *xl, bool quiet);
/* For struct domain_move_options, with a struct move_view. */
int move_progress(void *context, const struct migrate_progress *p);
void move_stage(void *context, const char *name);

#endif
