/* SPDX-License-Identifier: BSD-2-Clause */
/* vCPUs that start, stop and move each other while each registers areas and timers. */
#include <guest/guest.h>
#include <xen/vcpu.h>

#define ROUNDS 400

static volatile unsigned int beats[4];
static struct vcpu_runstate_info areas[4] __attribute__((aligned(64)));

static void worker(void *arg)
{
	u64 self = (u64)arg;

	for (;;) {
		beats[self]++;
		HYPERVISOR_set_timer_op(time_now() + 20 * US);
		HYPERVISOR_vcpu_op(VCPUOP_up, (unsigned int)(beats[self] % 4), NULL);
		if (beats[self] % 64 == 0)
			HYPERVISOR_vcpu_op(VCPUOP_down, (unsigned int)self, NULL);
	}
}

void guest_main(void)
{
	unsigned int i;
	struct vcpu_runstate_info info;

	test_begin("up and down");
	for (i = 1; i < 4; i++)
		require(vcpu_start(i, worker, (void *)(u64)i));
	for (i = 0; i < ROUNDS; i++) {
		unsigned int v = 1 + i % 3;
		struct vcpu_register_runstate_memory_area area = { .addr.v = i & 8 ? NULL : &areas[v] };

		HYPERVISOR_vcpu_op(VCPUOP_down, v, NULL);
		HYPERVISOR_vcpu_op(VCPUOP_register_runstate_memory_area, v, &area);
		expect_eq(HYPERVISOR_vcpu_op(VCPUOP_get_runstate_info, v, &info), 0);
		expect(info.state <= RUNSTATE_offline);
		HYPERVISOR_vcpu_op(VCPUOP_up, v, NULL);
		HYPERVISOR_sched_op(SCHEDOP_yield, NULL);
	}
	test_begin("all of them still run");
	for (i = 1; i < 4; i++) {
		unsigned int before = beats[i];

		HYPERVISOR_vcpu_op(VCPUOP_up, i, NULL);
		expect_msg(yield_until(beats[i] > before, 5 * S), "vCPU %u", i);
	}
	for (i = 1; i < 4; i++)
		expect(yield_until(HYPERVISOR_vcpu_op(VCPUOP_down, i, NULL) == 0 && vcpu_is_up(i) == 0, 5 * S));
}
