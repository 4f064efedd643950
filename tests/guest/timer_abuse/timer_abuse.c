/* SPDX-License-Identifier: BSD-2-Clause */
/* Timers: in the past, in the far future, set over and over, and the shortest periods. Time goes on for everyone. */
#include <guest/guest.h>
#include <xen/vcpu.h>

static volatile unsigned int ticks;

static void tick(evtchn_port_t port, void *arg)
{
	(void)port;
	(void)arg;
	ticks++;
}

static void tick_past(evtchn_port_t port, void *arg)
{
	(void)port;
	(void)arg;
	if (++ticks < 1000)
		timer_set(1);
}

static void test_past(evtchn_port_t port)
{
	test_begin("in the past, again from the handler");
	ticks = 0;
	event_handler_set(port, tick_past, NULL);
	upcalls_unmask();
	expect_eq(timer_set(1), 0);
	expect(spin_until(ticks == 1000, 10 * S));
	time_spin(5 * MS);
	expect_eq(ticks, 1000);
	upcalls_mask();
	event_handler_set(port, tick, NULL);
}

static void test_future(void)
{
	static const u64 far[] = { ~0UL, ~0UL - 1, 1UL << 63, (1UL << 63) - 1, 1UL << 62, 1UL << 50 };
	struct vcpu_set_singleshot_timer op = { 0 };
	unsigned int i;

	test_begin("in the far future");
	upcalls_unmask();
	for (i = 0; i < ARRAY_SIZE(far); i++) {
		/* Accepted or not, and at once or never: but it returns, and the next timer works. */
		timer_set(far[i]);
		op.timeout_abs_ns = far[i];
		HYPERVISOR_vcpu_op(VCPUOP_set_singleshot_timer, 0, &op);
		time_spin(MS);
		timer_set(0);
		ticks = 0;
		expect_eq(timer_set(time_now() + MS), 0);
		expect(spin_until(ticks, 2 * S));
	}
	upcalls_mask();
}

static void test_often(void)
{
	unsigned int i;

	test_begin("set ten thousand times");
	upcalls_unmask();
	ticks = 0;
	for (i = 0; i < 10000; i++)
		if (timer_set(time_now() + 20 * S))
			break;
	expect_eq(i, 10000);
	expect_eq(ticks, 0);
	expect_eq(timer_set(time_now() + MS), 0);
	expect(spin_until(ticks == 1, 2 * S));
	upcalls_mask();
}

static void test_period(void)
{
	static const u64 bad[] = { 0, 1, 1000, 999999, ~0UL, 1UL << 63 };
	struct vcpu_set_periodic_timer op = { 0 };
	unsigned int i;
	u64 start;

	test_begin("periods");
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		op.period_ns = bad[i];
		expect_msg(HYPERVISOR_vcpu_op(VCPUOP_set_periodic_timer, 0, &op) < 0, "period %lu", bad[i]);
	}
	/* The shortest there is leaves time for the rest. */
	op.period_ns = MS;
	expect_eq(HYPERVISOR_vcpu_op(VCPUOP_set_periodic_timer, 0, &op), 0);
	upcalls_unmask();
	ticks = 0;
	start = time_now();
	expect(spin_until(ticks >= 20, 5 * S));
	expect_msg(time_now() - start >= 18 * MS, "20 ticks in %lu ns", time_now() - start);
	expect_eq(HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL), 0);
	upcalls_mask();
	expect(HYPERVISOR_vcpu_op(VCPUOP_set_periodic_timer, 99, &op) < 0);
	expect(HYPERVISOR_vcpu_op(VCPUOP_set_periodic_timer, 0, NULL) < 0);
	expect(HYPERVISOR_vcpu_op(VCPUOP_set_singleshot_timer, 0, (void *)HYPERVISOR_VIRT_START) < 0);
}

void guest_main(void)
{
	int port = event_bind_virq(VIRQ_TIMER, 0);

	test_begin("set up");
	if (!require(port))
		return;
	HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
	event_handler_set((evtchn_port_t)port, tick, NULL);
	event_unmask((evtchn_port_t)port);
	test_past((evtchn_port_t)port);
	test_future();
	test_often();
	test_period();
}
