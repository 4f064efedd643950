/* SPDX-License-Identifier: BSD-2-Clause */
/* Three domains: a grant and a port that are for the second are of no use to the third. */
#include <guest/guest.h>

enum { REF = 1, PORT, THIEF_DONE, TAKER_DONE };

static void giver(void)
{
	u64 *page = page_alloc();
	int port = event_alloc_unbound(DOMID_SELF, group_domain(1));

	*page = 0x1234;
	if (!require(grant_init()) || !require(port))
		return;
	group_post(PORT, (u64)port);
	group_post(REF, (u64)grant_give(group_domain(1), va_mfn(page), false));
	expect(group_wait(TAKER_DONE));
	expect_eq(*page, 0x1235);
	expect(grant_take_back((grant_ref_t)group_look(REF)));
}

static void thief(void)
{
	grant_ref_t ref = (grant_ref_t)group_wait(REF);
	u64 *window = page_alloc();
	struct gnttab_copy copy = {
		.source = { .u.ref = ref, .domid = group_domain(0) },
		.dest = { .u.gmfn = va_mfn(window), .domid = DOMID_SELF },
		.len = 8,
		.flags = GNTCOPY_source_gref,
	};
	struct gnttab_setup_table setup = { .dom = group_domain(0), .nr_frames = 1 };
	struct gnttab_query_size size = { .dom = group_domain(0) };
	struct evtchn_alloc_unbound alloc = { .dom = group_domain(0), .remote_dom = group_domain(2) };
	struct evtchn_status status = { .dom = group_domain(0), .port = (evtchn_port_t)group_look(PORT) };
	xen_pfn_t frame;
	grant_handle_t handle;
	unsigned int i;

	for (i = 0; i < 64; i++) {
		expect_msg(grant_map(group_domain(0), i, window, false, &handle) < 0, "reference %u", i);
		expect_msg(grant_map(group_domain(0), i, window, true, &handle) < 0, "reference %u", i);
	}
	expect(grant_map(group_domain(0), 0xffffffff, window, true, &handle) < 0);
	expect(grant_map(group_domain(0), 0x80000000 | ref, window, true, &handle) < 0);
	HYPERVISOR_grant_table_op(GNTTABOP_copy, &copy, 1);
	expect(copy.status < 0);
	expect_eq(*window, 0);
	/* The table itself is nobody else's. */
	set_xen_guest_handle(setup.frame_list, &frame);
	expect(HYPERVISOR_grant_table_op(GNTTABOP_setup_table, &setup, 1) < 0 || setup.status < 0);
	expect(HYPERVISOR_grant_table_op(GNTTABOP_query_size, &size, 1) < 0 || size.status < 0);
	for (i = 0; i < 64; i++)
		expect_msg(event_bind_interdomain(group_domain(0), i) < 0, "port %u", i);
	expect(HYPERVISOR_event_channel_op(EVTCHNOP_alloc_unbound, &alloc) < 0);
	expect(HYPERVISOR_event_channel_op(EVTCHNOP_status, &status) < 0);
	expect(HYPERVISOR_event_channel_op(EVTCHNOP_reset, &(struct evtchn_reset){ .dom = group_domain(0) }) < 0);
	group_post(THIEF_DONE, 1);
}

static void taker(void)
{
	u64 *window = page_alloc();
	grant_handle_t handle;

	expect(group_wait(THIEF_DONE));
	expect(event_bind_interdomain(group_domain(0), (evtchn_port_t)group_look(PORT)) > 0);
	/* Once only. */
	expect(event_bind_interdomain(group_domain(0), (evtchn_port_t)group_look(PORT)) < 0);
	if (expect_eq(grant_map(group_domain(0), (grant_ref_t)group_look(REF), window, false, &handle), GNTST_okay)) {
		++*window;
		expect_eq(grant_unmap(window, handle), 0);
	}
	group_post(TAKER_DONE, 1);
}

void guest_main(void)
{
	test_begin("not for the third");
	if (!require(group_join()))
		return;
	if (group_role() == 0)
		giver();
	else if (group_role() == 1)
		taker();
	else
		thief();
}
