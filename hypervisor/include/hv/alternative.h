/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions that are replaced at boot, when the features of the CPU are known, before other CPUs start: a CPU that does not
 * need them runs no more than a no-op. The replacement may be longer than what is replaced (which is then padded). Of the
 * instructions with relative targets, it may hold a call or jmp with a 32-bit offset, and that as its first instruction only.
 */
#ifndef HV_ALTERNATIVE_H
#define HV_ALTERNATIVE_H

/* Added to a feature: replace where the CPU does not have it. */
#define ALTERNATIVE_NOT 0x8000

#ifdef __ASSEMBLY__
#include <hv/asm_offsets.h>

.macro ALTERNATIVE_ENTRY old, new, feature:req
661:	\old
662:	.skip -(((664f - 663f) - (662b - 661b)) > 0) * ((664f - 663f) - (662b - 661b)), 0x90
665:
	.pushsection .alternatives.text, "a"
663:	\new
664:	.popsection
	.pushsection .alternatives, "a"
	.balign 4
	.long 661b - .
	.long 663b - .
	.short \feature
	.byte 665b - 661b
	.byte 664b - 663b
	.popsection
.endm
#define ALTERNATIVE(old, new, feature) ALTERNATIVE_ENTRY old, new, feature
#else
#include <hv/types.h>

#define ALTERNATIVE_STRING_(x) #x
#define ALTERNATIVE_STRING(x) ALTERNATIVE_STRING_(x)
/* For asm statements; feature is one of hv/features.h as an "i" operand named in brackets, such as %c[feature]. */
#define ALTERNATIVE(old, new, feature) \
	"661:\t" old "\n662:\t.skip -(((664f - 663f) - (662b - 661b)) > 0) * ((664f - 663f) - (662b - 661b)), 0x90\n" \
	"665:\n\t.pushsection .alternatives.text, \"a\"\n663:\t" new "\n664:\t.popsection\n" \
	"\t.pushsection .alternatives, \"a\"\n\t.balign 4\n\t.long 661b - .\n\t.long 663b - .\n\t.short " feature "\n" \
	"\t.byte 665b - 661b\n\t.byte 664b - 663b\n\t.popsection\n"

struct alternative {
	s32 old, new;		/* offsets relative to their own place */
	u16 feature;		/* enum cpu_feature, and ALTERNATIVE_NOT */
	u8 old_size, new_size;
};

extern const struct alternative alternatives_start[], alternatives_end[];

/* Writes what shall stand at alt's place for these features to code: old_size bytes, with long no-ops for padding. */
void alternative_build(const struct alternative *alt, const bool *features, u8 *code);
/* Boot, on CPU 0, once, while the image's text is writable. */
void alternatives_apply(void);
#endif

#endif
