/* SPDX-License-Identifier: BSD-2-Clause */
/* I/O ports from a domain that has none: they fault or read as nothing, and what is written goes nowhere, not even to reset the machine. */
#include <guest/guest.h>
#include <xen/physdev.h>

static struct trap_record rec;
static u16 port;
static u32 got, sent;

static void do_in(void *arg)
{
	u8 v;

	(void)arg;
	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	got = v;
}

static void do_in_long(void *arg)
{
	(void)arg;
	__asm__ volatile("inl %1, %0" : "=a"(got) : "Nd"(port));
}

static void do_out(void *arg)
{
	(void)arg;
	__asm__ volatile("outb %b0, %1" : : "a"(sent), "Nd"(port));
}

static void do_out_word(void *arg)
{
	(void)arg;
	__asm__ volatile("outw %w0, %1" : : "a"(sent), "Nd"(port));
}

static void do_out_long(void *arg)
{
	(void)arg;
	__asm__ volatile("outl %0, %1" : : "a"(sent), "Nd"(port));
}

static void do_insb(void *arg)
{
	u64 n = 1;
	void *to = arg;

	__asm__ volatile("rep insb" : "+D"(to), "+c"(n) : "d"(port) : "memory");
}

/* The timer's ports and the clock may be emulated; PCI configuration space is looked at below. */
static bool emulated(unsigned int p)
{
	return (p >= 0xcf8 && p <= 0xcff) || p == 0x61 || (p >= 0x3d && p <= 0x43) || (p >= 0x5e && p <= 0x61) || p == 0x70 ||
	       p == 0x71 || (p >= 0x6d && p <= 0x71);
}

static void test_scan(const char *name, unsigned int from, unsigned int to, unsigned int step)
{
	unsigned int p, through = 0;

	test_begin(name);
	for (p = from; p < to; p += step) {
		port = (u16)p;
		if (emulated(p))
			continue;
		if (!trap_catch(&rec, do_in, NULL))
			through += got != 0xff;
		else
			expect_eq(rec.vector, TRAP_PROTECTION);
		if (!trap_catch(&rec, do_in_long, NULL))
			through += got != 0xffffffff;
		if (through && through < 5)
			expect_msg(false, "port %x reads as %x", p, got);
	}
	expect_eq(through, 0);
}

static void out_try(u16 p, u32 value)
{
	port = p;
	sent = value;
	trap_catch(&rec, do_out, NULL);
	trap_catch(&rec, do_out_word, NULL);
	trap_catch(&rec, do_out_long, NULL);
}

/* Each of these would end the machine, and this test with it. */
static void test_deadly(void)
{
	test_begin("ports that reset or power off");
	out_try(0xcf9, 6);
	out_try(0xcf9, 0xe);
	out_try(0x64, 0xfe);
	out_try(0x92, 1);
	out_try(0x604, 0x2000);
	out_try(0x604, 0x3400);
	out_try(0xb004, 0x2000);
	out_try(0x20, 0x11);
	out_try(0x21, 0xff);
	expect_eq(HYPERVISOR_xen_version(0, NULL), 4 << 16 | 17);
}

static void test_pci(void)
{
	test_begin("PCI configuration space");
	port = 0xcf8;
	sent = 0x80000000;
	if (trap_catch(&rec, do_out_long, NULL))
		return;
	port = 0xcfc;
	if (!trap_catch(&rec, do_in_long, NULL))
		expect_eq(got, 0xffffffff);
}

void guest_main(void)
{
	struct physdev_set_iopl iopl = { .iopl = 3 };
	static u8 buf[16];

	test_scan("as it is", 0, 0x10000, 37);
	require(HYPERVISOR_physdev_op(PHYSDEVOP_set_iopl, &iopl));
	test_scan("with I/O privilege 3: low ports", 0, 0x400, 1);
	test_scan("with I/O privilege 3: all ports", 0x400, 0x10000, 61);
	test_begin("string instructions");
	port = 0x60;
	expect(trap_catch(&rec, do_insb, buf) || buf[0] == 0xff);
	expect(trap_catch(&rec, do_insb, (void *)HYPERVISOR_VIRT_START));
	test_pci();
	test_deadly();
}
