/* SPDX-License-Identifier: BSD-2-Clause */
/* Replies asked for in memory that the guest may not write: the hypervisor's, its tables, read-only pages, page tables. */
#include <guest/guest.h>
#include <xen/memory.h>
#include <xen/vcpu.h>
#include <xen/version.h>

static void *target;

static void no_reply(const char *what, long ret)
{
	expect_msg(ret < 0, "%s to %p: %ld", what, target, ret);
}

static void try(void *to)
{
	struct xen_machphys_mfn_list frames = { .max_extents = 4 };
	struct gnttab_setup_table setup = { .dom = DOMID_SELF, .nr_frames = 1 };
	long ret;

	target = to;
	no_reply("capabilities", HYPERVISOR_xen_version(XENVER_capabilities, to));
	no_reply("changeset", HYPERVISOR_xen_version(XENVER_changeset, to));
	no_reply("handle", HYPERVISOR_xen_version(XENVER_guest_handle, to));
	no_reply("runstate", HYPERVISOR_vcpu_op(VCPUOP_get_runstate_info, 0, to));
	no_reply("M2P area", HYPERVISOR_memory_op(XENMEM_machphys_mapping, to));
	set_xen_guest_handle(frames.extent_start, to);
	no_reply("M2P frames", HYPERVISOR_memory_op(XENMEM_machphys_mfn_list, &frames));
	set_xen_guest_handle(setup.frame_list, to);
	ret = HYPERVISOR_grant_table_op(GNTTABOP_setup_table, &setup, 1);
	expect_msg(ret < 0 || setup.status != GNTST_okay, "grant frames to %p", to);
}

void guest_main(void)
{
	u64 *readonly = page_alloc();
	u64 m2p = machine_to_phys_mapping[va_mfn(readonly)];
	u64 root0 = kernel_root()[511];

	readonly[0] = 0x77;
	test_begin("replies to memory that is not writable");
	require(page_protect(readonly, false));
	try((void *)HYPERVISOR_VIRT_START);
	try((void *)&machine_to_phys_mapping[va_mfn(readonly)]);
	try((void *)(HYPERVISOR_VIRT_END - 4096));
	try((void *)0xffff900000000000UL);
	try((void *)0xffff830000000000UL);
	try((void *)0xffff82d080200000UL);
	try((void *)0x800000000000UL);
	try((void *)0x1000);
	try(readonly);
	try(kernel_root());
	expect_eq(readonly[0], 0x77);
	expect_eq(machine_to_phys_mapping[va_mfn(readonly)], m2p);
	expect_eq(kernel_root()[511], root0);
	require(page_protect(readonly, true));
	expect_eq(HYPERVISOR_xen_version(XENVER_capabilities, readonly), 0);
}
