/* SPDX-License-Identifier: BSD-2-Clause */
/* I/O ports: those of the hypervisor, string instructions with bad memory, user mode with and without a permission bitmap. */
#include <guest/guest.h>
#include <xen/physdev.h>

__asm__(".pushsection .text_user, \"ax\", @progbits\n"
	".balign 16\n"
	".globl user_begin, user_in, user_out, user_end\n"
	"user_begin:\n"
	"user_in: mov %edi, %edx; xor %eax, %eax; in %dx, %al; syscall; ud2\n"
	"user_out: mov %edi, %edx; xor %eax, %eax; out %al, %dx; syscall; ud2\n"
	"user_end:\n"
	".popsection\n");
extern char user_begin[], user_in[], user_out[], user_end[];

static struct trap_frame f;
static struct trap_record rec;
static struct { u16 port; u8 value; void *at; } io;

static void do_in(void *arg)
{
	(void)arg;
	__asm__ volatile("inb %1, %0" : "=a"(io.value) : "Nd"(io.port));
}

static void do_out(void *arg)
{
	(void)arg;
	__asm__ volatile("outb %0, %1" : : "a"(io.value), "Nd"(io.port));
}

static void do_ins(void *arg)
{
	u64 n = 4;

	(void)arg;
	__asm__ volatile("rep insb" : "+D"(io.at), "+c"(n) : "d"(io.port) : "memory");
}

static void do_outs(void *arg)
{
	u64 n = 4;

	(void)arg;
	__asm__ volatile("rep outsb" : "+S"(io.at), "+c"(n) : "d"(io.port) : "memory");
}

static void iopl_set(u32 level)
{
	struct physdev_set_iopl op = { .iopl = level };

	expect_eq(HYPERVISOR_physdev_op(PHYSDEVOP_set_iopl, &op), 0);
}

static void test_hypervisors(void)
{
	/* Interrupt controllers, timer, the serial port that is the hypervisor's console. */
	static const u16 ports[] = { 0x20, 0x21, 0xa0, 0xa1, 0x40, 0x3f8, 0x3f9, 0x3fb, 0x3ff };
	unsigned int i;

	test_begin("the hypervisor's ports");
	iopl_set(1);
	for (i = 0; i < ARRAY_SIZE(ports); i++) {
		io.port = ports[i];
		io.value = 0;
		if (trap_catch(&rec, do_in, NULL))
			expect_eq(rec.vector, TRAP_PROTECTION);
		else
			expect_msg(io.value == 0xff, "port %x reads as %x", ports[i], io.value);
		io.value = 0xff;
		trap_catch(&rec, do_out, NULL);
	}
	/* The timer and this console still work. */
	time_spin(2 * MS);
}

static void test_strings(void)
{
	u8 *page = page_alloc();
	void *const bad[] = { (void *)HYPERVISOR_VIRT_START, (void *)0x800000000000UL, (void *)0x123000,
			      (void *)kernel_root() };
	unsigned int i;

	test_begin("string instructions");
	io.port = 0x71;
	io.at = page;
	expect(!trap_catch(&rec, do_ins, NULL));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		io.at = bad[i];
		if (expect_msg(trap_catch(&rec, do_ins, NULL), "ins to %p", bad[i]))
			expect_msg(rec.vector == TRAP_PAGE_FAULT || rec.vector == TRAP_PROTECTION, "ins to %p: vector %lu",
				   bad[i], rec.vector);
		io.at = bad[i];
		io.port = 0x80;
		if (i < 3)
			expect_msg(trap_catch(&rec, do_outs, NULL), "outs from %p", bad[i]);
		io.port = 0x71;
	}
	page_free(page);
	iopl_set(0);
	io.port = 0x80;
	expect(trap_catch(&rec, do_in, NULL));
}

static void run(const char *code, u64 port)
{
	user_frame(&f, (u64)(code - user_begin), port);
	user_run(&f);
}

static void test_user(void)
{
	static u8 bitmap[8192] PAGE_ALIGNED;
	struct physdev_set_iobitmap op = { .nr_ports = 0x100 };

	test_begin("user mode");
	run(user_in, 0x80);
	expect_eq(f.vector, TRAP_PROTECTION);
	run(user_out, 0x80);
	expect_eq(f.vector, TRAP_PROTECTION);
	/* A clear bit gives the port. */
	memset(bitmap, 0xff, sizeof(bitmap));
	bitmap[0x80 / 8] = 0xfe;
	bitmap[0x20 / 8] = 0;
	set_xen_guest_handle(op.bitmap, bitmap);
	expect_eq(HYPERVISOR_physdev_op(PHYSDEVOP_set_iobitmap, &op), 0);
	run(user_in, 0x80);
	expect_eq(f.vector, TRAP_SYSCALL);
	run(user_in, 0x81);
	expect_eq(f.vector, TRAP_PROTECTION);
	run(user_in, 0x180);
	expect_eq(f.vector, TRAP_PROTECTION);
	/* Not even with the kernel's leave: it is not the kernel's. */
	run(user_in, 0x20);
	if (f.vector == TRAP_SYSCALL)
		expect_eq(f.rax & 0xff, 0xff);
	op.nr_ports = 65537;
	expect(HYPERVISOR_physdev_op(PHYSDEVOP_set_iobitmap, &op) < 0);
	op.nr_ports = 0;
	expect_eq(HYPERVISOR_physdev_op(PHYSDEVOP_set_iobitmap, &op), 0);
	run(user_in, 0x80);
	expect_eq(f.vector, TRAP_PROTECTION);
	iopl_set(3);
	run(user_in, 0x80);
	expect_eq(f.vector, TRAP_SYSCALL);
	iopl_set(0);
	run(user_in, 0x80);
	expect_eq(f.vector, TRAP_PROTECTION);
}

void guest_main(void)
{
	test_begin("set up");
	if (!require(user_init()) || !require(user_load(user_begin, (size_t)(user_end - user_begin))))
		return;
	test_hypervisors();
	test_strings();
	test_user();
}
