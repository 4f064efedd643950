/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory type range registers: as firmware set them. Guests choose types by PAT; these registers are read and not changed. */
#ifndef HV_MTRR_H
#define HV_MTRR_H

#include <hv/compiler.h>
#include <hv/types.h>

struct mtrr_range {
	u64 first_frame, frames;	/* 0 frames: not in use */
	u8 type;
};

/* A variable-range register, by number: 0 or -EINVAL (there is none with that number). */
int mtrr_read(u32 reg, struct mtrr_range *out) must_check;

#endif
