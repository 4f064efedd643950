/* SPDX-License-Identifier: BSD-2-Clause */
#include <hv/mm.h>
#include <hv/pv.h>
#include <hv/regs.h>
#include <xen/callback.h>
#include "fuzz.h"

/* --- page tables (tests/fuzz/mmu.c has more of this) --- */

static void ext(struct fuzz *f)
{
	struct mmuext_op op[2];
	u32 n = 1 + below(f, 2), foreign = f8(f) < 200 ? DOMID_SELF : some_domid(f);

	memset(op, 0, sizeof(op));
	for (u32 i = 0; i < n; i++) {
		op[i].cmd = below(f, 22);
		if (op[i].cmd == MMUEXT_INVLPG_LOCAL || op[i].cmd == MMUEXT_INVLPG_MULTI || op[i].cmd == MMUEXT_INVLPG_ALL)
			op[i].arg1.linear_addr = some_address(f);
		else if (op[i].cmd == MMUEXT_SET_LDT)
			op[i].arg1.linear_addr = some_address(f) & PAGE_MASK;
		else
			op[i].arg1.mfn = op[i].cmd == MMUEXT_NEW_BASEPTR && !one_in(f, 5) ? f->v->pv->kernel_root.v : some_frame(f, f->d);
		if (op[i].cmd == MMUEXT_COPY_PAGE)
			op[i].arg2.src_mfn = some_frame(f, f->d);
		else if (op[i].cmd == MMUEXT_SET_LDT)
			op[i].arg2.nr_ents = (u32)some_number(f);
		else
			op[i].arg2.vcpumask.p = (void *)answer(f);
	}
	(void)call(f, __HYPERVISOR_mmuext_op, argument(f, op, n * sizeof(op[0])), n, 0, foreign, 0);
}

static void update(struct fuzz *f)
{
	static const u64 flags[6] = { 0, UVMF_INVLPG, UVMF_TLB_FLUSH, UVMF_INVLPG | UVMF_ALL, UVMF_TLB_FLUSH | UVMF_ALL, 3 };
	struct mmu_update u[3];
	u32 n = 1 + below(f, 3);

	for (u32 i = 0; i < n; i++) {
		u[i].ptr = some_frame(f, f->d) << PAGE_SHIFT | (f8(f) & 63) * 8u | (one_in(f, 8) ? f8(f) & 7 : 0);
		u[i].val = some_entry(f, f->d);
	}
	switch (f8(f) & 3) {
	case 0: (void)call(f, __HYPERVISOR_mmu_update, argument(f, u, sizeof(u)), n, 0, f8(f) < 200 ? DOMID_SELF : some_domid(f), 0); break;
	case 1:
		(void)call(f, __HYPERVISOR_update_va_mapping_otherdomain, some_address(f), some_entry(f, !f->d), flags[f8(f) % 6], some_domid(f), 0);
		break;
	default: (void)call(f, __HYPERVISOR_update_va_mapping, some_address(f), some_entry(f, f->d), flags[f8(f) % 6], 0, 0); break;
	}
}

/* A page becomes read-only, which is the beginning of its being a table. */
static void protect(struct fuzz *f)
{
	u32 page = 3 + f8(f) % (FUZZ_PAGES - 3);
	u64 e;

	if (f8(f) & 1)
		for (u32 i = 0; i < 4; i++)
			(void)sim_store(f->v, sim_va(page) + (f8(f) & 15) * 8u, some_entry(f, f->d));
	e = mfn_paddr(sim_mfn(f->v->domain, page)).v | (f8(f) & 3 ? 0x25 : 0x67);
	(void)call(f, __HYPERVISOR_update_va_mapping, sim_va(page), f8(f) & 7 ? e : 0, UVMF_INVLPG, 0, 0);
}

void fuzz_mmu(struct fuzz *f)
{
	static fuzz_step *const what[8] = { ext, ext, ext, update, update, update, protect, protect };

	what[f8(f) & 7](f);
}

/* --- descriptors, traps --- */

static u64 some_descriptor(struct fuzz *f)
{
	static const u64 d[8] = { 0x00affa000000ffff, 0x00cff2000000ffff, 0x00af9a000000ffff, 0x00cf92000000ffff, 0x00008c0000000000,
		0x0000820000000000, 0x0000890000000067, 0 };
	u64 val = d[f8(f) & 7];

	return one_in(f, 3) ? val ^ 1UL << (f8(f) & 63) : one_in(f, 8) ? f64(f) : val;
}

static void tables(struct fuzz *f)
{
	u64 frames[16];
	u64 base;

	switch (f8(f) % 6) {
	case 0:
		for (u32 i = 0; i < 16; i++)
			frames[i] = some_frame(f, f->d);
		(void)call(f, __HYPERVISOR_set_gdt, argument(f, frames, sizeof(frames)), f8(f) < 200 ? 512 * (f8(f) & 3) : some_number(f), 0, 0, 0);
		break;
	case 1: {
		base = (f8(f) & 3 && f->v->pv->gdt_entries ? f->v->pv->gdt_frame[0].v : some_frame(f, f->d)) << PAGE_SHIFT;

		(void)call(f, __HYPERVISOR_update_descriptor, base + f8(f) * 8u + (one_in(f, 9) ? 3 : 0), some_descriptor(f), 0, 0, 0);
		break;
	}
	case 2: {
		struct mmuext_op op = { .cmd = MMUEXT_SET_LDT };

		op.arg1.linear_addr = some_address(f) & PAGE_MASK;
		op.arg2.nr_ents = one_in(f, 4) ? (u32)some_number(f) : 512;
		(void)call(f, __HYPERVISOR_mmuext_op, argument(f, &op, sizeof(op)), 1, 0, DOMID_SELF, 0);
		break;
	}
	case 3: (void)pv_ldt_fault(f->v, percpu_window(f->v->cpu) + (16 + f8(f) % 20) * PAGE_SIZE + f8(f) * 8u); break;
	case 4: (void)sim_store(f->v, sim_va(f8(f) % FUZZ_PAGES) + (f8(f) & 63) * 8u, some_descriptor(f)); break;
	default: protect(f); break;
	}
}

static void registers(struct fuzz *f)
{
	switch (f8(f) % 8) {
	case 0: (void)call(f, __HYPERVISOR_set_segment_base, f8(f) % 6, some_address(f), 0, 0, 0); break;
	case 1: (void)call(f, __HYPERVISOR_set_debugreg, f8(f) % 10, some_number(f), 0, 0, 0); break;
	case 2: (void)call(f, __HYPERVISOR_get_debugreg, f8(f) % 10, 0, 0, 0, 0); break;
	case 3: (void)call(f, __HYPERVISOR_stack_switch, f32(f), some_address(f), 0, 0, 0); break;
	case 4: (void)call(f, __HYPERVISOR_fpu_taskswitch, f8(f) & 1, 0, 0, 0, 0); break;
	case 5: (void)call(f, __HYPERVISOR_set_callbacks, some_address(f), some_address(f), some_address(f), 0, 0); break;
	case 6: {
		struct callback_register reg = { .type = f8(f) % 10, .flags = f8(f) & 3, .address = some_address(f) };

		(void)call_op(f, __HYPERVISOR_callback_op, f8(f) % 4, &reg, sizeof(reg));
		break;
	}
	default: {
		struct trap_info t[4] = { { 0 } };

		for (u32 i = 0; i < 3; i++)
			t[i] = (struct trap_info){ .vector = f8(f), .flags = f8(f) & 7, .cs = one_in(f, 4) ? (u16)f32(f) : FLAT_KERNEL_CS64,
						   .address = some_address(f) };
		(void)call(f, __HYPERVISOR_set_trap_table, one_in(f, 10) ? 0 : argument(f, t, sizeof(t)), 0, 0, 0, 0);
		break;
	}
	}
}

/* What the processor brings: exceptions, interrupts by instruction, system calls, and the way back. */
static void trap(struct fuzz *f)
{
	static const u8 vectors[16] = { 0, 1, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 13, 13, 14, 17 };
	static const char code[][8] = { "\x0f\x32", "\x0f\x30", "\x0f\x20\xd8", "\x0f\x22\xd8", "\xec", "\xee", "\x6c", "\xf3\x6e", "\x0f\xa2", "\xf4",
		"\xfa", "\xfb", "\x0f\x06", "\x0f\x01\xd0", "\x0f\x01\xd1", "\x0f\x21\xc0", "\x0f\x23\xf8", "\xcd\x80", "\x0f\x0b\x78\x65\x6e\x0f\xa2" };
	struct regs *r = f->v->regs;
	u64 *gpr = (u64 *)r;
	gva_t rip = sim_va(3) + (f8(f) & 63) * 8u;

	/* A dom0 that crashes ends the machine, and with it the input. */
	if (f->d == 0 && !one_in(f, 40)) {
		registers(f);
		return;
	}
	(void)!guest_copy_out(f->v, rip, code[f8(f) % ARRAY_SIZE(code)], 8);
	for (u32 i = 0; i < 15; i++)
		gpr[i] = some_number(f);
	r->rcx = f8(f) & 1 ? 0xc0000080 + f8(f) % 8 : r->rcx;
	r->rdx = f8(f) & 1 ? f8(f) * 4u : r->rdx;
	r->rip = one_in(f, 10) ? some_address(f) : rip;
	r->rsp = one_in(f, 6) ? some_address(f) : sim_va(6) - 8 * (f8(f) & 15);
	r->cs = one_in(f, 8) ? (u16)f32(f) : f->v->pv->kernel_mode ? FLAT_KERNEL_CS64 : 0x33;
	r->ss = one_in(f, 8) ? (u16)f32(f) : f->v->pv->kernel_mode ? FLAT_KERNEL_SS64 : 0x2b;
	r->rflags = 0x202 | (one_in(f, 4) ? f32(f) & 0x3fffff : 0);
	r->error = f8(f) & 31;
	r->vector = vectors[f8(f) & 15];
	switch (f8(f) % 8) {
	case 0: r->vector = f8(f); pv_software_interrupt(f->v, r, (u8)r->vector); break;
	case 1: r->vector = 0x100; pv_syscall(f->v, r); break;
	case 2: pv_iret_fault(f->v, r); break;
	case 3: (void)call(f, __HYPERVISOR_iret, 0, 0, 0, 0, 0); break;
	case 4: pv_sysenter(f->v, r); break;
	case 5: pv_syscall32(f->v, r); break;
	default: pv_exception(f->v, r); break;
	}
	f->calls++;
	full_settle();
}

void fuzz_descriptor(struct fuzz *f)
{
	static fuzz_step *const what[8] = { tables, tables, tables, registers, registers, trap, trap, trap };

	what[f8(f) & 7](f);
}
