/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every hypercall that takes a command and a pointer, with every command and pointers that lead nowhere or into the hypervisor: none gets through to memory that is not the kernel's, and the machine goes on.
 */
#include <guest/guest.h>

static u64 *readonly, *hole;
static unsigned int made;

static void call_all(unsigned int number, unsigned int commands, unsigned int skip_mask)
{
	const u64 bad[] = { 8, HYPERVISOR_VIRT_START, HYPERVISOR_VIRT_END - 8, 0x800000000000UL, 0x7ffffffffff8UL, ~7UL,
			    (u64)hole };
	unsigned int cmd, i;

	for (cmd = 0; cmd < commands; cmd++)
		for (i = 0; i < ARRAY_SIZE(bad); i++) {
			long ret;

			if (cmd < 32 && skip_mask >> cmd & 1)
				continue;
			ret = hypercall_direct(number, cmd, bad[i], 1, DOMID_SELF, bad[i]);
			made++;
			/* An error or a small result, never a pointer. */
			expect_msg(ret >= -4095 && ret < 1L << 40, "hypercall %u, command %u, at %lx: %ld", number, cmd, bad[i],
				   ret);
		}
}

static void test_commands(void)
{
	u64 root = kernel_root()[511], m2p = machine_to_phys_mapping[va_mfn(hole) & ~511UL];

	test_begin("commands");
	/* Not what waits or ends the domain. */
	call_all(__HYPERVISOR_memory_op, 30, 0);
	call_all(__HYPERVISOR_xen_version, 12, 0);
	call_all(__HYPERVISOR_event_channel_op, 16, 1U << EVTCHNOP_reset | 1U << EVTCHNOP_init_control);
	call_all(__HYPERVISOR_physdev_op, 34, 0);
	call_all(__HYPERVISOR_callback_op, 5, 0);
	call_all(__HYPERVISOR_nmi_op, 3, 0);
	call_all(__HYPERVISOR_hvm_op, 26, 0);
	call_all(__HYPERVISOR_xsm_op, 3, 0);
	call_all(__HYPERVISOR_sched_op, 8, 1U << SCHEDOP_yield | 1U << SCHEDOP_block | 1U << SCHEDOP_shutdown |
						 1U << SCHEDOP_poll | 1U << SCHEDOP_watchdog);
	call_all(__HYPERVISOR_xenpmu_op, 8, 0);
	expect(made > 500);
	expect_eq(kernel_root()[511], root);
	expect_eq(machine_to_phys_mapping[va_mfn(hole) & ~511UL], m2p);
}

static void test_grants(void)
{
	const u64 bad[] = { 8, HYPERVISOR_VIRT_START, HYPERVISOR_VIRT_END - 8, 0x800000000000UL, ~7UL, (u64)hole };
	static const u64 counts[] = { 1, 1000, 0x7fffffff, 0xffffffff };
	unsigned int cmd, i, n;

	test_begin("grant commands");
	for (cmd = 0; cmd < 14; cmd++)
		for (i = 0; i < ARRAY_SIZE(bad); i++)
			for (n = 0; n < ARRAY_SIZE(counts); n++) {
				/* A switch of the table's version that reads zeros is for another test. */
				if (cmd == 8)
					continue;
				expect_msg(HYPERVISOR_grant_table_op(cmd, (void *)bad[i], (unsigned int)counts[n]) <= 0,
					   "command %u, %lu at %lx", cmd, counts[n], bad[i]);
			}
}

static void test_lists(void)
{
	const u64 bad[] = { 8, HYPERVISOR_VIRT_START, HYPERVISOR_VIRT_END - 8, 0x800000000000UL, ~7UL, (u64)hole };
	unsigned int i;

	test_begin("lists");
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		const void *p = (const void *)bad[i];

		expect(HYPERVISOR_set_trap_table(p) < 0);
		expect(HYPERVISOR_mmu_update(p, 1, NULL, DOMID_SELF) < 0);
		expect(HYPERVISOR_mmuext_op(p, 1, NULL, DOMID_SELF) < 0);
		expect(HYPERVISOR_multicall((void *)p, 1) < 0);
		expect(HYPERVISOR_set_gdt(p, 10) < 0);
		expect(HYPERVISOR_console_io(CONSOLEIO_write, 10, p) < 0);
		expect(HYPERVISOR_platform_op((void *)p) < 0);
		expect(HYPERVISOR_update_descriptor(bad[i] | 1, 0) < 0);
	}
}

/* Replies to a page that may only be read are errors, and the page keeps its contents. */
static void test_replies(void)
{
	unsigned int i;

	test_begin("replies to a read-only page");
	for (i = 0; i < PAGE_SIZE / 8; i++)
		readonly[i] = 0;
	require(page_protect(readonly, false));
	expect(HYPERVISOR_xen_version(1, readonly) < 0);
	expect(HYPERVISOR_xen_version(3, readonly) < 0);
	expect(HYPERVISOR_xen_version(6, readonly) < 0);
	expect(HYPERVISOR_event_channel_op(EVTCHNOP_bind_ipi, readonly) < 0);
	expect(HYPERVISOR_event_channel_op(EVTCHNOP_status, readonly) < 0);
	expect(HYPERVISOR_vcpu_op(4, 0, readonly) < 0);
	for (i = 0; i < PAGE_SIZE / 8; i++)
		if (readonly[i])
			break;
	expect_eq(i, PAGE_SIZE / 8);
	require(page_protect(readonly, true));
}

/* Numbers without a hypercall, and the arguments of those with none. */
static void test_numbers(void)
{
	unsigned int i;

	test_begin("numbers");
	for (i = 56; i < 4096; i++)
		expect_eq(hypercall_direct(i, ~0UL, ~0UL, ~0UL, ~0UL, ~0UL), -XEN_ENOSYS);
	for (i = 8; i < 64; i++)
		expect_eq(hypercall_direct(1U << (i % 32) | 0x80000000U, 0, 0, 0, 0, 0), -XEN_ENOSYS);
}

void guest_main(void)
{
	readonly = page_alloc();
	hole = page_alloc();
	require(va_map(hole, 0));
	test_commands();
	test_grants();
	test_lists();
	test_replies();
	test_numbers();
}
