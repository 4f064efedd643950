/* SPDX-License-Identifier: BSD-2-Clause */
/* Two domains and the time: they agree on it, it does not run back, and one cannot set the other's timers or clock. */
#include <guest/guest.h>
#include <xen/vcpu.h>

enum { TIME = 1, ROUND, WALL };

void guest_main(void)
{
	u64 last = 0, i;

	test_begin("one clock");
	if (!require(group_join()))
		return;
	if (group_role() == 1) {
		for (i = 1; i <= 50; i++) {
			group_post(TIME, time_now());
			group_post(ROUND, i);
			expect(yield_until(group_look(ROUND) == 0, 5 * S));
		}
		group_post(WALL, time_wall());
		return;
	}
	for (i = 1; i <= 50; i++) {
		u64 mine = time_now(), theirs, after;

		expect_msg(mine >= last, "%lu after %lu", mine, last);
		if (!expect(yield_until(group_look(ROUND) == i, 5 * S)))
			return;
		theirs = group_look(TIME);
		after = time_now();
		/* Taken after ours was, or at most in the round before; and before now. A millisecond for clocks of several CPUs. */
		expect_msg(theirs <= after + MS, "theirs %lu is %lu ns ahead", theirs, theirs - after);
		expect_msg(theirs + MS >= last, "theirs %lu is behind %lu", theirs, last);
		last = mine;
		group_post(ROUND, 0);
	}
	if (expect(group_wait(WALL))) {
		u64 wall = time_wall();

		expect(group_look(WALL) <= wall + 1 && group_look(WALL) + 30 >= wall);
	}
}
