/* SPDX-License-Identifier: BSD-2-Clause */
/* Channels between two domains: closing either end, reset of one, ports that come back, sends to what is not there any more. */
#include <guest/guest.h>

#define ROUNDS 40

enum { PORT = 1, BOUND, RESET, DONE };

static u32 status_of(evtchn_port_t port)
{
	struct evtchn_status op = { .dom = DOMID_SELF, .port = port };

	return HYPERVISOR_event_channel_op(EVTCHNOP_status, &op) ? 99 : op.status;
}

static int send(evtchn_port_t port)
{
	return event_send(port);
}

static void first(void)
{
	unsigned int i;

	for (i = 1; i <= ROUNDS; i++) {
		int port = event_alloc_unbound(DOMID_SELF, group_domain(1));

		if (!require(port))
			return;
		expect_eq(status_of((evtchn_port_t)port), EVTCHNSTAT_unbound);
		group_post(PORT, (u64)i << 32 | (u64)port);
		expect(yield_until(group_look(BOUND) == i, 5 * S));
		/* The other end closes in every other round, this one in the rest. */
		if (i & 1) {
			expect(yield_until(status_of((evtchn_port_t)port) == EVTCHNSTAT_unbound, 5 * S));
			send((evtchn_port_t)port);
			expect_eq(event_close((evtchn_port_t)port), 0);
		} else {
			expect_eq(status_of((evtchn_port_t)port), EVTCHNSTAT_interdomain);
			expect_eq(event_close((evtchn_port_t)port), 0);
		}
		expect_eq(status_of((evtchn_port_t)port), EVTCHNSTAT_closed);
		expect(send((evtchn_port_t)port) < 0);
	}
	/* A reset of one side is a close for the other. */
	test_begin("reset");
	group_post(PORT, (u64)i << 32 | (u64)event_alloc_unbound(DOMID_SELF, group_domain(1)));
	expect(yield_until(group_look(BOUND) == i, 5 * S));
	expect_eq(HYPERVISOR_event_channel_op(EVTCHNOP_reset, &(struct evtchn_reset){ .dom = DOMID_SELF }), 0);
	group_post(RESET, 1);
	expect(group_wait(DONE));
	expect_eq(status_of((evtchn_port_t)group_look(PORT)), EVTCHNSTAT_closed);
	/* Its own console port went too: what is printed from here on is found by looking. */
}

static void second(void)
{
	unsigned int i;
	int port;

	for (i = 1; i <= ROUNDS + 1; i++) {
		expect(yield_until(group_look(PORT) >> 32 == i, 5 * S));
		port = event_bind_interdomain(group_domain(0), (evtchn_port_t)group_look(PORT));
		if (!require(port))
			return;
		expect_eq(status_of((evtchn_port_t)port), EVTCHNSTAT_interdomain);
		expect_eq(send((evtchn_port_t)port), 0);
		group_post(BOUND, i);
		if (i > ROUNDS)
			break;
		if (!(i & 1))
			expect(yield_until(status_of((evtchn_port_t)port) == EVTCHNSTAT_unbound, 5 * S));
		expect_eq(event_close((evtchn_port_t)port), 0);
	}
	test_begin("reset");
	expect(group_wait(RESET));
	expect_eq(status_of((evtchn_port_t)port), EVTCHNSTAT_unbound);
	send((evtchn_port_t)port);
	expect_eq(event_close((evtchn_port_t)port), 0);
	group_post(DONE, 1);
}

void guest_main(void)
{
	test_begin("open and close");
	if (!require(group_join()))
		return;
	if (group_role() == 0)
		first();
	else
		second();
}
