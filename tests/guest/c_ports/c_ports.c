/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports and memory of devices given to a domain and taken away again: it has just those, and dom0 gives what it has itself. */
#include <guest/domain.h>
#include <guest/guest.h>
#include <xen/physdev.h>

static struct domain d;
static struct xen_domctl op;
static struct trap_record rec;

static void do_in(void *arg)
{
	u8 v;

	__asm__ volatile("inb %%dx, %0" : "=a"(v) : "d"((u16)(u64)arg));
	__asm__ volatile("" : : "r"(v));
}

static u8 in(u16 port)
{
	u8 v = 0xff;

	if (!trap_catch(&rec, do_in, (void *)(u64)port))
		__asm__ volatile("inb %%dx, %0" : "=a"(v) : "d"(port));
	return v;
}

/* Says with its reason whether the keyboard's status port can be read: that is never all ones. */
static void child(void)
{
	HYPERVISOR_physdev_op(PHYSDEVOP_set_iopl, &(struct physdev_set_iopl){ 1 });
	if (in(0x65) != 0xff || in(0x63) != 0xff || in(0x71) == 0x5a)
		guest_shutdown(SHUTDOWN_crash);
	guest_shutdown(in(0x64) != 0xff ? SHUTDOWN_suspend : SHUTDOWN_poweroff);
}

static long ports(u32 first, u32 n, u8 allow)
{
	memset(&op.u, 0, sizeof(op.u));
	op.u.ioport_permission.first_port = first;
	op.u.ioport_permission.nr_ports = n;
	op.u.ioport_permission.allow_access = allow;
	return domain_control(XEN_DOMCTL_ioport_permission, d.id, &op);
}

static long frames(u64 first, u64 n, u8 allow)
{
	memset(&op.u, 0, sizeof(op.u));
	op.u.iomem_permission.first_mfn = first;
	op.u.iomem_permission.nr_mfns = n;
	op.u.iomem_permission.allow_access = allow;
	return domain_control(XEN_DOMCTL_iomem_permission, d.id, &op);
}

static int run(bool with)
{
	const void *image;
	size_t size;
	int reason;

	image = boot_module(&size);
	if (!expect_eq(domain_create(&d, &(struct domain_config){ 0 }), 0) || !expect_eq(domain_load(&d, image, size, ""), 0))
		return -1;
	if (with)
		expect_eq(ports(0x64, 1, 1), 0);
	expect_eq(domain_start(&d), 0);
	reason = child_wait(&d, 5 * S);
	expect_eq(domain_destroy(&d), 0);
	return reason;
}

void guest_main(void)
{
	if (!(start_info->flags & SIF_INITDOMAIN))
		child();
	test_begin("ports");
	expect_eq(run(false), SHUTDOWN_poweroff);
	expect_eq(run(true), SHUTDOWN_suspend);
	test_begin("refused");
	expect_eq(domain_create(&d, &(struct domain_config){ .pages = 16 }), 0);
	expect(ports(0xfff0, 0x11, 1) < 0);
	expect(ports(0x10000, 1, 1) < 0);
	expect(ports(0xffffffff, 2, 1) < 0);
	expect(ports(1, 0xffffffff, 1) < 0);
	/* The hypervisor's own serial port. */
	expect(ports(0x3f8, 8, 1) < 0);
	expect(ports(0, 0x10000, 1) < 0);
	expect(frames(0xfee00, 1, 1) < 0);
	expect(frames(0xfec00, 1, 1) < 0);
	expect(frames(~0UL, 2, 1) < 0);
	expect(frames(5, ~0UL, 1) < 0);
	expect(frames(1UL << 50, 1, 1) < 0);
	expect_eq(frames(0xb8, 1, 1), 0);
	expect_eq(frames(0xb8, 1, 0), 0);
	expect_eq(domain_destroy(&d), 0);
}
