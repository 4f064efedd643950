/* SPDX-License-Identifier: BSD-2-Clause */
/* Hypercalls that are not for PV domains without privileges, or not there at all: each is refused with each sub-operation. */
#include <guest/guest.h>

static const struct { unsigned int number; const char *name; } calls[] = {
	{ __HYPERVISOR_kexec_op, "kexec_op" }, { __HYPERVISOR_xsm_op, "xsm_op" },
	{ __HYPERVISOR_tmem_op, "tmem_op" }, { __HYPERVISOR_argo_op, "argo_op" }, { __HYPERVISOR_xenpmu_op, "xenpmu_op" },
	{ __HYPERVISOR_dm_op, "dm_op" }, { __HYPERVISOR_hypfs_op, "hypfs_op" }, { __HYPERVISOR_arch_0, "arch_0" },
	{ __HYPERVISOR_arch_1, "arch_1" }, { __HYPERVISOR_arch_7, "arch_7" }, { 11, "11" }, { 43, "43" }, { 47, "47" }, { 56, "56" },
	{ 63, "63" },
};

static u64 arg[512];

void guest_main(void)
{
	static const u64 numbers[] = { 64, 65, 127, 128, 255, 256, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 1UL << 32 | 17,
				       1UL << 63 };
	unsigned int i, cmd, k;

	test_begin("calls by name");
	for (i = 0; i < ARRAY_SIZE(calls); i++)
		for (cmd = 0; cmd < 32; cmd++) {
			long ret;

			memset(arg, 0, sizeof(arg));
			ret = hypercall_direct(calls[i].number, cmd, (u64)arg, (u64)arg, (u64)arg, 0);
			expect_msg(ret < 0, "%s, %u: %ld", calls[i].name, cmd, ret);
			ret = hypercall_direct(calls[i].number, cmd, HYPERVISOR_VIRT_START, HYPERVISOR_VIRT_START,
					       HYPERVISOR_VIRT_START, HYPERVISOR_VIRT_START);
			expect_msg(ret < 0, "%s, %u, bad pointers: %ld", calls[i].name, cmd, ret);
			ret = hypercall_direct(calls[i].number, (u64)arg, cmd, ~0UL, ~0UL, ~0UL);
			expect_msg(ret < 0, "%s, swapped: %ld", calls[i].name, ret);
			for (k = 0; k < ARRAY_SIZE(arg) && !arg[k]; k++)
				;
			expect_msg(k == ARRAY_SIZE(arg), "%s, %u writes", calls[i].name, cmd);
		}
	test_begin("numbers without a call");
	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		long ret = hypercall_direct(numbers[i], 0, 0, 0, 0, 0);

		expect_msg(ret == -XEN_ENOSYS, "number %lx: %ld", numbers[i], ret);
	}
}
