/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page faults that are not the guest's doing: stale translations, and stores of a guest kernel to a page table of its own that it sees
 * read-only. Such a store is decoded and made as a validated update of the entry.
 */
#include "decode.h"
#include "emulate.h"
#include "mmu.h"

#include <hv/errno.h>
#include <hv/guest.h>
#include <hv/pv.h>
#include <hv/regs.h>
#include <hv/tlb.h>

#define RPL_MASK 3u
/* Another CPU changes the same entry: how often a read-modify-write is tried again before the guest executes it once more. */
#define TRIES 16
#define FLAG_PF (1u << 2)
#define FLAG_AF (1u << 4)
#define FLAG_ZF (1u << 6)
#define FLAG_SF (1u << 7)
#define FLAG_OF (1u << 11)
#define FLAGS_ARITHMETIC (FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF)

/* --- walks --- */

struct walk {
	u64 l1_entry;
	bool writable_above, nx;	/* by the tables above the L1 */
};

/* What the guest's tables say of va in its present mode; false: not present. */
static bool walk(const struct vcpu *v, gva_t va, struct walk *w)
{
	mfn_t m = v->pv->kernel_mode ? v->pv->kernel_root : v->pv->user_root;

	*w = (struct walk){ .writable_above = true };
	for (unsigned int level = 4;; level--) {
		const u64 *table;
		u64 e;

		/* Tables may change under us, but what is a table of ours at this moment can be read. */
		if (m.v >= frame_limit || !frame_type_has_key(frame_of(m), frame_type_key(table_type(level), v->domain->id)))
			return false;
		table = frame_map(m);
		e = READ_ONCE(table[pte_index(va, level)]);
		frame_unmap(table);
		if (!(e & PTE_PRESENT))
			return false;
		w->nx |= (e & PTE_NX) != 0;
		if (level == 1) {
			w->l1_entry = e;
			return true;
		}
		w->writable_above &= (e & PTE_WRITE) != 0;
		m = pte_mfn(e);
	}
}

static bool access_permitted(const struct walk *w, u32 error)
{
	if ((error & PFEC_WRITE) && !(w->writable_above && (w->l1_entry & PTE_WRITE)))
		return false;
	return !((error & PFEC_FETCH) && w->nx);
}

/* --- stores --- */

struct store {
	u8 op;			/* enum insn_op */
	unsigned int bits;	/* of the operand */
	u64 mask;
	u64 src;
	u64 rax;
};

static u32 result_flags(u64 result, unsigned int bits)
{
	u32 flags = 0;

	if (result == 0)
		flags |= FLAG_ZF;
	if (result >> (bits - 1) & 1)
		flags |= FLAG_SF;
	if (!__builtin_parity((u8)result))
		flags |= FLAG_PF;
	return flags;
}

static u32 add_flags(u64 a, u64 b, u64 sum, unsigned int bits)
{
	u32 flags = result_flags(sum, bits);

	if (sum < a)
		flags |= FLAG_CF;
	if ((a ^ sum) & (b ^ sum) & 1UL << (bits - 1))
		flags |= FLAG_OF;
	if ((a ^ b ^ sum) & 16)
		flags |= FLAG_AF;
	return flags;
}

static u32 sub_flags(u64 a, u64 b, u64 difference, unsigned int bits)
{
	u32 flags = result_flags(difference, bits);

	if (a < b)
		flags |= FLAG_CF;
	if ((a ^ b) & (a ^ difference) & 1UL << (bits - 1))
		flags |= FLAG_OF;
	if ((a ^ b ^ difference) & 16)
		flags |= FLAG_AF;
	return flags;
}

/* The new value of the operand; flags: the arithmetic flags, changed where the instruction does. */
static u64 store_result(const struct store *s, u64 old, u32 *flags)
{
	u64 bit = 1UL << (s->src & (s->bits - 1)), result;

	switch (s->op) {
	case INSN_ADD:
	case INSN_XADD:
		result = (old + s->src) & s->mask;
		*flags = add_flags(old, s->src, result, s->bits);
		return result;
	case INSN_SUB:
		result = (old - s->src) & s->mask;
		*flags = sub_flags(old, s->src, result, s->bits);
		return result;
	case INSN_AND:
		result = old & s->src;
		*flags = result_flags(result, s->bits);
		return result;
	case INSN_OR:
		result = old | s->src;
		*flags = result_flags(result, s->bits);
		return result;
	case INSN_XOR:
		result = old ^ s->src;
		*flags = result_flags(result, s->bits);
		return result;
	case INSN_CMPXCHG:
		*flags = sub_flags(s->rax, old, (s->rax - old) & s->mask, s->bits);
		return s->rax == old ? s->src : old;
	case INSN_BTS:
	case INSN_BTR:
	case INSN_BTC:
		*flags = (*flags & ~FLAG_CF) | (old & bit ? FLAG_CF : 0);
		return s->op == INSN_BTS ? old | bit : s->op == INSN_BTR ? old & ~bit : old ^ bit;
	default:
		return s->src;	/* MOV, XCHG */
	}
}

static void store_finish(struct regs *r, const struct insn *i, const struct store *s, u64 old)
{
	u64 *reg = pv_gpr(r, i->reg);

	switch (i->op) {
	case INSN_XCHG:
	case INSN_XADD:
		if (i->reg_high)
			*reg = (*reg & ~0xff00UL) | old << 8;
		else
			pv_gpr_write(r, i->reg, i->size, old);
		break;
	case INSN_CMPXCHG:
		if (s->rax != old)
			pv_gpr_write(r, 0, i->size, old);
		break;
	default:
		break;
	}
}

/* The instruction that faulted; only of 64-bit kernel code. */
static bool store_decode(struct vcpu *v, struct regs *r, struct insn *i)
{
	u8 bytes[INSN_MAX];
	u32 n = (u32)MIN(INSN_MAX, PAGE_SIZE - (r->rip & ~PAGE_MASK));
	int rc;

	if ((r->cs & ~(u64)RPL_MASK) != (FLAT_KERNEL_CS64 & ~RPL_MASK) || guest_copy_in(v, bytes, r->rip, n))
		return false;
	rc = insn_decode(i, bytes, n, CODE_64);
	if (rc == -EAGAIN && n < INSN_MAX) {
		if (guest_copy_in(v, bytes + n, r->rip + n, INSN_MAX - n))
			return false;
		rc = insn_decode(i, bytes, INSN_MAX, CODE_64);
	}
	return rc == 0 && i->op >= INSN_MOV_STORE;
}

/* 0, or -EAGAIN: it changed meanwhile, or validation was preempted; or another error: the guest may not have that entry. */
static int entry_change(struct vcpu *v, struct frame *f, unsigned int index, u64 old, u64 val)
{
	const struct mmu_rules r = mmu_rules_own(v->domain);
	int rc = 0;

	if (val & PTE_PRESENT)
		rc = l1_entry_get(v, &r, &val);
	else if (unlikely(!pte_absent_ok(val)))
		rc = -EINVAL;
	if (rc)
		return rc == -ERESTART ? -EAGAIN : rc;
	rc = l1_commit_if(v, v->domain, f, index, old, val);
	if (rc)
		l1_entry_put(v, val);
	return rc;
}

static bool store_emulate(struct vcpu *v, struct regs *r, gva_t addr, struct frame *f)
{
	unsigned int index = (addr & ~PAGE_MASK) / sizeof(u64), shift = (addr & 7) * 8;
	struct store s;
	struct insn i;
	u64 src;

	if (!store_decode(v, r, &i) || shift + i.size * 8u > 64)
		return false;
	src = *pv_gpr(r, i.reg) >> (i.reg_high ? 8 : 0);
	s = (struct store){ .op = i.op, .bits = i.size * 8u, .mask = ~0UL >> (64 - i.size * 8u) };
	s.src = (i.has_imm ? (u64)(s64)i.imm : src) & s.mask;
	s.rax = r->rax & s.mask;
	for (unsigned int tries = 0; tries < TRIES; tries++) {
		const u64 *table = frame_map(frame_mfn(f));
		u64 whole = READ_ONCE(table[index]), old = whole >> shift & s.mask, new;
		u32 flags = (u32)r->rflags & FLAGS_ARITHMETIC;
		int rc;

		frame_unmap(table);
		new = store_result(&s, old, &flags);
		rc = entry_change(v, f, index, whole, (whole & ~(s.mask << shift)) | new << shift);
		if (rc == -EAGAIN)
			continue;
		if (rc)
			return false;
		store_finish(r, &i, &s, old);
		r->rflags = (r->rflags & ~(u64)FLAGS_ARITHMETIC) | flags;
		pv_instruction_done(v, r, i.len);
		return true;
	}
	/* The guest executes it again. */
	return true;
}

static bool table_store(struct vcpu *v, struct regs *r, gva_t addr, const struct walk *w)
{
	mfn_t m = pte_mfn(w->l1_entry);

	if (!v->pv->kernel_mode || !w->writable_above || !(v->domain->vm_assist & 1UL << VMASST_TYPE_writable_pagetables))
		return false;
	if (m.v >= frame_limit || !frame_type_has_key(frame_of(m), frame_type_key(FRAME_L1, v->domain->id)))
		return false;
	return store_emulate(v, r, addr, frame_of(m));
}

bool pv_fault_fixup(struct vcpu *v, struct regs *r, gva_t addr)
{
	struct walk w;

	if ((r->error & PFEC_RESERVED) || !guest_range_ok(addr, 1) || !walk(v, addr, &w))
		return false;
	if (access_permitted(&w, r->error)) {
		tlb_flush_page_local(addr);
		return true;
	}
	return (r->error & PFEC_WRITE) && table_store(v, r, addr, &w);
}
