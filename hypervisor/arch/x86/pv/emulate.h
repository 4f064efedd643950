/* SPDX-License-Identifier: BSD-2-Clause */
/* Emulation of privileged instructions for PV guests. Private to arch/x86/pv. */
#ifndef PV_EMULATE_H
#define PV_EMULATE_H

#include "decode.h"

#include <hv/types.h>

struct vcpu;
struct regs;

/* What became of an instruction. */
enum emulation {
	EMULATED,		/* done: go past it */
	EMULATE_AGAIN,		/* progress was made (or an operation was preempted): run it once more */
	EMULATE_REFUSED,	/* the exception that led here is the guest's */
	EMULATE_INJECTED,	/* another exception was given to the guest */
};

/* Emulates the instruction at r->rip, which raised #GP(0) in v, or gives the exception to the guest. */
void pv_emulate_privileged(struct vcpu *v, struct regs *r);
/* The forced-emulation prefix (ud2; .ascii "xen") and CPUID: seven bytes. rip is at the prefix. */
#define FORCED_CPUID 0xa20f6e65780b0fUL
#define FORCED_CPUID_LEN 7
void pv_forced_cpuid(struct vcpu *v, struct regs *r);

/* Goes past an instruction of `len` bytes; delivers the single-step trap when the guest asked for it. */
void pv_instruction_done(struct vcpu *v, struct regs *r, u32 len);

/* General register by number. */
u64 *pv_gpr(struct regs *r, unsigned int n);
/* Writes a register as an instruction with this operand size does (4 bytes clear the upper half). */
void pv_gpr_write(struct regs *r, unsigned int n, u32 size, u64 val);
/* Linear base of a segment of v, which runs here, for code of this mode. */
u64 pv_segment_base(struct vcpu *v, const struct regs *r, enum insn_seg seg, enum code_mode mode);

/* IN, OUT, INS, OUTS (pv/port.c). */
enum emulation pv_emulate_port(struct vcpu *v, struct regs *r, const struct insn *i, enum code_mode mode);
/* Control and debug registers, MSW (pv/control.c). */
enum emulation pv_emulate_control(struct vcpu *v, struct regs *r, const struct insn *i, enum code_mode mode);
/* Address of the memory operand. */
gva_t pv_operand_address(struct vcpu *v, struct regs *r, const struct insn *i, enum code_mode mode);

/* The guest kernel's virtual privilege level: 0 or 1 by vm_assist; user mode is 3. */
u8 pv_cpl(const struct vcpu *v);

#endif
