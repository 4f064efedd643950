/* SPDX-License-Identifier: BSD-2-Clause */
/* SCHEDOP_poll and block with lists, ports and times that are wrong; and right ones. */
#include <guest/guest.h>

static evtchn_port_t list[256];

static long poll(void *ports, unsigned int n, u64 timeout)
{
	struct sched_poll op = { .nr_ports = n, .timeout = timeout };

	set_xen_guest_handle(op.ports, ports);
	return HYPERVISOR_sched_op(SCHEDOP_poll, &op);
}

void guest_main(void)
{
	int port = event_bind_ipi(0);
	unsigned int i;
	u64 start;

	test_begin("refused");
	if (!require(port))
		return;
	expect(poll(list, 129, 1) < 0);
	expect(poll(list, 0xffffffff, 1) < 0);
	expect(poll((void *)HYPERVISOR_VIRT_START, 4, 1) < 0);
	expect(poll((void *)0x800000000000UL, 4, 1) < 0);
	expect(HYPERVISOR_sched_op(SCHEDOP_poll, NULL) < 0);
	list[0] = 0xffffffff;
	expect(poll(list, 1, time_now() + MS) < 0);
	list[0] = 1U << 20;
	expect(poll(list, 1, time_now() + MS) < 0);
	test_begin("times");
	list[0] = (evtchn_port_t)port;
	/* In the past. */
	start = time_now();
	expect_eq(poll(list, 1, 1), 0);
	expect(time_now() - start < S);
	/* A timer that was late may still come: it would end the next one. */
	time_spin(2 * MS);
	poll(list, 1, 1);
	time_spin(2 * MS);
	test_begin("a time to come");
	/* Any event for the vCPU ends a poll, such as the one that the console has been read: a few may. */
	start = time_now();
	for (i = 0; i < 20 && time_now() - start < 5 * MS; i++)
		expect_eq(poll(list, 1, start + 5 * MS), 0);
	expect(time_now() - start >= 5 * MS);
	/* The same port a hundred times; pending already. */
	test_begin("a list of ports");
	for (i = 0; i < 128; i++)
		list[i] = (evtchn_port_t)port;
	event_send((evtchn_port_t)port);
	start = time_now();
	expect_eq(poll(list, 128, start + 30 * S), 0);
	expect(time_now() - start < 20 * S);
	test_begin("blocking with something pending");
	event_clear((evtchn_port_t)port);
	event_unmask((evtchn_port_t)port);
	event_send((evtchn_port_t)port);
	start = time_now();
	expect_eq(HYPERVISOR_sched_op(SCHEDOP_block, NULL), 0);
	expect(time_now() - start < 20 * S);
}
