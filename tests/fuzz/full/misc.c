/* SPDX-License-Identifier: BSD-2-Clause */
#include <xen/physdev.h>
#include <xen/platform.h>
#include "fuzz.h"

static void multicall(struct fuzz *f)
{
	struct multicall_entry e[5] = { { 0 } };
	u32 n = f8(f) % 6;

	for (u32 i = 0; i < n && i < 5; i++) {
		e[i].op = one_in(f, 10) ? f32(f) : f8(f) & 63;
		/* What replaces the registers has no place in a list; what stops the machine is tried elsewhere. */
		for (u32 k = 0; k < 4; k++)
			e[i].args[k] = f8(f) & 1 ? some_number(f) : some_address(f);
	}
	(void)call(f, __HYPERVISOR_multicall, argument(f, e, sizeof(e)), one_in(f, 20) ? some_number(f) & 0xffff : n, 0, 0, 0);
}

static void platform(struct fuzz *f)
{
	struct xen_platform_op op = { .cmd = 17 + f8(f) % 50, .interface_version = XENPF_INTERFACE_VERSION };
	u32 *w = (u32 *)&op.u;

	for (u32 i = 0; i < 16; i++)
		w[i] = one_in(f, 3) ? (u32)some_number(f) : 0;
	/* Power data stays for good: told apart from a leak by tests/host/no_memory. */
	if (op.cmd == XENPF_set_processor_pminfo)
		return;
	(void)call(f, __HYPERVISOR_platform_op, argument(f, &op, sizeof(op)), 0, 0, 0, 0);
}

static void small(struct fuzz *f)
{
	static const u8 nr[16] = { __HYPERVISOR_xen_version, __HYPERVISOR_console_io, __HYPERVISOR_vm_assist, __HYPERVISOR_nmi_op,
		__HYPERVISOR_hvm_op, __HYPERVISOR_xsm_op, __HYPERVISOR_kexec_op, __HYPERVISOR_arch_0, __HYPERVISOR_physdev_op,
		__HYPERVISOR_physdev_op_compat, __HYPERVISOR_event_channel_op_compat, __HYPERVISOR_console_io, __HYPERVISOR_vm_assist,
		__HYPERVISOR_xen_version, 11, 63 };
	u8 which = nr[f8(f) & 15];
	u64 a0 = f8(f) % 40, a1 = f8(f) & 1 ? some_address(f) : some_number(f);

	if (which == __HYPERVISOR_console_io)
		(void)call(f, which, a0 % 3, f8(f) & 7 ? f8(f) * 4u : f32(f) & 0xffff, some_address(f), 0, 0);
	else
		(void)call(f, which, a0, a1, some_address(f), 0, 0);
}

void fuzz_misc(struct fuzz *f)
{
	switch (f8(f) & 3) {
	case 0: multicall(f); break;
	case 1: platform(f); break;
	default: small(f); break;
	}
}
