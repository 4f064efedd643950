/* SPDX-License-Identifier: BSD-2-Clause */
#include <hv/alternative.h>
#include <hv/features.h>
#include <hv/log.h>
#include <hv/string.h>

#define JUMP_SIZE 5
#define CODE_MAX 255
#define NOP_MAX 9

/* The no-ops that both vendors' manuals recommend, by length. */
static const u8 nops[NOP_MAX][NOP_MAX] = {
	{ 0x90 }, { 0x66, 0x90 }, { 0x0f, 0x1f, 0x00 }, { 0x0f, 0x1f, 0x40, 0x00 }, { 0x0f, 0x1f, 0x44, 0x00, 0x00 },
	{ 0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00 }, { 0x0f, 0x1f, 0x80, 0, 0, 0, 0 }, { 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0 },
	{ 0x66, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0 },
};

static const u8 *place_of(const s32 *offset)
{
	return (const u8 *)offset + *offset;
}

static void nops_fill(u8 *code, unsigned int size)
{
	while (size) {
		unsigned int n = MIN(size, (unsigned int)NOP_MAX);

		memcpy(code, nops[n - 1], n);
		code += n;
		size -= n;
	}
}

/* Bytes at the end of code that are one-byte no-ops: the padding that the assembler put there. */
static unsigned int padding(const u8 *code, unsigned int size)
{
	unsigned int n = 0;

	while (n < size && code[size - 1 - n] == 0x90)
		n++;
	return n;
}

void alternative_build(const struct alternative *alt, const bool *features, u8 *code)
{
	const u8 *old = place_of(&alt->old), *new = place_of(&alt->new);
	bool wanted = features[alt->feature & ~ALTERNATIVE_NOT] != ((alt->feature & ALTERNATIVE_NOT) != 0);
	unsigned int size = alt->new_size;

	memcpy(code, wanted ? new : old, wanted ? size : alt->old_size);
	if (!wanted) {
		size = alt->old_size - padding(old, alt->old_size);
	} else if (size >= JUMP_SIZE && (new[0] == 0xe8 || new[0] == 0xe9)) {
		u32 target = get_le32(new + 1) + (u32)(new - old);

		memcpy(code + 1, &target, sizeof(target));
	}
	nops_fill(code + size, alt->old_size - size);
}

void alternatives_apply(void)
{
	u8 code[CODE_MAX];

	for (const struct alternative *alt = alternatives_start; alt < alternatives_end; alt++) {
		BUG_ON(alt->new_size > alt->old_size);
		alternative_build(alt, cpu_feature, code);
		memcpy((u8 *)place_of(&alt->old), code, alt->old_size);
	}
	/* Serialises: what was fetched before is dropped. */
	cpuid_host(0, 0);
}
