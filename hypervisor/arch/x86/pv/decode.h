/* SPDX-License-Identifier: BSD-2-Clause */
/* Decoder of the instructions that are emulated for PV guests: pure, from bytes to a struct. Private to arch/x86/pv. */
#ifndef PV_DECODE_H
#define PV_DECODE_H

#include <hv/types.h>
#include <hv/compiler.h>

#define INSN_MAX 15u

enum insn_op {
	INSN_UNKNOWN,		/* not ours: the exception is the guest's */
	INSN_IN, INSN_OUT, INSN_INS, INSN_OUTS,
	INSN_CLI, INSN_STI, INSN_CLTS, INSN_INVD, INSN_WBINVD,
	INSN_MOV_FROM_CR, INSN_MOV_TO_CR, INSN_MOV_FROM_DR, INSN_MOV_TO_DR,
	INSN_RDMSR, INSN_WRMSR, INSN_RDTSC, INSN_RDTSCP, INSN_RDPMC, INSN_CPUID, INSN_XSETBV,
	INSN_LMSW, INSN_SMSW, INSN_INVLPG, INSN_SWAPGS,
	/* Stores to memory that kernels change page tables with; alone these may have a LOCK prefix. Keep INSN_MOV_STORE the first. */
	INSN_MOV_STORE, INSN_XCHG, INSN_CMPXCHG, INSN_XADD, INSN_ADD, INSN_SUB, INSN_AND, INSN_OR, INSN_XOR,
	INSN_BTS, INSN_BTR, INSN_BTC,
};

/* Segment of a memory operand; the first four have base 0 in 64-bit mode. */
enum insn_seg { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS };

#define INSN_NO_REG 0xff

struct insn {
	u8 op;			/* enum insn_op */
	u8 len;			/* bytes, prefixes included */
	u8 size;		/* operand size in bytes: of the data for I/O, of the register otherwise */
	u8 addr_size;		/* 2, 4, 8 */
	u8 seg;			/* enum insn_seg of the memory operand, or of the source of OUTS */
	bool rep;
	bool port_dx;		/* port in DX, else `port` */
	u8 port;
	u8 reg;			/* CR or DR number; of a store the general register that is its source */
	bool reg_high;		/* bits 8 to 15 of it: AH, CH, DH, BH */
	bool has_imm;		/* of a store: the source is imm, sign-extended, not reg */
	s32 imm;
	u8 rm;			/* general register operand, INSN_NO_REG when it is in memory */
	/* Memory operand: base + index * scale + disp; registers may be INSN_NO_REG. rip_relative: disp counts from the next instruction. */
	bool rip_relative;
	u8 base, index, scale;
	s32 disp;
};

/* How the code segment says that bytes are to be read. */
enum code_mode { CODE_16, CODE_32, CODE_64 };

/*
 * Decodes the instruction at the start of bytes. Returns 0 (op may be INSN_UNKNOWN), -EAGAIN when there are not enough
 * bytes yet, -EINVAL when it is longer than INSN_MAX.
 */
int insn_decode(struct insn *i, const u8 *bytes, u32 count, enum code_mode mode) must_check;

/*
 * The most frequent ones without any prefix: RDMSR, and IN and OUT with the port in DX. True when it is one of them and fully there; of
 * *i, only op, len, size, rep and port_dx are set then.
 */
static inline bool insn_decode_frequent(struct insn *i, u64 bytes, u32 count, enum code_mode mode)
{
	u8 opcode = (u8)bytes;

	i->rep = false;
	i->port_dx = true;
	if (opcode >= 0xec && opcode <= 0xef) {
		i->op = opcode & 2 ? INSN_OUT : INSN_IN;
		i->size = opcode & 1 ? (mode == CODE_16 ? 2 : 4) : 1;
		i->len = 1;
		return true;
	}
	i->op = INSN_RDMSR;
	i->len = 2;
	return (u16)bytes == 0x320f && count >= 2;
}

#endif
