/* SPDX-License-Identifier: BSD-2-Clause */
/* Small hypercalls, the dispatcher, and what fuzzing has found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <hv/cpu.h>
#include <hv/frame.h>
#include <hv/grant.h>
#include <hv/hypercall.h>
#include <hv/perf.h>
#include <hv/pv.h>
#include <hv/softirq.h>
#include <xen/arch-x86/xen-mca.h>
#include <xen/callback.h>
#include <xen/features.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/nmi.h>
#include <xen/version.h>
#include "../full/kit.h"
#include "../../../hypervisor/core/event/event.h"
#include "../../../hypervisor/drivers/console/internal.h"

static int start(void **state)
{
	(void)state;
	kit_start();
	return 0;
}

static int stop(void **state)
{
	(void)state;
	sim_check();
	sim_stop();
	return 0;
}

/* --- xen_version --- */

static long version(struct vcpu *v, u32 cmd, void *out, size_t size)
{
	gva_t at = kit_room(v, size);
	long rc = kit_call(v, xen_version, cmd, at, 0);

	kit_get(v, out, at, size);
	return rc;
}

static void test_version(void **state)
{
	char text[2048];
	struct xen_feature_info f = { .submap_idx = 0 };
	u8 handle[16];

	(void)state;
	assert_int_equal(kit_call(kit_v1, xen_version, XENVER_version, 0, 0), 4 << 16 | 17);
	assert_int_equal(version(kit_v1, XENVER_extraversion, text, sizeof(xen_extraversion_t)), 0);
	assert_int_equal(text[0], '.');
	assert_int_equal(version(kit_v1, XENVER_compile_info, text, sizeof(struct xen_compile_info)), 0);
	assert_int_equal(version(kit_v1, XENVER_capabilities, text, sizeof(xen_capabilities_info_t)), 0);
	assert_string_equal(text, "xen-3.0-x86_64 ");
	assert_int_equal(text[sizeof(xen_capabilities_info_t) - 1], 0);
	/* What only the administrator may know. */
	assert_int_equal(version(kit_v1, XENVER_changeset, text, sizeof(xen_changeset_info_t)), 0);
	assert_string_equal(text, "<denied>");
	assert_int_equal(version(kit_v0, XENVER_changeset, text, sizeof(xen_changeset_info_t)), 0);
	assert_string_equal(text, "");
	assert_int_equal(version(kit_v1, XENVER_commandline, text, sizeof(xen_commandline_t)), 0);
	assert_string_equal(text, "<denied>");
	assert_int_equal(version(kit_v0, XENVER_commandline, text, sizeof(xen_commandline_t)), 0);
	assert_string_equal(text, "loglvl=all");
	assert_int_equal(kit_call(kit_v1, xen_version, XENVER_build_id, 0, 0), -EPERM);
	assert_int_equal(kit_call(kit_v0, xen_version, XENVER_build_id, 0, 0), -ENODATA);
	assert_int_equal(kit_call(kit_v1, xen_version, XENVER_pagesize, 0, 0), PAGE_SIZE);
	assert_int_equal(version(kit_v1, XENVER_platform_parameters, text, 8), 0);
	assert_int_equal(*(u64 *)(void *)text, 0xffff800000000000UL);
	kit_guest->handle[3] = 7;
	assert_int_equal(version(kit_v1, XENVER_guest_handle, handle, 16), 0);
	assert_int_equal(handle[3], 7);
	assert_int_equal(kit_op(kit_v0, __HYPERVISOR_xen_version, XENVER_get_features, &f, sizeof(f)), 0);
	assert_true(f.submap >> XENFEAT_dom0 & 1);
	assert_int_equal(kit_op(kit_v1, __HYPERVISOR_xen_version, XENVER_get_features, &f, sizeof(f)), 0);
	assert_false(f.submap >> XENFEAT_dom0 & 1);
	f.submap_idx = 1;
	assert_int_equal(kit_op(kit_v1, __HYPERVISOR_xen_version, XENVER_get_features, &f, sizeof(f)), -EINVAL);
	assert_int_equal(kit_call(kit_v1, xen_version, 77, 0, 0), -ENOSYS);
	for (u32 cmd = XENVER_extraversion; cmd <= XENVER_commandline; cmd++)
		if (cmd != XENVER_pagesize)
			assert_int_equal(kit_call(kit_v1, xen_version, cmd, KIT_UNMAPPED, 0), -EFAULT);
}

/* --- small ones --- */

static void test_misc(void **state)
{
	struct xen_hvm_param p = { .domid = 99 };
	struct evtchn_op old = { .cmd = EVTCHNOP_alloc_unbound, .u.alloc_unbound = { .dom = DOMID_SELF, .remote_dom = 0 } };
	gva_t at;

	(void)state;
	assert_int_equal(kit_call(kit_v1, vm_assist, VMASST_CMD_enable, 99, 0), -EINVAL);
	assert_int_equal(kit_call(kit_v1, vm_assist, VMASST_CMD_enable, 1UL << 33, 0), -EINVAL);
	assert_int_equal(kit_call(kit_v1, vm_assist, 7, 0, 0), -ENOSYS);
	assert_int_equal(kit_call(kit_v1, vm_assist, VMASST_CMD_enable, VMASST_TYPE_writable_pagetables, 0), 0);
	assert_true(kit_guest->vm_assist >> VMASST_TYPE_writable_pagetables & 1);
	assert_int_equal(kit_call(kit_v1, vm_assist, VMASST_CMD_disable, VMASST_TYPE_writable_pagetables, 0), 0);
	assert_int_equal(kit_guest->vm_assist, 0);
	assert_int_equal(kit_call(kit_v1, xsm_op, 0, 0, 0), -ENOSYS);
	assert_int_equal(kit_call(kit_v1, kexec_op, 0, 0, 0), -EPERM);
	assert_int_equal(kit_call(kit_v0, kexec_op, 0, 0, 0), -ENOSYS);
	assert_int_equal(kit_op(kit_v1, __HYPERVISOR_hvm_op, HVMOP_get_param, &p, sizeof(p)), -EPERM);
	assert_int_equal(kit_op(kit_v0, __HYPERVISOR_hvm_op, HVMOP_get_param, &p, sizeof(p)), -ESRCH);
	p.domid = DOMID_SELF;
	assert_int_equal(kit_op(kit_v1, __HYPERVISOR_hvm_op, HVMOP_get_param, &p, sizeof(p)), -EINVAL);
	assert_int_equal(kit_call(kit_v1, hvm_op, HVMOP_get_param, KIT_UNMAPPED, 0), -EFAULT);
	assert_int_equal(kit_call(kit_v1, hvm_op, 77, 0, 0), -ENOSYS);
	at = kit_put(kit_v1, &old, sizeof(old));
	assert_int_equal(kit_call(kit_v1, event_channel_op_compat, at, 0, 0), 0);
	kit_get(kit_v1, &old, at, sizeof(old));
	assert_int_equal(port_find(kit_guest->events, old.u.alloc_unbound.port)->state, PORT_UNBOUND);
	old.cmd = EVTCHNOP_reset;
	assert_int_equal(kit_call(kit_v1, event_channel_op_compat, kit_put(kit_v1, &old, sizeof(old)), 0, 0), -ENOSYS);
	assert_int_equal(kit_call(kit_v1, event_channel_op_compat, KIT_UNMAPPED, 0, 0), -EFAULT);
}

static void test_mca(void **state)
{
	struct xen_mc op = { .cmd = XEN_MC_fetch, .interface_version = XEN_MCA_INTERFACE_VERSION };
	struct mcinfo_logical_cpu cpus[4];

	(void)state;
	assert_int_equal(full_hypercall(kit_v1, __HYPERVISOR_arch_0, 0, 0, 0, 0, 0), -EPERM);
	assert_int_equal(full_hypercall(kit_v0, __HYPERVISOR_arch_0, KIT_UNMAPPED, 0, 0, 0, 0), -EFAULT);
	for (u32 i = 0; i < 5; i++) {
		static const long want[5] = { 0, 0, 0, -EOPNOTSUPP, -EACCES };
		gva_t at;

		op.cmd = i < 1 ? XEN_MC_fetch : i < 3 ? XEN_MC_physcpuinfo : 77;
		op.interface_version = i == 4 ? 1 : XEN_MCA_INTERFACE_VERSION;
		memset(&op.u, 0, sizeof(op.u));
		if (i == 2) {
			op.u.mc_physcpuinfo.ncpus = 3;
			op.u.mc_physcpuinfo.info.p = (void *)kit_room(kit_v0, sizeof(cpus));
		}
		at = kit_put(kit_v0, &op, sizeof(op));
		assert_int_equal(full_hypercall(kit_v0, __HYPERVISOR_arch_0, at, 0, 0, 0, 0), want[i]);
		kit_get(kit_v0, &op, at, sizeof(op));
		if (i == 0)
			assert_int_equal(op.u.mc_fetch.flags, XEN_MC_NODATA);
		if (i == 1)
			assert_int_equal(op.u.mc_physcpuinfo.ncpus, 4);
	}
	op = (struct xen_mc){ .cmd = XEN_MC_physcpuinfo, .interface_version = XEN_MCA_INTERFACE_VERSION };
	op.u.mc_physcpuinfo.ncpus = 3;
	op.u.mc_physcpuinfo.info.p = (void *)KIT_UNMAPPED;
	assert_int_equal(full_hypercall(kit_v0, __HYPERVISOR_arch_0, kit_put(kit_v0, &op, sizeof(op)), 0, 0, 0, 0), -EFAULT);
}

/* --- console_io --- */

static void test_console(void **state)
{
	static char text[1000];
	gva_t at;

	(void)state;
	memset(text, 'x', sizeof(text));
	at = kit_put(kit_v1, text, sizeof(text));
	assert_int_equal(kit_call(kit_v1, console_io, CONSOLEIO_write, sizeof(text), at), 0);
	assert_int_equal(kit_call(kit_v1, console_io, CONSOLEIO_write, 5, KIT_UNMAPPED), -EFAULT);
	assert_int_equal(kit_call(kit_v1, console_io, CONSOLEIO_write, 0, KIT_UNMAPPED), 0);
	assert_int_equal(kit_call(kit_v1, console_io, CONSOLEIO_write, 0xffffffff, KIT_FORBIDDEN), -EFAULT);
	/* A long one goes on where it was stopped. */
	sim_preempt_every(1);
	assert_int_equal(kit_call(kit_v0, console_io, CONSOLEIO_write, sizeof(text), kit_put(kit_v0, text, sizeof(text))), 0);
	assert_int_equal(full_restarts, 3);
	sim_preempt_every(0);
	assert_int_equal(kit_call(kit_v1, console_io, CONSOLEIO_read, 10, at), -EPERM);
	at = kit_room(kit_v0, 300);
	assert_int_equal(kit_call(kit_v0, console_io, CONSOLEIO_read, 300, at), 0);
	assert_int_equal(kit_call(kit_v0, console_io, CONSOLEIO_read, 10, KIT_UNMAPPED), -EFAULT);
	assert_int_equal(kit_call(kit_v0, console_io, 9, 0, 0), -ENOSYS);
}

/* --- dispatch --- */

static void test_dispatch(void **state)
{
	u64 before;

	(void)state;
	/* Numbers that stand for nothing, or for nothing at all. */
	assert_int_equal(full_hypercall(kit_v1, 11, 0, 0, 0, 0, 0), -ENOSYS);
	assert_int_equal(full_hypercall(kit_v1, 63, 0, 0, 0, 0, 0), -ENOSYS);
	assert_int_equal(full_hypercall(kit_v1, 64, 0, 0, 0, 0, 0), -ENOSYS);
	assert_int_equal(full_hypercall(kit_v1, 0xffffffff, 0, 0, 0, 0, 0), -ENOSYS);
	before = hypercall_count(__HYPERVISOR_xen_version);
	(void)kit_call(kit_v1, xen_version, 0, 0, 0);
	(void)kit_call(kit_v0, xen_version, 0, 0, 0);
	assert_int_equal(hypercall_count(__HYPERVISOR_xen_version), before + 2);
	/* A restart goes back over the instruction, also for a return by SYSRET. */
	kit_v1->regs->vector = TRAP_SYSCALL;
	sim_cpu_switch(2);
	sim_preempt_every(1);
	kit_v1->regs->rax = __HYPERVISOR_console_io;
	kit_v1->regs->rip = 0x5002;
	kit_v1->regs->args[0] = CONSOLEIO_write;
	kit_v1->regs->args[1] = 600;
	kit_v1->regs->args[2] = sim_alloc(kit_guest, PAGE_SIZE);
	hypercall_dispatch(kit_v1, kit_v1->regs);
	sim_preempt_every(0);
	assert_int_equal(kit_v1->regs->rip, 0x5000);
	assert_int_equal(kit_v1->regs->rcx, 0x5000);
	assert_int_equal(kit_v1->regs->rax, __HYPERVISOR_console_io);
	assert_int_equal(kit_v1->regs->args[1], 600 - 256);
}

/* --- entry points --- */

static long callback(u32 cmd, u16 type, u16 flags, u64 address)
{
	struct callback_register reg = { .type = type, .flags = flags, .address = address };

	return kit_op(kit_v1, __HYPERVISOR_callback_op, cmd, &reg, sizeof(reg));
}

static void test_callbacks(void **state)
{
	struct xennmi_callback nmi = { .handler_address = 0xffffffff81000000UL };
	const u64 address = 0xffffffff81234000UL;

	(void)state;
	for (u16 type = 0; type < 10; type++) {
		long known = type == CALLBACKTYPE_event || type == CALLBACKTYPE_failsafe || type == CALLBACKTYPE_syscall ||
			     type == CALLBACKTYPE_syscall32 || type == CALLBACKTYPE_sysenter || type == CALLBACKTYPE_nmi;

		assert_int_equal(callback(CALLBACKOP_register, type, CALLBACKF_mask_events, address), known ? 0 : -ENOSYS);
		assert_int_equal(callback(CALLBACKOP_register, type, 0, 1UL << 60), -EINVAL);
		assert_int_equal(callback(CALLBACKOP_unregister, type, 0, 0), type == CALLBACKTYPE_nmi ? 0 : known ? -EINVAL : -ENOSYS);
	}
	assert_int_equal(kit_v1->pv->event_callback, address);
	assert_true(kit_v1->pv->syscall_masks_events && kit_v1->pv->failsafe_masks_events && kit_v1->pv->sysenter_masks_events);
	assert_int_equal(callback(9, 0, 0, 0), -ENOSYS);
	assert_int_equal(kit_call(kit_v1, callback_op, CALLBACKOP_register, KIT_UNMAPPED, 0), -EFAULT);
	assert_int_equal(kit_call(kit_v1, callback_op, CALLBACKOP_unregister, KIT_UNMAPPED, 0), -EFAULT);
	/* NMIs of the machine are dom0's first vCPU's. */
	assert_int_equal(kit_op(kit_v1, __HYPERVISOR_nmi_op, XENNMI_register_callback, &nmi, sizeof(nmi)), -EINVAL);
	assert_int_equal(kit_op(dom0->vcpu[1], __HYPERVISOR_nmi_op, XENNMI_register_callback, &nmi, sizeof(nmi)), -EINVAL);
	assert_int_equal(kit_op(kit_v0, __HYPERVISOR_nmi_op, XENNMI_register_callback, &nmi, sizeof(nmi)), 0);
	assert_int_equal(kit_v0->pv->traps[2].address, nmi.handler_address);
	nmi.handler_address = 1UL << 50;
	assert_int_equal(kit_op(kit_v0, __HYPERVISOR_nmi_op, XENNMI_register_callback, &nmi, sizeof(nmi)), -EINVAL);
	assert_int_equal(kit_call(kit_v0, nmi_op, XENNMI_register_callback, KIT_UNMAPPED, 0), -EFAULT);
	assert_int_equal(kit_call(kit_v0, nmi_op, XENNMI_unregister_callback, 0, 0), 0);
	assert_int_equal(kit_v0->pv->traps[2].address, 0);
	assert_int_equal(kit_call(kit_v0, nmi_op, 9, 0, 0), -ENOSYS);
	assert_int_equal(kit_call(kit_v1, set_callbacks, 1UL << 60, 0, 0), -EINVAL);
	assert_int_equal(kit_call(kit_v1, set_segment_base, 9, 0, 0), -EINVAL);
	assert_int_equal(kit_call(kit_v1, set_debugreg, 9, 0, 0), -EINVAL);
}

/* --- what fuzzing has found --- */

/* The pages of the FIFO ABI go with the ABI's end, if the guest has given them back meanwhile: with no lock held. */
static void test_fifo_pages_given_back(void **state)
{
	u32 control = kit_page(kit_guest), array = kit_page(kit_guest);
	struct evtchn_init_control c = { .control_gfn = sim_mfn(kit_guest, control).v };
	struct evtchn_expand_array a = { sim_mfn(kit_guest, array).v };
	struct evtchn_reset reset = { DOMID_SELF };
	struct xen_memory_reservation r = { .nr_extents = 2, .domid = DOMID_SELF };
	u64 list[2] = { c.control_gfn, a.array_gfn }, before = heap_free_frames();

	(void)state;
	assert_int_equal(kit_event(kit_v1, EVTCHNOP_init_control, &c, sizeof(c)), 0);
	assert_int_equal(kit_event(kit_v1, EVTCHNOP_expand_array, &a, sizeof(a)), 0);
	assert_int_equal(kit_call(kit_v1, update_va_mapping, sim_va(control), 0, UVMF_INVLPG), 0);
	assert_int_equal(kit_call(kit_v1, update_va_mapping, sim_va(array), 0, UVMF_INVLPG), 0);
	r.extent_start.p = (void *)kit_put(kit_v1, list, sizeof(list));
	assert_int_equal(kit_memory(kit_v1, XENMEM_decrease_reservation, &r, sizeof(r)), 2);
	assert_int_equal(heap_free_frames(), before);
	assert_int_equal(kit_event(kit_v1, EVTCHNOP_reset, &reset, sizeof(reset)), 0);
	assert_int_equal(heap_free_frames(), before + 2);
}

/* An event for a vCPU without a control block is not lost: it is seen as pending, and delivered when unmasked. */
static void test_fifo_no_control_block(void **state)
{
	u32 control = kit_page(kit_guest), array = kit_page(kit_guest), port;
	struct evtchn_init_control c = { .control_gfn = sim_mfn(kit_guest, control).v };
	struct evtchn_expand_array a = { sim_mfn(kit_guest, array).v };
	struct evtchn_unmask unmask;
	event_word_t *word;

	(void)state;
	assert_int_equal(kit_event(kit_v1, EVTCHNOP_init_control, &c, sizeof(c)), 0);
	assert_int_equal(kit_event(kit_v1, EVTCHNOP_expand_array, &a, sizeof(a)), 0);
	port = kit_port_ipi(kit_v1, 1);
	word = (event_word_t *)sim_page(kit_guest, array) + port;
	assert_int_equal(kit_event(kit_v1, EVTCHNOP_send, &(struct evtchn_send){ port }, 4), 0);
	assert_true(kit_port_pending(kit_guest, port));
	assert_true(*word >> EVTCHN_FIFO_PENDING & 1);
	assert_false(*word >> EVTCHN_FIFO_LINKED & 1);
	c = (struct evtchn_init_control){ .control_gfn = sim_mfn(kit_guest, control).v, .offset = 2048, .vcpu = 1 };
	assert_int_equal(kit_event(kit_v1, EVTCHNOP_init_control, &c, sizeof(c)), 0);
	unmask.port = port;
	assert_int_equal(kit_event(kit_v1, EVTCHNOP_unmask, &unmask, sizeof(unmask)), 0);
	assert_true(*word >> EVTCHN_FIFO_LINKED & 1);
	assert_int_equal(kit_guest->vcpu[1]->info->evtchn_upcall_pending, 1);
}

/* Before its word exists an event is remembered, and a vCPU that polls for it wakes. */
static void test_fifo_no_word(void **state)
{
	u32 control = kit_page(kit_guest), array = kit_page(kit_guest), port = kit_port_ipi(kit_v1, 0);
	struct evtchn_init_control c = { .control_gfn = sim_mfn(kit_guest, control).v, .vcpu = 0 };
	struct evtchn_expand_array a = { sim_mfn(kit_guest, array).v };
	struct sched_poll poll = { .nr_ports = 1 };
	event_word_t *word = (event_word_t *)sim_page(kit_guest, array) + port;

	(void)state;
	assert_int_equal(kit_event(kit_v1, EVTCHNOP_init_control, &c, sizeof(c)), 0);
	kit_v1->info->evtchn_upcall_mask = 1;
	kit_v1->info->evtchn_upcall_pending = 0;
	poll.ports.p = (void *)kit_put(kit_v1, &port, sizeof(port));
	assert_int_equal(kit_sched(kit_v1, SCHEDOP_poll, &poll, sizeof(poll)), 0);
	assert_null(full_current(2));
	assert_int_equal(kit_event(kit_guest->vcpu[1], EVTCHNOP_send, &(struct evtchn_send){ port }, 4), 0);
	assert_true(full_current(2) == kit_v1);
	assert_true(kit_port_pending(kit_guest, port));
	assert_int_equal(kit_event(kit_v1, EVTCHNOP_expand_array, &a, sizeof(a)), 0);
	assert_true(*word >> EVTCHN_FIFO_PENDING & 1);
	assert_true(*word >> EVTCHN_FIFO_LINKED & 1);
	assert_int_equal(kit_v1->info->evtchn_upcall_pending, 1);
}

/* A grant is mapped by the address of an entry that lies in no table: refused at once. */
static void test_grant_entry_address(void **state)
{
	struct frame *block = frames_alloc(2, 0);
	u64 frame = frame_mfn(block).v;

	(void)state;
	frames_free(block, 2);
	kit_grant_entry(dom0, 8, 1, kit_page(dom0), false);
	for (u32 i = 0; i < 4; i++) {
		u64 at = i == 0 ? frame : i == 1 ? SIM_HOLE_FIRST + 2 : i == 2 ? virt_mfn(kit_guest->shared).v : sim_mfn(dom0, 5).v;
		struct gnttab_map_grant_ref op = { .flags = GNTMAP_host_map | GNTMAP_contains_pte, .ref = 8, .dom = 0,
						   .host_addr = at << PAGE_SHIFT | 8 };

		assert_int_equal(kit_grant(kit_v1, GNTTABOP_map_grant_ref, &op, sizeof(op)), 0);
		assert_true(op.status < 0);
	}
}

/* A change of the version that is refused leaves all status frames. */
static void test_grant_version_busy(void **state)
{
	struct gnttab_setup_table setup = { .dom = DOMID_SELF, .nr_frames = 20 };
	struct gnttab_set_version ver = { 2 };
	struct mmu_update u;
	u32 status;

	(void)state;
	setup.frame_list.p = (void *)kit_room(kit_v1, 256);
	assert_int_equal(kit_grant(kit_v1, GNTTABOP_setup_table, &setup, sizeof(setup)), 0);
	assert_int_equal(kit_grant(kit_v1, GNTTABOP_set_version, &ver, sizeof(ver)), 0);
	/* The first one stays mapped. */
	u.val = mfn_paddr(grant_table_frame(kit_guest, 0, true)).v | 0x65;
	assert_int_equal(kit_call(kit_v1, update_va_mapping, sim_va(kit_page(kit_guest)), u.val, UVMF_INVLPG), 0);
	ver.version = 1;
	sim_fail_alloc(1);
	assert_int_equal(kit_grant(kit_v1, GNTTABOP_set_version, &ver, sizeof(ver)), -EBUSY);
	sim_fail_alloc(0);
	assert_int_equal(ver.version, 2);
	status = grant_table_frames_max(kit_guest, true);
	for (u32 i = 0; i < MIN(status, 5u); i++)
		assert_false(mfn_eq(grant_table_frame(kit_guest, i, true), INVALID_MFN));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, start, stop)
		T(test_version), T(test_misc), T(test_mca), T(test_console), T(test_dispatch), T(test_callbacks),
		T(test_fifo_pages_given_back), T(test_fifo_no_control_block), T(test_fifo_no_word), T(test_grant_entry_address),
		T(test_grant_version_busy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
