/* SPDX-License-Identifier: BSD-2-Clause */
/* set_trap_table and callback_op: privilege of vectors, masking of events, handlers that cannot be, and taking them away. */
#include <guest/guest.h>
#include <xen/callback.h>

__asm__(".pushsection .text_user, \"ax\", @progbits\n"
	".balign 16\n"
	".globl user_begin, user_int3, user_int80, user_into, user_end\n"
	"user_begin:\n"
	"user_int3: int3; syscall; ud2\n"
	"user_int80: int $0x80; syscall; ud2\n"
	"user_into: int $4; syscall; ud2\n"
	"user_end:\n"
	".popsection\n");
extern char user_begin[], user_int3[], user_int80[], user_into[], user_end[];

static struct trap_frame f;
static struct trap_info entries[2];
static u8 masked;

static bool note_mask(struct trap_frame *frame)
{
	(void)frame;
	masked = vcpu_this()->info->evtchn_upcall_mask;
	return true;
}

/* Registers one vector with other flags, or from another address. */
static long set(u8 vector, u8 flags, u64 address)
{
	const struct trap_info *t;

	for (t = trap_table(); t->address && t->vector != vector; t++)
		;
	entries[0] = *t;
	entries[0].vector = vector;
	entries[0].flags = flags;
	if (address)
		entries[0].address = address;
	entries[1] = (struct trap_info){ 0 };
	return HYPERVISOR_set_trap_table(entries);
}

static void run(const char *code)
{
	user_frame(&f, (u64)(code - user_begin), 0);
	user_run(&f);
}

static void test_privilege(void)
{
	test_begin("privilege of vectors");
	run(user_int3);
	expect_eq(f.vector, TRAP_BREAKPOINT);
	run(user_int80);
	expect_eq(f.vector, TRAP_INT80);
	run(user_into);
	expect_eq(f.vector, 4);
	/* Closed to user mode: for these two a hypervisor may leave it to the CPU, which has them open. */
	expect_eq(set(TRAP_INT80, 0, 0), 0);
	expect_eq(set(TRAP_BREAKPOINT, 0, 0), 0);
	run(user_int80);
	if (f.vector != TRAP_INT80) {
		expect_eq(f.vector, TRAP_PROTECTION);
		expect_eq(f.rip, USER_CODE + (u64)(user_int80 - user_begin));
	}
	expect_eq(set(TRAP_INT80, 3, 0), 0);
	expect_eq(set(TRAP_BREAKPOINT, 3, 0), 0);
	run(user_int80);
	expect_eq(f.vector, TRAP_INT80);
}

static void do_ud(void *arg)
{
	(void)arg;
	__asm__ volatile("int3");
}

static void test_mask(void)
{
	struct trap_record rec;

	test_begin("events masked on entry");
	trap_handler_set(TRAP_BREAKPOINT, note_mask);
	upcalls_unmask();
	expect(!trap_catch(&rec, do_ud, NULL));
	expect_eq(masked, 0);
	expect_eq(set(TRAP_BREAKPOINT, 3 | 4, 0), 0);
	expect(!trap_catch(&rec, do_ud, NULL));
	expect_eq(masked, 1);
	/* And as it was, afterwards. */
	expect_eq(vcpu_this()->info->evtchn_upcall_mask, 0);
	expect_eq(set(TRAP_BREAKPOINT, 3, 0), 0);
	upcalls_mask();
	trap_handler_set(TRAP_BREAKPOINT, NULL);
}

static void test_bad(void)
{
	struct callback_register cb = { .type = CALLBACKTYPE_event, .address = 0x800000000000UL };
	unsigned int i;

	test_begin("handlers that cannot be");
	expect(set(TRAP_INT80, 3, 0x800000000000UL) < 0);
	run(user_int80);
	expect_eq(f.vector, TRAP_INT80);
	for (i = CALLBACKTYPE_event; i <= CALLBACKTYPE_syscall; i++) {
		cb.type = (u16)i;
		expect_msg(HYPERVISOR_callback_op(CALLBACKOP_register, &cb) < 0, "type %u", i);
	}
	cb.type = 99;
	cb.address = VIRT_BASE;
	expect(HYPERVISOR_callback_op(CALLBACKOP_register, &cb) < 0);
	expect(HYPERVISOR_callback_op(CALLBACKOP_unregister, &cb) < 0);
	expect(HYPERVISOR_callback_op(99, &cb) < 0);
	/* The ones that were good are still there. */
	run(user_int3);
	expect_eq(f.vector, TRAP_BREAKPOINT);
	expect_eq(HYPERVISOR_stack_switch(FLAT_KERNEL_SS, (u64)vcpu_this()->trap_stack), 0);
	run(user_int3 + 1);
	expect_eq(f.vector, TRAP_SYSCALL);
}

/* The whole table in one call, twice: later entries win, and those not named stay. */
static void test_merge(void)
{
	static struct trap_info many[257];
	unsigned int i, n = 0;

	test_begin("the whole table");
	for (i = 0; i < 256; i++)
		if (i != 0x82)
			many[n++] = (struct trap_info){ (u8)i, 0, FLAT_KERNEL_CS, trap_table()->address };
	expect_eq(HYPERVISOR_set_trap_table(many), 0);
	expect_eq(HYPERVISOR_set_trap_table(trap_table()), 0);
	run(user_int80);
	expect_eq(f.vector, TRAP_INT80);
}

void guest_main(void)
{
	test_begin("set up");
	if (!require(user_init()) || !require(user_load(user_begin, (size_t)(user_end - user_begin))))
		return;
	test_privilege();
	test_mask();
	test_bad();
	test_merge();
}
