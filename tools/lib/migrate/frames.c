/* SPDX-License-Identifier: BSD-2-Clause */
/* The frames of a PV domain, for those who look at its memory without moving it. */
#include <errno.h>
#include <stdlib.h>

#include "argon/reason.h"
#include "pv.h"

int64_t migrate_frames(struct ctrl *ctrl, uint32_t domid, uint64_t **frames)
{
	struct pv_source source;
	uint64_t *list, pfn;
	int error = pv_source_open(ctrl, domid, &source);

	if (error)
		return error;
	list = malloc(source.pages * sizeof(*list));
	if (!list) {
		pv_source_close(&source);
		return reason_set(ENOMEM, "out of memory");
	}
	for (pfn = 0; pfn < source.pages; pfn++)
		list[pfn] = pv_source_frame(&source, pfn);
	pfn = source.pages;
	pv_source_close(&source);
	*frames = list;
	return (int64_t)pfn;
}
