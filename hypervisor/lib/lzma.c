/* SPDX-License-Identifier: BSD-2-Clause */
/* LZMA (the public "LZMA specification" of the LZMA SDK) and .lzma files. */
#include <hv/errno.h>
#include "lzma.h"

#define PROB_BITS 11
#define PROB_INIT (1U << (PROB_BITS - 1))
#define MOVE_BITS 5
#define TOP (1U << 24)
#define RANGE_INIT_SIZE 5
#define STATE_LITERAL_MAX 7     /* states below it: the latest symbol was a literal */
#define MATCH_MIN 2
#define SLOT_DIRECT 4           /* slots below it are distances themselves */
#define SLOT_ALIGNED 14         /* from here on the low 4 bits have a model of their own */
#define DISTANCE_MARKER 0xffffffffU
#define PROPERTIES_MAX (9 * 5 * 5)

/* The range decoder. Past the end of the input it reads zeroes and says so. */
struct range {
	const u8 *p, *end;
	u32 range, code;
	bool overrun;
};

decoder_inline void normalize(struct range *rc)
{
	if (rc->range >= TOP)
		return;
	rc->range <<= 8;
	rc->code <<= 8;
	if (likely(rc->p < rc->end))
		rc->code |= *rc->p++;
	else
		rc->overrun = true;
}

decoder_inline u32 bit_read(struct range *rc, u16 *prob)
{
	u32 bound, p = *prob;

	normalize(rc);
	bound = (rc->range >> PROB_BITS) * p;
	if (rc->code < bound) {
		rc->range = bound;
		*prob = (u16)(p + (((1U << PROB_BITS) - p) >> MOVE_BITS));
		return 0;
	}
	rc->range -= bound;
	rc->code -= bound;
	*prob = (u16)(p - (p >> MOVE_BITS));
	return 1;
}

/* n bits of equal probability, highest first. */
decoder_inline u32 direct_read(struct range *rc, u32 n)
{
	u32 val = 0;

	for (; n > 0; n--) {
		u32 below;

		normalize(rc);
		rc->range >>= 1;
		rc->code -= rc->range;
		below = 0 - (rc->code >> 31); /* all ones: the subtraction went too far */
		rc->code += rc->range & below;
		val = (val << 1) + below + 1;
	}
	return val;
}

/* n bits, highest first, each with a probability for what came before it. */
decoder_inline u32 tree_read(struct range *rc, u16 *probs, u32 n)
{
	u32 node = 1;

	for (u32 i = 0; i < n; i++)
		node = node << 1 | bit_read(rc, &probs[node]);
	return node - (1U << n);
}

/* The same, lowest bit first. */
decoder_inline u32 tree_read_reverse(struct range *rc, u16 *probs, u32 n)
{
	u32 node = 1, val = 0;

	for (u32 i = 0; i < n; i++) {
		u32 bit = bit_read(rc, &probs[node]);

		node = node << 1 | bit;
		val |= bit << i;
	}
	return val;
}

decoder_inline u32 length_read(struct range *rc, struct lzma_length_probs *probs, u32 pos_state)
{
	if (bit_read(rc, &probs->choice[0]) == 0)
		return MATCH_MIN + tree_read(rc, probs->low[pos_state], 3);
	if (bit_read(rc, &probs->choice[1]) == 0)
		return MATCH_MIN + 8 + tree_read(rc, probs->middle[pos_state], 3);
	return MATCH_MIN + 16 + tree_read(rc, probs->high, 8);
}

/* Distance - 1 of a new match. */
decoder_inline u32 distance_read(struct range *rc, struct lzma_probs *probs, u32 len)
{
	u32 slot = tree_read(rc, probs->distance_slot[MIN(len - MATCH_MIN, 3U)], 6);
	u32 distance, n;

	if (slot < SLOT_DIRECT)
		return slot;
	n = (slot >> 1) - 1;
	distance = (2 | (slot & 1)) << n;
	if (slot < SLOT_ALIGNED)
		return distance + tree_read_reverse(rc, probs->distance_special + distance - slot, n);
	distance += direct_read(rc, n - 4) << 4;
	return distance + tree_read_reverse(rc, probs->distance_align, 4);
}

decoder_inline void literal_decode(struct lzma *s, struct range *rc, struct sink *dst)
{
	size_t pos = dst->pos - s->dictionary_start;
	u8 prev = pos > 0 ? dst->data[dst->pos - 1] : 0;
	u16 *probs = s->probs.literal[(((u32)pos & s->literal_mask) << s->lc) + ((u32)prev >> (8 - s->lc))];
	u32 symbol = 1;

	if (s->state >= STATE_LITERAL_MAX) {
		/* After a match, the byte that would have continued it is a hint, until a bit differs. */
		u32 hint = dst->data[dst->pos - s->repeat[0] - 1], same = 0x100;

		do {
			u32 bit;

			hint <<= 1;
			bit = bit_read(rc, &probs[same + (hint & same) + symbol]);
			symbol = symbol << 1 | bit;
			same &= bit != 0 ? hint : ~hint;
		} while (symbol < 0x100);
	} else {
		do
			symbol = symbol << 1 | bit_read(rc, &probs[symbol]);
		while (symbol < 0x100);
	}
	dst->data[dst->pos++] = (u8)symbol;
	s->state = s->state < 4 ? 0 : s->state < 10 ? s->state - 3 : s->state - 6;
}

/* Which earlier distance is repeated; moves it to the front. Returns the length, 1 for a single byte. */
decoder_inline u32 repeat_read(struct lzma *s, struct range *rc, u32 pos_state)
{
	struct lzma_probs *probs = &s->probs;
	bool after_literal = s->state < STATE_LITERAL_MAX;
	u32 distance;

	if (bit_read(rc, &probs->is_repeat0[s->state]) == 0) {
		if (bit_read(rc, &probs->is_repeat0_long[s->state][pos_state]) == 0) {
			s->state = after_literal ? 9 : 11;
			return 1;
		}
	} else {
		if (bit_read(rc, &probs->is_repeat1[s->state]) == 0) {
			distance = s->repeat[1];
		} else {
			if (bit_read(rc, &probs->is_repeat2[s->state]) == 0) {
				distance = s->repeat[2];
			} else {
				distance = s->repeat[3];
				s->repeat[3] = s->repeat[2];
			}
			s->repeat[2] = s->repeat[1];
		}
		s->repeat[1] = s->repeat[0];
		s->repeat[0] = distance;
	}
	s->state = after_literal ? 8 : 11;
	return length_read(rc, &probs->repeat_length, pos_state);
}

decoder_inline u32 match_read(struct lzma *s, struct range *rc, u32 pos_state)
{
	u32 len = length_read(rc, &s->probs.match_length, pos_state);

	s->repeat[3] = s->repeat[2];
	s->repeat[2] = s->repeat[1];
	s->repeat[1] = s->repeat[0];
	s->repeat[0] = distance_read(rc, &s->probs, len);
	s->state = s->state < STATE_LITERAL_MAX ? 7 : 10;
	return len;
}

/* 0: at the limit; 1: at the end marker; or an error. */
static int symbols_decode(struct lzma *s, struct range *rc_out, struct sink *dst, size_t limit, bool limit_ends)
{
	struct range rc = *rc_out;
	int ret = 0;

	while (!limit_ends || dst->pos < limit) {
		size_t pos = dst->pos - s->dictionary_start;
		u32 pos_state = (u32)pos & s->pos_mask;
		u32 len;

		if (unlikely(rc.overrun)) {
			ret = -EBADMSG;
			break;
		}
		if (bit_read(&rc, &s->probs.is_match[s->state][pos_state]) == 0) {
			if (dst->pos == limit) {
				ret = -ENOSPC;
				break;
			}
			literal_decode(s, &rc, dst);
			continue;
		}
		if (bit_read(&rc, &s->probs.is_repeat[s->state]) == 0) {
			len = match_read(s, &rc, pos_state);
			if (s->repeat[0] == DISTANCE_MARKER) {
				ret = 1;
				break;
			}
		} else {
			len = repeat_read(s, &rc, pos_state);
		}
		if (s->repeat[0] >= pos) {
			ret = -EBADMSG;
			break;
		}
		if (len > limit - dst->pos) {
			ret = limit_ends ? -EBADMSG : -ENOSPC;
			break;
		}
		sink_repeat(dst, s->repeat[0] + 1UL, len);
	}
	*rc_out = rc;
	return ret;
}

int lzma_stream_decode(struct lzma *s, struct source *src, struct sink *dst, size_t limit, enum lzma_end end)
{
	struct range rc = { .range = 0xffffffffU };
	int ret;

	if (src->left < RANGE_INIT_SIZE || src->p[0] != 0)
		return -EBADMSG;
	rc.code = (u32)src->p[1] << 24 | (u32)src->p[2] << 16 | (u32)src->p[3] << 8 | src->p[4];
	rc.p = src->p + RANGE_INIT_SIZE;
	rc.end = src->p + src->left;
	ret = symbols_decode(s, &rc, dst, limit, end != LZMA_END_MARKER);
	normalize(&rc);
	/* A marker behind a size that is known is neither needed nor looked at. */
	if (ret == 0 && end == LZMA_END_SIZE && rc.code != 0)
		ret = -EBADMSG;
	else if (ret == 1)
		ret = end == LZMA_END_MARKER && rc.code == 0 ? 0 : -EBADMSG;
	if (ret == 0 && rc.overrun)
		ret = -EBADMSG;
	source_take(src, (size_t)(rc.p - src->p));
	return ret;
}

bool lzma_properties_set(struct lzma *s, u8 properties)
{
	u32 lc = properties % 9, lp = properties / 9 % 5, pb = properties / 45;

	if (properties >= PROPERTIES_MAX || lc + lp > 4)
		return false;
	s->lc = lc;
	s->literal_mask = (1U << lp) - 1;
	s->pos_mask = (1U << pb) - 1;
	return true;
}

void lzma_state_reset(struct lzma *s)
{
	u16 *probs = (u16 *)&s->probs;

	for (size_t i = 0; i < sizeof(s->probs) / sizeof(*probs); i++)
		probs[i] = PROB_INIT;
	s->state = 0;
	memset(s->repeat, 0, sizeof(s->repeat));
}

#define ALONE_HEADER 13
#define ALONE_UNKNOWN_SIZE UINT64_MAX

int lzma_alone_decode(struct source *src, struct sink *dst, void *scratch)
{
	struct lzma *s = scratch;
	u64 size;

	if (src->left < ALONE_HEADER)
		return -EBADMSG;
	if (!lzma_properties_set(s, src->p[0]))
		return src->p[0] < PROPERTIES_MAX ? -EOPNOTSUPP : -EBADMSG;
	size = get_le64(src->p + 5);
	source_take(src, ALONE_HEADER);
	lzma_state_reset(s);
	s->dictionary_start = dst->pos;
	if (size == ALONE_UNKNOWN_SIZE)
		return lzma_stream_decode(s, src, dst, dst->cap, LZMA_END_MARKER);
	if (size > dst->cap)
		return -ENOSPC;
	return lzma_stream_decode(s, src, dst, size, LZMA_END_EITHER);
}
