/* SPDX-License-Identifier: BSD-2-Clause */
/* Floods of events: many ports at once, sends from inside of a handler, and sends that nobody takes. */
#include <guest/guest.h>
#include <xen/vcpu.h>

#define PORTS 1000

static evtchn_port_t ports[PORTS];
static volatile unsigned int seen, again;

static void count_event(evtchn_port_t port, void *arg)
{
	(void)port;
	(void)arg;
	seen++;
}

static void send_again(evtchn_port_t port, void *arg)
{
	(void)arg;
	seen++;
	if (again) {
		again--;
		expect_eq(event_send(port), 0);
	}
}

static void test_many(void)
{
	unsigned int i, round;

	test_begin("a thousand ports");
	for (i = 0; i < PORTS; i++) {
		int port = event_bind_ipi(0);

		if (!require(port))
			return;
		ports[i] = (evtchn_port_t)port;
		event_handler_set(ports[i], count_event, NULL);
		event_unmask(ports[i]);
	}
	for (round = 0; round < 5; round++) {
		seen = 0;
		upcalls_mask();
		for (i = 0; i < PORTS; i++)
			event_send(ports[i]);
		expect_eq(seen, 0);
		upcalls_unmask();
		expect_eq(seen, PORTS);
	}
	upcalls_mask();
	/* Closed while pending: what was pending is of no port any more. */
	for (i = 0; i < PORTS; i++) {
		event_send(ports[i]);
		expect_eq(event_close(ports[i]), 0);
	}
}

static void test_reentrant(void)
{
	int port = event_bind_ipi(0);

	test_begin("a handler that sends");
	if (!require(port))
		return;
	seen = 0;
	again = 10000;
	event_handler_set((evtchn_port_t)port, send_again, NULL);
	event_unmask((evtchn_port_t)port);
	upcalls_unmask();
	expect_eq(event_send((evtchn_port_t)port), 0);
	expect(spin_until(again == 0, 5 * S));
	HYPERVISOR_xen_version(0, NULL);
	expect_eq(seen, 10001);
	upcalls_mask();
	event_close((evtchn_port_t)port);
}

static void test_unheard(void)
{
	int port = event_bind_ipi(0);
	unsigned int i;
	u64 upcalls;

	test_begin("sends that nobody takes");
	if (!require(port))
		return;
	event_mask((evtchn_port_t)port);
	upcalls_unmask();
	upcalls = event_upcalls;
	for (i = 0; i < 20000; i++)
		if (event_send((evtchn_port_t)port))
			break;
	expect_eq(i, 20000);
	expect(event_pending((evtchn_port_t)port));
	expect(event_upcalls - upcalls < 1000);
	upcalls_mask();
	event_close((evtchn_port_t)port);
}

void guest_main(void)
{
	HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
	test_many();
	test_reentrant();
	test_unheard();
}
