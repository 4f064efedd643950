/* SPDX-License-Identifier: BSD-2-Clause */
/* set_iobitmap and set_iopl: sizes and pointers that lie. A bitmap gives user mode no port that the domain does not have. */
#include <guest/guest.h>
#include <xen/physdev.h>

__asm__(".pushsection .text_user, \"ax\", @progbits\n"
	".balign 16\n"
	".globl user_begin, user_end\n"
	"user_begin: mov %rdi, %rdx; in %dx, %al; syscall; ud2\n"
	"user_end:\n"
	".popsection\n");
extern char user_begin[], user_end[];

static u8 bitmap[8192];
static struct trap_frame f;

static long bitmap_set(void *map, u32 ports)
{
	struct physdev_set_iobitmap op = { .nr_ports = ports };

	set_xen_guest_handle(op.bitmap, map);
	return HYPERVISOR_physdev_op(PHYSDEVOP_set_iobitmap, &op);
}

/* A fault, or (where the bitmap or the privilege level has the port) what reads as nothing. */
static void expect_no_ports(bool granted)
{
	static const u16 ports[] = { 0x20, 0x60, 0x80, 0x1f0, 0x3f8, 0xcf9, 0xfff8, 0xffff };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ports); i++) {
		user_frame(&f, 0, ports[i]);
		user_run(&f);
		expect_msg(f.vector == TRAP_PROTECTION || (granted && f.vector == TRAP_SYSCALL && (u8)f.rax == 0xff),
			   "port %x: vector %lu, %lx", ports[i], f.vector, f.rax);
	}
}

void guest_main(void)
{
	static const u32 levels[] = { 4, 5, 0x7fffffff, 0xffffffff };
	unsigned int i;

	test_begin("set up");
	if (!require(user_init()) || !require(user_load(user_begin, (size_t)(user_end - user_begin))))
		return;
	test_begin("refused");
	expect(bitmap_set(bitmap, 65537) < 0);
	expect(bitmap_set(bitmap, 0xffffffff) < 0);
	for (i = 0; i < ARRAY_SIZE(levels); i++)
		expect(HYPERVISOR_physdev_op(PHYSDEVOP_set_iopl, &(struct physdev_set_iopl){ levels[i] }) < 0);
	expect_no_ports(false);
	test_begin("all ports, in a good bitmap");
	expect_eq(bitmap_set(bitmap, 65536), 0);
	expect_no_ports(true);
	test_begin("bitmaps that cannot be read");
	/* Found out when a port is used, or when it is set: it gives nothing in either case. (What can be read there may.) */
	bitmap_set(NULL, 0);
	bitmap_set((void *)(HYPERVISOR_VIRT_END - 8192), 65536);
	expect_no_ports(false);
	bitmap_set(NULL, 0);
	bitmap_set((void *)0x7ffffffff000UL, 65536);
	expect_no_ports(false);
	bitmap_set(NULL, 0);
	bitmap_set((void *)0x800000000000UL, 65536);
	expect_no_ports(false);
	bitmap_set(NULL, 0);
	bitmap_set((void *)~0UL, 65536);
	expect_no_ports(false);
	expect_eq(bitmap_set(NULL, 0), 0);
	expect_eq(HYPERVISOR_physdev_op(PHYSDEVOP_set_iopl, &(struct physdev_set_iopl){ 3 }), 0);
	expect_no_ports(true);
}
