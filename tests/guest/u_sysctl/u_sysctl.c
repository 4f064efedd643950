/* SPDX-License-Identifier: BSD-2-Clause */
/* sysctl and platform_op from a domain without privileges. */
#define __XEN_TOOLS__ 1
#include <guest/guest.h>
#include <xen/platform.h>
#include <xen/sysctl.h>

static union {
	struct xen_sysctl sysctl;
	struct xen_platform_op platform;
	u8 bytes[4096];
} op;

static void untouched(const char *what, u32 cmd, long ret, size_t from)
{
	size_t i;

	expect_msg(ret == -XEN_EPERM || ret == -XEN_ENOSYS, "%s %u: %ld", what, cmd, ret);
	for (i = from; i < sizeof(op); i++)
		if (op.bytes[i] != 0x5a)
			break;
	expect_msg(i == sizeof(op), "%s %u: byte %lu is written", what, cmd, i);
}

void guest_main(void)
{
	struct xen_platform_op *p = &op.platform;
	u32 cmd;

	test_begin("sysctl");
	for (cmd = 0; cmd < 64; cmd++) {
		memset(&op, 0x5a, sizeof(op));
		op.sysctl.cmd = cmd;
		op.sysctl.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
		untouched("sysctl", cmd, HYPERVISOR_sysctl(&op), offsetof(struct xen_sysctl, u));
	}
	test_begin("platform_op");
	for (cmd = 0; cmd < 80; cmd++) {
		memset(&op, 0x5a, sizeof(op));
		p->cmd = cmd;
		p->interface_version = XENPF_INTERFACE_VERSION;
		untouched("platform_op", cmd, HYPERVISOR_platform_op(&op), offsetof(struct xen_platform_op, u));
	}
	expect(HYPERVISOR_sysctl((void *)HYPERVISOR_VIRT_START) < 0);
	expect(HYPERVISOR_platform_op((void *)HYPERVISOR_VIRT_START) < 0);
}
