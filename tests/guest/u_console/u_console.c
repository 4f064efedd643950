/* SPDX-License-Identifier: BSD-2-Clause */
/* console_io from a domain without privileges: it cannot read the operator's keys, and cannot write where it likes. */
#include <guest/guest.h>
#include <xen/xen.h>

void guest_main(void)
{
	static char buf[256];
	unsigned int i, cmd;
	long ret;

	test_begin("reading");
	memset(buf, 0x5a, sizeof(buf));
	expect(HYPERVISOR_console_io(CONSOLEIO_read, sizeof(buf), buf) <= 0);
	for (i = 0; i < sizeof(buf) && buf[i] == 0x5a; i++)
		;
	expect_eq(i, sizeof(buf));
	test_begin("writing");
	/* Refused, or taken as one of many guests' messages; never from memory that is not the guest's. */
	ret = HYPERVISOR_console_io(CONSOLEIO_write, 5, "hello");
	expect(ret <= 0);
	expect(HYPERVISOR_console_io(CONSOLEIO_write, 16, (char *)HYPERVISOR_VIRT_START) < 0);
	expect(HYPERVISOR_console_io(CONSOLEIO_write, 16, (char *)0x800000000000UL) < 0);
	expect(HYPERVISOR_console_io(CONSOLEIO_write, 0xffffffff, (char *)VIRT_BASE) < 0);
	for (cmd = 2; cmd < 20; cmd++)
		expect_msg(HYPERVISOR_console_io(cmd, 1, buf) < 0, "command %u", cmd);
}
