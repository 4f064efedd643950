/* SPDX-License-Identifier: BSD-2-Clause */
/* Two domains hold on to each other, by grants and ports, and die one after the other: nothing is left of them. */
#include <guest/guest.h>

enum { REF = 1, PORT = 4, READY = 8 };

/* Roles 1 and 2 map each other's pages and stay. */
static void lover(void)
{
	unsigned int me = group_role(), other = 3 - me;
	grant_handle_t handle;
	int port;

	if (!require(grant_init()))
		return;
	group_post(PORT + me, (u64)event_alloc_unbound(DOMID_SELF, group_domain(other)));
	group_post(REF + me, (u64)grant_give(group_domain(other), va_mfn(page_alloc()), false));
	expect(group_wait(REF + other));
	port = event_bind_interdomain(group_domain(other), (evtchn_port_t)group_look(PORT + other));
	if (expect(port > 0) &&
	    expect_eq(grant_map(group_domain(other), (grant_ref_t)group_look(REF + other), page_alloc(), false, &handle), GNTST_okay))
		group_post(READY + me, 1);
	for (;;)
		HYPERVISOR_sched_op(SCHEDOP_yield, NULL);
}

void guest_main(void)
{
	test_begin("each holds the other");
	if (!require(group_join()))
		return;
	if (group_role() != 0) {
		lover();
		return;
	}
	if (!expect(group_wait(READY + 1)) || !expect(group_wait(READY + 2)))
		return;
	/* That nothing is left is for the driver to find. */
	expect(group_ask(GROUP_DESTROY, 1));
	expect(group_ask(GROUP_DESTROY, 2));
	time_spin(5 * MS);
	expect(event_alloc_unbound(group_domain(1), DOMID_SELF) < 0);
}
