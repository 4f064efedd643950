/* SPDX-License-Identifier: BSD-2-Clause */
/* iret from a stack that cannot be read, into the void without a failsafe callback, and with a trap table that is not there. */
#include <guest/guest.h>
#include <xen/callback.h>

enum { ALIVE = 1, SURVIVED = 8 };

static void iret_from(u64 rsp)
{
	__asm__ volatile("mov %0, %%rsp; mov %1, %%eax; syscall; ud2" : : "r"(rsp), "i"(__HYPERVISOR_iret) : "memory");
}

static void no_failsafe(void)
{
	static u64 frame[8];

	require(HYPERVISOR_callback_op(CALLBACKOP_register,
				       &(struct callback_register){ .type = CALLBACKTYPE_failsafe, .address = 0x7000 }));
	HYPERVISOR_set_trap_table(NULL);
	/* rax, r11, rcx, flags, rip, cs, rflags, rsp, ss below the stack pointer: a selector that is none. */
	frame[4] = 0x800000000000UL;
	frame[5] = 0xfff8;
	iret_from((u64)frame);
}

static void victim(void)
{
	group_post(ALIVE + group_role(), 1);
	if (group_role() == 1)
		iret_from(0x5000);
	else if (group_role() == 2)
		no_failsafe();
	else
		iret_from(HYPERVISOR_VIRT_START);
	group_post(SURVIVED + group_role(), 1);
}

void guest_main(void)
{
	unsigned int role;

	test_begin("deaths");
	if (!require(group_join()))
		return;
	if (group_role() != 0) {
		victim();
		return;
	}
	for (role = 1; role < 4; role++) {
		expect(group_wait(ALIVE + role));
		expect_msg(yield_until(event_bind_interdomain(group_domain(role), 1) == -XEN_ESRCH, 30 * S), "domain %u lives", role);
		expect_msg(!group_look(SURVIVED + role), "domain %u survived", role);
	}
}
