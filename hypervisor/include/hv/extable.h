/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exception table: places in hypervisor code that may fault on what a guest gave (guest memory, selectors, MSRs), and where
 * execution goes on then. Entries are pairs of 32-bit offsets, each relative to its own place, in section .extable,
 * which the linker script keeps between extable_start and extable_end, in no order.
 * The exception handler of hypervisor context (#PF, #GP, #NP, #SS, #TS, #UD) looks regs->rip up before it calls it a bug.
 */
#ifndef HV_EXTABLE_H
#define HV_EXTABLE_H

/* Inside an asm statement: a fault at `from` goes on at `to`; both are assembler labels, such as 1b and 2f. */
#ifndef __ASSEMBLY__
#define EXTABLE(from, to) \
	".pushsection .extable,\"a\"\n\t.balign 4\n\t.long " #from " - .\n\t.long " #to " - .\n\t.popsection\n\t"

#include <hv/types.h>

struct extable_entry {
	s32 from, to;
};

extern const struct extable_entry extable_start[], extable_end[];

/* Where to go on after a fault at rip; 0 when it is not in the table. Any context. */
u64 extable_find(u64 rip);
#else
.macro EXTABLE_ENTRY from:req, to:req
	.pushsection .extable, "a"
	.balign 4
	.long \from - .
	.long \to - .
	.popsection
.endm
#define EXTABLE(from, to) EXTABLE_ENTRY from, to
#endif

#endif
