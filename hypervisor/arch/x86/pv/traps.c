/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions raised in a PV guest, by its kernel or its user mode: fixed up, emulated, or given to the guest kernel. */
#include "bounce.h"
#include "control.h"
#include "emulate.h"
#include "mmu_mirror.h"
#include "segment.h"

#include <hv/compiler.h>
#include <hv/domain.h>
#include <hv/guest.h>
#include <hv/log.h>
#include <hv/pv.h>
#include <hv/x86.h>

/* Error codes that name a descriptor: from outside, IDT, LDT bits. */
#define SELECTOR_IDT 2u
#define TI_FLAG_DPL 3u

/*
 * Faults at addresses of the hypervisor. The CPU itself reads descriptors there; for the guest, a descriptor in a page that is not
 * mapped does not exist.
 */
static noinline_fn void hypervisor_range_fault(struct vcpu *v, struct regs *r, gva_t addr)
{
	u16 selector;

	if (!(r->error & PFEC_USER) && pv_window_selector(v->cpu, addr, &selector)) {
		if (!pv_ldt_fault(v, addr))
			pv_inject(v, r, TRAP_GP, selector);
		return;
	}
	if (!pv_fault_fixup(v, r, addr))
		pv_inject_pf(v, r, addr, r->error);
}

/* While the domain is logged; what is left is as if its own tables had been in use. */
static noinline_fn void logged_fault(struct vcpu *v, struct regs *r, gva_t addr)
{
	if (mirror_fault(v, addr, &r->error))
		return;
	if ((r->error & (PFEC_PRESENT | PFEC_RESERVED)) && pv_fault_fixup(v, r, addr))
		return;
	pv_inject_pf(v, r, addr, r->error);
}

/* May be a stale translation, or a store to a page table. */
static noinline_fn void present_fault(struct vcpu *v, struct regs *r, gva_t addr)
{
	if (!pv_fault_fixup(v, r, addr))
		pv_inject_pf(v, r, addr, r->error);
}

/* INT n, as the DPL in the guest's table allows: 0 nobody, 1 and 2 the kernel, 3 everybody. */
static bool software_interrupt_allowed(const struct vcpu *v, u8 vector)
{
	const struct pv_trap *t = &v->pv->traps[vector];
	u8 dpl = t->flags & TI_FLAG_DPL;

	return t->address && (v->pv->kernel_mode ? dpl != 0 : dpl == 3);
}

void pv_software_interrupt(struct vcpu *v, struct regs *r, u8 vector)
{
	if (software_interrupt_allowed(v, vector)) {
		pv_bounce(v, r, v->pv->traps[vector].address, (v->pv->traps[vector].flags & 4) != 0, BOUNCE_PLAIN, 0);
		return;
	}
	/* As if the gate had been refused: a fault, with rip at the INT. */
	r->rip -= 2;
	pv_inject(v, r, TRAP_GP, vector * 8u + SELECTOR_IDT);
}

/* INT n that its gate refused. */
static noinline_fn void refused_interrupt(struct vcpu *v, struct regs *r)
{
	u8 vector = (u8)(r->error >> 3);

	if (!software_interrupt_allowed(v, vector)) {
		pv_inject(v, r, TRAP_GP, r->error);
		return;
	}
	r->rip += 2;
	pv_bounce(v, r, v->pv->traps[vector].address, (v->pv->traps[vector].flags & 4) != 0, BOUNCE_PLAIN, 0);
}

static void device_not_available(struct vcpu *v, struct regs *r)
{
	/* The ABI clears TS on the way: the guest need not. */
	pv_ts_set(v, false);
	pv_inject(v, r, TRAP_NM, 0);
}

static void debug_exception(struct vcpu *v, struct regs *r)
{
	v->pv->dr[6] = (v->pv->dr[6] & ~0xfUL) | dr_read(6);
	dr_write(6, DR6_INIT);
	pv_inject(v, r, TRAP_DB, 0);
}

static noinline_fn void rare_exception(struct vcpu *v, struct regs *r)
{
	switch (r->vector) {
	case TRAP_GP:
		if (r->error & SELECTOR_IDT)
			refused_interrupt(v, r);
		else
			pv_inject(v, r, TRAP_GP, r->error);
		return;
	case TRAP_NM:
		device_not_available(v, r);
		return;
	case TRAP_DB:
		debug_exception(v, r);
		return;
	default:
		pv_inject(v, r, (u8)r->vector, r->error);
		return;
	}
}

static noinline_fn void invalid_opcode(struct vcpu *v, struct regs *r)
{
	u64 bytes = 0;

	/* Near the end of a page only what is there may be fetched. */
	if (guest_read64(v, &bytes, r->rip) && guest_copy_in(v, &bytes, r->rip, FORCED_CPUID_LEN))
		bytes = 0;
	if (unlikely(bytes << 8 == FORCED_CPUID << 8))
		pv_forced_cpuid(v, r);
	else
		inject_plain_inline(v, r, TRAP_UD);
}

/* Every call here is the last thing done, so that the frequent cases save no registers. */
void pv_exception(struct vcpu *v, struct regs *r)
{
	if (likely(r->vector == TRAP_PF)) {
		gva_t addr = cr2_read();

		if (unlikely(in_hypervisor_range(addr)))
			hypervisor_range_fault(v, r, addr);
		else if (unlikely(v->domain->logging))
			logged_fault(v, r, addr);
		else if (r->error & (PFEC_PRESENT | PFEC_RESERVED))
			present_fault(v, r, addr);
		else
			inject_pf_inline(v, r, addr, r->error);
	} else if (r->vector == TRAP_GP && !r->error) {
		pv_emulate_privileged(v, r);
	} else if (r->vector == TRAP_UD) {
		invalid_opcode(v, r);
	} else {
		rare_exception(v, r);
	}
}
