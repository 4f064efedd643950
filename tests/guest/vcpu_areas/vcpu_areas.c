/* SPDX-License-Identifier: BSD-2-Clause */
/* Areas that a vCPU registers: its vcpu_info elsewhere, runstate and time. */
#include <guest/guest.h>
#include <xen/vcpu.h>

static struct vcpu_info *moved;
static struct vcpu_runstate_info runstate __attribute__((aligned(64)));
static struct vcpu_time_info time_area __attribute__((aligned(64)));
static volatile unsigned int seen;

static void count_event(evtchn_port_t port, void *arg)
{
	(void)port;
	(void)arg;
	seen++;
}

static void test_runstate(void)
{
	struct vcpu_register_runstate_memory_area area = { .addr.v = &runstate };
	unsigned int i;
	u64 t;

	test_begin("runstate area");
	expect_eq(HYPERVISOR_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &area), 0);
	expect_eq(runstate.state, RUNSTATE_running);
	t = runstate.time[RUNSTATE_blocked];
	/* An emulated machine may stall until the timer has gone off before the vCPU blocks: again, then. */
	for (i = 0; i < 10 && runstate.time[RUNSTATE_blocked] == t; i++) {
		seen = 0;
		timer_set(time_now() + 5 * MS);
		event_wait_for(seen);
		upcalls_mask();
	}
	expect_eq(runstate.state, RUNSTATE_running);
	expect_msg(runstate.time[RUNSTATE_blocked] > t, "blocked %lu ns before, %lu after", t,
		   runstate.time[RUNSTATE_blocked]);
	expect_eq(HYPERVISOR_vm_assist(VMASST_CMD_enable, VMASST_TYPE_runstate_update_flag), 0);
	HYPERVISOR_sched_op(SCHEDOP_yield, NULL);
	expect(!(runstate.state_entry_time & XEN_RUNSTATE_UPDATE));
	area.addr.v = NULL;
	expect_eq(HYPERVISOR_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &area), 0);
}

static void test_time_area(void)
{
	struct vcpu_register_time_memory_area area = { .addr.v = &time_area };

	test_begin("time area");
	expect_eq(HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &area), 0);
	expect_eq(time_area.tsc_to_system_mul, vcpu_this()->info->time.tsc_to_system_mul);
	expect_eq(time_area.version & 1, 0);
	area.addr.v = NULL;
	expect_eq(HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &area), 0);
}

static void test_vcpu_info(int port)
{
	void *page = page_alloc();
	struct vcpu_register_vcpu_info op = { .mfn = va_mfn(page), .offset = 4096 - 32 };

	test_begin("vcpu_info elsewhere");
	/* Across the end of the page; a frame that is a page table. */
	expect(HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_info, 0, &op) < 0);
	op.offset = 128;
	op.mfn = va_mfn(kernel_root());
	expect(HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_info, 0, &op) < 0);
	op.mfn = va_mfn(page);
	expect_eq(HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_info, 0, &op), 0);
	moved = (struct vcpu_info *)((u8 *)page + 128);
	vcpu_this()->info = moved;
	/* What was there is carried over; the mask is still set. */
	expect_eq(moved->evtchn_upcall_mask, 1);
	expect(moved->time.tsc_to_system_mul != 0);
	expect(HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_info, 0, &op) < 0); /* once only */
	/* A move makes everything pending, so that nothing is lost. */
	seen = 0;
	upcalls_unmask();
	timer_set(time_now() + 2 * MS);
	event_wait_for(seen);
	expect(seen >= 1);
	upcalls_mask();
	event_close((evtchn_port_t)port);
}

void guest_main(void)
{
	int port = event_bind_virq(VIRQ_TIMER, 0);

	test_begin("set up");
	if (!require(port))
		return;
	HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
	event_handler_set((evtchn_port_t)port, count_event, NULL);
	event_unmask((evtchn_port_t)port);
	test_runstate();
	test_time_area();
	test_vcpu_info(port);
}
