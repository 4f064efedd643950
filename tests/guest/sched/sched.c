/* SPDX-License-Identifier: BSD-2-Clause */
/* sched_op: yield, block and poll in all states of events, and what is refused. */
#include <guest/guest.h>
#include <xen/vcpu.h>

static volatile unsigned int seen;

static void count_event(evtchn_port_t port, void *arg)
{
	(void)port;
	(void)arg;
	seen++;
}

static void test_yield(void)
{
	unsigned int i;

	test_begin("yield");
	for (i = 0; i < 1000; i++)
		if (HYPERVISOR_sched_op(SCHEDOP_yield, NULL))
			break;
	expect_eq(i, 1000);
}

/* Blocking with something pending comes back at once; it unmasks upcalls. */
static void test_block(evtchn_port_t port)
{
	u64 start = time_now();
	unsigned int i;

	test_begin("block");
	for (i = 0; i < 100; i++) {
		upcalls_mask();
		event_send(port);
		seen = 0;
		expect_eq(HYPERVISOR_sched_op(SCHEDOP_block, NULL), 0);
		expect_eq(seen, 1);
		expect_eq(vcpu_this()->info->evtchn_upcall_mask, 0);
	}
	expect(time_now() - start < 5 * S);
	upcalls_mask();
}

static void test_poll(evtchn_port_t port)
{
	evtchn_port_t ports[130], bad = 0xffffffff;
	struct sched_poll poll = { .nr_ports = 128 };
	unsigned int i;
	u64 start;

	test_begin("poll");
	for (i = 0; i < ARRAY_SIZE(ports); i++)
		ports[i] = port;
	set_xen_guest_handle(poll.ports, ports);
	/* Pending, though masked. */
	event_mask(port);
	event_send(port);
	expect_eq(HYPERVISOR_sched_op(SCHEDOP_poll, &poll), 0);
	event_clear(port);
	poll.timeout = time_now() + 3 * MS;
	start = time_now();
	expect_eq(HYPERVISOR_sched_op(SCHEDOP_poll, &poll), 0);
	expect(time_now() - start >= 2 * MS);
	/* In the past. */
	poll.timeout = 1;
	expect_eq(HYPERVISOR_sched_op(SCHEDOP_poll, &poll), 0);
	poll.nr_ports = 129;
	expect_eq(HYPERVISOR_sched_op(SCHEDOP_poll, &poll), -XEN_EINVAL);
	poll.nr_ports = 1;
	set_xen_guest_handle(poll.ports, &bad);
	poll.timeout = time_now() + MS;
	expect_eq(HYPERVISOR_sched_op(SCHEDOP_poll, &poll), -XEN_EINVAL);
	set_xen_guest_handle(poll.ports, (evtchn_port_t *)HYPERVISOR_VIRT_START);
	expect_eq(HYPERVISOR_sched_op(SCHEDOP_poll, &poll), -XEN_EFAULT);
	/* No ports at all: only the time. */
	poll.nr_ports = 0;
	set_xen_guest_handle(poll.ports, ports);
	poll.timeout = time_now() + 2 * MS;
	start = time_now();
	expect_eq(HYPERVISOR_sched_op(SCHEDOP_poll, &poll), 0);
	expect(time_now() - start >= MS);
	expect_eq(event_unmask(port), 0);
}

static void test_refused(void)
{
	struct sched_remote_shutdown remote = { .domain_id = 0x7e00, .reason = SHUTDOWN_poweroff };
	struct sched_watchdog watchdog = { .id = 99, .timeout = 10 };

	test_begin("refused");
	expect_eq(HYPERVISOR_sched_op(99, NULL), -XEN_ENOSYS);
	expect(HYPERVISOR_sched_op(SCHEDOP_shutdown, NULL) < 0);
	expect_eq(HYPERVISOR_sched_op(SCHEDOP_remote_shutdown, &remote), -XEN_ESRCH);
	expect(HYPERVISOR_sched_op(SCHEDOP_watchdog, &watchdog) < 0);
	watchdog.id = 0;
	watchdog.timeout = 30;
	watchdog.id = (u32)HYPERVISOR_sched_op(SCHEDOP_watchdog, &watchdog);
	expect_msg(watchdog.id > 0 && watchdog.id < 10, "watchdog %d", (int)watchdog.id);
	expect_eq(HYPERVISOR_sched_op(SCHEDOP_watchdog, &watchdog), 0);
	watchdog.timeout = 0;
	expect_eq(HYPERVISOR_sched_op(SCHEDOP_watchdog, &watchdog), 0);
}

void guest_main(void)
{
	int port = event_bind_ipi(0);

	test_begin("set up");
	if (!require(port))
		return;
	HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
	event_handler_set((evtchn_port_t)port, count_event, NULL);
	event_unmask((evtchn_port_t)port);
	test_yield();
	test_block((evtchn_port_t)port);
	test_poll((evtchn_port_t)port);
	test_refused();
}
