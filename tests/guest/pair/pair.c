/* SPDX-License-Identifier: BSD-2-Clause */
/* Two domains that share a page and a channel: a grant mapped writable, 50 events each way, everything given back. */
#include <guest/guest.h>

#define ROUNDS 50

enum { REF = 1, PORT, HAS_MAPPED, HAS_UNMAPPED };

static volatile unsigned int seen;

static void seen_event(evtchn_port_t port, void *arg)
{
	(void)port;
	(void)arg;
	seen++;
}

static void listen(int port)
{
	event_handler_set((evtchn_port_t)port, seen_event, NULL);
	event_unmask((evtchn_port_t)port);
}

static void giver(void)
{
	u64 *page = page_alloc();
	int port = event_alloc_unbound(DOMID_SELF, group_domain(1)), ref;
	unsigned int i;

	*page = 0xabcd;
	if (!require(grant_init()) || !require(port))
		return;
	ref = grant_give(group_domain(1), va_mfn(page), false);
	listen(port);
	group_post(PORT, (u64)port);
	group_post(REF, (u64)ref);
	for (i = 1; i <= ROUNDS; i++) {
		event_wait_for(READ_ONCE(page[1]) == i);
		upcalls_mask();
		WRITE_ONCE(page[2], i);
		expect_eq(event_send((evtchn_port_t)port), 0);
	}
	expect(seen > 0);
	expect(!grant_take_back((grant_ref_t)ref));
	group_post(HAS_MAPPED, 1);
	expect(group_wait(HAS_UNMAPPED));
	expect(grant_take_back((grant_ref_t)ref));
	expect_eq(event_close((evtchn_port_t)port), 0);
}

static void taker(void)
{
	volatile u64 *page = page_alloc();
	grant_ref_t ref = (grant_ref_t)group_wait(REF);
	int port = event_bind_interdomain(group_domain(0), (evtchn_port_t)group_look(PORT));
	grant_handle_t handle;
	unsigned int i;

	if (!require(port) || !expect_eq(grant_map(group_domain(0), ref, (void *)page, false, &handle), GNTST_okay))
		return;
	listen(port);
	expect_eq(page[0], 0xabcd);
	for (i = 1; i <= ROUNDS; i++) {
		page[1] = i;
		expect_eq(event_send((evtchn_port_t)port), 0);
		event_wait_for(page[2] == i);
		upcalls_mask();
	}
	expect(group_wait(HAS_MAPPED));
	expect_eq(grant_unmap((void *)page, handle), 0);
	group_post(HAS_UNMAPPED, 1);
}

void guest_main(void)
{
	test_begin("a page and a channel");
	if (!require(group_join()))
		return;
	if (group_role() == 0)
		giver();
	else
		taker();
}
