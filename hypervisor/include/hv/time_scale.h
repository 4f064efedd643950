/* SPDX-License-Identifier: BSD-2-Clause */
/* Conversion between clocks by multiplication: the arithmetic of struct vcpu_time_info. Pure. */
#ifndef HV_TIME_SCALE_H
#define HV_TIME_SCALE_H

#include <hv/types.h>

/* y = x * mul / 2^32 * 2^shift, as guests have it; shift from -31 to 31. */
struct time_ratio {
	u32 mul;
	s8 shift;
};

/* A line through (tsc, ns). */
struct time_scale {
	u64 tsc;
	ns_t ns;
	struct time_ratio ratio;
};

/*
 * Guests shift before they multiply; to do both at once gives the same or, where bits are shifted out to the right, up to 1 more, and takes
 * half as long.
 */
static inline u64 time_ratio_apply(struct time_ratio r, u64 x)
{
	unsigned __int128 product = (unsigned __int128)x * r.mul;
	unsigned int right = (unsigned int)(32 - r.shift) & 63;

	return (u64)product >> right | (u64)(product >> 64) << (64 - right);
}

/* The ratio that takes counts of from_hz to counts of to_hz; both 1 to 2^40, neither 2^31 times the other. Exact to 1 part in 2^31. */
static inline struct time_ratio time_ratio_make(u64 from_hz, u64 to_hz)
{
	struct time_ratio r = { 0, 0 };
	u64 rest;

	/* Bring to/from into [1/2, 1), then divide bit by bit. */
	for (; to_hz >= from_hz; r.shift++)
		from_hz <<= 1;
	for (; to_hz * 2 < from_hz; r.shift--)
		to_hz <<= 1;
	rest = to_hz;
	for (unsigned int i = 0; i < 32; i++) {
		rest <<= 1;
		r.mul <<= 1;
		if (rest >= from_hz) {
			rest -= from_hz;
			r.mul |= 1;
		}
	}
	return r;
}

/* The smallest x (but for a rounding of at most 1) of which time_ratio_apply makes y; for y below 2^62. */
static inline u64 time_ratio_invert(struct time_ratio r, u64 y)
{
	u64 x = ((y / r.mul) << 32) + ((y % r.mul) << 32) / r.mul;

	return r.shift < 0 ? x << -r.shift : x >> r.shift;
}

static inline ns_t time_scale_apply(const struct time_scale *s, u64 tsc)
{
	/* A CPU that is a little behind the base must not see a time far in the future. */
	if (__builtin_expect((s64)(tsc - s->tsc) < 0, 0))
		return s->ns;
	return s->ns + time_ratio_apply(s->ratio, tsc - s->tsc);
}

#endif
