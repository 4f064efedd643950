/* SPDX-License-Identifier: BSD-2-Clause */
/* Decoder for emulated instructions. Opcodes: AMD64 manual volume 3, appendix A. */
#include "decode.h"

#include <hv/errno.h>
#include <hv/string.h>

#define REX_W 8u
#define REX_R 4u
#define REX_X 2u
#define REX_B 1u

struct cursor {
	const u8 *p, *end;
	enum code_mode mode;
	u8 rex;
	bool opsize, addrsize, repne, lock;
	bool short_of;		/* ran out of bytes */
};

static u8 next_byte(struct cursor *c)
{
	if (c->p == c->end) {
		c->short_of = true;
		return 0;
	}
	return *c->p++;
}

static s32 next_s8(struct cursor *c)
{
	return (s8)next_byte(c);
}

static s32 next_s32(struct cursor *c)
{
	u32 val = next_byte(c);

	val |= (u32)next_byte(c) << 8;
	val |= (u32)next_byte(c) << 16;
	val |= (u32)next_byte(c) << 24;
	return (s32)val;
}

/* Prefixes; returns the first byte of the opcode. A REX prefix counts only right in front of it. */
static u8 decode_prefixes(struct cursor *c, struct insn *i)
{
	for (;;) {
		u8 b = next_byte(c);

		if (c->short_of)
			return 0;
		if (c->mode == CODE_64 && (b & 0xf0) == 0x40) {
			c->rex = b;
			continue;
		}
		switch (b) {
		case 0x66: c->opsize = true; break;
		case 0x67: c->addrsize = true; break;
		case 0xf0: c->lock = true; break;
		case 0xf2: c->repne = true; break;
		case 0xf3: i->rep = true; break;
		case 0x26: i->seg = SEG_ES; break;
		case 0x2e: i->seg = SEG_CS; break;
		case 0x36: i->seg = SEG_SS; break;
		case 0x3e: i->seg = SEG_DS; break;
		case 0x64: i->seg = SEG_FS; break;
		case 0x65: i->seg = SEG_GS; break;
		default: return b;
		}
		c->rex = 0;
	}
}

static u8 address_size(const struct cursor *c)
{
	if (c->mode == CODE_64)
		return c->addrsize ? 4 : 8;
	return (c->mode == CODE_32) != c->addrsize ? 4 : 2;
}

/* Size of the data of IN and OUT: never 8. */
static u8 io_size(const struct cursor *c, u8 opcode)
{
	if (!(opcode & 1))
		return 1;
	return (c->mode == CODE_16) != c->opsize ? 2 : 4;
}

static u8 word_size(const struct cursor *c)
{
	if (c->rex & REX_W)
		return 8;
	return (c->mode == CODE_16) != c->opsize ? 2 : 4;
}

/* Memory operand with 32 or 64-bit addressing. Operands with 16-bit addressing are left to the guest (op unknown). */
static bool decode_memory(struct cursor *c, struct insn *i, u8 modrm, bool seg_given)
{
	u8 mod = modrm >> 6, rm = modrm & 7, sib;

	if (i->addr_size == 2)
		return false;
	i->base = (u8)(rm | (c->rex & REX_B ? 8 : 0));
	if (rm == 4) {
		sib = next_byte(c);
		i->scale = sib >> 6;
		i->index = (u8)((sib >> 3 & 7) | (c->rex & REX_X ? 8 : 0));
		if (i->index == 4)
			i->index = INSN_NO_REG;
		rm = sib & 7;
		i->base = (u8)(rm | (c->rex & REX_B ? 8 : 0));
		if (mod == 0 && rm == 5)
			i->base = INSN_NO_REG;
	} else if (mod == 0 && rm == 5) {
		i->base = INSN_NO_REG;
		i->rip_relative = c->mode == CODE_64;
	}
	if (mod == 1)
		i->disp = next_s8(c);
	else if (mod == 2 || (mod == 0 && rm == 5))
		i->disp = next_s32(c);
	if (!seg_given && (i->base == 4 || i->base == 5))
		i->seg = SEG_SS;
	return true;
}

/* ModRM of a store to memory. False: the destination is a register. */
static bool decode_store(struct cursor *c, struct insn *i, bool byte, bool seg_given, u8 *modrm)
{
	*modrm = next_byte(c);
	i->size = byte ? 1 : word_size(c);
	return *modrm >> 6 != 3 && decode_memory(c, i, *modrm, seg_given);
}

static s32 next_immediate(struct cursor *c, u8 size)
{
	s32 val;

	if (size == 1)
		return next_s8(c);
	if (size != 2)
		return next_s32(c);
	val = next_byte(c);
	val |= (s32)next_byte(c) << 8;
	return (s16)val;
}

/* Stores with a register as source. */
static u8 decode_store_reg(struct cursor *c, struct insn *i, bool byte, bool seg_given, u8 op)
{
	u8 modrm;

	if (!decode_store(c, i, byte, seg_given, &modrm))
		return INSN_UNKNOWN;
	i->reg = (u8)((modrm >> 3 & 7) | (c->rex & REX_R ? 8 : 0));
	if (byte && !c->rex && i->reg >= 4) {
		i->reg = (u8)(i->reg - 4);
		i->reg_high = true;
	}
	return op;
}

/* 80, 81, 83: ADD OR ADC SBB AND SUB XOR CMP with an immediate. */
static u8 decode_group1(struct cursor *c, struct insn *i, u8 opcode, bool seg_given)
{
	static const u8 op[8] = { INSN_ADD, INSN_OR, INSN_UNKNOWN, INSN_UNKNOWN, INSN_AND, INSN_SUB, INSN_XOR, INSN_UNKNOWN };
	u8 modrm;

	if (!decode_store(c, i, opcode == 0x80, seg_given, &modrm))
		return INSN_UNKNOWN;
	i->has_imm = true;
	i->imm = next_immediate(c, opcode == 0x81 ? i->size : 1);
	return op[modrm >> 3 & 7];
}

/* c6, c7: MOV with an immediate. 0f ba: BT BTS BTR BTC with an immediate. */
static u8 decode_store_imm(struct cursor *c, struct insn *i, u8 opcode, bool seg_given)
{
	static const u8 bit_op[8] = { [5] = INSN_BTS, [6] = INSN_BTR, [7] = INSN_BTC };
	u8 modrm;

	if (!decode_store(c, i, opcode == 0xc6, seg_given, &modrm))
		return INSN_UNKNOWN;
	i->has_imm = true;
	i->imm = next_immediate(c, opcode == 0xba ? 1 : i->size);
	if (opcode == 0xba)
		return bit_op[modrm >> 3 & 7];
	return modrm >> 3 & 7 ? INSN_UNKNOWN : INSN_MOV_STORE;
}

/* Opcode group 0f 01. */
static u8 decode_group7(struct cursor *c, struct insn *i, bool seg_given)
{
	u8 modrm = next_byte(c);

	if (modrm >> 6 == 3) {
		i->rm = (u8)((modrm & 7) | (c->rex & REX_B ? 8 : 0));
		switch (modrm) {
		case 0xd1: return INSN_XSETBV;
		case 0xf8: return c->mode == CODE_64 ? INSN_SWAPGS : INSN_UNKNOWN;
		case 0xf9: return INSN_RDTSCP;
		default: break;
		}
	} else if (!decode_memory(c, i, modrm, seg_given)) {
		return INSN_UNKNOWN;
	}
	switch (modrm >> 3 & 7) {
	case 4:
		i->size = i->rm == INSN_NO_REG ? 2 : word_size(c);
		return INSN_SMSW;
	case 6:
		i->size = 2;
		return INSN_LMSW;
	case 7:
		return i->rm == INSN_NO_REG ? INSN_INVLPG : INSN_UNKNOWN;
	default:
		return INSN_UNKNOWN;
	}
}

/* 0f 20 to 0f 23: the operand is a register whatever mod says. */
static u8 decode_control(struct cursor *c, struct insn *i, u8 opcode)
{
	static const u8 op[4] = { INSN_MOV_FROM_CR, INSN_MOV_FROM_DR, INSN_MOV_TO_CR, INSN_MOV_TO_DR };
	u8 modrm = next_byte(c);

	i->reg = (u8)((modrm >> 3 & 7) | (c->rex & REX_R ? 8 : 0));
	i->rm = (u8)((modrm & 7) | (c->rex & REX_B ? 8 : 0));
	i->size = c->mode == CODE_64 ? 8 : 4;
	return op[opcode & 3];
}

static u8 decode_two_byte(struct cursor *c, struct insn *i, bool seg_given)
{
	u8 opcode = next_byte(c);

	switch (opcode) {
	case 0x01: return decode_group7(c, i, seg_given);
	case 0x06: return INSN_CLTS;
	case 0x08: return INSN_INVD;
	case 0x09: return INSN_WBINVD;
	case 0x20: case 0x21: case 0x22: case 0x23: return decode_control(c, i, opcode);
	case 0x30: return INSN_WRMSR;
	case 0x31: return INSN_RDTSC;
	case 0x32: return INSN_RDMSR;
	case 0x33: return INSN_RDPMC;
	case 0xa2: return INSN_CPUID;
	case 0xab: return decode_store_reg(c, i, false, seg_given, INSN_BTS);
	case 0xb0: case 0xb1: return decode_store_reg(c, i, opcode == 0xb0, seg_given, INSN_CMPXCHG);
	case 0xb3: return decode_store_reg(c, i, false, seg_given, INSN_BTR);
	case 0xba: return decode_store_imm(c, i, opcode, seg_given);
	case 0xbb: return decode_store_reg(c, i, false, seg_given, INSN_BTC);
	case 0xc0: case 0xc1: return decode_store_reg(c, i, opcode == 0xc0, seg_given, INSN_XADD);
	default: return INSN_UNKNOWN;
	}
}

static u8 decode_one_byte(struct cursor *c, struct insn *i, u8 opcode, bool seg_given)
{
	switch (opcode) {
	case 0x00: case 0x01: return decode_store_reg(c, i, !(opcode & 1), seg_given, INSN_ADD);
	case 0x08: case 0x09: return decode_store_reg(c, i, !(opcode & 1), seg_given, INSN_OR);
	case 0x20: case 0x21: return decode_store_reg(c, i, !(opcode & 1), seg_given, INSN_AND);
	case 0x28: case 0x29: return decode_store_reg(c, i, !(opcode & 1), seg_given, INSN_SUB);
	case 0x30: case 0x31: return decode_store_reg(c, i, !(opcode & 1), seg_given, INSN_XOR);
	case 0x80: case 0x81: case 0x83: return decode_group1(c, i, opcode, seg_given);
	case 0x86: case 0x87: return decode_store_reg(c, i, !(opcode & 1), seg_given, INSN_XCHG);
	case 0x88: case 0x89: return decode_store_reg(c, i, !(opcode & 1), seg_given, INSN_MOV_STORE);
	case 0xc6: case 0xc7: return decode_store_imm(c, i, opcode, seg_given);
	case 0x6c: case 0x6d:
		i->size = io_size(c, opcode);
		i->port_dx = true;
		return INSN_INS;
	case 0x6e: case 0x6f:
		i->size = io_size(c, opcode);
		i->port_dx = true;
		return INSN_OUTS;
	case 0xe4: case 0xe5: case 0xe6: case 0xe7:
		i->size = io_size(c, opcode);
		i->port = next_byte(c);
		return opcode & 2 ? INSN_OUT : INSN_IN;
	case 0xec: case 0xed: case 0xee: case 0xef:
		i->size = io_size(c, opcode);
		i->port_dx = true;
		return opcode & 2 ? INSN_OUT : INSN_IN;
	case 0xfa: return INSN_CLI;
	case 0xfb: return INSN_STI;
	default: return INSN_UNKNOWN;
	}
}

int insn_decode(struct insn *i, const u8 *bytes, u32 count, enum code_mode mode)
{
	struct cursor c = { .p = bytes, .end = bytes + MIN(count, INSN_MAX), .mode = mode };
	const u8 no_seg = 0xff;
	bool seg_given;
	u8 opcode;

	memset(i, 0, sizeof(*i));
	i->rm = i->base = i->index = INSN_NO_REG;
	i->seg = no_seg;
	opcode = decode_prefixes(&c, i);
	seg_given = i->seg != no_seg;
	if (!seg_given)
		i->seg = SEG_DS;
	i->addr_size = address_size(&c);
	if (c.short_of)
		return count < INSN_MAX ? -EAGAIN : -EINVAL;
	/* F2 repeats INS and OUTS as well. */
	i->rep |= c.repne;
	i->op = opcode == 0x0f ? decode_two_byte(&c, i, seg_given) : decode_one_byte(&c, i, opcode, seg_given);
	if (c.short_of)
		return count < INSN_MAX ? -EAGAIN : -EINVAL;
	if (c.lock && i->op <= INSN_MOV_STORE)
		i->op = INSN_UNKNOWN;
	i->len = (u8)(c.p - bytes);
	return 0;
}
