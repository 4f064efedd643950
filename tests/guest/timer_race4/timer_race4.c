/* SPDX-License-Identifier: BSD-2-Clause */
/* Timers of four vCPUs in the past, now and later, single-shot and periodic, set and stopped by each other's vCPUs too. */
#include <guest/guest.h>
#include <xen/vcpu.h>

#define ROUNDS 800

static volatile unsigned int ended, ticks[4];

static void tick(evtchn_port_t port, void *arg)
{
	(void)port;
	ticks[(u64)arg]++;
}

static u64 any(u64 *state)
{
	*state = *state * 6364136223846793005UL + 1442695040888963407UL;
	return *state >> 33;
}

static void work(void *arg)
{
	u64 self = (u64)arg, state = self, last = 0;
	unsigned int i;

	upcalls_unmask();
	for (i = 0; i < ROUNDS; i++) {
		struct vcpu_set_singleshot_timer shot = { .timeout_abs_ns = time_now() + any(&state) % MS };
		struct vcpu_set_periodic_timer period = { .period_ns = MS + any(&state) % (5 * MS) };
		u64 now = time_now();

		expect_msg(now >= last, "%lu after %lu", now, last);
		last = now;
		switch (any(&state) % 6) {
		case 0:
			expect_eq(HYPERVISOR_set_timer_op(now + any(&state) % MS), 0);
			break;
		case 1:
			expect_eq(HYPERVISOR_set_timer_op(now > S ? now - S : 1), 0);
			break;
		case 2:
			expect_eq(HYPERVISOR_set_timer_op(~0UL >> (1 + any(&state) % 3)), 0);
			break;
		case 3:
			expect_eq(HYPERVISOR_vcpu_op(VCPUOP_set_singleshot_timer, (unsigned int)self, &shot), 0);
			break;
		case 4:
			expect_eq(HYPERVISOR_vcpu_op(VCPUOP_set_periodic_timer, (unsigned int)(any(&state) % 4), &period), 0);
			break;
		default:
			expect_eq(HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, (unsigned int)(any(&state) % 4), NULL), 0);
			break;
		}
	}
	upcalls_mask();
	__atomic_add_fetch(&ended, 1, __ATOMIC_SEQ_CST);
}

void guest_main(void)
{
	u64 i, before;

	test_begin("four vCPUs");
	for (i = 0; i < 4; i++) {
		int port = event_bind_virq(VIRQ_TIMER, (unsigned int)i);

		if (!require(port))
			return;
		event_handler_set((evtchn_port_t)port, tick, (void *)i);
		event_unmask((evtchn_port_t)port);
	}
	for (i = 1; i < 4; i++)
		require(vcpu_start((unsigned int)i, work, (void *)i));
	work(NULL);
	expect(yield_until(ended == 4, 20 * S));
	for (i = 0; i < 4; i++) {
		HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, (unsigned int)i, NULL);
		expect_msg(ticks[i] > 0, "vCPU %lu has had no tick", i);
	}
	test_begin("afterwards");
	before = ticks[0];
	upcalls_unmask();
	expect_eq(timer_set(time_now() + MS), 0);
	expect(spin_until(ticks[0] > before, 5 * S));
	upcalls_mask();
}
