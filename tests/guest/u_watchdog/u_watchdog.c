/* SPDX-License-Identifier: BSD-2-Clause */
/* The watchdog of a domain: it can be set, renewed and taken back; when it fires the domain ends, and the other does not. */
#include <guest/guest.h>
#include <xen/sched.h>

enum { STARTED = 1, LATE };

static long watchdog(u32 id, u32 timeout)
{
	struct sched_watchdog op = { .id = id, .timeout = timeout };

	return HYPERVISOR_sched_op(SCHEDOP_watchdog, &op);
}

void guest_main(void)
{
	long id;
	u32 i;

	test_begin("watchdog");
	if (!require(group_join()))
		return;
	if (group_role() == 1) {
		u64 end;

		expect(watchdog(0, 1) > 0);
		group_post(STARTED, 1);
		end = time_now() + 15 * S;
		while (time_now() < end)
			;
		group_post(LATE, 1);
		return;
	}
	for (i = 3; i < 100; i++)
		expect_msg(watchdog(i, 1) < 0, "watchdog %u", i);
	expect(watchdog(0xffffffff, 0) < 0);
	id = watchdog(0, 3600);
	expect(id > 0);
	expect_eq(watchdog((u32)id, 1000), 0);
	expect_eq(watchdog((u32)id, 0), 0);
	expect(watchdog(0, 0xffffffff) >= 0);
	expect(group_wait(STARTED));
	expect(yield_until(event_bind_interdomain(group_domain(1), 1) == -XEN_ESRCH, 10 * S));
	expect(!group_look(LATE));
	expect(HYPERVISOR_sched_op(SCHEDOP_remote_shutdown,
				   &(struct sched_remote_shutdown){ .domain_id = 0, .reason = SHUTDOWN_crash }) < 0);
}
