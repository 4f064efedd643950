/* SPDX-License-Identifier: BSD-2-Clause */
/* One domain cannot shut down, crash or wake another, and cannot use reasons that are none. */
#include <guest/guest.h>

enum { DONE = 1, BEAT };

void guest_main(void)
{
	static const unsigned int reasons[] = { 0, 1, 2, 3, 4, 5, 6, 255, 0xffffffff };
	unsigned int i, cmd;
	u64 beat;

	test_begin("shutdown of another");
	if (!require(group_join()))
		return;
	if (group_role() == 1) {
		for (i = 1; !group_look(DONE); i++)
			group_post(BEAT, i);
		expect(i > 1);
		return;
	}
	expect(group_wait(BEAT));
	for (i = 0; i < ARRAY_SIZE(reasons); i++) {
		struct sched_remote_shutdown op = { .domain_id = group_domain(1), .reason = reasons[i] };

		expect(HYPERVISOR_sched_op(SCHEDOP_remote_shutdown, &op) < 0);
		op.domain_id = 0;
		expect(HYPERVISOR_sched_op(SCHEDOP_remote_shutdown, &op) < 0);
		if (reasons[i] > SHUTDOWN_MAX)
			expect(HYPERVISOR_sched_op(SCHEDOP_shutdown, &(struct sched_shutdown){ .reason = reasons[i] }) < 0);
	}
	for (cmd = 8; cmd < 64; cmd++)
		expect_msg(HYPERVISOR_sched_op(cmd, &beat) < 0, "operation %u", cmd);
	beat = group_look(BEAT);
	expect(yield_until(group_look(BEAT) > beat, 5 * S));
	group_post(DONE, 1);
}
