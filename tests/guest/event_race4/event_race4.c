/* SPDX-License-Identifier: BSD-2-Clause */
/* Four vCPUs bind, move, send, mask and close ports of one domain; then the domain's ports are as good as new. */
#include <guest/guest.h>
#include <xen/vcpu.h>

#define ROUNDS 2500

static volatile unsigned int ended;

static u64 any(u64 *state)
{
	*state = *state * 6364136223846793005UL + 1442695040888963407UL;
	return *state >> 33;
}

static void work(void *arg)
{
	u64 state = 17 + (u64)arg;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		evtchn_port_t port = 2 + (evtchn_port_t)(any(&state) % 20);

		switch (any(&state) % 7) {
		case 0:
			event_bind_ipi((unsigned int)any(&state) % 4);
			break;
		case 1:
			event_bind_virq(VIRQ_DEBUG, (unsigned int)any(&state) % 4);
			break;
		case 2:
			HYPERVISOR_event_channel_op(EVTCHNOP_bind_vcpu,
						    &(struct evtchn_bind_vcpu){ .port = port, .vcpu = (u32)any(&state) % 5 });
			break;
		case 3:
			event_unmask(port);
			break;
		case 4:
			event_alloc_unbound(DOMID_SELF, DOMID_SELF);
			event_bind_interdomain(DOMID_SELF, port);
			break;
		case 5:
			event_send(port);
			break;
		default:
			HYPERVISOR_event_channel_op(EVTCHNOP_close, &(struct evtchn_close){ .port = port });
			break;
		}
	}
	__atomic_add_fetch(&ended, 1, __ATOMIC_SEQ_CST);
}

static volatile unsigned int seen;

static void count_event(evtchn_port_t port, void *arg)
{
	(void)port;
	(void)arg;
	seen++;
}

void guest_main(void)
{
	evtchn_port_t port;
	unsigned int i;
	int a;

	test_begin("four vCPUs");
	for (i = 1; i < 4; i++)
		require(vcpu_start(i, work, (void *)(u64)i));
	work(NULL);
	expect(yield_until(ended == 4, 20 * S));
	for (port = 2; port < 1023; port++)
		HYPERVISOR_event_channel_op(EVTCHNOP_close, &(struct evtchn_close){ .port = port });
	test_begin("afterwards");
	a = event_bind_ipi(0);
	expect_eq(a, 2);
	for (i = 0; i < 4; i++)
		expect(event_bind_virq(VIRQ_DEBUG, i) > 0);
	event_handler_set((evtchn_port_t)a, count_event, NULL);
	event_unmask((evtchn_port_t)a);
	upcalls_unmask();
	seen = 0;
	expect_eq(event_send((evtchn_port_t)a), 0);
	expect(spin_until(seen == 1, S));
	upcalls_mask();
}
