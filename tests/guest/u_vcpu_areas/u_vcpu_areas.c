/* SPDX-License-Identifier: BSD-2-Clause */
/* Areas that a vCPU registers at bad addresses: refused, or never written to; the vCPU goes on. */
#include <guest/guest.h>
#include <xen/vcpu.h>

static volatile unsigned int beats, stop;

static void second(void *arg)
{
	(void)arg;
	while (!stop) {
		beats++;
		HYPERVISOR_sched_op(SCHEDOP_yield, NULL);
	}
}

static void wait_a_bit(void)
{
	unsigned int i;

	for (i = 0; i < 20; i++)
		HYPERVISOR_sched_op(SCHEDOP_yield, NULL);
	timer_set(time_now() + MS);
	time_spin(2 * MS);
}

static void test_addresses(void)
{
	u64 *readonly = page_alloc(), *gone = page_alloc();
	void *const bad[] = { (void *)HYPERVISOR_VIRT_START, (void *)(HYPERVISOR_VIRT_END - 4), (void *)0x800000000000UL, (void *)8,
			      (void *)~0UL, readonly, gone, kernel_root(), (void *)((u64)gone + PAGE_SIZE - 8),
			      (void *)&machine_to_phys_mapping[va_mfn(readonly)] };
	u64 m2p = machine_to_phys_mapping[va_mfn(readonly)], root = kernel_root()[511];
	unsigned int i, vcpu;

	require(page_protect(readonly, false));
	require(va_map(gone, 0));
	test_begin("runstate");
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		for (vcpu = 0; vcpu < 2; vcpu++) {
			struct vcpu_register_runstate_memory_area op = { .addr.v = bad[i] };
			unsigned int before = beats;

			HYPERVISOR_vcpu_op(VCPUOP_register_runstate_memory_area, vcpu, &op);
			wait_a_bit();
			expect_msg(spin_until(beats > before, 5 * S), "vCPU %u stops with area %p", vcpu, bad[i]);
		}
	test_begin("time");
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct vcpu_register_time_memory_area op = { .addr.v = bad[i] };

		HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &op);
		wait_a_bit();
	}
	/* With the flag in the last word, which is written in two steps. */
	expect_eq(HYPERVISOR_vm_assist(VMASST_CMD_enable, VMASST_TYPE_runstate_update_flag), 0);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		HYPERVISOR_vcpu_op(VCPUOP_register_runstate_memory_area, 0,
				   &(struct vcpu_register_runstate_memory_area){ .addr.v = bad[i] });
		wait_a_bit();
	}
	test_begin("nothing was written");
	expect_eq(machine_to_phys_mapping[va_mfn(readonly)], m2p);
	expect_eq(kernel_root()[511], root);
	for (i = 0; i < PAGE_SIZE / 8 && !readonly[i]; i++)
		;
	expect_eq(i, PAGE_SIZE / 8);
	HYPERVISOR_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &(struct vcpu_register_runstate_memory_area){ .addr.v = NULL });
	HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &(struct vcpu_register_time_memory_area){ .addr.v = NULL });
}

static void test_info(void)
{
	static const u32 offsets[] = { 4096 - 63, 4096 - 8, 4095, 4096, 0x10000, 0x7fffffff, 0xffffffff, 0xffffffc0, 1, 63 };
	u64 *page = page_alloc();
	unsigned int i;

	test_begin("vcpu_info at bad places");
	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		struct vcpu_register_vcpu_info op = { .mfn = va_mfn(page), .offset = offsets[i] };

		expect_msg(HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_info, 1, &op) < 0 || offsets[i] <= 63, "offset %x", offsets[i]);
		if (offsets[i] > 63)
			continue;
		/* Taken although it is not aligned: then once only. */
		return;
	}
}

void guest_main(void)
{
	test_begin("set up");
	if (!require(vcpu_start(1, second, NULL)) || !expect(spin_until(beats, 5 * S)))
		return;
	test_addresses();
	stop = 1;
	expect(spin_until(vcpu_is_up(1) == 0, 5 * S));
	test_info();
}
