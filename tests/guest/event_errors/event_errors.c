/* SPDX-License-Identifier: BSD-2-Clause */
/* Event channels: wrong arguments of every operation, moving ports, running out of them, and reset. */
#include <guest/guest.h>

static volatile unsigned int seen;

static void count_event(evtchn_port_t port, void *arg)
{
	(void)port;
	(void)arg;
	seen++;
}

static void test_pointers(void)
{
	void *const bad[] = { NULL, (void *)HYPERVISOR_VIRT_START, (void *)(HYPERVISOR_VIRT_END - 8),
			      (void *)0x800000000000UL, (void *)0x1230, (void *)~7UL };
	unsigned int cmd, i;

	test_begin("arguments that cannot be read");
	for (cmd = 0; cmd <= EVTCHNOP_set_priority; cmd++)
		for (i = 0; i < ARRAY_SIZE(bad); i++)
			expect_msg(HYPERVISOR_event_channel_op(cmd, bad[i]) < 0, "operation %u at %p", cmd, bad[i]);
}

static void test_ports(void)
{
	static const evtchn_port_t bad[] = { 0, 4095, 4096, 131071, 131072, 0x7fffffff, 0x80000000, 0xffffffff };
	unsigned int i;

	test_begin("ports that do not exist");
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct evtchn_bind_vcpu bind = { .port = bad[i] };
		struct evtchn_bind_interdomain inter = { .remote_dom = DOMID_SELF, .remote_port = bad[i] };
		struct evtchn_send send = { .port = bad[i] };
		struct evtchn_close close = { .port = bad[i] };
		struct evtchn_unmask unmask = { .port = bad[i] };
		struct evtchn_set_priority prio = { .port = bad[i], .priority = 3 };

		expect(HYPERVISOR_event_channel_op(EVTCHNOP_bind_vcpu, &bind) < 0);
		expect(HYPERVISOR_event_channel_op(EVTCHNOP_bind_interdomain, &inter) < 0);
		expect(HYPERVISOR_event_channel_op(EVTCHNOP_send, &send) < 0);
		expect(HYPERVISOR_event_channel_op(EVTCHNOP_close, &close) < 0);
		expect(HYPERVISOR_event_channel_op(EVTCHNOP_set_priority, &prio) < 0);
		if (bad[i] >= 131072)
			expect(HYPERVISOR_event_channel_op(EVTCHNOP_unmask, &unmask) < 0);
	}
}

static void test_bindings(void)
{
	struct evtchn_bind_pirq pirq = { .pirq = 0x7fffffff };
	struct evtchn_alloc_unbound unbound = { .dom = DOMID_SELF, .remote_dom = 0 };
	struct evtchn_bind_vcpu bind = { .vcpu = 77 };
	unsigned int i;

	test_begin("bindings that cannot be");
	for (i = NR_VIRQS; i < NR_VIRQS + 8; i++)
		expect(event_bind_virq(i, 0) < 0);
	expect(event_bind_virq(0xffffffff, 0) < 0);
	expect(event_bind_virq(VIRQ_TIMER, 0xffffffff) < 0);
	/* A global one belongs to vCPU 0. */
	expect(event_bind_virq(VIRQ_DOM_EXC, 1) < 0);
	expect(event_bind_ipi(0xffffffff) < 0);
	expect(HYPERVISOR_event_channel_op(EVTCHNOP_bind_pirq, &pirq) < 0);
	expect_eq(HYPERVISOR_event_channel_op(EVTCHNOP_alloc_unbound, &unbound), 0);
	bind.port = unbound.port;
	expect(HYPERVISOR_event_channel_op(EVTCHNOP_bind_vcpu, &bind) < 0);
	bind.vcpu = 0;
	expect_eq(HYPERVISOR_event_channel_op(EVTCHNOP_bind_vcpu, &bind), 0);
	/* Nobody is there to send to. */
	HYPERVISOR_event_channel_op(EVTCHNOP_send, &(struct evtchn_send){ .port = unbound.port });
	expect_eq(event_close(unbound.port), 0);
}

static void test_exhaust(void)
{
	unsigned int n = 0, round;
	evtchn_port_t first = 0, last = 0;

	test_begin("all ports taken");
	for (round = 0; round < 2; round++) {
		for (n = 0; n < 5000; n++) {
			int port = event_bind_ipi(0);

			if (port < 0) {
				expect_eq(port, -XEN_ENOSPC);
				break;
			}
			if (!n)
				first = (evtchn_port_t)port;
			last = (evtchn_port_t)port;
		}
		expect_msg(n > 1000 && n < 4096, "%u ports", n);
		expect(last < 4096);
		for (; n; n--) {
			expect_eq(event_close(first), 0);
			first++;
			while (first < 4096 && n > 1 && HYPERVISOR_event_channel_op(EVTCHNOP_send,
					&(struct evtchn_send){ .port = first }) < 0)
				first++;
		}
	}
}

static void test_reset(void)
{
	struct evtchn_reset reset = { .dom = 0x7e00 };
	int a = event_bind_ipi(0), b = event_alloc_unbound(DOMID_SELF, DOMID_SELF);

	test_begin("reset");
	if (!require(a) || !require(b))
		return;
	expect(HYPERVISOR_event_channel_op(EVTCHNOP_reset, &reset) < 0);
	reset.dom = DOMID_SELF;
	expect_eq(HYPERVISOR_event_channel_op(EVTCHNOP_reset, &reset), 0);
	expect(event_send((evtchn_port_t)a) < 0);
	expect(event_close((evtchn_port_t)b) < 0);
	a = event_bind_ipi(0);
	if (!require(a))
		return;
	event_handler_set((evtchn_port_t)a, count_event, NULL);
	event_unmask((evtchn_port_t)a);
	upcalls_unmask();
	expect_eq(event_send((evtchn_port_t)a), 0);
	expect_eq(seen, 1);
	upcalls_mask();
}

void guest_main(void)
{
	test_pointers();
	test_ports();
	test_bindings();
	test_exhaust();
	test_reset();
}
