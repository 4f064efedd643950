/* SPDX-License-Identifier: BSD-2-Clause */
/* General registers by the numbers that instructions have for them. */
#include "emulate.h"

#include <hv/regs.h>

u64 *pv_gpr(struct regs *r, unsigned int n)
{
	static const u8 place[16] = {
		offsetof(struct regs, rax), offsetof(struct regs, rcx), offsetof(struct regs, rdx),
		offsetof(struct regs, rbx), offsetof(struct regs, rsp), offsetof(struct regs, rbp),
		offsetof(struct regs, rsi), offsetof(struct regs, rdi), offsetof(struct regs, r8),
		offsetof(struct regs, r9), offsetof(struct regs, r10), offsetof(struct regs, r11),
		offsetof(struct regs, r12), offsetof(struct regs, r13), offsetof(struct regs, r14),
		offsetof(struct regs, r15),
	};

	return (u64 *)((u8 *)r + place[n & 15]);
}

void pv_gpr_write(struct regs *r, unsigned int n, u32 size, u64 val)
{
	u64 *gpr = pv_gpr(r, n);

	switch (size) {
	case 1:
		*gpr = (*gpr & ~0xffUL) | (val & 0xff);
		break;
	case 2:
		*gpr = (*gpr & ~0xffffUL) | (val & 0xffff);
		break;
	case 4:
		*gpr = (u32)val;
		break;
	default:
		*gpr = val;
		break;
	}
}
