/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The register frame that entry code pushes. args[] are the six hypercall arguments in order, so that a hypercall's
 * arguments are read and (for a preempted hypercall) advanced in place; a multicall entry has the same array.
 */
#ifndef HV_REGS_H
#define HV_REGS_H

#include <hv/types.h>

struct regs {
	u64 r15, r14, r13, r12, rbp, rbx;
	union {
		struct { u64 rdi, rsi, rdx, r10, r8, r9; };
		u64 args[6];
	};
	u64 rax, rcx, r11;
	/* Hardware error code (exceptions that have one), else 0. */
	u32 error;
	/* Vector, or TRAP_SYSCALL for the SYSCALL entry: how the hypervisor was entered; also how it may be left. */
	u32 vector;
	u64 rip, cs, rflags, rsp, ss;
};

/* regs.vector when entered by SYSCALL: rcx and r11 hold rip and rflags, SYSRET may be used to leave. */
#define TRAP_SYSCALL 0x100
/* Other fast entries, left by IRETQ: SYSCALL in 32-bit code, and SYSENTER (which loses rip and rsp: both are 0 in the frame). */
#define TRAP_SYSCALL32 0x101
#define TRAP_SYSENTER 0x102

enum trap_vector {
	TRAP_DE = 0, TRAP_DB = 1, TRAP_NMI = 2, TRAP_BP = 3, TRAP_OF = 4, TRAP_BR = 5, TRAP_UD = 6, TRAP_NM = 7,
	TRAP_DF = 8, TRAP_TS = 10, TRAP_NP = 11, TRAP_SS = 12, TRAP_GP = 13, TRAP_PF = 14, TRAP_MF = 16,
	TRAP_AC = 17, TRAP_MC = 18, TRAP_XM = 19, TRAP_VE = 20, TRAP_CP = 21,
};

#define PFEC_PRESENT 1u
#define PFEC_WRITE 2u
#define PFEC_USER 4u
#define PFEC_RESERVED 8u
#define PFEC_FETCH 16u

#define FLAG_CF (1u << 0)
#define FLAG_TF (1u << 8)
#define FLAG_IF (1u << 9)
#define FLAG_DF (1u << 10)
#define FLAG_IOPL (3u << 12)
#define FLAG_NT (1u << 14)
#define FLAG_RF (1u << 16)
#define FLAG_VM (1u << 17)
#define FLAG_AC (1u << 18)
#define FLAG_VIF (1u << 19)
#define FLAG_VIP (1u << 20)
#define FLAG_ID (1u << 21)

/* True when the frame was pushed on entry from a guest (ring 3), false when the hypervisor itself was interrupted. */
static inline bool regs_from_guest(const struct regs *r)
{
	return (r->cs & 3) != 0;
}

#endif
