/* SPDX-License-Identifier: BSD-2-Clause */
/* Emulation of privileged instructions: fetch, decode, do. */
#include "emulate.h"
#include "control.h"
#include "segment.h"

#include <hv/compiler.h>
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/features.h>
#include <hv/frame.h>
#include <hv/guest.h>
#include <hv/msr.h>
#include <hv/pv.h>
#include <hv/rangeset.h>
#include <hv/string.h>
#include <hv/time.h>
#include <hv/tlb.h>
#include <hv/x86.h>

#define DESC_LONG (1UL << 53)
#define DESC_BIG (1UL << 54)

u8 pv_cpl(const struct vcpu *v)
{
	if (!v->pv->kernel_mode)
		return 3;
	return v->domain->vm_assist & (1UL << VMASST_TYPE_architectural_iopl) ? 0 : 1;
}

/* ---- registers ---- */

static void edx_eax_write(struct regs *r, u64 val)
{
	r->rax = (u32)val;
	r->rdx = val >> 32;
}

/* ---- segments ---- */

/* The guest's descriptor that a selector names; false when it names none of the guest's. */
static bool guest_descriptor(const struct vcpu *v, u16 selector, u64 *desc)
{
	const struct pv_vcpu *pv = v->pv;
	u32 index = selector >> 3, page = index / 512;
	const u64 *table;
	mfn_t m;

	if (selector & 4) {
		if (index >= pv->ldt_entries || !(pv->ldt_mapped & 1u << page))
			return false;
		m = pv->ldt_frame[page];
	} else {
		if (index >= pv->gdt_entries)
			return false;
		m = pv->gdt_frame[page];
	}
	table = frame_map(m);
	*desc = READ_ONCE(table[index % 512]);
	frame_unmap(table);
	return true;
}

static u32 descriptor_base(u64 desc)
{
	return (u32)(desc >> 16 & 0xffffff) | (u32)(desc >> 56) << 24;
}

static enum code_mode code_mode(const struct vcpu *v, u16 cs)
{
	u64 desc;

	if (cs == FLAT_RING3_CS64)
		return CODE_64;
	/* Of the hypervisor's own segments only FLAT_RING3_CS32 is left. */
	if (!guest_descriptor(v, cs, &desc))
		return CODE_32;
	if (desc & DESC_LONG)
		return CODE_64;
	return desc & DESC_BIG ? CODE_32 : CODE_16;
}

u64 pv_segment_base(struct vcpu *v, const struct regs *r, enum insn_seg seg, enum code_mode mode)
{
	u16 selector;
	u64 desc;

	switch (seg) {
	case SEG_FS:
		return fs_base_read();
	case SEG_GS:
		return gs_base_read();
	case SEG_CS:
		selector = (u16)r->cs;
		break;
	case SEG_SS:
		selector = (u16)r->ss;
		break;
	case SEG_DS:
		selector = mode == CODE_64 ? 0 : sel_read_ds();
		break;
	case SEG_ES:
	default:
		selector = mode == CODE_64 ? 0 : sel_read_es();
		break;
	}
	if (mode == CODE_64 || !guest_descriptor(v, selector, &desc))
		return 0;
	return descriptor_base(desc);
}

static u64 address_trim(u64 addr, u32 size)
{
	if (size == 8)
		return addr;
	return size == 4 ? (u32)addr : (u16)addr;
}

gva_t pv_operand_address(struct vcpu *v, struct regs *r, const struct insn *i, enum code_mode mode)
{
	u64 addr = (u64)(s64)i->disp;

	if (i->rip_relative)
		addr += r->rip + i->len;
	if (i->base != INSN_NO_REG)
		addr += *pv_gpr(r, i->base);
	if (i->index != INSN_NO_REG)
		addr += *pv_gpr(r, i->index) << i->scale;
	return pv_segment_base(v, r, i->seg, mode) + address_trim(addr, i->addr_size);
}

/* ---- instructions without operands ---- */

/* Those that live in the CPU while v runs, and the one that asks for a hypercall page. */
static int msr_read(struct vcpu *v, u32 msr, u64 *val)
{
	switch (msr) {
	case MSR_FS_BASE:
		*val = fs_base_read();
		return 0;
	case MSR_GS_BASE:
		*val = gs_base_read();
		return 0;
	case MSR_KERNEL_GS_BASE:
		*val = gs_other_read();
		return 0;
	default:
		return msr_guest_read(v, msr, val);
	}
}

static int hypercall_page_write(struct vcpu *v, u64 val)
{
	mfn_t m = paddr_mfn(paddr(val));
	struct frame *f;
	void *page;

	/* The lowest bits are the number of the page; there is one. */
	if ((val & ~PAGE_MASK) || !frame_valid(m))
		return -EPERM;
	f = frame_of(m);
	if (!frame_get_writable(v, f, v->domain))
		return -EPERM;
	page = frame_map(m);
	pv_hypercall_page_fill(page);
	frame_unmap(page);
	frame_put_writable(f);
	return 0;
}

static int msr_write(struct vcpu *v, u32 msr, u64 val)
{
	switch (msr) {
	case MSR_FS_BASE:
	case MSR_GS_BASE:
	case MSR_KERNEL_GS_BASE:
		if (!is_canonical(val))
			return -EPERM;
		if (msr == MSR_FS_BASE)
			fs_base_write(val);
		else if (msr == MSR_GS_BASE)
			gs_base_write(val);
		else
			gs_other_write(val);
		return 0;
	case MSR_HYPERCALL_PAGE:
		return hypercall_page_write(v, val);
	default:
		return msr_guest_write(v, msr, val);
	}
}

static enum emulation msr_emulate(struct vcpu *v, struct regs *r, bool write)
{
	u32 msr = (u32)r->rcx;
	u64 val;

	if (write)
		return msr_write(v, msr, r->rdx << 32 | (u32)r->rax) ? EMULATE_REFUSED : EMULATED;
	if (msr_read(v, msr, &val)) {
		/* A kernel that has no handler yet probes (public header arch-x86/xen.h, trap_info). */
		if (v->pv->traps[TRAP_GP].address)
			return EMULATE_REFUSED;
		val = 0;
	}
	edx_eax_write(r, val);
	return EMULATED;
}

static enum emulation tsc_emulate(struct vcpu *v, struct regs *r, bool with_aux)
{
	u64 aux;

	/* CR4.TSD of the guest keeps its user mode out. */
	if (!v->pv->kernel_mode && (v->pv->cr4_guest & CR4_TSD))
		return EMULATE_REFUSED;
	if (with_aux) {
		if (msr_guest_read(v, MSR_TSC_AUX, &aux))
			return EMULATE_REFUSED;
		r->rcx = (u32)aux;
	}
	edx_eax_write(r, v->domain->vtsc ? tsc_guest_read(v->domain) : rdtsc());
	return EMULATED;
}

static enum emulation cpuid_emulate(struct vcpu *v, struct regs *r)
{
	struct cpuid_leaf leaf;

	if (v->pv->cpuid_faults && !v->pv->kernel_mode)
		return EMULATE_REFUSED;
	leaf = cpuid_guest(v, (u32)r->rax, (u32)r->rcx);
	r->rax = leaf.a;
	r->rbx = leaf.b;
	r->rcx = leaf.c;
	r->rdx = leaf.d;
	return EMULATED;
}

/*
 * CLI and STI may be executed with enough privilege, but do nothing: code that disables interrupts by CLI enables them again by
 * POPF, which does not trap (Linux does so before it has patched itself). Kernels use the event mask.
 */
static enum emulation interrupt_flag_emulate(const struct vcpu *v)
{
	return v->pv->iopl < pv_cpl(v) ? EMULATE_REFUSED : EMULATED;
}

static enum emulation xsetbv_emulate(struct vcpu *v, u32 index, u64 val)
{
	struct cpuid_leaf allowed = cpuid_guest(v, 0xd, 0);

	if (val & ~((u64)allowed.d << 32 | allowed.a) || xcr0_set(v, index, val))
		return EMULATE_REFUSED;
	return EMULATED;
}

/* Only a domain that has devices can have a use for it. */
static void cache_flush_emulate(const struct vcpu *v)
{
	if (!rangeset_empty(v->domain->iomem))
		wbinvd();
}

static enum emulation invlpg_emulate(struct vcpu *v, struct regs *r, const struct insn *i, enum code_mode mode)
{
	gva_t addr = pv_operand_address(v, r, i, mode);

	if (guest_range_ok(addr, 1))
		tlb_flush_page_local(addr);
	return EMULATED;
}

/* Those that need the guest kernel's privilege. */
static enum emulation kernel_emulate(struct vcpu *v, struct regs *r, const struct insn *i, enum code_mode mode)
{
	switch (i->op) {
	case INSN_CLTS:
		pv_ts_set(v, false);
		return EMULATED;
	case INSN_INVD:
	case INSN_WBINVD:
		cache_flush_emulate(v);
		return EMULATED;
	case INSN_RDMSR:
		return msr_emulate(v, r, false);
	case INSN_WRMSR:
		return msr_emulate(v, r, true);
	case INSN_XSETBV:
		return xsetbv_emulate(v, (u32)r->rcx, r->rdx << 32 | (u32)r->rax);
	case INSN_INVLPG:
		return invlpg_emulate(v, r, i, mode);
	case INSN_SWAPGS:
		swapgs();
		return EMULATED;
	case INSN_MOV_FROM_CR:
	case INSN_MOV_TO_CR:
	case INSN_MOV_FROM_DR:
	case INSN_MOV_TO_DR:
	case INSN_LMSW:
		return pv_emulate_control(v, r, i, mode);
	default:
		return EMULATE_REFUSED;
	}
}

static enum emulation insn_emulate(struct vcpu *v, struct regs *r, const struct insn *i, enum code_mode mode)
{
	switch (i->op) {
	case INSN_UNKNOWN:
	case INSN_RDPMC:
		return EMULATE_REFUSED;
	case INSN_IN:
	case INSN_OUT:
	case INSN_INS:
	case INSN_OUTS:
		return pv_emulate_port(v, r, i, mode);
	case INSN_CLI:
	case INSN_STI:
		return interrupt_flag_emulate(v);
	case INSN_RDTSC:
		return tsc_emulate(v, r, false);
	case INSN_RDTSCP:
		return tsc_emulate(v, r, true);
	case INSN_CPUID:
		return cpuid_emulate(v, r);
	case INSN_SMSW:
		return pv_emulate_control(v, r, i, mode);
	default:
		return v->pv->kernel_mode ? kernel_emulate(v, r, i, mode) : EMULATE_REFUSED;
	}
}

void pv_instruction_done(struct vcpu *v, struct regs *r, u32 len)
{
	r->rip += len;
	r->rflags &= ~(u64)FLAG_RF;
	if (unlikely(r->rflags & FLAG_TF)) {
		v->pv->dr[6] |= DR6_BS;
		pv_inject(v, r, TRAP_DB, 0);
	}
}

/* ---- fetch ---- */

union insn_bytes {
	u8 byte[16];
	u64 word[2];
};

/* Bytes at `at`, one page at a time: what lies behind the instruction's end need not be there. Returns how many there are. */
static u32 fetch(struct vcpu *v, gva_t at, union insn_bytes *b)
{
	u32 n = (u32)MIN(INSN_MAX, PAGE_SIZE - (at & ~PAGE_MASK));

	if (likely((at & ~PAGE_MASK) <= PAGE_SIZE - sizeof(*b)))
		return guest_read64(v, &b->word[0], at) || guest_read64(v, &b->word[1], at + 8) ? 0 : INSN_MAX;
	return guest_copy_in(v, b->byte, at, n) ? 0 : n;
}

static bool decode(struct vcpu *v, gva_t at, union insn_bytes *b, u32 n, enum code_mode mode, struct insn *i)
{
	int rc = insn_decode(i, b->byte, n, mode);

	if (rc == -EAGAIN && n < INSN_MAX && !guest_copy_in(v, b->byte + n, at + n, INSN_MAX - n))
		rc = insn_decode(i, b->byte, INSN_MAX, mode);
	return rc == 0;
}

static enum emulation emulate(struct vcpu *v, struct regs *r, struct insn *i)
{
	enum code_mode mode = code_mode(v, (u16)r->cs);
	gva_t at = pv_segment_base(v, r, SEG_CS, mode) + r->rip;
	union insn_bytes b = { 0 };
	u32 n = fetch(v, at, &b);

	if (!n)
		return EMULATE_REFUSED;
	if (insn_decode_frequent(i, b.word[0], n, mode)) {
		if (i->op == INSN_RDMSR)
			return v->pv->kernel_mode ? msr_emulate(v, r, false) : EMULATE_REFUSED;
		return pv_emulate_port(v, r, i, mode);
	}
	return decode(v, at, &b, n, mode, i) ? insn_emulate(v, r, i, mode) : EMULATE_REFUSED;
}

void pv_emulate_privileged(struct vcpu *v, struct regs *r)
{
	struct insn i;
	enum emulation result = emulate(v, r, &i);

	if (result == EMULATED)
		pv_instruction_done(v, r, i.len);
	else if (result == EMULATE_REFUSED)
		pv_inject(v, r, TRAP_GP, 0);
}

void pv_forced_cpuid(struct vcpu *v, struct regs *r)
{
	if (cpuid_emulate(v, r) == EMULATED)
		pv_instruction_done(v, r, FORCED_CPUID_LEN);
	else
		pv_inject(v, r, TRAP_GP, 0);
}
