/* SPDX-License-Identifier: BSD-2-Clause */
/* A domain that is flooded with events by another: it gets its work done, and nobody else stands still. */
#include <guest/guest.h>

enum { PORT = 1, BOUND, STOP, SENT = 8 };

static volatile u64 seen;
static int port;

static void count_event(evtchn_port_t p, void *arg)
{
	(void)p;
	(void)arg;
	seen++;
}

static void flood(void *arg)
{
	u64 n = 0;

	while (!group_look(STOP)) {
		if (event_send((evtchn_port_t)port))
			break;
		n++;
	}
	group_post(SENT + (unsigned int)(u64)arg, n + 1);
}

static void victim(void)
{
	u64 start, work = 0, before;

	port = event_alloc_unbound(DOMID_SELF, group_domain(1));
	if (!require(port))
		return;
	event_handler_set((evtchn_port_t)port, count_event, NULL);
	event_unmask((evtchn_port_t)port);
	group_post(PORT, (u64)port);
	expect(group_wait(BOUND));
	upcalls_unmask();
	start = time_now();
	while (time_now() - start < 500 * MS)
		work++;
	upcalls_mask();
	expect_msg(seen > 5, "%lu events in half a second", seen);
	expect_msg(work > 100, "%lu rounds of work in half a second", work);
	/* With the mask set there is peace. */
	before = seen;
	time_spin(20 * MS);
	expect_eq(seen, before);
	event_mask((evtchn_port_t)port);
	upcalls_unmask();
	before = event_upcalls;
	time_spin(50 * MS);
	expect_msg(event_upcalls - before < 1000, "%lu upcalls for a masked port", event_upcalls - before);
	upcalls_mask();
	group_post(STOP, 1);
	expect(group_wait(SENT) > 1);
	expect(group_wait(SENT + 1) > 1);
}

static void flooder(void)
{
	expect(group_wait(PORT));
	port = event_bind_interdomain(group_domain(0), (evtchn_port_t)group_look(PORT));
	if (!require(port) || !require(vcpu_start(1, flood, (void *)1)))
		return;
	group_post(BOUND, 1);
	flood(NULL);
	expect(yield_until(vcpu_is_up(1) == 0, 5 * S));
}

void guest_main(void)
{
	test_begin("a flood");
	if (!require(group_join()))
		return;
	if (group_role() == 0)
		victim();
	else
		flooder();
}
