/* SPDX-License-Identifier: BSD-2-Clause */
/* Control and debug registers of PV guests, as their kernel reads and writes them with the privileged instructions. */
#include "control.h"
#include "debugreg.h"
#include "emulate.h"

#include <hv/compiler.h>
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/features.h>
#include <hv/guest.h>
#include <hv/hypercall.h>
#include <hv/pv.h>
#include <hv/tlb.h>
#include <hv/x86.h>

#define CR0_GUEST (CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_PG)
#define CR4_GUEST (CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT)
#define CR8_MAX 15u

u64 pv_cr0_guest(const struct vcpu *v)
{
	return CR0_GUEST | (v->pv->ts ? CR0_TS : 0);
}

u64 pv_cr4_allowed(const struct vcpu *v maybe_unused)
{
	u64 allowed = CR4_TSD | CR4_DE;

	if (cpu_has(CPU_FSGSBASE))
		allowed |= CR4_FSGSBASE;
	if (cpu_has(CPU_XSAVE))
		allowed |= CR4_OSXSAVE;
	return allowed;
}

u64 pv_cr4_guest(const struct vcpu *v)
{
	return CR4_GUEST | v->pv->cr4_guest;
}

void pv_tsc_trap_load(const struct vcpu *v)
{
	bool want = v->domain->vtsc || (v->pv->cr4_guest & CR4_TSD);
	u64 cr4 = cr4_read();

	if (want != ((cr4 & CR4_TSD) != 0))
		cr4_write_reg(cr4 ^ CR4_TSD);
}

void pv_ts_set(struct vcpu *v, bool ts)
{
	if (ts == v->pv->ts)
		return;
	v->pv->ts = ts;
	if (ts)
		cr0_write_reg(cr0_read() | CR0_TS);
	else
		clts();
}

long do_fpu_taskswitch(struct vcpu *v, u64 *args)
{
	pv_ts_set(v, args[0] != 0);
	return 0;
}

static enum emulation cr0_set(struct vcpu *v, u64 val)
{
	/* TS is the only bit that has a meaning; a kernel that wants another one changed would be deceived. */
	if ((val ^ pv_cr0_guest(v)) & ~(u64)CR0_TS)
		return EMULATE_REFUSED;
	pv_ts_set(v, (val & CR0_TS) != 0);
	return EMULATED;
}

static enum emulation cr3_set(struct vcpu *v, u64 val)
{
	int rc = pv_root_set(v, v, mfn(xen_cr3_to_pfn(val)), false);

	if (rc == -ERESTART)
		return EMULATE_AGAIN;
	if (rc)
		return EMULATE_REFUSED;
	pv_cr3_load(v);
	return EMULATED;
}

static enum emulation cr_write(struct vcpu *v, u8 n, u64 val)
{
	switch (n) {
	case 0:
		return cr0_set(v, val);
	case 2:
		v->info->arch.cr2 = val;
		return EMULATED;
	case 3:
		return cr3_set(v, val);
	case 4:
		/* Bits that guests do not own stay as they are. */
		v->pv->cr4_guest = val & pv_cr4_allowed(v);
		pv_tsc_trap_load(v);
		return EMULATED;
	case 8:
		/* There is no local APIC whose priority it could be. */
		return val <= CR8_MAX ? EMULATED : EMULATE_REFUSED;
	default:
		return EMULATE_REFUSED;
	}
}

static enum emulation cr_read(struct vcpu *v, u8 n, u64 *val)
{
	switch (n) {
	case 0:
		*val = pv_cr0_guest(v);
		return EMULATED;
	case 2:
		*val = v->info->arch.cr2;
		return EMULATED;
	case 3:
		*val = xen_pfn_to_cr3(v->pv->kernel_root.v);
		return EMULATED;
	case 4:
		*val = pv_cr4_guest(v);
		return EMULATED;
	case 8:
		*val = 0;
		return EMULATED;
	default:
		return EMULATE_REFUSED;
	}
}

/* Without CR4.DE, 4 and 5 are other names of 6 and 7; with it they do not exist. */
static bool dr_number(const struct vcpu *v, u8 *n)
{
	if (*n > 7)
		return false;
	if (*n == 4 || *n == 5) {
		if (v->pv->cr4_guest & CR4_DE)
			return false;
		*n = (u8)(*n + 2);
	}
	return true;
}

static enum emulation msw_emulate(struct vcpu *v, struct regs *r, const struct insn *i, enum code_mode mode)
{
	u16 msw = (u16)pv_cr0_guest(v);
	gva_t addr = 0;

	if (i->rm == INSN_NO_REG)
		addr = pv_operand_address(v, r, i, mode);
	if (i->op == INSN_SMSW) {
		if (i->rm != INSN_NO_REG)
			pv_gpr_write(r, i->rm, i->size, pv_cr0_guest(v));
		else if (guest_copy_out(v, addr, &msw, sizeof(msw)))
			return EMULATE_REFUSED;
		return EMULATED;
	}
	if (i->rm != INSN_NO_REG)
		msw = (u16)*pv_gpr(r, i->rm);
	else if (guest_copy_in(v, &msw, addr, sizeof(msw)))
		return EMULATE_REFUSED;
	/* Only the lowest four bits take part, and PE cannot be cleared. */
	return cr0_set(v, (pv_cr0_guest(v) & ~0xeUL) | (msw & 0xe));
}

enum emulation pv_emulate_control(struct vcpu *v, struct regs *r, const struct insn *i, enum code_mode mode)
{
	enum emulation result;
	u8 n = i->reg;
	u64 val;

	switch (i->op) {
	case INSN_MOV_FROM_CR:
		result = cr_read(v, n, &val);
		if (result == EMULATED)
			pv_gpr_write(r, i->rm, i->size, val);
		return result;
	case INSN_MOV_TO_CR:
		return cr_write(v, n, i->size == 8 ? *pv_gpr(r, i->rm) : (u32)*pv_gpr(r, i->rm));
	case INSN_MOV_FROM_DR:
		if (!dr_number(v, &n))
			return EMULATE_REFUSED;
		pv_gpr_write(r, i->rm, i->size, v->pv->dr[n]);
		return EMULATED;
	case INSN_MOV_TO_DR:
		if (!dr_number(v, &n) ||
		    pv_dr_set(v, n, i->size == 8 ? *pv_gpr(r, i->rm) : (u32)*pv_gpr(r, i->rm)))
			return EMULATE_REFUSED;
		return EMULATED;
	case INSN_LMSW:
	case INSN_SMSW:
		return msw_emulate(v, r, i, mode);
	default:
		return EMULATE_REFUSED;
	}
}
