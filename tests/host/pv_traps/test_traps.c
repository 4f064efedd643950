/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions, callbacks, iret, descriptor tables and contexts of PV guests, on the simulated machine. */
#include <xen/callback.h>
#include <xen/nmi.h>
#include "fixture.h"

/* What the frame at rsp says about where the guest was; `above` words lie between r11 and rip. */
static void frame_check(u32 above, const struct regs *was, bool kernel, bool was_masked)
{
	gva_t f = r->rsp;

	assert_int_equal(word(f), was->rcx);
	assert_int_equal(word(f + 8), was->r11);
	f += 16 + above * 8UL;
	assert_int_equal(word(f), was->rip);
	assert_int_equal(word(f + 8), (kernel ? was->cs & ~3UL : was->cs | 3) | (u64)was_masked << 32);
	assert_int_equal(word(f + 16), (was->rflags & ~0x200UL) | (was_masked ? 0 : 0x200));
	assert_int_equal(word(f + 24), was->rsp);
	assert_int_equal(word(f + 32), was->ss);
	assert_int_equal(f + 40, ((kernel ? was->rsp : kernel_stack) & ~15UL));
	assert_int_equal(r->cs, FLAT_KERNEL_CS64);
	assert_int_equal(r->ss, FLAT_KERNEL_SS64);
	assert_int_equal(r->vector, TRAP_SYSCALL);
	assert_true(r->rflags & FLAG_IF);
	assert_false(r->rflags & (FLAG_TF | FLAG_NT | FLAG_RF | FLAG_AC | FLAG_DF));
	assert_true(v->pv->kernel_mode);
}

static void test_bounce_from_kernel(void **state)
{
	struct regs was;

	(void)state;
	guest_at(true);
	was = *r;
	raise_vector(TRAP_DE, 0);
	assert_int_equal(r->rip, HANDLER(TRAP_DE));
	frame_check(0, &was, true, false);
	assert_int_equal(v->info->evtchn_upcall_mask, 0);

	guest_at(true);
	was = *r;
	cr2_now = 0x1234;
	raise_vector(TRAP_PF, PFEC_WRITE | PFEC_USER);
	assert_int_equal(r->rip, HANDLER(TRAP_PF));
	frame_check(1, &was, true, false);
	assert_int_equal(word(r->rsp + 16), PFEC_WRITE);
	assert_int_equal(v->info->arch.cr2, 0x1234);
	/* TI_GET_IF: events are masked, and the next frame says that they were. */
	assert_int_equal(v->info->evtchn_upcall_mask, 1);
	was = *r;
	raise_vector(TRAP_SS, 0x18);
	frame_check(1, &was, true, true);
	assert_int_equal(word(r->rsp + 16), 0x18);
}

static void test_bounce_from_user(void **state)
{
	struct regs was;
	u64 kernel_gs, loads;

	(void)state;
	cpu_feature[CPU_FSGSBASE] = true;
	guest_at(false);
	kernel_gs = 0xffff888800000000;
	swapgs();
	wrgsbase(kernel_gs);
	swapgs();
	wrgsbase(0x7f0000000000);
	r->rflags |= FLAG_TF | FLAG_NT | FLAG_RF | FLAG_AC | FLAG_DF;
	was = *r;
	loads = sim_counts.cr3_loads;
	cr2_now = 0x400000;
	raise_vector(TRAP_PF, PFEC_FETCH);
	frame_check(1, &was, false, false);
	assert_int_equal(word(r->rsp + 16), PFEC_FETCH | PFEC_USER);
	assert_int_equal(rdgsbase(), kernel_gs);
	assert_int_equal(sim_counts.cr3_loads, loads + 1);
}

static void test_no_stack(void **state)
{
	u64 crashes = sim_counts.crashes;

	(void)state;
	guest_at(true);
	r->rsp = HV_VIRT_START + 0x1000;
	raise_vector(TRAP_DE, 0);
	assert_int_equal(sim_counts.crashes, crashes + 1);
	guest_at(true);
	r->rsp = 0x10;
	raise_vector(TRAP_DE, 0);
	assert_int_equal(sim_counts.crashes, crashes + 2);
	v->pv->traps[TRAP_DE].address = 0;
	guest_at(true);
	raise_vector(TRAP_DE, 0);
	assert_int_equal(sim_counts.crashes, crashes + 3);
}

static void iret_frame(u64 flags, u64 rip, u64 cs, u64 rflags, u64 rsp, u64 ss)
{
	struct iret_context f = { .rax = 0xaaaa, .r11 = 0xbbbb, .rcx = 0xcccc, .flags = flags, .rip = rip, .cs = cs,
				  .rflags = rflags, .rsp = rsp, .ss = ss };

	r->rsp = kernel_stack - 0x1000;
	assert_int_equal(guest_copy_out(v, r->rsp, &f, sizeof(f)), 0);
}

static void test_iret(void **state)
{
	u64 crashes = sim_counts.crashes;

	(void)state;
	/* Back to the kernel. */
	guest_at(true);
	v->info->evtchn_upcall_mask = 1;
	v->nmi_masked = 1;
	iret_frame(0, 0x1000, 0xe030, 0x3246, 0x2000, FLAT_KERNEL_SS64);
	do_iret(v, r->args);
	assert_int_equal(r->rax, 0xaaaa);
	assert_int_equal(r->r11, 0xbbbb);
	assert_int_equal(r->rcx, 0xcccc);
	assert_int_equal(r->rip, 0x1000);
	assert_int_equal(r->cs, 0xe033);
	assert_int_equal(r->ss, FLAT_KERNEL_SS64);
	assert_int_equal(r->rsp, 0x2000);
	assert_int_equal(r->rflags, 0x246);
	assert_int_not_equal(r->vector, TRAP_SYSCALL);
	assert_int_equal(v->info->evtchn_upcall_mask, 0);
	assert_int_equal(v->nmi_masked, 0);
	assert_true(v->pv->kernel_mode);
	/* A null stack segment of a kernel is repaired; events stay masked without IF. */
	iret_frame(0, 0x1000, 0x10, 0x46, 0x2000, 0);
	do_iret(v, r->args);
	assert_int_equal(r->ss, FLAT_KERNEL_SS64);
	assert_int_equal(r->cs, 0x13);
	assert_int_equal(v->info->evtchn_upcall_mask, 1);
	assert_true(r->rflags & FLAG_IF);
	/* To user mode. */
	iret_frame(0, 0x400000, 0x33, 0x246, 0x7fff0000, 0x2b);
	do_iret(v, r->args);
	assert_false(v->pv->kernel_mode);
	assert_int_equal(r->cs, 0x33);
	assert_int_equal(r->ss, 0x2b);
	/* In a syscall: by SYSRET, unless the address is not canonical. */
	guest_at(true);
	iret_frame(VGCF_in_syscall, 0x400000, 0x33, 0x246, 0x7fff0000, 0x2b);
	do_iret(v, r->args);
	assert_false(v->pv->kernel_mode);
	assert_int_equal(r->vector, TRAP_SYSCALL);
	assert_int_equal(r->rcx, 0x400000);
	assert_int_equal(r->r11, 0x246);
	assert_int_equal(r->cs, FLAT_RING3_CS64);
	guest_at(true);
	iret_frame(VGCF_in_syscall, 0x800000000000, 0x33, 0x246, 0x7fff0000, 0x2b);
	do_iret(v, r->args);
	assert_int_not_equal(r->vector, TRAP_SYSCALL);
	/* User mode cannot use it to get into the kernel; nothing to return to; no frame. */
	guest_at(false);
	iret_frame(0, 0x400000, 0x33, 0x246, 0x7fff0000, 0x2b);
	do_iret(v, r->args);
	assert_false(v->pv->kernel_mode);
	guest_at(true);
	assert_int_equal(pv_root_set(v, v, mfn(0), true), 0);
	iret_frame(0, 0x400000, 0x33, 0x246, 0x7fff0000, 0x2b);
	do_iret(v, r->args);
	assert_true(v->pv->kernel_mode);
	assert_int_equal(sim_counts.crashes, crashes + 1);
	r->rsp = 0x40;
	do_iret(v, r->args);
	assert_int_equal(sim_counts.crashes, crashes + 2);
}

static void test_failsafe(void **state)
{
	struct regs was;

	(void)state;
	guest_at(false);
	(void)!sel_load_ds(0x7b);
	(void)!sel_load_gs(0x63);
	was = *r;
	pv_iret_fault(v, r);
	assert_int_equal(r->rip, FAILSAFE_CALLBACK);
	frame_check(4, &was, false, false);
	assert_int_equal(word(r->rsp + 16), 0x7b);
	assert_int_equal(word(r->rsp + 24), 0);
	assert_int_equal(word(r->rsp + 32), 0);
	assert_int_equal(word(r->rsp + 40), 0x63);
	(void)!sel_load_ds(0);
	(void)!sel_load_gs(0);
}

static void test_syscall(void **state)
{
	struct regs was;

	(void)state;
	guest_at(true);
	pv_syscall(v, r);
	assert_int_equal(hypercalls, 1);
	guest_at(false);
	was = *r;
	pv_syscall(v, r);
	assert_int_equal(r->rip, SYSCALL_CALLBACK);
	frame_check(0, &was, false, false);
	v->pv->syscall_masks_events = true;
	guest_at(false);
	pv_syscall(v, r);
	assert_int_equal(v->info->evtchn_upcall_mask, 1);
	/* Not asked for: as if there were no such instruction. */
	guest_at(false);
	was = *r;
	was.rip -= 2;
	pv_syscall32(v, r);
	assert_int_equal(r->rip, HANDLER(TRAP_UD));
	frame_check(0, &was, false, false);
	guest_at(false);
	pv_sysenter(v, r);
	assert_int_equal(r->rip, HANDLER(TRAP_GP));
}

static void test_events(void **state)
{
	struct regs was;

	(void)state;
	guest_at(false);
	assert_false(pv_exit_work(v, r));
	v->info->evtchn_upcall_pending = 1;
	was = *r;
	assert_true(pv_exit_work(v, r));
	assert_int_equal(r->rip, EVENT_CALLBACK);
	frame_check(0, &was, false, false);
	assert_int_equal(v->info->evtchn_upcall_mask, 1);
	assert_false(pv_exit_work(v, r));
	/* An NMI comes through the mask, once, until the guest's iret. */
	v->nmi_pending = 1;
	was = *r;
	assert_true(pv_exit_work(v, r));
	assert_int_equal(r->rip, HANDLER(TRAP_NMI));
	frame_check(0, &was, true, true);
	v->nmi_pending = 1;
	assert_false(pv_exit_work(v, r));
}

static void test_callback_op(void **state)
{
	struct callback_register reg = { .type = CALLBACKTYPE_sysenter, .flags = CALLBACKF_mask_events, .address = 0x1000 };
	struct callback_unregister unreg = { .type = CALLBACKTYPE_nmi };
	struct xennmi_callback nmi = { .handler_address = 0x2000 };
	struct trap_info bad[2] = { { .vector = 3, .address = 0x1000 }, { .vector = 4, .address = 1UL << 60 } };
	struct pv_trap before[256];

	(void)state;
	assert_int_equal(guest_copy_out(v, scratch, &reg, sizeof(reg)), 0);
	assert_int_equal(sim_call(v, do_callback_op, CALLBACKOP_register, scratch, 0, 0, 0, 0), 0);
	assert_int_equal(v->pv->sysenter_callback, 0x1000);
	assert_true(v->pv->sysenter_masks_events);
	reg.address = 1UL << 63;
	assert_int_equal(guest_copy_out(v, scratch, &reg, sizeof(reg)), 0);
	assert_int_equal(sim_call(v, do_callback_op, CALLBACKOP_register, scratch, 0, 0, 0, 0), -EINVAL);
	reg.type = 99;
	reg.address = 0;
	assert_int_equal(guest_copy_out(v, scratch, &reg, sizeof(reg)), 0);
	assert_int_equal(sim_call(v, do_callback_op, CALLBACKOP_register, scratch, 0, 0, 0, 0), -ENOSYS);
	assert_int_equal(sim_call(v, do_callback_op, CALLBACKOP_register, 8, 0, 0, 0, 0), -EFAULT);
	assert_int_equal(sim_call(v, do_callback_op, 7, scratch, 0, 0, 0, 0), -ENOSYS);
	assert_int_equal(guest_copy_out(v, scratch, &unreg, sizeof(unreg)), 0);
	assert_int_equal(sim_call(v, do_callback_op, CALLBACKOP_unregister, scratch, 0, 0, 0, 0), 0);
	assert_int_equal(v->pv->traps[TRAP_NMI].address, 0);
	unreg.type = CALLBACKTYPE_event;
	assert_int_equal(guest_copy_out(v, scratch, &unreg, sizeof(unreg)), 0);
	assert_int_equal(sim_call(v, do_callback_op, CALLBACKOP_unregister, scratch, 0, 0, 0, 0), -EINVAL);
	assert_int_equal(guest_copy_out(v, scratch, &nmi, sizeof(nmi)), 0);
	assert_int_equal(sim_call(v, do_nmi_op, XENNMI_register_callback, scratch, 0, 0, 0, 0), -EINVAL);
	/* An error leaves the table as it was. */
	memcpy(before, v->pv->traps, sizeof(before));
	assert_int_equal(guest_copy_out(v, scratch, bad, sizeof(bad)), 0);
	assert_int_equal(sim_call(v, do_set_trap_table, scratch, 0, 0, 0, 0, 0), -EINVAL);
	assert_int_equal(sim_call(v, do_set_trap_table, sim_va(256) - 16, 0, 0, 0, 0, 0), 0);
	sim_fail_alloc(1);
	assert_int_equal(sim_call(v, do_set_trap_table, scratch, 0, 0, 0, 0, 0), -ENOMEM);
	assert_memory_equal(before, v->pv->traps, sizeof(before));
	/* A table without an end. */
	bad[1].address = 0x1000;
	for (u32 i = 0; i < 4 * PAGE_SIZE; i += sizeof(bad))
		assert_int_equal(guest_copy_out(v, scratch + i, bad, sizeof(bad)), 0);
	assert_int_equal(sim_call(v, do_set_trap_table, scratch, 0, 0, 0, 0, 0), -E2BIG);
	assert_int_equal(sim_call(v, do_set_trap_table, 0, 0, 0, 0, 0, 0), 0);
	assert_int_equal(v->pv->traps[14].address, 0);
}

static void test_page_fault_fixup(void **state)
{
	(void)state;
	guest_at(true);
	/* The page tables allow it: only the translation was stale. */
	cr2_now = scratch;
	raise_vector(TRAP_PF, PFEC_PRESENT | PFEC_WRITE | PFEC_USER);
	assert_int_equal(sim_counts.flush_page, 1);
	assert_int_equal(r->rip, code);
	/* What is not present is not asked about. */
	raise_vector(TRAP_PF, PFEC_WRITE | PFEC_USER);
	assert_int_equal(sim_counts.flush_page, 1);
	assert_int_equal(r->rip, HANDLER(TRAP_PF));
}

static void test_software_interrupts(void **state)
{
	(void)state;
	guest_at(false);
	raise_vector(TRAP_GP, 0x80 * 8 + 2);
	assert_int_equal(r->rip, HANDLER(0x80));
	assert_int_equal(word(r->rsp + 16), code + 2);
	guest_at(false);
	raise_vector(TRAP_GP, 0x81 * 8 + 2);
	assert_int_equal(r->rip, HANDLER(TRAP_GP));
	assert_int_equal(word(r->rsp + 16), 0x81 * 8 + 2);
	guest_at(true);
	raise_vector(TRAP_GP, 0x81 * 8 + 2);
	assert_int_equal(r->rip, HANDLER(0x81));
	guest_at(true);
	raise_vector(TRAP_GP, 0x40 * 8 + 2);
	assert_int_equal(r->rip, HANDLER(TRAP_GP));
	guest_at(false);
	r->rip = code + 2;
	pv_software_interrupt(v, r, 0x80);
	assert_int_equal(r->rip, HANDLER(0x80));
	assert_int_equal(word(r->rsp + 16), code + 2);
}

static void test_segment_bases(void **state)
{
	(void)state;
	cpu_feature[CPU_FSGSBASE] = true;
	guest_at(true);
	assert_int_equal(sim_call(v, do_set_segment_base, SEGBASE_FS, 0x1000, 0, 0, 0, 0), 0);
	assert_int_equal(sim_call(v, do_set_segment_base, SEGBASE_GS_KERNEL, 0x2000, 0, 0, 0, 0), 0);
	assert_int_equal(sim_call(v, do_set_segment_base, SEGBASE_GS_USER, 0x3000, 0, 0, 0, 0), 0);
	assert_int_equal(rdfsbase(), 0x1000);
	assert_int_equal(rdgsbase(), 0x2000);
	assert_int_equal(sim_call(v, do_set_segment_base, SEGBASE_FS, 1UL << 50, 0, 0, 0, 0), -EINVAL);
	assert_int_equal(sim_call(v, do_set_segment_base, 4, 0, 0, 0, 0, 0), -EINVAL);
	assert_int_equal(sim_call(v, do_set_segment_base, SEGBASE_GS_USER_SEL, 0x60, 0, 0, 0, 0), 0);
	assert_int_equal(sel_read_gs(), 0x63);
	selector_bad = 0x6b;
	assert_int_equal(sim_call(v, do_set_segment_base, SEGBASE_GS_USER_SEL, 0x6b, 0, 0, 0, 0), -EINVAL);
	assert_int_equal(rdgsbase(), 0x2000);
	assert_true(pv_mode_set(v, false));
	assert_int_equal(rdgsbase(), 0x3000);
	/* Saved and loaded by mode. */
	pv_context_save(v);
	wrfsbase(0);
	wrgsbase(0);
	pv_context_load(v, NULL);
	assert_int_equal(rdfsbase(), 0x1000);
	assert_int_equal(rdgsbase(), 0x3000);
	/* The MSRs are the same things. */
	execute(true, "\x0f\x32", 2);
	r->rcx = 0xc0000102;
	assert_false(faulted(2));
	assert_int_equal(r->rax, 0x3000);
	execute(true, "\x0f\x30", 2);
	r->rcx = 0xc0000101;
	r->rax = 0x7000;
	r->rdx = 0;
	assert_false(faulted(2));
	assert_int_equal(rdgsbase(), 0x7000);
	execute(true, "\x0f\x30", 2);
	r->rcx = 0xc0000100;
	r->rax = 0;
	r->rdx = 0x80000000;
	assert_true(faulted(2));
	/* A selector that cannot be loaded after a switch. */
	pv_context_save(v);
	v->pv->fs = 0x6b;
	guest_at(true);
	pv_context_load(v, NULL);
	assert_int_equal(r->rip, FAILSAFE_CALLBACK);
	assert_int_equal(word(r->rsp + 32), 0x6b);
	assert_int_equal(sel_read_fs(), 0);
	(void)!sel_load_gs(0);
}

#define DESC_CODE 0x00af9b000000ffffUL
#define DESC_GATE 0x00008c0000000000UL

static void test_descriptors(void **state)
{
	u64 desc = DESC_CODE, frames[2];
	u32 pfn = sim_alloc_page(d);

	(void)state;
	assert_true(pv_descriptor_fix(&desc));
	assert_int_equal(desc, DESC_CODE | 3UL << 45);
	desc = DESC_GATE;
	assert_false(pv_descriptor_fix(&desc));
	desc = DESC_GATE & ~(1UL << 47);
	assert_true(pv_descriptor_fix(&desc));
	assert_int_equal(sim_call(v, do_update_descriptor, sim_mfn(d, pfn).v << PAGE_SHIFT | 0x10, DESC_CODE, 0, 0, 0, 0), 0);
	assert_int_equal(sim_page(d, pfn)[2], DESC_CODE | 3UL << 45);
	assert_int_equal(sim_call(v, do_update_descriptor, sim_mfn(d, pfn).v << PAGE_SHIFT | 0x14, DESC_CODE, 0, 0, 0, 0), -EINVAL);
	assert_int_equal(sim_call(v, do_update_descriptor, sim_mfn(d, pfn).v << PAGE_SHIFT, DESC_GATE, 0, 0, 0, 0), -EINVAL);
	assert_int_equal(sim_call(v, do_update_descriptor, 1UL << 51, DESC_CODE, 0, 0, 0, 0), -EINVAL);
	frames[0] = frames[1] = 1UL << 40;
	assert_int_equal(guest_copy_out(v, scratch, frames, sizeof(frames)), 0);
	assert_int_equal(sim_call(v, do_set_gdt, scratch, 7169, 0, 0, 0, 0), -EINVAL);
	assert_int_equal(sim_call(v, do_set_gdt, scratch, 512, 0, 0, 0, 0), -EINVAL);
	assert_int_equal(sim_call(v, do_set_gdt, 8, 512, 0, 0, 0, 0), -EFAULT);
	assert_int_equal(v->pv->gdt_entries, 0);
	assert_int_equal(sim_call(v, do_set_gdt, 0, 0, 0, 0, 0, 0), 0);
}

/* A descriptor in a page of the table that is not mapped does not exist. */
static void test_window_faults(void **state)
{
	(void)state;
	guest_at(true);
	cr2_now = percpu_window(0) + 0x1008;
	raise_vector(TRAP_PF, 0);
	assert_int_equal(r->rip, HANDLER(TRAP_GP));
	assert_int_equal(word(r->rsp + 16), 0x1008);
	guest_at(true);
	cr2_now = percpu_window(0) + 0x10000 + 0x23;
	raise_vector(TRAP_PF, 0);
	assert_int_equal(word(r->rsp + 16), 0x24);
	/* A plain access there is a page fault. */
	guest_at(true);
	raise_vector(TRAP_PF, PFEC_USER);
	assert_int_equal(r->rip, HANDLER(TRAP_PF));
}

static void test_context(void **state)
{
	struct vcpu_guest_context *c = calloc(1, sizeof(*c)), *back = calloc(1, sizeof(*back));
	struct vcpu *w = d->vcpu[1];
	mfn_t root = v->pv->kernel_root;

	(void)state;
	w->initialised = false;
	c->flags = VGCF_in_kernel | VGCF_i387_valid | VGCF_syscall_disables_events;
	c->user_regs.rip = 0xffffffff81000000;
	c->user_regs.rsp = 0xffffffff82000000;
	c->user_regs.rsi = 0x1234;
	c->user_regs.cs = 0xe030;
	c->user_regs.rflags = 0x1000;
	c->user_regs.fs = 0x63;
	c->trap_ctxt[14] = (struct trap_info){ .vector = 14, .flags = 4, .cs = 0xe033, .address = HANDLER(14) };
	c->kernel_sp = kernel_stack;
	c->event_callback_eip = EVENT_CALLBACK;
	c->ctrlreg[3] = xen_pfn_to_cr3(root.v);
	c->ctrlreg[4] = 0xffffffff;
	c->debugreg[7] = 0x400;
	c->gs_base_kernel = 0x5000;
	c->gs_base_user = 0x6000;
	c->fs_base = 0x7000;
	c->vm_assist = ~0UL;
	assert_int_equal(pv_context_set(v, w, c), 0);
	assert_int_equal(w->regs->rip, 0xffffffff81000000);
	assert_int_equal(w->regs->cs, 0xe033);
	assert_int_equal(w->regs->ss, FLAT_KERNEL_SS64);
	assert_int_equal(w->regs->rflags, 0x202);
	assert_int_equal(w->pv->iopl, 1);
	assert_int_equal(w->pv->gs_base, 0x5000);
	assert_int_equal(w->pv->gs_base_other, 0x6000);
	assert_int_equal(w->info->evtchn_upcall_mask, 1);
	assert_int_equal(fxsaves, 1);
	assert_int_equal(d->vm_assist, 0);
	pv_context_get(w, back);
	assert_int_equal(back->flags & ~VGCF_online, c->flags);
	assert_int_equal(back->user_regs.rsi, 0x1234);
	assert_int_equal(back->user_regs.fs, 0x63);
	assert_int_equal(back->ctrlreg[3], c->ctrlreg[3]);
	assert_int_equal(back->ctrlreg[1], 0);
	assert_int_equal(back->trap_ctxt[14].address, HANDLER(14));
	assert_int_equal(back->gs_base_user, 0x6000);
	assert_int_equal(back->user_regs.rflags & 0x3200, 0x1000);

	/* What is not right is refused and changes nothing. */
	c->user_regs.rip = 1UL << 60;
	assert_int_equal(pv_context_set(v, w, c), -EINVAL);
	c->user_regs.rip = 0;
	c->trap_ctxt[200].address = 1UL << 60;
	assert_int_equal(pv_context_set(v, w, c), -EINVAL);
	c->trap_ctxt[200].address = 0;
	c->gdt_ents = 7169;
	assert_int_equal(pv_context_set(v, w, c), -EINVAL);
	c->gdt_ents = 0;
	c->ldt_ents = 8193;
	assert_int_equal(pv_context_set(v, w, c), -EINVAL);
	c->ldt_ents = 0;
	c->fs_base = 1UL << 60;
	assert_int_equal(pv_context_set(v, w, c), -EINVAL);
	c->fs_base = 0;
	c->debugreg[2] = HV_VIRT_START;
	assert_int_equal(pv_context_set(v, w, c), -EINVAL);
	c->debugreg[2] = 0;
	c->flags = 0;
	assert_int_equal(pv_context_set(v, w, c), -EINVAL);
	c->flags = VGCF_in_kernel;
	c->gdt_ents = 1;
	c->gdt_frames[0] = 1UL << 40;
	assert_int_equal(pv_context_set(v, w, c), -EINVAL);
	assert_int_equal(w->regs->rip, 0xffffffff81000000);
	assert_int_equal(w->pv->fs_base, 0x7000);
	w->initialised = true;
	free(c);
	free(back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_bounce_from_kernel, start, stop),
		cmocka_unit_test_setup_teardown(test_bounce_from_user, start, stop),
		cmocka_unit_test_setup_teardown(test_no_stack, start, stop),
		cmocka_unit_test_setup_teardown(test_iret, start, stop),
		cmocka_unit_test_setup_teardown(test_failsafe, start, stop),
		cmocka_unit_test_setup_teardown(test_syscall, start, stop),
		cmocka_unit_test_setup_teardown(test_events, start, stop),
		cmocka_unit_test_setup_teardown(test_callback_op, start, stop),
		cmocka_unit_test_setup_teardown(test_page_fault_fixup, start, stop),
		cmocka_unit_test_setup_teardown(test_software_interrupts, start, stop),
		cmocka_unit_test_setup_teardown(test_segment_bases, start, stop),
		cmocka_unit_test_setup_teardown(test_descriptors, start, stop),
		cmocka_unit_test_setup_teardown(test_window_faults, start, stop),
		cmocka_unit_test_setup_teardown(test_context, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) + emulate_tests();
}
