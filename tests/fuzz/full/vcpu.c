/* SPDX-License-Identifier: BSD-2-Clause */
#include <hv/frame.h>
#include <hv/pv.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include "fuzz.h"

#define SCHED(f, cmd, op) call_op((f), __HYPERVISOR_sched_op, (cmd), (op), sizeof(*(op)))

static long vcpu_op(struct fuzz *f, u32 cmd, const void *op, size_t size)
{
	return call(f, __HYPERVISOR_vcpu_op, cmd, some_vcpu(f), size ? argument(f, op, size) : answer(f), 0, 0);
}

static void wait(struct fuzz *f)
{
	struct sched_poll poll = { .nr_ports = f8(f) % 5, .timeout = one_in(f, 6) ? 0 : sim_clock + f8(f) * 20000u };
	u32 ports[4] = { some_port(f), some_port(f), some_port(f), some_port(f) };

	poll.ports.p = (void *)argument(f, ports, sizeof(ports));
	switch (f8(f) & 3) {
	case 0: (void)call(f, f8(f) & 1 ? __HYPERVISOR_sched_op : __HYPERVISOR_sched_op_compat, SCHEDOP_yield, 0, 0, 0, 0); break;
	case 1:
		/* Something wakes it. */
		if (f8(f) & 3)
			(void)call(f, __HYPERVISOR_set_timer_op, sim_clock + 100000, 0, 0, 0, 0);
		(void)call(f, __HYPERVISOR_sched_op, SCHEDOP_block, 0, 0, 0, 0);
		break;
	default: (void)SCHED(f, SCHEDOP_poll, &poll); break;
	}
}

static void end(struct fuzz *f)
{
	struct sched_watchdog dog = { f8(f) & 3, (f8(f) & 3) * (f->d ? 1 : 100) };
	struct sched_pin_override pin = { (s32)(f8(f) % 8) - 2 };
	struct sched_shutdown down = { f8(f) % 7 };
	struct sched_remote_shutdown remote = { some_domid(f), f8(f) % 7 };

	switch (f8(f) % 8) {
	case 0: case 1: case 2: (void)SCHED(f, SCHEDOP_watchdog, &dog); break;
	case 3: case 4: (void)SCHED(f, SCHEDOP_pin_override, &pin); break;
	case 5: (void)SCHED(f, SCHEDOP_shutdown_code, &down); break;
	case 6:
		if (one_in(f, 8))
			(void)SCHED(f, SCHEDOP_remote_shutdown, &remote);
		break;
	default:
		if (one_in(f, 16))
			(void)SCHED(f, SCHEDOP_shutdown, &down);
		break;
	}
}

static void up_down(struct fuzz *f)
{
	static struct vcpu_guest_context c;

	memset(&c, 0, sizeof(c));
	c.flags = VGCF_in_kernel | (f8(f) & 1 ? VGCF_online : 0);
	c.ctrlreg[3] = (f8(f) & 3 ? f->v->pv->kernel_root.v : some_frame(f, f->d)) << PAGE_SHIFT;
	c.ctrlreg[1] = one_in(f, 4) ? some_frame(f, f->d) << PAGE_SHIFT : 0;
	c.user_regs.cs = c.user_regs.ss = FLAT_KERNEL_CS;
	c.user_regs.rsp = c.kernel_sp = sim_va(8);
	c.kernel_ss = FLAT_KERNEL_SS64;
	c.event_callback_eip = c.failsafe_callback_eip = 0xffffffff81100000UL;
	c.gdt_ents = one_in(f, 4) ? f32(f) % 8192 : 0;
	for (u32 i = 0; i < 4; i++)
		c.gdt_frames[i] = c.gdt_ents ? some_frame(f, f->d) : 0;
	switch (f8(f) & 7) {
	case 0: (void)(f->d == 0 && !one_in(f, 20) ? 0 : vcpu_op(f, VCPUOP_down, NULL, 0)); break;
	case 1: (void)vcpu_op(f, VCPUOP_initialise, &c, sizeof(c)); break;
	case 2: (void)vcpu_op(f, VCPUOP_is_up, NULL, 0); break;
	case 3: (void)vcpu_op(f, VCPUOP_send_nmi, NULL, 0); break;
	default: (void)vcpu_op(f, VCPUOP_up, NULL, 0); break;
	}
}

static void area(struct fuzz *f)
{
	struct vcpu_register_runstate_memory_area run = { .addr.p = some_address(f) };
	struct vcpu_register_time_memory_area time = { .addr.p = some_address(f) };
	struct vcpu_register_vcpu_info info = { .mfn = some_frame(f, f->d), .offset = (f8(f) & 63) * 64u };

	switch (f8(f) % 6) {
	case 0: (void)vcpu_op(f, VCPUOP_register_runstate_memory_area, &run, sizeof(run)); break;
	case 1: (void)vcpu_op(f, VCPUOP_register_vcpu_time_memory_area, &time, sizeof(time)); break;
	case 2: (void)vcpu_op(f, VCPUOP_register_vcpu_info, &info, sizeof(info)); break;
	case 3: (void)vcpu_op(f, VCPUOP_get_runstate_info, NULL, 0); break;
	case 4: (void)vcpu_op(f, VCPUOP_get_physid, NULL, 0); break;
	default: (void)vcpu_op(f, (u32)some_number(f), NULL, 0); break;
	}
}

static void timers(struct fuzz *f)
{
	struct vcpu_set_periodic_timer periodic = { f8(f) & 1 ? f8(f) * 100000u : some_number(f) };
	struct vcpu_set_singleshot_timer once = { .timeout_abs_ns = f8(f) & 1 ? sim_clock + f8(f) * 10000u : some_number(f), .flags = f8(f) & 1 };

	switch (f8(f) % 5) {
	case 0: (void)vcpu_op(f, VCPUOP_set_periodic_timer, &periodic, sizeof(periodic)); break;
	case 1: (void)vcpu_op(f, VCPUOP_set_singleshot_timer, &once, sizeof(once)); break;
	case 2: (void)vcpu_op(f, VCPUOP_stop_periodic_timer, NULL, 0); break;
	case 3: (void)vcpu_op(f, VCPUOP_stop_singleshot_timer, NULL, 0); break;
	default: (void)call(f, __HYPERVISOR_set_timer_op, f8(f) & 1 ? sim_clock + f8(f) * 10000u : some_number(f), 0, 0, 0, 0); break;
	}
}

void fuzz_vcpu(struct fuzz *f)
{
	static fuzz_step *const what[8] = { wait, wait, end, up_down, up_down, area, area, timers };

	what[f8(f) & 7](f);
}
