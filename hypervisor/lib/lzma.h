/* SPDX-License-Identifier: BSD-2-Clause */
/* The LZMA decoder, as lzma.c (.lzma files) and xz.c (LZMA2) use it. */
#ifndef LZMA_H
#define LZMA_H

#include "decompress_internal.h"

#define LZMA_STATES 12
#define LZMA_POS_STATES 16
#define LZMA_LITERAL_CODERS 16 /* lc + lp <= 4 */
#define LZMA_LITERAL_PROBS 0x300

struct lzma_length_probs {
	u16 choice[2];
	u16 low[LZMA_POS_STATES][8], middle[LZMA_POS_STATES][8], high[256];
};

/* Adaptive probabilities of a 0 bit, of 2048. */
struct lzma_probs {
	u16 is_match[LZMA_STATES][LZMA_POS_STATES];
	u16 is_repeat[LZMA_STATES], is_repeat0[LZMA_STATES], is_repeat1[LZMA_STATES], is_repeat2[LZMA_STATES];
	u16 is_repeat0_long[LZMA_STATES][LZMA_POS_STATES];
	u16 distance_slot[4][64], distance_special[128], distance_align[16];
	struct lzma_length_probs match_length, repeat_length;
	u16 literal[LZMA_LITERAL_CODERS][LZMA_LITERAL_PROBS];
};

struct lzma {
	struct lzma_probs probs;
	u32 state;
	u32 repeat[4];          /* distances - 1 of the latest matches */
	u32 lc, literal_mask, pos_mask;
	size_t dictionary_start; /* matches reach back to here in the output; positions count from here */
};
_Static_assert(sizeof(struct lzma) <= DECOMPRESS_SCRATCH_SIZE, "scratch area");

/* Takes the properties byte. False if it is none, or lc + lp > 4. */
bool must_check lzma_properties_set(struct lzma *s, u8 properties);
/* Forgets everything learnt but the properties. */
void lzma_state_reset(struct lzma *s);

enum lzma_end {
	LZMA_END_SIZE,          /* the output reaches the limit; a marker is an error */
	LZMA_END_MARKER,        /* a marker must come before or at the limit */
	LZMA_END_EITHER,        /* the output reaches the limit, and a marker may follow */
};

/*
 * Decodes one range-coded stream, of which *src begins with the 5 initial bytes, up to "limit" in the output (at most
 * dst->cap) or the end marker. Returns 0 with *src behind what was used, -EBADMSG, or -ENOSPC if no marker came.
 */
int must_check lzma_stream_decode(struct lzma *s, struct source *src, struct sink *dst, size_t limit, enum lzma_end end);

#endif
