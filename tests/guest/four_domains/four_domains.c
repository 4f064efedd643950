/* SPDX-License-Identifier: BSD-2-Clause */
/* Four domains of four vCPUs each: grants, events, page tables and timers all at once, in a ring. */
#include <guest/guest.h>

#define ROUNDS 15

enum { REF = 1, PORT = 8, WORK = 16, DONE = 24 };

static volatile unsigned int ended, running;
static int in_port, out_port;
static u64 *given;

static void churn(void *arg)
{
	u64 *table = page_alloc(), *target = page_alloc(), self = (u64)arg;
	unsigned int i;

	__atomic_add_fetch(&running, 1, __ATOMIC_SEQ_CST);
	for (i = 0; i < ROUNDS; i++) {
		table[i % 512] = mfn_pte(va_mfn(target), PTE_READONLY);
		if (!expect_eq(table_pin(table, 1), 0) || !expect_eq(table_unpin(table), 0))
			break;
		if (self == 1)
			event_send((evtchn_port_t)out_port);
		else
			HYPERVISOR_set_timer_op(time_now() + 50 * US);
	}
	__atomic_add_fetch(&ended, 1, __ATOMIC_SEQ_CST);
}

void guest_main(void)
{
	unsigned int me, next, i;
	u64 *window = page_alloc();

	test_begin("everything at once");
	given = page_alloc();
	if (!require(group_join()) || !require(grant_init()))
		return;
	me = group_role();
	next = (me + 1) % 4;
	in_port = event_alloc_unbound(DOMID_SELF, group_domain((me + 3) % 4));
	require(in_port);
	group_post(PORT + me, (u64)in_port);
	group_post(REF + me, (u64)grant_give(group_domain((me + 3) % 4), va_mfn(given), false));
	expect(group_wait(REF + next));
	out_port = event_bind_interdomain(group_domain(next), (evtchn_port_t)group_look(PORT + next));
	require(out_port);
	for (i = 1; i < 4; i++)
		require(vcpu_start(i, churn, (void *)(u64)i));
	for (i = 0; i < ROUNDS; i++) {
		grant_handle_t handle;

		if (!expect_eq(grant_map(group_domain(next), (grant_ref_t)group_look(REF + next), window, false, &handle), GNTST_okay))
			break;
		WRITE_ONCE(window[i % 512], i);
		expect_eq(grant_unmap(window, handle), 0);
	}
	expect(yield_until(ended == 3, 50 * S));
	expect_eq(running, 3);
	group_post(DONE + me, 1);
	for (i = 0; i < 4; i++)
		expect(group_wait(DONE + i));
	expect_eq(READ_ONCE(given[ROUNDS - 1]), ROUNDS - 1);
	expect(grant_take_back((grant_ref_t)group_look(REF + me)));
	expect(event_pending((evtchn_port_t)in_port));
}
