/* SPDX-License-Identifier: BSD-2-Clause */
/* Time: it goes on and never back; set_timer_op, single-shot and periodic timers. */
#include <guest/guest.h>
#include <xen/vcpu.h>

/* The emulated machine stalls now and then: nothing here is about being quick, only about not being early. */
#define LATE (500 * MS)

static volatile unsigned int ticks;
static volatile u64 last_tick;

static void tick(evtchn_port_t port, void *arg)
{
	(void)port;
	(void)arg;
	ticks++;
	last_tick = time_now();
}

static void test_time(void)
{
	u64 now, last = time_now(), back = 0, start = last;

	test_begin("system time");
	do {
		now = time_now();
		back += now < last;
		last = now;
	} while (now < start + 20 * MS);
	expect_eq(back, 0);
	expect(vcpu_this()->info->time.tsc_to_system_mul != 0);
}

static void test_set_timer(void)
{
	u64 want;

	test_begin("set_timer_op");
	ticks = 0;
	want = time_now() + 5 * MS;
	expect_eq(timer_set(want), 0);
	event_wait_for(ticks);
	expect_eq(ticks, 1);
	expect_msg(last_tick >= want, "%lu ns early", want - last_tick);
	expect_msg(last_tick < want + LATE, "%lu ns late", last_tick - want);
	/* One shot only. */
	time_spin(10 * MS);
	expect_eq(ticks, 1);
	/* A time that has passed: at once. */
	expect_eq(timer_set(time_now() - MS), 0);
	expect(spin_until(ticks == 2, LATE));
	/* Taken back. */
	expect_eq(timer_set(time_now() + 5 * MS), 0);
	expect_eq(timer_set(0), 0);
	time_spin(15 * MS);
	expect_eq(ticks, 2);
	/* Moved. */
	expect_eq(timer_set(time_now() + 10 * S), 0);
	expect_eq(timer_set(time_now() + MS), 0);
	expect(spin_until(ticks == 3, LATE));
}

static void test_singleshot(void)
{
	struct vcpu_set_singleshot_timer op = { .timeout_abs_ns = time_now() + 3 * MS };
	long ret;

	test_begin("single-shot timer");
	ticks = 0;
	expect_eq(HYPERVISOR_vcpu_op(VCPUOP_set_singleshot_timer, 0, &op), 0);
	event_wait_for(ticks);
	expect(last_tick >= op.timeout_abs_ns);
	op.timeout_abs_ns = time_now() - MS;
	op.flags = VCPU_SSHOTTMR_future;
	/* The flag asks for -ETIME; hypervisors may also fire at once, as without it. */
	ret = HYPERVISOR_vcpu_op(VCPUOP_set_singleshot_timer, 0, &op);
	expect_msg(ret == 0 || ret == -XEN_ETIME, "gave %ld", ret);
	op.flags = 0;
	op.timeout_abs_ns = time_now() + 5 * MS;
	expect_eq(HYPERVISOR_vcpu_op(VCPUOP_set_singleshot_timer, 0, &op), 0);
	expect_eq(HYPERVISOR_vcpu_op(VCPUOP_stop_singleshot_timer, 0, NULL), 0);
	ticks = 0;
	time_spin(15 * MS);
	expect_eq(ticks, 0);
}

static void test_periodic(void)
{
	struct vcpu_set_periodic_timer op = { .period_ns = 10 * MS };
	u64 start;

	test_begin("periodic timer");
	ticks = 0;
	start = time_now();
	expect_eq(HYPERVISOR_vcpu_op(VCPUOP_set_periodic_timer, 0, &op), 0);
	/* It runs while the vCPU does: spin, do not block. */
	expect(spin_until(ticks >= 5, 50 * MS + LATE));
	expect_msg(time_now() - start >= 40 * MS, "five ticks in %lu ns", time_now() - start);
	expect_eq(HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL), 0);
	ticks = 0;
	time_spin(30 * MS);
	expect(ticks <= 1);
	op.period_ns = 1000;
	expect_eq(HYPERVISOR_vcpu_op(VCPUOP_set_periodic_timer, 0, &op), -XEN_EINVAL);
}

void guest_main(void)
{
	int port = event_bind_virq(VIRQ_TIMER, 0);

	test_begin("bind");
	if (!require(port))
		return;
	event_handler_set((evtchn_port_t)port, tick, NULL);
	event_unmask((evtchn_port_t)port);
	/* A domain starts with a tick of its own. */
	HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
	upcalls_unmask();
	test_time();
	test_set_timer();
	test_singleshot();
	test_periodic();
}
