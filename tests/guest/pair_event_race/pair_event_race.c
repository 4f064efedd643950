/* SPDX-License-Identifier: BSD-2-Clause */
/* Four vCPUs of two domains allocate, bind, send, move and close the same few ports, all at once. */
#include <guest/guest.h>

#define ROUNDS 4000
#define PORTS  24

enum { READY = 1, DONE = 4, BOUND = 8 };

static volatile unsigned int second_done;
static u64 bound[2];

static u64 any(u64 *state)
{
	*state = *state * 6364136223846793005UL + 1442695040888963407UL;
	return *state >> 33;
}

static void work(unsigned int self)
{
	domid_t other = group_domain(1 - group_role());
	u64 state = 1000 + self + 10 * group_role();
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		/* Port 1 is the console's. */
		evtchn_port_t port = 2 + (evtchn_port_t)(any(&state) % PORTS);
		struct evtchn_bind_vcpu move = { .port = port, .vcpu = (u32)(any(&state) % 2) };
		struct evtchn_close close = { .port = port };
		int ret;

		switch (any(&state) % 6) {
		case 0:
			event_alloc_unbound(DOMID_SELF, other);
			break;
		case 1:
			bound[self] += event_bind_interdomain(other, port) > 0;
			break;
		case 2:
			ret = event_bind_ipi((unsigned int)any(&state) % 2);
			expect(ret > 0 || ret == -XEN_ENOSPC);
			break;
		case 3:
			HYPERVISOR_event_channel_op(EVTCHNOP_bind_vcpu, &move);
			break;
		case 4:
			event_send(port);
			break;
		default:
			HYPERVISOR_event_channel_op(EVTCHNOP_close, &close);
			break;
		}
	}
}

static void second(void *arg)
{
	(void)arg;
	work(1);
	second_done = 1;
}

void guest_main(void)
{
	evtchn_port_t port;
	int fresh;

	test_begin("a race for ports");
	if (!require(group_join()))
		return;
	group_post(READY + group_role(), 1);
	expect(group_wait(READY + 1 - group_role()));
	if (!require(vcpu_start(1, second, NULL)))
		return;
	work(0);
	expect(yield_until(second_done, 20 * S));
	/* Who is first may find no port to bind to. */
	group_post(BOUND + group_role(), 1 + bound[0] + bound[1]);
	expect(group_wait(BOUND + 1 - group_role()));
	expect(group_look(BOUND) + group_look(BOUND + 1) > 2);
	group_post(DONE + group_role(), 1);
	expect(group_wait(DONE + 1 - group_role()));
	test_begin("afterwards");
	/* All of them can be closed, and there is no open port with a closed number. */
	for (port = 2; port < 1023; port++)
		HYPERVISOR_event_channel_op(EVTCHNOP_close, &(struct evtchn_close){ .port = port });
	for (port = 2; port < 1023; port++)
		expect(HYPERVISOR_event_channel_op(EVTCHNOP_close, &(struct evtchn_close){ .port = port }) < 0);
	fresh = event_bind_ipi(0);
	expect_eq(fresh, 2);
}
