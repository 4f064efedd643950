/* SPDX-License-Identifier: BSD-2-Clause */
/* A second vCPU: bring-up, time, events between vCPUs, runstate, going down and up again. */
#include <guest/guest.h>
#include <xen/vcpu.h>

#define WAIT (2 * S)

static volatile struct {
	unsigned int id, runs, pings, stop;
	u64 time, back;
	u64 arg;
} other;
static volatile u64 newest;
static int ping_port, pong_port;
static volatile unsigned int pongs;

static void pong(evtchn_port_t port, void *arg)
{
	(void)port;
	(void)arg;
	pongs++;
}

static void ping(evtchn_port_t port, void *arg)
{
	(void)port;
	(void)arg;
	other.pings++;
	event_send((evtchn_port_t)pong_port);
}

static void second(void *arg)
{
	other.id = vcpu_this()->id;
	other.arg = (u64)arg;
	other.time = time_now();
	other.runs++;
	event_unmask((evtchn_port_t)ping_port);
	upcalls_unmask();
	while (!other.stop) {
		/* Time read after another vCPU has published its reading is not smaller. */
		u64 seen = __atomic_load_n(&newest, __ATOMIC_SEQ_CST), now = time_now();

		other.back += now < seen;
		while (now > seen && !__atomic_compare_exchange_n(&newest, &seen, now, false, __ATOMIC_SEQ_CST,
								  __ATOMIC_SEQ_CST))
			;
	}
	upcalls_mask();
}

static void test_start(void)
{
	u64 before = time_now();

	test_begin("bring-up");
	expect_eq(vcpu_is_up(0), 1);
	expect_eq(vcpu_is_up(1), 0);
	expect_eq(vcpu_start(1, second, (void *)0x1234), 0);
	expect(spin_until(other.runs == 1, WAIT));
	expect_eq(other.id, 1);
	expect_eq(other.arg, 0x1234);
	expect(other.time >= before);
	expect_eq(vcpu_is_up(1), 1);
	expect_eq(vcpu_start(1, second, NULL), -XEN_EEXIST);
	expect(vcpu_is_up(VCPUS_MAX - 1) < 0);
}

static void test_time(void)
{
	u64 start = time_now(), now, back = 0;

	test_begin("time on two vCPUs");
	do {
		u64 seen = __atomic_load_n(&newest, __ATOMIC_SEQ_CST);

		now = time_now();
		back += now < seen;
		while (now > seen && !__atomic_compare_exchange_n(&newest, &seen, now, false, __ATOMIC_SEQ_CST,
								  __ATOMIC_SEQ_CST))
			;
	} while (now < start + 50 * MS);
	/* Only promised with the stable bit. */
	if (vcpu_this()->info->time.flags & XEN_PVCLOCK_TSC_STABLE_BIT)
		expect_eq(back + other.back, 0);
	else
		test_skip("the clock is not said to be the same on all vCPUs");
}

static void test_events(void)
{
	unsigned int i;

	test_begin("events between vCPUs");
	upcalls_unmask();
	for (i = 1; i <= 100; i++) {
		expect_eq(event_send((evtchn_port_t)ping_port), 0);
		if (!expect(spin_until(pongs == i, WAIT)))
			break;
	}
	expect_eq(other.pings, 100);
	upcalls_mask();
}

static void test_runstate(void)
{
	struct vcpu_runstate_info info;

	test_begin("runstate");
	expect_eq(HYPERVISOR_vcpu_op(VCPUOP_get_runstate_info, 0, &info), 0);
	expect_eq(info.state, RUNSTATE_running);
	expect(info.time[RUNSTATE_running] > 0);
	expect(info.state_entry_time <= time_now());
	expect_eq(HYPERVISOR_vcpu_op(VCPUOP_get_runstate_info, 1, &info), 0);
	expect(info.time[RUNSTATE_running] > 0);
}

static void test_down(void)
{
	test_begin("down");
	other.stop = 1;
	expect(spin_until(vcpu_is_up(1) == 0, WAIT));
	expect(HYPERVISOR_vcpu_op(VCPUOP_down, 99, NULL) < 0);
}

void guest_main(void)
{
	test_begin("set up");
	if (vcpus_max() < 2) {
		test_skip("there is one vCPU");
		return;
	}
	ping_port = event_bind_ipi(1);
	pong_port = event_bind_ipi(0);
	if (!require(ping_port) || !require(pong_port))
		return;
	event_handler_set((evtchn_port_t)ping_port, ping, NULL);
	event_handler_set((evtchn_port_t)pong_port, pong, NULL);
	event_unmask((evtchn_port_t)pong_port);
	test_start();
	test_time();
	test_events();
	test_runstate();
	test_down();
}
