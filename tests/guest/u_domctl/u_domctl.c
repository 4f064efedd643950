/* SPDX-License-Identifier: BSD-2-Clause */
/* domctl from a domain without privileges: every command on itself, on dom0 and on others is refused, and nothing comes back. */
#define __XEN_TOOLS__ 1
#include <guest/guest.h>
#include <xen/domctl.h>

static struct xen_domctl op;

static void try(u32 cmd, domid_t dom)
{
	unsigned int i;
	long ret;

	memset(&op, 0x5a, sizeof(op));
	op.cmd = cmd;
	op.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	op.domain = dom;
	ret = HYPERVISOR_domctl(&op);
	expect_msg(ret == -XEN_EPERM || ret == -XEN_ENOSYS || ret == -XEN_ESRCH || ret == -XEN_EINVAL || ret == -XEN_EOPNOTSUPP,
		   "command %u on %u: %ld", cmd, dom, ret);
	/* No reply, not even a part of one. */
	for (i = 0; i < sizeof(op.u); i++)
		if (((u8 *)&op.u)[i] != 0x5a)
			break;
	expect_msg(i == sizeof(op.u), "command %u on %u: byte %u of the reply is written", cmd, dom, i);
}

void guest_main(void)
{
	const domid_t doms[] = { group_domain(0), DOMID_SELF, 0, DOMID_XEN, DOMID_IO };
	unsigned int i, cmd;

	test_begin("every command");
	for (i = 0; i < ARRAY_SIZE(doms); i++) {
		for (cmd = 0; cmd < 100; cmd++)
			try(cmd, doms[i]);
		for (cmd = 1000; cmd < 1004; cmd++)
			try(cmd, doms[i]);
		try(0xffffffff, doms[i]);
	}
	test_begin("afterwards");
	expect(HYPERVISOR_domctl((void *)HYPERVISOR_VIRT_START) < 0);
	expect(HYPERVISOR_domctl(NULL) < 0);
	expect_eq(vcpu_is_up(0), 1);
}
