/* SPDX-License-Identifier: BSD-2-Clause */
/* FIFO event channels with four vCPUs: three send, one consumes and scribbles; every good event arrives. */
#include <guest/guest.h>

#define PORTS 12
#define SENDS 3000

static struct evtchn_fifo_control_block *control[4];
static u32 *words;
static evtchn_port_t port[PORTS];
static volatile unsigned int done;
static volatile u64 taken;

static void sender(void *arg)
{
	unsigned int i, self = (unsigned int)(u64)arg;

	for (i = 0; i < SENDS; i++) {
		if (event_send(port[(i * 7 + self) % PORTS]))
			break;
		/* Not before the other has begun. */
		while (i == SENDS / 2 && !taken)
			HYPERVISOR_sched_op(SCHEDOP_yield, NULL);
	}
	expect_eq(i, SENDS);
	__atomic_add_fetch(&done, 1, __ATOMIC_SEQ_CST);
}

static u64 take_all(void)
{
	u64 n = 0;
	unsigned int i;

	for (i = 0; i < PORTS; i++) {
		u32 *w = &words[port[i]];

		if (__atomic_fetch_and(w, ~(1U << EVTCHN_FIFO_PENDING | 1U << EVTCHN_FIFO_LINKED | EVTCHN_FIFO_LINK_MASK),
				       __ATOMIC_SEQ_CST) >> EVTCHN_FIFO_PENDING & 1)
			n++;
	}
	control[0]->ready = 0;
	memset(control[0]->head, 0, sizeof(control[0]->head));
	return n;
}

void guest_main(void)
{
	unsigned int i;

	test_begin("three senders");
	words = page_alloc();
	for (i = 0; i < 4; i++) {
		struct evtchn_init_control init = { .vcpu = i };

		control[i] = page_alloc();
		init.control_gfn = va_mfn(control[i]);
		if (!expect_eq(HYPERVISOR_event_channel_op(EVTCHNOP_init_control, &init), 0))
			return;
	}
	expect_eq(HYPERVISOR_event_channel_op(EVTCHNOP_expand_array, &(struct evtchn_expand_array){ .array_gfn = va_mfn(words) }), 0);
	for (i = 0; i < PORTS; i++) {
		port[i] = (evtchn_port_t)event_bind_ipi(0);
		words[port[i]] = 0;
	}
	for (i = 1; i < 4; i++)
		require(vcpu_start(i, sender, (void *)(u64)i));
	while (done < 3)
		taken += take_all();
	expect_msg(taken > PORTS, "%lu events", taken);
	take_all();
	for (i = 0; i < PORTS; i++) {
		event_send(port[i]);
		expect(READ_ONCE(words[port[i]]) >> EVTCHN_FIFO_PENDING & 1);
		expect_eq(event_close(port[i]), 0);
	}
}
