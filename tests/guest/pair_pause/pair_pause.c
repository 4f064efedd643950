/* SPDX-License-Identifier: BSD-2-Clause */
/* A domain is paused and resumed while the other sends it events and has its page mapped: nothing is lost, nothing hangs. */
#include <guest/guest.h>

enum { REF = 1, PORT, STOP, COUNT };

static volatile u64 seen;

static void count_event(evtchn_port_t p, void *arg)
{
	(void)p;
	(void)arg;
	seen++;
}

static void paused(void)
{
	u64 *page = page_alloc();
	int port = event_alloc_unbound(DOMID_SELF, group_domain(0));

	if (!require(grant_init()) || !require(port))
		return;
	event_handler_set((evtchn_port_t)port, count_event, NULL);
	event_unmask((evtchn_port_t)port);
	group_post(PORT, (u64)port);
	group_post(REF, (u64)grant_give(group_domain(0), va_mfn(page), false));
	upcalls_unmask();
	while (!group_look(STOP)) {
		WRITE_ONCE(*page, *page + 1);
		group_post(COUNT, seen);
	}
	upcalls_mask();
	expect(seen > 5);
}

static void other(void)
{
	u64 *window = page_alloc();
	grant_handle_t handle;
	unsigned int i;
	int port;

	expect(group_wait(REF));
	port = event_bind_interdomain(group_domain(1), (evtchn_port_t)group_look(PORT));
	if (!require(port) || !expect_eq(grant_map(group_domain(1), (grant_ref_t)group_look(REF), window, true, &handle), GNTST_okay))
		return;
	for (i = 0; i < 8; i++) {
		u64 value, count;

		expect(group_ask(GROUP_PAUSE, 1));
		value = READ_ONCE(*window);
		count = group_look(COUNT);
		expect_eq(event_send((evtchn_port_t)port), 0);
		time_spin(5 * MS);
		expect_eq(READ_ONCE(*window), value);
		expect_eq(group_look(COUNT), count);
		expect(group_ask(GROUP_UNPAUSE, 1));
		expect(yield_until(READ_ONCE(*window) > value, 5 * S));
		expect(yield_until(group_look(COUNT) > count, 5 * S));
	}
	expect_eq(grant_unmap(window, handle), 0);
	group_post(STOP, 1);
}

void guest_main(void)
{
	test_begin("pauses");
	if (!require(group_join()))
		return;
	if (group_role() == 1)
		paused();
	else
		other();
}
