/* SPDX-License-Identifier: BSD-2-Clause */
/* Privileged calls inside of a multicall: no more privilege than outside; lists that contain themselves or the hypervisor. */
#include <guest/guest.h>

static struct multicall_entry list[64];

void guest_main(void)
{
	static const unsigned int calls[] = { __HYPERVISOR_domctl, __HYPERVISOR_sysctl, __HYPERVISOR_platform_op,
					      __HYPERVISOR_kexec_op };
	unsigned int i;

	test_begin("privileged calls in a list");
	for (i = 0; i < ARRAY_SIZE(list); i++)
		list[i] = (struct multicall_entry){ .op = calls[i % 4], .args = { (u64)list, (u64)list } };
	expect_eq(HYPERVISOR_multicall(list, ARRAY_SIZE(list)), 0);
	for (i = 0; i < ARRAY_SIZE(list); i++)
		expect_msg((long)list[i].result < 0, "call %lu: %ld", list[i].op, (long)list[i].result);
	test_begin("a list in a list");
	for (i = 0; i < ARRAY_SIZE(list); i++)
		list[i] = (struct multicall_entry){ .op = __HYPERVISOR_multicall, .args = { (u64)list, 64 } };
	/* A depth of one at most, so that this ends. */
	HYPERVISOR_multicall(list, ARRAY_SIZE(list));
	expect((long)list[0].result < 0);
	test_begin("a list that is the result of its own calls");
	for (i = 0; i < ARRAY_SIZE(list); i++)
		list[i] = (struct multicall_entry){ .op = __HYPERVISOR_xen_version, .args = { 5, (u64)&list[i] } };
	HYPERVISOR_multicall(list, ARRAY_SIZE(list));
	expect_eq(HYPERVISOR_xen_version(0, NULL), 4 << 16 | 17);
	test_begin("lists that are not the guest's");
	expect(HYPERVISOR_multicall((void *)HYPERVISOR_VIRT_START, 1) < 0);
	expect(HYPERVISOR_multicall((void *)0x7ffffffffff8UL, 4) < 0);
	expect(HYPERVISOR_multicall((void *)~7UL, 2) < 0);
	for (i = 0; i < 4; i++)
		list[i] = (struct multicall_entry){ .op = __HYPERVISOR_xen_version };
	expect_eq(HYPERVISOR_multicall(list, 4), 0);
	expect_eq(list[3].result, 4 << 16 | 17);
}
