/* SPDX-License-Identifier: BSD-2-Clause */
/* A domain dies that has pages of another mapped, and a port to it: the grants are not in use any more, the port is unbound. */
#include <guest/guest.h>

#define PAGES 16

enum { REFS = 1, PORT = REFS + PAGES, READY };

static void taker(void)
{
	unsigned int i;
	int port;

	expect(group_wait(PORT));
	port = event_bind_interdomain(group_domain(0), (evtchn_port_t)group_look(PORT));
	require(port);
	for (i = 0; i < PAGES; i++) {
		grant_handle_t handle;

		expect_eq(grant_map(group_domain(0), (grant_ref_t)group_look(REFS + i), page_alloc(), i & 1, &handle), GNTST_okay);
	}
	group_post(READY, 1);
	for (;;)
		HYPERVISOR_sched_op(SCHEDOP_yield, NULL);
}

static unsigned int in_use(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < PAGES; i++)
		n += (grant_table[group_look(REFS + i)].flags & (GTF_reading | GTF_writing)) != 0;
	return n;
}

static void giver(void)
{
	struct evtchn_status status = { .dom = DOMID_SELF };
	u64 *page[PAGES];
	unsigned int i;
	int port = event_alloc_unbound(DOMID_SELF, group_domain(1));

	if (!require(grant_init()) || !require(port))
		return;
	for (i = 0; i < PAGES; i++) {
		page[i] = page_alloc();
		group_post(REFS + i, (u64)grant_give(group_domain(1), va_mfn(page[i]), i & 1));
	}
	group_post(PORT, (u64)port);
	if (!expect(group_wait(READY)))
		return;
	expect_eq(in_use(), PAGES);
	test_begin("the other dies");
	expect(group_ask(GROUP_DESTROY, 1));
	expect(yield_until(in_use() == 0, 5 * S));
	status.port = (evtchn_port_t)port;
	expect(yield_until(HYPERVISOR_event_channel_op(EVTCHNOP_status, &status) == 0 &&
			   status.status == EVTCHNSTAT_unbound, 5 * S));
	test_begin("the pages are like others");
	for (i = 0; i < PAGES; i++) {
		expect(grant_take_back((grant_ref_t)group_look(REFS + i)));
		/* Any reference that had stayed would be in the way. */
		memset(page[i], 0, PAGE_SIZE);
		expect_eq(table_pin(page[i], 1), 0);
		expect_eq(table_unpin(page[i]), 0);
		page_free(page[i]);
	}
	expect_eq(event_close((evtchn_port_t)port), 0);
}

void guest_main(void)
{
	test_begin("set up");
	if (!require(group_join()))
		return;
	if (group_role() == 0)
		giver();
	else
		taker();
}
