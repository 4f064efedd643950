/* SPDX-License-Identifier: BSD-2-Clause */
/* A domain dies while another has its pages mapped: they stay what they are until they are given back. */
#include <guest/guest.h>

#define PAGES 16

enum { REFS = 1, READY = REFS + PAGES, PORT };

static u64 *window[PAGES];
static grant_handle_t handle[PAGES];

static void giver(void)
{
	int port = event_alloc_unbound(DOMID_SELF, group_domain(0));
	unsigned int i;

	if (!require(grant_init()))
		return;
	for (i = 0; i < PAGES; i++) {
		u64 *page = page_alloc();

		*page = 0x1000 + i;
		group_post(REFS + i, (u64)grant_give(group_domain(0), va_mfn(page), i & 1));
	}
	group_post(PORT, (u64)port);
	group_post(READY, 1);
	for (;;)
		HYPERVISOR_sched_op(SCHEDOP_yield, NULL);
}

static void survivor(void)
{
	struct evtchn_status status = { .dom = DOMID_SELF };
	grant_handle_t late;
	unsigned int i;
	int port;

	if (!expect(group_wait(READY)))
		return;
	port = event_bind_interdomain(group_domain(1), (evtchn_port_t)group_look(PORT));
	require(port);
	for (i = 0; i < PAGES; i++) {
		window[i] = page_alloc();
		expect_eq(grant_map(group_domain(1), (grant_ref_t)group_look(REFS + i), window[i], i & 1, &handle[i]), GNTST_okay);
	}
	test_begin("the other dies");
	expect(group_ask(GROUP_DESTROY, 1));
	status.port = (evtchn_port_t)port;
	expect(yield_until(HYPERVISOR_event_channel_op(EVTCHNOP_status, &status) == 0 &&
			   status.status == EVTCHNSTAT_unbound, 5 * S));
	for (i = 0; i < PAGES; i++)
		expect_eq(READ_ONCE(*window[i]), 0x1000 + i);
	for (i = 0; i < PAGES; i += 2)
		WRITE_ONCE(*window[i], 1);
	/* No more of it. */
	expect(grant_map(group_domain(1), (grant_ref_t)group_look(REFS), page_alloc(), true, &late) < 0);
	expect(event_alloc_unbound(group_domain(1), DOMID_SELF) < 0);
	HYPERVISOR_event_channel_op(EVTCHNOP_send, &(struct evtchn_send){ .port = (evtchn_port_t)port });
	test_begin("given back");
	for (i = 0; i < PAGES; i++) {
		expect_eq(grant_unmap(window[i], handle[i]), 0);
		WRITE_ONCE(*window[i], 0);
	}
	expect_eq(event_close((evtchn_port_t)port), 0);
}

void guest_main(void)
{
	test_begin("set up");
	if (!require(group_join()))
		return;
	if (group_role() == 0)
		survivor();
	else
		giver();
}
